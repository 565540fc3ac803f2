//! Transactions that wait for a block.
//!
//! **Rules.** Everything is bounded: count, bytes, and what one sender may have waiting. Cheap questions come before
//! signatures; what the contract would refuse now does not wait. So a place is taken only by somebody who signed for it, or
//! by what anybody may say and is true (certificates, deadlines), for which there is one quota together. Of one certificate
//! only one set of signatures waits. Each sender's first transaction comes before anybody's second.
//!
//! Pure: same calls, same pool. A transaction that depends on another one that is not final yet is refused until then; its
//! sender asks again.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;
use tieline_contract::guard::Refusal;
use tieline_contract::state::{Block as Now, State};
use tieline_contract::transaction::Transaction;
use tieline_seal::hybrid::Verify;
use tieline_units::canonical::Canonical as _;
use tieline_units::{Digest, Encoder, MicrogridId, Time};

use crate::block::{TRANSACTIONS_MAX, transaction_hash};

/// Bounds of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most transactions.
    pub count_max: usize,
    /// Most bytes of all together.
    pub bytes_max: usize,
    /// Most bytes of one.
    pub transaction_bytes_max: usize,
    /// Most of one sender.
    pub sender_max: usize,
    /// Most of those that anybody may send.
    pub anyone_max: usize,
    /// How long one waits, milliseconds.
    pub wait_max_ms: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            count_max: 4096,
            bytes_max: 32 << 20,
            transaction_bytes_max: 2 << 20,
            sender_max: 256,
            anyone_max: 2048,
            wait_max_ms: 600_000,
        }
    }
}

/// On whose account a transaction waits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sender {
    /// The party that signed it, or whose meter did.
    Member(MicrogridId),
    /// Nobody: anybody may send it.
    Anyone,
}

impl Sender {
    /// Of a transaction, as it says itself; [`State::check`] tells whether that is so.
    pub fn of(transaction: &Transaction) -> Sender {
        match transaction {
            Transaction::Request(request) | Transaction::Local { request, .. } => {
                Sender::Member(request.terms.buyer.clone())
            }
            Transaction::Signed(signed) => Sender::Member(signed.by.clone()),
            Transaction::Meter(batch) => Sender::Member(batch.member.clone()),
            Transaction::Certificate(_)
            | Transaction::TimeoutRequest(_)
            | Transaction::Timeout(_)
            | Transaction::Void(_)
            | Transaction::Default(_)
            | Transaction::Epoch(_)
            | Transaction::CloseEpoch(_)
            | Transaction::Evidence(_)
            | Transaction::Net { .. } => Sender::Anyone,
        }
    }
}

impl std::fmt::Display for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Sender::Member(id) => f.pad(id.as_str()),
            Sender::Anyone => f.pad("anyone"),
        }
    }
}

/// Why a transaction does not wait.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AddError {
    /// It, or another set of signatures on the same certificate, is waiting.
    #[error("the same is waiting already, as {waiting}")]
    Known {
        /// What waits.
        waiting: Digest,
    },
    /// Too large.
    #[error("a transaction of {bytes} bytes, at most {max} are taken")]
    Large {
        /// Its size.
        bytes: usize,
        /// The bound.
        max: usize,
    },
    /// No place.
    #[error("the pool is full: {count} transactions, {bytes} bytes")]
    Full {
        /// How many wait.
        count: usize,
        /// Their bytes.
        bytes: usize,
    },
    /// The sender has enough waiting.
    #[error("{count} transactions of {sender} are waiting, at most {max} are taken")]
    Quota {
        /// Whose.
        sender: Sender,
        /// How many.
        count: usize,
        /// The bound.
        max: usize,
    },
    /// The contract would refuse it now.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

#[derive(Clone, Debug)]
struct Waiting {
    transaction: Transaction,
    hash: Digest,
    subject: Digest,
    sender: Sender,
    bytes: usize,
    since: Time,
}

/// Where the chain stands, for the contract's questions.
#[derive(Clone, Copy)]
pub struct Stand<'a> {
    /// The last state that is final.
    pub state: &'a State,
    /// The block that may take the transaction.
    pub next: Now,
    /// For signatures; one that remembers makes asking again cheap.
    pub verify: &'a dyn Verify,
}

/// The pool.
#[derive(Clone, Debug)]
pub struct Mempool {
    limits: Limits,
    /// By arrival.
    waiting: BTreeMap<u64, Waiting>,
    /// By what it is about: the name, or the certified entry.
    subjects: BTreeMap<Digest, u64>,
    counts: BTreeMap<Sender, usize>,
    bytes: usize,
    arrivals: u64,
}

