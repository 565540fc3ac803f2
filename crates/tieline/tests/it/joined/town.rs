//! Chains X and Y of a microgrid each, the VPP's chain Z, four processes for each chain, and a relayer in one more.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tieline::node::NodeSettings;
use tieline_chain::ledger::Ledger;
use tieline_chain::records;
use tieline_chain::store::Store;
use tieline_contract::settlement::Metering;
use tieline_contract::state::Account;
use tieline_contract::terms::{CODE_VERSION, OrderId, Terms, VERSION};
use tieline_contract::trade::{BuyerState, Purchase, Sale, SellerState, Settling, VppState};
use tieline_contract::transaction::Transaction;
use tieline_seal::hybrid::Strict;
use tieline_units::canonical::Canonical;
use tieline_units::{Currency, Digest, Energy, Money, Price, Time};

use super::hands::{Grid, Vpp, id};
use crate::chain::ground::Ground;
use crate::fleet::ground::Fleet;

pub(crate) const X: usize = 0;
pub(crate) const Y: usize = 1;
pub(crate) const Z: usize = 2;
const CHAINS: [&str; 3] = ["chain-x", "chain-y", "chain-z"];

/// What each microgrid deposits.
pub(crate) const FUNDS: Money = Money::from_millionths(50_000_000);

/// Milliseconds between blocks while nothing happens: twelve nodes share a machine.
const HEARTBEAT_MS: u32 = 2_000;

/// Where an order is: on X, on Y, on Z.
pub(crate) type Standing = (Option<BuyerState>, Option<SellerState>, Option<VppState>);

/// A relayer's process; it ends with this.
struct Relayer(Child);

impl Drop for Relayer {
    fn drop(&mut self) {
        // kill -9; it may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Twelve nodes, two microgrids, at most one relayer.
pub(crate) struct Town {
    pub(crate) fleets: [Fleet; 3],
    pub(crate) buyer: Grid,
    pub(crate) seller: Grid,
    vpp: Vpp,
    relayer: Option<Relayer>,
    relayers: usize,
    turn: usize,
}

/// The clock of everybody.
pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Time::from_millis(u64::try_from(since.as_millis()).unwrap())
}

/// Makes market intervals of a chain that was founded so many minutes long.
fn shorten(ground: &Ground, fleet: &mut Fleet, minutes: u64) {
    let file = format!("{}/genesis.toml", fleet.chain);
    let (text, before) = (ground.text(&file), fleet.genesis().hash().to_string());
    let line = "interval_minutes = 15";
    assert!(text.contains(line), "{text}");
    ground.write(
        &file,
        text.replace(line, &format!("interval_minutes = {minutes}")),
    );
    let after = fleet.genesis().hash().to_string();
    for node in fleet.all() {
        fleet.edit(node, |text| text.replace(&before, &after));
    }
}

impl Town {
    /// Founded and running, with market intervals of so many minutes; nobody knows of anybody else yet.
    pub(crate) fn found(minutes: u64) -> Town {
        let ground = Rc::new(Ground::new());
        let mut z = Fleet::found(&ground, CHAINS[Z], &[]);
        shorten(&ground, &mut z, minutes);
        let vpp = ["--vpp", "chain-z/genesis.toml", "--member"];
        let with = |chain, member| Fleet::found(&ground, chain, &[&vpp[..], &[member]].concat());
        let x = with(CHAINS[X], "mg-x:microgrid:1000");
        let y = with(CHAINS[Y], "mg-y:microgrid:1000");
        let mut fleets = [x, y, z];
        for fleet in &mut fleets {
            for node in fleet.all() {
                fleet.heartbeat(node, HEARTBEAT_MS);
            }
            fleet.start_all();
        }
        Town {
            buyer: Grid::of(&ground, CHAINS[X], "mg-x"),
            seller: Grid::of(&ground, CHAINS[Y], "mg-y"),
            vpp: Vpp::of(&ground, CHAINS[Z]),
            fleets,
            relayer: None,
            relayers: 0,
            turn: 0,
        }
    }

