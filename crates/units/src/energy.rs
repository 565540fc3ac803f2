//! Energy in millijoules.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use crate::decimal;

/// Energy, i64 millijoules (milliwatt seconds). One kWh is 3.6·10^9 mJ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Energy(i64);

impl Energy {
    /// No energy.
    pub const ZERO: Energy = Energy(0);

    /// Millijoules in a kilowatt-hour.
    pub const PER_KILOWATT_HOUR: i64 = 3_600_000_000;

    /// From millijoules.
    pub const fn from_millijoules(millijoules: i64) -> Energy {
        Energy(millijoules)
    }

    /// In millijoules.
    pub const fn as_millijoules(self) -> i64 {
        self.0
    }

    /// Decimal kWh with six decimals, half to even: for people, never for sums.
    pub fn to_kilowatt_hours(self) -> String {
        let scaled = i128::from(self.0) * 1_000_000;
        let unit = i128::from(Self::PER_KILOWATT_HOUR);
        let (floor, rest) = (scaled.div_euclid(unit), scaled.rem_euclid(unit));
        let up = match (rest * 2).cmp(&unit) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => floor % 2 != 0,
            std::cmp::Ordering::Greater => true,
        };
        decimal::format_i128(floor + i128::from(up), 6)
    }

    /// The smaller of the two.
    pub fn min(self, other: Energy) -> Energy {
        Energy(self.0.min(other.0))
    }

    /// The larger of the two.
    pub fn max(self, other: Energy) -> Energy {
        Energy(self.0.max(other.0))
    }
}

impl Add for Energy {
    type Output = Energy;
    fn add(self, other: Energy) -> Energy {
        Energy(self.0 + other.0)
    }
}

impl AddAssign for Energy {
    fn add_assign(&mut self, other: Energy) {
        self.0 += other.0;
    }
}

impl Sub for Energy {
    type Output = Energy;
    fn sub(self, other: Energy) -> Energy {
        Energy(self.0 - other.0)
    }
}

impl SubAssign for Energy {
    fn sub_assign(&mut self, other: Energy) {
        self.0 -= other.0;
    }
}

impl Neg for Energy {
    type Output = Energy;
    fn neg(self) -> Energy {
        Energy(-self.0)
    }
}

impl Sum for Energy {
    fn sum<I: Iterator<Item = Energy>>(iter: I) -> Energy {
        iter.fold(Energy::ZERO, Add::add)
    }
}
