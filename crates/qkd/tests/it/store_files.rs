//! What lies on the disk: who can open it, what it gives away, what happens when it is damaged.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tieline_qkd::store::fault::{Fault, MemoryDisk};
use tieline_qkd::store::{
    Alarm, Cost, KeyId, Lane, NewKey, Secret, Settings, Store, StoreError, system_entropy,
};
use zeroize::Zeroizing;

use crate::store_attacks::stocked;
use crate::store_pair::{Pair, at, entropy, sae, secret, settings};

const CHEAP: Cost = Cost {
    memory_kib: 64,
    passes: 1,
};

fn phrase(text: &str) -> Secret {
    Secret::Passphrase(Zeroizing::new(text.to_owned()), CHEAP)
}

fn open_with(folder: &Path, secret: &Secret) -> Result<Store, StoreError> {
    Store::open(folder, sae("a"), secret, settings())
}

/// A store with one peer and one key that waits.
fn fill(store: &mut Store, material: &[u8]) {
    store.add_peer(&sae("b")).unwrap();
    let lane = Lane::new(sae("a"), sae("b")).unwrap();
    let key = NewKey {
        id: KeyId([1; 16]),
        material: Zeroizing::new(material.to_vec()),
    };
    store.admit(at(0), &lane, vec![key]).unwrap();
}

fn newest_segment(folder: &Path) -> std::path::PathBuf {
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut segments: Vec<_> = names
        .filter(|path| path.to_string_lossy().contains("segment-"))
        .collect();
    assert_eq!(segments.len(), 1, "older segments are removed");
    segments.pop().unwrap()
}

#[test]
fn a_store_opens_with_its_passphrase_only() {
    let folder = tempfile::tempdir().unwrap();
    let material: Vec<u8> = (0..64).collect();
    fill(
        &mut open_with(folder.path(), &phrase("right")).unwrap(),
        &material,
    );
    let refused = open_with(folder.path(), &phrase("wrong")).err().unwrap();
    assert!(matches!(refused, StoreError::WrongSecret), "{refused}");
    let refused = open_with(folder.path(), &secret()).err().unwrap();
    assert!(
        matches!(refused, StoreError::OtherSecret { passphrase: true }),
        "{refused}"
    );
    let refused = open_with(folder.path(), &phrase("")).err().unwrap();
    assert!(matches!(refused, StoreError::Cost { .. }), "{refused}");
    let other = Store::open(folder.path(), sae("x"), &phrase("right"), settings());
    assert!(matches!(
        other.err().unwrap(),
        StoreError::OtherOwner { .. }
    ));
    let mut store = open_with(folder.path(), &phrase("right")).unwrap();
    let lane = Lane::new(sae("a"), sae("b")).unwrap();
    assert_eq!(store.account(&lane).unwrap().waiting, 512);
    assert_eq!(store.take_alarms(), []);
}

#[test]
fn files_are_private_and_show_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("made");
    let material: Vec<u8> = (0..64).collect();
    fill(&mut open_with(&folder, &secret()).unwrap(), &material);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        let bytes = fs::read(&path).unwrap();
        let shown = bytes.windows(8).any(|window| window == &material[..8]);
        assert!(!shown, "{} shows the key", path.display());
    }
}

#[test]
fn a_key_file_must_be_private_and_of_32_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, [1; 32]).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let refused = Secret::from_key_file(&path).err().unwrap();
    assert!(
        matches!(refused, StoreError::KeyFileMode { mode: 0o640, .. }),
        "{refused}"
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(Secret::from_key_file(&path).is_ok());
    fs::write(&path, [1; 31]).unwrap();
    let refused = Secret::from_key_file(&path).err().unwrap();
    assert!(
        matches!(refused, StoreError::KeyFileLength { bytes: 31, .. }),
        "{refused}"
    );
}

#[test]
fn every_changed_byte_of_a_segment_but_its_last_frame_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let material: Vec<u8> = (0..64).collect();
    fill(&mut open_with(folder.path(), &secret()).unwrap(), &material);
    let path = newest_segment(folder.path());
    let good = fs::read(&path).unwrap();
    // The last commit is the key; a flip there looks like a write that was cut short.
    let frames: Vec<usize> = (0..good.len() - 4)
        .filter(|at| good[*at..].starts_with(b"TLKR"))
        .collect();
    let last = *frames.last().unwrap();
    for byte in 0..good.len() {
        let mut bad = good.clone();
        bad[byte] ^= 0x40;
        fs::write(&path, &bad).unwrap();
        let opened = Store::open(folder.path(), sae("a"), &secret(), settings());
        if byte < last {
            match opened.err() {
                Some(StoreError::Corrupt { file, offset, .. }) => {
                    assert!(path.ends_with(&file));
                    let frame = frames.iter().rev().find(|at| **at <= byte).copied();
                    assert!(
                        offset == frame.unwrap_or(0) as u64 || byte < 48,
                        "{byte}: {offset}"
                    );
                }
                other => panic!("byte {byte}: {other:?}"),
            }
        } else {
            let mut store = opened.unwrap();
            let torn = Alarm::TornTail {
                bytes: good.len() - last,
            };
            assert!(store.take_alarms().contains(&torn));
            drop(store);
            fs::remove_file(newest_segment(folder.path())).unwrap();
        }
    }
}

