//! The parts of wire mode: bits, hashes, tags, bytes.

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng as _;
use tieline_qkd::link::wire::amplify::{digest, seed_len, toeplitz};
use tieline_qkd::link::wire::message::{Message, Stretch};
use tieline_qkd::link::wire::{AuthError, AuthPool, Bits, Direction};

use Direction::{AliceToBob, BobToAlice};

fn pools(pads: usize, reserve: usize) -> (AuthPool, AuthPool) {
    let material: Vec<u8> = (0..16 + 32 * pads)
        .map(|index| (index * 91 % 241) as u8)
        .collect();
    let pool = || AuthPool::new(&material, reserve).unwrap();
    (pool(), pool())
}

fn bits(len: usize, seed: u8) -> Bits {
    Bits::random(len, &mut ChaCha8Rng::from_seed([seed; 32]))
}

#[test]
fn a_sealed_message_opens_once_in_order_and_in_its_direction() {
    let (mut here, mut there) = pools(8, 0);
    let first = here.seal(AliceToBob, b"first").unwrap();
    let second = here.seal(AliceToBob, b"second").unwrap();
    assert_eq!(
        there.open(AliceToBob, &second, false),
        Err(AuthError::Gap { number: 1, next: 0 })
    );
    assert_eq!(
        there.open(BobToAlice, &first, false),
        Err(AuthError::Tag { number: 0 })
    );
    assert_eq!(there.open(AliceToBob, &first, false), Ok(&b"first"[..]));
    assert_eq!(
        there.open(AliceToBob, &first, false),
        Err(AuthError::Replay { number: 0, next: 1 })
    );
    assert_eq!(there.open(AliceToBob, &second, false), Ok(&b"second"[..]));
    assert_eq!(there.pads_left(), [6, 8]);
}

#[test]
fn a_refused_frame_costs_the_receiver_nothing() {
    let (mut here, mut there) = pools(8, 0);
    let frame = here.seal(AliceToBob, b"message").unwrap();
    let mut forged = frame.clone();
    forged[30] ^= 1;
    assert_eq!(
        there.open(AliceToBob, &forged, false),
        Err(AuthError::Tag { number: 0 })
    );
    assert_eq!(
        there.open(AliceToBob, &frame[..20], false),
        Err(AuthError::Frame { bytes: 20 })
    );
    assert_eq!(there.pads_left(), [8, 8]);
    assert_eq!(there.open(AliceToBob, &frame, false), Ok(&b"message"[..]));
}

#[test]
fn pads_that_the_peer_spent_in_vain_are_skipped_where_a_gap_is_allowed() {
    let (mut here, mut there) = pools(8, 0);
    here.seal(AliceToBob, b"lost").unwrap();
    let frame = here.seal(AliceToBob, b"heard").unwrap();
    assert_eq!(there.open(AliceToBob, &frame, true), Ok(&b"heard"[..]));
    assert_eq!(there.pads_left(), [6, 8]);
}

#[test]
fn the_reserve_is_kept_until_it_is_opened() {
    let (mut here, _) = pools(3, 2);
    here.seal(AliceToBob, b"1").unwrap();
    let empty = AuthError::Empty {
        left: 2,
        reserve: 2,
    };
    assert_eq!(here.seal(AliceToBob, b"2"), Err(empty));
    here.open_reserve();
    assert!(here.seal(AliceToBob, b"2").is_ok());
    assert!(here.seal(AliceToBob, b"3").is_ok());
    assert_eq!(
        here.seal(AliceToBob, b"4"),
        Err(AuthError::Empty {
            left: 0,
            reserve: 2
        })
    );
}

#[test]
fn a_gap_does_not_reach_into_the_reserve() {
    let (mut here, _) = pools(8, 0);
    let (_, mut there) = pools(8, 6);
    let frames: Vec<Vec<u8>> = (0..3)
        .map(|_| here.seal(AliceToBob, b"x").unwrap())
        .collect();
    let empty = AuthError::Empty {
        left: 8,
        reserve: 6,
    };
    assert_eq!(there.open(AliceToBob, &frames[2], true), Err(empty));
    assert_eq!(there.open(AliceToBob, &frames[1], true), Ok(&b"x"[..]));
}

#[test]
fn material_that_does_not_come_out_even_makes_no_pool() {
    for len in [0, 16, 17, 40, 64] {
        let made = AuthPool::new(&vec![0; len], 0);
        assert_eq!(
            made.err(),
            Some(AuthError::Material { bytes: len }),
            "{len}"
        );
    }
    assert!(AuthPool::new(&[0; 48], 0).is_ok());
}

#[test]
fn secrets_do_not_print() {
    let (pool, _) = pools(2, 0);
    assert_eq!(format!("{pool:?}"), "AuthPool(<redacted>, 2 + 2 pads)");
    assert_eq!(format!("{:?}", bits(70, 1)), "Bits(<redacted>, 70 bits)");
}

