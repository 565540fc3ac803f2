//! The settings that give most key per pulse, for a block size and a loss.
//!
//! A search that starts where no key is possible sees no slope. So each search starts from the optimum of an easier
//! neighbour: from the largest block at no loss the loss grows in small steps, then the block shrinks.

use super::channel::{Device, INTENSITIES, Settings};
use super::rate::{Counts, FiniteKey, Security, key_length};
use super::simplex::maximise;

/// μ3 of Lim et al. 2014: what is left of a pulse that is switched off.
pub const DIMMEST_INTENSITY: f64 = 2e-4;

/// Where the walk begins, sifted bits, and its steps.
const BLOCK_EASY_BITS: f64 = 1e9;
const BLOCK_STEP: f64 = 3.2;
const LOSS_STEP_DB: f64 = 3.0;

/// Number of free settings: p_X, p_1, p_2, μ1, μ2.
const FREE: usize = 5;

/// The best settings of one block size and loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Optimum {
    /// The settings.
    pub settings: Settings,
    /// N, pulses that give the block on average.
    pub pulses: f64,
    /// ℓ on average.
    pub key: FiniteKey,
}

impl Optimum {
    /// R = ℓ/N, bits per pulse; 0 when there is no key.
    pub fn bits_per_pulse(&self) -> f64 {
        (self.key.length_bits / self.pulses).max(0.0)
    }
}

/// Finds optima for one device and one demand for security.
#[derive(Clone, Copy, Debug)]
pub struct Optimiser {
    /// Receiver and fibre.
    pub device: Device,
    /// Demand.
    pub security: Security,
}

impl Optimiser {
    /// Best settings for blocks of `block_bits` sifted bits over `loss_db`.
    pub fn optimum(&self, block_bits: f64, loss_db: f64) -> Optimum {
        let easy = block_bits.max(BLOCK_EASY_BITS);
        let start = self.walk_loss(easy, (0.0, loss_db), self.improve(easy, 0.0, START));
        let point = self.walk_block((easy, block_bits), loss_db, start);
        self.at(block_bits, loss_db, &settings_of(&point))
    }

    /// Optima for every loss (outer, dB) and every block size (inner, sifted bits), each found from its neighbour.
    ///
    /// Losses must rise and block sizes fall. `progress` hears the number of losses done.
    pub fn table(
        &self,
        losses_db: &[f64],
        blocks_bits: &[f64],
        progress: &mut dyn FnMut(usize),
    ) -> Vec<Vec<Optimum>> {
        let easy = blocks_bits
            .first()
            .map_or(BLOCK_EASY_BITS, |&first| first.max(BLOCK_EASY_BITS));
        let (mut start, mut loss_before) = (self.improve(easy, 0.0, START), 0.0);
        let mut rows = Vec::with_capacity(losses_db.len());
        for &loss_db in losses_db {
            start = self.walk_loss(easy, (loss_before, loss_db), start);
            loss_before = loss_db;
            let (mut point, mut block_before) = (start, easy);
            let row = blocks_bits.iter().map(|&block_bits| {
                point = self.walk_block((block_before, block_bits), loss_db, point);
                block_before = block_bits;
                self.at(block_bits, loss_db, &settings_of(&point))
            });
            rows.push(row.collect());
            progress(rows.len());
        }
        rows
    }

    fn walk_loss(
        &self,
        block_bits: f64,
        (from, to): (f64, f64),
        start: [f64; FREE],
    ) -> [f64; FREE] {
        let steps = ((to - from) / LOSS_STEP_DB).ceil().max(1.0) as u32;
        (1..=steps).fold(start, |point, step| {
            let loss = from + (to - from) * f64::from(step) / f64::from(steps);
            self.improve(block_bits, loss, point)
        })
    }

    fn walk_block(&self, (from, to): (f64, f64), loss_db: f64, start: [f64; FREE]) -> [f64; FREE] {
        let (mut block, mut point) = (from, start);
        while block > to {
            block = (block / BLOCK_STEP).max(to);
            point = self.improve(block, loss_db, point);
        }
        point
    }

    /// What `settings` give on average for a block of `block_bits` sifted bits over `loss_db`.
    pub fn at(&self, block_bits: f64, loss_db: f64, settings: &Settings) -> Optimum {
        let pulses = block_bits / settings.sifted_per_pulse(&self.device, loss_db);
        let counts = Counts::expected(&self.device, loss_db, settings, pulses);
        Optimum {
            settings: *settings,
            pulses,
            key: key_length(settings, &counts, &self.security),
        }
    }

    /// One search, begun again with shorter edges until it gains nothing.
    fn improve(&self, block_bits: f64, loss_db: f64, start: [f64; FREE]) -> [f64; FREE] {
        let score = |point: &[f64; FREE]| {
            let optimum = self.at(block_bits, loss_db, &settings_of(point));
            let score = if optimum.key.length_bits > 0.0 {
                optimum.bits_per_pulse()
            } else {
                // Per sifted bit: per pulse, a worse key would win by taking more pulses.
                optimum.key.length_bits / block_bits
            };
            if score.is_finite() {
                score
            } else {
                f64::NEG_INFINITY
            }
        };
        let (mut point, mut best) = (start, score(&start));
        for edge in [0.3, -0.3, 0.1, -0.1] {
            let (found, gained) = maximise(&score, point, edge);
            if gained > best {
                (point, best) = (found, gained);
            }
        }
        point
    }
}

/// logit p_X, log p_1/p_3, log p_2/p_3, log(μ1 − μ2 − μ3), log(μ2 − μ3): every point is allowed.
const START: [f64; FREE] = [2.2, 1.2, 0.4, -1.0, -2.0];

fn settings_of(point: &[f64; FREE]) -> Settings {
    let weights = [point[1].exp(), point[2].exp(), 1.0];
    let sum: f64 = weights.iter().sum();
    let weak = DIMMEST_INTENSITY + point[4].exp();
    let strong = weak + DIMMEST_INTENSITY + point[3].exp();
    let mut intensity_probability = [0.0; INTENSITIES];
    for (chance, weight) in intensity_probability.iter_mut().zip(weights) {
        *chance = weight / sum;
    }
    Settings {
        basis_x_probability: 1.0 / (1.0 + (-point[0]).exp()),
        intensity_probability,
        intensity: [strong, weak, DIMMEST_INTENSITY],
    }
}
