//! `enc_keys` and `dec_keys` of a pair of key managers over TLS with both certificates, keys of 256 bits: requests per
//! second, latency, and who used the CPU. Both key managers and the clients share the machine.
//!
//! `cargo bench -p tieline-qkd --bench kme` runs everything; `-- quick` a short part.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program for its makers"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tieline_qkd::certs::{self, Plan, Site};
use tieline_qkd::client::{Client, ClientOptions};
use tieline_qkd::etsi::{KeyId, SaeId};
use tieline_qkd::kme::{Kme, Options};
use tieline_qkd::tls::Identity;
use tokio::runtime::{Builder, Runtime};

const RUNS: usize = 3;

fn sae(name: &str) -> SaeId {
    name.parse().unwrap()
}

fn runtime(name: &str) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name(name)
        .enable_all()
        .build()
        .unwrap()
}

/// CPU used so far by threads of each name, ticks of 10 ms.
fn cpu() -> BTreeMap<String, u64> {
    let mut used = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let stat = std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap_or_default();
        let Some((head, tail)) = stat.rsplit_once(')') else {
            continue;
        };
        let name = head.split_once('(').unwrap().1.to_owned();
        let fields: Vec<&str> = tail.split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        *used.entry(name).or_default() += ticks;
    }
    used
}

struct Bench {
    folder: tempfile::TempDir,
    servers: Runtime,
    clients: Runtime,
    kmes: Vec<Kme>,
}

impl Bench {
    fn start(stored: u64, without_sync: bool) -> Bench {
        let folder =
            tempfile::tempdir_in(std::env::var("TIELINE_BENCH_DIR").unwrap_or(".".into())).unwrap();
        let site = |kme: &str, id: &str| Site {
            kme: kme.parse().unwrap(),
            saes: vec![sae(id)],
        };
        let plan = Plan {
            sites: [site("kme-1", "sae-1"), site("kme-2", "sae-2")],
            hosts: Vec::new(),
            port: 0,
        };
        certs::make(folder.path(), &plan).unwrap();
        let servers = runtime("servers");
        let mut kmes: Vec<Kme> = Vec::new();
        for index in [1, 0] {
            let mut config = certs::config(&plan, index);
            for path in [
                &mut config.data,
                &mut config.ca,
                &mut config.certificate,
                &mut config.key,
            ] {
                *path = folder.path().join(&*path);
            }
            config.keys.stored_max = stored;
            config.keys.reserve = 0;
            if index == 0 {
                let peer = config.peer.values_mut().next().unwrap();
                peer.dial = kmes[0].addresses().peer.map(|address| address.to_string());
            }
            let options = Options {
                without_sync,
                ..Options::default()
            };
            kmes.push(servers.block_on(Kme::start(&config, options)).unwrap());
        }
        let bench = Bench {
            folder,
            servers,
            clients: runtime("clients"),
            kmes,
        };
        bench.fill(stored);
        bench
    }

