//! Attack 27: clocks that are skewed, step and jump. A ledger has no clock but its block time, and time is a number.

use tieline_contract::guard::{Fact, Guard};
use tieline_contract::payload::Kind;
use tieline_contract::trade::{BuyerState, SellerState};
use tieline_contract::transaction::Transaction;
use tieline_units::Time;

use crate::town::{Phase, Town, early, terms};

#[test]
fn attack_27_the_answer_is_taken_at_deadline_minus_delta_and_not_a_millisecond_later() {
    for (late, taken) in [(-1, true), (0, true), (1, false)] {
        let mut town = Town::new();
        let deal = town.deal(terms(|_| ()), 7, Phase::Offered);
        let limit = deal.terms.deadline.minus_millis(deal.terms.delta_t);
        town.now = Time::from_millis(limit.as_millis().checked_add_signed(late).unwrap());
        let now = town.now;
        if taken {
            town.act("chain-y", &deal.accept());
        } else {
            let refused = town.refused("chain-y", &deal.accept());
            assert_eq!(refused, (Guard::InTime, Fact::Time { now, limit }));
        }
    }
}

#[test]
fn attack_27_block_time_stands_still_at_most_and_never_steps_back() {
    let mut town = Town::new();
    let deal = town.deal(terms(|_| ()), 7, Phase::Locked);
    let before = early().minus_millis(1);
    town.now = before;
    let refused = town.refused("chain-y", &deal.tell(Kind::Request));
    let (now, limit) = (before, early());
    assert_eq!(refused, (Guard::BlockTime, Fact::Time { now, limit }));
    town.now = early();
    town.act("chain-y", &deal.tell(Kind::Request));
}

/// The seller's ledger is slow by two Δt: its yes is in time there and late on X.
#[test]
fn attack_27_a_slow_clock_of_y_costs_the_deal_and_nobody_money() {
    let mut town = Town::new();
    let mut deal = town.deal(terms(|_| ()), 7, Phase::Offered);
    let (deadline, order) = (deal.terms.deadline, deal.order);
    town.now = deadline.minus_millis(deal.terms.delta_t);
    town.act_for("chain-y", &deal.accept(), &mut deal);
    town.now = deadline.plus_millis(1);
    assert_eq!(
        town.guard("chain-x", &deal.tell(Kind::Accept)),
        Guard::NotAfterDeadline
    );
    town.act_for("chain-x", &Transaction::Timeout(order), &mut deal);
    town.act("chain-y", &deal.tell(Kind::Refund));
    assert_eq!(town.bought(&deal), Some(BuyerState::Refunded));
    assert_eq!(town.sold(&deal), Some(SellerState::Voided));
    assert_eq!(town.has("chain-x", "mg-x"), 100_000_000 - 1_000);
    assert_eq!(town.has("chain-y", "mg-y"), 100_000_000);
}

/// The buyer's ledger is slow: it is bound although Y's gate is closed.
#[test]
fn attack_27_a_slow_clock_of_x_binds_nobody_after_the_gate_of_y() {
    let mut town = Town::new();
    let mut deal = town.deal(terms(|_| ()), 7, Phase::Accepted);
    let (gate, order) = (deal.terms.gate_closure, deal.order);
    town.act_for("chain-x", &deal.tell(Kind::Accept), &mut deal);
    town.now = gate;
    assert_eq!(
        town.guard("chain-y", &deal.tell(Kind::Commit)),
        Guard::BeforeGate
    );
    town.act_for("chain-y", &Transaction::Void(order), &mut deal);
    town.now = early();
    town.act("chain-x", &deal.tell(Kind::Void));
    assert_eq!(town.bought(&deal), Some(BuyerState::Refunded));
    assert_eq!(town.has("chain-x", "mg-x"), 100_000_000 - 1_000);
}

/// A jump of the time server by a year closes everything that was open, as if it had waited.
#[test]
fn attack_27_a_jump_forward_ends_orders_and_opens_none() {
    for until in [Phase::Locked, Phase::Offered, Phase::Accepted] {
        let mut town = Town::new();
        let mut deal = town.deal(terms(|_| ()), 7, until);
        let order = deal.order;
        town.now = early().plus_millis(31_536_000_000);
        let next = match until {
            Phase::Locked => Kind::Request,
            _ => Kind::Accept,
        };
        if until == Phase::Locked {
            town.act_for("chain-y", &deal.tell(next), &mut deal);
            town.act("chain-x", &deal.tell(Kind::Reject));
        } else {
            town.act_for("chain-x", &Transaction::Timeout(order), &mut deal);
        }
        assert_eq!(town.bought(&deal), Some(BuyerState::Refunded), "{until:?}");
        if until == Phase::Offered {
            assert_eq!(town.guard("chain-y", &deal.accept()), Guard::InTime);
        }
        if until == Phase::Accepted {
            town.act("chain-y", &deal.tell(Kind::Refund));
            assert_eq!(town.sold(&deal), Some(SellerState::Voided));
        }
    }
}
