//! Players and rules of the bidding game, checked once.
//!
//! [`Game::new`] refuses every value the later stages could not handle; nothing behind it checks again.
//!
//! **Deviations.** The paper gives neither the grid's prices, nor the start price ρ⁰, nor the base price of the levels;
//! they are explicit [`Rules`] here. "Parameter n" (low, medium, high) is any number of levels from 2 to [`MAX_LEVELS`].
//!
//! Source: Hu et al. 2022, section 4.1.

mod check;

use crate::bid;
pub use check::GameError;
use serde::{Deserialize, Serialize};

/// Most price levels of one bid.
pub const MAX_LEVELS: usize = 32;
/// Most microgrids of one game.
pub const MAX_PLAYERS: usize = 1_000_000;
/// Most rounds of bidding of one game.
pub const MAX_ROUNDS: usize = 100_000;
/// Largest magnitude of any number of a game, in the number's own unit; keeps every product finite.
pub const MAX_MAGNITUDE: f64 = 1e12;
/// Smallest capacity, kW: the clearing skips smaller offers.
pub const MIN_CAPACITY_KW: f64 = 1e-9;

/// Cost of generation, C(q) = a q² + b q + c for q > 0 and C(0) = 0 (currency/h, q in kW).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Quadratic coefficient, currency/(kW² h), not negative.
    pub a: f64,
    /// Linear coefficient, currency/kWh, not negative.
    pub b: f64,
    /// Fixed cost of running, currency/h, not negative.
    pub c: f64,
}

impl Cost {
    /// C(q), currency/h; a unit that stands still costs nothing.
    #[must_use]
    pub fn total(&self, q_kw: f64) -> f64 {
        if q_kw <= 0.0 {
            return 0.0;
        }
        self.a * q_kw * q_kw + self.b * q_kw + self.c
    }

    /// MC = 2 a q + b, currency/kWh.
    #[must_use]
    pub fn marginal(&self, q_kw: f64) -> f64 {
        2.0 * self.a * q_kw + self.b
    }

    /// AC = C(q)/q, currency/kWh, for q > 0.
    #[must_use]
    pub fn average(&self, q_kw: f64) -> f64 {
        self.total(q_kw) / q_kw
    }
}

/// A microgrid that offers all of its capacity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Player {
    /// Name, unique in a game, not empty.
    pub id: String,
    /// Cost of generation.
    pub cost: Cost,
    /// Capacity offered Q, kW.
    pub capacity_kw: f64,
    /// The microgrid's own price levels, currency/kWh, ascending; they replace the formula.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<Vec<f64>>,
}

/// How far apart the price levels lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Step |MC − AC|: low = AC, medium = MC, high = 2 MC − AC.
    #[default]
    Improved,
    /// Step 0.2 MC: low = 0.8 MC, medium = MC, high = 1.2 MC.
    Traditional,
}

/// How a microgrid answers the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// Exact best response to the others' bids, within the band.
    #[default]
    Lp,
    /// The mix of two adjacent levels whose mean is the last clearing price.
    Fit,
    /// Quantities against a linear price: one equilibrium.
    Cournot,
    /// Price takers: least-cost dispatch.
    Competitive,
}

/// Whose bids of which round a microgrid sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// One after the other, each sees the newest bids.
    #[default]
    GaussSeidel,
    /// All at once, each sees the bids of the round before (sealed bids).
    Jacobi,
}

/// Rules of a game.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Distance of the price levels.
    #[serde(default)]
    pub strategy: Strategy,
    /// Number of price levels n, 2 to [`MAX_LEVELS`].
    #[serde(default = "Rules::default_levels")]
    pub n_levels: usize,
    /// Lowest mean offer as a multiple of the average cost, m > 0.
    #[serde(default = "Rules::default_margin")]
    pub margin: f64,
    /// Rule of response.
    #[serde(default)]
    pub response: Response,
    /// Order of responses in a round.
    #[serde(default)]
    pub order: Order,
    /// Damping α of the price, in (0, 1]; 1 is none.
    #[serde(default = "Rules::default_alpha")]
    pub alpha: f64,
    /// Price at which the grid buys any amount, L⁻ < L⁺, currency/kWh; may be negative.
    pub grid_buy: f64,
    /// Price at which the grid sells any amount, L⁺ > 0, currency/kWh.
    pub grid_sell: f64,
    /// Start price ρ⁰, currency/kWh; clamped into [L⁻, L⁺].
    pub rho0: f64,
    /// Most rounds K, 1 to [`MAX_ROUNDS`]; reaching it fails the round of bidding.
    #[serde(default = "Rules::default_rounds", alias = "max_rounds")]
    pub max_iter: usize,
    /// No level below m·AC, so that every kWh sold earns the margin. Does not touch a microgrid's own levels.
    #[serde(default)]
    pub safe_levels: bool,
}

impl Rules {
    /// Rules with the paper's settings between the two prices of the grid, starting at `rho0` (currency/kWh).
    #[must_use]
    pub fn new(grid_buy: f64, grid_sell: f64, rho0: f64) -> Rules {
        Rules {
            strategy: Strategy::Improved,
            n_levels: Rules::default_levels(),
            margin: Rules::default_margin(),
            response: Response::Lp,
            order: Order::GaussSeidel,
            alpha: Rules::default_alpha(),
            grid_buy,
            grid_sell,
            rho0,
            max_iter: Rules::default_rounds(),
            safe_levels: false,
        }
    }

    fn default_levels() -> usize {
        3
    }

    fn default_margin() -> f64 {
        1.05
    }

    fn default_alpha() -> f64 {
        1.0
    }

    fn default_rounds() -> usize {
        200
    }
}

/// A game that was checked: players, rules and the demand they compete for.
#[derive(Clone, Debug, PartialEq)]
pub struct Game {
    players: Vec<Player>,
    rules: Rules,
    demand_kw: f64,
}

impl Game {
    /// Checks the parts and joins them.
    ///
    /// # Errors
    /// A [`GameError`] for the first bad value: rules first, then the demand, then the players in order.
    pub fn new(players: Vec<Player>, rules: Rules, demand_kw: f64) -> Result<Game, GameError> {
        check::rules(&rules)?;
        check::demand(demand_kw, &rules)?;
        check::players(&players, &rules)?;
        let game = Game {
            players,
            rules,
            demand_kw,
        };
        check::levels(&game)?;
        Ok(game)
    }

    /// The microgrids, in the order that breaks ties.
    #[must_use]
    pub fn players(&self) -> &[Player] {
        &self.players
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Inelastic demand D, kW.
    #[must_use]
    pub fn demand_kw(&self) -> f64 {
        self.demand_kw
    }

    /// Price levels of all players, `N × n`, row = player, currency/kWh, each row not descending.
    #[must_use]
    pub fn price_levels(&self) -> Vec<f64> {
        let mut out = Vec::with_capacity(self.players.len() * self.rules.n_levels);
        for player in &self.players {
            bid::append_levels(player, &self.rules, &mut out);
        }
        out
    }
}
