//! What Alice and Bob have in common: the agreement, what is counted, when it ends.

use std::fmt;

use zeroize::Zeroizing;

use super::auth::{AuthError, AuthPool, Direction};
use super::bits::Bits;
use super::error_test::ErrorTest;
use super::message::{DecodeError, Message};
use super::pulse::{Pulse, QuantumSetup};
use crate::link::block::{LinkConfig, LinkError};
use crate::link::channel::INTENSITIES;
use crate::link::optimum::{Optimiser, Optimum};
use crate::link::rate::{Counts, FiniteKey, Security, key_length, key_length_with_leak};
use crate::link::verdict::{Calibration, Policy, Reason, foretold_clicks};

use super::amplify::VERIFICATION_BITS;

/// Chance that an intercept-resend of ten percent stays unseen, at most, or the block is too small.
const MISS_CHANCE_MAX: f64 = 1e-9;

/// What both parties agree on before the first block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WireConfig {
    /// The quantum part.
    pub setup: QuantumSetup,
    /// Demand.
    pub security: Security,
    /// When a block is thrown away.
    pub policy: Policy,
    /// The block as it should be.
    pub calibration: Calibration,
}

impl WireConfig {
    /// Best settings for a link; its block size counts sifted bits.
    ///
    /// # Errors
    /// [`LinkError::NoKey`] when no settings give key; [`LinkError::Range`] when the block has 2^32 pulses or more, or
    /// too few bits to see an intercept-resend of ten percent in it.
    pub fn new(link: &LinkConfig) -> Result<WireConfig, LinkError> {
        let preset = &link.preset;
        let optimiser = Optimiser {
            device: preset.device,
            security: preset.security,
        };
        let optimum = optimiser.optimum(preset.block_bits, link.loss_db());
        if optimum.key.whole_bits() == 0 {
            return Err(LinkError::NoKey {
                length_km: link.length_km,
                block_bits: preset.block_bits,
            });
        }
        WireConfig::with_optimum(link, &optimum)
    }

    fn with_optimum(link: &LinkConfig, optimum: &Optimum) -> Result<WireConfig, LinkError> {
        let (preset, settings) = (&link.preset, optimum.settings.checked()?);
        let out_of_range = |name, value, range| Err(LinkError::Range { name, value, range });
        if optimum.pulses >= f64::from(u32::MAX) {
            return out_of_range("pulses of a block", optimum.pulses, "below 2^32");
        }
        let counts = Counts::expected(&preset.device, link.loss_db(), &settings, optimum.pulses);
        let qber = counts.x.error_rate();
        let attacked = qber + 0.1 / 4.0 * (1.0 - 2.0 * qber);
        let bits = preset.block_bits as u64;
        if ErrorTest::calibrated(qber).miss_chance(bits, attacked) > MISS_CHANCE_MAX {
            let range = "so large that 10 % intercept-resend show in one block";
            return out_of_range("block_bits", preset.block_bits, range);
        }
        Ok(WireConfig {
            setup: QuantumSetup {
                device: preset.device,
                loss_db: link.loss_db(),
                settings,
                pulses: optimum.pulses.ceil() as u32,
            },
            security: preset.security,
            policy: link.policy,
            calibration: Calibration {
                counts,
                qber,
                phase_error: key_length(&settings, &counts, &preset.security)
                    .bounds
                    .phase_error,
            },
        })
    }

    /// The test on errors.
    pub fn error_test(&self) -> ErrorTest {
        ErrorTest::calibrated(self.calibration.qber)
    }
}

