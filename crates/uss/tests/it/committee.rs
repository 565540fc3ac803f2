//! Sizes of committees against the definitions: tests that honest receivers pass, thresholds, votes.

use tieline_uss::committee::{
    Committee, CommitteeError, Level, RECEIVERS_MAX, TRANSFERS_MAX, receivers_needed,
    receivers_needed_each, tolerated_by, tolerated_by_two,
};

/// Whether an honest receiver accepts an honest signature at every level when `dishonest` blocks fail all tests, by the
/// definition Σ > nδ_l = n/2 + (l + 1)t, doubled to stay in whole numbers; and whether honest votes are a majority.
fn lives(receivers: u32, dishonest: u32, transfers: u8) -> bool {
    let passed = receivers - dishonest.min(receivers);
    let levels = (0..=u32::from(transfers) + 1).rev();
    let accepted =
        |level_above_dispute| 2 * passed > receivers + 2 * level_above_dispute * dishonest;
    levels.into_iter().all(accepted)
}

#[test]
fn tolerated_dishonest_receivers_are_the_most_with_which_an_honest_signature_is_accepted_at_every_level()
 {
    for transfers in 0..=4 {
        for receivers in 2..=128 {
            let found = tolerated_by(receivers, transfers);
            let expected = (0..receivers)
                .take_while(|t| lives(receivers, *t, transfers))
                .count() as u32
                - 1;
            assert_eq!(found, expected, "n = {receivers}, l_max = {transfers}");
            let committee = Committee::largest_live(receivers as u8, transfers).unwrap();
            assert_eq!(committee.tolerated(), found);
            assert!(committee.is_live());
            if let Ok(next) = Committee::new(receivers as u8, committee.dishonest() + 1, transfers)
            {
                assert!(!next.is_live(), "n = {receivers}, l_max = {transfers}");
            }
        }
    }
}

#[test]
fn needed_receivers_are_the_fewest_that_live() {
    for transfers in 0..=4 {
        for dishonest in 0..=12 {
            let expected = (2..).find(|n| lives(*n, dishonest, transfers)).unwrap();
            assert_eq!(receivers_needed(dishonest, transfers), expected);
        }
    }
}

#[test]
fn two_committees_need_four_or_six_times_their_dishonest_members_and_one_more() {
    for transfers in 0..=4 {
        for each in 1..=8 {
            let expected = (1..).find(|n| lives(2 * n, 2 * each, transfers)).unwrap();
            assert_eq!(receivers_needed_each(each, transfers), expected);
            assert!(
                !lives(2 * (3 * each + 1), 2 * each, transfers),
                "3f + 1 suffice"
            );
        }
    }
    for each in 1..=8 {
        assert_eq!(receivers_needed_each(each, 0), 4 * each + 1);
        assert_eq!(receivers_needed_each(each, 1), 6 * each + 1);
    }
}

#[test]
fn the_shipped_and_the_recommended_committee_tolerate_one_and_two() {
    assert_eq!(tolerated_by_two(4, 1), 1);
    assert_eq!(tolerated_by_two(7, 1), 2);
    assert_eq!(Committee::largest_live(8, 1).unwrap().dishonest(), 2);
    assert_eq!(Committee::largest_live(14, 1).unwrap().dishonest(), 3);
}

/// Level, complaints and expected number for n = 14, ω = 3, l_max = 1: n/2 + (l + 1) · 2, and one fewer per complaint.
#[test]
fn a_signature_needs_strictly_more_tests_than_its_threshold() {
    let committee = Committee::new(14, 3, 1).unwrap();
    for (level, complaints, expected) in [
        (1, 0, 12),
        (0, 0, 10),
        (-1, 0, 8),
        (1, 1, 11),
        (0, 2, 8),
        (-1, 2, 6),
    ] {
        let level = Level::new(level).unwrap();
        assert_eq!(committee.tests_needed(level, complaints), expected);
        assert_eq!(
            committee.tests_needed_among(level, 14 - 2 * complaints),
            expected
        );
    }
    // Odd n: more than 3.5 is 4.
    let committee = Committee::new(7, 2, 0).unwrap();
    assert_eq!(committee.tests_needed(Level::DISPUTE, 0), 4);
    assert_eq!(committee.tests_needed(committee.first_hand(), 0), 5);
    assert_eq!(committee.complaints_max(), 1);
}

#[test]
fn sizes_out_of_range_are_refused_with_their_numbers() {
    let check = |receivers, dishonest, transfers, expected| {
        assert_eq!(
            Committee::new(receivers, dishonest, transfers),
            Err(expected)
        );
    };
    for receivers in [0, 1, RECEIVERS_MAX + 1] {
        check(receivers, 1, 0, CommitteeError::Receivers { receivers });
    }
    for dishonest in [0, 4, 5] {
        let receivers = 4;
        check(
            receivers,
            dishonest,
            0,
            CommitteeError::Dishonest {
                receivers,
                dishonest,
            },
        );
    }
    let (receivers, dishonest, transfers) = (4, 2, 1);
    check(
        4,
        2,
        1,
        CommitteeError::Levels {
            receivers,
            dishonest,
            transfers,
        },
    );
    let transfers = TRANSFERS_MAX + 1;
    check(4, 1, transfers, CommitteeError::Transfers { transfers });
    assert!(Committee::new(4, 1, TRANSFERS_MAX).is_ok());
}

/// Two of three, three of five: enough tests of their own blocks to win a dispute about a message never signed.
#[test]
fn a_dishonest_majority_is_refused_although_its_levels_fit() {
    for (receivers, dishonest) in [(3, 2), (5, 3), (7, 4)] {
        let expected = CommitteeError::Dispute {
            receivers,
            dishonest,
        };
        assert_eq!(Committee::new(receivers, dishonest, 0), Err(expected));
        let own = u32::from(dishonest);
        assert!(own > u32::from(receivers) / 2);
    }
    // An even tie loses: a test more than half is needed.
    assert!(Committee::new(4, 2, 0).is_ok());
}
