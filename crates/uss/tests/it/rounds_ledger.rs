//! What the ledger and the verifiers refuse, each once; the record is compared as a whole before and after.

use tieline_uss::dispute::{Ballot, BallotError, Call, Outcome, Vote};
use tieline_uss::distribute::Receipt;
use tieline_uss::epoch::{
    Complaint, ComplaintEffect, EpochError, EpochRecord, FreezeCause, Grounds,
};
use tieline_uss::family::Family;
use tieline_uss::parameters::Epoch;
use tieline_uss::party::{Counter, EpochId, Party};
use tieline_uss::signature::{DecodeError, SignedMessage};

use crate::support::{BODY, FIRST, LATER, World, complain, epoch, p, random, sent};

const OTHER: EpochId = EpochId(8);

fn five() -> Epoch {
    epoch((5, 2, 0), Family::Gf64, (3, &[0, 1]), 2)
}

/// Runs `call` on a copy and on the record: an error changes nothing.
fn refused<T: std::fmt::Debug>(
    record: &mut EpochRecord,
    call: impl FnOnce(&mut EpochRecord) -> Result<T, EpochError>,
) -> (EpochError, Option<Party>) {
    let before = record.clone();
    let error = call(record).unwrap_err();
    assert_eq!(*record, before);
    let culprit = error.culprit();
    (error, culprit)
}

fn ordered() -> (World, SignedMessage) {
    let mut world = World::new(five(), &mut random(1));
    let signed = world.sign();
    world.order(signed.clone());
    (world, signed)
}

#[test]
fn receipts_of_strangers_and_for_what_does_not_exist_are_refused() {
    let mut record = EpochRecord::new(five());
    let (id, counter, messages) = (record.epoch().id(), Counter(2), 2);
    let receipt = |epoch, counter| Receipt { epoch, counter };
    let mut check = |from: Party, value, expected: EpochError, culprit| {
        let found = refused(&mut record, |record| record.receipt(&sent(from, value)));
        assert_eq!(found, (expected, culprit));
    };
    for from in [Party::Signer, p(5).into()] {
        check(
            from,
            receipt(id, FIRST),
            EpochError::WrongSender { from },
            Some(from),
        );
    }
    let other = EpochError::OtherEpoch {
        found: OTHER,
        epoch: id,
    };
    check(p(0).into(), receipt(OTHER, FIRST), other, None);
    let beyond = EpochError::BeyondEpoch { counter, messages };
    check(p(0).into(), receipt(id, counter), beyond.clone(), None);
    let found = refused(&mut record, |record| record.expire(counter));
    assert_eq!(found, (beyond, None));
}

#[test]
fn an_epoch_opens_with_the_last_receipt_and_no_earlier() {
    let mut record = EpochRecord::new(five());
    let epoch = record.epoch().id();
    let signed = World::new(five(), &mut random(1)).sign();
    for index in 0..5 {
        assert!(!record.is_open(FIRST));
        let waiting = 5 - usize::from(index);
        let counter = FIRST;
        let found = refused(&mut record, |record| {
            record.finalise(&sent(Party::Signer, signed.clone()), LATER)
        });
        assert_eq!(found, (EpochError::NotOpen { counter, waiting }, None));
        for _ in 0..2 {
            record
                .receipt(&sent(p(index), Receipt { epoch, counter }))
                .unwrap();
        }
    }
    assert!(record.is_open(FIRST));
    assert!(!record.is_open(Counter(1)));
    assert!(record.finalise(&sent(Party::Signer, signed), LATER).is_ok());
}

#[test]
fn complaints_that_name_nobody_or_nothing_are_refused() {
    let (mut world, _) = ordered();
    let record = &mut world.parties.record;
    let id = record.epoch().id();
    let mut check = |from: Party, about, epoch, grounds, expected: EpochError, culprit| {
        let value = Complaint {
            epoch,
            about,
            grounds,
        };
        let found = refused(record, |record| record.complain(&sent(from, value)));
        assert_eq!(found, (expected, culprit));
    };
    let missing = Grounds::MissingPart(FIRST);
    let from = Party::Signer;
    check(
        from,
        p(1),
        id,
        missing,
        EpochError::WrongSender { from },
        Some(from),
    );
    let other = EpochError::OtherEpoch {
        found: OTHER,
        epoch: id,
    };
    check(p(0).into(), p(1), OTHER, missing, other, None);
    let receiver = p(5);
    check(
        p(0).into(),
        receiver,
        id,
        missing,
        EpochError::NotAMember { receiver },
        None,
    );
    let receiver = p(0);
    let itself = EpochError::Oneself { receiver };
    check(
        p(0).into(),
        receiver,
        id,
        missing,
        itself,
        Some(receiver.into()),
    );
    let (counter, messages) = (Counter(2), 2);
    let beyond = EpochError::BeyondEpoch { counter, messages };
    check(
        p(0).into(),
        p(1),
        id,
        Grounds::MissingPart(counter),
        beyond,
        None,
    );
    let counter = Counter(1);
    let unknown = EpochError::Unknown { counter };
    check(
        p(0).into(),
        p(1),
        id,
        Grounds::Mismatch(counter),
        unknown,
        None,
    );
}