    /// Starts a relayer that knows nothing but where all nodes are, and looks every so many milliseconds.
    pub(crate) fn relay(&mut self, every_ms: u64) {
        assert!(self.relayer.is_none(), "one at a time");
        self.relayers += 1;
        let ground = &self.fleets[Z].ground;
        let log = ground.path(&format!("relay-{}.log", self.relayers));
        let log = File::create(log).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tieline"));
        command.args(["relay", "--every", &every_ms.to_string()]);
        for fleet in &self.fleets {
            for node in fleet.all() {
                command.args(["--node", &fleet.url(node)]);
            }
        }
        command
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        self.relayer = Some(Relayer(command.spawn().unwrap()));
    }

    /// kill -9 of the relayer: all that it held is gone.
    pub(crate) fn kill_relayer(&mut self) {
        let relayer = self.relayer.take();
        drop(relayer.expect("a relayer runs"));
    }

    /// Gives a transaction to the next of a chain's nodes; the answer's code.
    pub(crate) fn submit(&mut self, on: usize, transaction: &Transaction) -> u16 {
        self.turn += 1;
        let node = 1 + self.turn % 4;
        self.fleets[on].submit(node, transaction).code
    }

    /// Gives a transaction to one node after the other until one takes it: some may be a block behind.
    pub(crate) fn give(&mut self, on: usize, transaction: &Transaction, what: &str) {
        let what = format!("a node takes {what}");
        self.wait(&what, 20, |town| {
            (town.submit(on, transaction) == 202).then_some(())
        });
    }

    /// Everybody comes to know everybody: members, chains, money; a relayer has to run.
    pub(crate) fn onboard(&mut self) {
        let parties = [&self.buyer, &self.seller];
        for together in self.vpp.onboarding(parties, FUNDS) {
            let fleet = &mut self.fleets[Z];
            let names = together.iter().map(|it| fleet.send(1, it));
            for name in names.collect::<Vec<_>>() {
                let found = fleet.wait_final(&[1], &name);
                assert!(found["outcome"]["applied"].is_array(), "{found}");
            }
        }
        let clearing = |grid: &Grid| records::account(&Account::Clearing(grid.member.id.clone()));
        let money = [clearing(&self.buyer), clearing(&self.seller)];
        let committee = |grid: &Grid| records::committee(&grid.genesis.document().chain, 0);
        let chains = [committee(&self.seller), committee(&self.buyer)];
        let matching = records::member(&id("aggregator"));
        self.wait("everybody knows everybody", 60, |town| {
            let known = [X, Y].into_iter().all(|on| {
                let funds: Option<Money> = town.value(on, &money[on]);
                let has = |key: &[u8]| town.raw(on, key).is_some();
                funds == Some(FUNDS) && has(&chains[on]) && has(&matching)
            });
            known.then_some(())
        });
    }

    /// 2.5 kWh from Y to X at 0.25 and 0.20, in the interval that begins at `start`.
    pub(crate) fn terms(&self, start: Time, deadline: Time) -> Terms {
        let (x, y) = (self.buyer.genesis.home(), self.seller.genesis.home());
        let interval = self.buyer.genesis.document().interval;
        let mut terms = Terms {
            version: VERSION,
            chain_x: x.chain,
            chain_y: y.chain,
            genesis_x: x.genesis,
            genesis_y: y.genesis,
            buyer: id("mg-x"),
            seller: id("mg-y"),
            aggregator: id("aggregator"),
            round_hash: Digest::of(b"round"),
            start,
            length: interval,
            quantity: Energy::from_millijoules(9_000_000_000),
            currency: Currency::parse("EUR").unwrap(),
            price: Price::from_millionths(250_000),
            seller_price: Price::from_millionths(200_000),
            metering: Metering::TieLines,
            penalty_short_ppm: 1_000_000,
            imbalance: Price::from_millionths(40_000),
            escrow: Money::from_millionths(625_000),
            bond: Money::from_millionths(100_000),
            deadline,
            gate_closure: start,
            metering_deadline: start.plus_millis(interval.millis() + 600_000),
            delta_t: 1_000,
            code_version: CODE_VERSION.to_owned(),
            rendering_hash: Digest::of(&[]),
        };
        terms.rendering_hash = terms.rendering_digest();
        terms
    }
}

/// What chains say.
impl Town {
    /// The bytes of a record, as a running node's proof has them.
    fn raw(&self, on: usize, key: &[u8]) -> Option<Vec<u8>> {
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let answer = self.fleets[on].get(1, &format!("/v1/proofs/{hex}"))?;
        let answer = answer.expect(200).json();
        let pairs = answer["value"].as_str()?.as_bytes().chunks(2);
        let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        Some(pairs.map(byte).collect())
    }

