//! Money, prices and the currency they are in.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use thiserror::Error;

use crate::Energy;
use crate::decimal::{self, DecimalError, Excess};

/// Decimals of money and prices: millionths.
const SCALE: u32 = 6;

/// Money, i64 millionths of the scenario's currency. Negative: owed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

impl Money {
    /// No money.
    pub const ZERO: Money = Money(0);

    /// From millionths of the currency.
    pub const fn from_millionths(millionths: i64) -> Money {
        Money(millionths)
    }

    /// In millionths of the currency.
    pub const fn as_millionths(self) -> i64 {
        self.0
    }

    /// From decimal text; more than six decimals are refused, never rounded.
    ///
    /// # Errors
    /// [`DecimalError`] when the text is no such number.
    pub fn parse(text: &str) -> Result<Money, DecimalError> {
        decimal::parse(text, SCALE, Excess::Refuse).map(Money)
    }

    /// The smaller of the two.
    pub fn min(self, other: Money) -> Money {
        Money(self.0.min(other.0))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal::format_fixed(self.0, SCALE))
    }
}

impl Add for Money {
    type Output = Money;
    fn add(self, other: Money) -> Money {
        Money(self.0 + other.0)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Money) {
        self.0 += other.0;
    }
}

impl Sub for Money {
    type Output = Money;
    fn sub(self, other: Money) -> Money {
        Money(self.0 - other.0)
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Money) {
        self.0 -= other.0;
    }
}

impl Neg for Money {
    type Output = Money;
    fn neg(self) -> Money {
        Money(-self.0)
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Money>>(iter: I) -> Money {
        iter.fold(Money::ZERO, Add::add)
    }
}

/// A price, i64 millionths of the currency per kWh. Export prices can be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(i64);

impl Price {
    /// For nothing.
    pub const ZERO: Price = Price(0);

    /// From millionths of the currency per kWh.
    pub const fn from_millionths(millionths: i64) -> Price {
        Price(millionths)
    }

    /// In millionths of the currency per kWh.
    pub const fn as_millionths(self) -> i64 {
        self.0
    }

    /// From decimal text per kWh; more than six decimals are refused, never rounded.
    ///
    /// # Errors
    /// [`DecimalError`] when the text is no such number.
    pub fn parse(text: &str) -> Result<Price, DecimalError> {
        decimal::parse(text, SCALE, Excess::Refuse).map(Price)
    }

    /// What `energy` costs at this price, rounded towards minus infinity.
    ///
    /// # Panics
    /// Beyond the range of [`Money`]: 9.2·10^12 units of the currency for one entry is a bug, not a bill.
    pub fn cost_of(self, energy: Energy) -> Money {
        let product = i128::from(self.0) * i128::from(energy.as_millijoules());
        let floor = product.div_euclid(i128::from(Energy::PER_KILOWATT_HOUR));
        Money(i64::try_from(floor).expect("bounded by plausible prices and powers at the input"))
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal::format_short(self.0, SCALE, 4))
    }
}

/// A currency by its three-letter code, ISO 4217 style.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Not a currency code.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{text}' is not a three-letter currency code such as EUR")]
pub struct CurrencyError {
    /// The text found.
    pub text: String,
}

impl Currency {
    /// From a code of three letters, in either case.
    ///
    /// # Errors
    /// [`CurrencyError`] for anything else.
    pub fn parse(text: &str) -> Result<Currency, CurrencyError> {
        let upper = text.to_ascii_uppercase();
        match <[u8; 3]>::try_from(upper.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Currency(code)),
            _ => Err(CurrencyError {
                text: text.to_owned(),
            }),
        }
    }

    /// The code, `"CNY"`.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("three ASCII letters by construction")
    }

    /// The code as bytes, for canonical encodings.
    pub const fn as_bytes(&self) -> &[u8; 3] {
        &self.0
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Two currencies met in one sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("expected {expected}, found {found}")]
pub struct CurrencyMismatch {
    /// The currency of the market.
    pub expected: Currency,
    /// The currency that does not belong there.
    pub found: Currency,
}

impl Currency {
    /// Ok when `found` is this currency.
    ///
    /// # Errors
    /// [`CurrencyMismatch`] otherwise.
    pub fn expect_same(self, found: Currency) -> Result<(), CurrencyMismatch> {
        if self == found {
            Ok(())
        } else {
            Err(CurrencyMismatch {
                expected: self,
                found,
            })
        }
    }
}
