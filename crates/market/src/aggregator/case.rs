//! The aggregator's documents: the `aggregator` object of a scenario and the result with the field names of the case files.

use serde::{Deserialize, Serialize};

use super::{Deficit, LineLimit, Matching, Offer, Problem, ProblemError, SolveError, Terms, solve};

/// A matching problem as written in a scenario. Unknown keys are refused.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AggregatorScenario {
    /// L+, currency/kWh.
    pub grid_sell: f64,
    /// L-, currency/kWh.
    pub grid_buy: f64,
    /// δ, dimensionless.
    pub delta: f64,
    /// δ_G, dimensionless; 1 when absent.
    #[serde(default = "pass_on")]
    pub delta_grid: f64,
    /// ρ, currency/kWh.
    pub price: f64,
    /// Seller blocks.
    pub sellers: Vec<SellerEntry>,
    /// Buyers.
    pub buyers: Vec<BuyerEntry>,
    /// Line limits; none when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<LimitEntry>,
}

/// A seller block of a scenario.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SellerEntry {
    /// The microgrid.
    pub id: String,
    /// Quantity, kW.
    pub qty: f64,
    /// Ask, currency/kWh.
    pub ask: f64,
}

/// A buyer of a scenario.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BuyerEntry {
    /// The microgrid.
    pub id: String,
    /// Demand, kW.
    pub deficit: f64,
}

/// A line limit of a scenario.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LimitEntry {
    /// The selling microgrid.
    pub seller: String,
    /// The buying microgrid.
    pub buyer: String,
    /// Capacity, kW.
    pub kw: f64,
}

/// A matching with the field names of the case files. kW, currency/kWh and currency/h.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AggregatorResult {
    /// E_A.
    #[serde(rename = "E_A")]
    pub profit: f64,
    /// E_MA.
    #[serde(rename = "E_MA")]
    pub from_buyers: f64,
    /// E_PA.
    #[serde(rename = "E_PA")]
    pub from_grid: f64,
    /// E_AM.
    #[serde(rename = "E_AM")]
    pub to_sellers: f64,
    /// E_AP.
    #[serde(rename = "E_AP")]
    pub to_grid: f64,
    /// π_M.
    pub tariff_internal: f64,
    /// π_G.
    pub tariff_grid: f64,
    /// T.
    pub traded_kw: f64,
    /// Sum of `u_k`.
    pub exported_kw: f64,
    /// Sum of `g_j`.
    pub imported_kw: f64,
    /// Sellers' income above `alone`.
    pub gain_sellers: f64,
    /// Buyers' bills below `alone`.
    pub gain_buyers: f64,
    /// Both gains and E_A.
    pub total_gain: f64,
    /// (L+ - L-) T.
    pub identity_total_gain: f64,
    /// One entry per seller block, input order.
    pub sellers: Vec<SellerResult>,
    /// One entry per buyer, input order.
    pub buyers: Vec<BuyerResult>,
    /// `t_kj`, one row per seller block.
    pub flows: Vec<Vec<f64>>,
}

/// What a seller block ends with.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SellerResult {
    /// The microgrid.
    pub id: String,
    /// kW traded inside.
    pub traded: f64,
    /// kW sold to the grid.
    pub exported: f64,
    /// Ask times traded plus L- times exported, currency/h.
    pub income: f64,
    /// L- times the quantity, currency/h.
    pub alone: f64,
}

/// What a buyer ends with.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BuyerResult {
    /// The microgrid.
    pub id: String,
    /// kW bought inside.
    pub traded: f64,
    /// kW bought from the grid.
    pub imported: f64,
    /// π_M times traded plus π_G times imported, currency/h.
    pub bill: f64,
    /// L+ times the deficit, currency/h.
    pub alone: f64,
}

/// Why a scenario has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaseError {
    /// The scenario is refused.
    #[error(transparent)]
    Problem(#[from] ProblemError),
    /// The solver failed.
    #[error(transparent)]
    Solve(#[from] SolveError),
}

/// Solves the aggregator's problem of a scenario.
///
/// # Errors
/// [`CaseError::Problem`] for numbers or names that make no problem, [`CaseError::Solve`] as in [`solve`].
pub fn run_case(scenario: &AggregatorScenario) -> Result<AggregatorResult, CaseError> {
    let problem = Problem::try_from(scenario)?;
    let matching = solve(&problem)?;
    Ok(AggregatorResult::new(&problem, &matching))
}

impl TryFrom<&AggregatorScenario> for Problem {
    type Error = ProblemError;

    fn try_from(scenario: &AggregatorScenario) -> Result<Self, ProblemError> {
        let terms = Terms {
            grid_sell: scenario.grid_sell,
            grid_buy: scenario.grid_buy,
            delta: scenario.delta,
            delta_grid: scenario.delta_grid,
            price: scenario.price,
        };
        let sellers = scenario.sellers.iter();
        let buyers = scenario.buyers.iter();
        let limits = scenario.limits.iter();
        Self::new(
            terms,
            sellers
                .map(|entry| Offer {
                    id: entry.id.clone(),
                    kw: entry.qty,
                    ask: entry.ask,
                })
                .collect(),
            buyers
                .map(|entry| Deficit {
                    id: entry.id.clone(),
                    kw: entry.deficit,
                })
                .collect(),
            limits
                .map(|entry| LineLimit {
                    seller: entry.seller.clone(),
                    buyer: entry.buyer.clone(),
                    kw: entry.kw,
                })
                .collect(),
        )
    }
}

impl AggregatorResult {
    /// Writes the matching of this `problem` under the names of the case files.
    fn new(problem: &Problem, matching: &Matching) -> Self {
        let (profit, gains) = (matching.profit, matching.gains);
        Self {
            profit: profit.total,
            from_buyers: profit.from_buyers,
            from_grid: profit.from_grid,
            to_sellers: profit.to_sellers,
            to_grid: profit.to_grid,
            tariff_internal: matching.tariff_internal,
            tariff_grid: matching.tariff_grid,
            traded_kw: matching.traded_kw(),
            exported_kw: matching.exported_kw(),
            imported_kw: matching.imported_kw(),
            gain_sellers: gains.sellers,
            gain_buyers: gains.buyers,
            total_gain: gains.total,
            identity_total_gain: gains.identity,
            sellers: sellers(problem, matching),
            buyers: buyers(problem, matching),
            flows: (0..problem.sellers().len())
                .map(|block| matching.row(block).to_vec())
                .collect(),
        }
    }
}

fn sellers(problem: &Problem, matching: &Matching) -> Vec<SellerResult> {
    let entry = |(k, offer): (usize, &Offer)| SellerResult {
        id: offer.id.clone(),
        traded: matching.traded[k],
        exported: matching.exported[k],
        income: matching.incomes[k],
        alone: problem.terms().grid_buy * offer.kw,
    };
    problem.sellers().iter().enumerate().map(entry).collect()
}

fn buyers(problem: &Problem, matching: &Matching) -> Vec<BuyerResult> {
    let entry = |(j, deficit): (usize, &Deficit)| BuyerResult {
        id: deficit.id.clone(),
        traded: matching.bought[j],
        imported: matching.imported[j],
        bill: matching.bills[j],
        alone: problem.terms().grid_sell * deficit.kw,
    };
    problem.buyers().iter().enumerate().map(entry).collect()
}

fn pass_on() -> f64 {
    1.0
}
