//! What comes out of an agreement.

use std::fmt;

use hmac::Mac as _;
use hmac::digest::Digest as _;
use sha2::Sha256;
use tieline_uss::key::DerivedKey;
use zeroize::Zeroizing;

use super::combine::{Secrets, combine};
use super::parts::{QkdKey, Terms};
use super::policy::{Grade, Label, Reason};
use crate::store::seal::mac;

/// Bytes of a proof that an end has the key.
pub(super) const PROOF: usize = 32;

/// A key, what it rests on, and the hash of the messages that made it.
pub struct AgreedKey {
    key: DerivedKey,
    grade: Grade,
    transcript: [u8; 32],
}

impl AgreedKey {
    /// What it rests on; goes into every record about what the key protects.
    pub fn label(&self) -> Label {
        self.grade.label
    }

    /// Why that is less than this end wanted.
    pub fn because(&self) -> Option<&Reason> {
        self.grade.because()
    }

    /// Hash of both messages, the same at both ends: to be signed where the key is not authenticated.
    pub fn transcript(&self) -> &[u8; 32] {
        &self.transcript
    }

    /// The key, for ciphers.
    pub fn into_key(self) -> DerivedKey {
        self.key
    }
}

impl fmt::Debug for AgreedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgreedKey(<redacted>, {})", self.grade.label)
    }
}

/// The key and the proofs that both ends have it.
pub(super) struct Keys {
    key: DerivedKey,
    pub(super) initiator: Zeroizing<[u8; PROOF]>,
    pub(super) responder: Zeroizing<[u8; PROOF]>,
    transcript: [u8; 32],
}

impl Keys {
    pub(super) fn derive(
        terms: &Terms,
        label: Label,
        qkd: Option<&QkdKey>,
        (kem, dh): (&[u8; 32], &[u8; 32]),
        messages: [&[u8]; 2],
    ) -> Keys {
        let mut hash = Sha256::new();
        hash.update(b"tieline hybrid transcript 1");
        for message in messages {
            hash.update((message.len() as u64).to_be_bytes());
            hash.update(message);
        }
        let transcript: [u8; 32] = hash.finalize().into();
        let secrets = Secrets {
            qkd: qkd.map_or(&[], |key| &key.bytes),
            kem,
            dh,
        };
        let place = qkd.map(|key| key.place);
        let key = combine(&secrets, "key", label, terms, (&transcript, place));
        let proofs = Terms {
            bytes: 32,
            ..terms.clone()
        };
        let proof_key = combine(&secrets, "proof", label, &proofs, (&transcript, place));
        let proof = |role: &[u8]| {
            let proof = mac(&proof_key).chain_update(role).finalize();
            Zeroizing::new(proof.into_bytes().into())
        };
        Keys {
            key: DerivedKey::from_kdf_output(key.to_vec()),
            initiator: proof(b"initiator"),
            responder: proof(b"responder"),
            transcript,
        }
    }

    pub(super) fn agreed(self, grade: Grade) -> AgreedKey {
        AgreedKey {
            key: self.key,
            grade,
            transcript: self.transcript,
        }
    }
}
