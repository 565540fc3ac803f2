//! Numbers, names and orders of events that only an attacker or a broken operator would choose: refused, never a panic.

use std::sync::Arc;

use tieline_contract::guard::{Fact, Guard};
use tieline_contract::member::{Register, Role};
use tieline_contract::payload::{Deposit, Kind, Payload, Transfer};
use tieline_contract::state::State;
use tieline_contract::terms::Terms;
use tieline_contract::transaction::Transaction;
use tieline_sim::symbol::key;
use tieline_sim::village::{Village, accept, batch, chain, deposit, genesis, member, request};
use tieline_units::{Energy, Power, Price, Time};

use crate::acts::{application, approve, forged};
use crate::town::{Deal, Phase, Town, mj, money, terms};

/// Both ends of the order on one chain.
fn within(name: &str, buyer: &str, seller: &str, edit: impl FnOnce(&mut Terms)) -> Terms {
    terms(|terms| {
        (terms.chain_x, terms.chain_y) = (chain(name), chain(name));
        (terms.genesis_x, terms.genesis_y) = (genesis(name), genesis(name));
        (terms.buyer, terms.seller) = (member(buyer), member(seller));
        edit(terms);
    })
}

fn local(terms: Terms) -> Transaction {
    let deal = Deal::new(terms, 7);
    let Transaction::Signed(answer) = accept(&deal.terms, deal.order) else {
        unreachable!("an answer is signed");
    };
    let request = deal.request;
    Transaction::Local { request, answer }
}

#[test]
fn nobody_trades_with_itself_so_escrow_and_bond_never_draw_on_one_account() {
    let mut town = Town::new();
    let terms = within("chain-x", "mg-x", "mg-x", |terms| {
        terms.escrow = money(60_000_000);
        terms.bond = money(60_000_000);
    });
    let wide = Village {
        exposure_cap: money(100_000_000),
        ..Village::default()
    };
    let mut alone = Town::of(&wide, &wide.members());
    let own = Fact::Name("buyer and seller are one".to_owned());
    assert_eq!(
        alone.refused("chain-x", &local(terms.clone())),
        (Guard::WellFormed, own)
    );
    assert_eq!(town.guard("chain-x", &local(terms)), Guard::WellFormed);
}

#[test]
fn z_takes_no_orders_of_its_own_because_nobody_could_ever_settle_them() {
    let mut town = Town::new();
    town.fund("aggregator", money(10_000_000));
    town.fund("vpp", money(10_000_000));
    let terms = within("chain-z", "aggregator", "vpp", |_| ());
    assert_eq!(town.guard("chain-z", &local(terms)), Guard::Ledger);
    let terms = crate::town::terms(|terms| {
        (terms.chain_x, terms.genesis_x) = (chain("chain-z"), genesis("chain-z"));
        terms.buyer = member("aggregator");
    });
    let request = Transaction::Request(request(terms, 7));
    assert_eq!(town.guard("chain-z", &request), Guard::Ledger);
    let terms = within("chain-z", "aggregator", "vpp", |_| ());
    town.now = terms.deadline;
    let late = tieline_sim::village::timeout_request(&terms, 7);
    assert_eq!(town.guard("chain-z", &late), Guard::Ledger);
}

#[test]
fn a_nameplate_that_shrinks_below_what_is_promised_stops_promises_and_not_the_ledger() {
    let mut town = Town::new();
    let one = town.deal(terms(|_| ()), 7, Phase::Accepted);
    let two = town.deal(terms(|_| ()), 8, Phase::Accepted);
    let mut record = town.record("mg-y");
    record.nameplate = Power::from_milliwatts(1);
    town.change(record, &["chain-y"]);
    let three = town.deal(terms(|_| ()), 9, Phase::Offered);
    assert_eq!(town.guard("chain-y", &three.accept()), Guard::Capacity);
    town.now = one.terms.gate_closure;
    town.act("chain-y", &Transaction::Void(one.order));
    town.act("chain-y", &Transaction::Void(two.order));
    assert_eq!(
        town.on("chain-y")
            .reserved(&member("mg-y"), one.terms.start),
        Energy::ZERO
    );
}

