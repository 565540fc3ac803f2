//! Hashing of whole keys: verification by a polynomial, privacy amplification by a random Toeplitz matrix.

use polyval::Polyval;
use polyval::universal_hash::UniversalHash as _;

use super::bits::Bits;

/// Bits that verification reveals.
pub const VERIFICATION_BITS: u32 = 64;

/// Number of seed bits of a Toeplitz matrix of `rows` × `columns`.
pub fn seed_len(columns: usize, rows: usize) -> usize {
    (columns + rows).saturating_sub(1)
}

/// T·key, `rows` bits, where row i and column j of T hold bit i + columns − 1 − j of the seed.
///
/// `seed` must have [`seed_len`] bits. Two different keys meet with chance 2^(−rows) over the seed.
pub fn toeplitz(key: &Bits, seed: &Bits, rows: usize) -> Bits {
    let mut hashed = Bits::zeros(rows);
    let columns = key.len();
    for column in (0..columns).filter(|&column| key.get(column)) {
        hashed.add_window(seed, columns - 1 - column);
    }
    hashed
}

/// 64 bits of the key's polynomial at the point `hash_key` of GF(2^128).
///
/// Two different keys of `n` bits meet with chance at most (n/128 + 1)·2^(−64) over the hash key.
pub fn digest(key: &Bits, hash_key: &[u8; 16]) -> u64 {
    let mut polynomial = Polyval::new(&(*hash_key).into());
    polynomial.update_padded(&key.to_bytes());
    let [a, b, c, d, e, f, g, h, ..]: [u8; 16] = polynomial.finalize().into();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}
