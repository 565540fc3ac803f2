//! `tieline qkd`

mod ask;
mod certs;
mod model;
mod probe;
mod serve;

use std::path::{Path, PathBuf};

use tieline_qkd::tls::{Identity, TlsError};

use super::{Failure, refuse_settings};
use crate::cli::Global;
use crate::cli::qkd::{Caller, Qkd};
use crate::printer::Printer;

pub(super) fn command(global: &Global, command: &Qkd, printer: Printer) -> Result<(), Failure> {
    if !matches!(command, Qkd::Model(_)) {
        refuse_settings(global)?;
    }
    match command {
        Qkd::Serve(command) => serve::serve(command, printer),
        Qkd::Status(command) => ask::status(command, printer),
        Qkd::Get(command) => ask::get(command, printer),
        Qkd::Certs(command) => certs::certs(command, printer),
        Qkd::Probe(command) => probe::probe(command, printer),
        Qkd::Model(command) => model::model(global, command, printer),
    }
}

fn broken(error: impl std::fmt::Display) -> Failure {
    Failure::Broken(error.to_string())
}

/// A runtime for one command.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Broken(format!("cannot start threads: {error}")))
}

fn with_ending(prefix: &Path, ending: &str) -> PathBuf {
    let mut path = prefix.as_os_str().to_owned();
    path.push(ending);
    PathBuf::from(path)
}

/// Certificate and key of a prefix.
fn identity(prefix: &Path, ca: Option<&Path>) -> Result<Identity, TlsError> {
    let ca = ca.map_or_else(|| prefix.with_file_name("ca.pem"), Path::to_owned);
    Identity::read(
        &with_ending(prefix, ".pem"),
        &with_ending(prefix, ".key"),
        &ca,
    )
}

fn caller(caller: &Caller) -> Result<Identity, Failure> {
    identity(&caller.identity, caller.ca.as_deref()).map_err(|error| {
        Failure::Broken(format!(
            "{error}\n\nhint: tieline qkd certs DIR makes certificates for development; --as DIR/sae-1 uses them"
        ))
    })
}
