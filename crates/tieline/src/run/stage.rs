//! One stage per step of a trade's life, and what every stage may look at.
//!
//! A stage takes a value and returns a value; an expected end (an empty side, a failed round) is a value too. Keys,
//! signatures, chains and the six phases are steps 7 to 10: a stage from orders to concluded orders takes the place of
//! [`super::conclude::Direct`] without the others noticing.

use tieline_contract::settlement::GridPrices;
use tieline_units::MarketInterval;

use crate::input::Scenario;

/// The market interval that a stage works on.
#[derive(Clone, Copy, Debug)]
pub struct Slot<'a> {
    /// The whole scenario.
    pub scenario: &'a Scenario,
    /// Index of the interval in the run.
    pub index: usize,
    /// The interval.
    pub interval: MarketInterval,
    /// The grid's prices in it.
    pub grid: GridPrices,
}

/// One step of a trade's life over one market interval.
pub trait Stage {
    /// What the step before hands over.
    type Input;
    /// What the step after takes.
    type Output;

    /// Does the step.
    ///
    /// # Errors
    /// Only what no market can have caused: a broken invariant of an earlier step.
    fn run(&self, slot: &Slot<'_>, input: Self::Input) -> anyhow::Result<Self::Output>;
}
