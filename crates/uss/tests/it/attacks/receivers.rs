//! 12, 13: receivers that break the rules, alone and together.

use tieline_uss::bits::{BitReader, BitWriter};
use tieline_uss::committee::Level;
use tieline_uss::dispute::{Outcome, Vote};
use tieline_uss::distribute::DistributeError;
use tieline_uss::epoch::{ComplaintEffect, Grounds};
use tieline_uss::family::Family;
use tieline_uss::parameters::Epoch;
use tieline_uss::party::{Counter, Party};

use crate::support::{BODY, Draft, FIRST, FirstComplaint, between, epoch, open_part, p, random};

/// n = 9, t = 1, one transfer; k = 3 of 27 functions, so that 5 bits of an index have room for impossible ones.
fn nine() -> Epoch {
    epoch((9, 2, 1), Family::Gf64, (3, &[0, 1, 2]), 2)
}

/// P2 sends P1 a part whose indices `change` makes, sealed as it should be.
fn with_indices(
    change: impl FnOnce(&mut Vec<u128>),
) -> (Draft, Vec<(tieline_uss::party::Receiver, DistributeError)>) {
    let mut draft = Draft::new(nine(), &mut random(1));
    let (epoch, link) = (draft.epoch.clone(), between(p(1), p(0)));
    let raw = draft.raw[&link].clone();
    let plain = open_part(&epoch, &raw, link, draft.part(p(1), p(0)));
    let parameters = epoch.parameters();
    let mut reader = BitReader::new(&plain);
    let width = parameters.index_bits();
    let mut indices = (0..3).map(|_| reader.read(width).unwrap()).collect();
    change(&mut indices);
    let mut writer = BitWriter::with_capacity(parameters.set_bits());
    indices.iter().for_each(|index| writer.write(*index, width));
    while writer.bits() < parameters.set_bits() {
        writer.write(reader.read(1).unwrap(), 1);
    }
    draft.reseal(p(1), p(0), &writer.into_bytes());
    let refused = draft.deliver();
    (draft, refused)
}

/// 12: duplicates, out of range, unsorted [refused at once by the one that got it, with the sender as culprit; the others
/// know nothing of it; the complaint takes both out and the epoch goes on].
#[test]
fn attack_12_sets_with_repeated_unsorted_or_impossible_indices_are_refused() {
    let changes: [fn(&mut Vec<u128>); 4] = [
        |indices| indices[1] = indices[0],
        |indices| indices.swap(0, 2),
        |indices| indices[2] = 27,
        |indices| indices[2] = 31,
    ];
    for change in changes {
        let (draft, refused) = with_indices(change);
        let from = p(1);
        assert_eq!(refused, [(p(0), DistributeError::BadPart { from })]);
        assert_eq!(refused[0].1.culprit(), Some(Party::Receiver(from)));
        let mut world = draft.finish();
        assert!(!world.parties.record.is_open(FIRST));
        let effect = world.complain(p(0), from, Grounds::MissingPart(FIRST));
        assert_eq!(effect, ComplaintEffect::BothOut);
        assert!(world.parties.record.is_open(FIRST));
        let signed = world.sign();
        let finalised = world.order(signed);
        let verdicts = world.parties.verify(&finalised).unwrap();
        assert_eq!(verdicts.len(), 7);
        assert!(verdicts.iter().all(|verdict| verdict.is_accepted()));
    }
}

/// 12: a part left as it was [goes through the same way: the refusals above are not the crafting's fault].
#[test]
fn attack_12_the_crafted_part_is_taken_when_nothing_is_changed() {
    let (draft, refused) = with_indices(|_| {});
    assert_eq!(refused, []);
    let mut world = draft.finish();
    let signed = world.sign();
    let finalised = world.order(signed);
    assert!(world.parties.verify(&finalised).unwrap()[0].is_accepted());
}

/// 12: fewer than k, or one more [no such message: the length is checked before the authenticator].
#[test]
fn attack_12_sets_of_fewer_or_more_functions_are_refused_by_their_length() {
    for change in [-9_isize, -1, 1, 9] {
        let mut draft = Draft::new(nine(), &mut random(2));
        let part = &mut draft.part(p(1), p(0)).sealed.ciphertext;
        part.resize(part.len().saturating_add_signed(change), 0);
        let refused = draft.deliver();
        assert!(matches!(
            refused[..],
            [(to, DistributeError::Channel { from: Party::Receiver(from), cause: tieline_uss::channel::ChannelError::Length { .. } })]
                if to == p(0) && from == p(1)
        ));
    }
}

