//! What a verifier refuses, each once; afterwards it tests as if nothing had been.

use tieline_uss::committee::Level;
use tieline_uss::distribute::Receipt;
use tieline_uss::epoch::{EpochRecord, Grounds};
use tieline_uss::family::Family;
use tieline_uss::parameters::{Epoch, Limits, Parameters};
use tieline_uss::party::{EpochId, Party, Receiver};
use tieline_uss::signature::DecodeError;
use tieline_uss::verify::{VerifyError, level_after};

use crate::support::{Draft, FIRST, LATER, World, epoch, p, random, sent, spoil};

const OTHER: EpochId = EpochId(8);

fn five() -> Epoch {
    epoch((5, 2, 0), Family::Gf64, (3, &[0, 1]), 2)
}

#[test]
fn a_verifier_refuses_without_a_test_and_tests_afterwards() {
    let mut draft = Draft::new(five(), &mut random(3));
    draft
        .parts
        .retain(|part| (part.from, part.to) != (p(4), p(0)));
    assert_eq!(draft.deliver(), []);
    let mut world = draft.finish();
    assert_eq!(world.parties.record.expire(FIRST), Ok(vec![p(0)]));
    let signed = world.sign();
    let finalised = world.order(signed);
    let verdict = world.parties.verifiers[0].verify(&finalised);
    let (from, counter) = (p(4), FIRST);
    assert_eq!(verdict, Err(VerifyError::MissingPart { from, counter }));
    assert_eq!(verdict.unwrap_err().culprit(), None);
    for verifier in &mut world.parties.verifiers[1..] {
        assert!(verifier.verify(&finalised).unwrap().is_accepted());
    }
}

#[test]
fn a_verifier_that_is_out_neither_tests_nor_votes_for_later_messages() {
    let mut world = World::new(five(), &mut random(4));
    world.complain(p(1), p(2), Grounds::MissingPart(FIRST));
    let signed = world.sign();
    let finalised = world.order(signed);
    for index in 0..5 {
        let found = world.parties.verifiers[usize::from(index)].verify(&finalised);
        let me = p(index);
        if [1, 2].contains(&index) {
            assert_eq!(found, Err(VerifyError::Out { me }));
            assert_eq!(VerifyError::Out { me }.culprit(), None);
        } else {
            assert!(found.unwrap().is_accepted());
        }
    }
}

/// Two ledgers of one epoch that do not agree: what a fork or a wrong configuration would show a receiver.
#[test]
fn a_verifier_does_not_trust_the_ledgers_description_of_the_epoch() {
    let mut world = World::new(five(), &mut random(5));
    let signed = world.sign();
    let open = |epoch: Epoch| {
        let mut record = EpochRecord::new(epoch);
        let value = Receipt {
            epoch: record.epoch().id(),
            counter: FIRST,
        };
        Receiver::first(5).for_each(|from| record.receipt(&sent(from, value.clone())).unwrap());
        record
    };
    let describe = |id, message_bytes| {
        let parameters = world.epoch.parameters();
        let (committee, limits) = (
            parameters.committee(),
            Limits {
                messages: 2,
                message_bytes,
            },
        );
        let parameters = Parameters::new(committee, Family::Gf64, 3, vec![0, 1], limits).unwrap();
        Epoch::new(id, "s", &["x", "y"], parameters).unwrap()
    };
    let mut long = signed.clone();
    long.body = vec![0; 1000];
    let finalised = open(describe(EpochId(7), 2000))
        .finalise(&sent(Party::Signer, long), LATER)
        .unwrap();
    let verifier = &mut world.parties.verifiers[0];
    let (bytes, most) = (1000, world.epoch.body_bytes_max());
    assert_eq!(
        verifier.verify(&finalised),
        Err(VerifyError::TooLong { bytes, most })
    );
    let mut foreign = signed.clone();
    foreign.epoch = OTHER;
    foreign.signature[14] = 8;
    let finalised = open(describe(OTHER, 128))
        .finalise(&sent(Party::Signer, foreign), LATER)
        .unwrap();
    let (found, epoch) = (OTHER, EpochId(7));
    assert_eq!(
        verifier.verify(&finalised),
        Err(VerifyError::OtherEpoch { found, epoch })
    );
    let wider = crate::support::epoch((5, 2, 0), Family::Gf64, (4, &[0, 1]), 2);
    let mut wide = World::new(wider, &mut random(6));
    let message = wide.sign();
    let finalised = wide.order(message);
    let error = verifier.verify(&finalised).unwrap_err();
    assert_eq!(
        error.culprit(),
        None,
        "the ledger describes the epoch otherwise"
    );
    assert!(matches!(
        error,
        VerifyError::Decode(DecodeError::Length { .. })
    ));
    let finalised = world.order(signed);
    assert!(
        world.parties.verifiers[0]
            .verify(&finalised)
            .unwrap()
            .is_accepted()
    );
}

#[test]
fn one_counter_is_evaluated_once_and_the_same_bytes_give_the_same_verdict() {
    let mut world = World::new(five(), &mut random(7));
    let signed = world.sign();
    let mut other = signed.clone();
    spoil(&world.epoch, &mut other, p(0), [0]);
    let mut fork = world.parties.record.clone();
    let finalised = world.order(signed);
    let forked = fork.finalise(&sent(Party::Signer, other), LATER).unwrap();
    let verifier = &mut world.parties.verifiers[0];
    let verdict = verifier.verify(&finalised).unwrap();
    assert_eq!(verifier.verify(&finalised), Ok(verdict.clone()));
    let counter = FIRST;
    let evaluated = VerifyError::Evaluated { counter };
    assert_eq!(evaluated.culprit(), None);
    assert_eq!(verifier.verify(&forked), Err(evaluated));
    assert_eq!(verifier.verify(&finalised), Ok(verdict));
}

#[test]
fn levels_fall_by_one_per_transfer_and_end_above_the_dispute() {
    let committee = epoch((8, 2, 1), Family::Gf64, (3, &[0, 1, 2]), 1)
        .parameters()
        .committee();
    assert_eq!(level_after(committee, 0), Ok(Level::new(1).unwrap()));
    assert_eq!(level_after(committee, 1), Ok(Level::new(0).unwrap()));
    let most = 1;
    for transfers in [2, 3, u8::MAX] {
        let error = VerifyError::TooManyTransfers { transfers, most };
        assert_eq!(level_after(committee, transfers), Err(error.clone()));
        assert_eq!(error.culprit(), None);
    }
}
