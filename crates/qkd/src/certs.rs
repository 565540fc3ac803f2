//! Certificates for development: a CA, key managers and SAEs, and settings that go with them. Not for production, where a
//! CA has its key elsewhere.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use thiserror::Error;

use crate::etsi::{KmeId, SaeId};
use crate::kme::{KmeConfig, PeerConfig};

/// The CA's name.
const CA_NAME: &str = "Tieline development CA";
/// Validity before now (clocks differ) and from now on.
const BEFORE: Duration = Duration::from_secs(24 * 3600);
const AFTER: Duration = Duration::from_secs(2 * 365 * 24 * 3600);

/// Why there are no certificates.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CertsError {
    /// A file.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Making one.
    #[error("certificate of {name}: {source}")]
    Make {
        /// Whose.
        name: String,
        /// Why.
        source: rcgen::Error,
    },
    /// An identifier that is no name of a file.
    #[error(
        "{name:?} is used as the name of a file: letters, digits, . _ - are allowed, and it may not start with a dot"
    )]
    Name {
        /// Which.
        name: String,
    },
    /// The clock.
    #[error("the clock is before 1970")]
    Clock,
}

/// A site: a key manager and its SAEs.
#[derive(Clone, Debug)]
pub struct Site {
    /// The key manager.
    pub kme: KmeId,
    /// Its SAEs.
    pub saes: Vec<SaeId>,
}

/// What to make.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The two ends of a link. The first one dials.
    pub sites: [Site; 2],
    /// Names and addresses under which the key managers are reached, besides localhost.
    pub hosts: Vec<String>,
    /// The first of six ports: SAEs, pages, peers of the first site, then of the second; 0: chosen at the start.
    pub port: u16,
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A key manager: server, and client towards other key managers.
    Kme,
    /// An SAE: client.
    Sae,
}

/// A CA with its key.
#[derive(Debug)]
pub struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key in PEM.
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: zeroize::Zeroizing<String>,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Issued(key <redacted>)")
    }
}

fn make_error(name: &str) -> impl Fn(rcgen::Error) -> CertsError {
    let name = name.to_owned();
    move |source| CertsError::Make {
        name: name.clone(),
        source,
    }
}

/// Seconds from 1970 to now.
fn now() -> Result<Duration, CertsError> {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(|_| CertsError::Clock)
}

fn params(
    name: &str,
    hosts: &[String],
    valid: (Duration, Duration),
) -> Result<CertificateParams, CertsError> {
    let mut params = CertificateParams::new(hosts.to_vec()).map_err(make_error(name))?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + valid.0;
    params.not_after = epoch + valid.1;
    Ok(params)
}

fn ca_params() -> Result<CertificateParams, CertsError> {
    let now = now()?;
    let mut params = params(CA_NAME, &[], (now - BEFORE, now + AFTER))?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

impl Ca {
    /// A new one.
    ///
    /// # Errors
    /// No random bits.
    pub fn new() -> Result<Ca, CertsError> {
        let wrong = make_error(CA_NAME);
        let params = ca_params()?;
        let key = KeyPair::generate().map_err(&wrong)?;
        let pem = params.self_signed(&key).map_err(&wrong)?.pem();
        let issuer = Issuer::new(params, key);
        Ok(Ca { issuer, pem })
    }

    /// The one whose certificate and key these are.
    fn again(pem: String, key: &str) -> Result<Ca, CertsError> {
        let key = KeyPair::from_pem(key).map_err(make_error(CA_NAME))?;
        let issuer = Issuer::new(ca_params()?, key);
        Ok(Ca { issuer, pem })
    }

    /// Its certificate.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Issues a certificate that is valid now.
    ///
    /// # Errors
    /// A host that is no name and no address.
    pub fn issue(&self, name: &str, role: Role, hosts: &[String]) -> Result<Issued, CertsError> {
        let now = now()?;
        self.issue_for(name, role, hosts, (now - BEFORE, now + AFTER))
    }

    /// Issues one that ran out an hour ago.
    ///
    /// # Errors
    /// No random bits.
    pub fn issue_expired(&self, name: &str, role: Role) -> Result<Issued, CertsError> {
        let now = now()?;
        let hour = Duration::from_secs(3600);
        self.issue_for(name, role, &[], (now - BEFORE, now - hour))
    }

    fn issue_for(
        &self,
        name: &str,
        role: Role,
        hosts: &[String],
        valid: (Duration, Duration),
    ) -> Result<Issued, CertsError> {
        let wrong = make_error(name);
        let mut params = params(name, hosts, valid)?;
        params.use_authority_key_identifier_extension = true;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = match role {
            Role::Kme => vec![
                ExtendedKeyUsagePurpose::ServerAuth,
                ExtendedKeyUsagePurpose::ClientAuth,
            ],
            Role::Sae => vec![ExtendedKeyUsagePurpose::ClientAuth],
        };
        let key = KeyPair::generate().map_err(&wrong)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(&wrong)?;
        Ok(Issued {
            certificate: certificate.pem(),
            key: zeroize::Zeroizing::new(key.serialize_pem()),
        })
    }
}

/// Makes what is missing of a plan in a folder and returns the files made. A CA that is there is used again; nothing is
/// overwritten.
///
/// # Errors
/// Files cannot be written, or identifiers are no names of files.
pub fn make(folder: &Path, plan: &Plan) -> Result<Vec<PathBuf>, CertsError> {
    for site in &plan.sites {
        let names = site.saes.iter().map(SaeId::as_str);
        names.chain([site.kme.as_str()]).try_for_each(check_name)?;
    }
    let io = |source| CertsError::File {
        path: folder.to_owned(),
        source,
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(io)?;
    let mut made = Vec::new();
    let ca = ca(folder, &mut made)?;
    let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    hosts.extend(plan.hosts.iter().cloned());
    for (index, site) in plan.sites.iter().enumerate() {
        let kme = site.kme.as_str();
        issue(folder, kme, &mut made, || ca.issue(kme, Role::Kme, &hosts))?;
        for sae in &site.saes {
            let sae = sae.as_str();
            issue(folder, sae, &mut made, || ca.issue(sae, Role::Sae, &[]))?;
        }
        let path = folder.join(format!("{kme}.toml"));
        if !path.exists() {
            write(&path, 0o644, settings(plan, index).as_bytes())?;
            made.push(path);
        }
    }
    if let Some(sae) = plan.sites[0].saes.first() {
        issue(folder, "expired", &mut made, || {
            ca.issue_expired(sae.as_str(), Role::Sae)
        })?;
    }
    Ok(made)
}

fn check_name(name: &str) -> Result<(), CertsError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.starts_with('.') || !name.chars().all(plain) || ["ca", "expired"].contains(&name) {
        let name = name.to_owned();
        return Err(CertsError::Name { name });
    }
    Ok(())
}

fn ca(folder: &Path, made: &mut Vec<PathBuf>) -> Result<Ca, CertsError> {
    let (pem, key) = (folder.join("ca.pem"), folder.join("ca.key"));
    if pem.exists() && key.exists() {
        let key = zeroize::Zeroizing::new(read(&key)?);
        return Ca::again(read(&pem)?, &key);
    }
    let ca = Ca::new()?;
    let text = zeroize::Zeroizing::new(ca.issuer.key().serialize_pem());
    write(&key, 0o600, text.as_bytes())?;
    write(&pem, 0o644, ca.pem.as_bytes())?;
    made.extend([pem, key]);
    Ok(ca)
}

fn issue(
    folder: &Path,
    name: &str,
    made: &mut Vec<PathBuf>,
    issued: impl FnOnce() -> Result<Issued, CertsError>,
) -> Result<(), CertsError> {
    let pem = folder.join(format!("{name}.pem"));
    let key = folder.join(format!("{name}.key"));
    if pem.exists() && key.exists() {
        return Ok(());
    }
    let issued = issued()?;
    write(&key, 0o600, issued.key.as_bytes())?;
    write(&pem, 0o644, issued.certificate.as_bytes())?;
    made.extend([pem, key]);
    Ok(())
}

fn read(path: &Path) -> Result<String, CertsError> {
    std::fs::read_to_string(path).map_err(|source| CertsError::File {
        path: path.to_owned(),
        source,
    })
}

fn write(path: &Path, mode: u32, bytes: &[u8]) -> Result<(), CertsError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    options
        .open(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|source| CertsError::File {
            path: path.to_owned(),
            source,
        })
}

