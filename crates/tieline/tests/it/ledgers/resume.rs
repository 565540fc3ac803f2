//! A run that is killed goes on, and ends as if it had not been.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{assert_same, bytes, short};
use crate::folder::Folder;
use crate::support::{root, tieline};

struct Runs {
    folder: Folder,
    /// How long one takes without an interruption.
    took: Duration,
}

impl Runs {
    /// With one that was not interrupted, in `whole`.
    fn new() -> Runs {
        let runs = Runs {
            folder: short(),
            took: Duration::ZERO,
        };
        let began = Instant::now();
        runs.run("whole", &[]).expect(0);
        Runs {
            took: began.elapsed(),
            ..runs
        }
    }

    fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn journal(&self, name: &str) -> PathBuf {
        self.folder
            .path()
            .join(format!(".{name}.partial/run.journal"))
    }

    fn arguments(&self, name: &str, more: &[&str]) -> Vec<String> {
        let scenario = self.folder.path().display().to_string();
        let out = self.out(name).display().to_string();
        let mut all: Vec<String> = ["run", &scenario, "--out", &out].map(str::to_owned).into();
        all.extend(more.iter().map(|it| (*it).to_owned()));
        all
    }

    fn run(&self, name: &str, more: &[&str]) -> crate::support::Ran {
        let arguments = self.arguments(name, more);
        tieline(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn start(&self, name: &str, more: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_tieline"))
            .args(self.arguments(name, more))
            .current_dir(root())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Starts a run and kills it when `share` thousandths of its time have passed.
    fn kill_at(&self, name: &str, share: u32) {
        let resume: &[&str] = if self.journal(name).is_file() {
            &["--resume"]
        } else {
            &[]
        };
        let mut child = self.start(name, resume);
        std::thread::sleep(self.took * share / 1_000);
        // It may be done already.
        let _ = child.kill();
        child.wait().unwrap();
    }

    fn assert_whole(&self, name: &str) {
        assert_same(&bytes(&self.out(name)), &bytes(&self.out("whole")));
        assert!(!self.journal(name).exists());
    }
}

/// Waits until a run has gone so far that it can be resumed: its journal has more than its first steps.
fn wait_for(journal: &Path, bytes: u64) {
    let limit = Instant::now() + Duration::from_secs(120);
    while fs::metadata(journal).map_or(0, |it| it.len()) < bytes {
        assert!(Instant::now() < limit, "{} grows", journal.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_run_that_is_killed_three_times_goes_on_to_the_same_bytes() {
    let runs = Runs::new();
    for share in [300, 500, 200] {
        runs.kill_at("killed", share);
    }
    runs.run("killed", &["--resume"]).expect(0);
    runs.assert_whole("killed");
}

#[test]
fn slow_thirty_kills_at_random_points_each_go_on_to_the_same_bytes() {
    if std::env::var_os("TIELINE_SLOW").is_none_or(|it| it != "1") {
        eprintln!("skipped: thirty runs take minutes; set TIELINE_SLOW=1");
        return;
    }
    let runs = Runs::new();
    let mut random: u32 = 7;
    for round in 0..30 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let name = format!("killed-{round}");
        runs.kill_at(&name, 50 + (random >> 8) % 900);
        runs.run(&name, &["--resume"]).expect(0);
        runs.assert_whole(&name);
        fs::remove_dir_all(runs.out(&name)).unwrap();
    }
}

#[test]
fn ctrl_c_ends_with_130_and_says_how_to_go_on() {
    let runs = Runs::new();
    let child = runs.start("stopped", &[]);
    wait_for(&runs.journal("stopped"), 200_000);
    let mut kill = Command::new("kill");
    kill.args(["-INT", &child.id().to_string()]);
    assert!(kill.status().unwrap().success());
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("--resume"), "{said}");
    runs.run("stopped", &["--resume"]).expect(0);
    runs.assert_whole("stopped");
}

#[test]
fn a_journal_that_was_cut_or_changed_loses_steps_and_nothing_else() {
    let runs = Runs::new();
    let journal = runs.journal("cut");
    let mut child = runs.start("cut", &[]);
    wait_for(&journal, 200_000);
    child.kill().unwrap();
    child.wait().unwrap();
    let mut content = fs::read(&journal).unwrap();
    content.truncate(content.len() * 9 / 10);
    let middle = content.len() * 8 / 10;
    content[middle] ^= 1;
    fs::write(&journal, content).unwrap();
    runs.run("cut", &["--resume"]).expect(0);
    runs.assert_whole("cut");
}

#[test]
fn another_scenario_or_another_process_is_refused_and_loses_nothing() {
    let runs = Runs::new();
    let mut child = runs.start("busy", &[]);
    wait_for(&runs.journal("busy"), 100_000);
    let ran = runs.run("busy", &["--resume"]).expect(2);
    assert!(ran.stderr.contains("another process"), "{}", ran.stderr);
    child.kill().unwrap();
    child.wait().unwrap();
    let ran = runs
        .run("busy", &["--resume", "--set", "gates.delta_t=31s"])
        .expect(2);
    assert!(ran.stderr.contains("other settings"), "{}", ran.stderr);
    runs.run("busy", &["--resume"]).expect(0);
    runs.assert_whole("busy");
}
