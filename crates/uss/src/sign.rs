//! The signer's side: draw the functions, sign once per counter.
//!
//! Round 1. For each receiver the signer takes nk·y raw bits that both share through QKD; these bits *are* the functions'
//! descriptions, so nothing travels. (Families with a part that must be drawn from a set send that part, sealed, as an
//! [`Offer`].) One-shot mode ends there. In batch mode nkb further bits per receiver are the pads of each further counter.
//!
//! Signing consumes a [`Spent`]: the proof that the counter is recorded as spent where a crash cannot undo it.

use std::collections::{BTreeMap, BTreeSet};

use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::bits::BitWriter;
use crate::channel::{self, ChannelError, Sealed};
use crate::distribute::{functions_of, pads_of};
use crate::family::{Family, FamilyError, HashKeys, lfsr};
use crate::key::{ItsKey, KeyError, Spent};
use crate::parameters::{Epoch, Round};
use crate::party::{Counter, EpochId, Link, Party, Receiver};
use crate::signature::{Signature, SignedMessage};

/// Why the signer cannot do what it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignError {
    /// One key per receiver is needed.
    #[error("{given} keys for {receivers} receivers")]
    KeyCount {
        /// Keys given.
        given: usize,
        /// n.
        receivers: usize,
    },
    /// The key shared with a receiver has the wrong length.
    #[error("key shared with {receiver}: {cause}")]
    Key {
        /// With whom.
        receiver: Receiver,
        /// Why.
        cause: KeyError,
    },
    /// An offer could not be sealed.
    #[error("offer to {receiver}: {cause}")]
    Offer {
        /// To whom.
        receiver: Receiver,
        /// Why.
        cause: ChannelError,
    },
    /// The counter was spent for another epoch.
    #[error("counter {counter} was spent for epoch {spent}, this is epoch {epoch}")]
    OtherEpoch {
        /// The counter.
        counter: Counter,
        /// Where it was spent.
        spent: EpochId,
        /// This epoch.
        epoch: EpochId,
    },
    /// No pads are left for the counter: never given, or used.
    #[error("no pads for counter {counter}: give fresh ones, or start an epoch")]
    NoPads {
        /// The counter.
        counter: Counter,
    },
    /// Beyond the epoch's number of signatures.
    #[error("counter {counter}: the epoch has {messages} signatures, counted from 0")]
    BeyondEpoch {
        /// The counter.
        counter: Counter,
        /// M.
        messages: u32,
    },
    /// Pads are given once.
    #[error("counter {counter} has pads already")]
    PadsTwice {
        /// The counter.
        counter: Counter,
    },
    /// The body is too long.
    #[error("a body of {bytes} bytes: this epoch's take {most}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The epoch's limit.
        most: usize,
    },
    /// The family refuses.
    #[error(transparent)]
    Family(#[from] FamilyError),
}

/// What the signer sends one receiver in round 1, when the family has a part that cannot be raw bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// For whom.
    pub to: Receiver,
    /// Drawn parts, sealed with [`crate::parameters::Parameters::offer_bits`] bits of the link's key.
    pub sealed: Sealed,
}

/// What the signer holds of one receiver's key in round 1.
#[derive(Debug)]
pub struct SignerKeys {
    /// [`crate::parameters::Parameters::shared_bits`] raw bits.
    pub shared: ItsKey,
    /// [`crate::parameters::Parameters::offer_bits`] bits, none where that is 0.
    pub offer: Option<ItsKey>,
}

/// P_0: n²k functions and the pads of counters that are not used yet.
#[derive(Debug)]
pub struct Signer {
    epoch: Epoch,
    keys: Vec<HashKeys>,
    pads: BTreeMap<Counter, Pads>,
    given: BTreeSet<Counter>,
}

/// Pads of one counter, redacted and wiped.
pub(crate) struct Pads(pub(crate) Zeroizing<Vec<u128>>);

impl std::fmt::Debug for Pads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pads(<redacted>, {})", self.0.len())
    }
}

impl Signer {
    /// Round 1: takes the keys shared with P_1..P_n, in order; `random` draws what raw bits cannot be.
    ///
    /// # Errors
    /// [`SignError::KeyCount`], [`SignError::Key`], [`SignError::Offer`].
    pub fn new(
        epoch: Epoch,
        keys: Vec<SignerKeys>,
        random: &mut impl CryptoRng,
    ) -> Result<(Signer, Vec<Offer>), SignError> {
        let parameters = epoch.parameters();
        let receivers = parameters.receivers();
        if keys.len() != receivers {
            return Err(SignError::KeyCount {
                given: keys.len(),
                receivers,
            });
        }
        let mut all = Vec::with_capacity(receivers);
        let mut pads = Zeroizing::new(Vec::with_capacity(parameters.tags()));
        let mut offers = Vec::new();
        for (receiver, keys) in Receiver::first(parameters.committee().receivers()).zip(keys) {
            let drawn = draw(&epoch, random);
            if let Some(drawn) = &drawn {
                offers.push(offer(&epoch, receiver, drawn, keys.offer)?);
            }
            let drawn = drawn.as_ref().map(|drawn| drawn.as_slice());
            let (functions, own) = functions_of(&epoch, &keys.shared, drawn)
                .map_err(|cause| SignError::Key { receiver, cause })?;
            all.push(functions);
            pads.extend_from_slice(&own);
        }
        let pads = BTreeMap::from([(Counter(0), Pads(pads))]);
        Ok((
            Signer {
                epoch,
                keys: all,
                pads,
                given: BTreeSet::from([Counter(0)]),
            },
            offers,
        ))
    }

