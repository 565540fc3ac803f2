//! Validators that come and go while the chain goes on.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tieline_chain::light::{LightClient, Trail};
use tieline_chain::validators::{Handover, ValidatorSet};
use tieline_engine::application::Pace;
use tieline_engine::finality::Finalized;
use tieline_engine::simulated::{Chain, Line, run};
use tieline_seal::hybrid::{Purpose, Signature, Strict};

use crate::simulated::agree;
use crate::village::{keys, set_of, simulate_with};

const NAME: &str = "chain-x";

/// Blocks of an epoch of the engine.
const BLOCKS: u64 = 6;

fn members(epoch: u64) -> Range<u8> {
    let first = u8::try_from(epoch).unwrap();
    first..first + 4
}

fn next_set(epoch: u64) -> ValidatorSet {
    set_of(NAME, epoch, members(epoch))
}

/// Signatures on a hand-over by the validators of an epoch, by place.
fn signatures(
    chain: &Chain,
    epoch: u64,
    purpose: Purpose,
    message: &[u8],
) -> BTreeMap<u8, Signature> {
    let set = next_set(epoch);
    let domain = chain.founding().home().domain(epoch, purpose);
    let signed = members(epoch).map(|index| {
        let keys = keys(NAME, index);
        let own = keys.signing.public_key();
        let place = set.validators.iter().position(|it| it.key == *own).unwrap();
        (
            u8::try_from(place).unwrap(),
            keys.signing.sign(&domain, message),
        )
    });
    signed.collect()
}

/// From an epoch to the next: one validator goes, another comes.
fn handover(chain: &Chain, epoch: u64) -> Handover {
    let next = Arc::new(next_set(epoch + 1));
    let message = Handover::message(&next);
    Handover {
        approvals: signatures(chain, epoch, Purpose::Transaction, &message),
        possession: signatures(chain, epoch + 1, Purpose::Possession, &message),
        next,
    }
}

async fn change(chain: &Chain, epoch: u64) {
    let wanted = handover(chain, epoch);
    let by = usize::try_from(epoch).unwrap() + 1;
    chain.machine(by).unwrap().hand_over(wanted).unwrap();
    let reached = || {
        (0..chain.size()).all(|index| {
            let machine = chain.machine(index);
            machine.is_none_or(|it| it.with(|r| r.ledger().validators().epoch) > epoch)
        })
    };
    let mut looks = 0;
    while !reached() {
        looks += 1;
        let heights = chain.heights();
        assert!(
            looks < 600,
            "nobody took over from epoch {epoch}: {heights:?}"
        );
        chain.sleep(Duration::from_millis(500)).await;
    }
}

/// From the genesis to the last certified block, by headers, certificates and sets alone.
fn follow(chain: &Chain, index: usize) -> u64 {
    let founding = chain.founding();
    let home = founding.home().clone();
    let mut client = LightClient::from_parts(home, *founding.tip(), founding.validators().clone());
    chain.machine(index).unwrap().with(|replica| {
        let store = replica.store();
        let top = replica.ledger().tip().height;
        while client.head().height < top {
            let mut headers = Vec::new();
            for height in client.head().height + 1..=top {
                let block = store.block(height).unwrap().unwrap();
                let next = block.body.handover.as_ref().map(|it| it.next.clone());
                headers.push(block.header);
                let Some(certificate) = store.certificate(height).unwrap() else {
                    continue;
                };
                let proof = Finalized(certificate);
                let trail = Trail {
                    headers: headers.clone(),
                    proof,
                };
                client.advance(&trail, next.as_ref(), &Strict).unwrap();
                break;
            }
            if client.head().height + 1 < headers.first().map_or(0, |it| it.height) {
                break;
            }
        }
    });
    client.head().height
}

#[test]
fn three_changes_of_validators_and_a_client_that_follows_them() {
    run(9, Duration::from_secs(3600), async |context| {
        let pace = Pace {
            heartbeat: Duration::from_millis(300),
            ..Pace::default()
        };
        let chain = simulate_with(context, NAME, (4, 7), (pace, Line::default())).await;
        let mut chain = chain.with_epochs(BLOCKS);
        chain.boot_all().await.unwrap();
        for epoch in 0..3 {
            change(&chain, epoch).await;
        }
        // Of the first four validators one is left: the other three are not needed any more.
        for index in 0..3 {
            chain.kill(index);
        }
        let top = chain.heights().values().copied().max().unwrap();
        assert!(
            chain
                .reach(top + 2 * BLOCKS, Duration::from_secs(120))
                .await,
            "{:?}",
            chain.heights()
        );
        agree(&chain);
        assert!(follow(&chain, 4) >= top);
    });
}

#[test]
fn an_epoch_without_a_change_goes_on_with_the_same_validators() {
    run(10, Duration::from_secs(3600), async |context| {
        let pace = Pace {
            heartbeat: Duration::from_millis(300),
            ..Pace::default()
        };
        let chain = simulate_with(context, NAME, (4, 4), (pace, Line::default())).await;
        let mut chain = chain.with_epochs(BLOCKS);
        chain.boot_all().await.unwrap();
        assert!(
            chain.reach(4 * BLOCKS, Duration::from_secs(120)).await,
            "{:?}",
            chain.heights()
        );
        // Somebody who was away for epochs, and somebody who comes with an empty disk.
        chain.kill(3);
        let top = chain.heights()[&0];
        assert!(
            chain
                .reach(top + 3 * BLOCKS, Duration::from_secs(120))
                .await
        );
        chain.boot(3).await.unwrap();
        let top = chain.heights()[&0];
        assert!(
            chain.reach(top, Duration::from_secs(60)).await,
            "{:?}",
            chain.heights()
        );
        agree(&chain);
    });
}
