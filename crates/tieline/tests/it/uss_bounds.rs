//! `tieline uss bounds`: what it prints, how it ends.

use crate::support::{root, tieline};

fn text(arguments: &[&str]) -> String {
    let mut all = vec!["uss", "bounds"];
    all.extend(arguments);
    tieline(&all).expect(0).stdout
}

fn refused(code: i32, arguments: &[&str], says: &[&str]) {
    let mut all = vec!["uss", "bounds"];
    all.extend(arguments);
    let ran = tieline(&all).expect(code);
    for part in says {
        assert!(ran.stderr.contains(part), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn the_shipped_committee_is_printed_with_parameters_key_and_bounds() {
    insta::assert_snapshot!(text(&["-n", "8"]), @r#"
    committee: n = 8, omega = 2, l_max = 1
      secure beside a dishonest signer, and live beside an honest one, with 1 dishonest of 8 receivers

    parameters: family small, messages of up to 1024 bytes, lambda = 64
      k = 182 functions per pair, b = 7 bits of tag, y = 39 bits of description (s = 9), epsilon = 2^-6.00
      u = 0, 62, 151 mismatches forgiven from level 1 down to -1

    key of each pair, authentication left out:
      signer-receiver             56784 bits,      10192 per further message
      receiver-receiver            9100 bits,       1274 per further message
      signature                   81536 bits
      epoch, all pairs           963872 bits

    bounds, 1 message(s), 0 further attempt(s) each:
      forging at level 1           2^-1086.83   tight 2^-5454.83; takes 7 of 8 tests, or as many colluders
      forging at level 0           2^-550.40    tight 2^-2215.80; takes 6 of 8 tests, or as many colluders
      forging of a dispute         2^-64.66     tight 2^-202.59; takes 5 of 8 tests, or as many colluders
      transfer, level 1 to 0       2^-64.21     for one block 2^-72.41
      repudiation, level 0 to -1   2^-64.63     for one block 2^-72.83
      worst                        2^-64.21
      sum                          2^-62.90     the scheme alone
      end to end                   2^-29.90     with keys that fail at 1e-15 per bit
      The last line counts: how good the keys are decides, not the scheme.
    "#);
}

const JSON: [&str; 9] = [
    "-n", "4", "--omega", "2", "--lmax", "0", "--family", "gf64", "--json",
];

#[test]
fn the_json_document_has_every_number_and_a_schema() {
    let printed = text(&JSON);
    insta::assert_snapshot!(printed, @r#"
    {
      "schema": "tieline.uss-bounds/1",
      "n": 4,
      "omega": 2,
      "l_max": 0,
      "live": false,
      "unusable_because": null,
      "dishonest_receivers": 1,
      "dishonest_receivers_live_max": 0,
      "family": "gf64",
      "message_bytes": 1024,
      "lambda": 64,
      "messages": 1,
      "attempts": 0,
      "k": 39,
      "b": 64,
      "y": 128,
      "s": 0,
      "epsilon_log2": -56.9887,
      "levels": [
        {
          "level": 0,
          "budget": 0,
          "tests_needed": 4,
          "test_passed_log2": -2222.5621,
          "forging_log2": -2220.5621,
          "forging_tight_log2": -4444.1242,
          "colluders_needed": 4
        },
        {
          "level": -1,
          "budget": 37,
          "tests_needed": 3,
          "test_passed_log2": -104.4442,
          "forging_log2": -102.4442,
          "forging_tight_log2": -102.4442,
          "colluders_needed": 3
        }
      ],
      "transfers": [
        {
          "from": 0,
          "to": -1,
          "block_differs_log2": -69.2049,
          "block_differs_simple_log2": -49.3762,
          "failure_log2": -65.035
        }
      ],
      "key": {
        "signer_to_receiver_bits": 19968,
        "signer_to_receiver_bits_per_further_message": 9984,
        "receiver_to_receiver_bits": 5304,
        "receiver_to_receiver_bits_per_further_message": 2496,
        "signature_bits": 39936,
        "epoch_bits": 143520,
        "epoch_authenticated_messages": 28
      },
      "worst_log2": -65.035,
      "sum_log2": -65.035,
      "end_to_end": {
        "kappa_per_bit": 1e-15,
        "keys_log2": -32.6277,
        "authentication_log2": -102.1926,
        "sum_log2": -32.6277
      }
    }
    "#);
}

#[test]
fn a_committee_that_is_not_live_is_told_so() {
    let printed = text(&[
        "-n", "7", "--omega", "3", "--lmax", "0", "--family", "gf128",
    ]);
    assert!(
        printed.contains("NOT live with more than 1: that takes 9 receivers"),
        "{printed}"
    );
}

/// The published names of families, and 256 KiB.
#[test]
fn opt_is_another_name_of_the_small_family() {
    let size = ["--message-bytes", "262144"];
    let printed = |family| {
        text(&[
            "-n", "16", "--omega", "4", "--lmax", "0", "--family", family, size[0], size[1],
        ])
    };
    assert_eq!(printed("opt"), printed("small"));
    assert!(
        printed("small").contains("k = 59 functions"),
        "{}",
        printed("small")
    );
}

#[test]
fn given_parameters_are_checked_and_end_with_1_when_they_do_not_reach_the_level() {
    let given = ["-n", "8", "--family", "gf64", "--k", "121", "--budgets"];
    let with = |budgets: &str, more: &[&str]| {
        let mut all = vec!["uss", "bounds"];
        all.extend(given);
        all.push(budgets);
        all.extend(more);
        tieline(&all)
    };
    let searched = text(&["-n", "8", "--family", "gf64"]);
    assert_eq!(with("0,58,119", &[]).expect(0).stdout, searched);
    let ran = with("0,57,119", &[]).expect(1);
    assert!(
        ran.stdout.contains("transfer, level 1 to 0"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stderr.contains("do not reach 64 bits"),
        "{}",
        ran.stderr
    );
    let ran = with("0,58", &[]).expect(2);
    assert!(ran.stderr.contains("makes 3"), "{}", ran.stderr);
    let ran = with("0,58,119", &["--tag-bits", "7"]).expect(2);
    assert!(ran.stderr.contains("--tag-bits 7"), "{}", ran.stderr);
    let small = ["-n", "8", "--k", "182", "--budgets", "0,62,151"];
    refused(
        2,
        &small,
        &["leaves the tag's length open", "\n\nhint: add --tag-bits"],
    );
    let mut seven = small.to_vec();
    seven.extend(["--tag-bits", "7"]);
    assert_eq!(text(&seven), text(&["-n", "8"]));
}

#[test]
fn wrong_values_end_with_2_and_name_the_next_step() {
    refused(
        2,
        &["-n", "1"],
        &["1 receivers: 2 to 128", "\n\nhint: -n 2"],
    );
    refused(
        2,
        &["-n", "4", "--omega", "3"],
        &["n", "more than 8", "\n\nhint: leave --omega out"],
    );
    refused(
        2,
        &["-n", "5", "--omega", "3", "--lmax", "0"],
        &["decide a dispute", "hint"],
    );
    refused(
        2,
        &["-n", "8", "--lmax", "63"],
        &["at most 62", "\n\nhint: lower --lmax"],
    );
    refused(
        2,
        &["-n", "8", "--lambda", "0"],
        &["1 to 512", "\n\nhint: change --lambda"],
    );
    refused(
        2,
        &["-n", "8", "--message-bytes", "0"],
        &["--message-bytes"],
    );
    refused(2, &["-n", "8", "--messages", "0"], &["--messages"]);
    refused(2, &["-n", "8", "--kappa", "2"], &["--kappa 2", "1e-15"]);
    refused(
        2,
        &["-n", "8", "--family", "sha256"],
        &["small", "gf64", "gf128", "lfsr128"],
    );
    refused(2, &["-n", "8", "--k", "9"], &["--budgets"]);
    refused(
        2,
        &["-n", "8", "--seed", "1"],
        &["--seed means nothing here"],
    );
    refused(2, &[], &["--receivers"]);
}

#[test]
fn what_no_parameters_reach_ends_with_1() {
    let many = ["-n", "20", "--omega", "1", "--lmax", "40"];
    refused(
        1,
        &many,
        &["no parameters", "8192", "\n\nhint: lower --lmax"],
    );
}

/// The tables of docs/signature-bounds.md: each row's command prints the row's numbers.
#[test]
fn the_document_shows_what_its_commands_print() {
    let document = std::fs::read_to_string(root().join("docs/signature-bounds.md")).unwrap();
    let mut rows = 0;
    for line in document.lines().filter(|line| line.starts_with("| ")) {
        let Some((_, command)) = line
            .split_once("`tieline uss bounds ")
            .or(line.split_once("`… -n"))
        else {
            continue;
        };
        let flags = command.split('`').next().unwrap();
        let flags = if line.contains("`… -n") {
            format!("-n{flags}")
        } else {
            flags.to_owned()
        };
        let arguments: Vec<&str> = flags.split(' ').filter(|flag| !flag.is_empty()).collect();
        let printed = text(&arguments);
        let cells: Vec<String> = line
            .split('|')
            .map(|cell| cell.trim().replace(',', ""))
            .collect();
        let expected = if cells[1].starts_with("n =") {
            vec![
                cells[1]
                    .replace(" ω", ", omega")
                    .replace(" l_max", ", l_max"),
                format!("{}     the scheme alone", cells[2]),
                format!("{}     with keys", cells[3]),
            ]
        } else {
            vec![
                format!("lambda = {}", cells[1]),
                format!(
                    "n = {}, omega = {}, l_max = {}",
                    cells[2], cells[3], cells[4]
                ),
                format!("family {}", cells[5]),
                format!(
                    "k = {} functions per pair, b = {} bits of tag, y = {} bits",
                    cells[6], cells[7], cells[8]
                ),
                format!("u = {} mismatches", cells[9].replace(' ', ", ")),
                format!(" {} bits,", cells[10]),
                format!(" {} bits,", cells[11]),
                format!(" {} bits", cells[12]),
            ]
        };
        for part in expected {
            assert!(printed.contains(&part), "{line}: {part}\n{printed}");
        }
        rows += 1;
    }
    assert_eq!(rows, 10);
}
