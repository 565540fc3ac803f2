//! Cases about an order on X and Y.

use std::sync::Arc;

use tieline_contract::certificate::CertificateError;
use tieline_contract::guard::Fact;
use tieline_contract::payload::{Acceptance, Commitment, Kind, Payload};
use tieline_contract::settlement::SettleError;
use tieline_contract::state::State;
use tieline_contract::threshold::ThresholdError;
use tieline_contract::transaction::{Act, Transaction};
use tieline_sim::village::{chain, genesis, key_return, request, signed};
use tieline_units::{Digest, Energy, Time};

use super::Refused;
use crate::acts::forged;
use crate::town::{Deal, Phase, Town, attested, early, terms};

pub(super) fn named(name: &str) -> Fact {
    Fact::Name(name.to_owned())
}

/// The clock is set beyond a limit, or short of it, by so many milliseconds.
pub(super) fn clock(town: &mut Town, limit: Time, by: i64) -> Fact {
    let now = limit.as_millis().checked_add_signed(by).unwrap();
    town.now = Time::from_millis(now);
    Fact::Time {
        now: town.now,
        limit,
    }
}

pub(super) fn state(_: &mut Town) -> Refused {
    let order = Deal::new(terms(|_| ()), 7).order;
    (
        "chain-x",
        Transaction::Timeout(order),
        Fact::Is("not on this chain"),
    )
}

pub(super) fn block_time(town: &mut Town) -> Refused {
    let deal = town.deal(terms(|_| ()), 7, Phase::Locked);
    let fact = clock(town, early(), -1);
    ("chain-x", Transaction::Timeout(deal.order), fact)
}

pub(super) fn signed_by(town: &mut Town) -> Refused {
    let deal = town.deal(terms(|_| ()), 7, Phase::Offered);
    let act = Transaction::Signed(signed("chain-y", "mg-x", Act::Decline(deal.order)));
    ("chain-y", act, named("mg-x"))
}

pub(super) fn certified(town: &mut Town) -> Refused {
    town.deal(terms(|_| ()), 7, Phase::Locked);
    let alone = attested(town.on("chain-x"), 0, &[2]).remove(0);
    let count = ThresholdError::Count {
        chain: chain("chain-x"),
        found: 1,
        least: 2,
        most: 4,
    };
    let fact = Fact::Certificate(Box::new(CertificateError::Threshold(count)));
    ("chain-y", Transaction::Certificate(alone), fact)
}

pub(super) fn author(town: &mut Town) -> Refused {
    let deal = town.deal(terms(|_| ()), 7, Phase::Locked);
    let reject = forged("chain-z", Payload::Reject(deal.order));
    ("chain-x", reject, named("chain-z"))
}

pub(super) fn home_x(_: &mut Town) -> Refused {
    let request = Transaction::Request(request(terms(|_| ()), 7));
    ("chain-y", request, named("chain-x"))
}

pub(super) fn home_y(town: &mut Town) -> Refused {
    let terms = Arc::new(terms(|_| ()));
    town.now = terms.deadline;
    let late = tieline_sim::village::timeout_request(&terms, 7);
    ("chain-x", late, named("chain-y"))
}

pub(super) fn other_chain(_: &mut Town) -> Refused {
    let here = terms(|terms| {
        (terms.chain_y, terms.genesis_y) = (chain("chain-x"), genesis("chain-x"));
    });
    (
        "chain-x",
        Transaction::Request(request(here, 7)),
        named("chain-x"),
    )
}

pub(super) fn one_chain(_: &mut Town) -> Refused {
    let deal = Deal::new(terms(|_| ()), 7);
    let Transaction::Signed(answer) = deal.accept() else {
        unreachable!("an answer is signed");
    };
    let request = deal.request;
    (
        "chain-x",
        Transaction::Local { request, answer },
        named("chain-y"),
    )
}

pub(super) fn well_formed(_: &mut Town) -> Refused {
    let nothing = terms(|terms| terms.quantity = Energy::ZERO);
    let quantity = Energy::ZERO;
    let fact = Fact::Terms(SettleError::Quantity { quantity });
    ("chain-x", Transaction::Request(request(nothing, 7)), fact)
}

