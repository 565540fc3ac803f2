//! `tieline qkd model`: table, simulated day, drawing.

use std::fs;

use crate::support::{root, tieline, tieline_in};

fn near(found: &serde_json::Value, expected: f64, tolerance: f64) -> bool {
    (found.as_f64().unwrap() / expected - 1.0).abs() < tolerance
}

#[test]
fn the_table_has_the_reference_rates_and_says_that_it_is_simulated() {
    let arguments = [
        "qkd",
        "model",
        "--distance-km",
        "0,100",
        "--block",
        "1e7,1e9",
        "--json",
    ];
    let model = tieline(&arguments).expect(0).json();
    assert_eq!(model["schema"], "tieline.qkd-model/1");
    assert_eq!(model["simulated"], true);
    let table = model["table"].as_array().unwrap();
    // Lim et al. 2014 as recomputed by another program.
    let expected = [
        (0.0, 1e9, 9.20e-3),
        (0.0, 1e7, 5.36e-3),
        (100.0, 1e9, 8.54e-5),
        (100.0, 1e7, 4.77e-5),
    ];
    assert_eq!(table.len(), expected.len());
    for (cell, (length_km, block, rate)) in table.iter().zip(expected) {
        assert_eq!(cell["distance_km"], length_km);
        assert_eq!(cell["block_bits"], block);
        assert!(near(&cell["bits_per_pulse"], rate, 0.01), "{cell}");
        assert!(near(&cell["bits_per_second"], rate * 2e7, 0.01), "{cell}");
    }
}

#[test]
fn people_see_the_word_simulated_and_an_unverified_preset_says_so() {
    let ran = tieline(&["qkd", "model", "--distance-km", "10,300", "--block", "1e6"]).expect(0);
    for words in [
        "simulated key rate",
        "simulated day",
        "unverified preset",
        "no key",
    ] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
}

#[test]
fn the_day_adds_up_and_one_seed_gives_one_day() {
    let arguments = [
        "qkd",
        "model",
        "--distance-km",
        "50",
        "--block",
        "1e6",
        "--seed",
        "3",
        "--use-bps",
        "0",
        "--json",
    ];
    let ran = tieline(&arguments).expect(0);
    assert_eq!(ran.stdout, tieline(&arguments).expect(0).stdout);
    let day = &ran.json()["day"];
    assert_eq!(day["blocks_thrown_away"], 0);
    let last = day["series"].as_array().unwrap().last().unwrap();
    assert_eq!(
        last["stock_bits"].as_f64().unwrap(),
        day["released_bits"].as_f64().unwrap()
    );
    let other = tieline(&[
        "qkd",
        "model",
        "--distance-km",
        "50",
        "--block",
        "1e6",
        "--seed",
        "4",
        "--use-bps",
        "0",
        "--json",
    ]);
    assert_ne!(other.json()["day"]["released_bits"], day["released_bits"]);
}

#[test]
fn incidents_raise_the_alarms_that_are_theirs() {
    let ran = tieline(&[
        "qkd",
        "model",
        "--distance-km",
        "50",
        "--block",
        "1e6",
        "--incidents",
        "--json",
    ]);
    let day = &ran.expect(0).json()["day"];
    let alarms: Vec<&str> = day["alarms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alarm| alarm["reason"].as_str().unwrap())
        .collect();
    for reason in ["qber", "qber-alarm", "decoy-yield", "loss", "no-key"] {
        assert!(alarms.contains(&reason), "{reason}: {alarms:?}");
    }
    // While a line is cut or listened to, nothing is released.
    for incident in day["incidents"].as_array().unwrap() {
        let (start, end) = (
            incident["start_seconds"].as_f64().unwrap(),
            incident["end_seconds"].as_f64().unwrap(),
        );
        if incident["name"] == "error rate from 3 to 12 %" {
            continue;
        }
        let within = day["series"].as_array().unwrap().iter().filter(|point| {
            point["start_seconds"].as_f64().unwrap() >= start
                && point["end_seconds"].as_f64().unwrap() <= end
        });
        for point in within {
            assert_eq!(point["rate_bits_per_second"], 0.0, "{incident} {point}");
        }
    }
}

#[test]
fn the_drawing_is_one_file_with_labels_units_and_no_broken_number() {
    let folder = tempfile::tempdir().unwrap();
    let ran = tieline_in(
        folder.path(),
        &["qkd", "model", "--incidents", "--plot", "link.svg"],
        &[],
    );
    ran.expect(0);
    let svg = fs::read_to_string(folder.path().join("link.svg")).unwrap();
    for words in [
        "Simulated QKD link",
        "unverified preset",
        "length of the fibre, km",
        "simulated key rate, bit per second",
        "error rate (QBER), %",
        "simulated keys in stock, Mb",
        "hard alarm",
        "10⁹ sifted bits",
    ] {
        assert!(svg.contains(words), "{words}");
    }
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

#[test]
fn numbers_that_mean_nothing_are_refused_with_2_and_a_link_without_key_with_1() {
    let refused = [
        ("--distance-km=-1", 2),
        ("--distance-km=NaN", 2),
        ("--block=10", 2),
        ("--use-bps=inf", 2),
        ("--day-km=300", 1),
    ];
    for (flag, code) in refused {
        let ran = tieline(&["qkd", "model", flag]).expect(code);
        assert!(ran.stdout.is_empty(), "{flag}: {}", ran.stdout);
    }
    let ran = tieline(&["qkd", "model", "--set", "market.response=fit"]).expect(2);
    assert!(
        ran.stderr.contains("--set means nothing here"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_document_on_the_link_model_shows_what_the_program_prints() {
    // docs/link-model.md quotes this table; it changes with the program or not at all.
    let document = fs::read_to_string(root().join("docs/link-model.md")).unwrap();
    let ran = tieline(&["qkd", "model", "--preset", "lim2014", "--json"])
        .expect(0)
        .json();
    for cell in ran["table"].as_array().unwrap() {
        let rate = cell["bits_per_pulse"].as_f64().unwrap();
        if rate > 0.0 {
            let shown = format!("{rate:.2e}");
            assert!(document.contains(&shown), "{shown} of {cell}");
        }
    }
}
