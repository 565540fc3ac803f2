//! One wrong tag per message, to learn who tests it.

use tieline_uss::committee::Level;
use tieline_uss::dispute::Vote;
use tieline_uss::party::{Counter, Party, Receiver};

use super::super::actions::{self, Verdicts};
use super::super::edit::Edit;
use super::super::facts::{DisputeOutcome, Fact, ProbeRow, Scene};
use super::super::setting::Setting;
use super::super::stage::Stage;
use super::super::text::counted;
use super::Found;

/// Enough for ω complaints, even where a probe now and then meets its own row's owner.
pub(super) fn messages(omega: u8) -> u32 {
    8 * u32::from(omega) + 8
}

pub(super) fn show(setting: &Setting) -> anyhow::Result<Found> {
    let (slow, caught) = one_by_one(setting)?;
    let (fast, silent) = faster_than_complaints(setting)?;
    let omega = u32::from(setting.committee().dishonest());
    let mut scenes = slow;
    scenes.push(fast);
    Ok(Found {
        aim: "the signer of a batch learns the secret split from who complains.".to_owned(),
        scenes,
        documented: format!(
            "to learn who else tests a tag costs a complaint, and {} freeze the epoch; until \
             then no two receivers are more than one level apart, and what they accepted stays valid. Who is faster \
             than the complaints gets no verdict.",
            counted(omega, "complaint")
        ),
        as_documented: caught && silent,
    })
}

/// Each message waits for the complaints about the one before.
fn one_by_one(setting: &Setting) -> anyhow::Result<(Vec<Scene>, bool)> {
    let mut stage = Stage::honest(setting, 0)?;
    let (mut rows, mut first) = (Vec::new(), None);
    let (mut all_accept, mut refusal) = (true, None);
    let one_below = setting.committee().first_hand().number() - 1;
    let one_below = Level::new(one_below).unwrap_or(Level::DISPUTE);
    let most = setting.parameters.limits().messages;
    for counter in (0..most).map(Counter) {
        if counter.0 > 0 {
            stage.parties.refresh(counter)?;
        }
        if stage.parties.record.frozen().is_some() {
            let signed = stage.parties.sign(counter, setting.message.as_bytes())?;
            refusal = stage.parties.order(signed).err();
            break;
        }
        let (row, verdicts) = probe(setting, &mut stage, counter)?;
        all_accept &= verdicts
            .iter()
            .all(|(_, verdict)| actions::accepts(verdict, one_below));
        rows.push(row);
        first.get_or_insert(verdicts);
    }
    let complaints = rows.iter().filter(|row| row.complaint.is_some()).count();
    let frozen = actions::frozen(&stage.parties.record);
    let dispute = actions::dispute(
        &mut stage.parties.record,
        Counter(0),
        (Party::Signer, Vote::Reject),
        &actions::honest_votes(&first.unwrap_or_default()),
    )?;
    let caught = frozen.is_some()
        && refusal.is_some()
        && complaints == usize::from(setting.committee().dishonest())
        && all_accept
        && dispute.outcome == DisputeOutcome::Valid;
    let probes = vec![
        Fact::note(
            "A receiver that sees a wrong tag complains about the one whose row it is in: one of the two, or the \
             signer, is dishonest, so both are out for later messages. No complaint means that the row's owner tests \
             the tag itself, or somebody who is out.",
        ),
        Fact::Probes { rows },
    ];
    let mut last = vec![Fact::Complaints {
        complaints: Vec::new(),
        frozen,
    }];
    last.extend(refusal.map(|error| Fact::refused("the next message.", error)));
    last.push(Fact::note(
        "The signer has learnt who tests a few tags, in parts that count no more. What was signed before stays:",
    ));
    last.push(Fact::Dispute(dispute));
    let scenes = vec![
        Scene::new(
            format!("One wrong tag per message, an epoch of up to {most} messages"),
            probes,
        ),
        Scene::new("The end of the epoch", last),
    ];
    Ok((scenes, caught))
}

/// A second message is put in order before the complaints about the first.
fn faster_than_complaints(setting: &Setting) -> anyhow::Result<(Scene, bool)> {
    let mut stage = Stage::honest(setting, 1)?;
    stage.parties.refresh(Counter(1))?;
    let signed = stage.parties.sign(Counter(0), setting.message.as_bytes())?;
    let mut edited = Edit::of(&stage.epoch, &signed)?;
    setting.receivers().for_each(|row| edited.spoil(row, 0));
    let first = stage.parties.order(edited.signed(None))?;
    let signed = stage.parties.sign(Counter(1), setting.message.as_bytes())?;
    let second = stage.parties.order(signed)?;
    let before = actions::test(&mut stage.parties, &first)?;
    let after = actions::test(&mut stage.parties, &second)?;
    let as_due = before.iter().zip(&after).all(|((_, before), (_, after))| {
        let owes = !before.complaints().is_empty();
        after.is_withheld() == owes && (owes || after.is_accepted())
    });
    let complaints = actions::complain(&mut stage.parties.record, &before)?;
    let frozen = actions::frozen(&stage.parties.record);
    let facts = vec![
        Fact::note(
            "One wrong tag in every row, and the next message, all right, is put in order before any complaint. \
             Whoever has a complaint under way says nothing about it, for or against:",
        ),
        Fact::Results(actions::results(
            setting.committee(),
            second.roster(),
            &after,
        )),
        Fact::Complaints { complaints, frozen },
    ];
    let scene = Scene::new("A signer that is faster than the complaints", facts);
    Ok((scene, as_due))
}

/// The first tag in the row of the first receiver that is still in.
fn probe(
    setting: &Setting,
    stage: &mut Stage,
    counter: Counter,
) -> anyhow::Result<(ProbeRow, Verdicts)> {
    let target = stage.parties.record.roster().iter().next();
    let target = target.unwrap_or(Receiver::new(0));
    let signed = stage.parties.sign(counter, setting.message.as_bytes())?;
    let mut edited = Edit::of(&stage.epoch, &signed)?;
    edited.spoil(target, counter.0 as usize);
    let finalised = stage.parties.order(edited.signed(None))?;
    let verdicts = actions::test(&mut stage.parties, &finalised)?;
    let accepted = verdicts.iter().filter(|(_, verdict)| verdict.is_accepted());
    let accepted_by = accepted.count();
    let complaints = actions::complain(&mut stage.parties.record, &verdicts)?;
    let row = ProbeRow {
        message: counter.0 + 1,
        row_of: target.to_string(),
        present: finalised.roster().present(),
        accepted_by,
        complaint: complaints.into_iter().next(),
    };
    Ok((row, verdicts))
}
