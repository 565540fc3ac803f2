//! Power in milliwatts.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};

use crate::decimal::{self, DecimalError, Excess};
use crate::{Energy, IntervalLength};

/// Electric power, i64 milliwatts. Positive: generation or consumption as the name says; differences carry a sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Power(i64);

impl Power {
    /// No power.
    pub const ZERO: Power = Power(0);

    /// Decimals of a kilowatt that one milliwatt makes.
    pub const KILOWATT_SCALE: u32 = 6;

    /// From milliwatts.
    pub const fn from_milliwatts(milliwatts: i64) -> Power {
        Power(milliwatts)
    }

    /// In milliwatts.
    pub const fn as_milliwatts(self) -> i64 {
        self.0
    }

    /// From decimal kW, half to even beyond the milliwatt.
    ///
    /// # Errors
    /// [`DecimalError`] when the text is no such number.
    pub fn from_kilowatts(text: &str) -> Result<Power, DecimalError> {
        decimal::parse(text, Self::KILOWATT_SCALE, Excess::HalfEven).map(Power)
    }

    /// Decimal kW without needless zeros.
    pub fn to_kilowatts(self) -> String {
        decimal::format_short(self.0, Self::KILOWATT_SCALE, 0)
    }

    /// The energy of this power over a market interval: milliwatts times seconds, exact.
    pub const fn over(self, length: IntervalLength) -> Energy {
        Energy::from_millijoules(self.0 * length.seconds() as i64)
    }

    /// The sum, or `None` beyond the range.
    pub const fn checked_add(self, other: Power) -> Option<Power> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Power(sum)),
            None => None,
        }
    }

    /// Limited to `[low, high]`.
    pub fn clamp(self, low: Power, high: Power) -> Power {
        Power(self.0.clamp(low.0, high.0))
    }
}

impl Add for Power {
    type Output = Power;
    fn add(self, other: Power) -> Power {
        Power(self.0 + other.0)
    }
}

impl AddAssign for Power {
    fn add_assign(&mut self, other: Power) {
        self.0 += other.0;
    }
}

impl Sub for Power {
    type Output = Power;
    fn sub(self, other: Power) -> Power {
        Power(self.0 - other.0)
    }
}

impl Neg for Power {
    type Output = Power;
    fn neg(self) -> Power {
        Power(-self.0)
    }
}

impl Sum for Power {
    fn sum<I: Iterator<Item = Power>>(iter: I) -> Power {
        iter.fold(Power::ZERO, Add::add)
    }
}
