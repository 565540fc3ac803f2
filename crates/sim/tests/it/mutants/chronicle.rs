//! Runs in which every transition happens, step by step: what mutants are tried on.

mod ending;
mod rich;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tieline_contract::apply;
use tieline_contract::certificate::Certificate;
use tieline_contract::member::{Member, Role};
use tieline_contract::payload::Payload;
use tieline_contract::state::{Block, State, Tariff};
use tieline_contract::terms::{Request, Terms};
use tieline_contract::transaction::{Act, Signed, Transaction, committee_message};
use tieline_contract::{record_digest, threshold::Committee};
use tieline_seal::hybrid::{Domain, Purpose};
use tieline_sim::symbol::{Symbolic, key, sign};
use tieline_sim::village::{
    START, Village, accept, certificates, chain, decline, deposit, genesis, key_return, member,
    metered, request, signed,
};
use tieline_sim::world::{ROGUE, Side, attest, evidence, handover};
use tieline_units::{Digest, MicrogridId, Money, Price, Time};

use super::setting::Setting;
use ending::{nothing_metered, paid, taken_only, thin};

/// One step: a ledger, what is submitted to it, in which block.
#[derive(Clone)]
pub(crate) struct Exhibit {
    pub(crate) before: State,
    pub(crate) transaction: Transaction,
    pub(crate) block: Block,
}

/// Three ledgers, and every step that was tried.
#[derive(Clone)]
pub(crate) struct Tale {
    ledgers: [State; 3],
    pub(crate) exhibits: Vec<Exhibit>,
}

type Certificates = Vec<Arc<Certificate>>;

impl Tale {
    fn new(setting: &Setting) -> Tale {
        let village = &setting.village;
        let mut committees: Vec<Committee> = Side::ALL
            .map(|side| village.committee(side.chain(), 0))
            .into();
        committees.push(village.committee(ROGUE, 0));
        let ledgers = Side::ALL.map(|side| {
            let mut rules = village.ledger(side.chain()).rules().clone();
            (setting.change)(&mut rules);
            let mut members = village.members();
            members.push(village.member("mg-y2", "chain-y", Role::Microgrid));
            State::genesis(rules, members, committees.clone())
        });
        Tale {
            ledgers,
            exhibits: Vec::new(),
        }
    }

    /// Submits; what the block says, attested by an epoch.
    fn go(&mut self, side: Side, time: Time, transaction: &Transaction) -> Certificates {
        self.go_in(side, time, transaction, 0)
    }

    fn go_in(
        &mut self,
        side: Side,
        time: Time,
        transaction: &Transaction,
        epoch: u64,
    ) -> Certificates {
        let ledger = &mut self.ledgers[side as usize];
        let block = Block {
            height: ledger.block().height + 1,
            time: time.max(ledger.block().time),
        };
        self.exhibits.push(Exhibit {
            before: ledger.clone(),
            transaction: transaction.clone(),
            block,
        });
        match apply(ledger, transaction, block, &Symbolic) {
            Ok(_) => certificates(ledger, block.height, epoch, &[0, 1, 2, 3]),
            Err(_) => Vec::new(),
        }
    }

    fn carry(&mut self, side: Side, time: Time, what: &[Arc<Certificate>]) -> Certificates {
        let each = what.iter();
        each.flat_map(|c| self.go(side, time, &Transaction::Certificate(c.clone())))
            .collect()
    }

    /// Goes on from here in another way; what was tried is remembered.
    fn branch(&mut self, way: impl FnOnce(&mut Tale)) {
        let ledgers = self.ledgers.clone();
        way(self);
        self.ledgers = ledgers;
    }
}

/// Every transition of the specification, in a village.
pub(crate) fn tale(setting: &Setting) -> Tale {
    let village = &setting.village;
    let request = request(village.terms(), 0);
    let early = early(&request.terms);
    let mut tale = Tale::new(setting);
    money(&mut tale, setting, early);
    tale.branch(|tale| registry(tale, village, early));
    tale.branch(|tale| operator(tale, &request, early));
    tale.branch(|tale| on_vpp(tale, village, early));
    tale.branch(|tale| local(tale, village, early));
    tale.branch(|tale| rotation(tale, village, early));
    tale.branch(|tale| conviction(tale, &request, early));
    order(&mut tale, &request, early);
    tale
}

pub(crate) fn early(terms: &Terms) -> Time {
    terms.deadline.minus_millis(terms.delta_t)
}

