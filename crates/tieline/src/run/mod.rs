//! A trade's life from profiles to bills, one market interval after the other.
//!
//! | # | step | stage |
//! |---|---|---|
//! | 1 | read profiles, tariffs, costs; refuse dirty input | [`crate::input`] |
//! | 2 | net position per microgrid | [`position::Positioning`] |
//! | 3–4 | bids, equilibrium search, certificate | [`round::Bidding`] |
//! | 5 | aggregator matches sellers to buyers | [`matching::Aggregating`] |
//! | 6 | integer awards become orders | [`order::Ordering`] |
//! | 7–10 | keys, signatures, six phases, blocks | [`ledgers`]; without them the pipeline's parameter, [`conclude::Direct`] |
//! | 11 | deliver, meter, settle | [`settle::Settling`] |
//! | 12 | table, JSON, page | [`crate::output`], [`crate::report`] |
//!
//! Intervals do not depend on each other here, and their results go to the [`Sink`]s in order, so the same scenario
//! gives the same bytes.

pub mod conclude;
pub mod keys;
pub mod ledgers;
pub mod matching;
pub mod meters;
pub mod order;
pub mod position;
pub mod round;
pub mod seals;
pub mod settle;
pub mod stage;
pub mod tally;

use anyhow::Context as _;
use tieline_contract::settlement::GridPrices;

use crate::input::Scenario;
use conclude::Concluded;
use order::Ordered;
use settle::Settled;
use stage::{Slot, Stage};

/// The stages in their order; `C` concludes the orders (steps 7 to 10).
#[derive(Clone, Debug)]
pub struct Pipeline<C> {
    positions: position::Positioning,
    conclude: C,
}

/// Takes the results, interval by interval.
pub trait Sink {
    /// Takes one interval.
    ///
    /// # Errors
    /// When the result cannot be kept, a full disk for one.
    fn take(&mut self, slot: &Slot<'_>, settled: &Settled) -> anyhow::Result<()>;
}

impl<C: Stage<Input = Ordered, Output = Concluded>> Pipeline<C> {
    /// With this stage for steps 7 to 10.
    pub fn new(conclude: C) -> Pipeline<C> {
        Pipeline {
            positions: position::Positioning::default(),
            conclude,
        }
    }

    /// The same stages on positions from elsewhere.
    #[must_use]
    pub fn with_positions(self, positions: position::Positioning) -> Pipeline<C> {
        Pipeline { positions, ..self }
    }

    /// One interval through all stages.
    ///
    /// # Errors
    /// A broken invariant between two stages.
    pub fn interval(&self, slot: &Slot<'_>) -> anyhow::Result<Settled> {
        let ordered = self.positions.order(slot)?;
        let concluded = self.conclude.run(slot, ordered)?;
        settle::Settling.run(slot, concluded)
    }

    /// Every interval of the scenario, in order, into the sinks. `done` hears how many are through.
    ///
    /// # Errors
    /// The first error of a stage or a sink, with the interval it happened in.
    pub fn run(
        &self,
        scenario: &Scenario,
        sinks: &mut [&mut dyn Sink],
        done: &mut dyn FnMut(usize),
    ) -> anyhow::Result<()> {
        for index in 0..scenario.intervals.len() {
            let slot = slot(scenario, index);
            let settled = self
                .interval(&slot)
                .with_context(|| format!("interval {}", slot.interval))?;
            for sink in sinks.iter_mut() {
                sink.take(&slot, &settled)?;
            }
            done(index + 1);
        }
        Ok(())
    }
}

impl position::Positioning {
    /// Steps 2 to 6: from these positions to orders.
    ///
    /// # Errors
    /// A broken invariant between two stages.
    pub fn order(&self, slot: &Slot<'_>) -> anyhow::Result<Ordered> {
        let positions = self.run(slot, ())?;
        let round = round::Bidding.run(slot, positions)?;
        let matched = matching::Aggregating.run(slot, round)?;
        order::Ordering.run(slot, matched)
    }
}

/// The interval of this index as stages see it.
pub fn slot(scenario: &Scenario, index: usize) -> Slot<'_> {
    let prices = scenario.tariff[index];
    let grid = GridPrices {
        import: prices.import,
        export: prices.export,
        currency: scenario.currency,
    };
    Slot {
        scenario,
        index,
        interval: scenario.intervals[index],
        grid,
    }
}
