//! The block engine: rates, eavesdroppers, time.

use proptest::prelude::*;
use tieline_qkd::link::block::{Block, LinkConfig, LinkError, LinkModel};
use tieline_qkd::link::conditions::{Conditions, Timeline};
use tieline_qkd::link::preset::{DeviceClass, Preset};
use tieline_qkd::link::verdict::Reason;

const SEED: [u8; 32] = [7; 32];

fn model(class: DeviceClass, length_km: f64) -> LinkModel {
    LinkModel::new(LinkConfig::new(class.preset(), length_km), SEED).unwrap()
}

/// The blocks of `count` block times under steady conditions.
fn blocks_under(model: &mut LinkModel, conditions: Conditions, count: u64) -> Vec<Block> {
    model.set_timeline(Timeline::steady(conditions));
    let block_ms =
        model.pulses_per_block() as f64 * 1000.0 / model.config().preset.pulse_rate_hz as f64;
    model.advance((block_ms * count as f64).ceil() as u64)
}

#[test]
fn a_quiet_link_releases_the_rate_of_the_formula() {
    for (class, length_km) in [(DeviceClass::Entry, 10.0), (DeviceClass::HighEnd, 50.0)] {
        let mut model = model(class, length_km);
        let blocks = blocks_under(&mut model, Conditions::QUIET, 200);
        assert_eq!(blocks.len(), 200);
        let rate_bps = blocks.iter().map(Block::rate_bps).sum::<f64>() / 200.0;
        println!("{class:?} {length_km} km: {rate_bps:.0} bit/s");
        for block in &blocks {
            assert_eq!(block.reasons, [], "{block:?}");
            assert!(block.released_bits as f64 <= block.key.length_bits);
        }
    }
}

#[test]
fn presets_have_the_rates_they_are_named_for() {
    let rate_bps = |class, length_km| {
        blocks_under(&mut model(class, length_km), Conditions::QUIET, 3)[1].rate_bps()
    };
    for length_km in [10.0, 50.0, 90.0] {
        let rate = rate_bps(DeviceClass::Entry, length_km);
        println!("entry {length_km} km {rate}");
        assert!((1e2..1e5).contains(&rate), "{length_km} km: {rate}");
    }
    let rate = rate_bps(DeviceClass::HighEnd, 50.0);
    assert!((2.5e5..3.5e5).contains(&rate), "{rate}");
}

#[test]
fn attack_25_intercept_resend_of_ten_percent_is_seen_within_a_block() {
    for class in DeviceClass::ALL {
        let conditions = Conditions {
            intercept_resend_share: 0.1,
            ..Conditions::QUIET
        };
        for block in blocks_under(&mut model(class, 25.0), conditions, 20) {
            assert_eq!(block.released_bits, 0);
            assert!(
                block
                    .reasons
                    .iter()
                    .any(|reason| matches!(reason, Reason::Qber { .. })),
                "{:?}",
                block.reasons
            );
        }
    }
}

#[test]
fn attack_25_full_intercept_resend_raises_the_hard_alarm() {
    let conditions = Conditions {
        intercept_resend_share: 1.0,
        ..Conditions::QUIET
    };
    for block in blocks_under(&mut model(DeviceClass::Entry, 25.0), conditions, 20) {
        assert_eq!(block.released_bits, 0);
        assert!(
            matches!(block.reasons[0], Reason::QberAlarm { .. }),
            "{:?}",
            block.reasons
        );
        assert!((block.qber().unwrap() - 0.26).abs() < 0.01);
    }
}

