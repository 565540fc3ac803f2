//! That a block is final, as the engine shows it: at least n - f validators' votes on its name.
//!
//! A height need not have a certificate of its own: one for a later block stands for all before it, along the chain of
//! names.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use commonware_codec::{Decode as _, DecodeExt as _, Encode as _};
use commonware_consensus::simplex::types::{Finalization, Finalize, Proposal};
use commonware_consensus::types::{Epoch, Round, View};
use commonware_cryptography::sha256::Digest as Name;
use commonware_parallel::Sequential;
use commonware_utils::iter::NonEmpty;
use rand_core::{TryCryptoRng, TryRng};
use thiserror::Error;
use tieline_chain::light::{FinalityProof, FinalityStatement};
use tieline_chain::validators::ValidatorSet;
use tieline_seal::hybrid::{SigningKey, Verify};

use crate::block::name;
use crate::scheme::{Election, HybridScheme};
use crate::validators::{Identity, Validators, ValidatorsError};

/// The engine's certificate, encoded.
#[derive(Clone, PartialEq, Eq)]
pub struct Finalized(pub Vec<u8>);

impl fmt::Debug for Finalized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Finalized({} bytes)", self.0.len())
    }
}

/// Why it shows nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FinalizedError {
    /// No certificate.
    #[error("{0} bytes that are no certificate of finality")]
    Bytes(usize),
    /// Of another epoch.
    #[error("votes of epoch {found}, the block is of {expected}")]
    Epoch {
        /// The votes'.
        found: u64,
        /// The block's.
        expected: u64,
    },
    /// On another block.
    #[error("the votes are on another block, {found}")]
    Block {
        /// Its name.
        found: tieline_units::Digest,
    },
    /// Too few votes, or wrong ones.
    #[error("the votes are too few, or not those of the validators of epoch {epoch}")]
    Votes {
        /// Of which epoch.
        epoch: u64,
    },
    /// Nobody can vote with such a set.
    #[error(transparent)]
    Validators(#[from] ValidatorsError),
}

impl Finalized {
    pub(crate) fn of(finalization: &Finalization<HybridScheme, Name>) -> Finalized {
        Finalized(finalization.encode().to_vec())
    }

    /// What these voters' votes come to where nothing has to be agreed on: histories that are made up, by a simulation or a
    /// test. `voters`: Ed25519 identities with their signing keys.
    ///
    /// # Errors
    /// [`FinalizedError`]: fewer than n - f voters, or one who is no validator with this key.
    pub fn voted(
        statement: &FinalityStatement,
        validators: &ValidatorSet,
        voters: &[([u8; 32], Arc<SigningKey>)],
    ) -> Result<Finalized, FinalizedError> {
        let epoch = statement.epoch;
        let refused = FinalizedError::Votes { epoch };
        let set = Arc::new(Validators::of(validators)?);
        let election = Election {
            chain: statement.home.chain.clone(),
            genesis: statement.home.genesis,
            epoch: Epoch::new(epoch),
        };
        let round = Round::new(election.epoch, View::new(statement.height));
        let parent = View::new(statement.height.saturating_sub(1));
        let proposal = Proposal::new(round, parent, name(statement.block));
        let mut votes = Vec::new();
        for (identity, key) in voters {
            let identity = Identity::decode(Bytes::copy_from_slice(identity));
            let identity = identity.map_err(|_| refused.clone())?;
            let scheme = HybridScheme::signer(&election, set.clone(), &identity, key.clone());
            let scheme = scheme.map_err(|_| refused.clone())?;
            votes.push(Finalize::sign(&scheme, proposal.clone()).ok_or(refused.clone())?);
        }
        let votes = NonEmpty::try_new(votes.iter()).ok_or(refused.clone())?;
        let scheme = HybridScheme::verifier(&election, set);
        let made = Finalization::from_finalizes(&scheme, votes, &Sequential);
        made.as_ref().map(Finalized::of).map_err(|_| refused)
    }
}

impl FinalityProof for Finalized {
    type Error = FinalizedError;

    fn verify(
        &self,
        statement: &FinalityStatement,
        validators: &ValidatorSet,
        _: &dyn Verify,
    ) -> Result<(), FinalizedError> {
        let (found, expected) = (validators.epoch, statement.epoch);
        if found != expected {
            return Err(FinalizedError::Epoch { found, expected });
        }
        // Which epoch of the engine the votes were cast in is for those who voted: they name the block, and it names them.
        let set = Arc::new(Validators::of(validators)?);
        let bounds = set.len();
        let finalization = Finalization::<HybridScheme, Name>::decode_cfg(
            Bytes::copy_from_slice(&self.0),
            &bounds,
        )
        .map_err(|_| FinalizedError::Bytes(self.0.len()))?;
        let election = Election {
            chain: statement.home.chain.clone(),
            genesis: statement.home.genesis,
            epoch: finalization.proposal.round.epoch(),
        };
        let scheme = HybridScheme::verifier(&election, set);
        let payload = finalization.proposal.payload;
        if payload != name(statement.block) {
            let found = crate::block::digest(&payload);
            return Err(FinalizedError::Block { found });
        }
        if !finalization.verify(&mut NoDice, &scheme, &Sequential) {
            return Err(FinalizedError::Votes { epoch: expected });
        }
        Ok(())
    }
}

/// The engine passes randomness to whoever verifies in batches; our scheme verifies one by one.
struct NoDice;

impl TryRng for NoDice {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(0);
        Ok(())
    }
}

impl TryCryptoRng for NoDice {}
