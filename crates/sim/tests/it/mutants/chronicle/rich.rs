//! What somebody with money where he is not at home could try, and the operator on a ledger that is not its own.

use tieline_contract::state::Tariff;
use tieline_contract::transaction::{Act, Transaction};
use tieline_sim::acts::{later, local};
use tieline_sim::village::{Village, chain, genesis, member, request, signed};
use tieline_sim::world::{ROGUE, Side};
use tieline_units::{Energy, Money, Price};

use super::{Tale, new_chain};

/// After an order was paid on X: the seller, at home on Y, has earned money there.
pub(super) fn rich(tale: &mut Tale, village: &Village) {
    let now = tale.ledgers[Side::X as usize].block().time;
    tale.go(Side::X, now, &order_of_another_chain(village));
    tale.go(Side::X, now, &chain_on_x(village));
    let act = Act::Tariff {
        start: now.plus_millis(86_400_000),
        tariff: Tariff {
            import: Price::from_millionths(300_000),
            export: Price::from_millionths(50_000),
        },
    };
    let prices = Transaction::Signed(signed("chain-x", "vpp", act));
    tale.go(Side::X, now, &prices);
}

/// Both sides at home on Y, submitted on X.
fn order_of_another_chain(village: &Village) -> Transaction {
    let mut terms = later(village.terms(), 86_400_000);
    (terms.buyer, terms.seller) = (member("mg-y"), member("mg-y2"));
    (terms.chain_x, terms.genesis_x) = (chain("chain-y"), genesis("chain-y"));
    terms.quantity = Energy::from_millijoules(36_000_000);
    terms.escrow = Money::from_millionths(10_000);
    terms.bond = Money::ZERO;
    terms.rendering_hash = terms.rendering_digest();
    let Transaction::Local { request, answer } = local(&request(terms, 9)) else {
        unreachable!("both sides at once");
    };
    let answer = signed("chain-x", "mg-y2", answer.act.clone());
    Transaction::Local { request, answer }
}

/// The operator registers a chain where no stakes lie, at the cost of a member that has money there.
fn chain_on_x(village: &Village) -> Transaction {
    let mut committee = village.committee(ROGUE, 0);
    committee.chain = chain("chain-n");
    for seat in &mut committee.seats {
        seat.owner = member("mg-x");
        seat.key = tieline_sim::symbol::key(&format!("new {:?}", seat.key.id()));
    }
    let all = committee.seats.len();
    let Transaction::Signed(act) = new_chain(committee, all) else {
        unreachable!("an act of the operator");
    };
    Transaction::Signed(signed("chain-x", "vpp", act.act.clone()))
}
