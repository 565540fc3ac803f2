//! `tieline uss demo`: the story as text and JSON, and what is refused.

use crate::support::{Ran, tieline};

pub(crate) fn demo(arguments: &[&str]) -> Ran {
    let mut all = vec!["uss", "demo"];
    all.extend(arguments);
    tieline(&all)
}

#[test]
fn the_default_story_costs_grants_and_refuses_what_it_says() {
    insta::assert_snapshot!(demo(&["--seed", "1"]).expect(0).stdout, @r#"
    One unconditionally secure signature, step by step (simulated keys, seed 1)

    1. Parties
       gateway-1 signs. 8 receivers, verification nodes, test: P1 to P4 of chain-x, P5 to P8 of chain-y.
       At most ω = 2 of all these are dishonest: the signer and 1 receiver. The signature can be passed
       on once.

    2. The cheapest sizes that reach λ = 64 bits
       k = 182 hash functions per pair of receivers, of the family small-7-9: tags of 7 bits, each
       guessed with a probability of 2^-6.00.
       level   when                   a test forgives   tests needed
           1   first hand         0 wrong tags of 182         7 of 8
           0   passed on once    62 wrong tags of 182         6 of 8
          -1   in a dispute     151 wrong tags of 182         5 of 8

    3. Keys spent
       link                   links   bits each      bits   each further signature
       signer to receiver         8      56,784   454,272         10,192 bits each
       receiver to receiver      56       9,356   523,936          1,530 bits each
       in all                                     978,208
       Between receivers 256 bits each are for authentication. A further signature needs fresh pads only
       (batch mode). At 10 kbit/s of key the busiest link is ready again after 5.7 s.

    4. Distribution, and the split that is secret from the signer
       With each receiver the signer shares 1,456 functions: the bits that both have are the functions.
       Each receiver cuts its own at random in 8 parts of 182, keeps one and sends every other receiver
       one, encrypted: 56 parts of 9,100 bits. The signer knows all functions but not who tests which,
       so it cannot make a tag wrong for one receiver alone.
       All receipts are on the ledger: the epoch takes messages.

    5. Signing
       "offer of 40 kWh at 0.27 per kWh, 18:00 to 18:15", 127 bytes with chains, epoch, counter and
       signer.
       11,648 tags of 7 bits, 81,536 bits: 10,211 bytes with the header. The counter is recorded as
       spent before the signature leaves; asked for it again, the store says: counter 0 of epoch 1 is
       spent already.

    6. Every receiver tests by itself
       receivers   level 1: 7 of 8   level 0: 6 of 8   dispute: 5 of 8
       P1 to P8    accepts           accepts           accepts
       A receiver tells others only whether it accepts: which tests failed would give the split away.

    7. Passing it on
       P1 passes it on to P5, where level 0 is enough now: accepts, by its own test.
       A further one is refused (transfer 2: the committee allows 1).

    8. The signer denies it: a dispute
       The signer claims: not signed. Counted of 8 votes, until decided: 5 accept, 0 reject; more than
       half accept, so the signature is VALID. Recorded as a frivolous caller: the signer.

    9. What can still go wrong, with a probability of at most
       failure                                             bound   certain with dishonest
       a forgery is accepted at level 1               2^-1086.83   7 receivers
       a forgery is accepted at level 0                2^-550.40   6 receivers
       a forgery is accepted in a dispute               2^-64.66   5 receivers
       accepted at level 1, rejected at level 0         2^-64.21   signer, 2 receivers
       accepted at level 0, repudiated in a dispute     2^-64.63   signer, 2 receivers
       any of these: the scheme                         2^-62.90
       keys, 1e-15 per bit delivered                    2^-29.90
       authentication                                  2^-100.09
       the scheme on real links, end to end             2^-29.90
       The last line counts: how good the keys are decides, not the scheme.

    10. What this protects (+) and what not (-)
       + what each honest receiver believes from its own tests, against attackers of any computing
         power, as long as the bits are fresh QKD key
       + the signer and 1 dishonest receiver cannot deny what an honest receiver accepted
       - 5 dishonest receivers decide a dispute by themselves
       - certificates, tallies and the state of the chains rest on computational signatures
       - keys that pass through a relay or key manager that the signer controls lose the secret split
       - with 2 dishonest receivers beside a dishonest signer, honest receivers can be split
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one document")]
fn the_document_has_the_facts_of_the_text() {
    insta::assert_json_snapshot!(demo(&["--seed", "1", "--json"]).expect(0).json(), @r#"
    {
      "keys": "simulated keys",
      "schema": "tieline.uss-demo/1",
      "seed": 1,
      "setting": {
        "family": "small-7-9",
        "functions": 182,
        "guess_log2": -6.0,
        "lambda": 64,
        "levels": [
          {
            "forgiven": 0,
            "level": 1,
            "tests_needed": 7
          },
          {
            "forgiven": 62,
            "level": 0,
            "tests_needed": 6
          },
          {
            "forgiven": 151,
            "level": -1,
            "tests_needed": 5
          }
        ],
        "lmax": 1,
        "messages": 1,
        "omega": 2,
        "receivers": 8,
        "tag_bits": 7
      },
      "signature": {
        "as_documented": true,
        "bounds": {
          "authentication_log2": -100.09,
          "end_to_end_log2": -29.9,
          "forging": [
            {
              "colluders_needed": 7,
              "level": 1,
              "log2": -1086.83
            },
            {
              "colluders_needed": 6,
              "level": 0,
              "log2": -550.4
            },
            {
              "colluders_needed": 5,
              "level": -1,
              "log2": -64.66
            }
          ],
          "key_failure_per_bit": 0.000000000000001,
          "keys_log2": -29.9,
          "scheme_log2": -62.9,
          "transfers": [
            {
              "colluders_needed": 2,
              "from": 1,
              "log2": -64.21,
              "to": 0
            },
            {
              "colluders_needed": 2,
              "from": 0,
              "log2": -64.63,
              "to": -1
            }
          ]
        },
        "dispute": {
          "accepts": 5,
          "caller": "the signer",
          "claims_signed": false,
          "frivolous": "the signer",
          "outcome": "valid",
          "rejects": 0,
          "silent": [],
          "voters": 8
        },
        "distribution": {
          "functions_per_part": 182,
          "functions_per_receiver": 1456,
          "open": true,
          "part_bits": 9100,
          "parts_sent": 56
        },
        "does_not_protect": [
          "5 dishonest receivers decide a dispute by themselves",
          "certificates, tallies and the state of the chains rest on computational signatures",
          "keys that pass through a relay or key manager that the signer controls lose the secret split",
          "with 2 dishonest receivers beside a dishonest signer, honest receivers can be split"
        ],
        "keys_spent": {
          "link_bits_per_second": 10000,
          "receiver_to_receiver": {
            "authentication_bits_each": 256,
            "bits": 523936,
            "bits_each": 9356,
            "further_bits_each": 1530,
            "links": 56
          },
          "refill_seconds": 5.6784,
          "signer_to_receiver": {
            "authentication_bits_each": 0,
            "bits": 454272,
            "bits_each": 56784,
            "further_bits_each": 10192,
            "links": 8
          },
          "total_bits": 978208
        },
        "no_further_transfer": "transfer 2: the committee allows 1",
        "parties": {
          "chains": [
            {
              "name": "chain-x",
              "receivers": [
                "P1",
                "P2",
                "P3",
                "P4"
              ]
            },
            {
              "name": "chain-y",
              "receivers": [
                "P5",
                "P6",
                "P7",
                "P8"
              ]
            }
          ],
          "signer": "gateway-1"
        },
        "protects": [
          "what each honest receiver believes from its own tests, against attackers of any computing power, as long as the bits are fresh QKD key",
          "the signer and 1 dishonest receiver cannot deny what an honest receiver accepted"
        ],
        "results": {
          "needed": [
            {
              "level": 1,
              "tests": 7
            },
            {
              "level": 0,
              "tests": 6
            },
            {
              "level": -1,
              "tests": 5
            }
          ],
          "present": 8,
          "receivers": [
            {
              "accepts_at": 1,
              "receiver": "P1",
              "withheld": false
            },
            {
              "accepts_at": 1,
              "receiver": "P2",
              "withheld": false
            },
            {
              "accepts_at": 1,
              "receiver": "P3",
              "withheld": false
            },
            {
              "accepts_at": 1,
              "receiver": "P4",
              "withheld": false
            },
            {
              "accepts_at": 1,
              "receiver": "P5",
              "withheld": false
            },
            {
              "accepts_at": 1,
              "receiver": "P6",
              "withheld": false
            },
            {
              "accepts_at": 1,
              "receiver": "P7",
              "withheld": false
            },
            {
              "accepts_at": 1,
              "receiver": "P8",
              "withheld": false
            }
          ]
        },
        "signing": {
          "canonical_bytes": 127,
          "message": "offer of 40 kWh at 0.27 per kWh, 18:00 to 18:15",
          "same_counter_again": "counter 0 of epoch 1 is spent already",
          "signature_bits": 81536,
          "signature_bytes": 10211,
          "tags": 11648
        },
        "transfers": [
          {
            "accepted": true,
            "from": "P1",
            "level": 0,
            "to": "P5"
          }
        ]
      }
    }
    "#);
}

#[test]
fn what_cannot_be_is_refused_as_usage() {
    let cases: [(&[&str], &str); 8] = [
        (
            &["--attack", "guess"],
            "paper-repudiate, repudiate, forge, non-transfer",
        ),
        (&["--omega", "5"], "8 receivers with ω = 5"),
        (&["--receivers", "5"], "hint: more --receivers"),
        (&["--lambda", "600"], "1 to 512 are possible"),
        (&["--family", "md5"], "small, gf64, gf128, lfsr128"),
        (&["--message", &"x".repeat(1000)], "a message of 1000 bytes"),
        (
            &[
                "--attack",
                "non-transfer",
                "--receivers",
                "2",
                "--omega",
                "1",
                "--lmax",
                "0",
            ],
            "hint: raise --receivers",
        ),
        (&["--set", "market.response=fit"], "means nothing here"),
    ];
    for (arguments, words) in cases {
        let ran = demo(arguments).expect(2);
        assert!(ran.stderr.contains(words), "{words:?} in\n{}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
}
