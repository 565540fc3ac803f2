//! The receivers' rounds: take the functions shared with the signer, split them in secret, hand the parts round.
//!
//! | round | who | does | sends |
//! |---|---|---|---|
//! | 1 | P_0 | [`crate::sign::Signer::new`] | an [`Offer`] per receiver, for families with a drawn part only |
//! | 2 | P_i | [`Distribution::start`]: a uniform secret permutation of its nk functions, cut in n parts of k | one [`PartMessage`] to every other receiver |
//! | 3 | P_j | [`Distribution::receive`] each part, then [`Distribution::receipt`] | one [`Receipt`] to the ledger, or complaints about parts that never come |
//! | 4 | P_j | [`Distribution::finish`], when [`crate::epoch::EpochRecord`] says the epoch is active | |
//!
//! The split is what defeats a dishonest signer: it knows every function, but not who tests which of them. So the split
//! takes its own randomness, never bits that the signer shares; parts have one length whatever is in them, name the
//! functions in ascending order, and are confirmed by one bit that does not depend on their content. A part that breaks a
//! rule is as good as one that never came: its sender is at fault.
//!
//! In batch mode, rounds 2 and 3 are repeated with fresh pads for each further counter ([`crate::verify::Verifier::refresh`]).

use std::collections::BTreeMap;

use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use crate::bits::{BitReader, BitWriter};
use crate::channel::{Canonical, ChannelError, Opening, Sealed};
use crate::epoch::Roster;
use crate::family::{Family, FamilyError, HashKeys};
use crate::key::{ItsKey, KeyError};
use crate::parameters::{Epoch, Round};
use crate::party::{Counter, EpochId, Link, Party, Receiver};
use crate::sign::Offer;
use crate::verify::Verifier;
use part::{decode_part, encode_part};

mod part;
mod split;

pub(crate) use part::{Part, Plain, expect_parts, open_part, seal_part};
pub(crate) use split::Split;

/// Why a round of the distribution is refused. State is as before, but for keys that were given, attempts to open, and a part
/// that broke the rules, which is not taken again.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DistributeError {
    /// A receiver that the epoch does not have.
    #[error("{receiver} is not one of the {receivers} receivers")]
    NotAMember {
        /// Whom the message or the call names.
        receiver: Receiver,
        /// n.
        receivers: usize,
    },
    /// Our own key for the round has the wrong length or is not there.
    #[error("key of the link {link}: {cause}")]
    Key {
        /// Which link.
        link: Link,
        /// Why.
        cause: KeyError,
    },
    /// The family needs an offer of the signer, and none was given.
    #[error("family {family} needs the signer's offer")]
    NoOffer {
        /// The family.
        family: Family,
    },
    /// A message for somebody else.
    #[error("a message from {from} to {to}; this is {me}")]
    Misdirected {
        /// Its sender.
        from: Receiver,
        /// Its receiver.
        to: Receiver,
        /// Who we are.
        me: Receiver,
    },
    /// Authenticator, length or attempts.
    #[error("message from {from}: {cause}")]
    Channel {
        /// Its sender, as the link has it.
        from: Party,
        /// Why.
        cause: ChannelError,
    },
    /// The part came before.
    #[error("the part of {from} is here already")]
    Again {
        /// Its sender.
        from: Receiver,
    },
    /// Pads for a counter that the epoch does not have.
    #[error("counter {counter}: the epoch has {messages} signatures, counted from 0")]
    BeyondEpoch {
        /// The counter.
        counter: Counter,
        /// M.
        messages: u32,
    },
    /// An authentic part that breaks a rule: repeated, unsorted or impossible functions, or unused bits set.
    #[error("the part of {from} breaks the rules; complain about {from}")]
    BadPart {
        /// Its sender, who is at fault.
        from: Receiver,
    },
    /// An authentic offer that breaks a rule.
    #[error("the signer's offer breaks the rules")]
    BadOffer,
}

impl DistributeError {
    /// Who is at fault beyond doubt: a wrong authenticator convicts nobody, for anybody on the way may have made it.
    pub fn culprit(&self) -> Option<Party> {
        match self {
            DistributeError::BadPart { from } => Some(Party::Receiver(*from)),
            DistributeError::BadOffer => Some(Party::Signer),
            DistributeError::NotAMember { .. }
            | DistributeError::BeyondEpoch { .. }
            | DistributeError::Key { .. }
            | DistributeError::NoOffer { .. }
            | DistributeError::Misdirected { .. }
            | DistributeError::Channel { .. }
            | DistributeError::Again { .. } => None,
        }
    }
}

/// What one receiver holds of key for the distribution.
#[derive(Debug)]
pub struct ReceiverKeys {
    /// [`crate::parameters::Parameters::shared_bits`] raw bits shared with the signer.
    pub shared: ItsKey,
    /// [`crate::parameters::Parameters::offer_bits`] bits of the link from the signer, none where that is 0.
    pub offer: Option<ItsKey>,
    /// [`crate::parameters::Parameters::set_key_bits`] bits for every link to and from another receiver.
    pub links: LinkKeys,
}

