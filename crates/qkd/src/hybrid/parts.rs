//! What goes into an agreement, and what can be wrong with it.

use thiserror::Error;
use tieline_uss::key::KeyError;
use zeroize::Zeroizing;

use super::policy::Label;
use crate::store::codec::{Reader, Writer};
use crate::store::{CodecError, KeyId, Sae, StoreError};

/// Longest key that is derived, bytes: what HKDF-SHA-256 gives.
pub const KEY_BYTES_MAX: u32 = 255 * 32;
/// Longest name of a purpose, bytes.
pub const PURPOSE_BYTES_MAX: usize = 1024;
/// Shortest QKD key of a hybrid agreement, bytes.
pub const QKD_BYTES_MIN: usize = 32;

/// Where both ends find the same QKD key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRef {
    /// By its name at the key manager.
    KeyId(KeyId),
    /// By its place in the lane from initiator to responder.
    Position(u64),
}

/// A QKD key for one agreement; wiped when dropped.
pub struct QkdKey {
    pub(super) place: KeyRef,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

/// What both ends have to agree on before they begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Who begins.
    pub initiator: Sae,
    /// Who answers.
    pub responder: Sae,
    /// What the key is for: epoch, channel. At most [`PURPOSE_BYTES_MAX`] bytes.
    pub purpose: Vec<u8>,
    /// Length of the key, 16 to [`KEY_BYTES_MAX`] bytes.
    pub bytes: u32,
}

/// Why there is no key. Whatever was secret is gone.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HybridError {
    /// Terms that cannot be met.
    #[error(
        "a key of {bytes} bytes for a purpose of {purpose} bytes: 16 to {KEY_BYTES_MAX} and at most {PURPOSE_BYTES_MAX} are possible"
    )]
    Terms {
        /// Length of the key.
        bytes: u32,
        /// Length of the purpose.
        purpose: usize,
    },
    /// Terms of the other end that are not ours.
    #[error("the other end proposes other terms: its {what} differs")]
    OtherTerms {
        /// What differs.
        what: &'static str,
    },
    /// The label is `its`, which no derivation gives.
    #[error("a derived key cannot be labelled its; use raw QKD bits")]
    NotDerivable,
    /// The other end proposes less than the policy takes.
    #[error("the other end proposes a {proposed} key, which the policy does not accept")]
    Refused {
        /// Its label.
        proposed: Label,
    },
    /// A hybrid agreement without a QKD key at this end.
    #[error("the agreement is hybrid and this end has no QKD key for it")]
    NoQkdKey,
    /// A QKD key where none is used: it would be lost.
    #[error("the agreement is pq-only and a QKD key was given; keep it")]
    UnusedQkdKey,
    /// The QKD key is too short.
    #[error("the QKD key is too short: {0}")]
    QkdKey(KeyError),
    /// A QKD key from elsewhere than the other end says.
    #[error("the other end takes its QKD key from another place")]
    OtherPlace,
    /// A message that is none.
    #[error("the {message} message is refused: {cause}")]
    Message {
        /// Which.
        message: &'static str,
        /// Why.
        cause: CodecError,
    },
    /// A public key or share that is none.
    #[error("the other end's {what} is not one")]
    Share {
        /// Which.
        what: &'static str,
    },
    /// The ends do not have the same key: a message was changed, or a QKD key differs.
    #[error("the proof does not hold: a message was changed on its way, or the QKD keys differ")]
    Proof,
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] StoreError),
}

impl QkdKey {
    /// A key that was drawn or fetched, and where.
    pub fn new(place: KeyRef, bytes: Zeroizing<Vec<u8>>) -> QkdKey {
        QkdKey { place, bytes }
    }
}

impl KeyRef {
    pub(super) fn write(place: Option<KeyRef>, out: &mut Writer) {
        match place {
            None => out.u8(0),
            Some(KeyRef::KeyId(id)) => {
                out.u8(1);
                out.raw(&id.0);
            }
            Some(KeyRef::Position(position)) => {
                out.u8(2);
                out.u64(position);
            }
        }
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Option<KeyRef>, CodecError> {
        let at = from.at();
        Ok(match from.u8()? {
            0 => None,
            1 => Some(KeyRef::KeyId(KeyId(from.array()?))),
            2 => Some(KeyRef::Position(from.u64()?)),
            value => {
                return Err(CodecError::Value {
                    what: "place of the QKD key",
                    at,
                    value: value.into(),
                });
            }
        })
    }
}

impl Terms {
    pub(super) fn check(&self) -> Result<(), HybridError> {
        let purpose = self.purpose.len();
        match (16..=KEY_BYTES_MAX).contains(&self.bytes) && purpose <= PURPOSE_BYTES_MAX {
            true => Ok(()),
            false => Err(HybridError::Terms {
                bytes: self.bytes,
                purpose,
            }),
        }
    }
}

/// The QKD key that goes with a label.
pub(super) fn qkd_for(label: Label, qkd: Option<QkdKey>) -> Result<Option<QkdKey>, HybridError> {
    match (label, qkd) {
        (Label::Its, _) => Err(HybridError::NotDerivable),
        (Label::PqOnly, Some(_)) => Err(HybridError::UnusedQkdKey),
        (Label::PqOnly, None) => Ok(None),
        (Label::Hybrid, None) => Err(HybridError::NoQkdKey),
        (Label::Hybrid, Some(key)) if key.bytes.len() < QKD_BYTES_MIN => {
            Err(HybridError::QkdKey(KeyError::Short {
                have: key.bytes.len() * 8,
                need: QKD_BYTES_MIN * 8,
            }))
        }
        (Label::Hybrid, Some(key)) => Ok(Some(key)),
    }
}
