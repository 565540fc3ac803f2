//! What a key rests on, and who decides that it is enough.

use std::fmt;

use thiserror::Error;
use tieline_uss::key::KeyError;

use crate::store::StoreError;

/// What the secrecy of a key rests on, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// X25519 and ML-KEM-768; no QKD link.
    PqOnly,
    /// QKD, X25519 and ML-KEM-768 together, through a key derivation.
    Hybrid,
    /// Raw QKD bits, used once.
    Its,
}

impl Label {
    /// The word in records and on pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Label::PqOnly => "pq-only",
            Label::Hybrid => "hybrid",
            Label::Its => "its",
        }
    }

    /// The byte in messages.
    pub(super) const fn byte(self) -> u8 {
        match self {
            Label::PqOnly => 1,
            Label::Hybrid => 2,
            Label::Its => 3,
        }
    }

    /// The label of an agreement; `its` is none.
    pub(super) const fn of_agreement(byte: u8) -> Option<Label> {
        match byte {
            1 => Some(Label::PqOnly),
            2 => Some(Label::Hybrid),
            _ => None,
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why no QKD key serves.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Reason {
    /// The two are not joined by a QKD link.
    #[error("there is no QKD link")]
    NoLink,
    /// The stock does not reach.
    #[error("{need} bits of QKD key are needed, {have} are there")]
    Short {
        /// Bits in stock.
        have: usize,
        /// Bits wanted.
        need: usize,
    },
    /// The link, its key manager or the store does not work.
    #[error("the QKD link is down: {cause}")]
    Down {
        /// How.
        cause: String,
    },
}

impl From<&StoreError> for Reason {
    fn from(error: &StoreError) -> Reason {
        match error {
            StoreError::Pool {
                cause: KeyError::Short { have, need },
                ..
            } => Reason::Short {
                have: *have,
                need: *need,
            },
            StoreError::NoPeer { .. } => Reason::NoLink,
            other => Reason::Down {
                cause: other.to_string(),
            },
        }
    }
}

/// Which labels are wanted and which are still acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    wanted: Label,
    least: Label,
}

/// What a policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go on. A lower label than wanted has its reason in the grade.
    Go(Grade),
    /// Stop: what is possible is not enough.
    Stop {
        /// What is possible.
        possible: Label,
        /// What is asked for at least.
        least: Label,
        /// Why no more is possible.
        because: Reason,
    },
}

/// A label that a policy has allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grade {
    pub(super) label: Label,
    pub(super) because: Option<Reason>,
}

impl Grade {
    /// The label.
    pub fn label(&self) -> Label {
        self.label
    }

    /// Why it is lower than wanted, if it is.
    pub fn because(&self) -> Option<&Reason> {
        self.because.as_ref()
    }
}

impl Policy {
    /// Wants `wanted` and makes do with `least`; the higher of the two is wanted.
    pub fn new(wanted: Label, least: Label) -> Policy {
        Policy {
            wanted: wanted.max(least),
            least,
        }
    }

    /// Nothing but `label`.
    pub fn exactly(label: Label) -> Policy {
        Policy::new(label, label)
    }

    /// Decides, given whether a QKD key serves.
    pub fn decide(&self, qkd: Result<(), Reason>) -> Decision {
        match qkd {
            Ok(()) => Decision::Go(Grade {
                label: self.wanted,
                because: None,
            }),
            Err(_) if self.wanted == Label::PqOnly => Decision::Go(Grade {
                label: Label::PqOnly,
                because: None,
            }),
            Err(because) if self.least == Label::PqOnly => Decision::Go(Grade {
                label: Label::PqOnly,
                because: Some(because),
            }),
            Err(because) => Decision::Stop {
                possible: Label::PqOnly,
                least: self.least,
                because,
            },
        }
    }

    /// Whether a label that the other end proposes is acceptable.
    pub fn accepts(&self, label: Label) -> bool {
        label >= self.least
    }
}
