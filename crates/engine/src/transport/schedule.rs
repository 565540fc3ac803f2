//! From messages to keys: the hash that binds everything, and the derivation.
//!
//! ```text
//! h0 = SHA-256(text "tieline.link/1" ‖ bytes namespace ‖ bytes context of the domain ‖ knock
//!              ‖ identity of L ‖ fingerprint of D's signing key ‖ fingerprint of L's)
//! h1 = SHA-256(text "tieline.link.hello/1"  ‖ h0 ‖ bytes hello)          D signs h1
//! h2 = SHA-256(text "tieline.link.answer/1" ‖ h1 ‖ bytes D's proof ‖ bytes answer)   L signs h2
//! h3 = SHA-256(text "tieline.link.keys/1"   ‖ h2 ‖ bytes L's proof)
//!
//! secret    = u32 len ‖ K_QKD ‖ u32 len ‖ K_ML-KEM ‖ u32 len ‖ K_X25519     (the first is empty without a QKD key)
//! K(use)    = HKDF-Expand(HKDF-Extract("tieline link 1", secret), bytes use ‖ h3, 32)
//! ```

use hkdf::Hkdf;
use sha2::Sha256;
use tieline_seal::hybrid::{Domain, PublicKey};
use tieline_units::{Digest, Encoder};
use zeroize::{Zeroize as _, Zeroizing};

use super::frame::knock;
use crate::validators::Identity;

/// One end, as both know it.
#[derive(Clone, Debug)]
pub(super) struct End {
    /// Who it is.
    pub(super) identity: Identity,
    /// The signing key that belongs to it.
    pub(super) signing: PublicKey,
}

/// What both ends know before the first byte.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// What the connection is for, as the engine calls it.
    pub(super) namespace: Vec<u8>,
    /// Chain and genesis.
    pub(super) domain: Domain,
    /// D.
    pub(super) dialer: End,
    /// L.
    pub(super) listener: End,
}

impl Pair {
    /// h0.
    pub(super) fn hash(&self) -> Digest {
        let mut encoder = Encoder::new("tieline.link/1");
        encoder.bytes(&self.namespace);
        encoder.bytes(&self.domain.context());
        encoder.raw(&knock(&self.dialer.identity));
        encoder.raw(&self.listener.identity);
        encoder.raw(self.dialer.signing.id().0.as_bytes());
        encoder.raw(self.listener.signing.id().0.as_bytes());
        encoder.digest()
    }
}

/// h1 and h3.
pub(super) fn step(label: &str, before: Digest, bytes: &[u8]) -> Digest {
    let mut encoder = Encoder::new(label);
    encoder.raw(before.as_bytes());
    encoder.bytes(bytes);
    encoder.digest()
}

/// h2.
pub(super) fn answered(hello: Digest, proof: &[u8], answer: &[u8]) -> Digest {
    let mut encoder = Encoder::new("tieline.link.answer/1");
    encoder.raw(hello.as_bytes());
    encoder.bytes(proof);
    encoder.bytes(answer);
    encoder.digest()
}

/// The secrets of a handshake.
pub(super) struct Secrets<'a> {
    /// From the QKD link; empty when there is none.
    pub(super) psk: &'a [u8],
    /// From ML-KEM-768.
    pub(super) kem: &'a [u8; 32],
    /// From X25519.
    pub(super) dh: &'a [u8; 32],
}

/// What is derived.
pub(super) struct Keys {
    pub(super) session: Zeroizing<[u8; 32]>,
    pub(super) dialer: Zeroizing<[u8; 32]>,
    pub(super) listener: Zeroizing<[u8; 32]>,
}

impl Keys {
    /// `transcript`: h3.
    pub(super) fn derive(secrets: &Secrets<'_>, transcript: Digest) -> Keys {
        let parts = [secrets.psk, secrets.kem, secrets.dh];
        // Of the right size at once: growing would leave copies behind.
        let size = parts.iter().map(|part| 4 + part.len()).sum();
        let mut secret = Zeroizing::new(Vec::with_capacity(size));
        for part in parts {
            let length = u32::try_from(part.len()).expect("QKD keys are bounded");
            secret.extend_from_slice(&length.to_be_bytes());
            secret.extend_from_slice(part);
        }
        let derivation = Hkdf::<Sha256>::new(Some(b"tieline link 1"), &secret);
        let derive = |use_: &str| {
            let mut info = Encoder::default();
            info.text(use_);
            info.raw(transcript.as_bytes());
            let mut key = Zeroizing::new([0; 32]);
            derivation
                .expand(info.as_bytes(), &mut *key)
                .expect("32 bytes are within HKDF's reach");
            key
        };
        Keys {
            session: derive("session"),
            dialer: derive("dialer has the key"),
            listener: derive("listener has the key"),
        }
    }
}

/// 32 or 64 random bytes that are wiped.
pub(super) fn random<const N: usize>(rng: &mut impl rand_core::CryptoRng) -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    rng.fill_bytes(&mut *bytes);
    bytes
}

/// Wipes what a library hands out without.
pub(super) fn take(mut shared: ml_kem::SharedKey) -> Zeroizing<[u8; 32]> {
    let taken = Zeroizing::new(shared.into());
    shared.as_mut_slice().zeroize();
    taken
}
