//! Many hash keys of one family.

use std::fmt;

use zeroize::Zeroize as _;

use super::gf64::Gf64;
use super::gf128::Gf128;
use super::lfsr::Lfsr128;
use super::{Family, FamilyError, HashFamily, Small};
use crate::bits::{BitReader, BitWriter};
use crate::kernel::Backend;

/// Hash keys, without pads, of one [`Family`], in an order that the holder knows.
///
/// They cannot be cloned or printed and are wiped when dropped.
pub struct HashKeys {
    store: Store,
}

enum Store {
    Gf128(Keys<Gf128>),
    Gf64(Keys<Gf64>),
    Small(Keys<Small>),
    Lfsr128(Keys<Lfsr128>),
}

struct Keys<F: HashFamily> {
    family: F,
    keys: Vec<F::Key>,
}

/// What [`HashKeys`] asks of its keys, whatever the family.
trait KeyList {
    fn family(&self) -> Family;
    fn len(&self) -> usize;
    fn read(&mut self, bits: &mut BitReader<'_>) -> bool;
    fn write(&self, index: usize, out: &mut BitWriter);
    fn hash(&self, backend: Backend, message: &[u8], hashes: &mut Vec<u128>);
}

impl HashKeys {
    /// No keys yet, room for `count`.
    pub fn with_capacity(family: Family, count: usize) -> HashKeys {
        let store = match family {
            Family::Gf128 => Store::Gf128(Keys::with_capacity(Gf128, count)),
            Family::Gf64 => Store::Gf64(Keys::with_capacity(Gf64, count)),
            Family::Small(small) => Store::Small(Keys::with_capacity(small, count)),
            Family::Lfsr128 => Store::Lfsr128(Keys::with_capacity(Lfsr128, count)),
        };
        HashKeys { store }
    }

    /// Takes `count` hash keys of [`Family::hash_key_bits`] each from `bits`, one after another, pads not among them.
    ///
    /// Shared bits are keys as they are, except for [`Family::Lfsr128`], whose polynomials the signer draws
    /// ([`Family::drawn_bits`]).
    ///
    /// # Errors
    /// [`FamilyError::TooFewBits`]; then nothing is read.
    pub fn read(
        family: Family,
        bits: &mut BitReader<'_>,
        count: usize,
    ) -> Result<HashKeys, FamilyError> {
        let needed = count as u128 * u128::from(family.hash_key_bits());
        let too_few = FamilyError::TooFewBits {
            family,
            keys: count,
            needed,
            left: bits.left(),
        };
        if needed > bits.left() as u128 {
            return Err(too_few);
        }
        let mut keys = HashKeys::with_capacity(family, count);
        for _ in 0..count {
            if !keys.list_mut().read(bits) {
                return Err(too_few);
            }
        }
        Ok(keys)
    }

    /// Appends a copy of key `index` of `other`.
    ///
    /// # Errors
    /// [`FamilyError::OtherFamily`], [`FamilyError::NoSuchKey`].
    pub fn push_from(&mut self, other: &HashKeys, index: usize) -> Result<(), FamilyError> {
        let no_such_key = FamilyError::NoSuchKey {
            index,
            keys: other.len(),
        };
        let other_family = FamilyError::OtherFamily {
            expected: self.family(),
            found: other.family(),
        };
        if self.family() != other.family() {
            return Err(other_family);
        }
        let pushed = match (&mut self.store, &other.store) {
            (Store::Gf128(keys), Store::Gf128(other)) => keys.push_from(other, index),
            (Store::Gf64(keys), Store::Gf64(other)) => keys.push_from(other, index),
            (Store::Small(keys), Store::Small(other)) => keys.push_from(other, index),
            (Store::Lfsr128(keys), Store::Lfsr128(other)) => keys.push_from(other, index),
            _ => return Err(other_family),
        };
        pushed.ok_or(no_such_key)
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.list().len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The family of all keys.
    pub fn family(&self) -> Family {
        self.list().family()
    }

    /// Writes key `index` as [`HashKeys::read`] takes it.
    ///
    /// # Panics
    /// If there is no such key.
    pub fn write(&self, index: usize, out: &mut BitWriter) {
        self.list().write(index, out);
    }

    /// Appends the hash of `message` under every key, in the order of the keys: the low [`Family::tag_bits`] bits. A tag is
    /// the hash with the pad added.
    ///
    /// # Errors
    /// [`FamilyError::MessageTooLong`]; then nothing is appended.
    pub fn hash(&self, message: &[u8], hashes: &mut Vec<u128>) -> Result<(), FamilyError> {
        self.hash_with(Backend::detect(), message, hashes)
    }

    /// [`HashKeys::hash`] on a given backend, or the next one that this machine has: the result is the same.
    ///
    /// # Errors
    /// [`FamilyError::MessageTooLong`]; then nothing is appended.
    pub fn hash_with(
        &self,
        backend: Backend,
        message: &[u8],
        hashes: &mut Vec<u128>,
    ) -> Result<(), FamilyError> {
        let max = self.family().message_bytes_max();
        if message.len() > max {
            return Err(FamilyError::MessageTooLong {
                family: self.family(),
                bytes: message.len(),
                max,
            });
        }
        hashes.reserve(self.len());
        self.list().hash(backend, message, hashes);
        Ok(())
    }

    fn list(&self) -> &dyn KeyList {
        match &self.store {
            Store::Gf128(keys) => keys,
            Store::Gf64(keys) => keys,
            Store::Small(keys) => keys,
            Store::Lfsr128(keys) => keys,
        }
    }

    fn list_mut(&mut self) -> &mut dyn KeyList {
        match &mut self.store {
            Store::Gf128(keys) => keys,
            Store::Gf64(keys) => keys,
            Store::Small(keys) => keys,
            Store::Lfsr128(keys) => keys,
        }
    }
}

impl fmt::Debug for HashKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "HashKeys(<redacted>, {} × {})",
            self.len(),
            self.family()
        )
    }
}

impl<F: HashFamily> Keys<F> {
    fn with_capacity(family: F, count: usize) -> Keys<F> {
        Keys {
            family,
            keys: Vec::with_capacity(count),
        }
    }

    /// Appends without leaving a copy behind where the list must grow.
    fn push(&mut self, key: F::Key) {
        if self.keys.len() == self.keys.capacity() {
            let mut larger = Vec::with_capacity((2 * self.keys.len()).max(8));
            larger.extend_from_slice(&self.keys);
            std::mem::replace(&mut self.keys, larger).zeroize();
        }
        self.keys.push(key);
    }

    fn push_from(&mut self, other: &Keys<F>, index: usize) -> Option<()> {
        self.push(*other.keys.get(index)?);
        Some(())
    }
}

impl<F: HashFamily> KeyList for Keys<F> {
    fn family(&self) -> Family {
        self.family.family()
    }

    fn len(&self) -> usize {
        self.keys.len()
    }

    fn read(&mut self, bits: &mut BitReader<'_>) -> bool {
        let key = self.family.read(bits);
        key.map(|key| self.push(key)).is_some()
    }

    fn write(&self, index: usize, out: &mut BitWriter) {
        self.family.write(&self.keys[index], out);
    }

    fn hash(&self, backend: Backend, message: &[u8], hashes: &mut Vec<u128>) {
        self.family.hash(backend, &self.keys, message, hashes);
    }
}

impl<F: HashFamily> Drop for Keys<F> {
    fn drop(&mut self) {
        self.keys.zeroize();
    }
}
