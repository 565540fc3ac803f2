//! Table 1: outputs and incomes of four microgrids at three demands.

use serde::Serialize;
use tieline_market::Strategy;
use tieline_market::report::BidReport;

use super::case::{Case, incomes, outputs};
use super::claim::{Imposed, Verdict, ranks, relative, within_tolerance};
use super::paper::{MICROGRIDS, TABLE1};

/// Table 1 beside ours.
#[derive(Clone, Debug, Serialize)]
pub struct Table1 {
    /// Fitted costs, by microgrid.
    pub parameters: Vec<Parameter>,
    /// What the grid pays, yuan/kWh; fitted.
    pub grid_buy: f64,
    /// What the grid charges, yuan/kWh; fitted.
    pub grid_sell: f64,
    /// First price, yuan/kWh; fitted.
    pub rho0: f64,
    /// The 24 cells.
    pub cells: Vec<Cell>,
    /// Sums over the microgrids, and the round, by demand.
    pub totals: Vec<Total>,
    /// Root mean squares and medians of the relative errors.
    pub errors: Errors,
    /// The same parameters at a demand of 220 kW, taken by its word.
    pub literal: Vec<Literal>,
}

/// Fitted costs of a microgrid, `C(q) = a q² + b q`.
#[derive(Clone, Debug, Serialize)]
pub struct Parameter {
    /// Which.
    pub microgrid: String,
    /// Quadratic coefficient, yuan/(kW² h).
    pub a: f64,
    /// Linear coefficient, yuan/kWh.
    pub b: f64,
    /// Capacity, kW: row 1000 of Table 1.
    pub capacity_kw: f64,
    /// Average cost at full output, yuan/kWh.
    pub average_cost: f64,
    /// Marginal cost at full output, yuan/kWh.
    pub marginal_cost: f64,
}

/// Which of the two numbers of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Output, kW.
    Output,
    /// Income, yuan/h.
    Income,
}

/// A cell of Table 1.
#[derive(Clone, Debug, Serialize)]
pub struct Cell {
    /// Short name, unique.
    pub id: String,
    /// Demand as printed, kW.
    pub printed_demand_kw: f64,
    /// Demand of our game, kW.
    pub demand_kw: f64,
    /// Which microgrid.
    pub microgrid: &'static str,
    /// Which number.
    pub quantity: Quantity,
    /// Printed.
    pub paper: f64,
    /// Ours.
    pub ours: f64,
    /// Ours less printed.
    pub difference: f64,
    /// The difference over the printed number; no cell is zero.
    pub relative: f64,
    /// Within the tolerance.
    pub within_tolerance: bool,
    /// Same rank among the four as in the paper.
    pub same_rank: bool,
    /// How the cell entered the fit.
    pub imposed: Imposed,
    /// The verdict.
    pub verdict: Verdict,
}

/// Sums at one demand.
#[derive(Clone, Debug, Serialize)]
pub struct Total {
    /// Demand as printed, kW.
    pub printed_demand_kw: f64,
    /// Demand of our game, kW.
    pub demand_kw: f64,
    /// Printed outputs, kW.
    pub paper_output_kw: f64,
    /// Ours, kW.
    pub output_kw: f64,
    /// Printed incomes, yuan/h.
    pub paper_income: f64,
    /// Ours, yuan/h.
    pub income: f64,
    /// Clearing price, yuan/kWh.
    pub clearing_price: f64,
    /// Rounds of bidding.
    pub rounds: usize,
    /// Largest gain left inside the band, yuan/h.
    pub gain_banded: f64,
    /// Largest gain left over all bids, yuan/h.
    pub gain_free: f64,
    /// The same over the income of who gains, largest.
    pub gain_free_relative: f64,
}

/// Sizes of the relative errors.
#[derive(Clone, Debug, Serialize)]
pub struct Errors {
    /// Outputs of the first two rows (the third are capacities that were put in), root mean square.
    pub outputs_rms: f64,
    /// The same, median.
    pub outputs_median: f64,
    /// All incomes, root mean square.
    pub incomes_rms: f64,
    /// All incomes, median.
    pub incomes_median: f64,
    /// Cells within the tolerance that were not put in.
    pub fitted_within: usize,
    /// Cells that were not put in.
    pub fitted: usize,
}

/// One microgrid at a demand of 220 kW.
#[derive(Clone, Debug, Serialize)]
pub struct Literal {
    /// Which microgrid.
    pub microgrid: &'static str,
    /// Printed output, kW.
    pub paper_output_kw: f64,
    /// Ours, kW.
    pub output_kw: f64,
    /// Printed income, yuan/h.
    pub paper_income: f64,
    /// Ours, yuan/h.
    pub income: f64,
}

