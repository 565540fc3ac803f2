//! Two microgrids, a VPP, and what they want of each other: the smallest world in which a trade crosses ledgers.

use std::collections::BTreeMap;
use std::sync::Arc;

use tieline_contract::certificate::Certificate;
use tieline_contract::member::{Member, MeterBatch, Register, Role};
use tieline_contract::settlement::Metering;
use tieline_contract::state::{Rules, State};
use tieline_contract::terms::{CODE_VERSION, OrderId, Request, Terms, Unconditional, VERSION};
use tieline_contract::threshold::{Committee, Seat};
use tieline_contract::trade::KeyReturn;
use tieline_contract::transaction::{Act, Signed, Transaction};
use tieline_seal::hybrid::{Domain, PublicKey, Purpose, Signature};
use tieline_seal::keys::Agreement;
use tieline_units::{
    ChainId, Currency, Digest, Energy, IntervalLength, MicrogridId, Money, Power, Price, Time,
};

use crate::symbol::{SUITE, key, sign};

/// The three ledgers of a trade, and a fourth for a trade within one: `chain-x`, `chain-y`, `chain-z`.
pub const CHAINS: [&str; 3] = ["chain-x", "chain-y", "chain-z"];

/// Numbers of a world. All are milliseconds or millionths as in the contract.
#[derive(Clone, Debug)]
pub struct Village {
    /// f of every chain: 3f + 1 validators, all of them verification nodes.
    pub faults: u8,
    /// What everybody starts with on every chain.
    pub funds: Money,
    /// Per interval.
    pub nameplate: Power,
    /// Fee of a request.
    pub fee: Money,
    /// Open escrow between two.
    pub exposure_cap: Money,
    /// Grace of readings.
    pub grace: u64,
}

impl Default for Village {
    fn default() -> Village {
        Village {
            faults: 1,
            funds: Money::from_millionths(100_000_000),
            nameplate: Power::from_milliwatts(40_000_000),
            fee: Money::from_millionths(1_000),
            exposure_cap: Money::from_millionths(50_000_000),
            grace: 60_000,
        }
    }
}

/// A chain by name.
///
/// # Panics
/// For a text that is no id: names are constants.
pub fn chain(name: &str) -> ChainId {
    ChainId::parse(name).expect("a constant name")
}

/// A member by name.
///
/// # Panics
/// As [`chain`].
pub fn member(name: &str) -> MicrogridId {
    MicrogridId::parse(name).expect("a constant name")
}

