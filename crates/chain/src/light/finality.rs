//! That a block is final.

use std::collections::BTreeMap;
use std::fmt;

use tieline_seal::hybrid::{Purpose, Signature, Verify};
use tieline_units::canonical::Canonical as _;
use tieline_units::{Digest, canonical};

use crate::block::Header;
use crate::home::Home;
use crate::validators::{ValidatorSet, ValidatorsError};

/// What is said of a final block.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FinalityStatement {
    /// Of which chain.
    pub home: Home,
    /// The epoch of who says it.
    pub epoch: u64,
    /// The block's height.
    pub height: u64,
    /// Its name.
    pub block: Digest,
}

canonical!(FinalityStatement {
    home,
    epoch,
    height,
    block
});

impl FinalityStatement {
    /// About a block.
    pub fn of(home: &Home, header: &Header) -> FinalityStatement {
        FinalityStatement {
            home: home.clone(),
            epoch: header.epoch,
            height: header.height,
            block: header.digest(home),
        }
    }

    /// What a validator signs of it for [`Votes`].
    pub fn message(&self) -> Vec<u8> {
        self.digest("tieline.finality/1").as_bytes().to_vec()
    }
}

/// A certificate of finality, of whatever engine. [`Votes`] is this crate's own; an engine's adapter brings another.
pub trait FinalityProof {
    /// What is wrong with one.
    type Error: fmt::Display;

    /// Whether n - f of `validators` say the statement.
    ///
    /// # Errors
    /// What is missing or wrong.
    fn verify(
        &self,
        statement: &FinalityStatement,
        validators: &ValidatorSet,
        verify: &dyn Verify,
    ) -> Result<(), Self::Error>;
}

/// Signatures of at least n - f validators on the statement, for [`Purpose::Finality`], by index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Votes {
    /// The signatures.
    pub signatures: BTreeMap<u8, Signature>,
}

canonical!(Votes { signatures });

impl FinalityProof for Votes {
    type Error = ValidatorsError;

    fn verify(
        &self,
        statement: &FinalityStatement,
        validators: &ValidatorSet,
        verify: &dyn Verify,
    ) -> Result<(), ValidatorsError> {
        if validators.epoch != statement.epoch {
            let (present, found) = (validators.epoch, statement.epoch);
            return Err(ValidatorsError::Epoch { present, found });
        }
        let scope = (&statement.home, Purpose::Finality);
        validators.verify_quorum(scope, &statement.message(), &self.signatures, verify)
    }
}
