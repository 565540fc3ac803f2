//! Certificates carried between nodes over HTTP.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tieline::node::carry::{Address, Carrier, Pass, Totals};
use tieline_chain::relay::Limits;
use tieline_contract::state::Account;
use tieline_contract::terms::{OrderId, Request};
use tieline_contract::trade::{BuyerState, SellerState, VppState};
use tieline_contract::transaction::Transaction;
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::{START, Village, accept, deposit, key_return, metered, request};
use tieline_units::{Energy, Money};

use super::town::{Town, ask, block, get, post};
use crate::support::tieline;

/// Time of the chains between two blocks, and of the test.
const HOP_MS: u64 = 5_000;
const TICK: Duration = Duration::from_millis(50);
/// A slow machine has this long for what takes seconds.
const PATIENCE: Duration = Duration::from_secs(240);

struct Trade {
    town: Town,
    order: Arc<Request>,
    done: BTreeSet<&'static str>,
}

impl Trade {
    fn new() -> Trade {
        Trade {
            town: Town::new(4),
            order: request(Village::default().terms(), 1),
            done: BTreeSet::new(),
        }
    }

    fn carrier(&self) -> Carrier {
        let limits = Limits {
            pause_max_ms: 2 * HOP_MS,
            ..Limits::default()
        };
        Carrier::new(self.town.addresses(), Arc::new(Symbolic), limits)
    }

    fn id(&self) -> OrderId {
        self.order.order()
    }

    fn buyer(&self) -> Option<BuyerState> {
        let order = self.id();
        self.town.look(0, |replica| {
            let purchase = replica.ledger().state().purchase(order);
            purchase.map(|purchase| purchase.state)
        })
    }

    fn seller(&self) -> Option<SellerState> {
        let order = self.id();
        self.town.look(1, |replica| {
            let sale = replica.ledger().state().sale(order);
            sale.map(|sale| sale.state)
        })
    }

    fn vpp(&self) -> Option<VppState> {
        let order = self.id();
        self.town.look(2, |replica| {
            let settling = replica.ledger().state().settling(order);
            settling.map(|settling| settling.state)
        })
    }

    fn settled(&self) -> bool {
        (self.buyer(), self.seller(), self.vpp())
            == (
                Some(BuyerState::Settled),
                Some(SellerState::Settled),
                Some(VppState::Settled),
            )
    }

    fn act(&mut self, what: &'static str, ready: bool, on: usize, transaction: &Transaction) {
        if ready && !self.done.contains(what) && self.town.submit(on, transaction).code == 202 {
            self.done.insert(what);
        }
    }

    /// Once each, over the API, as soon as the ledgers allow.
    fn members_act(&mut self) {
        let money = Money::from_millionths(50_000_000);
        self.act("money x", true, 2, &deposit(0, "mg-x", money));
        let paid = self.done.contains("money x");
        self.act("money y", paid, 2, &deposit(1, "mg-y", money));
        let funded = |on, who| self.town.balance(on, who) != Money::ZERO;
        let ready = funded(0, "mg-x") && funded(1, "mg-y");
        let order = self.order.clone();
        let wanted = Transaction::Request(order.clone());
        self.act("request", ready, 0, &wanted);
        let offered = self.seller() == Some(SellerState::Offered);
        self.act("accept", offered, 1, &accept(&order.terms, order.order()));
        let bound = self.buyer() == Some(BuyerState::Committed);
        self.act("key", bound, 0, &key_return(&order.terms, order.order()));
        let end = order.terms.end();
        if bound && self.seller() == Some(SellerState::Confirmed) {
            let clock = &self.town.clock;
            clock.fetch_max(end.as_millis(), Ordering::SeqCst);
        }
        let over = self.town.now() >= end;
        let energy = Energy::from_millijoules(8_000_000_000);
        let readings = [
            ("meter y", 1, metered("chain-y", "mg-y", START, energy)),
            ("meter x", 0, metered("chain-x", "mg-x", START, -energy)),
        ];
        for (what, on, reading) in readings {
            self.act(what, over, on, &reading);
        }
    }

