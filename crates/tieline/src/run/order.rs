//! Step 6: integer awards become orders with an id, gates and a bond.

use tieline_contract::settlement::{Metering, Order, OrderTerms};
use tieline_market::award::{Award, award};
use tieline_market::position::Position;
use tieline_units::{LocalDay, Money, Power, Time};

use super::matching::Matched;
use super::stage::{Slot, Stage};
use crate::config::Mode;

/// An order as it goes to the two ledgers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// `20160525T1000Z.mg-2.1.mg-3`: interval, seller, price level, buyer.
    pub id: String,
    /// Price level of the seller's block, 1 = lowest.
    pub level: usize,
    /// What settlement reads.
    pub order: Order,
    /// D: request and acceptance are on the ledgers by then.
    pub deadline: Time,
    /// G: nothing can be confirmed after that.
    pub gate_closure: Time,
}

/// What step 6 hands over.
#[derive(Clone, Debug)]
pub struct Ordered {
    /// The round and its flows.
    pub matched: Matched,
    /// The orders, in the order of blocks and buyers.
    pub orders: Vec<Placed>,
}

/// Step 6.
#[derive(Clone, Debug)]
pub struct Ordering;

impl Stage for Ordering {
    type Input = Matched;
    type Output = Ordered;

    fn run(&self, slot: &Slot<'_>, matched: Matched) -> anyhow::Result<Ordered> {
        let limits: Vec<Power> = matched.round.positions.iter().map(magnitude).collect();
        let awards = award(&matched.flows, &limits, slot.interval.length);
        let orders = awards.iter().map(|award| place(slot, award)).collect();
        Ok(Ordered { matched, orders })
    }
}

fn magnitude(position: &Position) -> Power {
    match position {
        Position::Seller(power) | Position::Buyer(power) => *power,
        Position::Balanced => Power::ZERO,
    }
}

fn place(slot: &Slot<'_>, award: &Award) -> Placed {
    let config = &slot.scenario.config;
    let id = |member: usize| &slot.scenario.microgrids[member].id;
    let stamp: String = slot
        .interval
        .start
        .to_string()
        .chars()
        .take(16)
        .filter(|c| !"-:".contains(*c))
        .collect();
    let value = award
        .seller_price
        .cost_of(award.quantity)
        .as_millionths()
        .max(0);
    let bond = i128::from(value) * i128::from(config.contract.bond_share_ppm) / 1_000_000;
    let (deadline, gate_closure) = gates(slot);
    Placed {
        id: format!(
            "{stamp}Z.{}.{}.{}",
            id(award.seller),
            award.level,
            id(award.buyer)
        ),
        level: award.level,
        order: Order {
            seller: award.seller,
            buyer: award.buyer,
            terms: OrderTerms {
                quantity: award.quantity,
                price: award.price,
                seller_price: award.seller_price,
                bond: Money::from_millionths(i64::try_from(bond).unwrap_or(i64::MAX)),
                imbalance: slot.grid.import,
                penalty_short_ppm: config.contract.penalty_short_ppm,
                metering: Metering::TieLines,
            },
            currency: slot.grid.currency,
        },
        deadline,
        gate_closure,
    }
}

/// When the market for an interval closes and its orders are born: decision 5 of the architecture.
pub fn gate(slot: &Slot<'_>) -> Time {
    let gates = &slot.scenario.config.gates;
    let start = slot.interval.start;
    match slot.scenario.config.mode {
        Mode::DayAhead => {
            let zone = &slot.scenario.zone;
            let day: LocalDay = zone.day_of(start);
            zone.at_wall_minutes(day.previous(), gates.day_ahead_minutes)
        }
        Mode::Intraday => start.minus_millis(gates.intraday_ms),
    }
}

/// D and G of the orders of an interval: decision 5 of the architecture.
fn gates(slot: &Slot<'_>) -> (Time, Time) {
    let gates = &slot.scenario.config.gates;
    let closure = slot
        .interval
        .start
        .minus_millis(gates.closure_before_delivery_ms);
    let deadline = gate(slot).plus_millis(gates.accept_within_ms);
    match slot.scenario.config.mode {
        Mode::DayAhead => (deadline, closure),
        Mode::Intraday => {
            let last = closure.minus_millis(gates.delta_t_ms);
            (deadline.min(last), closure)
        }
    }
}
