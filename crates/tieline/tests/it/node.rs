//! A node's local API, and the relayer over it.

mod api;
mod carry;
mod handover;
mod refusals;
pub(crate) mod town;
