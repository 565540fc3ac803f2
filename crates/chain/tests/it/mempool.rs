//! Waiting transactions.

use std::collections::BTreeSet;
use std::sync::Arc;

use tieline_chain::Ledger;
use tieline_chain::block::transaction_hash;
use tieline_chain::mempool::{AddError, Limits, Mempool, Sender, Stand};
use tieline_contract::guard::Guard;
use tieline_contract::state::{Block as Now, State, Tariff};
use tieline_contract::transaction::{Act, Transaction};
use tieline_seal::hybrid::{Domain, PublicKey, Signature, Verify};
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::{START, Village, certificates, deposit, member, request, signed};
use tieline_units::canonical::Canonical as _;
use tieline_units::{Digest, Money, Price, Time};

use crate::bazaar::Bazaar;
use crate::world::{block, ledger};

const NOON: Time = Time::from_millis(800_000_000);

fn stand(state: &State, time: Time) -> Stand<'_> {
    Stand {
        state,
        next: Now {
            height: state.block().height + 1,
            time,
        },
        verify: &Symbolic,
    }
}

/// Grid prices: the operator may send any number of them.
fn tariff(number: u64) -> Transaction {
    let act = Act::Tariff {
        start: START.plus_millis(number * 900_000),
        tariff: Tariff {
            import: Price::from_millionths(300_000),
            export: Price::from_millionths(50_000),
        },
    };
    Transaction::Signed(signed("chain-z", "vpp", act))
}

/// An application of a member under another legal name.
fn application(who: usize, number: u64) -> Transaction {
    let mut record = Village::default().members().remove(who);
    record.legal_name = format!("name {number}");
    let name = record.id.to_string();
    Transaction::Signed(signed("chain-z", &name, Act::Register(Arc::new(record))))
}

fn z() -> Ledger {
    ledger(&Village::default(), "chain-z")
}

fn small() -> Limits {
    Limits {
        count_max: 10,
        sender_max: 4,
        anyone_max: 3,
        ..Limits::default()
    }
}

#[test]
fn a_transaction_waits_until_it_is_in_a_final_block() {
    let mut z = z();
    let mut pool = Mempool::new(small());
    let (one, other) = (deposit(0, "vpp", Money::from_millionths(5)), tariff(0));
    for transaction in [&one, &other] {
        let name = pool
            .add(transaction.clone(), stand(z.state(), NOON))
            .unwrap();
        assert_eq!(name, transaction_hash(transaction));
    }
    let again = pool.add(one.clone(), stand(z.state(), NOON)).unwrap_err();
    assert_eq!(
        again,
        AddError::Known {
            waiting: transaction_hash(&one)
        }
    );
    let none = BTreeSet::new();
    let selected = pool.select(usize::MAX, &none);
    assert_eq!(selected, [one.clone(), other.clone()]);
    // While a block with the first is not final, the next block does not repeat it.
    let ancestors = BTreeSet::from([transaction_hash(&one)]);
    assert_eq!(
        pool.select(usize::MAX, &ancestors),
        std::slice::from_ref(&other)
    );
    assert_eq!(pool.len(), 2);
    let next = block(&z, NOON, vec![one.clone()]);
    z.execute(&next, &Symbolic).unwrap();
    let dropped = pool.settle(&ancestors, stand(z.state(), NOON));
    assert!(dropped.is_empty());
    assert_eq!(pool.select(usize::MAX, &none), [other]);
    let late = pool.add(one, stand(z.state(), NOON)).unwrap_err();
    assert!(matches!(late, AddError::Refused(refusal) if refusal.guard == Guard::Sequence));
}

