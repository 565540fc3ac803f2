//! One link: what both directions hold, and how records change it.

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::etsi::{KeyId, KmeId};

use super::frame::View;
use super::pool::Pool;
use super::record::{Granted, PoolId, Record};
use super::table::Table;

/// Numbers the links of a key manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkId(pub u16);

/// Who allocates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// This end: keys for masters here.
    Out,
    /// The other end: keys for slaves here.
    In,
}

impl Direction {
    /// The same direction seen from the other end.
    pub fn mirrored(self) -> Direction {
        match self {
            Direction::Out => Direction::In,
            Direction::In => Direction::Out,
        }
    }
}

/// The durable part of a link: changed by records and by nothing else.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) peer: KmeId,
    own: KmeId,
    pub(crate) pool: Option<PoolId>,
    pub(crate) out: Pool,
    pub(crate) inn: Pool,
    pub(crate) table: Table,
    pub(crate) peer_seq: u64,
    /// Bytes discarded because an end was in doubt about them, since the start.
    pub(crate) discarded: u64,
    /// Keys nobody came for, since the start.
    pub(crate) expired: u64,
}

impl Ledger {
    pub(crate) fn new(own: KmeId, peer: KmeId) -> Ledger {
        Ledger {
            peer,
            own,
            pool: None,
            out: Pool::default(),
            inn: Pool::default(),
            table: Table::default(),
            peer_seq: 0,
            discarded: 0,
            expired: 0,
        }
    }

    pub(crate) fn pool_of(&mut self, direction: Direction) -> &mut Pool {
        match direction {
            Direction::Out => &mut self.out,
            Direction::In => &mut self.inn,
        }
    }

    pub(crate) fn view(&self, direction: Direction) -> View {
        let pool = match direction {
            Direction::Out => &self.out,
            Direction::In => &self.inn,
        };
        View {
            head: pool.head,
            filled: pool.filled,
        }
    }

    /// The name of the key at an offset: both ends compute the same, nobody else can, none comes twice.
    pub(crate) fn key_id(&self, direction: Direction, at: u64) -> KeyId {
        let allocator = match direction {
            Direction::Out => &self.own,
            Direction::In => &self.peer,
        };
        let digest = Sha256::new()
            .chain_update(b"tieline kme key_ID 1")
            .chain_update(self.pool.unwrap_or_default())
            .chain_update(at.to_be_bytes())
            .chain_update(allocator.as_str().as_bytes())
            .finalize();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        KeyId::version_8(id)
    }

    /// Changes the state as the record says. Bits that are no longer anybody's are wiped.
    pub(crate) fn apply(&mut self, record: &Record) {
        match record {
            Record::Pool { pool, .. } => self.restart(*pool),
            Record::Filled { direction, to, .. } => {
                let pool = self.pool_of(*direction);
                pool.filled = pool.filled.max(*to);
            }
            Record::Allocated { to, .. } => {
                self.out.wipe(self.out.head, *to);
                self.out.head = *to;
            }
            Record::Announced {
                grant, peer_seq, ..
            } => self.announced(grant, *peer_seq),
            Record::Collected { at, slave, .. } => {
                let id = self.key_id(Direction::In, *at);
                if let Some(entry) = self.table.collect(&id, *slave) {
                    self.inn.wipe(entry.at, entry.end());
                }
            }
            Record::Expired { at, .. } => {
                let id = self.key_id(Direction::In, *at);
                if let Some(entry) = self.table.remove(&id) {
                    self.inn.wipe(entry.at, entry.end());
                    self.expired += 1;
                }
            }
            Record::Aligned { out, inn, .. } => {
                self.discarded += align(&mut self.out, *out);
                self.discarded += align(&mut self.inn, *inn);
            }
            Record::PeerSeq { seq, .. } => self.peer_seq = *seq,
            Record::Kme(_) | Record::Seq(_) | Record::Link { .. } => {}
        }
    }

    fn restart(&mut self, pool: PoolId) {
        let waiting: u64 = self
            .table
            .by_offset()
            .iter()
            .map(|entry| u64::from(entry.bytes))
            .sum();
        self.discarded += self.out.available() + self.inn.available() + waiting;
        self.pool = Some(pool);
        self.out.reset(0);
        self.inn.reset(0);
        self.table.clear();
        self.peer_seq = 0;
    }

    fn announced(&mut self, grant: &Granted, peer_seq: u64) {
        let mut table = std::mem::take(&mut self.table);
        table.add(grant, |at| self.key_id(Direction::In, at));
        self.table = table;
        self.inn.head = self.inn.head.max(grant.end());
        self.inn.filled = self.inn.filled.max(self.inn.head);
        self.peer_seq = self.peer_seq.max(peer_seq);
    }

    /// The records that make the same state from nothing.
    pub(crate) fn summary(&self, link: LinkId) -> Vec<Record> {
        let peer = self.peer.clone();
        let mut records = vec![Record::Link { link, peer }];
        let Some(pool) = self.pool else {
            return records;
        };
        records.push(Record::Pool { link, pool });
        for entry in self.table.by_offset() {
            let grant = Granted {
                at: entry.at,
                bytes: entry.bytes,
                count: 1,
                since: entry.grant.since,
                left: entry.left,
                master: entry.grant.master.clone(),
                slaves: entry.grant.slaves.clone(),
            };
            records.push(Record::Announced {
                link,
                grant,
                peer_seq: 0,
            });
        }
        for (direction, to) in [
            (Direction::Out, self.out.filled),
            (Direction::In, self.inn.filled),
        ] {
            records.push(Record::Filled {
                link,
                direction,
                to,
            });
        }
        let view = |direction| {
            let view = self.view(direction);
            (view.head, view.filled)
        };
        records.push(Record::Aligned {
            link,
            out: view(Direction::Out),
            inn: view(Direction::In),
        });
        let seq = self.peer_seq;
        records.push(Record::PeerSeq { link, seq });
        records
    }

    /// After the blocks of the last run are loaded: wipes what is nobody's, and says how many bytes are missing.
    pub(crate) fn settle(&mut self) -> u64 {
        let head = self.out.head;
        self.out.wipe(0, head);
        let mut missing = self.out.available() - self.out.held(head, self.out.filled);
        let mut free_from = 0;
        let waiting: Vec<(u64, u64)> = self
            .table
            .by_offset()
            .iter()
            .map(|entry| (entry.at, entry.end()))
            .collect();
        for (at, end) in waiting {
            self.inn.wipe(free_from, at);
            missing += (end - at) - self.inn.held(at, end);
            free_from = end;
        }
        self.inn.wipe(free_from, self.inn.head);
        missing + self.inn.available() - self.inn.held(self.inn.head, self.inn.filled)
    }

    /// Puts back a block of the last run.
    pub(crate) fn load(
        &mut self,
        direction: Direction,
        at: u64,
        bytes: Zeroizing<Vec<u8>>,
    ) -> bool {
        self.pool_of(direction).load(at, bytes)
    }
}

/// Moves head forward and end back; returns the bytes discarded.
fn align(pool: &mut Pool, (head, filled): (u64, u64)) -> u64 {
    let before = pool.available();
    let end = pool.filled.min(head);
    pool.wipe(pool.head, end.max(pool.head));
    pool.head = pool.head.max(head);
    if filled >= pool.filled {
        pool.filled = filled;
    } else {
        pool.truncate(filled);
    }
    before.saturating_sub(pool.available())
}
