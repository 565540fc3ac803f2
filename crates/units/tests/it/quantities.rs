//! Power, energy, money and prices.

use proptest::prelude::*;
use tieline_units::{Currency, Energy, IntervalLength, MicrogridId, Money, Power, Price};

#[test]
fn a_kilowatt_over_an_hour_is_a_kilowatt_hour() {
    let power = Power::from_kilowatts("1").unwrap();
    assert_eq!(
        power.over(IntervalLength::Min60).as_millijoules(),
        Energy::PER_KILOWATT_HOUR
    );
    assert_eq!(
        power.over(IntervalLength::Min15).to_kilowatt_hours(),
        "0.250000"
    );
}

#[test]
fn costs_round_towards_minus_infinity() {
    let price = Price::from_millionths(1);
    let half = Energy::from_millijoules(Energy::PER_KILOWATT_HOUR / 2);
    assert_eq!(price.cost_of(half), Money::ZERO);
    assert_eq!(price.cost_of(-half), Money::from_millionths(-1));
}

#[test]
fn two_currencies_never_mix() {
    let currency = |code| Currency::parse(code).unwrap();
    let error = currency("EUR").expect_same(currency("CNY")).unwrap_err();
    assert_eq!(error.to_string(), "expected EUR, found CNY");
    assert_eq!(currency("EUR").expect_same(currency("eur")), Ok(()));
    assert!(Currency::parse("EURO").is_err() && Currency::parse("E1R").is_err());
}

#[test]
fn ids_are_letters_digits_dashes_and_underscores() {
    for text in ["mg-1", "A_b-9", &"x".repeat(64)] {
        assert_eq!(MicrogridId::parse(text).unwrap().as_str(), text);
    }
    for text in ["", "a b", "=cmd|x", "m\u{fc}", "a\n", &"x".repeat(65)] {
        assert!(MicrogridId::parse(text).is_err(), "{text}");
    }
    assert!(
        MicrogridId::parse("a\n")
            .unwrap_err()
            .to_string()
            .contains("'a\\n'")
    );
}

proptest! {
    #[test]
    fn energy_is_exact_and_adds_up(milliwatts in -1_000_000_000_000_i64..=1_000_000_000_000) {
        let power = Power::from_milliwatts(milliwatts);
        let quarters: Energy = std::iter::repeat_n(power.over(IntervalLength::Min15), 4).sum();
        prop_assert_eq!(quarters, power.over(IntervalLength::Min60));
        prop_assert_eq!(Power::from_kilowatts(&power.to_kilowatts()), Ok(power));
    }

    #[test]
    fn the_cost_of_parts_is_never_above_the_cost_of_the_whole(
        price in -20_000_000_i64..=20_000_000,
        left in 0_i64..1_000_000_000_000,
        right in 0_i64..1_000_000_000_000,
    ) {
        let price = Price::from_millionths(price);
        let (left, right) = (Energy::from_millijoules(left), Energy::from_millijoules(right));
        let (parts, whole) = (price.cost_of(left) + price.cost_of(right), price.cost_of(left + right));
        prop_assert!(parts <= whole && (whole - parts).as_millionths() <= 1);
    }
}
