//! Signatures of both suites beside the bare libraries, and the Merkle tree.
//!
//! `cargo bench -p tieline-seal --bench public`. Signing rejects its own candidates, so its time depends on
//! the message: each one is signed once, and the mean is the figure to plan with.
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark stops when something is wrong"
)]

use std::cell::Cell;

use divan::{Bencher, black_box};
use tieline_seal::hybrid::{Domain, Purpose, SigningKey, Suite};
use tieline_units::{ChainId, Digest};

fn main() {
    divan::main();
}

const MESSAGE_BYTES: usize = 1024;
const SEED: [u8; 32] = [7; 32];
const SUITES: [Suite; 2] = [Suite::MlDsa65, Suite::Ed25519MlDsa65];

fn domain() -> Domain {
    Domain {
        chain: ChainId::parse("harbour").unwrap(),
        genesis: Digest::of(b"genesis"),
        epoch: 3,
        purpose: Purpose::Attestation,
    }
}

/// A message that was not signed before.
fn messages() -> impl Fn() -> Vec<u8> {
    let count = Cell::new(0u64);
    move || {
        count.set(count.get() + 1);
        let mut message = vec![7; MESSAGE_BYTES];
        message[..8].copy_from_slice(&count.get().to_be_bytes());
        message
    }
}

/// Ours.
mod suite {
    use super::*;
    use tieline_seal::hybrid::{Strict, Verify as _};

    #[divan::bench(args = SUITES)]
    fn key_from_seed(suite: Suite) -> SigningKey {
        SigningKey::from_seed(suite, black_box(&SEED))
    }

    #[divan::bench(args = SUITES, sample_count = 2000, sample_size = 1)]
    fn sign(bencher: Bencher<'_, '_>, suite: Suite) {
        let (key, domain) = (SigningKey::from_seed(suite, &SEED), domain());
        bencher
            .with_inputs(messages())
            .bench_local_refs(|message| key.sign(&domain, message));
    }

    #[divan::bench(args = SUITES, sample_count = 500)]
    fn verify(bencher: Bencher<'_, '_>, suite: Suite) {
        let (key, domain, message) = (SigningKey::from_seed(suite, &SEED), domain(), messages()());
        let signature = key.sign(&domain, &message);
        bencher.bench_local(|| {
            let right = Strict.verify(key.public_key(), &domain, black_box(&message), &signature);
            assert!(right);
        });
    }
}

/// Ed25519 alone.
mod ed25519_dalek {
    use super::*;
    use ::ed25519_dalek::{Signer as _, SigningKey};

    #[divan::bench(sample_count = 500)]
    fn sign(bencher: Bencher<'_, '_>) {
        let key = SigningKey::from_bytes(&SEED);
        bencher
            .with_inputs(messages())
            .bench_local_refs(|message| key.sign(message));
    }

    #[divan::bench(sample_count = 500)]
    fn verify_strict(bencher: Bencher<'_, '_>) {
        let (key, message) = (SigningKey::from_bytes(&SEED), messages()());
        let (public, signature) = (key.verifying_key(), key.sign(&message));
        bencher.bench_local(|| {
            public
                .verify_strict(black_box(&message), &signature)
                .unwrap()
        });
    }
}

/// ML-DSA-65 alone, the library we sign with.
mod libcrux {
    use super::*;
    use libcrux_ml_dsa::ml_dsa_65;

    #[divan::bench(sample_count = 2000, sample_size = 1)]
    fn sign(bencher: Bencher<'_, '_>) {
        let key = ml_dsa_65::generate_key_pair(SEED).signing_key;
        bencher
            .with_inputs(messages())
            .bench_local_refs(|message| ml_dsa_65::sign(&key, message, b"bench", [0; 32]).is_ok());
    }

    #[divan::bench(sample_count = 500)]
    fn verify(bencher: Bencher<'_, '_>) {
        let (pair, message) = (ml_dsa_65::generate_key_pair(SEED), messages()());
        let signature = ml_dsa_65::sign(&pair.signing_key, &message, b"bench", [0; 32]).unwrap();
        let key = pair.verification_key;
        bencher.bench_local(|| {
            ml_dsa_65::verify(&key, black_box(&message), b"bench", &signature).unwrap();
        });
    }
}

/// ML-DSA-65 alone, the second implementation of the tests.
mod rustcrypto {
    use super::*;
    use ml_dsa::{MlDsa65, VerifyingKey};

    fn key() -> ml_dsa::SigningKey<MlDsa65> {
        ml_dsa::SigningKey::from_seed(&SEED.into())
    }

    #[divan::bench(sample_count = 1000, sample_size = 1)]
    fn sign(bencher: Bencher<'_, '_>) {
        let key = key();
        bencher.with_inputs(messages()).bench_local_refs(|message| {
            let key = key.expanded_key();
            key.sign_deterministic(message, b"bench").unwrap()
        });
    }

    #[divan::bench(sample_count = 500)]
    fn verify_and_decode_the_key(bencher: Bencher<'_, '_>) {
        let (key, message) = (key(), messages()());
        let signature = key.expanded_key().sign_deterministic(&message, b"bench");
        let (signature, public) = (signature.unwrap(), key.expanded_key().verifying_key());
        let encoded = public.encode();
        bencher.bench_local(|| {
            let key = VerifyingKey::<MlDsa65>::decode(black_box(&encoded));
            assert!(key.verify_with_context(&message, b"bench", &signature));
        });
    }
}

/// The outbox of one block.
mod merkle {
    use super::*;
    use tieline_seal::merkle::{self, Proof};

    const LEAVES: [usize; 4] = [1, 10, 100, 1000];

    fn leaves(count: usize) -> Vec<Digest> {
        let leaf = |at: usize| Digest::of(&at.to_be_bytes());
        (0..count).map(leaf).collect()
    }

    #[divan::bench(args = LEAVES)]
    fn root(bencher: Bencher<'_, '_>, count: usize) {
        let leaves = leaves(count);
        bencher.bench_local(|| merkle::root(black_box(&leaves)));
    }

    #[divan::bench(args = LEAVES)]
    fn proof(bencher: Bencher<'_, '_>, count: usize) {
        let leaves = leaves(count);
        bencher.bench_local(|| Proof::of(black_box(&leaves), count / 2));
    }

    #[divan::bench(args = LEAVES)]
    fn check(bencher: Bencher<'_, '_>, count: usize) {
        let leaves = leaves(count);
        let proof = Proof::of(&leaves, count / 2).unwrap();
        bencher.bench_local(|| proof.root(black_box(leaves[count / 2])));
    }
}
