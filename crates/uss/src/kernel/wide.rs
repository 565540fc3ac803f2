//! Polynomials over fields of 128 bits, one key per pair of words; `gf128`.

use super::batches::{Batches, Blocks};
use super::lanes::{Lanes, Task, WORDS_MAX};
use super::portable;

/// Hashes of [`family::gf128`](crate::family::gf128).
pub(crate) struct Gf128<'a> {
    pub(crate) keys: &'a [u128],
    pub(crate) message: &'a [u8],
    pub(crate) hashes: &'a mut Vec<u128>,
}

/// Pairs of the widest vector.
const PAIRS_MAX: usize = WORDS_MAX / 2;

/// Elements, and beside each in both words the sum of its words: what Karatsuba's product asks for.
#[derive(Clone, Copy)]
pub(super) struct Element<V> {
    pub(super) value: V,
    pub(super) folded: V,
}

impl<V: Copy> Element<V> {
    #[inline(always)]
    pub(super) fn new<L: Lanes<Vector = V>>(lanes: L, value: V) -> Element<V> {
        Element {
            value,
            folded: lanes.xor(value, lanes.swap(value)),
        }
    }
}

/// Sums of products: low words, high words, folded words.
#[derive(Clone, Copy)]
pub(super) struct Products<V> {
    low: V,
    high: V,
    folded: V,
}

impl<V: Copy> Products<V> {
    #[inline(always)]
    pub(super) fn of<L: Lanes<Vector = V>>(lanes: L, a: Element<V>, b: Element<V>) -> Products<V> {
        Products {
            low: lanes.multiply_low(a.value, b.value),
            high: lanes.multiply_high(a.value, b.value),
            folded: lanes.multiply_low(a.folded, b.folded),
        }
    }

    /// a·a, which has no middle part.
    #[inline(always)]
    pub(super) fn square<L: Lanes<Vector = V>>(lanes: L, a: V) -> Products<V> {
        let (low, high) = (lanes.multiply_low(a, a), lanes.multiply_high(a, a));
        Products {
            low,
            high,
            folded: lanes.xor(low, high),
        }
    }

    #[inline(always)]
    pub(super) fn add<L: Lanes<Vector = V>>(self, lanes: L, a: Products<V>) -> Products<V> {
        Products {
            low: lanes.xor(self.low, a.low),
            high: lanes.xor(self.high, a.high),
            folded: lanes.xor(self.folded, a.folded),
        }
    }

    #[inline(always)]
    pub(super) fn add_both<L: Lanes<Vector = V>>(
        self,
        lanes: L,
        a: Products<V>,
        b: Products<V>,
    ) -> Self {
        Products {
            low: lanes.xor3(self.low, a.low, b.low),
            high: lanes.xor3(self.high, a.high, b.high),
            folded: lanes.xor3(self.folded, a.folded, b.folded),
        }
    }

    /// The middle part, to be added at x^64.
    #[inline(always)]
    pub(super) fn middle<L: Lanes<Vector = V>>(self, lanes: L) -> V {
        lanes.xor3(self.folded, self.low, self.high)
    }

    /// The coefficients from x^128 on.
    #[inline(always)]
    pub(super) fn upper<L: Lanes<Vector = V>>(self, lanes: L) -> V {
        let zero = lanes.splat(0);
        lanes.xor(self.high, lanes.zip_high(self.middle(lanes), zero))
    }

    /// The coefficients below x^128.
    #[inline(always)]
    pub(super) fn lower<L: Lanes<Vector = V>>(self, lanes: L) -> V {
        let zero = lanes.splat(0);
        lanes.xor(self.low, lanes.zip_low(zero, self.middle(lanes)))
    }
}

/// How products become elements.
pub(super) trait Modulo<L: Lanes>: Copy {
    fn reduce(self, lanes: L, products: Products<L::Vector>) -> L::Vector;
}

/// Σ X_i h^(n+1-i) over the n blocks, for every h in `keys`.
#[inline(always)]
pub(super) fn evaluate<L: Lanes, M: Modulo<L>, const P: usize, const G: usize>(
    lanes: L,
    modulo: &[M; G],
    keys: [L::Vector; G],
    batches: &Batches<'_, 16, P>,
) -> [L::Vector; G] {
    // powers[g][P - i] is h^i.
    let mut powers = [[Element::new(lanes, lanes.splat(0)); P]; G];
    for g in 0..G {
        powers[g][P - 1] = Element::new(lanes, keys[g]);
    }
    for i in 2..=P {
        for g in 0..G {
            let half = powers[g][P - i / 2];
            let products = if i.is_multiple_of(2) {
                Products::square(lanes, half.value)
            } else {
                Products::of(lanes, half, powers[g][P - i.div_ceil(2)])
            };
            powers[g][P - i] = Element::new(lanes, modulo[g].reduce(lanes, products));
        }
    }
    let mut sums = [lanes.splat(0); G];
    if !batches.head.is_empty() {
        absorb(lanes, modulo, &mut sums, &powers, batches.head);
    }
    for batch in batches.full {
        absorb(lanes, modulo, &mut sums, &powers, batch);
    }
    match <&[[u8; 16]; P]>::try_from(batches.end()) {
        Ok(end) => absorb(lanes, modulo, &mut sums, &powers, end),
        Err(_) if batches.end().is_empty() => {}
        Err(_) => absorb(lanes, modulo, &mut sums, &powers, batches.end()),
    }
    sums
}

