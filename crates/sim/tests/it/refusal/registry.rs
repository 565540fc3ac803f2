//! Cases about members, chains, epochs and evidence.

use std::sync::Arc;

use tieline_contract::guard::Fact;
use tieline_contract::payload::Payload;
use tieline_contract::terms::OrderId;
use tieline_contract::threshold::ThresholdError;
use tieline_contract::transaction::{NextEpoch, Transaction};
use tieline_sim::symbol::key;
use tieline_sim::village::{chain, member, request};
use tieline_units::Digest;

use super::Refused;
use super::order::named;
use crate::acts::{application, evidence, forge, next_epoch, nodes, register_chain};
use crate::town::{Phase, Town, money, terms};

pub(super) fn parties(_: &mut Town) -> Refused {
    let stranger = terms(|terms| terms.aggregator = member("mg-w"));
    (
        "chain-x",
        Transaction::Request(request(stranger, 7)),
        named("mg-w"),
    )
}

pub(super) fn active(town: &mut Town) -> Refused {
    town.revoke("mg-y", &["chain-x"]);
    (
        "chain-x",
        Transaction::Request(request(terms(|_| ()), 7)),
        Fact::Plain,
    )
}

pub(super) fn thawed(town: &mut Town) -> Refused {
    town.freeze("chain-y", &["chain-x"]);
    (
        "chain-x",
        Transaction::Request(request(terms(|_| ()), 7)),
        Fact::Plain,
    )
}

pub(super) fn traceable(town: &mut Town) -> Refused {
    let deal = town.deal(terms(|_| ()), 7, Phase::Offered);
    let mut record = town.record("mg-x");
    record.key = key("mg-x, another key");
    town.change(record, &["chain-y"]);
    ("chain-y", deal.accept(), named("mg-x"))
}

pub(super) fn committee(town: &mut Town) -> Refused {
    town.fund("vpp", money(10_000_000));
    let mut few = nodes("chain-w", 0);
    few.seats.pop();
    let error = ThresholdError::Size {
        chain: chain("chain-w"),
        size: 3,
        least: 4,
    };
    (
        "chain-z",
        register_chain(few),
        Fact::Threshold(Box::new(error)),
    )
}

pub(super) fn selected(_: &mut Town) -> Refused {
    let Transaction::Epoch(next) = next_epoch(nodes("chain-x", 1), &[0, 1, 2]) else {
        unreachable!("the next epoch");
    };
    let mut next = NextEpoch::clone(&next);
    next.candidates.pop();
    ("chain-x", Transaction::Epoch(Arc::new(next)), Fact::Plain)
}

pub(super) fn approved(_: &mut Town) -> Refused {
    let next = next_epoch(nodes("chain-x", 1), &[0, 1]);
    ("chain-x", next, named("2 of 4"))
}

pub(super) fn possession(town: &mut Town) -> Refused {
    let record = town.record("mg-x");
    let stolen = application(record, &key("mg-y"));
    ("chain-z", stolen, named("mg-x"))
}

pub(super) fn unused(town: &mut Town) -> Refused {
    let mut record = town.record("mg-x");
    record.key = key("mg-y");
    ("chain-z", application(record, &key("mg-y")), named("mg-x"))
}

pub(super) fn acknowledged(town: &mut Town) -> Refused {
    town.act("chain-x", &next_epoch(nodes("chain-x", 1), &[0, 1, 2]));
    ("chain-x", Transaction::CloseEpoch(0), named("chain-z"))
}

pub(super) fn undecided(town: &mut Town) -> Refused {
    town.fund("vpp", money(10_000_000));
    town.deal(terms(|_| ()), 7, Phase::Locked);
    let opened = town.act("chain-x", &next_epoch(nodes("chain-x", 1), &[0, 1, 2]));
    town.tell("chain-x", &opened);
    for name in ["chain-y", "chain-z"] {
        let told = town.tell(name, &opened);
        town.tell("chain-x", &told);
    }
    ("chain-x", Transaction::CloseEpoch(0), named("1 orders"))
}

pub(super) fn contradiction(_: &mut Town) -> Refused {
    let order = OrderId(Digest::of(b"some order"));
    let one = forge("chain-x", (0, 5), Payload::Refund(order), &[0, 1]);
    ("chain-z", evidence(&one, &one), Fact::Plain)
}

pub(super) fn unpunished(town: &mut Town) -> Refused {
    let order = OrderId(Digest::of(b"some order"));
    let one = forge("chain-x", (0, 5), Payload::Refund(order), &[0, 1]);
    let other = forge("chain-x", (0, 5), Payload::Reject(order), &[1, 2]);
    town.act("chain-z", &evidence(&one, &other));
    ("chain-z", evidence(&other, &one), Fact::Plain)
}
