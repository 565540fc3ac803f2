//! X, the buyer's chain: phases 1, 5 and 6.

use std::sync::Arc;

use crate::certificate::Certificate;
use crate::change::{Change, Draft};
use crate::guard::{Fact, Guard, Refusal};
use crate::mutant::Mutant;
use crate::payload::{Acceptance, Commitment, Outcome, Payload};
use crate::phase4::traceable;
use crate::settlement::Settlement;
use crate::state::Account;
use crate::terms::{OrderId, Request, Terms};
use crate::trade::{BuyerState, KeyReturn, Purchase};
use crate::transaction::Signed;
use crate::transition::{BuyerInput, on_x};
use tieline_seal::hybrid::Verify;

/// Finds the transition and the order.
fn begin(
    d: &mut Draft<'_>,
    order: OrderId,
    input: BuyerInput,
) -> Result<Option<Purchase>, Refusal> {
    let purchase = d.state.purchase(order);
    d.begin(on_x(d.state, purchase.map(|p| p.state), input)?);
    Ok(purchase.cloned())
}

fn known(d: &mut Draft<'_>, order: OrderId, input: BuyerInput) -> Result<Purchase, Refusal> {
    let none = || Refusal::new(Guard::State, Fact::Is("not on this chain"));
    begin(d, order, input)?.ok_or_else(none)
}

/// T1, phase 1: locks the escrow and sends the request on its way.
pub(crate) fn request(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    request: &Arc<Request>,
) -> Result<(), Refusal> {
    let (order, terms) = (request.order(), &request.terms);
    begin(d, order, BuyerInput::Request)?;
    let apart = terms.chain_x != terms.chain_y;
    d.require(
        Guard::OtherChain,
        apart,
        Fact::Name(terms.chain_y.to_string()),
    )?;
    ask_request(d, verify, request)?;
    lock(d, request, BuyerState::Locked, None);
    d.then(Change::Emit(Payload::Request(request.clone())));
    Ok(())
}

/// What T1 and T0 ask of a request.
pub(crate) fn ask_request(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    request: &Request,
) -> Result<(), Refusal> {
    let (state, now, terms) = (d.state, d.block.time, &*request.terms);
    let rules = state.rules();
    // Z settles, and could not tell itself what an order of its own comes to.
    d.require(Guard::Ledger, !state.is_vpp(), Fact::Plain)?;
    let home = terms.chain_x == rules.chain && terms.genesis_x == rules.genesis;
    d.require(Guard::HomeX, home, Fact::Name(terms.chain_x.to_string()))?;
    d.well_formed(terms)?;
    d.ask(Guard::Schedule, schedule(terms, rules.interval))?;
    let (latest, limit) = (now.plus_millis(terms.delta_t), terms.deadline);
    d.require(Guard::Early, latest <= limit, Fact::Time { now, limit })?;
    let (found, needed) = (terms.escrow, terms.value());
    d.require(
        Guard::Escrow,
        found >= needed,
        Fact::Money { found, needed },
    )?;
    d.ask(Guard::Parties, parties(d.state, terms))?;
    let fit = |member| state.member(member).is_some_and(|m| !m.revoked);
    let active = fit(&terms.buyer) && fit(&terms.seller) && fit(&terms.aggregator);
    d.require(Guard::Active, active, Fact::Plain)?;
    let frozen = |chain| {
        state
            .current(chain)
            .is_none_or(|c| state.is_frozen(chain, c.epoch))
    };
    let thawed = !frozen(&terms.chain_x) && !frozen(&terms.chain_y);
    d.require(Guard::Thawed, thawed, Fact::Plain)?;
    let found = state.exposed(&terms.buyer, &terms.seller) + terms.escrow;
    let needed = rules.exposure_cap;
    d.require(
        Guard::Exposure,
        found <= needed,
        Fact::Money { found, needed },
    )?;
    let found = state.balance(&Account::Clearing(terms.buyer.clone()));
    let needed = terms.escrow + rules.request_fee;
    d.require(Guard::Funds, found >= needed, Fact::Money { found, needed })?;
    let key = state.member(&terms.buyer).map(|buyer| &buyer.key);
    let right = key.is_some_and(|key| traceable(request, request.order(), key, verify));
    d.require(Guard::Signed, right, Fact::Name(terms.buyer.to_string()))
}

