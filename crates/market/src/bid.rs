//! Price levels, the feasible band of the mean offer, and the mix of two adjacent levels.
//!
//! A bid is a vector of shares x in the simplex (`x_s >= 0`, sum 1); block `s` offers `Q x_s` kW at level `b_s`.
//!
//! **Deviations.** The levels are centred at the marginal cost (the paper names no base price); no level lies below the
//! grid's buying price, since the grid pays that much; C(q)/q of the floor is taken at q = Q, because the volume won is
//! unknown when bidding.
//!
//! Source: Hu et al. 2022, section 4.1 and eq. (6).

use crate::game::{Player, Rules, Strategy};

/// Tolerance on mean offers (currency/kWh) and shares.
pub const TOLERANCE: f64 = 1e-9;

/// The interval in which the mean offer `sum_s b_s x_s` of a microgrid must lie, currency/kWh.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Margin floor.
    pub low: f64,
    /// Price cap, at least `low`.
    pub high: f64,
}

impl Band {
    /// Band under the price cap `cap` for ascending `levels` (at least one) and the unclipped margin floor m·AC: eq. (6), constraint (4).
    ///
    /// A floor above the cap leaves one mean, the floor; a floor above the top level leaves the top level.
    #[must_use]
    pub fn new(floor: f64, cap: f64, levels: &[f64]) -> Band {
        let (bottom, top) = (levels[0], levels[levels.len() - 1]);
        let low = floor.max(bottom).min(top);
        Band {
            low,
            high: cap.max(low).min(top),
        }
    }

    /// Whether a mean offer lies in the band, within [`TOLERANCE`].
    #[must_use]
    pub fn holds(&self, mean: f64) -> bool {
        mean >= self.low - TOLERANCE && mean <= self.high + TOLERANCE
    }
}

/// Appends the `n` price levels of a player, currency/kWh, not descending.
///
/// `b_s = max(L⁻, MC + (s - (n+1)/2) du)`, with du = |MC − AC| (improved) or 0.2 MC (traditional), and not below m·AC
/// under `safe_levels`. A player's own levels are taken as they are.
pub fn append_levels(player: &Player, rules: &Rules, out: &mut Vec<f64>) {
    if let Some(own) = &player.levels {
        out.extend(own.iter().map(|b| b + 0.0));
        return;
    }
    let mc = player.cost.marginal(player.capacity_kw);
    let ac = player.cost.average(player.capacity_kw);
    let step = match rules.strategy {
        Strategy::Improved => (mc - ac).abs(),
        Strategy::Traditional => 0.2 * mc,
    };
    let middle = (rules.n_levels as f64 + 1.0) / 2.0;
    let floor = if rules.safe_levels {
        rules.grid_buy.max(rules.margin * ac)
    } else {
        rules.grid_buy
    };
    // adding 0.0 turns -0.0 into 0.0: equal prices then have equal bits and sort alike
    out.extend((1..=rules.n_levels).map(|s| floor.max(mc + (s as f64 - middle) * step) + 0.0));
}

/// The unclipped margin floor m·AC of a player, currency/kWh.
#[must_use]
pub fn margin_floor(player: &Player, rules: &Rules) -> f64 {
    rules.margin * player.cost.average(player.capacity_kw)
}

/// Mean offer `sum_s b_s x_s`, currency/kWh.
#[must_use]
pub fn mean_offer(levels: &[f64], shares: &[f64]) -> f64 {
    levels.iter().zip(shares).map(|(b, x)| b * x).sum()
}

/// Writes the mix of two adjacent levels whose mean is `mean` (clipped to the levels).
///
/// A mean that is itself a level gives that level alone, the lowest of several equal ones.
pub fn adjacent_mix(levels: &[f64], mean: f64, shares: &mut [f64]) {
    shares.fill(0.0);
    let above = levels
        .iter()
        .position(|&b| b >= mean)
        .unwrap_or(levels.len() - 1);
    if above == 0 || mean >= levels[above] {
        shares[above] = 1.0;
        return;
    }
    let weight = (mean - levels[above - 1]) / (levels[above] - levels[above - 1]);
    shares[above - 1] = 1.0 - weight;
    shares[above] = weight;
}
