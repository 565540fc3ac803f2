//! Two-sided uniform-price clearing of step offers, in exact integers.
//!
//! # Data
//! A [`Book`] of [`Step`]s: each buys or sells up to a quantity at a limit price. Prices are whole ticks (any sign), quantities
//! whole units; what a tick and a unit are is the caller's matter ([`text`] reads decimal files). The place in the book is the identity of
//! a step and its time priority.
//!
//! # Rules
//! With `D-(p)`, `D+(p)` the quantity of buy steps priced above `p`, at or above `p`, and `S-(p)`, `S+(p)` that of sell steps priced below,
//! at or below `p`:
//! * `p` clears the book when `[D-(p), D+(p)]` and `[S-(p), S+(p)]` meet: nobody who bid strictly better than `p` is left out, nobody
//!   strictly worse is taken, and the same quantity is bought and sold. These prices form the closed interval
//!   `[min {p: D-(p) <= S+(p)}, max {p: S-(p) <= D+(p)}]`.
//! * The quantities so traded are `[max(D-, S-), min(D+, S+)]` at the lower end. The interval has inner points only
//!   when the curves share a horizontal piece (one price), and the price interval only when they share a vertical one (one quantity).
//! * The largest of these quantities is traded. Every one of them gives the same, maximal welfare, so more trade costs nobody anything.
//! * [`PriceRule`] picks the price; [`TieRule`] shares out what is left for the steps exactly at it.
//!
//! # How it is found
//! `D-(p) <= S+(p)` says that the steps priced at most `p`, *of both sides together*, amount to at least the whole demand `D`.
//! So the lower end is the weighted `D`-quantile of all steps: repeated selection finds it in linear time and nothing is sorted.
//! The upper end is the same price, or the next one in the book when the amount is exactly `D`.
//!
//! # Ends
//! * No trade (best bid below best ask): quantity 0, price interval from best bid to best ask.
//! * Without buyers (of a quantity above zero) the interval has no lower end, without sellers no upper end: `None`.
//! * Steps of quantity zero are accepted for zero and influence nothing.
//!
//! # Guarantees
//! Same book and rules, same result. Quantities are summed in 128 bits, which 2^64 steps cannot exceed.
//!
//! # Deviations
//! The paper knows offers of sellers only; this clearing is the product's own, for buyers who bid prices and for real order
//! books (specification, section 11).

pub mod offer;
mod ration;
mod select;
pub mod text;

use serde::{Deserialize, Serialize};

/// Who places a step.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Buys at the limit price or below.
    Buy,
    /// Sells at the limit price or above.
    Sell,
}

/// One step of a bid or an offer; divisible.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Step {
    /// Buy or sell.
    pub side: Side,
    /// Limit price, ticks.
    pub price: i64,
    /// Quantity, units.
    pub quantity: u64,
}

/// Steps in the order of their arrival.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Book {
    steps: Vec<Step>,
}

impl Book {
    /// A book of these steps; every combination of numbers is valid.
    #[must_use]
    pub fn new(steps: Vec<Step>) -> Self {
        Self { steps }
    }

    /// The steps in order of arrival.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

/// Which price of the interval is charged. A missing end is replaced by the other one.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PriceRule {
    /// The middle of the interval.
    #[default]
    Mid,
    /// The lower end, where the supply curve leaves the shared piece: last accepted ask, or first refused bid if higher.
    MarginalAsk,
    /// The upper end, where the demand curve leaves it: last accepted bid, or first refused ask if lower.
    MarginalBid,
}

/// How a quantity is shared among steps at the same price that cannot all be served.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TieRule {
    /// In proportion to the quantities; whole units by largest remainder, equal remainders in order of arrival.
    #[default]
    ProRata,
    /// In order of arrival.
    Order,
}

/// A price in half ticks, so that the middle of two prices is exact.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct HalfTicks(i128);

