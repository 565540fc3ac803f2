//! The engine's own Ed25519 scheme under the name and with the constructors of ours, so that the sources of the
//! application compile with it unchanged: `crate::scheme` in them is this file.
//!
//! Votes are made with the validators' identity keys, as the engine's scheme has it. Everything else about validators is the
//! same: the set still names their hybrid keys, and connections are authenticated with both.

use std::sync::Arc;

use commonware_consensus::simplex::scheme::ed25519;
use commonware_consensus::simplex::types::Subject;
use commonware_consensus::types::Epoch;
use commonware_cryptography::certificate::{
    AssemblyError, Attestation, Membership, Scheme, Verification, Verifier,
};
use commonware_cryptography::{Digest, ed25519::PrivateKey};
use commonware_parallel::Strategy;
use commonware_utils::iter::NonEmpty;
use commonware_utils::ordered::Set;
use rand_core::CryptoRng;
pub use tieline_engine::scheme::{Election, SchemeError};
use tieline_seal::hybrid::SigningKey;

use crate::ground::identity_of;
use crate::validators::{Identity, Validators};

/// In the place of `HybridScheme`: Ed25519 alone, batched where the engine batches.
#[derive(Clone, Debug)]
pub struct HybridScheme {
    inner: ed25519::Scheme,
    validators: Arc<Validators>,
}

type Inner = Attestation<ed25519::Scheme>;

fn inner(of: Attestation<HybridScheme>) -> Inner {
    let Attestation { signer, signature } = of;
    Attestation { signer, signature }
}

fn outer(of: Inner) -> Attestation<HybridScheme> {
    let Attestation { signer, signature } = of;
    Attestation { signer, signature }
}

fn outcome(of: Verification<ed25519::Scheme>) -> Verification<HybridScheme> {
    let verified = of.verified.into_iter().map(outer).collect();
    Verification::new(verified, of.invalid)
}

/// Where votes count, as the engine's schemes know it.
fn namespace(election: &Election) -> Vec<u8> {
    election.domain().context()
}

impl HybridScheme {
    /// For whoever only checks.
    pub fn verifier(election: &Election, validators: Arc<Validators>) -> HybridScheme {
        let identities = validators.identities().clone();
        let inner = ed25519::Scheme::verifier(&namespace(election), identities);
        HybridScheme { inner, validators }
    }

    /// For the validator with this identity; it signs with the private key of that.
    pub fn signer(
        election: &Election,
        validators: Arc<Validators>,
        identity: &Identity,
        _: Arc<SigningKey>,
    ) -> Result<HybridScheme, SchemeError> {
        let key: Option<PrivateKey> = identity_of(identity);
        let identities = validators.identities().clone();
        let inner = key
            .and_then(|key| ed25519::Scheme::signer(&namespace(election), identities, key))
            .ok_or(SchemeError::NotAValidator {
                identity: identity.into(),
                epoch: election.epoch,
            })?;
        Ok(HybridScheme { inner, validators })
    }

    pub(crate) fn first(&self) -> &Identity {
        let mut identities = self.validators.identities().iter();
        identities.next().unwrap()
    }

    pub fn votes(&self) -> bool {
        use commonware_cryptography::certificate::Membership as _;
        self.inner.me().is_some()
    }

    pub fn validators(&self) -> &Validators {
        &self.validators
    }
}

impl Verifier for HybridScheme {
    type Subject<'a, D: Digest> = Subject<'a, D>;
    type Faults = <ed25519::Scheme as Verifier>::Faults;
    type PublicKey = Identity;
    type Certificate = <ed25519::Scheme as Verifier>::Certificate;

    fn verify_certificate<R, D>(
        &self,
        rng: &mut R,
        subject: Subject<'_, D>,
        certificate: &Self::Certificate,
        strategy: &impl Strategy,
    ) -> bool
    where
        R: CryptoRng,
        D: Digest,
    {
        self.inner
            .verify_certificate::<R, D>(rng, subject, certificate, strategy)
    }

