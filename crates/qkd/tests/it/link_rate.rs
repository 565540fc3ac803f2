//! Rates against reference values.
//!
//! The reference table was computed by another implementation of Lim et al. 2014, with its own optimiser.

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng as _;
use tieline_qkd::link::channel::{Device, Settings, SettingsError};
use tieline_qkd::link::entropy::binary_entropy;
use tieline_qkd::link::gys::Asymptotic;
use tieline_qkd::link::optimum::Optimiser;
use tieline_qkd::link::rate::{Counts, Security, key_length, key_length_with_leak};

const OPTIMISER: Optimiser = Optimiser {
    device: Device::LIM_2014,
    security: Security::LIM_2014,
};

const LENGTHS_KM: [f64; 8] = [0.0, 25.0, 50.0, 75.0, 100.0, 135.0, 150.0, 175.0];

/// Bits per pulse by block size and length; `None` where the reference has no number.
const REFERENCE: [(f64, [Option<f64>; 8]); 4] = [
    (
        1e9,
        [
            Some(9.20e-3),
            Some(2.84e-3),
            Some(8.90e-4),
            Some(2.78e-4),
            Some(8.54e-5),
            Some(1.45e-5),
            Some(5.86e-6),
            Some(4.4e-7),
        ],
    ),
    (
        1e7,
        [
            Some(5.36e-3),
            Some(1.65e-3),
            Some(5.14e-4),
            Some(1.59e-4),
            Some(4.77e-5),
            Some(7.35e-6),
            Some(2.64e-6),
            None,
        ],
    ),
    (
        1e6,
        [
            Some(3.19e-3),
            Some(9.80e-4),
            Some(3.05e-4),
            Some(9.39e-5),
            Some(2.75e-5),
            Some(3.68e-6),
            Some(1.10e-6),
            None,
        ],
    ),
    (
        1e5,
        [
            Some(1.31e-3),
            Some(4.00e-4),
            Some(1.24e-4),
            Some(3.75e-5),
            Some(1.04e-5),
            Some(8.8e-7),
            None,
            None,
        ],
    ),
];

#[test]
fn every_cell_of_the_reference_table_is_met_within_one_percent() {
    let losses_db = LENGTHS_KM.map(|length_km| Device::LIM_2014.loss_db(length_km));
    let blocks = REFERENCE.map(|row| row.0);
    let table = OPTIMISER.table(&losses_db, &blocks, &mut |_| ());
    for (column, (block, row)) in REFERENCE.iter().enumerate() {
        for (index, expected) in row.iter().enumerate() {
            let found = table[index][column].bits_per_pulse();
            println!("{block:e} {} km: {found:.3e}", LENGTHS_KM[index]);
            if let Some(expected) = expected {
                // Acceptance asks for 5 %; the reference has two or three digits.
                let near = (found / expected - 1.0).abs() < 0.01;
                assert!(
                    near,
                    "{block:e}, {} km: {found:e} for {expected:e}",
                    LENGTHS_KM[index]
                );
            }
        }
    }
}

#[test]
fn a_single_optimum_equals_the_cell_of_the_table() {
    for (block, length_km) in [(1e5, 135.0), (1e6, 50.0), (1e9, 175.0)] {
        let loss_db = Device::LIM_2014.loss_db(length_km);
        let single = OPTIMISER.optimum(block, loss_db).bits_per_pulse();
        let table = OPTIMISER.table(&[0.0, loss_db], &[1e9, block], &mut |_| ());
        let cell = table[1][1].bits_per_pulse();
        assert!((single / cell - 1.0).abs() < 1e-3, "{single:e} {cell:e}");
    }
}

fn rate(optimiser: &Optimiser, block_bits: f64, length_km: f64) -> f64 {
    let loss_db = optimiser.device.loss_db(length_km);
    optimiser.optimum(block_bits, loss_db).bits_per_pulse()
}

fn ratio_at_100_km(optimiser: &Optimiser) -> f64 {
    rate(optimiser, 1e9, 100.0) / rate(optimiser, 1e7, 100.0)
}

#[test]
fn a_block_of_1e9_gives_1_75_times_the_rate_of_1e7_at_100_km() {
    // Lim et al. 2014: "about 1.75 times".
    let ratio = ratio_at_100_km(&OPTIMISER);
    assert!((ratio - 1.75).abs() < 0.1, "{ratio}");
}

