//! What the bytes of a seal hold. A verification node attests a message only if the seal that it names covers it.

use tieline_contract::bounds::UNCONDITIONAL_BYTES_MAX;
use tieline_units::canonical::{DecodeError, Decoder};
use tieline_units::{Digest, Encoder};

/// Domain of a signed list of messages.
const SIGNED: &str = "tieline.uss.signed/1";

/// Domain of a seal without a signature.
const NAMED: &str = "tieline.pq-only-seal/1";

/// Content of a seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// An unconditional signature: [`tieline_uss::signature::SignedMessage`].
    Signed {
        /// Its epoch.
        epoch: u64,
        /// The canonical list of messages.
        body: &'a [u8],
        /// Wire form of the signature.
        signature: &'a [u8],
    },
    /// No signature, `pq-only`.
    Named {
        /// SHA-256 of the canonical list of messages.
        body: Digest,
    },
}

impl Content<'_> {
    /// Whether the seal is about this body.
    pub fn covers(&self, other: &[u8]) -> bool {
        match self {
            Content::Signed { body, .. } => *body == other,
            Content::Named { body } => *body == Digest::of(other),
        }
    }
}

/// Reads the bytes of a seal; whether the signature is right is for the nodes' tests to say.
///
/// # Errors
/// [`DecodeError`] for other bytes than a seal's.
pub fn read(bytes: &[u8]) -> Result<Content<'_>, DecodeError> {
    let mut from = Decoder::new(bytes);
    let content = match from.bytes(UNCONDITIONAL_BYTES_MAX)? {
        domain if domain == SIGNED.as_bytes() => Content::Signed {
            epoch: u64::from_be_bytes(from.array()?),
            body: from.bytes(UNCONDITIONAL_BYTES_MAX)?,
            signature: from.bytes(UNCONDITIONAL_BYTES_MAX)?,
        },
        domain if domain == NAMED.as_bytes() => {
            from.bytes(UNCONDITIONAL_BYTES_MAX)?;
            let body = Digest::from_bytes(from.array()?);
            Content::Named { body }
        }
        domain => {
            let text = String::from_utf8_lossy(domain);
            let found: String = text.chars().take(40).flat_map(char::escape_debug).collect();
            return Err(Decoder::invalid(0, "seal", found));
        }
    };
    match bytes.len() - from.at() {
        0 => Ok(content),
        count => Err(DecodeError::Trailing {
            at: from.at(),
            count,
        }),
    }
}

/// The bytes of a seal without a signature. `subject`: who says it to whom, when.
pub(super) fn named(subject: &[u8], body: Digest) -> Vec<u8> {
    let mut bytes = Encoder::new(NAMED);
    bytes.bytes(subject).raw(body.as_bytes());
    bytes.into_bytes()
}
