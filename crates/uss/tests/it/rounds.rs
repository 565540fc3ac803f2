//! Whole epochs of honest parties: everybody accepts, at every level, in every family.

use proptest::prelude::*;
use tieline_uss::channel::Authenticated;
use tieline_uss::committee::Committee;
use tieline_uss::dispute::{Outcome, Vote};
use tieline_uss::epoch::Grounds;
use tieline_uss::family::{Family, Small};
use tieline_uss::key::KeyStore as _;
use tieline_uss::parameters::Epoch;
use tieline_uss::party::{Counter, Link, Party, Receiver};
use tieline_uss::rehearsal::Rehearsal;

use crate::support::{BODY, FIRST, FirstComplaint, World, complain, epoch, p, random, spoil};

pub(crate) fn families() -> [Family; 4] {
    [
        Family::Gf128,
        Family::Gf64,
        Family::Small(Small::new(5, 8).unwrap()),
        Family::Lfsr128,
    ]
}

/// Signs, orders and tests one message; everybody must accept it first hand and at every level below.
fn accepted_by_all(parties: &mut Rehearsal, counter: Counter, body: &[u8]) {
    let signed = parties.sign(counter, body).unwrap();
    let finalised = parties.order(signed).unwrap();
    let verdicts = parties.verify(&finalised).unwrap();
    let committee = finalised_committee(parties);
    assert_eq!(verdicts.len(), finalised.roster().present());
    for verdict in verdicts {
        assert!(verdict.is_accepted());
        assert_eq!(verdict.level(), Some(committee.first_hand()));
        assert_eq!(verdict.vote(), Some(Vote::Accept));
        assert_eq!(verdict.complaint_about(finalised.roster()), None);
        for transfers in 0..=committee.transfers() {
            assert_eq!(verdict.is_accepted_after(transfers), Ok(true));
        }
    }
}

fn finalised_committee(parties: &Rehearsal) -> Committee {
    parties.record.epoch().parameters().committee()
}

fn one_shot(committee: (u8, u8, u8), budgets: &[u16], family: Family) {
    let epoch = epoch(committee, family, (3, budgets), 1);
    let mut parties = Rehearsal::new(epoch, &mut random(1)).unwrap();
    accepted_by_all(&mut parties, FIRST, BODY);
}

#[test]
fn an_honest_signature_is_accepted_by_all_of_4_receivers_in_every_family() {
    for family in families() {
        one_shot((4, 1, 0), &[0, 1], family);
        one_shot((4, 1, 1), &[0, 1, 2], family);
    }
}

#[test]
fn an_honest_signature_is_accepted_by_all_of_8_receivers_in_every_family() {
    for family in families() {
        one_shot((8, 2, 1), &[0, 1, 2], family);
    }
}

#[test]
fn an_honest_signature_is_accepted_by_all_of_16_receivers_in_every_family() {
    for family in families() {
        one_shot((16, 3, 1), &[0, 1, 2], family);
    }
    one_shot((16, 4, 0), &[0, 2], Family::Gf64);
}

#[test]
fn every_message_of_a_batch_is_accepted_by_all_in_every_family() {
    for family in families() {
        let epoch = epoch((4, 1, 1), family, (3, &[0, 1, 2]), 5);
        let mut parties = Rehearsal::new(epoch, &mut random(2)).unwrap();
        accepted_by_all(&mut parties, FIRST, b"");
        // Counters need not come in order.
        for counter in [3, 1, 4, 2].map(Counter) {
            parties.refresh(counter).unwrap();
            accepted_by_all(&mut parties, counter, &[counter.0 as u8; 40]);
        }
    }
}

#[test]
fn pads_of_several_counters_can_be_handed_out_before_the_first_is_used() {
    let epoch = epoch((4, 1, 0), Family::Gf64, (3, &[0, 1]), 3);
    let mut parties = Rehearsal::new(epoch, &mut random(3)).unwrap();
    parties.refresh(Counter(1)).unwrap();
    parties.refresh(Counter(2)).unwrap();
    for counter in [2, 0, 1].map(Counter) {
        accepted_by_all(&mut parties, counter, BODY);
    }
}

