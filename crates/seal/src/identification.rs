//! The identification certificate of x_i (paper, section 3.2, phase 1: "graphical identification certificate").
//!
//! **Parties.** x_i issues it beside its request. Whoever stands in front of it with a camera checks it: a field engineer, an
//! auditor, y_j's operator, without a node and without a network.
//!
//! **Message.** [`Identification`]: who speaks on which chain, by which keys, about which request, since when, and a hybrid
//! signature over all of it. To be shown, it is cut into numbered parts ([`Identification::to_parts`]), each a QR symbol of
//! its own: Ed25519 and ML-DSA-65 take 3,373 bytes, and the largest QR symbol holds 2,953.
//!
//! **Rules.** The signature counts in the domain {chain, genesis, epoch 0, identification}. The signer's key is one of the
//! keys that the certificate lists. Whoever checks takes the public key from the registry, never from whoever shows the
//! certificate.
//!
//! **Guarantees.** A certificate that verifies was made by the owner of the key, for this chain and this request. It does
//! not say that whoever shows it is the owner, for anybody can photograph it; nor that the request is still open. It is
//! public and holds no secret.
//!
//! **Deviations.** The paper names the certificate and says nothing of its content or form. Used: the content above, and
//! text in the alphabet of QR codes.

mod base45;
mod parts;

use std::collections::BTreeSet;

use thiserror::Error;
use tieline_units::canonical::{Canonical, DecodeError, Decoder};
use tieline_units::{ChainId, Digest, Encoder, MicrogridId, Time};

use crate::hybrid::{Domain, KeyId, PublicKey, Purpose, Signature, SigningKey, Verify};

pub use parts::{PART_BYTES, PARTS_MAX, ScanError};

/// Most keys that a certificate lists.
pub const KEYS_MAX: usize = 16;

const VERSION: u8 = 1;
const DIGEST: &str = "tieline.identification/1";

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who: x_i.
    pub node: MicrogridId,
    /// On which chain.
    pub chain: ChainId,
    /// Genesis of that chain.
    pub genesis: Digest,
    /// Fingerprints of the node's keys, the signing one among them; 1 to [`KEYS_MAX`].
    pub keys: BTreeSet<KeyId>,
    /// Id of the order that is requested.
    pub request: Digest,
    /// When the certificate was issued, by the issuer's clock.
    pub issued: Time,
}

tieline_units::canonical!(Claim {
    node,
    chain,
    genesis,
    keys,
    request,
    issued
});

/// A claim with its signature. Until [`Identification::verify`] has passed, it says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identification {
    claim: Claim,
    signature: Signature,
}

/// Why a certificate is not issued or proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IdentificationError {
    /// Too few or too many keys.
    #[error("the certificate lists {count} keys: 1 to {KEYS_MAX} are possible")]
    Keys {
        /// How many.
        count: usize,
    },
    /// The key is not one of the certificate's.
    #[error("the key {} is none of the keys that the certificate of {node} lists", key.0)]
    NotListed {
        /// Whose certificate.
        node: MicrogridId,
        /// The key.
        key: KeyId,
    },
    /// The signature is not the key owner's on this certificate.
    #[error("the signature on the certificate of {node} is not by the key {}", key.0)]
    Signature {
        /// Whose certificate.
        node: MicrogridId,
        /// The key.
        key: KeyId,
    },
}

impl Identification {
    /// Signs a claim.
    ///
    /// # Errors
    /// [`IdentificationError::Keys`]; [`IdentificationError::NotListed`] when the claim does not list the signer's key.
    pub fn issue(claim: Claim, key: &SigningKey) -> Result<Identification, IdentificationError> {
        claim.check(key.public_key())?;
        let signature = key.sign(&claim.domain(), &claim.message());
        Ok(Identification { claim, signature })
    }

    /// What it says, verified or not.
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// Its name: what the parts carry the beginning of.
    pub fn id(&self) -> Digest {
        self.digest(DIGEST)
    }

    /// Checks that the owner of `key` made this certificate. `key` comes from the registry.
    ///
    /// # Errors
    /// [`IdentificationError::NotListed`], [`IdentificationError::Signature`].
    pub fn verify(&self, key: &PublicKey, by: &dyn Verify) -> Result<(), IdentificationError> {
        self.claim.check(key)?;
        let (domain, message) = (self.claim.domain(), self.claim.message());
        match by.verify(key, &domain, &message, &self.signature) {
            true => Ok(()),
            false => Err(IdentificationError::Signature {
                node: self.claim.node.clone(),
                key: key.id(),
            }),
        }
    }
}

impl Claim {
    fn check(&self, signer: &PublicKey) -> Result<(), IdentificationError> {
        let count = self.keys.len();
        if !(1..=KEYS_MAX).contains(&count) {
            return Err(IdentificationError::Keys { count });
        }
        let (node, key) = (self.node.clone(), signer.id());
        match self.keys.contains(&key) {
            true => Ok(()),
            false => Err(IdentificationError::NotListed { node, key }),
        }
    }

    fn domain(&self) -> Domain {
        Domain {
            chain: self.chain.clone(),
            genesis: self.genesis,
            epoch: 0,
            purpose: Purpose::Identification,
        }
    }

    /// What is signed.
    fn message(&self) -> Vec<u8> {
        let mut message = Encoder::default();
        message.u8(VERSION);
        self.encode(&mut message);
        message.into_bytes()
    }
}

impl Canonical for Identification {
    fn encode(&self, to: &mut Encoder) {
        to.raw(&self.claim.message());
        self.signature.encode(to);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let at = from.at();
        let version = u8::read(from)?;
        if version != VERSION {
            let what = "version of an identification certificate";
            return Err(Decoder::invalid(at, what, version));
        }
        let claim = Claim::read(from)?;
        let count = claim.keys.len();
        if !(1..=KEYS_MAX).contains(&count) {
            return Err(Decoder::invalid(
                at,
                "certificate with 1 to 16 keys",
                format_args!("one with {count}"),
            ));
        }
        let signature = Signature::read(from)?;
        Ok(Identification { claim, signature })
    }
}
