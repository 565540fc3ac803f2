//! A disk in memory that forgets what was not synced and fails when told to: for tests and for simulation.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk::{Action, Disk, DiskError};

/// What goes wrong at a chosen step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The machine stops before the step; nothing works after it.
    Crash,
    /// The disk is full from the step on: half of what was to be appended is there.
    Full,
    /// A sync fails, once; the kernel forgets the bytes and later syncs succeed without them.
    SyncLost,
}

/// What is left of bytes that were never synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Torn {
    /// Nothing of them, and no name that was not synced.
    Nothing,
    /// The first half.
    Half,
    /// Their length, as zeros.
    Zeros,
    /// Their length, the second half of it noise.
    Noise,
    /// All of them: the process was killed, the machine lives.
    All,
}

impl Torn {
    /// Every kind.
    pub const ALL: [Torn; 5] = [
        Torn::Nothing,
        Torn::Half,
        Torn::Zeros,
        Torn::Noise,
        Torn::All,
    ];
}

#[derive(Clone, Debug, Default)]
struct Bytes {
    all: Vec<u8>,
    durable: usize,
}

#[derive(Clone, Debug)]
enum NameChange {
    Set(String, usize),
    Unset(String),
}

#[derive(Clone, Debug, Default)]
struct Inner {
    files: Vec<Bytes>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    changes: Vec<NameChange>,
    steps: u64,
    syncs: u64,
    fault: Option<(u64, Fault)>,
    dead: bool,
    full: bool,
}

/// A disk in memory. Clones share it, as two handles on one device.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk(Arc<Mutex<Inner>>);

impl MemoryDisk {
    /// An empty disk.
    pub fn new() -> MemoryDisk {
        MemoryDisk::default()
    }

    /// Lets step number `step`, counted from 0, go wrong.
    pub fn fail_at(&self, step: u64, fault: Fault) {
        self.inner().fault = Some((step, fault));
    }

    /// Steps taken so far.
    pub fn steps(&self) -> u64 {
        self.inner().steps
    }

    /// Syncs of files taken so far.
    pub fn syncs(&self) -> u64 {
        self.inner().syncs
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> usize {
        let inner = self.inner();
        inner
            .names
            .values()
            .map(|at| inner.files[*at].all.len())
            .sum()
    }

    /// Whether a planned crash has happened.
    pub fn is_dead(&self) -> bool {
        self.inner().dead
    }

    /// What a machine finds when it comes up again after losing power now.
    pub fn after_crash(&self, torn: Torn) -> MemoryDisk {
        let mut inner = self.inner().clone();
        let kept = match torn {
            Torn::Nothing | Torn::Zeros => 0,
            Torn::Half | Torn::Noise => inner.changes.len() / 2,
            Torn::All => inner.changes.len(),
        };
        let mut names = inner.durable_names.clone();
        inner.changes[..kept]
            .iter()
            .for_each(|change| change.apply(&mut names));
        inner.files.iter_mut().for_each(|file| file.tear(torn));
        MemoryDisk(Arc::new(Mutex::new(Inner {
            files: inner.files,
            durable_names: names.clone(),
            names,
            ..Inner::default()
        })))
    }

    /// A copy of everything as it is now: a snapshot of the machine, to be restored later.
    pub fn snapshot(&self) -> MemoryDisk {
        self.after_crash(Torn::All)
    }

    /// Flips a bit of a file, as a rotten sector or a vandal does.
    ///
    /// Returns whether the file has that byte.
    pub fn flip(&self, file: &str, byte: usize) -> bool {
        let mut inner = self.inner();
        let Some(at) = inner.names.get(file).copied() else {
            return false;
        };
        match inner.files[at].all.get_mut(byte) {
            Some(found) => {
                *found ^= 1;
                true
            }
            None => false,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a step; what the plan says happens here.
    fn step(&self, action: Action, file: &str) -> Result<MutexGuard<'_, Inner>, DiskError> {
        let mut inner = self.inner();
        let planned = match inner.fault {
            Some((at, fault)) if at == inner.steps => Some(fault),
            _ => None,
        };
        inner.steps += 1;
        inner.dead |= planned == Some(Fault::Crash);
        inner.full |= planned == Some(Fault::Full);
        if inner.dead {
            return Err(error(action, file, io::ErrorKind::BrokenPipe));
        }
        if planned == Some(Fault::SyncLost) && action == Action::Sync {
            inner.forget(file);
            return Err(error(action, file, io::ErrorKind::Other));
        }
        Ok(inner)
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            NameChange::Set(name, at) => {
                names.insert(name.clone(), *at);
            }
            NameChange::Unset(name) => {
                names.remove(name);
            }
        }
    }
}

impl Bytes {
    fn tear(&mut self, torn: Torn) {
        let unsynced = self.all.len() - self.durable;
        let half = self.durable + unsynced / 2;
        match torn {
            Torn::Nothing => self.all.truncate(self.durable),
            Torn::Half => self.all.truncate(half),
            Torn::Zeros => self.all[self.durable..].fill(0),
            Torn::Noise => self.all[half..].iter_mut().for_each(|byte| *byte ^= 0x5a),
            Torn::All => {}
        }
        self.durable = self.all.len();
    }
}

impl Inner {
    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.changes.push(change);
    }

