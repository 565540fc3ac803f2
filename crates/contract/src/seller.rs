//! Y, the seller's chain: phases 3 to 6, and the only point of decision.

use std::sync::Arc;

use tieline_units::MicrogridId;

use crate::buyer::{ask_settlement, parties, schedule};
use crate::certificate::Certificate;
use crate::change::{Change, Draft};
use crate::guard::{Fact, Guard, Refusal};
use crate::mutant::Mutant;
use crate::payload::{Acceptance, Commitment, Outcome, Payload};
use crate::phase4::{arrived, in_time, traceable};
use crate::state::{Account, State};
use crate::terms::{OrderId, Request, Terms};
use crate::trade::{Sale, SellerState, commit_hash};
use crate::transaction::{Act, Signed};
use crate::transition::{SellerInput, Transition, on_y};
use tieline_seal::hybrid::Verify;

fn begin(d: &mut Draft<'_>, order: OrderId, input: SellerInput) -> Result<Transition, Refusal> {
    let state = d.state.sale(order).map(|sale| sale.state);
    let transition = on_y(d.state, state, input)?;
    d.begin(transition);
    Ok(transition)
}

/// An order that came with its request.
fn known(
    d: &mut Draft<'_>,
    order: OrderId,
    input: SellerInput,
) -> Result<(Sale, Arc<Request>), Refusal> {
    begin(d, order, input)?;
    let none = || Refusal::new(Guard::State, Fact::Is("not on this chain"));
    let sale = d.state.sale(order).ok_or_else(none)?.clone();
    let request = sale.request.clone().ok_or_else(none)?;
    Ok((sale, request))
}

fn fresh(state: &State, request: Option<Arc<Request>>, stand: SellerState) -> Sale {
    Sale {
        request,
        state: stand,
        epoch: state.current(&state.rules.chain).map_or(0, |c| c.epoch),
        acceptance: None,
        commit_hash: None,
        delivered: None,
        settled: None,
    }
}

fn home(d: &mut Draft<'_>, terms: &Terms) -> Result<(), Refusal> {
    let rules = d.state.rules();
    let home = terms.chain_y == rules.chain && terms.genesis_y == rules.genesis;
    d.require(Guard::HomeY, home, Fact::Name(terms.chain_y.to_string()))
}

/// T3, phase 3: the request arrives; from D on it is refused for good.
pub(crate) fn offer(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    certificate: &Arc<Certificate>,
    request: &Arc<Request>,
) -> Result<(), Refusal> {
    let (order, terms, state) = (request.order(), &request.terms, d.state);
    let late = d.block.time >= terms.deadline;
    let input = if late {
        SellerInput::OfferLate
    } else {
        SellerInput::Offer
    };
    begin(d, order, input)?;
    home(d, terms)?;
    d.author(certificate, &terms.chain_x)?;
    let same = certificate.genesis == terms.genesis_x;
    d.require(Guard::HomeX, same, Fact::Name(terms.chain_x.to_string()))?;
    d.well_formed(terms)?;
    let grid = schedule(terms, state.rules().interval);
    d.ask(Guard::Schedule, grid)?;
    d.ask(Guard::Parties, parties(state, terms))?;
    if !late {
        let own = state.current(&state.rules.chain).map_or(0, |c| c.epoch);
        let thawed = !state.is_frozen(&terms.chain_x, certificate.epoch)
            && !state.is_frozen(&terms.chain_y, own);
        d.require(Guard::Thawed, thawed, Fact::Plain)?;
    }
    d.certified(verify, certificate)?;
    let stand = if late {
        SellerState::Rejected
    } else {
        SellerState::Offered
    };
    d.then(Change::Sale(
        order,
        fresh(state, Some(request.clone()), stand),
    ));
    d.then(Change::Keep(certificate.clone()));
    if late {
        d.then(Change::Emit(Payload::Reject(order)));
    }
    Ok(())
}

