//! What holds of one chain without its engine.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests are tests"
)]

mod bazaar;
mod block;
mod disk;
mod double_vote;
mod files;
mod forks;
mod genesis;
mod kill;
mod ledger;
mod light;
mod mempool;
mod relay;
mod store;
mod tree;
mod world;
