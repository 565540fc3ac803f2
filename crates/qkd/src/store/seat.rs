//! The store as the signature rounds see it: participants of an epoch sit on consumers of the network.

use std::collections::BTreeMap;

use tieline_uss::key::{ItsKey, KeyStore, Spent};
use tieline_uss::party::{Counter, EpochId, Link, Party};

use super::engine::Store;
use super::error::StoreError;
use super::name::{Lane, Sae};

/// A store at work for one epoch, whose participants are known by their parts in it.
pub struct Seats<'a> {
    store: &'a mut Store,
    seats: &'a BTreeMap<Party, Sae>,
}

impl Store {
    /// The store for the rounds of an epoch: `seats` says which consumer plays which part. Both ends of a link must say
    /// the same.
    pub fn seated<'a>(&'a mut self, seats: &'a BTreeMap<Party, Sae>) -> Seats<'a> {
        Seats { store: self, seats }
    }
}

impl Seats<'_> {
    fn name(&self, party: Party) -> Result<Sae, StoreError> {
        let name = self.seats.get(&party).cloned();
        name.ok_or(StoreError::NoSeat { party })
    }
}

impl KeyStore for Seats<'_> {
    type Error = StoreError;

    fn draw(&mut self, link: Link, bits: usize) -> Result<ItsKey, StoreError> {
        let lane = Lane::new(self.name(link.from)?, self.name(link.to)?)?;
        let pad = self.store.draw(&lane, bits)?;
        pad.into_key()
            .map_err(|cause| StoreError::Pool { lane, cause })
    }

    fn spend(&mut self, epoch: EpochId, counter: Counter) -> Result<Spent, StoreError> {
        self.store.spend(epoch, counter)
    }
}
