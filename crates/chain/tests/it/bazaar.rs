//! Random histories of the three ledgers: everything that members, operator, verification nodes and relayers can do, in any
//! order, sensible or not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tieline_chain::block::Block;
use tieline_chain::{Executed, Ledger};
use tieline_contract::certificate::Certificate;
use tieline_contract::member::MeterBatch;
use tieline_contract::payload::Kind;
use tieline_contract::state::Tariff;
use tieline_contract::terms::{OrderId, Request, Terms};
use tieline_contract::transaction::{
    Act, Contradiction, Evidence, NextEpoch, Transaction, committee_message,
};
use tieline_seal::hybrid::Purpose;
use tieline_sim::symbol::{Symbolic, key, sign};
use tieline_sim::village::{
    CHAINS, START, Village, accept, certificates, chain, decline, deposit, key_return, member,
    metered, request, seat_key, signed,
};
use tieline_units::{Digest, Energy, Money, Price, Time};

use crate::world::{block, home, ledger};

pub(crate) struct Bazaar {
    pub(crate) ledgers: Vec<Ledger>,
    pub(crate) blocks: Vec<Vec<Block>>,
    pub(crate) certificates: Vec<Arc<Certificate>>,
    village: Village,
    rng: ChaCha8Rng,
    requests: Vec<Arc<Request>>,
    now: Time,
    calm: bool,
    carried: [usize; 3],
    registers: [(u64, Energy, Energy); 2],
}

fn pick<T: Clone>(rng: &mut ChaCha8Rng, from: &[T]) -> Option<T> {
    let index = rng.next_u32() as usize % from.len().max(1);
    from.get(index).cloned()
}

impl Bazaar {
    pub(crate) fn new(seed: u64) -> Bazaar {
        let village = Village::default();
        Bazaar {
            ledgers: CHAINS.map(|name| ledger(&village, name)).into(),
            blocks: vec![Vec::new(); 3],
            certificates: Vec::new(),
            village,
            rng: ChaCha8Rng::seed_from_u64(seed),
            requests: Vec::new(),
            now: START.minus_millis(3 * 3_600_000),
            carried: [0; 3],
            registers: [(0, Energy::ZERO, Energy::ZERO); 2],
            calm: !seed.is_multiple_of(3),
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.rng.next_u32() as usize) % bound
    }

    /// The next block of a random chain, executed.
    pub(crate) fn step(&mut self) -> (usize, Executed) {
        let on = self.below(3);
        let hop = 1 + self.below(90_000) as u64;
        self.now = self.now.plus_millis(hop);
        let count = self.below(9);
        let mut transactions: BTreeMap<Digest, Transaction> = BTreeMap::new();
        if self.below(2) == 0 {
            let new = self.certificates[self.carried[on]..]
                .iter()
                .take(30)
                .cloned();
            let new: Vec<_> = new.map(Transaction::Certificate).collect();
            self.carried[on] += new.len();
            for transaction in new {
                let name = tieline_chain::block::transaction_hash(&transaction);
                transactions.insert(name, transaction);
            }
        }
        for _ in 0..count {
            if let Some(transaction) = self.transaction(on) {
                let name = tieline_chain::block::transaction_hash(&transaction);
                transactions.insert(name, transaction);
            }
        }
        let next = block(
            &self.ledgers[on],
            self.now,
            transactions.into_values().collect(),
        );
        let name = chain(CHAINS[on]);
        let epoch = self.ledgers[on].state().current(&name).unwrap().epoch;
        let executed = self.ledgers[on].execute(&next, &Symbolic).unwrap();
        self.blocks[on].push(next);
        let state = self.ledgers[on].state();
        let said = certificates(state, executed.height, epoch, &[0, 1, 2, 3]);
        self.certificates.extend(said);
        (on, executed)
    }

