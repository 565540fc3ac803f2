//! Order books: solved by hand, by enumeration, by linear program, and real ones.

mod large;
mod offer;
mod properties;
mod real;
mod text;

use tieline_market::book::{Book, Clearing, PriceRule, Side, Step, TieRule, clear};

use PriceRule::{MarginalAsk, MarginalBid, Mid};

fn buy(price: i64, quantity: u64) -> Step {
    Step {
        side: Side::Buy,
        price,
        quantity,
    }
}

fn sell(price: i64, quantity: u64) -> Step {
    Step {
        side: Side::Sell,
        price,
        quantity,
    }
}

fn cleared(steps: &[Step], price: PriceRule, tie: TieRule) -> Clearing {
    clear(&Book::new(steps.to_vec()), price, tie).expect("small numbers")
}

/// Price interval, quantity interval and accepted quantities (pro rata).
fn check(
    steps: &[Step],
    price: (Option<i64>, Option<i64>),
    quantity: (u128, u128),
    accepted: &[u64],
) {
    let clearing = cleared(steps, Mid, TieRule::ProRata);
    assert_eq!(
        (clearing.price.low, clearing.price.high),
        price,
        "{steps:?}"
    );
    assert_eq!(
        (clearing.quantity.low, clearing.quantity.high),
        quantity,
        "{steps:?}"
    );
    assert_eq!(clearing.accepted, accepted, "{steps:?}");
    assert_eq!(clearing.chosen_quantity, quantity.1, "{steps:?}");
}

#[test]
fn a_partial_step_sets_the_price() {
    // The second sell is marginal, then the second buy.
    check(
        &[sell(1, 10), sell(3, 10), buy(5, 15)],
        (Some(3), Some(3)),
        (15, 15),
        &[10, 5, 15],
    );
    check(
        &[sell(1, 15), buy(5, 10), buy(3, 10)],
        (Some(3), Some(3)),
        (15, 15),
        &[15, 10, 5],
    );
}

#[test]
fn a_vertical_crossing_has_one_quantity_and_a_price_interval() {
    let steps = [sell(1, 10), sell(7, 5), buy(5, 10), buy(3, 5)];
    check(&steps, (Some(3), Some(5)), (10, 10), &[10, 0, 10, 0]);
    let twice = |rule| {
        cleared(&steps, rule, TieRule::Order)
            .chosen_price
            .unwrap()
            .twice()
    };
    assert_eq!(
        [twice(Mid), twice(MarginalAsk), twice(MarginalBid)],
        [8, 6, 10]
    );
    // The lower end is the last accepted ask when it is above the first refused bid.
    check(
        &[sell(4, 10), sell(7, 5), buy(5, 10), buy(3, 5)],
        (Some(4), Some(5)),
        (10, 10),
        &[10, 0, 10, 0],
    );
}

#[test]
fn a_horizontal_crossing_has_one_price_and_trades_the_largest_quantity() {
    check(
        &[sell(1, 5), sell(3, 10), buy(5, 7), buy(3, 20)],
        (Some(3), Some(3)),
        (7, 15),
        &[5, 10, 7, 8],
    );
    // Nobody gains, all trade.
    check(
        &[sell(0, 10), buy(0, 4)],
        (Some(0), Some(0)),
        (0, 4),
        &[4, 4],
    );
}

#[test]
fn the_middle_of_adjacent_prices_is_exact() {
    let clearing = cleared(&[sell(1, 5), buy(2, 5)], Mid, TieRule::Order);
    let price = clearing.chosen_price.unwrap();
    assert_eq!((price.twice(), price.whole()), (3, None));
    let widest = cleared(&[sell(i64::MIN, 5), buy(i64::MAX, 5)], Mid, TieRule::Order);
    assert_eq!(
        (widest.price.low, widest.price.high),
        (Some(i64::MIN), Some(i64::MAX))
    );
    assert_eq!(widest.chosen_price.unwrap().twice(), -1);
}

