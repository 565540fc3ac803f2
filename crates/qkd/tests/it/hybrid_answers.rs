//! Known answers of what hybrid keys are made with.

use std::collections::BTreeSet;

use ml_kem::ml_kem_768::{DecapsulationKey, EncapsulationKey};
use ml_kem::{Decapsulate as _, KeyExport as _, Seed};
use sha2::{Digest as _, Sha256};
use tieline_qkd::hybrid::{KeyRef, Label, Secrets, Terms, combine};
use tieline_qkd::store::KeyId;

use crate::hybrid::{PLACE, terms};
use crate::store_pair::sae;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

fn bytes32(text: &str) -> [u8; 32] {
    unhex(text).try_into().unwrap()
}

#[test]
fn the_combiner_gives_what_an_independent_program_computes() {
    // Values: HKDF over `hmac` and `hashlib` of Python 3, from the formula in the documentation of `combine`.
    let secrets = |qkd| Secrets {
        qkd,
        kem: &[0x11; 32],
        dh: &[0x22; 32],
    };
    let long: Vec<u8> = (0..40).collect();
    let place = Some(KeyRef::Position(0x0102_0304_0506_0708));
    let key = combine(
        &secrets(&long),
        "key",
        Label::Hybrid,
        &terms(),
        (&[0x33; 32], place),
    );
    assert_eq!(
        hex(&key),
        "f3105584a14b66348d146a375de0399eae96fc4583268d7d7e94b34391904826216631ad1e6ec11fe125393d8a06e459"
    );
    let bare = Terms {
        purpose: vec![],
        bytes: 32,
        ..terms()
    };
    let key = combine(
        &secrets(&[]),
        "key",
        Label::PqOnly,
        &bare,
        (&[0x33; 32], None),
    );
    assert_eq!(
        hex(&key),
        "a35fa3a52c8eb5d2ac0cb17bdad006c8ed07d1903ad8bf24e7c054a602b88df6"
    );
}

struct Input {
    qkd: Vec<u8>,
    kem: [u8; 32],
    dh: [u8; 32],
    name: &'static str,
    label: Label,
    terms: Terms,
    transcript: [u8; 32],
    place: Option<KeyRef>,
}

/// The first bytes of the key that an input gives, changed or not.
fn combined(change: impl Fn(&mut Input)) -> String {
    let mut input = Input {
        qkd: vec![1; 32],
        kem: [2; 32],
        dh: [3; 32],
        name: "key",
        label: Label::Hybrid,
        terms: terms(),
        transcript: [4; 32],
        place: Some(PLACE),
    };
    change(&mut input);
    let secrets = Secrets {
        qkd: &input.qkd,
        kem: &input.kem,
        dh: &input.dh,
    };
    let bound = (&input.transcript, input.place);
    let key = combine(&secrets, input.name, input.label, &input.terms, bound);
    hex(&key[..16])
}

#[test]
fn every_input_of_the_combiner_matters() {
    let keys = [
        combined(|_| {}),
        combined(|input| input.qkd.push(0)),
        combined(|input| input.qkd[31] ^= 1),
        combined(|input| input.kem[0] ^= 1),
        combined(|input| input.dh[0] ^= 1),
        combined(|input| input.name = "proof"),
        combined(|input| input.label = Label::PqOnly),
        combined(|input| input.terms.initiator = sae("gate-z")),
        combined(|input| input.terms.responder = sae("gate-z")),
        combined(|input| input.terms.purpose.push(0)),
        combined(|input| input.terms.bytes = 49),
        combined(|input| input.transcript[31] ^= 1),
        combined(|input| input.place = None),
        combined(|input| input.place = Some(KeyRef::KeyId(KeyId([1; 16])))),
    ];
    let different: BTreeSet<&String> = keys.iter().collect();
    assert_eq!(different.len(), keys.len());
}

#[test]
fn ml_kem_768_gives_the_answers_of_the_acvp_vectors() {
    let mut counts = [0, 0];
    for line in include_str!("hybrid_vectors.txt").lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let hash = |bytes: &[u8]| hex(&Sha256::digest(bytes));
        match words[0] {
            "keygen" => {
                let seed = unhex(&[words[1], words[2]].concat());
                let key = DecapsulationKey::from_seed(Seed::try_from(&seed[..]).unwrap());
                assert_eq!(hash(&key.encapsulation_key().to_bytes()), words[3]);
                let (text, ours) = key
                    .encapsulation_key()
                    .encapsulate_deterministic(&[9; 32].into());
                assert_eq!(key.decapsulate(&text), ours);
                // Implicit rejection: another secret, not an error.
                let mut wrong = text;
                wrong[0] ^= 1;
                assert_ne!(key.decapsulate(&wrong), ours);
                counts[0] += 1;
            }
            "encaps" => {
                let key = unhex(words[1]);
                let key = EncapsulationKey::new(key.as_slice().try_into().unwrap()).unwrap();
                let (text, secret) = key.encapsulate_deterministic(&bytes32(words[2]).into());
                assert_eq!(
                    (hash(&text), hex(&secret)),
                    (words[3].to_owned(), words[4].to_owned())
                );
                counts[1] += 1;
            }
            _ => assert!(line.starts_with('#'), "{line}"),
        }
    }
    assert_eq!(counts, [8, 4]);
}

#[test]
fn x25519_gives_the_answers_of_rfc_7748() {
    // Section 5.2.
    let scalar = bytes32("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
    let point = bytes32("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
    let expected = "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552";
    assert_eq!(hex(&x25519_dalek::x25519(scalar, point)), expected);
    // The same, one and a thousand iterations.
    let mut nine = [0; 32];
    nine[0] = 9;
    let (mut k, mut u) = (nine, nine);
    for round in 1..=1_000 {
        (k, u) = (x25519_dalek::x25519(k, u), k);
        let expected = match round {
            1 => "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079",
            1_000 => "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51",
            _ => continue,
        };
        assert_eq!(hex(&k), expected, "round {round}");
    }
}
