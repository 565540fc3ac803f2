//! A state becomes records and comes back from them, and from nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use tieline_contract::apply;
use tieline_contract::certificate::Certificate;
use tieline_contract::payload::{Payload, Rotation};
use tieline_contract::state::{Block, State};
use tieline_contract::transaction::{Act, Transaction};
use tieline_sim::forge::{certificate, signed_again};
use tieline_sim::samples::{EARLY, acts, next_committee, payloads, transactions};
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::{
    START, Village, accept, certificates, chain, deposit, key_return, metered, request, signed,
};
use tieline_units::{Energy, Time};

type Records = Vec<(Vec<u8>, Vec<u8>)>;

fn step(ledger: &mut State, time: Time, transaction: &Transaction) -> Vec<Arc<Certificate>> {
    let height = ledger.block().height + 1;
    apply(ledger, transaction, Block { height, time }, &Symbolic).unwrap();
    certificates(ledger, height, 0, &[0, 1, 2, 3])
}

fn carry(ledger: &mut State, time: Time, said: &[Arc<Certificate>]) -> Vec<Arc<Certificate>> {
    let each = said.iter();
    each.flat_map(|c| step(ledger, time, &Transaction::Certificate(c.clone())))
        .collect()
}

fn sample(name: &str) -> Transaction {
    let mut all = transactions().into_iter();
    all.find(|(found, _)| *found == name).unwrap().1
}

/// Two trades, one settled and one confirmed, a late request, money home, a round, prices, an applicant, a chain, epochs,
/// evidence: every table of a state has a record on one of the three ledgers.
static RICH: LazyLock<[State; 3]> = LazyLock::new(|| {
    let village = Village::default();
    let [mut x, mut y, mut z] = ["chain-x", "chain-y", "chain-z"].map(|name| village.ledger(name));
    for (sequence, who) in [(0, "mg-x"), (1, "mg-y"), (2, "vpp")] {
        let said = step(&mut z, EARLY, &deposit(sequence, who, village.funds));
        match who {
            "mg-x" => drop(carry(&mut x, EARLY, &said)),
            "mg-y" => drop(carry(&mut y, EARLY, &said)),
            _ => {}
        }
    }
    trade(&mut x, &mut y, &mut z, 7);
    let met = village.terms().end();
    let delivered = Energy::from_millijoules(8_100_000_000);
    let met_y = step(&mut y, met, &metered("chain-y", "mg-y", START, delivered));
    let taken = -village.terms().quantity;
    let met_x = step(&mut x, met, &metered("chain-x", "mg-x", START, taken));
    carry(&mut z, met, &met_x);
    let set = carry(&mut z, met, &met_y);
    carry(&mut x, met, &set);
    carry(&mut y, met, &set);
    registry(&mut z, met);
    epochs([&mut x, &mut y, &mut z], met);
    [x, y, z]
});

/// A trade as far as it goes before delivery, and another that is only confirmed.
fn trade(x: &mut State, y: &mut State, z: &mut State, nonce: u64) {
    let mut later = Village::default().terms();
    later.start = START.plus_millis(900_000);
    later.metering_deadline = later.metering_deadline.plus_millis(900_000);
    later.rendering_hash = later.rendering_digest();
    for terms in [Village::default().terms(), later] {
        let request = request(terms, nonce);
        let (order, terms) = (request.order(), request.terms.clone());
        let req = step(x, EARLY, &Transaction::Request(request));
        carry(y, EARLY, &req);
        let acc = step(y, EARLY, &accept(&terms, order));
        let com = carry(x, EARLY, &acc);
        step(x, EARLY, &key_return(&terms, order));
        carry(y, EARLY, &com);
        carry(z, EARLY, &com);
    }
}

fn registry(z: &mut State, now: Time) {
    for name in ["Act::Register", "Act::RegisterChain", "Act::Round"] {
        let transaction = signed_again(z, &sample(name));
        step(z, now, &transaction);
    }
    let (_, (_, _, act)) = acts().pop().unwrap();
    let Act::Tariff { tariff, .. } = act else {
        unreachable!("the last act")
    };
    let start = now.plus_millis(900_000);
    let tariff = Act::Tariff { start, tariff };
    step(
        z,
        now,
        &Transaction::Signed(signed("chain-z", "vpp", tariff)),
    );
    // The buyer's penalty goes home; what the seller and the aggregator have on X stays for the next time.
    step(z, now, &sample("Transaction::Net"));
    step(z, now, &sample("Transaction::Evidence"));
    let later = accept_position();
    step(
        z,
        now,
        &Transaction::Certificate(certificate(z, ("chain-y", 0), 40, later.0)),
    );
    step(
        z,
        now,
        &Transaction::Certificate(certificate(z, ("chain-x", 0), 40, later.1)),
    );
}

