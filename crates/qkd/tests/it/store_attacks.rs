//! Attacks on keys as they arrive, are drawn and are given up. The numbers are those of the project's list of attacks.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::thread;

use tieline_qkd::store::fault::{MemoryDisk, Torn};
use tieline_qkd::store::{
    Action, Alarm, HealthError, KeyId, Lane, Message, NewKey, Settings, Store, StoreError,
};
use tieline_uss::key::KeyError;
use zeroize::Zeroizing;

use crate::store_pair::{Manager, Pair, Parcel, at, entropy, sae, secret, settings};

/// A pair in good order with a stock of 4 KiB on each lane.
pub(crate) fn stocked(seed: u64) -> Pair {
    let mut pair = Pair::new(seed);
    pair.join();
    for end in 0..2 {
        pair.supply(end, 8, 128).unwrap();
    }
    pair.now += 1_000;
    pair.settle();
    pair.now += 1_000;
    pair.settle();
    pair
}

#[test]
fn attack_01_a_replayed_message_finds_its_pad_gone() {
    let mut pair = stocked(1);
    pair.send(0, 64).unwrap();
    let Some(Parcel::Sealed(lane, position, bits)) = pair.ends[1].inbound.front() else {
        panic!("something was sealed");
    };
    let (lane, position, bits) = (lane.clone(), *position, *bits);
    pair.settle();
    let again = |pair: &mut Pair| pair.ends[1].store().draw_at(&lane, position, bits);
    let refused = again(&mut pair).unwrap_err();
    assert!(matches!(refused, StoreError::Behind { next, .. } if next == position + 8));
    // The same after the reader was killed, and after it was restored from a copy of before.
    pair.crash(1, Torn::All);
    pair.join();
    assert!(matches!(again(&mut pair), Err(StoreError::Behind { .. })));
}

#[test]
fn attack_05_a_second_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Store::open(folder.path(), sae("a"), &secret(), settings());
    let first = open().unwrap();
    let Err(StoreError::Disk(error)) = open() else {
        panic!("two stores in one folder");
    };
    assert_eq!(error.action, Action::Lock);
    drop(first);
    open().unwrap();
}

/// Carries messages between two shared stores until nobody has anything to say.
fn pump(stores: &[Arc<Mutex<Store>>; 2], manager: &Mutex<Manager>, now: u64) {
    let [mut a, mut b] = [0, 1].map(|end| stores[end].lock().unwrap());
    let mut manager = manager.lock().unwrap();
    let mut queue: Vec<Message> = Vec::new();
    for store in [&mut *a, &mut *b] {
        queue.extend(store.poll(at(now)).unwrap());
    }
    while let Some(message) = queue.pop() {
        let store = if message.to == sae("a") {
            &mut *a
        } else {
            &mut *b
        };
        let lane = Lane::new(message.from.clone(), message.to.clone()).unwrap();
        let fetched = manager.fetch(&store.missing(&message));
        if !fetched.is_empty() {
            store.admit(at(now), &lane, fetched).unwrap();
        }
        queue.extend(store.reconcile(at(now), message).unwrap());
    }
}

#[test]
fn attack_05_a_million_draws_of_two_threads_and_two_directions_share_no_bit() {
    const DRAWS: usize = 250_000;
    let settings = Settings {
        window_bytes: 1 << 18,
        retry_ms: 0,
        compact_bytes: 16 << 20,
        ..settings()
    };
    let stores = ["a", "b"].map(|name| {
        let disk = Box::new(MemoryDisk::new());
        let store = Store::open_on(disk, sae(name), &secret(), settings, entropy(1));
        Arc::new(Mutex::new(store.unwrap()))
    });
    let manager = Arc::new(Mutex::new(Manager::default()));
    for end in 0..2 {
        let (own, peer) = [(sae("a"), sae("b")), (sae("b"), sae("a"))][end].clone();
        let mut store = stores[end].lock().unwrap();
        store.add_peer(&peer).unwrap();
        let keys = (0..10).map(|_| manager.lock().unwrap().make(1 << 16));
        let lane = Lane::new(own, peer).unwrap();
        store.admit(at(0), &lane, keys.collect()).unwrap();
    }
    (0..6).for_each(|now| pump(&stores, &manager, now * 1_000));
    let workers = [0, 0, 1, 1].map(|end| {
        let (stores, manager) = (stores.clone(), Arc::clone(&manager));
        thread::spawn(move || {
            let names = [sae("a"), sae("b")];
            let lane = Lane::new(names[end].clone(), names[1 - end].clone()).unwrap();
            let mut words = Vec::with_capacity(DRAWS);
            while words.len() < DRAWS {
                let drawn = stores[end].lock().unwrap().draw(&lane, 32);
                match drawn {
                    Ok(pad) => {
                        let bytes = pad.into_bytes();
                        words.push(u32::from_be_bytes(bytes[..].try_into().unwrap()));
                    }
                    Err(StoreError::Horizon { .. }) => pump(&stores, &manager, 10_000),
                    Err(error) => panic!("{error}"),
                }
            }
            words
        })
    });
    let mut seen = BTreeSet::new();
    for worker in workers {
        for word in worker.join().unwrap() {
            assert!(seen.insert(word), "word {word} was drawn twice");
        }
    }
    assert_eq!(seen.len(), 4 * DRAWS);
}

