//! The store itself: opened, committed to, compacted.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use tieline_units::Time;
use tieline_uss::key::{KeyError, Spent};
use tieline_uss::party::{Counter, EpochId};

use super::account::Samples;
use super::alarm::Alarm;
use super::contact::Contact;
use super::disk::{Disk, FolderDisk};
use super::draw::Held;
use super::error::StoreError;
use super::health::Seen;
use super::journal::Journal;
use super::name::{Lane, Sae};
use super::record::{Known, Record};
use super::seal::{Entropy, Secret, system_entropy};
use super::state::{Pool, State};

/// What can be set when a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Bytes that a lane may use per confirmation of the other end: the group of draws that share one sync at each end,
    /// and the most that a crash loses per lane.
    pub window_bytes: u64,
    /// How long a key waits for its place before it is given up, milliseconds.
    pub arrival_ms: u64,
    /// How long an unanswered message waits before it is repeated, milliseconds.
    pub retry_ms: u64,
    /// Stock of a lane below which an alarm is raised, bytes.
    pub low_bytes: u64,
    /// Keys that are remembered to notice a repeat.
    pub remember_keys: usize,
    /// Size of a segment below which it is not rewritten, bytes.
    pub compact_bytes: u64,
    /// Handshakes since opening that must come before a signature counter is spent; no more than there are peers.
    pub witnesses: usize,
}

impl Default for Settings {
    /// 8 KiB windows, 60 s for a key to find its place, 1 s before a repeat, alarm below 32 KiB, 65,536 keys remembered,
    /// segments of 1 MiB, one witness.
    fn default() -> Settings {
        Settings {
            window_bytes: 8 * 1024,
            arrival_ms: 60_000,
            retry_ms: 1_000,
            low_bytes: 32 * 1024,
            remember_keys: 65_536,
            compact_bytes: 1 << 20,
            witnesses: 1,
        }
    }
}

/// Keys of one consumer, shared with any number of peers. Every byte leaves it once.
pub struct Store {
    pub(super) owner: Sae,
    pub(super) settings: Settings,
    pub(super) journal: Journal,
    pub(super) state: State,
    pub(super) contacts: BTreeMap<Sae, Contact>,
    pub(super) held: BTreeMap<u64, Held>,
    pub(super) samples: BTreeMap<Lane, Samples>,
    alarms: VecDeque<Alarm>,
    next_reservation: u64,
    poisoned: Option<String>,
    /// Bytes of the segment when it was begun.
    begun: u64,
}

/// Alarms that are kept for whoever asks.
const ALARMS_MAX: usize = 1024;
/// Keys that one commit at the head of a segment names.
const SEEN_PER_RECORD: usize = 4096;

impl Store {
    /// Opens the store of `owner` in a folder, or makes one there. The folder is this process's until the store is
    /// dropped.
    ///
    /// # Errors
    /// [`StoreError::Disk`] when another process has the folder or the disk fails; [`StoreError::WrongSecret`],
    /// [`StoreError::OtherOwner`], [`StoreError::Corrupt`].
    pub fn open(
        folder: &Path,
        owner: Sae,
        secret: &Secret,
        settings: Settings,
    ) -> Result<Store, StoreError> {
        let disk = Box::new(FolderDisk::open(folder)?);
        Store::open_on(disk, owner, secret, settings, system_entropy())
    }

    /// The same on any disk and with any source of randomness, which must be one that nobody can foretell.
    ///
    /// # Errors
    /// As [`open`](Store::open).
    pub fn open_on(
        disk: Box<dyn Disk>,
        owner: Sae,
        secret: &Secret,
        settings: Settings,
        entropy: Entropy,
    ) -> Result<Store, StoreError> {
        let (journal, found) = Journal::open(disk, &owner, secret, entropy)?;
        let seen = Seen::new(journal.keys().fingerprint_key(), settings.remember_keys);
        let mut state = State::new(seen);
        for record in found.commits.into_iter().flatten() {
            state
                .apply(record, false)
                .map_err(|what| StoreError::Corrupt {
                    file: "the newest segment".to_owned(),
                    offset: 0,
                    what,
                })?;
        }
        let doubtful = state.settle();
        let mut store = Store {
            owner,
            settings,
            journal,
            state,
            contacts: BTreeMap::new(),
            held: BTreeMap::new(),
            samples: BTreeMap::new(),
            alarms: VecDeque::new(),
            next_reservation: 0,
            poisoned: None,
            begun: 0,
        };
        if found.torn > 0 {
            store.raise(Alarm::TornTail { bytes: found.torn });
        }
        for (lane, bytes) in doubtful {
            store.raise(Alarm::InDoubt { lane, bytes });
        }
        for peer in store.state.peers.keys() {
            store.contacts.insert(peer.clone(), Contact::default());
        }
        store.compact()?;
        Ok(store)
    }

