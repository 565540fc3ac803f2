//! Through the chains: how orders ended, their six phases, the chains, keys.

use super::data::ledgers::{LedgersData, OrderData};
use super::html::{Cell, Table, figure, folded, section as html_section, wide_and_narrow};
use super::view::View;
use crate::plot::{Axis, Chart, Ink, Kind, Series};

/// Transitions of phases 1 to 5 and of phase 6, as the timelines draw them.
const CONCLUDED: [(&str, &str); 5] = [
    ("T1", "request on X"),
    ("T3", "arrived on Y"),
    ("T4", "accepted on Y"),
    ("T5", "buyer bound on X"),
    ("T6", "confirmed on Y"),
];
const SETTLED: [(&str, &str); 4] = [
    ("T7", "metered"),
    ("T8", "readings on Z"),
    ("T9", "paid on X"),
    ("T10", "closed on Y"),
];

const INKS: [Ink; 5] = [Ink::BLUE, Ink::AMBER, Ink::GREEN, Ink::PURPLE, Ink::RED];

/// Pairs of sites whose stock is drawn; the table has all.
const PAIRS_MAX: usize = 8;

/// The section; nothing where the run left the ledgers out.
pub(super) fn section(view: &View<'_>) -> String {
    let Some(data) = &view.data.ledgers else {
        return String::new();
    };
    let lead = "Every order over the chains of its buyer (X), its seller (Y) and the VPP (Z): how it ended, when each phase was final, what the chains did, which keys were used. The commands tieline order show and tieline audit tell one order and check all of it.";
    let content = format!(
        "<div class=\"panel\">{}</div>\n<div class=\"multiples\">\n{}{}</div>\n{}<div class=\"panel\">{}</div>\n{}<div class=\"panel\">{}<p class=\"fine\">{}</p></div>\n",
        outcomes(data),
        timeline(
            data,
            &CONCLUDED,
            |order| &order.concluded,
            "seconds after the gate"
        ),
        timeline(
            data,
            &SETTLED,
            |order| &order.settled,
            "seconds after the end of delivery"
        ),
        orders(data),
        chains(data),
        stock(data),
        keys(data),
        super::html::escape(&data.keys)
    );
    html_section("ledgers", "Through the chains", lead, &content)
}

fn outcomes(data: &LedgersData) -> String {
    let mut table = Table::new("Orders by outcome", &["Outcome", "#Orders"]);
    for (outcome, count) in &data.outcomes {
        let count = count.to_string();
        table.row(&[Cell::Name(outcome), Cell::Number(&count)]);
    }
    table.html()
}

type Times = fn(&OrderData) -> &Vec<(&'static str, f64)>;

/// A row per order, a dot per transition.
fn timeline(data: &LedgersData, phases: &[(&str, &str)], times: Times, label: &str) -> String {
    let dots = |transition: &str| -> Vec<(f64, f64)> {
        let orders = data.orders.iter().enumerate();
        let of = |(row, order): (usize, &OrderData)| {
            let found = times(order).iter().find(|(name, _)| *name == transition);
            found.map(|(_, seconds)| (*seconds, row as f64 + 1.0))
        };
        orders.filter_map(of).collect()
    };
    let series = phases.iter().zip(INKS).map(|((transition, what), ink)| {
        Series::new(
            &format!("{transition} {what}"),
            ink,
            Kind::Points(dots(transition)),
        )
    });
    let series: Vec<Series> = series.collect();
    let draw = |width: f64, _narrow: bool| {
        let chart = Chart {
            title: format!("When each phase was final, {label}"),
            desc: "A row per order in the order of the list below, a dot per transition."
                .to_owned(),
            size: (width, 300.0),
            x: Axis::named(label),
            y: Axis::named("order"),
            series: series.clone(),
            legend: true,
            ..Chart::default()
        };
        chart.draw().inline()
    };
    figure(
        "panel",
        &format!(
            "<h3>{}</h3>{}",
            heading(phases),
            wide_and_narrow(draw, 450.0)
        ),
        "",
    )
}

fn heading(phases: &[(&str, &str)]) -> &'static str {
    match phases.first() {
        Some(("T1", _)) => "Phases 1 to 5: concluded",
        _ => "Phase 6: metered and settled",
    }
}

