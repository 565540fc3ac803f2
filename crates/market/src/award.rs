//! From matched flows to integer awards: the one place where the market's floats become energy and prices.
//!
//! Flows in kW become millijoules by largest remainder, so that the awards of a round add up to the matched energy and
//! nobody is awarded more than it offered or sought. Prices become millionths per kWh, half to even; the seller's never
//! ends above the buyer's.
//!
//! Source: market.md section 11; Hu et al. 2022, §4.3.

use tieline_units::{Energy, IntervalLength, Power, Price};

/// Energy that the aggregator sends from an offered block to a buyer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    /// Index of the selling member.
    pub seller: usize,
    /// Price level of the block, 1 = lowest.
    pub level: usize,
    /// Index of the buying member.
    pub buyer: usize,
    /// Mean power, kW.
    pub kw: f64,
    /// What the seller is paid, currency per kWh.
    pub seller_price: f64,
    /// What the buyer pays, currency per kWh.
    pub price: f64,
}

/// An award: one order of the energy contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Award {
    /// Index of the selling member.
    pub seller: usize,
    /// Price level of the block, 1 = lowest.
    pub level: usize,
    /// Index of the buying member.
    pub buyer: usize,
    /// Ordered energy.
    pub quantity: Energy,
    /// What the seller is paid.
    pub seller_price: Price,
    /// What the buyer pays.
    pub price: Price,
}

/// Makes awards of the flows of one round.
///
/// `limits`: per member, the magnitude of its position; no member's awards add up to more than that over `length`.
/// Awards of no energy are left out; the order of the flows is kept.
pub fn award(flows: &[Flow], limits: &[Power], length: IntervalLength) -> Vec<Award> {
    let mut left = Remaining {
        sell: limits
            .iter()
            .map(|limit| limit.over(length).as_millijoules())
            .collect(),
        buy: limits
            .iter()
            .map(|limit| limit.over(length).as_millijoules())
            .collect(),
    };
    let exact: Vec<f64> = flows
        .iter()
        .map(|flow| millijoules(flow.kw, length))
        .collect();
    let total = exact.iter().sum::<f64>().round_ties_even() as i64;
    let mut parts: Vec<i64> = flows
        .iter()
        .zip(&exact)
        .map(|(flow, exact)| left.take(flow, exact.floor() as i64))
        .collect();
    let mut missing = total - parts.iter().sum::<i64>();
    let mut order: Vec<usize> = (0..flows.len()).collect();
    let remainder = |index: usize| exact[index] - exact[index].floor();
    order.sort_by(|&a, &b| remainder(b).total_cmp(&remainder(a)).then(a.cmp(&b)));
    let mut moved = true;
    while missing > 0 && moved {
        moved = false;
        for &index in &order {
            let unit = left.take(&flows[index], missing.min(1));
            parts[index] += unit;
            missing -= unit;
            moved |= unit > 0;
        }
    }
    flows
        .iter()
        .zip(parts)
        .filter(|(_, part)| *part > 0)
        .map(|(flow, part)| to_award(flow, part))
        .collect()
}

/// What each member can still be awarded, mJ.
struct Remaining {
    sell: Vec<i64>,
    buy: Vec<i64>,
}

impl Remaining {
    fn take(&mut self, flow: &Flow, wanted: i64) -> i64 {
        let part = wanted
            .max(0)
            .min(self.sell[flow.seller])
            .min(self.buy[flow.buyer]);
        self.sell[flow.seller] -= part;
        self.buy[flow.buyer] -= part;
        part
    }
}

fn to_award(flow: &Flow, part: i64) -> Award {
    let price = price(flow.price);
    Award {
        seller: flow.seller,
        level: flow.level,
        buyer: flow.buyer,
        quantity: Energy::from_millijoules(part),
        seller_price: self::price(flow.seller_price).min(price),
        price,
    }
}

fn millijoules(kw: f64, length: IntervalLength) -> f64 {
    kw.max(0.0) * 1e6 * length.seconds() as f64
}

/// A price in currency per kWh as millionths, half to even.
pub fn price(per_kwh: f64) -> Price {
    Price::from_millionths((per_kwh * 1e6).round_ties_even() as i64)
}

/// Power as kW for the game.
pub fn kilowatts(power: Power) -> f64 {
    power.as_milliwatts() as f64 / 1e6
}

/// A price as currency per kWh for the game.
pub fn per_kwh(price: Price) -> f64 {
    price.as_millionths() as f64 / 1e6
}
