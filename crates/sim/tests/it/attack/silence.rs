//! Attack 29: a party or a whole committee falls silent in some phase, for ever. Everybody else goes on.

use tieline_contract::state::{Account, State};
use tieline_contract::trade::{BuyerState, SellerState};
use tieline_contract::transaction::Transaction;
use tieline_sim::village::{CHAINS, START, certificates, key_return, metered};
use tieline_units::{Energy, Time};

use crate::town::{ALL, Deal, Phase, Town, terms};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silent {
    Nobody,
    Buyer,
    Seller,
    /// The verification nodes of a chain.
    Committee(&'static str),
}

const SILENT: [Silent; 6] = [
    Silent::Nobody,
    Silent::Buyer,
    Silent::Seller,
    Silent::Committee("chain-x"),
    Silent::Committee("chain-y"),
    Silent::Committee("chain-z"),
];

/// What all others can still do, tried until time is over.
fn aftermath(town: &mut Town, deal: &Deal, silent: Silent) {
    let grace = town.on("chain-z").rules().grace;
    let last = deal.terms.metering_deadline.plus_millis(grace + 1);
    let late = deal.terms.deadline.plus_millis(1);
    for now in [
        town.now,
        late,
        deal.terms.gate_closure,
        deal.terms.end(),
        last,
    ] {
        town.now = now;
        for _ in 0..5 {
            parties(town, deal, silent);
            deliveries(town, silent);
        }
    }
}

fn parties(town: &mut Town, deal: &Deal, silent: Silent) {
    let (terms, order) = (&deal.terms, deal.order);
    let late = tieline_sim::village::timeout_request(terms, deal.request.nonce);
    let mut acts = vec![
        ("chain-x", Transaction::Timeout(order)),
        ("chain-y", late),
        ("chain-y", Transaction::Void(order)),
        ("chain-z", Transaction::Default(order)),
    ];
    if silent != Silent::Buyer {
        acts.push(("chain-x", key_return(terms, order)));
        acts.push((
            "chain-x",
            metered("chain-x", "mg-x", START, -terms.quantity),
        ));
    }
    if silent != Silent::Seller {
        acts.push(("chain-y", deal.accept()));
        acts.push(("chain-y", metered("chain-y", "mg-y", START, terms.quantity)));
    }
    for (name, act) in acts {
        let _ = town.try_act(name, &act);
    }
}

/// One relayer that starts with nothing: everything that was ever said and is still attested, to everybody.
fn deliveries(town: &mut Town, silent: Silent) {
    for from in CHAINS
        .into_iter()
        .filter(|name| silent != Silent::Committee(name))
    {
        let heights: Vec<u64> = State::said(town.on(from))
            .map(|(height, _)| height)
            .collect();
        for height in heights {
            for certificate in certificates(town.on(from), height, 0, &ALL) {
                for to in CHAINS.into_iter().filter(|to| *to != from) {
                    let _ = town.try_act(to, &Transaction::Certificate(certificate.clone()));
                }
            }
        }
    }
}

fn terminal(town: &Town, deal: &Deal) -> (bool, bool) {
    let bought = matches!(
        town.bought(deal),
        None | Some(BuyerState::Settled | BuyerState::Refunded)
    );
    use SellerState as S;
    let sold = matches!(
        town.sold(deal),
        None | Some(S::Settled | S::Rejected | S::Voided)
    );
    (bought, sold)
}

#[test]
fn attack_29_whoever_falls_silent_in_whatever_phase_both_chains_end_in_agreement() {
    use Phase as P;
    let phases = [
        P::Locked,
        P::Offered,
        P::Accepted,
        P::Committed,
        P::Confirmed,
        P::Metered,
    ];
    for phase in phases {
        for silent in SILENT {
            let mut town = Town::new();
            let deal = town.deal(terms(|_| ()), 7, phase);
            aftermath(&mut town, &deal, silent);
            let (bought, sold) = (town.bought(&deal), town.sold(&deal));
            let what = format!("{silent:?} from {phase:?} on: {bought:?}, {sold:?}");
            let confirmed = sold == Some(SellerState::Confirmed);
            if silent == Silent::Committee("chain-z") && confirmed {
                // L5: nothing is paid and nothing is lost.
                assert_eq!(bought, Some(BuyerState::Committed), "{what}");
                let escrow = town.on("chain-x").balance(&Account::Escrow(deal.order));
                assert_eq!(escrow, deal.terms.escrow, "{what}");
                continue;
            }
            assert_eq!(terminal(&town, &deal), (true, true), "{what}");
            agree(&town, &deal, &what);
        }
    }
}

/// S1, and that money is back where nothing was delivered.
fn agree(town: &Town, deal: &Deal, what: &str) {
    let paid = town
        .on("chain-x")
        .purchase(deal.order)
        .and_then(|p| p.settled);
    let earned = town.on("chain-y").sale(deal.order).and_then(|s| s.settled);
    let q = |settled: Option<Energy>| settled.unwrap_or(Energy::ZERO);
    assert_eq!(q(paid), q(earned), "{what}");
    if q(paid) == Energy::ZERO {
        assert_eq!(town.has("chain-x", "mg-x"), 100_000_000 - 1_000, "{what}");
    }
    for (name, account) in [
        ("chain-x", Account::Escrow(deal.order)),
        ("chain-y", Account::Bond(deal.order)),
    ] {
        assert_eq!(town.on(name).balance(&account).as_millionths(), 0, "{what}");
    }
    let reserved = town
        .on("chain-y")
        .reserved(&deal.terms.seller, deal.terms.start);
    assert_eq!(reserved, Energy::ZERO, "{what}");
}

#[test]
fn attack_29_without_silence_the_order_is_delivered_and_paid() {
    let mut town = Town::new();
    let deal = town.deal(terms(|_| ()), 7, Phase::Locked);
    aftermath(&mut town, &deal, Silent::Nobody);
    assert_eq!(
        town.on("chain-y").sale(deal.order).unwrap().settled,
        Some(deal.terms.quantity)
    );
    assert!(town.now > Time::from_millis(0));
}

#[test]
fn attack_29_a_dead_x_is_outlived_by_the_certificates_that_y_and_z_keep() {
    let mut town = Town::new();
    let mut deal = town.deal(terms(|_| ()), 7, Phase::Confirmed);
    let kept: Vec<_> = town.on("chain-y").kept().cloned().collect();
    let com = kept
        .iter()
        .find(|c| **c == deal.said[&tieline_contract::payload::Kind::Commit]);
    town.act("chain-z", &Transaction::Certificate(com.unwrap().clone()));
    town.now = deal.terms.end();
    let net = metered("chain-y", "mg-y", START, deal.terms.quantity);
    town.act_for("chain-y", &net, &mut deal);
    town.act(
        "chain-z",
        &deal.tell(tieline_contract::payload::Kind::Delivered),
    );
    let grace = town.on("chain-z").rules().grace;
    town.now = deal.terms.metering_deadline.plus_millis(grace + 1);
    let order = deal.order;
    town.act_for("chain-z", &Transaction::Default(order), &mut deal);
    town.act(
        "chain-y",
        &deal.tell(tieline_contract::payload::Kind::Settle),
    );
    assert_eq!(town.sold(&deal), Some(SellerState::Settled));
}
