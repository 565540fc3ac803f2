//! Keys as types: raw bits of a QKD link cannot be confused with the output of a key derivation, and neither can be used
//! twice.
//!
//! | type | where its bits come from | what rests on it |
//! |---|---|---|
//! | [`ItsKey`] | a QKD link, or the raw XOR of several | unconditional security |
//! | [`DerivedKey`] | a key derivation function | computational security at best |
//!
//! There is no way from the second to the first. Both are moved when they are used, wiped when they are dropped, print
//! nothing, and cannot be cloned:
//!
//! ```compile_fail,E0599
//! use tieline_uss::key::ItsKey;
//! let key = ItsKey::from_qkd_bits(vec![1, 2, 3]).unwrap();
//! let copy = key.clone();
//! ```
//!
//! ```compile_fail,E0308
//! use tieline_uss::{channel, key::DerivedKey};
//! let derived = DerivedKey::from_kdf_output(vec![7; 33]);
//! let sealed = channel::seal(b"context", b"x", 8, derived); // wants an `ItsKey`
//! ```
//!
//! The same with raw bits:
//!
//! ```
//! use tieline_uss::{channel, key::ItsKey};
//! let raw = ItsKey::from_qkd_bits(vec![7; 33]).unwrap();
//! assert!(channel::seal(b"context", b"x", 8, raw).is_ok());
//! ```
//!
//! What a key opens stays out of reach of the allocator only as far as safe code can say: buffers are wiped before they
//! are freed. Whoever holds keys should also lock memory and forbid core dumps; that belongs to the process, not here.

use std::fmt;

use thiserror::Error;
use zeroize::Zeroize as _;

use crate::bits::{BitReader, BitWriter};
use crate::party::{Counter, EpochId, Link};

mod memory;

pub use memory::{MemoryStore, StoreError, shared_stores, shared_stores_with};

/// Why bits cannot serve as a key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Fewer bits than the use takes.
    #[error("{need} bits of key are needed, {have} are there")]
    Short {
        /// Bits at hand.
        have: usize,
        /// Bits that the use takes.
        need: usize,
    },
    /// More bits than the use takes: the rest would be lost, or used twice.
    #[error("{need} bits of key are needed, {have} were given; split the key first")]
    Long {
        /// Bits at hand.
        have: usize,
        /// Bits that the use takes.
        need: usize,
    },
    /// No bits at all.
    #[error("a key of no bits")]
    Empty,
    /// Sixteen or more bytes of zeros: a broken key manager, not chance.
    #[error("a key of {bits} zero bits: the source is broken")]
    AllZero {
        /// Its length.
        bits: usize,
    },
}

/// A key of so many zeros and nothing else comes from no honest source: the chance is 2^-128 or less.
const ZERO_BITS_REFUSED: usize = 128;

/// Raw bits shared by exactly two parties through a QKD link, or the raw XOR of such bits. Used once, by value.
pub struct ItsKey {
    bytes: Vec<u8>,
    first: usize,
    end: usize,
}

impl ItsKey {
    /// Takes bits as a QKD link or key manager delivered them.
    ///
    /// The caller vouches for the origin: anything that went through a key derivation is a [`DerivedKey`].
    ///
    /// # Errors
    /// [`KeyError::Empty`], [`KeyError::AllZero`] from 128 bits on.
    pub fn from_qkd_bits(bytes: Vec<u8>) -> Result<ItsKey, KeyError> {
        let end = bytes.len() * 8;
        if end == 0 {
            return Err(KeyError::Empty);
        }
        ItsKey {
            bytes,
            first: 0,
            end,
        }
        .checked()
    }

    /// Bits not used yet.
    pub fn bits(&self) -> usize {
        self.end - self.first
    }

    /// Splits `bits` bits off the front; they are wiped here.
    ///
    /// # Errors
    /// [`KeyError::Short`] changes nothing; [`KeyError::Empty`] for zero bits.
    pub fn take(&mut self, bits: usize) -> Result<ItsKey, KeyError> {
        if bits == 0 {
            return Err(KeyError::Empty);
        }
        if bits > self.bits() {
            return Err(KeyError::Short {
                have: self.bits(),
                need: bits,
            });
        }
        let bytes = self.copy_front(bits);
        let wiped = self.first / 8;
        self.first += bits;
        self.bytes[wiped..self.first / 8].zeroize();
        Ok(ItsKey {
            bytes,
            first: 0,
            end: bits,
        })
    }

