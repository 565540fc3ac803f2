//! What the parties say to each other, and its bytes.
//!
//! Integers are little-endian, strings of bits carry their length. One message has one encoding; anything else is refused.

use super::bits::Bits;

/// Most clicks, parities or bits in a message.
const ITEMS_MAX: u64 = 1 << 28;

/// A stretch of the key in the order of one pass: places `start..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Which pass, from 0.
    pub pass: u8,
    /// First place.
    pub start: u32,
    /// Place behind the last one.
    pub end: u32,
}

/// A message; the number of its block goes with it.
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    /// Bob: which pulses clicked, rising, and his bases (true for X).
    Detections {
        /// Pulses.
        pulses: Vec<u32>,
        /// Bases.
        basis_x: Bits,
    },
    /// Alice: her bases and intensities for Bob's clicks, her bits where both chose Z, and the seed of the shuffles.
    Sifting {
        /// Bases.
        basis_x: Bits,
        /// Intensities, 0 to 2.
        intensities: Vec<u8>,
        /// Bits of basis Z.
        check: Bits,
        /// Seed.
        shuffle: [u8; 32],
    },
    /// Bob: his bits where both chose Z.
    Check {
        /// Bits of basis Z.
        check: Bits,
    },
    /// Bob: of which stretches he wants the parity.
    Ask {
        /// Stretches.
        stretches: Vec<Stretch>,
    },
    /// Alice: those parities.
    Answer {
        /// One bit per stretch.
        parities: Bits,
    },
    /// Bob: he asks no more, and how many errors he found.
    Corrected {
        /// Errors.
        errors: u64,
    },
    /// Alice: a hash of her key.
    Verify {
        /// Hash key, drawn now.
        hash_key: [u8; 16],
        /// Hash.
        digest: u64,
    },
    /// Bob: his key has that hash.
    Verified,
    /// Alice: length of the final key and the seed of its Toeplitz matrix.
    Amplify {
        /// Length, bits.
        length_bits: u64,
        /// Seed.
        seed: Bits,
    },
    /// Bob: he has the final key.
    Done,
    /// Alice: she has it, too, and releases.
    Confirm,
}

/// Bytes that are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no message: {what} at byte {at} of {bytes}")]
pub struct DecodeError {
    /// What is wrong.
    pub what: &'static str,
    /// Where.
    pub at: usize,
    /// Length of the whole.
    pub bytes: usize,
}

impl Message {
    /// Name for errors.
    pub fn name(&self) -> &'static str {
        match self {
            Message::Detections { .. } => "detections",
            Message::Sifting { .. } => "sifting",
            Message::Check { .. } => "check",
            Message::Ask { .. } => "ask",
            Message::Answer { .. } => "answer",
            Message::Corrected { .. } => "corrected",
            Message::Verify { .. } => "verify",
            Message::Verified => "verified",
            Message::Amplify { .. } => "amplify",
            Message::Done => "done",
            Message::Confirm => "confirm",
        }
    }

    /// The bytes of a message of block `block`.
    pub fn encode(&self, block: u64) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(block.to_le_bytes());
        match self {
            Message::Detections { pulses, basis_x } => {
                out.push(1);
                put_len(&mut out, pulses.len());
                pulses
                    .iter()
                    .for_each(|pulse| out.extend(pulse.to_le_bytes()));
                put_bits(&mut out, basis_x);
            }
            Message::Sifting {
                basis_x,
                intensities,
                check,
                shuffle,
            } => {
                out.push(2);
                put_bits(&mut out, basis_x);
                put_len(&mut out, intensities.len());
                out.extend(intensities);
                put_bits(&mut out, check);
                out.extend(shuffle);
            }
            Message::Check { check } => {
                out.push(3);
                put_bits(&mut out, check);
            }
            Message::Ask { stretches } => {
                out.push(4);
                put_len(&mut out, stretches.len());
                for stretch in stretches {
                    out.push(stretch.pass);
                    out.extend(stretch.start.to_le_bytes());
                    out.extend(stretch.end.to_le_bytes());
                }
            }
            Message::Answer { parities } => {
                out.push(5);
                put_bits(&mut out, parities);
            }
            Message::Corrected { errors } => {
                out.push(6);
                out.extend(errors.to_le_bytes());
            }
            Message::Verify { hash_key, digest } => {
                out.push(7);
                out.extend(hash_key);
                out.extend(digest.to_le_bytes());
            }
            Message::Verified => out.push(8),
            Message::Amplify { length_bits, seed } => {
                out.push(9);
                out.extend(length_bits.to_le_bytes());
                put_bits(&mut out, seed);
            }
            Message::Done => out.push(10),
            Message::Confirm => out.push(11),
        }
        out
    }

    /// Block and message of these bytes.
    ///
    /// # Errors
    /// [`DecodeError`] for anything that [`Message::encode`] does not make.
    pub fn decode(bytes: &[u8]) -> Result<(u64, Message), DecodeError> {
        let mut input = Input { bytes, at: 0 };
        let block = input.u64()?;
        let [kind] = input.array::<1>()?;
        let message = input.message(kind)?;
        if input.at == bytes.len() {
            Ok((block, message))
        } else {
            Err(input.wrong("bytes too many"))
        }
    }
}

