//! One order: the function that ledgers, audit and market run share.

use thiserror::Error;
use tieline_units::{Energy, Money, Price};

/// A million parts.
const MILLION: i128 = 1_000_000;

/// Largest energy of an order, a reading or a member's interval: 2.7 GWh. With [`PRICE_MAX`] every product below stays in
/// range.
pub const ENERGY_MAX: Energy = Energy::from_millijoules(10_000_000_000_000_000);

/// Largest magnitude of a price: 10,000 of the currency per kWh.
pub const PRICE_MAX: Price = Price::from_millionths(10_000_000_000);

/// Largest penalty: ten times the imbalance price.
pub const PENALTY_PPM_MAX: u32 = 10_000_000;

/// How the two ends of an order are metered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metering {
    /// Each member at its own tie line: the readings are not two ends of one flow.
    #[default]
    TieLines,
    /// The pair has a metered line of its own.
    OwnLine {
        /// Agreed loss on the line, parts per million of the buyer's reading.
        loss_ppm: u32,
        /// Difference of the readings that is let pass, parts per million of the seller's.
        tolerance_ppm: u32,
    },
}

/// The terms of an order that settlement reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderTerms {
    /// Ordered energy.
    pub quantity: Energy,
    /// What the buyer pays.
    pub price: Price,
    /// What the seller is paid, at most `price`.
    pub seller_price: Price,
    /// What the seller can lose.
    pub bond: Money,
    /// Price of missing energy that the penalty is measured by.
    pub imbalance: Price,
    /// Share of it that is charged, parts per million; 0: no penalty.
    pub penalty_short_ppm: u32,
    /// How the ends are metered.
    pub metering: Metering,
}

/// The metered ends of an order; `None` where the reading did not come in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readings {
    /// q_x: what the buyer took.
    pub taken: Option<Energy>,
    /// q_y: what the seller delivered.
    pub delivered: Option<Energy>,
}

/// What an order comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Settlement {
    /// q: the energy that is paid for.
    pub settled: Energy,
    /// What the buyer pays.
    pub payment: Money,
    /// Of it, to the seller.
    pub to_seller: Money,
    /// Of it, to the aggregator.
    pub to_aggregator: Money,
    /// Ordered and not delivered.
    pub short: Energy,
    /// From the seller's bond to the buyer.
    pub penalty: Money,
    /// Held back until the readings are reconciled; part of neither `settled` nor `short`.
    pub disputed: Energy,
}

impl Settlement {
    /// Whether these amounts follow from the terms and the energies: what a ledger that did not see the readings can check.
    pub fn follows_from(&self, terms: &OrderTerms) -> bool {
        let energies = [self.settled, self.disputed, self.short];
        energies
            .iter()
            .all(|energy| (Energy::ZERO..=ENERGY_MAX).contains(energy))
            && self.settled + self.disputed <= terms.quantity
            && self.short <= terms.quantity
            && self.payment == terms.price.cost_of(self.settled)
            && self.to_seller == terms.seller_price.cost_of(self.settled)
            && self.to_aggregator == self.payment - self.to_seller
            && self.penalty == penalty(terms, self.short)
    }
}

/// Why terms or readings cannot be settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SettleError {
    /// An order for nothing, or for less.
    #[error("ordered quantity {} mJ is not positive", quantity.as_millijoules())]
    Quantity {
        /// The quantity found.
        quantity: Energy,
    },
    /// The seller would get more than the buyer pays.
    #[error("seller price {seller_price} is above the buyer's price {price}")]
    SellerPriceAbovePrice {
        /// What the seller is to get per kWh.
        seller_price: Price,
        /// What the buyer is to pay per kWh.
        price: Price,
    },
    /// A meter that ran backwards.
    #[error("reading {} mJ is negative", reading.as_millijoules())]
    NegativeReading {
        /// The reading found.
        reading: Energy,
    },
    /// A number beyond [`ENERGY_MAX`], [`PRICE_MAX`] or [`PENALTY_PPM_MAX`].
    #[error("{what} is {found}, beyond {max}")]
    TooLarge {
        /// Which number.
        what: &'static str,
        /// What it is, in its smallest unit.
        found: i64,
        /// The largest there is.
        max: i64,
    },
    /// A bond that is a debt.
    #[error("bond {bond} is negative")]
    NegativeBond {
        /// The bond found.
        bond: Money,
    },
}