impl HalfTicks {
    /// The middle of two prices, ticks.
    #[must_use]
    pub fn middle(low: i64, high: i64) -> Self {
        Self(i128::from(low) + i128::from(high))
    }

    /// Twice the price, ticks.
    #[must_use]
    pub fn twice(self) -> i128 {
        self.0
    }

    /// The price in ticks, if it is a whole number of them.
    #[must_use]
    pub fn whole(self) -> Option<i64> {
        if self.0 % 2 == 0 {
            i64::try_from(self.0 / 2).ok()
        } else {
            None
        }
    }
}

impl From<i64> for HalfTicks {
    fn from(ticks: i64) -> Self {
        Self::middle(ticks, ticks)
    }
}

/// All prices that clear the book, ticks; `None` is an open end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PriceInterval {
    /// Lowest clearing price; `None` without buyers.
    pub low: Option<i64>,
    /// Highest clearing price; `None` without sellers.
    pub high: Option<i64>,
}

impl PriceInterval {
    /// The price a rule picks; `None` only when both ends are open (an empty book).
    #[must_use]
    pub fn pick(self, rule: PriceRule) -> Option<HalfTicks> {
        let (low, high) = (self.low.or(self.high)?, self.high.or(self.low)?);
        Some(match rule {
            PriceRule::Mid => HalfTicks::middle(low, high),
            PriceRule::MarginalAsk => low.into(),
            PriceRule::MarginalBid => high.into(),
        })
    }
}

/// All quantities that can be traded at a clearing price, units.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct QuantityInterval {
    /// Least quantity.
    pub low: u128,
    /// Largest quantity.
    pub high: u128,
}

/// A cleared book.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Clearing {
    /// Every clearing price.
    pub price: PriceInterval,
    /// Every quantity traded at one of them.
    pub quantity: QuantityInterval,
    /// The price charged, picked by the price rule; `None` for an empty book.
    pub chosen_price: Option<HalfTicks>,
    /// The quantity traded: the largest.
    pub chosen_quantity: u128,
    /// Buyers' limit prices times accepted quantities less the sellers', ticks times units.
    pub welfare: i128,
    /// Accepted quantity per step, units, in the order of the book.
    pub accepted: Vec<u64>,
}

/// Why a book is not cleared.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClearError {
    /// Welfare leaves 128 bits.
    #[error("welfare exceeds 128 bits at step {step}: price {price}, accepted {accepted}")]
    Welfare {
        /// Place in the book, from 0.
        step: usize,
        /// Its limit price, ticks.
        price: i64,
        /// Its accepted quantity, units.
        accepted: u64,
    },
}

/// Clears a book: the intervals of clearing prices and quantities, the chosen point, and what each step gets.
///
/// Linear in the number of steps; see the [module](self) for the rules.
///
/// # Errors
/// [`ClearError::Welfare`] when welfare does not fit 128 bits.
///
/// Source: specification of the market, section 11.
pub fn clear(
    book: &Book,
    price_rule: PriceRule,
    tie_rule: TieRule,
) -> Result<Clearing, ClearError> {
    let steps = book.steps();
    let Some(low) = select::lowest_price(steps) else {
        // Nobody buys: every price up to the best ask clears at nothing.
        let asks = steps
            .iter()
            .filter(|step| step.side == Side::Sell && step.quantity > 0);
        let price = PriceInterval {
            low: None,
            high: asks.map(|step| step.price).min(),
        };
        let chosen_price = price.pick(price_rule);
        let quantity = QuantityInterval { low: 0, high: 0 };
        return Ok(Clearing {
            price,
            quantity,
            chosen_price,
            chosen_quantity: 0,
            welfare: 0,
            accepted: vec![0; steps.len()],
        });
    };
    let Better {
        mut accepted,
        bought,
        sold,
        welfare,
        at_price,
        next_price,
    } = Better::than(low, steps)?;
    let (buys, sells): (Vec<usize>, Vec<usize>) = at_price
        .iter()
        .partition(|&&step| steps[step].side == Side::Buy);
    let sum = |members: &[usize]| {
        members
            .iter()
            .map(|&step| u128::from(steps[step].quantity))
            .sum::<u128>()
    };
    let (demand, supply) = (bought + sum(&buys), sold + sum(&sells));
    // Demand above the price that uses up the supply to it: the curves share a vertical piece up to the next price.
    let price = PriceInterval {
        low: Some(low),
        high: if bought == supply {
            next_price
        } else {
            Some(low)
        },
    };
    let quantity = QuantityInterval {
        low: bought.max(sold),
        high: demand.min(supply),
    };
    share(
        steps,
        &buys,
        quantity.high - bought,
        tie_rule,
        &mut accepted,
    );
    share(steps, &sells, quantity.high - sold, tie_rule, &mut accepted);
    let chosen_price = price.pick(price_rule);
    Ok(Clearing {
        price,
        quantity,
        chosen_price,
        chosen_quantity: quantity.high,
        welfare,
        accepted,
    })
}

