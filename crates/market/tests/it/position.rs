//! Who sells, who buys, and what runs after the award.

use tieline_market::position::{Delivery, Position, Sample};
use tieline_units::{Energy, IntervalLength, Power};

const HOUR: IntervalLength = IntervalLength::Min60;

fn kw(power: i64) -> Power {
    Power::from_milliwatts(power * 1_000_000)
}

fn kwh(energy: i64) -> Energy {
    Energy::from_millijoules(energy * Energy::PER_KILOWATT_HOUR)
}

fn sample(load: i64, pv: i64, wind: i64) -> Sample {
    Sample {
        load: kw(load),
        pv: kw(pv),
        wind: kw(wind),
    }
}

#[test]
fn a_surplus_with_the_dispatchable_unit_sells_and_a_deficit_in_spite_of_it_buys() {
    assert_eq!(
        Position::of(&sample(50, 20, 10), kw(30)),
        Position::Seller(kw(10))
    );
    assert_eq!(
        Position::of(&sample(50, 20, 10), kw(15)),
        Position::Buyer(kw(5))
    );
    assert_eq!(
        Position::of(&sample(50, 20, 10), kw(20)),
        Position::Balanced
    );
    assert_eq!(Position::Buyer(kw(5)).available(), kw(-5));
}

/// load, renewable, dispatchable, sold → dispatched, net flow (kWh over an hour).
fn check(case: (i64, i64, i64, i64), expected: (i64, i64)) {
    let (load, renewable, dispatchable, sold) = case;
    let delivery = Delivery::of(
        &sample(load, renewable, 0),
        kw(dispatchable),
        kwh(sold),
        HOUR,
    );
    assert_eq!(
        (delivery.dispatched, delivery.net()),
        (kwh(expected.0), kwh(expected.1)),
        "{case:?}"
    );
}

#[test]
fn the_dispatchable_unit_runs_for_own_load_and_sold_energy_that_the_sun_leaves_open_and_no_more() {
    check((50, 20, 100, 10), (40, 10));
    // Unsold dispatchable capacity stands still.
    check((50, 20, 100, 0), (30, 0));
    // Unsold renewable surplus is exported.
    check((10, 50, 100, 0), (0, 40));
    check((10, 50, 100, 40), (0, 40));
    // What the unit cannot cover is imported, or missing under the orders.
    check((50, 20, 10, 0), (10, -20));
    check((50, 20, 40, 30), (40, 10));
}
