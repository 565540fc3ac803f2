//! What holds of the contract, one module per source module.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by a panic"
)]

mod interval;
mod order;
mod rendering;
