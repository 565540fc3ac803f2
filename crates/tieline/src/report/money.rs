//! Money per member: bill lines, balance with and without trading, gain; then the exact table.

use super::data::{MemberData, MoneyText};
use super::head::is_zero;
use super::html::{Cell, Table, figure, section as html_section, wide_and_narrow};
use super::view::{View, exact_sum};
use crate::plot::number::signed;
use crate::plot::{BarKey, BarMark, BarRow, BarRows, Ink};

/// Members drawn at most; the table has all.
const MEMBERS_MAX: usize = 60;

/// The section.
pub(super) fn section(view: &View<'_>) -> String {
    let lead = "What each member received (right of zero) and paid (left), its balance with trading and the one it would have had with the grid alone.";
    let bills = wide_and_narrow(|width, _| bill_chart(view, width), 680.0);
    let content = format!(
        "<div class=\"pair\">\n{}{}</div>\n<div class=\"panel\">{}</div>\n",
        figure("panel", &format!("<h3>Bills</h3>{bills}"), ""),
        figure(
            "panel",
            &format!("<h3>Gain over the grid alone</h3>{}", gain_chart(view)),
            ""
        ),
        table(view)
    );
    html_section("money", "Money per member", lead, &content)
}

/// Name and value of a line of the bill.
type Line = (&'static str, fn(&MemberData) -> &MoneyText);

const LINES: [Line; 8] = [
    ("Sales", |member| &member.sales),
    ("Purchases", |member| &member.purchases),
    ("Grid export", |member| &member.grid_export),
    ("Grid import", |member| &member.grid_import),
    ("Penalties", |member| &member.penalties),
    ("Balance", |member| &member.balance),
    ("Grid alone", |member| &member.balance_alone),
    ("Gain", |member| &member.gain),
];

fn bill_chart(view: &View<'_>, width: f64) -> String {
    let key = |label: &str, ink: Ink, striped: bool| BarKey {
        label: label.to_owned(),
        ink,
        striped,
    };
    let row = |member: &MemberData| BarRow {
        label: member.id.clone(),
        parts: LINES
            .iter()
            .take(5)
            .map(|(_, value)| value(member).value)
            .collect(),
        marks: vec![
            BarMark::Ring(member.balance_alone.value),
            BarMark::Diamond(member.balance.value),
        ],
    };
    BarRows {
        title: "Bill lines per member".to_owned(),
        desc: "Stacked: sales, purchases, grid export, grid import and penalties. The table below gives the exact numbers.".to_owned(),
        width,
        unit: view.data.currency.clone(),
        decimals: 2,
        keys: vec![
            key("sales to members", Ink::GREEN, false),
            key("purchases from members", Ink::BLUE, false),
            key("grid export", Ink::GREEN, true),
            key("grid import", Ink::RED, true),
            key("penalties", Ink::GREY, false),
        ],
        rows: view.data.members.iter().take(MEMBERS_MAX).map(row).collect(),
        mark_labels: ("balance".to_owned(), "balance with the grid alone".to_owned()),
        with_sum: false,
    }
    .draw()
    .inline()
}

fn gain_chart(view: &View<'_>) -> String {
    let total = view.data.totals.members_gain.value;
    let row = |member: &MemberData| BarRow {
        label: member.id.clone(),
        parts: vec![member.gain.value],
        marks: Vec::new(),
    };
    BarRows {
        title: "Gain per member".to_owned(),
        desc: format!(
            "All members together: {} {}.",
            signed(total, 2),
            view.data.currency
        ),
        width: 380.0,
        unit: view.data.currency.clone(),
        decimals: 2,
        keys: vec![BarKey {
            label: "gain".to_owned(),
            ink: Ink::BLUE,
            striped: false,
        }],
        rows: view
            .data
            .members
            .iter()
            .take(MEMBERS_MAX)
            .map(row)
            .collect(),
        mark_labels: (String::new(), String::new()),
        with_sum: true,
    }
    .draw()
    .inline()
}

fn table(view: &View<'_>) -> String {
    let (data, totals) = (view.data, &view.data.totals);
    let caption = format!("Money per member, {}, exact", data.currency);
    let names: Vec<String> = LINES.iter().map(|(name, _)| format!("#{name}")).collect();
    let mut columns = vec!["Member"];
    columns.extend(names.iter().map(String::as_str));
    let mut table = Table::new(&caption, &columns);
    for member in &data.members {
        let mut cells = vec![Cell::Name(&member.id)];
        cells.extend(
            LINES
                .iter()
                .map(|(_, value)| Cell::Number(&value(member).text)),
        );
        table.row(&cells);
    }
    let mut sums: Vec<String> = LINES
        .iter()
        .map(|(_, value)| {
            exact_sum(
                data.members
                    .iter()
                    .map(|member| value(member).text.as_str()),
            )
            .unwrap_or_else(|| "–".to_owned())
        })
        .collect();
    // Balance and gain are stated by the run itself.
    sums[5].clone_from(&totals.members_balance.text);
    sums[7].clone_from(&totals.members_gain.text);
    let mut cells = vec![Cell::Name("Members")];
    cells.extend(sums.iter().map(|sum| Cell::Number(sum)));
    table.total(&cells);
    let others = [
        ("Aggregator", &totals.aggregator_balance.text),
        ("Grid", &totals.grid_balance.text),
        ("All accounts", &totals.zero_sum.text),
    ];
    for (name, balance) in others {
        let mut cells = vec![Cell::Name(name)];
        cells.extend((0..5).map(|_| Cell::Text("")));
        cells.extend([Cell::Number(balance), Cell::Text(""), Cell::Text("")]);
        table.total(&cells);
    }
    let verdict = if is_zero(&totals.zero_sum.text) {
        ""
    } else {
        "<p class=\"alarm-text\">The accounts do not sum to zero.</p>"
    };
    format!("{}{verdict}", table.html())
}
