//! One column of a Parquet file: its type by name, and its values batch by batch.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray};
use parquet::errors::Result;
use parquet::schema::types::ColumnDescriptor;
use tieline_units::decimal;

/// What a column holds, as far as tables of this program use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Instants, so many to a millisecond, or milliseconds when 1.
    Timestamp { per_ms: i64, utc: bool },
    /// UTF-8.
    Text,
    /// A binary float.
    Float,
    /// A whole number.
    Integer,
    /// A decimal number with so many decimals.
    Decimal { scale: u32 },
    /// Anything else.
    Other,
}

impl Kind {
    /// From the schema.
    pub(crate) fn of(column: &ColumnDescriptor) -> Kind {
        if column.max_rep_level() > 0 {
            return Kind::Other;
        }
        let scale = || u32::try_from(column.type_scale()).unwrap_or(0);
        let timestamp = |per_ms, utc| Kind::Timestamp { per_ms, utc };
        match (column.logical_type_ref(), column.converted_type()) {
            (Some(LogicalType::String), _) | (None, ConvertedType::UTF8) => Kind::Text,
            (Some(LogicalType::Timestamp(stamp)), _) => {
                let per_ms = match stamp.unit {
                    TimeUnit::MILLIS => 1,
                    TimeUnit::MICROS => 1000,
                    TimeUnit::NANOS => 1_000_000,
                };
                timestamp(per_ms, stamp.is_adjusted_to_u_t_c)
            }
            // Before logical types existed, timestamps were defined as UTC.
            (None, ConvertedType::TIMESTAMP_MILLIS) => timestamp(1, true),
            (None, ConvertedType::TIMESTAMP_MICROS) => timestamp(1000, true),
            (Some(LogicalType::Decimal(decimal)), _) => {
                u32::try_from(decimal.scale).map_or(Kind::Other, |scale| Kind::Decimal { scale })
            }
            (None, ConvertedType::DECIMAL) => Kind::Decimal { scale: scale() },
            (Some(LogicalType::Integer(_)), _) => Kind::Integer,
            (Some(_), _) => Kind::Other,
            (None, _) => match column.physical_type() {
                Type::INT32 | Type::INT64 => Kind::Integer,
                Type::FLOAT | Type::DOUBLE => Kind::Float,
                Type::BOOLEAN | Type::INT96 | Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY => {
                    Kind::Other
                }
            },
        }
    }
}

/// The type of a column in words: `Utf8`, `Float64`, `Timestamp without UTC flag`.
pub(crate) fn type_name(column: &ColumnDescriptor) -> String {
    if column.max_rep_level() > 0 {
        return "List".to_owned();
    }
    match Kind::of(column) {
        Kind::Timestamp { utc: true, .. } => "Timestamp (UTC)".to_owned(),
        Kind::Timestamp { utc: false, .. } => "Timestamp without UTC flag".to_owned(),
        Kind::Text => "Utf8".to_owned(),
        Kind::Decimal { scale } => format!("Decimal with {scale} decimals"),
        Kind::Float | Kind::Integer | Kind::Other => match column.physical_type() {
            Type::BOOLEAN => "Boolean",
            Type::INT32 if column.logical_type_ref() == Some(&LogicalType::Date) => "Date",
            Type::INT32 => "Int32",
            Type::INT64 => "Int64",
            Type::INT96 => "Int96",
            Type::FLOAT => "Float32",
            Type::DOUBLE => "Float64",
            Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY => "Binary",
        }
        .to_owned(),
    }
}

/// A value as it is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Raw<'a> {
    Null,
    Integer(i64),
    Single(f32),
    Double(f64),
    Bytes(&'a [u8]),
    /// A type that no table uses.
    Foreign,
}

impl Raw<'_> {
    /// The value as text, exact for everything but the last digits of a float.
    pub(crate) fn text(self, kind: &Kind) -> Option<String> {
        match (self, kind) {
            (Raw::Null | Raw::Foreign, _) => None,
            (Raw::Integer(value), Kind::Decimal { scale }) => {
                Some(decimal::format_i128(i128::from(value), (*scale).min(30)))
            }
            (Raw::Bytes(bytes), Kind::Decimal { scale }) => {
                big_endian(bytes).map(|value| decimal::format_i128(value, (*scale).min(30)))
            }
            (Raw::Integer(value), _) => Some(value.to_string()),
            (Raw::Single(value), _) => Some(value.to_string()),
            (Raw::Double(value), _) => Some(value.to_string()),
            (Raw::Bytes(bytes), _) => Some(String::from_utf8_lossy(bytes).into_owned()),
        }
    }
}

