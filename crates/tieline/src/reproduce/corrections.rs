//! Equations and wording of the market model: printed, used here, and why.

use serde::Serialize;

/// One correction.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Correction {
    /// Equation or section.
    pub place: &'static str,
    /// As printed.
    pub printed: &'static str,
    /// As used.
    pub used: &'static str,
    /// Why.
    pub why: &'static str,
}

const fn correction(
    place: &'static str,
    printed: &'static str,
    used: &'static str,
    why: &'static str,
) -> Correction {
    Correction {
        place,
        printed,
        used,
        why,
    }
}

/// In the order of the equations.
pub const CORRECTIONS: [Correction; 20] = [
    correction(
        "(4)",
        "E_A-M = P_sell sum P_sell",
        "sum b_k t_k",
        "price times power; printed is a price squared",
    ),
    correction(
        "(4)",
        "E_M-A, E_P-A under a double sum over i != j",
        "single sums",
        "the terms depend on i only and would count N - 1 times",
    ),
    correction(
        "(4)",
        "trade inside at the grid's price, sales to the grid at delta P_sell",
        "delta rho inside, L- to the grid",
        "the two prices are swapped",
    ),
    correction(
        "(4)",
        "P_PG(sell), P_PG(buy) are \"purchase and selling prices\"",
        "P_PG(sell) = L+, P_PG(buy) = L-",
        "contradicts constraint (1) of (6)",
    ),
    correction(
        "(6)",
        "sigma in the formula, delta in the text, 0.85 to 1.2",
        "delta, default 1.05",
        "below 1 it destroys trade, against max E_A",
    ),
    correction(
        "(6) 1",
        "P_sell < Q_sell",
        "P_sell < L+",
        "compares yuan/kWh with kW",
    ),
    correction(
        "(6) 4",
        "C(q) \"is the marginal electricity generation cost\", then divided by q",
        "C is the total cost, the floor 1.05 of the average cost",
        "a marginal cost over q has no meaning",
    ),
    correction(
        "(6) 4",
        "mean offer <= rho(k-1) with objective sum b q",
        "best response to the others' bids within the band",
        "objective and constraint are one linear form; rho(0) is never given",
    ),
    correction(
        "(6) 5",
        "rho <= rho*, the price \"at the optimal Nash equilibrium\"",
        "rho <= L+",
        "circular",
    ),
    correction(
        "(6) 6",
        "q_iM-EM is \"total bidding electricity volume\", in 5.1 \"maximum power generation\"",
        "capacity Q_i, the q_is add up to it",
        "two meanings",
    ),
    correction(
        "(5)",
        "max E_A, max W, min rho",
        "by role, then one after the other",
        "three objectives of three parties and no rule between them",
    ),
    correction(
        "(7)",
        "W(S_i, S_j) >= max W(S_i, S_j), players i and j",
        "no player gains by any feasible bid, all players",
        "the same arguments on both sides",
    ),
    correction(
        "(8)",
        "S(k+1) = max W with rounds k and k+1 mixed",
        "argmax; Gauss-Seidel or Jacobi",
        "a bid is not an income",
    ),
    correction(
        "(9)",
        "S(k) = S(k+1)",
        "within 1e-7",
        "exact equality of numbers",
    ),
    correction(
        "4.1.2",
        "below the minimum to the minimum, \"otherwise\" to the maximum",
        "clamped into [L-, L+]",
        "every price would be one of the two",
    ),
    correction(
        "4.1.2, 5.1",
        "\"quoted price interval n\", \"parameter of the bidding strategy\"",
        "n price levels",
        "one letter, two names",
    ),
    correction(
        "5.1",
        "distance of the levels only",
        "levels centred at the marginal cost",
        "no base price is given",
    ),
    correction(
        "4.3",
        "AG1 and AG2 play a game",
        "one aggregator",
        "the model has one",
    ),
    correction(
        "1, 4.1, 6",
        "\"the unique Nash equilibrium solution\"",
        "an equilibrium inside the band, with its certificate",
        "false in general: see the equilibrium",
    ),
    correction(
        "5.1",
        "kW bid and won, yuan/h earned",
        "periods of one hour",
        "power is used as energy",
    ),
];
