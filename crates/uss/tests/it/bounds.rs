//! Bounds and key cost against exact values and calculations by hand.

use tieline_uss::bounds::{
    Budgets, Channel, EndToEnd, FamilyCost, FamilyName, KeyCost, Load, Log2, Parameters,
    ParametersError, SecurityBounds, block_differs, block_differs_simple, search, test_passed,
};
use tieline_uss::committee::{Committee, Level};

use crate::bounds_search::{near, request};

/// Expected: max over all T of the sum of binomial coefficients as whole numbers, logarithm taken with 60 digits.
#[test]
fn the_probability_that_a_block_differs_agrees_with_exact_sums_over_every_number_of_wrong_tags() {
    for (functions, budget, below, expected) in [
        (2, 0, 1, -2.584962500721156),
        (5, 1, 2, -1.932885804141463),
        (12, 7, 4, -0.16840383221190125),
        (40, 0, 38, -71.15122757858411),
        (64, 0, 47, -69.5898593802212),
        (186, 0, 63, -73.49548683513751),
        (186, 63, 154, -74.29450369766091),
        (353, 119, 292, -137.51424728490974),
        (1000, 0, 600, -793.0350360421564),
        (3000, 0, 2999, -5993.398818430279),
        (3000, 1000, 2999, -2754.3875722944736),
    ] {
        let what = format!("k = {functions}, u = {budget}, {below}");
        near(block_differs(functions, budget, below), expected, &what);
    }
    assert_eq!(block_differs(10, 3, 10), Log2::IMPOSSIBLE);
    assert_eq!(block_differs(10, 10, 9), Log2::CERTAIN);
}

/// Every T, for every k up to 14 and every pair of budgets: u128 holds C(28, 14)².
#[test]
fn the_worst_number_of_wrong_tags_is_one_more_than_both_budgets_together() {
    for functions in 1..=14_u16 {
        for budget in 0..functions {
            for below in 0..functions {
                let worst = (0..=2 * functions)
                    .map(|wrong| ways(functions, wrong, budget, below))
                    .max()
                    .unwrap();
                let all = choose(2 * functions, functions);
                let expected = (worst as f64 / all as f64).log2();
                near(block_differs(functions, budget, below), expected, "small");
            }
        }
    }
}

fn choose(of: u16, taken: u16) -> u128 {
    (1..=u128::from(taken)).fold(1, |product, i| product * (u128::from(of) + 1 - i) / i)
}

fn ways(functions: u16, wrong: u16, budget: u16, below: u16) -> u128 {
    (0..=wrong.min(functions).min(budget))
        .filter(|x| wrong - x > below && functions - x <= 2 * functions - wrong)
        .map(|x| choose(wrong, x) * choose(2 * functions - wrong, functions - x))
        .sum()
}

#[test]
fn the_simple_form_is_never_below_the_exact_one() {
    for functions in [2_u16, 7, 30, 200] {
        for budget in 0..functions {
            for below in budget..functions {
                let exact = block_differs(functions, budget, below);
                let simple = block_differs_simple(functions, budget, below);
                assert!(
                    exact <= simple,
                    "k = {functions}, u = {budget}, {below}: {exact} {simple}"
                );
            }
        }
    }
}

#[test]
fn a_test_passes_with_the_chance_of_its_right_tags() {
    near(
        test_passed(64, 47, Log2::from_exponent(-7.0)),
        -68.707068898388,
        "opt",
    );
    let gf64 = FamilyCost::choices(FamilyName::Gf64, 1024)[0];
    near(test_passed(40, 38, gf64.guess), -104.37021517540389, "gf64");
    let gf128 = FamilyCost::choices(FamilyName::Gf128, 1024)[0];
    near(test_passed(72, 0, gf128.guess), -8782.389517461952, "gf128");
    assert_eq!(test_passed(5, 5, gf128.guess), Log2::CERTAIN);
}

