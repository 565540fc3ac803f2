//! Response `lp`: the exact best response to the others' actual bids.
//!
//! The income W(x) is continuous and piecewise linear on the feasible set {x in the simplex, low ≤ b·x ≤ high}. With
//! S_k = Q (x_1 + … + x_k) and the residual demand G not ascending, one level m is the last to sell anything, so the
//! pieces are cut by the planes S_k = G_k and S_k = G_{k+1} only, and on every piece at most two of these planes bound
//! it: S_{m−1} = G_m and S_m = G_m, which together say x_m = 0. A vertex of a piece therefore lies on at most one such
//! plane and one side of the band, besides sides x_s = 0 of the simplex: **at most three shares of a vertex differ from
//! 0**. Listing
//!
//! * single levels,
//! * pairs with mean low or high,
//! * pairs split at k in the ratio G/Q : 1 − G/Q, one level on each side of k,
//! * triples with that split and mean low or high,
//!
//! gives every vertex, O(n⁴) of them in place of the binomial(3n, n−1) meetings of the arrangement; planes with
//! G outside (0, Q) touch the simplex in its own sides only and are left out, which leaves 3 + 4 candidates for n = 3
//! unless the microgrid is marginal. The optimum by value, then lowest mean, then lexicographically largest x is a
//! vertex too, because each step maximises a linear function over a face.
//!
//! **Deviations.** The linear programs assume that what stands above level m sells nothing and what stands below sells
//! whole; where a microgrid's own level lies below L⁻ they may leave some of it unsold, which the market does not. The
//! vertices follow the income as the market pays it.
//!
//! Source: Hu et al. 2022, eqs. (6)-(8); the linear programs are those of one m each.

use super::Situation;
use crate::bid::{Band, TOLERANCE, mean_offer};

/// Incomes closer than this, relative to the income and at least absolutely, are equal.
pub const INCOME_TOLERANCE: f64 = 1e-9;

/// Best responses; holds the list of candidates so that no response allocates.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Candidates that were not beaten when they were found.
    candidates: Vec<Candidate>,
    best: f64,
}

/// A bid with at most three shares other than 0.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    income: f64,
    mean: f64,
    share: [f64; 3],
    level: [usize; 3],
}

/// A level no bid has, for unused places of a candidate.
const NO_LEVEL: usize = usize::MAX;

impl Search {
    /// An empty search.
    #[must_use]
    pub fn new() -> Search {
        Search::default()
    }

    /// Best income in the band, currency/h.
    pub fn best_income(&mut self, situation: &Situation<'_>, band: Band) -> f64 {
        self.list(situation, band);
        self.best
    }

    /// Whether the bid `shares` may stay: its mean lies in the band and no bid earns more than it by `tolerance`
    /// (relative to its income, at least absolutely).
    pub fn may_stay(
        &mut self,
        situation: &Situation<'_>,
        band: Band,
        shares: &[f64],
        tolerance: f64,
    ) -> bool {
        let best = self.best_income(situation, band);
        if !band.holds(mean_offer(situation.levels, shares)) {
            return false;
        }
        let income = situation.income(shares);
        best <= income + tolerance * income.abs().max(1.0)
    }

    /// Writes the best response into `shares` (length n), whatever they are: the best income, among equals the lowest
    /// mean offer, among equals the lexicographically largest x.
    pub fn best_response(&mut self, situation: &Situation<'_>, band: Band, shares: &mut [f64]) {
        self.list(situation, band);
        self.write_best(shares);
    }

    /// Keeps `shares` if they may stay, else replaces them by the best response. Returns whether they were replaced.
    pub fn respond(
        &mut self,
        situation: &Situation<'_>,
        band: Band,
        shares: &mut [f64],
        tolerance: f64,
    ) -> bool {
        if self.may_stay(situation, band, shares, tolerance) {
            return false;
        }
        self.write_best(shares);
        true
    }

    fn write_best(&mut self, shares: &mut [f64]) {
        let least = least_equal(self.best);
        let candidates = &mut self.candidates;
        candidates.retain(|c| c.income >= least);
        let mean = candidates
            .iter()
            .map(|c| c.mean)
            .fold(f64::INFINITY, f64::min);
        candidates.retain(|c| c.mean <= mean + TOLERANCE);
        for s in 0..shares.len() {
            if candidates.len() <= 1 {
                break;
            }
            let largest = candidates.iter().map(|c| c.share_of(s)).fold(0.0, f64::max);
            candidates.retain(|c| c.share_of(s) >= largest - TOLERANCE);
        }
        let Some(chosen) = candidates.first() else {
            return;
        };
        shares.fill(0.0);
        for (&level, &share) in chosen.level.iter().zip(&chosen.share) {
            if level != NO_LEVEL {
                shares[level] = share;
            }
        }
    }

