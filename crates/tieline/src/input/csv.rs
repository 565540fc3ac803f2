//! CSV, line by line: one line is one record, so a quote that is left open cannot swallow the rows below it.
//!
//! Accepted without a word: a byte order mark, CRLF, `;` or tab between the fields, quoted fields, blank lines.

use std::io::{BufRead, BufReader, Read};

use super::files::{self, Format, TableFile};
use super::finding::{Finding, Findings, Place};

/// Longest line, in bytes.
const LINE_BYTES_MAX: u64 = 1 << 16;

/// Bad lines of one kind that are listed one by one.
const SHOWN: u64 = 5;

/// A CSV file after its header.
pub(crate) struct CsvReader {
    name: String,
    input: BufReader<Box<dyn Read>>,
    buffer: Vec<u8>,
    gzipped: bool,
    separator: u8,
    header: Vec<String>,
    record: Record,
    line: u64,
    /// Byte offset behind the current line.
    offset: u64,
    /// Lines that held no usable record.
    broken: u64,
    ended: bool,
}

/// The fields of one line.
#[derive(Debug, Default)]
pub(crate) struct Record {
    text: String,
    ends: Vec<(usize, usize)>,
}

impl Record {
    pub(crate) fn get(&self, index: usize) -> &str {
        self.ends
            .get(index)
            .map_or("", |(from, to)| &self.text[*from..*to])
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    fn end_field(&mut self, from: usize) {
        self.ends.push((from, self.text.len()));
    }
}

enum Line {
    Text { newline: bool },
    Bad,
    End,
}

impl CsvReader {
    /// Opens a file and reads its header; `None` with a finding when there is none.
    pub(crate) fn open(file: &TableFile, findings: &mut Findings) -> Option<CsvReader> {
        let input = match files::open_text(file) {
            Ok(input) => input,
            Err(finding) => {
                findings.push(*finding);
                return None;
            }
        };
        let mut reader = CsvReader {
            name: file.name.clone(),
            input,
            buffer: Vec::new(),
            gzipped: file.format == Format::GzippedCsv,
            separator: b',',
            header: Vec::new(),
            record: Record::default(),
            line: 0,
            offset: 0,
            broken: 0,
            ended: false,
        };
        reader.read_header(file, findings).then_some(reader)
    }

    fn read_header(&mut self, file: &TableFile, findings: &mut Findings) -> bool {
        match self.read_line(findings) {
            Line::Text { .. } => {}
            Line::Bad => return false,
            Line::End => {
                if findings.errors() == 0 {
                    let problem = format!("file is empty: {}", file.path.display());
                    findings.push(Finding::error(&self.name, problem).hint(
                        "expected a header line and one row per step; was the export finished?",
                    ));
                }
                return false;
            }
        }
        if self.buffer.starts_with(b"\xEF\xBB\xBF") {
            self.buffer.drain(..3);
        }
        let text = String::from_utf8_lossy(&self.buffer).into_owned();
        if text.contains('\r') {
            findings.push(
                Finding::error(&self.name, "lines end in a bare carriage return")
                    .at(Place::Line(1))
                    .hint("save the file with LF or CRLF line ends"),
            );
            return false;
        }
        let count = |letter: char| text.matches(letter).count();
        let best = [',', ';', '\t']
            .into_iter()
            .max_by_key(|letter| (count(*letter), *letter == ','));
        self.separator = best.unwrap_or(',') as u8;
        if let Err(problem) = split(&text, self.separator, &mut self.record) {
            findings.push(Finding::error(&self.name, problem).at(Place::Line(1)));
            return false;
        }
        self.header = (0..self.record.len())
            .map(|index| self.record.get(index).trim().to_owned())
            .collect();
        true
    }

    /// Column names.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// Separator, when it is not the comma.
    pub(crate) fn odd_separator(&self) -> Option<char> {
        (self.separator != b',').then_some(char::from(self.separator))
    }

    /// The record that [`CsvReader::advance`] read.
    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    /// Its line.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Unpacked bytes read so far.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Lines that held no usable record.
    pub(crate) fn broken(&self) -> u64 {
        self.broken
    }

