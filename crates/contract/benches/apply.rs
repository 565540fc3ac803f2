//! What a transition costs a ledger, with symbolic signatures (everything but cryptography) and with real ones.
//!
//! `cargo bench -p tieline-contract --bench apply`. Certificates carry three signatures; a request's and an act's own
//! signature is one.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark stops when something is wrong"
)]

mod world;

use std::sync::Arc;

use divan::{Bencher, black_box};
use tieline_contract::apply;
use tieline_contract::certificate::Certificate;
use tieline_contract::member::Role;
use tieline_contract::state::{Block, State, Tariff};
use tieline_contract::terms::Request;
use tieline_contract::transaction::Transaction;
use tieline_seal::hybrid::{Suite, Verify};
use tieline_sim::acts;
use tieline_sim::village::{START, Village, accept, chain, decline, deposit, key_return};
use tieline_sim::world::{Side, evidence, handover};
use tieline_units::{Digest, Energy, Price, Time};

use crate::world::{Signing, World};

fn main() {
    divan::main();
}

const STEPS: [&str; 23] = [
    "T0", "T1", "T3", "T3 late", "T3'", "T4", "T4'", "T5", "T5k", "T5'", "T5''", "T6", "T6'",
    "T7 x", "T7 y", "T8c", "T8a", "T8", "T8'", "T9", "T10", "T16 net", "T16",
];

/// A ledger before a transition, and what brings it about.
struct Step {
    ledger: State,
    transaction: Transaction,
    block: Block,
    verify: &'static dyn Verify,
}

/// One order on its way.
struct Deal {
    world: World,
    request: Arc<Request>,
    now: Time,
}

impl Deal {
    fn new(signing: Signing) -> Deal {
        let mut world = World::new(signing);
        let now = START.minus_millis(3_600_000);
        world.fund(now);
        let request = world.request(world.village.terms(), 1);
        Deal {
            world,
            request,
            now,
        }
    }

    fn act(&mut self, name: &str, transaction: &Transaction) -> Vec<Transaction> {
        let transaction = self.world.signed(name, transaction);
        let said = self.world.act_all(name, self.now, &[transaction]);
        let tell = |certificate: Arc<Certificate>| Transaction::Certificate(certificate);
        said.into_iter().map(tell).collect()
    }

    /// The same with the symbols that sign it.
    fn symbols(&mut self, name: &str, transaction: &Transaction) -> Vec<Transaction> {
        let said = self
            .world
            .act_all(name, self.now, std::slice::from_ref(transaction));
        said.into_iter().map(Transaction::Certificate).collect()
    }

    /// The step that the transaction would make on a ledger.
    fn step(self, name: &str, transaction: &Transaction) -> Step {
        let transaction = self.world.signed(name, transaction);
        self.unsigned_step(name, &transaction)
    }

    fn unsigned_step(self, name: &str, transaction: &Transaction) -> Step {
        Step {
            transaction: transaction.clone(),
            block: self.world.block(name, self.now),
            verify: self.world.verify(),
            ledger: self.world.ledgers[name].clone(),
        }
    }
}

