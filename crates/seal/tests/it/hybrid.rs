//! Public signatures: what holds of good ones, and attack 32 in all its forms.

mod second;
mod vectors;

use proptest::prelude::*;
use second::{Second, components, representative};
use tieline_seal::hybrid::{
    Domain, PublicKey, Purpose, Signature, SigningKey, Strict, Suite, Verify,
};
use tieline_units::canonical::Canonical;
use tieline_units::{ChainId, Digest};

const SUITES: [Suite; 2] = [Suite::MlDsa65, Suite::Ed25519MlDsa65];
const HYBRID: Suite = Suite::Ed25519MlDsa65;
const MESSAGE: &[u8] = b"deliver 25 kWh at ten";
const PURPOSES: [Purpose; 8] = [
    Purpose::Transaction,
    Purpose::Attestation,
    Purpose::Finality,
    Purpose::Meter,
    Purpose::Possession,
    Purpose::Identification,
    Purpose::Vote,
    Purpose::Handshake,
];

fn domain() -> Domain {
    Domain {
        chain: ChainId::parse("harbour").unwrap(),
        genesis: Digest::of(b"genesis"),
        epoch: 3,
        purpose: Purpose::Attestation,
    }
}

fn any_domain() -> impl Strategy<Value = Domain> {
    let purpose = prop::sample::select(&PURPOSES[..]);
    let parts = ("[a-z0-9_-]{1,64}", any::<[u8; 32]>(), any::<u64>(), purpose);
    parts.prop_map(|(chain, genesis, epoch, purpose)| Domain {
        chain: ChainId::parse(&chain).unwrap(),
        genesis: Digest::from_bytes(genesis),
        epoch,
        purpose,
    })
}

fn key(suite: Suite) -> SigningKey {
    SigningKey::from_seed(suite, &[1; 32])
}

fn holds(key: &PublicKey, signature: &Signature) -> bool {
    Strict.verify(key, &domain(), MESSAGE, signature)
}

/// A hybrid signature of these parts.
fn parts(ed25519: &[u8], ml_dsa: &[u8]) -> Signature {
    Signature::new(HYBRID, &[ed25519, ml_dsa].concat()).unwrap()
}

/// Its parts.
fn split(signature: &Signature) -> (&[u8], &[u8]) {
    signature.as_bytes().split_at(64)
}

#[test]
fn a_signature_verifies_and_is_the_same_every_time() {
    for suite in SUITES {
        let signer = key(suite);
        let signature = signer.sign(&domain(), MESSAGE);
        assert!(holds(signer.public_key(), &signature));
        assert_eq!(signature, key(suite).sign(&domain(), MESSAGE));
        assert_eq!(signature.as_bytes().len(), suite.signature_bytes());
        assert_eq!(signer.public_key().as_bytes().len(), suite.key_bytes());
    }
}

#[test]
fn keys_of_the_two_suites_from_one_seed_have_nothing_in_common() {
    let (plain, hybrid) = (key(Suite::MlDsa65), key(HYBRID));
    assert_ne!(
        plain.public_key().as_bytes(),
        &hybrid.public_key().as_bytes()[32..]
    );
}

#[test]
fn a_private_key_prints_nothing_of_itself() {
    assert_eq!(format!("{:?}", key(HYBRID)), "SigningKey(<redacted>)");
}

#[test]
fn the_context_of_the_longest_chain_fits_fips_204() {
    let longest = Domain {
        chain: ChainId::parse(&"c".repeat(64)).unwrap(),
        epoch: u64::MAX,
        ..domain()
    };
    assert_eq!(longest.context().len(), 122);
    assert!(ChainId::parse(&"c".repeat(65)).is_err());
    let signature = key(HYBRID).sign(&longest, MESSAGE);
    assert!(Strict.verify(key(HYBRID).public_key(), &longest, MESSAGE, &signature));
}

#[test]
fn the_bytes_are_pinned() {
    let found = |suite| {
        let (signer, message) = (key(suite), MESSAGE);
        let signature = signer.sign(&domain(), message);
        let hash = |bytes: &[u8]| Digest::of(bytes).to_string();
        [
            signer.public_key().id().0.to_string(),
            hash(&signer.public_key().to_bytes()),
            hash(&signature.to_bytes()),
        ]
    };
    assert_eq!(
        Digest::of(&domain().context()).to_string(),
        "f155ca9f4095a2bb7d1bc2a52bbe52a22ef8a246ff58155aa5f1d01f2bcbe785"
    );
    assert_eq!(
        found(Suite::MlDsa65),
        [
            "2e4f7bef6c9ae8ea2977405a1dccb3b9ec5bfc3bdcb20361abe85637de763cf3",
            "cc25d6a12652529a3d97c6483b2ad2cab15cbc249daa62dfaca554579f137462",
            "df95ff476d7d0269191c83ee36811e7c7f977e5c81a7b96db1f68d10f300aef0"
        ]
    );
    assert_eq!(
        found(HYBRID),
        [
            "f331b7ebd854a91d50bbe6d0efe16b6a143ac11adabdc9b27bbcef536963aaae",
            "216bfefd3cc1a5f857d8fd6edbc6acc70ea61b5569f16a84dd86c956cb716f3e",
            "121986da793c6a4b164be112a524af60735c633a0b1bd9b9d508aaf210573149"
        ]
    );
}

