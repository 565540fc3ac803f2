//! Keys of a trade: the transmission key of the paper, equation (17) and the six phases of section 3.2.
//!
//! **Parties.** The gateways x_i and y_j of one order. They share a secret and, for every phase, a fresh key: from their
//! QKD link, or from the hybrid agreement (X25519 and ML-KEM-768) where there is no link. [`Agreement`] says which, and
//! the trade puts it on record. Everybody else sees names of keys, commitments, hashes and sealed bytes.
//!
//! **Messages.**
//!
//! | phase | [`Phase`] | by | what is made with its key |
//! |---|---|---|---|
//! | 1 | `Demand` | x_i | the order's first key, beside its [identification certificate](crate::identification) |
//! | 2, 3 | `Verification`, `Broadcast` | V_x, V_y | "the key will be updated": both gateways take the phase's key |
//! | 4 | `Response` | y_j | the [blinded response](Response): commitment and sealed bytes |
//! | 5 | `KeyReturn` | x_i | the key return: the [trade key](TradeKey) sealed to y_j, its hash on chain |
//! | 6 | `Certificate` | both | the last key, for what the two still have to tell each other |
//!
//! **Rules.** `key_0 = KDF(secret, order)` and `key_p = KDF(key_{p-1}, phase, order, name of the key, key)`, HKDF-SHA-256
//! with the key before as salt and the phase's fresh key as input. The name is the `key_ID` of a QKD key or the id of an
//! agreement; it travels in clear with the message of its phase. No key of this module encrypts directly: every use
//! derives its own.
//!
//! *Idempotent* means: the key of phase p is a function of the secret, the order, and the names and keys of phases 1 to p,
//! and of nothing else: no counter, no clock, no number of attempts, no order of arrival. So a message that comes twice
//! gives the key that it gave before; one that comes early waits; one that is lost leaves a phase without a key rather
//! than with another one; and a second, different key under a phase that has one is refused. Both gateways, having seen the
//! same names, hold the same keys. [`Ratchet`] is that function with a memory.
//!
//! **Guarantees.** Whoever lacks the secret and all fresh keys learns nothing of any key. Whoever learns `key_p` learns no
//! earlier key, and no later one as long as one fresh key after p is unknown to him. A commitment hides the response until
//! it is opened, and opens to one response only. All of it is **computational**: the output of a derivation is never
//! unconditionally secret, even when all that went in came from a QKD link. Signatures of the parties and their pads take
//! raw QKD bits and nothing from here. SHA-256 and ChaCha20-Poly1305 are symmetric with 256-bit keys: no quantum computer
//! is known to break them.
//!
//! **Deviations.**
//! * (17) prints `Key = Hash(K_private · parm)` at both ends, "so x = y": textbook Diffie-Hellman. Shor's algorithm breaks
//!   it and nobody is authenticated, against the paper's own claim. Used: a key that is authenticated and secret already,
//!   from QKD or from the hybrid agreement, as input.
//! * "The key will be updated" says neither from what nor what happens to a message that comes twice. Used: the
//!   idempotent chain above, one link per phase.
//! * "Blind response" is undefined. Used: commit and reveal to x_i alone.
//! * "Returns the key" has no addressee's key and no check. Used: sealed under the key of phase 5, its hash on chain; no
//!   guard of the contract waits for it.

mod response;
mod returned;
mod seal;

use std::fmt;

use hkdf::Hkdf;
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use tieline_units::{Digest, Encoder};
use zeroize::Zeroizing;

pub use response::{BLINDING_BYTES, RESPONSE_BYTES_MAX, Response, SEALED_RESPONSE_BYTES_MAX};
pub use returned::{SEALED_KEY_BYTES, TradeKey};

/// Longest name of a key, bytes: a `key_ID` has 36, the id of an agreement 64.
pub const KEY_NAME_BYTES_MAX: usize = 128;

const START: &str = "tieline.transmission-key.start/1";
const CONFIRMATION: &str = "tieline.transmission-key.confirmation/1";
const NEXT: &str = "tieline.transmission-key.next/1";

/// What the keys of a trade are made from; on record, so that nobody claims more later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Agreement {
    /// Raw keys of a QKD link. The label speaks of what goes in; what the derivation gives is computational.
    Qkd,
    /// QKD, X25519 and ML-KEM-768 together.
    Hybrid,
    /// X25519 and ML-KEM-768; there is no QKD link.
    PostQuantum,
}

tieline_units::canonical_enum!(Agreement { 1 => Qkd, 2 => Hybrid, 3 => PostQuantum });

