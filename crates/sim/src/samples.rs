//! One of each thing that travels between parties and ledgers, for tests and as seeds of fuzz targets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tieline_contract::certificate::{Certificate, Statement};
use tieline_contract::member::{Member, MeterBatch, Register};
use tieline_contract::payload::{
    Acceptance, Commitment, Deposit, Outcome, Payload, Reading, Registration, Rotation, Transfer,
};
use tieline_contract::settlement::{Metering, Readings, settle};
use tieline_contract::state::{State, Tariff};
use tieline_contract::terms::{Request, Terms, Unconditional};
use tieline_contract::threshold::Committee;
use tieline_contract::trade::{KeyReturn, commit_hash};
use tieline_contract::transaction::{
    Act, Contradiction, Evidence, NextEpoch, Signed, Transaction, committee_message,
};
use tieline_seal::hybrid::Purpose;
use tieline_seal::keys::Agreement;
use tieline_units::{Canonical as _, Digest, Energy, Money, Price, Time};

use crate::forge;
use crate::symbol::{key, sign};
use crate::village::{START, Village, chain, member, metered, request, seat_key, signed};

/// Something with its name.
pub type Named<T> = (&'static str, T);

/// The village's terms, metered on a line of the pair's own.
pub fn own_line() -> Terms {
    let mut terms = Village::default().terms();
    terms.metering = Metering::OwnLine {
        loss_ppm: 20_000,
        tolerance_ppm: 5_000,
    };
    terms.rendering_hash = terms.rendering_digest();
    terms
}

/// An unconditional signature with its bytes.
pub fn carried() -> Unconditional {
    let bytes = Arc::from(&b"an unconditional signature"[..]);
    Unconditional::Carried { bytes }
}

/// The first request of the village: nonce 7.
pub fn first_request() -> Arc<Request> {
    request(Village::default().terms(), 7)
}

/// Phase 5's key.
pub fn returned() -> KeyReturn {
    KeyReturn {
        key_hash: Digest::of(b"key of the trade"),
        sealed_key: Arc::from(&b"sealed key"[..]),
        agreement: Agreement::Hybrid,
        unconditional: carried(),
    }
}

/// The seller's yes to the first request.
pub fn acceptance() -> Acceptance {
    Acceptance {
        order: first_request().order(),
        terms_hash: first_request().terms.hash(),
        response_commitment: Digest::of(b"response"),
        sealed_response: Arc::from(&b"sealed"[..]),
    }
}

fn commitment() -> Commitment {
    Commitment {
        request: first_request(),
        trade_hash: acceptance().hash(),
    }
}

fn reading(millijoules: i64, trade_hash: Digest) -> Arc<Reading> {
    Arc::new(Reading {
        request: first_request(),
        energy: Energy::from_millijoules(millijoules),
        trade_hash,
    })
}

fn outcome() -> Outcome {
    let terms = &first_request().terms;
    let readings = Readings {
        taken: Some(terms.quantity),
        delivered: Some(Energy::from_millijoules(8_100_000_000)),
    };
    let settlement = settle(&terms.settlement(), readings);
    Outcome {
        order: first_request().order(),
        terms_hash: terms.hash(),
        settlement: settlement.expect("the village's terms can be settled"),
    }
}

/// Epoch 1 of a chain.
pub fn next_committee(name: &str) -> Arc<Committee> {
    Arc::new(Village::default().committee(name, 1))
}

/// A member of the village.
///
/// # Panics
/// For anybody else.
pub fn villager(name: &str) -> Member {
    let mut members = Village::default().members().into_iter();
    let found = members.find(|one| one.id == member(name));
    found.expect("a member of the village")
}

/// One payload of each variant, and of each variant within. Numbers start at 0, so each can be the first of its kind.
pub fn payloads() -> Vec<Named<Payload>> {
    let order = first_request().order();
    let (sequence, epoch) = (0, 0);
    let rotate = |rotation| Payload::Rotate { sequence, rotation };
    let register = |registration| Payload::Register {
        sequence,
        registration,
    };
    let opened = Rotation::Opened(next_committee("chain-x"));
    let known = Rotation::Acknowledged {
        chain: chain("chain-x"),
        epoch: 1,
    };
    vec![
        ("Payload::Request", Payload::Request(first_request())),
        ("Payload::Accept", Payload::Accept(Arc::new(acceptance()))),
        ("Payload::Reject", Payload::Reject(order)),
        ("Payload::Commit", Payload::Commit(Arc::new(commitment()))),
        ("Payload::Refund", Payload::Refund(order)),
        ("Payload::Void", Payload::Void(order)),
        (
            "Payload::Taken",
            Payload::Taken(reading(9_000_000_000, acceptance().hash())),
        ),
        (
            "Payload::Delivered",
            Payload::Delivered(reading(8_100_000_000, commit_hash(&commitment()))),
        ),
        ("Payload::Settle", Payload::Settle(Arc::new(outcome()))),
        ("Payload::Rotate opened", rotate(opened)),
        ("Payload::Rotate acknowledged", rotate(known)),
        ("Payload::Rotate closed", rotate(Rotation::Closed { epoch })),
        (
            "Payload::Deposit",
            Payload::Deposit {
                sequence,
                deposit: Deposit {
                    member: member("mg-x"),
                    home: chain("chain-x"),
                    amount: Money::from_millionths(100_000_000),
                },
            },
        ),
        (
            "Payload::Net",
            Payload::Net {
                sequence,
                transfers: vec![transfer("mg-y"), transfer("aggregator")],
            },
        ),
        (
            "Payload::Register member",
            register(Registration::Member(Arc::new(villager("mg-x2")))),
        ),
        (
            "Payload::Register chain",
            register(Registration::Chain(next_committee("chain-w"))),
        ),
        (
            "Payload::Freeze",
            Payload::Freeze {
                sequence,
                chain: chain("chain-y"),
                epoch,
            },
        ),
    ]
}

fn transfer(who: &str) -> Transfer {
    Transfer {
        party: member(who),
        from: chain("chain-x"),
        to: villager(who).home,
        amount: Money::from_millionths(112_500),
    }
}

/// Which chain says a payload.
pub fn speaker(payload: &Payload) -> &'static str {
    match payload {
        Payload::Request(_) | Payload::Commit(_) | Payload::Refund(_) | Payload::Taken(_) => {
            "chain-x"
        }
        Payload::Accept(_) | Payload::Reject(_) | Payload::Void(_) | Payload::Delivered(_) => {
            "chain-y"
        }
        Payload::Rotate { rotation, .. } => match rotation {
            Rotation::Opened(_) | Rotation::Closed { .. } => "chain-x",
            Rotation::Acknowledged { .. } => "chain-y",
        },
        Payload::Settle(_)
        | Payload::Deposit { .. }
        | Payload::Net { .. }
        | Payload::Register { .. }
        | Payload::Freeze { .. } => "chain-z",
    }
}

