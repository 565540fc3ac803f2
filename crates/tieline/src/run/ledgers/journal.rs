//! What chains reported, step by step, so that a run that was interrupted goes on where it was.
//!
//! ```text
//! file    record record ...                 appended while the run goes by, durable at every checkpoint
//! record  u32 length | 8 bytes of SHA-256 over content | content
//! content begun: what runs  |  step: what lanes said, without blocks  |  checkpoint: lanes begin anew
//! ```
//!
//! Blocks are not in it: they are in the exported files already, and are replayed from there. What comes after the last
//! checkpoint is lost with the lanes' memory, and happens again.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tieline_chain::replica::Signed;
use tieline_units::canonical::Canonical as _;
use tieline_units::{Digest, Time, canonical, canonical_enum};

/// Name of the file inside the folder of a run that is not complete.
pub const FILE: &str = "run.journal";

/// Most bytes of a record: one step of all chains.
const RECORD_BYTES_MAX: usize = 256 << 20;

/// Most chains, most items of a list.
const LIST_MAX: usize = 1 << 20;

/// What one chain reported in a step, without the blocks themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Of every new block, when it was seen to be final.
    pub finals: Vec<Time>,
    /// Signatures of verification nodes.
    pub signed: Vec<Signed>,
    /// Transactions that no mempool took.
    pub refused: Vec<Refused>,
    /// Transactions that wait.
    pub waiting: u64,
    /// Nobody has voted beyond the last final block.
    pub rests: bool,
}

canonical!(Said { finals[LIST_MAX], signed[LIST_MAX], refused[LIST_MAX], waiting, rests });

/// A transaction that no mempool took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its name.
    pub transaction: Digest,
    /// Why.
    pub why: String,
}

canonical!(Refused { transaction, why[LIST_MAX] });

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// What runs: a digest of scenario and program.
    Begun(Digest),
    /// All chains went on.
    Step {
        /// To this time.
        until: Time,
        /// What each said, Z first.
        said: Vec<Said>,
    },
    /// All chains began anew from their last final blocks.
    Checkpoint {
        /// When.
        now: Time,
    },
}

canonical_enum!(Record[RECORD_BYTES_MAX] {
    1 => Begun(digest), 2 => Step { until, said[LIST_MAX] }, 3 => Checkpoint { now },
});

/// The file, open for appending and locked: one process writes a run.
pub struct Journal {
    path: PathBuf,
    file: BufWriter<File>,
}

/// Records of the file from its beginning, up to the last checkpoint.
pub struct Past {
    file: BufReader<File>,
    end: u64,
    at: u64,
}

impl Journal {
    /// Opens the journal in `folder`, or begins one.
    ///
    /// `digest`: what runs. Returns also what was recorded up to the last checkpoint, if there was one.
    ///
    /// # Errors
    /// When another process writes it, it is of another run, or the disk fails.
    pub fn open(folder: &Path, digest: Digest) -> anyhow::Result<(Journal, Option<Past>)> {
        let path = folder.join(FILE);
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let cannot = || format!("cannot write {}", path.display());
        let mut file = options.open(&path).with_context(cannot)?;
        lock(&file, folder)?;
        let end = last_checkpoint(&mut file, digest, folder)?;
        file.set_len(end.unwrap_or(0)).with_context(cannot)?;
        file.seek(SeekFrom::End(0)).with_context(cannot)?;
        let mut journal = Journal {
            path: path.clone(),
            file: BufWriter::new(file),
        };
        let Some(end) = end else {
            journal.append(&Record::Begun(digest))?;
            return Ok((journal, None));
        };
        let read = File::open(&path).with_context(cannot)?;
        let past = Past {
            file: BufReader::new(read),
            end,
            at: 0,
        };
        Ok((journal, Some(past)))
    }

    /// Appends a record. It is durable after [`Journal::sync`].
    ///
    /// # Errors
    /// A full disk.
    pub fn append(&mut self, record: &Record) -> anyhow::Result<()> {
        let content = record.to_bytes();
        let length = u32::try_from(content.len()).context("a step of more than 4 GB")?;
        let mut write = || {
            self.file.write_all(&length.to_be_bytes())?;
            self.file.write_all(&sum(&content))?;
            self.file.write_all(&content)
        };
        write().with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Makes durable what was appended.
    ///
    /// # Errors
    /// A full disk.
    pub fn sync(&mut self) -> anyhow::Result<()> {
        let flushed = self.file.flush();
        let synced = flushed.and_then(|()| self.file.get_ref().sync_data());
        synced.with_context(|| format!("cannot write {}", self.path.display()))
    }
}

fn sum(content: &[u8]) -> [u8; 8] {
    let digest = Digest::of(content);
    let (short, _) = digest.as_bytes().split_at(8);
    short.try_into().expect("eight of 32 bytes")
}

fn lock(file: &File, folder: &Path) -> anyhow::Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => bail!(
            "another process is writing this run, in {}\n\nhint: wait for it, or name another folder with --out",
            folder.display()
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", folder.display()))
        }
    }
}

/// Where the last checkpoint ends; `None` where there is none. What was cut or changed behind it is as if it never was.
fn last_checkpoint(file: &mut File, digest: Digest, folder: &Path) -> anyhow::Result<Option<u64>> {
    let mut past = Past {
        end: file.metadata()?.len(),
        file: BufReader::new(file.try_clone()?),
        at: 0,
    };
    let mut found = None;
    match past.read() {
        Some(Record::Begun(known)) if known == digest => {}
        Some(Record::Begun(_)) => bail!(
            "the run in {} was begun with other settings, tables or another build of this program\n\nhint: run without --resume to begin anew",
            folder.display()
        ),
        _ => return Ok(None),
    }
    while let Some(record) = past.read() {
        if matches!(record, Record::Checkpoint { .. }) {
            found = Some(past.at);
        }
    }
    Ok(found)
}

impl Past {
    /// The next record; `None` at the end, and where the rest is none.
    pub fn read(&mut self) -> Option<Record> {
        if self.at >= self.end {
            return None;
        }
        let mut head = [0; 12];
        self.file.read_exact(&mut head).ok()?;
        let (length, expected) = head.split_at(4);
        let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
        if length > RECORD_BYTES_MAX {
            return None;
        }
        let mut content = vec![0; length];
        self.file.read_exact(&mut content).ok()?;
        if sum(&content) != *expected {
            return None;
        }
        self.at += (12 + length) as u64;
        Record::decode(&content).ok()
    }

    /// Whether everything was read.
    pub fn is_over(&self) -> bool {
        self.at >= self.end
    }
}
