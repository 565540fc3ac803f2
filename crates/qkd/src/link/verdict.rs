//! Why a block gives no key, and what a human must know.

use super::channel::{Device, INTENSITIES, Settings};
use super::rate::{Counts, FiniteKey};

/// When a block is thrown away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Error rate above which somebody listens, whatever was calibrated.
    pub qber_alarm: f64,
    /// Error rate tolerated above the calibrated one, `0..=0.5`; 10 % of intercept-resend add 2.4 points.
    pub qber_margin: f64,
    /// Phase error rate tolerated above the calibrated one: φ_tol = φ expected + this.
    pub phase_error_margin: f64,
    /// Deviation of a decoy's clicks from what the signal's clicks foretell, standard deviations.
    pub decoy_sigmas_max: f64,
    /// The same as share of the foretold clicks, for what the model leaves out.
    pub decoy_share_max: f64,
    /// Share of the expected clicks below which a human must look at the line.
    pub clicks_share_min: f64,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            qber_alarm: 0.11,
            qber_margin: 0.0125,
            phase_error_margin: 0.05,
            decoy_sigmas_max: 7.0,
            decoy_share_max: 0.02,
            clicks_share_min: 0.5,
        }
    }
}

/// Why a block is thrown away, or what else is wrong.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The receiver saw too little.
    #[error("{clicks} of {expected:.0} expected clicks: the line is cut, blocked or lossy")]
    Loss {
        /// Clicks.
        clicks: f64,
        /// What was expected.
        expected: f64,
    },
    /// Error rate above the hard limit.
    #[error("error rate {:.2} % above {:.2} %: somebody listens", qber * 100.0, limit * 100.0)]
    QberAlarm {
        /// The error rate of the worse basis.
        qber: f64,
        /// The limit.
        limit: f64,
    },
    /// Error rate above what was calibrated and a margin.
    #[error("error rate {:.2} % above the tolerated {:.2} %", qber * 100.0, tolerated * 100.0)]
    Qber {
        /// The error rate of the worse basis.
        qber: f64,
        /// Calibrated rate and margin.
        tolerated: f64,
    },
    /// A decoy clicks otherwise than the signal foretells: photon numbers are told apart on the line.
    #[error("intensity {} clicked {clicks} times where the signal foretells {foretold:.0}: photon numbers are told apart", index + 1)]
    DecoyYield {
        /// Which intensity, 1 or 2 (0 is the signal).
        index: usize,
        /// Its clicks.
        clicks: f64,
        /// What the signal's clicks foretell.
        foretold: f64,
    },
    /// φ_X above φ_tol.
    #[error("phase error rate {:.2} % above the tolerated {:.2} %", phase_error * 100.0, tolerated * 100.0)]
    PhaseError {
        /// φ_X.
        phase_error: f64,
        /// φ_tol.
        tolerated: f64,
    },
    /// ℓ ≤ 0.
    #[error("no key: length {length_bits:.0} bits")]
    NoKey {
        /// ℓ.
        length_bits: f64,
    },
}

impl Reason {
    /// True when a block with this reason gives no key. Loss alone only makes keys rarer.
    pub fn is_fatal(&self) -> bool {
        match self {
            Reason::Loss { .. } => false,
            Reason::QberAlarm { .. }
            | Reason::Qber { .. }
            | Reason::DecoyYield { .. }
            | Reason::PhaseError { .. }
            | Reason::NoKey { .. } => true,
        }
    }

    /// One word for tables and metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Reason::Loss { .. } => "loss",
            Reason::QberAlarm { .. } => "qber-alarm",
            Reason::Qber { .. } => "qber",
            Reason::DecoyYield { .. } => "decoy-yield",
            Reason::PhaseError { .. } => "phase-error",
            Reason::NoKey { .. } => "no-key",
        }
    }
}

/// What was calibrated: the block as it should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// Expected counts.
    pub counts: Counts,
    /// Expected error rate.
    pub qber: f64,
    /// Expected φ_X.
    pub phase_error: f64,
}