/// A payload's certificate, with the signatures of a whole committee.
pub fn certified(ledger: &State, height: u64, payload: Payload) -> Arc<Certificate> {
    let from = speaker(&payload);
    forge::certificate(ledger, (from, 0), height, payload)
}

/// One act of each variant, with who does it on which chain.
pub fn acts() -> Vec<Named<(&'static str, &'static str, Act)>> {
    let order = first_request().order();
    let applicant = Member {
        id: member("mg-new"),
        key: key("mg-new"),
        ..villager("mg-y")
    };
    let accept = Act::Accept {
        order,
        response_commitment: Digest::of(b"response"),
        sealed_response: Arc::from(&b"sealed"[..]),
        unconditional: carried(),
    };
    let back = Act::KeyReturn {
        order,
        key: Arc::new(returned()),
    };
    let (start, export) = (START, Price::from_millionths(-1));
    let import = Price::from_millionths(300_000);
    let tariff = Tariff { import, export };
    let flow = Energy::from_millijoules(-9_000_000_000);
    let flows = BTreeMap::from([(member("mg-x"), flow)]);
    let operator = |act| ("chain-z", "vpp", act);
    vec![
        ("Act::Accept", ("chain-y", "mg-y", accept)),
        ("Act::Decline", ("chain-y", "mg-y", Act::Decline(order))),
        ("Act::KeyReturn", ("chain-x", "mg-x", back)),
        ("Act::Approve", operator(approval(&applicant))),
        (
            "Act::Register",
            ("chain-z", "mg-new", Act::Register(Arc::new(applicant))),
        ),
        (
            "Act::Revoke",
            operator(Act::Revoke {
                member: member("mg-x2"),
                record: villager("mg-x2").digest("tieline.member/1"),
            }),
        ),
        ("Act::RegisterChain", operator(chain_registration())),
        (
            "Act::Deposit",
            operator(Act::Deposit {
                sequence: 0,
                member: member("mg-x"),
                amount: Money::from_millionths(100_000_000),
            }),
        ),
        (
            "Act::Stake",
            operator(Act::Stake {
                sequence: 0,
                member: member("mg-x"),
                amount: Money::from_millionths(1_000_000),
            }),
        ),
        (
            "Act::Round",
            operator(Act::Round {
                hash: Digest::of(b"round"),
                orders: BTreeSet::from([order, own_line().order(8)]),
            }),
        ),
        ("Act::Imbalance", operator(Act::Imbalance { start, flows })),
        ("Act::Tariff", operator(Act::Tariff { start, tariff })),
    ]
}

fn approval(applicant: &Member) -> Act {
    Act::Approve {
        member: applicant.id.clone(),
        record: tieline_contract::record_digest(applicant),
    }
}

fn chain_registration() -> Act {
    let committee = Arc::new(Village::default().committee("chain-w", 0));
    Act::RegisterChain {
        committee,
        possession: BTreeMap::new(),
    }
}

