//! A random life: mostly what honest parties and relayers would do next, now and then something wrong.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tieline_contract::certificate::Certificate;
use tieline_contract::member::{Register, Role};
use tieline_contract::payload::{Kind, Payload, Subject};
use tieline_contract::settlement::Metering;
use tieline_contract::state::{Account, Block, State};
use tieline_contract::terms::{OrderId, Terms};
use tieline_contract::trade::{BuyerState, SellerState, VppState};
use tieline_contract::transaction::{Act, Transaction};
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::{
    CHAINS, Village, accept, batch, certificates, chain, decline, deposit, genesis, key_return,
    member, request,
};
use tieline_units::{Energy, Money, Price, Time};

use super::audit::{Audit, Tally};
use crate::town::{mj, money};

const MINUTE: u64 = 60_000;
const INTERVAL: u64 = 15 * MINUTE;

/// A microgrid and its meter.
struct Gateway {
    name: String,
    home: usize,
    /// Registers as they stand.
    registers: (Energy, Energy),
    /// First interval that is not metered yet.
    metered: u64,
}

/// Everything that lives.
pub(super) struct Walk {
    random: ChaCha8Rng,
    pub(super) tally: Tally,
    ledgers: Vec<State>,
    now: Time,
    gateways: Vec<Gateway>,
    mail: Vec<(usize, Arc<Certificate>)>,
    terms: BTreeMap<OrderId, (Arc<Terms>, u64)>,
    live: VecDeque<OrderId>,
    /// Where certificates about an order come from: chain and block.
    said: BTreeMap<OrderId, Vec<(usize, u64)>>,
    deposits: u64,
    deposited: Money,
    nonce: u64,
    audits: Vec<Audit>,
}

impl Walk {
    pub(super) fn new(seed: u64) -> Walk {
        let village = Village::default();
        let gateway = |index: usize| Gateway {
            name: format!("mg-{index}"),
            home: index % 2,
            registers: (Energy::ZERO, Energy::ZERO),
            metered: 100 * 96,
        };
        let gateways: Vec<Gateway> = (0..18).map(gateway).collect();
        let own = |g: &Gateway| village.member(&g.name, CHAINS[g.home], Role::Microgrid);
        let mut members: Vec<_> = gateways.iter().map(own).collect();
        members.push(village.member("aggregator", "chain-z", Role::Aggregator));
        members.push(village.member("vpp", "chain-z", Role::Operator));
        let mut walk = Walk {
            random: ChaCha8Rng::seed_from_u64(seed),
            tally: Tally::new(seed),
            ledgers: CHAINS
                .map(|name| village.ledger_of(name, members.clone()))
                .to_vec(),
            now: Time::from_millis(100 * 96 * INTERVAL),
            gateways,
            mail: Vec::new(),
            terms: BTreeMap::new(),
            live: VecDeque::new(),
            said: BTreeMap::new(),
            deposits: 0,
            deposited: Money::ZERO,
            nonce: 0,
            audits: (0..3).map(|_| Audit::default()).collect(),
        };
        for index in 0..18 {
            walk.fund(index, village.funds);
        }
        while !walk.mail.is_empty() {
            walk.deliver();
        }
        walk
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random.next_u64() % bound
    }

    /// One transaction, mostly; sometimes only time passes.
    pub(super) fn step(&mut self) {
        match self.below(1_000) {
            0..10 => self.now = self.now.plus_millis(20_000 + self.below(2 * MINUTE)),
            10..150 => self.ask(),
            150..160 => {
                let (index, amount) = (self.below(18) as usize, self.below(20_000_000));
                self.fund(index, money(amount as i64 + 1));
            }
            160..162 => self.net(),
            162..220 => self.meter(),
            220..250 => self.wrong(),
            250..600 => self.poke(),
            _ => self.deliver(),
        }
    }

    /// Delivers everything, settles what is overdue, nets twice: then nobody has anything locked or away from home.
    pub(super) fn finish(&mut self) {
        for _ in 0..8 {
            self.now = self.now.plus_millis(86_400_000);
            while !self.mail.is_empty() {
                self.deliver();
            }
            for _ in 0..2 * self.live.len() {
                self.poke();
            }
            self.net();
            for (index, other) in [(0, 1), (0, 2), (1, 2)] {
                self.net_of(index, other);
            }
        }
        let mut outside = Money::ZERO;
        for (audit, ledger) in self.audits.iter().zip(&self.ledgers) {
            audit.whole(ledger, &self.tally);
            outside += ledger.balance(&Account::Outside);
        }
        // Everything is netted: what the chains hold together is what came in.
        assert_eq!(outside, -self.deposited, "{}", self.tally);
    }

