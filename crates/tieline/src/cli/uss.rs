//! `tieline uss` on the command line.

use clap::{Args, Subcommand, ValueEnum};

/// `tieline uss`
#[derive(Debug, Subcommand)]
pub enum Uss {
    /// Cheapest parameters of a committee, what they cost in key and what they are worth
    Bounds(UssBounds),
    /// Narrate one signature, or an attack on it, with simulated keys
    Demo(DemoArgs),
}

/// `tieline uss bounds`
#[derive(Debug, Args)]
pub struct UssBounds {
    /// Receivers
    #[arg(short = 'n', long, value_name = "N")]
    pub receivers: u8,
    /// Dishonest participants in all, a dishonest signer included [default: the most that stay live]
    #[arg(long, value_name = "W")]
    pub omega: Option<u8>,
    /// How often a signature can be passed on
    #[arg(long, value_name = "L", default_value_t = 1)]
    pub lmax: u8,
    /// Security level in bits: every kind of failure has at most probability 2^-B
    #[arg(long, value_name = "B", default_value_t = 64)]
    pub lambda: u16,
    /// Family of hash functions
    #[arg(long, value_enum, default_value_t = HashFamily::Small)]
    pub family: HashFamily,
    /// Longest message with its header of chains, epoch, counter and signer
    #[arg(long, value_name = "BYTES", default_value_t = 1024)]
    pub message_bytes: u64,
    /// Messages signed with one set of keys; each further one costs fresh pads only
    #[arg(long, value_name = "M", default_value_t = 1)]
    pub messages: u32,
    /// Evaluations of other strings that receivers grant per message, beside the one on the ledger
    #[arg(long, value_name = "A", default_value_t = 0)]
    pub attempts: u32,
    /// Failure of key distribution per bit of key
    #[arg(long, value_name = "PROBABILITY", default_value_t = 1e-15)]
    pub kappa: f64,
    /// Functions per pair of receivers: checks these parameters in the place of a search
    #[arg(long, value_name = "K", requires = "budgets")]
    pub k: Option<u16>,
    /// Mismatches forgiven at each level from L down to -1, such as 0,62,151
    #[arg(long, value_name = "U,U,...", value_delimiter = ',', requires = "k")]
    pub budgets: Option<Vec<u16>>,
    /// Bits of a tag of family small, with --k
    #[arg(long, value_name = "BITS", requires = "k")]
    pub tag_bits: Option<u16>,
}

/// A family of hash functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HashFamily {
    /// Polynomial over a small field, 3b + 2s bits of key: the least
    #[value(alias = "opt")]
    Small,
    /// Polynomial over GF(2^64), 128 bits of key
    Gf64,
    /// POLYVAL, 256 bits of key
    Gf128,
    /// Toeplitz matrix of a shift register, 384 bits of key
    Lfsr128,
}

/// `tieline uss demo`
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Receivers of the signature, n
    #[arg(short = 'n', long, value_name = "N", default_value_t = 8)]
    pub receivers: u8,
    /// Dishonest participants in all that are tolerated, a dishonest signer included, ω
    #[arg(long, value_name = "W", default_value_t = 2)]
    pub omega: u8,
    /// How often the signature can be passed on, l_max
    #[arg(long, value_name = "L", default_value_t = 1)]
    pub lmax: u8,
    /// Family of hash functions
    #[arg(long, value_enum, default_value_t = HashFamily::Small)]
    pub family: HashFamily,
    /// Security level: every kind of failure has at most probability 2^-B
    #[arg(long, value_name = "B", default_value_t = 64)]
    pub lambda: u16,
    /// What is signed
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "offer of 40 kWh at 0.27 per kWh, 18:00 to 18:15"
    )]
    pub message: String,
    /// Show an attack and how it ends instead
    #[arg(long, value_enum, value_name = "NAME")]
    pub attack: Option<Attack>,
}

/// An attack that `tieline uss demo` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Attack {
    /// The signer repudiates the paper's scheme as printed, which always succeeds
    PaperRepudiate,
    /// The signer tries the same, and better, on our scheme
    Repudiate,
    /// Receivers sign in the signer's name
    Forge,
    /// Signer and receivers split the honest receivers
    NonTransfer,
    /// An old signature or an old counter again
    Replay,
    /// One wrong tag per message, to learn who tests it
    Probe,
    /// A part or a receipt of the distribution never comes
    Withhold,
    /// Receivers keep silent in a dispute
    Silence,
    /// Somebody changes a bit
    Tamper,
}
