//! The terms in plain language.

use proptest::prelude::*;
use tieline_contract::settlement::Metering;
use tieline_contract::terms::Terms;
use tieline_sim::village::{Village, chain, member};
use tieline_units::{Currency, Digest, Energy, IntervalLength, Money, Price, Time};

const PLAIN: &str = "\
An order for energy: mg-y on the ledger chain-y sells to mg-x on the ledger chain-x.
aggregator matched them in the market round whose certificate has the hash ROUND.
These are terms of version 1 for the contract code tieline-contract/1.
mg-y delivers 2.500000 kWh (exactly 9000000000 mJ) from 1970-01-11T10:00:00Z to 1970-01-11T10:15:00Z.
Each is metered at its own tie line, and what mg-y delivers counts, up to the energy ordered.
What mg-x does not take of it, mg-x settles with the grid.
Readings are due by 1970-01-11T11:15:00Z and a grace that the VPP's ledger sets.
Without mg-x's reading mg-y's stands; without mg-y's nothing is paid, and no penalty.
mg-x pays 0.2500 EUR for every kWh that counts: 0.2000 EUR to mg-y, the rest to aggregator.
For energy that was ordered and not delivered mg-y pays mg-x 100 % of 0.0400 EUR per kWh, at most its bond.
mg-x locks 0.625000 EUR on chain-x with its request, mg-y a bond of 0.100000 EUR on chain-y with its yes.
Whatever of this is not owed in the end goes back; the fee of the request, which chain-x sets, does not.
mg-y can say yes on chain-y until 1970-01-11T09:29:30Z; the yes is tentative.
If chain-x does not know of it by 1970-01-11T09:30:00Z, mg-x can have its money back.
If chain-x does, mg-x is bound, and waits for chain-y.
The order is on when chain-y confirms it before 1970-01-11T09:55:00Z, and nothing else decides.
If chain-y does not, nobody owes anything.
";

#[test]
fn the_villages_terms_read_so() {
    let round = Digest::of(b"round").to_string();
    let expected = PLAIN.replace("ROUND", &round);
    assert_eq!(Village::default().terms().rendering(), expected);
}

#[test]
fn a_line_of_their_own_reads_otherwise() {
    let mut terms = Village::default().terms();
    terms.metering = Metering::OwnLine {
        loss_ppm: 15_000,
        tolerance_ppm: 20_001,
    };
    let text = terms.rendering();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[4..6],
        [
            "Both ends of a line of their own are metered, and the least counts of what mg-y delivers, what mg-x takes with 1.5 % for losses, and the energy ordered.",
            "Where the ends differ by more than 2.0001 % of what mg-y delivers, the price of the whole difference is held back.",
        ]
    );
}

/// Whether a field is for people, or technical: then the hash of the terms alone tells.
#[derive(PartialEq)]
enum Told {
    InText,
    InHash,
}

/// One change for every field; a new field does not compile here until it has one.
fn changes(terms: &Terms) -> Vec<(&'static str, Told, Terms)> {
    use Told::{InHash, InText};
    let mut out = Vec::new();
    macro_rules! with {
        ($($field:ident: $told:expr, $value:expr;)*) => {
            let Terms { $($field: _),* } = terms;
            $(let mut changed = terms.clone();
            changed.$field = $value;
            out.push((stringify!($field), $told, changed));)*
        };
    }
    let later = |time: Time| time.plus_millis(1);
    with! {
        version: InText, terms.version + 1;
        chain_x: InText, chain("chain-w");
        chain_y: InText, chain("chain-w");
        genesis_x: InHash, Digest::of(b"another");
        genesis_y: InHash, Digest::of(b"another");
        buyer: InText, member("mg-x2");
        seller: InText, member("mg-x2");
        aggregator: InText, member("mg-x2");
        round_hash: InText, Digest::of(b"another");
        start: InText, later(terms.start);
        length: InText, IntervalLength::Min30;
        quantity: InText, terms.quantity + Energy::from_millijoules(1);
        currency: InText, Currency::parse("CHF").unwrap();
        price: InText, Price::from_millionths(terms.price.as_millionths() + 1);
        seller_price: InText, Price::from_millionths(terms.seller_price.as_millionths() + 1);
        metering: InText, Metering::OwnLine { loss_ppm: 0, tolerance_ppm: 0 };
        penalty_short_ppm: InText, terms.penalty_short_ppm + 1;
        imbalance: InText, Price::from_millionths(terms.imbalance.as_millionths() + 1);
        escrow: InText, terms.escrow + Money::from_millionths(1);
        bond: InText, terms.bond + Money::from_millionths(1);
        deadline: InText, later(terms.deadline);
        gate_closure: InText, later(terms.gate_closure);
        metering_deadline: InText, later(terms.metering_deadline);
        delta_t: InText, terms.delta_t + 1;
        code_version: InText, "another".to_owned();
        rendering_hash: InHash, Digest::of(b"another");
    }
    out
}

#[test]
fn whatever_changes_in_the_terms_changes_the_text_or_at_least_the_hash() {
    let terms = Village::default().terms();
    for (field, told, changed) in changes(&terms) {
        assert_ne!(changed.hash(), terms.hash(), "{field}");
        let differs = changed.rendering() != terms.rendering();
        assert_eq!(differs, told == Told::InText, "{field}");
    }
}

#[test]
fn every_line_is_one_sentence() {
    for line in Village::default().terms().rendering().lines() {
        assert!(line.ends_with('.') && !line.contains(". "), "{line}");
    }
}

proptest! {
    #[test]
    fn other_numbers_read_otherwise(
        one in (1i64..10_000_000_000_000_000, 0i64..10_000_000_000, 0u32..10_000_000, 0u32..10_000_000, 0u32..10_000_000),
        other in (1i64..10_000_000_000_000_000, 0i64..10_000_000_000, 0u32..10_000_000, 0u32..10_000_000, 0u32..10_000_000),
    ) {
        let text = |(energy, price, penalty, loss_ppm, tolerance_ppm)| {
            let mut terms = Village::default().terms();
            terms.quantity = Energy::from_millijoules(energy);
            terms.price = Price::from_millionths(price);
            terms.penalty_short_ppm = penalty;
            terms.metering = Metering::OwnLine { loss_ppm, tolerance_ppm };
            terms.rendering()
        };
        prop_assert_eq!(text(one) == text(other), one == other);
    }
}
