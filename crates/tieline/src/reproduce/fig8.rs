//! Fig. 8: the clearing price by iteration.

use serde::Serialize;
use tieline_market::{Rules, Strategy};

use super::case::{Case, play};
use super::claim::ROUNDING;

/// Damping of the drawn second curve.
pub const DAMPING: f64 = 0.4;
/// Dampings whose rounds are counted; 1 is none.
pub const DAMPINGS: [f64; 5] = [1.0, 0.8, 0.6, DAMPING, 0.2];
/// Start prices tried between the grid's two prices.
pub const STARTS: usize = 101;

/// Prices by iteration, how many there are, and what the first price does.
#[derive(Clone, Debug, Serialize)]
pub struct Fig8 {
    /// Undamped and damped, both strategies, three demands.
    pub traces: Vec<Trace>,
    /// Rounds until nothing moves, by damping.
    pub rounds: Vec<Rounds>,
    /// Ends from other first prices.
    pub starts: Vec<Start>,
    /// Ends from the two ends and the fitted first price.
    pub from: Vec<From>,
    /// Share of the sold volume at the lowest and highest level, improved strategy, by demand.
    pub clusters: Vec<Cluster>,
}

/// One game's recorded prices.
#[derive(Clone, Debug, Serialize)]
pub struct Trace {
    /// Improved or traditional.
    pub strategy: Strategy,
    /// Demand, kW.
    pub demand_kw: f64,
    /// Damping, 1 is none.
    pub alpha: f64,
    /// Price before the first round, then after each, yuan/kWh.
    pub prices: Vec<f64>,
    /// Rounds played.
    pub rounds: usize,
    /// Turns of the price from up to down or back.
    pub turns: usize,
}

/// Rounds at one damping, by demand.
#[derive(Clone, Debug, Serialize)]
pub struct Rounds {
    /// Damping, 1 is none.
    pub alpha: f64,
    /// Improved.
    pub improved: [usize; 3],
    /// Traditional.
    pub traditional: [usize; 3],
}

/// One demand, from every first price.
#[derive(Clone, Debug, Serialize)]
pub struct Start {
    /// Demand, kW.
    pub demand_kw: f64,
    /// First prices tried.
    pub tried: usize,
    /// Improved below traditional at the end.
    pub lower: usize,
    /// Equal.
    pub equal: usize,
    /// Improved above traditional.
    pub higher: usize,
}

/// One demand, from one first price.
#[derive(Clone, Debug, Serialize)]
pub struct From {
    /// Which first price.
    pub name: &'static str,
    /// First price, yuan/kWh.
    pub rho0: f64,
    /// Demand, kW.
    pub demand_kw: f64,
    /// Price at the end, improved, yuan/kWh.
    pub improved: f64,
    /// Price at the end, traditional, yuan/kWh.
    pub traditional: f64,
}

/// Where the sold volume lies.
#[derive(Clone, Debug, Serialize)]
pub struct Cluster {
    /// Demand, kW.
    pub demand_kw: f64,
    /// Share of the sold volume at each level, low to high.
    pub levels: [f64; 3],
    /// Sold inside, improved, kW.
    pub sold_kw: f64,
    /// Sold inside, traditional, kW.
    pub sold_traditional_kw: f64,
}

/// Plays all games of the figure.
///
/// # Errors
/// When a game is refused.
pub(super) fn compute(case: &Case) -> anyhow::Result<Fig8> {
    let mut traces = Vec::new();
    for alpha in [1.0, DAMPING] {
        for strategy in [Strategy::Improved, Strategy::Traditional] {
            for demand_kw in case.demands_kw {
                traces.push(trace(case, strategy, demand_kw, alpha)?);
            }
        }
    }
    let rounds = DAMPINGS
        .iter()
        .map(|&alpha| rounds(case, alpha))
        .collect::<anyhow::Result<_>>()?;
    let starts = case
        .demands_kw
        .iter()
        .map(|&d| start(case, d))
        .collect::<anyhow::Result<_>>()?;
    let clusters = case
        .demands_kw
        .iter()
        .map(|&d| cluster(case, d))
        .collect::<anyhow::Result<_>>()?;
    Ok(Fig8 {
        traces,
        rounds,
        starts,
        from: from(case)?,
        clusters,
    })
}

