//! One order on its way, and the batches that its messages are signed in.

use std::collections::BTreeSet;
use std::sync::Arc;

use tieline_contract::terms::{OrderId, Request};
use tieline_units::{Digest, Energy, MicrogridId, Time};

use super::outcome::Life;
use crate::run::conclude::Outcome;
use crate::run::keys::trade::TradeKeys;
use crate::run::seals::Kind;

/// An order that has been requested.
pub struct Trade {
    /// Index of its interval.
    pub slot: usize,
    /// Its index among the orders of the interval.
    pub index: usize,
    /// What the buyer signed.
    pub request: Arc<Request>,
    /// Index of the buyer.
    pub buyer: usize,
    /// Index of the seller.
    pub seller: usize,
    /// The buyer's chain, an index of the places.
    pub x: usize,
    /// The seller's.
    pub y: usize,
    /// The seller's answer is decided.
    pub answered: bool,
    /// The key's return is under way.
    pub returned: bool,
    /// Why it will not end well, as soon as that is known.
    pub note: Option<String>,
    /// When each of its transitions was final first, by the blocks' times.
    pub times: Vec<(&'static str, Time)>,
    /// What the parties put on their chains, once the seller has answered.
    pub keys: Option<TradeKeys>,
    /// Unconditional signatures of its batches.
    pub seals: Batches,
}

/// The three batches that an order's messages are in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Batches {
    /// Of requests.
    pub request: Option<Digest>,
    /// Of responses.
    pub response: Option<Digest>,
    /// Of key returns.
    pub key_return: Option<Digest>,
}

/// Messages that are signed together: who signs, to which chain, at which gate, of which kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BatchKey {
    /// Index of the microgrid whose gateway signs.
    pub gateway: usize,
    /// The other chain.
    pub counterpart: usize,
    /// The market gate.
    pub gate: Time,
    /// What is signed.
    pub kind: Kind,
}

/// Orders whose messages wait to be signed together.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Those that are still to come, and those that are here.
    pub expected: BTreeSet<OrderId>,
    /// Those that are here.
    pub ready: BTreeSet<OrderId>,
    /// When the first of those came.
    pub since: Option<Time>,
}

/// How long a batch waits for the rest of its messages, milliseconds.
const PATIENCE_MS: u64 = 20_000;

impl Batch {
    /// Takes the messages that are signed now, if it is time.
    pub fn take(&mut self, now: Time) -> Option<BTreeSet<OrderId>> {
        let since = self.since?;
        let complete = self.expected.is_subset(&self.ready);
        if !complete && now < since.plus_millis(PATIENCE_MS) {
            return None;
        }
        self.since = None;
        let ready = std::mem::take(&mut self.ready);
        self.expected = &self.expected - &ready;
        Some(ready)
    }

    /// A message is here.
    pub fn add(&mut self, order: OrderId, now: Time) {
        self.ready.insert(order);
        self.since.get_or_insert(now);
    }

    /// A message that will not come.
    pub fn remove(&mut self, order: OrderId) {
        self.expected.remove(&order);
        self.ready.remove(&order);
        if self.ready.is_empty() {
            self.since = None;
        }
    }

    /// Whether it is done with.
    pub fn is_empty(&self) -> bool {
        self.expected.is_empty() && self.ready.is_empty()
    }
}

impl Trade {
    /// Why the order ended so, for people.
    pub fn why(&self, life: &Life, outcome: Outcome, seller: &MicrogridId) -> Option<String> {
        let terms = &self.request.terms;
        let kwh = |energy: Energy| energy.to_kilowatt_hours();
        let settlement = life.settlement.unwrap_or_default();
        let found = match outcome {
            Outcome::Settled => return None,
            Outcome::PartlyDelivered => format!(
                "{seller} delivered {} of {} kWh",
                kwh(settlement.settled),
                kwh(terms.quantity)
            ),
            Outcome::Disputed => format!(
                "the two meters of the line differ; {} kWh are held back",
                kwh(settlement.disputed)
            ),
            Outcome::Unmetered => format!(
                "no reading of {seller} reached Z within the grace after {}",
                terms.metering_deadline
            ),
            Outcome::Rejected => format!("{seller} did not answer until {}", terms.deadline),
            Outcome::Refunded => format!(
                "no acceptance reached {} until {}",
                terms.chain_x, terms.deadline
            ),
            Outcome::Voided => format!(
                "the commitment of {} did not reach {} before the gate closed at {}",
                terms.chain_x, terms.chain_y, terms.gate_closure
            ),
            Outcome::Refused => format!("{} did not take the request", terms.chain_x),
            Outcome::Open => "the run ended before the order did".to_owned(),
        };
        let explained = !outcome.binds();
        let note = self.note.as_ref().filter(|_| explained);
        Some(note.map_or(found, Clone::clone))
    }
}
