//! The village of the simulator, each of its ledgers with validators of its own.

use std::sync::Arc;

use commonware_cryptography::Signer as _;
use commonware_cryptography::ed25519::PrivateKey;
use commonware_runtime::deterministic;
use tieline_chain::block::Parent;
use tieline_chain::replica::Attester;
use tieline_chain::validators::{Validator, ValidatorSet};
use tieline_chain::{Home, Ledger};
use tieline_engine::application::Pace;
use tieline_engine::simulated::{self, Chain, Line};
use tieline_engine::transport::NodeKeys;
use tieline_engine::validators::SUITE;
use tieline_seal::hybrid::{Domain, PublicKey, Signature, SigningKey, Strict, Verify};
use tieline_sim::symbol::{Symbolic, sign};
use tieline_sim::village::{Village, chain, genesis, member, seat_key};
use tieline_units::{Digest, Time};

/// A validator's keys.
pub(crate) fn keys(name: &str, index: u8) -> NodeKeys {
    let of = |what: &str| *Digest::of(format!("{what} {name} {index}").as_bytes()).as_bytes();
    let [a, b, c, d, e, f, g, h, ..] = of("identity");
    NodeKeys {
        identity: PrivateKey::from_seed(u64::from_be_bytes([a, b, c, d, e, f, g, h])),
        signing: Arc::new(SigningKey::from_seed(SUITE, &of("votes"))),
    }
}

/// The validators of epoch 0.
pub(crate) fn set(name: &str, count: u8) -> ValidatorSet {
    set_of(name, 0, 0..count)
}

/// These, in an epoch of the chain.
pub(crate) fn set_of(name: &str, epoch: u64, who: impl Iterator<Item = u8>) -> ValidatorSet {
    let validator = |index: u8| {
        let keys = keys(name, index);
        let mut identity = [0; 32];
        identity.copy_from_slice(&keys.identity.public_key());
        Validator {
            identity,
            key: keys.signing.public_key().clone(),
            owner: member("vpp"),
        }
    };
    let mut validators: Vec<Validator> = who.map(validator).collect();
    validators.sort_by_key(|validator| validator.identity);
    ValidatorSet { epoch, validators }
}

/// One of the village's ledgers before its first block.
pub(crate) fn founding(name: &str, count: u8) -> Ledger {
    let records = Village::default().ledger(name).records();
    let set = Arc::new(set(name, count));
    let home = Home {
        chain: chain(name),
        genesis: genesis(name),
    };
    let tip = Parent {
        digest: home.genesis,
        height: 0,
        time: Time::default(),
        epoch: 0,
        validators: set.hash(),
    };
    let pairs = records.iter().map(|(key, value)| (&key[..], &value[..]));
    Ledger::load(&home, pairs, tip, set).unwrap()
}

/// The village's chain with so many validators; the first four are its verification nodes.
pub(crate) async fn simulate(
    context: deterministic::Context,
    name: &'static str,
    count: u8,
    settings: (Pace, Line),
) -> Chain {
    simulate_with(context, name, (count, count), settings).await
}

/// Checks symbols, and real signatures where they are real.
struct Either;

impl Verify for Either {
    fn verify(&self, key: &PublicKey, domain: &Domain, message: &[u8], it: &Signature) -> bool {
        Symbolic.verify(key, domain, message, it) || Strict.verify(key, domain, message, it)
    }
}

/// The same with more nodes than validators: those who come later.
pub(crate) async fn simulate_with(
    context: deterministic::Context,
    name: &'static str,
    (count, nodes): (u8, u8),
    (pace, line): (Pace, Line),
) -> Chain {
    let founding = founding(name, count);
    let validators = validators_of(name, nodes);
    let chain = Chain::new(context, founding, validators, (pace, line)).await;
    chain.verified_by(either)
}

/// Checks of this village's transactions.
pub(crate) fn either() -> tieline_chain::replica::Verifier {
    Box::new(Either)
}

/// So many validators of a chain; the first four are its verification nodes.
pub(crate) fn validators_of(name: &'static str, nodes: u8) -> Vec<simulated::Validator> {
    let validators = (0..nodes).map(|index| simulated::Validator {
        keys: keys(name, index),
        attester: (index < 4).then(|| -> simulated::MakeAttester {
            Box::new(move || {
                let key = seat_key(name, 0, usize::from(index));
                let signing = key.clone();
                Attester::with(
                    key,
                    Box::new(move |domain, message| sign(&signing, domain, message)),
                    Box::new(|_| true),
                )
            })
        }),
    });
    validators.collect()
}
