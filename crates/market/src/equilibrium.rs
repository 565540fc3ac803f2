//! Rounds of bidding up to an equilibrium, an approximate one, or a failed round.
//!
//! Round k: every microgrid answers the price ρ^{k−1} and the others' bids, the market clears, and
//! ρ^k = ρ^{k−1} + α (cleared − ρ^{k−1}). It ends when no share and no price moves by more than 1e-7.
//!
//! **Guarantees.** `fit` undamped moves the price in one direction and ends in at most nN + 3 rounds. `lp` may cycle:
//! a market can have no pure equilibrium at all, or several, so the paper's "unique Nash equilibrium" does not hold.
//!
//! **Deviations.** The paper's equality of rounds (eq. 9) needs a tolerance. Its "improved iterative search" has no rule;
//! here, after 60 rounds, the cap stays at the lowest recorded price of rounds 41..60 and a microgrid moves only for a
//! gain that grows from round to round: the outcome is an ε-equilibrium and says so. Eq. (8) mixes rounds k and k+1; the
//! order is a rule of the game (Gauss-Seidel or Jacobi).
//!
//! Cost of a round: O(nN) for Jacobi and `fit`, O(nN log nN) for Gauss-Seidel; blocks are sorted once.
//!
//! Source: Hu et al. 2022, eqs. (8)-(9), Fig. 5.

mod ladder;
mod play;

use crate::game::{Game, Response};
use crate::{competitive, cournot};
use play::Play;
use serde::{Deserialize, Serialize};

/// Largest move of a share, or of the price (currency/kWh), that counts as standing still: eq. (9).
pub const STOP_TOLERANCE: f64 = 1e-7;
/// Rounds after which the rescue starts.
pub const RESCUE_AFTER: usize = 60;
/// Recorded rounds whose lowest price is the rescue's cap.
const RESCUE_WINDOW: usize = 20;
const RESCUE_START: f64 = 1e-6;
const RESCUE_GROWTH: f64 = 1.5;

/// How a game ended. None of these is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing moves: no microgrid gains by another bid in its band.
    Equilibrium,
    /// Nothing moves for a gain worth `eps_final`.
    EpsilonEquilibrium,
    /// Still moving after the last round: the round of bidding fails.
    Failed,
}

/// Outcome of a game: bids, or outputs under `cournot` and `competitive`.
#[derive(Clone, Debug, PartialEq)]
pub enum Solution {
    /// Bids and their clearing.
    Bids(BidSolution),
    /// Outputs and a price.
    Outputs(OutputSolution),
}

impl Solution {
    /// How the game ended.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Solution::Bids(bids) => bids.status,
            Solution::Outputs(_) => Status::Equilibrium,
        }
    }

    /// Price of the last clearing, currency/kWh.
    #[must_use]
    pub fn clearing_price(&self) -> f64 {
        match self {
            Solution::Bids(bids) => bids.clearing_price,
            Solution::Outputs(outputs) => outputs.clearing_price,
        }
    }
}

/// Final bids of a game under `lp` or `fit`.
#[derive(Clone, Debug, PartialEq)]
pub struct BidSolution {
    /// How it ended.
    pub status: Status,
    /// Rounds played k.
    pub rounds: usize,
    /// Recorded prices ρ⁰ to ρ^k, currency/kWh.
    pub price_history: Vec<f64>,
    /// Cap of the final band, currency/kWh: the last recorded price, or the rescue's cap.
    pub cap_price: f64,
    /// Undamped price of the last clearing, currency/kWh.
    pub clearing_price: f64,
    /// Gain, relative to the income and at least in currency/h, that no longer moved anybody; 0 without rescue.
    pub eps_final: f64,
    /// Shares of the capacity, `N × n`, row = player.
    pub shares: Vec<f64>,
    /// Accepted power, `N × n`, row = player, kW.
    pub accepted_kw: Vec<f64>,
}

/// Outputs under `cournot` or `competitive`; always an equilibrium.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputSolution {
    /// Price, currency/kWh.
    pub clearing_price: f64,
    /// Output by player, kW.
    pub output_kw: Vec<f64>,
}

/// Plays a game. Deterministic: the same game gives the same bits.
#[must_use]
pub fn solve(game: &Game) -> Solution {
    match game.rules().response {
        Response::Lp | Response::Fit => Solution::Bids(solve_bids(game)),
        Response::Cournot => Solution::Outputs(cournot::solve(game)),
        Response::Competitive => Solution::Outputs(competitive::solve(game)),
    }
}

/// Rescue in force: its cap and the gain below which nobody moves.
#[derive(Clone, Copy, Debug)]
struct Rescue {
    cap: f64,
    eps: f64,
}

fn solve_bids(game: &Game) -> BidSolution {
    let rules = game.rules();
    let start = rules.rho0.max(rules.grid_buy).min(rules.grid_sell);
    let mut history = vec![start];
    let mut play = Play::new(game, start);
    let mut rescue = None;
    let mut cleared = start;
    let mut status = Status::Failed;
    for round in 1..=rules.max_iter {
        let before = history[round - 1];
        rescue = next_rescue(round, rescue, &history);
        let moved = play.round(
            rescue.map_or(before, |r: Rescue| r.cap),
            rescue.map(|r| r.eps),
        );
        cleared = play.clear();
        let price = damped(before, cleared, rules.alpha);
        history.push(price);
        if moved > STOP_TOLERANCE {
            continue;
        }
        if rescue.is_some() {
            status = Status::EpsilonEquilibrium;
            break;
        }
        if (price - before).abs() <= STOP_TOLERANCE {
            status = Status::Equilibrium;
            break;
        }
    }
    let (shares, accepted_kw) = play.finish();
    BidSolution {
        status,
        rounds: history.len() - 1,
        cap_price: rescue.map_or(history[history.len() - 1], |r| r.cap),
        price_history: history,
        clearing_price: cleared,
        eps_final: rescue.map_or(0.0, |r| r.eps),
        shares,
        accepted_kw,
    }
}

/// α = 1 takes the cleared price as it is, without the rounding of a difference added back.
fn damped(before: f64, cleared: f64, alpha: f64) -> f64 {
    if alpha >= 1.0 {
        cleared
    } else {
        before + alpha * (cleared - before)
    }
}

/// ε by repeated product: a power function may round differently on another machine.
fn next_rescue(round: usize, rescue: Option<Rescue>, history: &[f64]) -> Option<Rescue> {
    if let Some(Rescue { cap, eps }) = rescue {
        return Some(Rescue {
            cap,
            eps: (eps * RESCUE_GROWTH).min(1.0),
        });
    }
    if round <= RESCUE_AFTER {
        return None;
    }
    let window = &history[round - RESCUE_WINDOW..round];
    let cap = window.iter().copied().fold(f64::INFINITY, f64::min);
    Some(Rescue {
        cap,
        eps: RESCUE_START * RESCUE_GROWTH,
    })
}
