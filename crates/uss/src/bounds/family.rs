//! What the bounds need to know of a family of hash functions.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::log2::Log2;

/// Tag lengths of the small family that the search tries, bits.
const SMALL_TAG_BITS: std::ops::RangeInclusive<u16> = 2..=32;

/// A family of almost strongly universal hash functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FamilyName {
    /// Polynomial over GF(2^(b+s)), linear map to b bits, pad: 3b + 2s bits of key, the tag's length b is free.
    Small,
    /// Polynomial over GF(2^64) and pad: 128 bits of key.
    Gf64,
    /// POLYVAL and pad: 256 bits of key.
    Gf128,
    /// Toeplitz matrix of a shift register, b = 128, and pad: 384 bits of key.
    Lfsr128,
}

/// A name that is no family's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{name} is no family: small (or opt), gf64, gf128 and lfsr128 are")]
pub struct UnknownFamily {
    /// What was given.
    pub name: String,
}

impl FromStr for FamilyName {
    type Err = UnknownFamily;

    fn from_str(name: &str) -> Result<FamilyName, UnknownFamily> {
        match name {
            "small" | "opt" => Ok(FamilyName::Small),
            "gf64" => Ok(FamilyName::Gf64),
            "gf128" => Ok(FamilyName::Gf128),
            "lfsr128" => Ok(FamilyName::Lfsr128),
            _ => Err(UnknownFamily {
                name: name.to_owned(),
            }),
        }
    }
}

impl fmt::Display for FamilyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FamilyName::Small => "small",
            FamilyName::Gf64 => "gf64",
            FamilyName::Gf128 => "gf128",
            FamilyName::Lfsr128 => "lfsr128",
        })
    }
}

/// Sizes of one family at one length of message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FamilyCost {
    /// Which family.
    pub name: FamilyName,
    /// b, bits of a tag.
    pub tag_bits: u16,
    /// y, bits that describe one function.
    pub description_bits: u16,
    /// ε, the largest chance of guessing the tag of a second message after one valid pair.
    pub guess: Log2,
}

impl FamilyCost {
    /// Every choice of tag length that the family leaves, for messages of up to `message_bytes` bytes, at most
    /// [`super::MESSAGE_BYTES_MAX`].
    ///
    /// Sources: Bierbrauer, Johansson, Kabatianskii, Smeets 1994 for 3b + 2s; Krawczyk 1994 for the shift register.
    pub fn choices(name: FamilyName, message_bytes: u64) -> Vec<FamilyCost> {
        let message_bits = message_bytes * 8;
        match name {
            FamilyName::Small => SMALL_TAG_BITS
                .map(|tag_bits| FamilyCost::small(tag_bits, message_bits))
                .collect(),
            FamilyName::Gf64 => vec![FamilyCost::polynomial(name, 64, message_bits)],
            FamilyName::Gf128 => vec![FamilyCost::polynomial(name, 128, message_bits)],
            FamilyName::Lfsr128 => vec![FamilyCost::shift_register(message_bits)],
        }
    }

    /// s, bits of the field beyond those of the tag; 0 but for [`FamilyName::Small`].
    pub fn extra_bits(&self) -> u16 {
        match self.name {
            FamilyName::Small => (self.description_bits - 3 * self.tag_bits) / 2,
            FamilyName::Gf64 | FamilyName::Gf128 | FamilyName::Lfsr128 => 0,
        }
    }

    /// y = 3b + 2s with the least s ≥ 1 such that a ≤ (b + s)(1 + 2^s), ε = 2^(1-b): a collision of the polynomials, of
    /// degree 2^s over 2^(b+s), and one of the linear map, 2^-b.
    ///
    /// The block that holds the length counts as one more coefficient, so the degree is the number of the message's blocks;
    /// where that is more than 2^s the polynomials' part is taken as it is.
    fn small(tag_bits: u16, message_bits: u64) -> FamilyCost {
        let width = |extra: u16| u64::from(tag_bits) + u64::from(extra);
        let mut extra = 1_u16;
        while message_bits > width(extra) * (1 + (1 << extra)) {
            extra += 1;
        }
        let degree = message_bits.div_ceil(width(extra)).max(1 << extra);
        let collision = Log2::of(degree) * Log2::from_exponent(-(width(extra) as f64));
        FamilyCost {
            name: FamilyName::Small,
            tag_bits,
            description_bits: 3 * tag_bits + 2 * extra,
            guess: collision + Log2::from_exponent(-f64::from(tag_bits)),
        }
    }

    /// ε = (⌈a / b⌉ + 1) / 2^b, one block for the length.
    fn polynomial(name: FamilyName, tag_bits: u16, message_bits: u64) -> FamilyCost {
        let degree = message_bits.div_ceil(tag_bits.into()) + 1;
        FamilyCost {
            name,
            tag_bits,
            description_bits: 2 * tag_bits,
            guess: Log2::of(degree) * Log2::from_exponent(-f64::from(tag_bits)),
        }
    }

    /// ε = a / 2^127, or what ⌈a / 128⌉ of the (2^128 - 2^64) / 128 irreducible polynomials make where that is more: messages
    /// of less than two blocks.
    fn shift_register(message_bits: u64) -> FamilyCost {
        let published = Log2::of(message_bits) * Log2::from_exponent(-127.0);
        let divisors = Log2::of(message_bits.div_ceil(128) * 128 + 1);
        let rarer = Log2::CERTAIN + Log2::from_exponent(-63.0);
        FamilyCost {
            name: FamilyName::Lfsr128,
            tag_bits: 128,
            description_bits: 384,
            guess: published.max(divisors * rarer * Log2::from_exponent(-128.0)),
        }
    }
}
