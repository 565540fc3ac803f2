//! Canonical bytes: one encoding per value that is hashed, signed or stored.
//!
//! Integers are big-endian and fixed in width, texts and lists carry their length as u32, an option is one
//! byte 0 or 1 before its value. Nothing else exists, so equal values have equal bytes and no two values share them.
//! [`mod@crate::canonical`] reads them back.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// Builds canonical bytes.
#[derive(Clone, Debug, Default)]
pub struct Encoder(Vec<u8>);

impl Encoder {
    /// Starts a value of the kind that `domain` names, `"tieline.certificate/1"`: no two kinds share bytes.
    pub fn new(domain: &str) -> Encoder {
        let mut encoder = Encoder::default();
        encoder.text(domain);
        encoder
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) -> &mut Encoder {
        self.0.push(value);
        self
    }

    /// Four bytes, big-endian.
    pub fn u32(&mut self, value: u32) -> &mut Encoder {
        self.raw(&value.to_be_bytes())
    }

    /// Eight bytes, big-endian.
    pub fn u64(&mut self, value: u64) -> &mut Encoder {
        self.raw(&value.to_be_bytes())
    }

    /// Eight bytes, big-endian two's complement.
    pub fn i64(&mut self, value: i64) -> &mut Encoder {
        self.raw(&value.to_be_bytes())
    }

    /// A length of at most u32 and the bytes.
    ///
    /// # Panics
    /// Above four gigabytes: every list of the product is bounded far below.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Encoder {
        self.length(value.len()).raw(value)
    }

    /// A text as its UTF-8 bytes.
    pub fn text(&mut self, value: &str) -> &mut Encoder {
        self.bytes(value.as_bytes())
    }

    /// The number of items that follow.
    ///
    /// # Panics
    /// As [`Encoder::bytes`].
    pub fn length(&mut self, count: usize) -> &mut Encoder {
        self.u32(u32::try_from(count).expect("lists are bounded far below u32"))
    }

    /// Bytes of a fixed width, without a length.
    pub fn raw(&mut self, value: &[u8]) -> &mut Encoder {
        self.0.extend_from_slice(value);
        self
    }

    /// The bytes so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// SHA-256 of the bytes so far.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }
}

/// A SHA-256 digest; its text form is 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Hashes canonical bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// A digest that was computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Digest {
        Digest(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// From 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Digest> {
        let bytes = text.as_bytes();
        if bytes.len() != 64 {
            return None;
        }
        let mut out = [0; 32];
        for (slot, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
            *slot = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
        }
        Some(Digest(out))
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
