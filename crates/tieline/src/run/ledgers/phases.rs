//! What parties do about an order as soon as their own ledgers' final state allows it (T0, T3' to T6', T8').

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use tieline_contract::terms::OrderId;
use tieline_contract::trade::{BuyerState, SellerState, VppState};
use tieline_contract::transaction::Transaction;
use tieline_units::Digest;

use super::gate::carried;
use super::outcome::Life;
use super::records::Record;
use super::trade::{BatchKey, Trade};
use super::world::World;
use crate::run::conclude::Conclusion;
use crate::run::keys::trade as keys;
use crate::run::order::gate;
use crate::run::seals::Kind;
use crate::run::slot;

impl World<'_> {
    fn life(&self, order: OrderId, trade: &Trade) -> Life {
        let state = |on: usize| self.places[on].ledger.state();
        Life::of(order, (state(trade.x), state(trade.y), state(0)))
    }

    /// What its parties do now about an order whose state may have changed.
    pub(super) fn look(&mut self, order: OrderId) -> anyhow::Result<()> {
        let Some(trade) = self.trades.get(&order) else {
            return Ok(());
        };
        let life = self.life(order, trade);
        let refused = trade.note.is_some() && life == Life::default();
        if refused || life.buyer.is_some() && life.is_over() {
            self.finish(order, life);
            return Ok(());
        }
        if life.seller == Some(SellerState::Offered) && !trade.answered {
            self.answer(order)?;
        } else if life.buyer == Some(BuyerState::Committed) && !trade.returned {
            self.ready(order, Kind::KeyReturns);
        }
        Ok(())
    }

    /// The seller's yes or no, or none.
    fn answer(&mut self, order: OrderId) -> anyhow::Result<()> {
        let trade = self
            .trades
            .get_mut(&order)
            .context("an order that is open")?;
        trade.answered = true;
        let (seller, y) = (trade.seller, trade.y);
        let who = self.desks[seller].member.id.clone();
        let start = trade.request.terms.start;
        let troubles = &self.scenario.config.trouble;
        if troubles.declines(&who, start) {
            trade.note = Some(format!("{who} declined"));
            let decline = self.desks[seller].decline(order);
            self.places[y].give(decline);
            self.unexpect(order);
        } else if troubles.silent(&who, start) {
            trade.note = Some(format!(
                "{who} did not answer until {}",
                trade.request.terms.deadline
            ));
            self.unexpect(order);
        } else {
            self.ready(order, Kind::Responses);
        }
        Ok(())
    }

    fn key_of(&self, trade: &Trade, kind: Kind) -> BatchKey {
        let (gateway, counterpart) = match kind {
            Kind::Responses => (trade.seller, trade.x),
            Kind::Requests | Kind::KeyReturns => (trade.buyer, trade.y),
        };
        BatchKey {
            gateway,
            counterpart,
            gate: gate(&slot(self.scenario, trade.slot)),
            kind,
        }
    }

    /// A message about an order waits to be signed with the others of its batch.
    pub(super) fn ready(&mut self, order: OrderId, kind: Kind) {
        let Some(trade) = self.trades.get(&order) else {
            return;
        };
        let key = self.key_of(trade, kind);
        if let Some(trade) = self.trades.get_mut(&order) {
            match kind {
                Kind::KeyReturns => trade.returned = true,
                Kind::Requests | Kind::Responses => trade.answered = true,
            }
        }
        self.batches.entry(key).or_default().add(order, self.now);
    }

    /// No more messages will come about an order.
    fn unexpect(&mut self, order: OrderId) {
        let Some(trade) = self.trades.get(&order) else {
            return;
        };
        for kind in [Kind::Responses, Kind::KeyReturns] {
            let key = self.key_of(trade, kind);
            if let Some(batch) = self.batches.get_mut(&key) {
                batch.remove(order);
            }
        }
        self.batches.retain(|_, batch| !batch.is_empty());
    }

    /// Signs the batches whose messages are together.
    pub(super) fn sign_batches(&mut self) -> anyhow::Result<()> {
        let now = self.now;
        let batches = self.batches.iter_mut();
        let due = batches.filter_map(|(key, batch)| Some((*key, batch.take(now)?)));
        let due: Vec<(BatchKey, BTreeSet<OrderId>)> = due.collect();
        for (key, orders) in due {
            match key.kind {
                Kind::Responses => self.respond(key, &orders)?,
                Kind::KeyReturns => self.return_keys(key, &orders)?,
                Kind::Requests => {}
            }
        }
        self.batches.retain(|_, batch| !batch.is_empty());
        Ok(())
    }

    /// T4 of each order of a batch, or T0.
    fn respond(&mut self, key: BatchKey, orders: &BTreeSet<OrderId>) -> anyhow::Result<()> {
        let mut responses: BTreeMap<OrderId, Digest> = BTreeMap::new();
        for order in orders {
            match self.answer_keys(*order)? {
                Ok(commitment) => {
                    responses.insert(*order, commitment);
                }
                Err(why) => self.fail(*order, &why),
            }
        }
        if responses.is_empty() {
            return Ok(());
        }
        let seal = match self.seal(key, &responses)? {
            Ok(seal) => seal,
            Err(why) => {
                for order in responses.keys() {
                    self.fail(*order, &why);
                }
                return Ok(());
            }
        };
        for (at, order) in responses.into_keys().enumerate() {
            self.book.answered(order, seal.hash);
            let trade = self
                .trades
                .get_mut(&order)
                .context("an order that is open")?;
            trade.seals.response = Some(seal.hash);
            let keys = trade.keys.as_ref().context("an answer has keys")?;
            let desk = &self.desks[trade.seller];
            let accept = desk.accept(order, keys, carried(&seal, at));
            let given = if trade.x == trade.y {
                Transaction::Local {
                    request: trade.request.clone(),
                    answer: accept,
                }
            } else {
                Transaction::Signed(accept)
            };
            let y = trade.y;
            self.places[y].give(given);
        }
        Ok(())
    }

    /// Draws the keys of a trade; the commitment to the response, or why there is none.
    fn answer_keys(&mut self, order: OrderId) -> anyhow::Result<Result<Digest, String>> {
        let trade = self
            .trades
            .get_mut(&order)
            .context("an order that is open")?;
        let response = trade.request.terms.hash();
        let deal = keys::Trade {
            order,
            buyer: &self.desks[trade.buyer].member.id,
            seller: &self.desks[trade.seller].member.id,
            response: response.as_bytes(),
        };
        match self.keys.trade(self.now, deal) {
            Ok(keys) => {
                let commitment = keys.commitment;
                trade.keys = Some(keys);
                Ok(Ok(commitment))
            }
            Err(keys::TradeError::Short(short)) => Ok(Err(format!("short of keys: {short}"))),
            Err(error) => Err(error).context("the keys of a trade"),
        }
    }

    /// T5k of each order of a batch. Without keys for its signature an order goes on: the return is no condition of anything.
    fn return_keys(&mut self, key: BatchKey, orders: &BTreeSet<OrderId>) -> anyhow::Result<()> {
        let hash = |order: &OrderId| {
            let trade = self.trades.get(order)?;
            Some((*order, trade.keys.as_ref()?.key_hash))
        };
        let messages: BTreeMap<OrderId, Digest> = orders.iter().filter_map(hash).collect();
        if messages.is_empty() {
            return Ok(());
        }
        let Ok(seal) = self.seal(key, &messages)? else {
            return Ok(());
        };
        for (at, order) in messages.into_keys().enumerate() {
            let trade = self
                .trades
                .get_mut(&order)
                .context("an order that is open")?;
            trade.seals.key_return = Some(seal.hash);
            let keys = trade.keys.take().context("a key to return")?;
            let returned = keys.key_return(carried(&seal, at));
            let given = self.desks[trade.buyer].key_return(order, returned);
            let x = trade.x;
            self.places[x].give(given);
        }
        Ok(())
    }

    /// An order that its seller cannot answer; where it is local it gets onto no chain.
    fn fail(&mut self, order: OrderId, why: &str) {
        self.unexpect(order);
        if let Some(trade) = self.trades.get_mut(&order) {
            trade.note = Some(why.to_owned());
            self.touched.insert(order);
        }
    }

    fn of_slot(&self, slot: usize) -> Vec<OrderId> {
        let open = self.open.get(&slot);
        let ids = open.map(|open| open.ids.iter().flatten().copied().collect::<Vec<_>>());
        let mut ids = ids.unwrap_or_default();
        ids.retain(|order| self.trades.contains_key(order));
        ids
    }

    /// D has passed: who waits, waits no longer (T5', T3').
    pub(super) fn deadline(&mut self, slot: usize) {
        for order in self.of_slot(slot) {
            let trade = &self.trades[&order];
            let life = self.life(order, trade);
            let (x, y) = (trade.x, trade.y);
            if life.buyer.is_none() && x != y {
                // What has not got onto the chain by now must not any more.
                let note = format!("{} did not take the request in time", self.places[x].chain);
                self.fail(order, &note);
                continue;
            }
            let request = trade.request.clone();
            if life.buyer == Some(BuyerState::Locked) {
                self.places[x].give(Transaction::Timeout(order));
            }
            if life.seller == Some(SellerState::Offered) {
                self.places[y].give(Transaction::TimeoutRequest(request));
            }
        }
    }

    /// G has passed: what is not confirmed never will be (T6').
    pub(super) fn closure(&mut self, slot: usize) {
        for order in self.of_slot(slot) {
            let trade = &self.trades[&order];
            let life = self.life(order, trade);
            if life.seller == Some(SellerState::Accepted) {
                let y = trade.y;
                self.places[y].give(Transaction::Void(order));
            }
        }
    }

    /// T_m and the grace have passed: Z settles on what it has (T8').
    pub(super) fn overdue(&mut self, slot: usize) {
        for order in self.of_slot(slot) {
            let life = self.life(order, &self.trades[&order]);
            if life.vpp == Some(VppState::Open) {
                self.places[0].give(Transaction::Default(order));
            }
        }
    }

    /// An order that has come to its end.
    fn finish(&mut self, order: OrderId, life: Life) {
        self.unexpect(order);
        let Some(trade) = self.trades.remove(&order) else {
            return;
        };
        self.book.forget(order);
        let seller = &self.desks[trade.seller].member.id;
        let outcome = life.outcome(trade.request.terms.quantity);
        let conclusion = Conclusion {
            outcome,
            why: trade.why(&life, outcome, seller),
        };
        let Some(open) = self.open.get_mut(&trade.slot) else {
            return;
        };
        let placed = &open.ordered.orders[trade.index];
        let record = Record::of(self.scenario, placed, (&conclusion, &life), Some(&trade));
        self.records.insert((trade.slot, trade.index), record);
        open.ends[trade.index] = Some((conclusion, life));
    }

    /// Orders that are still open when the run ends.
    pub(super) fn close_all(&mut self) {
        let open: Vec<OrderId> = self.trades.keys().copied().collect();
        for order in open {
            let life = self.life(order, &self.trades[&order]);
            self.finish(order, life);
        }
    }
}
