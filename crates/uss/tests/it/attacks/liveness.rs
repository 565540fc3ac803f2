//! 11, 19b: what keeps honest parties from accepting, and what ends it.

use tieline_uss::dispute::Vote;
use tieline_uss::distribute::DistributeError;
use tieline_uss::epoch::{ComplaintEffect, EpochError, Grounds};
use tieline_uss::family::Family;
use tieline_uss::parameters::{Epoch, Limits, Parameters};
use tieline_uss::party::{Counter, EpochId, Party};
use tieline_uss::verify::{Answer, VerifyError};

use crate::support::{BODY, Draft, FIRST, World, epoch, everybody, p, random, sent, spoil};

fn nine() -> Epoch {
    epoch((9, 2, 1), Family::Gf64, (8, &[0, 2, 5]), 3)
}

/// 19b: a receiver that sends its part to nobody [the first complaint takes it out with one other, and with the roster
/// that knows of it the others confirm what they have].
#[test]
fn attack_19b_who_withholds_from_all_takes_one_with_it_and_the_rest_signs() {
    let mut draft = Draft::new(nine(), &mut random(1));
    draft.parts.retain(|part| part.from != p(4));
    assert_eq!(draft.deliver(), []);
    let victims: Vec<usize> = (0..9).filter(|index| *index != 4).collect();
    for index in &victims {
        let distribution = &draft.distributions[*index];
        assert_eq!(distribution.missing(), [p(4)]);
        assert_eq!(distribution.receipt(&everybody()), None);
        let complaint = tieline_uss::epoch::Complaint {
            epoch: draft.epoch.id(),
            about: p(4),
            grounds: Grounds::MissingPart(FIRST),
        };
        let effect = draft
            .record
            .complain(&sent(p(*index as u8), complaint))
            .unwrap();
        let first = *index == victims[0];
        assert_eq!(
            effect == ComplaintEffect::BothOut,
            first,
            "the others' are void"
        );
    }
    let mut world = draft.finish();
    assert_eq!(world.parties.record.roster().present(), 7);
    assert!(world.parties.record.is_open(FIRST));
    let signed = world.sign();
    let finalised = world.order(signed);
    let verdicts = world.parties.verify(&finalised).unwrap();
    assert!(
        verdicts
            .iter()
            .all(|verdict| verdict.answer() == Answer::Accepted)
    );
}

/// 19b: complaints at the deadline by receivers that have tested already [nothing is missing any more].
#[test]
fn attack_19b_nothing_is_missing_of_a_counter_that_was_tested() {
    let mut world = World::new(nine(), &mut random(2));
    let signed = world.sign();
    let finalised = world.order(signed);
    world.parties.verify(&finalised).unwrap();
    for verifier in &world.parties.verifiers {
        assert_eq!(verifier.missing(FIRST), []);
    }
}

/// 19b: a receiver whose own pads were never given [it says so, and blames nobody].
#[test]
fn attack_19b_missing_pads_of_ones_own_are_nobody_elses_fault() {
    let mut world = World::new(nine(), &mut random(3));
    let counter = Counter(1);
    let mut late = world.parties.verifiers.remove(4);
    let epoch = world.epoch.clone();
    let pads = tieline_uss::draw::signer_pads(&epoch, &mut world.parties.stores[0]).unwrap();
    world.parties.signer.refresh(counter, pads).unwrap();
    let silent: Vec<u8> = (0..9).collect();
    for index in silent {
        let receipt = tieline_uss::distribute::Receipt {
            epoch: epoch.id(),
            counter,
        };
        world
            .parties
            .record
            .receipt(&sent(p(index), receipt))
            .unwrap();
    }
    let signed = world.parties.sign(counter, BODY).unwrap();
    let finalised = world.order(signed);
    let error = late.verify(&finalised).unwrap_err();
    assert_eq!(error, VerifyError::NoPads { counter });
    assert_eq!(error.culprit(), None);
    let beyond =
        tieline_uss::draw::receiver_pads(&epoch, late.receiver(), &mut world.parties.stores[5]);
    let (shared, links) = beyond.unwrap();
    let (counter, messages) = (Counter(3), 3);
    let found = late.refresh(counter, shared, links).unwrap_err();
    assert_eq!(found, DistributeError::BeyondEpoch { counter, messages });
}

/// 11: a message right behind one that draws complaints from all but one [without a window one accepts it and all others
/// withhold, so that a dispute stays open for ever; the window that every epoch has keeps the ledger from taking it].
#[test]
fn attack_11_without_a_complaint_window_a_message_may_find_one_verdict_alone() {
    let run = |window: u64| {
        let epoch = nine().with_complaint_window(window);
        let mut world = World::new(epoch.clone(), &mut random(4));
        let lonely = p(1);
        let mut bad = world.sign();
        for owner in (0..9).map(p) {
            let spared = world.set(owner, lonely);
            let wrong = (0..72).filter(|place| !spared.contains(place));
            spoil(&epoch, &mut bad, owner, wrong.take(30));
        }
        world.parties.refresh(Counter(1)).unwrap();
        let good = world.parties.sign(Counter(1), BODY).unwrap();
        let record = &mut world.parties.record;
        let height = tieline_uss::party::Height;
        let first = record
            .finalise(&sent(Party::Signer, bad), height(10))
            .unwrap();
        let second = record.finalise(&sent(Party::Signer, good), height(11));
        (world, first, second)
    };
    let (mut world, first, second) = run(0);
    let second = second.unwrap();
    let mut answers = Vec::new();
    for verifier in &mut world.parties.verifiers {
        verifier.verify(&first).unwrap();
        answers.push(verifier.verify(&second).unwrap().answer());
    }
    let withheld = answers
        .iter()
        .filter(|answer| **answer == Answer::Withheld)
        .count();
    assert_eq!((withheld, answers[1]), (8, Answer::Accepted));
    world.call(p(1).into(), Counter(1), Vote::Accept);
    assert_eq!(world.vote(p(1), Counter(1), Vote::Accept), Ok(None));
    assert!(
        world
            .parties
            .record
            .dispute(Counter(1))
            .unwrap()
            .outcome()
            .is_none()
    );
    let (_, _, second) = run(tieline_uss::parameters::COMPLAINT_BLOCKS);
    assert!(matches!(second, Err(EpochError::TooSoon { .. })));
}

/// 12: participants that describe the epoch differently [nothing that one sends opens at the other].
#[test]
fn attack_12_parties_with_other_parameters_do_not_understand_each_other() {
    let of = |dishonest, budgets: Vec<u16>, messages| {
        let committee = tieline_uss::committee::Committee::new(9, dishonest, 0).unwrap();
        let limits = Limits {
            messages,
            message_bytes: 128,
        };
        let parameters = Parameters::new(committee, Family::Gf64, 4, budgets, limits).unwrap();
        Epoch::new(EpochId(7), "s", &["x", "y"], parameters).unwrap()
    };
    let ours = of(2, vec![0, 2], 1);
    let others = [
        of(1, vec![0, 2], 1),
        of(2, vec![0, 3], 1),
        of(2, vec![0, 2], 2),
        ours.clone().with_complaint_window(7),
    ];
    for other in others {
        let mut draft = Draft::new(ours.clone(), &mut random(5));
        let theirs = Draft::of(other, draft.raw.clone(), &mut random(6));
        draft.parts = theirs.parts;
        let refused = draft.deliver();
        assert_eq!(refused.len(), 72);
        assert!(refused.iter().all(|(_, error)| error.culprit().is_none()));
    }
}
