//! Fibre, receiver and source: what clicks, and how often wrongly.
//!
//! Source: Lim, Curty, Walenta, Xu, Zbinden, Phys. Rev. A 89, 022307 (2014), section "Evaluation".

/// Number of intensities: signal μ1, decoy μ2, near vacuum μ3.
pub const INTENSITIES: usize = 3;

/// Receiver and fibre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Device {
    /// α, loss of the fibre, dB per km.
    pub attenuation_db_per_km: f64,
    /// η_Bob, share of the photons at the receiver's door that click, `0..=1`.
    pub receiver_efficiency: f64,
    /// p_dc, chance of a dark count per pulse and detector.
    pub dark_count_probability: f64,
    /// p_ap, chance that a click is followed by an after-pulse.
    pub afterpulse_probability: f64,
    /// e_mis, share of the photons that reach the wrong detector.
    pub misalignment_error: f64,
}

impl Device {
    /// The set-up of Lim et al. 2014: commercial fibre, InGaAs avalanche photodiodes.
    pub const LIM_2014: Device = Device {
        attenuation_db_per_km: 0.2,
        receiver_efficiency: 0.1,
        dark_count_probability: 6e-7,
        afterpulse_probability: 4e-2,
        misalignment_error: 5e-3,
    };

    /// Loss of so much fibre, dB.
    pub fn loss_db(&self, length_km: f64) -> f64 {
        self.attenuation_db_per_km * length_km
    }

    /// η_sys, chance that one photon sent clicks, over a channel of `loss_db`.
    pub fn system_efficiency(&self, loss_db: f64) -> f64 {
        self.receiver_efficiency * transmittance(loss_db)
    }

    /// Clicks and errors per pulse of mean photon number `intensity` over a channel of `loss_db`.
    ///
    /// D = 1 − (1 − 2p_dc)·e^(−η_sys·μ), R = D·(1 + p_ap), e = p_dc + e_mis·(1 − e^(−η_sys·μ)) + p_ap·D/2.
    pub fn response(&self, loss_db: f64, intensity: f64) -> Response {
        self.response_to(-(-self.system_efficiency(loss_db) * intensity).exp_m1())
    }

    /// Clicks and errors per pulse of which a share `passed` reaches a detector and is seen.
    pub fn response_to(&self, passed: f64) -> Response {
        let dark = 2.0 * self.dark_count_probability;
        let detected = dark + (1.0 - dark) * passed;
        Response {
            clicks: detected * (1.0 + self.afterpulse_probability),
            errors: self.dark_count_probability
                + self.misalignment_error * passed
                + self.afterpulse_probability * detected / 2.0,
        }
    }
}

/// 10^(−loss/10).
pub fn transmittance(loss_db: f64) -> f64 {
    10f64.powf(-loss_db / 10.0)
}

/// What one pulse does, both parties using the same basis.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Response {
    /// R, clicks per pulse.
    pub clicks: f64,
    /// e, wrong clicks per pulse.
    pub errors: f64,
}

impl Response {
    /// Share of the clicks that are wrong; 0 without clicks.
    pub fn error_rate(&self) -> f64 {
        if self.clicks > 0.0 {
            self.errors / self.clicks
        } else {
            0.0
        }
    }
}

/// What sender and receiver choose before a block, by agreement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// p_X, chance of basis X, which gives the key; the other basis, Z, shows the phase errors.
    pub basis_x_probability: f64,
    /// p_k, chance of each intensity; sums to 1.
    pub intensity_probability: [f64; INTENSITIES],
    /// μ1 > μ2 + μ3, μ2 > μ3 ≥ 0, mean photons per pulse.
    pub intensity: [f64; INTENSITIES],
}

/// Settings that no protocol can run with.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A chance outside of its range.
    #[error("{name} is {value}, must lie between 0 and 1, both excluded")]
    Probability {
        /// Which.
        name: &'static str,
        /// What it is.
        value: f64,
    },
    /// Chances of the intensities that do not add up.
    #[error("the chances of the intensities sum to {sum}, not to 1")]
    Sum {
        /// What they sum to.
        sum: f64,
    },
    /// Intensities in the wrong order.
    #[error("intensities {intensity:?} break μ1 > μ2 + μ3, μ2 > μ3 ≥ 0")]
    Order {
        /// The intensities.
        intensity: [f64; INTENSITIES],
    },
}

impl Settings {
    /// The settings themselves, when a protocol can run with them.
    ///
    /// # Errors
    /// [`SettingsError`] names what is out of range.
    pub fn checked(self) -> Result<Settings, SettingsError> {
        let [p1, p2, p3] = self.intensity_probability;
        let chances = [
            ("p_X", self.basis_x_probability),
            ("p_1", p1),
            ("p_2", p2),
            ("p_3", p3),
        ];
        for (name, value) in chances {
            if !(value > 0.0 && value < 1.0) {
                return Err(SettingsError::Probability { name, value });
            }
        }
        let sum = p1 + p2 + p3;
        if (sum - 1.0).abs() > 1e-9 {
            return Err(SettingsError::Sum { sum });
        }
        let [strong, weak, dim] = self.intensity;
        if strong > weak + dim && weak > dim && dim >= 0.0 && strong.is_finite() {
            Ok(self)
        } else {
            Err(SettingsError::Order {
                intensity: self.intensity,
            })
        }
    }

    /// τ_n = Σ_k p_k·e^(−k)·kⁿ/n!, chance that a pulse has `photons` photons.
    pub fn photon_number_probability(&self, photons: u32) -> f64 {
        let factorial: f64 = (1..=photons).map(f64::from).product();
        self.pairs()
            .map(|(chance, mean)| chance * (-mean).exp() * mean.powi(photons as i32) / factorial)
            .sum()
    }

    /// Chance and mean photon number of each intensity.
    pub fn pairs(&self) -> impl Iterator<Item = (f64, f64)> {
        self.intensity_probability.into_iter().zip(self.intensity)
    }

    /// Clicks per pulse in which both chose basis X, all intensities together.
    pub fn sifted_per_pulse(&self, device: &Device, loss_db: f64) -> f64 {
        let clicks: f64 = self
            .pairs()
            .map(|(chance, mean)| chance * device.response(loss_db, mean).clicks)
            .sum();
        self.basis_x_probability.powi(2) * clicks
    }
}
