//! Certificates hold as issued and break under every change.

use crate::cases::{game, game_cases};
use serde_json::Value;
use tieline_market::case::Scenario;
use tieline_market::certificate::Evidence;
use tieline_market::{Certificate, Cost, Game, Player, Rules, Status, VerifyError, solve};

/// Every response rule, every status, own levels, both orders.
const NAMES: [&str; 7] = [
    "c03_lp_n4",
    "c10_fit_n4",
    "c20_cournot",
    "c21_competitive",
    "c22_lp_cycle_rescue",
    "d02_failed_at_limit",
    "d10_rescue_jacobi",
];

fn issue(game: &Game) -> Certificate {
    Certificate::issue(game, &solve(game))
}

fn reread(document: &Value) -> Option<Certificate> {
    let text = serde_json::to_string(document).expect("JSON");
    serde_json::from_str(&text).ok()
}

#[test]
fn every_case_has_a_certificate_that_survives_json_and_holds() {
    for (name, document) in game_cases() {
        let scenario: Scenario = serde_json::from_value(document).expect("a scenario");
        for game in scenario.games().expect("valid games") {
            let certificate = issue(&game);
            let document = serde_json::to_value(&certificate).expect("serialisable");
            let read = reread(&document).expect("readable");
            assert_eq!(read, certificate, "{name}");
            let verified = read
                .verify()
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(verified.status, certificate.status);
            assert_eq!(
                verified.exploitability_free,
                certificate.exploitability_free
            );
        }
    }
}

#[test]
fn a_certificate_with_any_number_changed_in_its_last_digit_fails() {
    for name in NAMES {
        let certificate = issue(&game(name));
        let document = serde_json::to_value(&certificate).expect("serialisable");
        let mut places = Vec::new();
        walk(&document, &mut String::new(), &mut places);
        assert!(places.len() > 30, "{name}: {} values", places.len());
        for place in places {
            let mut changed = document.clone();
            let value = changed.pointer_mut(&place).expect("a value");
            *value = altered(value);
            let held = reread(&changed).is_some_and(|forged| forged.verify().is_ok());
            assert!(
                !held,
                "{name}: {place} was changed to {}",
                changed.pointer(&place).expect("a value")
            );
        }
    }
}

#[test]
fn a_changed_result_fails_although_its_digest_is_forged() {
    for name in NAMES {
        let certificate = issue(&game(name));
        let document = serde_json::to_value(&certificate).expect("serialisable");
        let mut places = Vec::new();
        walk(&document, &mut String::new(), &mut places);
        let result = [
            "/status",
            "/clearing_price",
            "/evidence",
            "/gains",
            "/exploitability",
        ];
        for place in places
            .iter()
            .filter(|place| result.iter().any(|start| place.starts_with(start)))
        {
            let mut changed = document.clone();
            let value = changed.pointer_mut(place).expect("a value");
            *value = altered(value);
            let Some(mut forged) = reread(&changed) else {
                continue;
            };
            forged.digest = forged.recomputed_digest();
            let error = forged.verify().expect_err(place);
            assert!(
                !matches!(error, VerifyError::Digest { .. }),
                "{name}: {place}: {error}"
            );
        }
    }
}

#[test]
fn a_certificate_names_the_first_field_that_differs_with_both_values() {
    let certificate = issue(&game("c03_lp_n4"));
    let mut price = certificate.clone();
    price.clearing_price += 0.5;
    let message = price.verify().expect_err("refused").to_string();
    let honest = certificate.clearing_price;
    assert_eq!(
        message,
        format!(
            "clearing_price is claimed to be {:?}, recomputed {honest:?}",
            honest + 0.5
        )
    );

    let mut gain = certificate.clone();
    gain.gains[2].free = -1.0;
    assert!(
        gain.verify()
            .expect_err("refused")
            .to_string()
            .starts_with("gains[2].free is claimed to be -1.0")
    );

    let mut status = certificate.clone();
    status.status = Status::Failed;
    assert!(matches!(
        status.verify(),
        Err(VerifyError::Stop {
            status: Status::Failed,
            rounds: 3,
            ..
        })
    ));

    let mut allowed = certificate.clone();
    allowed.rules.max_iter += 1;
    assert!(matches!(allowed.verify(), Err(VerifyError::Digest { .. })));

    let mut schema = certificate.clone();
    schema.schema = "tieline.certificate/2".to_owned();
    let found = "tieline.certificate/2".to_owned();
    assert_eq!(schema.verify(), Err(VerifyError::Schema { found }));

    let mut demand = certificate.clone();
    demand.demand_kw = -1.0;
    assert!(matches!(demand.verify(), Err(VerifyError::Game(_))));

    let mut kind = certificate.clone();
    kind.evidence = Evidence::Outputs {
        output_kw: vec![],
        profit: vec![],
    };
    assert!(matches!(kind.verify(), Err(VerifyError::Evidence { .. })));

    let mut fewer = certificate;
    if let Evidence::Bids { bids, .. } = &mut fewer.evidence {
        bids.pop();
    }
    let error = fewer.verify().expect_err("refused");
    assert_eq!(error.to_string(), "number of bids is 3, must be 4");
}

