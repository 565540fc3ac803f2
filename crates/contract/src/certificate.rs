//! Certificates: what a chain said, attested by its verification nodes.
//!
//! **Parties.** The members of V_k; any relayer; whoever reads. **Rule.** A member signs only what it reads from state that
//! its own node has finalised and executed. It signs the root over all outbox entries of a block at once, so one
//! attestation serves every order in it. A certificate is an entry, its place under the root, and at least t_k signatures.
//! **Guarantee.** With at most f_k dishonest members an entry with a certificate is in the chain's final state.
//!
//! **Deviation.** Formula (18), |σ⟩ = K * (|M⟩, |Σ⟩, T), has an undefined operator and signs nothing quantum: read as the
//! members' signatures on a classical message, with a list of signers in the place of a key of the whole subset.

use std::collections::BTreeMap;

use thiserror::Error;
use tieline_units::canonical::Canonical;
use tieline_units::{ChainId, Digest, canonical};

use crate::bounds::CERTIFICATE_BYTES_MAX;
use crate::payload::Payload;
use crate::threshold::{Committee, SEATS_MAX, ThresholdError, public_check};
use tieline_seal::hybrid::{Domain, Purpose, Signature, Verify};
use tieline_seal::merkle::Proof;

/// Version of the encoding.
pub const VERSION: u8 = 1;

/// What a verification node signs of a block.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Statement {
    /// The chain.
    pub chain: ChainId,
    /// Its genesis.
    pub genesis: Digest,
    /// The epoch of who signs.
    pub epoch: u64,
    /// The block.
    pub height: u64,
    /// Root of the state after it.
    pub state_root: Digest,
    /// How many entries its outbox has.
    pub outbox_entries: u64,
    /// Root over them.
    pub outbox_root: Digest,
}

canonical!(Statement {
    chain,
    genesis,
    epoch,
    height,
    state_root,
    outbox_entries,
    outbox_root
});

impl Statement {
    /// Where its signatures count.
    pub fn domain(&self, purpose: Purpose) -> Domain {
        Domain {
            chain: self.chain.clone(),
            genesis: self.genesis,
            epoch: self.epoch,
            purpose,
        }
    }

    /// What is signed.
    pub fn message(&self) -> Vec<u8> {
        self.digest("tieline.statement/1").as_bytes().to_vec()
    }
}

/// An entry of a chain's outbox with what proves it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Certificate {
    /// [`VERSION`].
    pub version: u8,
    /// The chain that says it.
    pub chain: ChainId,
    /// Its genesis.
    pub genesis: Digest,
    /// The epoch of who attests it.
    pub epoch: u64,
    /// The block that said it.
    pub height: u64,
    /// Root of the state after that block.
    pub state_root: Digest,
    /// What is said.
    pub payload: Payload,
    /// Its place under the block's outbox root.
    pub proof: Proof,
    /// Signatures by seat: distinct and sorted by construction.
    pub attestations: BTreeMap<u8, Signature>,
}

canonical!(Certificate[CERTIFICATE_BYTES_MAX] {
    version,
    chain,
    genesis,
    epoch,
    height,
    state_root,
    payload,
    proof,
    attestations[SEATS_MAX],
});

/// Why a certificate proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Another encoding.
    #[error("version {found}, this code reads {VERSION}")]
    Version {
        /// The version found.
        found: u8,
    },
    /// Nobody is registered for this chain and epoch.
    #[error("no verification nodes are known for {chain}, epoch {epoch}")]
    Unknown {
        /// The chain.
        chain: ChainId,
        /// The epoch.
        epoch: u64,
    },
    /// The epoch is over.
    #[error("epoch {epoch} of {chain} is closed")]
    Closed {
        /// The chain.
        chain: ChainId,
        /// The epoch.
        epoch: u64,
    },
    /// Another network's chain of that name.
    #[error("{chain} has genesis {expected}, the certificate says {found}")]
    Genesis {
        /// The chain.
        chain: ChainId,
        /// What is registered.
        expected: Digest,
        /// What was found.
        found: Digest,
    },
    /// The entry is not where the proof says.
    #[error("the proof of leaf {index} of {count} does not fit")]
    Proof {
        /// Leaf.
        index: u64,
        /// Leaves.
        count: u64,
    },
    /// Formula (15).
    #[error(transparent)]
    Threshold(#[from] ThresholdError),
    /// A seat that does not exist.
    #[error("seat {seat} of {seats}")]
    Seat {
        /// The seat.
        seat: u8,
        /// How many there are.
        seats: usize,
    },
    /// A signature that is not the member's on this statement.
    #[error("the signature of seat {seat} is wrong")]
    Signature {
        /// Whose.
        seat: u8,
    },
}

impl Certificate {
    /// The statement that its signatures are on; `None` when the proof's shape is impossible.
    pub fn statement(&self) -> Option<Statement> {
        Some(Statement {
            chain: self.chain.clone(),
            genesis: self.genesis,
            epoch: self.epoch,
            height: self.height,
            state_root: self.state_root,
            outbox_entries: self.proof.count,
            outbox_root: self.proof.root(self.payload.hash())?,
        })
    }

    /// Whether each signature is its seat's on this entry; how many there are is for [`Certificate::verify`].
    ///
    /// # Errors
    /// [`CertificateError`] with the seat or the field.
    pub fn verify_signatures(
        &self,
        committee: &Committee,
        verify: &dyn Verify,
    ) -> Result<(), CertificateError> {
        if self.version != VERSION {
            let found = self.version;
            return Err(CertificateError::Version { found });
        }
        if self.genesis != committee.genesis {
            return Err(CertificateError::Genesis {
                chain: self.chain.clone(),
                expected: committee.genesis,
                found: self.genesis,
            });
        }
        let statement = self.statement().ok_or(CertificateError::Proof {
            index: self.proof.index,
            count: self.proof.count,
        })?;
        let (domain, message) = (statement.domain(Purpose::Attestation), statement.message());
        for (&seat, signature) in &self.attestations {
            let seats = committee.size();
            let member = committee.seats.get(usize::from(seat));
            let member = member.ok_or(CertificateError::Seat { seat, seats })?;
            if !verify.verify(&member.key, &domain, &message, signature) {
                return Err(CertificateError::Signature { seat });
            }
        }
        Ok(())
    }

    /// Whether the entry is proven: formula (15) and every signature. Cheap tests come first.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn verify(
        &self,
        committee: &Committee,
        verify: &dyn Verify,
    ) -> Result<(), CertificateError> {
        public_check(committee, self.payload.kind(), self.attestations.len())?;
        self.verify_signatures(committee, verify)
    }
}
