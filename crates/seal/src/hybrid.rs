//! Public signatures: ML-DSA-65, alone or together with Ed25519.
//!
//! Here are the types that travel; `sign.rs` beside this file says what exactly is signed.

mod remember;
mod sign;

use std::fmt;
use std::sync::Arc;

use tieline_units::canonical::{Canonical, DecodeError, Decoder};
use tieline_units::{ChainId, Digest, Encoder, canonical};

pub use remember::Remembering;
pub use sign::{SigningKey, Strict};

/// Which signatures a key makes. A chain registers keys of one suite; nothing else is accepted from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// ML-DSA-65 (FIPS 204).
    MlDsa65,
    /// Ed25519 (RFC 8032) and ML-DSA-65; both must verify.
    Ed25519MlDsa65,
}

impl Suite {
    /// Bytes of a public key.
    pub const fn key_bytes(self) -> usize {
        match self {
            Suite::MlDsa65 => 1952,
            Suite::Ed25519MlDsa65 => 32 + 1952,
        }
    }

    /// Bytes of a signature.
    pub const fn signature_bytes(self) -> usize {
        match self {
            Suite::MlDsa65 => 3309,
            Suite::Ed25519MlDsa65 => 64 + 3309,
        }
    }
}

tieline_units::canonical_enum!(Suite { 1 => MlDsa65, 2 => Ed25519MlDsa65 });

/// What a signature is for. No signature of one purpose passes as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// A transaction of a gateway, the VPP's operator or an aggregator.
    Transaction,
    /// A verification node's statement on the outbox of a block.
    Attestation,
    /// A validator's statement that a block is final.
    Finality,
    /// A meter's batch of readings.
    Meter,
    /// Proof of possession of a key that is being registered.
    Possession,
    /// An identification certificate.
    Identification,
    /// A vote of consensus.
    Vote,
    /// Proof of who is at the other end of a connection.
    Handshake,
}

tieline_units::canonical_enum!(Purpose {
    1 => Transaction, 2 => Attestation, 3 => Finality, 4 => Meter, 5 => Possession, 6 => Identification, 7 => Vote, 8 => Handshake,
});

/// Where a signature counts: {product, chain, genesis, epoch, kind}. It is the context of every signature.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain {
    /// The chain.
    pub chain: ChainId,
    /// Its genesis: two networks with chains of one name share nothing.
    pub genesis: Digest,
    /// The epoch of the signer's committee; 0 for whoever is in none.
    pub epoch: u64,
    /// The kind.
    pub purpose: Purpose,
}

canonical!(Domain {
    chain,
    genesis,
    epoch,
    purpose
});

impl Domain {
    /// The bytes, at most 122: FIPS 204 allows 255.
    pub fn context(&self) -> Vec<u8> {
        let mut encoder = Encoder::new("tieline/1");
        self.encode(&mut encoder);
        encoder.into_bytes()
    }
}

/// Fingerprint of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub Digest);

canonical!(KeyId { 0 });

/// A public key, its bytes shared: states hold thousands.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey {
    suite: Suite,
    bytes: Arc<[u8]>,
}

/// A signature.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature {
    suite: Suite,
    bytes: Arc<[u8]>,
}

macro_rules! sized {
    ($name:ident, $length:ident, $what:literal) => {
        impl $name {
            /// From bytes of the suite's length; `None` for any other.
            pub fn new(suite: Suite, bytes: &[u8]) -> Option<$name> {
                (bytes.len() == suite.$length()).then(|| $name {
                    suite,
                    bytes: Arc::from(bytes),
                })
            }

            /// Which suite.
            pub fn suite(&self) -> Suite {
                self.suite
            }

            /// The bytes: Ed25519's first where both are, then ML-DSA-65's.
            pub fn as_bytes(&self) -> &[u8] {
                &self.bytes
            }
        }

        impl Canonical for $name {
            fn encode(&self, to: &mut Encoder) {
                self.suite.encode(to);
                to.raw(&self.bytes);
            }

            fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                let suite = Suite::read(from)?;
                let bytes = Arc::from(from.take(suite.$length())?);
                Ok($name { suite, bytes })
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} {}", $what, &Digest::of(&self.bytes).to_string()[..8])
            }
        }
    };
}

sized!(PublicKey, key_bytes, "key");
sized!(Signature, signature_bytes, "signature");

impl PublicKey {
    /// SHA-256 of suite and bytes.
    pub fn id(&self) -> KeyId {
        KeyId(self.digest("tieline.key/1"))
    }
}

/// Says whether a signature is right: with mathematics in nodes, with symbols where a model checker explores millions of runs.
pub trait Verify {
    /// Whether `signature` is the owner of `key`'s on `message` in `domain`.
    fn verify(
        &self,
        key: &PublicKey,
        domain: &Domain,
        message: &[u8],
        signature: &Signature,
    ) -> bool;
}
