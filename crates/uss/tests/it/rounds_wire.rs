//! Bytes on the wire: one encoding per value, pinned, and everything else refused.

use proptest::prelude::*;
use tieline_units::bytes::Digest;
use tieline_uss::channel::Canonical;
use tieline_uss::dispute::{Ballot, Call, Vote};
use tieline_uss::distribute::Receipt;
use tieline_uss::epoch::{Complaint, Grounds};
use tieline_uss::family::Family;
use tieline_uss::party::{Counter, EpochId};
use tieline_uss::signature::{DecodeError, Signature, SignedMessage};

use crate::rounds::families;
use crate::support::{FIRST, HEADER_BYTES, World, epoch, p, random};

/// SHA-256 of a signature's wire form and of the signed message's canonical bytes, by family, from generator seed 1.
const SIGNATURES: [(&str, &str); 4] = [
    (
        "50a5ff06f30aa32a833d43a14c28d2d3acec0fb0c14a9040944a6aa1f650ef72",
        "ef3105a08e510b35447a6e935e9c2c55966dda2367158df04ee43e5a877043e7",
    ),
    (
        "09a57810b8b5a32c50348dd88c8b815b5b5f012f050402c377076a81f826a3f6",
        "6bd4b24a361f66122017a5691fc989fa0b11041b90ca4fca4b1671b7cfb993c4",
    ),
    (
        "367ef0d48b6e46964b420a04a3e51a2408e6b5abac48d34b3a7d8b33034bb7a8",
        "899eee85b01b5a862c0d8be3a5dc8653f53baa232d4e02fd85a8c50d9ca0e1fb",
    ),
    (
        "d42c22b4ec60770aa8d8f2f67ee85f97bdd2003bc0ffd767e4c2f7585895694d",
        "603705f93bf86b422e308fefc9f6dffea15cde5b348025b134371edc7f43ed09",
    ),
];

fn signed(family: usize, seed: u64) -> (World, SignedMessage) {
    let epoch = epoch((4, 1, 0), families()[family], (3, &[0, 1]), 2);
    let mut world = World::new(epoch, &mut random(seed));
    let signed = world.sign();
    (world, signed)
}

#[test]
fn signatures_and_signed_messages_have_pinned_bytes() {
    let found = [0, 1, 2, 3].map(|family| {
        let (_, signed) = signed(family, 1);
        assert_eq!(signed.digest(), Digest::of(&signed.canonical()));
        let wire = Digest::of(&signed.signature).to_string();
        (wire, signed.digest().to_string())
    });
    let found = found
        .each_ref()
        .map(|(wire, canonical)| (wire.as_str(), canonical.as_str()));
    assert_eq!(found, SIGNATURES);
}

/// Expected: SHA-256 of the bytes written by hand, "domain" with its length, epoch, counter, one byte each for the rest.
#[test]
fn ballots_calls_complaints_and_receipts_have_pinned_bytes() {
    let (epoch, counter) = (EpochId(7), Counter(3));
    let pinned = |value: &dyn Canonical, expected: &str| {
        assert_eq!(Digest::of(&value.canonical()).to_string(), expected);
    };
    pinned(
        &Ballot {
            epoch,
            counter,
            vote: Vote::Accept,
        },
        "64544688975a2d3c71843bb7dccf3b11b2cd1d3c388e6d9d1e875e52ba0e8b50",
    );
    pinned(
        &Call {
            epoch,
            counter,
            claim: Vote::Reject,
        },
        "c4e475bc31765224cabf3c4308f525c0abe6f9aac9e775caa6fc207bffcdd1c5",
    );
    let complaint = |grounds| Complaint {
        epoch,
        about: p(2),
        grounds,
    };
    pinned(
        &complaint(Grounds::Mismatch(counter)),
        "abf2718244f317b0359dd7aa8ecc04749231f5fe910e735171e9dea5b1b4334b",
    );
    pinned(
        &complaint(Grounds::MissingPart(counter)),
        "9ff1b647b01cb24feba438b8a253858940c8666013d98df64283700cbefb9b27",
    );
    pinned(
        &Receipt { epoch, counter },
        "7331d0f1b270af4572d14796616d2978888982f64b11c8639477f0f11bd5d3c5",
    );
}

