//! What holds of the signatures, one module per source module.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod attacks;
mod bits;
mod bounds;
mod bounds_complaints;
mod bounds_runs;
mod bounds_search;
mod bounds_split;
mod committee;
mod family;
mod family_backends;
mod family_reference;
mod monte_carlo;
mod rounds;
mod rounds_distribute;
mod rounds_keys;
mod rounds_ledger;
mod rounds_messages;
mod rounds_verify;
mod rounds_wire;
mod support;
