//! Formula (19) beside what can be proved of ours, and bits of key and signature.
//!
//! The printed 1/4^n has the length of the message for n. The chance of a denial depends on k, the functions per pair, and
//! on the gap between the budgets of two levels; neither occurs in (19).

use serde::Serialize;
use tieline_uss::bounds::{Channel, Choice, EndToEnd, FamilyName, Load};
use tieline_uss::committee::Level;

use super::denial::printed_log2;
use super::parties::Parties;
use super::{COMMITTEES, MESSAGE_BYTES, Purpose, choice, dice, epoch_of};
use crate::reproduce::claim::Attacks;

/// λ of the curve.
const LEVELS: [u16; 16] = [
    8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128,
];
/// l_h of the printed scheme, of which the paper says nothing: the shortest with which a guessed tag is as rare as any
/// failure of ours.
pub const PRINTED_TAG_BITS: u64 = super::SECURITY_BITS as u64;
/// Lengths of the two bodies whose signatures are measured, bytes.
const BODIES: [usize; 2] = [1, 512];

/// Bounds and sizes of one committee.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Numbers {
    /// n.
    pub receivers: u8,
    /// ω.
    pub dishonest: u8,
    /// l_max.
    pub transfers: u8,
    /// k.
    pub functions: u16,
    /// b, bits of a tag.
    pub tag_bits: u16,
    /// y, bits that describe a function.
    pub description_bits: u16,
    /// Formula (19) with n receivers, as exponent of 2.
    pub printed_receivers_log2: f64,
    /// Formula (19) with n bits of message, as exponent of 2.
    pub printed_message_log2: f64,
    /// A forgery, in a dispute, as exponent of 2.
    pub forging_log2: f64,
    /// A failed transfer, as exponent of 2; none where l_max = 0.
    pub transfer_log2: Option<f64>,
    /// A denial, as exponent of 2.
    pub denial_log2: f64,
    /// Any of them, as exponent of 2.
    pub sum_log2: f64,
    /// Any of them, or a failure of key distribution (1e-15 per bit) or authentication, as exponent of 2.
    pub end_to_end_log2: f64,
    /// Bits from signer to receiver: printed n l_h, and needed.
    pub signer_to_receiver_bits: [u64; 2],
    /// Bits from receiver to receiver: printed l_h, and needed.
    pub receiver_to_receiver_bits: [u64; 2],
    /// Bits of the tags of a signature: printed n² l_h, and needed.
    pub signature_bits: [u64; 2],
}

/// What so many functions per pair reach, tags of 64 bits: wide enough that k alone decides.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Point {
    /// n.
    pub receivers: u8,
    /// λ that was asked for.
    pub security_bits: u16,
    /// k.
    pub functions: u16,
    /// The bound for a denial, as exponent of 2.
    pub denial_log2: f64,
    /// The largest bound of any kind of failure, as exponent of 2.
    pub worst_log2: f64,
}

/// Functions that are described by as many bits as their tags have: every family with two bits of each, on two messages.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ShortKeys {
    /// Families.
    pub families: u32,
    /// Of those that make every first tag equally likely: in how many one signed message gives the other's tag away.
    pub given_away: Attacks,
    /// Over all families, the least of the larger chance, in quarters: to guess a first tag, or the second one after it.
    pub best_of_four: u32,
}

/// Keys, and tags.
const SHORT: usize = 4;

