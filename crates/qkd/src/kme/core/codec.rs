//! Bytes of records and of frames between key managers: big-endian integers, lengths before contents.

use thiserror::Error;

/// Why bytes make no sense.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CodecError {
    /// Something is missing at the end.
    #[error("{need} bytes are needed, {have} are left")]
    Short {
        /// Bytes left.
        have: usize,
        /// Bytes needed.
        need: usize,
    },
    /// Something follows the end.
    #[error("{bytes} bytes too many")]
    Long {
        /// How many.
        bytes: usize,
    },
    /// A kind that this version does not know.
    #[error("unknown kind {kind}")]
    Kind {
        /// Its number.
        kind: u8,
    },
    /// A text or number outside of what its field allows.
    #[error("the field {field} holds nonsense")]
    Field {
        /// Which.
        field: &'static str,
    },
}

/// Writes.
#[derive(Debug, Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn u8(&mut self, value: u8) -> &mut Writer {
        self.0.push(value);
        self
    }

    pub(crate) fn u16(&mut self, value: u16) -> &mut Writer {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(crate) fn u32(&mut self, value: u32) -> &mut Writer {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(crate) fn u64(&mut self, value: u64) -> &mut Writer {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> &mut Writer {
        self.0.extend_from_slice(bytes);
        self
    }

    /// A text of at most 65,535 bytes; identifiers have at most 128.
    pub(crate) fn text(&mut self, text: &str) -> &mut Writer {
        self.u16(text.len() as u16).raw(text.as_bytes())
    }
}

/// Reads.
#[derive(Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn raw(&mut self, need: usize) -> Result<&'a [u8], CodecError> {
        let have = self.0.len();
        let Some((taken, rest)) = self.0.split_at_checked(need) else {
            return Err(CodecError::Short { have, need });
        };
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let mut array = [0; N];
        array.copy_from_slice(self.raw(N)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, CodecError> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn u16(&mut self) -> Result<u16, CodecError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, CodecError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, CodecError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    pub(crate) fn text(&mut self, field: &'static str) -> Result<String, CodecError> {
        let bytes = usize::from(self.u16()?);
        let text = self.raw(bytes)?.to_vec();
        String::from_utf8(text).map_err(|_| CodecError::Field { field })
    }

    /// An identifier.
    pub(crate) fn id<T: TryFrom<String>>(&mut self, field: &'static str) -> Result<T, CodecError> {
        T::try_from(self.text(field)?).map_err(|_| CodecError::Field { field })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn end(&self) -> Result<(), CodecError> {
        match self.0.len() {
            0 => Ok(()),
            bytes => Err(CodecError::Long { bytes }),
        }
    }
}
