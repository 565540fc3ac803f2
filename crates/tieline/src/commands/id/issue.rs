//! `tieline id key` and `tieline id issue`

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tieline_qkd::store::Secret;
use tieline_seal::hybrid::{SigningKey, Suite};
use tieline_seal::identification::{Claim, Identification};
use tieline_units::Time;
use tieline_units::canonical::Canonical as _;

use super::Said;
use crate::cli::{IdIssue, IdKey};
use crate::commands::Failure;
use crate::output::folder::write;
use crate::printer::Printer;

const SEED_HINT: &str =
    "hint: a seed is 32 random bytes: (umask 077; head -c 32 /dev/urandom > FILE)";

#[derive(Serialize)]
struct KeyDocument<'a> {
    schema: &'static str,
    key: String,
    file: &'a Path,
}

#[derive(Serialize)]
struct IssueDocument<'a> {
    schema: &'static str,
    #[serde(flatten)]
    said: Said,
    file: &'a Path,
}

pub(super) fn key(command: &IdKey, printer: Printer) -> Result<(), Failure> {
    apart(&command.seed_file, &command.out)?;
    let key = signing_key(&command.seed_file)?;
    let public = key.public_key();
    write(&command.out, &public.to_bytes())?;
    let fingerprint = public.id().0.to_string();
    printer.text(&format!("{fingerprint}\n"))?;
    printer.document(&KeyDocument {
        schema: "tieline.id-key/1",
        key: fingerprint,
        file: &command.out,
    })?;
    Ok(())
}

/// The secret is not overwritten by what comes of it.
fn apart(seed: &Path, out: &Path) -> Result<(), Failure> {
    let same = match (seed.canonicalize(), out.canonicalize()) {
        (Ok(seed), Ok(out)) => seed == out,
        _ => seed == out,
    };
    if same {
        return Err(Failure::Broken(format!(
            "{}: the file of the secret seed would be overwritten\n\nhint: give --out another name",
            out.display()
        )));
    }
    Ok(())
}

pub(super) fn issue(command: &IdIssue, printer: Printer) -> Result<(), Failure> {
    apart(&command.seed_file, &command.out)?;
    let key = signing_key(&command.seed_file)?;
    let claim = Claim {
        node: command.node.clone(),
        chain: command.chain.clone(),
        genesis: command.genesis,
        keys: BTreeSet::from([key.public_key().id()]),
        request: command.request,
        issued: command.issued.map_or_else(now, Ok)?,
    };
    let certificate = Identification::issue(claim, &key);
    let certificate = certificate.map_err(|error| Failure::Broken(error.to_string()))?;
    write(&command.out, &certificate.to_bytes())?;
    let said = Said::by(&certificate);
    printer.text(&said.text())?;
    printer.document(&IssueDocument {
        schema: "tieline.id-issue/1",
        said,
        file: &command.out,
    })?;
    let file = command.out.display();
    printer.note(&format!(
        "hint: tieline id show {file} draws it as QR symbols"
    ));
    Ok(())
}

fn signing_key(seed_file: &Path) -> Result<SigningKey, Failure> {
    let broken = |why: &dyn std::fmt::Display| Failure::Broken(format!("{why}\n\n{SEED_HINT}"));
    match Secret::from_key_file(seed_file) {
        Ok(Secret::Key(seed)) => Ok(SigningKey::from_seed(Suite::Ed25519MlDsa65, &seed)),
        Ok(Secret::Passphrase(..)) => Err(broken(&"a passphrase is no seed")),
        Err(error) => Err(broken(&error)),
    }
}

fn now() -> Result<Time, Failure> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.map_err(|_| Failure::Broken("the clock is before 1970".to_owned()))?;
    // Seconds are enough for people, and the text of a whole second is shorter.
    Ok(Time::from_millis(since.as_secs() * 1000))
}
