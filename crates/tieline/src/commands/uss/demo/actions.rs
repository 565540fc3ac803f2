//! What receivers and the ledger do after a signature is there, and what came of it.

use tieline_uss::channel::Authenticated;
use tieline_uss::committee::{Committee, Level};
use tieline_uss::dispute::{Ballot, Call, Outcome, Vote};
use tieline_uss::epoch::{Complaint, ComplaintEffect, EpochRecord, Finalised, FreezeCause, Roster};
use tieline_uss::party::{Counter, Party, Receiver};
use tieline_uss::rehearsal::Rehearsal;
use tieline_uss::verify::Verdict;

use super::facts::{ComplaintFacts, DisputeFacts, DisputeOutcome, Needed, ReceiverResult, Results};

/// Receivers with what they found.
pub(super) type Verdicts = Vec<(Receiver, Verdict)>;

/// Lets everybody who is in test a message.
pub(super) fn test(parties: &mut Rehearsal, finalised: &Finalised) -> anyhow::Result<Verdicts> {
    let verdicts = parties.verify(finalised)?;
    Ok(finalised.roster().iter().zip(verdicts).collect())
}

/// The highest level at which a receiver accepts.
pub(super) fn level_of(verdict: &Verdict) -> Option<i8> {
    verdict.level().map(Level::number)
}

/// Whether a receiver accepts at that level.
pub(super) fn accepts(verdict: &Verdict, level: Level) -> bool {
    verdict.level().is_some_and(|accepted| accepted >= level)
}

pub(super) fn results(committee: Committee, roster: &Roster, verdicts: &Verdicts) -> Results {
    let needed = committee.levels().map(|level| Needed {
        level: level.number(),
        tests: committee.tests_needed(level, roster.complaints()),
    });
    let receivers = verdicts.iter().map(|(receiver, verdict)| ReceiverResult {
        receiver: receiver.to_string(),
        accepts_at: level_of(verdict),
        withheld: verdict.is_withheld(),
    });
    Results {
        present: roster.present(),
        needed: needed.collect(),
        receivers: receivers.collect(),
    }
}

/// Every receiver complains about those whose parts did not fit, one after the other; what has no effect is left out.
pub(super) fn complain(
    record: &mut EpochRecord,
    verdicts: &Verdicts,
) -> anyhow::Result<Vec<ComplaintFacts>> {
    let mut complaints = Vec::new();
    for (by, verdict) in verdicts {
        for complaint in verdict.complaints() {
            complaints.extend(complain_one(record, *by, complaint)?);
        }
    }
    Ok(complaints)
}

/// One complaint; nothing where it has no effect.
pub(super) fn complain_one(
    record: &mut EpochRecord,
    by: Receiver,
    complaint: Complaint,
) -> anyhow::Result<Option<ComplaintFacts>> {
    let about = complaint.about;
    let effect = record.complain(&Authenticated::by_ledger(by.into(), complaint))?;
    Ok((effect != ComplaintEffect::Void).then(|| ComplaintFacts {
        by: by.to_string(),
        about: about.to_string(),
        freezes: effect == ComplaintEffect::Frozen,
    }))
}

/// Why the epoch takes no further message, in words.
pub(super) fn frozen(record: &EpochRecord) -> Option<String> {
    record.frozen().map(|cause| match cause {
        FreezeCause::Complaints { complaints: 1 } => {
            "1 complaint: the signer is dishonest, or a receiver is, which this committee does not allow".to_owned()
        }
        FreezeCause::Complaints { complaints } => format!(
            "{complaints} complaints: the signer is dishonest, or more receivers than the committee allows"
        ),
        FreezeCause::Equivocation { counter, .. } => {
            format!("two messages of the signer under counter {counter} convict it")
        }
    })
}

/// How every receiver votes that tested honestly.
pub(super) fn honest_votes(verdicts: &Verdicts) -> Vec<(Receiver, Option<Vote>)> {
    let vote = |(receiver, verdict): &(Receiver, Verdict)| (*receiver, verdict.vote());
    verdicts.iter().map(vote).collect()
}

/// Somebody calls a dispute, and the receivers vote as told until it is decided; `None` is silence.
pub(super) fn dispute(
    record: &mut EpochRecord,
    counter: Counter,
    (caller, claim): (Party, Vote),
    votes: &[(Receiver, Option<Vote>)],
) -> anyhow::Result<DisputeFacts> {
    let epoch = record.epoch().id();
    let call = Call {
        epoch,
        counter,
        claim,
    };
    record.call_dispute(&Authenticated::by_ledger(caller, call))?;
    let (mut accepts, mut rejects) = (0, 0);
    let mut outcome = None;
    for (receiver, vote) in votes {
        if let (Some(vote), None) = (*vote, outcome) {
            let ballot = Ballot {
                epoch,
                counter,
                vote,
            };
            outcome = record.vote(&Authenticated::by_ledger((*receiver).into(), ballot))?;
            match vote {
                Vote::Accept => accepts += 1,
                Vote::Reject => rejects += 1,
            }
        }
    }
    let silent = votes.iter().filter(|(_, vote)| vote.is_none());
    let frivolous = record
        .dispute(counter)
        .and_then(|dispute| dispute.frivolous_caller());
    Ok(DisputeFacts {
        caller: caller.to_string(),
        claims_signed: claim == Vote::Accept,
        voters: votes.len(),
        accepts,
        rejects,
        silent: silent.map(|(receiver, _)| receiver.to_string()).collect(),
        outcome: word(outcome),
        frivolous: frivolous.map(|party| party.to_string()),
    })
}

pub(super) fn word(outcome: Option<Outcome>) -> DisputeOutcome {
    match outcome {
        Some(Outcome::Valid) => DisputeOutcome::Valid,
        Some(Outcome::Invalid) => DisputeOutcome::Invalid,
        None => DisputeOutcome::Open,
    }
}
