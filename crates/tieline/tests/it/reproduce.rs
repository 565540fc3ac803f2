//! The paper's case: verdicts, sums, agreement with the reference results, form of text and files.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;
use tieline::reproduce::claim::{Imposed, Verdict, ranks, within_tolerance};
use tieline::reproduce::paper::{FIG7_IMPROVED_KW, TABLE1};
use tieline::reproduce::{Counts, Document, Fig9Data, Fig9Microgrid, Figure, SCHEMA, reproduce};

mod signature;

/// Expected results of the independent reference implementation.
const REFERENCE: &str = include_str!("../../../market/tests/data/cases/paper.json");

/// Curves of a day: load in the evening and sun and wind, or load at noon and sun.
fn curves() -> Fig9Data {
    let hours = |of: fn(f64) -> f64| {
        (0..24)
            .map(|hour| of(f64::from(hour)))
            .collect::<Vec<f64>>()
    };
    let noon = |hour: f64| (6.0 - (hour - 12.0).abs()).max(0.0);
    let evening = |hour: f64| 10.0 + 4.0 * (3.0 - (hour - 20.0).abs()).max(0.0);
    Fig9Data {
        interval_minutes: 60,
        source: "a test <script>".to_owned(),
        microgrids: [
            Fig9Microgrid {
                label: "A & sons".to_owned(),
                load_kw: hours(evening),
                pv_kw: hours(|hour| 20.0 * (6.0 - (hour - 12.0).abs()).max(0.0)),
                wind_kw: hours(|_| 30.0),
            },
            Fig9Microgrid {
                label: "B".to_owned(),
                load_kw: hours(noon),
                pv_kw: hours(noon),
                wind_kw: hours(|_| 0.0),
            },
        ],
    }
}

fn compute() -> Document {
    reproduce(&Figure::ALL, Some(&curves())).expect("the embedded case")
}

/// Computed once for all tests.
fn everything() -> &'static Document {
    static EVERYTHING: LazyLock<Document> = LazyLock::new(compute);
    &EVERYTHING
}