    /// Batch mode: takes [`crate::parameters::Parameters::pads_shared_bits`] fresh raw bits per receiver as the pads of a
    /// further counter.
    ///
    /// # Errors
    /// [`SignError`]; then nothing has changed but the keys that were given are gone.
    pub fn refresh(&mut self, counter: Counter, keys: Vec<ItsKey>) -> Result<(), SignError> {
        let parameters = self.epoch.parameters();
        let messages = parameters.limits().messages;
        if counter.0 >= messages {
            return Err(SignError::BeyondEpoch { counter, messages });
        }
        if self.given.contains(&counter) {
            return Err(SignError::PadsTwice { counter });
        }
        if keys.len() != parameters.receivers() {
            return Err(SignError::KeyCount {
                given: keys.len(),
                receivers: parameters.receivers(),
            });
        }
        let mut pads = Zeroizing::new(Vec::with_capacity(parameters.tags()));
        for (receiver, key) in Receiver::first(parameters.committee().receivers()).zip(&keys) {
            let own =
                pads_of(&self.epoch, key).map_err(|cause| SignError::Key { receiver, cause })?;
            pads.extend_from_slice(&own);
        }
        self.pads.insert(counter, Pads(pads));
        self.given.insert(counter);
        Ok(())
    }

    /// Signs `body`: n²k tags under the counter that `spent` proves spent; its pads are wiped.
    ///
    /// # Errors
    /// [`SignError`]; the counter is gone in every case.
    pub fn sign(&mut self, spent: Spent, body: &[u8]) -> Result<SignedMessage, SignError> {
        let (epoch, counter) = (self.epoch.id(), spent.counter());
        if spent.epoch() != epoch {
            return Err(SignError::OtherEpoch {
                counter,
                spent: spent.epoch(),
                epoch,
            });
        }
        let pads = self
            .pads
            .remove(&counter)
            .ok_or(SignError::NoPads { counter })?;
        let most = self.epoch.body_bytes_max();
        if body.len() > most {
            return Err(SignError::TooLong {
                bytes: body.len(),
                most,
            });
        }
        let message = self.epoch.message(counter, body);
        let mut writer = Signature::writer(&self.epoch, counter);
        let width = self.epoch.parameters().family().tag_bits();
        let per_receiver = self.epoch.parameters().functions_per_receiver();
        let mut hashes = Zeroizing::new(Vec::with_capacity(per_receiver));
        for (keys, pads) in self.keys.iter().zip(pads.0.chunks(per_receiver)) {
            hashes.clear();
            keys.hash(&message, &mut hashes)?;
            let tags = hashes.iter().zip(pads).map(|(hash, pad)| hash ^ pad);
            tags.for_each(|tag| writer.write(tag, width));
        }
        let signature = writer.into_bytes();
        Ok(SignedMessage {
            epoch,
            body: body.to_vec(),
            signature,
        })
    }

    /// The epoch.
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }
}

/// What must be drawn for one receiver's functions, `None` where raw bits do.
fn draw(epoch: &Epoch, random: &mut impl CryptoRng) -> Option<Zeroizing<Vec<u8>>> {
    let parameters = epoch.parameters();
    match parameters.family() {
        Family::Gf128 | Family::Gf64 | Family::Small(_) => None,
        Family::Lfsr128 => {
            let count = parameters.functions_per_receiver();
            let mut writer = BitWriter::with_capacity(count * 128);
            (0..count).for_each(|_| writer.write(lfsr::draw_irreducible(random), 128));
            Some(Zeroizing::new(writer.into_bytes()))
        }
    }
}

fn offer(
    epoch: &Epoch,
    to: Receiver,
    drawn: &[u8],
    key: Option<ItsKey>,
) -> Result<Offer, SignError> {
    let link = Link {
        from: Party::Signer,
        to: to.into(),
    };
    let need = epoch.parameters().offer_bits();
    let key = key.ok_or(SignError::Key {
        receiver: to,
        cause: KeyError::Short { have: 0, need },
    })?;
    let context = epoch.round_context(Round::Offer, link, Counter(0));
    let sealed =
        channel::seal(&context, drawn, drawn.len() * 8, key).map_err(|cause| SignError::Offer {
            receiver: to,
            cause,
        })?;
    Ok(Offer { to, sealed })
}
