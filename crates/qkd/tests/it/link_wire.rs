//! Wire mode: whole blocks, and what an attacker does to their messages.

use proptest::prelude::*;
use tieline_qkd::link::block::{LinkConfig, LinkError};
use tieline_qkd::link::channel::Device;
use tieline_qkd::link::conditions::Conditions;
use tieline_qkd::link::preset::{DeviceClass, Preset};
use tieline_qkd::link::verdict::Reason;
use tieline_qkd::link::wire::{
    Abort, Alice, AuthError, AuthPool, Bob, Direction, ErrorTest, Exchange, WireConfig, exchange,
    pulse,
};

/// Pads per direction of a test's pool, and how many of them are reserve.
pub(crate) const PADS: usize = 300;
const RESERVE: usize = 80;

/// One end's pool; the same every time.
pub(crate) fn pool(pads: usize) -> AuthPool {
    let material: Vec<u8> = (0..16 + 32 * pads)
        .map(|index| (index * 37 % 253) as u8)
        .collect();
    AuthPool::new(&material, RESERVE).unwrap()
}

/// Both ends of a link and what happens between them.
pub(crate) struct Pair {
    config: WireConfig,
    alice: Alice,
    bob: Bob,
    block: u64,
}

impl Pair {
    pub(crate) fn new(config: WireConfig, pads: usize) -> Pair {
        let pool = || pool(pads);
        Pair {
            config,
            alice: Alice::new(config, pool(), [1; 32]),
            bob: Bob::new(config, pool()),
            block: 0,
        }
    }

    fn run(&mut self, conditions: Conditions) -> Exchange {
        self.run_tampered(conditions, &mut |_, _| ())
    }

    pub(crate) fn run_tampered(
        &mut self,
        conditions: Conditions,
        wire: &mut dyn FnMut(Direction, &mut Vec<u8>),
    ) -> Exchange {
        self.block += 1;
        let pulses = pulse::transmit(&self.config.setup, &conditions, [self.block as u8; 32]);
        exchange((&mut self.alice, &mut self.bob), self.block, pulses, wire)
    }

    fn pads_left(&mut self) -> [[usize; 2]; 2] {
        [self.alice.pool().pads_left(), self.bob.pool().pads_left()]
    }
}

/// A link of the entry class over a kilometre, 300,000 sifted bits.
fn entry() -> WireConfig {
    let preset = Preset {
        block_bits: 3e5,
        ..DeviceClass::Entry.preset()
    };
    WireConfig::new(&LinkConfig::new(preset, 1.0)).unwrap()
}

/// A receiver that sees most photons, so that a block has few pulses.
pub(crate) fn bright() -> WireConfig {
    let preset = Preset {
        device: Device {
            receiver_efficiency: 0.8,
            ..Device::LIM_2014
        },
        block_bits: 1e5,
        ..DeviceClass::Entry.preset()
    };
    WireConfig::new(&LinkConfig::new(preset, 0.0)).unwrap()
}

pub(crate) fn assert_nothing_released(end: &Exchange) {
    assert!(end.abort.is_some());
    assert!(end.alice.is_none() && end.bob.is_none());
}

#[test]
fn both_ends_release_the_same_key_and_the_pool_is_full_again() {
    let mut pair = Pair::new(entry(), PADS);
    for block in 1..=2 {
        let end = pair.run(Conditions::QUIET);
        assert_eq!(end.abort, None);
        let (alice, bob) = (end.alice.unwrap(), end.bob.unwrap());
        println!(
            "block {block}: {} messages, f = {:.3}, key {:.0} bits of {} sifted, pool takes {}, {} are released",
            end.messages,
            alice.correction_efficiency,
            alice.length.length_bits,
            alice.counts.x.clicks_total(),
            alice.refilled_bytes * 8,
            alice.key.len() * 8,
        );
        assert_eq!(alice, bob);
        assert!(format!("{alice:?}").starts_with("Released(<redacted>"));
        assert!(alice.key.len() > 4000);
        assert!((1.0..1.3).contains(&alice.correction_efficiency));
        assert_eq!(alice.pads_spent, end.messages);
        assert_eq!(alice.refilled_bytes, 16 * end.messages);
        assert_eq!(pair.pads_left(), [[PADS; 2]; 2]);
    }
}

#[test]
fn photons_one_by_one_give_the_counts_of_the_formulas() {
    let mut pair = Pair::new(entry(), PADS);
    let expected = pair.config.calibration.counts;
    let counts = pair.run(Conditions::QUIET).alice.unwrap().counts;
    let near = |found: f64, expected: f64| (found - expected).abs() < 6.0 * expected.sqrt() + 1.0;
    for index in 0..3 {
        for (found, expected) in [(counts.x, expected.x), (counts.z, expected.z)] {
            assert!(
                near(found.clicks[index], expected.clicks[index]),
                "{counts:?} {expected:?}"
            );
        }
        assert!(
            near(counts.z.errors[index], expected.z.errors[index]),
            "{counts:?}"
        );
    }
    assert!(
        near(counts.x.errors_total(), expected.x.errors_total()),
        "{counts:?}"
    );
}

