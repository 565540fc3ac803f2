//! A first verifier accepts; does the next one?
//!
//! The signer makes as many rows wrong as the first verifier, P1, can bear at level l_max. Receivers in its league hand P1
//! the right functions and all others functions of their own making: there their tests fail too. So the others pass fewer
//! tests than P1, by as many as there are helpers.
//!
//! With one threshold for everybody, as eq. (11) has it, one helper is enough to part them, whatever the threshold and
//! although the split is secret. With a threshold per level, t fewer tests one level below, it takes ω = t + 1 of them,
//! one more than are allowed for.

use serde::Serialize;
use tieline_uss::bounds::Choice;
use tieline_uss::committee::Level;
use tieline_uss::party::Receiver;

use super::parties::{League, Parties};
use super::{BODY, Purpose, dice, epoch_of};
use crate::reproduce::claim::Attacks;

/// Epochs per committee and league.
const RUNS: u32 = 10;

/// One committee and one size of the league.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TransferRun {
    /// n.
    pub receivers: u8,
    /// Receivers in the signer's league.
    pub helpers: u32,
    /// t, those that the thresholds allow for.
    pub tolerated: u32,
    /// Tests that the first verifier needs, level l_max.
    pub needed_first: u32,
    /// Tests that a later one needs, level l_max - 1.
    pub needed_later: u32,
    /// P1 accepts and a later verifier does not: the same threshold for both, that of the first.
    pub one_threshold: Attacks,
    /// The same with a threshold per level.
    pub levels: Attacks,
    /// Bound for a failed transfer with t helpers at most, as exponent of 2; none beyond t.
    pub bound_log2: Option<f64>,
}

/// With t helpers and with one more, for committees that allow for any.
///
/// # Errors
/// Of a round; none is expected.
pub(super) fn compute(choices: &[Choice]) -> anyhow::Result<Vec<TransferRun>> {
    let mut found = Vec::new();
    for choice in choices {
        let tolerated = choice.parameters.committee().tolerated();
        if tolerated == 0 {
            continue;
        }
        for helpers in [tolerated, tolerated + 1] {
            found.push(part(choice, helpers, found.len())?);
        }
    }
    Ok(found)
}

fn part(choice: &Choice, helpers: u32, group: usize) -> anyhow::Result<TransferRun> {
    let committee = choice.parameters.committee();
    let receivers = committee.receivers();
    let first = committee.first_hand();
    let later = Level::new(first.number() - 1).unwrap_or(Level::DISPUTE);
    let needed_first = committee.tests_needed(first, 0);
    let honest = receivers - helpers as u8;
    let league = League {
        helpers: Receiver::first(receivers).skip(honest.into()).collect(),
        victims: Receiver::first(honest).skip(1).collect(),
    };
    let given_up = usize::from(receivers) - needed_first as usize;
    let epoch = epoch_of(choice)?;
    let (mut one_threshold, mut levels) = (Attacks::default(), Attacks::default());
    for run in 0..RUNS {
        let mut parties =
            Parties::with(&epoch, &league, &mut dice(Purpose::Transfer, (group, run)))?;
        let verdicts = parties.test(BODY, |tags| {
            (0..given_up).for_each(|row| tags.spoil_row(row));
        })?;
        let (one, others) = (&verdicts[0], &verdicts[1..usize::from(honest)]);
        let parted = |level: Level| {
            one.level() >= Some(first) && others.iter().any(|it| it.level() < Some(level))
        };
        one_threshold.count(parted(first));
        levels.count(parted(later));
    }
    let bound = choice.bounds.transfers.first();
    Ok(TransferRun {
        receivers,
        helpers,
        tolerated: committee.tolerated(),
        needed_first,
        needed_later: committee.tests_needed(later, 0),
        one_threshold,
        levels,
        bound_log2: bound
            .filter(|_| helpers <= committee.tolerated())
            .map(|transfer| transfer.bound.exponent()),
    })
}
