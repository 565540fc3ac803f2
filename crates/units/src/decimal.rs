//! Decimal text to exact integers and back, the only place where text becomes a quantity.
//!
//! A scaled integer with `scale` decimals stands for `integer / 10^scale`: `"0.3200"` at scale 6 is 320 000.

use std::fmt;

use thiserror::Error;

/// What happens to decimals beyond the scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// Refuse them unless they are zeros: money is never rounded in silence.
    Refuse,
    /// Round half to even: physical quantities carry more digits than meters do.
    HalfEven,
}

/// Why a text is not the decimal number that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecimalError {
    /// Nothing between the separators.
    #[error("the cell is empty")]
    Empty,
    /// `NaN`, `inf`, `null`, `N/A`, `-` and their like.
    #[error("'{text}' stands for a missing or undefined number")]
    NotANumber {
        /// The text found.
        text: String,
    },
    /// A comma where a decimal point belongs, or thousands separators.
    #[error("'{text}' has a comma: decimals take a point and no thousands separators")]
    Comma {
        /// The text found.
        text: String,
    },
    /// Any other text.
    #[error("'{text}' is not a decimal number")]
    Malformed {
        /// The text found.
        text: String,
    },
    /// More digits behind the point than the unit can hold.
    #[error("'{text}' has too many decimals (max {scale})")]
    TooManyDecimals {
        /// The text found.
        text: String,
        /// Decimals that the unit holds.
        scale: u32,
    },
    /// Beyond the range of the integer.
    #[error("'{text}' is too large")]
    TooLarge {
        /// The text found.
        text: String,
    },
}

/// Longest text taken for a number, in bytes.
const TEXT_MAX: usize = 400;

/// Parses `text` into an integer of `scale` decimals.
///
/// Takes a sign, digits with at most one point, and an exponent (`2.9e-2`), exactly: no binary float in between.
///
/// # Errors
/// [`DecimalError`], with the text found.
pub fn parse(text: &str, scale: u32, excess: Excess) -> Result<i64, DecimalError> {
    let trimmed = text.trim();
    let owned = || shorten(trimmed);
    let parts = split(trimmed)?;
    let mut exponent = i64::from(scale) - parts.decimals + parts.exponent;
    let mut digits = parts.digits.as_str();
    // Zeros at the end say nothing: they let an exact text with a long tail through.
    while exponent < 0 && digits.ends_with('0') {
        digits = &digits[..digits.len() - 1];
        exponent += 1;
    }
    if digits.is_empty() {
        return Ok(0);
    }
    let magnitude = if exponent >= 0 {
        scale_up(digits, exponent).ok_or_else(|| DecimalError::TooLarge { text: owned() })?
    } else if excess == Excess::Refuse {
        return Err(DecimalError::TooManyDecimals {
            text: owned(),
            scale,
        });
    } else {
        round_half_even(digits, exponent.unsigned_abs())
            .ok_or_else(|| DecimalError::TooLarge { text: owned() })?
    };
    let signed = if parts.negative {
        -magnitude
    } else {
        magnitude
    };
    i64::try_from(signed).map_err(|_| DecimalError::TooLarge { text: owned() })
}

/// Most decimals of a [`Decimal`].
pub const DECIMALS_MAX: u8 = 9;

/// A decimal number as written, `mantissa / 10^decimals`: for columns that choose their scale by what they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// All digits, with the sign.
    pub mantissa: i128,
    /// Digits behind the point, at most [`DECIMALS_MAX`].
    pub decimals: u8,
}

impl Decimal {
    /// Parses `text` without an exponent; zeros past [`DECIMALS_MAX`] decimals are dropped.
    ///
    /// # Errors
    /// [`DecimalError`], with the text found.
    pub fn parse(text: &str) -> Result<Decimal, DecimalError> {
        let trimmed = text.trim();
        let owned = || shorten(trimmed);
        let parts = split(trimmed)?;
        if trimmed.contains(['e', 'E']) {
            return Err(DecimalError::Malformed { text: owned() });
        }
        let (mut digits, mut decimals) = (parts.digits.as_str(), parts.decimals);
        while decimals > i64::from(DECIMALS_MAX) {
            let scale = u32::from(DECIMALS_MAX);
            digits = match digits {
                "" => "",
                _ => digits
                    .strip_suffix('0')
                    .ok_or_else(|| DecimalError::TooManyDecimals {
                        text: owned(),
                        scale,
                    })?,
            };
            decimals -= 1;
        }
        let magnitude: i128 = match digits {
            "" => 0,
            _ => digits
                .parse()
                .map_err(|_| DecimalError::TooLarge { text: owned() })?,
        };
        let mantissa = if parts.negative {
            -magnitude
        } else {
            magnitude
        };
        let decimals = u8::try_from(decimals).expect("at most DECIMALS_MAX, from a count");
        Ok(Decimal { mantissa, decimals })
    }

