//! Delivery, readings, and what they show beyond orders (T7, T18); positions between chains (T16).

use std::collections::BTreeMap;

use tieline_contract::settlement::{Metering, Order, largest_remainder};
use tieline_contract::terms::OrderId;
use tieline_contract::trade::{SellerState, VppState};
use tieline_contract::transaction::Transaction;
use tieline_market::position::Delivery;
use tieline_units::{Energy, Money};

use super::agenda::Due;
use super::interval::Booked;
use super::world::World;
use crate::run::settle::deliver;
use crate::run::slot;

/// The meter at a microgrid's tie line, for what is random about it.
const TIE_LINE: &str = "tie line";

impl World<'_> {
    /// Delivery begins: only what is confirmed on the seller's chain is dispatched (S5).
    pub(super) fn dispatch(&mut self, index: usize) {
        let Some(open) = self.open.get(&index) else {
            return;
        };
        let confirmed = |order: &Option<OrderId>| {
            let trade = order.and_then(|order| Some((order, self.trades.get(&order)?)));
            trade.is_some_and(|(order, trade)| {
                let sale = self.places[trade.y].ledger.state().sale(order);
                sale.is_some_and(|sale| sale.state == SellerState::Confirmed)
            })
        };
        let dispatched: Vec<bool> = open.ids.iter().map(confirmed).collect();
        if let Some(open) = self.open.get_mut(&index) {
            open.dispatched = dispatched;
        }
    }

    /// The interval is over: what flowed is read, now or late or never.
    pub(super) fn over(&mut self, index: usize) {
        let interval = self.scenario.intervals[index];
        let flows = self.flows(index);
        for (member, net) in flows.tie_lines.iter().enumerate() {
            let who = &self.scenario.microgrids[member].id;
            let reading = self.meters.reading((who, TIE_LINE), interval.start, *net);
            let Some(open) = self.open.get_mut(&index) else {
                return;
            };
            match reading {
                Some(reading) if reading.delay_ms == 0 => {
                    open.nets[member] = Some(reading.net);
                    self.give_reading(index, member, reading.net);
                }
                Some(reading) => {
                    open.nets[member] = Some(reading.net);
                    open.readings_due += 1;
                    let at = interval.end().plus_millis(reading.delay_ms);
                    self.agenda.add(at, Due::Reading(index, member));
                }
                // The registers went on all the same.
                None => self.desks[member].unread(*net),
            }
        }
        for (order, (seller, delivered), (buyer, taken)) in flows.lines {
            self.read_line(index, (seller, order), delivered);
            self.read_line(index, (buyer, order), -taken);
        }
        if let Some(open) = self.open.get_mut(&index) {
            open.is_read = true;
        }
    }

    /// A reading that is late comes.
    pub(super) fn read(&mut self, index: usize, member: usize) {
        let Some(open) = self.open.get_mut(&index) else {
            return;
        };
        open.readings_due -= 1;
        if let Some(net) = open.nets[member] {
            self.give_reading(index, member, net);
        }
    }

    fn give_reading(&mut self, index: usize, member: usize, net: Energy) {
        let interval = self.scenario.intervals[index];
        let batch = self.desks[member].metered((interval.start, interval.length), None, net);
        self.places[self.founding.homes[member]].give(batch);
    }

    fn read_line(&mut self, index: usize, (member, order): (usize, OrderId), net: Energy) {
        let interval = self.scenario.intervals[index];
        let who = &self.scenario.microgrids[member].id;
        let meter = order.to_string();
        let Some(reading) = self.meters.reading((who, &meter), interval.start, net) else {
            return;
        };
        let of = (interval.start, interval.length);
        let batch = self.desks[member].metered(of, Some(order), reading.net);
        self.places[self.founding.homes[member]].give(batch);
    }

    /// What truly flowed at tie lines, and on lines of pairs' own.
    fn flows(&self, index: usize) -> Flows {
        let slot = slot(self.scenario, index);
        let open = &self.open[&index];
        let orders = open.ordered.orders.iter().zip(&open.ids);
        let dispatched = orders.zip(&open.dispatched).filter(|(_, it)| **it);
        let dispatched: Vec<(Order, OrderId)> = dispatched
            .filter_map(|((placed, id), _)| Some((placed.order, (*id)?)))
            .collect();
        let only: Vec<Order> = dispatched.iter().map(|(order, _)| *order).collect();
        let nets = deliver(&slot, &only);
        let mut tie_lines: Vec<Energy> = nets.iter().map(Delivery::net).collect();
        let mut lines = Vec::new();
        for seller in 0..tie_lines.len() {
            let own = dispatched
                .iter()
                .filter(|(order, _)| order.seller == seller);
            let own: Vec<&(Order, OrderId)> = own.collect();
            let quantities = own.iter().map(|(it, _)| it.terms.quantity.as_millijoules());
            let quantities: Vec<i64> = quantities.collect();
            let sold: i64 = quantities.iter().sum();
            let covered = tie_lines[seller].as_millijoules().clamp(0, sold);
            let shares = largest_remainder(covered, &quantities);
            for ((order, id), share) in own.into_iter().zip(shares) {
                let Metering::OwnLine { loss_ppm, .. } = order.terms.metering else {
                    continue;
                };
                let delivered = Energy::from_millijoules(share);
                let taken = after_loss(delivered, loss_ppm);
                tie_lines[seller] -= delivered;
                tie_lines[order.buyer] += taken;
                lines.push((*id, (seller, delivered), (order.buyer, taken)));
            }
        }
        Flows { tie_lines, lines }
    }

    /// T18 of every interval that is over on Z.
    pub(super) fn book_intervals(&mut self) {
        let ready: Vec<usize> = self
            .open
            .iter()
            .filter(|(_, open)| open.booked != Booked::Done && open.is_metered() && open.is_over())
            .map(|(index, _)| *index)
            .collect();
        for index in ready {
            self.book_interval(index);
        }
    }

    fn book_interval(&mut self, index: usize) {
        let start = self.scenario.intervals[index].start;
        let z = self.places[0].ledger.state();
        let is_final = z.imbalances(start).is_some();
        let Some(open) = self.open.get_mut(&index) else {
            return;
        };
        let settled = |order: &OrderId| {
            let state = z.settling(*order).map(|it| it.state);
            state != Some(VppState::Open)
        };
        let members = self.desks.iter().zip(&open.nets);
        let flows = members.filter_map(|(desk, net)| Some((desk.member.id.clone(), (*net)?)));
        let flows: BTreeMap<_, _> = flows.collect();
        if flows.is_empty() || is_final {
            open.booked = Booked::Done;
        } else if open.booked == Booked::No && open.ids.iter().flatten().all(settled) {
            open.booked = Booked::Given;
            let booked = self.operator.imbalance(start, flows);
            self.places[0].give(booked);
        }
    }

    /// T16 for every pair of chains between which somebody has something.
    pub(super) fn net(&mut self) {
        let state = self.places[0].ledger.state();
        let mut members: Vec<_> = self.desks.iter().map(|desk| &desk.member).collect();
        members.push(&self.founding.aggregator);
        let mut pairs = std::collections::BTreeSet::new();
        for place in &self.places {
            for member in &members {
                if state.position(&place.chain, &member.id) > Money::ZERO {
                    let mut pair = [place.chain.clone(), member.home.clone()];
                    pair.sort();
                    pairs.insert(pair);
                }
            }
        }
        for [one, other] in pairs {
            self.places[0].give(Transaction::Net { one, other });
        }
    }
}

/// What flowed in an interval.
struct Flows {
    /// Of each member, export positive.
    tie_lines: Vec<Energy>,
    /// Orders over lines of their own: what the seller delivered, what the buyer took.
    lines: Vec<OnLine>,
}

/// An order, its seller with what it delivered, its buyer with what it took.
type OnLine = (OrderId, (usize, Energy), (usize, Energy));

/// ⌊energy·10^6/(10^6 + loss)⌋: what arrives of it.
fn after_loss(energy: Energy, loss_ppm: u32) -> Energy {
    let arrives = i128::from(energy.as_millijoules()) * 1_000_000;
    let arrives = arrives / (1_000_000 + i128::from(loss_ppm));
    Energy::from_millijoules(i64::try_from(arrives).expect("less than it was"))
}
