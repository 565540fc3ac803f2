//! Fig. 7: improved against traditional strategy.

use serde::Serialize;
use tieline_market::aggregator::Matching;
use tieline_market::report::BidReport;

use super::case::{Case, DELTA, Pair, incomes, outputs, share_out};
use super::paper::TABLE1;

/// Both strategies at 220 kW by its word and at the three demands of Table 1's rows.
#[derive(Clone, Debug, Serialize)]
pub struct Fig7 {
    /// By demand.
    pub points: Vec<Point>,
    /// Fee coefficient of the aggregator's share.
    pub delta: f64,
    /// Who gets what at each demand.
    pub shares: Vec<Shares>,
}

/// One demand.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    /// Demand, kW.
    pub demand_kw: f64,
    /// Row of Table 1 it stands for, as printed, kW; none for 220 kW taken by its word.
    pub printed_demand_kw: Option<f64>,
    /// Output of microgrid 1, improved, kW.
    pub improved_kw: f64,
    /// The same, traditional, kW.
    pub traditional_kw: f64,
    /// Income of microgrid 1, improved, yuan/h.
    pub improved_income: f64,
    /// The same, traditional, yuan/h.
    pub traditional_income: f64,
    /// Improved less traditional output, by microgrid, kW.
    pub output_change_kw: [f64; 4],
    /// Improved less traditional income, by microgrid, yuan/h.
    pub income_change: [f64; 4],
    /// Everybody's output, improved and traditional, kW.
    pub total_kw: [f64; 2],
    /// Everybody's income, improved and traditional, yuan/h.
    pub total_income: [f64; 2],
    /// Clearing price, improved and traditional, yuan/kWh.
    pub clearing_price: [f64; 2],
}

/// How `(L+ - L-) T` is shared, improved and traditional.
#[derive(Clone, Debug, Serialize)]
pub struct Shares {
    /// Demand, kW.
    pub demand_kw: f64,
    /// Traded, kW.
    pub traded_kw: [f64; 2],
    /// Sellers' gain over selling to the grid, yuan/h.
    pub sellers: [f64; 2],
    /// Buyers' gain over buying from the grid, yuan/h.
    pub buyers: [f64; 2],
    /// The aggregator's profit, yuan/h.
    pub aggregator: [f64; 2],
    /// The three together, yuan/h.
    pub total: [f64; 2],
    /// `(L+ - L-) T`, yuan/h.
    pub constant: [f64; 2],
}

/// Plays all four demands.
///
/// # Errors
/// When a game or a matching is refused.
pub(super) fn compute(case: &Case) -> anyhow::Result<Fig7> {
    let mut points = vec![point(&case.pair(TABLE1[0].demand_kw)?, None)];
    let mut shares = Vec::with_capacity(3);
    for (pair, row) in case.both()?.iter().zip(&TABLE1) {
        points.push(point(pair, Some(row.demand_kw)));
        shares.push(share(
            pair.demand_kw,
            [
                share_out(&case.rules, &pair.improved, DELTA)?,
                share_out(&case.rules, &pair.traditional, DELTA)?,
            ],
        ));
    }
    Ok(Fig7 {
        points,
        delta: DELTA,
        shares,
    })
}

fn point(pair: &Pair, printed_demand_kw: Option<f64>) -> Point {
    let (improved, traditional) = (&pair.improved, &pair.traditional);
    let change = |of: fn(&BidReport) -> [f64; 4]| {
        let (new, old) = (of(improved), of(traditional));
        std::array::from_fn(|i| new[i] - old[i])
    };
    Point {
        demand_kw: pair.demand_kw,
        printed_demand_kw,
        improved_kw: outputs(improved)[0],
        traditional_kw: outputs(traditional)[0],
        improved_income: incomes(improved)[0],
        traditional_income: incomes(traditional)[0],
        output_change_kw: change(outputs),
        income_change: change(incomes),
        total_kw: [improved.totals.accepted_kw, traditional.totals.accepted_kw],
        total_income: [improved.totals.income, traditional.totals.income],
        clearing_price: [improved.clearing_price, traditional.clearing_price],
    }
}

fn share(demand_kw: f64, both: [Matching; 2]) -> Shares {
    let each = |of: fn(&Matching) -> f64| [of(&both[0]), of(&both[1])];
    Shares {
        demand_kw,
        traded_kw: each(Matching::traded_kw),
        sellers: each(|m| m.gains.sellers),
        buyers: each(|m| m.gains.buyers),
        aggregator: each(|m| m.profit.total),
        total: each(|m| m.gains.total),
        constant: each(|m| m.gains.identity),
    }
}
