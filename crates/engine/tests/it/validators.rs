//! Sets of validators, and what is no set.

use commonware_codec::{Copying, DecodeExt as _};
use commonware_cryptography::Signer as _;
use tieline_engine::validators::{
    Identity, Name, SUITE, VALIDATORS_MAX, Validator, Validators, ValidatorsError,
};
use tieline_seal::hybrid::{PublicKey, SigningKey, Suite};

use crate::support::{identity, signing, validator};

fn refused(members: impl IntoIterator<Item = Validator>) -> ValidatorsError {
    Validators::new(members).unwrap_err()
}

#[test]
fn a_set_is_ordered_by_identity_whatever_the_order_it_comes_in() {
    let set = Validators::new((1..=7).map(validator)).unwrap();
    let reversed = Validators::new((1..=7).rev().map(validator)).unwrap();
    assert_eq!(set, reversed);
    assert_eq!((set.len(), set.quorum()), (7, 5));
    for seed in 1..=7 {
        let place = set.place(&identity(seed).public_key()).unwrap();
        assert_eq!(set.signing_key(place), Some(signing(seed).public_key()));
    }
    let places: Vec<&Identity> = set.identities().iter().collect();
    assert!(places.is_sorted());
    assert_eq!(set.place(&identity(8).public_key()), None);
}

#[test]
fn quorums_leave_out_the_largest_number_of_faulty_validators() {
    let quorum = |count| {
        Validators::new((1..=count).map(validator))
            .unwrap()
            .quorum()
    };
    assert_eq!(
        [1, 2, 3, 4, 5, 6, 7, 10, 16].map(quorum),
        [1, 2, 3, 3, 4, 5, 5, 7, 11]
    );
}

#[test]
fn the_digest_covers_every_key_and_is_pinned() {
    let digest = |seeds: [u8; 4]| Validators::new(seeds.map(validator)).unwrap().digest();
    assert_eq!(
        digest([1, 2, 3, 4]).to_string(),
        "f989732c8b1c55e17ba2a7822c6eb69f1ec9bb19666941ce35c673dbd37ed488"
    );
    assert_ne!(digest([1, 2, 3, 4]), digest([1, 2, 3, 5]));
    let mut crossed = [1, 2, 3, 4].map(validator);
    crossed[0].signing = validator(2).signing;
    crossed[1].signing = validator(1).signing;
    let crossed = Validators::new(crossed).unwrap();
    assert_ne!(crossed.digest(), digest([1, 2, 3, 4]));
}

#[test]
fn an_empty_and_an_oversized_set_are_refused() {
    assert_eq!(refused([]), ValidatorsError::Count { count: 0 });
    let one = validator(1);
    let many = (0..=VALIDATORS_MAX).map(|_| one.clone());
    assert_eq!(refused(many), ValidatorsError::Count { count: 65 });
}

#[test]
fn an_identity_occurs_once() {
    let twice = Validator {
        signing: validator(2).signing,
        ..validator(1)
    };
    let identity = Name::from(&identity(1).public_key());
    let expected = ValidatorsError::SameIdentity { identity };
    assert_eq!(refused([validator(1), twice]), expected);
}

#[test]
fn a_signing_key_occurs_once_and_so_does_each_half_of_it() {
    let (one, two) = (signing(1), signing(2));
    let (ed25519, ml_dsa) = one.public_key().as_bytes().split_at(32);
    let (other_ed25519, other_ml_dsa) = two.public_key().as_bytes().split_at(32);
    for halves in [
        (ed25519, ml_dsa),
        (ed25519, other_ml_dsa),
        (other_ed25519, ml_dsa),
    ] {
        let copied = Validator {
            signing: PublicKey::new(SUITE, &[halves.0, halves.1].concat()).unwrap(),
            ..validator(2)
        };
        let found = refused([validator(1), copied]);
        assert!(matches!(found, ValidatorsError::SameSigningKey { .. }));
    }
}

#[test]
fn a_signing_key_of_another_suite_is_refused() {
    let plain = SigningKey::from_seed(Suite::MlDsa65, &[1; 32]);
    let member = Validator {
        signing: plain.public_key().clone(),
        ..validator(1)
    };
    let expected = ValidatorsError::Suite {
        identity: Name::from(&member.identity),
        suite: Suite::MlDsa65,
    };
    assert_eq!(refused([member]), expected);
}

#[test]
fn an_identity_key_signs_no_votes() {
    let key = signing(1);
    let half = &key.public_key().as_bytes()[..32];
    let member = Validator {
        identity: Identity::decode(Copying(half)).unwrap(),
        ..validator(1)
    };
    let expected = ValidatorsError::IdentityThatSigns {
        identity: Name::from(&member.identity),
    };
    assert_eq!(refused([member]), expected);
}