    fn find(&mut self, action: Action, file: &str) -> Result<&mut Bytes, DiskError> {
        match self.names.get(file) {
            Some(at) => Ok(&mut self.files[*at]),
            None => Err(error(action, file, io::ErrorKind::NotFound)),
        }
    }

    /// The kernel drops what it could not write.
    fn forget(&mut self, file: &str) {
        if let Some(at) = self.names.get(file) {
            let durable = self.files[*at].durable;
            self.files[*at].all.truncate(durable);
        }
    }
}

fn error(action: Action, file: &str, kind: io::ErrorKind) -> DiskError {
    DiskError {
        action,
        file: file.to_owned(),
        cause: io::Error::from(kind),
    }
}

impl Disk for MemoryDisk {
    fn list(&mut self) -> Result<Vec<String>, DiskError> {
        Ok(self.inner().names.keys().cloned().collect())
    }

    fn read(&mut self, file: &str) -> Result<Vec<u8>, DiskError> {
        Ok(self.inner().find(Action::Read, file)?.all.clone())
    }

    fn create(&mut self, file: &str) -> Result<(), DiskError> {
        let mut inner = self.step(Action::Create, file)?;
        if inner.full {
            return Err(error(Action::Create, file, io::ErrorKind::StorageFull));
        }
        let at = inner.files.len();
        inner.files.push(Bytes::default());
        inner.change(NameChange::Set(file.to_owned(), at));
        Ok(())
    }

    fn append(&mut self, file: &str, bytes: &[u8]) -> Result<(), DiskError> {
        let mut inner = self.step(Action::Append, file)?;
        let full = inner.full;
        let found = inner.find(Action::Append, file)?;
        if full {
            found.all.extend_from_slice(&bytes[..bytes.len() / 2]);
            return Err(error(Action::Append, file, io::ErrorKind::StorageFull));
        }
        found.all.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self, file: &str) -> Result<(), DiskError> {
        let mut inner = self.step(Action::Sync, file)?;
        inner.syncs += 1;
        let found = inner.find(Action::Sync, file)?;
        found.durable = found.all.len();
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        let mut inner = self.step(Action::Rename, from)?;
        let Some(at) = inner.names.get(from).copied() else {
            return Err(error(Action::Rename, from, io::ErrorKind::NotFound));
        };
        inner.change(NameChange::Unset(from.to_owned()));
        inner.change(NameChange::Set(to.to_owned(), at));
        Ok(())
    }

    fn remove(&mut self, file: &str) -> Result<(), DiskError> {
        self.step(Action::Remove, file)?
            .change(NameChange::Unset(file.to_owned()));
        Ok(())
    }

    fn sync_folder(&mut self) -> Result<(), DiskError> {
        let mut inner = self.step(Action::SyncFolder, "")?;
        inner.durable_names = inner.names.clone();
        inner.changes.clear();
        Ok(())
    }
}
