//! What all participants of an epoch agree on beforehand: sizes, family, budgets, limits and names.

use crate::bounds::{self, Budgets, Choice, FamilyCost, FamilyName, Load, Log2, SecurityBounds};
use crate::channel::MAC_KEY_BITS;
use crate::committee::{Committee, Level};
use crate::family::{Family, MESSAGE_BYTES_MAX, Small};

mod description;
mod error;

pub use description::{COMPLAINT_BLOCKS, COMPLAINT_BLOCKS_MAX, Epoch, Round};
pub use error::ParameterError;

pub use crate::bounds::FUNCTIONS_MAX;
/// Most functions of an epoch, n²k: a signature has as many tags.
pub const TAGS_MAX: usize = 1 << 22;
/// Longest name of a signer or a chain, bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// Most chains that an epoch's messages may concern.
pub const CHAINS_MAX: usize = 8;
/// Most signatures of one epoch.
pub const MESSAGES_MAX: u32 = 1 << 20;

/// How much is signed in one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// M: 1 is one-shot mode; more is batch mode, with fresh pads for every further signature.
    pub messages: u32,
    /// Longest canonical message (header and body), bytes.
    pub message_bytes: usize,
}

/// Sizes of the scheme: committee, k functions per pair, their family, mismatch budgets per level, limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    committee: Committee,
    family: Family,
    functions: u16,
    budgets: Vec<u16>,
    limits: Limits,
}

impl Parameters {
    /// Checks the parameters. `budgets`: u_l for l = l_max, …, 0, -1.
    ///
    /// Whether they reach a level of security is the business of [`crate::bounds`].
    ///
    /// # Errors
    /// [`ParameterError`] names the rule and the numbers.
    pub fn new(
        committee: Committee,
        family: Family,
        functions: u16,
        budgets: Vec<u16>,
        limits: Limits,
    ) -> Result<Parameters, ParameterError> {
        let parameters = Parameters {
            committee,
            family,
            functions,
            budgets,
            limits,
        };
        parameters.check_sizes()?;
        parameters.check_budgets()?;
        if !committee.is_live() {
            return Err(ParameterError::NotLive {
                receivers: committee.receivers(),
                tolerated: committee.tolerated(),
                transfers: committee.transfers(),
            });
        }
        Ok(parameters)
    }

    /// Takes what [`crate::bounds::search()`] found, for the messages that it was asked about.
    ///
    /// # Errors
    /// [`ParameterError`]; [`ParameterError::NotLive`] for committees that are secure but not live.
    pub fn found(choice: &Choice) -> Result<Parameters, ParameterError> {
        let found = &choice.parameters;
        let limits = Limits {
            messages: choice.load.messages,
            message_bytes: choice.message_bytes as usize,
        };
        Parameters::new(
            found.committee(),
            family_of(found.family()),
            found.functions(),
            found.budgets().from_first_hand().to_vec(),
            limits,
        )
    }

    /// What a signature under these parameters is worth, with one evaluation per message.
    pub fn bounds(&self) -> SecurityBounds {
        let family = family_cost(self.family, self.limits.message_bytes);
        let budgets = Budgets::new(self.budgets.clone()).expect("checked by the constructor");
        let scheme = bounds::Parameters::new(self.committee, self.functions, family, budgets)
            .expect("checked by the constructor");
        SecurityBounds::of(
            &scheme,
            Load {
                messages: self.limits.messages,
                attempts: 0,
            },
        )
    }

    fn check_sizes(&self) -> Result<(), ParameterError> {
        let (functions, limits) = (self.functions, self.limits);
        if functions == 0 || functions > FUNCTIONS_MAX {
            return Err(ParameterError::Functions { functions });
        }
        if self.tags() > TAGS_MAX {
            return Err(ParameterError::Tags { tags: self.tags() });
        }
        let most = self.family.message_bytes_max().min(MESSAGE_BYTES_MAX);
        if limits.message_bytes > most {
            return Err(ParameterError::MessageBytes {
                bytes: limits.message_bytes,
                family: self.family,
                most,
            });
        }
        if limits.messages == 0 || limits.messages > MESSAGES_MAX {
            return Err(ParameterError::Messages {
                messages: limits.messages,
            });
        }
        Ok(())
    }