fn verdicts(document: &Document) -> String {
    let cells = document.table1.iter().flat_map(|table| &table.cells);
    let cells = cells.map(|cell| (cell.id.clone(), cell.verdict));
    let claims = document
        .claims
        .iter()
        .map(|claim| (claim.id.clone(), claim.verdict));
    cells
        .chain(claims)
        .map(|(id, verdict)| format!("{id}: {}\n", verdict.word()))
        .collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one line per claim")]
fn verdicts_of_all_cells_and_claims() {
    insta::assert_snapshot!(verdicts(everything()), @r"
    table1-220-mg1-output: compatible
    table1-220-mg2-output: contradicted
    table1-220-mg3-output: contradicted
    table1-220-mg4-output: contradicted
    table1-220-mg1-income: contradicted
    table1-220-mg2-income: contradicted
    table1-220-mg3-income: contradicted
    table1-220-mg4-income: compatible
    table1-550-mg1-output: compatible
    table1-550-mg2-output: contradicted
    table1-550-mg3-output: contradicted
    table1-550-mg4-output: contradicted
    table1-550-mg1-income: compatible
    table1-550-mg2-income: contradicted
    table1-550-mg3-income: contradicted
    table1-550-mg4-income: contradicted
    table1-1000-mg1-output: compatible
    table1-1000-mg2-output: compatible
    table1-1000-mg3-output: compatible
    table1-1000-mg4-output: compatible
    table1-1000-mg1-income: compatible
    table1-1000-mg2-income: compatible
    table1-1000-mg3-income: contradicted
    table1-1000-mg4-income: compatible
    table1-demand-220: contradicted
    table1-mg1-cost: compatible
    table1-mg1-no-advantage: compatible
    table1-mg1-merely: compatible
    table1-mg1-income-falls: compatible
    table1-mg1-grows: compatible
    table1-reduce-at-low-demand: compatible
    table1-mg2-cost: compatible
    table1-mg2-advantage: compatible
    table1-mg4-same: compatible
    table1-mg3-limited: compatible
    table1-mg3-considerable: contradicted
    table1-mg3-increase: contradicted
    table1-incomes-rise: contradicted
    equilibrium-optimal: compatible
    equilibrium-unique: contradicted
    equilibrium-exists: contradicted
    equilibrium-maximises: compatible
    fig7-volume: compatible
    fig7-volume-at-220: contradicted
    fig7-zero: compatible
    fig7-always: contradicted
    fig7-never-below: compatible
    fig7-adapts: not checkable
    fig7-for-all: contradicted
    conclusion-aggregators: contradicted
    conclusion-microgrids: contradicted
    fig8-rounds: not checkable
    fig8-efficiency: contradicted
    fig8-oscillating: contradicted
    fig8-lower: contradicted
    fig8-not-higher: compatible
    fig8-lower-from-any-start: contradicted
    fig8-consumption: contradicted
    fig8-falls-improved: compatible
    fig8-falls-traditional: contradicted
    fig8-rises: compatible
    fig8-low-cluster: compatible
    fig8-high-cluster: compatible
    fig9-curves: not checkable
    fig9-first: compatible
    fig9-residents: compatible
    fig9-second: compatible
    fig9-businesses: compatible
    protocol-consistent: contradicted
    signature-low-cost: not checkable
    signature-unconditional: contradicted
    signature-sigma: contradicted
    signature-length: contradicted
    signature-key-length: contradicted
    signature-unforgeable: compatible
    signature-transferable: contradicted
    signature-undeniable: contradicted
    signature-at-least-t: contradicted
    signature-keys-equal: compatible
    signature-keys-effective: contradicted
    signature-keys-unified: not checkable
    signature-operator: not checkable
    signature-tampered: compatible
    signature-later-verifiers: contradicted
    signature-broadcast: contradicted
    signature-witness: contradicted
    signature-cover: contradicted
    signature-cover-longer: contradicted
    signature-proved: contradicted
    ");
}

#[test]
fn every_id_is_given_once_and_every_verdict_is_counted() {
    let document = everything();
    let text = verdicts(document);
    let ids: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.split_once(": "))
        .collect();
    assert_eq!(ids.len(), text.lines().count());
    let counts = [document.claims_counted, document.cells_counted];
    let all = [
        Verdict::Reproduced,
        Verdict::Compatible,
        Verdict::Contradicted,
        Verdict::NotCheckable,
    ];
    let sums = counts.map(|count| {
        all.into_iter()
            .map(|verdict| count.of(verdict))
            .sum::<usize>()
    });
    assert_eq!(sums, [document.claims.len(), 24]);
}

#[test]
fn printed_outputs_add_up_to_450_550_and_650_kw() {
    let sums = TABLE1.map(|row| row.output_kw.iter().sum::<f64>());
    // four decimals are printed
    let expected = [450.0, 549.9999, 650.0];
    assert!(
        sums.iter()
            .zip(expected)
            .all(|(sum, expected)| (sum - expected).abs() < 1e-9),
        "{sums:?}"
    );
    let findings = everything().findings.as_ref().expect("asked for");
    assert_eq!(findings.output_sums_kw, sums);
}

#[test]
fn printed_rates_and_incomes_contradict_each_other_as_stated() {
    let findings = everything().findings.as_ref().expect("asked for");
    assert_eq!(format!("{:.2}", findings.rates[0][0]), "1.96");
    assert!(
        findings.two_way_residual < 0.018,
        "{}",
        findings.two_way_residual
    );
    assert_eq!(TABLE1[0].output_kw[0], FIG7_IMPROVED_KW);
}

#[test]
fn cells_of_ours_are_the_reference_results() {
    let reference: Value = serde_json::from_str(REFERENCE).expect("JSON");
    let table1 = everything().table1.as_ref().expect("asked for");
    for (d, row) in table1.cells.chunks(8).enumerate() {
        let microgrids = &reference["expected"]["results"][d]["microgrids"];
        for i in 0..4 {
            for (cell, key) in [(&row[i], "accepted_kw"), (&row[4 + i], "income")] {
                let expected = microgrids[i][key].as_f64().expect("a number");
                assert!(
                    (cell.ours - expected).abs() <= 1e-6,
                    "{}: {} and {expected}",
                    cell.id,
                    cell.ours
                );
            }
        }
    }
}

#[test]
fn what_was_imposed_is_never_reproduced() {
    for imposed in [
        Imposed::Input,
        Imposed::Target,
        Imposed::Penalty,
        Imposed::Chosen,
    ] {
        assert_eq!(Verdict::of_number(10.0, 10.0, imposed), Verdict::Compatible);
    }
    let document = everything();
    let met = document
        .claims
        .iter()
        .filter(|claim| claim.verdict == Verdict::Reproduced);
    assert!(met.into_iter().all(|claim| claim.imposed == Imposed::No));
}

#[test]
fn numbers_are_judged_by_distance_alone() {
    let check = |ours: f64, expected: Verdict| {
        assert_eq!(
            Verdict::of_number(100.0, ours, Imposed::No),
            expected,
            "{ours}"
        );
    };
    check(105.0, Verdict::Reproduced);
    check(95.0, Verdict::Reproduced);
    check(105.1, Verdict::Contradicted);
    assert!(within_tolerance(0.0, 0.0) && !within_tolerance(0.0, 0.01));
    assert_eq!(ranks([1.0, 4.0, 1.0, 2.0]), [2, 0, 3, 1]);
}

#[test]
fn buyers_sellers_and_aggregator_share_the_same_total_under_both_strategies() {
    let fig7 = everything().fig7.as_ref().expect("asked for");
    for share in &fig7.shares {
        assert!((share.total[0] - share.total[1]).abs() < 1e-9);
        assert!((share.total[0] - share.constant[0]).abs() < 1e-9);
    }
}

#[test]
fn one_market_has_two_equilibria_and_another_none_in_pure_bids() {
    let found = everything().uniqueness.as_ref().expect("asked for");
    assert!(found.several() && found.none());
    assert_eq!(
        found.cycle,
        [[0.4, 0.3], [0.3, 0.3], [0.3, 0.4], [0.4, 0.4], [0.4, 0.3]]
    );
    // rounding of shares in tenths
    assert!((found.grid_smallest_gain - 2.0).abs() < 1e-9);
}

#[test]
fn fewer_draws_survive_more_noise() {
    let found = everything().robustness.as_ref().expect("asked for");
    insta::assert_snapshot!(
        found.sizes.iter().map(|size| format!("{}: {} {}\n", size.noise, size.all, size.all_coefficients)).collect::<String>(),
        @r"
    0.0001: 60 60
    0.0003: 60 59
    0.001: 25 42
    0.003: 18 15
    "
    );
}

#[test]
fn same_input_gives_the_same_bytes() {
    let (one, other) = (everything(), &compute());
    assert_eq!(one.text(), other.text());
    assert_eq!(one.files(), other.files());
    let json = serde_json::to_string(one).expect("JSON");
    assert_eq!(json, serde_json::to_string(other).expect("JSON"));
    assert!(json.starts_with(&format!("{{\"schema\":\"{SCHEMA}\"")));
    assert!(!json.contains("null,null,null,null"));
}

#[test]
fn text_is_at_most_110_columns_wide_and_without_escapes() {
    let text = everything().text();
    for line in text.lines() {
        assert!(
            line.chars().count() <= 110 && !line.ends_with(' '),
            "{line:?}"
        );
    }
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn files_refer_to_nothing_outside_and_hold_no_nan() {
    for (name, content) in everything().files() {
        let content = content.replace("http://www.w3.org/2000/svg", "");
        for word in [
            "http:", "https:", "//", "src=", "@import", "<script", "NaN", "inf,", "Infinity",
        ] {
            assert!(!content.contains(word), "{name} contains {word}");
        }
        if name.ends_with(".html") {
            assert!(content.contains("A &amp; sons") && content.contains("a test &lt;script&gt;"));
            let links = content
                .match_indices("href=\"")
                .map(|(at, _)| &content[at + 6..at + 11]);
            assert!(
                links
                    .into_iter()
                    .all(|link| link.starts_with('#') || link == "data:"),
                "{name}"
            );
        }
    }
}

#[test]
fn files_are_named_once_and_tables_are_rectangular() {
    let files = everything().files();
    let names: BTreeMap<&str, usize> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.len()))
        .collect();
    assert_eq!(names.len(), files.len());
    let mut tables = 0;
    for (name, content) in files.iter().filter(|(name, _)| name.ends_with(".csv")) {
        // the reader refuses rows of unequal length
        let mut reader = csv::Reader::from_reader(content.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect(name)).collect();
        assert!(!rows.is_empty(), "{name}");
        tables += 1;
    }
    assert_eq!(tables, 39);
    for name in [
        "reproduce.html",
        "fig7-volume.svg",
        "fig8-improved.svg",
        "fig8-traditional.svg",
        "fig9-2.svg",
        "signature-bounds.svg",
        "signature-denials.svg",
        "signature-liveness.svg",
        "not-matching.csv",
    ] {
        assert!(names.contains_key(name), "{name}");
    }
}

