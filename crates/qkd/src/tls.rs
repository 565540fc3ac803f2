//! Certificates and TLS, the same for client, key manager and the link between key managers.
//!
//! Identities: **the common name (CN) of the certificate's subject**, of which there must be exactly one. It holds the SAE
//! ID in the certificate of an SAE and the KME ID in the certificate of a key manager. The names of hosts in the
//! subjectAltName are for the check of the address alone.
//!
//! TLS 1.2 and 1.3; older versions are not built in. Both sides show certificates. No session is resumed, so that every
//! connection proves its identity anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use thiserror::Error;
use x509_cert::der::Decode as _;
use x509_cert::der::asn1::{PrintableStringRef, TeletexStringRef, Utf8StringRef};
use x509_cert::der::oid::ObjectIdentifier;

/// What is wrong with certificates and keys.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds no PEM of the kind.
    #[error("{path} holds no {what} in PEM: {why}", path = path.display())]
    Pem {
        /// Which.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// TLS does not take them.
    #[error("TLS refuses certificate, key or CA: {0}")]
    Rustls(#[from] rustls::Error),
    /// The verifier of clients does not take the CA.
    #[error("the CA is no use: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
    /// The subject has no single common name.
    #[error(
        "the certificate's subject has {found} common names (CN); exactly one is needed, the identifier"
    )]
    CommonName {
        /// How many.
        found: usize,
    },
    /// The certificate cannot be read.
    #[error("the certificate cannot be read: {0}")]
    Certificate(String),
}

/// A certificate with its key, and the CAs whose certificates are taken from others.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    roots: Arc<RootCertStore>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({:?}, key <redacted>)", self.name().ok())
    }
}

fn pem_error(
    path: &Path,
    what: &'static str,
) -> impl Fn(rustls::pki_types::pem::Error) -> TlsError {
    let path = path.to_owned();
    move |error| TlsError::Pem {
        path: path.clone(),
        what,
        why: error.to_string(),
    }
}

fn read(path: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, TlsError> {
    fs::read(path)
        .map(zeroize::Zeroizing::new)
        .map_err(|source| TlsError::File {
            path: path.to_owned(),
            source,
        })
}

impl Identity {
    /// Reads certificate chain, private key and CAs, each a file in PEM.
    ///
    /// # Errors
    /// A file is missing or holds something else.
    pub fn read(certificate: &Path, key: &Path, ca: &Path) -> Result<Identity, TlsError> {
        let certificates = |path: &Path| {
            let wrong = pem_error(path, "certificate");
            let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
            match found {
                Ok(found) if found.is_empty() => Err(TlsError::Pem {
                    path: path.to_owned(),
                    what: "certificate",
                    why: "nothing found".to_owned(),
                }),
                Ok(found) => Ok(found),
                Err(error) => Err(wrong(error)),
            }
        };
        let chain = certificates(certificate)?;
        let key_der = PrivateKeyDer::from_pem_slice(&read(key)?)
            .map_err(|error| pem_error(key, "private key")(error))?;
        let mut roots = RootCertStore::empty();
        for root in certificates(ca)? {
            roots.add(root)?;
        }
        Ok(Identity {
            chain,
            key: key_der,
            roots: Arc::new(roots),
        })
    }

    /// Takes them from memory.
    ///
    /// # Errors
    /// A CA that TLS does not take.
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        ca: CertificateDer<'static>,
    ) -> Result<Identity, TlsError> {
        let mut roots = RootCertStore::empty();
        roots.add(ca)?;
        Ok(Identity {
            chain,
            key,
            roots: Arc::new(roots),
        })
    }

    /// The identifier in the certificate.
    ///
    /// # Errors
    /// None or several.
    pub fn name(&self) -> Result<String, TlsError> {
        match self.chain.first() {
            Some(certificate) => common_name(certificate),
            None => Err(TlsError::CommonName { found: 0 }),
        }
    }

    /// For servers that want certificates of their clients.
    ///
    /// # Errors
    /// The key does not belong to the certificate, or the CA is no CA.
    pub fn server(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let provider = provider();
        let verifier = WebPkiClientVerifier::builder_with_provider(
            Arc::clone(&self.roots),
            Arc::clone(&provider),
        )
        .build()?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(VERSIONS)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.chain.clone(), self.key.clone_key())?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }

    /// For clients that show a certificate.
    ///
    /// # Errors
    /// The key does not belong to the certificate.
    pub fn client(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(VERSIONS)?
            .with_root_certificates(Arc::clone(&self.roots))
            .with_client_auth_cert(self.chain.clone(), self.key.clone_key())?;
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    }

    /// For clients that show nothing: what every key manager must refuse.
    ///
    /// # Errors
    /// None that depend on the files.
    pub fn client_without_certificate(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(VERSIONS)?
            .with_root_certificates(Arc::clone(&self.roots))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    }

    /// The same trust in others with another certificate of one's own.
    #[must_use]
    pub fn with_certificate(
        &self,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Identity {
        Identity {
            chain,
            key,
            roots: Arc::clone(&self.roots),
        }
    }

    /// How certificates of servers are checked.
    ///
    /// # Errors
    /// The CA is no use.
    pub fn verifier(&self) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
        let verifier = rustls::client::WebPkiServerVerifier::builder_with_provider(
            Arc::clone(&self.roots),
            provider(),
        );
        Ok(verifier.build()?)
    }
}

static VERSIONS: &[&rustls::SupportedProtocolVersion] =
    &[&rustls::version::TLS13, &rustls::version::TLS12];

/// The one provider of primitives, named wherever one is needed so that no process-wide default matters.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// OID of commonName.
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// The one common name of a certificate's subject. For certificates that TLS has checked.
///
/// # Errors
/// [`TlsError::CommonName`] when there is none, or several.
pub fn common_name(certificate: &CertificateDer<'_>) -> Result<String, TlsError> {
    let wrong = |error: x509_cert::der::Error| TlsError::Certificate(error.to_string());
    let parsed = x509_cert::Certificate::from_der(certificate).map_err(wrong)?;
    let names: Vec<_> = parsed
        .tbs_certificate()
        .subject()
        .iter()
        .filter(|attribute| attribute.oid == COMMON_NAME)
        .collect();
    let [name] = names.as_slice() else {
        return Err(TlsError::CommonName { found: names.len() });
    };
    let value = &name.value;
    if let Ok(text) = value.decode_as::<Utf8StringRef<'_>>() {
        return Ok(text.as_str().to_owned());
    }
    if let Ok(text) = value.decode_as::<PrintableStringRef<'_>>() {
        return Ok(text.as_str().to_owned());
    }
    let text = value.decode_as::<TeletexStringRef<'_>>().map_err(wrong)?;
    Ok(text.as_str().to_owned())
}
