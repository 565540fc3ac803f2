//! What the records add up to. Live work and recovery go through the same [`State::apply`], so they cannot differ.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hmac::digest::Digest as _;
use sha2::Sha256;
use tieline_uss::party::EpochId;
use zeroize::{Zeroize as _, Zeroizing};

use super::health::Seen;
use super::name::{KeyId, Lane, Sae};
use super::record::{Chain, Ground, Key, Known, Piece, Record, Session};
use super::spends::Spends;

/// Everything that survives a restart.
pub(crate) struct State {
    pub(crate) peers: BTreeMap<Sae, Known>,
    pub(crate) lanes: BTreeMap<Lane, Pool>,
    pub(crate) spends: Spends,
    pub(crate) seen: Seen,
}

/// The key of one lane at one end. Positions are bytes from the lane's beginning.
#[derive(Default)]
pub(crate) struct Pool {
    pub(crate) ground: Ground,
    /// Keys without a place, in order of arrival.
    pub(crate) inbox: VecDeque<Key>,
    /// Keys at their places, without gaps, from `next` on.
    pub(crate) ready: VecDeque<Piece>,
}

impl Pool {
    /// One past the last byte.
    pub(crate) fn end(&self) -> u64 {
        self.ready.back().map_or(self.ground.base, Piece::end)
    }

    /// The chain at [`end`](Pool::end).
    pub(crate) fn end_chain(&self) -> Chain {
        self.ready
            .back()
            .map_or(self.ground.base_chain, |p| p.chain)
    }

    /// The chain at a boundary between keys.
    pub(crate) fn chain_at(&self, position: u64) -> Option<Chain> {
        if position == self.ground.base {
            return Some(self.ground.base_chain);
        }
        let found = self.ready.iter().find(|piece| piece.end() == position)?;
        Some(found.chain)
    }

    /// Bytes from `next` on.
    pub(crate) fn stock(&self) -> u64 {
        self.end().saturating_sub(self.ground.next)
    }

    /// Takes `bytes` off the front; they are wiped here. The caller has checked that they are there.
    pub(crate) fn take(&mut self, bytes: usize) -> Zeroizing<Vec<u8>> {
        let mut taken = Zeroizing::new(Vec::with_capacity(bytes));
        while taken.len() < bytes {
            let piece = self.ready.front_mut().expect("the stock was checked");
            let left = piece.left();
            let count = left.len().min(bytes - taken.len());
            taken.extend_from_slice(&left[..count]);
            self.cut_front(count);
        }
        self.ground.next += bytes as u64;
        taken
    }

    /// Gives up everything below `position`; returns the bytes that were there.
    pub(crate) fn skip_to(&mut self, position: u64) -> u64 {
        let mut gone = 0;
        while let Some(piece) = self.ready.front()
            && piece.first < position
        {
            let count = piece.left().len().min((position - piece.first) as usize);
            gone += count as u64;
            self.cut_front(count);
        }
        self.ground.next = self.ground.next.max(position);
        gone
    }

    /// Wipes the first `count` bytes of the first piece.
    fn cut_front(&mut self, count: usize) {
        let piece = self.ready.front_mut().expect("the caller looked at it");
        piece.first += count as u64;
        piece.material[piece.start..][..count].zeroize();
        piece.start += count;
        if piece.left().is_empty() {
            (self.ground.base, self.ground.base_chain) = (piece.first, piece.chain);
            self.ready.pop_front();
        }
    }

    /// Gives up the keys that end beyond `end`; returns their bytes.
    fn truncate(&mut self, end: u64) -> u64 {
        let mut gone = 0;
        while let Some(piece) = self.ready.pop_back_if(|piece| piece.end() > end) {
            gone += piece.left().len() as u64;
        }
        gone
    }

    fn place(&mut self, mut key: Key) {
        let first = self.end();
        let chain = link_chain(self.end_chain(), first, &key);
        self.ready.push_back(Piece {
            id: key.id,
            first,
            start: 0,
            material: std::mem::take(&mut key.material),
            chain,
        });
    }

