//! The rounds from message to message: every byte of every message, every field that one end could lie about.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by a panic"
)]

use std::sync::{Arc, LazyLock};

use commonware_cryptography::{Signer as _, ed25519};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use tieline_seal::hybrid::{Domain, Purpose, SigningKey};
use tieline_units::canonical::Canonical as _;
use tieline_units::{ChainId, Digest};
use zeroize::Zeroizing;

use super::frame::{self, Hello, Proof};
use super::psk::{Stock, Verdict};
use super::rounds::{Answered, Arrival, Dialing, NodeKeys, Now, Session};
use super::schedule::{Keys, Pair, Secrets, step};
use super::{ClockBounds, LinkError, NoPsk, Psk, PskId, PskPolicy, Why};
use crate::validators::SUITE;

const NOON: u64 = 1_700_000_000_000;
const ID: PskId = PskId([7; 16]);

/// The keys of D, L and a stranger: 1, 2, 3.
fn keys(seed: u8) -> &'static NodeKeys {
    static MADE: LazyLock<[NodeKeys; 3]> = LazyLock::new(|| {
        [1, 2, 3].map(|seed| NodeKeys {
            identity: ed25519::PrivateKey::from_seed(u64::from(seed)),
            signing: Arc::new(SigningKey::from_seed(SUITE, &[seed; 32])),
        })
    });
    &MADE[usize::from(seed) - 1]
}

fn pair() -> Pair {
    Pair {
        namespace: b"harbour_STREAM".to_vec(),
        domain: Domain {
            chain: ChainId::parse("harbour").unwrap(),
            genesis: Digest::of(b"genesis"),
            epoch: 0,
            purpose: Purpose::Handshake,
        },
        dialer: keys(1).end(),
        listener: keys(2).end(),
    }
}

fn now(at: u64) -> Now {
    let accepts = ClockBounds::default().around(at);
    Now { at, accepts }
}

fn psk(byte: u8) -> Psk {
    Psk::new(ID, Zeroizing::new(vec![byte; 32])).unwrap()
}

fn stock(policy: PskPolicy, psk: Option<Psk>) -> Stock {
    Stock {
        policy,
        psk,
        because: None,
    }
}

fn required(byte: u8) -> Stock {
    stock(PskPolicy::Required, Some(psk(byte)))
}

fn dial(pair: Pair, at: u64, stock: Stock) -> (Dialing, Vec<u8>) {
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    Dialing::start(pair, keys(1), now(at), stock, rng)
}

fn arrive(pair: Pair, at: u64, hello: &[u8]) -> Result<Arrival, LinkError> {
    Arrival::read(pair, now(at), hello)
}

fn answer(arrival: Arrival, stock: Stock) -> Result<(Answered, Vec<u8>), LinkError> {
    arrival.answer(keys(2), stock, &mut ChaCha20Rng::seed_from_u64(2))
}

/// The three messages of a handshake with a QKD key, and what each end has after it.
fn run() -> ([Vec<u8>; 3], [Session; 2]) {
    let (dialing, hello) = dial(pair(), NOON, required(3));
    let arrival = arrive(pair(), NOON, &hello).unwrap();
    let (answered, answer) = answer(arrival, required(3)).unwrap();
    let (dialer, finish) = dialing.finish(&answer).unwrap();
    let listener = answered.complete(&finish).unwrap();
    ([hello, answer, finish.to_vec()], [dialer, listener])
}

fn summary(session: &Session) -> String {
    session.transcript().summarize().to_string()
}

/// `message` with one bit of byte `at` changed.
fn flipped(message: &[u8], at: usize) -> Vec<u8> {
    let mut other = message.to_vec();
    other[at] ^= 1 << (at % 8);
    other
}

#[test]
fn the_messages_and_the_session_are_pinned() {
    let (messages, [dialer, listener]) = run();
    let hash = |bytes: &[u8]| Digest::of(bytes).to_string();
    let [hello, answer, finish] = &messages;
    assert_eq!(summary(&dialer), summary(&listener));
    assert_eq!(
        messages.each_ref().map(|it| it.len() as u32),
        [frame::HELLO_BYTES, frame::ANSWER_BYTES, frame::FINISH_BYTES]
    );
    assert_eq!([frame::HELLO_BYTES, frame::ANSWER_BYTES], [4680, 4600]);
    assert_eq!(
        [
            hash(&frame::knock(&pair().dialer.identity)),
            hash(hello),
            hash(answer),
            hash(finish),
            summary(&dialer),
        ],
        [
            "aa3e35bf93d0b98af768f12190c5a9f578b4b08b118ee8922ab0e9799b8b8e46",
            "3ee16fca7345ba625055f9c0d78244d972cf93f0e1a8d3dbd0c8d3d0ec498163",
            "6c4c37211165644bdf170da580f14dc4dadbed5314f7ccf019d258f8464375eb",
            "90c6ae05445d489622b15305ab79bb484b4e4357981c4b6cc9be4d3e3c0fee90",
            "f5b49ade200091ef6f1adf318658b114e3c3c6cb04e6dd5c0f4d3981ab74c785",
        ]
    );
}

