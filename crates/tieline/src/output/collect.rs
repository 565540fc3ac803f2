//! Collects what the report shows while the run goes by.
//!
//! Short runs keep every round; long ones keep the rounds with the most traded energy, and the profiles of the local
//! day with the most traded energy.

use std::collections::BTreeMap;

use tieline_market::award::{kilowatts, per_kwh};
use tieline_market::equilibrium::Status;
use tieline_market::position::Position;
use tieline_units::{Energy, Money, Price, Time};

use super::rounds;
use super::summary::mode;
use crate::input::Scenario;
use crate::report::data::ledgers::LedgersData;
use crate::report::data::{
    BlockData, DayData, FlowData, MemberData, MoneyText, Party, ProfileData, ReportData, RoundData,
    SlotData, TimeLabel, TotalsData,
};
use crate::run::Sink;
use crate::run::round::{Outcome, Played};
use crate::run::settle::Settled;
use crate::run::stage::Slot;
use crate::run::tally::{MemberTally, Tally};

/// Intervals up to which every round and the whole profile are kept.
const SHORT_RUN: usize = 400;

/// Rounds that a longer run keeps.
const ROUNDS_KEPT: usize = 24;

/// Energy and money between two members.
#[derive(Clone, Copy, Debug, Default)]
struct Traded {
    energy: Energy,
    paid: Money,
    received: Money,
}

/// What the report shows beyond the run itself.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    /// The members' gain had every forecast been right.
    pub gain_with_perfect_forecast: Option<Money>,
    /// Names and licences of the data.
    pub notices: Vec<String>,
    /// Steps of a trade's life that the run left out.
    pub left_out: Vec<String>,
    /// Keys, phases and chains.
    pub ledgers: Option<LedgersData>,
}

/// What only the page shows of a round.
#[derive(Clone, Debug)]
pub struct Detail {
    /// The round, played again.
    pub played: Played,
    /// Exploitability (banded, free) after round 1, 2, ... of its search, currency per hour.
    pub exploitability: Vec<(f64, f64)>,
}

/// Collects.
#[derive(Clone, Debug, Default)]
pub struct Collector {
    slots: Vec<SlotData>,
    days: Vec<DayData>,
    /// By seller and buyer.
    traded: BTreeMap<(usize, usize), Traded>,
    /// Delivered energy, mJ, and index of every round that was played.
    rounds: Vec<(i64, usize)>,
    /// Mean power of the dispatchable units, kW, by interval and member.
    dispatched: Vec<Vec<f32>>,
    /// Sums of the local day that goes by.
    today: Tally,
}

impl Sink for Collector {
    fn take(&mut self, slot: &Slot<'_>, settled: &Settled) -> anyhow::Result<()> {
        let at = label(slot.scenario, slot.interval.start);
        self.day(&at.day, slot, settled);
        self.slots.push(slot_data(at, slot, settled));
        for (&index, settlement) in settled.confirmed.iter().zip(&settled.settlement.orders) {
            let order = &settled.concluded.ordered.orders[index].order;
            let traded = self.traded.entry((order.seller, order.buyer)).or_default();
            traded.energy += settlement.settled;
            traded.paid += settlement.payment;
            traded.received += settlement.to_seller;
        }
        let volume: Energy = settled
            .settlement
            .orders
            .iter()
            .map(|order| order.settled)
            .sum();
        if settled.concluded.ordered.matched.round.played.is_some() {
            self.rounds.push((volume.as_millijoules(), slot.index));
        }
        let kw = |energy: Energy| mean_kw(energy, slot) as f32;
        self.dispatched.push(
            settled
                .deliveries
                .iter()
                .map(|delivery| kw(delivery.dispatched))
                .collect(),
        );
        Ok(())
    }
}

