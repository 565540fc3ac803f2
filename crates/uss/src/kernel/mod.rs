//! One message under many keys: the carry-less multiplications behind the hash families.
//!
//! A hash is a polynomial in the key. Blocks are taken P at a time: with h, h², …, h^P at hand, the P products of a batch do
//! not wait for each other and their sum is reduced once. Several keys lie in one vector and G vectors of keys go through a
//! batch together, so that the processor has enough to do while a product is under way. P and G depend on the length of
//! the message and on nothing else.
//!
//! | module | what it holds |
//! |---|---|
//! | [`narrow`], [`small`] | fields of up to 64 bits, one key per word: `gf64`, `small` |
//! | [`wide`], [`register`] | 128 bits, one key per pair of words: `gf128`, `lfsr128` |
//! | [`lanes`] | the vector operations that both are written in |
//! | [`x86`] | these operations as AVX-512 and as SSE2 instructions: the crate's only unsafe code |
//! | [`portable`] | the same hashes without vectors, key by key and block by block |

mod batches;
mod lanes;
mod modulus;
mod narrow;
mod portable;
mod register;
mod small;
mod wide;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use modulus::Modulus;
pub(crate) use narrow::Gf64;
pub(crate) use register::{Irreducible, Lfsr128};
pub(crate) use small::Small;
pub(crate) use wide::Gf128;

use lanes::Task;

/// GF(2^bits), 3 to 64 bits, x^bits = tail; the tail has a constant and at most three more terms, none above half the degree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) bits: u32,
    pub(crate) tail: u64,
}

impl Field {
    /// x^64 = x^4 + x^3 + x + 1.
    const GF64: Field = Field {
        bits: 64,
        tail: 0x1b,
    };
}

/// The instructions that hashes are computed with; all give the same hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Backend {
    /// AVX-512 with VPCLMULQDQ: four products per instruction.
    Avx512,
    /// PCLMULQDQ: one product per instruction.
    Clmul,
    /// Integer instructions that every processor has; for `gf128` the `polyval` crate, which looks for its own.
    Portable,
}

impl Backend {
    /// All of them, the best first.
    pub const ALL: [Backend; 3] = [Backend::Avx512, Backend::Clmul, Backend::Portable];

    /// The best one that this processor has.
    pub fn detect() -> Backend {
        let mut backends = Backend::ALL.into_iter();
        backends
            .find(|backend| backend.is_available())
            .unwrap_or(Backend::Portable)
    }

    /// Whether this processor has it.
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Backend::Avx512 => x86::Avx512::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Backend::Clmul => x86::Clmul::detect().is_some(),
            #[cfg(not(target_arch = "x86_64"))]
            Backend::Avx512 | Backend::Clmul => false,
            Backend::Portable => true,
        }
    }

    /// Does `task` with these instructions, or with the next ones that this processor has.
    pub(crate) fn run<T: Task>(self, task: T) -> T::Output {
        #[cfg(target_arch = "x86_64")]
        {
            if self == Backend::Avx512
                && let Some(lanes) = x86::Avx512::detect()
            {
                return lanes.run(task);
            }
            if self != Backend::Portable
                && let Some(lanes) = x86::Clmul::detect()
            {
                return lanes.run(task);
            }
        }
        task.portable()
    }
}

/// What a loop of nothing but independent carry-less products does, for benchmarks: the limit of every hash here.
///
/// Computes at least `products` products of 64-bit words and returns how many, or `None` without AVX-512.
#[doc(hidden)]
pub fn raw_clmul512(products: usize) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    return x86::Avx512::detect().map(|lanes| lanes.run(lanes::Products(products)));
    #[cfg(not(target_arch = "x86_64"))]
    return None;
}

#[cfg(test)]
mod tests {
    use super::portable::{multiply_64, multiply_128};
    use super::{Backend, Irreducible};

    /// Words that look random, the same ones every time.
    fn words(count: usize) -> Vec<u64> {
        let step = |word: &u64| Some(word.wrapping_mul(0x5851_f42d_4c95_7f2d) ^ word >> 29 ^ 1);
        std::iter::successors(Some(1), step).take(count).collect()
    }

    #[test]
    fn products_are_sums_of_shifts() {
        let shifts = |a: u64, b: u64| {
            (0..64).fold(0, |sum, i| {
                sum ^ ((u128::from(a) << i) * u128::from(b >> i & 1))
            })
        };
        let mut pairs: Vec<(u64, u64)> = words(200)
            .chunks(2)
            .map(|pair| (pair[0], pair[1]))
            .collect();
        pairs.extend([
            (0, 0),
            (u64::MAX, u64::MAX),
            (u64::MAX, 1),
            (1 << 63, 1 << 63),
        ]);
        for (a, b) in pairs {
            assert_eq!(multiply_64(a, b), shifts(a, b), "{a:#x} · {b:#x}");
            let (high, low) = multiply_128(u128::from(a) << 64, u128::from(b) << 64 | 1);
            assert_eq!(
                (high, low),
                (shifts(a, b), u128::from(a) << 64),
                "{a:#x}, {b:#x}"
            );
        }
    }

    /// GHASH's polynomial is irreducible; x^128 + x^127 + x^126 + x^121 + 1, its mirror image, is POLYVAL's.
    #[test]
    fn backends_agree_on_which_polynomials_are_irreducible() {
        let mut tails = vec![0x87, 1 << 127 | 1 << 126 | 1 << 121 | 1, 1 << 64 | 0x8b, 7];
        tails.extend(words(300).iter().map(|word| u128::from(*word) << 3 | 1));
        tails.retain(|tail| tail.count_ones().is_multiple_of(2));
        let test = |backend: Backend| -> Vec<u128> {
            let irreducible = |tail: &&u128| backend.run(Irreducible { tail: **tail });
            tails.iter().filter(irreducible).copied().collect()
        };
        let found = test(Backend::Portable);
        assert_eq!(found[..2], tails[..2]);
        for backend in Backend::ALL {
            assert_eq!(test(backend), found, "{backend:?}");
        }
    }
}
