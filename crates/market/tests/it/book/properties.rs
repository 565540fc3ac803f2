//! The definition of a clearing by enumeration, and the welfare by linear program.

use microlp::{ComparisonOp, OptimizationDirection, Problem};
use proptest::prelude::*;
use tieline_market::book::{Book, Clearing, PriceRule, Side, Step, TieRule, clear};

fn books(steps: usize, prices: i64, quantities: u64) -> impl Strategy<Value = Vec<Step>> {
    let step =
        (any::<bool>(), -prices..=prices, 0..=quantities).prop_map(|(buys, price, quantity)| {
            Step {
                side: if buys { Side::Buy } else { Side::Sell },
                price,
                quantity,
            }
        });
    prop::collection::vec(step, 0..steps)
}

fn rules() -> impl Strategy<Value = (PriceRule, TieRule)> {
    let price = prop_oneof![
        Just(PriceRule::Mid),
        Just(PriceRule::MarginalAsk),
        Just(PriceRule::MarginalBid)
    ];
    (
        price,
        prop_oneof![Just(TieRule::ProRata), Just(TieRule::Order)],
    )
}

/// Least and largest quantity a side may trade at `twice / 2`: strictly better limits, and those at the price as well.
fn curve(steps: &[Step], side: Side, twice: i64) -> (u128, u128) {
    let sum = |fits: &dyn Fn(i64) -> bool| {
        let fitting = steps
            .iter()
            .filter(|step| step.side == side && fits(2 * step.price));
        fitting.map(|step| u128::from(step.quantity)).sum()
    };
    match side {
        Side::Buy => (sum(&|limit| limit > twice), sum(&|limit| limit >= twice)),
        Side::Sell => (sum(&|limit| limit < twice), sum(&|limit| limit <= twice)),
    }
}

/// Quantities that both sides accept at `twice / 2`.
fn quantities(steps: &[Step], twice: i64) -> Option<(u128, u128)> {
    let (demand, supply) = (
        curve(steps, Side::Buy, twice),
        curve(steps, Side::Sell, twice),
    );
    let (low, high) = (demand.0.max(supply.0), demand.1.min(supply.1));
    (low <= high).then_some((low, high))
}

/// Buys and sells amount to the same; nobody strictly better than the price is left out, nobody strictly worse is in.
pub(super) fn check_consistent(steps: &[Step], clearing: &Clearing) -> Result<(), TestCaseError> {
    let traded = |side| -> u128 {
        let accepted = steps
            .iter()
            .zip(&clearing.accepted)
            .filter(|(step, _)| step.side == side);
        accepted.map(|(_, &amount)| u128::from(amount)).sum()
    };
    prop_assert_eq!(traded(Side::Buy), clearing.chosen_quantity);
    prop_assert_eq!(traded(Side::Sell), clearing.chosen_quantity);
    for (step, &accepted) in steps.iter().zip(&clearing.accepted) {
        prop_assert!(accepted <= step.quantity);
        let Some(price) = clearing.chosen_price else {
            continue;
        };
        let advantage = match step.side {
            Side::Buy => 2 * i128::from(step.price) - price.twice(),
            Side::Sell => price.twice() - 2 * i128::from(step.price),
        };
        prop_assert!(
            advantage <= 0 || accepted == step.quantity,
            "{step:?} left out at {price:?}"
        );
        prop_assert!(
            advantage >= 0 || accepted == 0,
            "{step:?} taken at {price:?}"
        );
    }
    Ok(())
}

fn welfare_by_lp(steps: &[Step]) -> f64 {
    let mut program = Problem::new(OptimizationDirection::Maximize);
    let sign = |step: &Step| if step.side == Side::Buy { 1.0 } else { -1.0 };
    let terms: Vec<_> = steps
        .iter()
        .map(|step| {
            #[allow(clippy::cast_precision_loss, reason = "small numbers")]
            let (price, quantity) = (step.price as f64, step.quantity as f64);
            (
                program.add_var(sign(step) * price, (0.0, quantity)),
                sign(step),
            )
        })
        .collect();
    program.add_constraint(terms, ComparisonOp::Eq, 0.0);
    let outcome = program.solve().expect("zero trade is feasible");
    outcome.into_solution().expect("no limit set").objective()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn intervals_are_those_of_the_definition(steps in books(12, 4, 5), (price_rule, tie_rule) in rules()) {
        let clearing = clear(&Book::new(steps.clone()), price_rule, tie_rule).unwrap();
        // Half ticks see between any two prices; one tick outside them stands for all beyond.
        let (first, last) = (-10, 10);
        let clears: Vec<i64> = (first..=last).filter(|&twice| quantities(&steps, twice).is_some()).collect();
        let low = clears.first().copied().filter(|&twice| twice > first);
        let high = clears.last().copied().filter(|&twice| twice < last);
        prop_assert_eq!(clearing.price.low.map(|price| 2 * price), low);
        prop_assert_eq!(clearing.price.high.map(|price| 2 * price), high);
        let traded: Vec<(u128, u128)> = clears.iter().filter_map(|&twice| quantities(&steps, twice)).collect();
        prop_assert_eq!(Some(clearing.quantity.low), traded.iter().map(|range| range.0).min());
        prop_assert_eq!(Some(clearing.quantity.high), traded.iter().map(|range| range.1).max());
        check_consistent(&steps, &clearing)?;
    }

    #[test]
    fn every_price_rule_accepts_the_same_quantities(steps in books(30, 9, 9), tie in rules()) {
        let accepted = |rule| clear(&Book::new(steps.clone()), rule, tie.1).unwrap();
        let (mid, ask, bid) = (accepted(PriceRule::Mid), accepted(PriceRule::MarginalAsk), accepted(PriceRule::MarginalBid));
        prop_assert_eq!(&mid.accepted, &ask.accepted);
        prop_assert_eq!(&mid.accepted, &bid.accepted);
        for clearing in [mid, ask, bid] {
            check_consistent(&steps, &clearing)?;
        }
    }

    #[test]
    fn pro_rata_shares_differ_by_less_than_a_unit_from_the_proportion(
        claims in prop::collection::vec(0..1_000_u64, 1..9), taken in 0..9_000_u64
    ) {
        let total: u64 = claims.iter().sum();
        let taken = taken.min(total);
        let mut steps: Vec<Step> = claims.iter().map(|&quantity| Step { side: Side::Sell, price: 5, quantity }).collect();
        steps.push(Step { side: Side::Buy, price: 6, quantity: taken });
        let clearing = clear(&Book::new(steps), PriceRule::Mid, TieRule::ProRata).unwrap();
        for (&claim, &accepted) in claims.iter().zip(&clearing.accepted) {
            prop_assert!((accepted * total).abs_diff(claim * taken) < total.max(1));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn welfare_is_that_of_the_linear_program(steps in books(40, 60, 50), (price_rule, tie_rule) in rules()) {
        let clearing = clear(&Book::new(steps.clone()), price_rule, tie_rule).unwrap();
        let expected = welfare_by_lp(&steps);
        #[allow(clippy::cast_precision_loss, reason = "small numbers")]
        let found = clearing.welfare as f64;
        // The optimum is a whole number; the solver's tolerance is 1e-7 per constraint.
        prop_assert!((found - expected).abs() < 1e-3, "{found}, linear program {expected}");
    }
}
