//! Step 2: net positions on the forecast, or on the actual profile where there is no forecast.

use tieline_market::position::Position;

use super::stage::{Slot, Stage};

/// Step 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Positioning {
    /// On the forecast; on the actual profile where there is none.
    #[default]
    Forecast,
    /// On the actual profile, as if the forecast had been perfect.
    Perfect,
}

impl Stage for Positioning {
    type Input = ();
    type Output = Vec<Position>;

    fn run(&self, slot: &Slot<'_>, (): ()) -> anyhow::Result<Vec<Position>> {
        let scenario = slot.scenario;
        let profiles = match (self, &scenario.forecast) {
            (Positioning::Forecast, Some(forecast)) => forecast,
            (Positioning::Perfect, _) | (_, None) => &scenario.actual,
        };
        let position = |(member, microgrid): (usize, &crate::input::Microgrid)| {
            Position::of(&profiles.at(slot.index, member), microgrid.dispatchable)
        };
        Ok(scenario
            .microgrids
            .iter()
            .enumerate()
            .map(position)
            .collect())
    }
}