#[test]
fn an_epsilon_equilibrium_cannot_pass_as_an_exact_one() {
    let mut certificate = issue(&game("c22_lp_cycle_rescue"));
    assert_eq!(certificate.status, Status::EpsilonEquilibrium);
    certificate.status = Status::Equilibrium;
    certificate.digest = certificate.recomputed_digest();
    assert!(matches!(
        certificate.verify(),
        Err(VerifyError::Stop { .. })
    ));
}

#[test]
fn a_round_that_ended_in_time_cannot_pass_as_failed() {
    let game = game("c22_lp_cycle_rescue");
    let rules = Rules {
        max_iter: 92,
        ..game.rules().clone()
    };
    let game = Game::new(game.players().to_vec(), rules, game.demand_kw()).expect("valid");
    let mut certificate = issue(&game);
    certificate.status = Status::Failed;
    let (claimed, recomputed) = (Status::Failed, Status::EpsilonEquilibrium);
    assert_eq!(
        certificate.verify(),
        Err(VerifyError::Status {
            claimed,
            recomputed
        })
    );
}

#[test]
fn bids_and_clearing_swapped_for_another_equilibrium_fail() {
    // c23 and c24 differ in the start price alone and end at 0.20 and 0.27
    let low = issue(&game("c23_two_fixed_points_low"));
    let mut forged = issue(&game("c24_two_fixed_points_high"));
    forged.rules = low.rules.clone();
    forged.digest = forged.recomputed_digest();
    assert!(matches!(
        forged.verify(),
        Err(VerifyError::Count { .. } | VerifyError::Number { .. })
    ));
}

#[test]
fn the_canonical_bytes_of_a_small_certificate_never_change() {
    let cost = Cost {
        a: 0.001,
        b: 0.1,
        c: 0.2,
    };
    let player = Player {
        id: "MG1".to_owned(),
        cost,
        capacity_kw: 100.0,
        levels: None,
    };
    let game = Game::new(vec![player], Rules::new(0.1, 0.8, 0.35), 50.0).expect("valid");
    let certificate = issue(&game);
    assert_eq!(certificate.canonical_bytes().len(), CANONICAL_LENGTH);
    assert_eq!(certificate.digest, CANONICAL_DIGEST);
}

/// From a second encoder, written in another language from the documentation of `canonical_bytes` and the JSON form.
const CANONICAL_LENGTH: usize = 332;
const CANONICAL_DIGEST: &str = "2090dc23d2a694ce334113c8b9bbf90520ae2d8be83e32365137f99fbd223c56";

/// Pointers to all values that are no lists or objects.
fn walk(value: &Value, path: &mut String, out: &mut Vec<String>) {
    let length = path.len();
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                path.push_str(&format!("/{key}"));
                walk(inner, path, out);
                path.truncate(length);
            }
        }
        Value::Array(items) => {
            for (i, inner) in items.iter().enumerate() {
                path.push_str(&format!("/{i}"));
                walk(inner, path, out);
                path.truncate(length);
            }
        }
        _ => out.push(path.clone()),
    }
}

fn altered(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_u64() => (number.as_u64().expect("u64") + 1).into(),
        Value::Number(number) => number.as_f64().expect("f64").next_up().into(),
        Value::String(text) => match text.as_str() {
            "equilibrium" | "epsilon_equilibrium" => "failed".into(),
            "failed" => "equilibrium".into(),
            "lp" => "fit".into(),
            "fit" => "lp".into(),
            "cournot" => "competitive".into(),
            "competitive" => "cournot".into(),
            "improved" => "traditional".into(),
            "traditional" => "improved".into(),
            "gauss_seidel" => "jacobi".into(),
            "jacobi" => "gauss_seidel".into(),
            other => format!("{other}0").into(),
        },
        Value::Bool(flag) => (!flag).into(),
        other => other.clone(),
    }
}
