//! A chain as the run sees it: its ledger, what its members signed, and what is on its way to it.
//!
//! The run executes every final block once more, on a ledger of its own, so what it acts on follows from blocks alone. It
//! checks no signatures again: its own parties made them, validators have checked them, and a ledger that differs from the
//! validators' is caught by the roots in the next header.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use anyhow::{Context as _, anyhow};
use tieline_chain::block::{Block, transaction_hash};
use tieline_chain::files::{BlockWriter, Entry};
use tieline_chain::genesis::Genesis;
use tieline_chain::ledger::{Ledger, Outcome};
use tieline_chain::mempool::Sender;
use tieline_chain::relay::Attestations;
use tieline_contract::transaction::Transaction;
use tieline_engine::lockstep::{Final, Report};
use tieline_seal::hybrid::{Domain, PublicKey, Signature, Verify};
use tieline_units::{ChainId, Digest, Time};

/// Most transactions of one sender on their way: a mempool takes no more than 256.
const SENDER_MAX: usize = 200;

/// Most transactions on their way that anybody may send.
const ANYONE_MAX: usize = 1_500;

/// After how long a transaction that no block took is given again, milliseconds of the chain's time.
const AGAIN_MS: u64 = 60_000;

/// How often a transaction that a mempool refuses is tried again before it is given up.
const TRIES_MAX: u32 = 200;

/// Takes every signature for right: they were checked where the block was voted on.
struct Checked;

impl Verify for Checked {
    fn verify(&self, _: &PublicKey, _: &Domain, _: &[u8], _: &Signature) -> bool {
        true
    }
}

/// A transaction that is to get onto the chain.
struct Waiting {
    transaction: Transaction,
    name: Digest,
    tries: u32,
}

/// A transaction that no mempool took in all that time, and why.
pub type GivenUp = (Transaction, String);

/// What a block did, for whoever acts on it.
pub struct Happened {
    /// The block.
    pub height: u64,
    /// Transactions that were applied.
    pub applied: Vec<Transaction>,
    /// Transactions that the contract refused, and why.
    pub refused: Vec<(Transaction, String)>,
}

/// What there is to say about a chain.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Final blocks.
    pub blocks: u64,
    /// Transactions in them.
    pub transactions: u64,
    /// Of them, refused by the contract.
    pub refused: u64,
    /// Blocks with a certificate of finality.
    pub certificates: u64,
    /// Milliseconds from giving a transaction to the block that is final, sorted at the end.
    pub finality_ms: Vec<u32>,
}

/// A chain.
pub struct Place {
    /// Its name.
    pub chain: ChainId,
    /// What it was founded on.
    pub genesis: Genesis,
    /// The final state.
    pub ledger: Ledger,
    /// What members signed.
    pub attestations: Attestations,
    /// What there is to say about it.
    pub figures: Figures,
    /// The last block that has a certificate, with which the chain can go on.
    pub last: Option<Entry>,
    queue: VecDeque<Waiting>,
    flight: BTreeMap<Digest, (Waiting, Time)>,
    writer: BlockWriter,
}

