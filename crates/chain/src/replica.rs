//! One node's copy of a chain: what it may propose, what it votes for, what is final, what waits, and what it attests.
//!
//! **Parties.** The engine, which agrees on the order of blocks; clients, who submit; relayers, who read attestations.
//! **Rules.** Whatever is proposed or voted for was executed beside the final blocks. What is final is durable before this
//! says so, and only what is durable is attested. **Guarantee.** The same blocks in the same order leave the same bytes on
//! every replica, whatever clients did in between.
//!
//! No engine, no clock, no threads: names of blocks, blocks and times come in. The disk is the store's.

mod accused;
mod attest;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use thiserror::Error;
use tieline_contract::state::Block as Now;
use tieline_contract::transaction::Transaction;
use tieline_seal::hybrid::Verify;
use tieline_units::{Digest, Time};

use accused::Accused;
pub use attest::{Approve, Attester, Sign, Signed};

use crate::block::{Block, BlockError, Body, ClockError, LAG_MAX_MS, Proposal, SKEW_MAX_MS};
use crate::double_vote::{DoubleVote, DoubleVoteError};
use crate::forks::{ForkError, Forks};
use crate::genesis::EPOCH_BLOCKS_MIN;
use crate::ledger::{Executed, Ledger, Receipt};
use crate::mempool::{AddError, Limits, Mempool, Stand};
use crate::store::{Store, StoreError};
use crate::validators::{Handover, ValidatorsError};

/// Checks signatures in whatever thread the replica is used.
pub type Verifier = Box<dyn Verify + Send>;

/// What becomes of a block that somebody proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// A vote for it is right.
    Valid,
    /// Never.
    Invalid(String),
    /// Its parent comes first.
    Parent(Digest),
    /// At this time, milliseconds from now: it is ahead of the clock.
    Later(u64),
}

/// Where a transaction is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// In the pool.
    Waiting,
    /// In a final block; the receipt is gone where the archive is pruned.
    Final {
        /// Of which height.
        height: u64,
        /// What became of it.
        receipt: Option<Receipt>,
    },
}

/// Why no block is proposed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProposeError {
    /// Its parent comes first.
    #[error("the parent {0} was not executed here")]
    Parent(Digest),
    /// What was put together is no block.
    #[error(transparent)]
    Block(#[from] BlockError),
}

/// Figures of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Height of the last final block.
    pub height: u64,
    /// Blocks that are executed and not final.
    pub forks: usize,
    /// Transactions that wait.
    pub waiting: usize,
    /// Their bytes.
    pub waiting_bytes: usize,
}

/// A node's copy of a chain.
pub struct Replica {
    forks: Forks,
    store: Store,
    pool: Mempool,
    verify: Verifier,
    attester: Option<Attester>,
    epoch_blocks: u64,
    handover: Option<Arc<Handover>>,
    accused: Accused,
    votes_after: Time,
    /// The node's clock when a block became final last: while a chain stands still, no block is too old.
    moved: Time,
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica")
            .field("ledger", self.ledger())
            .field("waiting", &self.pool.len())
            .finish_non_exhaustive()
    }
}

impl Replica {
    /// Over an open store.
    ///
    /// # Errors
    /// [`StoreError::Stopped`].
    pub fn new(
        store: Store,
        verify: Verifier,
        limits: Limits,
        attester: Option<Attester>,
    ) -> Result<Replica, StoreError> {
        Ok(Replica {
            forks: Forks::new(store.ledger()?.clone()),
            store,
            pool: Mempool::new(limits),
            verify,
            attester,
            moved: Time::default(),
            epoch_blocks: u64::MAX,
            handover: None,
            accused: Accused::default(),
            votes_after: Time::default(),
        })
    }

    /// Where other validators can take over: after every so many blocks, the genesis counted as one.
    #[must_use]
    pub fn with_epochs(mut self, blocks: u64) -> Replica {
        self.epoch_blocks = blocks.max(EPOCH_BLOCKS_MIN);
        self
    }

