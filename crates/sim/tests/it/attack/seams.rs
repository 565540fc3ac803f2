//! Between ledgers: rules that differ, words that come too late, approvals that somebody overwrites.

use tieline_contract::guard::Guard;
use tieline_contract::payload::Payload;
use tieline_contract::state::Block;
use tieline_contract::terms::Terms;
use tieline_contract::trade::BuyerState;
use tieline_contract::transaction::Transaction;
use tieline_sim::symbol::{Symbolic, key};
use tieline_sim::village::{START, Village, deposit, request};
use tieline_sim::world::attest;

use crate::acts::{application, approve};
use crate::town::{Phase, Town, money, terms};

/// X may have been founded with other intervals: what Y could never meter, it does not take.
#[test]
fn a_request_off_the_grid_of_its_own_intervals_is_none_for_y_whatever_x_attests() {
    let mut town = Town::new();
    let shifted = terms(|terms: &mut Terms| {
        terms.start = terms.start.plus_millis(300_000);
        terms.metering_deadline = terms.metering_deadline.plus_millis(300_000);
    });
    let payload = Payload::Request(request(shifted, 7));
    let all = attest("chain-x", (0, 1), payload, &[0, 1, 2, 3]);
    let offered = Transaction::Certificate(all);
    assert_eq!(town.guard("chain-y", &offered), Guard::Schedule);
}

/// REJ takes fewer signatures than VOID, so it must not do what VOID does.
#[test]
fn a_rejection_takes_nothing_back_from_a_buyer_that_has_consumed_the_acceptance() {
    let mut town = Town::new();
    let deal = town.deal(terms(|_| ()), 7, Phase::Committed);
    for seats in [&[0, 1][..], &[0, 1, 2, 3]] {
        let no = attest("chain-y", (0, 9), Payload::Reject(deal.order), seats);
        let no = Transaction::Certificate(no);
        assert_eq!(town.guard("chain-x", &no), Guard::State);
    }
    assert_eq!(town.bought(&deal), Some(BuyerState::Committed));
}

#[test]
fn a_strangers_application_under_a_name_does_not_displace_the_true_one() {
    let mut town = Town::new();
    let mut newcomer = town.record("mg-x");
    newcomer.key = key("mg-x, second key");
    let mut stranger = newcomer.clone();
    stranger.key = key("stranger");
    stranger.legal_name = String::new();
    town.act("chain-z", &application(newcomer.clone(), &newcomer.key));
    town.act("chain-z", &application(stranger.clone(), &stranger.key));
    town.act("chain-z", &approve(&newcomer));
    assert_eq!(town.record("mg-x").key, newcomer.key);
    // What was not approved is gone with it.
    assert_eq!(town.guard("chain-z", &approve(&stranger)), Guard::SameTerms);
}

#[test]
fn what_one_ledger_has_checked_another_one_of_the_same_age_does_not_carry_out() {
    let village = Village::default();
    let [z, y] = ["chain-z", "chain-y"].map(|name| village.ledger(name));
    let block = Block {
        height: 1,
        time: START,
    };
    let money = deposit(0, "mg-x", money(1_000_000));
    let checked = z.check(&money, block, &Symbolic).unwrap();
    let carried_out = std::panic::catch_unwind(|| y.clone().apply(checked));
    assert!(carried_out.is_err(), "{carried_out:?}");
}
