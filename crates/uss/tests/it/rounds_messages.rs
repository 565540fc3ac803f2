//! Parts and offers as bytes: one form each, and everything else refused before it is opened.

use proptest::prelude::*;
use tieline_units::bytes::Digest;
use tieline_uss::family::Family;
use tieline_uss::parameters::Epoch;
use tieline_uss::party::Counter;
use tieline_uss::wire::{WireError, decode_offer, decode_part, encode_offer, encode_part};

use crate::rounds::families;
use crate::support::{Draft, FIRST, epoch, p, random};

/// SHA-256 of P2's part for P1 and of P1's offer, `lfsr128`, from generator seed 1.
const PINNED: [&str; 2] = [
    "870c614062aeab74f97730b70fc55d2a1954a78eaef84d34c2a91e1b0d437a3f",
    "8530caa27601bf2ae9c50a18194dee4ab43e07c578f2c73edd0081dfcb1ae3a9",
];

fn four(family: Family) -> Epoch {
    epoch((4, 1, 0), family, (3, &[0, 1]), 2)
}

#[test]
fn parts_and_offers_have_pinned_bytes_and_sizes() {
    let mut draft = Draft::new(four(Family::Lfsr128), &mut random(1));
    let offer = encode_offer(&draft.epoch, &draft.offers[0]);
    let epoch = draft.epoch.clone();
    let part = encode_part(&epoch, FIRST, draft.part(p(1), p(0)));
    assert_eq!(offer.len(), 32 + 12 * 16);
    assert_eq!(part.len(), 32 + (3 * (384 + 4_usize)).div_ceil(8));
    let found = [&part, &offer].map(|bytes| Digest::of(bytes).to_string());
    assert_eq!(found, PINNED);
}

#[test]
fn parts_and_offers_are_read_as_they_were_written_and_work() {
    for family in families() {
        let mut draft = Draft::new(four(family), &mut random(2));
        let epoch = draft.epoch.clone();
        for part in &mut draft.parts {
            let bytes = encode_part(&epoch, FIRST, part);
            let read = decode_part(&epoch, FIRST, &bytes).unwrap();
            assert_eq!(read, *part);
            *part = read;
        }
        for offer in &draft.offers {
            let bytes = encode_offer(&epoch, offer);
            assert_eq!(decode_offer(&epoch, &bytes).as_ref(), Ok(offer));
        }
        assert_eq!(draft.deliver(), []);
    }
}

#[test]
fn every_field_before_the_ciphertext_is_checked_by_name() {
    let mut draft = Draft::new(four(Family::Gf64), &mut random(3));
    let epoch = draft.epoch.clone();
    let bytes = encode_part(&epoch, FIRST, draft.part(p(1), p(0)));
    let changed = |place: usize, mask: u8| {
        let mut bytes = bytes.clone();
        bytes[place] ^= mask;
        decode_part(&epoch, FIRST, &bytes).err()
    };
    let header = |field, found| Some(WireError::Header { field, found });
    assert_eq!(changed(0, 2), header("version", 3));
    assert_eq!(changed(1, 3), header("kind", 2));
    assert_eq!(changed(9, 1), header("epoch", 6));
    assert_eq!(changed(13, 1), header("counter", 1));
    assert_eq!(changed(14, 4), header("sender", 5));
    assert_eq!(changed(15, 4), header("receiver", 4));
    assert_eq!(
        changed(16, 1),
        None,
        "the authenticator is checked when the part is opened"
    );
    let expected = bytes.len();
    for length in [0, 31, 32, expected - 1, expected + 1] {
        let mut cut = bytes.clone();
        cut.resize(length, 0);
        let error = WireError::Length {
            bytes: length,
            expected,
        };
        assert_eq!(decode_part(&epoch, FIRST, &cut).err(), Some(error));
    }
    let further = decode_part(&epoch, Counter(1), &bytes).err();
    assert!(
        matches!(further, Some(WireError::Length { .. })),
        "pads alone are shorter"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_as_their_one_form_or_refused(
        mut bytes in prop::collection::vec(any::<u8>(), 0..200),
        fits in any::<bool>(),
    ) {
        for family in families() {
            let epoch = four(family);
            for counter in [FIRST, Counter(1)] {
                if fits {
                    let bits = epoch.parameters().pads_bits();
                    bytes.resize(32 + bits.div_ceil(8), 7);
                    bytes[..14].copy_from_slice(&[1, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1]);
                }
                if let Ok(part) = decode_part(&epoch, counter, &bytes) {
                    prop_assert_eq!(encode_part(&epoch, counter, &part), bytes.clone());
                }
                if let Ok(offer) = decode_offer(&epoch, &bytes) {
                    prop_assert_eq!(encode_offer(&epoch, &offer), bytes.clone());
                }
            }
        }
    }
}
