//! What the operator, gateways and meters of three chains sign, with the keys that they were founded with.

use std::collections::BTreeMap;
use std::sync::Arc;

use tieline::node::keys::{MemberSeeds, signing_key};
use tieline_chain::Home;
use tieline_chain::genesis::Genesis;
use tieline_contract::member::{Member, MeterBatch, Register};
use tieline_contract::record_digest;
use tieline_contract::terms::{OrderId, Request, Terms, Unconditional};
use tieline_contract::trade::KeyReturn;
use tieline_contract::transaction::{Act, Signed, Transaction, committee_message};
use tieline_seal::hybrid::{Purpose, SigningKey};
use tieline_seal::keys::Agreement;
use tieline_units::{Digest, Energy, MicrogridId, Money};

use crate::chain::ground::{Ground, phrase};

/// A microgrid with its chain.
pub(crate) struct Grid {
    pub(crate) genesis: Genesis,
    /// As its own genesis has it.
    pub(crate) member: Member,
    gateway: SigningKey,
    meter: SigningKey,
    /// Of its chain's verification nodes, by seat.
    seats: Vec<SigningKey>,
}

pub(crate) fn id(name: &str) -> MicrogridId {
    MicrogridId::parse(name).unwrap()
}

fn named(what: &str) -> Unconditional {
    Unconditional::Named {
        hash: Digest::of(what.as_bytes()),
    }
}

/// An act signed for a chain.
fn signed(home: &Home, (by, key): (&MicrogridId, &SigningKey), act: Act) -> Transaction {
    let domain = home.domain(0, Purpose::Transaction);
    let signature = key.sign(&domain, &act.message(by));
    let by = by.clone();
    Transaction::Signed(Arc::new(Signed { by, act, signature }))
}

fn member_of(genesis: &Genesis, name: &str) -> Member {
    let mut members = genesis.document().members.iter();
    members.find(|it| it.id == id(name)).unwrap().clone()
}

impl Grid {
    /// The microgrid `name` of a chain that was founded.
    pub(crate) fn of(ground: &Ground, chain: &str, name: &str) -> Grid {
        let genesis = ground.genesis(chain);
        let file = ground.path(&format!("{chain}/members/{name}.sealed"));
        let seeds = MemberSeeds::read(&file, &phrase()).unwrap();
        let seats = 1..=genesis.document().verifiers.seats.len();
        Grid {
            member: member_of(&genesis, name),
            gateway: signing_key(&seeds.gateway),
            meter: signing_key(&seeds.meters[0]),
            seats: seats.map(|it| ground.node(chain, it).attestation).collect(),
            genesis,
        }
    }

    fn act(&self, act: Act) -> Transaction {
        let by = (&self.member.id, &self.gateway);
        signed(&self.genesis.home(), by, act)
    }

    /// T1.
    pub(crate) fn request(&self, terms: Terms, nonce: u64) -> Arc<Request> {
        let unconditional = named("unconditional signature of a batch");
        let message = Request::message(terms.order(nonce), &unconditional);
        let signature = self.gateway.sign(&Request::domain(&terms), &message);
        Arc::new(Request {
            terms: Arc::new(terms),
            nonce,
            unconditional,
            signature,
        })
    }

    /// T4.
    pub(crate) fn accept(&self, order: OrderId) -> Transaction {
        self.act(Act::Accept {
            order,
            response_commitment: Digest::of(b"response"),
            sealed_response: Arc::from(&b"sealed"[..]),
            unconditional: named("unconditional signature of the seller"),
        })
    }

    /// T5k.
    pub(crate) fn key_return(&self, order: OrderId) -> Transaction {
        let key = KeyReturn {
            key_hash: Digest::of(b"key of the trade"),
            sealed_key: Arc::from(&b"sealed key"[..]),
            agreement: Agreement::Qkd,
            unconditional: named("unconditional signature of the buyer"),
        };
        self.act(Act::KeyReturn {
            order,
            key: Arc::new(key),
        })
    }