impl Agreement {
    /// The word in records and on pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Agreement::Qkd => "its",
            Agreement::Hybrid => "hybrid",
            Agreement::PostQuantum => "pq-only",
        }
    }
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A phase of a cross-chain transaction (paper, section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// (1) x_i describes the transaction demand.
    Demand,
    /// (2) {V_x} verifies the demand and sends it.
    Verification,
    /// (3) {V_y} verifies the demand and broadcasts it.
    Broadcast,
    /// (4) y_j concludes and writes the blind response.
    Response,
    /// (5) x_i verifies, extracts the response and returns the key.
    KeyReturn,
    /// (6) Both broadcast the cross-chain certificate.
    Certificate,
}

tieline_units::canonical_enum!(Phase {
    1 => Demand, 2 => Verification, 3 => Broadcast, 4 => Response, 5 => KeyReturn, 6 => Certificate,
});

impl Phase {
    /// All six, in order.
    pub const ALL: [Phase; 6] = [
        Phase::Demand,
        Phase::Verification,
        Phase::Broadcast,
        Phase::Response,
        Phase::KeyReturn,
        Phase::Certificate,
    ];

    /// The paper's number, 1 to 6.
    pub const fn number(self) -> u8 {
        self.index() as u8 + 1
    }

    const fn index(self) -> usize {
        match self {
            Phase::Demand => 0,
            Phase::Verification => 1,
            Phase::Broadcast => 2,
            Phase::Response => 3,
            Phase::KeyReturn => 4,
            Phase::Certificate => 5,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "phase ({})", self.number())
    }
}

/// Why a key, a response or a key return is refused. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A name of no or too many bytes.
    #[error(
        "the name of the key of {phase} has {bytes} bytes: 1 to {KEY_NAME_BYTES_MAX} are possible"
    )]
    NameLength {
        /// The phase.
        phase: Phase,
        /// Length of the name.
        bytes: usize,
    },
    /// Another key, or the same under another name, where the phase has one.
    #[error("{phase} has a key already, and '{name}' is another")]
    OtherKey {
        /// The phase.
        phase: Phase,
        /// Name of the key that was refused.
        name: String,
    },
    /// A response that is too long.
    #[error("a response of {bytes} bytes: at most {RESPONSE_BYTES_MAX} are possible")]
    ResponseLength {
        /// Its length.
        bytes: usize,
    },
    /// Sealed bytes that do not open.
    #[error(
        "the sealed {what} does not open: it was changed, or sealed with another key, for another order or under another hash"
    )]
    Sealed {
        /// What was sealed.
        what: &'static str,
    },
    /// Sealed bytes that open, and hold something that is not written as this module writes it.
    #[error("the sealed {what} opens, and its content is malformed: whoever sealed it is at fault")]
    Malformed {
        /// What was sealed.
        what: &'static str,
    },
    /// Sealed bytes that open to something else than the hash on the chain says.
    #[error(
        "the sealed {what} has the hash {found}, the chain has {expected}: whoever sealed it is at fault"
    )]
    OtherHash {
        /// What was sealed.
        what: &'static str,
        /// The commitment or hash on the chain.
        expected: Digest,
        /// Of the content.
        found: Digest,
    },
}

/// The transmission key of a trade in one phase, x_is of the paper: 32 secret bytes, wiped when dropped.
///
/// ```compile_fail,E0599
/// use crate::keys::TransmissionKey;
/// use tieline_units::Digest;
/// let key = TransmissionKey::start(&[1; 32], Digest::of(b"order"));
/// let copy = key.clone();
/// ```
pub struct TransmissionKey(Zeroizing<[u8; 32]>);

impl TransmissionKey {
    /// The key before the first phase, from a secret that x_i and y_j share for this order.
    pub fn start(secret: &[u8; 32], order: Digest) -> TransmissionKey {
        let mut info = Encoder::new(START);
        info.raw(order.as_bytes());
        TransmissionKey(derive(None, secret, info.as_bytes()))
    }

    /// The key of a phase from the key of the phase before it, and a fresh key that both ends know by its name.
    ///
    /// `key_name`: the `key_ID` of a QKD key, or the id of a hybrid agreement. [`Ratchet`] sees to it that phases follow
    /// each other.
    ///
    /// Source: Hu et al. 2022, §5.2, eq. (17), as the module says.
    pub fn next(
        &self,
        phase: Phase,
        order: Digest,
        key_name: &str,
        key: &[u8; 32],
    ) -> TransmissionKey {
        let mut info = Encoder::new(NEXT);
        info.u8(phase.number()).raw(order.as_bytes()).text(key_name);
        TransmissionKey(derive(Some(&*self.0), key, info.as_bytes()))
    }

    /// What both ends compare to see that they hold the same key. It says nothing of the key, and may stand in logs.
    pub fn confirmation(&self) -> Digest {
        Digest::from_bytes(*self.for_use(&Encoder::new(CONFIRMATION)))
    }

