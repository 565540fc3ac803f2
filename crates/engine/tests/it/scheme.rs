//! What holds of good votes and certificates.

use std::sync::Arc;

use commonware_codec::{
    Copying, Decode as _, DecodeExt as _, Encode as _, EncodeSize as _, FixedSize as _,
};
use commonware_consensus::simplex::scheme::Scheme as Simplex;
use commonware_consensus::simplex::types::{Finalization, Finalize};
use commonware_cryptography::certificate::{Membership, Scheme as _, Verifier as _};
use commonware_cryptography::{Signer as _, sha256};
use commonware_parallel::Sequential;
use commonware_utils::iter::NonEmpty;
use proptest::prelude::*;
use tieline_engine::scheme::{
    Certificate, Ed25519Scheme, HybridScheme, SchemeError, VoteSignature,
};
use tieline_engine::validators::{Name, Validators};

use crate::support::*;

fn decoded(bytes: &[u8], validators_max: usize) -> Certificate {
    Certificate::decode_cfg(Copying(bytes), &validators_max).unwrap()
}

#[test]
fn both_schemes_are_schemes_of_the_engine() {
    fn is_one<S: Simplex<sha256::Digest>>() {}
    is_one::<HybridScheme>();
    is_one::<Ed25519Scheme>();
    assert!(HybridScheme::is_attributable() && !HybridScheme::is_batchable());
}

#[test]
fn a_vote_verifies_at_everybody_and_is_the_same_every_time() {
    let (schemes, proposal) = (committee(4), proposal());
    for subject in kinds(&proposal) {
        for scheme in &schemes {
            let vote = scheme.sign(subject).unwrap();
            assert_eq!(scheme.me(), Some(Membership::Signer(vote.signer)));
            assert_eq!(vote.encode(), scheme.sign(subject).unwrap().encode());
            assert!(schemes.iter().all(|other| is_vote(other, subject, &vote)));
        }
    }
}

#[test]
fn a_quorum_makes_a_certificate_that_whoever_has_the_set_verifies() {
    let proposal = proposal();
    for count in [1, 4, 7, 10] {
        let schemes = committee(count);
        let set = Arc::new(Validators::new((1..=count).map(validator)).unwrap());
        let reader = HybridScheme::verifier(&election(), set.clone());
        for subject in kinds(&proposal) {
            let mut votes = votes(&schemes, subject);
            votes.truncate(set.quorum());
            votes.reverse();
            let certificate = certificate(&reader, votes);
            let places: Vec<u32> = certificate.signers().map(|place| place.get()).collect();
            assert_eq!(places, (0..set.quorum() as u32).collect::<Vec<_>>());
            let certificate = decoded(&certificate.encode(), set.len());
            assert!(is_certificate(&reader, subject, &certificate));
        }
    }
}

#[test]
fn the_bytes_are_pinned() {
    let (schemes, proposal) = (committee(4), proposal());
    let [notarize, nullify, finalize] = kinds(&proposal);
    let message = |subject| hash(&schemes[0].message(&subject).unwrap());
    let votes = votes(&schemes, finalize);
    let certificate = certificate(&schemes[0], votes[1..].to_vec()).encode();
    assert_eq!(
        [
            message(notarize),
            message(nullify),
            message(finalize),
            hash(&votes[0].encode()),
            hash(&certificate),
        ],
        [
            "ae5fd8c46e07129b64e42d24b8defd616a7fcf2eb9c0e840387b3ae5a0465c54",
            "c2cde6b07053c8e3c7d27d21ee19246443321f6df892827679e84a0e6d579d65",
            "3c4efbe243b958c910c6bbb22e1b67d7a95ce62abfbbbc6acfb89d7cf5e1ed56",
            "86f760c57debf2948a1156f12c4164204b139df29009c04bea99782473200d7d",
            "19eaa28deb70ba5a18179111029316395cc610c49a5cfc310b5315c61bb9d79f",
        ]
    );
    assert_eq!(
        (VoteSignature::SIZE, certificate.len()),
        (3374, 8 + 1 + 3 * 3374)
    );
}

#[test]
fn the_message_is_what_the_module_says_it_is() {
    let (schemes, proposal) = (committee(4), proposal());
    let prefixed = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
        [&length, bytes].concat()
    };
    let (set, block, round) = (
        schemes[0].validators().digest(),
        proposal.encode(),
        proposal.round.encode(),
    );
    let names = ["tieline_NOTARIZE", "tieline_NULLIFY", "tieline_FINALIZE"];
    let what = [&block, &round, &block];
    for ((subject, name), what) in kinds(&proposal).into_iter().zip(names).zip(what) {
        let expected = [
            &prefixed(b"tieline.vote/1")[..],
            set.as_bytes(),
            &prefixed(name.as_bytes()),
            &prefixed(what),
        ];
        assert_eq!(schemes[0].message(&subject), Some(expected.concat()));
    }
}

