//! The energy contract between microgrids that share no operator.
//!
//! At this stage the crate holds its first module, [`settlement`]: what an order pays once both ends are metered.
//! The market run without chains uses it as it is, the ledgers and the audit will.
//!
//! Integers only, no IO, no clock.

#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic)]

pub mod settlement;
