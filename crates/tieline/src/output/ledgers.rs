//! What the report shows of a run through ledgers.

use std::collections::BTreeMap;

use tieline_units::Time;

use crate::report::data::ledgers::{ChainData, LedgersData, OrderData, PairData};
use crate::run::conclude::OUTCOMES;
use crate::run::keys::record::KeysFile;
use crate::run::ledgers::Joined;
use crate::run::ledgers::records::Record;

/// Orders that the page lists.
const ORDERS_MAX: usize = 400;

/// Takes it out of what the run leaves.
pub fn data(joined: &Joined) -> LedgersData {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for order in &joined.orders.orders {
        *counts.entry(order.outcome).or_default() += 1;
    }
    let names = OUTCOMES.iter().map(|outcome| outcome.as_str());
    let outcomes = names.filter_map(|name| Some((name.to_owned(), *counts.get(name)?)));
    let listed = joined.orders.orders.iter().take(ORDERS_MAX);
    let chains = joined.chains.iter().map(|(name, figures)| {
        let waits = &figures.finality_ms;
        let share = |part: usize| waits.get(waits.len() * part / 100).copied().unwrap_or(0);
        ChainData {
            name: name.clone(),
            height: figures.blocks,
            certificates: figures.certificates,
            transactions: figures.transactions,
            refused: figures.refused,
            median_ms: share(50),
            slow_ms: share(99),
        }
    });
    LedgersData {
        outcomes: outcomes.collect(),
        orders: listed.map(order).collect(),
        more_orders: joined.orders.orders.len().saturating_sub(ORDERS_MAX),
        chains: chains.collect(),
        pairs: pairs(&joined.keys),
        hours: joined.stock_hours.clone(),
        keys: format!(
            "Source: {}. Protection: {}, {} bits.",
            joined.keys.source, joined.keys.protection, joined.keys.level_bits
        ),
    }
}

fn order(record: &Record) -> OrderData {
    let since = |from: Time, settled: bool| {
        let times = record
            .times
            .iter()
            .filter(move |(name, _)| is_settling(name) == settled);
        let seconds = times.map(|(name, at)| {
            let passed = at.as_millis().saturating_sub(from.as_millis());
            (*name, passed as f64 / 1_000.0)
        });
        seconds.collect()
    };
    OrderData {
        id: record.id.clone(),
        outcome: record.outcome.to_owned(),
        why: record.why.clone(),
        concluded: since(record.gate, false),
        settled: since(record.end, true),
    }
}

/// Whether a transition is of phase 6.
fn is_settling(name: &str) -> bool {
    matches!(name, "T7" | "T8" | "T9" | "T10")
}

fn pairs(keys: &KeysFile) -> Vec<PairData> {
    let pair = |it: &crate::run::keys::record::PairRecord| PairData {
        name: format!("{} – {}", it.sites[0], it.sites[1]),
        fibre_km: it.fibre_km.clone(),
        rate: it.rate_bits_per_second,
        opening: it.opening_bits,
        delivered: it.delivered_bits,
        used: it.used_bits,
        left: it.left_bits,
        stock: it.stock_bits.clone(),
    };
    keys.pairs.iter().map(pair).collect()
}
