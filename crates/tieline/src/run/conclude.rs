//! Steps 7 to 10: from orders to concluded orders.
//!
//! [`Direct`] confirms every order at once, as a market without ledgers does. [`super::ledgers`] distributes keys, signs, and
//! runs the six phases over the chains of buyer, seller and VPP; an order can then also end as rejected, refunded or voided,
//! with a reason.

use tieline_contract::settlement::Settlement;
use tieline_units::Energy;

use super::order::Ordered;
use super::stage::{Slot, Stage};

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Delivered in full, and paid.
    Settled,
    /// Less was delivered than was ordered; what was delivered is paid.
    PartlyDelivered,
    /// The two meters of a line differ by more than is let pass; the difference is held back.
    Disputed,
    /// The seller's reading did not come in time; nothing is paid.
    Unmetered,
    /// The seller said no, or did not answer until D.
    Rejected,
    /// The acceptance did not reach the buyer's chain until D.
    Refunded,
    /// The buyer's commitment did not reach the seller's chain until G.
    Voided,
    /// It never got onto the buyer's chain.
    Refused,
    /// The run ended before the order did.
    Open,
}

/// All outcomes, in the order of tables.
pub const OUTCOMES: [Outcome; 9] = [
    Outcome::Settled,
    Outcome::PartlyDelivered,
    Outcome::Disputed,
    Outcome::Unmetered,
    Outcome::Rejected,
    Outcome::Refunded,
    Outcome::Voided,
    Outcome::Refused,
    Outcome::Open,
];

impl Outcome {
    /// One word for tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Settled => "settled",
            Outcome::PartlyDelivered => "partly-delivered",
            Outcome::Disputed => "disputed",
            Outcome::Unmetered => "unmetered",
            Outcome::Rejected => "rejected",
            Outcome::Refunded => "refunded",
            Outcome::Voided => "voided",
            Outcome::Refused => "refused",
            Outcome::Open => "open",
        }
    }

    /// Whether the order bound both sides until delivery, so that a settlement of it exists.
    pub fn binds(self) -> bool {
        matches!(
            self,
            Outcome::Settled | Outcome::PartlyDelivered | Outcome::Disputed | Outcome::Unmetered
        )
    }
}

/// Where an order stands when its interval is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion {
    /// How it ended.
    pub outcome: Outcome,
    /// At which step and why, where it did not simply settle.
    pub why: Option<String>,
}

impl Conclusion {
    /// Delivered in full.
    pub fn settled() -> Conclusion {
        Conclusion {
            outcome: Outcome::Settled,
            why: None,
        }
    }
}

/// What ledgers say of an interval's delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metered {
    /// Net flow at each member's tie line as its meter showed it, export positive; `None` where no reading came.
    pub nets: Vec<Option<Energy>>,
    /// Of every order that bound both sides, in the order of the orders: what Z settled.
    pub settlements: Vec<Settlement>,
    /// Whether the seller of each order was to deliver when the interval began.
    pub dispatched: Vec<bool>,
}

/// What steps 7 to 10 hand over.
#[derive(Clone, Debug)]
pub struct Concluded {
    /// The round and its orders.
    pub ordered: Ordered,
    /// One per order.
    pub conclusions: Vec<Conclusion>,
    /// What meters showed and Z settled; `None` without ledgers: meters show what happened, and all orders are settled on it.
    pub metered: Option<Metered>,
}

/// Confirms every order.
#[derive(Clone, Debug)]
pub struct Direct;

impl Stage for Direct {
    type Input = Ordered;
    type Output = Concluded;

    fn run(&self, _slot: &Slot<'_>, ordered: Ordered) -> anyhow::Result<Concluded> {
        let conclusions = vec![Conclusion::settled(); ordered.orders.len()];
        Ok(Concluded {
            ordered,
            conclusions,
            metered: None,
        })
    }
}
