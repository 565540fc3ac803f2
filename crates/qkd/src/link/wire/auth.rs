//! Authenticated messages: Wegman and Carter's hash under a pad that is used once.
//!
//! tag = POLYVAL_H(number ‖ message ‖ lengths) ⊕ pad. The hash key H stays; every message costs a pad of 128 bits from a
//! pool that both ends share, one lane of pads per direction, so that the ends never want the same pad. The chance of
//! a forgery is (blocks + 2)·2^(−128), whatever the forger can compute.
//!
//! A share of the pads is a **reserve**: ordinary messages do not touch it, so that an emptied pool can still carry the
//! one block that refills it.
//!
//! Source: Wegman, Carter, J. Comput. Syst. Sci. 22, 265 (1981).

use std::collections::VecDeque;
use std::fmt;

use polyval::Polyval;
use polyval::universal_hash::UniversalHash as _;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

/// Bytes of a pad and of a tag.
pub const PAD_BYTES: usize = 16;

/// Bytes of a frame before its message: number and tag.
const HEAD_BYTES: usize = 8 + PAD_BYTES;

/// Longest message, bytes.
pub const MESSAGE_BYTES_MAX: usize = 1 << 26;

/// Pads that a receiver may skip when a block begins: the peer spent them on messages that never came.
const SKIPPED_MAX: u64 = 1 << 12;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// From the sender of the pulses.
    AliceToBob,
    /// From the receiver of the pulses.
    BobToAlice,
}

/// A message that cannot be sent or believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// Nothing left but the reserve.
    #[error("the authentication pool is empty: {left} pads left, {reserve} of them in reserve")]
    Empty {
        /// Pads left.
        left: usize,
        /// The reserve.
        reserve: usize,
    },
    /// A number that was used already.
    #[error("message {number} was seen before, next is {next}: replay")]
    Replay {
        /// Number of the message.
        number: u64,
        /// Number that was due.
        next: u64,
    },
    /// A number that is not due yet.
    #[error("message {number} where {next} was due: something is missing")]
    Gap {
        /// Number of the message.
        number: u64,
        /// Number that was due.
        next: u64,
    },
    /// A tag that does not fit.
    #[error("the tag of message {number} does not fit: forged or damaged")]
    Tag {
        /// Number of the message.
        number: u64,
    },
    /// Not a frame at all.
    #[error("a frame of {bytes} bytes is none")]
    Frame {
        /// Its length.
        bytes: usize,
    },
    /// Key material that makes no pool.
    #[error("{bytes} bytes make no pool: 16 for the hash key, 32 for every pair of pads")]
    Material {
        /// Its length.
        bytes: usize,
    },
}

/// One end's pool. Both ends start from the same bytes and spend in step.
pub struct AuthPool {
    hash_key: Zeroizing<[u8; 16]>,
    lanes: [Lane; 2],
    target: usize,
    reserve: usize,
    reserve_open: bool,
}

/// The pads of one direction.
struct Lane {
    /// Number of the first pad.
    next: u64,
    pads: VecDeque<[u8; PAD_BYTES]>,
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.pads.iter_mut().for_each(|pad| pad.zeroize());
    }
}

impl fmt::Debug for AuthPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [alice, bob] = self.pads_left();
        write!(f, "AuthPool(<redacted>, {alice} + {bob} pads)")
    }
}

impl AuthPool {
    /// A pool from pre-shared bytes: 16 for the hash key, then pads for both directions in turn.
    ///
    /// `reserve`: pads per direction that are kept for a new start.
    ///
    /// # Errors
    /// [`AuthError::Material`] when the bytes do not come out even.
    pub fn new(material: &[u8], reserve: usize) -> Result<AuthPool, AuthError> {
        let wrong = AuthError::Material {
            bytes: material.len(),
        };
        let (hash_key, pads) = material.split_first_chunk::<16>().ok_or(wrong)?;
        if pads.is_empty() || !pads.len().is_multiple_of(2 * PAD_BYTES) {
            return Err(wrong);
        }
        let mut pool = AuthPool {
            hash_key: Zeroizing::new(*hash_key),
            lanes: [Lane::new(), Lane::new()],
            target: pads.len() / (2 * PAD_BYTES),
            reserve,
            reserve_open: false,
        };
        for (index, pad) in pads.chunks_exact(PAD_BYTES).enumerate() {
            pool.lanes[index % 2].push(pad);
        }
        Ok(pool)
    }

    /// Pads left per direction (from Alice, from Bob), reserve included.
    pub fn pads_left(&self) -> [usize; 2] {
        [self.lanes[0].pads.len(), self.lanes[1].pads.len()]
    }

    /// Lets messages use the reserve until the pool is full again.
    pub fn open_reserve(&mut self) {
        self.reserve_open = true;
    }

