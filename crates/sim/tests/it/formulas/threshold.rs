//! Formulas (12) to (16) by themselves, and (13) where a chain is registered.

use tieline_contract::guard::Guard;
use tieline_contract::payload::Kind;
use tieline_contract::threshold::{
    Committee, SEATS_MAX, Seat, ThresholdError, disjoint, joint_threshold, private_check,
    public_check, total,
};
use tieline_contract::transaction::Transaction;
use tieline_sim::village::{chain, member, seat_key};

use crate::acts::register_chain;
use crate::town::{Phase, Town, attested, money, terms};

fn of(name: &str, faults: u8, size: usize, threshold: usize) -> Committee {
    let seat = |index| Seat {
        key: seat_key(name, 0, index),
        owner: member("vpp"),
    };
    let mut committee = crate::acts::nodes(name, 0);
    committee.faults = faults;
    committee.threshold = threshold as u8;
    committee.seats = (0..size).map(seat).collect();
    committee
}

#[test]
fn formula_12_two_subsets_share_no_member() {
    let (one, mut other) = (of("chain-w", 1, 4, 2), of("chain-v", 1, 4, 2));
    assert_eq!(disjoint(&one, &other), Ok(()));
    for (own, theirs) in [(0, 3), (3, 0), (2, 2)] {
        let mut shared = other.clone();
        shared.seats[theirs] = one.seats[own].clone();
        let error = ThresholdError::Overlap {
            one: chain("chain-w"),
            other: chain("chain-v"),
            key: one.seats[own].key.id(),
        };
        assert_eq!(disjoint(&one, &shared), Err(error));
    }
    // Nobody shares anything with nobody; (13) refuses that by itself.
    other.seats.clear();
    assert_eq!(disjoint(&one, &other), Ok(()));
}

#[test]
fn formula_13_a_subset_has_two_f_plus_two_members_at_least_and_sixty_four_at_most() {
    for faults in [0, 1, 2, 10, 20] {
        let least = 2 * usize::from(faults) + 2;
        let size = |size| of("chain-w", faults, size, usize::from(faults) + 1).validate();
        let refused = |size| {
            let chain = chain("chain-w");
            Err(ThresholdError::Size { chain, size, least })
        };
        assert_eq!(size(least - 1), refused(least - 1));
        assert_eq!(size(0), refused(0), "|V_k| = 0 would make (15) vacuous");
        assert_eq!((size(least), size(least + 1)), (Ok(()), Ok(())));
        assert_eq!(
            (size(SEATS_MAX), size(SEATS_MAX + 1)),
            (Ok(()), refused(65))
        );
    }
    for faults in [32, 127, 255] {
        assert!(
            of("chain-w", faults, 64, usize::from(faults) + 1)
                .validate()
                .is_err()
        );
    }
}

#[test]
fn a_threshold_is_above_f_and_within_reach_of_the_honest() {
    for (faults, size) in [(0, 2), (1, 4), (1, 7), (3, 10), (3, 8)] {
        let (least, most) = (usize::from(faults) + 1, size - usize::from(faults));
        let with = |threshold| of("chain-w", faults, size, threshold).validate();
        let refused = |threshold| {
            let chain = chain("chain-w");
            Err(ThresholdError::Threshold {
                chain,
                threshold,
                least,
                most,
            })
        };
        for threshold in [0, least - 1, most + 1, size + 1] {
            assert_eq!(with(threshold), refused(threshold));
        }
        assert_eq!((with(least), with(most)), (Ok(()), Ok(())));
    }
}

#[test]
fn a_key_stands_once_and_is_of_the_chains_suite() {
    let mut twice = of("chain-w", 1, 4, 2);
    twice.seats[3] = twice.seats[0].clone();
    let error = ThresholdError::Key {
        chain: chain("chain-w"),
        key: twice.seats[0].key.id(),
    };
    assert_eq!(twice.validate(), Err(error));
    let mut other = of("chain-w", 1, 4, 2);
    other.suite = tieline_seal::hybrid::Suite::Ed25519MlDsa65;
    assert!(matches!(other.validate(), Err(ThresholdError::Key { .. })));
}

