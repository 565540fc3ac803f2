//! Parameters that are refused.

use thiserror::Error;

use super::{CHAINS_MAX, FUNCTIONS_MAX, MESSAGES_MAX, NAME_BYTES_MAX, TAGS_MAX};
use crate::family::Family;

/// Why parameters are refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// k outside 1..=[`FUNCTIONS_MAX`].
    #[error("{functions} functions per pair: 1 to {FUNCTIONS_MAX} are possible")]
    Functions {
        /// k.
        functions: u16,
    },
    /// n²k above [`TAGS_MAX`].
    #[error("a signature of {tags} tags: at most {TAGS_MAX} are possible")]
    Tags {
        /// n²k.
        tags: usize,
    },
    /// One budget per level is needed.
    #[error("{given} mismatch budgets for {levels} levels")]
    BudgetCount {
        /// Budgets given.
        given: usize,
        /// l_max + 2.
        levels: usize,
    },
    /// Budgets rise from l_max to -1 and stay below k.
    #[error(
        "mismatch budgets {budgets:?} do not rise strictly from level l_max to level -1 below k = {functions}"
    )]
    Budgets {
        /// u_lmax to u_-1.
        budgets: Vec<u16>,
        /// k.
        functions: u16,
    },
    /// Honest receivers alone could not accept an honest signature.
    #[error(
        "{receivers} receivers with {tolerated} dishonest among them and {transfers} transfers cannot accept an honest signature: \
         needs n > 2(l_max + 2)t = {}", 2 * (u32::from(*transfers) + 2) * tolerated
    )]
    NotLive {
        /// n.
        receivers: u8,
        /// t = ω - 1.
        tolerated: u32,
        /// l_max.
        transfers: u8,
    },
    /// The family cannot hash messages of that length, or nobody may send them.
    #[error("messages of up to {bytes} bytes: {family} takes at most {most}")]
    MessageBytes {
        /// Asked for.
        bytes: usize,
        /// The family.
        family: Family,
        /// Its limit.
        most: usize,
    },
    /// Number of signatures outside 1..=[`MESSAGES_MAX`].
    #[error("{messages} signatures in one epoch: 1 to {MESSAGES_MAX} are possible")]
    Messages {
        /// M.
        messages: u32,
    },
    /// A name is empty or too long, or there are no or too many chains.
    #[error(
        "{what} {text:?}: names have 1 to {NAME_BYTES_MAX} bytes, chains number 1 to {CHAINS_MAX}"
    )]
    Name {
        /// What is named.
        what: &'static str,
        /// As given.
        text: String,
    },
    /// No room for a body in the messages.
    #[error(
        "messages of up to {bytes} bytes leave no room for a body beside {header} bytes of header"
    )]
    NoBody {
        /// The limit.
        bytes: usize,
        /// What the header takes.
        header: usize,
    },
}
