//! The signer signs for one receiver and denies it later; somebody changes a message on its way.
//!
//! A denial succeeds when an honest receiver accepts and the majority vote then finds that the message was not signed. The
//! paper has no vote; this is the one of its source.

use serde::Serialize;
use tieline_uss::bounds::{Choice, FamilyCost, FamilyName, Log2, block_differs, test_passed};
use tieline_uss::committee::{Committee, Level};
use tieline_uss::dispute::Outcome;
use tieline_uss::family::Family;
use tieline_uss::paper::{PaperScheme, PaperVerdict};
use tieline_uss::parameters::{Limits, Parameters};
use tieline_uss::party::Receiver;

use super::parties::Parties;
use super::{BODY, MESSAGE_BYTES, Purpose, SECURITY_BITS, choice, dice, epoch, epoch_of};
use crate::reproduce::claim::Attacks;

/// Fresh schemes as printed, per committee.
const PRINTED_RUNS: u32 = 200;
/// Epochs of ours, per committee.
const OUR_RUNS: u32 = 20;
/// Epochs of ours with few functions, per number of functions.
const CHANCE_RUNS: u32 = 1000;
/// Functions per pair where chance can be seen.
const FEW_FUNCTIONS: std::ops::RangeInclusive<u16> = 2..=6;
/// Lengths of message, bytes.
const LENGTHS: [u64; 3] = [64, 1024, 65_536];
/// Fresh schemes as printed, per length and per committee that somebody tampers with.
const OTHER_RUNS: u32 = 50;
/// Who is made to accept.
const FRIEND: Receiver = Receiver::new(0);

/// The attack by index on both schemes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Denial {
    /// n.
    pub receivers: u8,
    /// t, dishonest receivers that the thresholds allow for; none of them takes part in the attack.
    pub tolerated: u32,
    /// Tests that eq. (11) asks for.
    pub needed: u32,
    /// Fewest tests that the friend passed, printed scheme.
    pub friend_passed: u32,
    /// Most tests that anybody else passed, printed scheme.
    pub others_passed: u32,
    /// Attacks on the printed scheme.
    pub printed: Attacks,
    /// Attacks on ours.
    pub ours: Attacks,
    /// Bound for any denial of ours, as exponent of 2.
    pub bound_log2: f64,
}

/// Denial of our signatures, two receivers, deliberately few functions.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Chance {
    /// k.
    pub functions: u16,
    /// What was run.
    pub attacks: Attacks,
    /// Chance of the attack, exact: 2 p_m.
    pub expected: f64,
    /// Bound for any denial, 4 p_m.
    pub bound: f64,
}

/// Denial by length of the message, eight receivers.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ByLength {
    /// Length, bytes.
    pub message_bytes: u64,
    /// Formula (19) with the length in bits, as exponent of 2.
    pub printed_log2: f64,
    /// Attacks on the printed scheme.
    pub printed: Attacks,
    /// k of ours at that length.
    pub functions: u16,
    /// b of ours at that length.
    pub tag_bits: u16,
    /// Bound for a denial of ours, as exponent of 2.
    pub bound_log2: f64,
    /// Bound for a forgery of ours in a dispute, as exponent of 2.
    pub forging_log2: f64,
}

/// Messages changed under a valid signature, printed scheme.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Tampering {
    /// n.
    pub receivers: u8,
    /// t, receivers that may help to forge.
    pub tolerated: u32,
    /// What was run; a success is an acceptance by anybody.
    pub attacks: Attacks,
    /// Tests of honest senders that t helpers must still guess.
    pub to_guess: u32,
    /// Bound for a forgery by t receivers with functions of [`Family::Gf128`], as exponent of 2.
    pub bound_log2: f64,
}

