//! Theorem 1 measured: rates of forging, failed transfer and repudiation against the bounds, with sizes so small that they
//! can be counted.
//!
//! Every run is seeded and so always gives the same counts. Rates are compared by the exact limits of Clopper and Pearson,
//! one-sided at 99.9 % ([`statistics::Rate`]). `TIELINE_SLOW=1` takes twenty times the samples and prints every rate:
//! `TIELINE_SLOW=1 cargo test -p tieline-uss --test it monte_carlo -- --nocapture --test-threads 1`.

mod forging;
mod model;
mod per_test;
mod probing;
mod repudiation;
mod statistics;
mod thresholds;

pub(crate) use statistics::is_slow;