    /// Whose store it is.
    pub fn owner(&self) -> &Sae {
        &self.owner
    }

    /// Sets up the link to a peer: a lane there and a lane back, empty. Does nothing when it is there.
    ///
    /// # Errors
    /// [`StoreError::Name`] for the owner itself; the disk's.
    pub fn add_peer(&mut self, peer: &Sae) -> Result<(), StoreError> {
        let out = Lane::new(self.owner.clone(), peer.clone())?;
        if self.state.peers.contains_key(peer) {
            return Ok(());
        }
        let lanes = [out.back(), out].map(|lane| Record::Lane {
            lane,
            ground: Default::default(),
        });
        let mut records = vec![Record::Peer {
            name: peer.clone(),
            known: Known::default(),
        }];
        records.extend(lanes);
        self.commit(records)?;
        self.contacts.insert(peer.clone(), Contact::default());
        Ok(())
    }

    /// The peers that links lead to.
    pub fn peers(&self) -> impl Iterator<Item = &Sae> {
        self.state.peers.keys()
    }

    /// Takes the alarms that were raised since the last call, oldest first.
    pub fn take_alarms(&mut self) -> Vec<Alarm> {
        self.alarms.drain(..).collect()
    }

    /// Bytes of the segment on the disk.
    pub fn journal_bytes(&self) -> u64 {
        self.journal.bytes()
    }

    /// Marks a signature counter as spent, durably, and says so once.
    ///
    /// # Errors
    /// [`StoreError::SpentBefore`], [`StoreError::EpochClosed`], [`StoreError::NoWitness`]; the disk's.
    pub fn spend(&mut self, epoch: EpochId, counter: Counter) -> Result<Spent, StoreError> {
        self.working()?;
        let open = self.state.spends.open();
        if epoch < open {
            return Err(StoreError::EpochClosed { epoch, open });
        }
        if self.state.spends.contains(epoch, counter) {
            return Err(StoreError::SpentBefore { epoch, counter });
        }
        let have = self.contacts.values().filter(|c| c.is_joined()).count();
        let need = self.settings.witnesses.min(self.contacts.len());
        if have < need {
            return Err(StoreError::NoWitness { have, need });
        }
        self.commit(vec![Record::Spend {
            epoch,
            first: counter,
            last: counter,
        }])?;
        Ok(Spent::recorded_durably(epoch, counter))
    }

    /// Closes all epochs below `open` for signing, so that their counters need not be remembered.
    ///
    /// # Errors
    /// The disk's.
    pub fn close_epochs_below(&mut self, open: EpochId) -> Result<(), StoreError> {
        match open <= self.state.spends.open() {
            true => self.working(),
            false => self.commit(vec![Record::Close { below: open }]),
        }
    }

    /// Refuses everything after a failure of the disk.
    pub(super) fn working(&self) -> Result<(), StoreError> {
        match &self.poisoned {
            None => Ok(()),
            Some(cause) => Err(StoreError::Poisoned {
                cause: cause.clone(),
            }),
        }
    }

    pub(super) fn raise(&mut self, alarm: Alarm) {
        if self.alarms.len() == ALARMS_MAX {
            self.alarms.pop_front();
        }
        self.alarms.push_back(alarm);
    }

    pub(super) fn reservation_number(&mut self) -> u64 {
        self.next_reservation += 1;
        self.next_reservation
    }

    /// Makes records durable, then true. On failure the store works no more.
    pub(super) fn commit(&mut self, records: Vec<Record>) -> Result<(), StoreError> {
        self.working()?;
        let outcome = self.journal.commit(&records);
        self.poison(outcome)?;
        for record in records {
            self.state
                .apply(record, true)
                .expect("live records are checked before they are written");
        }
        let bytes = self.journal.bytes();
        if bytes > self.settings.compact_bytes && bytes / 2 > self.begun {
            self.compact()?;
        }
        Ok(())
    }

    fn poison<T>(&mut self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(cause) = &outcome {
            self.poisoned = Some(cause.to_string());
            self.raise(Alarm::Stopped {
                cause: cause.to_string(),
            });
        }
        outcome
    }

    /// Writes a new segment without what is used, and removes the old one.
    ///
    /// # Errors
    /// The disk's; the store works no more then.
    pub fn compact(&mut self) -> Result<(), StoreError> {
        self.working()?;
        let held = self.held_bytes();
        let Store { journal, state, .. } = self;
        let outcome = journal.begin(head_of_segment(state, &held));
        self.poison(outcome)?;
        self.begun = self.journal.bytes();
        Ok(())
    }

