//! Values with one encoding: read back, or refused with the place.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use tieline_units::canonical::{BYTES_MAX, Bounded as _};
use tieline_units::{
    Canonical, ChainId, Currency, DecodeError, Decoder, Digest, Encoder, Energy, IntervalLength,
    MicrogridId, Money, Power, Price, SiteId, Time, canonical, canonical_enum,
};

/// One of each sort of field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Record {
    chain: ChainId,
    members: BTreeMap<MicrogridId, Option<Money>>,
    seats: BTreeSet<u8>,
    choice: Choice,
    note: String,
    sealed: Arc<[u8]>,
    shared: Arc<Vec<u16>>,
}

canonical!(Record[4096] { chain, members, seats[3], choice, note[16], sealed[8], shared });

/// One of each sort of variant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Choice {
    Plain,
    Pair(Time, bool),
    Named { digest: Digest, list: Vec<u32> },
}

canonical_enum!(Choice { 1 => Plain, 2 => Pair(time, flag), 7 => Named { digest, list[2] } });

fn texts() -> impl Strategy<Value = String> {
    "[\\x00-\\x7fäß東]{0,5}"
}

fn names() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9_-]{1,64}"
}

fn choices() -> impl Strategy<Value = Choice> {
    prop_oneof![
        Just(Choice::Plain),
        any::<(u64, bool)>().prop_map(|(time, flag)| Choice::Pair(Time::from_millis(time), flag)),
        (any::<[u8; 32]>(), vec(any::<u32>(), 0..=2)).prop_map(|(digest, list)| Choice::Named {
            digest: Digest::from_bytes(digest),
            list,
        }),
    ]
}

fn records() -> impl Strategy<Value = Record> {
    let member = names().prop_map(|name| MicrogridId::parse(&name).unwrap());
    let money = any::<Option<i64>>().prop_map(|money| money.map(Money::from_millionths));
    (
        names().prop_map(|name| ChainId::parse(&name).unwrap()),
        btree_map(member, money, 0..4),
        btree_set(any::<u8>(), 0..=3),
        choices(),
        texts(),
        vec(any::<u8>(), 0..=8),
        vec(any::<u16>(), 0..4),
    )
        .prop_map(
            |(chain, members, seats, choice, note, sealed, shared)| Record {
                chain,
                members,
                seats,
                choice,
                note: note.chars().take(5).collect(),
                sealed: Arc::from(sealed),
                shared: Arc::new(shared),
            },
        )
}

/// Read back as it was; no shorter input is a value, and nothing may follow.
fn round_trip<T: Canonical + PartialEq + Debug>(value: &T) {
    let mut bytes = value.to_bytes();
    assert_eq!(T::decode(&bytes).as_ref(), Ok(value));
    for end in 0..bytes.len() {
        let error = T::decode(&bytes[..end]).unwrap_err();
        assert!(matches!(error, DecodeError::Ends { .. }), "{error}");
    }
    let at = bytes.len();
    bytes.push(0);
    assert_eq!(
        T::decode(&bytes),
        Err(DecodeError::Trailing { at, count: 1 })
    );
}

