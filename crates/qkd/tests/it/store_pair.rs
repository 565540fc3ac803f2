//! Two stores, the network between them, a key manager that both ask, and a book of everything that was ever used.

use std::collections::{BTreeMap, VecDeque};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tieline_qkd::store::fault::{MemoryDisk, Torn};
use tieline_qkd::store::{
    Entropy, KeyId, Lane, Message, NewKey, Sae, Secret, Settings, Store, StoreError,
};
use tieline_units::Time;
use zeroize::Zeroizing;

pub(crate) fn sae(name: &str) -> Sae {
    Sae::new(name).unwrap()
}

pub(crate) fn at(millis: u64) -> Time {
    Time::from_millis(millis)
}

pub(crate) fn secret() -> Secret {
    Secret::Key(Zeroizing::new([7; 32]))
}

pub(crate) fn entropy(seed: u64) -> Entropy {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    Box::new(move |bytes| {
        random.fill_bytes(bytes);
        Ok(())
    })
}

pub(crate) fn settings() -> Settings {
    Settings {
        window_bytes: 64,
        arrival_ms: 10_000,
        retry_ms: 500,
        low_bytes: 0,
        compact_bytes: 4_096,
        ..Settings::default()
    }
}

/// Keys whose every four bytes are a number that occurs once in the world.
#[derive(Default)]
pub(crate) struct Manager {
    words: u32,
    keys: u64,
    /// What the reading end has not fetched.
    waiting: BTreeMap<KeyId, Vec<u8>>,
}

impl Manager {
    /// A key of `words` words for the sending end; the reading end can fetch it once.
    pub(crate) fn make(&mut self, words: u32) -> NewKey {
        self.keys += 1;
        let mut id = [0; 16];
        id[8..].copy_from_slice(&self.keys.to_be_bytes());
        let id = KeyId(id);
        let bytes: Vec<u8> = (0..words)
            .flat_map(|word| (self.words + word + 1).to_be_bytes())
            .collect();
        self.words += words;
        self.waiting.insert(id, bytes.clone());
        NewKey {
            id,
            material: Zeroizing::new(bytes),
        }
    }

    /// Delivers keys to the reading end; unknown ones are left out.
    pub(crate) fn fetch(&mut self, ids: &[KeyId]) -> Vec<NewKey> {
        ids.iter()
            .filter_map(|id| {
                Some(NewKey {
                    id: *id,
                    material: Zeroizing::new(self.waiting.remove(id)?),
                })
            })
            .collect()
    }
}

/// Everything that ever left a store.
#[derive(Default)]
pub(crate) struct Book {
    /// Word to lane and position, at the sending end and at the reading end.
    used: [BTreeMap<u32, (Lane, u64)>; 2],
    pub(crate) words: usize,
}

impl Book {
    /// Enters what `end` used; fails when a word was used before, or elsewhere by the other end.
    pub(crate) fn enter(&mut self, end: &Sae, lane: &Lane, position: u64, bytes: &[u8]) {
        let side = usize::from(lane.to == *end);
        for (at, word) in bytes.chunks_exact(4).enumerate() {
            let word = u32::from_be_bytes(word.try_into().unwrap());
            let place = (lane.clone(), position + 4 * at as u64);
            let before = self.used[side].insert(word, place.clone());
            assert_eq!(
                before, None,
                "word {word} left {end} twice, now at {place:?}"
            );
            if let Some(other) = self.used[1 - side].get(&word) {
                assert_eq!(
                    *other, place,
                    "both ends hold word {word} at different places"
                );
            }
            self.words += 1;
        }
    }
}

/// What travels.
pub(crate) enum Parcel {
    /// Between the stores.
    Note(Message),
    /// Something sealed with the pad at that place of the lane.
    Sealed(Lane, u64, usize),
}

/// One end.
pub(crate) struct End {
    pub(crate) name: Sae,
    pub(crate) disk: MemoryDisk,
    pub(crate) store: Option<Store>,
    opened: u64,
    pub(crate) inbound: VecDeque<Parcel>,
}

impl End {
    pub(crate) fn store(&mut self) -> &mut Store {
        self.store.as_mut().unwrap()
    }
}

/// Two ends.
pub(crate) struct Pair {
    pub(crate) ends: [End; 2],
    pub(crate) manager: Manager,
    pub(crate) book: Book,
    pub(crate) now: u64,
    pub(crate) settings: Settings,
    seed: u64,
}

impl Pair {
    pub(crate) fn new(seed: u64) -> Pair {
        Pair::with(seed, settings())
    }

    pub(crate) fn with(seed: u64, settings: Settings) -> Pair {
        Pair::closed(seed, settings).opened()
    }

    /// Both stores on their disks.
    pub(crate) fn opened(mut self) -> Pair {
        for end in 0..2 {
            let _ = self.open(end);
        }
        self
    }

    /// Two empty disks.
    pub(crate) fn closed(seed: u64, settings: Settings) -> Pair {
        let ends = ["a", "b"].map(|name| End {
            name: sae(name),
            disk: MemoryDisk::new(),
            store: None,
            opened: 0,
            inbound: VecDeque::new(),
        });
        Pair {
            ends,
            manager: Manager::default(),
            book: Book::default(),
            now: 1_000_000,
            settings,
            seed,
        }
    }

    pub(crate) fn now(&self) -> Time {
        at(self.now)
    }

    pub(crate) fn out(&self, end: usize) -> Lane {
        Lane::new(self.ends[end].name.clone(), self.ends[1 - end].name.clone()).unwrap()
    }

