//! The receivers' tests of a signature.
//!
//! P_i holds k functions out of each P_j's set: R_{j→i}. With X_j the number of them whose tag in the signature is wrong,
//! test j is passed at level l when X_j ≤ u_l (the paper's T_{i,j}, eq. (10), which knows one function and no level), and
//! the signature is accepted at level l when more than n/2 + (l + 1)(ω - 1) tests are passed (eq. (11) with levels, and
//! with ">" for "≥", which decides ties). The largest such l is how often it can still be passed on.
//!
//! Rules, each of which an attack in the tests breaks when it is left out:
//!
//! * **One evaluation per counter.** A receiver tests only what a ledger has put in order ([`Finalised`]); the same bytes
//!   again get the recorded verdict, others are refused untested. Answers are an oracle on the split.
//! * **All nk tags are always tested**, compared in constant time; nothing but "accepted or not" leaves.
//! * **Levels are computed here**, never taken from a message.
//! * **In the ledger's order, and no verdict on what overtook a complaint.** Whoever found a mismatch in another receiver's
//!   part complains, whatever else it found, together with its answer; on a message of a later block whose roster does not
//!   know the complaint it complains too, but gives no verdict. Else a signer that sends faster than the ledger orders
//!   complaints would learn one function's holder per message, of parts that are still tested.
//! * A part that never came stops the test until a complaint takes it out; it never counts as failed.

use std::collections::BTreeMap;

use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _, ConstantTimeGreater as _};
use zeroize::Zeroizing;

use crate::bits::{BitReader, BitWriter};
use crate::channel::Opening;
use crate::committee::Level;
use crate::distribute::{
    DistributeError, LinkKeys, Part, PartMessage, Plain, Receipt, Split, check_direction,
    expect_parts, open_part, others, pads_of, read_pads, seal_part,
};
use crate::epoch::{Finalised, Roster};
use crate::family::{HashKeys, MESSAGE_BYTES_MAX};
use crate::key::{ItsKey, KeyError};
use crate::parameters::Epoch;
use crate::party::{Counter, Height, Link, Party, Receiver};
use crate::sign::Pads;
use crate::signature::{Signature, SignedMessage};

mod verdict;

pub use verdict::{Answer, Verdict, VerifyError, level_after};

/// Pads of one counter, as far as they are here.
struct CounterPads {
    parts: BTreeMap<Receiver, Pads>,
    openings: BTreeMap<Receiver, Opening>,
}

/// A verdict and what it was about, under a key that nobody else knows.
struct Evaluation {
    fingerprint: Vec<u128>,
    height: Height,
    verdict: Verdict,
}

/// P_i with all its functions: tests signatures.
pub struct Verifier {
    epoch: Epoch,
    me: Receiver,
    split: Split,
    senders: Vec<Receiver>,
    indices: BTreeMap<Receiver, Zeroizing<Vec<u32>>>,
    keys: HashKeys,
    pads: BTreeMap<Counter, CounterPads>,
    fingerprint: HashKeys,
    evaluations: BTreeMap<Counter, Evaluation>,
    place: Option<u32>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Verifier({} of epoch {}, <redacted>)",
            self.me,
            self.epoch.id()
        )
    }
}

impl Verifier {
    pub(crate) fn new(
        epoch: Epoch,
        me: Receiver,
        split: Split,
        parts: BTreeMap<Receiver, Part>,
        fingerprint: HashKeys,
    ) -> Verifier {
        let parameters = epoch.parameters();
        let mut keys =
            HashKeys::with_capacity(parameters.family(), parameters.functions_per_receiver());
        let (mut senders, mut indices, mut pads) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        for (from, part) in parts {
            (0..part.keys.len())
                .try_for_each(|place| keys.push_from(&part.keys, place))
                .expect("all parts are of the epoch's family");
            senders.push(from);
            indices.insert(from, part.indices);
            pads.insert(from, part.pads);
        }
        let pads = BTreeMap::from([(
            Counter(0),
            CounterPads {
                parts: pads,
                openings: BTreeMap::new(),
            },
        )]);
        Verifier {
            epoch,
            me,
            split,
            senders,
            indices,
            keys,
            pads,
            fingerprint,
            evaluations: BTreeMap::new(),
            place: None,
        }
    }

    /// The epoch.
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// Which receiver this is.
    pub fn receiver(&self) -> Receiver {
        self.me
    }

