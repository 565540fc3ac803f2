//! The calibrated case, embedded, and the games that are played on it.

use anyhow::{Context as _, bail};
use tieline_market::aggregator::{self, Deficit, Matching, Offer, Problem, Terms};
use tieline_market::case::Scenario;
use tieline_market::report::{BidReport, Report, assess};
use tieline_market::{Game, Player, Rules, Strategy, solve};

use super::paper;

const GAME: &str = include_str!("../../../../scenarios/paper-case/game.json");

/// Fee coefficient with which the aggregator's share is computed, as in the shipped scenario.
pub(super) const DELTA: f64 = 1.05;

/// Players and rules of the calibrated case.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// The four microgrids.
    pub(super) players: Vec<Player>,
    /// The rules, improved strategy.
    pub(super) rules: Rules,
    /// Demands of Table 1's rows, the first as its outputs add up, kW.
    pub(super) demands_kw: [f64; 3],
}

impl Case {
    /// The shipped case.
    ///
    /// # Errors
    /// When the embedded file is not what this module expects: four microgrids, three demands.
    pub(super) fn embedded() -> anyhow::Result<Case> {
        let scenario: Scenario =
            serde_json::from_str(GAME).context("the embedded calibrated case")?;
        let names: Vec<&str> = scenario
            .microgrids
            .iter()
            .map(|player| player.id.as_str())
            .collect();
        if names != paper::MICROGRIDS {
            bail!("the embedded calibrated case has the microgrids {names:?}");
        }
        let Ok(demands_kw) = <[f64; 3]>::try_from(scenario.demand_kw.as_slice()) else {
            bail!(
                "the embedded calibrated case has {} demands, must be 3",
                scenario.demand_kw.len()
            );
        };
        Ok(Case {
            players: scenario.microgrids,
            rules: scenario.market,
            demands_kw,
        })
    }

    /// The rules under a strategy.
    pub(super) fn rules(&self, strategy: Strategy) -> Rules {
        Rules {
            strategy,
            ..self.rules.clone()
        }
    }

    /// Plays one game of the case.
    ///
    /// # Errors
    /// When the game is refused.
    pub(super) fn play(&self, strategy: Strategy, demand_kw: f64) -> anyhow::Result<BidReport> {
        play(&self.players, &self.rules(strategy), demand_kw)
    }

    /// Improved and traditional strategy at the three demands.
    ///
    /// # Errors
    /// When a game is refused.
    pub(super) fn both(&self) -> anyhow::Result<Vec<Pair>> {
        self.demands_kw
            .iter()
            .map(|&demand| self.pair(demand))
            .collect()
    }

    /// Improved and traditional strategy at one demand.
    ///
    /// # Errors
    /// When a game is refused.
    pub(super) fn pair(&self, demand_kw: f64) -> anyhow::Result<Pair> {
        Ok(Pair {
            demand_kw,
            improved: self.play(Strategy::Improved, demand_kw)?,
            traditional: self.play(Strategy::Traditional, demand_kw)?,
        })
    }
}

/// One demand under both strategies.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// Demand, kW.
    pub(super) demand_kw: f64,
    /// Levels AC, MC, 2 MC - AC.
    pub(super) improved: BidReport,
    /// Levels 0.8, 1, 1.2 MC.
    pub(super) traditional: BidReport,
}

/// Plays one game of bids.
///
/// # Errors
/// When the game is refused.
pub(super) fn play(players: &[Player], rules: &Rules, demand_kw: f64) -> anyhow::Result<BidReport> {
    let game = Game::new(players.to_vec(), rules.clone(), demand_kw)?;
    match assess("", &game, &solve(&game)) {
        Report::Bids(report) => Ok(report),
        Report::Cournot(_) | Report::Competitive(_) => {
            bail!("the response rule {:?} has no bids", rules.response)
        }
    }
}

/// Who gets what of `(L+ - L-) T` when the aggregator matches the final bids with one buyer of the whole demand.
///
/// # Errors
/// When the matching is refused.
pub(super) fn share_out(rules: &Rules, round: &BidReport, delta: f64) -> anyhow::Result<Matching> {
    let terms = Terms {
        grid_sell: rules.grid_sell,
        grid_buy: rules.grid_buy,
        delta,
        delta_grid: 1.0,
        price: round.clearing_price,
    };
    let mut offers = Vec::new();
    for one in &round.microgrids {
        let blocks = one.levels.iter().zip(&one.shares);
        // a share of -0 or of a rounding error below zero is no offer
        offers.extend(blocks.map(|(&ask, &share)| Offer {
            id: one.id.clone(),
            kw: (one.q_max * share).max(0.0),
            ask,
        }));
    }
    let buyer = Deficit {
        id: "demand".to_owned(),
        kw: round.demand_kw,
    };
    let problem = Problem::new(terms, offers, vec![buyer], Vec::new())?;
    Ok(aggregator::solve(&problem)?)
}

/// Sold power by microgrid, kW.
pub(super) fn outputs(round: &BidReport) -> [f64; 4] {
    std::array::from_fn(|i| round.microgrids[i].accepted_kw)
}

/// Income by microgrid, yuan/h.
pub(super) fn incomes(round: &BidReport) -> [f64; 4] {
    std::array::from_fn(|i| round.microgrids[i].income)
}
