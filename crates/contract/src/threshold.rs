//! Verification node subsets and their thresholds: formulas (12) to (16), each once.
//!
//! **Deviations** from the paper, each with its reason: (13) as printed allows n_k = 0, which makes (15) vacuous: used,
//! n_k ≥ 2f_k + 2; (15) with t_k = 0 likewise: used, f_k + 1 ≤ t_k ≤ n_k - f_k; (16) sums the constants t_d: used, the
//! counts t'_d; one t_k for everything: used, more for what decides over money (COM, VOID, SET); V_d ‖ V_l of (12) is V_d ∩ V_l.

use std::collections::BTreeSet;

use thiserror::Error;
use tieline_units::{ChainId, Digest, MicrogridId, canonical};

use crate::payload::Kind;
use tieline_seal::hybrid::{KeyId, PublicKey, Suite};

/// Most members of a subset.
pub const SEATS_MAX: usize = 64;

/// One member of a verification node subset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seat {
    /// Its key of this epoch.
    pub key: PublicKey,
    /// Who runs it, and stands for it with a bond.
    pub owner: MicrogridId,
}

canonical!(Seat { key, owner });

/// {V_k} of one epoch: who attests what chain k says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Committee {
    /// Chain k.
    pub chain: ChainId,
    /// Its genesis.
    pub genesis: Digest,
    /// From 0.
    pub epoch: u64,
    /// What its members sign with.
    pub suite: Suite,
    /// f_k: how many of the chain's 3f_k + 1 validators may be dishonest.
    pub faults: u8,
    /// t_k: signatures that make a certificate.
    pub threshold: u8,
    /// The members, n_k of them; a signature names its seat by index.
    pub seats: Vec<Seat>,
}

canonical!(Committee {
    chain,
    genesis,
    epoch,
    suite,
    faults,
    threshold,
    seats[SEATS_MAX]
});

/// Why a subset, or several together, cannot stand.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ThresholdError {
    /// (12): two subsets share a member.
    #[error("verification nodes of {one} and {other} share key {}", key.0)]
    Overlap {
        /// A chain.
        one: ChainId,
        /// Another.
        other: ChainId,
        /// The key in both.
        key: KeyId,
    },
    /// (13): too few, or more than are allowed.
    #[error("{chain} has {size} verification nodes, {least} to {SEATS_MAX} are needed")]
    Size {
        /// The chain.
        chain: ChainId,
        /// n_k.
        size: usize,
        /// 2f_k + 2.
        least: usize,
    },
    /// t_k is not sound or not live.
    #[error("{chain}: threshold {threshold} is not in {least}..={most}")]
    Threshold {
        /// The chain.
        chain: ChainId,
        /// t_k.
        threshold: usize,
        /// f_k + 1.
        least: usize,
        /// n_k - f_k.
        most: usize,
    },
    /// A key twice, or one of another suite than the chain's.
    #[error("{chain}: key {} stands twice or is of another suite", key.0)]
    Key {
        /// The chain.
        chain: ChainId,
        /// The key.
        key: KeyId,
    },
    /// (15): too few signatures, or more than there are members.
    #[error("{chain}: {found} signatures, {least} to {most} are needed")]
    Count {
        /// The chain.
        chain: ChainId,
        /// t'_k.
        found: usize,
        /// t_k.
        least: usize,
        /// n_k.
        most: usize,
    },
    /// (16): each chain has enough signatures, all together have not.
    #[error("{found} signatures over all chains, {least} are needed")]
    Joint {
        /// Σ t'_d.
        found: usize,
        /// t.
        least: usize,
    },
}