    /// Votes in those epochs of the engine alone whose validators took over after a time: in earlier ones this node may have
    /// cast votes that it does not know any more.
    #[must_use]
    pub fn voting_after(mut self, time: Time) -> Replica {
        self.votes_after = time;
        self
    }

    /// Whether nothing was ever voted in an epoch of the engine that this node does not know of ([`Replica::voting_after`]).
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn may_vote(&self, epoch: u64) -> Result<bool, StoreError> {
        if self.votes_after == Time::default() {
            return Ok(true);
        }
        let first = epoch.saturating_mul(self.epoch_blocks);
        let last = self.store.block(first.saturating_sub(1))?;
        // A block is at most so far ahead of an honest clock; and two clocks, each as wrong as allowed, are twice that apart.
        let since = self.votes_after.plus_millis(3 * SKEW_MAX_MS);
        Ok(last.is_some_and(|last| last.header.time > since))
    }

    /// The epoch of the engine that the next block belongs to.
    pub fn epoch(&self) -> u64 {
        (self.ledger().tip().height + 1) / self.epoch_blocks
    }

    /// The change of validators that waits for the end of the epoch.
    pub fn waiting_handover(&self) -> Option<&Arc<Handover>> {
        self.handover.as_ref()
    }

    /// Blocks of an epoch of the engine.
    pub fn epoch_blocks(&self) -> u64 {
        self.epoch_blocks
    }

    /// Whether the block of this height is the last one of an epoch of the engine.
    fn ends_epoch(&self, height: u64) -> bool {
        height % self.epoch_blocks == self.epoch_blocks - 1
    }

    /// Takes an approved change of validators for the end of the epoch; the last one that was taken counts.
    ///
    /// # Errors
    /// [`ValidatorsError`]: not the present validators' next.
    pub fn hand_over(&mut self, handover: Handover) -> Result<(), ValidatorsError> {
        let ledger = self.forks.base();
        handover.check(ledger.validators(), ledger.home(), &*self.verify)?;
        self.handover = Some(Arc::new(handover));
        Ok(())
    }

    /// Takes the proof that a validator in charge voted for two things, for the next block; whether it is news.
    ///
    /// # Errors
    /// [`DoubleVoteError`]: it proves nothing.
    pub fn accuse(&mut self, double: DoubleVote) -> Result<bool, DoubleVoteError> {
        let ledger = self.forks.base();
        let name = double.name(ledger.home(), ledger.validators());
        let recorded = !matches!(self.store.height_of(name), Ok(None));
        let recent = self.is_recent(&double, ledger.tip().height + 1);
        if recorded || !recent || self.accused.has(&double) {
            return Ok(false);
        }
        double.check(ledger.validators(), ledger.home(), &*self.verify)?;
        self.accused.add(name, double);
        Ok(true)
    }

    /// After the last final block.
    pub fn ledger(&self) -> &Ledger {
        self.forks.base()
    }

    /// The archive.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Whether a block was executed here and is final or may become so.
    pub fn knows(&self, block: Digest) -> bool {
        self.forks.after(block).is_some()
    }

    /// Figures for people and metrics.
    pub fn figures(&self) -> Figures {
        Figures {
            height: self.ledger().tip().height,
            forks: self.forks.len(),
            waiting: self.pool.len(),
            waiting_bytes: self.pool.bytes(),
        }
    }

    /// Takes a transaction that waits for a block; its name.
    ///
    /// # Errors
    /// [`AddError`].
    pub fn submit(&mut self, transaction: Transaction, now: Time) -> Result<Digest, AddError> {
        let ledger = self.forks.base();
        let stand = Stand {
            state: ledger.state(),
            next: next(ledger, now),
            verify: &*self.verify,
        };
        self.pool.add(transaction, stand)
    }

