//! Chains in one process from one seed: virtual time, simulated links, disks that lose what was not synced.
//!
//! The same code as over TCP ([`crate::tcp`]); runtime and network are others. A run is a function of its seed. Several
//! chains live in one runtime, each under a context of its own: their files begin with the chain's name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use commonware_cryptography::Signer as _;
use commonware_p2p::simulated::{self, Oracle};
use commonware_runtime::{
    Clock as _, Handle, Runner as _, Spawner as _, Supervisor as _, deterministic,
};
use commonware_utils::{NZUsize, Probability};
use tieline_chain::files::Entry;
use tieline_chain::ledger::Ledger;
use tieline_chain::mempool::{AddError, Limits};
use tieline_chain::replica::{Attester, Replica, Verifier};
use tieline_chain::store::{MemoryDisk, Store, StoreError};
use tieline_contract::transaction::Transaction;
use tieline_seal::hybrid::{Remembering, Strict};
use tieline_units::{Digest, Time};

use crate::application::{Machine, Pace, time};
use crate::floor::{Floor, FloorError};
use crate::node::{CHANNELS, Patience, QUOTA, Seat, message_bytes, start};
use crate::tap::{Tap, Tapped};
use crate::transport::NodeKeys;
use crate::validators::Identity;

/// How messages travel between validators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Mean time on the way.
    pub latency: Duration,
    /// Its standard deviation.
    pub jitter: Duration,
    /// Messages of a hundred that get lost.
    pub lost_percent: u8,
}

impl Default for Line {
    fn default() -> Line {
        Line {
            latency: Duration::from_millis(10),
            jitter: Duration::from_millis(2),
            lost_percent: 0,
        }
    }
}

impl Line {
    fn link(&self) -> simulated::Link {
        simulated::Link {
            latency: self.latency,
            jitter: self.jitter,
            success_rate: Probability::new(100 - u64::from(self.lost_percent.min(100)), 100)
                .expect("at most all of a hundred"),
        }
    }
}

/// Makes what a validator attests with, each time it starts.
pub type MakeAttester = Box<dyn Fn() -> Attester + Send>;

/// One validator to simulate.
pub struct Validator {
    /// Its keys.
    pub keys: NodeKeys,
    /// Where it is a verification node.
    pub attester: Option<MakeAttester>,
}

struct Node {
    validator: Validator,
    disk: MemoryDisk,
    machine: Option<Machine>,
    handle: Option<Handle<Result<(), StoreError>>>,
    starts: u64,
    /// How often it lost what the engine had on its disk.
    losses: u64,
    votes_after: Time,
}

/// A simulated chain: its validators, their network and their disks.
pub struct Chain {
    context: deterministic::Context,
    oracle: Oracle<Identity, deterministic::Context>,
    founding: Arc<Ledger>,
    verify: fn() -> Verifier,
    epoch_blocks: u64,
    tap: Option<Tap>,
    floor: Option<Floor>,
    pace: Pace,
    line: Line,
    nodes: Vec<Node>,
}

/// Runs `world` from a seed; returns what it says and the fingerprint of everything that happened.
///
/// `limit`: of virtual time; a world that takes longer panics. The clock begins in 1970.
pub fn run<T, F>(
    seed: u64,
    limit: Duration,
    world: impl FnOnce(deterministic::Context) -> F,
) -> (T, String)
where
    F: Future<Output = T>,
{
    run_from(Time::default(), seed, limit, world)
}

/// As [`run`], with a clock that begins at `start`.
pub fn run_from<T, F>(
    start: Time,
    seed: u64,
    limit: Duration,
    world: impl FnOnce(deterministic::Context) -> F,
) -> (T, String)
where
    F: Future<Output = T>,
{
    let config = deterministic::Config::new()
        .with_seed(seed)
        .with_start_time(UNIX_EPOCH + Duration::from_millis(start.as_millis()))
        .with_timeout(Some(limit));
    deterministic::Runner::new(config).start(|context| async move {
        let said = world(context.child("world")).await;
        (said, context.auditor().state())
    })
}