#[test]
fn an_epoch_uses_exactly_the_key_that_its_parameters_announce() {
    for family in families() {
        let epoch = epoch((4, 1, 0), family, (3, &[0, 1]), 2);
        let parameters = epoch.parameters().clone();
        let mut parties = Rehearsal::new(epoch, &mut random(4)).unwrap();
        parties.refresh(Counter(1)).unwrap();
        let signer =
            parameters.shared_bits() + parameters.offer_bits() + parameters.pads_shared_bits();
        let link = Link {
            from: Party::Signer,
            to: p(2).into(),
        };
        assert_eq!(parties.stores[0].drawn_bits(link), signer, "{family}");
        assert_eq!(parties.stores[3].drawn_bits(link), signer, "{family}");
        let link = Link {
            from: p(1).into(),
            to: p(2).into(),
        };
        let between = parameters.set_key_bits() + parameters.pads_key_bits();
        assert_eq!(parties.stores[2].drawn_bits(link), between, "{family}");
        assert_eq!(parties.stores[3].drawn_bits(link), between, "{family}");
    }
}

#[test]
fn an_honest_signature_wins_its_dispute() {
    let mut world = World::new(
        epoch((4, 1, 0), Family::Gf64, (3, &[0, 1]), 1),
        &mut random(5),
    );
    let signed = world.sign();
    let finalised = world.order(signed);
    world.call(Party::Signer, FIRST, Vote::Reject);
    let mut outcome = None;
    for verdict in world
        .parties
        .verify(&finalised)
        .unwrap()
        .into_iter()
        .take(3)
    {
        let from = p(world.parties.record.dispute(FIRST).unwrap().silent()[0].index() as u8);
        outcome = world.vote(from, FIRST, verdict.vote().unwrap()).unwrap();
    }
    assert_eq!(outcome, Some(Outcome::Valid));
    let dispute = world.parties.record.dispute(FIRST).unwrap();
    assert_eq!(dispute.frivolous_caller(), Some(Party::Signer));
}

/// P2 hands out a wrong pad; the complaint of P1 takes both out, and the honest rest goes on.
#[test]
fn after_a_complaint_both_are_out_for_later_messages_and_the_others_accept_them() {
    let epoch = epoch((9, 2, 1), Family::Gf64, (3, &[0, 1, 2]), 3);
    let mut world = World::new(epoch, &mut random(6));
    let mut signed = world.sign();
    let at_1 = world.set(p(1), p(0));
    spoil(&world.epoch, &mut signed, p(1), at_1);
    let finalised = world.order(signed);
    let verdicts = world.parties.verify(&finalised).unwrap();
    assert_eq!(verdicts[0].complaint_about(finalised.roster()), Some(p(1)));
    assert!(
        verdicts[1..]
            .iter()
            .all(|verdict| verdict.complaint_about(finalised.roster()).is_none())
    );
    let effect = world.complain(p(0), p(1), Grounds::Mismatch(FIRST));
    assert_eq!(effect, tieline_uss::epoch::ComplaintEffect::BothOut);
    let roster = world.parties.record.roster().clone();
    assert_eq!((roster.present(), roster.complaints()), (7, 1));
    assert_eq!(
        roster.iter().collect::<Vec<_>>(),
        (2..9).map(p).collect::<Vec<_>>()
    );
    world.parties.refresh(Counter(1)).unwrap();
    accepted_by_all(&mut world.parties, Counter(1), BODY);
}

#[test]
fn receivers_that_are_out_hold_nobody_up_with_pads_or_receipts() {
    let epoch = epoch((9, 2, 1), Family::Gf64, (3, &[0, 1, 2]), 2);
    let mut world = World::new(epoch, &mut random(7));
    complain(
        &mut world.parties.record,
        p(3),
        p(4),
        Grounds::MissingPart(Counter(1)),
    )
    .unwrap();
    let Rehearsal {
        signer,
        verifiers,
        record,
        stores,
        ..
    } = &mut world.parties;
    let pads = tieline_uss::draw::signer_pads(&world.epoch, &mut stores[0]).unwrap();
    signer.refresh(Counter(1), pads).unwrap();
    let mut parts = Vec::new();
    for (verifier, store) in verifiers.iter_mut().zip(&mut stores[1..]) {
        let me = verifier.receiver();
        let (shared, links) = tieline_uss::draw::receiver_pads(&world.epoch, me, store).unwrap();
        parts.extend(verifier.refresh(Counter(1), shared, links).unwrap());
    }
    let is_out = |receiver: Receiver| [p(3), p(4)].contains(&receiver);
    for part in parts.iter().filter(|part| !is_out(part.from)) {
        verifiers[part.to.index()]
            .receive_pads(Counter(1), part)
            .unwrap();
    }
    assert!(!record.is_open(Counter(1)));
    for verifier in verifiers
        .iter()
        .filter(|verifier| !is_out(verifier.receiver()))
    {
        let receipt = verifier.receipt(Counter(1), record.roster()).unwrap();
        let from = verifier.receiver().into();
        record
            .receipt(&Authenticated::by_ledger(from, receipt))
            .unwrap();
    }
    assert!(record.is_open(Counter(1)));
    accepted_by_all(&mut world.parties, Counter(1), BODY);
}

