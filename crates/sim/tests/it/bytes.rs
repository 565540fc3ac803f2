//! Canonical bytes of everything that is signed, sent or stored: pinned, strict, bounded.

mod attacks;
mod bounds;
mod domains;
mod example;
mod records;
mod table;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use tieline_units::{DecodeError, Digest};

use table::{Sample, derived, samples};

#[test]
fn every_encoding_and_every_hash_is_pinned() {
    let encodings = samples().into_iter().map(|sample| {
        let digest = Digest::of(&sample.bytes);
        format!("{digest} {:>6} {}\n", sample.bytes.len(), sample.name)
    });
    let hashes = derived()
        .into_iter()
        .map(|(name, hash)| format!("{hash}      - {name}\n"));
    let found: String = encodings.chain(hashes).collect();
    let pinned = include_str!("bytes/golden.txt");
    assert!(
        found == pinned,
        "an encoding changed: bump its version, or tests/it/bytes/golden.txt becomes\n{found}"
    );
}

#[test]
fn every_canonical_type_and_variant_has_a_sample() {
    let names: BTreeSet<String> = samples().into_iter().map(|sample| sample.name).collect();
    let has = |name: &str| {
        let same = |sample: &String| {
            sample
                .strip_prefix(name)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
        };
        assert!(names.iter().any(same), "no sample of {name}");
    };
    for (_, source) in domains::SOURCES {
        for (at, _) in source.match_indices("canonical!(") {
            has(word(&source[at + "canonical!(".len()..]));
        }
        for (at, _) in source.match_indices("canonical_enum!(") {
            let body = &source[at + "canonical_enum!(".len()..];
            let body = &body[..body.find(");").unwrap()];
            let kind = word(body);
            for (arrow, _) in body.match_indices("=> ") {
                has(&format!("{kind}::{}", word(&body[arrow + 3..])));
            }
        }
    }
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric());
    &text[..end.unwrap_or(text.len())]
}

#[test]
fn no_part_of_an_encoding_is_one_and_nothing_may_follow_it() {
    for Sample { name, bytes, again } in samples() {
        for end in 0..bytes.len() {
            let error = again(&bytes[..end]).unwrap_err();
            assert!(
                matches!(error, DecodeError::Ends { .. }),
                "{name} {end}: {error}"
            );
        }
        for next in [0, 1, 0xff] {
            let longer = [&bytes[..], &[next]].concat();
            let expected = DecodeError::Trailing {
                at: bytes.len(),
                count: 1,
            };
            assert_eq!(again(&longer), Err(expected), "{name}");
        }
    }
}

/// The same table for every case.
static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(samples);

/// Other bytes are refused, or another value that encodes to just these bytes.
fn strict(sample: &Sample, changed: &[u8]) {
    if let Ok(again) = (sample.again)(changed) {
        assert!(again == changed, "{}: two encodings", sample.name);
    }
}

#[test]
fn a_changed_byte_is_refused_or_another_value() {
    for sample in samples() {
        // Behind the first thousand bytes come keys and signatures, of which any bytes do.
        for at in 0..sample.bytes.len().min(1_000) {
            for mask in [0x01, 0x20, 0x80] {
                let mut changed = sample.bytes.clone();
                changed[at] ^= mask;
                strict(&sample, &changed);
            }
        }
    }
}

#[test]
fn no_two_samples_of_one_type_share_their_bytes() {
    let mut seen = std::collections::BTreeMap::new();
    for Sample { name, bytes, .. } in samples() {
        let kind = word(&name).to_owned();
        let before = seen.insert((kind, bytes), name.clone());
        assert_eq!(before, None, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn bytes_changed_cut_and_put_in_are_refused_or_another_value(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..6),
    ) {
        let sample = which.get(&SAMPLES);
        let mut changed = sample.bytes.clone();
        for (at, byte, how) in edits {
            if changed.is_empty() {
                break;
            }
            let at = at.index(changed.len());
            match how {
                0 => changed[at] = byte,
                1 => changed[at] ^= 1 << (byte % 8),
                2 => changed.insert(at, byte),
                _ => drop(changed.remove(at)),
            }
        }
        strict(sample, &changed);
    }
}