    /// What is in all accounts of a ledger.
    fn books(&self, on: usize) -> BTreeMap<Account, Money> {
        self.town.look(on, |replica| {
            let accounts = replica.ledger().state().accounts();
            accounts.map(|(of, money)| (of.clone(), money)).collect()
        })
    }

    /// Blocks on a timer, members and a relayer until the order is settled; `kill` says after each pass whether the relayer
    /// dies and an empty one begins.
    fn run(&mut self, mut kill: impl FnMut(&Trade, &Pass) -> bool) -> Totals {
        let ended = Arc::new(AtomicBool::new(false));
        let (nodes, clock) = (self.town.nodes.clone(), self.town.clock.clone());
        let stop = ended.clone();
        let timer = std::thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                let now = clock.fetch_add(HOP_MS, Ordering::SeqCst) + HOP_MS;
                for of_chain in &nodes {
                    block(of_chain, tieline_units::Time::from_millis(now));
                }
                std::thread::sleep(TICK);
            }
        });
        let (started, mut totals) = (Instant::now(), Totals::default());
        let mut carrier = self.carrier();
        // What is said at the end comes over, too.
        let mut afterwards = 0;
        while afterwards < 20 {
            afterwards += usize::from(self.settled());
            let states = (self.buyer(), self.seller(), self.vpp());
            assert!(started.elapsed() < PATIENCE, "{states:?} {totals}");
            self.members_act();
            let pass = self.town.runtime.block_on(carrier.pass(self.town.now()));
            totals.add(&pass);
            if kill(self, &pass) {
                carrier = self.carrier();
            }
            std::thread::sleep(TICK);
        }
        ended.store(true, Ordering::SeqCst);
        timer.join().unwrap();
        totals
    }
}

#[test]
fn an_order_is_settled_on_three_chains_although_its_relayer_dies_in_the_middle() {
    let mut trade = Trade::new();
    let mut killed = 0;
    let totals = trade.run(|trade, _| {
        // Once when the request is to come over, once when the buyer is bound.
        let due = match killed {
            0 => trade.done.contains("request"),
            1 => trade.buyer() == Some(BuyerState::Committed),
            _ => false,
        };
        killed += usize::from(due);
        due
    });
    assert_eq!(killed, 2);
    assert_eq!(totals.lost, 0, "{totals}");
    // Money only moved, and none is held back.
    let order = trade.id();
    for on in 0..3 {
        let books = trade.books(on);
        let sum = books.values().fold(Money::ZERO, |sum, money| sum + *money);
        assert_eq!(sum, Money::ZERO, "{books:?}");
        let held = [
            Account::Escrow(order),
            Account::Bond(order),
            Account::Dispute(order),
        ];
        let held = held.map(|account| books.get(&account).copied().unwrap_or(Money::ZERO));
        assert_eq!(held, [Money::ZERO; 3], "{books:?}");
    }
    let deposited = Money::from_millionths(50_000_000);
    // Over all ledgers: the buyer has paid, the seller has earned.
    let has = |who| (0..3).fold(Money::ZERO, |sum, on| sum + trade.town.balance(on, who));
    let (buyer, seller) = (has("mg-x"), has("mg-y"));
    assert!(buyer < deposited && seller > deposited, "{buyer} {seller}");
    // Whoever comes now finds nothing to carry.
    let mut fresh = trade.carrier();
    let pass = trade.town.runtime.block_on(fresh.pass(trade.town.now()));
    assert_eq!((pass.nodes, pass.chains, pass.planned), (12, 3, 0));
}

#[test]
fn nodes_that_are_gone_are_left_alone_and_the_others_do_their_work() {
    let mut trade = Trade::new();
    // One node of each chain, never the proposer: three signatures are enough.
    for of_chain in &mut trade.town.servers {
        of_chain[3].stop.take();
    }
    std::thread::sleep(Duration::from_millis(200));
    let mut warned = 0;
    trade.run(|_, pass| {
        warned += pass.warnings.len();
        assert!(pass.nodes <= 9);
        false
    });
    // Growing pauses: far fewer than passes.
    assert!(warned >= 3, "{warned}");
}

