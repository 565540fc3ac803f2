//! TLS: who gets in.

use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::certs::{Ca, Role};
use crate::tls::{Identity, TlsError};

use super::ask::{Outcome, Prober, Who};

const LIMIT: Duration = Duration::from_secs(5);

pub(super) async fn run(prober: &mut Prober) {
    let outcome = match prober.open(Who::Master).await {
        Ok(connection) if ["TLSv1_2", "TLSv1_3"].contains(&connection.version.as_str()) => Ok(()),
        Ok(connection) => Err(connection.version.clone()),
        Err(error) => Err(error),
    };
    prober.record("TLS version", "1.2 or 1.3", outcome);
    let tls = prober.settings.master.client_without_certificate();
    let outcome = kept_out(prober, tls).await;
    prober.record("no client certificate", REFUSED, outcome);
    let tls = foreign(prober).and_then(|identity| identity.client());
    let outcome = kept_out(prober, tls).await;
    prober.record("certificate of a foreign CA", REFUSED, outcome);
    let name = "certificate that has run out";
    match prober.settings.expired.as_ref().map(Identity::client) {
        Some(tls) => {
            let outcome = kept_out(prober, tls).await;
            prober.record(name, REFUSED, outcome);
        }
        None => prober.not_tested(name, REFUSED, "needs such a certificate"),
    }
    let outcome = old_tls(prober.authority()).await;
    prober.record("TLS 1.1", "refused: an alert, or closed", outcome);
    let outcome = no_tls(prober.authority()).await;
    prober.record("no TLS", "no answer of HTTP with 200", outcome);
}

const REFUSED: &str = "refused by TLS, or 401";

/// In TLS 1.3 a client learns only after its handshake that its certificate is refused: so a request is tried.
async fn kept_out(prober: &Prober, tls: Result<Arc<rustls::ClientConfig>, TlsError>) -> Outcome {
    let tls = tls.map_err(|error| error.to_string())?;
    let Ok(mut connection) = prober.open_as(tls).await else {
        return Ok(());
    };
    let path = prober.path("status");
    match connection.ask(Method::GET, &path, None, LIMIT).await {
        Ok(raw) if raw.code != 401 => Err(format!("an answer with {}", raw.code)),
        _ => Ok(()),
    }
}

/// The master's name, vouched for by nobody.
fn foreign(prober: &Prober) -> Result<Identity, TlsError> {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let wrong = |error: String| TlsError::Certificate(error);
    let issued = Ca::new()
        .and_then(|ca| ca.issue(prober.master.as_str(), Role::Sae, &[]))
        .map_err(|error| wrong(error.to_string()))?;
    let certificate = CertificateDer::from_pem_slice(issued.certificate.as_bytes())
        .map_err(|error| wrong(error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes())
        .map_err(|error| wrong(error.to_string()))?;
    let master = &prober.settings.master;
    Ok(master.with_certificate(vec![certificate], key))
}

/// A greeting of TLS 1.1 (RFC 4346) with suites that every library of its time knew.
fn client_hello() -> Vec<u8> {
    let suites: [u8; 12] = [
        0xc0, 0x13, 0xc0, 0x14, 0xc0, 0x09, 0xc0, 0x0a, 0x00, 0x2f, 0x00, 0x35,
    ];
    let extensions: [u8; 18] = [
        0, 10, 0, 6, 0, 4, 0, 23, 0, 29, // groups: P-256, X25519
        0, 11, 0, 2, 1, 0, // points: uncompressed
        0, 23, // extended master secret, its length follows
    ];
    let mut body = vec![3, 2];
    body.extend_from_slice(&[0x5a; 32]);
    body.push(0);
    body.extend_from_slice(&[0, suites.len() as u8]);
    body.extend_from_slice(&suites);
    body.extend_from_slice(&[1, 0]);
    body.extend_from_slice(&[0, extensions.len() as u8 + 2]);
    body.extend_from_slice(&extensions);
    body.extend_from_slice(&[0, 0]);
    let mut hello = vec![22, 3, 1, 0, body.len() as u8 + 4, 1, 0, 0, body.len() as u8];
    hello.extend_from_slice(&body);
    hello
}

async fn first_bytes(authority: &str, greeting: &[u8]) -> Result<Vec<u8>, String> {
    let talking = async {
        let mut stream = TcpStream::connect(authority).await?;
        stream.write_all(greeting).await?;
        let mut bytes = vec![0; 64];
        let count = stream.read(&mut bytes).await.unwrap_or(0);
        bytes.truncate(count);
        Ok::<_, std::io::Error>(bytes)
    };
    match timeout(LIMIT, talking).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Ok(Vec::new()),
    }
}

async fn old_tls(authority: &str) -> Outcome {
    let bytes = first_bytes(authority, &client_hello()).await?;
    match bytes.as_slice() {
        [] => Ok(()),
        [21, ..] => Ok(()),
        [22, 3, minor, ..] => Err(format!("a handshake goes on in version 3.{minor}")),
        _ => Err("something else than TLS".to_owned()),
    }
}

async fn no_tls(authority: &str) -> Outcome {
    let request = b"GET /api/v1/keys/x/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let bytes = first_bytes(authority, request).await?;
    if bytes.starts_with(b"HTTP/1.1 200") {
        Err("HTTP without TLS".to_owned())
    } else {
        Ok(())
    }
}
