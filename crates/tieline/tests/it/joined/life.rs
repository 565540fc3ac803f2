//! Trades from the request on: one that is delivered and paid, one that nobody answers. The relayer dies on the way.

use std::sync::Arc;
use std::time::Instant;

use tieline_chain::ledger::Ledger;
use tieline_contract::state::Account;
use tieline_contract::terms::{OrderId, Request};
use tieline_contract::trade::{BuyerState as B, SellerState as S, VppState as V};
use tieline_contract::transaction::Transaction;
use tieline_units::{Energy, Money, Time};

use super::town::{FUNDS, Town, X, Y, Z, books, now};

/// What is delivered of 9 GJ.
const DELIVERED: Energy = Energy::from_millijoules(8_000_000_000);

/// How long members have for a trade before its gate closes, milliseconds.
const TIME_TO_TRADE_MS: u64 = 45_000;

/// How an order ends: on X, on Y, on Z.
type Ends = (B, S, Option<V>);

/// A trade and what became of it when.
struct Trade {
    name: &'static str,
    request: Arc<Request>,
    began: Instant,
}

impl Trade {
    fn order(&self) -> OrderId {
        self.request.order()
    }

    fn say(&self, what: &str) {
        let seconds = self.began.elapsed().as_secs_f64();
        eprintln!("{}: {what}, {seconds:.1} s after T1", self.name);
    }
}

/// The first interval that leaves so much time before it.
fn next_interval(length_ms: u64, lead_ms: u64) -> Time {
    let earliest = now().plus_millis(lead_ms).as_millis();
    Time::from_millis(earliest.next_multiple_of(length_ms))
}

/// T1: the request is on X.
fn request(
    town: &mut Town,
    name: &'static str,
    (start, deadline, nonce): (Time, Time, u64),
) -> Trade {
    let terms = town.terms(start, deadline);
    let trade = Trade {
        name,
        request: town.buyer.request(terms, nonce),
        began: Instant::now(),
    };
    let wanted = Transaction::Request(trade.request.clone());
    town.give(X, &wanted, &format!("T1 of {name}"));
    trade
}

/// Waits until both ends and the VPP see an order so; `None` is not yet.
#[track_caller]
fn reach(town: &mut Town, trade: &Trade, seconds: u64, wanted: (Option<B>, Option<S>, Option<V>)) {
    let what = format!("{} comes to {wanted:?}", trade.name);
    town.wait(&what, seconds, |town| {
        (town.standing(trade.order()) == wanted).then_some(())
    });
    trade.say(&format!("{wanted:?}"));
}

/// What both tests have in common: two trades, of which the first is bound everywhere and the second refunded, although the
/// relayer was killed between the two ends of the first and an empty one took over.
fn conclude_and_refund(town: &mut Town) -> (Trade, Trade) {
    let length = town.buyer.genesis.document().interval.millis();
    let start = next_interval(length, TIME_TO_TRADE_MS);
    // Slow enough to be killed between two certificates.
    town.relay(4_000);
    let until = start.minus_millis(5_000);
    let kept = request(town, "delivered", (start, until, 1));
    let dropped = request(town, "unanswered", (start, now().plus_millis(20_000), 2));
    reach(town, &kept, 30, (Some(B::Locked), Some(S::Offered), None));
    let accept = town.seller.accept(kept.order());
    town.give(Y, &accept, "T4");
    town.wait("X is bound", 30, |town| {
        let found = town.purchase(kept.order())?;
        (found.state == B::Committed).then_some(())
    });
    town.kill_relayer();
    kept.say("X is bound, and the relayer killed");
    let between = town.standing(kept.order());
    assert_eq!(
        (between.0, between.1),
        (Some(B::Committed), Some(S::Accepted))
    );
    // The buyer does not wait for anybody: T5k is on its own chain.
    let key = town.buyer.key_return(kept.order());
    town.give(X, &key, "T5k");
    town.wait("the key is returned", 30, |town| {
        town.purchase(kept.order())?.key
    });
    // Nobody carries, so nobody learns anything.
    assert_eq!(town.standing(kept.order()), between);
    town.relay(500);
    reach(
        town,
        &kept,
        30,
        (Some(B::Committed), Some(S::Confirmed), Some(V::Open)),
    );
    // T3': D has passed and the seller has not answered.
    let late = Transaction::TimeoutRequest(dropped.request.clone());
    town.wait("the deadline of the second", 60, |town| {
        (town.submit(Y, &late) == 202).then_some(())
    });
    assert!(now() >= dropped.request.terms.deadline);
    reach(
        town,
        &dropped,
        30,
        (Some(B::Refunded), Some(S::Rejected), None),
    );
    (kept, dropped)
}

