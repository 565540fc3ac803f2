//! Every party by itself: four receivers, a signer, a ledger, and bytes between them, two messages in one epoch, one
//! disputed. `cargo run -p tieline-uss --example parties`
//!
//! Real parties draw from a store that survives a crash, take randomness from the operating system, and send the bytes over
//! a network; nothing else changes.
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

use std::collections::BTreeMap;
use std::error::Error;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use tieline_uss::channel::Authenticated;
use tieline_uss::committee::Committee;
use tieline_uss::dispute::{Ballot, Call, Vote};
use tieline_uss::distribute::Distribution;
use tieline_uss::draw;
use tieline_uss::epoch::{EpochRecord, Finalised};
use tieline_uss::family::Family;
use tieline_uss::key::{KeyStore as _, MemoryStore, shared_stores};
use tieline_uss::parameters::{Epoch, Limits, Parameters};
use tieline_uss::party::{Counter, EpochId, Height, Party, Receiver};
use tieline_uss::sign::Signer;
use tieline_uss::verify::Verifier;
use tieline_uss::wire;

fn main() -> Result<(), Box<dyn Error>> {
    let committee = Committee::new(4, 1, 0)?;
    let limits = Limits {
        messages: 2,
        message_bytes: 1024,
    };
    let parameters = Parameters::new(committee, Family::Gf64, 42, vec![0, 40], limits)?;
    println!(
        "worst bound: 2^{:.1}",
        parameters.bounds().worst().exponent()
    );
    let epoch = Epoch::new(EpochId(1), "gateway-a", &["chain-x", "chain-y"], parameters)?;

    // Both ends of every link hold the same bits. Here a generator stands for the links.
    let mut random = ChaCha20Rng::seed_from_u64(1);
    let mut stores = shared_stores(4, 100_000, &mut random);
    let (of_signer, of_receivers) = stores.split_at_mut(1);
    let of_signer = &mut of_signer[0];

    let mut ledger = EpochRecord::new(epoch.clone());
    let (mut signer, _) = Signer::new(
        epoch.clone(),
        draw::signer_keys(&epoch, of_signer)?,
        &mut random,
    )?;
    let mut verifiers = distribute(&epoch, of_receivers, &mut ledger)?;

    let first = sign(
        &mut signer,
        of_signer,
        &mut ledger,
        (Counter(0), Height(1), b"40 kWh at 0.27"),
    )?;
    test(&mut verifiers, &first)?;

    further_pads(
        &epoch,
        (&mut signer, of_signer),
        (&mut verifiers, of_receivers),
        &mut ledger,
    )?;
    let second = sign(
        &mut signer,
        of_signer,
        &mut ledger,
        (Counter(1), Height(2), b"35 kWh at 0.25"),
    )?;
    test(&mut verifiers, &second)?;

    dispute(&mut ledger, &mut verifiers, &first)
}

/// Rounds 2 to 4. Each receiver has its own randomness, which nobody else may know.
fn distribute(
    epoch: &Epoch,
    stores: &mut [MemoryStore],
    ledger: &mut EpochRecord,
) -> Result<Vec<Verifier>, Box<dyn Error>> {
    let mut distributions = BTreeMap::new();
    let mut in_flight: Vec<Vec<u8>> = Vec::new();
    for (me, store) in Receiver::first(4).zip(stores) {
        let mut own_random = ChaCha20Rng::seed_from_u64(100 + me.index() as u64);
        let keys = draw::receiver_keys(epoch, me, store)?;
        let (distribution, parts) = Distribution::start(epoch, me, keys, None, &mut own_random)?;
        in_flight.extend(
            parts
                .iter()
                .map(|part| wire::encode_part(epoch, Counter(0), part)),
        );
        distributions.insert(me, distribution);
    }
    for bytes in in_flight {
        let part = wire::decode_part(epoch, Counter(0), &bytes)?;
        distributions
            .get_mut(&part.to)
            .ok_or("no such receiver")?
            .receive(&part)?;
    }
    for (me, distribution) in &distributions {
        let receipt = distribution
            .receipt(ledger.roster())
            .ok_or("a part is missing: complain")?;
        ledger.receipt(&Authenticated::by_ledger(Party::Receiver(*me), receipt))?;
    }
    Ok(distributions
        .into_values()
        .map(Distribution::finish)
        .collect())
}

