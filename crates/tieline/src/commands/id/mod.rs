//! `tieline id`

mod issue;
mod scan;
mod show;

use std::path::Path;

use serde::Serialize;
use tieline_seal::hybrid::KeyId;
use tieline_seal::identification::{Claim, Identification};
use tieline_units::canonical::Canonical;

use super::market::{no, read};
use super::{Failure, refuse_settings};
use crate::cli::{Global, Id};
use crate::printer::Printer;

pub(super) fn command(global: &Global, command: &Id, printer: Printer) -> Result<(), Failure> {
    refuse_settings(global)?;
    match command {
        Id::Key(command) => issue::key(command, printer),
        Id::Issue(command) => issue::issue(command, printer),
        Id::Show(command) => show::show(command, printer),
        Id::Scan(command) => scan::scan(command, printer),
    }
}

/// What a certificate says, in JSON.
#[derive(Serialize)]
struct Said {
    node: String,
    chain: String,
    genesis: String,
    request: String,
    issued: String,
    keys: Vec<String>,
    certificate: String,
}

impl Said {
    fn by(certificate: &Identification) -> Said {
        let Claim {
            node,
            chain,
            genesis,
            keys,
            request,
            issued,
        } = certificate.claim();
        Said {
            node: node.to_string(),
            chain: chain.to_string(),
            genesis: genesis.to_string(),
            request: request.to_string(),
            issued: issued.to_string(),
            keys: keys.iter().map(|KeyId(key)| key.to_string()).collect(),
            certificate: certificate.id().to_string(),
        }
    }

    /// Lines for people.
    fn text(&self) -> String {
        let mut text = String::new();
        for (name, value) in [
            ("node", &self.node),
            ("chain", &self.chain),
            ("genesis", &self.genesis),
            ("request", &self.request),
            ("issued", &self.issued),
            ("certificate", &self.certificate),
        ] {
            text.push_str(&format!("{name:<12}{value}\n"));
        }
        for key in &self.keys {
            text.push_str(&format!("{:<12}{key}\n", "key"));
        }
        text
    }
}

/// A value from the file that has its canonical bytes.
fn decoded<T: Canonical>(file: &Path, what: &str) -> Result<T, Failure> {
    let bytes = read(file)?;
    T::decode(&bytes).map_err(|error| no(file, format!("not {what}: {error}")))
}
