//! Header: what was run, and the key figures.

use super::html::escape;
use super::view::View;
use crate::plot::number::{fixed, percent, signed};

/// A key figure.
struct Card {
    label: String,
    value: String,
    unit: String,
    note: String,
    class: &'static str,
}

/// Settings that stand in the header with names of their own; all others are folded away.
const SETTINGS_SHOWN: [(&str, &str); 4] = [
    ("market.strategy", "Strategy"),
    ("market.response", "Response"),
    ("market.settlement_price", "Settlement"),
    ("aggregator.delta", "Tariff factor"),
];

/// Name, facts and cards.
pub(super) fn header(view: &View<'_>) -> String {
    let data = view.data;
    let mut html = String::from(
        "<header class=\"top\">\n<p class=\"brand\">Tieline <span>market report</span></p>\n",
    );
    html.push_str(&format!(
        "<h1>{}</h1>\n<dl class=\"facts\">",
        escape(&data.scenario)
    ));
    let mode = if data.mode.is_empty() {
        "–"
    } else {
        &data.mode
    };
    let facts = [
        (
            if data.days.len() > 1 {
                "Local days"
            } else {
                "Local day"
            },
            days(view),
        ),
        ("Zone", data.zone.clone()),
        ("Interval", format!("{} min", data.interval_minutes)),
        ("Mode", mode.to_owned()),
        ("Seed", data.seed.to_string()),
    ];
    for (name, value) in &facts {
        html.push_str(&fact(name, value));
    }
    for (key, name) in SETTINGS_SHOWN {
        if let Some((_, value)) = data.rules.iter().find(|(rule, _)| rule == key) {
            html.push_str(&fact(name, value));
        }
    }
    html.push_str("</dl>\n");
    if !data.rules.is_empty() {
        html.push_str(
            "<details class=\"settings\"><summary>All settings</summary><dl class=\"facts\">",
        );
        for (key, value) in &data.rules {
            html.push_str(&fact(key, value));
        }
        html.push_str("</dl></details>\n");
    }
    html.push_str("<ul class=\"cards\" aria-label=\"Key figures\">\n");
    for card in cards(view) {
        html.push_str(&format!(
            "<li class=\"card{}\"><span class=\"label\">{}</span><span class=\"value\">{}<span class=\"unit\">{}</span></span><span class=\"note\">{}</span></li>\n",
            card.class,
            escape(&card.label),
            escape(&card.value),
            escape(&card.unit),
            escape(&card.note)
        ));
    }
    html.push_str("</ul>\n</header>\n");
    html
}

fn fact(name: &str, value: &str) -> String {
    format!(
        "<div><dt>{}</dt><dd>{}</dd></div>",
        escape(name),
        escape(value)
    )
}

/// True when a decimal text is some way of writing zero.
pub(super) fn is_zero(text: &str) -> bool {
    text.contains('0') && text.bytes().all(|byte| matches!(byte, b'0' | b'.' | b'-'))
}

fn days(view: &View<'_>) -> String {
    match view.data.days.as_slice() {
        [] => "–".to_owned(),
        [day] => day.day.clone(),
        [first, .., last] => format!(
            "{} to {} ({} days)",
            first.day,
            last.day,
            view.data.days.len()
        ),
    }
}

fn cards(view: &View<'_>) -> Vec<Card> {
    let (data, totals) = (view.data, &view.data.totals);
    let alone: f64 = data
        .members
        .iter()
        .map(|member| member.balance_alone.value)
        .sum();
    let gain = totals.members_gain.value;
    let share = if alone == 0.0 {
        String::new()
    } else {
        format!("{} of their bill alone", percent(gain / alone.abs()))
    };
    let zero = is_zero(&totals.zero_sum.text);
    vec![
        Card {
            label: "Intervals with sellers and buyers".to_owned(),
            value: whole(totals.two_sided),
            unit: format!("of {}", whole(totals.intervals)),
            note: "on the forecast".to_owned(),
            class: "",
        },
        Card {
            label: "Rounds cleared".to_owned(),
            value: whole(totals.cleared),
            unit: format!("of {}", whole(totals.two_sided)),
            note: rounds_note(view),
            class: if totals.failed > 0 { " look" } else { "" },
        },
        Card {
            label: "Energy traded".to_owned(),
            value: fixed(totals.delivered_kwh, 1),
            unit: "kWh".to_owned(),
            note: format!("delivered, of {} kWh ordered", fixed(totals.ordered_kwh, 1)),
            class: "",
        },
        Card {
            label: "Members’ gain".to_owned(),
            value: signed(gain, 2),
            unit: data.currency.clone(),
            note: share,
            class: "",
        },
        renewable(view),
        Card {
            label: "Sum of all accounts".to_owned(),
            value: totals.zero_sum.text.clone(),
            unit: data.currency.clone(),
            note: if zero {
                "members, aggregator and grid"
            } else {
                "not zero: the books do not close"
            }
            .to_owned(),
            class: if zero { "" } else { " alarm" },
        },
    ]
}

/// What became of the rounds that did not clear, and the orders of those that did.
fn rounds_note(view: &View<'_>) -> String {
    let totals = &view.data.totals;
    let mut note = format!("{} failed, ", whole(totals.failed));
    let no_trade = view
        .data
        .slots
        .iter()
        .filter(|slot| slot.outcome == "no-trade");
    let no_trade = no_trade.count();
    if no_trade > 0 {
        note.push_str(&format!("{} without trade, ", whole(no_trade)));
    }
    note.push_str(&format!("{} orders", whole(totals.orders)));
    note
}

/// A count with its thousands grouped.
fn whole(number: usize) -> String {
    fixed(number as f64, 0)
}

fn renewable(view: &View<'_>) -> Card {
    let totals = &view.data.totals;
    let value = totals
        .renewable_rate
        .map_or_else(|| "–".to_owned(), |rate| fixed(rate * 100.0, 1));
    let note = match (totals.renewable_rate, totals.renewable_rate_alone) {
        (Some(_), Some(alone)) => format!("of sun and wind; {} without trading", percent(alone)),
        (Some(_), None) => "of sun and wind".to_owned(),
        _ => "no sun or wind in this run".to_owned(),
    };
    Card {
        label: "Renewables used by members".to_owned(),
        value,
        unit: totals.renewable_rate.map_or("", |_| "%").to_owned(),
        note,
        class: "",
    }
}
