//! What a key manager writes down before it acts. Replaying the records in order gives the same state again.

use crate::etsi::{KmeId, SaeId};

use super::codec::{CodecError, Reader, Writer};
use super::link::{Direction, LinkId};

/// Identifies the common pool of two key managers, from one fresh start to the next.
pub type PoolId = [u8; 16];

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// The log belongs to this key manager.
    Kme(KmeId),
    /// Records counted so far, in a log that starts with a summary.
    Seq(u64),
    /// The number of a link from here on.
    Link {
        /// Its number.
        link: LinkId,
        /// The key manager at its other end.
        peer: KmeId,
    },
    /// The link starts with an empty pool; everything before is discarded.
    Pool {
        /// Which link.
        link: LinkId,
        /// The new pool.
        pool: PoolId,
    },
    /// Bits up to this offset are on disk at both ends.
    Filled {
        /// Which link.
        link: LinkId,
        /// Whose bits.
        direction: Direction,
        /// The offset.
        to: u64,
    },
    /// Bits up to this offset are given to masters of this end.
    Allocated {
        /// Which link.
        link: LinkId,
        /// The offset.
        to: u64,
    },
    /// The other end gave bits to a master; slaves of this end will ask for them.
    Announced {
        /// Which link.
        link: LinkId,
        /// What.
        grant: Granted,
        /// What the other end had counted by then.
        peer_seq: u64,
    },
    /// A slave of this end got a key.
    Collected {
        /// Which link.
        link: LinkId,
        /// The key's offset.
        at: u64,
        /// The slave's place in the list of the announcement.
        slave: u8,
    },
    /// Nobody came for a key in time.
    Expired {
        /// Which link.
        link: LinkId,
        /// The key's offset.
        at: u64,
    },
    /// After a new connection both ends agreed on heads and ends.
    Aligned {
        /// Which link.
        link: LinkId,
        /// (head, filled) of the direction out.
        out: (u64, u64),
        /// (head, filled) of the direction in.
        inn: (u64, u64),
    },
    /// The other end had counted so many records.
    PeerSeq {
        /// Which link.
        link: LinkId,
        /// How many.
        seq: u64,
    },
}

/// Keys of one request, in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Offset of the first.
    pub at: u64,
    /// Bytes of each.
    pub bytes: u32,
    /// How many.
    pub count: u32,
    /// Milliseconds since 1970 when they were announced.
    pub since: u64,
    /// Which slaves have not had them, bit 0 for the first; in the log of a running key manager all of them.
    pub left: u64,
    /// Who got them first.
    pub master: SaeId,
    /// Who may fetch them.
    pub slaves: Vec<SaeId>,
}

impl Granted {
    /// Offset behind the last.
    pub fn end(&self) -> u64 {
        self.at + u64::from(self.bytes) * u64::from(self.count)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.u64(self.at).u32(self.bytes).u32(self.count);
        writer.u64(self.since).u64(self.left);
        writer
            .text(self.master.as_str())
            .u8(self.slaves.len() as u8);
        for slave in &self.slaves {
            writer.text(slave.as_str());
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Granted, CodecError> {
        let granted = Granted {
            at: reader.u64()?,
            bytes: reader.u32()?,
            count: reader.u32()?,
            since: reader.u64()?,
            left: reader.u64()?,
            master: reader.id("master")?,
            slaves: {
                let slaves = reader.u8()?;
                (0..slaves)
                    .map(|_| reader.id("slave"))
                    .collect::<Result<_, _>>()?
            },
        };
        let length = u64::from(granted.bytes) * u64::from(granted.count);
        if length == 0 || granted.at.checked_add(length).is_none() {
            return Err(CodecError::Field { field: "count" });
        }
        if granted.slaves.is_empty() || granted.slaves.len() > 64 {
            return Err(CodecError::Field { field: "slaves" });
        }
        Ok(granted)
    }
}

impl Record {
    pub(crate) fn write(&self, writer: &mut Writer) {
        match self {
            Record::Kme(id) => writer.u8(0).text(id.as_str()),
            Record::Seq(seq) => writer.u8(1).u64(*seq),
            Record::Link { link, peer } => writer.u8(2).u16(link.0).text(peer.as_str()),
            Record::Pool { link, pool } => writer.u8(3).u16(link.0).raw(pool),
            Record::Filled {
                link,
                direction,
                to,
            } => {
                let direction = (*direction == Direction::In) as u8;
                writer.u8(4).u16(link.0).u8(direction).u64(*to)
            }
            Record::Allocated { link, to } => writer.u8(5).u16(link.0).u64(*to),
            Record::Announced {
                link,
                grant,
                peer_seq,
            } => {
                grant.write(writer.u8(6).u16(link.0).u64(*peer_seq));
                writer
            }
            Record::Collected { link, at, slave } => writer.u8(7).u16(link.0).u64(*at).u8(*slave),
            Record::Expired { link, at } => writer.u8(8).u16(link.0).u64(*at),
            Record::Aligned { link, out, inn } => {
                writer.u8(9).u16(link.0);
                writer.u64(out.0).u64(out.1).u64(inn.0).u64(inn.1)
            }
            Record::PeerSeq { link, seq } => writer.u8(10).u16(link.0).u64(*seq),
        };
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Record, CodecError> {
        let kind = reader.u8()?;
        match kind {
            0 => return Ok(Record::Kme(reader.id("kme")?)),
            1 => return Ok(Record::Seq(reader.u64()?)),
            _ => {}
        }
        let link = LinkId(reader.u16()?);
        Ok(match kind {
            2 => Record::Link {
                link,
                peer: reader.id("peer")?,
            },
            3 => Record::Pool {
                link,
                pool: reader.array()?,
            },
            4 => Record::Filled {
                link,
                direction: match reader.u8()? {
                    0 => Direction::Out,
                    1 => Direction::In,
                    _ => return Err(CodecError::Field { field: "direction" }),
                },
                to: reader.u64()?,
            },
            5 => Record::Allocated {
                link,
                to: reader.u64()?,
            },
            6 => Record::Announced {
                link,
                peer_seq: reader.u64()?,
                grant: Granted::read(reader)?,
            },
            7 => Record::Collected {
                link,
                at: reader.u64()?,
                slave: reader.u8()?,
            },
            8 => Record::Expired {
                link,
                at: reader.u64()?,
            },
            9 => Record::Aligned {
                link,
                out: (reader.u64()?, reader.u64()?),
                inn: (reader.u64()?, reader.u64()?),
            },
            10 => Record::PeerSeq {
                link,
                seq: reader.u64()?,
            },
            kind => return Err(CodecError::Kind { kind }),
        })
    }
}