/// Settles one order on its readings.
///
/// # Errors
/// [`SettleError`] for terms or readings that no order can have.
///
/// Source: `contract.md` section 5; Hu et al. 2022, §3.2 phase (6).
pub fn settle(terms: &OrderTerms, readings: Readings) -> Result<Settlement, SettleError> {
    check(terms, readings)?;
    let Some(delivered) = readings.delivered else {
        return Ok(Settlement::default());
    };
    let (settled, disputed) = quantities(terms, delivered, readings.taken);
    let short = (terms.quantity - delivered).max(Energy::ZERO);
    let payment = terms.price.cost_of(settled);
    let to_seller = terms.seller_price.cost_of(settled);
    Ok(Settlement {
        settled,
        payment,
        to_seller,
        to_aggregator: payment - to_seller,
        short,
        penalty: penalty(terms, short),
        disputed,
    })
}

fn check(terms: &OrderTerms, readings: Readings) -> Result<(), SettleError> {
    if terms.quantity <= Energy::ZERO {
        return Err(SettleError::Quantity {
            quantity: terms.quantity,
        });
    }
    if terms.seller_price > terms.price {
        let OrderTerms {
            seller_price,
            price,
            ..
        } = *terms;
        return Err(SettleError::SellerPriceAbovePrice {
            seller_price,
            price,
        });
    }
    if terms.bond < Money::ZERO {
        return Err(SettleError::NegativeBond { bond: terms.bond });
    }
    check_sizes(terms)?;
    let negative = |reading: &Energy| *reading < Energy::ZERO;
    match [readings.taken, readings.delivered]
        .into_iter()
        .flatten()
        .find(negative)
    {
        Some(reading) => Err(SettleError::NegativeReading { reading }),
        None => Ok(()),
    }
}

fn check_sizes(terms: &OrderTerms) -> Result<(), SettleError> {
    let price = |price: Price| price.as_millionths();
    let sizes = [
        (
            "quantity in mJ",
            terms.quantity.as_millijoules(),
            ENERGY_MAX.as_millijoules(),
        ),
        ("price in millionths", price(terms.price), price(PRICE_MAX)),
        (
            "seller price in millionths",
            price(terms.seller_price),
            price(PRICE_MAX),
        ),
        (
            "imbalance price in millionths",
            price(terms.imbalance),
            price(PRICE_MAX),
        ),
        (
            "penalty in ppm",
            i64::from(terms.penalty_short_ppm),
            i64::from(PENALTY_PPM_MAX),
        ),
    ];
    match sizes
        .into_iter()
        .find(|(_, found, max)| found.unsigned_abs() > max.unsigned_abs())
    {
        Some((what, found, max)) => Err(SettleError::TooLarge { what, found, max }),
        None => Ok(()),
    }
}

/// The energy that is paid for and the energy held back in dispute: the difference of the two ends beyond the tolerance.
fn quantities(terms: &OrderTerms, delivered: Energy, taken: Option<Energy>) -> (Energy, Energy) {
    let by_seller = delivered.min(terms.quantity);
    let (
        Metering::OwnLine {
            loss_ppm,
            tolerance_ppm,
        },
        Some(taken),
    ) = (terms.metering, taken)
    else {
        return (by_seller, Energy::ZERO);
    };
    let by_buyer = parts_per_million(taken, MILLION + i128::from(loss_ppm)).min(terms.quantity);
    let settled = by_seller.min(by_buyer);
    let apart = by_seller.max(by_buyer) - settled;
    let tolerated = parts_per_million(by_seller, i128::from(tolerance_ppm));
    (
        settled,
        if apart > tolerated {
            apart
        } else {
            Energy::ZERO
        },
    )
}

fn penalty(terms: &OrderTerms, short: Energy) -> Money {
    let product = i128::from(short.as_millijoules())
        * i128::from(terms.imbalance.as_millionths().max(0))
        * i128::from(terms.penalty_short_ppm);
    let charged = product / (i128::from(Energy::PER_KILOWATT_HOUR) * MILLION);
    Money::from_millionths(i64::try_from(charged).unwrap_or(i64::MAX)).min(terms.bond)
}

/// ⌊energy·ppm/10^6⌋, at most the largest energy there is.
fn parts_per_million(energy: Energy, ppm: i128) -> Energy {
    let scaled = i128::from(energy.as_millijoules()) * ppm / MILLION;
    Energy::from_millijoules(i64::try_from(scaled).unwrap_or(i64::MAX))
}