pub(crate) fn schedule(terms: &Terms, interval: tieline_units::IntervalLength) -> Result<(), Fact> {
    let settled = terms.deadline.plus_millis(terms.delta_t);
    let pairs = [
        (settled, terms.gate_closure),
        (terms.gate_closure, terms.start),
        (terms.end(), terms.metering_deadline),
    ];
    if let Some(&(now, limit)) = pairs.iter().find(|(before, after)| before > after) {
        return Err(Fact::Time { now, limit });
    }
    let on_grid = terms.start.as_millis().is_multiple_of(interval.millis());
    if terms.length != interval || !on_grid {
        return Err(Fact::Name(format!(
            "interval {}/{}",
            terms.start, terms.length
        )));
    }
    Ok(())
}

/// Buyer, seller and aggregator are registered, the first two with the homes that the terms give them.
pub(crate) fn parties(state: &crate::state::State, terms: &Terms) -> Result<(), Fact> {
    let home = |id| state.member(id).map(|member| &member.home);
    let parties = [
        (&terms.buyer, home(&terms.buyer) == Some(&terms.chain_x)),
        (&terms.seller, home(&terms.seller) == Some(&terms.chain_y)),
        (&terms.aggregator, home(&terms.aggregator).is_some()),
    ];
    match parties.iter().find(|(_, right)| !right) {
        Some((wrong, _)) => Err(Fact::Name(wrong.to_string())),
        None => Ok(()),
    }
}

/// Fee, escrow, exposure and the order itself.
pub(crate) fn lock(
    d: &mut Draft<'_>,
    request: &Arc<Request>,
    state: BuyerState,
    trade_hash: Option<tieline_units::Digest>,
) {
    let (order, terms) = (request.order(), &request.terms);
    let rules = d.state.rules();
    let epoch = d.state.current(&rules.chain).map_or(0, |c| c.epoch);
    let buyer = Account::Clearing(terms.buyer.clone());
    d.pay(buyer.clone(), Account::Fees, rules.request_fee);
    d.pay(buyer, Account::Escrow(order), terms.escrow);
    d.then(Change::Expose(
        terms.buyer.clone(),
        terms.seller.clone(),
        terms.escrow,
    ));
    let purchase = Purchase {
        request: request.clone(),
        state,
        epoch,
        trade_hash,
        key: None,
        taken: None,
        settled: None,
    };
    d.then(Change::Purchase(order, purchase));
}

/// T5, phase 5: the buyer is bound.
pub(crate) fn commit(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    certificate: &Arc<Certificate>,
    acceptance: &Acceptance,
) -> Result<(), Refusal> {
    let order = acceptance.order;
    let mut purchase = known(d, order, BuyerInput::AcceptCertificate)?;
    let terms = purchase.request.terms.clone();
    d.author(certificate, &terms.chain_y)?;
    let same = acceptance.terms_hash == terms.hash();
    d.require(Guard::SameTerms, same, Fact::Plain)?;
    let (now, limit) = (d.block.time, terms.deadline);
    d.require(
        Guard::NotAfterDeadline,
        now <= limit,
        Fact::Time { now, limit },
    )?;
    d.certified(verify, certificate)?;
    let trade_hash = acceptance.hash();
    let request = purchase.request.clone();
    purchase.state = BuyerState::Committed;
    purchase.trade_hash = Some(trade_hash);
    if d.state.mutated(Mutant::PayOnCommitted) {
        let seller = Account::Clearing(terms.seller.clone());
        d.pay(Account::Escrow(order), seller, terms.escrow);
    }
    d.then(Change::Purchase(order, purchase));
    d.then(Change::Keep(certificate.clone()));
    let commitment = Commitment {
        request,
        trade_hash,
    };
    d.then(Change::Emit(Payload::Commit(Arc::new(commitment))));
    Ok(())
}

