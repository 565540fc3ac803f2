//! Peers that are known from the chain or from the node's owner, without QKD links.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tieline_seal::hybrid::PublicKey;
use tracing::{debug, warn};

use super::psk::{Event, Links, NoPsk, Peer, PskFuture, PskId, PskPolicy};
use crate::validators::{Identity, Validators};

/// Validators as each other's peers; no two are joined by a QKD link. What handshakes come to is logged. Clones know the same.
#[derive(Clone, Debug, Default)]
pub struct Known {
    peers: Arc<RwLock<BTreeMap<Identity, Peer>>>,
}

impl Known {
    /// Knows these validators from now on, beside those that it knows.
    pub fn learn(&self, validators: &Validators) {
        let identities = validators.identities().iter().cloned();
        self.learn_all(identities.filter_map(|identity| {
            let signing = validators.signing_key(validators.place(&identity)?)?;
            Some((identity, signing.clone()))
        }));
    }

    /// Knows these as well: identities with their signing keys.
    pub fn learn_all(&self, keys: impl IntoIterator<Item = (Identity, PublicKey)>) {
        let peers = keys.into_iter().map(|(identity, signing)| {
            let psk = PskPolicy::None;
            (identity, Peer { signing, psk })
        });
        let mut known = self.peers.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(peers);
    }
}

impl Links for Known {
    fn peer(&self, identity: &Identity) -> Option<Peer> {
        let known = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        known.get(identity).cloned()
    }

    fn draw<'a>(&'a self, _: &'a Identity) -> PskFuture<'a> {
        Box::pin(async { Err(NoPsk::Dry) })
    }

    fn find<'a>(&'a self, _: &'a Identity, id: PskId) -> PskFuture<'a> {
        Box::pin(async move { Err(NoPsk::Unknown { id }) })
    }

    fn report(&self, event: &Event<'_>) {
        match event {
            Event::Established { peer, label, .. } => debug!(?peer, %label, "connected"),
            Event::Refused { peer, error, .. } => warn!(?peer, %error, "connection refused"),
        }
    }
}
