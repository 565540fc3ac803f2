//! The voting scheme and the transport, through the engine's own traits.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod epochs;
mod equivocation;
mod forgery;
mod joined;
mod kills;
mod light;
mod lockstep;
mod lost;
mod network;
mod replay;
mod scheme;
mod seeds;
mod simulated;
mod support;
mod town;
mod transport;
mod validators;
mod village;
mod wire;
