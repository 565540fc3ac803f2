//! Attack 32 on votes and certificates: every way to pass something else as one.

use std::sync::LazyLock;

use commonware_codec::{Copying, Decode as _, DecodeExt as _, Encode as _};
use commonware_consensus::simplex::types::{Proposal, Subject};
use commonware_consensus::types::{Epoch, Round, View};
use commonware_cryptography::Hasher as _;
use commonware_cryptography::certificate::{AssemblyError, Attestation, Scheme as _};
use commonware_cryptography::sha256::{Digest as Payload, Sha256};
use commonware_parallel::Sequential;
use commonware_utils::Participant;
use commonware_utils::iter::NonEmpty;
use proptest::prelude::*;
use tieline_engine::scheme::{Certificate, Election, HybridScheme, VoteSignature};
use tieline_engine::validators::SUITE;
use tieline_seal::hybrid::{Domain, Purpose, Signature, Suite};
use tieline_units::{ChainId, Digest};

use crate::support::*;

/// Bytes before the votes of a certificate of at most eight validators: their number and one byte of bits.
const HEAD: usize = 9;
const VOTE: usize = 3374;

type Vote = Attestation<HybridScheme>;

/// The halves of a vote.
fn halves(vote: &Vote) -> ([u8; 64], Vec<u8>) {
    let (ed25519, ml_dsa) = vote
        .signature
        .get()
        .unwrap()
        .as_hybrid()
        .as_bytes()
        .split_at(64);
    (ed25519.try_into().unwrap(), ml_dsa.to_vec())
}

/// A vote of these halves.
fn joined(signer: Participant, ed25519: &[u8], ml_dsa: &[u8]) -> Vote {
    let signature = Signature::new(SUITE, &[ed25519, ml_dsa].concat()).unwrap();
    Attestation {
        signer,
        signature: VoteSignature::new(signature).unwrap().into(),
    }
}

/// Refused as a vote, and in a certificate of otherwise good votes.
fn refused(scheme: &HybridScheme, subject: Subject<'_, Payload>, good: &[Vote], bad: &Vote) {
    assert!(!is_vote(scheme, subject, bad));
    let others = good
        .iter()
        .filter(|vote| vote.signer != bad.signer)
        .cloned();
    let with = certificate(scheme, others.chain([bad.clone()]).collect());
    assert!(!is_certificate(scheme, subject, &with));
}

/// Four validators, their votes to finalize, and what they finalize.
fn four() -> (Vec<HybridScheme>, Proposal<Payload>) {
    (committee(4), proposal())
}

/// The bytes of a certificate of the first three of four, made once.
fn three_of_four() -> (HybridScheme, Proposal<Payload>, Vec<u8>) {
    static MADE: LazyLock<(HybridScheme, Proposal<Payload>, Vec<u8>)> = LazyLock::new(make);
    MADE.clone()
}

fn make() -> (HybridScheme, Proposal<Payload>, Vec<u8>) {
    let (schemes, proposal) = four();
    let finalize = Subject::Finalize {
        proposal: &proposal,
    };
    let mut votes = votes(&schemes, finalize);
    votes.truncate(3);
    let bytes = certificate(&schemes[0], votes).encode().to_vec();
    (schemes[3].clone(), proposal, bytes)
}

fn decoded(bytes: &[u8]) -> Option<Certificate> {
    Certificate::decode_cfg(Copying(bytes), &4).ok()
}

/// Whether bytes are a certificate on the finalisation of `proposal`.
fn convinces(scheme: &HybridScheme, proposal: &Proposal<Payload>, bytes: &[u8]) -> bool {
    let subject = Subject::Finalize { proposal };
    decoded(bytes).is_some_and(|certificate| is_certificate(scheme, subject, &certificate))
}

#[test]
fn attack_32_a_vote_with_one_half_missing_is_refused() {
    let (schemes, proposal) = four();
    let finalize = Subject::Finalize {
        proposal: &proposal,
    };
    let good = votes(&schemes, finalize);
    let (ed25519, ml_dsa) = halves(&good[1]);
    let signer = good[1].signer;
    refused(
        &schemes[0],
        finalize,
        &good,
        &joined(signer, &[0; 64], &ml_dsa),
    );
    refused(
        &schemes[0],
        finalize,
        &good,
        &joined(signer, &ed25519, &[0; 3309]),
    );
}

