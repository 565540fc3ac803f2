//! Three ledgers that execute block by block, and everything that was ever certified.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tieline_contract::apply;
use tieline_contract::certificate::Certificate;
use tieline_contract::guard::Refusal;
use tieline_contract::payload::{Kind, Subject};
use tieline_contract::state::{Block, State};
use tieline_contract::terms::Terms;
use tieline_contract::transaction::{Act, Transaction};
use tieline_contract::transition::Transition;
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::{
    CHAINS, START, accept, certificates, chain, decline, genesis, key_return, member, metered,
    signed,
};
use tieline_units::{Energy, Time};

use super::action::{Action, Limit};
use crate::town::{Deal, Town, mj, terms};

/// Everybody's meters are the same world over: who has one.
const GATEWAYS: [(&str, usize); 4] = [("mg-x", 0), ("mg-x2", 0), ("mg-y", 1), ("mg-y2", 1)];

/// A ledger.
#[derive(Clone)]
pub(super) struct Site {
    /// After the last block that ended: what its store holds.
    pub(super) sealed: State,
    /// With the block in progress.
    pub(super) state: State,
    /// Transactions of that block which were accepted.
    block: Vec<Transaction>,
    pub(super) now: Time,
}

/// What a step did on a ledger.
#[derive(Clone)]
pub(super) struct Done {
    pub(super) on: usize,
    pub(super) transaction: Transaction,
    pub(super) outcome: Result<Vec<Transition>, Refusal>,
    pub(super) time: Time,
}

/// Everything.
#[derive(Clone)]
pub(super) struct World {
    pub(super) deals: Vec<Deal>,
    pub(super) sites: Vec<Site>,
    pub(super) certificates: BTreeMap<(usize, Kind, usize), Arc<Certificate>>,
    /// The last step, where it was a transaction.
    pub(super) done: Option<Done>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "three ledgers, {} orders", self.deals.len())
    }
}

/// Six orders: two compete for one seller's plant, one goes the other way, one stays within X.
fn orders() -> Vec<Deal> {
    let of = |buyer: &str, seller: &str, kwh: i64| {
        let home = |who: &str| CHAINS[GATEWAYS.iter().find(|g| g.0 == who).unwrap().1];
        terms(|terms: &mut Terms| {
            let (x, y) = (home(buyer), home(seller));
            (terms.chain_x, terms.genesis_x) = (chain(x), genesis(x));
            (terms.chain_y, terms.genesis_y) = (chain(y), genesis(y));
            (terms.buyer, terms.seller) = (member(buyer), member(seller));
            terms.quantity = mj(kwh * Energy::PER_KILOWATT_HOUR);
            terms.escrow = terms.value();
        })
    };
    let all = [
        of("mg-x", "mg-y", 6),
        of("mg-x", "mg-y", 6),
        of("mg-x2", "mg-y2", 2),
        of("mg-y", "mg-x", 3),
        of("mg-x2", "mg-x", 2),
        of("mg-y2", "mg-x2", 1),
    ];
    let each = all.into_iter().enumerate();
    each.map(|(index, terms)| Deal::new(terms, index as u64))
        .collect()
}

impl World {
    pub(super) fn new() -> World {
        let town = Town::new();
        let site = |name: &str| Site {
            sealed: town.on(name).clone(),
            state: town.on(name).clone(),
            block: Vec::new(),
            now: town.now,
        };
        World {
            deals: orders(),
            sites: CHAINS.map(site).to_vec(),
            certificates: BTreeMap::new(),
            done: None,
        }
    }

    /// Ends of an order.
    pub(super) fn ends(&self, order: usize) -> (usize, usize) {
        let index = |name: &str| CHAINS.iter().position(|c| *c == name).unwrap();
        let terms = &self.deals[order].terms;
        (index(terms.chain_x.as_str()), index(terms.chain_y.as_str()))
    }

