//! Why there is no connection.

use commonware_stream::utils::codec::Error as FrameError;
use thiserror::Error;
use tieline_units::canonical::DecodeError;

use super::psk::NoPsk;
use crate::validators::Name;

/// Why a handshake was given up. Whatever was secret is gone; the connection is closed without a word to the other end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The connection begins otherwise than ours do.
    #[error("the other end speaks another protocol, beginning with {found:02x?}")]
    NotOurs {
        /// Its first bytes.
        found: [u8; 4],
    },
    /// Another version, or other algorithms.
    #[error(
        "the other end wants version {version} with algorithms {suite}; only version 1 with algorithms 1 is spoken"
    )]
    Version {
        /// Its version.
        version: u8,
        /// Its algorithms.
        suite: u8,
    },
    /// The name of the dialer is no Ed25519 key.
    #[error("the other end gives a name that is no Ed25519 key")]
    NoIdentity,
    /// The other end has this end's name.
    #[error("the other end is called as this one: {peer}")]
    Oneself {
        /// The name.
        peer: Name,
    },
    /// Whoever asked for connections does not want this one.
    #[error("{peer} is not admitted")]
    NotAdmitted {
        /// Who it says it is.
        peer: Name,
    },
    /// No signing key is known for the identity.
    #[error("no signing key of {peer} is known")]
    UnknownPeer {
        /// Whose.
        peer: Name,
    },
    /// A message that is none.
    #[error("the {message} message is refused: {cause}")]
    Message {
        /// Which.
        message: &'static str,
        /// Why.
        cause: DecodeError,
    },
    /// A message from another time: old, replayed, or from a wrong clock.
    #[error("{peer} gives its time as {theirs} ms; from {earliest} to before {latest} is accepted")]
    Time {
        /// Whose message.
        peer: Name,
        /// Its time, ms since 1970.
        theirs: u64,
        /// The earliest acceptable, ms since 1970.
        earliest: u64,
        /// The first that is not acceptable again, ms since 1970.
        latest: u64,
    },
    /// The identity key has not signed what this end sees.
    #[error("the identity of {peer} is not proved: wrong signature of its identity key")]
    IdentityProof {
        /// Whose.
        peer: Name,
    },
    /// The signing key has not signed what this end sees.
    #[error("the identity of {peer} is not proved: wrong signature of its signing key")]
    SigningProof {
        /// Whose.
        peer: Name,
    },
    /// A share or key that is none.
    #[error("the {what} of {peer} is not one")]
    Share {
        /// Whose.
        peer: Name,
        /// Which.
        what: &'static str,
    },
    /// A QKD key is required and this end has none.
    #[error("connections with {peer} need a QKD key: {because}")]
    NoPsk {
        /// With whom.
        peer: Name,
        /// Why there is none.
        because: NoPsk,
    },
    /// A QKD key is required and the dialer has offered none.
    #[error("connections with {peer} need a QKD key and it has offered none")]
    PskNotOffered {
        /// Who.
        peer: Name,
    },
    /// The dialer offers a QKD key where there is no link.
    #[error("{peer} offers a QKD key and there is no QKD link with it")]
    PskUnwanted {
        /// Who.
        peer: Name,
    },
    /// A QKD key is required and the listener has not taken it.
    #[error("connections with {peer} need a QKD key and it has not taken the one offered")]
    PskDeclined {
        /// Who.
        peer: Name,
    },
    /// What the other end does with QKD keys is not what it says its policy is.
    #[error("what {peer} does with QKD keys contradicts its own policy")]
    PskContradiction {
        /// Who.
        peer: Name,
    },
    /// The ends do not have the same key.
    #[error("{peer} does not have the same key: the QKD keys differ, or a message was changed")]
    Confirmation {
        /// Who.
        peer: Name,
    },
    /// The connection broke, or a frame is too long.
    #[error(transparent)]
    Frame(#[from] FrameError),
}