#[test]
fn every_byte_of_the_hello_counts() {
    let ([hello, ..], _) = run();
    for at in 0..hello.len() {
        assert!(
            arrive(pair(), NOON, &flipped(&hello, at)).is_err(),
            "byte {at}"
        );
    }
}

#[test]
fn every_byte_of_the_answer_counts() {
    let (dialing, hello) = dial(pair(), NOON, required(3));
    let (_, answer) = answer(arrive(pair(), NOON, &hello).unwrap(), required(3)).unwrap();
    assert!(dialing.finish(&answer).is_ok());
    for at in 0..answer.len() {
        assert!(dialing.finish(&flipped(&answer, at)).is_err(), "byte {at}");
    }
}

#[test]
fn every_byte_of_the_finish_counts() {
    let ([hello, _, finish], _) = run();
    for at in 0..finish.len() {
        let arrival = arrive(pair(), NOON, &hello).unwrap();
        let (answered, _) = answer(arrival, required(3)).unwrap();
        let found = answered.complete(&flipped(&finish, at)).err().unwrap();
        assert!(matches!(found, LinkError::Confirmation { .. }), "byte {at}");
    }
}

#[test]
fn every_byte_of_the_knock_counts() {
    let caller = pair().dialer.identity;
    let knock = frame::knock(&caller);
    assert_eq!(frame::read_knock(&knock).unwrap(), caller);
    for at in 0..knock.len() {
        // A changed name is another's, or none; the hello that follows is signed by the right one.
        let read = frame::read_knock(&flipped(&knock, at));
        assert!(
            read.is_err() || at >= 6 && read.unwrap() != caller,
            "byte {at}"
        );
    }
}

#[test]
fn messages_that_are_cut_or_go_on_are_refused() {
    let (dialing, hello) = dial(pair(), NOON, required(3));
    let (_, answered) = answer(arrive(pair(), NOON, &hello).unwrap(), required(3)).unwrap();
    for (message, read) in [
        (
            &hello,
            &(|it: &[u8]| arrive(pair(), NOON, it).err()) as &dyn Fn(&[u8]) -> Option<LinkError>,
        ),
        (&answered, &|it| dialing.finish(it).err()),
        (&frame::knock(&pair().dialer.identity).to_vec(), &|it| {
            frame::read_knock(it).err()
        }),
    ] {
        let longer = [&message[..], &[0]].concat();
        for bytes in [&message[..message.len() - 1], &message[..5], &[], &longer] {
            let found = read(bytes).unwrap();
            assert!(matches!(found, LinkError::Message { .. }), "{found}");
        }
    }
}

#[test]
fn both_ends_agree_on_namespace_chain_genesis_and_both_keys_of_both() {
    let (_, hello) = dial(pair(), NOON, required(3));
    let changes: [fn(&mut Pair); 7] = [
        |it| it.namespace = b"harbour_STREAM2".to_vec(),
        |it| it.domain.chain = ChainId::parse("quay").unwrap(),
        |it| it.domain.genesis = Digest::of(b"genesis 2"),
        |it| it.domain.epoch = 1,
        |it| it.domain.purpose = Purpose::Vote,
        |it| it.listener.identity = keys(3).end().identity,
        |it| it.listener.signing = keys(3).end().signing,
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut pair = pair();
        change(&mut pair);
        let found = arrive(pair, NOON, &hello).err().unwrap();
        assert!(
            matches!(found, LinkError::IdentityProof { .. }),
            "{number}: {found}"
        );
    }
}

/// Somebody with one of the private keys of a validator, who otherwise does everything right.
fn impostor(identity: u8, signing: u8) -> NodeKeys {
    NodeKeys {
        identity: keys(identity).identity.clone(),
        signing: keys(signing).signing.clone(),
    }
}

