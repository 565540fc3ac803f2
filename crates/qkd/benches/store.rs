//! How fast key leaves the store. `cargo bench -p tieline-qkd --bench store`
//!
//! Every draw is covered by a record that is durable at both ends. `window` is how many draws share one.

use std::cell::RefCell;
use std::path::Path;

use divan::Bencher;
use tieline_qkd::store::{
    FolderDisk, KeyId, Lane, NewKey, Sae, Secret, Settings, Store, StoreError, system_entropy,
};
use tieline_units::Time;
use zeroize::Zeroizing;

fn main() {
    divan::main();
}

const DRAW_BYTES: usize = 32;
const KEY_BYTES: usize = 1 << 16;

fn now() -> Time {
    Time::from_millis(1)
}

struct Pair {
    stores: [Store; 2],
    lane: Lane,
    keys: u64,
}

impl Pair {
    fn new(folder: &Path, draws_per_window: u64, durable: bool) -> Pair {
        let names = ["a", "b"].map(|name| Sae::new(name).expect("a name"));
        let settings = Settings {
            window_bytes: draws_per_window * DRAW_BYTES as u64,
            retry_ms: 0,
            low_bytes: 0,
            compact_bytes: 16 << 20,
            ..Settings::default()
        };
        let stores = [0, 1].map(|end| {
            let folder = folder.join(names[end].as_str());
            let disk = match durable {
                true => FolderDisk::open(&folder),
                false => FolderDisk::open_without_sync(&folder),
            };
            let secret = Secret::Key(Zeroizing::new([7; 32]));
            let mut store = Store::open_on(
                Box::new(disk.expect("the folder is free")),
                names[end].clone(),
                &secret,
                settings,
                system_entropy(),
            )
            .expect("the store opens");
            store.add_peer(&names[1 - end]).expect("the disk works");
            store
        });
        let lane = Lane::new(names[0].clone(), names[1].clone()).expect("two names");
        let mut pair = Pair {
            stores,
            lane,
            keys: 0,
        };
        pair.talk();
        pair.supply();
        pair
    }

    /// A key at both ends.
    fn supply(&mut self) {
        self.keys += 1;
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.keys.to_be_bytes());
        let mut bytes = vec![0; KEY_BYTES];
        system_entropy()(&mut bytes).expect("the system has randomness");
        for store in &mut self.stores {
            let key = NewKey {
                id: KeyId(id),
                material: Zeroizing::new(bytes.clone()),
            };
            store.admit(now(), &self.lane, vec![key]).expect("a key");
        }
        self.talk();
    }

    fn talk(&mut self) {
        for _ in 0..2 {
            for end in 0..2 {
                let mut queue = self.stores[end].poll(now()).expect("the disk works");
                while let Some(message) = queue.pop() {
                    let reader = usize::from(message.to.as_str() == "b");
                    let answer = self.stores[reader].reconcile(now(), message);
                    queue.extend(answer.expect("an honest peer"));
                }
            }
        }
    }

    /// One pad at the sending end, with what it takes to be granted it.
    fn draw(&mut self) {
        loop {
            match self.stores[0].draw(&self.lane, DRAW_BYTES * 8) {
                Ok(pad) => return drop(divan::black_box(pad)),
                Err(StoreError::Horizon { .. }) => self.talk(),
                Err(StoreError::Pool { .. }) => self.supply(),
                Err(error) => {
                    eprintln!("{error}");
                    std::process::exit(1);
                }
            }
        }
    }
}

fn draws(bencher: Bencher, draws_per_window: u64, durable: bool) {
    // Beside the build, on the disk that the project lives on.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let pair = RefCell::new(Pair::new(folder.path(), draws_per_window, durable));
    bencher
        .counter(divan::counter::ItemsCount::new(1u32))
        .bench_local(|| pair.borrow_mut().draw());
}

/// 32-byte pads; both ends make every window durable.
#[divan::bench(args = [1, 16, 256, 4096], min_time = 2)]
fn durable_window_of_draws(bencher: Bencher, draws_per_window: u64) {
    draws(bencher, draws_per_window, true);
}

/// The same without waiting for the disk.
#[divan::bench(args = [1, 256, 4096], min_time = 1)]
fn without_sync_window_of_draws(bencher: Bencher, draws_per_window: u64) {
    draws(bencher, draws_per_window, false);
}

/// Signature counters, each durable before it is returned.
#[divan::bench(min_time = 2)]
fn durable_spend(bencher: Bencher) {
    use tieline_uss::party::{Counter, EpochId};
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let pair = RefCell::new((Pair::new(folder.path(), 1, true), 0));
    bencher
        .counter(divan::counter::ItemsCount::new(1u32))
        .bench_local(|| {
            let (pair, counter) = &mut *pair.borrow_mut();
            *counter += 1;
            let spent = pair.stores[0].spend(EpochId(1), Counter(*counter));
            spent.expect("a fresh counter");
        });
}
