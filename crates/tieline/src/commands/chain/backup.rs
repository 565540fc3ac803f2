//! `tieline chain backup`
//!
//! A copy has all that a node needs to come back but what says for what it has voted: a node that starts from a copy
//! follows the chain, and votes from the next epoch on ([`crate::node::journal`]).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;
use tieline_chain::Ledger;
use tieline_chain::store::Store;
use tieline_seal::hybrid::Strict;

use crate::cli::ChainBackup;
use crate::commands::Failure;
use crate::found::write::{GENESIS_FILE, refuse_existing};
use crate::node::NodeSettings;
use crate::node::config::{FILE, KEYS_FILE, NodeFile, STORE_FILE};
use crate::node::offer;
use crate::output::folder::{Kind, Staged, write as write_file};
use crate::printer::Printer;

/// No earlier copy is ever replaced.
const KIND: Kind = Kind {
    marker: FILE,
    entries: &[],
};

/// Folder of the store in a copy.
const DATA: &str = "data";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    folder: &'a Path,
    chain: String,
    /// Height of the store; null where there is none in the copy.
    height: Option<u64>,
}

pub(super) fn backup(command: &ChainBackup, printer: Printer) -> Result<(), Failure> {
    refuse_existing(&command.out)?;
    let settings = NodeSettings::read(&command.node)?;
    let staged = Staged::new(&command.out, KIND)?;
    let folder = staged.path();
    let genesis = settings.genesis.to_toml().map_err(anyhow::Error::from)?;
    write_file(&folder.join(GENESIS_FILE), genesis.as_bytes())?;
    let text = fs::read_to_string(&settings.file);
    let text = text.with_context(|| format!("cannot read {}", settings.file.display()))?;
    write_file(&folder.join(FILE), moved(&text)?.as_bytes())?;
    copy(&settings.keys, &folder.join(KEYS_FILE))?;
    let offer = settings.keys.with_file_name(offer::FILE);
    if offer.exists() {
        copy(&offer, &folder.join(offer::FILE))?;
    }
    let height = store(&settings, folder)?;
    staged.publish()?;
    let shown = command.out.display();
    let what = match height {
        Some(height) => format!("with the store at height {height}"),
        None => "without a store".to_owned(),
    };
    printer.text(&format!("{shown}: a node of {}, {what}\n", settings.chain))?;
    printer.document(&Document {
        schema: "tieline.chain-backup/1",
        folder: &command.out,
        chain: settings.chain.to_string(),
        height,
    })?;
    if height.is_none() {
        printer.note("hint: a store is copied while its node does not run; without one a node takes all blocks from the others");
    }
    Ok(())
}

/// The settings, with paths into the folder of the copy.
fn moved(text: &str) -> anyhow::Result<String> {
    let mut file: NodeFile = toml::from_str(text)?;
    file.genesis = PathBuf::from(GENESIS_FILE);
    file.keys = PathBuf::from(KEYS_FILE);
    file.data = PathBuf::from(DATA);
    Ok(toml::to_string(&file)?)
}

/// Copies the store, which is held meanwhile; its height, or nothing where there is none or a node holds it.
fn store(settings: &NodeSettings, folder: &Path) -> Result<Option<u64>, Failure> {
    let from = settings.store();
    if !from.is_file() {
        return Ok(None);
    }
    let held = match Store::open(&from, Ledger::genesis(&settings.genesis), &Strict) {
        Ok(held) => held,
        Err(error) if error.is_in_use() => return Ok(None),
        Err(error) => return Err(super::source::refused(&from, &error)),
    };
    let data = folder.join(DATA);
    fs::create_dir(&data).with_context(|| format!("cannot write {}", data.display()))?;
    copy(&from, &data.join(STORE_FILE))?;
    let ledger = held
        .ledger()
        .map_err(|error| super::source::refused(&from, &error))?;
    Ok(Some(ledger.tip().height))
}

/// For its owner alone, and on the disk when this returns.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let copied = || {
        fs::copy(from, to)?;
        fs::set_permissions(to, fs::Permissions::from_mode(0o600))?;
        fs::File::open(to)?.sync_all()
    };
    copied().with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}