/// k tags of b = 1 bit: the exact tail of the binomial distribution stays below the union, equal at u = 0.
#[test]
fn the_union_over_right_tags_is_exact_without_budget_and_above_the_tail_with_one() {
    for (functions, guess) in [(6_u16, 0.5_f64), (9, 0.25), (12, 0.01)] {
        for budget in 0..functions {
            let tail: f64 = (0..=budget)
                .map(|wrong| {
                    choose(functions, wrong) as f64
                        * guess.powi(i32::from(functions - wrong))
                        * (1.0 - guess).powi(i32::from(wrong))
                })
                .sum();
            let bound = test_passed(functions, budget, Log2::of_float(guess)).exponent();
            if budget == 0 {
                assert!((bound - tail.log2()).abs() < 1e-9);
            } else {
                assert!(bound > tail.log2() - 1e-9, "{functions} {budget}");
            }
        }
    }
}

fn bounds(row: &str, load: Load) -> (Parameters, SecurityBounds) {
    let choice = search(&request(row)).unwrap();
    let bounds = SecurityBounds::of(&choice.parameters, load);
    (choice.parameters, bounds)
}

/// Expected by hand: p_t = C(64, 47) 2^-119, (4 - 1)² of it; g = ⌊4/2⌋ + 1 - 1 = 2 of three, so 3 · 3 · p_t²; h = 4.
#[test]
fn the_bounds_of_four_receivers_are_those_of_a_calculation_by_hand() {
    let (_, bounds) = bounds("64 4 1 0 small", Load::ONE_SHOT);
    let dispute = bounds.forging_at(Level::DISPUTE).unwrap();
    near(dispute.test_passed, -68.707068898388, "p_t");
    near(dispute.simple, -68.707068898388 + 9_f64.log2(), "simple");
    near(dispute.tight, 9_f64.log2() - 2.0 * 68.707068898388, "tight");
    assert_eq!(dispute.colluders_needed, 3);
    near(
        bounds.repudiation(),
        -69.5898593802212 + 48_f64.log2(),
        "repudiation",
    );
    assert_eq!(bounds.transfers.len(), 1);
    let sum = (bounds.repudiation().exponent().exp2() + dispute.simple.exponent().exp2()).log2();
    near(bounds.sum(), sum, "sum");
    assert_eq!(bounds.worst(), bounds.repudiation());
}

#[test]
fn an_epoch_multiplies_every_bound_by_its_evaluations() {
    let load = Load {
        messages: 1 << 10,
        attempts: 3,
    };
    let (_, once) = bounds("64 8 2 1 gf64", Load::ONE_SHOT);
    let (_, epoch) = bounds("64 8 2 1 gf64", load);
    for (once, epoch) in once.forging.iter().zip(&epoch.forging) {
        near(epoch.simple, once.simple.exponent() + 12.0, "simple");
        near(epoch.tight, once.tight.exponent() + 12.0, "tight");
    }
    for (once, epoch) in once.transfers.iter().zip(&epoch.transfers) {
        near(epoch.bound, once.bound.exponent() + 12.0, "transfer");
        assert!(epoch.block_differs <= epoch.block_differs_simple);
    }
    let mut wanted = request("64 8 2 1 gf64");
    wanted.load = load;
    let choice = search(&wanted).unwrap();
    assert!(choice.bounds.worst().reaches(64));
    assert!(choice.parameters.functions() > 121);
}

/// 2^-33 at n = 4 and 2^-29 at n = 16 with κ = 1e-15: the scheme's own 64 bits are not what limits.
#[test]
fn the_end_to_end_sum_is_that_of_key_distribution() {
    for (row, expected) in [
        ("64 4 1 0 small", -33.4),
        ("64 4 1 0 gf64", -32.6),
        ("64 16 4 0 small", -29.1),
    ] {
        let (parameters, bounds) = bounds(row, Load::ONE_SHOT);
        let cost =
            KeyCost::of(&parameters).epoch(parameters.committee().receivers(), Load::ONE_SHOT);
        let end_to_end = EndToEnd::of(bounds.sum(), cost, Channel::default());
        let found = end_to_end.sum().exponent();
        assert!((found - expected).abs() < 0.1, "{row}: {found}");
        assert!(end_to_end.sum() >= end_to_end.keys);
    }
}

