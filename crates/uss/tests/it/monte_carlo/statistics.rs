//! Counts of successes, and what they say about the probability behind them.

use tieline_uss::bounds::Log2;

/// What is allowed to go wrong on each side.
const DOUBT: f64 = 1e-3;

/// Whether more samples are wanted.
pub(crate) fn is_slow() -> bool {
    std::env::var_os("TIELINE_SLOW").is_some_and(|value| value == "1")
}

/// `quick` samples, or twenty times as many.
pub(crate) fn samples(quick: u32) -> u32 {
    if is_slow() { 20 * quick } else { quick }
}

/// So many successes of so many samples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) successes: u32,
    pub(crate) samples: u32,
}

impl Rate {
    /// Counts how often `attack` succeeds.
    pub(crate) fn of(samples: u32, mut attack: impl FnMut(u32) -> bool) -> Rate {
        let successes = (0..samples).map(|sample| u32::from(attack(sample))).sum();
        Rate { successes, samples }
    }

    pub(crate) fn value(self) -> f64 {
        f64::from(self.successes) / f64::from(self.samples)
    }

    /// The least probability that gives so many successes or more with a chance of [`DOUBT`].
    pub(crate) fn at_least(self) -> f64 {
        if self.successes == 0 {
            return 0.0;
        }
        bisect(|p| 1.0 - self.tail(self.successes - 1, p) >= DOUBT)
    }

    /// The greatest probability that gives so few successes or fewer with a chance of [`DOUBT`].
    pub(crate) fn at_most(self) -> f64 {
        bisect(|p| self.tail(self.successes, p) < DOUBT)
    }

    /// P[at most `most` successes].
    fn tail(self, most: u32, p: f64) -> f64 {
        if p <= 0.0 {
            return 1.0;
        }
        if p >= 1.0 {
            return if most >= self.samples { 1.0 } else { 0.0 };
        }
        let n = f64::from(self.samples);
        let mut term = n * (-p).ln_1p();
        let mut sum = term.exp();
        for successes in 1..=most {
            let s = f64::from(successes);
            term += ((n - s + 1.0) / s).ln() + p.ln() - (-p).ln_1p();
            sum += term.exp();
        }
        sum.min(1.0)
    }

    /// The whole interval lies below the bound.
    pub(crate) fn is_below(self, what: &str, bound: f64) {
        self.report(what, bound);
        assert!(
            self.at_most() < bound,
            "{what}: {self:?}, up to {}, bound {bound}",
            self.at_most()
        );
    }

    /// Nothing says that the probability is above the bound, which may be attained.
    pub(crate) fn is_not_above(self, what: &str, bound: f64) {
        self.report(what, bound);
        assert!(
            self.at_least() <= bound,
            "{what}: {self:?}, from {}, bound {bound}",
            self.at_least()
        );
    }

    /// The whole interval lies above.
    pub(crate) fn is_above(self, what: &str, least: f64) {
        self.report(what, least);
        assert!(
            self.at_least() > least,
            "{what}: {self:?}, from {}, least {least}",
            self.at_least()
        );
    }

    /// The interval holds the exact probability.
    pub(crate) fn is(self, what: &str, exact: f64) {
        self.report(what, exact);
        assert!(
            (self.at_least()..=self.at_most()).contains(&exact),
            "{what}: {self:?}, {} to {}, exactly {exact}",
            self.at_least(),
            self.at_most()
        );
    }

    #[allow(clippy::print_stdout, reason = "the table of measured rates")]
    fn report(self, what: &str, reference: f64) {
        if is_slow() {
            println!(
                "rate {what}: {:.3e} ({} of {}, {:.3e} to {:.3e}) against {reference:.3e}",
                self.value(),
                self.successes,
                self.samples,
                self.at_least(),
                self.at_most()
            );
        }
    }
}

/// The probability from which on `holds`.
fn bisect(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if holds(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

/// The number behind a logarithm.
pub(crate) fn number(log: Log2) -> f64 {
    log.exponent().exp2()
}

/// Expected limits: beta quantiles, solved from sums of exact binomial terms.
#[test]
fn limits_are_those_of_clopper_and_pearson() {
    let near =
        |found: f64, expected: f64| assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    let some = Rate {
        successes: 10,
        samples: 100,
    };
    near(some.at_least(), LOW);
    near(some.at_most(), HIGH);
    let none = Rate {
        successes: 0,
        samples: 1000,
    };
    near(none.at_least(), 0.0);
    near(none.at_most(), 1.0 - DOUBT.powf(1e-3));
    let all = Rate {
        successes: 1000,
        samples: 1000,
    };
    near(all.at_most(), 1.0);
    near(all.at_least(), DOUBT.powf(1e-3));
}

const LOW: f64 = 0.030541905288754057;
const HIGH: f64 = 0.22467011983222512;
