//! Known answers: project Wycheproof's vectors for both algorithms, with edge cases that earlier releases of both ML-DSA
//! crates got wrong, and RFC 8032's for Ed25519. They go to the libraries as `hybrid/sign.rs` calls them.

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use libcrux_ml_dsa::ml_dsa_65::{self, MLDSA65Signature, MLDSA65VerificationKey};
use ml_dsa::{EncodedSignature, EncodedVerifyingKey, MlDsa65};
use wycheproof::{TestResult, eddsa, mldsa_sign, mldsa_verify};

fn hex<const N: usize>(text: &str) -> [u8; N] {
    let digits = |at: usize| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap();
    std::array::from_fn(digits)
}

/// RFC 8032, 7.1, tests 1 to 3: secret key, public key, message, signature.
#[test]
fn ed25519_signs_as_rfc_8032_prints() {
    let cases: [(&str, &str, &[u8], &str); 3] = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            b"",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            b"\x72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            b"\xaf\x82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ];
    for (secret, public, message, signature) in cases {
        let key = SigningKey::from_bytes(&hex(secret));
        assert_eq!(key.verifying_key().to_bytes(), hex(public));
        assert_eq!(key.sign(message).to_bytes(), hex(signature));
    }
}

#[test]
fn ed25519_accepts_and_refuses_what_wycheproof_says() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut seen = 0;
    for group in &set.test_groups {
        let key = VerifyingKey::try_from(&group.key.pk[..]).unwrap();
        for test in &group.tests {
            let signature = ed25519_dalek::Signature::from_slice(&test.sig);
            let holds = signature.is_ok_and(|it| key.verify_strict(&test.msg, &it).is_ok());
            assert_eq!(holds, test.result == TestResult::Valid, "{}", test.tc_id);
            seen += 1;
        }
    }
    assert_eq!(seen, set.number_of_tests);
}

/// Deterministic signatures from a seed, by the vector path, the portable one and the second implementation.
#[test]
fn ml_dsa_65_signs_as_wycheproof_says() {
    let set = mldsa_sign::TestSet::load(mldsa_sign::TestName::MlDsa65SignSeed).unwrap();
    let mut seen = 0;
    for group in &set.test_groups {
        let Ok(seed) = <[u8; 32]>::try_from(&group.privseed.as_ref().unwrap()[..]) else {
            assert!(group.tests.iter().all(|it| it.result != TestResult::Valid));
            continue;
        };
        let pair = ml_dsa_65::generate_key_pair(seed);
        let portable = ml_dsa_65::portable::generate_key_pair(seed);
        assert!(pair.signing_key.as_slice() == portable.signing_key.as_slice());
        let second = ml_dsa::SigningKey::<MlDsa65>::from_seed(&seed.into());
        if let Some(public) = &group.pubkey {
            assert_eq!(pair.verification_key.as_slice(), &public[..]);
        }
        // Those without a message start in the middle of the algorithm, where we never do.
        for test in group.tests.iter().filter(|test| test.msg.is_some()) {
            let message = test.msg.as_ref().unwrap();
            let context = test.ctx.as_ref().map_or(&[][..], |it| &it[..]);
            let random = test
                .rnd
                .as_ref()
                .map_or([0; 32], |it| it[..].try_into().unwrap());
            let made = [
                ml_dsa_65::sign(&pair.signing_key, message, context, random),
                ml_dsa_65::portable::sign(&pair.signing_key, message, context, random),
            ];
            for signature in made {
                let signature = signature.ok().map(|it| it.as_slice().to_vec());
                let expected = (test.result == TestResult::Valid).then(|| test.sig.to_vec());
                assert!(signature == expected, "{}", test.tc_id);
            }
            if random == [0; 32] {
                let made = second.expanded_key().sign_deterministic(message, context);
                let right = made.is_ok_and(|it| it.encode()[..] == test.sig[..]);
                assert_eq!(right, test.result == TestResult::Valid, "{}", test.tc_id);
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 85);
}

#[test]
fn ml_dsa_65_accepts_and_refuses_what_wycheproof_says() {
    let set = mldsa_verify::TestSet::load(mldsa_verify::TestName::MlDsa65Verify).unwrap();
    let mut seen = 0;
    for group in &set.test_groups {
        for test in &group.tests {
            let context = test.ctx.as_ref().map_or(&[][..], |it| &it[..]);
            let valid = test.result == TestResult::Valid;
            let found = verdicts(&group.pubkey, &test.msg, context, &test.sig);
            assert_eq!(found, [valid; 3], "{}", test.tc_id);
            seen += 1;
        }
    }
    assert_eq!(seen, set.number_of_tests);
}

/// The vector path, the portable one, the second implementation.
fn verdicts(key: &[u8], message: &[u8], context: &[u8], signature: &[u8]) -> [bool; 3] {
    let (Ok(key), Ok(signature)) = (key.try_into(), signature.try_into()) else {
        return [false; 3];
    };
    let second =
        ml_dsa::Signature::<MlDsa65>::decode(&EncodedSignature::<MlDsa65>::from(signature));
    let second_key =
        ml_dsa::VerifyingKey::<MlDsa65>::decode(&EncodedVerifyingKey::<MlDsa65>::from(key));
    let (key, signature) = (
        MLDSA65VerificationKey::new(key),
        MLDSA65Signature::new(signature),
    );
    [
        ml_dsa_65::verify(&key, message, context, &signature).is_ok(),
        ml_dsa_65::portable::verify(&key, message, context, &signature).is_ok(),
        second.is_some_and(|it| second_key.verify_with_context(message, context, &it)),
    ]
}
