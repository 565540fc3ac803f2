//! Why nothing is proven.

use thiserror::Error;
use tieline_contract::certificate::CertificateError;
use tieline_contract::threshold::ThresholdError;
use tieline_units::{ChainId, Digest};

use super::HEADERS_MAX;
use crate::block::BlockError;
use crate::tree::ProofError;
use crate::validators::ValidatorsError;

/// What does not hold of something that was shown to a light client.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LightError {
    /// No headers, or too many.
    #[error("a trail of {count} headers, 1 to {HEADERS_MAX} are taken")]
    Trail {
        /// How many.
        count: usize,
    },
    /// Of an epoch that is not known yet, or at a height that is not of it.
    #[error("header {height} is not one of epoch {epoch} as far as it is known")]
    Epoch {
        /// Its height.
        height: u64,
        /// The epoch that it names.
        epoch: u64,
    },
    /// Other validators than the epoch's.
    #[error("header {height} is of validators {found}, its epoch has {expected}")]
    Validators {
        /// Its height.
        height: u64,
        /// What it names.
        found: Digest,
        /// The epoch's.
        expected: Digest,
    },
    /// A header that is none, or does not follow the one before.
    #[error(transparent)]
    Header(#[from] BlockError),
    /// The proof of finality.
    #[error("header {height} is not shown to be final: {error}")]
    Finality {
        /// Its height.
        height: u64,
        /// What the proof lacks.
        error: String,
    },
    /// Two final blocks of one height.
    #[error(
        "header {height} contradicts the final block {known}: more than f validators are dishonest"
    )]
    Fork {
        /// Its height.
        height: u64,
        /// What is final.
        known: Digest,
    },
    /// Not beyond the head.
    #[error("header {height} is not beyond the head, {head}")]
    Past {
        /// Its height.
        height: u64,
        /// The head's.
        head: u64,
    },
    /// The next validators are missing, others, or too early.
    #[error("header {height} does not hand over to the validators that are shown")]
    Handover {
        /// Its height.
        height: u64,
    },
    /// A set that cannot be in charge.
    #[error(transparent)]
    Set(#[from] ValidatorsError),
    /// An entry that the outbox does not have there.
    #[error("the outbox of block {height} does not have this entry at {index}")]
    Entry {
        /// The block that said it.
        height: u64,
        /// Where.
        index: u64,
    },
    /// A value that the state does not have.
    #[error("the state after block {height}: {error}")]
    Value {
        /// The block that left it.
        height: u64,
        /// What is wrong with the proof.
        error: ProofError,
    },
    /// An epoch of verification nodes that is not known.
    #[error("verification nodes of {chain}, epoch {epoch}, are not known")]
    Committee {
        /// The chain.
        chain: ChainId,
        /// The epoch.
        epoch: u64,
    },
    /// A certificate that proves nothing.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Next verification nodes that do not follow the present ones.
    #[error(
        "epoch {found} of {chain} does not follow epoch {present}, or is of another genesis, suite or f"
    )]
    Rotation {
        /// The chain.
        chain: ChainId,
        /// The last epoch that is known.
        present: u64,
        /// What was shown.
        found: u64,
    },
    /// Verification nodes that cannot stand.
    #[error(transparent)]
    Threshold(#[from] ThresholdError),
}
