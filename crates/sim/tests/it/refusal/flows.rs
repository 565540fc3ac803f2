//! Cases about what flowed beyond orders.

use tieline_contract::state::Tariff;
use tieline_contract::transaction::{Act, Transaction};
use tieline_sim::acts;
use tieline_sim::village::START;
use tieline_units::{Energy, Price};

use super::Refused;
use super::order::named;
use crate::town::{Phase, Town, operator, terms};

/// After the interval, whose prices are known.
fn over(town: &mut Town) {
    let price = Price::from_millionths(1);
    let tariff = Tariff {
        import: price,
        export: price,
    };
    let start = START;
    town.act("chain-z", &operator(Act::Tariff { start, tariff }));
    town.now = terms(|_| ()).end();
}

fn booked(who: &str) -> Transaction {
    acts::imbalance(START, [(who, Energy::ZERO)])
}

pub(super) fn priced(town: &mut Town) -> Refused {
    town.now = terms(|_| ()).end();
    ("chain-z", booked("mg-x"), named(&START.to_string()))
}

pub(super) fn all_settled(town: &mut Town) -> Refused {
    let deal = town.deal(terms(|_| ()), 7, Phase::Known);
    over(town);
    let order = deal.order.to_string();
    ("chain-z", booked("mg-x"), named(&order))
}

pub(super) fn flows(town: &mut Town) -> Refused {
    over(town);
    ("chain-z", booked("aggregator"), named("aggregator"))
}
