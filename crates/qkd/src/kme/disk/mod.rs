//! The folder of a key manager: a lock, a log of records, files with bits.

mod blocks;
mod log;

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::core::{CodecError, Record};

pub(crate) use blocks::{BlockName, Blocks};
pub(crate) use log::Log;

/// What can be wrong with the folder.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DiskError {
    /// The operating system says no.
    #[error("{path}: {doing} failed: {source}", path = path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// At what.
        doing: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// Another process has it.
    #[error("{path} is in use by another process; stop it, or give this key manager another data folder", path = path.display())]
    Locked {
        /// Which folder.
        path: PathBuf,
    },
    /// No log of ours.
    #[error("{path} is no log of a key manager of this version", path = path.display())]
    NoLog {
        /// Which file.
        path: PathBuf,
    },
    /// Damage within the log, with good records behind it.
    #[error("{path} is damaged at byte {at}, and good records follow: not a torn end. Restore nothing from a copy: move the folder away; both ends then discard their pool and start a new one", path = path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where.
        at: u64,
    },
    /// A record that makes no sense although its checksum is right.
    #[error("{path}: record {number}: {source}", path = path.display())]
    Record {
        /// Which file.
        path: PathBuf,
        /// Which batch of records.
        number: u64,
        /// Why.
        source: CodecError,
    },
    /// The folder of another key manager.
    #[error("{path} belongs to the key manager {found}, not to {expected}", path = path.display())]
    OtherKme {
        /// Which folder.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Who wants it.
        expected: String,
    },
    /// Bits that should be there are not.
    #[error("{path}: {bytes} bytes of key of the link to {peer} are missing or damaged. Move the folder away; both ends then discard their pool and start a new one", path = path.display())]
    BitsMissing {
        /// Which folder.
        path: PathBuf,
        /// Which link.
        peer: String,
        /// How many.
        bytes: u64,
    },
}

impl DiskError {
    pub(crate) fn io(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> DiskError {
        let path = path.to_owned();
        move |source| DiskError::Io {
            path,
            doing,
            source,
        }
    }
}

/// The folder of a running key manager.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) log: Log,
    pub(crate) blocks: Blocks,
    /// Held as long as the folder is in use.
    _lock: File,
}

impl Folder {
    /// Opens or makes it, and reads the log.
    pub(crate) fn open(path: &Path, sync: bool) -> Result<(Folder, Vec<Record>), DiskError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(DiskError::io(path, "making the folder"))?;
        let lock_path = path.join("lock");
        let lock = private_file(true)
            .open(&lock_path)
            .map_err(DiskError::io(&lock_path, "opening"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let path = path.to_owned();
                return Err(DiskError::Locked { path });
            }
            Err(TryLockError::Error(source)) => {
                return Err(DiskError::io(&lock_path, "locking")(source));
            }
        }
        let (log, records) = Log::open(path, sync)?;
        let folder = Folder {
            log,
            blocks: Blocks::new(path, sync),
            _lock: lock,
        };
        Ok((folder, records))
    }
}

/// Options for files that only their owner reads.
fn private_file(create: bool) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(create).mode(0o600);
    options
}

/// Makes names in a folder durable.
fn sync_folder(path: &Path) -> Result<(), DiskError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(DiskError::io(path, "syncing the folder"))
}

/// Removes a file; that it is not there is as good.
fn remove(path: &Path) -> Result<(), DiskError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(DiskError::io(path, "removing")(error))
        }
        _ => Ok(()),
    }
}
