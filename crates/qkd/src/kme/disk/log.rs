//! The log: batches of records, each written and synced as a whole.
//!
//! ```text
//! file  = "TLKMELOG" version:u16 batch* zeros
//! batch = length:u32 number:u64 check:[u8;4] digest:[u8;8] records
//! ```
//! `check` covers length and number, `digest` the records; both are the first bytes of a SHA-256. Batches are numbered from
//! 0. Only the last batch can be half written, for each is synced before the next begins: a bad batch at the end is cut
//! off (nothing that depended on it has left), a bad batch with a good one behind it is damage, and an error.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::kme::core::{Reader, Record, Writer};

use super::{DiskError, private_file, sync_folder};

const MAGIC: &[u8; 10] = b"TLKMELOG\x00\x01";
const HEAD: usize = 24;
/// Longest batch, bytes; a summary is written in several.
const BATCH_BYTES_MAX: usize = 16 << 20;
/// The file grows by so many zeros at once: a sync within them has no length to write and no journal to wait for.
const GROW: u64 = 4 << 20;
/// A log longer than this, and than four times its summary, is summed up.
const SUM_UP_FROM: u64 = 64 << 20;

/// An open log.
#[derive(Debug)]
pub(crate) struct Log {
    folder: PathBuf,
    file: File,
    sync: bool,
    number: u64,
    bytes: u64,
    /// Length of the file; zeros from `bytes` on.
    room: u64,
    bytes_after_summary: u64,
}

impl Log {
    /// Opens or makes the log of a folder and reads all records.
    pub(crate) fn open(folder: &Path, sync: bool) -> Result<(Log, Vec<Record>), DiskError> {
        let path = folder.join("log");
        let io = |doing| DiskError::io(&path, doing);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(io("reading")(error)),
        };
        let mut file = private_file(true).open(&path).map_err(io("opening"))?;
        // A start that was cut off left a part of the magic number, and nothing else.
        if bytes.len() < MAGIC.len() && MAGIC.starts_with(&bytes) {
            file.set_len(0).map_err(io("cutting"))?;
            file.write_all(MAGIC).map_err(io("writing"))?;
            file.sync_all().map_err(io("syncing"))?;
            sync_folder(folder)?;
            let log = Log::at(folder, file, (0, MAGIC.len() as u64), sync);
            return Ok((log, Vec::new()));
        }
        if !bytes.starts_with(MAGIC) {
            return Err(DiskError::NoLog { path });
        }
        let read = read_batches(&bytes, &path)?;
        if read.end < bytes.len() {
            file.set_len(read.end as u64).map_err(io("cutting"))?;
            file.sync_all().map_err(io("syncing"))?;
        }
        file.seek(SeekFrom::Start(read.end as u64))
            .map_err(io("seeking"))?;
        let log = Log::at(folder, file, (read.batches, read.end as u64), sync);
        Ok((log, read.records))
    }

    fn at(folder: &Path, file: File, (number, bytes): (u64, u64), sync: bool) -> Log {
        Log {
            folder: folder.to_owned(),
            file,
            sync,
            number,
            bytes,
            room: bytes,
            bytes_after_summary: bytes,
        }
    }

    /// Writes records as one batch and syncs it. After an error the log must not be used any more.
    pub(crate) fn append(&mut self, records: &[Record]) -> Result<(), DiskError> {
        self.write(records)?;
        self.sync_data()
    }

    fn write(&mut self, records: &[Record]) -> Result<(), DiskError> {
        let bytes = batch(self.number, records);
        let log = self.folder.join("log");
        if self.sync && self.bytes + bytes.len() as u64 > self.room {
            self.grow(bytes.len() as u64)
                .map_err(DiskError::io(&log, "growing"))?;
        }
        self.file
            .write_all(&bytes)
            .map_err(DiskError::io(&log, "writing"))?;
        self.number += 1;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn grow(&mut self, need: u64) -> std::io::Result<()> {
        let zeros = vec![0; (need + GROW) as usize];
        self.file.write_all(&zeros)?;
        self.file.sync_all()?;
        self.file.seek(SeekFrom::Start(self.bytes))?;
        self.room = self.bytes + zeros.len() as u64;
        Ok(())
    }

    fn sync_data(&self) -> Result<(), DiskError> {
        if self.sync {
            let path = || self.folder.join("log");
            self.file
                .sync_data()
                .map_err(|error| DiskError::io(&path(), "syncing")(error))?;
        }
        Ok(())
    }

    /// Whether the log has grown so much that a summary pays.
    pub(crate) fn wants_summary(&self) -> bool {
        self.bytes > SUM_UP_FROM && self.bytes > 4 * self.bytes_after_summary
    }

    /// Puts a summary in the place of all records; whole or not at all.
    pub(crate) fn sum_up(&mut self, summary: &[Record]) -> Result<(), DiskError> {
        let new = self.folder.join("log.new");
        let io = |doing| DiskError::io(&new, doing);
        let mut file = private_file(true).open(&new).map_err(io("opening"))?;
        file.set_len(0).map_err(io("cutting"))?;
        file.write_all(MAGIC).map_err(io("writing"))?;
        let mut log = Log::at(&self.folder, file, (0, MAGIC.len() as u64), self.sync);
        for records in summary.chunks(1024) {
            log.write(records)?;
        }
        log.file.sync_all().map_err(io("syncing"))?;
        let path = self.folder.join("log");
        fs::rename(&new, &path).map_err(DiskError::io(&path, "replacing"))?;
        sync_folder(&self.folder)?;
        log.bytes_after_summary = log.bytes;
        *self = log;
        Ok(())
    }
}

