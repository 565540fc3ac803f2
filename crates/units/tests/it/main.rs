//! Tests of the vocabulary, one module per source module.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod bytes;
mod canonical;
mod decimal;
mod quantities;
mod time;