/// T5k, phase 5: the buyer returns the key.
pub(crate) fn key_return(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    (order, key): (OrderId, &Arc<KeyReturn>),
    signed: &Signed,
) -> Result<(), Refusal> {
    let mut purchase = known(d, order, BuyerInput::KeyReturn)?;
    d.require(Guard::Once, purchase.key.is_none(), Fact::Plain)?;
    d.signed(verify, signed, &purchase.request.terms.buyer)?;
    purchase.key = Some(key.clone());
    d.then(Change::Purchase(order, purchase));
    Ok(())
}

/// T5': the acceptance did not come in time.
pub(crate) fn timeout(d: &mut Draft<'_>, order: OrderId) -> Result<(), Refusal> {
    let purchase = known(d, order, BuyerInput::Timeout)?;
    let (now, limit) = (d.block.time, purchase.request.terms.deadline);
    d.require(Guard::AfterDeadline, now > limit, Fact::Time { now, limit })?;
    refund(d, order, purchase);
    d.then(Change::Emit(Payload::Refund(order)));
    Ok(())
}

/// T5'': Y said no, for good.
pub(crate) fn release(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    certificate: &Arc<Certificate>,
    (order, input): (OrderId, BuyerInput),
) -> Result<(), Refusal> {
    let purchase = known(d, order, input)?;
    d.author(certificate, &purchase.request.terms.chain_y)?;
    d.certified(verify, certificate)?;
    refund(d, order, purchase);
    d.then(Change::Keep(certificate.clone()));
    Ok(())
}

fn refund(d: &mut Draft<'_>, order: OrderId, mut purchase: Purchase) {
    let terms = purchase.request.terms.clone();
    let buyer = Account::Clearing(terms.buyer.clone());
    d.pay(Account::Escrow(order), buyer, terms.escrow);
    d.then(Change::Expose(
        terms.buyer.clone(),
        terms.seller.clone(),
        -terms.escrow,
    ));
    purchase.state = BuyerState::Refunded;
    d.then(Change::Purchase(order, purchase));
}

/// T9, phase 6: pays.
pub(crate) fn pay(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    certificate: &Arc<Certificate>,
    outcome: &Outcome,
) -> Result<(), Refusal> {
    let order = outcome.order;
    let mut purchase = known(d, order, BuyerInput::SettleCertificate)?;
    let terms = purchase.request.terms.clone();
    ask_settlement(d, verify, (certificate, outcome), &terms)?;
    let Settlement {
        settled,
        payment,
        to_seller,
        to_aggregator,
        disputed,
        ..
    } = outcome.settlement;
    let held = terms.price.cost_of(settled + disputed) - payment;
    let escrow = Account::Escrow(order);
    d.pay(
        escrow.clone(),
        Account::Clearing(terms.seller.clone()),
        to_seller,
    );
    d.pay(
        escrow.clone(),
        Account::Clearing(terms.aggregator.clone()),
        to_aggregator,
    );
    d.pay(escrow.clone(), Account::Dispute(order), held);
    d.pay(
        escrow,
        Account::Clearing(terms.buyer.clone()),
        terms.escrow - payment - held,
    );
    d.then(Change::Expose(
        terms.buyer.clone(),
        terms.seller.clone(),
        -terms.escrow,
    ));
    purchase.state = BuyerState::Settled;
    purchase.settled = Some(settled);
    d.then(Change::Purchase(order, purchase));
    d.then(Change::Keep(certificate.clone()));
    Ok(())
}

/// What T9 and T10 ask of a settlement.
pub(crate) fn ask_settlement(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    (certificate, outcome): (&Certificate, &Outcome),
    terms: &Terms,
) -> Result<(), Refusal> {
    d.author(certificate, &d.state.rules().vpp)?;
    let same = outcome.terms_hash == terms.hash();
    d.require(Guard::SameTerms, same, Fact::Plain)?;
    let fits = outcome.settlement.follows_from(&terms.settlement());
    d.require(Guard::Consistent, fits, Fact::Plain)?;
    d.certified(verify, certificate)
}