#[test]
fn curves_that_do_not_meet_trade_nothing_between_bid_and_ask() {
    check(
        &[sell(5, 1), sell(6, 1), buy(2, 1), buy(1, 1)],
        (Some(2), Some(5)),
        (0, 0),
        &[0; 4],
    );
}

#[test]
fn a_side_without_quantity_leaves_its_end_open() {
    check(&[], (None, None), (0, 0), &[]);
    check(&[sell(5, 1), sell(6, 1)], (None, Some(5)), (0, 0), &[0, 0]);
    check(&[buy(5, 1), buy(6, 1)], (Some(6), None), (0, 0), &[0, 0]);
    // Steps of quantity zero do not count.
    check(
        &[buy(9, 0), sell(5, 1), sell(1, 0)],
        (None, Some(5)),
        (0, 0),
        &[0; 3],
    );
    check(
        &[buy(9, 0), buy(4, 2), sell(1, 0)],
        (Some(4), None),
        (0, 0),
        &[0; 3],
    );
    check(&[buy(9, 0), sell(1, 0)], (None, None), (0, 0), &[0; 2]);
    let price = |steps: &[Step], rule| {
        cleared(steps, rule, TieRule::Order)
            .chosen_price
            .and_then(|p| p.whole())
    };
    assert_eq!(price(&[buy(5, 1)], Mid), Some(5));
    assert_eq!(price(&[sell(5, 1)], MarginalAsk), Some(5));
    assert_eq!(price(&[], MarginalBid), None);
}

#[test]
fn prices_below_zero_and_ties_at_zero_clear() {
    let steps = [
        sell(-500, 30),
        sell(0, 10),
        sell(0, 20),
        buy(0, 15),
        buy(-1, 9),
        buy(3000, 25),
    ];
    check(&steps, (Some(0), Some(0)), (30, 40), &[30, 3, 7, 15, 0, 25]);
    check(
        &[sell(-5, 10), buy(-3, 4), buy(-9, 1)],
        (Some(-5), Some(-5)),
        (4, 4),
        &[4, 4, 0],
    );
}

#[test]
fn ties_are_shared_pro_rata_or_in_order_of_arrival() {
    let steps = [sell(3, 10), buy(9, 10), sell(3, 10), sell(3, 10)];
    assert_eq!(
        cleared(&steps, Mid, TieRule::ProRata).accepted,
        [4, 10, 3, 3]
    );
    assert_eq!(
        cleared(&steps, Mid, TieRule::Order).accepted,
        [10, 10, 0, 0]
    );
    let steps = [buy(3, 1), sell(1, 4), buy(3, 5), buy(3, 2)];
    assert_eq!(
        cleared(&steps, Mid, TieRule::ProRata).accepted,
        [1, 4, 2, 1]
    );
    assert_eq!(cleared(&steps, Mid, TieRule::Order).accepted, [1, 4, 3, 0]);
}

#[test]
fn totals_beyond_64_bits_are_exact() {
    let most = u64::MAX;
    let steps = [
        sell(1, most),
        sell(1, most),
        buy(2, most),
        buy(2, most),
        sell(1, most),
    ];
    let total = 2 * u128::from(most);
    let clearing = cleared(&steps, Mid, TieRule::ProRata);
    assert_eq!(clearing.chosen_quantity, total);
    assert_eq!(clearing.welfare, i128::try_from(total).unwrap());
    assert_eq!(clearing.accepted[2..4], [most; 2]);
    let sold: u128 = [0, 1, 4]
        .into_iter()
        .map(|i: usize| u128::from(clearing.accepted[i]))
        .sum();
    assert_eq!(sold, total);
}

#[test]
fn welfare_beyond_128_bits_is_refused_with_its_step() {
    let steps = vec![
        buy(i64::MAX, u64::MAX),
        buy(i64::MAX, u64::MAX),
        sell(0, u64::MAX),
        sell(0, u64::MAX),
    ];
    let error = clear(&Book::new(steps), Mid, TieRule::Order)
        .unwrap_err()
        .to_string();
    let expected = format!(
        "welfare exceeds 128 bits at step 1: price {}, accepted {}",
        i64::MAX,
        u64::MAX
    );
    assert_eq!(error, expected);
}