#[test]
fn what_became_wrong_or_waited_too_long_is_dropped_and_named() {
    let mut z = z();
    let mut pool = Mempool::new(small());
    let money = Money::from_millionths(5);
    let (mine, theirs) = (deposit(0, "vpp", money), deposit(0, "vpp", money + money));
    let wrong = pool.add(mine, stand(z.state(), NOON)).unwrap();
    let old = pool.add(tariff(0), stand(z.state(), NOON)).unwrap();
    let next = block(&z, NOON, vec![theirs]);
    z.execute(&next, &Symbolic).unwrap();
    let dropped = pool.settle(&BTreeSet::new(), stand(z.state(), NOON));
    assert_eq!(dropped, [wrong]);
    let wait = small().wait_max_ms;
    let in_time = pool.settle(&BTreeSet::new(), stand(z.state(), NOON.plus_millis(wait)));
    assert!(in_time.is_empty());
    let late = pool.settle(
        &BTreeSet::new(),
        stand(z.state(), NOON.plus_millis(wait + 1)),
    );
    assert_eq!(late, [old]);
    assert!(pool.is_empty());
    assert_eq!(pool.bytes(), 0);
}

#[test]
fn one_sender_cannot_take_the_places_of_others() {
    let z = z();
    let mut pool = Mempool::new(small());
    for number in 0..4 {
        pool.add(tariff(number), stand(z.state(), NOON)).unwrap();
    }
    let error = pool.add(tariff(4), stand(z.state(), NOON)).unwrap_err();
    let AddError::Quota { sender, count, max } = error else {
        panic!("{error}");
    };
    assert_eq!((sender, count, max), (Sender::Member(member("vpp")), 4, 4));
    let mut theirs = Vec::new();
    for who in 0..3 {
        for number in 0..2 {
            let application = application(who, number);
            theirs.push(application.clone());
            pool.add(application, stand(z.state(), NOON)).unwrap();
        }
    }
    let error = pool
        .add(application(3, 0), stand(z.state(), NOON))
        .unwrap_err();
    assert!(matches!(error, AddError::Full { count: 10, .. }), "{error}");
    // Everybody's first, then everybody's second.
    let order = pool.select(usize::MAX, &BTreeSet::new());
    let expected = [
        &tariff(0),
        &theirs[0],
        &theirs[2],
        &theirs[4],
        &tariff(1),
        &theirs[1],
        &theirs[3],
        &theirs[5],
        &tariff(2),
        &tariff(3),
    ];
    assert!(order.iter().eq(expected));
    let bytes = |transaction: &Transaction| transaction.to_bytes().len();
    let first: usize = expected[..3]
        .iter()
        .map(|transaction| bytes(transaction))
        .sum();
    assert_eq!(pool.select(first, &BTreeSet::new()).len(), 3);
    // What does not fit leaves its place to what does.
    let fewer = pool.select(first - 1, &BTreeSet::new());
    assert!(!fewer.contains(expected[2]) && fewer.contains(expected[3]));
    assert_eq!(pool.bytes(), order.iter().map(bytes).sum::<usize>());
}

/// Fails the test when it is asked.
struct Never;

impl Verify for Never {
    fn verify(&self, _: &PublicKey, _: &Domain, _: &[u8], _: &Signature) -> bool {
        panic!("a signature was checked before cheaper questions")
    }
}

#[test]
fn signatures_are_the_last_question() {
    let z = z();
    let mut pool = Mempool::new(Limits {
        transaction_bytes_max: 100_000,
        ..small()
    });
    for number in 0..4 {
        pool.add(tariff(number), stand(z.state(), NOON)).unwrap();
    }
    let mut record = Village::default().members().remove(0);
    record.legal_name = "x".repeat(100_000);
    let large = Transaction::Signed(signed("chain-z", "mg-x", Act::Register(Arc::new(record))));
    let never = Stand {
        verify: &Never,
        ..stand(z.state(), NOON)
    };
    for transaction in [tariff(0), tariff(5), large] {
        assert!(pool.add(transaction, never).is_err());
    }
    // And somebody who signs for another fills nobody's quota.
    let Transaction::Signed(mut forged) = application(0, 0) else {
        panic!("an application is signed");
    };
    let other = application(1, 0);
    let Transaction::Signed(other) = &other else {
        panic!("an application is signed");
    };
    Arc::make_mut(&mut forged).signature = other.signature.clone();
    let refused = pool.add(Transaction::Signed(forged), stand(z.state(), NOON));
    assert!(matches!(refused, Err(AddError::Refused(_))));
    assert_eq!(pool.len(), 4);
}

