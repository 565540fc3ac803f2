//! Defective tables: each is refused, or used with a warning, and the message names file, place, value and next step.

use std::fs;
use std::path::{Path, PathBuf};

use tieline::input::{Scenario, Severity};

use crate::folder::Folder;

/// What the program does with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Refused,
    Warned,
    /// The same scenario as from the clean file.
    Same,
}

use Answer::{Refused, Same, Warned};

/// File, answer, and what the message holds.
const CASES: &[(&str, Answer, &[&str])] = &[
    (
        "01-missing-steps.csv",
        Refused,
        &[
            "profiles.csv: all microgrids: 1 of 96 steps are missing: 2016-05-25T15:30:00Z",
            "microgrid mg-1: 4 of 96 steps are missing: 2016-05-25T03:00:00Z to 2016-05-25T03:30:00Z (3), 2016-05-25T10:30:00Z",
            "hint: add the missing rows",
        ],
    ),
    (
        "02-duplicate-timestamps-same.csv",
        Warned,
        &[
            "profiles.csv:42: warning: mg-4 at 2016-05-25T00:15:00Z is there twice, lines 41 and 42, with equal values",
            "lines 41 and 43",
        ],
    ),
    (
        "03-duplicate-timestamps-conflict.csv",
        Refused,
        &[
            "profiles.csv:62: mg-2 at 2016-05-25T00:00:00Z is there twice, lines 35 and 62, with different values: load_kw 12.69 and 17.385",
            "hint: remove the row that is wrong",
        ],
    ),
    (
        "04-nan-and-empty.csv",
        Refused,
        &[
            "profiles.csv:12: column load_kw: 'NaN' stands for a missing number, expected kW >= 0",
            "profiles.csv:21: column load_kw: '' is an empty cell",
            "profiles.csv:30: column pv_kw: 'null' ",
            "profiles.csv:39: column wind_kw: '-' ",
            "profiles.csv:48: column load_kw: 'N/A' ",
            "profiles.csv:57: column pv_kw: 'inf' ",
            "profiles.csv:66: column load_kw: '-Infinity' ",
            "hint: fill the gap",
        ],
    ),
    (
        "05-negative-load.csv",
        Refused,
        &[
            "profiles.csv:7: column pv_kw: '-0.002' is a small negative generation, as an inverter on standby draws, expected kW >= 0",
            "profiles.csv:19: column load_kw: '-22.131' is negative, expected kW >= 0",
            "hint: write 0 for the generation",
        ],
    ),
    (
        "06-units-watts-1000x.csv",
        Refused,
        &[
            "profiles.csv:338: column load_kw: '48645' of mg-1 is 512 times its load_peak_kw of 95: looks like W, expected kW",
            "hint: divide the series by 1000 if it is in W",
        ],
    ),
    (
        "07-units-mw-0.001x.csv",
        Warned,
        &[
            "column load_kw: '0.061579' is the largest value of mg-2, 2273 times below its load_peak_kw of 140: looks like MW",
        ],
    ),
    (
        "08-dst-gap-local-time.csv",
        Refused,
        &[
            "profiles.csv:2: column timestamp_utc: '2016-03-27 00:00' is a timestamp without UTC offset",
            "and 367 more like this",
            "hint: write the instant in UTC with a Z",
        ],
    ),
    (
        "09-dst-overlap-local-time.csv",
        Refused,
        &[
            "profiles.csv:2: column timestamp_utc: '2016-10-30 00:00' is a timestamp without UTC offset",
            "'2016-10-30 02:00' is an ambiguous local time: it is there at lines 34 and 50",
            "hint: write the instant in UTC with a Z, or add the offset (+02:00)",
        ],
    ),
    ("10-mixed-offsets.csv", Same, &[]),
    ("11-crlf-bom.csv", Same, &[]),
    (
        "12-decimal-comma-semicolon.csv",
        Refused,
        &[
            "profiles.csv:2: column load_kw: '22,048' has a comma as decimal sign",
            "found ';' as separator",
            "hint: export with a decimal point",
        ],
    ),
    (
        "13-thousands-separator.csv",
        Refused,
        &[
            "profiles.csv:27: column load_kw: '1,234.5' has a thousands separator",
            "hint: write numbers without thousands separators",
        ],
    ),
    ("14-unordered-rows.csv", Same, &[]),
    (
        "15-huge-values.csv",
        Refused,
        &[
            "profiles.csv:14: column load_kw: '1e12' is beyond any plausible power",
            "profiles.csv:32: column pv_kw: '1e308' ",
            "profiles.csv:33: column wind_kw: '99999999999999999999999999' ",
            "hint: a value above 1000000 kW",
        ],
    ),
    (
        "16-empty-file.csv",
        Refused,
        &["profiles.csv: file is empty: /", "hint: "],
    ),
    (
        "17-header-only.csv",
        Refused,
        &["profiles.csv: no data rows below the header", "hint: "],
    ),
    (
        "18-truncated.csv",
        Refused,
        &[
            "profiles.csv:254: the file seems cut off: 3 fields in the last line, expected 5",
            "hint: export or copy the file again",
        ],
    ),
    (
        "19-missing-column.csv",
        Refused,
        &[
            "profiles.csv:1: column pv_kw is missing; found timestamp_utc, microgrid_id, load_kw, wind_kw",
            "hint: add pv_kw",
        ],
    ),
    (
        "20-renamed-columns.csv",
        Refused,
        &[
            "columns timestamp_utc, microgrid_id, load_kw, pv_kw, wind_kw are missing; found timestamp, microgrid, load, pv, wind",
            "'load' -> 'load_kw'",
            "units are never guessed",
        ],
    ),
    (
        "21-unknown-microgrid.csv",
        Refused,
        &[
            "profiles.csv:5: column microgrid_id: 'mg-99' is not in the table of microgrids",
            "no rows for mg-4, declared in the table of microgrids",
            "hint: add the microgrid to the table",
        ],
    ),
    (
        "22-off-grid-timestamps.csv",
        Refused,
        &[
            "profiles.csv:38: column timestamp_utc: '2016-05-25T00:14:57Z' is not on the 15min grid",
            "hint: timestamps are never rounded",
        ],
    ),
    (
        "23-hourly-in-15min.csv",
        Refused,
        &[
            "profiles.csv: the rows are 60min apart, expected 15min, the scenario's interval",
            "hint: set interval = \"60min\" or give profiles of 15min",
        ],
    ),
    (
        "24-latin1-name.csv",
        Refused,
        &[
            "profiles.csv:2: not valid UTF-8 at byte 74 (line 2): found 0xfc",
            "hint: save the file as UTF-8",
        ],
    ),
    (
        "25-quoted-newline.csv",
        Refused,
        &[
            "profiles.csv:52: unclosed quote: it opens at column 22",
            "hint: close the quote on the same line",
        ],
    ),
    (
        "26-formula-injection.csv",
        Refused,
        &[
            "profiles.csv:2: column microgrid_id: '=HYPERLINK(0)\\u{3c}script\\u{3e}' is not a valid id, expected letters, digits, '-' and '_'",
            "and 95 more like this",
            "hint: ids end up in ledgers",
        ],
    ),
    (
        "27-wrong-year-far-future.csv",
        Refused,
        &[
            "profiles.csv:10: column timestamp_utc: '20166-05-24T22:30:00Z' has a year out of range",
            "profiles.csv:11: column timestamp_utc: '1970-01-01T00:00:00Z' has a year out of range",
            "hint: correct the year",
        ],
    ),
    (
        "40-truncated.parquet",
        Refused,
        &[
            "profiles.parquet: not a complete Parquet file (footer missing): /",
            "hint: the file seems cut off",
        ],
    ),
    (
        "41-not-parquet.parquet",
        Refused,
        &[
            "profiles.parquet: not a Parquet file (magic bytes): /",
            "begins with 'time'",
            "hint: it looks like CSV",
        ],
    ),
    (
        "42-corrupt-page.parquet",
        Refused,
        &[
            "profiles.parquet: column load_kw: cannot be decoded in row group 1",
            "hint: the file is damaged",
        ],
    ),
    (
        "43-null-and-nan.parquet",
        Refused,
        &[
            "profiles.parquet: row 18: column load_kw: is NaN",
            "profiles.parquet: row 41: column pv_kw: is null",
            "hint: fill the gap",
        ],
    ),
    (
        "44-string-typed-load.parquet",
        Refused,
        &[
            "profiles.parquet: column load_kw has type Utf8, expected a number",
            "hint: write load_kw as a number",
        ],
    ),
    (
        "45-naive-timestamps.parquet",
        Refused,
        &[
            "profiles.parquet: column timestamp_utc: is a timestamp without UTC flag (isAdjustedToUTC = false)",
            "hint: give the column the type timestamp(ms, tz=UTC)",
        ],
    ),
    (
        "46-bit-flip-crc.parquet",
        Refused,
        &[
            "profiles.parquet: column load_kw: page checksum mismatch in row group 1",
            "hint: the file is damaged",
        ],
    ),
    ("clean-profiles.parquet", Same, &[]),
];

