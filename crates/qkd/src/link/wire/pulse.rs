//! The quantum part, pulse by pulse: Alice prepares, the line carries or an eavesdropper meddles, Bob measures.
//!
//! **Simulated**: photons are drawn from a seeded generator. An after-pulse is counted with the next pulse of the same
//! intensity, as the formulas of Lim et al. 2014 have it; in nature it follows the next pulse of any intensity.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use zeroize::Zeroizing;

use super::bits::Bits;
use crate::link::channel::{Device, INTENSITIES, Settings};
use crate::link::conditions::Conditions;

/// Most photons of a pulse that are told apart; the chance of more is below 1e-9 at μ = 1.
const PHOTONS_MAX: usize = 12;

/// The quantum part of a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantumSetup {
    /// Receiver and fibre.
    pub device: Device,
    /// Calibrated loss, dB.
    pub loss_db: f64,
    /// Bases and intensities.
    pub settings: Settings,
    /// Pulses of a block, below 2^32.
    pub pulses: u32,
}

/// What Alice keeps of her pulses: bit, basis, intensity of each.
pub struct Prepared(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Prepared(<redacted>, {} pulses)", self.0.len())
    }
}

/// One pulse as Alice made it.
#[derive(Clone, Copy)]
pub(crate) struct Pulse {
    pub(crate) bit: bool,
    pub(crate) basis_x: bool,
    pub(crate) intensity: u8,
}

impl Prepared {
    /// Number of pulses.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True without pulses.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn get(&self, index: u32) -> Option<Pulse> {
        self.0.get(index as usize).map(|&record| Pulse {
            bit: record & 1 == 1,
            basis_x: record & 2 == 2,
            intensity: record >> 2,
        })
    }
}

/// What Bob keeps of his clicks.
#[derive(Debug, Default)]
pub struct Detected {
    /// Which pulses clicked, rising.
    pub(crate) pulses: Vec<u32>,
    /// His basis for each: true for X.
    pub(crate) basis_x: Bits,
    /// What he saw.
    pub(crate) bits: Bits,
}

impl Detected {
    /// Number of clicks.
    pub fn len(&self) -> usize {
        self.pulses.len()
    }

    /// True without clicks.
    pub fn is_empty(&self) -> bool {
        self.pulses.is_empty()
    }
}

/// Sends a block of pulses: Alice's choices, the line and Bob's choices each have randomness of their own.
pub fn transmit(
    setup: &QuantumSetup,
    conditions: &Conditions,
    seed: [u8; 32],
) -> (Prepared, Detected) {
    let stream = |stream: u64| {
        let mut random = ChaCha8Rng::from_seed(seed);
        random.set_stream(stream);
        random
    };
    let mut alice = Source::new(&setup.settings, stream(0));
    let mut line = Line::new(setup, conditions, stream(1));
    let mut bob = Receiver {
        basis_x: thresholded(setup.settings.basis_x_probability),
        random: stream(2),
        seen: Detected::default(),
    };
    let mut records = Zeroizing::new(Vec::with_capacity(setup.pulses as usize));
    for index in 0..setup.pulses {
        let pulse = alice.prepare();
        records.push(u8::from(pulse.bit) | u8::from(pulse.basis_x) << 1 | pulse.intensity << 2);
        if let Some(arrival) = line.carry(pulse) {
            bob.measure(index, arrival);
        }
    }
    (Prepared(records), bob.seen)
}

/// Makes pulses.
struct Source {
    basis_x: u64,
    intensity: [u64; INTENSITIES],
    random: ChaCha8Rng,
}

impl Source {
    fn new(settings: &Settings, random: ChaCha8Rng) -> Source {
        let [first, second, _] = settings.intensity_probability;
        Source {
            basis_x: thresholded(settings.basis_x_probability),
            intensity: [thresholded(first), thresholded(first + second), u64::MAX],
            random,
        }
    }

    fn prepare(&mut self) -> Pulse {
        let (basis, intensity) = (self.random.next_u64(), self.random.next_u64());
        let intensity = self.intensity.iter().position(|&limit| intensity < limit);
        Pulse {
            // The threshold compares the high bits; the lowest is free.
            bit: basis & 1 == 1,
            basis_x: basis >> 1 < self.basis_x >> 1,
            intensity: intensity.unwrap_or(INTENSITIES - 1) as u8,
        }
    }
}

/// What reaches Bob's detectors.
#[derive(Clone, Copy)]
enum Arrival {
    /// A photon with this basis and bit.
    Photon { basis_x: bool, bit: bool },
    /// A dark count or an after-pulse.
    Noise,
}

