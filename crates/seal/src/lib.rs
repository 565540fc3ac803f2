//! What parties prove to one another and keep from others by computation: nothing here needs a QKD link.
//!
//! [`hybrid`] signs and verifies in public, [`merkle`] shows that an entry is under a root, [`keys`] derives the keys of one
//! trade, [`identification`] certifies who asks. Ledgers, chains and engines rest on these; none of them knows a ledger.
//!
//! No IO, no clock, no randomness of its own: seeds and keys come as values.

#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic)]

pub mod hybrid;
pub mod identification;
pub mod keys;
pub mod merkle;
