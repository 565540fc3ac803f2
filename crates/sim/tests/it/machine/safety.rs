//! S1 to S10 of the specification, each as it stands there.

use tieline_contract::apply;
use tieline_contract::payload::{Kind, Payload, Subject};
use tieline_contract::phase4::in_time;
use tieline_contract::state::{Account, State};
use tieline_contract::threshold::public_check;
use tieline_contract::trade::{BuyerState, SellerState, VppState};
use tieline_contract::transaction::{Act, Transaction};
use tieline_contract::transition::Transition;
use tieline_sim::symbol::Symbolic;
use tieline_units::{Energy, Money};

use super::action::Action;
use super::world::{Done, World};

/// Where an order stands on its X, its Y and on Z, with what was settled.
type Stand = (
    Option<(BuyerState, Option<Energy>)>,
    Option<(SellerState, Option<Energy>)>,
    Option<VppState>,
);

fn stand(world: &World, order: usize, sealed: bool) -> Stand {
    let id = world.deals[order].order;
    let (x, y) = world.ends(order);
    let on = |site: usize| match sealed {
        true => &world.sites[site].sealed,
        false => &world.sites[site].state,
    };
    (
        on(x).purchase(id).map(|p| (p.state, p.settled)),
        on(y).sale(id).map(|s| (s.state, s.settled)),
        on(2).settling(id).map(|s| s.state),
    )
}

fn stands(world: &World) -> impl Iterator<Item = Stand> {
    (0..world.deals.len()).map(|order| stand(world, order, false))
}

pub(super) fn s1_terminal_outcomes_agree(world: &World) {
    for (x, y, _) in stands(world) {
        let some = |q: Option<Energy>| q.is_some_and(|q| q > Energy::ZERO);
        if let Some((BuyerState::Refunded, _)) = x {
            let bound = matches!(y, Some((SellerState::Confirmed, _)));
            let paid = matches!(y, Some((SellerState::Settled, q)) if some(q));
            assert!(!bound && !paid, "S1: refunded and {y:?}");
        }
        if let Some((BuyerState::Settled, q)) = x
            && some(q)
        {
            let on = matches!(y, Some((SellerState::Confirmed | SellerState::Settled, _)));
            assert!(on, "S1: paid and {y:?}");
        }
        if let (Some((BuyerState::Settled, q)), Some((SellerState::Settled, other))) = (x, y) {
            assert_eq!(q, other, "S1");
        }
    }
}

pub(super) fn s2_money_and_capacity_are_conserved(world: &World) {
    for site in &world.sites {
        let sum: Money = site.state.accounts().map(|(_, money)| money).sum();
        assert_eq!(sum, Money::ZERO, "S2");
        for (account, money) in site.state.accounts() {
            assert!(
                money > Money::ZERO || *account == Account::Outside,
                "S2: {account:?}"
            );
        }
        let outside = site.state.balance(&Account::Outside);
        assert_eq!(
            outside,
            World::new_outside(&site.state),
            "S2: money came from nowhere"
        );
        for (seller, start, energy) in site.state.reservations() {
            let fits = energy > Energy::ZERO && energy <= site.state.nameplate(seller);
            assert!(fits, "S2: {seller} promised {energy:?} at {start}");
        }
    }
}

impl World {
    /// Nothing is deposited or netted in these worlds: what came in is what the funds were.
    fn new_outside(state: &State) -> Money {
        let microgrids = match state.rules().chain.as_str() {
            "chain-x" | "chain-y" => 2,
            _ => 0,
        };
        Money::from_millionths(-100_000_000 * microgrids)
    }
}

pub(super) fn s3_at_most_one_accept_and_one_settlement(world: &World) {
    for deal in &world.deals {
        for kind in [
            Kind::Accept,
            Kind::Settle,
            Kind::Commit,
            Kind::Taken,
            Kind::Delivered,
        ] {
            let about = |payload: &Payload| {
                payload.kind() == kind && payload.subject() == Subject::Order(deal.order)
            };
            let states = world.sites.iter().map(|site| &site.state);
            let said = states
                .flat_map(State::said)
                .filter(|(_, payload)| about(payload));
            assert!(said.count() <= 1, "S3: {kind:?} twice");
        }
    }
}

