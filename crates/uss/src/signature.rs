//! What is signed and what a signature looks like on the wire.
//!
//! ```text
//! version 1 | family 3 | receivers n 1 | functions k 2 | epoch 8 | counter 4 | n²k tags of b bits, packed, last byte padded with 0
//! ```
//! Integers are big-endian; the numbers before the epoch say which parameters the signer used. Decoding knows them and
//! refuses anything else before it looks at a tag.

use thiserror::Error;
use tieline_units::bytes::{Digest, Encoder};

use crate::bits::{BitReader, BitWriter};
use crate::family::Family;
use crate::parameters::Epoch;
use crate::party::{Counter, EpochId};

/// Version of the encoding.
const VERSION: u8 = 1;
/// Bytes before the tags.
const HEADER_BYTES: usize = 19;

/// Why bytes are not a signature of an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Too short, too long, or cut.
    #[error("a signature of {bytes} bytes; this epoch's have {expected}")]
    Length {
        /// Received.
        bytes: usize,
        /// What the parameters give.
        expected: usize,
    },
    /// Made for other parameters, another epoch, or in another encoding.
    #[error("the signature's {field} is {found}, this epoch's is {expected}")]
    Header {
        /// Which number.
        field: &'static str,
        /// Received.
        found: u64,
        /// What the epoch has.
        expected: u64,
    },
    /// Made with another family of functions.
    #[error("the signature's family is {found}, this epoch's is {expected}")]
    Family {
        /// Its name, or its code where there is no such family.
        found: String,
        /// What the epoch has.
        expected: Family,
    },
    /// Bits after the last tag are not zero: no two byte strings are one signature.
    #[error("the last byte is not padded with zeros")]
    Padding,
}

/// Sig(m): n²k tags, row by row of the receiver that got the function from the signer, for one counter. They stay packed:
/// a verifier reads nk of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature<'a> {
    counter: Counter,
    width: u32,
    count: usize,
    packed: &'a [u8],
}

impl std::fmt::Debug for Signature<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Signature(counter {}, {} tags)",
            self.counter, self.count
        )
    }
}

impl<'a> Signature<'a> {
    /// Starts the wire form; the tags follow. Only signing knows the right ones.
    pub(crate) fn writer(epoch: &Epoch, counter: Counter) -> BitWriter {
        let mut writer = BitWriter::with_capacity(Signature::encoded_bytes(epoch) * 8);
        header(epoch, counter)
            .iter()
            .for_each(|byte| writer.write(u128::from(*byte), 8));
        writer
    }

    /// Which signature of the epoch.
    pub fn counter(&self) -> Counter {
        self.counter
    }

    /// The tag of the function `index` of receiver i at `place` = i · nk + index, `None` beyond the last.
    pub fn tag(&self, place: usize) -> Option<u128> {
        let mut reader = BitReader::new(self.packed);
        reader.skip(place * self.width as usize);
        (place < self.count)
            .then(|| reader.read(self.width))
            .flatten()
    }

    /// All tags, in order.
    pub fn tags(&self) -> Vec<u128> {
        let mut reader = BitReader::new(self.packed);
        std::iter::from_fn(|| reader.read(self.width))
            .take(self.count)
            .collect()
    }

    /// The wire form.
    pub fn encode(&self, epoch: &Epoch) -> Vec<u8> {
        let mut bytes = header(epoch, self.counter);
        bytes.extend_from_slice(self.packed);
        bytes
    }

    /// Bytes of a signature of that epoch.
    pub fn encoded_bytes(epoch: &Epoch) -> usize {
        HEADER_BYTES + epoch.parameters().tags_bits().div_ceil(8)
    }

    /// Reads the wire form; the length is checked first, and nothing is copied.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(epoch: &Epoch, bytes: &'a [u8]) -> Result<Signature<'a>, DecodeError> {
        let expected = Signature::encoded_bytes(epoch);
        if bytes.len() != expected {
            return Err(DecodeError::Length {
                bytes: bytes.len(),
                expected,
            });
        }
        let (head, tail) = bytes.split_at(HEADER_BYTES);
        let counter = check_header(epoch, head)?;
        let parameters = epoch.parameters();
        let mut reader = BitReader::new(tail);
        reader.skip(parameters.tags_bits());
        if reader.left() > 0 && !reader.is_finished() {
            return Err(DecodeError::Padding);
        }
        Ok(Signature {
            counter,
            width: parameters.family().tag_bits(),
            count: parameters.tags(),
            packed: tail,
        })
    }
}

fn header(epoch: &Epoch, counter: Counter) -> Vec<u8> {
    let parameters = epoch.parameters();
    let mut encoder = Encoder::default();
    encoder
        .u8(VERSION)
        .raw(&parameters.family().code())
        .u8(parameters.committee().receivers())
        .raw(&(parameters.functions() as u16).to_be_bytes())
        .u64(epoch.id().0)
        .u32(counter.0);
    encoder.as_bytes().to_vec()
}

/// Compares field by field with the epoch's own header and returns the counter.
fn check_header(epoch: &Epoch, head: &[u8]) -> Result<Counter, DecodeError> {
    let (fixed, counter) = head.split_at(HEADER_BYTES - 4);
    let own = header(epoch, Counter(0));
    let code = [fixed[1], fixed[2], fixed[3]];
    let expected = epoch.parameters().family();
    if fixed[0] == own[0] && code != expected.code() {
        let found =
            Family::from_code(code).map_or(format!("{code:?}"), |family| family.to_string());
        return Err(DecodeError::Family { found, expected });
    }
    let fields = [
        ("version", 0..1),
        ("number of receivers", 4..5),
        ("number of functions", 5..7),
        ("epoch", 7..15),
    ];
    for (field, place) in fields {
        let found = number(&fixed[place.clone()]);
        let expected = number(&own[place]);
        if found != expected {
            return Err(DecodeError::Header {
                field,
                found,
                expected,
            });
        }
    }
    Ok(Counter(number(counter) as u32))
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// A body with its signature, as the signer sends it and a ledger orders it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedMessage {
    /// The epoch that it claims.
    pub epoch: EpochId,
    /// What is signed, without the header.
    pub body: Vec<u8>,
    /// The signature's wire form.
    pub signature: Vec<u8>,
}

impl SignedMessage {
    /// What a ledger refers to it by.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.canonical())
    }

    /// Its one encoding. Not for authentication between two: who signed is settled by the ledger, for all at once.
    pub fn canonical(&self) -> Vec<u8> {
        let mut encoder = Encoder::new("tieline.uss.signed/1");
        encoder
            .u64(self.epoch.0)
            .bytes(&self.body)
            .bytes(&self.signature);
        encoder.as_bytes().to_vec()
    }
}
