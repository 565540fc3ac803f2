//! Who takes part, how many of them may be dishonest, and how many tests a signature must pass at each level.
//!
//! Source: Amiri, Abidin, Wallden, Andersson 2018, section 3; thresholds δ_l = 1/2 + (l + 1) d_R with d_R = (ω - 1)/n.

use thiserror::Error;

/// Most receivers of one signature.
pub const RECEIVERS_MAX: u8 = 128;

/// Most transfers of one signature: with a dishonest receiver beside the signer, 128 receivers allow no more.
pub const TRANSFERS_MAX: u8 = 62;

/// How often a signature may still be passed on: `l_max` on receipt from the signer, one less per transfer, -1 in a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(i8);

impl Level {
    /// The level of a dispute, -1: nobody else need be convinced.
    pub const DISPUTE: Level = Level(-1);

    /// Level `transfers`: that many transfers can follow.
    pub const fn new(transfers: i8) -> Option<Level> {
        if transfers >= -1 {
            Some(Level(transfers))
        } else {
            None
        }
    }

    /// The number l, -1 in a dispute.
    pub const fn number(self) -> i8 {
        self.0
    }
}

/// n receivers, at most ω dishonest participants in all, l_max transfers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Committee {
    receivers: u8,
    dishonest: u8,
    transfers: u8,
}

/// Why no signature can be had from such a committee.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CommitteeError {
    /// n outside 2..=[`RECEIVERS_MAX`].
    #[error("{receivers} receivers: 2 to {RECEIVERS_MAX} can take part")]
    Receivers {
        /// n.
        receivers: u8,
    },
    /// ω outside 1..n.
    #[error(
        "{dishonest} dishonest participants of {receivers} receivers: ω counts the signer, so it is 1 to {receivers} - 1"
    )]
    Dishonest {
        /// n.
        receivers: u8,
        /// ω.
        dishonest: u8,
    },
    /// l_max above [`TRANSFERS_MAX`].
    #[error("{transfers} transfers: at most {TRANSFERS_MAX} are possible")]
    Transfers {
        /// l_max.
        transfers: u8,
    },
    /// ω receivers, a majority, would decide a dispute about a message that an honest signer never signed.
    #[error(
        "{dishonest} dishonest of {receivers} receivers decide a dispute by themselves: ω is at most {}",
        receivers / 2
    )]
    Dispute {
        /// n.
        receivers: u8,
        /// ω.
        dishonest: u8,
    },
    /// Transferability needs (l_max + 1)(ω - 1)/n < 1/2.
    #[error("{receivers} receivers with ω = {dishonest} are too few for l_max = {transfers}: that needs more than {}", 2 * (u32::from(*transfers) + 1) * (u32::from(*dishonest) - 1))]
    Levels {
        /// n.
        receivers: u8,
        /// ω.
        dishonest: u8,
        /// l_max.
        transfers: u8,
    },
}

impl Committee {
    /// Checks the sizes: `receivers` n, `dishonest` ω (a dishonest signer included), `transfers` l_max.
    ///
    /// A committee that is secure need not be live, see [`Committee::is_live`].
    ///
    /// # Errors
    /// [`CommitteeError`] names the condition that fails.
    pub fn new(receivers: u8, dishonest: u8, transfers: u8) -> Result<Committee, CommitteeError> {
        if !(2..=RECEIVERS_MAX).contains(&receivers) {
            return Err(CommitteeError::Receivers { receivers });
        }
        if dishonest == 0 || dishonest >= receivers {
            return Err(CommitteeError::Dishonest {
                receivers,
                dishonest,
            });
        }
        if transfers > TRANSFERS_MAX {
            return Err(CommitteeError::Transfers { transfers });
        }
        let committee = Committee {
            receivers,
            dishonest,
            transfers,
        };
        let slack = 2 * (u32::from(transfers) + 1) * committee.tolerated();
        if slack >= u32::from(receivers) {
            return Err(CommitteeError::Levels {
                receivers,
                dishonest,
                transfers,
            });
        }
        if dishonest > receivers / 2 {
            return Err(CommitteeError::Dispute {
                receivers,
                dishonest,
            });
        }
        Ok(committee)
    }

