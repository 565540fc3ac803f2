//! A running key manager: listeners, links, sources, engine.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::etsi::KmeId;
use crate::tls::{Identity, TlsError};

use super::config::{ConfigError, KmeConfig, PeerConfig};
use super::core::{Input, LinkId, Peer};
use super::disk::DiskError;
use super::engine::{Engine, EngineHandle, Message};
use super::http::Door;
use super::line::{LinkSource, LinkSourceError};
use super::peer::Peers;
use super::recover::{Who, recover};
use super::source::{DevelopmentSource, KeySource, Origin};
use super::{admin, http, peer};

/// How often the state machine is told the time.
const TICK: Duration = Duration::from_millis(100);
/// How often a source is asked what its line did.
const LOOK: Duration = Duration::from_secs(1);

/// Why a key manager does not start, or ended.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KmeError {
    /// Settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The folder.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The certificate is another's.
    #[error("{path} names {found:?} in its subject (CN), the settings say {expected}", path = path.display())]
    OtherName {
        /// Which certificate.
        path: PathBuf,
        /// Its name.
        found: String,
        /// The name of the settings.
        expected: KmeId,
    },
    /// An address that cannot be used.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A link that cannot be modelled.
    #[error("peer.link of {peer}: {source}")]
    Link {
        /// The other end.
        peer: KmeId,
        /// Why.
        source: LinkSourceError,
    },
    /// A thread could not be started, or broke.
    #[error("{0}")]
    Thread(String),
}

/// What does not belong into a file of settings.
#[derive(Default)]
pub struct Options {
    /// Sources of keys for the links that this end dials; for those not named what the settings say.
    pub sources: BTreeMap<KmeId, Box<dyn KeySource>>,
    /// Leaves out every sync to disk. For measurements alone: a power failure then delivers keys twice.
    pub without_sync: bool,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("sources", &self.sources.keys())
            .field("without_sync", &self.without_sync)
            .finish()
    }
}

/// A running key manager.
#[derive(Debug)]
pub struct Kme {
    id: KmeId,
    addresses: Addresses,
    engine: EngineHandle,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    thread: Option<JoinHandle<Result<(), DiskError>>>,
    ended: watch::Receiver<bool>,
}

/// Where a key manager listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Addresses {
    /// For SAEs.
    pub sae: SocketAddr,
    /// For key managers that dial.
    pub peer: Option<SocketAddr>,
    /// Pages.
    pub admin: Option<SocketAddr>,
}

impl Kme {
    /// Starts a key manager within a runtime of tokio.
    ///
    /// # Errors
    /// Settings, certificates, folder or addresses are of no use.
    pub async fn start(config: &KmeConfig, options: Options) -> Result<Kme, KmeError> {
        config.check()?;
        let identity = Identity::read(&config.certificate, &config.key, &config.ca)?;
        let found = identity.name()?;
        if found != config.kme_id.as_str() {
            return Err(KmeError::OtherName {
                path: config.certificate.clone(),
                found,
                expected: config.kme_id.clone(),
            });
        }
        let sae_listener = bind(config.listen).await?;
        let peer_listener = bind_some(config.peer_listen).await?;
        let admin_listener = bind_some(config.admin_listen).await?;
        let addresses = Addresses {
            sae: address_of(&sae_listener, config.listen),
            peer: peer_listener
                .as_ref()
                .zip(config.peer_listen)
                .map(|(l, a)| address_of(l, a)),
            admin: admin_listener
                .as_ref()
                .zip(config.admin_listen)
                .map(|(l, a)| address_of(l, a)),
        };
        let (stop, stopped) = watch::channel(false);
        let (engine, thread, ended, links) = start_engine(config, options)?;
        let mut tasks = JoinSet::new();
        let door = Door {
            engine: engine.clone(),
            saes: Arc::new(config.sae.keys().cloned().collect()),
        };
        tasks.spawn(http::serve(
            sae_listener,
            identity.server()?,
            door,
            stopped.clone(),
        ));
        if let Some(listener) = admin_listener {
            tasks.spawn(admin::serve(listener, engine.clone(), stopped.clone()));
        }
        let peers = Peers {
            engine: engine.clone(),
            links: Arc::new(links),
            stop: stopped.clone(),
            sessions: Arc::new(AtomicU64::new(1)),
        };
        for (kme, settings) in &config.peer {
            if let Some(address) = &settings.dial {
                let tls = identity.client()?;
                tasks.spawn(peer::dial(peers.clone(), kme.clone(), address.clone(), tls));
            }
        }
        if let Some(listener) = peer_listener {
            tasks.spawn(peer::accept(peers, listener, identity.server()?));
        }
        tasks.spawn(tick(engine.clone(), stopped));
        info!(kme = %config.kme_id, listen = %addresses.sae, "key manager started");
        Ok(Kme {
            id: config.kme_id.clone(),
            addresses,
            engine,
            stop,
            tasks,
            thread: Some(thread),
            ended,
        })
    }

    /// Its identifier.
    pub fn id(&self) -> &KmeId {
        &self.id
    }

    /// Where it listens.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Figures of this moment; `None` when it has ended.
    pub async fn figures(&self) -> Option<super::core::Figures> {
        self.engine.figures().await.map(|figures| *figures)
    }

