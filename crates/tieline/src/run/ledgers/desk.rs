//! What gateways, meters and the VPP's operator sign.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tieline_chain::Home;
use tieline_contract::member::{Member, MeterBatch, Register};
use tieline_contract::record_digest;
use tieline_contract::state::Tariff;
use tieline_contract::terms::{OrderId, Request, Terms, Unconditional};
use tieline_contract::threshold::Committee;
use tieline_contract::trade::KeyReturn;
use tieline_contract::transaction::{Act, Signed, Transaction, committee_message};
use tieline_seal::hybrid::{Purpose, Signature, SigningKey};
use tieline_units::{Digest, Energy, IntervalLength, MicrogridId, Money, Time};

use super::founding::{AGGREGATOR, Founding, METERS, VPP, id};
use crate::node::keys::signing_key;
use crate::run::keys::trade::TradeKeys;

/// Somebody who signs acts on a chain.
pub struct Pen {
    by: MicrogridId,
    key: SigningKey,
    home: Home,
}

impl Pen {
    fn sign(&self, act: Act) -> Arc<Signed> {
        let domain = self.home.domain(0, Purpose::Transaction);
        let signature = self.key.sign(&domain, &act.message(&self.by));
        Arc::new(Signed {
            by: self.by.clone(),
            act,
            signature,
        })
    }

    fn act(&self, act: Act) -> Transaction {
        Transaction::Signed(self.sign(act))
    }
}

/// A microgrid's gateway and its meters.
pub struct Desk {
    /// Who.
    pub member: Member,
    pen: Pen,
    meters: Vec<SigningKey>,
    /// What each meter has counted: exported, imported.
    registers: Vec<(Energy, Energy)>,
    nonce: u64,
}

impl Desk {
    /// Of the microgrid with this index.
    pub fn new(founding: &Founding, index: usize) -> Desk {
        let member = founding.members[index].clone();
        let home = founding.chains[founding.homes[index]].genesis.home();
        Desk {
            pen: Pen {
                by: member.id.clone(),
                key: signing_key(&founding.gateway(&member.id)),
                home,
            },
            meters: (0..METERS)
                .map(|meter| signing_key(&founding.meter(&member.id, meter)))
                .collect(),
            registers: vec![(Energy::ZERO, Energy::ZERO); METERS],
            nonce: 0,
            member,
        }
    }

    /// A number that no request of this gateway has had.
    pub fn next_nonce(&mut self) -> u64 {
        self.nonce += 1;
        self.nonce
    }

    /// T1: the demand, with the unconditional signature of its batch.
    pub fn request(&self, terms: Arc<Terms>, nonce: u64, unconditional: Unconditional) -> Request {
        let message = Request::message(terms.order(nonce), &unconditional);
        let signature = self.pen.key.sign(&Request::domain(&terms), &message);
        Request {
            terms,
            nonce,
            unconditional,
            signature,
        }
    }

    /// T4.
    pub fn accept(
        &self,
        order: OrderId,
        keys: &TradeKeys,
        unconditional: Unconditional,
    ) -> Arc<Signed> {
        self.pen.sign(Act::Accept {
            order,
            response_commitment: keys.commitment,
            sealed_response: keys.sealed_response.clone(),
            unconditional,
        })
    }

    /// T4'.
    pub fn decline(&self, order: OrderId) -> Transaction {
        self.pen.act(Act::Decline(order))
    }

    /// T5k.
    pub fn key_return(&self, order: OrderId, key: KeyReturn) -> Transaction {
        self.pen.act(Act::KeyReturn {
            order,
            key: Arc::new(key),
        })
    }

    /// T7: `net` of this interval, export positive, at the tie line or on the line of an order.
    pub fn metered(
        &mut self,
        (start, length): (Time, IntervalLength),
        line: Option<OrderId>,
        net: Energy,
    ) -> Transaction {
        let meter = usize::from(line.is_some());
        let (exported, imported) = self.registers[meter];
        let more = (net.max(Energy::ZERO), (-net).max(Energy::ZERO));
        let after = (exported + more.0, imported + more.1);
        self.registers[meter] = after;
        let domain = self.pen.home.domain(0, Purpose::Meter);
        let key = &self.meters[meter];
        let mut batch = MeterBatch {
            member: self.member.id.clone(),
            meter: u8::try_from(meter).expect("two meters"),
            line,
            start,
            length,
            exported: Register {
                before: exported,
                after: after.0,
            },
            imported: Register {
                before: imported,
                after: after.1,
            },
            signature: key.sign(&domain, b""),
        };
        batch.signature = key.sign(&domain, &batch.message());
        Transaction::Meter(Arc::new(batch))
    }