/// Brings an order to where the step is next.
fn before(signing: Signing, step: &str) -> Step {
    let mut deal = Deal::new(signing);
    let (request, order) = (deal.request.clone(), deal.request.order());
    let terms = request.terms.clone();
    let asked = Transaction::Request(request.clone());
    if step == "T0" {
        let local = acts::local_terms(&deal.world.village);
        let local = acts::local(&deal.world.request(local, 1));
        return deal.step("chain-x", &local);
    }
    if step == "T1" {
        return deal.step("chain-x", &asked);
    }
    let req = deal.act("chain-x", &asked).remove(0);
    match step {
        "T3" => return deal.step("chain-y", &req),
        "T3 late" => {
            deal.now = terms.deadline;
            return deal.step("chain-y", &req);
        }
        "T3'" => {
            deal.now = terms.deadline;
            return deal.step("chain-y", &Transaction::TimeoutRequest(request));
        }
        "T5'" => {
            deal.now = terms.deadline.plus_millis(1);
            return deal.step("chain-x", &Transaction::Timeout(order));
        }
        _ => {}
    }
    deal.act("chain-y", &req);
    match step {
        "T4" => return deal.step("chain-y", &accept(&terms, order)),
        "T4'" => return deal.step("chain-y", &decline(&terms, order)),
        "T5''" => {
            let rej = deal.act("chain-y", &decline(&terms, order)).remove(0);
            return deal.step("chain-x", &rej);
        }
        _ => {}
    }
    let acc = deal.act("chain-y", &accept(&terms, order)).remove(0);
    match step {
        "T5" => return deal.step("chain-x", &acc),
        "T6'" => {
            deal.now = terms.gate_closure;
            return deal.step("chain-y", &Transaction::Void(order));
        }
        _ => {}
    }
    let com = deal.act("chain-x", &acc).remove(0);
    match step {
        "T5k" => return deal.step("chain-x", &key_return(&terms, order)),
        "T6" => return deal.step("chain-y", &com),
        "T8c" => return deal.step("chain-z", &com),
        _ => {}
    }
    deal.act("chain-y", &com);
    deal.act("chain-z", &com);
    delivered(deal, step)
}

/// Phase 6.
fn delivered(mut deal: Deal, step: &str) -> Step {
    let terms = deal.request.terms.clone();
    deal.now = terms.end();
    let quantity = terms.quantity.as_millijoules();
    let bought = acts::registers("chain-x", "mg-x", terms.start, [0, 0], [0, quantity]);
    let sold = acts::registers("chain-y", "mg-y", terms.start, [0, quantity], [0, 0]);
    match step {
        "T7 x" => return deal.step("chain-x", &bought),
        "T7 y" => return deal.step("chain-y", &sold),
        "T8'" => {
            deal.now = terms
                .metering_deadline
                .plus_millis(deal.world.village.grace + 1);
            let overdue = Transaction::Default(deal.request.order());
            return deal.step("chain-z", &overdue);
        }
        _ => {}
    }
    let met_x = deal.act("chain-x", &bought).remove(0);
    let met_y = deal.act("chain-y", &sold).remove(0);
    if step == "T8a" {
        return deal.step("chain-z", &met_x);
    }
    deal.act("chain-z", &met_x);
    if step == "T8" {
        return deal.step("chain-z", &met_y);
    }
    let set = deal.act("chain-z", &met_y).remove(0);
    let [one, other] = ["chain-x", "chain-y"].map(chain);
    let net = Transaction::Net { one, other };
    if step == "T16" {
        deal.act("chain-x", &set);
        let transfer = deal.act("chain-z", &net).remove(0);
        return deal.step("chain-x", &transfer);
    }
    match step {
        "T16 net" => deal.step("chain-z", &net),
        "T9" => deal.step("chain-x", &set),
        "T10" => deal.step("chain-y", &set),
        other => panic!("no step {other}"),
    }
}

/// What is not about one order; with symbols: a signature costs what it costs above.
const REGISTRY: [&str; 17] = [
    "T11 apply",
    "T11 approve",
    "T11 revoke",
    "T11 chain",
    "T11 enrol",
    "T12 deposit",
    "T12 credit",
    "T13",
    "T14 epoch",
    "T14 participate",
    "T14 rotate",
    "T14 acknowledge",
    "T14 close",
    "T14 end",
    "T15",
    "T17",
    "T18",
];