    /// Commits that say everything of this lane, of which reservations hold `held` bytes. What may be in use already, the
    /// bytes below the horizon, is not written again: it would only be lost.
    pub(crate) fn commits(&self, lane: &Lane, held: u64) -> impl Iterator<Item = Vec<Record>> {
        let horizon = self.ground.horizon;
        let ground = Ground {
            doubt: self.end().min(horizon).saturating_sub(self.ground.next),
            lost: self.ground.lost + held,
            next: self.ground.next,
            ..self.ground.clone()
        };
        let kept = self.ready.iter().filter(move |piece| piece.end() > horizon);
        let mut base = (self.ground.base, self.ground.base_chain);
        for gone in self.ready.iter().take_while(|piece| piece.end() <= horizon) {
            base = (gone.end(), gone.chain);
        }
        let ground = Ground {
            base: base.0,
            base_chain: base.1,
            ..ground
        };
        let head = vec![Record::Lane {
            lane: lane.clone(),
            ground,
        }];
        let pieces = kept.map(move |piece| {
            let cut = horizon.saturating_sub(piece.first) as usize;
            let piece = Piece {
                id: piece.id,
                first: piece.first + cut as u64,
                start: 0,
                material: Zeroizing::new(piece.left()[cut..].to_vec()),
                chain: piece.chain,
            };
            vec![Record::Piece {
                lane: lane.clone(),
                piece,
            }]
        });
        let inbox = self.inbox.iter().map(|key| {
            let key = Key {
                id: key.id,
                until: key.until,
                material: key.material.clone(),
            };
            vec![Record::Wait {
                lane: lane.clone(),
                key,
            }]
        });
        std::iter::once(head).chain(pieces).chain(inbox)
    }

    fn drop_waiting(&mut self, ids: &[KeyId]) {
        let mut gone = 0;
        let mut keep = |key: &Key| {
            let dropped = ids.contains(&key.id);
            gone += if dropped {
                key.material.len() as u64
            } else {
                0
            };
            !dropped
        };
        self.inbox.retain(&mut keep);
        self.ground.lost += gone;
    }

    fn place_all(&mut self, number: u64, first: u64, ids: &[KeyId]) -> Result<(), &'static str> {
        self.ground.lost += self.truncate(first);
        if self.end() != first {
            return Err("places keys where the lane does not end");
        }
        let ids_set: BTreeSet<&KeyId> = ids.iter().collect();
        let mut found: BTreeMap<KeyId, Key> = BTreeMap::new();
        let mut kept = VecDeque::new();
        for key in std::mem::take(&mut self.inbox) {
            match ids_set.contains(&key.id) {
                true => drop(found.insert(key.id, key)),
                false => kept.push_back(key),
            }
        }
        self.inbox = kept;
        for id in ids {
            let key = found.remove(id).ok_or("places a key that is not there")?;
            self.place(key);
        }
        self.ground.offers = number;
        self.ground.taken = ids.to_vec();
        Ok(())
    }

    fn resume(&mut self, at: u64, end: u64, session: Session) {
        self.ground.lost += self.truncate(end) + self.skip_to(at);
        (self.ground.offers, self.ground.taken) = (0, Vec::new());
        if self.end() <= at {
            let hash = Sha256::new()
                .chain_update(b"tieline resume 1")
                .chain_update(session)
                .chain_update(at.to_be_bytes())
                .finalize();
            self.ground.base = at;
            self.ground.base_chain.copy_from_slice(&hash[..16]);
        }
        self.ground.horizon = at;
    }
}

fn link_chain(before: Chain, first: u64, key: &Key) -> Chain {
    let hash = Sha256::new()
        .chain_update(b"tieline chain 1")
        .chain_update(before)
        .chain_update(first.to_be_bytes())
        .chain_update((key.material.len() as u64).to_be_bytes())
        .chain_update(key.id.0)
        .finalize();
    hash[..16].try_into().expect("a hash has 32 bytes")
}

