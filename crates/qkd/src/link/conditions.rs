//! What happens on the line: an eavesdropper, a fault, the weather.

use super::channel::{Device, INTENSITIES, Response, Settings};

/// What happens on the line during a block, beside what was calibrated.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Conditions {
    /// q, share of the pulses that an eavesdropper measures in a random basis and sends anew, `0..=1`.
    /// Adds q/4 to the error rate.
    pub intercept_resend_share: f64,
    /// Share of the single photons that an eavesdropper blocks while she keeps one photon of every multi-photon
    /// pulse and passes the others on without loss, `0..=1`. Holds the gain of the signal and adds no error.
    pub photon_splitting_share: f64,
    /// Loss beside the calibrated one, dB: a bent fibre, a denial of service, a Trojan in the line.
    pub extra_loss_db: f64,
    /// Error rate beside the calibrated one, `0..=0.5`.
    pub extra_error: f64,
}

impl Conditions {
    /// Nothing but what was calibrated.
    pub const QUIET: Conditions = Conditions {
        intercept_resend_share: 0.0,
        photon_splitting_share: 0.0,
        extra_loss_db: 0.0,
        extra_error: 0.0,
    };

    /// The way from `self` (share 0) to `other` (share 1).
    pub fn towards(&self, other: &Conditions, share: f64) -> Conditions {
        let between = |from: f64, to: f64| from + (to - from) * share;
        Conditions {
            intercept_resend_share: between(
                self.intercept_resend_share,
                other.intercept_resend_share,
            ),
            photon_splitting_share: between(
                self.photon_splitting_share,
                other.photon_splitting_share,
            ),
            extra_loss_db: between(self.extra_loss_db, other.extra_loss_db),
            extra_error: between(self.extra_error, other.extra_error),
        }
    }

    /// What pulses of each intensity do under these conditions, over a line of `loss_db` as calibrated.
    pub fn responses(
        &self,
        device: &Device,
        loss_db: f64,
        settings: &Settings,
    ) -> [Response; INTENSITIES] {
        let loss_db = loss_db + self.extra_loss_db;
        let split = self.multi_photon_yield(device, loss_db, settings.intensity[0]);
        settings.intensity.map(|mean| {
            let passed = self.passed(device.system_efficiency(loss_db), mean, split);
            let honest = device.response_to(passed);
            Response {
                errors: honest.clicks * self.error_rate(honest.error_rate()),
                ..honest
            }
        })
    }

    /// The error rate that an honest `error_rate` becomes.
    ///
    /// Half of the resent pulses went through the wrong basis and are random:
    /// E' = (1 − q)·E + q·(E + ½)/2 = E + (q/4)·(1 − 2E).
    pub fn error_rate(&self, error_rate: f64) -> f64 {
        let resent = self.intercept_resend_share / 4.0 * (1.0 - 2.0 * error_rate);
        (error_rate + resent + self.extra_error).clamp(0.0, 0.5)
    }

    /// Share of the pulses of two photons and more that arrive at the receiver's detector, when an eavesdropper
    /// splits them so that the gain of `signal` stays as it was; at most η_Bob, what a line without loss gives.
    pub(crate) fn multi_photon_yield(&self, device: &Device, loss_db: f64, signal: f64) -> f64 {
        let eta = device.system_efficiency(loss_db);
        let honest = -(-eta * signal).exp_m1();
        let single = signal * (-signal).exp();
        let multi = 1.0 - (1.0 + signal) * (-signal).exp();
        let lacking = honest - single * eta * (1.0 - self.photon_splitting_share);
        (lacking / multi).clamp(0.0, device.receiver_efficiency)
    }

    /// Share of the pulses of mean photon number `mean` that are seen.
    fn passed(&self, eta: f64, mean: f64, multi_photon_yield: f64) -> f64 {
        if self.photon_splitting_share == 0.0 {
            return -(-eta * mean).exp_m1();
        }
        let single = mean * (-mean).exp();
        let multi = 1.0 - (1.0 + mean) * (-mean).exp();
        single * eta * (1.0 - self.photon_splitting_share) + multi * multi_photon_yield
    }
}

/// Conditions over time: straight lines between points, level before the first and after the last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    points: Vec<(u64, Conditions)>,
}

impl Timeline {
    /// The same conditions always.
    pub fn steady(conditions: Conditions) -> Timeline {
        Timeline {
            points: vec![(0, conditions)],
        }
    }

    /// Through these points (time in ms, conditions), in any order; two at one time make a jump.
    pub fn through(mut points: Vec<(u64, Conditions)>) -> Timeline {
        points.sort_by_key(|point| point.0);
        Timeline { points }
    }

    /// The conditions at a time; quiet when there are no points.
    pub fn at(&self, time_ms: u64) -> Conditions {
        let next = self.points.partition_point(|point| point.0 <= time_ms);
        let before = next.checked_sub(1).and_then(|index| self.points.get(index));
        match (before, self.points.get(next)) {
            (Some(before), Some(after)) => {
                let share = (time_ms - before.0) as f64 / (after.0 - before.0) as f64;
                before.1.towards(&after.1, share)
            }
            (Some((_, conditions)), None) | (None, Some((_, conditions))) => *conditions,
            (None, None) => Conditions::QUIET,
        }
    }
}
