//! What executing, proving and storing blocks costs.
//!
//! `cargo bench -p tieline-chain`. Signatures are symbols where a name says so (the rest of the work is the same), else
//! ML-DSA-65 alone or with Ed25519. The disk is the temporary folder's.
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark stops when something is wrong"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use divan::{Bencher, black_box};
use tieline_chain::block::{Block, Body, Parent, Proposal};
use tieline_chain::light::{FinalityProof as _, FinalityStatement, LightClient, Trail, Votes};
use tieline_chain::validators::{Validator, ValidatorSet};
use tieline_chain::{Home, Ledger};
use tieline_contract::state::{State, Tariff};
use tieline_contract::transaction::{Act, Signed, Transaction};
use tieline_seal::hybrid::{Domain, Purpose, SigningKey, Strict, Suite, Verify};
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::{START, Village, chain, genesis, member, signed};
use tieline_units::canonical::Canonical as _;
use tieline_units::{Digest, Price, Time};

fn main() {
    divan::main();
}

const NAME: &str = "chain-z";
const COUNTS: [usize; 3] = [1, 100, 1000];

fn home() -> Home {
    Home {
        chain: chain(NAME),
        genesis: genesis(NAME),
    }
}

fn keys(suite: Suite) -> Vec<SigningKey> {
    let key = |index: u8| SigningKey::from_seed(suite, &[index; 32]);
    (0..4).map(key).collect()
}

fn validators(keys: &[SigningKey]) -> Arc<ValidatorSet> {
    let one = |(index, key): (u8, &SigningKey)| Validator {
        identity: [index; 32],
        key: key.public_key().clone(),
        owner: member("vpp"),
    };
    Arc::new(ValidatorSet {
        epoch: 0,
        validators: (0..).zip(keys).map(one).collect(),
    })
}

fn ledger_of(state: &State) -> Ledger {
    let set = validators(&keys(Suite::Ed25519MlDsa65));
    let tip = Parent {
        digest: genesis(NAME),
        height: 0,
        time: Time::default(),
        epoch: 0,
        validators: set.hash(),
    };
    let records = state.records();
    let pairs = records.iter().map(|(key, value)| (&key[..], &value[..]));
    Ledger::load(&home(), pairs, tip, set).unwrap()
}

fn act(number: u64) -> Act {
    Act::Tariff {
        start: START.plus_millis(number * 900_000),
        tariff: Tariff {
            import: Price::from_millionths(300_000),
            export: Price::from_millionths(50_000),
        },
    }
}

/// Blocks of grid prices: one signature and one record each, the least that a signed transaction can be.
fn block(ledger: &Ledger, from: u64, count: usize) -> Block {
    let numbers = from..from + count as u64;
    let transactions = numbers.map(|number| Transaction::Signed(signed(NAME, "vpp", act(number))));
    propose(ledger, transactions.collect())
}

fn propose(ledger: &Ledger, transactions: Vec<Transaction>) -> Block {
    let body = Body {
        transactions,
        handover: None,
        ..Body::default()
    };
    let proposal = Proposal {
        time: Time::from_millis(1),
        body,
        context: Vec::new(),
    };
    ledger.propose(proposal).unwrap()
}

/// Executing a block: checks, transactions, changed records, new root.
mod execute {
    use super::*;

    #[divan::bench(args = COUNTS)]
    fn symbolic(bencher: Bencher<'_, '_>, count: usize) {
        let ledger = ledger_of(&Village::default().ledger(NAME));
        let block = block(&ledger, 0, count);
        bencher
            .with_inputs(|| ledger.clone())
            .bench_local_values(|mut ledger| ledger.execute(&block, &Symbolic).unwrap());
    }

    /// The operator's transactions, really signed.
    fn real(bencher: Bencher<'_, '_>, count: usize, suite: Suite) {
        let key = SigningKey::from_seed(suite, &[9; 32]);
        let mut state = Village::default().ledger(NAME).records();
        // The operator's record with the real key.
        let operator = tieline_chain::records::member(&member("vpp"));
        for (at, value) in &mut state {
            if *at == operator {
                let mut record = tieline_contract::member::Member::decode(value).unwrap();
                record.key = key.public_key().clone();
                *value = record.to_bytes();
            }
        }
        let pairs = state.iter().map(|(key, value)| (&key[..], &value[..]));
        let ledger = ledger_of(&State::from_records(pairs).unwrap());
        let domain = Domain {
            chain: chain(NAME),
            genesis: genesis(NAME),
            epoch: 0,
            purpose: Purpose::Transaction,
        };
        let by = member("vpp");
        let sign = |number: u64| {
            let act = act(number);
            let signature = key.sign(&domain, &act.message(&by));
            let by = by.clone();
            Transaction::Signed(Arc::new(Signed { by, act, signature }))
        };
        let block = propose(&ledger, (0..count as u64).map(sign).collect());
        let applied = ledger.clone().execute(&block, &Strict).unwrap();
        assert!(applied.changed.len() > count, "all are applied");
        bencher
            .with_inputs(|| ledger.clone())
            .bench_local_values(|mut ledger| ledger.execute(&block, &Strict).unwrap());
    }

