//! `tieline chain export`

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde::Serialize;
use tieline_chain::Home;
use tieline_chain::files::{BlockWriter, FileError};
use tieline_chain::store::Store;

use super::source::{Source, open_store, refused};
use crate::cli::ChainExport;
use crate::commands::Failure;
use crate::printer::Printer;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    file: &'a Path,
    chain: String,
    genesis: String,
    height: u64,
    certificates: u64,
    bytes: u64,
}

pub(super) fn export(command: &ChainExport, printer: Printer) -> Result<(), Failure> {
    let (path, known) = match Source::of(&command.store)? {
        Source::Store(path, known) => (path, known),
        Source::Genesis(_) | Source::Blocks(_) => {
            return Err(Failure::Broken(format!(
                "{}: no store of a chain\n\nhint: a node keeps its store as data/chain.redb in its folder",
                command.store.display()
            )));
        }
    };
    refuse_existing(&command.out)?;
    let (store, genesis) = open_store(&path, command.genesis.as_deref(), known)?;
    let reading = Reading {
        path: &path,
        store: &store,
    };
    let height = reading.whole()?;
    let (certificates, bytes) = write(&reading, height, &genesis.home(), (&command.out, printer))?;
    let home = genesis.home();
    printer.text(&format!(
        "{}: {height} blocks of {}, {certificates} with a certificate, {bytes} bytes\n",
        command.out.display(),
        home.chain
    ))?;
    printer.document(&Document {
        schema: "tieline.chain-export/1",
        file: &command.out,
        chain: home.chain.to_string(),
        genesis: home.genesis.to_string(),
        height,
        certificates,
        bytes,
    })?;
    printer.note(&format!(
        "hint: tieline chain verify {} --genesis FILE replays it",
        command.out.display()
    ));
    Ok(())
}

fn refuse_existing(out: &Path) -> Result<(), Failure> {
    if fs::symlink_metadata(out).is_ok() {
        return Err(Failure::Broken(format!(
            "{} is there already\n\nhint: name a file that is not there yet with --out",
            out.display()
        )));
    }
    Ok(())
}

/// A store that is being read.
struct Reading<'a> {
    path: &'a Path,
    store: &'a Store,
}

impl Reading<'_> {
    /// Height of the tip, where every block up to it is there.
    fn whole(&self) -> Result<u64, Failure> {
        let refused = |error| refused(self.path, &error);
        let height = self.store.ledger().map_err(refused)?.tip().height;
        if height == 0 || self.store.block(1).map_err(refused)?.is_some() {
            return Ok(height);
        }
        Err(Failure::No(format!(
            "{}: the first blocks are not in the archive: it was pruned, or began with a snapshot\n\n\
             hint: export from a node that has all blocks; an auditor begins with block 1",
            self.path.display()
        )))
    }
}

/// Writes the file, whole or not at all; returns how many certificates and bytes it has.
fn write(
    reading: &Reading<'_>,
    height: u64,
    home: &Home,
    (out, printer): (&Path, Printer),
) -> Result<(u64, u64), Failure> {
    let cannot = |error: &dyn std::fmt::Display| {
        Failure::Broken(format!("cannot write {}: {error}", out.display()))
    };
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let partial = tempfile::Builder::new()
        .prefix(".blocks.partial-")
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(parent)
        .map_err(|error| cannot(&error))?;
    let written = |error: FileError| match error {
        FileError::Disk { error, .. } => cannot(&error),
        // The archive is not a chain.
        other => Failure::No(format!("{}: {other}", reading.path.display())),
    };
    let mut writer = BlockWriter::open(partial.path(), home).map_err(written)?;
    let mut progress = printer.progress("blocks exported", height);
    let mut certificates = 0;
    for at in 1..=height {
        let refused = |error| refused(reading.path, &error);
        let block = reading.store.block(at).map_err(refused)?;
        let block = block.ok_or_else(|| {
            let path = reading.path.display();
            Failure::No(format!(
                "{path}: block {at} is missing in the archive\n\nhint: export from another node"
            ))
        })?;
        let certificate = reading.store.certificate(at).map_err(refused)?;
        let appended = writer.append(&block, certificate.as_deref());
        appended.map_err(written)?;
        certificates += u64::from(certificate.is_some());
        progress.at(at);
    }
    writer.sync().map_err(written)?;
    progress.finish();
    let file = partial.persist_noclobber(out);
    let file = file.map_err(|error| cannot(&error.error))?;
    let bytes = file.metadata().map_err(|error| cannot(&error))?.len();
    Ok((certificates, bytes))
}
