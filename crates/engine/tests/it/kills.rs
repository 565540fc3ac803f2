//! Nobody votes twice, whenever it dies and whatever its disk had not synced.
//!
//! Two kinds of deaths: of one process, whose unsynced writes are gone when the next one opens its files; and of the power
//! of all, after which unsynced writes are there in part, byte by byte.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use commonware_codec::{Copying, DecodeExt as _};
use commonware_consensus::Viewable as _;
use commonware_consensus::simplex::types::Vote;
use commonware_cryptography::sha256::Digest as Name;
use commonware_runtime::Supervisor as _;
use commonware_runtime::deterministic::{
    self, Config, FaultConfig, PartialWriteMode, Runner, WriteConfig,
};
use commonware_utils::Probability;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tieline_chain::store::MemoryDisk;
use tieline_engine::application::Pace;
use tieline_engine::scheme::HybridScheme;
use tieline_engine::simulated::{Chain, Line, run};
use tieline_engine::tap::{Sent, Tap};
use tieline_units::Digest;

use crate::simulated::{accused, agree};
use crate::village::simulate;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Notarize,
    Nullify,
    Finalize,
}

/// Whose vote in which epoch and view.
pub(crate) type Place = (usize, (u64, u64), Kind);

/// Every vote that ever left a validator, by its hash.
#[derive(Clone, Default)]
pub(crate) struct Register(Arc<Mutex<BTreeMap<Place, BTreeSet<Digest>>>>);

