//! A chain's verification nodes through all epochs, for who reads certificates instead of headers.
//!
//! The nodes of the genesis attest the next ones (ROT), and so on. An entry with a certificate of a known epoch is in the
//! chain's final state, with at most f_k dishonest members.

use std::collections::BTreeMap;

use tieline_contract::certificate::Certificate;
use tieline_contract::payload::{Payload, Rotation};
use tieline_contract::threshold::Committee;
use tieline_seal::hybrid::Verify;
use tieline_units::ChainId;

use super::LightError;

/// The verification nodes of one chain, by epoch.
#[derive(Clone, Debug)]
pub struct Committees {
    chain: ChainId,
    epochs: BTreeMap<u64, Committee>,
}

impl Committees {
    /// Begins with verification nodes that the caller trusts, as those of a genesis.
    ///
    /// # Errors
    /// [`LightError::Threshold`] where they cannot stand.
    pub fn new(first: Committee) -> Result<Committees, LightError> {
        first.validate()?;
        Ok(Committees {
            chain: first.chain.clone(),
            epochs: BTreeMap::from([(first.epoch, first)]),
        })
    }

    /// Those of an epoch that is known.
    pub fn of(&self, epoch: u64) -> Option<&Committee> {
        self.epochs.get(&epoch)
    }

    /// The last epoch that is known.
    pub fn last(&self) -> u64 {
        self.epochs.keys().next_back().copied().unwrap_or(0)
    }

    /// Whether the entry of a certificate is proven.
    ///
    /// # Errors
    /// [`LightError`].
    pub fn check(&self, certificate: &Certificate, verify: &dyn Verify) -> Result<(), LightError> {
        let known = self.epochs.get(&certificate.epoch);
        let known = known.filter(|committee| committee.chain == certificate.chain);
        let committee = known.ok_or_else(|| LightError::Committee {
            chain: certificate.chain.clone(),
            epoch: certificate.epoch,
        })?;
        Ok(certificate.verify(committee, verify)?)
    }

    /// Learns the next epoch from its ROT certificate; other entries are checked and teach nothing.
    ///
    /// # Errors
    /// [`LightError`]; what is known stays as it was.
    pub fn follow(
        &mut self,
        certificate: &Certificate,
        verify: &dyn Verify,
    ) -> Result<(), LightError> {
        self.check(certificate, verify)?;
        let Payload::Rotate { rotation, .. } = &certificate.payload else {
            return Ok(());
        };
        let Rotation::Opened(next) = rotation else {
            return Ok(());
        };
        let present = self.last();
        let follows = self.epochs.get(&present).is_some_and(|old| {
            next.chain == self.chain
                && next.genesis == old.genesis
                && next.suite == old.suite
                && next.faults == old.faults
                && certificate.epoch == present
                && present.checked_add(1) == Some(next.epoch)
        });
        if !follows {
            return Err(LightError::Rotation {
                chain: next.chain.clone(),
                present,
                found: next.epoch,
            });
        }
        next.validate()?;
        self.epochs.insert(next.epoch, Committee::clone(next));
        Ok(())
    }
}
