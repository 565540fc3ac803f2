//! Equations and wording of the market model and of the signature: printed, used here, and why.

use serde::Serialize;

use super::view::{Cell, Table};

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

/// Corrections as a table.
pub(super) fn table(id: &'static str, list: &[Correction]) -> Table {
    let columns = [
        "place|place",
        "printed|printed",
        "used|used here",
        "why|why",
    ];
    let mut table = Table::new(id, "Printed, used, why", &columns);
    for one in list {
        let words = [one.place, one.printed, one.used, one.why];
        table.row(words.into_iter().map(Cell::text).collect());
    }
    table
}

/// The market model, in the order of the equations.
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

/// The signature, in the order of the text.
pub const SIGNATURE: [Correction; 13] = [
    correction(
        "4.2, Def. 1 (1)",
        "sigma > 34",
        "n > 2(l_max + 2)t",
        "the fraction bar is lost, and 3/4 is not enough for an honest signature to be accepted",
    ),
    correction(
        "4.2, Def. 1 (3)",
        "n^2 l_h bits \"with a length of l_m\"; in 5.3.2 a power of n l",
        "n^2 k b bits and a header of 19 bytes",
        "the length of a signature does not depend on the message",
    ),
    correction(
        "4.2, Def. 1 (4)",
        "Sign is a function of the message",
        "one counter per signature, spent before its first byte leaves",
        "a second message under the same functions gives them away",
    ),
    correction(
        "4.2.1 (1)",
        "a function is described by l_h bits",
        "y = 3b + 2s bits and more, pad included",
        "with as many bits as its tag has, one valid pair determines the function",
    ),
    correction(
        "4.2.1 (3)",
        "r_i,j goes to \"another receiver\", by index",
        "k functions per pair, cut by a secret random permutation",
        "the signer knows who tests what, and can deny",
    ),
    correction(
        "(10)",
        "one tag, right or wrong",
        "at most u_l wrong tags of k",
        "one tag leaves no room between levels",
    ),
    correction(
        "(11)",
        "at least (1/2 + 2(1 - sigma)) n, for everybody",
        "more than n/2 + (l + 1)t at level l",
        "who accepts must be surer than the next; \">\" decides ties in a dispute",
    ),
    correction(
        "(12)",
        "V_d || V_l = empty",
        "V_d and V_l have no node in common",
        "\"||\" joins, it does not intersect",
    ),
    correction(
        "(15), (16)",
        "sum of t_d >= t",
        "sum of the votes t'_d >= t",
        "a sum of settings that no vote changes",
    ),
    correction(
        "(15), (16)",
        "a key pair (K_public, K_private) of a subset",
        "an access structure: at least t_k members' signatures on one statement",
        "such a signature has no public key",
    ),
    correction(
        "(17)",
        "Key = Hash(K parm), hence x = y",
        "a QKD key, or X25519 with ML-KEM-768 under registered keys",
        "broken by Shor's algorithm, and nobody knows with whom",
    ),
    correction(
        "(18)",
        "|sigma> = K * (|M>, |Sigma>, T)",
        "bits; quantum key distribution supplies keys only",
        "the operator is undefined and T is the verifier's",
    ),
    correction(
        "(19)",
        "1/4^n, n the length of the message",
        "h^2 (h - 1) p_m(u_0, u_-1), h = n - t",
        "a chance to guess qubits; docs/signature-bounds.md derives the bounds",
    ),
];