    /// Waits until it ends by itself, which only a broken folder makes it do.
    pub async fn ended(&mut self) {
        let _ = self.ended.wait_for(|ended| *ended).await;
    }

    /// Stops it: no new connections, requests under way are answered, then the folder is released.
    ///
    /// # Errors
    /// Why it had ended before, or could not end well.
    pub async fn stop(mut self) -> Result<(), KmeError> {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
        let _ = self.engine.send(Message::Stop).await;
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        match joined {
            Ok(Ok(ended)) => Ok(ended?),
            _ => Err(KmeError::Thread("the engine's thread broke".to_owned())),
        }
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, KmeError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| KmeError::Listen { address, source })
}

async fn bind_some(address: Option<SocketAddr>) -> Result<Option<TcpListener>, KmeError> {
    match address {
        Some(address) => bind(address).await.map(Some),
        None => Ok(None),
    }
}

fn address_of(listener: &TcpListener, asked: SocketAddr) -> SocketAddr {
    listener.local_addr().unwrap_or(asked)
}

async fn tick(engine: EngineHandle, mut stop: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.changed() => return,
        }
        if !engine.send(Message::Input(Input::Tick)).await {
            return;
        }
    }
}

type Started = (
    EngineHandle,
    JoinHandle<Result<(), DiskError>>,
    watch::Receiver<bool>,
    BTreeMap<KmeId, LinkId>,
);

fn start_engine(config: &KmeConfig, mut options: Options) -> Result<Started, KmeError> {
    let mut sources: BTreeMap<KmeId, Box<dyn KeySource>> = BTreeMap::new();
    let mut peers = Vec::new();
    for (kme, settings) in &config.peer {
        let mut origin = Origin::Simulated;
        if settings.dial.is_some() {
            let source = match options.sources.remove(kme) {
                Some(given) => given,
                None => source_of(kme, settings)?,
            };
            origin = source.origin();
            sources.insert(kme.clone(), source);
        }
        peers.push(Peer {
            kme: kme.clone(),
            saes: settings.saes.clone(),
            origin,
        });
    }
    let who = Who {
        kme: config.kme_id.clone(),
        limits: config.limits(),
        saes: config.sae.clone(),
        peers,
    };
    let (folder, manager, links) = recover(&config.data, &who, !options.without_sync)?;
    let mut wants = BTreeMap::new();
    let mut waiting = Vec::new();
    for (kme, source) in sources {
        let (sender, receiver) = std::sync::mpsc::channel();
        wants.insert(links[&kme], sender);
        waiting.push((links[&kme], source, receiver));
    }
    let (engine, handle) = Engine::new(manager, folder, wants)
        .map_err(|error| KmeError::Thread(format!("cannot start a thread: {error}")))?;
    for (link, source, receiver) in waiting {
        let engine = handle.clone();
        spawn("source", move || draw(link, source, &receiver, &engine))?;
    }
    let (ending, ended) = watch::channel(false);
    let thread = spawn("engine", move || {
        let result = engine.run();
        let _ = ending.send(true);
        result
    })?;
    Ok((handle, thread, ended, links))
}

/// The source that the settings of a link ask for.
fn source_of(kme: &KmeId, settings: &PeerConfig) -> Result<Box<dyn KeySource>, KmeError> {
    let Some(link) = &settings.link else {
        return Ok(Box::new(DevelopmentSource::new(settings.bits_per_second)));
    };
    let source = LinkSource::new(link).map_err(|source| KmeError::Link {
        peer: kme.clone(),
        source,
    })?;
    let bits_per_second = (source.model().quiet_rate_bps() * link.speed).round();
    info!(peer = %kme, preset = ?link.preset, km = link.distance_km, speed = link.speed, bits_per_second,
        "keys come from the link model: simulated");
    if link.seed.is_some() {
        warn!(peer = %kme, "the link's seed is set: the same bits come again after a restart; for tests alone");
    }
    Ok(Box::new(source))
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, KmeError> {
    std::thread::Builder::new()
        .name(format!("kme-{name}"))
        .spawn(work)
        .map_err(|error| KmeError::Thread(format!("cannot start a thread: {error}")))
}

/// Asks a source whenever the engine wants bits, and what its line did; ends with the engine.
fn draw(
    link: LinkId,
    mut source: Box<dyn KeySource>,
    wants: &Receiver<u64>,
    engine: &EngineHandle,
) {
    let start = Instant::now();
    let mut look_at = start;
    let mut told = None;
    loop {
        let now = Instant::now();
        if now >= look_at {
            look_at = now + LOOK;
            let line = source.line(start.elapsed());
            if let Some(line) = line.clone().filter(|_| line != told)
                && !engine.blocking_send(Message::Input(Input::Line { link, line }))
            {
                return;
            }
            told = line;
        }
        let bits_max = match wants.recv_timeout(look_at.saturating_duration_since(now)) {
            Ok(bits_max) => bits_max,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let drawn = source.draw(start.elapsed(), bits_max);
        if !engine.blocking_send(Message::Input(Input::Drawn { link, drawn })) {
            return;
        }
    }
}
