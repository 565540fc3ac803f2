//! Proposals beside the final blocks.

use std::collections::BTreeSet;

use tieline_chain::Ledger;
use tieline_chain::block::Block;
use tieline_chain::forks::{FORKS_MAX, ForkError, Forks};
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::deposit;
use tieline_units::{Money, Time};

use crate::store::founding;
use crate::world::block;

/// A child with the next deposit, told from others by its amount.
fn child(ledger: &Ledger, amount: i64) -> Block {
    let height = ledger.tip().height;
    let time = Time::from_millis(800_000_000 + height);
    let money = Money::from_millionths(amount);
    block(ledger, time, vec![deposit(height, "vpp", money)])
}

#[test]
fn branches_are_executed_each_on_its_own_state_and_one_becomes_final() {
    let mut forks = Forks::new(founding());
    let base = forks.base().clone();
    let (left, right) = (child(&base, 1), child(&base, 2));
    let after_left = forks.execute(&left, &Symbolic).unwrap().clone();
    let after_right = forks.execute(&right, &Symbolic).unwrap().clone();
    assert_ne!(after_left.roots(), after_right.roots());
    let second = child(&after_left, 3);
    let third = child(forks.execute(&second, &Symbolic).unwrap(), 4);
    forks.execute(&third, &Symbolic).unwrap();
    let other = child(&after_right, 5);
    forks.execute(&other, &Symbolic).unwrap();
    assert_eq!(forks.len(), 5);
    let home = base.home();
    let names: BTreeSet<_> = [&left, &second]
        .iter()
        .flat_map(|block| block.body.hashes())
        .collect();
    assert_eq!(forks.taken(second.digest(home)), names);
    assert!(forks.taken(base.tip().digest).is_empty());
    let executed = forks.finalise(&left, &Symbolic).unwrap();
    assert_eq!(executed.roots, *after_left.roots());
    assert_eq!(forks.base().tip(), after_left.tip());
    assert_eq!(forks.len(), 2);
    assert!(forks.after(right.digest(home)).is_none());
    assert!(forks.after(third.digest(home)).is_some());
    let error = forks.execute(&other, &Symbolic).unwrap_err();
    assert!(
        matches!(error, ForkError::Parent { height: 2, .. }),
        "{error}"
    );
    let error = forks.finalise(&third, &Symbolic).unwrap_err();
    assert!(
        matches!(error, ForkError::Parent { height: 3, .. }),
        "{error}"
    );
    // Also a block that was never proposed here.
    let surprise = child(&after_left, 9);
    forks.finalise(&surprise, &Symbolic).unwrap();
    assert!(forks.is_empty());
    assert_eq!(forks.base().tip().height, 2);
}

#[test]
fn what_waits_is_bounded_and_an_invalid_block_is_told_from_an_unknown_parent() {
    let mut forks = Forks::new(founding());
    let base = forks.base().clone();
    for amount in 1..=FORKS_MAX as i64 {
        forks.execute(&child(&base, amount), &Symbolic).unwrap();
    }
    forks.execute(&child(&base, 1), &Symbolic).unwrap();
    // Views that were given up left them: one more is executed, in the place of all that it does not follow.
    forks.execute(&child(&base, 1_000), &Symbolic).unwrap();
    assert_eq!(forks.len(), 1);
    forks.execute(&child(&base, 1), &Symbolic).unwrap();
    forks.finalise(&child(&base, 1), &Symbolic).unwrap();
    assert!(forks.is_empty());
    // What it follows stays: too many in a row are too many.
    let mut forks = Forks::new(base.clone());
    let mut last = base.clone();
    for amount in 1..=FORKS_MAX as i64 {
        last = forks
            .execute(&child(&last, amount), &Symbolic)
            .unwrap()
            .clone();
    }
    let error = forks.execute(&child(&last, 1_000), &Symbolic).unwrap_err();
    assert_eq!(error, ForkError::Full);
    let mut forks = Forks::new(base.clone());
    let mut bad = child(&base, 1);
    bad.header.before.outbox_entries = 7;
    let error = forks.execute(&bad, &Symbolic).unwrap_err();
    assert!(matches!(error, ForkError::Invalid(_)), "{error}");
    assert!(forks.is_empty());
}
