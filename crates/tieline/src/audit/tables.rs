//! `trades.parquet` and `settlement.parquet`: the same as the chains and `settlement.csv` say, written another way.

use std::collections::BTreeMap;
use std::fs::File;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::{Row, RowAccessor as _};
use serde_json::Value;
use tieline_contract::settlement::Settlement;
use tieline_contract::terms::OrderId;
use tieline_units::{Digest, Energy, Money, Time};

use super::orders::listed;
use super::settled::{life, requests};
use super::{Check, Evidence, Stop, Wrong};

const TRADES: &str = "trades.parquet";
const BILLS: &str = "settlement.parquet";

/// Columns of `trades.parquet` before its texts, of `settlement.parquet` likewise.
const TRADE_TEXTS: usize = 15;
const BILL_TEXTS: usize = 12;

pub(super) fn check(evidence: &Evidence) -> Result<Vec<Check>, Stop> {
    let check = |name, found| Check { name, found };
    Ok(vec![
        check("rows of trades", trades(evidence)?),
        check("rows of bills", bills(evidence)?),
    ])
}

fn wrong(file: &str, row: usize, reason: String) -> Wrong {
    Wrong {
        check: "tables",
        file: file.to_owned(),
        place: Some(format!("row {}", row + 1)),
        reason,
        ..Wrong::default()
    }
}

/// The rows of a table.
fn rows(evidence: &Evidence, file: &str) -> Result<Vec<Row>, Stop> {
    let path = evidence.folder.join(file);
    let open = File::open(&path);
    let open = open.map_err(|error| Stop::Broken(format!("{}: {error}", path.display())))?;
    let read = || -> Result<Vec<Row>, parquet::errors::ParquetError> {
        let reader = SerializedFileReader::new(open)?;
        reader.get_row_iter(None)?.collect()
    };
    read().map_err(|error| wrong(file, 0, error.to_string()).into())
}

fn integers(row: &Row, count: usize) -> Option<Vec<i64>> {
    let number = |at: usize| row.get_long(at).or_else(|_| row.get_timestamp_millis(at));
    (0..count).map(|at| number(at).ok()).collect()
}

fn texts(row: &Row, from: usize, count: usize) -> Option<Vec<&String>> {
    (from..from + count)
        .map(|at| row.get_string(at).ok())
        .collect()
}

fn trades(evidence: &Evidence) -> Result<u64, Stop> {
    let rows = rows(evidence, TRADES)?;
    let orders = listed(evidence)?;
    if rows.len() != orders.len() {
        let reason = format!("{} rows, {} orders are listed", rows.len(), orders.len());
        return Err(wrong(TRADES, rows.len(), reason).into());
    }
    let requests = requests(evidence);
    for (at, (row, order)) in rows.iter().zip(&orders).enumerate() {
        let no_row = || {
            wrong(
                TRADES,
                at,
                "it has other columns than trades have".to_owned(),
            )
        };
        let numbers = integers(row, TRADE_TEXTS).ok_or_else(no_row)?;
        let names = texts(row, TRADE_TEXTS, 4).ok_or_else(no_row)?;
        let told = ["id", "seller", "buyer", "outcome"].map(|key| order[key].as_str());
        if names
            .iter()
            .zip(told)
            .any(|(name, told)| told != Some(name.as_str()))
        {
            let reason = format!("it is of {}, orders.json has {}", names[0], order["id"]);
            return Err(wrong(TRADES, at, reason).into());
        }
        let id = order["order"].as_str().and_then(Digest::parse).map(OrderId);
        let Some((id, request)) = id.and_then(|id| Some((id, requests.get(&id)?))) else {
            continue;
        };
        let settlement = life(evidence, id, request).and_then(|it| it.settlement);
        let expected = expected(&request.terms, settlement.unwrap_or_default(), order);
        if numbers != expected {
            let reason = format!("it says {numbers:?}, the chains say {expected:?}");
            return Err(wrong(TRADES, at, reason).into());
        }
    }
    Ok(rows.len() as u64)
}

/// A row's integers in the order of the columns.
fn expected(
    terms: &tieline_contract::terms::Terms,
    settled: Settlement,
    order: &Value,
) -> Vec<i64> {
    let time = |time: Time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let money = |money: Money| money.as_millionths();
    vec![
        time(terms.start),
        i64::try_from(terms.length.minutes()).unwrap_or(i64::MAX),
        order["level"].as_i64().unwrap_or(-1),
        terms.quantity.as_millijoules(),
        terms.price.as_millionths(),
        terms.seller_price.as_millionths(),
        money(terms.bond),
        time(terms.deadline),
        time(terms.gate_closure),
        settled.settled.as_millijoules(),
        settled.short.as_millijoules(),
        money(settled.payment),
        money(settled.to_seller),
        money(settled.to_aggregator),
        money(settled.penalty),
    ]
}

/// Row by row what `settlement.csv` says, which was compared with the chains.
fn bills(evidence: &Evidence) -> Result<u64, Stop> {
    let rows = rows(evidence, BILLS)?;
    let text = evidence.text("settlement.csv")?;
    let lines: Vec<Vec<&str>> = text
        .lines()
        .skip(1)
        .map(|it| it.split(',').collect())
        .collect();
    if rows.len() != lines.len() {
        let reason = format!("{} rows, settlement.csv has {}", rows.len(), lines.len());
        return Err(wrong(BILLS, rows.len(), reason).into());
    }
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (at, (row, cells)) in rows.iter().zip(&lines).enumerate() {
        let no_row = || wrong(BILLS, at, "it has other columns than bills have".to_owned());
        let numbers = integers(row, BILL_TEXTS).ok_or_else(no_row)?;
        let names = texts(row, BILL_TEXTS, 2).ok_or_else(no_row)?;
        let start = u64::try_from(numbers[0]).map_or(Time::default(), Time::from_millis);
        let mut told = vec![start.to_string(), names[0].clone()];
        let energies = numbers[1..5].iter().map(|it| Energy::from_millijoules(*it));
        told.extend(energies.map(Energy::to_kilowatt_hours));
        let amounts = numbers[5..]
            .iter()
            .map(|it| Money::from_millionths(*it).to_string());
        told.extend(amounts);
        told.push(names[1].clone());
        if told != *cells {
            let reason = format!("it says {told:?}, settlement.csv says {cells:?}");
            return Err(wrong(BILLS, at, reason).into());
        }
        if let Some(first) = seen.insert((told[0].clone(), told[1].clone()), at) {
            let reason = format!(
                "{} from {} on is there already, in row {}",
                told[1],
                told[0],
                first + 1
            );
            return Err(wrong(BILLS, at, reason).into());
        }
    }
    Ok(rows.len() as u64)
}
