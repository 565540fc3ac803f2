//! The four messages, as bytes. Each is read to its last byte or refused.

use commonware_codec::{Copying, DecodeExt as _};
use commonware_cryptography::ed25519;
use tieline_seal::hybrid::Signature;
use tieline_units::canonical;
use tieline_units::canonical::{Canonical, DecodeError, Decoder};

use super::error::LinkError;
use super::psk::{PskId, PskPolicy, Verdict};
use crate::validators::{Identity, SUITE};

/// Bytes of an X25519 share.
pub(super) const SHARE: usize = 32;
/// Bytes of an ML-KEM-768 encapsulation key.
pub(super) const KEM_KEY: usize = 1184;
/// Bytes of an ML-KEM-768 ciphertext.
pub(super) const KEM_TEXT: usize = 1088;
/// Bytes of a confirmation.
pub(super) const CONFIRMATION: usize = 32;

const MAGIC: [u8; 4] = *b"TLNK";
const VERSION: u8 = 1;
/// X25519 with ML-KEM-768 and HKDF-SHA-256; Ed25519 with ML-DSA-65.
const ALGORITHMS: u8 = 1;

/// Bytes of a knock.
pub const KNOCK_BYTES: u32 = 4 + 1 + 1 + 32;
/// Bytes of a hello that offers a QKD key; 16 fewer without.
pub const HELLO_BYTES: u32 = (8 + SHARE + KEM_KEY + 1 + 17 + Proof::SIZE) as u32;
/// Bytes of an answer.
pub const ANSWER_BYTES: u32 = (8 + SHARE + KEM_TEXT + 1 + 1 + Proof::SIZE + CONFIRMATION) as u32;
/// Bytes of a finish.
pub const FINISH_BYTES: u32 = CONFIRMATION as u32;

/// The first message: who calls, and how.
pub(super) fn knock(dialer: &Identity) -> [u8; KNOCK_BYTES as usize] {
    let mut out = [0; KNOCK_BYTES as usize];
    out[..4].copy_from_slice(&MAGIC);
    out[4] = VERSION;
    out[5] = ALGORITHMS;
    out[6..].copy_from_slice(dialer);
    out
}

/// Who calls, by its own account.
pub(super) fn read_knock(bytes: &[u8]) -> Result<Identity, LinkError> {
    let mut from = Decoder::new(bytes);
    let read = || {
        let fields: ([u8; 4], [u8; 2], [u8; 32]) = (from.array()?, from.array()?, from.array()?);
        from.finish()?;
        Ok(fields)
    };
    let (found, [version, suite], name) = refused("knock", read())?;
    if found != MAGIC {
        return Err(LinkError::NotOurs { found });
    }
    if (version, suite) != (VERSION, ALGORITHMS) {
        return Err(LinkError::Version { version, suite });
    }
    Identity::decode(Copying(&name)).map_err(|_| LinkError::NoIdentity)
}

/// What the dialer says, before its proof.
pub(super) struct Hello {
    pub(super) time: u64,
    pub(super) share: [u8; SHARE],
    pub(super) kem: [u8; KEM_KEY],
    pub(super) policy: PskPolicy,
    pub(super) psk: Option<PskId>,
}

canonical!(Hello {
    time,
    share,
    kem,
    policy,
    psk
});

/// What the listener says, before its proof.
pub(super) struct Answer {
    pub(super) time: u64,
    pub(super) share: [u8; SHARE],
    pub(super) kem: [u8; KEM_TEXT],
    pub(super) policy: PskPolicy,
    pub(super) psk: Verdict,
}

canonical!(Answer {
    time,
    share,
    kem,
    policy,
    psk
});

/// Both signatures of one end.
pub(super) struct Proof {
    pub(super) identity: [u8; 64],
    pub(super) signing: Signature,
}

canonical!(Proof { identity, signing });

impl Proof {
    /// Bytes: Ed25519, then suite, Ed25519 and ML-DSA-65.
    pub(super) const SIZE: usize = 64 + 1 + SUITE.signature_bytes();

    /// The identity key's signature in the engine's type.
    pub(super) fn of_identity(&self) -> Option<ed25519::Signature> {
        ed25519::Signature::decode(Copying(&self.identity)).ok()
    }
}

/// Reads a message to its last byte.
pub(super) fn read<T: Canonical>(message: &'static str, bytes: &[u8]) -> Result<T, LinkError> {
    refused(message, T::decode(bytes))
}

fn refused<T>(message: &'static str, read: Result<T, DecodeError>) -> Result<T, LinkError> {
    read.map_err(|cause| LinkError::Message { message, cause })
}
