//! Parts of the distribution that never come, and receipts that are never given.

use tieline_uss::channel::Authenticated;
use tieline_uss::epoch::{Complaint, EpochRecord, Grounds};
use tieline_uss::key::KeyStore as _;
use tieline_uss::party::{Counter, Height, Party, Receiver};

use super::super::actions;
use super::super::facts::{ComplaintFacts, Fact, Scene};
use super::super::setting::Setting;
use super::super::stage::{self, Faults, Stage};
use super::super::table::names;
use super::Found;

const COUNTER: Counter = Counter(0);

pub(super) fn show(setting: &Setting) -> anyhow::Result<Found> {
    let tolerated = setting.committee().tolerated() as usize;
    if tolerated == 0 {
        return alone(setting);
    }
    let (parts, parts_work) = parts(setting, tolerated)?;
    let (receipts, receipts_work) = receipts(setting, tolerated)?;
    Ok(Found {
        aim: "dishonest receivers stop the epoch, or make an honest signature fail.".to_owned(),
        scenes: vec![parts, receipts],
        documented: format!(
            "a complaint takes out both, whoever is at fault, and the parts of those who are out count no more; \
             {} nothing. A missing part is never counted as a failed test.",
            match tolerated {
                1 => "the 1 receiver that may fail stops".to_owned(),
                more => format!("the {more} receivers that may fail stop"),
            }
        ),
        as_documented: parts_work && receipts_work,
    })
}

/// ω = 1: no receiver may fail.
fn alone(setting: &Setting) -> anyhow::Result<Found> {
    let (mut stage, missing, waits) = withheld(setting, 1, 0)?;
    let complaints = complain(&mut stage.parties.record, missing)?;
    let frozen = actions::frozen(&stage.parties.record);
    let as_documented = waits.is_some() && frozen.is_some();
    let mut facts: Vec<Fact> = waits.into_iter().collect();
    facts.push(Fact::Complaints { complaints, frozen });
    Ok(Found {
        aim: "a dishonest receiver stops the epoch.".to_owned(),
        scenes: vec![Scene::new("A part never comes", facts)],
        documented:
            "with ω = 1 no receiver may fail, so the first complaint freezes the epoch; nothing is \
                     accepted, nothing is lost but time."
                .to_owned(),
        as_documented,
    })
}

/// The stage, who complains about whom, and what the ledger said to a message that came too early.
type Withheld = (Stage, Vec<(Receiver, Receiver)>, Option<Fact>);

/// The last receivers send one victim each nothing.
fn withheld(setting: &Setting, dishonest: usize, trial: u64) -> anyhow::Result<Withheld> {
    let all: Vec<Receiver> = setting.receivers().collect();
    let pairs = all.iter().rev().zip(&all).take(dishonest);
    let faults = Faults {
        withheld: pairs.map(|(from, victim)| (*from, *victim)).collect(),
        ..Faults::default()
    };
    let mut stage = Stage::with_faults(setting, trial, &faults)?;
    let missing = std::mem::take(&mut stage.missing);
    let mut record = stage.parties.record.clone();
    let (mut copy, _, mut stores) = stage::signer(setting, trial)?;
    let spent = stores[0].spend(stage.epoch.id(), COUNTER)?;
    let early = copy.sign(spent, setting.message.as_bytes())?;
    let refusal = record
        .finalise(&Authenticated::by_ledger(Party::Signer, early), Height(1))
        .err();
    let waits = refusal.map(|error| Fact::refused("a message before that is settled.", error));
    Ok((stage, missing, waits))
}

fn parts(setting: &Setting, dishonest: usize) -> anyhow::Result<(Scene, bool)> {
    let (mut stage, missing, waits) = withheld(setting, dishonest, 0)?;
    let is_waiting = waits.is_some();
    let said: Vec<String> = missing
        .iter()
        .map(|(by, about)| format!("{about} sends {by} no part"))
        .collect();
    let mut facts = vec![Fact::note(format!("{}.", said.join("; ")))];
    facts.extend(waits);
    let complaints = complain(&mut stage.parties.record, missing)?;
    let frozen = actions::frozen(&stage.parties.record);
    facts.push(Fact::Complaints { complaints, frozen });
    let works = sign(setting, &mut stage, &mut facts)?;
    Ok((Scene::new("Parts never come", facts), is_waiting && works))
}

fn complain(
    record: &mut EpochRecord,
    missing: Vec<(Receiver, Receiver)>,
) -> anyhow::Result<Vec<ComplaintFacts>> {
    let mut complaints = Vec::new();
    for (by, about) in missing {
        let complaint = Complaint {
            epoch: record.epoch().id(),
            about,
            grounds: Grounds::MissingPart(COUNTER),
        };
        complaints.extend(actions::complain_one(record, by, complaint)?);
    }
    Ok(complaints)
}

/// The deadline passes without the receipts of the last receivers.
fn receipts(setting: &Setting, dishonest: usize) -> anyhow::Result<(Scene, bool)> {
    let mut stage = Stage::honest(setting, 1)?;
    let mut record = EpochRecord::new(stage.epoch.clone());
    let heard = setting.parameters.receivers() - dishonest;
    for verifier in stage.parties.verifiers.iter().take(heard) {
        if let Some(receipt) = verifier.receipt(COUNTER, record.roster()) {
            let from = Party::Receiver(verifier.receiver());
            record.receipt(&Authenticated::by_ledger(from, receipt))?;
        }
    }
    stage.parties.record = record;
    let was_open = stage.parties.record.is_open(COUNTER);
    let silent = stage.parties.record.expire(COUNTER)?;
    let silent: Vec<String> = silent.iter().map(ToString::to_string).collect();
    let mut facts = vec![Fact::note(format!(
        "{} got everything and neither confirms nor complains. When the deadline passes the ledger opens the epoch \
         without, and keeps the silent in: the others hold their parts.",
        names(&silent)
    ))];
    let works = sign(setting, &mut stage, &mut facts)?;
    Ok((Scene::new("Receipts never come", facts), !was_open && works))
}

/// Signs and lets everybody who is in test.
fn sign(setting: &Setting, stage: &mut Stage, facts: &mut Vec<Fact>) -> anyhow::Result<bool> {
    let signed = stage.parties.sign(COUNTER, setting.message.as_bytes())?;
    let finalised = stage.parties.order(signed)?;
    let verdicts = actions::test(&mut stage.parties, &finalised)?;
    let roster = finalised.roster();
    facts.push(Fact::Results(actions::results(
        setting.committee(),
        roster,
        &verdicts,
    )));
    Ok(verdicts.iter().all(|(_, verdict)| verdict.is_accepted()))
}
