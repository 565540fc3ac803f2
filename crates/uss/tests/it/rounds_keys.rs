//! Keys, key stores, channels and parameters: what they give, and each refusal once.

use proptest::prelude::*;
use tieline_uss::bits::{BitReader, BitWriter};
use tieline_uss::channel::{
    Authenticated, ChannelError, MAC_KEY_BITS, Mac, OPEN_ATTEMPTS_MAX, Opening, authenticate, seal,
};
use tieline_uss::committee::Committee;
use tieline_uss::distribute::Receipt;
use tieline_uss::family::{Family, MESSAGE_BYTES_MAX, Small};
use tieline_uss::key::{ItsKey, KeyError, KeyStore as _, MemoryStore, StoreError, shared_stores};
use tieline_uss::parameters::{
    CHAINS_MAX, Epoch, FUNCTIONS_MAX, Limits, MESSAGES_MAX, ParameterError, Parameters, TAGS_MAX,
};
use tieline_uss::party::{EpochId, Party};

use crate::support::{FIRST, between, from_signer, p, random};

fn key(bytes: &[u8]) -> ItsKey {
    ItsKey::from_qkd_bits(bytes.to_vec()).unwrap()
}

fn noise(count: usize) -> Vec<u8> {
    (0..count).map(|i| (i * i * 31 + i * 7 + 3) as u8).collect()
}

/// All bits of a key but the first 256: zeros sealed under it.
fn tail(key: ItsKey) -> Vec<u8> {
    let bits = key.bits() - MAC_KEY_BITS;
    let zeros = vec![0; bits.div_ceil(8)];
    seal(b"", &zeros, bits, key).unwrap().ciphertext
}

/// The bits from `first` to `end` of `bytes`, packed.
fn slice(bytes: &[u8], first: usize, end: usize) -> Vec<u8> {
    let mut reader = BitReader::new(bytes);
    reader.skip(first);
    let mut writer = BitWriter::with_capacity(end - first);
    (first..end).for_each(|_| writer.write(reader.read(1).unwrap(), 1));
    writer.into_bytes()
}

#[test]
fn keys_of_no_bits_and_long_keys_of_zeros_are_refused() {
    let refused = |bytes: Vec<u8>| ItsKey::from_qkd_bits(bytes).err();
    assert_eq!(refused(vec![]), Some(KeyError::Empty));
    assert_eq!(refused(vec![0; 16]), Some(KeyError::AllZero { bits: 128 }));
    assert_eq!(refused(vec![0; 15]), None);
    assert_eq!(refused([vec![0; 99], vec![1]].concat()), None);
}

#[test]
fn a_refused_draw_leaves_the_key_as_it_was() {
    let mut whole = key(&noise(100));
    let (have, need) = (800, 801);
    assert_eq!(whole.take(801).err(), Some(KeyError::Short { have, need }));
    assert_eq!(whole.take(0).err(), Some(KeyError::Empty));
    assert_eq!(whole.bits(), 800);
    assert_eq!(tail(whole), noise(100)[32..]);
}

