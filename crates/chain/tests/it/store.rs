//! A chain on disk.

use std::path::Path;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use redb::{Database, TableDefinition};
use tieline_chain::Ledger;
use tieline_chain::block::Block;
use tieline_chain::store::{Delivered, MemoryDisk, SnapshotError, Store, StoreError};
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::{Village, deposit};
use tieline_units::canonical::Canonical as _;
use tieline_units::{Digest, Money, Time};

use crate::disk::Disk;
use crate::world::{block, ledger, slow};

const STATE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("state");
const BLOCKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("blocks");
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// The block of a height in a history without end; every third is empty.
pub(crate) fn next(ledger: &Ledger) -> Block {
    let height = ledger.tip().height + 1;
    let time = Time::from_millis(800_000_000 + height * 1_000);
    let sequence = (height - 1) - (height - 1).div_ceil(3);
    let who = ["mg-x", "vpp", "mg-y", "aggregator"][height as usize % 4];
    let money = Money::from_millionths(height as i64);
    let transactions = match height % 3 {
        1 => vec![],
        _ => vec![deposit(sequence, who, money)],
    };
    block(ledger, time, transactions)
}

pub(crate) fn founding() -> Ledger {
    ledger(&Village::default(), "chain-z")
}

/// Blocks and state roots of the history: root `i` is that after block `i`.
fn history(blocks: usize) -> (Vec<Block>, Vec<Digest>) {
    let mut ledger = founding();
    let mut roots = vec![ledger.roots().state_root];
    let mut all = Vec::new();
    for _ in 0..blocks {
        let block = next(&ledger);
        let executed = ledger.execute(&block, &Symbolic).unwrap();
        assert!(matches!(
            executed.receipts.first().map(|receipt| &receipt.outcome),
            None | Some(tieline_chain::ledger::Outcome::Applied(_))
        ));
        roots.push(executed.roots.state_root);
        all.push(block);
    }
    (all, roots)
}

fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open(path, founding(), &Symbolic)
}

/// A store with some blocks in a fresh folder.
fn filled(blocks: usize) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.redb");
    let mut store = open(&path).unwrap();
    for block in history(blocks).0 {
        let certificate = block.header.height.to_be_bytes();
        store
            .deliver(&block, Some(&certificate), &Symbolic)
            .unwrap();
    }
    (folder, path)
}

fn edit(path: &Path, work: impl FnOnce(&redb::WriteTransaction)) {
    let database = Database::open(path).unwrap();
    let transaction = database.begin_write().unwrap();
    work(&transaction);
    transaction.commit().unwrap();
}

#[test]
fn blocks_receipts_certificates_and_state_are_there_after_a_restart() {
    let (_folder, path) = filled(20);
    let (blocks, roots) = history(20);
    let mut store = open(&path).unwrap();
    assert_eq!(store.ledger().unwrap().tip().height, 20);
    assert_eq!(store.ledger().unwrap().roots().state_root, roots[20]);
    for block in &blocks {
        let height = block.header.height;
        assert_eq!(store.block(height).unwrap().as_ref(), Some(block));
        let receipts = store.receipts(height).unwrap().unwrap();
        assert_eq!(receipts.len(), block.body.transactions.len());
        let certificate = store.certificate(height).unwrap().unwrap();
        assert_eq!(certificate, height.to_be_bytes());
        let again = store.deliver(block, None, &Symbolic).unwrap();
        assert_eq!(again, Delivered::Before);
    }
    for (key, value) in store.ledger().unwrap().state().records() {
        assert_eq!(store.value(&key).unwrap(), Some(value));
    }
    store.certify(20, b"a later one").unwrap();
    assert_eq!(store.certificate(20).unwrap().unwrap(), b"a later one");
    store.prune(15).unwrap();
    assert_eq!(store.block(14).unwrap(), None);
    assert!(store.block(15).unwrap().is_some());
    store.prune(u64::MAX).unwrap();
    assert!(store.block(20).unwrap().is_some());
    drop(store);
    assert_eq!(open(&path).unwrap().ledger().unwrap().tip().height, 20);
}

#[test]
fn another_block_of_a_final_height_is_a_fork() {
    let (_folder, path) = filled(3);
    let mut store = open(&path).unwrap();
    let mut other = history(3).0.remove(2);
    other.header.time = other.header.time.plus_millis(1);
    let error = store.deliver(&other, None, &Symbolic).unwrap_err();
    assert!(
        matches!(error, StoreError::Fork { height: 3, .. }),
        "{error}"
    );
}

