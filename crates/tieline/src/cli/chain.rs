//! `tieline chain`

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use tieline_contract::member::Role;
use tieline_units::{ChainId, Currency, MicrogridId, Money, Power, Time};

use crate::found::MemberPlan;
use crate::node::carry::Address;

/// `tieline chain`
#[derive(Debug, Subcommand)]
pub enum Chain {
    /// Found a chain: its genesis, a folder with sealed keys for each validator, keys of its members
    Init(ChainInit),
    /// Say what a genesis, a block file or a node's store holds
    Show(ChainShow),
    /// Replay a block file from the genesis: links, roots, bodies, handovers, every transaction
    Verify(ChainVerify),
    /// Write the blocks of a node's store into a file for auditors
    Export(ChainExport),
    /// Make a node for a chain that runs: keys of its own, settings, and an offer to the other nodes
    Join(ChainJoin),
    /// Change who agrees on blocks: write a change down, look at it, sign it, submit it
    #[command(subcommand)]
    Handover(ChainHandover),
    /// Copy what a node needs to come back: settings, genesis, sealed keys, and its store where the node does not run
    Backup(ChainBackup),
}

/// `tieline chain join`
#[derive(Debug, Args)]
pub struct ChainJoin {
    /// Folder to make; nothing may be there yet
    pub dir: PathBuf,
    /// A node of the chain, its folder or its node.toml: the new one knows it, and whom it knows
    #[arg(long, value_name = "NODE")]
    pub like: PathBuf,
    /// Who runs the new node
    #[arg(long, value_name = "ID", value_parser = MicrogridId::parse)]
    pub owner: MicrogridId,
    /// Where it listens for the other nodes: an address that they reach
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: SocketAddr,
    /// Where it listens for its owner's programs
    #[arg(long, value_name = "ADDR:PORT")]
    pub api: SocketAddr,
    /// What the keys are sealed under, one line in a file that nobody else can read [default: TIELINE_PASSPHRASE]
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// `tieline chain handover`
#[derive(Debug, Subcommand)]
pub enum ChainHandover {
    /// Write down who is to be in charge next: the present validators, with some added and some removed
    Propose(HandoverPropose),
    /// Say what a change changes, and who has signed it
    Show(HandoverShow),
    /// Sign a change with a node's keys: as one of the present validators, of the next, or both
    Sign(HandoverSign),
    /// Join the signatures of several copies, and give the change to a node; it counts from the end of the epoch on
    Submit(HandoverSubmit),
}

/// `tieline chain handover propose`
#[derive(Debug, Args)]
pub struct HandoverPropose {
    /// Local API of a node, such as http://127.0.0.1:4701
    #[arg(long, value_name = "URL", value_parser = Address::parse)]
    pub api: Address,
    /// The offer.toml of a node that comes; can be repeated
    #[arg(long, value_name = "FILE")]
    pub add: Vec<PathBuf>,
    /// Who goes: a node's folder, or its identity, or at least 8 digits that it begins with; can be repeated
    #[arg(long, value_name = "NODE|IDENTITY")]
    pub remove: Vec<String>,
    /// File to write; nothing may be there yet
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// `tieline chain handover show`
#[derive(Debug, Args)]
pub struct HandoverShow {
    /// The change
    pub file: PathBuf,
    /// Local API of a node
    #[arg(long, value_name = "URL", value_parser = Address::parse)]
    pub api: Address,
}

/// `tieline chain handover sign`
#[derive(Debug, Args)]
pub struct HandoverSign {
    /// The change; signatures are added to it
    pub file: PathBuf,
    /// The node's folder; the node is running, and says who is in charge
    #[arg(long, value_name = "NODE")]
    pub node: PathBuf,
    /// Signs only where all of the next set are these, a hash that `show` printed
    #[arg(long, value_name = "HASH")]
    pub next: Option<String>,
    /// What the keys are sealed under, one line in a file that nobody else can read [default: TIELINE_PASSPHRASE]
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// `tieline chain handover submit`
#[derive(Debug, Args)]
pub struct HandoverSubmit {
    /// Copies of the change, each with some of the signatures
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Local API of a node; it tells the others
    #[arg(long, value_name = "URL", value_parser = Address::parse)]
    pub api: Address,
}

/// `tieline chain backup`
#[derive(Debug, Args)]
pub struct ChainBackup {
    /// The node's folder, or its node.toml
    pub node: PathBuf,
    /// Folder to make; nothing may be there yet
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// `tieline chain init`
#[derive(Debug, Args)]
pub struct ChainInit {
    /// Folder to make; nothing may be there yet
    pub dir: PathBuf,
    /// Name of the chain
    #[arg(long, value_name = "NAME", value_parser = ChainId::parse)]
    pub chain: ChainId,
    /// How many validators, 4 to 16, as many verification nodes
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(4..=16))]
    pub validators: u8,
    /// Genesis of the VPP's chain [default: this chain is the VPP's own ledger]
    #[arg(long, value_name = "FILE")]
    pub vpp: Option<PathBuf>,
    /// Who runs the VPP [default: as the VPP's genesis says; vpp on the VPP's own ledger]
    #[arg(long, value_name = "ID", value_parser = MicrogridId::parse)]
    pub operator: Option<MicrogridId>,
    /// Who takes part: microgrid, aggregator, grid, auditor or operator, with what it can deliver (1000 kW for a microgrid);
    /// can be repeated [default: an aggregator on the VPP's ledger, a microgrid of the chain's name on another]
    #[arg(long = "member", value_name = "ID:ROLE[:KW]", value_parser = member)]
    pub members: Vec<MemberPlan>,
    /// Where the first node listens for the others; each takes two ports, the second for its API
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:4700")]
    pub listen_base: SocketAddr,
    /// Time of the genesis, such as 2026-01-02T03:04:05Z [default: now; with --seed 2026-01-01T00:00:00Z]
    #[arg(long, value_name = "TIME", value_parser = Time::parse)]
    pub time: Option<Time>,
    /// What the ledger is told.
    #[command(flatten)]
    pub rules: RuleArgs,
    /// What the keys are sealed under, one line in a file that nobody else can read [default: TIELINE_PASSPHRASE]
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// What a ledger is told once and for all; what is left out is as on the VPP's ledger.
#[derive(Clone, Debug, Args)]
pub struct RuleArgs {
    /// Of all money [default: EUR]
    #[arg(long, value_name = "CODE", value_parser = Currency::parse, conflicts_with = "vpp")]
    pub currency: Option<Currency>,
    /// Price of a request [default: 0.001]
    #[arg(long, value_name = "AMOUNT", value_parser = Money::parse)]
    pub request_fee: Option<Money>,
    /// Most open escrow between one buyer and one seller [default: 50]
    #[arg(long, value_name = "AMOUNT", value_parser = Money::parse)]
    pub exposure_cap: Option<Money>,
    /// What the owner of a verification node stands for it with [default: 1]
    #[arg(long, value_name = "AMOUNT", value_parser = Money::parse)]
    pub stake: Option<Money>,
    /// Blocks after which other validators can take over, 2 or more [default: 8640, a day of them at 10 s]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..))]
    pub epoch_blocks: Option<u64>,
}

/// `tieline chain show`
#[derive(Debug, Args)]
pub struct ChainShow {
    /// Folder of a chain or node, genesis document, block file, or store
    pub path: PathBuf,
    /// Show this block
    #[arg(long, value_name = "H")]
    pub height: Option<u64>,
    /// Genesis of the chain: needed for a store; with it, a block file says what became of its transactions
    #[arg(long, value_name = "FILE")]
    pub genesis: Option<PathBuf>,
}

/// `tieline chain verify`
#[derive(Debug, Args)]
pub struct ChainVerify {
    /// Block file
    pub file: PathBuf,
    /// Genesis of the chain
    #[arg(long, value_name = "FILE")]
    pub genesis: PathBuf,
}

/// `tieline chain export`
#[derive(Debug, Args)]
pub struct ChainExport {
    /// A node's store, or its folder; the node must not be running
    pub store: PathBuf,
    /// Genesis of the chain [default: as the node's folder says]
    #[arg(long, value_name = "FILE")]
    pub genesis: Option<PathBuf>,
    /// Block file to write; nothing may be there yet
    #[arg(long, value_name = "BLOCKFILE")]
    pub out: PathBuf,
}

fn member(text: &str) -> Result<MemberPlan, String> {
    let mut parts = text.splitn(3, ':');
    let (Some(id), Some(role)) = (parts.next(), parts.next()) else {
        return Err("a member is ID:ROLE or ID:ROLE:KW, such as mg-1:microgrid:250".to_owned());
    };
    let id = MicrogridId::parse(id).map_err(|error| error.to_string())?;
    let role = match role {
        "microgrid" => Role::Microgrid,
        "aggregator" => Role::Aggregator,
        "grid" => Role::Grid,
        "auditor" => Role::Auditor,
        "operator" => Role::Operator,
        _ => {
            return Err(format!(
                "{role} is no role: microgrid, aggregator, grid, auditor or operator"
            ));
        }
    };
    let mut member = MemberPlan::new(id, role);
    if let Some(kilowatts) = parts.next() {
        let found = Power::from_kilowatts(kilowatts).map_err(|error| error.to_string())?;
        if found.as_milliwatts() < 0 {
            return Err(format!("{kilowatts} kW is less than nothing"));
        }
        member.nameplate = found;
    }
    Ok(member)
}
