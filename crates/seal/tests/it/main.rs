//! What holds of signatures, proofs and keys, one module per source module.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by a panic"
)]

mod hybrid;
mod identification;
mod keys;
mod merkle;
mod remember;
