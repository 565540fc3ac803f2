//! Keys that the other end gave to masters and that slaves of this end have not fetched yet.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::etsi::{KeyId, SaeId};

use super::record::Granted;

/// Who may have a key.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) master: SaeId,
    pub(crate) slaves: Vec<SaeId>,
    pub(crate) since: u64,
}

/// One key that waits.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) at: u64,
    pub(crate) bytes: u32,
    /// Bit i: slave i of the grant has not had it.
    pub(crate) left: u64,
    pub(crate) grant: Arc<Grant>,
}

impl Entry {
    pub(crate) fn end(&self) -> u64 {
        self.at + u64::from(self.bytes)
    }

    /// The place of an SAE among the slaves, whether or not it has had the key.
    pub(crate) fn place(&self, sae: &SaeId) -> Option<u8> {
        let place = self.grant.slaves.iter().position(|slave| slave == sae)?;
        Some(place as u8)
    }

    /// Whether the slave at this place has still to get it.
    pub(crate) fn waits_for(&self, place: u8) -> bool {
        self.left >> place & 1 == 1
    }
}

/// Bits for so many slaves.
pub(crate) fn all_of(slaves: usize) -> u64 {
    if slaves >= 64 {
        u64::MAX
    } else {
        (1 << slaves) - 1
    }
}

/// All keys that wait, by identifier and by age.
#[derive(Debug, Default)]
pub(crate) struct Table {
    entries: BTreeMap<KeyId, Entry>,
    oldest: VecDeque<KeyId>,
}

impl Table {
    /// Adds the keys of one announcement; `id` names the key at an offset.
    pub(crate) fn add(&mut self, granted: &Granted, id: impl Fn(u64) -> KeyId) {
        let grant = Arc::new(Grant {
            master: granted.master.clone(),
            slaves: granted.slaves.clone(),
            since: granted.since,
        });
        for number in 0..u64::from(granted.count) {
            let at = granted.at + number * u64::from(granted.bytes);
            let key_id = id(at);
            let entry = Entry {
                at,
                bytes: granted.bytes,
                left: granted.left,
                grant: Arc::clone(&grant),
            };
            self.entries.insert(key_id, entry);
            self.oldest.push_back(key_id);
        }
    }

    pub(crate) fn get(&self, id: &KeyId) -> Option<&Entry> {
        self.entries.get(id)
    }

    /// The slave at this place got the key; the entry comes back when it was the last one.
    pub(crate) fn collect(&mut self, id: &KeyId, place: u8) -> Option<Entry> {
        let entry = self.entries.get_mut(id)?;
        entry.left &= !(1 << place);
        if entry.left == 0 {
            self.entries.remove(id)
        } else {
            None
        }
    }

    pub(crate) fn remove(&mut self, id: &KeyId) -> Option<Entry> {
        self.entries.remove(id)
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.oldest.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The keys announced before `limit`, at most `count`, by offset.
    pub(crate) fn older_than(&mut self, limit: u64, count: usize) -> Vec<u64> {
        let mut old = Vec::new();
        while old.len() < count {
            let Some(id) = self.oldest.front() else { break };
            match self.entries.get(id) {
                Some(entry) if entry.grant.since >= limit => break,
                Some(entry) => old.push(entry.at),
                None => {}
            }
            self.oldest.pop_front();
        }
        old
    }

    /// All keys in the order of their offsets.
    pub(crate) fn by_offset(&self) -> Vec<&Entry> {
        let mut entries: Vec<&Entry> = self.entries.values().collect();
        entries.sort_by_key(|entry| entry.at);
        entries
    }
}
