//! What the verification nodes found, for the threads in which they attest.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tieline_units::{ChainId, Digest, Time};

/// Which verification node accepts which seal at which level. A seal that no node has tested passes nowhere.
#[derive(Debug, Default)]
pub struct Verdicts(Mutex<BTreeMap<Digest, Found>>);

/// By chain and seat, the largest level that accepts a seal; `None` where none does.
pub type Levels = BTreeMap<ChainId, Vec<Option<i8>>>;

/// What the nodes found of one seal.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    gate: Time,
    levels: Levels,
}

impl Verdicts {
    /// Whether the node at `seat` of `chain` accepts the seal at `level`, by its own test: 1 for the signer's home chain, 0
    /// for the counterpart's.
    pub fn passes(&self, chain: &ChainId, seat: u8, seal: Digest, level: i8) -> bool {
        let found = self.locked();
        let levels = found.get(&seal).and_then(|found| found.levels.get(chain));
        let reached = levels.and_then(|levels| levels.get(usize::from(seat)).copied().flatten());
        reached.is_some_and(|reached| reached >= level)
    }

    /// Forgets the seals of gates before `gate`: no order of theirs is open any more.
    pub fn forget_before(&self, gate: Time) {
        self.locked().retain(|_, found| found.gate >= gate);
    }

    /// How many seals are remembered.
    pub fn len(&self) -> usize {
        self.locked().len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.locked().is_empty()
    }

    /// Takes what the nodes of a seal found.
    pub(super) fn put(&self, seal: Digest, gate: Time, levels: Levels) {
        self.locked().insert(seal, Found { gate, levels });
    }

    /// Every write is one insertion or one removal: a thread that panicked left nothing half done.
    fn locked(&self) -> MutexGuard<'_, BTreeMap<Digest, Found>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
