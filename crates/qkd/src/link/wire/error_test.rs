//! How many errors are too many: a test that a 10 % intercept-resend cannot pass.
//!
//! Errors of an honest line are at most binomial with rate `tolerated`. The limit on their number is the smallest that
//! Chernoff's bound exp(−n·D(limit/n ‖ rate)) lets an honest line cross with chance `false_alarm`. The same bound from
//! above gives the chance that an eavesdropper stays below it. A q of 10 % adds (q/4)·(1 − 2e) = 2.4 points, against a
//! standard deviation of √(e(1 − e)/n): 18,000 bits part the two with chances below 1e-9 on either side
//! at the 2.4 % of Lim's detectors.

/// A test on the number of errors in a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorTest {
    /// Calibrated error rate and what it may drift.
    pub tolerated: f64,
    /// Chance that an honest line fails.
    pub false_alarm: f64,
}

impl ErrorTest {
    /// Drift of the error rate that is no alarm.
    pub const DRIFT: f64 = 0.005;

    /// The test for a line calibrated at `error_rate`: drift of half a point, false alarm once in 1e9 samples.
    pub fn calibrated(error_rate: f64) -> ErrorTest {
        ErrorTest {
            tolerated: (error_rate + ErrorTest::DRIFT).clamp(1e-6, 0.5),
            false_alarm: 1e-9,
        }
    }

    /// Fewest errors among `bits` that fail.
    pub fn limit(&self, bits: u64) -> u64 {
        let (mut pass, mut fail) = ((bits as f64 * self.tolerated).floor() as u64, bits + 1);
        while fail - pass > 1 {
            let middle = pass + (fail - pass) / 2;
            let share = middle as f64 / bits.max(1) as f64;
            if (-(bits as f64) * divergence(share, self.tolerated)).exp() <= self.false_alarm {
                fail = middle;
            } else {
                pass = middle;
            }
        }
        fail
    }

    /// Largest chance that a line with `error_rate` passes with `bits` bits.
    pub fn miss_chance(&self, bits: u64, error_rate: f64) -> f64 {
        let limit = self.limit(bits) as f64 / bits.max(1) as f64;
        if limit >= error_rate {
            return 1.0;
        }
        (-(bits as f64) * divergence(limit, error_rate)).exp()
    }
}

/// D(a‖b) of two biased coins, nats; 0 at a = b.
fn divergence(a: f64, b: f64) -> f64 {
    let term = |a: f64, b: f64| if a > 0.0 { a * (a / b).ln() } else { 0.0 };
    term(a, b) + term(1.0 - a, 1.0 - b)
}
