//! What the paper prints: numbers and short quotes, each with its place. Nothing of ours is here.
//!
//! Source: Hu, Xia, Zhang 2022, Table 1, sections 1, 4.1, 5.1 and 6.

/// Microgrids of Table 1, by column.
pub const MICROGRIDS: [&str; 4] = ["MG1", "MG2", "MG3", "MG4"];

/// A row pair of Table 1.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Demand as printed, kW.
    pub demand_kw: f64,
    /// Output by microgrid, kW.
    pub output_kw: [f64; 4],
    /// Income by microgrid, yuan/h.
    pub income: [f64; 4],
}

/// Table 1, "Optimal bidding results".
pub const TABLE1: [Row; 3] = [
    Row {
        demand_kw: 220.0,
        output_kw: [12.3827, 211.9130, 82.4917, 143.2126],
        income: [24.2680, 38.2586, 29.7031, 34.9696],
    },
    Row {
        demand_kw: 550.0,
        output_kw: [120.0565, 214.7536, 98.2639, 116.9259],
        income: [31.6679, 50.9820, 38.2654, 45.6489],
    },
    Row {
        demand_kw: 1000.0,
        output_kw: [130.0, 258.0, 114.0, 148.0],
        income: [43.9573, 68.9525, 50.9993, 60.8332],
    },
];

/// Output of microgrid 1 under the improved strategy in the text on Fig. 7, kW.
pub const FIG7_IMPROVED_KW: f64 = 12.3827;
/// Output of microgrid 1 under the traditional strategy in the text on Fig. 7, kW.
pub const FIG7_TRADITIONAL_KW: f64 = 0.0;
/// Demand of both, as printed, kW.
pub const FIG7_DEMAND_KW: f64 = 220.0;
/// Iterations shown in Fig. 8.
pub const FIG8_ITERATIONS: usize = 24;
/// Iteration after which the improved price is stable, Fig. 8.
pub const FIG8_STABLE_IMPROVED: usize = 15;
/// Iteration after which the traditional price is stable, Fig. 8.
pub const FIG8_STABLE_TRADITIONAL: usize = 21;
/// Range of the service fee coefficient, eq. (6).
pub const DELTA_RANGE: (f64, f64) = (0.85, 1.2);

/// Words of the paper and where they stand.
#[derive(Clone, Copy, Debug)]
pub struct Quote {
    /// Section, table or figure.
    pub place: &'static str,
    /// The words.
    pub text: &'static str,
}

const fn quote(place: &'static str, text: &'static str) -> Quote {
    Quote { place, text }
}

const ON_TABLE1: &str = "section 5.1, on Table 1";
const ON_FIG7: &str = "section 5.1, on Fig. 7";
const ON_FIG8: &str = "section 5.1, on Fig. 8";
const ON_FIG9: &str = "section 5.1, on Fig. 9";