fn money(tale: &mut Tale, setting: &Setting, early: Time) {
    let funds = setting.village.funds;
    let sides = [
        ("mg-x", Side::X),
        ("mg-x2", Side::X),
        ("mg-y", Side::Y),
        ("vpp", Side::Z),
        ("aggregator", Side::Z),
    ];
    for (number, (who, home)) in sides.into_iter().enumerate() {
        let amount = match who {
            "mg-x2" | "mg-y" => setting.sellers.unwrap_or(funds),
            _ => funds,
        };
        let credit = tale.go(Side::Z, early, &deposit(number as u64, who, amount));
        if home != Side::Z {
            tale.carry(home, early, &credit);
        }
    }
}

pub(crate) fn newcomer(village: &Village, home: &str) -> Arc<Member> {
    Arc::new(Member {
        id: member("mg-n"),
        legal_name: "mg-n Ltd".to_owned(),
        role: Role::Microgrid,
        home: chain(home),
        key: key("mg-n"),
        meters: vec![key("mg-n meter")],
        nameplate: village.nameplate,
        revoked: false,
    })
}

/// A chain that registers: its members prove their keys.
pub(crate) fn new_chain(committee: Committee, proven: usize) -> Transaction {
    let domain = Domain {
        chain: committee.chain.clone(),
        genesis: committee.genesis,
        epoch: 0,
        purpose: Purpose::Possession,
    };
    let message = committee_message(&committee);
    let possession = committee.seats.iter().take(proven).enumerate();
    let possession: BTreeMap<u8, _> = possession
        .map(|(seat, one)| (seat as u8, sign(&one.key, &domain, &message)))
        .collect();
    let committee = Arc::new(committee);
    let act = Act::RegisterChain {
        committee,
        possession,
    };
    Transaction::Signed(signed("chain-z", "vpp", act))
}

/// Signed with the key that it names.
pub(crate) fn application(who: &Arc<Member>) -> Transaction {
    let act = Act::Register(who.clone());
    let domain = Domain {
        chain: chain("chain-z"),
        genesis: genesis("chain-z"),
        epoch: 0,
        purpose: Purpose::Transaction,
    };
    let signature = sign(&who.key, &domain, &act.message(&who.id));
    Transaction::Signed(Arc::new(Signed {
        by: who.id.clone(),
        act,
        signature,
    }))
}

/// A trade on Z itself: there is none.
fn on_vpp(tale: &mut Tale, village: &Village, early: Time) {
    let mut terms = village.terms();
    (terms.chain_x, terms.genesis_x) = (chain("chain-z"), genesis("chain-z"));
    terms.buyer = member("aggregator");
    let bought = request(rendered(terms.clone()), 0);
    tale.go(Side::Z, early, &Transaction::Request(bought));
    (terms.chain_y, terms.genesis_y) = (chain("chain-z"), genesis("chain-z"));
    terms.seller = member("vpp");
    let both_ends = request(rendered(terms.clone()), 0);
    let answer = accept(&both_ends.terms, both_ends.order());
    if let Transaction::Signed(answer) = answer {
        let request = both_ends.clone();
        tale.go(Side::Z, early, &Transaction::Local { request, answer });
    }
    let late = terms.deadline;
    tale.go(Side::Z, late, &Transaction::TimeoutRequest(both_ends));
}

fn rendered(mut terms: Terms) -> Terms {
    terms.rendering_hash = terms.rendering_digest();
    terms
}