/// Spends the counter, signs, and hands the bytes to the ledger.
fn sign(
    signer: &mut Signer,
    store: &mut MemoryStore,
    ledger: &mut EpochRecord,
    (counter, height, body): (Counter, Height, &[u8]),
) -> Result<Finalised, Box<dyn Error>> {
    let spent = store.spend(signer.epoch().id(), counter)?;
    let signed = signer.sign(spent, body)?;
    println!(
        "counter {counter}: {} bytes of signature for {} bytes of message",
        signed.signature.len(),
        body.len()
    );
    // The ledger has checked that the transaction comes from the signer's gateway.
    Ok(ledger.finalise(&Authenticated::by_ledger(Party::Signer, signed), height)?)
}

fn test(verifiers: &mut [Verifier], finalised: &Finalised) -> Result<(), Box<dyn Error>> {
    for verifier in verifiers {
        let verdict = verifier.verify(finalised)?;
        println!(
            "  {}: {verdict:?}, complaints: {}",
            verifier.receiver(),
            verdict.complaints().len()
        );
    }
    Ok(())
}

/// Batch mode: pads for counter 1, sent and confirmed like the parts.
fn further_pads(
    epoch: &Epoch,
    (signer, of_signer): (&mut Signer, &mut MemoryStore),
    (verifiers, stores): (&mut [Verifier], &mut [MemoryStore]),
    ledger: &mut EpochRecord,
) -> Result<(), Box<dyn Error>> {
    signer.refresh(Counter(1), draw::signer_pads(epoch, of_signer)?)?;
    let mut in_flight: Vec<Vec<u8>> = Vec::new();
    for (verifier, store) in verifiers.iter_mut().zip(stores) {
        let (shared, links) = draw::receiver_pads(epoch, verifier.receiver(), store)?;
        let pads = verifier.refresh(Counter(1), shared, links)?;
        in_flight.extend(
            pads.iter()
                .map(|pads| wire::encode_part(epoch, Counter(1), pads)),
        );
    }
    for bytes in in_flight {
        let pads = wire::decode_part(epoch, Counter(1), &bytes)?;
        verifiers[pads.to.index()].receive_pads(Counter(1), &pads)?;
    }
    for verifier in verifiers {
        let receipt = verifier
            .receipt(Counter(1), ledger.roster())
            .ok_or("pads are missing: complain")?;
        ledger.receipt(&Authenticated::by_ledger(
            Party::Receiver(verifier.receiver()),
            receipt,
        ))?;
    }
    Ok(())
}

/// The signer denies the first message; the receivers vote.
fn dispute(
    ledger: &mut EpochRecord,
    verifiers: &mut [Verifier],
    finalised: &Finalised,
) -> Result<(), Box<dyn Error>> {
    let (epoch, counter) = (ledger.epoch().id(), finalised.counter());
    let call = Call {
        epoch,
        counter,
        claim: Vote::Reject,
    };
    ledger.call_dispute(&Authenticated::by_ledger(Party::Signer, call))?;
    for verifier in verifiers {
        // The recorded verdict: nothing is tested twice.
        let Some(vote) = verifier.verify(finalised)?.vote() else {
            continue;
        };
        let ballot = Ballot {
            epoch,
            counter,
            vote,
        };
        let from = Party::Receiver(verifier.receiver());
        if let Some(outcome) = ledger.vote(&Authenticated::by_ledger(from, ballot))? {
            let frivolous = ledger
                .dispute(counter)
                .and_then(|dispute| dispute.frivolous_caller());
            println!(
                "the signer denies counter {counter}: {outcome:?}; frivolous caller: {frivolous:?}"
            );
            break;
        }
    }
    Ok(())
}