    pub(crate) fn value<T: Canonical>(&self, on: usize, key: &[u8]) -> Option<T> {
        self.raw(on, key).map(|bytes| T::decode(&bytes).unwrap())
    }

    pub(crate) fn purchase(&self, order: OrderId) -> Option<Purchase> {
        self.value(X, &records::purchase(order))
    }

    pub(crate) fn standing(&self, order: OrderId) -> Standing {
        let sale: Option<Sale> = self.value(Y, &records::sale(order));
        let settling: Option<Settling> = self.value(Z, &records::settling(order));
        (
            self.purchase(order).map(|it| it.state),
            sale.map(|it| it.state),
            settling.map(|it| it.state),
        )
    }

    /// Waits until something is there, at most so many seconds.
    #[track_caller]
    pub(crate) fn wait<T>(
        &mut self,
        what: &str,
        seconds: u64,
        mut look: impl FnMut(&mut Town) -> Option<T>,
    ) -> T {
        let limit = Instant::now() + Duration::from_secs(seconds);
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(
                Instant::now() < limit,
                "not within {seconds} s: {what}\n{}",
                self.logs()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn logs(&self) -> String {
        let nodes = self.fleets.iter().map(Fleet::logs);
        let mut text: String = nodes.collect();
        for number in 1..=self.relayers {
            let file = self.fleets[Z].ground.path(&format!("relay-{number}.log"));
            let log = fs::read_to_string(file).unwrap_or_default();
            text.push_str(&format!("== relayer {number}\n{log}\n"));
        }
        text
    }

    /// Ends all processes; the ledgers that they leave, four of each chain.
    pub(crate) fn end(mut self) -> [Vec<Ledger>; 3] {
        drop(self.relayer.take());
        let mut ledgers = [Vec::new(), Vec::new(), Vec::new()];
        for (fleet, ledgers) in self.fleets.iter_mut().zip(&mut ledgers) {
            for node in fleet.all() {
                fleet.end(node);
                let file = NodeSettings::read(&fleet.folder(node)).unwrap().store();
                assert!(file.is_file(), "{}", file.display());
                let founding = Ledger::genesis(&fleet.genesis());
                let store = Store::open(&file, founding, &Strict).unwrap();
                ledgers.push(store.ledger().unwrap().clone());
            }
        }
        ledgers
    }
}

/// All accounts of a ledger; their sum is zero, and none is below zero but the outside world's.
pub(crate) fn books(ledger: &Ledger) -> BTreeMap<Account, Money> {
    const ACCOUNTS: u8 = 8;
    let records = ledger.state().records();
    let accounts = records.iter().filter(|(key, _)| key[0] == ACCOUNTS);
    let books: BTreeMap<Account, Money> = accounts
        .map(|(key, value)| {
            let account = Account::decode(&key[1..]).unwrap();
            (account, Money::decode(value).unwrap())
        })
        .collect();
    assert!(!books.is_empty(), "money came in");
    assert_eq!(
        books.values().copied().sum::<Money>(),
        Money::ZERO,
        "{books:?}"
    );
    for (account, money) in &books {
        let is_owed = *account == Account::Outside;
        assert!(*money >= Money::ZERO || is_owed, "{account:?}: {money}");
    }
    books
}
