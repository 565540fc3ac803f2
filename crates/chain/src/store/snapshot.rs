//! A state as one stream, for a node that starts without the blocks.
//!
//! ```text
//! part  "tieline.snapshot/1"
//! part  head: chain, tip, what the block at the tip left, validators, number of records
//! parts key and value of each record, sorted by key
//! 32    d_n
//! ```
//! A part is its length, u32, and so many bytes; d_0 is SHA-256 of nothing, d_i = SHA-256(d_(i-1) ‖ part i with its length).
//! Nothing in it is believed: whoever imports says which tip and roots it expects, as a light client proved them.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use redb::Database;
use thiserror::Error;
use tieline_units::canonical::{Canonical as _, DecodeError};
use tieline_units::{Digest, Encoder, canonical};

use super::{Store, StoreError, VERSION, disk};
use crate::block::{Parent, Roots};
use crate::home::Home;
use crate::ledger::{Ledger, LoadError};
use crate::validators::ValidatorSet;

const MAGIC: &str = "tieline.snapshot/1";

/// Longest head, key or value in a snapshot, 16 MiB.
const PART_BYTES_MAX: usize = 16 << 20;

/// Most records in a snapshot.
const RECORDS_MAX: u64 = 1 << 28;

/// What a snapshot says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotHead {
    /// Of which chain.
    pub home: Home,
    /// What the next block follows.
    pub tip: Parent,
    /// What the block at the tip left.
    pub roots: Roots,
    /// Who agrees on the next block.
    pub validators: Arc<ValidatorSet>,
    /// How many records follow.
    pub records: u64,
}

canonical!(SnapshotHead {
    home,
    tip,
    roots,
    validators,
    records
});

