//! How orders end on the ledgers, and why.

use tieline_contract::settlement::Settlement;
use tieline_contract::state::State;
use tieline_contract::terms::OrderId;
use tieline_contract::trade::{BuyerState, SellerState, VppState};
use tieline_units::Energy;

use crate::run::conclude::Outcome;

/// What the ledgers say of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Life {
    /// X.
    pub buyer: Option<BuyerState>,
    /// Y.
    pub seller: Option<SellerState>,
    /// Z.
    pub vpp: Option<VppState>,
    /// The buyer was bound: X has the acceptance.
    pub committed: bool,
    /// What the buyer took, as X attests it.
    pub taken: Option<Energy>,
    /// What the seller delivered, as Y attests it.
    pub delivered: Option<Energy>,
    /// What Z wrote.
    pub settlement: Option<Settlement>,
}

impl Life {
    /// On these ledgers.
    pub fn of(order: OrderId, (x, y, z): (&State, &State, &State)) -> Life {
        let purchase = x.purchase(order);
        let sale = y.sale(order);
        let settling = z.settling(order);
        let energy = |it: Option<tieline_contract::trade::Attested>| it.map(|it| it.energy);
        Life {
            buyer: purchase.map(|it| it.state),
            seller: sale.map(|it| it.state),
            vpp: settling.map(|it| it.state),
            committed: purchase.is_some_and(|it| it.trade_hash.is_some()),
            taken: settling.and_then(|it| energy(it.taken)),
            delivered: settling.and_then(|it| energy(it.delivered)),
            settlement: settling.and_then(|it| it.settlement),
        }
    }

    /// Whether nothing can happen to the order any more.
    pub fn is_over(&self) -> bool {
        let bought = matches!(
            self.buyer,
            None | Some(BuyerState::Settled | BuyerState::Refunded)
        );
        let sold = matches!(
            self.seller,
            None | Some(SellerState::Settled | SellerState::Rejected | SellerState::Voided)
        );
        bought && sold && self.vpp != Some(VppState::Open)
    }

    /// How it ended; `quantity`: what was ordered.
    pub fn outcome(&self, quantity: Energy) -> Outcome {
        match (self.buyer, self.seller) {
            (Some(BuyerState::Settled), Some(SellerState::Settled)) => self.settled(quantity),
            (Some(BuyerState::Refunded), Some(SellerState::Voided)) if !self.committed => {
                Outcome::Refunded
            }
            (Some(_), Some(SellerState::Voided)) => Outcome::Voided,
            (Some(BuyerState::Refunded), Some(SellerState::Rejected)) => Outcome::Rejected,
            (Some(BuyerState::Refunded), None) => Outcome::Refunded,
            (None, None) => Outcome::Refused,
            _ => Outcome::Open,
        }
    }

    fn settled(&self, quantity: Energy) -> Outcome {
        let settlement = self.settlement.unwrap_or_default();
        if self.delivered.is_none() {
            Outcome::Unmetered
        } else if settlement.disputed > Energy::ZERO {
            Outcome::Disputed
        } else if settlement.settled < quantity {
            Outcome::PartlyDelivered
        } else {
            Outcome::Settled
        }
    }
}
