//! `lfsr128`: a Toeplitz matrix whose diagonals come out of a linear feedback shift register.
//!
//! Krawczyk 1994, used for signatures over shared quantum keys by Yin et al. 2022 (arXiv 2107.14089). A hash key is an
//! irreducible polynomial p of degree 128 (128 bits, x^127 first; x^128 is implied, the constant term is 1) and a state
//! s_0 … s_127. The register continues the state, s_{i+128} = Σ p_c s_{i+c}. The message is cut into N - 1 = ⌈a/128⌉ blocks of
//! 16 bytes, X_N is the length block; bit c of block i, a little-endian number, is the coefficient m_j with
//! j = 128(N - i) + c, and
//!
//! > hash bit t = Σ_j m_j s_{j+t}, t = 0 … 127, bit 0 is the most significant one.
//!
//! **How it is computed.** With m(x) = Σ m_j x^j and the linear functional L(x^j) = s_j on GF(2)\[x\]/p, bit t is L(x^t·m mod p).
//! Let n(x) = ⌊p·s/x^128⌋ for s(x) = Σ s_i x^(127-i); the sequence is the expansion of n/p in 1/x. So
//! hash = ⌊v·x^128 / p⌋ with v = n·m mod p: two reductions and a division by a modulus that differs from key to key, each by
//! Barrett's method with μ = ⌊x^256/p⌋. A key is kept as (p, μ, n).
//!
//! **ε = q + 2^-128 (1 - q)** with q = ⌈a/128⌉ · 128 / (2^128 - 2^64). The difference of two messages is a polynomial D that is
//! not zero, of degree below 128 N, so at most N - 1 irreducible polynomials of degree 128 divide it, of the
//! (2^128 - 2^64)/128 there are: D mod p = 0 with probability q at most. Otherwise D is invertible modulo p, and the
//! hash of D is a one-to-one linear image of the state: uniform. That is below Krawczyk's a/2^127 for messages over one block.
//!
//! **The polynomial must be uniform among the irreducible ones**, which raw shared bits are not: only one in 64 strings
//! would do. The signer draws it ([`draw_irreducible`]) and sends it sealed, the state alone is shared bits; a receiver tests
//! what the signer sent. [`HashKeys::read`] takes polynomials as they are: a wrong one that another receiver hands on is a
//! mismatch as any other.
//!
//! [`HashKeys::read`]: super::HashKeys::read

use rand_core::CryptoRng;
use zeroize::Zeroize as _;

use super::{Family, HashFamily, MESSAGE_BYTES_MAX, two_to_minus};
use crate::bits::{BitReader, BitWriter};
use crate::kernel::{self, Backend, Modulus};

/// The family's implementation.
#[derive(Clone, Copy)]
pub(super) struct Lfsr128;

impl HashFamily for Lfsr128 {
    /// p without its leading term, μ without its leading term, n.
    type Key = [u128; 3];

    fn family(self) -> Family {
        Family::Lfsr128
    }

    fn tag_bits(self) -> u32 {
        128
    }

    fn hash_key_bits(self) -> u32 {
        256
    }

    fn message_bytes_max(self) -> usize {
        MESSAGE_BYTES_MAX
    }

    fn epsilon(self, message_bytes: usize) -> f64 {
        let factors = message_bytes.div_ceil(16) as f64;
        let divides = factors * two_to_minus(121) / (1.0 - two_to_minus(64));
        divides + two_to_minus(128) * (1.0 - divides)
    }

    fn read(self, bits: &mut BitReader<'_>) -> Option<[u128; 3]> {
        if bits.left() < 256 {
            return None;
        }
        let modulus = Modulus::new(bits.read(128)?);
        let numerator = modulus.numerator(bits.read(128)?);
        Some([modulus.tail, modulus.quotient, numerator])
    }

    fn write(self, key: &[u128; 3], out: &mut BitWriter) {
        let modulus = Modulus::from_parts(key[0], key[1]);
        out.write(modulus.tail, 128);
        out.write(modulus.expansion(key[2]), 128);
    }

    fn hash(self, backend: Backend, keys: &[[u128; 3]], message: &[u8], hashes: &mut Vec<u128>) {
        backend.run(kernel::Lfsr128 {
            keys,
            message,
            hashes,
        });
    }
}

/// Draws an irreducible polynomial of degree 128, all equally likely; the result is without its leading term.
///
/// Candidates that fail are thrown away, so the number of draws says nothing about the result: 64 on average.
pub fn draw_irreducible(rng: &mut impl CryptoRng) -> u128 {
    loop {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        let candidate = u128::from_be_bytes(bytes) | 1;
        bytes.zeroize();
        if is_irreducible(candidate) {
            return candidate;
        }
    }
}

/// Whether x^128 + `tail` is irreducible over GF(2), `tail` a polynomial of degree 127 at most.
///
/// Rabin's test: x^(2^128) = x modulo p says that p is a product of different irreducible polynomials whose degrees divide
/// 128. Such a p is irreducible if none of the degrees divides 64, that is, if e = x^(2^64) - x is invertible modulo p, or
/// e^(2^128 - 1) = 1. The time depends on the answer and on the number of terms only.
pub fn is_irreducible(tail: u128) -> bool {
    // The constant term is there, and the number of terms is odd: else x or x + 1 divides.
    if tail & 1 == 0 || tail.count_ones() % 2 == 1 {
        return false;
    }
    Backend::detect().run(kernel::Irreducible { tail })
}
