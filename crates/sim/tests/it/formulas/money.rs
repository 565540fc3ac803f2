//! Escrow, funds, cap, capacity and bond: one less, exactly, one more.

use tieline_contract::guard::Guard;
use tieline_contract::payload::Kind;
use tieline_contract::terms::Terms;
use tieline_contract::transaction::Transaction;
use tieline_sim::village::{Village, decline, member, request};
use tieline_units::Price;

use crate::town::{Phase, Town, mj, money, terms};

fn ask(town: &mut Town, terms: Terms) -> Option<Guard> {
    let ask = Transaction::Request(request(terms, 7));
    town.try_act("chain-x", &ask)
        .err()
        .map(|refusal| refusal.guard)
}

fn town(edit: impl FnOnce(&mut Village)) -> Town {
    let mut village = Village::default();
    edit(&mut village);
    Town::of(&village, &village.members())
}

#[test]
fn the_escrow_covers_the_value_rounded_up() {
    for (by, expected) in [(-1, Some(Guard::Escrow)), (0, None), (1, None)] {
        let terms = terms(|terms| terms.escrow = terms.value() + money(by));
        assert_eq!(ask(&mut Town::new(), terms), expected);
    }
    // One millijoule at the least price is worth a millionth: ⌈1/3.6·10^9⌉.
    for (escrow, expected) in [(0, Some(Guard::Escrow)), (1, None)] {
        let terms = terms(|terms| {
            terms.quantity = mj(1);
            terms.price = Price::from_millionths(1);
            terms.seller_price = Price::ZERO;
            terms.escrow = money(escrow);
        });
        assert_eq!(ask(&mut Town::new(), terms), expected);
    }
}

#[test]
fn the_account_covers_escrow_and_fee() {
    for (by, expected) in [(-1, Some(Guard::Funds)), (0, None), (1, None)] {
        let mut town = town(|village| village.funds = money(625_000 + 1_000 + by));
        assert_eq!(ask(&mut town, terms(|_| ())), expected);
    }
}

#[test]
fn open_value_of_a_pair_stays_within_its_cap_and_counts_all_its_open_orders() {
    for (by, expected) in [(-1, Some(Guard::Exposure)), (0, None), (1, None)] {
        let mut town = town(|village| village.exposure_cap = money(2 * 625_000 + by));
        town.deal(terms(|_| ()), 8, Phase::Locked);
        assert_eq!(ask(&mut town, terms(|_| ())), expected);
    }
    // What is closed counts no more, and another pair has its own.
    let mut town = town(|village| village.exposure_cap = money(625_000));
    let mut closed = town.deal(terms(|_| ()), 8, Phase::Offered);
    assert_eq!(ask(&mut town, terms(|_| ())), Some(Guard::Exposure));
    let other = terms(|terms| terms.buyer = member("mg-x2"));
    assert_eq!(ask(&mut town, other), None);
    let no = decline(&closed.terms, closed.order);
    town.act_for("chain-y", &no, &mut closed);
    town.act("chain-x", &closed.tell(Kind::Reject));
    assert_eq!(ask(&mut town, terms(|_| ())), None);
}

#[test]
fn an_answer_fits_into_what_the_plant_has_left_in_the_interval() {
    // 10 kWh in a quarter of an hour, 2.5 of them promised.
    for (by, expected) in [(-1, None), (0, None), (1, Some(Guard::Capacity))] {
        let mut town = Town::new();
        town.deal(terms(|_| ()), 8, Phase::Accepted);
        let more = terms(|terms| {
            terms.quantity = mj(27_000_000_000 + by);
            terms.escrow = terms.value();
        });
        let deal = town.deal(more, 7, Phase::Offered);
        let outcome = town.try_act("chain-y", &deal.accept()).err();
        assert_eq!(outcome.map(|refusal| refusal.guard), expected);
    }
}

#[test]
fn an_answer_is_backed_by_the_bond() {
    for (by, expected) in [(-1, None), (0, None), (1, Some(Guard::Bond))] {
        let mut town = Town::new();
        let terms = terms(|terms| terms.bond = money(100_000_000 + by));
        let deal = town.deal(terms, 7, Phase::Offered);
        let outcome = town.try_act("chain-y", &deal.accept()).err();
        assert_eq!(outcome.map(|refusal| refusal.guard), expected);
    }
}
