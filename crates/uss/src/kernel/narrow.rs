//! Polynomials over a field of up to 64 bits, one key per word; `gf64`.

use super::batches::{Batches, Blocks};
use super::lanes::{Lanes, Task, WORDS_MAX};
use super::{Field, portable};

/// Hashes of [`family::gf64`](crate::family::gf64).
pub(crate) struct Gf64<'a> {
    pub(crate) keys: &'a [u64],
    pub(crate) message: &'a [u8],
    pub(crate) hashes: &'a mut Vec<u128>,
}

impl Task for Gf64<'_> {
    type Output = ();

    #[inline(always)]
    fn vectors<L: Lanes>(self, lanes: L) {
        let blocks = Blocks::new(self.message);
        // Powers are worth their making in long messages only.
        match blocks.len() {
            0..64 => self.groups::<L, 4, 2>(lanes, &blocks),
            64..640 => self.groups::<L, 8, 2>(lanes, &blocks),
            _ => self.groups::<L, 16, 1>(lanes, &blocks),
        }
    }

    fn portable(self) {
        portable::gf64(self.keys, self.message, self.hashes);
    }
}

impl Gf64<'_> {
    #[inline(always)]
    fn groups<L: Lanes, const P: usize, const G: usize>(self, lanes: L, blocks: &Blocks<'_, 8>) {
        let field = ModuloField::new(Field::GF64);
        let batches = Batches::<8, P>::new(blocks);
        let mut keys = self.keys.chunks_exact(G * L::WORDS);
        for group in &mut keys {
            let mut vectors = [lanes.splat(0); G];
            for g in 0..G {
                vectors[g] = lanes.load(&group[g * L::WORDS..(g + 1) * L::WORDS]);
            }
            for sum in evaluate(lanes, field, vectors, &batches) {
                extend(self.hashes, &lanes.words(sum)[..L::WORDS]);
            }
        }
        for group in keys.remainder().chunks(L::WORDS) {
            let mut words = [0; WORDS_MAX];
            words[..group.len()].copy_from_slice(group);
            let vectors = [lanes.load(&words[..L::WORDS])];
            let [sum] = evaluate(lanes, field, vectors, &batches);
            extend(self.hashes, &lanes.words(sum)[..group.len()]);
        }
    }
}

#[inline(always)]
fn extend(hashes: &mut Vec<u128>, words: &[u64]) {
    for word in words {
        hashes.push(u128::from(*word));
    }
}

/// How words are multiplied.
pub(super) trait Modulo: Copy {
    /// What block P + 1 - i of a batch is multiplied by, i = P … 1: h^i unless several blocks share a word.
    fn powers<L: Lanes, const P: usize>(self, lanes: L, h: L::Vector) -> [L::Vector; P];
    /// `even` and `odd` hold sums of products for the even and the odd words; the result, their elements.
    fn reduce<L: Lanes>(self, lanes: L, even: L::Vector, odd: L::Vector) -> L::Vector;
}

/// One element per word of the field x^bits = tail.
#[derive(Clone, Copy)]
pub(super) struct ModuloField {
    pub(super) bits: u32,
    /// Exponents of the tail without the zero, 64 for none.
    terms: [u32; 3],
    /// What of a word is shifted beyond the field by these exponents begins at these bits, 64 for nothing.
    beyond: [u32; 3],
}

impl ModuloField {
    #[inline(always)]
    pub(super) fn new(field: Field) -> ModuloField {
        let mut terms = [64; 3];
        let mut beyond = [64; 3];
        let mut tail = field.tail & !1;
        for (term, beyond) in terms.iter_mut().zip(&mut beyond) {
            if tail != 0 {
                *term = tail.trailing_zeros();
                // The upper part of a product has bits - 1 bits, so a shift by one moves nothing beyond.
                *beyond = if *term == 1 { 64 } else { field.bits - *term };
                tail &= tail - 1;
            }
        }
        ModuloField {
            bits: field.bits,
            terms,
            beyond,
        }
    }