#[test]
fn no_two_values_share_canonical_bytes() {
    let mut all = Vec::new();
    for (epoch, counter) in [
        (EpochId(7), Counter(3)),
        (EpochId(7), FIRST),
        (EpochId(3), Counter(7)),
    ] {
        all.push(Receipt { epoch, counter }.canonical());
        for vote in [Vote::Accept, Vote::Reject] {
            all.push(
                Ballot {
                    epoch,
                    counter,
                    vote,
                }
                .canonical(),
            );
            all.push(
                Call {
                    epoch,
                    counter,
                    claim: vote,
                }
                .canonical(),
            );
        }
        for about in [p(0), p(1)] {
            for grounds in [Grounds::Mismatch(counter), Grounds::MissingPart(counter)] {
                all.push(
                    Complaint {
                        epoch,
                        about,
                        grounds,
                    }
                    .canonical(),
                );
            }
        }
    }
    for (body, signature) in [
        (&b"ab"[..], &b"c"[..]),
        (b"a", b"bc"),
        (b"", b"abc"),
        (b"abc", b""),
    ] {
        let (body, signature) = (body.to_vec(), signature.to_vec());
        all.push(
            SignedMessage {
                epoch: EpochId(7),
                body,
                signature,
            }
            .canonical(),
        );
    }
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[test]
fn a_signature_has_the_size_that_the_parameters_announce() {
    for family in 0..4 {
        let (world, signed) = signed(family, 2);
        let parameters = world.epoch.parameters();
        let bits = 4 * 4 * 3 * parameters.family().tag_bits() as usize;
        assert_eq!(parameters.tags_bits(), bits);
        assert_eq!(signed.signature.len(), HEADER_BYTES + bits.div_ceil(8));
        assert_eq!(
            signed.signature.len(),
            Signature::encoded_bytes(&world.epoch)
        );
    }
}

#[test]
fn every_field_of_the_header_is_checked_by_name() {
    let (world, signed) = signed(1, 3);
    let header = |field, place: usize, found, expected| {
        let mut bytes = signed.signature.clone();
        bytes[place] ^= 1;
        let error = Some(DecodeError::Header {
            field,
            found,
            expected,
        });
        assert_eq!(Signature::decode(&world.epoch, &bytes).err(), error);
    };
    header("version", 0, 0, 1);
    header("number of receivers", 4, 5, 4);
    header("number of functions", 5, 0x103, 3);
    header("number of functions", 6, 2, 3);
    header("epoch", 7, (1 << 56) + 7, 7);
    header("epoch", 14, 6, 7);
    for (place, found) in [(1, "[3, 0, 0]"), (3, "[2, 0, 1]")] {
        let mut bytes = signed.signature.clone();
        bytes[place] ^= 1;
        let (found, expected) = (found.to_owned(), Family::Gf64);
        let error = Some(DecodeError::Family { found, expected });
        assert_eq!(Signature::decode(&world.epoch, &bytes).err(), error);
    }
    let mut bytes = signed.signature.clone();
    bytes[18] ^= 1;
    let other = Signature::decode(&world.epoch, &bytes).unwrap();
    assert_eq!(
        other.counter(),
        Counter(1),
        "the counter is whatever it says"
    );
}

#[test]
fn bits_after_the_last_tag_must_be_zero() {
    let epoch = epoch((3, 1, 0), families()[2], (3, &[0, 1]), 1);
    let mut world = World::new(epoch, &mut random(4));
    let signed = world.sign();
    // 27 tags of 5 bits leave one bit of the last byte.
    let mut bytes = signed.signature.clone();
    *bytes.last_mut().unwrap() |= 1;
    assert_eq!(
        Signature::decode(&world.epoch, &bytes).err(),
        Some(DecodeError::Padding)
    );
    assert!(Signature::decode(&world.epoch, &signed.signature).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decoding_undoes_encoding(family in 0_usize..3, seed in any::<u64>()) {
        let (world, signed) = signed(family, seed);
        let signature = Signature::decode(&world.epoch, &signed.signature).unwrap();
        prop_assert_eq!(signature.tags().len(), 48);
        prop_assert_eq!(signature.encode(&world.epoch), signed.signature);
    }

    /// Mutated bytes are refused, or are themselves the one encoding of what they decode to.
    #[test]
    fn mutated_bytes_are_refused_or_encode_as_they_are(
        family in 0_usize..3,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        length in prop::option::of(0_usize..1200),
        seed in 0_u64..8,
    ) {
        let (world, signed) = signed(family, seed);
        let mut bytes = signed.signature;
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes.resize(length.unwrap_or(bytes.len()), 0);
        if let Ok(signature) = Signature::decode(&world.epoch, &bytes) {
            prop_assert_eq!(signature.encode(&world.epoch), bytes);
        } else {
            prop_assert!(length.is_some() || bytes[..HEADER_BYTES] != [0; HEADER_BYTES]);
        }
    }

    #[test]
    fn any_bytes_are_decoded_or_refused_without_a_failure(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        for family in families() {
            let epoch = epoch((4, 1, 0), family, (3, &[0, 1]), 2);
            if let Ok(signature) = Signature::decode(&epoch, &bytes) {
                prop_assert_eq!(signature.encode(&epoch), bytes.clone());
            }
        }
    }
}
