//! One interval: conservation of energy and money whatever the meters show.

use proptest::prelude::*;
use tieline_contract::settlement::{
    GridPrices, IntervalError, Metering, Order, OrderTerms, Readings, book_interval, settle,
    settle_interval,
};
use tieline_units::{Currency, Energy, Money, Price};

const KWH: i64 = Energy::PER_KILOWATT_HOUR;

fn grid() -> GridPrices {
    GridPrices {
        import: Price::from_millionths(800_000),
        export: Price::from_millionths(300_000),
        currency: Currency::parse("CNY").unwrap(),
    }
}

fn order(seller: usize, buyer: usize, quantity: i64) -> Order {
    Order {
        seller,
        buyer,
        terms: OrderTerms {
            quantity: Energy::from_millijoules(quantity),
            price: Price::from_millionths(546_000),
            seller_price: Price::from_millionths(420_000),
            bond: Money::from_millionths(1_000_000_000),
            imbalance: Price::from_millionths(800_000),
            penalty_short_ppm: 250_000,
            metering: Metering::TieLines,
        },
        currency: grid().currency,
    }
}

fn energies(millijoules: &[i64]) -> Vec<Energy> {
    millijoules
        .iter()
        .copied()
        .map(Energy::from_millijoules)
        .collect()
}

#[test]
fn without_orders_everybody_trades_with_the_grid() {
    let result = settle_interval(&energies(&[2 * KWH, -3 * KWH]), &[], grid()).unwrap();
    assert_eq!(result.members[0].balance(), Money::from_millionths(600_000));
    assert_eq!(
        result.members[1].balance(),
        Money::from_millionths(-2_400_000)
    );
    assert_eq!(result.grid, Money::from_millionths(1_800_000));
}

#[test]
fn a_seller_that_falls_short_covers_its_orders_pro_rata_and_the_grid_serves_the_rest() {
    let orders = [order(0, 1, 6 * KWH), order(0, 2, 2 * KWH)];
    let result =
        settle_interval(&energies(&[4 * KWH, -6 * KWH, -2 * KWH]), &orders, grid()).unwrap();
    assert_eq!(result.orders[0].settled, Energy::from_millijoules(3 * KWH));
    assert_eq!(result.orders[1].settled, Energy::from_millijoules(KWH));
    assert_eq!(
        result.members[1].imported,
        Energy::from_millijoules(3 * KWH)
    );
    assert_eq!(result.members[0].exported, Energy::ZERO);
    assert_eq!(
        result.members[0].penalties,
        Money::from_millionths(-800_000)
    );
}

#[test]
fn what_a_buyer_does_not_take_goes_to_the_grid_at_its_price() {
    let result =
        settle_interval(&energies(&[5 * KWH, -KWH]), &[order(0, 1, 4 * KWH)], grid()).unwrap();
    let buyer = result.members[1];
    assert_eq!(buyer.bought, Energy::from_millijoules(4 * KWH));
    assert_eq!(buyer.exported, Energy::from_millijoules(3 * KWH));
    assert_eq!(
        buyer.balance(),
        Money::from_millionths(-4 * 546_000 + 3 * 300_000)
    );
}

#[test]
fn two_currencies_never_mix() {
    let foreign = Order {
        currency: Currency::parse("EUR").unwrap(),
        ..order(0, 1, KWH)
    };
    let refused = settle_interval(&energies(&[KWH, -KWH]), &[foreign], grid());
    assert!(
        matches!(refused, Err(IntervalError::Currency { order: 0, .. })),
        "{refused:?}"
    );
}

#[test]
fn an_order_with_oneself_or_a_stranger_is_refused() {
    for (seller, buyer) in [(0, 0), (0, 2), (5, 1)] {
        let refused = settle_interval(
            &energies(&[KWH, -KWH]),
            &[order(seller, buyer, KWH)],
            grid(),
        );
        let expected = IntervalError::Parties {
            order: 0,
            seller,
            buyer,
            members: 2,
        };
        assert_eq!(refused, Err(expected));
    }
}

#[test]
fn an_order_that_cannot_be_settled_is_named() {
    let refused = settle_interval(&energies(&[KWH, -KWH]), &[order(0, 1, 0)], grid());
    assert!(
        matches!(refused, Err(IntervalError::Order { order: 0, .. })),
        "{refused:?}"
    );
}

