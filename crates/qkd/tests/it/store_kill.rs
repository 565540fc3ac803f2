//! Two real processes on a real disk, each killed at random points while both use both lanes.
//!
//! The test program starts itself twice: each copy runs `child`, a consumer with a store, which enters every pad into a
//! log the moment it has it. The test carries messages and keys between the two, kills one of them again and again, and
//! in the end reads both logs.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tieline_qkd::store::{KeyId, Lane, Message, NewKey, Settings, Store, StoreError};
use tieline_units::Time;
use zeroize::Zeroizing;

use crate::store_pair::{Book, Manager, sae, secret};
use crate::support::{seed_or, slow};

const NAMES: [&str; 2] = ["a", "b"];
const WINDOW: u64 = 512;
const KEY_WORDS: u32 = 64;
const DRAW_BITS: usize = 256;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

fn wall() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Time::from_millis(since.as_millis() as u64)
}

/// What a child runs; does nothing in the test proper.
#[test]
fn child() {
    let Ok(folder) = env::var("TIELINE_STORE_CHILD") else {
        return;
    };
    let folder = PathBuf::from(folder);
    let end: usize = env::var("TIELINE_STORE_END").unwrap().parse().unwrap();
    Consumer::start(&folder, end).run();
}

struct Consumer {
    store: Store,
    out: Lane,
    log: File,
    orders: Receiver<String>,
}

impl Consumer {
    fn start(folder: &Path, end: usize) -> Consumer {
        let settings = Settings {
            window_bytes: WINDOW,
            retry_ms: 20,
            low_bytes: 0,
            ..Settings::default()
        };
        let (name, peer) = (sae(NAMES[end]), sae(NAMES[1 - end]));
        let mut store =
            Store::open(&folder.join(NAMES[end]), name.clone(), &secret(), settings).unwrap();
        store.add_peer(&peer).unwrap();
        let log = folder.join(format!("{}.log", NAMES[end]));
        let (order, orders) = channel();
        thread::spawn(move || {
            for line in std::io::stdin().lines() {
                let Ok(()) = order.send(line.unwrap()) else {
                    break;
                };
            }
        });
        Consumer {
            store,
            out: Lane::new(name, peer).unwrap(),
            log: OpenOptions::new()
                .create(true)
                .append(true)
                .open(log)
                .unwrap(),
            orders,
        }
    }

    fn say(&self, line: &str) {
        let mut out = std::io::stdout().lock();
        let said = writeln!(out, "@{line}").and_then(|()| out.flush());
        if said.is_err() {
            std::process::exit(0);
        }
    }

    fn note(&self, message: &Message) {
        self.say(&format!(
            "N {} {}",
            message.kind(),
            hex(&message.to_bytes())
        ));
    }

