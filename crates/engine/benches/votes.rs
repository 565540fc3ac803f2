//! Votes and certificates of our scheme beside the engine's own, Ed25519 alone.
//!
//! `cargo bench -p tieline-engine --bench votes`. Signing with ML-DSA rejects its own candidates, so its time depends on the
//! message: each view is signed once, and the mean is the figure to plan with.
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark stops when something is wrong"
)]

use std::cell::Cell;
use std::sync::Arc;

use commonware_consensus::simplex::types::{Proposal, Subject};
use commonware_consensus::types::{Epoch, Round, View};
use commonware_cryptography::certificate::{Attestation, Scheme};
use commonware_cryptography::sha256::{Digest as Payload, Sha256};
use commonware_cryptography::{Hasher as _, Signer as _, ed25519};
use commonware_parallel::Sequential;
use commonware_utils::iter::NonEmpty;
use commonware_utils::ordered::Set;
use divan::{Bencher, black_box};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use tieline_engine::scheme::{Ed25519Scheme, Election, HybridScheme};
use tieline_engine::validators::{SUITE, Validator, Validators};
use tieline_seal::hybrid::SigningKey;
use tieline_units::{ChainId, Digest};

fn main() {
    divan::main();
}

const COUNTS: [u8; 3] = [4, 7, 10];

/// A scheme that the benchmarks run with.
trait Candidate: for<'a> Scheme<Subject<'a, Payload> = Subject<'a, Payload>> {
    /// So many validators.
    fn committee(count: u8) -> Vec<Self>;
}

fn identity(seed: u8) -> ed25519::PrivateKey {
    ed25519::PrivateKey::from_seed(u64::from(seed))
}

impl Candidate for HybridScheme {
    fn committee(count: u8) -> Vec<HybridScheme> {
        let key = |seed| SigningKey::from_seed(SUITE, &[seed; 32]);
        let validator = |seed| Validator {
            identity: identity(seed).public_key(),
            signing: key(seed).public_key().clone(),
        };
        let set = Arc::new(Validators::new((1..=count).map(validator)).unwrap());
        let election = Election {
            chain: ChainId::parse("harbour").unwrap(),
            genesis: Digest::of(b"genesis"),
            epoch: Epoch::new(3),
        };
        let signer = |seed| {
            let (name, key) = (identity(seed).public_key(), Arc::new(key(seed)));
            HybridScheme::signer(&election, set.clone(), &name, key).unwrap()
        };
        (1..=count).map(signer).collect()
    }
}

impl Candidate for Ed25519Scheme {
    fn committee(count: u8) -> Vec<Ed25519Scheme> {
        let names = (1..=count).map(|seed| identity(seed).public_key());
        let set = Set::from_iter_dedup(names);
        let signer = |seed| Ed25519Scheme::signer(b"tieline", set.clone(), identity(seed)).unwrap();
        (1..=count).map(signer).collect()
    }
}

fn proposal(view: u64) -> Proposal<Payload> {
    let round = Round::new(Epoch::new(3), View::new(view));
    Proposal::new(round, View::new(view - 1), Sha256::hash(&[b"block"]))
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(1)
}

/// A quorum's votes, and what they are for.
fn quorum<S: Candidate>(schemes: &[S], proposal: &Proposal<Payload>) -> Vec<Attestation<S>> {
    let count = schemes.len() - (schemes.len() - 1) / 3;
    let subject = Subject::Finalize { proposal };
    let votes = schemes
        .iter()
        .map(|scheme| scheme.sign::<Payload>(subject).unwrap());
    votes.take(count).collect()
}

#[divan::bench(types = [HybridScheme, Ed25519Scheme], sample_count = 2000, sample_size = 1)]
fn vote_sign<S: Candidate>(bencher: Bencher<'_, '_>) {
    let (schemes, view) = (S::committee(4), Cell::new(1));
    let next = || {
        view.set(view.get() + 1);
        proposal(view.get())
    };
    bencher.with_inputs(next).bench_local_refs(|proposal| {
        schemes[0]
            .sign::<Payload>(Subject::Finalize { proposal })
            .unwrap()
    });
}

#[divan::bench(types = [HybridScheme, Ed25519Scheme], sample_count = 500)]
fn vote_verify<S: Candidate>(bencher: Bencher<'_, '_>) {
    let (schemes, proposal, mut rng) = (S::committee(4), proposal(9), rng());
    let subject = Subject::Finalize {
        proposal: &proposal,
    };
    let vote = schemes[1].sign::<Payload>(subject).unwrap();
    bencher.bench_local(|| {
        let vote = black_box(&vote);
        assert!(schemes[0].verify_attestation::<_, Payload>(&mut rng, subject, vote, &Sequential));
    });
}

#[divan::bench(types = [HybridScheme, Ed25519Scheme], args = COUNTS, sample_count = 500)]
fn certificate_assemble<S: Candidate>(bencher: Bencher<'_, '_>, count: u8) {
    let (schemes, proposal) = (S::committee(count), proposal(9));
    let votes = quorum(&schemes, &proposal);
    bencher
        .with_inputs(|| votes.clone())
        .bench_local_values(|votes| {
            let votes = NonEmpty::try_new(votes.into_iter()).unwrap();
            schemes[0].assemble(votes, &Sequential).unwrap()
        });
}

#[divan::bench(types = [HybridScheme, Ed25519Scheme], args = COUNTS, sample_count = 300)]
fn certificate_verify<S: Candidate>(bencher: Bencher<'_, '_>, count: u8) {
    let (schemes, proposal, mut rng) = (S::committee(count), proposal(9), rng());
    let votes = NonEmpty::try_new(quorum(&schemes, &proposal).into_iter()).unwrap();
    let certificate = schemes[0].assemble(votes, &Sequential).unwrap();
    let subject = Subject::Finalize {
        proposal: &proposal,
    };
    bencher.bench_local(|| {
        let it = black_box(&certificate);
        assert!(schemes[1].verify_certificate::<_, Payload>(&mut rng, subject, it, &Sequential));
    });
}
