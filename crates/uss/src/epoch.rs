//! What a ledger records of an epoch, the same at every node: receipts, complaints, messages in order, freezing, disputes.
//!
//! ```text
//!                 every receipt of those still in                two messages with one counter,
//!  DISTRIBUTING ------------------------------------> ACTIVE ----or ω complaints----> FROZEN
//!       |  complaint: both are out                      |  finalise, dispute            |  dispute what was
//!       '-- ω complaints --> FROZEN                     '-- complaint: both are out     '  finalised before
//! ```
//!
//! **Complaints.** An honest receiver i complains about j when a part that j owed never came, or when a message that the
//! ledger has put in order shows a mismatch in j's part. From then on both are out, as owners of functions and as voters,
//! for messages that are put in order later: n' = n - 2e after e complaints. A complaint about or by somebody who is out
//! already is void. Between messages of different blocks the ledger leaves the epoch's complaint window, in which every
//! complaint about the earlier one is sure to be put in order. With an honest signer every complaint takes a dishonest receiver out, so honest receivers still
//! accept; at the ω-th complaint the signer is dishonest, or
//! more receivers are than t, and the epoch freezes. `docs/signature-bounds.md` has the
//! proofs.
//!
//! **Freeze, never burn.** A frozen epoch takes no new message. What was put in order before stays verifiable,
//! transferable and disputable with the roster of its time: nothing that happens later, a bad message, a false complaint
//! or a frivolous dispute, touches an earlier message.
//!
//! A verdict on a signature is never evaluated here: ledgers hold what all nodes can compute, and no two receivers hold
//! the same functions. Verdicts enter as votes.

use std::collections::{BTreeMap, BTreeSet};

use tieline_units::bytes::{Digest, Encoder};

use crate::channel::{Authenticated, Canonical};
use crate::dispute::{Ballot, Call, Dispute, Outcome};
use crate::distribute::Receipt;
use crate::parameters::Epoch;
use crate::party::{Counter, EpochId, Height, Party, Receiver};
use crate::signature::{Signature, SignedMessage};

mod error;
mod roster;

pub use error::EpochError;
pub use roster::Roster;

/// Why a receiver complains about another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grounds {
    /// The part, or the pads, for this counter never came, or broke the rules.
    MissingPart(Counter),
    /// This message, put in order by the ledger, does not fit the part.
    Mismatch(Counter),
}

/// A complaint: neither places nor counts, for these would give the split away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The epoch.
    pub epoch: EpochId,
    /// About whom.
    pub about: Receiver,
    /// Why.
    pub grounds: Grounds,
}

impl Canonical for Complaint {
    fn canonical(&self) -> Vec<u8> {
        let (kind, counter) = match self.grounds {
            Grounds::MissingPart(counter) => (0, counter),
            Grounds::Mismatch(counter) => (1, counter),
        };
        let mut encoder = Encoder::new("tieline.uss.complaint/1");
        encoder
            .u64(self.epoch.0)
            .u8(self.about.index() as u8)
            .u8(kind)
            .u32(counter.0);
        encoder.as_bytes().to_vec()
    }
}

/// What a complaint did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComplaintEffect {
    /// Both are out from now on.
    BothOut,
    /// One of the two was out already: nothing changes.
    Void,
    /// Both are out, and with at most t dishonest receivers that many complaints prove the signer dishonest: frozen.
    Frozen,
}

/// Why an epoch takes no new messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FreezeCause {
    /// As many effective complaints as an honest signer's receivers cannot cause.
    Complaints {
        /// ω.
        complaints: u32,
    },
    /// Two messages under one counter, both from the signer.
    Equivocation {
        /// The counter.
        counter: Counter,
        /// Digest of the one that was put in order.
        first: Digest,
        /// Digest of the other.
        second: Digest,
    },
}

/// A message that the ledger has put in order, with the roster of that moment. Only an [`EpochRecord`] makes one, and only
/// such a message can be tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finalised {
    message: SignedMessage,
    counter: Counter,
    entry: Entry,
}

impl Finalised {
    /// What was signed, with the signature.
    pub fn message(&self) -> &SignedMessage {
        &self.message
    }

    /// Under which counter.
    pub fn counter(&self) -> Counter {
        self.counter
    }

    /// Who tests it, for ever.
    pub fn roster(&self) -> &Roster {
        &self.entry.roster
    }

    /// In which block.
    pub fn height(&self) -> Height {
        self.entry.height
    }

    /// How many messages of the epoch were put in order before.
    pub fn place(&self) -> u32 {
        self.entry.place
    }
}

/// What stays on the ledger of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    digest: Digest,
    roster: Roster,
    height: Height,
    place: u32,
}

