//! Distribution and signing: each refusal once; afterwards the right call works as if nothing had been.

use tieline_uss::channel::{ChannelError, Mac};
use tieline_uss::dispute::Vote;
use tieline_uss::distribute::{DistributeError, Distribution, LinkKeys, PartMessage, ReceiverKeys};
use tieline_uss::draw;
use tieline_uss::family::Family;
use tieline_uss::key::{ItsKey, KeyError, KeyStore as _, Spent};
use tieline_uss::parameters::{Epoch, Round};
use tieline_uss::party::{Counter, EpochId, Party, Receiver};
use tieline_uss::sign::{SignError, Signer, SignerKeys};

use crate::support::{
    BODY, Draft, FIRST, World, between, draw_raw, epoch, everybody, from_signer, p, random, stores,
};

fn four(family: Family, messages: u32) -> Epoch {
    epoch((4, 1, 0), family, (3, &[0, 1]), messages)
}

/// What receiver P1 starts with, changed by `change`, and the refusal.
fn refused(
    family: Family,
    me: Receiver,
    change: impl FnOnce(&mut ReceiverKeys),
) -> DistributeError {
    let epoch = four(family, 1);
    let mut random = random(1);
    let raw = draw_raw(&epoch, &mut random);
    let mut store = stores(4, &raw).remove(1);
    let mut keys = draw::receiver_keys(&epoch, p(0), &mut store).unwrap();
    change(&mut keys);
    let error = Distribution::start(&epoch, me, keys, None, &mut random)
        .err()
        .unwrap();
    assert_eq!(
        error.culprit(),
        None,
        "a missing key of ours is nobody's fault"
    );
    error
}

fn bits(count: usize) -> ItsKey {
    ItsKey::from_qkd_bits(vec![0x5a; count.div_ceil(8)])
        .unwrap()
        .take(count)
        .unwrap()
}

#[test]
fn a_receiver_cannot_start_without_the_right_keys() {
    let gf64 = Family::Gf64;
    let (receiver, receivers) = (p(4), 4);
    let stranger = DistributeError::NotAMember {
        receiver,
        receivers,
    };
    assert_eq!(refused(gf64, p(4), |_| {}), stranger);
    let need = four(gf64, 1).parameters().shared_bits();
    let have = need - 1;
    let (link, cause) = (from_signer(p(0)), KeyError::Short { have, need });
    let found = refused(gf64, p(0), |keys| keys.shared = bits(need - 1));
    assert_eq!(found, DistributeError::Key { link, cause });
    let need = four(gf64, 1).parameters().set_key_bits();
    let have = need + 1;
    let (link, cause) = (between(p(0), p(2)), KeyError::Long { have, need });
    let found = refused(gf64, p(0), |keys| {
        keys.links.outgoing.insert(p(2), bits(need + 1));
    });
    assert_eq!(found, DistributeError::Key { link, cause });
    let (link, cause) = (between(p(2), p(0)), KeyError::Empty);
    let found = refused(gf64, p(0), |keys| drop(keys.links.incoming.remove(&p(2))));
    assert_eq!(found, DistributeError::Key { link, cause });
    let family = Family::Lfsr128;
    assert_eq!(
        refused(family, p(0), |_| {}),
        DistributeError::NoOffer { family }
    );
}

/// An offer of the shift register's polynomials, changed on the way or by the signer.
fn offer_refused(
    change: impl FnOnce(&mut Draft),
    with_key: bool,
) -> (DistributeError, Result<(), DistributeError>) {
    let mut draft = Draft::new(four(Family::Lfsr128, 1), &mut random(2));
    let original = draft.offers[0].clone();
    change(&mut draft);
    let start = |offer, with_key| {
        let mut store = stores(4, &draft.raw).remove(1);
        let mut keys = draw::receiver_keys(&draft.epoch, p(0), &mut store).unwrap();
        keys.offer = keys.offer.filter(|_| with_key);
        Distribution::start(&draft.epoch, p(0), keys, Some(offer), &mut random(3)).map(|_| ())
    };
    let error = start(&draft.offers[0], with_key).err().unwrap();
    (error, start(&original, true))
}

