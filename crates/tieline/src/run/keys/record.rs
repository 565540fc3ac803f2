//! `keys.json`: what every pool delivered, and which key served what. Names, labels and counts; never a bit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tieline_qkd::etsi::KeyId;

use super::Purpose;
use crate::config::Protection;

/// Schema of [`KeysFile`].
pub const SCHEMA: &str = "tieline.keys/1";

/// Where the bits come from.
pub const SOURCE: &str =
    "simulated key managers: ChaCha20 from the scenario's seed, at the link model's rate";

/// The content of `keys.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysFile {
    /// [`SCHEMA`].
    pub schema: String,
    /// Always: no photon was sent.
    pub simulated: bool,
    /// [`SOURCE`].
    pub source: String,
    /// Devices of the link model.
    pub preset: String,
    /// `keys.protection`
    pub protection: String,
    /// `keys.level`, bits.
    pub level_bits: u16,
    /// Whether the fibres' lengths are assumed.
    pub fibres_assumed: bool,
    /// When the pools opened.
    pub opened_at: String,
    /// Up to when deliveries are counted.
    pub until: String,
    /// How many market intervals the series of stocks cover, from the first on.
    pub intervals: usize,
    /// Pools of the fibres, in the order of their sites.
    pub pairs: Vec<PairRecord>,
    /// Key of the sites' own key managers, which takes no fibre.
    pub local: Vec<LocalRecord>,
    /// What key was used for, in the order of the draws.
    pub uses: Vec<UseRecord>,
}

/// One pool. `opening_bits + delivered_bits = used_bits + left_bits`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairRecord {
    /// Its two ends.
    pub sites: [String; 2],
    /// Length of the fibre, km.
    pub fibre_km: String,
    /// What the link gives.
    pub rate_bits_per_second: u64,
    /// Stock at the start.
    pub opening_bits: u64,
    /// Delivered since.
    pub delivered_bits: u64,
    /// Handed out.
    pub used_bits: u64,
    /// Left at the end.
    pub left_bits: u64,
    /// Handed out for what.
    pub purposes: BTreeMap<Purpose, Tally>,
    /// Stock at the end of every market interval.
    pub stock_bits: Vec<u64>,
}

/// Key within one site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalRecord {
    /// Which.
    pub site: String,
    /// Handed out.
    pub used_bits: u64,
    /// For what.
    pub purposes: BTreeMap<Purpose, Tally>,
}

/// How much was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Bits.
    pub bits: u64,
    /// Key blocks.
    pub keys: u64,
}

/// One key block that was handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUse {
    /// Its name at both key managers.
    pub key_id: KeyId,
    /// Between which sites; the same twice within one.
    pub sites: [String; 2],
    /// How many node-to-node links it was dealt out to.
    pub links: u32,
    /// Its length.
    pub bits: u64,
}

/// What keys were used for, or, where there are none, why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UseRecord {
    /// When.
    pub at: String,
    /// For which seal or order.
    #[serde(flatten)]
    pub subject: Subject,
    /// What it rests on: `its`, `hybrid`, `pq-only`.
    pub label: String,
    /// Why it rests on less than `keys.protection` wants, if it does.
    pub because: Option<String>,
    /// All bits together.
    pub bits: u64,
    /// The key blocks.
    pub keys: Vec<KeyUse>,
}

/// A seal or an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "kebab-case")]
pub enum Subject {
    /// An unconditional signature over many messages.
    Seal {
        /// Whose.
        gateway: String,
        /// To which chain.
        counterpart: String,
        /// Of which market gate.
        gate: String,
        /// `requests`, `responses`, `key returns`.
        kind: String,
        /// How many messages it covers.
        messages: usize,
        /// SHA-256 of its bytes, by which transactions name it.
        hash: String,
    },
    /// The transmission keys of a trade.
    Order {
        /// Its id.
        order: String,
    },
}

impl UseRecord {
    /// All bits of `keys` together.
    pub fn bits_of(keys: &[KeyUse]) -> u64 {
        keys.iter().map(|key| key.bits).sum()
    }
}

/// The setting's own word.
pub(super) fn word(protection: Protection) -> &'static str {
    match protection {
        Protection::Its => "its",
        Protection::Hybrid => "hybrid",
        Protection::PqOnly => "pq-only",
    }
}
