//! Disputes: the majority of the receivers decides whether a message that a ledger has put in order was signed.
//!
//! Every receiver on the message's roster announces, authenticated, whether it accepts at level -1. With n' of them:
//!
//! | outcome | when |
//! |---|---|
//! | valid | more than n'/2 accept |
//! | invalid | at least n'/2 reject, explicitly |
//! | open | neither: silence is never a reject, or a cut of the network would repudiate |
//!
//! One ledger, named in advance, counts; others import its certificate. A caller whose claim the outcome contradicts is
//! named as frivolous.
//!
//! Source: Amiri et al. 2018, section 3 (majority vote).

use std::collections::BTreeMap;

use thiserror::Error;
use tieline_units::bytes::Encoder;

use crate::channel::{Authenticated, Canonical};
use crate::epoch::Roster;
use crate::party::{Counter, EpochId, Party, Receiver};

/// What a receiver's own test says at level -1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vote {
    /// Signed.
    Accept,
    /// Not signed.
    Reject,
}

/// Somebody wants a dispute about a message and claims how it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The epoch.
    pub epoch: EpochId,
    /// Which message.
    pub counter: Counter,
    /// What the caller says is the case.
    pub claim: Vote,
}

impl Canonical for Call {
    fn canonical(&self) -> Vec<u8> {
        encode("tieline.uss.call/1", self.epoch, self.counter, self.claim)
    }
}

/// One vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ballot {
    /// The epoch.
    pub epoch: EpochId,
    /// Which message.
    pub counter: Counter,
    /// Accept or reject at level -1.
    pub vote: Vote,
}

impl Canonical for Ballot {
    fn canonical(&self) -> Vec<u8> {
        encode("tieline.uss.ballot/1", self.epoch, self.counter, self.vote)
    }
}

fn encode(domain: &str, epoch: EpochId, counter: Counter, vote: Vote) -> Vec<u8> {
    let mut encoder = Encoder::new(domain);
    encoder
        .u64(epoch.0)
        .u32(counter.0)
        .u8(u8::from(vote == Vote::Accept));
    encoder.as_bytes().to_vec()
}

/// How a dispute ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// More than half accept: the signer signed.
    Valid,
    /// At least half reject: nobody can hold the signer to it.
    Invalid,
}

/// Why a vote is not counted. The tally is as before.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BallotError {
    /// For another message.
    #[error(
        "the ballot is about counter {found} of epoch {epoch_found}, the dispute about counter {counter} of epoch {epoch}"
    )]
    OtherMessage {
        /// The ballot's epoch.
        epoch_found: EpochId,
        /// The ballot's counter.
        found: Counter,
        /// The dispute's epoch.
        epoch: EpochId,
        /// The dispute's counter.
        counter: Counter,
    },
    /// Not on the message's roster: the signer, a stranger, or out by complaint.
    #[error("{from} has no vote in this dispute")]
    NoVote {
        /// The sender.
        from: Party,
    },
    /// A second vote that says something else; the first one stays.
    #[error("{from} voted both ways")]
    BothWays {
        /// The sender, who is at fault.
        from: Receiver,
    },
    /// The dispute has ended.
    #[error("the dispute about counter {counter} is closed")]
    Closed {
        /// The dispute's counter.
        counter: Counter,
    },
}

impl BallotError {
    /// Who is at fault beyond doubt.
    pub fn culprit(&self) -> Option<Party> {
        match self {
            BallotError::NoVote { from } => Some(*from),
            BallotError::BothWays { from } => Some(Party::Receiver(*from)),
            BallotError::OtherMessage { .. } | BallotError::Closed { .. } => None,
        }
    }
}

/// The tally of one dispute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    epoch: EpochId,
    counter: Counter,
    caller: Party,
    claim: Vote,
    roster: Roster,
    ballots: BTreeMap<Receiver, Vote>,
}

impl Dispute {
    pub(crate) fn new(caller: Party, call: &Call, roster: Roster) -> Dispute {
        Dispute {
            epoch: call.epoch,
            counter: call.counter,
            caller,
            claim: call.claim,
            roster,
            ballots: BTreeMap::new(),
        }
    }

    /// Counts one vote; the same vote again changes nothing.
    ///
    /// # Errors
    /// [`BallotError`].
    pub fn count(
        &mut self,
        ballot: &Authenticated<Ballot>,
    ) -> Result<Option<Outcome>, BallotError> {
        let Ballot {
            epoch,
            counter,
            vote,
        } = *ballot.value();
        if (epoch, counter) != (self.epoch, self.counter) {
            return Err(BallotError::OtherMessage {
                epoch_found: epoch,
                found: counter,
                epoch: self.epoch,
                counter: self.counter,
            });
        }
        let from = match ballot.from() {
            Party::Receiver(from) if self.roster.contains(from) => from,
            from => return Err(BallotError::NoVote { from }),
        };
        match self.ballots.get(&from) {
            Some(before) if *before == vote => return Ok(self.outcome()),
            Some(_) => return Err(BallotError::BothWays { from }),
            None if self.outcome().is_some() => {
                return Err(BallotError::Closed {
                    counter: self.counter,
                });
            }
            None => {}
        }
        self.ballots.insert(from, vote);
        Ok(self.outcome())
    }

    /// How it ended, or `None` while it is open.
    pub fn outcome(&self) -> Option<Outcome> {
        let present = self.roster.present();
        let accepts = self
            .ballots
            .values()
            .filter(|vote| **vote == Vote::Accept)
            .count();
        let rejects = self.ballots.len() - accepts;
        if 2 * accepts > present {
            Some(Outcome::Valid)
        } else if 2 * rejects >= present {
            Some(Outcome::Invalid)
        } else {
            None
        }
    }

    /// Who has not voted: failed, or bound to withhold its verdict. Nothing else follows.
    pub fn silent(&self) -> Vec<Receiver> {
        self.roster
            .iter()
            .filter(|receiver| !self.ballots.contains_key(receiver))
            .collect()
    }

    /// The caller, once the outcome contradicts its claim.
    pub fn frivolous_caller(&self) -> Option<Party> {
        let confirmed = match (self.outcome()?, self.claim) {
            (Outcome::Valid, Vote::Accept) | (Outcome::Invalid, Vote::Reject) => true,
            (Outcome::Valid, Vote::Reject) | (Outcome::Invalid, Vote::Accept) => false,
        };
        (!confirmed).then_some(self.caller)
    }
}
