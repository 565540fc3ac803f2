//! Whether a node may vote: only where it knows every vote that it has cast.
//!
//! **Rules.** The engine's journal says what this node has voted for; without it the same key could vote for two blocks in
//! one view. Beside the journal lies [`SINCE`]: the node votes in epochs that began after that time. Where it is missing the
//! journal is missing as well, and two cases remain. Keys that never voted have a file beside them that says so
//! ([`unused`]): the node takes it away when it begins, and votes in all epochs. Any other keys may have voted in every
//! epoch that has begun: the node follows, and votes in epochs that begin from now on. **Guarantee.** Neither a wiped disk nor a folder
//! that comes back from a backup makes a node vote twice, as long as backups hold neither the engine's folder nor that file.
//! **Needs.** A clock that is right to seconds when the node starts, which connections to other nodes need as well.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tieline_units::Time;

/// In the engine's folder: milliseconds since 1970, and whose journal it is.
pub const SINCE: &str = "votes-in-epochs-after";

/// What [`unused`] says to people.
pub const UNUSED: &str =
    "These keys have never voted. The node removes this file when it begins.\n";

/// What a node's start found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journal {
    /// It votes in epochs that began after this time.
    pub votes_after: Time,
    /// There was no journal, of keys that may have voted.
    pub lost: bool,
}

/// Whose votes: where its keys are, and its identity as text.
#[derive(Clone, Copy, Debug)]
pub struct Voter<'a> {
    /// The sealed keys.
    pub keys: &'a Path,
    /// Its identity, hexadecimal.
    pub identity: &'a str,
}

/// The file that says that keys have never voted: beside them, with another ending.
pub fn unused(keys: &Path) -> PathBuf {
    keys.with_extension("unused")
}

/// Opens the engine's folder, or makes it. When this returns the disk says what it says.
///
/// `accept_lost`: the owner stands for it that the keys have not voted in this epoch.
///
/// # Errors
/// Of the disk; [`io::ErrorKind::InvalidData`] where [`SINCE`] is of another node or holds no number.
pub fn open(engine: &Path, voter: Voter<'_>, now: Time, accept_lost: bool) -> io::Result<Journal> {
    fs::create_dir_all(engine)?;
    let (since, unused) = (engine.join(SINCE), unused(voter.keys));
    let found = read(&since, voter.identity)?;
    let fresh = unused.exists();
    let lost = found.is_none() && !fresh;
    let votes_after = match (found, lost) {
        _ if accept_lost => Time::default(),
        (Some(time), _) => time,
        (None, false) => Time::default(),
        (None, true) => now,
    };
    if found != Some(votes_after) {
        write(engine, &since, (votes_after, voter.identity))?;
    }
    if fresh {
        fs::remove_file(&unused)?;
        sync(unused.parent())?;
    }
    Ok(Journal { votes_after, lost })
}

fn read(since: &Path, identity: &str) -> io::Result<Option<Time>> {
    let text = match fs::read_to_string(since) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    let wrong = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let (time, owner) = text.trim().split_once(' ').unwrap_or_default();
    let Ok(time) = time.parse() else {
        return Err(wrong(format!("{SINCE} says no time")));
    };
    if owner != identity {
        return Err(wrong(format!("it has the votes of another node, {owner}")));
    }
    Ok(Some(Time::from_millis(time)))
}

fn write(engine: &Path, since: &Path, (time, identity): (Time, &str)) -> io::Result<()> {
    let partial = engine.join(format!(".{SINCE}"));
    let mut file = File::create(&partial)?;
    writeln!(file, "{} {identity}", time.as_millis())?;
    file.sync_all()?;
    fs::rename(&partial, since)?;
    sync(Some(engine))?;
    sync(engine.parent())
}

/// What is in a folder is on the disk when this returns.
fn sync(folder: Option<&Path>) -> io::Result<()> {
    let folder = folder.filter(|it| !it.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_millis(77_000);

    struct Place {
        folder: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Place {
            let folder = tempfile::tempdir().unwrap();
            let place = Place { folder };
            fs::write(unused(&place.keys()), UNUSED).unwrap();
            place
        }

        fn keys(&self) -> PathBuf {
            self.folder.path().join("keys.sealed")
        }

        fn engine(&self) -> PathBuf {
            self.folder.path().join("data/engine")
        }

        fn open(&self, accept_lost: bool) -> (Time, bool) {
            let opened = self.at(NOW, "aa", accept_lost).unwrap();
            (opened.votes_after, opened.lost)
        }

        fn at(&self, now: Time, identity: &str, accept_lost: bool) -> io::Result<Journal> {
            let keys = &self.keys();
            open(&self.engine(), Voter { keys, identity }, now, accept_lost)
        }
    }

    #[test]
    fn keys_that_never_voted_vote_at_once_and_after_every_restart() {
        let place = Place::new();
        assert_eq!(place.open(false), (Time::default(), false));
        assert!(!unused(&place.keys()).exists());
        assert_eq!(place.open(false), (Time::default(), false));
    }

    #[test]
    fn keys_without_their_journal_vote_in_later_epochs_alone() {
        let place = Place::new();
        place.open(false);
        fs::remove_dir_all(place.engine()).unwrap();
        assert_eq!(place.open(false), (NOW, true));
        // Also after a restart, at the time of the first one.
        let again = place.at(NOW.plus_millis(5), "aa", false).unwrap();
        assert_eq!((again.votes_after, again.lost), (NOW, false));
        assert_eq!(place.open(true), (Time::default(), false));
        assert_eq!(place.open(false), (Time::default(), false));
    }

    #[test]
    fn a_node_that_died_while_it_began_has_a_journal() {
        let place = Place::new();
        place.open(false);
        fs::write(unused(&place.keys()), UNUSED).unwrap();
        assert_eq!(place.open(false), (Time::default(), false));
        assert!(!unused(&place.keys()).exists());
    }

    #[test]
    fn what_is_no_time_or_of_another_node_stops_the_node() {
        let place = Place::new();
        place.open(false);
        let other = place.at(NOW, "bb", true).unwrap_err().to_string();
        assert_eq!(other, "it has the votes of another node, aa");
        fs::write(place.engine().join(SINCE), "soon aa").unwrap();
        let error = place.at(NOW, "aa", false).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
