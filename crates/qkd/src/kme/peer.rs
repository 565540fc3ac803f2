//! Connections between key managers: TLS with both certificates, frames with their length before them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tracing::{debug, info, warn};
use zeroize::Zeroizing;

use crate::etsi::KmeId;
use crate::tls::{TlsError, common_name};

use super::core::{CodecError, FRAME_BYTES_MAX, Frame, Input, LinkId};
use super::engine::{EngineHandle, Message};

/// Frames that may wait for a connection; beyond that it is cut.
const FRAMES: usize = 1_024;
/// Until TCP and TLS stand.
const CONNECT: Duration = Duration::from_secs(5);
/// Until a written frame is taken.
const WRITE: Duration = Duration::from_secs(5);
/// Between two attempts.
const AGAIN: Duration = Duration::from_millis(100);
/// Connections that have not proved an identity yet.
const STRANGERS: usize = 16;

/// Why a connection between key managers ends.
#[derive(Debug, Error)]
enum PeerError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("no answer for {} s", .0.as_secs())]
    Slow(Duration),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("{0:?} is no address of the form host:port")]
    Address(String),
    #[error("the certificate names {found:?}, expected {expected}")]
    Name { found: String, expected: String },
    #[error("a frame of {0} bytes")]
    Long(usize),
    #[error("a frame that makes no sense: {0}")]
    Frame(#[from] CodecError),
}

/// What connections of one key manager share.
#[derive(Clone, Debug)]
pub(crate) struct Peers {
    pub(crate) engine: EngineHandle,
    pub(crate) links: Arc<BTreeMap<KmeId, LinkId>>,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) sessions: Arc<AtomicU64>,
}

