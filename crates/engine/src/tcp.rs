//! A validator as a process: the engine over TCP on the real clock and the real disk.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use commonware_codec::DecodeExt as _;
use commonware_cryptography::Signer as _;
use commonware_p2p::authenticated::lookup;
use commonware_p2p::{Address, AddressableManager as _};
use commonware_runtime::{Runner as _, Supervisor as _, tokio};
use commonware_stream::Upgrader;
use commonware_utils::NZUsize;
use commonware_utils::ordered::Map;
use thiserror::Error;
use tieline_chain::Home;
use tieline_chain::genesis::Genesis;
use tieline_chain::ledger::Ledger;
use tieline_chain::mempool::Limits;
use tieline_chain::replica::{Attester, Replica};
use tieline_chain::store::{Store, StoreError};
use tieline_seal::hybrid::{PublicKey, Remembering, SigningKey, Strict};
use tieline_units::{Digest, Time};
use tracing::warn;
use zeroize::Zeroizing;

use crate::application::{Machine, Outlets, Pace};
use crate::node::{CHANNELS, Patience, QUOTA, Seat, message_bytes, start};
use crate::tap::{Tap, Tapped};
use crate::transport::{ClockBounds, HybridHandshake, Known, NodeKeys};
use crate::validators::{Identity, Validators, ValidatorsError};

/// How often a peer hears of us although there is nothing to say.
const PING: Duration = Duration::from_secs(2);

/// A peer that was not heard for so long, or did not take what was sent, is connected with anew. When a line that was cut is
/// mended, what TCP repeats by itself may come only after as long again as the cut was: a new connection is faster. The
/// longest message has to pass in this time.
const SILENCE: Duration = Duration::from_secs(10);

/// Until a peer has answered a call and shown who it is; as above, calls into a cut line are repeated rather than waited for.
const CALL: Duration = Duration::from_secs(3);

/// Between calls.
const CALLS: Duration = Duration::from_millis(250);

/// How long a view goes on without a block before it is said again that it should be skipped, and why it began. After a cut,
/// each side has missed what the other said meanwhile: it takes one or two of these until they are in one view.
const RETRY: Duration = Duration::from_secs(1);

/// One validator of one chain. Nothing of the engine is in it: whoever runs one needs none of its types.
pub struct Config {
    /// What the chain is founded on.
    pub genesis: Genesis,
    /// Seed of its identity on the network, an Ed25519 key.
    pub identity: Zeroizing<[u8; 32]>,
    /// What it votes with.
    pub voting: Arc<SigningKey>,
    /// Where it is a verification node.
    pub attester: Option<Attester>,
    /// Where it listens for other validators.
    pub listen: SocketAddr,
    /// Whom it connects with: the other validators, of any epoch, and whoever follows.
    pub peers: Vec<Peer>,
    /// The state of the chain: a file, founded where it is not there.
    pub store: PathBuf,
    /// The engine's journals and archives: a folder, made where it is not there.
    pub engine: PathBuf,
    /// It votes in epochs that began after this time alone ([`Replica::voting_after`]).
    pub votes_after: Time,
    /// When it proposes.
    pub pace: Pace,
    /// Threads of the engine.
    pub threads: usize,
}

/// Another node of the chain.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The public key of its identity.
    pub identity: [u8; 32],
    /// Where it is reached.
    pub address: SocketAddr,
    /// Its signing key, where the genesis does not say it.
    pub key: Option<PublicKey>,
}

/// Why a validator does not run, or no longer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The state is not what was written, or cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A peer that cannot be connected with.
    #[error("among the peers, {} is no Ed25519 public key or stands twice", Digest::from_bytes(*.0))]
    Peer([u8; 32]),
    /// Validators that cannot be in charge.
    #[error(transparent)]
    Validators(#[from] ValidatorsError),
    /// A part of the engine has ended; its log says why.
    #[error("the engine has stopped")]
    Engine,
}

/// Runs a validator until its disk or its engine fails; it does not return otherwise.
///
/// `ready`: gets the node's copy of the chain before the first block, and keeps what it starts in threads of its own.
///
/// # Errors
/// [`NodeError`].
pub fn run(config: Config, ready: impl FnOnce(Machine) + Send + 'static) -> Result<(), NodeError> {
    run_tapped(config, None, Box::new(ready))
}

