//! Several chains in one process, each in a thread and a virtual time of its own, led in step.
//!
//! **Parties.** A caller that leads; one *lane* per chain, a thread with a deterministic runtime in which the chain's
//! validators run ([`crate::simulated`]). **Rules.** The caller gives every lane transactions and a time; each goes on to that
//! time and says what became final and what verification nodes signed; then all stand still until the next step. Lanes know
//! nothing of each other. **Guarantee.** What a lane says is a function of its plan and of what it was given, on any number
//! of cores.

mod lane;

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use thiserror::Error;
use tieline_chain::block::Block;
use tieline_chain::files::Entry;
use tieline_chain::ledger::Ledger;
use tieline_chain::replica::{Signed, Verifier};
use tieline_contract::transaction::Transaction;
use tieline_units::{ChainId, Digest, Time};

use crate::application::Pace;
use crate::simulated::{Line, Validator};

/// One chain that is to run.
pub struct Plan {
    /// Of everything random.
    pub seed: u64,
    /// The ledger before the first block; with a floor, the ledger after it.
    pub founding: Ledger,
    /// Its validators, in the order of the genesis.
    pub validators: Vec<Validator>,
    /// What proposers do.
    pub pace: Pace,
    /// How messages travel between validators.
    pub line: Line,
    /// Where the clock begins.
    pub start: Time,
    /// The final block that the chain goes on from, with its certificate.
    pub floor: Option<Entry>,
    /// Checks signatures of transactions.
    pub verify: fn() -> Verifier,
}

/// What a lane is to do next.
#[derive(Clone, Debug)]
pub struct Step {
    /// How far to go.
    pub until: Time,
    /// For the validators, in turn.
    pub transactions: Vec<Transaction>,
}

/// A final block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Final {
    /// It.
    pub block: Block,
    /// What shows it to be final, where that is known of this height.
    pub certificate: Option<Vec<u8>>,
    /// When it was seen to be final, to ten milliseconds while transactions wait.
    pub at: Time,
}

/// What happened in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How far the lane is.
    pub now: Time,
    /// Blocks that became final, in order.
    pub blocks: Vec<Final>,
    /// What verification nodes signed since the last report, by height and seat, each once.
    pub signed: Vec<Signed>,
    /// Transactions that no mempool took, by name, and why.
    pub refused: Vec<(Digest, String)>,
    /// Transactions that wait, at the validator where most do.
    pub waiting: usize,
    /// Nobody has voted beyond the last final block: a stop here makes nobody vote twice.
    pub rests: bool,
}

/// Why lanes do not go on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("chain {chain}: {why}")]
pub struct LaneError {
    /// Which.
    pub chain: ChainId,
    /// Why.
    pub why: String,
}

/// What a lane answers.
type Answer = Result<Report, String>;

struct Lane {
    chain: ChainId,
    steps: Option<SyncSender<Step>>,
    answers: Receiver<Answer>,
    thread: Option<JoinHandle<()>>,
}

/// Chains that run.
pub struct Lanes {
    lanes: Vec<Lane>,
}

impl Lanes {
    /// Starts all chains. Each is at its plan's start.
    ///
    /// # Errors
    /// [`LaneError`] where no thread can be had.
    pub fn start(plans: Vec<Plan>) -> Result<Lanes, LaneError> {
        let mut lanes = Vec::new();
        for plan in plans {
            let chain = plan.founding.home().chain.clone();
            let (steps, given) = sync_channel(1);
            let (answer, answers) = sync_channel(1);
            let thread = std::thread::Builder::new()
                .name(chain.to_string())
                .spawn(move || lane::run(plan, given, answer));
            let thread = thread.map_err(|error| LaneError {
                chain: chain.clone(),
                why: error.to_string(),
            })?;
            lanes.push(Lane {
                chain,
                steps: Some(steps),
                answers,
                thread: Some(thread),
            });
        }
        Ok(Lanes { lanes })
    }

    /// All lanes go on, beside each other.
    ///
    /// # Errors
    /// [`LaneError`] of the first that cannot.
    ///
    /// # Panics
    /// Where there is not one step for each lane.
    pub fn step(&mut self, steps: Vec<Step>) -> Result<Vec<Report>, LaneError> {
        assert_eq!(steps.len(), self.lanes.len(), "one step for each lane");
        for (lane, step) in self.lanes.iter().zip(steps) {
            if let Some(channel) = &lane.steps {
                // A lane that is gone says why below.
                let _ = channel.send(step);
            }
        }
        self.lanes.iter_mut().map(Lane::answer).collect()
    }

    /// Ends all chains.
    pub fn stop(self) {}
}

impl Lane {
    fn answer(&mut self) -> Result<Report, LaneError> {
        let why = match self.answers.recv() {
            Ok(Ok(report)) => return Ok(report),
            Ok(Err(why)) => why,
            Err(_) => self.death(),
        };
        Err(LaneError {
            chain: self.chain.clone(),
            why,
        })
    }

    /// What the thread died of.
    fn death(&mut self) -> String {
        let Some(thread) = self.thread.take() else {
            return "the lane has ended".to_owned();
        };
        let Err(panic) = thread.join() else {
            return "the lane has ended".to_owned();
        };
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|it| (*it).to_owned()));
        text.unwrap_or_else(|| "the lane panicked".to_owned())
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        for lane in &mut self.lanes {
            lane.steps = None;
        }
        for lane in &mut self.lanes {
            if let Some(thread) = lane.thread.take() {
                // What it died of was said where it was asked for.
                let _ = thread.join();
            }
        }
    }
}
