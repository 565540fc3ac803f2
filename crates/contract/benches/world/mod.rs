//! A village whose signatures are symbols, or real ones of a suite: every symbolic key stands for a real one.

use std::collections::BTreeMap;
use std::sync::Arc;

use tieline_contract::apply;
use tieline_contract::certificate::Certificate;
use tieline_contract::member::MeterBatch;
use tieline_contract::state::{Block, State};
use tieline_contract::terms::{Request, Terms};
use tieline_contract::threshold::Committee;
use tieline_contract::transaction::{Signed, Transaction};
use tieline_seal::hybrid::{
    Domain, PublicKey, Purpose, Signature, SigningKey, Strict, Suite, Verify,
};
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::{CHAINS, Village, request};
use tieline_units::{Digest, Money, Power, Time};

/// How a world signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signing {
    Symbols,
    Real(Suite),
}

/// Ledgers, and all keys.
pub(crate) struct World {
    pub(crate) signing: Signing,
    pub(crate) village: Village,
    pub(crate) ledgers: BTreeMap<&'static str, State>,
    keys: BTreeMap<PublicKey, SigningKey>,
}

impl World {
    /// Enough money and plant for hundreds of orders in one interval.
    pub(crate) fn new(signing: Signing) -> World {
        let village = Village {
            funds: Money::from_millionths(900_000_000_000),
            nameplate: Power::from_milliwatts(40_000_000_000_000),
            exposure_cap: Money::from_millionths(900_000_000_000),
            ..Village::default()
        };
        let mut world = World {
            signing,
            village,
            ledgers: BTreeMap::new(),
            keys: BTreeMap::new(),
        };
        for name in CHAINS {
            let ledger = world.ledger(name);
            world.ledgers.insert(name, ledger);
        }
        world
    }

    pub(crate) fn verify(&self) -> &'static dyn Verify {
        match self.signing {
            Signing::Symbols => &Symbolic,
            Signing::Real(_) => &Strict,
        }
    }

    fn ledger(&mut self, name: &str) -> State {
        let symbolic = self.village.ledger(name);
        let Signing::Real(suite) = self.signing else {
            return symbolic;
        };
        let mut members = self.village.members();
        for member in &mut members {
            member.key = self.real(suite, &member.key);
            for meter in &mut member.meters {
                *meter = self.real(suite, meter);
            }
        }
        let mut committees = CHAINS.map(|chain| self.village.committee(chain, 0));
        for committee in &mut committees {
            committee.suite = suite;
            for seat in &mut committee.seats {
                seat.key = self.real(suite, &seat.key);
            }
        }
        State::genesis(symbolic.rules().clone(), members, committees)
    }

    /// The real key that a symbolic one stands for.
    fn real(&mut self, suite: Suite, symbol: &PublicKey) -> PublicKey {
        let mut seed = [0; 32];
        seed.copy_from_slice(&symbol.as_bytes()[..32]);
        let key = SigningKey::from_seed(suite, &seed);
        let public = key.public_key().clone();
        self.keys.insert(public.clone(), key);
        public
    }

    fn sign(&self, key: &PublicKey, domain: &Domain, message: &[u8]) -> Signature {
        match self.keys.get(key) {
            Some(real) => real.sign(domain, message),
            None => tieline_sim::symbol::sign(key, domain, message),
        }
    }

    /// A request with the world's signatures.
    pub(crate) fn request(&self, terms: Terms, nonce: u64) -> Arc<Request> {
        let mut request = Request::clone(&request(terms, nonce));
        let buyer = &self.ledgers["chain-x"]
            .member(&request.terms.buyer)
            .unwrap()
            .key;
        let message = Request::message(request.order(), &request.unconditional);
        request.signature = self.sign(buyer, &Request::domain(&request.terms), &message);
        Arc::new(request)
    }

    fn domain(&self, name: &str, purpose: Purpose) -> Domain {
        let rules = self.ledgers[name].rules();
        Domain {
            chain: rules.chain.clone(),
            genesis: rules.genesis,
            epoch: 0,
            purpose,
        }
    }

    /// What a party or a meter submits to a ledger, signed in the world's way.
    pub(crate) fn signed(&self, name: &str, transaction: &Transaction) -> Transaction {
        let ledger = &self.ledgers[name];
        match transaction {
            Transaction::Signed(signed) => Transaction::Signed(self.act(name, signed)),
            Transaction::Meter(batch) => {
                let meter = &ledger.member(&batch.member).unwrap().meters[0];
                let domain = self.domain(name, Purpose::Meter);
                let signature = self.sign(meter, &domain, &batch.message());
                Transaction::Meter(Arc::new(MeterBatch {
                    signature,
                    ..MeterBatch::clone(batch)
                }))
            }
            Transaction::Local { request, answer } => Transaction::Local {
                request: self.request(Terms::clone(&request.terms), request.nonce),
                answer: self.act(name, answer),
            },
            other => other.clone(),
        }
    }

    fn act(&self, name: &str, signed: &Signed) -> Arc<Signed> {
        let key = &self.ledgers[name].member(&signed.by).unwrap().key;
        let domain = self.domain(name, Purpose::Transaction);
        let signature = self.sign(key, &domain, &signed.act.message(&signed.by));
        Arc::new(Signed {
            signature,
            ..signed.clone()
        })
    }

    /// The next block of a ledger.
    pub(crate) fn block(&self, name: &str, time: Time) -> Block {
        let height = self.ledgers[name].block().height + 1;
        Block { height, time }
    }

    /// Carries transactions out in one block, and certifies what it says, by three of four.
    pub(crate) fn act_all(
        &mut self,
        name: &str,
        time: Time,
        transactions: &[Transaction],
    ) -> Vec<Arc<Certificate>> {
        let (block, verify) = (self.block(name, time), self.verify());
        let ledger = self.ledgers.get_mut(name).unwrap();
        for transaction in transactions {
            apply(ledger, transaction, block, verify).unwrap();
        }
        self.certificates(name, block.height)
    }

    pub(crate) fn certificates(&self, name: &str, height: u64) -> Vec<Arc<Certificate>> {
        let ledger = &self.ledgers[name];
        let chain = &ledger.rules().chain;
        // The old verification nodes attest until their epoch is over.
        let epoch = u64::from(ledger.is_closed(chain, 0));
        let committee: &Committee = ledger.committee(chain, epoch).unwrap();
        let statement = ledger.statement(height, epoch, Digest::of(b"state root"));
        let (domain, message) = (statement.domain(Purpose::Attestation), statement.message());
        let seats = committee.seats.iter().zip(0..).take(3);
        let signatures = seats.map(|(seat, at)| (at, self.sign(&seat.key, &domain, &message)));
        let certificates = ledger.certificates(&statement, &signatures.collect());
        certificates.into_iter().map(Arc::new).collect()
    }

    /// Money for everybody on the three ledgers.
    pub(crate) fn fund(&mut self, time: Time) {
        let members = [
            ("mg-x", "chain-x"),
            ("mg-x2", "chain-x"),
            ("mg-y", "chain-y"),
        ];
        for (sequence, (who, home)) in (0..).zip(members) {
            let funds = self.village.funds;
            let deposit = tieline_sim::village::deposit(sequence, who, funds);
            let deposit = self.signed("chain-z", &deposit);
            let money = self.act_all("chain-z", time, &[deposit]);
            let money = Transaction::Certificate(money[0].clone());
            self.act_all(home, time, &[money]);
        }
    }
}
