//! All backends give the same hashes, whatever the length of the message and the number of keys.

use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq, proptest};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tieline_uss::bits::BitReader;
use tieline_uss::family::{Backend, Family, HashKeys, Small};

/// Most keys of one call: more than two groups of the widest vectors, and not a multiple of their width.
const KEYS_MAX: usize = 37;

/// Backends beside the portable one that this processor has.
fn backends() -> Vec<Backend> {
    let (found, absent) = [Backend::Avx512, Backend::Clmul]
        .into_iter()
        .partition::<Vec<_>, _>(|backend| backend.is_available());
    for backend in absent {
        eprintln!("skipped: this processor has no {backend:?}");
    }
    found
}

fn random(seed: u64, bytes: usize) -> Vec<u8> {
    let mut random = vec![0; bytes];
    ChaCha20Rng::seed_from_u64(seed).fill_bytes(&mut random);
    random
}

fn keys(family: Family, raw: &[u8], count: usize) -> HashKeys {
    HashKeys::read(family, &mut BitReader::new(raw), count).unwrap()
}

fn hashes(keys: &HashKeys, backend: Backend, message: &[u8]) -> Vec<u128> {
    // What is there already stays there.
    let mut hashes = vec![17];
    keys.hash_with(backend, message, &mut hashes).unwrap();
    hashes
}

fn check(keys: &HashKeys, message: &[u8]) {
    let expected = hashes(keys, Backend::Portable, message);
    assert_eq!(expected.len(), keys.len() + 1);
    for backend in backends() {
        let (family, count, bytes) = (keys.family(), keys.len(), message.len());
        assert_eq!(
            hashes(keys, backend, message),
            expected,
            "{family}, {backend:?}, {count} keys, {bytes} bytes"
        );
    }
}

/// Messages of all lengths in `lengths`, with another number of keys each time; `slow` families get few keys most times.
fn check_lengths(family: Family, lengths: std::ops::RangeInclusive<usize>, slow: bool) {
    let raw = random(1, KEYS_MAX * 32);
    let all: Vec<HashKeys> = (1..=KEYS_MAX)
        .map(|count| keys(family, &raw, count))
        .collect();
    let message = random(2, *lengths.end());
    for bytes in lengths {
        let few = slow && !bytes.is_multiple_of(16);
        let count = (bytes * 11) % if few { 3 } else { KEYS_MAX };
        check(&all[count], &message[..bytes]);
    }
}

fn check_counts(family: Family, lengths: &[usize]) {
    let raw = random(3, KEYS_MAX * 32);
    let message = random(4, 20_000);
    for count in 1..=KEYS_MAX {
        let keys = keys(family, &raw, count);
        for &bytes in lengths {
            check(&keys, &message[..bytes]);
        }
    }
}

#[test]
fn gf128_does_not_depend_on_the_backend() {
    check_lengths(Family::Gf128, 0..=4096, false);
    check_counts(Family::Gf128, &[0, 1, 47, 48, 500, 2600]);
}

#[test]
fn gf64_does_not_depend_on_the_backend() {
    check_lengths(Family::Gf64, 0..=4096, false);
    check_lengths(Family::Gf64, 5080..=5280, false);
    check_counts(Family::Gf64, &[0, 1, 31, 32, 600, 5200]);
}

#[test]
fn lfsr128_does_not_depend_on_the_backend() {
    check_lengths(Family::Lfsr128, 0..=4096, true);
    check_counts(Family::Lfsr128, &[0, 1, 47, 48, 800, 1600]);
}

/// Fields of which two blocks share a word, up to 21 bits.
#[test]
fn small_fields_do_not_depend_on_the_backend() {
    for (tag_bits, extra_bits) in [(8, 12), (8, 13)] {
        let family = Family::Small(Small::new(tag_bits, extra_bits).unwrap());
        check_lengths(family, 0..=4096, true);
    }
    for (tag_bits, extra_bits) in [(2, 1), (7, 9), (8, 9), (3, 7)] {
        let family = Family::Small(Small::new(tag_bits, extra_bits).unwrap());
        let max = family.message_bytes_max();
        check_lengths(family, 0..=max.min(1100), true);
        check_counts(family, &[0, max.min(1), max.min(200), max.min(700)]);
    }
}

/// Fields of which one block fills a word, 22 to 64 bits; those of 58 and 62 bits have the longest tails.
#[test]
fn larger_small_fields_do_not_depend_on_the_backend() {
    for (tag_bits, extra_bits) in [(8, 14), (20, 38), (30, 32), (32, 32)] {
        let family = Family::Small(Small::new(tag_bits, extra_bits).unwrap());
        check_lengths(family, 0..=4096, true);
        check_counts(family, &[0, 1, 200, 1000]);
    }
}

#[test]
fn fields_of_every_size_do_not_depend_on_the_backend() {
    let raw = random(5, 19 * 16);
    for width in 3..=64 {
        let tag_bits = (width - 1).min(32);
        let family = Family::Small(Small::new(tag_bits, width - tag_bits).unwrap());
        let keys = keys(family, &raw, 19);
        for bytes in [1, 5, 100, 333] {
            let message = random(6, bytes.min(family.message_bytes_max()));
            check(&keys, &message);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_key_or_message_tells_the_backends_apart(
        raw in prop::collection::vec(any::<u8>(), 5 * 32),
        message in prop::collection::vec(any::<u8>(), 0..2000),
        tag_bits in 2..=32_u32,
        count in 1..=5_usize,
    ) {
        let small = Small::for_message(tag_bits, message.len()).unwrap();
        for family in [Family::Gf128, Family::Gf64, Family::Lfsr128, Family::Small(small)] {
            check(&keys(family, &raw, count), &message);
        }
    }

    /// Hashes are linear in the message but for its length: the hash of the sum is the sum of the hashes.
    #[test]
    fn hashes_of_messages_of_one_length_add_up(
        raw in prop::collection::vec(any::<u8>(), 5 * 32),
        pairs in prop::collection::vec(any::<(u8, u8)>(), 0..2000),
    ) {
        let (a, b): (Vec<u8>, Vec<u8>) = pairs.into_iter().unzip();
        let sum: Vec<u8> = a.iter().zip(&b).map(|(a, b)| a ^ b).collect();
        let zero = vec![0; a.len()];
        let small = Small::for_message(8, a.len()).unwrap();
        for family in [Family::Gf128, Family::Gf64, Family::Lfsr128, Family::Small(small)] {
            let keys = keys(family, &raw, 3);
            let hash = |message: &[u8]| hashes(&keys, Backend::detect(), message);
            let [a, b, sum, zero] = [&a, &b, &sum, &zero].map(|message| hash(message));
            for i in 0..a.len() {
                prop_assert_eq!(a[i] ^ b[i], sum[i] ^ zero[i], "{}", family);
            }
        }
    }
}

#[test]
fn a_backend_is_found_and_listed() {
    assert!(Backend::Portable.is_available());
    assert!(Backend::detect().is_available());
    let best = Backend::ALL
        .into_iter()
        .find(|backend| backend.is_available());
    assert_eq!(best, Some(Backend::detect()));
}
