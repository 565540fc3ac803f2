//! The bits of one direction of a link, addressed by their offset since the pool was made.
//!
//! ```text
//!   0 ........ head ............ filled
//!   |  allocated |   available     |
//! ```
//! Offsets only grow. Every byte leaves once, by [`Pool::wipe`], and is zero from then on.

use std::collections::BTreeMap;

use zeroize::{Zeroize as _, Zeroizing};

/// A block as it was filled; `live` bytes of it have not left yet.
#[derive(Debug)]
struct Block {
    bytes: Zeroizing<Vec<u8>>,
    live: u64,
}

/// The bits of one direction.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    blocks: BTreeMap<u64, Block>,
    /// Everything below is allocated to somebody, or discarded.
    pub(crate) head: u64,
    /// Everything from here on is yet to come.
    pub(crate) filled: u64,
    /// Blocks with nothing left; their files can go.
    emptied: Vec<u64>,
}

impl Pool {
    /// Bytes that nobody has been given.
    pub(crate) fn available(&self) -> u64 {
        self.filled - self.head
    }

    /// Adds the next block at the end.
    pub(crate) fn push(&mut self, bytes: Zeroizing<Vec<u8>>) {
        let live = bytes.len() as u64;
        self.blocks.insert(self.filled, Block { bytes, live });
        self.filled += live;
    }

    /// Puts back a block of the last run; what lies beyond `filled` is cut off. `false` when nothing of it counts.
    pub(crate) fn load(&mut self, at: u64, mut bytes: Zeroizing<Vec<u8>>) -> bool {
        if at >= self.filled {
            return false;
        }
        let keep = (self.filled - at).min(bytes.len() as u64);
        let cut = keep as usize;
        bytes[cut..].zeroize();
        bytes.truncate(cut);
        self.blocks.insert(at, Block { bytes, live: keep });
        true
    }

    /// Bytes from `from` to `to` that are in memory.
    pub(crate) fn held(&self, from: u64, to: u64) -> u64 {
        self.pieces(from, to)
            .iter()
            .map(|&(_, start, end)| (end - start) as u64)
            .sum()
    }

    /// Copies bytes that are about to leave; `None` when not all of them are there. To be wiped right after.
    pub(crate) fn copy(&self, from: u64, to: u64) -> Option<Zeroizing<Vec<u8>>> {
        let mut copied = Zeroizing::new(Vec::with_capacity((to - from) as usize));
        for (at, start, end) in self.pieces(from, to) {
            copied.extend_from_slice(&self.blocks.get(&at)?.bytes[start..end]);
        }
        (copied.len() as u64 == to - from).then_some(copied)
    }

    /// Wipes bytes that have not left yet; bytes that are not in memory do not matter.
    pub(crate) fn wipe(&mut self, from: u64, to: u64) {
        for (at, start, end) in self.pieces(from, to) {
            let Some(block) = self.blocks.get_mut(&at) else {
                continue;
            };
            block.bytes[start..end].zeroize();
            block.live -= (end - start) as u64;
            if block.live == 0 {
                self.blocks.remove(&at);
                self.emptied.push(at);
            }
        }
    }

    /// Discards the end of the pool from `to` on.
    pub(crate) fn truncate(&mut self, to: u64) {
        if to < self.filled {
            self.wipe(to.max(self.head), self.filled);
            self.filled = to;
            if let Some((at, block)) = self.blocks.range_mut(..to).next_back() {
                block.bytes.truncate((to - at) as usize);
            }
        }
    }

    /// Discards everything and goes on at `at`.
    pub(crate) fn reset(&mut self, at: u64) {
        self.emptied.extend(self.blocks.keys());
        self.blocks.clear();
        self.head = at;
        self.filled = at;
    }

    /// Blocks that became empty since the last call.
    pub(crate) fn emptied(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.emptied)
    }

    /// (block, first byte in it, end in it) of what is held of a range.
    fn pieces(&self, from: u64, to: u64) -> Vec<(u64, usize, usize)> {
        let first = self
            .blocks
            .range(..=from)
            .next_back()
            .map_or(from, |(at, _)| *at);
        self.blocks
            .range(first..to.max(first))
            .filter_map(|(&at, block)| {
                let start = from.max(at) - at;
                let end = (to - at).min(block.bytes.len() as u64);
                (start < end).then_some((at, start as usize, end as usize))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> Pool {
        let mut pool = Pool::default();
        pool.push(Zeroizing::new((0..10).collect()));
        pool.push(Zeroizing::new((10..20).collect()));
        pool
    }

    #[test]
    fn a_range_over_two_blocks_leaves_once_and_frees_the_first_when_all_of_it_left() {
        let mut pool = pool();
        assert_eq!(
            pool.copy(0, 8).unwrap().as_slice(),
            (0..8).collect::<Vec<u8>>()
        );
        pool.wipe(0, 8);
        assert!(pool.emptied().is_empty());
        assert_eq!(pool.copy(8, 12).unwrap().as_slice(), [8, 9, 10, 11]);
        pool.wipe(8, 12);
        assert_eq!(pool.emptied(), [0]);
        assert!(pool.copy(8, 12).is_none(), "block 0 is gone");
        assert!(pool.copy(18, 21).is_none(), "there are 20 bytes");
    }

    #[test]
    fn cutting_the_tail_wipes_it_and_filling_goes_on_there() {
        let mut pool = pool();
        pool.truncate(15);
        assert_eq!(pool.available(), 15);
        pool.push(Zeroizing::new(vec![7; 5]));
        assert_eq!(
            pool.copy(12, 20).unwrap().as_slice(),
            [12, 13, 14, 7, 7, 7, 7, 7]
        );
    }
}
