//! Sharing an integer total in proportion to weights, exactly.

/// Splits `total` in proportion to `weights` by largest remainder: the parts add up to `total`.
///
/// `weights`: not negative. Each part is ⌊total·w/Σw⌋ or one more; the units left go to the largest remainders, the
/// earlier index first among equals. No part exceeds its weight when `total ≤ Σ weights`. Without any weight every
/// part is zero.
pub fn largest_remainder(total: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
    if sum <= 0 || total <= 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: i64| i128::from(total) * i128::from(weight);
    let mut parts: Vec<i64> = weights
        .iter()
        .map(|&weight| (exact(weight) / sum) as i64)
        .collect();
    let left = total - parts.iter().sum::<i64>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&index| (std::cmp::Reverse(exact(weights[index]) % sum), index));
    for &index in order.iter().take(usize::try_from(left).unwrap_or(0)) {
        parts[index] += 1;
    }
    parts
}
