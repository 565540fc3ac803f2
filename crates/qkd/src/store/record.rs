//! What the journal says. One frame holds the records of one commit: all of them happened or none.

use tieline_units::Time;
use tieline_uss::party::{Counter, EpochId};
use zeroize::Zeroizing;

use super::codec::{CodecError, Reader, Writer};
use super::health::Fingerprint;
use super::name::{KeyId, Lane, Sae};

/// Names a handshake that both ends made.
pub(crate) type Session = [u8; 16];

/// Stands for all keys of a lane up to a position.
pub(crate) type Chain = [u8; 16];

/// A key that waits for its place in a lane.
pub(crate) struct Key {
    pub(crate) id: KeyId,
    /// After that it is given up.
    pub(crate) until: Time,
    pub(crate) material: Zeroizing<Vec<u8>>,
}

/// A key at its place in a lane.
pub(crate) struct Piece {
    pub(crate) id: KeyId,
    /// Position of the first byte that is left.
    pub(crate) first: u64,
    /// Bytes of `material` that are used and wiped.
    pub(crate) start: usize,
    pub(crate) material: Zeroizing<Vec<u8>>,
    /// The chain after this key.
    pub(crate) chain: Chain,
}

/// What a lane consists of beside its keys; written at the head of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ground {
    pub(crate) offers: u64,
    pub(crate) taken: Vec<KeyId>,
    pub(crate) horizon: u64,
    pub(crate) base: u64,
    pub(crate) base_chain: Chain,
    pub(crate) admitted: u64,
    pub(crate) spent: u64,
    pub(crate) lost: u64,
    pub(crate) doubt: u64,
    pub(crate) next: u64,
}

/// What this end knows of a peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Handshakes that this end began.
    pub(crate) counter: u64,
    /// The last that the peer began.
    pub(crate) seen: u64,
    /// The last handshake that was answered, and the last that both ends hold.
    pub(crate) latest: Session,
    pub(crate) settled: Session,
    /// The newest signature counter of the peer that this end has seen.
    pub(crate) observed: Option<(EpochId, Counter)>,
}

pub(crate) enum Record {
    /// All that this end knows of a peer.
    Peer { name: Sae, known: Known },
    /// Keys arrive.
    Admit { lane: Lane, keys: Vec<Key> },
    /// Waiting keys are given up.
    Drop { lane: Lane, ids: Vec<KeyId> },
    /// Waiting keys get their places from `first` on, in this order; what lay there is given up.
    Place {
        lane: Lane,
        number: u64,
        first: u64,
        ids: Vec<KeyId>,
    },
    /// Everything below `upto` may be used from now on, so it counts as used after a crash.
    Horizon { lane: Lane, upto: u64 },
    /// Everything below `next` is used or lost, with the sums so far.
    Tally {
        lane: Lane,
        next: u64,
        spent: u64,
        lost: u64,
    },
    /// Both ends go on at `at` with the keys up to `end`.
    Resume {
        lane: Lane,
        at: u64,
        end: u64,
        session: Session,
    },
    /// Counters of an epoch, both included, can sign nothing any more.
    Spend {
        epoch: EpochId,
        first: Counter,
        last: Counter,
    },
    /// Epochs below are closed for signing.
    Close { below: EpochId },
    /// Head of a segment: keys seen before.
    Seen { prints: Vec<(KeyId, Fingerprint)> },
    /// Head of a segment: a lane.
    Lane { lane: Lane, ground: Ground },
    /// Head of a segment: a key at its place.
    Piece { lane: Lane, piece: Piece },
    /// Head of a segment: a key without a place.
    Wait { lane: Lane, key: Key },
    /// Head of a segment: it is whole.
    Whole,
}

impl Record {
    /// Bytes that the encoding takes at most.
    fn room(&self) -> usize {
        let names = 2 * 256 + 64;
        names
            + match self {
                Record::Admit { keys, .. } => keys.iter().map(|key| key.material.len() + 28).sum(),
                Record::Wait { key, .. } => key.material.len(),
                Record::Piece { piece, .. } => piece.left().len() + 64,
                Record::Drop { ids, .. } | Record::Place { ids, .. } => ids.len() * 16,
                Record::Seen { prints } => prints.len() * 32,
                Record::Lane { ground, .. } => 128 + ground.taken.len() * 16,
                _ => 0,
            }
    }

