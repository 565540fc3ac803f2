//! The clock of a run through ledgers: what is due, what follows from it, and chains that go on in step.
//!
//! ```text
//! agenda: fund, gate, D, delivery, G, readings, T_m + grace, netting       what is due at which time
//!    |
//!    v
//! due -> parties act on their own ledgers' final state -> transactions -> lanes (engine) -> final blocks -> ledgers
//!            ^                                                                                   |
//!            '------------------------- relayer: attested entries become certificates <----------'
//! ```
//!
//! Everything here follows from the scenario and from what the lanes report. Between two things that are due, steps of
//! [`STEP_MS`] go on until nothing is on its way; then the clock jumps.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use tieline_contract::payload::{Payload, Subject};
use tieline_contract::terms::OrderId;
use tieline_contract::transaction::{Act, Transaction};
use tieline_engine::lockstep::{Report, Step};
use tieline_units::{MicrogridId, Money, Time};

use super::agenda::{Agenda, Due};
use super::book::Book;
use super::carry::Carrier;
use super::desk::{Desk, Operator};
use super::founding::Founding;
use super::interval::Open;
use super::lanes::Lead;
use super::place::{Happened, Place};
use super::records::Record;
use super::trade::{Batch, BatchKey, Trade};
use crate::input::Scenario;
use crate::run::keys::Keys;
use crate::run::meters::Meters;
use crate::run::position::Positioning;
use crate::run::seals::Seals;

/// How far the chains go on at a time while something is on its way.
pub const STEP_MS: u64 = 500;

/// How long nothing has to happen before nothing is on its way.
const QUIET_MS: u64 = 1_500;

/// How long something may be on its way before the run goes on all the same: time-outs will end it.
const SETTLE_MAX_MS: u64 = 900_000;

/// After how much of the chains' time they begin anew. Oftener costs more than an interruption loses (docs/benchmarks.md).
const CHECKPOINT_MS: u64 = 7_200_000;

/// Money that the operator certifies, on Z or at home.
#[derive(Clone, Debug)]
pub struct Credit {
    /// Whose.
    pub member: MicrogridId,
    /// How much.
    pub amount: Money,
    /// To stand for verification nodes with, on Z.
    pub is_stake: bool,
}

/// Everything of a run but the market before it and the bills after it.
pub struct World<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) positions: Positioning,
    /// Z first.
    pub(super) places: Vec<Place>,
    pub(super) lanes: Box<dyn Lead + 'a>,
    pub(super) founding: Founding,
    pub(super) desks: Vec<Desk>,
    pub(super) operator: Operator,
    pub(super) keys: Keys,
    pub(super) seals: Seals,
    pub(super) book: Arc<Book>,
    pub(super) meters: Meters,
    pub(super) agenda: Agenda,
    pub(super) carrier: Carrier,
    pub(super) trades: BTreeMap<OrderId, Trade>,
    pub(super) batches: BTreeMap<BatchKey, Batch>,
    /// Intervals whose gate has closed and whose results are not out.
    pub(super) open: BTreeMap<usize, Open>,
    /// Orders whose state may have changed.
    pub(super) touched: BTreeSet<OrderId>,
    /// Numbered by Z, so one waits for the other.
    pub(super) credits: VecDeque<Credit>,
    /// Numbered credits that Z has taken.
    pub(super) credited: u64,
    credit_given: Option<u64>,
    /// Every order, as `orders.json` says it.
    pub(super) records: BTreeMap<(usize, usize), Record>,
    pub(super) now: Time,
    active: Time,
    waiting: usize,
    rests: bool,
    /// When the chains began anew.
    renewed: Time,
}

/// What a world is made of.
pub struct Parts<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) founding: Founding,
    pub(super) lanes: Box<dyn Lead + 'a>,
    pub(super) keys: Keys,
    pub(super) seals: Seals,
    pub(super) book: Arc<Book>,
    pub(super) start: Time,
}