/// Why a block ended without key. Nothing was released, and nothing of it is left.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Abort {
    /// A message that cannot be sent or believed.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// Authentic bytes that are no message.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A message of another block.
    #[error("a message of block {found} in block {expected}")]
    Block {
        /// The block that runs.
        expected: u64,
        /// The block of the message.
        found: u64,
    },
    /// A message that is not due.
    #[error("{message} is not due while {phase}")]
    OutOfOrder {
        /// The message.
        message: &'static str,
        /// What was going on.
        phase: &'static str,
    },
    /// A message whose parts do not fit together.
    #[error("{message}: {what}")]
    Malformed {
        /// The message.
        message: &'static str,
        /// What does not fit.
        what: &'static str,
    },
    /// Too many errors.
    #[error(
        "{errors} errors in {bits} bits of basis {basis}, {limit} are too many: somebody listens"
    )]
    Errors {
        /// X or Z.
        basis: char,
        /// Errors.
        errors: u64,
        /// Bits compared.
        bits: u64,
        /// Fewest errors that are too many.
        limit: u64,
    },
    /// What was counted gives no key.
    #[error("{0}")]
    Refused(Reason),
    /// The corrected keys differ.
    #[error("the corrected keys differ: an error was left, or a parity was changed")]
    KeysDiffer,
    /// The two ends found different lengths.
    #[error("the peer announced {announced} bits of key, this end finds {found}")]
    Length {
        /// By the peer.
        announced: u64,
        /// Here.
        found: u64,
    },
    /// The peer gave up.
    #[error("the peer gave up")]
    PeerGone,
}

/// What a block that ended well gave.
#[derive(PartialEq)]
pub struct Released {
    /// The block.
    pub block: u64,
    /// Key for others, whole bytes; the same at both ends. Simulated.
    pub key: Zeroizing<Vec<u8>>,
    /// Key that went into the authentication pool, bytes.
    pub refilled_bytes: usize,
    /// Pads that the messages of this block cost, both directions.
    pub pads_spent: usize,
    /// What was counted; errors of basis X are all put under the signal.
    pub counts: Counts,
    /// Length of the whole key and what it rests on.
    pub length: FiniteKey,
    /// Bits that error correction revealed over n·h(e): Cascade's f.
    pub correction_efficiency: f64,
}

impl fmt::Debug for Released {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.key.len() * 8;
        write!(f, "Released(<redacted>, block {}, {bits} bits)", self.block)
    }
}

/// Both parties' knowledge of a block after sifting.
pub(crate) struct Sifted {
    /// The own key.
    pub(crate) key: Bits,
    /// The own bits of basis Z.
    pub(crate) check: Bits,
    /// Intensity of each bit of basis Z.
    pub(crate) check_intensities: Vec<u8>,
    /// Clicks are counted; errors follow.
    pub(crate) counts: Counts,
}

impl Sifted {
    /// From bases, intensities and own bits of all clicks: `(own basis X, other's basis X, intensity, own bit)`.
    pub(crate) fn from_clicks(clicks: impl Iterator<Item = (bool, Pulse)>) -> Sifted {
        let mut sifted = Sifted {
            key: Bits::default(),
            check: Bits::default(),
            check_intensities: Vec::new(),
            counts: Counts::default(),
        };
        for (other_x, own) in clicks.filter(|(other_x, own)| *other_x == own.basis_x) {
            let intensity = usize::from(own.intensity);
            if other_x {
                sifted.key.push(own.bit);
                sifted.counts.x.clicks[intensity] += 1.0;
            } else {
                sifted.check.push(own.bit);
                sifted.check_intensities.push(own.intensity);
                sifted.counts.z.clicks[intensity] += 1.0;
            }
        }
        sifted
    }

    /// Compares basis Z with the peer's bits.
    pub(crate) fn compare(&mut self, peer: &Bits, test: &ErrorTest) -> Result<(), Abort> {
        if peer.len() != self.check.len() {
            return Err(Abort::Malformed {
                message: "check",
                what: "another number of bits of basis Z",
            });
        }
        for (index, &intensity) in self.check_intensities.iter().enumerate() {
            if self.check.get(index) != peer.get(index) {
                self.counts.z.errors[usize::from(intensity)] += 1.0;
            }
        }
        let (bits, errors) = (self.check.len(), self.counts.z.errors_total());
        judge_errors(test, 'Z', bits as u64, errors as u64)
    }

