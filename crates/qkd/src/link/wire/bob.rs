//! The receiver of the pulses.

use super::alice::Reply;
use super::amplify::{digest, seed_len, toeplitz};
use super::auth::{AuthPool, Direction};
use super::bits::Bits;
use super::cascade::{Corrector, Plan};
use super::message::Message;
use super::party::{Abort, Sifted, Voice, WireConfig, final_length};
use super::pulse::{Detected, Pulse};
use crate::link::rate::FiniteKey;

/// Bob: measures, asks for parities, checks.
#[derive(Debug)]
pub struct Bob {
    config: WireConfig,
    voice: Voice,
    phase: Phase,
}

/// What Bob waits for.
enum Phase {
    /// A block to begin.
    Idle,
    /// Alice's bases and intensities.
    Sifting(Detected),
    /// Parities; how many he asked for so far.
    Answers(Sifted, Corrector, u64),
    /// The hash of Alice's key.
    Verify(Sifted, u64),
    /// Length and seed of the final key.
    Amplify(Sifted, u64),
    /// Alice's word that she has it, too.
    Confirm(Sifted, Bits, FiniteKey),
}

impl std::fmt::Debug for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Phase {
    fn name(&self) -> &'static str {
        match self {
            Phase::Idle => "no block runs",
            Phase::Sifting(_) => "waiting for sifting",
            Phase::Answers(..) => "waiting for parities",
            Phase::Verify(..) => "waiting for the hash",
            Phase::Amplify(..) => "waiting for the final hash",
            Phase::Confirm(..) => "waiting for the confirmation",
        }
    }
}

impl Bob {
    /// Bob with his end of the pool.
    pub fn new(config: WireConfig, pool: AuthPool) -> Bob {
        Bob {
            config,
            voice: Voice::new(pool, Direction::BobToAlice),
            phase: Phase::Idle,
        }
    }

    /// His authentication pool.
    pub fn pool(&mut self) -> &mut AuthPool {
        &mut self.voice.pool
    }

    /// Begins a block whose pulses were measured, and opens the talk.
    ///
    /// # Errors
    /// [`Abort::Auth`] when the pool is empty.
    pub fn begin(&mut self, block: u64, detected: Detected) -> Result<Reply, Abort> {
        self.voice.begin(block);
        self.phase = Phase::Idle;
        let frame = self.voice.say(&Message::Detections {
            pulses: detected.pulses.clone(),
            basis_x: detected.basis_x.iter().collect(),
        })?;
        self.phase = Phase::Sifting(detected);
        Ok(Reply::one(frame))
    }

    /// Gives the running block up.
    pub fn give_up(&mut self) {
        self.phase = Phase::Idle;
    }

    /// Takes one frame of Alice's.
    ///
    /// # Errors
    /// Any [`Abort`]: the block is over and forgotten.
    pub fn handle(&mut self, frame: &[u8]) -> Result<Reply, Abort> {
        let phase = std::mem::replace(&mut self.phase, Phase::Idle);
        match (phase, self.voice.hear(frame)?) {
            (
                Phase::Sifting(detected),
                Message::Sifting {
                    basis_x,
                    intensities,
                    check,
                    shuffle,
                },
            ) => self.sift(&detected, (&basis_x, &intensities), &check, shuffle),
            (Phase::Answers(sifted, mut corrector, asked), Message::Answer { parities }) => {
                if !corrector.answer(&parities) {
                    return Err(Abort::Malformed {
                        message: "answer",
                        what: "another number of parities than was asked for",
                    });
                }
                self.ask(sifted, corrector, asked)
            }
            (
                Phase::Verify(sifted, asked),
                Message::Verify {
                    hash_key,
                    digest: theirs,
                },
            ) => {
                if digest(&sifted.key, &hash_key) != theirs {
                    return Err(Abort::KeysDiffer);
                }
                self.phase = Phase::Amplify(sifted, asked);
                Ok(Reply::one(self.voice.say(&Message::Verified)?))
            }
            (Phase::Amplify(sifted, asked), Message::Amplify { length_bits, seed }) => {
                self.amplify(sifted, asked, (length_bits, &seed))
            }
            (Phase::Confirm(sifted, key, length), Message::Confirm) => Ok(Reply {
                frames: Vec::new(),
                released: Some(self.voice.release(&key, sifted.counts, length)),
            }),
            (phase, message) => Err(Abort::OutOfOrder {
                message: message.name(),
                phase: phase.name(),
            }),
        }
    }

    fn sift(
        &mut self,
        detected: &Detected,
        (basis_x, intensities): (&Bits, &[u8]),
        check: &Bits,
        shuffle: [u8; 32],
    ) -> Result<Reply, Abort> {
        let malformed = |what| Abort::Malformed {
            message: "sifting",
            what,
        };
        if basis_x.len() != detected.len() || intensities.len() != detected.len() {
            return Err(malformed(
                "another number of bases or intensities than of clicks",
            ));
        }
        if intensities.iter().any(|&intensity| intensity > 2) {
            return Err(malformed("an intensity that there is not"));
        }
        let clicks = (0..detected.len()).map(|index| {
            let own = Pulse {
                bit: detected.bits.get(index),
                basis_x: detected.basis_x.get(index),
                intensity: intensities[index],
            };
            (basis_x.get(index), own)
        });
        let mut sifted = Sifted::from_clicks(clicks);
        sifted.compare(check, &self.config.error_test())?;
        let own_check = Message::Check {
            check: sifted.check.iter().collect(),
        };
        let mut frames = vec![self.voice.say(&own_check)?];
        let plan = Plan::new(sifted.key.len(), sifted.counts.z.error_rate(), shuffle);
        let corrector = Corrector::new(plan, std::mem::take(&mut sifted.key));
        frames.extend(self.ask(sifted, corrector, 0)?.frames);
        Ok(Reply {
            frames,
            released: None,
        })
    }

    /// The next question, or the end of correction.
    fn ask(
        &mut self,
        mut sifted: Sifted,
        mut corrector: Corrector,
        asked: u64,
    ) -> Result<Reply, Abort> {
        let message = match corrector.ask() {
            Some(stretches) => {
                let asked = asked + stretches.len() as u64;
                self.phase = Phase::Answers(sifted, corrector, asked);
                Message::Ask { stretches }
            }
            None => {
                let (key, errors) = corrector.finish();
                sifted.key = key;
                sifted.corrected(errors, &self.config.error_test())?;
                self.phase = Phase::Verify(sifted, asked);
                Message::Corrected { errors }
            }
        };
        Ok(Reply::one(self.voice.say(&message)?))
    }

    fn amplify(
        &mut self,
        sifted: Sifted,
        asked: u64,
        (announced, seed): (u64, &Bits),
    ) -> Result<Reply, Abort> {
        let length = final_length(&self.config, &sifted.counts, asked)?;
        let found = length.whole_bits();
        if announced != found {
            return Err(Abort::Length { announced, found });
        }
        let rows = found as usize;
        if seed.len() != seed_len(sifted.key.len(), rows) {
            return Err(Abort::Malformed {
                message: "amplify",
                what: "a seed of another length than the matrix needs",
            });
        }
        let key = toeplitz(&sifted.key, seed, rows);
        self.phase = Phase::Confirm(sifted, key, length);
        Ok(Reply::one(self.voice.say(&Message::Done)?))
    }
}
