//! Two ends of a connection in one seeded runtime, with somebody in the middle.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use commonware_cryptography::Signer as _;
use commonware_runtime::{
    Error, IoBufs, Runner as _, Sink, Spawner as _, Supervisor as _, deterministic, mocks,
};
use commonware_stream::Upgrader as _;
use tieline_engine::transport::{
    ClockBounds, Event, HybridHandshake, LinkError, Links, NoPsk, NodeKeys, Peer, Psk, PskFuture,
    PskId, PskPolicy, Transport,
};
use tieline_engine::validators::Identity;
use zeroize::Zeroizing;

use crate::support::{election, identity, signing, validator};

pub(crate) const NAMESPACE: &[u8] = b"harbour_STREAM";
pub(crate) const MESSAGE_BYTES_MAX: u32 = 1024;
pub(crate) const DIALER: u8 = 1;
pub(crate) const LISTENER: u8 = 2;

/// What a node of a test knows.
#[derive(Default)]
pub(crate) struct Table {
    /// Its peers.
    pub(crate) peers: BTreeMap<Identity, Peer>,
    /// The next key to draw; a second draw finds the link dry.
    pub(crate) draws: Mutex<Option<(PskId, u8)>>,
    /// Keys to be found; each once.
    pub(crate) finds: Mutex<BTreeMap<PskId, u8>>,
    /// What was reported.
    pub(crate) events: Mutex<Vec<String>>,
}

impl Table {
    /// Knows the others by their seeds.
    pub(crate) fn of(peers: impl IntoIterator<Item = (u8, PskPolicy)>) -> Table {
        let peers = peers.into_iter().map(|(seed, psk)| {
            let known = validator(seed);
            let signing = known.signing;
            (known.identity, Peer { signing, psk })
        });
        Table {
            peers: peers.collect(),
            ..Table::default()
        }
    }
}

fn key(id: PskId, byte: u8) -> Result<Psk, NoPsk> {
    Psk::new(id, Zeroizing::new(vec![byte; 32]))
}

impl Links for Table {
    fn peer(&self, identity: &Identity) -> Option<Peer> {
        self.peers.get(identity).cloned()
    }

    fn draw<'a>(&'a self, _: &'a Identity) -> PskFuture<'a> {
        let drawn = self.draws.lock().unwrap().take();
        Box::pin(async move { drawn.map_or(Err(NoPsk::Dry), |(id, byte)| key(id, byte)) })
    }

    fn find<'a>(&'a self, _: &'a Identity, id: PskId) -> PskFuture<'a> {
        let found = self.finds.lock().unwrap().remove(&id);
        Box::pin(async move { found.map_or(Err(NoPsk::Unknown { id }), |byte| key(id, byte)) })
    }

    fn report(&self, event: &Event<'_>) {
        let line = match event {
            Event::Established {
                role,
                label,
                because: None,
                ..
            } => format!("{role:?}: {label}"),
            Event::Established {
                role,
                label,
                because: Some(why),
                ..
            } => format!("{role:?}: {label}: {why}"),
            Event::Refused { role, error, .. } => format!("{role:?}: refused: {error}"),
        };
        self.events.lock().unwrap().push(line);
    }
}

/// The name of every QKD key here.
pub(crate) const ID: PskId = PskId([7; 16]);

/// Tables of a dialer and a listener with these policies, and a QKD key where there is one.
pub(crate) fn tables(
    (dialer, draws): (PskPolicy, Option<u8>),
    (listener, finds): (PskPolicy, Option<u8>),
) -> (Arc<Table>, Arc<Table>) {
    let (one, two) = (
        Table::of([(LISTENER, dialer)]),
        Table::of([(DIALER, listener)]),
    );
    *one.draws.lock().unwrap() = draws.map(|byte| (ID, byte));
    two.finds
        .lock()
        .unwrap()
        .extend(finds.map(|byte| (ID, byte)));
    (Arc::new(one), Arc::new(two))
}

/// Those of two without a QKD link.
pub(crate) fn plain() -> (Arc<Table>, Arc<Table>) {
    tables((PskPolicy::None, None), (PskPolicy::None, None))
}