#[test]
fn attack_32_a_vote_with_one_half_of_another_vote_of_the_same_signer_is_refused() {
    let (schemes, proposal) = four();
    let [notarize, _, finalize] = kinds(&proposal);
    let good = votes(&schemes, finalize);
    let (ed25519, ml_dsa) = halves(&good[1]);
    let (other_ed25519, other_ml_dsa) = halves(&schemes[1].sign(notarize).unwrap());
    let signer = good[1].signer;
    refused(
        &schemes[0],
        finalize,
        &good,
        &joined(signer, &other_ed25519, &ml_dsa),
    );
    refused(
        &schemes[0],
        finalize,
        &good,
        &joined(signer, &ed25519, &other_ml_dsa),
    );
}

#[test]
fn attack_32_a_vote_with_one_half_of_another_signer_is_refused() {
    let (schemes, proposal) = four();
    let finalize = Subject::Finalize {
        proposal: &proposal,
    };
    let good = votes(&schemes, finalize);
    let (one, two) = (halves(&good[1]), halves(&good[2]));
    for signer in [good[1].signer, good[2].signer] {
        refused(
            &schemes[0],
            finalize,
            &good,
            &joined(signer, &one.0, &two.1),
        );
        refused(
            &schemes[0],
            finalize,
            &good,
            &joined(signer, &two.0, &one.1),
        );
    }
}

#[test]
fn attack_32_a_signature_with_its_halves_swapped_is_refused() {
    let (schemes, proposal) = four();
    let finalize = Subject::Finalize {
        proposal: &proposal,
    };
    let good = votes(&schemes, finalize);
    let (ed25519, ml_dsa) = halves(&good[1]);
    let swapped = [&ml_dsa[..], &ed25519].concat();
    let bad = joined(good[1].signer, &swapped[..64], &swapped[64..]);
    refused(&schemes[0], finalize, &good, &bad);
}

#[test]
fn attack_32_a_stripped_signature_does_not_decode() {
    let (schemes, proposal) = four();
    let vote = schemes[1]
        .sign(Subject::Finalize {
            proposal: &proposal,
        })
        .unwrap();
    let (ed25519, ml_dsa) = halves(&vote);
    let plain = [&[1], &ml_dsa[..]].concat();
    let padded = [&plain[..], &[0; 64]].concat();
    let classical = [&[2], &ed25519[..]].concat();
    let nothing: &[u8] = &[];
    for bytes in [&plain, &padded, &classical, nothing] {
        assert!(VoteSignature::decode(Copying(bytes)).is_err());
    }
    let plain = Signature::new(Suite::MlDsa65, &ml_dsa).unwrap();
    assert_eq!(VoteSignature::new(plain), None);
}

#[test]
fn attack_32_another_algorithm_number_does_not_decode() {
    let (schemes, proposal) = four();
    let vote = schemes[1]
        .sign(Subject::Finalize {
            proposal: &proposal,
        })
        .unwrap();
    let bytes = vote.signature.get().unwrap().encode().to_vec();
    assert_eq!((bytes[0], bytes.len()), (2, VOTE));
    for number in (0..=u8::MAX).filter(|number| *number != 2) {
        let other = [&[number], &bytes[1..]].concat();
        assert!(VoteSignature::decode(Copying(&other)).is_err(), "{number}");
    }
}

#[test]
fn attack_32_a_vote_of_another_chain_genesis_epoch_or_set_is_refused() {
    let here = committee(4);
    let proposal = proposal();
    let [notarize, nullify, finalize] = kinds(&proposal);
    let elsewhere = [
        (
            ChainId::parse("harbor").unwrap(),
            Digest::of(b"genesis"),
            EPOCH,
            1..=4,
        ),
        (election().chain, Digest::of(b"genesis 2"), EPOCH, 1..=4),
        (election().chain, Digest::of(b"genesis"), EPOCH, 1..=5),
    ];
    for (chain, genesis, epoch, seeds) in elsewhere {
        let epoch = Epoch::new(epoch);
        let there = Election {
            chain,
            genesis,
            epoch,
        };
        let there = committee_of(&there, seeds);
        for subject in [notarize, nullify, finalize] {
            for foreign in &there {
                let mut vote = foreign.sign(subject).unwrap();
                let identity = foreign.participants().get(vote.signer.into()).unwrap();
                let Some(place) = here[0].validators().place(identity) else {
                    continue;
                };
                vote.signer = place;
                assert!(!is_vote(&here[0], subject, &vote));
            }
            let foreign = certificate(&there[0], votes(&there, subject));
            assert!(!is_certificate(&here[0], subject, &foreign));
        }
    }
}