    fn check_budgets(&self) -> Result<(), ParameterError> {
        let levels = usize::from(self.committee.transfers()) + 2;
        if self.budgets.len() != levels {
            return Err(ParameterError::BudgetCount {
                given: self.budgets.len(),
                levels,
            });
        }
        let rising = self.budgets.windows(2).all(|pair| pair[0] < pair[1]);
        let bounded = self
            .budgets
            .last()
            .is_some_and(|last| *last < self.functions);
        if !rising || !bounded {
            return Err(ParameterError::Budgets {
                budgets: self.budgets.clone(),
                functions: self.functions,
            });
        }
        Ok(())
    }

    /// Who takes part.
    pub fn committee(&self) -> Committee {
        self.committee
    }

    /// n as a size.
    pub fn receivers(&self) -> usize {
        usize::from(self.committee.receivers())
    }

    /// The family of hash functions.
    pub fn family(&self) -> Family {
        self.family
    }

    /// k, functions per ordered pair of receivers.
    pub fn functions(&self) -> usize {
        usize::from(self.functions)
    }

    /// u_l, mismatches that a test forgives at `level`.
    pub fn budget(&self, level: Level) -> u16 {
        let place = i16::from(self.committee.transfers()) - i16::from(level.number());
        usize::try_from(place)
            .ok()
            .and_then(|place| self.budgets.get(place).copied())
            .unwrap_or(0)
    }

    /// M, l: how much may be signed.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// nk, functions that the signer shares with each receiver.
    pub fn functions_per_receiver(&self) -> usize {
        self.receivers() * self.functions()
    }

    /// n²k, tags of a signature.
    pub fn tags(&self) -> usize {
        self.receivers() * self.functions_per_receiver()
    }

    /// ⌈log2 nk⌉, bits of an index among the functions of one receiver.
    pub fn index_bits(&self) -> u32 {
        usize::BITS - (self.functions_per_receiver() - 1).leading_zeros()
    }

    /// Raw key bits that signer and receiver share for the first signature: nk descriptions with their pads.
    pub fn shared_bits(&self) -> usize {
        self.functions_per_receiver()
            * (self.family.description_bits() - self.family.drawn_bits()) as usize
    }

    /// Key bits to send a receiver what the signer must draw itself (nothing but for [`Family::Lfsr128`]).
    pub fn offer_bits(&self) -> usize {
        match self.family.drawn_bits() as usize {
            0 => 0,
            drawn => self.functions_per_receiver() * drawn + MAC_KEY_BITS,
        }
    }

    /// Bits of the set that one receiver sends another: k descriptions, pads and indices.
    pub fn set_bits(&self) -> usize {
        self.functions() * (self.family.description_bits() + self.index_bits()) as usize
    }

    /// Key bits to send such a set.
    pub fn set_key_bits(&self) -> usize {
        self.set_bits() + MAC_KEY_BITS
    }

    /// Raw key bits that signer and receiver share for each further signature: nk pads.
    pub fn pads_shared_bits(&self) -> usize {
        self.functions_per_receiver() * self.family.tag_bits() as usize
    }

    /// Bits of the pads that one receiver sends another for each further signature.
    pub fn pads_bits(&self) -> usize {
        self.functions() * self.family.tag_bits() as usize
    }

    /// Key bits to send such pads.
    pub fn pads_key_bits(&self) -> usize {
        self.pads_bits() + MAC_KEY_BITS
    }

    /// n²kb, bits of the tags of a signature.
    pub fn tags_bits(&self) -> usize {
        self.tags() * self.family.tag_bits() as usize
    }
}

/// The family whose sizes these are.
fn family_of(cost: FamilyCost) -> Family {
    match cost.name {
        FamilyName::Gf128 => Family::Gf128,
        FamilyName::Gf64 => Family::Gf64,
        FamilyName::Lfsr128 => Family::Lfsr128,
        FamilyName::Small => {
            let tag_bits = u32::from(cost.tag_bits);
            let extra_bits = (u32::from(cost.description_bits) - 3 * tag_bits) / 2;
            Family::Small(
                Small::new(tag_bits, extra_bits)
                    .expect("the search stays within the family's sizes"),
            )
        }
    }
}

/// The sizes of a family and its ε at that length.
fn family_cost(family: Family, message_bytes: usize) -> FamilyCost {
    let name = match family {
        Family::Gf128 => FamilyName::Gf128,
        Family::Gf64 => FamilyName::Gf64,
        Family::Lfsr128 => FamilyName::Lfsr128,
        Family::Small(_) => FamilyName::Small,
    };
    FamilyCost {
        name,
        tag_bits: family.tag_bits() as u16,
        description_bits: family.description_bits() as u16,
        guess: Log2::of_float(family.epsilon(message_bytes)),
    }
}
