//! A key manager that answers what a test wants, with real certificates.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tieline_qkd::tls::Identity;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// How it treats a request.
#[derive(Clone)]
pub(crate) enum Manner {
    /// Answers with this code, these further head lines, and this body.
    Answer(u16, &'static str, String),
    /// Answers 503 so many times, then as told.
    Later(usize, u16, String),
    /// Reads and says nothing.
    Silent,
    /// Reads and closes.
    Close,
}

pub(crate) struct Fake {
    pub(crate) url: String,
    pub(crate) asked: Arc<AtomicUsize>,
}

pub(crate) async fn fake(identity: &Identity, manner: Manner) -> Fake {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let acceptor = TlsAcceptor::from(identity.server().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, manner, count) = (acceptor.clone(), manner.clone(), Arc::clone(&count));
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                while read_request(&mut stream).await {
                    let number = count.fetch_add(1, Ordering::SeqCst);
                    let (code, head, body) = match &manner {
                        Manner::Answer(code, head, body) => (*code, *head, body.clone()),
                        Manner::Later(times, ..) if number < *times => (
                            503,
                            "Retry-After: 0\r\n",
                            "{\"message\":\"busy\"}".to_owned(),
                        ),
                        Manner::Later(_, code, body) => (*code, "", body.clone()),
                        Manner::Silent => return std::future::pending().await,
                        Manner::Close => return,
                    };
                    let answer = format!(
                        "HTTP/1.1 {code} x\r\nContent-Type: application/json\r\n{head}Content-Length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    stream.write_all(answer.as_bytes()).await.unwrap();
                    stream.flush().await.unwrap();
                }
            });
        }
    });
    Fake { url, asked }
}

/// Reads one request; `false` when the client has gone.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> bool {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        if let Some(end) = text.find("\r\n\r\n") {
            let length = text
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.split("\r\n").next()?.parse().ok())
                .unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                return true;
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return false,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}
