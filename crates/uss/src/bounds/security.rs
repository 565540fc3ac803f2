//! Forging, transfer and repudiation: what an epoch of messages risks.

use super::formulas::{block_differs_by, block_differs_simple, test_passed_by};
use super::log2::{Factorials, Log2};
use super::parameters::{Load, Parameters};
use crate::committee::{Committee, Level};

/// A message that the signer never signed is accepted by an honest receiver.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forging {
    /// The level at which it is accepted; -1 is the forging of a dispute.
    pub level: Level,
    /// p_t(u_l).
    pub test_passed: Log2,
    /// (n - ω)² p_t: some test of an honest sender's block passes somewhere.
    pub simple: Log2,
    /// (n - ω) C(n - ω, g) p_t^g: at one receiver g such tests pass, g = ⌊nδ_l⌋ + 1 - ω.
    pub tight: Log2,
    /// ⌊nδ_l⌋ + 1: so many dishonest receivers need forge nothing.
    pub colluders_needed: u32,
}

/// A signature that one honest receiver accepts is rejected one level lower by another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transfer {
    /// l, where it was accepted; from 0 to -1 the failure is repudiation.
    pub from: Level,
    /// l - 1, where it is rejected.
    pub to: Level,
    /// p_m(u_l, u_(l-1)).
    pub block_differs: Log2,
    /// Its simple form, for comparison.
    pub block_differs_simple: Log2,
    /// h² (h - 1) p_m, h = n - ω + 1: some honest sender's block, some two honest receivers.
    pub bound: Log2,
}

/// Every bound for an epoch of messages over perfect channels.
#[derive(Clone, Debug, PartialEq)]
pub struct SecurityBounds {
    /// From level l_max down to -1.
    pub forging: Vec<Forging>,
    /// From l_max → l_max - 1 down to 0 → -1, which is repudiation.
    pub transfers: Vec<Transfer>,
}

impl SecurityBounds {
    /// Of these parameters under this load.
    ///
    /// Every bound multiplies by M (1 + attempts), the strings that are evaluated. For transfer and repudiation that holds
    /// while each evaluation, also of a further string, obeys the complaint rule.
    pub fn of(parameters: &Parameters, load: Load) -> SecurityBounds {
        let table = Factorials::up_to(2 * usize::from(parameters.functions()));
        let budgets = parameters.budgets().from_first_hand();
        let levels: Vec<Level> = parameters.committee().levels().collect();
        let forging = levels
            .iter()
            .zip(budgets)
            .map(|(level, budget)| forging(&table, parameters, (*level, *budget), load))
            .collect();
        let transfers = levels
            .windows(2)
            .zip(budgets.windows(2))
            .map(|(levels, budgets)| {
                let k = parameters.functions();
                let block_differs = block_differs_by(&table, k, budgets[0], budgets[1]);
                Transfer {
                    from: levels[0],
                    to: levels[1],
                    block_differs,
                    block_differs_simple: block_differs_simple(k, budgets[0], budgets[1]),
                    bound: transfer_factor(parameters.committee(), load) * block_differs,
                }
            })
            .collect();
        SecurityBounds { forging, transfers }
    }

    /// The bound of accepting a forged message at `level`, simple form.
    pub fn forging_at(&self, level: Level) -> Option<&Forging> {
        self.forging.iter().find(|forging| forging.level == level)
    }

    /// The bound of a signature that holds at level 0 and loses its dispute.
    pub fn repudiation(&self) -> Log2 {
        self.transfers
            .last()
            .map_or(Log2::CERTAIN, |transfer| transfer.bound)
    }

    /// The largest bound of one kind of failure; the search keeps it at 2^-λ.
    pub fn worst(&self) -> Log2 {
        let transfers = self.transfers.iter().map(|transfer| transfer.bound);
        transfers.fold(self.any_forging(), Log2::max)
    }

    /// The bound of any failure: a forged message at whatever level, a failed transfer at whatever step, or repudiation.
    pub fn sum(&self) -> Log2 {
        let transfers = self.transfers.iter().map(|transfer| transfer.bound);
        self.any_forging() + transfers.sum()
    }

    /// A test that passes with a small budget passes with a larger one, so the levels' forgings are nested.
    fn any_forging(&self) -> Log2 {
        let simple = self.forging.iter().map(|forging| forging.simple);
        simple.fold(Log2::IMPOSSIBLE, Log2::max)
    }
}

fn forging(
    table: &Factorials,
    parameters: &Parameters,
    (level, budget): (Level, u16),
    load: Load,
) -> Forging {
    let committee = parameters.committee();
    let passed = test_passed_by(
        table,
        parameters.functions(),
        budget,
        parameters.family().guess,
    );
    let honest = u32::from(committee.receivers() - committee.dishonest());
    let colluders_needed = committee.tests_needed(level, 0);
    let to_forge = colluders_needed.saturating_sub(committee.dishonest().into());
    let choices = Factorials::up_to(honest as usize).choose(honest as usize, to_forge as usize);
    let evaluations = evaluations(load);
    Forging {
        level,
        test_passed: passed,
        simple: forging_factor(committee, load) * passed,
        tight: evaluations * Log2::of(honest.into()) * choices * passed.power(to_forge),
        colluders_needed,
    }
}

/// M (1 + attempts) (n - ω)².
pub(super) fn forging_factor(committee: Committee, load: Load) -> Log2 {
    let honest = u64::from(committee.receivers() - committee.dishonest());
    evaluations(load) * Log2::of(honest * honest)
}

/// M (1 + attempts) h² (h - 1), h = n - ω + 1.
pub(super) fn transfer_factor(committee: Committee, load: Load) -> Log2 {
    let honest = u64::from(committee.receivers() - committee.dishonest()) + 1;
    evaluations(load) * Log2::of(honest * honest * (honest - 1))
}

fn evaluations(load: Load) -> Log2 {
    Log2::of(load.messages.into()) * Log2::of(u64::from(load.attempts) + 1)
}