/// Longest link with key at blocks of 1e4, tenths of km.
fn reach_of_1e4_km(optimiser: &Optimiser) -> f64 {
    let (mut key, mut none) = (100.0, 160.0);
    while none - key > 0.1 {
        let middle = (key + none) / 2.0;
        if rate(optimiser, 1e4, middle) > 0.0 {
            key = middle;
        } else {
            none = middle;
        }
    }
    key
}

#[test]
fn blocks_of_1e4_reach_130_km_where_the_paper_reads_135() {
    let reach_km = reach_of_1e4_km(&OPTIMISER);
    assert!((reach_km - 130.4).abs() < 0.3, "{reach_km}");
}

/// Settings `spread` around others (a factor of up to e^±spread on odds and intensities), from words of 0 to 1.
fn around(settings: &Settings, spread: f64, draw: &mut impl FnMut() -> f64) -> Settings {
    let mut factor = || ((2.0 * draw() - 1.0) * spread).exp();
    let odds = settings.basis_x_probability / (1.0 - settings.basis_x_probability) * factor();
    let weights = settings
        .intensity_probability
        .map(|chance| chance * factor());
    let sum: f64 = weights.iter().sum();
    let [strong, weak, dim] = settings.intensity;
    let weak_more = (weak - dim) * factor();
    Settings {
        basis_x_probability: odds / (1.0 + odds),
        intensity_probability: weights.map(|weight| weight / sum),
        intensity: [
            dim * 2.0 + weak_more + (strong - weak - dim) * factor(),
            dim + weak_more,
            dim,
        ],
    }
}

#[test]
fn no_settings_drawn_at_random_beat_the_optimum_at_1e4() {
    let mut random = ChaCha8Rng::from_seed([4; 32]);
    let mut draw = || random.next_u32() as f64 / f64::from(u32::MAX);
    for (length_km, best_possible) in [(100.0, None), (131.0, Some(0.0))] {
        let loss_db = Device::LIM_2014.loss_db(length_km);
        let optimum = OPTIMISER.optimum(1e4, loss_db);
        let best = best_possible.unwrap_or(optimum.bits_per_pulse() * 1.000_1);
        for index in 0..50_000 {
            let spread = if index % 2 == 0 { 3.0 } else { 0.3 };
            let settings = around(&optimum.settings, spread, &mut draw);
            assert!(settings.checked().is_ok());
            let found = OPTIMISER.at(1e4, loss_db, &settings).bits_per_pulse();
            assert!(found <= best, "{length_km} km: {found:e} by {settings:?}");
        }
    }
}

#[test]
fn one_constant_moved_gives_both_claims_of_the_paper() {
    // docs/link-model.md: which constants, each moved alone, give 135 km and the ratio 1.75 together.
    let device = |device: Device| Optimiser {
        device,
        ..OPTIMISER
    };
    let security = |security: Security| Optimiser {
        security,
        ..OPTIMISER
    };
    let moved = [
        (
            "p_ap 3 %",
            device(Device {
                afterpulse_probability: 0.03,
                ..Device::LIM_2014
            }),
        ),
        (
            "e_mis 0",
            device(Device {
                misalignment_error: 0.0,
                ..Device::LIM_2014
            }),
        ),
        (
            "kappa 1e-12",
            security(Security {
                secrecy_per_bit: 1e-12,
                ..Security::LIM_2014
            }),
        ),
    ];
    for (name, optimiser) in moved {
        let (reach_km, ratio) = (reach_of_1e4_km(&optimiser), ratio_at_100_km(&optimiser));
        println!("{name}: reach {reach_km:.1} km, ratio {ratio:.3}");
        assert!((reach_km - 135.0).abs() < 1.0, "{name}: {reach_km}");
        assert!((ratio - 1.75).abs() < 0.01, "{name}: {ratio}");
    }
}

#[test]
fn the_printed_readings_that_we_do_not_follow_contradict_the_paper_itself() {
    // λ_EC = f·h(e) without n_X: above the paper's own plot, which ends at 1e-2.
    let no_leak = Optimiser {
        security: Security {
            correction_efficiency: 0.0,
            ..Security::LIM_2014
        },
        ..OPTIMISER
    };
    assert!(rate(&no_leak, 1e9, 0.0) > 1.5e-2);
    // η_ch in the exponent of e_k makes errors some ten times as many: 1e4 gives no key over 25 km.
    let channel = Optimiser {
        device: Device {
            misalignment_error: 0.05,
            ..Device::LIM_2014
        },
        ..OPTIMISER
    };
    assert!(rate(&channel, 1e4, 25.0) == 0.0);
    assert!(ratio_at_100_km(&channel) > 2.5);
}

