//! Parquet tables: types by name, money, damaged files.

use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use tieline_units::{Power, Price};

use crate::folder::{Folder, IDS, STEPS, prices, profiles, sample, time};

/// A column to write.
enum Cells {
    Long(Vec<i64>),
    Double(Vec<f64>),
    Text(Vec<String>),
}

fn write(schema: &str, columns: &[Cells]) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_write_page_header_statistics(true)
        .build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for cells in columns {
        let mut column = group.next_column().unwrap().unwrap();
        match cells {
            Cells::Long(values) => column.typed::<Int64Type>().write_batch(values, None, None),
            Cells::Double(values) => column.typed::<DoubleType>().write_batch(values, None, None),
            Cells::Text(values) => {
                let values: Vec<ByteArray> =
                    values.iter().map(|text| text.as_str().into()).collect();
                column
                    .typed::<ByteArrayType>()
                    .write_batch(&values, None, None)
            }
        }
        .unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.into_inner().unwrap()
}

const TIME: &str = "required int64 timestamp_utc (TIMESTAMP(MILLIS,true));";
const ID: &str = "required binary microgrid_id (STRING);";
const KW: &str = "required double load_kw; required double pv_kw; required double wind_kw;";

fn stamps(per_ms: i64) -> Cells {
    let stamp = |step| time(step).as_millis() as i64 * per_ms;
    Cells::Long((0..STEPS).flat_map(|step| [stamp(step); 3]).collect())
}

fn ids() -> Cells {
    Cells::Text((0..STEPS).flat_map(|_| IDS.map(str::to_owned)).collect())
}

fn power(column: usize) -> Cells {
    let value = |step, microgrid| sample(step, microgrid)[column].parse().unwrap();
    Cells::Double(
        (0..STEPS)
            .flat_map(|step| (0..3).map(move |microgrid| value(step, microgrid)))
            .collect(),
    )
}

fn with_profiles(schema: &str, columns: &[Cells]) -> Folder {
    let folder = Folder::clean();
    folder.remove("profiles.csv");
    folder.put(
        "profiles.parquet",
        write(&format!("message m {{ {schema} }}"), columns),
    );
    folder
}

fn with_prices(kind: &str, import: Cells, export: Cells) -> Folder {
    let folder = Folder::clean();
    let schema = format!(
        "message m {{ {TIME} required {kind} required {} }}",
        kind.replace("import", "export")
    );
    let stamps = Cells::Long(
        (0..STEPS)
            .map(|step| time(step).as_millis() as i64)
            .collect(),
    );
    folder.remove("prices.csv");
    folder.put("prices.parquet", write(&schema, &[stamps, import, export]));
    folder
}

/// One column of the made-up prices as texts.
fn price_texts(column: usize) -> Vec<String> {
    prices()
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(column).unwrap().to_owned())
        .collect()
}

#[test]
fn profiles_are_the_same_as_from_csv_in_every_unit_of_time() {
    let clean = Folder::clean().scenario();
    for (unit, per_ms) in [("MILLIS", 1), ("MICROS", 1000), ("NANOS", 1_000_000)] {
        let time = TIME.replace("MILLIS", unit);
        // Columns in another order, and one more than needed.
        let columns = [
            power(2),
            ids(),
            stamps(per_ms),
            power(0),
            power(1),
            power(0),
        ];
        let schema = format!(
            "required double wind_kw; {ID} {time} required double load_kw; required double pv_kw; required double extra;"
        );
        let scenario = with_profiles(&schema, &columns).scenario();
        assert_eq!(scenario.actual, clean.actual);
        assert_eq!(scenario.intervals, clean.intervals);
    }
}

#[test]
fn powers_may_be_whole_numbers_or_decimals() {
    let scale = |column: usize| {
        let milli = |step, microgrid| {
            Power::from_kilowatts(&sample(step, microgrid)[column])
                .unwrap()
                .as_milliwatts()
                / 1000
        };
        Cells::Long(
            (0..STEPS)
                .flat_map(|step| (0..3).map(move |microgrid| milli(step, microgrid)))
                .collect(),
        )
    };
    let decimals = KW
        .replace("double", "int64")
        .replace(';', " (DECIMAL(18,3));");
    let scenario = with_profiles(
        &format!("{TIME} {ID} {decimals}"),
        &[stamps(1), ids(), scale(0), scale(1), scale(2)],
    )
    .scenario();
    assert_eq!(scenario.actual, Folder::clean().scenario().actual);
}

#[test]
fn money_is_text_or_decimal_and_never_a_float() {
    let clean = Folder::clean().scenario();
    let texts = |column| Cells::Text(price_texts(column));
    let text = with_prices(
        "binary price_import_eur_per_kwh (STRING);",
        texts(1),
        texts(2),
    )
    .scenario();
    assert_eq!(text.tariff, clean.tariff);
    let scaled = |column| {
        let value = |text: &String| Price::parse(text).unwrap().as_millionths() / 100;
        Cells::Long(price_texts(column).iter().map(value).collect())
    };
    let decimal = with_prices(
        "int64 price_import_eur_per_kwh (DECIMAL(18,4));",
        scaled(1),
        scaled(2),
    )
    .scenario();
    assert_eq!(decimal.tariff, clean.tariff);
    let floats = |column| {
        Cells::Double(
            price_texts(column)
                .iter()
                .map(|text| text.parse().unwrap())
                .collect(),
        )
    };
    let message = with_prices("double price_import_eur_per_kwh;", floats(1), floats(2)).refusal();
    assert!(message.contains("prices.parquet: column price_import_eur_per_kwh has type Float64, expected decimal text or a Decimal"), "{message}");
    assert!(
        message.contains("hint: a binary float cannot hold most decimal prices exactly"),
        "{message}"
    );
}

