//! Formula (1) and the other instants: Δt, D, G, t1, T_m + grace; (2) and (3) by what they ask of a ledger.

use std::sync::Arc;

use tieline_contract::guard::Guard;
use tieline_contract::payload::Kind;
use tieline_contract::phase4::{arrived, in_time, traceable};
use tieline_contract::trade::SellerState;
use tieline_contract::transaction::Transaction;
use tieline_sim::symbol::{Symbolic, key};
use tieline_sim::village::{Village, metered, request};
use tieline_units::{Energy, Time};

use crate::town::{Deal, Phase, Town, terms};

const AROUND: [i64; 3] = [-1, 0, 1];

fn at(limit: Time, by: i64) -> Time {
    Time::from_millis(limit.as_millis().checked_add_signed(by).unwrap())
}

#[test]
fn formula_1_holds_up_to_deadline_minus_delta_inclusive() {
    let cases = [
        (999, 1_000, 1, true),
        (1_000, 1_000, 1, false),
        (998, 1_000, 1, true),
        (1_000, 1_000, 0, true),
        (1_001, 1_000, 0, false),
        (0, 0, 0, true),
        (0, 5, 6, false),
        (0, 5, 5, true),
        (1, 5, 5, false),
        (u64::MAX, u64::MAX, 0, true),
        (u64::MAX, u64::MAX, 1, false),
        (1, u64::MAX, u64::MAX, false),
        (0, u64::MAX, u64::MAX, true),
    ];
    for (now, deadline, delta, holds) in cases {
        let (now, deadline) = (Time::from_millis(now), Time::from_millis(deadline));
        assert_eq!(
            in_time(now, deadline, delta),
            holds,
            "{now} {deadline} {delta}"
        );
    }
}

/// Each ledger's own instant: what is taken a millisecond before, at and after it.
fn around(
    until: Phase,
    name: &str,
    limit: impl Fn(&Deal) -> Time,
    act: impl Fn(&Deal) -> Transaction,
    expected: [Option<Guard>; 3],
) {
    for (by, expected) in AROUND.into_iter().zip(expected) {
        let mut town = Town::new();
        let deal = town.deal(terms(|_| ()), 7, until);
        town.now = at(limit(&deal), by);
        let outcome = town
            .clone()
            .try_act(name, &act(&deal))
            .err()
            .map(|refusal| refusal.guard);
        assert_eq!(outcome, expected, "{until:?} on {name} at {by}");
        if outcome.is_some() {
            town.refused(name, &act(&deal));
        }
    }
}

#[test]
fn formula_1_on_the_ledger_is_inclusive_also_where_delta_is_zero() {
    let accept = |deal: &Deal| deal.accept();
    let last = |deal: &Deal| deal.terms.deadline.minus_millis(deal.terms.delta_t);
    around(
        Phase::Offered,
        "chain-y",
        last,
        accept,
        [None, None, Some(Guard::InTime)],
    );
    for (by, taken) in AROUND.into_iter().zip([true, true, false]) {
        let mut town = Town::new();
        let deal = town.deal(terms(|terms| terms.delta_t = 0), 7, Phase::Offered);
        town.now = at(deal.terms.deadline, by);
        assert_eq!(town.try_act("chain-y", &deal.accept()).is_ok(), taken);
    }
}

#[test]
fn registration_asks_for_now_plus_delta_at_most_the_deadline() {
    for (by, expected) in AROUND.into_iter().zip([None, None, Some(Guard::Early)]) {
        let mut town = Town::new();
        let terms = terms(|_| ());
        town.now = at(terms.deadline.minus_millis(terms.delta_t), by);
        let ask = Transaction::Request(request(terms, 7));
        assert_eq!(
            town.try_act("chain-x", &ask).err().map(|r| r.guard),
            expected
        );
    }
    // A deadline shorter than Δt can never be met.
    let mut town = Town::new();
    town.now = Time::from_millis(0);
    for ledger in town.ledgers.clone().into_keys() {
        *town.on_mut(&ledger) = Village::default().ledger(&ledger);
    }
    let short = terms(|terms| terms.deadline = Time::from_millis(terms.delta_t - 1));
    let ask = Transaction::Request(request(short, 7));
    assert_eq!(town.guard("chain-x", &ask), Guard::Early);
}

#[test]
fn registration_asks_for_deadline_plus_delta_before_gate_before_delivery_before_metering() {
    type Edit = fn(&mut tieline_contract::terms::Terms, i64);
    let edits: [Edit; 3] = [
        |t, by| t.deadline = at(t.gate_closure.minus_millis(t.delta_t), by),
        |t, by| t.gate_closure = at(t.start, by),
        |t, by| t.metering_deadline = at(t.end(), -by),
    ];
    for edit in edits {
        for (by, taken) in AROUND.into_iter().zip([true, true, false]) {
            let mut town = Town::new();
            let ask = Transaction::Request(request(terms(|terms| edit(terms, by)), 7));
            let outcome = town
                .try_act("chain-x", &ask)
                .err()
                .map(|refusal| refusal.guard);
            assert_eq!(outcome, (!taken).then_some(Guard::Schedule), "{by}");
        }
    }
    for by in [-1, 1] {
        let off_grid = terms(|terms| {
            terms.start = at(terms.start, by);
            terms.gate_closure = terms.gate_closure.minus_millis(10);
        });
        let ask = Transaction::Request(request(off_grid, 7));
        assert_eq!(Town::new().guard("chain-x", &ask), Guard::Schedule);
    }
}

