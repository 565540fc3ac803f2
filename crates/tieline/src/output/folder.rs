//! The output folder appears whole or not at all.
//!
//! Everything is written into a sibling folder and renamed at the end. An earlier result of the same command is replaced
//! when nothing else lies in it; any other folder that is not empty is left alone.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// What one command leaves in its folder.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The file that shows that a folder is a result.
    pub marker: &'static str,
    /// Names, or endings of names, of everything in it.
    pub entries: &'static [&'static str],
}

/// A folder in the making. Dropped before [`Staged::publish`], it is removed again.
#[derive(Debug)]
pub struct Staged {
    target: PathBuf,
    staging: PathBuf,
    kind: Kind,
    keep: bool,
}

impl Staged {
    /// Prepares to write the folder `target`.
    ///
    /// # Errors
    /// When `target` holds something that the command has not left there, or cannot be written beside.
    pub fn new(target: &Path, kind: Kind) -> anyhow::Result<Staged> {
        let shown = target.display();
        // Links and `.` are resolved once: what is replaced is the folder itself, never the link to it.
        let target = match target.canonicalize() {
            Ok(full) => full,
            Err(_) => std::path::absolute(target).with_context(|| format!("--out {shown}"))?,
        };
        let (Some(name), Some(parent)) = (
            target.file_name().and_then(|name| name.to_str()),
            target.parent(),
        ) else {
            bail!("--out {shown} has no name of its own\n\n{HINT}");
        };
        let (name, parent) = (name.to_owned(), parent.to_owned());
        refuse_foreign(&target, kind)?;
        fs::create_dir_all(&parent).with_context(|| cannot(&parent))?;
        if target.exists() && fs::metadata(&target)?.dev() != fs::metadata(&parent)?.dev() {
            bail!(
                "{shown} is a mount point and cannot be replaced as a whole\n\nhint: name a folder inside it"
            );
        }
        remove_leftovers(&parent, &name);
        let staging = parent.join(format!(".{name}.partial-{}", std::process::id()));
        fs::create_dir(&staging).with_context(|| cannot(&target))?;
        Ok(Staged {
            target,
            staging,
            kind,
            keep: false,
        })
    }

    /// Where to write.
    pub fn path(&self) -> &Path {
        &self.staging
    }

    /// Puts the folder in its place.
    ///
    /// # Errors
    /// When the earlier folder cannot be moved away or this one not into its place; the result is then kept beside it and
    /// named.
    pub fn publish(mut self) -> anyhow::Result<()> {
        self.keep = true;
        let kept = format!("the result is complete in {}", self.staging.display());
        refuse_foreign(&self.target, self.kind).with_context(|| kept.clone())?;
        let old = self.staging.with_file_name(format!(
            "{}.old",
            self.staging
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or(".tieline")
        ));
        let had_old = self.target.exists();
        if had_old {
            fs::rename(&self.target, &old)
                .with_context(|| format!("cannot replace {}; {kept}", self.target.display()))?;
        }
        if let Err(error) = fs::rename(&self.staging, &self.target) {
            if had_old {
                fs::rename(&old, &self.target)?;
            }
            return Err(error).with_context(|| format!("{}; {kept}", cannot(&self.target)));
        }
        if had_old && fs::remove_dir_all(&old).is_err() {
            eprintln!(
                "warning: the earlier result could not be removed: {}",
                old.display()
            );
        }
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.keep {
            let _ = fs::remove_dir_all(&self.staging);
        }
    }
}

const HINT: &str = "hint: name another folder with --out, or empty this one";

fn cannot(path: &Path) -> String {
    format!("cannot write the folder {}", path.display())
}

/// Writes one file.
///
/// # Errors
/// When it cannot be written, with its path.
pub fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// Refuses a folder with anything in it that the command would not have left there.
fn refuse_foreign(target: &Path, kind: Kind) -> anyhow::Result<()> {
    if !target.exists() {
        return Ok(());
    }
    let shown = target.display();
    if !target.is_dir() {
        bail!("{shown} is not a folder\n\n{HINT}");
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(target).with_context(|| format!("cannot read {shown}"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    if names.is_empty() {
        return Ok(());
    }
    let known = |name: &String| kind.entries.iter().any(|entry| name.ends_with(entry));
    match names.iter().find(|name| !known(name)) {
        Some(foreign) => {
            bail!("{shown} holds {foreign}, which no earlier call has left there\n\n{HINT}")
        }
        None if !names.iter().any(|name| name == kind.marker) => {
            bail!("{shown} exists and is not the result of an earlier call\n\n{HINT}")
        }
        None => Ok(()),
    }
}

/// Removes what calls that were killed have left beside the target.
fn remove_leftovers(parent: &Path, name: &str) {
    // Without /proc nobody can say whether the process still lives.
    if !Path::new("/proc/self").exists() {
        return;
    }
    let start = format!(".{name}.partial-");
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let found = entry.file_name().to_string_lossy().into_owned();
        let process = found
            .strip_prefix(&start)
            .map(|rest| rest.trim_end_matches(".old"));
        let Some(Ok(process)) = process.map(str::parse::<u32>) else {
            continue;
        };
        if !Path::new(&format!("/proc/{process}")).exists() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