    fn write(&self, out: &mut Writer) {
        out.u8(self.tag());
        match self {
            Record::Peer { name, known } => {
                out.sae(name);
                known.write(out);
            }
            Record::Admit { lane, keys } => {
                out.lane(lane);
                out.u32(u32::try_from(keys.len()).expect("arrivals are bounded"));
                keys.iter().for_each(|key| key.write(out));
            }
            Record::Drop { lane, ids } => {
                out.lane(lane);
                out.ids(ids);
            }
            Record::Place {
                lane,
                number,
                first,
                ids,
            } => {
                out.lane(lane);
                out.u64(*number);
                out.u64(*first);
                out.ids(ids);
            }
            Record::Horizon { lane, upto } => {
                out.lane(lane);
                out.u64(*upto);
            }
            Record::Tally {
                lane,
                next,
                spent,
                lost,
            } => {
                out.lane(lane);
                [next, spent, lost].into_iter().for_each(|n| out.u64(*n));
            }
            Record::Resume {
                lane,
                at,
                end,
                session,
            } => {
                out.lane(lane);
                out.u64(*at);
                out.u64(*end);
                out.raw(session);
            }
            Record::Spend { epoch, first, last } => {
                out.u64(epoch.0);
                out.u32(first.0);
                out.u32(last.0);
            }
            Record::Close { below } => out.u64(below.0),
            head => head.write_head(out),
        }
    }

    /// Records that stand at the head of a segment only.
    fn write_head(&self, out: &mut Writer) {
        match self {
            Record::Seen { prints } => {
                out.u32(u32::try_from(prints.len()).expect("the memory of keys is bounded"));
                for (id, print) in prints {
                    out.raw(&id.0);
                    out.raw(print);
                }
            }
            Record::Lane { lane, ground } => {
                out.lane(lane);
                ground.write(out);
            }
            Record::Piece { lane, piece } => {
                out.lane(lane);
                out.raw(&piece.id.0);
                out.u64(piece.first);
                out.raw(&piece.chain);
                out.blob(piece.left());
            }
            Record::Wait { lane, key } => {
                out.lane(lane);
                key.write(out);
            }
            _ => {}
        }
    }

    fn tag(&self) -> u8 {
        match self {
            Record::Peer { .. } => 1,
            Record::Admit { .. } => 2,
            Record::Drop { .. } => 3,
            Record::Place { .. } => 4,
            Record::Horizon { .. } => 5,
            Record::Tally { .. } => 6,
            Record::Resume { .. } => 7,
            Record::Spend { .. } => 8,
            Record::Close { .. } => 9,
            Record::Seen { .. } => 10,
            Record::Lane { .. } => 11,
            Record::Piece { .. } => 12,
            Record::Wait { .. } => 14,
            Record::Whole => 13,
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Record, CodecError> {
        let at = from.at();
        Ok(match from.u8()? {
            1 => Record::Peer {
                name: from.sae()?,
                known: Known::read(from)?,
            },
            2 => Record::Admit {
                lane: from.lane()?,
                keys: (0..from.count(28)?)
                    .map(|_| Key::read(from))
                    .collect::<Result<_, _>>()?,
            },
            3 => Record::Drop {
                lane: from.lane()?,
                ids: from.ids()?,
            },
            4 => Record::Place {
                lane: from.lane()?,
                number: from.u64()?,
                first: from.u64()?,
                ids: from.ids()?,
            },
            5 => Record::Horizon {
                lane: from.lane()?,
                upto: from.u64()?,
            },
            6 => Record::Tally {
                lane: from.lane()?,
                next: from.u64()?,
                spent: from.u64()?,
                lost: from.u64()?,
            },
            7 => Record::Resume {
                lane: from.lane()?,
                at: from.u64()?,
                end: from.u64()?,
                session: from.array()?,
            },
            8 => Record::Spend {
                epoch: EpochId(from.u64()?),
                first: Counter(from.u32()?),
                last: Counter(from.u32()?),
            },
            9 => Record::Close {
                below: EpochId(from.u64()?),
            },
            tag => Record::read_head(tag, at, from)?,
        })
    }

    /// Records that stand at the head of a segment only.
    fn read_head(tag: u8, at: usize, from: &mut Reader<'_>) -> Result<Record, CodecError> {
        Ok(match tag {
            10 => Record::Seen {
                prints: (0..from.count(32)?)
                    .map(|_| Ok((KeyId(from.array()?), from.array()?)))
                    .collect::<Result<_, _>>()?,
            },
            11 => Record::Lane {
                lane: from.lane()?,
                ground: Ground::read(from)?,
            },
            12 => Record::Piece {
                lane: from.lane()?,
                piece: Piece {
                    id: KeyId(from.array()?),
                    first: from.u64()?,
                    start: 0,
                    chain: from.array()?,
                    material: Zeroizing::new(from.blob()?.to_vec()),
                },
            },
            13 => Record::Whole,
            14 => Record::Wait {
                lane: from.lane()?,
                key: Key::read(from)?,
            },
            tag => {
                return Err(CodecError::Value {
                    what: "kind of record",
                    at,
                    value: tag.into(),
                });
            }
        })
    }
}

/// The bytes of one commit.
pub(crate) fn encode(records: &[Record]) -> Zeroizing<Vec<u8>> {
    let room = records.iter().map(Record::room).sum();
    let mut out = Writer::with_capacity(room);
    records.iter().for_each(|record| record.write(&mut out));
    out.finish()
}

/// The records of one commit.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Record>, CodecError> {
    let mut reader = Reader::new(bytes);
    let mut records = Vec::new();
    while reader.left() > 0 {
        records.push(Record::read(&mut reader)?);
    }
    Ok(records)
}

impl Piece {
    /// What is not used.
    pub(crate) fn left(&self) -> &[u8] {
        &self.material[self.start..]
    }