impl Mempool {
    /// An empty one.
    pub fn new(limits: Limits) -> Mempool {
        Mempool {
            limits,
            waiting: BTreeMap::new(),
            subjects: BTreeMap::new(),
            counts: BTreeMap::new(),
            bytes: 0,
            arrivals: 0,
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Bytes of all that wait.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether a transaction of this name waits.
    pub fn contains(&self, hash: Digest) -> bool {
        self.waiting.values().any(|waiting| waiting.hash == hash)
    }

    /// Takes a transaction; its name.
    ///
    /// # Errors
    /// [`AddError`]; the pool is as it was.
    pub fn add(&mut self, transaction: Transaction, stand: Stand<'_>) -> Result<Digest, AddError> {
        let (bytes, max) = (
            transaction.to_bytes().len(),
            self.limits.transaction_bytes_max,
        );
        if bytes > max {
            return Err(AddError::Large { bytes, max });
        }
        let hash = transaction_hash(&transaction);
        let subject = subject(&transaction, hash);
        if let Some(known) = self.subjects.get(&subject) {
            let known = self.waiting.get(known);
            let waiting = known.map_or(hash, |known| known.hash);
            return Err(AddError::Known { waiting });
        }
        if self.len() >= self.limits.count_max || self.bytes + bytes > self.limits.bytes_max {
            let (count, bytes) = (self.len(), self.bytes);
            return Err(AddError::Full { count, bytes });
        }
        let sender = Sender::of(&transaction);
        let count = self.counts.get(&sender).copied().unwrap_or(0);
        let max = match sender {
            Sender::Member(_) => self.limits.sender_max,
            Sender::Anyone => self.limits.anyone_max,
        };
        if count >= max {
            return Err(AddError::Quota { sender, count, max });
        }
        let Stand {
            state,
            next,
            verify,
        } = stand;
        state.check(&transaction, next, verify)?;
        self.insert(Waiting {
            transaction,
            hash,
            subject,
            sender,
            bytes,
            since: next.time,
        });
        Ok(hash)
    }

    fn insert(&mut self, waiting: Waiting) {
        let arrival = self.arrivals;
        self.arrivals += 1;
        self.bytes += waiting.bytes;
        *self.counts.entry(waiting.sender.clone()).or_default() += 1;
        self.subjects.insert(waiting.subject, arrival);
        self.waiting.insert(arrival, waiting);
    }

    fn remove(&mut self, arrival: u64) {
        let Some(gone) = self.waiting.remove(&arrival) else {
            return;
        };
        self.bytes -= gone.bytes;
        self.subjects.remove(&gone.subject);
        if let Some(count) = self.counts.get_mut(&gone.sender) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&gone.sender);
            }
        }
    }

    /// What a block may hold, in the order in which it should: at most so many bytes, and nothing that is in a block before
    /// it which is not final yet.
    pub fn select(&self, bytes_max: usize, ancestors: &BTreeSet<Digest>) -> Vec<Transaction> {
        let mut of_sender: BTreeMap<&Sender, usize> = BTreeMap::new();
        let mut order: Vec<(usize, u64)> = Vec::new();
        for (&arrival, waiting) in &self.waiting {
            if ancestors.contains(&waiting.hash) {
                continue;
            }
            let turn = of_sender.entry(&waiting.sender).or_default();
            order.push((*turn, arrival));
            *turn += 1;
        }
        order.sort_unstable();
        let (mut left, mut selected) = (bytes_max, Vec::new());
        for (_, arrival) in order {
            let Some(waiting) = self.waiting.get(&arrival) else {
                continue;
            };
            if selected.len() == TRANSACTIONS_MAX {
                break;
            }
            // The first goes in however large it is: otherwise it never would.
            if waiting.bytes <= left || selected.is_empty() {
                left = left.saturating_sub(waiting.bytes);
                selected.push(waiting.transaction.clone());
            }
        }
        selected
    }

    /// A block is final: forgets its transactions, what waited too long, and what the contract would refuse now. Returns the
    /// names of the latter two, in order of arrival.
    ///
    /// `done`: names of the block's transactions; `stand`: after it.
    pub fn settle(&mut self, done: &BTreeSet<Digest>, stand: Stand<'_>) -> Vec<Digest> {
        let (mut gone, mut dropped) = (Vec::new(), Vec::new());
        for (&arrival, waiting) in &self.waiting {
            if done.contains(&waiting.hash) {
                gone.push(arrival);
                continue;
            }
            let until = waiting.since.as_millis();
            let until = until.saturating_add(self.limits.wait_max_ms);
            let late = stand.next.time.as_millis() > until;
            let refused = || {
                let asked = stand.state;
                asked.check(&waiting.transaction, stand.next, stand.verify)
            };
            if late || refused().is_err() {
                gone.push(arrival);
                dropped.push(waiting.hash);
            }
        }
        gone.into_iter().for_each(|arrival| self.remove(arrival));
        dropped
    }
}

/// What a transaction is about: two of one subject do the same.
fn subject(transaction: &Transaction, hash: Digest) -> Digest {
    let Transaction::Certificate(certificate) = transaction else {
        return hash;
    };
    let mut encoder = Encoder::new("tieline.mempool-subject/1");
    certificate.chain.encode(&mut encoder);
    certificate.epoch.encode(&mut encoder);
    certificate.payload.kind().encode(&mut encoder);
    certificate.payload.subject().encode(&mut encoder);
    encoder.digest()
}
