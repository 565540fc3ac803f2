//! `tieline node` that votes for two things: what a dishonest validator can do, for tests.

use std::process::ExitCode;

use clap::Parser as _;
use tieline::cli::Cli;
use tieline::node::keys::identity_of;
use tieline_engine::tap::{Tap, two_faced};
use tieline_engine::tcp::Config;

fn main() -> ExitCode {
    tieline::commands::main_with(&Cli::parse(), Some(lie))
}

fn lie(config: &Config) -> Option<Tap> {
    let pair = (identity_of(&config.identity), config.voting.clone());
    let genesis = &config.genesis;
    two_faced(genesis.home(), genesis.validators(), pair, true)
}
