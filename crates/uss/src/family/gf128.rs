//! `gf128`: POLYVAL, a polynomial over GF(2^128).
//!
//! The field is GF(2)\[x\] modulo x^128 + x^127 + x^126 + x^121 + 1. An element is a `u128` whose bit i is the coefficient
//! of x^i, 16 bytes little-endian on the message side; a hash key h is read as 128 bits, the most significant first.
//! `dot(a, b) = a·b·x^-128`. The message is cut into N - 1 = ⌈a/128⌉ blocks of 16 bytes, X_N is the length block, and
//!
//! > S_0 = 0, S_i = dot(S_{i-1} ⊕ X_i, h), hash = S_N,
//!
//! as in RFC 8452, section 3. The hash is never truncated: the first t bits of it would promise N/2^t only.
//!
//! **ε = N / 2^128** with N = ⌈a/128⌉ + 1. Let g = h·x^-128, which is uniform as h is: hash(m) = Σ X_i g^(N+1-i). The
//! difference of two messages is a polynomial D in g without a constant term and of degree N at most, and it is not zero:
//! different lengths differ in the coefficient of g, equal lengths in some other one. D = d has at most N solutions for each d.

use super::{Family, HashFamily, MESSAGE_BYTES_MAX, two_to_minus};
use crate::bits::{BitReader, BitWriter};
use crate::kernel::{self, Backend};

/// The family's implementation.
#[derive(Clone, Copy)]
pub(super) struct Gf128;

impl HashFamily for Gf128 {
    type Key = u128;

    fn family(self) -> Family {
        Family::Gf128
    }

    fn tag_bits(self) -> u32 {
        128
    }

    fn hash_key_bits(self) -> u32 {
        128
    }

    fn message_bytes_max(self) -> usize {
        MESSAGE_BYTES_MAX
    }

    fn epsilon(self, message_bytes: usize) -> f64 {
        (message_bytes.div_ceil(16) + 1) as f64 * two_to_minus(128)
    }

    fn read(self, bits: &mut BitReader<'_>) -> Option<u128> {
        bits.read(128)
    }

    fn write(self, key: &u128, out: &mut BitWriter) {
        out.write(*key, 128);
    }

    fn hash(self, backend: Backend, keys: &[u128], message: &[u8], hashes: &mut Vec<u128>) {
        backend.run(kernel::Gf128 {
            keys,
            message,
            hashes,
        });
    }
}