#[test]
fn further_messages_of_an_epoch_cost_pads_only() {
    let (parameters, _) = bounds("64 16 4 0 small", Load::ONE_SHOT);
    let cost = KeyCost::of(&parameters);
    // n k b and k b.
    assert_eq!(cost.signer_to_receiver_bits_per_further_message, 8832);
    assert_eq!(cost.receiver_to_receiver_bits_per_further_message, 552);
    let load = Load {
        messages: 3,
        attempts: 0,
    };
    let epoch = cost.epoch(16, load);
    assert_eq!(
        epoch.key_bits,
        16 * (46368 + 2 * 8832) + 240 * (3657 + 2 * 552)
    );
    assert_eq!(epoch.authenticated_messages, 3 * (480 + 16));
}

/// Where the block for the length makes 2^s + 1 blocks beside the constant one, the chance is 2^-b + (2^s + 1) / 2^(b+s).
#[test]
fn the_small_family_counts_the_block_for_the_length() {
    let of = |bytes, tag_bits| {
        let all = FamilyCost::choices(FamilyName::Small, bytes);
        *all.iter().find(|cost| cost.tag_bits == tag_bits).unwrap()
    };
    // a = 8192 = 512 · 16: s = 9, 512 blocks and the length.
    assert_eq!(of(1024, 7).description_bits, 39);
    near(of(1024, 7).guess, -6.0, "as published");
    // a = 80 = (8 + 2)(1 + 4) + 30 > 50, s = 3: 8 blocks of 11 bits.
    assert_eq!(of(10, 8).description_bits, 30);
    near(of(10, 8).guess, -7.0, "fewer blocks than 2^s count as 2^s");
    // a = 72 = (5 + 3)(1 + 8): nine blocks and the length, degree 9 over 2^8.
    assert_eq!(of(9, 5).description_bits, 21);
    near(
        of(9, 5).guess,
        (9.0 / 256.0 + 1.0 / 32.0_f64).log2(),
        "full",
    );
}

#[test]
fn parameters_that_do_not_fit_are_refused() {
    let committee = Committee::new(4, 1, 0).unwrap();
    let family = FamilyCost::choices(FamilyName::Gf64, 1024)[0];
    let new = |functions, budgets: &[u16]| {
        Budgets::new(budgets.to_vec())
            .and_then(|budgets| Parameters::new(committee, functions, family, budgets))
    };
    assert!(new(40, &[0, 39]).is_ok());
    let (found, expected) = (3, 2);
    assert_eq!(
        new(40, &[0, 1, 2]),
        Err(ParametersError::BudgetsCount { found, expected })
    );
    assert_eq!(
        new(40, &[0]),
        Err(ParametersError::BudgetsCount { found: 1, expected })
    );
    let (budget, next) = (5, 5);
    assert_eq!(
        new(40, &[5, 5]),
        Err(ParametersError::BudgetsOrder { budget, next })
    );
    let (budget, functions) = (40, 40);
    assert_eq!(
        new(40, &[0, 40]),
        Err(ParametersError::BudgetTooLarge { budget, functions })
    );
    assert_eq!(
        new(1, &[0, 1]),
        Err(ParametersError::Functions { functions: 1 })
    );
    let budgets = Budgets::new(vec![0, 3, 9]).unwrap();
    let at = |level| budgets.at(Level::new(level).unwrap());
    assert_eq!(
        [at(-1), at(0), at(1), at(2)],
        [Some(9), Some(3), Some(0), None]
    );
}
