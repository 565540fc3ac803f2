//! A disk that fails, and loses what was not synced when the power goes.

use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng as _;
use redb::StorageBackend;

#[derive(Debug, Default)]
struct Image {
    /// What programs read.
    bytes: Vec<u8>,
    /// What is safe.
    durable: Vec<u8>,
    /// Since the last sync, in order; `None`: a change of length.
    pending: Vec<(u64, Option<Vec<u8>>)>,
    /// Operations left before all fail.
    left: Option<usize>,
    /// Whether only syncs fail.
    syncs_only: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<Image>>);

impl Image {
    fn allow(&mut self, sync: bool) -> Result<(), Error> {
        let counted = sync || !self.syncs_only;
        match &mut self.left {
            Some(0) if counted => Err(Error::other("the disk fails")),
            Some(left) => {
                *left = left.saturating_sub(1);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

fn put(image: &mut Vec<u8>, offset: u64, data: Option<&[u8]>) {
    match data {
        None => image.resize(offset as usize, 0),
        Some(data) => {
            let end = offset as usize + data.len();
            if image.len() < end {
                image.resize(end, 0);
            }
            image[offset as usize..end].copy_from_slice(data);
        }
    }
}

impl Disk {
    pub(crate) fn handle(&self) -> Disk {
        self.clone()
    }

    pub(crate) fn fail_after(&self, operations: usize, syncs_only: bool) {
        let mut image = self.image();
        (image.left, image.syncs_only) = (Some(operations), syncs_only);
    }

    fn image(&self) -> MutexGuard<'_, Image> {
        self.0.lock().unwrap()
    }

    /// The same disk later: of what was not synced, some writes and some parts of writes arrived.
    pub(crate) fn power_off(&self, rng: &mut ChaCha8Rng) -> Disk {
        let image = self.image();
        let mut bytes = image.durable.clone();
        let keep = rng.next_u32() % 4;
        for (offset, data) in &image.pending {
            let lost = match keep {
                0 => true,
                1 => false,
                _ => rng.next_u32().is_multiple_of(2),
            };
            if data.is_none() || !lost {
                let data = data.as_deref().map(|data| match rng.next_u32() % 8 {
                    0 if keep > 1 => &data[..data.len() / 512 / 2 * 512],
                    _ => data,
                });
                put(&mut bytes, *offset, data);
            }
        }
        let image = Image {
            durable: bytes.clone(),
            bytes,
            ..Image::default()
        };
        Disk(Arc::new(Mutex::new(image)))
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.image().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let image = self.image();
        let start = offset as usize;
        let found = image.bytes.get(start..start + out.len());
        out.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        let mut image = self.image();
        image.allow(false)?;
        put(&mut image.bytes, len, None);
        image.pending.push((len, None));
        Ok(())
    }

    fn sync_data(&self) -> Result<(), Error> {
        let mut image = self.image();
        image.allow(true)?;
        image.durable = image.bytes.clone();
        image.pending.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        let mut image = self.image();
        image.allow(false)?;
        put(&mut image.bytes, offset, Some(data));
        image.pending.push((offset, Some(data.to_vec())));
        Ok(())
    }
}
