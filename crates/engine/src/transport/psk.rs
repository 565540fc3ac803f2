//! QKD keys of a link: who has one, when it must be used, and what is said when it is not.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use thiserror::Error;
use tieline_seal::hybrid::PublicKey;
use tieline_units::{canonical, canonical_enum};
use zeroize::Zeroizing;

use super::error::LinkError;
use crate::validators::Identity;

/// Shortest QKD key that is mixed in, bytes.
pub const PSK_BYTES_MIN: usize = 32;
/// Longest, bytes.
pub const PSK_BYTES_MAX: usize = 1024;

/// Name of a QKD key at the key managers of both ends; public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PskId(pub [u8; 16]);

canonical!(PskId { 0 });

/// A QKD key for one handshake; moved, never cloned, wiped when dropped.
pub struct Psk {
    id: PskId,
    key: Zeroizing<Vec<u8>>,
}

impl Psk {
    /// A key that was drawn, or fetched by its name.
    ///
    /// # Errors
    /// [`NoPsk::Length`] outside [`PSK_BYTES_MIN`] to [`PSK_BYTES_MAX`].
    pub fn new(id: PskId, key: Zeroizing<Vec<u8>>) -> Result<Psk, NoPsk> {
        match (PSK_BYTES_MIN..=PSK_BYTES_MAX).contains(&key.len()) {
            true => Ok(Psk { id, key }),
            false => Err(NoPsk::Length { bytes: key.len() }),
        }
    }

    /// Its name.
    pub fn id(&self) -> PskId {
        self.id
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.key
    }
}

impl fmt::Debug for Psk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Psk(<redacted>, {:?})", self.id)
    }
}

/// Why there is no QKD key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NoPsk {
    /// The two are not joined by a QKD link.
    #[error("there is no QKD link")]
    NoLink,
    /// The stock is used up.
    #[error("the QKD keys of the link are used up")]
    Dry,
    /// The link, its key manager or the store does not work.
    #[error("the QKD link is down: {cause}")]
    Down {
        /// How.
        cause: String,
    },
    /// Never delivered here, or handed out before.
    #[error("there is no unused QKD key {id:?}")]
    Unknown {
        /// The name.
        id: PskId,
    },
    /// Too short or too long.
    #[error("a QKD key of {bytes} bytes; {PSK_BYTES_MIN} to {PSK_BYTES_MAX} are usable")]
    Length {
        /// How long.
        bytes: usize,
    },
}

/// Whether connections to a peer need a QKD key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PskPolicy {
    /// There is no QKD link to it: a key is neither offered nor taken.
    None,
    /// With a key when both ends have it; otherwise without, and reported.
    Preferred,
    /// With a key or not at all.
    Required,
}

canonical_enum!(PskPolicy { 1 => None, 2 => Preferred, 3 => Required });

/// What the listener does with the offered key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// None is used.
    Unused,
    /// The offered one is used.
    Used,
}

canonical_enum!(Verdict { 1 => Unused, 2 => Used });

/// What the secrecy of a connection rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    /// X25519 and ML-KEM-768.
    PqOnly,
    /// A QKD key, X25519 and ML-KEM-768, whichever holds.
    Hybrid,
}

impl Label {
    /// The word in records and on pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Label::PqOnly => "pq-only",
            Label::Hybrid => "hybrid",
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a connection for which a QKD key is preferred goes without.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Why {
    /// This end has none.
    #[error(transparent)]
    Here(#[from] NoPsk),
    /// The dialer has offered none.
    #[error("the other end has offered no QKD key")]
    NotOffered,
    /// The listener has not taken the one that was offered; it is lost.
    #[error("the other end has not found the QKD key {id:?}")]
    NotFound {
        /// Which.
        id: PskId,
    },
}

/// What a node knows of a peer that it may connect with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The signing key that belongs to its identity.
    pub signing: PublicKey,
    /// Whether a QKD key is needed.
    pub psk: PskPolicy,
}

/// Which end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It has opened the connection.
    Dialer,
    /// It has accepted it.
    Listener,
}

/// What a handshake came to.
#[derive(Debug)]
pub enum Event<'a> {
    /// The connection stands; nothing was sent over it yet.
    Established {
        /// With whom.
        peer: &'a Identity,
        /// This end.
        role: Role,
        /// What it rests on.
        label: Label,
        /// Why that is less than preferred.
        because: Option<&'a Why>,
    },
    /// There is no connection.
    Refused {
        /// Who it would have been with, by its own account if this end listened; unknown when it did not say.
        peer: Option<&'a Identity>,
        /// This end.
        role: Role,
        /// Why.
        error: &'a LinkError,
    },
}

/// A QKD key that is on its way.
pub type PskFuture<'a> = Pin<Box<dyn Future<Output = Result<Psk, NoPsk>> + Send + 'a>>;

