//! `tieline qkd`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use tieline_qkd::etsi::{KeyId, KmeId, SaeId};

/// `tieline qkd`
#[derive(Debug, Subcommand)]
pub enum Qkd {
    /// Run key managers that speak ETSI GS QKD 014
    Serve(Serve),
    /// Ask a key manager what it has for a slave
    Status(Status),
    /// Draw keys for a slave, or fetch a master's keys by their key_ID
    Get(Get),
    /// Make a development CA, certificates and settings for two key managers
    Certs(Certs),
    /// Check whether a key manager does what the standard says
    Probe(Probe),
    /// Simulate a link: key rates against distance, and a day of blocks
    Model(QkdModel),
}

/// `tieline qkd serve`
#[derive(Debug, Args)]
pub struct Serve {
    /// Settings, one file for each key manager, or a folder with such files
    #[arg(required = true, value_name = "FILE|DIR")]
    pub files: Vec<PathBuf>,
}

/// As whom to ask.
#[derive(Clone, Debug, Args)]
pub struct Caller {
    /// The own certificate and key, without their endings: DIR/sae-1 stands for DIR/sae-1.pem and DIR/sae-1.key
    #[arg(long = "as", value_name = "PREFIX")]
    pub identity: PathBuf,
    /// Certificate of the CA [default: ca.pem beside the own certificate]
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// The KME ID that the key manager's certificate must name
    #[arg(long, value_name = "KME_ID")]
    pub kme: Option<KmeId>,
}

/// `tieline qkd status`
#[derive(Debug, Args)]
pub struct Status {
    /// The key manager, https://HOST:PORT
    pub url: String,
    /// The SAE at the other end
    #[arg(long, value_name = "SAE_ID")]
    pub sae: SaeId,
    /// As whom to ask.
    #[command(flatten)]
    pub caller: Caller,
}

/// `tieline qkd get`
#[derive(Debug, Args)]
pub struct Get {
    /// The key manager, https://HOST:PORT
    pub url: String,
    /// The SAE at the other end: the slave, or the master of the keys named
    #[arg(long, value_name = "SAE_ID")]
    pub sae: SaeId,
    /// As whom to ask.
    #[command(flatten)]
    pub caller: Caller,
    /// Fetch this key in the place of drawing new ones; can be repeated
    #[arg(long, value_name = "UUID", conflicts_with_all = ["number", "size", "also"])]
    pub key_id: Vec<KeyId>,
    /// How many keys [default: 1]
    #[arg(long, value_name = "N")]
    pub number: Option<u64>,
    /// Bits of each key [default: the key manager's]
    #[arg(long, value_name = "BITS")]
    pub size: Option<u64>,
    /// Another slave of the same keys; can be repeated
    #[arg(long, value_name = "SAE_ID")]
    pub also: Vec<SaeId>,
}

/// `tieline qkd certs`
#[derive(Debug, Args)]
pub struct Certs {
    /// Folder for them
    pub dir: PathBuf,
    /// Another name or address of the key managers, besides localhost; can be repeated
    #[arg(long, value_name = "NAME")]
    pub host: Vec<String>,
    /// First of six ports on 127.0.0.1 for the two key managers
    #[arg(long, value_name = "PORT", default_value_t = 4100, value_parser = clap::value_parser!(u16).range(1024..=65000))]
    pub port: u16,
}

/// `tieline qkd probe`
#[derive(Debug, Args)]
pub struct Probe {
    /// The key manager under test, https://HOST:PORT
    pub url: String,
    /// The SAE at the other end, for which keys are drawn
    #[arg(long, value_name = "SAE_ID")]
    pub sae: SaeId,
    /// As whom to ask.
    #[command(flatten)]
    pub caller: Caller,
    /// The key manager at the other end, https://HOST:PORT
    #[arg(long, value_name = "URL", requires = "peer_as")]
    pub peer: Option<String>,
    /// The slave's certificate and key, without their endings
    #[arg(long, value_name = "PREFIX", requires = "peer")]
    pub peer_as: Option<PathBuf>,
    /// The same of another SAE at the other end
    #[arg(long, value_name = "PREFIX", requires = "peer")]
    pub other_as: Option<PathBuf>,
    /// The same of a certificate that has run out
    #[arg(long, value_name = "PREFIX")]
    pub expired_as: Option<PathBuf>,
    /// Draw until the pool is empty
    #[arg(long)]
    pub drain: bool,
}

/// `tieline qkd model`
#[derive(Debug, Args)]
pub struct QkdModel {
    /// Lengths of the table, km
    #[arg(long, value_name = "KM,...", value_delimiter = ',', default_values_t = [0.0, 25.0, 50.0, 75.0, 100.0, 135.0, 150.0, 175.0])]
    pub distance_km: Vec<f64>,
    /// Block sizes of the table, sifted bits
    #[arg(long, value_name = "BITS,...", value_delimiter = ',', default_values_t = [1e9, 1e7, 1e6, 1e5, 1e4])]
    pub block: Vec<f64>,
    /// Device; all are simulated
    #[arg(long, value_enum, default_value_t = Device::Entry)]
    pub preset: Device,
    /// Length of the link whose day is simulated, km
    #[arg(long, value_name = "KM", default_value_t = 50.0)]
    pub day_km: f64,
    /// Keys used all day long, bit/s [default: half of what the quiet link gives]
    #[arg(long, value_name = "RATE")]
    pub use_bps: Option<f64>,
    /// Put an intercept-resend, a rising error rate, a photon splitting and a cut line into the day
    #[arg(long)]
    pub incidents: bool,
    /// Draw the table, and error rate and stock of the day, into this file
    #[arg(long, value_name = "FILE.svg")]
    pub plot: Option<PathBuf>,
}

/// A class of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Device {
    /// Detectors of Lim et al. 2014, 1 MHz
    Lim2014,
    /// 1 to 100 kb/s, unverified
    Entry,
    /// 300 kb/s at 10 dB, unverified
    HighEnd,
}