/// The genesis of a chain.
pub fn genesis(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

/// Key of a verification node.
pub fn seat_key(chain: &str, epoch: u64, seat: usize) -> PublicKey {
    key(&format!("{chain} epoch {epoch} seat {seat}"))
}

/// T0 of the first delivery: a whole number of intervals after 1970.
pub const START: Time = Time::from_millis(900_000_000);

impl Village {
    /// Verification nodes of a chain in an epoch, with symbolic keys.
    pub fn committee(&self, name: &str, epoch: u64) -> Committee {
        let owner = match name {
            "chain-x" => "mg-x",
            "chain-y" => "mg-y",
            _ => "vpp",
        };
        let seats = (0..3 * usize::from(self.faults) + 1).map(|seat| Seat {
            key: seat_key(name, epoch, seat),
            owner: member(owner),
        });
        Committee {
            chain: chain(name),
            genesis: genesis(name),
            epoch,
            suite: SUITE,
            faults: self.faults,
            threshold: self.faults + 1,
            seats: seats.collect(),
        }
    }

    /// Who takes part: `mg-x` buys, `mg-y` sells, `aggregator` and `vpp` live on Z. `mg-x2` is a second gateway on X.
    pub fn members(&self) -> Vec<Member> {
        vec![
            self.member("mg-x", "chain-x", Role::Microgrid),
            self.member("mg-x2", "chain-x", Role::Microgrid),
            self.member("mg-y", "chain-y", Role::Microgrid),
            self.member("aggregator", "chain-z", Role::Aggregator),
            self.member("vpp", "chain-z", Role::Operator),
        ]
    }

    /// Somebody with a key and a meter of its own.
    pub fn member(&self, id: &str, home: &str, role: Role) -> Member {
        Member {
            id: member(id),
            legal_name: format!("{id} Ltd"),
            role,
            home: chain(home),
            key: key(id),
            meters: vec![key(&format!("{id} meter"))],
            nameplate: self.nameplate,
            revoked: false,
        }
    }

    /// A ledger at its genesis, without money.
    pub fn ledger(&self, name: &str) -> State {
        self.ledger_of(name, self.members())
    }

    /// The same with other members.
    pub fn ledger_of(&self, name: &str, members: impl IntoIterator<Item = Member>) -> State {
        let rules = Rules {
            chain: chain(name),
            genesis: genesis(name),
            vpp: chain("chain-z"),
            operator: member("vpp"),
            currency: Currency::parse("EUR").expect("a constant code"),
            interval: IntervalLength::Min15,
            request_fee: self.fee,
            exposure_cap: self.exposure_cap,
            grace: self.grace,
            settlement_period: 86_400_000,
            stake: Money::from_millionths(1_000_000),
        };
        let committees = CHAINS.map(|name| self.committee(name, 0));
        State::genesis(rules, members, committees)
    }

    /// Terms of a trade from `mg-y` to `mg-x`: 2.5 kWh at 0.25 and 0.20, bond 0.10, delivered from [`START`] on; D 30
    /// minutes, G 5 minutes before, Δt 30 s.
    pub fn terms(&self) -> Terms {
        let before = |millis| START.minus_millis(millis);
        let mut terms = Terms {
            version: VERSION,
            chain_x: chain("chain-x"),
            chain_y: chain("chain-y"),
            genesis_x: genesis("chain-x"),
            genesis_y: genesis("chain-y"),
            buyer: member("mg-x"),
            seller: member("mg-y"),
            aggregator: member("aggregator"),
            round_hash: Digest::of(b"round"),
            start: START,
            length: IntervalLength::Min15,
            quantity: Energy::from_millijoules(9_000_000_000),
            currency: Currency::parse("EUR").expect("a constant code"),
            price: Price::from_millionths(250_000),
            seller_price: Price::from_millionths(200_000),
            metering: Metering::TieLines,
            penalty_short_ppm: 1_000_000,
            imbalance: Price::from_millionths(40_000),
            escrow: Money::from_millionths(625_000),
            bond: Money::from_millionths(100_000),
            deadline: before(1_800_000),
            gate_closure: before(300_000),
            metering_deadline: START.plus_millis(900_000 + 3_600_000),
            delta_t: 30_000,
            code_version: CODE_VERSION.to_owned(),
            rendering_hash: Digest::of(&[]),
        };
        terms.rendering_hash = terms.rendering_digest();
        terms
    }
}

/// Signs terms as their buyer.
pub fn request(terms: Terms, nonce: u64) -> Arc<Request> {
    let unconditional = Unconditional::Named {
        hash: Digest::of(b"unconditional signature of a batch"),
    };
    let message = Request::message(terms.order(nonce), &unconditional);
    let signature = sign(
        &key(terms.buyer.as_str()),
        &Request::domain(&terms),
        &message,
    );
    Arc::new(Request {
        terms: Arc::new(terms),
        nonce,
        unconditional,
        signature,
    })
}

/// A party's signed act on a chain.
pub fn signed(chain_name: &str, by: &str, act: Act) -> Arc<Signed> {
    let by_id = member(by);
    let domain = Domain {
        chain: chain(chain_name),
        genesis: genesis(chain_name),
        epoch: 0,
        purpose: Purpose::Transaction,
    };
    let signature = sign(&key(by), &domain, &act.message(&by_id));
    Arc::new(Signed {
        by: by_id,
        act,
        signature,
    })
}

/// Somebody shows a buyer's signed request whose time is up.
pub fn timeout_request(terms: &Terms, nonce: u64) -> Transaction {
    Transaction::TimeoutRequest(request(terms.clone(), nonce))
}

/// The seller's tentative yes on Y.
pub fn accept(terms: &Terms, order: OrderId) -> Transaction {
    let act = Act::Accept {
        order,
        response_commitment: Digest::of(b"response"),
        sealed_response: Arc::from(&b"sealed"[..]),
        unconditional: Unconditional::Named {
            hash: Digest::of(b"unconditional signature of the seller"),
        },
    };
    Transaction::Signed(signed(terms.chain_y.as_str(), terms.seller.as_str(), act))
}

/// The seller's no.
pub fn decline(terms: &Terms, order: OrderId) -> Transaction {
    let act = Act::Decline(order);
    Transaction::Signed(signed(terms.chain_y.as_str(), terms.seller.as_str(), act))
}

/// The buyer returns the key on X.
pub fn key_return(terms: &Terms, order: OrderId) -> Transaction {
    let key = KeyReturn {
        key_hash: Digest::of(b"key of the trade"),
        sealed_key: Arc::from(&b"sealed key"[..]),
        agreement: Agreement::Qkd,
        unconditional: Unconditional::Named {
            hash: Digest::of(b"unconditional signature of the buyer"),
        },
    };
    let act = Act::KeyReturn {
        order,
        key: Arc::new(key),
    };
    Transaction::Signed(signed(terms.chain_x.as_str(), terms.buyer.as_str(), act))
}

/// A batch of a member's meter on its home chain: so much exported (or, below zero, imported) in the interval from `start`.
/// The registers stood at zero before.
pub fn metered(home: &str, who: &str, start: Time, net: Energy) -> Transaction {
    let register = |energy: Energy| Register {
        before: Energy::ZERO,
        after: energy.max(Energy::ZERO),
    };
    batch(home, who, |batch| {
        batch.start = start;
        (batch.exported, batch.imported) = (register(net), register(-net));
    })
}

/// A batch of a member's meter on its home chain with registers at zero, but for what `edit` changes; then the meter signs.
pub fn batch(home: &str, who: &str, edit: impl FnOnce(&mut MeterBatch)) -> Transaction {
    let none = Register {
        before: Energy::ZERO,
        after: Energy::ZERO,
    };
    let domain = Domain {
        chain: chain(home),
        genesis: genesis(home),
        epoch: 0,
        purpose: Purpose::Meter,
    };
    let meter = key(&format!("{who} meter"));
    let mut batch = MeterBatch {
        member: member(who),
        meter: 0,
        line: None,
        start: START,
        length: IntervalLength::Min15,
        exported: none,
        imported: none,
        signature: sign(&meter, &domain, b""),
    };
    edit(&mut batch);
    batch.signature = sign(&meter, &domain, &batch.message());
    Transaction::Meter(Arc::new(batch))
}

/// The operator gives a member money.
pub fn deposit(sequence: u64, who: &str, amount: Money) -> Transaction {
    let act = Act::Deposit {
        sequence,
        member: member(who),
        amount,
    };
    Transaction::Signed(signed("chain-z", "vpp", act))
}

/// Certificates of a block's entries with the signatures of these seats of an epoch: honest ones where the state is the
/// chain's own, forged ones where a Byzantine minority made it up.
pub fn certificates(
    ledger: &State,
    height: u64,
    epoch: u64,
    seats: &[u8],
) -> Vec<Arc<Certificate>> {
    let name = ledger.rules().chain.as_str();
    let statement = ledger.statement(height, epoch, Digest::of(b"state root"));
    let (domain, message) = (statement.domain(Purpose::Attestation), statement.message());
    let one = |&seat: &u8| -> (u8, Signature) {
        let key = seat_key(name, epoch, usize::from(seat));
        (seat, sign(&key, &domain, &message))
    };
    let signatures: BTreeMap<u8, Signature> = seats.iter().map(one).collect();
    let certificates = ledger.certificates(&statement, &signatures);
    certificates.into_iter().map(Arc::new).collect()
}