    /// Where a transaction is; `None` where nobody knows of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn whereabouts(&self, name: Digest) -> Result<Option<Whereabouts>, StoreError> {
        let Some(height) = self.store.height_of(name)? else {
            let waiting = self.pool.contains(name);
            return Ok(waiting.then_some(Whereabouts::Waiting));
        };
        let receipts = self.store.receipts(height)?.unwrap_or_default();
        let mut receipts = receipts.into_iter();
        let receipt = receipts.find(|receipt| receipt.transaction == name);
        Ok(Some(Whereabouts::Final { height, receipt }))
    }

    /// Whether a block after this one would hold a transaction.
    pub fn has_work(&self, parent: Digest) -> bool {
        let ledger = self.forks.after(parent);
        let ends = ledger.is_some_and(|ledger| self.ends_epoch(ledger.tip().height + 1));
        if ends && self.handover.is_some() {
            return true;
        }
        if self.pool.is_empty() && self.accused.is_empty() {
            return false;
        }
        let taken = self.forks.taken(parent);
        let accuses = ledger.is_some_and(|ledger| !self.accused.next(ledger, &taken).is_empty());
        accuses || !self.pool.select(1 << 20, &taken).is_empty()
    }

    /// The next block after `parent`: what waits and is in no block before it, at most `bytes_max` bytes of it.
    ///
    /// `context`: the engine's own.
    ///
    /// # Errors
    /// [`ProposeError`].
    pub fn propose(
        &self,
        (parent, time): (Digest, Time),
        bytes_max: usize,
        context: Vec<u8>,
    ) -> Result<Block, ProposeError> {
        let ledger = self.forks.after(parent);
        let ledger = ledger.ok_or(ProposeError::Parent(parent))?;
        let taken = self.forks.taken(parent);
        let transactions = self.pool.select(bytes_max, &taken);
        let handover = self.handover.as_ref().filter(|handover| {
            let ends = self.ends_epoch(ledger.tip().height + 1);
            ends && ledger.validators().epoch.checked_add(1) == Some(handover.next.epoch)
        });
        let body = Body {
            transactions,
            handover: handover.cloned(),
            double_votes: self.accused.next(ledger, &taken),
        };
        Ok(ledger.propose(Proposal {
            time,
            body,
            context,
        })?)
    }

    /// Whether to vote for a block, with the node's clock at `now`. It is executed, once.
    pub fn judge(&mut self, block: &Block, now: Time) -> Judgement {
        match block.header.check_clock(now) {
            Err(ClockError::Ahead { .. }) => {
                let until = block.header.time.as_millis();
                return Judgement::Later(until.abs_diff(now.as_millis()));
            }
            Err(ClockError::Behind { .. }) if self.moves(now) => {
                return Judgement::Invalid("its time is too long ago".to_owned());
            }
            _ => {}
        }
        self.execute(block)
    }

    /// Executes a block beside the final ones, whatever the clock says: an ancestor of one that is judged.
    pub fn execute(&mut self, block: &Block) -> Judgement {
        if block.header.height <= self.ledger().tip().height {
            // Final, or beside what is final: the engine asks of the past after a restart.
            return match self.store.block(block.header.height) {
                Ok(Some(known)) if known == *block => Judgement::Valid,
                Ok(Some(_)) => {
                    Judgement::Invalid("another block of this height is final".to_owned())
                }
                Ok(None) => Judgement::Invalid("it is no longer in the archive".to_owned()),
                Err(error) => Judgement::Invalid(error.to_string()),
            };
        }
        if block.body.handover.is_some() && !self.ends_epoch(block.header.height) {
            return Judgement::Invalid("validators change at the end of an epoch".to_owned());
        }
        if let Some(wrong) = self.accuses_wrongly(block) {
            return Judgement::Invalid(wrong.to_owned());
        }
        match self.forks.execute(block, &*self.verify) {
            Ok(_) => Judgement::Valid,
            Err(ForkError::Parent { parent, .. }) => Judgement::Parent(parent),
            Err(ForkError::Full) => Judgement::Later(1_000),
            Err(ForkError::Invalid(error)) => Judgement::Invalid(error.to_string()),
        }
    }

    /// What is wrong with the double votes of a block, beside the proofs themselves.
    fn accuses_wrongly(&self, block: &Block) -> Option<&'static str> {
        let doubles = &block.body.double_votes;
        if doubles.is_empty() {
            return None;
        }
        let (parent, height) = (block.header.parent, block.header.height);
        let after = self.forks.after(parent)?;
        let taken = self.forks.taken(parent);
        doubles.iter().find_map(|double| {
            let name = double.name(after.home(), after.validators());
            if !self.is_recent(double, height) {
                return Some("a double vote of an epoch that is long over, or to come");
            }
            let known = taken.contains(&name) || !matches!(self.store.height_of(name), Ok(None));
            known.then_some("a double vote that is recorded already")
        })
    }

    /// Whether a double vote is of the epoch of this height or the one before: no others can be made up for the record.
    fn is_recent(&self, double: &DoubleVote, height: u64) -> bool {
        let epoch = height / self.epoch_blocks;
        double.agreement <= epoch && epoch - double.agreement <= 1
    }

    /// Whether a block became final not long ago. While nothing is, a partition for instance, old proposals are what the
    /// chain has to go on with.
    fn moves(&self, now: Time) -> bool {
        now.as_millis() < self.moved.as_millis().saturating_add(LAG_MAX_MS)
    }

    /// A block is final. When this returns it is durable.
    ///
    /// Delivered before: `None`.
    ///
    /// # Errors
    /// [`StoreError`]: the node must stop.
    pub fn finalise(&mut self, block: &Block, now: Time) -> Result<Option<Executed>, StoreError> {
        let height = block.header.height;
        if height <= self.ledger().tip().height {
            self.store.deliver(block, None, &*self.verify)?;
            return Ok(None);
        }
        let refused = |error: ForkError| match error {
            ForkError::Invalid(error) => StoreError::Execute { height, error },
            _ => StoreError::Execute {
                height,
                error: crate::ledger::ExecuteError::Gap {
                    height,
                    tip: height.saturating_sub(1),
                },
            },
        };
        let executed = self.forks.finalise(block, &*self.verify).map_err(refused)?;
        self.store.commit(block, self.forks.base(), &executed)?;
        self.moved = now;
        if block.body.handover.is_some() {
            self.handover = None;
        }
        let over = block.body.handover.is_some();
        let (next, blocks) = (height + 1, self.epoch_blocks);
        let recent = |double: &DoubleVote| double.agreement + 1 >= next / blocks;
        let keep = |double: &DoubleVote| !over && recent(double);
        self.accused.settle(&executed.caught, keep);
        self.settle(&executed, now);
        Ok(Some(executed))
    }

    fn settle(&mut self, executed: &Executed, now: Time) {
        let receipts = executed.receipts.iter();
        let done: BTreeSet<Digest> = receipts.map(|receipt| receipt.transaction).collect();
        let ledger = self.forks.base();
        let stand = Stand {
            state: ledger.state(),
            next: next(ledger, now),
            verify: &*self.verify,
        };
        self.pool.settle(&done, stand);
    }

    /// Keeps what shows that a block is final.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn certify(&mut self, height: u64, certificate: &[u8]) -> Result<(), StoreError> {
        self.store.certify(height, certificate)
    }

    /// This node's signatures on what a final block says to other chains, one per epoch in which it is a verification node.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn attestations(&self, height: u64) -> Result<Vec<Signed>, StoreError> {
        match &self.attester {
            Some(attester) => attester.sign(&self.store, self.store.ledger()?, height),
            None => Ok(Vec::new()),
        }
    }
}

/// The block after the tip at this time.
fn next(ledger: &Ledger, now: Time) -> Now {
    let tip = ledger.tip();
    Now {
        height: tip.height + 1,
        time: now.max(tip.time),
    }
}