fn registry(tale: &mut Tale, village: &Village, early: Time) {
    let (id, record) = {
        let newcomer = newcomer(village, "chain-x");
        let apply = Act::Register(newcomer.clone());
        tale.go(
            Side::Z,
            early,
            &Transaction::Signed(signed("chain-z", "mg-n", apply)),
        );
        (newcomer.id.clone(), record_digest(&newcomer))
    };
    let operator = |act| Transaction::Signed(signed("chain-z", "vpp", act));
    let approve = |member: MicrogridId, record| operator(Act::Approve { member, record });
    let revoke = |member: MicrogridId, record| operator(Act::Revoke { member, record });
    let registered = tale.go(Side::Z, early, &approve(id.clone(), record));
    tale.carry(Side::X, early, &registered);
    let revoked = tale.go(Side::Z, early, &revoke(id, record));
    tale.carry(Side::X, early, &revoked);
    tale.carry(Side::Y, early, &revoked);
    tale.branch(|tale| {
        // Old words again; then another who has the same key, and was slower.
        let again = newcomer(village, "chain-x");
        let mut slower = (*again).clone();
        (slower.id, slower.key) = (member("mg-m"), key("mg-m"));
        let slower = Arc::new(slower);
        let mut faster = (*slower).clone();
        faster.id = member("mg-f");
        let faster = Arc::new(faster);
        let all = [again, slower, faster];
        for one in &all {
            tale.go(Side::Z, early, &application(one));
        }
        for one in &all {
            let record = record_digest(one);
            tale.go(Side::Z, early, &approve(one.id.clone(), record));
        }
    });
    let chain = tale.go(
        Side::Z,
        early,
        &new_chain(village.committee("chain-v", 0), 4),
    );
    tale.carry(Side::X, early, &chain);
    tale.carry(Side::Y, early, &[registered, revoked, chain].concat());
    for who in ["mg-x", "mg-y", "aggregator"] {
        let known = village.members().into_iter().find(|m| m.id == member(who));
        let record = record_digest(&known.unwrap());
        tale.branch(|tale| {
            let gone = tale.go(Side::Z, early, &revoke(member(who), record));
            let terms = village.terms();
            let asked = request(terms.clone(), 0);
            let first = Transaction::Request(asked.clone());
            // Their numbers follow on those above.
            tale.carry(Side::X, early, &gone);
            tale.carry(Side::Y, early, &gone);
            let wanted = tale.go(Side::X, early, &first);
            tale.carry(Side::Y, early, &wanted);
            tale.go(Side::Y, early, &accept(&terms, asked.order()));
            let here = request(local_terms(village), 0);
            tale.go(Side::X, early, &both(&here, "mg-x2"));
        });
        tale.branch(|tale| {
            let asked = request(village.terms(), 0);
            let wanted = tale.go(Side::X, early, &Transaction::Request(asked.clone()));
            tale.carry(Side::Y, early, &wanted);
            let gone = tale.go(Side::Z, early, &revoke(member(who), record));
            tale.carry(Side::Y, early, &gone);
            tale.go(Side::Y, early, &accept(&asked.terms, asked.order()));
        });
    }
}

fn operator(tale: &mut Tale, request: &Request, early: Time) {
    let operator = |act| Transaction::Signed(signed("chain-z", "vpp", act));
    let round = Act::Round {
        hash: Digest::of(b"round"),
        orders: BTreeSet::from([request.order()]),
    };
    tale.go(Side::Z, early, &operator(round));
    tale.go(Side::Z, early, &prices());
    let stake = Act::Stake {
        sequence: 5,
        member: member("mg-x"),
        amount: Money::from_millionths(4_000_000),
    };
    tale.go(Side::Z, early, &operator(stake));
}

/// Of the grid, in the order's interval.
fn prices() -> Transaction {
    let (import, export) = (300_000, 80_000);
    let tariff = Tariff {
        import: Price::from_millionths(import),
        export: Price::from_millionths(export),
    };
    tieline_sim::acts::tariff(START, tariff)
}

/// A trade of two gateways on chain X.
pub(crate) fn local_terms(village: &Village) -> Terms {
    let mut terms = village.terms();
    terms.chain_y = terms.chain_x.clone();
    terms.genesis_y = terms.genesis_x;
    terms.seller = member("mg-x2");
    terms.rendering_hash = terms.rendering_digest();
    terms
}

/// Both gateways at once.
pub(crate) fn both(request: &Arc<Request>, by: &str) -> Transaction {
    let Transaction::Signed(mut answer) = accept(&request.terms, request.order()) else {
        unreachable!("accept is signed");
    };
    if by != "mg-x2" {
        answer = signed("chain-x", by, answer.act.clone());
    }
    Transaction::Local {
        request: request.clone(),
        answer,
    }
}

fn local(tale: &mut Tale, village: &Village, early: Time) {
    let request = request(local_terms(village), 0);
    tale.go(Side::X, early, &Transaction::Request(request.clone()));
    let bound = tale.go(Side::X, early, &both(&request, "mg-x2"));
    tale.carry(Side::Z, early, &bound);
    let (after, quantity) = (request.terms.end(), request.terms.quantity);
    let taken = tale.go(
        Side::X,
        after,
        &metered("chain-x", "mg-x", START, -quantity),
    );
    tale.carry(Side::Z, after, &taken);
    let given = tale.go(
        Side::X,
        after,
        &metered("chain-x", "mg-x2", START, quantity),
    );
    let done = tale.carry(Side::Z, after, &given);
    tale.carry(Side::X, after, &done);
}