const SETTINGS: &str = "interval = \"15min\"\ntime_zone = \"Europe/Berlin\"\nday = \"2016-05-25\"\n[tariff]\nimport = \"0.30\"\nexport = \"0.05\"\n";

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/dirty")
}

/// The clean folder with `file` in the place of its profiles.
fn with(file: &str) -> Folder {
    let folder = Folder::empty();
    let ending = if file.ends_with(".parquet") {
        "parquet"
    } else {
        "csv"
    };
    folder
        .put("scenario.toml", SETTINGS)
        .put(
            "microgrids.csv",
            fs::read(data().join("clean-microgrids.csv")).unwrap(),
        )
        .put(
            &format!("profiles.{ending}"),
            fs::read(data().join(file)).unwrap(),
        );
    folder
}

/// Everything of a scenario that a run depends on, as text.
fn content(scenario: &Scenario) -> String {
    let samples: Vec<_> = (0..scenario.intervals.len())
        .flat_map(|interval| {
            (0..scenario.microgrids.len()).map(move |microgrid| (interval, microgrid))
        })
        .map(|(interval, microgrid)| scenario.actual.at(interval, microgrid))
        .collect();
    format!(
        "{:?} {:?} {:?} {samples:?}",
        scenario.microgrids, scenario.intervals, scenario.tariff
    )
}