    /// Everything that parties, relayers and strangers can do now.
    pub(super) fn catalogue(&self) -> Vec<Action> {
        let mut all = Vec::new();
        for order in 0..self.deals.len() {
            all.push(Action::Request(order));
            all.extend([true, false].map(|yes| Action::Answer { order, yes }));
            all.extend([Action::Impostor(order), Action::KeyReturn(order)]);
            for on in 0..3 {
                all.push(Action::Timeout { order, on });
                all.push(Action::TimeoutRequest { order, on });
                all.push(Action::Void { order, on });
                all.push(Action::Default { order, on });
            }
        }
        for &(_, kind, order) in self.certificates.keys() {
            for to in 0..3 {
                let each = [false, false, true].map(|thin| Action::Deliver {
                    kind,
                    order,
                    to,
                    thin,
                });
                all.extend(each);
            }
        }
        for (who, _) in GATEWAYS {
            all.extend([-5, 2, 9].map(|kwh| Action::Meter { who, kwh }));
        }
        all
    }

    /// Whether a ledger would accept that now, and a story goes on by it.
    pub(super) fn takes(&self, action: &Action) -> bool {
        let rare = matches!(action, Action::Answer { yes: false, .. });
        let judged = self.transaction(action).map(|(on, transaction)| {
            let site = &self.sites[on];
            let judged = site.state.check(&transaction, site.block(), &Symbolic);
            judged.is_ok_and(|checked| checked.transitions() != [Transition::Participate])
        });
        judged.unwrap_or(false) && !rare
    }

    /// On which ledger, and what; `None` where there is nothing to deliver.
    pub(super) fn transaction(&self, action: &Action) -> Option<(usize, Transaction)> {
        let found = match *action {
            Action::Request(order) => (self.ends(order).0, self.request(order)),
            Action::Answer { order, yes } => {
                let (terms, id) = (&self.deals[order].terms, self.deals[order].order);
                let answer = if yes {
                    accept(terms, id)
                } else {
                    decline(terms, id)
                };
                (self.ends(order).1, answer)
            }
            Action::Impostor(order) => {
                let y = self.ends(order).1;
                let Transaction::Signed(answer) = self.deals[order].accept() else {
                    return None;
                };
                let act = answer.act.clone();
                (
                    y,
                    Transaction::Signed(signed(
                        CHAINS[y],
                        self.deals[order].terms.buyer.as_str(),
                        act,
                    )),
                )
            }
            Action::KeyReturn(order) => {
                let deal = &self.deals[order];
                (self.ends(order).0, key_return(&deal.terms, deal.order))
            }
            Action::Timeout { order, on } => (on, Transaction::Timeout(self.deals[order].order)),
            Action::TimeoutRequest { order, on } => {
                let (terms, nonce) = (self.deals[order].terms.clone(), order as u64);
                (on, tieline_sim::village::timeout_request(&terms, nonce))
            }
            Action::Void { order, on } => (on, Transaction::Void(self.deals[order].order)),
            Action::Default { order, on } => (on, Transaction::Default(self.deals[order].order)),
            Action::Deliver {
                kind,
                order,
                to,
                thin,
            } => {
                let from = (0..3).find_map(|from| self.certificates.get(&(from, kind, order)));
                let mut certificate = Certificate::clone(from?);
                if thin {
                    certificate.attestations =
                        certificate.attestations.into_iter().take(1).collect();
                }
                (to, Transaction::Certificate(Arc::new(certificate)))
            }
            Action::Meter { who, kwh } => {
                let home = GATEWAYS.iter().find(|g| g.0 == who)?.1;
                let net = mj(kwh * Energy::PER_KILOWATT_HOUR);
                (home, metered(CHAINS[home], who, START, net))
            }
            Action::Seal(_) | Action::Clock { .. } | Action::Crash { .. } => return None,
        };
        Some(found)
    }

    fn request(&self, order: usize) -> Transaction {
        let deal = &self.deals[order];
        let request = deal.request.clone();
        match deal.accept() {
            Transaction::Signed(answer) if deal.terms.chain_x == deal.terms.chain_y => {
                assert!(matches!(answer.act, Act::Accept { .. }));
                Transaction::Local { request, answer }
            }
            _ => Transaction::Request(request),
        }
    }

    pub(super) fn act(&mut self, action: &Action) {
        self.done = None;
        match *action {
            Action::Seal(on) => self.seal(on),
            Action::Clock { on, limit, beyond } => {
                self.seal(on);
                let to = self.instant(limit).plus_millis(u64::from(beyond));
                self.sites[on].now = self.sites[on].now.max(to);
            }
            Action::Crash { on, lost } => self.sites[on].crash(lost),
            _ => {
                if let Some((on, transaction)) = self.transaction(action) {
                    self.done = Some(self.sites[on].submit(on, transaction));
                }
            }
        }
    }

