//! The signature: counts of attacks, thresholds, bounds and keys, each against a formula or a count of the test's own.

use std::fs;

use tieline::reproduce::claim::{Attacks, NEGLIGIBLE_LOG2, Verdict};
use tieline::reproduce::signature::keys::Reading;
use tieline::reproduce::signature::liveness::least_share;
use tieline::reproduce::signature::{COMMITTEES, SECURITY_BITS, Signature};

use super::everything;
use crate::support::tieline;

fn found() -> &'static Signature {
    everything().signature.as_ref().expect("it was asked for")
}

fn attacks(runs: u32, succeeded: u32) -> Attacks {
    Attacks { runs, succeeded }
}

#[test]
fn security_is_judged_by_one_success_or_by_a_bound() {
    let check = |succeeded: u32, bound: Option<f64>, expected: Verdict| {
        let verdict = Verdict::of_security(attacks(100, succeeded), bound);
        assert_eq!(verdict, expected, "{succeeded} {bound:?}");
    };
    check(1, None, Verdict::Contradicted);
    check(1, Some(-1000.0), Verdict::Contradicted);
    check(0, Some(NEGLIGIBLE_LOG2), Verdict::Compatible);
    check(0, Some(NEGLIGIBLE_LOG2 + 0.1), Verdict::NotCheckable);
    check(0, None, Verdict::NotCheckable);
}

#[test]
fn every_printed_signature_can_be_denied_and_none_of_ours_was() {
    assert_eq!(found().denials.len(), COMMITTEES.len());
    for one in &found().denials {
        assert_eq!(one.printed, attacks(200, 200), "{one:?}");
        assert_eq!(one.ours, attacks(20, 0), "{one:?}");
        assert_eq!(one.friend_passed, u32::from(one.receivers), "{one:?}");
        assert_eq!(one.others_passed, 0, "{one:?}");
        // the bound's own rounding
        assert!(one.bound_log2 <= 1e-9 - f64::from(SECURITY_BITS), "{one:?}");
    }
    for one in &found().tampering {
        assert_eq!(one.attacks, attacks(50, 0), "{one:?}");
        assert_eq!(
            one.to_guess,
            u32::from(one.receivers).div_ceil(2) + one.tolerated
        );
    }
}

/// Expected: 2 / C(2k, k), k wrong tags that all fall to one of two receivers.
#[test]
fn denials_by_chance_are_as_frequent_as_counted_and_below_the_bound() {
    for one in &found().chances {
        let k = u64::from(one.functions);
        let ways: u64 = (0..k).fold(1, |ways, i| ways * (2 * k - i) / (i + 1));
        let expected = 2.0 / ways as f64;
        // logarithms carry the reference there and back
        assert!((one.expected - expected).abs() < 1e-12, "{one:?}");
        assert!((one.bound - 2.0 * expected).abs() < 1e-12, "{one:?}");
        let runs = f64::from(one.attacks.runs);
        let deviation = (expected * (1.0 - expected) / runs).sqrt();
        let off = (one.attacks.rate() - expected).abs();
        // the seed is fixed, so nothing is left to chance; five deviations are what a mistake would exceed
        assert!(off < 5.0 * deviation, "{one:?}");
        assert!(one.attacks.succeeded > 0, "{one:?}");
        assert!(one.attacks.rate() < one.bound, "{one:?}");
    }
}

#[test]
fn one_threshold_parts_verifiers_and_thresholds_by_level_do_up_to_t() {
    let runs = &found().transfers;
    assert_eq!(runs.len(), 4);
    for one in runs {
        assert_eq!(one.one_threshold, attacks(10, 10), "{one:?}");
        let beyond = one.helpers > one.tolerated;
        assert_eq!(
            one.levels,
            attacks(10, if beyond { 10 } else { 0 }),
            "{one:?}"
        );
        assert_eq!(one.needed_first - one.needed_later, one.tolerated);
        assert_eq!(one.bound_log2.is_none(), beyond);
    }
}

/// Expected: n - t tests against n/2 + 2t, in halves; floor(n/6) and the largest t below n/6 and n/4.
#[test]
fn thresholds_are_those_of_equation_11() {
    for row in &found().liveness {
        let (n, t) = (u32::from(row.receivers), u32::from(row.admitted));
        assert!(4 * t < n && 4 * (t + 1) >= n, "{row:?}");
        assert_eq!(row.passed, n - t, "{row:?}");
        assert_eq!(row.accepted, 2 * (n - t) >= n + 4 * t, "{row:?}");
        assert_eq!(u32::from(row.live_printed), n / 6, "{row:?}");
        assert_eq!(row.live_once, (n - 1) / 6, "{row:?}");
        assert_eq!(row.live_never, (n - 1) / 4, "{row:?}");
        // a majority would have been enough everywhere: it is the 2(1 - σ)n that refuses
        assert!(2 * row.passed > n, "{row:?}");
    }
    let refused: Vec<u8> = (found().liveness.iter())
        .filter(|row| !row.accepted)
        .map(|row| row.receivers)
        .collect();
    assert_eq!(refused, [5, 9, 10, 11, 13, 14, 15, 16]);
    assert!((least_share(&found().liveness) - 5.0 / 6.0).abs() < 1e-12);
}

#[test]
fn honest_signatures_of_ours_are_accepted_beside_t_dishonest_receivers_and_not_beside_more() {
    let accepting: Vec<[u32; 3]> = (found().live_runs.iter())
        .map(|run| [run.dishonest, run.accepting, run.honest])
        .collect();
    assert_eq!(accepting, [[1, 7, 7], [2, 0, 6], [2, 12, 12], [3, 0, 11]]);
}

