//! Attack 28: phases skipped, out of order and twice; answers to another request; another key.

use std::sync::Arc;

use tieline_contract::guard::Guard;
use tieline_contract::payload::{Kind, Payload};
use tieline_contract::terms::Request;
use tieline_contract::trade::SellerState;
use tieline_contract::transaction::{Signed, Transaction};
use tieline_sim::symbol::{key, sign};
use tieline_sim::village::{accept, decline, key_return, request};

use crate::acts::forged;
use crate::town::{Deal, Phase, Town, terms};

/// Which certificates of an order X and Y take in each phase: the next one, and SET wherever money is locked.
const TAKEN: [(Phase, &[(&str, Kind)]); 6] = [
    (
        Phase::Locked,
        &[
            ("chain-x", Kind::Accept),
            ("chain-x", Kind::Settle),
            ("chain-y", Kind::Request),
        ],
    ),
    (
        Phase::Offered,
        &[("chain-x", Kind::Accept), ("chain-x", Kind::Settle)],
    ),
    (
        Phase::Accepted,
        &[
            ("chain-x", Kind::Accept),
            ("chain-x", Kind::Settle),
            ("chain-y", Kind::Commit),
        ],
    ),
    (
        Phase::Committed,
        &[("chain-x", Kind::Settle), ("chain-y", Kind::Commit)],
    ),
    (
        Phase::Confirmed,
        &[("chain-x", Kind::Settle), ("chain-y", Kind::Settle)],
    ),
    (Phase::Closed, &[]),
];

/// All certificates of the whole life of the order, as a twin town wrote them.
fn whole() -> Deal {
    Town::new().deal(terms(|_| ()), 7, Phase::Closed)
}

#[test]
fn attack_28_every_phase_takes_only_the_certificate_that_is_due() {
    let whole = whole();
    for (phase, taken) in TAKEN {
        for name in ["chain-x", "chain-y"] {
            for &kind in whole.said.keys() {
                let mut town = Town::new();
                town.deal(terms(|_| ()), 7, phase);
                let own = whole.said[&kind].chain.as_str() == name;
                if taken.contains(&(name, kind)) {
                    town.act(name, &whole.tell(kind));
                } else if !own {
                    town.refused(name, &whole.tell(kind));
                }
            }
        }
    }
}

#[test]
fn attack_28_every_phase_takes_only_the_act_that_is_due() {
    use Phase as P;
    let orders = [
        P::Locked,
        P::Offered,
        P::Accepted,
        P::Committed,
        P::Confirmed,
        P::Closed,
    ];
    for phase in orders {
        let mut town = Town::new();
        let deal = town.deal(terms(|_| ()), 7, phase);
        let again = Transaction::Request(deal.request.clone());
        assert_eq!(town.guard("chain-x", &again), Guard::State, "{phase:?}");
        if phase != P::Offered {
            assert_eq!(
                town.guard("chain-y", &deal.accept()),
                Guard::State,
                "{phase:?}"
            );
            let no = decline(&deal.terms, deal.order);
            assert_eq!(town.guard("chain-y", &no), Guard::State, "{phase:?}");
        }
        let late = tieline_sim::village::timeout_request(&deal.terms, 7);
        for (name, act) in [
            ("chain-x", Transaction::Timeout(deal.order)),
            ("chain-y", Transaction::Void(deal.order)),
            ("chain-z", Transaction::Default(deal.order)),
            ("chain-y", late),
        ] {
            town.refused(name, &act);
        }
        if phase != P::Committed {
            town.refused("chain-x", &key_return(&deal.terms, deal.order));
        }
    }
}

#[test]
fn attack_28_nothing_of_a_finished_order_is_taken_again() {
    let mut town = Town::new();
    let deal = town.deal(terms(|_| ()), 7, Phase::Closed);
    for name in ["chain-x", "chain-y", "chain-z"] {
        for (&kind, certificate) in &deal.said {
            if certificate.chain.as_str() != name {
                town.refused(name, &deal.tell(kind));
            }
        }
    }
}