#[test]
fn an_offer_that_is_not_the_signers_or_breaks_the_rules_is_refused() {
    let (error, right) = offer_refused(|_| {}, false);
    let (link, cause) = (from_signer(p(0)), KeyError::Empty);
    assert_eq!(
        (error, right),
        (DistributeError::Key { link, cause }, Ok(()))
    );
    let (error, right) = offer_refused(|draft| draft.offers[0].sealed.ciphertext[3] ^= 1, true);
    let (from, cause) = (Party::Signer, ChannelError::Forged);
    assert_eq!(
        error.culprit(),
        None,
        "anybody on the way may have changed it"
    );
    assert_eq!(
        (error, right),
        (DistributeError::Channel { from, cause }, Ok(()))
    );
    // The signer itself seals a polynomial without a constant term: x divides it.
    let (error, right) = offer_refused(
        |draft| {
            let parameters = draft.epoch.parameters();
            let mut key = ItsKey::from_qkd_bits(draft.raw[&from_signer(p(0))].clone()).unwrap();
            drop(key.take(parameters.shared_bits()).unwrap());
            let key = key.take(parameters.offer_bits()).unwrap();
            let context = draft
                .epoch
                .round_context(Round::Offer, from_signer(p(0)), FIRST);
            let plain = vec![2; parameters.functions_per_receiver() * 16];
            let sealed = tieline_uss::channel::seal(&context, &plain, plain.len() * 8, key);
            draft.offers[0].sealed = sealed.unwrap();
        },
        true,
    );
    assert_eq!(error.culprit(), Some(Party::Signer));
    assert_eq!((error, right), (DistributeError::BadOffer, Ok(())));
}

/// `change` spoils the part of P2 for P1; the refusal, and what the right part meets afterwards.
fn part_refused(
    change: impl FnOnce(&mut Draft),
) -> (DistributeError, Result<(), DistributeError>, Vec<Receiver>) {
    let mut draft = Draft::new(four(Family::Gf64, 1), &mut random(4));
    let right = draft.part(p(1), p(0)).clone();
    let place = draft.parts.iter().position(|part| *part == right).unwrap();
    change(&mut draft);
    let wrong = draft.parts[place].clone();
    let error = draft.distributions[0].receive(&wrong).unwrap_err();
    let later = draft.distributions[0].receive(&right);
    (error, later, draft.distributions[0].missing())
}

#[test]
fn a_part_that_is_misdirected_or_altered_leaves_room_for_the_right_one() {
    let missing = vec![p(2), p(3)];
    let (from, to, me) = (p(1), p(2), p(0));
    let (error, later, left) = part_refused(|draft| draft.part(p(1), p(0)).to = p(2));
    assert_eq!(error, DistributeError::Misdirected { from, to, me });
    assert_eq!(
        (error.culprit(), later, left),
        (None, Ok(()), missing.clone())
    );
    let (from, to) = (p(0), p(0));
    let (error, later, left) = part_refused(|draft| draft.part(p(1), p(0)).from = p(0));
    assert_eq!(error, DistributeError::Misdirected { from, to, me });
    assert_eq!(
        (error.culprit(), later, left),
        (None, Ok(()), missing.clone())
    );
    let (receiver, receivers) = (p(9), 4);
    let (error, later, left) = part_refused(|draft| draft.part(p(1), p(0)).from = p(9));
    assert_eq!(
        error,
        DistributeError::NotAMember {
            receiver,
            receivers
        }
    );
    assert_eq!(
        (error.culprit(), later, left),
        (None, Ok(()), missing.clone())
    );
    let from = p(1).into();
    let forged = DistributeError::Channel {
        from,
        cause: ChannelError::Forged,
    };
    for change in [
        |part: &mut PartMessage| part.sealed.ciphertext[0] ^= 1,
        |part: &mut PartMessage| part.sealed.mac = Mac(0),
    ] {
        let (error, later, left) = part_refused(|draft| change(draft.part(p(1), p(0))));
        assert_eq!((error.culprit(), &error), (None, &forged));
        assert_eq!((later, left), (Ok(()), missing.clone()));
    }
    let (error, later, left) =
        part_refused(|draft| draft.part(p(1), p(0)).sealed.ciphertext.push(0));
    let expected = four(Family::Gf64, 1).parameters().set_bits().div_ceil(8);
    let cause = ChannelError::Length {
        bytes: expected + 1,
        expected,
    };
    assert_eq!(error, DistributeError::Channel { from, cause });
    assert_eq!((error.culprit(), later, left), (None, Ok(()), missing));
}

#[test]
fn an_authentic_part_that_breaks_the_rules_is_final_and_its_senders_fault() {
    let from = p(1);
    let (error, later, left) = part_refused(|draft| {
        let plain = vec![0; draft.epoch.parameters().set_bits().div_ceil(8)];
        draft.reseal(p(1), p(0), &plain);
    });
    assert_eq!(error, DistributeError::BadPart { from });
    assert_eq!(error.culprit(), Some(Party::Receiver(from)));
    assert_eq!(later, Err(DistributeError::BadPart { from }));
    assert_eq!(left, [p(1), p(2), p(3)]);
}