#[test]
fn a_block_that_the_state_refuses_is_not_stored() {
    let (_folder, path) = filled(3);
    let mut store = open(&path).unwrap();
    let mut bad = next(store.ledger().unwrap());
    bad.header.before.state_root = Digest::of(b"x");
    let error = store.deliver(&bad, None, &Symbolic).unwrap_err();
    assert!(
        matches!(error, StoreError::Execute { height: 4, .. }),
        "{error}"
    );
    assert_eq!(store.block(4).unwrap(), None);
    let good = next(store.ledger().unwrap());
    store.deliver(&good, None, &Symbolic).unwrap();
}

#[test]
fn archived_blocks_above_the_tip_are_executed_at_start_as_far_as_there_is_no_gap() {
    let (_folder, path) = filled(3);
    let (blocks, roots) = history(9);
    let mut store = open(&path).unwrap();
    for height in [4, 5, 6, 8] {
        store.archive(&blocks[height - 1]).unwrap();
    }
    assert_eq!(store.ledger().unwrap().tip().height, 3);
    drop(store);
    let store = open(&path).unwrap();
    assert_eq!(store.ledger().unwrap().tip().height, 6);
    assert_eq!(store.ledger().unwrap().roots().state_root, roots[6]);
}

type Edit = fn(&redb::WriteTransaction);

fn money(w: &redb::WriteTransaction) {
    let account = tieline_contract::state::Account::Fees;
    let key = tieline_chain::records::account(&account);
    let value = Money::from_millionths(5).to_bytes();
    let mut table = w.open_table(STATE).unwrap();
    table.insert(&key[..], &value[..]).unwrap();
}

const EDITS: [(Edit, &str); 9] = [
    (
        money,
        "height 5: the records are not those of a state: byte 0: chain-z is no state whose books balance",
    ),
    (
        |w| drop(w.open_table(STATE).unwrap().pop_last().unwrap()),
        "its records have root",
    ),
    (
        |w| drop(w.open_table(STATE).unwrap().pop_first().unwrap()),
        "not those of a state",
    ),
    (
        |w| {
            drop(
                w.open_table(STATE)
                    .unwrap()
                    .insert(&b"?"[..], &b""[..])
                    .unwrap(),
            )
        },
        "not those of a state",
    ),
    (
        |w| drop(w.open_table(META).unwrap().remove("tip").unwrap()),
        "no tip",
    ),
    (
        |w| {
            drop(
                w.open_table(META)
                    .unwrap()
                    .insert("roots", &b"x"[..])
                    .unwrap(),
            )
        },
        "roots of the store, height 5",
    ),
    (
        |w| {
            drop(
                w.open_table(META)
                    .unwrap()
                    .insert("version", &7_u64.to_be_bytes()[..])
                    .unwrap(),
            )
        },
        "version 7",
    ),
    (
        |w| {
            let set = crate::world::validators("chain-z", 3).to_bytes();
            w.open_table(META)
                .unwrap()
                .insert("validators", &set[..])
                .unwrap();
        },
        "the validators stored for height 5",
    ),
    (
        |w| {
            let other = history(4).0.remove(3).to_bytes();
            w.open_table(BLOCKS).unwrap().insert(5, &other[..]).unwrap();
        },
        "the block stored for height 5",
    ),
];

#[test]
fn a_store_that_is_not_what_was_written_does_not_open_and_says_why() {
    for (index, (change, words)) in EDITS.into_iter().enumerate() {
        let (_folder, path) = filled(5);
        edit(&path, change);
        let error = open(&path).unwrap_err().to_string();
        assert!(error.contains(words), "case {index}: {error}");
    }
    let (_folder, path) = filled(2);
    let foreign = ledger(&Village::default(), "chain-y");
    let error = Store::open(&path, foreign, &Symbolic).unwrap_err();
    assert!(matches!(error, StoreError::Home { .. }), "{error}");
}

