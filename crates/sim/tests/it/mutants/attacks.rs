//! What somebody could try instead: every step of the chronicle, spoilt in every way that a guard is there for.

use std::sync::Arc;

use tieline_contract::certificate::Certificate;
use tieline_contract::member::MeterBatch;
use tieline_contract::payload::{Deposit, Payload, Registration, Rotation, Transfer};
use tieline_contract::settlement::Settlement;
use tieline_contract::terms::{Request, Terms};
use tieline_contract::threshold::Committee;
use tieline_contract::transaction::{
    Act, Contradiction, Evidence, NextEpoch, Signed, Transaction, committee_message,
};
use tieline_seal::hybrid::{Domain, Purpose};
use tieline_sim::symbol::{key, sign};
use tieline_sim::village::{Village, chain, genesis, member, request, seat_key, signed};
use tieline_sim::world::{ROGUE, approved, attest};
use tieline_units::{Digest, Energy, IntervalLength, Money, Power, Price};

use super::chronicle::{both, new_chain};

/// Terms with one thing wrong each, rendered anew.
pub(crate) fn defects(good: &Terms) -> Vec<Terms> {
    let spoil = |change: &dyn Fn(&mut Terms)| {
        let mut terms = good.clone();
        change(&mut terms);
        terms.rendering_hash = terms.rendering_digest();
        terms
    };
    let mut rendered = good.clone();
    rendered.rendering_hash = Digest::of(b"another text");
    let early = good.deadline.minus_millis(3_600_000);
    vec![
        rendered,
        spoil(&|t| t.version = 2),
        spoil(&|t| t.code_version = "another".to_owned()),
        spoil(&|t| t.quantity = Energy::ZERO),
        spoil(&|t| t.seller_price = Price::from_millionths(260_000)),
        spoil(&|t| t.seller_price = Price::from_millionths(-1)),
        spoil(&|t| t.escrow = Money::from_millionths(1)),
        spoil(&|t| t.bond = Money::from_millionths(-1)),
        spoil(&|t| t.gate_closure = t.deadline),
        spoil(&|t| t.gate_closure = t.end()),
        spoil(&|t| t.metering_deadline = t.start),
        spoil(&|t| t.start = t.start.plus_millis(1)),
        spoil(&|t| t.length = IntervalLength::Min60),
        spoil(&|t| t.deadline = early),
        spoil(&|t| t.delta_t = 3_000_000),
        spoil(&|t| t.buyer = member("mg-y")),
        spoil(&|t| t.buyer = member("mg-q")),
        spoil(&|t| t.seller = member("mg-x2")),
        spoil(&|t| t.seller = member("mg-y")),
        spoil(&|t| (t.seller, t.bond) = (member("mg-y"), Money::ZERO)),
        spoil(&|t| t.aggregator = member("nobody")),
        spoil(&|t| (t.chain_x, t.genesis_x) = (chain(ROGUE), genesis(ROGUE))),
        spoil(&|t| t.genesis_x = Digest::of(b"another genesis")),
        spoil(&|t| (t.chain_y, t.genesis_y) = (chain(ROGUE), genesis(ROGUE))),
        spoil(&|t| (t.chain_y, t.genesis_y) = (t.chain_x.clone(), t.genesis_x)),
        spoil(&|t| (t.chain_y, t.genesis_y) = (chain("chain-y"), genesis("chain-y"))),
        spoil(&|t| t.genesis_y = Digest::of(b"another genesis")),
        spoil(&|t| t.quantity = t.quantity + t.quantity),
    ]
}

/// Requests for defective terms, signed by their buyers; one for good terms, signed by somebody else; another number.
fn requests(good: &Request) -> Vec<Arc<Request>> {
    let spoilt = defects(&good.terms).into_iter();
    let mut all: Vec<Arc<Request>> = spoilt.map(|terms| request(terms, good.nonce)).collect();
    let mut forged = good.clone();
    forged.signature = sign(&key("mg-q"), &Request::domain(&good.terms), b"");
    all.push(Arc::new(forged));
    all.push(request((*good.terms).clone(), good.nonce + 1));
    all
}

