//! A market interval on its way through the ledgers.

use tieline_contract::settlement::Settlement;
use tieline_contract::terms::OrderId;
use tieline_units::{Energy, Time};

use super::outcome::Life;
use crate::run::conclude::{Concluded, Conclusion, Metered};
use crate::run::order::Ordered;

/// Its orders and readings so far.
pub struct Open {
    /// First instant of the interval.
    pub start: Time,
    /// The round and its orders.
    pub ordered: Ordered,
    /// Of every order, its id on the ledgers; `None` where it got onto none.
    pub ids: Vec<Option<OrderId>>,
    /// Of every order, how it ended.
    pub ends: Vec<Option<(Conclusion, Life)>>,
    /// Of every order, whether its seller was to deliver when the interval began.
    pub dispatched: Vec<bool>,
    /// Net flow at each tie line as the meter showed it.
    pub nets: Vec<Option<Energy>>,
    /// Readings that may still come.
    pub readings_due: usize,
    /// The interval is over and its meters have been read or missed.
    pub is_read: bool,
    /// What the meters show beyond orders was given to Z.
    pub booked: Booked,
}

/// Whether Z has what the meters show beyond orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Booked {
    /// Not yet.
    No,
    /// Given.
    Given,
    /// Final.
    Done,
}

impl Open {
    /// After its gate.
    pub fn new(start: Time, ordered: Ordered, members: usize) -> Open {
        let orders = ordered.orders.len();
        Open {
            start,
            ids: vec![None; orders],
            ends: vec![None; orders],
            dispatched: vec![false; orders],
            nets: vec![None; members],
            readings_due: 0,
            is_read: false,
            booked: Booked::No,
            ordered,
        }
    }

    /// Whether every order has come to its end.
    pub fn is_over(&self) -> bool {
        self.ends.iter().all(Option::is_some)
    }

    /// Whether no reading can come any more.
    pub fn is_metered(&self) -> bool {
        self.is_read && self.readings_due == 0
    }

    /// What steps 7 to 10 hand over.
    pub fn concluded(self) -> Concluded {
        let mut settlements: Vec<Settlement> = Vec::new();
        let mut conclusions = Vec::new();
        for (conclusion, life) in self.ends.into_iter().flatten() {
            if conclusion.outcome.binds() {
                settlements.push(life.settlement.unwrap_or_default());
            }
            conclusions.push(conclusion);
        }
        Concluded {
            ordered: self.ordered,
            conclusions,
            metered: Some(Metered {
                nets: self.nets,
                settlements,
                dispatched: self.dispatched,
            }),
        }
    }
}
