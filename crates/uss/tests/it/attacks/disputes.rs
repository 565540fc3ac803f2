//! 17, 19a, 19b: abuse of disputes, complaints, freezes and silence.

use tieline_uss::dispute::{Ballot, BallotError, Call, Outcome, Vote};
use tieline_uss::epoch::{ComplaintEffect, EpochError, Finalised, FreezeCause, Grounds};
use tieline_uss::family::Family;
use tieline_uss::parameters::Epoch;
use tieline_uss::party::{Counter, Party};
use tieline_uss::verify::{Verdict, VerifyError};

use crate::support::{BODY, Draft, FIRST, LATER, World, epoch, everybody, p, random, sent};

/// n = 9, t = 1, one transfer.
fn nine() -> Epoch {
    epoch((9, 2, 1), Family::Gf64, (3, &[0, 1, 2]), 3)
}

fn four() -> Epoch {
    epoch((4, 1, 0), Family::Gf64, (3, &[0, 1]), 1)
}

/// An epoch with one good message in order, not yet tested.
fn with_message(epoch: Epoch, seed: u64) -> (World, Finalised) {
    let mut world = World::new(epoch, &mut random(seed));
    let signed = world.sign();
    let finalised = world.order(signed);
    (world, finalised)
}

/// The votes of all honest receivers, in order, until the dispute ends.
fn vote_all(world: &mut World, votes: &[Vote]) -> Option<Outcome> {
    for (index, vote) in (0..).zip(votes) {
        match world.vote(p(index), FIRST, *vote) {
            Ok(Some(outcome)) => return Some(outcome),
            Ok(None) => {}
            Err(error) => panic!("{error}"),
        }
    }
    None
}

/// 17: a flood of calls [one dispute per message, whoever calls and whatever is claimed; the record does not grow].
#[test]
fn attack_17_a_flood_of_calls_opens_one_dispute_per_message() {
    let (mut world, _) = with_message(four(), 1);
    let (epoch, counter) = (world.epoch.id(), FIRST);
    world.call(p(3).into(), FIRST, Vote::Reject);
    let before = world.parties.record.clone();
    for round in 0..1_000 {
        let claim = [Vote::Accept, Vote::Reject][round % 2];
        let from = [Party::Signer, p(0).into(), p(3).into()][round % 3];
        let call = sent(
            from,
            Call {
                epoch,
                counter,
                claim,
            },
        );
        let refused = world.parties.record.call_dispute(&call).cloned();
        assert_eq!(refused, Err(EpochError::DisputedBefore { counter }));
    }
    assert_eq!(world.parties.record, before);
    let call = sent(
        p(0),
        Call {
            epoch,
            counter: Counter(5),
            claim: Vote::Reject,
        },
    );
    let nothing = world.parties.record.call_dispute(&call).cloned();
    assert_eq!(
        nothing,
        Err(EpochError::Unknown {
            counter: Counter(5)
        })
    );
}

/// 17: votes of the signer, of strangers and of receivers that were out [not counted, and named].
#[test]
fn attack_17_votes_of_those_without_a_vote_are_not_counted() {
    let mut world = World::new(nine(), &mut random(2));
    world.complain(p(7), p(8), Grounds::MissingPart(FIRST));
    let signed = world.sign();
    world.order(signed);
    world.call(p(0).into(), FIRST, Vote::Reject);
    let before = world.parties.record.clone();
    let (epoch, counter) = (world.epoch.id(), FIRST);
    for from in [
        Party::Signer,
        p(9).into(),
        p(255).into(),
        p(7).into(),
        p(8).into(),
    ] {
        let ballot = sent(
            from,
            Ballot {
                epoch,
                counter,
                vote: Vote::Reject,
            },
        );
        let error = world.parties.record.vote(&ballot).unwrap_err();
        assert_eq!(error.culprit(), Some(from));
        assert_eq!(error, EpochError::Ballot(BallotError::NoVote { from }));
    }
    assert_eq!(world.parties.record, before);
}

