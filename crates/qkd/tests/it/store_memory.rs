//! What is left in memory of key that was used.

use std::env;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::process::Command;

use tieline_qkd::store::{KeyId, Lane, NewKey};
use zeroize::Zeroizing;

use crate::store_pair::{Pair, at, sae};

const KEY_BYTES: usize = 256;

/// Byte `at` of the key, from a rule, so that the test itself holds no copy.
fn byte(at: usize) -> u8 {
    let mixed = (at as u32 + 1).wrapping_mul(0x9e37_79b1);
    (mixed ^ mixed >> 15) as u8
}

/// Runs of 12 bytes of the key in writable memory of this process, without the stack that this runs on.
fn traces() -> usize {
    let local = std::hint::black_box(0u8);
    let here = std::ptr::from_ref(&local).addr();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let mut memory = File::open("/proc/self/mem").unwrap();
    let mut found = 0;
    for line in maps.lines().filter(|line| line.contains(" rw-p ")) {
        let (first, last) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let address = |text| usize::from_str_radix(text, 16).unwrap();
        let (first, last) = (address(first), address(last));
        if (first..last).contains(&here) || line.contains("[stack]") {
            continue;
        }
        let mut bytes = vec![0; last - first];
        memory.seek(SeekFrom::Start(first as u64)).unwrap();
        if memory.read_exact(&mut bytes).is_err() {
            continue;
        }
        for start in (0..KEY_BYTES - 12).step_by(12) {
            let run: [u8; 12] = std::array::from_fn(|at| byte(start + at));
            found += bytes.windows(12).filter(|window| **window == run).count();
        }
        bytes.fill(0);
    }
    found
}

/// What the process does whose memory is searched; nothing in the test proper.
#[test]
fn child() {
    if env::var("TIELINE_MEMORY_CHILD").is_err() {
        return;
    }
    let mut pair = Pair::new(1);
    pair.settings.window_bytes = KEY_BYTES as u64;
    (0..2).for_each(|end| pair.open(end).unwrap());
    pair.join();
    let lane = Lane::new(sae("a"), sae("b")).unwrap();
    for end in 0..2 {
        let key = NewKey {
            id: KeyId([5; 16]),
            material: Zeroizing::new((0..KEY_BYTES).map(byte).collect()),
        };
        let now = pair.now();
        pair.ends[end].store().admit(now, &lane, vec![key]).unwrap();
    }
    for _ in 0..3 {
        pair.now += 1_000;
        pair.settle();
    }
    let before = traces();
    for end in 0..2 {
        let until = at(pair.now + 1);
        let store = pair.ends[end].store();
        let key = store
            .draw(&lane, KEY_BYTES * 4)
            .unwrap()
            .into_key()
            .unwrap();
        drop(key);
        let held = store.reserve(&lane, KEY_BYTES * 2, until).unwrap();
        drop(store.redeem(until, held).unwrap());
        drop(store.draw(&lane, KEY_BYTES * 2).unwrap().into_bytes());
        store.compact().unwrap();
    }
    let after = traces();
    report(&format!("before {before} after {after}"));
}

fn report(text: &str) {
    fs::write(env::var("TIELINE_MEMORY_CHILD").unwrap(), text).unwrap();
}

#[test]
fn attack_33_used_key_is_wiped_from_the_heap() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report");
    let status = Command::new(env::current_exe().unwrap())
        .args(["--exact", "store_memory::child", "--test-threads=1"])
        .env("TIELINE_MEMORY_CHILD", &report)
        .status()
        .unwrap();
    assert!(status.success());
    let report = fs::read_to_string(report).unwrap();
    let words: Vec<usize> = report
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    let [before, after] = words[..] else {
        panic!("{report}");
    };
    // Both ends live in one process: the search finds what is there.
    assert!(before >= 2 * (KEY_BYTES / 12 - 1), "{report}");
    assert_eq!(after, 0, "{report}");
}