    /// Goes to the next usable record; what is wrong with the lines between goes to `findings`.
    pub(crate) fn advance(&mut self, findings: &mut Findings) -> bool {
        while !self.ended {
            match self.read_line(findings) {
                Line::End => break,
                Line::Bad => self.broken += 1,
                Line::Text { newline } => {
                    if self.buffer.iter().all(u8::is_ascii_whitespace) {
                        continue;
                    }
                    if self.parse(newline, findings) {
                        return true;
                    }
                    self.broken += 1;
                }
            }
        }
        false
    }

    fn parse(&mut self, newline: bool, findings: &mut Findings) -> bool {
        let place = Place::Line(self.line);
        // Checked in read_line; the borrow of the buffer ends before findings are made.
        let Ok(text) = std::str::from_utf8(&self.buffer) else {
            return false;
        };
        let outcome = split(text, self.separator, &mut self.record);
        let (found, wanted) = (self.record.len(), self.header.len());
        let error = |problem: String| Finding::error(&self.name, problem).at(place);
        let in_header = format!("{wanted} as in the header");
        let (kind, finding) = match outcome {
            Err(problem) => (
                "quote",
                error(problem).hint("close the quote on the same line, or remove it; a field cannot hold a line break"),
            ),
            Ok(()) if found == wanted => {
                if !newline {
                    findings.push(
                        Finding::warning(&self.name, "the last line has no line end")
                            .at(place)
                            .hint("if the file was cut off, its last number is not complete: check it and end the line"),
                    );
                }
                return true;
            }
            Ok(()) if found < wanted && !newline => (
                "cut",
                error(format!("the file seems cut off: {found} fields in the last line"))
                    .expected(in_header)
                    .hint("export or copy the file again; the last line is not used"),
            ),
            Ok(()) if found > wanted && self.separator == b',' => (
                "many",
                error(format!("{found} fields"))
                    .expected(in_header)
                    .hint("a decimal comma or an unquoted comma in a text makes too many fields: use a decimal point"),
            ),
            Ok(()) => (
                "few",
                error(format!("{found} fields"))
                    .expected(in_header)
                    .hint("give every line a value for every column"),
            ),
        };
        findings.group(kind, SHOWN, finding);
        false
    }

    /// Reads a line into the buffer, without its end.
    fn read_line(&mut self, findings: &mut Findings) -> Line {
        self.buffer.clear();
        let start = self.offset;
        let read = (&mut self.input)
            .take(LINE_BYTES_MAX + 1)
            .read_until(b'\n', &mut self.buffer);
        match read {
            Ok(0) => {
                self.ended = true;
                return Line::End;
            }
            Ok(count) => self.offset += count as u64,
            Err(error) => {
                findings.push(self.read_error(&error));
                self.ended = true;
                return Line::End;
            }
        }
        self.line += 1;
        if self.line == 1
            && let Some(finding) = foreign(&self.name, &self.buffer)
        {
            findings.push(finding);
            self.ended = true;
            return Line::Bad;
        }
        if self.buffer.len() as u64 > LINE_BYTES_MAX {
            let problem = format!("line is longer than {LINE_BYTES_MAX} bytes");
            findings.push(
                Finding::error(&self.name, problem)
                    .at(Place::Line(self.line))
                    .hint("is this a CSV file with one row per line?"),
            );
            self.ended = true;
            return Line::Bad;
        }
        let newline = self.buffer.pop_if(|byte| *byte == b'\n').is_some();
        if newline {
            self.buffer.pop_if(|byte| *byte == b'\r');
        }
        if let Err(error) = std::str::from_utf8(&self.buffer) {
            let byte = start + error.valid_up_to() as u64;
            let problem = format!("not valid UTF-8 at byte {byte} (line {})", self.line);
            let found = self.buffer[error.valid_up_to()];
            findings.group(
                "utf8",
                SHOWN,
                Finding::error(&self.name, format!("{problem}: found 0x{found:02x}"))
                    .at(Place::Line(self.line))
                    .hint("save the file as UTF-8; Latin-1 and Windows code pages are not read"),
            );
            return Line::Bad;
        }
        if let Some(control) = self.control_character() {
            let problem = format!("the line holds the control character 0x{control:02x}");
            findings.group(
                "control",
                SHOWN,
                Finding::error(&self.name, problem)
                    .at(Place::Line(self.line))
                    .hint("the file seems damaged: copy or export it again"),
            );
            return Line::Bad;
        }
        Line::Text { newline }
    }