#[test]
fn attack_32_votes_of_another_epoch_are_neither_made_nor_taken() {
    let epoch = EPOCH + 1;
    let next = Election {
        epoch: Epoch::new(epoch),
        ..election()
    };
    let (here, there) = (committee(4), committee_of(&next, 1..=4));
    let round = Round::new(Epoch::new(epoch), View::new(9));
    let proposal = Proposal::new(round, View::new(8), Sha256::hash(&[b"block"]));
    for subject in kinds(&proposal) {
        assert_eq!(here[0].sign(subject), None);
        let votes = votes(&there, subject);
        assert!(is_vote(&there[0], subject, &votes[0]));
        assert!(!is_vote(&here[0], subject, &votes[0]));
        let certificate = certificate(&there[0], votes);
        assert!(is_certificate(&there[0], subject, &certificate));
        assert!(!is_certificate(&here[0], subject, &certificate));
    }
}

#[test]
fn attack_32_a_vote_of_one_kind_is_none_of_another() {
    let (schemes, proposal) = four();
    for (cast, one) in kinds(&proposal).into_iter().enumerate() {
        let votes = votes(&schemes, one);
        let certificate = certificate(&schemes[0], votes.clone());
        for (asked, other) in kinds(&proposal).into_iter().enumerate() {
            assert_eq!(is_vote(&schemes[0], other, &votes[1]), cast == asked);
            assert_eq!(
                is_certificate(&schemes[0], other, &certificate),
                cast == asked
            );
        }
    }
}

#[test]
fn attack_32_a_vote_for_another_view_parent_or_payload_is_refused() {
    let (schemes, proposal) = four();
    let certificate = certificate(
        &schemes[0],
        votes(
            &schemes,
            Subject::Finalize {
                proposal: &proposal,
            },
        ),
    );
    let others = [
        Proposal::new(round(10), proposal.parent, proposal.payload),
        Proposal::new(proposal.round, View::new(7), proposal.payload),
        Proposal::new(proposal.round, proposal.parent, Sha256::hash(&[b"other"])),
    ];
    for proposal in &others {
        let subject = Subject::Finalize { proposal };
        assert!(!is_certificate(&schemes[0], subject, &certificate));
    }
}

#[test]
fn attack_32_a_signature_of_another_purpose_is_no_vote() {
    let (schemes, proposal) = four();
    let finalize = Subject::Finalize {
        proposal: &proposal,
    };
    let message = schemes[0].message(&finalize).unwrap();
    let purposes = [
        (Purpose::Transaction, false),
        (Purpose::Attestation, false),
        (Purpose::Finality, false),
        (Purpose::Possession, false),
        (Purpose::Handshake, false),
        (Purpose::Vote, true),
    ];
    // The first in the order of identities is not the first seed.
    let own = |seed: &u8| validator(*seed).identity == schemes[0].participants()[0];
    let seed = (1..=4).find(own).unwrap();
    for (purpose, expected) in purposes {
        let domain = Domain {
            purpose,
            ..election().domain()
        };
        let signature = signing(seed).sign(&domain, &message);
        let vote = Attestation {
            signer: Participant::new(0),
            signature: VoteSignature::new(signature).unwrap().into(),
        };
        assert_eq!(
            is_vote(&schemes[0], finalize, &vote),
            expected,
            "{purpose:?}"
        );
    }
}

#[test]
fn attack_32_a_vote_under_another_index_is_refused() {
    let (schemes, proposal) = four();
    let finalize = Subject::Finalize {
        proposal: &proposal,
    };
    let vote = schemes[1].sign(finalize).unwrap();
    for index in [0, 2, 3, 4, 5, u32::MAX] {
        let moved = Attestation {
            signer: Participant::new(index),
            signature: vote.signature.clone(),
        };
        assert!(!is_vote(&schemes[0], finalize, &moved), "{index}");
    }
}