proptest! {
    #[test]
    fn every_sort_of_value_is_read_back_and_no_part_of_it_is_a_value(
        unsigned in any::<(u8, u16, u32, u64)>(),
        signed in any::<i64>(),
        flag in any::<bool>(),
        bytes in any::<[u8; 32]>(),
        text in texts(),
        name in names(),
        list in vec(any::<Option<(u8, bool)>>(), 0..6),
        set in btree_set(any::<i64>(), 0..6),
        map in btree_map(any::<(u8, u64)>(), texts(), 0..6),
        length in 0..4_usize,
    ) {
        let (a, b, c, d) = unsigned;
        round_trip(&a);
        round_trip(&b);
        round_trip(&c);
        round_trip(&d);
        round_trip(&signed);
        round_trip(&Energy::from_millijoules(signed));
        round_trip(&Power::from_milliwatts(signed));
        round_trip(&Price::from_millionths(signed));
        round_trip(&Money::from_millionths(signed));
        round_trip(&Time::from_millis(d));
        round_trip(&flag);
        round_trip(&bytes);
        round_trip(&Digest::from_bytes(bytes));
        round_trip(&text);
        round_trip(&Arc::<[u8]>::from(text.as_bytes()));
        round_trip(&ChainId::parse(&name).unwrap());
        round_trip(&MicrogridId::parse(&name).unwrap());
        round_trip(&SiteId::parse(&name).unwrap());
        round_trip(&IntervalLength::ALL[length]);
        round_trip(&Currency::parse(["EUR", "CNY", "USD", "GBP"][length]).unwrap());
        round_trip(&flag.then_some(text.clone()));
        round_trip(&(a, signed, Arc::new(text)));
        round_trip(&list);
        round_trip(&set);
        round_trip(&map);
        round_trip(&());
    }

    #[test]
    fn records_and_variants_are_read_back(record in records(), choice in choices()) {
        round_trip(&record);
        round_trip(&choice);
    }

    #[test]
    fn what_decodes_is_what_its_value_encodes_to(record in records(), at in any::<prop::sample::Index>(), mask in 1..=255_u8) {
        let mut bytes = record.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        if let Ok(other) = Record::decode(&bytes) {
            prop_assert_ne!(&other, &record);
            prop_assert_eq!(other.to_bytes(), bytes);
        }
    }

    #[test]
    fn any_bytes_are_a_value_with_just_these_bytes_or_none(bytes in vec(0..4_u8, 0..40)) {
        fn canonical<T: Canonical>(bytes: &[u8]) -> Result<(), TestCaseError> {
            if let Ok(value) = T::decode(bytes) {
                prop_assert_eq!(value.to_bytes(), bytes);
            }
            Ok(())
        }
        canonical::<BTreeMap<u8, bool>>(&bytes)?;
        canonical::<BTreeSet<Option<u8>>>(&bytes)?;
        canonical::<Vec<(bool, Option<u16>)>>(&bytes)?;
        canonical::<Vec<String>>(&bytes)?;
        canonical::<Vec<()>>(&bytes)?;
        canonical::<Choice>(&bytes)?;
    }
}

/// Bytes, the type they are to be, and what is wrong with them.
fn refused<T: Canonical + PartialEq + Debug>(bytes: &[u8], expected: &DecodeError, text: &str) {
    let error = T::decode(bytes).unwrap_err();
    assert_eq!(&error, expected);
    assert_eq!(error.to_string(), text);
}

fn invalid(at: usize, what: &'static str, found: &str) -> DecodeError {
    let found = found.to_owned();
    DecodeError::Invalid { at, what, found }
}

#[test]
fn each_refusal_names_the_place_and_what_is_there() {
    let (at, wanted, left) = (2, 8, 3);
    let ends = DecodeError::Ends { at, wanted, left };
    refused::<(u16, u64)>(&[0; 5], &ends, "byte 2: 8 bytes wanted, 3 left");
    let trailing = DecodeError::Trailing { at: 1, count: 2 };
    refused::<bool>(
        &[1, 0, 0],
        &trailing,
        "2 bytes after the end of the value at byte 1",
    );
    let (at, length, max) = (0, BYTES_MAX + 1, BYTES_MAX);
    let long = DecodeError::TooLong { at, length, max };
    refused::<String>(
        &[0, 0x10, 0, 1],
        &long,
        "byte 0: length 1048577 is above 1048576",
    );
    let order = DecodeError::Order { at: 5 };
    refused::<BTreeSet<u8>>(
        &[0, 0, 0, 2, 7, 7],
        &order,
        "byte 5: not above the member before it",
    );
    let yes_or_no = invalid(1, "yes or no", "2");
    refused::<(u8, bool)>(&[0, 2], &yes_or_no, "byte 1: 2 is no yes or no");
    let variant = invalid(0, "Choice", "3");
    refused::<Choice>(&[3], &variant, "byte 0: 3 is no Choice");
}

