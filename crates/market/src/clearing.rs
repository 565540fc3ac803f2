//! Strict merit order of blocks against an inelastic demand.
//!
//! Blocks are walked by (price, player, level). Unmet demand is imported from the grid at L⁺, which therefore beats
//! every block above L⁺.
//!
//! **Deviations.** Ties are broken by the order of the players (the paper is silent); the price correction clamps into
//! [L⁻, L⁺] (the paper's "otherwise → maximum" must mean "if above").
//!
//! Source: Hu et al. 2022, section 4.1, eqs. (8)-(9) and Fig. 5.

use crate::game::Rules;

/// Remaining demand and offers up to this size, kW, count as nothing.
pub const VOLUME_TOLERANCE_KW: f64 = 1e-9;

/// Result of one clearing.
#[derive(Clone, Debug, PartialEq)]
pub struct Clearing {
    /// Clearing price ρ, currency/kWh, within [L⁻, L⁺].
    pub price: f64,
    /// Accepted power by block, `N × n`, row = player, kW.
    pub accepted_kw: Vec<f64>,
}

/// The blocks of a game in merit order; the levels do not move during a game, so they are sorted once.
#[derive(Clone, Debug)]
pub struct MeritOrder {
    /// Price of every rank, ascending.
    price: Vec<f64>,
    /// Block (player · n + level) at every rank.
    block: Vec<u32>,
    /// Rank of every block.
    rank: Vec<u32>,
}

impl MeritOrder {
    /// Sorts the blocks of `levels` (`N × n`, at most `u32::MAX` numbers, currency/kWh).
    #[must_use]
    pub fn new(levels: &[f64]) -> MeritOrder {
        let mut keys: Vec<(u64, u32)> = levels
            .iter()
            .zip(0u32..)
            .map(|(&price, block)| (sort_key(price), block))
            .collect();
        keys.sort_unstable();
        let mut rank = vec![0; keys.len()];
        for (&(_, block), place) in keys.iter().zip(0u32..) {
            rank[block as usize] = place;
        }
        let block: Vec<u32> = keys.into_iter().map(|(_, block)| block).collect();
        let price = block.iter().map(|&b| levels[b as usize]).collect();
        MeritOrder { price, block, rank }
    }

    /// Ranks by block, `N × n`.
    #[must_use]
    pub fn ranks(&self) -> &[u32] {
        &self.rank
    }

    /// Clears `offers_by_rank` (kW) against `demand_kw`, handing every accepted (block, kW) to `accept`; returns ρ.
    pub fn clear_ranks(
        &self,
        offers_by_rank: &[f64],
        demand_kw: f64,
        rules: &Rules,
        mut accept: impl FnMut(usize, f64),
    ) -> f64 {
        let mut remaining = demand_kw;
        let mut last = None;
        for ((&offer, &price), &block) in offers_by_rank.iter().zip(&self.price).zip(&self.block) {
            if remaining <= VOLUME_TOLERANCE_KW || price > rules.grid_sell {
                break;
            }
            if offer <= VOLUME_TOLERANCE_KW {
                continue;
            }
            let taken = offer.min(remaining);
            remaining -= taken;
            accept(block as usize, taken);
            last = Some(price);
        }
        let raw = if remaining > VOLUME_TOLERANCE_KW {
            rules.grid_sell
        } else {
            last.unwrap_or(rules.grid_buy)
        };
        raw.max(rules.grid_buy).min(rules.grid_sell)
    }

    /// Clears the offers `capacity × share` of all blocks (`shares`: `N × n`).
    #[must_use]
    pub fn clear(
        &self,
        capacity_kw: &[f64],
        shares: &[f64],
        demand_kw: f64,
        rules: &Rules,
    ) -> Clearing {
        let n = rules.n_levels;
        let offers: Vec<f64> = self
            .block
            .iter()
            .map(|&b| capacity_kw[b as usize / n] * shares[b as usize])
            .collect();
        let mut accepted_kw = vec![0.0; shares.len()];
        let price = self.clear_ranks(&offers, demand_kw, rules, |block, kw| {
            accepted_kw[block] = kw
        });
        Clearing { price, accepted_kw }
    }
}

/// Maps a finite float to an integer of the same order.
fn sort_key(price: f64) -> u64 {
    let bits = price.to_bits();
    if bits >> 63 == 0 {
        bits | (1 << 63)
    } else {
        !bits
    }
}
