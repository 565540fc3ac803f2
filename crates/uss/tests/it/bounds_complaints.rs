//! The complaint rule, by enumeration: who can be taken out, and what the thresholds of those left are worth.
//!
//! n receivers, t = ω - 1 dishonest ones beside a dishonest signer. A complaint that takes effect names two receivers that
//! are in and takes both out; at ω of them the epoch is frozen. `docs/signature-bounds.md` section 9 proves what is enumerated.

use tieline_uss::committee::{Committee, Level};

/// How many pairs of each kind went out.
#[derive(Clone, Copy, Debug)]
struct Removed {
    dishonest: u32,
    mixed: u32,
    honest: u32,
}

/// Who is left.
#[derive(Clone, Copy, Debug)]
struct Left {
    complaints: u32,
    present: u32,
    dishonest: u32,
}

impl Left {
    fn honest(self) -> u32 {
        self.present - self.dishonest
    }
}

/// Those left of `receivers` with `dishonest` ones, or `None` when there are not that many to take out.
fn left(receivers: u32, dishonest: u32, removed: Removed) -> Option<Left> {
    let complaints = removed.dishonest + removed.mixed + removed.honest;
    let dishonest_out = 2 * removed.dishonest + removed.mixed;
    let honest_out = 2 * removed.honest + removed.mixed;
    Some(Left {
        complaints,
        present: receivers.checked_sub(2 * complaints)?,
        dishonest: dishonest.checked_sub(dishonest_out)?,
    })
    .filter(|_| honest_out <= receivers - dishonest)
}

/// Every way to take out pairs of `receivers` of which `dishonest` are dishonest, up to `complaints` complaints.
fn all_left(receivers: u32, dishonest: u32, complaints: u32, honest_pairs: bool) -> Vec<Left> {
    let mut all = Vec::new();
    for first in 0..=complaints {
        for mixed in 0..=complaints - first {
            let most = if honest_pairs {
                complaints - first - mixed
            } else {
                0
            };
            for honest in 0..=most {
                let removed = Removed {
                    dishonest: first,
                    mixed,
                    honest,
                };
                all.extend(left(receivers, dishonest, removed));
            }
        }
    }
    all
}

/// Every committee of up to 16 receivers and two transfers.
fn committees() -> Vec<Committee> {
    let mut all = Vec::new();
    for receivers in 2..=16 {
        for dishonest in 1..receivers {
            for transfers in 0..=2 {
                all.extend(Committee::new(receivers, dishonest, transfers));
            }
        }
    }
    all
}

/// With an honest signer no complaint names two honest receivers: honest tests pass and honest sets arrive.
#[test]
fn an_honest_signers_messages_stay_acceptable_after_every_complaint_exactly_in_live_committees() {
    for committee in committees() {
        let receivers = u32::from(committee.receivers());
        let mut accepted = true;
        for dishonest in 0..=committee.tolerated() {
            for left in all_left(receivers, dishonest, dishonest, false) {
                assert!(left.complaints <= committee.complaints_max());
                for level in committee.levels() {
                    accepted &= left.honest() >= committee.tests_needed(level, left.complaints);
                }
            }
        }
        assert_eq!(accepted, committee.is_live(), "{committee:?}");
    }
}

/// A dishonest signer makes any two receivers complain, honest ones too; t receivers collude; before the freeze e ≤ t.
#[test]
fn before_the_freeze_levels_and_disputes_hold_among_those_left_in_live_committees() {
    for committee in committees()
        .into_iter()
        .filter(|committee| committee.is_live())
    {
        let receivers = u32::from(committee.receivers());
        let tolerated = committee.tolerated();
        for dishonest in 0..=tolerated {
            for left in all_left(receivers, dishonest, tolerated, true) {
                let what = format!("{committee:?} {left:?}");
                assert!(
                    2 * left.honest() > left.present,
                    "honest votes are a majority: {what}"
                );
                assert!(
                    2 * left.dishonest < left.present,
                    "dishonest rejects are none: {what}"
                );
                let first_hand = committee.tests_needed(committee.first_hand(), left.complaints);
                assert!(
                    first_hand <= left.present,
                    "all tests suffice at l_max: {what}"
                );
                more_tests_differ_than_dishonest_ones(committee, left);
            }
        }
    }
}

/// Acceptance at l with p tests and rejection at l - 1 with q leaves p - q > t: one differing block is an honest one's.
fn more_tests_differ_than_dishonest_ones(committee: Committee, left: Left) {
    let levels: Vec<Level> = committee.levels().collect();
    for pair in levels.windows(2) {
        let accepts = committee.tests_needed(pair[0], left.complaints);
        let below = committee.tests_needed(pair[1], left.complaints);
        for passed in accepts..=left.present {
            for passed_below in 0..below {
                let differ = passed - passed_below;
                assert!(
                    differ > committee.tolerated() && differ > left.dishonest,
                    "{committee:?} {left:?}"
                );
            }
        }
    }
}

