//! Receivers that keep silent in a dispute.

use tieline_uss::dispute::Vote;
use tieline_uss::epoch::EpochRecord;
use tieline_uss::party::{Counter, Party, Receiver};

use super::super::actions::{self, Verdicts};
use super::super::facts::{DisputeFacts, DisputeOutcome, Fact, Scene};
use super::super::setting::Setting;
use super::super::stage::Stage;
use super::super::table::names;
use super::Found;

const COUNTER: Counter = Counter(0);

/// What the last receivers do in the vote.
#[derive(Clone, Copy)]
enum Manner {
    Silent,
    Lying,
}

pub(super) fn show(setting: &Setting) -> anyhow::Result<Found> {
    let receivers = setting.parameters.receivers();
    let tolerated = setting.committee().tolerated() as usize;
    let half = receivers.div_ceil(2);
    let mut stage = Stage::honest(setting, 0)?;
    let signed = stage.parties.sign(COUNTER, setting.message.as_bytes())?;
    let finalised = stage.parties.order(signed)?;
    let verdicts = actions::test(&mut stage.parties, &finalised)?;
    let vote = |count, manner| vote(&stage.parties.record, &verdicts, (count, manner));
    let few = vote(tolerated, Manner::Silent)?;
    let lying = vote(tolerated, Manner::Lying)?;
    let many = vote(half, Manner::Silent)?;
    let later = vote(half - 1, Manner::Silent)?;
    let as_documented = few.outcome == DisputeOutcome::Valid
        && lying.outcome == DisputeOutcome::Valid
        && many.outcome == DisputeOutcome::Open
        && later.outcome == DisputeOutcome::Valid;
    let named = |title: &str, silent: usize| {
        let all: Vec<String> = setting.receivers().map(|one| one.to_string()).collect();
        format!("{title}: {}", names(&all[receivers - silent..]))
    };
    let scenes = vec![
        Scene::new(
            named(
                "The signer denies it; silent are as many as are tolerated",
                tolerated,
            ),
            vec![Fact::Dispute(few)],
        ),
        Scene::new(
            named(
                "The same, and these vote against what they found",
                tolerated,
            ),
            vec![Fact::Dispute(lying)],
        ),
        Scene::new(
            named(
                "Even half are silent, say behind a cut of the network",
                half,
            ),
            vec![
                Fact::Dispute(many),
                Fact::note(
                    "Silence is on record as a fault and is no rejection: nobody has repudiated anything.",
                ),
            ],
        ),
        Scene::new("One of them votes at last", vec![Fact::Dispute(later)]),
    ];
    Ok(Found {
        aim: "an honest receiver's signature loses its dispute because others do not vote.".to_owned(),
        scenes,
        documented: "silence gains nothing: it delays a dispute at most, and never makes a signature invalid."
            .to_owned(),
        as_documented,
    })
}

/// A dispute about an honest signature in which the last `count` receivers misbehave.
fn vote(
    record: &EpochRecord,
    verdicts: &Verdicts,
    (count, manner): (usize, Manner),
) -> anyhow::Result<DisputeFacts> {
    let honest = verdicts.len() - count;
    let votes: Vec<(Receiver, Option<Vote>)> = actions::honest_votes(verdicts)
        .into_iter()
        .map(
            |(receiver, vote)| match (receiver.index() < honest, manner) {
                (true, _) => (receiver, vote),
                (false, Manner::Silent) => (receiver, None),
                (false, Manner::Lying) => (receiver, Some(Vote::Reject)),
            },
        )
        .collect();
    actions::dispute(
        &mut record.clone(),
        COUNTER,
        (Party::Signer, Vote::Reject),
        &votes,
    )
}
