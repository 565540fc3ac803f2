//! Guards and effects that nothing is lost without, each with its reason.

use tieline_contract::guard::Guard;
use tieline_contract::mutant::{Effect, Mutant};
use tieline_contract::transition::Transition;

/// Why a mutant harms nobody.
pub(crate) fn harmless(mutant: Mutant) -> Option<&'static str> {
    match mutant {
        Mutant::Unguarded(transition, guard) => unguarded(transition, guard),
        Mutant::Without(transition, effect) => without(transition, effect),
        _ => None,
    }
}

fn unguarded(transition: Transition, guard: Guard) -> Option<&'static str> {
    use Transition as T;
    Some(match (transition, guard) {
        (T::Local, Guard::Early | Guard::InTime) => {
            "T0 asks it twice, as T1 does and as T4 does; each alone refuses"
        }
        (T::Local, Guard::BeforeGate) => "follows from now + Δt ≤ D and D + Δt ≤ G",
        (T::Offer | T::OfferLate, Guard::Author) => {
            "another chain's certificate has another genesis than the terms name for X"
        }
        (T::Accept, Guard::Arrived) => {
            "OFFERED is written together with the certificate; (2) says it once more"
        }
        (T::Meter, Guard::MeterKnown) => "no signature is right under a key that is not there",
        (T::Settle, Guard::WellFormed) => {
            "the other reading of the same order, so of the same terms, was asked before"
        }
        (T::Approve, Guard::Ledger) => {
            "applications lie on Z alone: elsewhere there is none to approve"
        }
        (T::Imbalance, Guard::Ledger) => "prices lie on Z alone: elsewhere none are known",
        (T::Rotate, Guard::Sequence) => "the epoch would not follow on the one that is known",
        _ => return None,
    })
}

fn without(_: Transition, _: Effect) -> Option<&'static str> {
    None
}