#[test]
fn addresses_are_read_strictly() {
    for url in [
        "http://127.0.0.1:4701",
        "http://[::1]:80/",
        "http://node-1.example:4701",
    ] {
        assert!(Address::parse(url).is_ok(), "{url}");
    }
    for url in [
        "",
        "127.0.0.1:1",
        "https://h:1",
        "http://h",
        "http://:1",
        "http://h:0",
        "http://h:99999",
        "http://h:1/path",
        "http://u@h:1",
        "http://h h:1",
        "http://h:1?x",
    ] {
        assert!(Address::parse(url).is_err(), "{url}");
    }
}

#[test]
fn the_command_looks_once_and_says_what_it_saw() {
    let town = Town::new(1);
    let urls: Vec<String> = town.servers.iter().map(|of| of[0].url()).collect();
    let nodes = ["--node", &urls[0], "--node", &urls[1], "--node", &urls[2]];
    let ran = tieline(&[&["relay", "--once", "--json"][..], &nodes].concat()).expect(0);
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
    let pass = ran.json();
    assert_eq!(pass["schema"], "tieline.relay.pass/1");
    assert_eq!((&pass["nodes"], &pass["chains"]), (&3.into(), &3.into()));
    assert!(ran.stderr.contains("1 passes"), "{}", ran.stderr);
}

#[test]
fn the_command_says_no_where_no_node_answers() {
    let ran = tieline(&["relay", "--once", "--node", "http://127.0.0.1:1"]).expect(1);
    assert!(ran.stderr.contains("does not answer"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: --node"), "{}", ran.stderr);
    tieline(&["relay"]).expect(2);
    tieline(&["relay", "--node", "ftp://x"]).expect(2);
}

#[test]
fn the_command_shows_figures_and_ends_cleanly_when_interrupted() {
    let town = Town::new(1);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let metrics = free.local_addr().unwrap();
    drop(free);
    let mut relay = std::process::Command::new(env!("CARGO_BIN_EXE_tieline"))
        .args([
            "relay",
            "--every",
            "50",
            "--node",
            &town.servers[0][0].url(),
        ])
        .args(["--metrics", &metrics.to_string()])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let shown = loop {
        assert!(started.elapsed() < PATIENCE);
        std::thread::sleep(TICK);
        if std::net::TcpStream::connect(metrics).is_ok() {
            let page = ask(metrics, &get("/metrics")).expect(200);
            let text = String::from_utf8(page.body).unwrap();
            if !text.contains("passes_total 0\n") {
                break text;
            }
        }
    };
    assert!(shown.contains("tieline_relay_nodes 1\n"), "{shown}");
    ask(metrics, &get("/")).expect(404);
    ask(metrics, &post("/metrics", b"")).expect(405);
    let id = relay.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &id])
        .status();
    assert!(sent.unwrap().success());
    assert_eq!(relay.wait().unwrap().code(), Some(0));
    let mut said = String::new();
    std::io::Read::read_to_string(&mut relay.stderr.take().unwrap(), &mut said).unwrap();
    assert!(said.contains("certificates taken"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

/// Answers everything with a status of chain X, far ahead, on another genesis.
fn liar() -> Address {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let body = format!(
        "{{\"chain\":\"chain-x\",\"genesis\":\"0{}\",\"height\":999,\"state_root\":\"\"}}",
        "1".repeat(63)
    );
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
            );
            let _ = std::io::Write::write_all(&mut stream, answer.as_bytes());
        }
    });
    Address::parse(&format!("http://{address}")).unwrap()
}

#[test]
fn a_node_of_another_genesis_is_outvoted() {
    let town = Town::new(2);
    let mut nodes = vec![liar()];
    nodes.extend(town.addresses());
    let mut carrier = Carrier::new(nodes, Arc::new(Symbolic), Limits::default());
    for time in 0..3 {
        let pass = town.runtime.block_on(carrier.pass(town.now()));
        assert_eq!((pass.nodes, pass.chains), (7, 3), "{pass:?}");
        // Said once.
        assert_eq!(pass.warnings.len(), usize::from(time == 0), "{pass:?}");
        let warnings = pass.warnings.iter();
        assert!(
            warnings
                .clone()
                .all(|text| text.contains("another chain-x"))
        );
    }
}