#[test]
fn nobody_registers_a_nameplate_that_no_interval_can_hold() {
    let mut town = Town::new();
    for milliwatts in [i64::MIN, -1, i64::MAX] {
        let mut record = town.record("mg-y");
        record.nameplate = Power::from_milliwatts(milliwatts);
        let apply = application(record, &key("mg-y"));
        assert_eq!(town.guard("chain-z", &apply), Guard::WellFormed);
    }
}

/// A genesis is not judged; still no number of it brings a ledger down later.
#[test]
fn a_nameplate_of_the_genesis_beyond_all_bounds_is_read_as_the_largest_energy() {
    let village = Village::default();
    let mut members = village.members();
    members[2].nameplate = Power::from_milliwatts(i64::MAX);
    let mut town = Town::of(&village, &members);
    town.deal(terms(|_| ()), 7, Phase::Closed);
}

#[test]
fn forged_deposits_of_a_negative_or_boundless_amount_are_refused_with_the_amount() {
    let mut town = Town::new();
    for amount in [i64::MIN, -1, 0, 1_000_000_000_000_001, i64::MAX] {
        let deposit = Deposit {
            member: member("mg-x"),
            home: chain("chain-x"),
            amount: money(amount),
        };
        let sequence = 99;
        let credit = forged("chain-z", Payload::Deposit { sequence, deposit });
        assert_eq!(town.guard("chain-x", &credit), Guard::Positive, "{amount}");
    }
}

#[test]
fn deposits_stop_before_the_books_overflow() {
    let mut town = Town::new();
    let most = 1_000_000_000_000_000;
    let mut refused = 0;
    for sequence in 100..1_200 {
        let deposit = Deposit {
            member: member("mg-x"),
            home: chain("chain-x"),
            amount: money(most),
        };
        let credit = forged("chain-z", Payload::Deposit { sequence, deposit });
        refused += usize::from(town.try_act("chain-x", &credit).is_err());
    }
    assert_eq!(refused, 101);
    assert_eq!(town.has("chain-x", "mg-x"), 999 * most + 100_000_000);
}

#[test]
fn forged_transfers_that_together_overdraw_or_carry_nothing_are_refused() {
    let mut town = Town::new();
    let of = |amount: i64, from: &str, to: &str| Transfer {
        party: member("mg-y"),
        from: chain(from),
        to: chain(to),
        amount: money(amount),
    };
    let net = |transfers: Vec<Transfer>| {
        let sequence = 99;
        forged(
            "chain-z",
            Payload::Net {
                sequence,
                transfers,
            },
        )
    };
    let out = |amount| of(amount, "chain-y", "chain-z");
    let twice = net(vec![out(60_000_000), out(60_000_000)]);
    assert_eq!(town.guard("chain-y", &twice), Guard::Funds);
    for amount in [i64::MIN, -1, 0] {
        for ends in [("chain-y", "chain-z"), ("chain-z", "chain-y")] {
            let nothing = net(vec![of(amount, ends.0, ends.1)]);
            assert_eq!(town.guard("chain-y", &nothing), Guard::Positive, "{amount}");
        }
    }
    let most = net(vec![out(i64::MAX), out(i64::MAX)]);
    assert_eq!(town.guard("chain-y", &most), Guard::Positive);
    let boundless = net(vec![of(i64::MAX, "chain-z", "chain-y"); 3]);
    assert_eq!(town.guard("chain-y", &boundless), Guard::Positive);
}

