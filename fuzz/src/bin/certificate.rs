//! Bytes as certificates: refused or read back, and what is read proves nothing but what was signed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_contract::certificate::Certificate;
use tieline_contract::transaction::Transaction;
use tieline_fuzz::contract::{Input, TRANSACTIONS, again};
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::Village;
use tieline_units::Canonical as _;

fuzz_target!(|bytes: &[u8]| {
    again::<Certificate>(bytes);
    let mut input = Input(bytes);
    let Some(Ok(Transaction::Certificate(honest))) = input
        .pick(&TRANSACTIONS)
        .map(|bytes| Transaction::decode(bytes))
    else {
        return;
    };
    let mut edited = honest.to_bytes();
    input.edit(&mut edited);
    let Some(certificate) = again::<Certificate>(&edited) else {
        return;
    };
    let committee = Village::default().committee(honest.chain.as_str(), honest.epoch);
    if certificate.verify(&committee, &Symbolic).is_ok() {
        assert_eq!(certificate.payload, honest.payload);
        assert_eq!(certificate.statement(), honest.statement());
    }
});