/// T3': nobody will accept this any more, even where it never came. What never came must be the buyer's own words: else
/// anybody could fill the ledger with tombstones.
pub(crate) fn timeout_request(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    request: &Arc<Request>,
) -> Result<(), Refusal> {
    let (order, terms, state) = (request.order(), &request.terms, d.state);
    begin(d, order, SellerInput::TimeoutRequest)?;
    d.require(Guard::Ledger, !state.is_vpp(), Fact::Plain)?;
    home(d, terms)?;
    d.well_formed(terms)?;
    d.ask(Guard::Parties, parties(state, terms))?;
    let (now, limit) = (d.block.time, terms.deadline);
    d.require(Guard::AtDeadline, now >= limit, Fact::Time { now, limit })?;
    let buyer = state.member(&terms.buyer).map(|member| &member.key);
    let own = state.sale(order).is_some()
        || buyer.is_some_and(|key| traceable(request, order, key, verify));
    d.require(Guard::Traceable, own, Fact::Name(terms.buyer.to_string()))?;
    let sale = match state.sale(order) {
        Some(sale) => Sale {
            state: SellerState::Rejected,
            ..sale.clone()
        },
        None => fresh(state, None, SellerState::Rejected),
    };
    if !(state.mutated(Mutant::NoTombstone) && sale.request.is_none()) {
        d.then(Change::Sale(order, sale));
    }
    d.then(Change::Emit(Payload::Reject(order)));
    Ok(())
}

/// T4, phase 4: the seller's tentative yes, under formulas (1) to (3).
pub(crate) fn accept(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    order: OrderId,
    signed: &Signed,
) -> Result<(), Refusal> {
    let (mut sale, request) = known(d, order, SellerInput::Accept)?;
    ask_answer(d, verify, (order, &request), signed)?;
    d.require(
        Guard::Arrived,
        arrived(d.state, &request, order),
        Fact::Plain,
    )?;
    let buyer = d
        .state
        .member(&request.terms.buyer)
        .map(|member| &member.key);
    let own = buyer.is_some_and(|key| traceable(&request, order, key, verify));
    d.require(
        Guard::Traceable,
        own,
        Fact::Name(request.terms.buyer.to_string()),
    )?;
    let Some(acceptance) = acceptance(&request.terms, &signed.act) else {
        return Err(Refusal::new(Guard::Signed, Fact::Plain));
    };
    promise(d, order, &request.terms);
    sale.state = SellerState::Accepted;
    sale.acceptance = Some(acceptance.clone());
    d.then(Change::Sale(order, sale));
    d.then(Change::Emit(Payload::Accept(acceptance)));
    Ok(())
}

/// What T4 and T0 ask of the seller's answer.
pub(crate) fn ask_answer(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    (_, request): (OrderId, &Request),
    signed: &Signed,
) -> Result<(), Refusal> {
    let (state, terms, now) = (d.state, &*request.terms, d.block.time);
    let limit = terms.deadline.minus_millis(terms.delta_t);
    let timely = in_time(now, terms.deadline, terms.delta_t);
    d.require(Guard::InTime, timely, Fact::Time { now, limit })?;
    let active = state.member(&terms.seller).is_some_and(|m| !m.revoked);
    d.require(Guard::Active, active, Fact::Name(terms.seller.to_string()))?;
    let found = state.nameplate(&terms.seller) - state.reserved(&terms.seller, terms.start);
    let needed = terms.quantity;
    d.require(
        Guard::Capacity,
        found >= needed,
        Fact::Energy { found, needed },
    )?;
    let found = state.balance(&Account::Clearing(terms.seller.clone()));
    let needed = terms.bond;
    d.require(Guard::Bond, found >= needed, Fact::Money { found, needed })?;
    d.signed(verify, signed, &terms.seller)
}

/// ACC, from the seller's act.
pub(crate) fn acceptance(terms: &Terms, act: &Act) -> Option<Arc<Acceptance>> {
    let Act::Accept {
        order,
        response_commitment,
        sealed_response,
        ..
    } = act
    else {
        return None;
    };
    Some(Arc::new(Acceptance {
        order: *order,
        terms_hash: terms.hash(),
        response_commitment: *response_commitment,
        sealed_response: sealed_response.clone(),
    }))
}

/// Reserves capacity and bond.
pub(crate) fn promise(d: &mut Draft<'_>, order: OrderId, terms: &Terms) {
    d.then(Change::Reserve(
        terms.seller.clone(),
        terms.start,
        terms.quantity,
    ));
    let seller = Account::Clearing(terms.seller.clone());
    d.pay(seller, Account::Bond(order), terms.bond);
}