#[test]
fn attack_25_wire_mode_sees_ten_percent_of_intercept_resend_within_the_block() {
    let attack = Conditions {
        intercept_resend_share: 0.1,
        ..Conditions::QUIET
    };
    let mut pair = Pair::new(entry(), PADS);
    let end = pair.run(attack);
    assert_nothing_released(&end);
    assert!(
        matches!(end.abort, Some(Abort::Errors { .. })),
        "{:?}",
        end.abort
    );
    let mut pair = Pair::new(bright(), PADS);
    for _ in 0..20 {
        let end = pair.run(attack);
        assert_nothing_released(&end);
        assert!(
            matches!(end.abort, Some(Abort::Errors { .. })),
            "{:?}",
            end.abort
        );
    }
}

#[test]
fn attack_25_wire_mode_sees_photon_splitting_by_its_decoys() {
    // Photons are worth splitting where the line loses many: 10 dB, here lost in front of a good receiver.
    let preset = Preset {
        device: Device {
            receiver_efficiency: 0.8,
            ..Device::LIM_2014
        },
        block_bits: 1e5,
        ..DeviceClass::Entry.preset()
    };
    let config = WireConfig::new(&LinkConfig::new(preset, 50.0)).unwrap();
    let end = Pair::new(config, PADS).run(Conditions {
        photon_splitting_share: 1.0,
        ..Conditions::QUIET
    });
    assert_nothing_released(&end);
    let by_decoy = matches!(end.abort, Some(Abort::Refused(Reason::DecoyYield { .. })));
    assert!(by_decoy, "{:?}", end.abort);
}

#[test]
fn attack_25_wire_mode_gives_nothing_over_a_cut_line() {
    let end = Pair::new(bright(), PADS).run(Conditions {
        extra_loss_db: 60.0,
        ..Conditions::QUIET
    });
    assert_nothing_released(&end);
}

#[test]
fn attack_26_every_message_that_is_changed_ends_the_block() {
    let messages = Pair::new(bright(), PADS).run(Conditions::QUIET).messages;
    // Every twelfth, and the first and last ones: sifting, check, questions, parities, hashes, seed.
    let chosen = (0..messages).filter(|&at| at < 4 || at + 8 > messages || at % 12 == 0);
    for at in chosen {
        for place in [0, 8, 24, usize::MAX] {
            let mut seen = 0;
            let end = Pair::new(bright(), PADS).run_tampered(Conditions::QUIET, &mut |_, frame| {
                if seen == at {
                    // Number, tag, block, last byte.
                    let last = frame.len() - 1;
                    frame[place.min(last)] ^= 0x40;
                }
                seen += 1;
            });
            assert!(
                matches!(end.abort, Some(Abort::Auth(_))),
                "{at}: {:?}",
                end.abort
            );
            assert!(end.bob.is_none());
            // Whoever speaks last cannot know whether it was heard.
            assert_eq!(end.alice.is_some(), at + 1 == messages, "{at}");
        }
    }
}

#[test]
fn attack_26_a_replayed_message_ends_the_block() {
    // Within a block: message 6 is message 4, of the same direction, once more.
    let mut seen = Vec::new();
    let end = Pair::new(bright(), PADS).run_tampered(Conditions::QUIET, &mut |from, frame| {
        let before = seen.iter().rev().find(|(direction, _)| *direction == from);
        if let (6, Some((_, old))) = (seen.len(), before) {
            *frame = Vec::clone(old);
        }
        seen.push((from, frame.clone()));
    });
    assert_nothing_released(&end);
    assert!(
        matches!(end.abort, Some(Abort::Auth(AuthError::Replay { .. }))),
        "{:?}",
        end.abort
    );

    // From a block before: its first message in the place of the next block's first.
    let mut pair = Pair::new(bright(), PADS);
    let mut first = Vec::new();
    pair.run_tampered(Conditions::QUIET, &mut |_, frame| {
        if first.is_empty() {
            first = frame.clone();
        }
    });
    let end = pair.run_tampered(Conditions::QUIET, &mut |_, frame| *frame = first.clone());
    assert_nothing_released(&end);
    assert!(
        matches!(end.abort, Some(Abort::Auth(AuthError::Replay { .. }))),
        "{:?}",
        end.abort
    );
}