fn check(length: u32, number: u64) -> [u8; 4] {
    let digest = Sha256::new()
        .chain_update(length.to_be_bytes())
        .chain_update(number.to_be_bytes())
        .finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

fn batch(number: u64, records: &[Record]) -> Vec<u8> {
    let mut writer = Writer(vec![0; HEAD]);
    records.iter().for_each(|record| record.write(&mut writer));
    let mut bytes = writer.0;
    let length = (bytes.len() - HEAD) as u32;
    let digest = Sha256::digest(&bytes[HEAD..]);
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    bytes[4..12].copy_from_slice(&number.to_be_bytes());
    bytes[12..16].copy_from_slice(&check(length, number));
    bytes[16..24].copy_from_slice(&digest[..8]);
    bytes
}

/// The records of a good batch at the start of `bytes`, its number, and its length with the head.
fn good_batch(bytes: &[u8]) -> Option<(u64, &[u8], usize)> {
    let mut reader = Reader(bytes);
    let length = reader.u32().ok()?;
    let number = reader.u64().ok()?;
    if reader.array::<4>().ok()? != check(length, number) {
        return None;
    }
    let digest = reader.array::<8>().ok()?;
    let records = reader.raw(length as usize).ok()?;
    let good = Sha256::digest(records)[..8] == digest;
    good.then_some((number, records, HEAD + length as usize))
}

struct Read {
    records: Vec<Record>,
    batches: u64,
    end: usize,
}

fn read_batches(bytes: &[u8], path: &Path) -> Result<Read, DiskError> {
    let mut read = Read {
        records: Vec::new(),
        batches: 0,
        end: MAGIC.len(),
    };
    let damaged = |at: usize| DiskError::Damaged {
        path: path.to_owned(),
        at: at as u64,
    };
    while read.end < bytes.len() {
        let rest = &bytes[read.end..];
        let Some((number, records, length)) = good_batch(rest) else {
            // Zeros that wait for a batch are none. No batch is longer than this, so a longer rest is no torn batch.
            let used = rest.iter().rposition(|byte| *byte != 0);
            let rest = &rest[..used.map_or(0, |last| last + 1)];
            let torn = rest.len() <= HEAD + BATCH_BYTES_MAX
                && (1..rest.len()).all(|at| good_batch(&rest[at..]).is_none());
            return if torn {
                Ok(read)
            } else {
                Err(damaged(read.end))
            };
        };
        if number != read.batches {
            return Err(damaged(read.end));
        }
        let mut reader = Reader(records);
        while !reader.is_empty() {
            let record = Record::read(&mut reader).map_err(|source| DiskError::Record {
                path: path.to_owned(),
                number,
                source,
            })?;
            read.records.push(record);
        }
        read.batches += 1;
        read.end += length;
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kme::core::LinkId;

    fn record(to: u64) -> Record {
        let link = LinkId(0);
        Record::Allocated { link, to }
    }

    fn written(batches: u64) -> (tempfile::TempDir, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let (mut log, records) = Log::open(folder.path(), true).unwrap();
        assert!(records.is_empty());
        for number in 0..batches {
            log.append(&[record(2 * number), record(2 * number + 1)])
                .unwrap();
        }
        let mut bytes = fs::read(folder.path().join("log")).unwrap();
        assert!(bytes.len() as u64 > GROW, "zeros are there");
        bytes.truncate(usize::try_from(log.bytes).unwrap());
        (folder, bytes)
    }

    #[test]
    fn a_log_cut_anywhere_in_its_last_batch_keeps_all_others_and_goes_on() {
        let (folder, bytes) = written(3);
        let one = (bytes.len() - MAGIC.len()) / 3;
        let path = folder.path().join("log");
        for cut in 1..=one {
            fs::write(&path, &bytes[..bytes.len() - cut]).unwrap();
            let (mut log, records) = Log::open(folder.path(), true).unwrap();
            assert_eq!(records.len(), 4, "cut {cut}");
            log.append(&[record(9)]).unwrap();
            let (_, records) = Log::open(folder.path(), true).unwrap();
            assert_eq!(records[4], record(9));
        }
    }

    #[test]
    fn a_last_batch_of_which_any_byte_is_wrong_is_cut_off_as_torn() {
        let (folder, bytes) = written(2);
        let last = MAGIC.len() + (bytes.len() - MAGIC.len()) / 2;
        for at in last..bytes.len() {
            let mut torn = bytes.clone();
            torn[at] ^= 0x40;
            fs::write(folder.path().join("log"), &torn).unwrap();
            let (_, records) = Log::open(folder.path(), true).unwrap();
            assert_eq!(records.len(), 2, "byte {at}");
        }
    }

    #[test]
    fn a_wrong_byte_with_good_batches_behind_it_is_damage_and_changes_nothing() {
        let (folder, bytes) = written(3);
        let path = folder.path().join("log");
        let end = MAGIC.len() + (bytes.len() - MAGIC.len()) * 2 / 3;
        for at in MAGIC.len()..end {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            fs::write(&path, &damaged).unwrap();
            let error = Log::open(folder.path(), true).unwrap_err();
            assert!(matches!(error, DiskError::Damaged { .. }), "{at}: {error}");
            assert_eq!(fs::read(&path).unwrap(), damaged);
        }
        fs::write(&path, b"something else").unwrap();
        let error = Log::open(folder.path(), true).unwrap_err();
        assert!(matches!(error, DiskError::NoLog { .. }), "{error}");
    }

    #[test]
    fn a_summary_takes_the_place_of_all_records() {
        let (folder, _) = written(50);
        let (mut log, _) = Log::open(folder.path(), true).unwrap();
        log.sum_up(&[record(99)]).unwrap();
        log.append(&[record(100)]).unwrap();
        let (_, records) = Log::open(folder.path(), true).unwrap();
        assert_eq!(records, [record(99), record(100)]);
    }
}
