//! Blocks.
//!
//! A block's header says what its body holds, and what the state was after the block **before** it: whoever proposes a
//! block has executed its parent, not the block itself. So a value of the state after block h, or an entry of its outbox,
//! is proven by the header of h + 1.
//!
//! **Time.** Not before the parent's, and at most [`SKEW_MAX_MS`] ahead and [`LAG_MAX_MS`] behind a validator's clock when
//! it votes. The first is a rule of the block, for ever; the second depends on when one asks, and is a question of its
//! own ([`Header::check_clock`]).

mod error;
mod header;

use std::collections::BTreeSet;
use std::sync::Arc;

use tieline_contract::transaction::Transaction;
use tieline_seal::merkle;
use tieline_units::canonical::Canonical;
use tieline_units::{Digest, Time, canonical};

pub use error::{BlockError, ClockError};
pub use header::{Header, Parent, Roots};

use crate::double_vote::{DOUBLE_VOTES_MAX, DoubleVote};
use crate::home::Home;
use crate::validators::Handover;

/// Version of the encoding.
pub const VERSION: u8 = 1;

/// Most transactions in a block.
pub const TRANSACTIONS_MAX: usize = <Transaction as Canonical>::LIST_MAX;

/// Most bytes of a block, 8 MiB; a proposer may stop earlier.
pub const BLOCK_BYTES_MAX: usize = 8 << 20;

/// Most bytes that the engine may add to a header.
pub const CONTEXT_BYTES_MAX: usize = 1024;

/// How far a block may be ahead of a voter's clock, milliseconds.
pub const SKEW_MAX_MS: u64 = 5_000;

/// How far a block may be behind a voter's clock, milliseconds: nobody can hold time back.
pub const LAG_MAX_MS: u64 = 60_000;

/// What a block does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// In order.
    pub transactions: Vec<Transaction>,
    /// In the last block of an epoch.
    pub handover: Option<Arc<Handover>>,
    /// Of validators that contradicted themselves, at most [`DOUBLE_VOTES_MAX`].
    pub double_votes: Vec<DoubleVote>,
}

canonical!(Body {
    transactions,
    handover,
    double_votes
});

/// A block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What everybody keeps.
    pub header: Header,
    /// What it does.
    pub body: Body,
}

canonical!(Block { header, body });

/// What a proposer decides; everything else of a block follows from its parent.
#[derive(Clone, Debug, Default)]
pub struct Proposal {
    /// Its time, where the parent's is not later.
    pub time: Time,
    /// What it does.
    pub body: Body,
    /// The engine's own, at most [`CONTEXT_BYTES_MAX`] bytes.
    pub context: Vec<u8>,
}

/// The name of a transaction: SHA-256 of its encoding.
pub fn transaction_hash(transaction: &Transaction) -> Digest {
    transaction.digest("tieline.transaction/1")
}

impl Body {
    /// Names of the transactions, in order.
    pub fn hashes(&self) -> Vec<Digest> {
        self.transactions.iter().map(transaction_hash).collect()
    }

    /// What the header says of the double votes; `None` where there are none.
    fn double_votes_hash(&self) -> Option<Digest> {
        let found = !self.double_votes.is_empty();
        found.then(|| self.double_votes.digest("tieline.double-votes/1"))
    }
}

impl Block {
    /// The child of `parent` that does this; `roots`: what the parent left.
    ///
    /// # Errors
    /// [`BlockError`] where the proposal is above a bound or hands over to another epoch than the next.
    pub fn propose(
        parent: &Parent,
        roots: &Roots,
        proposal: Proposal,
    ) -> Result<Block, BlockError> {
        let Proposal {
            time,
            body,
            context,
        } = proposal;
        let next = body.handover.as_ref().map(|handover| handover.next.hash());
        let header = Header {
            version: VERSION,
            parent: parent.digest,
            height: parent.height + 1,
            time: time.max(parent.time),
            epoch: parent.epoch,
            validators: parent.validators,
            next_validators: next.unwrap_or(parent.validators),
            handover: body.handover.as_ref().map(|handover| handover.hash()),
            double_votes: body.double_votes_hash(),
            transactions: body.transactions.len() as u64,
            transactions_root: merkle::root(&body.hashes()),
            before: *roots,
            context: Arc::from(context),
        };
        let block = Block { header, body };
        block.check(parent)?;
        Ok(block)
    }

    /// Its name.
    pub fn digest(&self, home: &Home) -> Digest {
        self.header.digest(home)
    }

    /// Whether the block is whole and follows `parent`. What it says of the state, whether its handover is approved, and the
    /// voter's clock are for others to ask.
    ///
    /// # Errors
    /// [`BlockError`]. No such block is ever valid as a child of `parent`.
    pub fn check(&self, parent: &Parent) -> Result<(), BlockError> {
        self.header.follows(parent)?;
        self.check_body()
    }

    /// Whether the body is the header's, and within bounds.
    ///
    /// # Errors
    /// [`BlockError`].
    pub fn check_body(&self) -> Result<(), BlockError> {
        let (header, body) = (&self.header, &self.body);
        let height = header.height;
        let found = body.transactions.len();
        if found > TRANSACTIONS_MAX || found as u64 != header.transactions {
            return Err(BlockError::Count {
                height,
                found,
                claimed: header.transactions,
            });
        }
        let hashes = body.hashes();
        if merkle::root(&hashes) != header.transactions_root {
            return Err(BlockError::Transactions { height });
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = hashes.iter().find(|hash| !seen.insert(**hash)) {
            return Err(BlockError::Twice {
                height,
                transaction: *twice,
            });
        }
        let handover = body.handover.as_ref();
        if handover.map(|handover| handover.hash()) != header.handover {
            return Err(BlockError::Handover { height });
        }
        let next = handover.map(|handover| (handover.next.hash(), handover.next.epoch));
        let due = header.epoch.checked_add(1);
        if next.is_some_and(|(hash, epoch)| hash != header.next_validators || Some(epoch) != due) {
            return Err(BlockError::Handover { height });
        }
        let validators = body.double_votes.iter().map(|double| double.validator);
        let once: BTreeSet<u8> = validators.collect();
        let proofs = body.double_votes.len();
        if body.double_votes_hash() != header.double_votes
            || once.len() < proofs
            || proofs > DOUBLE_VOTES_MAX
        {
            return Err(BlockError::DoubleVotes { height });
        }
        let bytes = self.to_bytes().len();
        if bytes > BLOCK_BYTES_MAX {
            return Err(BlockError::Bytes { height, bytes });
        }
        Ok(())
    }
}