fn rotation(tale: &mut Tale, village: &Village, early: Time) {
    tale.branch(|tale| {
        // An order of the old epoch is undecided.
        let asked = request(village.terms(), 0);
        tale.go(Side::X, early, &Transaction::Request(asked));
        let opened = tale.go(Side::X, early, &handover(village, Side::X));
        tale.carry(Side::X, early, &opened);
        for side in [Side::Y, Side::Z] {
            let known = tale.carry(side, early, &opened);
            tale.carry(Side::X, early, &known);
        }
        tale.go(Side::X, early, &Transaction::CloseEpoch(0));
    });
    let opened = tale.go(Side::X, early, &handover(village, Side::X));
    tale.carry(Side::X, early, &opened);
    let at_y = tale.carry(Side::Y, early, &opened);
    let at_z = tale.carry(Side::Z, early, &opened);
    tale.go(Side::X, early, &Transaction::CloseEpoch(0));
    tale.carry(Side::X, early, &[at_y, at_z].concat());
    let closed = tale.go_in(Side::X, early, &Transaction::CloseEpoch(0), 1);
    tale.carry(Side::Y, early, &closed);
    tale.carry(Side::Z, early, &closed);
    tale.go(Side::Z, early, &handover(village, Side::Z));
}

fn conviction(tale: &mut Tale, request: &Arc<Request>, early: Time) {
    let frozen = tale.go(Side::Z, early, &evidence(request));
    tale.go(Side::Z, early, &evidence(request));
    let wanted = tale.go(Side::X, early, &Transaction::Request(request.clone()));
    tale.branch(|tale| {
        let payload = Payload::Freeze {
            sequence: 7,
            chain: chain("chain-x"),
            epoch: 0,
        };
        let at_x = attest("chain-z", (0, 1), payload, &[0, 1, 2, 3]);
        tale.carry(Side::X, early, &[at_x]);
        let here = tieline_sim::village::request(local_terms(&Village::default()), 0);
        tale.go(Side::X, early, &both(&here, "mg-x2"));
    });
    tale.carry(Side::X, early, &frozen);
    tale.carry(Side::Y, early, &frozen);
    tale.carry(Side::Y, early, &wanted);
    tale.go(
        Side::X,
        early,
        &Transaction::Request(tieline_sim::village::request((*request.terms).clone(), 1)),
    );
}

/// One order, and every way in which it can end.
fn order(tale: &mut Tale, request: &Arc<Request>, early: Time) {
    let (terms, id) = (request.terms.clone(), request.order());
    let late = terms.deadline.plus_millis(1);
    let time_out = Transaction::TimeoutRequest(request.clone());
    tale.branch(|tale| {
        tale.go(Side::Y, terms.deadline, &time_out);
    });
    let wanted = tale.go(Side::X, early, &Transaction::Request(request.clone()));
    tale.carry(Side::X, early, &wanted);
    tale.branch(|tale| {
        tale.carry(Side::Y, terms.deadline, &wanted);
    });
    tale.branch(|tale| {
        // All verification nodes of X attest words that are not the buyer's.
        let mut forged = (**request).clone();
        forged.signature = sign(&key("mg-q"), &Request::domain(&terms), b"");
        let payload = Payload::Request(Arc::new(forged));
        let false_request = attest("chain-x", (0, 1), payload, &[0, 1, 2, 3]);
        tale.carry(Side::Y, early, &[false_request]);
        tale.go(Side::Y, early, &accept(&terms, id));
    });
    tale.carry(Side::Y, early, &wanted);
    tale.branch(|tale| {
        let no = tale.go(Side::Y, terms.deadline, &time_out);
        tale.carry(Side::X, late, &no);
    });
    tale.branch(|tale| {
        let no = tale.go(Side::Y, early, &decline(&terms, id));
        tale.carry(Side::X, early, &no);
    });
    let yes = tale.go(Side::Y, early, &accept(&terms, id));
    tale.branch(|tale| {
        let back = tale.go(Side::X, late, &Transaction::Timeout(id));
        let void = tale.carry(Side::Y, early, &back);
        tale.carry(Side::X, late, &void);
    });
    let bound = tale.carry(Side::X, early, &yes);
    tale.go(Side::X, early, &key_return(&terms, id));
    tale.go(Side::X, early, &key_return(&terms, id));
    tale.branch(|tale| {
        let void = tale.go(Side::Y, terms.gate_closure, &Transaction::Void(id));
        tale.carry(Side::X, late, &void);
    });
    tale.branch(|tale| taken_only(tale, request, &bound));
    tale.branch(|tale| thin(tale, request, &bound));
    tale.carry(Side::Z, early, &bound);
    tale.branch(|tale| nothing_metered(tale, request));
    tale.carry(Side::Y, early, &bound);
    tale.branch(|tale| nothing_metered(tale, request));
    paid(tale, request);
}
