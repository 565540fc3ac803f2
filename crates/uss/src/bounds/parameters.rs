//! Parameters of a signature, checked once.

use thiserror::Error;

use super::family::FamilyCost;
use crate::committee::{Committee, Level};

/// Most functions per pair of receivers that are considered, k.
pub const FUNCTIONS_MAX: u16 = 8192;

/// Mismatches that a test forgives at each level, u_l.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budgets(Vec<u16>);

impl Budgets {
    /// From level l_max down to -1.
    ///
    /// # Errors
    /// [`ParametersError::BudgetsOrder`] unless each is larger than the one before, [`ParametersError::BudgetsCount`] for fewer than two.
    pub fn new(from_first_hand: Vec<u16>) -> Result<Budgets, ParametersError> {
        if from_first_hand.len() < 2 {
            return Err(ParametersError::BudgetsCount {
                found: from_first_hand.len(),
                expected: 2,
            });
        }
        for pair in from_first_hand.windows(2) {
            if pair[1] <= pair[0] {
                return Err(ParametersError::BudgetsOrder {
                    budget: pair[0],
                    next: pair[1],
                });
            }
        }
        Ok(Budgets(from_first_hand))
    }

    /// u_l from level l_max down to -1.
    pub fn from_first_hand(&self) -> &[u16] {
        &self.0
    }

    /// u_l, or `None` above l_max.
    pub fn at(&self, level: Level) -> Option<u16> {
        let from_dispute = usize::try_from(level.number() + 1).ok()?;
        self.0.iter().rev().nth(from_dispute).copied()
    }

    /// u_-1, the largest.
    pub fn in_dispute(&self) -> u16 {
        self.0.last().copied().unwrap_or(0)
    }
}

/// How much one epoch's keys are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// M, messages signed with one set of keys and one split, at least 1.
    pub messages: u32,
    /// Evaluations per message beyond the one of the string that is final on the ledger; 0 where receivers keep that rule.
    pub attempts: u32,
}

impl Load {
    /// One message, one evaluation.
    pub const ONE_SHOT: Load = Load {
        messages: 1,
        attempts: 0,
    };
}

/// A committee, k functions per ordered pair of receivers, a family and budgets that fit together.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    committee: Committee,
    functions: u16,
    family: FamilyCost,
    budgets: Budgets,
}

/// Parameters that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParametersError {
    /// k outside 2..=[`FUNCTIONS_MAX`].
    #[error("{functions} functions per pair: 2 to {FUNCTIONS_MAX} are possible")]
    Functions {
        /// k.
        functions: u16,
    },
    /// Not one budget per level.
    #[error("{found} budgets: one per level from l_max down to -1 makes {expected}")]
    BudgetsCount {
        /// How many were given.
        found: usize,
        /// l_max + 2.
        expected: usize,
    },
    /// Budgets grow from level to level.
    #[error("budget {next} follows {budget}: budgets grow from l_max down to -1")]
    BudgetsOrder {
        /// u_l.
        budget: u16,
        /// u_(l-1).
        next: u16,
    },
    /// u_-1 ≥ k: every test would pass.
    #[error("a budget of {budget} of {functions} functions passes every test: at most {} is one", functions - 1)]
    BudgetTooLarge {
        /// u_-1.
        budget: u16,
        /// k.
        functions: u16,
    },
}

impl Parameters {
    /// Checks that the budgets fit the committee and k.
    ///
    /// # Errors
    /// [`ParametersError`] names what does not fit.
    pub fn new(
        committee: Committee,
        functions: u16,
        family: FamilyCost,
        budgets: Budgets,
    ) -> Result<Parameters, ParametersError> {
        if !(2..=FUNCTIONS_MAX).contains(&functions) {
            return Err(ParametersError::Functions { functions });
        }
        let (found, expected) = (budgets.0.len(), committee.levels().count());
        if found != expected {
            return Err(ParametersError::BudgetsCount { found, expected });
        }
        let budget = budgets.in_dispute();
        if budget >= functions {
            return Err(ParametersError::BudgetTooLarge { budget, functions });
        }
        Ok(Parameters {
            committee,
            functions,
            family,
            budgets,
        })
    }

    /// Who takes part.
    pub fn committee(&self) -> Committee {
        self.committee
    }

    /// k, functions per ordered pair of receivers.
    pub fn functions(&self) -> u16 {
        self.functions
    }

    /// The family at the message's length.
    pub fn family(&self) -> FamilyCost {
        self.family
    }

    /// u_l per level.
    pub fn budgets(&self) -> &Budgets {
        &self.budgets
    }
}
