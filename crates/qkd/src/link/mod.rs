//! The link model: decoy-state BB84 with finite keys. Everything here is **simulated**.
//!
//! | module | what |
//! |---|---|
//! | [`channel`] | fibre, receiver, source: clicks and errors per pulse |
//! | [`rate`] | key length of a block from its counts (Lim et al. 2014) |
//! | [`optimum`] | the settings that give most key |
//! | [`gys`] | the asymptotic formula, as a yardstick |
//! | [`conditions`] | eavesdropper, faults, and how they change over time |
//! | [`block`] | a link in virtual time, block by block |
//! | [`verdict`] | when a block is thrown away, and why |
//! | [`wire`] | a small block from pulses to key, message by message |
//! | [`preset`] | links to start from |
//!
//! No clock, no IO, no threads: time and seeds come in, blocks go out.

pub mod block;
pub mod channel;
pub mod conditions;
pub mod entropy;
pub mod gys;
pub mod optimum;
pub mod preset;
pub mod rate;
mod simplex;
pub mod verdict;
pub mod wire;