#[test]
fn attack_32_ed25519_valid_and_ml_dsa_invalid() {
    let signer = key(HYBRID);
    let good = signer.sign(&domain(), MESSAGE);
    let other = signer.sign(&domain(), b"another");
    let (ed25519, ml_dsa) = split(&good);
    let mut flipped = ml_dsa.to_vec();
    flipped[1000] ^= 1;
    for ml_dsa in [&flipped[..], split(&other).1, &[0; 3309]] {
        let forged = parts(ed25519, ml_dsa);
        let verdict = components(signer.public_key(), &domain(), MESSAGE, &forged);
        assert_eq!(verdict, (Some(true), false));
        assert!(!holds(signer.public_key(), &forged));
    }
}

#[test]
fn attack_32_ml_dsa_valid_and_ed25519_invalid() {
    let signer = key(HYBRID);
    let good = signer.sign(&domain(), MESSAGE);
    let other = signer.sign(&domain(), b"another");
    let (ed25519, ml_dsa) = split(&good);
    let mut flipped = ed25519.to_vec();
    flipped[40] ^= 1;
    for ed25519 in [&flipped[..], split(&other).0, &[0; 64]] {
        let forged = parts(ed25519, ml_dsa);
        let verdict = components(signer.public_key(), &domain(), MESSAGE, &forged);
        assert_eq!(verdict, (Some(false), true));
        assert!(!holds(signer.public_key(), &forged));
    }
}

#[test]
fn attack_32_halves_of_two_signatures_of_one_signer() {
    let signer = key(HYBRID);
    let (one, two) = (
        signer.sign(&domain(), b"one"),
        signer.sign(&domain(), b"two"),
    );
    for mixed in [
        parts(split(&one).0, split(&two).1),
        parts(split(&two).0, split(&one).1),
    ] {
        for message in [b"one", b"two"] {
            assert!(!Strict.verify(signer.public_key(), &domain(), message, &mixed));
        }
    }
}

#[test]
fn attack_32_a_half_that_is_missing() {
    let signer = key(HYBRID);
    let good = signer.sign(&domain(), MESSAGE);
    let (ed25519, ml_dsa) = split(&good);
    for length in [0, 1, 63, 64, 3308, 3309, 3310, 3372, 3374] {
        let mut bytes = good.as_bytes().to_vec();
        bytes.resize(length, 0);
        assert_eq!(Signature::new(HYBRID, &bytes), None, "{length}");
        assert!(Signature::decode(&[&[2], &bytes[..]].concat()).is_err());
    }
    assert_eq!(Signature::new(HYBRID, ed25519), None);
    assert_eq!(Signature::new(HYBRID, ml_dsa), None);
    assert_eq!(PublicKey::new(HYBRID, &[0; 1952]), None);
    // In the other order nothing is missing, and nothing right.
    let turned = Signature::new(HYBRID, &[ml_dsa, ed25519].concat()).unwrap();
    assert!(!holds(signer.public_key(), &turned));
}

#[test]
fn attack_32_a_hybrid_signature_stripped_to_its_ml_dsa_half() {
    let signer = key(HYBRID);
    let good = signer.sign(&domain(), MESSAGE);
    let stripped = Signature::new(Suite::MlDsa65, split(&good).1).unwrap();
    let half = PublicKey::new(Suite::MlDsa65, &signer.public_key().as_bytes()[32..]).unwrap();
    assert!(!holds(&half, &stripped));
    assert!(!holds(signer.public_key(), &stripped));
    assert!(!holds(&half, &good));
}

#[test]
fn attack_32_a_plain_signature_dressed_up_as_hybrid() {
    let victim = key(Suite::MlDsa65);
    let good = victim.sign(&domain(), MESSAGE);
    let thief = Second::from_seed(HYBRID, &[2; 32]);
    let his = thief.ed25519.verifying_key();
    let bytes = [his.as_bytes(), victim.public_key().as_bytes()].concat();
    let claimed = PublicKey::new(HYBRID, &bytes).unwrap();
    let own = thief.sign_for(&claimed, &domain(), MESSAGE);
    let forged = parts(split(&own).0, good.as_bytes());
    let verdict = components(&claimed, &domain(), MESSAGE, &forged);
    assert_eq!(verdict, (Some(true), false));
    assert!(!holds(&claimed, &forged));
}

