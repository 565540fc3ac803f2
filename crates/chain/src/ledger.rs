//! Executing blocks: one chain's state at its tip.
//!
//! Pure: blocks come in, receipts and changed records go out. A block is executed once, by height; a transaction that the
//! contract refuses is recorded with the reason and changes nothing; an empty block moves nothing but the tip.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;
use tieline_contract::state::{Block as Now, State};
use tieline_contract::transaction::Transaction;
use tieline_seal::hybrid::Verify;
use tieline_seal::merkle;
use tieline_units::canonical::DecodeError;
use tieline_units::{Digest, Time, canonical, canonical_enum};

use crate::block::{Block, BlockError, Body, Parent, Proposal, Roots, transaction_hash};
use crate::double_vote::DoubleVoteError;
use crate::genesis::Genesis;
use crate::home::Home;
use crate::touched::{Changed, Hidden, Touched};
use crate::tree::Tree;
use crate::validators::{ValidatorSet, ValidatorsError};

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Applied: names of the transitions, one, or one per order and side for a meter's batch.
    Applied(Vec<String>),
    /// Refused, and why, for people: nothing may depend on the words.
    Refused(String),
}

canonical_enum!(Outcome { 1 => Applied(transitions), 2 => Refused(reason) });

/// A transaction and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Name of the transaction.
    pub transaction: Digest,
    /// What became of it.
    pub outcome: Outcome,
}

canonical!(Receipt {
    transaction,
    outcome
});

/// What a block did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// Its height.
    pub height: u64,
    /// One per transaction, in order.
    pub receipts: Vec<Receipt>,
    /// What the next header says of it.
    pub roots: Roots,
    /// Names of its double votes ([`DoubleVote::name`](crate::double_vote::DoubleVote::name)).
    pub caught: Vec<Digest>,
    /// Records that it changed.
    pub changed: Changed,
}

/// Why a block was not executed. The ledger is as it was.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ExecuteError {
    /// Done already: delivered twice.
    #[error("block {height} was executed already, the tip is {tip}")]
    Done {
        /// Its height.
        height: u64,
        /// The tip's.
        tip: u64,
    },
    /// Not the next one.
    #[error("block {height} does not follow the tip, {tip}")]
    Gap {
        /// Its height.
        height: u64,
        /// The tip's.
        tip: u64,
    },
    /// No block, or one that says something else of the state.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// What proves no double vote.
    #[error("block {height} accuses a validator: {error}")]
    DoubleVote {
        /// Its height.
        height: u64,
        /// Why it proves nothing.
        error: DoubleVoteError,
    },
    /// The validators in charge do not hand over so.
    #[error("block {height} hands over wrongly: {error}")]
    Handover {
        /// Its height.
        height: u64,
        /// What is wrong.
        error: ValidatorsError,
    },
}

/// Records that are no state, or not the one that was promised.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Bytes that are no records of a state.
    #[error("the records are not those of a state: {0}")]
    Records(#[from] DecodeError),
    /// Another chain's.
    #[error("the state is of {}, genesis {}, not of {}, genesis {}", found.chain, found.genesis, expected.chain, expected.genesis)]
    Home {
        /// Whose it is.
        found: Box<Home>,
        /// Whose it should be.
        expected: Box<Home>,
    },
}

/// A chain's state after the block at its tip, ready for the next.
#[derive(Clone)]
pub struct Ledger {
    home: Home,
    state: State,
    tree: Tree,
    hidden: Hidden,
    tip: Parent,
    validators: Arc<ValidatorSet>,
    roots: Roots,
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("home", &self.home)
            .field("tip", &self.tip)
            .field("roots", &self.roots)
            .finish_non_exhaustive()
    }
}

impl Ledger {
    /// Before the first block.
    pub fn genesis(genesis: &Genesis) -> Ledger {
        let state = genesis.state();
        let records = state.records();
        let pairs = || records.iter().map(|(key, value)| (&key[..], &value[..]));
        let tree = Tree::of(pairs());
        let roots = Roots {
            state_root: tree.root(),
            outbox_entries: 0,
            outbox_root: merkle::root(&[]),
        };
        Ledger {
            home: genesis.home(),
            state,
            tree,
            hidden: Hidden::default(),
            tip: genesis.parent(),
            validators: genesis.validators().clone(),
            roots,
        }
    }

