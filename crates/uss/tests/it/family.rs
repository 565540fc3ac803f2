//! Families: sizes, names, epsilon, keys and refusals.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tieline_uss::bits::{BitReader, BitWriter};
use tieline_uss::family::{Family, FamilyError, HashKeys, MESSAGE_BYTES_MAX, Small, lfsr, small};

use crate::family_reference::{families, hashes};

fn small(tag_bits: u32, extra_bits: u32) -> Small {
    Small::new(tag_bits, extra_bits).unwrap()
}

#[test]
fn descriptions_are_as_long_as_the_families_say() {
    let sizes = |family: Family| {
        (
            family.tag_bits(),
            family.hash_key_bits(),
            family.description_bits(),
        )
    };
    assert_eq!(sizes(Family::Gf128), (128, 128, 256));
    assert_eq!(sizes(Family::Gf64), (64, 64, 128));
    assert_eq!(sizes(Family::Lfsr128), (128, 256, 384));
    assert_eq!(sizes(Family::Small(small(8, 9))), (8, 34, 42));
}

#[test]
fn every_family_has_one_name_and_one_code() {
    for family in families() {
        assert_eq!(family.to_string().parse(), Ok(family));
        assert_eq!(Family::from_code(family.code()), Ok(family));
    }
    for name in [
        "",
        "gf32",
        "GF64",
        "small",
        "small-8",
        "small-08-9",
        "small-8-+9",
        "small-8-9 ",
        "lfsr",
    ] {
        let expected = FamilyError::UnknownName { name: name.into() };
        assert_eq!(name.parse::<Family>(), Err(expected));
    }
    for code in [[0, 0, 0], [1, 0, 1], [2, 1, 0], [4, 0, 1], [5, 0, 0]] {
        assert_eq!(
            Family::from_code(code),
            Err(FamilyError::UnknownCode { code })
        );
    }
}

#[test]
fn small_families_outside_the_ranges_are_refused() {
    for (tag_bits, extra_bits) in [
        (0, 9),
        (1, 9),
        (33, 9),
        (8, 0),
        (8, 57),
        (32, 33),
        (8, u32::MAX),
    ] {
        let refused = FamilyError::SmallBits {
            tag_bits,
            extra_bits,
        };
        assert_eq!(Small::new(tag_bits, extra_bits), Err(refused));
    }
    let refused = FamilyError::SmallBits {
        tag_bits: 1,
        extra_bits: 9,
    };
    assert_eq!("small-1-9".parse::<Family>(), Err(refused.clone()));
    assert_eq!(Family::from_code([3, 1, 9]), Err(refused));
}

/// y = 3b + 2s for 1 KiB: table of docs, 42 bits at b = 8, 39 at b = 7, 45 at b = 9; 256 KiB at b = 8: 58.
#[test]
fn the_smallest_field_for_a_message_is_found() {
    let description =
        |b, bytes| Family::Small(Small::for_message(b, bytes).unwrap()).description_bits();
    assert_eq!(description(8, 1024), 42);
    assert_eq!(description(7, 1024), 39);
    assert_eq!(description(9, 1024), 45);
    assert_eq!(description(8, 256 * 1024), 58);
    assert_eq!(Small::for_message(8, 0), Some(small(8, 1)));
    assert_eq!(Small::for_message(1, 1024), None);
    assert_eq!(Small::for_message(8, MESSAGE_BYTES_MAX + 1), None);
    for tag_bits in 2..=32 {
        let largest = Small::for_message(tag_bits, MESSAGE_BYTES_MAX).unwrap();
        let smaller = Small::new(tag_bits, largest.extra_bits() - 1).unwrap();
        assert!(Family::Small(smaller).message_bytes_max() < MESSAGE_BYTES_MAX);
    }
}

#[test]
fn the_small_family_admits_every_message_that_the_published_statement_admits() {
    for (tag_bits, extra_bits) in (2..=32).flat_map(|b| (1..=64 - b).map(move |s| (b, s))) {
        let family = Family::Small(small(tag_bits, extra_bits));
        let width = u128::from(tag_bits + extra_bits);
        let published = width * (1 + (1 << extra_bits)) / 8;
        let max = family.message_bytes_max();
        assert_eq!(
            max as u128,
            published.min(MESSAGE_BYTES_MAX as u128),
            "{family}"
        );
        assert!(
            (max as u128) < 1 << width,
            "{family}: no room for the length"
        );
        let nominal = (1.0 - f64::from(tag_bits)).exp2();
        let excess = family.epsilon(max) - nominal;
        assert!(excess <= (-(width as f64)).exp2(), "{family}: {excess}");
        assert!(extra_bits < tag_bits || excess <= 0.0, "{family}: {excess}");
    }
}

