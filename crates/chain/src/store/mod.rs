//! A chain on disk: the state in step with the height, and the archive of blocks, receipts and certificates.
//!
//! **Rules.** One commit per block holds the records that the block changed, the block, its receipts, its certificate and the
//! tip: after a crash the state is that of one height. A commit returns when it is durable, in two phases, so that a torn
//! write is seen. A failed write stops the store for good: what the disk holds then is known only to who opens it again.
//!
//! **At start** the tree is computed from all records and compared with the root that was stored; blocks that are
//! archived above the tip are executed. What does not fit is an error with height and roots, and no node votes on it.

mod error;
mod memory;
mod reading;
mod snapshot;
mod writing;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use redb::{Database, StorageBackend, TableDefinition};
use tieline_seal::hybrid::Verify;
use tieline_units::Digest;
use tieline_units::canonical::{Canonical, DecodeError};

pub use error::StoreError;
pub use memory::MemoryDisk;
pub use snapshot::{SnapshotError, SnapshotHead};

use crate::block::{Block, Parent, Roots};
use crate::home::Home;
use crate::ledger::{ExecuteError, Executed, Ledger};
use crate::validators::ValidatorSet;

use writing::Writing;

/// Version of the tables.
pub const VERSION: u64 = 1;

/// Cache of a store that lies in memory.
const CACHE_BYTES: usize = 4 << 20;

const STATE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("state");
/// Records of the base that are there no more.
const GONE: TableDefinition<'_, &[u8], ()> = TableDefinition::new("gone");
const BLOCKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("blocks");
const RECEIPTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("receipts");
const CERTIFICATES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("certificates");
/// Height of the last block with the transaction of this name.
const NAMES: TableDefinition<'_, &[u8], u64> = TableDefinition::new("names");
/// Who agrees on blocks from this height on.
const SETS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("validators");
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// Keys with their values.
type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// What became of a delivered block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// Executed, and durable.
    Now(Executed),
    /// Was so before: the engine delivers at least once.
    Before,
}

/// A chain's disk and the ledger that it holds.
#[derive(Debug)]
pub struct Store {
    database: Database,
    ledger: Ledger,
    /// Whose records are not on this disk: [`Store::open_above`].
    base: Option<Arc<Ledger>>,
    stopped: Option<String>,
}

fn disk<E: Into<redb::Error>>(doing: &'static str) -> impl FnOnce(E) -> StoreError {
    move |error| StoreError::Disk {
        doing,
        error: Box::new(error.into()),
    }
}

fn bytes(what: &'static str, height: u64) -> impl FnOnce(DecodeError) -> StoreError {
    move |error| StoreError::Bytes {
        what,
        height,
        error,
    }
}

fn on(backend: impl StorageBackend) -> Result<Database, StoreError> {
    let mut builder = Database::builder();
    let database = builder
        .set_cache_size(CACHE_BYTES)
        .create_with_backend(backend);
    database.map_err(disk("opening the store"))
}

impl Store {
    /// Opens the store of a chain, or founds it where the file is not there.
    ///
    /// `founding`: the ledger before the first block. `verify` is for blocks that were archived and not executed.
    ///
    /// # Errors
    /// [`StoreError`] where the file is not this chain's, or not what was written.
    pub fn open(path: &Path, founding: Ledger, verify: &dyn Verify) -> Result<Store, StoreError> {
        let database = Database::create(path).map_err(disk("opening the store"))?;
        Store::over(database, (founding, None), verify)
    }

