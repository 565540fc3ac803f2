//! Epochs of which the tests hold every key, so that they can play receivers and signers who break the rules.

use std::collections::BTreeMap;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tieline_uss::bits::{BitReader, BitWriter};
use tieline_uss::channel::{Authenticated, Opening, seal};
use tieline_uss::committee::{Committee, RECEIVERS_MAX};
use tieline_uss::dispute::{Ballot, Call, Outcome, Vote};
use tieline_uss::distribute::{DistributeError, Distribution, PartMessage};
use tieline_uss::draw;
use tieline_uss::epoch::{
    Complaint, ComplaintEffect, EpochError, EpochRecord, Finalised, Grounds, Roster,
};
use tieline_uss::family::{Family, HashKeys};
use tieline_uss::key::{ItsKey, MemoryStore};
use tieline_uss::parameters::{Epoch, Limits, Parameters, Round};
use tieline_uss::party::{Counter, EpochId, Height, Link, Party, Receiver};
use tieline_uss::rehearsal::Rehearsal;
use tieline_uss::sign::{Offer, Signer};
use tieline_uss::signature::{Signature, SignedMessage};
use tieline_uss::verify::Verdict;

/// Bytes of a signature before its tags.
pub(crate) const HEADER_BYTES: usize = 19;

/// What `from` sends to the ledger.
pub(crate) fn sent<T>(from: impl Into<Party>, value: T) -> Authenticated<T> {
    Authenticated::by_ledger(from.into(), value)
}

/// The first counter.
pub(crate) const FIRST: Counter = Counter(0);

/// A block after those of every message that a world has put in order.
pub(crate) const LATER: Height = Height(1000);

/// A roster that nobody has left.
pub(crate) fn everybody() -> Roster {
    Roster::all(RECEIVERS_MAX)
}

/// Whom a verdict's complaints reach first.
pub(crate) trait FirstComplaint {
    /// The first receiver, still in, that it complains about.
    fn complaint_about(&self, roster: &Roster) -> Option<Receiver>;
}

impl FirstComplaint for Verdict {
    fn complaint_about(&self, roster: &Roster) -> Option<Receiver> {
        let mut about = self
            .complaints()
            .into_iter()
            .map(|complaint| complaint.about);
        about.find(|about| roster.contains(*about))
    }
}

/// What is signed where the body does not matter.
pub(crate) const BODY: &[u8] = b"40 kWh at 0.27";

