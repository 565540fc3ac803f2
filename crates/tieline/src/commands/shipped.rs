//! The shipped scenarios travel inside the program, so that it works wherever it is installed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::TempDir;

use super::Failure;
use crate::output::folder::write;

/// A scenario inside the program.
#[derive(Debug)]
pub(super) struct Shipped {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
}

macro_rules! shipped {
    ($name:literal) => {
        Shipped {
            name: $name,
            files: &[
                shipped!($name, "scenario.toml"),
                shipped!($name, "microgrids.csv"),
                shipped!($name, "profiles.csv"),
                shipped!($name, "forecast.csv"),
                shipped!($name, "NOTICE"),
            ],
        }
    };
    ($name:literal, $file:literal) => {
        (
            $file,
            include_str!(concat!("../../../../scenarios/", $name, "/", $file)),
        )
    };
}

/// The day that `tieline run` runs without a scenario.
pub(super) const DAY: Shipped = shipped!("four-microgrids-day");

/// The two microgrids of Fig. 9.
pub(super) const FIG9: Shipped = shipped!("two-microgrids");

/// A scenario's folder; unpacked ones are removed again when dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _unpacked: Option<TempDir>,
}

impl Folder {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// The named scenario, or the shipped day: from the checkout where there is one, else unpacked.
pub(super) fn scenario(named: Option<&Path>) -> Result<Folder, Failure> {
    let in_checkout = Path::new("scenarios").join(DAY.name);
    match named {
        Some(path) => Ok(Folder {
            path: path.to_owned(),
            _unpacked: None,
        }),
        None if in_checkout.join("scenario.toml").exists() => Ok(Folder {
            path: in_checkout,
            _unpacked: None,
        }),
        None => Ok(unpack(&DAY)?),
    }
}

/// Unpacks a shipped scenario into the folder for temporary files.
pub(super) fn unpack(shipped: &Shipped) -> anyhow::Result<Folder> {
    let outer = tempfile::tempdir().context("cannot unpack the shipped scenario")?;
    let path = outer.path().join(shipped.name);
    fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
    for (name, content) in shipped.files {
        write(&path.join(name), content.as_bytes())?;
    }
    Ok(Folder {
        path,
        _unpacked: Some(outer),
    })
}
