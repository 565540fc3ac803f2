//! One sample of every canonical type of the contract, of every variant.

use std::sync::Arc;

use tieline_contract::certificate::{Certificate, Statement};
use tieline_contract::member::{Register, Role};
use tieline_contract::payload::{Acceptance, Kind, Payload, Registration, Rotation, Subject};
use tieline_contract::settlement::Metering;
use tieline_contract::state::{Account, Block, Tariff};
use tieline_contract::terms::OrderId;
use tieline_contract::threshold::Seat;
use tieline_contract::trade::{
    Attested, BuyerState, Purchase, Sale, SellerState, Settling, VppState,
};
use tieline_contract::transaction::{Act, Contradiction, Transaction};
use tieline_seal::hybrid::{Domain, PublicKey, Purpose, Signature, Suite};
use tieline_seal::keys::Agreement;
use tieline_seal::merkle::Proof;
use tieline_sim::samples::{
    acceptance, acts, carried, certified, first_request, line_batch, own_line, payloads, returned,
    transactions, villager,
};
use tieline_sim::village::{Village, chain, genesis, member, seat_key};
use tieline_units::{Canonical, DecodeError, Digest, Energy, Money, Price, Time};

/// A value's bytes, and how bytes become such a value and bytes again.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) again: fn(&[u8]) -> Result<Vec<u8>, DecodeError>,
}

/// A sample; the value is read back from its bytes first.
fn one<T: Canonical + PartialEq + std::fmt::Debug>(name: impl ToString, value: &T) -> Sample {
    let bytes = value.to_bytes();
    assert_eq!(T::decode(&bytes).as_ref(), Ok(value));
    Sample {
        name: name.to_string(),
        bytes,
        again: |bytes| T::decode(bytes).map(|value| value.to_bytes()),
    }
}

/// A sample of each variant of an enum without fields.
fn each<T: Canonical + PartialEq + std::fmt::Debug>(kind: &str, values: &[T]) -> Vec<Sample> {
    let named = |value: &T| one(format!("{kind}::{value:?}"), value);
    values.iter().map(named).collect()
}

/// All of them.
pub(crate) fn samples() -> Vec<Sample> {
    let mut out = plain();
    out.extend(of_orders());
    out.extend(of_parties());
    out.extend(of_chains());
    let payloads = payloads();
    out.extend(payloads.iter().map(|(name, value)| one(name, value)));
    let acts = acts();
    out.extend(acts.iter().map(|(name, (_, _, value))| one(name, value)));
    for (name, value) in transactions() {
        let name = match name.split_once("::") {
            Some(("Payload", payload)) => format!("Transaction::Certificate {payload}"),
            Some(("Act", act)) => format!("Transaction::Signed {act}"),
            _ => name.to_owned(),
        };
        out.push(one(name, &value));
    }
    out
}

