//! Attack 30, second part: committees change while orders are open.

use tieline_contract::certificate::CertificateError;
use tieline_contract::guard::{Fact, Guard};
use tieline_contract::payload::Kind;
use tieline_contract::state::Account;
use tieline_contract::trade::SellerState;
use tieline_contract::transaction::Transaction;
use tieline_sim::village::{certificates, chain, request, seat_key};
use tieline_units::Money;

use crate::acts::{next_epoch, nodes};
use crate::town::{Deal, Phase, Town, money, terms};

/// X's next epoch, known to Y and Z, their acknowledgements known to X.
fn rotate(town: &mut Town) {
    town.fund("vpp", money(20_000_000));
    let opened = town.act("chain-x", &next_epoch(nodes("chain-x", 1), &[0, 1, 3]));
    town.tell("chain-x", &opened);
    for name in ["chain-y", "chain-z"] {
        let acknowledged = town.tell(name, &opened);
        town.tell("chain-x", &acknowledged);
    }
}

/// The same entry of X, attested by another epoch.
fn again(town: &Town, deal: &Deal, kind: Kind, epoch: u64) -> Transaction {
    let height = deal.said[&kind].height;
    let said = certificates(town.on("chain-x"), height, epoch, &[0, 1, 2, 3]);
    Transaction::Certificate(said.into_iter().find(|c| c.payload.kind() == kind).unwrap())
}

#[test]
fn attack_30_an_old_epoch_finishes_its_orders_and_closes_only_then() {
    let mut town = Town::new();
    let mut deal = town.deal(terms(|_| ()), 7, Phase::Accepted);
    rotate(&mut town);
    let close = Transaction::CloseEpoch(0);
    let open = (Guard::Undecided, Fact::Name("1 orders".to_owned()));
    assert_eq!(town.refused("chain-x", &close), open);
    town.bring(&mut deal, Some(Phase::Accepted), Phase::Committed);
    // COM was said; the old epoch may go, and the new one attests what it left behind.
    let closed = town.act("chain-x", &close);
    let closed = certificates(town.on("chain-x"), closed[0].height, 1, &[0, 1, 2]);
    town.tell("chain-y", &closed);
    let (old, new) = (
        deal.tell(Kind::Commit),
        again(&town, &deal, Kind::Commit, 1),
    );
    let error = CertificateError::Closed {
        chain: chain("chain-x"),
        epoch: 0,
    };
    let refused = (Guard::Certified, Fact::Certificate(Box::new(error)));
    assert_eq!(town.refused("chain-y", &old), refused);
    town.act("chain-y", &new);
    assert_eq!(town.sold(&deal), Some(SellerState::Confirmed));
}

#[test]
fn attack_30_an_epoch_closes_only_when_z_and_every_partner_know_the_next() {
    let mut town = Town::new();
    town.fund("vpp", money(20_000_000));
    town.deal(terms(|_| ()), 7, Phase::Confirmed);
    let opened = town.act("chain-x", &next_epoch(nodes("chain-x", 1), &[0, 1, 3]));
    for (name, missing) in [("chain-z", "chain-y"), ("chain-y", "")] {
        let waiting = town.refused("chain-x", &Transaction::CloseEpoch(0));
        assert_eq!(waiting.0, Guard::Acknowledged);
        let acknowledged = town.tell(name, &opened);
        town.tell("chain-x", &acknowledged);
        if !missing.is_empty() {
            let waiting = town.refused("chain-x", &Transaction::CloseEpoch(0));
            assert_eq!(
                waiting,
                (Guard::Acknowledged, Fact::Name(missing.to_owned()))
            );
        }
    }
    let lost = (Guard::Acknowledged, Fact::Name("chain-x".to_owned()));
    assert_eq!(town.refused("chain-x", &Transaction::CloseEpoch(0)), lost);
    town.tell("chain-x", &opened);
    town.act("chain-x", &Transaction::CloseEpoch(0));
    assert_eq!(
        town.guard("chain-x", &Transaction::CloseEpoch(0)),
        Guard::Once
    );
    assert_eq!(
        town.guard("chain-x", &Transaction::CloseEpoch(1)),
        Guard::Once
    );
    assert_eq!(
        town.guard("chain-x", &Transaction::CloseEpoch(u64::MAX)),
        Guard::Once
    );
}