    /// Fills both lanes from the front of `key`, up to their first size. Returns the bytes taken.
    ///
    /// Both ends must call it at the same point of their exchange: what is taken depends on what was spent.
    pub(crate) fn refill(&mut self, key: &[u8]) -> usize {
        let mut pads = key.chunks_exact(PAD_BYTES);
        let mut taken = 0;
        while let Some(lane) = self
            .lanes
            .iter_mut()
            .filter(|lane| lane.pads.len() < self.target)
            .min_by_key(|lane| lane.pads.len())
        {
            let Some(pad) = pads.next() else {
                return taken;
            };
            lane.push(pad);
            taken += PAD_BYTES;
        }
        self.reserve_open = false;
        taken
    }

    /// Message with number and tag; costs a pad.
    ///
    /// # Errors
    /// [`AuthError::Empty`] when only the reserve is left.
    pub fn seal(&mut self, direction: Direction, message: &[u8]) -> Result<Vec<u8>, AuthError> {
        self.check_left(direction, 0)?;
        let lane = &mut self.lanes[direction as usize];
        let number = lane.next;
        let left = lane.pads.len();
        let pad = lane.take().ok_or(AuthError::Empty {
            left,
            reserve: self.reserve,
        })?;
        let mut frame = Vec::with_capacity(HEAD_BYTES + message.len());
        frame.extend(number.to_le_bytes());
        frame.extend(self.tag(direction, number, message, &pad));
        frame.extend(message);
        Ok(frame)
    }

    /// The message of a frame whose number is due and whose tag fits; costs a pad.
    ///
    /// `gap_allowed`: the number may lie ahead, pads up to it are given up. A frame that is refused costs nothing.
    ///
    /// # Errors
    /// Every [`AuthError`] but [`AuthError::Material`].
    pub fn open<'a>(
        &mut self,
        direction: Direction,
        frame: &'a [u8],
        gap_allowed: bool,
    ) -> Result<&'a [u8], AuthError> {
        let wrong = AuthError::Frame { bytes: frame.len() };
        let (number, rest) = frame.split_first_chunk::<8>().ok_or(wrong)?;
        let (tag, message) = rest.split_first_chunk::<PAD_BYTES>().ok_or(wrong)?;
        if message.len() > MESSAGE_BYTES_MAX {
            return Err(wrong);
        }
        let number = u64::from_le_bytes(*number);
        let next = self.lanes[direction as usize].next;
        let ahead = number
            .checked_sub(next)
            .ok_or(AuthError::Replay { number, next })?;
        if ahead > if gap_allowed { SKIPPED_MAX } else { 0 } {
            return Err(AuthError::Gap { number, next });
        }
        self.check_left(direction, ahead)?;
        let lane = &self.lanes[direction as usize];
        let pad = Zeroizing::new(*lane.pads.get(ahead as usize).ok_or(AuthError::Empty {
            left: lane.pads.len(),
            reserve: self.reserve,
        })?);
        let expected = self.tag(direction, number, message, &pad);
        if !bool::from(expected.ct_eq(tag)) {
            return Err(AuthError::Tag { number });
        }
        let lane = &mut self.lanes[direction as usize];
        for _ in 0..=ahead {
            lane.take();
        }
        Ok(message)
    }

    /// A pad is left behind the next `skipped` ones that ordinary messages may use.
    fn check_left(&self, direction: Direction, skipped: u64) -> Result<(), AuthError> {
        let left = self.lanes[direction as usize].pads.len();
        let kept = if self.reserve_open { 0 } else { self.reserve };
        if left as u64 > kept as u64 + skipped {
            Ok(())
        } else {
            Err(AuthError::Empty {
                left,
                reserve: self.reserve,
            })
        }
    }

    fn tag(
        &self,
        direction: Direction,
        number: u64,
        message: &[u8],
        pad: &[u8; PAD_BYTES],
    ) -> [u8; PAD_BYTES] {
        let mut hash = Polyval::new(&(*self.hash_key).into());
        let mut head = [0; 16];
        head[..8].copy_from_slice(&number.to_le_bytes());
        head[8] = direction as u8;
        hash.update_padded(&head);
        hash.update_padded(message);
        let mut tail = [0; 16];
        tail[..8].copy_from_slice(&(message.len() as u64).to_le_bytes());
        // A constant that is not 0: the polynomial of an empty message depends on the hash key, too.
        tail[8] = 1;
        hash.update_padded(&tail);
        let mut tag: [u8; PAD_BYTES] = hash.finalize().into();
        tag.iter_mut().zip(pad).for_each(|(tag, pad)| *tag ^= pad);
        tag
    }
}

impl Lane {
    fn new() -> Lane {
        Lane {
            next: 0,
            pads: VecDeque::new(),
        }
    }

    fn push(&mut self, pad: &[u8]) {
        let mut kept = [0; PAD_BYTES];
        kept.copy_from_slice(pad);
        self.pads.push_back(kept);
        kept.zeroize();
    }

    fn take(&mut self) -> Option<Zeroizing<[u8; PAD_BYTES]>> {
        let first = self.pads.front_mut()?;
        let pad = Zeroizing::new(*first);
        first.zeroize();
        self.pads.pop_front();
        self.next += 1;
        Some(pad)
    }
}