impl<'a> World<'a> {
    /// At its genesis; blocks are written below `out`.
    ///
    /// # Errors
    /// When files cannot be written.
    pub fn new(parts: Parts<'a>, out: &Path) -> anyhow::Result<World<'a>> {
        let Parts {
            scenario,
            founding,
            lanes,
            keys,
            seals,
            book,
            start,
        } = parts;
        let places: anyhow::Result<Vec<Place>> = founding
            .chains
            .iter()
            .map(|founded| {
                let name = &founded.genesis.document().chain;
                Place::new(founded.genesis.clone(), &out.join(format!("{name}.blocks")))
            })
            .collect();
        let places = places?;
        let desks = (0..scenario.microgrids.len()).map(|index| Desk::new(&founding, index));
        Ok(World {
            desks: desks.collect(),
            operator: Operator::new(&founding),
            meters: Meters::new(&scenario.config),
            agenda: Agenda::new(scenario),
            carrier: Carrier::new(places.len()),
            positions: Positioning::default(),
            trades: BTreeMap::new(),
            batches: BTreeMap::new(),
            open: BTreeMap::new(),
            touched: BTreeSet::new(),
            credits: VecDeque::new(),
            credited: 0,
            credit_given: None,
            records: BTreeMap::new(),
            now: start,
            active: start,
            waiting: 0,
            rests: false,
            renewed: start,
            scenario,
            places,
            lanes,
            founding,
            keys,
            seals,
            book,
        })
    }

    /// Goes to the next time at which something is due, and on until nothing is on its way. Whether there was anything due.
    ///
    /// # Errors
    /// A lane that fails, a full disk.
    pub fn go_on(&mut self) -> anyhow::Result<bool> {
        let Some(next) = self.agenda.next() else {
            return Ok(false);
        };
        if next > self.now {
            self.step(next)?;
        }
        self.settle()?;
        Ok(true)
    }

    /// Lets chains and parties go on until nothing is on its way.
    ///
    /// # Errors
    /// As [`World::go_on`].
    pub fn settle(&mut self) -> anyhow::Result<()> {
        let until = self.now.plus_millis(SETTLE_MAX_MS);
        loop {
            self.act()?;
            if self.is_quiet() || self.now >= until {
                return Ok(());
            }
            self.step(self.now.plus_millis(STEP_MS))?;
        }
    }

    /// Lets all chains begin anew from their last final blocks, where nothing is on its way: what their validators held in
    /// memory is gone, and a run that is interrupted later goes on from here.
    ///
    /// # Errors
    /// As [`World::go_on`].
    pub fn checkpoint(&mut self) -> anyhow::Result<()> {
        let due = self.now >= self.renewed.plus_millis(CHECKPOINT_MS);
        if !due || !self.rests || !self.is_quiet() {
            return Ok(());
        }
        for place in &mut self.places {
            place.sync()?;
        }
        self.lanes.renew(&self.places, self.now)?;
        self.renewed = self.now;
        Ok(())
    }

    fn is_quiet(&self) -> bool {
        let busy = self.places.iter().any(Place::is_busy) || self.waiting > 0;
        let ready = self.batches.values().any(|batch| !batch.ready.is_empty());
        let quiet_since = self.active.plus_millis(QUIET_MS);
        !busy && !ready && self.credits.is_empty() && self.now >= quiet_since
    }

    /// What is due, what follows from what happened, what there is to carry.
    fn act(&mut self) -> anyhow::Result<()> {
        while let Some(due) = self.agenda.take(self.now) {
            self.active = self.now;
            self.due(due)
                .with_context(|| format!("at {}: {due:?}", self.now))?;
        }
        for order in std::mem::take(&mut self.touched) {
            self.look(order)?;
        }
        self.sign_batches()?;
        self.credit();
        self.book_intervals();
        let troubles = &self.scenario.config.trouble;
        for (to, certificate) in self.carrier.plan(&self.places, self.now, troubles) {
            self.places[to].give(certificate);
        }
        for (on, height) in self.carrier.tidy(&self.places) {
            self.places[on].attestations.forget(height);
        }
        Ok(())
    }

    fn due(&mut self, due: Due) -> anyhow::Result<()> {
        match due {
            Due::Fund(first, last) => self.fund(first..=last),
            Due::Gate(first, last) => self.gate(first..=last)?,
            Due::Deadline(slot) => self.deadline(slot),
            Due::Closure(slot) => self.closure(slot),
            Due::Delivery(slot) => self.dispatch(slot),
            Due::Over(slot) => self.over(slot),
            Due::Reading(slot, member) => self.read(slot, member),
            Due::Overdue(slot) => self.overdue(slot),
            Due::Net => self.net(),
            Due::Wake => {}
        }
        Ok(())
    }

    /// The operator's next numbered act, once the one before is final.
    fn credit(&mut self) {
        if self.credit_given == Some(self.credited) {
            return;
        }
        let Some(credit) = self.credits.pop_front() else {
            return;
        };
        let Credit {
            member,
            amount,
            is_stake,
        } = credit;
        let act = if is_stake {
            self.operator.stake(self.credited, member, amount)
        } else {
            self.operator.deposit(self.credited, member, amount)
        };
        self.credit_given = Some(self.credited);
        self.places[0].give(act);
    }

    /// All chains go on to a time, with what there is for them.
    pub(super) fn step(&mut self, until: Time) -> anyhow::Result<()> {
        let now = self.now;
        let steps = self.places.iter_mut().map(|place| Step {
            until,
            transactions: place.take(now),
        });
        let steps: Vec<Step> = steps.collect();
        let reports = self.lanes.step(steps)?;
        self.now = until;
        self.keys.advance(until);
        self.waiting = reports.iter().map(|report| report.waiting).sum();
        self.rests = reports.iter().all(|report| report.rests);
        for (on, report) in reports.into_iter().enumerate() {
            self.absorb(on, report)?;
        }
        Ok(())
    }

    fn absorb(&mut self, on: usize, report: Report) -> anyhow::Result<()> {
        if !report.signed.is_empty() {
            self.active = self.now;
        }
        let (happened, given_up) = self.places[on].absorb(report)?;
        for (transaction, why) in given_up {
            self.refused(&transaction, &why);
        }
        for block in happened {
            if !block.applied.is_empty() || !block.refused.is_empty() {
                self.active = self.now;
            }
            self.note(on, &block);
        }
        Ok(())
    }

    fn note(&mut self, on: usize, block: &Happened) {
        self.carrier.note(&self.places, on, (block, self.now));
        for transaction in &block.applied {
            self.touched.extend(order_of(transaction));
            self.time(on, transaction);
            if let Transaction::Signed(signed) = transaction
                && matches!(signed.act, Act::Deposit { .. } | Act::Stake { .. })
            {
                self.credited += 1;
            }
        }
        for (transaction, why) in &block.refused {
            self.refused(transaction, why);
        }
        if let Some(until) = self.held_until(on, block.height) {
            self.agenda.add(until, Due::Wake);
        }
    }

    /// Notes when a transition of an order was final first, for the page.
    fn time(&mut self, on: usize, transaction: &Transaction) {
        let at = self.places[on].ledger.tip().time;
        let orders: Vec<OrderId> = match transaction {
            Transaction::Meter(batch) => {
                let of = |open: &&Open| open.start == batch.start;
                let open = self.open.values().find(of);
                open.map(|open| open.ids.iter().flatten().copied().collect())
                    .unwrap_or_default()
            }
            other => order_of(other).into_iter().collect(),
        };
        for order in orders {
            let Some(trade) = self.trades.get_mut(&order) else {
                continue;
            };
            if let Some(name) = transition(trade, on, transaction)
                && trade.times.iter().all(|(known, _)| *known != name)
            {
                trade.times.push((name, at));
            }
        }
    }

    /// Until when a trouble of the scenario holds back what a block says.
    fn held_until(&self, on: usize, height: u64) -> Option<Time> {
        let place = &self.places[on];
        let entries = place.ledger.state().outbox(height);
        let troubles = &self.scenario.config.trouble;
        let holds = entries.filter_map(|entry| troubles.holds(&place.chain, entry.kind()));
        // The relayer asks again after a pause.
        holds.max().map(|hold| self.now.plus_millis(hold + 2_000))
    }

    /// A transaction that did not get its way. What anybody may say again is no news.
    fn refused(&mut self, transaction: &Transaction, why: &str) {
        let order = match transaction {
            Transaction::Request(request) | Transaction::Local { request, .. } => request.order(),
            Transaction::Signed(signed) => match signed.act {
                Act::Accept { order, .. } => order,
                _ => return,
            },
            _ => return,
        };
        if let Some(trade) = self.trades.get_mut(&order) {
            let chain = match transaction {
                Transaction::Signed(_) => &trade.request.terms.chain_y,
                _ => &trade.request.terms.chain_x,
            };
            trade.note.get_or_insert(format!("{chain} refused: {why}"));
            self.touched.insert(order);
        }
    }
}

/// Which transition of an order a transaction is on a chain, of those that the page shows.
fn transition(trade: &Trade, on: usize, transaction: &Transaction) -> Option<&'static str> {
    let (x, y) = (on == trade.x, on == trade.y);
    match transaction {
        Transaction::Request(_) => Some("T1"),
        Transaction::Local { .. } => Some("T6"),
        Transaction::Signed(signed) => match signed.act {
            Act::Accept { .. } => Some("T4"),
            _ => None,
        },
        Transaction::Meter(batch) => {
            let terms = &trade.request.terms;
            (batch.member == terms.buyer || batch.member == terms.seller).then_some("T7")
        }
        Transaction::Certificate(certificate) => match &certificate.payload {
            Payload::Request(_) if y => Some("T3"),
            Payload::Accept(_) if x => Some("T5"),
            Payload::Commit(_) if y => Some("T6"),
            Payload::Taken(_) | Payload::Delivered(_) if on == 0 => Some("T8"),
            Payload::Settle(_) if x => Some("T9"),
            Payload::Settle(_) if y => Some("T10"),
            _ => None,
        },
        _ => None,
    }
}

/// The order that a transaction is about.
fn order_of(transaction: &Transaction) -> Option<OrderId> {
    match transaction {
        Transaction::Request(request)
        | Transaction::Local { request, .. }
        | Transaction::TimeoutRequest(request) => Some(request.order()),
        Transaction::Timeout(order) | Transaction::Void(order) | Transaction::Default(order) => {
            Some(*order)
        }
        Transaction::Signed(signed) => match &signed.act {
            Act::Accept { order, .. } | Act::KeyReturn { order, .. } => Some(*order),
            Act::Decline(order) => Some(*order),
            _ => None,
        },
        Transaction::Certificate(certificate) => match certificate.payload.subject() {
            Subject::Order(order) => Some(order),
            Subject::Sequence(_) => None,
        },
        _ => None,
    }
}
