//! The answer: flows, tariffs, the aggregator's four cash flows, gains against trading alone, and prices.

use super::problem::Problem;

/// The aggregator's profit E_A and its four terms, currency/h (corrected eq. 4).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Profit {
    /// E_MA: buyers pay π_M for traded and π_G for imported energy.
    pub from_buyers: f64,
    /// E_PA: the grid pays L- for exports.
    pub from_grid: f64,
    /// E_AM: sellers are paid their asks for traded energy and L- for exports.
    pub to_sellers: f64,
    /// E_AP: the grid is paid L+ for imports.
    pub to_grid: f64,
    /// E_A = E_MA + E_PA - E_AM - E_AP.
    pub total: f64,
}

impl Profit {
    /// Sum of the absolute cash flows, currency/h: the scale against which rounding of E_A is measured.
    pub(super) fn turnover(&self) -> f64 {
        self.from_buyers.abs() + self.from_grid.abs() + self.to_sellers.abs() + self.to_grid.abs()
    }
}

/// Value created against everybody trading alone with the grid, currency/h.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gains {
    /// Sellers' income above selling everything at L-.
    pub sellers: f64,
    /// Buyers' saving below buying everything at L+.
    pub buyers: f64,
    /// Both plus E_A.
    pub total: f64,
    /// (L+ - L-) T, which `total` equals.
    pub identity: f64,
}

/// A matching of blocks and buyers.
#[derive(Clone, Debug, PartialEq)]
pub struct Matching {
    flows: Vec<f64>,
    buyers: usize,
    /// Traded `sum_j t_kj` per block, kW, input order.
    pub traded: Vec<f64>,
    /// Exported `u_k` per block, kW, input order.
    pub exported: Vec<f64>,
    /// Bought inside `sum_k t_kj` per buyer, kW, input order.
    pub bought: Vec<f64>,
    /// Imported `g_j` per buyer, kW, input order.
    pub imported: Vec<f64>,
    /// π_M, currency/kWh.
    pub tariff_internal: f64,
    /// π_G, currency/kWh.
    pub tariff_grid: f64,
    /// Ask times traded plus L- times exported, per block, currency/h, input order.
    pub incomes: Vec<f64>,
    /// π_M times bought inside plus π_G times imported, per buyer, currency/h, input order.
    pub bills: Vec<f64>,
    /// E_A and its terms.
    pub profit: Profit,
    /// Gains against trading alone.
    pub gains: Gains,
    /// Price of each buyer's demand: cost of its last kW, currency/kWh; `None` without demand.
    ///
    /// L+ where an import (possibly of another buyer, through rerouting) is the supply that would shrink with this demand, else
    /// the highest ask that would.
    pub demand_prices: Vec<Option<f64>>,
    /// Dual of each balance `sum_k t_kj + g_j = d_j` in the linear program: change of E_A per kW of demand, currency/kWh; `None`
    /// without demand. Where it is an interval (a block is exactly used up) this is the upper end, i.e. the loss of E_A with
    /// one kW less, which belongs to the smallest price.
    pub demand_duals: Vec<Option<f64>>,
    /// ρ of this matching: smallest of `demand_prices`, clamped to [L-, L+]; L- without demand, currency/kWh.
    pub clearing_price: f64,
}

/// The supply that shrinks first when a buyer asks for less.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Marginal {
    /// An import, at L+.
    Import,
    /// A block with this ask, currency/kWh.
    Block(f64),
}