/// Brings the ledgers to where the step is next.
fn before_registry(step: &str) -> Step {
    let mut deal = Deal::new(Signing::Symbols);
    let village = deal.world.village.clone();
    let mut newcomer = village.member("mg-new", "chain-x", Role::Microgrid);
    newcomer.nameplate = Village::default().nameplate;
    let seller = village.member("mg-y", "chain-y", Role::Microgrid);
    // Stakes lie on Z.
    deal.symbols("chain-z", &deposit(3, "vpp", village.funds));
    let money = deposit(4, "mg-x", village.funds);
    match step {
        "T11 apply" => return deal.unsigned_step("chain-z", &acts::register(&newcomer)),
        "T11 revoke" => return deal.unsigned_step("chain-z", &acts::revoke(&seller)),
        "T11 chain" => {
            let chain = acts::register_chain(village.committee("chain-n", 0));
            return deal.unsigned_step("chain-z", &chain);
        }
        "T12 deposit" => return deal.unsigned_step("chain-z", &money),
        "T12 credit" => {
            let said = deal.symbols("chain-z", &money).remove(0);
            return deal.unsigned_step("chain-x", &said);
        }
        "T13" => {
            let round = acts::round(Digest::of(b"round"), [deal.request.order()]);
            return deal.unsigned_step("chain-z", &round);
        }
        "T15" => {
            let evidence = evidence(&deal.request);
            return deal.unsigned_step("chain-z", &evidence);
        }
        "T17" => {
            let prices = Tariff {
                import: Price::from_millionths(300_000),
                export: Price::from_millionths(50_000),
            };
            return deal.unsigned_step("chain-z", &acts::tariff(START, prices));
        }
        "T18" => {
            let prices = Tariff {
                import: Price::from_millionths(300_000),
                export: Price::from_millionths(50_000),
            };
            deal.symbols("chain-z", &acts::tariff(START, prices));
            deal.now = deal.request.terms.end();
            let flows = [("mg-x", Energy::ZERO), ("mg-y", Energy::ZERO)];
            return deal.unsigned_step("chain-z", &acts::imbalance(START, flows));
        }
        "T11 approve" | "T11 enrol" => {
            deal.symbols("chain-z", &acts::register(&newcomer));
            if step == "T11 approve" {
                return deal.unsigned_step("chain-z", &acts::approve(&newcomer));
            }
            let said = deal.symbols("chain-z", &acts::approve(&newcomer)).remove(0);
            return deal.unsigned_step("chain-x", &said);
        }
        _ => {}
    }
    before_rotation(deal, step)
}

fn before_rotation(mut deal: Deal, step: &str) -> Step {
    let next = handover(&deal.world.village, Side::X);
    if step == "T14 epoch" {
        return deal.unsigned_step("chain-x", &next);
    }
    let opened = deal.symbols("chain-x", &next).remove(0);
    match step {
        "T14 participate" => return deal.unsigned_step("chain-x", &opened),
        "T14 rotate" => return deal.unsigned_step("chain-z", &opened),
        _ => {}
    }
    deal.symbols("chain-x", &opened);
    let known = deal.symbols("chain-z", &opened).remove(0);
    if step == "T14 acknowledge" {
        return deal.unsigned_step("chain-x", &known);
    }
    deal.symbols("chain-x", &known);
    if step == "T14 close" {
        return deal.unsigned_step("chain-x", &Transaction::CloseEpoch(0));
    }
    let ended = deal
        .symbols("chain-x", &Transaction::CloseEpoch(0))
        .remove(0);
    deal.unsigned_step("chain-z", &ended)
}

#[divan::bench(args = REGISTRY, sample_count = 300)]
fn registry(bencher: Bencher<'_, '_>, step: &str) {
    bench(bencher, &before_registry(step));
}

fn run(bencher: Bencher<'_, '_>, signing: Signing, step: &str) {
    bench(bencher, &before(signing, step));
}

fn bench(bencher: Bencher<'_, '_>, step: &Step) {
    bencher
        .with_inputs(|| step.ledger.clone())
        .bench_local_refs(|ledger| {
            apply(
                ledger,
                black_box(&step.transaction),
                step.block,
                step.verify,
            )
            .unwrap()
        });
}

#[divan::bench(args = STEPS, sample_count = 300)]
fn symbolic(bencher: Bencher<'_, '_>, step: &str) {
    run(bencher, Signing::Symbols, step);
}

#[divan::bench(args = STEPS, sample_count = 100, sample_size = 1)]
fn ml_dsa_65(bencher: Bencher<'_, '_>, step: &str) {
    run(bencher, Signing::Real(Suite::MlDsa65), step);
}

#[divan::bench(args = STEPS, sample_count = 100, sample_size = 1)]
fn hybrid(bencher: Bencher<'_, '_>, step: &str) {
    run(bencher, Signing::Real(Suite::Ed25519MlDsa65), step);
}