/// T4': the seller's no.
pub(crate) fn decline(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    order: OrderId,
    signed: &Signed,
) -> Result<(), Refusal> {
    let (mut sale, request) = known(d, order, SellerInput::Decline)?;
    d.signed(verify, signed, &request.terms.seller)?;
    sale.state = SellerState::Rejected;
    d.then(Change::Sale(order, sale));
    d.then(Change::Emit(Payload::Reject(order)));
    Ok(())
}

/// T6, phase 5: the decision. Before the gate closes, on the buyer's commitment, and nowhere else.
pub(crate) fn confirm(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    certificate: &Arc<Certificate>,
    commitment: &Commitment,
) -> Result<(), Refusal> {
    let order = commitment.request.order();
    let (mut sale, request) = known(d, order, SellerInput::CommitCertificate)?;
    let terms = &request.terms;
    d.author(certificate, &terms.chain_x)?;
    let made = sale.acceptance.as_ref().map(|acceptance| acceptance.hash());
    let same = made == Some(commitment.trade_hash);
    d.require(Guard::SameTrade, same, Fact::Plain)?;
    let (now, limit) = (d.block.time, terms.gate_closure);
    d.require(Guard::BeforeGate, now < limit, Fact::Time { now, limit })?;
    d.certified(verify, certificate)?;
    sale.state = SellerState::Confirmed;
    sale.commit_hash = Some(commit_hash(commitment));
    d.then(Change::Sale(order, sale));
    d.then(Change::Keep(certificate.clone()));
    Ok(())
}

/// T6': the gate closed before the commitment came.
pub(crate) fn void(d: &mut Draft<'_>, order: OrderId) -> Result<(), Refusal> {
    let (sale, request) = known(d, order, SellerInput::Void)?;
    let (now, limit) = (d.block.time, request.terms.gate_closure);
    d.require(Guard::AtGate, now >= limit, Fact::Time { now, limit })?;
    withdraw(d, order, sale, &request.terms);
    d.then(Change::Emit(Payload::Void(order)));
    Ok(())
}

/// T6': the buyer has its money back.
pub(crate) fn void_refunded(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    certificate: &Arc<Certificate>,
    order: OrderId,
) -> Result<(), Refusal> {
    let (sale, request) = known(d, order, SellerInput::RefundCertificate)?;
    d.author(certificate, &request.terms.chain_x)?;
    d.certified(verify, certificate)?;
    withdraw(d, order, sale, &request.terms);
    d.then(Change::Keep(certificate.clone()));
    d.then(Change::Emit(Payload::Void(order)));
    Ok(())
}

fn withdraw(d: &mut Draft<'_>, order: OrderId, mut sale: Sale, terms: &Terms) {
    d.then(Change::Reserve(
        terms.seller.clone(),
        terms.start,
        -terms.quantity,
    ));
    let seller = Account::Clearing(terms.seller.clone());
    d.pay(Account::Bond(order), seller, terms.bond);
    sale.state = SellerState::Voided;
    d.then(Change::Sale(order, sale));
}

/// T10, phase 6: closes the order.
pub(crate) fn close(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    certificate: &Arc<Certificate>,
    outcome: &Outcome,
) -> Result<(), Refusal> {
    let (order, settlement) = (outcome.order, outcome.settlement);
    let nothing = settlement.settled == tieline_units::Energy::ZERO;
    let input = if nothing {
        SellerInput::SettleNothing
    } else {
        SellerInput::SettleCertificate
    };
    let (mut sale, request) = known(d, order, input)?;
    let terms = &request.terms;
    ask_settlement(d, verify, (certificate, outcome), terms)?;
    if sale.state == SellerState::Accepted {
        let nothing = settlement.penalty == tieline_units::Money::ZERO;
        d.require(Guard::ConfirmedOrNothing, nothing, Fact::Plain)?;
        withdraw(d, order, sale, terms);
    } else {
        let party = |id: &MicrogridId| Account::Clearing(id.clone());
        d.then(Change::Reserve(
            terms.seller.clone(),
            terms.start,
            -terms.quantity,
        ));
        d.pay(
            Account::Bond(order),
            party(&terms.buyer),
            settlement.penalty,
        );
        let rest = terms.bond - settlement.penalty;
        d.pay(Account::Bond(order), party(&terms.seller), rest);
        sale.state = SellerState::Settled;
        sale.settled = Some(settlement.settled);
        d.then(Change::Sale(order, sale));
    }
    d.then(Change::Keep(certificate.clone()));
    Ok(())
}