#[test]
fn formula_13_is_asked_when_a_chain_is_registered() {
    let cases = [
        (of("chain-w", 1, 3, 2), Some(Guard::Committee)),
        (of("chain-w", 1, 4, 2), None),
        (of("chain-w", 1, 0, 2), Some(Guard::Committee)),
        (of("chain-w", 1, 64, 2), None),
        (of("chain-w", 1, 65, 2), Some(Guard::Committee)),
        (of("chain-w", 1, 4, 0), Some(Guard::Committee)),
        (of("chain-w", 1, 4, 1), Some(Guard::Committee)),
        (of("chain-w", 1, 4, 3), None),
        (of("chain-w", 1, 4, 4), Some(Guard::Committee)),
    ];
    for (committee, expected) in cases {
        let mut town = Town::new();
        town.fund("vpp", money(64_000_000));
        let outcome = town.try_act("chain-z", &register_chain(committee));
        assert_eq!(outcome.err().map(|refusal| refusal.guard), expected);
    }
}

#[test]
fn formula_14_the_subsets_add_up() {
    let (one, other, third) = (of("a-1", 1, 4, 2), of("b-1", 2, 7, 3), of("c-1", 0, 2, 1));
    assert_eq!(total(&[]), 0);
    assert_eq!(total(&[&one]), 4);
    assert_eq!(total(&[&one, &other, &third]), 13);
}

#[test]
fn formula_15_counts_from_the_threshold_to_the_size() {
    let committee = of("chain-w", 1, 4, 2);
    for (found, holds) in [
        (0, false),
        (1, false),
        (2, true),
        (3, true),
        (4, true),
        (5, false),
    ] {
        let error = ThresholdError::Count {
            chain: chain("chain-w"),
            found,
            least: 2,
            most: 4,
        };
        let expected = if holds { Ok(()) } else { Err(error) };
        assert_eq!(public_check(&committee, Kind::Request, found), expected);
    }
}

#[test]
fn what_decides_over_money_takes_all_that_the_honest_can_give() {
    let (small, large) = (of("chain-w", 1, 4, 2), of("chain-w", 2, 9, 3));
    for kind in [Kind::Commit, Kind::Void, Kind::Settle, Kind::Rotate] {
        assert_eq!((small.needed(kind), large.needed(kind)), (3, 7), "{kind:?}");
        assert!(public_check(&small, kind, 2).is_err());
        assert_eq!(public_check(&small, kind, 3), Ok(()));
    }
    for kind in [Kind::Accept, Kind::Reject, Kind::Refund, Kind::Taken] {
        assert_eq!((small.needed(kind), large.needed(kind)), (2, 3), "{kind:?}");
    }
}

#[test]
fn formula_15_on_the_ledger_counts_the_signatures_of_a_certificate() {
    let mut town = Town::new();
    town.deal(terms(|_| ()), 7, Phase::Locked);
    let seats: [&[u8]; 6] = [
        &[],
        &[3],
        &[0, 3],
        &[0, 1, 2, 3],
        &[0, 1, 2, 3, 4],
        &[1, 200],
    ];
    for (seats, taken) in seats
        .into_iter()
        .zip([false, false, true, true, false, false])
    {
        let mut town = town.clone();
        let req = attested(town.on("chain-x"), 0, seats).remove(0);
        let told = town.try_act("chain-y", &Transaction::Certificate(req));
        let refused = told.err().map(|refusal| refusal.guard);
        assert_eq!(refused, (!taken).then_some(Guard::Certified), "{seats:?}");
    }
}

#[test]
fn formula_16_asks_for_every_chains_threshold_and_for_one_more_in_all() {
    let (x, y) = (of("chain-x", 1, 4, 2), of("chain-y", 2, 7, 3));
    let t = joint_threshold(&[&x, &y]);
    assert_eq!(t, 6);
    let check =
        |at_x, at_y| private_check(&[(&x, Kind::Taken, at_x), (&y, Kind::Delivered, at_y)], t);
    let joint = |found| Err(ThresholdError::Joint { found, least: t });
    assert_eq!(check(2, 3), joint(5));
    assert_eq!(
        (check(3, 3), check(2, 4), check(4, 7)),
        (Ok(()), Ok(()), Ok(()))
    );
    // The sum is met, one chain's own threshold is not.
    for (at_x, at_y) in [(1, 7), (1, 5), (4, 2), (0, 7), (5, 3), (2, 8)] {
        let refused = check(at_x, at_y);
        assert!(
            matches!(refused, Err(ThresholdError::Count { .. })),
            "{at_x} {at_y}"
        );
    }
}

#[test]
fn the_joint_threshold_stays_within_reach_of_the_honest() {
    // n_d - f_d = t_d on both: one more could never be had, and (16) says what (15) does.
    let (x, y) = (of("chain-x", 1, 4, 3), of("chain-y", 1, 4, 3));
    assert_eq!(joint_threshold(&[&x, &y]), 6);
    let y = of("chain-y", 1, 5, 3);
    assert_eq!(joint_threshold(&[&x, &y]), 7);
}
