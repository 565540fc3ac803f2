//! What a chain is founded on.
//!
//! Everybody who runs a node or checks one holds the same document; its hash is the chain's genesis, which every
//! signature and every block names. So the document cannot name it itself: the chain's own verification nodes and rules
//! get it from the hash. Other chains' verification nodes are given with their chains' genesis: the VPP's are needed,
//! all others can be registered through it later. Nobody has money at the beginning.

mod text;

use std::collections::BTreeSet;
use std::sync::Arc;

use thiserror::Error;
use tieline_contract::member::{Member, Role};
use tieline_contract::state::{Rules, State};
use tieline_contract::threshold::{Committee, Seat, ThresholdError, disjoint};
use tieline_seal::hybrid::Suite;
use tieline_units::canonical::Canonical;
use tieline_units::{
    ChainId, Currency, Digest, IntervalLength, MicrogridId, Money, Time, canonical,
};

pub use text::{TextError, parse_key, render_key};

use crate::block::Parent;
use crate::home::Home;
use crate::validators::{ValidatorSet, ValidatorsError};

/// Version of the document.
pub const VERSION: u8 = 1;

/// Longest grace of readings and longest settlement period, 400 days in milliseconds.
pub const PERIOD_MAX_MS: u64 = 400 * 86_400_000;

/// Fewest blocks between two changes of validators.
pub const EPOCH_BLOCKS_MIN: u64 = 2;

/// Verification nodes without the chain that they speak for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seats {
    /// What they sign with.
    pub suite: Suite,
    /// f: how many of the chain's validators may be dishonest.
    pub faults: u8,
    /// t: signatures that make a certificate.
    pub threshold: u8,
    /// The members.
    pub seats: Vec<Seat>,
}

canonical!(Seats {
    suite,
    faults,
    threshold,
    seats
});

/// The document. Amounts in millionths, times in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// [`VERSION`].
    pub version: u8,
    /// This chain.
    pub chain: ChainId,
    /// The VPP's ledger Z: this chain itself, or another.
    pub vpp: ChainId,
    /// Time of the genesis: no block is before it.
    pub time: Time,
    /// Who runs the VPP.
    pub operator: MicrogridId,
    /// Of all money.
    pub currency: Currency,
    /// Length of a market interval.
    pub interval: IntervalLength,
    /// Price of a request.
    pub request_fee: Money,
    /// Most open escrow between one buyer and one seller.
    pub exposure_cap: Money,
    /// How long after T_m readings are taken.
    pub grace: u64,
    /// How often chains' positions are netted.
    pub settlement_period: u64,
    /// Blocks after which other validators can take over, at least [`EPOCH_BLOCKS_MIN`].
    pub epoch_blocks: u64,
    /// What the owner of a verification node stands for it with.
    pub stake: Money,
    /// Who takes part.
    pub members: Vec<Member>,
    /// This chain's verification nodes of epoch 0.
    pub verifiers: Seats,
    /// Other chains' verification nodes.
    pub committees: Vec<Committee>,
    /// Who agrees on this chain's blocks in epoch 0.
    pub validators: ValidatorSet,
}

canonical!(Document {
    version,
    chain,
    vpp,
    time,
    operator,
    currency,
    interval,
    request_fee,
    exposure_cap,
    grace,
    settlement_period,
    epoch_blocks,
    stake,
    members,
    verifiers,
    committees,
    validators,
});

/// Why nothing can be founded on a document.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GenesisError {
    /// Another version.
    #[error("a genesis of version {found}, this code reads {VERSION}")]
    Version {
        /// The version found.
        found: u8,
    },
    /// Two members of one name, or with one key.
    #[error("member {id} has a name or key that another member has")]
    Member {
        /// The second of them.
        id: MicrogridId,
    },
    /// The operator is no member, or not with that role.
    #[error("operator {id} is no member with the role of an operator")]
    Operator {
        /// The name given.
        id: MicrogridId,
    },
    /// A verification node or validator whose owner is no member.
    #[error("{id} owns a verification node or validator of {chain} and is no member")]
    Owner {
        /// The owner.
        id: MicrogridId,
        /// Of which chain.
        chain: ChainId,
    },
    /// An amount or period below zero or above its bound.
    #[error("{name} is {found}, which is out of range")]
    Range {
        /// Which.
        name: &'static str,
        /// What was found.
        found: String,
    },
    /// A chain's verification nodes given twice, or this chain's among the others'.
    #[error("verification nodes of {chain} are given twice")]
    Twice {
        /// The chain.
        chain: ChainId,
    },
    /// Nobody could believe the VPP.
    #[error("verification nodes of the VPP's ledger {vpp} are missing")]
    Vpp {
        /// The ledger.
        vpp: ChainId,
    },
    /// Verification nodes that cannot stand.
    #[error(transparent)]
    Committee(#[from] ThresholdError),
    /// Validators that cannot be in charge.
    #[error(transparent)]
    Validators(#[from] ValidatorsError),
}

/// A checked document with its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    document: Document,
    hash: Digest,
    validators: Arc<ValidatorSet>,
}

impl Genesis {
    /// Checks a document.
    ///
    /// # Errors
    /// [`GenesisError`] with what does not fit.
    pub fn new(document: Document) -> Result<Genesis, GenesisError> {
        let hash = document.digest("tieline.genesis/1");
        let validators = Arc::new(document.validators.clone());
        let genesis = Genesis {
            document,
            hash,
            validators,
        };
        genesis.check()?;
        Ok(genesis)
    }

