//! Looks for a run in which a mutant violates a property.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tieline_contract::guard::Guard;
use tieline_contract::mutant::Mutant;
use tieline_contract::state::{Block, State};
use tieline_contract::terms::Request;
use tieline_contract::transaction::Transaction;
use tieline_contract::transition::Transition;
use tieline_sim::model::{Limits, Scenario, explore};
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::request;
use tieline_sim::world::{Plan, Side, Universe};

use super::attacks::defects;

/// What becomes of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Killed {
    /// A run violates a property.
    Run {
        property: &'static str,
        scenario: &'static str,
        steps: usize,
    },
    /// An attack that the contract refuses goes through; no property of worlds speaks of it.
    Attack,
    /// A ledger of the chronicle ends with other records; no property of worlds speaks of them.
    Records,
    /// Nothing is lost without it, and why.
    Harmless(&'static str),
    /// It lives.
    Not,
}

/// Bound of one search; the shortest run to a violation is far nearer.
const TRANSITIONS: u64 = 150_000;

/// The nearest violation in these scenarios, the first that has one.
pub(crate) fn hunt(
    mutant: Mutant,
    scenarios: &[Scenario],
    ignored: &'static [&'static str],
) -> Option<Killed> {
    scenarios.iter().find_map(|scenario| {
        let plan = scenario.plan();
        let found = search(&plan, Some(mutant), ignored)?;
        Some(Killed::Run {
            property: found.0,
            scenario: scenario.name(),
            steps: found.1,
        })
    })
}

/// Property and steps of the nearest violation of a plan; for L2, which no run reaches, the steps of the longest.
pub(crate) fn search(
    plan: &Plan,
    mutant: Option<Mutant>,
    ignored: &'static [&'static str],
) -> Option<(&'static str, usize)> {
    let limits = Limits {
        transitions: TRANSITIONS,
        threads: 1,
        ignored,
    };
    let universe = Universe::with(plan, |state| state.with_mutant(mutant));
    let run = || explore(universe, limits, |_| ());
    let found = catch_unwind(AssertUnwindSafe(run)).ok()?;
    match found.violation {
        Some(violation) => Some((violation.property, violation.events.len())),
        None if found.complete && !found.reached => Some(("L2", found.depth as usize)),
        None => None,
    }
}

/// A dishonest buyer requests what this guard alone refuses.
pub(crate) fn hunt_terms(mutant: Mutant, guard: Guard) -> Option<Killed> {
    let plan = Plan::of(1);
    let good = &plan.orders[0].terms;
    let universe = Universe::new(&plan);
    let ledger = universe.ledger(&universe.start(), Side::X);
    let spoilt = defects(good).into_iter().map(|terms| request(terms, 0));
    spoilt
        .filter(|request| refused(ledger, request) == Some(guard))
        .find_map(|request| {
            let plan = Plan {
                orders: vec![request],
                ..plan.clone()
            };
            let (property, steps) = search(&plan, Some(mutant), &[])?;
            Some(Killed::Run {
                property,
                scenario: "a dishonest buyer",
                steps,
            })
        })
}

fn refused(ledger: &State, request: &Arc<Request>) -> Option<Guard> {
    let block = Block {
        height: ledger.block().height + 1,
        time: ledger.block().time,
    };
    let request = Transaction::Request(request.clone());
    let refusal = ledger.check(&request, block, &Symbolic).err()?;
    Some(refusal.guard)
}

/// Where a guard's absence could show.
pub(crate) fn stages(transition: Transition, guard: Guard) -> &'static [Scenario] {
    use Scenario as S;
    match (sort(transition), guard) {
        (Sort::Epoch, _) => &[S::RotationX],
        (Sort::Registry, _) => &[],
        (_, Guard::Certified | Guard::Author) | (_, Guard::Thawed) => &[S::Forgery],
        (_, Guard::Capacity | Guard::Bond) => &[S::Capacity],
        (_, Guard::Funds | Guard::Exposure) => &[S::Money],
        (Sort::Order, _) => &[S::One, S::Fine, S::DeadX],
        (Sort::Conviction, _) => &[S::Forgery],
    }
}

/// Where an effect's absence could show.
pub(crate) fn all_stages(transition: Transition) -> &'static [Scenario] {
    use Scenario as S;
    match sort(transition) {
        Sort::Order => &[
            S::One,
            S::DeadX,
            S::DeadY,
            S::DeadZ,
            S::Forgery,
            S::Money,
            S::Capacity,
        ],
        Sort::Epoch => &[S::RotationX, S::RotationY],
        Sort::Conviction => &[S::Forgery],
        Sort::Registry => &[],
    }
}

enum Sort {
    Order,
    Epoch,
    Conviction,
    Registry,
}

fn sort(transition: Transition) -> Sort {
    use Transition as T;
    match transition {
        T::Epoch | T::Rotate | T::Acknowledge | T::CloseEpoch | T::EndEpoch => Sort::Epoch,
        T::Evidence | T::Freeze => Sort::Conviction,
        T::Register | T::RegisterChain | T::Approve | T::Revoke | T::Enrol => Sort::Registry,
        T::Deposit | T::Credit | T::Round | T::Participate | T::Net => Sort::Registry,
        T::Transfer | T::Tariff | T::Imbalance | T::Local | T::Refuse => Sort::Registry,
        T::Request | T::Offer | T::OfferLate | T::TimeoutRequest | T::Accept | T::Decline => {
            Sort::Order
        }
        T::Commit | T::KeyReturn | T::Timeout | T::Release | T::Confirm | T::Void => Sort::Order,
        T::VoidRefunded | T::Meter | T::Taken | T::Delivered | T::Known | T::Read => Sort::Order,
        T::Settle | T::Default | T::Pay | T::Close | T::CloseNothing => Sort::Order,
    }
}