/// Expected: the sizes that `crates/uss/README.md` has from `tieline uss bounds`.
#[test]
fn bounds_and_sizes_are_those_of_the_search() {
    let sizes: Vec<_> = (found().numbers.iter())
        .map(|one| {
            let needed = [
                one.signer_to_receiver_bits[1],
                one.receiver_to_receiver_bits[1],
                one.signature_bits[1],
            ];
            (one.receivers, one.functions, needed)
        })
        .collect();
    assert_eq!(
        sizes,
        [
            (4, 64, [10_752, 3_200, 8_192]),
            (8, 182, [56_784, 9_100, 81_536]),
            (14, 188, [102_648, 9_588, 257_936]),
        ]
    );
    for (one, [short, long]) in found().numbers.iter().zip(&found().measured_bits) {
        // a header of 19 bytes and whole bytes
        assert_eq!(*short, 8 * (19 + one.signature_bits[1].div_ceil(8)));
        assert_eq!(short, long);
        assert_eq!(one.printed_receivers_log2, -2.0 * f64::from(one.receivers));
        assert_eq!(one.printed_message_log2, -16_384.0);
        assert!(one.sum_log2 >= one.denial_log2 && one.end_to_end_log2 > one.sum_log2);
    }
}

#[test]
fn security_rises_with_functions_and_not_with_receivers_or_length() {
    for (receivers, ..) in COMMITTEES {
        let points: Vec<_> = (found().reached.iter())
            .filter(|point| point.receivers == receivers)
            .collect();
        assert_eq!(points.len(), 16);
        for pair in points.windows(2) {
            assert!(pair[0].functions < pair[1].functions, "{pair:?}");
            assert!(pair[0].denial_log2 > pair[1].denial_log2, "{pair:?}");
        }
        for point in points {
            assert!(point.worst_log2 <= 1e-9 - f64::from(point.security_bits));
        }
    }
    for one in &found().lengths {
        assert_eq!(one.printed, attacks(50, 50), "{one:?}");
        assert_eq!(one.printed_log2, -16.0 * one.message_bytes as f64);
        assert!((-66.0..-64.0).contains(&one.bound_log2), "{one:?}");
    }
}

#[test]
fn keys_of_formula_17_are_equal_for_strangers_too() {
    let found = &found().keys;
    let readings: Vec<Reading> = found.iter().map(|one| one.reading).collect();
    assert_eq!(
        readings,
        [Reading::Unrelated, Reading::Product, Reading::Power]
    );
    assert_eq!(
        found.iter().map(|one| one.agree).collect::<Vec<_>>(),
        [0, 200, 200]
    );
    let overheard: Vec<_> = found.iter().map(|one| one.overheard).collect();
    assert_eq!(overheard, [None, Some(attacks(200, 200)), None]);
    let intercepted: Vec<u32> = found.iter().map(|one| one.intercepted.succeeded).collect();
    assert_eq!(intercepted, [0, 200, 200]);
}

/// Expected: of t_1, t_2 in 1..=4 and t from the larger of them to 8, those with t above t_1 + t_2.
#[test]
fn formula_16_refuses_votes_of_all_where_its_settings_add_up_to_too_little() {
    let settings = (1..=4_u32).flat_map(|one| (1..=4).map(move |other| (one, other)));
    let (all, refused) = settings.fold((0, 0), |(all, refused), (one, other)| {
        (all + 9 - one.max(other), refused + (8 - one - other))
    });
    let it = found().thresholds;
    assert_eq!((it.settings, it.refused_printed), (all, refused));
    assert_eq!(it.refused_counted, 0);
}

/// Expected: 4! orders of four tags for either message, and 1/√4 as Simmons's bound for keys of two bits.
#[test]
fn functions_as_short_as_their_tags_are_given_away_by_one_signature() {
    let it = found().short_keys;
    assert_eq!(it.families, 1 << 16);
    assert_eq!(it.given_away, attacks(576, 576));
    assert_eq!(it.best_of_four, 2);
}

#[test]
fn the_command_writes_page_tables_and_plots_of_the_signature_alone() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("signature");
    let arguments = [
        "reproduce",
        "signature",
        "--out",
        out.to_str().unwrap(),
        "--json",
    ];
    let document = tieline(&arguments).expect(0).json();
    assert_eq!(document["schema"], "tieline.reproduce/1");
    assert_eq!(document["figures"], serde_json::json!(["signature"]));
    assert_eq!(document["signature"]["seed"], 2022);
    assert_eq!(
        document["signature"]["denials"][1]["printed"],
        serde_json::json!({"runs": 200, "succeeded": 200})
    );
    assert_eq!(document["corrections"].as_array().unwrap().len(), 13);
    assert!(document["table1"].is_null() && document["protocol"].is_null());
    let mut names: Vec<String> = fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    insta::assert_snapshot!(names.join("\n"), @r"
    claims.csv
    reproduce.html
    rule.csv
    signature-bounds.csv
    signature-bounds.svg
    signature-chances.csv
    signature-corrections.csv
    signature-denials.csv
    signature-denials.svg
    signature-keys.csv
    signature-lengths.csv
    signature-live-runs.csv
    signature-liveness.csv
    signature-liveness.svg
    signature-reached.csv
    signature-sizes.csv
    signature-tampering.csv
    signature-transfers.csv
    ");
    let help = tieline(&["reproduce", "--help"]).expect(0).stdout;
    assert!(help.contains("signature"), "{help}");
    assert!(help.contains("one summary"), "{help}");
}
