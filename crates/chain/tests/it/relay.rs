//! Relayers between three chains in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tieline_chain::Ledger;
use tieline_chain::block::transaction_hash;
use tieline_chain::mempool::{self, Mempool, Stand};
use tieline_chain::relay::{Attestations, ChainView, LedgerView, Limits, Relayer, Submission};
use tieline_contract::state::{Account, Block as Now};
use tieline_contract::terms::{OrderId, Request};
use tieline_contract::trade::{BuyerState, SellerState, VppState};
use tieline_contract::transaction::Transaction;
use tieline_seal::hybrid::Purpose;
use tieline_sim::symbol::{Symbolic, sign};
use tieline_sim::village::{
    CHAINS, START, Village, accept, chain, decline, deposit, key_return, member, metered, request,
    seat_key,
};
use tieline_units::{Energy, Money, Time};

use crate::world::{block, ledger};

/// Three chains with members who trade: one order that goes through, and one that the seller declines.
struct Town {
    ledgers: Vec<Ledger>,
    pools: Vec<Mempool>,
    attestations: Vec<Attestations>,
    /// Which chains still make blocks.
    alive: [bool; 3],
    now: Time,
    orders: Vec<Arc<Request>>,
    done: BTreeSet<&'static str>,
}

impl Town {
    fn new() -> Town {
        let village = Village::default();
        let mut other = village.terms();
        other.penalty_short_ppm = 5;
        other.rendering_hash = other.rendering_digest();
        Town {
            ledgers: CHAINS.map(|name| ledger(&village, name)).into(),
            pools: vec![Mempool::new(mempool::Limits::default()); 3],
            attestations: vec![Attestations::default(); 3],
            alive: [true; 3],
            now: START.minus_millis(3_600_000),
            orders: vec![request(village.terms(), 1), request(other, 2)],
            done: BTreeSet::new(),
        }
    }

    fn order(&self, index: usize) -> OrderId {
        self.orders[index].order()
    }

