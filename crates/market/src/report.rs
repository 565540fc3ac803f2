//! What a solved game means for everybody: offers, sales, incomes, costs and gains left on the table.
//!
//! The structs serialise to the fields of the case files. Units: kW, currency/kWh, currency/h.
//!
//! Settlement is pay-as-bid plus export of the unsold surplus, `W = sum_s b_s a_s + L⁻ (Q − A)`.
//!
//! **Deviations.** The paper's W = Σ b q counts offers that were never sold; its own Table 1 contradicts both that and a
//! uniform price. Uniform income and the paper's formula are reported beside W.
//!
//! Source: Hu et al. 2022, eq. (5), section 5.1.

mod gains;

use crate::bid;
use crate::equilibrium::{BidSolution, OutputSolution, Solution, Status};
use crate::game::{Game, Player, Response, Strategy};
use crate::{competitive, cournot};
pub use gains::{Gain, bid_gains};
use serde::Serialize;

/// Report of a game under any response rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Report {
    /// Under `lp` or `fit`.
    Bids(BidReport),
    /// Under `cournot`.
    Cournot(CournotReport),
    /// Under `competitive`.
    Competitive(CompetitiveReport),
}

impl Report {
    /// Demand D, kW.
    #[must_use]
    pub fn demand_kw(&self) -> f64 {
        match self {
            Report::Bids(report) => report.demand_kw,
            Report::Cournot(report) => report.demand_kw,
            Report::Competitive(report) => report.demand_kw,
        }
    }

    /// How the game ended.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Report::Bids(report) => report.status,
            Report::Cournot(report) => report.status,
            Report::Competitive(report) => report.status,
        }
    }

    /// Clearing price, currency/kWh.
    #[must_use]
    pub fn clearing_price(&self) -> f64 {
        match self {
            Report::Bids(report) => report.clearing_price,
            Report::Cournot(report) => report.clearing_price,
            Report::Competitive(report) => report.clearing_price,
        }
    }

    /// Rounds played; 0 where the equilibrium has a formula.
    #[must_use]
    pub fn iterations(&self) -> usize {
        match self {
            Report::Bids(report) => report.iterations,
            Report::Cournot(_) | Report::Competitive(_) => 0,
        }
    }
}

/// Report of a game of bids.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BidReport {
    /// Name of the scenario.
    pub name: String,
    /// Demand D, kW.
    pub demand_kw: f64,
    /// Rule of the price levels.
    pub strategy: Strategy,
    /// Rule of response.
    pub response: Response,
    /// How the game ended.
    pub status: Status,
    /// Rounds played.
    pub iterations: usize,
    /// Price of the last clearing, currency/kWh.
    pub clearing_price: f64,
    /// Cap of the final band, currency/kWh.
    pub cap_price: f64,
    /// Demand left to the grid, kW.
    pub shortage_kw: f64,
    /// Gain that no longer moved anybody, relative; 0 without rescue.
    pub eps_final: f64,
    /// Largest gain within the band, currency/h.
    pub exploitability_banded: f64,
    /// Largest gain without a band, currency/h.
    pub exploitability_free: f64,
    /// Largest gain without a band relative to the income, over microgrids with a positive income.
    pub rel_exploitability_free: f64,
    /// Sums over the microgrids.
    pub totals: Totals,
    /// Every microgrid, in the order of the game.
    pub microgrids: Vec<MicrogridReport>,
    /// Recorded prices ρ⁰ to ρ^k, currency/kWh.
    pub price_history: Vec<f64>,
}

/// Sums over the microgrids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Capacity, kW.
    pub offered_kw: f64,
    /// Sold in the market, kW.
    pub accepted_kw: f64,
    /// Income in the market, currency/h.
    pub market_income: f64,
    /// Income in the market and from the grid, currency/h.
    pub income: f64,
}

