//! 11, 19: receivers as oracles on the split.

use tieline_uss::dispute::Vote;
use tieline_uss::epoch::{ComplaintEffect, EpochError, Grounds};
use tieline_uss::family::Family;
use tieline_uss::party::{Counter, Height, Party, Receiver};
use tieline_uss::verify::VerifyError;

use crate::support::{BODY, FIRST, FirstComplaint, LATER, World, epoch, p, random, sent, spoil};

/// 11: one wrong tag per message; who complains about it holds it [what the signer learns is about a part that both its
/// owner and its tester leave, and at the ω-th complaint there are no more messages].
#[test]
fn attack_11_what_a_probe_tells_is_about_parts_that_nobody_tests_any_more() {
    let epoch = epoch((9, 3, 0), Family::Gf64, (4, &[0, 2]), 32);
    let mut world = World::new(epoch.clone(), &mut random(1));
    let mut learnt: Vec<(Receiver, Receiver)> = Vec::new();
    for counter in (0..32).map(Counter) {
        if counter.0 > 0 {
            world.parties.refresh(counter).unwrap();
        }
        let mut signed = world.parties.sign(counter, BODY).unwrap();
        spoil(&epoch, &mut signed, p(0), [counter.0 as usize]);
        let Ok(finalised) = world.parties.order(signed) else {
            break;
        };
        for (owner, tester) in &learnt {
            assert!(!finalised.roster().contains(*owner) && !finalised.roster().contains(*tester));
        }
        let verdicts = world.parties.verify(&finalised).unwrap();
        for (by, verdict) in finalised.roster().iter().zip(verdicts) {
            assert_eq!(verdict.vote(), Some(Vote::Accept));
            if let Some(about) = verdict.complaint_about(world.parties.record.roster()) {
                learnt.push((about, by));
                assert_ne!(
                    world.complain(by, about, Grounds::Mismatch(counter)),
                    ComplaintEffect::Void
                );
            }
        }
    }
    assert_eq!(
        learnt.len(),
        1,
        "P1 went out with the first complaint about it, and nobody tests its block"
    );
}

/// 11: the signer sends faster than the ledger orders complaints, one wrong tag per message, and hopes to divide the
/// receivers with what complaints tell [whoever has complained gives no verdict on what overtook the complaint, for or
/// against, and goes on complaining; then both are out].
#[test]
fn attack_11_a_signer_that_outruns_the_ledger_gets_no_verdict_from_whom_it_knows_something_of() {
    let epoch = epoch((5, 2, 0), Family::Gf64, (8, &[0, 5]), 40);
    let mut world = World::new(epoch.clone(), &mut random(2));
    let mut orders = Vec::new();
    for counter in (0..40).map(Counter) {
        if counter.0 > 0 {
            world.parties.refresh(counter).unwrap();
        }
        let mut signed = world.parties.sign(counter, BODY).unwrap();
        spoil(&epoch, &mut signed, p(1), [counter.0 as usize]);
        orders.push(world.order(signed));
    }
    for index in [0, 2, 3, 4] {
        let mut complaints = 0;
        for finalised in &orders {
            let verdict = world.parties.verifiers[index].verify(finalised).unwrap();
            assert_eq!(verdict.is_withheld(), complaints > 0);
            let vote = (complaints == 0).then_some(Vote::Accept);
            assert_eq!(verdict.vote(), vote, "one wrong tag is within the budget");
            assert!(!verdict.is_withheld() || !verdict.is_accepted());
            assert!(!verdict.is_withheld() || verdict.level().is_none());
            complaints += u32::from(!verdict.complaints().is_empty());
        }
        assert_eq!(complaints, 8, "one for each tag that P{} holds", index + 1);
    }
    // The last message: nobody but P2 has a vote to give, and silence repudiates nothing.
    let last = Counter(39);
    world.call(Party::Signer, last, Vote::Reject);
    assert_eq!(world.vote(p(1), last, Vote::Reject), Ok(None));
    // Once the complaint is in force the next message finds both out, and verdicts are given again.
    world.complain(p(0), p(1), Grounds::Mismatch(FIRST));
    assert!(!world.parties.record.roster().contains(p(1)));
}

/// 11: a message that overtook a complaint [no verdict, also after a freeze, and the same answer whenever it is asked].
#[test]
fn attack_11_what_overtook_a_complaint_stays_without_a_verdict_of_the_complainer() {
    let epoch = epoch((4, 1, 0), Family::Gf64, (4, &[0, 2]), 2);
    let mut world = World::new(epoch.clone(), &mut random(3));
    let mut signed = world.sign();
    let held = world.set(p(1), p(0))[0];
    spoil(&epoch, &mut signed, p(1), [held]);
    let first = world.order(signed);
    world.parties.refresh(Counter(1)).unwrap();
    let good = world.parties.sign(Counter(1), BODY).unwrap();
    let second = world.order(good);
    let record = &mut world.parties.record;
    let verifier = &mut world.parties.verifiers[0];
    assert!(verifier.verify(&first).unwrap().is_accepted());
    assert!(verifier.verify(&second).unwrap().is_withheld());
    let counter = FIRST;
    let mut other = first.message().clone();
    other.body.push(0);
    let equivocation = record.finalise(&sent(Party::Signer, other), LATER);
    assert_eq!(equivocation, Err(EpochError::Equivocation { counter }));
    assert!(verifier.verify(&second).unwrap().is_withheld());
    assert!(verifier.verify(&first).unwrap().is_accepted());
    let others = &mut world.parties.verifiers[2..];
    for verifier in others {
        assert!(verifier.verify(&first).unwrap().is_accepted());
        assert!(verifier.verify(&second).unwrap().is_accepted());
    }
}

