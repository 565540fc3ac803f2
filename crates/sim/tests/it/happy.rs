//! One trade from request to settlement, step by step.

use std::sync::Arc;

use tieline_contract::apply;
use tieline_contract::certificate::Certificate;
use tieline_contract::state::{Account, Block, State};
use tieline_contract::trade::{BuyerState, SellerState, VppState};
use tieline_contract::transaction::Transaction;
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::{
    START, Village, accept, certificates, deposit, key_return, member, metered, request,
};
use tieline_units::{Energy, Money, Time};

fn step(ledger: &mut State, time: Time, transaction: &Transaction) -> Vec<Arc<Certificate>> {
    let height = ledger.block().height + 1;
    apply(ledger, transaction, Block { height, time }, &Symbolic).unwrap();
    certificates(ledger, height, 0, &[0, 1, 2, 3])
}

fn carry(
    ledger: &mut State,
    time: Time,
    certificates: &[Arc<Certificate>],
) -> Vec<Arc<Certificate>> {
    let each = certificates.iter();
    each.flat_map(|c| step(ledger, time, &Transaction::Certificate(c.clone())))
        .collect()
}

#[test]
fn a_trade_is_requested_accepted_committed_confirmed_metered_and_paid() {
    let village = Village::default();
    let [mut x, mut y, mut z] = ["chain-x", "chain-y", "chain-z"].map(|name| village.ledger(name));
    let early = START.minus_millis(3_600_000);
    let buyer_money = step(&mut z, early, &deposit(0, "mg-x", village.funds));
    carry(&mut x, early, &buyer_money);
    let seller_money = step(&mut z, early, &deposit(1, "mg-y", village.funds));
    carry(&mut y, early, &seller_money);

    let request = request(village.terms(), 7);
    let (order, terms) = (request.order(), request.terms.clone());
    let req = step(&mut x, early, &Transaction::Request(request.clone()));
    assert!(carry(&mut y, early, &req).is_empty());
    let acc = step(&mut y, early, &accept(&terms, order));
    let com = carry(&mut x, early, &acc);
    step(&mut x, early, &key_return(&terms, order));
    carry(&mut y, early, &com);
    carry(&mut z, early, &com);
    assert_eq!(x.purchase(order).unwrap().state, BuyerState::Committed);
    assert_eq!(y.sale(order).unwrap().state, SellerState::Confirmed);

    let after = terms.end();
    let delivered = Energy::from_millijoules(8_100_000_000);
    let met_y = step(&mut y, after, &metered("chain-y", "mg-y", START, delivered));
    let met_x = step(
        &mut x,
        after,
        &metered("chain-x", "mg-x", START, -terms.quantity),
    );
    carry(&mut z, after, &met_x);
    let set = carry(&mut z, after, &met_y);
    carry(&mut x, after, &set);
    carry(&mut y, after, &set);
    assert_eq!(z.settling(order).unwrap().state, VppState::Settled);
    assert_eq!(x.purchase(order).unwrap().settled, Some(delivered));
    assert_eq!(y.sale(order).unwrap().settled, Some(delivered));

    // 2.25 kWh at 0.25 and 0.20; 0.25 kWh short at 0.04; fee 0.001.
    let on = |ledger: &State, who: &str| {
        ledger
            .balance(&Account::Clearing(member(who)))
            .as_millionths()
    };
    assert_eq!(on(&x, "mg-x"), 100_000_000 - 1_000 - 562_500);
    assert_eq!(on(&x, "mg-y"), 450_000);
    assert_eq!(on(&x, "aggregator"), 112_500);
    assert_eq!(on(&y, "mg-y"), 100_000_000 - 10_000);
    assert_eq!(on(&y, "mg-x"), 10_000);
    assert_eq!(x.balance(&Account::Escrow(order)), Money::ZERO);
    assert_eq!(y.balance(&Account::Bond(order)), Money::ZERO);
    for ledger in [x, y, z] {
        let records = ledger.records();
        let back = State::from_records(records.iter().map(|(k, v)| (&k[..], &v[..]))).unwrap();
        assert_eq!(back.digest(), ledger.digest());
    }
}