    fn apply(&mut self, index: usize, transaction: &Transaction) -> bool {
        let ledger = &mut self.ledgers[index];
        let block = Block {
            height: ledger.block().height + 1,
            time: self.now,
        };
        let checked = match ledger.check(transaction, block, &Symbolic) {
            Ok(checked) => checked,
            Err(refusal) => {
                self.tally.refuse(refusal.guard);
                return false;
            }
        };
        let changes: Vec<_> = checked.changes().cloned().collect();
        let transitions = ledger.apply(checked);
        if let Transaction::Signed(signed) = transaction
            && let Act::Deposit { amount, .. } = signed.act
        {
            self.deposits += 1;
            self.deposited += amount;
        }
        self.audits[index].after(ledger, &changes, transaction, &self.tally);
        self.tally.accept(&transitions);
        if ledger.outbox(block.height).next().is_some() {
            let seats: &[u8] = match self.random.next_u64() % 10 {
                0 => &[1, 2, 3],
                1 => &[0, 1, 2, 3],
                _ => &[0, 1, 3],
            };
            let said = certificates(&self.ledgers[index], block.height, 0, seats);
            for certificate in said {
                if let Subject::Order(order) = certificate.payload.subject() {
                    let places = self.said.entry(order).or_default();
                    places.push((index, block.height));
                }
                self.post(certificate);
            }
        }
        true
    }

    /// To whom a certificate matters; some are lost, some come twice.
    fn post(&mut self, certificate: Arc<Certificate>) {
        let index = |name: &str| CHAINS.iter().position(|chain| *chain == name).unwrap();
        let ends = |terms: &Terms| (index(terms.chain_x.as_str()), index(terms.chain_y.as_str()));
        let of = |order: &OrderId| ends(&self.terms[order].0);
        let to: Vec<usize> = match &certificate.payload {
            Payload::Request(request) => vec![ends(&request.terms).1],
            Payload::Accept(acceptance) => vec![of(&acceptance.order).0],
            Payload::Reject(order) | Payload::Void(order) => vec![of(order).0],
            Payload::Refund(order) => vec![of(order).1],
            Payload::Commit(commitment) => match ends(&commitment.request.terms) {
                (x, y) if x == y => vec![2],
                (_, y) => vec![y, 2],
            },
            Payload::Taken(_) | Payload::Delivered(_) => vec![2],
            Payload::Settle(outcome) => match of(&outcome.order) {
                (x, y) if x == y => vec![x],
                (x, y) => vec![x, y],
            },
            Payload::Deposit { deposit, .. } => vec![index(deposit.home.as_str())],
            Payload::Net { transfers, .. } => {
                let ends = transfers.iter().flat_map(|t| [&t.from, &t.to]);
                let mut ends: Vec<usize> = ends.map(|chain| index(chain.as_str())).collect();
                ends.sort_unstable();
                ends.dedup();
                ends
            }
            Payload::Rotate { .. } | Payload::Register { .. } | Payload::Freeze { .. } => vec![],
        };
        // What carries money home comes in the end; anything else may be lost.
        let precious = matches!(
            certificate.payload.kind(),
            Kind::Settle | Kind::Deposit | Kind::Net
        );
        for chain in to
            .into_iter()
            .filter(|&chain| chain != 2 || certificate.chain.as_str() != "chain-z")
        {
            let copies = match self.random.next_u64() % 100 {
                0..3 if !precious => 0,
                3..8 => 2,
                _ => 1,
            };
            self.mail
                .extend(std::iter::repeat_n((chain, certificate.clone()), copies));
        }
    }

    fn deliver(&mut self) {
        if self.mail.is_empty() {
            return;
        }
        let place = self.below(self.mail.len() as u64) as usize;
        let (chain, certificate) = self.mail.swap_remove(place);
        let kind = certificate.payload.kind();
        let done = self.apply(chain, &Transaction::Certificate(certificate.clone()));
        // It can only be paid out where SET brought it: again later.
        let waits = matches!(kind, Kind::Net | Kind::Settle) && self.may_come(chain, &certificate);
        if !done && waits {
            self.mail.push((chain, certificate));
        }
    }

