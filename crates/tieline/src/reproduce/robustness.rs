//! How far the costs may be off before a claim of Figs. 7 and 8 breaks.
//!
//! Every draw multiplies two numbers of each microgrid by `1 + s z`, with `z` of mean 0 and variance 1 (twelve uniform
//! numbers added, less six: close to normal, and the same bits on every machine). The two numbers are the average and the
//! marginal cost at full output, which were fitted, or else the coefficients `a` and `b`. The claims are read mildly:
//! equality keeps them.

use serde::Serialize;
use tieline_market::{Cost, Player, Strategy};

use super::case::{Case, outputs, play};
use super::claim::ROUNDING;

/// Sizes of the noise, relative.
pub const NOISES: [f64; 4] = [0.0001, 0.0003, 0.001, 0.003];
/// Draws at each size.
pub const DRAWS: usize = 60;
/// Seed of the draws.
pub const SEED: u64 = 2022;
/// Draws of sixty that survived in the first study of the fit, with other draws.
pub const EARLIER: [usize; 4] = [60, 47, 26, 14];

/// The claims in the order of [`Robustness::claims`].
pub const CLAIMS: [&str; 6] = [
    "MG1 sells no less than traditional, every demand",
    "MG1 earns no less than traditional, every demand",
    "MG1 sells something at 450 kW, traditional nothing",
    "price no higher than traditional, every demand",
    "price falls at 450 kW",
    "price rises at 550 and 1000 kW",
];

/// Draws in which claims survive.
#[derive(Clone, Debug, Serialize)]
pub struct Robustness {
    /// Seed.
    pub seed: u64,
    /// Draws at each size.
    pub draws: usize,
    /// Claims tested in each draw.
    pub claims: [&'static str; 6],
    /// By size.
    pub sizes: Vec<Size>,
}

/// One size of noise.
#[derive(Clone, Debug, Serialize)]
pub struct Size {
    /// Relative.
    pub noise: f64,
    /// Draws in which every claim survives, average and marginal cost shaken.
    pub all: usize,
    /// The same with the coefficients a and b shaken.
    pub all_coefficients: usize,
    /// The same in the earlier study.
    pub earlier: usize,
    /// Draws in which each claim survives, average and marginal cost shaken.
    pub each: [usize; 6],
}

/// Plays all draws.
///
/// # Errors
/// When a game is refused.
pub(super) fn compute(case: &Case) -> anyhow::Result<Robustness> {
    let mut random = Random(SEED);
    let mut sizes = Vec::with_capacity(NOISES.len());
    for (&noise, &earlier) in NOISES.iter().zip(&EARLIER) {
        let (all, each) = survivors(case, (noise, Shaken::Costs), &mut random)?;
        let (all_coefficients, _) = survivors(case, (noise, Shaken::Coefficients), &mut random)?;
        sizes.push(Size {
            noise,
            all,
            all_coefficients,
            earlier,
            each,
        });
    }
    Ok(Robustness {
        seed: SEED,
        draws: DRAWS,
        claims: CLAIMS,
        sizes,
    })
}

/// Which two numbers of a microgrid are shaken.
#[derive(Clone, Copy, Debug)]
enum Shaken {
    /// Average and marginal cost at full output.
    Costs,
    /// `a` and `b`.
    Coefficients,
}

/// Draws in which all claims survive, and in which each does.
fn survivors(
    case: &Case,
    noise: (f64, Shaken),
    random: &mut Random,
) -> anyhow::Result<(usize, [usize; 6])> {
    let (mut all, mut each) = (0, [0; 6]);
    for _ in 0..DRAWS {
        let held = held(&disturbed(case, noise, random))?;
        all += usize::from(held.iter().all(|&h| h));
        for (count, held) in each.iter_mut().zip(held) {
            *count += usize::from(held);
        }
    }
    Ok((all, each))
}

/// Which claims hold in a case.
fn held(case: &Case) -> anyhow::Result<[bool; 6]> {
    let mut held = [true; 6];
    for (index, &demand_kw) in case.demands_kw.iter().enumerate() {
        let improved = play(&case.players, &case.rules(Strategy::Improved), demand_kw)?;
        let traditional = play(&case.players, &case.rules(Strategy::Traditional), demand_kw)?;
        let sold = (outputs(&improved)[0], outputs(&traditional)[0]);
        held[0] &= sold.0 >= sold.1 - ROUNDING;
        held[1] &= improved.microgrids[0].income >= traditional.microgrids[0].income - ROUNDING;
        held[3] &= improved.clearing_price <= traditional.clearing_price + ROUNDING;
        let risen = improved.clearing_price - case.rules.rho0;
        if index == 0 {
            held[2] = sold.0 > ROUNDING && sold.1 <= ROUNDING;
            held[4] = risen < -ROUNDING;
        } else {
            held[5] &= risen > ROUNDING;
        }
    }
    Ok(held)
}

fn disturbed(case: &Case, (noise, shaken): (f64, Shaken), random: &mut Random) -> Case {
    let mut shake = |value: f64| value * (1.0 + noise * random.normal());
    let disturbed = |player: &Player| {
        let (cost, q) = (player.cost, player.capacity_kw);
        let (a, b) = match shaken {
            Shaken::Coefficients => (shake(cost.a), shake(cost.b)),
            Shaken::Costs => {
                let (average, marginal) = (shake(cost.average(q)), shake(cost.marginal(q)));
                ((marginal - average) / q, 2.0 * average - marginal)
            }
        };
        Player {
            cost: Cost { a, b, c: cost.c },
            ..player.clone()
        }
    };
    let players = case.players.iter().map(disturbed).collect();
    Case {
        players,
        ..case.clone()
    }
}

/// Splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in [0, 1).
    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Mean 0, variance 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}
