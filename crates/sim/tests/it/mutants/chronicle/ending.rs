//! How an order ends: metered, overdue, paid.

use tieline_contract::terms::Request;
use tieline_contract::transaction::Transaction;
use tieline_sim::acts::imbalance;
use tieline_sim::village::{START, Village, chain, metered};
use tieline_sim::world::{Side, attest};
use tieline_units::Time;

use super::rich::rich;
use super::{Certificates, Tale, early, prices};

/// Z hears of what the buyer took, and of nothing else.
pub(super) fn taken_only(tale: &mut Tale, request: &Request, bound: &Certificates) {
    let terms = &request.terms;
    tale.carry(Side::Y, early(terms), bound);
    let drawn = metered("chain-x", "mg-x", START, -terms.quantity);
    let taken = tale.go(Side::X, terms.end(), &drawn);
    tale.carry(Side::Z, terms.end(), &taken);
    let late = overdue(tale, request);
    tale.go(Side::Z, late, &Transaction::Default(request.order()));
}

/// Readings with the fewest signatures, then with all, then another.
pub(super) fn thin(tale: &mut Tale, request: &Request, bound: &Certificates) {
    let terms = &request.terms;
    tale.carry(Side::Y, early(terms), bound);
    let given = metered("chain-y", "mg-y", START, terms.quantity);
    let drawn = metered("chain-x", "mg-x", START, -terms.quantity);
    let given = tale.go(Side::Y, terms.end(), &given);
    let taken = tale.go(Side::X, terms.end(), &drawn);
    for certificate in taken.iter().chain(&given) {
        let (name, at) = (certificate.chain.as_str(), (0, certificate.height));
        let few = attest(name, at, certificate.payload.clone(), &[0, 1]);
        tale.carry(Side::Z, terms.end(), &[few]);
    }
    tale.carry(Side::Z, terms.end(), &given);
}

/// Nobody's meter speaks.
pub(super) fn nothing_metered(tale: &mut Tale, request: &Request) {
    let after = overdue(tale, request);
    let nothing = tale.go(Side::Z, after, &Transaction::Default(request.order()));
    tale.carry(Side::X, after, &nothing);
    tale.carry(Side::Y, after, &nothing);
}

fn overdue(tale: &Tale, request: &Request) -> Time {
    let grace = tale.ledgers[2].rules().grace;
    request.terms.metering_deadline.plus_millis(grace + 1)
}

/// What flowed in the order's interval.
fn flowed(request: &Request) -> Transaction {
    let terms = &request.terms;
    let flows = [("mg-x", -terms.quantity), ("mg-y", terms.quantity)];
    imbalance(terms.start, flows)
}

/// Metered at both ends, settled, paid, netted.
pub(super) fn paid(tale: &mut Tale, request: &Request) {
    let terms = &request.terms;
    let (after, quantity) = (terms.end(), terms.quantity);
    let given = tale.go(Side::Y, after, &metered("chain-y", "mg-y", START, quantity));
    let taken = tale.go(
        Side::X,
        after,
        &metered("chain-x", "mg-x", START, -quantity),
    );
    tale.branch(|tale| {
        tale.carry(Side::Z, after, &given);
        let late = overdue(tale, request);
        tale.go(Side::Z, late, &Transaction::Default(request.order()));
    });
    tale.branch(|tale| {
        tale.carry(Side::Z, after, &taken);
        let late = overdue(tale, request);
        tale.go(Side::Z, late, &Transaction::Default(request.order()));
    });
    tale.go(Side::Z, early(terms), &prices());
    tale.go(Side::Z, early(terms), &flowed(request));
    tale.carry(Side::Z, after, &taken);
    // The order is open yet.
    tale.go(Side::Z, after, &flowed(request));
    let done = tale.carry(Side::Z, after, &given);
    tale.branch(|tale| {
        tale.go(Side::Z, after, &flowed(request));
    });
    let [one, other] = ["chain-x", "chain-y"].map(chain);
    let net = Transaction::Net { one, other };
    let home = tale.go(Side::Z, after, &net);
    tale.carry(Side::X, after, &home);
    tale.carry(Side::X, after, &done);
    tale.branch(|tale| rich(tale, &Village::default()));
    tale.carry(Side::Y, after, &done);
    tale.carry(Side::X, after, &home);
    tale.carry(Side::Y, after, &home);
}
