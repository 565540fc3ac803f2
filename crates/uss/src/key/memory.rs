//! Key stores in memory, both ends filled alike: for tests, demonstrations and simulation, where no crash is survived.

use std::collections::{BTreeMap, BTreeSet};

use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{ItsKey, KeyError, KeyStore, Spent};
use crate::party::{Counter, EpochId, Link, Party, Receiver};

/// A store that forgets everything when the process ends.
#[derive(Debug, Default)]
pub struct MemoryStore {
    pools: BTreeMap<Link, ItsKey>,
    spent: BTreeSet<(EpochId, Counter)>,
    drawn: BTreeMap<Link, usize>,
}

/// What a [`MemoryStore`] refuses.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// This end has no pool for the link.
    #[error("no key is shared on the link {link}")]
    NoPool {
        /// The link.
        link: Link,
    },
    /// The pool cannot serve the draw.
    #[error("link {link}: {cause}")]
    Pool {
        /// The link.
        link: Link,
        /// Why.
        cause: KeyError,
    },
    /// A counter is spent once.
    #[error("counter {counter} of epoch {epoch} is spent already")]
    SpentBefore {
        /// The epoch.
        epoch: EpochId,
        /// The counter.
        counter: Counter,
    },
}

impl MemoryStore {
    /// Adds the key that this end shares on a link; what the link had before is gone.
    pub fn fill(&mut self, link: Link, key: ItsKey) {
        self.pools.insert(link, key);
    }

    /// Bits drawn from a link so far.
    pub fn drawn_bits(&self, link: Link) -> usize {
        self.drawn.get(&link).copied().unwrap_or(0)
    }
}

impl KeyStore for MemoryStore {
    type Error = StoreError;

    fn draw(&mut self, link: Link, bits: usize) -> Result<ItsKey, StoreError> {
        let pool = self
            .pools
            .get_mut(&link)
            .ok_or(StoreError::NoPool { link })?;
        let key = pool
            .take(bits)
            .map_err(|cause| StoreError::Pool { link, cause })?;
        *self.drawn.entry(link).or_insert(0) += bits;
        Ok(key)
    }

    fn spend(&mut self, epoch: EpochId, counter: Counter) -> Result<Spent, StoreError> {
        if !self.spent.insert((epoch, counter)) {
            return Err(StoreError::SpentBefore { epoch, counter });
        }
        Ok(Spent::recorded_durably(epoch, counter))
    }
}

/// Stores of a signer and `receivers` receivers with `bits` fresh bits on every directed link of any two of them, the
/// signer's store first. The bits come from `random`: as secret as that is.
///
/// # Panics
/// When `random` gives 128 zero bits in a row, which no generator does.
pub fn shared_stores(receivers: u8, bits: usize, random: &mut impl CryptoRng) -> Vec<MemoryStore> {
    shared_stores_with(receivers, |_| bits, random)
}

/// As [`shared_stores`], with as many bits on each link as `bits` says; links of no bits have no pool.
///
/// # Panics
/// As [`shared_stores`].
pub fn shared_stores_with(
    receivers: u8,
    bits: impl Fn(Link) -> usize,
    random: &mut impl CryptoRng,
) -> Vec<MemoryStore> {
    let parties: Vec<Party> = std::iter::once(Party::Signer)
        .chain(Receiver::first(receivers).map(Party::from))
        .collect();
    let mut stores: Vec<MemoryStore> = parties.iter().map(|_| MemoryStore::default()).collect();
    for (i, from) in parties.iter().enumerate() {
        for (j, to) in parties.iter().enumerate().filter(|(j, _)| *j != i) {
            let link = Link {
                from: *from,
                to: *to,
            };
            let mut raw = Zeroizing::new(vec![0; bits(link).div_ceil(8)]);
            if raw.is_empty() {
                continue;
            }
            random.fill_bytes(&mut raw);
            for end in [i, j] {
                let key = ItsKey::from_qkd_bits(raw.to_vec()).expect("the generator gives bits");
                stores[end].fill(link, key);
            }
        }
    }
    stores
}
