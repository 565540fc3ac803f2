//! Bytes of records and messages: fixed-width big-endian integers, lengths before everything that varies.

use thiserror::Error;
use zeroize::Zeroizing;

use super::name::{KeyId, Lane, Sae};

/// Why bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The bytes end too early.
    #[error("{need} more bytes are needed at byte {at}, {have} are there")]
    Truncated {
        /// Where.
        at: usize,
        /// What the field takes.
        need: usize,
        /// What is left.
        have: usize,
    },
    /// Bytes are left over.
    #[error("{left} bytes follow the end at byte {at}")]
    Trailing {
        /// Where the value ended.
        at: usize,
        /// How many follow.
        left: usize,
    },
    /// A field holds what it cannot hold.
    #[error("{what} at byte {at} is {value}")]
    Value {
        /// The field.
        what: &'static str,
        /// Where.
        at: usize,
        /// What was found.
        value: u64,
    },
    /// A name that is none.
    #[error("a name at byte {at} is not one")]
    Name {
        /// Where.
        at: usize,
    },
}

/// Writes a value; wiped when dropped, since records carry key.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Zeroizing<Vec<u8>>,
}

impl Writer {
    /// Room for `capacity` bytes: no growth leaves copies of key behind.
    pub(crate) fn with_capacity(capacity: usize) -> Writer {
        Writer {
            bytes: Zeroizing::new(Vec::with_capacity(capacity)),
        }
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Length, then bytes.
    pub(crate) fn blob(&mut self, bytes: &[u8]) {
        self.u32(u32::try_from(bytes.len()).expect("records and messages stay below 4 GiB"));
        self.raw(bytes);
    }

    pub(crate) fn sae(&mut self, name: &Sae) {
        self.u8(u8::try_from(name.as_str().len()).expect("a name has at most 255 bytes"));
        self.raw(name.as_str().as_bytes());
    }

    pub(crate) fn lane(&mut self, lane: &Lane) {
        self.sae(&lane.from);
        self.sae(&lane.to);
    }

    pub(crate) fn ids(&mut self, ids: &[KeyId]) {
        self.u32(u32::try_from(ids.len()).expect("offers are bounded"));
        ids.iter().for_each(|id| self.raw(&id.0));
    }

    pub(crate) fn finish(self) -> Zeroizing<Vec<u8>> {
        self.bytes
    }
}

/// Reads what a [`Writer`] wrote and refuses everything else.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(crate) fn raw(&mut self, need: usize) -> Result<&'a [u8], CodecError> {
        if need > self.left() {
            return Err(CodecError::Truncated {
                at: self.at,
                need,
                have: self.left(),
            });
        }
        let bytes = &self.bytes[self.at..self.at + need];
        self.at += need;
        Ok(bytes)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        Ok(self.raw(N)?.try_into().expect("N bytes were read"))
    }

    pub(crate) fn u8(&mut self) -> Result<u8, CodecError> {
        Ok(self.raw(1)?[0])
    }

    pub(crate) fn u32(&mut self) -> Result<u32, CodecError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, CodecError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    pub(crate) fn flag(&mut self, what: &'static str) -> Result<bool, CodecError> {
        let at = self.at;
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            value => Err(CodecError::Value {
                what,
                at,
                value: value.into(),
            }),
        }
    }

    pub(crate) fn blob(&mut self) -> Result<&'a [u8], CodecError> {
        let length = self.u32()? as usize;
        self.raw(length)
    }

    pub(crate) fn sae(&mut self) -> Result<Sae, CodecError> {
        let at = self.at;
        let length = self.u8()?;
        let text = std::str::from_utf8(self.raw(length.into())?);
        let name = text.ok().and_then(|text| Sae::new(text).ok());
        name.ok_or(CodecError::Name { at })
    }

    pub(crate) fn lane(&mut self) -> Result<Lane, CodecError> {
        let at = self.at;
        let (from, to) = (self.sae()?, self.sae()?);
        Lane::new(from, to).map_err(|_| CodecError::Name { at })
    }

    /// A count of items of at least `item` bytes each: no larger than what is left can hold.
    pub(crate) fn count(&mut self, item: usize) -> Result<usize, CodecError> {
        let count = self.u32()? as usize;
        let need = count.saturating_mul(item);
        if need > self.left() {
            return Err(CodecError::Truncated {
                at: self.at,
                need,
                have: self.left(),
            });
        }
        Ok(count)
    }

    pub(crate) fn ids(&mut self) -> Result<Vec<KeyId>, CodecError> {
        let count = self.count(16)?;
        (0..count).map(|_| Ok(KeyId(self.array()?))).collect()
    }

    pub(crate) fn finish(self) -> Result<(), CodecError> {
        match self.left() {
            0 => Ok(()),
            left => Err(CodecError::Trailing { at: self.at, left }),
        }
    }
}
