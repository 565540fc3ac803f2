//! What the printed numbers say about each other, without any model of ours.

use serde::Serialize;
use tieline_market::Strategy;

use super::case::{Case, share_out};
use super::claim::ranks;
use super::fig7::Fig7;
use super::paper::{
    DELTA_RANGE, FIG8_ITERATIONS, FIG8_STABLE_IMPROVED, FIG8_STABLE_TRADITIONAL, MICROGRIDS, Row,
    TABLE1,
};

/// Fee coefficients at which the traded volume is computed.
const DELTAS: [f64; 5] = [0.86, 0.95, 1.0, 1.05, 1.2];

/// Everything found.
#[derive(Clone, Debug, Serialize)]
pub struct Findings {
    /// Income over output of Table 1, yuan/kWh, by row and microgrid.
    pub rates: [[f64; 4]; 3],
    /// Sums of the printed outputs, kW, by row.
    pub output_sums_kw: [f64; 3],
    /// Largest relative distance of a printed income from `alpha_i beta_d`.
    pub two_way_residual: f64,
    /// Traded volume by fee coefficient.
    pub fees: Vec<Fee>,
    /// In words.
    pub list: Vec<Finding>,
}

/// One inconsistency.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Short name, unique.
    pub id: &'static str,
    /// What the paper has.
    pub printed: String,
    /// What follows.
    pub reading: String,
}

/// Traded volume at a fee coefficient, improved strategy.
#[derive(Clone, Debug, Serialize)]
pub struct Fee {
    /// Coefficient.
    pub delta: f64,
    /// Traded inside, kW, by demand.
    pub traded_kw: [f64; 3],
    /// Demand, kW.
    pub demand_kw: [f64; 3],
}

/// Computes all of them.
///
/// # Errors
/// When a game or a matching is refused.
pub(super) fn compute(case: &Case, fig7: &Fig7) -> anyhow::Result<Findings> {
    let rates = TABLE1.map(|row| std::array::from_fn(|i| row.income[i] / row.output_kw[i]));
    let output_sums_kw = TABLE1.map(|row| row.output_kw.iter().sum());
    let two_way_residual = two_way_residual();
    let fees = DELTAS
        .iter()
        .map(|&delta| fee(case, delta))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut list = sums(output_sums_kw);
    list.extend(incomes(&rates, two_way_residual));
    list.push(high_cost(&rates));
    list.extend(shares(fig7));
    list.push(iterations());
    list.push(fee_finding(&fees));
    Ok(Findings {
        rates,
        output_sums_kw,
        two_way_residual,
        fees,
        list,
    })
}

/// Least squares of `ln income = ln alpha_i + ln beta_d` is exact with means of rows, columns and all.
fn two_way_residual() -> f64 {
    let log = TABLE1.map(|row| row.income.map(f64::ln));
    let all = log.iter().flatten().sum::<f64>() / 12.0;
    let of_row = log.map(|row| row.iter().sum::<f64>() / 4.0);
    let of_column: [f64; 4] =
        std::array::from_fn(|i| log.iter().map(|row| row[i]).sum::<f64>() / 3.0);
    let mut largest = 0.0_f64;
    for (d, row) in TABLE1.iter().enumerate() {
        for (i, income) in row.income.iter().enumerate() {
            let fitted = (of_row[d] + of_column[i] - all).exp();
            largest = largest.max((income / fitted - 1.0).abs());
        }
    }
    largest
}

fn fee(case: &Case, delta: f64) -> anyhow::Result<Fee> {
    let mut traded_kw = [0.0; 3];
    for (slot, &demand) in traded_kw.iter_mut().zip(&case.demands_kw) {
        let round = case.play(Strategy::Improved, demand)?;
        *slot = share_out(&case.rules, &round, delta)?.traded_kw();
    }
    Ok(Fee {
        delta,
        traded_kw,
        demand_kw: case.demands_kw,
    })
}

fn sums(output_sums_kw: [f64; 3]) -> Vec<Finding> {
    let [first, second, third] = output_sums_kw;
    vec![
        Finding {
            id: "row-220",
            printed: format!(
                "{} = {first:.4} kW in the row of demand 220",
                terms(&TABLE1[0])
            ),
            reading: format!(
                "more than twice the demand is sold; {first:.0} kW is used here in its place"
            ),
        },
        Finding {
            id: "row-550",
            printed: format!("{} = {second:.4} kW", terms(&TABLE1[1])),
            reading: "the demand, up to rounding in the fourth decimal".to_owned(),
        },
        Finding {
            id: "row-1000",
            printed: format!("{} = {third:.0} kW", terms(&TABLE1[2])),
            reading: format!(
                "all capacity; who serves the other {:.0} kW is not said (here: the grid)",
                TABLE1[2].demand_kw - third
            ),
        },
    ]
}

fn terms(row: &Row) -> String {
    let decimals = if row.output_kw.iter().all(|kw| kw.fract() == 0.0) {
        0
    } else {
        4
    };
    let parts: Vec<String> = row
        .output_kw
        .iter()
        .map(|kw| format!("{kw:.decimals$}"))
        .collect();
    parts.join(" + ")
}

