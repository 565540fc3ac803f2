//! One ledger at one time of its clock, with what a checker wants to know of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tieline_contract::state::{Account, State};
use tieline_contract::terms::Request;
use tieline_contract::trade::{BuyerState, SellerState, VppState};
use tieline_units::{Digest, Energy, Money};

use crate::properties::Broken;

/// Where an order stands on one ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Standing {
    /// As X sees it.
    pub buyer: Option<BuyerState>,
    /// As Y sees it.
    pub seller: Option<SellerState>,
    /// As Z sees it.
    pub vpp: Option<VppState>,
    /// What lies in its escrow here.
    pub escrow: Money,
    /// What lies in its bond here.
    pub bond: Money,
    /// q as this ledger has it.
    pub settled: Option<Energy>,
    /// q_y as this ledger metered it.
    pub delivered: Option<Energy>,
    /// Whether Z knows that the buyer is bound, or that the seller delivered.
    pub decided: bool,
    /// Whether the seller may turn its plant on.
    pub dispatch: bool,
}

impl Standing {
    pub(crate) fn of(state: &State, request: &Request) -> Standing {
        let order = request.order();
        let (bought, sold) = (state.purchase(order), state.sale(order));
        let written = state.settling(order);
        let settlement = written.and_then(|s| s.settlement);
        Standing {
            buyer: bought.map(|p| p.state),
            seller: sold.map(|s| s.state),
            vpp: written.map(|s| s.state),
            escrow: state.balance(&Account::Escrow(order)),
            bond: state.balance(&Account::Bond(order)),
            settled: bought
                .and_then(|p| p.settled)
                .or(sold.and_then(|s| s.settled))
                .or(settlement.map(|s| s.settled)),
            delivered: sold.and_then(|s| s.delivered),
            decided: written.is_some_and(|s| s.committed || s.delivered.is_some()),
            dispatch: state.may_dispatch(order),
        }
    }
}

/// Transactions of a universe: deeds, then certificates, then the clock.
pub(crate) const DEEDS: usize = 40;
pub(crate) const CLOCK: usize = DEEDS + super::certificates::CERTIFICATES;
const UNKNOWN: u32 = 0;
const NOWHERE: u32 = 1;
const FIRST: u32 = 2;

/// What a ledger says and is, whatever its clock.
#[derive(Clone, Copy)]
pub(crate) struct Survey {
    /// Digest of the records without heights.
    pub(crate) content: Digest,
    /// Certificates of its own entries that may exist.
    pub(crate) said: u128,
    /// Of these, what its verification nodes still attest.
    pub(crate) fresh: u128,
    /// Certificates of others that it hands out again.
    pub(crate) kept: u128,
    /// What its books violate.
    pub(crate) broken: Broken,
}

/// A ledger and its clock.
pub(crate) struct Place {
    pub(crate) state: Arc<State>,
    /// Position in the plan's instants.
    pub(crate) clock: usize,
    /// What its own history or books violate.
    pub(crate) broken: Broken,
    pub(crate) survey: Survey,
    pub(crate) standings: Vec<Standing>,
    /// What sellers and aggregators have here.
    pub(crate) paid: Money,
    pub(crate) next: Box<[AtomicU32]>,
}

impl Place {
    pub(crate) fn unknown() -> Box<[AtomicU32]> {
        (0..=CLOCK).map(|_| AtomicU32::new(UNKNOWN)).collect()
    }

    /// Where a transaction leads: `None` when that was not asked yet, `Some(None)` when it changes nothing.
    pub(crate) fn known(&self, transaction: usize) -> Option<Option<u32>> {
        match self.next[transaction].load(Ordering::Relaxed) {
            UNKNOWN => None,
            NOWHERE => Some(None),
            number => Some(Some(number - FIRST)),
        }
    }

    pub(crate) fn learn(&self, transaction: usize, place: Option<u32>) {
        let number = place.map_or(NOWHERE, |number| number + FIRST);
        self.next[transaction].store(number, Ordering::Relaxed);
    }
}
