//! What a transition does, as a list: the only way a state changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdMap;
use tieline_units::{ChainId, Digest, Energy, MicrogridId, Money, Time};

use crate::certificate::Certificate;
use crate::guard::{Fact, Guard, Refusal};
use crate::member::Member;
use crate::payload::{Kind, Payload};
use crate::registry::record_digest;
use crate::settlement::Imbalance;
use crate::state::{Account, Block, State, Tariff};
use crate::terms::OrderId;
use crate::threshold::Committee;
use crate::trade::{Purchase, Sale, Settling};
use crate::transition::Transition;
use tieline_seal::hybrid::KeyId;

/// One change of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Money from one account to another.
    Move(Account, Account, Money),
    /// Energy promised for an interval, more or less.
    Reserve(MicrogridId, Time, Energy),
    /// Open escrow of a pair, more or less.
    Expose(MicrogridId, MicrogridId, Money),
    /// An order on X.
    Purchase(OrderId, Purchase),
    /// An order on Y.
    Sale(OrderId, Sale),
    /// An order on Z.
    Settling(OrderId, Settling),
    /// An entry for other ledgers.
    Emit(Payload),
    /// A certificate that was consumed, to be handed out again.
    Keep(Arc<Certificate>),
    /// A numbered certificate was consumed.
    Import(ChainId, Kind, u64),
    /// The next number of a kind was used.
    Count(Kind),
    /// Registers of a meter.
    Registers(MicrogridId, u8, (Time, Energy, Energy)),
    /// A member asks to be registered.
    Apply(Arc<Member>),
    /// A member as it stands from now on.
    Member(Arc<Member>),
    /// Verification nodes of a chain.
    Committee(Arc<Committee>),
    /// A chain knows an epoch of this one.
    Acknowledge(u64, ChainId),
    /// An epoch is over.
    Close(ChainId, u64),
    /// No new orders under an epoch.
    Freeze(ChainId, u64),
    /// A verification node's standing.
    Credibility(KeyId, u32),
    /// Somebody was punished for something.
    Punish(KeyId, Digest),
    /// A cleared round.
    Round(Digest, std::collections::BTreeSet<OrderId>),
    /// Grid prices of an interval.
    Tariff(Time, Tariff),
    /// What members had with the grid in an interval.
    Imbalances(Time, BTreeMap<MicrogridId, Imbalance>),
    /// A party's money on a foreign chain, more or less.
    Position(ChainId, MicrogridId, Money),
    /// A pair of chains was netted.
    Netted(ChainId, ChainId, Time),
}

/// A transaction that passed every guard of its transition, with what it does. Only [`State::check`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub(crate) block: Block,
    /// The ledger that it is for, and which of its states.
    pub(crate) genesis: Digest,
    pub(crate) version: u64,
    pub(crate) steps: Vec<(Transition, Change)>,
    pub(crate) transitions: Vec<Transition>,
    #[cfg(feature = "testing")]
    pub(crate) asked: Vec<(Transition, Guard)>,
}

impl Checked {
    /// Which transitions it makes: one, or one per order and side for a meter's batch.
    pub fn transitions(&self) -> &[Transition] {
        &self.transitions
    }

    /// What it changes, in order.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.steps.iter().map(|(_, change)| change)
    }

    /// Which guards were asked.
    #[cfg(feature = "testing")]
    pub fn asked(&self) -> &[(Transition, Guard)] {
        &self.asked
    }
}

