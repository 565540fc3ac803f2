//! One connection to a key manager, and raw requests over it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use crate::tls::common_name;

/// Longest answer taken, bytes.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// Why there is no answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WireError {
    /// No `https://host:port`.
    #[error("{url:?} is no address of the form https://host:port")]
    Url {
        /// What was there.
        url: String,
    },
    /// TCP or TLS does not stand; nothing was asked.
    #[error("no connection to {address}: {why}")]
    Connect {
        /// Where.
        address: String,
        /// Why.
        why: String,
    },
    /// The request did not leave; nothing was asked.
    #[error("the connection to {address} was closed before the request was sent")]
    NotSent {
        /// Where.
        address: String,
    },
    /// The request left and no whole answer came: whether it was fulfilled is unknown.
    #[error("no whole answer from {address}: {why}")]
    Lost {
        /// Where.
        address: String,
        /// Why.
        why: String,
    },
}

/// Where a key manager is.
#[derive(Clone, Debug)]
pub struct Address {
    name: ServerName<'static>,
    /// `host:port`
    pub authority: String,
}

impl Address {
    /// Reads `https://host:port`; without a port it is 443.
    ///
    /// # Errors
    /// [`WireError::Url`]
    pub fn parse(url: &str) -> Result<Address, WireError> {
        let wrong = || WireError::Url {
            url: url.to_owned(),
        };
        let rest = url.strip_prefix("https://").ok_or_else(wrong)?;
        let authority = rest.trim_end_matches('/');
        if authority.is_empty() || authority.contains(['/', '?', '#', '@', ' ']) {
            return Err(wrong());
        }
        let bracketed = authority.ends_with(']');
        let (host, authority) = match authority.rsplit_once(':') {
            Some((host, port)) if !bracketed => {
                port.parse::<u16>().map_err(|_| wrong())?;
                (host, authority.to_owned())
            }
            _ => (authority, format!("{authority}:443")),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(|_| wrong())?;
        Ok(Address { name, authority })
    }
}

/// What came back.
pub struct Raw {
    /// The code of HTTP.
    pub code: u16,
    /// The head.
    pub headers: HeaderMap,
    /// The body.
    pub body: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} <redacted, {} bytes>", self.code, self.body.len())
    }
}

/// A connection that stands.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
    authority: String,
    /// The common name of the server's certificate, when it has one.
    pub name: Option<String>,
    /// The version of TLS, as `TLSv1_3`.
    pub version: String,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    /// Connects, within `limit`.
    ///
    /// # Errors
    /// [`WireError::Connect`]
    pub async fn open(
        address: &Address,
        tls: Arc<rustls::ClientConfig>,
        limit: Duration,
    ) -> Result<Connection, WireError> {
        let failed = |why: String| WireError::Connect {
            address: address.authority.clone(),
            why,
        };
        let connecting = async {
            let stream = TcpStream::connect(&address.authority).await?;
            stream.set_nodelay(true)?;
            TlsConnector::from(tls)
                .connect(address.name.clone(), stream)
                .await
        };
        let stream = timeout(limit, connecting)
            .await
            .map_err(|_| failed(format!("no TLS within {} ms", limit.as_millis())))?
            .map_err(|error| failed(error.to_string()))?;
        let session = stream.get_ref().1;
        let name = session
            .peer_certificates()
            .and_then(<[_]>::first)
            .and_then(|certificate| common_name(certificate).ok());
        let version = session
            .protocol_version()
            .and_then(|version| version.as_str())
            .unwrap_or("unknown")
            .to_owned();
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failed(error.to_string()))?;
        let driver = tokio::spawn(async move {
            // How it ended is told to whoever waits for an answer.
            let _ = connection.await;
        });
        Ok(Connection {
            sender,
            driver,
            authority: address.authority.clone(),
            name,
            version,
        })
    }

    /// Whether another request can be sent.
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Asks and waits for the whole answer, within `limit`.
    ///
    /// # Errors
    /// [`WireError::NotSent`], or [`WireError::Lost`]: the key manager may or may not have fulfilled the request.
    pub async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        limit: Duration,
    ) -> Result<Raw, WireError> {
        let address = self.authority.clone();
        let not_sent = || WireError::NotSent {
            address: address.clone(),
        };
        let lost = |why: String| WireError::Lost {
            address: address.clone(),
            why,
        };
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(HOST, &self.authority);
        if body.is_some() {
            let json = HeaderValue::from_static("application/json");
            request = request.header(CONTENT_TYPE, json);
        }
        let body = Full::new(Bytes::from(body.unwrap_or_default()));
        let request = request.body(body).map_err(|_| not_sent())?;
        if self.sender.ready().await.is_err() {
            return Err(not_sent());
        }
        let asking = async {
            let response = match self.sender.send_request(request).await {
                Ok(response) => response,
                Err(error) if error.is_canceled() => return Err(not_sent()),
                Err(error) => return Err(lost(error.to_string())),
            };
            let (head, body) = response.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| lost(error.to_string()))?.to_bytes();
            Ok(Raw {
                code: head.status.as_u16(),
                headers: head.headers,
                body: Zeroizing::new(body.to_vec()),
            })
        };
        timeout(limit, asking)
            .await
            .map_err(|_| lost(format!("nothing within {} ms", limit.as_millis())))?
    }
}