#[test]
fn attack_30_new_orders_under_a_new_epoch_go_on_while_old_ones_end() {
    let mut town = Town::new();
    let mut old = town.deal(terms(|_| ()), 7, Phase::Locked);
    rotate(&mut town);
    let mut new = Deal::new(terms(|_| ()), 8);
    let ask = Transaction::Request(new.request.clone());
    town.act_for("chain-x", &ask, &mut new);
    let offer = again(&town, &new, Kind::Request, 1);
    town.act("chain-y", &offer);
    town.bring(&mut old, Some(Phase::Locked), Phase::Confirmed);
    assert_eq!(town.sold(&old), Some(SellerState::Confirmed));
    assert_eq!(town.sold(&new), Some(SellerState::Offered));
    let epochs = [old.order, new.order].map(|o| town.on("chain-x").purchase(o).unwrap().epoch);
    assert_eq!(epochs, [0, 1]);
}

/// Only the epoch before may name the next; only a later one may say that one is over.
#[test]
fn attack_30_epochs_follow_each_other_one_by_one() {
    let mut town = Town::new();
    town.fund("vpp", money(20_000_000));
    let skip = next_epoch(nodes("chain-x", 2), &[0, 1, 2]);
    assert_eq!(town.guard("chain-x", &skip), Guard::Sequence);
    let opened = town.act("chain-x", &next_epoch(nodes("chain-x", 1), &[0, 1, 2]));
    let own = certificates(town.on("chain-x"), opened[0].height, 1, &[0, 1, 2]);
    let own = Transaction::Certificate(own[0].clone());
    assert_eq!(town.guard("chain-y", &own), Guard::Approved);
    town.tell("chain-y", &opened);
    let twice = Transaction::Certificate(opened[0].clone());
    assert_eq!(town.guard("chain-y", &twice), Guard::Sequence);
}

fn stake(town: &Town, name: &str, epoch: u64) -> Money {
    let of = |seat| {
        let account = Account::Stake(seat_key(name, epoch, seat).id());
        town.on("chain-z").balance(&account)
    };
    (0..4).map(of).sum()
}

#[test]
fn attack_30_stakes_stay_while_an_epoch_attests_and_come_back_when_it_is_closed() {
    let mut town = Town::new();
    rotate(&mut town);
    assert_eq!(town.has("chain-z", "vpp"), 16_000_000);
    assert_eq!(stake(&town, "chain-x", 1), money(4_000_000));
    let opened = certificates_of_next(&mut town, 2);
    town.act("chain-z", &opened);
    town.act("chain-x", &Transaction::CloseEpoch(0));
    let height = town.on("chain-x").block().height;
    let closed = certificates(town.on("chain-x"), height, 1, &[0, 1, 2]);
    town.tell("chain-z", &closed);
    assert_eq!(town.has("chain-z", "vpp"), 12_000_000);
    assert_eq!(stake(&town, "chain-x", 1), money(4_000_000));
}

/// ROT with the epoch after the last, by the one before it.
fn certificates_of_next(town: &mut Town, epoch: u64) -> Transaction {
    town.act("chain-x", &next_epoch(nodes("chain-x", epoch), &[0, 1, 2]));
    let height = town.on("chain-x").block().height;
    let said = certificates(town.on("chain-x"), height, epoch - 1, &[0, 1, 2]);
    Transaction::Certificate(said[0].clone())
}

#[test]
fn attack_30_members_that_stay_keep_their_stake_over_the_end_of_their_first_epoch() {
    let mut town = Town::new();
    rotate(&mut town);
    let mut same = nodes("chain-x", 1);
    same.epoch = 2;
    let message = next_epoch(same, &[0, 1, 2]);
    town.act("chain-x", &message);
    let height = town.on("chain-x").block().height;
    let opened = certificates(town.on("chain-x"), height, 1, &[0, 1, 2]);
    town.tell("chain-x", &opened);
    let acknowledged = town.tell("chain-z", &opened);
    town.tell("chain-x", &acknowledged);
    assert_eq!(stake(&town, "chain-x", 1), money(8_000_000));
    town.act("chain-x", &Transaction::CloseEpoch(1));
    let height = town.on("chain-x").block().height;
    // The third epoch has the keys of the second, and signs as the third.
    let statement =
        town.on("chain-x")
            .statement(height, 2, tieline_units::Digest::of(b"state root"));
    let domain = statement.domain(tieline_seal::hybrid::Purpose::Attestation);
    let sign = |seat: u8| {
        let key = seat_key("chain-x", 1, seat.into());
        (
            seat,
            tieline_sim::symbol::sign(&key, &domain, &statement.message()),
        )
    };
    let signatures = [0, 1, 2].map(sign).into_iter().collect();
    let closed = town.on("chain-x").certificates(&statement, &signatures);
    town.act(
        "chain-z",
        &Transaction::Certificate(std::sync::Arc::new(closed[0].clone())),
    );
    assert!(
        stake(&town, "chain-x", 1) >= money(4_000_000),
        "they attest without a stake"
    );
}