    fn verify_certificates<'a, R, D, I>(
        &self,
        rng: &mut R,
        certificates: NonEmpty<I>,
        strategy: &impl Strategy,
    ) -> bool
    where
        R: CryptoRng,
        D: Digest,
        I: Iterator<Item = (Subject<'a, D>, &'a Self::Certificate)>,
    {
        self.inner
            .verify_certificates::<R, D, I>(rng, certificates, strategy)
    }

    fn is_batchable() -> bool {
        ed25519::Scheme::is_batchable()
    }

    fn max_certificate_size(participants: u32) -> usize {
        ed25519::Scheme::max_certificate_size(participants)
    }

    fn certificate_codec_config(&self) -> usize {
        self.inner.certificate_codec_config()
    }

    fn certificate_codec_config_unbounded() -> usize {
        crate::validators::VALIDATORS_MAX
    }
}

impl Scheme for HybridScheme {
    type Signature = <ed25519::Scheme as Scheme>::Signature;

    fn me(&self) -> Option<Membership> {
        self.inner.me()
    }

    fn participants(&self) -> &Set<Identity> {
        self.inner.participants()
    }

    fn sign<D: Digest>(&self, subject: Subject<'_, D>) -> Option<Attestation<Self>> {
        self.inner.sign::<D>(subject).map(outer)
    }

    fn verify_attestation<R, D>(
        &self,
        rng: &mut R,
        subject: Subject<'_, D>,
        attestation: &Attestation<Self>,
        strategy: &impl Strategy,
    ) -> bool
    where
        R: CryptoRng,
        D: Digest,
    {
        let attestation = inner(attestation.clone());
        self.inner
            .verify_attestation::<R, D>(rng, subject, &attestation, strategy)
    }

    fn verify_attestations<R, D, I>(
        &self,
        rng: &mut R,
        subject: Subject<'_, D>,
        attestations: I,
        strategy: &impl Strategy,
    ) -> Verification<Self>
    where
        R: CryptoRng,
        D: Digest,
        I: IntoIterator<Item = Attestation<Self>>,
        I::IntoIter: Send,
    {
        let all: Vec<Inner> = attestations.into_iter().map(inner).collect();
        let found = self
            .inner
            .verify_attestations::<R, D, _>(rng, subject, all, strategy);
        outcome(found)
    }

    fn optimistic_assemble<'a, R, D, I, J>(
        &self,
        rng: &mut R,
        subject: Subject<'_, D>,
        pending: I,
        verified: J,
        strategy: &impl Strategy,
    ) -> Result<Self::Certificate, Verification<Self>>
    where
        R: CryptoRng,
        D: Digest,
        I: IntoIterator<Item = Attestation<Self>>,
        I::IntoIter: ExactSizeIterator + Send,
        J: IntoIterator<Item = &'a Attestation<Self>>,
        J::IntoIter: Send,
    {
        let pending: Vec<Inner> = pending.into_iter().map(inner).collect();
        let verified = verified.into_iter().map(|it| inner(it.clone()));
        let verified: Vec<Inner> = verified.collect();
        self.inner
            .optimistic_assemble::<R, D, _, _>(rng, subject, pending, &verified, strategy)
            .map_err(outcome)
    }

    fn assemble<I>(
        &self,
        attestations: NonEmpty<I>,
        strategy: &impl Strategy,
    ) -> Result<Self::Certificate, AssemblyError>
    where
        I: Iterator<Item = Attestation<Self>> + Send,
    {
        let all: Vec<Inner> = attestations.into_iter().map(inner).collect();
        let all = NonEmpty::try_new(all.into_iter()).unwrap();
        self.inner.assemble(all, strategy)
    }

    fn is_attributable() -> bool {
        ed25519::Scheme::is_attributable()
    }
}