/// 17: the same vote twice, both votes, votes after the end [counted once; the first stays; closed].
#[test]
fn attack_17_double_and_late_votes_change_nothing() {
    let (mut world, _) = with_message(four(), 3);
    world.call(p(0).into(), FIRST, Vote::Reject);
    for _ in 0..10 {
        assert_eq!(world.vote(p(0), FIRST, Vote::Reject), Ok(None));
    }
    let from = p(0);
    let both = world.vote(from, FIRST, Vote::Accept).unwrap_err();
    assert_eq!(both.culprit(), Some(from.into()));
    assert_eq!(world.vote(p(1), FIRST, Vote::Accept), Ok(None));
    assert_eq!(world.vote(p(2), FIRST, Vote::Accept), Ok(None));
    assert_eq!(
        world.vote(p(3), FIRST, Vote::Accept),
        Ok(Some(Outcome::Valid))
    );
    let (mut world, _) = with_message(four(), 3);
    world.call(p(0).into(), FIRST, Vote::Reject);
    vote_all(&mut world, &[Vote::Accept; 3]);
    let counter = FIRST;
    let late = world.vote(p(3), FIRST, Vote::Reject);
    assert_eq!(
        late,
        Err(EpochError::Ballot(BallotError::Closed { counter }))
    );
    let dispute = world.parties.record.dispute(FIRST).unwrap();
    assert_eq!(dispute.outcome(), Some(Outcome::Valid));
}

/// 17: a split at exactly n/2, and every other split [a tie is INVALID; VALID needs strictly more than half].
#[test]
fn attack_17_a_tie_is_invalid_and_a_majority_is_strict() {
    for (receivers, committee) in [
        (4_u8, (4, 1, 0)),
        (5, (5, 2, 0)),
        (8, (8, 2, 1)),
        (9, (9, 3, 0)),
    ] {
        let budgets: Vec<u16> = (0..u16::from(committee.2) + 2).collect();
        let epoch = epoch(committee, Family::Gf64, (3, &budgets), 1);
        for accepts in 0..=receivers {
            let votes: Vec<Vote> = (0..receivers)
                .map(|index| {
                    if index < accepts {
                        Vote::Accept
                    } else {
                        Vote::Reject
                    }
                })
                .collect();
            let (mut world, _) = with_message(epoch.clone(), 4);
            world.call(Party::Signer, FIRST, Vote::Reject);
            let outcome = vote_all(&mut world, &votes);
            let expected = if 2 * accepts > receivers {
                Outcome::Valid
            } else {
                Outcome::Invalid
            };
            assert_eq!(outcome, Some(expected), "{accepts} of {receivers}");
        }
    }
}

/// 17: a caller whose claim is false [named, whoever it is; a caller whose claim holds is not].
#[test]
fn attack_17_frivolous_callers_are_named() {
    for caller in [Party::Signer, p(2).into()] {
        for (claim, vote, frivolous) in [
            (Vote::Reject, Vote::Accept, true),
            (Vote::Accept, Vote::Accept, false),
            (Vote::Accept, Vote::Reject, true),
            (Vote::Reject, Vote::Reject, false),
        ] {
            let (mut world, _) = with_message(four(), 5);
            world.call(caller, FIRST, claim);
            let dispute = |world: &World| world.parties.record.dispute(FIRST).unwrap().clone();
            assert_eq!(
                dispute(&world).frivolous_caller(),
                None,
                "not before the end"
            );
            vote_all(&mut world, &[vote; 4]);
            assert_eq!(
                dispute(&world).frivolous_caller(),
                frivolous.then_some(caller)
            );
        }
    }
}

/// What the receivers and a dispute say of the first message: accepted, transferable, and valid.
fn still_stands(world: &mut World, finalised: &Finalised, before: &[Verdict]) {
    let twice = world
        .parties
        .record
        .finalise(&sent(Party::Signer, finalised.message().clone()), LATER);
    assert_eq!(twice.as_ref(), Ok(finalised), "with the roster of its time");
    let mut votes = Vec::new();
    for verifier in &mut world.parties.verifiers {
        let verdict = verifier.verify(finalised).unwrap();
        assert!(verdict.is_accepted());
        for transfers in 0..=world.epoch.parameters().committee().transfers() {
            assert_eq!(verdict.is_accepted_after(transfers), Ok(true));
        }
        votes.push(verdict.vote().unwrap());
    }
    assert!(before.iter().all(|verdict| verdict.is_accepted()));
    if world.parties.record.dispute(FIRST).is_none() {
        world.call(Party::Signer, FIRST, Vote::Reject);
    }
    assert_eq!(vote_all(world, &votes), Some(Outcome::Valid));
}

/// Half of the receivers have tested the good message, the others not yet; then `provoke` does its worst.
fn after_a_good_message(seed: u64, provoke: impl Fn(&mut World, &Finalised)) {
    let (mut world, finalised) = with_message(nine(), seed);
    let early = &mut world.parties.verifiers[..4];
    let before: Vec<Verdict> = early
        .iter_mut()
        .map(|v| v.verify(&finalised).unwrap())
        .collect();
    provoke(&mut world, &finalised);
    still_stands(&mut world, &finalised, &before);
}