#[test]
fn a_part_comes_once_and_the_receipt_after_the_last() {
    let mut draft = Draft::new(four(Family::Gf64, 1), &mut random(5));
    let distribution = &mut draft.distributions[0];
    for part in draft.parts.iter().filter(|part| part.to == p(0)) {
        assert_eq!(distribution.receipt(&everybody()), None);
        assert_eq!(distribution.receive(part), Ok(()));
        let from = part.from;
        let again = distribution.receive(part).unwrap_err();
        assert_eq!(
            (again.culprit(), again),
            (None, DistributeError::Again { from })
        );
    }
    let receipt = distribution.receipt(&everybody()).unwrap();
    assert_eq!((receipt.epoch, receipt.counter), (EpochId(7), FIRST));
}

#[test]
fn pads_of_a_further_counter_are_refused_as_parts_are() {
    let mut world = World::new(four(Family::Gf64, 3), &mut random(6));
    let epoch = world.epoch.clone();
    let (one, two) = (Counter(1), Counter(2));
    let keys = |world: &mut World, me: u8| {
        let store = &mut world.parties.stores[usize::from(me) + 1];
        draw::receiver_pads(&epoch, p(me), store).unwrap()
    };
    let (shared, links) = keys(&mut world, 1);
    let part = world.parties.verifiers[1]
        .refresh(one, shared, links)
        .unwrap()
        .remove(0);
    let verifier = &mut world.parties.verifiers[0];
    let (link, cause) = (between(p(1), p(0)), KeyError::Empty);
    let early = verifier.receive_pads(one, &part);
    assert_eq!(early, Err(DistributeError::Key { link, cause }));
    let again = verifier.refresh(FIRST, bits(8), LinkKeys::default());
    assert_eq!(again.err(), Some(DistributeError::Again { from: p(0) }));
    let need = epoch.parameters().pads_shared_bits();
    let (link, cause) = (from_signer(p(0)), KeyError::Short { have: 8, need });
    let short = verifier.refresh(one, bits(8), LinkKeys::default());
    assert_eq!(short.err(), Some(DistributeError::Key { link, cause }));
    let (shared, links) = keys(&mut world, 0);
    let verifier = &mut world.parties.verifiers[0];
    verifier.refresh(one, shared, links).unwrap();
    assert_eq!(verifier.missing(one), [p(1), p(2), p(3)]);
    assert_eq!(verifier.missing(two), [p(1), p(2), p(3)]);
    let from = p(1).into();
    let mut forged = part.clone();
    forged.sealed.mac.0 ^= 1;
    let cause = ChannelError::Forged;
    let found = verifier.receive_pads(one, &forged);
    assert_eq!(found, Err(DistributeError::Channel { from, cause }));
    assert_eq!(verifier.receive_pads(one, &part), Ok(()));
    assert_eq!(
        verifier.receive_pads(one, &part),
        Err(DistributeError::Again { from: p(1) })
    );
    assert_eq!(verifier.missing(one), [p(2), p(3)]);
}

fn signer_keys(world: &World, count: usize) -> Vec<SignerKeys> {
    let shared = world.epoch.parameters().shared_bits();
    let keys = (0..count).map(|_| SignerKeys {
        shared: bits(shared),
        offer: None,
    });
    keys.collect()
}

#[test]
fn a_signer_cannot_start_without_the_right_keys() {
    let world = World::new(four(Family::Gf64, 1), &mut random(7));
    let start = |epoch: &Epoch, keys| Signer::new(epoch.clone(), keys, &mut random(1)).err();
    for given in [0, 3, 5] {
        let count = SignError::KeyCount {
            given,
            receivers: 4,
        };
        assert_eq!(start(&world.epoch, signer_keys(&world, given)), Some(count));
    }
    let need = world.epoch.parameters().shared_bits();
    let (receiver, cause) = (
        p(2),
        KeyError::Long {
            have: need + 8,
            need,
        },
    );
    let mut keys = signer_keys(&world, 4);
    keys[2].shared = bits(need + 8);
    assert_eq!(
        start(&world.epoch, keys),
        Some(SignError::Key { receiver, cause })
    );
    let lfsr = four(Family::Lfsr128, 1);
    let keys = |offer: Option<usize>| {
        let shared = bits(lfsr.parameters().shared_bits());
        let offer = offer.map(bits);
        (0..4)
            .map(|_| SignerKeys {
                shared: bits(shared.bits()),
                offer: offer.as_ref().map(|key| bits(key.bits())),
            })
            .collect()
    };
    let need = lfsr.parameters().offer_bits();
    let (receiver, cause) = (p(0), KeyError::Short { have: 0, need });
    assert_eq!(
        start(&lfsr, keys(None)),
        Some(SignError::Key { receiver, cause })
    );
    let cause = ChannelError::Key(KeyError::Short {
        have: need - 1,
        need,
    });
    assert_eq!(
        start(&lfsr, keys(Some(need - 1))),
        Some(SignError::Offer { receiver, cause })
    );
}