impl Collector {
    fn day(&mut self, day: &str, slot: &Slot<'_>, settled: &Settled) {
        if self.days.last().is_none_or(|last| last.day != day) {
            self.days.push(DayData {
                day: day.to_owned(),
                ..DayData::default()
            });
            self.today = Tally::new(slot.scenario.microgrids.len());
        }
        self.today.add(slot, settled);
        if let Some(last) = self.days.last_mut() {
            last.intervals += 1;
            last.cleared = self.today.outcome("cleared");
            last.traded_kwh = kwh(self.today.delivered);
            last.gain = number(self.today.members_gain());
        }
    }

    /// What the report of a finished run shows. `detail` plays a round again, for what only the page needs.
    pub fn finish(
        mut self,
        scenario: &Scenario,
        tally: &Tally,
        extras: Extras,
        detail: &mut dyn FnMut(usize) -> anyhow::Result<Option<Detail>>,
    ) -> anyhow::Result<ReportData> {
        let (from, to) = self.profile_span();
        let mut kept = self.rounds.clone();
        if self.slots.len() > SHORT_RUN {
            kept.sort_by_key(|&(volume, index)| (std::cmp::Reverse(volume), index));
            kept.truncate(ROUNDS_KEPT);
            kept.sort_by_key(|&(_, index)| index);
        }
        let mut rounds = Vec::new();
        for (_, index) in kept {
            if let Some(detail) = detail(index)? {
                rounds.push(round_data(scenario, index, detail));
            }
        }
        let profile_times = self.slots[from..to]
            .iter()
            .map(|slot| slot.at.clone())
            .collect();
        let profiles = (0..scenario.microgrids.len())
            .map(|member| self.profile(scenario, member, from, to))
            .collect();
        Ok(ReportData {
            scenario: scenario.config.name.clone(),
            currency: scenario.currency.to_string(),
            zone: scenario.zone.name().to_owned(),
            interval_minutes: scenario.length.minutes(),
            mode: mode(scenario.config.mode).to_owned(),
            seed: scenario.config.seed,
            rules: rules(scenario),
            days: std::mem::take(&mut self.days),
            members: members(scenario, tally),
            rounds,
            profiles,
            profile_times,
            flows: self.flows(tally),
            totals: totals(tally, &extras),
            warnings: scenario.warnings.iter().map(ToString::to_string).collect(),
            notices: extras.notices,
            left_out: extras.left_out,
            ledgers: extras.ledgers,
            slots: self.slots,
        })
    }

    /// The whole run when it is short, else the local day with the most traded energy.
    fn profile_span(&self) -> (usize, usize) {
        if self.slots.len() <= SHORT_RUN {
            return (0, self.slots.len());
        }
        let best = self
            .days
            .iter()
            .max_by(|a, b| a.traded_kwh.total_cmp(&b.traded_kwh));
        let day = best.map_or("", |day| day.day.as_str());
        let from = self
            .slots
            .iter()
            .position(|slot| slot.at.day == day)
            .unwrap_or(0);
        let count = self.slots[from..]
            .iter()
            .take_while(|slot| slot.at.day == day)
            .count();
        (from, from + count)
    }

    fn profile(&self, scenario: &Scenario, member: usize, from: usize, to: usize) -> ProfileData {
        let mut profile = ProfileData {
            member,
            ..ProfileData::default()
        };
        let forecast = scenario.forecast.as_ref().unwrap_or(&scenario.actual);
        for index in from..to {
            let sample = scenario.actual.at(index, member);
            profile.load_kw.push(kilowatts(sample.load));
            profile.pv_kw.push(kilowatts(sample.pv));
            profile.wind_kw.push(kilowatts(sample.wind));
            profile
                .dispatch_kw
                .push(f64::from(self.dispatched[index][member]));
            let dispatchable = scenario.microgrids[member].dispatchable;
            let position = Position::of(&forecast.at(index, member), dispatchable);
            profile
                .forecast_net_kw
                .push(kilowatts(position.available()));
        }
        profile
    }

