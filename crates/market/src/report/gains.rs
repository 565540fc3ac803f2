//! How much every microgrid could still gain: the distance of a state from an equilibrium.

use crate::bid::{Band, margin_floor};
use crate::clearing::MeritOrder;
use crate::game::Game;
use crate::response::Situation;
use crate::response::lp::Search;
use serde::{Deserialize, Serialize};

/// Gain of one microgrid by its best bid against the others' final bids, currency/h, at least 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gain {
    /// With a mean offer in the band.
    pub banded: f64,
    /// With any bid: the distance from a Nash equilibrium of the auction itself.
    pub free: f64,
}

/// Gains left at the bids `shares` (`N × n`, row = player) under the cap `cap_price` (currency/kWh), by player.
#[must_use]
pub fn bid_gains(game: &Game, cap_price: f64, shares: &[f64]) -> Vec<Gain> {
    let rules = game.rules();
    let n = rules.n_levels;
    let levels = game.price_levels();
    let merit = MeritOrder::new(&levels);
    let below = offers_below(game, &merit, shares);
    let mut search = Search::new();
    let mut residual = vec![0.0; n];
    let mut out = Vec::with_capacity(game.players().len());
    for (i, player) in game.players().iter().enumerate() {
        let row = i * n..(i + 1) * n;
        let (own_levels, own) = (&levels[row.clone()], &shares[row.clone()]);
        let mut own_below = 0.0;
        for (s, block) in row.enumerate() {
            let left = game.demand_kw() - (below[merit.ranks()[block] as usize] - own_below);
            residual[s] = if own_levels[s] > rules.grid_sell {
                0.0
            } else {
                left.max(0.0)
            };
            own_below += player.capacity_kw * own[s];
        }
        let situation = Situation {
            levels: own_levels,
            residual_kw: &residual,
            capacity_kw: player.capacity_kw,
            grid_buy: rules.grid_buy,
        };
        let band = Band::new(margin_floor(player, rules), cap_price, own_levels);
        let income = situation.income(own);
        out.push(Gain {
            banded: (search.best_income(&situation, band) - income).max(0.0),
            free: (situation.best_free_income() - income).max(0.0),
        });
    }
    out
}

/// Offers below every rank, kW.
fn offers_below(game: &Game, merit: &MeritOrder, shares: &[f64]) -> Vec<f64> {
    let n = game.rules().n_levels;
    let mut offers = vec![0.0; shares.len()];
    for ((&share, &rank), block) in shares.iter().zip(merit.ranks()).zip(0..) {
        let player: usize = block;
        offers[rank as usize] = game.players()[player / n].capacity_kw * share;
    }
    let mut sum = 0.0;
    for offer in &mut offers {
        let below = sum;
        sum += *offer;
        *offer = below;
    }
    offers
}
