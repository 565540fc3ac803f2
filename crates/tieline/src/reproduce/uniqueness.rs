//! Two markets that settle "the unique Nash equilibrium": one has two, one has none in pure bids.

use anyhow::Context as _;
use serde::Serialize;
use tieline_market::equilibrium::Status;
use tieline_market::report::bid_gains;
use tieline_market::{Cost, Game, Player, Rules};

use super::case::play;
use super::claim::ROUNDING;

/// Steps of a share on the grid of mixed bids.
const GRID: usize = 10;

/// What the two markets show.
#[derive(Clone, Debug, Serialize)]
pub struct Uniqueness {
    /// Three microgrids: one end per first price.
    pub ends: Vec<End>,
    /// Two microgrids: best responses from one pair of prices until a pair repeats, yuan/kWh.
    pub cycle: Vec<[f64; 2]>,
    /// Pairs of pure bids.
    pub pure_pairs: usize,
    /// Pairs of pure bids at which somebody gains by another bid.
    pub pure_pairs_left: usize,
    /// Pairs of bids with shares in tenths.
    pub grid_pairs: usize,
    /// Over all of them, the smallest value of the larger of the two gains, yuan/h.
    pub grid_smallest_gain: f64,
    /// Rounds until the ratchet of the rescue stopped the iteration.
    pub rescued_after: usize,
    /// How the iteration ended.
    pub rescued: Status,
}

/// An end of the three-microgrid market.
#[derive(Clone, Debug, Serialize)]
pub struct End {
    /// First price, yuan/kWh.
    pub rho0: f64,
    /// Price at the end, yuan/kWh.
    pub clearing_price: f64,
    /// How it ended.
    pub status: Status,
    /// Largest gain left inside the band, yuan/h.
    pub gain_banded: f64,
    /// Output by microgrid, kW.
    pub output_kw: Vec<f64>,
}

impl Uniqueness {
    /// The first market has two exact equilibria.
    pub fn several(&self) -> bool {
        let exact = |end: &End| end.status == Status::Equilibrium && end.gain_banded <= ROUNDING;
        let prices = self
            .ends
            .windows(2)
            .map(|pair| (pair[0].clearing_price - pair[1].clearing_price).abs());
        self.ends.iter().all(exact) && prices.into_iter().any(|gap| gap > ROUNDING)
    }

    /// The second market has no pure equilibrium.
    pub fn none(&self) -> bool {
        self.pure_pairs_left == self.pure_pairs
    }
}

/// Plays both markets.
///
/// # Errors
/// When a game is refused.
pub(super) fn compute() -> anyhow::Result<Uniqueness> {
    let game = cycling()?;
    let pure: Vec<Vec<f64>> = (0..3)
        .map(|s| (0..3).map(|t| f64::from(u8::from(s == t))).collect())
        .collect();
    let mixed = mixtures(GRID);
    let (_, pure_pairs_left) = smallest_gain(&game, &pure);
    let (grid_smallest_gain, _) = smallest_gain(&game, &mixed);
    let round = play(game.players(), game.rules(), game.demand_kw())?;
    Ok(Uniqueness {
        ends: ends()?,
        cycle: cycle(&game, &pure)?,
        pure_pairs: pure.len().pow(2),
        pure_pairs_left,
        grid_pairs: mixed.len().pow(2),
        grid_smallest_gain,
        rescued_after: round.iterations,
        rescued: round.status,
    })
}

fn player(id: &str, capacity_kw: f64, levels: [f64; 3]) -> Player {
    Player {
        id: id.to_owned(),
        cost: Cost {
            a: 0.0,
            b: levels[0],
            c: 0.0,
        },
        capacity_kw,
        levels: Some(levels.to_vec()),
    }
}

fn ends() -> anyhow::Result<Vec<End>> {
    let players = [
        player("M1", 170.0, [0.20, 0.41, 0.43]),
        player("M2", 120.0, [0.17, 0.22, 0.29]),
        player("M3", 190.0, [0.15, 0.27, 0.44]),
    ];
    let end = |rho0: f64| -> anyhow::Result<End> {
        let rules = Rules {
            margin: 1.0,
            ..Rules::new(0.1, 0.5, rho0)
        };
        let round = play(&players, &rules, 350.0)?;
        Ok(End {
            rho0,
            clearing_price: round.clearing_price,
            status: round.status,
            gain_banded: round.exploitability_banded,
            output_kw: round.microgrids.iter().map(|one| one.accepted_kw).collect(),
        })
    };
    [0.1, 0.3].into_iter().map(end).collect()
}

/// Two equal microgrids that undercut each other down to a price at which serving the rest alone pays more.
fn cycling() -> anyhow::Result<Game> {
    let levels = [0.2, 0.3, 0.4];
    let players = vec![player("M1", 100.0, levels), player("M2", 100.0, levels)];
    let rules = Rules {
        margin: 1.0,
        ..Rules::new(0.1, 0.5, 0.5)
    };
    Ok(Game::new(players, rules, 150.0)?)
}

/// Every mixture of three levels with shares in `1 / steps`.
fn mixtures(steps: usize) -> Vec<Vec<f64>> {
    let mut found = Vec::new();
    for first in 0..=steps {
        for second in 0..=steps - first {
            let counts = [first, second, steps - first - second];
            found.push(
                counts
                    .iter()
                    .map(|&count| count as f64 / steps as f64)
                    .collect(),
            );
        }
    }
    found
}

/// Over all pairs of `bids`: the smallest larger gain, and how many pairs leave a gain.
fn smallest_gain(game: &Game, bids: &[Vec<f64>]) -> (f64, usize) {
    let (mut smallest, mut left) = (f64::INFINITY, 0);
    for one in bids {
        for other in bids {
            let larger = larger_gain(game, one, other);
            smallest = smallest.min(larger);
            left += usize::from(larger > ROUNDING);
        }
    }
    (smallest, left)
}

fn larger_gain(game: &Game, one: &[f64], other: &[f64]) -> f64 {
    let gains = bid_gains(game, game.rules().grid_sell, &[one, other].concat());
    gains.iter().map(|gain| gain.free).fold(0.0, f64::max)
}

/// Pure best responses in turn from (0.4, 0.3) until a pair comes back.
fn cycle(game: &Game, pure: &[Vec<f64>]) -> anyhow::Result<Vec<[f64; 2]>> {
    let levels = game.price_levels();
    let mut at = [2, 1];
    let mut seen: Vec<[usize; 2]> = vec![at];
    let mut mover = 0;
    // nine pairs and two movers: a repetition comes within that many moves
    for _ in 0..2 * pure.len().pow(2) {
        let best = (0..pure.len()).find(|&level| {
            let mut tried = at;
            tried[mover] = level;
            let shares = [pure[tried[0]].as_slice(), pure[tried[1]].as_slice()].concat();
            bid_gains(game, game.rules().grid_sell, &shares)[mover].free <= ROUNDING
        });
        let best = best.context("a best response is a pure level")?;
        let moved = at[mover] != best;
        at[mover] = best;
        mover = 1 - mover;
        if moved {
            seen.push(at);
            if seen[..seen.len() - 1].contains(&at) {
                break;
            }
        }
    }
    Ok(seen
        .iter()
        .map(|pair| [levels[pair[0]], levels[pair[1]]])
        .collect())
}