#[test]
fn an_order_on_a_line_of_its_own_and_energy_beyond_all_bounds_are_refused() {
    let mut own = order(0, 1, KWH);
    own.terms.metering = Metering::OwnLine {
        loss_ppm: 0,
        tolerance_ppm: 0,
    };
    let refused = settle_interval(&energies(&[KWH, -KWH]), &[own], grid());
    assert_eq!(refused, Err(IntervalError::OwnLine { order: 0 }));
    for (net, orders) in [
        ([i64::MIN, 0], vec![]),
        ([0, 0], vec![order(0, 1, i64::MAX)]),
        (
            [0, 0],
            vec![
                order(0, 1, 6_000_000_000_000_000),
                order(0, 1, 6_000_000_000_000_000),
            ],
        ),
    ] {
        let refused = settle_interval(&energies(&net), &orders, grid());
        assert!(
            matches!(refused, Err(IntervalError::TooLarge { member: 0, .. })),
            "{refused:?}"
        );
    }
    let dear = GridPrices {
        import: Price::from_millionths(i64::MAX),
        ..grid()
    };
    assert!(settle_interval(&energies(&[KWH]), &[], dear).is_err());
}

proptest! {
    #[test]
    fn energy_and_money_are_conserved_whatever_the_meters_show(
        net in prop::collection::vec(-1_000_000_000_000_i64..=1_000_000_000_000, 2..8),
        raw in prop::collection::vec((0_usize..8, 0_usize..8, 1_i64..=500_000_000_000, 0_i64..=1_000_000, 0_i64..=1_000_000), 0..20),
        import in 1_i64..=2_000_000,
        export in -500_000_i64..=1_000_000,
    ) {
        let members = net.len();
        let orders: Vec<Order> = raw
            .into_iter()
            .filter(|(seller, buyer, ..)| seller % members != buyer % members)
            .map(|(seller, buyer, quantity, price, margin)| {
                let mut order = order(seller % members, buyer % members, quantity);
                order.terms.price = Price::from_millionths(price);
                order.terms.seller_price = Price::from_millionths(price - margin);
                order
            })
            .collect();
        let grid = GridPrices {
            import: Price::from_millionths(import),
            export: Price::from_millionths(export),
            ..grid()
        };
        let net = energies(&net);
        let result = settle_interval(&net, &orders, grid).unwrap();

        let balances: Money = result.members.iter().map(|entry| entry.balance()).sum();
        prop_assert_eq!(balances + result.aggregator + result.grid, Money::ZERO);
        let sold: Energy = result.members.iter().map(|entry| entry.sold).sum();
        let bought: Energy = result.members.iter().map(|entry| entry.bought).sum();
        prop_assert_eq!(sold, bought);
        for (entry, &net) in result.members.iter().zip(&net) {
            prop_assert_eq!(entry.exported + entry.sold - entry.imported - entry.bought, net);
            prop_assert!(entry.exported == Energy::ZERO || entry.imported == Energy::ZERO);
            prop_assert!(entry.sold <= net.max(Energy::ZERO));
        }
        for settlement in &result.orders {
            prop_assert!(settlement.to_aggregator >= Money::ZERO);
        }
    }
}

#[test]
fn orders_that_a_ledger_settled_are_booked_as_an_interval_settles_them() {
    let orders = [order(0, 1, 6 * KWH), order(0, 2, 2 * KWH)];
    let net = energies(&[4 * KWH, -6 * KWH, -2 * KWH]);
    let whole = settle_interval(&net, &orders, grid()).unwrap();
    let settled: Vec<_> = orders.into_iter().zip(whole.orders.clone()).collect();
    assert_eq!(book_interval(&net, &settled, grid()).unwrap(), whole);
}

#[test]
fn what_passes_a_line_of_a_pairs_own_is_in_no_flow_at_tie_lines() {
    let mut own = order(0, 1, 6 * KWH);
    own.terms.metering = Metering::OwnLine {
        loss_ppm: 0,
        tolerance_ppm: 20_000,
    };
    let readings = Readings {
        taken: Some(Energy::from_millijoules(6 * KWH)),
        delivered: Some(Energy::from_millijoules(6 * KWH)),
    };
    let settlement = settle(&own.terms, readings).unwrap();
    // The seller exports one more at its tie line, the buyer takes two more there.
    let net = energies(&[KWH, -2 * KWH]);
    let booked = book_interval(&net, &[(own, settlement)], grid()).unwrap();
    assert_eq!(booked.members[0].sold, Energy::from_millijoules(6 * KWH));
    assert_eq!(booked.members[0].exported, Energy::from_millijoules(KWH));
    assert_eq!(
        booked.members[1].imported,
        Energy::from_millijoules(2 * KWH)
    );
    assert_eq!(
        settle_interval(&net, &[own], grid()),
        Err(IntervalError::OwnLine { order: 0 })
    );
}
