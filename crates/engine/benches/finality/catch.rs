//! An empty node that follows four others.
//!
//! Three processes one after the other: four of five validators make the blocks and end; they start again and rest; the
//! fifth starts without anything, and is timed from its first block to the height that the others had before it came.

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use tieline_contract::transaction::Transaction;
use tieline_engine::application::Pace;

use crate::ground::Ground;
use crate::load::Figures;
use crate::votes::{Hybrid, Nodes, Running as _};

const OTHERS: [usize; 4] = [0, 1, 2, 3];
const LATE: usize = 4;

/// So many blocks, empty or as full as a default node makes them.
#[derive(Clone, Copy, Debug)]
pub struct Past {
    pub blocks: u64,
    pub full: bool,
}

/// Makes the past.
pub fn build(past: Past, folder: &Path, ports: Vec<u16>) -> Figures {
    let ground = Ground::new(5, ports);
    let pace = match past.full {
        true => Pace::default(),
        false => Pace {
            heartbeat: Duration::from_millis(1),
            ..Pace::default()
        },
    };
    let nodes = Nodes::<Hybrid>::start(&ground, &OTHERS, folder, pace);
    nodes.reach(1, Duration::from_secs(120));
    let (started, mut next) = (Instant::now(), 0);
    while nodes.machines[0].height() < past.blocks {
        if past.full && nodes.waiting() < 700 {
            let readings: Vec<Transaction> =
                (next..next + 100).map(|it| ground.reading(it)).collect();
            for (reading, number) in readings.into_iter().zip(next..) {
                let node = usize::try_from(number % crate::ground::MEMBERS).unwrap() % 4;
                nodes.machines[node].give(reading).unwrap();
            }
            next += 100;
        } else {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(started.elapsed() < Duration::from_secs(1_800), "too slow");
    }
    Figures::from([
        ("blocks", past.blocks as f64),
        ("seconds", started.elapsed().as_secs_f64()),
        ("transactions", next as f64),
    ])
}

/// Rests with the past until the process is ended.
pub fn serve(folder: &Path, ports: Vec<u16>) -> Figures {
    let ground = Ground::new(5, ports);
    let _nodes = Nodes::<Hybrid>::start(&ground, &OTHERS, folder, Pace::default());
    loop {
        std::thread::park();
    }
}

/// Follows from nothing to a height.
pub fn follow(height: u64, folder: &Path, ports: Vec<u16>) -> Figures {
    let ground = Ground::new(5, ports);
    let started = Instant::now();
    let nodes = Nodes::<Hybrid>::start(&ground, &[LATE], folder, Pace::default());
    let machine = &nodes.machines[0];
    let wait = |height: u64| {
        while machine.height() < height {
            assert!(
                started.elapsed() < Duration::from_secs(1_200),
                "at {}",
                machine.height()
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        Instant::now()
    };
    let first = wait(1);
    let last = wait(height);
    Figures::from([
        ("first", (first - started).as_secs_f64()),
        ("seconds", (last - first).as_secs_f64()),
        (
            "blocks a second",
            (height - 1) as f64 / (last - first).as_secs_f64(),
        ),
    ])
}

/// Ends with the process that started it.
pub struct Ended(pub Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// This program in another role.
pub fn role(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("role").args(words);
    command
}
