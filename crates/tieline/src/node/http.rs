//! A small HTTP/1.1 server for pages and figures of one process: bounded in connections, bytes and time.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

/// Connections at once; more wait until one ends.
const CONNECTIONS_MAX: usize = 128;
/// Until a request's head is there.
const HEAD: Duration = Duration::from_secs(30);
/// Until a request's body is there.
const BODY: Duration = Duration::from_secs(10);
/// How long a connection serves requests, so that nobody holds one for ever.
const LIFE: Duration = Duration::from_secs(300);
/// For a request under way at the end of a connection or of the server.
const DRAIN: Duration = Duration::from_secs(5);
/// Longest head of a request, bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Longest body of a request, 2 MiB: the longest transaction.
pub(crate) const BODY_BYTES_MAX: usize = 2 << 20;

/// Canonical bytes.
pub(crate) const OCTETS: &str = "application/octet-stream";

/// A whole request.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    /// The header Accept.
    pub(crate) accept: String,
    /// The header Content-Type.
    pub(crate) kind: String,
    pub(crate) body: Bytes,
}

impl Ask {
    /// Whether canonical bytes are wanted.
    pub(crate) fn is_raw(&self) -> bool {
        let raw = |one: &str| one == "raw" || one == "raw=1";
        self.query.split('&').any(raw) || self.accept.contains(OCTETS)
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    kind: &'static str,
    allow: Option<&'static str>,
    body: Vec<u8>,
}

#[derive(Serialize)]
struct Wrong<'a> {
    error: &'a str,
    next: &'a str,
}

impl Reply {
    /// A JSON document.
    pub(crate) fn json(code: u16, document: &impl Serialize) -> Reply {
        match serde_json::to_vec(document) {
            Ok(body) => Reply::of(code, "application/json", body),
            Err(error) => Reply::wrong(503, &error.to_string(), "ask again"),
        }
    }

    /// Canonical bytes.
    pub(crate) fn octets(body: Vec<u8>) -> Reply {
        Reply::of(200, OCTETS, body)
    }

    /// Something else.
    pub(crate) fn of(code: u16, kind: &'static str, body: Vec<u8>) -> Reply {
        let allow = None;
        Reply {
            code,
            kind,
            allow,
            body,
        }
    }

    /// A refusal: what is wrong, and what to do.
    pub(crate) fn wrong(code: u16, error: &str, next: &str) -> Reply {
        let body = serde_json::to_vec(&Wrong { error, next }).unwrap_or_default();
        Reply::of(code, "application/json", body)
    }

    /// The path is there, the method is not.
    pub(crate) fn not_allowed(allow: &'static str) -> Reply {
        let mut reply = Reply::wrong(405, "this path has another method", allow);
        reply.allow = Some(allow);
        reply
    }

    fn response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.body)));
        *response.status_mut() =
            StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}

/// Answers requests; called where waiting for a lock or a disk stops nobody else.
pub(crate) type Answer = Arc<dyn Fn(Ask) -> Reply + Send + Sync>;

/// Takes connections until `stop`, then waits a little for requests under way.
///
/// # Errors
/// What the listener cannot recover from.
pub(crate) async fn serve(
    listener: TcpListener,
    answer: Answer,
    stop: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (stopping, stopped) = watch::channel(false);
    let mut stop = std::pin::pin!(stop);
    loop {
        let place = tokio::select! {
            place = Arc::clone(&connections).acquire_owned() => place,
            () = stop.as_mut() => break,
        };
        let place = place.map_err(std::io::Error::other)?;
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.as_mut() => break,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, or a connection that was gone at once.
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        let (answer, stopped) = (answer.clone(), stopped.clone());
        tokio::spawn(async move {
            converse(stream, answer, stopped).await;
            drop(place);
        });
    }
    drop(listener);
    let _ = stopping.send(true);
    let all = u32::try_from(CONNECTIONS_MAX).unwrap_or(u32::MAX);
    let _ = timeout(DRAIN, connections.acquire_many(all)).await;
    Ok(())
}

async fn converse(stream: TcpStream, answer: Answer, mut stopped: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| respond(request, answer.clone()));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|stopped| *stopped) => {}
        () = sleep(LIFE) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(DRAIN, connection).await;
}

async fn respond(
    request: Request<Incoming>,
    answer: Answer,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let text = |name| {
        let value = head.headers.get(name);
        let value = value.and_then(|value: &HeaderValue| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let body = match read(&text(CONTENT_LENGTH), body).await {
        Ok(body) => body,
        Err(refused) => {
            // What is left of the body is not read, so the connection cannot go on.
            let mut response = refused.response();
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
            return Ok(response);
        }
    };
    let ask = Ask {
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        accept: text(hyper::header::ACCEPT),
        kind: text(CONTENT_TYPE),
        method: head.method,
        body,
    };
    let answered = tokio::task::spawn_blocking(move || answer(ask)).await;
    let broken = |_| Reply::wrong(503, "the answer was not made", "ask again");
    Ok(answered.unwrap_or_else(broken).response())
}

async fn read(length: &str, body: Incoming) -> Result<Bytes, Reply> {
    let max = BODY_BYTES_MAX;
    let too_long = || {
        let error = format!("a body of more than {max} bytes");
        Reply::wrong(413, &error, "send less")
    };
    if length.parse().is_ok_and(|length: u64| length > max as u64) {
        return Err(too_long());
    }
    let collecting = timeout(BODY, Limited::new(body, max).collect());
    match collecting.await {
        Err(_) => Err(Reply::wrong(
            400,
            "the body did not come in time",
            "send it at once",
        )),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_long()),
        Ok(Err(error)) => Err(Reply::wrong(400, &error.to_string(), "send the whole body")),
        Ok(Ok(body)) => Ok(body.to_bytes()),
    }
}