#[test]
fn only_what_is_asked_for_is_computed() {
    let fig8 = reproduce(&[Figure::Fig8, Figure::Fig8], None).expect("the embedded case");
    assert!(fig8.table1.is_none() && fig8.fig7.is_none() && fig8.fig9.is_none());
    assert!(fig8.protocol.is_none() && fig8.signature.is_none());
    assert_eq!(fig8.figures, [Figure::Fig8]);
    assert!(fig8.claims.iter().all(|claim| claim.figure == Figure::Fig8));
    let fig9 = reproduce(&[Figure::Fig9], None).expect("the embedded case");
    assert_eq!(verdicts(&fig9), "fig9-curves: not checkable\n");
}

#[test]
fn the_summary_counts_every_claim_and_names_each_that_does_not_match() {
    let document = everything();
    let sum = |of: fn(&Counts) -> usize| document.figures_counted.iter().map(of).sum::<usize>();
    let all = document.claims_counted;
    assert_eq!(
        [
            sum(|one| one.reproduced),
            sum(|one| one.compatible),
            sum(|one| one.contradicted),
            sum(|one| one.not_checkable),
        ],
        [
            all.reproduced,
            all.compatible,
            all.contradicted,
            all.not_checkable
        ]
    );
    let files: BTreeMap<String, String> = document.files().into_iter().collect();
    for (name, verdict) in [
        ("not-matching.csv", Verdict::Contradicted),
        ("not-checkable.csv", Verdict::NotCheckable),
    ] {
        let mut reader = csv::Reader::from_reader(files[name].as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect(name)).collect();
        let named: Vec<&str> = rows.iter().map(|row| &row[0]).collect();
        let expected: Vec<&str> = document
            .claims
            .iter()
            .filter(|claim| claim.verdict == verdict)
            .map(|claim| claim.id.as_str())
            .collect();
        assert_eq!(named, expected, "{name}");
        assert!(rows.iter().all(|row| !row[2].is_empty()), "{name}");
    }
    let page = &files["reproduce.html"];
    for (at, _) in page.match_indices("href=\"#claim-") {
        let id = page[at + 7..].split('"').next().expect("closed");
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
    let one = reproduce(&[Figure::Fig8], None).expect("the embedded case");
    assert!(!one.text().contains("What does not match, and why"));
}

#[test]
fn the_printed_phases_break_and_the_corrected_ones_do_not_under_one_schedule() {
    let document = reproduce(&[Figure::Protocol], None).expect("the embedded case");
    let protocol = document.protocol.expect("it was asked for");
    assert_eq!(protocol.violated, "S1");
    assert!(protocol.agree && !protocol.explored.violated);
    assert!(protocol.explored.transitions > 1_000);
    let end = |lines: &[String]| lines.last().expect("a run has an end").clone();
    let (printed, corrected) = (end(&protocol.printed), end(&protocol.corrected));
    assert!(
        printed.contains("REFUNDED") && printed.contains("CONFIRMED"),
        "{printed}"
    );
    assert!(
        corrected.contains("REFUNDED") && corrected.contains("VOIDED"),
        "{corrected}"
    );
}

#[test]
fn curves_that_are_not_a_day_of_numbers_are_refused() {
    let check = |change: fn(&mut Fig9Data), message: &str| {
        let mut data = curves();
        change(&mut data);
        let error = reproduce(&[Figure::Fig9], Some(&data))
            .expect_err("refused")
            .to_string();
        assert_eq!(error, message);
    };
    check(
        |data| data.microgrids[1].pv_kw.truncate(23),
        "pv of \"B\" has 23 values of 60 min, which is not one day",
    );
    check(
        |data| data.interval_minutes = 0,
        "load of \"A & sons\" has 24 values of 0 min, which is not one day",
    );
    check(
        |data| data.microgrids[1].wind_kw[3] = f64::NAN,
        "wind of \"B\" has the value NaN kW",
    );
    check(
        |data| data.microgrids[0].load_kw[3] = -1.0,
        "load of \"A & sons\" has the value -1 kW",
    );
}
