//! Keys of a trade: the chain of phases, the blinded response, the key return.

use proptest::prelude::*;
use tieline_seal::keys::{
    Agreement, KEY_NAME_BYTES_MAX, KeyError, Phase, RESPONSE_BYTES_MAX, Ratchet, Response,
    SEALED_KEY_BYTES, SEALED_RESPONSE_BYTES_MAX, TradeKey, TransmissionKey,
};
use tieline_units::Digest;
use tieline_units::canonical::Canonical as _;

const SECRET: [u8; 32] = [1; 32];

fn order() -> Digest {
    Digest::of(b"order")
}

/// Name and bytes of the fresh key of a phase.
fn fresh(phase: Phase) -> (String, [u8; 32]) {
    let number = phase.number();
    (format!("key-{number}"), [0x10 + number; 32])
}

fn ratchet(phases: &[Phase]) -> Ratchet {
    let mut ratchet = Ratchet::new(Agreement::Qkd, &SECRET, order());
    for phase in phases {
        let (name, key) = fresh(*phase);
        ratchet.take(*phase, &name, &key).unwrap();
    }
    ratchet
}

fn confirmations(ratchet: &Ratchet) -> Vec<Option<Digest>> {
    let key = |phase: &Phase| ratchet.key(*phase).map(TransmissionKey::confirmation);
    Phase::ALL.iter().map(key).collect()
}

/// The key of one phase of the whole chain.
fn with_key<T>(phase: Phase, work: impl FnOnce(&TransmissionKey) -> T) -> T {
    work(ratchet(&Phase::ALL).key(phase).unwrap())
}

fn digest(text: &str) -> Digest {
    Digest::parse(text).unwrap()
}

/// From an independent implementation (Python's `hmac` and `cryptography`), as all goldens of this module.
#[test]
fn the_six_keys_of_the_chain_are_what_an_independent_implementation_derives() {
    let expected = [
        "0d3ef809ec2b7886d06f191beaca418fea8905dbe45e83f34efc4925795ce2ef",
        "9496a754f24e907ae48a9ae8ad6cdba5dcaff2db30b4c2fe245aba560a00fadc",
        "b6cd057e9d45c15744e8de000aef7524cb4512d3ac89474d5732cbd06d6cab31",
        "612eabf8796846f3d5291097e44593560dddc68cd3df4c7af39f01280b87a1c0",
        "a381d103267bdc42447b54d61f081210212648d793062028a6efda51040e64ed",
        "8e8a0b92af1c951e4366ad6378437084c83df6e46c2c7b9bbb42c260a02cbcac",
    ];
    let found = confirmations(&ratchet(&Phase::ALL));
    assert_eq!(found, expected.map(|text| Some(digest(text))));
}

#[test]
fn a_blinded_response_has_its_pinned_commitment_and_sealed_bytes_and_opens_to_itself() {
    let response = Response::new(b"40 kWh, gate 3").unwrap();
    with_key(Phase::Response, |key| {
        let (commitment, sealed) = response.seal(key, [9; 32], order());
        assert_eq!(
            commitment,
            digest("8d8a243b3ff334270258d2349121f84bdde643950cf0f875d46eb11f39c77e9e")
        );
        assert_eq!(sealed.len(), 256 + 16);
        assert_eq!(
            Digest::of(&sealed),
            digest("c7bb65dedb3351f1a172f5845a8060c63b17c5fd1e8ae64723b3892f5125bc48")
        );
        let opened = Response::open(key, order(), commitment, &sealed).unwrap();
        assert_eq!(opened.as_bytes(), b"40 kWh, gate 3");
    });
}

#[test]
fn a_returned_key_has_its_pinned_hash_and_sealed_bytes_and_opens_to_itself() {
    with_key(Phase::KeyReturn, |key| {
        let (key_hash, sealed) = TradeKey::new([5; 32]).seal(key, order());
        assert_eq!(
            key_hash,
            digest("095a071c5b11d5ece822d8520d9c0bd5930a25bc3931f8e8d27e9c96342dfd87")
        );
        assert_eq!(sealed.len(), SEALED_KEY_BYTES);
        let hexadecimal: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hexadecimal,
            "3757582a466763d933f6f9e25f15cfdd150b454b93674d2d952bb14c03885f2c98bc409cafa404c121340d1f13a28a2f"
        );
        let opened = TradeKey::open(key, order(), key_hash, &sealed).unwrap();
        assert_eq!(opened.expose(), &[5; 32]);
    });
}

