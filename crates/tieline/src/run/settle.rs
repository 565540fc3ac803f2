//! Step 11: delivery on the actual profile, meters, settlement, and the same interval without a market.

use tieline_contract::settlement::{IntervalSettlement, Order, settle_interval};
use tieline_market::position::{Delivery, Sample};
use tieline_units::Energy;

use super::conclude::{Concluded, Conclusion};
use super::stage::{Slot, Stage};

/// What step 11 hands over.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The round, its orders and how they were concluded.
    pub concluded: Concluded,
    /// Indices of the confirmed orders; `settlement.orders` is in this order.
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
        let confirmed: Vec<usize> = (0..concluded.conclusions.len())
            .filter(|&index| concluded.conclusions[index] == Conclusion::Confirmed)
            .collect();
        let orders: Vec<Order> = confirmed
            .iter()
            .map(|&index| concluded.ordered.orders[index].order)
            .collect();
        let deliveries = deliver(slot, &orders);
        let settlement = settle_interval(&nets(&deliveries), &orders, slot.grid)?;
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

/// What every member does on the actual profile under these orders.
fn deliver(slot: &Slot<'_>, orders: &[Order]) -> Vec<Delivery> {
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