    /// Whether a refused certificate about money is still to be taken.
    fn may_come(&self, chain: usize, certificate: &Certificate) -> bool {
        match &certificate.payload {
            Payload::Net { sequence, .. } => !self.audits[chain].netted.contains(sequence),
            _ => false,
        }
    }

    fn fund(&mut self, index: usize, amount: Money) {
        let name = self.gateways[index].name.clone();
        self.apply(2, &deposit(self.deposits, &name, amount));
    }

    fn net(&mut self) {
        let pairs = [(0, 1), (0, 2), (1, 2)];
        let (one, other) = pairs[self.below(3) as usize];
        self.net_of(one, other);
    }

    fn net_of(&mut self, one: usize, other: usize) {
        let (one, other) = (chain(CHAINS[one]), chain(CHAINS[other]));
        self.apply(2, &Transaction::Net { one, other });
    }

    /// A new order between two members that exist.
    fn ask(&mut self) {
        let (buyer, seller) = (self.below(18) as usize, self.below(18) as usize);
        if buyer == seller || self.live.len() > 400 {
            return self.poke();
        }
        let terms = self.random_terms(buyer, seller);
        self.nonce += 1;
        let request = request(terms, self.nonce);
        let (order, terms) = (request.order(), request.terms.clone());
        self.terms.insert(order, (terms.clone(), self.nonce));
        let home = self.gateways[buyer].home;
        let done = if terms.chain_x == terms.chain_y {
            let Transaction::Signed(answer) = accept(&terms, order) else {
                unreachable!("an answer is signed");
            };
            self.apply(home, &Transaction::Local { request, answer })
        } else {
            self.apply(home, &Transaction::Request(request))
        };
        if done {
            self.live.push_back(order);
        }
    }

    fn random_terms(&mut self, buyer: usize, seller: usize) -> Terms {
        let mut terms = Village::default().terms();
        let slot = self.now.as_millis() / INTERVAL + 3 + self.below(3);
        let chains = [self.gateways[buyer].home, self.gateways[seller].home].map(|c| CHAINS[c]);
        let start = Time::from_millis(slot * INTERVAL);
        (terms.chain_x, terms.chain_y) = (chain(chains[0]), chain(chains[1]));
        (terms.genesis_x, terms.genesis_y) = (genesis(chains[0]), genesis(chains[1]));
        terms.buyer = member(&self.gateways[buyer].name);
        terms.seller = member(&self.gateways[seller].name);
        if self.below(10) == 0 {
            terms.aggregator = terms.seller.clone();
        }
        terms.start = start;
        terms.quantity = mj(1 + self.below(9_000_000_000) as i64);
        let price = self.below(400_000) as i64;
        terms.price = Price::from_millionths(price);
        terms.seller_price = Price::from_millionths(price - self.below(price as u64 + 1) as i64);
        terms.penalty_short_ppm = self.below(2_000_000) as u32;
        terms.bond = money(self.below(200_000) as i64);
        terms.escrow = terms.value() + money(self.below(3) as i64 * 100);
        if self.below(50) == 0 {
            terms.escrow = terms.value() - money(1);
        }
        if self.below(8) == 0 {
            let (loss_ppm, tolerance_ppm) = (20_000, 20_000);
            terms.metering = Metering::OwnLine {
                loss_ppm,
                tolerance_ppm,
            };
        }
        terms.deadline = start.minus_millis((15 + self.below(15)) * MINUTE);
        terms.gate_closure = start.minus_millis(self.below(10) * MINUTE);
        terms.metering_deadline = terms.end().plus_millis(30 * MINUTE);
        terms.rendering_hash = terms.rendering_digest();
        terms
    }

    /// The next interval of a member whose interval is over.
    fn meter(&mut self) {
        let over = self.now.as_millis() / INTERVAL;
        let index = self.below(18) as usize;
        let (slot, home) = (self.gateways[index].metered, self.gateways[index].home);
        if slot >= over {
            return self.poke();
        }
        let start = Time::from_millis(slot * INTERVAL);
        let name = self.gateways[index].name.clone();
        let promised = self.ledgers[home]
            .reserved(&member(&name), start)
            .as_millijoules();
        let out = mj((promised as u64 * self.below(130) / 100) as i64);
        let taken = mj(self.below(3_000_000_000) as i64);
        let (before, line) = (self.gateways[index].registers, self.own_line(&name, start));
        let after = (before.0 + out, before.1 + taken);
        let transaction = batch(CHAINS[home], &name, |batch| {
            batch.start = start;
            batch.line = line;
            batch.exported = Register {
                before: before.0,
                after: after.0,
            };
            batch.imported = Register {
                before: before.1,
                after: after.1,
            };
        });
        if self.apply(home, &transaction) {
            self.gateways[index].registers = after;
            self.gateways[index].metered = slot + 1;
        }
    }

