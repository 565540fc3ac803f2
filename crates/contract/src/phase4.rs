//! Phase 4's three conditions, formulas (1) to (3): the seller may say its tentative yes.
//!
//! **Deviation.** Formula (1) gives timeliness, not atomicity: whether an order is on is decided by Y's confirmation before
//! the gate closes, whatever the messages do.

use tieline_units::Time;

use crate::payload::{Kind, Subject};
use crate::state::State;
use crate::terms::{OrderId, Request};
use tieline_seal::hybrid::{PublicKey, Verify};

/// Formula (1): t_current ≤ t_deadline - Δt.
///
/// `now`: block time of Y; `delta_t`: milliseconds. The boundary belongs to it.
pub fn in_time(now: Time, deadline: Time, delta_t: u64) -> bool {
    now.as_millis()
        .checked_add(delta_t)
        .is_some_and(|late| late <= deadline.as_millis())
}

/// Formula (2): Request(mx_i) ∈ {V_y}: the request stands on Y, and the certificate that brought it is kept there.
pub fn arrived(ledger: &State, request: &Request, order: OrderId) -> bool {
    let key = (
        request.terms.chain_x.clone(),
        Kind::Request,
        Subject::Order(order),
    );
    ledger.kept.contains_key(&key)
}

/// Formula (3): Traceability(mx_i, Key, sig) = 1: the terms are the buyer's own words, under the key bound to it by the
/// registry.
pub fn traceable(request: &Request, order: OrderId, key: &PublicKey, verify: &dyn Verify) -> bool {
    let domain = Request::domain(&request.terms);
    let message = Request::message(order, &request.unconditional);
    verify.verify(key, &domain, &message, &request.signature)
}
