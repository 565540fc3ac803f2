//! Executing blocks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tieline_chain::block::{BlockError, Body};
use tieline_chain::ledger::{ExecuteError, Outcome};
use tieline_chain::tree::Tree;
use tieline_chain::validators::ValidatorsError;
use tieline_chain::{Ledger, records};
use tieline_contract::state::Account;
use tieline_contract::transaction::Transaction;
use tieline_contract::transition::Transition;
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::{Village, deposit, member};
use tieline_units::canonical::Canonical as _;
use tieline_units::{Money, Time};

use crate::bazaar::Bazaar;
use crate::world::{block, block_with, handover, ledger, slow};

fn all(ledger: &Ledger) -> BTreeMap<Vec<u8>, Vec<u8>> {
    ledger.state().records().into_iter().collect()
}

fn root(records: &BTreeMap<Vec<u8>, Vec<u8>>) -> tieline_units::Digest {
    Tree::of(records.iter().map(|(key, value)| (&key[..], &value[..]))).root()
}

/// The first key whose values differ.
fn differing<'a>(
    one: &'a BTreeMap<Vec<u8>, Vec<u8>>,
    other: &'a BTreeMap<Vec<u8>, Vec<u8>>,
) -> Option<&'a [u8]> {
    let mut keys = one.keys().chain(other.keys());
    keys.find(|&key| one.get(key) != other.get(key))
        .map(Vec::as_slice)
}

const NOON: Time = Time::from_millis(800_000_000);

#[test]
fn changed_records_are_exactly_those_that_differ_in_random_histories() {
    let mut made = BTreeSet::new();
    let seeds = if slow() { 240 } else { 16 };
    for seed in 0..seeds {
        let mut bazaar = Bazaar::new(seed);
        let mut before: Vec<_> = bazaar.ledgers.iter().map(all).collect();
        for _ in 0..400 {
            let (on, executed) = bazaar.step();
            for (key, value) in executed.changed {
                match value {
                    Some(value) => before[on].insert(key, value),
                    None => before[on].remove(&key),
                };
            }
            let after = all(&bazaar.ledgers[on]);
            let differ = differing(&before[on], &after);
            assert_eq!(differ, None, "seed {seed}, block {}", executed.height);
            assert_eq!(executed.roots.state_root, root(&after), "seed {seed}");
            for receipt in executed.receipts {
                if let Outcome::Applied(names) = receipt.outcome {
                    made.extend(names);
                }
            }
        }
    }
    // Otherwise the histories would prove little.
    let all = Transition::ALL
        .iter()
        .map(|transition| format!("{transition:?}"));
    let missing: Vec<_> = all.filter(|name| !made.contains(name)).collect();
    assert!(missing.len() <= 3, "never made: {missing:?}");
}

#[test]
fn a_ledger_loaded_from_its_records_goes_on_like_the_one_that_never_stopped() {
    let mut bazaar = Bazaar::new(7);
    for _ in 0..120 {
        bazaar.step();
    }
    let village = Village::default();
    for (index, name) in tieline_sim::village::CHAINS.into_iter().enumerate() {
        let blocks = &bazaar.blocks[index];
        let mut one = ledger(&village, name);
        let half = blocks.len() / 2;
        for block in &blocks[..half] {
            one.execute(block, &Symbolic).unwrap();
        }
        let records = one.state().records();
        let pairs = records.iter().map(|(key, value)| (&key[..], &value[..]));
        let set = one.validators().clone();
        let mut other = Ledger::load(one.home(), pairs, *one.tip(), set).unwrap();
        assert_eq!(one.roots(), other.roots());
        for block in &blocks[half..] {
            let expected = one.execute(block, &Symbolic).unwrap();
            assert_eq!(other.execute(block, &Symbolic).unwrap(), expected);
        }
    }
}

#[test]
fn a_refused_transaction_is_recorded_with_its_reason_and_changes_nothing() {
    let mut z = ledger(&Village::default(), "chain-z");
    let before = all(&z);
    let money = Money::from_millionths(5);
    let next = block(&z, NOON, vec![deposit(3, "vpp", money)]);
    let executed = z.execute(&next, &Symbolic).unwrap();
    let Outcome::Refused(reason) = &executed.receipts[0].outcome else {
        panic!("{executed:?}");
    };
    assert!(reason.contains("3, next is 0"), "{reason}");
    assert!(executed.changed.is_empty());
    assert_eq!(all(&z), before);
    assert_eq!(z.tip().height, 1);
}

