//! Who agrees on blocks, and how one set hands over to the next.
//!
//! **Rules.** A set is in charge for one epoch. The last block of an epoch carries a [`Handover`]: the next set, at least
//! n - f signatures of the present one on it, and every new validator's proof that it holds its key. So whoever has the
//! genesis can follow the sets by headers and certificates alone. A quorum counts validators; there are no weights.

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;
use tieline_seal::hybrid::{PublicKey, Purpose, Signature, Verify};
use tieline_units::canonical::Canonical;
use tieline_units::{Digest, MicrogridId, canonical};

use crate::home::Home;

/// Fewest validators: one may be dishonest.
pub const VALIDATORS_MIN: usize = 4;

/// Most validators.
pub const VALIDATORS_MAX: usize = 64;

/// Bytes of a validator's name on the network, an Ed25519 public key.
pub const IDENTITY_BYTES: usize = 32;

/// One validator.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Validator {
    /// Ed25519 public key of its node on the network; orders the set.
    pub identity: [u8; IDENTITY_BYTES],
    /// What its votes are signed with.
    pub key: PublicKey,
    /// Who runs it.
    pub owner: MicrogridId,
}

canonical!(Validator {
    identity,
    key,
    owner
});

impl Validator {
    /// SHA-256 of identity, key and owner: what people compare before they let somebody in.
    pub fn fingerprint(&self) -> Digest {
        self.digest("tieline.validator/1")
    }
}

/// The validators of one epoch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValidatorSet {
    /// From 0.
    pub epoch: u64,
    /// In rising order of their identities; a signature names its validator by index.
    pub validators: Vec<Validator>,
}

canonical!(ValidatorSet { epoch, validators });

/// Why a set cannot be in charge.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ValidatorsError {
    /// Too few or too many.
    #[error("epoch {epoch} has {size} validators, {VALIDATORS_MIN} to {VALIDATORS_MAX} are needed")]
    Size {
        /// The epoch.
        epoch: u64,
        /// How many.
        size: usize,
    },
    /// Two of one identity, or not in order.
    #[error("the identity of validator {index} in epoch {epoch} is not above the one before it")]
    Order {
        /// The epoch.
        epoch: u64,
        /// Which.
        index: usize,
    },
    /// A key twice, or of another suite than the first.
    #[error("the key of validator {index} in epoch {epoch} stands twice or is of another suite")]
    Key {
        /// The epoch.
        epoch: u64,
        /// Which.
        index: usize,
    },
    /// Not the next epoch.
    #[error("epoch {found} follows {present}")]
    Epoch {
        /// The epoch of the set in charge.
        present: u64,
        /// The epoch of its successor.
        found: u64,
    },
    /// A signature for a validator that does not exist.
    #[error("validator {index} of {size}")]
    Seat {
        /// Which.
        index: u8,
        /// How many there are.
        size: usize,
    },
    /// Too few signatures.
    #[error("{found} validators of epoch {epoch} signed, {least} are needed")]
    Quorum {
        /// The epoch.
        epoch: u64,
        /// How many signed.
        found: usize,
        /// n - f.
        least: usize,
    },
    /// A signature that is not the validator's.
    #[error("the signature of validator {index} of epoch {epoch} is wrong")]
    Signature {
        /// The epoch of the signer.
        epoch: u64,
        /// Who.
        index: u8,
    },
}

impl ValidatorSet {
    /// How many there are: n.
    pub fn size(&self) -> usize {
        self.validators.len()
    }

    /// How many may be dishonest: the largest f with n ≥ 3f + 1.
    pub fn faults(&self) -> usize {
        self.size().saturating_sub(1) / 3
    }

    /// How many make a quorum: n - f.
    pub fn quorum(&self) -> usize {
        self.size() - self.faults()
    }

    /// What names the set in headers.
    pub fn hash(&self) -> Digest {
        self.digest("tieline.validators/1")
    }

