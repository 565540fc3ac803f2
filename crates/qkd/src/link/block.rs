//! Blocks without photons: counts are drawn, the key length follows from what was drawn.
//!
//! A block is a fixed number of pulses, so that its time does not depend on the line. Its counts per basis and
//! intensity are drawn from binomial distributions; the same seed and block number give the same block.
//!
//! **Simulated**: the released bits come from a seeded generator and are secret to nobody who knows the seed.

use std::fmt;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use rand_distr::{Binomial, Distribution as _, Normal};
use zeroize::Zeroizing;

use super::channel::{INTENSITIES, Response, Settings, SettingsError};
use super::conditions::{Conditions, Timeline};
use super::optimum::Optimiser;
use super::preset::Preset;
use super::rate::{BasisCounts, Counts, FiniteKey, key_length};
use super::verdict::{Calibration, Policy, Reason, foretold_clicks};

/// Most blocks that one call of [`LinkModel::advance`] returns.
pub const BLOCKS_PER_CALL_MAX: usize = 1 << 20;

/// A link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkConfig {
    /// Device, pulse rate, block size, demand.
    pub preset: Preset,
    /// Length of the fibre, km.
    pub length_km: f64,
    /// Standard deviation of the error rate from block to block.
    pub qber_jitter: f64,
    /// When a block is thrown away.
    pub policy: Policy,
}

impl LinkConfig {
    /// A preset over so much fibre, with 0.1 points of jitter.
    pub fn new(preset: Preset, length_km: f64) -> LinkConfig {
        LinkConfig {
            preset,
            length_km,
            qber_jitter: 0.001,
            policy: Policy::default(),
        }
    }

    /// Calibrated loss, dB.
    pub fn loss_db(&self) -> f64 {
        self.preset.device.loss_db(self.length_km)
    }
}

/// A link that cannot be modelled.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// No settings give key at this length and block size.
    #[error("no key over {length_km} km with blocks of {block_bits} sifted bits")]
    NoKey {
        /// Length, km.
        length_km: f64,
        /// Block size, sifted bits.
        block_bits: f64,
    },
    /// A number out of range.
    #[error("{name} is {value}, must be {range}")]
    Range {
        /// Which.
        name: &'static str,
        /// What it is.
        value: f64,
        /// What it must be.
        range: &'static str,
    },
    /// Settings that no protocol can run with.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

/// One finished block.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Number, from 0.
    pub number: u64,
    /// When its first pulse left, ms.
    pub start_ms: u64,
    /// When its last pulse left, ms.
    pub end_ms: u64,
    /// What was counted.
    pub counts: Counts,
    /// Length of the key and what it rests on.
    pub key: FiniteKey,
    /// Bits released: 0 when the block was thrown away, else whole bytes.
    pub released_bits: u64,
    /// What is wrong: alarms for a human. A fatal one means that the block was thrown away.
    pub reasons: Vec<Reason>,
}

impl Block {
    /// Error rate of the key's basis; none without clicks.
    pub fn qber(&self) -> Option<f64> {
        (self.counts.x.clicks_total() > 0.0).then(|| self.counts.x.error_rate())
    }

    /// True when the block was thrown away.
    pub fn is_aborted(&self) -> bool {
        self.reasons.iter().any(Reason::is_fatal)
    }

    /// Released bits per second.
    pub fn rate_bps(&self) -> f64 {
        self.released_bits as f64 * 1000.0 / (self.end_ms - self.start_ms).max(1) as f64
    }
}

/// A link in virtual time.
#[derive(Clone)]
pub struct LinkModel {
    config: LinkConfig,
    settings: Settings,
    pulses: u64,
    calibration: Calibration,
    timeline: Timeline,
    seed: [u8; 32],
    next_block: u64,
}

impl fmt::Debug for LinkModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkModel")
            .field("config", &self.config)
            .field("next_block", &self.next_block)
            .finish_non_exhaustive()
    }
}

impl LinkModel {
    /// A quiet link with its best settings.
    ///
    /// # Errors
    /// [`LinkError::NoKey`] when no settings give key, [`LinkError::Range`] for numbers that mean nothing.
    pub fn new(config: LinkConfig, seed: [u8; 32]) -> Result<LinkModel, LinkError> {
        let preset = config.preset;
        let ranges = [
            ("length_km", config.length_km, 0.0..=1e4, "0 to 10000"),
            ("block_bits", preset.block_bits, 1e3..=1e12, "1e3 to 1e12"),
            ("qber_jitter", config.qber_jitter, 0.0..=0.1, "0 to 0.1"),
            (
                "pulse_rate_hz",
                preset.pulse_rate_hz as f64,
                1.0..=1e12,
                "1 to 1e12",
            ),
        ];
        for (name, value, allowed, range) in ranges {
            if !allowed.contains(&value) {
                return Err(LinkError::Range { name, value, range });
            }
        }
        let optimiser = Optimiser {
            device: preset.device,
            security: preset.security,
        };
        let optimum = optimiser.optimum(preset.block_bits, config.loss_db());
        if optimum.key.whole_bits() == 0 {
            return Err(LinkError::NoKey {
                length_km: config.length_km,
                block_bits: preset.block_bits,
            });
        }
        LinkModel::with_settings(config, optimum.settings.checked()?, optimum.pulses, seed)
    }

