//! The BFT engine, wired once: the only crate that sees `commonware`.
//!
//! A chain's validators agree through an engine that exists and is kept by others (`docs/adr/007-bft-engine.md`). What it
//! lacks against an adversary with a quantum computer is put in through its own traits:
//!
//! | module | what |
//! |---|---|
//! | [`validators`] | who votes: identity keys and signing keys, bound to each other |
//! | [`scheme`] | votes and certificates of Ed25519 and ML-DSA-65, both of which must verify |
//! | [`transport`] | connections between validators: X25519, ML-KEM-768 and QKD keys, authenticated by both kinds of keys |
//!
//! The engine is generic over runtime, network and scheme, and is compiled where it is instantiated. So everything that is
//! generic over them lives here and nowhere else.
#![forbid(unsafe_code)]

pub mod application;
pub mod block;
mod epochs;
pub mod finality;
pub mod floor;
pub mod lockstep;
mod node;
pub mod scheme;
pub mod simulated;
pub mod tap;
pub mod tcp;
pub mod transport;
pub mod validators;
mod watch;
