//! T11, T13 and T17: members and chains, rounds, grid prices.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tieline_units::canonical::Canonical;
use tieline_units::{Digest, MicrogridId, Money, Time};

use crate::certificate::Certificate;
use crate::change::{Change, Draft};
use crate::guard::{Fact, Guard, Refusal};
use crate::member::Member;
use crate::payload::{Kind, Payload, Registration};
use crate::state::{Account, State, Tariff};
use crate::terms::OrderId;
use crate::threshold::{Committee, disjoint};
use crate::transaction::{Signed, committee_message};
use crate::transition::Transition;
use tieline_seal::hybrid::{Domain, Purpose, Signature, Verify};

/// Digest of a member's record, which approvals and revocations name.
pub fn record_digest(member: &Member) -> Digest {
    member.digest("tieline.member/1")
}

/// T11: an application, signed with the key that it names.
pub(crate) fn register(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    member: &Arc<Member>,
    signed: &Signed,
) -> Result<(), Refusal> {
    d.begin(Transition::Register);
    let (state, rules) = (d.state, d.state.rules());
    d.require(Guard::Ledger, state.is_vpp(), Fact::Plain)?;
    let plausible = member.nameplate == member.plausible();
    d.require(
        Guard::WellFormed,
        plausible,
        Fact::Name("nameplate".to_owned()),
    )?;
    // A member may apply again, with a new key: the operator decides.
    unused(d, member)?;
    let domain = Domain {
        chain: rules.chain.clone(),
        genesis: rules.genesis,
        epoch: 0,
        purpose: Purpose::Transaction,
    };
    let message = signed.act.message(&member.id);
    let holds =
        signed.by == member.id && verify.verify(&member.key, &domain, &message, &signed.signature);
    d.require(Guard::Possession, holds, Fact::Name(member.id.to_string()))?;
    d.then(Change::Apply(member.clone()));
    Ok(())
}

/// Nobody else is registered with this key.
fn unused(d: &mut Draft<'_>, member: &Member) -> Result<(), Refusal> {
    let members = d.state.members.values();
    let mut others = members.filter(|other| other.id != member.id);
    let known = d.state.member(&member.id);
    let moved = known.is_some_and(|known| known.home != member.home);
    let unused = others.all(|other| other.key != member.key) && !member.revoked && !moved;
    d.require(Guard::Unused, unused, Fact::Name(member.id.to_string()))
}

/// T11: the operator lets an applicant in.
pub(crate) fn approve(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    (member, record): (&MicrogridId, Digest),
    signed: &Signed,
) -> Result<(), Refusal> {
    d.begin(Transition::Approve);
    d.operator(verify, signed)?;
    let applied = d.state.applications.get(&record).cloned();
    let applied = applied.filter(|applied| applied.id == *member);
    let Some(applied) = applied else {
        return Err(Refusal::new(
            Guard::SameTerms,
            Fact::Name(member.to_string()),
        ));
    };
    // Both signatures stay good for ever: used again they would bring back an old key, or who was revoked.
    let before = d.state.said().any(|(_, payload)| match &**payload {
        Payload::Register { registration, .. } => {
            *registration == Registration::Member(applied.clone())
        }
        _ => false,
    });
    d.require(Guard::Once, !before, Fact::Name(member.to_string()))?;
    // Another applicant with the same key may have been faster.
    unused(d, &applied)?;
    publish(d, Registration::Member(applied.clone()));
    d.then(Change::Member(applied));
    Ok(())
}

/// T11: a member starts nothing new; what is open goes on.
pub(crate) fn revoke(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    (member, record): (&MicrogridId, Digest),
    signed: &Signed,
) -> Result<(), Refusal> {
    d.begin(Transition::Revoke);
    d.operator(verify, signed)?;
    let known = d.state.member(member).cloned();
    let known = known.filter(|known| record_digest(known) == record && !known.revoked);
    let Some(mut known) = known else {
        return Err(Refusal::new(
            Guard::SameTerms,
            Fact::Name(member.to_string()),
        ));
    };
    known.revoked = true;
    let known = Arc::new(known);
    publish(d, Registration::Member(known.clone()));
    d.then(Change::Member(known));
    Ok(())
}

fn publish(d: &mut Draft<'_>, registration: Registration) {
    let sequence = d.state.sequences.get(&Kind::Register).copied().unwrap_or(0);
    d.then(Change::Count(Kind::Register));
    d.then(Change::Emit(Payload::Register {
        sequence,
        registration,
    }));
}

