//! The commands beside `run`: what they print, how they end.

use std::fs;

use crate::support::{root, tieline, tieline_in};

#[test]
fn solve_prints_the_fields_of_the_reference_for_every_case() {
    let cases = root().join("crates/market/tests/data/cases");
    let mut count = 0;
    for entry in fs::read_dir(cases).unwrap() {
        let path = entry.unwrap().path();
        let case: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let expected = &case["expected"];
        let failed = expected["results"][0]["status"] == "failed";
        let ran = tieline(&["market", "solve", &path.display().to_string(), "--json"]);
        let solved = ran.expect(i32::from(failed)).json();
        assert_eq!(solved["schema"], "tieline.market-solve/1");
        for key in ["results", "aggregator"] {
            same_shape(
                &expected[key],
                &solved[key],
                &format!("{}: {key}", path.display()),
            );
        }
        count += 1;
    }
    assert_eq!(count, 48);
}

/// Every field of `expected` is there, numbers within 1e-6 relative or absolute.
fn same_shape(expected: &serde_json::Value, found: &serde_json::Value, at: &str) {
    use serde_json::Value::{Array, Number, Object};
    match (expected, found) {
        (Object(expected), Object(found)) => {
            for (key, value) in expected {
                let inner = format!("{at}.{key}");
                same_shape(
                    value,
                    found
                        .get(key)
                        .unwrap_or_else(|| panic!("{inner} is missing")),
                    &inner,
                );
            }
        }
        (Array(expected), Array(found)) => {
            assert_eq!(expected.len(), found.len(), "{at}");
            for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
                same_shape(expected, found, &format!("{at}[{index}]"));
            }
        }
        (Number(expected), Number(found)) => {
            let (expected, found) = (expected.as_f64().unwrap(), found.as_f64().unwrap());
            let near = (expected - found).abs() <= 1e-6 * expected.abs().max(1.0);
            assert!(near, "{at}: expected {expected}, found {found}");
        }
        _ => assert_eq!(expected, found, "{at}"),
    }
}