    /// Whether the set can be in charge.
    ///
    /// # Errors
    /// [`ValidatorsError`] with the validator that does not fit.
    pub fn validate(&self) -> Result<(), ValidatorsError> {
        let (epoch, size) = (self.epoch, self.size());
        if !(VALIDATORS_MIN..=VALIDATORS_MAX).contains(&size) {
            return Err(ValidatorsError::Size { epoch, size });
        }
        let suite = self.validators.first().map(|first| first.key.suite());
        for (index, validator) in self.validators.iter().enumerate() {
            let before = &self.validators[..index];
            if before
                .last()
                .is_some_and(|last| last.identity >= validator.identity)
            {
                return Err(ValidatorsError::Order { epoch, index });
            }
            let taken = before.iter().any(|other| other.key == validator.key);
            if taken || Some(validator.key.suite()) != suite {
                return Err(ValidatorsError::Key { epoch, index });
            }
        }
        Ok(())
    }

    /// Whether every signature is its validator's on `message` for `purpose`, and there are n - f. Counts first.
    ///
    /// # Errors
    /// [`ValidatorsError`] with the validator or the count.
    pub fn verify_quorum(
        &self,
        (home, purpose): (&Home, Purpose),
        message: &[u8],
        signatures: &BTreeMap<u8, Signature>,
        verify: &dyn Verify,
    ) -> Result<(), ValidatorsError> {
        let (epoch, size, least) = (self.epoch, self.size(), self.quorum());
        let found = signatures.len();
        if let Some((&index, _)) = signatures.range(small(size)..).next() {
            return Err(ValidatorsError::Seat { index, size });
        }
        if found < least {
            return Err(ValidatorsError::Quorum {
                epoch,
                found,
                least,
            });
        }
        let domain = home.domain(epoch, purpose);
        let wrong = signatures.iter().find(|(index, signature)| {
            let key = &self.validators[usize::from(**index)].key;
            !verify.verify(key, &domain, message, signature)
        });
        match wrong {
            Some((&index, _)) => Err(ValidatorsError::Signature { epoch, index }),
            None => Ok(()),
        }
    }
}

/// Sets have at most [`VALIDATORS_MAX`].
fn small(size: usize) -> u8 {
    u8::try_from(size).unwrap_or(u8::MAX)
}

/// The end of an epoch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handover {
    /// In charge from the next block on.
    pub next: Arc<ValidatorSet>,
    /// By the present validators, on [`Handover::message`].
    pub approvals: BTreeMap<u8, Signature>,
    /// By each of the next, that it holds its key.
    pub possession: BTreeMap<u8, Signature>,
}

canonical!(Handover {
    next,
    approvals,
    possession
});

impl Handover {
    /// What both sets sign.
    pub fn message(next: &ValidatorSet) -> Vec<u8> {
        next.hash().as_bytes().to_vec()
    }

    /// What names it in a header.
    pub fn hash(&self) -> Digest {
        self.digest("tieline.handover/1")
    }

    /// Whether `present` hands over so: the next epoch, a set that can be in charge, n - f approvals, every key proven.
    ///
    /// # Errors
    /// [`ValidatorsError`].
    pub fn check(
        &self,
        present: &ValidatorSet,
        home: &Home,
        verify: &dyn Verify,
    ) -> Result<(), ValidatorsError> {
        let next = &*self.next;
        if present.epoch.checked_add(1) != Some(next.epoch) {
            return Err(ValidatorsError::Epoch {
                present: present.epoch,
                found: next.epoch,
            });
        }
        next.validate()?;
        let message = Handover::message(next);
        let scope = (home, Purpose::Transaction);
        present.verify_quorum(scope, &message, &self.approvals, verify)?;
        if self.possession.len() != next.size() {
            return Err(ValidatorsError::Quorum {
                epoch: next.epoch,
                found: self.possession.len(),
                least: next.size(),
            });
        }
        let scope = (home, Purpose::Possession);
        next.verify_quorum(scope, &message, &self.possession, verify)
    }
}
