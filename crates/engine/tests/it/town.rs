//! The village's three ledgers, each with four validators of its own, in one runtime; members who trade; one relayer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use commonware_runtime::{Supervisor as _, deterministic};
use tieline_chain::Ledger;
use tieline_chain::relay::{Attestations, ChainView, LedgerView, Limits, Relayer};
use tieline_contract::state::Account;
use tieline_contract::terms::{OrderId, Request};
use tieline_contract::trade::{BuyerState, SellerState, VppState};
use tieline_contract::transaction::Transaction;
use tieline_engine::application::Pace;
use tieline_engine::simulated::{Chain, Line};
use tieline_sim::properties::{Edge, breaks, ledgers_break};
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::{
    CHAINS, START, Village, accept, chain, deposit, key_return, member, metered, request,
    timeout_request,
};
use tieline_sim::world::Plan;
use tieline_units::{Digest, Energy, Money, Time};

use crate::simulated::agree;
use crate::village::simulate;

pub(crate) const X: usize = 0;
pub(crate) const Y: usize = 1;
pub(crate) const Z: usize = 2;

/// When the clock of a town begins: half an hour before the delivery.
pub(crate) const DAWN: Time = Time::from_millis(START.as_millis() - 1_800_000);

/// Few blocks while nothing happens: most of what a simulation costs are votes.
pub(crate) const PACE: Pace = Pace {
    heartbeat: Duration::from_secs(40),
    gather: Duration::from_millis(5),
    block_bytes: 1 << 20,
};

/// What everybody deposits.
const FUNDS: Money = Money::from_millionths(50_000_000);

/// A member says a thing again when nothing came of it for so long, milliseconds.
const AGAIN_MS: u64 = 15_000;

/// What a relayer holds in its memory.
pub(crate) struct Carrier {
    relayer: Relayer,
    attestations: Vec<Attestations>,
    /// Signatures that it has of a block.
    signed: BTreeMap<(usize, u64, usize), usize>,
}

impl Carrier {
    /// One that knows nothing.
    pub(crate) fn new() -> Carrier {
        let limits = Limits {
            lost_after_ms: AGAIN_MS,
            pause_max_ms: 5_000,
            ..Limits::default()
        };
        Carrier {
            relayer: Relayer::new(limits),
            attestations: vec![Attestations::default(); 3],
            signed: BTreeMap::new(),
        }
    }
}

/// Where the order is: on X, on Y, on Z.
pub(crate) type Standing = (Option<BuyerState>, Option<SellerState>, Option<VppState>);

/// The world.
pub(crate) struct Town {
    pub(crate) chains: Vec<Chain>,
    /// The longest ledger of each that a running validator has.
    pub(crate) ledgers: Vec<Ledger>,
    pub(crate) carrier: Carrier,
    /// Nobody carries anything meanwhile.
    pub(crate) idle: Option<(Time, Time)>,
    request: Arc<Request>,
    said: BTreeMap<&'static str, Time>,
    turn: usize,
}

impl Town {
    /// All validators run.
    pub(crate) async fn new(context: &deterministic::Context, line: Line) -> Town {
        let mut chains = Vec::new();
        for (name, label) in CHAINS.into_iter().zip(["x", "y", "z"]) {
            let mut chain = simulate(context.child(label), name, 4, (PACE, line)).await;
            chain.boot_all().await.unwrap();
            chains.push(chain);
        }
        let mut terms = Village::default().terms();
        terms.deadline = START.minus_millis(600_000);
        terms.gate_closure = START.minus_millis(120_000);
        terms.rendering_hash = terms.rendering_digest();
        Town {
            ledgers: chains.iter().map(|it| it.founding().clone()).collect(),
            chains,
            carrier: Carrier::new(),
            idle: None,
            request: request(terms, 1),
            said: BTreeMap::new(),
            turn: 0,
        }
    }

    fn order(&self) -> OrderId {
        self.request.order()
    }

    pub(crate) fn now(&self) -> Time {
        self.chains[X].now()
    }

    /// One second: what is final is looked at, members act, the relayer carries.
    pub(crate) async fn tick(&mut self) {
        self.look();
        self.act();
        let now = self.now();
        if self.idle.is_none_or(|(from, to)| now < from || now >= to) {
            self.carry();
        }
        self.turn += 1;
        self.chains[X].sleep(Duration::from_secs(1)).await;
    }