#[test]
fn terms_with_extreme_numbers_are_refused_and_not_computed_with() {
    let edits: [fn(&mut Terms); 16] = [
        |t| t.quantity = mj(i64::MAX),
        |t| t.quantity = mj(i64::MIN),
        |t| t.price = Price::from_millionths(i64::MAX),
        |t| t.price = Price::from_millionths(i64::MIN),
        |t| t.seller_price = Price::from_millionths(i64::MIN),
        |t| t.imbalance = Price::from_millionths(i64::MAX),
        |t| t.penalty_short_ppm = u32::MAX,
        |t| t.escrow = money(i64::MAX),
        |t| t.escrow = money(i64::MIN),
        |t| t.bond = money(i64::MAX),
        |t| t.bond = money(i64::MIN),
        |t| t.start = Time::from_millis(u64::MAX - 900_000),
        |t| t.deadline = Time::from_millis(u64::MAX),
        |t| t.gate_closure = Time::from_millis(u64::MAX),
        |t| t.metering_deadline = Time::from_millis(u64::MAX),
        |t| t.delta_t = u64::MAX,
    ];
    for (index, edit) in edits.into_iter().enumerate() {
        let mut town = Town::new();
        let terms = terms(edit);
        let ask = Transaction::Request(request(terms.clone(), 7));
        assert_eq!(
            town.guard("chain-x", &ask),
            Guard::WellFormed,
            "edit {index}"
        );
        let offer = forged("chain-x", Payload::Request(request(terms.clone(), 7)));
        assert_eq!(
            town.guard("chain-y", &offer),
            Guard::WellFormed,
            "edit {index}"
        );
        let terms = Arc::new(terms);
        let late = tieline_sim::village::timeout_request(&terms, 7);
        assert_eq!(
            town.guard("chain-y", &late),
            Guard::WellFormed,
            "edit {index}"
        );
    }
}

#[test]
fn a_block_at_the_end_of_time_refuses_or_times_out_and_does_not_overflow() {
    for until in [
        Phase::Locked,
        Phase::Accepted,
        Phase::Confirmed,
        Phase::Metered,
    ] {
        let mut town = Town::new();
        let mut deal = town.deal(terms(|_| ()), 7, until);
        let order = deal.order;
        let late = Transaction::Request(request(terms(|_| ()), 8));
        town.now = Time::from_millis(u64::MAX);
        assert_eq!(town.guard("chain-x", &late), Guard::BlockTime);
        town.now = Time::from_millis(7_258_118_400_000);
        assert_eq!(town.guard("chain-x", &late), Guard::Early);
        match until {
            Phase::Locked => town.act_for("chain-x", &Transaction::Timeout(order), &mut deal),
            Phase::Accepted => town.act_for("chain-y", &Transaction::Void(order), &mut deal),
            _ => {
                if until == Phase::Confirmed {
                    town.act("chain-z", &deal.tell(Kind::Commit));
                }
                town.act_for("chain-z", &Transaction::Default(order), &mut deal);
                town.bring(&mut deal, Some(Phase::Settled), Phase::Closed);
            }
        }
    }
}

#[test]
fn registers_at_both_ends_of_their_range_share_out_no_more_than_was_ordered() {
    let mut town = Town::new();
    let mut deal = town.deal(terms(|_| ()), 7, Phase::Confirmed);
    town.now = deal.terms.end();
    for (before, after) in [
        (0, i64::MAX),
        (i64::MIN, 0),
        (-1, 1),
        (0, 1_000_000_000_000_000_001),
    ] {
        let wild = batch("chain-y", "mg-y", |batch| {
            let (before, after) = (mj(before), mj(after));
            batch.exported = Register { before, after };
        });
        assert_eq!(town.guard("chain-y", &wild), Guard::Monotone);
    }
    let full = batch("chain-y", "mg-y", |batch| {
        let (before, after) = (Energy::ZERO, mj(1_000_000_000_000_000_000));
        batch.exported = Register { before, after };
    });
    town.act_for("chain-y", &full, &mut deal);
    let sale = town.on("chain-y").sale(deal.order).unwrap();
    assert_eq!(sale.delivered, Some(deal.terms.quantity));
    let far = batch("chain-y", "mg-y", |batch| {
        batch.start = Time::from_millis(u64::MAX)
    });
    assert_eq!(town.guard("chain-y", &far), Guard::Schedule);
}