#[test]
fn a_signer_refuses_what_it_cannot_sign_and_signs_afterwards() {
    let mut world = World::new(four(Family::Gf64, 3), &mut random(8));
    let (id, one) = (world.epoch.id(), Counter(1));
    let pads =
        |world: &mut World| draw::signer_pads(&world.epoch, &mut world.parties.stores[0]).unwrap();
    let fresh = pads(&mut world);
    let most = world.epoch.body_bytes_max();
    let need = world.epoch.parameters().pads_shared_bits();
    let signer = &mut world.parties.signer;
    let spent = |id, counter| Spent::recorded_durably(id, counter);
    let (counter, messages) = (Counter(3), 3);
    let found = signer.refresh(counter, vec![]);
    assert_eq!(found, Err(SignError::BeyondEpoch { counter, messages }));
    let counter = FIRST;
    assert_eq!(
        signer.refresh(counter, vec![]),
        Err(SignError::PadsTwice { counter })
    );
    let count = SignError::KeyCount {
        given: 3,
        receivers: 4,
    };
    assert_eq!(
        signer.refresh(one, vec![bits(need), bits(need), bits(need)]),
        Err(count)
    );
    let (receiver, cause) = (p(3), KeyError::Short { have: 1, need });
    let keys = vec![bits(need), bits(need), bits(need), bits(1)];
    assert_eq!(
        signer.refresh(one, keys),
        Err(SignError::Key { receiver, cause })
    );
    let counter = one;
    assert_eq!(
        signer.sign(spent(id, one), BODY),
        Err(SignError::NoPads { counter })
    );
    signer.refresh(one, fresh).unwrap();
    assert_eq!(
        signer.refresh(one, vec![]),
        Err(SignError::PadsTwice { counter })
    );
    let other = EpochId(8);
    let wrong = SignError::OtherEpoch {
        counter,
        spent: other,
        epoch: id,
    };
    assert_eq!(signer.sign(spent(other, one), BODY), Err(wrong));
    assert!(
        signer.sign(spent(id, one), BODY).is_ok(),
        "the counter's pads are still there"
    );
    assert_eq!(
        signer.sign(spent(id, one), BODY),
        Err(SignError::NoPads { counter })
    );
    assert_eq!(
        signer.refresh(one, vec![]),
        Err(SignError::PadsTwice { counter })
    );
    let bytes = most + 1;
    let long = signer.sign(spent(id, FIRST), &vec![0; bytes]);
    assert_eq!(long, Err(SignError::TooLong { bytes, most }));
    let counter = FIRST;
    let gone = signer.sign(spent(id, FIRST), BODY);
    assert_eq!(
        gone,
        Err(SignError::NoPads { counter }),
        "a refused body costs the counter"
    );
}

/// Keys are handed out by position: a draw that only one end made leaves the ends apart, and then nothing fits.
#[test]
fn ends_that_drew_differently_reject_everything_and_accept_nothing_wrong() {
    let mut world = World::new(four(Family::Gf64, 3), &mut random(12));
    drop(draw::signer_pads(&world.epoch, &mut world.parties.stores[0]).unwrap());
    world.parties.refresh(Counter(1)).unwrap();
    let signed = world.parties.sign(Counter(1), BODY).unwrap();
    let finalised = world.order(signed);
    for verdict in world.parties.verify(&finalised).unwrap() {
        assert_eq!(verdict.vote(), Some(Vote::Reject));
    }
}

#[test]
fn the_longest_body_is_signed_and_accepted() {
    for family in crate::rounds::families() {
        let mut world = World::new(four(family, 1), &mut random(9));
        let body = vec![0xa5; world.epoch.body_bytes_max()];
        let signed = world.parties.sign(FIRST, &body).unwrap();
        let finalised = world.order(signed);
        for verdict in world.parties.verify(&finalised).unwrap() {
            assert_eq!(verdict.vote(), Some(Vote::Accept));
            assert!(verdict.is_accepted());
        }
    }
}

#[test]
fn a_store_that_runs_dry_stops_the_draw() {
    let epoch = four(Family::Gf64, 1);
    let raw = draw_raw(&epoch, &mut random(10));
    let mut stores = stores(4, &raw);
    drop(draw::signer_keys(&epoch, &mut stores[0]).unwrap());
    assert!(draw::signer_keys(&epoch, &mut stores[0]).is_err());
    assert!(draw::signer_pads(&epoch, &mut stores[0]).is_err());
    drop(draw::receiver_keys(&epoch, p(0), &mut stores[1]).unwrap());
    assert!(draw::receiver_pads(&epoch, p(0), &mut stores[1]).is_err());
    assert!(
        stores[1].draw(from_signer(p(1)), 1).is_err(),
        "another receiver's link"
    );
}
