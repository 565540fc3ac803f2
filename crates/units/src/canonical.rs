//! Values with one encoding, read back strictly: [`Canonical`], [`Decoder`] and the macros that write both directions at once.
//!
//! **Rules.** Fields in order; integers big-endian and fixed in width, so there is one form of each; texts, byte strings
//! and lists carry their length as u32; an option is one byte, 0 or 1, before its value; a variant is one byte before its
//! fields; sets and maps are in strictly rising order of their keys. Nothing may follow the value.
//!
//! **Bounds.** An input has at most [`Canonical::SIZE_MAX`] bytes, a list at most [`Canonical::LIST_MAX`] items, a text or
//! byte string [`BYTES_MAX`] bytes; a field may set less ([`Bounded`]). Nothing is allocated for items whose bytes are not
//! there. No value contains another of its own type, so reading does not recurse beyond the depth of the types.
//!
//! [`decode`](Canonical::decode) of [`to_bytes`](Canonical::to_bytes) is the value, and every input that decodes is what
//! its value encodes to.

mod values;

use thiserror::Error;

use crate::bytes::{Digest, Encoder};

/// Longest byte string or text, 1 MiB.
pub const BYTES_MAX: usize = 1 << 20;

/// Bytes that are not the canonical encoding of a value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The input ends inside a value.
    #[error("byte {at}: {wanted} bytes wanted, {left} left")]
    Ends {
        /// Offset of the value.
        at: usize,
        /// Bytes it needs.
        wanted: usize,
        /// Bytes there are.
        left: usize,
    },
    /// Bytes after the value.
    #[error("{count} bytes after the end of the value at byte {at}")]
    Trailing {
        /// Where the value ended.
        at: usize,
        /// How many follow.
        count: usize,
    },
    /// A list, text or byte string above its bound, or, at byte 0, a whole input.
    #[error("byte {at}: length {length} is above {max}")]
    TooLong {
        /// Offset of the length.
        at: usize,
        /// The length found.
        length: usize,
        /// The largest allowed.
        max: usize,
    },
    /// Members of a set or map not in strictly rising order.
    #[error("byte {at}: not above the member before it")]
    Order {
        /// Offset of the member.
        at: usize,
    },
    /// A value that its type refuses.
    #[error("byte {at}: {found} is no {what}")]
    Invalid {
        /// Offset of the value.
        at: usize,
        /// What was to be read.
        what: &'static str,
        /// What was found.
        found: String,
    },
}

/// Reads canonical bytes from the front.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Decoder<'a> {
    /// Starts at the first byte.
    pub fn new(input: &'a [u8]) -> Decoder<'a> {
        Decoder { input, at: 0 }
    }

    /// Offset of the next byte.
    pub fn at(&self) -> usize {
        self.at
    }

    /// So many bytes.
    ///
    /// # Errors
    /// [`DecodeError::Ends`] when there are fewer.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let left = self.input.len() - self.at;
        let found = self.input[self.at..].get(..count);
        let found = found.ok_or(DecodeError::Ends {
            at: self.at,
            wanted: count,
            left,
        })?;
        self.at += count;
        Ok(found)
    }

    /// A fixed number of bytes.
    ///
    /// # Errors
    /// [`DecodeError::Ends`] when there are fewer.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    /// A length of at most `max` items.
    ///
    /// # Errors
    /// [`DecodeError`] when the input ends or the length is above.
    pub fn length(&mut self, max: usize) -> Result<usize, DecodeError> {
        let at = self.at;
        let length = u32::from_be_bytes(self.array()?) as usize;
        if length > max {
            return Err(DecodeError::TooLong { at, length, max });
        }
        Ok(length)
    }

    /// A byte string of at most `max` bytes.
    ///
    /// # Errors
    /// [`DecodeError`] when the input ends or the string is longer.
    pub fn bytes(&mut self, max: usize) -> Result<&'a [u8], DecodeError> {
        let length = self.length(max)?;
        self.take(length)
    }

    /// The error of a value that began at `at` and is not what it should be.
    pub fn invalid(at: usize, what: &'static str, found: impl ToString) -> DecodeError {
        DecodeError::Invalid {
            at,
            what,
            found: found.to_string(),
        }
    }

    /// Refuses bytes after the value.
    ///
    /// # Errors
    /// [`DecodeError::Trailing`].
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.input.len() - self.at {
            0 => Ok(()),
            count => Err(DecodeError::Trailing { at: self.at, count }),
        }
    }
}

/// A value with one encoding.
pub trait Canonical: Sized {
    /// Most items in a list of these.
    const LIST_MAX: usize = 1024;

