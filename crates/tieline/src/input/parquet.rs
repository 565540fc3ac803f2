//! Tables in Parquet files, read column by column without building rows; columns count by name and logical type.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use parquet::column::reader::get_column_reader;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader as _, SerializedFileReader};

use super::cells::CellAt;
use super::columns::{Column, Header, Layout};
use super::files::{self, TableFile};
use super::finding::{Finding, Findings, Place, escape};
use super::microgrids::TextTable;
use super::parquet_cells::{SHOWN, bad, instant, number};
use super::parquet_column::{Batch, Kind, Raw, type_name};
use super::parquet_pages::{CheckedPages, check_chunk, guarded};
use super::rows::{Pass, Plan, Read, Row, report};

/// Rows that are decoded at once.
const BATCH_ROWS: usize = 8192;

const MAGIC: &[u8] = b"PAR1";

const DAMAGED: &str = "the file is damaged: copy or export it again";

struct Open {
    reader: SerializedFileReader<File>,
    names: Vec<String>,
    kinds: Vec<Kind>,
}

/// Reads the schema and finds the layout with `choose`.
pub(crate) fn layout(
    file: &TableFile,
    choose: fn(&Header<'_>, &mut Findings) -> Option<Layout>,
    findings: &mut Findings,
) -> Option<Layout> {
    let open = open(file, findings)?;
    let header = Header {
        file: &file.name,
        place: Place::File,
        names: &open.names,
    };
    let layout = choose(&header, findings)?;
    let before = findings.errors();
    open.check_time(file, &layout.time, findings);
    if let Some(id) = &layout.id
        && open.kinds[id.index] != Kind::Text
    {
        findings.push(open.wrong_type(file, id, "Utf8"));
    }
    for column in &layout.values {
        open.check_value(file, column, layout.id.is_some(), findings);
    }
    (findings.errors() == before).then_some(layout)
}

/// Hands every readable row to `pass.row`.
pub(crate) fn stream(plan: &Plan<'_>, pass: &mut Pass<'_>) -> Read {
    let mut read = Read::default();
    let Some(open) = open(plan.file, pass.findings) else {
        return read;
    };
    let mut columns = vec![&plan.layout.time];
    columns.extend(plan.layout.id.as_ref().filter(|_| plan.ids));
    if plan.unit.is_some() {
        columns.extend(&plan.layout.values);
    }
    let mut rows = Rows {
        plan,
        open: &open,
        number: 0,
        id: String::new(),
        values: Vec::new(),
    };
    let total = u64::try_from(open.reader.metadata().file_metadata().num_rows()).ok();
    let finding = open.batches(plan.file, &columns, &mut |batches, count| {
        for _ in 0..count {
            if rows.next(batches, pass) {
                read.rows += 1;
            } else {
                read.broken += 1;
            }
        }
        let share = rows.number * plan.file.bytes / total.unwrap_or(1).max(1);
        report(plan.file, share, pass.progress);
        true
    });
    if let Some(finding) = finding {
        pass.findings.push(*finding);
        read.broken += 1;
    }
    read
}

/// Reads a small table as texts.
pub(crate) fn texts(
    file: &TableFile,
    rows_max: usize,
    findings: &mut Findings,
) -> Option<TextTable> {
    let open = open(file, findings)?;
    let columns: Vec<Column> = open
        .names
        .iter()
        .enumerate()
        .map(|(index, name)| Column {
            index,
            name: name.clone(),
        })
        .filter(|column| open.kinds[column.index] != Kind::Other)
        .collect();
    let mut rows = Vec::new();
    let all: Vec<&Column> = columns.iter().collect();
    let finding = open.batches(file, &all, &mut |batches, count| {
        for _ in 0..count {
            let cells = batches
                .iter_mut()
                .zip(&columns)
                .map(|(batch, column)| batch.next().text(&open.kinds[column.index]));
            rows.push((rows.len() as u64 + 1, cells.collect()));
        }
        rows.len() <= rows_max
    });
    if let Some(finding) = finding {
        findings.push(*finding);
        return None;
    }
    if rows.len() > rows_max {
        findings.push(Finding::error(
            &file.name,
            format!("more than {rows_max} rows"),
        ));
        return None;
    }
    let names = columns.into_iter().map(|column| column.name).collect();
    Some(TextTable { names, rows })
}

fn open(file: &TableFile, findings: &mut Findings) -> Option<Open> {
    match try_open(file) {
        Ok(open) => Some(open),
        Err(finding) => {
            findings.push(*finding);
            None
        }
    }
}

fn try_open(file: &TableFile) -> Result<Open, Box<Finding>> {
    let mut raw = files::open(file)?;
    check_magic(file, &mut raw)?;
    let broken = |error: ParquetError| {
        let problem = format!("the footer cannot be read: {}", escape(&error.to_string()));
        Box::new(Finding::error(&file.name, problem).hint(DAMAGED))
    };
    let reader = guarded(|| SerializedFileReader::new(raw)).map_err(broken)?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    Ok(Open {
        names: schema
            .columns()
            .iter()
            .map(|column| column.path().string())
            .collect(),
        kinds: schema
            .columns()
            .iter()
            .map(|column| Kind::of(column))
            .collect(),
        reader,
    })
}

fn check_magic(file: &TableFile, raw: &mut File) -> Result<(), Box<Finding>> {
    let unreadable = |error: std::io::Error| Box::new(files::unreadable(&file.name, &error));
    let path = file.path.display();
    if file.bytes == 0 {
        let problem = format!("file is empty: {path}");
        return Err(Box::new(
            Finding::error(&file.name, problem).hint("was the export finished?"),
        ));
    }
    let mut start = Vec::new();
    raw.take(256).read_to_end(&mut start).map_err(unreadable)?;
    if !start.starts_with(MAGIC) {
        let found: String = start.iter().take(4).map(|byte| char::from(*byte)).collect();
        let text = std::str::from_utf8(&start).is_ok_and(|text| text.contains([',', ';']));
        let problem = format!(
            "not a Parquet file (magic bytes): {path} begins with '{}'",
            escape(&found)
        );
        let finding = Finding::error(&file.name, problem).expected("'PAR1'");
        return Err(Box::new(if text {
            finding.hint("it looks like CSV: let its name end in .csv")
        } else {
            finding.hint("export the table as Parquet, or let the name end in .csv if it is text")
        }));
    }
    let mut end = [0; 4];
    if file.bytes >= 12 {
        raw.seek(SeekFrom::End(-4)).map_err(unreadable)?;
        raw.read_exact(&mut end).map_err(unreadable)?;
    }
    raw.rewind().map_err(unreadable)?;
    if &end == b"PARE" {
        return Err(Box::new(
            Finding::error(&file.name, "is an encrypted Parquet file")
                .hint("export it without encryption"),
        ));
    }
    if end != MAGIC {
        let problem = format!("not a complete Parquet file (footer missing): {path}");
        return Err(Box::new(
            Finding::error(&file.name, problem)
                .hint("the file seems cut off: copy or export it again"),
        ));
    }
    Ok(())
}

impl Open {
    fn wrong_type(&self, file: &TableFile, column: &Column, expected: &str) -> Finding {
        let schema = self.reader.metadata().file_metadata().schema_descr();
        let found = type_name(&schema.column(column.index));
        let problem = format!("column {} has type {found}", column.name);
        Finding::error(&file.name, problem)
            .expected(expected)
            .hint(format!("write {} as {expected}", column.name))
    }

    fn check_time(&self, file: &TableFile, column: &Column, findings: &mut Findings) {
        match self.kinds[column.index] {
            Kind::Timestamp { utc: true, .. } => {}
            Kind::Timestamp { utc: false, .. } => findings.push(
                Finding::error(&file.name, "is a timestamp without UTC flag (isAdjustedToUTC = false)")
                    .column(&column.name)
                    .expected("a timestamp in UTC with isAdjustedToUTC = true")
                    .hint(
                        "give the column the type timestamp(ms, tz=UTC): in pandas df[\"timestamp_utc\"].dt.tz_localize(\"UTC\"), \
                         after converting local times",
                    ),
            ),
            _ => findings.push(self.wrong_type(file, column, "a timestamp in UTC")),
        }
    }

    fn check_value(&self, file: &TableFile, column: &Column, power: bool, findings: &mut Findings) {
        let kind = &self.kinds[column.index];
        match (power, kind) {
            (_, Kind::Integer | Kind::Decimal { .. }) | (true, Kind::Float) | (false, Kind::Text) => {}
            (true, _) => findings.push(self.wrong_type(file, column, "a number")),
            (false, Kind::Float) => findings.push(
                self.wrong_type(file, column, "decimal text or a Decimal")
                    .hint("a binary float cannot hold most decimal prices exactly: write prices as text such as \"0.20234\""),
            ),
            (false, _) => findings.push(self.wrong_type(file, column, "decimal text or a Decimal")),
        }
    }

    /// A column of a row group, before its first batch.
    fn batch(
        &self,
        file: &TableFile,
        group: usize,
        column: &Column,
    ) -> Result<Batch, ParquetError> {
        let metadata = self.reader.metadata();
        check_chunk(metadata.row_group(group).column(column.index), file.bytes)?;
        let pages = self
            .reader
            .get_row_group(group)?
            .get_column_page_reader(column.index)?;
        let descriptor = metadata.file_metadata().schema_descr().column(column.index);
        let reader = get_column_reader(descriptor.clone(), Box::new(CheckedPages::new(pages)));
        Ok(Batch::new(reader, &descriptor))
    }

    /// Reads `columns` side by side and hands their batches out; a finding when a page cannot be decoded.
    fn batches(
        &self,
        file: &TableFile,
        columns: &[&Column],
        each: &mut dyn FnMut(&mut [Batch], usize) -> bool,
    ) -> Option<Box<Finding>> {
        let mut done = 0;
        for group in 0..self.reader.num_row_groups() {
            let mut batches = Vec::with_capacity(columns.len());
            for column in columns {
                match guarded(|| self.batch(file, group, column)) {
                    Ok(batch) => batches.push(batch),
                    Err(error) => return Some(damaged(file, column, (group, done), &error)),
                }
            }
            loop {
                let mut counts = Vec::with_capacity(batches.len());
                for (batch, column) in batches.iter_mut().zip(columns) {
                    match guarded(|| batch.fill(BATCH_ROWS)) {
                        Ok(rows) => counts.push(rows),
                        Err(error) => {
                            return Some(damaged(file, column, (group, done), &error));
                        }
                    }
                }
                let count = counts.first().copied().unwrap_or(0);
                if let Some(at) = counts.iter().position(|rows| *rows != count) {
                    let problem = format!(
                        "column {} has another number of rows than {}",
                        columns[at].name, columns[0].name
                    );
                    return Some(Box::new(Finding::error(&file.name, problem).hint(DAMAGED)));
                }
                if count == 0 {
                    break;
                }
                if !each(&mut batches, count) {
                    return None;
                }
                done += count as u64;
            }
        }
        let promised = self.reader.metadata().file_metadata().num_rows();
        if u64::try_from(promised) != Ok(done) {
            let problem = format!("holds {done} rows, its footer promises {promised}");
            return Some(Box::new(Finding::error(&file.name, problem).hint(DAMAGED)));
        }
        None
    }
}

fn damaged(
    file: &TableFile,
    column: &Column,
    (group, done): (usize, u64),
    error: &ParquetError,
) -> Box<Finding> {
    let text = error.to_string();
    let problem = if text.contains("CRC") {
        format!(
            "page checksum mismatch in row group {}, after row {done}",
            group + 1
        )
    } else {
        format!(
            "cannot be decoded in row group {}, after row {done}: {}",
            group + 1,
            escape(&text)
        )
    };
    Box::new(
        Finding::error(&file.name, problem)
            .column(&column.name)
            .expected("intact pages")
            .hint(DAMAGED),
    )
}

/// Builds rows from the batches of their columns.
struct Rows<'a> {
    plan: &'a Plan<'a>,
    open: &'a Open,
    number: u64,
    id: String,
    values: Vec<i64>,
}