impl Committee {
    /// Formula (13), |V_k| = n_k, and what makes t_k sound (f_k + 1 ≤ t_k) and live (t_k ≤ n_k - f_k).
    ///
    /// # Errors
    /// [`ThresholdError`] with the numbers.
    pub fn validate(&self) -> Result<(), ThresholdError> {
        let (size, faults) = (self.size(), usize::from(self.faults));
        let (chain, least) = (self.chain.clone(), 2 * faults + 2);
        if size < least || size > SEATS_MAX {
            return Err(ThresholdError::Size { chain, size, least });
        }
        let threshold = usize::from(self.threshold);
        let (least, most) = (faults + 1, size - faults);
        if threshold < least || threshold > most {
            return Err(ThresholdError::Threshold {
                chain,
                threshold,
                least,
                most,
            });
        }
        let mut keys = BTreeSet::new();
        for seat in &self.seats {
            if seat.key.suite() != self.suite || !keys.insert(&seat.key) {
                let key = seat.key.id();
                return Err(ThresholdError::Key { chain, key });
            }
        }
        Ok(())
    }

    /// Signatures that a certificate of this kind takes: t_k; for what decides over money, or over who decides, the
    /// most that the honest can always give, n_k - f_k.
    pub fn needed(&self, kind: Kind) -> usize {
        match kind {
            Kind::Commit | Kind::Void | Kind::Settle | Kind::Rotate => usize::from(self.threshold)
                .max(self.size().saturating_sub(usize::from(self.faults))),
            Kind::Request | Kind::Accept | Kind::Reject | Kind::Refund => {
                usize::from(self.threshold)
            }
            Kind::Taken | Kind::Delivered | Kind::Deposit => usize::from(self.threshold),
            Kind::Net | Kind::Register | Kind::Freeze => usize::from(self.threshold),
        }
    }

    /// n_k.
    pub fn size(&self) -> usize {
        self.seats.len()
    }
}

/// Formula (12): V_d ∩ V_l = ∅ for every two of the chains' subsets.
///
/// # Errors
/// [`ThresholdError::Overlap`] with the two chains and the key.
pub fn disjoint(one: &Committee, other: &Committee) -> Result<(), ThresholdError> {
    let keys: BTreeSet<&PublicKey> = one.seats.iter().map(|seat| &seat.key).collect();
    match other.seats.iter().find(|seat| keys.contains(&seat.key)) {
        None => Ok(()),
        Some(seat) => Err(ThresholdError::Overlap {
            one: one.chain.clone(),
            other: other.chain.clone(),
            key: seat.key.id(),
        }),
    }
}

/// Formula (14): n = Σ n_k over the chains' subsets.
pub fn total(committees: &[&Committee]) -> usize {
    committees.iter().map(|committee| committee.size()).sum()
}

/// Formula (15): n_k ≥ t'_k ≥ t_k for one chain's signatures on an entry of this kind ([`Committee::needed`]).
///
/// # Errors
/// [`ThresholdError::Count`].
pub fn public_check(
    committee: &Committee,
    kind: Kind,
    counted: usize,
) -> Result<(), ThresholdError> {
    let (least, most) = (committee.needed(kind), committee.size());
    if counted < least || counted > most {
        return Err(ThresholdError::Count {
            chain: committee.chain.clone(),
            found: counted,
            least,
            most,
        });
    }
    Ok(())
}

/// Formula (16): (15) for every chain, and Σ t'_d ≥ t for all together.
///
/// `chains`: each with t'_d of its reading's certificate.
///
/// # Errors
/// [`ThresholdError::Count`] or [`ThresholdError::Joint`].
pub fn private_check(chains: &[(&Committee, Kind, usize)], t: usize) -> Result<(), ThresholdError> {
    for (committee, kind, counted) in chains {
        public_check(committee, *kind, *counted)?;
    }
    let found = chains.iter().map(|(_, _, counted)| counted).sum();
    if found < t {
        return Err(ThresholdError::Joint { found, least: t });
    }
    Ok(())
}

/// t of formula (16): one more than Σ t_d, so that it says more than (15), where the honest can reach that, Σ (n_d - f_d).
pub fn joint_threshold(committees: &[&Committee]) -> usize {
    let each: usize = committees.iter().map(|c| usize::from(c.threshold)).sum();
    let live: usize = committees
        .iter()
        .map(|c| c.size().saturating_sub(usize::from(c.faults)))
        .sum();
    (each + 1).min(live)
}
