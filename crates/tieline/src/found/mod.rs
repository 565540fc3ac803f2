//! Founding a chain: its genesis, a folder for each validator, keys for everybody in it.
//!
//! [`Plan`] says what is wanted, [`found`] draws keys and makes the genesis, [`write`](write::write) puts all of it into a
//! folder. Nodes are numbered from 1 in the order of their identities: node k is validator k - 1 and, on its chain,
//! verification node k - 1 of the genesis.

pub mod join;
mod plan;
pub mod write;

use std::net::SocketAddr;

use thiserror::Error;
use tieline_chain::genesis::{Document, Genesis, GenesisError, Seats, VERSION};
use tieline_chain::validators::{Validator, ValidatorSet};
use tieline_contract::member::{Member, Role};
use tieline_contract::threshold::Seat;
use tieline_qkd::store::{Entropy, StoreError};
use tieline_units::MicrogridId;

pub use plan::{MemberPlan, Plan, Rules, VALIDATORS};

use crate::node::keys::{MemberSeeds, NodeSeeds, SUITE, identity_of, signing_key};

/// Why nothing is founded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FoundError {
    /// Too few or too many validators.
    #[error("{found} validators\n\nhint: {} to {} are possible; 4 stand one that fails or lies, 7 two, 10 three", VALIDATORS.start(), VALIDATORS.end())]
    Validators {
        /// How many.
        found: usize,
    },
    /// Another operator than the VPP's.
    #[error(
        "operator {found}: the VPP's genesis names {expected}\n\nhint: leave out --operator; there is one VPP"
    )]
    Operator {
        /// Who was named.
        found: MicrogridId,
        /// Who it is.
        expected: MicrogridId,
    },
    /// A genesis that is not the VPP's.
    #[error(
        "the genesis of {chain} is not that of its VPP, {vpp}\n\nhint: give the genesis.toml of {vpp}"
    )]
    NotVpp {
        /// Whose genesis it is.
        chain: String,
        /// Whose it should be.
        vpp: String,
    },
    /// Not enough ports above the first, or an address that nobody can reach.
    #[error(
        "{base}: {nodes} nodes take two ports each from there on, on an address that the others reach\n\nhint: --listen-base 127.0.0.1:4700"
    )]
    Ports {
        /// The first.
        base: SocketAddr,
        /// How many nodes.
        nodes: usize,
    },
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] StoreError),
    /// The document.
    #[error("{0}\n\nhint: members have names of their own, and the VPP's are members already")]
    Genesis(#[from] GenesisError),
}

/// A node of a chain that is being founded.
#[derive(Debug)]
pub struct NewNode {
    /// Its secrets.
    pub seeds: NodeSeeds,
    /// Its name on the network.
    pub identity: [u8; 32],
    /// Who runs it.
    pub owner: MicrogridId,
    /// Where it listens for other validators.
    pub listen: SocketAddr,
    /// Where it listens for its owner's programs.
    pub api: SocketAddr,
}

/// A chain that is being founded.
#[derive(Debug)]
pub struct Founded {
    /// The document.
    pub genesis: Genesis,
    /// By place in the genesis.
    pub nodes: Vec<NewNode>,
    /// Members whose keys were made here.
    pub members: Vec<(MicrogridId, MemberSeeds)>,
}

/// Draws all keys and makes the genesis.
///
/// # Errors
/// [`FoundError`] with the next step; nothing is on a disk then.
pub fn found(plan: &Plan, entropy: &mut Entropy) -> Result<Founded, FoundError> {
    plan.check()?;
    let mut members = Vec::new();
    let mut listed = plan.members_of_vpp();
    for wanted in plan.own_members() {
        let seeds = MemberSeeds::draw(usize::from(wanted.role == Role::Microgrid), entropy)?;
        listed.push(member(plan, &wanted, &seeds));
        members.push((wanted.id, seeds));
    }
    let nodes = nodes(plan, &listed, entropy)?;
    let genesis = Genesis::new(document(plan, listed, &nodes))?;
    Ok(Founded {
        genesis,
        nodes,
        members,
    })
}

fn member(plan: &Plan, wanted: &MemberPlan, seeds: &MemberSeeds) -> Member {
    let key = |seed| signing_key(seed).public_key().clone();
    Member {
        id: wanted.id.clone(),
        legal_name: wanted.id.to_string(),
        role: wanted.role,
        home: plan.chain.clone(),
        key: key(&seeds.gateway),
        meters: seeds.meters.iter().map(key).collect(),
        nameplate: wanted.nameplate,
        revoked: false,
    }
}

/// Sorted by identity, with owners in turn: the chain's microgrids, where it has none the operator.
fn nodes(
    plan: &Plan,
    members: &[Member],
    entropy: &mut Entropy,
) -> Result<Vec<NewNode>, FoundError> {
    let at_home = |member: &&Member| member.role == Role::Microgrid && member.home == plan.chain;
    let microgrids = members.iter().filter(at_home);
    let mut owners: Vec<MicrogridId> = microgrids.map(|m| m.id.clone()).collect();
    if owners.is_empty() {
        owners.push(plan.operator());
    }
    let drawn: Result<Vec<NodeSeeds>, StoreError> = (0..plan.validators)
        .map(|_| NodeSeeds::draw(entropy))
        .collect();
    let mut drawn: Vec<_> = drawn?
        .into_iter()
        .map(|seeds| (identity_of(&seeds.identity), seeds))
        .collect();
    drawn.sort_by_key(|(identity, _)| *identity);
    let with_owners = drawn.into_iter().zip(owners.iter().cycle()).enumerate();
    let node = |(index, ((identity, seeds), owner)): (usize, _)| {
        let owner: &MicrogridId = owner;
        NewNode {
            seeds,
            identity,
            owner: owner.clone(),
            listen: plan.port(2 * index),
            api: plan.port(2 * index + 1),
        }
    };
    Ok(with_owners.map(node).collect())
}

fn document(plan: &Plan, members: Vec<Member>, nodes: &[NewNode]) -> Document {
    let validators = nodes.iter().map(|node| Validator {
        identity: node.identity,
        key: signing_key(&node.seeds.voting).public_key().clone(),
        owner: node.owner.clone(),
    });
    let seats = nodes.iter().map(|node| Seat {
        key: signing_key(&node.seeds.attestation).public_key().clone(),
        owner: node.owner.clone(),
    });
    let faults = plan.faults();
    let rules = &plan.rules;
    Document {
        version: VERSION,
        chain: plan.chain.clone(),
        vpp: plan.vpp_chain(),
        time: plan.time,
        operator: plan.operator(),
        currency: rules.currency,
        interval: rules.interval,
        request_fee: rules.request_fee,
        exposure_cap: rules.exposure_cap,
        grace: rules.grace_ms,
        settlement_period: rules.settlement_period_ms,
        epoch_blocks: rules.epoch_blocks,
        stake: rules.stake,
        members,
        verifiers: Seats {
            suite: SUITE,
            faults,
            // The least that is sound; what decides over money takes n - f anyhow.
            threshold: faults + 1,
            seats: seats.collect(),
        },
        committees: plan.committees_of_vpp(),
        validators: ValidatorSet {
            epoch: 0,
            validators: validators.collect(),
        },
    }
}
