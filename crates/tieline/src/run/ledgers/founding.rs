//! The chains of a run: one per microgrid or shared, as the scenario's tables say, and Z for the VPP.
//!
//! All keys follow from the scenario's seed, so that two runs have the same chains. Z is validated by the microgrids in turn;
//! its genesis names those that own its nodes, and every other chain's genesis names Z's nodes and their owners: that is all
//! that a chain has to know before Z certifies who else takes part (T11).

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use tieline_chain::genesis::{Document, Genesis, Seats, VERSION};
use tieline_chain::validators::{Validator, ValidatorSet};
use tieline_contract::member::{Member, Role};
use tieline_contract::threshold::{Committee, Seat};
use tieline_units::{ChainId, Encoder, MicrogridId, Money, Power, Time};
use zeroize::Zeroizing;

use crate::input::Scenario;
use crate::node::keys::{NodeSeeds, SUITE, Seed, identity_of, signing_key};

/// Z's name.
pub const VPP: &str = "vpp";

/// Who matches sellers to buyers.
pub const AGGREGATOR: &str = "aggregator";

/// Positions between chains are netted once a local day, the shortest of which has 23 hours.
const SETTLEMENT_PERIOD_MS: u64 = 79_200_000;

/// What the owner of a verification node stands for it with.
const STAKE: Money = Money::from_millionths(1_000_000);

/// Validators do not change during a run.
const EPOCH_BLOCKS: u64 = 1 << 40;

/// Meters of a microgrid: one at its tie line, one for lines of its own.
pub const METERS: usize = 2;

/// A chain with its validators' secrets, in the order of the genesis.
pub struct Founded {
    /// The document.
    pub genesis: Genesis,
    /// Of its nodes.
    pub nodes: Vec<NodeSeeds>,
}

/// All chains of a run.
pub struct Founding {
    /// Z first, then the others in the order of the microgrids' table.
    pub chains: Vec<Founded>,
    /// Of each microgrid, its chain: an index into `chains`.
    pub homes: Vec<usize>,
    /// Of each microgrid, as everybody registers it.
    pub members: Vec<Member>,
    /// Who matches.
    pub aggregator: Member,
    seed: u64,
}

impl Founding {
    /// A member's gateway key.
    pub fn gateway(&self, member: &MicrogridId) -> Seed {
        secret(self.seed, &format!("gateway {member}"))
    }

    /// A member's meter key.
    pub fn meter(&self, member: &MicrogridId, meter: usize) -> Seed {
        secret(self.seed, &format!("meter {meter} {member}"))
    }
}

/// 32 bytes from the scenario's seed and what they are for.
pub fn secret(seed: u64, label: &str) -> Seed {
    let mut encoder = Encoder::new("tieline.run-seed/1");
    encoder.u64(seed);
    encoder.text(label);
    Zeroizing::new(*encoder.digest().as_bytes())
}

/// Makes all genesis documents.
///
/// # Errors
/// Names in the tables that the VPP needs for itself, and settings that no chain can be founded with.
pub fn found(scenario: &Scenario, time: Time) -> anyhow::Result<Founding> {
    refuse_names(scenario)?;
    let seed = scenario.config.seed;
    let members = members(scenario);
    let aggregator = member(
        seed,
        &id(AGGREGATOR),
        (Role::Aggregator, chain(VPP)),
        Power::from_milliwatts(0),
    );
    let operator = member(
        seed,
        &id(VPP),
        (Role::Operator, chain(VPP)),
        Power::from_milliwatts(0),
    );
    let nodes = scenario.config.chains.vpp_validators as usize;
    let owners: Vec<Member> = members.iter().take(nodes).cloned().collect();
    let mut z_members = vec![operator.clone(), aggregator.clone()];
    z_members.extend(owners.iter().cloned());
    let owner_ids: Vec<MicrogridId> = owners.iter().map(|owner| owner.id.clone()).collect();
    let draft = Draft {
        scenario,
        time,
        committee: None,
    };
    let z = draft.found(chain(VPP), nodes, (z_members, &owner_ids))?;
    let committee = z.genesis.committees().into_iter().next();
    let draft = Draft { committee, ..draft };
    let mut chains = vec![z];
    let mut places: BTreeMap<ChainId, usize> = BTreeMap::new();
    let mut homes = Vec::new();
    for microgrid in &scenario.microgrids {
        if let Some(place) = places.get(&microgrid.chain) {
            homes.push(*place);
            continue;
        }
        let own = members.iter().filter(|it| it.home == microgrid.chain);
        let own: Vec<Member> = own.cloned().collect();
        let own_ids: Vec<MicrogridId> = own.iter().map(|it| it.id.clone()).collect();
        let mut known = vec![operator.clone()];
        known.extend(owners.iter().cloned());
        known.extend(own.into_iter().filter(|it| !owner_ids.contains(&it.id)));
        let nodes = scenario.config.chains.validators as usize;
        let founded = draft.found(microgrid.chain.clone(), nodes, (known, &own_ids))?;
        places.insert(microgrid.chain.clone(), chains.len());
        homes.push(chains.len());
        chains.push(founded);
    }
    Ok(Founding {
        chains,
        homes,
        members,
        aggregator,
        seed,
    })
}

