//! `tieline node`

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use tieline_chain::mempool::AddError;
use tieline_chain::replica::{Attester, Replica};
use tieline_chain::validators::Handover;
use tieline_contract::transaction::Transaction;
use tieline_engine::application::{Machine, Pace, time};
use tieline_engine::tap::Tap;
use tieline_engine::tcp::{self, NodeError as Stopped};
use tieline_engine::validators::Validators;
use tieline_units::{Digest, Time};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::LevelFilter;

use super::{Failure, refuse};
use crate::cli::{Global, Node};
use crate::node::api::{self, Access};
use crate::node::config::ENGINE;
use crate::node::hex::hex;
use crate::node::journal::{self, Journal, Voter};
use crate::node::passphrase::passphrase;
use crate::node::{NodeConfig, NodeSettings};
use crate::printer::Printer;

/// What `node` prints when it listens.
#[derive(Serialize)]
struct Document {
    schema: &'static str,
    chain: String,
    genesis: String,
    listen: String,
    api: String,
    height: u64,
}

/// Makes the tap on what a validator sends.
pub type MakeTap = fn(&tcp::Config) -> Option<Tap>;

pub(super) fn command(
    global: &Global,
    command: &Node,
    (printer, tap): (Printer, Option<MakeTap>),
) -> Result<(), Failure> {
    refuse(&[
        ("--seed", global.seed.is_some()),
        ("--set", !global.settings.is_empty()),
    ])?;
    let file = file(global, command)?;
    let settings = NodeSettings::read(file)?;
    let store = settings.store();
    let phrase = passphrase(command.passphrase_file.as_deref())
        .map_err(|error| Failure::Broken(error.to_string()))?;
    let node = settings.open(&phrase)?;
    std::fs::create_dir_all(&node.data).map_err(|error| {
        Failure::Broken(format!(
            "{}: {error}\n\nhint: data in node.toml names a folder that can be made and written",
            node.data.display()
        ))
    })?;
    let journal = journal(&node, command.accept_lost_journal, printer)?;
    log_to_stderr(printer);
    let NodeConfig { listen, api, .. } = node;
    let listener = bind("api", api)?;
    // Only tried: the engine listens there itself, and panics where it cannot.
    drop(bind("listen", listen)?);
    let document = move |machine: &Machine| {
        machine.with(|replica| Document {
            schema: "tieline.node/1",
            chain: replica.ledger().home().chain.to_string(),
            genesis: replica.ledger().home().genesis.to_string(),
            listen: listen.to_string(),
            api: api.to_string(),
            height: replica.ledger().tip().height,
        })
    };
    let identity = node.own;
    let ready = move |machine: Machine| {
        let document = document(&machine);
        printer.note(&format!(
            "{} at height {}: other validators at {}, programs at {}",
            document.chain, document.height, document.listen, document.api
        ));
        // Whoever closed the pipe does not stop the chain.
        let _ = printer.document(&document);
        std::thread::spawn(move || serve(listener, Local { machine, identity }, printer));
    };
    let config = config(node, (store.clone(), journal), command.threads);
    // The engine panics where its disk fails; it has said why by then.
    let tap = tap.and_then(|make| make(&config));
    let run = || tcp::run_tapped(config, tap, Box::new(ready));
    let ran = catch_unwind(AssertUnwindSafe(run));
    let ran = ran.unwrap_or(Err(Stopped::Engine));
    ran.map_err(|error| stopped(&store, error))
}

fn bind(field: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).map_err(|error| {
        Failure::Broken(format!(
            "{address}: {error}\n\nhint: {field} in node.toml names an address of this machine that is free"
        ))
    })
}

/// Where the node's settings are.
fn file<'a>(global: &'a Global, command: &'a Node) -> Result<&'a Path, Failure> {
    match (&command.node, &global.config) {
        (Some(file), None) | (None, Some(file)) => Ok(file),
        _ => Err(Failure::Broken(
            "which node?

hint: tieline node FOLDER, or tieline node --config node.toml"
                .to_owned(),
        )),
    }
}