    /// A carriage return, vertical tab or form feed inside the line: trimmed off a cell, it would go unseen. The first
    /// line has a message of its own for bare carriage returns.
    fn control_character(&self) -> Option<u8> {
        let is_space = |byte: &u8| matches!(byte, b'\r' | 0x0b | 0x0c);
        let found = self.buffer.iter().copied().find(is_space);
        found.filter(|byte| self.line > 1 || *byte != b'\r')
    }

    fn read_error(&self, error: &std::io::Error) -> Finding {
        if self.gzipped {
            let problem = format!(
                "not a complete gzip file, after line {}: {error}",
                self.line
            );
            Finding::error(&self.name, problem)
                .hint("the file seems cut off or damaged: compress or copy it again")
        } else {
            files::unreadable(&self.name, error)
        }
    }
}

/// What a file is when its first bytes say that it is no text table.
fn foreign(name: &str, start: &[u8]) -> Option<Finding> {
    let (what, hint) = match start {
        [0x1f, 0x8b, ..] => ("a gzip file", "let its name end in .csv.gz"),
        [b'P', b'A', b'R', b'1', ..] => ("a Parquet file", "let its name end in .parquet"),
        [b'P', b'K', 3, 4, ..] => (
            "a spreadsheet or zip archive",
            "export the sheet as CSV (UTF-8)",
        ),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => ("UTF-16 text", "save the file as UTF-8"),
        _ if start.contains(&0) => ("a binary file", "export the table as CSV (UTF-8)"),
        _ => return None,
    };
    Some(Finding::error(name, format!("not a CSV file but {what}")).hint(hint))
}

/// Splits a line into fields.
fn split(line: &str, separator: u8, record: &mut Record) -> Result<(), String> {
    record.clear();
    let bytes = line.as_bytes();
    if !bytes.contains(&b'"') {
        record.text.push_str(line);
        let mut from = 0;
        for (at, byte) in bytes.iter().enumerate() {
            if *byte == separator {
                record.ends.push((from, at));
                from = at + 1;
            }
        }
        record.ends.push((from, bytes.len()));
        return Ok(());
    }
    let mut at = 0;
    loop {
        let from = record.text.len();
        if bytes.get(at) == Some(&b'"') {
            at = quoted(line, at, record)?;
            match bytes.get(at) {
                None => {}
                Some(byte) if *byte == separator => {}
                Some(_) => {
                    return Err(format!(
                        "text behind the closing quote at column {}",
                        at + 1
                    ));
                }
            }
        } else {
            let end = bytes[at..].iter().position(|byte| *byte == separator);
            let end = end.map_or(bytes.len(), |length| at + length);
            if let Some(quote) = line[at..end].find('"') {
                return Err(format!(
                    "a quote inside a field at column {}",
                    at + quote + 1
                ));
            }
            record.text.push_str(&line[at..end]);
            at = end;
        }
        record.end_field(from);
        if at >= bytes.len() {
            return Ok(());
        }
        at += 1;
        if at == bytes.len() {
            record.end_field(record.text.len());
            return Ok(());
        }
    }
}

/// Reads a quoted field from its opening quote; returns the index behind the closing one.
fn quoted(line: &str, open: usize, record: &mut Record) -> Result<usize, String> {
    let mut at = open + 1;
    loop {
        let Some(length) = line[at..].find('"') else {
            return Err(format!("unclosed quote: it opens at column {}", open + 1));
        };
        record.text.push_str(&line[at..at + length]);
        at += length + 1;
        if line.as_bytes().get(at) == Some(&b'"') {
            record.text.push('"');
            at += 1;
        } else {
            return Ok(at);
        }
    }
}
