//! A chain that the program has founded, with a process for each validator.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tieline_chain::genesis::Genesis;
use tieline_contract::transaction::Transaction;
use tieline_seal::hybrid::SigningKey;
use tieline_units::canonical::Canonical as _;

use super::ports::Ports;
use crate::chain::ground::{Ground, PHRASE};
use crate::node::town::{Answer, get, post};

/// Milliseconds between blocks while nothing waits.
const HEARTBEAT_MS: u32 = 500;

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Lines of each node's log that a failure shows.
const LOG_LINES: usize = 25;

/// What a node says of itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) height: u64,
    pub(crate) block: String,
    pub(crate) state_root: String,
    pub(crate) epoch: u64,
    pub(crate) waiting: usize,
}

/// A validator: its files, and its process while it runs.
struct Node {
    /// `tieline`, or what takes its arguments.
    program: PathBuf,
    /// What the program is started by, such as `ip netns exec NAME`.
    inside: Vec<String>,
    api: SocketAddr,
    child: Option<Child>,
}

/// A chain in a folder of its name; its nodes are numbered from 1. All processes end with it.
pub(crate) struct Fleet {
    pub(crate) ground: Rc<Ground>,
    pub(crate) chain: String,
    nodes: Vec<Node>,
    _ports: Ports,
}

impl Fleet {
    /// Four validators, with these additional arguments of `tieline chain init`; no process runs yet.
    pub(crate) fn found(ground: &Rc<Ground>, chain: &str, arguments: &[&str]) -> Fleet {
        let ports = Ports::take();
        let base = format!("127.0.0.1:{}", ports.first);
        // Chains share no keys.
        let seed: u64 = chain.bytes().map(u64::from).sum();
        let seed = seed.to_string();
        let init = ["chain", "init", chain, "--chain", chain, "--seed", &seed];
        let all = [&init[..], &["--listen-base", &base], arguments].concat();
        ground.run(&all).expect(0);
        ground.write("phrase", PHRASE);
        let private = Permissions::from_mode(0o600);
        fs::set_permissions(ground.path("phrase"), private).unwrap();
        let mut fleet = Fleet {
            ground: ground.clone(),
            chain: chain.to_owned(),
            nodes: Vec::new(),
            _ports: ports,
        };
        let validators = fleet.genesis().document().validators.validators.len();
        for _ in 0..validators {
            fleet.adopt();
        }
        fleet
    }

    pub(crate) fn genesis(&self) -> Genesis {
        self.ground.genesis(&self.chain)
    }

    /// The key of a member that was founded with this chain.
    pub(crate) fn member(&self, id: &str) -> SigningKey {
        self.ground.member(&self.chain, id)
    }

    /// Numbers of all nodes.
    pub(crate) fn all(&self) -> Vec<usize> {
        (1..=self.nodes.len()).collect()
    }

    pub(crate) fn folder(&self, node: usize) -> PathBuf {
        self.ground.path(&format!("{}/node-{node}", self.chain))
    }

    pub(crate) fn data(&self, node: usize) -> PathBuf {
        self.folder(node).join("data")
    }

    /// A node whose folder was made after the chain was founded; the next number.
    pub(crate) fn adopt(&mut self) {
        self.nodes.push(Node {
            program: env!("CARGO_BIN_EXE_tieline").into(),
            inside: Vec::new(),
            api: SocketAddr::from(([0, 0, 0, 0], 0)),
            child: None,
        });
        self.heartbeat(self.nodes.len(), HEARTBEAT_MS);
    }

    /// Where programs reach a node.
    pub(crate) fn url(&self, node: usize) -> String {
        format!("http://{}", self.nodes[node - 1].api)
    }

    /// Changes a node's node.toml; the process has to be started anew.
    pub(crate) fn edit(&mut self, node: usize, change: impl FnOnce(String) -> String) {
        let file = self.folder(node).join("node.toml");
        let text = change(fs::read_to_string(&file).unwrap());
        let parsed: toml::Table = text.parse().unwrap();
        self.nodes[node - 1].api = parsed["api"].as_str().unwrap().parse().unwrap();
        fs::write(file, text).unwrap();
    }

    /// Where a node listens for other validators, and for programs.
    pub(crate) fn addresses(&self, node: usize) -> [String; 2] {
        let text = fs::read_to_string(self.folder(node).join("node.toml")).unwrap();
        let parsed: toml::Table = text.parse().unwrap();
        ["listen", "api"].map(|field| parsed[field].as_str().unwrap().to_owned())
    }

