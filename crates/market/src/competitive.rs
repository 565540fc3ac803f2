//! Price takers: the least-cost dispatch against the two prices of the grid.
//!
//! Every microgrid produces where its marginal cost meets the price, `q = clip((ρ − b)/2a, 0, Q)`. ρ = L⁺ with a shortage
//! when that does not reach the demand, ρ = L⁻ with export when it exceeds the demand. Outputs are unique when every
//! a > 0. With a = 0 a unit runs fully above ρ = b and not below; units at exactly ρ = b are filled in player order with
//! what the demand leaves.
//!
//! **Deviations.** Not in the paper: the benchmark without strategic bids.

use crate::equilibrium::OutputSolution;
use crate::game::{Game, Player};

/// The competitive equilibrium.
#[must_use]
pub fn solve(game: &Game) -> OutputSolution {
    let price = price(game);
    let mut output_kw: Vec<f64> = game.players().iter().map(|p| output(p, price)).collect();
    let mut remaining = game.demand_kw() - output_kw.iter().sum::<f64>();
    for (player, q) in game.players().iter().zip(&mut output_kw) {
        if indifferent(player, price) && remaining > 0.0 {
            *q = player.capacity_kw.min(remaining);
            remaining -= *q;
        }
    }
    OutputSolution {
        clearing_price: price,
        output_kw,
    }
}

/// Largest gain of every player by another output in [0, Q] at the given price, currency/h, at least 0.
#[must_use]
pub fn gains(game: &Game, solution: &OutputSolution) -> Vec<f64> {
    let price = solution.clearing_price;
    let gain = |(player, &q): (&Player, &f64)| {
        let variable = |q: f64| (price - player.cost.b - player.cost.a * q) * q;
        (variable(output(player, price)) - variable(q)).max(0.0)
    };
    game.players()
        .iter()
        .zip(&solution.output_kw)
        .map(gain)
        .collect()
}

/// Output at a price; 0 for a unit that does not care.
fn output(player: &Player, price: f64) -> f64 {
    let spread = price - player.cost.b;
    if spread <= 0.0 {
        0.0
    } else if player.cost.a > 0.0 {
        (spread / (2.0 * player.cost.a)).min(player.capacity_kw)
    } else {
        player.capacity_kw
    }
}

/// A constant marginal cost equal to the price: any output earns the same.
fn indifferent(player: &Player, price: f64) -> bool {
    player.cost.a <= 0.0 && player.cost.b == price
}

/// The price at which supply meets the demand; supply rises with the price and is linear between kinks.
fn price(game: &Game) -> f64 {
    let (low, high) = (game.rules().grid_buy, game.rules().grid_sell);
    let demand = game.demand_kw();
    let willing = |price: f64| game.players().iter().map(|p| output(p, price)).sum::<f64>();
    let able = |price: f64| {
        let steps = game
            .players()
            .iter()
            .filter(|p| indifferent(p, price))
            .map(|p| p.capacity_kw);
        willing(price) + steps.sum::<f64>()
    };
    if willing(high) <= demand {
        return high;
    }
    if willing(low) >= demand {
        return low;
    }
    let mut kinks = vec![low, high];
    for player in game.players() {
        let full = player.cost.marginal(player.capacity_kw);
        kinks.extend(
            [player.cost.b, full]
                .into_iter()
                .filter(|&kink| kink > low && kink < high),
        );
    }
    kinks.sort_unstable_by(f64::total_cmp);
    let above = kinks.partition_point(|&kink| able(kink) < demand);
    let Some(&right) = kinks.get(above) else {
        return high;
    };
    if above == 0 || willing(right) <= demand {
        return right;
    }
    let left = kinks[above - 1];
    let (supply, next) = (able(left), willing(right));
    left + (right - left) * (demand - supply) / (next - supply)
}
