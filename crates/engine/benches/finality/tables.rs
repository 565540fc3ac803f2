//! Runs the measurements and prints them as they stand in `docs/benchmarks.md`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use crate::catch::{Ended, role};
use crate::ground::Ground;
use crate::load::Load;

/// Figures of a role.
struct Found(Vec<(String, f64)>);

impl Found {
    fn get(&self, name: &str) -> f64 {
        let found = self.0.iter().find(|(it, _)| it == name);
        found.map_or(f64::NAN, |(_, value)| *value)
    }
}

/// A folder that is gone with this.
struct Folder(PathBuf);

impl Folder {
    fn new(on: &Path) -> Folder {
        let path = on.join(format!("tieline-finality-{}", std::process::id()));
        // Of a run that was cut.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn name(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run(words: &[&str]) -> Found {
    let ran = role(words).stderr(Stdio::inherit()).output().unwrap();
    assert!(ran.status.success(), "{words:?}: {}", ran.status);
    let text = String::from_utf8(ran.stdout).unwrap();
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.parse().unwrap()));
    let found = Found(pairs.collect());
    eprintln!("{words:?} {:?}", found.0);
    found
}

fn under(votes: &str, load: Load, on: &Path) -> Found {
    let folder = Folder::new(on);
    let counts = [load.validators, load.transactions, load.blocks].map(|it| it.to_string());
    let fill = if load.fill { "fill" } else { "flow" };
    let [validators, transactions, blocks] = &counts;
    run(&[votes, folder.name(), validators, transactions, blocks, fill])
}

/// Prints these sections, all where none is named.
pub fn print(named: &[&str]) {
    let sections: [(&str, fn()); 4] = [
        ("finality", finality),
        ("blocks", blocks),
        ("following", following),
        ("shares", shares),
    ];
    for (name, section) in sections {
        if named.is_empty() || named.contains(&name) {
            section();
            println!();
        }
    }
}

fn disk() -> PathBuf {
    std::env::temp_dir()
}

const VOTES: [(&str, &str); 2] = [("hybrid", "Ed25519 and ML-DSA-65"), ("ed25519", "Ed25519")];

fn finality() {
    println!(
        "| validators | votes | proposed to final, ms p50 / p99 | submitted to final, ms p50 / p99 | blocks/s | CPU per block, all validators, ms | certificate, bytes |"
    );
    println!("|---|---|---|---|---|---|---|");
    for validators in [4, 7, 10] {
        let load = Load {
            validators,
            transactions: 1,
            blocks: 300,
            fill: false,
        };
        let mut p50 = Vec::new();
        for (votes, name) in VOTES {
            let it = under(votes, load, &disk());
            let [f50, f99, s50, s99, rate, cpu, certificate] = [
                "final p50",
                "final p99",
                "submit p50",
                "submit p99",
                "blocks a second",
                "cpu",
                "certificate",
            ]
            .map(|name| it.get(name));
            println!(
                "| {validators} | {name} | {f50:.1} / {f99:.1} | {s50:.1} / {s99:.1} | {rate:.1} | {cpu:.1} | {certificate:.0} |"
            );
            p50.push((f50, s50));
        }
        let ratio = |of: fn(&(f64, f64)) -> f64| of(&p50[0]) / of(&p50[1]);
        let (finality, submit) = (ratio(|it| it.0), ratio(|it| it.1));
        println!("| {validators} | times as long | {finality:.2} | {submit:.2} | | | |");
    }
}

/// Blocks of one size: how long each takes once it is proposed.
const SIZES: [(usize, usize); 3] = [(1, 300), (100, 40), (1_000, 8)];

fn sized((transactions, blocks): (usize, usize)) -> Load {
    Load {
        validators: 4,
        transactions,
        blocks,
        fill: transactions > 1,
    }
}

fn blocks() {
    println!(
        "| transactions a block | votes | in fact | proposed to final, ms p50 / p99 | CPU per block, all validators, ms |"
    );
    println!("|---|---|---|---|---|");
    for size in SIZES {
        for (votes, name) in VOTES {
            let it = under(votes, sized(size), &disk());
            let names = ["transactions a block", "final p50", "final p99", "cpu"];
            let [mean, p50, p99, cpu] = names.map(|name| it.get(name));
            println!(
                "| {} | {name} | {mean:.0} | {p50:.1} / {p99:.1} | {cpu:.1} |",
                size.0
            );
        }
    }
    println!();
    println!(
        "| most waiting | votes | transactions/s | blocks/s | transactions a block | submitted to final, ms p50 / p99 | cores |"
    );
    println!("|---|---|---|---|---|---|---|");
    for transactions in [1, 25, 250] {
        let load = Load {
            validators: 4,
            transactions,
            blocks: 300_usize.min(6_000 / transactions),
            fill: false,
        };
        for (votes, name) in VOTES {
            let it = under(votes, load, &disk());
            let names = [
                "transactions a second",
                "blocks a second",
                "transactions a block",
                "submit p50",
                "submit p99",
                "cores",
            ];
            let [rate, blocks, mean, p50, p99, cores] = names.map(|name| it.get(name));
            println!(
                "| {} | {name} | {rate:.0} | {blocks:.1} | {mean:.1} | {p50:.1} / {p99:.1} | {cores:.1} |",
                load.window()
            );
        }
    }
}

fn following() {
    println!(
        "| blocks | transactions in them | made at, blocks/s | first block after, s | followed at, blocks/s |"
    );
    println!("|---|---|---|---|---|");
    for (blocks, kind) in [(2_000_u64, "empty"), (200, "full")] {
        let folder = Folder::new(&disk());
        let ports = Ground::new(5, Vec::new()).ports;
        let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
        let (ports, count) = (ports.join(","), blocks.to_string());
        let made = run(&["build", folder.name(), &count, kind, &ports]);
        let others = role(&["serve", folder.name(), &ports]).spawn().unwrap();
        let _others = Ended(others);
        std::thread::sleep(Duration::from_secs(10));
        let it = run(&["follow", folder.name(), &count, &ports]);
        let rate = made.get("blocks") / made.get("seconds");
        println!(
            "| {blocks} | {} | {rate:.1} | {:.1} | {:.1} |",
            made.get("transactions"),
            it.get("first"),
            it.get("blocks a second")
        );
    }
}

/// A block's time on the disk and in memory, with votes of either kind, beside its parts by themselves.
fn shares() {
    let memory = Path::new("/dev/shm");
    if !memory.is_dir() {
        println!("skipped: shares need /dev/shm, a file system in memory");
        return;
    }
    println!(
        "| transactions a block | proposed to final, ms | files in memory | and Ed25519 votes | share of the disk | of hybrid votes | signatures of its transactions, once, ms | executing, once, ms |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for size in SIZES {
        let (load, transactions) = (sized(size), size.0);
        let time = "final p50";
        let whole = under("hybrid", load, &disk()).get(time);
        let without_disk = under("hybrid", load, memory).get(time);
        let classical = under("ed25519", load, memory).get(time);
        let parts = run(&["parts", &transactions.to_string()]);
        let share = |part: f64| format!("{:.0} %", 100.0 * part / whole);
        println!(
            "| {transactions} | {whole:.1} | {without_disk:.1} | {classical:.1} | {} | {} | {:.2} | {:.2} |",
            share(whole - without_disk),
            share(without_disk - classical),
            parts.get("signatures"),
            parts.get("execute"),
        );
    }
    let parts = run(&["parts", "1"]);
    println!();
    println!(
        "A vote is signed in {:.3} ms and verified in {:.3} ms.",
        parts.get("vote signed"),
        parts.get("vote verified")
    );
}
