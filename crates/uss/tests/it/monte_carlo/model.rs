//! Bounds of the tests' epochs, the exact chances behind them, and a fast model of the secret split: counts of wrong tags
//! instead of tags. The model is compared with whole runs where both are used.

use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use tieline_uss::bounds::{
    Budgets, FamilyCost, FamilyName, Load, Log2, Parameters, SecurityBounds,
};
use tieline_uss::family::Family;
use tieline_uss::parameters::Epoch;

use super::statistics::{Rate, samples};
use crate::support::random;

/// The bounds of an epoch, with its family's own ε at the epoch's longest message.
pub(crate) fn bounds(epoch: &Epoch) -> SecurityBounds {
    let parameters = epoch.parameters();
    let (family, limits) = (parameters.family(), parameters.limits());
    let name = match family {
        Family::Small(_) => FamilyName::Small,
        Family::Gf64 => FamilyName::Gf64,
        Family::Gf128 => FamilyName::Gf128,
        Family::Lfsr128 => FamilyName::Lfsr128,
    };
    let cost = FamilyCost {
        name,
        tag_bits: family.tag_bits() as u16,
        description_bits: family.description_bits() as u16,
        guess: Log2::from_exponent(family.epsilon_log2(limits.message_bytes)),
    };
    let levels = parameters.committee().levels();
    let budgets = Budgets::new(levels.map(|level| parameters.budget(level)).collect()).unwrap();
    let k = parameters.functions() as u16;
    let parameters = Parameters::new(parameters.committee(), k, cost, budgets).unwrap();
    let load = Load {
        messages: limits.messages,
        attempts: 0,
    };
    SecurityBounds::of(&parameters, load)
}

/// P[at least `needed` of `of` independent tests, each passed with chance `p`].
pub(crate) fn at_least(needed: u32, of: u32, p: f64) -> f64 {
    let chance = |successes: u32| {
        let ways = (0..successes).fold(1.0, |ways, i| ways * f64::from(of - i) / f64::from(i + 1));
        ways * p.powi(successes as i32) * (1.0 - p).powi((of - successes) as i32)
    };
    (needed..=of).map(chance).sum()
}

/// One honest sender's block: of nk functions the first `wrong` have wrong tags; how many each receiver holds of them.
pub(crate) fn deal(
    receivers: usize,
    functions: usize,
    wrong: usize,
    random: &mut ChaCha20Rng,
) -> Vec<usize> {
    let mut left = vec![functions; receivers];
    let mut held = vec![0; receivers];
    let mut total = receivers * functions;
    // One wrong tag after another falls on a free place.
    for _ in 0..wrong {
        let mut place = below(total, random);
        let holder = left.iter().position(|free| {
            let is_here = place < *free;
            place = if is_here { place } else { place - free };
            is_here
        });
        let holder = holder.unwrap();
        left[holder] -= 1;
        held[holder] += 1;
        total -= 1;
    }
    held
}

pub(crate) fn below(bound: usize, random: &mut ChaCha20Rng) -> usize {
    (random.next_u64() % bound as u64) as usize
}

/// C(n, r).
fn choose(n: usize, r: usize) -> f64 {
    (0..r).map(|i| (n - i) as f64 / (i + 1) as f64).product()
}

/// Expected: the hypergeometric distribution of the wrong tags that one receiver holds.
#[test]
fn the_model_deals_wrong_tags_as_a_uniform_split_does() {
    let (n, k, wrong) = (4, 5, 6);
    let mut random = random(1);
    let samples = samples(20_000);
    let mut found = vec![0; wrong + 1];
    for _ in 0..samples {
        found[deal(n, k, wrong, &mut random)[1]] += 1;
    }
    for (held, successes) in found.into_iter().enumerate().take(k + 1) {
        let exact = choose(wrong, held) * choose(n * k - wrong, k - held) / choose(n * k, k);
        Rate { successes, samples }.is(&format!("{held} wrong tags of {wrong} in one part"), exact);
    }
}