    /// Reads the final state of whoever is ahead.
    pub(crate) fn look(&mut self) {
        for (chain, known) in self.chains.iter().zip(&mut self.ledgers) {
            let heights = chain.heights();
            let Some((index, height)) = heights.into_iter().max_by_key(|(_, height)| *height)
            else {
                continue;
            };
            if height > known.tip().height {
                let machine = chain.machine(index).unwrap();
                *known = machine.with(|replica| replica.ledger().clone());
            }
        }
    }

    /// Gives a transaction to the next validator that runs.
    fn submit(&mut self, on: usize, transaction: Transaction) {
        let running: Vec<usize> = self.chains[on].heights().into_keys().collect();
        if let Some(index) = running.get(self.turn % running.len().max(1)) {
            // What is refused or waits already is said again later, where that helps.
            let _ = self.chains[on].submit(*index, transaction);
        }
    }

    fn say(&mut self, what: &'static str, wanted: bool, (on, it): (usize, Transaction)) {
        let now = self.now();
        let last = self.said.get(what);
        if wanted && last.is_none_or(|last| now >= last.plus_millis(AGAIN_MS)) {
            self.said.insert(what, now);
            self.submit(on, it);
        }
    }

    /// What members do as soon as their own ledgers allow, until it has been done.
    fn act(&mut self) {
        let (x, y) = (self.funds(X, "mg-x"), self.funds(Y, "mg-y"));
        self.say("money x", x == Money::ZERO, (Z, deposit(0, "mg-x", FUNDS)));
        self.say("money y", y == Money::ZERO, (Z, deposit(1, "mg-y", FUNDS)));
        let ready = x != Money::ZERO && y != Money::ZERO;
        let (buyer, seller, vpp) = self.standing();
        let (request, order, now) = (self.request.clone(), self.order(), self.now());
        let terms = request.terms.clone();
        let wanted = Transaction::Request(request.clone());
        let early = now < terms.deadline.minus_millis(60_000);
        self.say("request", ready && early && buyer.is_none(), (X, wanted));
        let offered = seller == Some(SellerState::Offered);
        self.say("accept", offered, (Y, accept(&terms, order)));
        let bound = buyer == Some(BuyerState::Committed);
        let purchase = self.ledgers[X].state().purchase(order);
        let returned = purchase.is_some_and(|purchase| purchase.key.is_some());
        let key = key_return(&terms, order);
        self.say("key", bound && !returned, (X, key));
        let over = now >= terms.end();
        let energy = Energy::from_millijoules(8_000_000_000);
        let given = metered("chain-y", "mg-y", START, energy);
        let confirmed = seller == Some(SellerState::Confirmed);
        self.say("meter y", over && confirmed, (Y, given));
        let taken = metered("chain-x", "mg-x", START, -energy);
        self.say("meter x", over && bound, (X, taken));
        // Anybody may say that time is up.
        let late = buyer == Some(BuyerState::Locked) && now > terms.deadline;
        self.say("timeout", late, (X, Transaction::Timeout(order)));
        let unanswered = offered && now >= terms.deadline;
        let expired = timeout_request(&terms, request.nonce);
        self.say("expired", unanswered, (Y, expired));
        let unbound = seller == Some(SellerState::Accepted) && now >= terms.gate_closure;
        self.say("void", unbound, (Y, Transaction::Void(order)));
        let grace = terms.metering_deadline.plus_millis(60_000);
        let open = vpp == Some(VppState::Open) && now > grace;
        self.say("default", open, (Z, Transaction::Default(order)));
    }

    /// Reads signatures from running validators, and carries what they are enough for.
    fn carry(&mut self) {
        for on in [X, Y, Z] {
            let said = self.ledgers[on].state().said().map(|(height, _)| height);
            let heights: std::collections::BTreeSet<u64> = said.collect();
            for (index, height) in (0..4).flat_map(|i| heights.iter().map(move |h| (i, *h))) {
                self.gather(on, index, height);
            }
        }
        let now = self.now();
        let views: Vec<LedgerView<'_>> = (self.ledgers.iter().zip(&self.carrier.attestations))
            .map(|(ledger, attestations)| LedgerView {
                ledger,
                attestations,
                now,
            })
            .collect();
        let views: Vec<&dyn ChainView> = views.iter().map(|view| view as &dyn ChainView).collect();
        for it in self.carrier.relayer.plan(now, &views, &Symbolic) {
            let on = CHAINS.iter().position(|name| chain(name) == it.to).unwrap();
            self.submit(on, Transaction::Certificate(it.certificate));
        }
    }

