//! Every interval, or every day of a long run, as a table.

use std::collections::{BTreeMap, BTreeSet};

use super::data::SlotData;
use super::html::{Cell, Table, escape, folded, section as html_section};
use super::notes::{is_quiet, outcome_words};
use super::rounds;
use super::view::View;
use crate::plot::number::{NOTHING, fixed, short, signed};

/// Rows of intervals shown; a longer run shows days.
const ROWS_MAX: usize = 200;

/// Local days shown at once; more are folded away.
const DAYS_OPEN_MAX: usize = 31;

/// The section.
///
/// `drawn`: indices of the rounds that have a drawing to link to.
pub(super) fn section(view: &View<'_>, drawn: &BTreeSet<usize>) -> String {
    let slots = view.data.slots.len();
    let mut content = String::new();
    let local_days = view.data.days.len();
    if local_days > DAYS_OPEN_MAX {
        let summary = format!("All {local_days} local days");
        content.push_str(&folded(&summary, local_days, &days(view)));
    } else if local_days > 1 || slots > ROWS_MAX {
        content.push_str(&format!("<div class=\"panel\">{}</div>\n", days(view)));
    }
    if slots <= ROWS_MAX {
        let summary = format!("All {}", view.intervals(slots));
        content.push_str(&folded(&summary, slots, &all(view, drawn)));
    } else {
        content.push_str(&format!(
            "<p class=\"fine\">All {} are in <code>trades.parquet</code> and <code>settlement.csv</code> beside this page.</p>\n",
            view.intervals(slots)
        ));
    }
    html_section(
        "intervals",
        "Intervals",
        "The outcome of every market interval.",
        &content,
    )
}

fn days(view: &View<'_>) -> String {
    let gain = format!("#Gain, {}", view.data.currency);
    let mut table = Table::new(
        "Local days",
        &[
            "Day",
            "#Intervals",
            "#Cleared",
            "#Traded, kWh",
            &gain,
            "Remark",
        ],
    );
    for day in &view.data.days {
        table.row(&[
            Cell::Name(&day.day),
            Cell::Number(&day.intervals.to_string()),
            Cell::Number(&day.cleared.to_string()),
            Cell::Number(&fixed(day.traded_kwh, 1)),
            Cell::Number(&signed(day.gain, 2)),
            Cell::Text(view.day_remark(day).unwrap_or("")),
        ]);
    }
    table.html()
}

fn all(view: &View<'_>, drawn: &BTreeSet<usize>) -> String {
    let per_kwh = view.price_unit();
    let price = format!("#Price, {per_kwh}");
    let tariff = format!("#Tariff, {per_kwh}");
    let exploit = format!("#Exploitability, {}/h", view.data.currency);
    let columns = [
        "Start",
        "Outcome",
        &price,
        &tariff,
        "#Sellers",
        "#Buyers",
        "#Ordered, kWh",
        "#Delivered, kWh",
        "#Iterations",
        &exploit,
    ];
    let mut table = Table::new("Market intervals", &columns);
    let rounds: BTreeMap<u64, usize> = drawn
        .iter()
        .filter_map(|&index| Some((view.data.rounds.get(index)?.at.start.as_millis(), index)))
        .collect();
    for slot in &view.data.slots {
        let start = start_cell(view, slot, rounds.get(&slot.at.start.as_millis()).copied());
        let number =
            |value: Option<f64>| value.map_or_else(|| NOTHING.to_owned(), |value| fixed(value, 4));
        table.row(&[
            Cell::Html(&start),
            Cell::Html(&outcome(slot)),
            Cell::Number(&number(slot.clearing_price)),
            Cell::Number(&number(slot.tariff)),
            Cell::Number(&slot.sellers.to_string()),
            Cell::Number(&slot.buyers.to_string()),
            Cell::Number(&fixed(slot.ordered_kwh, 2)),
            Cell::Number(&fixed(slot.delivered_kwh, 2)),
            Cell::Number(&slot.rounds.to_string()),
            Cell::Number(
                &slot
                    .exploitability_banded
                    .map_or_else(|| NOTHING.to_owned(), short),
            ),
        ]);
    }
    table.html()
}

/// The time, as a link to the drawing of the round when there is one.
fn start_cell(view: &View<'_>, slot: &SlotData, round: Option<usize>) -> String {
    let text = match view.single_day() {
        true => slot.at.clock.clone(),
        false => format!("{} {}", slot.at.day, slot.at.clock),
    };
    match round {
        Some(index) => format!(
            "<a href=\"{}\">{}</a>",
            rounds::anchor(index),
            escape(&text)
        ),
        None => escape(&text),
    }
}

fn outcome(slot: &SlotData) -> String {
    let class = match slot.outcome.as_str() {
        "cleared" => "ok",
        outcome if is_quiet(outcome) => "idle",
        _ => "bad",
    };
    let reason = if slot.reason.is_empty() {
        String::new()
    } else {
        format!(" <span class=\"why\">{}</span>", escape(&slot.reason))
    };
    format!(
        "<span class=\"outcome {class}\">{}</span>{reason}",
        escape(outcome_words(&slot.outcome))
    )
}
