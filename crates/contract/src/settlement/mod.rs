//! What is paid for a delivered order, and for everything else that the meters show.
//!
//! **Parties.** A buyer (chain X), a seller (chain Y), the aggregator between them, the grid around them.
//!
//! **Inputs.** The terms of an order and the readings of both ends; for a whole market interval, the net flow of
//! every member at its tie line and the grid's prices.
//!
//! **Rules.**
//! 1. Quantity: q = min(q_y, quantity). The seller is paid for what it delivered; what the buyer does not take is the
//!    buyer's imbalance with the grid, because two tie lines metered apart are not two readings of one flow.
//! 2. Only a pair with a metered line of its own settles on both: q = min(⌊q_x·(10^6 + loss)/10^6⌋, q_y, quantity);
//!    a difference beyond the tolerance is held back in dispute.
//! 3. Whoever's reading is missing bears it: without the buyer's, the seller's stands; without the seller's, nothing is paid.
//! 4. Payment: ⌊q·price⌋ from the buyer, of it ⌊q·seller_price⌋ to the seller, the rest to the aggregator: no residue.
//! 5. Penalty: min(bond, ⌊short·imbalance·ppm/10^6⌋) from the seller to the buyer.
//! 6. A seller that exports less than it sold covers its orders pro rata; what it exports beyond goes to the grid.
//! 7. What the meter shows beyond the orders is imbalance at the grid's prices.
//!
//! **Guarantees.** Every settlement sums to zero over members, aggregator and grid, to the last millionth; energy
//! balances to the last millijoule; rounding is down, once, on the buyer's debit and the seller's credit.
//!
//! Source: `contract.md` section 5, decisions 7 to 9 of the architecture; Hu et al. 2022, §4.3.

mod interval;
mod order;
mod share;

pub(crate) use interval::beyond;
pub use interval::{
    GridPrices, Imbalance, IntervalError, IntervalSettlement, MemberEntry, Order, book_interval,
    settle_interval,
};
pub use order::{
    ENERGY_MAX, Metering, OrderTerms, PENALTY_PPM_MAX, PRICE_MAX, Readings, SettleError,
    Settlement, settle,
};
pub use share::largest_remainder;