/// Another settled order, so that positions are left after the netting.
fn accept_position() -> (Payload, Payload) {
    let find = |name: &str| payloads().into_iter().find(|(n, _)| *n == name).unwrap().1;
    let (Payload::Delivered(mut met_y), Payload::Taken(mut met_x)) =
        (find("Payload::Delivered"), find("Payload::Taken"))
    else {
        unreachable!("readings")
    };
    let other = request(Village::default().terms(), 77);
    Arc::make_mut(&mut met_y).request = other.clone();
    Arc::make_mut(&mut met_x).request = other;
    (Payload::Delivered(met_y), Payload::Taken(met_x))
}

fn epochs([x, y, z]: [&mut State; 3], now: Time) {
    let frozen = step_freeze(z, y, now);
    assert!(frozen);
    let own = certificates(x, 2, 0, &[0, 1, 2]);
    step(x, now, &Transaction::Certificate(own[0].clone()));
    let rot = step(x, now, &sample("Transaction::Epoch"));
    let known = carry(y, now, &rot);
    carry(x, now, &known);
    assert_eq!(x.current(&chain("chain-x")).map(|c| c.epoch), Some(1));
    assert_eq!(next_committee("chain-x").epoch, 1);
    let payload = Payload::Rotate {
        sequence: 1,
        rotation: Rotation::Closed { epoch: 0 },
    };
    let closed = certificate(y, ("chain-x", 1), 90, payload);
    step(y, now, &Transaction::Certificate(closed));
    let late = tieline_sim::village::timeout_request(&Village::default().terms(), 99);
    step(y, now, &late);
}

fn step_freeze(z: &State, y: &mut State, now: Time) -> bool {
    let found = z
        .said()
        .find(|(_, p)| matches!(***p, Payload::Freeze { .. }));
    let (height, _) = found.unwrap();
    carry(y, now, &certificates(z, height, 0, &[0, 1]));
    y.is_frozen(&chain("chain-y"), 0)
}

fn read(records: &Records) -> Option<State> {
    State::from_records(records.iter().map(|(key, value)| (&key[..], &value[..]))).ok()
}

fn shorten(bytes: &mut Vec<u8>) {
    bytes.truncate(bytes.len().saturating_sub(1));
}

fn records() -> [Records; 3] {
    [0, 1, 2].map(|ledger: usize| RICH[ledger].records())
}

#[test]
fn every_table_has_a_record_somewhere_and_every_key_is_there_once() {
    let mut tables = BTreeSet::new();
    for records in records() {
        let keys: BTreeSet<&Vec<u8>> = records.iter().map(|(key, _)| key).collect();
        assert_eq!(keys.len(), records.len());
        tables.extend(records.iter().map(|(key, _)| key[0]));
    }
    assert_eq!(tables, (0..=24).collect());
}

#[test]
fn a_state_comes_back_from_its_records_in_any_order_and_goes_on_alike() {
    for (ledger, records) in RICH.iter().zip(records()) {
        let back = read(&records).unwrap();
        assert_eq!(back.records(), records);
        assert_eq!(back.digest(), ledger.digest());
        let reversed: Records = records.into_iter().rev().collect();
        assert_eq!(read(&reversed).unwrap().digest(), ledger.digest());
    }
    // What is not written follows: orders that a meter's batch is for.
    let later = START.plus_millis(900_000);
    let batch = metered("chain-y", "mg-y", later, Energy::from_millijoules(1));
    let Transaction::Meter(mut batch) = batch else {
        unreachable!("a batch")
    };
    let before = Energy::from_millijoules(8_100_000_000);
    let meter = Arc::make_mut(&mut batch);
    meter.exported.before = before;
    meter.exported.after = before + before;
    let mut found = Vec::new();
    for mut ledger in [RICH[1].clone(), read(&RICH[1].records()).unwrap()] {
        let batch = signed_again(&ledger, &Transaction::Meter(batch.clone()));
        assert_eq!(
            step(&mut ledger, later.plus_millis(900_000), &batch).len(),
            1
        );
        found.push(ledger.digest());
    }
    assert_eq!(found[0], found[1]);
}