#[test]
fn two_applications_with_one_key_do_not_both_become_members() {
    let mut town = Town::new();
    let (one, mut other) = (town.record("mg-x"), town.record("mg-x2"));
    let mut first = one;
    first.key = key("one key");
    other.key = key("one key");
    town.act("chain-z", &application(first.clone(), &key("one key")));
    town.act("chain-z", &application(other.clone(), &key("one key")));
    town.act("chain-z", &approve(&first));
    assert_eq!(town.guard("chain-z", &approve(&other)), Guard::Unused);
}

/// Both signatures stay good for ever; what they once brought about they do not bring about again.
#[test]
fn an_approval_that_was_used_brings_back_neither_an_old_key_nor_a_revoked_member() {
    let mut town = Town::new();
    let mut old = town.record("mg-x");
    old.key = key("mg-x, second key");
    town.change(old.clone(), &["chain-x"]);
    let mut new = old.clone();
    new.key = key("mg-x, third key");
    town.change(new.clone(), &["chain-x"]);
    let by_old_key = application(old.clone(), &old.key);
    town.act("chain-z", &by_old_key);
    assert_eq!(town.guard("chain-z", &approve(&old)), Guard::Once);
    town.revoke("mg-x", &["chain-x"]);
    town.act("chain-z", &application(new.clone(), &new.key));
    assert_eq!(town.guard("chain-z", &approve(&new)), Guard::Once);
    // Who comes back comes with something new.
    new.key = key("mg-x, fourth key");
    town.change(new, &["chain-x"]);
    assert!(!town.record("mg-x").revoked);
}

/// One NET says no more than a record can hold, and the rest with the next.
#[test]
fn positions_of_more_parties_than_a_record_holds_are_netted_in_parts_that_can_be_read_back() {
    let village = Village::default();
    let mut members = village.members();
    let name = |index: usize| format!("seller-{index}");
    let sellers = (0..1_030).map(|i| village.member(&name(i), "chain-y", Role::Auditor));
    members.extend(sellers);
    let mut town = Town::of(&village, &members);
    for index in 0..1_030 {
        let terms = terms(|terms| terms.seller = member(&name(index)));
        let deal = Deal::new(terms, index as u64);
        let reading = |energy| {
            let request = deal.request.clone();
            let trade_hash = deal.terms.hash();
            Arc::new(tieline_contract::payload::Reading {
                request,
                energy,
                trade_hash,
            })
        };
        let quantity = deal.terms.quantity;
        town.act(
            "chain-z",
            &forged("chain-x", Payload::Taken(reading(quantity))),
        );
        town.act(
            "chain-z",
            &forged("chain-y", Payload::Delivered(reading(quantity))),
        );
    }
    let net = Transaction::Net {
        one: chain("chain-x"),
        other: chain("chain-y"),
    };
    let mut netted = 0;
    for _ in 0..2 {
        let said = town.act("chain-z", &net);
        let Payload::Net { transfers, .. } = &said[0].payload else {
            unreachable!("NET");
        };
        netted += transfers.len();
        let records = town.on("chain-z").records();
        let records = records.iter().map(|(key, value)| (&key[..], &value[..]));
        assert!(State::from_records(records).is_ok());
        town.now = town.now.plus_millis(86_400_000);
    }
    assert_eq!(netted, 1_030);
}

#[test]
fn a_number_that_was_used_is_not_used_again_whatever_it_carries() {
    let mut town = Town::new();
    let said = town.act("chain-z", &deposit(4, "mg-x", money(5)));
    town.tell("chain-x", &said);
    let deposit = Deposit {
        member: member("mg-x2"),
        home: chain("chain-x"),
        amount: money(7),
    };
    let again = forged(
        "chain-z",
        Payload::Deposit {
            sequence: 4,
            deposit,
        },
    );
    assert_eq!(town.guard("chain-x", &again), Guard::Sequence);
    let elsewhere = Transaction::Certificate(said[0].clone());
    assert_eq!(town.guard("chain-y", &elsewhere), Guard::Ledger);
}
