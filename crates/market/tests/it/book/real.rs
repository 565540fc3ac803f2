//! Real books and offers, where the data is at hand: they are not ours to copy into the repository.
//!
//! OMIE, Iberian day-ahead market bids of 21 June 2025 (www.omie.es), own processing; AEMO, MMS Data Model tables of 2 August 2024.
//! Expected values: an independent clearing with exact decimals, and AEMO's own dispatch.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tieline_market::book::offer::{Band, BandOffer};
use tieline_market::book::text::parse_book;
use tieline_market::book::{PriceRule, TieRule, clear};
use tieline_units::decimal::Decimal;

/// Directory of shared data: `TIELINE_SHARED`, or beside the repository.
fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TIELINE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = root.join("data/order-books").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is absent, set TIELINE_SHARED", path.display());
    None
}

#[allow(
    clippy::disallowed_methods,
    reason = "real data stays outside the repository"
)]
fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("readable")
}

/// Rows of an unquoted table, fields by column name.
fn table(text: &str) -> impl Iterator<Item = BTreeMap<&str, &str>> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    lines.map(move |line| header.iter().copied().zip(line.split(',')).collect())
}

/// A decimal in billionths.
fn exact(text: &str) -> i128 {
    Decimal::parse(text)
        .expect("a decimal")
        .scaled(9)
        .expect("in range")
}

#[test]
fn omie_books_clear_to_the_exact_intervals() {
    let Some(directory) = shared("omie-2025-06-21") else {
        return;
    };
    let clearing = read(&directory.join("clearing.csv"));
    for row in table(&clearing) {
        let hour = row["period"];
        let text = read(&directory.join(format!("book-h{hour:0>2}.csv")));
        let book = parse_book(text.as_bytes()).expect("a book");
        for tie_rule in [TieRule::ProRata, TieRule::Order] {
            let found = clear(&book.book, PriceRule::Mid, tie_rule).expect("in range");
            let price = |end: Option<i64>| exact(&book.price(end.expect("both sides bid").into()));
            let quantity = |end| exact(&book.quantity(end));
            assert_eq!(
                price(found.price.low),
                exact(row["book_price_low_eur_per_mwh"]),
                "hour {hour}"
            );
            assert_eq!(
                price(found.price.high),
                exact(row["book_price_high_eur_per_mwh"]),
                "hour {hour}"
            );
            assert_eq!(
                quantity(found.quantity.low),
                exact(row["cleared_min_mwh"]),
                "hour {hour}"
            );
            assert_eq!(
                quantity(found.quantity.high),
                exact(row["cleared_max_mwh"]),
                "hour {hour}"
            );
        }
    }
}

/// Intervals of a unit in which the dispatch at the regional price is within 1 MW of the cleared power, and all intervals.
fn followed(text: &str, unit: &str) -> (usize, usize) {
    let (mut near, mut all) = (0, 0);
    for row in table(text).filter(|row| row["unit_id"] == unit) {
        // Watts, and hundredths of the currency.
        let power = |column: &str| {
            Decimal::parse(row[column])
                .expect("a decimal")
                .scaled(6)
                .expect("whole watts")
        };
        let price = |column: &str| {
            let ticks = Decimal::parse(row[column])
                .expect("a decimal")
                .scaled(2)
                .expect("cents");
            i64::try_from(ticks).expect("in range")
        };
        let band = |number: usize| Band {
            price: price(&format!("band{number}_price_aud_per_mwh")),
            quantity: power(&format!("band{number}_avail_mw"))
                .try_into()
                .expect("not negative"),
        };
        let offer = BandOffer::new((1..=10).map(band).collect()).expect("bands rise");
        let availability = power("availability_mw").try_into().expect("not negative");
        let dispatch = offer.dispatch(price("regional_price_aud_per_mwh"), availability);
        let most = i128::try_from(dispatch.most).expect("in range");
        near += usize::from((most - power("cleared_mw")).abs() <= 1_000_000);
        all += 1;
    }
    (near, all)
}

#[test]
fn aemo_units_run_the_bands_at_or_below_the_regional_price() {
    let Some(path) = shared("aemo-sa1-2024-08-02/offers.csv") else {
        return;
    };
    let text = read(&path);
    let (wind, all) = followed(&text, "HDWF2");
    assert!(all > 0 && wind == all, "HDWF2: {wind} of {all}");
    // The gas turbines ramp: AEMO moves them over several intervals.
    let (gas, all) = followed(&text, "AGLHAL");
    assert!(all > 0 && gas * 100 >= all * 98, "AGLHAL: {gas} of {all}");
}