    /// From the records of its state: the tree is computed anew.
    ///
    /// `tip`: what the next block follows; `validators`: who agrees on it.
    ///
    /// # Errors
    /// [`LoadError`]. Whether the root is the right one, the caller compares.
    pub fn load<'a>(
        home: &Home,
        records: impl IntoIterator<Item = (&'a [u8], &'a [u8])> + Clone,
        tip: Parent,
        validators: Arc<ValidatorSet>,
    ) -> Result<Ledger, LoadError> {
        let state = State::from_records(records.clone())?;
        let rules = state.rules();
        let found = Home {
            chain: rules.chain.clone(),
            genesis: rules.genesis,
        };
        if found != *home {
            return Err(LoadError::Home {
                found: Box::new(found),
                expected: Box::new(home.clone()),
            });
        }
        let tree = Tree::of(records.clone());
        let roots = roots(&state, &tree, tip.height);
        Ok(Ledger {
            home: home.clone(),
            hidden: Hidden::of(records)?,
            state,
            tree,
            tip,
            validators,
            roots,
        })
    }

    /// Which chain.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Proofs of its values.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// What the next block follows.
    pub fn tip(&self) -> &Parent {
        &self.tip
    }

    /// Who agrees on the next block.
    pub fn validators(&self) -> &Arc<ValidatorSet> {
        &self.validators
    }

    /// What the next header says.
    pub fn roots(&self) -> &Roots {
        &self.roots
    }

    /// The next block, as a proposer makes it.
    ///
    /// # Errors
    /// [`BlockError`] where the proposal is above a bound.
    pub fn propose(&self, proposal: Proposal) -> Result<Block, BlockError> {
        Block::propose(&self.tip, &self.roots, proposal)
    }

    /// An empty next block at this time: a heartbeat.
    ///
    /// # Errors
    /// As [`Ledger::propose`].
    pub fn heartbeat(&self, time: Time) -> Result<Block, BlockError> {
        self.propose(Proposal {
            time,
            body: Body::default(),
            context: Vec::new(),
        })
    }

    /// Whether a block can be the next one: all that a voter asks but its clock.
    ///
    /// # Errors
    /// [`ExecuteError`]; but for [`ExecuteError::Gap`], it never can.
    pub fn check(&self, block: &Block, verify: &dyn Verify) -> Result<(), ExecuteError> {
        let (height, tip) = (block.header.height, self.tip.height);
        if height <= tip {
            return Err(ExecuteError::Done { height, tip });
        }
        if height > tip + 1 {
            return Err(ExecuteError::Gap { height, tip });
        }
        block.check(&self.tip)?;
        block.header.check_roots(&self.roots)?;
        if let Some(handover) = &block.body.handover {
            handover
                .check(&self.validators, &self.home, verify)
                .map_err(|error| ExecuteError::Handover { height, error })?;
        }
        for double in &block.body.double_votes {
            double
                .check(&self.validators, &self.home, verify)
                .map_err(|error| ExecuteError::DoubleVote { height, error })?;
        }
        Ok(())
    }

    /// Executes the next block.
    ///
    /// # Errors
    /// As [`Ledger::check`]; the ledger is as it was.
    pub fn execute(
        &mut self,
        block: &Block,
        verify: &dyn Verify,
    ) -> Result<Executed, ExecuteError> {
        self.check(block, verify)?;
        let height = block.header.height;
        let now = Now {
            height,
            time: block.header.time,
        };
        let mut touched = Touched::default();
        let transactions = block.body.transactions.iter();
        let receipts = transactions
            .map(|transaction| self.apply(transaction, now, verify, &mut touched))
            .collect();
        let changed = touched.done(&self.state, height);
        let records = changed.iter();
        self.tree
            .update(records.map(|(key, value)| (&key[..], value.as_deref())));
        self.roots = roots(&self.state, &self.tree, height);
        self.tip = block.header.as_parent(&self.home);
        let doubles = block.body.double_votes.iter();
        let caught = doubles.map(|double| double.name(&self.home, &self.validators));
        let caught = caught.collect();
        if let Some(handover) = &block.body.handover {
            self.validators = handover.next.clone();
        }
        Ok(Executed {
            height,
            caught,
            receipts,
            roots: self.roots,
            changed,
        })
    }

    /// [`tieline_contract::apply`], with a look at what changes in between.
    fn apply(
        &mut self,
        transaction: &Transaction,
        now: Now,
        verify: &dyn Verify,
        touched: &mut Touched,
    ) -> Receipt {
        let outcome = match self.state.check(transaction, now, verify) {
            Ok(checked) => {
                touched.note(checked.changes(), &mut self.hidden);
                let transitions = self.state.apply(checked);
                let names = transitions.iter().map(|made| format!("{made:?}"));
                Outcome::Applied(names.collect())
            }
            Err(refusal) => Outcome::Refused(refusal.to_string()),
        };
        Receipt {
            transaction: transaction_hash(transaction),
            outcome,
        }
    }
}

fn roots(state: &State, tree: &Tree, height: u64) -> Roots {
    let leaves: Vec<Digest> = state.outbox(height).map(|entry| entry.hash()).collect();
    Roots {
        state_root: tree.root(),
        outbox_entries: leaves.len() as u64,
        outbox_root: merkle::root(&leaves),
    }
}