#[test]
fn every_defect_is_answered_with_its_message() {
    let clean = content(&with("clean-profiles.csv").scenario());
    for (file, answer, needles) in CASES {
        let loaded = with(file).load();
        let (found, message) = match &loaded {
            Err(errors) => {
                assert_eq!(errors.exit_code(), 1, "{file}");
                (Refused, errors.to_string())
            }
            Ok(scenario) if scenario.warnings.is_empty() => {
                assert_eq!(content(scenario), clean, "{file}");
                (Same, String::new())
            }
            Ok(scenario) => {
                assert!(
                    scenario
                        .warnings
                        .iter()
                        .all(|one| one.severity == Severity::Warning)
                );
                let lines: Vec<String> =
                    scenario.warnings.iter().map(ToString::to_string).collect();
                (Warned, lines.join("\n"))
            }
        };
        assert_eq!(found, *answer, "{file}: {message}");
        for needle in *needles {
            assert!(
                message.contains(needle),
                "{file}: no '{needle}' in\n{message}"
            );
        }
        assert!(message.lines().count() <= 30, "{file}: too long\n{message}");
    }
}

#[test]
fn equal_duplicates_leave_the_scenario_as_it_was() {
    let clean = content(&with("clean-profiles.csv").scenario());
    let doubled = with("02-duplicate-timestamps-same.csv").load().unwrap();
    assert_eq!(content(&doubled), clean);
}

#[test]
fn no_defective_file_is_left_out() {
    let mut files: Vec<String> = fs::read_dir(data())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.as_bytes()[0].is_ascii_digit())
        .collect();
    files.sort();
    let tested: Vec<&str> = CASES
        .iter()
        .map(|case| case.0)
        .filter(|name| !name.starts_with("clean"))
        .collect();
    assert_eq!(files, tested);
}

/// The collection that the project's data set describes in `expected.json`, prices included.
#[test]
#[expect(clippy::print_stderr, reason = "a test that is left out says so")]
fn the_shared_collection_is_answered_as_its_table_asks() {
    let shared = std::env::var("TIELINE_SHARED").map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let dirty = shared.join("data/dirty");
    let Ok(table) = fs::read(dirty.join("expected.json")) else {
        eprintln!("skipped: {} is not there", dirty.display());
        return;
    };
    let read = |name: &str| fs::read(dirty.join(name)).unwrap();
    let folder = |replaces: &str, file: &str| {
        let folder = Folder::empty();
        folder
            .put("microgrids.csv", read("clean-microgrids.csv"))
            .put("profiles.csv", read("clean-profiles.csv"))
            .put("prices.csv", read("clean-prices.csv"));
        if replaces == "profiles.parquet" {
            folder.remove("profiles.csv");
        }
        folder.put(replaces, read(file));
        folder
    };
    let clean = content(&folder("profiles.csv", "clean-profiles.csv").scenario());
    let cases: serde_json::Value = serde_json::from_slice(&table).unwrap();
    for case in cases.as_array().unwrap() {
        let text = |key: &str| case[key].as_str().unwrap();
        let file = text("file");
        let loaded = folder(text("replaces"), file).load();
        match (text("severity"), &loaded) {
            ("accept", Ok(scenario)) => {
                assert!(scenario.warnings.is_empty(), "{file}");
                assert_eq!(content(scenario), clean, "{file}");
            }
            ("reject" | "warn-or-reject", Err(errors)) => {
                assert_eq!(errors.exit_code(), 1, "{file}");
                assert!(errors.to_string().contains("\n\nhint: "), "{file}");
            }
            ("warn-or-reject", Ok(scenario)) => assert!(!scenario.warnings.is_empty(), "{file}"),
            (wanted, _) => panic!("{file}: wanted {wanted}"),
        }
    }
}
