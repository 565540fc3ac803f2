//! The energy contract between microgrids that share no operator.
//!
//! An order lives on three ledgers: the buyer's X, the seller's Y, the virtual power plant's Z. On each, [`apply`] judges a
//! [`transaction::Transaction`] and carries it out, or refuses it and changes nothing. What one ledger says, the others hear
//! as a [`certificate::Certificate`]. `docs/contract.md` has the protocol, printed from this code.
//!
//! **Parties.** Gateways of buyer and seller, the aggregator, the VPP's operator, meters, verification nodes; relayers, who need no
//! trust. **Guarantee.** Whatever is lost, doubled or late, both ends of an order come to the same outcome: Y's confirmation before
//! the gate closes is the only decision. **Deviations** from the paper stand in [`phase4`], [`threshold`], [`certificate`] and, with
//! reasons, in the document.
//!
//! [`settlement`] stands alone as well: the market run without ledgers uses it.
//!
//! Integers only, no IO, no clock.

#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic)]

mod attest;
pub mod bounds;
mod buyer;
pub mod certificate;
pub mod change;
mod check;
pub mod credibility;
mod epoch;
mod evidence;
pub mod guard;
mod imbalance;
pub mod literal;
mod local;
pub mod member;
mod meter;
mod money;
pub mod mutant;
pub mod payload;
pub mod phase4;
mod registry;
mod rendering;
mod seller;
pub mod settlement;
mod sound;
pub mod state;
pub mod terms;
pub mod threshold;
pub mod trade;
pub mod transaction;
pub mod transition;
mod vpp;

pub use check::apply;
pub use registry::record_digest;
