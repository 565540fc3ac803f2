//! The identification certificate and its parts.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use proptest::prelude::*;
use tieline_seal::hybrid::{KeyId, PublicKey, Signature, SigningKey, Strict, Suite};
use tieline_seal::identification::{
    Claim, Identification, IdentificationError, KEYS_MAX, PART_BYTES, PARTS_MAX, ScanError,
};
use tieline_units::canonical::{Canonical as _, DecodeError};
use tieline_units::{ChainId, Digest, MicrogridId, Time};

/// One key that signs, one that the certificate lists too, one that it does not know.
fn keys() -> &'static [SigningKey; 3] {
    static KEYS: OnceLock<[SigningKey; 3]> = OnceLock::new();
    KEYS.get_or_init(|| {
        [1, 2, 3].map(|seed| SigningKey::from_seed(Suite::Ed25519MlDsa65, &[seed; 32]))
    })
}

fn claim() -> Claim {
    let listed = keys()[..2].iter().map(|key| key.public_key().id());
    Claim {
        node: MicrogridId::parse("mg-1").unwrap(),
        chain: ChainId::parse("chain-1").unwrap(),
        genesis: Digest::of(b"genesis"),
        keys: listed.collect(),
        request: Digest::of(b"order"),
        issued: Time::parse("2026-01-02T03:04:05Z").unwrap(),
    }
}

fn certificate() -> &'static Identification {
    static CERTIFICATE: OnceLock<Identification> = OnceLock::new();
    CERTIFICATE.get_or_init(|| Identification::issue(claim(), &keys()[0]).unwrap())
}

fn verified(certificate: &Identification, key: &SigningKey) -> Result<(), IdentificationError> {
    certificate.verify(key.public_key(), &Strict)
}

fn scan<T: AsRef<str>>(parts: &[T]) -> Result<Identification, ScanError> {
    Identification::from_parts(parts.iter().map(AsRef::as_ref))
}

fn many(count: usize) -> BTreeSet<KeyId> {
    (0..count)
        .map(|at| KeyId(Digest::of(&[at as u8])))
        .collect()
}

/// A certificate of fixed bytes under a signature of zeros: its form is pinned whatever signatures are.
fn unsigned(suite: Suite, keys: BTreeSet<KeyId>) -> Identification {
    let mut bytes = vec![1];
    bytes.extend(Claim { keys, ..claim() }.to_bytes());
    bytes.extend(
        Signature::new(suite, &vec![0; suite.signature_bytes()])
            .unwrap()
            .to_bytes(),
    );
    Identification::decode(&bytes).unwrap()
}

#[test]
fn a_certificate_verifies_under_its_signers_key_in_both_suites() {
    for suite in [Suite::MlDsa65, Suite::Ed25519MlDsa65] {
        let key = SigningKey::from_seed(suite, &[9; 32]);
        let claim = Claim {
            keys: BTreeSet::from([key.public_key().id()]),
            ..claim()
        };
        let certificate = Identification::issue(claim.clone(), &key).unwrap();
        assert_eq!(certificate.claim(), &claim);
        assert_eq!(verified(&certificate, &key), Ok(()));
        assert_eq!(
            Identification::decode(&certificate.to_bytes()),
            Ok(certificate)
        );
    }
}

#[test]
fn neither_an_unlisted_key_nor_another_listed_one_passes() {
    let [_, listed, unknown] = keys();
    let node = claim().node;
    let not_listed = |key: &PublicKey| IdentificationError::NotListed {
        node: node.clone(),
        key: key.id(),
    };
    let expected = Err(not_listed(unknown.public_key()));
    assert_eq!(verified(certificate(), unknown), expected);
    assert_eq!(
        Identification::issue(claim(), unknown).err(),
        expected.err()
    );
    let key = listed.public_key().id();
    assert_eq!(
        verified(certificate(), listed),
        Err(IdentificationError::Signature {
            node: node.clone(),
            key
        })
    );
}

#[test]
fn a_certificate_lists_one_to_sixteen_keys() {
    for count in [0, KEYS_MAX + 1] {
        let claim = Claim {
            keys: many(count),
            ..claim()
        };
        let bytes = [[1].as_slice(), &claim.to_bytes()].concat();
        let read = Identification::decode(&bytes);
        assert!(
            matches!(read, Err(DecodeError::Invalid { at: 0, .. })),
            "{read:?}"
        );
        let issued = Identification::issue(claim, &keys()[0]);
        assert_eq!(issued, Err(IdentificationError::Keys { count }));
    }
    assert_eq!(
        unsigned(Suite::MlDsa65, many(KEYS_MAX)).claim().keys.len(),
        KEYS_MAX
    );
}

#[test]
fn a_certificate_of_another_version_is_refused() {
    let mut bytes = certificate().to_bytes();
    bytes[0] = 2;
    let read = Identification::decode(&bytes);
    assert!(
        matches!(read, Err(DecodeError::Invalid { at: 0, .. })),
        "{read:?}"
    );
}

