//! A chain that the program has founded, and blocks on it with real signatures.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tieline::node::NodeConfig;
use tieline::node::keys::{MemberSeeds, identity_of, signing_key};
use tieline_chain::Ledger;
use tieline_chain::block::{Block, Body, Proposal};
use tieline_chain::files::{BlockWriter, Entry};
use tieline_chain::genesis::Genesis;
use tieline_chain::light::FinalityStatement;
use tieline_chain::store::Store;
use tieline_chain::validators::{Handover, ValidatorSet};
use tieline_contract::transaction::{Act, Signed, Transaction};
use tieline_engine::finality::Finalized;
use tieline_seal::hybrid::{Purpose, Signature, SigningKey, Strict};
use tieline_units::{MicrogridId, Money, Time};
use zeroize::Zeroizing;

use crate::support::{Ran, tieline_in};

pub(crate) const PHRASE: &str = "a long line that nobody guesses";

/// The time of a genesis from a seed.
const FOUNDED: u64 = 1_767_225_600_000;

pub(crate) fn phrase() -> Zeroizing<String> {
    Zeroizing::new(PHRASE.to_owned())
}

/// A folder for chains.
pub(crate) struct Ground {
    folder: TempDir,
}

impl Ground {
    pub(crate) fn new() -> Ground {
        let folder = tempfile::tempdir().unwrap();
        Ground { folder }
    }

    /// With the VPP's chain `chain-z` in the folder `z`.
    pub(crate) fn with_vpp() -> Ground {
        let ground = Ground::new();
        ground
            .run(&["chain", "init", "z", "--chain", "chain-z", "--seed", "1"])
            .expect(0);
        ground
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Runs the program in the folder, with the passphrase in the environment.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, &[("TIELINE_PASSPHRASE", PHRASE)])
    }

    pub(crate) fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        tieline_in(self.folder.path(), arguments, variables)
    }

    pub(crate) fn genesis(&self, chain: &str) -> Genesis {
        Genesis::from_toml(&self.text(&format!("{chain}/genesis.toml"))).unwrap()
    }

    pub(crate) fn node(&self, chain: &str, number: usize) -> NodeConfig {
        NodeConfig::read(&self.path(&format!("{chain}/node-{number}")), &phrase()).unwrap()
    }

    pub(crate) fn member(&self, chain: &str, id: &str) -> SigningKey {
        let file = self.path(&format!("{chain}/members/{id}.sealed"));
        signing_key(&MemberSeeds::read(&file, &phrase()).unwrap().gateway)
    }

    /// Names in the folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// Blocks of `chain-z` in the folder `z`: deposits, one that is refused, a handover; certificates for some.
pub(crate) struct History {
    pub(crate) genesis: Genesis,
    pub(crate) entries: Vec<Entry>,
    /// Before each block, and after the last.
    pub(crate) ledgers: Vec<Ledger>,
    operator: SigningKey,
    voters: Vec<([u8; 32], Arc<SigningKey>)>,
}

impl History {
    /// Six blocks; block 4 hands over, blocks 2, 5 and 6 have a certificate.
    pub(crate) fn new(ground: &Ground) -> History {
        let genesis = ground.genesis("z");
        let mut history = History {
            ledgers: vec![Ledger::genesis(&genesis)],
            genesis,
            entries: Vec::new(),
            operator: ground.member("z", "vpp"),
            voters: (1..=4)
                .map(|k| ground.node("z", k))
                .map(|node| (identity_of(&node.identity), Arc::new(node.voting)))
                .collect(),
        };
        for height in 1..=6 {
            let block = history.propose(height);
            history.push(block);
        }
        history
    }

    fn propose(&self, height: u64) -> Block {
        let transactions = match height {
            // Certified twice: the second is refused.
            2 => vec![self.deposit(1, 7), self.deposit(1, 8)],
            3 => vec![self.deposit(2, 9)],
            5 => Vec::new(),
            1 => vec![self.deposit(0, 5)],
            4 => vec![self.deposit(3, 1)],
            _ => vec![self.deposit(4, 2)],
        };
        let handover = (height == 4).then(|| Arc::new(self.handover(self.last(), 4)));
        self.block(Body {
            transactions,
            handover,
            ..Body::default()
        })
    }

    pub(crate) fn block(&self, body: Body) -> Block {
        let tip = self.last();
        let proposal = Proposal {
            time: Time::from_millis(FOUNDED + 1000 * (tip.tip().height + 1)),
            body,
            context: Vec::new(),
        };
        tip.propose(proposal).unwrap()
    }

    pub(crate) fn last(&self) -> &Ledger {
        self.ledgers.last().unwrap()
    }

    fn push(&mut self, block: Block) {
        let mut ledger = self.last().clone();
        let height = block.header.height;
        let certificate = [2, 5, 6].contains(&height).then(|| self.votes(&block));
        ledger.execute(&block, &Strict).unwrap();
        self.ledgers.push(ledger);
        self.entries.push(Entry { block, certificate });
    }

    /// The operator certifies a deposit of so many units by the aggregator.
    pub(crate) fn deposit(&self, sequence: u64, units: i64) -> Transaction {
        let by = MicrogridId::parse("vpp").unwrap();
        let act = Act::Deposit {
            sequence,
            member: MicrogridId::parse("aggregator").unwrap(),
            amount: Money::from_millionths(units * 1_000_000),
        };
        let domain = self.genesis.home().domain(0, Purpose::Transaction);
        let signature = self.operator.sign(&domain, &act.message(&by));
        Transaction::Signed(Arc::new(Signed { by, act, signature }))
    }

    /// To the same validators in the next epoch, approved by so many.
    pub(crate) fn handover(&self, after: &Ledger, approvals: usize) -> Handover {
        let present = after.validators();
        let next = Arc::new(ValidatorSet {
            epoch: present.epoch + 1,
            validators: present.validators.clone(),
        });
        let message = Handover::message(&next);
        let home = self.genesis.home();
        let by = |count: usize, epoch, purpose| -> BTreeMap<u8, Signature> {
            let domain = home.domain(epoch, purpose);
            let signers = self.voters.iter().take(count).enumerate();
            let sign = |(index, (_, key)): (usize, &(_, Arc<SigningKey>))| {
                (index as u8, key.sign(&domain, &message))
            };
            signers.map(sign).collect()
        };
        Handover {
            approvals: by(approvals, present.epoch, Purpose::Transaction),
            possession: by(4, next.epoch, Purpose::Possession),
            next,
        }
    }

    /// The certificate of three of the four.
    fn votes(&self, block: &Block) -> Vec<u8> {
        let statement = FinalityStatement::of(&self.genesis.home(), &block.header);
        let set = self.last().validators();
        let voters: Vec<_> = self.voters[..3].to_vec();
        Finalized::voted(&statement, set, &voters).unwrap().0
    }

    /// A store as a node leaves it.
    pub(crate) fn store(&self, path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut store = Store::open(path, Ledger::genesis(&self.genesis), &Strict).unwrap();
        for entry in &self.entries {
            let certificate = entry.certificate.as_deref();
            store.deliver(&entry.block, certificate, &Strict).unwrap();
        }
    }

    /// A block file of these.
    pub(crate) fn file(&self, path: &Path, entries: &[Entry]) {
        let mut writer = BlockWriter::open(path, &self.genesis.home()).unwrap();
        for entry in entries {
            let certificate = entry.certificate.as_deref();
            writer.append(&entry.block, certificate).unwrap();
        }
        writer.sync().unwrap();
    }
}
