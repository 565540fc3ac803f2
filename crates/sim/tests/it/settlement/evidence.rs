//! T15: who signed both is slashed, once; the epoch takes no new orders, open ones end as they would have.

use std::collections::BTreeMap;
use std::sync::Arc;

use tieline_contract::guard::Guard;
use tieline_contract::payload::Payload;
use tieline_contract::state::Account;
use tieline_contract::terms::OrderId;
use tieline_contract::transaction::{Contradiction, Evidence, Transaction};
use tieline_seal::hybrid::Purpose;
use tieline_sim::symbol::sign;
use tieline_sim::village::{chain, request, seat_key};
use tieline_units::Digest;

use crate::acts::{evidence, forge, nodes, register_chain};
use crate::town::{Phase, Town, money, terms};

fn order(name: &str) -> OrderId {
    OrderId(Digest::of(name.as_bytes()))
}

/// A town with a fourth chain whose members have stakes.
fn staked() -> Town {
    let mut town = Town::new();
    town.fund("vpp", money(10_000_000));
    let said = town.act("chain-z", &register_chain(nodes("chain-w", 0)));
    town.tell("chain-x", &said);
    town
}

fn stakes(town: &Town) -> [i64; 4] {
    let of = |seat| Account::Stake(seat_key("chain-w", 0, seat).id());
    [0, 1, 2, 3].map(|seat| town.on("chain-z").balance(&of(seat)).as_millionths())
}

#[test]
fn evidence_slashes_exactly_who_signed_both_and_once() {
    let mut town = staked();
    let one = forge("chain-w", (0, 5), Payload::Refund(order("a")), &[0, 1, 2]);
    let other = forge("chain-w", (0, 5), Payload::Void(order("a")), &[1, 2, 3]);
    let frozen = town.act("chain-z", &evidence(&one, &other));
    assert_eq!(stakes(&town), [1_000_000, 0, 0, 1_000_000]);
    assert_eq!(
        town.on("chain-z").balance(&Account::Forfeited),
        money(2_000_000)
    );
    assert!(town.on("chain-z").is_frozen(&chain("chain-w"), 0));
    for (a, b) in [(&one, &other), (&other, &one)] {
        assert_eq!(town.guard("chain-z", &evidence(a, b)), Guard::Unpunished);
    }
    town.tell("chain-x", &frozen);
    assert!(town.on("chain-x").is_frozen(&chain("chain-w"), 0));
    // More of the same subject reaches who was not known before, and does not freeze again.
    let third = forge("chain-w", (0, 5), Payload::Reject(order("a")), &[0]);
    assert!(town.act("chain-z", &evidence(&one, &third)).is_empty());
    assert_eq!(stakes(&town), [0, 0, 0, 1_000_000]);
}

#[test]
fn one_attestation_each_is_enough_and_nobody_else_pays_for_it() {
    let mut town = staked();
    let one = forge("chain-w", (0, 5), Payload::Refund(order("a")), &[2]);
    let other = forge("chain-w", (0, 6), Payload::Refund(order("b")), &[2]);
    assert_eq!(
        town.guard("chain-z", &evidence(&one, &other)),
        Guard::Contradiction
    );
    let other = forge("chain-w", (0, 5), Payload::Refund(order("b")), &[2, 3]);
    town.act("chain-z", &evidence(&one, &other));
    assert_eq!(stakes(&town), [1_000_000, 1_000_000, 0, 1_000_000]);
}

#[test]
fn what_contradicts_nothing_or_is_not_signed_is_no_evidence() {
    let mut town = staked();
    let one = forge("chain-w", (0, 5), Payload::Refund(order("a")), &[0, 1]);
    let refused = [
        // Said again in another block, by others, by another chain.
        forge("chain-w", (0, 6), Payload::Refund(order("a")), &[0, 1]),
        forge("chain-w", (0, 5), Payload::Refund(order("a")), &[2, 3]),
        forge("chain-x", (0, 5), Payload::Void(order("a")), &[0, 1]),
        // A contradiction of others, each below the threshold: who lied is not known.
        forge("chain-w", (0, 5), Payload::Void(order("a")), &[3]),
        // Nobody's.
        forge("chain-w", (0, 5), Payload::Void(order("a")), &[]),
        forge("chain-w", (7, 5), Payload::Void(order("a")), &[0, 1]),
    ];
    for other in refused {
        assert_eq!(
            town.guard("chain-z", &evidence(&one, &other)),
            Guard::Contradiction
        );
    }
    let mut unsigned = (*forge("chain-w", (0, 5), Payload::Void(order("a")), &[0])).clone();
    let own = unsigned.attestations[&0].clone();
    unsigned.attestations.insert(1, own);
    let unsigned = Arc::new(unsigned);
    assert_eq!(
        town.guard("chain-z", &evidence(&one, &unsigned)),
        Guard::Contradiction
    );
    assert_eq!(stakes(&town), [1_000_000; 4]);
}

#[test]
fn two_whole_certificates_freeze_the_epoch_even_where_nobody_signed_both() {
    let mut town = staked();
    let one = forge("chain-w", (0, 5), Payload::Refund(order("a")), &[0, 1]);
    let other = forge("chain-w", (0, 5), Payload::Reject(order("a")), &[2, 3]);
    assert_eq!(town.act("chain-z", &evidence(&one, &other)).len(), 1);
    assert_eq!(stakes(&town), [1_000_000; 4]);
    assert_eq!(
        town.guard("chain-z", &evidence(&one, &other)),
        Guard::Unpunished
    );
}

#[test]
fn a_certificate_against_the_finalised_header_convicts_its_signers() {
    let mut town = staked();
    let one = forge("chain-w", (0, 5), Payload::Refund(order("a")), &[1, 3]);
    let mut statement = one.statement().unwrap();
    statement.outbox_root = Digest::of(b"what the chain has");
    let with = |seats: &[u8]| {
        let (domain, message) = (statement.domain(Purpose::Finality), statement.message());
        let sign = |&seat: &u8| {
            let key = seat_key("chain-w", 0, seat.into());
            (seat, sign(&key, &domain, &message))
        };
        let signatures: BTreeMap<_, _> = seats.iter().map(sign).collect();
        Transaction::Evidence(Arc::new(Evidence {
            one: one.clone(),
            other: Contradiction::Final {
                statement: statement.clone(),
                signatures,
            },
        }))
    };
    assert_eq!(town.guard("chain-z", &with(&[0, 2])), Guard::Contradiction);
    assert_eq!(
        town.guard("chain-z", &with(&[0, 2, 4])),
        Guard::Contradiction
    );
    town.act("chain-z", &with(&[0, 1, 2]));
    assert_eq!(stakes(&town), [1_000_000, 0, 1_000_000, 0]);
}

#[test]
fn a_frozen_epoch_takes_no_new_order_and_every_open_one_ends_as_it_would_have() {
    use Phase as P;
    for until in [P::Offered, P::Accepted, P::Committed, P::Confirmed] {
        let mut town = Town::new();
        let mut deal = town.deal(terms(|_| ()), 7, until);
        town.freeze("chain-y", &["chain-x", "chain-y"]);
        let ask = Transaction::Request(request(terms(|_| ()), 8));
        assert_eq!(town.guard("chain-x", &ask), Guard::Thawed);
        town.bring(&mut deal, Some(until), Phase::Closed);
        let settled = town.on("chain-x").purchase(deal.order).unwrap().settled;
        assert_eq!(settled, Some(deal.terms.quantity));
    }
}
