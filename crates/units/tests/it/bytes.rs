//! Canonical bytes.

use proptest::prelude::*;
use tieline_units::{Digest, Encoder};

fn one_of_each() -> Encoder {
    let mut encoder = Encoder::new("tieline.test/1");
    encoder
        .u8(1)
        .u32(2)
        .u64(3)
        .i64(-4)
        .bytes(b"five")
        .text("sechs")
        .length(7)
        .raw(&[8, 9]);
    encoder
}

#[test]
fn the_encoding_is_pinned_by_its_hash() {
    let expected = [
        &[0, 0, 0, 14][..],
        b"tieline.test/1",
        &[1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc],
        &[0, 0, 0, 4],
        b"five",
        &[0, 0, 0, 5],
        b"sechs",
        &[0, 0, 0, 7, 8, 9],
    ]
    .concat();
    assert_eq!(one_of_each().as_bytes(), expected);
    assert_eq!(one_of_each().digest().to_string(), GOLDEN);
}

/// `sha256sum` of the bytes above.
const GOLDEN: &str = "44d55e00b2f00c22c4db20e4a5748b3eda7d040773389d648cae95637e2f2280";

#[test]
fn sha_256_is_the_standard_one() {
    // FIPS 180-4, the message "abc".
    assert_eq!(
        Digest::of(b"abc").to_string(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

#[test]
fn a_digest_is_read_back_from_exactly_its_text() {
    let digest = Digest::of(b"abc");
    let text = digest.to_string();
    assert_eq!(Digest::parse(&text), Some(digest));
    assert_eq!(Digest::parse(&text.to_uppercase()), None);
    assert_eq!(Digest::parse(&text[1..]), None);
    assert_eq!(Digest::parse(&text.replace('a', "g")), None);
}

proptest! {
    #[test]
    fn different_pairs_of_texts_have_different_bytes(left in ".{0,6}", right in ".{0,6}", other in ".{0,6}") {
        let bytes = |one: &str, two: &str| {
            let mut encoder = Encoder::new("pair");
            encoder.text(one).text(two);
            encoder.as_bytes().to_vec()
        };
        prop_assert_eq!(bytes(&left, &right) == bytes(&left, &other), right == other);
        // The border between two texts is part of the bytes.
        let joined = format!("{left}{right}");
        if !left.is_empty() {
            prop_assert_ne!(bytes(&left, &right), bytes("", &joined));
        }
    }
}