    fn run(mut self) {
        loop {
            match self.orders.recv_timeout(Duration::from_millis(2)) {
                Ok(line) => self.obey(&line),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            for message in self.store.poll(wall()).unwrap() {
                self.note(&message);
            }
            for _ in 0..4 {
                let lane = self.out.clone();
                let Ok(pad) = self.store.draw(&lane, DRAW_BITS) else {
                    break;
                };
                let position = pad.position();
                self.used('o', position, &pad.into_bytes());
                self.say(&format!("S {position}"));
            }
        }
    }

    fn used(&mut self, way: char, position: u64, bytes: &[u8]) {
        let line = format!("{way} {position} {}\n", hex(bytes));
        self.log.write_all(line.as_bytes()).unwrap();
    }

    fn obey(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let back = self.out.back();
        match words[0] {
            "N" => {
                let answer = self.store.reconcile_bytes(wall(), &unhex(words[1]));
                match answer {
                    Ok(Some(message)) => self.note(&message),
                    Ok(None) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            "S" => {
                let position: u64 = words[1].parse().unwrap();
                match self.store.draw_at(&back, position, DRAW_BITS) {
                    Ok(pad) => self.used('i', position, &pad.into_bytes()),
                    Err(StoreError::Disk(error)) => panic!("{error}"),
                    Err(_) => {}
                }
            }
            "K" | "F" => {
                let lane = if words[0] == "K" {
                    self.out.clone()
                } else {
                    back
                };
                let keys = words[1..].chunks(2).map(|key| NewKey {
                    id: KeyId::parse(key[0]).unwrap(),
                    material: Zeroizing::new(unhex(key[1])),
                });
                self.store.admit(wall(), &lane, keys.collect()).unwrap();
            }
            "A" => {
                let mut sums = Vec::new();
                for lane in [&self.out, &back] {
                    let account = self.store.account(lane).unwrap();
                    let rest = account.waiting + account.stock + account.reserved + account.spent;
                    assert_eq!(account.admitted, rest + account.lost);
                    sums.push(format!("{} {}", account.admitted, account.lost));
                }
                self.say(&format!("A {}", sums.join(" ")));
            }
            order => panic!("no such order: {order}"),
        }
    }
}

struct Running {
    process: Child,
    stdin: ChildStdin,
}

struct Stage {
    folder: PathBuf,
    running: [Option<Running>; 2],
    lines: Receiver<(usize, String)>,
    line: Sender<(usize, String)>,
    manager: Manager,
    sealed: [usize; 2],
    /// Admitted and lost bits of the lane out and the lane back.
    account: [Option<Vec<u64>>; 2],
}

impl Stage {
    fn new(folder: &Path) -> Stage {
        let (line, lines) = channel();
        let mut stage = Stage {
            folder: folder.to_owned(),
            running: [None, None],
            lines,
            line,
            manager: Manager::default(),
            sealed: [0; 2],
            account: [None, None],
        };
        (0..2).for_each(|end| stage.start(end));
        stage
    }

    fn start(&mut self, end: usize) {
        let mut process = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "store_kill::child",
                "--nocapture",
                "--test-threads=1",
            ])
            .env("TIELINE_STORE_CHILD", &self.folder)
            .env("TIELINE_STORE_END", end.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(self.folder.join(format!("{end}.err"))).unwrap())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let line = self.line.clone();
        thread::spawn(move || {
            let mut stdout = stdout;
            let mut text = String::new();
            while stdout.read_line(&mut text).is_ok_and(|bytes| bytes > 0) {
                // A line without an end was cut short by a kill. What the test harness prints has no `@`.
                if let Some((_, said)) = text.split_once('@')
                    && let Some(said) = said.strip_suffix('\n')
                {
                    let _ = line.send((end, said.to_owned()));
                }
                text.clear();
            }
        });
        let stdin = process.stdin.take().unwrap();
        self.running[end] = Some(Running { process, stdin });
    }

    fn kill(&mut self, end: usize) {
        let mut running = self.running[end].take().unwrap();
        running.process.kill().unwrap();
        running.process.wait().unwrap();
    }

    fn order(&mut self, end: usize, line: &str) {
        if let Some(running) = &mut self.running[end] {
            let _ = writeln!(running.stdin, "{line}");
        }
    }

    fn supply(&mut self, end: usize, keys: usize) {
        let keys = (0..keys).map(|_| self.manager.make(KEY_WORDS));
        let keys: Vec<String> = keys
            .map(|key| format!("{} {}", key.id, hex(&key.material)))
            .collect();
        self.order(end, &format!("K {}", keys.join(" ")));
    }

    /// Carries lines between the two for a while.
    fn carry(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            let Ok((end, line)) = self.lines.recv_timeout(left) else {
                return;
            };
            let words: Vec<&str> = line.split(' ').collect();
            match words[0] {
                "N" => {
                    let message = Message::from_bytes(&unhex(words[2])).unwrap();
                    let fetched = self.manager.fetch(&message.offered_keys());
                    if !fetched.is_empty() {
                        let keys = fetched
                            .iter()
                            .map(|key| format!(" {} {}", key.id, hex(&key.material)));
                        self.order(1 - end, &format!("F{}", keys.collect::<String>()));
                    }
                    self.order(1 - end, &format!("N {}", words[2]));
                }
                "S" => {
                    self.sealed[end] += 1;
                    self.order(1 - end, &line);
                    // What goes is replaced, so that neither end runs dry.
                    if self.sealed[end].is_multiple_of(6) {
                        self.supply(end, 1);
                    }
                }
                "A" => {
                    let sums = words[1..].iter().map(|sum| sum.parse().unwrap());
                    self.account[end] = Some(sums.collect());
                }
                _ => panic!("{line}"),
            }
        }
    }

