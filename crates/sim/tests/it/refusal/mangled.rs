//! Transactions with bytes changed at random: what still decodes is refused without a trace, or taken whole.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tieline_contract::payload::Payload;
use tieline_contract::state::Account;
use tieline_contract::terms::OrderId;
use tieline_contract::transaction::Transaction;
use tieline_sim::symbol::{Symbolic, key};
use tieline_sim::village::{chain, deposit, key_return, metered};
use tieline_units::canonical::Canonical;
use tieline_units::{Digest, Money};

use crate::acts::{application, evidence, forge, next_epoch, nodes, register_chain};
use crate::town::{Phase, Town, money, slow, terms};

/// One of everything.
fn corpus() -> Vec<Transaction> {
    let deal = Town::new().deal(terms(|_| ()), 7, Phase::Closed);
    let order = OrderId(Digest::of(b"some order"));
    let one = forge("chain-x", (0, 5), Payload::Refund(order), &[0, 1]);
    let other = forge("chain-x", (0, 5), Payload::Void(order), &[0, 1]);
    let record = Town::new().record("mg-x");
    let (terms, nonce) = (deal.terms.clone(), 7);
    let mut all = vec![
        Transaction::Request(deal.request.clone()),
        deal.accept(),
        key_return(&deal.terms, deal.order),
        tieline_sim::village::timeout_request(&terms, nonce),
        Transaction::Timeout(deal.order),
        Transaction::Void(deal.order),
        Transaction::Default(deal.order),
        metered("chain-y", "mg-y", deal.terms.start, deal.terms.quantity),
        deposit(4, "mg-x", money(1)),
        application(record, &key("mg-x")),
        register_chain(nodes("chain-w", 0)),
        next_epoch(nodes("chain-x", 1), &[0, 1, 2]),
        Transaction::CloseEpoch(0),
        evidence(&one, &other),
        Transaction::Net {
            one: chain("chain-x"),
            other: chain("chain-y"),
        },
    ];
    all.extend(deal.said.keys().map(|&kind| deal.tell(kind)));
    all
}

/// A byte somewhere; mostly not in the long signatures, which end most transactions.
fn mangle(random: &mut ChaCha8Rng, bytes: &mut [u8]) {
    let mut below = |bound: usize| (random.next_u64() % bound as u64) as usize;
    for _ in 0..=below(2) {
        let length = bytes.len();
        let place = match below(4) {
            0 => below(length),
            _ => below(length.min(900)),
        };
        bytes[place] = match below(4) {
            0 => 0,
            1 => 0xff,
            2 => bytes[place].wrapping_add(1),
            _ => below(256) as u8,
        };
    }
}

#[test]
fn mangled_transactions_are_refused_without_a_trace_or_keep_the_books() {
    use Phase as P;
    let corpus = corpus();
    let mut random = ChaCha8Rng::seed_from_u64(31);
    let (mut judged, mut taken) = (0, 0);
    let rounds = if slow() { 5_000 } else { 150 };
    for until in [
        P::Locked,
        P::Offered,
        P::Accepted,
        P::Committed,
        P::Confirmed,
        P::Metered,
    ] {
        let mut town = Town::new();
        let deal = town.deal(terms(|_| ()), 7, until);
        for late in [
            town.now,
            deal.terms.deadline.plus_millis(1),
            deal.terms.end(),
        ] {
            town.now = town.now.max(late);
            for round in 0..rounds {
                let mut bytes = corpus[round % corpus.len()].to_bytes();
                mangle(&mut random, &mut bytes);
                let Ok(transaction) = Transaction::decode(&bytes) else {
                    continue;
                };
                for name in ["chain-x", "chain-y", "chain-z"] {
                    let checked = town
                        .on(name)
                        .check(&transaction, town.block(name), &Symbolic);
                    judged += 1;
                    if checked.is_err() {
                        town.refused(name, &transaction);
                    } else {
                        taken += 1;
                        let mut town = town.clone();
                        town.act(name, &transaction);
                        let accounts = || town.on(name).accounts();
                        assert_eq!(accounts().map(|(_, m)| m).sum::<Money>(), Money::ZERO);
                        assert!(accounts().all(|(a, m)| m > Money::ZERO || *a == Account::Outside));
                    }
                }
            }
        }
    }
    eprintln!("{judged} mangled transactions judged, {taken} taken");
    assert!(judged > 10 * rounds && taken > 0);
}