/// The name and the part are from an independent implementation in Python.
#[test]
fn the_bytes_of_a_certificate_and_of_its_parts_are_pinned() {
    let certificate = unsigned(Suite::MlDsa65, many(1));
    assert_eq!(certificate.to_bytes().len(), 3438);
    assert_eq!(
        certificate.id().to_string(),
        "4eaa3e9b6419bd3392ee8646433283dab15901e012c67d5c15096f33d1603586"
    );
    let parts = certificate.to_parts(200);
    assert_eq!(parts.len(), 18);
    assert_eq!(
        parts[0],
        "TIELINE:1:1/18:4EAA3E9B6419BD33:V500008P0/1DY860001.0 8DZED4W545M$+L$FFP PGY2MT9$FCQ:B*UM3TU2DS9EJ5$F$ZHYGG0GE000100.-D2L1TEWJMF6 J/V8MVN*C1*AFHV3OTM9670$GJRKX:2*AK..760GA1TI$SI JCDKETRG/0$5RK7V5KFU6VML960B-4D+:60006908YFLYHV5000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000:"
    );
    assert_eq!(
        Digest::of(parts.concat().as_bytes()).to_string(),
        "da53f6d26cba70ac0bc23e3f4713080d717b32a182b7451d61c8a96d5ba35edf"
    );
}

#[test]
fn parts_of_the_default_size_fit_version_20_and_use_the_alphanumeric_mode_only() {
    let longest = Claim {
        node: MicrogridId::parse(&"n".repeat(64)).unwrap(),
        chain: ChainId::parse(&"c".repeat(64)).unwrap(),
        keys: many(KEYS_MAX - 1)
            .into_iter()
            .chain([keys()[0].public_key().id()])
            .collect(),
        ..claim()
    };
    let longest = Identification::issue(longest, &keys()[0]).unwrap();
    for (certificate, count) in [(certificate(), 6), (&longest, 7)] {
        let parts = certificate.to_parts(PART_BYTES);
        assert_eq!(parts.len(), count);
        for part in &parts {
            assert!(part.len() <= 970, "{} characters", part.len());
            let alphanumeric = |letter: char| {
                letter.is_ascii_digit()
                    || letter.is_ascii_uppercase()
                    || " $%*+-./:".contains(letter)
            };
            assert!(part.chars().all(alphanumeric), "{part}");
        }
    }
    for part_bytes in [0, 1, usize::MAX] {
        let parts = longest.to_parts(part_bytes);
        assert!(parts.len() <= usize::from(PARTS_MAX));
        assert!(parts.iter().all(|part| part.len() <= 4296));
        assert_eq!(scan(&parts).as_ref(), Ok(&longest));
    }
}

#[test]
fn space_around_parts_and_empty_lines_are_overlooked() {
    let text = certificate().to_parts(PART_BYTES).join(" \r\n\r\n\t");
    assert_eq!(
        Identification::from_parts(text.lines()).as_ref(),
        Ok(certificate())
    );
}

#[test]
fn missing_parts_are_named() {
    let mut parts = certificate().to_parts(PART_BYTES);
    parts.remove(4);
    let error = scan(&parts).unwrap_err();
    assert_eq!(
        error,
        ScanError::Missing {
            missing: vec![5],
            count: 6
        }
    );
    assert_eq!(error.to_string(), "1 part of 6 missing: scan 5");
    parts.remove(1);
    let error = scan(&parts).unwrap_err();
    assert_eq!(error.to_string(), "2 parts of 6 missing: scan 2, 5");
    assert_eq!(scan::<&str>(&[]), Err(ScanError::Nothing));
    assert_eq!(scan(&[" ", ""]), Err(ScanError::Nothing));
}

#[test]
fn parts_of_two_certificates_or_of_two_cuts_do_not_mix() {
    let parts = certificate().to_parts(PART_BYTES);
    let later = Claim {
        issued: claim().issued.plus_millis(1),
        ..claim()
    };
    let other = Identification::issue(later, &keys()[0]).unwrap();
    let name = |certificate: &Identification| certificate.id().to_string()[..16].to_uppercase();
    for (other, count) in [(&other, 6), (certificate(), 5)] {
        let foreign = &other.to_parts(3600 / count)[1];
        let scanned = scan(&[&parts[0], foreign]);
        assert_eq!(
            scanned,
            Err(ScanError::OtherCertificate {
                number: 2,
                expected: format!("{} in 6 parts", name(certificate())),
                found: format!("{} in {count} parts", name(other)),
            })
        );
    }
}

