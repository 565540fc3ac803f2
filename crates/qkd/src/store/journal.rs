//! Segments on the disk: one is written at a time, a new one takes over whole or not at all.
//!
//! A segment is `magic 8 | generation 8 | salt 32`, then frames. Its first frames say everything that the store held when
//! it was begun; the record `Whole` ends them. It is written under a name that no reader looks at, synced, renamed, and
//! the folder is synced; only then is it written on, and the older one removed. So the newest segment is the truth.

use super::disk::{Disk, DiskError};
use super::error::StoreError;
use super::name::Sae;
use super::record::{Record, decode, encode};
use super::seal::{Entropy, HEAD, Keys, Place, Secret, SegmentKey};

const MAGIC: &[u8; 8] = b"TLKSEG01";
const SEGMENT_HEAD: usize = 48;
const UNFINISHED: &str = ".part";
/// Bytes of frames that go to the disk in one call while a segment is begun.
const CHUNK: usize = 1 << 20;

/// The disk, the keys and the segment that is being written.
pub(crate) struct Journal {
    disk: Box<dyn Disk>,
    keys: Keys,
    entropy: Entropy,
    generation: u64,
    segment: Option<(SegmentKey, Place)>,
}

/// What was found when a journal was opened.
pub(crate) struct Found {
    /// Records, one list per commit.
    pub(crate) commits: Vec<Vec<Record>>,
    /// Bytes behind the last whole frame: the end of a write that a crash cut short.
    pub(crate) torn: usize,
}

fn name_of(generation: u64) -> String {
    format!("segment-{generation:016x}")
}

fn generation_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("segment-")?;
    match digits.len() {
        16 => u64::from_str_radix(digits, 16).ok(),
        _ => None,
    }
}

impl Journal {
    /// Opens or makes the store of `owner`. No segment is open for writing yet: [`begin`](Journal::begin) one.
    pub(crate) fn open(
        mut disk: Box<dyn Disk>,
        owner: &Sae,
        secret: &Secret,
        mut entropy: Entropy,
    ) -> Result<(Journal, Found), StoreError> {
        let names = disk.list()?;
        let newest = names.iter().filter_map(|name| generation_of(name)).max();
        let keys = match names.iter().any(|name| name == HEAD) {
            true => {
                let (keys, found) = Keys::open(&disk.read(HEAD)?, secret)?;
                if found != *owner {
                    return Err(StoreError::OtherOwner {
                        owner: found,
                        asked: owner.clone(),
                    });
                }
                keys
            }
            false => {
                // A head follows the first segment: what is there without one was never opened.
                if newest.is_some_and(|generation| generation > 1) {
                    return Err(StoreError::NotAStore);
                }
                let (keys, head) = Keys::make(owner, secret, &mut entropy)?;
                let mut journal = Journal {
                    disk,
                    keys,
                    entropy,
                    generation: 0,
                    segment: None,
                };
                journal.begin(std::iter::once(vec![Record::Whole]))?;
                journal.put_head(&head)?;
                return Ok((
                    journal,
                    Found {
                        commits: Vec::new(),
                        torn: 0,
                    },
                ));
            }
        };
        let generation = newest.ok_or(StoreError::NoSegment)?;
        let found = read_segment(&mut *disk, &keys, generation)?;
        let journal = Journal {
            disk,
            keys,
            entropy,
            generation,
            segment: None,
        };
        Ok((journal, found))
    }

    fn put_head(&mut self, head: &[u8]) -> Result<(), DiskError> {
        let part = format!("{HEAD}{UNFINISHED}");
        self.disk.create(&part)?;
        self.disk.append(&part, head)?;
        self.disk.sync(&part)?;
        self.disk.rename(&part, HEAD)?;
        self.disk.sync_folder()
    }

