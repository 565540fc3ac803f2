//! The four families once more, bit by bit and straight from their definitions, and the library against them.

use proptest::prelude::*;
use tieline_uss::bits::{BitReader, BitWriter};
use tieline_uss::family::{Backend, Family, HashKeys, Small, small};

/// A polynomial over GF(2) or a string of bits, lowest coefficient first.
type Bits = Vec<bool>;

/// The hash of `message` under the key whose bits are `key`, the first bit read first.
pub(crate) fn reference(family: Family, key: &[bool], message: &[u8]) -> u128 {
    match family {
        Family::Gf128 => number(&gf128(key, message)),
        Family::Gf64 => number(&gf64(key, message)),
        Family::Small(sizes) => number(&small_family(sizes, key, message)),
        Family::Lfsr128 => number(&lfsr128(key, message)),
    }
}

fn number(bits: &[bool]) -> u128 {
    bits.iter()
        .rev()
        .fold(0, |number, &bit| number << 1 | u128::from(bit))
}

fn bits_of(number: u128, width: usize) -> Bits {
    (0..width).map(|i| number >> i & 1 == 1).collect()
}

fn reversed(bits: &[bool]) -> Bits {
    bits.iter().rev().copied().collect()
}

fn sum(a: &[bool], b: &[bool]) -> Bits {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

/// `a·b` modulo the polynomial with the given exponents, the first of them the degree.
fn product(a: &[bool], b: &[bool], exponents: &[usize]) -> Bits {
    let degree = exponents[0];
    let mut wide = vec![false; 2 * degree];
    for (i, &a) in a.iter().enumerate() {
        for (j, &b) in b.iter().enumerate() {
            wide[i + j] ^= a & b;
        }
    }
    for i in (degree..2 * degree).rev() {
        if wide[i] {
            for exponent in exponents {
                wide[i - degree + exponent] ^= true;
            }
        }
    }
    wide.truncate(degree);
    wide
}

/// `a / x` modulo x^128 + x^127 + x^126 + x^121 + 1.
fn over_x(mut a: Bits) -> Bits {
    a.push(false);
    if a[0] {
        for exponent in [128, 127, 126, 121, 0] {
            a[exponent] ^= true;
        }
    }
    a.remove(0);
    a
}

/// Blocks of `width` bits out of bytes whose lowest bit is the lowest coefficient, zeros behind, the length last.
fn little_endian_blocks(message: &[u8], width: usize) -> Vec<Bits> {
    let mut bits: Bits = message
        .iter()
        .flat_map(|&byte| bits_of(byte.into(), 8))
        .collect();
    bits.resize(bits.len().next_multiple_of(width), false);
    let mut blocks: Vec<Bits> = bits.chunks(width).map(<[bool]>::to_vec).collect();
    blocks.push(bits_of(message.len() as u128, width));
    blocks
}

/// Bits of the message in reading order, filled with zeros to a multiple of `width`.
fn padded_bits(message: &[u8], width: usize) -> Bits {
    let mut bits: Bits = message
        .iter()
        .flat_map(|&byte| reversed(&bits_of(byte.into(), 8)))
        .collect();
    bits.resize(bits.len().next_multiple_of(width), false);
    bits
}

fn gf128(key: &[bool], message: &[u8]) -> Bits {
    let mut h = reversed(key);
    for _ in 0..128 {
        h = over_x(h);
    }
    let blocks = little_endian_blocks(message, 128);
    blocks.iter().fold(vec![false; 128], |state, block| {
        product(&sum(&state, block), &h, &[128, 127, 126, 121, 0])
    })
}

fn gf64(key: &[bool], message: &[u8]) -> Bits {
    let h = reversed(key);
    let blocks = little_endian_blocks(message, 64);
    blocks.iter().fold(vec![false; 64], |state, block| {
        product(&sum(&state, block), &h, &[64, 4, 3, 1, 0])
    })
}

/// Σ X_i α^(N-i) with the powers of α one by one, then β.
fn small_family(sizes: Small, key: &[bool], message: &[u8]) -> Bits {
    let width = sizes.field_bits() as usize;
    let modulus = small::modulus(sizes.field_bits()).unwrap();
    let exponents: Vec<usize> = (0..=width)
        .rev()
        .filter(|i| modulus >> i & 1 == 1)
        .collect();
    let (alpha, beta) = (reversed(&key[..width]), reversed(&key[width..]));
    let mut blocks: Vec<Bits> = padded_bits(message, width)
        .chunks(width)
        .map(reversed)
        .collect();
    blocks.push(bits_of(message.len() as u128, width));
    let mut power = bits_of(1, width);
    let mut value = vec![false; width];
    for block in blocks.iter().rev() {
        value = sum(&value, &product(block, &power, &exponents));
        power = product(&power, &alpha, &exponents);
    }
    let mut tag = product(&value, &beta, &exponents);
    tag.truncate(sizes.tag_bits() as usize);
    tag
}

/// The Toeplitz matrix by its definition: row t is the register's output from place t on.
fn lfsr128(key: &[bool], message: &[u8]) -> Bits {
    let blocks = little_endian_blocks(message, 128);
    let bits: Bits = blocks.into_iter().rev().flatten().collect();
    let taps = reversed(&key[..128]);
    let mut output = key[128..].to_vec();
    for i in 0..bits.len() {
        let next = (0..128).fold(false, |next, c| next ^ (taps[c] & output[i + c]));
        output.push(next);
    }
    let tag: Bits = (0..128)
        .map(|t| (0..bits.len()).fold(false, |bit, j| bit ^ (bits[j] & output[j + t])))
        .collect();
    reversed(&tag)
}

/// Every family the tests run over; the small ones with fields of many sizes.
pub(crate) fn families() -> Vec<Family> {
    let small = [
        (2, 1),
        (7, 9),
        (8, 9),
        (8, 25),
        (16, 17),
        (21, 20),
        (20, 38),
        (30, 32),
        (32, 32),
    ];
    let mut families = vec![Family::Gf128, Family::Gf64, Family::Lfsr128];
    families.extend(small.map(|(b, s)| Family::Small(Small::new(b, s).unwrap())));
    families
}

fn key_bits(raw: &[u8], width: usize) -> Vec<Bits> {
    let bits = padded_bits(raw, 1);
    bits.chunks_exact(width).map(<[bool]>::to_vec).collect()
}

/// The library's hashes of one message under all keys in `raw`.
pub(crate) fn hashes(family: Family, raw: &[u8], message: &[u8]) -> Vec<u128> {
    let count = raw.len() * 8 / family.hash_key_bits() as usize;
    let keys = HashKeys::read(family, &mut BitReader::new(raw), count).unwrap();
    let mut hashes = Vec::new();
    keys.hash(message, &mut hashes).unwrap();
    hashes
}

fn check(family: Family, raw: &[u8], message: &[u8]) {
    let message = &message[..message.len().min(family.message_bytes_max())];
    let expected: Vec<u128> = key_bits(raw, family.hash_key_bits() as usize)
        .iter()
        .map(|key| reference(family, key, message))
        .collect();
    let keys = HashKeys::read(family, &mut BitReader::new(raw), expected.len()).unwrap();
    // One that this processor has not got falls back to another.
    for backend in Backend::ALL {
        let mut hashes = Vec::new();
        keys.hash_with(backend, message, &mut hashes).unwrap();
        let bytes = message.len();
        assert_eq!(hashes, expected, "{family}, {backend:?}, {bytes} bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_family_hashes_as_its_definition_says(
        raw in prop::collection::vec(any::<u8>(), 96),
        message in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        for family in families() {
            check(family, &raw, &message);
        }
    }

    #[test]
    fn keys_are_written_as_they_were_read(raw in prop::collection::vec(any::<u8>(), 96)) {
        for family in families() {
            let width = family.hash_key_bits();
            let count = 768 / width as usize;
            let keys = HashKeys::read(family, &mut BitReader::new(&raw), count).unwrap();
            let mut out = BitWriter::with_capacity(768);
            (0..count).for_each(|index| keys.write(index, &mut out));
            let written = out.into_bytes();
            let (mut before, mut after) = (BitReader::new(&raw), BitReader::new(&written));
            for _ in 0..2 * count {
                prop_assert_eq!(before.read(width / 2), after.read(width / 2), "{}", family);
            }
        }
    }
}

#[test]
fn every_family_hashes_extreme_keys_and_messages_as_its_definition_says() {
    for family in families() {
        for key in [0, 0xff] {
            for byte in [0, 0xff] {
                for bytes in [0, 1, 7, 8, 9, 15, 16, 17, 33, 64] {
                    check(family, &[key; 64], &vec![byte; bytes]);
                }
            }
        }
    }
}

/// RFC 8452, appendix A: POLYVAL of two blocks; the length block is the third.
#[test]
fn gf128_follows_the_published_example_of_polyval() {
    let hex = |text: &str| u128::from_str_radix(text, 16).unwrap().swap_bytes();
    let h = hex("25629347589242761d31f826ba4b757b");
    let exponents = [128, 127, 126, 121, 0];
    let mut state = bits_of(hex("f7a3b47b846119fae5b7866cf5e5b77e") ^ 32, 128);
    for _ in 0..128 {
        state = over_x(state);
    }
    let expected = number(&product(&state, &bits_of(h, 128), &exponents));
    let blocks = [
        "4f4f95668c83dfb6401762bb2d01a262",
        "d1a24ddd2721d006bbe45f20d3c9f362",
    ];
    let message: Vec<u8> = blocks
        .iter()
        .flat_map(|block| hex(block).to_le_bytes())
        .collect();
    assert_eq!(
        hashes(Family::Gf128, &h.to_be_bytes(), &message),
        [expected]
    );
}
