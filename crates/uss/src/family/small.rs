//! `small-b-s`: a polynomial over GF(2^(b+s)), cut to b bits by a random linear map.
//!
//! The construction of Bierbrauer, Johansson, Kabatianskii and Smeets 1993 that Amiri et al. 2018 sign with: it needs the
//! least key, y = 3b + 2s bits. Let w = b + s. The field is GF(2)\[x\] modulo [`modulus`]; bit i of an element is the
//! coefficient of x^i. A hash key is α and then β, w bits each, the most significant first. The message is a string of bits,
//! the most significant of each byte first, cut into N - 1 = ⌈a/w⌉ blocks of w bits (the first bit of a block is the
//! coefficient of x^(w-1), missing bits are zero), X_N is the length block, and
//!
//! > hash = the low b bits of β · Σ X_i α^(N-i).
//!
//! **ε = 2^-b + p (1 - 2^-b)** with p = ⌈a/w⌉ / 2^w. The difference of two messages is a polynomial D in α of degree N - 1 at
//! most that is not zero: different lengths differ in the constant term, equal lengths in some other one (the linear map
//! comes after, so the constant term may be used). With probability p or less D(α) = 0, and the hashes are equal; otherwise
//! β·D(α) is uniform over the field, and the hashes differ by any given d with probability 2^-b.
//!
//! The published statement is a ≤ w(1 + 2^s), ε = 2^(1-b), without a length. Here p = 2^-b + 2^-w at that length, one block
//! more, so ε = 2^(1-b) - 2^-2b + 2^-w (1 - 2^-b): for s ≥ b still below 2^(1-b), for smaller s above it by less than 2^-w.

use super::{Family, FamilyError, HashFamily, MESSAGE_BYTES_MAX, two_to_minus};
use crate::bits::{BitReader, BitWriter};
use crate::kernel::{self, Backend};

/// Fewest bits of a tag: with one bit ε would be 1.
pub const TAG_BITS_MIN: u32 = 2;

/// Most bits of a tag.
pub const TAG_BITS_MAX: u32 = 32;

/// Most bits of a field element, b + s.
pub const FIELD_BITS_MAX: u32 = 64;

/// Low terms of the field polynomials of degree 3 to 64, bit i for x^i: the irreducible one with the fewest terms, of those
/// the first in the order of exponents from the highest down. No second term lies above half the degree, which lets two folds
/// reduce a product.
const TAILS: [u64; 62] = [
    0x3,
    0x3,
    0x5,
    0x3,
    0x3,
    0x1b,
    0x3,
    0x9, // 3 to 10
    0x5,
    0x9,
    0x1b,
    0x21,
    0x3,
    0x2b,
    0x9,
    0x9, // 11 to 18
    0x27,
    0x9,
    0x5,
    0x3,
    0x21,
    0x1b,
    0x9,
    0x1b, // 19 to 26
    0x27,
    0x3,
    0x5,
    0x3,
    0x9,
    0x8d,
    0x401,
    0x81, // 27 to 34
    0x5,
    0x201,
    0x53,
    0x63,
    0x11,
    0x39,
    0x9,
    0x81, // 35 to 42
    0x59,
    0x21,
    0x1b,
    0x3,
    0x21,
    0x2d,
    0x201,
    0x1d, // 43 to 50
    0x4b,
    0x9,
    0x47,
    0x201,
    0x81,
    0x95,
    0x11,
    0x80001, // 51 to 58
    0x95,
    0x3,
    0x27,
    0x2000_0001,
    0x3,
    0x1b, // 59 to 64
];

/// Sizes of the family: b bits of tag, s extra bits of field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Small {
    tag_bits: u8,
    extra_bits: u8,
}

/// The field polynomial of degree `bits`, bit i for x^i, for 3 to 64 bits.
pub const fn modulus(bits: u32) -> Option<u128> {
    if bits < 3 || bits > FIELD_BITS_MAX {
        return None;
    }
    Some(1 << bits | TAILS[bits as usize - 3] as u128)
}

impl Small {
    /// `tag_bits` b and `extra_bits` s: 2 ≤ b ≤ 32, 1 ≤ s, b + s ≤ 64.
    ///
    /// # Errors
    /// [`FamilyError::SmallBits`] outside these ranges.
    pub fn new(tag_bits: u32, extra_bits: u32) -> Result<Small, FamilyError> {
        let tag = (TAG_BITS_MIN..=TAG_BITS_MAX).contains(&tag_bits);
        let extra = (1..FIELD_BITS_MAX).contains(&extra_bits);
        if !tag || !extra || tag_bits + extra_bits > FIELD_BITS_MAX {
            return Err(FamilyError::SmallBits {
                tag_bits,
                extra_bits,
            });
        }
        Ok(Small {
            tag_bits: tag_bits as u8,
            extra_bits: extra_bits as u8,
        })
    }

