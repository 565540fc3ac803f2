//! What a test finds, and why there was none.

use thiserror::Error;

use crate::committee::{Committee, Level};
use crate::dispute::Vote;
use crate::epoch::{Complaint, Grounds};
use crate::party::{Counter, EpochId, Party, Receiver};
use crate::signature::DecodeError;

/// Why a signature is not tested. State is as before.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Finalised in another epoch.
    #[error("the message is of epoch {found}, this verifier of epoch {epoch}")]
    OtherEpoch {
        /// The message's.
        found: EpochId,
        /// The verifier's.
        epoch: EpochId,
    },
    /// The verifier is out, by a complaint that it made or that was made about it.
    #[error("{me} is out since a complaint: it neither tests nor votes for this message")]
    Out {
        /// The verifier.
        me: Receiver,
    },
    /// A part without which the test cannot be made.
    #[error(
        "the part of {from} for counter {counter} is missing; complain about {from} if it does not come"
    )]
    MissingPart {
        /// Whose.
        from: Receiver,
        /// For which counter.
        counter: Counter,
    },
    /// Other bytes than those evaluated before under the same counter.
    #[error("counter {counter} was evaluated with other bytes; nothing is tested twice")]
    Evaluated {
        /// The counter.
        counter: Counter,
    },
    /// The bytes are not a signature.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// This receiver was never given its own pads for the counter.
    #[error("no pads for counter {counter} were given to this receiver; nobody else is at fault")]
    NoPads {
        /// The counter.
        counter: Counter,
    },
    /// The ledger put it in order before a message that was tested already.
    #[error(
        "counter {counter} comes before a message that was tested; messages are tested in the ledger's order"
    )]
    OutOfOrder {
        /// The counter.
        counter: Counter,
    },
    /// The body is longer than this verifier's epoch allows: the ledger has another description of it.
    #[error("a body of {bytes} bytes: this epoch's take {most}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The epoch's limit.
        most: usize,
    },
    /// A transfer beyond what the committee allows.
    #[error("transfer {transfers}: the committee allows {most}")]
    TooManyTransfers {
        /// Asked for.
        transfers: u8,
        /// l_max.
        most: u8,
    },
}

impl VerifyError {
    /// Who is at fault beyond doubt.
    pub fn culprit(&self) -> Option<Party> {
        match self {
            // The ledger has decoded what it put in order: this verifier describes the epoch otherwise.
            VerifyError::Decode(_)
            | VerifyError::NoPads { .. }
            | VerifyError::OtherEpoch { .. }
            | VerifyError::Out { .. }
            | VerifyError::MissingPart { .. }
            | VerifyError::Evaluated { .. }
            | VerifyError::OutOfOrder { .. }
            | VerifyError::TooLong { .. }
            | VerifyError::TooManyTransfers { .. } => None,
        }
    }
}

/// The level that is enough after `transfers` transfers: l_max first hand, one less each time.
///
/// # Errors
/// [`VerifyError::TooManyTransfers`] beyond l_max: level -1 is for disputes alone.
pub fn level_after(committee: Committee, transfers: u8) -> Result<Level, VerifyError> {
    let most = committee.transfers();
    (most.checked_sub(transfers))
        .and_then(|left| Level::new(left as i8))
        .ok_or(VerifyError::TooManyTransfers { transfers, most })
}

/// What a receiver may say about a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Accepted first hand.
    Accepted,
    /// Tested, and not accepted first hand.
    Rejected,
    /// Nothing may be said: the message overtook a complaint of this receiver.
    Withheld,
}

/// What a test found. Only whether it is accepted may be told to others; neither counts nor places are kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Verdict {
    pub(super) epoch: EpochId,
    pub(super) counter: Counter,
    pub(super) committee: Committee,
    pub(super) level: i8,
    /// A bit per receiver, so that a test takes the same time whoever is among them.
    pub(super) suspects: u128,
    pub(super) withheld: bool,
}

impl std::fmt::Debug for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = match self.answer() {
            Answer::Withheld => "withheld",
            Answer::Accepted => "accepted",
            Answer::Rejected => "rejected",
        };
        write!(f, "Verdict(counter {}, {word})", self.counter)
    }
}

impl Verdict {
    /// The largest level that accepts, `None` when none does or the verdict is withheld; it stays with the verifier.
    pub fn level(&self) -> Option<Level> {
        if self.withheld {
            None
        } else {
            Level::new(self.level)
        }
    }

    /// True when the message overtook a complaint of this receiver: nothing may be said about it, for or against.
    pub fn is_withheld(&self) -> bool {
        self.withheld
    }

    /// What may be announced.
    pub fn answer(&self) -> Answer {
        match (self.withheld, self.is_accepted()) {
            (true, _) => Answer::Withheld,
            (false, true) => Answer::Accepted,
            (false, false) => Answer::Rejected,
        }
    }

    /// Accepted first hand, at level l_max. Its opposite is not "rejected", see [`Verdict::answer`].
    pub fn is_accepted(&self) -> bool {
        self.level() >= Some(self.committee.first_hand())
    }

    /// Accepted at the level that is enough after `transfers` transfers, by this verifier's own test.
    ///
    /// # Errors
    /// [`VerifyError::TooManyTransfers`].
    pub fn is_accepted_after(&self, transfers: u8) -> Result<bool, VerifyError> {
        Ok(self.level() >= Some(level_after(self.committee, transfers)?))
    }

    /// The vote in a dispute, at level -1; `None` when the verdict is withheld.
    pub fn vote(&self) -> Option<Vote> {
        match (self.withheld, self.level()) {
            (true, _) => None,
            (false, Some(_)) => Some(Vote::Accept),
            (false, None) => Some(Vote::Reject),
        }
    }

    /// The complaints to send with the answer: about every receiver whose part did not fit, at whatever level this verifier
    /// accepts. Those whose subject is out by then are void.
    pub fn complaints(&self) -> Vec<Complaint> {
        let complain = |about| Complaint {
            epoch: self.epoch,
            about,
            grounds: Grounds::Mismatch(self.counter),
        };
        self.suspects().map(complain).collect()
    }

    /// Receivers whose part did not fit, ascending.
    pub(super) fn suspects(&self) -> impl Iterator<Item = Receiver> {
        Receiver::first(self.committee.receivers())
            .filter(|receiver| self.suspects >> receiver.index() & 1 == 1)
    }
}
