//! Who is selected as a verification node, and what participation and contradiction do to that.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tieline_contract::credibility::{ALL_MAX, MAX, START, select, updated};
use tieline_contract::payload::Payload;
use tieline_contract::terms::OrderId;
use tieline_contract::threshold::{Committee, Seat};
use tieline_contract::transaction::Transaction;
use tieline_seal::hybrid::KeyId;
use tieline_sim::village::{member, seat_key};
use tieline_units::Digest;

use crate::acts::{evidence, forge, nodes};
use crate::town::{Phase, Town, attested, terms};

fn candidates(owners: &[usize]) -> Vec<Seat> {
    let mut seats = Vec::new();
    for (owner, &count) in owners.iter().enumerate() {
        for _ in 0..count {
            seats.push(Seat {
                key: seat_key("chain-x", 9, seats.len()),
                owner: member(&format!("owner-{owner}")),
            });
        }
    }
    seats
}

/// A committee of so many seats; `select` reads names, epoch, faults and size.
fn committee(faults: u8, size: usize, epoch: u64) -> Committee {
    let mut committee = nodes("chain-x", epoch);
    committee.faults = faults;
    committee.seats = candidates(&[size]);
    committee
}

proptest! {
    #[test]
    fn a_score_stays_in_its_bounds_and_only_a_contradiction_makes_it_zero(
        start in 1..=MAX,
        certificates in prop::collection::vec(any::<(bool, bool)>(), 0..200),
    ) {
        let mut score = start;
        for (signed, late) in certificates {
            let before = score;
            score = updated(score, signed, late);
            prop_assert!((1..=MAX).contains(&score));
            prop_assert!(!signed || late || score >= before);
            prop_assert!(signed || score <= before);
        }
    }

    #[test]
    fn whoever_stands_at_zero_is_never_selected_and_owners_stay_within_their_share(
        owners in prop::collection::vec(1..6_usize, 1..12),
        zeros in prop::collection::btree_set(0..60_usize, 0..6),
        faults in 1..4_u8,
        epoch in 0..1_000_u64,
    ) {
        let seats = candidates(&owners);
        let size = 2 * usize::from(faults) + 2;
        let zero: Vec<KeyId> = zeros.iter().filter_map(|&i| Some(seats.get(i)?.key.id())).collect();
        let score = |key| if zero.contains(&key) { 0 } else { START };
        let committee = committee(faults, size, epoch);
        let chosen = select(&committee, &seats, score);
        prop_assert_eq!(&chosen, &select(&committee, &seats, score));
        prop_assert!(chosen.iter().all(|seat| !zero.contains(&seat.key.id())));
        let places = chosen.iter().map(|seat| seats.iter().position(|s| s == seat).unwrap());
        prop_assert!(places.is_sorted_by(|a, b| a < b), "each once, in the candidates' order");
        if seats.len() > ALL_MAX {
            prop_assert!(chosen.len() <= size);
            let cap = usize::from(faults);
            let fill: usize = owners.iter().map(|&own| own.min(cap)).sum();
            let mut owned: BTreeMap<_, usize> = BTreeMap::new();
            chosen.iter().for_each(|seat| *owned.entry(&seat.owner).or_default() += 1);
            prop_assert!(fill < size || owned.values().all(|&seats| seats <= cap));
        } else {
            prop_assert_eq!(chosen.len(), seats.len() - zero.len());
        }
    }
}

#[test]
fn a_score_of_zero_stays_zero_however_much_is_signed_afterwards() {
    let score = (0..100).fold(0, |score, _| updated(score, true, false));
    assert_eq!(score, 0);
}

#[test]
fn the_moving_average_comes_to_rest_at_its_ends() {
    let always = (0..100).fold(START, |score, _| updated(score, true, false));
    let late = (0..100).fold(START, |score, _| updated(score, true, true));
    let never = (0..100).fold(START, |score, _| updated(score, false, false));
    assert_eq!((always, late, never), (993, 496, 1));
}

#[test]
fn better_scores_are_drawn_more_often() {
    let seats = candidates(&[1; 20]);
    let good: Vec<KeyId> = seats[..10].iter().map(|seat| seat.key.id()).collect();
    let score = |key| if good.contains(&key) { MAX } else { MAX / 10 };
    let drawn = (0..200).map(|epoch| {
        let chosen = select(&committee(1, 4, epoch), &seats, score);
        let better = chosen.iter().filter(|seat| good.contains(&seat.key.id()));
        (better.count(), chosen.len())
    });
    let (better, all) = drawn.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    assert_eq!(all, 800);
    // Nine of ten parts of the weight at first, a little less as they are taken out.
    assert!((640..=760).contains(&better), "{better}");
}

#[test]
fn a_certificate_that_comes_home_counts_once_and_a_contradiction_ends_a_standing_for_good() {
    let mut town = Town::new();
    town.deal(terms(|_| ()), 7, Phase::Locked);
    let score = |town: &Town, name: &str, seat| {
        let key = seat_key(name, 0, seat).id();
        town.on(name).credibility(key)
    };
    let home = Transaction::Certificate(attested(town.on("chain-x"), 0, &[0, 1, 2]).remove(0));
    town.act("chain-x", &home);
    let scores = [0, 1, 2, 3].map(|seat| score(&town, "chain-x", seat));
    assert_eq!(scores, [562, 562, 562, 437]);
    town.refused("chain-x", &home);

    // Z keeps the standing of its own: its seats 0 and 1 say two things of one order.
    let order = OrderId(Digest::of(b"some order"));
    let one = forge("chain-z", (0, 5), Payload::Refund(order), &[0, 1]);
    let other = forge("chain-z", (0, 5), Payload::Void(order), &[0, 1, 2]);
    let frozen = town.act("chain-z", &evidence(&one, &other));
    assert_eq!(
        [0, 1, 2].map(|seat| score(&town, "chain-z", seat)),
        [0, 0, START]
    );
    assert_eq!(frozen.len(), 1);
    let home = Transaction::Certificate(attested(town.on("chain-z"), 0, &[0, 1, 2]).remove(0));
    town.act("chain-z", &home);
    assert_eq!(
        [0, 1, 2].map(|seat| score(&town, "chain-z", seat)),
        [0, 0, 562]
    );
}
