//! One fault at every step of the disk, at either end, with every kind of torn tail.

use tieline_qkd::store::StoreError;
use tieline_qkd::store::fault::{Fault, Torn};

use crate::store_pair::{Pair, settings};

/// A short life of a link. Returns when a disk fails.
fn live(pair: &mut Pair) -> Result<(), StoreError> {
    for round in 0..4 {
        for end in 0..2 {
            pair.supply(end, 2, 12)?;
        }
        for _ in 0..5 {
            pair.now += 600;
            for end in 0..2 {
                pair.poll(end)?;
            }
            for end in 0..2 {
                while pair.deliver(end)? {}
            }
            for end in 0..2 {
                for bits in [32, 64] {
                    let sent = pair.send(end, bits);
                    if let Err(StoreError::Disk(_) | StoreError::Poisoned { .. }) = sent {
                        return sent;
                    }
                }
            }
        }
        let end = round % 2;
        pair.ends[end].store().compact()?;
    }
    Ok(())
}

/// Lets `fault` happen at a step of `end`'s disk; says whether it came to that.
fn fail_once(end: usize, step: u64, fault: Fault, torn: Torn) -> bool {
    let pair = Pair::closed(step, settings());
    pair.ends[end].disk.fail_at(step, fault);
    let mut pair = pair.opened();
    if pair.ends[end].store.is_none() {
        // The store could not even be made.
        pair.crash(end, torn);
        pair.check_at_rest();
        return true;
    }
    let outcome = live(&mut pair);
    if pair.ends[end].disk.steps() <= step {
        assert!(outcome.is_ok());
        return false;
    }
    if outcome.is_err() {
        // Nothing is handed out after a failure of the disk.
        assert!(pair.send(end, 32).is_err());
        let lane = pair.out(end).back();
        assert!(pair.ends[end].store().draw(&lane, 32).is_err());
    }
    pair.crash(end, torn);
    pair.check_at_rest();
    true
}

#[test]
fn attack_03_no_word_is_used_twice_whichever_step_of_either_disk_fails() {
    let mut runs = 0;
    for end in 0..2 {
        for step in 0.. {
            let crashes = Torn::ALL.map(|torn| (Fault::Crash, torn));
            let failures = [(Fault::Full, Torn::All), (Fault::SyncLost, Torn::All)];
            let mut reached = false;
            for (fault, torn) in crashes.into_iter().chain(failures) {
                reached |= fail_once(end, step, fault, torn);
                runs += 1;
            }
            if !reached {
                break;
            }
        }
    }
    assert!(runs > 1_000, "only {runs} runs");
    eprintln!("{runs} runs");
}
