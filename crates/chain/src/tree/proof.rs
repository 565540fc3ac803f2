//! That a key has a value, or none.

use thiserror::Error;
use tieline_units::canonical::{Canonical, DecodeError, Decoder};
use tieline_units::{Digest, Encoder, canonical_enum};

use super::{EMPTY, bit};

/// Deepest place of a record: the bits of a key's hash.
pub const DEPTH_MAX: usize = 256;

/// What hangs where the key's bits lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The key's own record.
    Here,
    /// Another record, so the key has none: hashes of its key and value.
    Other {
        /// Of its key.
        key: Digest,
        /// Of its value.
        value: Digest,
    },
    /// Nothing, so the key has no record.
    Nothing,
}

canonical_enum!(End { 1 => Here, 2 => Other { key, value }, 3 => Nothing });

/// Proof of one key's value, or of its absence, under a state root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateProof {
    /// Hashes beside the way, from the root down; at most [`DEPTH_MAX`].
    pub siblings: Vec<Digest>,
    /// Where the way ends.
    pub end: End,
}

/// Why a proof proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProofError {
    /// Longer than any key.
    #[error("a way of {depth} steps, at most {DEPTH_MAX} lead anywhere")]
    Depth {
        /// Its length.
        depth: usize,
    },
    /// A value with a proof of absence, or the other way round.
    #[error("the proof ends at {end:?}, which is no proof of {}", if *value { "a value" } else { "absence" })]
    End {
        /// Where it ends.
        end: End,
        /// Whether a value was to be proven.
        value: bool,
    },
    /// The record that is shown instead does not hang there.
    #[error("the record at the end of the way is the key's own, or hangs elsewhere")]
    Elsewhere,
    /// Of another state, key or value.
    #[error("the proof leads to root {found}, not to {root}")]
    Root {
        /// Where it leads.
        found: Digest,
        /// The state root.
        root: Digest,
    },
}

impl StateProof {
    pub(super) fn new(siblings: Vec<Digest>, end: End) -> StateProof {
        StateProof { siblings, end }
    }

    /// Whether under `root` the key has this value, or none.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn verify(&self, root: Digest, key: &[u8], value: Option<&[u8]>) -> Result<(), ProofError> {
        let (depth, place) = (self.siblings.len(), Digest::of(key));
        if depth > DEPTH_MAX {
            return Err(ProofError::Depth { depth });
        }
        let at_end = match (self.end, value) {
            (End::Here, Some(value)) => hash(0, place, Digest::of(value)),
            (End::Nothing, None) => EMPTY,
            (End::Other { key, value }, None) => {
                let shared = (0..depth).all(|depth| bit(&key, depth) == bit(&place, depth));
                if key == place || !shared {
                    return Err(ProofError::Elsewhere);
                }
                hash(0, key, value)
            }
            (End::Here, None) | (End::Other { .. } | End::Nothing, Some(_)) => {
                let (end, value) = (self.end, value.is_some());
                return Err(ProofError::End { end, value });
            }
        };
        let siblings = self.siblings.iter().enumerate().rev();
        let found = siblings.fold(at_end, |below, (depth, beside)| match bit(&place, depth) {
            false => hash(1, below, *beside),
            true => hash(1, *beside, below),
        });
        if found != root {
            return Err(ProofError::Root { found, root });
        }
        Ok(())
    }
}

impl Canonical for StateProof {
    fn encode(&self, to: &mut Encoder) {
        self.siblings.encode(to);
        self.end.encode(to);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let length = from.length(DEPTH_MAX)?;
        let siblings: Result<_, _> = (0..length).map(|_| Digest::read(from)).collect();
        Ok(StateProof {
            siblings: siblings?,
            end: End::read(from)?,
        })
    }
}

/// `kind`: 0 of a leaf, 1 of a branch.
pub(super) fn hash(kind: u8, one: Digest, other: Digest) -> Digest {
    let mut bytes = [kind; 65];
    bytes[1..33].copy_from_slice(one.as_bytes());
    bytes[33..].copy_from_slice(other.as_bytes());
    Digest::of(&bytes)
}