#[test]
fn an_archived_block_that_does_not_fit_stops_the_start_with_both_roots() {
    let (_folder, path) = filled(5);
    edit(&path, |w| {
        let mut bad = history(6).0.remove(5);
        bad.header.before.state_root = Digest::of(b"other");
        let bad = bad.to_bytes();
        w.open_table(BLOCKS).unwrap().insert(6, &bad[..]).unwrap();
    });
    let error = open(&path).unwrap_err().to_string();
    let (_, roots) = history(5);
    for words in [
        "block 6",
        &Digest::of(b"other").to_string(),
        &roots[5].to_string(),
    ] {
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_failed_write_stops_the_store_and_what_the_disk_holds_is_a_committed_height() {
    let (blocks, roots) = history(12);
    let rounds = if slow() { 4_000 } else { 300 };
    let mut stopped = 0;
    for seed in 0..rounds {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let disk = Disk::default();
        let mut store = Store::open_on(disk.handle(), founding(), &Symbolic).unwrap();
        disk.fail_after(rng.next_u32() as usize % 240, rng.next_u32() % 2 == 0);
        let mut acknowledged = 0;
        for block in &blocks {
            match store.deliver(block, None, &Symbolic) {
                Ok(_) => acknowledged = block.header.height,
                Err(error) => {
                    assert!(matches!(error, StoreError::Disk { .. }), "{error}");
                    stopped += 1;
                    break;
                }
            }
        }
        if acknowledged < 12 {
            let again = store.deliver(&blocks[acknowledged as usize], None, &Symbolic);
            assert!(matches!(again, Err(StoreError::Stopped { .. })));
            assert!(matches!(store.ledger(), Err(StoreError::Stopped { .. })));
            let again = store.certify(1, b"");
            assert!(matches!(again, Err(StoreError::Stopped { .. })));
        }
        drop(store);
        let after = disk.power_off(&mut rng);
        let store = Store::open_on(after.handle(), founding(), &Symbolic)
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let height = store.ledger().unwrap().tip().height;
        let last = acknowledged..=acknowledged + 1;
        assert!(
            last.contains(&height),
            "seed {seed}: {height}, acknowledged {acknowledged}"
        );
        assert_eq!(
            store.ledger().unwrap().roots().state_root,
            roots[height as usize]
        );
    }
    assert!(stopped > rounds / 2, "{stopped} of {rounds}");
}

#[test]
fn a_store_above_a_ledger_holds_what_changed_since_and_opens_above_no_other() {
    let (blocks, roots) = history(20);
    let mut ledger = founding();
    for block in &blocks[..10] {
        ledger.execute(block, &Symbolic).unwrap();
    }
    let (base, disk) = (Arc::new(ledger), MemoryDisk::default());
    let mut store = Store::open_above(disk.clone(), base.clone(), &Symbolic).unwrap();
    for block in &blocks[10..] {
        store.deliver(block, None, &Symbolic).unwrap();
    }
    drop(store);
    let store = Store::open_above(disk.after_crash(), base.clone(), &Symbolic).unwrap();
    assert_eq!(store.ledger().unwrap().roots().state_root, roots[20]);
    assert_eq!(store.block(10).unwrap(), None);
    for (key, value) in store.ledger().unwrap().state().records() {
        assert_eq!(store.value(&key).unwrap(), Some(value));
    }
    let mut snapshot = Vec::new();
    let head = store.export_snapshot(&mut snapshot).unwrap();
    assert_eq!(head.roots.state_root, roots[20]);
    let mut other = Ledger::clone(&base);
    other.execute(&blocks[10], &Symbolic).unwrap();
    for found in [
        Store::open_above(disk.after_crash(), Arc::new(other), &Symbolic),
        Store::open_on(disk.after_crash(), founding(), &Symbolic),
    ] {
        let error = found.unwrap_err();
        assert!(
            matches!(error, StoreError::Tip { what: "base", .. }),
            "{error}"
        );
    }
}

#[test]
fn a_snapshot_founds_a_store_that_goes_on_and_takes_no_change() {
    let (folder, path) = filled(10);
    let (blocks, roots) = history(12);
    let store = open(&path).unwrap();
    let mut bytes = Vec::new();
    store.export_snapshot(&mut bytes).unwrap();
    let (home, tip, left) = (
        store.ledger().unwrap().home(),
        *store.ledger().unwrap().tip(),
        *store.ledger().unwrap().roots(),
    );
    let fresh = folder.path().join("fresh.redb");
    let import = |bytes: &[u8], to: &str| {
        let path = folder.path().join(to);
        Store::import_snapshot(bytes, &path, home, (&tip, &left))
    };
    let mut other = import(&bytes, "fresh.redb").unwrap();
    for block in &blocks[10..] {
        other.deliver(block, None, &Symbolic).unwrap();
    }
    assert_eq!(other.ledger().unwrap().roots().state_root, roots[12]);
    drop(other);
    assert_eq!(open(&fresh).unwrap().ledger().unwrap().tip().height, 12);
    let taken = import(&bytes, "fresh.redb").unwrap_err();
    assert!(
        matches!(taken, SnapshotError::Taken { height: 12 }),
        "{taken}"
    );
    for at in (0..bytes.len()).step_by(211) {
        let mut bent = bytes.clone();
        bent[at] ^= 4;
        assert!(import(&bent, "bent.redb").is_err(), "byte {at}");
        assert!(import(&bytes[..at], "cut.redb").is_err(), "cut at {at}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(import(&longer, "longer.redb").is_err());
    // A whole snapshot of another state.
    let mut wrong = left;
    wrong.state_root = roots[8];
    let path = folder.path().join("wrong.redb");
    let error = Store::import_snapshot(&bytes[..], &path, home, (&tip, &wrong)).unwrap_err();
    assert!(
        matches!(error, SnapshotError::Root { height: 10, .. }),
        "{error}"
    );
    assert!(!path.exists());
}
