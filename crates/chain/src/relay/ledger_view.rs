//! A chain in the same process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tieline_contract::certificate::{Certificate, CertificateError, Statement};
use tieline_contract::guard::{Fact, Guard, Refusal};
use tieline_contract::payload::Payload;
use tieline_contract::state::Block as Now;
use tieline_contract::threshold::{Committee, ThresholdError};
use tieline_contract::transaction::Transaction;
use tieline_seal::hybrid::{Domain, PublicKey, Signature, Verify};
use tieline_units::{ChainId, Time};

use super::{Attested, ChainView};
use crate::ledger::Ledger;

/// Signatures as they come in, by block and epoch.
#[derive(Clone, Debug, Default)]
pub struct Attestations {
    all: BTreeMap<(u64, u64), Attested>,
}

impl Attestations {
    /// A member's signature. One on another statement than the first of its block and epoch is not kept.
    ///
    /// Returns whether it is.
    pub fn add(&mut self, statement: &Statement, seat: u8, signature: Signature) -> bool {
        let key = (statement.height, statement.epoch);
        let known = self.all.entry(key).or_insert_with(|| Attested {
            statement: statement.clone(),
            signatures: BTreeMap::new(),
        });
        let same = known.statement == *statement;
        if same {
            known.signatures.insert(seat, signature);
        }
        same
    }

    /// Forgets what was signed of a block, once nobody wants to hear of it any more.
    pub fn forget(&mut self, height: u64) {
        let of_block = self.all.range((height, 0)..=(height, u64::MAX));
        let keys: Vec<(u64, u64)> = of_block.map(|(key, _)| *key).collect();
        for key in keys {
            self.all.remove(&key);
        }
    }
}

/// A view of a ledger and of the signatures on its blocks.
pub struct LedgerView<'a> {
    /// The chain.
    pub ledger: &'a Ledger,
    /// What its members signed.
    pub attestations: &'a Attestations,
    /// Time of the next block.
    pub now: Time,
}

impl ChainView for LedgerView<'_> {
    fn chain(&self) -> &ChainId {
        &self.ledger.home().chain
    }

    fn heights(&self) -> Vec<u64> {
        let said = self.ledger.state().said().map(|(height, _)| height);
        said.collect::<BTreeSet<u64>>().into_iter().collect()
    }

    fn entries(&self, height: u64) -> Vec<Arc<Payload>> {
        self.ledger.state().outbox(height).cloned().collect()
    }

    fn attested(&self, height: u64) -> Vec<Attested> {
        let range = (height, 0)..=(height, u64::MAX);
        let of_block = self.attestations.all.range(range);
        of_block.map(|(_, attested)| attested.clone()).collect()
    }

    fn committee(&self, epoch: u64) -> Option<Committee> {
        self.ledger.state().committee(self.chain(), epoch).cloned()
    }

    fn kept(&self) -> Vec<Arc<Certificate>> {
        self.ledger.state().kept().cloned().collect()
    }

    fn takes(&self, unsigned: &Arc<Certificate>) -> bool {
        let tip = self.ledger.tip();
        let next = Now {
            height: tip.height + 1,
            time: self.now.max(tip.time),
        };
        let transaction = Transaction::Certificate(unsigned.clone());
        match self.ledger.state().check(&transaction, next, &Nobody) {
            Ok(_) => true,
            // The last question of all: only signatures are missing.
            Err(Refusal {
                guard: Guard::Certified,
                fact: Fact::Certificate(error),
            }) => matches!(
                *error,
                CertificateError::Threshold(ThresholdError::Count { found: 0, .. })
            ),
            Err(_) => false,
        }
    }
}

/// Checks no signatures: there are none.
struct Nobody;

impl Verify for Nobody {
    fn verify(&self, _: &PublicKey, _: &Domain, _: &[u8], _: &Signature) -> bool {
        false
    }
}
