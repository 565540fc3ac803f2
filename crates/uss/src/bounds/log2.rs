//! Probabilities as logarithms, and binomial coefficients of them.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Mul};

/// A probability, a bound of one, or a count, as its logarithm to base 2.
///
/// Sums and products act on the number itself: `a * b` is the logarithm of the product. A bound may exceed 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Log2(f64);

impl Log2 {
    /// Probability 1.
    pub const CERTAIN: Log2 = Log2(0.0);

    /// Probability 0.
    pub const IMPOSSIBLE: Log2 = Log2(f64::NEG_INFINITY);

    /// How far above a level a bound may come out and still count as reaching it, in bits: sums of logarithms carry that
    /// much rounding, and bounds equal to a power of two must not fall on the wrong side.
    pub const TOLERANCE_BITS: f64 = 1e-9;

    /// The number 2^`exponent`.
    pub const fn from_exponent(exponent: f64) -> Log2 {
        Log2(exponent)
    }

    /// The logarithm of `count`.
    pub fn of(count: u64) -> Log2 {
        Log2((count as f64).log2())
    }

    /// The logarithm of `number`, which is not negative.
    pub fn of_float(number: f64) -> Log2 {
        Log2(number.log2())
    }

    /// The exponent: -64 for 2^-64.
    pub const fn exponent(self) -> f64 {
        self.0
    }

    /// The number to the power of `times`.
    pub fn power(self, times: u32) -> Log2 {
        if times == 0 {
            Log2::CERTAIN
        } else {
            Log2(self.0 * f64::from(times))
        }
    }

    /// One over the number.
    pub fn inverse(self) -> Log2 {
        Log2(-self.0)
    }

    /// Whether the number is at most 2^-`bits`, within [`Log2::TOLERANCE_BITS`].
    pub fn reaches(self, bits: u16) -> bool {
        self.0 <= Log2::TOLERANCE_BITS - f64::from(bits)
    }

    /// The larger of two.
    pub fn max(self, other: Log2) -> Log2 {
        Log2(self.0.max(other.0))
    }
}

impl Mul for Log2 {
    type Output = Log2;

    #[expect(
        clippy::suspicious_arithmetic_impl,
        reason = "logarithms of factors add up"
    )]
    fn mul(self, other: Log2) -> Log2 {
        Log2(self.0 + other.0)
    }
}

impl Add for Log2 {
    type Output = Log2;

    fn add(self, other: Log2) -> Log2 {
        let (high, low) = (self.0.max(other.0), self.0.min(other.0));
        if low == f64::NEG_INFINITY {
            return Log2(high);
        }
        Log2(high + (low - high).exp2().ln_1p() / std::f64::consts::LN_2)
    }
}

impl Sum for Log2 {
    fn sum<I: Iterator<Item = Log2>>(terms: I) -> Log2 {
        terms.fold(Log2::IMPOSSIBLE, Log2::add)
    }
}

impl fmt::Display for Log2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Log2::IMPOSSIBLE {
            f.write_str("0")
        } else {
            write!(f, "2^{:.2}", self.0)
        }
    }
}

/// Logarithms of factorials, for binomial coefficients.
#[derive(Clone, Debug)]
pub(super) struct Factorials(Vec<f64>);

impl Factorials {
    /// Of 0! to `largest`!, each within rounding: 1e-12 bits at 1000!, 1e-10 at 16384!.
    pub(super) fn up_to(largest: usize) -> Factorials {
        let mut table = Vec::with_capacity(largest + 1);
        // The sum keeps what rounding took (Kahan).
        let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
        table.push(0.0);
        for factor in 1..=largest {
            let term = (factor as f64).log2() - lost;
            let next = sum + term;
            lost = (next - sum) - term;
            sum = next;
            table.push(sum);
        }
        Factorials(table)
    }

    /// C(`of`, `taken`); `of` is in the table.
    pub(super) fn choose(&self, of: usize, taken: usize) -> Log2 {
        if taken > of {
            return Log2::IMPOSSIBLE;
        }
        Log2(self.0[of] - self.0[taken] - self.0[of - taken])
    }
}
