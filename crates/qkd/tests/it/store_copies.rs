//! Attacks by copies: restored snapshots, cloned nodes, second use of a counter.

use tieline_qkd::store::fault::Torn;
use tieline_qkd::store::{Alarm, Standing, StoreError};
use tieline_uss::party::{Counter, EpochId};

use crate::store_attacks::stocked;
use crate::store_pair::{Pair, sae};

#[test]
fn attack_02_a_counter_is_spent_once_also_after_a_restart() {
    let mut pair = stocked(2);
    let (epoch, counter) = (EpochId(5), Counter(3));
    let spent = pair.ends[0].store().spend(epoch, counter).unwrap();
    assert_eq!((spent.epoch(), spent.counter()), (epoch, counter));
    for torn in Torn::ALL {
        let again = pair.ends[0].store().spend(epoch, counter);
        assert!(matches!(again, Err(StoreError::SpentBefore { .. })));
        pair.crash(0, torn);
        let early = pair.ends[0].store().spend(epoch, counter);
        assert!(matches!(early, Err(StoreError::SpentBefore { .. })));
        let early = pair.ends[0].store().spend(epoch, Counter(4));
        assert!(matches!(
            early,
            Err(StoreError::NoWitness { have: 0, need: 1 })
        ));
        pair.join();
    }
    pair.ends[0].store().spend(epoch, Counter(4)).unwrap();
}

#[test]
fn attack_02_a_restored_signer_learns_from_its_peers_what_it_signed() {
    let mut pair = stocked(3);
    let copy = pair.ends[0].disk.snapshot();
    let (epoch, counter) = (EpochId(5), Counter(3));
    pair.ends[0].store().spend(epoch, counter).unwrap();
    let signer = pair.ends[0].name.clone();
    pair.ends[1]
        .store()
        .observe(&signer, epoch, counter)
        .unwrap();
    pair.ends[0].disk = copy;
    pair.open(0).unwrap();
    pair.join();
    let again = pair.ends[0].store().spend(epoch, counter);
    assert!(matches!(again, Err(StoreError::SpentBefore { .. })));
    let next = pair.ends[0].store().spend(epoch, Counter(4));
    assert!(
        matches!(next, Err(StoreError::SpentBefore { .. })),
        "an epoch whose counters are in doubt signs nothing"
    );
    let alarms = pair.ends[0].store().take_alarms();
    assert!(alarms.contains(&Alarm::UnknownSpend { peer: sae("b") }));
    pair.ends[0].store().spend(EpochId(6), Counter(0)).unwrap();
}

/// Brings the pair to where end 0 was restored from a copy that is one handshake old.
fn restored(seed: u64) -> Pair {
    let mut pair = stocked(seed);
    let copy = pair.ends[0].disk.snapshot();
    pair.crash(0, Torn::All);
    pair.join();
    pair.now += 1_000;
    pair.settle();
    for _ in 0..3 {
        pair.send(0, 64).unwrap();
    }
    pair.settle();
    pair.ends[0].disk = copy;
    pair.open(0).unwrap();
    pair
}

#[test]
fn attack_04_a_restored_copy_draws_nothing_until_an_operator_has_looked() {
    let mut pair = restored(4);
    let lane = pair.out(0);
    let early = pair.ends[0].store().draw(&lane, 64).unwrap_err();
    assert!(matches!(early, StoreError::NoHandshake { .. }), "{early}");
    pair.settle();
    let refused = pair.ends[0].store().draw(&lane, 64).unwrap_err();
    assert!(
        matches!(refused, StoreError::RolledBack { .. }),
        "{refused}"
    );
    assert_eq!(
        pair.ends[0].store().standing(&sae("b")),
        Some(Standing::RolledBack)
    );
    for end in 0..2 {
        let peer = pair.ends[1 - end].name.clone();
        let alarms = pair.ends[end].store().take_alarms();
        assert!(alarms.contains(&Alarm::RolledBack { peer }), "end {end}");
    }
    // However often it tries: nothing.
    for _ in 0..20 {
        pair.now += 1_000;
        pair.settle();
        assert!(pair.ends[0].store().draw(&lane, 64).is_err());
    }
    assert!(pair.joined(1), "the peer keeps the link that it had");
    // The operator knows. The book watches that nothing is used twice.
    pair.ends[0].store().recover(&sae("b")).unwrap();
    pair.join();
    pair.check_at_rest();
}

#[test]
fn attack_04_a_recovery_closes_the_epochs_that_are_known() {
    let mut pair = stocked(5);
    pair.ends[0].store().spend(EpochId(9), Counter(0)).unwrap();
    let copy = pair.ends[0].disk.snapshot();
    pair.crash(0, Torn::All);
    pair.join();
    pair.ends[0].disk = copy;
    pair.open(0).unwrap();
    pair.settle();
    pair.ends[0].store().recover(&sae("b")).unwrap();
    pair.join();
    let closed = pair.ends[0].store().spend(EpochId(9), Counter(1));
    assert!(matches!(
        closed,
        Err(StoreError::EpochClosed {
            open: EpochId(10),
            ..
        })
    ));
    pair.ends[0].store().spend(EpochId(10), Counter(0)).unwrap();
}

#[test]
fn attack_04_two_copies_of_a_node_never_use_the_same_key_and_are_noticed() {
    let mut pair = stocked(6);
    let copy = pair.ends[0].disk.snapshot();
    // The copy comes up and is taken for a restart.
    let original = (pair.ends[0].disk.clone(), pair.ends[0].store.take());
    pair.ends[0].disk = copy;
    pair.open(0).unwrap();
    pair.join();
    pair.now += 1_000;
    pair.settle();
    pair.send(0, 64).unwrap();
    pair.settle();
    let copied = (pair.ends[0].disk.clone(), pair.ends[0].store.take());
    // The original runs on with what it was granted before. The book watches.
    (pair.ends[0].disk, pair.ends[0].store) = original;
    pair.send(0, 64).unwrap();
    pair.ends[1].inbound.clear();
    // What it asks for belongs to a handshake that does not hold any more.
    let lane = pair.out(0);
    while pair.ends[0].store().draw(&lane, 8).is_ok() {}
    for _ in 0..4 {
        pair.now += 1_000;
        pair.settle();
    }
    assert_eq!(
        pair.ends[0].store().standing(&sae("b")),
        Some(Standing::RolledBack),
        "the original is told that another one runs"
    );
    (pair.ends[0].disk, pair.ends[0].store) = copied;
    pair.send(0, 64).unwrap();
    pair.settle();
}

#[test]
fn attack_04_a_hello_that_was_seen_is_refused() {
    let mut pair = stocked(7);
    pair.crash(0, Torn::All);
    let now = pair.now();
    let hello = pair.ends[0].store().handshake(now, &sae("b")).unwrap();
    let welcome = pair.ends[1].store().reconcile(now, hello.clone()).unwrap();
    let done = pair.ends[0]
        .store()
        .reconcile(now, welcome.unwrap())
        .unwrap();
    pair.ends[1].store().reconcile(now, done.unwrap()).unwrap();
    assert!(pair.joined(0) && pair.joined(1));
    let answer = pair.ends[1].store().reconcile(now, hello).unwrap().unwrap();
    assert_eq!(answer.kind(), "refuse");
    assert!(pair.joined(1), "a replay does not break the link");
    pair.check_at_rest();
}
