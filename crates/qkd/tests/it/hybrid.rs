//! Hybrid agreements: both ends alike, nothing changed on the way, nothing weaker than allowed.

use tieline_qkd::hybrid::{
    AgreedKey, Decision, Grade, HybridError, Initiator, KeyRef, Label, Policy, Proposal, QkdKey,
    Reason, Terms,
};
use tieline_qkd::store::{KeyId, StoreError};
use tieline_uss::key::KeyError;
use zeroize::Zeroizing;

use crate::store_attacks::stocked;
use crate::store_pair::{entropy, sae};

pub(crate) fn terms() -> Terms {
    Terms {
        initiator: sae("gate-x"),
        responder: sae("gate-y"),
        purpose: b"epoch 7".to_vec(),
        bytes: 48,
    }
}

fn grade(label: Label) -> Grade {
    let qkd = match label {
        Label::PqOnly => Err(Reason::NoLink),
        Label::Hybrid | Label::Its => Ok(()),
    };
    match Policy::exactly(label).decide(qkd) {
        Decision::Go(grade) => grade,
        Decision::Stop { .. } => panic!("the policy asks for what there is"),
    }
}

pub(crate) const PLACE: KeyRef = KeyRef::Position(640);

fn qkd(first: u8) -> Option<QkdKey> {
    let bytes = (first..first + 32).collect();
    Some(QkdKey::new(PLACE, Zeroizing::new(bytes)))
}

fn key_for(label: Label) -> Option<QkdKey> {
    match label {
        Label::PqOnly => None,
        Label::Hybrid | Label::Its => qkd(1),
    }
}

/// What goes over the wire between two honest ends; `change` may put its hand in.
fn agree(
    label: Label,
    change: impl Fn(usize, &mut Vec<u8>),
) -> Result<[AgreedKey; 2], HybridError> {
    let mut random = [entropy(1), entropy(2)];
    let (initiator, mut first) =
        Initiator::start(terms(), grade(label), key_for(label), &mut random[0])?;
    change(0, &mut first);
    let proposal = Proposal::read(&first)?;
    let policy = Policy::new(Label::Hybrid, Label::PqOnly);
    let (responder, mut second) =
        proposal.respond(&terms(), &policy, key_for(label), &mut random[1])?;
    change(1, &mut second);
    let (ours, mut third) = initiator.finish(&second)?;
    change(2, &mut third);
    Ok([ours, responder.complete(&third)?])
}

#[test]
fn both_ends_get_the_same_key_label_and_transcript() {
    for label in [Label::PqOnly, Label::Hybrid] {
        let [ours, theirs] = agree(label, |_, _| {}).unwrap();
        assert_eq!((ours.label(), theirs.label()), (label, label));
        assert_eq!(ours.transcript(), theirs.transcript());
        assert_eq!(
            format!("{ours:?}"),
            format!("AgreedKey(<redacted>, {label})")
        );
        let (ours, theirs) = (ours.into_key(), theirs.into_key());
        assert_eq!(ours.expose(), theirs.expose());
        assert_eq!(ours.expose().len(), 48);
    }
}

#[test]
fn every_changed_byte_of_every_message_ends_the_agreement() {
    for label in [Label::PqOnly, Label::Hybrid] {
        for message in 0..3 {
            let length = std::cell::Cell::new(0);
            agree(label, |which, bytes| {
                if which == message {
                    length.set(bytes.len());
                }
            })
            .unwrap();
            for byte in 0..length.get() {
                for flip in [0x01, 0x80] {
                    let outcome = agree(label, |which, bytes| {
                        if which == message {
                            bytes[byte] ^= flip;
                        }
                    });
                    assert!(outcome.is_err(), "{label}: message {message}, byte {byte}");
                }
            }
        }
    }
}

#[test]
fn shorter_and_longer_messages_are_refused() {
    for message in 0..3 {
        let cut = agree(Label::Hybrid, |which, bytes| {
            if which == message {
                bytes.pop();
            }
        });
        assert!(matches!(cut, Err(HybridError::Message { .. })), "{message}");
        let longer = agree(Label::Hybrid, |which, bytes| {
            if which == message {
                bytes.push(0);
            }
        });
        assert!(
            matches!(longer, Err(HybridError::Message { .. })),
            "{message}"
        );
    }
}