    /// n, the number of receivers.
    pub const fn receivers(self) -> u8 {
        self.receivers
    }

    /// ω, dishonest participants in all, a dishonest signer included.
    pub const fn dishonest(self) -> u8 {
        self.dishonest
    }

    /// l_max, how often a signature can be passed on.
    pub const fn transfers(self) -> u8 {
        self.transfers
    }

    /// t = ω - 1, dishonest receivers beside a dishonest signer.
    pub fn tolerated(self) -> u32 {
        u32::from(self.dishonest) - 1
    }

    /// Whether honest receivers alone pass enough tests of an honest signature at every level: n > 2(l_max + 2)(ω - 1).
    pub fn is_live(self) -> bool {
        u32::from(self.receivers) > 2 * (u32::from(self.transfers) + 2) * self.tolerated()
    }

    /// The level of a signature that comes from its signer, l_max.
    pub fn first_hand(self) -> Level {
        Level(self.transfers as i8)
    }

    /// Levels from l_max down to -1.
    pub fn levels(self) -> impl Iterator<Item = Level> {
        (-1..=self.transfers as i8).rev().map(Level)
    }

    /// The least number of tests that accepts at `level` after `complaints` complaints, each of which takes two receivers out:
    /// the least integer above (n - 2e)/2 + (l + 1)(ω - 1), eq. (11) with levels.
    pub fn tests_needed(self, level: Level, complaints: u32) -> u32 {
        self.tests_needed_among(
            level,
            u32::from(self.receivers).saturating_sub(2 * complaints),
        )
    }

    /// The least number of tests that accepts at `level` when `present` receivers n' are left.
    pub fn tests_needed_among(self, level: Level, present: u32) -> u32 {
        let slack = (level.0 + 1) as u32 * self.tolerated();
        present / 2 + slack + 1
    }

    /// The most complaints that can take effect while the signer is honest: each takes a dishonest receiver out. One more
    /// proves the signer dishonest.
    pub fn complaints_max(self) -> u32 {
        self.tolerated()
    }

    /// The committee of `receivers` n with the largest ω that is live at `transfers` l_max.
    ///
    /// # Errors
    /// [`CommitteeError`] for sizes out of range.
    pub fn largest_live(receivers: u8, transfers: u8) -> Result<Committee, CommitteeError> {
        let tolerated = tolerated_by(receivers.into(), transfers);
        // t < n/4.
        Committee::new(receivers, tolerated as u8 + 1, transfers)
    }
}

/// t, the most dishonest receivers beside a dishonest signer with which `receivers` n are live: the largest t with
/// n > 2(l_max + 2)t.
pub fn tolerated_by(receivers: u32, transfers: u8) -> u32 {
    receivers.saturating_sub(1) / per_dishonest(transfers)
}

/// The fewest receivers that are live with t `dishonest` ones, 2(l_max + 2)t + 1, and two without any.
pub fn receivers_needed(dishonest: u32, transfers: u8) -> u32 {
    (per_dishonest(transfers) * dishonest + 1).max(2)
}

/// t for the receivers of two committees of `receivers_each` together, wherever the dishonest ones sit.
pub fn tolerated_by_two(receivers_each: u32, transfers: u8) -> u32 {
    tolerated_by(2 * receivers_each, transfers)
}

/// The fewest receivers of each of two equal committees that are live together with `dishonest_each` f in each: 4f + 1 at
/// l_max = 0, 6f + 1 at l_max = 1. Committees of 3f + 1 never suffice.
pub fn receivers_needed_each(dishonest_each: u32, transfers: u8) -> u32 {
    receivers_needed(2 * dishonest_each, transfers).div_ceil(2)
}

/// 2(l_max + 2).
fn per_dishonest(transfers: u8) -> u32 {
    2 * (u32::from(transfers) + 2)
}