#[test]
fn columns_of_the_wrong_type_are_named_with_it() {
    let zeros = || Cells::Long(vec![0; 288]);
    let all = |first: Cells, second: Cells| [first, second, power(0), power(1), power(2)];
    for (schema, columns, needle) in [
        (
            format!("required int64 timestamp_utc; {ID} {KW}"),
            all(zeros(), ids()),
            "column timestamp_utc has type Int64, expected a timestamp in UTC",
        ),
        (
            format!("{} {ID} {KW}", TIME.replace("true", "false")),
            all(stamps(1), ids()),
            "column timestamp_utc: is a timestamp without UTC flag (isAdjustedToUTC = false)",
        ),
        (
            format!("{TIME} required int64 microgrid_id; {KW}"),
            all(stamps(1), zeros()),
            "column microgrid_id has type Int64, expected Utf8",
        ),
        (
            format!("{TIME} {ID} {}", KW.replace("wind_kw", "wind")),
            all(stamps(1), ids()),
            "column wind_kw is missing; found timestamp_utc, microgrid_id, load_kw, pv_kw, wind",
        ),
        (
            format!("{TIME} {ID} {KW}"),
            all(zeros(), ids()),
            "row 1: column timestamp_utc: '0' has a year out of range",
        ),
        (
            format!("{} {ID} {KW}", TIME.replace("MILLIS", "MICROS")),
            all(Cells::Long(vec![1_464_134_400_000_001; 288]), ids()),
            "row 1: column timestamp_utc: '1464134400000001' is finer than a millisecond",
        ),
    ] {
        let message = with_profiles(&schema, &columns).refusal();
        assert!(message.contains(needle), "no '{needle}' in\n{message}");
    }
}

#[test]
fn values_in_parquet_are_checked_like_those_in_text() {
    let Cells::Double(mut loads) = power(0) else {
        panic!("powers are doubles")
    };
    loads[4] = -1.5;
    loads[5] = f64::INFINITY;
    loads[6] = 1e13;
    let columns = [stamps(1), ids(), Cells::Double(loads), power(1), power(2)];
    let message = with_profiles(&format!("{TIME} {ID} {KW}"), &columns).refusal();
    for needle in [
        "profiles.parquet: row 5: column load_kw: '-1.5' is negative, expected kW >= 0",
        "row 6: column load_kw: 'inf' stands for a missing number",
        "row 7: column load_kw: '10000000000000' is beyond any plausible power",
    ] {
        assert!(message.contains(needle), "no '{needle}' in\n{message}");
    }
}

#[test]
fn microgrids_may_be_a_parquet_table() {
    let folder = Folder::clean();
    let clean = folder.scenario();
    let text = |column: usize| {
        let table = crate::folder::microgrids();
        Cells::Text(
            table
                .lines()
                .skip(1)
                .map(|line| line.split(',').nth(column).unwrap().to_owned())
                .collect(),
        )
    };
    let names = crate::folder::microgrids()
        .lines()
        .next()
        .unwrap()
        .to_owned();
    let fields: String = names
        .split(',')
        .map(|name| format!("required binary {name} (STRING); "))
        .collect();
    let columns: Vec<Cells> = (0..names.split(',').count()).map(text).collect();
    folder.remove("microgrids.csv");
    folder.put(
        "microgrids.parquet",
        write(&format!("message m {{ {fields} }}"), &columns),
    );
    assert_eq!(folder.scenario().microgrids, clean.microgrids);
}

#[test]
fn no_flipped_byte_makes_the_reader_panic() {
    let clean = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/dirty/clean-profiles.parquet"
    ))
    .unwrap();
    let folder = Folder::clean();
    folder.remove("profiles.csv").remove("microgrids.csv");
    folder.remove("prices.csv").put(
        "scenario.toml",
        "currency = \"EUR\"\n[tariff]\nimport = \"0.3\"\nexport = \"0.1\"\n",
    );
    folder.put("profiles.parquet", &clean);
    assert!(folder.load().is_ok());
    // Every 40th byte, and all of the footer's first part, where most of the library's assumptions are.
    let footer = clean.len() - 1100;
    let positions = (0..footer)
        .step_by(40)
        .chain((footer..clean.len()).step_by(3));
    let (mut refused, mut tried) = (0, 0);
    for position in positions {
        for mask in [0x01, 0x80] {
            let mut damaged = clean.clone();
            damaged[position] ^= mask;
            folder.put("profiles.parquet", &damaged);
            refused += u32::from(folder.load().is_err());
            tried += 1;
        }
    }
    assert!(tried > 400 && refused > 100, "{refused} of {tried} refused");
}

#[test]
fn a_cut_file_is_refused_at_every_length() {
    let clean = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/dirty/clean-profiles.parquet"
    ))
    .unwrap();
    let folder = Folder::clean();
    folder.remove("profiles.csv");
    for length in (0..clean.len()).step_by(97) {
        folder.put("profiles.parquet", &clean[..length]);
        let message = folder.refusal();
        let known = ["file is empty", "magic bytes", "footer missing"];
        assert!(
            known.iter().any(|text| message.contains(text)),
            "{length}: {message}"
        );
    }
    // The rows of a text table under the wrong ending, for the other way round.
    folder.put("profiles.parquet", profiles());
    assert!(folder.refusal().contains("hint: it looks like CSV"));
}