    fn check(&self) -> Result<(), GenesisError> {
        let document = &self.document;
        if document.version != VERSION {
            let found = document.version;
            return Err(GenesisError::Version { found });
        }
        self.check_members()?;
        self.check_ranges()?;
        self.check_committees()?;
        if document.validators.epoch != 0 {
            let (present, found) = (0, document.validators.epoch);
            return Err(ValidatorsError::Epoch { present, found }.into());
        }
        document.validators.validate()?;
        let owners = document.validators.validators.iter().map(|v| &v.owner);
        self.check_owners(&document.chain, owners)
    }

    fn check_members(&self) -> Result<(), GenesisError> {
        let members = &self.document.members;
        let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for member in members {
            if !names.insert(&member.id) || !keys.insert(&member.key) {
                let id = member.id.clone();
                return Err(GenesisError::Member { id });
            }
        }
        let operator = &self.document.operator;
        let known = members
            .iter()
            .any(|member| member.id == *operator && member.role == Role::Operator);
        if !known {
            let id = operator.clone();
            return Err(GenesisError::Operator { id });
        }
        Ok(())
    }

    fn check_ranges(&self) -> Result<(), GenesisError> {
        let document = &self.document;
        let amounts = [
            ("the request fee", document.request_fee),
            ("the exposure cap", document.exposure_cap),
            ("the stake", document.stake),
        ];
        let below = amounts.iter().find(|(_, amount)| *amount < Money::ZERO);
        if let Some((name, found)) = below {
            let found = found.to_string();
            return Err(GenesisError::Range { name, found });
        }
        if document.epoch_blocks < EPOCH_BLOCKS_MIN {
            let name = "the number of blocks of an epoch";
            let found = document.epoch_blocks.to_string();
            return Err(GenesisError::Range { name, found });
        }
        let periods = [
            ("the grace of readings", document.grace),
            ("the settlement period", document.settlement_period),
        ];
        let above = periods.iter().find(|(_, period)| *period > PERIOD_MAX_MS);
        if let Some((name, found)) = above {
            let found = format!("{found} ms");
            return Err(GenesisError::Range { name, found });
        }
        Ok(())
    }

    fn check_committees(&self) -> Result<(), GenesisError> {
        let committees = self.committees();
        for (index, committee) in committees.iter().enumerate() {
            committee.validate()?;
            for other in &committees[..index] {
                if other.chain == committee.chain {
                    let chain = committee.chain.clone();
                    return Err(GenesisError::Twice { chain });
                }
                disjoint(other, committee)?;
            }
            let owners = committee.seats.iter().map(|seat| &seat.owner);
            self.check_owners(&committee.chain, owners)?;
        }
        let vpp = &self.document.vpp;
        if committees.iter().all(|committee| committee.chain != *vpp) {
            return Err(GenesisError::Vpp { vpp: vpp.clone() });
        }
        Ok(())
    }

    fn check_owners<'a>(
        &self,
        chain: &ChainId,
        mut owners: impl Iterator<Item = &'a MicrogridId>,
    ) -> Result<(), GenesisError> {
        let members: BTreeSet<_> = self.document.members.iter().map(|m| &m.id).collect();
        match owners.find(|owner| !members.contains(owner)) {
            None => Ok(()),
            Some(id) => Err(GenesisError::Owner {
                id: id.clone(),
                chain: chain.clone(),
            }),
        }
    }

    /// The document.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// SHA-256 of the document's canonical encoding: what everything of this chain is bound to.
    pub fn hash(&self) -> Digest {
        self.hash
    }

    /// The chain that is founded.
    pub fn home(&self) -> Home {
        Home {
            chain: self.document.chain.clone(),
            genesis: self.hash,
        }
    }

    /// Who agrees on the first block.
    pub fn validators(&self) -> &Arc<ValidatorSet> {
        &self.validators
    }

    /// All verification nodes that are known at the beginning, this chain's first.
    pub fn committees(&self) -> Vec<Committee> {
        let document = &self.document;
        let Seats {
            suite,
            faults,
            threshold,
            seats,
        } = document.verifiers.clone();
        let own = Committee {
            chain: document.chain.clone(),
            genesis: self.hash,
            epoch: 0,
            suite,
            faults,
            threshold,
            seats,
        };
        let others = document.committees.iter().cloned();
        std::iter::once(own).chain(others).collect()
    }

    /// What the first block follows.
    pub fn parent(&self) -> Parent {
        Parent {
            digest: self.hash,
            height: 0,
            time: self.document.time,
            epoch: 0,
            validators: self.validators.hash(),
        }
    }

    /// The state before the first block.
    pub fn state(&self) -> State {
        let document = &self.document;
        let rules = Rules {
            chain: document.chain.clone(),
            genesis: self.hash,
            vpp: document.vpp.clone(),
            operator: document.operator.clone(),
            currency: document.currency,
            interval: document.interval,
            request_fee: document.request_fee,
            exposure_cap: document.exposure_cap,
            grace: document.grace,
            settlement_period: document.settlement_period,
            stake: document.stake,
        };
        State::genesis(rules, document.members.iter().cloned(), self.committees())
    }
}