#[test]
fn attack_28_an_answer_to_one_request_is_no_answer_to_another() {
    let mut town = Town::new();
    let one = town.deal(terms(|_| ()), 7, Phase::Offered);
    let mut other = town.deal(terms(|_| ()), 8, Phase::Offered);
    // The signature is on the order: moved to another, it is nobody's.
    let Transaction::Signed(answer) = accept(&one.terms, one.order) else {
        unreachable!("an answer is signed");
    };
    let Transaction::Signed(own) = accept(&other.terms, other.order) else {
        unreachable!("an answer is signed");
    };
    let mut moved = Signed::clone(&own);
    moved.signature = answer.signature.clone();
    let moved = Transaction::Signed(Arc::new(moved));
    assert_eq!(town.guard("chain-y", &moved), Guard::Signed);
    // ACC of another order with this one's name in it: the terms are the same, the entry is not what was signed.
    town.act_for("chain-y", &other.accept(), &mut other);
    let mut certificate =
        tieline_contract::certificate::Certificate::clone(&other.said[&Kind::Accept]);
    let Payload::Accept(acceptance) = &certificate.payload else {
        unreachable!("ACC");
    };
    let mut acceptance = tieline_contract::payload::Acceptance::clone(acceptance);
    acceptance.order = one.order;
    certificate.payload = Payload::Accept(Arc::new(acceptance));
    let moved = Transaction::Certificate(Arc::new(certificate));
    assert_eq!(town.guard("chain-x", &moved), Guard::Certified);
    assert_eq!(town.sold(&one), Some(SellerState::Offered));
}

/// A whole dishonest V_x attests a request that its buyer never signed.
#[test]
fn attack_28_a_request_under_another_key_is_never_accepted() {
    let mut town = Town::new();
    let mut forgery = Request::clone(&request(terms(|_| ()), 7));
    let message = Request::message(forgery.order(), &forgery.unconditional);
    let domain = Request::domain(&forgery.terms);
    for name in ["mg-y", "mg-x2", "chain-x epoch 0 seat 0"] {
        forgery.signature = sign(&key(name), &domain, &message);
        let offer = Payload::Request(Arc::new(forgery.clone()));
        let mut town = town.clone();
        town.act("chain-y", &forged("chain-x", offer));
        let yes = accept(&forgery.terms, forgery.order());
        assert_eq!(town.guard("chain-y", &yes), Guard::Traceable, "{name}");
    }
    // The right key, for another network of the same name.
    let mut elsewhere = domain;
    elsewhere.genesis = tieline_units::Digest::of(b"another network");
    forgery.signature = sign(&key("mg-x"), &elsewhere, &message);
    let own = Transaction::Request(Arc::new(forgery));
    assert_eq!(town.guard("chain-x", &own), Guard::Signed);
}

#[test]
fn attack_28_a_key_changed_in_between_breaks_the_trace_and_the_order_times_out() {
    let mut town = Town::new();
    let mut deal = town.deal(terms(|_| ()), 7, Phase::Offered);
    let mut record = town.record("mg-x");
    record.key = key("mg-x, another key");
    town.change(record, &["chain-x", "chain-y"]);
    assert_eq!(town.guard("chain-y", &deal.accept()), Guard::Traceable);
    town.now = deal.terms.deadline;
    let late = tieline_sim::village::timeout_request(&deal.terms, 7);
    town.act_for("chain-y", &late, &mut deal);
    town.act("chain-x", &deal.tell(Kind::Reject));
    assert_eq!(town.has("chain-x", "mg-x"), 100_000_000 - 1_000);
}

#[test]
fn attack_28_who_is_revoked_starts_nothing_and_finishes_what_is_open() {
    let mut town = Town::new();
    let mut deal = town.deal(terms(|_| ()), 7, Phase::Offered);
    town.revoke("mg-x", &["chain-x", "chain-y"]);
    let again = Transaction::Request(request(terms(|_| ()), 8));
    assert_eq!(town.guard("chain-x", &again), Guard::Active);
    town.bring(&mut deal, Some(Phase::Offered), Phase::Closed);
    assert_eq!(town.sold(&deal), Some(SellerState::Settled));

    let mut town = Town::new();
    let offered = town.deal(terms(|_| ()), 7, Phase::Offered);
    let mut accepted = town.deal(terms(|_| ()), 8, Phase::Accepted);
    town.revoke("mg-y", &["chain-x", "chain-y"]);
    assert_eq!(town.guard("chain-y", &offered.accept()), Guard::Active);
    town.bring(&mut accepted, Some(Phase::Accepted), Phase::Closed);
    assert_eq!(town.sold(&accepted), Some(SellerState::Settled));
}
