//! What a transition asks before it acts, and what a refusal says.

use std::fmt;

use thiserror::Error;
use tieline_units::{Energy, Money, Time};

use crate::certificate::CertificateError;
use crate::settlement::SettleError;
use crate::threshold::ThresholdError;

macro_rules! guards {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)*) => {
        /// One question of a transition. Each has one place in the code and one switch among the mutants.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Guard {
            $($(#[$doc])* #[doc = $text] $name,)*
        }

        impl Guard {
            /// All of them.
            pub const ALL: &'static [Guard] = &[$(Guard::$name),*];

            /// In words, as the transition table prints it.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Guard::$name => $text,)*
                }
            }
        }
    };
}

guards! {
    State => "the order is in this state",
    BlockTime => "block time and height do not go back, nor beyond the year 2200",
    Ledger => "this ledger does such things",
    Signed => "the signature is the sender's under its registered key",
    Certified => "(15): at least t_k registered members of an open epoch signed, and the entry is under their root",
    Author => "the certificate comes from the chain that may say it",
    HomeX => "X is this chain, of this genesis; for a new order, not the VPP's; in T3, X has the genesis of the terms",
    HomeY => "Y is this chain, of this genesis",
    OtherChain => "X and Y are two chains",
    OneChain => "X and Y are this chain",
    WellFormed => "terms well formed: two parties, quantity > 0, 0 ≤ seller price ≤ price, bounds, the ledger's currency, code version, rendering",
    Schedule => "D + Δt ≤ G ≤ t0 < t1 ≤ T_m, t0 on the grid of market intervals",
    Early => "now_X + Δt ≤ D",
    Escrow => "escrow ≥ ⌈quantity · price⌉",
    Funds => "the clearing account covers it",
    Parties => "buyer and seller are two, both and the aggregator registered, with their homes",
    Active => "whoever starts something new is not revoked",
    Thawed => "neither chain's epoch is frozen",
    Exposure => "open value of the pair ≤ its cap",
    BeforeDeadline => "now_Y < D",
    AtDeadline => "now_Y ≥ D",
    InTime => "(1): now_Y ≤ D − Δt",
    Arrived => "(2): the request is on Y with its certificate",
    Traceable => "(3): the buyer's signature on the terms verifies under its registered key",
    Capacity => "capacity left in the interval ≥ quantity",
    Bond => "the seller's clearing account covers the bond",
    SameTerms => "what is named by its hash is what stands here: the request's terms, a member's record",
    NotAfterDeadline => "now_X ≤ D",
    AfterDeadline => "now_X > D",
    Once => "not done before",
    SameTrade => "the commitment names the acceptance that Y made",
    BeforeGate => "now_Y < G",
    AtGate => "now_Y ≥ G",
    MeterKnown => "the meter is the member's",
    AfterInterval => "the interval is over",
    Monotone => "registers and intervals do not run back",
    InGrace => "now_Z ≤ T_m + grace",
    AfterGrace => "now_Z > T_m + grace",
    Decided => "a COM certificate or MET_y is known",
    Consistent => "what is paid follows from the terms and the settled energy, within escrow and bond",
    ConfirmedOrNothing => "settled energy is 0 where Y never confirmed",
    Sequence => "numbers come one after the other, each once",
    Committee => "(12) (13): the next verification nodes stand by themselves, and share no member with another chain's",
    Selected => "they are the ones that credibility and the seed select",
    Approved => "n_k − f_k members of the current epoch approve",
    Possession => "whoever registers a key holds it",
    Unused => "neither name nor key is taken",
    Acknowledged => "every chain that deals with this one knows the next epoch, and its hand-over is kept here",
    Undecided => "no order of this epoch is undecided",
    Contradiction => "the two contradict each other, and somebody signed both, or both are whole",
    Unpunished => "nobody was punished for this before",
    PeriodOver => "the settlement period is over",
    Positive => "the amount is positive, and the ledger can hold it",
    Future => "the interval has not begun",
    Priced => "the grid's prices of the interval are known",
    AllSettled => "no order of the interval is open here",
    Flows => "every flow, one at least, is of a registered microgrid, and within bounds like what it traded",
}

/// What a guard saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Nothing to add.
    Plain,
    /// The state found.
    Is(&'static str),
    /// An instant against its limit.
    Time {
        /// Block time.
        now: Time,
        /// The limit.
        limit: Time,
    },
    /// Money against what is needed.
    Money {
        /// What there is.
        found: Money,
        /// What it takes.
        needed: Money,
    },
    /// Energy against what is needed.
    Energy {
        /// What there is.
        found: Energy,
        /// What it takes.
        needed: Energy,
    },
    /// Which of the names is not as it should be.
    Name(String),
    /// What is wrong with the certificate.
    Certificate(Box<CertificateError>),
    /// What is wrong with the verification nodes.
    Threshold(Box<ThresholdError>),
    /// What is wrong with the terms.
    Terms(SettleError),
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fact::Plain => Ok(()),
            Fact::Is(state) => write!(f, ": it is {state}"),
            Fact::Time { now, limit } => write!(f, ": now is {now}, the limit {limit}"),
            Fact::Money { found, needed } => write!(f, ": {found} of {needed}"),
            Fact::Energy { found, needed } => write!(
                f,
                ": {} kWh of {} kWh",
                found.to_kilowatt_hours(),
                needed.to_kilowatt_hours()
            ),
            Fact::Name(name) => write!(f, ": {name}"),
            Fact::Certificate(error) => write!(f, ": {error}"),
            Fact::Threshold(error) => write!(f, ": {error}"),
            Fact::Terms(error) => write!(f, ": {error}"),
        }
    }
}

/// A transaction that changes nothing, and why.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("refused, because this does not hold: {}{fact}", guard.text())]
pub struct Refusal {
    /// The question that was answered with no.
    pub guard: Guard,
    /// What was found.
    pub fact: Fact,
}

impl Refusal {
    /// A refusal.
    pub fn new(guard: Guard, fact: Fact) -> Refusal {
        Refusal { guard, fact }
    }
}
