//! S2: the books of one ledger, recomputed from its orders. And S3: that it stands by its words.

use tieline_contract::payload::Payload;
use tieline_contract::state::{Account, State};
use tieline_contract::terms::Terms;
use tieline_contract::trade::{BuyerState, SellerState};
use tieline_units::canonical::Canonical;
use tieline_units::{Energy, Money};

use super::{Broken, Rule};
use crate::village::member;
use crate::world::Plan;

/// Table numbers of [`State::records`].
const ACCOUNTS: u8 = 8;
const EXPOSURE: u8 = 10;
const POSITIONS: u8 = 22;

type Records = [(Vec<u8>, Vec<u8>)];

/// What seller and aggregator have on the buyer's chain: nothing but what orders paid.
pub(crate) fn paid(state: &State, terms: &Terms) -> Money {
    let on = |who: &tieline_units::MicrogridId| state.balance(&Account::Clearing(who.clone()));
    on(&terms.seller) + on(&terms.aggregator)
}

pub(crate) fn broken(state: &State, records: &Records, plan: &Plan) -> Broken {
    let sound = accounts(state, records, plan) && orders(state, records, plan);
    Broken::unless(Rule::S2, sound && capacity(state, plan))
        | Broken::unless(Rule::S3, words(state))
}

/// S3: what a ledger once said for ever is so for ever.
fn words(state: &State) -> bool {
    use BuyerState as B;
    use SellerState as S;
    let bought = |order| state.purchase(order).map(|p| p.state);
    let sold = |order| state.sale(order).map(|s| s.state);
    let mut said = state.said();
    said.all(|(_, payload)| match &**payload {
        Payload::Reject(order) => sold(*order) == Some(S::Rejected),
        Payload::Void(order) => sold(*order) == Some(S::Voided),
        Payload::Refund(order) => bought(*order) == Some(B::Refunded),
        Payload::Request(request) => bought(request.order()).is_some(),
        Payload::Accept(said) => {
            let sale = state.sale(said.order);
            sale.is_some_and(|sale| sale.acceptance.as_ref() == Some(said))
        }
        Payload::Commit(said) => {
            let purchase = state.purchase(said.request.order());
            purchase.is_some_and(|purchase| purchase.trade_hash == Some(said.trade_hash))
        }
        Payload::Settle(said) => {
            let written = state.settling(said.order);
            written.is_some_and(|written| written.settlement == Some(said.settlement))
        }
        Payload::Taken(_) | Payload::Delivered(_) | Payload::Rotate { .. } => true,
        Payload::Deposit { .. } | Payload::Net { .. } => true,
        Payload::Register { .. } | Payload::Freeze { .. } => true,
    })
}

fn table(records: &Records, number: u8) -> impl Iterator<Item = (&[u8], Money)> {
    let of = records
        .iter()
        .filter(move |(key, _)| key.first() == Some(&number));
    of.filter_map(|(key, value)| Some((&key[1..], Money::decode(value).ok()?)))
}

fn sum(records: &Records, number: u8) -> Money {
    table(records, number).fold(Money::ZERO, |sum, (_, money)| sum + money)
}

/// All accounts sum to zero, none is below zero but the outside world's, and that is minus what came in.
fn accounts(state: &State, records: &Records, plan: &Plan) -> bool {
    let mut least = true;
    for (key, money) in table(records, ACCOUNTS) {
        let outside = Account::decode(key).is_ok_and(|account| account == Account::Outside);
        least &= outside || money >= Money::ZERO;
    }
    let chain = &state.rules().chain;
    let home = |who: &str| state.member(&member(who)).is_some_and(|m| m.home == *chain);
    let came = plan.deposits.iter().filter(|(who, _)| home(who));
    let came = came.fold(Money::ZERO, |sum, (_, amount)| sum + *amount);
    let outside = state.balance(&Account::Outside);
    least && sum(records, ACCOUNTS) == Money::ZERO && (state.is_vpp() || outside == -came)
}

/// Escrows, bonds, fees, exposure and positions are what the orders' states say.
fn orders(state: &State, records: &Records, plan: &Plan) -> bool {
    let (mut open, mut fees, mut claims) = (Money::ZERO, Money::ZERO, Money::ZERO);
    let mut fits = true;
    for request in &plan.orders {
        let (order, terms) = (request.order(), &request.terms);
        let held = |holds: bool, amount| if holds { amount } else { Money::ZERO };
        let purchase = state.purchase(order).map(|p| p.state);
        let bought = matches!(purchase, Some(BuyerState::Locked | BuyerState::Committed));
        let escrow = held(bought, terms.escrow);
        open += escrow;
        fees += held(purchase.is_some(), state.rules().request_fee);
        let sale = state.sale(order).map(|s| s.state);
        let sold = matches!(sale, Some(SellerState::Accepted | SellerState::Confirmed));
        fits &= state.balance(&Account::Escrow(order)) == escrow;
        fits &= state.balance(&Account::Bond(order)) == held(sold, terms.bond);
        if let Some(s) = state.settling(order).and_then(|s| s.settlement) {
            claims += s.to_seller + s.to_aggregator + s.penalty;
        }
    }
    fits && sum(records, EXPOSURE) == open
        && state.balance(&Account::Fees) == fees
        && sum(records, POSITIONS) == claims
}

/// Capacity promised is that of open sales, and no more than the seller has.
fn capacity(state: &State, plan: &Plan) -> bool {
    let terms = &plan.orders[0].terms;
    let open = plan.orders.iter().filter(|request| {
        let sale = state.sale(request.order()).map(|s| s.state);
        matches!(sale, Some(SellerState::Accepted | SellerState::Confirmed))
    });
    let promised = open.fold(Energy::ZERO, |sum, r| sum + r.terms.quantity);
    let reserved = state.reserved(&terms.seller, terms.start);
    reserved == promised && promised <= state.nameplate(&terms.seller)
}
