//! Random lives of a link: lost messages, kills, power cuts, failing disks, restored copies.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tieline_qkd::store::fault::{Fault, MemoryDisk, Torn};
use tieline_qkd::store::{Standing, StoreError};

use crate::store_pair::Pair;
use crate::support::{seed_or, slow};

/// What one life did.
#[derive(Default)]
struct Tally {
    words: usize,
    crashes: usize,
    restores: usize,
    failures: usize,
}

struct Life {
    pair: Pair,
    random: ChaCha8Rng,
    copies: [Vec<MemoryDisk>; 2],
    /// Restored, and not yet told by the other end how far it had got.
    blind: [bool; 2],
    tally: Tally,
    /// Whether copies are restored in this life.
    restores: bool,
}

impl Life {
    fn below(&mut self, bound: u64) -> u64 {
        self.random.next_u64() % bound
    }

    fn torn(&mut self) -> Torn {
        Torn::ALL[self.below(5) as usize]
    }

    /// Errors of the disk bring the machine down; others are refusals.
    fn outcome<T>(&mut self, end: usize, outcome: Result<T, StoreError>) {
        match outcome {
            Err(StoreError::Disk(_) | StoreError::Poisoned { .. }) => {
                self.tally.failures += 1;
                let torn = self.torn();
                self.pair.crash(end, torn);
            }
            Err(StoreError::Broken { what, .. }) => panic!("honest ends called broken: {what}"),
            Ok(_) | Err(_) => {}
        }
    }

    fn step(&mut self) {
        let end = self.below(2) as usize;
        match self.below(1_000) {
            0..60 => {
                let (keys, words) = (1 + self.below(3), 4 + self.below(12));
                let outcome = self.pair.supply(end, keys as usize, words as u32);
                self.outcome(end, outcome);
            }
            60..280 => {
                self.pair.now += self.random.next_u64() % 900;
                let outcome = self.pair.poll(end);
                self.outcome(end, outcome);
            }
            280..660 => {
                let outcome = self.pair.deliver(end);
                self.outcome(end, outcome);
            }
            660..668 => drop(self.pair.ends[end].inbound.pop_front()),
            668..960 => {
                let words = 1 + self.below(6);
                let outcome = self.pair.send(end, words as usize * 32);
                self.outcome(end, outcome);
            }
            960..972 => {
                let copy = self.pair.ends[end].disk.snapshot();
                self.copies[end].push(copy);
            }
            972..975 => {
                let torn = self.torn();
                self.tally.crashes += 1;
                self.pair.crash(end, torn);
            }
            975..978 => self.restore(end),
            978..981 => {
                let step = self.pair.ends[end].disk.steps() + self.below(12);
                let fault = [Fault::Crash, Fault::Full, Fault::SyncLost][self.below(3) as usize];
                self.pair.ends[end].disk.fail_at(step, fault);
            }
            _ => {
                // The operator looks at alarms.
                let peer = self.pair.ends[1 - end].name.clone();
                let standing = self.pair.ends[end].store().standing(&peer);
                if standing == Some(Standing::RolledBack) {
                    assert!(self.restores, "nothing was restored, and an end says so");
                    let outcome = self.pair.ends[end].store().recover(&peer);
                    self.outcome(end, outcome);
                }
            }
        }
        for end in 0..2 {
            self.blind[end] &= !self.pair.joined(end);
        }
    }

    /// An old copy of an end takes its place. One end at a time: two that forget together cannot help each other.
    fn restore(&mut self, end: usize) {
        if !self.restores {
            return;
        }
        let count = self.copies[end].len() as u64;
        if self.blind[1 - end] || count == 0 {
            return;
        }
        let chosen = self.below(count) as usize;
        self.pair.ends[end].disk = self.copies[end][chosen].snapshot();
        self.pair.ends[end].inbound.clear();
        self.pair.open(end).unwrap();
        self.blind[end] = true;
        self.tally.restores += 1;
    }

    /// Peace: no more faults, an operator at hand, and everything works.
    fn rest(&mut self) {
        for end in 0..2 {
            self.pair.crash(end, Torn::All);
        }
        for _ in 0..8 {
            self.pair.now += 1_000;
            self.pair.settle();
            for end in 0..2 {
                let peer = self.pair.ends[1 - end].name.clone();
                if self.restores && !self.pair.joined(end) {
                    self.pair.ends[end].store().recover(&peer).unwrap();
                }
            }
        }
        self.pair.check_at_rest();
    }
}

fn live(seed: u64, steps: usize, restores: bool) -> Tally {
    let mut life = Life {
        pair: Pair::new(seed),
        random: ChaCha8Rng::seed_from_u64(seed),
        copies: [Vec::new(), Vec::new()],
        blind: [false; 2],
        tally: Tally::default(),
        restores,
    };
    for _ in 0..steps {
        life.step();
    }
    life.rest();
    life.tally.words = life.pair.book.words;
    life.tally
}

#[test]
fn no_word_is_used_twice_in_random_lives() {
    let lives = if slow() { 5_000 } else { 150 };
    let first = seed_or(1);
    let mut sum = Tally::default();
    for seed in first..first + lives {
        eprintln!("TIELINE_SEED={seed}");
        // Every second life has no copies: then nobody is told of any.
        let tally = live(seed, 2_000, seed % 2 == 0);
        sum.words += tally.words;
        sum.crashes += tally.crashes;
        sum.restores += tally.restores;
        sum.failures += tally.failures;
    }
    eprintln!(
        "{lives} lives: {} words used, {} crashes, {} copies restored, {} disk failures",
        sum.words, sum.crashes, sum.restores, sum.failures
    );
    assert!(sum.words > 1_000 && sum.crashes > 100 && sum.restores > 50 && sum.failures > 50);
}
