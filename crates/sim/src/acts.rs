//! What the operator, applicants and verification nodes of a village do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tieline_contract::member::{Member, Register};
use tieline_contract::record_digest;
use tieline_contract::state::Tariff;
use tieline_contract::terms::{OrderId, Request, Terms, Unconditional};
use tieline_contract::threshold::Committee;
use tieline_contract::transaction::{Act, NextEpoch, Transaction, committee_message};
use tieline_seal::hybrid::{Domain, PublicKey, Purpose, Signature};
use tieline_units::{Digest, Energy, Money, Time};

use crate::symbol::sign;
use crate::village::{Village, batch, member, signed};

/// An act of the operator.
pub fn operator(act: Act) -> Transaction {
    Transaction::Signed(signed("chain-z", "vpp", act))
}

/// Somebody applies.
pub fn register(who: &Member) -> Transaction {
    let act = Act::Register(Arc::new(who.clone()));
    Transaction::Signed(signed("chain-z", who.id.as_str(), act))
}

/// The operator lets an applicant in.
pub fn approve(who: &Member) -> Transaction {
    operator(Act::Approve {
        member: who.id.clone(),
        record: record_digest(who),
    })
}

/// The operator ends a membership.
pub fn revoke(who: &Member) -> Transaction {
    operator(Act::Revoke {
        member: who.id.clone(),
        record: record_digest(who),
    })
}

/// The operator registers a chain.
pub fn register_chain(committee: Committee) -> Transaction {
    let possession = by_seat(&committee, &committee, Purpose::Possession);
    operator(Act::RegisterChain {
        committee: Arc::new(committee),
        possession,
    })
}

/// A chain moves from one epoch to the next, with the approval of all.
pub fn next_epoch(village: &Village, name: &str, next: u64) -> Transaction {
    let old = village.committee(name, next - 1);
    let committee = village.committee(name, next);
    Transaction::Epoch(Arc::new(NextEpoch {
        candidates: committee.seats.clone(),
        approvals: by_seat(&old, &committee, Purpose::Transaction),
        committee: Arc::new(committee),
    }))
}

/// Signatures of all members of one subset on another.
pub fn by_seat(signers: &Committee, on: &Committee, purpose: Purpose) -> BTreeMap<u8, Signature> {
    let domain = Domain {
        chain: signers.chain.clone(),
        genesis: signers.genesis,
        epoch: signers.epoch,
        purpose,
    };
    let message = committee_message(on);
    let one = |key: &PublicKey| sign(key, &domain, &message);
    let seats = signers.seats.iter().zip(0..);
    seats.map(|(seat, at)| (at, one(&seat.key))).collect()
}

/// The operator anchors a round.
pub fn round(hash: Digest, orders: impl IntoIterator<Item = OrderId>) -> Transaction {
    let orders: BTreeSet<OrderId> = orders.into_iter().collect();
    operator(Act::Round { hash, orders })
}

/// The operator says what the grid charges and pays.
pub fn tariff(start: Time, tariff: Tariff) -> Transaction {
    operator(Act::Tariff { start, tariff })
}

/// The operator says what flowed.
pub fn imbalance<'a>(
    start: Time,
    flows: impl IntoIterator<Item = (&'a str, Energy)>,
) -> Transaction {
    let flows = flows.into_iter().map(|(who, net)| (member(who), net));
    let flows = flows.collect();
    operator(Act::Imbalance { start, flows })
}

/// Both gateways of one chain at once.
pub fn local(request: &Arc<Request>) -> Transaction {
    let terms = &request.terms;
    let act = Act::Accept {
        order: request.order(),
        response_commitment: Digest::of(b"response"),
        sealed_response: Arc::from(&b"sealed"[..]),
        unconditional: Unconditional::Named {
            hash: Digest::of(b"unconditional signature of the seller"),
        },
    };
    Transaction::Local {
        request: request.clone(),
        answer: signed(terms.chain_y.as_str(), terms.seller.as_str(), act),
    }
}

/// Terms with both sides on X: `mg-x2` sells to `mg-x`.
pub fn local_terms(village: &Village) -> Terms {
    let mut terms = village.terms();
    (terms.chain_y, terms.genesis_y) = (terms.chain_x.clone(), terms.genesis_x);
    terms.seller = member("mg-x2");
    terms.rendering_hash = terms.rendering_digest();
    terms
}

/// The same terms so much later.
pub fn later(mut terms: Terms, millis: u64) -> Terms {
    for time in [
        &mut terms.start,
        &mut terms.deadline,
        &mut terms.gate_closure,
        &mut terms.metering_deadline,
    ] {
        *time = time.plus_millis(millis);
    }
    terms.rendering_hash = terms.rendering_digest();
    terms
}

/// A batch of a member's meter on its home chain, with the registers at both ends of the interval, mJ.
pub fn registers(
    home: &str,
    who: &str,
    start: Time,
    exported: [i64; 2],
    imported: [i64; 2],
) -> Transaction {
    let register = |[before, after]: [i64; 2]| Register {
        before: Energy::from_millijoules(before),
        after: Energy::from_millijoules(after),
    };
    batch(home, who, |batch| {
        batch.start = start;
        (batch.exported, batch.imported) = (register(exported), register(imported));
    })
}

/// The operator certifies what a member stands for its verification nodes with.
pub fn stake(sequence: u64, who: &str, amount: Money) -> Transaction {
    operator(Act::Stake {
        sequence,
        member: member(who),
        amount,
    })
}
