//! What is wrong with an input: where it stands, what was found, what was expected, what to do next.

use std::collections::BTreeMap;
use std::fmt;

/// Findings that are printed before the rest is counted.
const PRINTED_MAX: usize = 20;

/// Hints that are printed below the findings.
const HINTS_MAX: usize = 4;

/// Findings that one file may keep: a broken year of data must not fill the memory with messages.
const KEPT_MAX: usize = 500;

/// Characters of a foreign value that a message repeats.
const QUOTED_MAX: usize = 60;

/// Whether the input can be used in spite of the finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Usable; somebody should look.
    Warning,
    /// Refused.
    Error,
}

/// What a finding blames, which decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The content of a file: exit code 1.
    Content,
    /// A wrong flag or variable, a file that cannot be read: exit code 2.
    Environment,
}

/// Where in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The file as a whole.
    File,
    /// A line of a text file, from 1; the header of a CSV is line 1.
    Line(u64),
    /// A data row of a Parquet file, from 1.
    Row(u64),
}

/// One defect of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Refused or only told.
    pub severity: Severity,
    /// Content or environment.
    pub cause: Cause,
    /// The file, as a path inside the scenario's folder, or the flag or variable.
    pub file: String,
    /// Where in it.
    pub place: Place,
    /// The column or key.
    pub column: Option<String>,
    /// The value found, escaped and shortened.
    pub found: Option<String>,
    /// What is wrong; reads on from the value found.
    pub problem: String,
    /// What belongs there.
    pub expected: Option<String>,
    /// The next step.
    pub hint: Option<String>,
    /// Further findings of the same kind that are not listed, and where the last of them stands.
    pub more: Option<(u64, Place)>,
}

impl Finding {
    /// An error about `file`.
    pub fn error(file: &str, problem: impl Into<String>) -> Finding {
        Finding {
            severity: Severity::Error,
            cause: Cause::Content,
            file: file.to_owned(),
            place: Place::File,
            column: None,
            found: None,
            problem: problem.into(),
            expected: None,
            hint: None,
            more: None,
        }
    }

    /// A warning about `file`.
    pub fn warning(file: &str, problem: impl Into<String>) -> Finding {
        Finding {
            severity: Severity::Warning,
            ..Finding::error(file, problem)
        }
    }

    /// At this place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Finding {
        self.place = place;
        self
    }

    /// In this column or key.
    #[must_use]
    pub fn column(mut self, column: &str) -> Finding {
        self.column = Some(escape(column));
        self
    }

    /// With this value found; it is escaped and shortened here.
    #[must_use]
    pub fn found(mut self, value: &str) -> Finding {
        self.found = Some(escape(value));
        self
    }

    /// With what belongs there.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Finding {
        self.expected = Some(expected.into());
        self
    }

    /// With the next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Finding {
        self.hint = Some(hint.into());
        self
    }

    /// Blamed on the environment instead of a file's content.
    #[must_use]
    pub fn environment(mut self) -> Finding {
        self.cause = Cause::Environment;
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::File => write!(f, "{}: ", self.file)?,
            Place::Line(line) => write!(f, "{}:{line}: ", self.file)?,
            Place::Row(row) => write!(f, "{}: row {row}: ", self.file)?,
        }
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        if let Some(column) = &self.column {
            write!(f, "column {column}: ")?;
        }
        if let Some(found) = &self.found {
            write!(f, "'{found}' ")?;
        }
        f.write_str(&self.problem)?;
        if let Some(expected) = &self.expected {
            write!(f, ", expected {expected}")?;
        }
        match self.more {
            Some((count, Place::Line(line))) => {
                write!(f, " (and {count} more like this, up to line {line})")
            }
            Some((count, Place::Row(row))) => {
                write!(f, " (and {count} more like this, up to row {row})")
            }
            Some((count, Place::File)) => write!(f, " (and {count} more like this)"),
            None => Ok(()),
        }
    }
}

/// Why a scenario is refused: at least one finding of severity [`Severity::Error`].
///
/// `Display` prints the errors, then the warnings, at most twenty, a blank line and `hint: …` lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputErrors {
    findings: Vec<Finding>,
}

impl InputErrors {
    /// From findings, errors first.
    pub fn new(mut findings: Vec<Finding>) -> InputErrors {
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        InputErrors { findings }
    }

    /// All findings, errors first.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// 1 when a file's content is to blame, 2 for the environment.
    pub fn exit_code(&self) -> u8 {
        let environment = |finding: &Finding| {
            finding.severity == Severity::Error && finding.cause == Cause::Environment
        };
        if self.findings.iter().any(environment) {
            2
        } else {
            1
        }
    }
}

