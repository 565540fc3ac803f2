//! `tieline relay`

use std::net::SocketAddr;

use clap::Args;

use crate::node::carry::Address;

/// `tieline relay`
#[derive(Debug, Args)]
pub struct Relay {
    /// Local API of a node, such as http://127.0.0.1:4701; of any number of chains, several of one chain are better than one;
    /// can be repeated
    #[arg(long = "node", alias = "from", value_name = "URL", required = true, num_args = 1.., value_parser = Address::parse)]
    pub nodes: Vec<Address>,
    /// Milliseconds between two looks at the chains
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = clap::value_parser!(u64).range(10..=3_600_000))]
    pub every: u64,
    /// Look and carry once, then end; 1 where no node answers
    #[arg(long)]
    pub once: bool,
    /// Where to show figures for a monitor, at /metrics
    #[arg(long, value_name = "ADDR:PORT")]
    pub metrics: Option<SocketAddr>,
}