impl State {
    pub(crate) fn new(seen: Seen) -> State {
        State {
            peers: BTreeMap::new(),
            lanes: BTreeMap::new(),
            spends: Spends::default(),
            seen,
        }
    }

    /// Applies a record. `live`: the caller has counted what was handed out, as a replay cannot.
    ///
    /// An error says what the record contradicts; live records are checked before they are written.
    pub(crate) fn apply(&mut self, record: Record, live: bool) -> Result<(), &'static str> {
        match record {
            Record::Peer { name, known } => drop(self.peers.insert(name, known)),
            Record::Admit { lane, keys } => self.admit(lane, keys),
            Record::Drop { lane, ids } => self.pool(lane).drop_waiting(&ids),
            Record::Place {
                lane,
                number,
                first,
                ids,
            } => {
                self.pool(lane).place_all(number, first, &ids)?;
            }
            Record::Horizon { lane, upto } => {
                let ground = &mut self.pool(lane).ground;
                ground.horizon = ground.horizon.max(upto);
            }
            Record::Tally {
                lane,
                next,
                spent,
                lost,
            } => {
                if !live {
                    let pool = self.pool(lane);
                    let passed = next.saturating_sub(pool.ground.next);
                    pool.ground.doubt = pool.ground.doubt.saturating_sub(passed);
                    pool.skip_to(next);
                    (pool.ground.spent, pool.ground.lost) = (spent, lost);
                }
            }
            Record::Resume {
                lane,
                at,
                end,
                session,
            } => {
                let pool = self.pool(lane);
                if !live {
                    pool.ground.lost += std::mem::take(&mut pool.ground.doubt);
                }
                pool.resume(at, end, session);
            }
            Record::Spend { epoch, first, last } => self.spends.spend(epoch, first, last),
            Record::Close { below } => self.spends.close(below),
            Record::Seen { prints } => prints
                .into_iter()
                .for_each(|(id, print)| self.seen.remember(id, print)),
            Record::Lane { lane, ground } => self.pool(lane).ground = ground,
            Record::Piece { lane, piece } => {
                let pool = self.pool(lane);
                if pool
                    .ready
                    .back()
                    .is_some_and(|last| last.end() != piece.first)
                {
                    return Err("leaves a gap in a lane");
                }
                pool.ready.push_back(piece);
            }
            Record::Wait { lane, key } => self.pool(lane).inbox.push_back(key),
            Record::Whole => {}
        }
        Ok(())
    }

    fn pool(&mut self, lane: Lane) -> &mut Pool {
        self.lanes.entry(lane).or_default()
    }

    fn admit(&mut self, lane: Lane, keys: Vec<Key>) {
        for key in &keys {
            let print = self.seen.fingerprint(&key.material);
            self.seen.remember(key.id, print);
        }
        let pool = self.pool(lane);
        let bytes = keys.iter().map(|key| key.material.len() as u64);
        pool.ground.admitted += bytes.sum::<u64>();
        pool.inbox.extend(keys);
    }

    /// After a restart: whatever may have been handed out is lost. Returns those bytes per lane.
    pub(crate) fn settle(&mut self) -> BTreeMap<Lane, u64> {
        let mut lost = BTreeMap::new();
        for (lane, pool) in &mut self.lanes {
            let horizon = pool.ground.horizon;
            let doubt = std::mem::take(&mut pool.ground.doubt) + pool.skip_to(horizon);
            pool.ground.lost += doubt;
            if doubt > 0 {
                lost.insert(lane.clone(), doubt);
            }
        }
        lost
    }

    /// The newest epoch that a counter was spent of.
    pub(crate) fn newest_epoch(&self) -> Option<EpochId> {
        self.spends.newest()
    }
}