    #[divan::bench(args = COUNTS, max_time = 10)]
    fn ml_dsa(bencher: Bencher<'_, '_>, count: usize) {
        real(bencher, count, Suite::MlDsa65);
    }

    #[divan::bench(args = COUNTS, max_time = 10)]
    fn hybrid(bencher: Bencher<'_, '_>, count: usize) {
        real(bencher, count, Suite::Ed25519MlDsa65);
    }
}

/// The state root of so many records.
mod root {
    use super::*;
    use tieline_chain::tree::Tree;

    const RECORDS: [u32; 3] = [1_000, 10_000, 100_000];
    const TOUCHED: usize = 100;
    const VALUE_BYTES: usize = 200;

    fn records(count: u32) -> Vec<(Vec<u8>, Vec<u8>)> {
        let one = |number: u32| (number.to_be_bytes().to_vec(), vec![7; VALUE_BYTES]);
        (0..count).map(one).collect()
    }

    fn tree(records: &[(Vec<u8>, Vec<u8>)]) -> Tree {
        Tree::of(records.iter().map(|(key, value)| (&key[..], &value[..])))
    }

    #[divan::bench(args = RECORDS, max_time = 5)]
    fn all_anew(bencher: Bencher<'_, '_>, count: u32) {
        let records = records(count);
        bencher.bench_local(|| tree(&records).root());
    }

    /// A hundred records of them changed.
    #[divan::bench(args = RECORDS)]
    fn hundred_changed(bencher: Bencher<'_, '_>, count: u32) {
        let records = records(count);
        let tree = tree(&records);
        let value = [8; VALUE_BYTES];
        let touched: Vec<_> = records.iter().step_by(records.len() / TOUCHED).collect();
        bencher
            .with_inputs(|| tree.clone())
            .bench_local_values(|mut tree| {
                tree.update(touched.iter().map(|(key, _)| (&key[..], Some(&value[..]))));
                tree.root()
            });
    }

    #[divan::bench(args = RECORDS)]
    fn prove(bencher: Bencher<'_, '_>, count: u32) {
        let records = records(count);
        let tree = tree(&records);
        bencher.bench_local(|| tree.prove(black_box(&records[7].0)));
    }

    #[divan::bench(args = RECORDS)]
    fn verify(bencher: Bencher<'_, '_>, count: u32) {
        let records = records(count);
        let tree = tree(&records);
        let ((key, value), proof) = (&records[7], tree.prove(&records[7].0));
        let root = tree.root();
        bencher.bench_local(|| proof.verify(root, key, Some(value)).unwrap());
    }
}

/// A ledger with many records: what a block, and a copy, cost then.
mod large {
    use super::*;

    const RECORDS: u64 = 100_000;

    fn large() -> Ledger {
        let mut records = Village::default().ledger(NAME).records();
        let tariff = Tariff {
            import: Price::from_millionths(300_000),
            export: Price::from_millionths(50_000),
        };
        let one = |number: u64| {
            let start = START.plus_millis((number + 5_000) * 900_000);
            (tieline_chain::records::tariff(start), tariff.to_bytes())
        };
        records.extend((0..RECORDS).map(one));
        let pairs = records.iter().map(|(key, value)| (&key[..], &value[..]));
        ledger_of(&State::from_records(pairs).unwrap())
    }

    #[divan::bench(max_time = 5)]
    fn execute_100_symbolic(bencher: Bencher<'_, '_>) {
        let ledger = large();
        let block = block(&ledger, 0, 100);
        bencher
            .with_inputs(|| ledger.clone())
            .bench_local_values(|mut ledger| (ledger.execute(&block, &Symbolic).unwrap(), ledger));
    }

    #[divan::bench(max_time = 5)]
    fn copy(bencher: Bencher<'_, '_>) {
        let ledger = large();
        bencher.bench_local(|| ledger.clone());
    }

    #[divan::bench(max_time = 5)]
    fn all_records(bencher: Bencher<'_, '_>) {
        let ledger = large();
        bencher.bench_local(|| ledger.state().records());
    }

    #[divan::bench(max_time = 10)]
    fn load(bencher: Bencher<'_, '_>) {
        let ledger = large();
        let records = ledger.state().records();
        let set = ledger.validators().clone();
        bencher.bench_local(|| {
            let pairs = records.iter().map(|(key, value)| (&key[..], &value[..]));
            Ledger::load(ledger.home(), pairs, *ledger.tip(), set.clone()).unwrap()
        });
    }
}

/// Delivering blocks to a store.
mod store {
    use super::*;
    use redb::StorageBackend;
    use redb::backends::{FileBackend, InMemoryBackend};
    use tieline_chain::store::Store;

