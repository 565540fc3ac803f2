//! Transactions of the VPP's ledger with real signatures.

use std::collections::BTreeSet;
use std::sync::Arc;

use tieline_chain::Home;
use tieline_contract::member::{Member, Role};
use tieline_contract::state::Tariff;
use tieline_contract::transaction::{Act, Signed, Transaction};
use tieline_seal::hybrid::{Purpose, SigningKey, Suite};
use tieline_units::canonical::Canonical as _;
use tieline_units::{Digest, MicrogridId, Money, Power, Price, Time};

use super::ground::Fleet;

/// Who signs on a chain.
pub(crate) struct Hands {
    home: Home,
    operator: SigningKey,
    aggregator: SigningKey,
    applicant: SigningKey,
    /// Number of the next deposit.
    pub(crate) sequence: u64,
}

fn id(text: &str) -> MicrogridId {
    MicrogridId::parse(text).unwrap()
}

impl Hands {
    pub(crate) fn of(fleet: &Fleet) -> Hands {
        Hands {
            home: fleet.genesis().home(),
            operator: fleet.member("vpp"),
            aggregator: fleet.member("aggregator"),
            applicant: SigningKey::from_seed(Suite::Ed25519MlDsa65, &[7; 32]),
            sequence: 0,
        }
    }

    fn signed(&self, by: &str, key: &SigningKey, act: Act) -> Transaction {
        let by = id(by);
        let domain = self.home.domain(0, Purpose::Transaction);
        let signature = key.sign(&domain, &act.message(&by));
        Transaction::Signed(Arc::new(Signed { by, act, signature }))
    }

    fn credit(&self, units: i64) -> Act {
        Act::Deposit {
            sequence: self.sequence,
            member: id("aggregator"),
            amount: Money::from_millionths(units * 1_000_000),
        }
    }

    /// The operator certifies the next deposit of the aggregator's, so many units.
    pub(crate) fn deposit(&mut self, units: i64) -> Transaction {
        let deposit = self.signed("vpp", &self.operator, self.credit(units));
        self.sequence += 1;
        deposit
    }

    /// Two different deposits of one number: one of them does not hold.
    pub(crate) fn rivals(&mut self) -> [Transaction; 2] {
        let one = |units| self.signed("vpp", &self.operator, self.credit(units));
        let both = [one(1), one(2)];
        self.sequence += 1;
        both
    }

    /// Credited here, for verification nodes.
    pub(crate) fn stake(&mut self) -> Transaction {
        let (sequence, member) = (self.sequence, id("aggregator"));
        let amount = Money::from_millionths(3_000_000);
        self.sequence += 1;
        let act = Act::Stake {
            sequence,
            member,
            amount,
        };
        self.signed("vpp", &self.operator, act)
    }

    /// The hash of a round's certificate.
    pub(crate) fn round(&self, number: u64) -> Transaction {
        let hash = Digest::of(format!("round {number}").as_bytes());
        let orders = BTreeSet::new();
        self.signed("vpp", &self.operator, Act::Round { hash, orders })
    }

    /// Grid prices of a quarter of an hour in 2098.
    pub(crate) fn tariff(&self) -> Transaction {
        let tariff = Tariff {
            import: Price::parse("0.30").unwrap(),
            export: Price::parse("0.08").unwrap(),
        };
        let start = Time::parse("2098-01-01T00:15:00Z").unwrap();
        self.signed("vpp", &self.operator, Act::Tariff { start, tariff })
    }

    fn record(&self) -> Arc<Member> {
        Arc::new(Member {
            id: id("shop"),
            legal_name: "A shop".to_owned(),
            role: Role::Microgrid,
            home: self.home.chain.clone(),
            key: self.applicant.public_key().clone(),
            meters: Vec::new(),
            nameplate: Power::from_milliwatts(1_000_000),
            revoked: false,
        })
    }

    /// An application by its own key.
    pub(crate) fn register(&self) -> Transaction {
        self.signed("shop", &self.applicant, Act::Register(self.record()))
    }

    pub(crate) fn approve(&self) -> Transaction {
        let record = self.record().digest("tieline.member/1");
        let member = id("shop");
        self.signed("vpp", &self.operator, Act::Approve { member, record })
    }

    pub(crate) fn revoke(&self) -> Transaction {
        let record = self.record().digest("tieline.member/1");
        let member = id("shop");
        self.signed("vpp", &self.operator, Act::Revoke { member, record })
    }

    /// What no node takes: why, as its answer says.
    pub(crate) fn refused(&self) -> [(&'static str, Transaction); 4] {
        let early = Act::Deposit {
            sequence: self.sequence + 1,
            member: id("aggregator"),
            amount: Money::from_millionths(1),
        };
        let hash = Digest::of(b"a round");
        let orders = BTreeSet::new();
        let round = Act::Round { hash, orders };
        [
            // In the operator's name, by another key.
            (
                "signature is the sender's",
                self.signed("vpp", &self.aggregator, self.credit(1)),
            ),
            // In its own name, which is not the operator's.
            (
                "signature is the sender's",
                self.signed("aggregator", &self.aggregator, round),
            ),
            (
                "numbers come one after the other",
                self.signed("vpp", &self.operator, early),
            ),
            (
                "what is named by its hash",
                self.signed(
                    "vpp",
                    &self.operator,
                    Act::Revoke {
                        member: id("aggregator"),
                        record: Digest::of(b"another"),
                    },
                ),
            ),
        ]
    }
}
