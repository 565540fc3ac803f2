//! Order books as text: one step per line, decimals scaled exactly to the integers of a [`Book`] and back.
//!
//! A header names the columns. `side` holds `buy` or `sell` in any case; the price column is the one named `price_*_per_*`, the quantity column
//! the one named `quantity_*`; `order_id` is optional; others are ignored. Fields may be quoted, without line breaks inside. All prices are
//! scaled by the largest number of decimals among them (at most [`DECIMALS_MAX`](tieline_units::decimal::DECIMALS_MAX)), quantities likewise.
//! A leading byte order mark, CRLF and empty lines are accepted.

use std::io::BufRead;

use tieline_units::decimal::{Decimal, DecimalError};

use super::{Book, HalfTicks, Side, Step};

/// A book with the units and names of its file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TextBook {
    /// The steps, in the order of the file.
    pub book: Book,
    /// A price tick is `10^-price_decimals` of the price unit.
    pub price_decimals: u8,
    /// A quantity unit is `10^-quantity_decimals` of the file's unit.
    pub quantity_decimals: u8,
    /// Name of the price column, such as `price_eur_per_mwh`.
    pub price_column: String,
    /// Name of the quantity column, such as `quantity_mwh`.
    pub quantity_column: String,
    /// `order_id` per step, if the file has them.
    pub order_ids: Option<Vec<String>>,
}

impl TextBook {
    /// A price in the file's unit, with its decimals (one more on a half tick).
    #[must_use]
    pub fn price(&self, price: HalfTicks) -> String {
        let half = price.twice() % 2 != 0;
        let (mantissa, decimals) = if half {
            (price.twice() * 5, self.price_decimals + 1)
        } else {
            (price.twice() / 2, self.price_decimals)
        };
        Decimal { mantissa, decimals }.to_string()
    }

    /// A quantity in the file's unit, with its decimals.
    #[must_use]
    pub fn quantity(&self, quantity: u128) -> String {
        // 2^127 units are more than any sum of steps.
        let mantissa = i128::try_from(quantity).unwrap_or(i128::MAX);
        Decimal {
            mantissa,
            decimals: self.quantity_decimals,
        }
        .to_string()
    }

    /// A welfare in the file's price unit times quantity unit, with the decimals of both.
    #[must_use]
    pub fn welfare(&self, welfare: i128) -> String {
        Decimal {
            mantissa: welfare,
            decimals: self.price_decimals + self.quantity_decimals,
        }
        .to_string()
    }
}

/// Why a text is no book. Lines count from 1, the header included.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BookError {
    /// The text could not be read, or is not UTF-8.
    #[error("line {line} cannot be read: {source}")]
    Read {
        /// The line.
        line: usize,
        /// What the reader says.
        source: std::io::Error,
    },
    /// There is no header.
    #[error("the book is empty: it has no header")]
    Empty,
    /// A column is missing.
    #[error("the header has no column {column}")]
    MissingColumn {
        /// Its name or pattern.
        column: &'static str,
    },
    /// Two columns would do.
    #[error("the header has two columns {column}: {first:?} and {second:?}")]
    AmbiguousColumn {
        /// The name or pattern.
        column: &'static str,
        /// One.
        first: String,
        /// The other.
        second: String,
    },
    /// A line has more or fewer fields than the header.
    #[error("line {line} has {found} fields, the header {expected}")]
    FieldCount {
        /// The line.
        line: usize,
        /// Its fields.
        found: usize,
        /// The header's.
        expected: usize,
    },
    /// A quoted field does not end on its line, or goes on after its closing quote.
    #[error("line {line} has a broken quoted field")]
    Quote {
        /// The line.
        line: usize,
    },
    /// A side other than `buy` and `sell`.
    #[error("line {line}, column side: {value:?} is neither \"buy\" nor \"sell\"")]
    UnknownSide {
        /// The line.
        line: usize,
        /// The field.
        value: String,
    },
    /// A price or quantity is not a decimal number.
    #[error("line {line}, column {column}: {source}")]
    Number {
        /// The line.
        line: usize,
        /// The column.
        column: String,
        /// What is wrong with the field.
        source: DecimalError,
    },
    /// A quantity is below zero.
    #[error("line {line}, column {column}: {value:?} is below zero")]
    Negative {
        /// The line.
        line: usize,
        /// The column.
        column: String,
        /// The field.
        value: String,
    },
    /// A number does not fit 64 bits when scaled by the decimals of its column.
    #[error("line {line}, column {column}: {value} does not fit 64 bits with {decimals} decimals")]
    OutOfRange {
        /// The line.
        line: usize,
        /// The column.
        column: String,
        /// The number.
        value: Decimal,
        /// Decimals of the column.
        decimals: u8,
    },
}

