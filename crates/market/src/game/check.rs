//! The checks behind `Game::new`.

use super::{
    Game, MAX_LEVELS, MAX_MAGNITUDE, MAX_PLAYERS, MAX_ROUNDS, MIN_CAPACITY_KW, Player, Response,
    Rules,
};
use std::collections::BTreeMap;
use thiserror::Error;

/// Why a game was refused.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum GameError {
    /// A rule or the demand is not a number, or too large.
    #[error("{field} is {value}, must be a number of magnitude at most {MAX_MAGNITUDE:e}")]
    NotFinite {
        /// Which value.
        field: &'static str,
        /// What was given.
        value: f64,
    },
    /// The grid would buy at least as dear as it sells.
    #[error(
        "grid buys at {grid_buy} and sells at {grid_sell} per kWh, must buy below its selling price"
    )]
    GridPrices {
        /// L⁻.
        grid_buy: f64,
        /// L⁺.
        grid_sell: f64,
    },
    /// The grid's selling price is not positive.
    #[error("grid sells at {grid_sell} per kWh, must be above 0")]
    GridSell {
        /// L⁺.
        grid_sell: f64,
    },
    /// Too few or too many price levels.
    #[error("{n_levels} price levels, must be 2 to {MAX_LEVELS}")]
    LevelCount {
        /// What was given.
        n_levels: usize,
    },
    /// No or too many rounds.
    #[error("at most {max_iter} rounds, must be 1 to {MAX_ROUNDS}")]
    Rounds {
        /// What was given.
        max_iter: usize,
    },
    /// Damping outside (0, 1].
    #[error("alpha is {alpha}, must be above 0 and at most 1")]
    Alpha {
        /// What was given.
        alpha: f64,
    },
    /// Margin not positive.
    #[error("margin is {margin}, must be above 0")]
    Margin {
        /// What was given.
        margin: f64,
    },
    /// Demand negative.
    #[error("demand is {demand_kw} kW, must be at least 0")]
    Demand {
        /// What was given.
        demand_kw: f64,
    },
    /// A Cournot market without demand has no finite price slope.
    #[error(
        "demand is {demand_kw} kW, must be at least {MIN_CAPACITY_KW:e} for the Cournot response"
    )]
    CournotDemand {
        /// What was given.
        demand_kw: f64,
    },
    /// No or too many players.
    #[error("{players} players, must be 1 to {MAX_PLAYERS}")]
    PlayerCount {
        /// How many.
        players: usize,
    },
    /// A player without a name.
    #[error("player {index} (counted from 0) has an empty id")]
    EmptyId {
        /// Place in the list, from 0.
        index: usize,
    },
    /// Two players of one name.
    #[error("players {first} and {second} (counted from 0) are both called {id:?}")]
    DuplicateId {
        /// The name.
        id: String,
        /// First place, from 0.
        first: usize,
        /// Second place, from 0.
        second: usize,
    },
    /// A cost coefficient is negative, too large or no number.
    #[error("cost coefficient {name} of {id:?} is {value}, must be 0 to {MAX_MAGNITUDE:e}")]
    CostCoefficient {
        /// The player.
        id: String,
        /// a, b or c.
        name: char,
        /// What was given.
        value: f64,
    },
    /// A capacity is not positive, too large or no number.
    #[error(
        "capacity of {id:?} is {capacity_kw} kW, must be {MIN_CAPACITY_KW:e} to {MAX_MAGNITUDE:e}"
    )]
    Capacity {
        /// The player.
        id: String,
        /// What was given.
        capacity_kw: f64,
    },
    /// A player's own levels are not as many as the rules say.
    #[error("{id:?} gives {given} price levels, the rules say {n_levels}")]
    OwnLevelCount {
        /// The player.
        id: String,
        /// How many were given.
        given: usize,
        /// How many the rules say.
        n_levels: usize,
    },
    /// A player's level, given or computed, is too large or no number.
    #[error(
        "price level {level} (counted from 1) of {id:?} is {price}, must be a number of magnitude at most {MAX_MAGNITUDE:e}"
    )]
    Level {
        /// The player.
        id: String,
        /// Which level, from 1.
        level: usize,
        /// What was given or computed.
        price: f64,
    },
    /// A player's own levels descend.
    #[error(
        "price level {level} (counted from 1) of {id:?} is {price}, below the level before it, {before}"
    )]
    LevelOrder {
        /// The player.
        id: String,
        /// Which level, from 1.
        level: usize,
        /// Its price.
        price: f64,
        /// The price of the level before.
        before: f64,
    },
}

