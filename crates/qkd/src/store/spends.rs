//! Which signature counters are spent, as ranges: an epoch signed in order takes one.

use std::collections::BTreeMap;

use tieline_uss::party::{Counter, EpochId};

/// Spent counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spends {
    /// Epochs below are closed.
    open: u64,
    /// Per epoch: first to last counter of each range, both included, apart by at least one.
    ranges: BTreeMap<u64, BTreeMap<u32, u32>>,
}

impl Spends {
    pub(crate) fn contains(&self, epoch: EpochId, counter: Counter) -> bool {
        let below = |ranges: &BTreeMap<u32, u32>| {
            let range = ranges.range(..=counter.0).next_back();
            range.is_some_and(|(_, last)| counter.0 <= *last)
        };
        epoch.0 < self.open || self.ranges.get(&epoch.0).is_some_and(below)
    }

    /// The first epoch that is not closed.
    pub(crate) fn open(&self) -> EpochId {
        EpochId(self.open)
    }

    pub(crate) fn newest(&self) -> Option<EpochId> {
        self.ranges.keys().next_back().copied().map(EpochId)
    }

    pub(crate) fn spend(&mut self, epoch: EpochId, first: Counter, last: Counter) {
        if epoch.0 < self.open {
            return;
        }
        let ranges = self.ranges.entry(epoch.0).or_default();
        let (mut first, mut last) = (first.0, last.0);
        let touching: Vec<u32> = ranges
            .range(..=last.saturating_add(1))
            .rev()
            .take_while(|(_, end)| end.saturating_add(1) >= first)
            .map(|(start, _)| *start)
            .collect();
        for start in touching {
            let end = ranges.remove(&start).expect("it was just found");
            first = first.min(start);
            last = last.max(end);
        }
        ranges.insert(first, last);
    }

    pub(crate) fn close(&mut self, below: EpochId) {
        self.open = self.open.max(below.0);
        self.ranges = self.ranges.split_off(&self.open);
    }

    /// Every range: epoch, first, last.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (EpochId, Counter, Counter)> {
        self.ranges.iter().flat_map(|(epoch, ranges)| {
            ranges
                .iter()
                .map(|(first, last)| (EpochId(*epoch), Counter(*first), Counter(*last)))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ranges_say_what_a_set_says() {
        let mut spends = Spends::default();
        let mut set = BTreeSet::new();
        let mut number: u32 = 1;
        for _ in 0..4_000 {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (epoch, counter) = (
                EpochId(u64::from(number >> 30)),
                Counter(number >> 8 & 0x3ff),
            );
            assert_eq!(
                spends.contains(epoch, counter),
                set.contains(&(epoch, counter))
            );
            spends.spend(epoch, counter, counter);
            set.insert((epoch, counter));
            assert!(spends.contains(epoch, counter));
        }
        let counted: u64 = spends
            .ranges()
            .map(|(_, first, last)| u64::from(last.0 - first.0) + 1)
            .sum();
        assert_eq!(counted, set.len() as u64);
        spends.close(EpochId(2));
        assert!(spends.contains(EpochId(1), Counter(5_000)));
        assert!(!spends.contains(EpochId(2), Counter(5_000)));
        spends.spend(EpochId(3), Counter(0), Counter(u32::MAX));
        assert!(spends.contains(EpochId(3), Counter(u32::MAX)));
    }
}
