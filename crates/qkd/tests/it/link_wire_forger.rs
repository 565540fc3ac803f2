//! Wire mode against somebody who has the pads: what the protocol itself still refuses.

use tieline_qkd::link::conditions::Conditions;
use tieline_qkd::link::wire::message::{Message, Stretch};
use tieline_qkd::link::wire::{Abort, Bits};

use crate::link_wire::{PADS, Pair, assert_nothing_released, bright, pool};

/// Why a block ends in which `change` rewrites messages, with tags that fit.
fn abort_of(change: &mut dyn FnMut(&mut Message)) -> Abort {
    let (mut reads, mut writes) = (pool(PADS), pool(PADS));
    let end = Pair::new(bright(), PADS).run_tampered(Conditions::QUIET, &mut |from, frame| {
        let bytes = reads.open(from, frame, true).unwrap();
        let (block, mut message) = Message::decode(bytes).unwrap();
        change(&mut message);
        *frame = writes.seal(from, &message.encode(block)).unwrap();
    });
    assert_nothing_released(&end);
    end.abort.unwrap()
}

/// Rewrites a message.
type Change = fn(&mut Message);

fn shortened(bits: &Bits) -> Bits {
    bits.iter().take(bits.len() - 1).collect()
}

#[test]
fn a_changed_hash_or_parity_is_seen_by_verification() {
    let abort = abort_of(&mut |message| {
        if let Message::Verify { digest, .. } = message {
            *digest ^= 1;
        }
    });
    assert_eq!(abort, Abort::KeysDiffer);
    // Wrong parities of one pass leave errors, or make them.
    let mut answers = 0;
    let abort = abort_of(&mut |message| {
        if let Message::Answer { parities } = message {
            answers += 1;
            if answers > 20 {
                (0..parities.len()).for_each(|index| parities.flip(index));
            }
        }
    });
    let seen = matches!(
        abort,
        Abort::KeysDiffer | Abort::Errors { .. } | Abort::Auth(_)
    );
    assert!(seen, "{abort:?}");
}

#[test]
fn a_length_that_was_not_found_here_is_refused() {
    let abort = abort_of(&mut |message| {
        if let Message::Amplify { length_bits, .. } = message {
            *length_bits += 8;
        }
    });
    assert!(matches!(abort, Abort::Length { announced, found } if announced == found + 8));
}

#[test]
fn check_bits_that_differ_are_an_eavesdropper() {
    let abort = abort_of(&mut |message| {
        if let Message::Check { check } = message {
            (0..check.len() / 10).for_each(|index| check.flip(index));
        }
    });
    assert!(
        matches!(abort, Abort::Errors { basis: 'Z', .. }),
        "{abort:?}"
    );
    let abort = abort_of(&mut |message| {
        if let Message::Corrected { errors } = message {
            *errors *= 2;
        }
    });
    assert!(
        matches!(abort, Abort::Errors { basis: 'X', .. }),
        "{abort:?}"
    );
}

#[test]
fn messages_whose_parts_do_not_fit_are_refused() {
    let changes: [(&str, Change); 9] = [
        ("detections", |message| {
            if let Message::Detections { pulses, .. } = message {
                pulses.swap(0, 1);
            }
        }),
        ("detections", |message| {
            if let Message::Detections { pulses, .. } = message {
                pulses.pop();
            }
        }),
        ("detections", |message| {
            if let (Message::Detections { pulses, .. }, last) = (message, u32::MAX) {
                *pulses.last_mut().unwrap() = last;
            }
        }),
        ("sifting", |message| {
            if let Message::Sifting { intensities, .. } = message {
                intensities[0] = 3;
            }
        }),
        ("sifting", |message| {
            if let Message::Sifting { intensities, .. } = message {
                intensities.pop();
            }
        }),
        ("check", |message| {
            if let Message::Check { check } = message {
                *check = shortened(check);
            }
        }),
        ("ask", |message| {
            if let Message::Ask { stretches } = message {
                stretches.push(Stretch {
                    pass: 0,
                    start: 0,
                    end: u32::MAX,
                });
            }
        }),
        ("answer", |message| {
            if let Message::Answer { parities } = message {
                *parities = shortened(parities);
            }
        }),
        ("amplify", |message| {
            if let Message::Amplify { seed, .. } = message {
                *seed = shortened(seed);
            }
        }),
    ];
    for (name, mut change) in changes {
        let abort = abort_of(&mut change);
        let named = matches!(abort, Abort::Malformed { message, .. } if message == name);
        assert!(named, "{name}: {abort:?}");
    }
}

#[test]
fn authentic_bytes_that_are_no_message_are_refused() {
    let mut writes = pool(PADS);
    let end = Pair::new(bright(), PADS).run_tampered(Conditions::QUIET, &mut |from, frame| {
        *frame = writes.seal(from, b"no message").unwrap();
    });
    assert_nothing_released(&end);
    assert!(
        matches!(end.abort, Some(Abort::Decode(_))),
        "{:?}",
        end.abort
    );
}