#[test]
fn changed_parts_are_refused_with_what_is_wrong() {
    let parts = certificate().to_parts(PART_BYTES);
    let mut swapped = parts.clone();
    swapped[0] = parts[0].replacen(":1/6:", ":2/6:", 1);
    assert_eq!(
        scan(&[&parts[1], &swapped[0]]),
        Err(ScanError::Conflict { number: 2 })
    );
    swapped[1] = parts[1].replacen(":2/6:", ":1/6:", 1);
    let changed = scan(&swapped).unwrap_err();
    assert!(matches!(changed, ScanError::Changed { .. }), "{changed}");
    let damaged = parts[2].replace(":0", ":!");
    let damaged = damaged[..damaged.len() - 2].to_owned() + "!:";
    assert_eq!(scan(&[damaged]), Err(ScanError::Damaged { number: 3 }));
    let form = parts[0].replacen("TIELINE:1:", "TIELINE:2:", 1);
    assert_eq!(
        scan(&[form]),
        Err(ScanError::Form {
            form: "2".to_owned()
        })
    );
    for (numbers, number, count) in [
        ("0/6", 0, 6),
        ("7/6", 7, 6),
        ("1/100", 1, 100),
        ("0/0", 0, 0),
    ] {
        let part = parts[0].replacen("1/6", numbers, 1);
        assert_eq!(scan(&[part]), Err(ScanError::Number { number, count }));
    }
}

#[test]
fn texts_that_are_no_part_are_refused_and_their_beginning_is_shown() {
    let part = certificate().to_parts(PART_BYTES).remove(0);
    let long = "TIELINE:1:".to_owned() + &"A".repeat(5000);
    for text in [
        "https://example.org",
        "TIELINE",
        "TIELINE:1:",
        &part.to_lowercase(),
        &part.replacen("1/6", "01/6", 1),
        &part.replacen("1/6", "+1/6", 1),
        &part.replacen("1/6", "1/256", 1),
        &part.replacen("1/6:", "1/6:A", 1),
        &part[..part.len() - 1],
        &long,
    ] {
        let shown = text.chars().take(40).collect();
        assert_eq!(
            scan(&[text]),
            Err(ScanError::NotAPart { text: shown }),
            "{text}"
        );
    }
    let control = scan(&["\u{1b}[2J"]).unwrap_err().to_string();
    assert_eq!(
        control,
        "'\\u{1b}[2J' is not a part of an identification certificate"
    );
}

#[test]
fn parts_that_belong_together_and_hold_something_else_are_no_certificate() {
    let scanned = scan(&["TIELINE:1:1/1:A9A7795C704ACB40:$D0-3ELQEF/DB2:"]);
    assert!(
        matches!(
            scanned,
            Err(ScanError::Malformed(DecodeError::Invalid { at: 0, .. }))
        ),
        "{scanned:?}"
    );
}

#[test]
fn no_certificate_with_one_byte_changed_verifies() {
    let bytes = certificate().to_bytes();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        if let Ok(certificate) = Identification::decode(&changed) {
            assert!(verified(&certificate, &keys()[0]).is_err(), "byte {at}");
        }
    }
}

#[test]
fn no_part_with_one_letter_changed_is_taken() {
    let parts = certificate().to_parts(PART_BYTES);
    for number in 0..parts.len() {
        for at in 0..parts[number].len() {
            let letter = ["0", "A", ":", "+", "~"][at % 5];
            let mut changed = parts.clone();
            changed[number].replace_range(at..=at, letter);
            let taken = changed != parts && scan(&changed).is_ok();
            assert!(!taken, "part {number}, letter {at}: {letter}");
        }
    }
}

proptest! {
    #[test]
    fn parts_in_any_order_with_duplicates_are_the_certificate(
        part_bytes in 30_usize..4000,
        (order, again) in (any::<u64>(), prop::collection::vec(any::<prop::sample::Index>(), 0..20)),
    ) {
        let mut parts = certificate().to_parts(part_bytes);
        let count = parts.len();
        parts.extend(again.iter().map(|at| at.get(&parts[..count]).clone()).collect::<Vec<_>>());
        parts.sort_by_key(|part| Digest::of(&[&order.to_be_bytes(), part.as_bytes()].concat()));
        let scanned = scan(&parts);
        prop_assert_eq!(scanned.as_ref(), Ok(certificate()));
    }

    #[test]
    fn any_texts_are_refused_without_a_panic(texts in prop::collection::vec("(TIELINE:1:[0-9]{1,3}/[0-9]{1,3}:[0-9A-F]{16}:)?.{0,40}", 0..5)) {
        prop_assert!(scan(&texts).is_err());
    }

    #[test]
    fn any_bytes_that_decode_are_the_encoding_of_what_they_decode_to(tail in prop::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>()) {
        let mut bytes = certificate().to_bytes();
        let at = at.index(bytes.len());
        bytes.splice(at.., tail);
        if let Ok(certificate) = Identification::decode(&bytes) {
            prop_assert_eq!(certificate.to_bytes(), bytes);
        }
    }
}
