//! The largest things that a ledger takes from outside, checked while they are decoded.
//!
//! Each bound is above everything that the product makes, and what is made of parts at their bounds still fits into the
//! whole: a test builds the largest of each kind.

use tieline_units::{Money, Power};

/// A transaction, bytes.
pub const TRANSACTION_BYTES_MAX: usize = 2 << 20;

/// A certificate, bytes.
pub const CERTIFICATE_BYTES_MAX: usize = 1 << 20;

/// A request with its unconditional signature, bytes.
pub const REQUEST_BYTES_MAX: usize = UNCONDITIONAL_BYTES_MAX + (8 << 10);

/// Terms, bytes.
pub const TERMS_BYTES_MAX: usize = 1 << 10;

/// An unconditional signature, bytes: 16 receivers need some 16 KiB, 64 receivers 260.
pub const UNCONDITIONAL_BYTES_MAX: usize = 512 << 10;

/// A sealed response or a sealed key, bytes.
pub const SEALED_BYTES_MAX: usize = 64 << 10;

/// A name in law, bytes of UTF-8.
pub const LEGAL_NAME_BYTES_MAX: usize = 256;

/// The name of contract code, bytes.
pub const CODE_VERSION_BYTES_MAX: usize = 64;

/// Meters of a member.
pub const METERS_MAX: usize = 64;

/// Candidates for the verification nodes of an epoch.
pub const CANDIDATES_MAX: usize = 512;

/// Transfers in one NET certificate; positions beyond wait for the next one.
pub const TRANSFERS_MAX: usize = 1024;

/// Orders of one cleared round.
pub const ROUND_ORDERS_MAX: usize = 1024;

/// Members of one interval's imbalances; who is beyond comes with the next transaction.
pub const FLOWS_MAX: usize = 1024;

/// What all accounts of a ledger hold together: no sum of theirs leaves its range.
pub const LEDGER_MONEY_MAX: Money = Money::from_millionths(1_000_000_000_000_000_000);

/// The most that a member can deliver: over an hour it is [`crate::settlement::ENERGY_MAX`].
pub const NAMEPLATE_MAX: Power = Power::from_milliwatts(2_777_777_777_777);
