//! One order on its readings.

use proptest::prelude::*;
use tieline_contract::settlement::{
    Metering, OrderTerms, Readings, SettleError, Settlement, largest_remainder, settle,
};
use tieline_units::{Energy, Money, Price};

const KWH: i64 = Energy::PER_KILOWATT_HOUR;

fn terms() -> OrderTerms {
    OrderTerms {
        quantity: Energy::from_millijoules(10 * KWH),
        price: Price::from_millionths(546_000),
        seller_price: Price::from_millionths(520_000),
        bond: Money::from_millionths(520_000),
        imbalance: Price::from_millionths(800_000),
        penalty_short_ppm: 0,
        metering: Metering::TieLines,
    }
}

fn metered(taken: i64, delivered: i64) -> Readings {
    Readings {
        taken: Some(Energy::from_millijoules(taken)),
        delivered: Some(Energy::from_millijoules(delivered)),
    }
}

fn check(terms: OrderTerms, readings: Readings, expected: Settlement) {
    assert_eq!(settle(&terms, readings), Ok(expected));
}

fn paid(settled: i64, payment: i64, to_seller: i64) -> Settlement {
    Settlement {
        settled: Energy::from_millijoules(settled),
        payment: Money::from_millionths(payment),
        to_seller: Money::from_millionths(to_seller),
        to_aggregator: Money::from_millionths(payment - to_seller),
        ..Settlement::default()
    }
}

#[test]
fn a_whole_delivery_pays_the_seller_its_price_and_the_aggregator_the_difference() {
    check(
        terms(),
        metered(10 * KWH, 10 * KWH),
        paid(10 * KWH, 5_460_000, 5_200_000),
    );
}

#[test]
fn more_than_the_order_is_not_paid_under_the_order() {
    check(
        terms(),
        metered(0, 12 * KWH),
        paid(10 * KWH, 5_460_000, 5_200_000),
    );
}

#[test]
fn a_short_delivery_is_paid_for_what_came_and_punished_up_to_the_bond() {
    let short = |penalty| Settlement {
        short: Energy::from_millijoules(4 * KWH),
        penalty: Money::from_millionths(penalty),
        ..paid(6 * KWH, 3_276_000, 3_120_000)
    };
    check(terms(), metered(10 * KWH, 6 * KWH), short(0));
    let tenth = OrderTerms {
        penalty_short_ppm: 100_000,
        ..terms()
    };
    check(tenth, metered(10 * KWH, 6 * KWH), short(320_000));
    let all = OrderTerms {
        penalty_short_ppm: 1_000_000,
        ..terms()
    };
    check(all, metered(10 * KWH, 6 * KWH), short(520_000));
}

#[test]
fn without_the_buyers_reading_the_sellers_stands() {
    let readings = Readings {
        taken: None,
        ..metered(0, 10 * KWH)
    };
    check(terms(), readings, paid(10 * KWH, 5_460_000, 5_200_000));
}

#[test]
fn without_the_sellers_reading_nothing_is_paid() {
    let readings = Readings {
        delivered: None,
        ..metered(10 * KWH, 0)
    };
    check(terms(), readings, Settlement::default());
}

#[test]
fn a_line_of_the_pairs_own_settles_on_the_smaller_end_and_holds_back_a_wide_difference() {
    let own = |loss_ppm, tolerance_ppm| OrderTerms {
        metering: Metering::OwnLine {
            loss_ppm,
            tolerance_ppm,
        },
        ..terms()
    };
    check(
        own(20_000, 20_000),
        metered(10 * KWH, 10 * KWH),
        paid(10 * KWH, 5_460_000, 5_200_000),
    );
    check(
        own(0, 20_000),
        metered(99 * KWH / 10, 10 * KWH),
        paid(99 * KWH / 10, 5_405_400, 5_148_000),
    );
    let disputed = Settlement {
        disputed: Energy::from_millijoules(KWH),
        ..paid(9 * KWH, 4_914_000, 4_680_000)
    };
    check(own(0, 20_000), metered(9 * KWH, 10 * KWH), disputed);
    let disputed = Settlement {
        disputed: Energy::from_millijoules(KWH),
        short: Energy::from_millijoules(KWH),
        ..paid(9 * KWH, 4_914_000, 4_680_000)
    };
    check(own(0, 20_000), metered(12 * KWH, 9 * KWH), disputed);
}

