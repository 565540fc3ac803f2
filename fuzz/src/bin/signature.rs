//! Bytes as a signature: what is decoded is encoded to the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_fuzz::epoch;
use tieline_uss::signature::Signature;

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else {
        return;
    };
    let epoch = epoch(*choice);
    if let Ok(signature) = Signature::decode(&epoch, bytes) {
        assert_eq!(
            signature.encode(&epoch),
            bytes,
            "one signature has one encoding"
        );
    }
    // Past the length check: the same bytes cut or filled to the length that is due.
    let mut whole = bytes.to_vec();
    whole.resize(Signature::encoded_bytes(&epoch), 0);
    if let Ok(signature) = Signature::decode(&epoch, &whole) {
        assert_eq!(
            signature.encode(&epoch),
            whole,
            "one signature has one encoding"
        );
    }
});
