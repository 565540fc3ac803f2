//! A gate closes: money is there, rounds are played, orders are born and requested (T12, T13, T17, T1, T0).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use anyhow::Context as _;
use tieline_contract::settlement::Metering;
use tieline_contract::state::{Account, Tariff};
use tieline_contract::terms::{CODE_VERSION, OrderId, Terms, Unconditional, VERSION};
use tieline_contract::transaction::Transaction;
use tieline_market::position::Position;
use tieline_units::{Digest, Encoder, Money, Time};

use super::agenda::Due;
use super::founding::{AGGREGATOR, id};
use super::interval::Open;
use super::outcome::Life;
use super::records::Record;
use super::trade::{Batch, BatchKey, Trade};
use super::world::{Credit, World};
use crate::run::conclude::{Conclusion, Outcome};
use crate::run::order::{Placed, gate};
use crate::run::seals::{Ask, Kind, Seal, SealError};
use crate::run::slot;
use crate::run::stage::Stage as _;

/// How long after D, G and T_m + grace somebody says that they have passed, milliseconds.
const AFTER_MS: u64 = 1_000;

/// An order of this gate that is about to be requested.
struct Wanted {
    slot: usize,
    index: usize,
    terms: Arc<Terms>,
    nonce: u64,
}

impl World<'_> {
    /// Tops accounts up to what a member may need for so many days of this length (`contract.deposit_days`).
    pub(super) fn fund(&mut self, intervals: RangeInclusive<usize>) {
        for member in 0..self.desks.len() {
            let need = self.need(member, intervals.clone());
            let place = &self.places[self.founding.homes[member]];
            let who = self.desks[member].member.id.clone();
            let found = place
                .ledger
                .state()
                .balance(&Account::Clearing(who.clone()));
            if found >= need || need == Money::ZERO {
                continue;
            }
            let days = i64::from(self.scenario.config.contract.deposit_days.max(1));
            let wanted = Money::from_millionths(need.as_millionths().saturating_mul(days));
            self.credits.push_back(Credit {
                member: who,
                amount: wanted - found,
                is_stake: false,
            });
        }
    }

    /// Its deficit at the grid's price, the bond on its surplus at that price, and a fee for every possible request.
    fn need(&self, member: usize, intervals: RangeInclusive<usize>) -> Money {
        let contract = &self.scenario.config.contract;
        let requests = self.desks.len() as i64 * i64::from(self.scenario.config.market.levels);
        let mut need = Money::ZERO;
        for index in intervals {
            let slot = slot(self.scenario, index);
            let Ok(positions) = self.positions.run(&slot, ()) else {
                continue;
            };
            let length = slot.interval.length;
            need += match positions[member] {
                Position::Buyer(deficit) => {
                    let fees = contract
                        .request_fee
                        .as_millionths()
                        .saturating_mul(requests);
                    // Escrows are rounded up, one by one.
                    let rounding = Money::from_millionths(requests + fees);
                    slot.grid
                        .import
                        .cost_of(deficit.over(length))
                        .max(Money::ZERO)
                        + rounding
                }
                Position::Seller(surplus) => {
                    let value = slot.grid.import.cost_of(surplus.over(length));
                    let bond = i128::from(value.as_millionths().max(0))
                        * i128::from(contract.bond_share_ppm)
                        / 1_000_000;
                    Money::from_millionths(i64::try_from(bond).unwrap_or(i64::MAX))
                }
                Position::Balanced => Money::ZERO,
            };
        }
        need
    }

    /// Plays the rounds of these intervals, anchors them, and requests their orders.
    pub(super) fn gate(&mut self, intervals: RangeInclusive<usize>) -> anyhow::Result<()> {
        let mut wanted: BTreeMap<BatchKey, Vec<Wanted>> = BTreeMap::new();
        let mut rounds: BTreeMap<usize, (Digest, BTreeSet<OrderId>)> = BTreeMap::new();
        for index in intervals.clone() {
            let slot = slot(self.scenario, index);
            let mut ordered = self.positions.order(&slot)?;
            for placed in &mut ordered.orders {
                placed.order.terms.metering = self.metering(placed);
            }
            let played = ordered.matched.round.played.as_ref();
            let hash = played.map(|played| played.certificate.digest.clone());
            let hash = hash.map(|text| Digest::parse(&text).context("the digest of a certificate"));
            let hash = hash.transpose()?;
            if let Some(hash) = hash {
                rounds.insert(index, (hash, BTreeSet::new()));
            }
            for (at, placed) in ordered.orders.iter().enumerate() {
                let hash = hash.context("orders come from a round")?;
                let (key, wanting) = self.wanted(index, at, placed, hash);
                let order = wanting.terms.order(wanting.nonce);
                rounds.entry(index).and_modify(|round| {
                    round.1.insert(order);
                });
                wanted.entry(key).or_default().push(wanting);
            }
            self.open.insert(
                index,
                Open::new(slot.interval.start, ordered, self.desks.len()),
            );
            self.plan_interval(index);
        }
        self.anchor(intervals, rounds);
        for (key, orders) in wanted {
            self.request(key, orders)?;
        }
        Ok(())
    }

    fn metering(&self, placed: &Placed) -> Metering {
        let config = &self.scenario.config;
        let name = |member: usize| &self.scenario.microgrids[member].id;
        if config.own_line(name(placed.order.seller), name(placed.order.buyer)) {
            Metering::OwnLine {
                loss_ppm: config.contract.max_loss_ppm,
                tolerance_ppm: config.contract.meter_tolerance_ppm,
            }
        } else {
            Metering::TieLines
        }
    }

    fn plan_interval(&mut self, index: usize) {
        let gates = &self.scenario.config.gates;
        let Some(placed) = self.open[&index].ordered.orders.first() else {
            return;
        };
        let end = self.scenario.intervals[index].end();
        let overdue = end.plus_millis(gates.metering_after_ms + gates.grace_ms);
        let (deadline, closure) = (placed.deadline, placed.gate_closure);
        let after = |time: Time| time.plus_millis(AFTER_MS);
        self.agenda.add(after(deadline), Due::Deadline(index));
        self.agenda.add(after(closure), Due::Closure(index));
        self.agenda.add(after(overdue), Due::Overdue(index));
    }

    /// T13 and T17.
    fn anchor(
        &mut self,
        intervals: RangeInclusive<usize>,
        mut rounds: BTreeMap<usize, (Digest, BTreeSet<OrderId>)>,
    ) {
        for index in intervals {
            let prices = slot(self.scenario, index).grid;
            let tariff = Tariff {
                import: prices.import,
                export: prices.export,
            };
            let start = self.scenario.intervals[index].start;
            let told = self.operator.tariff(start, tariff);
            self.places[0].give(told);
            if let Some((hash, orders)) = rounds.remove(&index) {
                let round = self.operator.round(hash, orders);
                self.places[0].give(round);
            }
        }
    }

    fn wanted(
        &mut self,
        index: usize,
        at: usize,
        placed: &Placed,
        round: Digest,
    ) -> (BatchKey, Wanted) {
        let (buyer, seller) = (placed.order.buyer, placed.order.seller);
        let slot = slot(self.scenario, index);
        let terms = self.terms(placed, (index, round));
        let nonce = self.desks[buyer].next_nonce();
        let key = BatchKey {
            gateway: buyer,
            counterpart: self.founding.homes[seller],
            gate: gate(&slot),
            kind: Kind::Requests,
        };
        let wanted = Wanted {
            slot: index,
            index: at,
            terms: Arc::new(terms),
            nonce,
        };
        (key, wanted)
    }

    fn terms(&self, placed: &Placed, (index, round_hash): (usize, Digest)) -> Terms {
        let gates = &self.scenario.config.gates;
        let interval = self.scenario.intervals[index];
        let order = &placed.order;
        let home = |member: usize| &self.places[self.founding.homes[member]];
        let (x, y) = (home(order.buyer), home(order.seller));
        let name = |member: usize| self.desks[member].member.id.clone();
        let mut terms = Terms {
            version: VERSION,
            chain_x: x.chain.clone(),
            chain_y: y.chain.clone(),
            genesis_x: x.genesis.hash(),
            genesis_y: y.genesis.hash(),
            buyer: name(order.buyer),
            seller: name(order.seller),
            aggregator: id(AGGREGATOR),
            round_hash,
            start: interval.start,
            length: interval.length,
            quantity: order.terms.quantity,
            currency: order.currency,
            price: order.terms.price,
            seller_price: order.terms.seller_price,
            metering: order.terms.metering,
            penalty_short_ppm: order.terms.penalty_short_ppm,
            imbalance: order.terms.imbalance,
            escrow: Money::ZERO,
            bond: order.terms.bond,
            deadline: placed.deadline,
            gate_closure: placed.gate_closure,
            metering_deadline: interval.end().plus_millis(gates.metering_after_ms),
            delta_t: gates.delta_t_ms,
            code_version: CODE_VERSION.to_owned(),
            rendering_hash: Digest::of(&[]),
        };
        terms.escrow = terms.value();
        terms.rendering_hash = terms.rendering_digest();
        terms
    }

    /// One unconditional signature on all requests of a gateway to a chain, then T1 of each, or T0.
    fn request(&mut self, key: BatchKey, orders: Vec<Wanted>) -> anyhow::Result<()> {
        let messages = orders.iter();
        let messages = messages.map(|it| (it.terms.order(it.nonce), it.terms.hash()));
        let seal = match self.seal(key, &messages.collect())? {
            Ok(seal) => seal,
            Err(why) => {
                for wanted in orders {
                    self.drop_order(&wanted, &why);
                }
                return Ok(());
            }
        };
        let home = self.founding.homes[key.gateway];
        let local = home == key.counterpart;
        let mut requested = Vec::new();
        for (at, wanted) in orders.into_iter().enumerate() {
            let unconditional = carried(&seal, at);
            let desk = &self.desks[key.gateway];
            let request = desk.request(wanted.terms, wanted.nonce, unconditional);
            let request = Arc::new(request);
            let order = request.order();
            self.book.requested(order, &request.terms, seal.hash);
            let open = self
                .open
                .get_mut(&wanted.slot)
                .context("an open interval")?;
            open.ids[wanted.index] = Some(order);
            let placed = &open.ordered.orders[wanted.index].order;
            let mut trade = Trade {
                slot: wanted.slot,
                index: wanted.index,
                buyer: placed.buyer,
                seller: placed.seller,
                x: home,
                y: key.counterpart,
                answered: false,
                returned: false,
                note: None,
                times: Vec::new(),
                keys: None,
                seals: Default::default(),
                request: request.clone(),
            };
            trade.seals.request = Some(seal.hash);
            self.expect(&trade, order, key.gate);
            if !local {
                self.places[home].give(Transaction::Request(request));
            }
            requested.push(order);
            self.trades.insert(order, trade);
        }
        if local {
            // Both gateways speak at once: the seller's answer is what brings the order onto the chain.
            for order in requested {
                self.ready(order, Kind::Responses);
            }
        }
        Ok(())
    }

    /// The other two batches that an order's messages will be in.
    fn expect(&mut self, trade: &Trade, order: OrderId, gate: Time) {
        let response = BatchKey {
            gateway: trade.seller,
            counterpart: trade.x,
            gate,
            kind: Kind::Responses,
        };
        let key_return = BatchKey {
            gateway: trade.buyer,
            counterpart: trade.y,
            gate,
            kind: Kind::KeyReturns,
        };
        for key in [response, key_return] {
            let batch: &mut Batch = self.batches.entry(key).or_default();
            batch.expected.insert(order);
        }
    }

    /// Signs a batch of messages unconditionally; or says why that is not possible.
    ///
    /// `messages`: of each order, the digest of what is said about it.
    pub(super) fn seal(
        &mut self,
        key: BatchKey,
        messages: &BTreeMap<OrderId, Digest>,
    ) -> anyhow::Result<Result<Seal, String>> {
        let body = batch_body(key.kind, messages);
        let gateway = self.desks[key.gateway].member.id.clone();
        let cheat = self.scenario.config.trouble.cheats(&gateway);
        let ask = Ask {
            gateway: &gateway,
            home: &self.places[self.founding.homes[key.gateway]].chain,
            counterpart: &self.places[key.counterpart].chain,
            gate: key.gate,
            kind: key.kind,
            messages: messages.len(),
            body: &body,
            cheat,
        };
        match self.seals.sign(&mut self.keys, self.now, ask) {
            Ok(seal) => Ok(Ok(seal)),
            Err(SealError::Short(short)) => Ok(Err(format!("short of keys: {short}"))),
            Err(error) => Err(error).context("an unconditional signature"),
        }
    }

    /// An order that gets onto no chain.
    fn drop_order(&mut self, wanted: &Wanted, why: &str) {
        let conclusion = Conclusion {
            outcome: Outcome::Refused,
            why: Some(why.to_owned()),
        };
        let life = Life::default();
        let Some(open) = self.open.get_mut(&wanted.slot) else {
            return;
        };
        let placed = &open.ordered.orders[wanted.index];
        let record = Record::of(self.scenario, placed, (&conclusion, &life), None);
        self.records.insert((wanted.slot, wanted.index), record);
        open.ends[wanted.index] = Some((conclusion, life));
    }
}

/// The first message of a batch brings the signature, the others name it.
pub(super) fn carried(seal: &Seal, at: usize) -> Unconditional {
    if at == 0 {
        let bytes = seal.bytes.clone();
        Unconditional::Carried { bytes }
    } else {
        Unconditional::Named { hash: seal.hash }
    }
}

/// What is signed of a batch: its kind, and of every order the digest of the terms, of the response, or of the key.
fn batch_body(kind: Kind, messages: &BTreeMap<OrderId, Digest>) -> Vec<u8> {
    let mut encoder = Encoder::new("tieline.batch/1");
    encoder.text(kind.as_str());
    encoder.length(messages.len());
    for (order, digest) in messages {
        encoder.raw(order.0.as_bytes());
        encoder.raw(digest.as_bytes());
    }
    encoder.into_bytes()
}