#[test]
fn an_exclusive_or_needs_two_different_keys_of_one_length() {
    let (short, long) = (|| key(&noise(40)), || key(&noise(41)));
    let (have, need) = (320, 328);
    assert_eq!(
        long().xor(short()).err(),
        Some(KeyError::Short { have, need })
    );
    let (have, need) = (328, 320);
    assert_eq!(
        short().xor(long()).err(),
        Some(KeyError::Long { have, need })
    );
    let bits = 320;
    assert_eq!(short().xor(short()).err(), Some(KeyError::AllZero { bits }));
    let other: Vec<u8> = noise(80)[40..].to_vec();
    let sum: Vec<u8> = noise(40).iter().zip(&other).map(|(a, b)| a ^ b).collect();
    assert_eq!(tail(short().xor(key(&other)).unwrap()), sum[32..]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What is drawn in pieces is what was put in, each bit once.
    #[test]
    fn pieces_of_a_key_are_its_bits_in_order(
        bytes in prop::collection::vec(any::<u8>(), 200..300).prop_filter("random", |b| b.iter().any(|b| *b > 0)),
        lengths in prop::collection::vec(257_usize..700, 1..4),
    ) {
        let mut whole = key(&bytes);
        let mut first = 0;
        for length in lengths {
            if first + length > bytes.len() * 8 {
                prop_assert!(whole.take(length).is_err());
                continue;
            }
            let piece = whole.take(length).unwrap();
            prop_assert_eq!(piece.bits(), length);
            prop_assert_eq!(tail(piece), slice(&bytes, first + MAC_KEY_BITS, first + length));
            first += length;
            prop_assert_eq!(whole.bits(), bytes.len() * 8 - first);
        }
    }

    /// Sealed and opened is as before; any changed bit, place or key is not opened.
    #[test]
    fn what_is_sealed_is_opened_and_nothing_else(
        plain in prop::collection::vec(any::<u8>(), 1..80),
        cut in 0_usize..8,
        flip in any::<prop::sample::Index>(),
    ) {
        let bits = plain.len() * 8 - cut;
        let plain = slice(&plain, 0, bits);
        let used = || { let mut all = key(&noise(200)); all.take(bits + MAC_KEY_BITS).unwrap() };
        let sealed = seal(b"here", &plain, bits, used()).unwrap();
        prop_assert_eq!(sealed.ciphertext.len(), plain.len());
        let mut opening = Opening::new(bits, used()).unwrap();
        let mut changed = sealed.clone();
        let flip = flip.index(bits);
        changed.ciphertext[flip / 8] ^= 0x80 >> (flip % 8);
        prop_assert_eq!(opening.open(b"here", &changed), Err(ChannelError::Forged));
        prop_assert_eq!(opening.open(b"there", &sealed), Err(ChannelError::Forged));
        prop_assert_eq!(opening.open(b"here", &sealed).unwrap().to_vec(), plain);
    }
}

#[test]
fn both_ends_of_a_link_draw_the_same_bits_and_directions_share_none() {
    let mut stores = shared_stores(2, 1000, &mut random(1));
    let (mut first, rest) = (stores.remove(0), stores);
    let [mut one, mut two] = <[MemoryStore; 2]>::try_from(rest).unwrap();
    for bits in [300, 320, 300] {
        let there = tail(one.draw(between(p(0), p(1)), bits).unwrap());
        let back = tail(one.draw(between(p(1), p(0)), bits).unwrap());
        assert_eq!(there, tail(two.draw(between(p(0), p(1)), bits).unwrap()));
        assert_eq!(back, tail(two.draw(between(p(1), p(0)), bits).unwrap()));
        assert_ne!(there, back);
        let shared = tail(first.draw(from_signer(p(1)), bits).unwrap());
        assert_eq!(shared, tail(two.draw(from_signer(p(1)), bits).unwrap()));
    }
    let link = from_signer(p(1));
    let (have, need) = (1000 - 920, 81);
    let cause = KeyError::Short { have, need };
    assert_eq!(
        two.draw(link, 81).err(),
        Some(StoreError::Pool { link, cause })
    );
    assert_eq!(two.drawn_bits(link), 920);
    assert!(two.draw(link, 80).is_ok());
    let link = from_signer(p(0));
    assert_eq!(two.draw(link, 1).err(), Some(StoreError::NoPool { link }));
    let (epoch, counter) = (EpochId(1), FIRST);
    assert!(two.spend(epoch, counter).is_ok());
    let again = Some(StoreError::SpentBefore { epoch, counter });
    assert_eq!(two.spend(epoch, counter).err(), again);
}

#[test]
fn sealing_takes_exactly_as_much_key_as_it_uses() {
    let refused =
        |bits: usize, plain: &[u8], bytes: usize| seal(b"", plain, bits, key(&noise(bytes))).err();
    let (have, need) = (256, 264);
    let short = KeyError::Short { have, need };
    assert_eq!(refused(8, &[1], 32), Some(ChannelError::Key(short)));
    let (have, need) = (272, 264);
    let long = KeyError::Long { have, need };
    assert_eq!(refused(8, &[1], 34), Some(ChannelError::Key(long)));
    let empty = Some(ChannelError::Key(KeyError::Empty));
    assert_eq!(refused(0, &[], 32), empty);
    assert_eq!(refused(0, &[1], 32), empty);
    let (bytes, expected) = (2, 1);
    let length = ChannelError::Length { bytes, expected };
    assert_eq!(refused(8, &[1, 2], 33), Some(length));
    let opening = |bits, bytes| Opening::new(bits, key(&noise(bytes))).err();
    assert_eq!(opening(0, 32), Some(KeyError::Empty));
    let (have, need) = (256, 264);
    assert_eq!(opening(8, 32), Some(KeyError::Short { have, need }));
    let need = usize::MAX;
    assert_eq!(
        opening(usize::MAX, 32),
        Some(KeyError::Short { have, need })
    );
}

#[test]
fn wrong_messages_leave_the_key_for_the_right_one_up_to_a_number_of_attempts() {
    let sealed = seal(b"c", &[7, 8], 16, key(&noise(34))).unwrap();
    let mut opening = Opening::new(16, key(&noise(34))).unwrap();
    let mut cut = sealed.clone();
    cut.ciphertext.pop();
    let (bytes, expected) = (1, 2);
    let length = Err(ChannelError::Length { bytes, expected });
    for _ in 0..2 * OPEN_ATTEMPTS_MAX {
        assert_eq!(opening.open(b"c", &cut), length, "costs no attempt");
    }
    let mut forged = sealed.clone();
    forged.mac.0 ^= 1;
    for _ in 1..OPEN_ATTEMPTS_MAX {
        assert_eq!(opening.open(b"c", &forged), Err(ChannelError::Forged));
    }
    assert_eq!(opening.open(b"c", &sealed).unwrap().to_vec(), [7, 8]);
    let spent = Err(ChannelError::TooManyAttempts);
    assert_eq!(opening.open(b"c", &sealed), spent);
}

#[test]
fn an_authenticated_value_has_the_sender_whose_key_it_bears() {
    let receipt = || Receipt {
        epoch: EpochId(1),
        counter: FIRST,
    };
    let bytes = tieline_uss::channel::Canonical::canonical(&receipt());
    let mac = authenticate(b"link", &bytes, key(&noise(32))).unwrap();
    let check = |context: &[u8], value, mac, length| {
        Authenticated::by_mac(p(1).into(), value, context, mac, key(&noise(length)))
    };
    let sent = check(b"link", receipt(), mac, 32).unwrap();
    assert_eq!(
        (sent.from(), sent.value()),
        (Party::Receiver(p(1)), &receipt())
    );
    let forged = Some(ChannelError::Forged);
    assert_eq!(check(b"other", receipt(), mac, 32).err(), forged);
    assert_eq!(check(b"link", receipt(), Mac(mac.0 ^ 1), 32).err(), forged);
    let other = Receipt {
        epoch: EpochId(2),
        counter: FIRST,
    };
    assert_eq!(check(b"link", other, mac, 32).err(), forged);
    let (have, need) = (248, 256);
    let short = ChannelError::Key(KeyError::Short { have, need });
    assert_eq!(check(b"link", receipt(), mac, 31).err(), Some(short));
    let large = vec![0; MESSAGE_BYTES_MAX];
    let bytes = MESSAGE_BYTES_MAX + 8;
    let long = Some(ChannelError::TooLong { bytes });
    assert_eq!(authenticate(b"", &large, key(&noise(32))).err(), long);
}

#[test]
fn parameters_out_of_range_are_refused_by_name() {
    let limits = |messages, message_bytes| Limits {
        messages,
        message_bytes,
    };
    let refused = |(n, w, l), family, k, budgets: &[u16], limits| {
        let committee = Committee::new(n, w, l).unwrap();
        Parameters::new(committee, family, k, budgets.to_vec(), limits).err()
    };
    let four = (4, 1, 0);
    let (gf64, one) = (Family::Gf64, limits(1, 100));
    for functions in [0, FUNCTIONS_MAX + 1, u16::MAX] {
        let found = refused(four, gf64, functions, &[0, 1], one);
        assert_eq!(found, Some(ParameterError::Functions { functions }));
    }
    let tags = 128 * 128 * 257;
    assert_eq!(
        refused((128, 1, 0), gf64, 257, &[0, 1], one),
        Some(ParameterError::Tags { tags })
    );
    assert_eq!(refused((128, 1, 0), gf64, 256, &[0, 1], one), None);
    assert_eq!(TAGS_MAX, 128 * 128 * 256);
    for given in [0, 1, 3] {
        let found = refused(four, gf64, 9, &[0, 1, 2][..given], one);
        assert_eq!(
            found,
            Some(ParameterError::BudgetCount { given, levels: 2 })
        );
    }
    for budgets in [[1, 1], [2, 1], [0, 3]] {
        let expected = ParameterError::Budgets {
            budgets: budgets.to_vec(),
            functions: 3,
        };
        assert_eq!(refused(four, gf64, 3, &budgets, one), Some(expected));
    }
    let (receivers, tolerated, transfers) = (4, 1, 0);
    let not_live = ParameterError::NotLive {
        receivers,
        tolerated,
        transfers,
    };
    assert_eq!(refused((4, 2, 0), gf64, 3, &[0, 1], one), Some(not_live));
    let small = Family::Small(Small::new(5, 8).unwrap());
    for (family, most) in [(gf64, MESSAGE_BYTES_MAX), (small, 417)] {
        let bytes = most + 1;
        let expected = ParameterError::MessageBytes {
            bytes,
            family,
            most,
        };
        assert_eq!(
            refused(four, family, 3, &[0, 1], limits(1, bytes)),
            Some(expected)
        );
    }
    for messages in [0, MESSAGES_MAX + 1] {
        let found = refused(four, gf64, 3, &[0, 1], limits(messages, 100));
        assert_eq!(found, Some(ParameterError::Messages { messages }));
    }
}

#[test]
fn epochs_without_proper_names_or_room_for_a_body_are_refused() {
    let refused = |signer: &str, chains: &[&str], message_bytes| {
        let limits = Limits {
            messages: 1,
            message_bytes,
        };
        let committee = Committee::new(4, 1, 0).unwrap();
        let parameters = Parameters::new(committee, Family::Gf64, 3, vec![0, 1], limits).unwrap();
        Epoch::new(EpochId(1), signer, chains, parameters).err()
    };
    let long = "s".repeat(65);
    let name = |what, text: &str| {
        Some(ParameterError::Name {
            what,
            text: text.to_owned(),
        })
    };
    assert_eq!(refused("", &["x"], 100), name("signer", ""));
    assert_eq!(refused(&long, &["x"], 100), name("signer", &long));
    assert_eq!(refused("s", &["x", ""], 100), name("chain", ""));
    assert_eq!(refused("s", &[], 100), name("chains", ""));
    let many = ["x"; CHAINS_MAX + 1];
    assert_eq!(refused("s", &many, 200), name("chains", &many.join(", ")));
    let (bytes, header) = (55, 55);
    assert_eq!(
        refused("s", &["x"], bytes),
        Some(ParameterError::NoBody { bytes, header })
    );
    assert_eq!(refused("s", &["x"], 56), None);
    assert_eq!(refused(&long[1..], &["x"; CHAINS_MAX], 200), None);
}
