//! A validator that votes for two things at once, telling each half of the others another.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use commonware_runtime::Supervisor as _;
use tieline_engine::application::Pace;
use tieline_engine::simulated::{Chain, Line, run};
use tieline_engine::tap::{Sent, Tap, two_faced};

use crate::simulated::{accused, agree};
use crate::village::{founding, keys, set, set_of, simulate};

const NAME: &str = "chain-x";

const LIAR: usize = 3;

/// Lies, and counts the votes that it lied with.
fn lies(lied: &Arc<AtomicUsize>, openly: bool) -> Tap {
    let home = founding(NAME, 4).home().clone();
    let keys = keys(NAME, LIAR as u8);
    let liar = set_of(NAME, 0, LIAR as u8..4).validators[0].identity;
    let lie = two_faced(home, &set(NAME, 4), (liar, keys.signing), openly).unwrap();
    let lied = lied.clone();
    Arc::new(move |sent: &Sent<'_>| {
        let instead = (sent.from == LIAR).then(|| lie(sent)).flatten();
        lied.fetch_add(usize::from(instead.is_some()), Ordering::Relaxed);
        instead
    })
}

async fn goes_on(chain: &mut Chain, lied: &AtomicUsize, openly: bool) {
    chain.boot_all().await.unwrap();
    let span = Duration::from_secs(120);
    let honest = |chain: &Chain| (0..LIAR).all(|index| chain.heights()[&index] >= 15);
    let until = chain.now().plus_millis(span.as_millis() as u64);
    while !honest(chain) && chain.now() < until {
        chain.sleep(Duration::from_millis(200)).await;
    }
    assert!(honest(chain), "{:?}", chain.heights());
    assert!(lied.load(Ordering::Relaxed) > 0);
    let liar = set_of(NAME, 0, LIAR as u8..4).validators[0].identity;
    for index in 0..LIAR {
        let expected = if openly { vec![liar] } else { Vec::new() };
        assert_eq!(accused(chain, index), expected, "on {index}");
    }
    agree(chain);
    // While an honest one is down as well, more than may fail, it need not go on; but nothing goes wrong.
    chain.kill(0);
    let before = chain.heights()[&1];
    chain.sleep(Duration::from_secs(30)).await;
    agree(chain);
    chain.boot(0).await.unwrap();
    let on = |chain: &Chain| (0..LIAR).all(|index| chain.heights()[&index] >= before + 5);
    let until = chain.now().plus_millis(span.as_millis() as u64);
    while !on(chain) && chain.now() < until {
        chain.sleep(Duration::from_millis(200)).await;
    }
    assert!(on(chain), "{:?} after {before}", chain.heights());
    agree(chain);
}

fn world(seed: u64, openly: bool) {
    let pace = Pace {
        heartbeat: Duration::from_millis(300),
        ..Pace::default()
    };
    let lied = Arc::new(AtomicUsize::new(0));
    run(seed, Duration::from_secs(3600), async |context| {
        let chain = simulate(context.child("chain"), NAME, 4, (pace, Line::default())).await;
        let mut chain = chain.tapped(lies(&lied, openly));
        goes_on(&mut chain, &lied, openly).await;
    });
}

#[test]
fn the_others_agree_though_one_tells_them_different_votes() {
    world(1, false);
    world(2, false);
}

#[test]
fn the_others_agree_though_one_tells_the_same_peer_both() {
    world(3, true);
}