/// One microgrid of a game of bids.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MicrogridReport {
    /// Name.
    pub id: String,
    /// Capacity Q, kW.
    pub q_max: f64,
    /// Marginal cost at Q, currency/kWh.
    pub mc: f64,
    /// Average cost at Q, currency/kWh.
    pub ac: f64,
    /// Price levels b, currency/kWh.
    pub levels: Vec<f64>,
    /// Shares x of the capacity.
    pub shares: Vec<f64>,
    /// Accepted power by level, kW.
    pub accepted_blocks: Vec<f64>,
    /// Accepted power A, kW.
    pub accepted_kw: f64,
    /// `sum b a`, currency/h.
    pub market_income: f64,
    /// `L⁻ (Q − A)`, currency/h.
    pub grid_income: f64,
    /// W, currency/h.
    pub income: f64,
    /// `Q sum b x`, the paper's W, currency/h.
    pub expected_bid_income: f64,
    /// `ρ A + L⁻ (Q − A)`, currency/h.
    pub uniform_income: f64,
    /// C(Q), currency/h.
    pub cost: f64,
    /// W − C(Q), currency/h: the unit must run.
    pub profit: f64,
    /// Profit, currency/h, when the unit exports only while its marginal cost is below L⁻.
    pub profit_dispatch: f64,
    /// Gain left within the band, currency/h.
    pub gain_banded: f64,
    /// Gain left without a band, currency/h.
    pub gain_free: f64,
}

/// Report of a Cournot game.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CournotReport {
    /// Name of the scenario.
    pub name: String,
    /// Demand D, kW.
    pub demand_kw: f64,
    /// `cournot`.
    pub response: Response,
    /// Always an equilibrium.
    pub status: Status,
    /// P(S), currency/kWh.
    pub clearing_price: f64,
    /// Largest gain by another output, currency/h.
    pub exploitability_free: f64,
    /// Output by player, kW.
    pub output_kw: Vec<f64>,
    /// `P(S) q − C(q)` by player, currency/h.
    pub profit: Vec<f64>,
}

/// Report of a game of price takers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CompetitiveReport {
    /// Name of the scenario.
    pub name: String,
    /// Demand D, kW.
    pub demand_kw: f64,
    /// `competitive`.
    pub response: Response,
    /// Always an equilibrium.
    pub status: Status,
    /// ρ, currency/kWh.
    pub clearing_price: f64,
    /// Output by player, kW.
    pub output_kw: Vec<f64>,
    /// Output beyond the demand, kW.
    pub exported_kw: f64,
    /// Demand beyond the output, kW.
    pub shortage_kw: f64,
    /// `ρ q − C(q)` by player, currency/h.
    pub profit: Vec<f64>,
}

/// Reports a solution of `game` under the scenario's `name`.
#[must_use]
pub fn assess(name: &str, game: &Game, solution: &Solution) -> Report {
    match solution {
        Solution::Bids(bids) => Report::Bids(assess_bids(name, game, bids)),
        Solution::Outputs(outputs) if game.rules().response == Response::Cournot => {
            Report::Cournot(CournotReport {
                name: name.to_owned(),
                demand_kw: game.demand_kw(),
                response: game.rules().response,
                status: Status::Equilibrium,
                clearing_price: outputs.clearing_price,
                exploitability_free: largest(cournot::gains(game, &outputs.output_kw)),
                output_kw: outputs.output_kw.clone(),
                profit: output_profits(game, outputs),
            })
        }
        Solution::Outputs(outputs) => {
            let surplus = outputs.output_kw.iter().sum::<f64>() - game.demand_kw();
            Report::Competitive(CompetitiveReport {
                name: name.to_owned(),
                demand_kw: game.demand_kw(),
                response: game.rules().response,
                status: Status::Equilibrium,
                clearing_price: outputs.clearing_price,
                output_kw: outputs.output_kw.clone(),
                exported_kw: surplus.max(0.0),
                shortage_kw: (-surplus).max(0.0),
                profit: output_profits(game, outputs),
            })
        }
    }
}

/// Gains left to every player, currency/h: within the rules of the game and without a band.
#[must_use]
pub fn gains(game: &Game, solution: &Solution) -> Vec<Gain> {
    match solution {
        Solution::Bids(bids) => bid_gains(game, bids.cap_price, &bids.shares),
        Solution::Outputs(outputs) => {
            let gains = match game.rules().response {
                Response::Cournot => cournot::gains(game, &outputs.output_kw),
                _ => competitive::gains(game, outputs),
            };
            gains
                .into_iter()
                .map(|gain| Gain {
                    banded: gain,
                    free: gain,
                })
                .collect()
        }
    }
}