/// Since when the node knows its votes.
fn journal(node: &NodeConfig, accept_lost: bool, printer: Printer) -> Result<Journal, Failure> {
    let engine = node.data.join(ENGINE);
    let now = time(SystemTime::now());
    let identity = &hex(&node.own);
    let keys = &node.keys;
    let journal = journal::open(&engine, Voter { keys, identity }, now, accept_lost);
    let journal = journal.map_err(|error| {
        Failure::Broken(format!(
            "{}: {error}\n\nhint: data in node.toml names a folder of this node alone",
            engine.display()
        ))
    })?;
    if journal.votes_after != Time::default() {
        let text = format!(
            "warning: {}: the journal of this node's votes {}: until the next epoch of the chain it follows, and votes on nothing\n\nhint: tieline chain join makes new keys that vote in the place of lost ones; --accept-lost-journal only where these have not voted in this epoch",
            engine.display(),
            if journal.lost {
                "is not there"
            } else {
                "was lost"
            },
        );
        printer.warn(&text);
    }
    Ok(journal)
}

fn config(node: NodeConfig, (store, journal): (PathBuf, Journal), threads: u8) -> tcp::Config {
    let pace = Pace {
        heartbeat: Duration::from_millis(node.heartbeat_ms),
        ..Pace::default()
    };
    // It signs where its key has a seat, in whichever epoch of the contract.
    let attester = Attester::new(node.attestation, Box::new(|_| true));
    tcp::Config {
        identity: node.identity,
        voting: Arc::new(node.voting),
        attester: Some(attester),
        listen: node.listen,
        peers: node.peers,
        store,
        engine: node.data.join(ENGINE),
        votes_after: journal.votes_after,
        pace,
        threads: usize::from(threads),
        genesis: node.genesis,
    }
}

/// A node's chain as its owner's programs see it.
struct Local {
    machine: Machine,
    identity: [u8; 32],
}

impl Access for Local {
    fn with(&self, look: &mut dyn FnMut(&mut Replica)) {
        self.machine.with(|replica| look(replica));
    }

    fn submit(&self, transaction: Transaction) -> Result<Digest, AddError> {
        self.machine.submit(transaction, self.now())
    }

    fn hand_over(&self, handover: Handover) -> Result<(), String> {
        // The engine asks more of a set than the chain does: without it the next epoch would not begin.
        Validators::of(&handover.next).map_err(|error| error.to_string())?;
        let taken = self.machine.hand_over(handover);
        taken.map_err(|error| error.to_string())
    }

    fn identity(&self) -> [u8; 32] {
        self.identity
    }

    fn now(&self) -> Time {
        time(SystemTime::now())
    }
}

/// Serves programs until the process is told to end, and ends it: everything that was said is on disk.
fn serve(listener: TcpListener, node: Local, printer: Printer) {
    let served = serving(listener, node);
    let code = match served {
        Ok(height) => {
            printer.note(&format!("ended at height {height}"));
            0
        }
        Err(error) => {
            printer.error(&format!("the API has ended: {error}"));
            2
        }
    };
    std::process::exit(code);
}

fn serving(listener: TcpListener, node: Local) -> io::Result<u64> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let machine = node.machine.clone();
    let access = Arc::new(node);
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let mut ended = signal(SignalKind::terminate())?;
        let stop = async move {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = ended.recv() => {}
            }
        };
        api::serve(listener, access, stop).await
    })?;
    Ok(machine.with(|replica| replica.figures().height))
}

fn stopped(store: &Path, error: Stopped) -> Failure {
    match error {
        Stopped::Store(error) if error.is_in_use() => Failure::Broken(format!(
            "{}: in use: another process runs on this node's folder\n\nhint: a node runs once; end the other one first",
            store.display()
        )),
        Stopped::Store(error) => Failure::Broken(format!(
            "{}: {error}\n\nhint: the node votes on nothing before its state is right: restore its folder from a backup, or empty it and let it catch up",
            store.display()
        )),
        Stopped::Engine => {
            let data = store.parent().unwrap_or(store);
            Failure::Broken(format!(
                "{}: the engine has stopped; the lines above say why\n\nhint: its disk needs room and has to take what is written; started again, the node goes on where it was",
                data.display()
            ))
        }
        error => Failure::Broken(error.to_string()),
    }
}

/// Log lines: time, level, what, fields.
fn log_to_stderr(printer: Printer) {
    let level = if printer.verbose() {
        LevelFilter::DEBUG
    } else if printer.quiet() {
        LevelFilter::ERROR
    } else {
        LevelFilter::WARN
    };
    let _ = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_max_level(level)
        .try_init();
}
