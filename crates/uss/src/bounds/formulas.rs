//! The two probabilities that every bound is made of.

use super::log2::{Factorials, Log2};

/// Terms this many bits below the largest are left out: fewer than 2^16 of them follow, each smaller than the one before.
const NEGLIGIBLE_BITS: f64 = 80.0;

/// p_t(u) ≤ C(k, u) ε^(k-u): one receiver's test of one block passes although the forger knows none of its keys.
///
/// `functions` k, `budget` u, `guess` ε, the chance of one right tag. The union is over which k - u tags are right; it is the
/// exact probability at u = 0 when ε is attained, and an upper bound otherwise.
///
/// Source: Amiri et al. 2018 for the counting; the union in the place of an exponential bound is derived, `docs/signature-bounds.md`
/// section 3.
pub fn test_passed(functions: u16, budget: u16, guess: Log2) -> Log2 {
    let table = Factorials::up_to(usize::from(functions));
    test_passed_by(&table, functions, budget, guess)
}

/// [`test_passed`] by a table that reaches k.
pub(super) fn test_passed_by(table: &Factorials, functions: u16, budget: u16, guess: Log2) -> Log2 {
    if budget >= functions {
        return Log2::CERTAIN;
    }
    table.choose(functions.into(), budget.into()) * guess.power(u32::from(functions - budget))
}

/// p_m(u_l, u_(l-1)): some choice of wrong tags of one honest sender's block leaves at most `budget` mismatches with one
/// honest receiver and more than `budget_below` with another.
///
/// max over T of Σ over x ≤ u_l, T - x > u_(l-1) of C(T, x) C(2k-T, k-x) / C(2k, k), where T is the number of wrong tags the
/// two receivers hold together. The largest T is u_l + u_(l-1) + 1: with fewer wrong tags the second condition binds and
/// the sum grows with T, with more the first binds and it falls. Exact for two receivers, an upper bound for more.
///
/// Source: derived, `docs/signature-bounds.md` section 4.
pub fn block_differs(functions: u16, budget: u16, budget_below: u16) -> Log2 {
    let table = Factorials::up_to(2 * usize::from(functions));
    block_differs_by(&table, functions, budget, budget_below)
}

/// [`block_differs`] by a table that reaches 2k.
pub(super) fn block_differs_by(
    table: &Factorials,
    functions: u16,
    budget: u16,
    budget_below: u16,
) -> Log2 {
    if budget_below >= functions {
        return Log2::IMPOSSIBLE;
    }
    if budget >= functions {
        return Log2::CERTAIN;
    }
    let k = usize::from(functions);
    let wrong = usize::from(budget) + usize::from(budget_below) + 1;
    let split = |x: usize| table.choose(wrong, x) * table.choose(2 * k - wrong, k - x);
    let most = usize::from(budget);
    // The terms are largest at half of the wrong tags, and fall from there on.
    let peak = split(most.min(wrong / 2)).exponent();
    let mut sum = 0.0;
    for x in (wrong.saturating_sub(k)..=most).rev() {
        let below_peak = split(x).exponent() - peak;
        if below_peak < -NEGLIGIBLE_BITS && x < wrong / 2 {
            break;
        }
        sum += below_peak.exp2();
    }
    Log2::of_float(sum) * Log2::from_exponent(peak) * table.choose(2 * k, k).inverse()
}

/// The simple form of [`block_differs`], exp(-(u_(l-1) - u_l)² / (k + 1)): larger, and good enough for a check by hand.
///
/// Source: Serfling 1974, for k of 2k drawn without replacement.
pub fn block_differs_simple(functions: u16, budget: u16, budget_below: u16) -> Log2 {
    let gap = f64::from(budget_below) - f64::from(budget);
    if gap <= 0.0 {
        return Log2::CERTAIN;
    }
    Log2::from_exponent(-gap * gap / (f64::from(functions) + 1.0) * std::f64::consts::LOG2_E)
}
