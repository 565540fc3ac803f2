//! The signer repudiates the paper's scheme as printed.

use anyhow::Context as _;
use tieline_uss::paper::{PaperScheme, PaperVerdict};
use tieline_uss::party::Receiver;

use super::super::facts::{DisputeFacts, DisputeOutcome, Fact, PaperResult, RateRow, Scene};
use super::super::setting::{Setting, Stream};
use super::Found;

/// Fresh schemes that are attacked.
const TRIALS: u32 = 200;
/// Who is made to accept.
const FRIEND: Receiver = Receiver::new(0);

pub(super) fn show(setting: &Setting) -> anyhow::Result<Found> {
    let first = attack(setting, 0)?;
    let trials = (1..=u64::from(TRIALS)).map(|trial| attack(setting, trial).map(|it| split(&it)));
    let successes = trials
        .collect::<anyhow::Result<Vec<bool>>>()?
        .into_iter()
        .filter(|success| *success)
        .count() as u32;
    let receivers = setting.parameters.receivers();
    let accepts = first
        .iter()
        .filter(|(_, verdict)| verdict.is_accepted())
        .count();
    let scenes = vec![
        Scene::new(
            "The scheme as the paper prints it",
            vec![Fact::note(format!(
                "One function per pair: {} tags. A receiver passes its functions on by index, so the \
                 signer, which chose them all, knows which tag each receiver will test.",
                receivers * receivers
            ))],
        ),
        Scene::new(
            format!("The signer makes the tags right that {FRIEND} will test, all others wrong"),
            vec![
                tests(receivers, &first),
                Fact::note(format!(
                    "{FRIEND} holds a signature that passes every test, and nobody else believes it."
                )),
            ],
        ),
        Scene::new(
            "The dispute",
            vec![Fact::Dispute(dispute(receivers, accepts))],
        ),
        Scene::new(
            "Chance has no part in it",
            vec![Fact::Rates {
                rows: vec![RateRow {
                    functions: None,
                    trials: TRIALS,
                    successes,
                    expected: 1.0,
                    bound: 1.0,
                }],
            }],
        ),
    ];
    Ok(Found {
        aim: "the signer signs for one receiver and later denies it, under the scheme of the paper, \
              section 4.2, eq. (10) and (11)."
            .to_owned(),
        scenes,
        documented: "it succeeds always: accepted by one receiver with all tests, by nobody else, and \
                     the dispute is lost. The cure is k functions per pair and a split that is secret \
                     from the signer: see --attack repudiate."
            .to_owned(),
        as_documented: split(&first) && successes == TRIALS,
    })
}

/// One scheme, one signature for one receiver alone, and what everybody finds.
fn attack(setting: &Setting, trial: u64) -> anyhow::Result<Vec<(Receiver, PaperVerdict)>> {
    let committee = setting.committee();
    let mut random = setting.random(trial, Stream::Links);
    let scheme = PaperScheme::draw(
        committee.receivers(),
        committee.tolerated() as u8,
        &mut random,
    )
    .context("the paper's scheme does not exist for this committee")?;
    let message = setting.message.as_bytes();
    let signature = scheme.sign_for_one(message, FRIEND)?;
    setting
        .receivers()
        .map(|receiver| Ok((receiver, scheme.verify(receiver, message, &signature)?)))
        .collect()
}

/// The attack succeeded: one accepts, everybody else rejects.
fn split(verdicts: &[(Receiver, PaperVerdict)]) -> bool {
    verdicts
        .iter()
        .all(|(receiver, verdict)| verdict.is_accepted() == (*receiver == FRIEND))
}

fn tests(receivers: usize, verdicts: &[(Receiver, PaperVerdict)]) -> Fact {
    Fact::PaperTests {
        needed: verdicts.first().map_or(0, |(_, verdict)| verdict.needed),
        of: receivers,
        receivers: verdicts
            .iter()
            .map(|(receiver, verdict)| PaperResult {
                receiver: receiver.to_string(),
                passed: verdict.passed,
                accepted: verdict.is_accepted(),
            })
            .collect(),
    }
}

/// The paper has no dispute; this is the majority vote of its source.
fn dispute(voters: usize, accepts: usize) -> DisputeFacts {
    let rejects = voters - accepts;
    DisputeFacts {
        caller: FRIEND.to_string(),
        claims_signed: true,
        voters,
        accepts,
        rejects,
        silent: Vec::new(),
        outcome: match 2 * accepts > voters {
            true => DisputeOutcome::Valid,
            false => DisputeOutcome::Invalid,
        },
        frivolous: Some(FRIEND.to_string()),
    }
}