fn orders(data: &LedgersData) -> String {
    let columns = ["Order", "Outcome", "#Confirmed, s", "#Paid, s", "Why"];
    let mut table = Table::new(
        "Orders, seconds after the gate and after delivery",
        &columns,
    );
    let at = |times: &[(&'static str, f64)], transition: &str| {
        let found = times.iter().find(|(name, _)| *name == transition);
        found.map_or("–".to_owned(), |(_, seconds)| format!("{seconds:.1}"))
    };
    for order in &data.orders {
        let (confirmed, paid) = (at(&order.concluded, "T6"), at(&order.settled, "T9"));
        table.row(&[
            Cell::Name(&order.id),
            Cell::Text(&order.outcome),
            Cell::Number(&confirmed),
            Cell::Number(&paid),
            Cell::Text(order.why.as_deref().unwrap_or("")),
        ]);
    }
    let rows = data.orders.len();
    let summary = match data.more_orders {
        0 => format!("All {rows} orders"),
        more => format!("The first {rows} orders; orders.json has {more} more"),
    };
    folded(&summary, rows, &table.html())
}

fn chains(data: &LedgersData) -> String {
    let columns = [
        "Chain",
        "#Height",
        "#Certificates",
        "#Transactions",
        "#Refused",
        "#Median, ms",
        "#99 %, ms",
    ];
    let mut table = Table::new("Chains, and time until final", &columns);
    for chain in &data.chains {
        let numbers = [
            chain.height,
            chain.certificates,
            chain.transactions,
            chain.refused,
            u64::from(chain.median_ms),
            u64::from(chain.slow_ms),
        ];
        let texts = numbers.map(|number| number.to_string());
        let mut cells = vec![Cell::Name(&chain.name)];
        cells.extend(texts.iter().map(|text| Cell::Number(text)));
        table.row(&cells);
    }
    table.html()
}

/// Stock of key over the run, for the pairs that use most.
fn stock(data: &LedgersData) -> String {
    let mut pairs: Vec<_> = data.pairs.iter().collect();
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.used));
    let hues = [
        Ink::BLUE,
        Ink::RED,
        Ink::GREEN,
        Ink::PURPLE,
        Ink::AMBER,
        Ink::SKY,
        Ink::BROWN,
        Ink::GREY,
    ];
    let series = pairs.iter().take(PAIRS_MAX).zip(hues).map(|(pair, ink)| {
        let points = data.hours.iter().zip(&pair.stock);
        let points = points.map(|(hour, bits)| (*hour, *bits as f64 / 1e6));
        Series::new(&pair.name, ink, Kind::Line(points.collect()))
    });
    let series: Vec<Series> = series.collect();
    let draw = |width: f64, _narrow: bool| {
        let chart = Chart {
            title: "Stock of key by pair of sites".to_owned(),
            desc: "Of the pairs that use most; the table below has all.".to_owned(),
            size: (width, 300.0),
            x: Axis::named("hours since the pools opened"),
            y: Axis::named("Mbit"),
            series: series.clone(),
            legend: true,
            ..Chart::default()
        };
        chart.draw().inline()
    };
    figure(
        "panel",
        &format!("<h3>Key stock</h3>{}", wide_and_narrow(draw, 900.0)),
        "",
    )
}

fn keys(data: &LedgersData) -> String {
    let columns = [
        "Sites", "#km", "#bit/s", "#Opening", "#Came", "#Used", "#Left",
    ];
    let mut table = Table::new("Keys between sites, bits", &columns);
    for pair in &data.pairs {
        let numbers = [
            pair.rate,
            pair.opening,
            pair.delivered,
            pair.used,
            pair.left,
        ];
        let texts = numbers.map(|number| number.to_string());
        let mut cells = vec![Cell::Name(&pair.name), Cell::Number(&pair.fibre_km)];
        cells.extend(texts.iter().map(|text| Cell::Number(text)));
        table.row(&cells);
    }
    table.html()
}