#[test]
fn epsilon_counts_the_length_block() {
    let two = |bits: i32| 2_f64.powi(-bits);
    assert_eq!(Family::Gf128.epsilon(0), two(128));
    assert_eq!(Family::Gf128.epsilon(1024), 65.0 * two(128));
    assert_eq!(Family::Gf64.epsilon(1024), 129.0 * two(64));
    assert_eq!(Family::Gf64.epsilon(1025), 130.0 * two(64));
    assert_eq!(Family::Lfsr128.epsilon(0), two(128));
    assert_eq!(Family::Lfsr128.epsilon(1024), 64.0 * two(121) + two(128));
    let opt = Family::Small(small(8, 9));
    assert_eq!(opt.epsilon(0), two(8));
    assert_eq!(opt.epsilon(1024), two(8) + 482.0 * two(17) * (1.0 - two(8)));
    assert_eq!(opt.epsilon(opt.message_bytes_max() + 1), 1.0);
    assert_eq!(Family::Gf64.epsilon_log2(8), -63.0);
}

/// All keys of tiny fields, all pairs of messages: no difference of hashes is likelier than ε, and some is as likely.
#[test]
fn epsilon_holds_for_every_pair_of_messages_in_tiny_fields() {
    for (tag_bits, extra_bits) in [(2, 3), (2, 4), (3, 2), (3, 3), (4, 2)] {
        let family = Family::Small(small(tag_bits, extra_bits));
        let keys = all_keys(family);
        let longest = family.message_bytes_max().min(2);
        let mut messages = vec![Vec::new(), vec![0], vec![0, 0], vec![0, 1], vec![0x80, 0]];
        messages.extend((1..=255_u8).map(|byte| vec![byte]));
        messages.extend((1..=127_u8).map(|byte| vec![byte, 255 - byte]));
        messages.retain(|message| message.len() <= longest);
        let tags: Vec<Vec<u128>> = messages
            .iter()
            .map(|message| hashes_of(&keys, message))
            .collect();
        let mut likeliest = 0.0_f64;
        for (i, a) in tags.iter().enumerate() {
            for b in &tags[..i] {
                likeliest = likeliest.max(likeliest_difference(a, b, tag_bits));
            }
        }
        let epsilon = family.epsilon(longest);
        assert!(likeliest <= epsilon, "{family}: {likeliest} > {epsilon}");
        assert!(likeliest >= family.epsilon(1), "{family}: {likeliest}");
    }
}

fn all_keys(family: Family) -> HashKeys {
    let width = family.hash_key_bits();
    let mut raw = BitWriter::with_capacity((width as usize) << width);
    (0..1 << width).for_each(|key| raw.write(key, width));
    HashKeys::read(family, &mut BitReader::new(&raw.into_bytes()), 1 << width).unwrap()
}

fn hashes_of(keys: &HashKeys, message: &[u8]) -> Vec<u128> {
    let mut hashes = Vec::new();
    keys.hash(message, &mut hashes).unwrap();
    hashes
}

fn likeliest_difference(a: &[u128], b: &[u128], tag_bits: u32) -> f64 {
    let mut counts = vec![0_u32; 1 << tag_bits];
    for (a, b) in a.iter().zip(b) {
        counts[(a ^ b) as usize] += 1;
    }
    f64::from(*counts.iter().max().unwrap()) / a.len() as f64
}

#[test]
fn messages_that_differ_in_zeros_at_the_end_have_different_hashes() {
    let raw = [0x5a; 32];
    for family in families() {
        let longest = family.message_bytes_max().min(40);
        let mut seen: Vec<u128> = (0..=longest)
            .map(|bytes| hashes(family, &raw, &vec![0; bytes])[0])
            .collect();
        if family.tag_bits() < 64 {
            continue;
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), longest + 1, "{family}");
    }
}

#[test]
fn a_message_over_the_limit_is_refused_and_nothing_is_appended() {
    let family = Family::Small(small(2, 3));
    let keys = HashKeys::read(family, &mut BitReader::new(&[1, 2, 3, 4]), 3).unwrap();
    let max = family.message_bytes_max();
    let mut hashes = vec![7];
    let refused = FamilyError::MessageTooLong {
        family,
        bytes: max + 1,
        max,
    };
    assert_eq!(keys.hash(&vec![0; max + 1], &mut hashes), Err(refused));
    assert_eq!(hashes, [7]);
    assert_eq!(keys.hash(&vec![0; max], &mut hashes), Ok(()));
    assert_eq!(hashes.len(), 4);
}

#[test]
fn too_few_bits_are_refused_and_none_is_read() {
    let mut bits = BitReader::new(&[0; 31]);
    let refused = FamilyError::TooFewBits {
        family: Family::Gf64,
        keys: 4,
        needed: 256,
        left: 248,
    };
    assert_eq!(
        HashKeys::read(Family::Gf64, &mut bits, 4).unwrap_err(),
        refused
    );
    assert_eq!(bits.left(), 248);
    let keys = HashKeys::read(Family::Gf64, &mut bits, usize::MAX);
    assert!(matches!(
        keys,
        Err(FamilyError::TooFewBits {
            keys: usize::MAX,
            ..
        })
    ));
}

