//! Step 11: delivery on the actual profile, meters, settlement, and the same interval without a market.

use anyhow::ensure;
use tieline_contract::settlement::{
    IntervalSettlement, Metering, Order, Settlement, book_interval, settle_interval,
};
use tieline_market::position::{Delivery, Sample};
use tieline_units::Energy;

use super::conclude::{Concluded, Metered, Outcome};
use super::stage::{Slot, Stage};

/// What step 11 hands over.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The round, its orders and how they were concluded.
    pub concluded: Concluded,
    /// Indices of the orders that bound both sides until delivery; `settlement.orders` is in this order.
    pub confirmed: Vec<usize>,
    /// What every member generated and consumed.
    pub deliveries: Vec<Delivery>,
    /// What everything came to.
    pub settlement: IntervalSettlement,
    /// What every member would have generated and consumed alone with the grid.
    pub deliveries_alone: Vec<Delivery>,
    /// What that would have come to.
    pub alone: IntervalSettlement,
}

/// Step 11.
#[derive(Clone, Debug)]
pub struct Settling;

impl Stage for Settling {
    type Input = Concluded;
    type Output = Settled;

    fn run(&self, slot: &Slot<'_>, concluded: Concluded) -> anyhow::Result<Settled> {
        let mut concluded = concluded;
        let confirmed: Vec<usize> = (0..concluded.conclusions.len())
            .filter(|&index| concluded.conclusions[index].outcome.binds())
            .collect();
        let orders: Vec<Order> = confirmed
            .iter()
            .map(|&index| concluded.ordered.orders[index].order)
            .collect();
        let (deliveries, settlement) = match &concluded.metered {
            None => {
                let deliveries = deliver(slot, &orders);
                let settlement = settle_interval(&nets(&deliveries), &orders, slot.grid)?;
                (deliveries, settlement)
            }
            Some(metered) => {
                let dispatched = dispatched(&concluded, metered);
                let settlement = book(slot, &orders, metered)?;
                (deliver(slot, &dispatched), settlement)
            }
        };
        if concluded.metered.is_none() {
            for (&index, settled) in confirmed.iter().zip(&settlement.orders) {
                if settled.short > Energy::ZERO {
                    concluded.conclusions[index].outcome = Outcome::PartlyDelivered;
                }
            }
        }
        let deliveries_alone = deliver(slot, &[]);
        let alone = settle_interval(&nets(&deliveries_alone), &[], slot.grid)?;
        Ok(Settled {
            concluded,
            confirmed,
            deliveries,
            settlement,
            deliveries_alone,
            alone,
        })
    }
}

/// The orders whose sellers were to deliver.
fn dispatched(concluded: &Concluded, metered: &Metered) -> Vec<Order> {
    let orders = concluded.ordered.orders.iter();
    let with = orders.zip(&metered.dispatched);
    with.filter(|(_, dispatched)| **dispatched)
        .map(|(placed, _)| placed.order)
        .collect()
}

/// The bills that follow from Z's settlements and the meters. A member without a reading is billed for its orders alone: what
/// else flowed shows in the registers of its next reading, and is between it and the grid.
fn book(
    slot: &Slot<'_>,
    orders: &[Order],
    metered: &Metered,
) -> anyhow::Result<IntervalSettlement> {
    let found = metered.settlements.len();
    ensure!(
        found == orders.len(),
        "{found} settlements of {} orders",
        orders.len()
    );
    let settled = orders
        .iter()
        .copied()
        .zip(metered.settlements.iter().copied());
    let settled: Vec<(Order, Settlement)> = settled.collect();
    let mut traded = vec![Energy::ZERO; metered.nets.len()];
    for (order, settlement) in &settled {
        if order.terms.metering == Metering::TieLines {
            traded[order.seller] += settlement.settled;
            traded[order.buyer] -= settlement.settled;
        }
    }
    let nets = metered.nets.iter().zip(traded);
    let nets: Vec<Energy> = nets.map(|(net, traded)| net.unwrap_or(traded)).collect();
    Ok(book_interval(&nets, &settled, slot.grid)?)
}

/// What every member does on the actual profile under these orders.
pub fn deliver(slot: &Slot<'_>, orders: &[Order]) -> Vec<Delivery> {
    let scenario = slot.scenario;
    let mut sold = vec![Energy::ZERO; scenario.microgrids.len()];
    for order in orders {
        sold[order.seller] += order.terms.quantity;
    }
    scenario
        .microgrids
        .iter()
        .enumerate()
        .map(|(member, microgrid)| {
            let sample: Sample = scenario.actual.at(slot.index, member);
            Delivery::of(
                &sample,
                microgrid.dispatchable,
                sold[member],
                slot.interval.length,
            )
        })
        .collect()
}

fn nets(deliveries: &[Delivery]) -> Vec<Energy> {
    deliveries.iter().map(Delivery::net).collect()
}