    fn transaction(&mut self, on: usize) -> Option<Transaction> {
        let recent = self.requests.len().saturating_sub(10);
        let order = pick(&mut self.rng, &self.requests[recent..]);
        let known = order.as_ref().map(|request| request.order());
        let calm = self.calm;
        match self.below(200) {
            0..=109 => {
                let recent = self.certificates.len().saturating_sub(24);
                let certificate = match self.below(4) {
                    0 => pick(&mut self.rng, &self.certificates),
                    _ => pick(&mut self.rng, &self.certificates[recent..]),
                };
                certificate.map(Transaction::Certificate)
            }
            110..=121 => Some(self.deposit()),
            122..=135 => Some(self.request()),
            136..=150 => Some(accept(&order?.terms, known?)),
            151 => Some(decline(&order?.terms, known?)),
            152..=157 => Some(key_return(&order?.terms, known?)),
            158 | 159 => Some(Transaction::TimeoutRequest(order?)),
            160..=163 => Some(Transaction::Timeout(known?)),
            164..=167 => Some(Transaction::Void(known?)),
            168..=170 => Some(Transaction::Default(known?)),
            171..=184 => self.meter(on),
            185 if !calm => Some(self.epoch(on)),
            186 | 187 if !calm => Some(Transaction::CloseEpoch(self.below(2) as u64)),
            188 if !calm => self.evidence(),
            189 | 190 => Some(Transaction::Net {
                one: chain("chain-x"),
                other: chain("chain-y"),
            }),
            191 | 192 => self.local(on),
            _ => Some(self.operator()),
        }
    }

    /// Both gateways of one chain at once.
    fn local(&mut self, on: usize) -> Option<Transaction> {
        (on == 0).then_some(())?;
        let Transaction::Request(wanted) = self.request() else {
            return None;
        };
        let mut terms = Terms::clone(&wanted.terms);
        (terms.seller, terms.chain_y) = (member("mg-x2"), terms.chain_x.clone());
        terms.genesis_y = terms.genesis_x;
        terms.rendering_hash = terms.rendering_digest();
        let request = request(terms, wanted.nonce);
        *self.requests.last_mut()? = request.clone();
        let Transaction::Signed(answer) = accept(&request.terms, request.order()) else {
            return None;
        };
        Some(Transaction::Local { request, answer })
    }

    fn deposit(&mut self) -> Transaction {
        let deposits = self.certificates.iter().map(|c| c.payload.kind());
        let next = deposits.filter(|kind| *kind == Kind::Deposit).count() as u64;
        let sequence = next + u64::from(self.below(8) == 0);
        let who = ["mg-x", "mg-y", "vpp", "mg-x2"][self.below(4)];
        deposit(sequence, who, Money::from_millionths(90_000_000))
    }

    fn request(&mut self) -> Transaction {
        let nonce = self.requests.len() as u64;
        let mut terms = self.village.terms();
        let interval = self.now.as_millis() / 900_000 + 3 + self.below(3) as u64;
        terms.start = Time::from_millis(interval * 900_000);
        terms.deadline = terms.start.minus_millis(1_800_000);
        terms.gate_closure = terms.start.minus_millis(300_000);
        terms.metering_deadline = terms.start.plus_millis(4_500_000);
        terms.rendering_hash = terms.rendering_digest();
        let request = request(terms, nonce);
        self.requests.push(request.clone());
        Transaction::Request(request)
    }

    fn meter(&mut self, on: usize) -> Option<Transaction> {
        let (home_of, who) = [("chain-x", "mg-x"), ("chain-y", "mg-y")]
            .get(on)
            .copied()?;
        let (last, exported, imported) = self.registers[on];
        let interval = (last + 1).max(self.now.as_millis() / 900_000 - 1);
        let start = Time::from_millis(interval * 900_000);
        let net = Energy::from_millijoules(self.below(4) as i64 * 3_000_000_000);
        let Transaction::Meter(batch) =
            metered(home_of, who, start, if on == 0 { -net } else { net })
        else {
            return None;
        };
        let mut batch = MeterBatch::clone(&batch);
        for (register, before) in [
            (&mut batch.exported, exported),
            (&mut batch.imported, imported),
        ] {
            register.before = before;
            register.after += before;
        }
        if self.now >= batch.end() {
            self.registers[on] = (interval, batch.exported.after, batch.imported.after);
        }
        let domain = home(home_of).domain(0, Purpose::Meter);
        let meter = key(&format!("{who} meter"));
        batch.signature = sign(&meter, &domain, &batch.message());
        Some(Transaction::Meter(Arc::new(batch)))
    }