    fn gather(&mut self, on: usize, index: usize, height: u64) {
        let place = (on, height, index);
        let Some(machine) = self.chains[on].machine(index) else {
            return;
        };
        if self.carrier.signed.contains_key(&place) {
            return;
        }
        let signed = machine.with(|replica| replica.attestations(height).unwrap());
        if !signed.is_empty() {
            self.carrier.signed.insert(place, signed.len());
        }
        for one in signed {
            let kept = &mut self.carrier.attestations[on];
            assert!(
                kept.add(&one.statement, one.seat, one.signature),
                "two statements"
            );
        }
    }

    fn funds(&self, on: usize, who: &str) -> Money {
        let account = Account::Clearing(member(who));
        self.ledgers[on].state().balance(&account)
    }

    /// Where the order is.
    pub(crate) fn standing(&self) -> Standing {
        let order = self.order();
        let on = |on: usize| self.ledgers[on].state();
        (
            on(X).purchase(order).map(|it| it.state),
            on(Y).sale(order).map(|it| it.state),
            on(Z).settling(order).map(|it| it.state),
        )
    }

    /// What was settled, on X, Y and Z.
    pub(crate) fn settled(&self) -> [Option<Energy>; 3] {
        let order = self.order();
        let on = |on: usize| self.ledgers[on].state();
        let settling = on(Z).settling(order).and_then(|it| it.settlement);
        [
            on(X).purchase(order).and_then(|it| it.settled),
            on(Y).sale(order).and_then(|it| it.settled),
            settling.map(|it| it.settled),
        ]
    }

    /// Whether the order has come to its end everywhere.
    pub(crate) fn finished(&self) -> bool {
        use {BuyerState as B, SellerState as S};
        let (buyer, seller, vpp) = self.standing();
        let late = self.now() > self.request.terms.deadline;
        match (buyer, seller) {
            // The money came too late for a request.
            (None, None) => late,
            (Some(B::Settled | B::Refunded), Some(S::Settled | S::Rejected | S::Voided)) => {
                vpp != Some(VppState::Open)
            }
            _ => false,
        }
    }

    /// The order has come to its end everywhere, with S1, S4 and S5.
    pub(crate) fn check_ends(&self) {
        let standing = self.standing();
        assert!(self.finished(), "{standing:?} at {}", self.now());
        let states = [X, Y, Z].map(|on| self.ledgers[on].state());
        assert_eq!(
            ledgers_break(&self.request, states),
            [""; 0],
            "{standing:?}"
        );
        let settled = self.settled();
        if settled[X].is_some() {
            assert_eq!(settled[X], settled[Y]);
            assert_eq!(settled[X], settled[Z]);
        }
    }

    /// S2, S3 and S6 to S8 of every transaction that any ledger ever applied; and S11, once more: the blocks lead to the
    /// ledgers that are there.
    pub(crate) fn check_histories(&self) -> usize {
        let mut plan = Plan::of(1);
        plan.orders = vec![self.request.clone()];
        let mut applied = 0;
        for (chain, ledger) in self.chains.iter().zip(&self.ledgers) {
            let machine = (0..4).find_map(|index| chain.machine(index)).unwrap();
            let mut state = chain.founding().state().clone();
            for height in 1..=ledger.tip().height {
                let block = machine.with(|replica| replica.store().block(height).unwrap());
                let block = block.unwrap();
                let now = tieline_contract::state::Block {
                    height,
                    time: block.header.time,
                };
                for transaction in &block.body.transactions {
                    let Ok(checked) = state.check(transaction, now, &Symbolic) else {
                        continue;
                    };
                    let before = state.clone();
                    let transitions = state.apply(checked);
                    let came = state.balance(&Account::Outside) != Money::ZERO;
                    let all = [("mg-x", FUNDS), ("mg-y", FUNDS)];
                    plan.deposits = if came { all.to_vec() } else { Vec::new() };
                    let edge = Edge {
                        before: &before,
                        after: &state,
                        transaction,
                        transitions: &transitions,
                        now: now.time,
                    };
                    assert_eq!(breaks(&plan, edge), [], "block {height}: {transaction:?}");
                    applied += 1;
                }
            }
            assert_eq!(state.records(), ledger.state().records());
        }
        applied
    }

    /// Heights and names of all blocks: the same on all validators that run, or this panics.
    pub(crate) fn history(&self) -> Digest {
        let mut bytes = Vec::new();
        for chain in &self.chains {
            let top = agree(chain);
            let machine = (0..4).find_map(|index| chain.machine(index)).unwrap();
            for height in 1..=top {
                let block = machine.with(|replica| replica.store().block(height).unwrap());
                let home = chain.founding().home();
                let name = block.map(|block| block.digest(home));
                bytes.extend_from_slice(name.map_or([0; 32], |name| *name.as_bytes()).as_slice());
            }
        }
        Digest::of(&bytes)
    }
}