/// Plays the three demands and the literal one.
///
/// # Errors
/// When a game is refused.
pub(super) fn compute(case: &Case) -> anyhow::Result<Table1> {
    let mut cells = Vec::with_capacity(24);
    let mut totals = Vec::with_capacity(3);
    for (row, &demand_kw) in case.demands_kw.iter().enumerate() {
        let round = case.play(Strategy::Improved, demand_kw)?;
        cells.extend(row_cells(row, Quantity::Output, &round));
        cells.extend(row_cells(row, Quantity::Income, &round));
        totals.push(total(row, &round));
    }
    let literal = case.play(Strategy::Improved, TABLE1[0].demand_kw)?;
    Ok(Table1 {
        parameters: parameters(case),
        grid_buy: case.rules.grid_buy,
        grid_sell: case.rules.grid_sell,
        rho0: case.rules.rho0,
        errors: errors(&cells),
        cells,
        totals,
        literal: literal_row(&literal),
    })
}

fn parameters(case: &Case) -> Vec<Parameter> {
    let parameter = |player: &tieline_market::Player| Parameter {
        microgrid: player.id.clone(),
        a: player.cost.a,
        b: player.cost.b,
        capacity_kw: player.capacity_kw,
        average_cost: player.cost.average(player.capacity_kw),
        marginal_cost: player.cost.marginal(player.capacity_kw),
    };
    case.players.iter().map(parameter).collect()
}

fn row_cells(row: usize, quantity: Quantity, round: &BidReport) -> Vec<Cell> {
    let printed = &TABLE1[row];
    let (name, paper, ours) = match quantity {
        Quantity::Output => ("output", printed.output_kw, outputs(round)),
        Quantity::Income => ("income", printed.income, incomes(round)),
    };
    // row 1000 sells everything: its outputs are the capacities that the game was given
    let imposed = if quantity == Quantity::Output && row == 2 {
        Imposed::Input
    } else {
        Imposed::Target
    };
    let (paper_ranks, our_ranks) = (ranks(paper), ranks(ours));
    let cell = |i: usize| Cell {
        id: format!(
            "table1-{}-{}-{name}",
            printed.demand_kw,
            MICROGRIDS[i].to_lowercase()
        ),
        printed_demand_kw: printed.demand_kw,
        demand_kw: round.demand_kw,
        microgrid: MICROGRIDS[i],
        quantity,
        paper: paper[i],
        ours: ours[i],
        difference: ours[i] - paper[i],
        relative: relative(paper[i], ours[i]).unwrap_or(0.0),
        within_tolerance: within_tolerance(paper[i], ours[i]),
        same_rank: paper_ranks[i] == our_ranks[i],
        imposed,
        verdict: Verdict::of_number(paper[i], ours[i], imposed),
    };
    (0..4).map(cell).collect()
}

fn total(row: usize, round: &BidReport) -> Total {
    Total {
        printed_demand_kw: TABLE1[row].demand_kw,
        demand_kw: round.demand_kw,
        paper_output_kw: TABLE1[row].output_kw.iter().sum(),
        output_kw: round.totals.accepted_kw,
        paper_income: TABLE1[row].income.iter().sum(),
        income: round.totals.income,
        clearing_price: round.clearing_price,
        rounds: round.iterations,
        gain_banded: round.exploitability_banded,
        gain_free: round.exploitability_free,
        gain_free_relative: round.rel_exploitability_free,
    }
}

fn errors(cells: &[Cell]) -> Errors {
    let of = |quantity: Quantity| {
        let fitted = cells
            .iter()
            .filter(move |c| c.quantity == quantity && c.imposed == Imposed::Target);
        fitted.map(|cell| cell.relative.abs()).collect::<Vec<f64>>()
    };
    let (outputs, incomes) = (of(Quantity::Output), of(Quantity::Income));
    let fitted = cells.iter().filter(|cell| cell.imposed == Imposed::Target);
    Errors {
        outputs_rms: root_mean_square(&outputs),
        outputs_median: median(&outputs),
        incomes_rms: root_mean_square(&incomes),
        incomes_median: median(&incomes),
        fitted_within: fitted.clone().filter(|cell| cell.within_tolerance).count(),
        fitted: fitted.count(),
    }
}

fn root_mean_square(values: &[f64]) -> f64 {
    (values.iter().map(|v| v * v).sum::<f64>() / values.len().max(1) as f64).sqrt()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[half],
        _ => f64::midpoint(sorted[half - 1], sorted[half]),
    }
}

fn literal_row(round: &BidReport) -> Vec<Literal> {
    let (output, income) = (outputs(round), incomes(round));
    let one = |i: usize| Literal {
        microgrid: MICROGRIDS[i],
        paper_output_kw: TABLE1[0].output_kw[i],
        output_kw: output[i],
        paper_income: TABLE1[0].income[i],
        income: income[i],
    };
    (0..4).map(one).collect()
}
