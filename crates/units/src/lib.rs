//! Quantities, identifiers, time and canonical bytes that all other Tieline crates speak.
//!
//! Everything that is signed, stored or paid is an exact integer with its unit in the type:
//!
//! | type | stored as | text form |
//! |---|---|---|
//! | [`Power`] | i64 milliwatt | decimal kW |
//! | [`Energy`] | i64 millijoule (milliwatt second) | decimal kWh |
//! | [`Price`] | i64 millionths of the currency per kWh | decimal per kWh |
//! | [`Money`] | i64 millionths of the currency | decimal |
//! | [`Time`] | u64 milliseconds since 1970-01-01T00:00Z | ISO-8601, UTC |
//! | [`MarketInterval`] | start and length | ISO-8601 start |
//!
//! What the operators return:
//!
//! | expression | result |
//! |---|---|
//! | `Power` over a [`MarketInterval`] length | [`Energy`], exact |
//! | [`Price::cost_of`] an [`Energy`] | [`Money`], rounded towards minus infinity |
//! | [`Currency::expect_same`] | an error when two currencies would mix |
//!
//! Text becomes a number by rounding half to even, and money not at all ([`decimal`]); energy becomes money by rounding
//! down ([`Price::cost_of`]).

#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic)]

pub mod bytes;
pub mod canonical;
pub mod decimal;
mod energy;
mod ids;
mod money;
mod power;
mod time;

pub use bytes::{Digest, Encoder};
pub use canonical::{Canonical, DecodeError, Decoder};
pub use energy::Energy;
pub use ids::{ChainId, IdError, MicrogridId, SiteId};
pub use money::{Currency, CurrencyError, CurrencyMismatch, Money, Price};
pub use power::Power;
pub use time::{IntervalLength, LocalDay, MarketInterval, Time, TimeError, Zone};