#[test]
fn members_of_sets_and_maps_rise_strictly() {
    let order = |at| Err(DecodeError::Order { at });
    let set = |members: &[u8]| BTreeSet::<u8>::decode(&[&[0, 0, 0, 3], members].concat());
    assert_eq!(set(&[1, 2, 3]), Ok(BTreeSet::from([1, 2, 3])));
    assert_eq!(set(&[1, 3, 2]), order(6).map(|()| BTreeSet::new()));
    assert_eq!(set(&[1, 2, 2]), order(6).map(|()| BTreeSet::new()));
    assert_eq!(set(&[2, 1, 3]), order(5).map(|()| BTreeSet::new()));
    let map = |entries: &[u8]| BTreeMap::<u8, bool>::decode(&[&[0, 0, 0, 2], entries].concat());
    assert!(map(&[1, 1, 2, 0]).is_ok());
    for same_or_less in [[2, 0, 2, 1], [2, 0, 1, 0]] {
        assert_eq!(map(&same_or_less), Err(DecodeError::Order { at: 6 }));
    }
    // Numbers rise by value, whatever their bytes.
    let signed = BTreeSet::from([-1_i64, 1]);
    assert_eq!(BTreeSet::decode(&signed.to_bytes()), Ok(signed));
}

#[test]
fn an_option_is_there_or_not() {
    assert_eq!(Option::<u8>::decode(&[0]), Ok(None));
    assert_eq!(Option::<u8>::decode(&[1, 9]), Ok(Some(9)));
    let error = Option::<u8>::decode(&[2, 9]);
    assert_eq!(error, Err(invalid(0, "yes or no", "2")));
}

fn text(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::default();
    encoder.bytes(bytes);
    encoder.into_bytes()
}

#[test]
fn ids_and_texts_are_what_they_are_for_people() {
    let id = |bytes: &[u8]| MicrogridId::decode(&text(bytes)).map(|id| id.to_string());
    assert_eq!(id(b"mg-1"), Ok("mg-1".to_owned()));
    assert_eq!(id(b""), Err(invalid(0, "MicrogridId", "")));
    assert_eq!(id(b"mg 1"), Err(invalid(0, "MicrogridId", "mg 1")));
    assert_eq!(id(b"a\0b"), Err(invalid(0, "MicrogridId", "a\\0b")));
    // One letter, and the same letter with its dots apart: neither is an id, so no two ids look alike.
    for umlaut in ["m\u{fc}hle", "mu\u{308}hle", "\u{430}bc"] {
        let error = ChainId::decode(&text(umlaut.as_bytes())).unwrap_err();
        assert!(
            matches!(error, DecodeError::Invalid { at: 0, .. }),
            "{error}"
        );
    }
    let (at, length, max) = (0, 65, 64);
    assert_eq!(
        id(&[b'a'; 65]),
        Err(DecodeError::TooLong { at, length, max })
    );
    assert!(id(&[b'a'; 64]).is_ok());
    for not_utf_8 in [&b"\xff"[..], b"\xc3", b"\xed\xa0\x80", b"\xc0\x80"] {
        let found = format!("{} bytes", not_utf_8.len());
        let expected = invalid(0, "text in UTF-8", &found);
        assert_eq!(String::decode(&text(not_utf_8)), Err(expected));
    }
}

#[test]
fn a_currency_has_one_spelling_and_an_interval_one_of_four_lengths() {
    let code = |bytes: &[u8]| Currency::decode(bytes).map(|currency| currency.to_string());
    assert_eq!(code(b"EUR"), Ok("EUR".to_owned()));
    for other in [b"eur", b"EUr", b"EU1", b"E\xc3\x84", b"\xff\xff\xff"] {
        let error = code(other).unwrap_err();
        assert!(
            matches!(error, DecodeError::Invalid { at: 0, .. }),
            "{error}"
        );
    }
    let lengths = (0..=255).filter(|&minutes| IntervalLength::decode(&[minutes]).is_ok());
    assert_eq!(lengths.collect::<Vec<_>>(), [5, 15, 30, 60]);
}

