//! The signer tries to repudiate our scheme: by index as with the paper's, then with as many wrong tags as chance likes best.

use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use tieline_uss::bounds::block_differs;
use tieline_uss::committee::{Committee, Level};
use tieline_uss::dispute::Vote;
use tieline_uss::epoch::Finalised;
use tieline_uss::family::Family;
use tieline_uss::parameters::{Limits, Parameters};
use tieline_uss::party::{Counter, Party, Receiver};

use super::super::actions::{self, Verdicts};
use super::super::edit::Edit;
use super::super::facts::{DisputeOutcome, Fact, RateRow, Scene, SweepRow, exponent, probability};
use super::super::setting::{Setting, Stream};
use super::super::stage::Stage;
use super::Found;

const COUNTER: Counter = Counter(0);
/// Signatures per row of the small committee.
const TRIALS: u32 = 1000;
/// Deliberately few functions, so that chance can be seen.
const FEW_FUNCTIONS: [u16; 3] = [2, 3, 4];

pub(super) fn show(setting: &Setting) -> anyhow::Result<Found> {
    let (by_index, caught) = by_index(setting)?;
    let sweep = sweep(setting)?;
    let rates = FEW_FUNCTIONS
        .into_iter()
        .map(|functions| rate(setting, functions))
        .collect::<anyhow::Result<Vec<RateRow>>>()?;
    let failed = sweep.iter().all(|row| !row.succeeded);
    let below = rates
        .iter()
        .all(|row| f64::from(row.successes) <= row.bound * f64::from(row.trials));
    let scenes = vec![
        by_index,
        Scene::new(
            "Then more and more wrong tags, at random places of every row",
            vec![
                Fact::note(
                    "Receivers by the highest level at which they accept. The attack succeeds if one accepts at \
                     a level and another rejects one level below: chance does not bridge that gap.",
                ),
                Fact::Sweep {
                    tags_per_row: setting.parameters.functions_per_receiver(),
                    rows: sweep,
                },
            ],
        ),
        Scene::new(
            "How much is left to chance: 2 receivers and deliberately few functions",
            vec![
                Fact::note(
                    "Wrong tags u_0 + u_-1 + 1 = k in one row, the best number. Success: one receiver accepts, the \
                     other rejects, and the dispute ends invalid. Expected: 2 p_m. Bound: 4 p_m.",
                ),
                Fact::Rates { rows: rates },
            ],
        ),
    ];
    Ok(Found {
        aim: "the signer signs for some receivers and later denies it, under our scheme."
            .to_owned(),
        scenes,
        documented: format!(
            "caught. Without the split the signer cannot choose who sees its wrong tags: nobody accepts what \
             the dispute then refuses (at most 2^{:.2}), each complaint takes two receivers out, and ω = {} \
             complaints freeze the epoch. With few functions the measured rates stay below the bound.",
            exponent(setting.choice.bounds.repudiation()),
            setting.committee().dishonest()
        ),
        as_documented: caught && failed && below,
    })
}

/// What worked on the paper's scheme: right where the first receiver would test if parts went by index.
fn by_index(setting: &Setting) -> anyhow::Result<(Scene, bool)> {
    let mut stage = Stage::honest(setting, 0)?;
    let (functions, friend) = (setting.parameters.functions(), Receiver::new(0));
    let (finalised, verdicts) = attack(setting, &mut stage, |edit| {
        for row in setting.receivers() {
            edit.row(row)[functions..]
                .iter_mut()
                .for_each(|tag| *tag ^= 1);
        }
    })?;
    let results = actions::results(setting.committee(), finalised.roster(), &verdicts);
    let record = &mut stage.parties.record;
    let dispute = actions::dispute(
        record,
        COUNTER,
        (Party::Receiver(friend), Vote::Accept),
        &actions::honest_votes(&verdicts),
    )?;
    let complaints = actions::complain(record, &verdicts)?;
    let frozen = actions::frozen(record);
    let caught = !succeeded(&verdicts, dispute.outcome) && frozen.is_some();
    let facts = vec![
        Fact::note(format!(
            "Right are the first {functions} tags of every row, which {friend} would test without the split."
        )),
        Fact::Results(results),
        Fact::Dispute(dispute),
        Fact::note(format!(
            "{friend} tests other tags, and finds what everybody finds: nobody holds what the others deny."
        )),
        Fact::Complaints { complaints, frozen },
    ];
    Ok((
        Scene::new("The attack that breaks the paper's scheme", facts),
        caught,
    ))
}

/// The signer sends an edited signature of its message; everybody tests.
fn attack(
    setting: &Setting,
    stage: &mut Stage,
    edit: impl FnOnce(&mut Edit),
) -> anyhow::Result<(Finalised, Verdicts)> {
    let signed = stage.parties.sign(COUNTER, setting.message.as_bytes())?;
    let mut edited = Edit::of(&stage.epoch, &signed)?;
    edit(&mut edited);
    let finalised = stage.parties.order(edited.signed(None))?;
    let verdicts = actions::test(&mut stage.parties, &finalised)?;
    Ok((finalised, verdicts))
}

