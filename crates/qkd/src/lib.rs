//! Keys between two places.
//!
//! | module | what |
//! |---|---|
//! | [`link`] | the physical layer: decoy-state BB84 with finite keys, as formulas, block by block, and pulse by pulse |
//!
//! Everything that [`link`] produces is **simulated**: it is good for development, tests and studies, and secret to
//! nobody who knows the seed.

#![forbid(unsafe_code)]

pub mod link;
