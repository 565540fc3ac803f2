//! Any body and any tags, put in order: nothing but what the signer signed is accepted, and nothing panics.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tieline_fuzz::{epoch, kind, random};
use tieline_uss::party::Counter;
use tieline_uss::rehearsal::Rehearsal;
use tieline_uss::signature::SignedMessage;

/// What an honest signer sends in each family's epoch.
static HONEST: LazyLock<Vec<SignedMessage>> =
    LazyLock::new(|| [0, 1, 2, u8::MAX].map(|choice| parties(choice).1).to_vec());

fn parties(choice: u8) -> (Rehearsal, SignedMessage) {
    let mut parties = Rehearsal::new(epoch(choice), &mut random()).expect("everybody is honest");
    let signed = parties
        .sign(Counter(0), b"40 kWh")
        .expect("the counter is fresh");
    (parties, signed)
}

fuzz_target!(|input: &[u8]| {
    let [choice, at_1, at_2, mask, body @ ..] = input else {
        return;
    };
    let honest = &HONEST[usize::from(kind(*choice))];
    let mut forged = honest.clone();
    let place = (usize::from(*at_1) << 8 | usize::from(*at_2)) % forged.signature.len();
    forged.signature[place] ^= mask;
    if !body.is_empty() {
        forged.body = body.to_vec();
    }
    let (mut parties, _) = parties(*choice);
    let Ok(finalised) = parties.order(forged.clone()) else {
        return;
    };
    let verdicts = parties
        .verify(&finalised)
        .expect("everything was handed out");
    if forged == *honest {
        assert!(verdicts.iter().all(|verdict| verdict.is_accepted()));
    } else if forged.body == honest.body {
        // One wrong tag or a few of one byte: somebody tests them, and names the owner.
        let changed = verdicts
            .iter()
            .filter(|verdict| !verdict.complaints().is_empty())
            .count();
        assert!(changed <= 8, "a byte holds parts of eight tags at most");
    }
});
