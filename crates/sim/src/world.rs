//! Three ledgers and everything that can happen to them: the world that the model checker explores.
//!
//! **Parties.** X, Y and Z are [`State`]s and run the `check` and `apply` of the nodes; signatures are symbols.
//! **Steps.** A party acts; anybody says that time is up; a relayer delivers a certificate that exists, to a chain that can
//! use it; the block time of one chain goes on; a chain dies for ever.
//! **The network.** What may be delivered may also never be delivered (loss), again (duplication), later than what came
//! after it (reordering and delay). Clocks are not synchronised at all; a chain that halts for a while is one whose clock
//! and transactions wait while the others go on, so that halts need no step of their own.
//! **What is the same world.** Two ledgers are the same place when all their records are, but for block heights (a
//! certificate is kept under its content, not its height), and their clocks. No transition reads a height but that which
//! scores verification nodes, which is no step here. A test compares with worlds that run without this.
//!
//! Places are interned and their successors remembered, so that a step is computed once and then looked up.

mod arena;
mod certificates;
mod place;
mod playback;
mod stage;
mod survey;
mod universe;

use tieline_contract::payload::Kind;

pub use certificates::attest;
pub use place::Standing;
pub use playback::{Move, Outcome};
pub use stage::{Clocks, Plan, ROGUE, answer, approved, evidence, handover};
pub use universe::Universe;

#[cfg(doc)]
use tieline_contract::state::State;

/// Which ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The buyer's chain.
    X,
    /// The seller's chain.
    Y,
    /// The VPP's ledger.
    Z,
}

impl Side {
    /// All three.
    pub const ALL: [Side; 3] = [Side::X, Side::Y, Side::Z];

    /// Its chain.
    pub const fn chain(self) -> &'static str {
        match self {
            Side::X => "chain-x",
            Side::Y => "chain-y",
            Side::Z => "chain-z",
        }
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// What somebody submits that is no certificate. Orders by their number in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deed {
    /// T1.
    Request(u8),
    /// T4.
    Accept(u8),
    /// T4'.
    Decline(u8),
    /// T5k.
    KeyReturn(u8),
    /// T7: the buyer's or the seller's meter; which of the plan's readings.
    Meter(Side, u8),
    /// T5', by anybody.
    Timeout(u8),
    /// T3', by anybody.
    TimeoutRequest(u8),
    /// T6', by anybody.
    Void(u8),
    /// T8', by anybody.
    Default(u8),
    /// T14: the next verification nodes of a chain.
    OpenEpoch(Side),
    /// T14: epoch 0 of a chain is over.
    CloseEpoch(Side),
    /// T15: a verification node of Y signed two acceptances.
    Evidence,
}

impl Deed {
    /// Where it is submitted.
    pub const fn side(self) -> Side {
        match self {
            Deed::Request(_) | Deed::KeyReturn(_) | Deed::Timeout(_) => Side::X,
            Deed::Accept(_) | Deed::Decline(_) | Deed::TimeoutRequest(_) | Deed::Void(_) => Side::Y,
            Deed::Default(_) | Deed::Evidence => Side::Z,
            Deed::Meter(side, _) | Deed::OpenEpoch(side) | Deed::CloseEpoch(side) => side,
        }
    }

    /// Whether somebody will do it sooner or later whoever fails: what is up in time needs no party.
    pub const fn is_fair(self) -> bool {
        matches!(
            self,
            Deed::Timeout(_) | Deed::TimeoutRequest(_) | Deed::Void(_) | Deed::Default(_)
        )
    }
}

/// What a certificate says, independent of the run that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// Which chain it is of; `None` for a chain that has nothing to do with the trade.
    pub from: Option<Side>,
    /// What kind.
    pub kind: Kind,
    /// Of which order of the plan, or which number of its kind.
    pub subject: u64,
    /// Epoch of the signers.
    pub epoch: u64,
    /// How many signed.
    pub signers: u8,
    /// Whether the chain never said this.
    pub forged: bool,
    /// The first bytes of the entry's hash.
    pub entry: [u8; 4],
}

/// One step of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// Somebody submits something to the ledger where it belongs.
    Submit(Deed),
    /// A relayer delivers a certificate.
    Deliver(Label, Side),
    /// The block time of a chain goes on to the next instant that matters.
    Tick(Side),
    /// A chain dies for ever; `lost`: nobody has a copy of its outbox but chains that kept certificates.
    Die(Side, bool),
}

/// How a chain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Life {
    /// It makes blocks, and its outbox can be read.
    Alive,
    /// It makes no blocks; relayers still have what it said.
    Dead,
    /// It makes no blocks, and what it said is known only where it was kept.
    Lost,
}

/// Three places and how the chains are. Small, so that millions fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct World {
    /// X, Y and Z with their clocks, as numbers of the [`Universe`] that made them.
    pub(crate) places: [u32; 3],
    /// How the chains are.
    pub(crate) lives: [Life; 3],
}

impl World {
    /// How a chain is.
    pub fn life(&self, side: Side) -> Life {
        self.lives[side.index()]
    }

    /// Whether a chain makes blocks.
    pub fn lives(&self, side: Side) -> bool {
        self.life(side) == Life::Alive
    }
}

/// A step as the checker has it: a number of the universe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Transaction number on a ledger.
    Do(Side, u16),
    /// Clock.
    Tick(Side),
    /// Death, and whether what it said is lost.
    Die(Side, bool),
}