fn put_len(out: &mut Vec<u8>, len: usize) {
    out.extend((len as u64).to_le_bytes());
}

fn put_bits(out: &mut Vec<u8>, bits: &Bits) {
    put_len(out, bits.len());
    out.extend(bits.to_bytes());
}

/// Bytes and how far they are read.
struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    fn message(&mut self, kind: u8) -> Result<Message, DecodeError> {
        Ok(match kind {
            1 => Message::Detections {
                pulses: self.items(|input| Ok(u32::from_le_bytes(input.array()?)))?,
                basis_x: self.bits()?,
            },
            2 => Message::Sifting {
                basis_x: self.bits()?,
                intensities: self.items(|input| Ok(u8::from_le_bytes(input.array()?)))?,
                check: self.bits()?,
                shuffle: self.array()?,
            },
            3 => Message::Check {
                check: self.bits()?,
            },
            4 => Message::Ask {
                stretches: self.items(|input| {
                    let [pass] = input.array()?;
                    Ok(Stretch {
                        pass,
                        start: u32::from_le_bytes(input.array()?),
                        end: u32::from_le_bytes(input.array()?),
                    })
                })?,
            },
            5 => Message::Answer {
                parities: self.bits()?,
            },
            6 => Message::Corrected {
                errors: self.u64()?,
            },
            7 => Message::Verify {
                hash_key: self.array()?,
                digest: self.u64()?,
            },
            8 => Message::Verified,
            9 => Message::Amplify {
                length_bits: self.u64()?,
                seed: self.bits()?,
            },
            10 => Message::Done,
            11 => Message::Confirm,
            _ => return Err(self.wrong("unknown kind")),
        })
    }

    fn wrong(&self, what: &'static str) -> DecodeError {
        DecodeError {
            what,
            at: self.at,
            bytes: self.bytes.len(),
        }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..len).ok_or(self.wrong("bytes too few"))?;
        self.at += len;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn len(&mut self) -> Result<usize, DecodeError> {
        match self.u64()? {
            len if len <= ITEMS_MAX => Ok(len as usize),
            _ => Err(self.wrong("length out of bounds")),
        }
    }

    fn items<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let len = self.len()?;
        // An item takes a byte at least: a length that lies reserves nothing.
        if len > self.bytes.len() - self.at {
            return Err(self.wrong("bytes too few"));
        }
        (0..len).map(|_| item(self)).collect()
    }

    fn bits(&mut self) -> Result<Bits, DecodeError> {
        let len = self.len()?;
        let bytes = self.take(len.div_ceil(8))?;
        Bits::from_bytes(len, bytes).ok_or(self.wrong("bits behind the end"))
    }
}
