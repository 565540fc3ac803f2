//! How much key a fibre gives: the link model's average rate at its length.

use std::collections::{BTreeMap, BTreeSet};

use tieline_qkd::link::optimum::{Optimiser, Optimum};
use tieline_qkd::link::preset::DeviceClass;

/// The devices at both ends of every link: entry level, 39 kb/s at 10 km, 6 at 50, none at 200. `tieline qkd
/// model --preset entry` shows the same rates.
pub const PRESET: DeviceClass = DeviceClass::Entry;

/// Longest fibre that is asked the model, metres: no preset gives key at half of it.
const FIBRE_M_MAX: u32 = 400_000;

/// Digits of a rate that count. The model is a floating-point search; so cut, its last bits do not show.
const DIGITS: u32 = 3;

/// Bits per second of every length of fibre in metres; 0 where none arrive.
pub fn of_fibres(fibres_m: BTreeSet<u32>) -> BTreeMap<u32, u64> {
    let preset = PRESET.preset();
    let optimiser = Optimiser {
        device: preset.device,
        security: preset.security,
    };
    let near: Vec<u32> = (fibres_m.iter().copied())
        .filter(|fibre_m| *fibre_m <= FIBRE_M_MAX)
        .collect();
    let losses_db: Vec<f64> = (near.iter())
        .map(|fibre_m| preset.device.loss_db(f64::from(*fibre_m) / 1000.0))
        .collect();
    let rows = optimiser.table(&losses_db, &[preset.block_bits], &mut |_| {});
    let rate = |optimum: &Optimum| {
        let bits = optimum.bits_per_pulse() * preset.pulse_rate_hz as f64;
        cut(bits.max(0.0).floor() as u64)
    };
    let mut rates: BTreeMap<u32, u64> = fibres_m.into_iter().map(|fibre_m| (fibre_m, 0)).collect();
    for (fibre_m, row) in near.into_iter().zip(&rows) {
        rates.insert(fibre_m, row.first().map_or(0, rate));
    }
    rates
}

/// The first [`DIGITS`] digits, zeros behind.
fn cut(bits: u64) -> u64 {
    let digits = bits.checked_ilog10().map_or(1, |log| log + 1);
    let unit = 10_u64.pow(digits.saturating_sub(DIGITS));
    bits / unit * unit
}
