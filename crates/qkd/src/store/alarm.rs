//! What somebody must hear of.

use std::fmt;

use super::name::{Lane, Sae};

/// Something that a person or a supervising program must hear of. The store has already acted as safety asks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Alarm {
    /// A draw could not be served.
    Short {
        /// The lane.
        lane: Lane,
        /// Bits in stock.
        have_bits: usize,
        /// Bits wanted.
        need_bits: usize,
    },
    /// The stock fell below the mark of the settings.
    Low {
        /// The lane.
        lane: Lane,
        /// Bits in stock.
        have_bits: u64,
    },
    /// A key that arrived was refused.
    Health {
        /// The lane.
        lane: Lane,
        /// Why.
        cause: String,
    },
    /// Keys found no place in time, at the other end or here.
    Expired {
        /// The lane.
        lane: Lane,
        /// How many.
        keys: usize,
    },
    /// After a crash: bytes that may have been used count as lost.
    InDoubt {
        /// The lane.
        lane: Lane,
        /// How many.
        bytes: u64,
    },
    /// A handshake found that one end had got further, or the other had less: the difference is lost.
    Discarded {
        /// The lane.
        lane: Lane,
        /// How many bytes of this end.
        bytes: u64,
    },
    /// The last write before a crash was cut short.
    TornTail {
        /// Bytes behind the last whole record.
        bytes: usize,
    },
    /// The histories of both ends differ: one was restored from a copy, or runs twice.
    RolledBack {
        /// The other end.
        peer: Sae,
    },
    /// A handshake went through although the histories differ, because an operator said so.
    Recovered {
        /// The other end.
        peer: Sae,
    },
    /// A peer has seen a signature counter that this store does not know: it was restored from a copy.
    UnknownSpend {
        /// The peer that has seen it.
        peer: Sae,
    },
    /// The disk failed; the store works no more.
    Stopped {
        /// How.
        cause: String,
    },
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Alarm::Short {
                lane,
                have_bits,
                need_bits,
            } => write!(
                f,
                "lane {lane} ran dry: {need_bits} bits wanted, {have_bits} there"
            ),
            Alarm::Low { lane, have_bits } => {
                write!(f, "lane {lane} runs low: {have_bits} bits are left")
            }
            Alarm::Health { lane, cause } => {
                write!(
                    f,
                    "lane {lane}: a key was refused: {cause}; check the key manager"
                )
            }
            Alarm::Expired { lane, keys } => {
                write!(
                    f,
                    "lane {lane}: {keys} keys found no place in time and are gone"
                )
            }
            Alarm::InDoubt { lane, bytes } => {
                write!(
                    f,
                    "lane {lane}: {bytes} bytes may have been used before the crash and are lost"
                )
            }
            Alarm::Discarded { lane, bytes } => {
                write!(f, "lane {lane}: {bytes} bytes were given up in a handshake")
            }
            Alarm::TornTail { bytes } => {
                write!(
                    f,
                    "the last write before the crash was cut short: {bytes} bytes of it are ignored"
                )
            }
            Alarm::RolledBack { peer } => write!(
                f,
                "this store and {peer} remember different histories: one was restored from a copy, or runs twice"
            ),
            Alarm::Recovered { peer } => {
                write!(
                    f,
                    "the link to {peer} was taken up again after a restored copy; all epochs known are closed for signing"
                )
            }
            Alarm::UnknownSpend { peer } => write!(
                f,
                "{peer} has seen a signature of this consumer that the store does not know: it was restored from a copy"
            ),
            Alarm::Stopped { cause } => write!(f, "the key store stopped: {cause}"),
        }
    }
}
