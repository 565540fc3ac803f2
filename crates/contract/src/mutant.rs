//! Deliberate bugs, one switch each, for tests: a check that no bug can fail checks nothing.
//!
//! Without the feature `testing` no state carries one, and every question here is answered with no at compile time.

use crate::change::Change;
use crate::guard::Guard;
use crate::state::State;
use crate::transition::Transition;

/// What sort of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// [`Change::Move`].
    Move,
    /// [`Change::Reserve`].
    Reserve,
    /// [`Change::Expose`].
    Expose,
    /// [`Change::Purchase`], [`Change::Sale`] or [`Change::Settling`].
    Order,
    /// [`Change::Emit`].
    Emit,
    /// [`Change::Keep`].
    Keep,
    /// Everything else.
    Other,
}

impl Effect {
    /// The sort of a change.
    pub fn of(change: &Change) -> Effect {
        match change {
            Change::Move(..) => Effect::Move,
            Change::Reserve(..) => Effect::Reserve,
            Change::Expose(..) => Effect::Expose,
            Change::Purchase(..) | Change::Sale(..) | Change::Settling(..) => Effect::Order,
            Change::Emit(_) => Effect::Emit,
            Change::Keep(_) => Effect::Keep,
            _ => Effect::Other,
        }
    }
}

/// One deliberate bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mutant {
    /// A transition without one of its guards.
    Unguarded(Transition, Guard),
    /// A transition without one sort of its effects.
    Without(Transition, Effect),
    /// X lets the buyer go after it was bound.
    RefundAfterCommitted,
    /// Y lets the seller go after the decision.
    VoidAfterConfirmed,
    /// Y does not remember a request that it timed out before it came.
    NoTombstone,
    /// Y takes a request again that it had already.
    Replay,
    /// The seller may dispatch on its tentative yes.
    DispatchOnAccepted,
    /// X pays when the buyer is bound.
    PayOnCommitted,
    /// Z writes a settlement again.
    SettleTwice,
    /// Z pays by default on the buyer's meter alone.
    DefaultOnTaken,
}

#[cfg(feature = "testing")]
impl State {
    /// This state, with a bug.
    pub fn with_mutant(mut self, mutant: Option<Mutant>) -> State {
        self.mutant = mutant;
        self
    }

    pub(crate) fn mutated(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    pub(crate) fn is_mutant(&self) -> bool {
        self.mutant.is_some()
    }

    pub(crate) fn skips(&self, transition: Transition, change: &Change) -> bool {
        self.mutated(Mutant::Without(transition, Effect::of(change)))
    }
}

#[cfg(not(feature = "testing"))]
#[expect(
    clippy::unused_self,
    reason = "the twin of the functions with a mutant"
)]
impl State {
    pub(crate) const fn mutated(&self, _mutant: Mutant) -> bool {
        false
    }

    pub(crate) const fn is_mutant(&self) -> bool {
        false
    }

    pub(crate) const fn skips(&self, _transition: Transition, _change: &Change) -> bool {
        false
    }
}
