//! What an order comes to: on one chain, on a line of its own, by default, over a settlement period; and what evidence does.

mod evidence;
mod imbalance;
mod money;

use tieline_contract::guard::Guard;
use tieline_contract::member::Register;
use tieline_contract::payload::{Kind, Payload};
use tieline_contract::settlement::Metering;
use tieline_contract::state::Account;
use tieline_contract::terms::Terms;
use tieline_contract::trade::{BuyerState, SellerState, VppState};
use tieline_contract::transaction::Transaction;
use tieline_sim::village::{START, batch, chain, genesis, member, metered};
use tieline_units::Energy;

use crate::town::{Deal, Phase, Town, mj, terms};

fn within_x() -> Terms {
    terms(|terms| {
        (terms.chain_y, terms.genesis_y) = (chain("chain-x"), genesis("chain-x"));
        terms.seller = member("mg-x2");
    })
}

fn local(deal: &Deal) -> Transaction {
    let Transaction::Signed(answer) = deal.accept() else {
        unreachable!("an answer is signed");
    };
    let request = deal.request.clone();
    Transaction::Local { request, answer }
}

#[test]
fn an_order_within_one_chain_is_bound_confirmed_metered_and_paid_on_both_sides_at_once() {
    let mut town = Town::new();
    let mut deal = Deal::new(within_x(), 7);
    town.act_for("chain-x", &local(&deal), &mut deal);
    assert_eq!(town.bought(&deal), Some(BuyerState::Committed));
    assert_eq!(town.sold(&deal), Some(SellerState::Confirmed));
    assert_eq!(town.guard("chain-x", &local(&deal)), Guard::State);
    town.act("chain-z", &deal.tell(Kind::Commit));
    town.now = deal.terms.end();
    for (who, net) in [
        ("mg-x2", deal.terms.quantity),
        ("mg-x", -deal.terms.quantity),
    ] {
        let read = metered("chain-x", who, START, net);
        town.act_for("chain-x", &read, &mut deal);
    }
    town.act("chain-z", &deal.tell(Kind::Taken));
    town.act_for("chain-z", &deal.tell(Kind::Delivered), &mut deal);
    town.act("chain-x", &deal.tell(Kind::Settle));
    assert_eq!(town.bought(&deal), Some(BuyerState::Settled));
    assert_eq!(town.sold(&deal), Some(SellerState::Settled));
    assert_eq!(town.has("chain-x", "mg-x2"), 100_000_000 + 500_000);
    assert_eq!(town.has("chain-x", "aggregator"), 125_000);
    assert_eq!(
        town.guard("chain-x", &deal.tell(Kind::Settle)),
        Guard::State
    );
    // Nobody is away from home but the aggregator.
    assert_eq!(
        town.on("chain-z")
            .position(&chain("chain-x"), &member("mg-x2"))
            .as_millionths(),
        0
    );
}

#[test]
fn an_order_within_one_chain_needs_what_the_two_chains_need_and_changes_nothing_without() {
    let refused = |edit: fn(&mut Terms), guard| {
        let mut terms = within_x();
        edit(&mut terms);
        terms.rendering_hash = terms.rendering_digest();
        let deal = Deal::new(terms, 7);
        assert_eq!(Town::new().guard("chain-x", &local(&deal)), guard);
    };
    refused(
        |t| t.escrow = t.value() - crate::town::money(1),
        Guard::Escrow,
    );
    refused(|t| t.bond = crate::town::money(100_000_001), Guard::Bond);
    refused(
        |t| {
            t.quantity = mj(36_000_000_001);
            t.escrow = t.value();
        },
        Guard::Capacity,
    );
    let mut town = Town::new();
    let (one, other) = (Deal::new(within_x(), 7), Deal::new(within_x(), 8));
    let Transaction::Local { answer, .. } = local(&other) else {
        unreachable!("local");
    };
    let request = one.request;
    let crossed = Transaction::Local { request, answer };
    assert_eq!(town.guard("chain-x", &crossed), Guard::SameTerms);
}

/// A line of the pair's own with 2 % of loss and 2 % of tolerance, and what its two ends read.
fn own_line(delivered: i64, taken: i64) -> (Town, Deal) {
    own_line_in(Town::new(), delivered, taken)
}

fn own_line_in(mut town: Town, delivered: i64, taken: i64) -> (Town, Deal) {
    let terms = terms(|terms| {
        let (loss_ppm, tolerance_ppm) = (20_000, 20_000);
        terms.metering = Metering::OwnLine {
            loss_ppm,
            tolerance_ppm,
        };
    });
    let mut deal = town.deal(terms, 7, Phase::Confirmed);
    town.now = deal.terms.end();
    let (line, before) = (Some(deal.order), Energy::ZERO);
    let out = batch("chain-y", "mg-y", |batch| {
        batch.line = line;
        batch.exported = Register {
            before,
            after: mj(delivered),
        };
    });
    let into = batch("chain-x", "mg-x", |batch| {
        batch.line = line;
        batch.imported = Register {
            before,
            after: mj(taken),
        };
    });
    town.act_for("chain-y", &out, &mut deal);
    town.act_for("chain-x", &into, &mut deal);
    town.bring(&mut deal, Some(Phase::Metered), Phase::Closed);
    (town, deal)
}