    fn fill(&self, stored: u64) {
        loop {
            let figures = self.servers.block_on(self.kmes[1].figures()).unwrap();
            let link = &figures.links[0];
            if link.available_bits.min(link.available_bits_peer) >= stored * 256 {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn client(&self, name: &str, kme: &Kme) -> Client {
        let file = |ending: &str| self.folder.path().join(format!("{name}.{ending}"));
        let ca = self.folder.path().join("ca.pem");
        let identity = Identity::read(&file("pem"), &file("key"), &ca).unwrap();
        let url = format!("https://{}", kme.addresses().sae);
        Client::new(&url, &identity, ClientOptions::default()).unwrap()
    }

    /// Draws (or fetches) `total` keys over connections that stand; returns seconds, latencies, names of keys.
    fn run(
        &self,
        connections: usize,
        total: usize,
        fetch: Option<Vec<KeyId>>,
    ) -> (f64, Vec<Duration>, Vec<KeyId>) {
        let (name, kme) = if fetch.is_some() {
            ("sae-2", &self.kmes[0])
        } else {
            ("sae-1", &self.kmes[1])
        };
        let clients: Vec<Arc<Client>> = (0..connections)
            .map(|_| Arc::new(self.client(name, kme)))
            .collect();
        let other = if fetch.is_some() { "sae-1" } else { "sae-2" };
        let each = total / connections;
        let ids = fetch.unwrap_or_default();
        self.clients.block_on(async {
            for client in &clients {
                client.status(&sae(other)).await.unwrap();
            }
            let start = Instant::now();
            let mut tasks = tokio::task::JoinSet::new();
            for (number, client) in clients.into_iter().enumerate() {
                let mine: Vec<KeyId> = ids.iter().skip(number * each).take(each).copied().collect();
                tasks.spawn(async move {
                    let (mut times, mut names) =
                        (Vec::with_capacity(each), Vec::with_capacity(each));
                    for turn in 0..each {
                        let before = Instant::now();
                        match mine.get(turn) {
                            Some(id) => drop(client.dec_key_get(&sae("sae-1"), *id).await.unwrap()),
                            None => {
                                let keys = client
                                    .enc_keys_get(&sae("sae-2"), None, None)
                                    .await
                                    .unwrap();
                                names.push(keys[0].key_id);
                            }
                        }
                        times.push(before.elapsed());
                    }
                    (times, names)
                });
            }
            let (mut times, mut names) = (Vec::new(), Vec::new());
            while let Some(done) = tasks.join_next().await {
                let (mut t, mut n) = done.unwrap();
                times.append(&mut t);
                names.append(&mut n);
            }
            (start.elapsed().as_secs_f64(), times, names)
        })
    }
}

fn line(what: &str, connections: usize, (seconds, mut times): (f64, Vec<Duration>), used: &str) {
    times.sort();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    println!(
        "{what:28} {connections:3} connections  {:7.0}/s  p50 {:6.2} ms  p99 {:6.2} ms  {used}",
        times.len() as f64 / seconds,
        at(0.5),
        at(0.99)
    );
}

/// CPU of one request by threads, microseconds.
fn shares(
    before: &BTreeMap<String, u64>,
    after: &BTreeMap<String, u64>,
    requests: usize,
) -> String {
    let of = |name: &str| {
        let ticks = after.get(name).unwrap_or(&0) - before.get(name).unwrap_or(&0);
        ticks as f64 * 10_000.0 / requests as f64
    };
    format!(
        "CPU/request: servers {:4.0} us, engines {:4.0} us, clients {:4.0} us",
        of("servers"),
        of("kme-engine"),
        of("clients")
    )
}

fn measure(label: &str, bench: &Bench, connections: usize, total: usize) {
    let mut best: Vec<Option<(f64, Vec<Duration>, String)>> = vec![None, None];
    for _ in 0..RUNS {
        let mut names = None;
        for slot in &mut best {
            let before = cpu();
            let (seconds, times, drawn) = bench.run(connections, total, names.take());
            let used = shares(&before, &cpu(), times.len());
            names = Some(drawn);
            if slot.as_ref().is_none_or(|(least, ..)| seconds < *least) {
                *slot = Some((seconds, times, used));
            }
        }
    }
    for (what, best) in ["enc_keys", "dec_keys"].into_iter().zip(best) {
        let (seconds, times, used) = best.unwrap();
        line(
            &format!("{what}, {label}"),
            connections,
            (seconds, times),
            &used,
        );
    }
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "quick");
    let (total, pools): (usize, &[u64]) = if quick {
        (2_000, &[20_000])
    } else {
        (16_000, &[20_000, 1_000_000])
    };
    for without_sync in [false, true] {
        for &pool in pools {
            let bench = Bench::start(pool, without_sync);
            let label = if without_sync {
                "not durable"
            } else {
                "durable"
            };
            for connections in [1, 8, 64] {
                let total = if connections == 1 { total / 4 } else { total };
                measure(&format!("{label}, {pool}"), &bench, connections, total);
            }
            let Bench { servers, kmes, .. } = bench;
            for kme in kmes {
                servers.block_on(kme.stop()).unwrap();
            }
        }
    }
}