#[test]
fn a_missing_or_foreign_head_or_segment_is_named() {
    let folder = tempfile::tempdir().unwrap();
    drop(open_with(folder.path(), &secret()).unwrap());
    let segment = newest_segment(folder.path());
    let bytes = fs::read(&segment).unwrap();
    fs::remove_file(&segment).unwrap();
    let refused = open_with(folder.path(), &secret()).err().unwrap();
    assert!(matches!(refused, StoreError::NoSegment), "{refused}");
    fs::write(&segment, bytes).unwrap();
    let head = folder.path().join("head");
    let good = fs::read(&head).unwrap();
    for byte in 0..good.len() {
        let mut bad = good.clone();
        bad[byte] ^= 1;
        fs::write(&head, &bad).unwrap();
        assert!(open_with(folder.path(), &secret()).is_err(), "byte {byte}");
    }
    fs::remove_file(&head).unwrap();
    let refused = open_with(folder.path(), &secret()).err().unwrap();
    assert!(matches!(refused, StoreError::NotAStore), "{refused}");
}

#[test]
fn a_full_disk_and_a_failed_sync_stop_the_store_with_a_reason() {
    for (fault, says) in [
        (Fault::Full, "append to"),
        (Fault::SyncLost, "make durable"),
    ] {
        let mut pair = stocked(1);
        let lane = pair.out(0);
        let disk = pair.ends[0].disk.clone();
        let step = disk.steps() + u64::from(fault == Fault::SyncLost);
        disk.fail_at(step, fault);
        let now = pair.now();
        let key = pair.manager.make(8);
        let failed = pair.ends[0]
            .store()
            .admit(now, &lane, vec![key])
            .unwrap_err();
        assert!(failed.to_string().contains(says), "{failed}");
        // The disk works again; the store does not ask it.
        for _ in 0..3 {
            let refused = pair.ends[0].store().draw(&lane, 8).unwrap_err();
            assert!(matches!(&refused, StoreError::Poisoned { cause } if cause.contains(says)));
        }
        let alarms = pair.ends[0].store().take_alarms();
        assert!(
            alarms
                .iter()
                .any(|alarm| matches!(alarm, Alarm::Stopped { .. }))
        );
    }
}

#[test]
fn the_disk_does_not_grow_for_ever_and_used_key_leaves_it() {
    let few = Settings {
        remember_keys: 32,
        ..settings()
    };
    let mut pair = Pair::with(2, few);
    pair.join();
    let most = 3 * few.compact_bytes as usize + 8 * 1024;
    for _ in 0..400 {
        pair.supply(0, 1, 64).unwrap();
        for _ in 0..4 {
            pair.now += 1_000;
            pair.settle();
            while pair.send(0, 256).is_ok() {}
        }
        pair.settle();
        for end in 0..2 {
            let bytes = pair.ends[end].disk.bytes();
            assert!(bytes < most, "{bytes} bytes at end {end}");
        }
    }
    assert!(pair.book.words > 10_000);
}

#[test]
fn two_stores_with_the_same_random_bytes_never_seal_two_texts_alike() {
    // A cloned machine repeats its random generator. Same salt and nonces are possible; same nonce for other content
    // would give both away.
    let texts = [1u8, 2].map(|fill_byte| {
        let disk = MemoryDisk::new();
        let store = Store::open_on(
            Box::new(disk.clone()),
            sae("a"),
            &secret(),
            Settings::default(),
            entropy(5),
        );
        let material: Vec<u8> = (0..64).map(|at| at ^ fill_byte).collect();
        fill(&mut store.unwrap(), &material);
        let mut disk = disk;
        let names = tieline_qkd::store::Disk::list(&mut disk).unwrap();
        let segment = names
            .iter()
            .find(|name| name.starts_with("segment-"))
            .unwrap();
        tieline_qkd::store::Disk::read(&mut disk, segment).unwrap()
    });
    let last = |bytes: &[u8]| {
        let at = (0..bytes.len() - 4)
            .rev()
            .find(|at| bytes[*at..].starts_with(b"TLKR"));
        bytes[at.unwrap() + 16..][..24].to_vec()
    };
    assert_eq!(texts[0].len(), texts[1].len());
    assert_eq!(
        texts[0][..48],
        texts[1][..48],
        "the clones share segment and salt"
    );
    assert_ne!(last(&texts[0]), last(&texts[1]), "and no nonce");
    let mut fresh = [0; 32];
    system_entropy()(&mut fresh).unwrap();
    assert_ne!(fresh, [0; 32]);
}
