//! The six phases as the paper prints them, to show their flaw. No ledger calls this.
//!
//! Read literally, phase 4 concludes: "node y_j concludes a transaction with x_i", and phase 5 is a formality. Then the
//! seller is bound while the buyer can still let the deadline pass: the escrow is back with the buyer and the seller
//! delivers. `tieline reproduce protocol` shows such a run.

use std::sync::Arc;

use crate::state::State;
use crate::terms::OrderId;
use crate::trade::SellerState;

/// Makes the seller's tentative yes final, as printed. Returns whether there was one.
pub fn conclude_as_printed(ledger: &mut State, order: OrderId) -> bool {
    match ledger.sales.get_mut(&order) {
        Some(sale) if sale.state == SellerState::Accepted => {
            Arc::make_mut(sale).state = SellerState::Confirmed;
            true
        }
        Some(_) | None => false,
    }
}
