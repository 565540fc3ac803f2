//! Orders on three ledgers, their settlements from the readings they rest on, and what meters show beyond orders.

use std::collections::BTreeMap;
use std::sync::Arc;

use tieline_contract::settlement::{Imbalance, Metering, Readings, settle};
use tieline_contract::terms::{OrderId, Request};
use tieline_contract::transaction::{Act, Transaction};
use tieline_units::{Energy, MicrogridId, Time};

use super::{Check, Evidence, Stop, Wrong};
use crate::run::ledgers::outcome::Life;

/// Every order that a buyer's chain has, with its request.
pub fn requests(evidence: &Evidence) -> BTreeMap<OrderId, Arc<Request>> {
    let mut all = BTreeMap::new();
    for chain in &evidence.chains {
        let state = chain.ledger.state();
        for order in state.orders() {
            if let Some(purchase) = state.purchase(order) {
                all.insert(order, purchase.request.clone());
            }
        }
    }
    all
}

/// What the three ledgers say of an order.
pub fn life(evidence: &Evidence, order: OrderId, request: &Request) -> Option<Life> {
    let state = |name| evidence.chain(name).map(|chain| chain.ledger.state());
    let x = state(&request.terms.chain_x)?;
    let y = state(&request.terms.chain_y)?;
    Some(Life::of(order, (x, y, evidence.z().ledger.state())))
}

pub(super) fn check(evidence: &Evidence) -> Result<Vec<Check>, Stop> {
    let (orders, settlements) = orders(evidence)?;
    let check = |name, found| Check { name, found };
    Ok(vec![
        check("orders on three ledgers", orders),
        check("settlements from readings", settlements),
        check("imbalances from meters", imbalances(evidence)?),
    ])
}

fn orders(evidence: &Evidence) -> Result<(u64, u64), Stop> {
    let (mut orders, mut settlements) = (0, 0);
    for (order, request) in requests(evidence) {
        let wrong = |reason: String| Wrong {
            check: "orders on three ledgers",
            file: evidence.z().file(),
            order: Some(order.to_string()),
            reason,
            ..Wrong::default()
        };
        let Some(life) = life(evidence, order, &request) else {
            return Err(wrong("a chain of it is not here".to_owned()).into());
        };
        let terms = &request.terms;
        let state = |name| evidence.chain(name).map(|chain| chain.ledger.state());
        let bought = state(&terms.chain_x).and_then(|it| it.purchase(order)?.settled);
        let sold = state(&terms.chain_y).and_then(|it| it.sale(order)?.settled);
        let written = life.settlement.map(|it| it.settled);
        let agree = |one: Option<Energy>| one.is_none() || one == written;
        if !agree(bought) || !agree(sold) {
            return Err(wrong("X, Y and Z settled different quantities".to_owned()).into());
        }
        if !agree_on_the_end(&life) {
            let reason = format!(
                "S1: X has {:?}, Y has {:?}, settled {written:?}",
                life.buyer, life.seller
            );
            return Err(wrong(reason).into());
        }
        if let Some(settlement) = life.settlement {
            let readings = Readings {
                taken: life.taken,
                delivered: life.delivered,
            };
            if settle(&terms.settlement(), readings) != Ok(settlement) {
                return Err(
                    wrong("Z's settlement does not follow from its readings".to_owned()).into(),
                );
            }
            settlements += 1;
        }
        orders += 1;
    }
    Ok((orders, settlements))
}

/// S1: no refund beside an order that is on, no payment without one.
fn agree_on_the_end(life: &Life) -> bool {
    use tieline_contract::trade::{BuyerState, SellerState};
    let positive = life.settlement.is_some_and(|it| it.settled > Energy::ZERO);
    let settled = life.seller == Some(SellerState::Settled);
    let confirmed = life.seller == Some(SellerState::Confirmed);
    match life.buyer {
        Some(BuyerState::Refunded) => !(confirmed || settled && positive),
        Some(BuyerState::Settled) => !positive || confirmed || settled,
        _ => true,
    }
}

/// Net flows at tie lines, as meters signed them on the members' home chains.
pub fn flows(evidence: &Evidence) -> BTreeMap<(Time, MicrogridId), Energy> {
    let mut flows = BTreeMap::new();
    for chain in &evidence.chains {
        for batch in chain.batches().filter(|batch| batch.line.is_none()) {
            flows.insert((batch.start, batch.member.clone()), batch.net());
        }
    }
    flows
}

/// T18: what the operator says flowed is what the meters signed; Z computed the rest.
fn imbalances(evidence: &Evidence) -> Result<u64, Stop> {
    let flows = flows(evidence);
    let z = evidence.z();
    let state = z.ledger.state();
    let traded = traded(evidence);
    let mut found = 0;
    for done in z.applied() {
        let Transaction::Signed(signed) = &done.transaction else {
            continue;
        };
        let Act::Imbalance { start, flows: told } = &signed.act else {
            continue;
        };
        let wrong = |reason: String| Wrong {
            check: "imbalances from meters",
            file: z.file(),
            height: Some(done.height),
            place: Some(format!("transaction {}", done.name)),
            reason,
            ..Wrong::default()
        };
        for (member, energy) in told {
            let metered = flows.get(&(*start, member.clone()));
            if metered != Some(energy) {
                let reason = format!(
                    "{member} is said to have fed in {} mJ from {start} on, its meter says {}",
                    energy.as_millijoules(),
                    metered.map_or("nothing".to_owned(), |it| it.as_millijoules().to_string())
                );
                return Err(wrong(reason).into());
            }
            let booked = state.imbalances(*start).and_then(|it| it.get(member));
            let traded = traded.get(&(*start, member.clone()));
            let expected = state.tariff(*start).map(|tariff| {
                let prices = (tariff.import, tariff.export);
                Imbalance::of(*energy, traded.copied().unwrap_or_default(), prices)
            });
            if booked != expected.as_ref() {
                return Err(wrong(format!("{member} is booked otherwise than it follows")).into());
            }
            found += 1;
        }
    }
    Ok(found)
}

/// Of each interval and member, what Z settled under orders over tie lines: sold, bought.
pub type Traded = BTreeMap<(Time, MicrogridId), (Energy, Energy)>;

/// From Z's settlements.
pub fn traded(evidence: &Evidence) -> Traded {
    let state = evidence.z().ledger.state();
    let mut traded = Traded::new();
    for order in state.orders() {
        let Some(settling) = state.settling(order) else {
            continue;
        };
        let terms = &settling.request.terms;
        let over_tie_lines = terms.metering == Metering::TieLines;
        let Some(settlement) = settling.settlement.filter(|_| over_tie_lines) else {
            continue;
        };
        let of = |member: &MicrogridId| (terms.start, member.clone());
        traded.entry(of(&terms.seller)).or_default().0 += settlement.settled;
        traded.entry(of(&terms.buyer)).or_default().1 += settlement.settled;
    }
    traded
}
