//! Attack 30: committees that overlap, signers of mixed epochs, thresholds that only some chains meet.

use std::sync::Arc;

use tieline_contract::certificate::{Certificate, CertificateError};
use tieline_contract::guard::{Fact, Guard};
use tieline_contract::payload::{Kind, Payload, Registration, Rotation};
use tieline_contract::threshold::{Committee, ThresholdError};
use tieline_contract::trade::VppState;
use tieline_contract::transaction::Transaction;
use tieline_sim::village::{chain, seat_key};

use crate::acts::{forged, next_epoch, nodes, register_chain};
use crate::town::{Deal, Phase, Town, attested, money, terms};

/// One seat is another chain's.
fn overlapping(name: &str, epoch: u64, with: &str) -> Committee {
    let mut committee = nodes(name, epoch);
    committee.seats[2].key = seat_key(with, 0, 1);
    committee
}

fn overlap(one: &str, other: &str) -> (Guard, Fact) {
    let error = ThresholdError::Overlap {
        one: chain(one),
        other: chain(other),
        key: seat_key(other, 0, 1).id(),
    };
    (Guard::Committee, Fact::Threshold(Box::new(error)))
}

#[test]
fn attack_30_committees_that_share_a_member_are_refused_on_every_way_in() {
    let mut town = Town::new();
    town.fund("vpp", money(10_000_000));
    let shared = overlapping("chain-w", 0, "chain-y");
    let register = register_chain(shared.clone());
    assert_eq!(
        town.refused("chain-z", &register),
        overlap("chain-w", "chain-y")
    );
    let registration = Registration::Chain(Arc::new(shared));
    let import = forged(
        "chain-z",
        Payload::Register {
            sequence: 0,
            registration,
        },
    );
    assert_eq!(
        town.refused("chain-x", &import),
        overlap("chain-w", "chain-y")
    );

    let next = next_epoch(overlapping("chain-x", 1, "chain-y"), &[0, 1, 2]);
    assert_eq!(
        town.refused("chain-x", &next),
        overlap("chain-x", "chain-y")
    );
    let rotation = Rotation::Opened(Arc::new(overlapping("chain-x", 1, "chain-y")));
    let rotate = forged(
        "chain-x",
        Payload::Rotate {
            sequence: 0,
            rotation,
        },
    );
    assert_eq!(
        town.refused("chain-z", &rotate),
        overlap("chain-x", "chain-y")
    );
}

#[test]
fn attack_30_a_certificate_with_signers_of_two_epochs_is_refused_with_the_seat() {
    let mut town = Town::new();
    town.fund("vpp", money(10_000_000));
    town.deal(terms(|_| ()), 7, Phase::Locked);
    let height = town.on("chain-x").block().height;
    let opened = town.act("chain-x", &next_epoch(nodes("chain-x", 1), &[0, 1, 2]));
    town.tell("chain-y", &opened);
    let of = |epoch| {
        let said =
            tieline_sim::village::certificates(town.on("chain-x"), height, epoch, &[0, 1, 2]);
        said[0].clone()
    };
    let (old, new) = (of(0), of(1));
    for (base, other, seat) in [(&old, &new, 2), (&new, &old, 0)] {
        let mut mixed = Certificate::clone(base);
        mixed
            .attestations
            .insert(seat, other.attestations[&seat].clone());
        let refused = town
            .clone()
            .refused("chain-y", &Transaction::Certificate(Arc::new(mixed)));
        let error = CertificateError::Signature { seat };
        assert_eq!(
            refused,
            (Guard::Certified, Fact::Certificate(Box::new(error)))
        );
    }
    // Each by itself is good: the new epoch attests again what the old one did.
    for one in [old, new] {
        town.clone().act("chain-y", &Transaction::Certificate(one));
    }
}

/// A delivered order whose readings come with so many signatures of X and of Y.
fn joint(x: &[u8], y: &[u8]) -> (Town, Deal, [Result<(), Guard>; 2]) {
    let mut town = Town::new();
    let deal = town.deal(terms(|_| ()), 7, Phase::Metered);
    let mut tell = |kind: Kind, name: &str, seats: &[u8]| {
        let height = deal.said[&kind].height;
        let said = tieline_sim::village::certificates(town.on(name), height, 0, seats);
        let told = town.try_act("chain-z", &Transaction::Certificate(said[0].clone()));
        told.map(drop).map_err(|refusal| refusal.guard)
    };
    let told = [
        tell(Kind::Taken, "chain-x", x),
        tell(Kind::Delivered, "chain-y", y),
    ];
    (town, deal, told)
}

#[test]
fn attack_30_the_sum_of_signatures_does_not_make_up_for_a_chain_below_its_own_threshold() {
    // Σ = 5 = t, and t_y = 2 is not met.
    let (mut town, deal, told) = joint(&[0, 1, 2, 3], &[2]);
    assert_eq!(told, [Ok(()), Err(Guard::Certified)]);
    assert_eq!(
        town.on("chain-z").settling(deal.order).unwrap().state,
        VppState::Open
    );
    town.act("chain-z", &deal.tell(Kind::Delivered));
    assert_eq!(
        town.on("chain-z").settling(deal.order).unwrap().state,
        VppState::Settled
    );
}

#[test]
fn attack_30_each_threshold_met_and_the_sum_not_leaves_the_settlement_open_until_more_sign() {
    let (mut town, deal, told) = joint(&[0, 1], &[1, 2]);
    assert_eq!(told, [Ok(()), Ok(())]);
    assert_eq!(
        town.on("chain-z").settling(deal.order).unwrap().state,
        VppState::Open
    );
    // The same again adds nothing; one signature more does.
    let height = deal.said[&Kind::Taken].height;
    let again = tieline_sim::village::certificates(town.on("chain-x"), height, 0, &[2, 3]);
    let again = Transaction::Certificate(again[0].clone());
    assert_eq!(town.guard("chain-z", &again), Guard::Once);
    town.act("chain-z", &deal.tell(Kind::Taken));
    assert_eq!(
        town.on("chain-z").settling(deal.order).unwrap().state,
        VppState::Settled
    );
}

#[test]
fn attack_30_a_threshold_met_on_one_chain_only_settles_nothing() {
    for (x, y) in [(&[0, 1, 2, 3][..], &[][..]), (&[][..], &[0, 1, 2, 3][..])] {
        let (town, deal, told) = joint(x, y);
        assert_eq!(told.iter().filter(|told| told.is_err()).count(), 1);
        let settling = town.on("chain-z").settling(deal.order).unwrap();
        assert_eq!(
            (settling.state, settling.settlement),
            (VppState::Open, None)
        );
    }
}

#[test]
fn attack_30_more_signatures_than_seats_and_seats_that_do_not_exist_are_refused() {
    let mut town = Town::new();
    town.deal(terms(|_| ()), 7, Phase::Locked);
    let error = |fact| match fact {
        (Guard::Certified, Fact::Certificate(error)) => *error,
        other => unreachable!("{other:?}"),
    };
    let five = attested(town.on("chain-x"), 0, &[0, 1, 2, 3, 4]).remove(0);
    let found = error(town.refused("chain-y", &Transaction::Certificate(five)));
    let count = ThresholdError::Count {
        chain: chain("chain-x"),
        found: 5,
        least: 2,
        most: 4,
    };
    assert_eq!(found, CertificateError::Threshold(count));
    let beyond = attested(town.on("chain-x"), 0, &[0, 4]).remove(0);
    let found = error(town.refused("chain-y", &Transaction::Certificate(beyond)));
    assert_eq!(found, CertificateError::Seat { seat: 4, seats: 4 });
}