/// What a node knows of its peers and the QKD links to them. One object serves all connections.
pub trait Links: Send + Sync + 'static {
    /// The peer with this identity, or `None`: then there is no connection.
    fn peer(&self, identity: &Identity) -> Option<Peer>;

    /// Draws an unused key of the link to `peer`, to be offered. It never comes again, whatever the handshake comes to.
    fn draw<'a>(&'a self, peer: &'a Identity) -> PskFuture<'a>;

    /// Fetches the key that `peer` has drawn. It never comes again.
    fn find<'a>(&'a self, peer: &'a Identity, id: PskId) -> PskFuture<'a>;

    /// Takes note of how a handshake ended. A connection that rests on less than preferred is an alarm, not a detail. What
    /// the engine's deadline cuts off is not reported here: the engine logs it.
    fn report(&self, event: &Event<'_>);
}

/// What one end brings to a handshake.
#[derive(Debug)]
pub(super) struct Stock {
    pub(super) policy: PskPolicy,
    pub(super) psk: Option<Psk>,
    pub(super) because: Option<Why>,
}

impl Stock {
    /// The dialer's: a key if the policy wants one.
    pub(super) async fn to_offer(
        links: &dyn Links,
        peer: &Identity,
        policy: PskPolicy,
    ) -> Result<Stock, LinkError> {
        let drawn = match policy {
            PskPolicy::None => None,
            PskPolicy::Preferred | PskPolicy::Required => Some(links.draw(peer).await),
        };
        let (psk, because) = match drawn {
            None => (None, None),
            Some(Ok(psk)) => (Some(psk), None),
            Some(Err(because)) if policy == PskPolicy::Preferred => (None, Some(because.into())),
            Some(Err(because)) => {
                let peer = peer.into();
                return Err(LinkError::NoPsk { peer, because });
            }
        };
        Ok(Stock {
            policy,
            psk,
            because,
        })
    }

    /// The listener's, once it knows what the dialer (its policy, its offer) wants. `theirs` comes from a verified hello.
    pub(super) async fn to_answer(
        links: &dyn Links,
        peer: &Identity,
        policy: PskPolicy,
        theirs: (PskPolicy, Option<PskId>),
    ) -> Result<Stock, LinkError> {
        let (their_policy, offered) = theirs;
        let Some(id) = offered else {
            return without_offer(peer, policy);
        };
        if policy == PskPolicy::None {
            return Err(LinkError::PskUnwanted { peer: peer.into() });
        }
        let found = links.find(peer, id).await;
        let found = found.and_then(|psk| match psk.id == id {
            true => Ok(psk),
            false => Err(NoPsk::Unknown { id }),
        });
        let both_do_without = [policy, their_policy] == [PskPolicy::Preferred; 2];
        match found {
            Ok(psk) => Ok(Stock {
                policy,
                psk: Some(psk),
                because: None,
            }),
            Err(because) if both_do_without => Ok(Stock {
                policy,
                psk: None,
                because: Some(because.into()),
            }),
            Err(because) => Err(LinkError::NoPsk {
                peer: peer.into(),
                because,
            }),
        }
    }

    /// What the dialer makes of the listener's verdict: the key that is used, or why none is.
    pub(super) fn settle(
        &self,
        peer: &Identity,
        theirs: (PskPolicy, Verdict),
    ) -> Result<(Option<&Psk>, Option<Why>), LinkError> {
        let peer = peer.into();
        match (self.psk.as_ref(), theirs) {
            (None, (PskPolicy::None | PskPolicy::Preferred, Verdict::Unused)) => {
                Ok((None, self.because.clone()))
            }
            (Some(psk), (PskPolicy::Preferred | PskPolicy::Required, Verdict::Used)) => {
                Ok((Some(psk), None))
            }
            (Some(psk), (PskPolicy::Preferred, Verdict::Unused))
                if self.policy == PskPolicy::Preferred =>
            {
                Ok((None, Some(Why::NotFound { id: psk.id })))
            }
            (Some(_), (_, Verdict::Unused)) => Err(LinkError::PskDeclined { peer }),
            (None, _) | (Some(_), (PskPolicy::None, Verdict::Used)) => {
                Err(LinkError::PskContradiction { peer })
            }
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        match self.psk {
            Some(_) => Verdict::Used,
            None => Verdict::Unused,
        }
    }
}

fn without_offer(peer: &Identity, policy: PskPolicy) -> Result<Stock, LinkError> {
    let because = match policy {
        PskPolicy::None => None,
        PskPolicy::Preferred => Some(Why::NotOffered),
        PskPolicy::Required => return Err(LinkError::PskNotOffered { peer: peer.into() }),
    };
    Ok(Stock {
        policy,
        psk: None,
        because,
    })
}