#[test]
fn attack_05_both_ends_split_a_symmetric_pool_alike_into_halves() {
    let (there, back) = (
        Lane::new(sae("a"), sae("b")).unwrap(),
        Lane::new(sae("b"), sae("a")).unwrap(),
    );
    let mut count = 0;
    for number in 0..10_000u64 {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        let lane = there.of_symmetric_key(KeyId(id));
        assert_eq!(lane, back.of_symmetric_key(KeyId(id)));
        count += usize::from(lane == there);
    }
    // Five standard deviations of 10,000 fair coins.
    assert!((4_750..=5_250).contains(&count), "{count}");
}

#[test]
fn attack_06_broken_keys_are_refused_one_by_one_with_an_alarm() {
    let mut pair = Pair::new(8);
    let (lane, now) = (pair.out(0), pair.now());
    let key = |id: u8, bytes: Vec<u8>| NewKey {
        id: KeyId([id; 16]),
        material: Zeroizing::new(bytes),
    };
    let good: Vec<u8> = (0..32).collect();
    let other: Vec<u8> = (1..33).collect();
    let store = pair.ends[0].store();
    let first = store.admit(now, &lane, vec![key(1, good.clone())]).unwrap();
    assert_eq!((first.taken, first.refused.len()), (1, 0));
    let keys = vec![
        key(2, vec![0; 32]),
        key(3, vec![0xff; 32]),
        key(1, other.clone()),
        key(4, good),
        key(5, vec![7; 3]),
        key(6, vec![]),
        key(7, other.clone()),
        key(7, (2..34).collect()),
        key(8, other),
    ];
    let outcome = store.admit(now, &lane, keys).unwrap();
    assert_eq!(outcome.taken, 1);
    let id = |id| KeyId([id; 16]);
    let length = |id, bytes| HealthError::Length {
        id,
        bytes,
        least: 16,
        most: 1 << 20,
    };
    let constant = |id, value| HealthError::Constant {
        id,
        bytes: 32,
        value,
    };
    let expected = vec![
        constant(id(2), 0),
        constant(id(3), 0xff),
        HealthError::RepeatedId { id: id(1) },
        HealthError::RepeatedBits { id: id(4) },
        length(id(5), 3),
        length(id(6), 0),
        HealthError::RepeatedId { id: id(7) },
        HealthError::RepeatedBits { id: id(8) },
    ];
    assert_eq!(outcome.refused, expected);
    let alarms = store.take_alarms();
    let health = alarms
        .iter()
        .filter(|alarm| matches!(alarm, Alarm::Health { .. }));
    assert_eq!(health.count(), expected.len());
    // A name and bits are remembered over a restart.
    pair.crash(0, Torn::All);
    let again = vec![key(1, (3..35).collect()), key(9, (1..33).collect())];
    let outcome = pair.ends[0].store().admit(now, &lane, again).unwrap();
    assert_eq!(
        outcome.refused,
        [
            HealthError::RepeatedId { id: id(1) },
            HealthError::RepeatedBits { id: id(9) }
        ]
    );
}

#[test]
fn attack_06_no_bits_and_too_many_bits_are_refused_and_change_nothing() {
    let mut pair = stocked(9);
    let lane = pair.out(0);
    let before = pair.ends[0].store().account(&lane).unwrap();
    let none = pair.ends[0].store().draw(&lane, 0);
    let cause = |outcome| match outcome {
        Err(StoreError::Pool { cause, .. }) => cause,
        other => panic!("{other:?}"),
    };
    assert_eq!(cause(none), KeyError::Empty);
    let (have, need) = (before.stock as usize, 1_000_000);
    let short = pair.ends[0].store().draw(&lane, need);
    assert_eq!(cause(short), KeyError::Short { have, need });
    assert_eq!(pair.ends[0].store().account(&lane).unwrap(), before);
    let alarms = pair.ends[0].store().take_alarms();
    assert!(alarms.contains(&Alarm::Short {
        lane,
        have_bits: have,
        need_bits: need
    }));
}