    /// An order of the member on a line of its own in that interval: its one meter then sits there, now and then.
    fn own_line(&mut self, name: &str, start: Time) -> Option<OrderId> {
        let id = member(name);
        let own = |order: &&OrderId| {
            let terms = &self.terms[*order].0;
            let party = terms.seller == id || terms.buyer == id;
            terms.start == start && party && terms.metering != Metering::TieLines
        };
        self.live.iter().find(own).copied()
    }

    /// The next thing that somebody would do about an order.
    fn poke(&mut self) {
        let Some(order) = self.live.pop_front() else {
            return;
        };
        let (terms, nonce) = self.terms[&order].clone();
        let index = |name: &str| CHAINS.iter().position(|chain| *chain == name).unwrap();
        let (x, y) = (index(terms.chain_x.as_str()), index(terms.chain_y.as_str()));
        let purchase = self.ledgers[x]
            .purchase(order)
            .map(|p| (p.state, p.key.is_some()));
        let sale = self.ledgers[y].sale(order).map(|s| s.state);
        let settling = self.ledgers[2].settling(order).map(|s| s.state);
        let done = matches!(
            purchase,
            Some((BuyerState::Settled | BuyerState::Refunded, _))
        );
        let closed = !matches!(sale, Some(SellerState::Accepted | SellerState::Confirmed));
        if done && closed {
            return;
        }
        let overdue = terms
            .metering_deadline
            .plus_millis(self.ledgers[2].rules().grace);
        let (now, late) = (self.now, terms.deadline < self.now);
        let (on, transaction) = match (purchase, sale, settling) {
            (_, Some(SellerState::Offered), _) if self.below(8) == 0 => (y, decline(&terms, order)),
            (_, Some(SellerState::Offered), _) if !late => (y, accept(&terms, order)),
            (_, None | Some(SellerState::Offered), _) if late => {
                let terms = terms.clone();
                (y, tieline_sim::village::timeout_request(&terms, nonce))
            }
            (Some((BuyerState::Locked, _)), _, _) if late => (x, Transaction::Timeout(order)),
            (_, Some(SellerState::Accepted), _) if now >= terms.gate_closure => {
                (y, Transaction::Void(order))
            }
            (Some((BuyerState::Committed, false)), _, _) if self.below(4) == 0 => {
                (x, key_return(&terms, order))
            }
            (_, _, Some(VppState::Open)) if now > overdue => (2, Transaction::Default(order)),
            _ => return self.again(order, &terms, (x, y)),
        };
        self.live.push_back(order);
        self.apply(on, &transaction);
    }

    /// Nothing can be done now: a relayer that lost a certificate asks the ledgers for it again.
    fn again(&mut self, order: OrderId, terms: &Terms, (x, y): (usize, usize)) {
        self.live.push_back(order);
        let overdue = terms.metering_deadline.plus_millis(3_600_000);
        if self.now < overdue || x == y {
            return;
        }
        for (from, height) in self.said.get(&order).cloned().unwrap_or_default() {
            let said = certificates(&self.ledgers[from], height, 0, &[0, 2, 3]);
            let to = [x, y, 2].into_iter().filter(|&to| to != from);
            for to in to {
                self.mail.extend(said.iter().map(|c| (to, c.clone())));
            }
        }
    }

    /// Something that the contract has to refuse, or that nobody needs.
    fn wrong(&mut self) {
        let Some(order) = self.live.front().copied() else {
            return;
        };
        let (terms, nonce) = self.terms[&order].clone();
        let chain = self.below(3) as usize;
        let transaction = match self.below(7) {
            0 => Transaction::Timeout(order),
            1 => Transaction::Void(order),
            2 => Transaction::Default(order),
            3 => accept(&terms, order),
            4 => deposit(
                self.below(self.deposits + 2),
                terms.buyer.as_str(),
                money(1),
            ),
            5 => Transaction::Request(request(Terms::clone(&terms), nonce)),
            _ => key_return(&terms, order),
        };
        self.apply(chain, &transaction);
    }
}
