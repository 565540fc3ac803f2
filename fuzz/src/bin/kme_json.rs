//! Bodies of requests and answers of ETSI GS QKD 014: refused, or read again from what was written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tieline_qkd::etsi::{
    ErrorBody, KeyContainer, KeyId, KeyIds, KeyRequest, KmeId, SaeId, Status, read_message,
};

/// What is written is read as the same, seen by what is written then.
fn again<T: DeserializeOwned + Serialize>(bytes: &[u8]) {
    let Ok(value) = read_message::<T>(bytes) else {
        return;
    };
    let text = serde_json::to_vec(&value).expect("a message is JSON");
    let same = read_message::<T>(&text).expect("what we write we read");
    assert_eq!(serde_json::to_vec(&same).expect("a message is JSON"), text);
}

fuzz_target!(|input: &[u8]| {
    again::<KeyRequest>(input);
    again::<KeyIds>(input);
    again::<KeyContainer>(input);
    again::<Status>(input);
    again::<ErrorBody>(input);
    if let Ok(text) = std::str::from_utf8(input) {
        if let Ok(id) = text.parse::<KeyId>() {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        if let Ok(id) = text.parse::<SaeId>() {
            assert_eq!(id.as_str(), text);
        }
        if let Ok(id) = text.parse::<KmeId>() {
            assert_eq!(id.as_str(), text);
        }
    }
});