fn messages() -> impl Strategy<Value = Message> {
    let some_bits = || (0usize..200, any::<u8>()).prop_map(|(len, seed)| bits(len, seed));
    let stretch = (any::<u8>(), any::<u32>(), any::<u32>())
        .prop_map(|(pass, start, end)| Stretch { pass, start, end });
    prop_oneof![
        (prop::collection::vec(any::<u32>(), 0..50), some_bits())
            .prop_map(|(pulses, basis_x)| Message::Detections { pulses, basis_x }),
        (
            some_bits(),
            prop::collection::vec(any::<u8>(), 0..50),
            some_bits(),
            any::<[u8; 32]>()
        )
            .prop_map(|(basis_x, intensities, check, shuffle)| Message::Sifting {
                basis_x,
                intensities,
                check,
                shuffle
            }),
        some_bits().prop_map(|check| Message::Check { check }),
        prop::collection::vec(stretch, 0..50).prop_map(|stretches| Message::Ask { stretches }),
        some_bits().prop_map(|parities| Message::Answer { parities }),
        any::<u64>().prop_map(|errors| Message::Corrected { errors }),
        (any::<[u8; 16]>(), any::<u64>())
            .prop_map(|(hash_key, digest)| Message::Verify { hash_key, digest }),
        Just(()).prop_map(|()| Message::Verified),
        (any::<u64>(), some_bits())
            .prop_map(|(length_bits, seed)| Message::Amplify { length_bits, seed }),
        Just(()).prop_map(|()| Message::Done),
        Just(()).prop_map(|()| Message::Confirm),
    ]
}

proptest! {
    #[test]
    fn a_message_is_what_its_bytes_say_and_no_shorter_or_longer_bytes_are_one(
        message in messages(),
        block: u64,
    ) {
        let bytes = message.encode(block);
        prop_assert_eq!(Message::decode(&bytes), Ok((block, message)));
        prop_assert!(Message::decode(&bytes[..bytes.len() - 1]).is_err());
        let longer = [&bytes[..], &[0]].concat();
        prop_assert!(Message::decode(&longer).is_err());
    }

    #[test]
    fn any_bytes_are_a_message_with_those_bytes_or_refused(bytes: Vec<u8>, kind in 0u8..13) {
        let bytes = [&[0; 8][..], &[kind], &bytes].concat();
        if let Ok((block, message)) = Message::decode(&bytes) {
            prop_assert_eq!(message.encode(block), bytes);
        }
    }

    #[test]
    fn bits_survive_bytes(len in 0usize..300, seed: u8) {
        let there = bits(len, seed);
        prop_assert_eq!(Bits::from_bytes(len, &there.to_bytes()), Some(bits(len, seed)));
        prop_assert_eq!(there.iter().collect::<Bits>(), bits(len, seed));
    }

    #[test]
    fn the_fast_toeplitz_product_is_the_definition(columns in 1usize..300, rows in 1usize..200, seed: u8) {
        let key = bits(columns, seed);
        let matrix = bits(seed_len(columns, rows), seed ^ 0x55);
        let hashed = toeplitz(&key, &matrix, rows);
        prop_assert_eq!(hashed.len(), rows);
        for row in 0..rows {
            let sum = (0..columns)
                .filter(|&column| matrix.get(row + columns - 1 - column) && key.get(column))
                .count();
            prop_assert_eq!(hashed.get(row), sum % 2 == 1);
        }
    }

    #[test]
    fn hashing_is_linear(columns in 1usize..200, rows in 1usize..100, seed: u8) {
        let (a, b) = (bits(columns, seed), bits(columns, seed.wrapping_add(1)));
        let sum: Bits = a.iter().zip(b.iter()).map(|(a, b)| a ^ b).collect();
        let matrix = bits(seed_len(columns, rows), seed ^ 0xaa);
        let both = [a, b].map(|key| toeplitz(&key, &matrix, rows));
        let added: Bits = both[0].iter().zip(both[1].iter()).map(|(a, b)| a ^ b).collect();
        prop_assert_eq!(toeplitz(&sum, &matrix, rows), added);
    }

    #[test]
    fn keys_that_differ_in_a_bit_have_other_digests(len in 1usize..2000, at: usize, seed: u8, hash_key: [u8; 16]) {
        let (key, mut other) = (bits(len, seed), bits(len, seed));
        other.flip(at % len);
        prop_assert_eq!(key.distance(&other), 1);
        prop_assert!(hash_key == [0; 16] || digest(&key, &hash_key) != digest(&other, &hash_key));
    }

    #[test]
    fn a_changed_message_has_another_tag(message: Vec<u8>, at: usize, bit in 0u8..8) {
        let (mut here, mut there) = pools(1, 0);
        let mut frame = here.seal(AliceToBob, &message).unwrap();
        let at = 8 + at % (frame.len() - 8);
        frame[at] ^= 1 << bit;
        prop_assert_eq!(there.open(AliceToBob, &frame, false), Err(AuthError::Tag { number: 0 }));
    }
}
