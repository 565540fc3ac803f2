//! The lowest clearing price as a weighted quantile.

use super::{Side, Step};

/// Steps looked at to guess where the price is.
const SAMPLE: usize = 4_096;
/// Books below this many steps are not worth a guess.
const SAMPLED_FROM: usize = 4 * SAMPLE;
/// Half the width of the guess as a share of the quantity: four standard deviations of a share near one half, `4 * 0.5 / sqrt(4096)`.
const GUESS_HALF_WIDTH: f64 = 0.031_25;

/// The lowest price at which the steps of both sides priced at most that amount to the whole demand; `None` without demand.
///
/// A sample brackets the price, one pass counts what lies below the bracket, selection finishes inside. A book that misleads the sample
/// is selected as a whole: linear all the same.
pub(super) fn lowest_price(steps: &[Step]) -> Option<i64> {
    let (mut demand, mut supply) = (0_u128, 0_u128);
    for step in steps {
        let quantity = u128::from(step.quantity);
        let buys = step.side == Side::Buy;
        demand += if buys { quantity } else { 0 };
        supply += if buys { 0 } else { quantity };
    }
    if demand == 0 {
        return None;
    }
    if steps.len() >= SAMPLED_FROM {
        let (low, high) = guess(steps, demand as f64 / (demand + supply) as f64);
        if let Some(price) = select_between(steps, low, high, demand) {
            return Some(price);
        }
    }
    select_between(steps, i64::MIN, i64::MAX, demand)
}

/// Prices between which the sample sees the given share of the quantity reached.
fn guess(steps: &[Step], share: f64) -> (i64, i64) {
    // Places by the golden ratio: spread evenly, and in step with no period of the book.
    let place =
        |k: u64| (u128::from(k.wrapping_mul(0x9E37_79B9_7F4A_7C15)) * steps.len() as u128) >> 64;
    let mut sample: Vec<(i64, f64)> = (0..SAMPLE as u64)
        .filter_map(|k| steps.get(usize::try_from(place(k)).ok()?))
        .map(|step| (step.price, step.quantity as f64))
        .collect();
    sample.sort_unstable_by_key(|point| point.0);
    let total: f64 = sample.iter().map(|point| point.1).sum();
    let mut reached = 0.0;
    let (mut low, mut high) = (i64::MIN, i64::MAX);
    for (price, quantity) in sample {
        if reached < (share - GUESS_HALF_WIDTH) * total {
            low = price;
        }
        reached += quantity;
        if reached > (share + GUESS_HALF_WIDTH) * total {
            high = price;
            break;
        }
    }
    (low, high)
}

/// The price at which the steps priced at most that amount to `demand`, if it lies from `low` to `high`.
fn select_between(steps: &[Step], low: i64, high: i64, demand: u128) -> Option<i64> {
    let (mut below, mut inside) = (0_u128, 0_u128);
    let mut points: Vec<(i64, u64)> = Vec::new();
    for step in steps {
        // No branch on what cannot be predicted; few steps are inside a bracket.
        below += u128::from(if step.price < low { step.quantity } else { 0 });
        if (step.price >= low) & (step.price <= high) & (step.quantity > 0) {
            points.push((step.price, step.quantity));
            inside += u128::from(step.quantity);
        }
    }
    let missing = demand
        .checked_sub(below)
        .filter(|&missing| missing > 0 && missing <= inside)?;
    Some(select(&mut points, missing))
}

/// The lowest price at which the points priced at most that amount to `missing`, which is above zero and at most their sum.
///
/// Halves the points by selecting their median: at most about twice the work of one selection.
fn select(points: &mut [(i64, u64)], mut missing: u128) -> i64 {
    let mut candidates = points;
    loop {
        let middle = candidates.len() / 2;
        let (below, &mut (price, quantity), above) =
            candidates.select_nth_unstable_by_key(middle, |point| point.0);
        let amount_below: u128 = below.iter().map(|point| u128::from(point.1)).sum();
        if amount_below >= missing {
            candidates = below;
        } else if amount_below + u128::from(quantity) >= missing {
            return price;
        } else {
            missing -= amount_below + u128::from(quantity);
            candidates = above;
        }
    }
}
