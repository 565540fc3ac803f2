//! Verification nodes change, and what their owners stood for them with goes with them.

use std::sync::Arc;

use tieline_contract::certificate::Certificate;
use tieline_contract::guard::Guard;
use tieline_contract::state::Account;
use tieline_contract::threshold::Committee;
use tieline_contract::transaction::{Contradiction, Evidence, NextEpoch, Transaction};
use tieline_seal::hybrid::Purpose;
use tieline_sim::acts;
use tieline_sim::symbol::sign;
use tieline_sim::village::{member, seat_key};
use tieline_units::Money;

use crate::walk::Walk;

fn staked(walk: &Walk, committee: &Committee) -> Vec<i64> {
    let keys = committee.seats.iter().map(|seat| seat.key.id());
    let stakes = keys.map(|key| walk.on("chain-z").balance(&Account::Stake(key)));
    stakes.map(Money::as_millionths).collect()
}

fn own(walk: &Walk, name: &str, who: &str) -> i64 {
    let account = Account::Clearing(member(who));
    walk.on(name).balance(&account).as_millionths()
}

/// X opens an epoch, Z takes note, X closes the last one, Z lets its stakes go.
fn rotate(walk: &mut Walk, next: &Transaction, closing: u64) {
    let rot = walk.act("chain-x", next);
    walk.tell("chain-x", &rot);
    let known = walk.tell("chain-z", &rot);
    walk.tell("chain-x", &known);
    let closed = walk.act("chain-x", &Transaction::CloseEpoch(closing));
    walk.tell("chain-z", &closed);
}

/// The same certificate, signed with the keys of these members.
fn resigned(certificate: &Certificate, by: &Committee) -> Arc<Certificate> {
    let mut certificate = certificate.clone();
    let statement = certificate.statement().unwrap();
    let (domain, message) = (statement.domain(Purpose::Attestation), statement.message());
    for (&seat, signature) in &mut certificate.attestations {
        *signature = sign(&by.seats[usize::from(seat)].key, &domain, &message);
    }
    Arc::new(certificate)
}

#[test]
fn the_stakes_of_a_microgrids_nodes_come_from_money_on_the_ledger_that_holds_them() {
    let mut walk = Walk::new();
    let next = acts::next_epoch(&walk.village, "chain-x", 1);
    let rot = walk.act("chain-x", &next);
    let refused = walk.refused("chain-z", &Transaction::Certificate(rot[0].clone()));
    assert_eq!(refused, Guard::Funds);
    walk.act(
        "chain-z",
        &acts::stake(4, "mg-x", Money::from_millionths(9_000_000)),
    );
    assert_eq!(own(&walk, "chain-x", "mg-x"), 100_000_000);
    let known = walk.tell("chain-z", &rot);
    walk.tell("chain-x", &known);
    assert_eq!(
        staked(&walk, &walk.village.committee("chain-x", 1)),
        [1_000_000; 4]
    );
    assert_eq!(own(&walk, "chain-z", "mg-x"), 5_000_000);
}

#[test]
fn stakes_go_back_when_their_epoch_is_over() {
    let mut walk = Walk::new();
    walk.act(
        "chain-z",
        &acts::stake(4, "mg-x", Money::from_millionths(9_000_000)),
    );
    for epoch in [1, 2] {
        let next = acts::next_epoch(&walk.village, "chain-x", epoch);
        rotate(&mut walk, &next, epoch - 1);
    }
    assert_eq!(staked(&walk, &walk.village.committee("chain-x", 1)), [0; 4]);
    assert_eq!(
        staked(&walk, &walk.village.committee("chain-x", 2)),
        [1_000_000; 4]
    );
    assert_eq!(own(&walk, "chain-z", "mg-x"), 5_000_000);
}

#[test]
fn a_key_that_serves_on_keeps_its_stake() {
    let mut walk = Walk::new();
    walk.act(
        "chain-z",
        &acts::stake(4, "mg-x", Money::from_millionths(9_000_000)),
    );
    let next = acts::next_epoch(&walk.village, "chain-x", 1);
    rotate(&mut walk, &next, 0);
    let old = walk.village.committee("chain-x", 1);
    let same = Committee {
        epoch: 2,
        ..old.clone()
    };
    let next = NextEpoch {
        candidates: same.seats.clone(),
        approvals: acts::by_seat(&old, &same, Purpose::Transaction),
        committee: Arc::new(same),
    };
    let rot = walk.act("chain-x", &Transaction::Epoch(Arc::new(next)));
    walk.tell("chain-x", &[resigned(&rot[0], &old)]);
    let known = walk.tell("chain-z", &rot);
    walk.tell("chain-x", &known);
    assert_eq!(staked(&walk, &old), [2_000_000; 4]);
    let closed = walk.act("chain-x", &Transaction::CloseEpoch(1));
    walk.tell("chain-z", &[resigned(&closed[0], &old)]);
    assert_eq!(staked(&walk, &old), [1_000_000; 4]);
}

#[test]
fn the_vpps_own_stakes_go_back_too() {
    let mut walk = Walk::new();
    for epoch in [1, 2] {
        let rot = walk.act(
            "chain-z",
            &acts::next_epoch(&walk.village, "chain-z", epoch),
        );
        walk.tell("chain-z", &rot);
        walk.act("chain-z", &Transaction::CloseEpoch(epoch - 1));
    }
    assert_eq!(staked(&walk, &walk.village.committee("chain-z", 1)), [0; 4]);
    assert_eq!(own(&walk, "chain-z", "vpp"), 96_000_000);
}

/// The root alone does not say how many entries there are.
#[test]
fn another_number_of_entries_is_a_contradiction() {
    let mut walk = Walk::new();
    let request = walk.request(walk.village.terms(), 0);
    let one = walk.act("chain-x", &Transaction::Request(request))[0].clone();
    let mut statement = one.statement().unwrap();
    statement.outbox_entries = 2;
    let (domain, message) = (statement.domain(Purpose::Finality), statement.message());
    let signatures = (0..4).map(|seat| {
        (
            seat,
            sign(
                &seat_key("chain-x", 0, usize::from(seat)),
                &domain,
                &message,
            ),
        )
    });
    let other = Contradiction::Final {
        signatures: signatures.collect(),
        statement,
    };
    walk.act(
        "chain-z",
        &Transaction::Evidence(Arc::new(Evidence { one, other })),
    );
    assert!(
        walk.on("chain-z")
            .is_frozen(&walk.on("chain-x").rules().chain, 0)
    );
}