    fn views(&self) -> Vec<LedgerView<'_>> {
        let all = self.ledgers.iter().zip(&self.attestations).zip(self.alive);
        let alive = all.filter(|(_, alive)| *alive);
        alive
            .map(|((ledger, attestations), _)| LedgerView {
                ledger,
                attestations,
                now: self.now,
            })
            .collect()
    }

    fn submit(&mut self, on: usize, transaction: Transaction) -> bool {
        let ledger = &self.ledgers[on];
        let stand = Stand {
            state: ledger.state(),
            next: Now {
                height: ledger.tip().height + 1,
                time: self.now,
            },
            verify: &Symbolic,
        };
        self.pools[on].add(transaction, stand).is_ok()
    }

    fn relay(&mut self, relayer: &mut Relayer, delivered: usize) -> Vec<Submission> {
        let views = self.views();
        let views: Vec<&dyn ChainView> = views.iter().map(|view| view as &dyn ChainView).collect();
        let plan = relayer.plan(self.now, &views, &Symbolic);
        for Submission { to, certificate } in plan.iter().take(delivered) {
            let on = CHAINS.iter().position(|name| chain(name) == *to).unwrap();
            self.submit(on, Transaction::Certificate(certificate.clone()));
        }
        plan
    }

    /// Once each, as soon as the ledgers allow.
    fn act(&mut self, what: &'static str, ready: bool, on: usize, transaction: Transaction) {
        if ready && !self.done.contains(what) && self.submit(on, transaction) {
            self.done.insert(what);
        }
    }

    fn members_act(&mut self) {
        let money = Money::from_millionths(50_000_000);
        for (number, what, who) in [(0, "money x", "mg-x"), (1, "money y", "mg-y")] {
            self.act(what, true, 2, deposit(number, who, money));
        }
        let funded = |town: &Town, on: usize, who| {
            let account = Account::Clearing(member(who));
            town.ledgers[on].state().balance(&account) != Money::ZERO
        };
        let ready = funded(self, 0, "mg-x") && funded(self, 1, "mg-y");
        for (index, what) in [(0, "request 0"), (1, "request 1")] {
            let wanted = Transaction::Request(self.orders[index].clone());
            self.act(what, ready, 0, wanted);
        }
        let offered = |town: &Town, index| {
            let sale = town.ledgers[1].state().sale(town.order(index));
            sale.is_some_and(|sale| sale.state == SellerState::Offered)
        };
        let (first, second) = (self.orders[0].clone(), self.orders[1].clone());
        let (yes, no) = (offered(self, 0), offered(self, 1));
        self.act("accept", yes, 1, accept(&first.terms, first.order()));
        self.act("decline", no, 1, decline(&second.terms, second.order()));
        let bound = self.buyer(0) == Some(BuyerState::Committed);
        self.act("key", bound, 0, key_return(&first.terms, first.order()));
        if bound && self.seller(0) == Some(SellerState::Confirmed) && self.now < first.terms.end() {
            self.now = first.terms.end();
        }
        let over = self.now >= first.terms.end();
        let energy = Energy::from_millijoules(8_000_000_000);
        self.act(
            "meter y",
            over,
            1,
            metered("chain-y", "mg-y", START, energy),
        );
        self.act(
            "meter x",
            over,
            0,
            metered("chain-x", "mg-x", START, -energy),
        );
    }

    fn tick(&mut self) {
        self.members_act();
        self.now = self.now.plus_millis(15_000);
        for (on, name) in CHAINS.into_iter().enumerate() {
            if !self.alive[on] {
                continue;
            }
            let transactions = self.pools[on].select(1 << 20, &BTreeSet::new());
            let names = transactions.iter().map(transaction_hash).collect();
            let next = block(&self.ledgers[on], self.now, transactions);
            self.ledgers[on].execute(&next, &Symbolic).unwrap();
            let ledger = &self.ledgers[on];
            let next = Now {
                height: ledger.tip().height + 1,
                time: self.now,
            };
            let stand = Stand {
                state: ledger.state(),
                next,
                verify: &Symbolic,
            };
            self.pools[on].settle(&names, stand);
            let root = ledger.roots().state_root;
            let statement = ledger.state().statement(ledger.tip().height, 0, root);
            let (domain, message) = (statement.domain(Purpose::Attestation), statement.message());
            for seat in 0..4_u8 {
                let key = seat_key(name, 0, usize::from(seat));
                // The last member is dishonest: its signatures are on something else.
                let lie = [&message[..], b"!"].concat();
                let signed = sign(&key, &domain, if seat == 3 { &lie } else { &message });
                self.attestations[on].add(&statement, seat, signed);
            }
        }
    }

    fn buyer(&self, index: usize) -> Option<BuyerState> {
        let purchase = self.ledgers[0].state().purchase(self.order(index));
        purchase.map(|purchase| purchase.state)
    }

    fn seller(&self, index: usize) -> Option<SellerState> {
        let sale = self.ledgers[1].state().sale(self.order(index));
        sale.map(|sale| sale.state)
    }

    fn vpp(&self) -> Option<VppState> {
        let settling = self.ledgers[2].state().settling(self.order(0));
        settling.map(|settling| settling.state)
    }

    fn finished(&self) -> bool {
        let first = (self.buyer(0), self.seller(0), self.vpp());
        let second = (self.buyer(1), self.seller(1));
        first
            == (
                Some(BuyerState::Settled),
                Some(SellerState::Settled),
                Some(VppState::Settled),
            )
            && second == (Some(BuyerState::Refunded), Some(SellerState::Rejected))
    }

    /// What everybody has in the end.
    fn books(&self) -> BTreeMap<(usize, &'static str), Money> {
        let names = ["mg-x", "mg-y", "aggregator", "vpp"];
        let each = (0..3).flat_map(|on| names.map(|who| (on, who)));
        let balance = |(on, who): (usize, &'static str)| {
            let account = Account::Clearing(member(who));
            ((on, who), self.ledgers[on].state().balance(&account))
        };
        each.map(balance).collect()
    }
}

const TICKS_MAX: usize = 80;

/// Ticks until everything is terminal.
fn run(town: &mut Town, mut relay: impl FnMut(&mut Town, usize)) -> usize {
    for tick in 0..TICKS_MAX {
        if town.finished() {
            return tick;
        }
        relay(town, tick);
        town.tick();
    }
    panic!(
        "not finished: {:?} {:?} {:?}, {:?} {:?}",
        town.buyer(0),
        town.seller(0),
        town.vpp(),
        town.buyer(1),
        town.seller(1)
    );
}

fn honest() -> (Town, usize) {
    let (mut town, mut relayer) = (Town::new(), Relayer::new(Limits::default()));
    let ticks = run(&mut town, |town, _| {
        drop(town.relay(&mut relayer, usize::MAX))
    });
    (town, ticks)
}