    /// The raw XOR of two keys of the same length: unconditional as long as one of the two is, and neither depends on the
    /// other.
    ///
    /// # Errors
    /// [`KeyError::Short`] or [`KeyError::Long`] when the lengths differ, [`KeyError::AllZero`] when both are the same bits:
    /// one key that came by two ways, and no key at all.
    pub fn xor(self, mut other: ItsKey) -> Result<ItsKey, KeyError> {
        other.expect_bits(self.bits())?;
        let mut bytes = self.copy_front(self.bits());
        let mut mask = other.copy_front(other.bits());
        bytes
            .iter_mut()
            .zip(&mask)
            .for_each(|(byte, mask)| *byte ^= mask);
        mask.zeroize();
        other.bytes.zeroize();
        ItsKey {
            bytes,
            first: 0,
            end: self.bits(),
        }
        .checked()
    }

    /// Refuses what no honest source gives.
    fn checked(self) -> Result<ItsKey, KeyError> {
        let any = self.bytes.iter().fold(0, |any, byte| any | byte);
        if any == 0 && self.end >= ZERO_BITS_REFUSED {
            return Err(KeyError::AllZero { bits: self.end });
        }
        Ok(self)
    }

    /// Refuses any other length than `need` bits.
    pub(crate) fn expect_bits(&self, need: usize) -> Result<(), KeyError> {
        match self.bits() {
            have if have < need => Err(KeyError::Short { have, need }),
            have if have > need => Err(KeyError::Long { have, need }),
            _ => Ok(()),
        }
    }

    /// Reads the key, which the caller owns and so uses up.
    pub(crate) fn reader(&self) -> BitReader<'_> {
        let mut reader = BitReader::new(&self.bytes);
        reader.skip(self.first);
        reader
    }

    /// The first `bits` bits, packed from bit 0 on.
    fn copy_front(&self, bits: usize) -> Vec<u8> {
        let mut reader = self.reader();
        let mut writer = BitWriter::with_capacity(bits);
        let mut left = bits;
        while left > 0 {
            let width = left.min(128) as u32;
            let chunk = reader.read(width).expect("the length is checked");
            writer.write(chunk, width);
            left -= width as usize;
        }
        writer.into_bytes()
    }
}

impl Drop for ItsKey {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl fmt::Debug for ItsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ItsKey(<redacted>, {} bits)", self.bits())
    }
}

/// The output of a key derivation function: good for ciphers, never for an unconditional claim.
pub struct DerivedKey(Vec<u8>);

impl DerivedKey {
    /// Takes what a key derivation returned.
    pub fn from_kdf_output(bytes: Vec<u8>) -> DerivedKey {
        DerivedKey(bytes)
    }

    /// The bytes, for the cipher that the key is for.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for DerivedKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for DerivedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DerivedKey(<redacted>, {} bytes)", self.0.len())
    }
}

/// Says that `(epoch, counter)` is recorded as spent where a crash cannot undo it. Signing consumes it.
///
/// ```compile_fail,E0599
/// use tieline_uss::{key::Spent, party::{Counter, EpochId}};
/// let spent = Spent::recorded_durably(EpochId(1), Counter(0));
/// let again = spent.clone();
/// ```
#[derive(Debug)]
pub struct Spent {
    epoch: EpochId,
    counter: Counter,
}

impl Spent {
    /// For stores alone: to be called after the record is durable, and never twice for one counter.
    pub fn recorded_durably(epoch: EpochId, counter: Counter) -> Spent {
        Spent { epoch, counter }
    }

    /// The epoch.
    pub fn epoch(&self) -> EpochId {
        self.epoch
    }

    /// The counter.
    pub fn counter(&self) -> Counter {
        self.counter
    }
}

/// What the rounds need of a key store: every bit is handed out once, every counter is spent once, and both are durable
/// before the call returns.
pub trait KeyStore {
    /// The store's own failures.
    type Error;

    /// Draws bits of a link that were never drawn before and never will be again. The other end of the link, drawing the
    /// same lengths in the same order, gets the same bits.
    ///
    /// # Errors
    /// The store is short of key, or its record could not be made durable; then nothing is handed out.
    fn draw(&mut self, link: Link, bits: usize) -> Result<ItsKey, Self::Error>;

    /// Marks a counter as spent.
    ///
    /// # Errors
    /// It was spent before, or the record could not be made durable.
    fn spend(&mut self, epoch: EpochId, counter: Counter) -> Result<Spent, Self::Error>;
}
