//! Two key managers on loopback, with certificates of their own.

use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use tieline_qkd::certs::{self, Plan, Site};
use tieline_qkd::client::{Client, ClientOptions};
use tieline_qkd::etsi::{KmeId, SaeId};
use tieline_qkd::kme::{Kme, KmeConfig, Options};
use tieline_qkd::tls::Identity;

pub(crate) fn sae(name: &str) -> SaeId {
    name.parse().unwrap()
}

pub(crate) fn kme_id(name: &str) -> KmeId {
    name.parse().unwrap()
}

/// sae-1 and sae-4 at kme-1, sae-2 and sae-3 at kme-2.
pub(crate) fn plan() -> Plan {
    let site = |kme: &str, saes: [&str; 2]| Site {
        kme: kme_id(kme),
        saes: saes.map(sae).into(),
    };
    Plan {
        sites: [
            site("kme-1", ["sae-1", "sae-4"]),
            site("kme-2", ["sae-2", "sae-3"]),
        ],
        hosts: Vec::new(),
        port: 0,
    }
}

/// A folder with certificates.
pub(crate) struct Ground {
    pub(crate) folder: TempDir,
}

impl Ground {
    pub(crate) fn new() -> Ground {
        let folder = tempfile::tempdir().unwrap();
        certs::make(folder.path(), &plan()).unwrap();
        Ground { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn identity(&self, name: &str) -> Identity {
        let file = |end: &str| self.path(&format!("{name}.{end}"));
        Identity::read(&file("pem"), &file("key"), &self.path("ca.pem")).unwrap()
    }

    /// The settings of both ends; the first one's `dial` is still to be filled in.
    pub(crate) fn config(&self, index: usize) -> KmeConfig {
        let mut config = certs::config(&plan(), index);
        for path in [
            &mut config.data,
            &mut config.ca,
            &mut config.certificate,
            &mut config.key,
        ] {
            *path = self.folder.path().join(&*path);
        }
        config.keys.stored_max = 2_048;
        config
    }
}

/// Both ends, running.
pub(crate) struct Pair {
    pub(crate) one: Option<Kme>,
    pub(crate) two: Option<Kme>,
    pub(crate) configs: [KmeConfig; 2],
}

impl Pair {
    /// Starts both ends with changed settings and waits until keys can be had.
    pub(crate) async fn start(ground: &Ground, change: impl Fn(&mut KmeConfig)) -> Pair {
        let mut configs = [ground.config(0), ground.config(1)];
        configs.iter_mut().for_each(change);
        let two = Kme::start(&configs[1], Options::default()).await.unwrap();
        // The second end keeps its ports over restarts.
        configs[1].peer_listen = two.addresses().peer;
        configs[1].listen = two.addresses().sae;
        let peer = configs[0].peer.get_mut(&kme_id("kme-2")).unwrap();
        peer.dial = two.addresses().peer.map(|address| address.to_string());
        let one = Kme::start(&configs[0], Options::default()).await.unwrap();
        configs[0].listen = one.addresses().sae;
        let pair = Pair {
            one: Some(one),
            two: Some(two),
            configs,
        };
        pair.wait_full().await;
        pair
    }

    pub(crate) fn url(&self, index: usize) -> String {
        format!("https://{}", self.configs[index].listen)
    }

    /// A client of one end.
    pub(crate) fn client(&self, ground: &Ground, index: usize, sae: &str) -> Client {
        client(ground, &self.url(index), sae, ClientOptions::default())
    }

    /// Waits until both directions of both ends are full.
    pub(crate) async fn wait_full(&self) {
        for (kme, config) in [&self.one, &self.two].into_iter().zip(&self.configs) {
            let full = config.keys.stored_max * config.keys.size_bits;
            let kme = kme.as_ref().unwrap();
            for _ in 0..1_000 {
                let figures = kme.figures().await.unwrap();
                let link = &figures.links[0];
                if link.up && link.available_bits.min(link.available_bits_peer) + 8 > full {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert!(
                kme.figures().await.unwrap().links[0].up,
                "{} is up",
                kme.id()
            );
        }
    }

    pub(crate) async fn stop(self) {
        for kme in [self.one, self.two].into_iter().flatten() {
            kme.stop().await.unwrap();
        }
    }
}

pub(crate) fn client(ground: &Ground, url: &str, sae: &str, options: ClientOptions) -> Client {
    Client::new(url, &ground.identity(sae), options).unwrap()
}

/// Runs a test's future.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