fn incomes(rates: &[[f64; 4]; 3], residual: f64) -> Vec<Finding> {
    let (low, middle) = (&TABLE1[0], &TABLE1[1]);
    let growth = |of: fn(&Row) -> [f64; 4]| {
        let (before, after) = (of(low), of(middle));
        let parts: Vec<String> = (0..4)
            .map(|i| format!("{:.2}", after[i] / before[i]))
            .collect();
        parts.join(", ")
    };
    let others = &rates[0][1..];
    let most = others.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = others.iter().copied().fold(f64::INFINITY, f64::min);
    vec![
        Finding {
            id: "mg1-rate",
            printed: format!(
                "MG1 at 220: {} yuan/h for {} kW = {:.2} yuan/kWh; the others get {least:.2} to {most:.2}",
                low.income[0], low.output_kw[0], rates[0][0]
            ),
            reading: format!(
                "{:.0} to {:.0} times the others' rate; possible only if unsold energy earns too",
                rates[0][0] / most,
                rates[0][0] / least
            ),
        },
        Finding {
            id: "two-way-incomes",
            printed: format!(
                "from row 220 to row 550 outputs grow by factors {}, incomes by {}",
                growth(|row| row.output_kw),
                growth(|row| row.income)
            ),
            reading: format!(
                "all twelve incomes are a factor per microgrid times a factor per demand within {:.1} %: they were not computed from the printed outputs",
                100.0 * residual
            ),
        },
        Finding {
            id: "mg4-output-falls",
            printed: format!(
                "MG4: {} to {} kW while the demand printed rises from 220 to 550 kW, income {} to {} yuan/h",
                low.output_kw[3], middle.output_kw[3], low.income[3], middle.income[3]
            ),
            reading: format!(
                "output {:+.0} %, income {:+.0} %: impossible for a fixed offer, only by bidding anew",
                100.0 * (middle.output_kw[3] / low.output_kw[3] - 1.0),
                100.0 * (middle.income[3] / low.income[3] - 1.0)
            ),
        },
        Finding {
            id: "mg4-rank",
            printed: format!(
                "MG4 sells {} kW at 550, MG1 {} kW",
                middle.output_kw[3], middle.output_kw[0]
            ),
            reading: format!(
                "number {} of four in output, though \"the same occurred to microgrid 4\" as to the leader",
                ranks(middle.output_kw)[3] + 1
            ),
        },
    ]
}

fn high_cost(rates: &[[f64; 4]; 3]) -> Finding {
    let full = rates[2];
    let dearer: Vec<&str> = (1..4)
        .filter(|&i| full[i] > full[0])
        .map(|i| MICROGRIDS[i])
        .collect();
    Finding {
        id: "mg1-high-cost",
        printed: format!(
            "full output pays MG1 {:.3}, MG2 {:.3}, MG3 {:.3}, MG4 {:.3} yuan/kWh",
            full[0], full[1], full[2], full[3]
        ),
        reading: format!(
            "\"a high power generation cost\", yet paid less per kWh than {}",
            dearer.join(" and ")
        ),
    }
}

fn shares(fig7: &Fig7) -> Vec<Finding> {
    let parts = fig7.shares.iter().map(|s| {
        format!(
            "{:.0} kW: {:.1}/{:.1} + {:.1}/{:.1} + {:.1}/{:.1} = {:.1}/{:.1}",
            s.demand_kw,
            s.sellers[0],
            s.sellers[1],
            s.buyers[0],
            s.buyers[1],
            s.aggregator[0],
            s.aggregator[1],
            s.total[0],
            s.total[1]
        )
    });
    vec![Finding {
        id: "constant-sum",
        printed: "a lower clearing price and a higher income of everybody, at a demand that does not react".to_owned(),
        reading: format!(
            "cannot both hold: sellers, buyers and aggregator share (L+ - L-) T, whatever the strategy. Ours, improved/traditional, yuan/h: {}",
            parts.collect::<Vec<_>>().join("; ")
        ),
    }]
}

fn iterations() -> Finding {
    Finding {
        id: "iterations",
        printed: format!(
            "{FIG8_ITERATIONS} iterations shown, stable after {FIG8_STABLE_IMPROVED} and {FIG8_STABLE_TRADITIONAL}"
        ),
        reading: format!(
            "eq. (9) ends the search when bids change no more: {} and {} of the iterations shown come after that",
            FIG8_ITERATIONS - FIG8_STABLE_IMPROVED,
            FIG8_ITERATIONS - FIG8_STABLE_TRADITIONAL
        ),
    }
}

fn fee_finding(fees: &[Fee]) -> Finding {
    let below = fees.iter().filter(|fee| fee.delta < 1.0);
    let parts = below.map(|fee| {
        format!(
            "{:.2}: {:.0}, {:.0}, {:.0} of {:.0}, {:.0}, {:.0} kW",
            fee.delta,
            fee.traded_kw[0],
            fee.traded_kw[1],
            fee.traded_kw[2],
            fee.demand_kw[0],
            fee.demand_kw[1],
            fee.demand_kw[2]
        )
    });
    Finding {
        id: "fee-below-one",
        printed: format!(
            "eq. (6) allows a fee coefficient from {} to {}",
            DELTA_RANGE.0, DELTA_RANGE.1
        ),
        reading: format!(
            "below 1 an aggregator that maximises E_A refuses blocks dearer than it resells them. Traded at {}",
            parts.collect::<Vec<_>>().join("; at ")
        ),
    }
}