/// Keys of the links between one receiver and every other one, for one round.
#[derive(Debug, Default)]
pub struct LinkKeys {
    /// To encrypt to each.
    pub outgoing: BTreeMap<Receiver, ItsKey>,
    /// To decrypt from each.
    pub incoming: BTreeMap<Receiver, ItsKey>,
}

/// One receiver's part for another: R_{from→to}, or pads for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartMessage {
    /// Whose functions.
    pub from: Receiver,
    /// Who tests them.
    pub to: Receiver,
    /// Always the same number of bytes.
    pub sealed: Sealed,
}

/// "Every part is here": one bit, the same whatever the parts contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The epoch.
    pub epoch: EpochId,
    /// Whose pads; the first comes with the functions.
    pub counter: Counter,
}

impl Canonical for Receipt {
    fn canonical(&self) -> Vec<u8> {
        let mut encoder = tieline_units::bytes::Encoder::new("tieline.uss.receipt/1");
        encoder.u64(self.epoch.0).u32(self.counter.0);
        encoder.as_bytes().to_vec()
    }
}

/// A receiver between its first and last round.
pub struct Distribution {
    epoch: Epoch,
    me: Receiver,
    split: Split,
    openings: BTreeMap<Receiver, Opening>,
    parts: BTreeMap<Receiver, Part>,
    fingerprint: HashKeys,
}

impl std::fmt::Debug for Distribution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Distribution({} of epoch {}, {} of {} parts)",
            self.me,
            self.epoch.id(),
            self.parts.len(),
            self.epoch.parameters().receivers()
        )
    }
}

impl Distribution {
    /// Round 2 of receiver `me`: reads the functions, splits them with `random`, which nobody else may know, and seals a part
    /// for every other receiver. The keys are used up.
    ///
    /// # Errors
    /// [`DistributeError`] when keys are missing or have the wrong length, or the offer does not open.
    pub fn start(
        epoch: &Epoch,
        me: Receiver,
        keys: ReceiverKeys,
        offer: Option<&Offer>,
        random: &mut impl CryptoRng,
    ) -> Result<(Distribution, Vec<PartMessage>), DistributeError> {
        check_member(epoch, me)?;
        let from_signer = Link {
            from: Party::Signer,
            to: me.into(),
        };
        let drawn = open_offer(epoch, from_signer, keys.offer, offer)?;
        let drawn = drawn.as_ref().map(|drawn| drawn.as_slice());
        let (functions, pads) =
            functions_of(epoch, &keys.shared, drawn).map_err(|cause| DistributeError::Key {
                link: from_signer,
                cause,
            })?;
        let split = Split::draw(epoch.parameters(), random);
        let openings = expect_parts(
            epoch,
            me,
            keys.links.incoming,
            epoch.parameters().set_bits(),
        )?;
        let mut outgoing = keys.links.outgoing;
        let mut messages = Vec::new();
        for to in others(epoch, me) {
            let plain = encode_part(epoch, split.part(to), &functions, &pads);
            messages.push(seal_part(
                epoch,
                Link {
                    from: me.into(),
                    to: to.into(),
                },
                Counter(0),
                &plain,
                &mut outgoing,
            )?);
        }
        let own = encode_part(epoch, split.part(me), &functions, &pads);
        let own =
            decode_part(epoch, &own.bytes).map_err(|_| DistributeError::BadPart { from: me })?;
        let fingerprint = draw_fingerprint(random);
        let parts = BTreeMap::from([(me, own)]);
        Ok((
            Distribution {
                epoch: epoch.clone(),
                me,
                split,
                openings,
                parts,
                fingerprint,
            },
            messages,
        ))
    }

    /// Round 3: takes the part of another receiver.
    ///
    /// # Errors
    /// [`DistributeError::Channel`] leaves room for the right message; [`DistributeError::BadPart`] is final.
    pub fn receive(&mut self, message: &PartMessage) -> Result<(), DistributeError> {
        let from = message.from;
        check_direction(&self.epoch, self.me, message)?;
        if self.parts.contains_key(&from) {
            return Err(DistributeError::Again { from });
        }
        let plain = open_part(
            &self.epoch,
            self.me,
            Counter(0),
            message,
            &mut self.openings,
        )?;
        self.openings.remove(&from);
        let part =
            decode_part(&self.epoch, &plain).map_err(|_| DistributeError::BadPart { from })?;
        self.parts.insert(from, part);
        Ok(())
    }

    /// Whose parts are not here; after the deadline each of them is worth a complaint.
    pub fn missing(&self) -> Vec<Receiver> {
        others(&self.epoch, self.me)
            .filter(|from| !self.parts.contains_key(from))
            .collect()
    }

    /// The receipt, once every part of those in `roster` is here: who is out by complaint owes nothing any more.
    pub fn receipt(&self, roster: &Roster) -> Option<Receipt> {
        let complete = self.missing().iter().all(|from| !roster.contains(*from));
        complete.then_some(Receipt {
            epoch: self.epoch.id(),
            counter: Counter(0),
        })
    }