#[test]
fn a_complaint_takes_both_out_once_and_as_many_as_omega_freeze() {
    let (mut world, signed) = ordered();
    let record = &mut world.parties.record;
    let grounds = Grounds::Mismatch(FIRST);
    let mut complain = |by, about| complain(record, p(by), p(about), grounds).unwrap();
    assert_eq!(complain(0, 1), ComplaintEffect::BothOut);
    for (by, about) in [(0, 1), (1, 0), (0, 2), (2, 1), (1, 3)] {
        assert_eq!(complain(by, about), ComplaintEffect::Void);
    }
    assert_eq!(complain(2, 3), ComplaintEffect::Frozen);
    assert_eq!(complain(4, 2), ComplaintEffect::Void);
    let complaints = 2;
    assert_eq!(
        record.frozen(),
        Some(&FreezeCause::Complaints { complaints })
    );
    assert_eq!(record.roster().iter().collect::<Vec<_>>(), [p(4)]);
    let mut next = signed.clone();
    next.signature[18] = 1;
    let epoch = record.epoch().id();
    let found = refused(record, |record| {
        record.finalise(&sent(Party::Signer, next), LATER)
    });
    assert_eq!(found, (EpochError::Frozen { epoch }, None));
    let again = record
        .finalise(&sent(Party::Signer, signed), LATER)
        .unwrap();
    assert_eq!(again.roster().present(), 5, "with the roster of its time");
}

#[test]
fn messages_that_are_not_the_signers_or_not_of_the_epoch_are_refused() {
    let mut world = World::new(five(), &mut random(2));
    let signed = world.sign();
    let record = &mut world.parties.record;
    let (id, most) = (record.epoch().id(), record.epoch().body_bytes_max());
    let mut check = |from: Party, change: &dyn Fn(&mut SignedMessage), expected, culprit| {
        let mut value = signed.clone();
        change(&mut value);
        let found = refused(record, |record| record.finalise(&sent(from, value), LATER));
        assert_eq!(found, (expected, culprit));
    };
    let signer = Party::Signer;
    let from = p(0).into();
    check(from, &|_| {}, EpochError::WrongSender { from }, Some(from));
    let other = EpochError::OtherEpoch {
        found: OTHER,
        epoch: id,
    };
    check(signer, &|message| message.epoch = OTHER, other, None);
    let bytes = most + 1;
    let long = EpochError::TooLong { bytes, most };
    check(
        signer,
        &|message| message.body = vec![0; bytes],
        long,
        Some(signer),
    );
    let (bytes, expected) = (signed.signature.len() - 1, signed.signature.len());
    let cut = EpochError::Decode(DecodeError::Length { bytes, expected });
    check(
        signer,
        &|message| message.signature.truncate(bytes),
        cut,
        Some(signer),
    );
    let (counter, messages) = (Counter(2), 2);
    let beyond = EpochError::BeyondEpoch { counter, messages };
    check(signer, &|message| message.signature[18] = 2, beyond, None);
    let (counter, waiting) = (Counter(1), 5);
    let early = EpochError::NotOpen { counter, waiting };
    check(signer, &|message| message.signature[18] = 1, early, None);
    let finalised = world.order(signed.clone());
    assert_eq!((finalised.message(), finalised.counter()), (&signed, FIRST));
}

#[test]
fn two_messages_under_one_counter_convict_the_signer_and_freeze() {
    let (mut world, signed) = ordered();
    let record = &mut world.parties.record;
    let mut other = signed.clone();
    other.body.push(0);
    let counter = FIRST;
    let error = record
        .finalise(&sent(Party::Signer, other.clone()), LATER)
        .unwrap_err();
    assert_eq!(error.culprit(), Some(Party::Signer));
    assert_eq!(error, EpochError::Equivocation { counter });
    let (first, second) = (signed.digest(), other.digest());
    let cause = FreezeCause::Equivocation {
        counter,
        first,
        second,
    };
    assert_eq!(record.frozen(), Some(&cause));
    let found = refused(record, |record| {
        record.finalise(&sent(Party::Signer, other), LATER)
    });
    assert_eq!(
        found.0,
        EpochError::Equivocation { counter },
        "and nothing more happens"
    );
    assert!(record.finalise(&sent(Party::Signer, signed), LATER).is_ok());
}