/// 11: messages of one block [fixed before any answer, so nobody withholds].
#[test]
fn attack_11_messages_of_one_block_are_all_answered() {
    let epoch = epoch((4, 1, 0), Family::Gf64, (4, &[0, 2]), 2);
    let mut world = World::new(epoch.clone(), &mut random(5));
    let mut signed = world.sign();
    let held = world.set(p(1), p(0))[0];
    spoil(&epoch, &mut signed, p(1), [held]);
    world.parties.refresh(Counter(1)).unwrap();
    let good = world.parties.sign(Counter(1), BODY).unwrap();
    let record = &mut world.parties.record;
    let block = [signed, good].map(|signed| {
        record
            .finalise(&sent(Party::Signer, signed), LATER)
            .unwrap()
    });
    let verifier = &mut world.parties.verifiers[0];
    assert_eq!(verifier.verify(&block[0]).unwrap().complaints().len(), 1);
    assert!(verifier.verify(&block[1]).unwrap().is_accepted());
    let out_of_order = world.parties.verifiers[2].verify(&block[1]).map(|_| ());
    assert_eq!(out_of_order, Ok(()));
    let found = world.parties.verifiers[2].verify(&block[0]);
    assert_eq!(found, Err(VerifyError::OutOfOrder { counter: FIRST }));
}

/// 11: the epoch leaves time for complaints [a message of a later block waits for the window; one of the same block does not].
#[test]
fn attack_11_the_next_message_waits_for_the_complaint_window() {
    let epoch = epoch((4, 1, 0), Family::Gf64, (4, &[0, 2]), 2).with_complaint_window(3);
    let mut world = World::new(epoch.clone(), &mut random(6));
    let first = world.sign();
    world.parties.refresh(Counter(1)).unwrap();
    let second = sent(Party::Signer, world.parties.sign(Counter(1), BODY).unwrap());
    let record = &mut world.parties.record;
    record
        .finalise(&sent(Party::Signer, first), Height(10))
        .unwrap();
    for height in [9, 11, 12, 13].map(Height) {
        let opens = Height(14);
        assert_eq!(
            record.clone().finalise(&second, height),
            Err(EpochError::TooSoon { height, opens })
        );
    }
    for height in [10, 14, 15].map(Height) {
        assert_eq!(
            record
                .clone()
                .finalise(&second, height)
                .map(|found| found.height()),
            Ok(height)
        );
    }
}

/// 19: n answers per forged try [one evaluation per counter: other bytes under the same counter are not tested, and cost
/// the signer the epoch when both are its own].
#[test]
fn attack_19_no_counter_is_evaluated_twice() {
    let epoch = epoch((4, 1, 0), Family::Gf64, (4, &[0, 2]), 1);
    let mut world = World::new(epoch.clone(), &mut random(4));
    let honest = world.sign();
    let mut tries = Vec::new();
    for index in 0..16 {
        let mut signed = honest.clone();
        spoil(&epoch, &mut signed, p(0), [index]);
        // A ledger of its own for every try: forks, or copies that are shown to one receiver only.
        let mut fork = world.parties.record.clone();
        tries.push(fork.finalise(&sent(Party::Signer, signed), LATER).unwrap());
    }
    for verifier in &mut world.parties.verifiers {
        let answers = tries
            .iter()
            .filter(|finalised| verifier.verify(finalised).is_ok());
        assert_eq!(answers.count(), 1);
        let counter = FIRST;
        let refused = verifier.verify(&tries[5]);
        assert_eq!(refused, Err(VerifyError::Evaluated { counter }));
    }
    world.order(honest.clone());
    let second = tries[3].message().clone();
    let error = world
        .parties
        .record
        .finalise(&sent(Party::Signer, second), LATER)
        .unwrap_err();
    assert_eq!(error.culprit(), Some(Party::Signer));
    assert!(world.parties.record.frozen().is_some());
}

/// 19: a try that is not a signature at all [refused before any test; the counter is not used up].
#[test]
fn attack_19_malformed_tries_answer_nothing_and_use_up_nothing() {
    let epoch = epoch((4, 1, 0), Family::Gf64, (4, &[0, 2]), 1);
    let mut world = World::new(epoch, &mut random(5));
    let honest = world.sign();
    for bytes in [
        0,
        18,
        19,
        20,
        honest.signature.len() - 1,
        honest.signature.len() + 1,
    ] {
        let mut signed = honest.clone();
        signed.signature.resize(bytes, 0);
        assert!(world.parties.order(signed).is_err());
    }
    let finalised = world.order(honest);
    for verdict in world.parties.verify(&finalised).unwrap() {
        assert!(verdict.is_accepted());
    }
}
