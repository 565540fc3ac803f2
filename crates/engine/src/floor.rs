//! Going on from a final block without what was before it.
//!
//! **Rules.** All validators of a chain begin with the ledger after a final block, the block, and the votes that show it to
//! be final; their disks are empty. **Guarantee.** They agree on the children of that block and on nothing else. Nobody may
//! have voted beyond it: who did, and has lost what it voted, could vote for two things. [`crate::application::Machine::rests`]
//! says when that is so.

use std::sync::Arc;

use bytes::Bytes;
use commonware_codec::Decode as _;
use commonware_consensus::simplex::types::Finalization;
use commonware_cryptography::sha256::Digest as Name;
use thiserror::Error;
use tieline_chain::Home;
use tieline_chain::files::Entry;
use tieline_chain::ledger::Ledger;

use crate::block::{Carried, digest};
use crate::scheme::HybridScheme;

/// A final block with the votes on it.
#[derive(Clone)]
pub(crate) struct Floor {
    pub(crate) block: Arc<Carried>,
    pub(crate) finalization: Finalization<HybridScheme, Name>,
}

/// Why a chain cannot go on from a block.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FloorError {
    /// It is not the ledger's tip.
    #[error("block {height} is not the tip of the ledger")]
    Tip {
        /// The block's height.
        height: u64,
    },
    /// Nothing shows it to be final.
    #[error("no votes show block {height} to be final")]
    Votes {
        /// The block's height.
        height: u64,
    },
    /// No block of the engine's.
    #[error("block {height} does not say where the engine agreed on it")]
    Place {
        /// The block's height.
        height: u64,
    },
}

impl Floor {
    /// Of a block with its certificate, which is the tip of a ledger. Votes are verified when the engine starts.
    pub(crate) fn of(entry: &Entry, ledger: &Ledger) -> Result<Floor, FloorError> {
        let home: &Home = ledger.home();
        let height = entry.block.header.height;
        if entry.block.digest(home) != ledger.tip().digest {
            return Err(FloorError::Tip { height });
        }
        let votes = || FloorError::Votes { height };
        let bytes = entry.certificate.as_ref().ok_or_else(votes)?;
        let bounds = ledger.validators().validators.len();
        let finalization =
            Finalization::<HybridScheme, Name>::decode_cfg(Bytes::copy_from_slice(bytes), &bounds);
        let finalization = finalization.map_err(|_| votes())?;
        if digest(&finalization.proposal.payload) != ledger.tip().digest {
            return Err(votes());
        }
        let block = Carried::new(entry.block.clone(), home);
        Ok(Floor {
            block: Arc::new(block.map_err(|_| FloorError::Place { height })?),
            finalization,
        })
    }
}
