//! A disk in memory that keeps only what was synced when its node dies.

use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

#[derive(Clone, Debug, Default)]
struct Image {
    /// What programs read.
    bytes: Vec<u8>,
    /// What stood where something was written since the last sync, in the order of the writes.
    undo: Vec<Undo>,
}

/// One write taken back.
#[derive(Clone, Debug)]
struct Undo {
    /// Length of the whole before it.
    len: usize,
    offset: usize,
    before: Vec<u8>,
}

impl Image {
    /// Keeps what stands there, to take a write back.
    fn keep(&mut self, range: std::ops::Range<usize>) {
        let len = self.bytes.len();
        let there = range.start.min(len)..range.end.min(len);
        self.undo.push(Undo {
            len,
            offset: there.start,
            before: self.bytes[there].to_vec(),
        });
    }

    /// What was synced.
    fn durable(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        for undo in self.undo.iter().rev() {
            bytes.resize(undo.len, 0);
            let end = undo.offset + undo.before.len();
            bytes[undo.offset..end].copy_from_slice(&undo.before);
        }
        bytes
    }
}

/// A disk for simulations: clones are the same disk, [`MemoryDisk::after_crash`] is what is left of it.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk(Arc<Mutex<Image>>);

impl MemoryDisk {
    fn image(&self) -> MutexGuard<'_, Image> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The disk as the next process finds it: nothing that was not synced. The old one goes on for whoever still has it.
    pub fn after_crash(&self) -> MemoryDisk {
        let bytes = self.image().durable();
        let undo = Vec::new();
        MemoryDisk(Arc::new(Mutex::new(Image { bytes, undo })))
    }
}

fn place(offset: u64) -> Result<usize, Error> {
    usize::try_from(offset).map_err(|_| ErrorKind::FileTooLarge.into())
}

impl StorageBackend for MemoryDisk {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.image().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let start = place(offset)?;
        let image = self.image();
        let found = image.bytes.get(start..start + out.len());
        out.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        let len = place(len)?;
        let mut image = self.image();
        let before = image.bytes.len();
        image.keep(len..before.max(len));
        image.bytes.resize(len, 0);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), Error> {
        self.image().undo.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        let start = place(offset)?;
        let mut image = self.image();
        let end = start + data.len();
        image.keep(start..end);
        if image.bytes.len() < end {
            image.bytes.resize(end, 0);
        }
        image.bytes[start..end].copy_from_slice(data);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(disk: &MemoryDisk) -> Vec<u8> {
        disk.image().bytes.clone()
    }

    #[test]
    fn a_crash_takes_back_every_write_since_the_last_sync_and_nothing_else() {
        let disk = MemoryDisk::default();
        disk.write(0, b"synced bytes").unwrap();
        disk.sync_data().unwrap();
        disk.write(3, b"XY").unwrap();
        disk.write(4, b"Z-and-beyond-the-end").unwrap();
        disk.set_len(40).unwrap();
        disk.set_len(2).unwrap();
        disk.write(1, b"q").unwrap();
        assert_eq!(content(&disk), b"sq");
        let next = disk.after_crash();
        assert_eq!(content(&next), b"synced bytes");
        // The old one goes on by itself.
        disk.sync_data().unwrap();
        assert_eq!(content(&disk.after_crash()), b"sq");
        assert_eq!(content(&next.after_crash()), b"synced bytes");
    }
}