    /// Lists the vertices described at the head of the module.
    fn list(&mut self, situation: &Situation<'_>, band: Band) {
        self.candidates.clear();
        self.best = f64::NEG_INFINITY;
        let (levels, n) = (situation.levels, situation.levels.len());
        for (s, &price) in levels.iter().enumerate() {
            if band.holds(price) {
                self.push(situation, [s, NO_LEVEL, NO_LEVEL], [1.0, 0.0, 0.0]);
            }
        }
        self.list_pairs(situation, band.low);
        if band.high > band.low {
            self.list_pairs(situation, band.high);
        }
        for k in 1..n {
            let (here, above) = (situation.residual_kw[k - 1], situation.residual_kw[k]);
            self.list_split(situation, band, k, here);
            if above < here {
                self.list_split(situation, band, k, above);
            }
        }
    }

    /// Pairs of levels around a mean.
    fn list_pairs(&mut self, situation: &Situation<'_>, mean: f64) {
        let levels = situation.levels;
        for (r, &low) in levels.iter().enumerate() {
            if low >= mean {
                break;
            }
            for (s, &high) in levels.iter().enumerate().skip(r + 1) {
                if high > mean {
                    let weight = (mean - low) / (high - low);
                    self.push(situation, [r, s, NO_LEVEL], [1.0 - weight, weight, 0.0]);
                }
            }
        }
    }

    /// Pairs and triples whose first `k` levels offer `residual` kW together.
    fn list_split(&mut self, situation: &Situation<'_>, band: Band, k: usize, residual: f64) {
        let (levels, n) = (situation.levels, situation.levels.len());
        if residual <= 0.0 || residual >= situation.capacity_kw {
            return;
        }
        let lower = residual / situation.capacity_kw;
        let upper = 1.0 - lower;
        for i in 0..k {
            for j in k..n {
                if band.holds(levels[i] * lower + levels[j] * upper) {
                    self.push(situation, [i, j, NO_LEVEL], [lower, upper, 0.0]);
                }
            }
        }
        self.list_triples(situation, band.low, k, lower);
        if band.high > band.low {
            self.list_triples(situation, band.high, k, lower);
        }
    }

    /// Triples of a given mean whose first `k` levels have the share `lower` together.
    fn list_triples(&mut self, situation: &Situation<'_>, mean: f64, k: usize, lower: f64) {
        let (levels, n) = (situation.levels, situation.levels.len());
        let upper = 1.0 - lower;
        for j in k..n {
            for r in 0..k {
                for s in r + 1..k {
                    if let Some(x) = second_share(levels, (r, s), lower, mean - levels[j] * upper) {
                        self.push(situation, [r, s, j], [lower - x, x, upper]);
                    }
                }
            }
        }
        for i in 0..k {
            for r in k..n {
                for s in r + 1..n {
                    if let Some(x) = second_share(levels, (r, s), upper, mean - levels[i] * lower) {
                        self.push(situation, [i, r, s], [lower, upper - x, x]);
                    }
                }
            }
        }
    }

    fn push(&mut self, situation: &Situation<'_>, level: [usize; 3], share: [f64; 3]) {
        let mut income = situation.grid_buy * situation.capacity_kw;
        let (mut mean, mut below) = (0.0, 0.0);
        for (&s, &x) in level.iter().zip(&share) {
            if s == NO_LEVEL {
                break;
            }
            let (price, offer) = (situation.levels[s], situation.capacity_kw * x);
            income += (price - situation.grid_buy)
                * offer.min((situation.residual_kw[s] - below).max(0.0));
            mean += price * x;
            below += offer;
        }
        if income < least_equal(self.best) {
            return;
        }
        self.best = self.best.max(income);
        self.candidates.push(Candidate {
            income,
            mean,
            share,
            level,
        });
    }
}

impl Candidate {
    fn share_of(&self, s: usize) -> f64 {
        self.level
            .iter()
            .zip(&self.share)
            .find(|&(&level, _)| level == s)
            .map_or(0.0, |(_, &share)| share)
    }
}

/// Least income that counts as equal to `best`; rises with it, so what one best income drops, a better one would too.
fn least_equal(best: f64) -> f64 {
    best - INCOME_TOLERANCE * best.max(1.0)
}

/// Share of level `s` when levels r < s have `total` together and contribute `sum` to the mean; none unless both are
/// positive.
fn second_share(levels: &[f64], (r, s): (usize, usize), total: f64, sum: f64) -> Option<f64> {
    let step = levels[s] - levels[r];
    let x = (sum - levels[r] * total) / step;
    (step > 0.0 && x > 0.0 && x < total).then_some(x)
}