#[test]
fn the_deadline_divides_x_at_itself_inclusive_for_the_acceptance() {
    let deadline = |deal: &Deal| deal.terms.deadline;
    let commit = |deal: &Deal| deal.tell(Kind::Accept);
    let late = Some(Guard::NotAfterDeadline);
    around(
        Phase::Accepted,
        "chain-x",
        deadline,
        commit,
        [None, None, late],
    );
    let timeout = |deal: &Deal| Transaction::Timeout(deal.order);
    let early = Some(Guard::AfterDeadline);
    around(
        Phase::Accepted,
        "chain-x",
        deadline,
        timeout,
        [early, early, None],
    );
}

#[test]
fn the_deadline_divides_y_at_itself_exclusive_for_the_offer() {
    let deadline = |deal: &Deal| deal.terms.deadline;
    let timeout = |deal: &Deal| tieline_sim::village::timeout_request(&deal.terms, 7);
    let early = Some(Guard::AtDeadline);
    for until in [Phase::Locked, Phase::Offered] {
        around(until, "chain-y", deadline, timeout, [early, None, None]);
    }
    let stands = [
        SellerState::Offered,
        SellerState::Rejected,
        SellerState::Rejected,
    ];
    for (by, stand) in AROUND.into_iter().zip(stands) {
        let mut town = Town::new();
        let deal = town.deal(terms(|_| ()), 7, Phase::Locked);
        town.now = at(deal.terms.deadline, by);
        let said = town.act("chain-y", &deal.tell(Kind::Request));
        assert_eq!(town.sold(&deal), Some(stand));
        assert_eq!(said.len(), usize::from(stand == SellerState::Rejected));
    }
}

#[test]
fn the_gate_divides_y_at_itself_exclusive_for_the_confirmation() {
    let gate = |deal: &Deal| deal.terms.gate_closure;
    let confirm = |deal: &Deal| deal.tell(Kind::Commit);
    let late = Some(Guard::BeforeGate);
    around(
        Phase::Committed,
        "chain-y",
        gate,
        confirm,
        [None, late, late],
    );
    let void = |deal: &Deal| Transaction::Void(deal.order);
    let early = Some(Guard::AtGate);
    around(Phase::Committed, "chain-y", gate, void, [early, None, None]);
}

#[test]
fn meters_are_read_from_the_end_of_the_interval_on() {
    let end = |deal: &Deal| deal.terms.end();
    let read = |deal: &Deal| metered("chain-y", "mg-y", deal.terms.start, deal.terms.quantity);
    let early = Some(Guard::AfterInterval);
    around(Phase::Confirmed, "chain-y", end, read, [early, None, None]);
}

#[test]
fn readings_are_taken_up_to_the_end_of_grace_and_defaults_from_then_on() {
    let overdue = |deal: &Deal| {
        deal.terms
            .metering_deadline
            .plus_millis(Village::default().grace)
    };
    let read = |deal: &Deal| deal.tell(Kind::Delivered);
    let late = Some(Guard::InGrace);
    around(Phase::Metered, "chain-z", overdue, read, [None, None, late]);
    let default = |deal: &Deal| Transaction::Default(deal.order);
    let early = Some(Guard::AfterGrace);
    around(
        Phase::Metered,
        "chain-z",
        overdue,
        default,
        [early, early, None],
    );
}

#[test]
fn formula_2_holds_once_the_request_is_on_y_with_its_certificate() {
    let mut town = Town::new();
    let mut deal = town.deal(terms(|_| ()), 7, Phase::Locked);
    let here = |town: &Town, deal: &Deal| arrived(town.on("chain-y"), &deal.request, deal.order);
    assert!(!here(&town, &deal));
    town.bring(&mut deal, Some(Phase::Locked), Phase::Offered);
    assert!(here(&town, &deal));
    let other = Deal::new(terms(|_| ()), 8);
    assert!(!arrived(town.on("chain-y"), &other.request, other.order));
}

#[test]
fn formula_3_holds_for_the_buyers_key_the_order_and_the_terms_together() {
    let deal = Deal::new(terms(|_| ()), 7);
    let holds = |order, name: &str| traceable(&deal.request, order, &key(name), &Symbolic);
    assert!(holds(deal.order, "mg-x"));
    assert!(!holds(deal.order, "mg-y"));
    assert!(!holds(Deal::new(terms(|_| ()), 8).order, "mg-x"));
    let mut dearer = tieline_contract::terms::Request::clone(&deal.request);
    dearer.terms = Arc::new(terms(|terms| terms.quantity += Energy::from_millijoules(1)));
    assert!(!traceable(&dearer, dearer.order(), &key("mg-x"), &Symbolic));
}
