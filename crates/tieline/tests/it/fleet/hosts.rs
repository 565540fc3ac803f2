//! Hosts of their own on one machine: a network namespace for each node, all on switches that a test can pull apart.
//!
//! ```text
//! node 1 --+                       +-- node 3      frames between the switches are lost while they are apart:
//!          | switch a === switch b |               no node hears of it, as when a line is cut
//! node 2 --+                       +-- node 4
//! each node --- a link of its own --- the test, for its API; nothing is routed between these links
//! ```

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::ground::Fleet;

/// Port of a node for other validators, and for programs.
const PORTS: [u16; 2] = [4700, 4701];

/// Networks of this process so far.
static MADE: AtomicU32 = AtomicU32::new(0);

/// The hosts of a fleet. Nothing of them is left when they are dropped.
pub(crate) struct Hosts {
    /// What all names here begin with: the process and the network.
    name: String,
    count: usize,
    /// Of the links to the test.
    first_address: u32,
}

/// Runs a program; what it says where it fails.
fn run(line: &str) -> Result<(), String> {
    let words: Vec<&str> = line.split(' ').collect();
    let output = Command::new(words[0]).args(&words[1..]).output();
    let output = output.map_err(|error| format!("{line}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{line}: {said}")),
    }
}

#[track_caller]
fn must(line: &str) {
    run(line).unwrap_or_else(|error| panic!("{error}"));
}

impl Hosts {
    /// For so many nodes; `None`, with the reason printed, where this machine gives none.
    pub(crate) fn new(count: usize) -> Option<Hosts> {
        sweep();
        let (process, made) = (std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let hosts = Hosts {
            name: format!("tl{process}n{made}"),
            count,
            // 10.64.0.0/10 in blocks of 8.
            first_address: (10 << 24) + (64 << 16) + ((process * 2 + made) % (1 << 19)) * 8,
        };
        let hub = hosts.hub();
        // The rest has no excuse.
        let made = run(&format!("ip netns add {hub}"));
        let made = made.and_then(|()| run(&format!("ip -n {hub} link add name sw-a type bridge")));
        if let Err(error) = made {
            eprintln!("skipped: no network namespaces with bridges here: {error}");
            return None;
        }
        must(&format!("ip -n {hub} link add name sw-b type bridge"));
        must(&format!(
            "ip -n {hub} link add name ab type veth peer name ba"
        ));
        for line in [
            "ab master sw-a",
            "ba master sw-b",
            "sw-a up",
            "sw-b up",
            "ab up",
            "ba up",
        ] {
            must(&format!("ip -n {hub} link set dev {line}"));
        }
        for node in 1..=count {
            hosts.add(node);
        }
        Some(hosts)
    }

    fn hub(&self) -> String {
        format!("{}hub", self.name)
    }

    fn host(&self, node: usize) -> String {
        format!("{}h{node}", self.name)
    }

    /// End of a node's link to the test.
    fn link(&self, node: usize) -> String {
        format!("{}m{node}", self.name)
    }

    /// Addresses of the two ends of a node's link to the test.
    fn ends(&self, node: usize) -> [String; 2] {
        let first = self.first_address + 2 * (node as u32 - 1);
        [first, first + 1].map(|bits| std::net::Ipv4Addr::from_bits(bits).to_string())
    }

    /// Of a node among nodes.
    fn address(node: usize) -> String {
        format!("10.42.0.{node}")
    }

    fn add(&self, node: usize) {
        let (hub, host, link) = (self.hub(), self.host(node), self.link(node));
        let ([ours, theirs], address) = (self.ends(node), Hosts::address(node));
        for line in [
            format!("ip netns add {host}"),
            format!("ip -n {host} link set dev lo up"),
            format!("ip link add name e netns {host} type veth peer name p{node} netns {hub}"),
            format!("ip -n {host} addr add {address}/24 dev e"),
            format!("ip -n {host} link set dev e up"),
            format!("ip -n {hub} link set dev p{node} up"),
            format!("ip link add name {link} type veth peer name m netns {host}"),
            format!("ip addr add {ours} peer {theirs} dev {link}"),
            format!("ip link set dev {link} up"),
            format!("ip -n {host} addr add {theirs} peer {ours} dev m"),
            format!("ip -n {host} link set dev m up"),
        ] {
            must(&line);
        }
        self.plug(node, "sw-a");
    }

    fn plug(&self, node: usize, switch: &str) {
        must(&format!(
            "ip -n {} link set dev p{node} master {switch}",
            self.hub()
        ));
    }

    /// Moves a fleet's nodes, none of which runs, to these hosts.
    pub(crate) fn house(&self, fleet: &mut Fleet) {
        let old: Vec<[String; 2]> = fleet
            .all()
            .iter()
            .map(|node| fleet.addresses(*node))
            .collect();
        assert_eq!(old.len(), self.count);
        for node in fleet.all() {
            fleet.edit(node, |mut text| {
                for (index, [listen, api]) in old.iter().enumerate() {
                    let (host, [_, link]) = (Hosts::address(index + 1), self.ends(index + 1));
                    text = text.replace(listen, &format!("{host}:{}", PORTS[0]));
                    text = text.replace(api, &format!("{link}:{}", PORTS[1]));
                }
                text
            });
            fleet.inside(node, &["ip", "netns", "exec", &self.host(node)]);
        }
    }

    /// From now on frames between these nodes and the others are lost.
    pub(crate) fn cut(&self, away: &[usize]) {
        must(&format!("ip -n {} link set dev ab down", self.hub()));
        for node in away {
            self.plug(*node, "sw-b");
        }
    }

    /// All nodes reach each other again.
    pub(crate) fn heal(&self) {
        must(&format!("ip -n {} link set dev ab up", self.hub()));
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Removes whatever has a name that begins so.
fn remove(name: &str) {
    let names = namespaces();
    for namespace in names.iter().filter(|found| found.starts_with(name)) {
        let _ = run(&format!("ip netns del {namespace}"));
    }
    // A link is gone with the namespace of its other end, a moment later; or at once by this.
    let links = std::fs::read_dir("/sys/class/net").into_iter().flatten();
    for link in links.flatten() {
        let link = link.file_name().to_string_lossy().into_owned();
        if link.starts_with(name) {
            let _ = run(&format!("ip link del {link}"));
        }
    }
}

fn namespaces() -> Vec<String> {
    let found = std::fs::read_dir("/run/netns").into_iter().flatten();
    let names = found.flatten();
    names
        .map(|name| name.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Removes what a test process left that was killed.
fn sweep() {
    for name in namespaces() {
        let rest = name
            .strip_prefix("tl")
            .and_then(|rest| rest.strip_suffix("hub"));
        let Some((process, _)) = rest.and_then(|rest| rest.split_once('n')) else {
            continue;
        };
        if process.parse::<u32>().is_ok() && !Path::new("/proc").join(process).exists() {
            remove(&name[..name.len() - "hub".len()]);
        }
    }
}
