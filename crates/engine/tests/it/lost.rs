//! Validators whose disks are empty when they come back: neither blocks nor what they had voted for.

use std::time::Duration;

use tieline_engine::simulated::run;
use tieline_units::Time;

use crate::kills::{Register, quick};
use crate::simulated::agree;
use crate::village::simulate_with;

/// Blocks of an epoch of the engine.
const BLOCKS: u64 = 8;

/// Empties the disk of one validator after the other in the middle of what it does, each within moments of a vote.
///
/// `guarded`: they vote in later epochs alone.
fn losses(seed: u64, rounds: usize, guarded: bool) -> Register {
    let register = Register::default();
    run(seed, Duration::from_secs(24 * 3600), async |context| {
        let chain = simulate_with(context, "chain-x", (4, 4), quick()).await;
        let mut chain = chain.with_epochs(BLOCKS).tapped(register.tap());
        chain.boot_all().await.unwrap();
        for round in 0..rounds {
            let victim = round % 4;
            let pause = 1_000 + 137 * u64::try_from(round).unwrap();
            chain.sleep(Duration::from_millis(pause)).await;
            // Nobody else can finish the view in which it dies: it is there when it comes back.
            let others: Vec<usize> = (0..4).filter(|it| *it != victim).collect();
            chain.cut(&[&others[..2], &others[2..], &[victim]]).await;
            chain.sleep(Duration::from_millis(700)).await;
            chain.kill(victim);
            let after = match guarded {
                true => chain.now(),
                false => Time::default(),
            };
            chain.lose(victim, after);
            chain.boot(victim).await.unwrap();
            chain.heal().await;
            if !guarded {
                // The others may have nothing to do with it any more.
                chain.sleep(Duration::from_secs(10)).await;
                continue;
            }
            let top = chain.heights().into_values().max().unwrap();
            // Until it votes again: with two who do not, nobody would come to another epoch.
            let on = chain
                .reach(top + 10 * BLOCKS, Duration::from_secs(300))
                .await;
            assert!(on, "seed {seed}, {round}: {:?} of {top}", chain.heights());
        }
        agree(&chain);
    });
    register
}

#[test]
fn who_lost_its_journal_does_not_vote_twice() {
    let register = losses(1, 6, true);
    assert_eq!(register.conflicts(), []);
    assert!(register.count() > 100, "{}", register.count());
}

/// The register would see it.
#[test]
fn without_waiting_for_the_next_epoch_it_would() {
    assert_ne!(losses(1, 3, false).conflicts(), []);
}
