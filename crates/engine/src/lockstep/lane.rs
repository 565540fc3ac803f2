//! One chain's thread.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Duration;

use commonware_runtime::{Supervisor as _, deterministic};
use thiserror::Error;
use tieline_chain::block::transaction_hash;
use tieline_chain::replica::Signed;
use tieline_chain::store::StoreError;
use tieline_contract::transaction::Transaction;
use tieline_units::{Digest, Time};

use super::{Answer, Final, Plan, Report, Step};
use crate::floor::FloorError;
use crate::simulated::{Chain, run_from};

/// How often a lane looks while something is under way.
const LOOK: Duration = Duration::from_millis(10);

/// The same while signatures alone are missing.
const LOOK_FOR_SIGNATURES: Duration = Duration::from_millis(100);

/// How long a final block is held back for its certificate, milliseconds.
const CERTIFICATE_MS: u64 = 300;

/// How long a verification node is asked for its signature on a block, milliseconds.
const ASK_MS: u64 = 20_000;

/// No run takes longer.
const LIMIT: Duration = Duration::from_secs(100 * 366 * 86_400);

/// Runs a chain until nobody leads it.
pub(super) fn run(plan: Plan, steps: Receiver<Step>, answers: SyncSender<Answer>) {
    let (start, seed) = (plan.start, plan.seed);
    run_from(start, seed, LIMIT, |context| async move {
        let mut lane = match Lane::begin(&context, plan).await {
            Ok(lane) => lane,
            Err(error) => {
                // Whoever leads hears of it with the first step.
                let _ = answers.send(Err(error.to_string()));
                return;
            }
        };
        while let Ok(step) = steps.recv() {
            let answer = lane.step(step).await;
            let failed = answer.is_err();
            let told = answers.send(answer.map_err(|error| error.to_string()));
            if failed || told.is_err() {
                return;
            }
        }
    });
}

/// Why a lane does not begin.
#[derive(Debug, Error)]
enum BeginError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Floor(#[from] FloorError),
}

struct Lane {
    chain: Chain,
    /// Which validator gets the next transaction.
    turn: usize,
    /// The last block that was reported.
    height: u64,
    /// It was reported with its certificate, or is the one that the lane began with.
    certified: bool,
    /// When blocks were seen to be final that are not reported yet.
    seen: BTreeMap<u64, Time>,
    /// Blocks with entries that somebody has not signed yet: who, and until when they are asked.
    unsigned: BTreeMap<u64, (BTreeSet<usize>, Time)>,
    report: Parts,
}

/// What the next report says.
#[derive(Default)]
struct Parts {
    blocks: Vec<Final>,
    signed: Vec<Signed>,
    refused: Vec<(Digest, String)>,
}

impl Lane {
    async fn begin(context: &deterministic::Context, plan: Plan) -> Result<Lane, BeginError> {
        let height = plan.founding.tip().height;
        let context = context.child("chain");
        let pace = (plan.pace, plan.line);
        let chain = Chain::new(context, plan.founding, plan.validators, pace).await;
        let mut chain = chain.verified_by(plan.verify);
        if let Some(entry) = &plan.floor {
            chain = chain.on_floor(entry)?;
        }
        chain.boot_all().await?;
        Ok(Lane {
            chain,
            turn: 0,
            height,
            certified: true,
            seen: BTreeMap::new(),
            unsigned: BTreeMap::new(),
            report: Parts::default(),
        })
    }

    async fn step(&mut self, step: Step) -> Result<Report, StoreError> {
        for transaction in step.transactions {
            self.submit(transaction);
        }
        while self.chain.now() < step.until {
            let left = step.until.as_millis() - self.chain.now().as_millis();
            let left = Duration::from_millis(left);
            self.chain
                .sleep(self.pause().map_or(left, |pause| pause.min(left)))
                .await;
            self.look()?;
        }
        let Parts {
            blocks,
            signed,
            refused,
        } = std::mem::take(&mut self.report);
        Ok(Report {
            now: self.chain.now(),
            blocks,
            signed,
            refused,
            waiting: self.waiting(),
            rests: self.rests(),
        })
    }

