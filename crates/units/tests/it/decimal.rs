//! Decimal text and exact integers.

use proptest::prelude::*;
use tieline_units::decimal::{self, DecimalError, Excess};

fn strict(text: &str) -> Result<i64, DecimalError> {
    decimal::parse(text, 6, Excess::Refuse)
}

#[test]
fn numbers_are_read_exactly() {
    for (text, value) in [
        ("0", 0),
        ("-0.000", 0),
        ("+1.5", 1_500_000),
        (".5", 500_000),
        ("5.", 5_000_000),
        (" 0.3200 ", 320_000),
        ("2.9e-2", 29_000),
        ("29E3", 29_000_000_000),
        ("0.1000000000000000000", 100_000),
        ("1e-6", 1),
        ("0e999999", 0),
        ("9223372036854.775807", i64::MAX),
        ("-9223372036854.775808", i64::MIN),
    ] {
        assert_eq!(strict(text), Ok(value), "{text}");
    }
}

#[test]
fn each_refusal_names_the_text() {
    let text = |text: &str| text.to_owned();
    for (given, error) in [
        ("", DecimalError::Empty),
        ("  ", DecimalError::Empty),
        ("NaN", DecimalError::NotANumber { text: text("NaN") }),
        (
            "-Infinity",
            DecimalError::NotANumber {
                text: text("-Infinity"),
            },
        ),
        ("N/A", DecimalError::NotANumber { text: text("N/A") }),
        ("-", DecimalError::NotANumber { text: text("-") }),
        ("12,5", DecimalError::Comma { text: text("12,5") }),
        ("1 2", DecimalError::Malformed { text: text("1 2") }),
        (
            "1.2.3",
            DecimalError::Malformed {
                text: text("1.2.3"),
            },
        ),
        ("1e", DecimalError::Malformed { text: text("1e") }),
        (
            "\u{ff11}",
            DecimalError::Malformed {
                text: text("\u{ff11}"),
            },
        ),
        (
            "0.0000001",
            DecimalError::TooManyDecimals {
                text: text("0.0000001"),
                scale: 6,
            },
        ),
        (
            "1e308",
            DecimalError::TooLarge {
                text: text("1e308"),
            },
        ),
        (
            "9223372036854.775808",
            DecimalError::TooLarge {
                text: text("9223372036854.775808"),
            },
        ),
    ] {
        assert_eq!(strict(given), Err(error), "{given}");
    }
}

#[test]
fn physical_quantities_round_half_to_even() {
    for (text, value) in [
        ("0.5", 0),
        ("1.5", 2),
        ("2.5", 2),
        ("2.50001", 3),
        ("-1.5", -2),
        ("0.4999", 0),
        ("1e-30", 0),
    ] {
        assert_eq!(
            decimal::parse(text, 0, Excess::HalfEven),
            Ok(value),
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(value: i64, scale in 0_u32..=9, least in 0_u32..=9) {
        let fixed = decimal::format_fixed(value, scale);
        prop_assert_eq!(decimal::parse(&fixed, scale, Excess::Refuse), Ok(value));
        let short = decimal::format_short(value, scale, least.min(scale));
        prop_assert_eq!(decimal::parse(&short, scale, Excess::Refuse), Ok(value));
        prop_assert!(short.len() <= fixed.len());
    }

    #[test]
    fn any_text_is_a_number_or_an_error(text in ".{0,40}", scale in 0_u32..=9) {
        let _ = decimal::parse(&text, scale, Excess::HalfEven);
    }

    #[test]
    fn rounding_moves_by_at_most_a_half(value in -1_000_000_000_i64..1_000_000_000, drop in 1_u32..6) {
        let text = decimal::format_fixed(value, drop);
        let rounded = decimal::parse(&text, 0, Excess::HalfEven).unwrap();
        let unit = 10_i64.pow(drop);
        prop_assert!((rounded * unit - value).abs() * 2 <= unit);
    }
}

#[test]
fn a_decimal_keeps_the_decimals_that_were_written() {
    use tieline_units::decimal::Decimal;
    let parse = |text: &str| Decimal::parse(text).map(|d| (d.mantissa, d.decimals));
    assert_eq!(parse("-0.10"), Ok((-10, 2)));
    assert_eq!(parse("+5."), Ok((5, 0)));
    assert_eq!(parse(".5"), Ok((5, 1)));
    assert_eq!(parse("1.00000000000000"), Ok((1_000_000_000, 9)));
    assert_eq!(parse("0.00000000000000"), Ok((0, 9)));
    for refused in ["--5", "5.5.5", "1e3", "", "NaN", "0.1234567891", "1,5"] {
        assert!(parse(refused).is_err(), "{refused}");
    }
    let scaled = |text: &str, decimals| Decimal::parse(text).unwrap().scaled(decimals);
    assert_eq!(scaled("1.50", 1), Some(15));
    assert_eq!(scaled("1.55", 1), None);
    assert_eq!(scaled("-0.001", 9), Some(-1_000_000));
    assert_eq!(Decimal::parse("-0.001").unwrap().to_string(), "-0.001");
}