/// One transaction of each variant; every act and every payload is in one. Signed as the village's ledgers at their genesis
/// want it.
pub fn transactions() -> Vec<Named<Transaction>> {
    let village = Village::default();
    let ledger = village.ledger("chain-z");
    let order = first_request().order();
    let mut out = vec![
        (
            "Transaction::Request",
            Transaction::Request(first_request()),
        ),
        ("Transaction::Local", local()),
        (
            "Transaction::TimeoutRequest",
            Transaction::TimeoutRequest(crate::village::request(own_line(), u64::MAX)),
        ),
        ("Transaction::Timeout", Transaction::Timeout(order)),
        ("Transaction::Void", Transaction::Void(order)),
        ("Transaction::Default", Transaction::Default(order)),
        (
            "Transaction::Meter delivered",
            metered(
                "chain-y",
                "mg-y",
                START,
                Energy::from_millijoules(8_100_000_000),
            ),
        ),
        (
            "Transaction::Meter taken",
            metered(
                "chain-x",
                "mg-x",
                START,
                Energy::from_millijoules(-9_000_000_000),
            ),
        ),
        ("Transaction::Epoch", next_epoch()),
        ("Transaction::CloseEpoch", Transaction::CloseEpoch(0)),
        ("Transaction::Evidence", evidence(&ledger)),
        ("Transaction::Evidence final", final_evidence(&ledger)),
        (
            "Transaction::Net",
            Transaction::Net {
                one: chain("chain-x"),
                other: chain("chain-y"),
            },
        ),
    ];
    let acts = acts().into_iter();
    out.extend(acts.map(|(name, (chain, by, act))| {
        let ledger = village.ledger(chain);
        let signed = Transaction::Signed(signed(chain, by, act));
        (name, forge::signed_again(&ledger, &signed))
    }));
    let payloads = payloads().into_iter();
    out.extend(payloads.map(|(name, payload)| {
        (
            name,
            Transaction::Certificate(certified(&ledger, 1, payload)),
        )
    }));
    out
}

fn local() -> Transaction {
    let mut terms = own_line();
    terms.chain_y = terms.chain_x.clone();
    terms.genesis_y = terms.genesis_x;
    terms.seller = member("mg-x2");
    let request = request(terms, 9);
    let (_, (_, _, act)) = acts().swap_remove(0);
    let answer = Arc::new(Signed {
        signature: request.signature.clone(),
        by: member("mg-x2"),
        act,
    });
    let x = Village::default().ledger("chain-x");
    forge::signed_again(&x, &Transaction::Local { request, answer })
}

fn next_epoch() -> Transaction {
    let committee = next_committee("chain-x");
    let present = Village::default().committee("chain-x", 0);
    let domain = tieline_seal::hybrid::Domain {
        chain: present.chain.clone(),
        genesis: present.genesis,
        epoch: 0,
        purpose: Purpose::Transaction,
    };
    let message = committee_message(&committee);
    let approve = |seat: u8| {
        let key = seat_key("chain-x", 0, usize::from(seat));
        (seat, sign(&key, &domain, &message))
    };
    Transaction::Epoch(Arc::new(NextEpoch {
        candidates: committee.seats.clone(),
        committee,
        approvals: [0, 1, 3].map(approve).into(),
    }))
}

fn evidence(ledger: &State) -> Transaction {
    let one = certified(ledger, 4, Payload::Accept(Arc::new(acceptance())));
    let other = Acceptance {
        terms_hash: Digest::of(b"other terms"),
        ..acceptance()
    };
    let other = certified(ledger, 5, Payload::Accept(Arc::new(other)));
    Transaction::Evidence(Arc::new(Evidence {
        one,
        other: Contradiction::Certificate(other),
    }))
}

fn final_evidence(ledger: &State) -> Transaction {
    let one = certified(ledger, 6, Payload::Reject(first_request().order()));
    let statement = Statement {
        chain: one.chain.clone(),
        genesis: one.genesis,
        epoch: 0,
        height: 6,
        state_root: Digest::of(b"the true state"),
        outbox_entries: 0,
        outbox_root: Digest::of(&[]),
    };
    let other = Contradiction::Final {
        statement,
        signatures: BTreeMap::new(),
    };
    let evidence = Transaction::Evidence(Arc::new(Evidence { one, other }));
    forge::signed_again(ledger, &evidence)
}

/// A batch of a meter on a line of the pair's own.
pub fn line_batch() -> MeterBatch {
    let register = |after| Register {
        before: Energy::ZERO,
        after: Energy::from_millijoules(after),
    };
    MeterBatch {
        member: member("mg-y"),
        meter: 1,
        line: Some(own_line().order(8)),
        start: START,
        length: tieline_units::IntervalLength::Min15,
        exported: register(8_100_000_000),
        imported: register(0),
        signature: first_request().signature.clone(),
    }
}

/// An hour before the first delivery: requests and answers of the village are in time.
pub const EARLY: Time = Time::from_millis(START.as_millis() - 3_600_000);
