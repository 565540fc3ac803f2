//! Votes and certificates of Ed25519 and ML-DSA-65, both of which must verify.
//!
//! **Parties.** The [`Validators`] of one epoch of one chain; anybody who has that set checks.
//!
//! **What is signed.** The engine asks for three kinds of votes: to notarize a proposal, to finalize it, to give up a view. A
//! vote is a hybrid signature (`tieline_seal::hybrid`) in the domain {chain, genesis, epoch, vote} on
//!
//! ```text
//! text  "tieline.vote/1"
//! 32    digest of the set of validators
//! bytes the engine's name of the kind of vote        (length u32, then the bytes)
//! bytes the engine's encoding of what is voted on: round and, unless a view is given up, parent and payload
//! ```
//!
//! | what | bytes |
//! |---|---|
//! | vote ([`VoteSignature`]) | suite 1, Ed25519 64, ML-DSA-65 3309 |
//! | certificate ([`Certificate`]) | validators u64, one bit for each, then the signers' votes in their order |
//!
//! **Rules.** The subject's epoch is the scheme's, or nothing is signed and nothing verifies. A certificate has as many bits
//! as there are validators and at least a quorum of votes; every vote in it is checked, with both components, none in a
//! batch. A signer proves that its two keys belong to one validator of the set before it signs.
//!
//! **Guarantees.** No vote of one kind, view, epoch, chain, network or set of validators passes as another. Who forges one
//! has broken Ed25519 and ML-DSA-65. Signing is deterministic: the engine takes two different votes of one validator in one
//! view for a proof of fraud. Votes name their signer, so such a proof convinces third parties.
//!
//! **Deviations from the engine's schemes.** Votes are not batched: the engine checks each on arrival, while it waits for
//! the others. A batch equation would let what one verifier takes be refused by another. The number of votes is not
//! repeated beside the bits. Certificates are not aggregated: no scheme that aggregates and withstands a quantum computer
//! is ready (`docs/adr/007-bft-engine.md`).

mod certificate;

use std::sync::Arc;

use commonware_consensus::simplex::scheme::Namespace;
use commonware_consensus::simplex::scheme::ed25519;
use commonware_consensus::simplex::types::Subject;
use commonware_consensus::types::Epoch;
use commonware_cryptography::certificate::{
    AssemblyError, Attestation, Membership, Namespace as _, Scheme, Signers, Subject as _,
    Verification, Verifier, verify_then_assemble,
};
use commonware_parallel::Strategy;
use commonware_utils::iter::NonEmpty;
use commonware_utils::ordered::Set;
use commonware_utils::{N3f1, Participant};
use rand_core::CryptoRng;
use thiserror::Error;
use tieline_chain::double_vote::message;
use tieline_seal::hybrid::{Domain, KeyId, Purpose, SigningKey, Strict, Verify as _};
use tieline_units::{ChainId, Digest};

use crate::validators::{Identity, Name, Validators, ValidatorsError};
pub use certificate::{Certificate, VoteSignature};

/// The engine's own scheme, Ed25519 alone: for comparison and for large simulations. A quantum computer forges its votes.
pub type Ed25519Scheme = ed25519::Scheme;

/// The engine's name of our votes; it appends the kind.
const VOTES: &[u8] = b"tieline";

/// One epoch of one chain: where votes count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Election {
    /// The chain.
    pub chain: ChainId,
    /// Its genesis.
    pub genesis: Digest,
    /// The epoch.
    pub epoch: Epoch,
}

impl Election {
    /// The domain of its votes.
    pub fn domain(&self) -> Domain {
        Domain {
            chain: self.chain.clone(),
            genesis: self.genesis,
            epoch: self.epoch.get(),
            purpose: Purpose::Vote,
        }
    }
}

