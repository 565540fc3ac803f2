//! The aggregator: case files of an independent solver and small problems solved by hand.

mod properties;

use serde_json::Value;
use tieline_market::aggregator::case::{AggregatorScenario, run_case};
use tieline_market::aggregator::{
    Deficit, LineLimit, Matching, Offer, Problem, ProblemError, Terms, solve,
};

/// Case files give 1e-6 on kW and money.
const CASE_TOLERANCE: f64 = 1e-6;
/// Rounding of sums of some hundred kW times prices near 1.
const ROUNDING: f64 = 1e-9;

#[test]
fn case_files_of_the_independent_solver_are_met() {
    let cases = [
        include_str!("../data/cases/a01_aggregator_small.json"),
        include_str!("../data/cases/a02_aggregator_limits.json"),
        include_str!("../data/cases/a03_aggregator_delta_low.json"),
    ];
    for text in cases {
        let case: Value = serde_json::from_str(text).unwrap();
        let scenario: AggregatorScenario =
            serde_json::from_value(case["scenario"]["aggregator"].clone()).unwrap();
        let result = serde_json::to_value(run_case(&scenario).unwrap()).unwrap();
        compare(
            &case["expected"]["name"].to_string(),
            &result,
            &case["expected"]["aggregator"],
        );
    }
}

/// Same shape and names, numbers within [`CASE_TOLERANCE`].
fn compare(at: &str, found: &Value, expected: &Value) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            let keys =
                |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(found), keys(expected), "{at}");
            found
                .iter()
                .for_each(|(key, value)| compare(&format!("{at}.{key}"), value, &expected[key]));
        }
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "{at}");
            let pairs = found.iter().zip(expected).enumerate();
            pairs
                .for_each(|(i, (found, expected))| compare(&format!("{at}[{i}]"), found, expected));
        }
        (Value::Number(found), Value::Number(expected)) => {
            let (found, expected) = (
                found.as_f64().unwrap_or(f64::NAN),
                expected.as_f64().unwrap_or(f64::NAN),
            );
            assert!(
                (found - expected).abs() <= CASE_TOLERANCE,
                "{at}: {found}, expected {expected}"
            );
        }
        _ => assert_eq!(found, expected, "{at}"),
    }
}

const TERMS: Terms = Terms {
    grid_sell: 0.80,
    grid_buy: 0.30,
    delta: 1.05,
    delta_grid: 1.0,
    price: 0.52,
};

fn offer(id: &str, kw: f64, ask: f64) -> Offer {
    Offer {
        id: id.to_owned(),
        kw,
        ask,
    }
}

fn deficit(id: &str, kw: f64) -> Deficit {
    Deficit {
        id: id.to_owned(),
        kw,
    }
}

fn limit(seller: &str, buyer: &str, kw: f64) -> LineLimit {
    LineLimit {
        seller: seller.to_owned(),
        buyer: buyer.to_owned(),
        kw,
    }
}

fn problem(terms: Terms, sellers: &[(f64, f64)], buyers: &[f64]) -> Problem {
    let sellers = sellers
        .iter()
        .enumerate()
        .map(|(k, &(kw, ask))| offer(&format!("S{k}"), kw, ask))
        .collect();
    let buyers = buyers
        .iter()
        .enumerate()
        .map(|(j, &kw)| deficit(&format!("B{j}"), kw))
        .collect();
    Problem::new(terms, sellers, buyers, Vec::new()).expect("valid")
}

fn rows(matching: &Matching, blocks: usize) -> Vec<Vec<f64>> {
    (0..blocks).map(|k| matching.row(k).to_vec()).collect()
}

#[test]
fn prices_are_those_of_the_last_kilowatt() {
    let check = |terms, sellers: &[(f64, f64)], buyers: &[f64], price: f64, dual: Option<f64>| {
        let matching = solve(&problem(terms, sellers, buyers)).unwrap();
        assert!(
            (matching.clearing_price - price).abs() < ROUNDING,
            "{matching:?}"
        );
        match dual {
            Some(dual) => assert!(
                (matching.demand_duals[0].unwrap() - dual).abs() < ROUNDING,
                "{matching:?}"
            ),
            None => assert!(matching.demand_duals.iter().all(Option::is_none)),
        }
    };
    let sellers = [(60.0, 0.42), (50.0, 0.47), (40.0, 0.52)];
    check(TERMS, &sellers, &[70.0, 50.0], 0.52, Some(0.026));
    // Demand uses up two blocks: of the duals between .47 and .52 the smallest.
    check(TERMS, &sellers, &[110.0], 0.47, Some(0.076));
    // Imports are marginal.
    check(TERMS, &sellers, &[200.0], 0.80, Some(0.0));
    check(
        Terms {
            delta: 0.9,
            ..TERMS
        },
        &sellers,
        &[70.0],
        0.80,
        Some(0.0),
    );
    check(
        Terms {
            delta_grid: 1.01,
            ..TERMS
        },
        &sellers,
        &[200.0],
        0.80,
        Some(0.008),
    );
    // No demand, no seller, an ask below L-.
    check(TERMS, &sellers, &[0.0], 0.30, None);
    check(TERMS, &[], &[10.0], 0.80, Some(0.0));
    check(TERMS, &[(20.0, 0.1)], &[10.0], 0.30, Some(0.446));
}

