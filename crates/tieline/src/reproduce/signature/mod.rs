//! The signature of sections 4.2, 5.2 and 5.3, "quantum threshold signature", beside one that holds.
//!
//! Two schemes are put through the same: the one that the paper prints ([`tieline_uss::paper`]) and the one that this
//! program signs with, k functions per pair and a split that is secret from the signer.
//!
//! | part | what is run or computed |
//! |---|---|
//! | [`denial`] | the signer signs for one receiver and denies it: by index, and where chance has its say |
//! | [`transfer`] | the signer and receivers in its league part the first verifier from later ones |
//! | [`liveness`] | which committees accept an honest signature while so many receivers are dishonest |
//! | [`bounds`] | formula (19) beside the exact bounds; bits of key and signature, printed and needed |
//! | [`keys`] | formula (17) in three readings, formula (16) with every vote given |
//!
//! Everything random comes from [`SEED`], one stream per run: the same program finds the same counts.
//!
//! Source: Hu, Xia, Zhang 2022, section 4.2, Definition 1, Theorem 1, eq. (10), (11), (16); 5.2, eq. (17); 5.3, eq. (18), (19).

pub mod bounds;
mod claims;
pub mod denial;
pub mod keys;
pub mod liveness;
mod parties;
mod plots;
mod quotes;
mod sections;
pub mod transfer;

use anyhow::Context as _;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde::Serialize;
use tieline_uss::bounds::{Choice, FamilyName, Load, Request, search};
use tieline_uss::committee::Committee;
use tieline_uss::parameters::{Epoch, Parameters};
use tieline_uss::party::EpochId;

pub(super) use claims::claims;
pub(super) use sections::sections;

use bounds::{Numbers, Point, ShortKeys};
use denial::{ByLength, Chance, Denial, Tampering};
use keys::{KeyReading, Thresholds};
use liveness::{LiveRun, Liveness};
use transfer::TransferRun;

/// Seed of everything random.
pub const SEED: u64 = 2022;
/// Receivers n, dishonest participants ω, transfers l_max: the least committee, the shipped one, the recommended one.
pub const COMMITTEES: [(u8, u8, u8); 3] = [(4, 1, 0), (8, 2, 1), (14, 3, 1)];
/// λ: every kind of failure of ours has at most probability 2^-λ.
pub const SECURITY_BITS: u16 = 64;
/// Length of the message, header and body, bytes.
pub const MESSAGE_BYTES: u64 = 1024;
/// What is signed.
const BODY: &[u8] = b"40 kWh at 0.27 per kWh";

/// Everything found.
#[derive(Clone, Debug, Serialize)]
pub struct Signature {
    /// [`SEED`].
    pub seed: u64,
    /// [`SECURITY_BITS`].
    pub security_bits: u16,
    /// [`MESSAGE_BYTES`].
    pub message_bytes: u64,
    /// Denial by index, both schemes, by committee.
    pub denials: Vec<Denial>,
    /// Denial of our signatures with deliberately few functions.
    pub chances: Vec<Chance>,
    /// Denial by length of message.
    pub lengths: Vec<ByLength>,
    /// Messages changed on their way.
    pub tampering: Vec<Tampering>,
    /// First and later verifiers, by committee and league.
    pub transfers: Vec<TransferRun>,
    /// Thresholds and honest tests, by number of receivers.
    pub liveness: Vec<Liveness>,
    /// Honest signatures of ours beside dishonest receivers.
    pub live_runs: Vec<LiveRun>,
    /// Bounds, keys and sizes by committee.
    pub numbers: Vec<Numbers>,
    /// Functions per pair and what they reach, by committee.
    pub reached: Vec<Point>,
    /// Bits of a signature of ours on a short and on a long message, by committee.
    pub measured_bits: Vec<[u64; 2]>,
    /// Functions described by no more bits than their tags have.
    pub short_keys: ShortKeys,
    /// Formula (17) in three readings.
    pub keys: Vec<KeyReading>,
    /// Formula (16) where everybody votes yes.
    pub thresholds: Thresholds,
}

/// Runs and computes all of it.
///
/// # Errors
/// When the library refuses a committee or a round that it is made for.
pub(super) fn compute() -> anyhow::Result<Signature> {
    let choices = COMMITTEES
        .iter()
        .map(|&committee| choice(committee, SECURITY_BITS, (FamilyName::Small, MESSAGE_BYTES)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Signature {
        seed: SEED,
        security_bits: SECURITY_BITS,
        message_bytes: MESSAGE_BYTES,
        denials: denial::by_index(&choices)?,
        chances: denial::few_functions()?,
        lengths: denial::by_length()?,
        tampering: denial::tampering(&choices)?,
        transfers: transfer::compute(&choices)?,
        liveness: liveness::compute()?,
        live_runs: liveness::runs(&choices)?,
        numbers: choices.iter().map(bounds::numbers).collect(),
        reached: bounds::reached()?,
        measured_bits: bounds::measured_bits(&choices)?,
        short_keys: bounds::short_keys(),
        keys: keys::readings(),
        thresholds: keys::thresholds(),
    })
}

/// The cheapest parameters for one message of a family and a length.
fn choice(
    (receivers, dishonest, transfers): (u8, u8, u8),
    security_bits: u16,
    (family, message_bytes): (FamilyName, u64),
) -> anyhow::Result<Choice> {
    let request = Request {
        committee: Committee::new(receivers, dishonest, transfers)?,
        security_bits,
        family,
        message_bytes,
        load: Load::ONE_SHOT,
    };
    search(&request).with_context(|| format!("n = {receivers}, ω = {dishonest}"))
}

fn epoch_of(choice: &Choice) -> anyhow::Result<Epoch> {
    epoch(Parameters::found(choice)?)
}

fn epoch(parameters: Parameters) -> anyhow::Result<Epoch> {
    Epoch::new(EpochId(1), "gateway-1", &["chain-x", "chain-y"], parameters).context("the epoch")
}

/// What a run is for: no two of them share numbers.
#[derive(Clone, Copy, Debug)]
enum Purpose {
    Printed,
    Index,
    Chance,
    Length,
    Tampering,
    Transfer,
    Live,
    Size,
    Keys,
}

/// The numbers of one run.
fn dice(purpose: Purpose, (group, run): (usize, u32)) -> ChaCha20Rng {
    let mut random = ChaCha20Rng::seed_from_u64(SEED);
    random.set_stream((purpose as u64) << 48 | (group as u64) << 32 | u64::from(run));
    random
}