    /// The number times `10^decimals`; `None` when that is not whole or exceeds 128 bits.
    pub fn scaled(self, decimals: u8) -> Option<i128> {
        match decimals.checked_sub(self.decimals) {
            Some(more) => self.mantissa.checked_mul(10_i128.checked_pow(more.into())?),
            None => {
                let unit = 10_i128.checked_pow((self.decimals - decimals).into())?;
                (self.mantissa % unit == 0).then_some(self.mantissa / unit)
            }
        }
    }
}

impl fmt::Display for Decimal {
    /// All decimals, also zeros at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_i128(self.mantissa, self.decimals.into()))
    }
}

struct Parts {
    negative: bool,
    /// Significant digits without leading zeros; empty means zero.
    digits: String,
    /// How many of the digits stand behind the point.
    decimals: i64,
    exponent: i64,
}

fn split(text: &str) -> Result<Parts, DecimalError> {
    if text.is_empty() {
        return Err(DecimalError::Empty);
    }
    let malformed = || DecimalError::Malformed {
        text: shorten(text),
    };
    if text.len() > TEXT_MAX {
        return Err(DecimalError::TooLarge {
            text: shorten(text),
        });
    }
    if is_missing_marker(text) {
        return Err(DecimalError::NotANumber {
            text: shorten(text),
        });
    }
    if text.contains(',') {
        return Err(DecimalError::Comma {
            text: shorten(text),
        });
    }
    let (negative, unsigned) = match text.as_bytes()[0] {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (
            &unsigned[..at],
            unsigned[at + 1..].parse::<i32>().map_err(|_| malformed())?,
        ),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = [whole, fraction].concat();
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed());
    }
    Ok(Parts {
        negative,
        digits: all.trim_start_matches('0').to_owned(),
        decimals: fraction.len() as i64,
        exponent: i64::from(exponent),
    })
}

fn is_missing_marker(text: &str) -> bool {
    let lower = text.trim_start_matches(['-', '+']).to_ascii_lowercase();
    matches!(
        lower.as_str(),
        "" | "nan"
            | "null"
            | "none"
            | "na"
            | "n/a"
            | "#n/a"
            | "inf"
            | "infinity"
            | "nil"
            | "missing"
            | "?"
    )
}

/// `digits · 10^exponent`, or `None` beyond i128.
fn scale_up(digits: &str, exponent: i64) -> Option<i128> {
    let base: i128 = digits.parse().ok()?;
    let factor = 10_i128.checked_pow(u32::try_from(exponent).ok()?)?;
    base.checked_mul(factor)
}

/// `digits / 10^drop`, half to even.
fn round_half_even(digits: &str, drop: u64) -> Option<i128> {
    let drop = usize::try_from(drop).ok()?;
    if drop > digits.len() {
        return Some(0);
    }
    let (kept, rest) = digits.split_at(digits.len() - drop);
    let base: i128 = if kept.is_empty() {
        0
    } else {
        kept.parse().ok()?
    };
    let first = rest.as_bytes()[0];
    let tail_is_zero = rest.bytes().skip(1).all(|byte| byte == b'0');
    let up = match first {
        b'0'..=b'4' => false,
        b'5' if tail_is_zero => base % 2 == 1,
        _ => true,
    };
    base.checked_add(i128::from(up))
}

fn shorten(text: &str) -> String {
    let mut out: String = text.chars().take(60).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}

/// Writes `value / 10^scale` with exactly `scale` decimals, `"-0.130090"`.
pub fn format_fixed(value: i64, scale: u32) -> String {
    format_i128(i128::from(value), scale)
}

/// Writes `value / 10^scale` with as few decimals as are needed, but at least `least`.
pub fn format_short(value: i64, scale: u32, least: u32) -> String {
    let mut text = format_fixed(value, scale);
    let shortest = text.len() - (scale.saturating_sub(least)) as usize;
    while text.len() > shortest && text.ends_with('0') {
        text.pop();
    }
    if text.ends_with('.') {
        text.pop();
    }
    text
}

/// [`format_fixed`] for values that outgrow an i64.
pub fn format_i128(value: i128, scale: u32) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let magnitude = value.unsigned_abs();
    if scale == 0 {
        return format!("{sign}{magnitude}");
    }
    let unit = 10_u128.pow(scale);
    format!(
        "{sign}{}.{:0width$}",
        magnitude / unit,
        magnitude % unit,
        width = scale as usize
    )
}
