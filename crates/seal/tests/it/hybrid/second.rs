//! Signatures once more, from the description alone: bytes by hand, ML-DSA-65 by the crate `ml-dsa`.

use ed25519_dalek::Signer as _;
use ml_dsa::{EncodedSignature, EncodedVerifyingKey, MlDsa65};
use proptest::prelude::*;
use tieline_seal::hybrid::{
    Domain, PublicKey, Purpose, Signature, SigningKey, Strict, Suite, Verify,
};
use tieline_units::Digest;

use super::{SUITES, any_domain, domain};

/// A private key of the second implementation.
pub(super) struct Second {
    pub(super) ed25519: ed25519_dalek::SigningKey,
    pub(super) ml_dsa: ml_dsa::SigningKey<MlDsa65>,
    suite: Suite,
}

impl Second {
    pub(super) fn from_seed(suite: Suite, seed: &[u8; 32]) -> Second {
        let seed = |label: &str| {
            let bytes = [&prefixed(label.as_bytes())[..], &[tag(suite)], seed].concat();
            *Digest::of(&bytes).as_bytes()
        };
        Second {
            ed25519: ed25519_dalek::SigningKey::from_bytes(&seed("tieline.seed.ed25519/1")),
            ml_dsa: ml_dsa::SigningKey::from_seed(&seed("tieline.seed.ml-dsa-65/1").into()),
            suite,
        }
    }

    pub(super) fn public_key(&self) -> PublicKey {
        let lattice = self.ml_dsa.expanded_key().verifying_key().encode();
        let bytes = self.joined(self.ed25519.verifying_key().as_bytes(), &lattice);
        PublicKey::new(self.suite, &bytes).unwrap()
    }

    /// Signs for `key`, which an attacker may choose to be another than this one's.
    pub(super) fn sign_for(&self, key: &PublicKey, domain: &Domain, message: &[u8]) -> Signature {
        let (signed, context) = (representative(key, domain, message), context(domain));
        let classical = self.ed25519.sign(&signed).to_bytes();
        let lattice = self.ml_dsa.expanded_key();
        let lattice = lattice.sign_deterministic(&signed, &context).unwrap();
        Signature::new(self.suite, &self.joined(&classical, &lattice.encode())).unwrap()
    }

    fn joined(&self, classical: &[u8], lattice: &[u8]) -> Vec<u8> {
        match self.suite {
            Suite::MlDsa65 => lattice.to_vec(),
            Suite::Ed25519MlDsa65 => [classical, lattice].concat(),
        }
    }
}

/// Whether each component is right: Ed25519's if there is one, ML-DSA-65's.
pub(super) fn components(
    key: &PublicKey,
    domain: &Domain,
    message: &[u8],
    signature: &Signature,
) -> (Option<bool>, bool) {
    let (signed, context) = (representative(key, domain, message), context(domain));
    let hybrid = key.suite() == Suite::Ed25519MlDsa65;
    let (ed_key, key) = key.as_bytes().split_at(if hybrid { 32 } else { 0 });
    let (ed_signature, signature) = signature.as_bytes().split_at(if hybrid { 64 } else { 0 });
    let ed25519 = hybrid.then(|| {
        let key = ed25519_dalek::VerifyingKey::try_from(ed_key).unwrap();
        let signature = ed25519_dalek::Signature::from_slice(ed_signature).unwrap();
        key.verify_strict(&signed, &signature).is_ok()
    });
    let key = EncodedVerifyingKey::<MlDsa65>::try_from(key).unwrap();
    let key = ml_dsa::VerifyingKey::<MlDsa65>::decode(&key);
    let signature = EncodedSignature::<MlDsa65>::try_from(signature).unwrap();
    let signature = ml_dsa::Signature::<MlDsa65>::decode(&signature);
    let ml_dsa = signature.is_some_and(|it| key.verify_with_context(&signed, &context, &it));
    (ed25519, ml_dsa)
}

pub(super) fn representative(key: &PublicKey, domain: &Domain, message: &[u8]) -> Vec<u8> {
    let fingerprint = [
        &prefixed(b"tieline.key/1")[..],
        &[tag(key.suite())],
        key.as_bytes(),
    ];
    [
        &prefixed(b"tieline.signed/1")[..],
        &[tag(key.suite())],
        &prefixed(&context(domain)),
        Digest::of(&fingerprint.concat()).as_bytes(),
        &prefixed(message),
    ]
    .concat()
}

fn context(domain: &Domain) -> Vec<u8> {
    let purpose = match domain.purpose {
        Purpose::Transaction => 1,
        Purpose::Attestation => 2,
        Purpose::Finality => 3,
        Purpose::Meter => 4,
        Purpose::Possession => 5,
        Purpose::Identification => 6,
        Purpose::Vote => 7,
        Purpose::Handshake => 8,
    };
    [
        &prefixed(b"tieline/1")[..],
        &prefixed(domain.chain.as_str().as_bytes()),
        domain.genesis.as_bytes(),
        &domain.epoch.to_be_bytes(),
        &[purpose],
    ]
    .concat()
}

fn prefixed(bytes: &[u8]) -> Vec<u8> {
    [
        &u32::try_from(bytes.len()).unwrap().to_be_bytes()[..],
        bytes,
    ]
    .concat()
}

fn tag(suite: Suite) -> u8 {
    match suite {
        Suite::MlDsa65 => 1,
        Suite::Ed25519MlDsa65 => 2,
    }
}

fn check(suite: Suite, seed: [u8; 32], domain: &Domain, message: &[u8]) {
    let (first, second) = (
        SigningKey::from_seed(suite, &seed),
        Second::from_seed(suite, &seed),
    );
    let key = first.public_key();
    assert_eq!(key.as_bytes(), second.public_key().as_bytes());
    let signature = first.sign(domain, message);
    let other = second.sign_for(key, domain, message);
    assert_eq!(signature.as_bytes(), other.as_bytes());
    assert!(Strict.verify(key, domain, message, &other));
    let (ed25519, ml_dsa) = components(key, domain, message, &signature);
    assert!(ml_dsa && ed25519 == (suite == Suite::Ed25519MlDsa65).then_some(true));
}

#[test]
fn keys_and_signatures_are_the_second_implementations_to_the_byte() {
    for suite in SUITES {
        for message in [&b""[..], b"order 7", &[0xa5; 4096]] {
            check(suite, [9; 32], &domain(), message);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_two_implementations_agree_on_any_seed_domain_and_message(
        seed in any::<[u8; 32]>(),
        domain in any_domain(),
        message in prop::collection::vec(any::<u8>(), 0..600),
        suite in prop::sample::select(&SUITES[..]),
    ) {
        check(suite, seed, &domain, &message);
    }
}
