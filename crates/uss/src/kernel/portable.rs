//! The hashes with integer instructions only, in constant time where integer multiplication is.

use polyval::Polyval;
use polyval::universal_hash::UniversalHash as _;

use super::batches::Blocks;
use super::{Field, Modulus};

/// Bits of a `u64` four apart: products of two such words have room for their sums.
const EVERY_FOURTH: u64 = 0x1111_1111_1111_1111;

/// Low 64 bits of the carry-less product of two words.
///
/// Each operand is split into four words with every fourth bit; in their integer products at most 16 ones meet in one
/// place, and the bits carried out of the three free places between fall on another class and are masked off. The one place
/// where 16 ones meet is the highest of its class, so that its carry leaves the word.
fn multiply_low(a: u64, b: u64) -> u64 {
    let part = |word: u64, class: usize| word & EVERY_FOURTH << class;
    let mut product = 0;
    for class in 0..4 {
        let mut sum = 0;
        for i in 0..4 {
            sum ^= part(a, i).wrapping_mul(part(b, (class + 4 - i) % 4));
        }
        product |= part(sum, class);
    }
    product
}

/// The carry-less product of two words: 127 bits.
pub(super) fn multiply_64(a: u64, b: u64) -> u128 {
    let low = multiply_low(a, b);
    let high = multiply_low(a.reverse_bits(), b.reverse_bits()).reverse_bits() >> 1;
    u128::from(high) << 64 | u128::from(low)
}

/// The carry-less product of two double words, high half first (Karatsuba).
pub(super) fn multiply_128(a: u128, b: u128) -> (u128, u128) {
    let (a_high, a_low) = ((a >> 64) as u64, a as u64);
    let (b_high, b_low) = ((b >> 64) as u64, b as u64);
    let high = multiply_64(a_high, b_high);
    let low = multiply_64(a_low, b_low);
    let middle = multiply_64(a_high ^ a_low, b_high ^ b_low) ^ high ^ low;
    (high ^ middle >> 64, low ^ middle << 64)
}

/// Hashes of `gf128`: the `polyval` crate with a new key each.
pub(super) fn gf128(keys: &[u128], message: &[u8], hashes: &mut Vec<u128>) {
    // One piece, for the crate takes blocks four at a time.
    let blocks: Vec<[u8; 16]> = Blocks::new(message).iter().collect();
    for key in keys {
        let mut hash = Polyval::new(&key.to_le_bytes().into());
        hash.update(polyval::Block::cast_slice_from_core(&blocks));
        hashes.push(u128::from_le_bytes(hash.finalize().into()));
    }
}

/// Hashes of `gf64`.
pub(super) fn gf64(keys: &[u64], message: &[u8], hashes: &mut Vec<u128>) {
    let blocks = Blocks::<8>::new(message);
    for &key in keys {
        let hash = blocks.iter().fold(0, |hash, block| {
            Field::GF64.multiply(hash ^ u64::from_le_bytes(block), key)
        });
        hashes.push(u128::from(hash));
    }
}

/// β · Σ X_i α^(N-i) for every key (α, β).
pub(super) fn small(field: Field, keys: &[[u64; 2]], blocks: &[[u8; 8]], hashes: &mut Vec<u128>) {
    for &[alpha, beta] in keys {
        let value = blocks.iter().fold(0, |value, block| {
            field.multiply(value, alpha) ^ u64::from_le_bytes(*block)
        });
        hashes.push(u128::from(field.multiply(value, beta)));
    }
}

/// Hashes of `lfsr128`.
pub(super) fn lfsr128(keys: &[[u128; 3]], message: &[u8], hashes: &mut Vec<u128>) {
    let blocks = Blocks::<16>::new(message);
    for &[tail, quotient, numerator] in keys {
        let modulus = Modulus::from_parts(tail, quotient);
        let rest = blocks.iter().fold(0, |rest, block| {
            modulus.reduce(rest, u128::from_le_bytes(block))
        });
        hashes.push(modulus.expansion(modulus.multiply(numerator, rest)));
    }
}

impl Field {
    /// a·b; two folds reduce the product, for the tail reaches no higher than half the degree.
    fn multiply(self, a: u64, b: u64) -> u64 {
        let product = multiply_64(a, b);
        let mask = u128::MAX >> (128 - self.bits);
        let once = (product & mask) ^ self.times_tail(product >> self.bits);
        let twice = (once & mask) ^ self.times_tail(once >> self.bits);
        twice as u64
    }

    /// Shifts by the exponents of the tail, which are no secret.
    fn times_tail(self, a: u128) -> u128 {
        let mut product = 0;
        let mut tail = self.tail;
        while tail != 0 {
            product ^= a << tail.trailing_zeros();
            tail &= tail - 1;
        }
        product
    }
}
