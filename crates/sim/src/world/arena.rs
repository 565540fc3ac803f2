//! Numbers for places: each stored once, read without a lock.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::place::Place;

const CHUNK: usize = 1024;

/// Most places of a universe: 4 million.
const CHUNKS: usize = 4096;

type Chunk = Box<[OnceLock<Place>]>;

/// All places that were reached.
pub(crate) struct Arena {
    chunks: Box<[OnceLock<Chunk>]>,
    numbers: Mutex<BTreeMap<[u8; 32], u32>>,
}

impl Arena {
    pub(crate) fn new() -> Arena {
        Arena {
            chunks: (0..CHUNKS).map(|_| OnceLock::new()).collect(),
            numbers: Mutex::default(),
        }
    }

    /// The number of a place; `make` is called where it has none yet.
    pub(crate) fn number(&self, key: [u8; 32], make: impl FnOnce() -> Place) -> u32 {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&number) = numbers.get(&key) {
            return number;
        }
        let number = numbers.len();
        assert!(number < CHUNK * CHUNKS, "more places than a universe holds");
        let empty = || (0..CHUNK).map(|_| OnceLock::new()).collect();
        let chunk = self.chunks[number / CHUNK].get_or_init(empty);
        chunk[number % CHUNK].get_or_init(make);
        let number = number as u32;
        numbers.insert(key, number);
        number
    }

    pub(crate) fn get(&self, number: u32) -> &Place {
        let number = number as usize;
        let chunk = self.chunks[number / CHUNK].get();
        let place = chunk.and_then(|chunk| chunk[number % CHUNK].get());
        place.expect("numbers are given to places that are there")
    }

    pub(crate) fn len(&self) -> usize {
        let numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.len()
    }
}
