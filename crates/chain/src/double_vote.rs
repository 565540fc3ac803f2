//! Proof that a validator voted for two things in one view.
//!
//! **What is signed.** The engine asks a validator for three kinds of votes; each is a signature in the domain {chain,
//! genesis, epoch of the engine, vote} on [`message`]. What is voted on begins with the round, epoch and view, as two
//! variable-length numbers; where a view is given up there is nothing behind it, and otherwise parent and payload.
//!
//! **Rules.** In one view an honest validator votes at most once to notarize and once to finalize, and does not both
//! finalize and give up. Whoever sees the contrary ([`DoubleVote`]) has it put into a block: its validators check it, the
//! header names it, and the chain holds for ever who it was. It does not change the state: whether the validator stays is
//! its fellows' decision at the end of the epoch ([`crate::validators::Handover`]).
//!
//! **Bounds.** [`DOUBLE_VOTES_MAX`] in a block; of the set in charge of the block. Validators vote for no block that records
//! one twice, or one of another epoch of the engine than the block's and the one before it ([`crate::replica`]): proofs for epochs
//! that never were can be made up. What is seen after the set's last block is not recorded.

use std::sync::Arc;

use thiserror::Error;
use tieline_seal::hybrid::{PublicKey, Purpose, Signature, Verify};
use tieline_units::canonical::Canonical;
use tieline_units::{Digest, Encoder, canonical, canonical_enum};

use crate::home::Home;
use crate::validators::{IDENTITY_BYTES, ValidatorSet};

/// Most proofs in a block.
pub const DOUBLE_VOTES_MAX: usize = 4;

/// Most bytes that one vote is about.
const SUBJECT_BYTES_MAX: usize = 128;

/// What a vote does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VoteKind {
    /// Says that a proposal is valid.
    Notarize,
    /// Gives up a view.
    Nullify,
    /// Makes a notarized proposal final.
    Finalize,
}

canonical_enum!(VoteKind { 1 => Notarize, 2 => Nullify, 3 => Finalize });

impl VoteKind {
    /// The engine's name of it, which is signed.
    pub const fn name(self) -> &'static [u8] {
        match self {
            VoteKind::Notarize => b"tieline_NOTARIZE",
            VoteKind::Nullify => b"tieline_NULLIFY",
            VoteKind::Finalize => b"tieline_FINALIZE",
        }
    }
}

/// A vote with all that its signature covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedVote {
    /// What it does.
    pub kind: VoteKind,
    /// The engine's encoding of what is voted on.
    pub subject: Arc<[u8]>,
    /// The validator's.
    pub signature: Signature,
}

canonical!(SignedVote {
    kind,
    subject,
    signature
});

/// Two votes of one validator that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoubleVote {
    /// The epoch of the engine that both were cast in.
    pub agreement: u64,
    /// Index of the validator in the set that is in charge of the block.
    pub validator: u8,
    /// One.
    pub one: SignedVote,
    /// The other.
    pub other: SignedVote,
}

canonical!(DoubleVote {
    agreement,
    validator,
    one,
    other
});

/// Why two votes prove nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DoubleVoteError {
    /// Nobody's.
    #[error("validator {index} of {size}")]
    Validator {
        /// Which.
        index: u8,
        /// How many there are.
        size: usize,
    },
    /// Of different rounds, of another epoch, or no votes.
    #[error("the votes of validator {0} are not of one round")]
    Round(u8),
    /// An honest validator casts both.
    #[error("the votes of validator {0} do not contradict each other")]
    Agree(u8),
    /// Not signed by it.
    #[error("a vote of validator {0} is not signed by it")]
    Signature(u8),
}

/// Fingerprint of all pairs of keys of a set, in order; every vote has it.
pub fn set_digest<'a>(
    pairs: impl ExactSizeIterator<Item = (&'a [u8; IDENTITY_BYTES], &'a PublicKey)>,
) -> Digest {
    let mut encoder = Encoder::new("tieline.validators/1");
    encoder.length(pairs.len());
    for (identity, key) in pairs {
        encoder.raw(identity);
        key.encode(&mut encoder);
    }
    encoder.digest()
}

/// What a validator of this set signs. `kind`: as the engine names it.
pub fn message(set: Digest, kind: &[u8], subject: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new("tieline.vote/1");
    encoder.raw(set.as_bytes()).bytes(kind).bytes(subject);
    encoder.into_bytes()
}

impl DoubleVote {
    /// What is recorded once: that this validator contradicted itself in this epoch.
    pub fn name(&self, home: &Home, validators: &ValidatorSet) -> Digest {
        let validator = validators.validators.get(usize::from(self.validator));
        let mut encoder = home.encoder("tieline.caught/1");
        encoder.u64(self.agreement);
        encoder.raw(&validator.map_or([0; IDENTITY_BYTES], |it| it.identity));
        encoder.digest()
    }

    /// Whether it proves what it says of a validator of this set.
    ///
    /// # Errors
    /// [`DoubleVoteError`].
    pub fn check(
        &self,
        validators: &ValidatorSet,
        home: &Home,
        verify: &dyn Verify,
    ) -> Result<(), DoubleVoteError> {
        let index = self.validator;
        let validator = validators.validators.get(usize::from(index));
        let validator = validator.ok_or(DoubleVoteError::Validator {
            index,
            size: validators.size(),
        })?;
        let (one, other) = (self.round_of(&self.one), self.round_of(&self.other));
        if one.is_none() || one != other {
            return Err(DoubleVoteError::Round(index));
        }
        if !self.contradicts() {
            return Err(DoubleVoteError::Agree(index));
        }
        let pairs = validators.validators.iter();
        let set = set_digest(pairs.map(|it| (&it.identity, &it.key)));
        let domain = home.domain(self.agreement, Purpose::Vote);
        let signed = |vote: &SignedVote| {
            let message = message(set, vote.kind.name(), &vote.subject);
            verify.verify(&validator.key, &domain, &message, &vote.signature)
        };
        if !signed(&self.one) || !signed(&self.other) {
            return Err(DoubleVoteError::Signature(index));
        }
        Ok(())
    }

    fn contradicts(&self) -> bool {
        let (one, other) = (&self.one, &self.other);
        match (one.kind, other.kind) {
            (VoteKind::Notarize, VoteKind::Notarize) | (VoteKind::Finalize, VoteKind::Finalize) => {
                one.subject != other.subject
            }
            (VoteKind::Finalize, VoteKind::Nullify) | (VoteKind::Nullify, VoteKind::Finalize) => {
                true
            }
            _ => false,
        }
    }

    /// The bytes of a vote's round, where it is one of this epoch.
    fn round_of<'a>(&self, vote: &'a SignedVote) -> Option<&'a [u8]> {
        let subject = &*vote.subject;
        if subject.len() > SUBJECT_BYTES_MAX {
            return None;
        }
        let (epoch, rest) = number(subject)?;
        let (_, rest) = number(rest)?;
        let whole = rest.is_empty() == (vote.kind == VoteKind::Nullify);
        let round = &subject[..subject.len() - rest.len()];
        (epoch == self.agreement && whole).then_some(round)
    }
}

/// A number in groups of seven bits, the lowest first, as the engine writes it, and what is behind it.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value: u64 = 0;
    for (index, &byte) in bytes.iter().enumerate().take(10) {
        let group = u64::from(byte & 0x7f);
        let shift = 7 * u32::try_from(index).ok()?;
        value |= group.checked_shl(shift).filter(|up| up >> shift == group)?;
        if byte < 0x80 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}
