//! Scenario files of the bidding game: a document in, a report per demand out.
//!
//! A file holds either a scenario or `{"scenario": …, "expected": …}`; `expected` is not read. Unknown keys are refused.
//! The format is any that serde knows; the files are JSON.
//!
//! ```json
//! {"name": "one", "demand_kw": [80, 120],
//!  "microgrids": [{"id": "MG1", "a": 0.0005, "b": 0.1, "c": 0.3, "q_max": 200}],
//!  "market": {"grid_buy": 0.1, "grid_sell": 0.8, "rho0": 0.35}}
//! ```

use crate::equilibrium::{Solution, solve};
use crate::game::{Cost, Game, GameError, Player, Rules};
use crate::report::{Report, assess};
use serde::de::{self, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use thiserror::Error;

/// Most demands of one scenario.
pub const MAX_DEMANDS: usize = 100_000;

/// A scenario of the bidding game.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Document")]
pub struct Scenario {
    /// Name, repeated in the results; may be empty.
    pub name: String,
    /// Demands, kW: independent games, each from ρ⁰.
    pub demand_kw: Vec<f64>,
    /// The microgrids.
    pub microgrids: Vec<Player>,
    /// The rules.
    pub market: Rules,
}

/// Results of a scenario, one per demand.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseResults {
    /// Name of the scenario.
    pub name: String,
    /// Reports in the order of the demands.
    pub results: Vec<Report>,
}

/// Why a scenario was refused.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum CaseError {
    /// No or too many demands.
    #[error("scenario {name:?} has {demands} demands, must be 1 to {MAX_DEMANDS}")]
    DemandCount {
        /// The scenario.
        name: String,
        /// How many.
        demands: usize,
    },
    /// A game was refused.
    #[error("scenario {name:?}, demand {index} (counted from 0): {source}")]
    Game {
        /// The scenario.
        name: String,
        /// Which demand, from 0.
        index: usize,
        /// Why.
        source: GameError,
    },
}

impl Scenario {
    /// The games of the scenario, one per demand.
    ///
    /// # Errors
    /// [`CaseError::DemandCount`] and [`CaseError::Game`].
    pub fn games(&self) -> Result<Vec<Game>, CaseError> {
        if !(1..=MAX_DEMANDS).contains(&self.demand_kw.len()) {
            return Err(CaseError::DemandCount {
                name: self.name.clone(),
                demands: self.demand_kw.len(),
            });
        }
        let game = |(index, &demand): (usize, &f64)| {
            Game::new(self.microgrids.clone(), self.market.clone(), demand).map_err(|source| {
                CaseError::Game {
                    name: self.name.clone(),
                    index,
                    source,
                }
            })
        };
        self.demand_kw.iter().enumerate().map(game).collect()
    }

    /// Solves every game of the scenario.
    ///
    /// # Errors
    /// As [`Scenario::games`].
    pub fn run(&self) -> Result<CaseResults, CaseError> {
        let report = |game: &Game| {
            let solution: Solution = solve(game);
            assess(&self.name, game, &solution)
        };
        let results = self.games()?.iter().map(report).collect();
        Ok(CaseResults {
            name: self.name.clone(),
            results,
        })
    }
}

/// Either form of a file; which one is seen by its keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    scenario: Option<Bare>,
    #[serde(rename = "expected")]
    _expected: Option<IgnoredAny>,
    name: Option<String>,
    demand_kw: Option<Demand>,
    microgrids: Option<Vec<Microgrid>>,
    market: Option<Rules>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bare {
    #[serde(default)]
    name: String,
    demand_kw: Demand,
    microgrids: Vec<Microgrid>,
    market: Rules,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Microgrid {
    id: String,
    a: f64,
    b: f64,
    c: f64,
    q_max: f64,
    levels: Option<Vec<f64>>,
}

/// A number or a list of numbers, kW.
struct Demand(Vec<f64>);

impl TryFrom<Document> for Scenario {
    type Error = &'static str;

    fn try_from(document: Document) -> Result<Scenario, &'static str> {
        let Document {
            scenario,
            name,
            demand_kw,
            microgrids,
            market,
            ..
        } = document;
        let bare = match scenario {
            None => Bare {
                name: name.unwrap_or_default(),
                demand_kw: demand_kw.ok_or("missing field `demand_kw`")?,
                microgrids: microgrids.ok_or("missing field `microgrids`")?,
                market: market.ok_or("missing field `market`")?,
            },
            Some(_) if demand_kw.is_some() || microgrids.is_some() || market.is_some() => {
                return Err("fields of a scenario both inside and beside `scenario`");
            }
            Some(bare) => bare,
        };
        Ok(Scenario {
            name: bare.name,
            demand_kw: bare.demand_kw.0,
            microgrids: bare.microgrids.into_iter().map(Player::from).collect(),
            market: bare.market,
        })
    }
}

impl From<Microgrid> for Player {
    fn from(
        Microgrid {
            id,
            a,
            b,
            c,
            q_max,
            levels,
        }: Microgrid,
    ) -> Player {
        Player {
            id,
            cost: Cost { a, b, c },
            capacity_kw: q_max,
            levels,
        }
    }
}

impl<'de> Deserialize<'de> for Demand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Demand, D::Error> {
        deserializer.deserialize_any(DemandVisitor)
    }
}

struct DemandVisitor;

impl<'de> Visitor<'de> for DemandVisitor {
    type Value = Demand;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a demand in kW or a list of them")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Demand, E> {
        Ok(Demand(vec![value]))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Demand, E> {
        Ok(Demand(vec![value as f64]))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Demand, E> {
        Ok(Demand(vec![value as f64]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Demand, A::Error> {
        let mut out = Vec::new();
        while let Some(value) = list.next_element()? {
            out.push(value);
        }
        Ok(Demand(out))
    }
}