/// 19a: a second message under the same counter [the epoch freezes, the first message stands].
#[test]
fn attack_19a_an_equivocation_after_a_good_message_leaves_it_standing() {
    after_a_good_message(6, |world, finalised| {
        let mut other = finalised.message().clone();
        other.body.push(b'!');
        let counter = FIRST;
        let found = world
            .parties
            .record
            .finalise(&sent(Party::Signer, other), LATER);
        assert_eq!(found, Err(EpochError::Equivocation { counter }));
        let frozen = world.parties.record.frozen();
        assert!(matches!(frozen, Some(FreezeCause::Equivocation { .. })));
    });
}

/// 19a: a wrong message follows, and complaints about it freeze the epoch [the first message stands].
#[test]
fn attack_19a_a_bad_message_after_a_good_one_leaves_it_standing() {
    after_a_good_message(7, |world, _| {
        world.parties.refresh(Counter(1)).unwrap();
        let mut bad = world.parties.sign(Counter(1), BODY).unwrap();
        let epoch = world.epoch.clone();
        (0..9).for_each(|row| crate::support::spoil(&epoch, &mut bad, p(row), 0..27));
        let bad = world.order(bad);
        // Those that have tested the good one; the others come to it first, in the ledger's order.
        for verifier in &mut world.parties.verifiers[..4] {
            assert_eq!(verifier.verify(&bad).unwrap().vote(), Some(Vote::Reject));
        }
        let grounds = Grounds::Mismatch(Counter(1));
        assert_eq!(
            world.complain(p(1), p(0), grounds),
            ComplaintEffect::BothOut
        );
        assert_eq!(world.complain(p(2), p(3), grounds), ComplaintEffect::Frozen);
    });
}

/// 19a: false complaints about the good message itself [both are out later, and vote about it still].
#[test]
fn attack_19a_false_complaints_after_a_good_message_leave_it_standing() {
    after_a_good_message(8, |world, _| {
        assert_eq!(
            world.complain(p(8), p(0), Grounds::Mismatch(FIRST)),
            ComplaintEffect::BothOut
        );
        assert_eq!(
            world.complain(p(7), p(1), Grounds::MissingPart(Counter(2))),
            ComplaintEffect::Frozen
        );
    });
}

/// 19a: a dispute about a good message, called by a receiver that knows better [valid; the caller is named; nobody else loses
/// anything].
#[test]
fn attack_19a_a_frivolous_dispute_about_a_good_message_names_the_caller() {
    after_a_good_message(9, |world, _| world.call(p(8).into(), FIRST, Vote::Reject));
    let (mut world, _) = with_message(nine(), 9);
    world.call(p(8).into(), FIRST, Vote::Reject);
    assert_eq!(world.vote(p(8), FIRST, Vote::Reject), Ok(None));
    vote_all(&mut world, &[Vote::Accept; 8]);
    let dispute = world.parties.record.dispute(FIRST).unwrap();
    assert_eq!(dispute.frivolous_caller(), Some(p(8).into()));
    assert_eq!(
        world.parties.record.roster().present(),
        9,
        "nobody is taken out by a vote"
    );
}

/// 19b: a part that never comes [the epoch does not open; the complaint takes both out; the rest signs and accepts].
#[test]
fn attack_19b_a_withheld_set_takes_both_out_and_is_never_a_failed_test() {
    let mut draft = Draft::new(nine(), &mut random(10));
    draft
        .parts
        .retain(|part| (part.from, part.to) != (p(4), p(2)));
    assert_eq!(draft.deliver(), []);
    assert_eq!(draft.distributions[2].missing(), [p(4)]);
    assert_eq!(draft.distributions[2].receipt(&everybody()), None);
    let mut world = draft.finish();
    let signed = world.sign();
    let counter = FIRST;
    let waiting = EpochError::NotOpen {
        counter,
        waiting: 1,
    };
    let early = world
        .parties
        .record
        .finalise(&sent(Party::Signer, signed.clone()), LATER);
    assert_eq!(early, Err(waiting));
    assert_eq!(
        world.complain(p(2), p(4), Grounds::MissingPart(FIRST)),
        ComplaintEffect::BothOut
    );
    let finalised = world.order(signed);
    let verdicts = world.parties.verify(&finalised).unwrap();
    assert_eq!(verdicts.len(), 7);
    assert!(verdicts.iter().all(|verdict| verdict.is_accepted()));
}

