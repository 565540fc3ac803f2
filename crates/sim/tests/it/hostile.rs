//! Everybody's keys in wrong hands: a ledger refuses, or does what its rules allow; it never stops, and no money is made.

use std::sync::Arc;

use tieline_contract::apply;
use tieline_contract::guard::Guard;
use tieline_contract::member::Member;
use tieline_contract::payload::{
    Acceptance, Commitment, Deposit, Payload, Reading, Registration, Transfer,
};
use tieline_contract::state::{Account, Block, State};
use tieline_contract::terms::Terms;
use tieline_contract::transaction::{Act, Signed, Transaction};
use tieline_contract::transition::Transition;
use tieline_sim::forge::{certificate, signed_again};
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::{
    START, Village, accept, chain, deposit, genesis, member, request, signed,
};
use tieline_units::{Digest, Energy, Money, Power, Price, Time};

/// Before the deadline of the village's terms.
const EARLY: Time = Time::from_millis(START.as_millis() - 3_600_000);

/// Applies a transaction in the next block.
fn step(
    ledger: &mut State,
    time: Time,
    transaction: &Transaction,
) -> Result<Vec<Transition>, Guard> {
    let height = ledger.block().height + 1;
    let block = Block { height, time };
    let done = apply(ledger, transaction, block, &Symbolic);
    if height < 10 || height.is_multiple_of(500) {
        let accounts = ledger.records().into_iter().filter(|(key, _)| key[0] == 8);
        let sum: i128 = accounts
            .map(|(_, value)| i128::from(i64::from_be_bytes(value.try_into().unwrap())))
            .sum();
        assert_eq!(sum, 0, "money is moved, never made");
    }
    done.map_err(|refusal| refusal.guard)
}

/// What `from` says in this block, as the others get it.
fn says(ledger: &State, from: &str, height: u64, payload: Payload) -> Transaction {
    Transaction::Certificate(certificate(ledger, (from, 0), height, payload))
}

fn credit(ledger: &mut State, who: &str, amount: i64, sequence: u64) -> Result<(), Guard> {
    let payload = Payload::Deposit {
        sequence,
        deposit: Deposit {
            member: member(who),
            home: ledger.rules().chain.clone(),
            amount: Money::from_millionths(amount),
        },
    };
    let transaction = says(ledger, "chain-z", sequence, payload);
    step(ledger, EARLY, &transaction).map(|_| ())
}

/// A trade on one chain: both gateways are on it.
fn local(ledger: &State, change: impl Fn(&mut Terms)) -> Transaction {
    let mut terms = Village::default().terms();
    terms.chain_y = chain("chain-x");
    terms.genesis_y = genesis("chain-x");
    change(&mut terms);
    let request = request(terms.clone(), 1);
    let Transaction::Signed(answer) = accept(&terms, request.order()) else {
        unreachable!("an act")
    };
    signed_again(ledger, &Transaction::Local { request, answer })
}

#[test]
fn nobody_trades_with_itself_and_pays_escrow_and_bond_out_of_one_purse() {
    let mut x = Village::default().ledger("chain-x");
    credit(&mut x, "mg-x", 700_000, 0).unwrap();
    // Escrow 0.625 and bond 0.1: each is covered, both are not.
    let own = local(&x, |terms| terms.seller = member("mg-x"));
    assert_eq!(step(&mut x, EARLY, &own), Err(Guard::WellFormed));
    credit(&mut x, "mg-x2", 700_000, 1).unwrap();
    let other = local(&x, |terms| terms.seller = member("mg-x2"));
    assert_eq!(step(&mut x, EARLY, &other), Ok(vec![Transition::Local]));
}

/// A member of Y with another nameplate.
fn replated(sequence: u64, milliwatts: i64) -> Payload {
    let mut members = Village::default().members().into_iter();
    let seller = members.find(|m| m.id == member("mg-y")).unwrap();
    let registration = Registration::Member(Arc::new(Member {
        nameplate: Power::from_milliwatts(milliwatts),
        ..seller
    }));
    Payload::Register {
        sequence,
        registration,
    }
}

/// The request of the village's terms on Y, and the seller's yes.
fn accepted(y: &mut State) -> Result<Vec<Transition>, Guard> {
    let request = request(Village::default().terms(), 7);
    let (order, terms) = (request.order(), request.terms.clone());
    if y.sale(order).is_none() {
        let offer = says(y, "chain-x", 1, Payload::Request(request));
        step(y, EARLY, &offer).unwrap();
    }
    step(y, EARLY, &accept(&terms, order))
}