/// Profit `p q − C(q)` by player, currency/h.
#[must_use]
pub fn output_profits(game: &Game, outputs: &OutputSolution) -> Vec<f64> {
    let profit = |(player, &q): (&Player, &f64)| outputs.clearing_price * q - player.cost.total(q);
    game.players()
        .iter()
        .zip(&outputs.output_kw)
        .map(profit)
        .collect()
}

fn assess_bids(name: &str, game: &Game, bids: &BidSolution) -> BidReport {
    let rules = game.rules();
    let gains = bid_gains(game, bids.cap_price, &bids.shares);
    let levels = game.price_levels();
    let microgrids: Vec<MicrogridReport> = (0..game.players().len())
        .map(|i| microgrid(game, bids, &levels, i, gains[i]))
        .collect();
    let mut totals = Totals::default();
    let mut relative = 0.0_f64;
    for one in &microgrids {
        totals.offered_kw += one.q_max;
        totals.accepted_kw += one.accepted_kw;
        totals.market_income += one.market_income;
        totals.income += one.income;
        if one.income > 0.0 {
            relative = relative.max(one.gain_free / one.income);
        }
    }
    BidReport {
        name: name.to_owned(),
        demand_kw: game.demand_kw(),
        strategy: rules.strategy,
        response: rules.response,
        status: bids.status,
        iterations: bids.rounds,
        clearing_price: bids.clearing_price,
        cap_price: bids.cap_price,
        shortage_kw: (game.demand_kw() - totals.accepted_kw).max(0.0),
        eps_final: bids.eps_final,
        exploitability_banded: largest(gains.iter().map(|g| g.banded)),
        exploitability_free: largest(gains.iter().map(|g| g.free)),
        rel_exploitability_free: relative,
        totals,
        microgrids,
        price_history: bids.price_history.clone(),
    }
}

fn microgrid(
    game: &Game,
    bids: &BidSolution,
    levels: &[f64],
    i: usize,
    gain: Gain,
) -> MicrogridReport {
    let n = game.rules().n_levels;
    let (player, grid_buy) = (&game.players()[i], game.rules().grid_buy);
    let row = i * n..(i + 1) * n;
    let (levels, shares, blocks) = (
        &levels[row.clone()],
        &bids.shares[row.clone()],
        &bids.accepted_kw[row],
    );
    let accepted_kw: f64 = blocks.iter().sum();
    let market_income = bid::mean_offer(levels, blocks);
    let grid_income = grid_buy * (player.capacity_kw - accepted_kw);
    let income = market_income + grid_income;
    let cost = player.cost.total(player.capacity_kw);
    let exported = profitable_export(player, accepted_kw, grid_buy);
    MicrogridReport {
        id: player.id.clone(),
        q_max: player.capacity_kw,
        mc: player.cost.marginal(player.capacity_kw),
        ac: player.cost.average(player.capacity_kw),
        levels: levels.to_vec(),
        shares: shares.to_vec(),
        accepted_blocks: blocks.to_vec(),
        accepted_kw,
        market_income,
        grid_income,
        income,
        expected_bid_income: player.capacity_kw * bid::mean_offer(levels, shares),
        uniform_income: bids.clearing_price * accepted_kw + grid_income,
        cost,
        profit: income - cost,
        profit_dispatch: market_income + grid_buy * exported
            - player.cost.total(accepted_kw + exported),
        gain_banded: gain.banded,
        gain_free: gain.free,
    }
}

/// Export, kW, up to the output whose marginal cost is the grid's buying price.
fn profitable_export(player: &Player, accepted_kw: f64, grid_buy: f64) -> f64 {
    let unsold = (player.capacity_kw - accepted_kw).max(0.0);
    let spread = grid_buy - player.cost.b;
    if player.cost.a > 0.0 {
        (spread / (2.0 * player.cost.a) - accepted_kw)
            .max(0.0)
            .min(unsold)
    } else if spread > 0.0 {
        unsold
    } else {
        0.0
    }
}

fn largest(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(0.0, f64::max)
}