/// Demands of the three row pairs.
pub const DEMANDS: Quote = quote(
    "section 5.1",
    "simulated for the multiple microgrids at 220 kW, 550 kW, and 1,000 kW",
);
/// Microgrid 1 is dear.
pub const MG1_COST: Quote = quote(ON_TABLE1, "microgrid 1, with a high power generation cost");
/// Microgrid 1 is last.
pub const MG1_NO_ADVANTAGE: Quote = quote(
    ON_TABLE1,
    "does not have an advantage in the bidding process",
);
/// Output of microgrid 1 at the lowest demand.
pub const MG1_MERELY: Quote = quote(
    ON_TABLE1,
    "The winning bid was merely 12.3827 kW, with the electricity demand of 220 kW",
);
/// Low income from the grid.
pub const MG1_INCOME_FALLS: Quote = quote(
    ON_TABLE1,
    "The income falls, as the grid offers a low electricity price",
);
/// Microgrid 1 grows with the demand.
pub const MG1_GROWS: Quote = quote(
    ON_TABLE1,
    "the bid-winning electricity amount and income increase obviously with the growing market demand",
);
/// Advice at low demand.
pub const REDUCE: Quote = quote(
    ON_TABLE1,
    "power generation should be reduced when market demand is low",
);
/// Microgrid 2 is cheap.
pub const MG2_COST: Quote = quote(
    "section 5.1 (1)",
    "Microgrid 2 has a low power generation cost and outputs lots of power",
);
/// Microgrid 2 leads.
pub const MG2_ADVANTAGE: Quote = quote(
    "section 5.1 (1)",
    "always has an advantage in the market [...] a high bid-winning electricity volume and a higher income than its competitors",
);
/// So does microgrid 4.
pub const MG4_SAME: Quote = quote("section 5.1 (1)", "The same occurred to microgrid 4");
/// Microgrid 3 is small.
pub const MG3_LIMITED: Quote = quote(
    "section 5.1 (2)",
    "Limited by its output, microgrid 3 does not have an outstanding income",
);
/// Microgrid 3 earns well for its size.
pub const MG3_CONSIDERABLE: Quote = quote(
    "section 5.1 (2)",
    "Despite having a low bid-winning electricity volume, the microgrid achieves a considerable income",
);
/// Advice to microgrid 3.
pub const MG3_INCREASE: Quote = quote(
    "section 5.1 (2)",
    "Thus, power generation can be increased to boost the income",
);
/// Read off Table 1: every column of incomes rises.
pub const INCOMES_RISE: Quote = quote(
    "Table 1",
    "Income (¥/h) 24.2680 [...] 31.6679 [...] 43.9573",
);
/// Uniqueness.
pub const UNIQUE: Quote = quote(
    "section 6",
    "guarantees the unique Nash equilibrium solution for the bidding strategies",
);
/// Existence.
pub const EXISTS: Quote = quote(
    "section 4.1.2",
    "to a discrete limited pure strategy set and has a Nash equilibrium solution",
);
/// Optimality.
pub const OPTIMAL: Quote = quote(
    "section 6 (1)",
    "The optimal bidding results can be achieved by the multiple microgrids through noncooperative dynamic game",
);
/// Consumption.
pub const MAXIMISES: Quote = quote(
    "section 1",
    "thereby maximizing the consumption of distributed energy",
);
/// Microgrid 1, improved.
pub const FIG7_VOLUME: Quote = quote(
    ON_FIG7,
    "when the market demand was 220 kW, the bid-winning volume of our strategy was 12.3827 kW",
);
/// Microgrid 1, traditional.
pub const FIG7_ZERO: Quote = quote(ON_FIG7, "while that of the traditional strategy was 0 kW");
/// Always better.
pub const FIG7_ALWAYS: Quote = quote(
    ON_FIG7,
    "Under different demands, our strategy always surpassed the traditional one in income and bid-winning volume",
);
/// Better suited.
pub const FIG7_ADAPTS: Quote = quote(
    ON_FIG7,
    "the noncooperative game bidding strategy adapts better to the electricity market",
);
/// Better for all.
pub const FIG7_ALL: Quote = quote(
    ON_FIG7,
    "It can increase the bid-winning volume of multiple microgrids, while increasing their income",
);
/// Better for the aggregator too.
pub const INCOME_OF_AGGREGATORS: Quote = quote(
    "section 6 (1)",
    "enhancing the income of aggregators and the multiple microgrids",
);
/// Rounds.
pub const FIG8_ROUNDS: Quote = quote(
    ON_FIG8,
    "through the 24 iterations, [...] tended to be stable after the 15th and 21st iterations, respectively",
);
/// Fewer rounds.
pub const FIG8_EFFICIENCY: Quote = quote(
    ON_FIG8,
    "the improved clearing price model helps to improve the transaction efficiency",
);
/// Oscillation.
pub const FIG8_OSCILLATING: Quote = quote(
    ON_FIG8,
    "the oscillating unified clearing prices of improved and traditional strategies",
);
/// Lower price.
pub const FIG8_LOWER: Quote = quote(
    ON_FIG8,
    "Being lower than the traditional clearing price, the improved clearing price [...]",
);
/// Consumption through the lower price.
pub const FIG8_CONSUMPTION: Quote = quote(
    ON_FIG8,
    "the improved clearing price benefits the consumption of electricity in the multiple microgrids",
);
/// Falling price.
pub const FIG8_FALLS: Quote = quote(
    ON_FIG8,
    "When the market demand was 220 kW, [...] dragging down the unified clearing price",
);
/// Rising price.
pub const FIG8_RISES: Quote = quote(
    ON_FIG8,
    "With the rise of market demand, the unified clearing price increased with the number of iterations",
);
/// Volume at low prices.
pub const FIG8_LOW_CLUSTER: Quote = quote(
    ON_FIG8,
    "more bid-winning volume clustered to the low price interval",
);
/// Volume at high prices.
pub const FIG8_HIGH_CLUSTER: Quote = quote(
    ON_FIG8,
    "more bid-winning volume clustered to the high price interval",
);
/// The figure itself.
pub const FIG9_CURVES: Quote = quote(
    ON_FIG9,
    "Figure 9 predicts the load and day-ahead outputs of the two microgrids",
);
/// First microgrid.
pub const FIG9_FIRST: Quote = quote(ON_FIG9, "a large solar and wind power generator");
/// Its customers.
pub const FIG9_RESIDENTS: Quote = quote(ON_FIG9, "mainly serving residents");
/// Second microgrid.
pub const FIG9_SECOND: Quote = quote(ON_FIG9, "a small solar power generator");
/// Its customers.
pub const FIG9_BUSINESSES: Quote = quote(ON_FIG9, "mainly serving businesses");
/// What the six phases are said to give.
pub const CONSISTENT: Quote = quote(
    "section 4.2, on the phases of section 3.2",
    "The proposed quantum threshold consensus mechanism for multiple microgrids can ensure the consistency of cross-chain information",
);
