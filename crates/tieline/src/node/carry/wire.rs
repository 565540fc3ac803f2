//! One node over HTTP: a connection that is kept while it stands.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::super::http::OCTETS;

/// Longest answer that is taken, bytes.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// Until a connection stands, and until an answer is there.
const LIMIT: Duration = Duration::from_secs(10);

/// Not where a node could be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{url:?} is no address of the form http://host:port")]
pub struct AddressError {
    /// What was there.
    pub url: String,
}

/// Where a node answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// `host:port`
    authority: String,
}

impl Address {
    /// Reads `http://host:port`.
    ///
    /// # Errors
    /// [`AddressError`]
    pub fn parse(url: &str) -> Result<Address, AddressError> {
        let wrong = || AddressError {
            url: url.chars().take(80).collect(),
        };
        let rest = url.strip_prefix("http://").ok_or_else(wrong)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = authority.rsplit_once(':').ok_or_else(wrong)?;
        let port: u16 = port.parse().map_err(|_| wrong())?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        if port == 0 || host.is_empty() || !host.bytes().all(plain) {
            return Err(wrong());
        }
        Ok(Address {
            authority: authority.to_owned(),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

/// No whole answer.
#[derive(Debug)]
pub(super) struct NoAnswer;

type Sender = SendRequest<Full<Bytes>>;

/// A node.
#[derive(Debug)]
pub(super) struct Wire {
    address: Address,
    /// One request at a time.
    open: Mutex<Option<Sender>>,
}

impl Wire {
    pub(super) fn new(address: Address) -> Wire {
        let open = Mutex::new(None);
        Wire { address, open }
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Code and body. What is asked here may be asked twice, so a connection that was closed meanwhile is opened again.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<(u16, Vec<u8>), NoAnswer> {
        let mut open = self.open.lock().await;
        let body = body.map(Bytes::from);
        if let Some(mut sender) = open.take()
            && let Ok(answer) = self.send(&mut sender, &method, path, body.clone()).await
        {
            *open = Some(sender);
            return Ok(answer);
        }
        let connecting = timeout(LIMIT, self.connect()).await;
        let mut sender = connecting.map_err(|_| NoAnswer)??;
        let answer = self.send(&mut sender, &method, path, body).await?;
        *open = Some(sender);
        Ok(answer)
    }

    async fn connect(&self) -> Result<Sender, NoAnswer> {
        let stream = TcpStream::connect(&self.address.authority).await;
        let stream = stream.map_err(|_| NoAnswer)?;
        let _ = stream.set_nodelay(true);
        let made = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = made.map_err(|_| NoAnswer)?;
        tokio::spawn(async move {
            // How it ended is told to whoever waits for an answer; without a sender it ends.
            let _ = connection.await;
        });
        Ok(sender)
    }

    async fn send(
        &self,
        sender: &mut Sender,
        method: &Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<(u16, Vec<u8>), NoAnswer> {
        let mut request = Request::builder().method(method.clone()).uri(path);
        request = request.header(HOST, &self.address.authority);
        if body.is_some() {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static(OCTETS));
        }
        let request = request.body(Full::new(body.unwrap_or_default()));
        let request = request.map_err(|_| NoAnswer)?;
        let asking = async {
            sender.ready().await.map_err(|_| NoAnswer)?;
            let response = sender.send_request(request).await.map_err(|_| NoAnswer)?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|_| NoAnswer)?.to_bytes();
            Ok((head.status.as_u16(), body.to_vec()))
        };
        timeout(LIMIT, asking).await.map_err(|_| NoAnswer)?
    }
}

/// Asks a node one thing and waits for it: code and body; `None` where there is no whole answer in time.
pub fn ask_once(
    address: &Address,
    method: Method,
    path: &str,
    body: Option<Vec<u8>>,
) -> Option<(u16, Vec<u8>)> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().ok()?;
    let wire = Wire::new(address.clone());
    runtime.block_on(wire.ask(method, path, body)).ok()
}
