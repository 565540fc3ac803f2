//! The matching without line limits, in closed form.
//!
//! Without limits only totals matter to E_A: blocks are taken in order of ask until demand is met. Among flows with these
//! totals the lexicographically smallest one serves block by block in input order, each from the *last* buyer backwards: that
//! keeps `t_11`, then `t_12`, ... as small as the later buyers' capacity allows, and leaves what the next block needs, since
//! without limits only the sum of the remaining deficits matters to it. Where equal asks meet the margin, the first of
//! them in input order get least.

use super::matching::{Marginal, Matching};
use super::problem::Problem;

/// Solves a problem without line limits: O(K log K + K J) for K blocks and J buyers.
///
/// Returns `None` when the problem has line limits. Any δ is allowed: blocks whose ask exceeds π_M are refused, a block exactly
/// at π_M earns nothing and is accepted for its volume.
///
/// Source: Hu, Xia, Zhang 2022, eqs. (4)-(5); merit order as in the specification, section 3.
#[must_use]
pub fn closed_form(problem: &Problem) -> Option<Matching> {
    if !problem.limits().is_empty() {
        return None;
    }
    let (accepted, last_ask, short) = accept(problem);
    let flows = spread(problem, &accepted);
    let supply = if short {
        Marginal::Import
    } else {
        last_ask.map_or(Marginal::Import, Marginal::Block)
    };
    let marginal: Vec<_> = problem
        .buyers()
        .iter()
        .map(|deficit| (deficit.kw > 0.0).then_some(supply))
        .collect();
    Some(Matching::new(problem, flows, &marginal))
}

/// kW accepted per block, the highest accepted ask, and whether demand remains.
fn accept(problem: &Problem) -> (Vec<f64>, Option<f64>, bool) {
    let sellers = problem.sellers();
    let mut accepted = vec![0.0; sellers.len()];
    let mut remaining: f64 = problem.buyers().iter().map(|deficit| deficit.kw).sum();
    let nothing = problem.quantity_tolerance();
    let mut last_ask = None;
    for class in classes(problem) {
        if remaining <= nothing {
            break;
        }
        // The first of equal asks get least, so the last is filled first.
        for &block in class.iter().rev() {
            let amount = sellers[block].kw.min(remaining);
            if amount > nothing {
                accepted[block] = amount;
                remaining -= amount;
                last_ask = Some(sellers[block].ask);
            }
        }
    }
    (accepted, last_ask, remaining > nothing)
}

/// Admitted blocks by ascending ask, equal asks together in input order.
pub(super) fn classes(problem: &Problem) -> Vec<Vec<usize>> {
    let sellers = problem.sellers();
    let ask_limit = problem.ask_limit();
    let mut order: Vec<usize> = (0..sellers.len())
        .filter(|&k| sellers[k].ask <= ask_limit)
        .collect();
    order.sort_by(|&a, &b| sellers[a].ask.total_cmp(&sellers[b].ask));
    let tolerance = problem.price_tolerance();
    let equal = |&a: &usize, &b: &usize| sellers[b].ask - sellers[a].ask <= tolerance;
    let mut classes: Vec<Vec<usize>> = order.chunk_by(equal).map(<[usize]>::to_vec).collect();
    for class in &mut classes {
        class.sort_unstable();
    }
    classes
}

/// Lexicographically smallest flows with the given row totals, row = block, column = buyer.
fn spread(problem: &Problem, accepted: &[f64]) -> Vec<f64> {
    let buyers = problem.buyers().len();
    let mut flows = vec![0.0; accepted.len() * buyers];
    let mut open: Vec<f64> = problem.buyers().iter().map(|deficit| deficit.kw).collect();
    let mut last = buyers;
    for (block, &amount) in accepted.iter().enumerate() {
        let mut rest = amount;
        while rest > 0.0 && last > 0 {
            let room = &mut open[last - 1];
            let flow = rest.min(*room);
            flows[block * buyers + last - 1] = flow;
            rest -= flow;
            *room -= flow;
            if *room <= 0.0 {
                last -= 1;
            }
        }
    }
    flows
}