impl Rows<'_> {
    /// Hands the next row of the batches out; `false` when it has no time or id.
    fn next(&mut self, batches: &mut [Batch], pass: &mut Pass<'_>) -> bool {
        self.number += 1;
        let (plan, place) = (self.plan, Place::Row(self.number));
        let at = |column| CellAt {
            file: &plan.file.name,
            place,
            column,
        };
        let mut columns = batches.iter_mut();
        let raw = columns.next().map_or(Raw::Null, Batch::next);
        let kind = &self.open.kinds[plan.layout.time.index];
        let time = instant(raw, kind, at(&plan.layout.time.name), pass.findings);
        let mut named = true;
        self.id.clear();
        if let Some(column) = plan.layout.id.as_ref().filter(|_| plan.ids) {
            let raw = columns.next().map_or(Raw::Null, Batch::next);
            named = self.name(raw, at(&column.name), pass.findings);
        }
        self.values.clear();
        if let Some(unit) = plan.unit {
            for (batch, column) in columns.zip(&plan.layout.values) {
                let kind = &self.open.kinds[column.index];
                let value = number(unit, batch.next(), kind, (at(&column.name), pass.findings));
                self.values.push(value);
            }
        }
        let (Some(time), true) = (time, named) else {
            return false;
        };
        let row = Row {
            number: self.number,
            time,
            id: &self.id,
            values: &self.values,
        };
        (pass.row)(&row, pass.findings);
        true
    }

    fn name(&mut self, raw: Raw<'_>, at: CellAt<'_>, findings: &mut Findings) -> bool {
        let problem = match raw {
            Raw::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => {
                    self.id.push_str(text);
                    return true;
                }
                Err(_) => "is not valid UTF-8",
            },
            _ => "is null",
        };
        findings.group(
            "no id",
            SHOWN,
            bad(problem, at).expected("the id of a microgrid"),
        );
        false
    }
}
