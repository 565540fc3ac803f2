//! One microgrid's private chain, all but the agreement.
//!
//! Whoever agrees on the order of blocks, a BFT engine, a simulator or a test, hands them to this crate one by one: it says
//! whether a block is valid, executes it, stores it, and proves what came of it. It knows no engine: certificates of
//! finality come in behind [`light::FinalityProof`].
//!
//! | module | what | effects |
//! |---|---|---|
//! | [`block`], [`validators`], [`genesis`] | what is agreed on, by whom, and from where | none |
//! | [`double_vote`] | proof that a validator voted for two things | none |
//! | [`ledger`], [`tree`], [`records`] | executing blocks, the state root, proofs of state values | none |
//! | [`forks`] | blocks that are proposed and not final | none |
//! | [`relay`] | what to carry from chain to chain | none |
//! | [`mempool`] | transactions that wait | none |
//! | [`light`] | from genesis to any header, outbox entry or state value with certificates alone | none |
//! | [`store`], [`files`] | state and archive on disk, snapshots; block files for auditors | disk |

#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic)]

pub mod block;
pub mod double_vote;
pub mod files;
pub mod forks;
pub mod genesis;
mod home;
pub mod ledger;
pub mod light;
pub mod mempool;
pub mod records;
pub mod relay;
pub mod replica;
pub mod store;
mod touched;
pub mod tree;
pub mod validators;

pub use home::Home;
pub use ledger::{Executed, Ledger, Receipt};
pub use touched::Changed;
