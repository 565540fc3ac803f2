//! 6, 7: bad keys.

use tieline_uss::channel::{ChannelError, MAC_KEY_BITS, Opening, seal};
use tieline_uss::distribute::{DistributeError, Distribution};
use tieline_uss::draw;
use tieline_uss::family::Family;
use tieline_uss::key::{DerivedKey, ItsKey, KeyError, KeyStore as _, StoreError};

use crate::support::{between, draw_raw, epoch, from_signer, p, random, stores};

/// 6: a pad shorter than the text, of length 0, of zeros, or the same key twice [refused, nothing is handed out].
#[test]
fn attack_06_pads_too_short_empty_zero_or_repeated_are_refused() {
    let key = |bytes: usize| ItsKey::from_qkd_bits(vec![0x77; bytes]).unwrap();
    let text = [1; 100];
    let (have, need) = (MAC_KEY_BITS + 792, MAC_KEY_BITS + 800);
    let short = ChannelError::Key(KeyError::Short { have, need });
    assert_eq!(seal(b"", &text, 800, key(131)).err(), Some(short));
    let empty = ChannelError::Key(KeyError::Empty);
    assert_eq!(seal(b"", &[], 0, key(32)).err(), Some(empty));
    assert_eq!(Opening::new(0, key(32)).err(), Some(KeyError::Empty));
    assert_eq!(key(4).take(0).err(), Some(KeyError::Empty));
    for bytes in [16, 17, 4096] {
        let bits = bytes * 8;
        let zeros = ItsKey::from_qkd_bits(vec![0; bytes]);
        assert_eq!(zeros.err(), Some(KeyError::AllZero { bits }));
        assert_eq!(
            key(bytes).xor(key(bytes)).err(),
            Some(KeyError::AllZero { bits })
        );
    }
}

/// 6: a key of the wrong length where a round wants another [refused before anything is computed, by the link's name].
#[test]
fn attack_06_a_key_manager_that_delivers_wrong_lengths_stops_the_round() {
    let epoch = epoch((4, 1, 0), Family::Gf64, (3, &[0, 1]), 1);
    let raw = draw_raw(&epoch, &mut random(1));
    let need = epoch.parameters().set_key_bits();
    for (have, cause) in [
        (
            need - 1,
            KeyError::Short {
                have: need - 1,
                need,
            },
        ),
        (
            need + 8,
            KeyError::Long {
                have: need + 8,
                need,
            },
        ),
    ] {
        let mut store = stores(4, &raw).remove(1);
        let mut keys = draw::receiver_keys(&epoch, p(0), &mut store).unwrap();
        let key = ItsKey::from_qkd_bits(vec![1; have.div_ceil(8)])
            .unwrap()
            .take(have);
        keys.links.incoming.insert(p(3), key.unwrap());
        let found = Distribution::start(&epoch, p(0), keys, None, &mut random(2)).err();
        let link = between(p(3), p(0));
        assert_eq!(found, Some(DistributeError::Key { link, cause }));
    }
}

/// 6: more draws than key [the store refuses and hands out nothing; what is left still serves].
#[test]
fn attack_06_an_exhausted_pool_hands_out_nothing() {
    let epoch = epoch((4, 1, 0), Family::Gf64, (3, &[0, 1]), 1);
    let mut store = stores(4, &draw_raw(&epoch, &mut random(3))).remove(0);
    let link = from_signer(p(2));
    let all = epoch.parameters().shared_bits();
    drop(store.draw(link, all - 7).unwrap());
    let cause = KeyError::Short { have: 7, need: 8 };
    assert_eq!(
        store.draw(link, 8).err(),
        Some(StoreError::Pool { link, cause })
    );
    assert_eq!(store.draw(link, 7).unwrap().bits(), 7);
    assert_eq!(store.drawn_bits(link), all);
}

/// 7: the output of a key derivation where raw bits are demanded [no way from one type to the other: the examples in the
/// documentation of `key` must not compile; here, that a derived key gives no raw key and prints nothing].
#[test]
fn attack_07_a_derived_key_is_no_raw_key_and_prints_nothing() {
    let derived = DerivedKey::from_kdf_output(vec![0xab; 48]);
    assert_eq!(derived.expose(), [0xab; 48]);
    assert_eq!(format!("{derived:?}"), "DerivedKey(<redacted>, 48 bytes)");
    let source = include_str!("../../../src/key.rs");
    for (code, examples) in [("E0308", 1), ("E0599", 2)] {
        let example = format!("```compile_fail,{code}");
        assert_eq!(source.matches(&example).count(), examples);
    }
    for way in ["for ItsKey", "for DerivedKey"] {
        let impls = source
            .lines()
            .filter(|line| line.starts_with("impl") && line.contains(way));
        let impls: Vec<&str> = impls.collect();
        assert!(
            impls
                .iter()
                .all(|line| line.contains("Drop") || line.contains("Debug")),
            "{impls:?}"
        );
    }
}