    fn with_settings(
        config: LinkConfig,
        settings: Settings,
        pulses: f64,
        seed: [u8; 32],
    ) -> Result<LinkModel, LinkError> {
        // A block takes a millisecond at least, the unit of time.
        let pulses = pulses
            .ceil()
            .max(config.preset.pulse_rate_hz as f64 / 1000.0);
        let counts = Counts::expected(&config.preset.device, config.loss_db(), &settings, pulses);
        let key = key_length(&settings, &counts, &config.preset.security);
        Ok(LinkModel {
            config,
            settings,
            pulses: pulses as u64,
            calibration: Calibration {
                counts,
                qber: counts.x.error_rate(),
                phase_error: key.bounds.phase_error,
            },
            timeline: Timeline::default(),
            seed,
            next_block: 0,
        })
    }

    /// The same link from its first block, with other randomness.
    pub fn reseeded(&self, seed: [u8; 32]) -> LinkModel {
        LinkModel {
            seed,
            next_block: 0,
            ..self.clone()
        }
    }

    /// What happens on the line from now on.
    pub fn set_timeline(&mut self, timeline: Timeline) {
        self.timeline = timeline;
    }

    /// What was calibrated.
    pub fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// The settings in use.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The link.
    pub fn config(&self) -> &LinkConfig {
        &self.config
    }

    /// Key rate of the calibrated block, bits per second.
    pub fn quiet_rate_bps(&self) -> f64 {
        let counts = &self.calibration.counts;
        let key = key_length(&self.settings, counts, &self.config.preset.security);
        key.length_bits * self.config.preset.pulse_rate_hz as f64 / self.pulses as f64
    }

    /// Pulses of a block.
    pub fn pulses_per_block(&self) -> u64 {
        self.pulses
    }

    /// Runs the blocks that end at or before `until_ms`, at most [`BLOCKS_PER_CALL_MAX`] of them.
    pub fn advance(&mut self, until_ms: u64) -> Vec<Block> {
        let mut blocks = Vec::new();
        while blocks.len() < BLOCKS_PER_CALL_MAX && self.time_ms(self.next_block + 1) <= until_ms {
            blocks.push(self.block(self.next_block));
            self.next_block += 1;
        }
        blocks
    }

    /// When the block under way ends, ms.
    pub fn next_end_ms(&self) -> u64 {
        self.time_ms(self.next_block + 1)
    }

    /// The simulated bits that a block released, packed into bytes: the same at both ends that share the seed.
    ///
    /// Not secret: whoever knows the seed knows them.
    pub fn released_bytes(&self, block: &Block) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(vec![0; (block.released_bits / 8) as usize]);
        self.random(block.number, Purpose::Key)
            .fill_bytes(&mut bytes);
        bytes
    }

    /// When block `number` begins, ms.
    fn time_ms(&self, number: u64) -> u64 {
        let ms = u128::from(number) * u128::from(self.pulses) * 1000
            / u128::from(self.config.preset.pulse_rate_hz);
        u64::try_from(ms).unwrap_or(u64::MAX)
    }

    fn random(&self, number: u64, purpose: Purpose) -> ChaCha20Rng {
        let mut random = ChaCha20Rng::from_seed(self.seed);
        random.set_stream(number << 1 | purpose as u64);
        random
    }

    fn block(&self, number: u64) -> Block {
        let (start_ms, end_ms) = (self.time_ms(number), self.time_ms(number + 1));
        let mut random = self.random(number, Purpose::Counts);
        let conditions = self.timeline.at(start_ms + (end_ms - start_ms) / 2);
        let counts = self.draw(&conditions, &mut random);
        let preset = &self.config.preset;
        let key = key_length(&self.settings, &counts, &preset.security);
        let foretold = foretold_clicks(&preset.device, &self.settings, &counts, self.pulses as f64);
        let reasons = self
            .config
            .policy
            .judge(&self.calibration, &counts, &foretold, &key);
        let released_bits = if reasons.iter().any(Reason::is_fatal) {
            0
        } else {
            key.whole_bits() / 8 * 8
        };
        Block {
            number,
            start_ms,
            end_ms,
            counts,
            key,
            released_bits,
            reasons,
        }
    }

    fn draw(&self, conditions: &Conditions, random: &mut ChaCha20Rng) -> Counts {
        let drift =
            Normal::new(0.0, self.config.qber_jitter).map_or(0.0, |normal| normal.sample(random));
        let responses = conditions.responses(
            &self.config.preset.device,
            self.config.loss_db(),
            &self.settings,
        );
        let x = self.settings.basis_x_probability;
        let mut rest = (self.pulses, 1.0);
        Counts {
            x: self.draw_basis(x * x, &responses, drift, (&mut rest, random)),
            z: self.draw_basis((1.0 - x).powi(2), &responses, drift, (&mut rest, random)),
        }
    }

    /// Counts of one basis. `rest`: pulses not yet dealt out, and the chance left for them.
    fn draw_basis(
        &self,
        both_chance: f64,
        responses: &[Response; INTENSITIES],
        drift: f64,
        (rest, random): (&mut (u64, f64), &mut ChaCha20Rng),
    ) -> BasisCounts {
        let mut counts = BasisCounts::default();
        for (index, response) in responses.iter().enumerate() {
            let chance = both_chance * self.settings.intensity_probability[index];
            let sent = binomial(rest.0, chance / rest.1, random);
            *rest = (rest.0 - sent, rest.1 - chance);
            let clicks = binomial(sent, response.clicks, random);
            let errors = binomial(clicks, (response.error_rate() + drift).max(0.0), random);
            counts.clicks[index] = clicks as f64;
            counts.errors[index] = errors as f64;
        }
        counts
    }
}

/// What randomness of a block is for.
#[derive(Clone, Copy)]
enum Purpose {
    Counts = 0,
    Key = 1,
}

/// How many of `trials` succeed.
fn binomial(trials: u64, chance: f64, random: &mut ChaCha20Rng) -> u64 {
    Binomial::new(trials, chance.clamp(0.0, 1.0)).map_or(0, |law| law.sample(random))
}