/// What a ledger has stored as terminal stays, also over a crash.
pub(super) fn s3_terminal_states_never_change(before: &World, after: &World) {
    for order in 0..before.deals.len() {
        let (then, now) = (stand(before, order, true), stand(after, order, false));
        if let Some((BuyerState::Settled | BuyerState::Refunded, _)) = then.0 {
            assert_eq!(then.0, now.0, "S3");
        }
        use SellerState as S;
        if let Some((S::Settled | S::Rejected | S::Voided, _)) = then.1 {
            assert_eq!(then.1, now.1, "S3");
        }
        if let Some(VppState::Settled) = then.2 {
            assert_eq!(then.2, now.2, "S3");
        }
    }
}

pub(super) fn s4_paid_at_most_what_was_metered(world: &World) {
    for (index, deal) in world.deals.iter().enumerate() {
        let (x, y) = world.ends(index);
        let purchase = world.sites[x].state.purchase(deal.order);
        let Some(settled) = purchase.and_then(|p| p.settled) else {
            continue;
        };
        let sale = world.sites[y].state.sale(deal.order);
        let delivered = sale.and_then(|s| s.delivered).unwrap_or(Energy::ZERO);
        assert!(settled <= delivered, "S4: {settled:?} of {delivered:?}");
        let settlement = world.sites[2]
            .state
            .settling(deal.order)
            .and_then(|s| s.settlement);
        let most = deal.terms.price.cost_of(delivered);
        assert!(settlement.is_some_and(|s| s.payment <= most), "S4");
    }
}

pub(super) fn s5_dispatched_means_escrow_is_held_or_settled(world: &World) {
    for (index, deal) in world.deals.iter().enumerate() {
        let (x, y) = world.ends(index);
        let sale = world.sites[y].state.sale(deal.order);
        if sale.is_some_and(|sale| sale.may_dispatch()) {
            let state = &world.sites[x].state;
            let held = state.balance(&Account::Escrow(deal.order)) == deal.terms.escrow;
            let bought = state.purchase(deal.order).map(|p| p.state);
            let safe = match bought {
                Some(BuyerState::Committed) => held,
                Some(BuyerState::Settled) => true,
                Some(BuyerState::Locked | BuyerState::Refunded) | None => false,
            };
            assert!(safe, "S5: {bought:?}");
        }
    }
}

fn accepted(world: &World) -> Option<(&Done, &[Transition])> {
    let done = world.done.as_ref()?;
    Some((done, done.outcome.as_ref().ok()?))
}

pub(super) fn s6_accepted_in_time(world: &World) {
    let Some((done, [Transition::Accept])) = accepted(world) else {
        return;
    };
    let Transaction::Signed(signed) = &done.transaction else {
        unreachable!("an acceptance is signed");
    };
    let Act::Accept { order, .. } = &signed.act else {
        unreachable!("an acceptance is one");
    };
    let deal = world
        .deals
        .iter()
        .find(|deal| deal.order == *order)
        .unwrap();
    assert!(
        in_time(done.time, deal.terms.deadline, deal.terms.delta_t),
        "S6"
    );
}

pub(super) fn s7_confirmed_before_the_gate_closed(world: &World) {
    let Some((done, transitions)) = accepted(world) else {
        return;
    };
    if transitions.contains(&Transition::Confirm) || transitions.contains(&Transition::Local) {
        assert!(done.time < world.deals[0].terms.gate_closure, "S7");
    }
}