/// T11: a chain with its verification nodes of epoch 0, each with its stake.
pub(crate) fn register_chain(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    (committee, possession): (&Arc<Committee>, &BTreeMap<u8, Signature>),
    signed: &Signed,
) -> Result<(), Refusal> {
    d.begin(Transition::RegisterChain);
    d.operator(verify, signed)?;
    let unused = d.state.current(&committee.chain).is_none() && committee.epoch == 0;
    d.require(
        Guard::Unused,
        unused,
        Fact::Name(committee.chain.to_string()),
    )?;
    d.ask(Guard::Committee, stands(d.state, committee))?;
    let domain = Domain {
        chain: committee.chain.clone(),
        genesis: committee.genesis,
        epoch: 0,
        purpose: Purpose::Possession,
    };
    let message = committee_message(committee);
    let holds = committee.seats.iter().enumerate().all(|(index, seat)| {
        let signature = u8::try_from(index)
            .ok()
            .and_then(|index| possession.get(&index));
        signature.is_some_and(|s| verify.verify(&seat.key, &domain, &message, s))
    });
    d.require(
        Guard::Possession,
        holds,
        Fact::Name(committee.chain.to_string()),
    )?;
    stake(d, committee)?;
    publish(d, Registration::Chain(committee.clone()));
    d.then(Change::Committee(committee.clone()));
    Ok(())
}

/// Owners stand for their verification nodes with money on Z.
pub(crate) fn stake(d: &mut Draft<'_>, committee: &Committee) -> Result<(), Refusal> {
    let (state, stake) = (d.state, d.state.rules.stake);
    let mut needed: BTreeMap<&MicrogridId, Money> = BTreeMap::new();
    for seat in &committee.seats {
        *needed.entry(&seat.owner).or_default() += stake;
    }
    for (owner, needed) in needed {
        let found = state.balance(&Account::Clearing(owner.clone()));
        d.require(Guard::Funds, found >= needed, Fact::Money { found, needed })?;
    }
    for seat in &committee.seats {
        let owner = Account::Clearing(seat.owner.clone());
        d.pay(owner, Account::Stake(seat.key.id()), stake);
    }
    Ok(())
}

/// What owners stood with for an epoch that is over goes back; a key that serves in another one keeps that one's stake.
pub(crate) fn unstake(d: &mut Draft<'_>, committee: &Committee) {
    let state = d.state;
    for seat in &committee.seats {
        let serves = |other: &&Committee| {
            (&other.chain, other.epoch) != (&committee.chain, committee.epoch)
                && !state.is_closed(&other.chain, other.epoch)
                && other.seats.iter().any(|it| it.key == seat.key)
        };
        let others = state.committees.values().map(AsRef::as_ref);
        let kept = others.filter(serves).map(|_| state.rules.stake).sum();
        let stake = Account::Stake(seat.key.id());
        let amount = state.balance(&stake) - kept;
        if amount > Money::ZERO {
            d.pay(stake, Account::Clearing(seat.owner.clone()), amount);
        }
    }
}

/// (12) against every chain known here, (13) and what makes the threshold sound by itself.
pub(crate) fn stands(state: &State, committee: &Committee) -> Result<(), Fact> {
    let wrong = |error| Fact::Threshold(Box::new(error));
    committee.validate().map_err(wrong)?;
    let others = state.committees.values();
    for other in others.filter(|other| other.chain != committee.chain) {
        disjoint(committee, other).map_err(wrong)?;
    }
    Ok(())
}

/// T11 on other ledgers: a member or chain is known here.
pub(crate) fn enrol(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    certificate: &Arc<Certificate>,
    registration: &Registration,
) -> Result<(), Refusal> {
    d.begin(Transition::Enrol);
    d.author(certificate, &d.state.rules().vpp)?;
    d.numbered(certificate)?;
    match registration {
        Registration::Member(member) => {
            d.then(Change::Member(member.clone()));
        }
        Registration::Chain(committee) => {
            d.ask(Guard::Committee, stands(d.state, committee))?;
            d.then(Change::Committee(committee.clone()));
        }
    }
    d.certified(verify, certificate)?;
    d.then(Change::Keep(certificate.clone()));
    Ok(())
}

/// T13: anchors a cleared round.
pub(crate) fn round(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    (hash, orders): (Digest, &BTreeSet<OrderId>),
    signed: &Signed,
) -> Result<(), Refusal> {
    d.begin(Transition::Round);
    d.operator(verify, signed)?;
    let fresh = d.state.round(hash).is_none();
    d.require(Guard::Once, fresh, Fact::Name(hash.to_string()))?;
    d.then(Change::Round(hash, orders.clone()));
    Ok(())
}

/// T17: grid prices of an interval that has not begun.
pub(crate) fn tariff(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    (start, tariff): (Time, Tariff),
    signed: &Signed,
) -> Result<(), Refusal> {
    d.begin(Transition::Tariff);
    d.operator(verify, signed)?;
    let (now, limit) = (d.block.time, start);
    d.require(Guard::Future, now <= limit, Fact::Time { now, limit })?;
    let fresh = d.state.tariff(start).is_none();
    d.require(Guard::Once, fresh, Fact::Name(start.to_string()))?;
    d.then(Change::Tariff(start, tariff));
    Ok(())
}
