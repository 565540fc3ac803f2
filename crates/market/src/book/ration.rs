//! Sharing a quantity in whole units.

/// Serves claims one after the other. `quantity` at most the sum of the claims.
pub(super) fn in_order(claims: &[u64], quantity: u128) -> Vec<u64> {
    let mut rest = quantity;
    let mut serve = |&claim: &u64| {
        let share = u64::try_from(rest).unwrap_or(u64::MAX).min(claim);
        rest -= u128::from(share);
        share
    };
    claims.iter().map(&mut serve).collect()
}

/// Shares `quantity` among claims in proportion, exactly: floors first, then one unit each by largest remainder, equal
/// remainders in input order.
///
/// `quantity` at most the sum of the claims; no share exceeds its claim.
pub(super) fn pro_rata(claims: &[u64], quantity: u128) -> Vec<u64> {
    let total: u128 = claims.iter().map(|&claim| u128::from(claim)).sum();
    debug_assert!(quantity <= total, "shares {quantity} of {total}");
    if quantity >= total {
        return claims.to_vec();
    }
    let mut shares = Vec::with_capacity(claims.len());
    let mut remainders = Vec::with_capacity(claims.len());
    let mut rest = quantity;
    for (index, &claim) in claims.iter().enumerate() {
        let (share, remainder) = proportion(claim, quantity, total);
        shares.push(share);
        remainders.push((std::cmp::Reverse(remainder), index));
        rest -= u128::from(share);
    }
    // Each floor loses less than one unit, so fewer units are left than there are claims.
    let units = usize::try_from(rest)
        .unwrap_or(usize::MAX)
        .min(claims.len());
    if units > 0 {
        remainders.select_nth_unstable(units - 1);
        for &(_, index) in &remainders[..units] {
            shares[index] += 1;
        }
    }
    shares
}

/// Quotient and remainder of `claim * quantity / total`, for `quantity < total < 2^126`.
fn proportion(claim: u64, quantity: u128, total: u128) -> (u64, u128) {
    if total <= u128::from(u64::MAX) {
        let product = u128::from(claim) * quantity;
        let share = u64::try_from(product / total).expect("at most the claim");
        return (share, product % total);
    }
    // The product may exceed 128 bits: long multiplication, one bit of the claim at a time, keeping remainder < total.
    let (mut share, mut remainder) = (0_u64, 0_u128);
    for bit in (0..u64::BITS).rev() {
        share *= 2;
        remainder *= 2;
        if claim >> bit & 1 == 1 {
            remainder += quantity;
        }
        while remainder >= total {
            remainder -= total;
            share += 1;
        }
    }
    (share, remainder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_exact_and_remainders_go_to_the_largest_first() {
        let check = |claims: &[u64], quantity: u128, expected: &[u64]| {
            assert_eq!(
                pro_rata(claims, quantity),
                expected,
                "{quantity} of {claims:?}"
            );
        };
        check(&[10, 10, 10], 10, &[4, 3, 3]);
        check(&[10, 10, 10], 20, &[7, 7, 6]);
        check(&[1, 2, 3], 6, &[1, 2, 3]);
        check(&[5, 0, 1], 4, &[3, 0, 1]);
        check(&[7, 3], 0, &[0, 0]);
        check(
            &[u64::MAX, u64::MAX, 2],
            u128::from(u64::MAX),
            &[u64::MAX / 2, u64::MAX / 2, 1],
        );
        check(
            &[u64::MAX; 3],
            3 * u128::from(u64::MAX) - 2,
            &[u64::MAX, u64::MAX - 1, u64::MAX - 1],
        );
    }

    #[test]
    fn long_multiplication_agrees_with_128_bits() {
        let mut state = 1_u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state
        };
        for _ in 0..2_000 {
            let (claim, total) = (next() >> 8, (u128::from(u64::MAX) + 1) + u128::from(next()));
            let quantity = u128::from(next() >> 1);
            let product = u128::from(claim) * quantity;
            let expected = (u64::try_from(product / total).unwrap(), product % total);
            assert_eq!(proportion(claim, quantity, total), expected);
        }
    }
}