/// Why a snapshot is not taken.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The stream itself.
    #[error("reading or writing a snapshot: {0}")]
    Stream(#[from] std::io::Error),
    /// Not a snapshot, or a changed one.
    #[error("byte {offset} of the snapshot: {what}")]
    Shape {
        /// Where.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The head does not decode.
    #[error("the head of the snapshot: {0}")]
    Head(#[from] DecodeError),
    /// Of another height, block or validators than expected.
    #[error("a snapshot of height {}, block {}; expected is height {}, block {}", found.height, found.digest, expected.height, expected.digest)]
    Tip {
        /// What it is of.
        found: Box<Parent>,
        /// What was asked for.
        expected: Box<Parent>,
    },
    /// Records that are not the expected state.
    #[error("the snapshot of height {height} has state root {found}, {expected} is expected")]
    Root {
        /// Of which height.
        height: u64,
        /// What the records come to.
        found: Digest,
        /// What a header says.
        expected: Digest,
    },
    /// Records that are no state.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is a store already.
    #[error("there is a store at this place already, of height {height}")]
    Taken {
        /// Its height.
        height: u64,
    },
}

/// Writes or reads, and hashes what went through.
struct Hashed<S> {
    stream: S,
    digest: Digest,
    offset: u64,
}

impl<S> Hashed<S> {
    fn new(stream: S) -> Hashed<S> {
        Hashed {
            stream,
            digest: Digest::of(&[]),
            offset: 0,
        }
    }

    fn note(&mut self, part: &[u8]) {
        let mut next = Encoder::default();
        next.raw(self.digest.as_bytes()).bytes(part);
        self.digest = next.digest();
        self.offset += 4 + part.len() as u64;
    }
}

impl<W: Write> Hashed<W> {
    fn write(&mut self, part: &[u8]) -> Result<(), SnapshotError> {
        let length = u32::try_from(part.len()).ok();
        let length = length.filter(|length| *length as usize <= PART_BYTES_MAX);
        let length = length.ok_or(SnapshotError::Shape {
            offset: self.offset,
            what: "a part above its bound",
        })?;
        self.stream.write_all(&length.to_be_bytes())?;
        self.stream.write_all(part)?;
        self.note(part);
        Ok(())
    }
}

impl<R: Read> Hashed<R> {
    fn read(&mut self) -> Result<Vec<u8>, SnapshotError> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        if length > PART_BYTES_MAX {
            return Err(self.wrong("a part above its bound"));
        }
        let mut part = Vec::new();
        let taken = (&mut self.stream)
            .take(length as u64)
            .read_to_end(&mut part)?;
        if taken != length {
            return Err(self.wrong("the end inside a part"));
        }
        self.note(&part);
        Ok(part)
    }

    fn wrong(&self, what: &'static str) -> SnapshotError {
        let offset = self.offset;
        SnapshotError::Shape { offset, what }
    }
}

impl Store {
    /// Writes the state at the tip.
    ///
    /// # Errors
    /// [`SnapshotError`] from the stream or the store.
    pub fn export_snapshot(&self, to: impl Write) -> Result<SnapshotHead, SnapshotError> {
        let records = self.records()?;
        let head = SnapshotHead {
            home: self.ledger.home().clone(),
            tip: *self.ledger.tip(),
            roots: *self.ledger.roots(),
            validators: self.ledger.validators().clone(),
            records: records.len() as u64,
        };
        let mut to = Hashed::new(to);
        to.write(MAGIC.as_bytes())?;
        to.write(&head.to_bytes())?;
        for (key, value) in &records {
            to.write(key)?;
            to.write(value)?;
        }
        let digest = to.digest;
        to.stream.write_all(digest.as_bytes())?;
        to.stream.flush()?;
        Ok(head)
    }

    /// Founds a store at `path` on a snapshot.
    ///
    /// `tip` and `roots`: what a light client proved of the snapshot's block, its header as a parent and what the next header
    /// says it left.
    ///
    /// # Errors
    /// [`SnapshotError`]; nothing is left at `path` that opens as a store.
    pub fn import_snapshot(
        from: impl Read,
        path: &Path,
        home: &Home,
        (tip, roots): (&Parent, &Roots),
    ) -> Result<Store, SnapshotError> {
        let ledger = read_snapshot(from, home, (tip, roots))?;
        let database = Database::create(path).map_err(disk("opening the store"))?;
        let mut store = Store {
            database,
            ledger,
            base: None,
            stopped: None,
        };
        if store.meta::<u64>("version", 0)? == Some(VERSION) {
            let tip: Parent = store.needed("tip", 0)?;
            let height = tip.height;
            return Err(SnapshotError::Taken { height });
        }
        store.found()?;
        Ok(store)
    }
}

fn read_snapshot(
    from: impl Read,
    home: &Home,
    (tip, roots): (&Parent, &Roots),
) -> Result<Ledger, SnapshotError> {
    let mut from = Hashed::new(from);
    if from.read()? != MAGIC.as_bytes() {
        return Err(from.wrong("not the beginning of a snapshot"));
    }
    let head = SnapshotHead::decode(&from.read()?)?;
    if head.tip != *tip || head.home != *home || head.validators.hash() != tip.validators {
        return Err(SnapshotError::Tip {
            found: Box::new(head.tip),
            expected: Box::new(*tip),
        });
    }
    if head.records > RECORDS_MAX {
        return Err(from.wrong("more records than a state has"));
    }
    let mut records: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for _ in 0..head.records {
        let (key, value) = (from.read()?, from.read()?);
        if records.last().is_some_and(|(last, _)| *last >= key) {
            return Err(from.wrong("records out of order"));
        }
        records.push((key, value));
    }
    let digest = from.digest;
    let mut end = Vec::new();
    (&mut from.stream).take(33).read_to_end(&mut end)?;
    if end != digest.as_bytes() {
        return Err(from.wrong("a checksum that is not the contents'"));
    }
    let pairs = records.iter().map(|(key, value)| (&key[..], &value[..]));
    let ledger = Ledger::load(home, pairs, *tip, head.validators)?;
    if ledger.roots() != roots || head.roots != *roots {
        return Err(SnapshotError::Root {
            height: tip.height,
            found: ledger.roots().state_root,
            expected: roots.state_root,
        });
    }
    Ok(ledger)
}