#[test]
fn no_record_is_cut_or_longer_comes_twice_or_is_missing_where_there_must_be_one() {
    for records in records() {
        for at in 0..records.len() {
            let changed = |change: &dyn Fn(&mut Records)| {
                let mut records = records.clone();
                change(&mut records);
                read(&records)
            };
            let key = &records[at].0;
            assert!(changed(&|r| r.push(r[at].clone())).is_none(), "{key:?}");
            assert!(changed(&|r| r[at].0.push(0)).is_none(), "{key:?}");
            assert!(changed(&|r| r[at].1.push(0)).is_none(), "{key:?}");
            assert!(changed(&|r| shorten(&mut r[at].0)).is_none(), "{key:?}");
            if !records[at].1.is_empty() {
                assert!(changed(&|r| shorten(&mut r[at].1)).is_none(), "{key:?}");
            }
        }
        for table in [0, 1] {
            let rest = records.iter().filter(|(key, _)| key[0] != table);
            assert!(read(&rest.cloned().collect()).is_none());
        }
        for table in (25..=255).chain([0, 1]) {
            let unknown = (vec![table, 0], Vec::new());
            let more = records.iter().cloned().chain([unknown]);
            assert!(read(&more.collect()).is_none(), "{table}");
        }
        let empty = records.iter().cloned().chain([(Vec::new(), Vec::new())]);
        assert!(read(&empty.collect()).is_none());
    }
    assert!(read(&Vec::new()).is_none());
}

/// Tables whose values name their key.
const NAMED: [u8; 7] = [2, 3, 11, 12, 13, 16, 19];

#[test]
fn a_record_stands_under_its_own_key() {
    let mut tried = BTreeSet::new();
    for records in records() {
        for table in NAMED {
            let of = |(at, (key, _)): (usize, &(Vec<u8>, Vec<u8>))| (key[0] == table).then_some(at);
            let places: Vec<usize> = records.iter().enumerate().filter_map(of).collect();
            let [one, .., other] = places[..] else {
                continue;
            };
            let mut changed = records.clone();
            let value = std::mem::take(&mut changed[one].1);
            changed[one].1 = std::mem::replace(&mut changed[other].1, value);
            assert!(read(&changed).is_none(), "table {table}");
            tried.insert(table);
        }
    }
    // Only one applicant at a time.
    assert_eq!(tried, NAMED.into_iter().filter(|t| *t != 19).collect());
    let [_, _, mut z] = records();
    let applicant = z.iter_mut().find(|(key, _)| key[0] == 19).unwrap();
    *applicant.0.last_mut().unwrap() ^= 1;
    assert!(read(&z).is_none());
}

#[test]
fn books_that_do_not_balance_and_records_of_nothing_are_no_state() {
    let [x, y, z] = records();
    let change = |records: &Records, table: u8, value: &[u8]| {
        let mut records = records.clone();
        let record = records.iter_mut().find(|(key, _)| key[0] == table).unwrap();
        record.1 = value.to_vec();
        read(&records).is_some()
    };
    // A millionth more, and every table of amounts at zero, or below.
    let first = x.iter().find(|(key, _)| key[0] == 8).unwrap();
    let mut more = first.1.clone();
    assert!(change(&x, 8, &more));
    *more.last_mut().unwrap() ^= 1;
    assert!(!change(&x, 8, &more));
    let (nothing, below) = ([0; 8], [0xff; 8]);
    for (records, table) in [(&x, 8), (&y, 9), (&x, 10), (&z, 22), (&z, 18)] {
        assert!(!change(records, table, &nothing), "table {table}");
        assert!(
            table >= 18 || !change(records, table, &below),
            "table {table}"
        );
    }
    assert!(!change(&x, 7, &1_001_u32.to_be_bytes()));
    // An outbox with a gap, and one of a block to come.
    let entries: Vec<_> = x.iter().filter(|(key, _)| key[0] == 15).collect();
    let mut gap: BTreeMap<_, _> = x.iter().cloned().collect();
    let (key, value) = entries[0];
    gap.remove(key);
    for end in [[0, 0, 0, 1], [0xff; 4]] {
        let mut gap = gap.clone();
        gap.insert([&key[..9], &end].concat(), value.clone());
        assert!(read(&gap.into_iter().collect()).is_none());
    }
    let mut ahead = gap;
    ahead.insert([&[15][..], &[0xff; 8], &[0; 4]].concat(), value.clone());
    assert!(read(&ahead.into_iter().collect()).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_changed_record_is_refused_or_another_state_with_just_these_records(
        which in 0..3_usize,
        edits in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<bool>(), any::<u8>()),
            1..3,
        ),
    ) {
        let mut records = RICH[which].records();
        for (record, at, in_key, byte) in edits {
            let (key, value) = record.get_mut(&mut records);
            let bytes = if in_key || value.is_empty() { key } else { value };
            // Most of the bytes are keys and signatures: look at the front.
            let front = bytes.len().min(400);
            bytes[at.index(front)] = byte;
        }
        if let Some(state) = read(&records) {
            records.sort();
            let mut found = state.records();
            found.sort();
            prop_assert!(found == records);
        }
    }
}