impl Fig8 {
    /// The traces of a strategy at a damping, by demand.
    pub fn of(&self, strategy: Strategy, alpha: f64) -> impl Iterator<Item = &Trace> {
        self.traces
            .iter()
            .filter(move |trace| trace.strategy == strategy && trace.alpha == alpha)
    }
}

impl Trace {
    /// Price after the last round, yuan/kWh.
    pub fn last(&self) -> f64 {
        self.prices.last().copied().unwrap_or(0.0)
    }

    /// Price before the first round, yuan/kWh.
    pub fn first(&self) -> f64 {
        self.prices.first().copied().unwrap_or(0.0)
    }
}

fn trace(case: &Case, strategy: Strategy, demand_kw: f64, alpha: f64) -> anyhow::Result<Trace> {
    let round = play(
        &case.players,
        &Rules {
            alpha,
            ..case.rules(strategy)
        },
        demand_kw,
    )?;
    Ok(Trace {
        strategy,
        demand_kw,
        alpha,
        rounds: round.iterations,
        turns: turns(&round.price_history),
        prices: round.price_history,
    })
}

fn turns(prices: &[f64]) -> usize {
    let moves = prices.windows(2).map(|pair| pair[1] - pair[0]);
    let signs: Vec<bool> = moves
        .filter(|m| m.abs() > ROUNDING)
        .map(|m| m > 0.0)
        .collect();
    signs.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

fn rounds(case: &Case, alpha: f64) -> anyhow::Result<Rounds> {
    let count = |strategy: Strategy| -> anyhow::Result<[usize; 3]> {
        let mut counts = [0; 3];
        for (slot, demand_kw) in counts.iter_mut().zip(case.demands_kw) {
            *slot = trace(case, strategy, demand_kw, alpha)?.rounds;
        }
        Ok(counts)
    };
    Ok(Rounds {
        alpha,
        improved: count(Strategy::Improved)?,
        traditional: count(Strategy::Traditional)?,
    })
}

/// Prices at the end from a first price, improved and traditional.
fn ends(case: &Case, demand_kw: f64, rho0: f64) -> anyhow::Result<[f64; 2]> {
    let end = |strategy: Strategy| -> anyhow::Result<f64> {
        let rules = Rules {
            rho0,
            ..case.rules(strategy)
        };
        Ok(play(&case.players, &rules, demand_kw)?.clearing_price)
    };
    Ok([end(Strategy::Improved)?, end(Strategy::Traditional)?])
}

fn start(case: &Case, demand_kw: f64) -> anyhow::Result<Start> {
    let (low, high) = (case.rules.grid_buy, case.rules.grid_sell);
    let mut found = Start {
        demand_kw,
        tried: STARTS,
        lower: 0,
        equal: 0,
        higher: 0,
    };
    for step in 0..STARTS {
        let share = step as f64 / (STARTS - 1) as f64;
        let [improved, traditional] = ends(case, demand_kw, low + share * (high - low))?;
        if (improved - traditional).abs() <= ROUNDING {
            found.equal += 1;
        } else if improved < traditional {
            found.lower += 1;
        } else {
            found.higher += 1;
        }
    }
    Ok(found)
}

fn from(case: &Case) -> anyhow::Result<Vec<From>> {
    let rules = &case.rules;
    let starts = [
        ("what the grid pays", rules.grid_buy),
        ("fitted", rules.rho0),
        ("what the grid charges", rules.grid_sell),
    ];
    let mut found = Vec::with_capacity(9);
    for (name, rho0) in starts {
        for demand_kw in case.demands_kw {
            let [improved, traditional] = ends(case, demand_kw, rho0)?;
            found.push(From {
                name,
                rho0,
                demand_kw,
                improved,
                traditional,
            });
        }
    }
    Ok(found)
}

fn cluster(case: &Case, demand_kw: f64) -> anyhow::Result<Cluster> {
    let round = case.play(Strategy::Improved, demand_kw)?;
    let mut levels = [0.0; 3];
    for one in &round.microgrids {
        for (sum, accepted) in levels.iter_mut().zip(&one.accepted_blocks) {
            *sum += accepted;
        }
    }
    let sold_kw = round.totals.accepted_kw;
    Ok(Cluster {
        demand_kw,
        levels: levels.map(|level| level / sold_kw.max(f64::MIN_POSITIVE)),
        sold_kw,
        sold_traditional_kw: case
            .play(Strategy::Traditional, demand_kw)?
            .totals
            .accepted_kw,
    })
}
