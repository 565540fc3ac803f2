//! One signature from keys to dispute, everybody honest.

use tieline_uss::bounds::{Channel, EndToEnd, Load};
use tieline_uss::channel::MAC_KEY_BITS;
use tieline_uss::committee::Level;
use tieline_uss::dispute::Vote;
use tieline_uss::key::KeyStore as _;
use tieline_uss::party::{Counter, Link, Party, Receiver};
use tieline_uss::verify::level_after;

use super::actions::{self, Verdicts};
use super::facts::{
    BoundsFacts, ChainFacts, DisputeOutcome, DistributionFacts, ForgingFacts, KeysSpent, LinkFacts,
    Parties, SignatureFacts, Signing, TransferBound, TransferFacts, exponent,
};
use super::setting::{CHAINS, SIGNER, Setting};
use super::stage::Stage;
use super::text::counted;

/// The only counter.
const COUNTER: Counter = Counter(0);
/// Key rate of a modest link.
const LINK_BITS_PER_SECOND: u32 = 10_000;

/// Runs the whole of it.
pub(super) fn demonstrate(setting: &Setting) -> anyhow::Result<SignatureFacts> {
    let mut stage = Stage::honest(setting, 0)?;
    let keys_spent = keys_spent(setting, &stage);
    let distribution = distribution(setting, &stage);
    let signed = stage.parties.sign(COUNTER, setting.message.as_bytes())?;
    let again = stage.parties.stores[0].spend(stage.epoch.id(), COUNTER);
    let signing = Signing {
        message: setting.message.clone(),
        canonical_bytes: stage.epoch.message(COUNTER, &signed.body).len(),
        tags: setting.parameters.tags(),
        signature_bits: setting.parameters.tags_bits(),
        signature_bytes: signed.signature.len(),
        same_counter_again: again
            .err()
            .map_or_else(String::new, |error| error.to_string()),
    };
    let finalised = stage.parties.order(signed)?;
    let verdicts = actions::test(&mut stage.parties, &finalised)?;
    let transfers = transfers(setting, &verdicts)?;
    let committee = setting.committee();
    let further = level_after(committee, committee.transfers() + 1);
    let dispute = actions::dispute(
        &mut stage.parties.record,
        COUNTER,
        (Party::Signer, Vote::Reject),
        &actions::honest_votes(&verdicts),
    )?;
    let as_documented = verdicts.iter().all(|(_, verdict)| verdict.is_accepted())
        && transfers.iter().all(|transfer| transfer.accepted)
        && dispute.outcome == DisputeOutcome::Valid;
    let (protects, does_not_protect) = limits(setting);
    Ok(SignatureFacts {
        parties: parties(setting),
        keys_spent,
        distribution,
        signing,
        results: actions::results(committee, finalised.roster(), &verdicts),
        transfers,
        no_further_transfer: further
            .err()
            .map_or_else(String::new, |error| error.to_string()),
        dispute,
        bounds: bounds(setting),
        protects,
        does_not_protect,
        as_documented,
    })
}

/// The receivers of each chain: the first half and the second.
fn parties(setting: &Setting) -> Parties {
    let all: Vec<String> = setting
        .receivers()
        .map(|receiver| receiver.to_string())
        .collect();
    let (x, y) = all.split_at(all.len().div_ceil(2));
    let chains = CHAINS.into_iter().zip([x, y]);
    Parties {
        signer: SIGNER,
        chains: chains
            .map(|(name, receivers)| ChainFacts {
                name,
                receivers: receivers.to_vec(),
            })
            .collect(),
    }
}

/// What the stores handed out, as they count it.
fn keys_spent(setting: &Setting, stage: &Stage) -> KeysSpent {
    let stores = &stage.parties.stores;
    let receivers: Vec<Receiver> = setting.receivers().collect();
    let drawn = |from: Party, to: Receiver, store: usize| {
        let link = Link {
            from,
            to: to.into(),
        };
        stores[store].drawn_bits(link)
    };
    let from_signer: Vec<usize> = receivers
        .iter()
        .map(|to| drawn(Party::Signer, *to, 0))
        .collect();
    let pairs = receivers.iter().flat_map(|from| {
        let others = receivers.iter().filter(move |to| *to != from);
        others.map(move |to| (*from, *to))
    });
    let between: Vec<usize> = pairs
        .map(|(from, to)| drawn(from.into(), to, from.index() + 1))
        .collect();
    let facts = |links: &[usize], authentication_bits_each, further_bits_each| LinkFacts {
        links: links.len(),
        bits_each: links.iter().copied().max().unwrap_or(0),
        authentication_bits_each,
        further_bits_each,
        bits: links.iter().sum(),
    };
    let offer = match setting.parameters.offer_bits() {
        0 => 0,
        _ => MAC_KEY_BITS,
    };
    let sizes = &setting.parameters;
    let signer_to_receiver = facts(&from_signer, offer, sizes.pads_shared_bits());
    let receiver_to_receiver = facts(&between, MAC_KEY_BITS, sizes.pads_key_bits());
    let most = from_signer.iter().chain(&between).copied().max();
    KeysSpent {
        link_bits_per_second: LINK_BITS_PER_SECOND,
        refill_seconds: most.unwrap_or(0) as f64 / f64::from(LINK_BITS_PER_SECOND),
        total_bits: signer_to_receiver.bits + receiver_to_receiver.bits,
        signer_to_receiver,
        receiver_to_receiver,
    }
}