pub(crate) fn random(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// P_(index + 1).
pub(crate) fn p(index: u8) -> Receiver {
    Receiver::new(index)
}

/// An epoch of n receivers, ω, l_max; k functions with these budgets; `messages` signatures.
pub(crate) fn epoch(
    (receivers, dishonest, transfers): (u8, u8, u8),
    family: Family,
    (functions, budgets): (u16, &[u16]),
    messages: u32,
) -> Epoch {
    let committee = Committee::new(receivers, dishonest, transfers).unwrap();
    let limits = Limits {
        messages,
        message_bytes: 128,
    };
    let parameters =
        Parameters::new(committee, family, functions, budgets.to_vec(), limits).unwrap();
    Epoch::new(EpochId(7), "s", &["x", "y"], parameters).unwrap()
}

/// All functions that the signer shares with one receiver.
pub(crate) struct Functions {
    keys: HashKeys,
    pads: Vec<u128>,
}

impl Functions {
    /// The tags of a body under the first counter, one per function.
    pub(crate) fn tags(&self, epoch: &Epoch, body: &[u8]) -> Vec<u128> {
        let mut tags = Vec::new();
        self.keys
            .hash(&epoch.message(FIRST, body), &mut tags)
            .unwrap();
        tags.iter_mut()
            .zip(&self.pads)
            .for_each(|(tag, pad)| *tag ^= pad);
        tags
    }
}

/// An epoch between the rounds: parts are made and not yet delivered.
pub(crate) struct Draft {
    pub(crate) epoch: Epoch,
    pub(crate) raw: BTreeMap<Link, Vec<u8>>,
    pub(crate) signer: Signer,
    pub(crate) offers: Vec<Offer>,
    pub(crate) distributions: Vec<Distribution>,
    pub(crate) parts: Vec<PartMessage>,
    pub(crate) record: EpochRecord,
    pub(crate) stores: Vec<MemoryStore>,
}

impl Draft {
    pub(crate) fn new(epoch: Epoch, random: &mut ChaCha20Rng) -> Draft {
        let raw = draw_raw(&epoch, random);
        Draft::of(epoch, raw, random)
    }

    /// With these bits on the links.
    pub(crate) fn of(
        epoch: Epoch,
        raw: BTreeMap<Link, Vec<u8>>,
        random: &mut ChaCha20Rng,
    ) -> Draft {
        let receivers = epoch.parameters().committee().receivers();
        let mut stores = stores(receivers, &raw);
        let keys = draw::signer_keys(&epoch, &mut stores[0]).unwrap();
        let (signer, offers) = Signer::new(epoch.clone(), keys, random).unwrap();
        let (mut distributions, mut parts) = (Vec::new(), Vec::new());
        for (me, store) in Receiver::first(receivers).zip(&mut stores[1..]) {
            let keys = draw::receiver_keys(&epoch, me, store).unwrap();
            let offer = offers.iter().find(|offer| offer.to == me);
            let (distribution, messages) =
                Distribution::start(&epoch, me, keys, offer, random).unwrap();
            distributions.push(distribution);
            parts.extend(messages);
        }
        Draft {
            record: EpochRecord::new(epoch.clone()),
            epoch,
            raw,
            signer,
            offers,
            distributions,
            parts,
            stores,
        }
    }

    /// The part on its way.
    pub(crate) fn part(&mut self, from: Receiver, to: Receiver) -> &mut PartMessage {
        self.parts
            .iter_mut()
            .find(|part| part.from == from && part.to == to)
            .unwrap()
    }

    /// Puts other plain bits in the place of a part, sealed with the right key.
    pub(crate) fn reseal(&mut self, from: Receiver, to: Receiver, plain: &[u8]) {
        let (epoch, raw) = (self.epoch.clone(), self.raw[&between(from, to)].clone());
        self.part(from, to).sealed = seal_part(&epoch, &raw, between(from, to), plain);
    }

    /// Delivers what is there; returns what the receivers refuse.
    pub(crate) fn deliver(&mut self) -> Vec<(Receiver, DistributeError)> {
        let mut refused = Vec::new();
        for part in &self.parts {
            let to = part.to;
            if let Err(error) = self.distributions[to.index()].receive(part) {
                refused.push((to, error));
            }
        }
        refused
    }

    /// Everything arrives.
    pub(crate) fn delivered(mut self) -> World {
        assert_eq!(self.deliver(), []);
        self.finish()
    }

    /// Sends the receipts of those that have everything, and goes on.
    pub(crate) fn finish(mut self) -> World {
        let mut verifiers = Vec::new();
        for (index, distribution) in (0..).zip(self.distributions) {
            if let Some(receipt) = distribution.receipt(self.record.roster()) {
                let receipt = sent(p(index), receipt);
                self.record.receipt(&receipt).unwrap();
            }
            verifiers.push(distribution.finish());
        }
        World {
            epoch: self.epoch,
            raw: self.raw,
            parts: self.parts,
            parties: Rehearsal {
                signer: self.signer,
                verifiers,
                record: self.record,
                stores: self.stores,
                height: Height(0),
            },
        }
    }
}

/// An epoch after its distribution, with all keys.
pub(crate) struct World {
    pub(crate) epoch: Epoch,
    raw: BTreeMap<Link, Vec<u8>>,
    parts: Vec<PartMessage>,
    pub(crate) parties: Rehearsal,
}

impl World {
    /// Everybody kept to the rules so far.
    pub(crate) fn new(epoch: Epoch, random: &mut ChaCha20Rng) -> World {
        Draft::new(epoch, random).delivered()
    }

    /// What `receiver` shares with the signer; not for the shift register, whose polynomials travel.
    pub(crate) fn functions(&self, receiver: Receiver) -> Functions {
        let parameters = self.epoch.parameters();
        let count = parameters.functions_per_receiver();
        let mut reader = BitReader::new(&self.raw[&from_signer(receiver)]);
        let keys = HashKeys::read(parameters.family(), &mut reader, count).unwrap();
        let width = parameters.family().tag_bits();
        let pads = (0..count).map(|_| reader.read(width).unwrap()).collect();
        Functions { keys, pads }
    }

    /// The indices in R_{from→to}: what either end of the link tells its friends.
    pub(crate) fn set(&self, from: Receiver, to: Receiver) -> Vec<usize> {
        let parameters = self.epoch.parameters();
        if from == to {
            let others = Receiver::first(parameters.committee().receivers()).filter(|j| *j != from);
            let away: Vec<usize> = others.flat_map(|j| self.set(from, j)).collect();
            return (0..parameters.functions_per_receiver())
                .filter(|index| !away.contains(index))
                .collect();
        }
        let link = between(from, to);
        let part = self
            .parts
            .iter()
            .find(|part| (part.from, part.to) == (from, to));
        let plain = open_part(&self.epoch, &self.raw[&link], link, part.unwrap());
        let mut reader = BitReader::new(&plain);
        (0..parameters.functions())
            .map(|_| reader.read(parameters.index_bits()).unwrap() as usize)
            .collect()
    }

    /// Wipes the tests' own copy of the keys.
    pub(crate) fn forget_raw(&mut self) {
        self.raw.values_mut().for_each(|bytes| bytes.fill(0));
        std::hint::black_box(&self.raw);
    }

    /// Signs [`BODY`] under the first counter.
    pub(crate) fn sign(&mut self) -> SignedMessage {
        self.parties.sign(FIRST, BODY).unwrap()
    }

    /// The ledger takes it for the signer's.
    pub(crate) fn order(&mut self, signed: SignedMessage) -> Finalised {
        self.parties.order(signed).unwrap()
    }

    /// `by` complains about `about` on these grounds.
    pub(crate) fn complain(
        &mut self,
        by: Receiver,
        about: Receiver,
        grounds: Grounds,
    ) -> ComplaintEffect {
        complain(&mut self.parties.record, by, about, grounds).unwrap()
    }

    /// Opens the dispute about `counter`.
    pub(crate) fn call(&mut self, by: Party, counter: Counter, claim: Vote) {
        let call = Call {
            epoch: self.epoch.id(),
            counter,
            claim,
        };
        let call = sent(by, call);
        self.parties.record.call_dispute(&call).unwrap();
    }

    /// Votes in it.
    pub(crate) fn vote(
        &mut self,
        from: Receiver,
        counter: Counter,
        vote: Vote,
    ) -> Result<Option<Outcome>, EpochError> {
        let ballot = Ballot {
            epoch: self.epoch.id(),
            counter,
            vote,
        };
        let ballot = sent(from, ballot);
        self.parties.record.vote(&ballot)
    }
}

pub(crate) fn complain(
    record: &mut EpochRecord,
    by: Receiver,
    about: Receiver,
    grounds: Grounds,
) -> Result<ComplaintEffect, EpochError> {
    let complaint = Complaint {
        epoch: record.epoch().id(),
        about,
        grounds,
    };
    record.complain(&sent(by, complaint))
}

pub(crate) fn from_signer(to: Receiver) -> Link {
    Link {
        from: Party::Signer,
        to: to.into(),
    }
}

pub(crate) fn between(from: Receiver, to: Receiver) -> Link {
    Link {
        from: from.into(),
        to: to.into(),
    }
}

/// Random bits for every link, as many as an epoch can use.
pub(crate) fn draw_raw(epoch: &Epoch, random: &mut ChaCha20Rng) -> BTreeMap<Link, Vec<u8>> {
    let parameters = epoch.parameters();
    let further = parameters.limits().messages as usize - 1;
    let shared = parameters.shared_bits()
        + parameters.offer_bits()
        + further * parameters.pads_shared_bits();
    let set = parameters.set_key_bits() + further * parameters.pads_key_bits();
    let receivers = || Receiver::first(parameters.committee().receivers());
    let mut raw = BTreeMap::new();
    for to in receivers() {
        raw.insert(from_signer(to), vec![0; shared.div_ceil(8)]);
        for from in receivers().filter(|from| *from != to) {
            raw.insert(between(from, to), vec![0; set.div_ceil(8)]);
        }
    }
    raw.values_mut().for_each(|bytes| random.fill_bytes(bytes));
    raw
}

/// Both ends' stores, the signer's first.
pub(crate) fn stores(receivers: u8, raw: &BTreeMap<Link, Vec<u8>>) -> Vec<MemoryStore> {
    let place = |party: Party| match party {
        Party::Signer => 0,
        Party::Receiver(receiver) => receiver.index() + 1,
    };
    let mut stores: Vec<MemoryStore> = (0..=receivers).map(|_| MemoryStore::default()).collect();
    for (link, bytes) in raw {
        for end in [link.from, link.to] {
            stores[place(end)].fill(*link, ItsKey::from_qkd_bits(bytes.clone()).unwrap());
        }
    }
    stores
}

/// Seals plain bits as the part of a link's sender.
pub(crate) fn seal_part(
    epoch: &Epoch,
    raw: &[u8],
    link: Link,
    plain: &[u8],
) -> tieline_uss::channel::Sealed {
    let parameters = epoch.parameters();
    let mut key = ItsKey::from_qkd_bits(raw.to_vec()).unwrap();
    let key = key.take(parameters.set_key_bits()).unwrap();
    let context = epoch.round_context(Round::Part, link, FIRST);
    seal(&context, plain, parameters.set_bits(), key).unwrap()
}

/// Opens a part with the link's key.
pub(crate) fn open_part(epoch: &Epoch, raw: &[u8], link: Link, part: &PartMessage) -> Vec<u8> {
    let parameters = epoch.parameters();
    let mut key = ItsKey::from_qkd_bits(raw.to_vec()).unwrap();
    let key = key.take(parameters.set_key_bits()).unwrap();
    let context = epoch.round_context(Round::Part, link, FIRST);
    let mut opening = Opening::new(parameters.set_bits(), key).unwrap();
    opening.open(&context, &part.sealed).unwrap().to_vec()
}

/// Changes the tags of a signature, `(i · nk + index)` each.
pub(crate) fn edit_tags(epoch: &Epoch, signed: &mut SignedMessage, edit: impl FnOnce(&mut [u128])) {
    let mut tags = Signature::decode(epoch, &signed.signature)
        .unwrap()
        .tags()
        .to_vec();
    edit(&mut tags);
    let width = epoch.parameters().family().tag_bits();
    let mut writer = BitWriter::with_capacity(epoch.parameters().tags_bits());
    tags.iter().for_each(|tag| writer.write(*tag, width));
    signed.signature.truncate(HEADER_BYTES);
    signed.signature.extend(writer.into_bytes());
}

/// Makes the tags of these functions of one receiver wrong.
pub(crate) fn spoil(
    epoch: &Epoch,
    signed: &mut SignedMessage,
    row: Receiver,
    indices: impl IntoIterator<Item = usize>,
) {
    let first = row.index() * epoch.parameters().functions_per_receiver();
    edit_tags(epoch, signed, |tags| {
        indices
            .into_iter()
            .for_each(|index| tags[first + index] ^= 1);
    });
}
