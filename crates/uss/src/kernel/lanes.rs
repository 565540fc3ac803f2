//! The vector operations that the kernels are written in.

/// A set of instructions that this processor has: a value of such a type is the proof.
///
/// A vector is a row of 64-bit words; words 2i and 2i + 1 are a pair, which holds one element or product of 128 bits, low
/// word first.
pub(crate) trait Lanes: Copy {
    /// The register.
    type Vector: Copy;
    /// Words in it.
    const WORDS: usize;
    /// Pairs in it.
    const PAIRS: usize = Self::WORDS / 2;

    /// [`Self::WORDS`] words.
    fn load(self, words: &[u64]) -> Self::Vector;
    /// [`Self::PAIRS`] pairs.
    fn load_pairs(self, pairs: &[u128]) -> Self::Vector;
    /// The words of `a`; the first ones are written.
    fn words(self, a: Self::Vector) -> [u64; WORDS_MAX];
    /// The pairs of `a`; the first ones are written.
    fn pairs(self, a: Self::Vector) -> [u128; WORDS_MAX / 2];
    /// One word everywhere.
    fn splat(self, word: u64) -> Self::Vector;
    /// One little-endian pair everywhere.
    fn splat_pair(self, pair: &[u8; 16]) -> Self::Vector;

    /// a ⊕ b.
    fn xor(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a ⊕ b ⊕ c.
    fn xor3(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// a ∧ b.
    fn and(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Every word shifted towards its high bits; 64 leaves nothing.
    fn shift_left(self, a: Self::Vector, bits: u32) -> Self::Vector;
    /// Every word shifted towards its low bits; 64 leaves nothing.
    fn shift_right(self, a: Self::Vector, bits: u32) -> Self::Vector;
    /// Carry-less product of the low words of each pair.
    fn multiply_low(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Carry-less product of the high words of each pair.
    fn multiply_high(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The words of each pair exchanged.
    fn swap(self, a: Self::Vector) -> Self::Vector;
    /// Pairs of the low words of a and b.
    fn zip_low(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Pairs of the high words of a and b.
    fn zip_high(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
}

/// Words of the widest vector.
pub(crate) const WORDS_MAX: usize = 8;

/// What can be done with vectors and without.
pub(crate) trait Task {
    /// The result.
    type Output;
    /// With the instructions of `lanes`; always inlined, so that it is compiled for them.
    fn vectors<L: Lanes>(self, lanes: L) -> Self::Output;
    /// With those that every processor has.
    fn portable(self) -> Self::Output;
}

/// So many products and nothing else, eight chains at a time; the result is how many were done.
pub(crate) struct Products(pub(crate) usize);

impl Task for Products {
    type Output = usize;

    #[inline(always)]
    fn vectors<L: Lanes>(self, lanes: L) -> usize {
        let mut chains = [lanes.splat(3); 8];
        let factor = lanes.splat(0x1234_5678_9abc_def1);
        let rounds = self.0.div_ceil(chains.len() * L::PAIRS);
        for _ in 0..rounds {
            for chain in &mut chains {
                *chain = lanes.multiply_low(*chain, factor);
            }
        }
        for chain in chains {
            std::hint::black_box(lanes.words(chain));
        }
        rounds * chains.len() * L::PAIRS
    }

    fn portable(self) -> usize {
        0
    }
}
