//! Whatever anybody signs, in any order, on three ledgers: they refuse or do what their rules allow, never stop, and no
//! money is made.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use tieline_contract::certificate::Certificate;
use tieline_contract::member::Member;
use tieline_contract::payload::{Deposit, Payload, Reading, Registration, Transfer};
use tieline_contract::state::State;
use tieline_contract::transaction::Transaction;
use tieline_fuzz::contract::{Input, LEDGERS, TRANSACTIONS, again, sound, step};
use tieline_sim::forge::{certificate, signed_again};
use tieline_sim::samples::{EARLY, certified, villager};
use tieline_sim::village::{
    CHAINS, Village, accept, chain, decline, key_return, member, metered, request, signed,
};
use tieline_units::{Canonical as _, Digest, Energy, Money, Power, Price, Time};

/// Most steps of one run.
const STEPS: usize = 48;

/// Jumps of time: from a millisecond to beyond all of the village's deadlines.
const JUMPS: [u64; 8] = [
    1,
    30_000,
    900_000,
    1_800_000,
    3_600_000,
    7_200_000,
    86_400_000,
    u64::MAX / 4,
];

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let stage = usize::from(input.u8()) % STAGES.len();
    let mut run = STAGES[stage].clone();
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        run.step(&mut input);
    }
    run.ledgers.iter().for_each(sound);
});

/// A trade after each of its steps: none, requested, offered, accepted, committed, confirmed, known, metered, settled, paid.
static STAGES: LazyLock<Vec<Run>> = LazyLock::new(|| {
    let mut run = Run {
        ledgers: LEDGERS.clone(),
        now: EARLY,
        said: Vec::new(),
    };
    let mut stages = vec![run.clone()];
    let wanted = request(Village::default().terms(), 7);
    let (order, terms) = (wanted.order(), wanted.terms.clone());
    let delivered = Energy::from_millijoules(8_100_000_000);
    let steps: [(usize, Option<Transaction>); 12] = [
        (0, Some(Transaction::Request(wanted))),
        (1, None),
        (1, Some(accept(&terms, order))),
        (0, None),
        (0, Some(key_return(&terms, order))),
        (1, None),
        (2, None),
        (1, Some(metered("chain-y", "mg-y", terms.start, delivered))),
        (2, None),
        (
            0,
            Some(metered("chain-x", "mg-x", terms.start, -terms.quantity)),
        ),
        (2, None),
        (0, None),
    ];
    for (to, transaction) in steps {
        if let Some(Transaction::Meter(_)) = transaction {
            run.now = terms.end();
        }
        let last = run.said.last().cloned().map(Transaction::Certificate);
        if let Some(transaction) = transaction.or(last) {
            run.apply(to, &transaction);
            stages.push(run.clone());
        }
    }
    let paid = run.ledgers[0]
        .purchase(order)
        .and_then(|purchase| purchase.settled);
    assert_eq!(paid, Some(delivered), "the trade goes through");
    stages
});

#[derive(Clone)]
struct Run {
    ledgers: [State; 3],
    now: Time,
    said: Vec<Arc<Certificate>>,
}

impl Run {
    fn step(&mut self, input: &mut Input<'_>) {
        let (what, to) = (input.u8(), usize::from(input.u8()) % 3);
        match what % 12 {
            0 => {
                let jump = JUMPS[usize::from(input.u8()) % JUMPS.len()];
                self.now = self.now.plus_millis(jump);
            }
            1 | 2 => {
                if let Some(sample) = input.pick(&TRANSACTIONS) {
                    let mut edited = sample.clone();
                    input.edit(&mut edited);
                    if let Some(transaction) = again::<Transaction>(&edited) {
                        let transaction = signed_again(&self.ledgers[to], &transaction);
                        self.apply(to, &transaction);
                    }
                }
            }
            3 | 4 => {
                if let Some(honest) = input.pick(&self.said) {
                    let transaction = Transaction::Certificate(honest.clone());
                    self.apply(to, &transaction);
                }
            }
            5 => self.forged(input, to),
            6 => {
                if let Some(transaction) = traded(input) {
                    let transaction = signed_again(&self.ledgers[to], &transaction);
                    self.apply(to, &transaction);
                }
            }
            7 => self.answered(input, to),
            8 => self.overdue(input, to),
            9 | 10 => {
                let payload = self.made_up(input, to);
                let height = u64::from(input.u8());
                let forged = certified(&self.ledgers[to], height, payload);
                self.apply(to, &Transaction::Certificate(forged));
            }
            _ => {
                let (who, home) =
                    [("mg-x", 0), ("mg-y", 1), ("mg-x2", 0)][usize::from(input.u8()) % 3];
                let start = self.now.as_millis().min(1 << 50) / 900_000;
                let start = start.saturating_sub(u64::from(input.u8() % 8)) * 900_000;
                let energy = Energy::from_millijoules(input.i64().max(-i64::MAX));
                let batch = metered(CHAINS[home], who, Time::from_millis(start), energy);
                self.apply(home, &batch);
            }
        }
    }

    fn apply(&mut self, to: usize, transaction: &Transaction) {
        let said = step(&mut self.ledgers[to], self.now, transaction);
        self.said.extend(said);
    }