    /// Batch mode, round 2 for a further counter: takes [`crate::parameters::Parameters::pads_shared_bits`] fresh raw bits
    /// shared with the signer and [`crate::parameters::Parameters::pads_key_bits`] bits per link, and seals for every other
    /// receiver the pads of the functions that it tests.
    ///
    /// # Errors
    /// [`DistributeError::Key`]; [`DistributeError::Again`] when the counter has pads.
    pub fn refresh(
        &mut self,
        counter: Counter,
        shared: ItsKey,
        links: LinkKeys,
    ) -> Result<Vec<PartMessage>, DistributeError> {
        let messages = self.epoch.parameters().limits().messages;
        if counter.0 >= messages {
            return Err(DistributeError::BeyondEpoch { counter, messages });
        }
        if self.pads.contains_key(&counter) || self.evaluations.contains_key(&counter) {
            return Err(DistributeError::Again { from: self.me });
        }
        let link = Link {
            from: Party::Signer,
            to: self.me.into(),
        };
        let pads =
            pads_of(&self.epoch, &shared).map_err(|cause| DistributeError::Key { link, cause })?;
        let openings = expect_parts(
            &self.epoch,
            self.me,
            links.incoming,
            self.epoch.parameters().pads_bits(),
        )?;
        let mut outgoing = links.outgoing;
        let mut messages = Vec::new();
        for to in others(&self.epoch, self.me) {
            let plain = self.encode_pads(to, &pads);
            let link = Link {
                from: self.me.into(),
                to: to.into(),
            };
            messages.push(seal_part(
                &self.epoch,
                link,
                counter,
                &plain,
                &mut outgoing,
            )?);
        }
        let mut own = Zeroizing::new(Vec::with_capacity(self.epoch.parameters().functions()));
        own.extend(
            self.split
                .part(self.me)
                .iter()
                .map(|index| pads[*index as usize]),
        );
        self.pads.insert(
            counter,
            CounterPads {
                parts: BTreeMap::from([(self.me, Pads(own))]),
                openings,
            },
        );
        Ok(messages)
    }

    fn encode_pads(&self, to: Receiver, pads: &[u128]) -> Plain {
        let parameters = self.epoch.parameters();
        let mut writer = BitWriter::with_capacity(parameters.pads_bits());
        let part = self.split.part(to);
        part.iter()
            .for_each(|index| writer.write(pads[*index as usize], parameters.family().tag_bits()));
        let bits = writer.bits();
        Plain {
            bytes: Zeroizing::new(writer.into_bytes()),
            bits,
        }
    }

    /// Batch mode, round 3 for a further counter.
    ///
    /// # Errors
    /// [`DistributeError`]; a wrong authenticator leaves room for the right message.
    pub fn receive_pads(
        &mut self,
        counter: Counter,
        message: &PartMessage,
    ) -> Result<(), DistributeError> {
        check_direction(&self.epoch, self.me, message)?;
        let from = message.from;
        let link = Link {
            from: from.into(),
            to: self.me.into(),
        };
        let here = self.pads.get_mut(&counter).ok_or(DistributeError::Key {
            link,
            cause: KeyError::Empty,
        })?;
        if here.parts.contains_key(&from) {
            return Err(DistributeError::Again { from });
        }
        let plain = open_part(&self.epoch, self.me, counter, message, &mut here.openings)?;
        here.openings.remove(&from);
        let parameters = self.epoch.parameters();
        let mut reader = BitReader::new(&plain);
        let pads = read_pads(
            &mut reader,
            parameters.family().tag_bits(),
            parameters.functions(),
        );
        if !reader.is_finished() {
            return Err(DistributeError::BadPart { from });
        }
        here.parts.insert(from, Pads(pads));
        Ok(())
    }

    /// Whose pads for a counter are not here; nobody's once it was tested. After the deadline each of those still in is
    /// worth a complaint, if this receiver's own pads were given ([`Verifier::refresh`]).
    pub fn missing(&self, counter: Counter) -> Vec<Receiver> {
        if self.evaluations.contains_key(&counter) {
            return Vec::new();
        }
        let here = self.pads.get(&counter);
        let is_here = |from: &Receiver| {
            here.is_some_and(|here| here.parts.contains_key(from))
                && self.indices.contains_key(from)
        };
        others(&self.epoch, self.me)
            .filter(|from| !is_here(from))
            .collect()
    }

    /// The receipt for a counter, once all pads from receivers in `roster` are here.
    pub fn receipt(&self, counter: Counter, roster: &Roster) -> Option<Receipt> {
        let complete = self
            .missing(counter)
            .iter()
            .all(|from| !roster.contains(*from));
        (complete && self.pads.contains_key(&counter)).then_some(Receipt {
            epoch: self.epoch.id(),
            counter,
        })
    }

    /// Tests a message that a ledger has put in order. The same bytes again give the same verdict without a test.
    ///
    /// # Errors
    /// [`VerifyError`]; nothing was tested.
    pub fn verify(&mut self, finalised: &Finalised) -> Result<Verdict, VerifyError> {
        let (epoch, found) = (self.epoch.id(), finalised.message().epoch);
        if found != epoch {
            return Err(VerifyError::OtherEpoch { found, epoch });
        }
        let roster = finalised.roster();
        if !roster.contains(self.me) {
            return Err(VerifyError::Out { me: self.me });
        }
        let (bytes, most) = (finalised.message().body.len(), self.epoch.body_bytes_max());
        if bytes > most {
            return Err(VerifyError::TooLong { bytes, most });
        }
        let signature = Signature::decode(&self.epoch, &finalised.message().signature)?;
        let counter = signature.counter();
        let fingerprint = self.fingerprint_of(finalised);
        if let Some(before) = self.evaluations.get(&counter) {
            return if before.fingerprint == fingerprint {
                Ok(before.verdict.clone())
            } else {
                Err(VerifyError::Evaluated { counter })
            };
        }
        let place = finalised.place();
        if self.place.is_some_and(|last| place < last) {
            return Err(VerifyError::OutOfOrder { counter });
        }
        if !self.pads.contains_key(&counter) {
            return Err(VerifyError::NoPads { counter });
        }
        self.check_parts(counter, roster)?;
        let message = self.epoch.message(counter, &finalised.message().body);
        let mismatches = self.mismatches(&message, &signature);
        let mut verdict = self.judge(counter, roster, &mismatches);
        verdict.withheld = self.is_overtaken(finalised);
        self.pads.remove(&counter);
        self.place = Some(place);
        self.evaluations.insert(
            counter,
            Evaluation {
                fingerprint,
                height: finalised.height(),
                verdict: verdict.clone(),
            },
        );
        Ok(verdict)
    }

