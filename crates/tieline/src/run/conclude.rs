//! Steps 7 to 10: from orders to concluded orders.
//!
//! [`Direct`] confirms every order at once, as a market without ledgers does. The stage that takes its place distributes
//! keys, signs, and runs the six phases over the chains of buyer, seller and VPP; an order can then also end as rejected,
//! refunded or voided, with a reason.

use super::order::Ordered;
use super::stage::{Slot, Stage};

/// Where an order stands when its interval begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Binding on both sides.
    Confirmed,
    /// It binds nobody; the grid serves the energy.
    Dropped {
        /// At which step and why.
        why: String,
    },
}

/// What steps 7 to 10 hand over.
#[derive(Clone, Debug)]
pub struct Concluded {
    /// The round and its orders.
    pub ordered: Ordered,
    /// One per order.
    pub conclusions: Vec<Conclusion>,
}

/// Confirms every order.
#[derive(Clone, Debug)]
pub struct Direct;

impl Stage for Direct {
    type Input = Ordered;
    type Output = Concluded;

    fn run(&self, _slot: &Slot<'_>, ordered: Ordered) -> anyhow::Result<Concluded> {
        let conclusions = vec![Conclusion::Confirmed; ordered.orders.len()];
        Ok(Concluded {
            ordered,
            conclusions,
        })
    }
}