    /// A payload that was said, edited, and said by all members of any chain.
    fn forged(&mut self, input: &mut Input<'_>, to: usize) {
        let Some(honest) = input.pick(&self.said) else {
            return;
        };
        let from = [honest.chain.as_str(), CHAINS[usize::from(input.u8()) % 3]];
        let from = from[usize::from(input.u8()) % 2].to_owned();
        let (epoch, height) = (u64::from(input.u8() % 3), u64::from(input.u8()));
        let mut edited = honest.payload.to_bytes();
        input.edit(&mut edited);
        if let Some(payload) = again::<Payload>(&edited) {
            let forged = certificate(&self.ledgers[to], (&from, epoch), height, payload);
            let forged = Transaction::Certificate(forged);
            let forged = signed_again(&self.ledgers[to], &forged);
            self.apply(to, &forged);
        }
    }

    /// Numbers of the input in a payload that a ledger has not seen: money, transfers, plants, readings.
    fn made_up(&self, input: &mut Input<'_>, to: usize) -> Payload {
        let (sequence, parties) = (u64::from(input.u8() % 8), ["mg-x", "mg-y", "mg-x2"]);
        let who = parties[usize::from(input.u8()) % 3];
        let home = self.ledgers[to].rules().chain.clone();
        match input.u8() % 5 {
            0 => Payload::Deposit {
                sequence,
                deposit: Deposit {
                    member: member(who),
                    home,
                    amount: Money::from_millionths(input.i64()),
                },
            },
            1 => {
                let transfers = (0..input.u8() % 4).map(|_| {
                    let away = chain(CHAINS[usize::from(input.u8()) % 3]);
                    let (from, to) = match input.u8() % 2 {
                        0 => (home.clone(), away),
                        _ => (away, home.clone()),
                    };
                    Transfer {
                        party: member(parties[usize::from(input.u8()) % 3]),
                        from,
                        to,
                        amount: Money::from_millionths(input.i64()),
                    }
                });
                let transfers = transfers.collect();
                Payload::Net {
                    sequence,
                    transfers,
                }
            }
            2 => {
                let nameplate = Power::from_milliwatts(input.i64());
                let member = Member {
                    nameplate,
                    ..villager(who)
                };
                let registration = Registration::Member(Arc::new(member));
                Payload::Register {
                    sequence,
                    registration,
                }
            }
            end => {
                let reading = Arc::new(Reading {
                    request: request(Village::default().terms(), u64::from(input.u8() % 4) + 6),
                    energy: Energy::from_millijoules(input.i64()),
                    trade_hash: Digest::of(b"trade"),
                });
                match end {
                    3 => Payload::Taken(reading),
                    _ => Payload::Delivered(reading),
                }
            }
        }
    }

    /// An order that a ledger knows, answered by the party whose turn it may be.
    fn answered(&mut self, input: &mut Input<'_>, to: usize) {
        let ledger = &self.ledgers[to];
        let orders: Vec<_> = ledger.orders().into_iter().collect();
        let Some(&order) = input.pick(&orders) else {
            return;
        };
        let sold = ledger.sale(order).and_then(|sale| sale.request.clone());
        let bought = ledger
            .purchase(order)
            .map(|purchase| purchase.request.clone());
        let Some(request) = sold.or(bought) else {
            return;
        };
        let answer = match input.u8() % 3 {
            0 => accept(&request.terms, order),
            1 => decline(&request.terms, order),
            _ => key_return(&request.terms, order),
        };
        let answer = signed_again(ledger, &answer);
        self.apply(to, &answer);
    }

    fn overdue(&mut self, input: &mut Input<'_>, to: usize) {
        let orders: Vec<_> = self.ledgers[to].orders().into_iter().collect();
        let Some(&order) = input.pick(&orders) else {
            return;
        };
        let transaction = match input.u8() % 3 {
            0 => Transaction::Timeout(order),
            1 => Transaction::Void(order),
            _ => Transaction::Default(order),
        };
        self.apply(to, &transaction);
    }
}

/// A request with numbers of the input, between two chains or on one.
fn traded(input: &mut Input<'_>) -> Option<Transaction> {
    let mut terms = Village::default().terms();
    terms.quantity = Energy::from_millijoules(input.i64());
    terms.price = Price::from_millionths(input.i64());
    terms.seller_price = Price::from_millionths(input.i64());
    terms.escrow = Money::from_millionths(input.i64());
    terms.bond = Money::from_millionths(input.i64());
    terms.imbalance = Price::from_millionths(input.i64());
    let nonce = u64::from(input.u8() % 4);
    if input.u8() % 4 != 0 {
        return Some(Transaction::Request(request(terms, nonce)));
    }
    terms.chain_y = terms.chain_x.clone();
    terms.genesis_y = terms.genesis_x;
    let seller = ["mg-x2", "mg-x"][usize::from(input.u8() % 2)];
    terms.seller = member(seller);
    let request = request(terms.clone(), nonce);
    let Transaction::Signed(answer) = accept(&terms, request.order()) else {
        return None;
    };
    let answer = signed("chain-x", seller, answer.act.clone());
    Some(Transaction::Local { request, answer })
}
