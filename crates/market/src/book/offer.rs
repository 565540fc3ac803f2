//! A one-sided offer of several price bands and its dispatch at a given price.
//!
//! The form in which units bid in real markets (ten bands in the Australian one), and that of the paper's bid of `n` levels. The price is
//! made elsewhere; here only the own bands and the availability decide. At price equality the unit may be called in part, so
//! the answer is an interval.

use super::{Side, Step};

/// One band of an offer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Band {
    /// Price from which the band is offered, ticks.
    pub price: i64,
    /// Quantity, units.
    pub quantity: u64,
}

/// Bands in order of price.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BandOffer {
    bands: Vec<Band>,
}

/// Why bands are no offer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OfferError {
    /// A band is cheaper than the one before.
    #[error("band {band} is priced {price}, below {previous} of the band before")]
    Falling {
        /// Place of the band, from 0.
        band: usize,
        /// Its price, ticks.
        price: i64,
        /// Price of the band before, ticks.
        previous: i64,
    },
}

/// What an offer delivers at a price, units.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dispatch {
    /// Per band, the bands at the price in full.
    pub bands: Vec<u64>,
    /// Bands priced below, capped: the least that a uniform price may leave the unit.
    pub least: u128,
    /// Bands priced at or below, capped: the most, and the sum of `bands`.
    pub most: u128,
}

impl BandOffer {
    /// An offer of these bands.
    ///
    /// # Errors
    /// [`OfferError::Falling`] when prices do not rise (equal ones are fine).
    pub fn new(bands: Vec<Band>) -> Result<Self, OfferError> {
        for (index, pair) in bands.windows(2).enumerate() {
            if pair[1].price < pair[0].price {
                let (price, previous) = (pair[1].price, pair[0].price);
                return Err(OfferError::Falling {
                    band: index + 1,
                    price,
                    previous,
                });
            }
        }
        Ok(Self { bands })
    }

    /// The bands in order of price.
    #[must_use]
    pub fn bands(&self) -> &[Band] {
        &self.bands
    }

    /// Bands priced at or below `price` (ticks), in band order, capped by `availability` (units) as a whole.
    #[must_use]
    pub fn dispatch(&self, price: i64, availability: u64) -> Dispatch {
        let mut rest = availability;
        let mut least = 0_u128;
        let mut amounts = Vec::with_capacity(self.bands.len());
        for band in &self.bands {
            let amount = if band.price <= price {
                band.quantity.min(rest)
            } else {
                0
            };
            rest -= amount;
            amounts.push(amount);
            if band.price < price {
                least += u128::from(amount);
            }
        }
        let most = amounts.iter().map(|&amount| u128::from(amount)).sum();
        Dispatch {
            bands: amounts,
            least,
            most,
        }
    }

    /// The offer as sell steps for a two-sided book, capped by `availability` (units) from the dearest band down.
    pub fn steps(&self, availability: u64) -> impl Iterator<Item = Step> {
        let mut rest = availability;
        self.bands.iter().map(move |band| {
            let quantity = band.quantity.min(rest);
            rest -= quantity;
            Step {
                side: Side::Sell,
                price: band.price,
                quantity,
            }
        })
    }
}