impl Step {
    /// Whether the limit is strictly better than a price: above it for a buyer, below it for a seller.
    fn beats(&self, price: i64) -> bool {
        // No branch: the sides and prices of a book come in no order that could be predicted.
        let buys = self.side == Side::Buy;
        (buys & (self.price > price)) | (!buys & (self.price < price))
    }
}

/// Steps that beat a price, accepted in full, and those at it, not accepted yet.
struct Better {
    accepted: Vec<u64>,
    /// Demand above the price, units.
    bought: u128,
    /// Supply below the price, units.
    sold: u128,
    /// Of the accepted; steps at the price add nothing, whatever they get, because as much is bought as sold.
    welfare: i128,
    at_price: Vec<usize>,
    /// Lowest price above, of steps that are not empty.
    next_price: Option<i64>,
}

impl Better {
    fn than(price: i64, steps: &[Step]) -> Result<Self, ClearError> {
        let mut accepted = Vec::with_capacity(steps.len());
        let mut at_price = Vec::new();
        let (mut bought, mut traded, mut welfare) = (0_u128, 0_u128, 0_u128);
        let mut next_price = None;
        for (index, step) in steps.iter().enumerate() {
            let amount = if step.beats(price) { step.quantity } else { 0 };
            accepted.push(amount);
            traded += u128::from(amount);
            bought += u128::from(if step.side == Side::Buy { amount } else { 0 });
            // Measured from the price every term is positive: the sum leaves 128 bits only if welfare does.
            let gain = u128::from(step.price.abs_diff(price)) * u128::from(amount);
            let sum = welfare
                .checked_add(gain)
                .filter(|&sum| sum <= i128::MAX.unsigned_abs());
            welfare = sum.ok_or(ClearError::Welfare {
                step: index,
                price: step.price,
                accepted: amount,
            })?;
            if step.price == price {
                at_price.push(index);
            }
            if (step.price > price)
                & (step.quantity > 0)
                & next_price.is_none_or(|next| step.price < next)
            {
                next_price = Some(step.price);
            }
        }
        let welfare = i128::try_from(welfare).unwrap_or(i128::MAX);
        Ok(Self {
            accepted,
            bought,
            sold: traded - bought,
            welfare,
            at_price,
            next_price,
        })
    }
}

/// Gives the members, steps of one side at one price, a quantity together.
fn share(steps: &[Step], members: &[usize], quantity: u128, rule: TieRule, accepted: &mut [u64]) {
    let claims: Vec<u64> = members.iter().map(|&step| steps[step].quantity).collect();
    let shares = match rule {
        TieRule::Order => ration::in_order(&claims, quantity),
        TieRule::ProRata => ration::pro_rata(&claims, quantity),
    };
    for (&step, share) in members.iter().zip(shares) {
        accepted[step] = share;
    }
}