/// By index, both schemes.
///
/// # Errors
/// Of a round; none is expected.
pub(super) fn by_index(choices: &[Choice]) -> anyhow::Result<Vec<Denial>> {
    choices
        .iter()
        .enumerate()
        .map(|(group, choice)| {
            let committee = choice.parameters.committee();
            let mut found = Denial {
                receivers: committee.receivers(),
                tolerated: committee.tolerated(),
                needed: 0,
                friend_passed: u32::MAX,
                others_passed: 0,
                printed: Attacks::default(),
                ours: Attacks::default(),
                bound_log2: choice.bounds.repudiation().exponent(),
            };
            for run in 0..PRINTED_RUNS {
                let verdicts = printed(committee, BODY, dice(Purpose::Printed, (group, run)))?;
                found.printed.count(is_denied(&verdicts));
                found.needed = verdicts[0].needed;
                found.friend_passed = found.friend_passed.min(verdicts[0].passed);
                let others = verdicts[1..].iter().map(|verdict| verdict.passed);
                found.others_passed = others.fold(found.others_passed, u32::max);
            }
            for run in 0..OUR_RUNS {
                found.ours.count(ours(choice, (group, run))?);
            }
            Ok(found)
        })
        .collect()
}

/// What everybody finds when the signer makes the tags right for the friend alone.
fn printed(
    committee: Committee,
    body: &[u8],
    mut random: rand_chacha::ChaCha20Rng,
) -> anyhow::Result<Vec<PaperVerdict>> {
    let scheme = scheme(committee, &mut random)?;
    let signature = scheme.sign_for_one(body, FRIEND)?;
    Receiver::first(committee.receivers())
        .map(|j| Ok(scheme.verify(j, body, &signature)?))
        .collect()
}

fn scheme(
    committee: Committee,
    random: &mut rand_chacha::ChaCha20Rng,
) -> anyhow::Result<PaperScheme> {
    let dishonest = committee.tolerated() as u8;
    PaperScheme::draw(committee.receivers(), dishonest, random)
        .ok_or_else(|| anyhow::anyhow!("eq. (11) has no threshold for {committee:?}"))
}

/// Somebody accepts, and at least half reject.
fn is_denied(verdicts: &[PaperVerdict]) -> bool {
    let accepts = verdicts
        .iter()
        .filter(|verdict| verdict.is_accepted())
        .count();
    accepts > 0 && 2 * (verdicts.len() - accepts) >= verdicts.len()
}

/// The same on ours: right are the tags that the friend would test if parts went by index.
fn ours(choice: &Choice, run: (usize, u32)) -> anyhow::Result<bool> {
    let epoch = epoch_of(choice)?;
    let functions = epoch.parameters().functions();
    let receivers = epoch.parameters().receivers();
    let mut parties = Parties::honest(&epoch, &mut dice(Purpose::Index, run))?;
    denied(&mut parties, |tags| {
        (0..receivers).for_each(|row| tags.spoil(row, functions..tags.per_row()));
    })
}

/// Somebody accepts at level 0 or above, and the dispute ends invalid.
fn denied(
    parties: &mut Parties,
    change: impl FnOnce(&mut super::parties::Tags),
) -> anyhow::Result<bool> {
    let verdicts = parties.test(BODY, change)?;
    let outcome = parties.dispute(&verdicts)?;
    let accepted = verdicts
        .iter()
        .any(|verdict| verdict.level() >= Level::new(0));
    Ok(accepted && outcome == Some(Outcome::Invalid))
}

/// n = 2, ω = 1, l_max = 0, budgets 0 and k - 1, and k wrong tags in one row: the best attack there is.
///
/// # Errors
/// Of a round; none is expected.
pub(super) fn few_functions() -> anyhow::Result<Vec<Chance>> {
    FEW_FUNCTIONS
        .map(|functions| {
            let limits = Limits {
                messages: 1,
                message_bytes: MESSAGE_BYTES as usize,
            };
            let budgets = vec![0, functions - 1];
            let committee = Committee::new(2, 1, 0)?;
            let parameters =
                Parameters::new(committee, Family::Gf64, functions, budgets.clone(), limits)?;
            let bound = parameters.bounds().repudiation();
            let epoch = epoch(parameters)?;
            let mut attacks = Attacks::default();
            for run in 0..CHANCE_RUNS {
                let mut random = dice(Purpose::Chance, (functions.into(), run));
                let mut parties = Parties::honest(&epoch, &mut random)?;
                attacks.count(denied(&mut parties, |tags| {
                    tags.spoil(0, 0..functions.into())
                })?);
            }
            let differs = block_differs(functions, budgets[0], budgets[1]);
            Ok(Chance {
                functions,
                attacks,
                expected: (2.0 * differs.exponent().exp2()).min(1.0),
                bound: bound.exponent().exp2().min(1.0),
            })
        })
        .collect()
}

