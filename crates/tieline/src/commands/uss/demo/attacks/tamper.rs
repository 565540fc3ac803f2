//! Somebody changes bits of a message or of its signature.

use anyhow::Context as _;
use tieline_uss::channel::Authenticated;
use tieline_uss::committee::Level;
use tieline_uss::party::{Counter, Height, Party, Receiver};
use tieline_uss::signature::SignedMessage;

use super::super::actions;
use super::super::edit::Edit;
use super::super::facts::{Fact, Scene};
use super::super::setting::Setting;
use super::super::stage::Stage;
use super::Found;

const COUNTER: Counter = Counter(0);
/// Where the number of functions ends in an encoded signature.
const FUNCTIONS_BYTE: usize = 6;

pub(super) fn show(setting: &Setting) -> anyhow::Result<Found> {
    let (shape, refused) = shape(setting)?;
    let (message, rejected) = message_bit(setting)?;
    let (tag, tolerated) = tag_bit(setting)?;
    Ok(Found {
        aim: "a changed message passes, or a changed signature makes an honest one fail.".to_owned(),
        scenes: vec![shape, message, tag],
        documented: "the ledger refuses what is not the signer's or has not the exact shape; one changed bit of \
                     the message fails at every receiver; one changed bit of a tag fails one test of one receiver, \
                     which accepts all the same and complains, so only what the signer authenticated is ever tested."
            .to_owned(),
        as_documented: refused && rejected && tolerated,
    })
}

/// What the ledger refuses before anybody tests.
fn shape(setting: &Setting) -> anyhow::Result<(Scene, bool)> {
    let mut stage = Stage::honest(setting, 0)?;
    let signed = stage.parties.sign(COUNTER, setting.message.as_bytes())?;
    let thief = Party::Receiver(Receiver::new(0));
    let mut cut = signed.clone();
    cut.signature.pop();
    let mut functions = signed.clone();
    functions.signature[FUNCTIONS_BYTE] ^= 1;
    let mut cases = vec![
        (
            "P1 sends a changed message as its own transaction.",
            thief,
            flipped(&signed),
        ),
        ("The signature lacks its last byte.", Party::Signer, cut),
        ("The header names another k.", Party::Signer, functions),
    ];
    if !setting.parameters.tags_bits().is_multiple_of(8) {
        let mut padding = signed;
        if let Some(last) = padding.signature.last_mut() {
            *last ^= 1;
        }
        cases.push(("A bit after the last tag is set.", Party::Signer, padding));
    }
    let count = cases.len();
    let refusals = cases.into_iter().filter_map(|(what, from, signed)| {
        let refusal = stage
            .parties
            .record
            .finalise(&Authenticated::by_ledger(from, signed), Height(1));
        refusal.err().map(|error| Fact::refused(what, error))
    });
    let facts: Vec<Fact> = refusals.collect();
    let all = facts.len() == count;
    Ok((Scene::new("Refused before any test", facts), all))
}

/// One bit of the body is another one.
fn flipped(signed: &SignedMessage) -> SignedMessage {
    let mut changed = signed.clone();
    match changed.body.first_mut() {
        Some(byte) => *byte ^= 1,
        None => changed.body.push(1),
    }
    changed
}

fn message_bit(setting: &Setting) -> anyhow::Result<(Scene, bool)> {
    let mut stage = Stage::honest(setting, 1)?;
    let signed = stage.parties.sign(COUNTER, setting.message.as_bytes())?;
    let finalised = stage.parties.order(flipped(&signed))?;
    let verdicts = actions::test(&mut stage.parties, &finalised)?;
    let rejected = verdicts
        .iter()
        .all(|(_, verdict)| verdict.level().is_none());
    let roster = finalised.roster();
    let facts = vec![
        Fact::note("Suppose the ledger took the changed bytes for the signer's:"),
        Fact::Results(actions::results(setting.committee(), roster, &verdicts)),
        Fact::note(
            "Then receivers would go on to complain about each other: this is why a ledger must check the sender \
             of the very bytes.",
        ),
    ];
    Ok((Scene::new("One bit of the message", facts), rejected))
}

fn tag_bit(setting: &Setting) -> anyhow::Result<(Scene, bool)> {
    // A tag that P1 tests itself draws no complaint: the first one that somebody else tests.
    let mut found = None;
    for index in 0..setting.parameters.functions_per_receiver() {
        let mut stage = Stage::honest(setting, 2)?;
        let signed = stage.parties.sign(COUNTER, setting.message.as_bytes())?;
        let mut edited = Edit::of(&stage.epoch, &signed)?;
        edited.spoil(Receiver::new(0), index);
        let finalised = stage.parties.order(edited.signed(None))?;
        let verdicts = actions::test(&mut stage.parties, &finalised)?;
        let seen = verdicts
            .iter()
            .any(|(_, verdict)| !verdict.complaints().is_empty());
        found = Some((stage, finalised, verdicts));
        if seen {
            break;
        }
    }
    let (mut stage, finalised, verdicts) = found.context("a receiver has functions")?;
    let committee = setting.committee();
    let spare = setting.needed(committee.first_hand()) < u32::from(committee.receivers());
    let level = match spare {
        true => committee.first_hand(),
        false => Level::new(committee.first_hand().number() - 1).unwrap_or(Level::DISPUTE),
    };
    let tolerated = verdicts
        .iter()
        .all(|(_, verdict)| actions::accepts(verdict, level));
    let results = actions::results(committee, finalised.roster(), &verdicts);
    let record = &mut stage.parties.record;
    let complaints = actions::complain(record, &verdicts)?;
    let as_told = tolerated && complaints.len() == 1;
    let frozen = actions::frozen(record);
    let facts = vec![
        Fact::Results(results),
        Fact::Complaints { complaints, frozen },
    ];
    Ok((Scene::new("One bit of one tag", facts), as_told))
}