    fn epoch(&mut self, on: usize) -> Transaction {
        let name = CHAINS[on];
        let state = self.ledgers[on].state();
        let present = state.current(&chain(name)).unwrap().clone();
        let next = self.village.committee(name, present.epoch + 1);
        let domain = home(name).domain(present.epoch, Purpose::Transaction);
        let message = committee_message(&next);
        let approve = |seat: u8| {
            let key = seat_key(name, present.epoch, usize::from(seat));
            (seat, sign(&key, &domain, &message))
        };
        Transaction::Epoch(Arc::new(NextEpoch {
            candidates: next.seats.clone(),
            committee: Arc::new(next),
            approvals: (0..3).map(approve).collect(),
        }))
    }

    fn evidence(&mut self) -> Option<Transaction> {
        let one = pick(&mut self.rng, &self.certificates)?;
        let mut statement = one.statement()?;
        statement.state_root = Digest::of(b"another");
        let domain = statement.domain(Purpose::Attestation);
        let sign_one = |seat: u8| {
            let key = seat_key(one.chain.as_str(), one.epoch, usize::from(seat));
            (seat, sign(&key, &domain, &statement.message()))
        };
        let mut other = Certificate::clone(&one);
        other.state_root = statement.state_root;
        other.attestations = (0..3).map(sign_one).collect();
        Some(Transaction::Evidence(Arc::new(Evidence {
            one,
            other: Contradiction::Certificate(Arc::new(other)),
        })))
    }

    fn operator(&mut self) -> Transaction {
        let start = START.plus_millis(900_000 * (self.below(24) as u64));
        let orders: BTreeSet<OrderId> = self.requests.iter().map(|r| r.order()).collect();
        let act = match self.below(7) {
            0 => Act::Round {
                hash: Digest::of(&[self.below(9) as u8]),
                orders,
            },
            1 => {
                let mut again = self.village.members().remove(3);
                again.legal_name = format!("aggregator {}", self.below(3));
                let act = Act::Register(Arc::new(again));
                return Transaction::Signed(signed("chain-z", "aggregator", act));
            }
            2 => {
                let mut again = self.village.members().remove(3);
                again.legal_name = format!("aggregator {}", self.below(3));
                Act::Approve {
                    member: member("aggregator"),
                    record: tieline_contract::record_digest(&again),
                }
            }
            3 => self.register_chain(),
            4 => {
                let record = self.village.members().remove(2);
                let record = tieline_contract::record_digest(&record);
                let member = member("mg-y");
                let late = self.blocks[2].len() > 110;
                let member = if late { member } else { self::member("nobody") };
                Act::Revoke { member, record }
            }
            5 => self.imbalance(),
            _ => Act::Tariff {
                start,
                tariff: Tariff {
                    import: Price::from_millionths(300_000),
                    export: Price::from_millionths(50_000),
                },
            },
        };
        Transaction::Signed(signed("chain-z", "vpp", act))
    }

    /// Of an interval whose prices are known, where one is over.
    fn imbalance(&mut self) -> Act {
        let z = self.ledgers[2].state();
        let all = (0..24).map(|index| START.plus_millis(900_000 * index));
        let over = all
            .filter(|start| start.plus_millis(900_000) <= self.now && z.tariff(*start).is_some());
        let over: Vec<Time> = over.collect();
        let start = pick(&mut self.rng, &over).unwrap_or(START);
        let net = self.below(20_000_000_000) as i64 - 10_000_000_000;
        let who = ["mg-x", "mg-y"][self.below(2)];
        let flows = [(member(who), Energy::from_millijoules(net))].into();
        Act::Imbalance { start, flows }
    }

    fn register_chain(&mut self) -> Act {
        let name = ["chain-w", "chain-v"][self.below(2)];
        let committee = self.village.committee(name, 0);
        let domain = home(name).domain(0, Purpose::Possession);
        let message = committee_message(&committee);
        let prove = |seat: u8| {
            let key = seat_key(name, 0, usize::from(seat));
            (seat, sign(&key, &domain, &message))
        };
        Act::RegisterChain {
            possession: (0..4).map(prove).collect(),
            committee: Arc::new(committee),
        }
    }
}
