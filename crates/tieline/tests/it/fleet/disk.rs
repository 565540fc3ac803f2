//! A node's disk that is full.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::life::{ALL, carry, founded, level};

/// A small disk in memory; it is gone when this is dropped.
struct Disk {
    place: PathBuf,
}

fn run(program: &str, words: &[&str], place: &Path) -> Result<(), String> {
    let output = Command::new(program).args(words).arg(place).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let done = output.status.success();
    done.then_some(()).ok_or(said)
}

impl Disk {
    /// `None`, with the reason printed, where this machine mounts none.
    fn new(place: &Path, size: &str) -> Option<Disk> {
        std::fs::create_dir_all(place).unwrap();
        let words = ["-t", "tmpfs", "-o", &format!("size={size}"), "none"];
        if let Err(error) = run("mount", &words, place) {
            eprintln!("skipped: no small disk can be mounted here: {error}");
            return None;
        }
        let place = place.to_owned();
        Some(Disk { place })
    }

    fn grow(&self, size: &str) {
        let words = ["-o", &format!("remount,size={size}")];
        run("mount", &words, &self.place).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Also while a process has files on it.
        let _ = run("umount", &["-l"], &self.place);
    }
}

#[test]
fn a_node_whose_disk_is_full_ends_and_says_so_and_goes_on_when_there_is_room() {
    let (mut fleet, mut hands) = founded();
    let Some(disk) = Disk::new(&fleet.data(4), "3m") else {
        return;
    };
    fleet.start_all();
    let data = fleet.data(4).display().to_string();
    // Blocks come by themselves until it is full.
    let ended = fleet.ended(4);
    let text = fleet.said(4);
    assert_eq!(ended.code(), Some(2), "{text}");
    for word in ["No space left on device", &data, "hint: "] {
        assert!(text.contains(word), "{word}: {text}");
    }
    // A chain of four goes on without it; it does not while there is no room.
    carry(&mut fleet, (1, &[1, 2, 3]), &hands.deposit(1));
    fleet.start(4);
    let again = fleet.ended(4);
    assert_eq!(again.code(), Some(2), "{}", fleet.said(4));
    disk.grow("64m");
    fleet.start(4);
    let goal = fleet.height(1);
    fleet.wait_height(&[4], goal);
    carry(&mut fleet, (4, &ALL), &hands.deposit(2));
    level(&mut fleet);
}
