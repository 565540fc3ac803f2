//! What the aggregator is given: tariffs, seller blocks, buyers and line limits, checked once.

use std::collections::BTreeMap;

use super::{PRICE_TOLERANCE, QUANTITY_TOLERANCE};

/// Largest magnitude of any number of a problem, in the number's own unit: a terawatt, a billion per kWh.
pub const MAGNITUDE_MAX: f64 = 1e9;

/// Prices of the grid and the aggregator's mark-ups.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// L+: the grid sells any amount at this price, currency/kWh, > 0.
    pub grid_sell: f64,
    /// L-: the grid buys any amount at this price, currency/kWh, < L+, may be negative.
    pub grid_buy: f64,
    /// δ: mark-up on the clearing price for energy traded inside, dimensionless, >= 0.
    pub delta: f64,
    /// δ_G: mark-up on L+ for imported energy, dimensionless, >= 0; 1 passes the grid's price on.
    pub delta_grid: f64,
    /// ρ: clearing price of the round, currency/kWh.
    pub price: f64,
}

/// One block of a seller's bid.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// The microgrid; several blocks may share it.
    pub id: String,
    /// Quantity offered, kW, >= 0.
    pub kw: f64,
    /// Ask `b_k`, currency/kWh.
    pub ask: f64,
}

/// What one buyer lacks.
#[derive(Clone, Debug, PartialEq)]
pub struct Deficit {
    /// The microgrid, unique among the buyers.
    pub id: String,
    /// Inelastic demand `d_j`, kW, >= 0.
    pub kw: f64,
}

/// Capacity of the line between a seller and a buyer; a pair without one is unlimited.
#[derive(Clone, Debug, PartialEq)]
pub struct LineLimit {
    /// The selling microgrid: all its blocks share the line.
    pub seller: String,
    /// The buying microgrid.
    pub buyer: String,
    /// Capacity `T_ij`, kW, >= 0.
    pub kw: f64,
}

/// Why a problem is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemError {
    /// A price, mark-up or quantity is NaN or infinite.
    #[error("{field} of {of:?} is {value}, not a finite number")]
    NotFinite {
        /// Which number.
        field: &'static str,
        /// Whose.
        of: String,
        /// The number.
        value: f64,
    },
    /// A number beyond [`MAGNITUDE_MAX`], where sums would no longer balance.
    #[error("{field} of {of:?} is {value:e}, beyond {MAGNITUDE_MAX:e}")]
    TooLarge {
        /// Which number.
        field: &'static str,
        /// Whose.
        of: String,
        /// The number.
        value: f64,
    },
    /// A quantity or a mark-up is below zero.
    #[error("{field} of {of:?} is {value}, below zero")]
    Negative {
        /// Which number.
        field: &'static str,
        /// Whose.
        of: String,
        /// The number.
        value: f64,
    },
    /// L+ is not above zero or not above L-.
    #[error(
        "the grid sells at {grid_sell} and buys at {grid_buy}: needs a positive selling price above the buying price"
    )]
    GridPrices {
        /// L+, currency/kWh.
        grid_sell: f64,
        /// L-, currency/kWh.
        grid_buy: f64,
    },
    /// Two buyers have one id.
    #[error("buyer {id:?} is listed twice")]
    DuplicateBuyer {
        /// The id.
        id: String,
    },
    /// A limit names a seller that offers nothing.
    #[error("line limit {seller:?} to {buyer:?} names an unknown seller")]
    UnknownSeller {
        /// The limit's seller.
        seller: String,
        /// The limit's buyer.
        buyer: String,
    },
    /// A limit names a buyer that is not there.
    #[error("line limit {seller:?} to {buyer:?} names an unknown buyer")]
    UnknownBuyer {
        /// The limit's seller.
        seller: String,
        /// The limit's buyer.
        buyer: String,
    },
    /// One line has two limits.
    #[error("line {seller:?} to {buyer:?} has two limits: {first} and {second} kW")]
    DuplicateLimit {
        /// The line's seller.
        seller: String,
        /// The line's buyer.
        buyer: String,
        /// First capacity, kW.
        first: f64,
        /// Second capacity, kW.
        second: f64,
    },
}

/// A checked matching problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    terms: Terms,
    sellers: Vec<Offer>,
    buyers: Vec<Deficit>,
    limits: Vec<LineLimit>,
    lines: Vec<Line>,
}

/// A limit with its ids looked up.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    /// Blocks of the selling microgrid, in input order.
    pub(super) blocks: Vec<usize>,
    /// Index of the buyer.
    pub(super) buyer: usize,
    /// Capacity, kW.
    pub(super) kw: f64,
}

impl Problem {
    /// Checks and keeps a problem.
    ///
    /// # Errors
    /// [`ProblemError`]: the first number that is not finite or is negative where it must not be, grid prices out of order,
    /// a repeated buyer, a limit that names nobody or names a line for the second time.
    pub fn new(
        terms: Terms,
        sellers: Vec<Offer>,
        buyers: Vec<Deficit>,
        limits: Vec<LineLimit>,
    ) -> Result<Self, ProblemError> {
        check_terms(&terms)?;
        for offer in &sellers {
            finite("ask", &offer.id, offer.ask)?;
            not_negative("quantity", &offer.id, offer.kw)?;
        }
        let mut buyer_index = BTreeMap::new();
        for (index, deficit) in buyers.iter().enumerate() {
            not_negative("deficit", &deficit.id, deficit.kw)?;
            if buyer_index.insert(deficit.id.as_str(), index).is_some() {
                return Err(ProblemError::DuplicateBuyer {
                    id: deficit.id.clone(),
                });
            }
        }
        let lines = look_up(&limits, &sellers, &buyer_index)?;
        Ok(Self {
            terms,
            sellers,
            buyers,
            limits,
            lines,
        })
    }

