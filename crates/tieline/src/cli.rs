//! The command line: types only, no work.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod chain;
mod id;
mod node;
pub mod qkd;
mod relay;
mod uss;

pub use chain::{
    Chain, ChainBackup, ChainExport, ChainHandover, ChainInit, ChainJoin, ChainShow, ChainVerify,
    HandoverPropose, HandoverShow, HandoverSign, HandoverSubmit, RuleArgs,
};
pub use id::{Id, IdIssue, IdKey, IdScan, IdShow};
pub use node::Node;
pub use qkd::{Device, Qkd, QkdModel};
pub use relay::Relay;
pub use uss::{Attack, DemoArgs, HashFamily, Uss, UssBounds};

/// Joins the ledgers of microgrids as tie lines join their grids.
#[derive(Debug, Parser)]
#[command(
    name = "tieline",
    version,
    about,
    disable_help_subcommand = true,
    propagate_version = true
)]
pub struct Cli {
    /// Settings for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Settings for every command.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// Print one JSON document on stdout and nothing else there
    #[arg(long, global = true)]
    pub json: bool,
    /// Seed of everything random; the same seed gives the same bytes
    #[arg(long, global = true, value_name = "N")]
    pub seed: Option<u64>,
    /// Settings file in the place of the scenario's scenario.toml
    #[arg(long, global = true, value_name = "FILE", env = "TIELINE_CONFIG")]
    pub config: Option<PathBuf>,
    /// One setting, such as market.response=fit; can be repeated and wins over file and environment
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
    /// Say less on stderr: no progress, no hints
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more on stderr
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a scenario from profiles to bills and write the report
    Run(Run),
    /// Check everything that a run has left, offline: chains, signatures, settlements, rounds, bills
    Audit(Audit),
    /// Show one trade
    #[command(subcommand)]
    Order(Order),
    /// Solve, clear and verify single market rounds
    #[command(subcommand)]
    Market(Market),
    /// Keys between two places: key manager, client, probe, model of a link
    #[command(subcommand)]
    Qkd(Qkd),
    /// Found a chain, read one, check it, write its block files
    #[command(subcommand)]
    Chain(Chain),
    /// Run one validator of a chain
    Node(Node),
    /// Carry what chains say to one another between their nodes
    Relay(Relay),
    /// Show who asks for a trade as QR symbols, and check what was scanned
    #[command(subcommand)]
    Id(Id),
    /// Put the paper's case beside the paper's numbers
    Reproduce(Reproduce),
    /// Signatures that rest on shared keys and on no assumption about computers
    #[command(subcommand)]
    Uss(Uss),
    /// Show settings
    #[command(subcommand)]
    Config(Config),
}

/// `tieline run`
#[derive(Debug, Args)]
pub struct Run {
    /// Folder with scenario.toml and tables [default: scenarios/four-microgrids-day, as shipped]
    pub scenario: Option<PathBuf>,
    /// Folder for report, tables and certificates [default: out/NAME of the scenario]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Leave out keys, signatures and chains: every order is confirmed at once
    #[arg(long)]
    pub market_only: bool,
    /// Go on with a run that was interrupted
    #[arg(long, conflicts_with = "market_only")]
    pub resume: bool,
}

/// `tieline audit`
#[derive(Debug, Args)]
pub struct Audit {
    /// Folder that `tieline run` has left
    pub folder: PathBuf,
    /// Tell this order's whole story too: its name, or the beginning of its id on the ledgers
    pub order: Option<String>,
}

/// `tieline order`
#[derive(Debug, Subcommand)]
pub enum Order {
    /// Six phases with times, who signed, which keys were used, what was paid
    Show(OrderShow),
}

/// `tieline order show`
#[derive(Debug, Args)]
pub struct OrderShow {
    /// Its name, or the beginning of its id on the ledgers
    pub id: String,
    /// Folder that `tieline run` has left [default: the newest below out]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `tieline market`
#[derive(Debug, Subcommand)]
pub enum Market {
    /// Play one game, or match one aggregator's problem, of a JSON file
    Solve {
        /// Scenario: microgrids, market and demand_kw, or aggregator
        file: PathBuf,
    },
    /// Clear one two-sided book of step offers
    Clear(Clear),
    /// Recompute the certificates of rounds
    Verify {
        /// Certificates, or folders of them
        #[arg(required = true)]
        certificates: Vec<PathBuf>,
    },
}

/// `tieline market clear`
#[derive(Debug, Args)]
pub struct Clear {
    /// CSV with the columns side, price_..., quantity_...
    pub book: PathBuf,
    /// Which price of the interval in which supply meets demand
    #[arg(long, value_enum, default_value_t = Rule::Mid)]
    pub rule: Rule,
    /// Who is served among equal prices at the margin
    #[arg(long, value_enum, default_value_t = Ties::ProRata)]
    pub ties: Ties,
}

/// Which price of the interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Rule {
    /// The middle
    Mid,
    /// The seller's end
    MarginalAsk,
    /// The buyer's end
    MarginalBid,
}

/// Who is served among equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Ties {
    /// All, in proportion to their quantities, in whole units of the finest decimal of the book
    ProRata,
    /// First come, first served
    Order,
}

/// `tieline reproduce`
#[derive(Debug, Args)]
pub struct Reproduce {
    /// What to reproduce [default: everything, with one summary of what matches and what does not]
    #[arg(value_enum)]
    pub what: Option<Figure>,
    /// Folder for tables and plots [default: out/reproduce/WHAT]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// A table or figure of the paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Figure {
    /// Table 1: outputs and incomes at three demands
    Table1,
    /// Fig. 7: improved against traditional strategy, microgrid 1
    Fig7,
    /// Fig. 8: clearing price by iteration
    Fig8,
    /// Fig. 9: load and day-ahead output of two microgrids
    Fig9,
    /// Section 3.2: the six phases, as printed and as corrected
    Protocol,
    /// Sections 4.2, 5.2, 5.3: the signature, attacked as printed and as used here, with its bounds
    Signature,
}

/// `tieline config`
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Every setting, its value and where it came from
    Show {
        /// Folder with scenario.toml [default: the shipped day]
        scenario: Option<PathBuf>,
    },
}
