//! Arithmetic modulo a polynomial of degree 128 that differs from key to key.

use zeroize::Zeroize as _;

use super::portable::multiply_128;

/// p = x^128 + tail, with μ = ⌊x^256/p⌋ = x^128 + quotient for Barrett's reduction, which is exact for polynomials.
pub(crate) struct Modulus {
    pub(crate) tail: u128,
    pub(crate) quotient: u128,
}

impl Modulus {
    /// Divides x^256 by x^128 + `tail`.
    pub(crate) fn new(tail: u128) -> Modulus {
        let mut quotient = 0;
        let mut rest = tail;
        for _ in 0..128 {
            let carry = rest >> 127;
            quotient = quotient << 1 | carry;
            rest = rest << 1 ^ (tail & carry.wrapping_neg());
        }
        Modulus { tail, quotient }
    }

    /// From the two parts of an earlier [`Modulus::new`].
    pub(crate) fn from_parts(tail: u128, quotient: u128) -> Modulus {
        Modulus { tail, quotient }
    }

    /// high·x^128 + low modulo p.
    pub(crate) fn reduce(&self, high: u128, low: u128) -> u128 {
        let (_, product) = multiply_128(self.expansion(high), self.tail);
        low ^ product
    }

    /// a·b modulo p.
    pub(crate) fn multiply(&self, a: u128, b: u128) -> u128 {
        let (high, low) = multiply_128(a, b);
        self.reduce(high, low)
    }

    /// a·a modulo p: squaring only spreads the bits.
    pub(crate) fn square(&self, a: u128) -> u128 {
        self.reduce(spread((a >> 64) as u64), spread(a as u64))
    }

    /// ⌊a·x^128 / p⌋: the first 128 terms of a/p expanded in 1/x.
    pub(crate) fn expansion(&self, a: u128) -> u128 {
        a ^ multiply_128(a, self.quotient).0
    }

    /// The numerator n with ⌊n·x^128 / p⌋ = `expansion`, that is ⌊p·expansion / x^128⌋.
    pub(crate) fn numerator(&self, expansion: u128) -> u128 {
        expansion ^ multiply_128(expansion, self.tail).0
    }

    /// The rest of Rabin's test, for an odd number of terms of which one is the constant.
    pub(crate) fn is_irreducible(&self) -> bool {
        let mut power = 2;
        for _ in 0..64 {
            power = self.square(power);
        }
        let half = power ^ 2;
        for _ in 0..64 {
            power = self.square(power);
        }
        if power != 2 {
            return false;
        }
        let mut unit = half;
        for _ in 1..128 {
            unit = self.multiply(self.square(unit), half);
        }
        unit == 1
    }
}

impl Drop for Modulus {
    fn drop(&mut self) {
        self.tail.zeroize();
        self.quotient.zeroize();
    }
}

/// Moves bit i to bit 2i.
fn spread(word: u64) -> u128 {
    let mut bits = u128::from(word);
    for (shift, mask) in [
        (32, 0x0000_0000_ffff_ffff_0000_0000_ffff_ffff),
        (16, 0x0000_ffff_0000_ffff_0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff_00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f_0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333_3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555_5555_5555_5555_5555),
    ] {
        bits = (bits | bits << shift) & mask;
    }
    bits
}