/// The ledger's record of one epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochRecord {
    epoch: Epoch,
    roster: Roster,
    receipts: BTreeMap<Counter, BTreeSet<Receiver>>,
    expired: BTreeSet<Counter>,
    finalised: BTreeMap<Counter, Entry>,
    last: Option<Height>,
    disputes: BTreeMap<Counter, Dispute>,
    frozen: Option<FreezeCause>,
}

impl EpochRecord {
    /// A new epoch, distributing.
    pub fn new(epoch: Epoch) -> EpochRecord {
        let roster = Roster::all(epoch.parameters().committee().receivers());
        EpochRecord {
            epoch,
            roster,
            receipts: BTreeMap::new(),
            expired: BTreeSet::new(),
            finalised: BTreeMap::new(),
            last: None,
            disputes: BTreeMap::new(),
            frozen: None,
        }
    }

    /// The epoch.
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// Who is in now.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Why the epoch is frozen, if it is.
    pub fn frozen(&self) -> Option<&FreezeCause> {
        self.frozen.as_ref()
    }

    /// Whether the receivers hold the functions and pads of `counter`, as far as the ledger can know.
    pub fn is_open(&self, counter: Counter) -> bool {
        self.frozen.is_none() && self.waiting(counter) == 0
    }

    /// Receivers still in whose receipts are due; further counters rest on the functions of the first.
    fn waiting(&self, counter: Counter) -> usize {
        [Counter(0), counter]
            .into_iter()
            .map(|counter| self.silent(counter).len())
            .max()
            .unwrap_or(0)
    }

    /// Receivers still in without a receipt for `counter`, none once its deadline has passed.
    fn silent(&self, counter: Counter) -> Vec<Receiver> {
        let receipts = self.receipts.get(&counter);
        let confirmed =
            |receiver: &Receiver| receipts.is_some_and(|receipts| receipts.contains(receiver));
        match self.expired.contains(&counter) {
            true => Vec::new(),
            false => self
                .roster
                .iter()
                .filter(|receiver| !confirmed(receiver))
                .collect(),
        }
    }

    /// The deadline for receipts and complaints about `counter` has passed: opens it without those that said nothing, and
    /// returns them. An honest receiver says one or the other in time, so the silent are among the t = ω - 1 that may fail;
    /// they stay in, for the others hold their parts.
    ///
    /// # Errors
    /// [`EpochError::NotOpen`] when more than t are silent: then the network failed, and only time helps.
    pub fn expire(&mut self, counter: Counter) -> Result<Vec<Receiver>, EpochError> {
        self.check_counter(counter)?;
        let silent = self.silent(counter);
        if silent.len() > self.epoch.parameters().committee().tolerated() as usize {
            return Err(EpochError::NotOpen {
                counter,
                waiting: silent.len(),
            });
        }
        self.expired.insert(counter);
        Ok(silent)
    }

    /// A receiver has everything for a counter. Again is nothing new.
    ///
    /// # Errors
    /// [`EpochError`].
    pub fn receipt(&mut self, receipt: &Authenticated<Receipt>) -> Result<(), EpochError> {
        let from = self.receiver(receipt.from())?;
        self.check_epoch(receipt.value().epoch)?;
        let counter = receipt.value().counter;
        self.check_counter(counter)?;
        self.receipts.entry(counter).or_default().insert(from);
        Ok(())
    }

    /// A receiver complains about another.
    ///
    /// # Errors
    /// [`EpochError`]; [`EpochError::Unknown`] when it complains about a message that was not put in order.
    pub fn complain(
        &mut self,
        complaint: &Authenticated<Complaint>,
    ) -> Result<ComplaintEffect, EpochError> {
        let by = self.receiver(complaint.from())?;
        self.check_epoch(complaint.value().epoch)?;
        let about = complaint.value().about;
        if about.index() >= self.epoch.parameters().receivers() {
            return Err(EpochError::NotAMember { receiver: about });
        }
        if by == about {
            return Err(EpochError::Oneself { receiver: by });
        }
        match complaint.value().grounds {
            Grounds::MissingPart(counter) => self.check_counter(counter)?,
            Grounds::Mismatch(counter) if self.finalised.contains_key(&counter) => {}
            Grounds::Mismatch(counter) => return Err(EpochError::Unknown { counter }),
        }
        if self.frozen.is_some() || !self.roster.remove_both(by, about) {
            return Ok(ComplaintEffect::Void);
        }
        let complaints = self.roster.complaints();
        if complaints >= u32::from(self.epoch.parameters().committee().dishonest()) {
            self.frozen = Some(FreezeCause::Complaints { complaints });
            return Ok(ComplaintEffect::Frozen);
        }
        Ok(ComplaintEffect::BothOut)
    }

