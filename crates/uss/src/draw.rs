//! Which bits of which link each round takes, in which order: both ends of a link draw the same lengths in the same order
//! and so hold the same keys.

use std::collections::BTreeMap;

use crate::distribute::{LinkKeys, ReceiverKeys, others};
use crate::key::{ItsKey, KeyStore};
use crate::parameters::Epoch;
use crate::party::{Link, Party, Receiver};
use crate::sign::SignerKeys;

/// What the signer needs to start an epoch, for P_1..P_n.
///
/// # Errors
/// The store's; what was drawn before is lost.
pub fn signer_keys<S: KeyStore>(epoch: &Epoch, store: &mut S) -> Result<Vec<SignerKeys>, S::Error> {
    members(epoch)
        .map(|to| {
            let (shared, offer) = shared_keys(epoch, to, store)?;
            Ok(SignerKeys { shared, offer })
        })
        .collect()
}

/// What receiver `me` needs to start an epoch.
///
/// # Errors
/// As [`signer_keys`].
pub fn receiver_keys<S: KeyStore>(
    epoch: &Epoch,
    me: Receiver,
    store: &mut S,
) -> Result<ReceiverKeys, S::Error> {
    let (shared, offer) = shared_keys(epoch, me, store)?;
    let links = link_keys(epoch, me, epoch.parameters().set_key_bits(), store)?;
    Ok(ReceiverKeys {
        shared,
        offer,
        links,
    })
}

/// What the signer needs for a further counter.
///
/// # Errors
/// As [`signer_keys`].
pub fn signer_pads<S: KeyStore>(epoch: &Epoch, store: &mut S) -> Result<Vec<ItsKey>, S::Error> {
    members(epoch)
        .map(|to| store.draw(from_signer(to), epoch.parameters().pads_shared_bits()))
        .collect()
}

/// What receiver `me` needs for a further counter: bits shared with the signer, and keys of its links.
///
/// # Errors
/// As [`signer_keys`].
pub fn receiver_pads<S: KeyStore>(
    epoch: &Epoch,
    me: Receiver,
    store: &mut S,
) -> Result<(ItsKey, LinkKeys), S::Error> {
    let shared = store.draw(from_signer(me), epoch.parameters().pads_shared_bits())?;
    let links = link_keys(epoch, me, epoch.parameters().pads_key_bits(), store)?;
    Ok((shared, links))
}

fn members(epoch: &Epoch) -> impl Iterator<Item = Receiver> + use<> {
    Receiver::first(epoch.parameters().committee().receivers())
}

fn from_signer(to: Receiver) -> Link {
    Link {
        from: Party::Signer,
        to: to.into(),
    }
}

fn shared_keys<S: KeyStore>(
    epoch: &Epoch,
    to: Receiver,
    store: &mut S,
) -> Result<(ItsKey, Option<ItsKey>), S::Error> {
    let parameters = epoch.parameters();
    let shared = store.draw(from_signer(to), parameters.shared_bits())?;
    let offer = match parameters.offer_bits() {
        0 => None,
        bits => Some(store.draw(from_signer(to), bits)?),
    };
    Ok((shared, offer))
}

fn link_keys<S: KeyStore>(
    epoch: &Epoch,
    me: Receiver,
    bits: usize,
    store: &mut S,
) -> Result<LinkKeys, S::Error> {
    let (mut outgoing, mut incoming) = (BTreeMap::new(), BTreeMap::new());
    for other in others(epoch, me) {
        outgoing.insert(
            other,
            store.draw(
                Link {
                    from: me.into(),
                    to: other.into(),
                },
                bits,
            )?,
        );
        incoming.insert(
            other,
            store.draw(
                Link {
                    from: other.into(),
                    to: me.into(),
                },
                bits,
            )?,
        );
    }
    Ok(LinkKeys { outgoing, incoming })
}
