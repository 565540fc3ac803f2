//! Steps 3 and 4: bids and the search for an equilibrium among the sellers of one interval.
//!
//! Demand is what the buyers lack together. A round that fails, or a side that is empty, is an outcome with a reason:
//! everybody then trades with the grid, and the report says so.

use tieline_contract::settlement::GridPrices;
use tieline_market::award::{kilowatts, per_kwh};
use tieline_market::certificate::{Certificate, RoundRef};
use tieline_market::equilibrium::{self, Solution, Status};
use tieline_market::game::{Cost, Game, Player, Rules};
use tieline_market::position::Position;

use super::stage::{Slot, Stage};

/// Why a round ended without a market, or that it did not.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Sellers and buyers met.
    Cleared,
    /// Nobody has a surplus.
    NoSellers,
    /// Nobody has a deficit.
    NoBuyers,
    /// No equilibrium in the allowed number of rounds.
    Failed {
        /// Rounds played.
        rounds: usize,
    },
    /// The grid charges no more than it pays: nothing is to be gained among members.
    NoPriceBand(GridPrices),
    /// An equilibrium at which nobody trades.
    NoTrade {
        /// Why.
        why: &'static str,
    },
    /// The game or the matching refused what it was given.
    Refused {
        /// Why.
        why: String,
    },
}

impl Outcome {
    /// One word for tables and JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Cleared => "cleared",
            Outcome::NoSellers => "no-sellers",
            Outcome::NoBuyers => "no-buyers",
            Outcome::Failed { .. } => "failed",
            Outcome::NoPriceBand(_) => "no-price-band",
            Outcome::NoTrade { .. } => "no-trade",
            Outcome::Refused { .. } => "refused",
        }
    }

    /// The reason in words; empty when cleared.
    pub fn reason(&self) -> String {
        match self {
            Outcome::Cleared => String::new(),
            Outcome::NoSellers => "no member has a surplus to sell".to_owned(),
            Outcome::NoBuyers => "no member has a deficit to buy for".to_owned(),
            Outcome::Failed { rounds } => format!("no equilibrium in {rounds} rounds"),
            Outcome::NoPriceBand(grid) => {
                format!(
                    "the grid charges {} and pays {} per kWh",
                    grid.import, grid.export
                )
            }
            Outcome::NoTrade { why } => (*why).to_owned(),
            Outcome::Refused { why } => why.clone(),
        }
    }
}

/// One block of a seller's bid with what the clearing accepted of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    /// Index of the member.
    pub member: usize,
    /// Price level, 1 = lowest.
    pub level: usize,
    /// Currency per kWh.
    pub price: f64,
    /// Offered, kW.
    pub offered_kw: f64,
    /// Accepted, kW.
    pub accepted_kw: f64,
}

/// A game that was played, with its certificate.
#[derive(Clone, Debug)]
pub struct Played {
    /// The game.
    pub game: Game,
    /// How it ended.
    pub status: Status,
    /// Rounds of the search (0 where the equilibrium has a formula).
    pub rounds: usize,
    /// Clearing price ρ, currency per kWh.
    pub clearing_price: f64,
    /// Prices ρ⁰, ρ¹, ..., currency per kWh.
    pub price_history: Vec<f64>,
    /// Bids in the order of members and levels.
    pub blocks: Vec<Block>,
    /// What an auditor recomputes.
    pub certificate: Certificate,
}

/// What steps 3 and 4 hand over.
#[derive(Clone, Debug)]
pub struct Round {
    /// How the round ended.
    pub outcome: Outcome,
    /// Positions on the forecast, one per member.
    pub positions: Vec<Position>,
    /// The game, where one was played.
    pub played: Option<Played>,
}

/// Steps 3 and 4.
#[derive(Clone, Debug)]
pub struct Bidding;

impl Stage for Bidding {
    type Input = Vec<Position>;
    type Output = Round;

    fn run(&self, slot: &Slot<'_>, positions: Vec<Position>) -> anyhow::Result<Round> {
        if let Some(outcome) = without_market(&positions, slot.grid) {
            return Ok(Round {
                outcome,
                positions,
                played: None,
            });
        }
        let game = match game(slot, &positions) {
            Ok(game) => game,
            Err(why) => {
                let outcome = Outcome::Refused {
                    why: why.to_string(),
                };
                return Ok(Round {
                    outcome,
                    positions,
                    played: None,
                });
            }
        };
        let played = play(slot, game, &positions);
        let outcome = match played.status {
            Status::Failed => Outcome::Failed {
                rounds: played.rounds,
            },
            Status::Equilibrium | Status::EpsilonEquilibrium => Outcome::Cleared,
        };
        Ok(Round {
            outcome,
            positions,
            played: Some(played),
        })
    }
}

