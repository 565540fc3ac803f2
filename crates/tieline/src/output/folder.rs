//! The output folder appears whole or not at all.
//!
//! Everything is written into a sibling folder and renamed at the end. What can be gone on with stays beside the target when
//! the call ends before that. An earlier result of the same command is replaced
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
    /// Names of everything in it; one that begins with a dot stands for all names that end so.
    pub entries: &'static [&'static str],
}

/// A folder in the making. Dropped before [`Staged::publish`], it is removed again.
#[derive(Debug)]
pub struct Staged {
    target: PathBuf,
    staging: PathBuf,
    kind: Kind,
    keep: bool,
    /// The file whose presence shows that a later call can go on with what is there.
    resumable: Option<&'static str>,
}

/// What an earlier call has left to go on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// Nothing.
    None,
    /// It is still there.
    Kept,
    /// It was there, and is removed.
    Removed,
}

impl Staged {
    /// Prepares to write the folder `target`.
    ///
    /// # Errors
    /// When `target` holds something that the command has not left there, or cannot be written beside.
    pub fn new(target: &Path, kind: Kind) -> anyhow::Result<Staged> {
        let (target, parent, name) = prepare(target, kind)?;
        clear_leftovers(&target, &parent, &name);
        let staging = parent.join(format!(".{name}.partial-{}", std::process::id()));
        fs::create_dir(&staging).with_context(|| cannot(&target))?;
        Ok(Staged {
            target,
            staging,
            kind,
            keep: false,
            resumable: None,
        })
    }

