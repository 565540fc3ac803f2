//! Signing and verifying beside Ed25519 and ML-DSA-65, all in one run: `cargo bench -p tieline-uss --bench sign`.
//!
//! The programs take turns, so that a busy machine slows all of them; the least and the median time of each are printed.
//! Committees are live ones; parameters are the cheapest that the search finds for 1 KiB.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, prints, and stops when something is wrong"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use ed25519_dalek::{Signer as _, SigningKey, Verifier as _};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tieline_uss::bounds::{Choice, FamilyName, Load, Request, search};
use tieline_uss::committee::Committee;
use tieline_uss::draw;
use tieline_uss::key::{KeyStore as _, shared_stores_with};
use tieline_uss::parameters::{Epoch, Limits, Parameters};
use tieline_uss::party::{Counter, EpochId, Party};
use tieline_uss::rehearsal::Rehearsal;
use tieline_uss::sign::Signer;

const MESSAGE_BYTES: usize = 1024;
/// Signatures per epoch, each timed once.
const ROUNDS: u32 = 12;

/// n, ω, l_max.
const COMMITTEES: [(u8, u8, u8); 4] = [(4, 1, 0), (8, 2, 1), (16, 3, 1), (64, 11, 1)];

fn main() {
    // `cargo test --benches` only checks that it starts.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("message {MESSAGE_BYTES} bytes; least (median) of the runs, µs");
    println!(
        "{:>3} {:>3} {:>4} {:>7} {:>5} {:>8} {:>18} {:>18} {:>12}",
        "n", "ω", "λ", "family", "k", "tags", "sign", "verify", "signature B"
    );
    for bits in [64, 128] {
        for (receivers, dishonest, transfers) in COMMITTEES {
            for family in [FamilyName::Gf64, FamilyName::Small] {
                let committee = Committee::new(receivers, dishonest, transfers).unwrap();
                row(committee, bits, family);
            }
        }
    }
    println!();
    ed25519();
    ml_dsa();
}

fn row(committee: Committee, security_bits: u16, name: FamilyName) {
    let choice = search(&Request {
        committee,
        security_bits,
        family: name,
        message_bytes: MESSAGE_BYTES as u64,
        load: Load::ONE_SHOT,
    })
    .unwrap();
    let parameters = |messages| parameters(&choice, messages);
    let mut random = ChaCha20Rng::seed_from_u64(u64::from(security_bits));
    let sign = time_sign(epoch(parameters(ROUNDS)), &mut random);
    let verify = time_verify(parameters(1), &mut random);
    let one = parameters(1);
    println!(
        "{:>3} {:>3} {:>4} {:>7} {:>5} {:>8} {:>18} {:>18} {:>12}",
        committee.receivers(),
        committee.dishonest(),
        security_bits,
        name.to_string(),
        one.functions(),
        one.tags(),
        show(sign),
        show(verify),
        one.tags_bits().div_ceil(8),
    );
}

/// The parameters found, for `messages` messages: so many signatures are timed.
fn parameters(found: &Choice, messages: u32) -> Parameters {
    let one = Parameters::found(found).unwrap();
    let limits = Limits {
        messages,
        ..one.limits()
    };
    let levels = one.committee().levels();
    let budgets = levels.map(|level| one.budget(level)).collect();
    Parameters::new(
        one.committee(),
        one.family(),
        one.functions() as u16,
        budgets,
        limits,
    )
    .unwrap()
}

fn epoch(parameters: Parameters) -> Epoch {
    Epoch::new(EpochId(1), "gateway-a", &["chain-x", "chain-y"], parameters).unwrap()
}

/// A signer alone, with pads for every counter.
fn time_sign(epoch: Epoch, random: &mut ChaCha20Rng) -> Vec<Duration> {
    let parameters = epoch.parameters();
    let further = parameters.limits().messages as usize - 1;
    let of_signer = parameters.shared_bits()
        + parameters.offer_bits()
        + further * parameters.pads_shared_bits();
    let bits = |link: tieline_uss::party::Link| {
        if link.from == Party::Signer {
            of_signer
        } else {
            0
        }
    };
    let mut stores = shared_stores_with(parameters.committee().receivers(), bits, random);
    let keys = draw::signer_keys(&epoch, &mut stores[0]).unwrap();
    let (mut signer, _) = Signer::new(epoch.clone(), keys, random).unwrap();
    let body = vec![7; epoch.body_bytes_max()];
    let mut times = Vec::new();
    for counter in (0..ROUNDS).map(Counter) {
        if counter != Counter(0) {
            signer
                .refresh(counter, draw::signer_pads(&epoch, &mut stores[0]).unwrap())
                .unwrap();
        }
        let spent = stores[0].spend(epoch.id(), counter).unwrap();
        let start = Instant::now();
        black_box(signer.sign(spent, black_box(&body)).unwrap());
        times.push(start.elapsed());
    }
    times
}

/// Every receiver verifies once; small committees are set up several times.
fn time_verify(parameters: Parameters, random: &mut ChaCha20Rng) -> Vec<Duration> {
    let setups = (48 / parameters.receivers()).max(1);
    let mut times = Vec::new();
    for _ in 0..setups {
        let mut parties = Rehearsal::new(epoch(parameters.clone()), random).unwrap();
        let body = vec![7; parties.signer.epoch().body_bytes_max()];
        let signed = parties.sign(Counter(0), &body).unwrap();
        let finalised = parties.order(signed).unwrap();
        for verifier in &mut parties.verifiers {
            let start = Instant::now();
            let verdict = black_box(verifier.verify(black_box(&finalised)).unwrap());
            times.push(start.elapsed());
            assert!(verdict.is_accepted());
        }
    }
    times
}

fn ed25519() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let message = vec![7; MESSAGE_BYTES];
    let signature = key.sign(&message);
    let sign = repeat(|| {
        black_box(key.sign(black_box(&message)));
    });
    let verify = repeat(|| {
        key.verifying_key()
            .verify(black_box(&message), &signature)
            .unwrap()
    });
    println!(
        "Ed25519 (ed25519-dalek 3.0.0)        sign {:>18} verify {:>18}  64 B",
        show(sign),
        show(verify)
    );
}

fn ml_dsa() {
    use libcrux_ml_dsa::ml_dsa_65::{generate_key_pair, sign, verify};
    let pair = generate_key_pair([7; 32]);
    let mut random = ChaCha20Rng::seed_from_u64(1);
    let mut message = vec![7; MESSAGE_BYTES];
    let signature = sign(&pair.signing_key, &message, b"bench", [0; 32]).unwrap();
    let check = repeat(|| {
        verify(
            &pair.verification_key,
            black_box(&message),
            b"bench",
            &signature,
        )
        .unwrap()
    });
    let signing = repeat(|| {
        // Rejection sampling: the time depends on the message.
        random.fill_bytes(&mut message[..8]);
        black_box(sign(&pair.signing_key, black_box(&message), b"bench", [0; 32]).unwrap());
    });
    println!(
        "ML-DSA-65 (libcrux-ml-dsa 0.0.11)    sign {:>18} verify {:>18}  3309 B",
        show(signing),
        show(check)
    );
}

fn repeat(mut work: impl FnMut()) -> Vec<Duration> {
    (0..400)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect()
}

fn show(mut times: Vec<Duration>) -> String {
    times.sort();
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    format!(
        "{:.1} ({:.1})",
        micros(times[0]),
        micros(times[times.len() / 2])
    )
}