#[test]
fn a_label_is_not_lowered_on_the_way() {
    // The place of the QKD key is taken out and the label changed, as somebody in between would do.
    let outcome = agree(Label::Hybrid, |which, bytes| {
        if which == 0 {
            bytes[6] = 1;
            let place = bytes.len() - 1184 - 32 - 9;
            bytes.splice(place..place + 9, [0]);
        }
    });
    assert!(
        matches!(outcome, Err(HybridError::UnusedQkdKey)),
        "{outcome:?}"
    );
    let mut random = entropy(3);
    let pq = grade(Label::PqOnly);
    let (_, first) = Initiator::start(terms(), pq, None, &mut random).unwrap();
    let outcome = Proposal::read(&first)
        .unwrap()
        .respond(&terms(), &Policy::exactly(Label::Hybrid), None, &mut random)
        .err();
    let refused = matches!(
        outcome,
        Some(HybridError::Refused {
            proposed: Label::PqOnly
        })
    );
    assert!(refused, "{outcome:?}");
}

#[test]
fn ends_with_different_qkd_keys_or_terms_get_no_key() {
    let mut random = entropy(4);
    let hybrid = || grade(Label::Hybrid);
    let policy = Policy::exactly(Label::Hybrid);
    let (initiator, first) = Initiator::start(terms(), hybrid(), qkd(1), &mut random).unwrap();
    let read = || Proposal::read(&first).unwrap();
    assert_eq!(read().place(), Some(PLACE));
    assert_eq!((read().label(), read().terms()), (Label::Hybrid, &terms()));
    let (_, second) = read()
        .respond(&terms(), &policy, qkd(2), &mut random)
        .unwrap();
    assert!(matches!(initiator.finish(&second), Err(HybridError::Proof)));
    let elsewhere = QkdKey::new(KeyRef::KeyId(KeyId([1; 16])), Zeroizing::new(vec![1; 32]));
    let outcome = read().respond(&terms(), &policy, Some(elsewhere), &mut random);
    assert!(matches!(outcome, Err(HybridError::OtherPlace)));
    let others = [
        (
            "initiator",
            Terms {
                initiator: sae("x"),
                ..terms()
            },
        ),
        (
            "responder",
            Terms {
                responder: sae("x"),
                ..terms()
            },
        ),
        (
            "purpose",
            Terms {
                purpose: vec![],
                ..terms()
            },
        ),
        (
            "length",
            Terms {
                bytes: 32,
                ..terms()
            },
        ),
    ];
    for (name, other) in others {
        let outcome = read().respond(&other, &policy, qkd(1), &mut random);
        let Err(HybridError::OtherTerms { what }) = outcome else {
            panic!("{name}");
        };
        assert_eq!(what, name);
    }
}

#[test]
fn keys_that_do_not_go_with_the_label_are_refused() {
    let mut random = entropy(5);
    let mut start = |label, key| Initiator::start(terms(), grade(label), key, &mut random).err();
    assert!(matches!(
        start(Label::Hybrid, None),
        Some(HybridError::NoQkdKey)
    ));
    assert!(matches!(
        start(Label::PqOnly, qkd(1)),
        Some(HybridError::UnusedQkdKey)
    ));
    assert!(matches!(
        start(Label::Its, qkd(1)),
        Some(HybridError::NotDerivable)
    ));
    let short = QkdKey::new(PLACE, Zeroizing::new(vec![1; 31]));
    let outcome = start(Label::Hybrid, Some(short));
    assert!(matches!(
        outcome,
        Some(HybridError::QkdKey(KeyError::Short {
            have: 248,
            need: 256
        }))
    ));
    for (bytes, purpose) in [(15, 0), (8_161, 0), (32, 1_025)] {
        let wrong = Terms {
            bytes,
            purpose: vec![0; purpose],
            ..terms()
        };
        let outcome = Initiator::start(wrong, grade(Label::Hybrid), qkd(1), &mut random);
        assert!(
            matches!(outcome, Err(HybridError::Terms { .. })),
            "{bytes} {purpose}"
        );
    }
}