/// As [`run`], with a tap on what it sends: for tests of what a dishonest validator can do. It is not generic: the engine is
/// compiled here, once, and not wherever a node is started.
///
/// # Errors
/// [`NodeError`].
pub fn run_tapped(
    mut config: Config,
    tap: Option<Tap>,
    ready: Box<dyn FnOnce(Machine) + Send>,
) -> Result<(), NodeError> {
    let (machine, outlets, known) = open(&mut config)?;
    let genesis = &config.genesis;
    let home = genesis.home();
    let keys = NodeKeys::new(&config.identity, config.voting);
    let addresses = addresses(&keys, config.listen, &config.peers)?;
    let handshake = HybridHandshake::new(
        home.chain.clone(),
        home.genesis,
        keys.clone(),
        ClockBounds::default(),
        Arc::new(known.clone()),
    );
    let runtime = tokio::Config::new()
        .with_worker_threads(config.threads)
        .with_tcp_nodelay(Some(true))
        .with_read_write_timeout(SILENCE)
        .with_storage_directory(config.engine);
    tokio::Runner::new(runtime).start(async move |context| {
        let network = network(handshake.into_transport(), &home, config.listen);
        let (mut network, oracle) = lookup::Network::new(context.child("network"), network);
        let mut peers = oracle.clone();
        let seat = Seat {
            keys: Arc::new(keys),
            heartbeat: config.pace.heartbeat,
            patience: Patience {
                retry: RETRY,
                ..Patience::default()
            },
            floor: None,
            prefix: home.chain.to_string(),
            track: Box::new(move |epoch, validators| {
                known.learn(validators);
                warn_of_strangers(&addresses, validators);
                peers.track(epoch.get(), everybody(&addresses));
            }),
        };
        let channels = (0..CHANNELS).map(|channel| {
            let (sender, receiver) = network.register(channel, QUOTA);
            (Tapped::new(sender, &tap, (0, channel)), receiver)
        });
        let channels: Vec<_> = channels.collect();
        network.start();
        ready(machine.clone());
        let ends = (oracle.clone(), oracle);
        let delivering = start(
            context.child("node"),
            seat,
            (machine, outlets),
            ends,
            channels,
        )
        .await;
        match delivering.await {
            Ok(Err(disk)) => Err(disk.into()),
            Ok(Ok(())) | Err(_) => Err(NodeError::Engine),
        }
    })
}

/// The node's copy of the chain from its disk, and whose voting keys are known.
fn open(config: &mut Config) -> Result<(Machine, Outlets, Known), NodeError> {
    let verify = Box::new(Remembering::new(Strict));
    let founding = Ledger::genesis(&config.genesis);
    let store = Store::open(&config.store, founding, &*verify)?;
    let replica = Replica::new(store, verify, Limits::default(), config.attester.take())?
        .with_epochs(config.genesis.document().epoch_blocks)
        .voting_after(config.votes_after);
    let known = known(&config.genesis, replica.ledger(), &config.peers)?;
    let (machine, outlets) = Machine::new(replica, config.pace);
    Ok((machine, outlets, known))
}

fn network<U: Upgrader>(transport: U, home: &Home, listen: SocketAddr) -> lookup::Config<U> {
    let mut network = lookup::Config::local(
        transport,
        home.genesis.as_bytes(),
        listen,
        NZUsize!(64),
        message_bytes(),
        NZUsize!(1024),
    );
    network.tracked_peer_sets = NZUsize!(1);
    network.ping_frequency = PING;
    network.dial_timeout = CALL;
    network.dial_frequency = CALLS;
    network
}

type Addresses = BTreeMap<Identity, SocketAddr>;

/// Where nodes are reached, this one included.
fn addresses(keys: &NodeKeys, listen: SocketAddr, peers: &[Peer]) -> Result<Addresses, NodeError> {
    let mut all = Addresses::from([(keys.identity.public_key(), listen)]);
    for peer in peers {
        if all.insert(peer.name()?, peer.address).is_some() {
            return Err(NodeError::Peer(peer.identity));
        }
    }
    Ok(all)
}

/// Whose keys are known: those of the genesis, of the present validators, and those that the peers' owners told.
fn known(genesis: &Genesis, ledger: &Ledger, peers: &[Peer]) -> Result<Known, NodeError> {
    let known = Known::default();
    let with_key = |peer: &Peer| Some((peer.name(), peer.key.clone()?));
    let named = peers.iter().filter_map(with_key);
    let named: Result<Vec<_>, NodeError> = named.map(|(name, key)| Ok((name?, key))).collect();
    known.learn_all(named?);
    known.learn(&Validators::of(genesis.validators())?);
    known.learn(&Validators::of(ledger.validators())?);
    Ok(known)
}

impl Peer {
    fn name(&self) -> Result<Identity, NodeError> {
        let identity = Identity::decode(Bytes::copy_from_slice(&self.identity));
        identity.map_err(|_| NodeError::Peer(self.identity))
    }
}

/// All whose addresses are known, whatever the epoch: who follows today votes tomorrow, and who is behind does not know yet
/// who votes today.
fn everybody(addresses: &Addresses) -> Map<Identity, Address> {
    let all = addresses.iter();
    let all = all.map(|(identity, address)| (identity.clone(), Address::from(*address)));
    let all: Vec<_> = all.collect();
    all.try_into().expect("an identity has one address")
}

fn warn_of_strangers(addresses: &Addresses, validators: &Validators) {
    for identity in validators.identities() {
        if !addresses.contains_key(identity) {
            warn!(?identity, "no address of this validator among the peers");
        }
    }
}