    fn flows(&self, tally: &Tally) -> Vec<FlowData> {
        let mut flows: Vec<FlowData> = self
            .traded
            .iter()
            .map(|(&(seller, buyer), traded)| FlowData {
                from: Party::Member(seller),
                to: Party::Member(buyer),
                kwh: kwh(traded.energy),
                paid: text(traded.paid),
                received: text(traded.received),
            })
            .collect();
        for (member, sums) in tally.members.iter().enumerate() {
            let bill = &sums.bill;
            let with_grid = |from, to, energy, money| FlowData {
                from,
                to,
                kwh: kwh(energy),
                paid: text(money),
                received: text(money),
            };
            if bill.exported > Energy::ZERO {
                let (member, grid) = (Party::Member(member), Party::Grid);
                flows.push(with_grid(member, grid, bill.exported, bill.grid_export));
            }
            if bill.imported > Energy::ZERO {
                let (grid, member) = (Party::Grid, Party::Member(member));
                flows.push(with_grid(grid, member, bill.imported, -bill.grid_import));
            }
        }
        flows
    }
}

fn label(scenario: &Scenario, start: Time) -> TimeLabel {
    let minutes = scenario.zone.wall_minutes(start);
    TimeLabel {
        start,
        day: scenario.zone.day_of(start).to_string(),
        clock: format!("{:02}:{:02}", minutes / 60, minutes % 60),
    }
}

fn slot_data(at: TimeLabel, slot: &Slot<'_>, settled: &Settled) -> SlotData {
    let ordered = &settled.concluded.ordered;
    let round = &ordered.matched.round;
    let cleared = round.outcome == Outcome::Cleared;
    let played = round.played.as_ref();
    let certificate = played.map(|played| &played.certificate);
    let surplus = |position: &Position| matches!(position, Position::Seller(_));
    let deficit = |position: &Position| matches!(position, Position::Buyer(_));
    let sum = |side: fn(&Position) -> bool| -> f64 {
        let chosen = round.positions.iter().filter(|position| side(position));
        chosen
            .map(|position| kilowatts(position.available()).abs())
            .sum()
    };
    SlotData {
        at,
        outcome: round.outcome.name().to_owned(),
        reason: round.outcome.reason(),
        status: played.map_or("", |played| status(played.status)).to_owned(),
        import_price: price(slot.grid.import),
        export_price: price(slot.grid.export),
        clearing_price: played
            .filter(|_| cleared)
            .map(|played| played.clearing_price),
        tariff: ordered.matched.tariff,
        sellers: round
            .positions
            .iter()
            .filter(|position| surplus(position))
            .count(),
        buyers: round
            .positions
            .iter()
            .filter(|position| deficit(position))
            .count(),
        offered_kw: sum(|position| matches!(position, Position::Seller(_))),
        demand_kw: sum(|position| matches!(position, Position::Buyer(_))),
        ordered_kwh: kwh(ordered
            .orders
            .iter()
            .map(|placed| placed.order.terms.quantity)
            .sum()),
        delivered_kwh: kwh(settled
            .settlement
            .orders
            .iter()
            .map(|order| order.settled)
            .sum()),
        short_kwh: kwh(settled
            .settlement
            .orders
            .iter()
            .map(|order| order.short)
            .sum()),
        rounds: played.map_or(0, |played| played.rounds),
        exploitability_banded: certificate.map(|certificate| certificate.exploitability_banded),
        exploitability_free: certificate.map(|certificate| certificate.exploitability_free),
    }
}