#[test]
fn attack_32_nobody_is_counted_twice_and_strangers_are_not_counted() {
    let (schemes, proposal) = four();
    let votes = votes(
        &schemes,
        Subject::Finalize {
            proposal: &proposal,
        },
    );
    let assemble = |votes: Vec<Vote>| {
        let votes = NonEmpty::try_new(votes.into_iter()).unwrap();
        schemes[0].assemble(votes, &Sequential).unwrap_err()
    };
    let twice = votes[1].signer;
    assert_eq!(
        assemble(vec![votes[0].clone(), votes[1].clone(), votes[1].clone()]),
        AssemblyError::DuplicateSigner(twice)
    );
    let mut stranger = votes[1].clone();
    stranger.signer = Participant::new(4);
    assert_eq!(
        assemble(vec![votes[0].clone(), votes[2].clone(), stranger]),
        AssemblyError::UnknownSigner(Participant::new(4))
    );
    assert_eq!(
        assemble(votes[..2].to_vec()),
        AssemblyError::InsufficientAttestations(3, 2)
    );
    let broken = Vote::decode(Copying(&[&[1], &[0; VOTE][..]].concat())).unwrap();
    assert_eq!(
        assemble(vec![broken]),
        AssemblyError::MalformedSignature(Participant::new(1))
    );
}

#[test]
fn attack_32_one_vote_repeated_for_three_signers_is_refused() {
    let (scheme, proposal, bytes) = three_of_four();
    let one = &bytes[HEAD..HEAD + VOTE];
    let repeated = [&bytes[..HEAD], one, one, one].concat();
    assert!(decoded(&repeated).is_some());
    assert!(!convinces(&scheme, &proposal, &repeated));
}

#[test]
fn attack_32_bits_of_the_wrong_length_are_refused() {
    let (scheme, proposal, bytes) = three_of_four();
    assert!(convinces(&scheme, &proposal, &bytes));
    assert_eq!(bytes[..HEAD], [0, 0, 0, 0, 0, 0, 0, 4, 0b111]);
    for validators in [0, 1, 2, 3, 5, 8, 16, u8::MAX] {
        let mut other = bytes.clone();
        other[7] = validators;
        assert!(!convinces(&scheme, &proposal, &other), "{validators}");
        // Neither where a larger set is expected, such as from a node's own disk.
        let subject = Subject::Finalize {
            proposal: &proposal,
        };
        let read = Certificate::decode_cfg(Copying(&other), &64);
        assert!(!read.is_ok_and(|it| is_certificate(&scheme, subject, &it)));
    }
    let mut longest = bytes.clone();
    longest[..8].fill(0xff);
    assert!(Certificate::decode_cfg(Copying(&longest), &usize::MAX).is_err());
}

#[test]
fn attack_32_other_bits_are_refused() {
    let (scheme, proposal, bytes) = three_of_four();
    for bits in (0..=u8::MAX).filter(|bits| *bits != 0b111) {
        let mut other = bytes.clone();
        other[HEAD - 1] = bits;
        assert!(!convinces(&scheme, &proposal, &other), "{bits:#b}");
    }
}

#[test]
fn attack_32_fewer_than_a_quorum_are_refused() {
    let (scheme, proposal, bytes) = three_of_four();
    let mut two = bytes[..HEAD + 2 * VOTE].to_vec();
    two[HEAD - 1] = 0b11;
    assert!(decoded(&two).is_some());
    assert!(!convinces(&scheme, &proposal, &two));
    let mut none = bytes[..HEAD].to_vec();
    none[HEAD - 1] = 0;
    assert!(decoded(&none).is_none());
}

#[test]
fn attack_32_trailing_missing_and_oversized_bytes_are_refused() {
    let (_, _, bytes) = three_of_four();
    assert!(decoded(&[&bytes[..], &[0]].concat()).is_none());
    assert!(decoded(&[&bytes[..], &bytes[HEAD..]].concat()).is_none());
    for length in [0, 1, 7, 8, 9, 10, HEAD + VOTE, bytes.len() - 1] {
        assert!(decoded(&bytes[..length]).is_none(), "{length}");
    }
    let huge = [&bytes[..], &vec![0; 100 << 20]].concat();
    assert!(decoded(&huge).is_none());
    let vote = &bytes[HEAD..HEAD + VOTE];
    assert!(VoteSignature::decode(Copying(vote)).is_ok());
    assert!(VoteSignature::decode(Copying(&[vote, &[0]].concat())).is_err());
    assert!(VoteSignature::decode(Copying(&vote[..VOTE - 1])).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// One changed byte anywhere, and it convinces nobody.
    #[test]
    fn attack_32_a_certificate_with_a_changed_byte_is_refused(
        at in any::<prop::sample::Index>(),
        change in 1u8..,
    ) {
        let (scheme, proposal, mut bytes) = three_of_four();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        prop_assert!(!convinces(&scheme, &proposal, &bytes), "byte {}", at);
    }
}
