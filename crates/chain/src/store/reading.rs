//! What a store has.

use redb::{ReadableDatabase as _, ReadableTable as _, TableDefinition};
use tieline_units::Digest;
use tieline_units::canonical::Canonical;

use super::{
    BLOCKS, CERTIFICATES, GONE, META, NAMES, RECEIPTS, Records, SETS, STATE, Store, StoreError,
    bytes, disk,
};
use crate::block::Block;
use crate::ledger::Receipt;
use crate::validators::ValidatorSet;

impl Store {
    /// A block of the archive.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn block(&self, height: u64) -> Result<Option<Block>, StoreError> {
        let found = self.archived(BLOCKS, height)?;
        let block = found.map(|found| Block::decode(&found)).transpose();
        block.map_err(bytes("a block", height))
    }

    /// What became of a block's transactions.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn receipts(&self, height: u64) -> Result<Option<Vec<Receipt>>, StoreError> {
        let found = self.archived(RECEIPTS, height)?;
        let receipts = found.map(|found| Canonical::decode(&found)).transpose();
        receipts.map_err(bytes("receipts", height))
    }

    /// What shows that a block is final.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn certificate(&self, height: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.archived(CERTIFICATES, height)
    }

    /// Who agrees on the block of a height, as far as the archive of sets goes back; above the tip those who are in charge now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn validators_at(&self, height: u64) -> Result<Option<ValidatorSet>, StoreError> {
        let read = || -> Result<_, redb::Error> {
            let table = self.database.begin_read()?.open_table(SETS)?;
            let found = table.range(..=height.max(1))?.next_back().transpose()?;
            Ok(found.map(|(_, set)| set.value().to_vec()))
        };
        let found = read().map_err(disk("reading the archive"))?;
        let set = found.map(|found| ValidatorSet::decode(&found)).transpose();
        set.map_err(bytes("validators", height))
    }

    /// Height of the last block that has the transaction of this name, also where the block is pruned.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn height_of(&self, transaction: Digest) -> Result<Option<u64>, StoreError> {
        let read = || -> Result<_, redb::Error> {
            let table = self.database.begin_read()?.open_table(NAMES)?;
            let found = table.get(&transaction.as_bytes()[..])?;
            Ok(found.map(|found| found.value()))
        };
        read().map_err(disk("reading the archive"))
    }

    /// The value of a record at the tip ([`crate::records`]).
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if self.base.is_some() {
            return Ok(self.records()?.remove(key));
        }
        let read = || -> Result<_, redb::Error> {
            let table = self.database.begin_read()?.open_table(STATE)?;
            Ok(table.get(key)?.map(|found| found.value().to_vec()))
        };
        read().map_err(disk("reading the state"))
    }

    /// All records at the tip.
    pub(super) fn records(&self) -> Result<Records, StoreError> {
        let base = self.base.as_ref();
        let mut records: Records = base
            .map(|base| base.state().records().into_iter().collect())
            .unwrap_or_default();
        let mut read = || -> Result<_, redb::Error> {
            let reading = self.database.begin_read()?;
            if base.is_some() {
                for entry in reading.open_table(GONE)?.iter()? {
                    records.remove(entry?.0.value());
                }
            }
            for entry in reading.open_table(STATE)?.iter()? {
                let (key, value) = entry?;
                records.insert(key.value().to_vec(), value.value().to_vec());
            }
            Ok(())
        };
        read().map_err(disk("reading the state"))?;
        Ok(records)
    }

    pub(super) fn archived(
        &self,
        table: TableDefinition<'_, u64, &'static [u8]>,
        height: u64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let read = || -> Result<_, redb::Error> {
            let table = self.database.begin_read()?.open_table(table)?;
            Ok(table.get(height)?.map(|found| found.value().to_vec()))
        };
        read().map_err(disk("reading the archive"))
    }

    pub(super) fn needed<T: Canonical>(
        &self,
        what: &'static str,
        height: u64,
    ) -> Result<T, StoreError> {
        let missing = StoreError::Missing { what };
        self.meta(what, height)?.ok_or(missing)
    }

    /// A value about the store; `None` in one that was never founded.
    pub(super) fn meta<T: Canonical>(
        &self,
        what: &'static str,
        height: u64,
    ) -> Result<Option<T>, StoreError> {
        let read = || -> Result<Option<Vec<u8>>, redb::Error> {
            let table = match self.database.begin_read()?.open_table(META) {
                Ok(table) => table,
                Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            Ok(table.get(what)?.map(|found| found.value().to_vec()))
        };
        let found = read().map_err(disk("reading the store"))?;
        let value = found.map(|found| T::decode(&found)).transpose();
        value.map_err(bytes(what, height))
    }
}
