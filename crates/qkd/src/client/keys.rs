//! Looks at keys before anybody gets one.

use std::collections::{BTreeSet, VecDeque};

use tieline_uss::key::ItsKey;
use zeroize::Zeroizing;

use crate::etsi::{Key, KeyContainer, KeyId};

use super::error::ClientError;

/// A key as a key manager delivered it.
#[derive(Debug)]
pub struct DeliveredKey {
    /// Its name, to be told to the other side.
    pub key_id: KeyId,
    /// Its bits.
    pub key: ItsKey,
}

/// How many names of keys a client remembers.
const SEEN: usize = 65_536;

/// Names of keys that came before.
#[derive(Debug, Default)]
pub(super) struct Seen {
    ids: BTreeSet<KeyId>,
    order: VecDeque<KeyId>,
}

impl Seen {
    fn add(&mut self, id: KeyId) -> bool {
        if !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > SEEN
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

/// Looks at an answer to `enc_keys`.
pub(super) fn check_new(
    container: &KeyContainer,
    asked: usize,
    size: Option<u64>,
    seen: &mut Seen,
) -> Result<Vec<Bits>, ClientError> {
    let got = container.keys.len();
    if got != asked {
        return Err(ClientError::Count { asked, got });
    }
    let bits = decode_all(&container.keys)?;
    // Without a size asked, all keys of an answer still have the same.
    let size = size.or_else(|| Some(bits.first()?.len() as u64 * 8));
    for (key, bits) in container.keys.iter().zip(&bits) {
        let (key_id, got) = (key.key_id, bits.len() as u64 * 8);
        if let Some(asked) = size.filter(|asked| *asked != got) {
            return Err(ClientError::Length { key_id, got, asked });
        }
    }
    for key in &container.keys {
        if !seen.add(key.key_id) {
            return Err(ClientError::Repeated { key_id: key.key_id });
        }
    }
    Ok(bits)
}

/// Looks at an answer to `dec_keys`.
pub(super) fn check_known(
    container: &KeyContainer,
    asked: &[KeyId],
) -> Result<Vec<Bits>, ClientError> {
    let got = container.keys.len();
    if got != asked.len() {
        let asked = asked.len();
        return Err(ClientError::Count { asked, got });
    }
    let mut names = BTreeSet::new();
    for key in &container.keys {
        let key_id = key.key_id;
        if !asked.contains(&key_id) {
            return Err(ClientError::NotAskedFor { key_id });
        }
        if !names.insert(key_id) {
            return Err(ClientError::Repeated { key_id });
        }
    }
    decode_all(&container.keys)
}

pub(super) type Bits = Zeroizing<Vec<u8>>;

fn decode_all(keys: &[Key]) -> Result<Vec<Bits>, ClientError> {
    let mut all: Vec<Bits> = Vec::with_capacity(keys.len());
    for key in keys {
        let key_id = key.key_id;
        let bits = key.key.decode().ok_or_else(|| ClientError::Nonsense {
            why: format!("key {key_id} is no base64"),
        })?;
        // From 128 bits on, chance does not repeat a key.
        if bits.len() >= 16 && all.contains(&bits) {
            return Err(ClientError::Repeated { key_id });
        }
        all.push(bits);
    }
    Ok(all)
}

/// Keys of their own type.
pub(super) fn own_all(keys: &[Key], bits: Vec<Bits>) -> Result<Vec<DeliveredKey>, ClientError> {
    let mut owned = Vec::with_capacity(keys.len());
    for (key, mut bits) in keys.iter().zip(bits) {
        let key_id = key.key_id;
        let bits = std::mem::take(&mut *bits);
        let key =
            ItsKey::from_qkd_bits(bits).map_err(|source| ClientError::Key { key_id, source })?;
        owned.push(DeliveredKey { key_id, key });
    }
    Ok(owned)
}