#[test]
fn attack_20_keys_that_the_other_end_cannot_fetch_are_not_used() {
    let mut pair = Pair::new(10);
    pair.join();
    pair.supply(0, 2, 32).unwrap();
    // The key manager of the reader has never heard of the first.
    let lane = pair.out(0);
    let mut forged = Manager::default();
    let mut key = forged.make(32);
    key.id = KeyId([0xee; 16]);
    key.material.iter_mut().for_each(|byte| *byte ^= 0xa5);
    let now = pair.now();
    pair.ends[0].store().admit(now, &lane, vec![key]).unwrap();
    for _ in 0..3 {
        pair.now += 1_000;
        pair.settle();
    }
    for end in 0..2 {
        let account = pair.ends[end].store().account(&lane).unwrap();
        assert_eq!(account.stock, 2 * 32 * 32, "end {end}");
    }
    let account = pair.ends[0].store().account(&lane).unwrap();
    assert_eq!(account.waiting, 32 * 32);
    pair.send(0, 64).unwrap();
    pair.settle();
}

#[test]
fn attack_23_a_key_that_only_one_end_gets_is_given_up_in_time_and_not_taken_again() {
    let mut pair = Pair::new(11);
    pair.join();
    let (lane, now) = (pair.out(0), pair.now());
    // The key manager of the reader forgets the key.
    let key = pair.manager.make(32);
    let (id, bytes) = (key.id, key.material.clone());
    pair.manager.fetch(&[id]);
    pair.ends[0].store().admit(now, &lane, vec![key]).unwrap();
    // The reader got one that was never offered.
    let lone = pair.manager.make(32);
    pair.ends[1].store().admit(now, &lane, vec![lone]).unwrap();
    for _ in 0..12 {
        pair.now += 1_000;
        pair.settle();
    }
    for end in 0..2 {
        let store = pair.ends[end].store();
        let account = store.account(&lane).unwrap();
        assert_eq!((account.waiting, account.lost), (0, 1_024), "end {end}");
        let alarms = store.take_alarms();
        let expired = Alarm::Expired {
            lane: lane.clone(),
            keys: 1,
        };
        assert!(alarms.contains(&expired), "end {end}: {alarms:?}");
    }
    pair.crash(0, Torn::All);
    let again = NewKey {
        id,
        material: bytes,
    };
    let now = pair.now();
    let outcome = pair.ends[0].store().admit(now, &lane, vec![again]).unwrap();
    assert_eq!(outcome.refused, [HealthError::RepeatedId { id }]);
    pair.check_at_rest();
}

#[test]
fn attack_23_a_reservation_is_gone_when_its_time_has_passed() {
    let mut pair = stocked(12);
    let lane = pair.out(0);
    let now = pair.now;
    let store = pair.ends[0].store();
    let early = store.reserve(&lane, 64, at(now + 10)).unwrap();
    let late = store.reserve(&lane, 64, at(now + 10)).unwrap();
    let unused = store.reserve(&lane, 64, at(now + 99)).unwrap();
    assert_eq!(store.account(&lane).unwrap().reserved, 192);
    assert_eq!(store.redeem(at(now + 10), early).unwrap().bits(), 64);
    let gone = store.redeem(at(now + 11), late).unwrap_err();
    assert!(matches!(gone, StoreError::NoReservation { .. }));
    store.cancel(unused);
    let account = store.account(&lane).unwrap();
    assert_eq!(
        (account.reserved, account.spent, account.lost),
        (0, 64, 128)
    );
    // A restart in between: what was held is lost, not handed out.
    let _held = store.reserve(&lane, 64, at(now + 99)).unwrap();
    pair.crash(0, Torn::All);
    pair.check_at_rest();
}

#[test]
fn attack_24_an_end_that_lost_everything_goes_on_where_the_other_is() {
    let mut pair = stocked(13);
    for _ in 0..3 {
        pair.send(0, 64).unwrap();
        pair.send(1, 64).unwrap();
    }
    pair.settle();
    pair.ends[1].disk = MemoryDisk::new();
    pair.ends[1].inbound.clear();
    pair.open(1).unwrap();
    pair.settle();
    assert!(!pair.joined(1), "an empty store is a history that differs");
    pair.ends[1].store().recover(&sae("a")).unwrap();
    pair.join();
    let lane = pair.out(0);
    let ours = pair.ends[0].store().account(&lane).unwrap();
    let theirs = pair.ends[1].store().account(&lane).unwrap();
    assert_eq!((ours.stock, theirs.stock), (0, 0), "the tail is discarded");
    assert!(ours.lost > 0);
    pair.check_at_rest();
}

#[test]
fn attack_33_what_prints_a_pad_prints_no_key() {
    let mut pair = stocked(14);
    let lane = pair.out(0);
    let pad = pair.ends[0].store().draw(&lane, 64).unwrap();
    assert_eq!(format!("{pad:?}"), "Pad(<redacted>, 64 bits at byte 0)");
}
