//! Energy between members and the grid: ribbons and their table twin.

use std::collections::BTreeMap;

use super::data::{FlowData, Party};
use super::html::{Cell, Table, figure, folded, section as html_section, wide_and_narrow};
use super::view::{View, exact_sum};
use crate::plot::number::{NOTHING, fixed};
use crate::plot::{Ink, Sankey, SankeyLink, SankeyNode};

/// Members drawn one by one; of more, the largest are and the rest is drawn as one.
const MEMBERS_MAX: usize = 7;

/// Rows of the table beside the drawing; the rest of a longer one is folded away.
const ROWS_MAX: usize = 16;

/// Energy from which amounts are drawn in MWh and written without decimals, kWh.
const LARGE_KWH: f64 = 100_000.0;

/// The section.
pub(super) fn section(view: &View<'_>) -> String {
    let lead = "Who delivered energy to whom over the run. Own consumption stays inside a member and is not shown.";
    let flows: Vec<&FlowData> = view.data.flows.iter().collect();
    if flows.is_empty() {
        return html_section(
            "flows",
            "Energy flows",
            lead,
            "<p>No energy crossed a border in this run.</p>\n",
        );
    }
    let rows = flows.len().min(ROWS_MAX + 1);
    let height = (rows as f64 * 34.0 + 64.0).clamp(300.0, 640.0);
    let drawing = wide_and_narrow(
        |width, narrow| sankey(view, (width, if narrow { 480.0 } else { height })),
        578.0,
    );
    let (beside, below) = if flows.len() > ROWS_MAX {
        let all = table(view, "All energy flows", &flows, &[]);
        let below = folded(
            &format!("All {} energy flows", flows.len()),
            flows.len(),
            &all,
        );
        let mut largest = flows;
        largest.sort_by(|one, other| other.kwh.total_cmp(&one.kwh));
        let rest = largest.split_off(ROWS_MAX);
        (table(view, "Largest energy flows", &largest, &rest), below)
    } else {
        (
            table(view, "Energy flows in numbers", &flows, &[]),
            String::new(),
        )
    };
    let content = format!(
        "<div class=\"pair even\">\n{}<div class=\"panel\">{beside}</div></div>\n{below}",
        figure("panel", &drawing, "")
    );
    html_section("flows", "Energy flows", lead, &content)
}

fn sankey(view: &View<'_>, size: (f64, f64)) -> String {
    let (nodes, place) = nodes(view);
    let grid = nodes.len() - 1;
    let at = |party: Party| match party {
        Party::Member(index) => place.get(index).copied().unwrap_or(grid),
        Party::Grid => grid,
    };
    let mut sums: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    let mut inside = 0.0;
    for flow in view.data.flows.iter().filter(|flow| flow.kwh.is_finite()) {
        *sums.entry((at(flow.from), at(flow.to))).or_default() += flow.kwh;
        if flow.from != Party::Grid && flow.to != Party::Grid {
            inside += flow.kwh;
        }
    }
    let large = total(&view.data.flows) >= LARGE_KWH;
    let (unit, unit_kwh) = if large { ("MWh", 1000.0) } else { ("kWh", 1.0) };
    let link = |(&(from, to), kwh): (&(usize, usize), &f64)| SankeyLink {
        from,
        to,
        value: kwh / unit_kwh,
        title: format!(
            "{} to {}: {} kWh",
            nodes[from].label,
            nodes[to].label,
            fixed(*kwh, 2)
        ),
    };
    Sankey {
        title: "Energy between members and the grid".to_owned(),
        desc: format!(
            "{} kWh went from member to member. The table gives every flow.",
            fixed(inside, 1)
        ),
        width: size.0,
        height: size.1,
        unit: unit.to_owned(),
        heads: ("delivered by".to_owned(), "taken by".to_owned()),
        links: sums.iter().map(link).collect(),
        nodes,
    }
    .draw()
    .inline()
}

/// Energy of all flows, kWh.
fn total(flows: &[FlowData]) -> f64 {
    let amounts = flows.iter().map(|flow| flow.kwh);
    amounts.filter(|kwh| kwh.is_finite()).sum()
}

/// What is drawn, the grid last, and the place of each member in it.
fn nodes(view: &View<'_>) -> (Vec<SankeyNode>, Vec<usize>) {
    let count = view.data.members.len();
    let mut shown: Vec<usize> = (0..count).collect();
    if count > MEMBERS_MAX {
        let mut weights = vec![(0.0f64, 0.0f64); count];
        for flow in view.data.flows.iter().filter(|flow| flow.kwh.is_finite()) {
            if let Party::Member(index) = flow.from
                && let Some(weight) = weights.get_mut(index)
            {
                weight.0 += flow.kwh;
            }
            if let Party::Member(index) = flow.to
                && let Some(weight) = weights.get_mut(index)
            {
                weight.1 += flow.kwh;
            }
        }
        let weight = |index: usize| weights[index].0.max(weights[index].1);
        shown.sort_by(|&one, &other| weight(other).total_cmp(&weight(one)));
        shown.truncate(MEMBERS_MAX - 1);
        shown.sort_unstable();
    }
    let node = |label: String, ink: Ink| SankeyNode { label, ink };
    let mut nodes: Vec<SankeyNode> = shown
        .iter()
        .enumerate()
        .map(|(place, &index)| node(view.member_id(index), View::ink(place)))
        .collect();
    let rest = nodes.len();
    if rest < count {
        nodes.push(node(format!("{} others", count - rest), View::ink(rest)));
    }
    nodes.push(node("Grid".to_owned(), Ink::GREY));
    let place = |index| shown.binary_search(&index).unwrap_or(rest);
    (nodes, (0..count).map(place).collect())
}

/// These flows one by one, others as one row, and the sum of all.
fn table(view: &View<'_>, caption: &str, flows: &[&FlowData], others: &[&FlowData]) -> String {
    let paid = format!("#Paid, {}", view.data.currency);
    let received = format!("#Received, {}", view.data.currency);
    let mut table = Table::new(caption, &["From", "To", "#kWh", &paid, &received]);
    let decimals = if total(&view.data.flows) >= LARGE_KWH {
        0
    } else {
        2
    };
    for flow in flows {
        table.row(&[
            Cell::Name(&view.party(flow.from)),
            Cell::Text(&view.party(flow.to)),
            Cell::Number(&fixed(flow.kwh, decimals)),
            Cell::Number(&flow.paid.text),
            Cell::Number(&flow.received.text),
        ]);
    }
    if !others.is_empty() {
        let [kwh, paid, received] = sums(others.iter().copied(), decimals);
        table.row(&[
            Cell::Name(&others.len().to_string()),
            Cell::Text("smaller"),
            Cell::Number(&kwh),
            Cell::Number(&paid),
            Cell::Number(&received),
        ]);
    }
    let [kwh, paid, received] = sums(flows.iter().chain(others).copied(), decimals);
    table.total(&[
        Cell::Name("Sum"),
        Cell::Text(""),
        Cell::Number(&kwh),
        Cell::Number(&paid),
        Cell::Number(&received),
    ]);
    table.html()
}

/// Energy, paid and received, added up.
fn sums<'f>(flows: impl Iterator<Item = &'f FlowData> + Clone, decimals: usize) -> [String; 3] {
    let money = |text: fn(&FlowData) -> &str| {
        exact_sum(flows.clone().map(text)).unwrap_or_else(|| NOTHING.to_owned())
    };
    [
        fixed(flows.clone().map(|flow| flow.kwh).sum(), decimals),
        money(|flow| &flow.paid.text),
        money(|flow| &flow.received.text),
    ]
}