/// Wrong tags around every budget and between.
fn sweep(setting: &Setting) -> anyhow::Result<Vec<SweepRow>> {
    let receivers = setting.parameters.receivers();
    let most = setting.parameters.functions_per_receiver();
    let budgets: Vec<usize> = setting
        .committee()
        .levels()
        .map(|level| usize::from(setting.parameters.budget(level)))
        .collect();
    let mut wrong = vec![1];
    for pair in budgets.windows(2) {
        wrong.push((pair[0] + pair[1]) * receivers / 2);
        wrong.push(pair[1] * receivers);
    }
    wrong.push(most);
    wrong.dedup();
    (1..)
        .zip(wrong)
        .map(|(trial, wrong)| sweep_row(setting, trial, wrong.min(most)))
        .collect()
}

fn sweep_row(setting: &Setting, trial: u64, wrong: usize) -> anyhow::Result<SweepRow> {
    let mut random = setting.random(trial, Stream::Attacker);
    let mut stage = Stage::honest(setting, trial)?;
    let most = setting.parameters.functions_per_receiver();
    let (_, verdicts) = attack(setting, &mut stage, |edit| {
        for row in setting.receivers() {
            let places = some_of(most, wrong, &mut random);
            places.into_iter().for_each(|place| edit.spoil(row, place));
        }
    })?;
    let dispute = actions::dispute(
        &mut stage.parties.record,
        COUNTER,
        (Party::Signer, Vote::Reject),
        &actions::honest_votes(&verdicts),
    )?;
    let at = |level: Option<Level>| {
        let levels = verdicts.iter().map(|(_, verdict)| verdict.level());
        levels.filter(|found| *found == level).count()
    };
    Ok(SweepRow {
        wrong_per_row: wrong,
        accept_at: setting
            .committee()
            .levels()
            .map(|level| at(Some(level)))
            .collect(),
        reject: at(None),
        outcome: dispute.outcome,
        succeeded: succeeded(&verdicts, dispute.outcome),
    })
}

/// Somebody accepts at a level and somebody rejects one below, or what somebody accepts is lost in the dispute.
fn succeeded(verdicts: &Verdicts, outcome: DisputeOutcome) -> bool {
    let numbers = verdicts
        .iter()
        .map(|(_, verdict)| actions::level_of(verdict).unwrap_or(-2));
    let (best, worst) = (numbers.clone().max(), numbers.min());
    let gap = best.zip(worst).map_or(0, |(best, worst)| best - worst);
    let denied = best.is_some_and(|best| best >= 0) && outcome == DisputeOutcome::Invalid;
    gap >= 2 || denied
}

/// `count` different places below `most`, drawn without replacement.
fn some_of(most: usize, count: usize, random: &mut ChaCha20Rng) -> Vec<usize> {
    let mut places: Vec<usize> = (0..most).collect();
    for place in 0..count {
        let rest = (most - place) as u64;
        // The bias of a 64-bit draw is below 2^-40 here.
        places.swap(place, place + (random.next_u64() % rest) as usize);
    }
    places.truncate(count);
    places
}

/// Repudiation of two receivers, neither of them dishonest, as often as it comes.
fn rate(setting: &Setting, functions: u16) -> anyhow::Result<RateRow> {
    let small = few_functions(setting, functions)?;
    let mut successes = 0;
    for trial in 0..u64::from(TRIALS) {
        let mut stage = Stage::honest(&small, trial)?;
        let (_, verdicts) = attack(&small, &mut stage, |edit| {
            (0..usize::from(functions)).for_each(|place| edit.spoil(Receiver::new(0), place));
        })?;
        let dispute = actions::dispute(
            &mut stage.parties.record,
            COUNTER,
            (Party::Signer, Vote::Reject),
            &actions::honest_votes(&verdicts),
        )?;
        let accepted = verdicts.iter().any(|(_, verdict)| verdict.is_accepted());
        successes += u32::from(accepted && dispute.outcome == DisputeOutcome::Invalid);
    }
    let differs = block_differs(functions, 0, functions - 1).exponent().exp2();
    Ok(RateRow {
        functions: Some(functions),
        trials: TRIALS,
        successes,
        expected: probability(2.0 * differs),
        bound: probability(4.0 * differs),
    })
}

/// n = 2, ω = 1, l_max = 0 and hardly any functions; u_0 = 0, u_-1 = k - 1.
fn few_functions(setting: &Setting, functions: u16) -> anyhow::Result<Setting> {
    let limits = Limits {
        messages: 1,
        message_bytes: setting.parameters.limits().message_bytes,
    };
    let committee = Committee::new(2, 1, 0)?;
    let budgets = vec![0, functions - 1];
    Ok(Setting {
        seed: setting.seed,
        lambda: setting.lambda,
        choice: setting.choice.clone(),
        parameters: Parameters::new(committee, Family::Gf64, functions, budgets, limits)?,
        message: setting.message.clone(),
    })
}
