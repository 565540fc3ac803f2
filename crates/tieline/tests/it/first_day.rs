//! `docs/first-day.md`: every command in it is run, and prints what the document says.
//!
//! `TIELINE_BLESS=1 cargo test -p tieline --test it -- first_day` writes what they print into the document.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::root;

/// What a command prints, as a terminal shows it; progress and wall-clock lines are left out by the commands themselves.
fn run(command: &str, folder: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_tieline")).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", program.display());
    let ran = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn every_command_of_the_first_day_prints_what_the_document_says() {
    let file = root().join("docs/first-day.md");
    let document = fs::read_to_string(&file).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut made = String::new();
    let mut in_block = false;
    let mut commands = 0;
    for line in document.lines() {
        if line.starts_with("```") {
            in_block = line == "```console";
            made.push_str(line);
            made.push('\n');
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| in_block) {
            commands += 1;
            made.push_str(&format!("{line}\n{}", run(command, folder.path())));
        } else if !in_block {
            made.push_str(line);
            made.push('\n');
        }
    }
    assert!(commands >= 6);
    if std::env::var_os("TIELINE_BLESS").is_some() {
        fs::write(&file, made).unwrap();
        return;
    }
    assert_eq!(made, document);
}