impl Register {
    pub(crate) fn tap(&self) -> Tap {
        let register = self.clone();
        Arc::new(move |sent: &Sent<'_>| {
            if sent.channel == 0 {
                register.note(sent);
            }
            None
        })
    }

    fn note(&self, sent: &Sent<'_>) {
        let vote = Vote::<HybridScheme, Name>::decode(Copying(sent.bytes)).unwrap();
        let kind = match &vote {
            Vote::Notarize(_) => Kind::Notarize,
            Vote::Nullify(_) => Kind::Nullify,
            Vote::Finalize(_) => Kind::Finalize,
        };
        let place = (sent.from, (sent.epoch, vote.view().get()), kind);
        let mut all = self.0.lock().unwrap();
        all.entry(place).or_default().insert(Digest::of(sent.bytes));
    }

    /// Two votes of one kind in one view, or one to finalise it and one to give it up.
    pub(crate) fn conflicts(&self) -> Vec<Place> {
        let all = self.0.lock().unwrap();
        let twice = |place: &Place| {
            let (who, view, kind) = *place;
            let both = kind == Kind::Finalize && all.contains_key(&(who, view, Kind::Nullify));
            all[place].len() > 1 || both
        };
        all.keys().filter(|place| twice(place)).copied().collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

pub(crate) fn quick() -> (Pace, Line) {
    let pace = Pace {
        heartbeat: Duration::from_millis(400),
        ..Pace::default()
    };
    let line = Line {
        latency: Duration::from_millis(5),
        jitter: Duration::from_millis(4),
        lost_percent: 2,
    };
    (pace, line)
}

async fn found(context: &deterministic::Context, register: &Register) -> Chain {
    let chain = simulate(context.child("chain"), "chain-x", 4, quick()).await;
    chain.tapped(register.tap())
}

/// Kills one validator after the other at random moments of one run.
fn processes(seed: u64, kills: usize) -> Register {
    let register = Register::default();
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut span = move |most: u64| Duration::from_millis(1 + dice.next_u64() % most);
    run(seed, Duration::from_secs(24 * 3600), async |context| {
        let mut chain = found(&context, &register).await;
        chain.boot_all().await.unwrap();
        for kill in 0..kills {
            // Each twice in a row: the second time while it still reads its journal. In between there is time for a view
            // that was cut off to be given up.
            let pause = if kill % 2 == 0 { 4_000 } else { 20 };
            chain.sleep(span(pause)).await;
            let victim = kill / 2 % 4;
            chain.kill(victim);
            chain.sleep(span(60)).await;
            chain.boot(victim).await.unwrap();
        }
        let top = chain.heights().into_values().max().unwrap();
        let on = chain.reach(top + 3, Duration::from_secs(60)).await;
        assert!(on, "seed {seed}: {:?} of {top}", chain.heights());
        agree(&chain);
        assert_eq!(accused(&chain, 0), [[0; 32]; 0]);
    });
    register
}

/// One sync of so many fails, and what it was of is torn.
const SYNCS: u64 = 400;

/// A journal is synced in the moment in which it is written: what can be torn is what a failed sync leaves, which kills the
/// task that asked for it.
fn torn(mode: PartialWriteMode) -> FaultConfig {
    let writes = FaultConfig::default().write(WriteConfig {
        failure_rate: Probability::new(0, 1).unwrap(),
        retention_rate: Probability::new(1, 2).unwrap(),
        mode,
    });
    FaultConfig {
        sync_rate: Some(Probability::new(1, SYNCS).unwrap()),
        ..writes
    }
}

/// Takes the power from all validators at random moments, again and again. Returns the last height.
fn outages(seed: u64, outages: usize, mode: PartialWriteMode) -> (Register, u64) {
    let register = Register::default();
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let config = Config::new()
        .with_seed(seed)
        .with_catch_panics(true)
        .with_storage_fault_config(torn(mode));
    let mut runner = Runner::new(config);
    let (mut disks, mut top): (Option<Vec<MemoryDisk>>, u64) = (None, 0);
    for outage in 0..=outages {
        // Long enough for a view that was cut off to be given up.
        let span = Duration::from_millis(50 + dice.next_u64() % 12_000);
        let (seen, before) = (register.clone(), disks.take());
        let (left, checkpoint) = runner.start_and_recover(|context| async move {
            let last = outage == outages;
            if last {
                *context.storage_fault_config().write() = FaultConfig::default();
            }
            let mut chain = found(&context, &seen).await;
            if let Some(disks) = before {
                chain = chain.on_disks(disks);
            }
            chain.boot_all().await.unwrap();
            chain.sleep(span).await;
            if last {
                let on = chain.reach(top + 5, Duration::from_secs(60)).await;
                assert!(on, "seed {seed}: {:?} of {top}", chain.heights());
            }
            let top = agree(&chain);
            (chain.disks(), top)
        });
        assert!(left.1 >= top, "seed {seed}: {} after {top}", left.1);
        (disks, top) = (Some(left.0), left.1);
        runner = Runner::from(checkpoint);
    }
    (register, top)
}

fn honest(register: &Register, kills: usize) {
    eprintln!("{} votes, {kills} kills", register.count());
    assert_eq!(register.conflicts(), []);
    assert!(register.count() > 2 * kills, "{}", register.count());
}

#[test]
fn no_validator_that_is_killed_votes_twice() {
    honest(&processes(1, 20), 20);
}

#[test]
fn no_validator_votes_twice_after_power_failures_that_tear_its_journal() {
    for mode in [PartialWriteMode::Subset, PartialWriteMode::Prefix] {
        let (register, top) = outages(2, 5, mode);
        honest(&register, 20);
        assert!(top > 0);
    }
}

/// The register would see it: a chain that begins anew, without its journal, votes on other blocks in the same views.
#[test]
fn validators_without_their_journals_would_vote_twice() {
    let register = Register::default();
    for seed in [1, 2] {
        run(seed, Duration::from_secs(60), async |context| {
            let mut chain = found(&context, &register).await;
            chain.boot_all().await.unwrap();
            assert!(chain.reach(2, Duration::from_secs(30)).await);
        });
    }
    assert_ne!(register.conflicts(), []);
}

mod slow {
    use super::*;

    #[test]
    fn no_validator_votes_twice_however_often_it_dies() {
        if std::env::var_os("TIELINE_SLOW").is_none() {
            eprintln!("left out: 1 test, set TIELINE_SLOW=1");
            return;
        }
        honest(&processes(7, 300), 300);
        for (seed, mode) in [(8, PartialWriteMode::Subset), (9, PartialWriteMode::Prefix)] {
            honest(&outages(seed, 40, mode).0, 160);
        }
    }
}
