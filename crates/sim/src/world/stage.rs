//! What a world begins with: who has what, who may do what, when, and what may fail.

use std::collections::BTreeMap;
use std::sync::Arc;

use tieline_contract::apply;
use tieline_contract::certificate::Certificate;
use tieline_contract::payload::{Acceptance, Commitment, Outcome, Payload, Reading};
use tieline_contract::settlement::{Readings, settle};
use tieline_contract::state::{Block, State};
use tieline_contract::terms::Request;
use tieline_contract::threshold::{Committee, Seat};
use tieline_contract::trade::commit_hash;
use tieline_contract::transaction::{
    Act, Contradiction, Evidence, NextEpoch, Transaction, committee_message,
};
use tieline_seal::hybrid::{Domain, Purpose};
use tieline_units::{Digest, Energy, Money, Time};

use super::certificates::attest;
use super::{Deed, Side};
use crate::symbol::{Symbolic, sign};
use crate::village::{
    START, Village, accept, certificates, decline, deposit, key_return, member, metered, request,
    seat_key,
};

/// The chain that has nothing to do with the trade, and whose verification nodes are all dishonest.
pub const ROGUE: &str = "chain-w";

/// The instants at which each chain's clock can stand, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clocks(pub [Vec<Time>; 3]);

impl Clocks {
    /// At every limit and just beyond it: X at D - Δt, D, D + 1 ms, t1; Y at D - Δt, 1 ms before D, D, G, t1; Z at T_m +
    /// grace and 1 ms later.
    pub fn of(village: &Village) -> Clocks {
        let terms = village.terms();
        let (deadline, gate, end) = (terms.deadline, terms.gate_closure, terms.end());
        let early = deadline.minus_millis(terms.delta_t);
        let grace = terms.metering_deadline.plus_millis(village.grace);
        Clocks([
            vec![early, deadline, deadline.plus_millis(1), end],
            vec![early, deadline.minus_millis(1), deadline, gate, end],
            vec![grace, grace.plus_millis(1)],
        ])
    }

    /// As [`Clocks::of`], without the instants between D - Δt and D.
    pub fn few(village: &Village) -> Clocks {
        let Clocks([x, mut y, z]) = Clocks::of(village);
        y.remove(1);
        Clocks([x, y, z])
    }

    /// As [`Clocks::of`], and the last millisecond before the gate closes and before the interval is over.
    pub fn many(village: &Village) -> Clocks {
        let terms = village.terms();
        let Clocks([mut x, mut y, z]) = Clocks::of(village);
        x.insert(3, terms.end().minus_millis(1));
        y.insert(3, terms.gate_closure.minus_millis(1));
        y.insert(5, terms.end().minus_millis(1));
        Clocks([x, y, z])
    }
}

/// Everything that a universe is made of.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Sizes and prices.
    pub village: Village,
    /// The orders that buyers may request.
    pub orders: Vec<Arc<Request>>,
    /// Money that is on the home chains at the beginning.
    pub deposits: Vec<(&'static str, Money)>,
    /// What may be submitted.
    pub deeds: Vec<Deed>,
    /// What the buyer's meter may read, imports negative.
    pub taken: Vec<Energy>,
    /// What the seller's meter may read, exports positive.
    pub delivered: Vec<Energy>,
    /// When.
    pub clocks: Clocks,
    /// Which chains may die, and whether then everything that was not kept is lost. One death per run.
    pub deaths: Vec<(Side, bool)>,
    /// Whether f seats of each chain and all of another's forge whatever helps.
    pub forged: bool,
    /// Whether relayers also make certificates of readings with the fewest signatures.
    pub thin: bool,
    /// Whether phase 4 is final, as printed.
    pub literal: bool,
}

impl Plan {
    /// `orders` orders of one buyer to one seller, enough money and capacity for all, no failures.
    pub fn of(orders: u8) -> Plan {
        let village = Village::default();
        let terms = village.terms();
        let requests = (0..orders).map(|n| request(terms.clone(), u64::from(n)));
        let each = |n: u8| {
            [
                Deed::Request(n),
                Deed::Accept(n),
                Deed::Decline(n),
                Deed::Timeout(n),
                Deed::TimeoutRequest(n),
                Deed::Void(n),
                Deed::Default(n),
            ]
        };
        let mut deeds: Vec<Deed> = (0..orders).flat_map(each).collect();
        deeds.extend([Deed::Meter(Side::X, 0), Deed::Meter(Side::Y, 0)]);
        Plan {
            clocks: Clocks::of(&village),
            deposits: vec![("mg-x", village.funds), ("mg-y", village.funds)],
            village,
            orders: requests.collect(),
            deeds,
            taken: vec![-terms.quantity],
            delivered: vec![Energy::from_millijoules(8_100_000_000)],
            deaths: Vec::new(),
            forged: false,
            thin: false,
            literal: false,
        }
    }
}