fn distribution(setting: &Setting, stage: &Stage) -> DistributionFacts {
    let receivers = setting.parameters.receivers();
    DistributionFacts {
        functions_per_receiver: setting.parameters.functions_per_receiver(),
        functions_per_part: setting.parameters.functions(),
        parts_sent: receivers * (receivers - 1),
        part_bits: setting.parameters.set_bits(),
        open: stage.parties.record.is_open(COUNTER),
    }
}

/// As many transfers as the levels allow, from P1 on to receivers spread over both chains.
fn transfers(setting: &Setting, verdicts: &Verdicts) -> anyhow::Result<Vec<TransferFacts>> {
    let committee = setting.committee();
    let stops = usize::from(committee.transfers()) + 1;
    let holder = |stop: usize| &verdicts[stop * verdicts.len() / stops];
    let mut transfers = Vec::new();
    for stop in 1..=committee.transfers() {
        let (from, to) = (holder(usize::from(stop) - 1), holder(stop.into()));
        transfers.push(TransferFacts {
            from: from.0.to_string(),
            to: to.0.to_string(),
            level: level_after(committee, stop)?.number(),
            accepted: to.1.is_accepted_after(stop)?,
        });
    }
    Ok(transfers)
}

fn bounds(setting: &Setting) -> BoundsFacts {
    let bounds = &setting.choice.bounds;
    let channel = Channel::default();
    let load = Load {
        messages: setting.parameters.limits().messages,
        ..Load::ONE_SHOT
    };
    let cost = setting
        .choice
        .cost
        .epoch(setting.committee().receivers(), load);
    let whole = EndToEnd::of(bounds.sum(), cost, channel);
    let forging = bounds.forging.iter().map(|forging| ForgingFacts {
        level: forging.level.number(),
        log2: exponent(forging.simple),
        colluders_needed: forging.colluders_needed,
    });
    let transfers = bounds.transfers.iter().map(|transfer| TransferBound {
        from: transfer.from.number(),
        to: transfer.to.number(),
        log2: exponent(transfer.bound),
        colluders_needed: splitters(setting),
    });
    BoundsFacts {
        forging: forging.collect(),
        transfers: transfers.collect(),
        scheme_log2: exponent(whole.scheme),
        key_failure_per_bit: channel.failure_per_bit,
        keys_log2: exponent(whole.keys),
        authentication_log2: exponent(whole.authentication),
        end_to_end_log2: exponent(whole.sum()),
    }
}

/// How many dishonest receivers beside the signer split the honest ones: one more than is tolerated.
fn splitters(setting: &Setting) -> Option<u32> {
    let committee = setting.committee();
    (committee.receivers() >= committee.dishonest() + 2).then_some(committee.dishonest().into())
}

/// What the signature protects, and what it does not.
fn limits(setting: &Setting) -> (Vec<String>, Vec<String>) {
    let committee = setting.committee();

    let protects = vec![
        "what each honest receiver believes from its own tests, against attackers of any computing \
         power, as long as the bits are fresh QKD key"
            .to_owned(),
        format!(
            "{} cannot deny what an honest receiver accepted",
            match committee.tolerated() {
                0 => "the signer".to_owned(),
                1 => "the signer and 1 dishonest receiver".to_owned(),
                more => format!("the signer and {more} dishonest receivers"),
            }
        ),
    ];
    let mut does_not = vec![
        format!(
            "{} decide a dispute by themselves",
            counted(setting.needed(Level::DISPUTE), "dishonest receiver")
        ),
        "certificates, tallies and the state of the chains rest on computational signatures".to_owned(),
        "keys that pass through a relay or key manager that the signer controls lose the secret split"
            .to_owned(),
    ];
    does_not.extend(splitters(setting).map(|receivers| {
        format!(
            "with {} beside a dishonest signer, honest receivers can be split",
            counted(receivers, "dishonest receiver")
        )
    }));
    (protects, does_not)
}