/// A transition in the making: asks its guards, then lists its changes.
pub(crate) struct Draft<'a> {
    pub(crate) state: &'a State,
    pub(crate) block: Block,
    at: Transition,
    checked: Checked,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(state: &'a State, block: Block) -> Draft<'a> {
        Draft {
            state,
            block,
            at: Transition::Refuse,
            checked: Checked {
                block,
                genesis: state.rules.genesis,
                version: state.version,
                steps: Vec::new(),
                transitions: Vec::new(),
                #[cfg(feature = "testing")]
                asked: Vec::new(),
            },
        }
    }

    /// Begins a transition: guards and changes that follow are its own.
    pub(crate) fn begin(&mut self, transition: Transition) {
        self.at = transition;
        self.checked.transitions.push(transition);
    }

    /// A guard.
    pub(crate) fn require(&mut self, guard: Guard, holds: bool, fact: Fact) -> Result<(), Refusal> {
        self.ask(guard, if holds { Ok(()) } else { Err(fact) })
    }

    /// A guard that knows by itself what it found.
    pub(crate) fn ask(&mut self, guard: Guard, answer: Result<(), Fact>) -> Result<(), Refusal> {
        #[cfg(feature = "testing")]
        {
            self.checked.asked.push((self.at, guard));
            if self
                .state
                .mutated(crate::mutant::Mutant::Unguarded(self.at, guard))
            {
                return Ok(());
            }
        }
        answer.map_err(|fact| Refusal::new(guard, fact))
    }

    /// A change.
    pub(crate) fn then(&mut self, change: Change) -> &mut Self {
        self.checked.steps.push((self.at, change));
        self
    }

    /// Money moves; nothing is noted where there is none.
    pub(crate) fn pay(&mut self, from: Account, to: Account, amount: Money) -> &mut Self {
        if amount != Money::ZERO {
            self.then(Change::Move(from, to, amount));
        }
        self
    }

    pub(crate) fn done(self) -> Checked {
        self.checked
    }
}

