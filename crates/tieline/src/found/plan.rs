//! What is wanted of a new chain.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

use tieline_chain::genesis::Genesis;
use tieline_contract::member::{Member, Role};
use tieline_contract::threshold::Committee;
use tieline_units::{ChainId, Currency, IntervalLength, MicrogridId, Money, Power, Time};

use super::FoundError;

/// How many validators a chain is founded with.
pub const VALIDATORS: RangeInclusive<usize> = 4..=16;

/// Who runs the VPP where nobody says so.
const OPERATOR: &str = "vpp";

/// Who matches on the VPP's ledger where nobody says so.
const AGGREGATOR: &str = "aggregator";

/// What a microgrid can deliver where nobody says so, 1 MW.
const NAMEPLATE: Power = Power::from_milliwatts(1_000_000_000);

/// A member whose keys are made with the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberPlan {
    /// Its name.
    pub id: MicrogridId,
    /// What it may do.
    pub role: Role,
    /// The most it can deliver.
    pub nameplate: Power,
}

impl MemberPlan {
    /// With the nameplate that its role has by default: 1 MW for a microgrid, nothing for others.
    pub fn new(id: MicrogridId, role: Role) -> MemberPlan {
        let nameplate = match role {
            Role::Microgrid => NAMEPLATE,
            Role::Aggregator | Role::Grid | Role::Auditor | Role::Operator => {
                Power::from_milliwatts(0)
            }
        };
        MemberPlan {
            id,
            role,
            nameplate,
        }
    }
}

/// A day of blocks while nothing waits, at ten seconds each.
const EPOCH_BLOCKS: u64 = 8_640;

/// What the ledger is told once and for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Of all money.
    pub currency: Currency,
    /// Length of a market interval.
    pub interval: IntervalLength,
    /// Price of a request.
    pub request_fee: Money,
    /// Most open escrow between one buyer and one seller.
    pub exposure_cap: Money,
    /// How long after a reading is due it is taken, milliseconds.
    pub grace_ms: u64,
    /// How often chains' positions are netted, milliseconds.
    pub settlement_period_ms: u64,
    /// What the owner of a verification node stands for it with.
    pub stake: Money,
    /// Blocks after which other validators can take over.
    pub epoch_blocks: u64,
}

impl Rules {
    /// Quarter hours, a fee of 0.001, a cap of 50, readings a minute late, netting once a day, a stake of 1.
    pub fn of(currency: Currency) -> Rules {
        Rules {
            currency,
            interval: IntervalLength::Min15,
            request_fee: Money::from_millionths(1_000),
            exposure_cap: Money::from_millionths(50_000_000),
            grace_ms: 60_000,
            settlement_period_ms: 86_400_000,
            stake: Money::from_millionths(1_000_000),
            epoch_blocks: EPOCH_BLOCKS,
        }
    }

    /// As the VPP's ledger has them.
    pub fn as_on(vpp: &Genesis) -> Rules {
        let document = vpp.document();
        Rules {
            currency: document.currency,
            interval: document.interval,
            request_fee: document.request_fee,
            exposure_cap: document.exposure_cap,
            grace_ms: document.grace,
            settlement_period_ms: document.settlement_period,
            stake: document.stake,
            epoch_blocks: EPOCH_BLOCKS,
        }
    }
}

/// A chain that is wanted.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its name.
    pub chain: ChainId,
    /// How many validators, as many verification nodes.
    pub validators: usize,
    /// The VPP's ledger; without it, this chain is that ledger.
    pub vpp: Option<Genesis>,
    /// Who runs the VPP, where it is not `vpp`.
    pub operator: Option<MicrogridId>,
    /// Who else takes part; where nobody is named, an aggregator on the VPP's ledger, a microgrid of the chain's name elsewhere.
    pub members: Vec<MemberPlan>,
    /// Where the first node listens for other validators; each node takes two ports.
    pub listen_base: SocketAddr,
    /// No block is before it.
    pub time: Time,
    /// What the ledger is told.
    pub rules: Rules,
}

impl Plan {
    pub(super) fn check(&self) -> Result<(), FoundError> {
        let found = self.validators;
        if !VALIDATORS.contains(&found) {
            return Err(FoundError::Validators { found });
        }
        let base = self.listen_base;
        let most = usize::from(u16::MAX - base.port());
        if base.port() == 0 || base.ip().is_unspecified() || 2 * found - 1 > most {
            return Err(FoundError::Ports { base, nodes: found });
        }
        let Some(vpp) = &self.vpp else {
            return Ok(());
        };
        let document = vpp.document();
        if document.vpp != document.chain {
            return Err(FoundError::NotVpp {
                chain: document.chain.to_string(),
                vpp: document.vpp.to_string(),
            });
        }
        match &self.operator {
            Some(found) if *found != document.operator => Err(FoundError::Operator {
                found: found.clone(),
                expected: document.operator.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// f.
    pub(super) fn faults(&self) -> u8 {
        u8::try_from((self.validators - 1) / 3).expect("bounded by VALIDATORS")
    }

    pub(super) fn port(&self, offset: usize) -> SocketAddr {
        let offset = u16::try_from(offset).expect("bounded by VALIDATORS");
        let mut address = self.listen_base;
        address.set_port(address.port() + offset);
        address
    }

    pub(super) fn vpp_chain(&self) -> ChainId {
        let vpp = self.vpp.as_ref();
        vpp.map_or(&self.chain, |vpp| &vpp.document().chain).clone()
    }

    pub(super) fn operator(&self) -> MicrogridId {
        if let Some(vpp) = &self.vpp {
            return vpp.document().operator.clone();
        }
        let named = self.members.iter().find(|m| m.role == Role::Operator);
        let named = self.operator.as_ref().or(named.map(|member| &member.id));
        named.cloned().unwrap_or_else(|| id(OPERATOR))
    }

    /// Everybody whose keys are made here, the operator first where it is one of them.
    pub(super) fn own_members(&self) -> Vec<MemberPlan> {
        let mut members = self.members.clone();
        let operator = self.operator();
        if members.is_empty() {
            members.push(match &self.vpp {
                None => MemberPlan::new(id(AGGREGATOR), Role::Aggregator),
                Some(_) => MemberPlan::new(id(self.chain.as_str()), Role::Microgrid),
            });
        }
        let is_named = members.iter().any(|member| member.id == operator);
        if self.vpp.is_none() && !is_named {
            members.insert(0, MemberPlan::new(operator, Role::Operator));
        }
        members
    }

    /// The operator, and who stands for the VPP's verification nodes: with the keys that they have there.
    pub(super) fn members_of_vpp(&self) -> Vec<Member> {
        let Some(vpp) = &self.vpp else {
            return Vec::new();
        };
        let document = vpp.document();
        let seats = document.verifiers.seats.iter().map(|seat| &seat.owner);
        let known: BTreeSet<_> = seats.chain([&document.operator]).collect();
        let members = document.members.iter();
        let members = members.filter(|member| known.contains(&member.id));
        members.cloned().collect()
    }

    pub(super) fn committees_of_vpp(&self) -> Vec<Committee> {
        let vpp = self.vpp.as_ref();
        let own = vpp.and_then(|vpp| vpp.committees().into_iter().next());
        own.into_iter().collect()
    }
}

fn id(name: &str) -> MicrogridId {
    MicrogridId::parse(name).expect("names of chains are names of members")
}
