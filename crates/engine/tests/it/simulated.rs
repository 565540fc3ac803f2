//! Whole chains in virtual time.

use std::collections::BTreeSet;
use std::time::Duration;

use commonware_runtime::Supervisor as _;
use tieline_engine::application::Pace;
use tieline_engine::simulated::{Chain, Line, run};
use tieline_units::Digest;

use crate::village::simulate;

const LIMIT: Duration = Duration::from_secs(3600);

fn quick() -> (Pace, Line) {
    let pace = Pace {
        heartbeat: Duration::from_millis(500),
        ..Pace::default()
    };
    (pace, Line::default())
}

/// Name of the block and state after it at a height, on every validator that runs and has it.
fn at(chain: &Chain, height: u64) -> BTreeSet<(Digest, Digest)> {
    let running = (0..chain.size()).filter_map(|index| chain.machine(index));
    let found = running.filter_map(|machine| {
        machine.with(|replica| {
            let next = replica.store().block(height + 1).unwrap()?;
            Some((next.header.parent, next.header.before.state_root))
        })
    });
    found.collect()
}

/// Whom the chain of a validator accuses of votes for two things, in the order of the blocks.
pub(crate) fn accused(chain: &Chain, index: usize) -> Vec<[u8; 32]> {
    let machine = chain.machine(index).unwrap();
    machine.with(|replica| {
        let set = replica.ledger().validators().clone();
        let blocks = 1..=replica.ledger().tip().height;
        let blocks = blocks.map(|height| replica.store().block(height).unwrap().unwrap());
        let doubles = blocks.flat_map(|block| block.body.double_votes);
        let of = |index: u8| set.validators[usize::from(index)].identity;
        doubles.map(|double| of(double.validator)).collect()
    })
}

/// No two validators have two histories.
pub(crate) fn agree(chain: &Chain) -> u64 {
    let top = chain.heights().values().copied().max().unwrap_or(0);
    for height in 0..top {
        assert_eq!(at(chain, height).len(), 1, "at height {height}");
    }
    top
}

#[test]
fn four_validators_agree_on_blocks_and_what_they_leave() {
    let (top, _) = run(1, LIMIT, async |context| {
        let mut chain = simulate(context, "chain-x", 4, quick()).await;
        chain.boot_all().await.unwrap();
        assert!(
            chain.reach(10, Duration::from_secs(60)).await,
            "{:?}",
            chain.heights()
        );
        agree(&chain)
    });
    assert!(top >= 10);
}

#[test]
fn a_run_is_a_function_of_its_seed() {
    let world = |seed| {
        run(seed, LIMIT, async |context| {
            let line = Line {
                lost_percent: 5,
                ..Line::default()
            };
            let mut chain = simulate(context, "chain-x", 4, (quick().0, line)).await;
            chain.boot_all().await.unwrap();
            assert!(chain.reach(5, Duration::from_secs(60)).await);
            agree(&chain);
            at(&chain, 4).pop_first().unwrap()
        })
    };
    let (once, again, other) = (world(7), world(7), world(8));
    assert_eq!(once, again);
    assert_ne!(once.1, other.1);
}

#[test]
fn a_killed_validator_goes_on_where_its_disk_was_and_a_cut_one_catches_up() {
    run(3, LIMIT, async |context| {
        let mut chain = simulate(context.child("chain"), "chain-x", 4, quick()).await;
        chain.boot_all().await.unwrap();
        assert!(chain.reach(4, Duration::from_secs(60)).await);
        chain.kill(3);
        let before = chain.heights()[&0];
        assert!(chain.reach(before + 5, Duration::from_secs(60)).await);
        chain.boot(3).await.unwrap();
        let now = chain.heights()[&0];
        assert!(
            chain.reach(now, Duration::from_secs(10)).await,
            "{:?}",
            chain.heights()
        );

        chain.cut(&[&[0, 1], &[2, 3]]).await;
        chain.sleep(Duration::from_secs(2)).await;
        let halted = chain.heights();
        chain.sleep(Duration::from_secs(90)).await;
        assert_eq!(chain.heights(), halted, "two of four decide nothing");
        chain.heal().await;
        let top = halted.values().copied().max().unwrap();
        assert!(
            chain.reach(top + 5, Duration::from_secs(60)).await,
            "{:?}",
            chain.heights()
        );

        chain.cut(&[&[0, 1, 2]]).await;
        let before = chain.heights()[&0];
        chain.sleep(Duration::from_secs(30)).await;
        let after = chain.heights();
        assert!(
            after[&0] > before + 5 && after[&3] <= before + 1,
            "{after:?}"
        );
        chain.heal().await;
        assert!(
            chain.reach(after[&0], Duration::from_secs(10)).await,
            "{:?}",
            chain.heights()
        );
        agree(&chain);
    });
}
