//! The engine's own network over our connections.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use commonware_cryptography::Signer as _;
use commonware_p2p::authenticated::lookup;
use commonware_p2p::{Address, AddressableManager as _, Receiver as _, Recipients, Sender as _};
use commonware_runtime::{Clock as _, Quota, Runner as _, Supervisor as _, deterministic};
use commonware_utils::ordered::Map;
use commonware_utils::{NZU32, NZUsize};
use tieline_engine::transport::PskPolicy;
use tieline_engine::validators::Identity;

use crate::support::identity;
use crate::wire::{Table, handshake};

fn address(seed: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9000 + u16::from(seed))
}

#[test]
fn four_validators_find_each_other_and_talk() {
    let runner = deterministic::Runner::timed(Duration::from_secs(120));
    runner.start(|context| async move {
        let peers: Map<Identity, Address> = [1, 2, 3, 4]
            .map(|seed| (identity(seed).public_key(), address(seed).into()))
            .try_into()
            .unwrap();
        let mut ends = Vec::new();
        let mut tables = Vec::new();
        for seed in 1..=4 {
            let others = (1..=4).filter(|other| *other != seed);
            let table = Arc::new(Table::of(others.map(|other| (other, PskPolicy::None))));
            let config = lookup::Config::local(
                handshake((seed, seed), &table).into_transport(),
                b"harbour",
                address(seed),
                NZUsize!(4),
                1024,
                NZUsize!(64),
            );
            let node = context.child("node").with_attribute("seed", seed);
            let (mut network, mut oracle) = lookup::Network::new(node, config);
            oracle.track(0, peers.clone());
            ends.push(network.register(0, Quota::per_second(NZU32!(16))));
            network.start();
            tables.push(table);
        }
        for seed in 1..=4u8 {
            let place = usize::from(seed) - 1;
            let mut reached = 0;
            for _ in 0..60 {
                let sent = ends[place].0.send(Recipients::All, vec![seed], false);
                reached = sent.len();
                if reached == 3 {
                    break;
                }
                context.sleep(Duration::from_secs(1)).await;
            }
            assert_eq!(reached, 3, "{seed} reaches everybody");
            for (other, (_, receiver)) in ends.iter_mut().enumerate() {
                if other == place {
                    continue;
                }
                let said = loop {
                    let (from, said) = receiver.recv().await.unwrap();
                    if from == identity(seed).public_key() {
                        break said;
                    }
                };
                assert_eq!(said.as_ref(), [seed]);
            }
        }
        for table in tables {
            let events = table.events.lock().unwrap();
            let stands = events.iter().filter(|it| it.ends_with("pq-only")).count();
            assert!(stands >= 3, "{events:?}");
        }
    });
}
