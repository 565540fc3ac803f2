//! What a path is: a genesis, a block file, a store; and where the genesis of a store is.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tieline_chain::Ledger;
use tieline_chain::genesis::Genesis;
use tieline_chain::store::{Store, StoreError};
use tieline_seal::hybrid::Strict;

use crate::commands::Failure;
use crate::found::write::GENESIS_FILE;
use crate::node::config::{FILE, NodeSettings, read_genesis};

/// What a database of the store begins with.
const STORE_BEGIN: &[u8] = b"redb";

/// Kind of a block file's first frame, after four bytes of length.
const BLOCKS_BEGIN: u8 = 1;

/// What is at a path.
pub(super) enum Source {
    /// A genesis document.
    Genesis(Genesis),
    /// A file of blocks.
    Blocks(PathBuf),
    /// A store, and the genesis where a node's folder names it.
    Store(PathBuf, Option<Genesis>),
}

impl Source {
    /// Looks at the path, and into the file.
    pub(super) fn of(path: &Path) -> Result<Source, Failure> {
        let broken = |error: io::Error| Failure::Broken(format!("{}: {error}", path.display()));
        if path.is_dir() {
            return Source::of_folder(path);
        }
        let mut head = Vec::new();
        let file = File::open(path).map_err(broken)?;
        file.take(5).read_to_end(&mut head).map_err(broken)?;
        if head.starts_with(STORE_BEGIN) {
            return Ok(Source::Store(path.to_owned(), None));
        }
        if head.get(4) == Some(&BLOCKS_BEGIN) {
            return Ok(Source::Blocks(path.to_owned()));
        }
        Ok(Source::Genesis(read_genesis(path)?))
    }

    fn of_folder(path: &Path) -> Result<Source, Failure> {
        if path.join(FILE).exists() {
            let settings = NodeSettings::read(path)?;
            return Ok(match settings.store() {
                store if store.exists() => Source::Store(store, Some(settings.genesis)),
                _ => Source::Genesis(settings.genesis),
            });
        }
        let genesis = path.join(GENESIS_FILE);
        if genesis.exists() {
            return Ok(Source::Genesis(read_genesis(&genesis)?));
        }
        Err(Failure::Broken(format!(
            "{}: neither {GENESIS_FILE} nor {FILE} in it\n\nhint: tieline chain init makes the folder of a chain",
            path.display()
        )))
    }
}

/// Opens a store for reading.
pub(super) fn open_store(
    path: &Path,
    named: Option<&Path>,
    known: Option<Genesis>,
) -> Result<(Store, Genesis), Failure> {
    let genesis = match (named, known) {
        (Some(file), _) => read_genesis(file)?,
        (None, Some(genesis)) => genesis,
        (None, None) => {
            return Err(Failure::Broken(format!(
                "{}: a store is read with the genesis of its chain\n\nhint: give --genesis FILE, or the node's folder in the place of the store",
                path.display()
            )));
        }
    };
    // Opening founds a store where there is none.
    if !path.is_file() {
        return Err(Failure::Broken(format!(
            "{}: there is no store\n\nhint: a node writes its store when it runs",
            path.display()
        )));
    }
    let store = Store::open(path, Ledger::genesis(&genesis), &Strict);
    let store = store.map_err(|error| refused(path, &error))?;
    Ok((store, genesis))
}

/// What the store says, with the next step.
pub(super) fn refused(path: &Path, error: &StoreError) -> Failure {
    let shown = path.display();
    match error {
        _ if error.is_in_use() => Failure::Broken(format!(
            "{shown}: in use, by a node that runs: one process at a time reads a store\n\nhint: ask the node's API (GET /v1/status, /v1/blocks/HEIGHT), or stop the node, or read a copy that tieline chain backup made"
        )),
        StoreError::Disk { .. } => Failure::Broken(format!("{shown}: {error}")),
        StoreError::Home { .. } => Failure::No(format!(
            "{shown}: {error}\n\nhint: give the genesis of the chain that the store is of"
        )),
        _ => Failure::No(format!(
            "{shown}: {error}\n\nhint: the store is damaged; take a snapshot or the blocks from another node"
        )),
    }
}

/// A file that says how far it was read.
pub(super) struct Counting {
    file: File,
    at: Rc<Cell<u64>>,
}

/// How far a file was read, bytes.
pub(super) struct Position {
    at: Rc<Cell<u64>>,
    /// How long it is.
    pub(super) size: u64,
}

impl Counting {
    pub(super) fn open(path: &Path) -> Result<(Counting, Position), Failure> {
        let broken = |error: io::Error| Failure::Broken(format!("{}: {error}", path.display()));
        let file = File::open(path).map_err(broken)?;
        let size = file.metadata().map_err(broken)?.len();
        let at = Rc::new(Cell::new(0));
        let position = Position {
            at: at.clone(),
            size,
        };
        Ok((Counting { file, at }, position))
    }
}

impl Position {
    pub(super) fn get(&self) -> u64 {
        self.at.get()
    }
}

impl Read for Counting {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(into)?;
        self.at.set(self.at.get() + count as u64);
        Ok(count)
    }
}