pub(super) fn schedule(_: &mut Town) -> Refused {
    let terms = terms(|terms| terms.gate_closure = terms.start.plus_millis(1));
    let (now, limit) = (terms.gate_closure, terms.start);
    let request = Transaction::Request(request(terms, 7));
    ("chain-x", request, Fact::Time { now, limit })
}

pub(super) fn early_enough(town: &mut Town) -> Refused {
    let terms = terms(|_| ());
    let limit = terms.deadline;
    town.now = limit.minus_millis(terms.delta_t - 1);
    let now = town.now;
    (
        "chain-x",
        Transaction::Request(request(terms, 7)),
        Fact::Time { now, limit },
    )
}

pub(super) fn at_deadline(town: &mut Town) -> Refused {
    let terms = Arc::new(terms(|_| ()));
    let fact = clock(town, terms.deadline, -1);
    (
        "chain-y",
        tieline_sim::village::timeout_request(&terms, 7),
        fact,
    )
}

pub(super) fn in_time(town: &mut Town) -> Refused {
    let deal = town.deal(terms(|_| ()), 7, Phase::Offered);
    let limit = deal.terms.deadline.minus_millis(deal.terms.delta_t);
    let fact = clock(town, limit, 1);
    ("chain-y", deal.accept(), fact)
}

/// T3 keeps what brought the request; only a ledger that lost a record of its store can meet this.
pub(super) fn arrived(town: &mut Town) -> Refused {
    const KEPT: u8 = 16;
    let deal = town.deal(terms(|_| ()), 7, Phase::Offered);
    let mut records = town.on("chain-y").records();
    let place = records
        .iter()
        .rposition(|(key, value)| {
            key[0] == KEPT
                && value
                    == &tieline_units::canonical::Canonical::to_bytes(&deal.said[&Kind::Request])
        })
        .unwrap();
    records.remove(place);
    let records = records.iter().map(|(key, value)| (&key[..], &value[..]));
    *town.on_mut("chain-y") = State::from_records(records).unwrap();
    ("chain-y", deal.accept(), Fact::Plain)
}

pub(super) fn same_terms(town: &mut Town) -> Refused {
    let deal = town.deal(terms(|_| ()), 7, Phase::Offered);
    let acceptance = Acceptance {
        order: deal.order,
        terms_hash: Digest::of(b"other terms"),
        response_commitment: Digest::of(b"response"),
        sealed_response: Arc::from(&b"sealed"[..]),
    };
    let accept = forged("chain-y", Payload::Accept(Arc::new(acceptance)));
    ("chain-x", accept, Fact::Plain)
}

pub(super) fn not_after_deadline(town: &mut Town) -> Refused {
    let deal = town.deal(terms(|_| ()), 7, Phase::Accepted);
    let fact = clock(town, deal.terms.deadline, 1);
    ("chain-x", deal.tell(Kind::Accept), fact)
}

pub(super) fn after_deadline(town: &mut Town) -> Refused {
    let deal = town.deal(terms(|_| ()), 7, Phase::Locked);
    let fact = clock(town, deal.terms.deadline, 0);
    ("chain-x", Transaction::Timeout(deal.order), fact)
}

pub(super) fn once(town: &mut Town) -> Refused {
    let deal = town.deal(terms(|_| ()), 7, Phase::Confirmed);
    ("chain-x", key_return(&deal.terms, deal.order), Fact::Plain)
}

pub(super) fn same_trade(town: &mut Town) -> Refused {
    let deal = town.deal(terms(|_| ()), 7, Phase::Accepted);
    let commitment = Commitment {
        request: deal.request.clone(),
        trade_hash: Digest::of(b"another acceptance"),
    };
    let commit = forged("chain-x", Payload::Commit(Arc::new(commitment)));
    ("chain-y", commit, Fact::Plain)
}

pub(super) fn before_gate(town: &mut Town) -> Refused {
    let deal = town.deal(terms(|_| ()), 7, Phase::Committed);
    let fact = clock(town, deal.terms.gate_closure, 0);
    ("chain-y", deal.tell(Kind::Commit), fact)
}

pub(super) fn at_gate(town: &mut Town) -> Refused {
    let deal = town.deal(terms(|_| ()), 7, Phase::Committed);
    let fact = clock(town, deal.terms.gate_closure, -1);
    ("chain-y", Transaction::Void(deal.order), fact)
}