#[test]
fn calls_and_ballots_that_have_no_place_are_refused() {
    let (mut world, _) = ordered();
    let record = &mut world.parties.record;
    let id = record.epoch().id();
    let call = |epoch, counter| Call {
        epoch,
        counter,
        claim: Vote::Reject,
    };
    let ballot = |epoch, counter, vote| Ballot {
        epoch,
        counter,
        vote,
    };
    let other = EpochError::OtherEpoch {
        found: OTHER,
        epoch: id,
    };
    let (counter, unknown) = (
        Counter(1),
        EpochError::Unknown {
            counter: Counter(1),
        },
    );
    let from = Party::Receiver(p(5));
    let stranger = EpochError::WrongSender { from };
    let found = refused(record, |r| {
        r.call_dispute(&sent(from, call(id, FIRST))).cloned()
    });
    assert_eq!(found, (stranger, Some(from)));
    let found = refused(record, |r| {
        r.call_dispute(&sent(p(0), call(OTHER, FIRST))).cloned()
    });
    assert_eq!(found, (other.clone(), None));
    let found = refused(record, |r| {
        r.call_dispute(&sent(p(0), call(id, counter))).cloned()
    });
    assert_eq!(found, (unknown, None));
    let accept = || ballot(id, FIRST, Vote::Accept);
    let found = refused(record, |r| r.vote(&sent(p(0), accept())));
    assert_eq!(
        found,
        (EpochError::Unknown { counter: FIRST }, None),
        "no dispute yet"
    );
    let dispute = record.call_dispute(&sent(p(0), call(id, FIRST))).unwrap();
    assert_eq!((dispute.outcome(), dispute.silent().len()), (None, 5));
    let counter = FIRST;
    let found = refused(record, |r| {
        r.call_dispute(&sent(p(1), call(id, FIRST))).cloned()
    });
    assert_eq!(found, (EpochError::DisputedBefore { counter }, None));
    let found = refused(record, |r| {
        r.vote(&sent(p(0), ballot(OTHER, FIRST, Vote::Accept)))
    });
    assert_eq!(found, (other, None));
    for from in [Party::Signer, p(5).into()] {
        let found = refused(record, |r| r.vote(&sent(from, accept())));
        assert_eq!(
            found,
            (EpochError::Ballot(BallotError::NoVote { from }), Some(from))
        );
    }
}

#[test]
fn a_vote_is_cast_once_and_before_the_dispute_has_ended() {
    let (mut world, _) = ordered();
    let record = &mut world.parties.record;
    let (epoch, counter) = (record.epoch().id(), FIRST);
    let ballot = |vote| Ballot {
        epoch,
        counter,
        vote,
    };
    let accept = || ballot(Vote::Accept);
    let claim = Vote::Reject;
    let call = Call {
        epoch,
        counter,
        claim,
    };
    record.call_dispute(&sent(p(0), call)).unwrap();
    for _ in 0..2 {
        assert_eq!(
            record.vote(&sent(p(0), accept())),
            Ok(None),
            "again is nothing new"
        );
    }
    let found = refused(record, |r| r.vote(&sent(p(0), ballot(Vote::Reject))));
    let both = EpochError::Ballot(BallotError::BothWays { from: p(0) });
    assert_eq!(found, (both, Some(p(0).into())));
    assert_eq!(record.vote(&sent(p(1), accept())), Ok(None));
    assert_eq!(record.vote(&sent(p(2), accept())), Ok(Some(Outcome::Valid)));
    let found = refused(record, |r| r.vote(&sent(p(3), accept())));
    assert_eq!(
        found,
        (EpochError::Ballot(BallotError::Closed { counter }), None)
    );
}

#[test]
fn a_ballot_counts_in_its_own_dispute_alone() {
    let (world, _) = ordered();
    let mut record = world.parties.record;
    let epoch = record.epoch().id();
    let call = Call {
        epoch,
        counter: FIRST,
        claim: Vote::Reject,
    };
    let mut dispute = record.call_dispute(&sent(p(0), call)).unwrap().clone();
    let before = dispute.clone();
    let (found, counter) = (Counter(1), FIRST);
    let ballot = Ballot {
        epoch,
        counter: found,
        vote: Vote::Reject,
    };
    let error = dispute.count(&sent(p(0), ballot)).unwrap_err();
    assert_eq!(error.culprit(), None);
    let epoch_found = epoch;
    assert_eq!(
        error,
        BallotError::OtherMessage {
            epoch_found,
            found,
            epoch,
            counter
        }
    );
    assert_eq!(dispute, before);
}

#[test]
fn silence_opens_a_counter_for_at_most_as_many_as_may_fail() {
    let mut world = World::new(five(), &mut random(8));
    let mut record = EpochRecord::new(five());
    let (counter, waiting) = (FIRST, 5);
    let found = refused(&mut record, |record| record.expire(FIRST));
    assert_eq!(found, (EpochError::NotOpen { counter, waiting }, None));
    let epoch = record.epoch().id();
    for index in 0..4 {
        record
            .receipt(&sent(p(index), Receipt { epoch, counter }))
            .unwrap();
    }
    assert_eq!(record.expire(FIRST), Ok(vec![p(4)]));
    assert!(record.is_open(FIRST));
    assert!(record.roster().contains(p(4)), "the silent one stays in");
    let signed = world.parties.sign(FIRST, BODY).unwrap();
    let finalised = record
        .finalise(&sent(Party::Signer, signed), LATER)
        .unwrap();
    let verdicts = world.parties.verify(&finalised).unwrap();
    assert_eq!(verdicts.len(), 5);
}
