//! Headers: what a light client reads.

use std::sync::Arc;

use tieline_units::canonical::Canonical;
use tieline_units::{Digest, Time, canonical};

use super::error::{BlockError, ClockError};
use super::{CONTEXT_BYTES_MAX, LAG_MAX_MS, SKEW_MAX_MS, VERSION};
use crate::home::Home;

/// What a block left behind: said by the header of the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Roots {
    /// Root over the state's records ([`crate::tree`]).
    pub state_root: Digest,
    /// How many entries the block's outbox has.
    pub outbox_entries: u64,
    /// Root over them ([`tieline_seal::merkle`]).
    pub outbox_root: Digest,
}

canonical!(Roots {
    state_root,
    outbox_entries,
    outbox_root
});

/// What a child has to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Parent {
    /// Name of the block; hash of the genesis for the first child.
    pub digest: Digest,
    /// Its height, 0 for the genesis.
    pub height: u64,
    /// Its time.
    pub time: Time,
    /// The epoch of the child.
    pub epoch: u64,
    /// Hash of the validators of the child.
    pub validators: Digest,
}

canonical!(Parent {
    digest,
    height,
    time,
    epoch,
    validators
});

/// The part of a block that names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Header {
    /// [`VERSION`].
    pub version: u8,
    /// Name of the block before.
    pub parent: Digest,
    /// One more than the parent's; the first block has 1.
    pub height: u64,
    /// The only clock that execution has.
    pub time: Time,
    /// Of the validators that agree on this block.
    pub epoch: u64,
    /// Hash of these validators.
    pub validators: Digest,
    /// Hash of the validators of the next block: the same, unless the body hands over.
    pub next_validators: Digest,
    /// Hash of the body's handover.
    pub handover: Option<Digest>,
    /// Hash of the body's double votes.
    pub double_votes: Option<Digest>,
    /// How many transactions the body has.
    pub transactions: u64,
    /// Merkle root over their names.
    pub transactions_root: Digest,
    /// What the block before left.
    pub before: Roots,
    /// The engine's own: it is hashed with the rest and read by nobody here.
    pub context: Arc<[u8]>,
}

canonical!(Header {
    version,
    parent,
    height,
    time,
    epoch,
    validators,
    next_validators,
    handover,
    double_votes,
    transactions,
    transactions_root,
    before,
    context,
});

impl Header {
    /// The block's name: SHA-256 of the chain, its genesis and the header.
    pub fn digest(&self, home: &Home) -> Digest {
        let mut encoder = home.encoder("tieline.block/1");
        self.encode(&mut encoder);
        encoder.digest()
    }

    /// What a child of this block has to follow.
    pub fn as_parent(&self, home: &Home) -> Parent {
        Parent {
            digest: self.digest(home),
            height: self.height,
            time: self.time,
            epoch: self.epoch + u64::from(self.handover.is_some()),
            validators: self.next_validators,
        }
    }

    /// Whether this header can be a child of `parent`.
    ///
    /// # Errors
    /// [`BlockError`].
    pub fn follows(&self, parent: &Parent) -> Result<(), BlockError> {
        let height = self.height;
        if self.version != VERSION {
            let found = self.version;
            return Err(BlockError::Version { height, found });
        }
        if parent.height.checked_add(1) != Some(height) {
            let parent = parent.height;
            return Err(BlockError::Height { height, parent });
        }
        if self.parent != parent.digest {
            return Err(BlockError::Parent {
                height,
                found: self.parent,
                expected: parent.digest,
            });
        }
        if self.time < parent.time {
            return Err(BlockError::Time {
                height,
                time: self.time,
                parent: parent.time,
            });
        }
        if (self.epoch, self.validators) != (parent.epoch, parent.validators) {
            return Err(BlockError::Epoch {
                height,
                found: self.epoch,
                expected: parent.epoch,
            });
        }
        let changes = self.next_validators != self.validators;
        if changes && self.handover.is_none() || self.epoch == u64::MAX {
            return Err(BlockError::Handover { height });
        }
        let bytes = self.context.len();
        if bytes > CONTEXT_BYTES_MAX {
            return Err(BlockError::Context { height, bytes });
        }
        Ok(())
    }

    /// Whether the header says of the block before what execution found.
    ///
    /// # Errors
    /// [`BlockError::Roots`] with both.
    pub fn check_roots(&self, found: &Roots) -> Result<(), BlockError> {
        if self.before == *found {
            return Ok(());
        }
        Err(BlockError::Roots {
            height: self.height,
            claimed: Box::new(self.before),
            found: Box::new(*found),
        })
    }

    /// Whether a validator whose clock shows `now` votes for a block of this time. It is no property of the block: who sees
    /// [`ClockError::Ahead`] asks again later.
    ///
    /// # Errors
    /// [`ClockError`].
    pub fn check_clock(&self, now: Time) -> Result<(), ClockError> {
        let (time, height) = (self.time, self.height);
        if time.as_millis() > now.as_millis().saturating_add(SKEW_MAX_MS) {
            return Err(ClockError::Ahead { height, time, now });
        }
        if time.as_millis().saturating_add(LAG_MAX_MS) < now.as_millis() {
            return Err(ClockError::Behind { height, time, now });
        }
        Ok(())
    }
}
