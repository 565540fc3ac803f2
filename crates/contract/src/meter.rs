//! T7, phase 6: what meters read, shared among the orders of the interval.

use std::sync::Arc;

use tieline_units::Energy;

use crate::change::{Change, Draft};
use crate::guard::{Fact, Guard, Refusal};
use crate::member::MeterBatch;
use crate::payload::{Payload, Reading};
use crate::settlement::{Metering, largest_remainder};
use crate::state::State;
use crate::terms::{OrderId, Request, Terms};
use crate::trade::{BuyerState, SellerState};
use crate::transition::{BuyerInput, SellerInput, on_x, on_y};
use tieline_seal::hybrid::{Domain, Purpose, Verify};

/// Registers never show more: 10^18 mJ, 278 TWh.
const REGISTER_MAX: i64 = 1_000_000_000_000_000_000;

/// A batch: its registers, and one reading per order of the member in that interval.
pub(crate) fn meter(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    batch: &MeterBatch,
) -> Result<(), Refusal> {
    d.begin(crate::transition::Transition::Meter);
    ask_batch(d, verify, batch)?;
    let (end, after) = (batch.end(), (batch.exported.after, batch.imported.after));
    let registers = (end, after.0, after.1);
    d.then(Change::Registers(
        batch.member.clone(),
        batch.meter,
        registers,
    ));
    deliver(d, batch)?;
    take(d, batch)
}

fn ask_batch(d: &mut Draft<'_>, verify: &dyn Verify, batch: &MeterBatch) -> Result<(), Refusal> {
    let state = d.state;
    let rules = state.rules();
    d.require(Guard::Ledger, !state.is_vpp(), Fact::Plain)?;
    let member = state
        .member(&batch.member)
        .filter(|m| m.home == rules.chain);
    let key = member.and_then(|m| m.meters.get(usize::from(batch.meter)));
    let name = || Fact::Name(format!("{} {}", batch.member, batch.meter));
    d.require(Guard::MeterKnown, key.is_some(), name())?;
    let millis = batch.start.as_millis();
    let on_grid = batch.length == rules.interval && millis.is_multiple_of(rules.interval.millis());
    d.require(
        Guard::Schedule,
        on_grid,
        Fact::Name(batch.start.to_string()),
    )?;
    let now = d.block.time;
    let over = now.as_millis().checked_sub(rules.interval.millis());
    let over = over.is_some_and(|latest_start| millis <= latest_start);
    let limit = batch.start;
    d.require(Guard::AfterInterval, over, Fact::Time { now, limit })?;
    d.require(Guard::Monotone, monotone(state, batch), name())?;
    let domain = Domain {
        chain: rules.chain.clone(),
        genesis: rules.genesis,
        epoch: 0,
        purpose: Purpose::Meter,
    };
    let right =
        key.is_some_and(|key| verify.verify(key, &domain, &batch.message(), &batch.signature));
    d.require(Guard::Signed, right, name())
}

/// Registers and intervals go on where they stopped, or later.
fn monotone(state: &State, batch: &MeterBatch) -> bool {
    let zero = (tieline_units::Time::default(), Energy::ZERO, Energy::ZERO);
    let last = state.registers.get(&(batch.member.clone(), batch.meter));
    let (since, exported, imported) = last.copied().unwrap_or(zero);
    let max = Energy::from_millijoules(REGISTER_MAX);
    let rising = |last, register: crate::member::Register| {
        last <= register.before && register.before <= register.after && register.after <= max
    };
    since <= batch.start && rising(exported, batch.exported) && rising(imported, batch.imported)
}

fn metered_by(batch: &MeterBatch, order: OrderId, terms: &Terms) -> bool {
    match (batch.line, terms.metering) {
        (None, Metering::TieLines) => true,
        (Some(line), Metering::OwnLine { .. }) => line == order,
        (None, Metering::OwnLine { .. }) | (Some(_), Metering::TieLines) => false,
    }
}

/// The member's orders of the interval on one side, in the state that is metered.
fn due<'a>(
    state: &'a State,
    batch: &'a MeterBatch,
    request: impl Fn(OrderId) -> Option<&'a Arc<Request>> + 'a,
) -> Vec<(OrderId, &'a Arc<Request>)> {
    let key = (batch.member.clone(), batch.start);
    let orders = state.due.get(&key).into_iter();
    let orders = orders.flat_map(|orders| orders.iter());
    orders
        .filter_map(|&order| Some((order, request(order)?)))
        .filter(|(order, request)| metered_by(batch, *order, &request.terms))
        .collect()
}

/// Shares a flow: nothing of a flow the other way, all of an own line's, of a tie line's what the orders cover.
fn shares(batch: &MeterBatch, flow: Energy, orders: &[(OrderId, &Arc<Request>)]) -> Vec<Energy> {
    let flow = flow.as_millijoules().max(0);
    if batch.line.is_some() {
        return vec![Energy::from_millijoules(flow); orders.len()];
    }
    let quantities = orders
        .iter()
        .map(|(_, r)| r.terms.quantity.as_millijoules());
    let quantities: Vec<i64> = quantities.collect();
    let ordered: i128 = quantities
        .iter()
        .map(|&quantity| i128::from(quantity))
        .sum();
    let covered = flow.min(i64::try_from(ordered).unwrap_or(i64::MAX));
    let parts = largest_remainder(covered, &quantities).into_iter();
    parts.map(Energy::from_millijoules).collect()
}

/// q_y of the member's sales.
fn deliver(d: &mut Draft<'_>, batch: &MeterBatch) -> Result<(), Refusal> {
    let state = d.state;
    let orders = due(state, batch, |order| {
        let sale = state.sales.get(&order)?;
        let request = sale.request.as_ref()?;
        let metered = sale.state == SellerState::Confirmed && sale.delivered.is_none();
        (metered && request.terms.seller == batch.member).then_some(request)
    });
    for (&(order, request), energy) in orders.iter().zip(shares(batch, batch.net(), &orders)) {
        let Some(sale) = state.sale(order) else {
            continue;
        };
        d.begin(on_y(state, Some(sale.state), SellerInput::Meter)?);
        let mut sale = sale.clone();
        sale.delivered = Some(energy);
        let Some(trade_hash) = sale.commit_hash else {
            continue;
        };
        d.then(Change::Sale(order, sale));
        let request = request.clone();
        let reading = Reading {
            request,
            energy,
            trade_hash,
        };
        d.then(Change::Emit(Payload::Delivered(Arc::new(reading))));
    }
    Ok(())
}

/// q_x of the member's purchases.
fn take(d: &mut Draft<'_>, batch: &MeterBatch) -> Result<(), Refusal> {
    let state = d.state;
    let orders = due(state, batch, |order| {
        let purchase = state.purchases.get(&order)?;
        let request = &purchase.request;
        let metered = purchase.state == BuyerState::Committed && purchase.taken.is_none();
        (metered && request.terms.buyer == batch.member).then_some(request)
    });
    for (&(order, request), energy) in orders.iter().zip(shares(batch, -batch.net(), &orders)) {
        let Some(purchase) = state.purchase(order) else {
            continue;
        };
        d.begin(on_x(state, Some(purchase.state), BuyerInput::Meter)?);
        let mut purchase = purchase.clone();
        purchase.taken = Some(energy);
        let Some(trade_hash) = purchase.trade_hash else {
            continue;
        };
        d.then(Change::Purchase(order, purchase));
        let request = request.clone();
        let reading = Reading {
            request,
            energy,
            trade_hash,
        };
        d.then(Change::Emit(Payload::Taken(Arc::new(reading))));
    }
    Ok(())
}
