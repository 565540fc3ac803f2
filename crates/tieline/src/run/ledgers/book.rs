//! What verification nodes ask before they attest: tests (10) and (11) of the parties' unconditional signatures.
//!
//! | certificate | on | signature of | level |
//! |---|---|---|---|
//! | REQ | X | the buyer's requests | 1 |
//! | ACC | Y | the buyer's requests | 0 |
//! | ACC | Y | the seller's responses | 1 |
//! | COM | X | the seller's responses | 0 |
//!
//! Where X is Y, both are tested at level 1. A node whose test fails says nothing; an order that nobody attests ends by its
//! time-outs (decision 4 of the architecture).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tieline_contract::payload::Payload;
use tieline_contract::terms::{OrderId, Terms};
use tieline_units::{ChainId, Digest};

use crate::config::Troubles;
use crate::run::seals::Verdicts;

/// Of an order, the signatures of the batches that its messages are in.
#[derive(Clone, Copy, Debug, Default)]
struct Sealed {
    request: Option<Digest>,
    response: Option<Digest>,
    /// Both sides are on one chain.
    local: bool,
}

/// Shared by all verification nodes of a run.
pub struct Book {
    orders: Mutex<BTreeMap<OrderId, Sealed>>,
    verdicts: Arc<Verdicts>,
    troubles: Troubles,
}

impl Book {
    /// Of nodes that test so, with these troubles.
    pub fn new(verdicts: Arc<Verdicts>, troubles: Troubles) -> Book {
        Book {
            orders: Mutex::default(),
            verdicts,
            troubles,
        }
    }

    fn edit(&self, order: OrderId, change: impl FnOnce(&mut Sealed)) {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        change(orders.entry(order).or_default());
    }

    /// The batch of requests that an order is in.
    pub fn requested(&self, order: OrderId, terms: &Terms, seal: Digest) {
        let local = terms.chain_x == terms.chain_y;
        self.edit(order, |it| {
            (it.request, it.local) = (Some(seal), local);
        });
    }

    /// The batch of responses that an order is in.
    pub fn answered(&self, order: OrderId, seal: Digest) {
        self.edit(order, |it| it.response = Some(seal));
    }

    /// An order that is over.
    pub fn forget(&self, order: OrderId) {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        orders.remove(&order);
    }

    fn of(&self, order: OrderId) -> Sealed {
        let orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        orders.get(&order).copied().unwrap_or_default()
    }

    /// Whether this verification node attests an entry.
    pub fn approves(&self, chain: &ChainId, seat: u8, payload: &Payload) -> bool {
        let passes = |seal: Option<Digest>, level: i8| {
            let garbled = self.troubles.garbled(chain, seat);
            !garbled && seal.is_some_and(|seal| self.verdicts.passes(chain, seat, seal, level))
        };
        match payload {
            Payload::Request(request) => passes(Some(request.unconditional.hash()), 1),
            Payload::Accept(acceptance) => {
                let sealed = self.of(acceptance.order);
                passes(sealed.request, 0) && passes(sealed.response, 1)
            }
            Payload::Commit(commitment) => {
                let sealed = self.of(commitment.request.order());
                if sealed.local {
                    passes(sealed.request, 1) && passes(sealed.response, 1)
                } else {
                    passes(sealed.response, 0)
                }
            }
            _ => true,
        }
    }
}
