//! Bytes as messages of the distribution, names and codes of families.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_fuzz::epoch;
use tieline_uss::family::Family;
use tieline_uss::party::Counter;
use tieline_uss::wire::{decode_offer, decode_part, encode_offer, encode_part};

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else {
        return;
    };
    let epoch = epoch(*choice);
    let parameters = epoch.parameters();
    let lengths = [
        parameters.set_bits(),
        parameters.pads_bits(),
        parameters.functions_per_receiver() * 128,
    ];
    let due = lengths.map(|bits| 32 + bits.div_ceil(8));
    for length in [bytes.len(), due[0], due[1], due[2]] {
        let mut bytes = bytes.to_vec();
        bytes.resize(length, 0);
        for counter in [Counter(0), Counter(1)] {
            if let Ok(message) = decode_part(&epoch, counter, &bytes) {
                assert_eq!(encode_part(&epoch, counter, &message), bytes);
            }
        }
        if let Ok(offer) = decode_offer(&epoch, &bytes) {
            assert_eq!(encode_offer(&epoch, &offer), bytes);
        }
    }
    if let Some(code) = bytes.first_chunk::<3>()
        && let Ok(family) = Family::from_code(*code)
    {
        assert_eq!(family.code(), *code);
        assert_eq!(family.to_string().parse(), Ok(family));
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(family) = text.parse::<Family>()
    {
        assert_eq!(family.to_string(), text);
    }
});