    /// Puts a message of the signer in order, in the ledger's block `height`. The same message again gives the same result,
    /// also when the epoch is frozen. Receivers test it when the block is closed, not before: messages of one block must be
    /// fixed before anybody answers one of them.
    ///
    /// That the message comes from the signer is settled here, once and for all: an authenticator per receiver would let
    /// the signer withhold one of them.
    ///
    /// # Errors
    /// [`EpochError`]; [`EpochError::Equivocation`] freezes the epoch.
    pub fn finalise(
        &mut self,
        signed: &Authenticated<SignedMessage>,
        height: Height,
    ) -> Result<Finalised, EpochError> {
        let message = signed.value();
        if signed.from() != Party::Signer {
            return Err(EpochError::WrongSender {
                from: signed.from(),
            });
        }
        let counter = self.check_message(message)?;
        let digest = message.digest();
        let entry = match self.finalised.get(&counter) {
            Some(entry) if entry.digest == digest => entry.clone(),
            Some(entry) => {
                let first = entry.digest;
                let cause = FreezeCause::Equivocation {
                    counter,
                    first,
                    second: digest,
                };
                self.frozen.get_or_insert(cause);
                return Err(EpochError::Equivocation { counter });
            }
            None => self.enter(counter, digest, height)?,
        };
        Ok(Finalised {
            message: message.clone(),
            counter,
            entry,
        })
    }

    /// What every message must be: of this epoch, not too long, with a signature of the right shape.
    fn check_message(&self, message: &SignedMessage) -> Result<Counter, EpochError> {
        self.check_epoch(message.epoch)?;
        let (bytes, most) = (message.body.len(), self.epoch.body_bytes_max());
        if bytes > most {
            return Err(EpochError::TooLong { bytes, most });
        }
        let counter = Signature::decode(&self.epoch, &message.signature)?.counter();
        self.check_counter(counter)?;
        Ok(counter)
    }

    /// Enters a message that is new, with the roster of this moment.
    fn enter(
        &mut self,
        counter: Counter,
        digest: Digest,
        height: Height,
    ) -> Result<Entry, EpochError> {
        if self.frozen.is_some() {
            return Err(EpochError::Frozen {
                epoch: self.epoch.id(),
            });
        }
        let waiting = self.waiting(counter);
        if waiting > 0 {
            return Err(EpochError::NotOpen { counter, waiting });
        }
        if let Some(last) = self.last {
            let opens = Height(last.0.saturating_add(self.epoch.complaint_blocks() + 1));
            if height != last && height < opens {
                return Err(EpochError::TooSoon { height, opens });
            }
        }
        let entry = Entry {
            digest,
            roster: self.roster.clone(),
            height,
            place: self.finalised.len() as u32,
        };
        self.last = Some(height);
        self.finalised.insert(counter, entry.clone());
        Ok(entry)
    }

    /// Opens the one dispute about a message; anybody of the epoch may.
    ///
    /// # Errors
    /// [`EpochError`].
    pub fn call_dispute(&mut self, call: &Authenticated<Call>) -> Result<&Dispute, EpochError> {
        if let Party::Receiver(_) = call.from() {
            self.receiver(call.from())?;
        }
        self.check_epoch(call.value().epoch)?;
        let counter = call.value().counter;
        let entry = self
            .finalised
            .get(&counter)
            .ok_or(EpochError::Unknown { counter })?;
        if self.disputes.contains_key(&counter) {
            return Err(EpochError::DisputedBefore { counter });
        }
        let dispute = Dispute::new(call.from(), call.value(), entry.roster.clone());
        Ok(self.disputes.entry(counter).or_insert(dispute))
    }

    /// Counts a vote in the dispute that it is about.
    ///
    /// # Errors
    /// [`EpochError::Unknown`] where there is no dispute, [`EpochError::Ballot`].
    pub fn vote(&mut self, ballot: &Authenticated<Ballot>) -> Result<Option<Outcome>, EpochError> {
        self.check_epoch(ballot.value().epoch)?;
        let counter = ballot.value().counter;
        let dispute = self
            .disputes
            .get_mut(&counter)
            .ok_or(EpochError::Unknown { counter })?;
        Ok(dispute.count(ballot)?)
    }

    /// The dispute about a message, if there is one.
    pub fn dispute(&self, counter: Counter) -> Option<&Dispute> {
        self.disputes.get(&counter)
    }

    fn receiver(&self, party: Party) -> Result<Receiver, EpochError> {
        match party {
            Party::Receiver(receiver) if receiver.index() < self.epoch.parameters().receivers() => {
                Ok(receiver)
            }
            from => Err(EpochError::WrongSender { from }),
        }
    }

    fn check_epoch(&self, found: EpochId) -> Result<(), EpochError> {
        let epoch = self.epoch.id();
        if found != epoch {
            return Err(EpochError::OtherEpoch { found, epoch });
        }
        Ok(())
    }

    fn check_counter(&self, counter: Counter) -> Result<(), EpochError> {
        let messages = self.epoch.parameters().limits().messages;
        if counter.0 >= messages {
            return Err(EpochError::BeyondEpoch { counter, messages });
        }
        Ok(())
    }
}
