//! T14: the verification nodes of a chain change, and nobody is left with orders that no one can attest.
//!
//! **Protocol.** The present members approve the next; ROT tells the other chains; each acknowledges on its own ledger; the
//! old epoch closes when every chain that deals with this one has acknowledged, none of the orders whose unconditional
//! signatures went to it is undecided, and the chain keeps the ROT certificate that the old epoch signed, so that whoever
//! missed it can follow at any time. The next epoch attests the old one's final outbox entries again.

use std::collections::BTreeSet;
use std::sync::Arc;

use tieline_units::ChainId;

use crate::certificate::Certificate;
use crate::change::{Change, Draft};
use crate::credibility::{select, updated};
use crate::guard::{Fact, Guard, Refusal};
use crate::payload::{Kind, Payload, Rotation, Subject};
use crate::registry::{stake, stands, unstake};
use crate::state::State;
use crate::threshold::Committee;
use crate::trade::{BuyerState, SellerState, VppState};
use crate::transaction::{NextEpoch, committee_message};
use crate::transition::Transition;
use tieline_seal::hybrid::{Domain, Purpose, Verify};

/// A certificate of this chain that is posted back later than this many blocks counts as late.
const LATE_BLOCKS: u64 = 8;

fn current<'a>(state: &'a State, chain: &ChainId) -> Result<&'a Committee, Refusal> {
    let none = || Refusal::new(Guard::Committee, Fact::Name(chain.to_string()));
    state.current(chain).ok_or_else(none)
}

/// The next verification nodes of this chain.
pub(crate) fn next(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    next: &NextEpoch,
) -> Result<(), Refusal> {
    d.begin(Transition::Epoch);
    let state = d.state;
    let (old, new) = (current(state, &state.rules.chain)?, &next.committee);
    let follows = new.chain == old.chain
        && new.genesis == old.genesis
        && old.epoch.checked_add(1) == Some(new.epoch)
        && new.suite == old.suite
        && new.faults == old.faults;
    d.require(Guard::Sequence, follows, Fact::Name(new.epoch.to_string()))?;
    d.ask(Guard::Committee, stands(state, new))?;
    let selected = select(new, &next.candidates, |key| state.credibility(key));
    d.require(Guard::Selected, selected == new.seats, Fact::Plain)?;
    let domain = Domain {
        chain: old.chain.clone(),
        genesis: old.genesis,
        epoch: old.epoch,
        purpose: Purpose::Transaction,
    };
    let message = committee_message(new);
    let approved = next.approvals.iter().all(|(&seat, signature)| {
        let member = old.seats.get(usize::from(seat));
        member.is_some_and(|m| verify.verify(&m.key, &domain, &message, signature))
    });
    let enough = next.approvals.len() + usize::from(old.faults) >= old.size();
    let fact = Fact::Name(format!("{} of {}", next.approvals.len(), old.size()));
    d.require(Guard::Approved, approved && enough, fact)?;
    if state.is_vpp() {
        stake(d, new)?;
    }
    d.then(Change::Committee(new.clone()));
    publish(d, Rotation::Opened(new.clone()));
    Ok(())
}

fn publish(d: &mut Draft<'_>, rotation: Rotation) {
    let sequence = d.state.sequences.get(&Kind::Rotate).copied().unwrap_or(0);
    d.then(Change::Count(Kind::Rotate));
    d.then(Change::Emit(Payload::Rotate { sequence, rotation }));
}

/// ROT of another chain: its next verification nodes, attested by the present ones. Acknowledged at once.
pub(crate) fn rotate(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    certificate: &Arc<Certificate>,
    new: &Arc<Committee>,
) -> Result<(), Refusal> {
    d.begin(Transition::Rotate);
    d.author(certificate, &new.chain)?;
    d.numbered(certificate)?;
    let old = current(d.state, &new.chain)?;
    let follows = new.genesis == old.genesis
        && old.epoch.checked_add(1) == Some(new.epoch)
        && certificate.epoch == old.epoch
        && new.suite == old.suite
        && new.faults == old.faults;
    d.require(Guard::Approved, follows, Fact::Name(new.epoch.to_string()))?;
    d.ask(Guard::Committee, stands(d.state, new))?;
    d.certified(verify, certificate)?;
    if d.state.is_vpp() {
        stake(d, new)?;
    }
    d.then(Change::Committee(new.clone()));
    d.then(Change::Keep(certificate.clone()));
    let (chain, epoch) = (new.chain.clone(), new.epoch);
    publish(d, Rotation::Acknowledged { chain, epoch });
    Ok(())
}

/// Another chain knows an epoch of this one.
pub(crate) fn acknowledge(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    certificate: &Arc<Certificate>,
    (chain, epoch): (&ChainId, u64),
) -> Result<(), Refusal> {
    d.begin(Transition::Acknowledge);
    d.numbered(certificate)?;
    let ours = *chain == d.state.rules.chain;
    d.require(Guard::Ledger, ours, Fact::Name(chain.to_string()))?;
    d.certified(verify, certificate)?;
    d.then(Change::Acknowledge(epoch, certificate.chain.clone()));
    Ok(())
}

