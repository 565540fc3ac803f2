//! A block of 100 orders: requests with real signatures, one attestation over all of them, 100 certificates, and what one
//! remembered verification saves. Certificates by number of signers; proofs beside another implementation of the tree.
//!
//! `cargo bench -p tieline-contract --bench block`.
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark stops when something is wrong"
)]

mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tieline_contract::apply;
use tieline_contract::certificate::{Certificate, Statement};
use tieline_contract::payload::Payload;
use tieline_contract::state::{Block, State};
use tieline_contract::terms::OrderId;
use tieline_contract::threshold::{Committee, Seat};
use tieline_contract::transaction::Transaction;
use tieline_seal::hybrid::{
    Domain, PublicKey, Purpose, Remembering, Signature, SigningKey, Strict, Suite, Verify,
};
use tieline_sim::village::{START, chain, genesis, member};
use tieline_units::Digest;

use crate::world::{Signing, World};

fn main() {
    divan::main();
}

const ORDERS: u64 = 100;
const SUITES: [Suite; 2] = [Suite::MlDsa65, Suite::Ed25519MlDsa65];
const SIGNERS: [u8; 4] = [1, 3, 7, 11];

/// X and Y before the block, its requests, its certificates.
struct Orders {
    x: State,
    y: State,
    block: Block,
    verify: &'static dyn Verify,
    requests: Vec<Transaction>,
    certificates: Vec<Arc<Certificate>>,
    world: World,
}

fn orders(signing: Signing) -> Orders {
    let mut world = World::new(signing);
    let now = START.minus_millis(3_600_000);
    world.fund(now);
    let request = |nonce| Transaction::Request(world.request(world.village.terms(), nonce));
    let requests: Vec<Transaction> = (0..ORDERS).map(request).collect();
    let (x, block) = (
        world.ledgers["chain-x"].clone(),
        world.block("chain-x", now),
    );
    let certificates = world.act_all("chain-x", now, &requests);
    Orders {
        x,
        y: world.ledgers["chain-y"].clone(),
        block,
        verify: world.verify(),
        requests,
        certificates,
        world,
    }
}

/// Per block of 100 orders; items are orders.
mod block_of_100 {
    use super::*;

    const SIGNINGS: [Signing; 3] = [
        Signing::Symbols,
        Signing::Real(Suite::MlDsa65),
        Signing::Real(Suite::Ed25519MlDsa65),
    ];

    /// T1 for each, on X.
    #[divan::bench(args = SIGNINGS, sample_count = 100, sample_size = 1)]
    fn requests_on_x(bencher: Bencher<'_, '_>, signing: Signing) {
        let orders = orders(signing);
        bencher
            .counter(ItemsCount::new(ORDERS))
            .with_inputs(|| orders.x.clone())
            .bench_local_refs(|x| {
                for request in &orders.requests {
                    apply(x, black_box(request), orders.block, orders.verify).unwrap();
                }
            });
    }

    /// The statement over all 100 entries and one member's signature on it.
    #[divan::bench(args = SUITES, sample_count = 50, sample_size = 1)]
    fn attestation(bencher: Bencher<'_, '_>, suite: Suite) {
        let orders = orders(Signing::Real(suite));
        let key = SigningKey::from_seed(suite, &[7; 32]);
        let (x, height) = (&orders.world.ledgers["chain-x"], orders.block.height);
        bencher.counter(ItemsCount::new(ORDERS)).bench_local(|| {
            let statement = x.statement(height, 0, Digest::of(b"state root"));
            key.sign(
                &statement.domain(Purpose::Attestation),
                &statement.message(),
            )
        });
    }

    /// 100 certificates from three signatures: hashes and proofs.
    #[divan::bench(sample_count = 50, sample_size = 1)]
    fn making_certificates(bencher: Bencher<'_, '_>) {
        let orders = orders(Signing::Symbols);
        let (x, height) = (&orders.world.ledgers["chain-x"], orders.block.height);
        let statement = x.statement(height, 0, Digest::of(b"state root"));
        let signatures = orders.certificates[0].attestations.clone();
        bencher
            .counter(ItemsCount::new(ORDERS))
            .bench_local(|| x.certificates(&statement, black_box(&signatures)));
    }

