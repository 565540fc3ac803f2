//! 33: keys that stay in memory after they were used.
//!
//! Every key is filled with one pattern of eight bytes, and the process reads its own heap: the pattern must be there while
//! the key lives, and nowhere afterwards. The stack is left out: safe code cannot wipe it.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "says what it leaves out, and reads this process's memory"
)]

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use tieline_uss::bits::BitReader;
use tieline_uss::channel::Opening;
use tieline_uss::family::{Family, HashKeys};
use tieline_uss::key::{DerivedKey, ItsKey, KeyStore as _, Spent};
use tieline_uss::paper::PaperScheme;
use tieline_uss::party::Party;
use tieline_uss::sign::{Signer, SignerKeys};

use crate::support::{BODY, Draft, FIRST, draw_raw, epoch, from_signer, p, random, stores};

/// The pattern of one test; computed, so that no copy of it lies in memory.
#[derive(Clone, Copy)]
struct Pattern(u64);

impl Pattern {
    fn bytes(self) -> [u8; 8] {
        std::hint::black_box(self.0)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .to_be_bytes()
    }

    /// So many bytes of it, in a buffer that never grows.
    fn fill(self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = self.bytes()[place % 8];
        }
        bytes
    }

    fn key(self, count: usize) -> ItsKey {
        ItsKey::from_qkd_bits(self.fill(count)).unwrap()
    }

    /// How often the pattern lies in the heap, in either order of bytes; `None` where memory cannot be read.
    fn count(self) -> Option<usize> {
        let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
        let memory = File::open("/proc/self/mem").ok()?;
        let on_stack = 0_u8;
        let stack = std::ptr::from_ref(&on_stack).addr();
        let mut buffer = vec![0; 1 << 16];
        let own = buffer.as_ptr().addr()..buffer.as_ptr().addr() + buffer.len();
        let mut found = 0;
        for (start, end) in maps.lines().filter_map(heap) {
            if (start..end).contains(&stack) {
                continue;
            }
            let mut at = start;
            while at + 8 <= end {
                let length = buffer.len().min(end - at);
                let Ok(read) = memory.read_at(&mut buffer[..length], at as u64) else {
                    break;
                };
                let (there, back) = (self.bytes(), self.0);
                let reversed = back.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
                let places = buffer[..read].windows(8).enumerate();
                let hits = places.filter(|(_, window)| **window == there || **window == reversed);
                found += hits
                    .filter(|(place, _)| !own.contains(&(at + place)))
                    .count();
                if read < 8 {
                    break;
                }
                at += read - 7;
                if read < length || at + 8 > end {
                    break;
                }
            }
            buffer.fill(0);
        }
        Some(found)
    }
}

/// The addresses of a line of `/proc/self/maps` that is writable and belongs to no file.
fn heap(line: &str) -> Option<(usize, usize)> {
    let mut words = line.split_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let writable = words.next()?.starts_with("rw");
    let file = words.nth(3);
    let anonymous = matches!(file, None | Some("[heap]"));
    let address = |text| usize::from_str_radix(text, 16).ok();
    (writable && anonymous).then_some((address(start)?, address(end)?))
}

/// `live` makes the value: its pattern is found then, and not after it is dropped.
fn check<T>(what: &str, seed: u64, least: usize, live: impl FnOnce(Pattern) -> T) {
    let pattern = Pattern(0x7a11_e001 + seed);
    let value = live(pattern);
    let Some(before) = pattern.count() else {
        println!("skipped: attack_33 {what}: no /proc/self/mem to read");
        return;
    };
    assert!(
        before >= least,
        "{what}: {before} of {least} found while it lives"
    );
    drop(value);
    assert_eq!(pattern.count(), Some(0), "{what}: left behind");
}

/// 33: the control: an ordinary buffer [found while it lives, and after it was freed or not; the search is not blind].
#[test]
fn attack_33_the_search_finds_what_is_not_wiped() {
    let pattern = Pattern(0x7a11_e000);
    let buffer = std::hint::black_box(pattern.fill(4096));
    let kept: Vec<u64> = std::hint::black_box(
        buffer
            .chunks(8)
            .map(|c| u64::from_be_bytes(c.try_into().unwrap()))
            .collect(),
    );
    match pattern.count() {
        None => println!("skipped: attack_33: no /proc/self/mem to read"),
        Some(found) => assert!(found >= 1024, "both orders of bytes: {found}"),
    }
    assert_eq!(kept.len(), 512);
}

/// 33: raw and derived keys, whole, in pieces, in stores and in sums [wiped].
#[test]
fn attack_33_raw_and_derived_keys_leave_nothing() {
    check("ItsKey", 1, 512, |pattern| pattern.key(4096));
    check("pieces of an ItsKey", 2, 512, |pattern| {
        let mut whole = pattern.key(4096);
        let pieces: Vec<ItsKey> = (0..4).map(|_| whole.take(64 * 100).unwrap()).collect();
        (whole, pieces)
    });
    check("DerivedKey", 3, 8, |pattern| {
        DerivedKey::from_kdf_output(pattern.fill(64))
    });
    check("MemoryStore", 4, 16, |pattern| {
        let mut store = tieline_uss::key::MemoryStore::default();
        store.fill(from_signer(p(0)), pattern.key(64));
        store.fill(from_signer(p(0)), pattern.key(128));
        let drawn = store.draw(from_signer(p(0)), 64).unwrap();
        (store, drawn)
    });
    check("the sum of two keys", 5, 0, |pattern| {
        let other = ItsKey::from_qkd_bits(vec![0x3c; 512]).unwrap();
        pattern.key(512).xor(other).unwrap()
    });
}

