//! Sizes of the signatures of a run: searched once per number of receivers and length of message.

use std::collections::BTreeMap;

use thiserror::Error;
use tieline_uss::bounds::{FamilyName, Load, Request, SearchError, search};
use tieline_uss::committee::{Committee, CommitteeError};
use tieline_uss::parameters::{ParameterError, Parameters};

use super::SEALS_PER_EPOCH;

/// l_max: the home chain's nodes take a signature first hand, the counterpart's after one transfer.
pub const TRANSFERS: u8 = 1;

/// The functions that take the least key.
const FAMILY: FamilyName = FamilyName::Small;

/// Lengths that are searched for, bytes: key grows with the logarithm of the length alone, so steps of four cost little.
const CLASSES: [u64; 6] = [1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20];

/// What stands before the body of a message, at most: names of two chains and of a gateway, numbers, lengths.
const HEADER_BYTES_MAX: usize = 512;

/// Why there are no sizes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SizeError {
    /// A number of receivers that makes no committee.
    #[error(transparent)]
    Committee(#[from] CommitteeError),
    /// Nothing reaches the level.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// What was found is too large for the library.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// A body above every length that is searched for.
    #[error("a body of {bytes} bytes: no signature covers so many")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
}

/// Sizes found so far.
#[derive(Clone, Debug, Default)]
pub struct Sizes(BTreeMap<(u8, u16, u64), Parameters>);

impl Sizes {
    /// The cheapest parameters with `receivers` n, the largest ω that is live, and failures of at most 2^-`level` each, for
    /// bodies of up to `body_bytes`.
    ///
    /// # Errors
    /// [`SizeError`].
    pub fn of(
        &mut self,
        receivers: u8,
        level: u16,
        body_bytes: usize,
    ) -> Result<Parameters, SizeError> {
        let whole = body_bytes.saturating_add(HEADER_BYTES_MAX) as u64;
        let message_bytes = (CLASSES.into_iter().find(|class| *class >= whole))
            .ok_or(SizeError::TooLong { bytes: body_bytes })?;
        let key = (receivers, level, message_bytes);
        if let Some(found) = self.0.get(&key) {
            return Ok(found.clone());
        }
        let choice = search(&Request {
            committee: Committee::largest_live(receivers, TRANSFERS)?,
            security_bits: level,
            family: FAMILY,
            message_bytes,
            load: Load {
                messages: SEALS_PER_EPOCH,
                attempts: 0,
            },
        })?;
        let found = Parameters::found(&choice)?;
        self.0.insert(key, found.clone());
        Ok(found)
    }
}
