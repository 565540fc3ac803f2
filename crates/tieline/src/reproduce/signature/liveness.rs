//! Which committees accept an honest signature while t receivers are dishonest.
//!
//! A dishonest receiver hands on functions of its own making, so the test of its part fails everywhere: an honest receiver
//! passes n - t tests. Eq. (11) with 1 - σ = t/n asks for n/2 + 2t. Definition 1 admits every t < n/4 (σ > 3/4); the two
//! meet at n ≥ 6t only, σ ≥ 5/6. With levels and ">" it takes n > 2(l_max + 2)t.

use anyhow::Context as _;
use serde::Serialize;
use tieline_uss::bounds::Choice;
use tieline_uss::committee::tolerated_by;
use tieline_uss::paper::{PaperScheme, PaperVerdict};
use tieline_uss::party::Receiver;

use super::parties::{League, Parties};
use super::{BODY, Purpose, dice, epoch_of};

/// Receivers that are looked at.
pub const RECEIVERS: std::ops::RangeInclusive<u8> = 4..=16;

/// One number of receivers.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Liveness {
    /// n.
    pub receivers: u8,
    /// The most dishonest receivers that σ > 3/4 admits.
    pub admitted: u8,
    /// Tests that eq. (11) asks for with so many.
    pub needed: u32,
    /// Tests that an honest receiver passes with so many.
    pub passed: u32,
    /// Whether anybody accepts.
    pub accepted: bool,
    /// The most dishonest receivers with which eq. (11) is passed.
    pub live_printed: u8,
    /// The same with levels and one transfer, l_max = 1.
    pub live_once: u32,
    /// The same with levels and no transfer, l_max = 0.
    pub live_never: u32,
}

/// An honest signature of ours beside dishonest receivers.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LiveRun {
    /// n.
    pub receivers: u8,
    /// Dishonest receivers.
    pub dishonest: u32,
    /// t, those that the thresholds allow for.
    pub tolerated: u32,
    /// Honest receivers that accept first hand.
    pub accepting: u32,
    /// Honest receivers.
    pub honest: u32,
}

/// Eq. (11) for every number of receivers.
///
/// # Errors
/// When the printed scheme cannot be drawn for them.
pub(super) fn compute() -> anyhow::Result<Vec<Liveness>> {
    RECEIVERS
        .map(|receivers| {
            // t < n/4
            let admitted = receivers.saturating_sub(1) / 4;
            let verdict = beside(receivers, admitted)?;
            let mut live_printed = 0;
            for dishonest in 1..=admitted {
                if beside(receivers, dishonest)?.is_accepted() {
                    live_printed = dishonest;
                }
            }
            Ok(Liveness {
                receivers,
                admitted,
                needed: verdict.needed,
                passed: verdict.passed,
                accepted: verdict.is_accepted(),
                live_printed,
                live_once: tolerated_by(receivers.into(), 1),
                live_never: tolerated_by(receivers.into(), 0),
            })
        })
        .collect()
}

/// What an honest receiver finds: an honest signature, less the tests of dishonest receivers' functions.
fn beside(receivers: u8, dishonest: u8) -> anyhow::Result<PaperVerdict> {
    let mut random = dice(Purpose::Live, (receivers.into(), dishonest.into()));
    let scheme = PaperScheme::draw(receivers, dishonest, &mut random)
        .with_context(|| format!("n = {receivers}, t = {dishonest}"))?;
    let honest = scheme.verify(Receiver::new(0), BODY, &scheme.sign(BODY)?)?;
    Ok(PaperVerdict {
        passed: honest.passed - u32::from(dishonest),
        ..honest
    })
}

/// The least share of honest receivers with which eq. (11) lets any committee here accept beside dishonest ones.
pub fn least_share(rows: &[Liveness]) -> f64 {
    let live = rows.iter().filter(|row| row.live_printed > 0);
    live.map(|row| 1.0 - f64::from(row.live_printed) / f64::from(row.receivers))
        .fold(1.0, f64::min)
}

/// Ours with t dishonest receivers and with ω.
///
/// # Errors
/// Of a round; none is expected.
pub(super) fn runs(choices: &[Choice]) -> anyhow::Result<Vec<LiveRun>> {
    let mut found = Vec::new();
    for choice in choices {
        let committee = choice.parameters.committee();
        let tolerated = committee.tolerated();
        if tolerated == 0 {
            continue;
        }
        for dishonest in [tolerated, tolerated + 1] {
            let receivers = committee.receivers();
            let honest = receivers - dishonest as u8;
            let league = League {
                helpers: Receiver::first(receivers).skip(honest.into()).collect(),
                victims: Receiver::first(honest).collect(),
            };
            // group 0: eq. (11) is tried with groups from 4 on
            let mut random = dice(Purpose::Live, (0, found.len() as u32));
            let mut parties = Parties::with(&epoch_of(choice)?, &league, &mut random)?;
            let verdicts = parties.test(BODY, |_| ())?;
            let accepting = verdicts[..honest.into()]
                .iter()
                .filter(|verdict| verdict.is_accepted());
            found.push(LiveRun {
                receivers,
                dishonest,
                tolerated,
                accepting: accepting.count() as u32,
                honest: honest.into(),
            });
        }
    }
    Ok(found)
}
