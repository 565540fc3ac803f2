//! Signatures as symbols: whoever has the name can sign, whoever reads can check, nobody else can do either in a model.
//!
//! Keys and signatures have the lengths of real ones, so that everything else is as in nodes. Not for nodes: there is no
//! secret in it.

use tieline_seal::hybrid::{Domain, PublicKey, Signature, Suite, Verify};
use tieline_units::{Digest, Encoder};

/// The suite of all symbolic keys.
pub const SUITE: Suite = Suite::MlDsa65;

/// The key of somebody, by name.
pub fn key(name: &str) -> PublicKey {
    let mut bytes = vec![0; SUITE.key_bytes()];
    bytes[..32].copy_from_slice(Digest::of(name.as_bytes()).as_bytes());
    PublicKey::new(SUITE, &bytes).expect("as long as the suite's keys")
}

/// What the owner of the key signs.
pub fn sign(key: &PublicKey, domain: &Domain, message: &[u8]) -> Signature {
    let mut bytes = vec![0; SUITE.signature_bytes()];
    bytes[..32].copy_from_slice(mark(key, domain, message).as_bytes());
    Signature::new(SUITE, &bytes).expect("as long as the suite's signatures")
}

fn mark(key: &PublicKey, domain: &Domain, message: &[u8]) -> Digest {
    let mut encoder = Encoder::new("tieline.symbol/1");
    let name = key.as_bytes().get(..32).unwrap_or_default();
    encoder.bytes(name).bytes(&domain.context()).bytes(message);
    encoder.digest()
}

/// Checks symbolic signatures.
#[derive(Clone, Copy, Debug)]
pub struct Symbolic;

impl Verify for Symbolic {
    fn verify(
        &self,
        key: &PublicKey,
        domain: &Domain,
        message: &[u8],
        signature: &Signature,
    ) -> bool {
        let mark = mark(key, domain, message);
        signature.as_bytes().get(..32) == Some(mark.as_bytes())
    }
}
