//! Validators of one process under load: how long blocks and transactions take.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use tieline_chain::block::transaction_hash;
use tieline_chain::mempool::AddError;
use tieline_contract::transaction::Transaction;
use tieline_engine::application::Pace;
use tieline_units::Digest;

use crate::ground::Ground;
use crate::votes::{Nodes, Running as _, Seen, Votes, cpu};

/// What is done to a chain.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub validators: usize,
    /// Transactions of a block.
    pub transactions: usize,
    /// Blocks, after as many as a tenth of them to warm up.
    pub blocks: usize,
    /// Lets a proposer wait until a block can be full. Without it, a block has what came meanwhile.
    pub fill: bool,
}

impl Load {
    /// Transactions that are waiting or in blocks that are not final: one, or four blocks' worth, because a block is proposed
    /// before those before it are final; a pool takes 4096.
    pub fn window(&self) -> usize {
        match self.transactions {
            1 => 1,
            more => (4 * more).min(3_500),
        }
    }

    /// As nodes have it; a block that shall be full has room for no more.
    fn pace(&self, bytes: usize) -> Pace {
        match self.fill {
            false => Pace::default(),
            true => Pace {
                block_bytes: bytes * self.transactions,
                // Every validator checks every signature, and one tells another at most 256 transactions a second. A
                // leader has a heartbeat and 1.5 s for its proposal.
                gather: Duration::from_millis(self.transactions as u64 * 2),
                heartbeat: Duration::from_secs(5),
            },
        }
    }
}

/// Figures by name; times in milliseconds.
pub type Figures = BTreeMap<&'static str, f64>;

/// Of sorted values.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted
        .get((last as f64 * share).round() as usize)
        .copied()
        .unwrap_or(f64::NAN)
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}

/// Measures a chain under load, in this process and in this folder.
pub fn measure<V: Votes>(load: Load, folder: &Path) -> Figures {
    let ground = Ground::new(load.validators, Vec::new());
    let bytes = tieline_units::canonical::Canonical::to_bytes(&ground.reading(0)).len();
    let all: Vec<usize> = (0..load.validators).collect();
    let nodes = Nodes::<V>::start(&ground, &all, folder, load.pace(bytes));
    nodes.reach(1, Duration::from_secs(120));
    let mut run = Run {
        nodes,
        seen: Vec::new(),
        submitted: BTreeMap::new(),
        next: 0,
    };
    let warm = (load.blocks / 10).max(2) * load.transactions;
    run.drive(&ground, warm, load.window());
    let from = run
        .nodes
        .machines
        .iter()
        .map(|it| it.height())
        .max()
        .unwrap_or(0);
    let (started, worked) = (Instant::now(), cpu());
    run.drive(&ground, load.blocks * load.transactions, load.window());
    let (took, worked) = (started.elapsed(), cpu() - worked);
    let mut figures = run.figures(from, load.transactions);
    let blocks = figures["blocks"];
    figures.insert("cpu", millis(worked) / blocks);
    figures.insert("cores", worked.as_secs_f64() / took.as_secs_f64());
    figures
}

struct Run<V: Votes> {
    nodes: Nodes<V>,
    seen: Vec<Seen>,
    /// Where and when.
    submitted: BTreeMap<Digest, (usize, Instant)>,
    next: u64,
}

impl<V: Votes> Run<V> {
    /// Submits so many transactions, each member's always to the same validator, and waits until all are final everywhere.
    fn drive(&mut self, ground: &Ground, count: usize, window: usize) {
        let from = self.next;
        self.next += count as u64;
        // Signed before, so that whoever signs does not take time from whoever is measured.
        let readings: Vec<Transaction> = (from..self.next).map(|it| ground.reading(it)).collect();
        let mut readings = readings.into_iter().zip(from..).peekable();
        let until = Instant::now() + Duration::from_secs(600);
        while readings.peek().is_some() || self.nodes.waiting() > 0 {
            assert!(Instant::now() < until, "{count} transactions take too long");
            while readings.peek().is_some() && self.nodes.waiting() < window {
                let batch = readings.by_ref().take((window / 8).max(1));
                for (reading, number) in batch.collect::<Vec<_>>() {
                    self.submit(reading, number, until);
                }
            }
            if let Ok(seen) = self.nodes.events.recv_timeout(Duration::from_millis(20)) {
                self.seen.push(seen);
            }
            self.seen.extend(self.nodes.events.try_iter());
        }
    }