    /// Round 4: what it takes to verify. Parts that are missing must be out by complaint before a signature can be tested.
    pub fn finish(self) -> Verifier {
        Verifier::new(
            self.epoch,
            self.me,
            self.split,
            self.parts,
            self.fingerprint,
        )
    }
}

/// The nk functions that one receiver shares with the signer, and the pads of the first counter: all hash keys, then all
/// pads. `drawn`: the drawn parts, 128 bits each, where the family has them.
pub(crate) fn functions_of(
    epoch: &Epoch,
    shared: &ItsKey,
    drawn: Option<&[u8]>,
) -> Result<(HashKeys, Zeroizing<Vec<u128>>), KeyError> {
    let parameters = epoch.parameters();
    let (family, count) = (parameters.family(), parameters.functions_per_receiver());
    shared.expect_bits(parameters.shared_bits())?;
    let mut reader = shared.reader();
    let short = |_: FamilyError| KeyError::Short {
        have: shared.bits(),
        need: parameters.shared_bits(),
    };
    let keys = match drawn {
        None => HashKeys::read(family, &mut reader, count).map_err(short)?,
        Some(drawn) => {
            let mut drawn = BitReader::new(drawn);
            let raw_bits = family.hash_key_bits() - family.drawn_bits();
            let mut joined = BitWriter::with_capacity(count * family.hash_key_bits() as usize);
            for _ in 0..count {
                joined.write(
                    drawn.read(family.drawn_bits()).unwrap_or_default(),
                    family.drawn_bits(),
                );
                joined.write(reader.read(raw_bits).unwrap_or_default(), raw_bits);
            }
            let joined = Zeroizing::new(joined.into_bytes());
            HashKeys::read(family, &mut BitReader::new(&joined), count).map_err(short)?
        }
    };
    let pads = read_pads(&mut reader, family.tag_bits(), count);
    Ok((keys, pads))
}

/// The nk pads of a further counter.
pub(crate) fn pads_of(epoch: &Epoch, shared: &ItsKey) -> Result<Zeroizing<Vec<u128>>, KeyError> {
    let parameters = epoch.parameters();
    shared.expect_bits(parameters.pads_shared_bits())?;
    Ok(read_pads(
        &mut shared.reader(),
        parameters.family().tag_bits(),
        parameters.functions_per_receiver(),
    ))
}

pub(crate) fn read_pads(
    reader: &mut BitReader<'_>,
    width: u32,
    count: usize,
) -> Zeroizing<Vec<u128>> {
    let mut pads = Zeroizing::new(Vec::with_capacity(count));
    pads.extend((0..count).map(|_| reader.read(width).unwrap_or_default()));
    pads
}

pub(crate) fn others(
    epoch: &Epoch,
    me: Receiver,
) -> impl Iterator<Item = Receiver> + Clone + use<> {
    Receiver::first(epoch.parameters().committee().receivers()).filter(move |other| *other != me)
}

fn check_member(epoch: &Epoch, receiver: Receiver) -> Result<(), DistributeError> {
    let receivers = epoch.parameters().receivers();
    if receiver.index() >= receivers {
        return Err(DistributeError::NotAMember {
            receiver,
            receivers,
        });
    }
    Ok(())
}

pub(crate) fn check_direction(
    epoch: &Epoch,
    me: Receiver,
    message: &PartMessage,
) -> Result<(), DistributeError> {
    check_member(epoch, message.from)?;
    if message.to != me || message.from == me {
        return Err(DistributeError::Misdirected {
            from: message.from,
            to: message.to,
            me,
        });
    }
    Ok(())
}

fn open_offer(
    epoch: &Epoch,
    link: Link,
    key: Option<ItsKey>,
    offer: Option<&Offer>,
) -> Result<Option<Zeroizing<Vec<u8>>>, DistributeError> {
    let parameters = epoch.parameters();
    let family = parameters.family();
    let bits = parameters.functions_per_receiver() * family.drawn_bits() as usize;
    if bits == 0 {
        return Ok(None);
    }
    let offer = offer.ok_or(DistributeError::NoOffer { family })?;
    let key = key.ok_or(DistributeError::Key {
        link,
        cause: KeyError::Empty,
    })?;
    let mut opening =
        Opening::new(bits, key).map_err(|cause| DistributeError::Key { link, cause })?;
    let context = epoch.round_context(Round::Offer, link, Counter(0));
    let drawn =
        opening
            .open(&context, &offer.sealed)
            .map_err(|cause| DistributeError::Channel {
                from: Party::Signer,
                cause,
            })?;
    let mut reader = BitReader::new(&drawn);
    let sound = std::iter::from_fn(|| reader.read(family.drawn_bits()))
        .all(crate::family::lfsr::is_irreducible);
    if !sound {
        return Err(DistributeError::BadOffer);
    }
    Ok(Some(drawn))
}

/// A hash key of this receiver alone, under which it remembers what it has evaluated.
fn draw_fingerprint(random: &mut impl CryptoRng) -> HashKeys {
    let mut bytes = [0; 16];
    random.fill_bytes(&mut bytes);
    let key =
        HashKeys::read(Family::Gf128, &mut BitReader::new(&bytes), 1).expect("128 bits are there");
    bytes.zeroize();
    key
}