#[test]
fn terms_that_no_order_can_have_are_refused() {
    let zero = OrderTerms {
        quantity: Energy::ZERO,
        ..terms()
    };
    assert_eq!(
        settle(&zero, metered(0, 0)),
        Err(SettleError::Quantity {
            quantity: Energy::ZERO
        })
    );
    let dear = OrderTerms {
        seller_price: Price::from_millionths(546_001),
        ..terms()
    };
    assert_eq!(
        settle(&dear, metered(0, 0)),
        Err(SettleError::SellerPriceAbovePrice {
            seller_price: dear.seller_price,
            price: dear.price
        })
    );
    let debt = OrderTerms {
        bond: Money::from_millionths(-1),
        ..terms()
    };
    assert_eq!(
        settle(&debt, metered(0, 0)),
        Err(SettleError::NegativeBond { bond: debt.bond })
    );
    assert_eq!(
        settle(&terms(), metered(0, -1)),
        Err(SettleError::NegativeReading {
            reading: Energy::from_millijoules(-1)
        })
    );
}

#[test]
fn numbers_beyond_all_bounds_are_refused_by_name() {
    for (terms, what) in [
        (
            OrderTerms {
                quantity: Energy::from_millijoules(i64::MAX),
                ..terms()
            },
            "quantity in mJ",
        ),
        (
            OrderTerms {
                seller_price: Price::from_millionths(i64::MIN),
                ..terms()
            },
            "seller price in millionths",
        ),
        (
            OrderTerms {
                imbalance: Price::from_millionths(i64::MAX),
                ..terms()
            },
            "imbalance price in millionths",
        ),
        (
            OrderTerms {
                penalty_short_ppm: u32::MAX,
                ..terms()
            },
            "penalty in ppm",
        ),
    ] {
        let refused = settle(&terms, metered(i64::MAX, i64::MAX));
        assert!(
            matches!(refused, Err(SettleError::TooLarge { what: found, .. }) if found == what),
            "{refused:?}"
        );
    }
}

proptest! {
    #[test]
    fn shares_add_up_and_never_exceed_their_weight(
        weights in prop::collection::vec(0_i64..=1_000_000_000_000, 1..20),
        part in 0.0_f64..=1.0,
    ) {
        let sum: i64 = weights.iter().sum();
        let total = (sum as f64 * part) as i64;
        let parts = largest_remainder(total, &weights);
        prop_assert_eq!(parts.iter().sum::<i64>(), if sum > 0 { total } else { 0 });
        for (part, weight) in parts.iter().zip(&weights) {
            prop_assert!(part <= weight && *part >= 0);
        }
    }

    #[test]
    fn never_more_is_paid_than_price_times_metered(
        quantity in 1_i64..=1_000_000_000_000_000,
        delivered in 0_i64..=1_000_000_000_000_000,
        price in -2_000_000_i64..=20_000_000,
        margin in 0_i64..=1_000_000,
    ) {
        let terms = OrderTerms {
            quantity: Energy::from_millijoules(quantity),
            price: Price::from_millionths(price),
            seller_price: Price::from_millionths(price - margin),
            ..terms()
        };
        let settlement = settle(&terms, metered(0, delivered)).unwrap();
        prop_assert_eq!(settlement.payment, settlement.to_seller + settlement.to_aggregator);
        prop_assert!(settlement.to_aggregator >= Money::ZERO);
        prop_assert!(settlement.payment <= terms.price.cost_of(settlement.settled));
        prop_assert!(settlement.settled.as_millijoules() <= delivered);
    }
}