/// Reads a book.
///
/// # Errors
/// [`BookError`]: the first thing wrong, with its line, column and value.
pub fn parse_book(mut reader: impl BufRead) -> Result<TextBook, BookError> {
    let mut lines = Lines {
        reader: &mut reader,
        number: 0,
        text: String::new(),
    };
    let mut fields = Vec::new();
    if !lines.next(&mut fields)? {
        return Err(BookError::Empty);
    }
    fields
        .iter_mut()
        .for_each(|name| *name = name.trim().to_owned());
    let columns = Columns::find(&fields)?;
    let mut rows = Vec::new();
    let mut order_ids = columns.order_id.map(|_| Vec::new());
    while lines.next(&mut fields)? {
        rows.push(columns.row(lines.number, &fields)?);
        if let (Some(ids), Some(column)) = (&mut order_ids, columns.order_id) {
            ids.push(fields[column].clone());
        }
    }
    let price_decimals = rows.iter().map(|row| row.price.decimals).max().unwrap_or(0);
    let quantity_decimals = rows
        .iter()
        .map(|row| row.quantity.decimals)
        .max()
        .unwrap_or(0);
    let step = |row: &Row| {
        let price = row.scale(row.price, price_decimals, &columns.price_name)?;
        let quantity = row.scale(row.quantity, quantity_decimals, &columns.quantity_name)?;
        Ok(Step {
            side: row.side,
            price,
            quantity,
        })
    };
    let steps = rows
        .iter()
        .map(step)
        .collect::<Result<Vec<Step>, BookError>>()?;
    Ok(TextBook {
        book: Book::new(steps),
        price_decimals,
        quantity_decimals,
        price_column: columns.price_name,
        quantity_column: columns.quantity_name,
        order_ids,
    })
}

/// Where the columns are.
struct Columns {
    count: usize,
    side: usize,
    price: usize,
    price_name: String,
    quantity: usize,
    quantity_name: String,
    order_id: Option<usize>,
}

/// A line before scaling.
struct Row {
    line: usize,
    side: Side,
    price: Decimal,
    quantity: Decimal,
}

impl Row {
    fn scale<T: TryFrom<i128>>(
        &self,
        value: Decimal,
        decimals: u8,
        column: &str,
    ) -> Result<T, BookError> {
        let scaled = value
            .scaled(decimals)
            .and_then(|scaled| T::try_from(scaled).ok());
        let column = || column.to_owned();
        scaled.ok_or_else(|| BookError::OutOfRange {
            line: self.line,
            column: column(),
            value,
            decimals,
        })
    }
}

impl Columns {
    fn find(header: &[String]) -> Result<Self, BookError> {
        let price_like = |name: &str| name.starts_with("price_") && name.contains("_per_");
        let side = the_column(header, "side", |name| name == "side")?;
        let price = the_column(header, "price_*_per_*", price_like)?;
        let quantity = the_column(header, "quantity_*", |name| name.starts_with("quantity_"))?;
        let order_id = match the_column(header, "order_id", |name| name == "order_id") {
            Ok(column) => Some(column),
            Err(BookError::MissingColumn { .. }) => None,
            Err(error) => return Err(error),
        };
        let (price_name, quantity_name) = (header[price].clone(), header[quantity].clone());
        Ok(Self {
            count: header.len(),
            side,
            price,
            price_name,
            quantity,
            quantity_name,
            order_id,
        })
    }

