//! T18: what meters show beyond orders.

use std::collections::BTreeMap;

use tieline_contract::guard::Guard;
use tieline_contract::payload::Kind;
use tieline_contract::settlement::{
    ENERGY_MAX, GridPrices, Imbalance, Order, PRICE_MAX, settle_interval,
};
use tieline_contract::state::Tariff;
use tieline_contract::trade::SellerState;
use tieline_contract::transaction::Transaction;
use tieline_sim::acts;
use tieline_sim::village::{START, member};
use tieline_units::{Energy, MicrogridId, Money, Price};

use crate::town::{Deal, Phase, Town, mj, terms};

const IMPORT: Price = Price::from_millionths(300_000);
const EXPORT: Price = Price::from_millionths(-80_000);

/// The interval's prices are known.
fn with_prices() -> Town {
    let mut town = Town::new();
    let tariff = Tariff {
        import: IMPORT,
        export: EXPORT,
    };
    town.act("chain-z", &acts::tariff(START, tariff));
    town
}

/// And an order of it has come so far.
fn priced(until: Phase) -> (Town, Deal) {
    let mut town = with_prices();
    let deal = town.deal(terms(|_| ()), 7, until);
    (town, deal)
}

fn flows(seller: Energy, buyer: Energy) -> Transaction {
    acts::imbalance(START, [("mg-y", seller), ("mg-x", buyer)])
}

fn booked(town: &Town) -> BTreeMap<MicrogridId, Imbalance> {
    let booked = town.on("chain-z").imbalances(START);
    booked.cloned().unwrap_or_default()
}

#[test]
fn an_interval_is_booked_as_the_market_settles_it_without_ledgers() {
    let (mut town, deal) = priced(Phase::Closed);
    let quantity = deal.terms.quantity;
    let net = [quantity + mj(1_000_000_001), -quantity - mj(2_000_000_003)];
    town.act("chain-z", &flows(net[0], net[1]));
    let order = Order {
        seller: 0,
        buyer: 1,
        terms: deal.terms.settlement(),
        currency: deal.terms.currency,
    };
    let grid = GridPrices {
        import: IMPORT,
        export: EXPORT,
        currency: deal.terms.currency,
    };
    let alone = settle_interval(&net, &[order], grid).unwrap();
    for (who, entry) in ["mg-y", "mg-x"].into_iter().zip(alone.members) {
        let expected = Imbalance {
            exported: entry.exported,
            imported: entry.imported,
            for_export: entry.grid_export,
            for_import: entry.grid_import,
        };
        assert_eq!(booked(&town)[&member(who)], expected, "{who}");
    }
    let sold = booked(&town)[&member("mg-y")];
    assert_eq!(sold.exported, mj(1_000_000_001));
    // 0.27778 kWh at -0.08: a negative price is paid by who delivers.
    assert!(sold.for_export < Money::ZERO, "{sold:?}");
}

#[test]
fn a_later_booking_corrects_a_member_and_leaves_the_others() {
    let (mut town, deal) = priced(Phase::Closed);
    let quantity = deal.terms.quantity;
    town.act("chain-z", &flows(quantity, Energy::ZERO));
    let first = booked(&town);
    assert_eq!(first[&member("mg-x")].exported, quantity);
    let again = acts::imbalance(START, [("mg-x", -quantity)]);
    town.act("chain-z", &again);
    let corrected = booked(&town);
    assert_eq!(corrected[&member("mg-x")], Imbalance::default());
    assert_eq!(corrected[&member("mg-y")], first[&member("mg-y")]);
}

#[test]
fn what_passes_a_line_of_the_pairs_own_is_no_part_of_what_tie_lines_show() {
    let (mut town, deal) = super::own_line_in(with_prices(), 9_000_000_000, 8_823_529_412);
    assert_eq!(town.sold(&deal), Some(SellerState::Settled));
    town.act("chain-z", &flows(mj(5), mj(-7)));
    let booked = booked(&town);
    assert_eq!(booked[&member("mg-y")].exported, mj(5));
    assert_eq!(booked[&member("mg-x")].imported, mj(7));
}

#[test]
fn an_order_that_is_heard_of_after_the_booking_is_settled_and_booked_again() {
    let (mut town, mut deal) = priced(Phase::Confirmed);
    town.now = deal.terms.end();
    let quantity = deal.terms.quantity;
    let said = flows(quantity, -quantity);
    town.act("chain-z", &said);
    assert_eq!(booked(&town)[&member("mg-y")].exported, quantity);
    town.bring(&mut deal, Some(Phase::Confirmed), Phase::Known);
    assert_eq!(town.guard("chain-z", &said), Guard::AllSettled);
    town.bring(&mut deal, Some(Phase::Known), Phase::Settled);
    assert!(deal.said.contains_key(&Kind::Settle));
    town.act("chain-z", &said);
    for (_, imbalance) in booked(&town) {
        assert_eq!(imbalance, Imbalance::default());
    }
}

#[test]
fn the_largest_flows_at_the_largest_prices_are_booked_and_one_beyond_is_refused() {
    let mut town = Town::new();
    let tariff = Tariff {
        import: PRICE_MAX,
        export: PRICE_MAX,
    };
    town.act("chain-z", &acts::tariff(START, tariff));
    town.now = terms(|_| ()).end();
    town.act("chain-z", &flows(ENERGY_MAX, -ENERGY_MAX));
    let most = booked(&town);
    assert_eq!(
        most[&member("mg-y")].for_export,
        PRICE_MAX.cost_of(ENERGY_MAX)
    );
    assert_eq!(
        most[&member("mg-x")].for_import,
        -PRICE_MAX.cost_of(ENERGY_MAX)
    );
    for (seller, buyer) in [(ENERGY_MAX + mj(1), mj(0)), (mj(0), -ENERGY_MAX - mj(1))] {
        assert_eq!(town.guard("chain-z", &flows(seller, buyer)), Guard::Flows);
    }
    let beyond = Tariff {
        import: Price::from_millionths(PRICE_MAX.as_millionths() + 1),
        export: PRICE_MAX,
    };
    let mut town = Town::new();
    town.act("chain-z", &acts::tariff(START, beyond));
    town.now = terms(|_| ()).end();
    let said = flows(mj(1), mj(0));
    assert_eq!(town.guard("chain-z", &said), Guard::Priced);
}