    /// Prepares to write the folder `target` so that a later call can go on with it once the file `journal` is there, and
    /// says what an earlier one has left. What is left is kept where `resume` says so, else removed.
    ///
    /// # Errors
    /// As of [`Staged::new`]; when another process is writing it.
    pub fn resumable(
        target: &Path,
        kind: Kind,
        (journal, resume): (&'static str, bool),
    ) -> anyhow::Result<(Staged, Earlier)> {
        let (target, parent, name) = prepare(target, kind)?;
        clear_leftovers(&target, &parent, &name);
        let staging = parent.join(format!(".{name}.partial"));
        let is_there = staging.join(journal).is_file();
        if is_there {
            refuse_locked(&staging.join(journal), &target)?;
        }
        let earlier = match (is_there, resume) {
            (false, _) => Earlier::None,
            (true, true) => Earlier::Kept,
            (true, false) => Earlier::Removed,
        };
        if staging.exists() && earlier != Earlier::Kept {
            fs::remove_dir_all(&staging).with_context(|| cannot(&staging))?;
        }
        fs::create_dir_all(&staging).with_context(|| cannot(&target))?;
        let staged = Staged {
            target,
            staging,
            kind,
            keep: false,
            resumable: Some(journal),
        };
        Ok((staged, earlier))
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
        let Err(error) = self.replace() else {
            self.keep = true;
            return Ok(());
        };
        // Under a name of its own no later call takes it for a leftover.
        let name = self
            .target
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or("result");
        let kept = self
            .target
            .with_file_name(format!("{name}.kept-{}", std::process::id()));
        self.keep = fs::rename(&self.staging, &kept).is_ok();
        if self.keep {
            return Err(error.context(format!("the result is complete in {}", kept.display())));
        }
        Err(error)
    }

    /// Moves the earlier result away, this one into its place, and removes the earlier one.
    fn replace(&self) -> anyhow::Result<()> {
        refuse_foreign(&self.target, self.kind)?;
        let mut earlier = self.staging.clone().into_os_string();
        earlier.push(EARLIER);
        let earlier = PathBuf::from(earlier);
        let had_earlier = self.target.exists();
        if had_earlier {
            fs::rename(&self.target, &earlier)
                .with_context(|| format!("cannot replace {}", self.target.display()))?;
        }
        if let Err(error) = fs::rename(&self.staging, &self.target) {
            if had_earlier {
                fs::rename(&earlier, &self.target)?;
            }
            return Err(error).with_context(|| cannot(&self.target));
        }
        if had_earlier && fs::remove_dir_all(&earlier).is_err() {
            eprintln!(
                "warning: the earlier result could not be removed: {}",
                earlier.display()
            );
        }
        Ok(())
    }
}

/// The target without links, its parent, and its name; refused where it holds what the command has not left there.
fn prepare(target: &Path, kind: Kind) -> anyhow::Result<(PathBuf, PathBuf, String)> {
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
    Ok((target, parent, name))
}

/// Refuses what another process is writing.
fn refuse_locked(journal: &Path, target: &Path) -> anyhow::Result<()> {
    let file = fs::File::open(journal).with_context(|| cannot(target))?;
    match file.try_lock_shared() {
        Ok(()) => Ok(()),
        Err(fs::TryLockError::WouldBlock) => bail!(
            "another process is writing {}\n\nhint: wait for it, or name another folder with --out",
            target.display()
        ),
        Err(fs::TryLockError::Error(error)) => Err(error).with_context(|| cannot(target)),
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let resumable = self.resumable;
        let go_on = resumable.is_some_and(|journal| self.staging.join(journal).is_file());
        if !self.keep && !go_on {
            let _ = fs::remove_dir_all(&self.staging);
        }
    }
}

/// Ending of the name that the earlier result has while the new one takes its place.
const EARLIER: &str = ".old";

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
    let is = |name: &str, entry: &str| match entry.starts_with('.') {
        true => name.ends_with(entry),
        false => name == entry,
    };
    let known = |name: &String| kind.entries.iter().any(|entry| is(name, entry));
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

/// Clears what calls that were killed have left beside the target. One killed between the two renames has moved the
/// earlier result away and put nothing in its place: that result is put back.
fn clear_leftovers(target: &Path, parent: &Path, name: &str) {
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
        let Some(rest) = found.strip_prefix(&start) else {
            continue;
        };
        let process = rest.strip_suffix(EARLIER).unwrap_or(rest);
        let is_number = process.parse::<u32>().is_ok();
        if !is_number || Path::new(&format!("/proc/{process}")).exists() {
            continue;
        }
        if rest.ends_with(EARLIER) && !target.exists() {
            let _ = fs::rename(entry.path(), target);
        } else {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind {
        marker: "summary.json",
        entries: &["summary.json", ".csv"],
    };

    /// No process has this number: it is above the kernel's largest.
    const DEAD: u32 = u32::MAX;

    fn result(folder: &Path, text: &str) {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("summary.json"), text).unwrap();
    }

    fn summary(folder: &Path) -> String {
        fs::read_to_string(folder.join("summary.json")).unwrap()
    }

    #[test]
    fn a_result_moved_away_by_a_killed_call_is_put_back() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        result(
            &root.path().join(format!(".out.partial-{DEAD}.old")),
            "earlier",
        );
        result(&root.path().join(format!(".out.partial-{DEAD}")), "half");
        let staged = Staged::new(&target, KIND).unwrap();
        assert_eq!(summary(&target), "earlier");
        drop(staged);
        assert_eq!(
            fs::read_dir(root.path()).unwrap().count(),
            1,
            "nothing else is left"
        );
    }

    #[test]
    fn a_result_that_cannot_take_its_place_is_kept_under_a_name_of_its_own() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        let staged = Staged::new(&target, KIND).unwrap();
        fs::write(staged.path().join("summary.json"), "new").unwrap();
        fs::create_dir(&target).unwrap();
        fs::write(target.join("thesis.txt"), "years of work").unwrap();
        let error = format!("{:#}", staged.publish().unwrap_err());
        let kept = root.path().join(format!("out.kept-{}", std::process::id()));
        assert!(error.contains(&kept.display().to_string()), "{error}");
        assert_eq!(summary(&kept), "new");
        drop(Staged::new(&root.path().join("other"), KIND).unwrap());
        assert!(kept.exists() && target.join("thesis.txt").exists());
    }

    #[test]
    fn a_name_that_only_ends_like_ours_is_foreign() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        result(&target, "ours");
        fs::write(target.join("a.csv"), "").unwrap();
        assert!(Staged::new(&target, KIND).is_ok());
        fs::write(target.join("my-summary.json"), "").unwrap();
        let error = Staged::new(&target, KIND).unwrap_err().to_string();
        assert!(error.contains("holds my-summary.json"), "{error}");
    }
}