/// A handshake with the keys of these seeds: (identity, signing key).
pub(crate) fn handshake((name, sign): (u8, u8), table: &Arc<Table>) -> HybridHandshake {
    let keys = NodeKeys {
        identity: identity(name),
        signing: Arc::new(signing(sign)),
    };
    let election = election();
    let bounds = ClockBounds::default();
    HybridHandshake::new(
        election.chain,
        election.genesis,
        keys,
        bounds,
        table.clone(),
    )
}

/// Bytes that went by.
pub(crate) type Seen = Arc<Mutex<Vec<u8>>>;

/// A sink that writes down what goes through it.
pub(crate) struct Tap {
    inner: mocks::Sink,
    seen: Seen,
}

impl Sink for Tap {
    async fn send(&mut self, bufs: impl Into<IoBufs> + Send) -> Result<(), Error> {
        let bytes = bufs.into().coalesce().as_ref().to_vec();
        self.seen.lock().unwrap().extend_from_slice(&bytes);
        self.inner.send(bytes).await
    }
}

/// A channel that is listened in on.
pub(crate) fn tapped() -> (Tap, mocks::Stream, Seen) {
    let (inner, stream) = mocks::Channel::init();
    let seen = Seen::default();
    let tap = Tap {
        inner,
        seen: seen.clone(),
    };
    (tap, stream, seen)
}

/// What became of a connection.
pub(crate) struct Outcome {
    /// At the dialer.
    pub(crate) dialer: Result<(), LinkError>,
    /// At the listener: who called.
    pub(crate) listener: Result<Identity, LinkError>,
    /// What the dialer sent.
    pub(crate) sent: Vec<u8>,
}

/// Two ends, whom the dialer wants to reach, and whether the listener lets it in.
pub(crate) struct Call {
    pub(crate) dialer: Transport,
    pub(crate) listener: Transport,
    pub(crate) wanted: Identity,
    pub(crate) admits: bool,
}

impl Call {
    /// Both as they should be.
    pub(crate) fn new(dialer: &Arc<Table>, listener: &Arc<Table>) -> Call {
        Call {
            dialer: handshake((DIALER, DIALER), dialer).into_transport(),
            listener: handshake((LISTENER, LISTENER), listener).into_transport(),
            wanted: identity(LISTENER).public_key(),
            admits: true,
        }
    }

    /// Connects them, and lets them talk both ways if that succeeds.
    pub(crate) fn run(self) -> Outcome {
        let runner = deterministic::Runner::timed(Duration::from_secs(60));
        runner.start(|context| async move {
            let (sink, stream, seen) = tapped();
            let (back, answers) = mocks::Channel::init();
            let (listener, admits) = (self.listener, self.admits);
            let listening = context.child("listener").spawn(move |context| async move {
                let admit = |_| async move { admits };
                let (peer, mut sender, mut receiver) = listener
                    .listen(context, NAMESPACE, MESSAGE_BYTES_MAX, admit, stream, back)
                    .await?;
                let said = receiver.recv().await.unwrap().coalesce();
                assert_eq!(said.as_ref(), b"ahoy");
                sender.send(&b"ahoy yourself"[..]).await.unwrap();
                Ok(peer)
            });
            let dialed = self
                .dialer
                .dial(
                    context.child("dialer"),
                    NAMESPACE,
                    MESSAGE_BYTES_MAX,
                    self.wanted,
                    answers,
                    sink,
                )
                .await;
            let dialer = match dialed {
                Err(error) => Err(error),
                // The listener may still refuse; then there is nobody to talk to.
                Ok((mut sender, mut receiver)) => {
                    let _ = sender.send(&b"ahoy"[..]).await;
                    let said = receiver
                        .recv()
                        .await
                        .map(|it| it.coalesce().as_ref().to_vec());
                    assert!(said.is_err() || said.unwrap() == b"ahoy yourself");
                    Ok(())
                }
            };
            let listener = listening.await.unwrap();
            let sent = seen.lock().unwrap().clone();
            Outcome {
                dialer,
                listener,
                sent,
            }
        })
    }
}