/// All nodes of each chain see the orders alike, the books of each balance, and only what was deposited is in them.
fn check_ledgers(ledgers: &[Vec<Ledger>; 3], orders: &[(OrderId, Ends)]) {
    for (order, (buyer, seller, vpp)) in orders {
        for (on, chain) in ledgers.iter().enumerate() {
            for ledger in chain {
                let state = ledger.state();
                match on {
                    X => assert_eq!(state.purchase(*order).map(|it| it.state), Some(*buyer)),
                    Y => assert_eq!(state.sale(*order).map(|it| it.state), Some(*seller)),
                    _ => assert_eq!(state.settling(*order).map(|it| it.state), *vpp),
                }
            }
        }
    }
    for (on, chain) in ledgers.iter().enumerate() {
        let all: Vec<_> = chain.iter().map(books).collect();
        assert!(all.iter().all(|it| *it == all[0]), "on chain {on}: {all:?}");
        let came = -all[0][&Account::Outside];
        // On Z each owner stands for four verification nodes.
        let stakes = Money::from_millionths(8_000_000);
        assert_eq!(came, if on == Z { stakes } else { FUNDS }, "on chain {on}");
    }
}

#[test]
fn a_trade_is_bound_and_another_refunded_though_the_relayer_is_killed_between_the_two_ends() {
    let mut town = Town::found(15);
    town.relay(500);
    town.onboard();
    town.kill_relayer();
    let (kept, dropped) = conclude_and_refund(&mut town);
    let ledgers = town.end();
    let orders = [
        (kept.order(), (B::Committed, S::Confirmed, Some(V::Open))),
        (dropped.order(), (B::Refunded, S::Rejected, None)),
    ];
    check_ledgers(&ledgers, &orders);
}

#[test]
fn slow_a_trade_is_settled_from_t1_to_t10_though_its_relayer_is_killed_twice() {
    if std::env::var_os("TIELINE_SLOW").is_none_or(|it| it != "1") {
        eprintln!("skipped: a delivery takes five minutes; set TIELINE_SLOW=1");
        return;
    }
    let mut town = Town::found(5);
    town.relay(500);
    town.onboard();
    town.kill_relayer();
    let (kept, dropped) = conclude_and_refund(&mut town);
    let terms = kept.request.terms.clone();
    // T7, as soon as the interval is over.
    let readings = [
        (Y, town.seller.metered(&terms, DELIVERED)),
        (X, town.buyer.metered(&terms, -DELIVERED)),
    ];
    let over = terms.end().as_millis().saturating_sub(now().as_millis());
    for (on, reading) in &readings {
        town.wait("the interval is over", over / 1_000 + 30, |town| {
            (town.submit(*on, reading) == 202).then_some(())
        });
    }
    kept.say("metered");
    town.wait("Z has settled", 60, |town| {
        (town.standing(kept.order()).2 == Some(V::Settled)).then_some(())
    });
    town.kill_relayer();
    kept.say("settled on Z, and the relayer killed");
    town.relay(500);
    let settled = (Some(B::Settled), Some(S::Settled), Some(V::Settled));
    reach(&mut town, &kept, 60, settled);
    let ledgers = town.end();
    let orders = [
        (kept.order(), (B::Settled, S::Settled, Some(V::Settled))),
        (dropped.order(), (B::Refunded, S::Rejected, None)),
    ];
    check_ledgers(&ledgers, &orders);
    let amounts = [X, Y, Z].map(|on| {
        let state = ledgers[on][0].state();
        let order = kept.order();
        match on {
            X => state.purchase(order).and_then(|it| it.settled),
            Y => state.sale(order).and_then(|it| it.settled),
            _ => state
                .settling(order)
                .and_then(|it| Some(it.settlement?.settled)),
        }
    });
    assert_eq!(amounts, [Some(DELIVERED); 3]);
}