#[test]
fn the_asymptotic_yardstick_of_gys_is_met() {
    let expected = [
        (0.0, 2.555e-3),
        (20.0, 9.625e-4),
        (50.0, 2.226e-4),
        (100.0, 1.718e-5),
        (140.0, 2.465e-7),
    ];
    for (length_km, expected) in expected {
        let found = Asymptotic::GYS.bits_per_pulse(length_km);
        assert!(
            (found / expected - 1.0).abs() < 0.01,
            "{length_km} km: {found:e}"
        );
    }
    let zero_km = Asymptotic::GYS.zero_rate_km();
    assert!((zero_km - 142.0).abs() < 0.2, "{zero_km}");
}

#[test]
fn settings_out_of_range_are_named() {
    let good = OPTIMISER.optimum(1e7, 0.0).settings;
    assert_eq!(good.checked(), Ok(good));
    let never = Settings {
        basis_x_probability: 1.0,
        ..good
    };
    assert_eq!(
        never.checked(),
        Err(SettingsError::Probability {
            name: "p_X",
            value: 1.0
        })
    );
    let heavy = Settings {
        intensity_probability: [0.5, 0.4, 0.2],
        ..good
    };
    assert!(matches!(heavy.checked(), Err(SettingsError::Sum { .. })));
    let equal = Settings {
        intensity: [0.5, 0.5, 0.0],
        ..good
    };
    assert!(matches!(equal.checked(), Err(SettingsError::Order { .. })));
}

#[test]
fn no_counts_give_no_key() {
    let settings = OPTIMISER.optimum(1e7, 0.0).settings;
    let key = key_length(&settings, &Counts::default(), &Security::LIM_2014);
    assert_eq!(key.whole_bits(), 0);
    assert!(!key.bounds.phase_error.is_nan());
}

proptest! {
    #[test]
    fn more_errors_or_more_leak_never_lengthen_the_key(
        length_km in 0.0..150.0f64,
        more in 0.0..0.2f64,
        leak in 0.0..1e6f64,
    ) {
        let settings = OPTIMISER.at(1e7, 0.0, &fixed()).settings;
        let loss_db = Device::LIM_2014.loss_db(length_km);
        let counts = Counts::expected(&Device::LIM_2014, loss_db, &settings, 1e11);
        let mut noisy = counts;
        for index in 0..3 {
            noisy.x.errors[index] += counts.x.clicks[index] * more;
            noisy.z.errors[index] += counts.z.clicks[index] * more;
        }
        let security = Security::LIM_2014;
        let (quiet, loud) = (key_length(&settings, &counts, &security), key_length(&settings, &noisy, &security));
        prop_assert!(loud.length_bits <= quiet.length_bits + 1e-6);
        let leaky = key_length_with_leak(&settings, &counts, &security, quiet.leaked_bits + leak);
        prop_assert!(leaky.length_bits <= quiet.length_bits + 1e-6);
    }

    #[test]
    fn the_bounds_hold_what_the_channel_really_does(length_km in 0.0..150.0f64, power in 6.0..10.0f64) {
        // Single photons and vacuum of the model are known: the bounds lie below them.
        let (device, settings) = (Device::LIM_2014, fixed());
        let loss_db = device.loss_db(length_km);
        let pulses = 10f64.powf(power) / settings.sifted_per_pulse(&device, loss_db);
        let counts = Counts::expected(&device, loss_db, &settings, pulses);
        let key = key_length(&settings, &counts, &Security::LIM_2014);
        let both = pulses * settings.basis_x_probability.powi(2);
        let single = device.response_to(device.system_efficiency(loss_db)).clicks;
        let vacuum = device.response_to(0.0).clicks;
        prop_assert!(key.bounds.single_x <= both * settings.photon_number_probability(1) * single);
        prop_assert!(key.bounds.vacuum_x <= both * settings.photon_number_probability(0) * vacuum);
        prop_assert!(key.length_bits < counts.x.clicks_total());
    }

    #[test]
    fn entropy_is_symmetric_and_at_most_one(p in 0.0..=1.0f64) {
        prop_assert!((binary_entropy(p) - binary_entropy(1.0 - p)).abs() < 1e-12);
        prop_assert!((0.0..=1.0).contains(&binary_entropy(p)));
    }
}

/// Settings that suit many links.
fn fixed() -> Settings {
    Settings {
        basis_x_probability: 0.9,
        intensity_probability: [0.6, 0.25, 0.15],
        intensity: [0.5, 0.15, 2e-4],
    }
}