impl Chain {
    /// A chain whose validators are all down.
    ///
    /// `founding`: the ledger before the first block.
    pub async fn new(
        context: deterministic::Context,
        founding: Ledger,
        validators: Vec<Validator>,
        (pace, line): (Pace, Line),
    ) -> Chain {
        let identities: Vec<Identity> = validators
            .iter()
            .map(|it| it.keys.identity.public_key())
            .collect();
        let config = simulated::Config {
            max_size: message_bytes(),
            max_peers_per_set: NZUsize!(16),
            disconnect_on_block: true,
            tracked_peer_sets: NZUsize!(1),
        };
        let (network, oracle) = simulated::Network::new_with_peers(
            context.child("network"),
            config,
            identities.clone(),
        )
        .await;
        network.start();
        let nodes = validators.into_iter().map(|validator| Node {
            validator,
            disk: MemoryDisk::default(),
            machine: None,
            handle: None,
            starts: 0,
            losses: 0,
            votes_after: Time::default(),
        });
        let mut chain = Chain {
            nodes: nodes.collect(),
            context,
            oracle,
            founding: Arc::new(founding),
            verify: || Box::new(Remembering::new(Strict)),
            epoch_blocks: u64::MAX,
            tap: None,
            floor: None,
            pace,
            line,
        };
        chain.heal().await;
        chain
    }

    /// How many validators.
    pub fn size(&self) -> usize {
        self.nodes.len()
    }

    /// Checks the signatures of transactions otherwise: simulations sign with symbols. Votes are as they are.
    #[must_use]
    pub fn verified_by(mut self, verify: fn() -> Verifier) -> Chain {
        self.verify = verify;
        self
    }

    /// Lets validators change after every so many blocks.
    #[must_use]
    pub fn with_epochs(mut self, blocks: u64) -> Chain {
        self.epoch_blocks = blocks;
        self
    }

    /// Lets `tap` see what validators send that start from now on.
    #[must_use]
    pub fn tapped(mut self, tap: Tap) -> Chain {
        self.tap = Some(tap);
        self
    }

    /// Lets all validators go on from a final block with empty disks: `founding` is the ledger after it.
    ///
    /// # Errors
    /// [`FloorError`].
    pub fn on_floor(mut self, entry: &Entry) -> Result<Chain, FloorError> {
        self.floor = Some(Floor::of(entry, &self.founding)?);
        Ok(self)
    }

    /// Gives validators that are down the disks of a former life of the chain, by index.
    #[must_use]
    pub fn on_disks(mut self, disks: Vec<MemoryDisk>) -> Chain {
        for (node, disk) in self.nodes.iter_mut().zip(disks) {
            node.disk = disk;
        }
        self
    }

    /// What a power failure would leave of the disks now, by index.
    pub fn disks(&self) -> Vec<MemoryDisk> {
        let nodes = self.nodes.iter();
        nodes.map(|node| node.disk.after_crash()).collect()
    }

    /// The ledger before the first block.
    pub fn founding(&self) -> &Ledger {
        &self.founding
    }

    /// Starts a validator on its disk.
    ///
    /// # Errors
    /// [`StoreError`] where the disk is not what was written.
    pub async fn boot(&mut self, index: usize) -> Result<(), StoreError> {
        let node = &mut self.nodes[index];
        let keys = &node.validator.keys;
        let verify = (self.verify)();
        let store = match &self.floor {
            None => Store::open_on(node.disk.clone(), Ledger::clone(&self.founding), &*verify),
            Some(_) => Store::open_above(node.disk.clone(), self.founding.clone(), &*verify),
        }?;
        let attester = node.validator.attester.as_ref().map(|make| make());
        let replica = Replica::new(store, verify, Limits::default(), attester)?
            .with_epochs(self.epoch_blocks)
            .voting_after(node.votes_after);
        let (machine, outlets) = Machine::new(replica, self.pace);
        let seat = Seat {
            keys: Arc::new(keys.clone()),
            heartbeat: self.pace.heartbeat,
            patience: Patience::default(),
            prefix: format!(
                "{}-node-{index}-{}",
                self.founding.home().chain,
                node.losses
            ),
            floor: self.floor.clone(),
            // All know all from the beginning, also those whose time will come.
            track: Box::new(|_, _| {}),
        };
        let identity = keys.identity.public_key();
        let context = self
            .context
            .child("validator")
            .with_attribute("index", index)
            .with_attribute("start", node.starts);
        let control = self.oracle.control(identity);
        let manager = self.oracle.manager();
        let (run, tap) = (machine.clone(), self.tap.clone());
        let handle = context.spawn(async move |context| {
            let mut channels = Vec::new();
            for channel in 0..CHANNELS {
                let registered = control.register(channel, QUOTA).await;
                let (inner, receiver) = registered.expect("the network of a simulation runs");
                let sender = Tapped::new(inner, &tap, (index, channel));
                channels.push((sender, receiver));
            }
            let parts = (run, outlets);
            let delivering = start(context, seat, parts, (manager, control), channels).await;
            delivering.await.unwrap_or(Ok(()))
        });
        node.machine = Some(machine);
        node.handle = Some(handle);
        node.starts += 1;
        Ok(())
    }