impl From<Finding> for InputErrors {
    fn from(finding: Finding) -> InputErrors {
        InputErrors::new(vec![finding])
    }
}

impl From<Box<Finding>> for InputErrors {
    fn from(finding: Box<Finding>) -> InputErrors {
        InputErrors::from(*finding)
    }
}

impl std::error::Error for InputErrors {}

impl fmt::Display for InputErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let printed = self.findings.len().min(PRINTED_MAX);
        for (index, finding) in self.findings[..printed].iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{finding}")?;
        }
        let rest = self.findings.len() - printed;
        if rest > 0 {
            write!(f, "\n... and {rest} more")?;
        }
        let mut hints: Vec<&str> = Vec::new();
        for hint in self.findings.iter().filter_map(|one| one.hint.as_deref()) {
            if !hints.contains(&hint) && hints.len() < HINTS_MAX {
                hints.push(hint);
            }
        }
        if hints.is_empty() {
            hints.push("correct what is named above and run again; nothing was written");
        }
        f.write_str("\n")?;
        hints
            .iter()
            .try_for_each(|hint| write!(f, "\nhint: {hint}"))
    }
}

/// The findings of one file while it is read: the first few of a kind in full, the rest as a count.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    groups: BTreeMap<String, Group>,
    errors: u64,
}

#[derive(Debug)]
struct Group {
    shown: u64,
    last: usize,
}

impl Findings {
    /// Adds a finding on its own.
    pub(crate) fn push(&mut self, finding: Finding) {
        self.errors += u64::from(finding.severity == Severity::Error);
        self.list.push(finding);
    }

    /// Adds a finding to the kind `group`, of which `shown_max` are listed and the others counted.
    pub(crate) fn group(&mut self, group: &str, shown_max: u64, finding: Finding) {
        match self.groups.get_mut(group) {
            Some(known) if known.shown >= shown_max || self.list.len() >= KEPT_MAX => {
                self.errors += u64::from(finding.severity == Severity::Error);
                let more = &mut self.list[known.last].more;
                *more = Some((more.map_or(0, |(count, _)| count) + 1, finding.place));
            }
            Some(known) => {
                known.shown += 1;
                known.last = self.list.len();
                self.push(finding);
            }
            None => {
                // Beyond the bound all kinds share the nameless one.
                if self.groups.len() >= KEPT_MAX && !group.is_empty() {
                    return self.group("", 1, finding);
                }
                let last = self.list.len();
                self.groups
                    .insert(group.to_owned(), Group { shown: 1, last });
                self.push(finding);
            }
        }
    }

    /// Adds the findings of another file.
    pub(crate) fn append(&mut self, other: Findings) {
        self.errors += other.errors;
        self.list.extend(other.list);
    }

    /// How many errors there are, with those that are only counted.
    pub(crate) fn errors(&self) -> u64 {
        self.errors
    }

    /// Whether findings of this kind were added.
    pub(crate) fn has(&self, group: &str) -> bool {
        self.groups.contains_key(group)
    }

    /// Everything.
    pub(crate) fn into_list(self) -> Vec<Finding> {
        self.list
    }

    /// The warnings when there is no error, else everything as an error.
    pub(crate) fn finish(self) -> Result<Vec<Finding>, InputErrors> {
        if self.errors == 0 {
            Ok(self.list)
        } else {
            Err(InputErrors::new(self.list))
        }
    }
}

/// A foreign value fit for a message: control characters, markup and invisible characters escaped, long ones cut.
pub(crate) fn escape(value: &str) -> String {
    let mut out = String::new();
    for (count, letter) in value.chars().enumerate() {
        // An escape takes up to ten characters of its own.
        if count == QUOTED_MAX || out.len() > 2 * QUOTED_MAX {
            out.push('…');
            break;
        }
        let plain = letter == ' ' || letter.is_ascii_graphic() || letter.is_alphanumeric();
        if plain && !matches!(letter, '<' | '>' | '&') {
            out.push(letter);
        } else if letter.is_ascii_graphic() {
            out.extend(letter.escape_unicode());
        } else {
            out.extend(letter.escape_default());
        }
    }
    out
}

/// The known name nearest to `name`, if any is near.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_ascii_lowercase();
    known
        .map(|one| (strsim::jaro_winkler(&lower, one), one))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, one)| one)
}

/// A few names as a list for a message.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const LISTED_MAX: usize = 12;
    let all: Vec<String> = names.into_iter().map(escape).collect();
    let mut text = all[..all.len().min(LISTED_MAX)].join(", ");
    if all.len() > LISTED_MAX {
        text.push_str(&format!(" and {} more", all.len() - LISTED_MAX));
    }
    text
}
