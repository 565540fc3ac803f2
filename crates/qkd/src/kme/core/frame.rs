//! What two key managers say to each other.

use zeroize::Zeroizing;

use super::codec::{CodecError, Reader, Writer};
use super::link::Direction;
use super::record::{Granted, PoolId};

/// Version of this protocol; key managers of other versions are refused.
pub const VERSION: u16 = 1;

/// Longest frame, bytes: a block of bits and its head, or a full list of announcements.
pub const FRAME_BYTES_MAX: usize = 2 << 20;

/// What one end knows of a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Allocated up to here.
    pub head: u64,
    /// Filled up to here.
    pub filled: u64,
}

/// The first frame of a connection, from both ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The pool that this end holds.
    pub pool: Option<PoolId>,
    /// A new pool's name, should one be needed; that of the dialling end counts.
    pub fresh: PoolId,
    /// Records that this end has counted.
    pub seq: u64,
    /// Records that this end knows the other to have counted.
    pub seen: u64,
    /// The direction in which the sender allocates.
    pub out: View,
    /// The direction in which the receiver allocates.
    pub inn: View,
}

/// One message. Directions are the sender's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// What I have.
    Hello(Hello),
    /// I wrote down what follows from both hellos.
    Ready,
    /// The next bits of a direction.
    Fill {
        /// Whose.
        direction: Direction,
        /// Their offset.
        at: u64,
        /// The bits.
        bits: Zeroizing<Vec<u8>>,
    },
    /// I have the bits up to this offset on disk.
    Have {
        /// Whose, seen from the sender of this frame.
        direction: Direction,
        /// The offset.
        to: u64,
    },
    /// I gave keys to masters of mine.
    Announce {
        /// Records that I have counted.
        seq: u64,
        /// Which, in the order of offsets and without gaps.
        grants: Vec<Granted>,
    },
    /// Announced keys up to this offset are written down here.
    Noted {
        /// The offset, in the receiver's direction out.
        to: u64,
        /// Records that I have counted.
        seq: u64,
        /// Keys that wait here for their slaves.
        waiting: u64,
    },
    /// I am alive.
    Alive {
        /// Records that I have counted.
        seq: u64,
    },
}

impl Frame {
    /// Its bytes, without the length before them.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let capacity = match self {
            Frame::Fill { bits, .. } => bits.len() + 16,
            _ => 128,
        };
        let mut writer = Writer(Vec::with_capacity(capacity));
        self.write(&mut writer);
        Zeroizing::new(writer.0)
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Frame::Hello(hello) => {
                writer.u8(0).u16(VERSION);
                match hello.pool {
                    Some(pool) => writer.u8(1).raw(&pool),
                    None => writer.u8(0),
                };
                writer.raw(&hello.fresh).u64(hello.seq).u64(hello.seen);
                writer.u64(hello.out.head).u64(hello.out.filled);
                writer.u64(hello.inn.head).u64(hello.inn.filled);
            }
            Frame::Ready => {
                writer.u8(1);
            }
            Frame::Fill {
                direction,
                at,
                bits,
            } => {
                let direction = (*direction == Direction::In) as u8;
                writer.u8(2).u8(direction).u64(*at).raw(bits);
            }
            Frame::Have { direction, to } => {
                let direction = (*direction == Direction::In) as u8;
                writer.u8(3).u8(direction).u64(*to);
            }
            Frame::Announce { seq, grants } => {
                writer.u8(4).u64(*seq);
                grants.iter().for_each(|grant| grant.write(writer));
            }
            Frame::Noted { to, seq, waiting } => {
                writer.u8(5).u64(*to).u64(*seq).u64(*waiting);
            }
            Frame::Alive { seq } => {
                writer.u8(6).u64(*seq);
            }
        }
    }

    /// Reads a frame that fills the bytes.
    ///
    /// # Errors
    /// Anything else.
    pub fn decode(bytes: &[u8]) -> Result<Frame, CodecError> {
        let mut reader = Reader(bytes);
        let frame = Frame::read(&mut reader)?;
        reader.end()?;
        Ok(frame)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Frame, CodecError> {
        Ok(match reader.u8()? {
            0 => Frame::Hello(read_hello(reader)?),
            1 => Frame::Ready,
            2 => Frame::Fill {
                direction: read_direction(reader)?,
                at: reader.u64()?,
                bits: {
                    let rest = reader.0.len();
                    Zeroizing::new(reader.raw(rest)?.to_vec())
                },
            },
            3 => Frame::Have {
                direction: read_direction(reader)?,
                to: reader.u64()?,
            },
            4 => {
                let seq = reader.u64()?;
                let mut grants = Vec::new();
                while !reader.is_empty() {
                    grants.push(Granted::read(reader)?);
                }
                Frame::Announce { seq, grants }
            }
            5 => Frame::Noted {
                to: reader.u64()?,
                seq: reader.u64()?,
                waiting: reader.u64()?,
            },
            6 => Frame::Alive { seq: reader.u64()? },
            kind => return Err(CodecError::Kind { kind }),
        })
    }
}

fn read_direction(reader: &mut Reader<'_>) -> Result<Direction, CodecError> {
    match reader.u8()? {
        0 => Ok(Direction::Out),
        1 => Ok(Direction::In),
        _ => Err(CodecError::Field { field: "direction" }),
    }
}

fn read_hello(reader: &mut Reader<'_>) -> Result<Hello, CodecError> {
    if reader.u16()? != VERSION {
        return Err(CodecError::Field { field: "version" });
    }
    let pool = match reader.u8()? {
        0 => None,
        1 => Some(reader.array()?),
        _ => return Err(CodecError::Field { field: "pool" }),
    };
    let hello = Hello {
        pool,
        fresh: reader.array()?,
        seq: reader.u64()?,
        seen: reader.u64()?,
        out: View {
            head: reader.u64()?,
            filled: reader.u64()?,
        },
        inn: View {
            head: reader.u64()?,
            filled: reader.u64()?,
        },
    };
    let sane = [hello.out, hello.inn]
        .iter()
        .all(|view| view.head <= view.filled);
    if sane {
        Ok(hello)
    } else {
        Err(CodecError::Field { field: "head" })
    }
}
