//! `gf64`: a polynomial over GF(2^64).
//!
//! The field is GF(2)\[x\] modulo x^64 + x^4 + x^3 + x + 1. An element is a `u64` whose bit i is the coefficient of x^i,
//! 8 bytes little-endian on the message side; a hash key h is read as 64 bits, the most significant first. The message is
//! cut into N - 1 = ⌈a/64⌉ blocks of 8 bytes, X_N is the length block, and
//!
//! > S_0 = 0, S_i = (S_{i-1} ⊕ X_i)·h, hash = S_N.
//!
//! **ε = N / 2^64** with N = ⌈a/64⌉ + 1, for the reason given for [`gf128`](super::gf128) with g = h. Half the key of `gf128`
//! per function; k functions per test make up for the shorter tag.

use super::{Family, HashFamily, MESSAGE_BYTES_MAX, two_to_minus};
use crate::bits::{BitReader, BitWriter};
use crate::kernel::{self, Backend};

/// The family's implementation.
#[derive(Clone, Copy)]
pub(super) struct Gf64;

impl HashFamily for Gf64 {
    type Key = u64;

    fn family(self) -> Family {
        Family::Gf64
    }

    fn tag_bits(self) -> u32 {
        64
    }

    fn hash_key_bits(self) -> u32 {
        64
    }

    fn message_bytes_max(self) -> usize {
        MESSAGE_BYTES_MAX
    }

    fn epsilon(self, message_bytes: usize) -> f64 {
        (message_bytes.div_ceil(8) + 1) as f64 * two_to_minus(64)
    }

    fn read(self, bits: &mut BitReader<'_>) -> Option<u64> {
        bits.read(64).map(|key| key as u64)
    }

    fn write(self, key: &u64, out: &mut BitWriter) {
        out.write(u128::from(*key), 64);
    }

    fn hash(self, backend: Backend, keys: &[u64], message: &[u8], hashes: &mut Vec<u128>) {
        backend.run(kernel::Gf64 {
            keys,
            message,
            hashes,
        });
    }
}