#[test]
fn an_empty_block_moves_time_and_nothing_else() {
    let mut z = ledger(&Village::default(), "chain-z");
    let roots = *z.roots();
    let beat = z.heartbeat(NOON).unwrap();
    z.execute(&beat, &Symbolic).unwrap();
    assert_eq!(*z.roots(), roots);
    assert_eq!(z.tip().time, NOON);
    let late = block(&z, Time::from_millis(1), vec![]);
    assert_eq!(late.header.time, NOON, "time does not go back");
    // A transaction in a later block sees the time of its own block.
    let next = block(&z, NOON, vec![deposit(0, "vpp", Money::from_millionths(9))]);
    z.execute(&next, &Symbolic).unwrap();
    assert_eq!(z.state().block().time, NOON);
    assert_eq!(z.state().block().height, 2);
}

#[test]
fn a_block_is_executed_once_and_in_order() {
    let mut z = ledger(&Village::default(), "chain-z");
    let money = Money::from_millionths(5);
    let first = block(&z, NOON, vec![deposit(0, "vpp", money)]);
    let fork = block(&z, NOON, vec![deposit(0, "vpp", money + money)]);
    let start = z.clone();
    z.execute(&first, &Symbolic).unwrap();
    let account = Account::Clearing(member("vpp"));
    for again in [&first, &fork] {
        let error = z.execute(again, &Symbolic).unwrap_err();
        assert_eq!(error, ExecuteError::Done { height: 1, tip: 1 });
    }
    assert_eq!(z.state().balance(&account), money);
    let second = block(&z, NOON, vec![deposit(1, "vpp", money)]);
    let mut behind = start.clone();
    let error = behind.execute(&second, &Symbolic).unwrap_err();
    assert_eq!(error, ExecuteError::Gap { height: 2, tip: 0 });
    // On another branch the second block has another parent.
    behind.execute(&fork, &Symbolic).unwrap();
    let error = behind.execute(&second, &Symbolic).unwrap_err();
    assert!(
        matches!(error, ExecuteError::Block(BlockError::Parent { .. })),
        "{error}"
    );
}

#[test]
fn a_header_that_says_something_else_of_the_state_is_refused_with_both_roots() {
    let mut z = ledger(&Village::default(), "chain-z");
    let good = block(&z, NOON, vec![]);
    let mut bad = good.clone();
    bad.header.before.outbox_entries = 1;
    let error = z.execute(&bad, &Symbolic).unwrap_err();
    let ExecuteError::Block(BlockError::Roots { claimed, found, .. }) = error else {
        panic!("{error}");
    };
    assert_eq!((claimed.outbox_entries, found.outbox_entries), (1, 0));
    z.execute(&good, &Symbolic).unwrap();
}

#[test]
fn outbox_and_state_root_of_a_block_are_in_the_next_header() {
    let mut z = ledger(&Village::default(), "chain-z");
    let money = Money::from_millionths(5);
    let first = block(&z, NOON, vec![deposit(0, "mg-x", money)]);
    let executed = z.execute(&first, &Symbolic).unwrap();
    let second = block(&z, NOON, vec![]);
    assert_eq!(second.header.before, executed.roots);
    assert_eq!(second.header.before.outbox_entries, 1);
    let statement = z.state().statement(1, 0, second.header.before.state_root);
    assert_eq!(statement.outbox_root, second.header.before.outbox_root);
    let key = records::outbox(1, 0);
    let entry = z.state().outbox(1).next().unwrap().to_bytes();
    let proof = z.tree().prove(&key);
    proof
        .verify(second.header.before.state_root, &key, Some(&entry))
        .unwrap();
}

#[test]
fn validators_hand_over_with_a_quorum_of_the_old_and_all_of_the_new() {
    let mut z = ledger(&Village::default(), "chain-z");
    let with = |handover| Body {
        transactions: Vec::<Transaction>::new(),
        handover: Some(Arc::new(handover)),
        ..Body::default()
    };
    let few = {
        let mut few = handover("chain-z", 0);
        few.approvals.pop_last();
        few
    };
    let unproven = {
        let mut unproven = handover("chain-z", 0);
        unproven.possession.pop_first();
        unproven
    };
    for (bad, found) in [(few, 2), (unproven, 3)] {
        let next = block_with(&z, NOON, with(bad));
        let error = z.execute(&next, &Symbolic).unwrap_err();
        let ExecuteError::Handover { error, .. } = error else {
            panic!("{error}");
        };
        assert!(
            matches!(error, ValidatorsError::Quorum { found: f, .. } if f == found),
            "{error}"
        );
    }
    let last = block_with(&z, NOON, with(handover("chain-z", 0)));
    z.execute(&last, &Symbolic).unwrap();
    assert_eq!(z.tip().epoch, 1);
    assert_eq!(z.validators().hash(), last.header.next_validators);
    let next = block(&z, NOON, vec![]);
    assert_eq!(next.header.epoch, 1);
    z.execute(&next, &Symbolic).unwrap();
}
