//! `tieline id`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tieline_units::{ChainId, Digest, MicrogridId, Time};

/// `tieline id`
#[derive(Debug, Subcommand)]
pub enum Id {
    /// Write the public key of a seed, and print its fingerprint
    Key(IdKey),
    /// Issue the certificate that goes with a request
    Issue(IdIssue),
    /// Draw a certificate as QR symbols in the terminal, or on a sheet to print
    Show(IdShow),
    /// Put scanned parts together, verify, and say who asks for what
    Scan(IdScan),
}

/// `tieline id key`
#[derive(Debug, Args)]
pub struct IdKey {
    /// 32 secret bytes that nobody but the owner can read
    #[arg(long, value_name = "FILE")]
    pub seed_file: PathBuf,
    /// Where the public key goes
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// `tieline id issue`
#[derive(Debug, Args)]
pub struct IdIssue {
    /// Who asks: the microgrid
    #[arg(long, value_name = "ID", value_parser = MicrogridId::parse)]
    pub node: MicrogridId,
    /// Its chain
    #[arg(long, value_name = "ID", value_parser = ChainId::parse)]
    pub chain: ChainId,
    /// Hash of the chain's genesis, 64 hexadecimal digits
    #[arg(long, value_name = "HEX", value_parser = digest)]
    pub genesis: Digest,
    /// Id of the order that is asked for, 64 hexadecimal digits
    #[arg(long, value_name = "HEX", value_parser = digest)]
    pub request: Digest,
    /// 32 secret bytes that nobody but the owner can read
    #[arg(long, value_name = "FILE")]
    pub seed_file: PathBuf,
    /// When, such as 2026-01-02T03:04:05Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = Time::parse)]
    pub issued: Option<Time>,
    /// Where the certificate goes
    #[arg(long, value_name = "FILE", default_value = "id.bin")]
    pub out: PathBuf,
}

/// `tieline id show`
#[derive(Debug, Args)]
pub struct IdShow {
    /// The certificate
    pub file: PathBuf,
    /// Draw a sheet to print in the place of symbols in the terminal
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    pub svg: Option<PathBuf>,
    /// Print what the symbols hold, one line each, in the place of symbols
    #[arg(long)]
    pub text: bool,
}

/// `tieline id scan`
#[derive(Debug, Args)]
pub struct IdScan {
    /// What the scanner read, one symbol per line, in any order; - is the standard input
    #[arg(default_value = "-")]
    pub parts: PathBuf,
    /// Public key of whoever is said to have issued the certificate, from the registry
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
}

fn digest(text: &str) -> Result<Digest, String> {
    Digest::parse(text).ok_or_else(|| "a hash has 64 lower-case hexadecimal digits".to_owned())
}