    fn row(&self, line: usize, fields: &[String]) -> Result<Row, BookError> {
        if fields.len() != self.count {
            return Err(BookError::FieldCount {
                line,
                found: fields.len(),
                expected: self.count,
            });
        }
        let side = match fields[self.side].trim() {
            side if side.eq_ignore_ascii_case("buy") => Side::Buy,
            side if side.eq_ignore_ascii_case("sell") => Side::Sell,
            other => {
                return Err(BookError::UnknownSide {
                    line,
                    value: other.to_owned(),
                });
            }
        };
        let number = |field: usize, column: &str| {
            let value = fields[field].trim();
            let failed = |source| BookError::Number {
                line,
                column: column.to_owned(),
                source,
            };
            Decimal::parse(value).map_err(failed)
        };
        let price = number(self.price, &self.price_name)?;
        let quantity = number(self.quantity, &self.quantity_name)?;
        if quantity.mantissa < 0 {
            let (column, value) = (
                self.quantity_name.clone(),
                fields[self.quantity].trim().to_owned(),
            );
            return Err(BookError::Negative {
                line,
                column,
                value,
            });
        }
        Ok(Row {
            line,
            side,
            price,
            quantity,
        })
    }
}

fn the_column(
    header: &[String],
    column: &'static str,
    fits: impl Fn(&str) -> bool,
) -> Result<usize, BookError> {
    let mut found = (0..header.len()).filter(|&index| fits(&header[index]));
    let first = found.next().ok_or(BookError::MissingColumn { column })?;
    match found.next() {
        None => Ok(first),
        Some(second) => {
            let (first, second) = (header[first].clone(), header[second].clone());
            Err(BookError::AmbiguousColumn {
                column,
                first,
                second,
            })
        }
    }
}

/// Lines that are not empty, split into fields.
struct Lines<'a, R> {
    reader: &'a mut R,
    number: usize,
    text: String,
}

impl<R: BufRead> Lines<'_, R> {
    /// Fills `fields` with the next line; false at the end.
    fn next(&mut self, fields: &mut Vec<String>) -> Result<bool, BookError> {
        loop {
            self.text.clear();
            self.number += 1;
            let line = self.number;
            let read = self.reader.read_line(&mut self.text);
            if read.map_err(|source| BookError::Read { line, source })? == 0 {
                return Ok(false);
            }
            let mut text = self.text.trim_end_matches(['\n', '\r']);
            if line == 1 {
                text = text.strip_prefix('\u{feff}').unwrap_or(text);
            }
            if !text.is_empty() {
                return if split(text, fields) {
                    Ok(true)
                } else {
                    Err(BookError::Quote { line })
                };
            }
        }
    }
}

/// Splits at commas outside quotes; a doubled quote inside quotes is one. False when quotes are broken.
///
/// The strings already in `fields` are used again: long books have many lines.
fn split(line: &str, fields: &mut Vec<String>) -> bool {
    let mut count = 0;
    let mut rest = line;
    loop {
        if fields.len() == count {
            fields.push(String::new());
        }
        let field = &mut fields[count];
        field.clear();
        count += 1;
        rest = match rest.strip_prefix('"') {
            Some(quoted) => match unquote(quoted, field) {
                Some(after) => after,
                None => return false,
            },
            None => {
                let (part, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
                field.push_str(part);
                after
            }
        };
        if rest.is_empty() {
            fields.truncate(count);
            return true;
        }
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return false,
        }
    }
}

/// Appends a quoted field without its opening quote to `field`; returns what follows the closing quote.
fn unquote<'a>(mut quoted: &'a str, field: &mut String) -> Option<&'a str> {
    loop {
        let (part, after) = quoted.split_once('"')?;
        field.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                quoted = more;
            }
            None => return Some(after),
        }
    }
}
