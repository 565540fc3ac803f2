//! Deposits and netting: money comes in once, and comes home exactly.

use tieline_contract::guard::{Fact, Guard};
use tieline_contract::payload::Kind;
use tieline_contract::state::Account;
use tieline_contract::transaction::Transaction;
use tieline_sim::village::{chain, deposit, member};
use tieline_units::Money;

use crate::town::{Phase, Town, mj, money, terms};

fn net(one: &str, other: &str) -> Transaction {
    let (one, other) = (chain(one), chain(other));
    Transaction::Net { one, other }
}

#[test]
fn a_deposit_is_credited_once_on_the_home_chain_and_nowhere_else() {
    let mut town = Town::new();
    let before = town.has("chain-x", "mg-x");
    let said = town.act("chain-z", &deposit(4, "mg-x", money(5_000_000)));
    assert_eq!(said.len(), 1);
    let certificate = Transaction::Certificate(said[0].clone());
    assert_eq!(town.guard("chain-y", &certificate), Guard::Ledger);
    assert_eq!(
        town.guard("chain-z", &deposit(4, "mg-x", money(5_000_000))),
        Guard::Sequence
    );
    town.act("chain-x", &certificate);
    for _ in 0..3 {
        let again = town.refused("chain-x", &certificate);
        assert_eq!(
            again,
            (
                Guard::Sequence,
                Fact::Name("number 4 of Deposit".to_owned())
            )
        );
    }
    assert_eq!(town.has("chain-x", "mg-x"), before + 5_000_000);
    // The same entry attested by others of the epoch is the same number.
    let others = crate::town::attested(town.on("chain-z"), 0, &[1, 2, 3]).remove(0);
    assert_eq!(
        town.guard("chain-x", &Transaction::Certificate(others)),
        Guard::Sequence
    );
}

#[test]
fn deposits_may_arrive_in_any_order() {
    let mut town = Town::new();
    let one = town.act("chain-z", &deposit(4, "mg-x", money(1)));
    let two = town.act("chain-z", &deposit(5, "mg-x", money(2)));
    town.tell("chain-x", &two);
    town.tell("chain-x", &one);
    assert_eq!(town.has("chain-x", "mg-x"), 100_000_003);
}

/// One order each way between X and Y, one short so that a penalty lies on Y, and the aggregator's share on both.
#[test]
fn netting_brings_everybodys_money_home_to_the_millionth() {
    let mut town = Town::new();
    let mut deal = town.deal(terms(|_| ()), 7, Phase::Known);
    town.now = deal.terms.end();
    let short =
        tieline_sim::village::metered("chain-y", "mg-y", deal.terms.start, mj(8_100_000_001));
    town.act_for("chain-y", &short, &mut deal);
    let taken = tieline_sim::village::metered("chain-x", "mg-x", deal.terms.start, mj(-1));
    town.act_for("chain-x", &taken, &mut deal);
    town.bring(&mut deal, Some(Phase::Metered), Phase::Settled);
    let away = |town: &Town, name: &str, who: &str| {
        let position = town.on("chain-z").position(&chain(name), &member(who));
        position.as_millionths()
    };
    let positions = [
        ("chain-x", "mg-y"),
        ("chain-x", "aggregator"),
        ("chain-y", "mg-x"),
    ];
    let due = positions.map(|(name, who)| away(&town, name, who));
    assert_eq!(due, [450_000, 112_500, 9_999]);

    let across = town.act("chain-z", &net("chain-x", "chain-y"));
    let home = town.act("chain-z", &net("chain-x", "chain-z"));
    assert_eq!(
        positions.map(|(name, who)| away(&town, name, who)),
        [0, 0, 0]
    );
    assert_eq!(town.has("chain-z", "aggregator"), 112_500);
    // Before SET has brought it to X and Y it cannot leave; the certificate waits.
    let out = Transaction::Certificate(across[0].clone());
    assert_eq!(town.guard("chain-x", &out), Guard::Funds);
    town.bring(&mut deal, Some(Phase::Settled), Phase::Closed);
    town.tell("chain-x", &across);
    town.tell("chain-y", &across);
    town.tell("chain-x", &home);
    for name in ["chain-x", "chain-y"] {
        assert_eq!(town.guard(name, &out), Guard::Sequence);
    }
    assert_eq!(town.has("chain-y", "mg-y"), 100_000_000 + 450_000 - 9_999);
    assert_eq!(
        town.has("chain-x", "mg-x"),
        100_000_000 - 1_000 - 562_500 + 9_999
    );
    assert_eq!(positions.map(|(name, who)| town.has(name, who)), [0, 0, 0]);
    let outside =
        ["chain-x", "chain-y", "chain-z"].map(|name| town.on(name).balance(&Account::Outside));
    assert_eq!(outside.into_iter().sum::<Money>(), money(-400_000_000));
    assert!(deal.said.contains_key(&Kind::Settle));
}

#[test]
fn netting_waits_for_its_period_and_needs_positions_and_two_chains_in_order() {
    let mut town = Town::new();
    assert_eq!(
        town.guard("chain-z", &net("chain-x", "chain-y")),
        Guard::Positive
    );
    assert_eq!(
        town.guard("chain-z", &net("chain-y", "chain-x")),
        Guard::Ledger
    );
    assert_eq!(
        town.guard("chain-z", &net("chain-x", "chain-x")),
        Guard::Ledger
    );
    town.deal(terms(|_| ()), 7, Phase::Closed);
    town.act("chain-z", &net("chain-x", "chain-y"));
    for (by, guard) in [
        (86_399_999, Guard::PeriodOver),
        (86_400_000, Guard::Positive),
    ] {
        let mut town = town.clone();
        town.now = town.now.plus_millis(by);
        assert_eq!(town.guard("chain-z", &net("chain-x", "chain-y")), guard);
    }
}
