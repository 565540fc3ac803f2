//! Defects of every table beyond the shipped files, each with the message it gets.

use crate::folder::{Folder, microgrids, prices, profiles, time};

/// The message for a folder whose `name` holds `text`.
fn refusal(name: &str, text: impl AsRef<[u8]>) -> String {
    let folder = Folder::clean();
    folder.put(name, text);
    folder.refusal()
}

fn check(name: &str, text: impl AsRef<[u8]>, needles: &[&str]) {
    let message = refusal(name, text);
    for needle in needles {
        assert!(message.contains(needle), "no '{needle}' in\n{message}");
    }
}

fn swap(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

/// A table without its lines `from..=to`, counted from 1.
fn without(text: &str, from: usize, to: usize) -> String {
    let kept = text
        .lines()
        .enumerate()
        .filter(|(index, _)| !(from..=to).contains(&(index + 1)));
    kept.map(|(_, line)| format!("{line}\n")).collect()
}

#[test]
fn lines_and_fields_of_profiles() {
    let clean = profiles();
    let first = clean.lines().nth(1).unwrap().to_owned();
    check(
        "profiles.csv",
        swap(&clean, &first, &format!("{first},7")),
        &[
            "profiles.csv:2: 6 fields, expected 5 as in the header",
            "hint: a decimal comma",
        ],
    );
    check(
        "profiles.csv",
        swap(&clean, "wind_kw\n", "wind_kw,load_kw\n"),
        &[
            "profiles.csv:1: column load_kw is there twice",
            "hint: which of the two counts",
        ],
    );
    check(
        "profiles.csv",
        clean.lines().skip(1).collect::<Vec<_>>().join("\n"),
        &["hint: the first line must hold the column names"],
    );
    check(
        "profiles.csv",
        clean.replace('\n', "\r"),
        &["profiles.csv:1: ", "carriage return"],
    );
    check(
        "profiles.csv",
        format!("{clean}{}", "x".repeat(70_000)),
        &["profiles.csv:290: line is longer than 65536 bytes"],
    );
    check(
        "profiles.csv",
        b"\xff\xfet\0i\0",
        &["not a CSV file but UTF-16 text"],
    );
    check(
        "profiles.csv",
        b"PK\x03\x04zip",
        &["spreadsheet", "hint: export the sheet as CSV"],
    );
    check(
        "profiles.csv",
        b"PAR1....",
        &["not a CSV file but a Parquet file"],
    );
    check(
        "profiles.csv",
        swap(&clean, &first, &first.replace("mg-1", "mg\"1")),
        &["profiles.csv:2: a quote inside a field at column 24"],
    );
}

#[test]
fn values_of_profiles() {
    let clean = profiles();
    let line = |cell: &str| swap(&clean, "mg-1,20.000,", &format!("mg-1,{cell},"));
    for (cell, problem) in [
        ("1e400", "'1e400' is beyond any plausible power"),
        ("-1", "'-1' is negative"),
        ("12_5", "'12_5' is not a decimal number"),
        ("12.5kW", "'12.5kW' is not a decimal number"),
        ("\"12,5\"", "'12,5' has a comma as decimal sign"),
        ("1 234", "'1 234' is not a decimal number"),
        ("0x10", "'0x10' is not a decimal number"),
        ("\u{221e}", "'\\u{221e}' is not a decimal number"),
        ("#N/A", "'#N/A' stands for a missing number"),
        ("<b>", "'\\u{3c}b\\u{3e}' is not a decimal number"),
        ("7\u{7}", "'7\\u{7}' is not a decimal number"),
    ] {
        check(
            "profiles.csv",
            line(cell),
            &[&format!("profiles.csv:2: column load_kw: {problem}")],
        );
    }
    let long = refusal("profiles.csv", line(&"9".repeat(300)));
    assert!(
        long.lines().all(|line| line.chars().count() < 250),
        "{long}"
    );
}

#[test]
fn timestamps_of_profiles() {
    let clean = profiles();
    let stamp = |text: &str| swap(&clean, "2016-05-25T00:00:00Z,mg-1", &format!("{text},mg-1"));
    for (text, problem) in [
        ("2016-05-25T00:00:00", "is a timestamp without UTC offset"),
        ("25.05.2016 00:00", "is not a timestamp"),
        ("42515", "is not a timestamp"),
        ("", "'' is an empty timestamp"),
        ("2016-02-30T00:00:00Z", "is not a timestamp"),
        ("2116-05-25T00:00:00Z", "has a year out of range"),
        ("2016-05-25T00:00:01Z", "is not on the 15min grid"),
        ("2016-05-25T00:00:00.0001Z", "is finer than a millisecond"),
        ("2016-05-25T00:05:00Z", "is not on the 15min grid"),
    ] {
        check(
            "profiles.csv",
            stamp(text),
            &["profiles.csv:2: column timestamp_utc: ", problem],
        );
    }
}

#[test]
fn one_wild_year_is_a_gap_and_not_a_full_memory() {
    let wild = format!("{}2061-05-25T00:00:00Z,mg-1,1,1,1\n", profiles());
    check(
        "profiles.csv",
        wild,
        &["steps are missing: 2016-05-26T00:00:00Z to 2061-05-24T23:45:00Z"],
    );
}

#[test]
fn a_forecast_is_checked_like_the_profiles() {
    let clean = profiles();
    check("forecast.csv", "", &["forecast.csv: file is empty: "]);
    check(
        "forecast.csv",
        without(&clean, 5, 7),
        &["forecast.csv: all microgrids: 1 of 96 steps are missing: 2016-05-25T00:15:00Z"],
    );
    check(
        "forecast.csv",
        swap(&clean, "mg-1,20.000", "mg-1,NaN"),
        &["forecast.csv:2: column load_kw: 'NaN'"],
    );
    let hourly: String = clean
        .lines()
        .filter(|line| line.contains(":00:00Z") || line.starts_with('t'))
        .map(|line| format!("{line}\n"))
        .collect();
    check(
        "forecast.csv",
        hourly,
        &[
            "forecast.csv: the rows are 60min apart, expected 15min, the step of the profiles",
            "hint: give forecast of 15min",
        ],
    );
}

#[test]
fn prices_in_the_wrong_shape() {
    let clean = prices();
    check(
        "prices.csv",
        without(&clean, 6, 9),
        &[
            "prices.csv: 4 of 96 steps have profiles but no price: 2016-05-25T01:00:00Z to 2016-05-25T01:45:00Z (4)",
            "hint: add the missing prices",
        ],
    );
    let mwh: String = clean
        .lines()
        .map(|line| {
            let mut fields = line.split(',');
            let stamp = fields.next().unwrap();
            let values = fields.map(|text| {
                text.parse::<f64>()
                    .map_or(text.to_owned(), |value| format!("{:.2}", value * 1000.0))
            });
            format!("{stamp},{}\n", values.collect::<Vec<_>>().join(","))
        })
        .collect();
    check(
        "prices.csv",
        &mwh,
        &[
            "prices.csv:2: column price_import_eur_per_kwh: '300.00' is beyond the limit of 20.0000: it looks like EUR/MWh",
            "hint: divide prices in EUR/MWh by 1000",
        ],
    );
    check(
        "prices.csv",
        clean.replace(",0.", ",3."),
        &["the median of price_import_eur_per_kwh is 3.360000"].map(|text| &text[..40]),
    );
    check(
        "prices.csv",
        swap(&swap(&clean, "import", "x"), "export", "import").replace("price_x", "price_export"),
        &[
            "prices.csv:2: the import price 0.0500 is below the export price 0.3000 at 2016-05-25T00:00:00Z, and at 96 of 96 steps",
        ],
    );
}

#[test]
fn prices_that_are_no_money() {
    let clean = prices();
    check(
        "prices.csv",
        swap(&clean, "0.30,", "NaN,"),
        &["prices.csv:2: column price_import_eur_per_kwh: 'NaN' stands for a missing number"],
    );
    check(
        "prices.csv",
        swap(&clean, "0.30,", "0.3000001,"),
        &[
            "'0.3000001' has too many decimals (max 6)",
            "hint: money is never rounded",
        ],
    );
    check(
        "prices.csv",
        clean.replace("eur_per_kwh", "eur_per_mwh"),
        &["columns price_import_per_kwh, price_export_per_kwh are missing"],
    );
    check(
        "prices.csv",
        clean.replace("export_eur", "export_usd"),
        &["are in two currencies: currencies never mix"],
    );
    check(
        "prices.csv",
        swap(
            &clean,
            &format!("{},0.30,0.0500\n", time(0)),
            &format!("{0},0.30,0.0500\n{0},0.31,0.0500\n", time(0)),
        ),
        &[
            "prices.csv:3: 2016-05-25T00:00:00Z is there twice, lines 2 and 3, with different values: price_import_eur_per_kwh 0.3 and 0.31",
        ],
    );
    let hourly: String = clean
        .lines()
        .filter(|line| line.contains(":00:00Z") || line.starts_with('t'))
        .map(|line| format!("{line}\n"))
        .collect();
    check(
        "prices.csv",
        &hourly,
        &[
            "prices.csv: the rows are 60min apart, expected 15min, the market interval",
            "hint: if each price holds for 60min, say so",
        ],
    );
}

#[test]
fn a_price_may_hold_longer_than_an_interval_when_the_settings_say_so() {
    let folder = Folder::clean();
    let hourly: String = prices()
        .lines()
        .filter(|line| line.contains(":00:00Z") || line.starts_with('t'))
        .map(|line| format!("{line}\n"))
        .collect();
    folder
        .put("prices.csv", hourly)
        .put("scenario.toml", "[tables]\nprice_interval = \"60min\"\n");
    let scenario = folder.scenario();
    assert_eq!(scenario.tariff.len(), 96);
    assert!(
        scenario.tariff[4..8]
            .iter()
            .all(|prices| *prices == scenario.tariff[4])
    );
    assert_ne!(scenario.tariff[3], scenario.tariff[4]);
}

#[test]
fn equal_prices_are_a_warning() {
    let folder = Folder::clean();
    folder.put("prices.csv", prices().replace("0.0507", "0.30"));
    assert!(
        folder.warnings()[0]
            .contains("import and export price are equal (0.3000) at 2016-05-25T01:45:00Z")
    );
}

#[test]
fn microgrids_in_the_wrong_shape() {
    let clean = microgrids();
    check("microgrids.csv", "", &["microgrids.csv: file is empty: "]);
    check(
        "microgrids.csv",
        clean.lines().next().unwrap().to_owned() + "\n",
        &["microgrids.csv: no data rows below the header"],
    );
    check(
        "microgrids.csv",
        swap(&clean, "cost_b_per_kwh", "cost_b"),
        &[
            "column cost_b_per_kwh is missing",
            "'cost_b' -> 'cost_b_per_kwh'",
        ],
    );
    check(
        "microgrids.csv",
        swap(&clean, "mg-2", "mg-1"),
        &["microgrids.csv:3: column microgrid_id: 'mg-1' is there twice, first at 2"],
    );
    check(
        "microgrids.csv",
        swap(&clean, "mg-2", "mg 2"),
        &["microgrids.csv:3: column microgrid_id: 'mg 2' is not a valid id, expected letters"],
    );
    check(
        "microgrids.csv",
        swap(&clean, ",100,", ",-100,"),
        &["microgrids.csv:2: column capacity_kw: '-100' is negative"],
    );
    check(
        "microgrids.csv",
        swap(&clean, ",100,", ",1e12,"),
        &["microgrids.csv:2: column capacity_kw: '1e12' is beyond any plausible power"],
    );
    check(
        "microgrids.csv",
        swap(&clean, "0.10\n", "-0.1\n"),
        &["microgrids.csv:2: column cost_b_per_kwh: '-0.1' is negative"],
    );
    check(
        "microgrids.csv",
        swap(&clean, "0.10\n", "NaN\n"),
        &["microgrids.csv:2: column cost_b_per_kwh: 'NaN' is not a decimal number"],
    );
    check(
        "microgrids.csv",
        swap(&clean, "0.10\n", "150\n"),
        &[
            "microgrids.csv:2: column cost_b_per_kwh: '150' is beyond the limit of 20.0000: it looks like EUR/MWh",
        ],
    );
}

#[test]
fn texts_of_microgrids() {
    let clean = microgrids();
    check(
        "microgrids.csv",
        swap(&clean, "Microgrid 1", "Micro\u{7}grid"),
        &["column name: 'Micro\\u{7}grid' has control characters"],
    );
    check(
        "microgrids.csv",
        swap(&clean, "Microgrid 1", &"M".repeat(81)),
        &["is too long, expected up to 80 printable characters"],
    );
    check(
        "microgrids.csv",
        swap(&clean, "chain-2", "chain 2"),
        &["microgrids.csv:3: column chain_id: 'chain 2' is not a valid id"],
    );
    check(
        "microgrids.csv",
        swap(&clean, "cost_b_per_kwh", "cost_b_usd_per_kwh"),
        &["the table of prices is in EUR, the table of microgrids in USD: currencies never mix"],
    );
    check(
        "microgrids.csv",
        format!("{clean}mg-4,,,,,100,30,50,20,60,0.0010,0.10\n"),
        &["profiles.csv: no rows for mg-4, declared in the table of microgrids"],
    );
}

#[test]
fn sizes_that_contradict_each_other_are_warnings() {
    let folder = Folder::clean();
    folder.put(
        "microgrids.csv",
        swap(&microgrids(), ",100,30,50,20,", ",100,30,50,120,"),
    );
    assert_eq!(
        folder.warnings(),
        [
            "microgrids.csv:2: warning: column dispatchable_kw: 120 of mg-1 is above its capacity_kw 100"
        ]
    );
}

#[test]
fn without_a_table_of_microgrids_the_profiles_name_them() {
    let folder = Folder::clean();
    folder.remove("microgrids.csv");
    let scenario = folder.load().unwrap();
    assert!(
        scenario.warnings[0]
            .to_string()
            .contains("there is no table of microgrids")
    );
    let ids: Vec<&str> = scenario
        .microgrids
        .iter()
        .map(|one| one.id.as_str())
        .collect();
    assert_eq!(ids, ["mg-1", "mg-2", "mg-3"]);
    assert_eq!(scenario.microgrids[0].site.as_str(), "site-mg-1");
}

#[test]
fn a_broken_gzip_file_is_told_from_a_broken_table() {
    use std::io::Write as _;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(profiles().as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    let folder = Folder::clean();
    folder.remove("profiles.csv");
    folder.put("profiles.csv.gz", &packed);
    assert_eq!(folder.scenario().intervals.len(), 96);
    folder.put("profiles.csv.gz", &packed[..packed.len() / 2]);
    assert!(
        folder
            .refusal()
            .contains("profiles.csv.gz: not a complete gzip file, after line")
    );
}

#[test]
fn a_last_line_without_its_end_is_used_with_a_warning() {
    let folder = Folder::clean();
    folder.put("profiles.csv", profiles().trim_end());
    assert_eq!(
        folder.warnings(),
        ["profiles.csv:289: warning: the last line has no line end"]
    );
}

#[test]
fn many_findings_are_cut_with_their_number() {
    let broken = profiles()
        .replace(".1,", ".1x,")
        .replace(".2,", ".2x,")
        .replace("mg-1,2", "mg-1,x2");
    let message = refusal("profiles.csv", broken);
    assert!(message.lines().count() < 30, "{message}");
    assert!(message.contains("more like this, up to line"), "{message}");
}

#[test]
fn a_folder_that_is_none_is_the_environment_s_fault() {
    let missing = std::path::Path::new("/does/not/exist");
    let errors = tieline::input::load(
        missing,
        None,
        &tieline::config::Overrides::none(),
        &mut |_| {},
    )
    .unwrap_err();
    assert_eq!(errors.exit_code(), 2);
    assert!(
        errors
            .to_string()
            .starts_with("/does/not/exist: does not exist\n\nhint: a scenario is a folder")
    );
}