#[test]
fn attack_26_a_message_sent_back_or_left_out_ends_the_block() {
    // Bob's first message comes back to him in the place of Alice's answer.
    let mut first = None;
    let end = Pair::new(bright(), PADS).run_tampered(Conditions::QUIET, &mut |_, frame| {
        *frame = first.get_or_insert_with(|| frame.clone()).clone();
    });
    assert_nothing_released(&end);
    assert!(
        matches!(end.abort, Some(Abort::Auth(AuthError::Tag { .. }))),
        "{:?}",
        end.abort
    );

    // Bob's second message is lost: his third comes in its place.
    let mut pair = Pair::new(bright(), PADS);
    let pulses = pulse::transmit(&pair.config.setup, &Conditions::QUIET, [1; 32]);
    pair.alice.begin(1, pulses.0);
    let opened = pair.bob.begin(1, pulses.1).unwrap();
    let sifting = pair.alice.handle(&opened.frames[0]).unwrap();
    let check_and_ask = pair.bob.handle(&sifting.frames[0]).unwrap();
    let refused = pair.alice.handle(&check_and_ask.frames[1]).err();
    assert!(
        matches!(refused, Some(Abort::Auth(AuthError::Gap { .. }))),
        "{refused:?}"
    );
}

#[test]
fn attack_26_an_empty_pool_ends_the_block_and_keeps_the_reserve_for_a_new_start() {
    // Pads for half of a block beside the reserve.
    let mut pair = Pair::new(bright(), RESERVE + 20);
    let end = pair.run(Conditions::QUIET);
    assert_nothing_released(&end);
    assert!(
        matches!(end.abort, Some(Abort::Auth(AuthError::Empty { .. }))),
        "{:?}",
        end.abort
    );
    for _ in 0..3 {
        let end = pair.run(Conditions::QUIET);
        assert_nothing_released(&end);
        assert!(
            pair.pads_left()
                .as_flattened()
                .iter()
                .all(|&left| left >= RESERVE)
        );
    }
    // Somebody decides to spend the reserve: one block fills the pool.
    pair.alice.pool().open_reserve();
    pair.bob.pool().open_reserve();
    let end = pair.run(Conditions::QUIET);
    assert_eq!(end.abort, None);
    assert_eq!(end.alice, end.bob);
    assert_eq!(pair.pads_left(), [[RESERVE + 20; 2]; 2]);
}

#[test]
fn after_an_aborted_block_the_next_one_works() {
    let mut pair = Pair::new(bright(), PADS);
    let mut seen = 0;
    let end = pair.run_tampered(Conditions::QUIET, &mut |_, frame| {
        seen += 1;
        if seen == 9 {
            frame.truncate(10);
        }
    });
    assert_nothing_released(&end);
    assert!(
        matches!(end.abort, Some(Abort::Auth(AuthError::Frame { .. }))),
        "{:?}",
        end.abort
    );
    let end = pair.run(Conditions::QUIET);
    assert_eq!(end.abort, None);
    assert_eq!(end.alice, end.bob);
    let [alice, bob] = pair.pads_left();
    assert_eq!(alice, bob);
}

#[test]
fn a_message_that_is_not_due_or_of_another_block_is_refused() {
    let mut pair = Pair::new(bright(), PADS);
    let pulses = pulse::transmit(&pair.config.setup, &Conditions::QUIET, [1; 32]);
    let opened = pair.bob.begin(1, pulses.1).unwrap();
    let refused = pair.alice.handle(&opened.frames[0]).err();
    assert!(
        matches!(
            refused,
            Some(Abort::Block {
                expected: 0,
                found: 1
            })
        ),
        "{refused:?}"
    );

    let mut pair = Pair::new(bright(), PADS);
    let opened = pair.bob.begin(0, pulse::Detected::default()).unwrap();
    let refused = pair.alice.handle(&opened.frames[0]).err();
    assert!(
        matches!(refused, Some(Abort::OutOfOrder { .. })),
        "{refused:?}"
    );
}

#[test]
fn blocks_too_small_to_see_an_eavesdropper_are_refused() {
    let preset = Preset {
        block_bits: 1e4,
        ..DeviceClass::Entry.preset()
    };
    let refused = WireConfig::new(&LinkConfig::new(preset, 1.0));
    assert!(
        matches!(
            refused,
            Err(LinkError::Range {
                name: "block_bits",
                ..
            })
        ),
        "{refused:?}"
    );
}

#[test]
fn the_error_test_parts_ten_percent_of_intercept_resend_from_an_honest_line_with_18000_bits() {
    let qber = entry().calibration.qber;
    let attacked = qber + 0.1 / 4.0 * (1.0 - 2.0 * qber);
    let test = ErrorTest::calibrated(qber);
    let enough = (1..40).map(|thousands| thousands * 1000);
    let enough = enough
        .into_iter()
        .find(|&bits| test.miss_chance(bits, attacked) < 1e-9);
    println!("error rate {qber:.4}, attacked {attacked:.4}, bits needed: {enough:?}");
    assert_eq!(enough, Some(18_000));
}

proptest! {
    #[test]
    fn the_limit_on_errors_grows_with_the_sample_and_lies_above_the_tolerated_rate(
        bits in 0u64..1_000_000,
        rate in 0.0..0.2f64,
    ) {
        let test = ErrorTest::calibrated(rate);
        prop_assert!(test.limit(bits) as f64 > bits as f64 * test.tolerated);
        prop_assert!(test.limit(bits) <= test.limit(bits + 1));
    }
}
