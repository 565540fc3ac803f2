//! What the pages and the metrics show. No key bits, no key identifiers.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::etsi::{KmeId, SaeId};
use crate::kme::source::{Line, Origin};

/// One moment of a key manager.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// Which.
    pub kme: KmeId,
    /// Its links.
    pub links: Vec<LinkFigures>,
    /// Its SAEs.
    pub saes: BTreeMap<SaeId, SaeFigures>,
    /// Size of a key for which no size is asked, bits.
    pub key_bits: u64,
}

/// One link.
#[derive(Clone, Debug, Serialize)]
pub struct LinkFigures {
    /// The other end.
    pub peer: KmeId,
    /// What its bits are worth.
    pub origin: Origin,
    /// Whether both ends are connected and agree.
    pub up: bool,
    /// Bits that masters of this end can have.
    pub available_bits: u64,
    /// Bits that masters of the other end can have.
    pub available_bits_peer: u64,
    /// Bits given to masters of this end since the pool was made.
    pub allocated_bits: u64,
    /// Keys that wait here for their slaves.
    pub waiting_keys: u64,
    /// Keys that nobody came for, since the start.
    pub expired_keys: u64,
    /// Bits discarded in doubt, since the start.
    pub discarded_bits: u64,
    /// Blocks that the source threw away, since the start.
    pub aborted_blocks: u64,
    /// What the line behind the source did, at the end that has one.
    pub line: Option<Line>,
}

/// One SAE, since the start.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SaeFigures {
    /// Keys delivered to it as a master.
    pub enc_keys: u64,
    /// Keys delivered to it as a slave.
    pub dec_keys: u64,
    /// Questions answered with 400.
    pub bad: u64,
    /// Questions answered with 401.
    pub unauthorized: u64,
    /// Questions answered with 503.
    pub unavailable: u64,
}
