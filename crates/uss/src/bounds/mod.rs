//! What a signature is worth in numbers: security bounds, key cost, and the cheapest parameters that reach a level.
//!
//! Parties: a signer, n receivers, ω dishonest participants in all. Every bound is a logarithm to base 2 ([`Log2`]), so that
//! 2^-1000 is as exact as 2^-10.
//!
//! * [`test_passed`] (p_t) and [`block_differs`] (p_m) are the two probabilities that everything rests on;
//! * [`SecurityBounds`] puts them together: forging, transfer, repudiation, per level and for an epoch of messages;
//! * [`KeyCost`] counts the bits of key and signature;
//! * [`EndToEnd`] adds what key distribution and authentication may fail;
//! * [`search()`] finds the cheapest parameters.
//!
//! `docs/signature-bounds.md` derives every formula. They stand in the place of eq. (19) of Hu, Xia, Zhang 2022, whose 1/4^n
//! is the chance to guess n qubits and has nothing to do with the scheme.
//!
//! Sources: Amiri, Abidin, Wallden, Andersson 2018 (ePrint 2016/739); Arrazola, Wallden, Andersson 2015
//! (arXiv 1505.07509) for the levels.
//!
//! Deviations: mismatch budgets u_l reach up to k - 1 where the source keeps s_l below 1/2, for tags of several bits leave
//! that room; p_m is an exact hypergeometric probability where the source uses an exponential bound.

mod cost;
mod end_to_end;
mod family;
mod formulas;
mod log2;
mod parameters;
mod search;
mod security;

pub use cost::{EpochCost, KeyCost};
pub use end_to_end::{AUTHENTICATION_BITS, Channel, EndToEnd};
pub use family::{FamilyCost, FamilyName, UnknownFamily};
pub use formulas::{block_differs, block_differs_simple, test_passed};
pub use log2::Log2;
pub use parameters::{Budgets, FUNCTIONS_MAX, Load, Parameters, ParametersError};
pub use search::{Choice, MESSAGE_BYTES_MAX, Request, SECURITY_BITS_MAX, SearchError, search};
pub use security::{Forging, SecurityBounds, Transfer};