    /// Bytes of each lane that reservations hold.
    pub(super) fn held_bytes(&self) -> BTreeMap<Lane, u64> {
        let mut bytes = BTreeMap::new();
        for held in self.held.values() {
            *bytes.entry(held.lane.clone()).or_insert(0) += held.material.len() as u64;
        }
        bytes
    }

    /// What a lane has used so far, as the journal is to remember it: reservations that are still held count as lost.
    pub(super) fn tally(&self, lane: &Lane) -> Record {
        let ground = &self.pool(lane).expect("the caller has the lane").ground;
        let held = self.held.values().filter(|held| held.lane == *lane);
        let held: u64 = held.map(|held| held.material.len() as u64).sum();
        Record::Tally {
            lane: lane.clone(),
            next: ground.next,
            spent: ground.spent,
            lost: ground.lost + held,
        }
    }

    /// The pool of a lane that touches this store.
    pub(super) fn pool(&self, lane: &Lane) -> Result<&Pool, StoreError> {
        self.state.lanes.get(lane).ok_or_else(|| self.no_lane(lane))
    }

    pub(super) fn pool_mut(&mut self, lane: &Lane) -> Result<&mut Pool, StoreError> {
        match self.state.lanes.contains_key(lane) {
            true => Ok(self.state.lanes.get_mut(lane).expect("it was just seen")),
            false => Err(self.no_lane(lane)),
        }
    }

    fn no_lane(&self, lane: &Lane) -> StoreError {
        StoreError::NoPeer {
            owner: self.owner.clone(),
            peer: self.peer_of(lane).clone(),
        }
    }

    /// The other end of a lane.
    pub(super) fn peer_of<'a>(&self, lane: &'a Lane) -> &'a Sae {
        match lane.from == self.owner {
            true => &lane.to,
            false => &lane.from,
        }
    }

    /// Raises the alarm that belongs to a shortage, and the error.
    pub(super) fn short(&mut self, lane: &Lane, have: usize, need: usize) -> StoreError {
        self.raise(Alarm::Short {
            lane: lane.clone(),
            have_bits: have,
            need_bits: need,
        });
        StoreError::Pool {
            lane: lane.clone(),
            cause: KeyError::Short { have, need },
        }
    }

    /// The contact with a peer.
    pub(super) fn contact(&mut self, peer: &Sae) -> Result<&mut Contact, StoreError> {
        match self.contacts.get_mut(peer) {
            Some(contact) => Ok(contact),
            None => Err(StoreError::NoPeer {
                owner: self.owner.clone(),
                peer: peer.clone(),
            }),
        }
    }

    /// Gives up waiting keys and reservations whose time has passed.
    ///
    /// Returns how many of both. Their names stay remembered: such a key is not taken again.
    ///
    /// # Errors
    /// The disk's.
    pub fn expire(&mut self, now: Time) -> Result<usize, StoreError> {
        self.working()?;
        let late: Vec<(Lane, Vec<_>)> = self
            .state
            .lanes
            .iter()
            .map(|(lane, pool)| {
                let late = pool.inbox.iter().filter(|key| key.until < now);
                (lane.clone(), late.map(|key| key.id).collect::<Vec<_>>())
            })
            .filter(|(_, ids)| !ids.is_empty())
            .collect();
        let mut count = self.expire_reservations(now);
        for (lane, ids) in late {
            count += ids.len();
            self.forget_offer(&lane);
            self.raise(Alarm::Expired {
                lane: lane.clone(),
                keys: ids.len(),
            });
            self.commit(vec![Record::Drop { lane, ids }])?;
        }
        Ok(count)
    }
}

/// Commits that say everything.
fn head_of_segment<'a>(
    state: &'a State,
    held: &'a BTreeMap<Lane, u64>,
) -> impl Iterator<Item = Vec<Record>> + 'a {
    let prints: Vec<_> = state.seen.entries().collect();
    let prints: Vec<Vec<_>> = prints.chunks(SEEN_PER_RECORD).map(<[_]>::to_vec).collect();
    let seen = prints
        .into_iter()
        .map(|prints| vec![Record::Seen { prints }]);
    let peers = state.peers.iter().map(|(name, known)| {
        vec![Record::Peer {
            name: name.clone(),
            known: known.clone(),
        }]
    });
    let closed = std::iter::once(vec![Record::Close {
        below: state.spends.open(),
    }]);
    let spends = state
        .spends
        .ranges()
        .map(|(epoch, first, last)| vec![Record::Spend { epoch, first, last }]);
    let lanes = state
        .lanes
        .iter()
        .flat_map(|(lane, pool)| pool.commits(lane, held.get(lane).copied().unwrap_or(0)));
    seen.chain(peers)
        .chain(closed)
        .chain(spends)
        .chain(lanes)
        .chain(std::iter::once(vec![Record::Whole]))
}