#[test]
fn attack_25_photon_splitting_is_caught_by_decoys_and_not_by_the_error_rate() {
    for share in [0.2, 0.5, 1.0] {
        let mut model = model(DeviceClass::Entry, 50.0);
        let quiet = model.calibration().counts;
        let conditions = Conditions {
            photon_splitting_share: share,
            ..Conditions::QUIET
        };
        for block in blocks_under(&mut model, conditions, 20) {
            assert_eq!(block.released_bits, 0);
            assert!(
                block
                    .reasons
                    .iter()
                    .any(|reason| matches!(reason, Reason::DecoyYield { .. })),
                "{share}: {:?}",
                block.reasons
            );
            let by_errors = |reason: &Reason| {
                matches!(
                    reason,
                    Reason::Qber { .. } | Reason::QberAlarm { .. } | Reason::Loss { .. }
                )
            };
            assert!(!block.reasons.iter().any(by_errors), "{:?}", block.reasons);
            // The signal clicks as ever: without decoys nothing would show.
            assert!((block.counts.x.clicks[0] / quiet.x.clicks[0] - 1.0).abs() < 0.01);
        }
    }
}

#[test]
fn decoy_bounds_alone_take_the_key_of_a_split_block() {
    let mut model = model(DeviceClass::Entry, 50.0);
    let conditions = Conditions {
        photon_splitting_share: 1.0,
        ..Conditions::QUIET
    };
    for block in blocks_under(&mut model, conditions, 5) {
        assert_eq!(block.key.whole_bits(), 0, "{:?}", block.key);
    }
}

#[test]
fn attack_25_loss_to_60_db_stops_the_key_and_says_so() {
    let mut model = model(DeviceClass::Entry, 25.0);
    let hour_ms = 3_600_000;
    let cut = Conditions {
        extra_loss_db: 60.0,
        ..Conditions::QUIET
    };
    model.set_timeline(Timeline::through(vec![
        (0, Conditions::QUIET),
        (hour_ms, cut),
    ]));
    let blocks = model.advance(hour_ms);
    assert!(blocks[0].released_bits > 0);
    let last = blocks.last().unwrap();
    assert_eq!(last.released_bits, 0);
    assert!(matches!(last.reasons[0], Reason::Loss { .. }));
    for block in &blocks {
        assert_eq!(block.is_aborted(), block.released_bits == 0);
        // From 30 dB on, half of the hour, nothing is left to make a key of.
        assert!(block.start_ms < hour_ms / 2 || block.is_aborted());
    }
}

#[test]
fn three_db_more_loss_makes_keys_rarer_and_raises_no_decoy_alarm() {
    let mut model = model(DeviceClass::Entry, 25.0);
    let conditions = Conditions {
        extra_loss_db: 3.5,
        ..Conditions::QUIET
    };
    for block in blocks_under(&mut model, conditions, 20) {
        assert!(block.released_bits > 0, "{:?}", block.reasons);
        assert!(
            block
                .reasons
                .iter()
                .all(|reason| matches!(reason, Reason::Loss { .. }))
        );
    }
}

#[test]
fn attack_25_an_error_rate_ramp_from_3_to_12_percent_stops_the_key_then_raises_the_hard_alarm() {
    let mut model = model(DeviceClass::Entry, 25.0);
    let base = model.calibration().qber;
    let hour_ms = 3_600_000;
    let with = |qber: f64| Conditions {
        extra_error: qber - base,
        ..Conditions::QUIET
    };
    model.set_timeline(Timeline::through(vec![
        (0, with(0.03)),
        (hour_ms, with(0.12)),
    ]));
    let blocks = model.advance(hour_ms);
    assert!(blocks[0].released_bits > 0, "{:?}", blocks[0].reasons);
    let mut alarms = 0;
    for block in &blocks {
        let qber = block.counts.x.error_rate().max(block.counts.z.error_rate());
        let hard = block
            .reasons
            .iter()
            .any(|reason| matches!(reason, Reason::QberAlarm { .. }));
        // The alarm comes with the block that crosses the line, not later.
        assert_eq!(hard, qber > 0.11, "{qber}");
        alarms += u32::from(hard);
        if qber > base + 0.0125 {
            assert_eq!(block.released_bits, 0);
            assert!(!block.reasons.is_empty());
        }
    }
    assert!(alarms > 10);
}

