//! Nothing that a member, an operator or a relayer submits takes a ledger's books out of balance.

use tieline_contract::guard::Guard;
use tieline_contract::transaction::Transaction;
use tieline_sim::acts;
use tieline_sim::village::{accept, chain, genesis, member, request};
use tieline_units::{Currency, Money, Power};

use crate::walk::Walk;

/// Escrow and bond would each be covered, but not both: the ledger would stop.
#[test]
fn nobody_sells_to_itself() {
    let mut walk = Walk::new();
    let mut terms = acts::local_terms(&walk.village);
    terms.seller = member("mg-x");
    terms.escrow = Money::from_millionths(40_000_000);
    terms.bond = Money::from_millionths(80_000_000);
    terms.rendering_hash = terms.rendering_digest();
    let local = acts::local(&request(terms, 1));
    assert_eq!(walk.refused("chain-x", &local), Guard::WellFormed);
}

/// What was promised before stays promised, and is released without a complaint.
#[test]
fn a_seller_whose_plant_shrinks_is_released_from_what_it_promised() {
    let mut walk = Walk::new();
    let mut orders = Vec::new();
    for _ in 0..2 {
        let request = walk.request(walk.village.terms(), 0);
        let req = walk.act("chain-x", &Transaction::Request(request.clone()));
        walk.tell("chain-y", &req);
        walk.act("chain-y", &accept(&request.terms, request.order()));
        orders.push(request);
    }
    let mut smaller = walk.on("chain-z").member(&member("mg-y")).unwrap().clone();
    smaller.nameplate = Power::from_milliwatts(1_000_000);
    walk.act("chain-z", &acts::register(&smaller));
    let reg = walk.act("chain-z", &acts::approve(&smaller));
    walk.tell("chain-y", &reg);
    walk.now = orders[0].terms.gate_closure;
    for request in orders {
        walk.act("chain-y", &Transaction::Void(request.order()));
    }
}

/// No certificate of Z is consumed on Z: what was locked there would stay locked.
#[test]
fn nobody_trades_on_the_vpps_ledger() {
    let mut walk = Walk::new();
    let mut terms = walk.village.terms();
    terms.buyer = member("vpp");
    (terms.chain_x, terms.genesis_x) = (chain("chain-z"), genesis("chain-z"));
    terms.rendering_hash = terms.rendering_digest();
    let across = Transaction::Request(request(terms.clone(), 1));
    assert_eq!(walk.refused("chain-z", &across), Guard::Ledger);
    terms.seller = member("aggregator");
    (terms.chain_y, terms.genesis_y) = (chain("chain-z"), genesis("chain-z"));
    terms.rendering_hash = terms.rendering_digest();
    let within = acts::local(&request(terms, 1));
    assert_eq!(walk.refused("chain-z", &within), Guard::Ledger);
}

/// Nothing is added up that is not of one currency.
#[test]
fn terms_in_another_currency_are_refused() {
    let mut walk = Walk::new();
    let mut terms = walk.village.terms();
    terms.currency = Currency::parse("CHF").unwrap();
    terms.rendering_hash = terms.rendering_digest();
    let request = Transaction::Request(request(terms, 1));
    assert_eq!(walk.refused("chain-x", &request), Guard::WellFormed);
}