#[test]
fn with_line_limits_every_buyer_has_its_own_price() {
    // Case a02: a kW less at B1 frees S3, a kW less at B2 frees S2.
    let sellers = vec![
        offer("S1", 60.0, 0.42),
        offer("S2", 50.0, 0.47),
        offer("S3", 40.0, 0.52),
    ];
    let buyers = vec![deficit("B1", 70.0), deficit("B2", 50.0)];
    let limits = vec![limit("S1", "B1", 40.0), limit("S2", "B1", 10.0)];
    let matching = solve(&Problem::new(TERMS, sellers, buyers, limits).unwrap()).unwrap();
    assert_eq!(matching.demand_prices, [Some(0.52), Some(0.47)]);
    assert!((matching.clearing_price - 0.47).abs() < ROUNDING);
}

#[test]
fn a_block_at_the_internal_tariff_is_accepted_and_one_above_it_refused() {
    // 1.05 * 0.52 rounds to the double next to 0.546.
    let at = solve(&problem(TERMS, &[(10.0, 0.546)], &[10.0])).unwrap();
    assert!((at.traded_kw() - 10.0).abs() < ROUNDING && at.profit.total.abs() < ROUNDING);
    let above = solve(&problem(TERMS, &[(10.0, 0.546_000_1)], &[10.0])).unwrap();
    assert!(above.traded_kw() == 0.0 && (above.exported_kw() - 10.0).abs() < ROUNDING);
}

#[test]
fn equal_asks_at_the_margin_are_filled_from_the_last() {
    let matching = solve(&problem(
        TERMS,
        &[(10.0, 0.5), (10.0, 0.5), (10.0, 0.4)],
        &[8.0, 10.0],
    ))
    .unwrap();
    assert_eq!(rows(&matching, 3), [[0.0, 0.0], [0.0, 8.0], [8.0, 2.0]]);
}

#[test]
fn blocks_of_one_microgrid_share_its_line() {
    let sellers = vec![
        offer("S", 10.0, 0.4),
        offer("S", 10.0, 0.5),
        offer("R", 10.0, 0.52),
    ];
    let buyers = vec![deficit("B", 30.0)];
    let matching =
        solve(&Problem::new(TERMS, sellers, buyers, vec![limit("S", "B", 15.0)]).unwrap()).unwrap();
    assert_eq!(rows(&matching, 3), [[10.0], [5.0], [10.0]]);
    assert_eq!(matching.imported, [5.0]);
}

#[test]
fn bad_problems_are_refused_by_name() {
    let sellers = || vec![offer("S", 10.0, 0.4)];
    let buyers = || vec![deficit("B", 10.0)];
    let check = |result: Result<Problem, ProblemError>, text: &str| {
        assert_eq!(result.unwrap_err().to_string(), text);
    };
    let terms = |terms| Problem::new(terms, sellers(), buyers(), vec![]);
    check(
        terms(Terms {
            price: f64::NAN,
            ..TERMS
        }),
        "clearing price of \"aggregator\" is NaN, not a finite number",
    );
    check(
        terms(Terms {
            delta: -1.0,
            ..TERMS
        }),
        "delta of \"aggregator\" is -1, below zero",
    );
    check(
        terms(Terms {
            grid_buy: 0.9,
            ..TERMS
        }),
        "the grid sells at 0.8 and buys at 0.9: needs a positive selling price above the buying price",
    );
    let parts = |sellers, buyers, limits| Problem::new(TERMS, sellers, buyers, limits);
    check(
        parts(vec![offer("S", -1.0, 0.4)], buyers(), vec![]),
        "quantity of \"S\" is -1, below zero",
    );
    check(
        parts(vec![offer("S", 1.0, f64::INFINITY)], buyers(), vec![]),
        "ask of \"S\" is inf, not a finite number",
    );
    check(
        parts(sellers(), vec![deficit("B", f64::NAN)], vec![]),
        "deficit of \"B\" is NaN, not a finite number",
    );
    check(
        parts(sellers(), [buyers(), buyers()].concat(), vec![]),
        "buyer \"B\" is listed twice",
    );
    let limits = |limits| parts(sellers(), buyers(), limits);
    check(
        limits(vec![limit("X", "B", 1.0)]),
        "line limit \"X\" to \"B\" names an unknown seller",
    );
    check(
        limits(vec![limit("S", "X", 1.0)]),
        "line limit \"S\" to \"X\" names an unknown buyer",
    );
    check(
        limits(vec![limit("S", "B", -1.0)]),
        "line limit of \"S to B\" is -1, below zero",
    );
    check(
        limits(vec![limit("S", "B", 1.0), limit("S", "B", 2.0)]),
        "line \"S\" to \"B\" has two limits: 1 and 2 kW",
    );
}

#[test]
fn an_unknown_key_of_a_scenario_is_refused() {
    let text = r#"{"grid_sell":0.8,"grid_buy":0.3,"delta":1,"price":0.5,"sellers":[],"buyers":[],"sigma":1}"#;
    let error = serde_json::from_str::<AggregatorScenario>(text)
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("unknown field `sigma`"), "{error}");
}
