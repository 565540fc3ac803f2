//! One write transaction.

use redb::TableDefinition;
use tieline_units::canonical::Canonical as _;

use super::{GONE, META, SETS, STATE};
use crate::ledger::Ledger;
use crate::touched::Changed;

/// A transaction, and the ledger as it will be after it.
pub(super) struct Writing<'a> {
    pub(super) transaction: &'a redb::WriteTransaction,
    pub(super) ledger: &'a Ledger,
}

impl Writing<'_> {
    pub(super) fn put(
        &self,
        table: TableDefinition<'_, u64, &'static [u8]>,
        height: u64,
        value: &[u8],
    ) -> Result<(), redb::Error> {
        self.transaction.open_table(table)?.insert(height, value)?;
        Ok(())
    }

    pub(super) fn put_meta(&self, what: &str, value: &[u8]) -> Result<(), redb::Error> {
        self.transaction.open_table(META)?.insert(what, value)?;
        Ok(())
    }

    pub(super) fn put_u64(&self, what: &str, value: u64) -> Result<(), redb::Error> {
        self.put_meta(what, &value.to_bytes())
    }

    pub(super) fn put_records(
        &self,
        changed: impl IntoIterator<Item = (Vec<u8>, Option<Vec<u8>>)>,
    ) -> Result<(), redb::Error> {
        let mut table = self.transaction.open_table(STATE)?;
        for (key, value) in changed {
            match value {
                Some(value) => table.insert(&key[..], &value[..])?,
                None => table.remove(&key[..])?,
            };
        }
        Ok(())
    }

    /// Which records of the base are there no more.
    pub(super) fn put_gone(&self, changed: &Changed) -> Result<(), redb::Error> {
        let mut table = self.transaction.open_table(GONE)?;
        for (key, value) in changed {
            match value {
                Some(_) => table.remove(&key[..])?.is_some(),
                None => table.insert(&key[..], ())?.is_some(),
            };
        }
        Ok(())
    }

    /// Those who agree on the next block.
    pub(super) fn put_validators(&self) -> Result<(), redb::Error> {
        let next = self.ledger.tip().height + 1;
        self.put(SETS, next, &self.ledger.validators().to_bytes())
    }

    pub(super) fn put_tip(&self) -> Result<(), redb::Error> {
        self.put_meta("tip", &self.ledger.tip().to_bytes())?;
        self.put_meta("roots", &self.ledger.roots().to_bytes())?;
        self.put_meta("validators", &self.ledger.validators().to_bytes())
    }
}
