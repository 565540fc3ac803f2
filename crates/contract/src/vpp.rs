//! Z, the VPP's ledger: the joint certificate of both ends, and the settlement that is written once.

use std::sync::Arc;

use tieline_units::Time;

use crate::certificate::Certificate;
use crate::change::{Change, Draft};
use crate::guard::{Fact, Guard, Refusal};
use crate::mutant::Mutant;
use crate::payload::{Commitment, Kind, Outcome, Payload, Reading};
use crate::settlement::{Readings, Settlement, settle};
use crate::state::State;
use crate::terms::{OrderId, Request, Terms};
use crate::threshold::{Committee, ThresholdError, joint_threshold, private_check};
use crate::trade::{Attested, Settling, VppState};
use crate::transition::{VppInput, on_z};
use tieline_seal::hybrid::Verify;

fn begin(d: &mut Draft<'_>, order: OrderId, input: VppInput) -> Result<(), Refusal> {
    let state = d.state.settling(order).map(|settling| settling.state);
    d.begin(on_z(d.state, state, input)?);
    Ok(())
}

fn record(state: &State, order: OrderId, request: &Arc<Request>) -> Settling {
    let known = state.settling(order).cloned();
    known.unwrap_or_else(|| Settling::open(request.clone()))
}

/// COM: the buyer is bound.
pub(crate) fn known(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    certificate: &Arc<Certificate>,
    commitment: &Commitment,
) -> Result<(), Refusal> {
    let order = commitment.request.order();
    begin(d, order, VppInput::CommitCertificate)?;
    let mut settling = record(d.state, order, &commitment.request);
    d.require(Guard::Once, !settling.committed, Fact::Plain)?;
    let terms = &commitment.request.terms;
    d.author(certificate, &terms.chain_x)?;
    d.well_formed(terms)?;
    d.certified(verify, certificate)?;
    settling.committed = true;
    d.then(Change::Settling(order, settling));
    d.then(Change::Keep(certificate.clone()));
    Ok(())
}

/// T8a and T8: a reading; when the joint certificate (16) is complete, the settlement.
pub(crate) fn read(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    certificate: &Arc<Certificate>,
    reading: &Reading,
) -> Result<(), Refusal> {
    let order = reading.request.order();
    let mut settling = record(d.state, order, &reading.request);
    let terms = reading.request.terms.clone();
    let taken = certificate.payload.kind() == Kind::Taken;
    let attested = Attested {
        energy: reading.energy,
        signers: u8::try_from(certificate.attestations.len()).unwrap_or(u8::MAX),
        epoch: certificate.epoch,
    };
    let (slot, author) = match taken {
        true => (&mut settling.taken, &terms.chain_x),
        false => (&mut settling.delivered, &terms.chain_y),
    };
    let before = slot.replace(attested);
    let complete = joint(d.state, &settling, &terms).is_ok();
    let input = if complete {
        VppInput::LastReading
    } else {
        VppInput::Reading
    };
    begin(d, order, input)?;
    // The same reading may come again with more signers, for (16).
    let more = |old: Attested| old.energy == attested.energy && old.signers < attested.signers;
    d.require(Guard::Once, before.is_none_or(more), Fact::Plain)?;
    d.author(certificate, author)?;
    d.well_formed(&terms)?;
    let (now, limit) = (d.block.time, overdue(d.state, &terms));
    d.require(Guard::InGrace, now <= limit, Fact::Time { now, limit })?;
    // Also before both are there: a reading that cannot be settled would keep the order open for ever.
    let readings = Readings {
        taken: settling.taken.map(|attested| attested.energy),
        delivered: settling.delivered.map(|attested| attested.energy),
    };
    let settlement = settle(&terms.settlement(), readings);
    let settlement =
        settlement.map_err(|error| Refusal::new(Guard::Consistent, Fact::Terms(error)))?;
    d.certified(verify, certificate)?;
    d.then(Change::Keep(certificate.clone()));
    if complete {
        write(d, order, settling, settlement);
    } else {
        d.then(Change::Settling(order, settling));
    }
    Ok(())
}

/// T_m + grace.
fn overdue(state: &State, terms: &Terms) -> Time {
    terms.metering_deadline.plus_millis(state.rules().grace)
}

/// Formula (16) over the two ends; where both are one chain, over it alone.
fn joint(state: &State, settling: &Settling, terms: &Terms) -> Result<(), ThresholdError> {
    let none = ThresholdError::Joint { found: 0, least: 1 };
    let end = |attested: Option<Attested>, kind, chain| -> Option<(&Committee, Kind, usize)> {
        let attested = attested?;
        let committee = state.committee(chain, attested.epoch)?;
        Some((committee, kind, usize::from(attested.signers)))
    };
    let (Some(x), Some(y)) = (
        end(settling.taken, Kind::Taken, &terms.chain_x),
        end(settling.delivered, Kind::Delivered, &terms.chain_y),
    ) else {
        return Err(none);
    };
    if terms.chain_x == terms.chain_y {
        let least = if x.2 < y.2 { x } else { y };
        return private_check(&[least], joint_threshold(&[least.0]));
    }
    private_check(&[x, y], joint_threshold(&[x.0, y.0]))
}

/// T8': readings are overdue. Whoever's is missing bears it.
pub(crate) fn default(d: &mut Draft<'_>, order: OrderId) -> Result<(), Refusal> {
    begin(d, order, VppInput::Default)?;
    let none = || Refusal::new(Guard::State, Fact::Is("not on this chain"));
    let settling = d.state.settling(order).ok_or_else(none)?.clone();
    let terms = settling.request.terms.clone();
    let known = settling.committed || settling.delivered.is_some();
    d.require(Guard::Decided, known, Fact::Plain)?;
    let (now, limit) = (d.block.time, overdue(d.state, &terms));
    d.require(Guard::AfterGrace, now > limit, Fact::Time { now, limit })?;
    let energy = |attested: Option<Attested>| attested.map(|attested| attested.energy);
    let mut readings = Readings {
        taken: energy(settling.taken),
        delivered: energy(settling.delivered),
    };
    if d.state.mutated(Mutant::DefaultOnTaken) {
        readings.delivered = readings.delivered.or(readings.taken);
    }
    let settlement = settle(&terms.settlement(), readings);
    let settlement =
        settlement.map_err(|error| Refusal::new(Guard::Consistent, Fact::Terms(error)))?;
    write(d, order, settling, settlement);
    Ok(())
}

/// Writes the settlement, and what parties have on chains that are not their homes.
fn write(d: &mut Draft<'_>, order: OrderId, mut settling: Settling, settlement: Settlement) {
    let terms = settling.request.terms.clone();
    let claims = [
        (&terms.chain_x, &terms.seller, settlement.to_seller),
        (&terms.chain_x, &terms.aggregator, settlement.to_aggregator),
        (&terms.chain_y, &terms.buyer, settlement.penalty),
    ];
    for (chain, party, amount) in claims {
        let away = d
            .state
            .member(party)
            .is_some_and(|member| member.home != *chain);
        if away && amount != tieline_units::Money::ZERO {
            d.then(Change::Position(chain.clone(), party.clone(), amount));
        }
    }
    settling.state = VppState::Settled;
    settling.settlement = Some(settlement);
    d.then(Change::Settling(order, settling));
    let outcome = Outcome {
        order,
        terms_hash: terms.hash(),
        settlement,
    };
    d.then(Change::Emit(Payload::Settle(Arc::new(outcome))));
}
