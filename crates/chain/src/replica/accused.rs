//! Proofs of double votes that wait for a block.

use std::collections::{BTreeMap, BTreeSet};

use tieline_units::Digest;

use crate::double_vote::{DOUBLE_VOTES_MAX, DoubleVote};
use crate::ledger::Ledger;

/// One of each validator in charge, with what it is recorded as: there is room for every liar.
#[derive(Debug, Default)]
pub(super) struct Accused(BTreeMap<u8, (Digest, DoubleVote)>);

impl Accused {
    /// Keeps a proof that holds.
    pub(super) fn add(&mut self, name: Digest, double: DoubleVote) {
        self.0.insert(double.validator, (name, double));
    }

    /// Whether something of this validator waits already.
    pub(super) fn has(&self, double: &DoubleVote) -> bool {
        self.0.contains_key(&double.validator)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that a block holds which follows this ledger, where the blocks before it hold `taken`.
    pub(super) fn next(&self, after: &Ledger, taken: &BTreeSet<Digest>) -> Vec<DoubleVote> {
        let set = after.validators();
        let fit = |name: &Digest, double: &DoubleVote| {
            !taken.contains(name) && double.name(after.home(), set) == *name
        };
        let fitting = self.0.values().filter(|(name, double)| fit(name, double));
        let doubles = fitting.map(|(_, double)| double.clone());
        doubles.take(DOUBLE_VOTES_MAX).collect()
    }

    /// A final block holds these. Others that `keep` does not want go as well.
    pub(super) fn settle(&mut self, caught: &[Digest], keep: impl Fn(&DoubleVote) -> bool) {
        self.0
            .retain(|_, (name, double)| !caught.contains(name) && keep(double));
    }
}
