//! Cases about money, capacity, meters and settlement.

use std::sync::Arc;

use tieline_contract::guard::Fact;
use tieline_contract::payload::{Kind, Outcome, Payload};
use tieline_contract::settlement::{Readings, Settlement, settle};
use tieline_contract::state::Tariff;
use tieline_contract::transaction::{Act, Transaction};
use tieline_sim::village::{START, Village, batch, chain, deposit, request};
use tieline_units::{Energy, Money, Price};

use super::Refused;
use super::order::{clock, named};
use crate::acts::forged;
use crate::town::{Deal, Phase, Town, mj, money, operator, terms};

fn short_of(found: i64, needed: i64) -> Fact {
    let (found, needed) = (money(found), money(needed));
    Fact::Money { found, needed }
}

fn net(one: &str, other: &str) -> Transaction {
    let (one, other) = (chain(one), chain(other));
    Transaction::Net { one, other }
}

pub(super) fn ledger(_: &mut Town) -> Refused {
    ("chain-x", net("chain-x", "chain-y"), Fact::Plain)
}

pub(super) fn escrow(_: &mut Town) -> Refused {
    let terms = terms(|terms| terms.escrow = money(624_999));
    let request = Transaction::Request(request(terms, 7));
    ("chain-x", request, short_of(624_999, 625_000))
}

fn with(edit: impl FnOnce(&mut Village)) -> Town {
    let mut village = Village::default();
    edit(&mut village);
    Town::of(&village, &village.members())
}

pub(super) fn funds(town: &mut Town) -> Refused {
    *town = with(|village| village.funds = money(625_999));
    let request = Transaction::Request(request(terms(|_| ()), 7));
    ("chain-x", request, short_of(625_999, 626_000))
}

pub(super) fn exposure(town: &mut Town) -> Refused {
    *town = with(|village| village.exposure_cap = money(1_249_999));
    town.deal(terms(|_| ()), 7, Phase::Locked);
    let request = Transaction::Request(request(terms(|_| ()), 8));
    ("chain-x", request, short_of(1_250_000, 1_249_999))
}

/// 40 kW over a quarter of an hour are 10 kWh.
pub(super) fn capacity(town: &mut Town) -> Refused {
    town.deal(terms(|_| ()), 7, Phase::Accepted);
    let rest = 27_000_000_000;
    let more = terms(|terms| {
        terms.quantity = mj(rest + 1);
        terms.escrow = terms.value();
    });
    let deal = town.deal(more, 8, Phase::Offered);
    let (found, needed) = (mj(rest), mj(rest + 1));
    ("chain-y", deal.accept(), Fact::Energy { found, needed })
}

pub(super) fn bond(town: &mut Town) -> Refused {
    let terms = terms(|terms| terms.bond = money(100_000_001));
    let deal = town.deal(terms, 7, Phase::Offered);
    ("chain-y", deal.accept(), short_of(100_000_000, 100_000_001))
}

pub(super) fn meter_known(town: &mut Town) -> Refused {
    town.now = START.plus_millis(900_000);
    let batch = batch("chain-x", "mg-x", |batch| batch.meter = 1);
    ("chain-x", batch, named("mg-x 1"))
}

pub(super) fn after_interval(town: &mut Town) -> Refused {
    town.now = START.plus_millis(899_999);
    let (now, limit) = (town.now, START);
    (
        "chain-x",
        batch("chain-x", "mg-x", |_| ()),
        Fact::Time { now, limit },
    )
}

pub(super) fn monotone(town: &mut Town) -> Refused {
    town.now = START.plus_millis(900_000);
    let back = batch("chain-x", "mg-x", |batch| batch.imported.before = mj(1));
    ("chain-x", back, named("mg-x 0"))
}

fn overdue(deal: &Deal) -> tieline_units::Time {
    let grace = Village::default().grace;
    deal.terms.metering_deadline.plus_millis(grace)
}

pub(super) fn in_grace(town: &mut Town) -> Refused {
    let deal = town.deal(terms(|_| ()), 7, Phase::Metered);
    let fact = clock(town, overdue(&deal), 1);
    ("chain-z", deal.tell(Kind::Taken), fact)
}

pub(super) fn after_grace(town: &mut Town) -> Refused {
    let deal = town.deal(terms(|_| ()), 7, Phase::Known);
    let fact = clock(town, overdue(&deal), 0);
    ("chain-z", Transaction::Default(deal.order), fact)
}

/// What the buyer's meter says proves nothing about the seller's promise.
pub(super) fn decided(town: &mut Town) -> Refused {
    let mut deal = town.deal(terms(|_| ()), 7, Phase::Confirmed);
    town.bring(&mut deal, Some(Phase::Known), Phase::Metered);
    town.act("chain-z", &deal.tell(Kind::Taken));
    town.now = overdue(&deal).plus_millis(1);
    ("chain-z", Transaction::Default(deal.order), Fact::Plain)
}

fn set(deal: &Deal, settlement: Settlement) -> Transaction {
    let outcome = Outcome {
        order: deal.order,
        terms_hash: deal.terms.hash(),
        settlement,
    };
    forged("chain-z", Payload::Settle(Arc::new(outcome)))
}

fn settled(deal: &Deal, delivered: Energy) -> Settlement {
    let readings = Readings {
        taken: None,
        delivered: Some(delivered),
    };
    settle(&deal.terms.settlement(), readings).unwrap()
}

pub(super) fn consistent(town: &mut Town) -> Refused {
    let deal = town.deal(terms(|_| ()), 7, Phase::Confirmed);
    let mut more = settled(&deal, deal.terms.quantity);
    more.payment += money(1);
    more.to_seller += money(1);
    ("chain-x", set(&deal, more), Fact::Plain)
}

/// Nothing delivered, and a penalty for it, of a seller that was never bound.
pub(super) fn confirmed_or_nothing(town: &mut Town) -> Refused {
    let deal = town.deal(terms(|_| ()), 7, Phase::Committed);
    (
        "chain-y",
        set(&deal, settled(&deal, Energy::ZERO)),
        Fact::Plain,
    )
}

pub(super) fn sequence(_: &mut Town) -> Refused {
    (
        "chain-z",
        deposit(0, "mg-x", money(1)),
        named("0, next is 4"),
    )
}

pub(super) fn period_over(town: &mut Town) -> Refused {
    town.deal(terms(|_| ()), 7, Phase::Closed);
    town.act("chain-z", &net("chain-x", "chain-z"));
    let (now, limit) = (town.now, town.now.plus_millis(86_400_000));
    (
        "chain-z",
        net("chain-x", "chain-z"),
        Fact::Time { now, limit },
    )
}

pub(super) fn positive(_: &mut Town) -> Refused {
    let nothing = deposit(4, "mg-x", Money::ZERO);
    ("chain-z", nothing, short_of(0, 1_000_000_000_000_000))
}

pub(super) fn future(town: &mut Town) -> Refused {
    let limit = START;
    town.now = START.plus_millis(1);
    let price = Price::from_millionths(1);
    let tariff = Tariff {
        import: price,
        export: price,
    };
    let act = operator(Act::Tariff {
        start: limit,
        tariff,
    });
    let now = town.now;
    ("chain-z", act, Fact::Time { now, limit })
}
