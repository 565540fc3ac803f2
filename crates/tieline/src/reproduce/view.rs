//! A document as sections of tables, claims and plots: what text, CSV and page are all made from.

use super::claim::Claim;
use super::plots::Plot;

/// A part of the document.
#[derive(Clone, Debug)]
pub(super) struct Section<'a> {
    /// Short name, unique.
    pub(super) id: &'static str,
    /// Heading.
    pub(super) heading: &'static str,
    /// What it shows.
    pub(super) lead: String,
    /// In the order of reading.
    pub(super) blocks: Vec<Block<'a>>,
}

/// A piece of a section.
#[derive(Clone, Debug)]
pub(super) enum Block<'a> {
    /// Claims with their verdicts.
    Claims(Vec<&'a Claim>),
    /// A table.
    Table(Table),
    /// Plots beside each other, with a caption.
    Plots(Vec<Plot>, String),
}

/// A table.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// Name of its file, without ending.
    pub(super) id: &'static str,
    /// Caption.
    pub(super) caption: String,
    /// Columns.
    pub(super) columns: Vec<Column>,
    /// Rows.
    pub(super) rows: Vec<Vec<Cell>>,
    /// Long data: a file only.
    pub(super) file_only: bool,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// Name in the file: lower case, with the unit.
    pub(super) key: &'static str,
    /// Name on paper.
    pub(super) name: &'static str,
    /// Holds numbers.
    pub(super) number: bool,
}

/// A cell.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    /// Words.
    Text(String),
    /// A claim: a link to it where links are possible.
    Claim {
        /// Its id.
        id: String,
        /// The paper's words.
        quote: &'static str,
        /// Where they stand.
        place: &'static str,
    },
    /// A number and its decimals on paper; files have all of it.
    Number(f64, usize),
    /// The same with its sign.
    Signed(f64, usize),
    /// A share, shown as a percentage with a sign.
    Percent(f64),
    /// Nothing.
    Empty,
}

impl Table {
    /// A table; a column's text is `key|name`, with `#` in front when it holds numbers.
    pub(super) fn new(id: &'static str, caption: &str, columns: &[&'static str]) -> Table {
        let column = |text: &&'static str| {
            let (number, text) = match text.strip_prefix('#') {
                Some(rest) => (true, rest),
                None => (false, *text),
            };
            let (key, name) = text.split_once('|').unwrap_or((text, text));
            Column { key, name, number }
        };
        Table {
            id,
            caption: caption.to_owned(),
            columns: columns.iter().map(column).collect(),
            rows: Vec::new(),
            file_only: false,
        }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// The table as CSV: RFC 4180 quoting, line feeds, numbers in full.
    pub(super) fn csv(&self) -> String {
        let mut csv = self
            .columns
            .iter()
            .map(|column| column.key)
            .collect::<Vec<_>>()
            .join(",");
        csv.push('\n');
        for row in &self.rows {
            let fields: Vec<String> = row.iter().map(Cell::field).collect();
            csv.push_str(&fields.join(","));
            csv.push('\n');
        }
        csv
    }
}

impl Cell {
    /// Words.
    pub(super) fn text(text: impl Into<String>) -> Cell {
        Cell::Text(text.into())
    }

    /// A number that may be missing.
    pub(super) fn maybe(value: Option<f64>, decimals: usize) -> Cell {
        value.map_or(Cell::Empty, |value| Cell::Number(value, decimals))
    }

    fn field(&self) -> String {
        match self {
            Cell::Text(text) if text.contains([',', '"', '\n']) => {
                format!("\"{}\"", text.replace('"', "\"\""))
            }
            Cell::Text(text) => text.clone(),
            Cell::Claim { id, .. } => id.clone(),
            // adding 0 turns -0 into 0
            Cell::Number(value, _) | Cell::Signed(value, _) | Cell::Percent(value) => {
                (value + 0.0).to_string()
            }
            Cell::Empty => String::new(),
        }
    }

    /// As plain text.
    pub(super) fn plain(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Claim { quote, place, .. } => format!("\"{quote}\" ({place})"),
            Cell::Number(value, decimals) => plain(*value, *decimals, false),
            Cell::Signed(value, decimals) => plain(*value, *decimals, true),
            Cell::Percent(share) => format!("{} %", plain(100.0 * share, 1, true)),
            Cell::Empty => "-".to_owned(),
        }
    }
}

/// A number without a sign on what rounds to zero.
fn plain(value: f64, decimals: usize, with_plus: bool) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let sign = match (zero, value < 0.0, with_plus) {
        (true, ..) | (_, false, false) => "",
        (_, true, _) => "-",
        (_, false, true) => "+",
    };
    format!("{sign}{text}")
}