pub(super) fn rules(rules: &Rules) -> Result<(), GameError> {
    let values = [
        ("grid_buy", rules.grid_buy),
        ("grid_sell", rules.grid_sell),
        ("rho0", rules.rho0),
        ("margin", rules.margin),
        ("alpha", rules.alpha),
    ];
    for (field, value) in values {
        finite(field, value)?;
    }
    if rules.grid_sell <= 0.0 {
        return Err(GameError::GridSell {
            grid_sell: rules.grid_sell,
        });
    }
    if rules.grid_buy >= rules.grid_sell {
        return Err(GameError::GridPrices {
            grid_buy: rules.grid_buy,
            grid_sell: rules.grid_sell,
        });
    }
    if !(2..=MAX_LEVELS).contains(&rules.n_levels) {
        return Err(GameError::LevelCount {
            n_levels: rules.n_levels,
        });
    }
    if !(1..=MAX_ROUNDS).contains(&rules.max_iter) {
        return Err(GameError::Rounds {
            max_iter: rules.max_iter,
        });
    }
    if rules.alpha <= 0.0 || rules.alpha > 1.0 {
        return Err(GameError::Alpha { alpha: rules.alpha });
    }
    if rules.margin <= 0.0 {
        return Err(GameError::Margin {
            margin: rules.margin,
        });
    }
    Ok(())
}

pub(super) fn demand(demand_kw: f64, rules: &Rules) -> Result<(), GameError> {
    finite("demand_kw", demand_kw)?;
    if demand_kw < 0.0 {
        return Err(GameError::Demand { demand_kw });
    }
    if demand_kw < MIN_CAPACITY_KW && rules.response == Response::Cournot {
        return Err(GameError::CournotDemand { demand_kw });
    }
    Ok(())
}

pub(super) fn players(players: &[Player], rules: &Rules) -> Result<(), GameError> {
    if !(1..=MAX_PLAYERS).contains(&players.len()) {
        return Err(GameError::PlayerCount {
            players: players.len(),
        });
    }
    let mut seen = BTreeMap::new();
    for (index, player) in players.iter().enumerate() {
        if player.id.is_empty() {
            return Err(GameError::EmptyId { index });
        }
        if let Some(first) = seen.insert(player.id.as_str(), index) {
            return Err(GameError::DuplicateId {
                id: player.id.clone(),
                first,
                second: index,
            });
        }
        one_player(player, rules)?;
    }
    Ok(())
}

/// Levels that come from the formula can overflow although every input is in range: a quotient by a small capacity.
pub(super) fn levels(game: &Game) -> Result<(), GameError> {
    let n = game.rules.n_levels;
    let mut row = Vec::with_capacity(n);
    for player in &game.players {
        row.clear();
        crate::bid::append_levels(player, &game.rules, &mut row);
        for (s, &price) in row.iter().enumerate() {
            if !in_range(price) {
                return Err(GameError::Level {
                    id: player.id.clone(),
                    level: s + 1,
                    price,
                });
            }
        }
    }
    Ok(())
}

fn one_player(player: &Player, rules: &Rules) -> Result<(), GameError> {
    let cost = &player.cost;
    for (name, value) in [('a', cost.a), ('b', cost.b), ('c', cost.c)] {
        if !in_range(value) || value < 0.0 {
            return Err(GameError::CostCoefficient {
                id: player.id.clone(),
                name,
                value,
            });
        }
    }
    if !in_range(player.capacity_kw) || player.capacity_kw < MIN_CAPACITY_KW {
        return Err(GameError::Capacity {
            id: player.id.clone(),
            capacity_kw: player.capacity_kw,
        });
    }
    let Some(levels) = &player.levels else {
        return Ok(());
    };
    if levels.len() != rules.n_levels {
        return Err(GameError::OwnLevelCount {
            id: player.id.clone(),
            given: levels.len(),
            n_levels: rules.n_levels,
        });
    }
    for (s, &price) in levels.iter().enumerate() {
        if !in_range(price) {
            return Err(GameError::Level {
                id: player.id.clone(),
                level: s + 1,
                price,
            });
        }
        if s > 0 && price < levels[s - 1] {
            return Err(GameError::LevelOrder {
                id: player.id.clone(),
                level: s + 1,
                price,
                before: levels[s - 1],
            });
        }
    }
    Ok(())
}

fn finite(field: &'static str, value: f64) -> Result<(), GameError> {
    if in_range(value) {
        Ok(())
    } else {
        Err(GameError::NotFinite { field, value })
    }
}

/// False for NaN and the infinities as well.
fn in_range(value: f64) -> bool {
    value.abs() <= MAX_MAGNITUDE
}
