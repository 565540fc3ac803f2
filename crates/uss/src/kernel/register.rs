//! Remainders modulo polynomials of degree 128 that differ from key to key, for `lfsr128`.

use super::batches::{Batches, Blocks};
use super::lanes::{Lanes, Task};
use super::wide::{Element, Modulo, Products, evaluate, load_some};
use super::{Modulus, portable};

/// Hashes of [`family::lfsr`](crate::family::lfsr).
pub(crate) struct Lfsr128<'a> {
    /// p and μ without their leading terms, n.
    pub(crate) keys: &'a [[u128; 3]],
    pub(crate) message: &'a [u8],
    pub(crate) hashes: &'a mut Vec<u128>,
}

/// Rabin's test of x^128 + tail, for an odd number of terms of which one is the constant.
pub(crate) struct Irreducible {
    pub(crate) tail: u128,
}

/// Remainders by p = x^128 + tail with μ = ⌊x^256/p⌋ = x^128 + quotient, a different one in each pair.
#[derive(Clone, Copy)]
struct Barrett<V> {
    tail: Element<V>,
    quotient: Element<V>,
}

impl<V: Copy> Barrett<V> {
    /// ⌊a·x^128 / p⌋.
    #[inline(always)]
    fn expansion<L: Lanes<Vector = V>>(self, lanes: L, a: V) -> V {
        let products = Products::of(lanes, Element::new(lanes, a), self.quotient);
        lanes.xor(a, products.upper(lanes))
    }
}

impl<L: Lanes> Modulo<L> for Barrett<L::Vector> {
    #[inline(always)]
    fn reduce(self, lanes: L, products: Products<L::Vector>) -> L::Vector {
        let quotient = Element::new(lanes, self.expansion(lanes, products.upper(lanes)));
        let multiple = Products::of(lanes, quotient, self.tail);
        lanes.xor(products.lower(lanes), multiple.lower(lanes))
    }
}

impl Task for Lfsr128<'_> {
    type Output = ();

    #[inline(always)]
    fn vectors<L: Lanes>(self, lanes: L) {
        let (blocks, length) = Blocks::new(self.message).split_length();
        match blocks.len() {
            0..48 => self.groups::<L, 3, 4>(lanes, &blocks, &length),
            48..96 => self.groups::<L, 8, 2>(lanes, &blocks, &length),
            _ => self.groups::<L, 16, 4>(lanes, &blocks, &length),
        }
    }

    fn portable(self) {
        portable::lfsr128(self.keys, self.message, self.hashes);
    }
}

impl Lfsr128<'_> {
    #[inline(always)]
    fn groups<L: Lanes, const P: usize, const G: usize>(
        self,
        lanes: L,
        blocks: &Blocks<'_, 16>,
        length: &[u8; 16],
    ) {
        let batches = Batches::<16, P>::new(blocks);
        let length = lanes.splat_pair(length);
        let mut keys = self.keys.chunks_exact(G * L::PAIRS);
        for group in &mut keys {
            for hashes in hash::<L, P, G>(lanes, group, &batches, length) {
                self.hashes
                    .extend_from_slice(&lanes.pairs(hashes)[..L::PAIRS]);
            }
        }
        for group in keys.remainder().chunks(L::PAIRS) {
            let [hashes] = hash::<L, P, 1>(lanes, group, &batches, length);
            self.hashes
                .extend_from_slice(&lanes.pairs(hashes)[..group.len()]);
        }
    }
}

/// m mod p = (Σ X_i x^(128(n+1-i)) over the n blocks) ⊕ length, where x^128 = tail, then the map that the state gives.
#[inline(always)]
fn hash<L: Lanes, const P: usize, const G: usize>(
    lanes: L,
    keys: &[[u128; 3]],
    batches: &Batches<'_, 16, P>,
    length: L::Vector,
) -> [L::Vector; G] {
    let part = |g: usize, i: usize| {
        let keys = keys.iter().skip(g * L::PAIRS);
        load_some(lanes, keys.map(|key| key[i]))
    };
    let element = Element::new(lanes, length);
    let mut modulo = [Barrett {
        tail: element,
        quotient: element,
    }; G];
    let mut tails = [length; G];
    for g in 0..G {
        tails[g] = part(g, 0);
        modulo[g].tail = Element::new(lanes, tails[g]);
        modulo[g].quotient = Element::new(lanes, part(g, 1));
    }
    let mut hashes = evaluate(lanes, &modulo, tails, batches);
    for g in 0..G {
        let rest = Element::new(lanes, lanes.xor(hashes[g], length));
        let numerator = Element::new(lanes, part(g, 2));
        let value = modulo[g].reduce(lanes, Products::of(lanes, rest, numerator));
        hashes[g] = modulo[g].expansion(lanes, value);
    }
    hashes
}

impl Task for Irreducible {
    type Output = bool;

    /// The same steps as [`Modulus::is_irreducible`].
    #[inline(always)]
    fn vectors<L: Lanes>(self, lanes: L) -> bool {
        let modulus = Modulus::new(self.tail);
        let modulo = Barrett {
            tail: Element::new(lanes, load_some(lanes, [modulus.tail].into_iter())),
            quotient: Element::new(lanes, load_some(lanes, [modulus.quotient].into_iter())),
        };
        let x = load_some(lanes, [2].into_iter());
        let mut power = x;
        for _ in 0..64 {
            power = modulo.reduce(lanes, Products::square(lanes, power));
        }
        let half = Element::new(lanes, lanes.xor(power, x));
        for _ in 0..64 {
            power = modulo.reduce(lanes, Products::square(lanes, power));
        }
        if lanes.pairs(power)[0] != 2 {
            return false;
        }
        let mut unit = half.value;
        for _ in 1..128 {
            let square = modulo.reduce(lanes, Products::square(lanes, unit));
            let products = Products::of(lanes, Element::new(lanes, square), half);
            unit = modulo.reduce(lanes, products);
        }
        lanes.pairs(unit)[0] == 1
    }

    fn portable(self) -> bool {
        Modulus::new(self.tail).is_irreducible()
    }
}