#[test]
fn a_lost_phase_leaves_later_phases_without_a_key_until_it_comes() {
    let [one, two, three, ..] = Phase::ALL;
    let mut late = ratchet(&[one, three]);
    assert_eq!(late.missing(), Some(two));
    assert!(late.key(one).is_some() && late.key(two).is_none() && late.key(three).is_none());
    let (name, key) = fresh(two);
    late.take(two, &name, &key).unwrap();
    assert_eq!(
        confirmations(&late),
        confirmations(&ratchet(&[one, two, three]))
    );
    assert_eq!(ratchet(&Phase::ALL).missing(), None);
}

#[test]
fn another_key_or_another_name_under_a_used_phase_is_refused_and_changes_nothing() {
    // Phase 1 has turned, phase 3 waits.
    for phase in [Phase::Demand, Phase::Broadcast] {
        let mut ratchet = ratchet(&[Phase::Demand, Phase::Broadcast]);
        let before = confirmations(&ratchet);
        let (name, key) = fresh(phase);
        for (name, key) in [(name.as_str(), [0; 32]), ("other\n", key)] {
            let refused = ratchet.take(phase, name, &key);
            let name = name.replace('\n', "\\n");
            assert_eq!(refused, Err(KeyError::OtherKey { phase, name }));
        }
        assert_eq!(ratchet.take(phase, &name, &key), Ok(()));
        assert_eq!(confirmations(&ratchet), before);
    }
}

#[test]
fn a_name_of_no_or_too_many_bytes_is_refused() {
    let phase = Phase::Demand;
    let mut ratchet = ratchet(&[]);
    for bytes in [0, KEY_NAME_BYTES_MAX + 1] {
        let refused = ratchet.take(phase, &"n".repeat(bytes), &[1; 32]);
        assert_eq!(refused, Err(KeyError::NameLength { phase, bytes }));
    }
    assert_eq!(ratchet.missing(), Some(phase));
    assert_eq!(
        ratchet.take(phase, &"n".repeat(KEY_NAME_BYTES_MAX), &[1; 32]),
        Ok(())
    );
}

#[test]
fn a_response_above_its_bound_is_refused_and_the_longest_opens() {
    let bytes = RESPONSE_BYTES_MAX + 1;
    let refused = Response::new(&vec![1; bytes]).err();
    assert_eq!(refused, Some(KeyError::ResponseLength { bytes }));
    let longest = Response::new(&[1; RESPONSE_BYTES_MAX]).unwrap();
    with_key(Phase::Response, |key| {
        let (commitment, sealed) = longest.seal(key, [9; 32], order());
        assert_eq!(sealed.len(), SEALED_RESPONSE_BYTES_MAX);
        let opened = Response::open(key, order(), commitment, &sealed).unwrap();
        assert_eq!(opened.as_bytes(), longest.as_bytes());
    });
}

#[test]
fn sealed_bytes_show_no_length_below_their_step_and_no_two_blindings_look_alike() {
    with_key(Phase::Response, |key| {
        let seal = |text: &[u8], blinding| {
            Response::new(text)
                .unwrap()
                .seal(key, [blinding; 32], order())
        };
        assert_eq!(seal(b"", 1).1.len(), seal(&[7; 220], 1).1.len());
        assert_ne!(seal(b"yes", 1), seal(b"yes", 2));
        assert_eq!(seal(b"yes", 1), seal(b"yes", 1));
    });
}

