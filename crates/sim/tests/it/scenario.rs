//! Every transition once, in a village.

use std::sync::Arc;

use tieline_contract::certificate::Certificate;
use tieline_contract::member::{Member, Role};
use tieline_contract::state::Tariff;
use tieline_contract::terms::Request;
use tieline_contract::threshold::Seat;
use tieline_contract::transaction::{Contradiction, Evidence, Transaction};
use tieline_seal::hybrid::Purpose;
use tieline_sim::acts;
use tieline_sim::symbol::{key, sign};
use tieline_sim::village::{accept, chain, decline, key_return, member, seat_key};
use tieline_units::{Digest, Energy, Money, Price};

use crate::walk::Walk;

const X: &str = "chain-x";
const Y: &str = "chain-y";
const Z: &str = "chain-z";

type Certificates = Vec<Arc<Certificate>>;

/// All of them.
pub(crate) fn every_transition() -> Walk {
    let mut walk = Walk::new();
    members_and_chains(&mut walk);
    delivered(&mut walk);
    delivered_nothing(&mut walk);
    netted(&mut walk);
    within_one_chain(&mut walk);
    never_accepted(&mut walk);
    never_committed(&mut walk);
    never_confirmed(&mut walk);
    settled_unseen(&mut walk);
    rotated(&mut walk, X, &[Y, Z]);
    rotated(&mut walk, Z, &[X, Y]);
    contradicted(&mut walk);
    walk
}

fn locked(walk: &mut Walk, days: u64) -> (Arc<Request>, Certificates) {
    let terms = walk.village.terms();
    let request = walk.request(terms, days);
    let req = walk.act(X, &Transaction::Request(request.clone()));
    (request, req)
}

fn accepted(walk: &mut Walk, days: u64) -> (Arc<Request>, Certificates) {
    let (request, req) = locked(walk, days);
    walk.tell(Y, &req);
    let acc = walk.act(Y, &accept(&request.terms, request.order()));
    (request, acc)
}

fn confirmed(walk: &mut Walk, days: u64) -> (Arc<Request>, Certificates) {
    let (request, acc) = accepted(walk, days);
    let com = walk.tell(X, &acc);
    walk.tell(Y, &com);
    (request, com)
}

fn members_and_chains(walk: &mut Walk) {
    let new = Member {
        id: member("mg-new"),
        legal_name: "New Ltd".to_owned(),
        role: Role::Microgrid,
        home: chain(X),
        key: key("mg-new"),
        meters: vec![key("mg-new meter")],
        nameplate: walk.village.nameplate,
        revoked: false,
    };
    walk.act(Z, &acts::register(&new));
    let reg = walk.act(Z, &acts::approve(&new));
    walk.tell(X, &reg);
    let mut committee = walk.village.committee("chain-w", 0);
    let seat = |at: usize| Seat {
        key: seat_key("chain-w", 0, at),
        owner: member("vpp"),
    };
    committee.seats = (0..4).map(seat).collect();
    let reg = walk.act(Z, &acts::register_chain(committee));
    walk.tell(X, &reg);
    let reg = walk.act(Z, &acts::revoke(&new));
    walk.tell(X, &reg);
    walk.act(Z, &acts::round(Digest::of(b"round"), []));
    for (sequence, who) in [(4, "mg-x"), (5, "mg-y")] {
        let amount = Money::from_millionths(20_000_000);
        walk.act(Z, &acts::stake(sequence, who, amount));
    }
}

fn delivered(walk: &mut Walk) {
    let (request, com) = confirmed(walk, 1);
    let terms = &request.terms;
    let grid = Tariff {
        import: Price::from_millionths(300_000),
        export: Price::from_millionths(80_000),
    };
    walk.act(Z, &acts::tariff(terms.start, grid));
    walk.act(X, &key_return(terms, request.order()));
    walk.tell(Z, &com);
    walk.now = terms.end();
    let sold = [0, 8_100_000_000];
    let bought = [0, 9_000_000_000];
    let met_y = walk.act(Y, &acts::registers(Y, "mg-y", terms.start, sold, [0, 0]));
    let met_x = walk.act(X, &acts::registers(X, "mg-x", terms.start, [0, 0], bought));
    walk.tell(Z, &met_x);
    let set = walk.tell(Z, &met_y);
    walk.tell(X, &set);
    walk.tell(Y, &set);
    let flows = [("mg-x", -9_000_000_000), ("mg-y", 8_100_000_000)];
    let flows = flows.map(|(who, net)| (who, Energy::from_millijoules(net)));
    walk.act(Z, &acts::imbalance(terms.start, flows));
}

fn delivered_nothing(walk: &mut Walk) {
    let (request, com) = confirmed(walk, 2);
    let terms = &request.terms;
    walk.now = terms.end();
    let still = [8_100_000_000; 2];
    let met_y = walk.act(Y, &acts::registers(Y, "mg-y", terms.start, still, [0, 0]));
    walk.tell(Z, &met_y);
    walk.tell(Z, &com);
    walk.now = terms.metering_deadline.plus_millis(walk.village.grace + 1);
    let set = walk.act(Z, &Transaction::Default(request.order()));
    walk.tell(X, &set);
    walk.tell(Y, &set);
}

