//! Orders whose two sides are on one chain, and settlements, which reach either side.

use std::sync::Arc;

use crate::buyer::{ask_request, lock, pay};
use crate::certificate::Certificate;
use crate::change::{Change, Draft};
use crate::guard::{Fact, Guard, Refusal};
use crate::payload::{Commitment, Outcome, Payload};
use crate::seller::{acceptance, ask_answer, close, promise};
use crate::terms::Request;
use crate::trade::{BuyerState, Sale, SellerState, commit_hash};
use crate::transaction::Signed;
use crate::transition::Transition;
use tieline_seal::hybrid::Verify;

/// T0: both gateways at once; COMMITTED and CONFIRMED in one step. Formula (12) has nothing to say about one chain.
pub(crate) fn local(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    request: &Arc<Request>,
    answer: &Signed,
) -> Result<(), Refusal> {
    let (order, terms, state) = (request.order(), &request.terms, d.state);
    d.begin(Transition::Local);
    let unused = state.purchase(order).is_none() && state.sale(order).is_none();
    d.require(Guard::State, unused, Fact::Is("on this chain already"))?;
    let one = terms.chain_x == terms.chain_y && terms.genesis_x == terms.genesis_y;
    d.require(Guard::OneChain, one, Fact::Name(terms.chain_y.to_string()))?;
    ask_request(d, verify, request)?;
    let (now, limit) = (d.block.time, terms.gate_closure);
    d.require(Guard::BeforeGate, now < limit, Fact::Time { now, limit })?;
    ask_answer(d, verify, (order, request), answer)?;
    let acceptance = acceptance(terms, &answer.act).filter(|acceptance| acceptance.order == order);
    let Some(acceptance) = acceptance else {
        return Err(Refusal::new(Guard::SameTerms, Fact::Plain));
    };
    let commitment = Commitment {
        request: request.clone(),
        trade_hash: acceptance.hash(),
    };
    lock(d, request, BuyerState::Committed, Some(acceptance.hash()));
    promise(d, order, terms);
    let sale = Sale {
        request: Some(request.clone()),
        state: SellerState::Confirmed,
        epoch: state.current(&state.rules.chain).map_or(0, |c| c.epoch),
        acceptance: Some(acceptance),
        commit_hash: Some(commit_hash(&commitment)),
        delivered: None,
        settled: None,
    };
    d.then(Change::Sale(order, sale));
    d.then(Change::Emit(Payload::Commit(Arc::new(commitment))));
    Ok(())
}

/// T9 and T10: SET pays on X, closes on Y, and does both where they are one.
pub(crate) fn settled(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    certificate: &Arc<Certificate>,
    outcome: &Outcome,
) -> Result<(), Refusal> {
    let state = d.state;
    let bought = state.purchase(outcome.order).is_some();
    let sold = state.sale(outcome.order).is_some();
    if bought || !sold {
        pay(d, verify, certificate, outcome)?;
    }
    if sold {
        close(d, verify, certificate, outcome)?;
    }
    Ok(())
}
