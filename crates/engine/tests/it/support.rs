//! Validators to test with.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use commonware_consensus::simplex::types::{Proposal, Subject};
use commonware_consensus::types::{Epoch, Round, View};
use commonware_cryptography::certificate::{Attestation, Scheme as _, Verifier as _};
use commonware_cryptography::sha256::{Digest as Payload, Sha256};
use commonware_cryptography::{Hasher as _, Signer as _, ed25519};
use commonware_parallel::Sequential;
use commonware_utils::iter::NonEmpty;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use tieline_engine::scheme::{Certificate, Election, HybridScheme};
use tieline_engine::validators::{SUITE, Validator, Validators};
use tieline_seal::hybrid::SigningKey;
use tieline_units::{ChainId, Digest};

/// The epoch of all tests.
pub(crate) const EPOCH: u64 = 3;

/// A source of randomness that nothing depends on.
pub(crate) fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(1)
}

/// A hash as hexadecimal text.
pub(crate) fn hash(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()
}

/// The identity key of a node.
pub(crate) fn identity(seed: u8) -> ed25519::PrivateKey {
    ed25519::PrivateKey::from_seed(u64::from(seed))
}

/// The signing key of a node.
pub(crate) fn signing(seed: u8) -> SigningKey {
    SigningKey::from_seed(SUITE, &[seed; 32])
}

/// A node as others know it.
pub(crate) fn validator(seed: u8) -> Validator {
    Validator {
        identity: identity(seed).public_key(),
        signing: signing(seed).public_key().clone(),
    }
}

/// Where votes count.
pub(crate) fn election() -> Election {
    Election {
        chain: ChainId::parse("harbour").unwrap(),
        genesis: Digest::of(b"genesis"),
        epoch: Epoch::new(EPOCH),
    }
}

/// So many validators that can sign, in the order of their identities; made once.
pub(crate) fn committee(count: u8) -> Vec<HybridScheme> {
    static MADE: Mutex<BTreeMap<u8, Vec<HybridScheme>>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let committee = made.entry(count);
    committee
        .or_insert_with(|| committee_of(&election(), 1..=count))
        .clone()
}

/// Those with these seeds, in another election.
pub(crate) fn committee_of(
    election: &Election,
    seeds: impl IntoIterator<Item = u8>,
) -> Vec<HybridScheme> {
    let seeds: Vec<u8> = seeds.into_iter().collect();
    let set = Arc::new(Validators::new(seeds.iter().copied().map(validator)).unwrap());
    let mut schemes: Vec<HybridScheme> = seeds
        .into_iter()
        .map(|seed| {
            let (identity, key) = (identity(seed).public_key(), Arc::new(signing(seed)));
            HybridScheme::signer(election, set.clone(), &identity, key).unwrap()
        })
        .collect();
    schemes.sort_by_key(|scheme| scheme.me().unwrap().index());
    schemes
}

/// A round of the epoch.
pub(crate) fn round(view: u64) -> Round {
    Round::new(Epoch::new(EPOCH), View::new(view))
}

/// A proposal to vote on.
pub(crate) fn proposal() -> Proposal<Payload> {
    Proposal::new(round(9), View::new(8), Sha256::hash(&[b"block"]))
}

/// The three kinds of votes, all in one round.
pub(crate) fn kinds(proposal: &Proposal<Payload>) -> [Subject<'_, Payload>; 3] {
    [
        Subject::Notarize { proposal },
        Subject::Nullify {
            round: proposal.round,
        },
        Subject::Finalize { proposal },
    ]
}

/// Everybody's vote.
pub(crate) fn votes(
    schemes: &[HybridScheme],
    subject: Subject<'_, Payload>,
) -> Vec<Attestation<HybridScheme>> {
    let votes = schemes.iter().map(|scheme| scheme.sign(subject).unwrap());
    votes.collect()
}

/// The certificate of these votes.
pub(crate) fn certificate(
    scheme: &HybridScheme,
    votes: Vec<Attestation<HybridScheme>>,
) -> Certificate {
    let votes = NonEmpty::try_new(votes.into_iter()).unwrap();
    scheme.assemble(votes, &Sequential).unwrap()
}

/// Whether a vote is right.
pub(crate) fn is_vote(
    scheme: &HybridScheme,
    subject: Subject<'_, Payload>,
    vote: &Attestation<HybridScheme>,
) -> bool {
    scheme.verify_attestation::<_, Payload>(&mut rng(), subject, vote, &Sequential)
}

/// Whether a certificate is right.
pub(crate) fn is_certificate(
    scheme: &HybridScheme,
    subject: Subject<'_, Payload>,
    certificate: &Certificate,
) -> bool {
    scheme.verify_certificate::<_, Payload>(&mut rng(), subject, certificate, &Sequential)
}