fn refuse_names(scenario: &Scenario) -> anyhow::Result<()> {
    for microgrid in &scenario.microgrids {
        let id = microgrid.id.as_str();
        if id == VPP || id == AGGREGATOR {
            bail!(
                "microgrid {id} has the VPP's name for one of its own\n\nhint: rename it in the tables, or run with --market-only"
            );
        }
        if microgrid.chain.as_str() == VPP {
            bail!(
                "microgrid {id} is on chain {VPP}, which is the VPP's ledger\n\nhint: name another chain in the tables, or run with --market-only"
            );
        }
    }
    Ok(())
}

fn members(scenario: &Scenario) -> Vec<Member> {
    let seed = scenario.config.seed;
    let all = scenario.microgrids.iter().enumerate();
    all.map(|(index, microgrid)| {
        member(
            seed,
            &microgrid.id,
            (Role::Microgrid, microgrid.chain.clone()),
            nameplate(scenario, index),
        )
    })
    .collect()
}

/// The most that a microgrid can offer in any interval of the run.
fn nameplate(scenario: &Scenario, member: usize) -> Power {
    let profiles = scenario.forecast.as_ref().unwrap_or(&scenario.actual);
    let all = 0..scenario.intervals.len();
    let most = all.map(|index| profiles.at(index, member).renewable().as_milliwatts());
    let renewable = Power::from_milliwatts(most.max().unwrap_or(0).max(0));
    // A whole market interval's energy is rounded down to millijoules: one milliwatt more never matters.
    renewable + scenario.microgrids[member].dispatchable + Power::from_milliwatts(1)
}

fn member(seed: u64, id: &MicrogridId, (role, home): (Role, ChainId), nameplate: Power) -> Member {
    let key = |label: String| signing_key(&secret(seed, &label)).public_key().clone();
    let meters = if role == Role::Microgrid { METERS } else { 0 };
    Member {
        id: id.clone(),
        legal_name: id.to_string(),
        role,
        home,
        key: key(format!("gateway {id}")),
        meters: (0..meters)
            .map(|meter| key(format!("meter {meter} {id}")))
            .collect(),
        nameplate,
        revoked: false,
    }
}

/// What all chains of a run have in common.
struct Draft<'a> {
    scenario: &'a Scenario,
    time: Time,
    /// Z's, for the others.
    committee: Option<Committee>,
}

impl Draft<'_> {
    fn found(
        &self,
        chain: ChainId,
        validators: usize,
        (members, owners): (Vec<Member>, &[MicrogridId]),
    ) -> anyhow::Result<Founded> {
        let seed = self.scenario.config.seed;
        let mut nodes: Vec<([u8; 32], NodeSeeds)> = (0..validators)
            .map(|index| {
                let part = |what: &str| secret(seed, &format!("{what} {index} of {chain}"));
                let seeds = NodeSeeds {
                    identity: part("identity"),
                    voting: part("voting"),
                    attestation: part("attestation"),
                };
                (identity_of(&seeds.identity), seeds)
            })
            .collect();
        nodes.sort_by_key(|(identity, _)| *identity);
        let document = self.document(&chain, members, (&nodes, owners));
        let genesis =
            Genesis::new(document).with_context(|| format!("chain {chain} cannot be founded"))?;
        Ok(Founded {
            genesis,
            nodes: nodes.into_iter().map(|(_, seeds)| seeds).collect(),
        })
    }

    fn document(
        &self,
        name: &ChainId,
        members: Vec<Member>,
        (nodes, owners): (&[([u8; 32], NodeSeeds)], &[MicrogridId]),
    ) -> Document {
        let config = &self.scenario.config;
        let owned = || nodes.iter().zip(owners.iter().cycle());
        let validators = owned().map(|((identity, seeds), owner)| Validator {
            identity: *identity,
            key: signing_key(&seeds.voting).public_key().clone(),
            owner: owner.clone(),
        });
        let seats = owned().map(|((_, seeds), owner)| Seat {
            key: signing_key(&seeds.attestation).public_key().clone(),
            owner: owner.clone(),
        });
        let faults = u8::try_from((nodes.len() - 1) / 3).expect("at most 16 validators");
        Document {
            version: VERSION,
            chain: name.clone(),
            vpp: chain(VPP),
            time: self.time,
            operator: id(VPP),
            currency: self.scenario.currency,
            interval: self.scenario.length,
            request_fee: config.contract.request_fee,
            exposure_cap: config.contract.open_value_cap,
            grace: config.gates.grace_ms,
            settlement_period: SETTLEMENT_PERIOD_MS,
            epoch_blocks: EPOCH_BLOCKS,
            stake: STAKE,
            members,
            verifiers: Seats {
                suite: SUITE,
                faults,
                // The least that is sound; what decides over money takes n - f anyhow.
                threshold: faults + 1,
                seats: seats.collect(),
            },
            committees: self.committee.iter().cloned().collect(),
            validators: ValidatorSet {
                epoch: 0,
                validators: validators.collect(),
            },
        }
    }
}

/// What the owners of a chain's verification nodes stand for them with, by owner.
pub fn stakes(committee: &Committee) -> BTreeMap<MicrogridId, Money> {
    let mut stakes: BTreeMap<MicrogridId, Money> = BTreeMap::new();
    for seat in &committee.seats {
        *stakes.entry(seat.owner.clone()).or_default() += STAKE;
    }
    stakes
}

/// A constant name as a member's.
pub fn id(name: &str) -> MicrogridId {
    MicrogridId::parse(name).expect("a constant name")
}

/// A constant name as a chain's.
pub fn chain(name: &str) -> ChainId {
    ChainId::parse(name).expect("a constant name")
}
