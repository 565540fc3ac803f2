//! Bytes between key managers, between key stores, and between the two ends of a line: refused, or exactly what we write.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_qkd::kme::core::Frame;
use tieline_qkd::link::wire::message;
use tieline_qkd::store::Message;

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else {
        return;
    };
    match choice % 3 {
        0 => {
            if let Ok(frame) = Frame::decode(bytes) {
                assert_eq!(frame.encode().as_slice(), bytes);
            }
        }
        1 => {
            if let Ok(message) = Message::from_bytes(bytes) {
                assert_eq!(message.to_bytes(), bytes);
            }
        }
        _ => {
            if let Ok((block, message)) = message::Message::decode(bytes) {
                assert_eq!(message.encode(block), bytes);
            }
        }
    }
});
