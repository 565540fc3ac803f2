//! What holds of the signatures, one module per source module.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod bits;
mod family;
mod family_backends;
mod family_reference;