#[test]
fn a_message_counts_for_its_own_body_counter_epoch_signer_and_chains_alone() {
    let make = |id: u64, signer: &str, chains: &[&str]| {
        let parameters = epoch((4, 1, 0), Family::Gf64, (3, &[0, 1]), 2)
            .parameters()
            .clone();
        Epoch::new(tieline_uss::party::EpochId(id), signer, chains, parameters).unwrap()
    };
    let mut messages = vec![
        make(7, "s", &["x", "y"]).message(FIRST, BODY),
        make(7, "s", &["x", "y"]).message(FIRST, b"40 kWh at 0.28"),
        make(7, "s", &["x", "y"]).message(FIRST, b"40 kWh at 0.27\0"),
        make(7, "s", &["x", "y"]).message(Counter(1), BODY),
        make(8, "s", &["x", "y"]).message(FIRST, BODY),
        make(7, "t", &["x", "y"]).message(FIRST, BODY),
        make(7, "s", &["y", "x"]).message(FIRST, BODY),
        make(7, "s", &["xy"]).message(FIRST, BODY),
        make(7, "s", &["x"]).message(FIRST, BODY),
    ];
    let all = messages.len();
    messages.sort();
    messages.dedup();
    assert_eq!(messages.len(), all);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any live committee, any k and budgets, any family but the slow one, any body that fits.
    #[test]
    fn any_honest_run_is_accepted_by_all(
        (receivers, dishonest, transfers) in (2_u8..10, 1_u8..3, 0_u8..3)
            .prop_filter("a live committee", |(n, w, l)| {
                Committee::new(*n, *w, *l).is_ok_and(|committee| committee.is_live())
            }),
        above in 1_u16..6,
        family in 0_usize..3,
        body in prop::collection::vec(any::<u8>(), 0..60),
        seed in any::<u64>(),
    ) {
        let budgets: Vec<u16> = (0..u16::from(transfers) + 2).collect();
        let functions = budgets.len() as u16 - 1 + above;
        let epoch = epoch((receivers, dishonest, transfers), families()[family], (functions, &budgets), 2);
        let mut parties = Rehearsal::new(epoch, &mut random(seed)).unwrap();
        accepted_by_all(&mut parties, FIRST, &body);
        parties.refresh(Counter(1)).unwrap();
        accepted_by_all(&mut parties, Counter(1), &body);
    }

    /// One changed bit of a body or a tag is noticed by those who test it, and a changed body by everybody.
    #[test]
    fn any_changed_bit_of_the_body_is_rejected_by_all(bit in 0..BODY.len() * 8, seed in any::<u64>()) {
        let mut world = World::new(epoch((4, 1, 0), Family::Gf64, (3, &[0, 1]), 1), &mut random(seed));
        let mut signed = world.sign();
        signed.body[bit / 8] ^= 1 << (bit % 8);
        let finalised = world.order(signed);
        for verdict in world.parties.verify(&finalised).unwrap() {
            prop_assert!(!verdict.is_accepted());
            prop_assert_eq!(verdict.vote(), Some(Vote::Reject));
        }
    }
}

#[test]
fn a_counter_is_spent_once_per_epoch() {
    let mut parties = Rehearsal::new(
        epoch((4, 1, 0), Family::Gf64, (3, &[0, 1]), 1),
        &mut random(8),
    )
    .unwrap();
    let id = parties.signer.epoch().id();
    let first = parties.stores[0].spend(id, FIRST).unwrap();
    assert_eq!((first.epoch(), first.counter()), (id, FIRST));
    assert!(parties.stores[0].spend(id, FIRST).is_err());
    let other = tieline_uss::party::EpochId(8);
    assert!(parties.stores[0].spend(other, FIRST).is_ok());
}