#[test]
fn attack_32_the_suite_changed_on_the_wire() {
    for (suite, other) in [(SUITES[0], 2), (SUITES[1], 1)] {
        let signer = key(suite);
        let mut signature = signer.sign(&domain(), MESSAGE).to_bytes();
        let mut public = signer.public_key().to_bytes();
        for tag in [other, 0, 3, 255] {
            (signature[0], public[0]) = (tag, tag);
            assert!(Signature::decode(&signature).is_err());
            assert!(PublicKey::decode(&public).is_err());
        }
    }
}

#[test]
fn attack_32_any_other_context() {
    let chain = |text| ChainId::parse(text).unwrap();
    let mut others = vec![
        Domain {
            chain: chain("harbor"),
            ..domain()
        },
        Domain {
            chain: chain("harbour-2"),
            ..domain()
        },
        Domain {
            genesis: Digest::of(b"another genesis"),
            ..domain()
        },
        Domain {
            epoch: 2,
            ..domain()
        },
        Domain {
            epoch: 4,
            ..domain()
        },
    ];
    others.extend(PURPOSES.map(|purpose| Domain {
        purpose,
        ..domain()
    }));
    others.retain(|other| *other != domain());
    assert_eq!(others.len(), 12);
    for suite in SUITES {
        let signer = key(suite);
        let signature = signer.sign(&domain(), MESSAGE);
        for other in &others {
            assert!(!Strict.verify(signer.public_key(), other, MESSAGE, &signature));
            // Not even one half is right there.
            let (ed25519, ml_dsa) = components(signer.public_key(), other, MESSAGE, &signature);
            assert!(!ml_dsa && ed25519 != Some(true));
        }
    }
}

#[test]
fn attack_32_another_message() {
    for suite in SUITES {
        let signer = key(suite);
        let signature = signer.sign(&domain(), MESSAGE);
        let longer = [MESSAGE, &[0]].concat();
        for other in [&b""[..], &MESSAGE[1..], &MESSAGE[..20], &longer] {
            assert!(!Strict.verify(signer.public_key(), &domain(), other, &signature));
        }
    }
}

#[test]
fn attack_32_another_key_or_one_half_of_it() {
    for suite in SUITES {
        let signature = key(suite).sign(&domain(), MESSAGE);
        let other = SigningKey::from_seed(suite, &[2; 32]);
        assert!(!holds(other.public_key(), &signature));
    }
    // The thief puts his Ed25519 key beside the victim's ML-DSA key, or the other way, and adds what he can make himself:
    // his half of a signature for the pair, or of one under his own key.
    let victim = key(HYBRID);
    let good = victim.sign(&domain(), MESSAGE);
    let thief = Second::from_seed(HYBRID, &[2; 32]);
    let (his, hers) = (thief.public_key(), victim.public_key());
    let mixed = |a: &PublicKey, b: &PublicKey| {
        PublicKey::new(HYBRID, &[&a.as_bytes()[..32], &b.as_bytes()[32..]].concat()).unwrap()
    };
    let plain = SigningKey::from_seed(HYBRID, &[2; 32]).sign(&domain(), MESSAGE);
    assert!(holds(&his, &plain));
    let (first, second) = (mixed(&his, hers), mixed(hers, &his));
    for own in [&plain, &thief.sign_for(&first, &domain(), MESSAGE)] {
        assert!(!holds(&first, &parts(split(own).0, split(&good).1)));
    }
    for own in [&plain, &thief.sign_for(&second, &domain(), MESSAGE)] {
        assert!(!holds(&second, &parts(split(&good).0, split(own).1)));
    }
}

#[test]
fn attack_32_an_ed25519_signature_with_s_not_reduced() {
    /// The order of the group, little-endian (RFC 8032, 5.1).
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let signer = key(HYBRID);
    let good = signer.sign(&domain(), MESSAGE);
    let mut forged = good.as_bytes().to_vec();
    // s + L, s + 2L, ... are the same number to whoever reduces.
    for _ in 0..8 {
        let mut carry = 0;
        for (byte, order) in forged[32..64].iter_mut().zip(ORDER) {
            let sum = u16::from(*byte) + u16::from(order) + carry;
            (*byte, carry) = (sum as u8, sum >> 8);
        }
        let forged = Signature::new(HYBRID, &forged).unwrap();
        assert!(!holds(signer.public_key(), &forged));
    }
    assert!(holds(signer.public_key(), &good));
}