    /// Opens an end's store on the disk that it has.
    pub(crate) fn open(&mut self, end: usize) -> Result<(), StoreError> {
        let peer = self.ends[1 - end].name.clone();
        let found = &mut self.ends[end];
        found.store = None;
        found.opened += 1;
        let entropy = entropy(self.seed ^ (found.opened << 8 | end as u64) << 40);
        let mut store = Store::open_on(
            Box::new(found.disk.clone()),
            found.name.clone(),
            &secret(),
            self.settings,
            entropy,
        )?;
        store.add_peer(&peer)?;
        found.store = Some(store);
        Ok(())
    }

    /// The machine of an end loses power and comes up again.
    pub(crate) fn crash(&mut self, end: usize, torn: Torn) {
        self.ends[end].disk = self.ends[end].disk.after_crash(torn);
        self.ends[end].inbound.clear();
        self.open(end).unwrap();
    }

    /// Brings keys to the sending end of `end`'s lane out.
    pub(crate) fn supply(&mut self, end: usize, keys: usize, words: u32) -> Result<(), StoreError> {
        let (lane, now) = (self.out(end), self.now());
        let keys = (0..keys).map(|_| self.manager.make(words)).collect();
        let admitted = self.ends[end].store().admit(now, &lane, keys)?;
        assert_eq!(admitted.refused, []);
        Ok(())
    }

    /// Lets an end say what it has to say.
    pub(crate) fn poll(&mut self, end: usize) -> Result<(), StoreError> {
        let now = self.now();
        let messages = self.ends[end].store().poll(now)?;
        let notes = messages.into_iter().map(Parcel::Note);
        self.ends[1 - end].inbound.extend(notes);
        Ok(())
    }

    /// Seals something: draws at the sending end.
    pub(crate) fn send(&mut self, end: usize, bits: usize) -> Result<(), StoreError> {
        let lane = self.out(end);
        let pad = self.ends[end].store().draw(&lane, bits)?;
        let position = pad.position();
        let name = self.ends[end].name.clone();
        self.book.enter(&name, &lane, position, &pad.into_bytes());
        let parcel = Parcel::Sealed(lane, position, bits);
        self.ends[1 - end].inbound.push_back(parcel);
        Ok(())
    }

    /// Gives an end the next parcel; says whether there was one.
    pub(crate) fn deliver(&mut self, end: usize) -> Result<bool, StoreError> {
        let now = self.now();
        let Some(parcel) = self.ends[end].inbound.pop_front() else {
            return Ok(false);
        };
        match parcel {
            Parcel::Note(message) => {
                let missing = self.ends[end].store().missing(&message);
                let fetched = self.manager.fetch(&missing);
                let lane = self.out(1 - end);
                if !fetched.is_empty() {
                    self.ends[end].store().admit(now, &lane, fetched)?;
                }
                let message = Message::from_bytes(&message.to_bytes()).unwrap();
                let answer = self.ends[end].store().reconcile(now, message)?;
                let answer = answer.map(Parcel::Note);
                self.ends[1 - end].inbound.extend(answer);
            }
            Parcel::Sealed(lane, position, bits) => {
                let pad = match self.ends[end].store().draw_at(&lane, position, bits) {
                    Ok(pad) => pad,
                    Err(error @ (StoreError::Disk(_) | StoreError::Poisoned { .. })) => {
                        return Err(error);
                    }
                    Err(_) => return Ok(true),
                };
                assert_eq!(pad.position(), position);
                let name = self.ends[end].name.clone();
                self.book.enter(&name, &lane, position, &pad.into_bytes());
            }
        }
        Ok(true)
    }

    /// Delivers and polls until nobody has anything to say.
    pub(crate) fn settle(&mut self) {
        for _ in 0..64 {
            let mut any = false;
            for end in 0..2 {
                self.poll(end).unwrap();
            }
            for end in 0..2 {
                while self.deliver(end).unwrap() {
                    any = true;
                }
            }
            if !any {
                return;
            }
        }
        panic!("the two ends never stop talking");
    }

    pub(crate) fn joined(&self, end: usize) -> bool {
        let peer = &self.ends[1 - end].name;
        let store = self.ends[end].store.as_ref();
        store.is_some_and(|store| store.is_joined(peer))
    }

    /// Lets time pass and both ends talk until the handshake holds at both.
    pub(crate) fn join(&mut self) {
        for _ in 0..8 {
            self.now += 1_000;
            self.settle();
            if self.joined(0) && self.joined(1) {
                return;
            }
        }
        panic!("the two ends do not find together");
    }

    /// The books balance, and both ends can use both lanes.
    pub(crate) fn check_at_rest(&mut self) {
        self.join();
        for end in 0..2 {
            self.supply(end, 2, 16).unwrap();
        }
        for _ in 0..3 {
            self.now += 1_000;
            self.settle();
        }
        for end in 0..2 {
            let before = self.book.words;
            self.send(end, 64).unwrap();
            self.settle();
            assert_eq!(self.book.words, before + 4, "both ends used two words");
        }
        for end in 0..2 {
            for lane in [self.out(end), self.out(end).back()] {
                let account = self.ends[end].store().account(&lane).unwrap();
                let sum = account.waiting
                    + account.stock
                    + account.reserved
                    + account.spent
                    + account.lost;
                assert_eq!(account.admitted, sum, "{lane} at end {end}: {account:?}");
            }
            let lane = self.out(end);
            let ours = self.ends[end].store().account(&lane).unwrap();
            let theirs = self.ends[1 - end].store().account(&lane).unwrap();
            assert_eq!(
                ours.stock, theirs.stock,
                "both ends hold the same stock of {lane}"
            );
        }
    }
}
