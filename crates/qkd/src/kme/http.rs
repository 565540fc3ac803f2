//! The listener for SAEs: TLS with both certificates, HTTP/1.1.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tracing::debug;

use crate::etsi::SaeId;
use crate::tls::common_name;

use super::api;
use super::core::{Answer, Refusal};
use super::engine::EngineHandle;

/// Connections at once.
const CONNECTIONS: usize = 1_024;
/// Until TLS stands.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Between requests, and until a request's head is there.
const HEAD: Duration = Duration::from_secs(30);
/// Until a request's body is there.
const BODY: Duration = Duration::from_secs(10);
/// Until the engine answers.
const ANSWER: Duration = Duration::from_secs(10);
/// For requests under way when the key manager stops.
const DRAIN: Duration = Duration::from_secs(5);
/// Longest head of a request, bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// What connections share.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) engine: EngineHandle,
    pub(crate) saes: Arc<BTreeSet<SaeId>>,
}

/// Takes connections of SAEs until told to stop, then waits for requests under way.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Arc<rustls::ServerConfig>,
    door: Door,
    mut stop: watch::Receiver<bool>,
) {
    let acceptor = TlsAcceptor::from(tls);
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(connection) = Arc::clone(&connections).acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => break,
        };
        let Ok((stream, from)) = accepted else {
            // Out of file descriptors, or a connection that was gone at once.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let (acceptor, door, stop) = (acceptor.clone(), door.clone(), stop.clone());
        tokio::spawn(async move {
            if let Err(error) = converse(stream, acceptor, door, stop).await {
                debug!(%from, error, "a connection ended");
            }
            drop(connection);
        });
    }
    drop(listener);
    let all = u32::try_from(CONNECTIONS - 1).unwrap_or(u32::MAX);
    let _ = timeout(DRAIN, connections.acquire_many(all)).await;
}

async fn converse(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    door: Door,
    mut stop: watch::Receiver<bool>,
) -> Result<(), String> {
    stream
        .set_nodelay(true)
        .map_err(|error| error.to_string())?;
    let stream = timeout(HANDSHAKE, acceptor.accept(stream))
        .await
        .map_err(|_| "no TLS in time".to_owned())?
        .map_err(|error| error.to_string())?;
    let certificate = stream.get_ref().1.peer_certificates();
    let certificate = certificate.and_then(<[_]>::first);
    let caller = certificate
        .and_then(|certificate| common_name(certificate).ok())
        .and_then(|name| SaeId::try_from(name).ok())
        .filter(|sae| door.saes.contains(sae));
    let service = service_fn(|request| answer(request, caller.clone(), door.engine.clone()));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stop.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    ended.map_err(|error| error.to_string())
}

async fn answer(
    request: Request<Incoming>,
    caller: Option<SaeId>,
    engine: EngineHandle,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let response = match caller {
        Some(caller) => asked(request, caller, &engine).await,
        // A certificate without one clear name, or of somebody else's SAE.
        None => api::refused(&Refusal::NotServed {
            caller: String::new(),
        }),
    };
    Ok(response.map(Full::new))
}

async fn asked(
    request: Request<Incoming>,
    caller: SaeId,
    engine: &EngineHandle,
) -> Response<Bytes> {
    let Some(route) = api::route(request.uri().path()) else {
        return api::not_found();
    };
    let (head, body) = request.into_parts();
    if !api::allows(route.endpoint, &head.method) {
        return api::not_allowed(route.endpoint);
    }
    let body = match read(&head, body).await {
        Ok(body) => body,
        Err(text) => {
            // What is left of the body is not read, so the connection cannot go on.
            let mut response = api::refused(&Refusal::Malformed(text));
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
            return response;
        }
    };
    let query = head.uri.query().unwrap_or_default();
    let ask = match api::ask(route, &head.method, query, &body) {
        Ok(ask) => ask,
        Err(refusal) => return api::refused(&refusal),
    };
    let late = Answer::Refused(Refusal::Busy("slow to answer; ask again"));
    let answer = timeout(ANSWER, engine.ask(caller, ask)).await;
    api::response(answer.unwrap_or(late))
}

async fn read(head: &hyper::http::request::Parts, body: Incoming) -> Result<Bytes, String> {
    let max = api::BODY_BYTES_MAX;
    let length = head.headers.get(CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let too_long = || format!("a body of more than {max} bytes");
    if length.is_some_and(|length| length > max as u64) {
        return Err(too_long());
    }
    let collecting = timeout(BODY, Limited::new(body, max).collect());
    let body = match collecting.await {
        Err(_) => return Err(format!("the body did not come within {} s", BODY.as_secs())),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_long()),
        Ok(Err(error)) => return Err(format!("the body cannot be read: {error}")),
        Ok(Ok(body)) => body.to_bytes(),
    };
    if head.method == Method::GET && !body.is_empty() {
        return Err("GET has no body; use POST, or parameters in the URI".to_owned());
    }
    if !body.is_empty() && !api::is_json(head.headers.get(CONTENT_TYPE)) {
        return Err("the body must be of Content-Type application/json".to_owned());
    }
    Ok(body)
}