    /// As [`Store::open`], on something else than a file.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_on(
        backend: impl StorageBackend,
        founding: Ledger,
        verify: &dyn Verify,
    ) -> Result<Store, StoreError> {
        Store::over(on(backend)?, (founding, None), verify)
    }

    /// As [`Store::open_on`], for a disk that holds only what changed since `base`, which many stores may share. Whoever
    /// opens it again has to have the same base.
    ///
    /// # Errors
    /// As [`Store::open_on`].
    pub fn open_above(
        backend: impl StorageBackend,
        base: Arc<Ledger>,
        verify: &dyn Verify,
    ) -> Result<Store, StoreError> {
        let founding = Ledger::clone(&base);
        Store::over(on(backend)?, (founding, Some(base)), verify)
    }

    fn over(
        database: Database,
        (founding, base): (Ledger, Option<Arc<Ledger>>),
        verify: &dyn Verify,
    ) -> Result<Store, StoreError> {
        let mut store = Store {
            database,
            ledger: founding,
            base,
            stopped: None,
        };
        match store.meta::<u64>("version", 0)? {
            None => store.found()?,
            Some(VERSION) => store.load()?,
            Some(found) => {
                let expected = VERSION;
                return Err(StoreError::Version { found, expected });
            }
        }
        store.catch_up(verify)?;
        Ok(store)
    }

    /// The state at the tip, its proofs, what the next block follows: all of it is durable, so that it may be signed.
    ///
    /// # Errors
    /// [`StoreError::Stopped`] after a failed write.
    pub fn ledger(&self) -> Result<&Ledger, StoreError> {
        self.running()?;
        Ok(&self.ledger)
    }

    fn found(&mut self) -> Result<(), StoreError> {
        let base = self.base.as_ref().map(|base| base.tip().digest);
        let records = match base {
            None => self.ledger.state().records(),
            Some(_) => Default::default(),
        };
        let records = records.into_iter().map(|(key, value)| (key, Some(value)));
        self.write("founding the store", |writing| {
            writing.put_u64("version", VERSION)?;
            if let Some(base) = base {
                writing.put_meta("base", &base.to_bytes())?;
                writing.transaction.open_table(GONE)?;
            }
            writing.put_meta("home", &writing.ledger.home().to_bytes())?;
            writing.put_records(records)?;
            writing.put_tip()?;
            // So that they are there for readers.
            writing.transaction.open_table(BLOCKS)?;
            writing.transaction.open_table(RECEIPTS)?;
            writing.transaction.open_table(CERTIFICATES)?;
            writing.transaction.open_table(NAMES)?;
            writing.put_validators()
        })
    }

    fn load(&mut self) -> Result<(), StoreError> {
        let tip: Parent = self.needed("tip", 0)?;
        let height = tip.height;
        let found: Home = self.needed("home", height)?;
        let expected = self.ledger.home().clone();
        if found != expected {
            return Err(StoreError::Home {
                found: Box::new(found),
                expected: Box::new(expected),
            });
        }
        let above: Option<Digest> = self.meta("base", height)?;
        if above != self.base.as_ref().map(|base| base.tip().digest) {
            let what = "base";
            return Err(StoreError::Tip { height, what });
        }
        let roots: Roots = self.needed("roots", height)?;
        let validators: ValidatorSet = self.needed("validators", height)?;
        if validators.hash() != tip.validators {
            let what = "validators";
            return Err(StoreError::Tip { height, what });
        }
        let records = self.records()?;
        let pairs = records.iter().map(|(key, value)| (&key[..], &value[..]));
        let ledger = Ledger::load(&expected, pairs, tip, Arc::new(validators))
            .map_err(|error| StoreError::State { height, error })?;
        let (computed, stored) = (ledger.roots().state_root, roots.state_root);
        if computed != stored {
            return Err(StoreError::Root {
                height,
                computed,
                stored,
            });
        }
        let block = self.block(height)?;
        if block.is_some_and(|block| block.header.as_parent(&expected) != tip) {
            let what = "block";
            return Err(StoreError::Tip { height, what });
        }
        self.ledger = ledger;
        Ok(())
    }

    /// Executes what was archived above the tip.
    fn catch_up(&mut self, verify: &dyn Verify) -> Result<(), StoreError> {
        while let Some(block) = self.block(self.ledger.tip().height + 1)? {
            self.execute(&block, None, verify)?;
        }
        Ok(())
    }

    /// Executes the next final block; when this returns, it is durable and may be acknowledged.
    ///
    /// `certificate`: what shows that it is final, where this height has one of its own; opaque here.
    ///
    /// # Errors
    /// [`StoreError`]. After one that names the disk the store is stopped.
    pub fn deliver(
        &mut self,
        block: &Block,
        certificate: Option<&[u8]>,
        verify: &dyn Verify,
    ) -> Result<Delivered, StoreError> {
        self.running()?;
        let height = block.header.height;
        if height <= self.ledger.tip().height {
            let stored = self.block(height)?;
            let home = self.ledger.home();
            let names = stored.map(|stored| (stored.digest(home), block.digest(home)));
            return match names {
                Some((stored, found)) if stored != found => Err(StoreError::Fork {
                    height,
                    stored,
                    found,
                }),
                _ => Ok(Delivered::Before),
            };
        }
        self.execute(block, certificate, verify).map(Delivered::Now)
    }

    fn execute(
        &mut self,
        block: &Block,
        certificate: Option<&[u8]>,
        verify: &dyn Verify,
    ) -> Result<Executed, StoreError> {
        let height = block.header.height;
        let refused = |error: ExecuteError| StoreError::Execute { height, error };
        let executed = self.ledger.execute(block, verify).map_err(refused)?;
        self.keep(block, certificate, &executed)?;
        Ok(executed)
    }

    /// Makes durable what was executed beside the store ([`crate::forks`]); when this returns it may be acknowledged.
    ///
    /// `after`: the ledger with the block at its tip.
    ///
    /// # Errors
    /// As [`Store::deliver`]; [`StoreError::Execute`] where the block is not the next one.
    pub fn commit(
        &mut self,
        block: &Block,
        after: &Ledger,
        executed: &Executed,
    ) -> Result<(), StoreError> {
        self.running()?;
        let (height, tip) = (block.header.height, self.ledger.tip().height);
        let follows = block.header.parent == self.ledger.tip().digest;
        if !follows || *after.tip() != block.header.as_parent(self.ledger.home()) {
            let error = ExecuteError::Gap { height, tip };
            return Err(StoreError::Execute { height, error });
        }
        self.ledger = after.clone();
        self.keep(block, None, executed)
    }

    fn keep(
        &mut self,
        block: &Block,
        certificate: Option<&[u8]>,
        executed: &Executed,
    ) -> Result<(), StoreError> {
        let height = block.header.height;
        let changed = executed.changed.clone();
        let is_above = self.base.is_some();
        self.write("committing a block", |writing| {
            if is_above {
                writing.put_gone(&changed)?;
            }
            writing.put_records(changed)?;
            writing.put_tip()?;
            writing.put(BLOCKS, height, &block.to_bytes())?;
            writing.put(RECEIPTS, height, &executed.receipts.to_bytes())?;
            match certificate {
                Some(certificate) => writing.put(CERTIFICATES, height, certificate),
                None => Ok(()),
            }?;
            let mut names = writing.transaction.open_table(NAMES)?;
            for receipt in &executed.receipts {
                names.insert(&receipt.transaction.as_bytes()[..], height)?;
            }
            for caught in &executed.caught {
                names.insert(&caught.as_bytes()[..], height)?;
            }
            match &block.body.handover {
                Some(_) => writing.put_validators(),
                None => Ok(()),
            }
        })
    }

    /// Keeps a final block that cannot be executed yet: the next start executes it, once those before it are there.
    ///
    /// # Errors
    /// As [`Store::deliver`].
    pub fn archive(&mut self, block: &Block) -> Result<(), StoreError> {
        self.running()?;
        let height = block.header.height;
        if height <= self.ledger.tip().height {
            return Ok(());
        }
        self.write("archiving a block", |writing| {
            writing.put(BLOCKS, height, &block.to_bytes())
        })
    }

    /// Keeps what shows that a block is final, when it comes later than the block.
    ///
    /// # Errors
    /// As [`Store::deliver`].
    pub fn certify(&mut self, height: u64, certificate: &[u8]) -> Result<(), StoreError> {
        self.running()?;
        self.write("keeping a certificate", |writing| {
            writing.put(CERTIFICATES, height, certificate)
        })
    }

    /// Forgets blocks, receipts and certificates below a height; the tip's block stays.
    ///
    /// # Errors
    /// As [`Store::deliver`].
    pub fn prune(&mut self, below: u64) -> Result<(), StoreError> {
        self.running()?;
        let below = below.min(self.ledger.tip().height);
        self.write("pruning the archive", |writing| {
            for table in [BLOCKS, RECEIPTS, CERTIFICATES] {
                let mut table = writing.transaction.open_table(table)?;
                table.retain_in(..below, |_, _| false)?;
            }
            Ok(())
        })
    }

    fn running(&self) -> Result<(), StoreError> {
        match &self.stopped {
            None => Ok(()),
            Some(reason) => Err(StoreError::Stopped {
                height: self.ledger.tip().height.saturating_sub(1),
                reason: reason.clone(),
            }),
        }
    }

    /// One transaction. A failure of any kind stops the store.
    fn write(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&Writing<'_>) -> Result<(), redb::Error>,
    ) -> Result<(), StoreError> {
        let done = self.try_write(work);
        if let Err(error) = &done {
            self.stopped = Some(format!("{doing}: {error}"));
        }
        done.map_err(disk(doing))
    }

    fn try_write(
        &self,
        work: impl FnOnce(&Writing<'_>) -> Result<(), redb::Error>,
    ) -> Result<(), redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_two_phase_commit(true);
        // Otherwise opening after a crash walks the whole file.
        transaction.set_quick_repair(true);
        work(&Writing {
            transaction: &transaction,
            ledger: &self.ledger,
        })?;
        Ok(transaction.commit()?)
    }
}
