//! The few things the store asks of a disk, and a folder of a file system that does them.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use thiserror::Error;

/// What a disk was asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// List the folder.
    List,
    /// Read a file.
    Read,
    /// Create a file.
    Create,
    /// Append to a file.
    Append,
    /// Make a file durable.
    Sync,
    /// Give a file its name.
    Rename,
    /// Remove a file.
    Remove,
    /// Make the folder durable.
    SyncFolder,
    /// Take the folder for oneself.
    Lock,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::List => "list",
            Action::Read => "read",
            Action::Create => "create",
            Action::Append => "append to",
            Action::Sync => "make durable",
            Action::Rename => "rename",
            Action::Remove => "remove",
            Action::SyncFolder => "make durable the folder",
            Action::Lock => "lock",
        })
    }
}

/// A disk that did not do what it was asked.
#[derive(Debug, Error)]
#[error("cannot {action} {file}: {cause}")]
pub struct DiskError {
    /// What it was asked.
    pub action: Action,
    /// The file.
    pub file: String,
    /// What the system says.
    pub cause: io::Error,
}

/// What the store asks of a disk. Two implementations: [`FolderDisk`] and the fault-injecting
/// [`MemoryDisk`](super::fault::MemoryDisk).
///
/// Bytes that were appended may be lost in a crash until [`sync`](Disk::sync) returns; a name that was given or removed
/// may come back until [`sync_folder`](Disk::sync_folder) returns.
pub trait Disk: Send {
    /// Names of all files.
    ///
    /// # Errors
    /// [`DiskError`], as every method here.
    fn list(&mut self) -> Result<Vec<String>, DiskError>;

    /// The whole content of a file.
    ///
    /// # Errors
    /// [`DiskError`].
    fn read(&mut self, file: &str) -> Result<Vec<u8>, DiskError>;

    /// Makes an empty file that only its owner can read; an old one of that name is gone.
    ///
    /// # Errors
    /// [`DiskError`].
    fn create(&mut self, file: &str) -> Result<(), DiskError>;

    /// Appends to a file that was created or renamed by this value.
    ///
    /// # Errors
    /// [`DiskError`]; a part of the bytes may be there.
    fn append(&mut self, file: &str, bytes: &[u8]) -> Result<(), DiskError>;

    /// Returns when all bytes of the file are where a loss of power does not reach them.
    ///
    /// # Errors
    /// [`DiskError`]; the file must not be used any more, since what the kernel forgot cannot be asked for again.
    fn sync(&mut self, file: &str) -> Result<(), DiskError>;

    /// Gives a file another name, in one step.
    ///
    /// # Errors
    /// [`DiskError`].
    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError>;

    /// Removes a file.
    ///
    /// # Errors
    /// [`DiskError`].
    fn remove(&mut self, file: &str) -> Result<(), DiskError>;

    /// Returns when all names are where a loss of power does not reach them.
    ///
    /// # Errors
    /// [`DiskError`].
    fn sync_folder(&mut self) -> Result<(), DiskError>;
}

const LOCK_ATTEMPTS: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Name of the file whose lock says that a process has the folder.
const LOCK: &str = "lock";

/// A folder of the file system, held by one process at a time.
#[derive(Debug)]
pub struct FolderDisk {
    folder: PathBuf,
    open: Option<(String, File)>,
    durable: bool,
    _lock: File,
}

impl FolderDisk {
    /// Takes a folder for this process, and creates it (mode 0700) when it is not there. The lock goes with the process,
    /// however it ends.
    ///
    /// # Errors
    /// [`DiskError`] with [`Action::Lock`] when another process has it.
    pub fn open(folder: &Path) -> Result<FolderDisk, DiskError> {
        let of = |action| {
            let file = folder.display().to_string();
            move |cause| DiskError {
                action,
                file,
                cause,
            }
        };
        make_private_folder(folder).map_err(of(Action::Create))?;
        let lock = private(OpenOptions::new().create(true).truncate(false).write(true))
            .open(folder.join(LOCK))
            .map_err(of(Action::Lock))?;
        take(&lock).map_err(|error| {
            of(Action::Lock)(match error {
                TryLockError::WouldBlock => io::Error::new(
                    io::ErrorKind::ResourceBusy,
                    "another process has this key store open; end it, or give this one a folder of its own",
                ),
                TryLockError::Error(cause) => cause,
            })
        })?;
        Ok(FolderDisk {
            folder: folder.to_owned(),
            open: None,
            durable: true,
            _lock: lock,
        })
    }

