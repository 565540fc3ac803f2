//! The case files: expected results of an independent reference implementation of the specification.

use serde_json::Value;
use std::path::PathBuf;
use tieline_market::case::Scenario;

/// Equality of numbers: 1e-6, relative or absolute, the tolerance the reference results are given with.
const TOLERANCE: f64 = 1e-6;

#[test]
fn every_case_file_of_the_game_gives_its_expected_results() {
    let mut mismatches = Vec::new();
    let mut solved = 0;
    for (name, document) in game_cases() {
        let scenario: Scenario = serde_json::from_value(document.clone()).expect("a scenario");
        let results = scenario.run().expect("a valid scenario");
        let found = serde_json::to_value(&results).expect("serialisable");
        compare(&name, &document["expected"], &found, &mut mismatches);
        solved += 1;
    }
    assert!(
        mismatches.is_empty(),
        "{} mismatches:\n{}",
        mismatches.len(),
        mismatches.join("\n")
    );
    assert_eq!(solved, 45, "case files found");
}

/// All files that describe a game, by name; those of the aggregator begin with `a`.
pub(crate) fn game_cases() -> Vec<(String, Value)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/cases");
    let mut files: Vec<PathBuf> = folder
        .read_dir()
        .expect("case folder")
        .map(|entry| entry.expect("entry").path())
        .collect();
    files.sort();
    let mut out = Vec::new();
    for file in files {
        let name = file
            .file_stem()
            .expect("file name")
            .to_string_lossy()
            .into_owned();
        let text = read(&file);
        let document: Value = serde_json::from_str(&text).expect("JSON");
        if document["scenario"].get("aggregator").is_none() {
            out.push((name, document));
        }
    }
    out
}

#[allow(clippy::disallowed_methods, reason = "tests read their data")]
fn read(file: &std::path::Path) -> String {
    std::fs::read_to_string(file).expect("readable case file")
}

fn compare(path: &str, expected: &Value, found: &Value, out: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(left), Value::Object(right)) => {
            for key in left
                .keys()
                .chain(right.keys().filter(|key| !left.contains_key(*key)))
            {
                match (left.get(key), right.get(key)) {
                    (Some(one), Some(two)) => compare(&format!("{path}.{key}"), one, two, out),
                    (one, _) => out.push(format!("{path}.{key}: only in {}", side(one.is_some()))),
                }
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (i, (one, two)) in left.iter().zip(right).enumerate() {
                compare(&format!("{path}[{i}]"), one, two, out);
            }
        }
        (Value::Number(left), Value::Number(right)) if !path.ends_with("iterations") => {
            let (one, two) = (left.as_f64().expect("f64"), right.as_f64().expect("f64"));
            if (one - two).abs() > TOLERANCE * one.abs().max(1.0) {
                out.push(format!("{path}: expected {one}, found {two}"));
            }
        }
        _ if expected == found => {}
        _ => out.push(format!("{path}: expected {expected}, found {found}")),
    }
}

fn side(expected: bool) -> &'static str {
    if expected { "expected" } else { "found" }
}

/// The first game of a case file.
pub(crate) fn game(name: &str) -> tieline_market::Game {
    let (_, document) = game_cases()
        .into_iter()
        .find(|(file, _)| file == name)
        .expect("a case file");
    let scenario: Scenario = serde_json::from_value(document).expect("a scenario");
    scenario.games().expect("valid games").swap_remove(0)
}

const MARKET: &str = r#""market": {"grid_buy": 0.1, "grid_sell": 0.8, "rho0": 0.35}"#;
const MICROGRIDS: &str =
    r#""microgrids": [{"id": "MG1", "a": 0.0005, "b": 0.1, "c": 0.3, "q_max": 200}]"#;

fn check_refused(text: &str, message: &str) {
    let error = serde_json::from_str::<Scenario>(text)
        .expect_err("refused")
        .to_string();
    assert!(error.starts_with(message), "{error}");
}

#[test]
fn a_bare_scenario_and_a_case_file_read_the_same_and_optional_keys_have_the_papers_values() {
    let bare = format!(r#"{{"name": "one", "demand_kw": [80, 120.5], {MICROGRIDS}, {MARKET}}}"#);
    let wrapped = format!(r#"{{"scenario": {bare}, "expected": {{"any": [1]}}}}"#);
    let scenario: Scenario = serde_json::from_str(&bare).expect("a scenario");
    assert_eq!(
        serde_json::from_str::<Scenario>(&wrapped).expect("a scenario"),
        scenario
    );
    assert_eq!(scenario.demand_kw, [80.0, 120.5]);
    assert_eq!(scenario.market, tieline_market::Rules::new(0.1, 0.8, 0.35));
    assert_eq!(scenario.run().expect("valid").results.len(), 2);
    let one = format!(
        r#"{{"demand_kw": 80, {MICROGRIDS}, {}}}"#,
        MARKET.replace('}', r#", "max_rounds": 7}"#)
    );
    let scenario: Scenario = serde_json::from_str(&one).expect("a scenario");
    assert_eq!(
        (scenario.demand_kw, scenario.market.max_iter),
        (vec![80.0], 7)
    );
}

#[test]
fn unknown_missing_and_misplaced_keys_are_refused() {
    check_refused(
        &format!(r#"{{"demand": 1, {MICROGRIDS}, {MARKET}}}"#),
        "unknown field `demand`",
    );
    check_refused(
        &format!(r#"{{{MICROGRIDS}, {MARKET}}}"#),
        "missing field `demand_kw`",
    );
    check_refused(
        &format!(r#"{{"demand_kw": 1, {MARKET}}}"#),
        "missing field `microgrids`",
    );
    check_refused(
        &format!(r#"{{"demand_kw": 1, {MICROGRIDS}}}"#),
        "missing field `market`",
    );
    check_refused(
        r#"{"demand_kw": "many"}"#,
        r#"invalid type: string "many", expected a demand in kW or a list of them"#,
    );
    check_refused(
        r#"{"market": {"gird_buy": 0.1}}"#,
        "unknown field `gird_buy`",
    );
    check_refused(
        r#"{"microgrids": [{"id": "MG1", "d": 1}]}"#,
        "unknown field `d`",
    );
    check_refused(
        r#"{"scenario": {"aggregator": {}}}"#,
        "unknown field `aggregator`",
    );
    let inside =
        format!(r#"{{"scenario": {{"demand_kw": 1, {MICROGRIDS}, {MARKET}}}, "demand_kw": 1}}"#);
    check_refused(
        &inside,
        "fields of a scenario both inside and beside `scenario`",
    );
}

#[test]
fn a_scenario_without_demand_or_with_a_bad_game_is_refused_by_name() {
    let error = |demands: &str| {
        let text = format!(r#"{{"name": "one", "demand_kw": {demands}, {MICROGRIDS}, {MARKET}}}"#);
        let scenario: Scenario = serde_json::from_str(&text).expect("a scenario");
        scenario.run().expect_err("refused").to_string()
    };
    assert_eq!(
        error("[]"),
        "scenario \"one\" has 0 demands, must be 1 to 100000"
    );
    let negative =
        "scenario \"one\", demand 1 (counted from 0): demand is -3 kW, must be at least 0";
    assert_eq!(error("[1, -3]"), negative);
}
