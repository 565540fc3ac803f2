//! T2 and its like on every chain: from a block's outbox to certificates.
//!
//! A verification node reads its own final state, tests the unconditional signatures of new requests and responses outside
//! of any ledger, signs the [`Statement`] of the block, or stays silent. A relayer collects signatures and makes one
//! [`Certificate`] per entry. Neither needs to be trusted for more than that.

use std::collections::BTreeMap;
use std::sync::Arc;

use tieline_units::Digest;

use crate::certificate::{Certificate, Statement, VERSION};
use crate::payload::Payload;
use crate::state::State;
use tieline_seal::hybrid::Signature;
use tieline_seal::merkle::{proofs, root};

impl State {
    /// What verification nodes of `epoch` sign of a block of this chain.
    ///
    /// `state_root`: root of the state after that block, as the chain's headers have it.
    pub fn statement(&self, height: u64, epoch: u64, state_root: Digest) -> Statement {
        let leaves = leaves(self, height);
        Statement {
            chain: self.rules().chain.clone(),
            genesis: self.rules().genesis,
            epoch,
            height,
            state_root,
            outbox_entries: leaves.len() as u64,
            outbox_root: root(&leaves),
        }
    }

    /// Certificates of all entries of a block, in order: one set of signatures serves them all.
    ///
    /// `statement`: what the signatures are on. By seat.
    pub fn certificates(
        &self,
        statement: &Statement,
        signatures: &BTreeMap<u8, Signature>,
    ) -> Vec<Certificate> {
        let leaves = leaves(self, statement.height);
        let entries = self.outbox(statement.height).zip(proofs(&leaves));
        let certificates = entries.map(|(payload, proof)| Certificate {
            version: VERSION,
            chain: statement.chain.clone(),
            genesis: statement.genesis,
            epoch: statement.epoch,
            height: statement.height,
            state_root: statement.state_root,
            payload: Payload::clone(payload),
            proof,
            attestations: signatures.clone(),
        });
        certificates.collect()
    }
}

fn leaves(state: &State, height: u64) -> Vec<Digest> {
    let hash = |payload: &Arc<Payload>| payload.hash();
    state.outbox(height).map(hash).collect()
}
