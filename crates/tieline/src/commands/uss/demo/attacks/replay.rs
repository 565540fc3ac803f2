//! An old signature, or an old counter, again.

use tieline_uss::channel::Authenticated;
use tieline_uss::dispute::Vote;
use tieline_uss::epoch::EpochRecord;
use tieline_uss::key::KeyStore as _;
use tieline_uss::party::{Counter, Height, Party};
use tieline_uss::signature::SignedMessage;

use super::super::actions;
use super::super::facts::{DisputeOutcome, Fact, Scene};
use super::super::setting::Setting;
use super::super::stage::{self, Stage};
use super::Found;

const COUNTER: Counter = Counter(0);
const NEXT: Counter = Counter(1);
/// What the signer's restored copy signs.
const OTHER: &str = "another message under the same counter";

pub(super) fn show(setting: &Setting) -> anyhow::Result<Found> {
    let mut stage = Stage::honest(setting, 0)?;
    stage.parties.refresh(NEXT)?;
    let mut fork = stage.parties.record.clone();
    let signed = stage.parties.sign(COUNTER, setting.message.as_bytes())?;
    let finalised = stage.parties.order(signed.clone())?;
    let verdicts = actions::test(&mut stage.parties, &finalised)?;
    let (again, idle) = same_bytes(&mut stage, &signed, setting)?;
    let (elsewhere, refused) = other_epoch(setting, &signed)?;
    let other = from_snapshot(setting)?;
    let (second, untested) = second_evaluation(&mut stage, &mut fork, &other)?;
    let (equivocation, frozen) = equivocate(&mut stage, other)?;
    let still = actions::dispute(
        &mut stage.parties.record,
        COUNTER,
        (Party::Signer, Vote::Reject),
        &actions::honest_votes(&verdicts),
    )?;
    let stands = still.outcome == DisputeOutcome::Valid;
    let after = Scene::new(
        "Freeze, never burn: the first message stays what it was",
        vec![Fact::Dispute(still)],
    );
    Ok(Found {
        aim: "make one signature, or one counter, count twice.".to_owned(),
        scenes: vec![again, elsewhere, second, equivocation, after],
        documented: "the same bytes again change nothing; another message under an old counter convicts the \
                     signer and freezes the epoch; receivers never test it; the first message keeps its \
                     signature and its dispute."
            .to_owned(),
        as_documented: idle && refused && untested && frozen && stands,
    })
}

/// The store refuses the counter, and the ledger knows the bytes.
fn same_bytes(
    stage: &mut Stage,
    signed: &SignedMessage,
    setting: &Setting,
) -> anyhow::Result<(Scene, bool)> {
    let mut facts = Vec::new();
    let spent = stage.parties.sign(COUNTER, OTHER.as_bytes()).err();
    let refused = spent.is_some();
    facts.extend(
        spent.map(|error| Fact::refused("the signer asks its store for the counter again.", error)),
    );
    let finalised = stage.parties.order(signed.clone())?;
    let verdicts = actions::test(&mut stage.parties, &finalised)?;
    let accepted = verdicts.iter().all(|(_, verdict)| verdict.is_accepted());
    facts.push(Fact::note(
        "Somebody sends the same bytes again: the ledger finds them in order already, and every receiver gives \
         the verdict that it recorded, without a test.",
    ));
    let roster = finalised.roster();
    facts.push(Fact::Results(actions::results(
        setting.committee(),
        roster,
        &verdicts,
    )));
    Ok((Scene::new("The same again", facts), refused && accepted))
}

fn other_epoch(setting: &Setting, signed: &SignedMessage) -> anyhow::Result<(Scene, bool)> {
    let mut record = EpochRecord::new(setting.epoch(2)?);
    let refusal = record
        .finalise(
            &Authenticated::by_ledger(Party::Signer, signed.clone()),
            Height(1),
        )
        .err();
    let is_refused = refusal.is_some();
    let mut facts = vec![Fact::note(
        "Chains, epoch, counter and signer are among the signed bytes: a signature holds in one place.",
    )];
    facts.extend(refusal.map(|error| Fact::refused("the same signature in epoch 2.", error)));
    Ok((Scene::new("The same elsewhere", facts), is_refused))
}

/// A signer whose disk went back to before the first signature.
fn from_snapshot(setting: &Setting) -> anyhow::Result<SignedMessage> {
    let (mut copy, _, mut stores) = stage::signer(setting, 0)?;
    let spent = stores[0].spend(copy.epoch().id(), COUNTER)?;
    Ok(copy.sign(spent, OTHER.as_bytes())?)
}

/// A node that ordered the second message first asks the receivers.
fn second_evaluation(
    stage: &mut Stage,
    fork: &mut EpochRecord,
    other: &SignedMessage,
) -> anyhow::Result<(Scene, bool)> {
    let finalised = fork.finalise(
        &Authenticated::by_ledger(Party::Signer, other.clone()),
        Height(1),
    )?;
    let mut facts = vec![Fact::note(
        "The signer's machine comes back from a snapshot that knows nothing of the counter, and signs another \
         message under it. A node cut off from the others puts that one in order first.",
    )];
    let refusal = stage.parties.verify(&finalised).err();
    let untested = refusal.is_some();
    facts.extend(
        refusal.map(|error| Fact::refused("that node asks the receivers to test it.", error)),
    );
    Ok((
        Scene::new("Another message under the same counter", facts),
        untested,
    ))
}

/// The ledger sees both.
fn equivocate(stage: &mut Stage, other: SignedMessage) -> anyhow::Result<(Scene, bool)> {
    let mut facts = Vec::new();
    let refusal = stage.parties.order(other).err();
    let is_refused = refusal.is_some();
    facts.extend(refusal.map(|error| Fact::refused("the ledger sees the second message.", error)));
    let frozen = actions::frozen(&stage.parties.record);
    let is_frozen = frozen.is_some();
    let signed = stage.parties.sign(NEXT, OTHER.as_bytes())?;
    let next = stage.parties.order(signed).err();
    let takes_nothing = next.is_some();
    facts.push(Fact::Complaints {
        complaints: Vec::new(),
        frozen,
    });
    facts.extend(next.map(|error| Fact::refused("a message under the next counter.", error)));
    let scene = Scene::new("The two are brought together", facts);
    Ok((scene, is_refused && is_frozen && takes_nothing))
}