/// Why a node cannot sign for a set of validators.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SchemeError {
    /// It is not in the set.
    #[error("{identity} is not a validator of epoch {epoch}")]
    NotAValidator {
        /// Who asked.
        identity: Name,
        /// For which epoch.
        epoch: Epoch,
    },
    /// There is no such set.
    #[error(transparent)]
    Validators(#[from] ValidatorsError),
    /// It is, with another signing key.
    #[error("the set of epoch {epoch} has another signing key for {identity} than {key:?}")]
    OtherSigningKey {
        /// Who asked.
        identity: Name,
        /// For which epoch.
        epoch: Epoch,
        /// The key it has.
        key: KeyId,
    },
}

/// The voting scheme of one epoch: checks votes and certificates, and signs where it has a key. Clones share everything.
#[derive(Clone, Debug)]
pub struct HybridScheme {
    validators: Arc<Validators>,
    domain: Domain,
    kinds: Arc<Namespace>,
    signer: Option<(Participant, Arc<SigningKey>)>,
}

impl HybridScheme {
    /// For whoever only checks: clients, other chains, nodes that are no validators.
    pub fn verifier(election: &Election, validators: Arc<Validators>) -> HybridScheme {
        HybridScheme {
            validators,
            domain: election.domain(),
            kinds: Arc::new(Namespace::derive(VOTES)),
            signer: None,
        }
    }

    /// The identity of the first validator in the order.
    pub(crate) fn first(&self) -> &Identity {
        self.validators
            .identities()
            .iter()
            .next()
            .expect("an empty set of validators is refused")
    }

    /// For the validator with this identity and this signing key.
    ///
    /// # Errors
    /// [`SchemeError`] when the set does not have the two together.
    pub fn signer(
        election: &Election,
        validators: Arc<Validators>,
        identity: &Identity,
        key: Arc<SigningKey>,
    ) -> Result<HybridScheme, SchemeError> {
        let (name, epoch) = (Name::from(identity), election.epoch);
        let place = validators.place(identity);
        let place = place.ok_or(SchemeError::NotAValidator {
            identity: name,
            epoch,
        })?;
        if validators.signing_key(place) != Some(key.public_key()) {
            return Err(SchemeError::OtherSigningKey {
                identity: name,
                epoch,
                key: key.public_key().id(),
            });
        }
        let mut scheme = HybridScheme::verifier(election, validators);
        scheme.signer = Some((place, key));
        Ok(scheme)
    }

    /// Whether it signs, and does not only check.
    pub fn votes(&self) -> bool {
        self.signer.is_some()
    }

    /// The set it votes in.
    pub fn validators(&self) -> &Validators {
        &self.validators
    }

    /// The bytes to sign for a subject; `None` for one of another epoch.
    pub fn message<D>(&self, subject: &Subject<'_, D>) -> Option<Vec<u8>>
    where
        D: commonware_cryptography::Digest,
    {
        let round = match subject {
            Subject::Notarize { proposal } | Subject::Finalize { proposal } => proposal.round,
            Subject::Nullify { round } => *round,
        };
        if round.epoch().get() != self.domain.epoch {
            return None;
        }
        let (set, kind) = (self.validators.digest(), subject.namespace(&self.kinds));
        Some(message(set, kind, &subject.message()))
    }

    /// Whether `signature` is the vote of the validator at `place` on `message`.
    fn holds(&self, message: &[u8], place: Participant, signature: &VoteSignature) -> bool {
        let key = self.validators.signing_key(place);
        key.is_some_and(|key| Strict.verify(key, &self.domain, message, signature.as_hybrid()))
    }
}

impl Verifier for HybridScheme {
    type Subject<'a, D: commonware_cryptography::Digest> = Subject<'a, D>;
    type Faults = N3f1;
    type PublicKey = Identity;
    type Certificate = Certificate;

