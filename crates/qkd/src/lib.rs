//! Keys between two places.
//!
//! | module | what |
//! |---|---|
//! | [`etsi`] | the vocabulary of ETSI GS QKD 014 |
//! | [`client`] | a client for any key manager that speaks it |
//! | [`kme`] | a key manager that speaks it |
//! | [`certs`] | a CA and certificates for development |
//! | [`probe`] | whether a key manager does what the standard says |
//! | [`tls`] | certificates and identities |
//! | [`link`] | the physical layer: decoy-state BB84 with finite keys, as formulas, block by block, and pulse by pulse |
//! | [`store`] | the durable single-use key store of a consumer |
//! | [`hybrid`] | keys from QKD, X25519 and ML-KEM-768 together |
//!
//! Everything that [`link`] produces is **simulated**: it is good for development, tests and studies, and secret to
//! nobody who knows the seed.

#![forbid(unsafe_code)]

pub mod certs;
pub mod client;
pub mod etsi;
pub mod hybrid;
pub mod kme;
pub mod link;
pub mod probe;
pub mod store;
pub mod tls;
