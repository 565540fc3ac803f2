//! One microgrid's response to the bids of the others.
//!
//! [`lp`] is the exact best response to the residual demand, [`fit`] the literal rule of the paper. Both leave the
//! microgrid in its band ([`crate::bid::Band`]).
//!
//! Source: Hu et al. 2022, eqs. (6) and (8).

pub mod fit;
pub mod lp;

/// What one microgrid faces: its own levels and what the others leave of the demand at each of them.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// Own price levels b, ascending, currency/kWh, length n.
    pub levels: &'a [f64],
    /// Residual demand G at each own level, not ascending, at least 0, kW, length n.
    pub residual_kw: &'a [f64],
    /// Own capacity Q, kW.
    pub capacity_kw: f64,
    /// Price at which the grid takes what is not sold, L⁻, currency/kWh.
    pub grid_buy: f64,
}

impl Situation<'_> {
    /// Income W(x) of the bid `shares` (length n), currency/h: every level sells what the lower ones left.
    #[must_use]
    pub fn income(&self, shares: &[f64]) -> f64 {
        let mut income = self.grid_buy * self.capacity_kw;
        let mut below = 0.0;
        for ((&price, &residual), &share) in self.levels.iter().zip(self.residual_kw).zip(shares) {
            let offer = self.capacity_kw * share;
            income += (price - self.grid_buy) * offer.min((residual - below).max(0.0));
            below += offer;
        }
        income
    }

    /// Best income without a band, currency/h: one pure level, `L⁻ Q + max_m (b_m − L⁻) min(G_m, Q)`.
    #[must_use]
    pub fn best_free_income(&self) -> f64 {
        let gain = |(&price, &residual): (&f64, &f64)| {
            (price - self.grid_buy) * residual.min(self.capacity_kw)
        };
        let best = self
            .levels
            .iter()
            .zip(self.residual_kw)
            .map(gain)
            .fold(f64::NEG_INFINITY, f64::max);
        self.grid_buy * self.capacity_kw + best
    }
}
