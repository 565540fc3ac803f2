//! Records of states, edited: refused, or another state with just these records.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tieline_contract::state::State;
use tieline_contract::transaction::Transaction;
use tieline_fuzz::contract::{Input, LEDGERS, TRANSACTIONS, sound, step};
use tieline_sim::forge::signed_again;
use tieline_sim::samples::EARLY;
use tieline_units::Canonical as _;

/// What the ledgers are after every sample that they take.
static RECORDS: LazyLock<[Vec<(Vec<u8>, Vec<u8>)>; 3]> = LazyLock::new(|| {
    LEDGERS.clone().map(|mut ledger| {
        for bytes in TRANSACTIONS.iter() {
            let transaction = Transaction::decode(bytes).expect("a sample");
            let transaction = signed_again(&ledger, &transaction);
            step(&mut ledger, EARLY, &transaction);
        }
        sound(&ledger);
        ledger.records()
    })
});

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let mut records = RECORDS[usize::from(input.u8() % 3)].clone();
    for _ in 0..1 + input.u8() % 4 {
        let (how, at) = (input.u8(), usize::from(input.u16()) % records.len().max(1));
        match how % 8 {
            0 => drop(records.swap_remove(at)),
            1 => {
                let mut record = records[at].clone();
                input.edit(&mut record.0);
                records.push(record);
            }
            2 => input.edit(&mut records[at].0),
            3 => {
                let other = usize::from(input.u16()) % records.len();
                let value = records[other].1.clone();
                records[at].1 = value;
            }
            _ => input.edit(&mut records[at].1),
        }
    }
    let read = State::from_records(records.iter().map(|(key, value)| (&key[..], &value[..])));
    if let Ok(state) = read {
        records.sort();
        let mut found = state.records();
        found.sort();
        assert!(found == records, "a state has one set of records");
    }
});
