//! `tieline node`

use std::path::PathBuf;

use clap::Args;

/// `tieline node`
#[derive(Debug, Args)]
pub struct Node {
    /// The node's folder, or its node.toml [also: --config FILE]
    pub node: Option<PathBuf>,
    /// What the keys are sealed under, one line in a file that nobody else can read [default: TIELINE_PASSPHRASE]
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Vote in this epoch although the journal of earlier votes is lost: only where these keys have not voted in it
    #[arg(long)]
    pub accept_lost_journal: bool,
    /// Threads of the engine
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub threads: u8,
}