    /// Products `high`·x^64 + `low` of 2·bits - 1 bits.
    ///
    /// The upper part times the tail reaches beyond the field again. What does is added to the upper part, and then only
    /// what stays inside counts: times the tail, the addition stays inside, for no term lies above half the degree.
    #[inline(always)]
    pub(super) fn fold<L: Lanes>(self, lanes: L, low: L::Vector, high: L::Vector) -> L::Vector {
        let [a, b, c] = self.beyond;
        let upper = lanes.xor(
            lanes.shift_left(high, 64 - self.bits),
            lanes.shift_right(low, self.bits),
        );
        let most = lanes.xor3(
            upper,
            lanes.shift_right(upper, a),
            lanes.shift_right(upper, b),
        );
        let upper = lanes.xor(most, lanes.shift_right(upper, c));
        let [a, b, c] = self.terms;
        let once = lanes.xor3(low, upper, lanes.shift_left(upper, a));
        let sum = lanes.xor3(once, lanes.shift_left(upper, b), lanes.shift_left(upper, c));
        lanes.and(sum, lanes.splat(u64::MAX >> (64 - self.bits)))
    }
}

impl Modulo for ModuloField {
    #[inline(always)]
    fn powers<L: Lanes, const P: usize>(self, lanes: L, h: L::Vector) -> [L::Vector; P] {
        let mut powers = [h; P];
        for i in 2..=P {
            let (a, b) = (powers[P - i / 2], powers[P - i.div_ceil(2)]);
            powers[P - i] = multiply(lanes, self, a, b);
        }
        powers
    }

    #[inline(always)]
    fn reduce<L: Lanes>(self, lanes: L, even: L::Vector, odd: L::Vector) -> L::Vector {
        self.fold(lanes, lanes.zip_low(even, odd), lanes.zip_high(even, odd))
    }
}

/// The elements a·b.
#[inline(always)]
pub(super) fn multiply<L: Lanes>(
    lanes: L,
    modulo: impl Modulo,
    a: L::Vector,
    b: L::Vector,
) -> L::Vector {
    modulo.reduce(lanes, lanes.multiply_low(a, b), lanes.multiply_high(a, b))
}

/// Σ X_i h^(n+1-i) over the n blocks, for every h in `keys`.
#[inline(always)]
pub(super) fn evaluate<L: Lanes, M: Modulo, const P: usize, const G: usize>(
    lanes: L,
    modulo: M,
    keys: [L::Vector; G],
    batches: &Batches<'_, 8, P>,
) -> [L::Vector; G] {
    let mut powers = [[lanes.splat(0); P]; G];
    for g in 0..G {
        powers[g] = modulo.powers(lanes, keys[g]);
    }
    let mut sums = [lanes.splat(0); G];
    if !batches.head.is_empty() {
        absorb(lanes, modulo, &mut sums, &powers, batches.head);
    }
    for batch in batches.full {
        absorb(lanes, modulo, &mut sums, &powers, batch);
    }
    match <&[[u8; 8]; P]>::try_from(batches.end()) {
        Ok(end) => absorb(lanes, modulo, &mut sums, &powers, end),
        Err(_) if batches.end().is_empty() => {}
        Err(_) => absorb(lanes, modulo, &mut sums, &powers, batches.end()),
    }
    sums
}

/// sum = (sum ⊕ X_1) h^n ⊕ X_2 h^(n-1) ⊕ … ⊕ X_n h over 1 to P blocks.
#[inline(always)]
fn absorb<L: Lanes, M: Modulo, const P: usize, const G: usize>(
    lanes: L,
    modulo: M,
    sums: &mut [L::Vector; G],
    powers: &[[L::Vector; P]; G],
    blocks: &[[u8; 8]],
) {
    let skipped = P - blocks.len();
    let block = |i: usize| lanes.splat(u64::from_le_bytes(blocks[i]));
    let mut even = *sums;
    let mut odd = *sums;
    let first = block(0);
    for g in 0..G {
        let a = lanes.xor(first, sums[g]);
        even[g] = lanes.multiply_low(a, powers[g][skipped]);
        odd[g] = lanes.multiply_high(a, powers[g][skipped]);
    }
    let mut i = 1;
    while i + 1 < blocks.len() {
        let (a, b) = (block(i), block(i + 1));
        for g in 0..G {
            let (h, k) = (powers[g][skipped + i], powers[g][skipped + i + 1]);
            even[g] = lanes.xor3(even[g], lanes.multiply_low(a, h), lanes.multiply_low(b, k));
            odd[g] = lanes.xor3(odd[g], lanes.multiply_high(a, h), lanes.multiply_high(b, k));
        }
        i += 2;
    }
    if i < blocks.len() {
        let a = block(i);
        for g in 0..G {
            let h = powers[g][skipped + i];
            even[g] = lanes.xor(even[g], lanes.multiply_low(a, h));
            odd[g] = lanes.xor(odd[g], lanes.multiply_high(a, h));
        }
    }
    for g in 0..G {
        sums[g] = modulo.reduce(lanes, even[g], odd[g]);
    }
}