/// Dials one key manager again and again.
pub(crate) async fn dial(
    peers: Peers,
    peer: KmeId,
    address: String,
    tls: Arc<rustls::ClientConfig>,
) {
    let mut stop = peers.stop.clone();
    let mut said = String::new();
    while !*stop.borrow() {
        let once = async {
            let stream = connect(&address, &tls, &peer).await?;
            info!(%peer, %address, "connected to the other key manager");
            peers.run(&peer, true, stream).await
        };
        tokio::select! {
            ended = once => if let Err(error) = ended {
                // The same failure again and again is said once.
                let text = error.to_string();
                if text != said {
                    warn!(%peer, %address, error = text, "no connection to the other key manager");
                    said = text;
                }
            } else {
                said.clear();
            },
            _ = stop.changed() => {}
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn connect(
    address: &str,
    tls: &Arc<rustls::ClientConfig>,
    peer: &KmeId,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, PeerError> {
    let no_address = || PeerError::Address(address.to_owned());
    let (host, _) = address.rsplit_once(':').ok_or_else(no_address)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned()).map_err(|_| no_address())?;
    let connecting = async {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let connector = TlsConnector::from(Arc::clone(tls));
        Ok::<_, PeerError>(connector.connect(name, stream).await?)
    };
    let stream = timeout(CONNECT, connecting)
        .await
        .map_err(|_| PeerError::Slow(CONNECT))??;
    let found = name_of(stream.get_ref().1.peer_certificates())?;
    if found != peer.as_str() {
        return Err(PeerError::Name {
            found,
            expected: peer.to_string(),
        });
    }
    Ok(stream)
}

fn name_of(certificates: Option<&[CertificateDer<'_>]>) -> Result<String, TlsError> {
    match certificates.and_then(<[_]>::first) {
        Some(certificate) => common_name(certificate),
        None => Err(TlsError::CommonName { found: 0 }),
    }
}

/// Takes the connections of key managers that dial.
pub(crate) async fn accept(peers: Peers, listener: TcpListener, tls: Arc<rustls::ServerConfig>) {
    let acceptor = TlsAcceptor::from(tls);
    let strangers = Arc::new(Semaphore::new(STRANGERS));
    let mut stop = peers.stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => return,
        };
        let Ok((stream, from)) = accepted else {
            tokio::time::sleep(AGAIN).await;
            continue;
        };
        let Ok(stranger) = Arc::clone(&strangers).try_acquire_owned() else {
            debug!(%from, "too many connections without a name");
            continue;
        };
        let (peers, acceptor) = (peers.clone(), acceptor.clone());
        tokio::spawn(async move {
            let mut stop = peers.stop.clone();
            let once = async {
                stream.set_nodelay(true)?;
                let stream = timeout(CONNECT, acceptor.accept(stream))
                    .await
                    .map_err(|_| PeerError::Slow(CONNECT))??;
                drop(stranger);
                let found = name_of(stream.get_ref().1.peer_certificates())?;
                let peer = peers.links.keys().find(|peer| peer.as_str() == found);
                let Some(peer) = peer.cloned() else {
                    let expected = "a key manager of the settings".to_owned();
                    return Err(PeerError::Name { found, expected });
                };
                info!(%peer, %from, "the other key manager is connected");
                peers.run(&peer, false, stream).await
            };
            tokio::select! {
                ended = once => if let Err(error) = ended {
                    warn!(%from, %error, "a connection of a key manager ended");
                },
                _ = stop.changed() => {}
            }
        });
    }
}

impl Peers {
    /// Carries frames until the connection ends.
    async fn run<S>(&self, peer: &KmeId, dialled: bool, stream: S) -> Result<(), PeerError>
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let Some(&link) = self.links.get(peer) else {
            return Ok(());
        };
        let session = self.sessions.fetch_add(1, Ordering::Relaxed);
        let (frames, outgoing) = mpsc::channel(FRAMES);
        let up = Message::PeerUp {
            link,
            session,
            dialled,
            frames,
        };
        if !self.engine.send(up).await {
            return Ok(());
        }
        let (reader, writer) = tokio::io::split(stream);
        let ended = tokio::select! {
            ended = self.read(link, session, reader) => ended,
            ended = write(outgoing, writer) => ended,
        };
        let down = Input::PeerDown { link, session };
        self.engine.send(Message::Input(down)).await;
        ended
    }

    async fn read(
        &self,
        link: LinkId,
        session: u64,
        mut reader: impl AsyncRead + Unpin,
    ) -> Result<(), PeerError> {
        let mut buffered = tokio::io::BufReader::with_capacity(1 << 16, &mut reader);
        loop {
            let length = buffered.read_u32().await? as usize;
            if length > FRAME_BYTES_MAX {
                return Err(PeerError::Long(length));
            }
            let mut bytes = Zeroizing::new(vec![0; length]);
            buffered.read_exact(&mut bytes).await?;
            let frame = Frame::decode(&bytes)?;
            let input = Input::Peer {
                link,
                session,
                frame,
            };
            if !self.engine.send(Message::Input(input)).await {
                return Ok(());
            }
        }
    }
}

/// Writes frames until nobody sends any more; all that wait go out in one piece.
async fn write(
    mut frames: mpsc::Receiver<Frame>,
    mut writer: impl AsyncWrite + Unpin,
) -> Result<(), PeerError> {
    while let Some(frame) = frames.recv().await {
        let mut bytes = Zeroizing::new(Vec::new());
        append(&mut bytes, &frame);
        while bytes.len() < 1 << 16
            && let Ok(frame) = frames.try_recv()
        {
            append(&mut bytes, &frame);
        }
        let writing = async {
            writer.write_all(&bytes).await?;
            writer.flush().await
        };
        timeout(WRITE, writing)
            .await
            .map_err(|_| PeerError::Slow(WRITE))??;
    }
    Ok(())
}

fn append(bytes: &mut Vec<u8>, frame: &Frame) {
    let encoded = frame.encode();
    bytes.reserve(encoded.len() + 4);
    bytes.extend_from_slice(&(encoded.len() as u32).to_be_bytes());
    bytes.extend_from_slice(&encoded);
}