/// The budget ω = t + 1 is tight: one complaint more of an honest signer's epoch cannot be, and at l_max = 0 a dispute
/// after it would go to the dishonest.
#[test]
fn one_complaint_above_the_budget_can_leave_a_dishonest_majority() {
    for tolerated in 1..=3_u32 {
        let receivers = 4 * tolerated + 1;
        let committee = Committee::new(receivers as u8, tolerated as u8 + 1, 0).unwrap();
        assert!(committee.is_live());
        let removed = |honest| Removed {
            dishonest: 0,
            mixed: 0,
            honest,
        };
        let at_budget = left(receivers, tolerated, removed(tolerated)).unwrap();
        assert!(2 * at_budget.honest() > at_budget.present);
        let above = left(receivers, tolerated, removed(tolerated + 1)).unwrap();
        assert!(2 * above.dishonest > above.present);
    }
}

/// ω dishonest receivers, honest signer, sound authentication: each complaint takes a dishonest receiver out.
#[test]
fn complaints_take_nothing_from_the_tests_that_a_forger_must_pass() {
    for committee in committees() {
        let receivers = u32::from(committee.receivers());
        let dishonest = u32::from(committee.dishonest());
        for left in all_left(receivers, dishonest, dishonest, false) {
            assert!(left.honest() <= receivers - dishonest);
            for level in committee.levels() {
                let before = committee.tests_needed(level, 0) - dishonest;
                let needed = committee.tests_needed(level, left.complaints);
                assert!(
                    needed >= left.dishonest + before,
                    "{committee:?} {left:?} {level:?}"
                );
                assert!(before > 0);
            }
        }
    }
}

/// Where somebody else can have a message evaluated as the signer's, honest receivers complain about each other, and ω
/// dishonest receivers of 4t + 1 are a majority of the rest. t of them are not.
#[test]
fn unsound_authentication_costs_the_last_dishonest_receiver_that_forging_allows() {
    let mut lost = 0;
    for committee in committees()
        .into_iter()
        .filter(|committee| committee.is_live())
    {
        let receivers = u32::from(committee.receivers());
        let tolerated = committee.tolerated();
        for left in all_left(receivers, tolerated, tolerated, true) {
            assert!(committee.tests_needed(Level::DISPUTE, left.complaints) > left.dishonest);
        }
        for left in all_left(receivers, tolerated + 1, tolerated, true) {
            lost += u32::from(
                committee.tests_needed(Level::DISPUTE, left.complaints) <= left.dishonest,
            );
        }
    }
    assert!(lost > 0);
}

/// The attestations of one ledger's nodes, f + 1 of them, remain with an honest signer wherever the dishonest ones sit.
#[test]
fn each_of_two_committees_keeps_honest_nodes_enough_to_attest() {
    for (each, transfers, faults_each) in [
        (4_u32, 1_u8, 1_u32),
        (7, 1, 2),
        (5, 0, 1),
        (9, 0, 2),
        (13, 1, 4),
    ] {
        let tolerated = tieline_uss::committee::tolerated_by_two(each, transfers);
        for dishonest_here in 0..=tolerated.min(faults_each) {
            // Each complaint takes one dishonest receiver out, of either committee, and at most one honest one.
            let honest = each - dishonest_here - tolerated;
            assert!(honest > faults_each, "{each} {transfers} {dishonest_here}");
        }
    }
}

/// Complaints as the ledger orders them.
struct Roster {
    is_in: Vec<bool>,
    effective: usize,
}

impl Roster {
    fn new(receivers: usize) -> Roster {
        Roster {
            is_in: vec![true; receivers],
            effective: 0,
        }
    }

    /// Void when one of the two is out.
    fn complain(&mut self, by: usize, about: usize) -> bool {
        let is_effective = self.is_in[by] && self.is_in[about];
        if is_effective {
            self.is_in[by] = false;
            self.is_in[about] = false;
            self.effective += 1;
        }
        is_effective
    }
}

/// Every sequence of four complaints that can occur with an honest signer: honest receivers name dishonest ones only.
#[test]
fn with_an_honest_signer_every_effective_complaint_takes_a_dishonest_receiver_out() {
    let receivers = 5;
    for dishonest in 0..=2 {
        let mut complaints = Vec::new();
        for by in 0..receivers {
            for about in (0..receivers).filter(|about| *about != by) {
                if by < dishonest || about < dishonest {
                    complaints.push((by, about));
                }
            }
        }
        let kinds = complaints.len();
        for sequence in 0..kinds.pow(4) {
            let mut roster = Roster::new(receivers);
            for step in 0..4 {
                let (by, about) = complaints[sequence / kinds.pow(step) % kinds];
                let is_effective = roster.complain(by, about);
                assert!(!is_effective || by < dishonest || about < dishonest);
                assert!(
                    !(roster.is_in[by] && roster.is_in[about]),
                    "one of the two is out, effective or void"
                );
            }
            let out = (0..dishonest)
                .filter(|receiver| !roster.is_in[*receiver])
                .count();
            assert!(roster.effective <= out && out <= dishonest);
        }
    }
}