    pub(crate) fn heartbeat(&mut self, node: usize, milliseconds: u32) {
        self.edit(node, |text| {
            let line = |line: &str| match line.starts_with("heartbeat_ms = ") {
                true => format!("heartbeat_ms = {milliseconds}\n"),
                false => format!("{line}\n"),
            };
            text.lines().map(line).collect()
        });
    }

    /// From its next start on, a node is this program, which takes the arguments of `tieline`.
    pub(crate) fn program(&mut self, node: usize, program: &Path) {
        self.nodes[node - 1].program = program.to_owned();
    }

    /// From its next start on, a node is started by this command, such as `ip netns exec NAME`.
    pub(crate) fn inside(&mut self, node: usize, command: &[&str]) {
        let words = command.iter().map(|word| (*word).to_owned());
        self.nodes[node - 1].inside = words.collect();
    }
}

/// Processes.
impl Fleet {
    /// Starts a node's process; it may not answer yet when this returns.
    pub(crate) fn start(&mut self, node: usize) {
        let folder = self.folder(node);
        let mut log = OpenOptions::new();
        let mut log = log.create(true).append(true).open(self.log(node)).unwrap();
        writeln!(log, "-- started").unwrap();
        let one = &mut self.nodes[node - 1];
        assert!(one.child.is_none(), "node {node} is running");
        let program = one.program.display().to_string();
        let words = [&one.inside[..], &[program]].concat();
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .args(["node", &folder.display().to_string(), "--passphrase-file"])
            .arg(self.ground.path("phrase"))
            .env_clear()
            .current_dir(self.ground.path("."))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        one.child = Some(command.spawn().unwrap());
    }

    /// Starts all that do not run, and waits until they answer.
    pub(crate) fn start_all(&mut self) {
        for node in self.all() {
            if self.nodes[node - 1].child.is_none() {
                self.start(node);
            }
        }
        self.wait("all nodes answer", 30, |fleet| {
            let answered = |node| fleet.status(node).is_some();
            fleet.all().into_iter().all(answered).then_some(())
        });
    }

