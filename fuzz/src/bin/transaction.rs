//! Bytes as transactions, acts and payloads: refused, or exactly what the value encodes to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_contract::payload::Payload;
use tieline_contract::transaction::{Act, Transaction};
use tieline_fuzz::contract::{Input, TRANSACTIONS, again};

fuzz_target!(|bytes: &[u8]| {
    again::<Transaction>(bytes);
    again::<Act>(bytes);
    again::<Payload>(bytes);
    let mut input = Input(bytes);
    let Some(sample) = input.pick(&TRANSACTIONS) else {
        return;
    };
    let mut edited = sample.clone();
    input.edit(&mut edited);
    again::<Transaction>(&edited);
});