impl Place {
    /// A chain at its genesis, whose blocks are written to a file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn new(genesis: Genesis, file: &Path) -> anyhow::Result<Place> {
        let ledger = Ledger::genesis(&genesis);
        let writer = BlockWriter::open(file, &genesis.home())
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(Place {
            chain: genesis.document().chain.clone(),
            ledger,
            attestations: Attestations::default(),
            figures: Figures::default(),
            last: None,
            queue: VecDeque::new(),
            flight: BTreeMap::new(),
            writer,
            genesis,
        })
    }

    /// Puts a transaction on its way, unless the same is.
    pub fn give(&mut self, transaction: Transaction) {
        let name = transaction_hash(&transaction);
        let queued = self.queue.iter().any(|waiting| waiting.name == name);
        if !queued && !self.flight.contains_key(&name) {
            self.queue.push_back(Waiting {
                transaction,
                name,
                tries: 0,
            });
        }
    }

    /// Whether anything is on its way.
    pub fn is_busy(&self) -> bool {
        !self.queue.is_empty() || !self.flight.is_empty()
    }

    /// What the validators get now.
    pub fn take(&mut self, now: Time) -> Vec<Transaction> {
        self.lost(now);
        let mut on_way: BTreeMap<Sender, usize> = BTreeMap::new();
        for (waiting, _) in self.flight.values() {
            *on_way.entry(Sender::of(&waiting.transaction)).or_default() += 1;
        }
        let mut given = Vec::new();
        let mut later = VecDeque::new();
        for waiting in self.queue.drain(..) {
            let sender = Sender::of(&waiting.transaction);
            let most = match sender {
                Sender::Member(_) => SENDER_MAX,
                Sender::Anyone => ANYONE_MAX,
            };
            let count = on_way.entry(sender).or_default();
            if *count >= most {
                later.push_back(waiting);
                continue;
            }
            *count += 1;
            given.push(waiting.transaction.clone());
            self.flight.insert(waiting.name, (waiting, now));
        }
        self.queue = later;
        given
    }

    /// What no block took for a long time is given again.
    fn lost(&mut self, now: Time) {
        let late = |since: &Time| now >= since.plus_millis(AGAIN_MS);
        let lost = self.flight.iter().filter(|(_, (_, since))| late(since));
        let lost: Vec<Digest> = lost.map(|(name, _)| *name).collect();
        for name in lost {
            if let Some((waiting, _)) = self.flight.remove(&name) {
                self.queue.push_back(waiting);
            }
        }
    }

    /// Takes what validators report. Returns what happened, and what was given up.
    ///
    /// # Errors
    /// Blocks that do not follow, a full disk.
    pub fn absorb(&mut self, report: Report) -> anyhow::Result<(Vec<Happened>, Vec<GivenUp>)> {
        let mut given_up = Vec::new();
        for (name, why) in report.refused {
            let Some((mut waiting, _)) = self.flight.remove(&name) else {
                continue;
            };
            waiting.tries += 1;
            if waiting.tries < TRIES_MAX {
                self.queue.push_back(waiting);
            } else {
                given_up.push((waiting.transaction, why));
            }
        }
        for signed in report.signed {
            if !self
                .attestations
                .add(&signed.statement, signed.seat, signed.signature)
            {
                return Err(anyhow!(
                    "{}: two statements of verification nodes on block {}",
                    self.chain,
                    signed.statement.height
                ));
            }
        }
        let mut happened = Vec::new();
        for block in report.blocks {
            happened.push(self.execute(block)?);
        }
        Ok((happened, given_up))
    }

    fn execute(&mut self, found: Final) -> anyhow::Result<Happened> {
        let Final {
            block,
            certificate,
            at,
        } = found;
        let executed = self.ledger.execute(&block, &Checked);
        let executed = executed.with_context(|| format!("chain {}", self.chain))?;
        self.writer
            .append(&block, certificate.as_deref())
            .with_context(|| format!("the blocks of {}", self.chain))?;
        self.count(&block, certificate.is_some());
        let height = block.header.height;
        let (mut applied, mut refused) = (Vec::new(), Vec::new());
        let receipts = executed.receipts.into_iter();
        for (transaction, receipt) in block.body.transactions.iter().zip(receipts) {
            if let Some((_, since)) = self.flight.remove(&receipt.transaction) {
                let took = at.as_millis().saturating_sub(since.as_millis());
                let took = u32::try_from(took).unwrap_or(u32::MAX);
                self.figures.finality_ms.push(took);
            }
            match receipt.outcome {
                Outcome::Applied(_) => applied.push(transaction.clone()),
                Outcome::Refused(why) => {
                    self.figures.refused += 1;
                    refused.push((transaction.clone(), why));
                }
            }
        }
        if certificate.is_some() {
            self.last = Some(Entry { block, certificate });
        }
        Ok(Happened {
            height,
            applied,
            refused,
        })
    }

    fn count(&mut self, block: &Block, certified: bool) {
        self.figures.blocks += 1;
        self.figures.transactions += block.body.transactions.len() as u64;
        self.figures.certificates += u64::from(certified);
    }

    /// Makes durable what was written.
    ///
    /// # Errors
    /// A full disk.
    pub fn sync(&mut self) -> anyhow::Result<()> {
        let synced = self.writer.sync();
        synced.with_context(|| format!("the blocks of {}", self.chain))
    }
}