    /// A key for one use, which `info` names together with all that must be the same at both ends.
    fn for_use(&self, info: &Encoder) -> Zeroizing<[u8; 32]> {
        derive(None, &self.0, info.as_bytes())
    }
}

impl fmt::Debug for TransmissionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransmissionKey(<redacted>)")
    }
}

/// HKDF-SHA-256 to 32 bytes.
fn derive(salt: Option<&[u8; 32]>, input: &[u8; 32], info: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(salt.map(|salt| salt.as_slice()), input)
        .expand(info, &mut *key)
        .expect("32 bytes are below the 8,160 that HKDF-SHA-256 gives");
    key
}

/// All transmission keys of one order: takes the fresh keys of the phases in any order and any number of times.
///
/// It keeps the keys of past phases, because messages of past phases come again. Drop it when the order is terminal.
pub struct Ratchet {
    order: Digest,
    agreement: Agreement,
    start: TransmissionKey,
    steps: [Step; Phase::ALL.len()],
}

/// One phase of a ratchet.
enum Step {
    /// Its key has not come.
    Open,
    /// Its key came before that of an earlier phase.
    Waiting {
        name: String,
        key: Zeroizing<[u8; 32]>,
    },
    /// Its transmission key is there; of the fresh key only a hash is left, to know it again.
    Turned { taken: Digest, key: TransmissionKey },
}

impl Ratchet {
    /// The ratchet of an order before its first phase.
    pub fn new(agreement: Agreement, secret: &[u8; 32], order: Digest) -> Ratchet {
        Ratchet {
            order,
            agreement,
            start: TransmissionKey::start(secret, order),
            steps: [const { Step::Open }; Phase::ALL.len()],
        }
    }

    /// What its keys are made from.
    pub fn agreement(&self) -> Agreement {
        self.agreement
    }

    /// Takes the fresh key of a phase. Taking the same again changes nothing.
    ///
    /// # Errors
    /// [`KeyError::NameLength`]; [`KeyError::OtherKey`] when the phase has another one. Nothing has changed then.
    pub fn take(&mut self, phase: Phase, key_name: &str, key: &[u8; 32]) -> Result<(), KeyError> {
        if !(1..=KEY_NAME_BYTES_MAX).contains(&key_name.len()) {
            let bytes = key_name.len();
            return Err(KeyError::NameLength { phase, bytes });
        }
        let same = match &self.steps[phase.index()] {
            Step::Open => {
                let name = key_name.to_owned();
                let key = Zeroizing::new(*key);
                self.steps[phase.index()] = Step::Waiting { name, key };
                self.turn();
                return Ok(());
            }
            Step::Waiting { name, key: waiting } => {
                mark(phase, name, waiting) == mark(phase, key_name, key)
            }
            Step::Turned { taken, .. } => *taken == mark(phase, key_name, key),
        };
        let name = || key_name.chars().flat_map(char::escape_debug).collect();
        same.then_some(()).ok_or_else(|| KeyError::OtherKey {
            phase,
            name: name(),
        })
    }

    /// The transmission key of a phase, once the fresh keys of this and all earlier phases are there.
    pub fn key(&self, phase: Phase) -> Option<&TransmissionKey> {
        match &self.steps[phase.index()] {
            Step::Turned { key, .. } => Some(key),
            Step::Open | Step::Waiting { .. } => None,
        }
    }

    /// The first phase whose fresh key is missing.
    pub fn missing(&self) -> Option<Phase> {
        let open = |phase: &&Phase| matches!(self.steps[phase.index()], Step::Open);
        Phase::ALL.iter().find(open).copied()
    }

    /// Turns every phase that waits and whose predecessors have turned.
    fn turn(&mut self) {
        let mut before = &self.start;
        for (step, phase) in self.steps.iter_mut().zip(Phase::ALL) {
            if let Step::Waiting { name, key } = step {
                *step = Step::Turned {
                    taken: mark(phase, name, key),
                    key: before.next(phase, self.order, name, key),
                };
            }
            match step {
                Step::Turned { key, .. } => before = key,
                Step::Open | Step::Waiting { .. } => return,
            }
        }
    }
}

impl fmt::Debug for Ratchet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = self.missing().map(Phase::number);
        write!(
            f,
            "Ratchet(<redacted>, {}, missing {missing:?})",
            self.agreement
        )
    }
}

/// By what a fresh key is known again without being kept.
fn mark(phase: Phase, name: &str, key: &[u8; 32]) -> Digest {
    let mut open = Encoder::new("tieline.fresh-key/1");
    open.u8(phase.number()).text(name);
    hash(&open, &[key])
}

/// SHA-256 of something open and then secrets, which are copied nowhere.
fn hash(open: &Encoder, secrets: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new_with_prefix(open.as_bytes());
    secrets.iter().for_each(|secret| hash.update(secret));
    Digest::from_bytes(hash.finalize().into())
}