impl Matching {
    /// Completes flows (row = block, column = buyer, kW) and the marginal supply per buyer into a matching.
    pub(super) fn new(problem: &Problem, flows: Vec<f64>, marginal: &[Option<Marginal>]) -> Self {
        let buyers = problem.buyers().len();
        let terms = problem.terms();
        let (traded, bought) = totals(&flows, problem.sellers().len(), buyers);
        let tolerance = problem.quantity_tolerance();
        let rest = |whole: f64, part: f64| {
            if whole - part <= tolerance {
                0.0
            } else {
                whole - part
            }
        };
        let exported: Vec<f64> = problem
            .sellers()
            .iter()
            .zip(&traded)
            .map(|(o, &t)| rest(o.kw, t))
            .collect();
        let imported: Vec<f64> = problem
            .buyers()
            .iter()
            .zip(&bought)
            .map(|(d, &t)| rest(d.kw, t))
            .collect();
        let each = |price: &dyn Fn(Marginal) -> f64| {
            marginal.iter().map(|m| m.map(price)).collect::<Vec<_>>()
        };
        let demand_prices = each(&|marginal| match marginal {
            Marginal::Import => terms.grid_sell,
            Marginal::Block(ask) => ask,
        });
        let demand_duals = each(&|marginal| match marginal {
            Marginal::Import => problem.import_margin(),
            Marginal::Block(ask) => problem.tariff_internal() - ask,
        });
        let smallest = demand_prices
            .iter()
            .flatten()
            .copied()
            .min_by(f64::total_cmp);
        let clearing_price = smallest.map_or(terms.grid_buy, |price| {
            price.clamp(terms.grid_buy, terms.grid_sell)
        });
        let mut matching = Self {
            flows,
            buyers,
            traded,
            exported,
            bought,
            imported,
            tariff_internal: problem.tariff_internal(),
            tariff_grid: problem.tariff_grid(),
            incomes: Vec::new(),
            bills: Vec::new(),
            profit: Profit::default(),
            gains: Gains::default(),
            demand_prices,
            demand_duals,
            clearing_price,
        };
        matching.settle(problem);
        matching
    }

    /// `t_kj`: kW from block `block` to buyer `buyer`; `None` outside the problem.
    #[must_use]
    pub fn flow(&self, block: usize, buyer: usize) -> Option<f64> {
        if buyer < self.buyers {
            self.flows.get(block * self.buyers + buyer).copied()
        } else {
            None
        }
    }

    /// Flows of one block to all buyers, kW, input order; empty outside the problem.
    #[must_use]
    pub fn row(&self, block: usize) -> &[f64] {
        self.flows
            .get(block * self.buyers..(block + 1) * self.buyers)
            .unwrap_or(&[])
    }

    /// T: kW traded inside.
    #[must_use]
    pub fn traded_kw(&self) -> f64 {
        self.traded.iter().sum()
    }

    /// kW sold to the grid.
    #[must_use]
    pub fn exported_kw(&self) -> f64 {
        self.exported.iter().sum()
    }

    /// kW bought from the grid.
    #[must_use]
    pub fn imported_kw(&self) -> f64 {
        self.imported.iter().sum()
    }

    /// Cash flows of eq. (4) and gains against trading alone.
    fn settle(&mut self, problem: &Problem) {
        let terms = problem.terms();
        let sold = problem
            .sellers()
            .iter()
            .zip(self.traded.iter().zip(&self.exported));
        self.incomes = sold
            .map(|(offer, (traded, exported))| offer.ask * traded + terms.grid_buy * exported)
            .collect();
        let bought = self.bought.iter().zip(&self.imported);
        self.bills = bought
            .map(|(t, g)| self.tariff_internal * t + self.tariff_grid * g)
            .collect();
        let (from_buyers, to_sellers) = (
            self.bills.iter().sum::<f64>(),
            self.incomes.iter().sum::<f64>(),
        );
        let from_grid = terms.grid_buy * self.exported_kw();
        let to_grid = terms.grid_sell * self.imported_kw();
        let total = from_buyers + from_grid - to_sellers - to_grid;
        self.profit = Profit {
            from_buyers,
            from_grid,
            to_sellers,
            to_grid,
            total,
        };
        let sold_alone: f64 = problem
            .sellers()
            .iter()
            .map(|offer| terms.grid_buy * offer.kw)
            .sum();
        let bought_alone: f64 = problem
            .buyers()
            .iter()
            .map(|deficit| terms.grid_sell * deficit.kw)
            .sum();
        let (sellers, buyers) = (to_sellers - sold_alone, bought_alone - from_buyers);
        let identity = (terms.grid_sell - terms.grid_buy) * self.traded_kw();
        self.gains = Gains {
            sellers,
            buyers,
            total: sellers + buyers + total,
            identity,
        };
    }
}

/// Sums of rows (blocks) and columns (buyers), kW.
fn totals(flows: &[f64], blocks: usize, buyers: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut traded, mut bought) = (vec![0.0; blocks], vec![0.0; buyers]);
    if buyers > 0 {
        for (row, sum) in flows.chunks_exact(buyers).zip(&mut traded) {
            for (&flow, column) in row.iter().zip(&mut bought) {
                *sum += flow;
                *column += flow;
            }
        }
    }
    (traded, bought)
}
