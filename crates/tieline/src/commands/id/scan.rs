//! `tieline id scan`

use std::io::Read as _;
use std::path::Path;

use serde::Serialize;
use tieline_seal::hybrid::{PublicKey, Strict};
use tieline_seal::identification::{Identification, IdentificationError, ScanError};

use super::{Said, decoded, read};
use crate::cli::IdScan;
use crate::commands::Failure;
use crate::printer::Printer;

/// Most bytes that are read from the standard input: 99 parts of the largest symbol fit.
const INPUT_MAX: u64 = 1 << 20;

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Left out unless valid: what nobody has signed is not repeated.
    #[serde(flatten)]
    said: Option<Said>,
}

pub(super) fn scan(command: &IdScan, printer: Printer) -> Result<(), Failure> {
    let key: PublicKey = decoded(&command.key, "a public key")?;
    let bytes = input(&command.parts)?;
    let text = String::from_utf8_lossy(&bytes);
    let result = Identification::from_parts(text.lines())
        .map_err(|error| (error.to_string(), hint_of_scan(&error)))
        .and_then(|certificate| {
            let verified = certificate.verify(&key, &Strict);
            let refused = |error: IdentificationError| (error.to_string(), hint_of_key(&error));
            verified.map_err(refused).map(|()| Said::by(&certificate))
        });
    let (said, refused) = match result {
        Ok(said) => (Some(said), None),
        Err(refused) => (None, Some(refused)),
    };
    if let Some(said) = &said {
        let head = format!(
            "valid: {} on {} made this certificate\n",
            said.node, said.chain
        );
        printer.text(&(head + &said.text()))?;
    }
    printer.document(&Document {
        schema: "tieline.id-scan/1",
        valid: refused.is_none(),
        reason: refused.as_ref().map(|(reason, _)| reason.clone()),
        said,
    })?;
    match refused {
        None => Ok(()),
        Some((reason, hint)) => Err(Failure::No(format!("not valid: {reason}\n\nhint: {hint}"))),
    }
}

fn input(parts: &Path) -> Result<Vec<u8>, Failure> {
    if parts != Path::new("-") {
        return read(parts);
    }
    let mut bytes = Vec::new();
    let taken = std::io::stdin().take(INPUT_MAX + 1).read_to_end(&mut bytes);
    taken.map_err(|error| Failure::Broken(format!("standard input: {error}")))?;
    match bytes.len() as u64 {
        0..=INPUT_MAX => Ok(bytes),
        _ => Err(Failure::No(format!(
            "standard input: at most {INPUT_MAX} bytes are read"
        ))),
    }
}

fn hint_of_scan(error: &ScanError) -> &'static str {
    match error {
        ScanError::Nothing | ScanError::Missing { .. } => {
            "one line per symbol, in any order; symbols can be scanned again"
        }
        ScanError::OtherCertificate { .. } => "scan the symbols of one sheet or screen only",
        ScanError::NotAPart { .. } | ScanError::Form { .. } => {
            "a part begins with TIELINE:1: and ends with a colon"
        }
        _ => "scan the symbols again; if it stays, whoever shows them has changed them",
    }
}

fn hint_of_key(error: &IdentificationError) -> &'static str {
    match error {
        IdentificationError::NotListed { .. } => {
            "give the registry's key of this node; if it is that key, the node did not make this certificate"
        }
        _ => "do not deal with whoever shows it: the owner of the key did not sign this",
    }
}