    fn submit(&mut self, reading: Transaction, number: u64, until: Instant) {
        let members = crate::ground::MEMBERS;
        let node = usize::try_from(number % members).unwrap() % self.nodes.machines.len();
        let name = transaction_hash(&reading);
        let at = loop {
            let at = Instant::now();
            match self.nodes.machines[node].give(reading.clone()) {
                Ok(_) => break at,
                // The pool has as many of this member's as it takes.
                Err(AddError::Quota { .. }) if at < until => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(error) => panic!("{error}"),
            }
        };
        self.submitted.insert(name, (node, at));
    }

    /// Of what became final above a height; blocks that are less than half full are not timed.
    fn figures(&mut self, from: u64, full: usize) -> Figures {
        let nodes = self.nodes.machines.len();
        // Events of the last block may still be on their way.
        std::thread::sleep(Duration::from_millis(500));
        self.seen.extend(self.nodes.events.try_iter());
        let seen = |node: usize, height: u64| {
            let mut found = self.seen.iter();
            found.find(move |it| it.node == node && it.height == height)
        };
        let (mut finality, mut latency, mut gaps) = (Vec::new(), Vec::new(), Vec::new());
        let (mut blocks, mut carried) = (0_u64, 0_usize);
        let mut before: Option<Instant> = None;
        let top = self.nodes.machines[0].height();
        let mut ends: Option<(Instant, Instant)> = None;
        for height in from + 1..=top {
            let block = self.nodes.machines[0]
                .look(|replica| replica.store().block(height).unwrap().unwrap());
            let hashes = block.body.hashes();
            if hashes.is_empty() {
                before = None;
                continue;
            }
            let times = (0..nodes).filter_map(|node| seen(node, height));
            let proposed = block.header.time.as_millis() as f64;
            finality.extend(times.map(|it| it.wall_us as f64 / 1_000.0 - proposed));
            for hash in &hashes {
                let Some((node, at)) = self.submitted.get(hash) else {
                    continue;
                };
                latency.extend(seen(*node, height).map(|it| millis(it.at - *at)));
            }
            let Some(now) = seen(0, height).map(|it| it.at) else {
                continue;
            };
            let counts = hashes.len() * 2 >= full;
            if let Some(then) = before.filter(|_| counts) {
                gaps.push(millis(now - then));
            }
            before = Some(now);
            ends = Some((ends.map_or(now, |(first, _)| first), now));
            blocks += 1;
            carried += if blocks > 1 { hashes.len() } else { 0 };
        }
        let span = ends.map_or(f64::NAN, |(first, last)| (last - first).as_secs_f64());
        let (finality, latency, gaps) = (sorted(finality), sorted(latency), sorted(gaps));
        let certificate = self.nodes.machines[0].look(|replica| {
            (0..=top)
                .rev()
                .find_map(|it| replica.store().certificate(it).unwrap())
        });
        Figures::from([
            ("blocks", blocks as f64),
            ("timed blocks", gaps.len() as f64),
            (
                "transactions a block",
                carried as f64 / (blocks as f64 - 1.0),
            ),
            ("final p50", quantile(&finality, 0.5)),
            ("final p99", quantile(&finality, 0.99)),
            ("submit p50", quantile(&latency, 0.5)),
            ("submit p99", quantile(&latency, 0.99)),
            ("block p50", quantile(&gaps, 0.5)),
            ("block p99", quantile(&gaps, 0.99)),
            ("blocks a second", (blocks as f64 - 1.0) / span),
            ("transactions a second", carried as f64 / span),
            (
                "certificate",
                certificate.map_or(f64::NAN, |it| it.len() as f64),
            ),
        ])
    }
}
