//! Random markets and the linear programs of a best response; shared with the bench.

use microlp::{ComparisonOp, OptimizationDirection, Problem};
use tieline_market::bid::Band;
use tieline_market::response::Situation;
use tieline_market::{Cost, Game, Player, Rules};

/// Splitmix64: the same numbers on every machine.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in [low, high).
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Rules between 0.1 and 0.8 per kWh, starting at 0.35.
pub(crate) fn rules() -> Rules {
    Rules::new(0.1, 0.8, 0.35)
}

/// Players with AC .15-.40, MC/AC 1.05-1.9, Q 50-300 kW, as in section 8 of the specification of the market.
pub(crate) fn random_players(count: usize, seed: u64) -> Vec<Player> {
    let mut random = Random(seed);
    let player = |i: usize| {
        let average = random.between(0.15, 0.40);
        let marginal = average * random.between(1.05, 1.9);
        let capacity_kw = random.between(50.0, 300.0);
        let a = (marginal - average) / capacity_kw;
        let cost = Cost {
            a,
            b: 2.0 * average - marginal,
            c: 0.0,
        };
        Player {
            id: format!("MG{i}"),
            cost,
            capacity_kw,
            levels: None,
        }
    };
    (0..count).map(player).collect()
}

/// A random game whose demand is `load` times the capacity.
pub(crate) fn random_game(count: usize, seed: u64, load: f64, rules: Rules) -> Game {
    let players = random_players(count, seed);
    let offered: f64 = players.iter().map(|p| p.capacity_kw).sum();
    Game::new(players, rules, load * offered).expect("a valid game")
}

/// Best income in the band by linear programs, one for every level m that is the last to sell anything.
pub(crate) fn best_income_by_programs(situation: &Situation<'_>, band: Band) -> f64 {
    let programs =
        (0..situation.levels.len()).filter_map(|m| best_income_up_to(situation, band, m));
    programs.fold(f64::NEG_INFINITY, f64::max)
}

fn best_income_up_to(situation: &Situation<'_>, band: Band, m: usize) -> Option<f64> {
    let (levels, capacity) = (situation.levels, situation.capacity_kw);
    let above = |s: usize| levels[s] - situation.grid_buy;
    let mut problem = Problem::new(OptimizationDirection::Maximize);
    let weight = |s: usize| if s < m { above(s) * capacity } else { 0.0 };
    let x: Vec<_> = (0..levels.len())
        .map(|s| problem.add_var(weight(s), (0.0, 1.0)))
        .collect();
    let y = problem.add_var(above(m), (0.0, f64::INFINITY));
    problem.add_constraint([(y, 1.0), (x[m], -capacity)], ComparisonOp::Le, 0.0);
    let mut sold = vec![(y, 1.0)];
    sold.extend(x[..m].iter().map(|&x| (x, capacity)));
    problem.add_constraint(&sold, ComparisonOp::Le, situation.residual_kw[m]);
    let all: Vec<_> = x.iter().map(|&x| (x, 1.0)).collect();
    problem.add_constraint(&all, ComparisonOp::Eq, 1.0);
    let mean: Vec<_> = x.iter().zip(levels).map(|(&x, &b)| (x, b)).collect();
    problem.add_constraint(&mean, ComparisonOp::Ge, band.low);
    problem.add_constraint(&mean, ComparisonOp::Le, band.high);
    let solution = problem.solve().ok()?.into_solution().ok()?;
    Some(situation.grid_buy * capacity + solution.objective())
}