/// 19b: pads of a further counter that never come [the same].
#[test]
fn attack_19b_withheld_pads_stop_the_test_and_are_never_a_mismatch() {
    let mut world = World::new(nine(), &mut random(11));
    let counter = Counter(1);
    let pads = tieline_uss::draw::signer_pads(&world.epoch, &mut world.parties.stores[0]).unwrap();
    world.parties.signer.refresh(counter, pads).unwrap();
    let mut parts = Vec::new();
    for verifier in &mut world.parties.verifiers {
        let (me, store) = (
            verifier.receiver(),
            &mut world.parties.stores[verifier.receiver().index() + 1],
        );
        let (shared, links) = tieline_uss::draw::receiver_pads(&world.epoch, me, store).unwrap();
        parts.extend(verifier.refresh(counter, shared, links).unwrap());
    }
    parts.retain(|part| (part.from, part.to) != (p(4), p(2)));
    for part in &parts {
        world.parties.verifiers[part.to.index()]
            .receive_pads(counter, part)
            .unwrap();
    }
    for verifier in &world.parties.verifiers {
        if let Some(receipt) = verifier.receipt(counter, world.parties.record.roster()) {
            let from = verifier.receiver();
            world.parties.record.receipt(&sent(from, receipt)).unwrap();
        }
    }
    assert_eq!(
        world.parties.record.expire(counter),
        Ok(vec![p(2)]),
        "it said neither yes nor no"
    );
    let signed = world.parties.sign(counter, BODY).unwrap();
    let finalised = world.order(signed);
    let from = p(4);
    let stopped = world.parties.verifiers[2].verify(&finalised);
    assert_eq!(stopped, Err(VerifyError::MissingPart { from, counter }));
    for (index, verifier) in world.parties.verifiers.iter_mut().enumerate() {
        assert!(index == 2 || verifier.verify(&finalised).unwrap().is_accepted());
    }
}

/// 19b: a receipt that never comes [at the deadline the counter opens without it, while at most t are silent; the silent
/// stays in, for the others hold its parts].
#[test]
fn attack_19b_a_withheld_receipt_delays_and_does_not_stop_the_epoch() {
    let mut world = World::new(nine(), &mut random(12));
    let mut record = tieline_uss::epoch::EpochRecord::new(nine());
    let (epoch, counter) = (record.epoch().id(), FIRST);
    for index in 0..7 {
        let receipt = tieline_uss::distribute::Receipt { epoch, counter };
        record.receipt(&sent(p(index), receipt)).unwrap();
    }
    let network = EpochError::NotOpen {
        counter,
        waiting: 2,
    };
    assert_eq!(
        record.expire(FIRST),
        Err(network),
        "two of t = 1: the network failed"
    );
    let receipt = tieline_uss::distribute::Receipt { epoch, counter };
    record.receipt(&sent(p(7), receipt)).unwrap();
    assert_eq!(record.expire(FIRST), Ok(vec![p(8)]));
    world.parties.record = record;
    let signed = world.sign();
    let finalised = world.order(signed);
    assert_eq!(finalised.roster().present(), 9);
    for verdict in world.parties.verify(&finalised).unwrap() {
        assert!(verdict.is_accepted());
    }
}

/// 19b: the network is cut during a dispute, at every size of the part that can vote [silence is no vote: a good message
/// never becomes INVALID; it is VALID as soon as more than half can be heard].
#[test]
fn attack_19b_a_partition_during_a_dispute_repudiates_nothing() {
    for heard in 0..=9 {
        let (mut world, finalised) = with_message(nine(), 13);
        let verdicts = world.parties.verify(&finalised).unwrap();
        world.call(Party::Signer, FIRST, Vote::Reject);
        // P9 is dishonest and always heard.
        assert_eq!(world.vote(p(8), FIRST, Vote::Reject), Ok(None));
        let votes: Vec<Vote> = verdicts[..heard.min(8)]
            .iter()
            .filter_map(Verdict::vote)
            .collect();
        let outcome = vote_all(&mut world, &votes);
        assert_eq!(
            outcome,
            (heard > 4).then_some(Outcome::Valid),
            "{heard} heard"
        );
        let silent = world.parties.record.dispute(FIRST).unwrap().silent();
        assert_eq!(silent.len(), 8 - heard.min(5));
        // The cut ends: the rest votes, and the message is valid.
        for index in 0..8 {
            if let Ok(outcome) = world.vote(p(index), FIRST, Vote::Accept) {
                assert_ne!(outcome, Some(Outcome::Invalid));
            }
        }
        let outcome = world.parties.record.dispute(FIRST).unwrap().outcome();
        assert_eq!(outcome, Some(Outcome::Valid));
    }
}