/// A deed with its transaction.
pub(crate) struct Post {
    pub(crate) deed: Deed,
    pub(crate) side: Side,
    pub(crate) transaction: Transaction,
}

/// A plan that was carried out so far that trade can begin.
pub(crate) struct Stage {
    pub(crate) ledgers: [State; 3],
    pub(crate) posts: Vec<Post>,
    pub(crate) forgeries: Vec<Arc<Certificate>>,
}

impl Stage {
    pub(crate) fn new(plan: &Plan) -> Stage {
        Stage {
            ledgers: founded(plan),
            posts: plan.deeds.iter().map(|&deed| post(plan, deed)).collect(),
            forgeries: match plan.forged {
                true => forgeries(plan),
                false => Vec::new(),
            },
        }
    }
}

/// Genesis, and deposits by certificates.
fn founded(plan: &Plan) -> [State; 3] {
    let village = &plan.village;
    let mut committees: Vec<Committee> = Side::ALL
        .map(|side| village.committee(side.chain(), 0))
        .into();
    committees.push(village.committee(ROGUE, 0));
    let mut ledgers = Side::ALL.map(|side| {
        let rules = village.ledger(side.chain()).rules().clone();
        State::genesis(rules, village.members(), committees.clone())
    });
    let early = plan.clocks.0.iter().flatten().min().copied();
    let time = early.unwrap_or(START);
    let stakes = [("vpp", Money::from_millionths(100_000_000))];
    for (sequence, (who, amount)) in plan.deposits.iter().copied().chain(stakes).enumerate() {
        let paid = deposit(sequence as u64, who, amount);
        let [x, y, z] = &mut ledgers;
        let height = z.block().height + 1;
        let block = Block { height, time };
        apply(z, &paid, block, &Symbolic).expect("the operator may");
        for certificate in certificates(z, height, 0, &[0, 1, 2, 3]) {
            for home in [&mut *x, &mut *y] {
                let height = home.block().height + 1;
                let credit = Transaction::Certificate(certificate.clone());
                // Refused by the chain that is not the member's home.
                let _ = apply(home, &credit, Block { height, time }, &Symbolic);
            }
        }
    }
    ledgers
}

fn post(plan: &Plan, deed: Deed) -> Post {
    let order = |n: u8| &plan.orders[usize::from(n)];
    let transaction = match deed {
        Deed::Request(n) => Transaction::Request(order(n).clone()),
        Deed::Accept(n) => accept(&order(n).terms, order(n).order()),
        Deed::Decline(n) => decline(&order(n).terms, order(n).order()),
        Deed::KeyReturn(n) => key_return(&order(n).terms, order(n).order()),
        Deed::Meter(side, n) => meter(plan, side, usize::from(n)),
        Deed::Timeout(n) => Transaction::Timeout(order(n).order()),
        Deed::TimeoutRequest(n) => Transaction::TimeoutRequest(order(n).clone()),
        Deed::Void(n) => Transaction::Void(order(n).order()),
        Deed::Default(n) => Transaction::Default(order(n).order()),
        Deed::OpenEpoch(side) => handover(&plan.village, side),
        Deed::CloseEpoch(_) => Transaction::CloseEpoch(0),
        Deed::Evidence => evidence(&plan.orders[0]),
    };
    Post {
        deed,
        side: deed.side(),
        transaction,
    }
}

fn meter(plan: &Plan, side: Side, which: usize) -> Transaction {
    let (who, readings) = match side {
        Side::X => ("mg-x", &plan.taken),
        Side::Y | Side::Z => ("mg-y", &plan.delivered),
    };
    metered(side.chain(), who, START, readings[which])
}