#[test]
fn attack_32_ed25519_keys_of_small_order() {
    use ed25519_dalek::Verifier as _;
    let thief = Second::from_seed(HYBRID, &[2; 32]);
    let lattice = &thief.public_key().as_bytes()[32..].to_vec();
    let torsion = small_order_points();
    for point in torsion {
        let claimed = PublicKey::new(HYBRID, &[&point[..], lattice].concat()).unwrap();
        let own = thief.sign_for(&claimed, &domain(), MESSAGE);
        for nonce in torsion {
            // s = 0 needs no private key: 0 = R + kA holds for points that the cofactor kills.
            let ed25519 = [nonce, [0; 32]].concat();
            assert!(!holds(&claimed, &parts(&ed25519, split(&own).1)));
        }
    }
    // A plain verification falls for it, so the refusals above are strictness at work.
    let identity = torsion[0];
    let key = ed25519_dalek::VerifyingKey::from_bytes(&identity).unwrap();
    let claimed = PublicKey::new(HYBRID, &[&identity[..], lattice].concat()).unwrap();
    let signed = representative(&claimed, &domain(), MESSAGE);
    let bytes = [identity, [0; 32]].concat();
    let signature = ed25519_dalek::Signature::from_slice(&bytes).unwrap();
    assert!(key.verify(&signed, &signature).is_ok());
}

/// The eight points whose order divides the cofactor, identity first.
fn small_order_points() -> [[u8; 32]; 8] {
    let point = |text: &str| {
        let digits = |at: usize| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap();
        std::array::from_fn(digits)
    };
    [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    ]
    .map(point)
}

#[test]
fn attack_32_every_byte_flipped_in_turn() {
    for suite in SUITES {
        let signer = key(suite);
        let good = signer.sign(&domain(), MESSAGE);
        for at in 0..suite.signature_bytes() {
            let mut bytes = good.as_bytes().to_vec();
            bytes[at] ^= 1 << (at % 8);
            let forged = Signature::new(suite, &bytes).unwrap();
            assert!(!holds(signer.public_key(), &forged), "{at}");
        }
        for at in 0..suite.key_bytes() {
            let mut bytes = signer.public_key().as_bytes().to_vec();
            bytes[at] ^= 1 << (at % 8);
            let other = PublicKey::new(suite, &bytes).unwrap();
            assert!(!holds(&other, &good), "{at}");
        }
    }
}

#[test]
fn attack_32_all_bytes_alike() {
    for suite in SUITES {
        for byte in [0, 0xff] {
            let signature = Signature::new(suite, &vec![byte; suite.signature_bytes()]).unwrap();
            let public = PublicKey::new(suite, &vec![byte; suite.key_bytes()]).unwrap();
            let good = key(suite);
            assert!(!holds(good.public_key(), &signature));
            assert!(!holds(&public, &signature));
            assert!(!holds(&public, &good.sign(&domain(), MESSAGE)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn attack_32_whatever_is_signed_verifies_there_and_nowhere_else(
        seed in any::<[u8; 32]>(),
        here in any_domain(),
        there in any_domain(),
        message in prop::collection::vec(any::<u8>(), 0..400),
        other in prop::collection::vec(any::<u8>(), 0..400),
        suite in prop::sample::select(&SUITES[..]),
    ) {
        prop_assume!(here != there && message != other);
        let signer = SigningKey::from_seed(suite, &seed);
        let public = signer.public_key();
        let signature = signer.sign(&here, &message);
        prop_assert!(Strict.verify(public, &here, &message, &signature));
        prop_assert!(!Strict.verify(public, &there, &message, &signature));
        prop_assert!(!Strict.verify(public, &here, &other, &signature));
        prop_assert_eq!(&PublicKey::decode(&public.to_bytes()).unwrap(), public);
        prop_assert_eq!(Signature::decode(&signature.to_bytes()).unwrap(), signature);
    }

    #[test]
    fn attack_32_a_run_of_bytes_overwritten(
        suite in prop::sample::select(&SUITES[..]),
        at in any::<prop::sample::Index>(),
        run in prop::collection::vec(any::<u8>(), 1..80),
    ) {
        let signer = key(suite);
        let good = signer.sign(&domain(), MESSAGE);
        let mut bytes = good.as_bytes().to_vec();
        let at = at.index(bytes.len());
        for (byte, new) in bytes[at..].iter_mut().zip(&run) {
            *byte = *new;
        }
        prop_assume!(bytes != good.as_bytes());
        let forged = Signature::new(suite, &bytes).unwrap();
        prop_assert!(!holds(signer.public_key(), &forged));
    }
}