/// 12: other indices, or other descriptions, than the signer's [mismatches in that part alone; δ_l leaves room for ω - 1
/// such senders, so everybody accepts, and whoever got the bad part complains].
#[test]
fn attack_12_a_false_set_costs_its_sender_its_place_and_nobody_the_message() {
    let shifted = |draft: &mut Draft| {
        let (epoch, link) = (draft.epoch.clone(), between(p(1), p(0)));
        let raw = draft.raw[&link].clone();
        let mut plain = open_part(&epoch, &raw, link, draft.part(p(1), p(0)));
        // The first hash key: 3 · 5 bits of indices go before it.
        plain[3] ^= 0x10;
        draft.reseal(p(1), p(0), &plain);
    };
    let mut draft = Draft::new(nine(), &mut random(3));
    shifted(&mut draft);
    assert_eq!(draft.deliver(), []);
    let mut world = draft.finish();
    let signed = world.sign();
    let finalised = world.order(signed);
    for (index, verdict) in (0..).zip(world.parties.verify(&finalised).unwrap()) {
        assert!(verdict.is_accepted());
        let about = verdict.complaint_about(finalised.roster());
        assert_eq!(about, (index == 0).then_some(p(1)));
    }
    assert_eq!(
        world.complain(p(0), p(1), Grounds::Mismatch(FIRST)),
        ComplaintEffect::BothOut
    );
    world.parties.refresh(Counter(1)).unwrap();
    let signed = world.parties.sign(Counter(1), BODY).unwrap();
    let finalised = world.order(signed);
    assert!(
        world
            .parties
            .verify(&finalised)
            .unwrap()
            .iter()
            .all(|verdict| verdict.is_accepted())
    );
}

/// 13: ω - 1 receivers help the signer, or vote against an honest one [nothing: thresholds leave room for them].
#[test]
fn attack_13_as_many_dishonest_receivers_as_tolerated_do_not_stop_an_honest_signer() {
    for (committee, dishonest) in [
        ((5, 2, 0), 1),
        ((9, 2, 1), 1),
        ((13, 3, 1), 2),
        ((16, 4, 0), 3),
    ] {
        let budgets: Vec<u16> = (0..u16::from(committee.2) + 2).collect();
        let epoch = epoch(committee, Family::Gf64, (3, &budgets), 1);
        let mut draft = Draft::new(epoch.clone(), &mut random(4));
        let bad = epoch.parameters().set_bits().div_ceil(8);
        for from in 0..dishonest {
            for to in dishonest..committee.0 {
                // Possible indices 0, 1, 2 and functions of zeros.
                let mut writer = BitWriter::with_capacity(bad * 8);
                (0..3).for_each(|index| writer.write(index, epoch.parameters().index_bits()));
                while writer.bits() < epoch.parameters().set_bits() {
                    writer.write(0, 1);
                }
                draft.reseal(p(from), p(to), &writer.into_bytes());
            }
        }
        assert_eq!(draft.deliver(), []);
        let mut world = draft.finish();
        let signed = world.sign();
        let finalised = world.order(signed);
        let verdicts = world.parties.verify(&finalised).unwrap();
        let honest = &verdicts[dishonest.into()..];
        assert!(
            honest.iter().all(|verdict| verdict.is_accepted()),
            "{committee:?}"
        );
        world.call(p(0).into(), FIRST, Vote::Reject);
        let mut outcome = None;
        for from in 0..dishonest {
            assert_eq!(world.vote(p(from), FIRST, Vote::Reject), Ok(None));
        }
        for (index, verdict) in (dishonest..).zip(honest) {
            outcome = world
                .vote(p(index), FIRST, verdict.vote().unwrap())
                .unwrap_or(outcome);
        }
        assert_eq!(outcome, Some(Outcome::Valid));
        let dispute = world.parties.record.dispute(FIRST).unwrap();
        assert_eq!(dispute.frivolous_caller(), Some(p(0).into()));
    }
}

/// 13: one more than tolerated [an honest signer's message may lose its first-hand acceptance: that is the limit, and it is
/// still valid in a dispute].
#[test]
fn attack_13_one_dishonest_receiver_too_many_can_stop_first_hand_acceptance_and_no_more() {
    let epoch = epoch((5, 2, 0), Family::Gf64, (3, &[0, 1]), 1);
    let mut world = crate::support::World::new(epoch.clone(), &mut random(5));
    let mut signed = world.sign();
    (0..2).for_each(|row| crate::support::spoil(&epoch, &mut signed, p(row), 0..15));
    let finalised = world.order(signed);
    for verdict in world.parties.verify(&finalised).unwrap() {
        assert_eq!(verdict.level(), Some(Level::DISPUTE));
    }
}
