//! Making and checking signatures.
//!
//! Every component of a signature, in either suite, signs the same bytes, the *representative*:
//!
//! ```text
//! text  "tieline.signed/1"
//! u8    suite
//! bytes context of the domain        (length u32, then the bytes)
//! 32    fingerprint of the public key, which covers the keys of all components
//! bytes message
//! ```
//!
//! ML-DSA-65 gets the context once more as its own (FIPS 204, 5.2), with randomness of zero: the deterministic variant.
//! Ed25519 has no context of its own. So a component taken out of its signature, or moved under another suite, key, chain,
//! epoch or purpose, signs bytes that nobody asks about.

use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey as EdKey, VerifyingKey};
use libcrux_ml_dsa::ml_dsa_65::{
    self, MLDSA65Signature, MLDSA65SigningKey, MLDSA65VerificationKey,
};
use tieline_units::Encoder;
use tieline_units::canonical::Canonical as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::{Domain, KeyId, PublicKey, Signature, Suite, Verify};

/// Bytes of Ed25519's public key, which come first in a hybrid one.
const ED25519_KEY: usize = 32;
/// Bytes of Ed25519's signature, which come first in a hybrid one.
const ED25519_SIGNATURE: usize = 64;
/// FIPS 204's `rnd` of the deterministic variant.
const DETERMINISTIC: [u8; 32] = [0; 32];

/// A private key with its public one. Wiped when dropped, never cloned, never printed.
pub struct SigningKey {
    public: PublicKey,
    id: KeyId,
    ed25519: Option<EdKey>,
    ml_dsa: Box<MLDSA65SigningKey>,
}

impl SigningKey {
    /// The key that belongs to 32 secret random bytes.
    ///
    /// Each component has a seed of its own, SHA-256 of its label, the suite and `seed`: keys of the two suites from one
    /// seed have nothing in common.
    pub fn from_seed(suite: Suite, seed: &[u8; 32]) -> SigningKey {
        let ed25519 = (suite == Suite::Ed25519MlDsa65)
            .then(|| EdKey::from_bytes(&component_seed("tieline.seed.ed25519/1", suite, seed)));
        let mut ml_dsa = Box::new(MLDSA65SigningKey::zero());
        let mut verification = MLDSA65VerificationKey::zero();
        // Straight into the box: the call that returns a pair would leave a copy of the key on the stack.
        ml_dsa_65::portable::generate_key_pair_mut(
            *component_seed("tieline.seed.ml-dsa-65/1", suite, seed),
            ml_dsa.as_ref_mut(),
            verification.as_ref_mut(),
        );
        let classical = ed25519.as_ref().map(|key| key.verifying_key().to_bytes());
        let mut bytes = Vec::with_capacity(suite.key_bytes());
        bytes.extend(classical.iter().flatten());
        bytes.extend_from_slice(verification.as_slice());
        let public = PublicKey::new(suite, &bytes).expect("a key of each component");
        SigningKey {
            id: public.id(),
            public,
            ed25519,
            ml_dsa,
        }
    }

    /// The public key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message` in `domain`; the same signature every time.
    ///
    /// # Panics
    /// When ML-DSA-65 rejects its own candidates 814 times in a row, which has a probability below 2^-256.
    pub fn sign(&self, domain: &Domain, message: &[u8]) -> Signature {
        let suite = self.public.suite();
        let context = domain.context();
        let signed = representative(suite, self.id, &context, message);
        let mut bytes = Vec::with_capacity(suite.signature_bytes());
        if let Some(key) = &self.ed25519 {
            bytes.extend_from_slice(&key.sign(&signed).to_bytes());
        }
        let lattice = ml_dsa_65::sign(&self.ml_dsa, &signed, &context, DETERMINISTIC)
            .expect("contexts are short and 814 rejections do not happen");
        bytes.extend_from_slice(lattice.as_slice());
        Signature::new(suite, &bytes).expect("a signature of each component")
    }
}

impl Drop for SigningKey {
    fn drop(&mut self) {
        // Ed25519's wipes itself.
        self.ml_dsa.as_mut_slice().zeroize();
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(<redacted>)")
    }
}

/// Verification with mathematics: key and signature of one suite, and every component right.
///
/// Ed25519 is checked strictly: no `s` above the group's order, no point of small order, no batch equation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Strict;

impl Verify for Strict {
    fn verify(
        &self,
        key: &PublicKey,
        domain: &Domain,
        message: &[u8],
        signature: &Signature,
    ) -> bool {
        let suite = key.suite();
        if signature.suite() != suite {
            return false;
        }
        let context = domain.context();
        let signed = representative(suite, key.id(), &context, message);
        match suite {
            Suite::MlDsa65 => ml_dsa_holds(&key.bytes, &context, &signed, &signature.bytes),
            Suite::Ed25519MlDsa65 => {
                let (ed25519_key, ml_dsa_key) = key.bytes.split_at(ED25519_KEY);
                let (ed25519, ml_dsa) = signature.bytes.split_at(ED25519_SIGNATURE);
                ed25519_holds(ed25519_key, &signed, ed25519)
                    && ml_dsa_holds(ml_dsa_key, &context, &signed, ml_dsa)
            }
        }
    }
}

fn ed25519_holds(key: &[u8], signed: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (
        VerifyingKey::try_from(key),
        ed25519_dalek::Signature::from_slice(signature),
    ) else {
        return false;
    };
    key.verify_strict(signed, &signature).is_ok()
}

fn ml_dsa_holds(key: &[u8], context: &[u8], signed: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (key.try_into(), signature.try_into()) else {
        return false;
    };
    let key = MLDSA65VerificationKey::new(key);
    let signature = MLDSA65Signature::new(signature);
    ml_dsa_65::verify(&key, signed, context, &signature).is_ok()
}

/// The bytes that every component signs.
fn representative(suite: Suite, key: KeyId, context: &[u8], message: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new("tieline.signed/1");
    suite.encode(&mut encoder);
    encoder.bytes(context);
    key.encode(&mut encoder);
    encoder.bytes(message);
    encoder.into_bytes()
}

/// The seed of one component. The secret goes in last, so that growing the buffer leaves no copy of it behind.
fn component_seed(label: &str, suite: Suite, seed: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    let mut encoder = Encoder::new(label);
    suite.encode(&mut encoder);
    encoder.raw(seed);
    let derived = Zeroizing::new(*encoder.digest().as_bytes());
    drop(Zeroizing::new(encoder.into_bytes()));
    derived
}