    /// Hashes of the message's pieces under a key that never leaves: equal for other bytes with the family's ε at most.
    fn fingerprint_of(&self, finalised: &Finalised) -> Vec<u128> {
        let SignedMessage {
            body, signature, ..
        } = finalised.message();
        let mut hashes = Vec::new();
        for piece in [body, signature]
            .into_iter()
            .flat_map(|bytes| bytes.chunks(MESSAGE_BYTES_MAX))
        {
            self.fingerprint
                .hash(piece, &mut hashes)
                .expect("pieces are cut to the family's limit");
        }
        hashes
    }

    /// Whether a complaint that a message of an earlier block called for was overtaken by this one: its roster still has both
    /// the subject and this receiver.
    fn is_overtaken(&self, finalised: &Finalised) -> bool {
        let earlier = |evaluation: &&Evaluation| evaluation.height < finalised.height();
        let mut complaints = self
            .evaluations
            .values()
            .filter(earlier)
            .flat_map(|evaluation| evaluation.verdict.suspects());
        complaints.any(|suspect| finalised.roster().contains(suspect))
    }

    fn check_parts(&self, counter: Counter, roster: &Roster) -> Result<(), VerifyError> {
        match self
            .missing(counter)
            .into_iter()
            .find(|from| roster.contains(*from))
        {
            Some(from) => Err(VerifyError::MissingPart { from, counter }),
            None => Ok(()),
        }
    }

    /// X_j for every sender j whose part is here: mismatches among its k functions, eq. (10). All tags, no early end.
    fn mismatches(&self, message: &[u8], signature: &Signature) -> Zeroizing<Vec<u32>> {
        let functions = self.epoch.parameters().functions();
        let per_receiver = self.epoch.parameters().functions_per_receiver();
        let mut hashes = Zeroizing::new(Vec::with_capacity(self.keys.len()));
        self.keys
            .hash(message, &mut hashes)
            .expect("the length is checked");
        let pads = &self.pads[&signature.counter()].parts;
        let none = Pads(Zeroizing::new(vec![0; functions]));
        let mut mismatches = Zeroizing::new(Vec::with_capacity(self.senders.len()));
        for (sender, hashes) in self.senders.iter().zip(hashes.chunks(functions)) {
            let pads = pads.get(sender).unwrap_or(&none);
            let row = sender.index() * per_receiver;
            let mut wrong = 0;
            for ((hash, pad), index) in hashes
                .iter()
                .zip(pads.0.iter())
                .zip(self.indices[sender].iter())
            {
                let tag = signature.tag(row + *index as usize).unwrap_or_default();
                let difference = hash ^ pad ^ tag;
                let either = difference as u64 | (difference >> 64) as u64;
                wrong += u32::from((!either.ct_eq(&0)).unwrap_u8());
            }
            mismatches.push(wrong);
        }
        mismatches
    }

    /// Counts tests level by level, eq. (11); which level accepts does not show in the time it takes.
    fn judge(&self, counter: Counter, roster: &Roster, mismatches: &[u32]) -> Verdict {
        let parameters = self.epoch.parameters();
        let committee = parameters.committee();
        let counted: Vec<(Receiver, u32)> = self
            .senders
            .iter()
            .copied()
            .zip(mismatches.iter().copied())
            .filter(|(sender, _)| roster.contains(*sender))
            .collect();
        let mut best = -2_i8;
        let levels: Vec<Level> = committee.levels().collect();
        for level in levels.into_iter().rev() {
            let budget = u32::from(parameters.budget(level));
            let passed: u32 = counted
                .iter()
                .map(|(_, wrong)| u32::from((!wrong.ct_gt(&budget)).unwrap_u8()))
                .sum();
            let accepted: Choice = !committee
                .tests_needed(level, roster.complaints())
                .ct_gt(&passed);
            best.conditional_assign(&level.number(), accepted);
        }
        let suspects = counted
            .iter()
            .filter(|(sender, _)| *sender != self.me)
            .map(|(sender, wrong)| u128::from(wrong.ct_gt(&0).unwrap_u8()) << sender.index())
            .sum();
        Verdict {
            epoch: self.epoch.id(),
            counter,
            committee,
            level: best,
            suspects,
            withheld: false,
        }
    }
}