#[test]
fn the_engine_s_own_finalization_carries_our_certificate() {
    let (schemes, proposal) = (committee(4), proposal());
    let votes = schemes
        .iter()
        .map(|it| Finalize::sign(it, proposal.clone()).unwrap());
    let votes: Vec<_> = votes.collect();
    let quorum = NonEmpty::try_new(votes[..3].iter()).unwrap();
    let made = Finalization::from_finalizes(&schemes[0], quorum, &Sequential);
    let bytes = made.unwrap().encode();
    let set = Arc::new(Validators::new((1..=4).map(validator)).unwrap());
    let reader = HybridScheme::verifier(&election(), set);
    let read = Finalization::<HybridScheme, sha256::Digest>::decode_cfg(
        bytes,
        &reader.certificate_codec_config(),
    );
    assert!(read.unwrap().verify(&mut rng(), &reader, &Sequential));
}

#[test]
fn a_certificate_of_all_is_as_large_as_the_engine_is_told() {
    let proposal = proposal();
    for count in [1, 4, 9, 16] {
        let schemes = committee(count);
        let [_, _, subject] = kinds(&proposal);
        let certificate = certificate(&schemes[0], votes(&schemes, subject));
        let told = HybridScheme::max_certificate_size(u32::from(count));
        assert_eq!(certificate.encode_size(), told);
    }
}

#[test]
fn whoever_has_no_key_in_the_set_does_not_sign() {
    let set = Arc::new(Validators::new((1..=4).map(validator)).unwrap());
    let reader = HybridScheme::verifier(&election(), set.clone());
    let proposal = proposal();
    assert_eq!(reader.me(), None);
    assert!(kinds(&proposal).iter().all(|it| reader.sign(*it).is_none()));
    let [one, two, stranger] = [1, 2, 5].map(|seed| identity(seed).public_key());
    let signer = |identity, seed| {
        HybridScheme::signer(&election(), set.clone(), identity, Arc::new(signing(seed)))
    };
    assert!(signer(&one, 1).is_ok());
    assert_eq!(
        signer(&stranger, 5).unwrap_err(),
        SchemeError::NotAValidator {
            identity: Name::from(&stranger),
            epoch: election().epoch,
        }
    );
    assert_eq!(
        signer(&two, 1).unwrap_err(),
        SchemeError::OtherSigningKey {
            identity: Name::from(&two),
            epoch: election().epoch,
            key: signing(1).public_key().id(),
        }
    );
}

#[test]
fn a_scheme_prints_nothing_of_its_private_key() {
    let printed = format!("{:?}", committee(1)[0]);
    assert!(printed.contains("SigningKey(<redacted>)"));
}

#[test]
fn votes_that_wait_are_judged_one_by_one_when_one_of_them_is_wrong() {
    let (schemes, proposal) = (committee(4), proposal());
    let [notarize, _, finalize] = kinds(&proposal);
    let mut votes = votes(&schemes, finalize);
    let wrong = votes[2].signer;
    votes[2] = schemes[2].sign(notarize).unwrap();
    let assemble = |pending: &[_], verified: &[_]| {
        let (pending, verified) = (pending.to_vec(), verified.to_vec());
        let (scheme, mut rng) = (&schemes[0], rng());
        scheme.optimistic_assemble::<_, sha256::Digest, _, _>(
            &mut rng,
            finalize,
            pending,
            &verified,
            &Sequential,
        )
    };
    let judged = assemble(&votes[1..], &votes[..1]).err().unwrap();
    assert_eq!(judged.invalid, [wrong]);
    assert_eq!(judged.verified, [votes[1].clone(), votes[3].clone()]);
    votes.remove(2);
    let certificate = assemble(&votes[2..], &votes[..2]).ok().unwrap();
    assert!(is_certificate(&schemes[0], finalize, &certificate));
    let few = assemble(&votes[1..], &[]).err().unwrap();
    assert_eq!((few.verified.len(), few.invalid.len()), (2, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Any quorum, in any order, gives one certificate, and its bytes give it back.
    #[test]
    fn any_quorum_in_any_order_makes_a_certificate(
        order in Just((0..7usize).collect::<Vec<_>>()).prop_shuffle(),
        count in 5usize..=7,
        kind in 0usize..3,
    ) {
        let (schemes, proposal) = (committee(7), proposal());
        let subject = kinds(&proposal)[kind];
        let all = votes(&schemes, subject);
        let chosen: Vec<_> = order[..count].iter().map(|place| all[*place].clone()).collect();
        let made = certificate(&schemes[0], chosen);
        let mut places = order[..count].to_vec();
        places.sort_unstable();
        let signers: Vec<usize> = made.signers().map(usize::from).collect();
        prop_assert_eq!(signers, places);
        prop_assert!(is_certificate(&schemes[6], subject, &made));
        prop_assert_eq!(decoded(&made.encode(), 7), made);
    }

    /// No input makes the decoders do anything but refuse or give back what they read.
    #[test]
    fn what_decodes_encodes_to_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 0..8192)) {
        if let Ok(read) = Certificate::decode_cfg(Copying(&bytes), &64) {
            prop_assert_eq!(&read.encode()[..], &bytes[..]);
        }
        if let Ok(read) = VoteSignature::decode(Copying(&bytes)) {
            prop_assert_eq!(&read.encode()[..], &bytes[..]);
        }
    }
}
