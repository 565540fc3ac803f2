//! What holds of the contract in worlds of ledgers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod acts;
mod attack;
mod books;
mod bytes;
mod conservation;
mod credibility;
mod document;
mod extremes;
mod formulas;
mod happy;
mod hostile;
mod machine;
mod model;
mod mutants;
mod refusal;
mod rotation;
mod scenario;
mod settlement;
mod town;
mod walk;
