//! The asymptotic rate of the experiment of Gobby, Yuan and Shields, the usual yardstick of link models.
//!
//! Infinitely many decoys and an infinite block: R = q·{−Q_μ·f·h(E_μ) + Q_1·(1 − h(e_1))}.
//!
//! Source: Ma, Qi, Zhao, Lo, Phys. Rev. A 72, 012326 (2005), eq. (1) and (7)-(11), table I.

use super::channel::transmittance;
use super::entropy::binary_entropy;

/// Set-up of the asymptotic formula.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asymptotic {
    /// α, dB per km.
    pub attenuation_db_per_km: f64,
    /// η_Bob.
    pub receiver_efficiency: f64,
    /// Y_0, background clicks per pulse.
    pub background: f64,
    /// e_d, share of the photons that reach the wrong detector.
    pub misalignment_error: f64,
    /// f.
    pub correction_efficiency: f64,
    /// μ, mean photons per pulse.
    pub intensity: f64,
}

/// Share of the pulses in which both chose one basis.
const SIFTED_SHARE: f64 = 0.5;

/// Error rate of a background click.
const BACKGROUND_ERROR: f64 = 0.5;

impl Asymptotic {
    /// Gobby, Yuan, Shields 2004.
    pub const GYS: Asymptotic = Asymptotic {
        attenuation_db_per_km: 0.21,
        receiver_efficiency: 0.045,
        background: 1.7e-6,
        misalignment_error: 0.033,
        correction_efficiency: 1.22,
        intensity: 0.48,
    };

    /// R, bits per pulse, before it is cut at 0.
    pub fn bits_per_pulse(&self, length_km: f64) -> f64 {
        let eta = self.receiver_efficiency * transmittance(self.attenuation_db_per_km * length_km);
        let mean = self.intensity;
        let passed = -(-eta * mean).exp_m1();
        let gain = self.background + passed;
        let error = (BACKGROUND_ERROR * self.background + self.misalignment_error * passed) / gain;
        let single_yield = self.background + eta;
        let single_error =
            (BACKGROUND_ERROR * self.background + self.misalignment_error * eta) / single_yield;
        let single_gain = single_yield * mean * (-mean).exp();
        SIFTED_SHARE
            * (single_gain * (1.0 - binary_entropy(single_error))
                - gain * self.correction_efficiency * binary_entropy(error))
    }

    /// Shortest length at which the rate is 0, km, by halving `0..=400`.
    pub fn zero_rate_km(&self) -> f64 {
        let (mut key, mut none) = (0.0, 400.0);
        for _ in 0..60 {
            let middle = (key + none) / 2.0;
            if self.bits_per_pulse(middle) > 0.0 {
                key = middle;
            } else {
                none = middle;
            }
        }
        key
    }
}
