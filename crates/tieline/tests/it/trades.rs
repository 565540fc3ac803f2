//! The Parquet tables of a run, integer by integer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::Value;
use tieline_market::award::price;
use tieline_units::Time;

use crate::support::tieline;

/// A row: integers and texts by the name of their column.
type Cells = BTreeMap<String, Field>;

fn table(path: &Path) -> Vec<Cells> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let cells = |row: Row| {
        row.get_column_iter()
            .map(|(name, field)| (name.clone(), field.clone()))
            .collect()
    };
    reader
        .get_row_iter(None)
        .unwrap()
        .map(|row| cells(row.unwrap()))
        .collect()
}

fn integer(cells: &Cells, name: &str) -> i64 {
    match &cells[name] {
        Field::Long(value) | Field::TimestampMillis(value) => *value,
        other => panic!("{name} is {other}"),
    }
}

fn text(cells: &Cells, name: &str) -> String {
    match &cells[name] {
        Field::Str(value) => value.clone(),
        other => panic!("{name} is {other}"),
    }
}

fn run(more: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    let mut arguments = vec![
        "run",
        "scenarios/four-microgrids-day",
        "--out",
        &out,
        "--market-only",
    ];
    arguments.extend(more);
    tieline(&arguments).expect(0);
    folder
}

#[test]
fn energy_and_money_balance_in_every_interval_to_the_last_unit() {
    let folder = run(&[]);
    let out = folder.path().join("out");
    let mut energy: BTreeMap<i64, i64> = BTreeMap::new();
    let mut money: BTreeMap<i64, i64> = BTreeMap::new();
    let mut sold: BTreeMap<(i64, String), i64> = BTreeMap::new();
    for row in table(&out.join("settlement.parquet")) {
        let start = integer(&row, "interval_start");
        *energy.entry(start).or_default() += integer(&row, "sold_mj") - integer(&row, "bought_mj");
        *money.entry(start).or_default() += integer(&row, "balance_micro");
        sold.insert((start, text(&row, "party")), integer(&row, "sold_mj"));
    }
    assert_eq!(energy.len(), 96);
    assert!(energy.values().chain(money.values()).all(|sum| *sum == 0));
    let mut ids = BTreeSet::new();
    for row in table(&out.join("trades.parquet")) {
        assert!(ids.insert(text(&row, "order_id")), "{row:?}");
        assert!(integer(&row, "settled_mj") <= integer(&row, "quantity_mj"));
        assert_eq!(
            integer(&row, "payment_micro"),
            integer(&row, "to_seller_micro") + integer(&row, "to_aggregator_micro")
        );
        assert!(integer(&row, "deadline") < integer(&row, "gate_closure"));
        assert!(integer(&row, "gate_closure") < integer(&row, "interval_start"));
        let key = (integer(&row, "interval_start"), text(&row, "seller"));
        *sold.get_mut(&key).unwrap() -= integer(&row, "settled_mj");
    }
    assert_eq!(ids.len(), 160);
    assert!(
        sold.values().all(|rest| *rest == 0),
        "orders add up to what the table says"
    );
}

#[test]
fn under_uniform_settlement_every_seller_is_paid_the_clearing_price_of_its_certificate() {
    let folder = run(&["--set", "market.settlement_price=uniform"]);
    let out = folder.path().join("out");
    let rows = table(&out.join("trades.parquet"));
    assert!(rows.len() > 100);
    for row in rows {
        let start = Time::from_millis(integer(&row, "interval_start").unsigned_abs());
        let name = tieline::output::rounds::file_name(start);
        let certificate = std::fs::read(out.join("rounds").join(name)).unwrap();
        let certificate: Value = serde_json::from_slice(&certificate).unwrap();
        let cleared = price(certificate["clearing_price"].as_f64().unwrap());
        assert_eq!(
            integer(&row, "seller_price_micro_per_kwh"),
            cleared.as_millionths(),
            "{row:?}"
        );
        assert!(integer(&row, "price_micro_per_kwh") >= cleared.as_millionths());
    }
}