    fn submit(&mut self, transaction: Transaction) {
        let index = self.turn % self.chain.size();
        self.turn += 1;
        let name = transaction_hash(&transaction);
        if let Err(why) = self.chain.submit(index, transaction) {
            self.report.refused.push((name, why.to_string()));
        }
    }

    fn waiting(&self) -> usize {
        let all = (0..self.chain.size()).filter_map(|index| self.chain.machine(index));
        let waiting = all.map(|machine| machine.with(|replica| replica.figures().waiting));
        waiting.max().unwrap_or(0)
    }

    /// Nobody has voted beyond the last block that was reported, and its certificate was reported too.
    fn rests(&self) -> bool {
        let heights = self.chain.heights();
        let level =
            heights.len() == self.chain.size() && heights.values().all(|it| *it == self.height);
        let all = (0..self.chain.size()).filter_map(|index| self.chain.machine(index));
        let done = self.seen.is_empty() && self.unsigned.is_empty() && self.waiting() == 0;
        let mut waiting = all.filter(|machine| machine.rests());
        level && done && self.certified && waiting.next().is_some()
    }

    /// How long nothing can be missed; `None` while nothing is under way.
    fn pause(&self) -> Option<Duration> {
        if !self.seen.is_empty() || self.waiting() > 0 {
            Some(LOOK)
        } else {
            (!self.unsigned.is_empty()).then_some(LOOK_FOR_SIGNATURES)
        }
    }

    /// Takes what is new.
    fn look(&mut self) -> Result<(), StoreError> {
        let now = self.chain.now();
        let heights = self.chain.heights();
        let Some((&ahead, &top)) = heights
            .iter()
            .max_by_key(|(index, height)| (**height, usize::MAX - **index))
        else {
            return Ok(());
        };
        for height in self.height + 1..=top {
            self.seen.entry(height).or_insert(now);
        }
        while let Some((&height, &at)) = self.seen.first_key_value() {
            let Some(found) = self.final_block(ahead, (height, top), at)? else {
                break;
            };
            let says = found.block.header.transactions > 0;
            self.certified = found.certificate.is_some();
            self.report.blocks.push(found);
            self.seen.remove(&height);
            self.height = height;
            if says {
                let everybody = (0..self.chain.size()).collect();
                self.unsigned
                    .insert(height, (everybody, now.plus_millis(ASK_MS)));
            }
        }
        self.gather(now)
    }

    /// A final block, once its certificate is there or will not come.
    fn final_block(
        &self,
        ahead: usize,
        (height, top): (u64, u64),
        at: Time,
    ) -> Result<Option<Final>, StoreError> {
        let mut certificate = None;
        for index in 0..self.chain.size() {
            let Some(machine) = self.chain.machine(index) else {
                continue;
            };
            certificate = machine.with(|replica| replica.store().certificate(height))?;
            if certificate.is_some() {
                break;
            }
        }
        let late = self.chain.now() >= at.plus_millis(CERTIFICATE_MS);
        if certificate.is_none() && top == height && !late {
            return Ok(None);
        }
        let Some(machine) = self.chain.machine(ahead) else {
            return Ok(None);
        };
        let block = machine.with(|replica| replica.store().block(height))?;
        Ok(block.map(|block| Final {
            block,
            certificate,
            at,
        }))
    }

    /// Asks verification nodes for their signatures.
    fn gather(&mut self, now: Time) -> Result<(), StoreError> {
        let mut signed = Vec::new();
        for (height, (missing, _)) in &mut self.unsigned {
            let mut done = Vec::new();
            for index in missing.iter() {
                let Some(machine) = self.chain.machine(*index) else {
                    continue;
                };
                let (found, entries, tip) = machine.with(|replica| {
                    let ledger = replica.ledger();
                    let entries = ledger.state().outbox(*height).next().is_some();
                    let tip = ledger.tip().height;
                    replica.attestations(*height).map(|it| (it, entries, tip))
                })?;
                // A node that has the block and finds nothing in it has nothing to sign.
                if !found.is_empty() || tip >= *height && !entries {
                    done.push(*index);
                }
                signed.extend(found);
            }
            missing.retain(|index| !done.contains(index));
        }
        self.unsigned
            .retain(|_, (missing, until)| !missing.is_empty() && now < *until);
        self.report.signed.extend(signed);
        Ok(())
    }
}