/// The step itself, and what it could have been.
pub(crate) fn variants(transaction: &Transaction) -> Vec<Transaction> {
    let mut all = vec![transaction.clone()];
    match transaction {
        Transaction::Request(good) => {
            all.extend(requests(good).into_iter().map(Transaction::Request));
        }
        Transaction::TimeoutRequest(good) => {
            all.extend(requests(good).into_iter().map(Transaction::TimeoutRequest));
        }
        Transaction::Local { request, .. } => {
            for spoilt in requests(request) {
                all.push(both(&spoilt, spoilt.terms.seller.as_str()));
            }
            all.push(both(request, "mg-x"));
            if let Some(other) = requests(request).last() {
                let Transaction::Local { answer, .. } = both(other, "mg-x2") else {
                    unreachable!("both makes a local trade");
                };
                let request = request.clone();
                all.push(Transaction::Local { request, answer });
            }
        }
        Transaction::Signed(act) => all.extend(acts(act).into_iter().map(Transaction::Signed)),
        Transaction::Certificate(certificate) => {
            let spoilt = certificates(certificate).into_iter();
            all.extend(spoilt.map(Transaction::Certificate));
        }
        Transaction::Meter(batch) => all.extend(batches(batch)),
        Transaction::Epoch(next) => all.extend(epochs(next)),
        Transaction::CloseEpoch(_) => all.extend((0..3).map(Transaction::CloseEpoch)),
        Transaction::Evidence(evidence) => {
            all.push(Transaction::Evidence(Arc::new(Evidence {
                one: evidence.one.clone(),
                other: Contradiction::Certificate(evidence.one.clone()),
            })));
        }
        Transaction::Net { one, other } => all.extend([
            Transaction::Net {
                one: other.clone(),
                other: one.clone(),
            },
            Transaction::Net {
                one: chain("chain-v"),
                other: chain(ROGUE),
            },
        ]),
        Transaction::Timeout(_) | Transaction::Void(_) | Transaction::Default(_) => {}
    }
    all
}

fn acts(good: &Signed) -> Vec<Arc<Signed>> {
    let home = match &good.act {
        Act::Accept { .. } | Act::Decline(_) => "chain-y",
        Act::KeyReturn { .. } => "chain-x",
        _ => "chain-z",
    };
    let who = ["mg-x", "mg-y", "mg-n", "vpp"];
    let mut all: Vec<Arc<Signed>> = who.map(|who| signed(home, who, good.act.clone())).into();
    let mut forged = good.clone();
    forged.signature = signed(home, "mg-q", good.act.clone()).signature.clone();
    all.push(Arc::new(forged));
    let by = good.by.as_str();
    all.extend(
        spoilt_acts(&good.act)
            .into_iter()
            .map(|act| signed(home, by, act)),
    );
    // The same, meant for another ledger.
    all.push(signed("chain-x", by, good.act.clone()));
    all
}

fn spoilt_acts(act: &Act) -> Vec<Act> {
    let record = Digest::of(b"another record");
    match act.clone() {
        Act::Deposit {
            sequence,
            member: who,
            amount,
        } => {
            let with = |sequence, who: &str, amount| Act::Deposit {
                sequence,
                member: member(who),
                amount,
            };
            vec![
                with(sequence + 1, who.as_str(), amount),
                with(sequence, "nobody", amount),
                with(sequence, who.as_str(), Money::ZERO),
                with(sequence, who.as_str(), -amount),
            ]
        }
        Act::Approve { member, .. } => vec![Act::Approve { member, record }],
        Act::Revoke { member, .. } => vec![Act::Revoke { member, record }],
        Act::Register(applicant) => {
            let mut taken = (*applicant).clone();
            taken.key = key("mg-x");
            let mut gone = (*applicant).clone();
            gone.revoked = true;
            let mut odd = (*applicant).clone();
            odd.nameplate = Power::from_milliwatts(-1);
            let all = [taken, gone, odd];
            all.map(|one| Act::Register(Arc::new(one))).into()
        }
        Act::RegisterChain { committee, .. } => {
            let known = Village::default().committee("chain-x", 0);
            let spoilt = committees(&committee).into_iter();
            let all = spoilt
                .map(|c| new_chain(c, 4))
                .chain([new_chain((*committee).clone(), 2), new_chain(known, 4)]);
            all.filter_map(|transaction| match transaction {
                Transaction::Signed(signed) => Some(signed.act.clone()),
                _ => None,
            })
            .collect()
        }
        Act::Tariff { start, tariff } => {
            let start = start.minus_millis(864_000_000);
            vec![Act::Tariff { start, tariff }]
        }
        Act::Imbalance { start, flows } => {
            let before = start.minus_millis(900_000);
            let of = |start, who: &[&str]| Act::Imbalance {
                start,
                flows: who.iter().map(|who| (member(who), Energy::ZERO)).collect(),
            };
            let unpriced = Act::Imbalance {
                start: before,
                flows,
            };
            vec![
                unpriced,
                of(start, &[]),
                of(start, &["vpp"]),
                of(start, &["mg-q"]),
            ]
        }
        Act::Accept { .. } | Act::Decline(_) | Act::KeyReturn { .. } => Vec::new(),
        Act::Stake { .. } | Act::Round { .. } => Vec::new(),
    }
}