    /// The keys of the store.
    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Random bytes.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) -> Result<(), StoreError> {
        (self.entropy)(bytes)
    }

    /// Bytes of the segment.
    pub(crate) fn bytes(&self) -> u64 {
        self.segment.as_ref().map_or(0, |(_, place)| place.offset)
    }

    /// Begins a segment with `commits`, which say everything; the older ones are removed.
    pub(crate) fn begin(
        &mut self,
        commits: impl Iterator<Item = Vec<Record>>,
    ) -> Result<(), StoreError> {
        let generation = self.generation + 1;
        let part = format!("{}{UNFINISHED}", name_of(generation));
        let mut salt = [0; 32];
        (self.entropy)(&mut salt)?;
        let key = self.keys.segment(generation, &salt);
        let mut place = Place {
            number: 0,
            offset: SEGMENT_HEAD as u64,
        };
        let mut chunk = [&MAGIC[..], &generation.to_be_bytes(), &salt].concat();
        self.disk.create(&part)?;
        for records in commits {
            let frame = key.seal(place, &encode(&records), &mut self.entropy)?;
            place = place.after(frame.len());
            chunk.extend_from_slice(&frame);
            if chunk.len() >= CHUNK {
                self.disk.append(&part, &chunk)?;
                chunk.clear();
            }
        }
        self.disk.append(&part, &chunk)?;
        self.disk.sync(&part)?;
        self.disk.rename(&part, &name_of(generation))?;
        self.disk.sync_folder()?;
        self.generation = generation;
        self.segment = Some((key, place));
        self.remove_others()
    }

    /// Removes older segments and what a crash left unfinished.
    fn remove_others(&mut self) -> Result<(), StoreError> {
        let current = name_of(self.generation);
        for name in self.disk.list()? {
            let ours = name.starts_with("segment-") || name.ends_with(UNFINISHED);
            if ours && name != current {
                self.disk.remove(&name)?;
            }
        }
        Ok(())
    }

    /// Writes one commit and returns when it is durable.
    pub(crate) fn commit(&mut self, records: &[Record]) -> Result<(), StoreError> {
        let file = name_of(self.generation);
        let (key, place) = self.segment.as_mut().expect("opening begins a segment");
        let frame = key.seal(*place, &encode(records), &mut self.entropy)?;
        self.disk.append(&file, &frame)?;
        self.disk.sync(&file)?;
        *place = place.after(frame.len());
        Ok(())
    }
}

impl Place {
    fn after(self, bytes: usize) -> Place {
        Place {
            number: self.number + 1,
            offset: self.offset + bytes as u64,
        }
    }
}

fn read_segment(disk: &mut dyn Disk, keys: &Keys, generation: u64) -> Result<Found, StoreError> {
    let file = name_of(generation);
    let bytes = disk.read(&file)?;
    let corrupt = |offset: u64, what| StoreError::Corrupt {
        file: file.clone(),
        offset,
        what,
    };
    let head = bytes
        .get(..SEGMENT_HEAD)
        .filter(|head| head.starts_with(MAGIC) && head[8..16] == generation.to_be_bytes())
        .ok_or_else(|| corrupt(0, "does not begin as a segment"))?;
    let key = keys.segment(generation, head[16..].try_into().expect("32 bytes of salt"));
    let mut place = Place {
        number: 0,
        offset: SEGMENT_HEAD as u64,
    };
    let mut commits = Vec::new();
    let mut whole = false;
    loop {
        let rest = &bytes[place.offset as usize..];
        let Some((plain, length)) = key.open(place, rest) else {
            break;
        };
        let records = decode(&plain)
            .map_err(|_| corrupt(place.offset, "holds a record of another version"))?;
        whole |= records.iter().any(|record| matches!(record, Record::Whole));
        commits.push(records);
        place = place.after(length);
    }
    let rest = &bytes[place.offset as usize..];
    if !whole || key.finds_later(place, rest) {
        return Err(corrupt(place.offset, "does not open"));
    }
    Ok(Found {
        commits,
        torn: rest.len(),
    })
}