#[test]
fn half_of_the_private_keys_of_a_listener_are_not_enough_to_be_it() {
    let (dialing, hello) = dial(pair(), NOON, required(3));
    let answered_by = |keys| {
        let arrival = arrive(pair(), NOON, &hello).unwrap();
        let rng = &mut ChaCha20Rng::seed_from_u64(2);
        let (_, message) = arrival.answer(&keys, required(3), rng).unwrap();
        dialing.finish(&message).err()
    };
    assert!(answered_by(impostor(2, 2)).is_none());
    let found = answered_by(impostor(2, 3));
    assert!(matches!(found, Some(LinkError::SigningProof { .. })));
    let found = answered_by(impostor(3, 2));
    assert!(matches!(found, Some(LinkError::IdentityProof { .. })));
}

#[test]
fn half_of_the_private_keys_of_a_dialer_are_not_enough_to_be_it() {
    let called_by = |keys| {
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        let (_, hello) = Dialing::start(pair(), &keys, now(NOON), required(3), rng);
        arrive(pair(), NOON, &hello).err()
    };
    assert!(called_by(impostor(1, 1)).is_none());
    let found = called_by(impostor(1, 3));
    assert!(matches!(found, Some(LinkError::SigningProof { .. })));
    let found = called_by(impostor(3, 1));
    assert!(matches!(found, Some(LinkError::IdentityProof { .. })));
}

#[test]
fn times_are_believed_from_age_max_before_to_just_before_ahead_max_after() {
    let (_, hello) = dial(pair(), NOON, required(3));
    let checked = |at| arrive(pair(), at, &hello).err();
    assert!(checked(NOON).is_none());
    assert!(checked(NOON + 10_000).is_none());
    assert!(checked(NOON - 4_999).is_none());
    for at in [NOON + 10_001, NOON - 5_000, 0, u64::MAX] {
        let found = checked(at).unwrap();
        assert!(
            matches!(found, LinkError::Time { theirs: NOON, .. }),
            "{found}"
        );
    }
    let answered_at = |at| {
        let (dialing, hello) = dial(pair(), NOON, required(3));
        let mut arrival = arrive(pair(), NOON, &hello).unwrap();
        arrival.set_time(at);
        let (_, message) = answer(arrival, required(3)).unwrap();
        dialing.finish(&message).err()
    };
    assert!(answered_at(NOON - 10_000).is_none() && answered_at(NOON + 4_999).is_none());
    for at in [NOON - 10_001, NOON + 5_000] {
        assert!(matches!(answered_at(at), Some(LinkError::Time { .. })));
    }
}

/// A hello that D really signs.
fn signed(change: impl FnOnce(&mut Hello)) -> Vec<u8> {
    let (_, honest) = dial(pair(), NOON, required(3));
    let mut hello = Hello::decode(&honest[..honest.len() - Proof::SIZE]).unwrap();
    change(&mut hello);
    let body = hello.to_bytes();
    let hash = step("tieline.link.hello/1", pair().hash(), &body);
    [body, keys(1).prove(&pair(), hash).to_bytes()].concat()
}

#[test]
fn shares_that_give_no_secret_are_refused_although_they_are_signed() {
    let low = signed(|hello| hello.share = [0; 32]);
    let found = answer(arrive(pair(), NOON, &low).unwrap(), required(3)).err();
    assert!(matches!(
        found,
        Some(LinkError::Share {
            what: "X25519 share",
            ..
        })
    ));
    let large = signed(|hello| hello.kem = [0xff; 1184]);
    let found = arrive(pair(), NOON, &large).err();
    assert!(matches!(
        found,
        Some(LinkError::Share {
            what: "ML-KEM-768 encapsulation key",
            ..
        })
    ));
}

#[test]
fn a_hello_that_contradicts_its_own_policy_is_refused() {
    let offers_for_none = signed(|hello| hello.policy = PskPolicy::None);
    let requires_without = signed(|hello| hello.psk = None);
    for hello in [offers_for_none, requires_without] {
        let found = arrive(pair(), NOON, &hello).err();
        assert!(matches!(found, Some(LinkError::PskContradiction { .. })));
    }
    assert!(arrive(pair(), NOON, &signed(|_| ())).is_ok());
}

