//! S3, S6, S7 and S8: what one transition may do, judged from the two states around it.

use std::collections::BTreeSet;

use tieline_contract::certificate::Certificate;
use tieline_contract::phase4;
use tieline_contract::state::State;
use tieline_contract::terms::OrderId;
use tieline_contract::trade::{BuyerState, SellerState};
use tieline_contract::transaction::Transaction;
use tieline_contract::transition::Transition;
use tieline_seal::hybrid::{Purpose, Verify};
use tieline_units::Time;

use super::{Broken, Rule};
use crate::symbol::Symbolic;

/// What a transition violates.
///
/// `states`: before and after. `done`: the transaction and its transitions.
pub(crate) fn edge(
    states: (&State, &State),
    done: (&Transaction, &[Transition]),
    now: Time,
) -> Broken {
    let (before, after) = states;
    let (transaction, transitions) = done;
    let orders = before.orders();
    let steady = orders.iter().all(|order| steady(before, after, *order));
    let changed: Vec<OrderId> = after
        .orders()
        .into_iter()
        .filter(|order| stands(before, *order) != stands(after, *order))
        .collect();
    let accepted = changed.iter().all(|order| {
        stands(after, *order) != Some(SellerState::Accepted)
            && !transitions.contains(&Transition::Accept)
            || timely(before, *order, now)
    });
    let confirmed = changed.iter().all(|order| {
        !transitions.contains(&Transition::Confirm) || before_gate(before, *order, now)
    });
    let signed = match transaction {
        Transaction::Certificate(certificate) => enough(before, certificate),
        _ => true,
    };
    Broken::unless(Rule::S3, steady)
        | Broken::unless(Rule::S6, accepted)
        | Broken::unless(Rule::S7, confirmed)
        | Broken::unless(Rule::S8, signed)
}

fn stands(state: &State, order: OrderId) -> Option<SellerState> {
    state.sale(order).map(|sale| sale.state)
}

/// S3: what is terminal stays as it is; an acceptance, a decision and a settlement are made once.
fn steady(before: &State, after: &State, order: OrderId) -> bool {
    let purchase = before.purchase(order).is_none_or(|old| {
        let over = matches!(old.state, BuyerState::Settled | BuyerState::Refunded);
        let new = after.purchase(order);
        new.is_some_and(|new| {
            (!over || new == old)
                && (old.trade_hash.is_none() || new.trade_hash == old.trade_hash)
                && (old.taken.is_none() || new.taken == old.taken)
                && (old.key.is_none() || new.key == old.key)
        })
    });
    let sale = before.sale(order).is_none_or(|old| {
        use SellerState as S;
        let over = matches!(old.state, S::Settled | S::Rejected | S::Voided);
        let new = after.sale(order);
        new.is_some_and(|new| {
            (!over || new == old)
                && (old.acceptance.is_none() || new.acceptance == old.acceptance)
                && (old.commit_hash.is_none() || new.commit_hash == old.commit_hash)
                && (old.delivered.is_none() || new.delivered == old.delivered)
        })
    });
    let settling = before.settling(order).is_none_or(|old| {
        let new = after.settling(order);
        let once = |new: &tieline_contract::trade::Settling| new.settlement == old.settlement;
        old.settlement.is_none() || new.is_some_and(once)
    });
    purchase && sale && settling
}

/// S6: formulas (1) to (3).
fn timely(before: &State, order: OrderId, now: Time) -> bool {
    let request = before.sale(order).and_then(|sale| sale.request.clone());
    let Some(request) = request else {
        return false;
    };
    let terms = &request.terms;
    let key = before.member(&terms.buyer).map(|buyer| &buyer.key);
    now.plus_millis(terms.delta_t) <= terms.deadline
        && phase4::arrived(before, &request, order)
        && key.is_some_and(|key| phase4::traceable(&request, order, key, &Symbolic))
}

/// S7.
fn before_gate(before: &State, order: OrderId, now: Time) -> bool {
    let request = before.sale(order).and_then(|sale| sale.request.as_ref());
    request.is_some_and(|request| now < request.terms.gate_closure)
}

/// S8: enough distinct registered members of an open epoch of the chain signed the root over the entry.
fn enough(state: &State, certificate: &Certificate) -> bool {
    let (chain, epoch) = (&certificate.chain, certificate.epoch);
    let committee = state.committee(chain, epoch);
    let (Some(committee), Some(statement)) = (committee, certificate.statement()) else {
        return false;
    };
    let (domain, message) = (statement.domain(Purpose::Attestation), statement.message());
    let signers: BTreeSet<_> = certificate
        .attestations
        .iter()
        .filter_map(|(seat, signature)| {
            let key = &committee.seats.get(usize::from(*seat))?.key;
            Symbolic
                .verify(key, &domain, &message, signature)
                .then(|| key.id())
        })
        .collect();
    !state.is_closed(chain, epoch)
        && certificate.genesis == committee.genesis
        && signers.len() >= committee.needed(certificate.payload.kind())
}
