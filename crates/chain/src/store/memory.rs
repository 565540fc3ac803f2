//! A disk in memory that keeps only what was synced when its node dies.

use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

#[derive(Debug, Default)]
struct Image {
    /// What programs read.
    bytes: Vec<u8>,
    /// What is safe.
    durable: Vec<u8>,
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
        let durable = self.image().durable.clone();
        let bytes = durable.clone();
        MemoryDisk(Arc::new(Mutex::new(Image { bytes, durable })))
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
        self.image().bytes.resize(place(len)?, 0);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), Error> {
        let mut image = self.image();
        let Image { bytes, durable } = &mut *image;
        durable.clone_from(bytes);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        let start = place(offset)?;
        let mut image = self.image();
        let end = start + data.len();
        if image.bytes.len() < end {
            image.bytes.resize(end, 0);
        }
        image.bytes[start..end].copy_from_slice(data);
        Ok(())
    }
}
