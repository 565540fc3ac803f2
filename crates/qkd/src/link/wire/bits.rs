//! Strings of bits.

use std::fmt;

use rand_core::Rng;
use zeroize::Zeroize as _;

/// A string of bits; wiped when dropped, never printed.
#[derive(Default, PartialEq, Eq)]
pub struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Drop for Bits {
    fn drop(&mut self) {
        self.words.zeroize();
    }
}

impl fmt::Debug for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bits(<redacted>, {} bits)", self.len)
    }
}

impl Bits {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Bits {
        Bits {
            words: vec![0; len.div_ceil(64)],
            len,
        }
    }

    /// `len` random bits.
    pub fn random(len: usize, random: &mut impl Rng) -> Bits {
        let mut bits = Bits::zeros(len);
        for word in &mut bits.words {
            *word = random.next_u64();
        }
        bits.trim();
        bits
    }

    /// The first `len` bits of bytes, lowest bit first; none when there are fewer or other bits are set.
    pub fn from_bytes(len: usize, bytes: &[u8]) -> Option<Bits> {
        if bytes.len() != len.div_ceil(8) {
            return None;
        }
        let mut bits = Bits::zeros(len);
        for (index, &byte) in bytes.iter().enumerate() {
            bits.words[index / 8] |= u64::from(byte) << (index % 8 * 8);
        }
        let given = bits.words.last().copied();
        bits.trim();
        (bits.words.last().copied() == given).then_some(bits)
    }

    /// Lowest bit first, the last byte filled with zeros.
    pub fn to_bytes(&self) -> Vec<u8> {
        let bytes = self.words.iter().flat_map(|word| word.to_le_bytes());
        bytes.take(self.len.div_ceil(8)).collect()
    }

    /// Number of bits.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True without bits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends a bit.
    pub fn push(&mut self, bit: bool) {
        if self.len.is_multiple_of(64) {
            self.words.push(0);
        }
        self.len += 1;
        if bit {
            self.flip(self.len - 1);
        }
    }

    /// The bit at `index`, which must lie below [`Bits::len`].
    pub fn get(&self, index: usize) -> bool {
        self.words[index / 64] >> (index % 64) & 1 == 1
    }

    /// Turns the bit at `index`, which must lie below [`Bits::len`].
    pub fn flip(&mut self, index: usize) {
        self.words[index / 64] ^= 1 << (index % 64);
    }

    /// All bits in order.
    pub fn iter(&self) -> impl Iterator<Item = bool> {
        (0..self.len).map(|index| self.get(index))
    }

    /// Number of places in which two strings of one length differ.
    pub fn distance(&self, other: &Bits) -> usize {
        let pairs = self.words.iter().zip(&other.words);
        pairs.map(|(a, b)| (a ^ b).count_ones() as usize).sum()
    }

    /// Adds (exclusive or) the bits `start..start + self.len()` of `other` to these.
    ///
    /// `other` must have them.
    pub(crate) fn add_window(&mut self, other: &Bits, start: usize) {
        let (first, shift) = (start / 64, start % 64);
        let low = &other.words[first..];
        if shift == 0 {
            self.words
                .iter_mut()
                .zip(low)
                .for_each(|(word, a)| *word ^= a);
        } else {
            let pairs = low.iter().zip(&low[1..]);
            for (word, (a, b)) in self.words.iter_mut().zip(pairs) {
                *word ^= a >> shift | b << (64 - shift);
            }
            // The window may end in the last word of the other string.
            let last = self.words.len().saturating_sub(1);
            if let (true, Some(word)) = (low.len() == self.words.len(), self.words.last_mut()) {
                *word ^= low[last] >> shift;
            }
        }
        self.trim();
    }

    /// Clears what lies behind the last bit.
    fn trim(&mut self) {
        let used = self.len % 64;
        if let (true, Some(last)) = (used != 0, self.words.last_mut()) {
            *last &= (1 << used) - 1;
        }
    }
}

impl FromIterator<bool> for Bits {
    fn from_iter<I: IntoIterator<Item = bool>>(bits: I) -> Bits {
        let mut all = Bits::default();
        bits.into_iter().for_each(|bit| all.push(bit));
        all
    }
}