    /// One past its last byte.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.left().len() as u64
    }
}

impl Key {
    fn write(&self, out: &mut Writer) {
        out.raw(&self.id.0);
        out.u64(self.until.as_millis());
        out.blob(&self.material);
    }

    fn read(from: &mut Reader<'_>) -> Result<Key, CodecError> {
        Ok(Key {
            id: KeyId(from.array()?),
            until: Time::from_millis(from.u64()?),
            material: Zeroizing::new(from.blob()?.to_vec()),
        })
    }
}

impl Ground {
    fn write(&self, out: &mut Writer) {
        out.u64(self.offers);
        out.ids(&self.taken);
        out.raw(&self.base_chain);
        let numbers = [
            self.horizon,
            self.base,
            self.admitted,
            self.spent,
            self.lost,
            self.doubt,
            self.next,
        ];
        numbers.into_iter().for_each(|number| out.u64(number));
    }

    fn read(from: &mut Reader<'_>) -> Result<Ground, CodecError> {
        let (offers, taken, base_chain) = (from.u64()?, from.ids()?, from.array()?);
        Ok(Ground {
            offers,
            taken,
            base_chain,
            horizon: from.u64()?,
            base: from.u64()?,
            admitted: from.u64()?,
            spent: from.u64()?,
            lost: from.u64()?,
            doubt: from.u64()?,
            next: from.u64()?,
        })
    }
}

impl Known {
    fn write(&self, out: &mut Writer) {
        out.u64(self.counter);
        out.u64(self.seen);
        out.raw(&self.latest);
        out.raw(&self.settled);
        write_observed(self.observed, out);
    }

    fn read(from: &mut Reader<'_>) -> Result<Known, CodecError> {
        Ok(Known {
            counter: from.u64()?,
            seen: from.u64()?,
            latest: from.array()?,
            settled: from.array()?,
            observed: read_observed(from)?,
        })
    }
}

pub(crate) fn write_observed(observed: Option<(EpochId, Counter)>, out: &mut Writer) {
    out.u8(observed.is_some().into());
    if let Some((epoch, counter)) = observed {
        out.u64(epoch.0);
        out.u32(counter.0);
    }
}

pub(crate) fn read_observed(
    from: &mut Reader<'_>,
) -> Result<Option<(EpochId, Counter)>, CodecError> {
    Ok(match from.flag("presence of a counter")? {
        false => None,
        true => Some((EpochId(from.u64()?), Counter(from.u32()?))),
    })
}