#[test]
fn a_dialer_takes_no_verdict_that_its_policy_or_the_listener_s_own_forbids() {
    use PskPolicy::{None as No, Preferred, Required};
    let peer = keys(2).end().identity;
    let settle = |own, offers: bool, theirs, verdict| {
        let stock = stock(own, offers.then(|| psk(3)));
        stock
            .settle(&peer, (theirs, verdict))
            .map(|(psk, why)| (psk.is_some(), why))
    };
    let lost = Some(Why::NotFound { id: ID });
    let fine = [
        (settle(No, false, No, Verdict::Unused), (false, None)),
        (settle(No, false, Preferred, Verdict::Unused), (false, None)),
        (
            settle(Preferred, true, Preferred, Verdict::Used),
            (true, None),
        ),
        (
            settle(Preferred, true, Required, Verdict::Used),
            (true, None),
        ),
        (
            settle(Required, true, Preferred, Verdict::Used),
            (true, None),
        ),
        (
            settle(Preferred, true, Preferred, Verdict::Unused),
            (false, lost),
        ),
    ];
    for (found, expected) in fine {
        assert_eq!(found.unwrap(), expected);
    }
    for theirs in [No, Preferred, Required] {
        let found = settle(Required, true, theirs, Verdict::Unused);
        assert!(matches!(found, Err(LinkError::PskDeclined { .. })));
        let found = settle(No, false, theirs, Verdict::Used);
        assert!(matches!(found, Err(LinkError::PskContradiction { .. })));
    }
    let found = settle(No, false, Required, Verdict::Unused);
    assert!(matches!(found, Err(LinkError::PskContradiction { .. })));
    let found = settle(Preferred, true, No, Verdict::Used);
    assert!(matches!(found, Err(LinkError::PskContradiction { .. })));
}

#[test]
fn a_listener_that_says_it_uses_the_key_must_have_it() {
    let (dialing, hello) = dial(pair(), NOON, required(3));
    let (_, wrong) = answer(arrive(pair(), NOON, &hello).unwrap(), required(4)).unwrap();
    let found = dialing.finish(&wrong).err();
    assert!(matches!(found, Some(LinkError::Confirmation { .. })));
}

#[test]
fn an_answer_to_another_hello_is_refused() {
    let (dialing, _) = dial(pair(), NOON, required(3));
    let (_, other) = dial(pair(), NOON + 1, required(3));
    let (_, answer) = answer(arrive(pair(), NOON, &other).unwrap(), required(3)).unwrap();
    let found = dialing.finish(&answer).err();
    assert!(matches!(found, Some(LinkError::IdentityProof { .. })));
}

#[test]
fn qkd_keys_have_a_length_that_is_worth_it() {
    let psk = |bytes| Psk::new(ID, Zeroizing::new(vec![1; bytes])).err();
    for bytes in [0, 31, 1025] {
        assert_eq!(psk(bytes), Some(NoPsk::Length { bytes }));
    }
    assert!(psk(32).is_none() && psk(1024).is_none());
    assert!(!format!("{:?}", self::psk(3)).contains("3, 3"));
}

/// Against values that Python's hmac and hashlib gave.
#[test]
fn the_derivation_is_hkdf_sha_256_over_the_secrets_with_their_lengths() {
    let keys = |psk: &[u8]| {
        let secrets = Secrets {
            psk,
            kem: &[4; 32],
            dh: &[5; 32],
        };
        let keys = Keys::derive(&secrets, Digest::from_bytes([6; 32]));
        [*keys.session, *keys.dialer, *keys.listener].map(|key| Digest::from_bytes(key).to_string())
    };
    assert_eq!(
        keys(&[3; 32]),
        [
            "90cef96e27b54f3479aa2a3f7b5f8aae84d7ab497813841c7fd56b172ae5d234",
            "32ea6022114543bedc37233bc945a669f5ed21735e262e228d3475f6120832ae",
            "ffc3ffb7c06539ff714dace783d44a0aae311854a964221cf6646da2bb5e128b"
        ]
    );
    assert_eq!(
        keys(&[])[0],
        "41912098dd4b3c7d6458f68cbf4f1952fea2004291af3b7a389561e1dd4244c4"
    );
}

proptest! {
    /// Each of the secrets, and the transcript, is enough to change every key.
    #[test]
    fn every_secret_counts(parts in any::<[[u8; 32]; 4]>(), which in 0usize..4, bit in 0usize..256) {
        let derive = |[psk, kem, dh, hash]: &[[u8; 32]; 4]| {
            let keys = Keys::derive(&Secrets { psk, kem, dh }, Digest::from_bytes(*hash));
            [*keys.session, *keys.dialer, *keys.listener]
        };
        let mut other = parts;
        other[which][bit / 8] ^= 1 << (bit % 8);
        let (one, other) = (derive(&parts), derive(&other));
        for (place, key) in one.iter().enumerate() {
            prop_assert!(!other.contains(key));
            prop_assert!(!one[place + 1..].contains(key));
        }
    }

    /// What is no message of ours is refused, whatever it is.
    #[test]
    fn nonsense_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..5000)) {
        prop_assert!(frame::read_knock(&bytes).is_err());
        prop_assert!(arrive(pair(), NOON, &bytes).is_err());
    }
}