    /// T3 for each, on Y: three signatures per certificate are verified.
    #[divan::bench(args = SIGNINGS, sample_count = 100, sample_size = 1)]
    fn offers_on_y(bencher: Bencher<'_, '_>, signing: Signing) {
        let orders = orders(signing);
        offers(bencher, &orders, || Box::new(Plain(orders.verify)));
    }

    /// The same where a verification is remembered.
    #[divan::bench(args = SIGNINGS, sample_count = 100, sample_size = 1)]
    fn offers_on_y_remembering(bencher: Bencher<'_, '_>, signing: Signing) {
        let orders = orders(signing);
        offers(bencher, &orders, || {
            Box::new(Remembering::new(Plain(orders.verify)))
        });
    }

    struct Plain(&'static dyn Verify);

    impl Verify for Plain {
        fn verify(&self, k: &PublicKey, d: &Domain, m: &[u8], s: &Signature) -> bool {
            self.0.verify(k, d, m, s)
        }
    }

    fn offers(bencher: Bencher<'_, '_>, orders: &Orders, verify: impl Fn() -> Box<dyn Verify>) {
        let certificates = orders.certificates.iter().cloned();
        let certificates: Vec<_> = certificates.map(Transaction::Certificate).collect();
        bencher
            .counter(ItemsCount::new(ORDERS))
            .with_inputs(|| (orders.y.clone(), verify()))
            .bench_local_refs(|(y, verify)| {
                for certificate in &certificates {
                    apply(y, black_box(certificate), orders.block, verify.as_ref()).unwrap();
                }
            });
    }
}

/// One certificate by number of signers.
mod certificate {
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey as EdKey};
    use tieline_seal::merkle::Proof;

    fn seed(at: u8) -> [u8; 32] {
        [at; 32]
    }

    /// An entry in a block of 100.
    fn entry(suite: Suite, signers: u8) -> (Committee, Certificate) {
        let keys: Vec<SigningKey> = (0..signers)
            .map(|at| SigningKey::from_seed(suite, &seed(at)))
            .collect();
        let payload = Payload::Reject(OrderId(Digest::of(b"order")));
        let mut leaves: Vec<Digest> = (0..99u64).map(|at| Digest::of(&at.to_be_bytes())).collect();
        leaves.insert(50, payload.hash());
        let mut certificate = Certificate {
            version: tieline_contract::certificate::VERSION,
            chain: chain("chain-x"),
            genesis: genesis("chain-x"),
            epoch: 0,
            height: 1,
            state_root: Digest::of(b"state root"),
            proof: Proof::of(&leaves, 50).unwrap(),
            payload,
            attestations: BTreeMap::new(),
        };
        let statement: Statement = certificate.statement().unwrap();
        let (domain, message) = (statement.domain(Purpose::Attestation), statement.message());
        let sign = |key: &SigningKey| key.sign(&domain, &message);
        certificate.attestations = (0..).zip(keys.iter().map(sign)).collect();
        let seat = |key: &SigningKey| Seat {
            key: key.public_key().clone(),
            owner: member("mg-x"),
        };
        let committee = Committee {
            chain: chain("chain-x"),
            genesis: genesis("chain-x"),
            epoch: 0,
            suite,
            faults: 0,
            threshold: signers,
            seats: keys.iter().map(seat).collect(),
        };
        (committee, certificate)
    }

    fn run(bencher: Bencher<'_, '_>, suite: Suite, signers: u8) {
        let (committee, certificate) = entry(suite, signers);
        bencher.bench_local(|| black_box(&certificate).verify(&committee, &Strict).unwrap());
    }

    #[divan::bench(args = SIGNERS, sample_count = 200, sample_size = 1)]
    fn ml_dsa_65(bencher: Bencher<'_, '_>, signers: u8) {
        run(bencher, Suite::MlDsa65, signers);
    }

    #[divan::bench(args = SIGNERS, sample_count = 200, sample_size = 1)]
    fn hybrid(bencher: Bencher<'_, '_>, signers: u8) {
        run(bencher, Suite::Ed25519MlDsa65, signers);
    }