/// Too few seats; a key of another chain; a key twice; another threshold; a number that does not follow.
fn committees(good: &Committee) -> Vec<Committee> {
    let spoil = |change: &dyn Fn(&mut Committee)| {
        let mut committee = good.clone();
        change(&mut committee);
        committee
    };
    let other = if good.chain == chain("chain-y") {
        "chain-x"
    } else {
        "chain-y"
    };
    vec![
        spoil(&|c| c.seats.truncate(1)),
        spoil(&|c| c.seats[0].key = seat_key(other, 0, 0)),
        spoil(&|c| c.seats[0].key = c.seats[1].key.clone()),
        spoil(&|c| c.threshold = 0),
        spoil(&|c| c.epoch += 1),
        spoil(&|c| c.genesis = Digest::of(b"another genesis")),
        spoil(&|c| c.chain = chain("chain-u")),
    ]
}

/// Approved by the present members, whatever it is that they approve.
fn anything(old: &NextEpoch, new: &Committee) -> Transaction {
    let committee = &old.committee;
    let epoch = committee.epoch.saturating_sub(1);
    let domain = Domain {
        chain: committee.chain.clone(),
        genesis: committee.genesis,
        epoch,
        purpose: Purpose::Transaction,
    };
    let message = committee_message(new);
    let one = |seat: u8| {
        let key = seat_key(committee.chain.as_str(), epoch, usize::from(seat));
        (seat, sign(&key, &domain, &message))
    };
    Transaction::Epoch(Arc::new(NextEpoch {
        candidates: new.seats.clone(),
        committee: Arc::new(new.clone()),
        approvals: (0..4).map(one).collect(),
    }))
}

fn epochs(good: &NextEpoch) -> Vec<Transaction> {
    let committee = &*good.committee;
    let odd = committees(committee).into_iter();
    let odd: Vec<Transaction> = odd.map(|c| anything(good, &c)).collect();
    let spoilt = committees(committee).into_iter();
    let mut all: Vec<Transaction> = spoilt.map(|c| approved(&c, &c.seats, 0..4)).collect();
    all.push(approved(committee, &good.candidates, 0..1));
    all.push(approved(committee, &good.candidates[..1], 0..4));
    let mut forged = good.clone();
    if let (Some(one), Some(other)) = (good.approvals.get(&0), forged.approvals.get_mut(&1)) {
        *other = one.clone();
    }
    all.push(Transaction::Epoch(Arc::new(forged)));
    all.extend(odd);
    all
}

fn batches(good: &MeterBatch) -> Vec<Transaction> {
    let home = if good.member == member("mg-y") {
        "chain-y"
    } else {
        "chain-x"
    };
    let spoil = |change: &dyn Fn(&mut MeterBatch), right: bool| {
        let mut batch = good.clone();
        change(&mut batch);
        let domain = Domain {
            chain: chain(home),
            genesis: genesis(home),
            epoch: 0,
            purpose: Purpose::Meter,
        };
        let name = if right { batch.member.as_str() } else { "mg-q" };
        batch.signature = sign(&key(&format!("{name} meter")), &domain, &batch.message());
        Transaction::Meter(Arc::new(batch))
    };
    vec![
        spoil(&|_| (), false),
        spoil(&|b| b.meter = 3, true),
        spoil(&|b| b.member = member("nobody"), true),
        spoil(&|b| b.member = member("aggregator"), true),
        on_z(good),
        spoil(&|b| b.start = b.start.plus_millis(1), true),
        spoil(&|b| b.start = b.start.plus_millis(900_000), true),
        spoil(&|b| b.length = IntervalLength::Min60, true),
        spoil(
            &|b| b.exported.before = b.exported.after + Energy::from_millijoules(1),
            true,
        ),
    ]
}

/// A meter of somebody who lives on Z.
fn on_z(good: &MeterBatch) -> Transaction {
    let mut batch = good.clone();
    batch.member = member("aggregator");
    let domain = Domain {
        chain: chain("chain-z"),
        genesis: genesis("chain-z"),
        epoch: 0,
        purpose: Purpose::Meter,
    };
    batch.signature = sign(&key("aggregator meter"), &domain, &batch.message());
    Transaction::Meter(Arc::new(batch))
}

fn certificates(good: &Certificate) -> Vec<Arc<Certificate>> {
    let (name, at) = (good.chain.as_str(), (good.epoch, good.height));
    let all_seats = [0, 1, 2, 3];
    let payload = &good.payload;
    let mut all = vec![
        attest(name, at, payload.clone(), &[0]),
        attest(name, at, payload.clone(), &[]),
        attest(name, (9, good.height), payload.clone(), &all_seats),
        attest(ROGUE, (0, good.height), payload.clone(), &all_seats),
    ];
    let mut wrong = good.clone();
    if let Some(one) = good.attestations.get(&0) {
        wrong.attestations = good
            .attestations
            .keys()
            .map(|&s| (s, one.clone()))
            .collect();
    }
    all.push(Arc::new(wrong));
    let high = attest(
        name,
        (good.epoch, good.height + 1_000),
        payload.clone(),
        &all_seats,
    );
    all.push(high);
    let spoilt = payloads(payload).into_iter();
    all.extend(spoilt.map(|payload| attest(name, at, payload, &all_seats)));
    all
}