#[test]
fn a_nameplate_beyond_all_plants_is_none() {
    let mut y = Village::default().ledger("chain-y");
    credit(&mut y, "mg-y", 1_000_000, 0).unwrap();
    for (sequence, milliwatts) in [(0, i64::MIN), (1, -1), (2, i64::MAX)] {
        let register = says(&y, "chain-z", sequence, replated(sequence, milliwatts));
        step(&mut y, EARLY, &register).unwrap();
        let expected = if milliwatts < 0 {
            Err(Guard::Capacity)
        } else {
            Ok(vec![Transition::Accept])
        };
        assert_eq!(accepted(&mut y), expected);
    }
}

#[test]
fn a_nameplate_that_shrinks_under_promises_lets_them_end() {
    let mut y = Village::default().ledger("chain-y");
    credit(&mut y, "mg-y", 1_000_000, 0).unwrap();
    accepted(&mut y).unwrap();
    let other = request(Village::default().terms(), 8);
    let (order, terms) = (other.order(), other.terms.clone());
    let offer = says(&y, "chain-x", 2, Payload::Request(other));
    step(&mut y, EARLY, &offer).unwrap();
    step(&mut y, EARLY, &accept(&terms, order)).unwrap();
    let register = says(&y, "chain-z", 3, replated(0, 1));
    step(&mut y, EARLY, &register).unwrap();
    let void = Transaction::Void(order);
    let done = step(&mut y, terms.gate_closure, &void);
    assert_eq!(done, Ok(vec![Transition::Void]));
    assert_eq!(y.reserved(&member("mg-y"), terms.start), terms.quantity);
}

fn transfer(from: &str, to: &str, amount: i64) -> Transfer {
    Transfer {
        party: member("mg-x"),
        from: chain(from),
        to: chain(to),
        amount: Money::from_millionths(amount),
    }
}

#[test]
fn transfers_are_positive_and_covered_together() {
    let mut x = Village::default().ledger("chain-x");
    credit(&mut x, "mg-x", 100, 0).unwrap();
    let mut net = |sequence, transfers: &[Transfer]| {
        let transfers = transfers.to_vec();
        let payload = Payload::Net {
            sequence,
            transfers,
        };
        let transaction = says(&x, "chain-z", 1, payload);
        step(&mut x, EARLY, &transaction)
    };
    let out = |amount| transfer("chain-x", "chain-y", amount);
    let home = |amount| transfer("chain-y", "chain-x", amount);
    assert_eq!(net(0, &[out(-5)]), Err(Guard::Positive));
    assert_eq!(net(0, &[home(-5)]), Err(Guard::Positive));
    assert_eq!(net(0, &[home(i64::MIN)]), Err(Guard::Positive));
    assert_eq!(net(0, &[out(60), out(60)]), Err(Guard::Funds));
    assert_eq!(net(0, &[home(i64::MAX), home(1)]), Err(Guard::Positive));
    assert_eq!(net(0, &[out(60), out(40)]), Ok(vec![Transition::Transfer]));
}

#[test]
fn deposits_are_positive_and_have_an_end() {
    let village = Village::default();
    let mut x = village.ledger("chain-x");
    for amount in [0, -1, i64::MIN, i64::MAX] {
        assert_eq!(credit(&mut x, "mg-x", amount, 0), Err(Guard::Positive));
    }
    let most = 1_000_000_000_000_000;
    let fits = |x: &mut State, sequence| credit(x, "mg-x", most, sequence);
    let taken = (0..5_000).take_while(|&sequence| fits(&mut x, sequence).is_ok());
    assert_eq!(taken.count(), 1_000);
    assert_eq!(x.balance(&Account::Outside).as_millionths(), -1_000 * most);
    let mut z = village.ledger("chain-z");
    let more = |z: &mut State, sequence| {
        step(
            z,
            EARLY,
            &deposit(sequence, "vpp", Money::from_millionths(most)),
        )
    };
    let taken = (0..5_000).take_while(|&sequence| more(&mut z, sequence).is_ok());
    assert_eq!(taken.count(), 1_000);
}

/// What both ends of an order tell Z: COM, MET_x, MET_y.
fn reading(terms: &Terms, nonce: u64, energy: i64) -> Arc<Reading> {
    Arc::new(Reading {
        request: request(terms.clone(), nonce),
        energy: Energy::from_millijoules(energy),
        trade_hash: Digest::of(b"trade"),
    })
}