#[test]
fn keys_are_picked_from_another_list_of_the_same_family() {
    let mut raw = [0; 96];
    ChaCha20Rng::seed_from_u64(7).fill_bytes(&mut raw);
    for family in families() {
        let count = 768 / family.hash_key_bits() as usize;
        let all = HashKeys::read(family, &mut BitReader::new(&raw), count).unwrap();
        let mut picked = HashKeys::with_capacity(family, 1);
        assert!(picked.is_empty());
        for index in (0..count).rev() {
            picked.push_from(&all, index).unwrap();
        }
        let mut expected = hashes_of(&all, b"t");
        expected.reverse();
        assert_eq!(hashes_of(&picked, b"t"), expected, "{family}");
        let refused = FamilyError::NoSuchKey {
            index: count,
            keys: count,
        };
        assert_eq!(picked.push_from(&all, count), Err(refused));
        let mut stranger = HashKeys::with_capacity(Family::Small(small(3, 3)), 0);
        let refused = FamilyError::OtherFamily {
            expected: Family::Small(small(3, 3)),
            found: family,
        };
        assert_eq!(stranger.push_from(&all, 0), Err(refused));
        assert_eq!((picked.len(), stranger.len()), (count, 0));
    }
}

#[test]
fn debug_shows_how_many_keys_but_not_the_keys() {
    let keys = HashKeys::read(Family::Gf64, &mut BitReader::new(&[0xab; 16]), 2).unwrap();
    assert_eq!(format!("{keys:?}"), "HashKeys(<redacted>, 2 × gf64)");
}

/// Rabin's test over the integers: x^(2^w) = x, and x^(2^(w/q)) - x has no factor in common for each prime q of w.
#[test]
fn field_polynomials_are_irreducible() {
    for width in 3..=64_u32 {
        let modulus = small::modulus(width).unwrap();
        let power =
            |squarings: u32| (0..squarings).fold(2, |power, _| square(power, modulus, width));
        assert_eq!(power(width), 2, "degree {width}");
        for prime in (2..=width).filter(|q| width.is_multiple_of(*q) && (2..*q).all(|d| q % d != 0))
        {
            assert_eq!(gcd(modulus, power(width / prime) ^ 2), 1, "degree {width}");
        }
        let tail = modulus ^ 1 << width;
        assert!(
            2 * tail.ilog2() <= width,
            "degree {width}: two folds would not reduce"
        );
    }
    assert_eq!((small::modulus(2), small::modulus(65)), (None, None));
}

fn square(a: u128, modulus: u128, width: u32) -> u128 {
    (0..width).rev().fold(0, |sum, i| {
        let doubled = sum << 1;
        let reduced = doubled ^ (modulus * (doubled >> width & 1));
        reduced ^ (a * (a >> i & 1))
    })
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        while a != 0 && a.ilog2() >= b.ilog2() {
            a ^= b << (a.ilog2() - b.ilog2());
        }
        (a, b) = (b, a);
    }
    a
}

/// x^128 + x^7 + x^2 + x + 1 is GHASH's, x^128 + x^127 + x^126 + x^121 + 1 its mirror image.
#[test]
fn irreducible_polynomials_are_told_from_others() {
    let mirrored = 1 << 127 | 1 << 126 | 1 << 121 | 1;
    for (tail, irreducible) in [
        (0x87, true),
        (mirrored, true),
        (0x86, false),
        (0x8f, false),
        (1, false),
        (0, false),
        (1 << 64 | 1, false),
        (1 << 64 | 0x8b, false),
        (u128::MAX, false),
    ] {
        assert_eq!(lfsr::is_irreducible(tail), irreducible, "{tail:#x}");
    }
}

/// Of the 2^127 polynomials with a constant term (2^128 - 2^64)/128 are irreducible, one in 64.
#[test]
fn one_polynomial_in_sixty_four_is_irreducible() {
    let mut rng = ChaCha20Rng::seed_from_u64(128);
    let candidates = 6400;
    let found = (0..candidates)
        .filter(|_| {
            let tail = u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64()) | 1;
            lfsr::is_irreducible(tail)
        })
        .count();
    // 100 expected, standard deviation 10.
    assert!((60..=140).contains(&found), "{found} of {candidates}");
}

#[test]
fn products_of_polynomials_are_not_irreducible() {
    let mut rng = ChaCha20Rng::seed_from_u64(64);
    for (low, high) in [(64, 64), (1, 127), (32, 96), (60, 68), (63, 65)] {
        for _ in 0..20 {
            let mut factor =
                |degree: u32| u128::from(rng.next_u64()) << 64 >> (128 - degree) | 1 << degree | 1;
            let (a, b) = (factor(low), factor(high));
            let product = (0..=low).fold(0, |sum, i| sum ^ (b.wrapping_shl(i) * (a >> i & 1)));
            assert!(!lfsr::is_irreducible(product), "{a:#x} · {b:#x}");
        }
    }
}
