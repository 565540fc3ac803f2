//! Blocks that are proposed and not final yet.
//!
//! A header says what its parent left, so whoever proposes or votes has executed the parent, final or not. Here are the
//! ledgers after such blocks, each executed once, beside the last final one. When a block becomes final, everything
//! that does not descend from it goes.
//!
//! Pure. Bounded: [`FORKS_MAX`] blocks.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;
use tieline_seal::hybrid::Verify;
use tieline_units::Digest;

use crate::block::Block;
use crate::ledger::{ExecuteError, Executed, Ledger};

/// Most blocks that are not final and executed.
pub const FORKS_MAX: usize = 64;

/// Why a block is not executed beside the final ones.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ForkError {
    /// Its parent is neither the last final block nor one of those here: ask again with the parent.
    #[error("the parent {parent} of block {height} is not known")]
    Parent {
        /// Height of the block.
        height: u64,
        /// Its parent.
        parent: Digest,
    },
    /// Too many.
    #[error("{FORKS_MAX} blocks are waiting to be final")]
    Full,
    /// No valid child of its parent, ever.
    #[error(transparent)]
    Invalid(#[from] ExecuteError),
}

#[derive(Debug)]
struct Fork {
    ledger: Ledger,
    executed: Executed,
    parent: Digest,
}

/// The last final ledger and what may come after it.
#[derive(Debug)]
pub struct Forks {
    base: Ledger,
    /// By name of the block.
    forks: BTreeMap<Digest, Fork>,
}

impl Forks {
    /// After the last final block.
    pub fn new(base: Ledger) -> Forks {
        Forks {
            base,
            forks: BTreeMap::new(),
        }
    }

    /// The ledger after the last final block.
    pub fn base(&self) -> &Ledger {
        &self.base
    }

    /// How many blocks are not final.
    pub fn len(&self) -> usize {
        self.forks.len()
    }

    /// Whether there is nothing but the final ones.
    pub fn is_empty(&self) -> bool {
        self.forks.is_empty()
    }

    /// The ledger after a block; `None` where the block is not known.
    pub fn after(&self, block: Digest) -> Option<&Ledger> {
        if self.base.tip().digest == block {
            return Some(&self.base);
        }
        self.forks.get(&block).map(|fork| &fork.ledger)
    }

    /// Executes a block after its parent, once; the ledger after it.
    ///
    /// # Errors
    /// [`ForkError`]; only [`ForkError::Invalid`] speaks against the block.
    pub fn execute(&mut self, block: &Block, verify: &dyn Verify) -> Result<&Ledger, ForkError> {
        let (parent, height) = (block.header.parent, block.header.height);
        let name = block.digest(self.base.home());
        if !self.forks.contains_key(&name) {
            let missing = ForkError::Parent { height, parent };
            let mut ledger = self.after(parent).ok_or(missing)?.clone();
            if self.forks.len() >= FORKS_MAX {
                self.keep_path(parent);
            }
            if self.forks.len() >= FORKS_MAX {
                return Err(ForkError::Full);
            }
            let executed = ledger.execute(block, verify)?;
            let fork = Fork {
                ledger,
                executed,
                parent,
            };
            self.forks.insert(name, fork);
        }
        let missing = ForkError::Parent { height, parent };
        self.after(name).ok_or(missing)
    }

    /// Forgets all but the way from the final blocks to this one: views that were given up leave their blocks, and while
    /// nothing becomes final nobody else takes them away. What is asked for again is executed again.
    fn keep_path(&mut self, block: Digest) {
        let (mut at, mut path) = (block, BTreeSet::new());
        while let Some(fork) = self.forks.get(&at) {
            path.insert(at);
            at = fork.parent;
        }
        self.forks.retain(|name, _| path.contains(name));
    }

    /// Names of the transactions and double votes from the first block that is not final to this one: what the next one does
    /// not repeat.
    pub fn taken(&self, block: Digest) -> BTreeSet<Digest> {
        let (mut at, mut taken) = (block, BTreeSet::new());
        while let Some(fork) = self.forks.get(&at) {
            let receipts = fork.executed.receipts.iter();
            taken.extend(receipts.map(|receipt| receipt.transaction));
            taken.extend(&fork.executed.caught);
            at = fork.parent;
        }
        taken
    }

    /// A block is final: goes on from it, and forgets what does not descend from it.
    ///
    /// # Errors
    /// [`ForkError`] where it does not follow the last final one, or is not valid.
    pub fn finalise(&mut self, block: &Block, verify: &dyn Verify) -> Result<Executed, ForkError> {
        let (height, parent) = (block.header.height, block.header.parent);
        if parent != self.base.tip().digest {
            return Err(ForkError::Parent { height, parent });
        }
        let name = block.digest(self.base.home());
        let executed = match self.forks.remove(&name) {
            Some(fork) => {
                self.base = fork.ledger;
                fork.executed
            }
            None => self.base.execute(block, verify)?,
        };
        let mut alive = BTreeSet::from([name]);
        loop {
            let children = self.forks.iter().filter(|(_, f)| alive.contains(&f.parent));
            let more: Vec<Digest> = children.map(|(name, _)| *name).collect();
            let before = alive.len();
            alive.extend(more);
            if alive.len() == before {
                break;
            }
        }
        self.forks.retain(|name, _| alive.contains(name));
        Ok(executed)
    }
}