#[test]
fn responses_and_keys_of_another_order_phase_hash_or_use_do_not_open() {
    let other = Digest::of(b"another order");
    let response = Response::new(b"yes").unwrap();
    let (commitment, sealed) =
        with_key(Phase::Response, |key| response.seal(key, [9; 32], order()));
    let (key_hash, key_sealed) = with_key(Phase::KeyReturn, |key| {
        TradeKey::new([5; 32]).seal(key, order())
    });
    let closed = Some(KeyError::Sealed { what: "response" });
    let key_closed = Some(KeyError::Sealed { what: "trade key" });
    with_key(Phase::Response, |key| {
        let open = |order, hash, sealed: &[u8]| Response::open(key, order, hash, sealed).err();
        assert_eq!(open(order(), commitment, &sealed), None);
        assert_eq!(open(other, commitment, &sealed), closed);
        assert_eq!(open(order(), other, &sealed), closed);
        assert_eq!(open(order(), key_hash, &key_sealed), closed);
        assert_eq!(
            TradeKey::open(key, order(), key_hash, &key_sealed).err(),
            key_closed
        );
    });
    with_key(Phase::KeyReturn, |key| {
        let open = |order, hash, sealed: &[u8]| TradeKey::open(key, order, hash, sealed).err();
        assert_eq!(open(order(), key_hash, &key_sealed), None);
        assert_eq!(open(other, key_hash, &key_sealed), key_closed);
        assert_eq!(open(order(), other, &key_sealed), key_closed);
        assert_eq!(open(order(), commitment, &sealed), key_closed);
        assert_eq!(
            Response::open(key, order(), commitment, &sealed).err(),
            closed
        );
    });
}

#[test]
fn secrets_print_nothing_of_themselves() {
    let ratchet = ratchet(&[Phase::Demand]);
    let key = ratchet.key(Phase::Demand).unwrap();
    assert_eq!(format!("{key:?}"), "TransmissionKey(<redacted>)");
    assert_eq!(
        format!("{ratchet:?}"),
        "Ratchet(<redacted>, its, missing Some(2))"
    );
    assert_eq!(
        format!("{:?}", TradeKey::new([5; 32])),
        "TradeKey(<redacted>)"
    );
    assert_eq!(
        format!("{:?}", Response::new(b"yes").unwrap()),
        "Response(<redacted>)"
    );
}

#[test]
fn agreements_and_phases_have_pinned_bytes_and_the_words_of_key_labels() {
    let agreements = [Agreement::Qkd, Agreement::Hybrid, Agreement::PostQuantum];
    let words = agreements.map(Agreement::as_str);
    assert_eq!(words, ["its", "hybrid", "pq-only"]);
    assert_eq!(
        agreements.map(|agreement| agreement.to_bytes()),
        [[1], [2], [3]]
    );
    let numbers = Phase::ALL.map(|phase| phase.to_bytes());
    assert_eq!(numbers, [[1], [2], [3], [4], [5], [6]]);
    assert_eq!(Phase::ALL.map(Phase::number), [1, 2, 3, 4, 5, 6]);
    assert_eq!(Phase::Response.to_string(), "phase (4)");
}