/// Fibre, eavesdropper and detectors.
struct Line {
    /// Chance of at most so many photons, by intensity.
    photons: [[u64; PHOTONS_MAX]; INTENSITIES],
    /// Chance that a pulse of so many photons is seen.
    passed: [u64; PHOTONS_MAX + 1],
    dark: u64,
    afterpulse: u64,
    resent: u64,
    wrong: [u64; 2],
    pending: [bool; INTENSITIES],
    random: ChaCha8Rng,
}

impl Line {
    fn new(setup: &QuantumSetup, conditions: &Conditions, random: ChaCha8Rng) -> Line {
        let (device, loss_db) = (&setup.device, setup.loss_db + conditions.extra_loss_db);
        let eta = device.system_efficiency(loss_db);
        let signal = setup.settings.intensity[0];
        let split = conditions.multi_photon_yield(device, loss_db, signal);
        let seen = |photons: usize| match photons {
            0 => 0.0,
            1 => eta * (1.0 - conditions.photon_splitting_share),
            _ if conditions.photon_splitting_share > 0.0 => split,
            _ => 1.0 - (1.0 - eta).powi(photons as i32),
        };
        Line {
            photons: setup.settings.intensity.map(poisson),
            passed: std::array::from_fn(|photons| thresholded(seen(photons))),
            dark: thresholded(2.0 * device.dark_count_probability),
            afterpulse: thresholded(device.afterpulse_probability),
            resent: thresholded(conditions.intercept_resend_share),
            wrong: [device.misalignment_error, conditions.extra_error].map(thresholded),
            pending: [false; INTENSITIES],
            random,
        }
    }

    /// What arrives of a pulse, if anything.
    fn carry(&mut self, pulse: Pulse) -> Option<Arrival> {
        let number = self.random.next_u64();
        let law = &self.photons[usize::from(pulse.intensity)];
        let photons = law.partition_point(|&limit| limit <= number);
        let pending = &mut self.pending[usize::from(pulse.intensity)];
        let arrival = if self.random.next_u64() < self.passed[photons] {
            self.meddle(pulse)
        } else if self.random.next_u64() < self.dark {
            Arrival::Noise
        } else if std::mem::take(pending) {
            // An after-pulse breeds no other.
            return Some(Arrival::Noise);
        } else {
            return None;
        };
        if self.random.next_u64() < self.afterpulse {
            self.pending[usize::from(pulse.intensity)] = true;
        }
        Some(arrival)
    }

    /// The photon as the line, or who listens there, leaves it.
    fn meddle(&mut self, pulse: Pulse) -> Arrival {
        let (mut basis_x, mut bit) = (pulse.basis_x, pulse.bit);
        if self.random.next_u64() < self.resent {
            let choice = self.random.next_u64();
            let guess_x = choice & 1 == 1;
            if guess_x != basis_x {
                bit = choice & 2 == 2;
            }
            basis_x = guess_x;
        }
        for wrong in self.wrong {
            bit ^= self.random.next_u64() < wrong;
        }
        Arrival::Photon { basis_x, bit }
    }
}

/// Measures.
struct Receiver {
    basis_x: u64,
    random: ChaCha8Rng,
    seen: Detected,
}

impl Receiver {
    /// Bob's basis does not depend on what arrives: it is drawn when something does.
    fn measure(&mut self, index: u32, arrival: Arrival) {
        let choice = self.random.next_u64();
        let basis_x = choice >> 1 < self.basis_x >> 1;
        let random_bit = choice & 1 == 1;
        let bit = match arrival {
            Arrival::Photon {
                basis_x: sent_x,
                bit,
            } if sent_x == basis_x => bit,
            Arrival::Photon { .. } | Arrival::Noise => random_bit,
        };
        self.seen.pulses.push(index);
        self.seen.basis_x.push(basis_x);
        self.seen.bits.push(bit);
    }
}

/// A random word lies below this with that chance.
fn thresholded(chance: f64) -> u64 {
    // The cast holds at the ends: 2^64 becomes u64::MAX.
    (chance.clamp(0.0, 1.0) * 18_446_744_073_709_551_616.0) as u64
}

/// Chance of at most 0, 1, 2, … photons.
fn poisson(mean: f64) -> [u64; PHOTONS_MAX] {
    let (mut term, mut sum) = ((-mean).exp(), 0.0);
    std::array::from_fn(|photons| {
        sum += term;
        term *= mean / (photons + 1) as f64;
        thresholded(sum)
    })
}
