//! The aggregator's problem as the linear program of the text, through a general solver.

use microlp::{ComparisonOp, OptimizationDirection, Problem as Program, Variable};

use super::problem::Problem;

/// The linear program has an optimum by construction, so any end without one is the solver's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LpError {
    /// The solver gave up or refused the numbers.
    #[error("linear program of {blocks} blocks and {buyers} buyers failed: {source}")]
    Solver {
        /// Blocks K.
        blocks: usize,
        /// Buyers J.
        buyers: usize,
        /// What the solver says.
        source: microlp::Error,
    },
    /// The solver stopped before its optimum.
    #[error("linear program of {blocks} blocks and {buyers} buyers was interrupted")]
    Interrupted {
        /// Blocks K.
        blocks: usize,
        /// Buyers J.
        buyers: usize,
    },
}

/// Largest E_A, currency/h, found by the simplex method on `K J + K + J` variables; independent of [`super::solve`]'s method.
///
/// # Errors
/// [`LpError`] when the solver does not reach an optimum.
///
/// Source: Hu, Xia, Zhang 2022, eqs. (4)-(5).
pub fn profit_by_lp(problem: &Problem) -> Result<f64, LpError> {
    let (blocks, buyers) = (problem.sellers().len(), problem.buyers().len());
    let terms = problem.terms();
    let mut program = Program::new(OptimizationDirection::Maximize);
    let any = (0.0, f64::INFINITY);
    let exports: Vec<Variable> = problem
        .sellers()
        .iter()
        .map(|_| program.add_var(0.0, any))
        .collect();
    let import_margin = problem.tariff_grid() - terms.grid_sell;
    let imports: Vec<Variable> = problem
        .buyers()
        .iter()
        .map(|_| program.add_var(import_margin, any))
        .collect();
    let cells: Vec<Variable> = problem
        .sellers()
        .iter()
        .flat_map(|offer| std::iter::repeat_n(problem.tariff_internal() - offer.ask, buyers))
        .map(|margin| program.add_var(margin, any))
        .collect();
    for (block, offer) in problem.sellers().iter().enumerate() {
        let row = cells[block * buyers..(block + 1) * buyers]
            .iter()
            .chain([&exports[block]]);
        program.add_constraint(sum(row), ComparisonOp::Eq, offer.kw);
    }
    for (buyer, deficit) in problem.buyers().iter().enumerate() {
        let column = (0..blocks)
            .map(|block| &cells[block * buyers + buyer])
            .chain([&imports[buyer]]);
        program.add_constraint(sum(column), ComparisonOp::Eq, deficit.kw);
    }
    for line in problem.lines() {
        let shared = line
            .blocks
            .iter()
            .map(|block| &cells[block * buyers + line.buyer]);
        program.add_constraint(sum(shared), ComparisonOp::Le, line.kw);
    }
    let outcome = program.solve().map_err(|source| LpError::Solver {
        blocks,
        buyers,
        source,
    })?;
    let solution = outcome
        .into_solution()
        .map_err(|_| LpError::Interrupted { blocks, buyers })?;
    Ok(solution.objective())
}

/// The sum of some variables, as terms of a constraint.
fn sum<'a>(variables: impl Iterator<Item = &'a Variable>) -> Vec<(Variable, f64)> {
    variables.map(|&variable| (variable, 1.0)).collect()
}
