//! Response `fit`: the two adjacent levels whose mean is the cap of the band.
//!
//! **Deviations.** The paper's linear program "max Σ b q subject to Σ b x ≤ ρ" has a whole face of optima and says
//! nothing about x; its text, "volume derived by fitting the unified clearing price of the previous round", does.
//!
//! Source: Hu et al. 2022, section 4.1 below eq. (6).

use crate::bid::{Band, adjacent_mix};

/// Writes the mix whose mean offer is `band.high` into `shares` (length n).
pub fn respond(levels: &[f64], band: Band, shares: &mut [f64]) {
    adjacent_mix(levels, band.high, shares);
}
