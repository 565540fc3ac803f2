//! What a ledger refuses, and who is at fault.

use thiserror::Error;

use crate::dispute::BallotError;
use crate::party::{Counter, EpochId, Height, Party, Receiver};
use crate::signature::DecodeError;

/// Why the ledger refuses. The record is as before, but for an equivocation, which freezes the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EpochError {
    /// For another epoch.
    #[error("epoch {found} is meant, this is epoch {epoch}")]
    OtherEpoch {
        /// What the message says.
        found: EpochId,
        /// This epoch.
        epoch: EpochId,
    },
    /// Sent by somebody who may not.
    #[error("{from} cannot send this")]
    WrongSender {
        /// The sender.
        from: Party,
    },
    /// A receiver that the epoch does not have.
    #[error("{receiver} is not one of the receivers")]
    NotAMember {
        /// Whom the message names.
        receiver: Receiver,
    },
    /// A complaint about oneself.
    #[error("{receiver} complains about itself")]
    Oneself {
        /// Who.
        receiver: Receiver,
    },
    /// The receivers do not hold the counter's functions and pads yet.
    #[error("counter {counter} is not open: receipts missing: {waiting}")]
    NotOpen {
        /// The counter.
        counter: Counter,
        /// Receivers still in without a receipt.
        waiting: usize,
    },
    /// The counter does not exist in this epoch.
    #[error("counter {counter}: the epoch has {messages} signatures, counted from 0")]
    BeyondEpoch {
        /// The counter.
        counter: Counter,
        /// M.
        messages: u32,
    },
    /// A message before the complaints about the one before it can be in order.
    #[error(
        "block {height}: complaints about the message before are waited for, the next is taken in block {opens}"
    )]
    TooSoon {
        /// The block.
        height: Height,
        /// The first block that takes one.
        opens: Height,
    },
    /// The epoch is frozen.
    #[error("epoch {epoch} is frozen: only what was finalised before can be verified and disputed")]
    Frozen {
        /// This epoch.
        epoch: EpochId,
    },
    /// Another message was put in order under the same counter: the signer is at fault, the epoch is frozen.
    #[error("the signer signed two messages under counter {counter}; the epoch is frozen")]
    Equivocation {
        /// The counter.
        counter: Counter,
    },
    /// The body is too long.
    #[error("a body of {bytes} bytes: this epoch's take {most}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The epoch's limit.
        most: usize,
    },
    /// The bytes are not a signature of the epoch.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Nothing was put in order under the counter.
    #[error("no message is finalised under counter {counter}")]
    Unknown {
        /// The counter.
        counter: Counter,
    },
    /// One dispute per message.
    #[error("the message under counter {counter} has its dispute already")]
    DisputedBefore {
        /// The counter.
        counter: Counter,
    },
    /// The vote is not counted.
    #[error(transparent)]
    Ballot(#[from] BallotError),
}

impl EpochError {
    /// Who is at fault beyond doubt.
    pub fn culprit(&self) -> Option<Party> {
        match self {
            EpochError::WrongSender { from } => Some(*from),
            EpochError::Oneself { receiver } => Some(Party::Receiver(*receiver)),
            EpochError::Equivocation { .. }
            | EpochError::TooLong { .. }
            | EpochError::Decode(_) => Some(Party::Signer),
            EpochError::Ballot(error) => error.culprit(),
            EpochError::OtherEpoch { .. }
            | EpochError::NotAMember { .. }
            | EpochError::NotOpen { .. }
            | EpochError::TooSoon { .. }
            | EpochError::BeyondEpoch { .. }
            | EpochError::Frozen { .. }
            | EpochError::Unknown { .. }
            | EpochError::DisputedBefore { .. } => None,
        }
    }
}