    /// kill -9.
    pub(crate) fn kill(&mut self, node: usize) {
        let mut child = self.nodes[node - 1].child.take().expect("it runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// The signal of a service manager; how the process ended.
    pub(crate) fn end(&mut self, node: usize) -> ExitStatus {
        let child = self.nodes[node - 1].child.as_ref().expect("it runs");
        let id = child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status();
        assert!(sent.unwrap().success());
        self.ended(node)
    }

    /// How a process ended, which is waited for.
    pub(crate) fn ended(&mut self, node: usize) -> ExitStatus {
        let mut child = self.nodes[node - 1].child.take().expect("it was started");
        let limit = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status;
            }
            if Instant::now() > limit {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("node {node} did not end\n{}", self.logs());
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Forgets everything that a node that does not run has on its disk, but its settings and keys.
    pub(crate) fn wipe(&self, node: usize) {
        assert!(self.nodes[node - 1].child.is_none(), "node {node} runs");
        fs::remove_dir_all(self.data(node)).unwrap();
    }

    /// What a node has printed since its last start.
    pub(crate) fn said(&self, node: usize) -> String {
        let text = fs::read_to_string(self.log(node)).unwrap_or_default();
        let last = text.rsplit("-- started\n").next();
        last.unwrap_or_default().to_owned()
    }

    fn log(&self, node: usize) -> PathBuf {
        self.ground.path(&format!("{}-node-{node}.log", self.chain))
    }
}

/// What nodes say.
impl Fleet {
    /// What a node's API answers; `None` where there is no answer.
    pub(crate) fn ask(&self, node: usize, request: &[u8]) -> Option<Answer> {
        exchange(self.nodes[node - 1].api, request)
    }

    pub(crate) fn get(&self, node: usize, path: &str) -> Option<Answer> {
        self.ask(node, &get(path))
    }

    pub(crate) fn status(&self, node: usize) -> Option<Status> {
        let answer = self.get(node, "/v1/status")?.expect(200);
        Some(serde_json::from_slice(&answer.body).unwrap())
    }

    /// The height of a node; 0 for one that does not answer.
    pub(crate) fn height(&self, node: usize) -> u64 {
        self.status(node).map_or(0, |status| status.height)
    }

    /// The answer to a transaction, by a node that runs.
    pub(crate) fn submit(&self, node: usize, transaction: &Transaction) -> Answer {
        let request = post("/v1/transactions", &transaction.to_bytes());
        let answer = self.ask(node, &request);
        answer.unwrap_or_else(|| panic!("node {node} does not answer\n{}", self.logs()))
    }

    /// Gives a node a transaction that it has to take; its name.
    pub(crate) fn send(&self, node: usize, transaction: &Transaction) -> String {
        let answer = self.submit(node, transaction);
        assert_eq!(
            answer.code,
            202,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        answer.json()["transaction"].as_str().unwrap().to_owned()
    }

    /// Where a transaction is, once it is final on a node.
    pub(crate) fn final_on(&self, node: usize, name: &str) -> Option<serde_json::Value> {
        let answer = self.get(node, &format!("/v1/transactions/{name}"))?;
        let found = (answer.code == 200).then(|| answer.json())?;
        (found["state"] == "final").then_some(found)
    }
}

/// Waiting.
impl Fleet {
    /// Waits until something is there, at most so many seconds; a node that ends meanwhile by itself is a failure too.
    #[track_caller]
    pub(crate) fn wait<T>(
        &mut self,
        what: &str,
        seconds: u64,
        look: impl Fn(&Fleet) -> Option<T>,
    ) -> T {
        let limit = Instant::now() + Duration::from_secs(seconds);
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            let ended = self.ended_by_itself();
            let late = Instant::now() > limit;
            assert!(ended.is_none(), "node {ended:?} has ended\n{}", self.logs());
            assert!(!late, "not within {seconds} s: {what}\n{}", self.logs());
            std::thread::sleep(LOOK);
        }
    }

    /// Waits until these nodes have this height.
    #[track_caller]
    pub(crate) fn wait_height(&mut self, nodes: &[usize], height: u64) {
        let what = format!("nodes {nodes:?} at height {height}");
        self.wait(&what, 60, |fleet| {
            let there = |node: &usize| fleet.height(*node) >= height;
            nodes.iter().all(there).then_some(())
        });
    }

    /// Waits until a transaction is final on these nodes; its height and outcome, the same on all.
    #[track_caller]
    pub(crate) fn wait_final(&mut self, nodes: &[usize], name: &str) -> serde_json::Value {
        let what = format!("transaction {name} is final on {nodes:?}");
        let all: Vec<_> = self.wait(&what, 60, |fleet| {
            let found = nodes.iter().map(|node| fleet.final_on(*node, name));
            found.collect()
        });
        assert!(all.iter().all(|one| *one == all[0]), "{all:?}");
        all[0].clone()
    }

    fn ended_by_itself(&mut self) -> Option<(usize, ExitStatus)> {
        let mut nodes = self.nodes.iter_mut().enumerate();
        nodes.find_map(|(index, node)| {
            let ended = node.child.as_mut()?.try_wait().unwrap()?;
            Some((index + 1, ended))
        })
    }

    /// State and last log lines of every node.
    pub(crate) fn logs(&self) -> String {
        let mut text = String::new();
        for node in self.all() {
            let status = self.status(node);
            let log = fs::read_to_string(self.log(node)).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(LOG_LINES)..];
            let _ = write!(
                text,
                "== {} node {node}: {status:?}\n{}\n",
                self.chain,
                last.join("\n")
            );
        }
        text
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let children = self.nodes.iter_mut().filter_map(|node| node.child.as_mut());
        for child in children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Sends bytes and reads what comes until the end; `None` where nobody is there or says all of it.
fn exchange(address: SocketAddr, request: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    let limit = Some(Duration::from_secs(5));
    stream.set_read_timeout(limit).unwrap();
    // A server that has read enough may close first.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, body) = answer.split_at(end + 4);
    let head = String::from_utf8(head.to_vec()).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_it = name.eq_ignore_ascii_case("content-length");
        is_it.then(|| value.trim().parse::<usize>().unwrap())
    });
    // A process that was killed while it answered.
    let whole = length.is_none_or(|length| length == body.len());
    whole.then(|| Answer {
        code: head[9..12].parse().unwrap(),
        body: body.to_vec(),
        head,
    })
}
