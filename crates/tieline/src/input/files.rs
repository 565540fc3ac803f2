//! Which file holds a table, and opening it.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::finding::{Finding, Findings, escape};

/// How a table is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    GzippedCsv,
    Parquet,
}

/// Endings in the order in which they are looked for.
const ENDINGS: [(&str, Format); 3] = [
    (".csv", Format::Csv),
    (".parquet", Format::Parquet),
    (".csv.gz", Format::GzippedCsv),
];

/// A table's file.
#[derive(Clone, Debug)]
pub(crate) struct TableFile {
    /// As findings name it: inside the scenario's folder.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    pub(crate) bytes: u64,
}

/// Finds a table: the file that the settings name, or the usual names. `None` when neither exists;
/// a named file that does not exist is a finding.
pub(crate) fn find(
    folder: &Path,
    table: &str,
    named: Option<&str>,
    findings: &mut Findings,
) -> Option<TableFile> {
    if let Some(name) = named {
        return find_named(folder, table, name, findings);
    }
    let present: Vec<TableFile> = ENDINGS
        .into_iter()
        .filter_map(|(ending, format)| at(folder, &format!("{table}{ending}"), format))
        .collect();
    let ignored: Vec<&str> = present
        .iter()
        .skip(1)
        .map(|file| file.name.as_str())
        .collect();
    if let (Some(first), false) = (present.first(), ignored.is_empty()) {
        let problem = format!("is read; {} beside it is not", ignored.join(" and "));
        findings.push(Finding::warning(&first.name, problem).hint(format!(
            "name the file in [tables] {table}, or remove the other"
        )));
    }
    present.into_iter().next()
}

fn find_named(
    folder: &Path,
    table: &str,
    name: &str,
    findings: &mut Findings,
) -> Option<TableFile> {
    // The longest ending first: .csv.gz also ends in nothing else.
    let format = ENDINGS
        .into_iter()
        .find(|(ending, _)| name.to_ascii_lowercase().ends_with(ending))
        .map(|(_, format)| format);
    let shown = escape(name);
    let Some(format) = format else {
        let problem = format!("[tables] {table} = '{shown}' has no known ending");
        findings.push(
            Finding::error("scenario.toml", problem)
                .expected("a name that ends in .csv, .csv.gz or .parquet"),
        );
        return None;
    };
    let file = at(folder, name, format);
    if file.is_none() {
        let problem = format!(
            "[tables] {table} names '{shown}', which is not a file in {}",
            folder.display()
        );
        findings.push(Finding::error("scenario.toml", problem).hint(format!(
            "copy the table into the folder or correct [tables] {table}"
        )));
    }
    file
}

fn at(folder: &Path, name: &str, format: Format) -> Option<TableFile> {
    let path = folder.join(name);
    let metadata = path.metadata().ok()?;
    metadata.is_file().then(|| TableFile {
        name: escape(name),
        bytes: metadata.len(),
        path,
        format,
    })
}

/// Opens a file for reading.
pub(crate) fn open(file: &TableFile) -> Result<File, Box<Finding>> {
    File::open(&file.path).map_err(|error| Box::new(unreadable(&file.name, &error)))
}

/// The text of a file, `None` when it does not exist.
pub(crate) fn read_text(path: &Path, name: &str) -> Result<Option<String>, Box<Finding>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Box::new(unreadable(name, &error))),
    };
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..at]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        let problem = format!("not valid UTF-8 at byte {at} (line {line})");
        Box::new(Finding::error(name, problem).hint("save the file as UTF-8"))
    })
}

/// Opens a text table, unpacked.
pub(crate) fn open_text(file: &TableFile) -> Result<BufReader<Box<dyn Read>>, Box<Finding>> {
    let raw = open(file)?;
    let plain: Box<dyn Read> = match file.format {
        Format::GzippedCsv => Box::new(MultiGzDecoder::new(BufReader::new(raw))),
        Format::Csv | Format::Parquet => Box::new(raw),
    };
    Ok(BufReader::with_capacity(1 << 16, plain))
}

/// A finding for a file that cannot be read.
pub(crate) fn unreadable(name: &str, error: &std::io::Error) -> Finding {
    Finding::error(name, format!("cannot be read: {error}"))
        .environment()
        .hint("check that the file exists and that you may read it")
}
