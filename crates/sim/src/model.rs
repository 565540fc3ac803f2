//! Every run of a scenario, up to a bound: the model checker.
//!
//! Breadth first, so that what it finds is as short as it can be. A transition is an edge between two different worlds;
//! steps that change nothing, redelivered certificates and refused transactions, are tried and not counted.

mod scenario;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model, Property};

use crate::properties::{ALWAYS, SOMETIMES};
use crate::world::{Event, Step, Universe, World};

pub use scenario::Scenario;

/// How far to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Stops after so many transitions.
    pub transitions: u64,
    /// Threads. With one, what is found is the same every time.
    pub threads: usize,
    /// Properties that are not looked at.
    pub ignored: &'static [&'static str],
}

impl Default for Limits {
    /// Everything, on two threads.
    fn default() -> Limits {
        Limits {
            transitions: u64::MAX,
            threads: 2,
            ignored: &[],
        }
    }
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Different worlds.
    pub states: u64,
    /// Edges between them.
    pub transitions: u64,
    /// Steps of the longest run that was looked at.
    pub depth: u64,
    /// Time since it began.
    pub elapsed: Duration,
}

/// A run that ends in a world in which a property does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// Name of the property.
    pub property: &'static str,
    /// What happens.
    pub events: Vec<Event>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Exploration {
    /// Different worlds.
    pub states: u64,
    /// Edges between them.
    pub transitions: u64,
    /// Steps of the longest run.
    pub depth: u64,
    /// Different ledgers, with their clocks.
    pub places: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// Whether every world of the scenario was looked at.
    pub complete: bool,
    /// Whether L2 was seen to hold: an order confirmed, delivered and paid.
    pub reached: bool,
    /// What does not hold, if anything.
    pub violation: Option<Counterexample>,
}

/// Explores a scenario. `progress` is called several times a second.
pub fn explore(universe: Universe, limits: Limits, progress: impl FnMut(Progress)) -> Exploration {
    explore_with(Arc::new(universe), limits, progress)
}

/// As [`explore`]; the places that are reached can be looked at afterwards.
pub fn explore_with(
    universe: Arc<Universe>,
    limits: Limits,
    mut progress: impl FnMut(Progress),
) -> Exploration {
    let begun = Instant::now();
    let search = Search {
        universe: universe.clone(),
        transitions: Arc::default(),
        found: Arc::new(Default::default()),
        ignored: limits.ignored,
    };
    let (edges, found) = (search.transitions.clone(), search.found.clone());
    let target = usize::try_from(limits.transitions).unwrap_or(usize::MAX);
    let checker = search
        .checker()
        .threads(limits.threads)
        .target_state_count(target)
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs();
    let mut last = Duration::ZERO;
    while !checker.is_done() && !enough(&checker, &found, target) {
        std::thread::sleep(Duration::from_millis(5));
        if begun.elapsed() - last > Duration::from_millis(250) {
            last = begun.elapsed();
            progress(Progress {
                states: checker.unique_state_count() as u64,
                transitions: edges.load(Ordering::Relaxed),
                depth: checker.max_depth() as u64,
                elapsed: last,
            });
        }
    }
    let checker = checker.join();
    let transitions = edges.load(Ordering::Relaxed);
    let discoveries = checker.discoveries();
    let violation = ALWAYS.iter().find_map(|property| {
        let path = discoveries.get(property.name)?.clone();
        let steps = path.into_actions().into_iter();
        Some(Counterexample {
            property: property.name,
            events: steps.map(|step| universe.event(step)).collect(),
        })
    });
    Exploration {
        states: checker.unique_state_count() as u64,
        transitions,
        depth: checker.max_depth() as u64,
        places: universe.places() as u64,
        elapsed: begun.elapsed(),
        complete: transitions < limits.transitions && violation.is_none(),
        reached: discoveries.contains_key(SOMETIMES.name),
        violation,
    }
}

fn enough(checker: &impl Checker<Search>, found: &Found, target: usize) -> bool {
    checker.state_count() >= target || found.iter().any(|found| found.load(Ordering::Relaxed))
}

/// One flag per property: the first world that lacks it is reported, which is the nearest.
type Found = [AtomicBool; ALWAYS.len()];

struct Search {
    universe: Arc<Universe>,
    transitions: Arc<AtomicU64>,
    found: Arc<Found>,
    ignored: &'static [&'static str],
}

impl Model for Search {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![self.universe.start()]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        self.universe.steps(world, steps);
        self.transitions
            .fetch_add(steps.len() as u64, Ordering::Relaxed);
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        self.universe.next(world, step)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![Property::sometimes(
            SOMETIMES.name,
            |model: &Search, world| (SOMETIMES.holds)(&model.universe, world),
        )];
        properties.extend(conditions());
        properties
    }
}

impl Search {
    fn holds<const N: usize>(&self, world: &World) -> bool {
        (ALWAYS[N].holds)(&self.universe, world)
            || self.ignored.contains(&ALWAYS[N].name)
            || self.found[N].swap(true, Ordering::Relaxed)
    }
}

/// The checker takes functions, not closures: one for each property.
fn conditions() -> [Property<Search>; ALWAYS.len()] {
    fn one<const N: usize>() -> Property<Search> {
        Property::always(ALWAYS[N].name, Search::holds::<N>)
    }
    [
        one::<0>(),
        one::<1>(),
        one::<2>(),
        one::<3>(),
        one::<4>(),
        one::<5>(),
        one::<6>(),
        one::<7>(),
        one::<8>(),
        one::<9>(),
        one::<10>(),
        one::<11>(),
        one::<12>(),
    ]
}