    /// What flowed at the tie line in an interval whose reading is lost: the register counts it all the same.
    pub fn unread(&mut self, net: Energy) {
        let (exported, imported) = &mut self.registers[0];
        *exported += net.max(Energy::ZERO);
        *imported += (-net).max(Energy::ZERO);
    }

    /// T11: the gateway applies on Z.
    pub fn apply(&self, z: &Home) -> Transaction {
        apply(&self.member, &self.pen.key, z)
    }
}

fn apply(member: &Member, key: &SigningKey, z: &Home) -> Transaction {
    let act = Act::Register(Arc::new(member.clone()));
    let domain = z.domain(0, Purpose::Transaction);
    let signature = key.sign(&domain, &act.message(&member.id));
    Transaction::Signed(Arc::new(Signed {
        by: member.id.clone(),
        act,
        signature,
    }))
}

/// Who runs the VPP.
pub struct Operator {
    pen: Pen,
    aggregator: Member,
    aggregator_key: SigningKey,
}

impl Operator {
    /// Of these chains.
    pub fn new(founding: &Founding) -> Operator {
        Operator {
            pen: Pen {
                by: id(VPP),
                key: signing_key(&founding.gateway(&id(VPP))),
                home: founding.chains[0].genesis.home(),
            },
            aggregator: founding.aggregator.clone(),
            aggregator_key: signing_key(&founding.gateway(&id(AGGREGATOR))),
        }
    }

    /// T11: the aggregator applies.
    pub fn aggregator_applies(&self) -> Transaction {
        apply(&self.aggregator, &self.aggregator_key, &self.pen.home)
    }

    /// T11: the operator lets them in, the aggregator first.
    pub fn approve(&self, members: &[Member]) -> Vec<Transaction> {
        let all = std::iter::once(&self.aggregator).chain(members);
        all.map(|member| {
            self.pen.act(Act::Approve {
                member: member.id.clone(),
                record: record_digest(member),
            })
        })
        .collect()
    }

    /// T11: a chain with its first verification nodes, which prove their keys.
    pub fn register_chain(&self, committee: Committee, keys: &[SigningKey]) -> Transaction {
        let home = Home {
            chain: committee.chain.clone(),
            genesis: committee.genesis,
        };
        let domain = home.domain(0, Purpose::Possession);
        let message = committee_message(&committee);
        let signatures = keys.iter().map(|key| key.sign(&domain, &message));
        let possession: BTreeMap<u8, Signature> = (0..).zip(signatures).collect();
        self.pen.act(Act::RegisterChain {
            committee: Arc::new(committee),
            possession,
        })
    }

    /// T12: money at home.
    pub fn deposit(&self, sequence: u64, member: MicrogridId, amount: Money) -> Transaction {
        self.pen.act(Act::Deposit {
            sequence,
            member,
            amount,
        })
    }

    /// T12: money on Z, to stand for verification nodes with.
    pub fn stake(&self, sequence: u64, member: MicrogridId, amount: Money) -> Transaction {
        self.pen.act(Act::Stake {
            sequence,
            member,
            amount,
        })
    }

    /// T13.
    pub fn round(&self, hash: Digest, orders: BTreeSet<OrderId>) -> Transaction {
        self.pen.act(Act::Round { hash, orders })
    }

    /// T17.
    pub fn tariff(&self, start: Time, tariff: Tariff) -> Transaction {
        self.pen.act(Act::Tariff { start, tariff })
    }

    /// T18.
    pub fn imbalance(&self, start: Time, flows: BTreeMap<MicrogridId, Energy>) -> Transaction {
        self.pen.act(Act::Imbalance { start, flows })
    }
}
