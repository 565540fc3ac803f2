//! Tests on keys as they arrive: what a broken or hostile key manager delivers is refused before it is stored.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hmac::Mac as _;
use thiserror::Error;
use zeroize::Zeroizing;

use super::name::KeyId;
use super::seal::mac;

/// Longest key that is taken in one piece, bytes.
pub const KEY_BYTES_MAX: usize = 1 << 20;

/// Shortest key: below it repeats happen by chance.
pub const KEY_BYTES_MIN: usize = 16;

/// Why a key that arrived is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HealthError {
    /// Too short, too long, or not what the key manager promised.
    #[error("key {id} has {bytes} bytes, {least} to {most} are taken")]
    Length {
        /// Its name.
        id: KeyId,
        /// Its length.
        bytes: usize,
        /// Least.
        least: usize,
        /// Most.
        most: usize,
    },
    /// All bytes are alike: zeros, ones, a stuck line.
    #[error("key {id} is {bytes} times the byte {value:#04x}: the source is broken")]
    Constant {
        /// Its name.
        id: KeyId,
        /// Its length.
        bytes: usize,
        /// The byte.
        value: u8,
    },
    /// A name that was delivered before.
    #[error("key {id} was delivered before")]
    RepeatedId {
        /// Its name.
        id: KeyId,
    },
    /// Material that was delivered before under this or another name.
    #[error("the bits of key {id} were delivered before under another name")]
    RepeatedBits {
        /// Its name.
        id: KeyId,
    },
}

/// A keyed hash of key material, short enough to remember and useless to others.
pub(crate) type Fingerprint = [u8; 16];

/// Names and fingerprints of keys that were delivered, the newest `room` of them.
pub(crate) struct Seen {
    key: Zeroizing<[u8; 32]>,
    room: usize,
    order: VecDeque<KeyId>,
    ids: BTreeMap<KeyId, Fingerprint>,
    prints: BTreeSet<Fingerprint>,
}

impl Seen {
    pub(crate) fn new(key: Zeroizing<[u8; 32]>, room: usize) -> Seen {
        Seen {
            key,
            room,
            order: VecDeque::new(),
            ids: BTreeMap::new(),
            prints: BTreeSet::new(),
        }
    }

    pub(crate) fn fingerprint(&self, material: &[u8]) -> Fingerprint {
        let hash = mac(&*self.key).chain_update(material).finalize();
        hash.into_bytes()[..16]
            .try_into()
            .expect("a hash has 32 bytes")
    }

    /// Refuses what cannot be a key, or was one before.
    pub(crate) fn check(&self, id: KeyId, material: &[u8]) -> Result<Fingerprint, HealthError> {
        let bytes = material.len();
        if !(KEY_BYTES_MIN..=KEY_BYTES_MAX).contains(&bytes) {
            return Err(HealthError::Length {
                id,
                bytes,
                least: KEY_BYTES_MIN,
                most: KEY_BYTES_MAX,
            });
        }
        let first = material[0];
        if material.iter().all(|byte| *byte == first) {
            return Err(HealthError::Constant {
                id,
                bytes,
                value: first,
            });
        }
        if self.ids.contains_key(&id) {
            return Err(HealthError::RepeatedId { id });
        }
        let print = self.fingerprint(material);
        match self.prints.contains(&print) {
            true => Err(HealthError::RepeatedBits { id }),
            false => Ok(print),
        }
    }

    /// Remembers a key, and forgets the oldest when there is no room.
    pub(crate) fn remember(&mut self, id: KeyId, print: Fingerprint) {
        if self.ids.insert(id, print).is_none() {
            self.order.push_back(id);
        }
        self.prints.insert(print);
        while self.order.len() > self.room {
            let oldest = self.order.pop_front().expect("there is one");
            if let Some(print) = self.ids.remove(&oldest) {
                self.prints.remove(&print);
            }
        }
    }

    /// What is remembered, oldest first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (KeyId, Fingerprint)> {
        self.order.iter().map(|id| (*id, self.ids[id]))
    }
}