#[test]
fn bounds_are_checked_where_the_length_stands() {
    let too_long = |at, length, max| DecodeError::TooLong { at, length, max };
    let list = |count: u32| [&count.to_be_bytes()[..], &vec![0; count as usize]].concat();
    assert!(Vec::<u8>::decode(&list(1024)).is_ok());
    assert_eq!(Vec::<u8>::decode(&list(1025)), Err(too_long(0, 1025, 1024)));
    // A field's own bound, and the whole's.
    let named = |count: u32| [&[7][..], &[0; 32], &list(4 * count)].concat();
    let mut three = named(3);
    three[33..37].copy_from_slice(&3_u32.to_be_bytes());
    assert_eq!(Choice::decode(&three), Err(too_long(33, 3, 2)));
    assert_eq!(Record::decode(&[0; 4097]), Err(too_long(0, 4097, 4096)));
    let mut decoder = Decoder::new(&[0, 0, 0, 5, 1, 2, 3, 4, 5]);
    assert_eq!(
        Arc::<[u8]>::read_bounded(&mut decoder, 4),
        Err(too_long(0, 5, 4))
    );
    // Nothing but a count: at most one.
    assert!(Vec::<()>::decode(&1_u32.to_be_bytes()).is_ok());
    assert_eq!(
        Vec::<()>::decode(&2_u32.to_be_bytes()),
        Err(too_long(0, 2, 1))
    );
    assert_eq!(
        Vec::<[u8; 0]>::decode(&2_u32.to_be_bytes()),
        Err(too_long(0, 2, 1))
    );
}

thread_local! {
    static READ: Cell<usize> = const { Cell::new(0) };
}

/// Counts how many of it are read.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Counted(u8);

impl Canonical for Counted {
    const LIST_MAX: usize = usize::MAX;

    fn encode(&self, to: &mut Encoder) {
        self.0.encode(to);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        READ.set(READ.get() + 1);
        Canonical::read(from).map(Counted)
    }
}

#[test]
fn a_count_of_items_that_are_not_there_costs_nothing() {
    let ends = |at, wanted, left| DecodeError::Ends { at, wanted, left };
    let count = [0xff, 0xff, 0xff, 0xff, 1, 2, 3];
    assert_eq!(Vec::<Counted>::decode(&count), Err(ends(7, 1, 0)));
    assert_eq!(READ.take(), 4);
    assert_eq!(BTreeSet::<Counted>::decode(&count), Err(ends(7, 1, 0)));
    assert_eq!(READ.take(), 4);
    let count = [0xff, 0xff, 0xff, 0xff, 1, 2];
    assert_eq!(
        BTreeMap::<Counted, Counted>::decode(&count),
        Err(ends(6, 1, 0))
    );
    assert_eq!(READ.take(), 3);
    // Room grows with the items that came, not with the count.
    let items = [&200_u32.to_be_bytes()[..], &[0; 200]].concat();
    assert!(Vec::<u8>::decode(&items).unwrap().capacity() < 2 * 200);
    let mut decoder = Decoder::new(&[0xff, 0xff, 0xff, 0xff, 9]);
    let whole = decoder.bytes(usize::MAX);
    assert_eq!(whole, Err(ends(4, u32::MAX as usize, 1)));
    assert_eq!(decoder.at(), 4);
}

#[test]
fn a_digest_counts_for_one_kind_only() {
    let value = (7_u8, true);
    assert_ne!(value.digest("tieline.one/1"), value.digest("tieline.two/1"));
    let mut encoder = Encoder::new("tieline.one/1");
    value.encode(&mut encoder);
    assert_eq!(value.digest("tieline.one/1"), encoder.digest());
}