#[test]
fn one_relayer_brings_every_order_to_its_end_and_falls_silent() {
    let (mut town, ticks) = honest();
    assert!(ticks < 20, "{ticks}");
    let mut relayer = Relayer::new(Limits::default());
    for _ in 0..4 {
        town.relay(&mut relayer, usize::MAX);
        town.tick();
    }
    // Also for one that knows nothing, there is nothing left to do.
    let idle = town.relay(&mut Relayer::new(Limits::default()), 0);
    assert_eq!(idle, []);
}

#[test]
fn a_relayer_killed_at_any_step_and_replaced_by_an_empty_one_loses_nothing() {
    let (expected, ticks) = honest();
    for kill in 0..ticks {
        for delivered in [0, 1, usize::MAX] {
            let (mut town, mut relayer) = (Town::new(), Relayer::new(Limits::default()));
            run(&mut town, |town, tick| {
                let killed = tick == kill;
                town.relay(&mut relayer, if killed { delivered } else { usize::MAX });
                if killed {
                    relayer = Relayer::new(Limits::default());
                }
            });
            assert_eq!(town.books(), expected.books(), "killed at {kill}");
        }
    }
}

#[test]
fn a_relayer_that_is_empty_at_every_step_and_loses_half_loses_nothing() {
    let (expected, _) = honest();
    let mut town = Town::new();
    run(&mut town, |town, tick| {
        let mut relayer = Relayer::new(Limits::default());
        town.relay(&mut relayer, tick % 3);
    });
    assert_eq!(town.books(), expected.books());
}

#[test]
fn two_relayers_at_once_do_no_harm() {
    let (expected, ticks) = honest();
    let (mut town, mut pair) = (Town::new(), [Limits::default(); 2].map(Relayer::new));
    let together = run(&mut town, |town, _| {
        for relayer in &mut pair {
            town.relay(relayer, usize::MAX);
        }
    });
    assert_eq!(town.books(), expected.books());
    assert_eq!(together, ticks);
}

#[test]
fn what_is_lost_is_submitted_again_and_what_is_on_its_way_is_bounded() {
    let limits = Limits {
        in_flight_max: 1,
        lost_after_ms: 30_000,
        ..Limits::default()
    };
    let (expected, _) = honest();
    let (mut town, mut relayer) = (Town::new(), Relayer::new(limits));
    run(&mut town, |town, tick| {
        town.relay(&mut relayer, if tick % 4 == 1 { 0 } else { usize::MAX });
        for name in CHAINS {
            assert!(relayer.in_flight(&chain(name)) <= 1);
        }
    });
    assert_eq!(town.books(), expected.books());
}

#[test]
fn what_did_not_reach_its_chain_is_planned_again_at_once() {
    let (mut town, mut relayer) = (Town::new(), Relayer::new(Limits::default()));
    while town.relay(&mut relayer, 0).is_empty() {
        town.tick();
    }
    relayer = Relayer::new(Limits::default());
    let plan = town.relay(&mut relayer, 0);
    assert_eq!(town.relay(&mut relayer, 0), []);
    plan.iter().for_each(|submission| relayer.lost(submission));
    assert_eq!(relayer.in_flight(&plan[0].to), 0);
    assert_eq!(town.relay(&mut relayer, 0), plan);
}

#[test]
fn a_chain_that_is_gone_is_heard_through_what_others_keep() {
    let (mut town, mut relayer) = (Town::new(), Relayer::new(Limits::default()));
    // Until Y has consumed COM, and Z has not seen it.
    for _ in 0..TICKS_MAX {
        let views = town.views();
        let without_z: Vec<&dyn ChainView> =
            views.iter().map(|view| view as &dyn ChainView).collect();
        let plan = relayer.plan(town.now, &without_z, &Symbolic);
        for Submission { to, certificate } in plan {
            let on = CHAINS.iter().position(|name| chain(name) == to).unwrap();
            let hidden = on == 2 && certificate.chain == chain("chain-x");
            if !hidden {
                town.submit(on, Transaction::Certificate(certificate));
            }
        }
        if town.seller(0) == Some(SellerState::Confirmed) {
            break;
        }
        town.tick();
    }
    assert_eq!(town.vpp(), None);
    town.alive[0] = false;
    let mut fresh = Relayer::new(Limits::default());
    for _ in 0..3 {
        town.relay(&mut fresh, usize::MAX);
        town.tick();
    }
    assert_eq!(town.vpp(), Some(VppState::Open));
    let settling = town.ledgers[2].state().settling(town.order(0)).unwrap();
    assert!(settling.committed);
}