/// A two's complement number of up to 16 bytes.
fn big_endian(bytes: &[u8]) -> Option<i128> {
    if bytes.is_empty() || bytes.len() > 16 {
        return None;
    }
    let fill = if bytes[0] & 0x80 == 0 { 0 } else { 0xff };
    let mut wide = [fill; 16];
    wide[16 - bytes.len()..].copy_from_slice(bytes);
    Some(i128::from_be_bytes(wide))
}

/// A batch of a column.
pub(crate) struct Batch {
    reader: ColumnReader,
    values: Values,
    levels: Vec<i16>,
    full_level: i16,
    rows: usize,
    /// Row and value that [`Batch::next`] hands out.
    row: usize,
    value: usize,
}

enum Values {
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Bytes(Vec<ByteArray>),
    Fixed(Vec<FixedLenByteArray>),
    Foreign,
}

impl Batch {
    pub(crate) fn new(reader: ColumnReader, column: &ColumnDescriptor) -> Batch {
        let values = match &reader {
            ColumnReader::Int32ColumnReader(_) => Values::Int32(Vec::new()),
            ColumnReader::Int64ColumnReader(_) => Values::Int64(Vec::new()),
            ColumnReader::FloatColumnReader(_) => Values::Float(Vec::new()),
            ColumnReader::DoubleColumnReader(_) => Values::Double(Vec::new()),
            ColumnReader::ByteArrayColumnReader(_) => Values::Bytes(Vec::new()),
            ColumnReader::FixedLenByteArrayColumnReader(_) => Values::Fixed(Vec::new()),
            ColumnReader::BoolColumnReader(_) | ColumnReader::Int96ColumnReader(_) => {
                Values::Foreign
            }
        };
        Batch {
            reader,
            values,
            levels: Vec::new(),
            full_level: column.max_def_level(),
            rows: 0,
            row: 0,
            value: 0,
        }
    }

    /// Reads up to `rows_max` rows; returns how many.
    pub(crate) fn fill(&mut self, rows_max: usize) -> Result<usize> {
        (self.row, self.value) = (0, 0);
        let levels = &mut self.levels;
        let rows = match (&mut self.reader, &mut self.values) {
            (ColumnReader::Int32ColumnReader(from), Values::Int32(to)) => {
                read(from, rows_max, levels, to)
            }
            (ColumnReader::Int64ColumnReader(from), Values::Int64(to)) => {
                read(from, rows_max, levels, to)
            }
            (ColumnReader::FloatColumnReader(from), Values::Float(to)) => {
                read(from, rows_max, levels, to)
            }
            (ColumnReader::DoubleColumnReader(from), Values::Double(to)) => {
                read(from, rows_max, levels, to)
            }
            (ColumnReader::ByteArrayColumnReader(from), Values::Bytes(to)) => {
                read(from, rows_max, levels, to)
            }
            (ColumnReader::FixedLenByteArrayColumnReader(from), Values::Fixed(to)) => {
                read(from, rows_max, levels, to)
            }
            _ => Ok(0),
        };
        self.rows = rows?;
        Ok(self.rows)
    }

    /// The value of the next row of the batch.
    pub(crate) fn next(&mut self) -> Raw<'_> {
        let row = self.row;
        self.row += 1;
        if self.full_level > 0
            && self
                .levels
                .get(row)
                .is_none_or(|level| *level < self.full_level)
        {
            return Raw::Null;
        }
        let at = self.value;
        self.value += 1;
        let found = match &self.values {
            Values::Int32(list) => list.get(at).map(|value| Raw::Integer(i64::from(*value))),
            Values::Int64(list) => list.get(at).map(|value| Raw::Integer(*value)),
            Values::Float(list) => list.get(at).map(|value| Raw::Single(*value)),
            Values::Double(list) => list.get(at).map(|value| Raw::Double(*value)),
            Values::Bytes(list) => list.get(at).map(|value| Raw::Bytes(value.data())),
            Values::Fixed(list) => list.get(at).map(|value| Raw::Bytes(value.data())),
            Values::Foreign => None,
        };
        found.unwrap_or(Raw::Foreign)
    }
}

fn read<T: DataType>(
    from: &mut ColumnReaderImpl<T>,
    rows_max: usize,
    levels: &mut Vec<i16>,
    to: &mut Vec<T::T>,
) -> Result<usize> {
    levels.clear();
    to.clear();
    from.read_records(rows_max, Some(levels), None, to)
        .map(|(rows, _, _)| rows)
}
