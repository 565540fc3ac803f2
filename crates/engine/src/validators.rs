//! Who votes in an epoch: every validator with two keys, bound to each other.
//!
//! The **identity** (Ed25519) names a validator on the network and orders the set: the engine counts validators by their
//! position. The **signing key** (Ed25519 and ML-DSA-65) makes votes and proves the identity once more when a connection is
//! made. Neither is good for the other's work: they are different keys, and the set is refused if they are not.
//!
//! The digest of the whole set goes into every vote. So a vote says under which pairs of keys it was cast, and a certificate
//! of one set is worth nothing under another, even one of the same identities.

use std::collections::BTreeSet;
use std::fmt;

use bytes::Bytes;

use commonware_codec::DecodeExt as _;
use commonware_cryptography::ed25519;
use commonware_utils::Participant;
use commonware_utils::ordered::{Quorum as _, Set};
use commonware_utils::{Faults as _, N3f1};
use thiserror::Error;
use tieline_chain::double_vote::set_digest;
use tieline_seal::hybrid::{KeyId, PublicKey, Suite};
use tieline_units::Digest;

/// Name of a validator on the network, and its place in the order: an Ed25519 public key.
pub type Identity = ed25519::PublicKey;

/// An identity in errors and records: its 32 bytes, without the point that the engine keeps beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Digest);

impl From<&Identity> for Name {
    fn from(identity: &Identity) -> Name {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(identity);
        Name(Digest::from_bytes(bytes))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A digest is 32 bytes that print as we want them to.
        self.0.fmt(f)
    }
}

/// The suite of every signing key.
pub const SUITE: Suite = Suite::Ed25519MlDsa65;

/// Most validators of one chain: a certificate of so many has 216 KB.
pub const VALIDATORS_MAX: usize = 64;

/// Bytes of Ed25519's public key, which come first in a signing key.
const ED25519_KEY: usize = 32;

/// A validator: its two keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validator {
    /// Who it is on the network.
    pub identity: Identity,
    /// What its votes are checked with.
    pub signing: PublicKey,
}

/// The validators of one epoch, in the order of their identities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators {
    identities: Set<Identity>,
    signing: Vec<PublicKey>,
    digest: Digest,
}

/// Why a set of validators is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ValidatorsError {
    /// None, or too many.
    #[error("{count} validators; 1 to {VALIDATORS_MAX} are possible")]
    Count {
        /// How many.
        count: usize,
    },
    /// An identity that is none.
    #[error("{identity} is no Ed25519 public key")]
    NotAKey {
        /// What stands there.
        identity: Name,
    },
    /// Two with one identity.
    #[error("two validators have the identity {identity}")]
    SameIdentity {
        /// Theirs.
        identity: Name,
    },
    /// Two with one signing key.
    #[error("{identity} has the signing key {key:?} of another validator")]
    SameSigningKey {
        /// The later one.
        identity: Name,
        /// The key.
        key: KeyId,
    },
    /// A signing key that has no Ed25519 beside ML-DSA-65.
    #[error("the signing key of {identity} is of the suite {suite:?}, not {SUITE:?}")]
    Suite {
        /// Whose.
        identity: Name,
        /// Of which suite.
        suite: Suite,
    },
    /// One Ed25519 key for two purposes.
    #[error("the signing key of {identity} contains an identity key of the set")]
    IdentityThatSigns {
        /// Whose signing key.
        identity: Name,
    },
}

impl Validators {
    /// Of a chain's set.
    ///
    /// # Errors
    /// As [`Validators::new`]; [`ValidatorsError::NotAKey`] where an identity is no point of the curve.
    pub fn of(
        set: &tieline_chain::validators::ValidatorSet,
    ) -> Result<Validators, ValidatorsError> {
        let members = set.validators.iter().map(|validator| {
            let identity =
                Identity::decode(Bytes::copy_from_slice(&validator.identity)).map_err(|_| {
                    let identity = Name(Digest::from_bytes(validator.identity));
                    ValidatorsError::NotAKey { identity }
                })?;
            Ok(Validator {
                identity,
                signing: validator.key.clone(),
            })
        });
        Validators::new(members.collect::<Result<Vec<_>, _>>()?)
    }

    /// The set of these, in any order.
    ///
    /// # Errors
    /// [`ValidatorsError`]: no or too many validators, a key that occurs twice, a key of another suite.
    pub fn new(
        members: impl IntoIterator<Item = Validator>,
    ) -> Result<Validators, ValidatorsError> {
        let mut members: Vec<Validator> = members.into_iter().collect();
        let count = members.len();
        if !(1..=VALIDATORS_MAX).contains(&count) {
            return Err(ValidatorsError::Count { count });
        }
        members.sort_by(|one, other| one.identity.cmp(&other.identity));
        check(&members)?;
        let names: Vec<[u8; 32]> = members
            .iter()
            .map(|it| *Name::from(&it.identity).0.as_bytes())
            .collect();
        let pairs = names.iter().zip(members.iter().map(|it| &it.signing));
        let digest = set_digest(pairs);
        let (identities, signing): (Vec<_>, Vec<_>) = members
            .into_iter()
            .map(|member| (member.identity, member.signing))
            .unzip();
        Ok(Validators {
            identities: Set::from_iter_dedup(identities),
            signing,
            digest,
        })
    }

    /// The identities, rising: the engine's participants.
    pub fn identities(&self) -> &Set<Identity> {
        &self.identities
    }

    /// How many, 1 to [`VALIDATORS_MAX`].
    #[expect(
        clippy::len_without_is_empty,
        reason = "an empty set of validators is refused"
    )]
    pub fn len(&self) -> usize {
        self.signing.len()
    }

    /// How many must sign a certificate: all but the largest `f` with `n >= 3f + 1`.
    pub fn quorum(&self) -> usize {
        let quorum = N3f1::quorum(self.signing.len());
        usize::try_from(quorum).expect("not above the number of validators")
    }

    /// The signing key at a place in the order.
    pub fn signing_key(&self, place: Participant) -> Option<&PublicKey> {
        self.signing.get(usize::from(place))
    }

    /// The place of an identity in the order.
    pub fn place(&self, identity: &Identity) -> Option<Participant> {
        self.identities.index(identity)
    }

    /// Fingerprint of all pairs of keys, in order; it goes into every vote.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// Every rule that needs more than one member, or a key's suite. `members` is sorted.
fn check(members: &[Validator]) -> Result<(), ValidatorsError> {
    if let Some(pair) = members
        .windows(2)
        .find(|it| it[0].identity == it[1].identity)
    {
        return Err(ValidatorsError::SameIdentity {
            identity: Name::from(&pair[0].identity),
        });
    }
    let mut components = BTreeSet::new();
    for Validator { identity, signing } in members {
        let name = Name::from(identity);
        if signing.suite() != SUITE {
            return Err(ValidatorsError::Suite {
                identity: name,
                suite: signing.suite(),
            });
        }
        let (ed25519, ml_dsa) = signing.as_bytes().split_at(ED25519_KEY);
        if members.iter().any(|it| it.identity.as_ref() == ed25519) {
            return Err(ValidatorsError::IdentityThatSigns { identity: name });
        }
        // Either half: a validator that copies a half of another's key can make that half of nobody's vote.
        if !components.insert(ed25519) || !components.insert(ml_dsa) {
            return Err(ValidatorsError::SameSigningKey {
                identity: name,
                key: signing.id(),
            });
        }
    }
    Ok(())
}