#[test]
fn attack_30_z_gives_the_stakes_of_its_own_closed_epochs_back_too() {
    let mut town = Town::new();
    town.fund("vpp", money(20_000_000));
    for epoch in [1, 2] {
        town.act("chain-z", &next_epoch(nodes("chain-z", epoch), &[0, 1, 2]));
        let height = town.on("chain-z").block().height;
        let opened = certificates(town.on("chain-z"), height, epoch - 1, &[0, 1, 2]);
        town.tell("chain-z", &opened);
    }
    assert_eq!(town.has("chain-z", "vpp"), 12_000_000);
    town.act("chain-z", &Transaction::CloseEpoch(0));
    town.act("chain-z", &Transaction::CloseEpoch(1));
    assert_eq!(stake(&town, "chain-z", 1), Money::ZERO);
    assert_eq!(town.has("chain-z", "vpp"), 16_000_000);
}

#[test]
fn attack_30_a_frozen_epoch_takes_no_new_orders_and_finishes_old_ones_and_the_next_is_free() {
    let mut town = Town::new();
    let mut open = town.deal(terms(|_| ()), 7, Phase::Offered);
    let waiting = town.deal(terms(|_| ()), 8, Phase::Locked);
    town.freeze("chain-x", &["chain-x", "chain-y"]);
    let ask = Transaction::Request(request(terms(|_| ()), 9));
    assert_eq!(town.guard("chain-x", &ask), Guard::Thawed);
    assert_eq!(
        town.guard("chain-y", &waiting.tell(Kind::Request)),
        Guard::Thawed
    );
    town.bring(&mut open, Some(Phase::Offered), Phase::Confirmed);
    rotate(&mut town);
    town.act("chain-x", &ask);
    let offer = again(&town, &waiting, Kind::Request, 1);
    town.act("chain-y", &offer);
    town.bring(&mut open, Some(Phase::Known), Phase::Metered);
}

/// Nobody took note of Z's hand-over in time; with what Z kept, whoever missed it follows.
#[test]
fn attack_30_a_chain_that_missed_a_hand_over_follows_after_the_old_keys_are_erased() {
    let mut town = Town::new();
    town.fund("vpp", money(20_000_000));
    let opened = town.act("chain-z", &next_epoch(nodes("chain-z", 1), &[0, 1, 2]));
    let close = Transaction::CloseEpoch(0);
    assert_eq!(town.guard("chain-z", &close), Guard::Acknowledged);
    // The next epoch attests the hand-over too; that helps nobody who does not know it yet.
    let height = opened[0].height;
    let by_next = certificates(town.on("chain-z"), height, 1, &[0, 1, 2]);
    town.tell("chain-z", &by_next);
    assert_eq!(town.guard("chain-z", &close), Guard::Acknowledged);
    town.tell("chain-z", &opened);
    assert_eq!(
        town.guard("chain-z", &Transaction::Certificate(opened[0].clone())),
        Guard::Once
    );
    let closed = town.act("chain-z", &close);
    let closed = certificates(town.on("chain-z"), closed[0].height, 1, &[0, 1, 2]);
    let ended = Transaction::Certificate(closed[0].clone());
    assert_eq!(town.guard("chain-x", &ended), Guard::Certified);
    let kept: Vec<_> = town.on("chain-z").kept().cloned().collect();
    let kept: Vec<_> = kept
        .into_iter()
        .filter(|certificate| certificate.payload.kind() == Kind::Rotate)
        .collect();
    town.tell("chain-x", &kept);
    town.act("chain-x", &ended);
    assert!(town.on("chain-x").is_closed(&chain("chain-z"), 0));
}