/// sum = (sum ⊕ X_1) h^n ⊕ X_2 h^(n-1) ⊕ … ⊕ X_n h over 1 to P blocks.
#[inline(always)]
fn absorb<L: Lanes, M: Modulo<L>, const P: usize, const G: usize>(
    lanes: L,
    modulo: &[M; G],
    sums: &mut [L::Vector; G],
    powers: &[[Element<L::Vector>; P]; G],
    blocks: &[[u8; 16]],
) {
    let skipped = P - blocks.len();
    let first = lanes.splat_pair(&blocks[0]);
    let zero = lanes.splat(0);
    let mut products = [Products::square(lanes, zero); G];
    for g in 0..G {
        let a = Element::new(lanes, lanes.xor(first, sums[g]));
        products[g] = Products::of(lanes, a, powers[g][skipped]);
    }
    let mut i = 1;
    while i + 1 < blocks.len() {
        let a = Element::new(lanes, lanes.splat_pair(&blocks[i]));
        let b = Element::new(lanes, lanes.splat_pair(&blocks[i + 1]));
        for g in 0..G {
            let a = Products::of(lanes, a, powers[g][skipped + i]);
            let b = Products::of(lanes, b, powers[g][skipped + i + 1]);
            products[g] = products[g].add_both(lanes, a, b);
        }
        i += 2;
    }
    if i < blocks.len() {
        let a = Element::new(lanes, lanes.splat_pair(&blocks[i]));
        for g in 0..G {
            let a = Products::of(lanes, a, powers[g][skipped + i]);
            products[g] = products[g].add(lanes, a);
        }
    }
    for g in 0..G {
        sums[g] = modulo[g].reduce(lanes, products[g]);
    }
}

impl Task for Gf128<'_> {
    type Output = ();

    #[inline(always)]
    fn vectors<L: Lanes>(self, lanes: L) {
        let blocks = Blocks::new(self.message);
        // Powers are worth their making in long messages only.
        match blocks.len() {
            0..32 => self.groups::<L, 3, 2>(lanes, &blocks),
            32..160 => self.groups::<L, 5, 2>(lanes, &blocks),
            _ => self.groups::<L, 16, 4>(lanes, &blocks),
        }
    }

    fn portable(self) {
        portable::gf128(self.keys, self.message, self.hashes);
    }
}

impl Gf128<'_> {
    #[inline(always)]
    fn groups<L: Lanes, const P: usize, const G: usize>(self, lanes: L, blocks: &Blocks<'_, 16>) {
        let batches = Batches::<16, P>::new(blocks);
        let mut keys = self.keys.chunks_exact(G * L::PAIRS);
        for group in &mut keys {
            let mut vectors = [lanes.splat(0); G];
            for g in 0..G {
                vectors[g] = lanes.load_pairs(&group[g * L::PAIRS..(g + 1) * L::PAIRS]);
            }
            for sum in evaluate(lanes, &[Polyval; G], vectors, &batches) {
                self.hashes.extend_from_slice(&lanes.pairs(sum)[..L::PAIRS]);
            }
        }
        for group in keys.remainder().chunks(L::PAIRS) {
            let vectors = [load_some(lanes, group.iter().copied())];
            let [sum] = evaluate(lanes, &[Polyval], vectors, &batches);
            self.hashes
                .extend_from_slice(&lanes.pairs(sum)[..group.len()]);
        }
    }
}

/// Pairs that need not fill a vector, and zeros.
#[inline(always)]
pub(super) fn load_some<L: Lanes>(lanes: L, some: impl Iterator<Item = u128>) -> L::Vector {
    let mut pairs = [0; PAIRS_MAX];
    for (pair, value) in pairs.iter_mut().zip(some) {
        *pair = value;
    }
    lanes.load_pairs(&pairs[..L::PAIRS])
}

/// a·x^-128 modulo x^128 + x^127 + x^126 + x^121 + 1.
#[derive(Clone, Copy)]
struct Polyval;

impl<L: Lanes> Modulo<L> for Polyval {
    /// Adds the multiple of the modulus that clears the lowest word, twice (Montgomery): the word goes two words up, and
    /// its product with x^63 + x^62 + x^57 one word up.
    #[inline(always)]
    fn reduce(self, lanes: L, products: Products<L::Vector>) -> L::Vector {
        let upper_terms = lanes.splat(0xc200_0000_0000_0000);
        let Products { low, high, .. } = products;
        let once = lanes.multiply_low(low, upper_terms);
        let middle = lanes.xor3(products.middle(lanes), lanes.swap(low), once);
        let twice = lanes.multiply_low(middle, upper_terms);
        lanes.xor3(high, lanes.swap(middle), twice)
    }
}
