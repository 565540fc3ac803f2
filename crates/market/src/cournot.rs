//! Cournot competition: the aggregator pays P(S) = L⁺ − k S for the total output S, k = (L⁺ − L⁻)/D.
//!
//! Every microgrid maximises P(S) q − C(q) over [0, Q]. **Guarantee:** exactly one equilibrium (Rosen 1965: minus the
//! Jacobian of the pseudo-gradient, k (I + 11ᵀ) + 2 diag(a), is positive definite). Given S, the equilibrium output is
//! `q(S) = clip((L⁺ − b − k S)/(k + 2a), 0, Q)`; S is the one root of `sum q(S) = S`, found exactly between two of the
//! sorted kinks, O(N log N).
//!
//! The fixed cost c is part of the profit of a running unit but not of the decision, as in the proof.
//!
//! **Deviations.** Not in the paper: a restriction of its game in which "the unique Nash equilibrium" is true.

use crate::equilibrium::OutputSolution;
use crate::game::{Cost, Game};

/// The equilibrium of a game with demand D > 0.
#[must_use]
pub fn solve(game: &Game) -> OutputSolution {
    let slope = price_slope(game);
    let total = total_output(game, slope);
    let grid_sell = game.rules().grid_sell;
    let output_kw = game
        .players()
        .iter()
        .map(|p| output(&p.cost, p.capacity_kw, grid_sell - slope * total, slope))
        .collect();
    OutputSolution {
        clearing_price: grid_sell - slope * total,
        output_kw,
    }
}

/// Largest gain of every player by another output in [0, Q], the others' outputs given, currency/h, at least 0.
#[must_use]
pub fn gains(game: &Game, output_kw: &[f64]) -> Vec<f64> {
    let slope = price_slope(game);
    let total: f64 = output_kw.iter().sum();
    let gain = |(player, &q): (&crate::game::Player, &f64)| {
        let intercept = game.rules().grid_sell - slope * (total - q) - player.cost.b;
        let curve = slope + player.cost.a;
        let best = (intercept / (2.0 * curve)).max(0.0).min(player.capacity_kw);
        let variable = |q: f64| (intercept - curve * q) * q;
        (variable(best) - variable(q)).max(0.0)
    };
    game.players().iter().zip(output_kw).map(gain).collect()
}

/// k, currency/kWh per kW.
fn price_slope(game: &Game) -> f64 {
    (game.rules().grid_sell - game.rules().grid_buy) / game.demand_kw()
}

/// Equilibrium output at the price P(S).
fn output(cost: &Cost, capacity_kw: f64, price: f64, slope: f64) -> f64 {
    ((price - cost.b) / (slope + 2.0 * cost.a))
        .max(0.0)
        .min(capacity_kw)
}

/// The root S of `sum q(S) − S`, which falls and is linear between kinks.
fn total_output(game: &Game, slope: f64) -> f64 {
    let grid_sell = game.rules().grid_sell;
    let offered: f64 = game.players().iter().map(|p| p.capacity_kw).sum();
    let excess = |total: f64| {
        let price = grid_sell - slope * total;
        game.players()
            .iter()
            .map(|p| output(&p.cost, p.capacity_kw, price, slope))
            .sum::<f64>()
            - total
    };
    let mut kinks = vec![0.0, offered];
    for player in game.players() {
        let stop = (grid_sell - player.cost.b) / slope;
        let full = stop - player.capacity_kw * (slope + 2.0 * player.cost.a) / slope;
        kinks.extend(
            [stop, full]
                .into_iter()
                .filter(|&kink| kink > 0.0 && kink < offered),
        );
    }
    kinks.sort_unstable_by(f64::total_cmp);
    let above = kinks.partition_point(|&kink| excess(kink) >= 0.0);
    if above == 0 {
        return 0.0;
    }
    let low = kinks[above - 1];
    let Some(&high) = kinks.get(above) else {
        return low;
    };
    let (left, right) = (excess(low), excess(high));
    low + (high - low) * left / (left - right)
}
