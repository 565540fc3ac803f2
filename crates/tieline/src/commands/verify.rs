//! `tieline market verify`: one certificate per `.json` file, one per line of a `.jsonl` file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use tieline_market::certificate::Certificate;
use tieline_units::Time;

use super::Failure;
use super::market::{no, read};
use crate::output::rounds;
use crate::printer::Printer;

/// Bad certificates that are listed; the document has all.
const LISTED_MAX: usize = 10;

/// What `market verify` prints.
#[derive(Serialize)]
struct Verified {
    schema: &'static str,
    verified: usize,
    certificates: Vec<VerifiedOne>,
}

#[derive(Serialize)]
struct VerifiedOne {
    /// The file, with the line where it has several.
    file: String,
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

pub(super) fn verify(paths: &[PathBuf], printer: Printer) -> Result<(), Failure> {
    let files = certificate_files(paths)?;
    let mut progress = printer.progress("files verified", files.len() as u64);
    let mut certificates = Vec::new();
    let mut seen = BTreeMap::new();
    for (index, file) in files.iter().enumerate() {
        verify_file(file, &mut seen, &mut certificates);
        progress.at(index as u64 + 1);
    }
    progress.finish();
    let bad: Vec<String> = certificates
        .iter()
        .filter_map(|one| Some(format!("{}: {}", one.file, one.reason.as_ref()?)))
        .collect();
    let verified = certificates.len() - bad.len();
    printer.text(&format!(
        "{verified} of {} certificates hold\n",
        certificates.len()
    ))?;
    printer.document(&Verified {
        schema: "tieline.market-verify/1",
        verified,
        certificates,
    })?;
    if bad.is_empty() {
        return Ok(());
    }
    let listed = bad
        .iter()
        .take(LISTED_MAX)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    let more = match bad.len().saturating_sub(LISTED_MAX) {
        0 => String::new(),
        rest => format!("\n... and {rest} more"),
    };
    let hint = "hint: a changed certificate proves nothing; take it again from whoever issued it";
    Err(Failure::No(format!("{listed}{more}\n\n{hint}")))
}

/// `seen`: start of every round so far, and where it was.
fn verify_file(file: &Path, seen: &mut BTreeMap<String, String>, out: &mut Vec<VerifiedOne>) {
    let shown = file.display().to_string();
    let mut push = |file: String, result: Result<Option<String>, String>| {
        let reason = match result {
            Ok(Some(start)) => seen
                .insert(start.clone(), file.clone())
                .map(|first| format!("the round of {start} is there twice, first in {first}")),
            Ok(None) => None,
            Err(reason) => Some(reason),
        };
        out.push(VerifiedOne {
            file,
            valid: reason.is_none(),
            reason,
        });
    };
    let bytes = match read(file) {
        Ok(bytes) => bytes,
        Err(failure) => return push(shown, Err(failure.to_string())),
    };
    if file
        .extension()
        .is_some_and(|extension| extension == rounds::LINES)
    {
        let lines = bytes.split(|byte| *byte == b'\n').enumerate();
        for (index, line) in lines.filter(|(_, line)| !line.is_empty()) {
            push(format!("{shown}:{}", index + 1), check(line));
        }
    } else {
        push(
            shown,
            check(&bytes).and_then(|start| check_name(file, start)),
        );
    }
}

/// Start of the round of a certificate that holds, where it belongs to one; else why it does not hold.
pub(crate) fn check(bytes: &[u8]) -> Result<Option<String>, String> {
    let wrong = |error: serde_json::Error| format!("not a certificate: {error}");
    let certificate: Certificate = serde_json::from_slice(bytes).map_err(wrong)?;
    certificate.verify().map_err(|error| error.to_string())?;
    let value: Value = serde_json::from_slice(bytes).map_err(wrong)?;
    let whole = serde_json::to_value(&certificate).map_err(wrong)?;
    if let Some(field) = missing(&whole, &value) {
        return Err(format!(
            "the field {field} is missing: a certificate states every rule"
        ));
    }
    Ok(certificate.round.map(|round| round.interval_start_utc))
}

/// The first field of `whole` that `found` leaves to a default.
fn missing(whole: &Value, found: &Value) -> Option<String> {
    match (whole, found) {
        (Value::Object(whole), Value::Object(found)) => {
            whole.iter().find_map(|(key, value)| match found.get(key) {
                None => Some(key.clone()),
                Some(inner) => missing(value, inner).map(|rest| format!("{key}.{rest}")),
            })
        }
        (Value::Array(whole), Value::Array(found)) => whole
            .iter()
            .zip(found)
            .find_map(|(whole, found)| missing(whole, found)),
        _ => None,
    }
}

/// A file with the name of a round holds the certificate of that round.
fn check_name(file: &Path, start: Option<String>) -> Result<Option<String>, String> {
    let expected = start
        .as_deref()
        .and_then(|start| Time::parse(start).ok())
        .map(rounds::file_name);
    match (expected, file.file_name().and_then(|name| name.to_str())) {
        (Some(expected), Some(found)) if looks_like_a_round(found) && found != expected => Err(
            format!("it is the certificate of another round: {expected}"),
        ),
        _ => Ok(start),
    }
}

/// `2016-05-24T2200Z.json`, the name that a run gives.
fn looks_like_a_round(name: &str) -> bool {
    let shape = |c: char| if c.is_ascii_digit() { '0' } else { c };
    name.chars().map(shape).collect::<String>() == "0000-00-00T0000Z.json"
}

/// The files themselves and the certificates in the folders, in order.
fn certificate_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if !path.exists() {
            let shown = path.display();
            return Err(Failure::Broken(format!("{shown}: no such file or folder")));
        }
        if path.is_dir() {
            files.extend(in_folder(path)?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn in_folder(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    // The folder of a run: its certificates lie one level below.
    let below = path.join(rounds::FOLDER);
    let path = if below.is_dir() { &below } else { path };
    let broken = |error: std::io::Error| Failure::Broken(format!("{}: {error}", path.display()));
    let mut inside = Vec::new();
    for entry in fs::read_dir(path).map_err(broken)? {
        let file = entry.map_err(broken)?.path();
        let known = |extension: &std::ffi::OsStr| extension == "json" || extension == rounds::LINES;
        if file.extension().is_some_and(known) {
            inside.push(file);
        }
    }
    inside.sort();
    if inside.is_empty() {
        return Err(no(path, "no certificates (*.json, *.jsonl) in this folder"));
    }
    Ok(inside)
}