fn round_data(scenario: &Scenario, index: usize, detail: Detail) -> RoundData {
    let Detail {
        played,
        exploitability,
    } = detail;
    let start = scenario.intervals[index].start;
    let mut blocks: Vec<BlockData> = played
        .blocks
        .iter()
        .filter(|block| block.offered_kw > 0.0)
        .map(|block| BlockData {
            member: block.member,
            level: block.level,
            price: block.price,
            offered_kw: block.offered_kw,
            accepted_kw: block.accepted_kw,
        })
        .collect();
    let merit = |a: &BlockData, b: &BlockData| {
        a.price
            .total_cmp(&b.price)
            .then((a.member, a.level).cmp(&(b.member, b.level)))
    };
    blocks.sort_by(merit);
    let prices = scenario.tariff[index];
    RoundData {
        at: label(scenario, start),
        demand_kw: played.game.demand_kw(),
        clearing_price: played.clearing_price,
        band: (price(prices.export), price(prices.import)),
        status: status(played.status).to_owned(),
        blocks,
        price_history: played.price_history.clone(),
        exploitability,
        certificate: rounds::path(scenario, start),
    }
}

/// The word of JSON and tables for a status.
pub fn status(status: Status) -> &'static str {
    match status {
        Status::Equilibrium => "equilibrium",
        Status::EpsilonEquilibrium => "epsilon_equilibrium",
        Status::Failed => "failed",
    }
}

fn rules(scenario: &Scenario) -> Vec<(String, String)> {
    let shown = |key: &str| key.starts_with("market.") || key.starts_with("aggregator.");
    let settings = scenario.config.settings().iter();
    settings
        .filter(|setting| shown(&setting.key))
        .map(|setting| (setting.key.clone(), setting.value.clone()))
        .collect()
}

fn members(scenario: &Scenario, tally: &Tally) -> Vec<MemberData> {
    let member = |(microgrid, sums): (&crate::input::Microgrid, &MemberTally)| MemberData {
        id: microgrid.id.to_string(),
        name: microgrid.name.clone(),
        load_kwh: kwh(sums.load),
        renewable_kwh: kwh(sums.renewable),
        dispatched_kwh: kwh(sums.dispatched),
        sold_kwh: kwh(sums.bill.sold),
        bought_kwh: kwh(sums.bill.bought),
        exported_kwh: kwh(sums.bill.exported),
        imported_kwh: kwh(sums.bill.imported),
        sales: text(sums.bill.sales),
        purchases: text(sums.bill.purchases),
        grid_export: text(sums.bill.grid_export),
        grid_import: text(sums.bill.grid_import),
        penalties: text(sums.bill.penalties),
        balance: text(sums.bill.balance()),
        balance_alone: text(sums.bill_alone.balance()),
        gain: text(sums.gain()),
    };
    scenario
        .microgrids
        .iter()
        .zip(&tally.members)
        .map(member)
        .collect()
}

fn totals(tally: &Tally, extras: &Extras) -> TotalsData {
    let rates = tally.renewable_rates();
    TotalsData {
        intervals: tally.intervals,
        two_sided: tally.two_sided,
        cleared: tally.outcome("cleared"),
        failed: tally.outcome("failed"),
        orders: tally.orders,
        ordered_kwh: kwh(tally.ordered),
        delivered_kwh: kwh(tally.delivered),
        members_balance: text(tally.members_balance()),
        aggregator_balance: text(tally.aggregator),
        grid_balance: text(tally.grid),
        zero_sum: text(tally.zero_sum()),
        members_gain: text(tally.members_gain()),
        members_gain_perfect_forecast: extras.gain_with_perfect_forecast.map(text),
        renewable_rate: rates.map(|(with, _)| with),
        renewable_rate_alone: rates.map(|(_, without)| without),
    }
}

fn kwh(energy: Energy) -> f64 {
    energy.as_millijoules() as f64 / Energy::PER_KILOWATT_HOUR as f64
}

fn mean_kw(energy: Energy, slot: &Slot<'_>) -> f64 {
    energy.as_millijoules() as f64 / slot.interval.length.seconds() as f64 / 1e6
}

fn number(money: Money) -> f64 {
    money.as_millionths() as f64 / 1e6
}

fn text(money: Money) -> MoneyText {
    MoneyText {
        text: money.to_string(),
        value: number(money),
    }
}

fn price(price: Price) -> f64 {
    per_kwh(price)
}