pub(super) fn s8_certificates_have_enough_registered_signers(world: &World) {
    let Some((done, _)) = accepted(world) else {
        return;
    };
    let Transaction::Certificate(certificate) = &done.transaction else {
        return;
    };
    let state = &world.sites[done.on].state;
    let (chain, epoch) = (&certificate.chain, certificate.epoch);
    let committee = state
        .committee(chain, epoch)
        .expect("S8: an epoch that is known");
    assert!(!state.is_closed(chain, epoch), "S8");
    let counted = certificate.attestations.len();
    assert!(
        public_check(committee, certificate.payload.kind(), counted).is_ok(),
        "S8: {counted} signers"
    );
    assert!(
        certificate.verify_signatures(committee, &Symbolic).is_ok(),
        "S8"
    );
}

pub(super) fn s9_no_two_certificates_contradict_each_other(world: &World) {
    for certificate in world.certificates.values() {
        let same = |other: &&std::sync::Arc<tieline_contract::certificate::Certificate>| {
            other.chain == certificate.chain && other.height == certificate.height
        };
        for other in world.certificates.values().filter(same) {
            let roots = (certificate.statement(), other.statement());
            assert_eq!(roots.0, roots.1, "S9: two roots of one block");
        }
    }
}

pub(super) fn s10_redelivery_changes_nothing(world: &World, action: &Action) {
    let Some((done, _)) = accepted(world) else {
        return;
    };
    if matches!(action, Action::Deliver { .. }) {
        let site = &world.sites[done.on];
        let mut again = site.state.clone();
        let outcome = apply(&mut again, &done.transaction, site.block(), &Symbolic);
        assert!(outcome.is_err(), "S10: {action:?} twice");
        assert_eq!(again.records(), site.state.records(), "S10");
    }
}

/// Certificates that a ledger would take now, one per order, in one order and in the other.
pub(super) fn s10_deliveries_commute(world: &World) {
    for (on, site) in world.sites.iter().enumerate() {
        let mut orders = std::collections::BTreeSet::new();
        let mut take = Vec::new();
        for (&(from, kind, order), certificate) in &world.certificates {
            let (to, transaction) = (on, Transaction::Certificate(certificate.clone()));
            let action = Action::Deliver {
                kind,
                order,
                to,
                thin: false,
            };
            // Both readings of one order do not compete; a commitment does, it comes too late when they are there.
            let both = matches!(kind, Kind::Taken | Kind::Delivered);
            // What came home counts once per block, whichever entry it is.
            if from != on && world.takes(&action) && (orders.insert(order) || both) {
                take.push(transaction);
            }
        }
        let run = |transactions: &mut dyn Iterator<Item = &Transaction>| {
            let mut state = site.state.clone();
            for transaction in transactions {
                apply(&mut state, transaction, site.block(), &Symbolic).unwrap();
            }
            business(&state)
        };
        assert_eq!(
            run(&mut take.iter()),
            run(&mut take.iter().rev()),
            "S10 on {on}"
        );
    }
}

/// All records; the entries of the outbox without their places in it, which are the order of the block.
fn business(state: &State) -> Vec<(Vec<u8>, Vec<u8>)> {
    const OUTBOX: u8 = 15;
    let mut records = state.records();
    for (key, _) in records.iter_mut().filter(|(key, _)| key[0] == OUTBOX) {
        key.truncate(9);
    }
    records.sort();
    records
}

pub(super) fn refusals_leave_no_trace(before: &World, after: &World) {
    let Some(Done {
        on,
        outcome: Err(_),
        ..
    }) = &after.done
    else {
        return;
    };
    let records = |world: &World| world.sites[*on].state.records();
    assert_eq!(records(before), records(after));
}

/// With every ledger alive and one relayer, everything that began has ended.
pub(super) fn l1_every_order_is_terminal(world: &World) {
    for (order, (x, y, z)) in stands(world).enumerate() {
        let bought = matches!(
            x,
            None | Some((BuyerState::Settled | BuyerState::Refunded, _))
        );
        use SellerState as S;
        let sold = matches!(y, None | Some((S::Settled | S::Rejected | S::Voided, _)));
        assert!(bought && sold, "L1: order {order} is {x:?}, {y:?}, {z:?}");
    }
}