impl Policy {
    /// Everything wrong with a block, in the order of the checks; its key may be used when none is fatal.
    pub fn judge(
        &self,
        calibration: &Calibration,
        counts: &Counts,
        foretold: &[f64; INTENSITIES],
        key: &FiniteKey,
    ) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let expected = calibration.counts.x.clicks_total() + calibration.counts.z.clicks_total();
        let clicks = counts.x.clicks_total() + counts.z.clicks_total();
        if clicks < self.clicks_share_min * expected {
            reasons.push(Reason::Loss { clicks, expected });
        }
        reasons.extend(self.judge_qber(calibration, counts));
        reasons.extend(self.judge_decoys(counts, foretold));
        let tolerated = calibration.phase_error + self.phase_error_margin;
        let phase_error = key.bounds.phase_error;
        if phase_error > tolerated {
            reasons.push(Reason::PhaseError {
                phase_error,
                tolerated,
            });
        }
        if key.whole_bits() == 0 {
            reasons.push(Reason::NoKey {
                length_bits: key.length_bits,
            });
        }
        reasons
    }

    fn judge_qber(&self, calibration: &Calibration, counts: &Counts) -> Option<Reason> {
        let tolerated = calibration.qber + self.qber_margin;
        // Few clicks make any rate: only what chance hardly does counts.
        let surely_above = |limit: f64| {
            [&counts.x, &counts.z].into_iter().find_map(|basis| {
                let clicks = basis.clicks_total();
                let spread = (limit * (1.0 - limit) / clicks.max(1.0)).sqrt();
                let qber = basis.error_rate();
                (qber > limit && (clicks >= 1e4 || qber > limit + 3.0 * spread)).then_some(qber)
            })
        };
        match (surely_above(self.qber_alarm), surely_above(tolerated)) {
            (Some(qber), _) => Some(Reason::QberAlarm {
                qber,
                limit: self.qber_alarm,
            }),
            (None, Some(qber)) => Some(Reason::Qber { qber, tolerated }),
            (None, None) => None,
        }
    }

    fn judge_decoys(&self, counts: &Counts, foretold: &[f64; INTENSITIES]) -> Option<Reason> {
        (1..INTENSITIES).find_map(|index| {
            let clicks = counts.x.clicks[index] + counts.z.clicks[index];
            let foretold = foretold[index];
            let signal = counts.x.clicks[0] + counts.z.clicks[0];
            // The foretold number carries the spread of the signal's clicks it was taken from.
            let spread = (foretold.max(1.0) + foretold * foretold / signal.max(1.0)).sqrt();
            let slack = self.decoy_sigmas_max * spread + self.decoy_share_max * foretold;
            ((clicks - foretold).abs() > slack).then_some(Reason::DecoyYield {
                index,
                clicks,
                foretold,
            })
        })
    }
}

/// The clicks of each intensity that the clicks of the signal foretell, when nobody tells photon numbers apart.
///
/// The signal's gain gives the loss of the line, the loss gives the gain of the decoys: ordinary loss changes nothing.
pub fn foretold_clicks(
    device: &Device,
    settings: &Settings,
    counts: &Counts,
    pulses: f64,
) -> [f64; INTENSITIES] {
    let both = settings.basis_x_probability.powi(2) + (1.0 - settings.basis_x_probability).powi(2);
    let sent = |index: usize| pulses * both * settings.intensity_probability[index];
    let gain = (counts.x.clicks[0] + counts.z.clicks[0]) / sent(0);
    let dark = 2.0 * device.dark_count_probability;
    let detected = gain / (1.0 + device.afterpulse_probability);
    let passed = ((detected - dark) / (1.0 - dark)).clamp(0.0, 1.0 - 1e-12);
    let eta = -(-passed).ln_1p() / settings.intensity[0];
    std::array::from_fn(|index| {
        let passed = -(-eta * settings.intensity[index]).exp_m1();
        sent(index) * device.response_to(passed).clicks
    })
}