    /// Every clock on to the next instant that matters, or just beyond it.
    pub(super) fn clocks(&self) -> Vec<Action> {
        use Limit as L;
        let all = [L::LastAnswer, L::Deadline, L::Gate, L::End, L::Overdue];
        let mut clocks = Vec::new();
        for (on, site) in self.sites.iter().enumerate() {
            let next = all
                .into_iter()
                .find(|&limit| self.instant(limit) > site.now);
            let limit = next.unwrap_or(L::Overdue);
            clocks.extend([false, true].map(|beyond| Action::Clock { on, limit, beyond }));
        }
        clocks
    }

    pub(super) fn instant(&self, limit: Limit) -> Time {
        let terms = &self.deals[0].terms;
        match limit {
            Limit::LastAnswer => terms.deadline.minus_millis(terms.delta_t),
            Limit::Deadline => terms.deadline,
            Limit::Gate => terms.gate_closure,
            Limit::End => terms.end(),
            Limit::Overdue => {
                let grace = self.sites[2].state.rules().grace;
                terms.metering_deadline.plus_millis(grace)
            }
        }
    }

    /// The block ends; verification nodes attest what it says.
    fn seal(&mut self, on: usize) {
        let site = &mut self.sites[on];
        if site.block.is_empty() {
            return;
        }
        site.block.clear();
        site.sealed = site.state.clone();
        let height = site.sealed.block().height;
        for certificate in certificates(&site.sealed, height, 0, &[0, 1, 3]) {
            let Subject::Order(order) = certificate.payload.subject() else {
                continue;
            };
            let order = self
                .deals
                .iter()
                .position(|deal| deal.order == order)
                .unwrap();
            let key = (on, certificate.payload.kind(), order);
            let before = self.certificates.insert(key, certificate.clone());
            let said = before.is_none_or(|before| before.payload == certificate.payload);
            assert!(said, "S9: two certificates of {key:?}");
        }
    }

    /// Time passes on all ledgers, and one honest relayer with everything that was ever said does what can be done.
    pub(super) fn end(&mut self) {
        for limit in [Limit::Deadline, Limit::Gate, Limit::Overdue] {
            for on in 0..3 {
                self.act(&Action::Clock {
                    on,
                    limit,
                    beyond: true,
                });
            }
            for _ in 0..4 {
                for action in self.catalogue() {
                    let starts = matches!(action, Action::Request(_) | Action::Meter { .. });
                    if !starts && self.takes(&action) {
                        self.act(&action);
                    }
                }
                (0..3).for_each(|on| self.seal(on));
            }
        }
        self.done = None;
    }
}

impl Site {
    /// The block in progress.
    pub(super) fn block(&self) -> Block {
        Block {
            height: self.sealed.block().height + 1,
            time: self.now,
        }
    }

    fn submit(&mut self, on: usize, transaction: Transaction) -> Done {
        let block = self.block();
        let outcome = apply(&mut self.state, &transaction, block, &Symbolic);
        if outcome.is_ok() {
            self.block.push(transaction.clone());
        }
        Done {
            on,
            transaction,
            outcome,
            time: block.time,
        }
    }

    /// Power is gone in the middle of a block: the store has the last one, and the block is executed again.
    fn crash(&mut self, lost: bool) {
        let records = self.sealed.records();
        let each = records.iter().map(|(key, value)| (&key[..], &value[..]));
        let restored = State::from_records(each).unwrap();
        assert_eq!(
            restored.records(),
            records,
            "S12: what was stored is not what was read"
        );
        let mut again = restored.clone();
        for transaction in &self.block {
            apply(&mut again, transaction, self.block(), &Symbolic).unwrap();
        }
        assert_eq!(
            again.records(),
            self.state.records(),
            "S11: executed again, other bytes"
        );
        self.sealed = restored;
        if lost {
            self.block.clear();
            self.state = self.sealed.clone();
        } else {
            self.state = again;
        }
    }
}
