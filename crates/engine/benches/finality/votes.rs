//! One validator with votes of either kind.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tieline_chain::mempool::AddError;
use tieline_chain::replica::Replica;
use tieline_contract::transaction::Transaction;
use tieline_engine::application::Pace;
use tieline_units::{Digest, Time};
use zeroize::Zeroizing;

use crate::ground::{Ground, Place};

/// A validator's chain, whichever its votes are.
pub trait Running: Clone + Send + 'static {
    fn give(&self, transaction: Transaction) -> Result<Digest, AddError>;
    fn look<T>(&self, look: impl FnOnce(&mut Replica) -> T) -> T;
    fn moved(&self) -> impl Future<Output = ()>;

    fn height(&self) -> u64 {
        self.look(|replica| replica.figures().height)
    }

    fn waiting(&self) -> usize {
        self.look(|replica| replica.figures().waiting)
    }
}

/// A kind of votes.
pub trait Votes {
    type Machine: Running;

    /// Starts a validator, which runs until the process ends.
    fn start(place: Place, pace: Pace) -> Self::Machine;
}

pub fn now() -> Time {
    Time::from_millis(wall_us() / 1_000)
}

/// The clock of the machine, µs.
pub fn wall_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_micros()).unwrap()
}

macro_rules! votes {
    ($name:ident, $($from:ident)::+) => {
        impl Running for $($from)::+::application::Machine {
            fn give(&self, transaction: Transaction) -> Result<Digest, AddError> {
                $($from)::+::application::Machine::submit(self, transaction, now())
            }

            fn look<T>(&self, look: impl FnOnce(&mut Replica) -> T) -> T {
                self.with(look)
            }

            fn moved(&self) -> impl Future<Output = ()> {
                $($from)::+::application::Machine::moved(self)
            }
        }

        /// The application with these votes.
        pub struct $name;

        impl Votes for $name {
            type Machine = $($from)::+::application::Machine;

            fn start(place: Place, pace: Pace) -> Self::Machine {
                let Place { genesis, identity, voting, listen, peers, folder } = place;
                let config = $($from)::+::tcp::Config {
                    genesis,
                    identity: Zeroizing::new(identity),
                    voting,
                    attester: None,
                    listen,
                    peers: peers
                        .into_iter()
                        .map(|(identity, address)| $($from)::+::tcp::Peer {
                            identity,
                            address,
                            key: None,
                        })
                        .collect(),
                    votes_after: Time::default(),
                    store: folder.join("state.redb"),
                    engine: folder.join("engine"),
                    pace: $($from)::+::application::Pace {
                        heartbeat: pace.heartbeat,
                        gather: pace.gather,
                        block_bytes: pace.block_bytes,
                    },
                    threads: 2,
                };
                let (ready, machine) = channel();
                std::thread::spawn(move || {
                    let ended = $($from)::+::tcp::run(config, move |machine| {
                        ready.send(machine).unwrap();
                    });
                    // Nothing that is measured goes on without a validator.
                    eprintln!("a validator has ended: {ended:?}");
                    std::process::exit(2);
                });
                machine.recv().unwrap()
            }
        }
    };
}

votes!(Hybrid, tieline_engine);
votes!(Ed25519, crate);

/// A height became final and durable at a node.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub node: usize,
    pub height: u64,
    pub at: Instant,
    pub wall_us: u64,
}

/// Validators of one process.
pub struct Nodes<V: Votes> {
    pub machines: Vec<V::Machine>,
    pub events: Receiver<Seen>,
    tell: Sender<Seen>,
}

impl<V: Votes> Nodes<V> {
    /// Starts these validators of a chain.
    pub fn start(ground: &Ground, which: &[usize], folder: &std::path::Path, pace: Pace) -> Self {
        let (tell, events) = channel();
        let machines: Vec<V::Machine> = which
            .iter()
            .map(|index| V::start(ground.place(*index, folder), pace))
            .collect();
        let nodes = Nodes {
            machines,
            events,
            tell,
        };
        for (node, machine) in nodes.machines.iter().enumerate() {
            let (machine, tell) = (V::Machine::clone(machine), nodes.tell.clone());
            std::thread::spawn(move || futures::executor::block_on(watch(node, machine, tell)));
        }
        nodes
    }

    /// Waits until all have this height.
    pub fn reach(&self, height: u64, at_most: Duration) {
        let until = Instant::now() + at_most;
        while self.machines.iter().any(|it| it.height() < height) {
            let heights: Vec<u64> = self.machines.iter().map(Running::height).collect();
            assert!(Instant::now() < until, "not at {height}: {heights:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Most that waits at one of them.
    pub fn waiting(&self) -> usize {
        self.machines
            .iter()
            .map(Running::waiting)
            .max()
            .unwrap_or(0)
    }
}

async fn watch<M: Running>(node: usize, machine: M, tell: Sender<Seen>) {
    let mut known = machine.height();
    loop {
        let mut moved = std::pin::pin!(machine.moved());
        // From here on no block is missed.
        let _ = futures::poll!(&mut moved);
        let height = machine.height();
        let (at, wall_us) = (Instant::now(), wall_us());
        for height in known + 1..=height {
            let seen = Seen {
                node,
                height,
                at,
                wall_us,
            };
            if tell.send(seen).is_err() {
                return;
            }
        }
        if height == known {
            moved.await;
        }
        known = height;
    }
}

/// Processor time of this process so far, all threads.
pub fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    // A tick is a hundredth of a second on every Linux.
    Duration::from_millis(ticks * 10)
}