fn netted(walk: &mut Walk) {
    for [one, other] in [[X, Y], [X, Z]] {
        let (one, other) = (chain(one), chain(other));
        let (to, net) = (other.to_string(), Transaction::Net { one, other });
        let net = walk.act(Z, &net);
        walk.tell(X, &net);
        if to == Y {
            walk.tell(Y, &net);
        }
    }
}

fn within_one_chain(walk: &mut Walk) {
    let terms = acts::local_terms(&walk.village);
    let request = walk.request(terms, 3);
    let terms = &request.terms;
    let com = walk.act(X, &acts::local(&request));
    walk.tell(Z, &com);
    walk.now = terms.end();
    let (sold, bought) = ([0, 9_000_000_000], [9_000_000_000, 18_000_000_000]);
    let met_y = walk.act(X, &acts::registers(X, "mg-x2", terms.start, sold, [0, 0]));
    let met_x = walk.act(X, &acts::registers(X, "mg-x", terms.start, [0, 0], bought));
    walk.tell(Z, &met_y);
    let set = walk.tell(Z, &met_x);
    walk.tell(X, &set);
}

/// Late, timed out before and after it came, declined.
fn never_accepted(walk: &mut Walk) {
    let (request, req) = locked(walk, 4);
    walk.now = request.terms.deadline;
    let rej = walk.tell(Y, &req);
    walk.tell(X, &rej);
    for (days, comes) in [(5, false), (6, true)] {
        let (request, req) = locked(walk, days);
        if comes {
            walk.tell(Y, &req);
        }
        walk.now = request.terms.deadline;
        let terms = request.terms.clone();
        let nonce = request.nonce;
        let rej = walk.act(Y, &tieline_sim::village::timeout_request(&terms, nonce));
        walk.tell(X, &rej);
    }
    let (request, req) = locked(walk, 7);
    walk.tell(Y, &req);
    let rej = walk.act(Y, &decline(&request.terms, request.order()));
    walk.tell(X, &rej);
}

fn never_committed(walk: &mut Walk) {
    let (request, _) = accepted(walk, 8);
    walk.now = request.terms.deadline.plus_millis(1);
    let refund = walk.act(X, &Transaction::Timeout(request.order()));
    walk.tell(Y, &refund);
}

/// The commitment comes too late, or only to Z.
fn never_confirmed(walk: &mut Walk) {
    let (request, acc) = accepted(walk, 9);
    walk.tell(X, &acc);
    walk.now = request.terms.gate_closure;
    let void = walk.act(Y, &Transaction::Void(request.order()));
    walk.tell(X, &void);

    let (request, acc) = accepted(walk, 10);
    let com = walk.tell(X, &acc);
    walk.tell(Z, &com);
    walk.now = request
        .terms
        .metering_deadline
        .plus_millis(walk.village.grace + 1);
    let set = walk.act(Z, &Transaction::Default(request.order()));
    walk.tell(X, &set);
    walk.tell(Y, &set);
}

/// Z settles what X only locked: a fork of X said COM.
fn settled_unseen(walk: &mut Walk) {
    let (request, acc) = accepted(walk, 11);
    let honest = walk.on(X).clone();
    let com = walk.tell(X, &acc);
    walk.put(X, honest);
    walk.tell(Z, &com);
    walk.now = request
        .terms
        .metering_deadline
        .plus_millis(walk.village.grace + 1);
    let set = walk.act(Z, &Transaction::Default(request.order()));
    walk.tell(X, &set);
    walk.tell(Y, &set);
}

fn rotated(walk: &mut Walk, name: &'static str, others: &[&str]) {
    let rot = walk.act(name, &acts::next_epoch(&walk.village, name, 1));
    walk.tell(name, &rot);
    for other in others {
        let known = walk.tell(other, &rot);
        walk.tell(name, &known);
    }
    let closed = walk.act(name, &Transaction::CloseEpoch(0));
    for other in others {
        walk.tell(other, &closed);
    }
    walk.tell(name, &closed);
}

/// Two blocks of one height.
fn contradicted(walk: &mut Walk) {
    let (_, req) = locked(walk, 12);
    let one = req[0].clone();
    let mut statement = one.statement().unwrap();
    statement.outbox_root = Digest::of(b"another outbox");
    let (domain, message) = (statement.domain(Purpose::Finality), statement.message());
    let of = |seat: u8| sign(&seat_key(X, 1, usize::from(seat)), &domain, &message);
    let other = Contradiction::Final {
        signatures: (0..4).map(|seat| (seat, of(seat))).collect(),
        statement,
    };
    let evidence = Evidence { one, other };
    let freeze = walk.act(Z, &Transaction::Evidence(Arc::new(evidence)));
    walk.tell(Y, &freeze);
}
