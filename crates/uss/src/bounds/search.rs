//! The cheapest parameters that reach a security level.

use thiserror::Error;

use super::cost::KeyCost;
use super::family::{FamilyCost, FamilyName};
use super::formulas::{block_differs_by, test_passed_by};
use super::log2::{Factorials, Log2};
use super::parameters::{Budgets, FUNCTIONS_MAX, Load, Parameters, ParametersError};
use super::security::{SecurityBounds, forging_factor, transfer_factor};
use crate::committee::Committee;
use crate::family;
use crate::parameters::MESSAGES_MAX;

/// Largest λ that is searched for.
pub const SECURITY_BITS_MAX: u16 = 512;

/// Longest message that is searched for, bytes.
pub const MESSAGE_BYTES_MAX: u64 = family::MESSAGE_BYTES_MAX as u64;

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who takes part.
    pub committee: Committee,
    /// λ: every kind of failure has at most probability 2^-λ.
    pub security_bits: u16,
    /// The family of functions.
    pub family: FamilyName,
    /// Longest message.
    pub message_bytes: u64,
    /// How much one epoch's keys are used.
    pub load: Load,
}

impl Request {
    /// Checks the ranges; [`search()`] does so itself.
    ///
    /// # Errors
    /// [`SearchError`] names the value that is out of range.
    pub fn check(&self) -> Result<(), SearchError> {
        let bits = self.security_bits;
        if !(1..=SECURITY_BITS_MAX).contains(&bits) {
            return Err(SearchError::SecurityBits { bits });
        }
        let bytes = self.message_bytes;
        if !(1..=MESSAGE_BYTES_MAX).contains(&bytes) {
            return Err(SearchError::MessageBytes { bytes });
        }
        let messages = self.load.messages;
        if !(1..=MESSAGES_MAX).contains(&messages) {
            return Err(SearchError::Messages { messages });
        }
        Ok(())
    }
}

/// Parameters, what they cost and what they give.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The parameters.
    pub parameters: Parameters,
    /// What they cost.
    pub cost: KeyCost,
    /// What they give.
    pub bounds: SecurityBounds,
    /// Longest message for which that holds, bytes.
    pub message_bytes: u64,
    /// Use of the keys for which that holds.
    pub load: Load,
}

impl Choice {
    /// What given parameters cost and give at the message length that their ε is for.
    pub fn of(parameters: Parameters, message_bytes: u64, load: Load) -> Choice {
        Choice {
            cost: KeyCost::of(&parameters),
            bounds: SecurityBounds::of(&parameters, load),
            parameters,
            message_bytes,
            load,
        }
    }
}

/// Why there are no parameters.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SearchError {
    /// λ outside 1..=[`SECURITY_BITS_MAX`].
    #[error("a security level of {bits} bits: 1 to {SECURITY_BITS_MAX} are possible")]
    SecurityBits {
        /// λ.
        bits: u16,
    },
    /// Messages outside 1..=[`MESSAGE_BYTES_MAX`].
    #[error("messages of {bytes} bytes: 1 to {MESSAGE_BYTES_MAX} are possible")]
    MessageBytes {
        /// What was asked for.
        bytes: u64,
    },
    /// Messages of one epoch outside 1..=[`MESSAGES_MAX`].
    #[error("an epoch of {messages} messages: 1 to {MESSAGES_MAX} are possible")]
    Messages {
        /// M.
        messages: u32,
    },
    /// Nothing up to [`FUNCTIONS_MAX`] functions per pair reaches the level.
    #[error(
        "no parameters of family {family} with up to {FUNCTIONS_MAX} functions per pair reach {bits} bits"
    )]
    NoParameters {
        /// The family.
        family: FamilyName,
        /// λ.
        bits: u16,
    },
    /// The parameters found do not fit together; the search would be wrong.
    #[error(transparent)]
    Parameters(#[from] ParametersError),
}

/// Finds the parameters with the fewest bits of key from the signer to a receiver, n k y, such that forging at every level
/// (simple form), every transfer and repudiation are each at most 2^-λ.
///
/// The budgets are the least possible, from u_(l_max) = 0 down: a budget one larger only makes forging and the next
/// transfer easier. Ties go to the fewest bits from receiver to receiver, then to the shortest signature.
///
/// # Errors
/// [`SearchError`] for a request out of range or one that nothing meets.
pub fn search(request: &Request) -> Result<Choice, SearchError> {
    request.check()?;
    let table = Factorials::up_to(2 * usize::from(FUNCTIONS_MAX));
    let families = FamilyCost::choices(request.family, request.message_bytes);
    match cheapest(request, &table, &families)? {
        Some(parameters) => Ok(Choice::of(parameters, request.message_bytes, request.load)),
        None => Err(SearchError::NoParameters {
            family: request.family,
            bits: request.security_bits,
        }),
    }
}

fn cheapest(
    request: &Request,
    table: &Factorials,
    families: &[FamilyCost],
) -> Result<Option<Parameters>, SearchError> {
    let price = |cost: &KeyCost| {
        (
            cost.signer_to_receiver_bits,
            cost.receiver_to_receiver_bits,
            cost.signature_bits,
        )
    };
    let least_description = families.iter().map(|family| family.description_bits).min();
    let mut best: Option<(KeyCost, Parameters)> = None;
    for functions in 2..=FUNCTIONS_MAX {
        let held = u64::from(request.committee.receivers()) * u64::from(functions);
        let floor = held * u64::from(least_description.unwrap_or(0));
        if best
            .as_ref()
            .is_some_and(|(cost, _)| cost.signer_to_receiver_bits < floor)
        {
            break;
        }
        let Some(budgets) = least_budgets(request, table, functions) else {
            continue;
        };
        for family in families {
            if !unforgeable(request, table, (functions, *family), &budgets) {
                continue;
            }
            let parameters =
                Parameters::new(request.committee, functions, *family, budgets.clone())?;
            let cost = KeyCost::of(&parameters);
            if best
                .as_ref()
                .is_none_or(|(least, _)| price(&cost) < price(least))
            {
                best = Some((cost, parameters));
            }
        }
    }
    Ok(best.map(|(_, parameters)| parameters))
}

/// The least u_l such that every transfer and repudiation reach the level, from u_(l_max) = 0; `None` when k is too small.
fn least_budgets(request: &Request, table: &Factorials, functions: u16) -> Option<Budgets> {
    let factor = transfer_factor(request.committee, request.load);
    let mut budgets = vec![0];
    for _ in 0..=request.committee.transfers() {
        let above = *budgets.last()?;
        let reaches = |below: u16| {
            let differs = block_differs_by(table, functions, above, below);
            (factor * differs).reaches(request.security_bits)
        };
        budgets.push(least(above + 1, functions - 1, reaches)?);
    }
    Budgets::new(budgets).ok()
}

/// The least number of `from..=to` that `holds`, which holds from some number on.
fn least(from: u16, to: u16, holds: impl Fn(u16) -> bool) -> Option<u16> {
    if from > to || !holds(to) {
        return None;
    }
    let (mut low, mut high) = (from, to);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}

fn unforgeable(
    request: &Request,
    table: &Factorials,
    (functions, family): (u16, FamilyCost),
    budgets: &Budgets,
) -> bool {
    let factor = forging_factor(request.committee, request.load);
    budgets.from_first_hand().iter().all(|budget| {
        let passed: Log2 = test_passed_by(table, functions, *budget, family.guess);
        (factor * passed).reaches(request.security_bits)
    })
}
