//! Why a block is none.

use thiserror::Error;
use tieline_units::{Digest, Time};

use super::{
    BLOCK_BYTES_MAX, CONTEXT_BYTES_MAX, LAG_MAX_MS, Roots, SKEW_MAX_MS, TRANSACTIONS_MAX, VERSION,
};

/// Why a block can never be a child of its parent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BlockError {
    /// Another encoding.
    #[error("block {height} has version {found}, this code reads {VERSION}")]
    Version {
        /// Its height.
        height: u64,
        /// The version found.
        found: u8,
    },
    /// Not one above its parent.
    #[error("block {height} on a parent of height {parent}")]
    Height {
        /// Its height.
        height: u64,
        /// The parent's.
        parent: u64,
    },
    /// Another parent.
    #[error("block {height} follows {found}, the block before is {expected}")]
    Parent {
        /// Its height.
        height: u64,
        /// The parent it names.
        found: Digest,
        /// The parent it has.
        expected: Digest,
    },
    /// Before its parent.
    #[error("block {height} is of {time}, its parent of {parent}")]
    Time {
        /// Its height.
        height: u64,
        /// Its time.
        time: Time,
        /// The parent's.
        parent: Time,
    },
    /// Of other validators than those in charge.
    #[error("block {height} is of epoch {found}, epoch {expected} or its validators are in charge")]
    Epoch {
        /// Its height.
        height: u64,
        /// The epoch it names.
        found: u64,
        /// The epoch in charge.
        expected: u64,
    },
    /// Header and body do not say the same of the next validators.
    #[error("block {height} does not hand over to the validators that its header names")]
    Handover {
        /// Its height.
        height: u64,
    },
    /// Others than the header's, too many, or two of one validator.
    #[error(
        "the double votes of block {height} are not those of its header, too many, or two of one validator"
    )]
    DoubleVotes {
        /// Its height.
        height: u64,
    },
    /// The engine's bytes are too many.
    #[error("block {height} has {bytes} bytes of context, at most {CONTEXT_BYTES_MAX} are allowed")]
    Context {
        /// Its height.
        height: u64,
        /// How many.
        bytes: usize,
    },
    /// Too many transactions, or not as many as the header says.
    #[error(
        "block {height} has {found} transactions, its header says {claimed}, at most {TRANSACTIONS_MAX} are allowed"
    )]
    Count {
        /// Its height.
        height: u64,
        /// How many it has.
        found: usize,
        /// How many it says.
        claimed: u64,
    },
    /// Other transactions than the header's.
    #[error("the transactions of block {height} are not those of its header")]
    Transactions {
        /// Its height.
        height: u64,
    },
    /// One transaction twice.
    #[error("block {height} has transaction {transaction} twice")]
    Twice {
        /// Its height.
        height: u64,
        /// Which.
        transaction: Digest,
    },
    /// Too large.
    #[error("block {height} has {bytes} bytes, at most {BLOCK_BYTES_MAX} are allowed")]
    Bytes {
        /// Its height.
        height: u64,
        /// How many.
        bytes: usize,
    },
    /// The header does not say what execution of the block before left.
    #[error(
        "block {height} says that the block before left state {} and {} outbox entries under {}; execution found {}, {} and {}",
        claimed.state_root, claimed.outbox_entries, claimed.outbox_root,
        found.state_root, found.outbox_entries, found.outbox_root
    )]
    Roots {
        /// Its height.
        height: u64,
        /// What it says.
        claimed: Box<Roots>,
        /// What is so.
        found: Box<Roots>,
    },
}

/// Why a validator does not vote for a block now.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClockError {
    /// Too far ahead: ask again later.
    #[error("block {height} is of {time}, more than {SKEW_MAX_MS} ms after now, {now}")]
    Ahead {
        /// Its height.
        height: u64,
        /// Its time.
        time: Time,
        /// The clock.
        now: Time,
    },
    /// Too far behind.
    #[error("block {height} is of {time}, more than {LAG_MAX_MS} ms before now, {now}")]
    Behind {
        /// Its height.
        height: u64,
        /// Its time.
        time: Time,
        /// The clock.
        now: Time,
    },
}