    /// What a bridge without post-quantum signatures does: the same proof and message, Ed25519 alone.
    #[divan::bench(args = SIGNERS, sample_count = 200, sample_size = 1)]
    fn ed25519_alone(bencher: Bencher<'_, '_>, signers: u8) {
        let (_, certificate) = entry(Suite::MlDsa65, 1);
        let keys: Vec<EdKey> = (0..signers)
            .map(|at| EdKey::from_bytes(&seed(at)))
            .collect();
        let message = certificate.statement().unwrap().message();
        let signatures: Vec<_> = keys.iter().map(|key| key.sign(&message)).collect();
        let public: Vec<_> = keys.iter().map(EdKey::verifying_key).collect();
        bencher.bench_local(|| {
            let message = black_box(&certificate).statement().unwrap().message();
            for (key, signature) in public.iter().zip(&signatures) {
                key.verify_strict(&message, signature).unwrap();
            }
        });
    }

    /// Proof and statement without signatures.
    #[divan::bench(sample_count = 500)]
    fn without_signatures(bencher: Bencher<'_, '_>) {
        let (_, certificate) = entry(Suite::MlDsa65, 1);
        bencher.bench_local(|| black_box(&certificate).statement().unwrap().message());
    }
}

/// Proofs of all 100 entries; items are proofs.
mod proofs {
    use super::*;
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use sha2::Sha256;
    use tieline_seal::merkle::{Proof, proofs, root};

    fn leaves() -> Vec<Digest> {
        (0..ORDERS)
            .map(|at| Digest::of(&at.to_be_bytes()))
            .collect()
    }

    #[divan::bench]
    fn at_once(bencher: Bencher<'_, '_>) {
        let leaves = leaves();
        let bencher = bencher.counter(ItemsCount::new(ORDERS));
        bencher.bench_local(|| proofs(black_box(&leaves)));
    }

    #[divan::bench]
    fn one_by_one(bencher: Bencher<'_, '_>) {
        let leaves = leaves();
        let each = |index| Proof::of(black_box(&leaves), index).unwrap();
        let bencher = bencher.counter(ItemsCount::new(ORDERS));
        bencher.bench_local(|| (0..leaves.len()).map(each).collect::<Vec<_>>());
    }

    #[divan::bench]
    fn ct_merkle(bencher: Bencher<'_, '_>) {
        let leaves = leaves();
        let bencher = bencher.counter(ItemsCount::new(ORDERS));
        bencher.bench_local(|| {
            let mut tree = MemoryBackedTree::<Sha256, [u8; 32]>::new();
            for leaf in black_box(&leaves) {
                tree.push(*leaf.as_bytes());
            }
            let proof = |index| tree.prove_inclusion(index);
            (0..leaves.len()).map(proof).collect::<Vec<_>>()
        });
    }

    #[divan::bench]
    fn check(bencher: Bencher<'_, '_>) {
        let leaves = leaves();
        let (proofs, tree) = (proofs(&leaves), root(&leaves));
        let bencher = bencher.counter(ItemsCount::new(ORDERS));
        bencher.bench_local(|| {
            for (leaf, proof) in leaves.iter().zip(&proofs) {
                assert_eq!(black_box(proof).root(*leaf), Some(tree));
            }
        });
    }

    #[divan::bench]
    fn check_ct_merkle(bencher: Bencher<'_, '_>) {
        let leaves = leaves();
        let mut tree = MemoryBackedTree::<Sha256, [u8; 32]>::new();
        leaves.iter().for_each(|leaf| tree.push(*leaf.as_bytes()));
        let proofs: Vec<_> = (0..leaves.len())
            .map(|at| tree.prove_inclusion(at))
            .collect();
        let tree = tree.root();
        let bencher = bencher.counter(ItemsCount::new(ORDERS));
        bencher.bench_local(|| {
            for ((at, leaf), proof) in (0..).zip(&leaves).zip(&proofs) {
                tree.verify_inclusion(leaf.as_bytes(), at, black_box(proof))
                    .unwrap();
            }
        });
    }
}