impl State {
    /// Carries out what was checked, in order. Cannot fail.
    ///
    /// # Panics
    /// When the state is not the one that was checked, or a ledger's books do not balance afterwards: a bug, and the node
    /// must not go on.
    pub fn apply(&mut self, checked: Checked) -> Vec<Transition> {
        assert!(
            (self.rules.genesis, self.version) == (checked.genesis, checked.version),
            "checked against another state"
        );
        self.version += 1;
        self.block = checked.block;
        for (transition, change) in checked.steps {
            if !self.skips(transition, &change) {
                self.change(change);
            }
        }
        checked.transitions
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Move(from, to, amount) => {
                self.book(from, -amount);
                self.book(to, amount);
            }
            Change::Reserve(seller, start, energy) => {
                let reserved = self.reserved(&seller, start) + energy;
                // A plant that shrank may be promised beyond what it is now; it promises nothing more.
                let fits = energy <= Energy::ZERO || reserved <= self.nameplate(&seller);
                self.promise(reserved >= Energy::ZERO && fits, "S2: capacity");
                put(&mut self.reserved, (seller, start), reserved);
            }
            Change::Expose(buyer, seller, money) => {
                let open = self.exposed(&buyer, &seller) + money;
                put(&mut self.exposure, (buyer, seller), open);
            }
            Change::Purchase(order, purchase) => {
                let terms = &purchase.request.terms;
                let key = (terms.buyer.clone(), terms.start);
                note(&mut self.due, key, order);
                self.purchases.insert(order, Arc::new(purchase));
            }
            Change::Sale(order, sale) => {
                if let Some(request) = &sale.request {
                    let terms = &request.terms;
                    let key = (terms.seller.clone(), terms.start);
                    note(&mut self.due, key, order);
                }
                self.sales.insert(order, Arc::new(sale));
            }
            Change::Settling(order, settling) => {
                let start = settling.request.terms.start;
                note(&mut self.intervals, start, order);
                self.settlings.insert(order, Arc::new(settling));
            }
            Change::Emit(payload) => {
                let height = self.block.height;
                let block = (height, 0)..=(height, u32::MAX);
                let last = self.outbox.range(block).next_back();
                let index = last.map_or(0, |((_, index), _)| index + 1);
                self.outbox.insert((height, index), Arc::new(payload));
            }
            Change::Keep(certificate) => {
                let payload = &certificate.payload;
                let key = (certificate.chain.clone(), payload.kind(), payload.subject());
                self.kept.insert(key, certificate);
            }
            Change::Import(chain, kind, number) => {
                self.imported.insert((chain, kind, number));
            }
            Change::Count(kind) => *self.sequences.entry(kind).or_default() += 1,
            Change::Registers(member, meter, registers) => {
                self.registers.insert((member, meter), registers);
            }
            change => self.change_registry(change),
        }
    }

    fn change_registry(&mut self, change: Change) {
        match change {
            Change::Apply(member) => {
                self.applications.insert(record_digest(&member), member);
            }
            Change::Member(member) => {
                let applied = self.applications.iter();
                let applied = applied.filter(|(_, other)| other.id == member.id);
                let applied: Vec<Digest> = applied.map(|(record, _)| *record).collect();
                for record in applied {
                    self.applications.remove(&record);
                }
                self.members.insert(member.id.clone(), member);
            }
            Change::Committee(committee) => {
                let key = (committee.chain.clone(), committee.epoch);
                self.committees.insert(key, committee);
            }
            Change::Acknowledge(epoch, chain) => {
                self.acknowledged.insert((epoch, chain));
            }
            Change::Close(chain, epoch) => {
                self.closed.insert((chain, epoch));
            }
            Change::Freeze(chain, epoch) => {
                self.frozen.insert((chain, epoch));
            }
            Change::Credibility(key, score) => {
                self.credibility.insert(key, score);
            }
            Change::Punish(key, subject) => {
                self.punished.insert((key, subject));
            }
            Change::Round(hash, orders) => {
                self.rounds.insert(hash, Arc::new(orders));
            }
            Change::Tariff(start, tariff) => {
                self.tariffs.insert(start, tariff);
            }
            Change::Imbalances(start, booked) => {
                let interval = self.imbalances.entry(start).or_default();
                Arc::make_mut(interval).extend(booked);
            }
            Change::Position(chain, party, money) => {
                // Only orders that a dishonest chain made up come to so much; their money is nowhere, so nothing is netted.
                let before = self.position(&chain, &party).as_millionths();
                let position = before.saturating_add(money.as_millionths());
                let position = Money::from_millionths(position);
                put(&mut self.positions, (chain, party), position);
            }
            Change::Netted(one, other, time) => {
                self.netted.insert((one, other), time);
            }
            Change::Move(..)
            | Change::Reserve(..)
            | Change::Expose(..)
            | Change::Purchase(..)
            | Change::Sale(..)
            | Change::Settling(..)
            | Change::Emit(_)
            | Change::Keep(_)
            | Change::Import(..)
            | Change::Count(_)
            | Change::Registers(..) => unreachable!("State::change has these"),
        }
    }

    /// Adds to an account. No account but the outside world's is ever below zero (S2).
    fn book(&mut self, account: Account, amount: Money) {
        let balance = self.balance(&account) + amount;
        let sound = balance >= Money::ZERO || account == Account::Outside;
        self.promise(sound, "S2: an account below zero");
        put(&mut self.accounts, account, balance);
    }

    /// An assertion that stays on in release builds; a model checker that looks for violations finds them by properties.
    fn promise(&self, holds: bool, what: &str) {
        assert!(holds || self.is_mutant(), "{what}");
    }

    /// Open escrow between a buyer and a seller.
    pub(crate) fn exposed(&self, buyer: &MicrogridId, seller: &MicrogridId) -> Money {
        let key = (buyer.clone(), seller.clone());
        self.exposure.get(&key).copied().unwrap_or_default()
    }

    /// Rebuilds what follows from other tables.
    pub(crate) fn index(&mut self) {
        for (&order, purchase) in &self.purchases {
            let terms = &purchase.request.terms;
            let key = (terms.buyer.clone(), terms.start);
            note(&mut self.due, key, order);
        }
        for (&order, sale) in &self.sales {
            if let Some(request) = &sale.request {
                let terms = &request.terms;
                let key = (terms.seller.clone(), terms.start);
                note(&mut self.due, key, order);
            }
        }
        for (&order, settling) in &self.settlings {
            note(&mut self.intervals, settling.request.terms.start, order);
        }
    }
}

fn note<K: Ord + Clone>(
    index: &mut OrdMap<K, Arc<std::collections::BTreeSet<OrderId>>>,
    key: K,
    order: OrderId,
) {
    Arc::make_mut(index.entry(key).or_default()).insert(order);
}

/// Sets a value; what is nothing is not there, so that equal states have equal bytes.
fn put<K: Ord + Clone, V: Default + Clone + PartialEq>(table: &mut OrdMap<K, V>, key: K, value: V) {
    if value == V::default() {
        table.remove(&key);
    } else {
        table.insert(key, value);
    }
}