    /// A disk whose syncs are not waited for: the rest is the share of the sync.
    #[derive(Debug)]
    struct NoSync(FileBackend);

    impl StorageBackend for NoSync {
        fn len(&self) -> Result<u64, std::io::Error> {
            self.0.len()
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
            self.0.read(offset, out)
        }

        fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
            self.0.set_len(len)
        }

        fn sync_data(&self) -> Result<(), std::io::Error> {
            Ok(())
        }

        fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
            self.0.write(offset, data)
        }
    }

    fn deliver(bencher: Bencher<'_, '_>, mut store: Store, count: usize) {
        let mut from = 0;
        bencher.bench_local(|| {
            let block = block(store.ledger().unwrap(), from, count);
            from += count as u64;
            store.deliver(&block, None, &Symbolic).unwrap()
        });
    }

    fn founding() -> Ledger {
        ledger_of(&Village::default().ledger(NAME))
    }

    fn file(folder: &tempfile::TempDir) -> FileBackend {
        let mut options = std::fs::OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(true);
        FileBackend::new(options.open(folder.path().join("chain.redb")).unwrap()).unwrap()
    }

    #[divan::bench(args = [0, 1, 100], max_time = 5)]
    fn on_disk(bencher: Bencher<'_, '_>, count: usize) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_on(file(&folder), founding(), &Symbolic).unwrap();
        deliver(bencher, store, count);
    }

    #[divan::bench(args = [0, 1, 100], max_time = 5)]
    fn on_disk_without_sync(bencher: Bencher<'_, '_>, count: usize) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_on(NoSync(file(&folder)), founding(), &Symbolic).unwrap();
        deliver(bencher, store, count);
    }

    #[divan::bench(args = [0, 1, 100], max_time = 5)]
    fn in_memory(bencher: Bencher<'_, '_>, count: usize) {
        let store = Store::open_on(InMemoryBackend::new(), founding(), &Symbolic).unwrap();
        deliver(bencher, store, count);
    }
}

/// Following a chain of four validators, three of them voting.
mod light {
    use super::*;

    fn shown(suite: Suite) -> (LightClient, Trail<Votes>) {
        let keys = keys(suite);
        let set = validators(&keys);
        let start = Parent {
            digest: genesis(NAME),
            height: 0,
            time: Time::default(),
            epoch: 0,
            validators: set.hash(),
        };
        let roots = *ledger_of(&Village::default().ledger(NAME)).roots();
        let block = Block::propose(&start, &roots, Proposal::default()).unwrap();
        let statement = FinalityStatement::of(&home(), &block.header);
        let domain = home().domain(0, Purpose::Finality);
        let sign = |key: &SigningKey| key.sign(&domain, &statement.message());
        let signatures: BTreeMap<u8, _> = (0..).zip(keys.iter().take(3).map(sign)).collect();
        let client = LightClient::from_parts(home(), start, set);
        let trail = Trail {
            headers: vec![block.header],
            proof: Votes { signatures },
        };
        (client, trail)
    }

    #[divan::bench(args = [Suite::MlDsa65, Suite::Ed25519MlDsa65])]
    fn header(bencher: Bencher<'_, '_>, suite: Suite) {
        let (client, trail) = shown(suite);
        bencher.bench_local(|| client.check(&trail, &Strict).unwrap());
    }

    #[divan::bench]
    fn header_without_signatures(bencher: Bencher<'_, '_>) {
        struct Yes;
        impl Verify for Yes {
            fn verify(
                &self,
                _: &tieline_seal::hybrid::PublicKey,
                _: &Domain,
                _: &[u8],
                _: &tieline_seal::hybrid::Signature,
            ) -> bool {
                true
            }
        }
        let (client, trail) = shown(Suite::MlDsa65);
        bencher.bench_local(|| client.check(&trail, &Yes).unwrap());
    }

    #[divan::bench(args = [Suite::MlDsa65, Suite::Ed25519MlDsa65])]
    fn votes(bencher: Bencher<'_, '_>, suite: Suite) {
        let (client, trail) = shown(suite);
        let statement = FinalityStatement::of(client.home(), &trail.headers[0]);
        let set = client.validators(0).unwrap();
        bencher.bench_local(|| trail.proof.verify(&statement, set, &Strict).unwrap());
    }

    /// An outbox entry and its Merkle proof under a header that is final.
    #[divan::bench(args = [1, 64])]
    fn entry(bencher: Bencher<'_, '_>, entries: usize) {
        use tieline_seal::merkle::{Proof, root};
        let leaves: Vec<Digest> = (0..entries).map(|n| Digest::of(&[n as u8])).collect();
        let proof = Proof::of(&leaves, entries / 2).unwrap();
        let expected = root(&leaves);
        bencher.bench_local(|| assert!(proof.root(leaves[entries / 2]) == Some(expected)));
    }
}
