//! Why a store does not open, or goes no further.

use thiserror::Error;
use tieline_units::Digest;
use tieline_units::canonical::DecodeError;

use crate::home::Home;
use crate::ledger::{ExecuteError, LoadError};

/// What went wrong on disk, or between disk and blocks. Who sees one votes no more.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk or the database on it.
    #[error("{doing}: {error}")]
    Disk {
        /// What was being done.
        doing: &'static str,
        /// What the database says.
        error: Box<redb::Error>,
    },
    /// An earlier write failed: nobody knows what is on the disk, so this process stops using it.
    #[error("the store stopped at height {height} after a failed write: {reason}")]
    Stopped {
        /// The last height that is durable for sure.
        height: u64,
        /// What failed.
        reason: String,
    },
    /// A store of another version of this program.
    #[error("the store has version {found}, this code reads {expected}")]
    Version {
        /// The version found.
        found: u64,
        /// What this code writes.
        expected: u64,
    },
    /// Another chain's store.
    #[error("the store is of {}, genesis {}, not of {}, genesis {}", found.chain, found.genesis, expected.chain, expected.genesis)]
    Home {
        /// Whose it is.
        found: Box<Home>,
        /// Whose it should be.
        expected: Box<Home>,
    },
    /// Something that is always there is not.
    #[error("the store has no {what}")]
    Missing {
        /// What.
        what: &'static str,
    },
    /// Bytes that this program did not write.
    #[error("{what} of the store, height {height}: {error}")]
    Bytes {
        /// Where.
        what: &'static str,
        /// Height of the block or the tip.
        height: u64,
        /// What is wrong.
        error: DecodeError,
    },
    /// The records are not a state of this chain.
    #[error("state of height {height}: {error}")]
    State {
        /// Height of the tip.
        height: u64,
        /// What is wrong.
        error: LoadError,
    },
    /// The records are not those that were stored.
    #[error(
        "state of height {height}: its records have root {computed}, {stored} was stored with them"
    )]
    Root {
        /// Height of the tip.
        height: u64,
        /// What the records come to.
        computed: Digest,
        /// What was stored.
        stored: Digest,
    },
    /// The block at the tip is not the one that led to the state, or the validators are not its successors.
    #[error("the {what} stored for height {height} do not belong to the state of that height")]
    Tip {
        /// Height of the tip.
        height: u64,
        /// Which.
        what: &'static str,
    },
    /// A block that this state refuses.
    #[error("block {height} cannot be executed: {error}")]
    Execute {
        /// Its height.
        height: u64,
        /// Why.
        error: ExecuteError,
    },
    /// Another block of a height that is final here.
    #[error(
        "block {height} is {stored} here, {found} was delivered: two blocks of one height are final"
    )]
    Fork {
        /// The height.
        height: u64,
        /// What was executed.
        stored: Digest,
        /// What came now.
        found: Digest,
    },
}

impl StoreError {
    /// Whether another process has the store open: there is one at a time, for reading as well.
    pub fn is_in_use(&self) -> bool {
        match self {
            StoreError::Disk { error, .. } => matches!(**error, redb::Error::DatabaseAlreadyOpen),
            _ => false,
        }
    }
}
