//! `rounds/`: the certificates of the rounds that were played, for `tieline market verify`.
//!
//! A short run leaves one file per round. A long one leaves one file per local day with a certificate per line: tens of
//! thousands of small files would take longer than the market.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tieline_units::Time;

use crate::input::Scenario;
use crate::run::Sink;
use crate::run::settle::Settled;
use crate::run::stage::Slot;

/// Folder of the certificates inside the output folder.
pub const FOLDER: &str = "rounds";

/// Extension of files with one certificate per line.
pub const LINES: &str = "jsonl";

/// Intervals up to which every round has a file of its own.
const FILES_MAX: usize = 400;

/// File name of the certificate of the interval that starts then: `2016-05-24T2200Z.json`.
pub fn file_name(start: Time) -> String {
    let minutes: String = start.to_string().chars().take(16).collect();
    format!("{}Z.json", minutes.replace(':', ""))
}

/// Where a run of this scenario leaves the certificate of that round, inside the output folder.
pub fn path(scenario: &Scenario, start: Time) -> String {
    let name = if scenario.intervals.len() <= FILES_MAX {
        file_name(start)
    } else {
        format!("{}.{LINES}", scenario.zone.day_of(start))
    };
    format!("{FOLDER}/{name}")
}

/// Writes certificates.
#[derive(Debug)]
pub struct Rounds {
    out: PathBuf,
    open: Option<(String, BufWriter<File>)>,
}

impl Rounds {
    /// Into this output folder.
    ///
    /// # Errors
    /// When the folder cannot be created.
    pub fn new(out: &Path) -> anyhow::Result<Rounds> {
        let folder = out.join(FOLDER);
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(Rounds {
            out: out.to_owned(),
            open: None,
        })
    }

    /// Completes the last file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(&mut self) -> anyhow::Result<()> {
        match self.open.take() {
            Some((path, mut file)) => file.flush().with_context(|| format!("cannot write {path}")),
            None => Ok(()),
        }
    }
}

impl Sink for Rounds {
    fn take(&mut self, slot: &Slot<'_>, settled: &Settled) -> anyhow::Result<()> {
        let Some(played) = &settled.concluded.ordered.matched.round.played else {
            return Ok(());
        };
        let path = path(slot.scenario, slot.interval.start);
        if self.open.as_ref().is_none_or(|(open, _)| *open != path) {
            self.finish()?;
            let full = self.out.join(&path);
            let file =
                File::create(&full).with_context(|| format!("cannot write {}", full.display()))?;
            self.open = Some((path, BufWriter::new(file)));
        }
        let (path, file) = self.open.as_mut().expect("opened above");
        serde_json::to_writer(&mut *file, &played.certificate)
            .with_context(|| format!("cannot write {path}"))?;
        file.write_all(b"\n")
            .with_context(|| format!("cannot write {path}"))
    }
}
