//! A real process on a real disk, killed at random points.
//!
//! The test program starts itself: the copy delivers blocks to a store and prints each height once it is acknowledged. The
//! test kills it again and again, and opens the store in between.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tieline_chain::store::Store;
use tieline_sim::symbol::Symbolic;

use crate::store::{founding, next};
use crate::world::slow;

/// What a child runs; does nothing in the test proper.
#[test]
fn child() {
    let Ok(path) = env::var("TIELINE_CHAIN_CHILD") else {
        return;
    };
    let mut store = Store::open(Path::new(&path), founding(), &Symbolic).unwrap();
    loop {
        let block = next(store.ledger().unwrap());
        let certificate = vec![7; 10_000];
        store
            .deliver(&block, Some(&certificate), &Symbolic)
            .unwrap();
        // Straight to the pipe: the harness keeps what is printed.
        use std::io::Write as _;
        let line = format!("acknowledged {}\n", block.header.height);
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
}

/// Runs a child until so many heights are acknowledged and a little longer; the last height that it acknowledged.
fn run(path: &Path, heights: usize, pause: Duration) -> Option<u64> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "kill::child",
            "--nocapture",
            "--test-threads",
            "1",
        ])
        .env("TIELINE_CHAIN_CHILD", path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut text = String::new();
    for _ in 0..heights {
        assert!(
            lines.read_line(&mut text).unwrap() > 0,
            "the child ended: {text}"
        );
    }
    std::thread::sleep(pause);
    child.kill().unwrap();
    child.wait().unwrap();
    let mut rest = Vec::new();
    lines.read_to_end(&mut rest).unwrap();
    text.push_str(&String::from_utf8_lossy(&rest));
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let heights = whole
        .lines()
        .filter_map(|line| line.strip_prefix("acknowledged "));
    heights.filter_map(|height| height.parse().ok()).next_back()
}

#[test]
fn a_killed_store_holds_the_last_acknowledged_height_or_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.redb");
    let rounds = if slow() { 1_000 } else { 100 };
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut reference = founding();
    let (mut acknowledged, mut beyond) = (0, 0);
    for round in 0..rounds {
        let heights = rng.next_u32() as usize % 4;
        let pause = Duration::from_micros(u64::from(rng.next_u32() % 30_000));
        let seen = run(&path, heights, pause);
        acknowledged = seen.unwrap_or(acknowledged).max(acknowledged);
        let store = Store::open(&path, founding(), &Symbolic).unwrap();
        let height = store.ledger().unwrap().tip().height;
        let possible = acknowledged..=acknowledged + 1;
        assert!(
            possible.contains(&height),
            "round {round}: height {height}, acknowledged {acknowledged}"
        );
        beyond += u64::from(height > acknowledged);
        acknowledged = height;
        while reference.tip().height < height {
            let block = next(&reference);
            reference.execute(&block, &Symbolic).unwrap();
        }
        assert_eq!(
            store.ledger().unwrap().roots(),
            reference.roots(),
            "round {round}"
        );
        assert_eq!(
            store.ledger().unwrap().tip(),
            reference.tip(),
            "round {round}"
        );
    }
    println!(
        "{rounds} kills, height {acknowledged}, {beyond} times one beyond the last acknowledged"
    );
}