/// An epoch of this chain is over: its keys may be erased.
pub(crate) fn close(d: &mut Draft<'_>, epoch: u64) -> Result<(), Refusal> {
    d.begin(Transition::CloseEpoch);
    let (state, chain) = (d.state, d.state.rules.chain.clone());
    let known = state.committee(&chain, epoch).is_some() && !state.is_closed(&chain, epoch);
    let past = state.current(&chain).is_some_and(|now| now.epoch > epoch);
    d.require(Guard::Once, known && past, Fact::Name(epoch.to_string()))?;
    let waiting = partners(state).into_iter().find(|partner| {
        let told = (epoch + 1, partner.clone());
        !state.acknowledged.contains(&told)
    });
    let fact = waiting
        .as_ref()
        .map_or(Fact::Plain, |chain| Fact::Name(chain.to_string()));
    d.require(Guard::Acknowledged, waiting.is_none(), fact)?;
    let kept = handed_over(state, epoch + 1);
    d.require(Guard::Acknowledged, kept, Fact::Name(chain.to_string()))?;
    let bought = state.purchases.values();
    let sold = state.sales.values();
    let open = bought
        .filter(|p| p.epoch == epoch && p.state == BuyerState::Locked)
        .count()
        + sold
            .filter(|s| s.epoch == epoch)
            .filter(|s| matches!(s.state, SellerState::Offered | SellerState::Accepted))
            .count();
    d.require(
        Guard::Undecided,
        open == 0,
        Fact::Name(format!("{open} orders")),
    )?;
    if let Some(committee) = state.committee(&chain, epoch).filter(|_| state.is_vpp()) {
        unstake(d, committee);
    }
    d.then(Change::Close(chain, epoch));
    publish(d, Rotation::Closed { epoch });
    Ok(())
}

/// Whether the certificate that names an epoch of this chain, by the epoch before it, is kept here.
fn handed_over(state: &State, epoch: u64) -> bool {
    let at = |number| {
        let own = state.rules.chain.clone();
        (own, Kind::Rotate, Subject::Sequence(number))
    };
    let mut own = state.kept.range(at(0)..=at(u64::MAX));
    own.any(|(_, certificate)| hands_over(certificate) == Some(epoch))
}

/// Which epoch a certificate hands over to, by the one before it: all that others need to follow.
fn hands_over(certificate: &Certificate) -> Option<u64> {
    let Payload::Rotate { rotation, .. } = &certificate.payload else {
        return None;
    };
    match rotation {
        Rotation::Opened(committee) => {
            let next = certificate.epoch.checked_add(1) == Some(committee.epoch);
            next.then_some(committee.epoch)
        }
        Rotation::Acknowledged { .. } | Rotation::Closed { .. } => None,
    }
}

/// Chains with an order that is open here, and Z.
fn partners(state: &State) -> BTreeSet<ChainId> {
    let mut chains = BTreeSet::from([state.rules.vpp.clone()]);
    for purchase in state.purchases.values() {
        if matches!(purchase.state, BuyerState::Locked | BuyerState::Committed) {
            chains.insert(purchase.request.terms.chain_y.clone());
        }
    }
    for sale in state.sales.values() {
        let open = matches!(
            sale.state,
            SellerState::Offered | SellerState::Accepted | SellerState::Confirmed
        );
        if let Some(request) = sale.request.as_ref().filter(|_| open) {
            chains.insert(request.terms.chain_x.clone());
        }
    }
    for settling in state
        .settlings
        .values()
        .filter(|s| s.state == VppState::Open)
    {
        chains.insert(settling.request.terms.chain_x.clone());
        chains.insert(settling.request.terms.chain_y.clone());
    }
    chains.remove(&state.rules.chain);
    chains
}

/// Another chain's epoch is over: its signatures count no more, and its stakes go back.
pub(crate) fn end(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    certificate: &Arc<Certificate>,
    epoch: u64,
) -> Result<(), Refusal> {
    d.begin(Transition::EndEpoch);
    d.numbered(certificate)?;
    let later = certificate.epoch > epoch;
    d.require(
        Guard::Approved,
        later,
        Fact::Name(certificate.epoch.to_string()),
    )?;
    d.certified(verify, certificate)?;
    let (state, chain) = (d.state, &certificate.chain);
    if let Some(committee) = state.committee(chain, epoch).filter(|_| state.is_vpp()) {
        unstake(d, committee);
    }
    d.then(Change::Close(chain.clone(), epoch));
    d.then(Change::Keep(certificate.clone()));
    Ok(())
}

/// This chain's own certificate comes back: who signed it gains, who did not loses. One that hands over to the next epoch is
/// kept: when the old epoch's keys are erased nobody can make it again, and whoever missed it needs it to follow.
pub(crate) fn participate(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    certificate: &Arc<Certificate>,
) -> Result<(), Refusal> {
    d.begin(Transition::Participate);
    let state = d.state;
    let once = (certificate.chain.clone(), Kind::Request, certificate.height);
    let counted = state.imported.contains(&once);
    let next = hands_over(certificate).filter(|epoch| !handed_over(state, *epoch));
    let fresh = (!counted || next.is_some()) && certificate.height <= d.block.height;
    d.require(
        Guard::Once,
        fresh,
        Fact::Name(certificate.height.to_string()),
    )?;
    d.certified(verify, certificate)?;
    if next.is_some() {
        d.then(Change::Keep(certificate.clone()));
    }
    if counted {
        return Ok(());
    }
    let late = d.block.height - certificate.height.min(d.block.height) > LATE_BLOCKS;
    let committee = state.committee(&certificate.chain, certificate.epoch);
    for (index, seat) in committee.iter().flat_map(|c| c.seats.iter().enumerate()) {
        let index = u8::try_from(index).unwrap_or(u8::MAX);
        let signed = certificate.attestations.contains_key(&index);
        let key = seat.key.id();
        let score = updated(state.credibility(key), signed, late);
        d.then(Change::Credibility(key, score));
    }
    d.then(Change::Import(once.0, once.1, once.2));
    Ok(())
}
