#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

pub mod bits;
pub mod bounds;
pub mod channel;
pub mod committee;
pub mod dispute;
pub mod distribute;
pub mod draw;
pub mod epoch;
pub mod family;
mod kernel;
pub mod key;
pub mod paper;
pub mod parameters;
pub mod party;
pub mod rehearsal;
pub mod sign;
pub mod signature;
pub mod verify;
pub mod wire;
