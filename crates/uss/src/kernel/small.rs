//! Polynomials over any field of 3 to 64 bits, for `small`: two blocks share a word where they fit.

use super::batches::{Batches, Blocks};
use super::lanes::{Lanes, Task, WORDS_MAX};
use super::narrow::{Modulo, ModuloField, evaluate, multiply};
use super::{Field, portable};

/// β · Σ X_i α^(N-i) for every key (α, β), not cut: [`family::small`](crate::family::small).
pub(crate) struct Small<'a> {
    pub(crate) field: Field,
    pub(crate) keys: &'a [[u64; 2]],
    /// X_i, one per little-endian word.
    pub(crate) blocks: &'a [[u8; 8]],
    pub(crate) hashes: &'a mut Vec<u128>,
}

/// Where the second block of a word starts: products of fields of up to 21 bits have 41 bits, so that of the product of two
/// such words, a_1 + a_2 x^43 and b_1 + b_2 x^43, the middle part is a_1 b_2 + a_2 b_1.
const SECOND: u32 = 43;

/// Widest field of which two blocks share a word.
const PACKED_BITS_MAX: u32 = 64 - SECOND;

impl Task for Small<'_> {
    type Output = ();

    #[inline(always)]
    fn vectors<L: Lanes>(self, lanes: L) {
        let Some((length, blocks)) = self.blocks.split_last() else {
            return;
        };
        let length = lanes.splat(u64::from_le_bytes(*length));
        let field = ModuloField::new(self.field);
        if self.field.bits <= PACKED_BITS_MAX {
            self.choose(lanes, Packed(field), &packed(blocks), length);
        } else {
            self.choose(lanes, field, blocks, length);
        }
    }

    fn portable(self) {
        portable::small(self.field, self.keys, self.blocks, self.hashes);
    }
}

/// Two blocks in each word, the second one from bit [`SECOND`] on; of an odd number the first one is alone.
fn packed(blocks: &[[u8; 8]]) -> Vec<[u8; 8]> {
    let second = |block: &[u8; 8]| u64::from_le_bytes(*block) << SECOND;
    let (first, pairs) = blocks.as_rchunks::<2>();
    let alone = first.iter().map(second);
    let pairs = pairs
        .iter()
        .map(|[a, b]| u64::from_le_bytes(*a) | second(b));
    alone.chain(pairs).map(u64::to_le_bytes).collect()
}

impl Small<'_> {
    #[inline(always)]
    fn choose<L: Lanes>(self, lanes: L, modulo: impl Modulo, words: &[[u8; 8]], length: L::Vector) {
        match words.len() {
            0..96 => self.groups::<L, _, 3, 4>(lanes, modulo, words, length),
            96..640 => self.groups::<L, _, 8, 2>(lanes, modulo, words, length),
            _ => self.groups::<L, _, 16, 2>(lanes, modulo, words, length),
        }
    }

    #[inline(always)]
    fn groups<L: Lanes, M: Modulo, const P: usize, const G: usize>(
        mut self,
        lanes: L,
        modulo: M,
        words: &[[u8; 8]],
        length: L::Vector,
    ) {
        let batches = Batches::<8, P>::new(&Blocks::ready(words));
        let mut keys = self.keys.chunks_exact(G * L::WORDS);
        for group in &mut keys {
            let mut alphas = [length; G];
            let mut betas = [length; G];
            for g in 0..G {
                let keys = &group[g * L::WORDS..(g + 1) * L::WORDS];
                (alphas[g], betas[g]) = load(lanes, keys);
            }
            let sums = evaluate(lanes, modulo, alphas, &batches);
            for g in 0..G {
                let value = lanes.xor(sums[g], length);
                self.finish(lanes, value, betas[g], L::WORDS);
            }
        }
        for group in keys.remainder().chunks(L::WORDS) {
            let (alpha, beta) = load(lanes, group);
            let [sum] = evaluate(lanes, modulo, [alpha], &batches);
            self.finish(lanes, lanes.xor(sum, length), beta, group.len());
        }
    }

    /// β times the values, for the first `count` keys.
    #[inline(always)]
    fn finish<L: Lanes>(&mut self, lanes: L, value: L::Vector, beta: L::Vector, count: usize) {
        let product = multiply(lanes, ModuloField::new(self.field), value, beta);
        let words = lanes.words(product);
        // `load` left the keys in the order 0, n/2, 1, n/2 + 1, …
        for i in 0..count {
            let word = words[2 * (i % L::PAIRS) + i / L::PAIRS];
            self.hashes.push(u128::from(word));
        }
    }
}

/// α and β of up to a vector of keys, those of the first half in the low words, zeros where there is no key.
#[inline(always)]
fn load<L: Lanes>(lanes: L, keys: &[[u64; 2]]) -> (L::Vector, L::Vector) {
    let mut words = [0; 2 * WORDS_MAX];
    words[..2 * keys.len()].copy_from_slice(keys.as_flattened());
    let first = lanes.load(&words[..L::WORDS]);
    let second = lanes.load(&words[L::WORDS..2 * L::WORDS]);
    (lanes.zip_low(first, second), lanes.zip_high(first, second))
}

/// Two blocks per word: block word X_1 + X_2 x^43 times power word h^(2i-1) + h^(2i) x^43.
#[derive(Clone, Copy)]
struct Packed(ModuloField);

impl Modulo for Packed {
    #[inline(always)]
    fn powers<L: Lanes, const P: usize>(self, lanes: L, h: L::Vector) -> [L::Vector; P] {
        // odd[P - i] is h^(2i-1), even[P - i] is h^(2i).
        let mut odd = [h; P];
        let mut even = [h; P];
        even[P - 1] = multiply(lanes, self.0, h, h);
        for i in 2..=P {
            let (a, b) = (half(&odd, &even, i - 1), half(&odd, &even, i));
            odd[P - i] = multiply(lanes, self.0, a, b);
            even[P - i] = multiply(lanes, self.0, b, b);
        }
        for i in 0..P {
            odd[i] = lanes.xor(odd[i], lanes.shift_left(even[i], SECOND));
        }
        odd
    }

    #[inline(always)]
    fn reduce<L: Lanes>(self, lanes: L, even: L::Vector, odd: L::Vector) -> L::Vector {
        let upper = lanes.shift_left(lanes.zip_high(even, odd), 64 - SECOND);
        let middle = lanes.xor(upper, lanes.shift_right(lanes.zip_low(even, odd), SECOND));
        let mask = lanes.splat(u64::MAX >> (65 - 2 * self.0.bits));
        self.0.fold(lanes, lanes.and(middle, mask), lanes.splat(0))
    }
}

/// h^exponent out of the odd and the even powers.
#[inline(always)]
fn half<V: Copy, const P: usize>(odd: &[V; P], even: &[V; P], exponent: usize) -> V {
    if exponent.is_multiple_of(2) {
        even[P - exponent / 2]
    } else {
        odd[P - exponent.div_ceil(2)]
    }
}
