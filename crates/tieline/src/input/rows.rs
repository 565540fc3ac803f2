//! Rows of profiles and prices from either kind of file, one at a time.

use std::collections::BTreeMap;

use tieline_units::{Time, TimeError};

use super::Progress;
use super::cells::{self, CellAt, Unit};
use super::columns::{Column, Header, Layout};
use super::csv::CsvReader;
use super::files::{Format, TableFile};
use super::finding::{Finding, Findings, Place};
use super::parquet;

/// Rows between two reports of progress.
const ROWS_PER_REPORT: u64 = 1 << 15;

/// Local stamps that are remembered to tell whether some occur twice.
const LOCAL_STAMPS_MAX: usize = 100_000;

/// One readable row.
pub(crate) struct Row<'a> {
    /// Line or row number.
    pub(crate) number: u64,
    pub(crate) time: Time,
    /// Empty in a table without microgrids.
    pub(crate) id: &'a str,
    /// Scaled integers, [`cells::REFUSED`] where the cell was refused; empty in the first pass.
    pub(crate) values: &'a [i64],
}

/// What is read of the rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) file: &'a TableFile,
    pub(crate) layout: &'a Layout,
    /// The unit of the values; `None` leaves them out.
    pub(crate) unit: Option<Unit>,
    /// Whether ids are needed.
    pub(crate) ids: bool,
}

/// What is done with rows and findings.
pub(crate) struct Pass<'a> {
    pub(crate) findings: &'a mut Findings,
    pub(crate) progress: &'a mut dyn FnMut(Progress),
    pub(crate) row: &'a mut dyn FnMut(&Row<'_>, &mut Findings),
}

/// How a pass ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Read {
    /// Rows handed out.
    pub(crate) rows: u64,
    /// Rows that could not be: wrong number of fields, no time, no text.
    pub(crate) broken: u64,
}

