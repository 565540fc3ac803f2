//! T18: what the meters show beyond orders, booked with the grid on Z (decision 9 of the architecture).
//!
//! **Parties.** The operator, who says what flowed.
//!
//! **Rules.** Z takes sold and bought energy from its own settlements and prices from its own tariff: the flows alone are the
//! operator's word. The batches they come to are signed by meters and lie on the members' home chains, so whoever has these
//! chains can check them. An interval is booked when no order of it is open here; one that Z hears of later is settled all the
//! same, and a second booking corrects the first. What passes a line of a pair's own passes no tie line, and is left out.
//!
//! **Guarantee.** Settled energy and imbalance of a member are its flow. No money moves between accounts here: what a member
//! owes the grid is billed by whoever supplies it.

use std::collections::BTreeMap;

use tieline_units::{Energy, MicrogridId, Time};

use crate::change::{Change, Draft};
use crate::guard::{Fact, Guard, Refusal};
use crate::member::Role;
use crate::settlement::{ENERGY_MAX, Imbalance, Metering, beyond};
use crate::state::{State, Tariff};
use crate::trade::{Settling, VppState};
use crate::transaction::Signed;
use crate::transition::Transition;
use tieline_seal::hybrid::Verify;

/// Books an interval.
pub(crate) fn book(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    (start, flows): (Time, &BTreeMap<MicrogridId, Energy>),
    signed: &Signed,
) -> Result<(), Refusal> {
    d.begin(Transition::Imbalance);
    d.operator(verify, signed)?;
    let rules = d.state.rules();
    let (now, limit) = (d.block.time, start);
    let over = now.as_millis().checked_sub(rules.interval.millis());
    let over = over.is_some_and(|latest_start| start.as_millis() <= latest_start);
    d.require(Guard::AfterInterval, over, Fact::Time { now, limit })?;
    let prices = d.state.tariff(start);
    let tariff = prices.unwrap_or(Tariff {
        import: tieline_units::Price::ZERO,
        export: tieline_units::Price::ZERO,
    });
    let priced = prices.is_some() && !beyond(tariff.import) && !beyond(tariff.export);
    d.require(Guard::Priced, priced, Fact::Name(start.to_string()))?;
    let open = of_interval(d.state, start).find(|it| it.state == VppState::Open);
    let name = open.map_or(Fact::Plain, |it| Fact::Name(it.request.order().to_string()));
    d.require(Guard::AllSettled, open.is_none(), name)?;
    let traded = traded(d.state, start);
    d.ask(Guard::Flows, are_flows(d.state, flows, &traded))?;
    let booked = flows.iter().map(|(member, net)| {
        let traded = traded.get(member).copied().unwrap_or_default();
        let prices = (tariff.import, tariff.export);
        (member.clone(), Imbalance::of(*net, traded, prices))
    });
    d.then(Change::Imbalances(start, booked.collect()));
    Ok(())
}

fn of_interval(state: &State, start: Time) -> impl Iterator<Item = &Settling> {
    let orders = state.intervals.get(&start).into_iter();
    let orders = orders.flat_map(|orders| orders.iter());
    orders.filter_map(|order| state.settling(*order))
}

/// Somebody's, all of microgrids, and none that cannot be computed with.
fn are_flows(
    state: &State,
    flows: &BTreeMap<MicrogridId, Energy>,
    traded: &Traded,
) -> Result<(), Fact> {
    if flows.is_empty() {
        return Err(Fact::Plain);
    }
    let within = |energy: &Energy| (-ENERGY_MAX..=ENERGY_MAX).contains(energy);
    let wrong = flows.iter().find(|(member, net)| {
        let known = state.member(member);
        let is_microgrid = known.is_some_and(|member| member.role == Role::Microgrid);
        let traded = traded.get(member).copied().unwrap_or_default();
        !is_microgrid || ![**net, traded.0, traded.1].iter().all(within)
    });
    match wrong {
        Some((member, _)) => Err(Fact::Name(member.to_string())),
        None => Ok(()),
    }
}

/// Of each member, what was settled under its orders over tie lines: sold, bought.
type Traded = BTreeMap<MicrogridId, (Energy, Energy)>;

fn traded(state: &State, start: Time) -> Traded {
    let mut traded = Traded::new();
    for settling in of_interval(state, start) {
        let Some(settlement) = settling.settlement else {
            continue;
        };
        let terms = &settling.request.terms;
        if terms.metering != Metering::TieLines {
            continue;
        }
        // More than can be is told from the sum all the same.
        let add = |sum: &mut Energy| {
            let more = settlement.settled.as_millijoules();
            *sum = Energy::from_millijoules(sum.as_millijoules().saturating_add(more));
        };
        add(&mut traded.entry(terms.seller.clone()).or_default().0);
        add(&mut traded.entry(terms.buyer.clone()).or_default().1);
    }
    traded
}