    /// Starts all.
    ///
    /// # Errors
    /// As [`Chain::boot`].
    pub async fn boot_all(&mut self) -> Result<(), StoreError> {
        for index in 0..self.size() {
            self.boot(index).await?;
        }
        Ok(())
    }

    /// Kills a validator: what its disk had not synced is gone.
    pub fn kill(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        if let Some(handle) = node.handle.take() {
            handle.abort();
        }
        node.machine = None;
        node.disk = node.disk.after_crash();
    }

    /// Takes from a validator that is down everything that it had on its disk.
    ///
    /// `votes_after`: as of [`Replica::voting_after`], from its next start on.
    pub fn lose(&mut self, index: usize, votes_after: Time) {
        let node = &mut self.nodes[index];
        node.disk = MemoryDisk::default();
        node.losses += 1;
        node.votes_after = votes_after;
    }

    /// Cuts all lines between validators of different groups; those in no group hear nobody.
    pub async fn cut(&mut self, groups: &[&[usize]]) {
        let group = |index: usize| groups.iter().position(|group| group.contains(&index));
        for (one, other) in self.pairs() {
            if group(one).is_none() || group(one) != group(other) {
                self.unlink(one, other).await;
            }
        }
    }

    /// Joins every validator with every other.
    pub async fn heal(&mut self) {
        for (one, other) in self.pairs() {
            let (from, to) = (self.identity(one), self.identity(other));
            // It is there already where it was not cut.
            let _ = self.oracle.add_link(from, to, self.line.link()).await;
        }
    }

    fn pairs(&self) -> Vec<(usize, usize)> {
        let all = 0..self.size();
        let pairs = all
            .clone()
            .flat_map(|one| all.clone().map(move |other| (one, other)));
        pairs.filter(|(one, other)| one != other).collect()
    }

    async fn unlink(&mut self, one: usize, other: usize) {
        let (from, to) = (self.identity(one), self.identity(other));
        // It is gone already where it was cut before.
        let _ = self.oracle.remove_link(from, to).await;
    }

    fn identity(&self, index: usize) -> Identity {
        self.nodes[index].validator.keys.identity.public_key()
    }

    /// A running validator's replica.
    pub fn machine(&self, index: usize) -> Option<&Machine> {
        self.nodes[index].machine.as_ref()
    }

    /// Heights of the last final blocks of those that run.
    pub fn heights(&self) -> BTreeMap<usize, u64> {
        let running = (0..self.size()).filter_map(|index| Some((index, self.machine(index)?)));
        running
            .map(|(index, machine)| (index, machine.with(|replica| replica.figures().height)))
            .collect()
    }

    /// The clock.
    pub fn now(&self) -> Time {
        time(self.context.current())
    }

    /// Lets time pass.
    pub async fn sleep(&self, span: Duration) {
        self.context.sleep(span).await;
    }

    /// Lets time pass until every running validator has this height, at most so long; whether they do.
    pub async fn reach(&self, height: u64, at_most: Duration) -> bool {
        let until = self.context.current() + at_most;
        while self.context.current() < until {
            if self.heights().values().all(|found| *found >= height) {
                return true;
            }
            self.sleep(Duration::from_millis(50)).await;
        }
        false
    }

    /// Gives a transaction to a validator.
    ///
    /// # Errors
    /// Why it does not wait.
    ///
    /// # Panics
    /// Where the validator does not run.
    pub fn submit(&self, index: usize, transaction: Transaction) -> Result<Digest, AddError> {
        let machine = self.machine(index).expect("a validator that runs");
        machine.submit(transaction, self.now())
    }
}