    /// The smallest s that admits messages of `message_bytes` bytes with tags of `tag_bits` bits: 8 · bytes ≤ (b+s)(1 + 2^s).
    /// `None` when b is outside its range or the message longer than [`MESSAGE_BYTES_MAX`].
    pub fn for_message(tag_bits: u32, message_bytes: usize) -> Option<Small> {
        (1..FIELD_BITS_MAX)
            .map_while(|extra_bits| Small::new(tag_bits, extra_bits).ok())
            .find(|small| message_bytes <= small.message_bytes_max())
    }

    /// b, bits of a tag.
    pub const fn tag_bits(self) -> u32 {
        self.tag_bits as u32
    }

    /// s, bits of the field beyond b.
    pub const fn extra_bits(self) -> u32 {
        self.extra_bits as u32
    }

    /// w = b + s, bits of a field element and of a block.
    pub const fn field_bits(self) -> u32 {
        self.tag_bits() + self.extra_bits()
    }

    /// The field in the form that the kernel takes.
    fn field(self) -> kernel::Field {
        kernel::Field {
            bits: self.field_bits(),
            tail: TAILS[self.field_bits() as usize - 3],
        }
    }

    /// The blocks of a message, the length block last, as little-endian words.
    fn blocks(self, message: &[u8]) -> Vec<[u8; 8]> {
        let width = self.field_bits();
        let count = (message.len() * 8).div_ceil(width as usize);
        let mut blocks = Vec::with_capacity(count + 1);
        for bit in (0..count).map(|block| block * width as usize) {
            let rest = &message[bit / 8..];
            let window = match rest.first_chunk() {
                Some(window) => u128::from_be_bytes(*window),
                None => last_window(rest),
            };
            let block = (window << (bit % 8) >> (128 - width)) as u64;
            blocks.push(block.to_le_bytes());
        }
        blocks.push((message.len() as u64).to_le_bytes());
        blocks
    }
}

/// Fewer than 16 bytes, zeros behind.
fn last_window(rest: &[u8]) -> u128 {
    let mut window = [0; 16];
    window[..rest.len()].copy_from_slice(rest);
    u128::from_be_bytes(window)
}

impl HashFamily for Small {
    type Key = [u64; 2];

    fn family(self) -> Family {
        Family::Small(self)
    }

    fn tag_bits(self) -> u32 {
        self.tag_bits()
    }

    fn hash_key_bits(self) -> u32 {
        2 * self.field_bits()
    }

    // The length block holds every such length: bytes ≤ w(1 + 2^s)/8 < 2^w unless w(1 + 2^-s) ≥ 8 · 2^b, and then 2^w is
    // above MESSAGE_BYTES_MAX, for b ≥ 2 asks for s ≥ 29.
    fn message_bytes_max(self) -> usize {
        let bits = u128::from(self.field_bits()) * (1 + (1 << self.extra_bits()));
        usize::try_from(bits / 8).map_or(MESSAGE_BYTES_MAX, |bytes| bytes.min(MESSAGE_BYTES_MAX))
    }

    fn epsilon(self, message_bytes: usize) -> f64 {
        let blocks = (message_bytes * 8).div_ceil(self.field_bits() as usize);
        let equal = blocks as f64 * two_to_minus(self.field_bits());
        let tag = two_to_minus(self.tag_bits());
        tag + equal * (1.0 - tag)
    }

    fn read(self, bits: &mut BitReader<'_>) -> Option<[u64; 2]> {
        let both = bits.read(2 * self.field_bits())?;
        let beta = both & ((1 << self.field_bits()) - 1);
        Some([(both >> self.field_bits()) as u64, beta as u64])
    }

    fn write(self, key: &[u64; 2], out: &mut BitWriter) {
        for element in key {
            out.write(u128::from(*element), self.field_bits());
        }
    }

    fn hash(self, backend: Backend, keys: &[[u64; 2]], message: &[u8], hashes: &mut Vec<u128>) {
        let first = hashes.len();
        backend.run(kernel::Small {
            field: self.field(),
            keys,
            blocks: &self.blocks(message),
            hashes,
        });
        let mask = (1 << self.tag_bits()) - 1;
        for hash in &mut hashes[first..] {
            *hash &= mask;
        }
    }
}