    fn verify_certificate<R, D>(
        &self,
        _: &mut R,
        subject: Subject<'_, D>,
        certificate: &Certificate,
        strategy: &impl Strategy,
    ) -> bool
    where
        R: CryptoRng,
        D: commonware_cryptography::Digest,
    {
        if certificate.validators() != self.validators.len()
            || certificate.votes().len() < self.validators.quorum()
        {
            return false;
        }
        let Some(message) = self.message(&subject) else {
            return false;
        };
        strategy.fold(
            certificate.entries(),
            || true,
            |right, (place, vote)| right && self.holds(&message, place, vote),
            |one, other| one && other,
        )
    }

    /// No: each vote is checked when it arrives, and nothing is gained by waiting.
    fn is_batchable() -> bool {
        false
    }

    fn max_certificate_size(participants: u32) -> usize {
        Certificate::bytes_max(participants)
    }

    fn certificate_codec_config(&self) -> usize {
        self.validators.len()
    }

    fn certificate_codec_config_unbounded() -> usize {
        crate::validators::VALIDATORS_MAX
    }
}

impl Scheme for HybridScheme {
    type Signature = VoteSignature;

    fn me(&self) -> Option<Membership> {
        let (place, _) = self.signer.as_ref()?;
        Some(Membership::Signer(*place))
    }

    fn participants(&self) -> &Set<Identity> {
        self.validators.identities()
    }

    fn sign<D>(&self, subject: Subject<'_, D>) -> Option<Attestation<Self>>
    where
        D: commonware_cryptography::Digest,
    {
        let (place, key) = self.signer.as_ref()?;
        let message = self.message(&subject)?;
        let signature = VoteSignature::new(key.sign(&self.domain, &message))?;
        Some(Attestation {
            signer: *place,
            signature: signature.into(),
        })
    }

    fn verify_attestation<R, D>(
        &self,
        _: &mut R,
        subject: Subject<'_, D>,
        attestation: &Attestation<Self>,
        _: &impl Strategy,
    ) -> bool
    where
        R: CryptoRng,
        D: commonware_cryptography::Digest,
    {
        let (message, signature) = (self.message(&subject), attestation.signature.get());
        let given = message.zip(signature);
        given.is_some_and(|(message, vote)| self.holds(&message, attestation.signer, vote))
    }

    fn optimistic_assemble<'a, R, D, I, J>(
        &self,
        rng: &mut R,
        subject: Subject<'_, D>,
        pending: I,
        verified: J,
        strategy: &impl Strategy,
    ) -> Result<Certificate, Verification<Self>>
    where
        R: CryptoRng,
        D: commonware_cryptography::Digest,
        I: IntoIterator<Item = Attestation<Self>>,
        I::IntoIter: ExactSizeIterator + Send,
        J: IntoIterator<Item = &'a Attestation<Self>>,
        J::IntoIter: Send,
    {
        // The verified ones are not checked again: optimism would, and saves nothing where each vote is checked by itself.
        verify_then_assemble::<_, _, D, _, _>(self, rng, subject, pending, verified, strategy)
    }

    fn assemble<I>(
        &self,
        attestations: NonEmpty<I>,
        _: &impl Strategy,
    ) -> Result<Certificate, AssemblyError>
    where
        I: Iterator<Item = Attestation<Self>> + Send,
    {
        let mut votes = Vec::with_capacity(self.validators.len());
        for Attestation { signer, signature } in attestations {
            let vote = signature.get().cloned();
            votes.push((
                signer,
                vote.ok_or(AssemblyError::MalformedSignature(signer))?,
            ));
        }
        votes.sort_by_key(|(signer, _)| *signer);
        let (places, votes): (Vec<Participant>, Vec<_>) = votes.into_iter().unzip();
        let signers = Signers::try_from((self.validators.identities(), places))?;
        let (quorum, found) = (self.validators.quorum(), votes.len());
        if found < quorum {
            // Both are at most `VALIDATORS_MAX`: the signers are distinct members of the set.
            return Err(AssemblyError::InsufficientAttestations(
                quorum as u32,
                found as u32,
            ));
        }
        Ok(Certificate::new(signers, votes))
    }

    /// Yes: a vote is a signature of its signer alone.
    fn is_attributable() -> bool {
        true
    }
}