#[test]
fn shares_of_small_order_are_refused() {
    // RFC 7748, section 7: a share of small order gives zero.
    for share in [[0; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        for message in 0..2 {
            let outcome = agree(Label::Hybrid, |which, bytes| {
                if which == message {
                    let at = if which == 0 {
                        bytes.len() - 1184 - 32
                    } else {
                        6
                    };
                    bytes[at..at + 32].copy_from_slice(&share);
                }
            });
            assert!(
                matches!(outcome, Err(HybridError::Share { .. })),
                "{outcome:?}"
            );
        }
    }
    // FIPS 203, section 7.2: coefficients below 3329.
    let outcome = agree(Label::Hybrid, |which, bytes| {
        if which == 0 {
            let at = bytes.len() - 1184;
            bytes[at..at + 2].fill(0xff);
        }
    });
    assert!(
        matches!(outcome, Err(HybridError::Share { .. })),
        "{outcome:?}"
    );
}

#[test]
fn attack_22_an_outage_lowers_the_label_only_where_the_policy_says_so_and_says_why() {
    use Label::{Hybrid, Its, PqOnly};
    let down = || Reason::Down {
        cause: "the key manager answers 503".to_owned(),
    };
    let stop = |least| Decision::Stop {
        possible: PqOnly,
        least,
        because: down(),
    };
    let outage = |wanted, least| Policy::new(wanted, least).decide(Err(down()));
    assert_eq!(outage(Its, Its), stop(Its));
    assert_eq!(outage(Its, Hybrid), stop(Hybrid));
    assert_eq!(outage(Hybrid, Hybrid), stop(Hybrid));
    for wanted in [Its, Hybrid] {
        let Decision::Go(grade) = outage(wanted, PqOnly) else {
            panic!("the policy makes do with pq-only");
        };
        assert_eq!((grade.label(), grade.because()), (PqOnly, Some(&down())));
    }
    let Decision::Go(grade) = outage(PqOnly, PqOnly) else {
        panic!("no QKD was wanted");
    };
    assert_eq!((grade.label(), grade.because()), (PqOnly, None));
    for (wanted, least) in [(Its, PqOnly), (Hybrid, PqOnly), (Its, Its)] {
        let Decision::Go(grade) = Policy::new(wanted, least).decide(Ok(())) else {
            panic!("everything works");
        };
        assert_eq!((grade.label(), grade.because()), (wanted, None));
    }
    // The reason stays with the key.
    let Decision::Go(lower) = outage(Hybrid, PqOnly) else {
        panic!("the policy makes do with pq-only");
    };
    let mut random = entropy(6);
    let (initiator, first) = Initiator::start(terms(), lower, None, &mut random).unwrap();
    let policy = Policy::new(Hybrid, PqOnly);
    let proposal = Proposal::read(&first).unwrap();
    let (_, second) = proposal
        .respond(&terms(), &policy, None, &mut random)
        .unwrap();
    let (key, _) = initiator.finish(&second).unwrap();
    assert_eq!((key.label(), key.because()), (PqOnly, Some(&down())));
}

#[test]
fn a_key_from_the_store_makes_a_hybrid_key_and_its_shortage_a_reason() {
    let mut pair = stocked(1);
    let lane = pair.out(0);
    let terms = Terms {
        initiator: sae("a"),
        responder: sae("b"),
        ..terms()
    };
    let policy = Policy::exactly(Label::Hybrid);
    let mut random = entropy(7);
    let pad = pair.ends[0].store().draw(&lane, 256).unwrap();
    let place = KeyRef::Position(pad.position());
    let ours = Some(QkdKey::new(place, pad.into_bytes()));
    let (initiator, first) =
        Initiator::start(terms.clone(), grade(Label::Hybrid), ours, &mut random).unwrap();
    let proposal = Proposal::read(&first).unwrap();
    let Some(KeyRef::Position(position)) = proposal.place() else {
        panic!("the key is in a lane");
    };
    let pad = pair.ends[1].store().draw_at(&lane, position, 256).unwrap();
    let theirs = Some(QkdKey::new(place, pad.into_bytes()));
    let (responder, second) = proposal
        .respond(&terms, &policy, theirs, &mut random)
        .unwrap();
    let (ours, third) = initiator.finish(&second).unwrap();
    let theirs = responder.complete(&third).unwrap();
    assert_eq!(ours.into_key().expose(), theirs.into_key().expose());
    let short: StoreError = pair.ends[0].store().draw(&lane, 100_000).unwrap_err();
    assert_eq!(
        policy.decide(Err(Reason::from(&short))),
        Decision::Stop {
            possible: Label::PqOnly,
            least: Label::Hybrid,
            because: Reason::Short {
                have: 32_768 - 256,
                need: 100_000
            }
        }
    );
}