/// 33: what is drawn is wiped where it was, so that only the piece has it.
#[test]
fn attack_33_a_piece_of_a_key_exists_once() {
    let pattern = Pattern(0x7a11_e010);
    let mut whole = pattern.key(4096);
    let piece = whole.take(2048 * 8).unwrap();
    if let Some(found) = pattern.count() {
        assert_eq!(found, 512, "half in the piece, half in the rest");
        drop(piece);
        assert_eq!(pattern.count(), Some(256));
    }
}

/// 33: hash keys, read, copied and grown [wiped].
#[test]
fn attack_33_hash_keys_leave_nothing() {
    check("HashKeys", 20, 100, |pattern| {
        let bytes = zeroize::Zeroizing::new(pattern.fill(800));
        let keys = HashKeys::read(Family::Gf64, &mut BitReader::new(&bytes), 100).unwrap();
        let mut grown = HashKeys::with_capacity(Family::Gf64, 0);
        (0..100).for_each(|index| grown.push_from(&keys, index).unwrap());
        let mut hashes = Vec::new();
        grown.hash(BODY, &mut hashes).unwrap();
        (keys, grown)
    });
}

/// 33: a key that waits for its message [wiped, whether the message came or not].
#[test]
fn attack_33_openings_leave_nothing() {
    check("Opening", 30, 8, |pattern| {
        Opening::new(256, pattern.key(64)).unwrap()
    });
    check("Opening after use", 31, 8, |pattern| {
        let sealed = tieline_uss::channel::seal(b"c", &[9; 32], 256, pattern.key(64)).unwrap();
        let mut opening = Opening::new(256, pattern.key(64)).unwrap();
        assert_eq!(opening.open(b"c", &sealed).unwrap().to_vec(), [9; 32]);
        // The sealed form of a known text would show the pad to whoever has both.
        (opening, sealed.mac)
    });
}

/// 33: the signer before it signs, after, and gone [pads are wiped with the signature, everything with the signer].
#[test]
fn attack_33_a_signer_leaves_nothing_and_forgets_pads_when_it_signs() {
    let signer = |pattern: Pattern| {
        let epoch = epoch((4, 1, 0), Family::Gf64, (8, &[0, 1]), 1);
        let bytes = epoch.parameters().shared_bits() / 8;
        let keys = (0..4)
            .map(|_| SignerKeys {
                shared: pattern.key(bytes),
                offer: None,
            })
            .collect();
        Signer::new(epoch, keys, &mut random(1)).unwrap().0
    };
    check("Signer", 40, 2 * 128, signer);
    check("Signer after signing", 41, 128, |pattern| {
        let mut signer = signer(pattern);
        let before = pattern.count();
        let spent = Spent::recorded_durably(signer.epoch().id(), FIRST);
        let signed = signer.sign(spent, BODY).unwrap();
        if let (Some(before), Some(after)) = (before, pattern.count()) {
            assert_eq!(before - after, 128, "the pads");
        }
        (signer, signed)
    });
}

/// 33: all parties of an epoch, from distribution to verdict [pads are gone with the test; in the end nothing is left].
#[test]
fn attack_33_verifiers_leave_nothing() {
    check("Verifier", 50, 128, |pattern| {
        let epoch = epoch((4, 1, 0), Family::Gf64, (8, &[0, 1]), 1);
        let mut raw = draw_raw(&epoch, &mut random(2));
        for (link, bytes) in &mut raw {
            if link.from == Party::Signer {
                let shared = zeroize::Zeroizing::new(pattern.fill(bytes.len()));
                bytes.copy_from_slice(&shared);
            }
        }
        let mut world = Draft::of(epoch, raw, &mut random(3)).delivered();
        world.forget_raw();
        let signed = world.sign();
        let finalised = world.order(signed);
        for verdict in world.parties.verify(&finalised).unwrap().iter().skip(1) {
            assert!(verdict.is_accepted());
        }
        world.parties.verifiers
    });
}

/// 33: `Debug` of everything that holds keys [redacted].
#[test]
fn attack_33_debug_prints_show_no_key() {
    let pattern = Pattern(0x7a11_e060);
    let bytes = pattern.fill(64);
    let hash_keys = HashKeys::read(Family::Gf64, &mut BitReader::new(&bytes), 8).unwrap();
    let epoch = epoch((4, 1, 0), Family::Gf64, (3, &[0, 1]), 1);
    let mut store = stores(4, &draw_raw(&epoch, &mut random(4))).remove(1);
    let texts = [
        format!("{:?}", pattern.key(64)),
        format!("{:?}", DerivedKey::from_kdf_output(bytes.clone())),
        format!("{hash_keys:?}"),
        format!("{:?}", Opening::new(256, pattern.key(64)).unwrap()),
        format!(
            "{:?}",
            tieline_uss::draw::receiver_keys(&epoch, p(0), &mut store).unwrap()
        ),
        format!("{:?}", PaperScheme::draw(4, 0, &mut random(5)).unwrap()),
    ];
    for text in texts {
        assert!(text.contains("<redacted>"), "{text}");
        let longest = text
            .split(|c: char| !c.is_ascii_hexdigit())
            .map(str::len)
            .max();
        assert!(longest < Some(8), "{text}");
        assert!(
            !text.contains(&bytes[0].to_string()) || bytes[0] < 100,
            "{text}"
        );
    }
}