    /// Carries until something holds. How soon it does depends on the machine: what one has said waits behind all that
    /// the other, which was not killed last, goes on to say.
    fn carry_until(&mut self, holds: impl Fn(&Stage) -> bool) -> bool {
        let began = Instant::now();
        while !holds(self) && began.elapsed() < Duration::from_secs(60) {
            self.carry(Duration::from_millis(500));
        }
        holds(self)
    }

    /// In the end both still work.
    fn go_on(&mut self) {
        let before = self.sealed;
        (0..2).for_each(|end| self.supply(end, 32));
        let both = self.carry_until(|stage| (0..2).all(|end| stage.sealed[end] > before[end]));
        let errors = [0, 1].map(|end| fs::read_to_string(self.folder.join(format!("{end}.err"))));
        let after = self.sealed;
        assert!(both, "both ends go on: {before:?}, {after:?}; {errors:?}");
    }

    fn accounts(&mut self) -> [Vec<u64>; 2] {
        (0..2).for_each(|end| self.order(end, "A"));
        let both = self.carry_until(|stage| stage.account.iter().all(Option::is_some));
        assert!(both, "both ends account for their keys");
        self.account.clone().map(Option::unwrap)
    }

    /// Reads both logs into a book; returns the words of each.
    fn read_logs(&self) -> usize {
        let mut book = Book::default();
        for end in 0..2 {
            let text = fs::read_to_string(self.folder.join(format!("{}.log", NAMES[end])));
            let text = text.unwrap_or_default();
            for line in text.lines() {
                let words: Vec<&str> = line.split(' ').collect();
                let out = Lane::new(sae(NAMES[end]), sae(NAMES[1 - end])).unwrap();
                let lane = if words[0] == "o" { out } else { out.back() };
                let position = words[1].parse().unwrap();
                book.enter(&sae(NAMES[end]), &lane, position, &unhex(words[2]));
            }
        }
        book.words
    }
}

#[test]
fn attack_03_no_key_is_used_twice_when_either_process_is_killed_at_random_points() {
    let kills = if slow() { 500 } else { 20 };
    let folder = tempfile::tempdir().unwrap();
    let seed = seed_or(3);
    eprintln!("TIELINE_SEED={seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut stage = Stage::new(folder.path());
    (0..2).for_each(|end| stage.supply(end, 32));
    stage.carry(Duration::from_millis(400));
    for _ in 0..kills {
        let end = (random.next_u64() % 2) as usize;
        let wait = random.next_u64() % 180;
        stage.carry(Duration::from_millis(wait));
        stage.kill(end);
        stage.start(end);
        stage.supply(end, 8);
    }
    stage.go_on();
    let accounts = stage.accounts();
    (0..2).for_each(|end| stage.kill(end));
    let words = stage.read_logs();
    let lost: u64 = accounts.iter().map(|sums| sums[1] + sums[3]).sum();
    eprintln!(
        "{kills} kills: {words} words used at both ends, {} pads sealed, {} bits lost per kill at both ends and lanes together",
        stage.sealed[0] + stage.sealed[1],
        lost / kills
    );
    assert!(words > 500);
}