/// Epoch 1 of a chain: other keys, approved by all of epoch 0; the VPP's operator runs the nodes, since stakes lie on Z.
pub fn handover(village: &Village, side: Side) -> Transaction {
    let mut new = village.committee(side.chain(), 1);
    for seat in &mut new.seats {
        seat.owner = member("vpp");
    }
    approved(
        &new,
        &new.seats,
        0..village.committee(side.chain(), 0).seats.len() as u8,
    )
}

/// The next verification nodes with the approvals of these seats of the epoch before.
pub fn approved(
    new: &Committee,
    candidates: &[Seat],
    seats: impl IntoIterator<Item = u8>,
) -> Transaction {
    let epoch = new.epoch.saturating_sub(1);
    let domain = Domain {
        chain: new.chain.clone(),
        genesis: new.genesis,
        epoch,
        purpose: Purpose::Transaction,
    };
    let message = committee_message(new);
    let one = |seat: u8| {
        let key = seat_key(new.chain.as_str(), epoch, usize::from(seat));
        (seat, sign(&key, &domain, &message))
    };
    let approvals: BTreeMap<u8, _> = seats.into_iter().map(one).collect();
    Transaction::Epoch(Arc::new(NextEpoch {
        candidates: candidates.to_vec(),
        committee: Arc::new(new.clone()),
        approvals,
    }))
}

/// What the seller answers in [`accept`].
///
/// # Panics
/// Never: that is an acceptance.
pub fn answer(request: &Request) -> Acceptance {
    let commitment = match accept(&request.terms, request.order()) {
        Transaction::Signed(signed) => match &signed.act {
            Act::Accept {
                response_commitment,
                sealed_response,
                ..
            } => Some((*response_commitment, sealed_response.clone())),
            _ => None,
        },
        _ => None,
    };
    let (response_commitment, sealed_response) = commitment.expect("accept makes an acceptance");
    Acceptance {
        order: request.order(),
        terms_hash: request.terms.hash(),
        response_commitment,
        sealed_response,
    }
}

/// Seat 0 of Y attests another answer than the one it attested with all others.
pub fn evidence(request: &Request) -> Transaction {
    let said = answer(request);
    let other = Acceptance {
        response_commitment: Digest::of(b"another response"),
        ..said.clone()
    };
    let of = |acceptance, seats: &[u8]| {
        let payload = Payload::Accept(Arc::new(acceptance));
        attest(Side::Y.chain(), (0, 1), payload, seats)
    };
    Transaction::Evidence(Arc::new(Evidence {
        one: of(other, &[0]),
        other: Contradiction::Certificate(of(said, &[0, 1, 2, 3])),
    }))
}

/// One certificate of every kind, by one dishonest seat of the chain that could say it, and by all of a chain that could
/// not. Each for the first order, with everything right that a forger can know.
fn forgeries(plan: &Plan) -> Vec<Arc<Certificate>> {
    let request = plan.orders[0].clone();
    let (order, terms) = (request.order(), request.terms.clone());
    let answer = answer(&request);
    let trade_hash = answer.hash();
    let commitment = Commitment {
        request: request.clone(),
        trade_hash,
    };
    let reading = |trade_hash| {
        Arc::new(Reading {
            request: request.clone(),
            energy: terms.quantity,
            trade_hash,
        })
    };
    let delivered = reading(commit_hash(&commitment));
    let full = Readings {
        taken: Some(terms.quantity),
        delivered: Some(terms.quantity),
    };
    let settlement = settle(&terms.settlement(), full).expect("the terms are well formed");
    let outcome = Outcome {
        order,
        terms_hash: terms.hash(),
        settlement,
    };
    let lies = [
        (Side::X, Payload::Request(request.clone())),
        (Side::Y, Payload::Accept(Arc::new(answer))),
        (Side::Y, Payload::Reject(order)),
        (Side::X, Payload::Commit(Arc::new(commitment))),
        (Side::X, Payload::Refund(order)),
        (Side::Y, Payload::Void(order)),
        (Side::X, Payload::Taken(reading(trade_hash))),
        (Side::Y, Payload::Delivered(delivered)),
        (Side::Z, Payload::Settle(Arc::new(outcome))),
    ];
    let each = lies.into_iter().flat_map(|(side, payload)| {
        let few = attest(side.chain(), (0, 1), payload.clone(), &[0]);
        [few, attest(ROGUE, (0, 1), payload, &[0, 1, 2, 3])]
    });
    each.collect()
}