/// Formula (19) against runs and bounds, by length.
///
/// # Errors
/// Of a round; none is expected.
pub(super) fn by_length() -> anyhow::Result<Vec<ByLength>> {
    LENGTHS
        .iter()
        .enumerate()
        .map(|(group, &message_bytes)| {
            let choice = choice(
                super::COMMITTEES[1],
                SECURITY_BITS,
                (FamilyName::Small, message_bytes),
            )?;
            let committee = choice.parameters.committee();
            let body = vec![b'x'; message_bytes as usize];
            let mut attacks = Attacks::default();
            for run in 0..OTHER_RUNS {
                let random = dice(Purpose::Length, (group, run));
                attacks.count(is_denied(&printed(committee, &body, random)?));
            }
            let forging = choice.bounds.forging_at(Level::DISPUTE);
            Ok(ByLength {
                message_bytes,
                printed_log2: printed_log2(8 * message_bytes),
                printed: attacks,
                functions: choice.parameters.functions(),
                tag_bits: choice.parameters.family().tag_bits,
                bound_log2: choice.bounds.repudiation().exponent(),
                forging_log2: forging.map_or(0.0, |forging| forging.simple.exponent()),
            })
        })
        .collect()
}

/// 1/4^n, as exponent of 2.
pub(super) fn printed_log2(n: u64) -> f64 {
    -2.0 * n as f64
}

/// Somebody changes the message under an honest signature of the printed scheme.
///
/// # Errors
/// Of a round; none is expected.
pub(super) fn tampering(choices: &[Choice]) -> anyhow::Result<Vec<Tampering>> {
    choices
        .iter()
        .enumerate()
        .map(|(group, choice)| {
            let committee = choice.parameters.committee();
            let mut changed = BODY.to_vec();
            changed[0] ^= 1;
            let (mut attacks, mut needed) = (Attacks::default(), 0);
            for run in 0..OTHER_RUNS {
                let scheme = scheme(committee, &mut dice(Purpose::Tampering, (group, run)))?;
                let signature = scheme.sign(BODY)?;
                let mut accepted = false;
                for j in Receiver::first(committee.receivers()) {
                    let verdict = scheme.verify(j, &changed, &signature)?;
                    accepted |= verdict.is_accepted();
                    needed = verdict.needed;
                }
                attacks.count(accepted);
            }
            let honest = u32::from(committee.receivers()) - committee.tolerated();
            let to_guess = needed.saturating_sub(committee.tolerated());
            Ok(Tampering {
                receivers: committee.receivers(),
                tolerated: committee.tolerated(),
                attacks,
                to_guess,
                bound_log2: forging_bound(honest, to_guess).exponent(),
            })
        })
        .collect()
}

/// h C(h, g) ε^g: at one of h honest receivers g of h honest senders' tags are guessed, one function per pair.
fn forging_bound(honest: u32, to_guess: u32) -> Log2 {
    let guess = FamilyCost::choices(FamilyName::Gf128, MESSAGE_BYTES)
        .first()
        .map_or(Log2::CERTAIN, |cost| cost.guess);
    let choices = (0..u64::from(to_guess)).fold(1, |ways: u64, taken| {
        ways * (u64::from(honest) - taken) / (taken + 1)
    });
    Log2::of(honest.into()) * Log2::of(choices) * test_passed(1, 0, guess).power(to_guess)
}
