//! The signer and some receivers split the honest ones: some accept what others then reject.

use tieline_uss::committee::Level;
use tieline_uss::party::{Counter, Receiver};

use super::super::actions;
use super::super::edit::Edit;
use super::super::facts::{Fact, Scene, exponent};
use super::super::setting::Setting;
use super::super::stage::{Faults, Stage};
use super::super::table::names;
use super::super::text::counted;
use super::Found;

const COUNTER: Counter = Counter(0);

/// Who is made to accept, who is made to reject, and who helps the signer.
struct Cast {
    friends: Vec<Receiver>,
    victims: Vec<Receiver>,
    helpers: Vec<Receiver>,
}

impl Cast {
    fn new(setting: &Setting, helpers: usize) -> Cast {
        let mut friends: Vec<Receiver> = setting.receivers().collect();
        let helpers = friends.split_off(friends.len() - helpers);
        let victims = friends.split_off(friends.len().div_ceil(2));
        Cast {
            friends,
            victims,
            helpers,
        }
    }
}

pub(super) fn show(setting: &Setting) -> anyhow::Result<Found> {
    let committee = setting.committee();
    let tolerated = committee.tolerated();
    let first = committee.first_hand();
    let spoiled = u32::from(committee.receivers()) - setting.needed(first);
    let omega = u32::from(committee.dishonest());
    if u32::from(committee.receivers()) < omega + 2 {
        anyhow::bail!(
            "{} receivers, {omega} of them dishonest: two honest ones are needed to be split\n\n\
             hint: raise --receivers",
            committee.receivers()
        );
    }
    let (within, split_within) = attempt(setting, tolerated, 0)?;
    let (beyond, split_beyond) = attempt(setting, omega, 1)?;
    let below = below(first);
    let preparation = Scene::new(
        "What they do",
        vec![Fact::note(format!(
            "First hand {} of {} tests are needed. The signer makes {} wrong for everybody, so that its friends \
             pass exactly enough. Each dishonest receiver sends the friends its right functions and the others \
             functions of its own making: there its test fails too. One level below, what is forgiven is {}.",
            setting.needed(first),
            committee.receivers(),
            counted(spoiled, "row"),
            match tolerated {
                0 => "no further failed test".to_owned(),
                1 => "one further failed test".to_owned(),
                more => format!("{more} further failed tests"),
            }
        ))],
    );
    Ok(Found {
        aim: format!(
            "some honest receivers accept at level {}, others reject {}.",
            first.number(),
            name(below)
        ),
        scenes: vec![preparation, within, beyond],
        documented: format!(
            "the signer with {} fails (at most 2^{:.2}); with ω = {omega}, one more than is tolerated, it succeeds.",
            counted(tolerated, "dishonest receiver"),
            setting
                .choice
                .bounds
                .transfers
                .first()
                .map_or(0.0, |transfer| exponent(transfer.bound)),
        ),
        as_documented: !split_within && split_beyond,
    })
}

/// One level down.
fn below(level: Level) -> Level {
    Level::new(level.number() - 1).unwrap_or(Level::DISPUTE)
}

fn name(level: Level) -> String {
    match level {
        Level::DISPUTE => "in a dispute".to_owned(),
        level => format!("at level {}", level.number()),
    }
}

/// The signer with so many dishonest receivers; whether it splits the honest ones.
fn attempt(setting: &Setting, helpers: u32, trial: u64) -> anyhow::Result<(Scene, bool)> {
    let committee = setting.committee();
    let first = committee.first_hand();
    let cast = Cast::new(setting, helpers as usize);
    let mut faults = Faults::default();
    for helper in &cast.helpers {
        let links = cast.victims.iter().map(|victim| (*helper, *victim));
        faults.other_functions.extend(links);
    }
    let mut stage = Stage::with_faults(setting, trial, &faults)?;
    let signed = stage.parties.sign(COUNTER, setting.message.as_bytes())?;
    let mut edited = Edit::of(&stage.epoch, &signed)?;
    let spoiled = setting.parameters.receivers() - setting.needed(first) as usize;
    setting
        .receivers()
        .take(spoiled)
        .for_each(|row| edited.spoil_row(row));
    let finalised = stage.parties.order(edited.signed(None))?;
    let mut verdicts = actions::test(&mut stage.parties, &finalised)?;
    verdicts.retain(|(receiver, _)| !cast.helpers.contains(receiver));
    let accept = |who: &[Receiver], level: Level| {
        let mut some = verdicts.iter().filter(|(one, _)| who.contains(one));
        some.all(|(_, verdict)| actions::accepts(verdict, level))
    };
    let split = accept(&cast.friends, first) && !accept(&cast.victims, below(first));
    let results = actions::results(committee, finalised.roster(), &verdicts);
    let record = &mut stage.parties.record;
    let complaints = actions::complain(record, &verdicts)?;
    let frozen = actions::frozen(record);
    let words = |who: &[Receiver]| {
        let all: Vec<String> = who.iter().map(ToString::to_string).collect();
        names(&all)
    };
    let outcome = match split {
        true => format!(
            "Split: {} accept at level {}, and {} reject {}.",
            words(&cast.friends),
            first.number(),
            words(&cast.victims),
            name(below(first))
        ),
        false => format!(
            "No split: whatever {} accept at level {}, {} accept {}.",
            words(&cast.friends),
            first.number(),
            words(&cast.victims),
            name(below(first))
        ),
    };
    let title = match helpers {
        0 => "The signer alone".to_owned(),
        _ => format!(
            "The signer with {} ({})",
            counted(helpers, "dishonest receiver"),
            words(&cast.helpers)
        ),
    };
    let facts = vec![
        Fact::Results(results),
        Fact::note(outcome),
        Fact::Complaints { complaints, frozen },
    ];
    Ok((Scene::new(title, facts), split))
}
