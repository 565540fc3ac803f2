//! The sender of the pulses.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

use super::amplify::{digest, seed_len, toeplitz};
use super::auth::{AuthPool, Direction};
use super::bits::Bits;
use super::cascade::{Plan, Teller};
use super::message::Message;
use super::party::{Abort, Released, Sifted, Voice, WireConfig, final_length};
use super::pulse::Prepared;
use crate::link::rate::FiniteKey;

/// Alice: prepares, tells parities, names the hashes.
#[derive(Debug)]
pub struct Alice {
    config: WireConfig,
    voice: Voice,
    random: ChaCha20Rng,
    phase: Phase,
}

/// What Alice waits for.
enum Phase {
    /// A block to begin.
    Idle,
    /// Bob's clicks.
    Detections(Prepared),
    /// Bob's bits of basis Z; the seed of the shuffles is kept.
    Check(Sifted, [u8; 32]),
    /// Bob's questions; parities told so far.
    Asks(Sifted, Teller, u64),
    /// Bob's word that his key has the hash.
    Verified(Sifted, u64),
    /// Bob's word that he has the final key.
    Done(Sifted, Bits, FiniteKey),
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
            Phase::Detections(_) => "waiting for clicks",
            Phase::Check(..) => "waiting for the check bits",
            Phase::Asks(..) => "telling parities",
            Phase::Verified(..) => "waiting for the verification",
            Phase::Done(..) => "waiting for the end",
        }
    }
}

/// What Alice does about a message.
pub struct Reply {
    /// Frames for the peer.
    pub frames: Vec<Vec<u8>>,
    /// The key, when the block ended well.
    pub released: Option<Released>,
}

impl Alice {
    /// `seed`: her randomness for shuffles and hashes, unknown to others until she says it.
    pub fn new(config: WireConfig, pool: AuthPool, seed: [u8; 32]) -> Alice {
        Alice {
            config,
            voice: Voice::new(pool, Direction::AliceToBob),
            random: ChaCha20Rng::from_seed(seed),
            phase: Phase::Idle,
        }
    }

    /// Her authentication pool.
    pub fn pool(&mut self) -> &mut AuthPool {
        &mut self.voice.pool
    }

    /// Begins a block whose pulses were sent.
    pub fn begin(&mut self, block: u64, prepared: Prepared) {
        self.voice.begin(block);
        self.phase = Phase::Detections(prepared);
    }

    /// Gives the running block up.
    pub fn give_up(&mut self) {
        self.phase = Phase::Idle;
    }

    /// Takes one frame of Bob's.
    ///
    /// # Errors
    /// Any [`Abort`]: the block is over and forgotten.
    pub fn handle(&mut self, frame: &[u8]) -> Result<Reply, Abort> {
        let phase = std::mem::replace(&mut self.phase, Phase::Idle);
        let message = self.voice.hear(frame)?;
        let test = self.config.error_test();
        let reply = match (phase, message) {
            (Phase::Detections(prepared), Message::Detections { pulses, basis_x }) => {
                self.sift(&prepared, &pulses, &basis_x)?
            }
            (Phase::Check(mut sifted, shuffle), Message::Check { check }) => {
                sifted.compare(&check, &test)?;
                let plan = Plan::new(sifted.key.len(), sifted.counts.z.error_rate(), shuffle);
                self.phase = Phase::Asks(sifted, Teller::new(plan), 0);
                return Ok(Reply::silence());
            }
            (Phase::Asks(sifted, mut teller, told), Message::Ask { stretches }) => {
                let parities = teller.parities(&sifted.key, &stretches);
                let parities = parities.ok_or(Abort::Malformed {
                    message: "ask",
                    what: "a stretch outside of the key",
                })?;
                let told = told + parities.len() as u64;
                self.phase = Phase::Asks(sifted, teller, told);
                Message::Answer { parities }
            }
            (Phase::Asks(mut sifted, _, told), Message::Corrected { errors }) => {
                sifted.corrected(errors, &test)?;
                let mut hash_key = [0; 16];
                self.random.fill_bytes(&mut hash_key);
                let digest = digest(&sifted.key, &hash_key);
                self.phase = Phase::Verified(sifted, told);
                Message::Verify { hash_key, digest }
            }
            (Phase::Verified(sifted, told), Message::Verified) => self.amplify(sifted, told)?,
            (Phase::Done(sifted, key, length), Message::Done) => {
                let frames = vec![self.voice.say(&Message::Confirm)?];
                let released = self.voice.release(&key, sifted.counts, length);
                return Ok(Reply {
                    frames,
                    released: Some(released),
                });
            }
            (phase, message) => {
                return Err(Abort::OutOfOrder {
                    message: message.name(),
                    phase: phase.name(),
                });
            }
        };
        Ok(Reply::one(self.voice.say(&reply)?))
    }

    fn sift(
        &mut self,
        prepared: &Prepared,
        pulses: &[u32],
        basis_x: &Bits,
    ) -> Result<Message, Abort> {
        let malformed = |what| Abort::Malformed {
            message: "detections",
            what,
        };
        if basis_x.len() != pulses.len() {
            return Err(malformed("another number of bases than of clicks"));
        }
        if !pulses.is_sorted_by(|a, b| a < b) {
            return Err(malformed("clicks out of order"));
        }
        let own: Option<Vec<_>> = pulses.iter().map(|&pulse| prepared.get(pulse)).collect();
        let own = own.ok_or_else(|| malformed("a click of a pulse that was not sent"))?;
        let sifted = Sifted::from_clicks(basis_x.iter().zip(own.iter().copied()));
        let mut shuffle = [0; 32];
        self.random.fill_bytes(&mut shuffle);
        let message = Message::Sifting {
            basis_x: own.iter().map(|pulse| pulse.basis_x).collect(),
            intensities: own.iter().map(|pulse| pulse.intensity).collect(),
            check: sifted.check.iter().collect(),
            shuffle,
        };
        self.phase = Phase::Check(sifted, shuffle);
        Ok(message)
    }

    fn amplify(&mut self, sifted: Sifted, told: u64) -> Result<Message, Abort> {
        let length = final_length(&self.config, &sifted.counts, told)?;
        let rows = length.whole_bits() as usize;
        let seed = Bits::random(seed_len(sifted.key.len(), rows), &mut self.random);
        let key = toeplitz(&sifted.key, &seed, rows);
        self.phase = Phase::Done(sifted, key, length);
        Ok(Message::Amplify {
            length_bits: rows as u64,
            seed,
        })
    }
}

impl Reply {
    pub(crate) fn silence() -> Reply {
        Reply {
            frames: Vec::new(),
            released: None,
        }
    }

    pub(crate) fn one(frame: Vec<u8>) -> Reply {
        Reply {
            frames: vec![frame],
            released: None,
        }
    }
}