    /// Longest input that [`Canonical::decode`] looks at, bytes.
    const SIZE_MAX: usize = 1 << 26;

    /// Appends the value.
    fn encode(&self, to: &mut Encoder);

    /// Reads the value.
    ///
    /// # Errors
    /// [`DecodeError`] for bytes that no value encodes to.
    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError>;

    /// The whole encoding.
    fn to_bytes(&self) -> Vec<u8> {
        let mut encoder = Encoder::default();
        self.encode(&mut encoder);
        encoder.into_bytes()
    }

    /// The value whose encoding is all of `input`.
    ///
    /// # Errors
    /// As [`Canonical::read`], and [`DecodeError::Trailing`]; [`DecodeError::TooLong`] above [`Canonical::SIZE_MAX`] before
    /// anything is read.
    fn decode(input: &[u8]) -> Result<Self, DecodeError> {
        let (length, max) = (input.len(), Self::SIZE_MAX);
        if length > max {
            return Err(DecodeError::TooLong { at: 0, length, max });
        }
        let mut decoder = Decoder::new(input);
        let value = Self::read(&mut decoder)?;
        decoder.finish()?;
        Ok(value)
    }

    /// SHA-256 of the encoding under the name of what it is, `"tieline.terms/1"`.
    fn digest(&self, domain: &str) -> Digest {
        let mut encoder = Encoder::new(domain);
        self.encode(&mut encoder);
        encoder.digest()
    }
}

/// A text, byte string, list, set or map: a field of one can have a bound of its own.
pub trait Bounded: Canonical {
    /// Reads the value, of at most `max` items or bytes.
    ///
    /// # Errors
    /// As [`Canonical::read`], and [`DecodeError::TooLong`] above `max`.
    fn read_bounded(from: &mut Decoder<'_>, max: usize) -> Result<Self, DecodeError>;
}

/// Writes [`Canonical`] for a struct: its fields, in this order. A bound stands in brackets, of the whole behind the type's
/// name ([`Canonical::SIZE_MAX`]), of a list behind the field's ([`Bounded`]).
#[macro_export]
macro_rules! canonical {
    ($name:ident $([$size:expr])? { $($field:tt $([$max:expr])?),* $(,)? }) => {
        impl $crate::canonical::Canonical for $name {
            $(const SIZE_MAX: usize = $size;)?

            fn encode(&self, to: &mut $crate::Encoder) {
                $($crate::canonical::Canonical::encode(&self.$field, to);)*
            }

            fn read(
                from: &mut $crate::canonical::Decoder<'_>,
            ) -> Result<Self, $crate::canonical::DecodeError> {
                Ok(Self { $($field: $crate::canonical_read!(from $(, $max)?)),* })
            }
        }
    };
}

/// Writes [`Canonical`] for an enum: one byte for the variant, then its fields, in this order; bounds as in [`canonical!`].
#[macro_export]
macro_rules! canonical_enum {
    ($name:ident $([$size:expr])? {
        $($tag:literal => $variant:ident $(($($value:ident),*))? $({ $($field:ident $([$max:expr])?),* })?),* $(,)?
    }) => {
        impl $crate::canonical::Canonical for $name {
            $(const SIZE_MAX: usize = $size;)?

            fn encode(&self, to: &mut $crate::Encoder) {
                match self {
                    $(Self::$variant $(($($value),*))? $({ $($field),* })? => {
                        to.u8($tag);
                        $($($crate::canonical::Canonical::encode($value, to);)*)?
                        $($($crate::canonical::Canonical::encode($field, to);)*)?
                    })*
                }
            }

            fn read(
                from: &mut $crate::canonical::Decoder<'_>,
            ) -> Result<Self, $crate::canonical::DecodeError> {
                let at = from.at();
                match <u8 as $crate::canonical::Canonical>::read(from)? {
                    $($tag => Ok(Self::$variant
                        $(($({ let $value = $crate::canonical_read!(from); $value }),*))?
                        $({ $($field: $crate::canonical_read!(from $(, $max)?)),* })?),)*
                    other => Err($crate::canonical::Decoder::invalid(at, stringify!($name), other)),
                }
            }
        }
    };
}

/// A field, with or without a bound of its own.
#[doc(hidden)]
#[macro_export]
macro_rules! canonical_read {
    ($from:ident) => {
        $crate::canonical::Canonical::read($from)?
    };
    ($from:ident, $max:expr) => {
        $crate::canonical::Bounded::read_bounded($from, $max)?
    };
}
