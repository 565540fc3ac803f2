//! The aggregator's matching of seller blocks and buyers (eqs 4-5): who delivers to whom, at which tariff, who gains.
//!
//! # Parties and data
//! Seller blocks `k` (kW offered `q_k`, ask `b_k`; a microgrid may own several), buyers `j` (deficit `d_j` kW), the big grid
//! (sells any amount at L+, buys any amount at L-), the aggregator between them. One period is one hour, so kW = kWh.
//!
//! # Rules
//! Flows `t_kj` (block to buyer), `u_k` (exported) and `g_j` (imported), all kW, maximise in this order
//! 1. the aggregator's profit `E_A = sum (pi_M - b_k) t_kj + (pi_G - L+) sum g_j`, with the internal tariff
//!    `pi_M = min(delta rho, L+)` and the grid tariff `pi_G = delta_G L+`,
//! 2. the traded volume `sum t_kj`,
//! 3. the lexicographic smallness of `(t_11, t_12, ..., t_21, ...)` in input order,
//!
//! subject to `sum_j t_kj + u_k = q_k`, `sum_k t_kj + g_j = d_j` and, for a limited line, `sum_{k in i} t_kj <= T_ij`.
//!
//! # How it is solved
//! A block enters exactly when its margin over an import, `pi_M - b_k - (pi_G - L+)`, is not negative. Without line limits the
//! rest is the merit order ([`closed_form`]). With them, the amounts that can be routed form a polymatroid, so taking blocks
//! in the order of their asks and augmenting each as far as the network allows is optimal; prices are only compared, never
//! added, and the optimum fixes one number per ask: the total of the blocks at that ask. Holding those totals, the third
//! objective needs one residual search per cell instead of one linear program per cell ([`by_network`]).
//!
//! The same optimum is computed a second time as the linear program of the text ([`profit_by_lp`]) and the two must agree,
//! or [`solve`] refuses to answer. The program goes through `microlp`: a simplex method, in pure Rust, whose answer is checked against
//! the constraints as written. `clarabel` was weighed against it: an interior-point method ends inside the optimal face,
//! within a tolerance of it, so it names no vertex and leaves flows of 1e-9 kW on lines that carry nothing.
//!
//! # Guarantees
//! Balances and limits hold to [`QUANTITY_TOLERANCE`] times the largest quantity; asks closer than [`PRICE_TOLERANCE`]
//! count as equal. Same input, same result.
//!
//! # Deviations
//! * Eq. (4) is corrected as in the specification: prices multiply kW (not prices), single sums, the inside tariff is charged inside.
//! * Eq. (5) has three objectives and no scalarisation; here they are ordered, by role.
//! * The identity `gain_sellers + gain_buyers + E_A = (L+ - L-) T` holds for every `delta_G`, since the grid tariff is a transfer.
//! * "The smallest dual is the price of the last accepted block" holds without line limits. With them every buyer has its own
//!   price and the smallest may belong to a cheaper block; an import that is marginal makes it L+.
//! * Blocks with equal asks at the margin are filled from the last one, which is what the third objective says; the merit
//!   order of the game breaks the same tie from the first one.
//!
//! Source: Hu, Xia, Zhang 2022, §4.1, eqs. (4)-(5), as corrected in the market specification, sections 7 and 9.

pub mod case;
mod flow;
mod lp;
mod matching;
mod merit;
mod problem;

pub use flow::by_network;
pub use lp::{LpError, profit_by_lp};
pub use matching::{Gains, Matching, Profit};
pub use merit::closed_form;
pub use problem::{Deficit, LineLimit, MAGNITUDE_MAX, Offer, Problem, ProblemError, Terms};

/// Two prices closer than this, relative to the larger of 1 and L+, count as equal (currency/kWh).
///
/// `delta * rho` is rounded once, so an ask written as the same decimal may differ from it in the last bit.
pub const PRICE_TOLERANCE: f64 = 1e-12;

/// A quantity below this, relative to the largest quantity of the problem, counts as zero (kW).
pub const QUANTITY_TOLERANCE: f64 = 1e-12;

/// Relative agreement asked of the two computations of E_A with line limits.
const AGREEMENT: f64 = 1e-7;

/// Why no matching is returned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SolveError {
    /// The linear program failed.
    #[error(transparent)]
    Lp(#[from] LpError),
    /// The network flow and the linear program do not find the same profit: the problem is out of numerical range.
    #[error("aggregator profit is {flow} by network flow but {lp} by linear program")]
    Disagreement {
        /// E_A of the flow, currency/h.
        flow: f64,
        /// E_A of the linear program, currency/h.
        lp: f64,
    },
}

/// Finds the matching of section 7: largest E_A, then largest volume, then lexicographically smallest flows.
///
/// Without line limits this is [`closed_form`] and cannot fail; with them it is [`by_network`], checked by linear program.
///
/// # Errors
/// With line limits only: [`SolveError::Lp`] when the linear program fails, [`SolveError::Disagreement`] when its optimum is
/// not the one found by network flow.
///
/// Source: Hu, Xia, Zhang 2022, eqs. (4)-(5).
pub fn solve(problem: &Problem) -> Result<Matching, SolveError> {
    if let Some(matching) = closed_form(problem) {
        return Ok(matching);
    }
    let matching = by_network(problem);
    let flow = matching.profit.total;
    let lp = profit_by_lp(problem)?;
    let turnover = matching.profit.turnover().max(1.0);
    if (flow - lp).abs() <= AGREEMENT * turnover {
        Ok(matching)
    } else {
        Err(SolveError::Disagreement { flow, lp })
    }
}