    /// T7: so much exported, or imported where it is below zero, since the meter was installed, in the interval of `terms`.
    pub(crate) fn metered(&self, terms: &Terms, net: Energy) -> Transaction {
        let register = |energy: Energy| Register {
            before: Energy::ZERO,
            after: energy.max(Energy::ZERO),
        };
        let domain = self.genesis.home().domain(0, Purpose::Meter);
        let mut batch = MeterBatch {
            member: self.member.id.clone(),
            meter: 0,
            line: None,
            start: terms.start,
            length: terms.length,
            exported: register(net),
            imported: register(-net),
            signature: self.meter.sign(&domain, b""),
        };
        batch.signature = self.meter.sign(&domain, &batch.message());
        Transaction::Meter(Arc::new(batch))
    }
}

/// Who signs on Z.
pub(crate) struct Vpp {
    home: Home,
    aggregator: Member,
    matching: SigningKey,
    operator: SigningKey,
    sequence: u64,
}

impl Vpp {
    pub(crate) fn of(ground: &Ground, chain: &str) -> Vpp {
        let genesis = ground.genesis(chain);
        Vpp {
            home: genesis.home(),
            aggregator: member_of(&genesis, "aggregator"),
            matching: ground.member(chain, "aggregator"),
            operator: ground.member(chain, "vpp"),
            sequence: 0,
        }
    }

    fn act(&self, act: Act) -> Transaction {
        signed(&self.home, (&id("vpp"), &self.operator), act)
    }

    /// T11: somebody applies and the operator approves, two transactions.
    fn enrol(&self, who: &Member, key: &SigningKey) -> [Transaction; 2] {
        let apply = Act::Register(Arc::new(who.clone()));
        let approve = Act::Approve {
            member: who.id.clone(),
            record: record_digest(who),
        };
        [signed(&self.home, (&who.id, key), apply), self.act(approve)]
    }

    /// T11: the chain of a microgrid with its verification nodes.
    fn chain(&self, grid: &Grid) -> Transaction {
        let committee = grid.genesis.committees().remove(0);
        let domain = grid.genesis.home().domain(0, Purpose::Possession);
        let message = committee_message(&committee);
        let keys = (0..).zip(&grid.seats);
        let signatures = keys.map(|(seat, key)| (seat, key.sign(&domain, &message)));
        let possession: BTreeMap<_, _> = signatures.collect();
        self.act(Act::RegisterChain {
            committee: Arc::new(committee),
            possession,
        })
    }

    /// T12: money at home.
    fn deposit(&mut self, who: &Grid, amount: Money) -> Transaction {
        let (sequence, member) = (self.count(), who.member.id.clone());
        self.act(Act::Deposit {
            sequence,
            member,
            amount,
        })
    }

    /// T12: what an owner stands for its chain's verification nodes with.
    fn stake(&mut self, who: &Grid) -> Transaction {
        let seats = i64::try_from(who.seats.len()).unwrap();
        let stake = who.genesis.document().stake.as_millionths();
        let (sequence, member) = (self.count(), who.member.id.clone());
        self.act(Act::Stake {
            sequence,
            member,
            amount: Money::from_millionths(stake * seats),
        })
    }

    fn count(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence - 1
    }

    /// Everything that Z is told before two microgrids can trade, in order; what is in one list can wait together.
    pub(crate) fn onboarding(&mut self, grids: [&Grid; 2], funds: Money) -> Vec<Vec<Transaction>> {
        let applying = grids.map(|grid| self.enrol(&grid.member, &grid.gateway));
        let aggregator = self.enrol(&self.aggregator, &self.matching);
        let (apply, approve) = applying
            .into_iter()
            .chain([aggregator])
            .map(|[apply, approve]| (apply, approve))
            .unzip();
        let mut all = vec![apply, approve];
        // Numbered, so each waits for the one before.
        all.extend(grids.map(|grid| vec![self.stake(grid)]));
        all.push(grids.map(|grid| self.chain(grid)).into());
        all.extend(grids.map(|grid| vec![self.deposit(grid, funds)]));
        all
    }
}