proptest! {
    #[test]
    fn phases_in_any_order_and_any_number_of_times_give_the_same_keys(
        arrivals in prop::collection::vec(0..Phase::ALL.len(), 0..40),
    ) {
        let arrivals: Vec<Phase> = arrivals.iter().map(|at| Phase::ALL[*at]).collect();
        let whole = confirmations(&ratchet(&Phase::ALL));
        let ratchet = ratchet(&arrivals);
        let turned = Phase::ALL.iter().take_while(|phase| arrivals.contains(phase)).count();
        let expected: Vec<_> = (0..6).map(|at| whole[at].filter(|_| at < turned)).collect();
        prop_assert_eq!(confirmations(&ratchet), expected);
        prop_assert_eq!(ratchet.missing(), Phase::ALL.into_iter().find(|phase| !arrivals.contains(phase)));
    }

    #[test]
    fn another_secret_order_phase_name_or_key_gives_another_key(
        secret: [u8; 32], order: [u8; 32], key: [u8; 32], name in ".{1,40}", flip in 0_u8..=255, at in 0_usize..32,
    ) {
        let flip = flip.max(1);
        let changed = |bytes: &[u8; 32]| -> [u8; 32] {
            std::array::from_fn(|index| if index == at { bytes[index] ^ flip } else { bytes[index] })
        };
        let next = |secret: &[u8; 32], orders: [&[u8; 32]; 2], phase, name: &str, key: &[u8; 32]| {
            let start = TransmissionKey::start(secret, Digest::from_bytes(*orders[0]));
            start.next(phase, Digest::from_bytes(*orders[1]), name, key).confirmation()
        };
        let one = Phase::Demand;
        let mut all = vec![
            next(&secret, [&order, &order], one, &name, &key),
            next(&changed(&secret), [&order, &order], one, &name, &key),
            next(&secret, [&changed(&order), &order], one, &name, &key),
            next(&secret, [&order, &changed(&order)], one, &name, &key),
            next(&secret, [&order, &order], Phase::Response, &name, &key),
            next(&secret, [&order, &order], one, &format!("{name}x"), &key),
            next(&secret, [&order, &order], one, &name, &changed(&key)),
            TransmissionKey::start(&secret, Digest::from_bytes(order)).confirmation(),
        ];
        all.sort();
        all.dedup();
        prop_assert_eq!(all.len(), 8);
    }

    #[test]
    fn a_key_depends_on_every_phase_before_it(lost in 0_usize..6) {
        let mut other = Ratchet::new(Agreement::Qkd, &SECRET, order());
        for phase in Phase::ALL {
            let (name, mut key) = fresh(phase);
            key[31] ^= u8::from(phase == Phase::ALL[lost]);
            other.take(phase, &name, &key).unwrap();
        }
        let (other, whole) = (confirmations(&other), confirmations(&ratchet(&Phase::ALL)));
        for at in 0..6 {
            prop_assert_eq!(other[at] == whole[at], at < lost);
        }
    }

    #[test]
    fn every_sealed_response_opens_and_no_changed_one_does(
        details in prop::collection::vec(any::<u8>(), 0..600),
        blinding: [u8; 32],
        (at, flip) in (any::<prop::sample::Index>(), 1_u8..=255),
    ) {
        let response = Response::new(&details).unwrap();
        with_key(Phase::Response, |key| {
            let (commitment, mut sealed) = response.seal(key, blinding, order());
            assert_eq!(commitment, response.commitment(&blinding, order()));
            let opened = Response::open(key, order(), commitment, &sealed).unwrap();
            assert_eq!(opened.as_bytes(), details);
            let at = at.index(sealed.len());
            sealed[at] ^= flip;
            let closed = Some(KeyError::Sealed { what: "response" });
            assert_eq!(Response::open(key, order(), commitment, &sealed).err(), closed);
            sealed[at] ^= flip;
            sealed.truncate(at);
            assert_eq!(Response::open(key, order(), commitment, &sealed).err(), closed);
        });
    }

    #[test]
    fn a_commitment_binds_order_blinding_and_response(
        details in prop::collection::vec(any::<u8>(), 0..64),
        other in prop::collection::vec(any::<u8>(), 0..64),
        blindings: [[u8; 32]; 2],
    ) {
        let commit = |details: &[u8], blinding, order| Response::new(details).unwrap().commitment(blinding, order);
        let committed = commit(&details, &blindings[0], order());
        prop_assert_eq!(committed == commit(&other, &blindings[0], order()), details == other);
        prop_assert_eq!(committed == commit(&details, &blindings[1], order()), blindings[0] == blindings[1]);
        prop_assert_ne!(committed, commit(&details, &blindings[0], Digest::of(b"another order")));
    }

    #[test]
    fn every_returned_key_opens_and_no_changed_one_does(key: [u8; 32], at in 0..SEALED_KEY_BYTES, flip in 1_u8..=255) {
        let trade_key = TradeKey::new(key);
        with_key(Phase::KeyReturn, |transmission| {
            let (key_hash, mut sealed) = trade_key.seal(transmission, order());
            let opened = TradeKey::open(transmission, order(), key_hash, &sealed).unwrap();
            assert_eq!(opened.expose(), &key);
            sealed[at] ^= flip;
            let closed = Some(KeyError::Sealed { what: "trade key" });
            assert_eq!(TradeKey::open(transmission, order(), key_hash, &sealed).err(), closed);
        });
    }
}