/// Reads the column names and finds the layout with `choose`.
pub(crate) fn layout(
    file: &TableFile,
    choose: fn(&Header<'_>, &mut Findings) -> Option<Layout>,
    findings: &mut Findings,
) -> Option<Layout> {
    if file.format == Format::Parquet {
        return parquet::layout(file, choose, findings);
    }
    let reader = CsvReader::open(file, findings)?;
    let header = Header {
        file: &file.name,
        place: Place::Line(1),
        names: reader.header(),
    };
    choose(&header, findings)
}

/// Hands every readable row to `pass.row`.
pub(crate) fn stream(plan: &Plan<'_>, pass: &mut Pass<'_>) -> Read {
    if plan.file.format == Format::Parquet {
        return parquet::stream(plan, pass);
    }
    let Some(mut reader) = CsvReader::open(plan.file, pass.findings) else {
        return Read::default();
    };
    let mut read = Read::default();
    let mut values = Vec::with_capacity(plan.layout.values.len());
    let mut stamps = Stamps::default();
    while reader.advance(pass.findings) {
        let record = reader.record();
        let line = reader.line();
        let cell = |name| CellAt {
            file: &plan.file.name,
            place: Place::Line(line),
            column: name,
        };
        let time_text = record.get(plan.layout.time.index);
        let id = match &plan.layout.id {
            Some(column) if plan.ids => record.get(column.index),
            _ => "",
        };
        let time = stamps.read(time_text, id, cell(&plan.layout.time.name), pass.findings);
        values.clear();
        if let Some(unit) = plan.unit {
            for column in &plan.layout.values {
                let at = cell(&column.name);
                values.push(cells::read(
                    unit,
                    record.get(column.index),
                    at,
                    pass.findings,
                ));
            }
        }
        match time {
            Some(time) => {
                read.rows += 1;
                let row = Row {
                    number: line,
                    time,
                    id,
                    values: &values,
                };
                (pass.row)(&row, pass.findings);
            }
            None => read.broken += 1,
        }
        if line.is_multiple_of(ROWS_PER_REPORT) {
            report(plan.file, reader.offset(), pass.progress);
        }
    }
    let commas = |column: &Column| pass.findings.has(&format!("comma {}", column.name));
    if let Some(separator) = reader.odd_separator()
        && plan.layout.values.iter().any(commas)
    {
        pass.findings.group(
            "separator",
            1,
            Finding::error(
                &plan.file.name,
                format!("found '{separator}' as separator between the fields"),
            )
            .at(Place::Line(1))
            .hint("';' is accepted, a decimal comma is not: export with a decimal point"),
        );
    }
    read.broken += reader.broken();
    read
}

/// Tells how far a file is read; packed files are estimated by their unpacked bytes.
pub(crate) fn report(file: &TableFile, done: u64, progress: &mut dyn FnMut(Progress)) {
    progress(Progress {
        file: file.name.clone(),
        done,
        total: (file.format != Format::GzippedCsv).then_some(file.bytes),
    });
}

/// Reads timestamps and remembers local ones to tell ambiguous from plain missing offsets.
#[derive(Default)]
struct Stamps {
    local: BTreeMap<String, u64>,
    ambiguous: bool,
}

impl Stamps {
    fn read(
        &mut self,
        text: &str,
        id: &str,
        at: CellAt<'_>,
        findings: &mut Findings,
    ) -> Option<Time> {
        let text = text.trim();
        let error = match Time::parse(text) {
            Ok(time) if is_exact(text) => return Some(time),
            Ok(_) => {
                let finding = Finding::error(at.file, "is finer than a millisecond").found(text);
                findings.group(
                    "fine",
                    3,
                    finding.at(at.place).column(at.column).hint(GRID_HINT),
                );
                return None;
            }
            Err(error) => error,
        };
        let base = |problem: &str| {
            let finding = Finding::error(at.file, problem)
                .at(at.place)
                .column(at.column);
            finding
                .found(text)
                .expected("ISO-8601 in UTC such as 2016-05-24T22:00:00Z")
        };
        match error {
            TimeError::NoOffset { .. } => {
                self.local_stamp(text, id, at, findings);
                findings.group(
                    "offset",
                    1,
                    base("is a timestamp without UTC offset").hint(
                        "write the instant in UTC with a Z, or add the offset (+02:00): a local time without it \
                         skips an hour in spring and repeats one in autumn",
                    ),
                );
            }
            TimeError::YearOutOfRange { .. } => {
                findings.group(
                    "year",
                    3,
                    base("has a year out of range (2000 to 2099)").hint("correct the year"),
                );
            }
            _ if text.is_empty() => findings.group("no time", 3, base("is an empty timestamp")),
            _ => findings.group(
                "time",
                3,
                base("is not a timestamp").hint(
                    "write 2016-05-24T22:00:00Z; day-first dates and numbers of days are not read",
                ),
            ),
        }
        None
    }

    /// A local time that stands twice for one microgrid cannot be told apart.
    fn local_stamp(&mut self, text: &str, id: &str, at: CellAt<'_>, findings: &mut Findings) {
        if self.ambiguous || self.local.len() >= LOCAL_STAMPS_MAX {
            return;
        }
        let (Place::Line(line) | Place::Row(line)) = at.place else {
            return;
        };
        if let Some(first) = self.local.insert(format!("{text} {id}"), line) {
            self.ambiguous = true;
            let problem = format!(
                "is an ambiguous local time: it is there at lines {first} and {line}, as when clocks go back, and the two cannot be told apart"
            );
            let finding = Finding::error(at.file, problem)
                .at(at.place)
                .column(at.column);
            findings.push(finding.found(text));
        }
    }
}

/// What to do about instants beside the raster.
pub(crate) const GRID_HINT: &str =
    "timestamps are never rounded: correct them or resample the data to the market interval";

/// Whether a timestamp has no digits below the millisecond, which the clock would drop.
fn is_exact(text: &str) -> bool {
    let fraction = text.split_once(['.', ',']).map_or("", |(_, rest)| rest);
    let digits = fraction.bytes().take_while(u8::is_ascii_digit);
    digits.skip(3).all(|digit| digit == b'0')
}