    /// Grid prices, mark-ups and ρ.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Seller blocks in input order: row `k` of the flows.
    #[must_use]
    pub fn sellers(&self) -> &[Offer] {
        &self.sellers
    }

    /// Buyers in input order: column `j` of the flows.
    #[must_use]
    pub fn buyers(&self) -> &[Deficit] {
        &self.buyers
    }

    /// Line limits in input order.
    #[must_use]
    pub fn limits(&self) -> &[LineLimit] {
        &self.limits
    }

    /// π_M = min(δρ, L+): what a buyer pays for energy traded inside, currency/kWh.
    #[must_use]
    pub fn tariff_internal(&self) -> f64 {
        (self.terms.delta * self.terms.price).min(self.terms.grid_sell)
    }

    /// π_G = δ_G L+: what a buyer pays for imported energy, currency/kWh.
    #[must_use]
    pub fn tariff_grid(&self) -> f64 {
        self.terms.delta_grid * self.terms.grid_sell
    }

    /// The highest ask that does not lower E_A when it replaces an import, tolerance included, currency/kWh.
    pub(super) fn ask_limit(&self) -> f64 {
        self.tariff_internal() - self.import_margin() + self.price_tolerance()
    }

    /// What the aggregator earns on an imported kWh, π_G - L+ (0 for δ_G = 1), currency/kWh.
    pub(super) fn import_margin(&self) -> f64 {
        self.tariff_grid() - self.terms.grid_sell
    }

    /// Difference below which two asks are equal, currency/kWh.
    pub(super) fn price_tolerance(&self) -> f64 {
        PRICE_TOLERANCE * self.terms.grid_sell.max(1.0)
    }

    /// Quantity below which a flow is zero, kW.
    pub(super) fn quantity_tolerance(&self) -> f64 {
        let offered = self
            .sellers
            .iter()
            .map(|offer| offer.kw)
            .fold(0.0, f64::max);
        let asked = self
            .buyers
            .iter()
            .map(|deficit| deficit.kw)
            .fold(0.0, f64::max);
        QUANTITY_TOLERANCE * offered.max(asked)
    }

    /// Limits with ids looked up, in input order.
    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }
}

fn check_terms(terms: &Terms) -> Result<(), ProblemError> {
    finite("grid selling price", "grid", terms.grid_sell)?;
    finite("grid buying price", "grid", terms.grid_buy)?;
    finite("clearing price", "aggregator", terms.price)?;
    not_negative("delta", "aggregator", terms.delta)?;
    not_negative("delta_grid", "aggregator", terms.delta_grid)?;
    finite(
        "grid tariff",
        "aggregator",
        terms.delta_grid * terms.grid_sell,
    )?;
    if terms.grid_sell <= 0.0 || terms.grid_buy >= terms.grid_sell {
        return Err(ProblemError::GridPrices {
            grid_sell: terms.grid_sell,
            grid_buy: terms.grid_buy,
        });
    }
    Ok(())
}

fn look_up(
    limits: &[LineLimit],
    sellers: &[Offer],
    buyer_index: &BTreeMap<&str, usize>,
) -> Result<Vec<Line>, ProblemError> {
    if limits.is_empty() {
        return Ok(Vec::new());
    }
    let mut blocks_of: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, offer) in sellers.iter().enumerate() {
        blocks_of.entry(&offer.id).or_default().push(index);
    }
    let mut seen: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    let mut lines = Vec::with_capacity(limits.len());
    for limit in limits {
        let names = || (limit.seller.clone(), limit.buyer.clone());
        if !(limit.kw.is_finite() && limit.kw >= 0.0) {
            not_negative(
                "line limit",
                &format!("{} to {}", limit.seller, limit.buyer),
                limit.kw,
            )?;
        }
        let Some(blocks) = blocks_of.get(limit.seller.as_str()) else {
            let (seller, buyer) = names();
            return Err(ProblemError::UnknownSeller { seller, buyer });
        };
        let Some(&buyer) = buyer_index.get(limit.buyer.as_str()) else {
            let (seller, buyer) = names();
            return Err(ProblemError::UnknownBuyer { seller, buyer });
        };
        if let Some(first) = seen.insert((&limit.seller, &limit.buyer), limit.kw) {
            let (seller, buyer) = names();
            return Err(ProblemError::DuplicateLimit {
                seller,
                buyer,
                first,
                second: limit.kw,
            });
        }
        lines.push(Line {
            blocks: blocks.clone(),
            buyer,
            kw: limit.kw,
        });
    }
    Ok(lines)
}

fn finite(field: &'static str, of: &str, value: f64) -> Result<(), ProblemError> {
    let of = || of.to_owned();
    if !value.is_finite() {
        return Err(ProblemError::NotFinite {
            field,
            of: of(),
            value,
        });
    }
    if value.abs() > MAGNITUDE_MAX {
        return Err(ProblemError::TooLarge {
            field,
            of: of(),
            value,
        });
    }
    Ok(())
}

fn not_negative(field: &'static str, of: &str, value: f64) -> Result<(), ProblemError> {
    finite(field, of, value)?;
    if value >= 0.0 {
        Ok(())
    } else {
        Err(ProblemError::Negative {
            field,
            of: of.to_owned(),
            value,
        })
    }
}