#[test]
fn blocks_do_not_depend_on_how_time_is_cut() {
    let (mut whole, mut parts) = (
        model(DeviceClass::HighEnd, 25.0),
        model(DeviceClass::HighEnd, 25.0),
    );
    let at_once = whole.advance(60_000);
    let in_steps: Vec<Block> = (1..=60)
        .flat_map(|second| parts.advance(second * 1000))
        .collect();
    assert_eq!(at_once, in_steps);
    assert!(at_once.len() > 3);
    assert!(
        at_once
            .windows(2)
            .all(|pair| pair[0].end_ms == pair[1].start_ms)
    );
}

#[test]
fn both_ends_have_the_same_bytes_and_every_block_its_own() {
    let (mut here, mut there) = (
        model(DeviceClass::Entry, 10.0),
        model(DeviceClass::Entry, 10.0),
    );
    let blocks = here.advance(600_000);
    assert_eq!(blocks, there.advance(600_000));
    let mut seen = std::collections::BTreeSet::new();
    for block in &blocks {
        let bytes = here.released_bytes(block);
        assert_eq!(bytes, there.released_bytes(block));
        assert_eq!(bytes.len() as u64 * 8, block.released_bits);
        assert!(seen.insert(bytes[..32].to_vec()));
    }
    let other = LinkModel::new(*here.config(), [8; 32]).unwrap();
    assert_ne!(
        other.released_bytes(&blocks[0]),
        here.released_bytes(&blocks[0])
    );
}

#[test]
fn a_link_without_key_and_numbers_out_of_range_are_refused() {
    let preset = DeviceClass::Entry.preset();
    let no_key = LinkModel::new(LinkConfig::new(preset, 300.0), SEED);
    assert!(matches!(no_key, Err(LinkError::NoKey { .. })));
    let still = Preset {
        pulse_rate_hz: 0,
        ..preset
    };
    for config in [
        LinkConfig::new(still, 10.0),
        LinkConfig::new(preset, -1.0),
        LinkConfig::new(preset, f64::NAN),
    ] {
        assert!(matches!(
            LinkModel::new(config, SEED),
            Err(LinkError::Range { .. })
        ));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn counts_are_consistent_under_any_conditions(
        q in 0.0..=1.0f64, split in 0.0..=1.0f64, loss in 0.0..60.0f64, error in 0.0..0.5f64, seed: [u8; 32],
    ) {
        static MODEL: std::sync::OnceLock<LinkModel> = std::sync::OnceLock::new();
        let template = MODEL.get_or_init(|| model(DeviceClass::HighEnd, 25.0));
        let mut model = template.reseeded(seed);
        let conditions = Conditions {
            intercept_resend_share: q,
            photon_splitting_share: split,
            extra_loss_db: loss,
            extra_error: error,
        };
        for block in blocks_under(&mut model, conditions, 2) {
            for basis in [block.counts.x, block.counts.z] {
                for index in 0..3 {
                    prop_assert!(basis.errors[index] <= basis.clicks[index]);
                }
                prop_assert!(basis.clicks_total() <= model.pulses_per_block() as f64);
            }
            prop_assert_eq!(block.released_bits == 0, block.is_aborted());
            prop_assert!(block.released_bits as f64 <= block.key.length_bits.max(0.0));
        }
    }

    #[test]
    fn a_timeline_stays_between_its_points(a in 0.0..1.0f64, b in 0.0..1.0f64, at in 0u64..3000) {
        let point = |q: f64| Conditions { intercept_resend_share: q, ..Conditions::QUIET };
        let timeline = Timeline::through(vec![(1000, point(a)), (2000, point(b))]);
        let q = timeline.at(at).intercept_resend_share;
        prop_assert!(q >= a.min(b) - 1e-12 && q <= a.max(b) + 1e-12);
    }
}