    /// Takes the errors that correction found.
    pub(crate) fn corrected(&mut self, errors: u64, test: &ErrorTest) -> Result<(), Abort> {
        self.counts.x.errors = [0.0; INTENSITIES];
        self.counts.x.errors[0] = errors as f64;
        judge_errors(test, 'X', self.key.len() as u64, errors)
    }
}

fn judge_errors(test: &ErrorTest, basis: char, bits: u64, errors: u64) -> Result<(), Abort> {
    let limit = test.limit(bits);
    if errors < limit {
        return Ok(());
    }
    Err(Abort::Errors {
        basis,
        errors,
        bits,
        limit,
    })
}

/// Length of the final key of a block, when everything counted allows one.
pub(crate) fn final_length(
    config: &WireConfig,
    counts: &Counts,
    leaked_bits: u64,
) -> Result<FiniteKey, Abort> {
    let setup = &config.setup;
    let security = Security {
        // Verification reveals its whole hash, which is longer than ε_cor asks for.
        correctness: config
            .security
            .correctness
            .min(2.0 * 0.5f64.powi(VERIFICATION_BITS as i32)),
        ..config.security
    };
    let key = key_length_with_leak(&setup.settings, counts, &security, leaked_bits as f64);
    let pulses = f64::from(setup.pulses);
    let foretold = foretold_clicks(&setup.device, &setup.settings, counts, pulses);
    let reasons = config
        .policy
        .judge(&config.calibration, counts, &foretold, &key);
    match reasons.into_iter().find(Reason::is_fatal) {
        Some(reason) => Err(Abort::Refused(reason)),
        None => Ok(key),
    }
}

/// Opens and seals the messages of one end, and counts what they cost.
#[derive(Debug)]
pub(crate) struct Voice {
    pub(crate) pool: AuthPool,
    sends: Direction,
    block: u64,
    /// Nothing was heard in this block so far.
    silent: bool,
    spent: usize,
}

impl Voice {
    pub(crate) fn new(pool: AuthPool, sends: Direction) -> Voice {
        Voice {
            pool,
            sends,
            block: 0,
            silent: true,
            spent: 0,
        }
    }

    pub(crate) fn begin(&mut self, block: u64) {
        (self.block, self.silent, self.spent) = (block, true, 0);
    }

    pub(crate) fn say(&mut self, message: &Message) -> Result<Vec<u8>, Abort> {
        self.spent += 1;
        Ok(self.pool.seal(self.sends, &message.encode(self.block))?)
    }

    pub(crate) fn hear(&mut self, frame: &[u8]) -> Result<Message, Abort> {
        let from = match self.sends {
            Direction::AliceToBob => Direction::BobToAlice,
            Direction::BobToAlice => Direction::AliceToBob,
        };
        let bytes = self.pool.open(from, frame, self.silent)?;
        let (block, message) = Message::decode(bytes)?;
        if block != self.block {
            return Err(Abort::Block {
                expected: self.block,
                found: block,
            });
        }
        self.silent = false;
        self.spent += 1;
        Ok(message)
    }

    /// Splits the final key between the pool and the world.
    pub(crate) fn release(&mut self, key: &Bits, counts: Counts, length: FiniteKey) -> Released {
        let bytes = Zeroizing::new(key.to_bytes());
        // A last byte that is not whole is dropped.
        let whole = &bytes[..key.len() / 8];
        let refilled_bytes = self.pool.refill(whole);
        let least =
            counts.x.clicks_total() * crate::link::entropy::binary_entropy(counts.x.error_rate());
        Released {
            block: self.block,
            key: Zeroizing::new(whole[refilled_bytes..].to_vec()),
            refilled_bytes,
            pads_spent: self.spent,
            counts,
            length,
            correction_efficiency: length.leaked_bits / least,
        }
    }
}
