//! What a reader should know before the numbers: warnings, rounds without orders, odd days.

use std::collections::BTreeMap;

use super::data::SlotData;
use super::head::is_zero;
use super::html::{count, escape, section as html_section};
use super::view::View;
use crate::plot::number::signed;

/// Stretches of time listed per outcome; more are summed up.
const RANGES_MAX: usize = 8;

/// A gain below this is a loss worth explaining, currency; rounding down at settlement alone stays above.
const LOSS: f64 = -0.005;

/// Reasons and warnings listed before the rest is only counted.
const ITEMS_MAX: usize = 40;

/// The section; says so when there is nothing to look at.
pub(super) fn section(view: &View<'_>) -> String {
    let mut html = String::new();
    let alarms = alarms(view);
    if !alarms.is_empty() {
        html.push_str(&list("look", "Needs a look", &alarms));
    }
    let notes = notes(view);
    if !notes.is_empty() {
        html.push_str(&list("note", "Good to know", &notes));
    }
    if html.is_empty() {
        html.push_str("<p>Every interval had sellers and buyers, and every round cleared.</p>\n");
    }
    html_section(
        "outcomes",
        "Warnings and outcomes",
        "What the input and the rounds reported.",
        &html,
    )
}

/// An outcome in words.
pub(super) fn outcome_words(outcome: &str) -> &str {
    match outcome {
        "cleared" => "cleared",
        "no-sellers" => "no sellers",
        "no-buyers" => "no buyers",
        "failed" => "failed",
        "refused" => "refused",
        "no-price-band" => "no price band",
        "no-trade" => "no trade",
        other => other,
    }
}

/// Nothing was ordered, and nothing is wrong.
pub(super) fn is_quiet(outcome: &str) -> bool {
    matches!(outcome, "no-sellers" | "no-buyers" | "no-trade")
}

fn alarms(view: &View<'_>) -> Vec<String> {
    let data = view.data;
    let mut items = Vec::new();
    if !is_zero(&data.totals.zero_sum.text) && !data.totals.zero_sum.text.is_empty() {
        items.push(format!(
            "<strong>Accounts do not sum to zero:</strong> {} {}",
            escape(&data.totals.zero_sum.text),
            escape(&data.currency)
        ));
    }
    items.extend(outcomes(view, |outcome| {
        outcome != "cleared" && !is_quiet(outcome)
    }));
    items.extend(
        data.warnings
            .iter()
            .map(|warning| format!("<strong>Input:</strong> {}", escape(warning))),
    );
    items
}

fn notes(view: &View<'_>) -> Vec<String> {
    let data = view.data;
    let mut items = outcomes(view, is_quiet);
    if data.totals.cleared == 0 {
        items.push(
            "<strong>No round cleared:</strong> what members lacked came from the grid.".to_owned(),
        );
    }
    let short: f64 = data
        .slots
        .iter()
        .map(|slot| slot.short_kwh)
        .filter(|kwh| kwh.is_finite())
        .sum();
    if short >= 0.05 {
        let slots = data
            .slots
            .iter()
            .filter(|slot| slot.short_kwh > 0.0)
            .count();
        items.push(format!(
            "<strong>Ordered and not delivered:</strong> {} kWh in {}; the grid covered it.",
            crate::plot::number::fixed(short, 1),
            count(slots, "interval", "intervals")
        ));
    }
    items.extend(forecast_cost(view));
    let left_out = data.left_out.iter();
    items.extend(left_out.map(|step| format!("<strong>Left out:</strong> {}.", escape(step))));
    for day in &data.days {
        if let Some(note) = view.day_length_note(day) {
            items.push(escape(&note));
        }
    }
    items
}

/// What forecast errors cost the members, and why one of them can lose.
fn forecast_cost(view: &View<'_>) -> Option<String> {
    let totals = &view.data.totals;
    let perfect = totals
        .members_gain_perfect_forecast
        .as_ref()
        .filter(|perfect| perfect.text != totals.members_gain.text)?;
    let currency = escape(&view.data.currency);
    let mut note = format!(
        "<strong>Cost of the forecast:</strong> with a perfect forecast the members\u{2019} gain would have been {} {currency} \
         instead of {} {currency}.",
        signed(perfect.value, 2),
        signed(totals.members_gain.value, 2)
    );
    if view
        .data
        .members
        .iter()
        .any(|member| member.gain.value < LOSS)
    {
        note.push_str(
            " A member loses when it bought for a deficit that did not come, or sold what it then lacked.",
        );
    }
    Some(note)
}

/// One item per outcome and reason, with the times at which it occurred.
fn outcomes(view: &View<'_>, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let mut groups: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (index, slot) in view.data.slots.iter().enumerate() {
        if wanted(&slot.outcome) {
            groups
                .entry((&slot.outcome, &slot.reason))
                .or_default()
                .push(index);
        }
    }
    let mut items = Vec::new();
    for ((outcome, reason), slots) in groups {
        let reason = if reason.is_empty() {
            String::new()
        } else {
            format!(" {}.", escape(reason.trim_end_matches('.')))
        };
        items.push(format!(
            "<strong>{}, {}:</strong>{reason} <span class=\"times\">{}</span>",
            escape(&capital(outcome_words(outcome))),
            count(slots.len(), "interval", "intervals"),
            escape(&times(view, &slots))
        ));
    }
    items
}

/// Neighbouring intervals as stretches: `00:00 to 05:45, 21:30`.
fn times(view: &View<'_>, indices: &[usize]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for &slot in indices {
        match ranges.last_mut() {
            Some(range) if range.1 + 1 == slot => range.1 = slot,
            _ => ranges.push((slot, slot)),
        }
    }
    let name = |slot: &SlotData| match view.single_day() {
        true => slot.at.clock.clone(),
        false => format!("{} {}", slot.at.day, slot.at.clock),
    };
    let slots = &view.data.slots;
    let range = |&(first, last): &(usize, usize)| {
        let (from, to) = (&slots[first], &slots[last]);
        if first == last {
            return name(from);
        }
        // A stretch ends where the next interval starts.
        let next = slots.get(last + 1).filter(|next| next.at.day == to.at.day);
        let until = next.map_or("24:00", |next| next.at.clock.as_str());
        match from.at.day == to.at.day {
            true => format!("{} to {until}", name(from)),
            false => format!("{} to {} {until}", name(from), to.at.day),
        }
    };
    if ranges.len() <= RANGES_MAX {
        return ranges.iter().map(range).collect::<Vec<_>>().join(", ");
    }
    // The first of the longest.
    let longest = ranges
        .iter()
        .rev()
        .max_by_key(|(first, last)| last - first)
        .map_or_else(String::new, range);
    format!("in {} stretches, the longest {longest}", ranges.len())
}

fn list(class: &str, heading: &str, items: &[String]) -> String {
    let mut html = format!("<div class=\"notice {class}\"><h3>{heading}</h3><ul>");
    for item in items.iter().take(ITEMS_MAX) {
        html.push_str(&format!("<li>{item}</li>"));
    }
    if items.len() > ITEMS_MAX {
        html.push_str(&format!(
            "<li>and {} more, see the files of the run</li>",
            items.len() - ITEMS_MAX
        ));
    }
    html.push_str("</ul></div>\n");
    html
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