/// What a chain could say that it should not.
fn payloads(good: &Payload) -> Vec<Payload> {
    let other = Digest::of(b"another");
    match good.clone() {
        Payload::Request(good) => requests(&good).into_iter().map(Payload::Request).collect(),
        Payload::Accept(mut good) => {
            let acceptance = Arc::make_mut(&mut good);
            acceptance.terms_hash = other;
            vec![Payload::Accept(good)]
        }
        Payload::Commit(mut good) => {
            let mut all: Vec<Payload> = requests(&good.request)
                .into_iter()
                .map(|request| {
                    let mut commitment = (*good).clone();
                    commitment.request = request;
                    Payload::Commit(Arc::new(commitment))
                })
                .collect();
            Arc::make_mut(&mut good).trade_hash = other;
            all.push(Payload::Commit(good));
            all
        }
        Payload::Taken(good) | Payload::Delivered(good) => {
            let spoilt = requests(&good.request).into_iter().flat_map(|request| {
                let mut reading = (*good).clone();
                reading.request = request;
                let reading = Arc::new(reading);
                [Payload::Taken(reading.clone()), Payload::Delivered(reading)]
            });
            let mut more = (*good).clone();
            more.energy = more.energy + more.energy;
            spoilt.chain([Payload::Delivered(Arc::new(more))]).collect()
        }
        Payload::Settle(good) => outcomes(&good),
        Payload::Rotate { sequence, rotation } => rotations(sequence, &rotation),
        Payload::Deposit { sequence, deposit } => deposits(sequence, &deposit),
        Payload::Net {
            sequence,
            transfers,
        } => nets(sequence, &transfers),
        Payload::Register {
            sequence,
            registration: Registration::Chain(committee),
        } => {
            let spoilt = committees(&committee).into_iter();
            spoilt
                .map(|c| Payload::Register {
                    sequence,
                    registration: Registration::Chain(Arc::new(c)),
                })
                .collect()
        }
        Payload::Reject(_) | Payload::Refund(_) | Payload::Void(_) => Vec::new(),
        Payload::Register { .. } | Payload::Freeze { .. } => Vec::new(),
    }
}

/// To another chain; of nothing.
fn deposits(sequence: u64, good: &Deposit) -> Vec<Payload> {
    let (mut away, mut nothing) = (good.clone(), good.clone());
    away.home = chain("chain-v");
    nothing.amount = Money::ZERO;
    let both = [away, nothing].into_iter();
    both.map(|deposit| Payload::Deposit { sequence, deposit })
        .collect()
}

/// Between other chains; of nothing.
fn nets(sequence: u64, good: &[Transfer]) -> Vec<Payload> {
    let (mut away, mut nothing) = (good.to_vec(), good.to_vec());
    for (transfer, none) in away.iter_mut().zip(&mut nothing) {
        (transfer.from, transfer.to) = (chain("chain-v"), chain(ROGUE));
        none.amount = Money::ZERO;
    }
    let both = [away, nothing].into_iter();
    both.map(|transfers| Payload::Net {
        sequence,
        transfers,
    })
    .collect()
}

fn outcomes(good: &tieline_contract::payload::Outcome) -> Vec<Payload> {
    let spoil = |change: &dyn Fn(&mut tieline_contract::payload::Outcome)| {
        let mut outcome = good.clone();
        change(&mut outcome);
        Payload::Settle(Arc::new(outcome))
    };
    let fine = Settlement {
        penalty: Money::from_millionths(100_000),
        short: Energy::from_millijoules(9_000_000_000),
        ..Settlement::default()
    };
    vec![
        spoil(&|o| o.terms_hash = Digest::of(b"another")),
        spoil(&|o| o.settlement.payment = Money::from_millionths(2_000_000)),
        spoil(&|o| o.settlement.penalty = Money::from_millionths(9_000_000)),
        spoil(&|o| o.settlement = fine),
    ]
}

fn rotations(sequence: u64, good: &Rotation) -> Vec<Payload> {
    let say = |rotation| Payload::Rotate { sequence, rotation };
    match good {
        Rotation::Opened(committee) => {
            let spoilt = committees(committee).into_iter();
            spoilt.map(|c| say(Rotation::Opened(Arc::new(c)))).collect()
        }
        Rotation::Acknowledged { epoch, .. } => vec![say(Rotation::Acknowledged {
            chain: chain("chain-v"),
            epoch: *epoch,
        })],
        Rotation::Closed { epoch } => vec![say(Rotation::Closed { epoch: epoch + 1 })],
    }
}
