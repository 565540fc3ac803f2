//! Bytes as terms and requests: refused or read back; other terms are another order, and no terms stop a node.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_contract::terms::{Request, Terms};
use tieline_fuzz::contract::{Input, again};
use tieline_sim::samples::{first_request, own_line};
use tieline_units::Canonical as _;

fuzz_target!(|bytes: &[u8]| {
    again::<Request>(bytes);
    again::<Terms>(bytes);
    let mut input = Input(bytes);
    let honest = first_request();
    let own_line = own_line();
    let sample = [&*honest.terms, &own_line][usize::from(input.u8() % 2)];
    let mut edited = sample.to_bytes();
    input.edit(&mut edited);
    if let Some(terms) = again::<Terms>(&edited) {
        assert_eq!(terms == *sample, terms.hash() == sample.hash());
        assert_eq!(terms == *sample, terms.order(7) == sample.order(7));
        assert!(!terms.rendering().is_empty());
    }
    let mut edited = honest.to_bytes();
    input.edit(&mut edited);
    again::<Request>(&edited);
});