#[test]
fn a_line_of_the_pairs_own_pays_what_both_ends_bear_out_and_holds_the_rest_in_dispute() {
    // 9.0 of 9.0 GJ out, 8.8235 in: the loss explains it.
    let (town, deal) = own_line(9_000_000_000, 8_823_529_412);
    assert_eq!(
        town.on("chain-x").purchase(deal.order).unwrap().settled,
        Some(mj(9_000_000_000))
    );
    assert_eq!(
        town.on("chain-x")
            .balance(&Account::Dispute(deal.order))
            .as_millionths(),
        0
    );
    // A tenth is missing: what the buyer bears out is paid, the difference is held, nobody has it back.
    let (town, deal) = own_line(9_000_000_000, 7_941_176_470);
    let settled = town
        .on("chain-x")
        .purchase(deal.order)
        .unwrap()
        .settled
        .unwrap();
    assert_eq!(settled, mj(8_099_999_999));
    let held = town.on("chain-x").balance(&Account::Dispute(deal.order));
    assert_eq!(held.as_millionths(), 562_500 / 9 + 1);
    assert_eq!(town.has("chain-x", "mg-x"), 100_000_000 - 1_000 - 625_000);
    assert_eq!(
        town.has("chain-x", "mg-y") + town.has("chain-x", "aggregator"),
        562_499
    );
}

#[test]
fn a_tie_lines_batch_does_not_meter_a_line_of_the_pairs_own_nor_the_other_way_round() {
    for (metering, line) in [
        (Metering::TieLines, true),
        (
            Metering::OwnLine {
                loss_ppm: 0,
                tolerance_ppm: 0,
            },
            false,
        ),
    ] {
        let mut town = Town::new();
        let mut deal = town.deal(
            terms(|terms| terms.metering = metering),
            7,
            Phase::Confirmed,
        );
        town.now = deal.terms.end();
        let order = deal.order;
        let wrong = batch("chain-y", "mg-y", |batch| {
            batch.line = line.then_some(order)
        });
        town.act_for("chain-y", &wrong, &mut deal);
        assert!(!deal.said.contains_key(&Kind::Delivered));
    }
}

#[test]
fn several_orders_of_one_seller_share_what_its_tie_line_delivered() {
    let mut town = Town::new();
    let one = town.deal(terms(|_| ()), 7, Phase::Confirmed);
    let two = town.deal(
        terms(|terms| {
            terms.quantity = mj(18_000_000_000);
            terms.escrow = terms.value();
        }),
        8,
        Phase::Confirmed,
    );
    town.now = one.terms.end();
    town.act(
        "chain-y",
        &metered("chain-y", "mg-y", START, mj(20_000_000_000)),
    );
    let delivered = [&one, &two].map(|deal| town.on("chain-y").sale(deal.order).unwrap().delivered);
    assert_eq!(
        delivered,
        [Some(mj(6_666_666_667)), Some(mj(13_333_333_333))]
    );
}

/// Which readings Z has when their time is up, and what the order then comes to: settled mJ and penalty.
#[test]
fn overdue_readings_are_borne_by_whoever_owes_them() {
    let full = 9_000_000_000;
    let cases = [
        (None, None, (0, 0)),
        (Some(full), None, (0, 0)),
        (None, Some(full), (full, 0)),
        (None, Some(4_500_000_000), (4_500_000_000, 50_000)),
        (Some(full), Some(4_500_000_000), (4_500_000_000, 50_000)),
    ];
    for (taken, delivered, (settled, penalty)) in cases {
        let mut town = Town::new();
        let mut deal = town.deal(terms(|_| ()), 7, Phase::Known);
        town.now = deal.terms.end();
        for (name, who, net) in [
            ("chain-x", "mg-x", taken.map(|q: i64| -q)),
            ("chain-y", "mg-y", delivered),
        ] {
            let Some(net) = net else { continue };
            let read = metered(name, who, START, mj(net));
            town.act_for(name, &read, &mut deal);
            // By two signers each: (16) stays open, so that it is the default that settles.
            let kind = if name == "chain-x" {
                Kind::Taken
            } else {
                Kind::Delivered
            };
            let thin = crate::town::attested(town.on(name), 0, &[0, 1]).remove(0);
            assert_eq!(thin.payload.kind(), kind);
            town.act("chain-z", &Transaction::Certificate(thin));
        }
        let grace = town.on("chain-z").rules().grace;
        town.now = deal.terms.metering_deadline.plus_millis(grace + 1);
        let default = Transaction::Default(deal.order);
        town.act_for("chain-z", &default, &mut deal);
        assert_eq!(town.guard("chain-z", &default), Guard::State);
        let settlement = town
            .on("chain-z")
            .settling(deal.order)
            .unwrap()
            .settlement
            .unwrap();
        assert_eq!(settlement.settled, mj(settled), "{taken:?} {delivered:?}");
        assert_eq!(
            settlement.penalty.as_millionths(),
            penalty,
            "{taken:?} {delivered:?}"
        );
        town.bring(&mut deal, Some(Phase::Settled), Phase::Closed);
        assert_eq!(town.has("chain-y", "mg-x"), penalty);
        assert_eq!(town.bought(&deal), Some(BuyerState::Settled));
    }
}

/// The commitment that comes to Z after both readings is refused: the money is the same, Z's note of it is not.
#[test]
fn a_commitment_after_both_readings_changes_no_money() {
    let mut orders = [Phase::Confirmed, Phase::Known].map(|until| {
        let mut town = Town::new();
        let mut deal = town.deal(terms(|_| ()), 7, until);
        town.bring(&mut deal, Some(Phase::Known), Phase::Settled);
        if until == Phase::Confirmed {
            assert_eq!(
                town.guard("chain-z", &deal.tell(Kind::Commit)),
                Guard::State
            );
        }
        let settling = town.on("chain-z").settling(deal.order).unwrap().clone();
        assert_eq!(settling.state, VppState::Settled);
        let Payload::Settle(outcome) = &deal.said[&Kind::Settle].payload else {
            unreachable!("SET");
        };
        (settling.settlement, outcome.settlement)
    });
    let [one, other] = &mut orders;
    assert_eq!(one, other);
}
