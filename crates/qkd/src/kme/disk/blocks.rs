//! Files with bits: one for each block, from when it is filled until the last of its bits has left.
//!
//! ```text
//! name = pool in hexadecimal "-" link "-" ("out" | "in") "-" offset in hexadecimal ".bits"
//! file = SHA-256 of name and bits, bits
//! ```

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::kme::core::{Direction, LinkId, PoolId};

use super::{DiskError, private_file, remove, sync_folder};

/// Which block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockName {
    pub(crate) pool: PoolId,
    pub(crate) link: LinkId,
    pub(crate) direction: Direction,
    pub(crate) at: u64,
}

impl std::fmt::Display for BlockName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for byte in self.pool {
            write!(f, "{byte:02x}")?;
        }
        let direction = match self.direction {
            Direction::Out => "out",
            Direction::In => "in",
        };
        write!(f, "-{}-{direction}-{:016x}.bits", self.link.0, self.at)
    }
}

impl BlockName {
    fn parse(name: &str) -> Option<BlockName> {
        let mut parts = name.strip_suffix(".bits")?.split('-');
        let (pool, link) = (parts.next()?, parts.next()?);
        let direction = match parts.next()? {
            "out" => Direction::Out,
            "in" => Direction::In,
            _ => return None,
        };
        let at = u64::from_str_radix(parts.next()?, 16).ok()?;
        let block = BlockName {
            pool: u128::from_str_radix(pool, 16).ok()?.to_be_bytes(),
            link: LinkId(link.parse().ok()?),
            direction,
            at,
        };
        (block.to_string() == name).then_some(block)
    }
}

/// The files with bits of one folder.
#[derive(Clone, Debug)]
pub(crate) struct Blocks {
    folder: PathBuf,
    sync: bool,
}

impl Blocks {
    pub(crate) fn new(folder: &Path, sync: bool) -> Blocks {
        Blocks {
            folder: folder.to_owned(),
            sync,
        }
    }

    fn path(&self, name: &BlockName) -> PathBuf {
        self.folder.join(name.to_string())
    }

    /// Writes a block, durably.
    pub(crate) fn write(&self, name: &BlockName, bits: &[u8]) -> Result<(), DiskError> {
        let path = self.path(name);
        let io = |doing| DiskError::io(&path, doing);
        let mut file = private_file(true).open(&path).map_err(io("opening"))?;
        file.set_len(0).map_err(io("cutting"))?;
        file.write_all(&digest(name, bits)).map_err(io("writing"))?;
        file.write_all(bits).map_err(io("writing"))?;
        if self.sync {
            file.sync_all().map_err(io("syncing"))?;
            sync_folder(&self.folder)?;
        }
        Ok(())
    }

    /// Reads a block; `None` when its digest is wrong, as after a crash while it was written.
    pub(crate) fn read(&self, name: &BlockName) -> Result<Option<Zeroizing<Vec<u8>>>, DiskError> {
        let path = self.path(name);
        let bytes = fs::read(&path).map_err(DiskError::io(&path, "reading"))?;
        let bytes = Zeroizing::new(bytes);
        let Some((found, bits)) = bytes.split_at_checked(32) else {
            return Ok(None);
        };
        let good = found == digest(name, bits);
        Ok(good.then(|| Zeroizing::new(bits.to_vec())))
    }

    /// Overwrites a block with zeros and removes it.
    pub(crate) fn drop(&self, name: &BlockName) -> Result<(), DiskError> {
        let path = self.path(name);
        let io = |doing| DiskError::io(&path, doing);
        let Ok(mut file) = private_file(false).open(&path) else {
            return Ok(());
        };
        let bytes = file.metadata().map_err(io("looking"))?.len();
        file.write_all(&vec![0; bytes as usize])
            .map_err(io("overwriting"))?;
        if self.sync {
            file.sync_data().map_err(io("syncing"))?;
        }
        remove(&path)
    }

    /// All blocks, by name.
    pub(crate) fn list(&self) -> Result<Vec<BlockName>, DiskError> {
        let io = |doing| DiskError::io(&self.folder, doing);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(io("listing"))? {
            let entry = entry.map_err(io("listing"))?;
            let name = entry.file_name();
            names.extend(name.to_str().and_then(BlockName::parse));
        }
        names.sort_by_key(|name| (name.link, name.direction, name.at));
        Ok(names)
    }
}

fn digest(name: &BlockName, bits: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(name.to_string())
        .chain_update(bits)
        .finalize()
        .into()
}
