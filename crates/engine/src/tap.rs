//! Whoever listens in on what a validator sends, or sends something else in its name: for tests of what a dishonest one
//! can do.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use commonware_actor::{Feedback, Unreliable};
use commonware_codec::varint::UInt;
use commonware_codec::{Copying, DecodeExt as _, Encode as _, ReadExt as _};
use commonware_consensus::simplex::types::{Finalize, Notarize, Proposal, Vote};
use commonware_consensus::types::Epoch;
use commonware_cryptography::sha256::Digest as Name;
use commonware_p2p::{CheckedSender, LimitedSender, Recipients, Sender};
use commonware_runtime::IoBufs;

use tieline_chain::Home;
use tieline_chain::validators::ValidatorSet;
use tieline_seal::hybrid::SigningKey;
use tieline_units::Digest;

use crate::epochs::LANES;
use crate::scheme::{Election, HybridScheme};
use crate::validators::{Identity, Validators};

/// The channel of votes.
pub const VOTES: u64 = 0;

/// A message as it leaves a validator.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// Index of the validator in a simulated chain; 0 for a process.
    pub from: usize,
    /// The channel: [`VOTES`], 1 for certificates.
    pub channel: u64,
    /// The engine's epoch, of what agrees.
    pub epoch: u64,
    /// To whom.
    pub to: &'a [Identity],
    /// The message.
    pub bytes: &'a [u8],
}

/// What goes out in place of a message.
pub type Instead = Vec<(Vec<Identity>, Vec<u8>)>;

/// Sees every message; `None` lets it go as it is.
pub type Tap = Arc<dyn Fn(&Sent<'_>) -> Option<Instead> + Send + Sync>;

/// A dishonest validator: every vote of it on a block goes to all but the last of its peers; the last gets a vote on a block
/// that does not exist, and so does the first where `openly`: a proof of fraud.
///
/// `validators`: with this identity and this key in it. `None`: the identity is no Ed25519 public key, or nobody can vote with
/// such a set.
pub fn two_faced(
    home: Home,
    validators: &ValidatorSet,
    (identity, key): ([u8; 32], Arc<SigningKey>),
    openly: bool,
) -> Option<Tap> {
    let validators = Arc::new(Validators::of(validators).ok()?);
    let identity = Identity::decode(Bytes::copy_from_slice(&identity)).ok()?;
    Some(Arc::new(move |sent: &Sent<'_>| {
        if sent.channel != VOTES {
            return None;
        }
        let election = Election {
            chain: home.chain.clone(),
            genesis: home.genesis,
            epoch: Epoch::new(sent.epoch),
        };
        let scheme = HybridScheme::signer(&election, validators.clone(), &identity, key.clone());
        let other = contrary(&scheme.ok()?, sent.bytes)?;
        let (last, rest) = sent.to.split_last()?;
        let mut instead = vec![
            (rest.to_vec(), sent.bytes.to_vec()),
            (vec![last.clone()], other.clone()),
        ];
        if openly && let Some(first) = rest.first() {
            instead.push((vec![first.clone()], other));
        }
        Some(instead)
    }))
}

/// The same vote on a block that does not exist; `None` for one that gives up a view.
fn contrary(scheme: &HybridScheme, bytes: &[u8]) -> Option<Vec<u8>> {
    let lie = |proposal: Proposal<Name>| Proposal {
        payload: Name::from(*Digest::of(proposal.payload.as_ref()).as_bytes()),
        ..proposal
    };
    let vote = match Vote::<HybridScheme, Name>::decode(Copying(bytes)).ok()? {
        Vote::Notarize(vote) => Vote::Notarize(Notarize::sign(scheme, lie(vote.proposal))?),
        Vote::Finalize(vote) => Vote::Finalize(Finalize::sign(scheme, lie(vote.proposal))?),
        Vote::Nullify(_) => return None,
    };
    Some(vote.encode().to_vec())
}

/// A sender that is listened in on.
#[derive(Clone)]
pub(crate) struct Tapped<S> {
    inner: S,
    tap: Option<Tap>,
    from: usize,
    channel: u64,
}

impl<S> Tapped<S> {
    /// `place`: index of the validator and the channel, as [`Sent`] says them.
    pub(crate) fn new(inner: S, tap: &Option<Tap>, place: (usize, u64)) -> Tapped<S> {
        let (from, channel) = place;
        Tapped {
            inner,
            tap: tap.clone(),
            from,
            channel,
        }
    }
}

/// A message of it on its way.
pub(crate) struct TappedMessage<'a, S: Sender + 'a> {
    checked: S::Checked<'a>,
    sender: S,
    tap: Option<Tap>,
    from: usize,
    channel: u64,
}

impl<S: Sender<PublicKey = Identity>> LimitedSender for Tapped<S> {
    type PublicKey = Identity;
    type Checked<'a> = TappedMessage<'a, S>;

    fn check(&mut self, to: Recipients<Identity>) -> Result<TappedMessage<'_, S>, SystemTime> {
        let (sender, tap) = (self.inner.clone(), self.tap.clone());
        Ok(TappedMessage {
            checked: self.inner.check(to)?,
            sender,
            tap,
            from: self.from,
            channel: self.channel,
        })
    }
}

impl<S: Sender<PublicKey = Identity>> CheckedSender for TappedMessage<'_, S> {
    type PublicKey = Identity;

    fn recipients(&self) -> Vec<Identity> {
        self.checked.recipients()
    }

    fn send(mut self, message: impl Into<IoBufs> + Send, priority: bool) -> Unreliable<Feedback> {
        let Some(tap) = &self.tap else {
            return self.checked.send(message, priority);
        };
        let message = message.into().coalesce();
        let to = self.checked.recipients();
        let (epoch, bytes) = split(self.channel, message.as_ref());
        let instead = tap(&Sent {
            from: self.from,
            channel: self.channel,
            epoch,
            to: &to,
            bytes,
        });
        let Some(instead) = instead else {
            return self.checked.send(message, priority);
        };
        let prefix = &message.as_ref()[..message.as_ref().len() - bytes.len()];
        for (to, bytes) in instead {
            let bytes = [prefix, &bytes[..]].concat();
            self.sender.send(Recipients::Some(to), bytes, priority);
        }
        Unreliable::new(Feedback::Ok)
    }
}

/// The epoch before a message of what agrees, and the message.
fn split(channel: u64, message: &[u8]) -> (u64, &[u8]) {
    let mut rest = Bytes::copy_from_slice(message);
    if channel < LANES
        && let Ok(epoch) = UInt::<u64>::read(&mut rest)
    {
        return (epoch.into(), &message[message.len() - rest.len()..]);
    }
    (0, message)
}
