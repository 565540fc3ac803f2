//! `tieline uss demo --attack`: every attack, with how it ends.

use crate::uss_demo::demo;

/// An attack ends as documented, and says so in these words.
fn check(attack: &str, more: &[&str], words: &[&str]) {
    let mut arguments = vec!["--attack", attack];
    arguments.extend(more);
    let ran = demo(&arguments).expect(0);
    let flat = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in words {
        assert!(
            flat.contains(words),
            "{attack}: {words:?} in\n{}",
            ran.stdout
        );
    }
    assert!(flat.contains("As documented:"), "{}", ran.stdout);
    let wide = ran.stdout.lines().find(|line| line.chars().count() > 100);
    assert_eq!(wide, None, "{attack}");
}

#[test]
fn the_papers_scheme_is_always_repudiated() {
    let words = [
        "P1 8 of 8 6 accepts P2 to P8 0 of 8 6 rejects",
        "the signature is INVALID",
        "200 200 1.0000 1.0000 1.0000",
    ];
    check("paper-repudiate", &[], &words);
}

#[test]
fn on_our_scheme_the_same_signer_is_caught() {
    let words = [
        "P1 to P8 rejects rejects rejects",
        "P1 complains about P2: both are out; P3 complains about P4: both are out. The epoch is frozen",
    ];
    check("repudiate", &[], &words);
}

#[test]
fn measured_repudiation_with_few_functions_stays_below_the_bound() {
    let document = demo(&["--attack", "repudiate", "--json"]).expect(0).json();
    let rows = document["attack"]["scenes"][2]["facts"][1]["rows"].clone();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 3);
    for row in rows {
        let number = |key: &str| row[key].as_f64().unwrap();
        let (rate, expected) = (number("successes") / number("trials"), number("expected"));
        assert!(rate <= number("bound"), "{row}");
        // Five standard deviations of a thousand trials.
        let deviation = (expected * (1.0 - expected) / number("trials")).sqrt();
        assert!((rate - expected).abs() < 5.0 * deviation, "{row}");
    }
}

#[test]
fn forging_fails_for_omega_and_succeeds_from_the_thresholds_on() {
    let words = [
        "2 fails fails fails invalid",
        "4 fails fails fails invalid",
        "5 fails fails FORGED valid",
        "6 fails FORGED FORGED valid",
        "7 FORGED FORGED FORGED valid",
    ];
    check("forge", &[], &words);
}

#[test]
fn a_signer_splits_receivers_with_one_helper_more_than_is_tolerated() {
    let words = [
        "No split: whatever P1 to P4 accept at level 1, P5 to P7 accept at level 0.",
        "Split: P1 to P3 accept at level 1, and P4 to P6 reject at level 0.",
    ];
    check("non-transfer", &[], &words);
}

#[test]
fn an_old_counter_convicts_the_signer_and_burns_nothing() {
    let words = [
        "counter 0 of epoch 1 is spent already",
        "epoch 1 is meant, this is epoch 2",
        "counter 0 was evaluated with other bytes; nothing is tested twice",
        "the signer signed two messages under counter 0; the epoch is frozen",
        "the signature is VALID",
    ];
    check("replay", &[], &words);
}

#[test]
fn probing_ends_at_omega_complaints() {
    let words = [
        "both are out; frozen",
        "2 complaints: the signer is dishonest, or more receivers",
        "VALID",
        "no verdict no verdict no verdict",
    ];
    check("probe", &[], &words);
    let document = demo(&["--attack", "probe", "--json"]).expect(0).json();
    let rows = &document["attack"]["scenes"][0]["facts"][1]["rows"];
    let complaints = rows.as_array().unwrap().iter();
    assert_eq!(
        complaints.filter(|row| !row["complaint"].is_null()).count(),
        2
    );
}

#[test]
fn a_part_or_receipt_that_never_comes_stops_nothing() {
    let words = [
        "P8 sends P1 no part.",
        "P1 complains about P8: both are out.",
        "P2 to P7 accepts accepts accepts",
        "P1 to P8 accepts accepts accepts",
    ];
    check("withhold", &[], &words);
}

#[test]
fn with_omega_one_a_missing_part_freezes_the_epoch() {
    let committee = ["--receivers", "4", "--omega", "1", "--lmax", "0"];
    let words = [
        "1 complaint: the signer is dishonest, or a receiver is",
        "nothing is lost but time",
    ];
    check("withhold", &committee, &words);
}

#[test]
fn silence_in_a_dispute_delays_and_gains_nothing() {
    let words = [
        "5 accept, 0 reject, P8 silent",
        "4 accept, 0 reject, P5 to P8 silent",
        "stays OPEN until they speak",
        "5 accept, 0 reject, P6 to P8 silent",
    ];
    check("silence", &[], &words);
}

#[test]
fn a_changed_bit_is_refused_or_rejected_or_costs_one_test() {
    let words = [
        "P1 cannot send this",
        "a signature of 10210 bytes; this epoch's have 10211",
        "the signature's number of functions is 183, this epoch's is 182",
        "P1 to P8 rejects rejects rejects",
        "P1 to P8 accepts accepts accepts",
    ];
    check("tamper", &[], &words);
}

#[test]
fn attacks_end_as_documented_in_other_committees_and_families_too() {
    let attacks = [
        "paper-repudiate",
        "repudiate",
        "forge",
        "non-transfer",
        "replay",
        "probe",
        "withhold",
        "silence",
        "tamper",
    ];
    let one = [
        "--receivers",
        "4",
        "--omega",
        "1",
        "--lmax",
        "0",
        "--lambda",
        "40",
    ];
    let odd = [
        "--receivers",
        "7",
        "--omega",
        "2",
        "--lmax",
        "0",
        "--family",
        "gf64",
        "--seed",
        "9",
    ];
    for attack in attacks {
        check(attack, &one, &[]);
        check(attack, &odd, &[]);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_does_not() {
    let probe = |seed: &str| {
        demo(&["--attack", "probe", "--seed", seed])
            .expect(0)
            .stdout
    };
    assert_eq!(probe("3"), probe("3"));
    assert_ne!(probe("3"), probe("4"));
}

#[test]
fn where_chance_wins_the_exit_code_says_so() {
    // With λ = 1 a colluder among three receivers forges now and then.
    let lost = (1..=20).map(|seed| {
        let seed = seed.to_string();
        let committee = ["--receivers", "3", "--omega", "1", "--lmax", "0"];
        let mut arguments = vec!["--attack", "forge", "--lambda", "1", "--seed", &seed];
        arguments.extend(committee);
        demo(&arguments)
    });
    let lost = lost.into_iter().find(|ran| ran.code != 0);
    let lost = lost.expect("one of twenty").expect(1);
    assert!(lost.stdout.contains("NOT as documented"), "{}", lost.stdout);
    assert!(lost.stderr.contains("\n\nhint: "), "{}", lost.stderr);
}