/// The settings of one site.
pub fn config(plan: &Plan, index: usize) -> KmeConfig {
    let (site, other) = (&plan.sites[index], &plan.sites[1 - index]);
    let address = |number: u16| {
        let port = match plan.port {
            0 => 0,
            port => port + 3 * index as u16 + number,
        };
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
    };
    let dials = index == 0;
    let peer = PeerConfig {
        dial: dials.then(|| format!("127.0.0.1:{}", plan.port + 5)),
        saes: other.saes.clone(),
        bits_per_second: None,
        link: None,
    };
    let kme = &site.kme;
    KmeConfig {
        kme_id: kme.clone(),
        data: format!("{kme}-data").into(),
        listen: address(0),
        peer_listen: (!dials).then(|| address(2)),
        admin_listen: Some(address(1)),
        ca: "ca.pem".into(),
        certificate: format!("{kme}.pem").into(),
        key: format!("{kme}.key").into(),
        keys: Default::default(),
        sae: site
            .saes
            .iter()
            .map(|sae| (sae.clone(), Default::default()))
            .collect(),
        peer: [(other.kme.clone(), peer)].into(),
    }
}

fn settings(plan: &Plan, index: usize) -> String {
    let config = config(plan, index);
    let mut text = format!(
        "# A key manager for development; its keys are simulated. docs/key-manager.md tells what each line means.\n\
         kme_id = \"{}\"\nlisten = \"{}\"\n",
        config.kme_id, config.listen
    );
    if let Some(admin) = config.admin_listen {
        let _ = writeln!(text, "admin_listen = \"{admin}\"");
    }
    if let Some(peer) = config.peer_listen {
        let _ = writeln!(text, "peer_listen = \"{peer}\"");
    }
    for (key, path) in [
        ("data", &config.data),
        ("ca", &config.ca),
        ("certificate", &config.certificate),
        ("key", &config.key),
    ] {
        let _ = writeln!(text, "{key} = \"{}\"", path.display());
    }
    for sae in config.sae.keys() {
        let _ = writeln!(text, "\n[sae.\"{sae}\"]");
    }
    for (kme, peer) in &config.peer {
        let _ = writeln!(text, "\n[peer.\"{kme}\"]");
        if let Some(dial) = &peer.dial {
            let _ = writeln!(text, "dial = \"{dial}\"");
        }
        let saes: Vec<String> = peer.saes.iter().map(|sae| format!("\"{sae}\"")).collect();
        let _ = writeln!(text, "saes = [{}]", saes.join(", "));
        if peer.dial.is_some() {
            let _ = write!(
                text,
                "\n# Keys at the rate of a modelled link in the place of as many as there is room for:\n\
                 # [peer.\"{kme}\".link]\n# preset = \"entry\"\n# distance_km = 25.0\n"
            );
        }
    }
    text
}