/// Tries them all.
pub(super) fn short_keys() -> ShortKeys {
    let mut found = ShortKeys {
        families: 0,
        given_away: Attacks::default(),
        best_of_four: SHORT as u32,
    };
    // two bits per key and message: the tags of a family, packed
    for packed in 0..1_u32 << (4 * SHORT) {
        let tag =
            |message: usize, key: usize| (packed >> (2 * (SHORT * message + key)) & 3) as usize;
        let (mut guessed, mut replaced) = (0, 0);
        for (signed, other) in [(0, 1), (1, 0)] {
            let mut together = [[0_u32; SHORT]; SHORT];
            (0..SHORT).for_each(|key| together[tag(signed, key)][tag(other, key)] += 1);
            let likeliest = together.map(|row| row.iter().sum::<u32>());
            guessed = likeliest.into_iter().fold(guessed, u32::max);
            let after: u32 = together
                .iter()
                .map(|row| row.iter().copied().fold(0, u32::max))
                .sum();
            replaced = after.max(replaced);
        }
        found.families += 1;
        found.best_of_four = found.best_of_four.min(guessed.max(replaced));
        if guessed == 1 {
            found.given_away.count(replaced == SHORT as u32);
        }
    }
    found
}

/// Of one committee.
pub(super) fn numbers(choice: &Choice) -> Numbers {
    let committee = choice.parameters.committee();
    let receivers = committee.receivers();
    let n = u64::from(receivers);
    let (bounds, cost) = (&choice.bounds, &choice.cost);
    let forging = bounds.forging_at(Level::DISPUTE);
    let (_, passed_on) = bounds.transfers.split_last().unzip();
    let passed_on: &[_] = passed_on.unwrap_or(&[]);
    let transfer = passed_on
        .iter()
        .map(|transfer| transfer.bound.exponent())
        .reduce(f64::max);
    let epoch = cost.epoch(receivers, Load::ONE_SHOT);
    let family = choice.parameters.family();
    Numbers {
        receivers,
        dishonest: committee.dishonest(),
        transfers: committee.transfers(),
        functions: choice.parameters.functions(),
        tag_bits: family.tag_bits,
        description_bits: family.description_bits,
        printed_receivers_log2: printed_log2(n),
        printed_message_log2: printed_log2(8 * MESSAGE_BYTES),
        forging_log2: forging.map_or(0.0, |forging| forging.simple.exponent()),
        transfer_log2: transfer,
        denial_log2: bounds.repudiation().exponent(),
        sum_log2: bounds.sum().exponent(),
        end_to_end_log2: EndToEnd::of(bounds.sum(), epoch, Channel::default())
            .sum()
            .exponent(),
        signer_to_receiver_bits: [n * PRINTED_TAG_BITS, cost.signer_to_receiver_bits],
        receiver_to_receiver_bits: [PRINTED_TAG_BITS, cost.receiver_to_receiver_bits],
        signature_bits: [n * n * PRINTED_TAG_BITS, cost.signature_bits],
    }
}

/// The search at every λ of the curve, for every committee.
///
/// # Errors
/// When the search finds nothing.
pub(super) fn reached() -> anyhow::Result<Vec<Point>> {
    let mut found = Vec::with_capacity(COMMITTEES.len() * LEVELS.len());
    for committee in COMMITTEES {
        for security_bits in LEVELS {
            let choice = choice(committee, security_bits, (FamilyName::Gf64, MESSAGE_BYTES))?;
            found.push(Point {
                receivers: committee.0,
                security_bits,
                functions: choice.parameters.functions(),
                denial_log2: choice.bounds.repudiation().exponent(),
                worst_log2: choice.bounds.worst().exponent(),
            });
        }
    }
    Ok(found)
}

/// Bits of a whole signature, header included, on a body of one byte and on one of half the longest message.
///
/// # Errors
/// Of a round; none is expected.
pub(super) fn measured_bits(choices: &[Choice]) -> anyhow::Result<Vec<[u64; 2]>> {
    let measured = |(group, choice): (usize, &Choice)| {
        let epoch = epoch_of(choice)?;
        let mut bits = [0; 2];
        for (bits, (run, bytes)) in bits.iter_mut().zip((0..).zip(BODIES)) {
            let mut parties = Parties::honest(&epoch, &mut dice(Purpose::Size, (group, run)))?;
            *bits = parties.signature_bits(&vec![b'x'; bytes])?;
        }
        Ok(bits)
    };
    choices.iter().enumerate().map(measured).collect()
}
