//! `summary.json`: the run in one document, exact sums as decimal strings.

use std::collections::BTreeMap;

use serde::Serialize;
use tieline_units::{Energy, Money};

use crate::config::Mode;
use crate::input::Scenario;
use crate::run::Sink;
use crate::run::round::Outcome;
use crate::run::settle::Settled;
use crate::run::stage::Slot;
use crate::run::tally::{MemberTally, Tally};

/// Format and version of the document.
pub const SCHEMA: &str = "tieline.summary/1";

/// Intervals without a market that are listed one by one; beyond that they are only counted.
const LISTED_MAX: usize = 400;

/// The document.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    schema: &'static str,
    scenario: String,
    currency: String,
    time_zone: String,
    interval_minutes: u64,
    mode: &'static str,
    seed: u64,
    first_interval_utc: String,
    days: Vec<Day>,
    intervals: Intervals,
    orders: Orders,
    members: Vec<Member>,
    aggregator: Account,
    grid: Account,
    /// Members, aggregator and grid added up: zero.
    sum: String,
    members_gain: String,
    /// The same had every forecast been right: the difference is the cost of forecast errors.
    members_gain_perfect_forecast: Option<String>,
    renewable_consumption_rate: Option<f64>,
    renewable_consumption_rate_alone: Option<f64>,
    /// Steps of a trade's life that this run left out.
    left_out: Vec<&'static str>,
    not_cleared: Vec<NotCleared>,
    warnings: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
struct Day {
    day: String,
    intervals: usize,
    cleared: usize,
}

#[derive(Clone, Debug, Default, Serialize)]
struct Intervals {
    total: usize,
    with_sellers_and_buyers: usize,
    cleared: usize,
    epsilon_equilibria: usize,
    no_sellers: usize,
    no_buyers: usize,
    failed: usize,
    no_price_band: usize,
    no_trade: usize,
    refused: usize,
}

#[derive(Clone, Debug, Serialize)]
struct Orders {
    count: usize,
    /// How many ended how.
    outcomes: BTreeMap<&'static str, usize>,
    ordered_kwh: String,
    delivered_kwh: String,
    short_kwh: String,
}

#[derive(Clone, Debug, Serialize)]
struct Member {
    microgrid_id: String,
    name: String,
    load_kwh: String,
    renewable_kwh: String,
    dispatched_kwh: String,
    sold_kwh: String,
    bought_kwh: String,
    exported_kwh: String,
    imported_kwh: String,
    sales: String,
    purchases: String,
    grid_export: String,
    grid_import: String,
    penalties: String,
    balance: String,
    balance_alone: String,
    gain: String,
}

#[derive(Clone, Debug, Serialize)]
struct Account {
    name: String,
    balance: String,
}

#[derive(Clone, Debug, Serialize)]
struct NotCleared {
    interval_start_utc: String,
    outcome: &'static str,
    reason: String,
}

/// Collects what the summary says beyond the tally.
#[derive(Clone, Debug, Default)]
pub struct Collector {
    days: Vec<Day>,
    not_cleared: Vec<NotCleared>,
}

impl Sink for Collector {
    fn take(&mut self, slot: &Slot<'_>, settled: &Settled) -> anyhow::Result<()> {
        let outcome = &settled.concluded.ordered.matched.round.outcome;
        let day = slot.scenario.zone.day_of(slot.interval.start).to_string();
        if self.days.last().is_none_or(|last| last.day != day) {
            self.days.push(Day {
                day,
                intervals: 0,
                cleared: 0,
            });
        }
        if let Some(last) = self.days.last_mut() {
            last.intervals += 1;
            last.cleared += usize::from(*outcome == Outcome::Cleared);
        }
        if *outcome != Outcome::Cleared && self.not_cleared.len() < LISTED_MAX {
            self.not_cleared.push(NotCleared {
                interval_start_utc: slot.interval.start.to_string(),
                outcome: outcome.name(),
                reason: outcome.reason(),
            });
        }
        Ok(())
    }
}