fn without_market(positions: &[Position], grid: GridPrices) -> Option<Outcome> {
    let any = |side: fn(&Position) -> bool| positions.iter().any(side);
    if !any(|position| matches!(position, Position::Seller(_))) {
        return Some(Outcome::NoSellers);
    }
    if !any(|position| matches!(position, Position::Buyer(_))) {
        return Some(Outcome::NoBuyers);
    }
    let import_is_positive = grid.import.as_millionths() > 0;
    (grid.import <= grid.export || !import_is_positive).then_some(Outcome::NoPriceBand(grid))
}

fn game(slot: &Slot<'_>, positions: &[Position]) -> Result<Game, tieline_market::game::GameError> {
    let mut players = Vec::new();
    let mut demand_kw = 0.0;
    for (position, member) in positions.iter().zip(&slot.scenario.microgrids) {
        match position {
            Position::Seller(surplus) => players.push(Player {
                id: member.id.to_string(),
                cost: Cost {
                    a: member.cost_a,
                    b: member.cost_b,
                    c: 0.0,
                },
                capacity_kw: kilowatts(*surplus),
                levels: None,
            }),
            Position::Buyer(deficit) => demand_kw += kilowatts(*deficit),
            Position::Balanced => {}
        }
    }
    Game::new(players, rules(slot), demand_kw)
}

fn rules(slot: &Slot<'_>) -> Rules {
    let market = &slot.scenario.config.market;
    let (buy, sell) = (per_kwh(slot.grid.export), per_kwh(slot.grid.import));
    Rules {
        strategy: market.strategy,
        n_levels: market.levels as usize,
        margin: ratio(market.margin_ppm),
        response: market.response,
        order: market.order,
        alpha: ratio(market.alpha_ppm),
        grid_buy: buy,
        grid_sell: sell,
        rho0: market.rho0.map_or((buy + sell) / 2.0, per_kwh),
        max_iter: market.max_rounds as usize,
        safe_levels: market.safe_levels,
    }
}

/// Parts per million as a plain number.
pub fn ratio(ppm: u32) -> f64 {
    f64::from(ppm) / 1e6
}

fn play(slot: &Slot<'_>, game: Game, positions: &[Position]) -> Played {
    let sellers: Vec<usize> = (0..positions.len())
        .filter(|&m| matches!(positions[m], Position::Seller(_)))
        .collect();
    let solution = equilibrium::solve(&game);
    let certificate = Certificate::issue(&game, &solution).of_round(RoundRef {
        interval_start_utc: slot.interval.start.to_string(),
        interval_minutes: slot.interval.length.minutes(),
        currency: slot.grid.currency.to_string(),
    });
    match solution {
        Solution::Bids(bids) => Played {
            status: bids.status,
            rounds: bids.rounds,
            clearing_price: bids.clearing_price,
            blocks: bid_blocks(&game, &sellers, &bids.shares, &bids.accepted_kw),
            price_history: bids.price_history,
            certificate,
            game,
        },
        Solution::Outputs(outputs) => Played {
            status: Status::Equilibrium,
            rounds: 0,
            clearing_price: outputs.clearing_price,
            price_history: vec![outputs.clearing_price],
            blocks: output_blocks(&game, &sellers, outputs.clearing_price, &outputs.output_kw),
            certificate,
            game,
        },
    }
}

fn bid_blocks(game: &Game, sellers: &[usize], shares: &[f64], accepted: &[f64]) -> Vec<Block> {
    let levels = game.rules().n_levels;
    let prices = game.price_levels();
    (0..shares.len())
        .map(|at| Block {
            member: sellers[at / levels],
            level: at % levels + 1,
            price: prices[at],
            offered_kw: game.players()[at / levels].capacity_kw * shares[at],
            accepted_kw: accepted[at],
        })
        .collect()
}

/// Outputs under `cournot` and `competitive` are one block each at the one price; an output beyond the demand is cut in
/// the order of the members.
fn output_blocks(game: &Game, sellers: &[usize], price: f64, output: &[f64]) -> Vec<Block> {
    let mut demand = game.demand_kw();
    let block = |(&member, &kw): (&usize, &f64)| {
        let accepted_kw = kw.min(demand);
        demand -= accepted_kw;
        Block {
            member,
            level: 1,
            price,
            offered_kw: kw,
            accepted_kw,
        }
    };
    sellers.iter().zip(output).map(block).collect()
}