#[test]
fn a_game_without_an_equilibrium_prints_its_last_state_and_ends_with_1() {
    let case = "crates/market/tests/data/cases/d02_failed_at_limit.json";
    let ran = tieline(&["market", "solve", case]).expect(1);
    assert!(
        ran.stdout.contains("failed after 40 rounds"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stderr.contains("no equilibrium in 40 rounds"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("\n\nhint: raise max_iter"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_scenario_with_an_unknown_key_is_refused_with_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("game.json");
    fs::write(&file, "{\"name\": \"x\",\n \"demnad_kw\": 1}").unwrap();
    let ran = tieline(&["market", "solve", &file.display().to_string()]).expect(1);
    assert!(ran.stderr.contains("demnad_kw"), "{}", ran.stderr);
    assert!(ran.stderr.contains("line 2"), "{}", ran.stderr);
}

const BOOK: &str = "side,price_eur_per_mwh,quantity_mwh,order_id\n\
                    sell,10.00,5.0,s1\nsell,20.00,5.0,s2\nbuy,15.00,5.0,b1\nbuy,5.00,5.0,b2\n";

fn clear(book: &str, more: &[&str]) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("book.csv");
    fs::write(&file, book).unwrap();
    let path = file.display().to_string();
    let mut arguments = vec!["market", "clear", &path, "--json"];
    arguments.extend(more);
    tieline(&arguments).expect(0).json()
}

#[test]
fn clear_prints_intervals_and_the_chosen_point_as_decimals_of_the_book() {
    insta::assert_json_snapshot!(clear(BOOK, &[]), @r#"
    {
      "accepted": [
        {
          "accepted": "5.0",
          "order_id": "s1",
          "price": "10.00",
          "quantity": "5.0",
          "side": "sell",
          "step": 1
        },
        {
          "accepted": "5.0",
          "order_id": "b1",
          "price": "15.00",
          "quantity": "5.0",
          "side": "buy",
          "step": 3
        }
      ],
      "price": "12.50",
      "price_high": "15.00",
      "price_low": "10.00",
      "quantity": "5.0",
      "quantity_high": "5.0",
      "quantity_low": "5.0",
      "rule": "mid",
      "schema": "tieline.market-clear/1",
      "ties": "pro-rata",
      "welfare": "25.000"
    }
    "#);
}

#[test]
fn the_price_rule_picks_the_end_of_the_interval() {
    assert_eq!(clear(BOOK, &["--rule", "marginal-ask"])["price"], "10.00");
    assert_eq!(clear(BOOK, &["--rule", "marginal-bid"])["price"], "15.00");
}

#[test]
fn ties_are_served_in_proportion_or_in_order() {
    let book = "side,price_eur_per_mwh,quantity_mwh\nsell,1,3\nsell,1,3\nbuy,2,4\n";
    let accepted = |ties: &str| -> Vec<String> {
        let cleared = clear(book, &["--ties", ties]);
        let steps = cleared["accepted"].as_array().unwrap();
        steps
            .iter()
            .map(|step| format!("{}:{}", step["step"], step["accepted"]))
            .collect()
    };
    assert_eq!(accepted("order"), ["1:\"3\"", "2:\"1\"", "3:\"4\""]);
    assert_eq!(accepted("pro-rata"), ["1:\"2\"", "2:\"2\"", "3:\"4\""]);
    let fine = "side,price_eur_per_mwh,quantity_mwh\nsell,1,3.0\nsell,1,1.0\nbuy,2,2.0\n";
    let shared = clear(fine, &["--ties", "pro-rata"]);
    assert_eq!(shared["accepted"][0]["accepted"], "1.5");
    assert_eq!(shared["accepted"][1]["accepted"], "0.5");
}

#[test]
fn a_broken_book_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("book.csv");
    fs::write(&file, "side,price_eur_per_mwh,quantity_mwh\nsell,NaN,3\n").unwrap();
    let ran = tieline(&["market", "clear", &file.display().to_string()]).expect(1);
    assert!(
        ran.stderr.contains("line 2") && ran.stderr.contains("NaN"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.stdout, "");
}

#[test]
fn every_omie_book_clears_in_the_published_interval() {
    let shared =
        std::env::var("TIELINE_SHARED").map_or_else(|_| root().join("../shared"), Into::into);
    let folder = shared.join("data/order-books/omie-2025-06-21");
    if !folder.exists() {
        eprintln!("skipped: {} is not here", folder.display());
        return;
    }
    let mut reader = csv::Reader::from_path(folder.join("clearing.csv")).unwrap();
    for record in reader.records() {
        let record = record.unwrap();
        let hour: u32 = record[0].parse().unwrap();
        let book = folder
            .join(format!("book-h{hour:02}.csv"))
            .display()
            .to_string();
        let cleared = tieline(&["market", "clear", &book, "--json"])
            .expect(0)
            .json();
        let found =
            ["price_low", "price_high", "quantity_low", "quantity_high"].map(|key| &cleared[key]);
        let expected = [&record[4], &record[5], &record[6], &record[7]];
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found.as_str().unwrap(), expected, "hour {hour}");
        }
    }
}

#[test]
fn config_show_says_where_every_value_came_from() {
    let shown = tieline_in(
        &root(),
        &[
            "config",
            "show",
            "scenarios/four-microgrids-day",
            "--set",
            "market.levels=5",
            "--json",
        ],
        &[("TIELINE_MARKET_RESPONSE", "fit")],
    );
    let shown = shown.expect(0).json();
    let origin = |key: &str| -> String {
        let settings = shown["settings"].as_array().unwrap();
        let setting = settings
            .iter()
            .find(|setting| setting["key"] == key)
            .unwrap();
        format!(
            "{} from {}",
            setting["value"].as_str().unwrap(),
            setting["origin"].as_str().unwrap()
        )
    };
    assert_eq!(origin("market.levels"), "5 from flag");
    assert_eq!(
        origin("market.response"),
        "fit from TIELINE_MARKET_RESPONSE"
    );
    assert_eq!(origin("market.order"), "gauss-seidel from scenario.toml:31");
    assert_eq!(origin("market.alpha"), "1 from default");
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_would_be_right() {
    let ran = tieline(&["market", "claer", "x"]).expect(2);
    assert!(ran.stderr.contains("clear"), "{}", ran.stderr);
    let ran = tieline(&["run", "scenarios/paper-case", "--set", "market.respnse=fit"]).expect(2);
    assert!(ran.stderr.contains("market.response"), "{}", ran.stderr);
    let ran = tieline(&["run", "no-such-folder"]).expect(2);
    assert!(ran.stderr.contains("no-such-folder"), "{}", ran.stderr);
    let ran = tieline(&["market", "verify", "no-such-file.json"]).expect(2);
    assert!(ran.stderr.contains("no-such-file.json"), "{}", ran.stderr);
}

#[test]
fn a_setting_that_would_be_ignored_is_refused_and_a_misspelt_variable_told() {
    let game = "scenarios/paper-case/game.json";
    let ran = tieline(&["market", "solve", game, "--set", "market.response=fit"]).expect(2);
    assert!(
        ran.stderr.contains("--set means nothing here"),
        "{}",
        ran.stderr
    );
    let variables = [("TIELINE_MARKET_RESPNSE", "fit")];
    let ran = tieline_in(&root(), &["config", "show"], &variables).expect(0);
    assert!(
        ran.stderr
            .contains("TIELINE_MARKET_RESPNSE names no setting"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_document_that_is_no_certificate_is_refused() {
    let ran = tieline(&["market", "verify", "scenarios/paper-case/game.json"]).expect(1);
    assert!(ran.stderr.contains("not a certificate"), "{}", ran.stderr);
}

#[test]
fn an_unknown_key_beside_an_aggregator_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("problem.json");
    let case = root().join("crates/market/tests/data/cases/a01_aggregator_small.json");
    let text = fs::read_to_string(case).unwrap();
    fs::write(
        &file,
        text.replacen("\"aggregator\"", "\"agregator_note\": 1, \"aggregator\"", 1),
    )
    .unwrap();
    let ran = tieline(&["market", "solve", &file.display().to_string()]).expect(1);
    assert!(
        ran.stderr.contains("unknown key `agregator_note`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_byte_order_mark_before_a_game_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("game.json");
    let text = fs::read_to_string(root().join("scenarios/paper-case/game.json")).unwrap();
    fs::write(&file, format!("\u{feff}{text}")).unwrap();
    let marked = tieline(&["market", "solve", &file.display().to_string(), "--json"]).expect(0);
    let plain = tieline(&[
        "market",
        "solve",
        "scenarios/paper-case/game.json",
        "--json",
    ])
    .expect(0);
    assert_eq!(marked.json(), plain.json());
}

#[test]
fn another_settings_file_is_named_as_the_origin() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.toml");
    let text = fs::read_to_string(root().join("scenarios/paper-case/scenario.toml")).unwrap();
    fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    let shown = tieline(&["config", "show", "scenarios/paper-case", "--config", &file]).expect(0);
    assert!(
        shown.stdout.contains(&format!("{file}:5")),
        "{}",
        shown.stdout
    );
}