impl Collector {
    /// The document of a finished run.
    ///
    /// `perfect`: the members' gain had the forecast been right, where there was one; `left_out`: steps of a trade's life that
    /// the run left out.
    pub fn finish(
        self,
        scenario: &Scenario,
        tally: &Tally,
        (perfect, left_out): (Option<Money>, Vec<&'static str>),
    ) -> Summary {
        let rates = tally.renewable_rates();
        let config = &scenario.config;
        Summary {
            schema: SCHEMA,
            scenario: config.name.clone(),
            currency: scenario.currency.to_string(),
            time_zone: scenario.zone.name().to_owned(),
            interval_minutes: scenario.length.minutes(),
            mode: mode(config.mode),
            seed: config.seed,
            first_interval_utc: scenario
                .intervals
                .first()
                .map_or_else(String::new, |interval| interval.start.to_string()),
            days: self.days,
            intervals: intervals(tally),
            orders: Orders {
                count: tally.orders,
                outcomes: ends(tally),
                ordered_kwh: tally.ordered.to_kilowatt_hours(),
                delivered_kwh: tally.delivered.to_kilowatt_hours(),
                short_kwh: tally.short.to_kilowatt_hours(),
            },
            members: members(scenario, tally),
            aggregator: account(&config.aggregator.name, tally.aggregator),
            grid: account("grid", tally.grid),
            sum: tally.zero_sum().to_string(),
            members_gain: tally.members_gain().to_string(),
            members_gain_perfect_forecast: perfect.map(|gain| gain.to_string()),
            renewable_consumption_rate: rates.map(|(with, _)| with),
            renewable_consumption_rate_alone: rates.map(|(_, without)| without),
            left_out,
            not_cleared: self.not_cleared,
            warnings: scenario.warnings.iter().map(ToString::to_string).collect(),
        }
    }
}

/// What `--market-only` leaves out.
pub const LEFT_OUT: &str = "keys, signatures, chains and the six phases (steps 7 to 10): every order is confirmed directly";

fn ends(tally: &Tally) -> BTreeMap<&'static str, usize> {
    let ends = tally.ends.iter();
    ends.map(|(outcome, count)| (outcome.as_str(), *count))
        .collect()
}

/// `day-ahead` or `intraday`.
pub fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::DayAhead => "day-ahead",
        Mode::Intraday => "intraday",
    }
}

fn intervals(tally: &Tally) -> Intervals {
    Intervals {
        total: tally.intervals,
        with_sellers_and_buyers: tally.two_sided,
        cleared: tally.outcome("cleared"),
        epsilon_equilibria: tally.epsilon,
        no_sellers: tally.outcome("no-sellers"),
        no_buyers: tally.outcome("no-buyers"),
        failed: tally.outcome("failed"),
        no_price_band: tally.outcome("no-price-band"),
        no_trade: tally.outcome("no-trade"),
        refused: tally.outcome("refused"),
    }
}

fn members(scenario: &Scenario, tally: &Tally) -> Vec<Member> {
    let member = |(microgrid, tally): (&crate::input::Microgrid, &MemberTally)| {
        let bill = &tally.bill;
        let kwh = |energy: Energy| energy.to_kilowatt_hours();
        let text = |money: Money| money.to_string();
        Member {
            microgrid_id: microgrid.id.to_string(),
            name: microgrid.name.clone(),
            load_kwh: kwh(tally.load),
            renewable_kwh: kwh(tally.renewable),
            dispatched_kwh: kwh(tally.dispatched),
            sold_kwh: kwh(bill.sold),
            bought_kwh: kwh(bill.bought),
            exported_kwh: kwh(bill.exported),
            imported_kwh: kwh(bill.imported),
            sales: text(bill.sales),
            purchases: text(bill.purchases),
            grid_export: text(bill.grid_export),
            grid_import: text(bill.grid_import),
            penalties: text(bill.penalties),
            balance: text(bill.balance()),
            balance_alone: text(tally.bill_alone.balance()),
            gain: text(tally.gain()),
        }
    };
    scenario
        .microgrids
        .iter()
        .zip(&tally.members)
        .map(member)
        .collect()
}

fn account(name: &str, balance: Money) -> Account {
    Account {
        name: name.to_owned(),
        balance: balance.to_string(),
    }
}