    /// The same without waiting for the disk, for simulation: a crash of the process is survived, one of the machine is
    /// not.
    ///
    /// # Errors
    /// As [`open`](FolderDisk::open).
    pub fn open_without_sync(folder: &Path) -> Result<FolderDisk, DiskError> {
        let disk = FolderDisk::open(folder)?;
        Ok(FolderDisk {
            durable: false,
            ..disk
        })
    }

    fn error(&self, action: Action, file: &str) -> impl FnOnce(io::Error) -> DiskError + use<> {
        let file = self.folder.join(file).display().to_string();
        move |cause| DiskError {
            action,
            file,
            cause,
        }
    }

    fn open_file(&mut self, file: &str) -> io::Result<&mut File> {
        match &mut self.open {
            Some((name, handle)) if name == file => Ok(handle),
            _ => Err(io::Error::new(
                io::ErrorKind::NotFound,
                "the file is not the one that is being written",
            )),
        }
    }
}

impl Disk for FolderDisk {
    fn list(&mut self) -> Result<Vec<String>, DiskError> {
        let names = || -> io::Result<Vec<String>> {
            fs::read_dir(&self.folder)?
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                .collect()
        };
        names().map_err(self.error(Action::List, ""))
    }

    fn read(&mut self, file: &str) -> Result<Vec<u8>, DiskError> {
        let all = || {
            let mut bytes = Vec::new();
            File::open(self.folder.join(file))?.read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        all().map_err(self.error(Action::Read, file))
    }

    fn create(&mut self, file: &str) -> Result<(), DiskError> {
        let handle = private(OpenOptions::new().create(true).truncate(true).write(true))
            .open(self.folder.join(file))
            .map_err(self.error(Action::Create, file))?;
        self.open = Some((file.to_owned(), handle));
        Ok(())
    }

    fn append(&mut self, file: &str, bytes: &[u8]) -> Result<(), DiskError> {
        let error = self.error(Action::Append, file);
        self.open_file(file)
            .and_then(|handle| handle.write_all(bytes))
            .map_err(error)
    }

    fn sync(&mut self, file: &str) -> Result<(), DiskError> {
        if !self.durable {
            return Ok(());
        }
        let error = self.error(Action::Sync, file);
        let synced = self
            .open_file(file)
            .and_then(|handle| handle.sync_data())
            .map_err(error);
        if synced.is_err() {
            self.open = None;
        }
        synced
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        fs::rename(self.folder.join(from), self.folder.join(to))
            .map_err(self.error(Action::Rename, from))?;
        if let Some((name, _)) = &mut self.open
            && name == from
        {
            *name = to.to_owned();
        }
        Ok(())
    }

    fn remove(&mut self, file: &str) -> Result<(), DiskError> {
        fs::remove_file(self.folder.join(file)).map_err(self.error(Action::Remove, file))
    }

    fn sync_folder(&mut self) -> Result<(), DiskError> {
        if !self.durable {
            return Ok(());
        }
        File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(self.error(Action::SyncFolder, ""))
    }
}

/// Locks, and waits a moment: a process that this one has just forked holds its locks until it runs its own program.
fn take(lock: &File) -> Result<(), TryLockError> {
    for _ in 0..LOCK_ATTEMPTS {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            outcome => return outcome,
        }
    }
    lock.try_lock()
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

#[cfg(not(unix))]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).create(folder)
}