#[test]
fn a_reading_below_zero_does_not_keep_an_order_from_its_settlement() {
    let village = Village::default();
    let mut z = village.ledger("chain-z");
    let terms = village.terms();
    let commitment = Commitment {
        request: request(terms.clone(), 1),
        trade_hash: Digest::of(b"trade"),
    };
    let order = commitment.request.order();
    let com = says(&z, "chain-x", 1, Payload::Commit(Arc::new(commitment)));
    step(&mut z, EARLY, &com).unwrap();
    for energy in [-1, i64::MIN] {
        for payload in [
            Payload::Delivered(reading(&terms, 1, energy)),
            Payload::Taken(reading(&terms, 1, energy)),
        ] {
            let from = match payload {
                Payload::Taken(_) => "chain-x",
                _ => "chain-y",
            };
            let met = says(&z, from, 2, payload);
            assert_eq!(step(&mut z, terms.end(), &met), Err(Guard::Consistent));
        }
    }
    let met = says(
        &z,
        "chain-x",
        2,
        Payload::Taken(reading(&terms, 1, i64::MAX)),
    );
    step(&mut z, terms.end(), &met).unwrap();
    let late = terms.metering_deadline.plus_millis(village.grace + 1);
    let done = step(&mut z, late, &Transaction::Default(order));
    assert_eq!(done, Ok(vec![Transition::Default]));
}

#[test]
fn positions_of_made_up_orders_stay_in_range() {
    let village = Village::default();
    let mut z = village.ledger("chain-z");
    let mut terms = village.terms();
    terms.quantity = Energy::from_millijoules(10_000_000_000_000_000);
    terms.price = Price::from_millionths(10_000_000_000);
    terms.seller_price = terms.price;
    terms.rendering_hash = terms.rendering_digest();
    let quantity = terms.quantity.as_millijoules();
    for nonce in 0..400 {
        let met = Payload::Delivered(reading(&terms, nonce, quantity));
        let met = says(&z, "chain-y", nonce, met);
        step(&mut z, terms.end(), &met).unwrap();
        let met = Payload::Taken(reading(&terms, nonce, quantity));
        let met = says(&z, "chain-x", nonce, met);
        let done = step(&mut z, terms.end(), &met);
        assert_eq!(done, Ok(vec![Transition::Settle]));
    }
    let position = z.position(&chain("chain-x"), &member("mg-y"));
    assert_eq!(position.as_millionths(), i64::MAX);
}

#[test]
fn orders_for_nothing_of_any_size_are_metered() {
    let village = Village::default();
    let mut x = village.ledger("chain-x");
    credit(&mut x, "mg-x", 10_000_000, 0).unwrap();
    let mut terms = village.terms();
    terms.quantity = Energy::from_millijoules(10_000_000_000_000_000);
    terms.price = Price::ZERO;
    terms.seller_price = Price::ZERO;
    terms.escrow = Money::ZERO;
    terms.rendering_hash = terms.rendering_digest();
    for nonce in 0..1_000 {
        let wanted = request(terms.clone(), nonce);
        let acceptance = Acceptance {
            order: wanted.order(),
            terms_hash: terms.hash(),
            response_commitment: Digest::of(b"response"),
            sealed_response: Arc::from(&b""[..]),
        };
        step(&mut x, EARLY, &Transaction::Request(wanted)).unwrap();
        let yes = Payload::Accept(Arc::new(acceptance));
        let acc = says(&x, "chain-y", nonce, yes);
        step(&mut x, EARLY, &acc).unwrap();
    }
    let batch = tieline_sim::village::metered("chain-x", "mg-x", START, -terms.quantity);
    let done = step(&mut x, terms.end(), &batch).unwrap();
    assert_eq!(done.len(), 1_001);
}

#[test]
fn an_act_of_somebody_else_is_nobodys() {
    let village = Village::default();
    let mut z = village.ledger("chain-z");
    let act = Act::Deposit {
        sequence: 0,
        member: member("vpp"),
        amount: Money::from_millionths(1),
    };
    let own = signed("chain-z", "mg-x", act);
    let named = Signed {
        by: member("vpp"),
        ..Signed::clone(&own)
    };
    for transaction in [own, Arc::new(named)].map(Transaction::Signed) {
        assert_eq!(step(&mut z, EARLY, &transaction), Err(Guard::Signed));
    }
}