#[test]
fn of_one_certificate_only_one_set_of_signatures_waits() {
    let village = Village::default();
    let (mut z, x) = (z(), ledger(&village, "chain-x"));
    let money = Money::from_millionths(5);
    let deposits = (0..6)
        .map(|number| deposit(number, "mg-x", money))
        .collect();
    let next = block(&z, NOON, deposits);
    z.execute(&next, &Symbolic).unwrap();
    let mut pool = Mempool::new(small());
    let with = |seats: &[u8]| certificates(z.state(), 1, 0, seats);
    let first = Transaction::Certificate(with(&[0, 1])[0].clone());
    let waiting = pool.add(first, stand(x.state(), NOON)).unwrap();
    for seats in [&[0, 2][..], &[1, 2, 3], &[0, 1, 2, 3]] {
        let same = Transaction::Certificate(with(seats)[0].clone());
        let error = pool.add(same, stand(x.state(), NOON)).unwrap_err();
        assert_eq!(error, AddError::Known { waiting });
    }
    for certificate in &with(&[0, 1])[1..3] {
        let other = Transaction::Certificate(certificate.clone());
        pool.add(other, stand(x.state(), NOON)).unwrap();
    }
    let one_more = Transaction::Certificate(with(&[0, 1])[3].clone());
    let error = pool.add(one_more, stand(x.state(), NOON)).unwrap_err();
    assert!(
        matches!(
            error,
            AddError::Quota {
                sender: Sender::Anyone,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(Sender::Anyone.to_string(), "anyone");
    let signed = Transaction::Request(request(village.terms(), 1));
    assert_eq!(Sender::of(&signed).to_string(), "mg-x");
}

#[test]
fn two_pools_with_the_same_calls_hold_the_same_and_stay_within_bounds() {
    for seed in 0..6 {
        let mut bazaar = Bazaar::new(seed);
        let fresh = || {
            Mempool::new(Limits {
                bytes_max: 60_000,
                ..small()
            })
        };
        let mut pools = [fresh(), fresh()];
        for _ in 0..150 {
            let (on, executed) = bazaar.step();
            if on != 0 {
                continue;
            }
            let (blocks, now) = (&bazaar.blocks[0], bazaar.ledgers[0].tip().time);
            let done: BTreeSet<Digest> = executed.receipts.iter().map(|r| r.transaction).collect();
            let state = bazaar.ledgers[0].state();
            let recent = bazaar.certificates.iter().rev().take(20).cloned();
            let offered = recent.map(Transaction::Certificate);
            let old = blocks
                .last()
                .into_iter()
                .flat_map(|b| b.body.transactions.clone());
            let offered: Vec<_> = offered.chain(old).collect();
            let results = pools.each_mut().map(|pool| {
                let dropped = pool.settle(&done, stand(state, now));
                let added: Vec<_> = offered
                    .iter()
                    .map(|t| pool.add(t.clone(), stand(state, now)))
                    .collect();
                (dropped, added)
            });
            assert_eq!(results[0], results[1]);
            let [one, other] = &pools;
            let selected = one.select(40_000, &done);
            assert_eq!(selected, other.select(40_000, &done));
            assert!(one.len() <= 10 && one.bytes() <= 60_000);
            let sum: usize = selected.iter().map(|t| t.to_bytes().len()).sum();
            assert!(sum <= 40_000);
            for transaction in selected {
                let name = transaction_hash(&transaction);
                assert!(!done.contains(&name) && one.contains(name));
            }
        }
    }
}
