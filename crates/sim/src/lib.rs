//! Worlds of ledgers in one process.
//!
//! The ledgers are [`tieline_contract::state::State`]s and run the same `apply` as nodes do; only signatures are symbols
//! ([`symbol`]), so that millions of runs can be explored.

#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic)]

pub mod acts;
pub mod forge;
pub mod model;
pub mod narrate;
pub mod properties;
pub mod samples;
pub mod symbol;
pub mod table;
pub mod village;
pub mod world;