fn plain() -> Vec<Sample> {
    use Kind as K;
    let kinds = [
        [
            K::Request,
            K::Accept,
            K::Reject,
            K::Commit,
            K::Refund,
            K::Void,
            K::Taken,
        ],
        [
            K::Delivered,
            K::Settle,
            K::Rotate,
            K::Deposit,
            K::Net,
            K::Register,
            K::Freeze,
        ],
    ];
    let purposes = purposes();
    let roles = [
        Role::Microgrid,
        Role::Aggregator,
        Role::Grid,
        Role::Auditor,
        Role::Operator,
    ];
    let bought = [
        BuyerState::Locked,
        BuyerState::Committed,
        BuyerState::Settled,
        BuyerState::Refunded,
    ];
    let sold = [
        [
            SellerState::Offered,
            SellerState::Accepted,
            SellerState::Confirmed,
        ],
        [
            SellerState::Settled,
            SellerState::Rejected,
            SellerState::Voided,
        ],
    ];
    let agreements = [Agreement::Qkd, Agreement::Hybrid, Agreement::PostQuantum];
    [
        each("Kind", kinds.as_flattened()),
        each("Purpose", &purposes),
        each("Suite", &[Suite::MlDsa65, Suite::Ed25519MlDsa65]),
        each("Role", &roles),
        each("BuyerState", &bought),
        each("SellerState", sold.as_flattened()),
        each("VppState", &[VppState::Open, VppState::Settled]),
        each("Agreement", &agreements),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Every purpose of a signature.
pub(crate) fn purposes() -> [Purpose; 8] {
    [
        Purpose::Transaction,
        Purpose::Attestation,
        Purpose::Finality,
        Purpose::Meter,
        Purpose::Possession,
        Purpose::Identification,
        Purpose::Vote,
        Purpose::Handshake,
    ]
}

fn of_orders() -> Vec<Sample> {
    let request = first_request();
    let order = request.order();
    let energy = Energy::from_millijoules(8_100_000_000);
    let purchase = Purchase {
        request: request.clone(),
        state: BuyerState::Committed,
        epoch: 2,
        trade_hash: Some(acceptance().hash()),
        key: Some(Arc::new(returned())),
        taken: Some(energy),
        settled: None,
    };
    let sale = Sale {
        request: Some(request.clone()),
        state: SellerState::Confirmed,
        epoch: 3,
        acceptance: Some(Arc::new(acceptance())),
        commit_hash: Some(Digest::of(b"commitment")),
        delivered: None,
        settled: Some(energy),
    };
    let timed_out = Sale {
        request: None,
        state: SellerState::Rejected,
        epoch: 0,
        acceptance: None,
        commit_hash: None,
        delivered: None,
        settled: None,
    };
    let attested = Attested {
        energy,
        signers: 3,
        epoch: 1,
    };
    let settling = Settling {
        committed: true,
        taken: Some(attested),
        ..Settling::open(request.clone())
    };
    vec![
        one("OrderId", &order),
        one("Terms", &*request.terms),
        one("Terms, own line", &own_line()),
        one("Metering", &Metering::TieLines),
        one("Metering, own line", &own_line().metering),
        one("Unconditional::Named", &request.unconditional),
        one("Unconditional::Carried", &carried()),
        one("Request", &*request),
        one("Acceptance", &acceptance()),
        one("KeyReturn", &returned()),
        one("Purchase", &purchase),
        one("Sale", &sale),
        one("Sale, timed out before it came", &timed_out),
        one("Attested", &attested),
        one("Settling", &settling),
        one("Subject::Order", &Subject::Order(order)),
        one("Subject::Sequence", &Subject::Sequence(5)),
    ]
}

fn of_parties() -> Vec<Sample> {
    let village = Village::default();
    let order = first_request().order();
    let register = Register {
        before: Energy::from_millijoules(1),
        after: Energy::from_millijoules(i64::MAX),
    };
    let signature = first_request().signature.clone();
    let hybrid = Suite::Ed25519MlDsa65;
    let both = |length| vec![7; length];
    let key = PublicKey::new(hybrid, &both(hybrid.key_bytes())).unwrap();
    let signatures = Signature::new(hybrid, &both(hybrid.signature_bytes())).unwrap();
    let stake = Account::Stake(seat_key("chain-x", 0, 0).id());
    let tariff = Tariff {
        import: Price::from_millionths(300_000),
        export: Price::from_millionths(-1),
    };
    vec![
        one("Member", &villager("mg-x")),
        one("Register", &register),
        one("MeterBatch, own line", &line_batch()),
        one("Account::Clearing", &Account::Clearing(member("mg-x"))),
        one("Account::Escrow", &Account::Escrow(order)),
        one("Account::Bond", &Account::Bond(order)),
        one("Account::Dispute", &Account::Dispute(order)),
        one("Account::Fees", &Account::Fees),
        one("Account::Stake", &stake),
        one("Account::Forfeited", &Account::Forfeited),
        one("Account::Outside", &Account::Outside),
        one("Rules", village.ledger("chain-x").rules()),
        one("Tariff", &tariff),
        one("KeyId", &key.id()),
        one("PublicKey", &villager("mg-x").key),
        one("PublicKey, both", &key),
        one("Signature", &signature),
        one("Signature, both", &signatures),
    ]
}

/// What a verification node signs of a block.
pub(crate) fn statement() -> Statement {
    Statement {
        chain: chain("chain-x"),
        genesis: genesis("chain-x"),
        epoch: 1,
        height: 12,
        state_root: Digest::of(b"state root"),
        outbox_entries: 3,
        outbox_root: Digest::of(b"outbox root"),
    }
}

fn of_chains() -> Vec<Sample> {
    let village = Village::default();
    let ledger = village.ledger("chain-z");
    let leaves = [b"a", b"b", b"c"].map(|leaf| Digest::of(leaf));
    let certificate = certified(&ledger, 1, Payload::Reject(OrderId(Digest::of(b"order"))));
    let signatures = certificate.attestations.clone();
    let alone = Certificate {
        attestations: signatures
            .iter()
            .take(1)
            .map(|(&k, v)| (k, v.clone()))
            .collect(),
        ..Certificate::clone(&certificate)
    };
    let committee = village.committee("chain-x", 0);
    let seat: &Seat = committee.seats.first().unwrap();
    let time = Time::from_millis(900_000_000);
    let contradiction = Contradiction::Final {
        statement: statement(),
        signatures,
    };
    let other = Contradiction::Certificate(Arc::new(alone.clone()));
    let rotation = Rotation::Acknowledged {
        chain: chain("chain-y"),
        epoch: 1,
    };
    let deposited = payloads()
        .into_iter()
        .find_map(|(_, payload)| match payload {
            Payload::Deposit { deposit, .. } => Some(deposit),
            _ => None,
        });
    let mut out = vec![
        one("Domain", &domain(Purpose::Vote)),
        one("Statement", &statement()),
        one("Certificate", &*certificate),
        one("Certificate, one signature", &alone),
        one("Proof", &Proof::of(&leaves, 1).unwrap()),
        one("Committee", &committee),
        one("Seat", seat),
        one("Block", &Block { height: 3, time }),
        one("Contradiction::Final", &contradiction),
        one("Contradiction::Certificate", &other),
        one("Rotation::Acknowledged", &rotation),
        one("Rotation::Closed", &Rotation::Closed { epoch: 1 }),
        one(
            "Rotation::Opened",
            &Rotation::Opened(Arc::new(committee.clone())),
        ),
        one(
            "Registration::Chain",
            &Registration::Chain(Arc::new(committee)),
        ),
        one(
            "Registration::Member",
            &Registration::Member(Arc::new(villager("mg-y"))),
        ),
        one("Deposit", &deposited.unwrap()),
        one("Money", &Money::from_millionths(-1)),
    ];
    out.extend(parts());
    out
}

/// Values that stand in payloads and transactions only.
fn parts() -> Vec<Sample> {
    let mut out = Vec::new();
    for (_, payload) in payloads() {
        match payload {
            Payload::Commit(commitment) => out.push(one("Commitment", &*commitment)),
            Payload::Taken(reading) => out.push(one("Reading", &*reading)),
            Payload::Settle(outcome) => {
                out.push(one("Outcome", &*outcome));
                out.push(one("Settlement", &outcome.settlement));
            }
            Payload::Net { transfers, .. } => out.push(one("Transfer", &transfers[0])),
            _ => {}
        }
    }
    for (name, transaction) in transactions() {
        match transaction {
            Transaction::Signed(signed) if matches!(signed.act, Act::Decline(_)) => {
                out.push(one("Signed", &*signed));
            }
            Transaction::Meter(batch) if name.ends_with("taken") => {
                out.push(one("MeterBatch", &*batch));
            }
            Transaction::Epoch(next) => out.push(one("NextEpoch", &*next)),
            Transaction::Evidence(evidence) if !name.ends_with("final") => {
                out.push(one("Evidence", &*evidence));
            }
            _ => {}
        }
    }
    out
}

/// A domain on `chain-x`, epoch 1.
pub(crate) fn domain(purpose: Purpose) -> Domain {
    Domain {
        chain: chain("chain-x"),
        genesis: genesis("chain-x"),
        epoch: 1,
        purpose,
    }
}

/// The hashes and contexts that others compute: their names and hexadecimal digits.
pub(crate) fn derived() -> Vec<(String, String)> {
    let request = first_request();
    let (order, village) = (request.order(), Village::default());
    let batch = line_batch();
    let mut out = vec![
        ("terms hash".to_owned(), request.terms.hash().to_string()),
        ("order id, nonce 7".to_owned(), order.to_string()),
        (
            "rendering hash".to_owned(),
            request.terms.rendering_hash.to_string(),
        ),
        (
            "trade hash".to_owned(),
            Acceptance::hash(&acceptance()).to_string(),
        ),
        (
            "state of chain-x at its genesis".to_owned(),
            village.ledger("chain-x").digest().to_string(),
        ),
        (
            "fingerprint of mg-x".to_owned(),
            villager("mg-x").key.id().0.to_string(),
        ),
    ];
    let messages = [
        (
            "request",
            tieline_contract::terms::Request::message(order, &request.unconditional),
        ),
        ("act", Act::Decline(order).message(&member("mg-y"))),
        ("statement", statement().message()),
        ("member", villager("mg-x").message()),
        ("meter batch", batch.message()),
        (
            "committee",
            tieline_contract::transaction::committee_message(&village.committee("chain-x", 0)),
        ),
    ];
    for (name, message) in messages {
        out.push((
            format!("message of {name}"),
            Digest::of(&message).to_string(),
        ));
    }
    for purpose in purposes() {
        let context = Digest::of(&domain(purpose).context());
        out.push((format!("context of {purpose:?}"), context.to_string()));
    }
    for (name, payload) in payloads() {
        out.push((format!("entry hash of {name}"), payload.hash().to_string()));
    }
    out
}
