//! Nodes of the village's chains, served on loopback; blocks come from the test, not from an engine.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tieline::node::api::{Access, serve};
use tieline::node::carry::Address;
use tieline_chain::block::Parent;
use tieline_chain::mempool::{AddError, Limits};
use tieline_chain::replica::{Attester, Replica};
use tieline_chain::store::{MemoryDisk, Store};
use tieline_chain::validators::{Handover, Validator, ValidatorSet};
use tieline_chain::{Home, Ledger};
use tieline_contract::state::Account;
use tieline_contract::transaction::Transaction;
use tieline_sim::symbol::{Symbolic, key, sign};
use tieline_sim::village::{CHAINS, START, Village, chain, genesis, member, seat_key};
use tieline_units::canonical::Canonical as _;
use tieline_units::{Digest, Money, Time};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// The clock of all.
pub(crate) type Clock = Arc<AtomicU64>;

pub(crate) struct Node {
    replica: Mutex<Replica>,
    clock: Clock,
}

impl Access for Node {
    fn with(&self, look: &mut dyn FnMut(&mut Replica)) {
        look(&mut self.replica.lock().unwrap());
    }

    fn submit(&self, transaction: Transaction) -> Result<Digest, AddError> {
        let now = self.now();
        self.replica.lock().unwrap().submit(transaction, now)
    }

    fn hand_over(&self, handover: Handover) -> Result<(), String> {
        let mut taken = Ok(());
        self.with(&mut |replica| {
            taken = replica
                .hand_over(handover.clone())
                .map_err(|it| it.to_string());
        });
        taken
    }

    fn identity(&self) -> [u8; 32] {
        [1; 32]
    }

    fn now(&self) -> Time {
        Time::from_millis(self.clock.load(Ordering::SeqCst))
    }
}

fn ledger(name: &str) -> Ledger {
    let records = Village::default().ledger(name).records();
    let one = |index: u8| Validator {
        identity: [index + 1; 32],
        key: key(&format!("{name} validator {index}")),
        owner: member("vpp"),
    };
    let set = Arc::new(ValidatorSet {
        epoch: 0,
        validators: (0..4).map(one).collect(),
    });
    let home = Home {
        chain: chain(name),
        genesis: genesis(name),
    };
    let tip = Parent {
        digest: genesis(name),
        height: 0,
        time: Time::default(),
        epoch: 0,
        validators: set.hash(),
    };
    let pairs = records.iter().map(|(key, value)| (&key[..], &value[..]));
    Ledger::load(&home, pairs, tip, set).unwrap()
}

fn replica(name: &str, seat: usize) -> Replica {
    let store = Store::open_on(MemoryDisk::default(), ledger(name), &Symbolic).unwrap();
    let own = seat_key(name, 0, seat);
    let signing = own.clone();
    let attester = Attester::with(
        own,
        Box::new(move |domain, message| sign(&signing, domain, message)),
        Box::new(|_| true),
    );
    let limits = Limits::default();
    Replica::new(store, Box::new(Symbolic), limits, Some(attester)).unwrap()
}

/// A server that a test can end.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) stop: Option<oneshot::Sender<()>>,
}

impl Server {
    pub(crate) fn start(runtime: &Runtime, access: Arc<dyn Access>) -> Server {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        runtime.spawn(serve(listener, access, async {
            let _ = stopped.await;
        }));
        let stop = Some(stop);
        Server { address, stop }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

pub(crate) fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}

/// Chains X, Y and Z, each with so many nodes.
pub(crate) struct Town {
    pub(crate) clock: Clock,
    pub(crate) nodes: Vec<Vec<Arc<Node>>>,
    pub(crate) servers: Vec<Vec<Server>>,
    // Last: servers run on it.
    pub(crate) runtime: Runtime,
}

impl Town {
    pub(crate) fn new(nodes: usize) -> Town {
        let runtime = runtime();
        let start = START.minus_millis(3_600_000).as_millis();
        let clock: Clock = Arc::new(AtomicU64::new(start));
        let one = |name: &str, seat| {
            Arc::new(Node {
                replica: Mutex::new(replica(name, seat)),
                clock: clock.clone(),
            })
        };
        let of_chain = |name: &str| (0..nodes).map(|seat| one(name, seat)).collect();
        let nodes: Vec<Vec<Arc<Node>>> = CHAINS.map(of_chain).into();
        let serve = |node: &Arc<Node>| Server::start(&runtime, node.clone());
        let servers = nodes.iter().map(|of| of.iter().map(serve).collect());
        Town {
            servers: servers.collect(),
            nodes,
            clock,
            runtime,
        }
    }

    pub(crate) fn now(&self) -> Time {
        Time::from_millis(self.clock.load(Ordering::SeqCst))
    }

    pub(crate) fn addresses(&self) -> Vec<Address> {
        let all = self.servers.iter().flatten();
        all.map(|server| Address::parse(&server.url()).unwrap())
            .collect()
    }

    pub(crate) fn look<T>(&self, on: usize, look: impl FnOnce(&mut Replica) -> T) -> T {
        look(&mut self.nodes[on][0].replica.lock().unwrap())
    }

    pub(crate) fn balance(&self, on: usize, who: &str) -> Money {
        let account = Account::Clearing(member(who));
        self.look(on, |replica| replica.ledger().state().balance(&account))
    }

    /// Asks the first node of a chain.
    pub(crate) fn get(&self, on: usize, path: &str) -> Answer {
        ask(self.servers[on][0].address, &get(path))
    }

    pub(crate) fn submit(&self, on: usize, transaction: &Transaction) -> Answer {
        let body = transaction.to_bytes();
        ask(
            self.servers[on][0].address,
            &post("/v1/transactions", &body),
        )
    }

    /// Begins a chain anew on its nodes, with epochs of so many blocks.
    pub(crate) fn epochs(&self, on: usize, blocks: u64) {
        for (seat, node) in self.nodes[on].iter().enumerate() {
            let fresh = replica(CHAINS[on], seat).with_epochs(blocks);
            *node.replica.lock().unwrap() = fresh;
        }
    }

    pub(crate) fn block(&self, on: usize) {
        block(&self.nodes[on], self.now());
    }
}

/// The next block of a chain on all its nodes.
pub(crate) fn block(nodes: &[Arc<Node>], now: Time) {
    let proposer = nodes[0].replica.lock().unwrap();
    let parent = proposer.ledger().tip().digest;
    let next = proposer.propose((parent, now), 1 << 20, Vec::new());
    drop(proposer);
    let next = next.unwrap();
    for node in nodes {
        node.replica.lock().unwrap().finalise(&next, now).unwrap();
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect(self, code: u16) -> Answer {
        assert_eq!(
            self.code,
            code,
            "{} {}",
            self.head,
            String::from_utf8_lossy(&self.body)
        );
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        assert!(self.head.contains("application/json"), "{}", self.head);
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n").into_bytes()
}

pub(crate) fn post(path: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\
         Content-Type: application/octet-stream\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Sends bytes and reads what comes until the end.
pub(crate) fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    let limit = Some(Duration::from_secs(20));
    stream.set_read_timeout(limit).unwrap();
    // A server that has read enough may close first.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

pub(crate) fn ask(address: SocketAddr, bytes: &[u8]) -> Answer {
    let answer = exchange(address, bytes);
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.expect("an answer") + 4);
    let head = String::from_utf8(head.to_vec()).unwrap();
    Answer {
        code: head[9..12].parse().unwrap(),
        head,
        body: body.to_vec(),
    }
}
