//! Unconditionally secure signatures from universal hashing over shared secret keys: the hash families.
#![deny(unsafe_code)]

pub mod bits;
pub mod family;
mod kernel;
