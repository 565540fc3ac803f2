//! Names of families in text and on the wire.

use std::fmt;
use std::str::FromStr;

use super::{Family, FamilyError, Small};

impl Family {
    /// Three bytes on the wire: the kind, then b and s of the small family, else zeros.
    pub fn code(self) -> [u8; 3] {
        match self {
            Family::Gf128 => [1, 0, 0],
            Family::Gf64 => [2, 0, 0],
            Family::Small(small) => [3, small.tag_bits() as u8, small.extra_bits() as u8],
            Family::Lfsr128 => [4, 0, 0],
        }
    }

    /// The family of a code; each family has one code.
    ///
    /// # Errors
    /// [`FamilyError::UnknownCode`], and [`FamilyError::SmallBits`] for a small family that does not exist.
    pub fn from_code(code: [u8; 3]) -> Result<Family, FamilyError> {
        match code {
            [1, 0, 0] => Ok(Family::Gf128),
            [2, 0, 0] => Ok(Family::Gf64),
            [3, tag_bits, extra_bits] => {
                Small::new(tag_bits.into(), extra_bits.into()).map(Family::Small)
            }
            [4, 0, 0] => Ok(Family::Lfsr128),
            code => Err(FamilyError::UnknownCode { code }),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Family::Gf128 => f.pad("gf128"),
            Family::Gf64 => f.pad("gf64"),
            Family::Small(small) => f.pad(&format!(
                "small-{}-{}",
                small.tag_bits(),
                small.extra_bits()
            )),
            Family::Lfsr128 => f.pad("lfsr128"),
        }
    }
}

impl FromStr for Family {
    type Err = FamilyError;

    fn from_str(name: &str) -> Result<Family, FamilyError> {
        match name {
            "gf128" => return Ok(Family::Gf128),
            "gf64" => return Ok(Family::Gf64),
            "lfsr128" => return Ok(Family::Lfsr128),
            _ => {}
        }
        name.strip_prefix("small-")
            .and_then(|bits| bits.split_once('-'))
            .and_then(|(tag, extra)| Some((decimal(tag)?, decimal(extra)?)))
            .ok_or_else(|| FamilyError::UnknownName {
                name: name.to_owned(),
            })
            .and_then(|(tag, extra)| Small::new(tag, extra).map(Family::Small))
    }
}

/// A number as `Display` writes it: digits only, no leading zero, so that each family has one name.
fn decimal(text: &str) -> Option<u32> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| canonical)
}
