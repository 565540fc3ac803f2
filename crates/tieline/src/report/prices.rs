//! Prices over the run: lines and a heat map.

use super::data::SlotData;
use super::html::{figure, section as html_section, wide_and_narrow};
use super::view::{View, clock_parts};
use crate::plot::number::{NOTHING, fixed};
use crate::plot::{Axis, Cell, Chart, Dash, Heat, HeatRow, HeatTick, Ink, Kind, Series, Tick};

/// Intervals of a day from which a map of them is worth its space.
const MAPPED_MIN: usize = 12;

/// The section.
pub(super) fn section(view: &View<'_>) -> String {
    let lead = "Between what the grid pays and what it charges, members agree on a price of their own; \
                buyers pay the tariff on top of it that funds the aggregator.";
    if view.data.slots.is_empty() {
        return html_section(
            "prices",
            "Prices",
            lead,
            "<p>No interval in this run.</p>\n",
        );
    }
    let layout = Layout::of(view);
    let wide = if layout == Layout::Day { 660.0 } else { 1040.0 };
    let lines = wide_and_narrow(|width, narrow| chart(view, layout, (width, narrow)), wide);
    let (of, caption) = match view.by_day() {
        true => (
            "run",
            "Daily means; the band spans the day’s lowest and highest clearing price.",
        ),
        false if view.single_day() => ("day", "Gaps: intervals without orders."),
        false => ("run", "Gaps: intervals without orders."),
    };
    let lines = format!(
        "<h3>Over the {of}</h3><div class=\"{}\">{lines}</div>",
        if view.by_day() { "calm" } else { "" }
    );
    let mut content = figure("panel", &lines, caption);
    let heat = match layout {
        Layout::Few => None,
        Layout::Day => Some(day_map(view).draw().inline()),
        Layout::Run => Some(wide_and_narrow(
            |width, _| run_map(view, width).draw().inline(),
            wide,
        )),
    };
    if let Some(heat) = heat {
        let heat = format!("<h3>Clearing price by time of day</h3>{heat}");
        content.push_str(&figure("panel", &heat, ""));
    }
    let class = if layout == Layout::Day {
        "pair"
    } else {
        "stack"
    };
    let content = format!("<div class=\"{class}\">\n{content}</div>\n");
    html_section("prices", "Prices", lead, &content)
}

/// How much there is to show.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// A few intervals of one day: lines alone.
    Few,
    /// One day: lines, and a map of the hour beside them.
    Day,
    /// Several days: lines, and a map of the days below them.
    Run,
}

impl Layout {
    fn of(view: &View<'_>) -> Layout {
        match view.single_day() {
            true if view.data.slots.len() < MAPPED_MIN => Layout::Few,
            true => Layout::Day,
            false => Layout::Run,
        }
    }
}

fn chart(view: &View<'_>, layout: Layout, (width, narrow): (f64, bool)) -> String {
    let height = match (narrow, layout) {
        (true, _) => 320.0,
        (false, Layout::Few) => 300.0,
        (false, Layout::Day) => 505.0,
        (false, Layout::Run) => 360.0,
    };
    let series = if view.by_day() {
        day_series(view)
    } else {
        slot_series(view)
    };
    let end = view
        .data
        .slots
        .last()
        .map_or(0.0, |slot| view.hours_since_start(slot.at.start))
        + view.interval_hours();
    let (range, ticks, label) = match view.by_day() {
        true => (
            (0.0, view.data.days.len() as f64),
            day_ticks(view),
            "local day",
        ),
        false => (
            (0.0, end),
            slot_ticks(
                view,
                match narrow {
                    _ if end <= 8.0 => 1,
                    true => 6,
                    false => 3,
                },
            ),
            if view.single_day() {
                "local time"
            } else {
                "local day"
            },
        ),
    };
    let chart = Chart {
        title: "Prices over time".to_owned(),
        desc: describe(view),
        size: (width, height),
        x: Axis {
            range: Some(range),
            ticks: Some(ticks),
            ..Axis::named(label)
        },
        y: Axis {
            from_zero: true,
            ..Axis::named(&view.price_unit())
        },
        series,
        legend: true,
        ..Chart::default()
    };
    chart.draw().inline()
}

/// Lowest, mean and highest clearing price in words.
fn describe(view: &View<'_>) -> String {
    let prices: Vec<f64> = view
        .data
        .slots
        .iter()
        .filter_map(|slot| slot.clearing_price)
        .collect();
    match spread(prices.iter().copied()) {
        Some((low, mean, high)) => format!(
            "Clearing price in {} of {} intervals: lowest {}, mean {}, highest {} {}.",
            prices.len(),
            view.data.slots.len(),
            fixed(low, 3),
            fixed(mean, 3),
            fixed(high, 3),
            view.price_unit()
        ),
        None => "No interval has a clearing price.".to_owned(),
    }
}

fn slot_series(view: &View<'_>) -> Vec<Series> {
    let slots = &view.data.slots;
    let end = slots
        .last()
        .map_or(0.0, |slot| view.hours_since_start(slot.at.start))
        + view.interval_hours();
    let steps = |price: &dyn Fn(&SlotData) -> Option<f64>| {
        let point = |slot: &SlotData| {
            (
                view.hours_since_start(slot.at.start),
                price(slot).unwrap_or(f64::NAN),
            )
        };
        Kind::Steps(slots.iter().map(point).collect(), end)
    };
    vec![
        Series::new(
            "Grid charges (import)",
            Ink::RED,
            steps(&|slot| Some(slot.import_price)),
        ),
        Series::new("Buyers’ tariff", Ink::PURPLE, steps(&|slot| slot.tariff)).dashed(Dash::Short),
        Series::new(
            "Clearing price",
            Ink::BLUE,
            steps(&|slot| slot.clearing_price),
        ),
        Series::new(
            "Grid pays (export)",
            Ink::GREEN,
            steps(&|slot| Some(slot.export_price)),
        )
        .dashed(Dash::Long),
    ]
}

/// Without the buyers' tariff: its daily means would lie on those of the clearing price.
fn day_series(view: &View<'_>) -> Vec<Series> {
    let by_day = view.slots_by_day();
    let mut band = Vec::new();
    let mut lines: [Vec<(f64, f64)>; 3] = Default::default();
    for (index, day) in view.data.days.iter().enumerate() {
        let slots: &[&SlotData] = by_day.get(day.day.as_str()).map_or(&[], |slots| slots);
        let middle = index as f64 + 0.5;
        let ends = [
            spread(slots.iter().map(|slot| slot.import_price)),
            spread(slots.iter().filter_map(|slot| slot.clearing_price)),
            spread(slots.iter().map(|slot| slot.export_price)),
        ];
        let (low, high) = ends[1].map_or((f64::NAN, f64::NAN), |(low, _, high)| (low, high));
        band.push((middle, low, high));
        for (line, ends) in lines.iter_mut().zip(ends) {
            line.push((middle, ends.map_or(f64::NAN, |(_, mean, _)| mean)));
        }
    }
    let [import, clearing, export] = lines.map(Kind::Line);
    vec![
        Series::new(
            "Clearing price, lowest to highest",
            Ink::BLUE,
            Kind::Band(band),
        ),
        Series::new("Grid charges (import)", Ink::RED, import),
        Series::new("Clearing price, mean", Ink::BLUE, clearing),
        Series::new("Grid pays (export)", Ink::GREEN, export).dashed(Dash::Long),
    ]
}

fn slot_ticks(view: &View<'_>, every_hours: u32) -> Vec<Tick> {
    let at = |slot: &SlotData| view.hours_since_start(slot.at.start);
    let slots = &view.data.slots;
    let labels = slots
        .iter()
        .map(|slot| (at(slot), slot.at.day.as_str(), slot.at.clock.as_str()));
    let mut ticks = View::time_ticks(labels, every_hours, !view.single_day());
    if let (true, Some(last)) = (view.single_day(), slots.last()) {
        let (hour, minute) = clock_parts(&last.at.clock).unwrap_or((0, 0));
        if u64::from(hour * 60 + minute) + view.data.interval_minutes == 24 * 60 {
            ticks.push(Tick {
                value: at(last) + view.interval_hours(),
                label: "24:00".to_owned(),
            });
        }
    }
    ticks
}

/// The first day of each month; for fewer than two of them every seventh day.
fn day_ticks(view: &View<'_>) -> Vec<Tick> {
    let tick = |(index, label): (usize, &str)| Tick {
        value: index as f64,
        label: label.to_owned(),
    };
    let days = || view.data.days.iter().enumerate();
    let months: Vec<Tick> = days()
        .filter(|(_, day)| day.day.ends_with("-01"))
        .map(|(index, day)| tick((index, day.day.get(..7).unwrap_or(&day.day))))
        .collect();
    if months.len() >= 2 {
        return months;
    }
    days()
        .step_by(7)
        .map(|(index, day)| tick((index, &day.day)))
        .collect()
}

/// Rows are hours, columns the intervals of an hour. An hour that the clock repeats has two rows,
/// one that it skips says so.
fn day_map(view: &View<'_>) -> Heat {
    let width = view.interval_hours().min(1.0);
    let mut rows: Vec<HeatRow> = Vec::new();
    let mut last: Option<(u32, u32)> = None;
    for slot in &view.data.slots {
        let Some((hour, minute)) = clock_parts(&slot.at.clock) else {
            continue;
        };
        let new_row = match last {
            None => true,
            Some((before, at)) => before != hour || minute <= at,
        };
        if new_row {
            for skipped in last.map_or(hour, |(before, _)| before + 1)..hour {
                let note = "the clock skips this hour".to_owned();
                rows.push(HeatRow {
                    label: format!("{skipped:02}:00"),
                    note,
                    ..HeatRow::default()
                });
            }
            let again = last.is_some_and(|(before, _)| before >= hour);
            let label = format!("{hour:02}:00{}", if again { " again" } else { "" });
            rows.push(HeatRow {
                label,
                ..HeatRow::default()
            });
        }
        last = Some((hour, minute));
        let from = f64::from(minute) / 60.0;
        let text = slot
            .clearing_price
            .map_or_else(String::new, |price| fixed(price, 3));
        if let Some(row) = rows.last_mut() {
            row.cells.push(Cell {
                from,
                to: from + width,
                text,
                ..cell(view, slot)
            });
        }
    }
    let columns = (60 / view.data.interval_minutes.clamp(1, 60)) as u32;
    let step = columns.div_ceil(6).max(1);
    let tick = |column: u32| HeatTick {
        at: (f64::from(column) + 0.5) / f64::from(columns),
        label: format!(":{:02}", column * 60 / columns),
    };
    Heat {
        width: 352.0,
        row_height: 18.0,
        ticks: (0..columns).step_by(step as usize).map(tick).collect(),
        rows,
        ..heat_of(view)
    }
}

/// Rows are local days, columns the wall clock. Hours that the clock skips stay blank; of those
/// that it repeats the first passes have the left halves, the second ones the right halves.
fn run_map(view: &View<'_>, width: f64) -> Heat {
    let by_day = view.slots_by_day();
    let count = view.data.days.len();
    let dense = view.by_day();
    let mut rows = Vec::with_capacity(count);
    for day in &view.data.days {
        let slots: &[&SlotData] = by_day.get(day.day.as_str()).map_or(&[], |slots| slots);
        let title = view.day_length_note(day).unwrap_or_else(|| day.day.clone());
        let mean = spread(slots.iter().filter_map(|slot| slot.clearing_price))
            .map_or_else(|| NOTHING.to_owned(), |(_, mean, _)| fixed(mean, 3));
        let title = format!(
            "{title}: {} cleared, mean {mean} {}",
            day.cleared,
            view.price_unit()
        );
        let label = match count {
            0..=62 => day.day.clone(),
            _ if day.day.ends_with("-01") => day.day.get(..7).unwrap_or(&day.day).to_owned(),
            _ => String::new(),
        };
        rows.push(HeatRow {
            label,
            title,
            note: String::new(),
            cells: day_cells(view, slots),
        });
    }
    let stride = if width < 500.0 { 6 } else { 3 };
    let tick = |hour: u32| HeatTick {
        at: f64::from(hour) / 24.0,
        label: format!("{hour:02}:00"),
    };
    Heat {
        width,
        row_height: (700.0 / count.max(1) as f64).clamp(2.0, 18.0).floor(),
        ticks: (0..24).step_by(stride).map(tick).collect(),
        rows,
        dense,
        // Half an interval, for the hour that comes twice.
        grid: 2.0 * 24.0 / view.interval_hours(),
        ..heat_of(view)
    }
}

fn day_cells(view: &View<'_>, slots: &[&SlotData]) -> Vec<Cell> {
    let width = view.interval_hours() / 24.0;
    let mut cells = Vec::with_capacity(slots.len());
    for (index, slot) in slots.iter().enumerate() {
        let Some((hour, minute)) = clock_parts(&slot.at.clock) else {
            continue;
        };
        let same = |other: &&&SlotData| other.at.clock == slot.at.clock;
        // The same wall clock comes twice within two hours or not at all.
        let reach = (2.5 / view.interval_hours()).ceil() as usize;
        let before = slots[index.saturating_sub(reach)..index]
            .iter()
            .filter(same)
            .count();
        let after = slots[index + 1..(index + 1 + reach).min(slots.len())]
            .iter()
            .filter(same)
            .count();
        let share = width / (before + after + 1) as f64;
        let from = f64::from(hour * 60 + minute) / 1440.0 + before as f64 * share;
        cells.push(Cell {
            from,
            to: from + share,
            ..cell(view, slot)
        });
    }
    cells.sort_by(|one, other| one.from.total_cmp(&other.from));
    cells
}

fn cell(view: &View<'_>, slot: &SlotData) -> Cell {
    let at = format!("{} {}", slot.at.day, slot.at.clock);
    let title = match slot.clearing_price {
        Some(price) => format!("{at}: {} {}", fixed(price, 4), view.price_unit()),
        None => format!("{at}: {}", super::notes::outcome_words(&slot.outcome)),
    };
    Cell {
        value: slot.clearing_price,
        title,
        ..Cell::default()
    }
}

fn heat_of(view: &View<'_>) -> Heat {
    Heat {
        title: "Clearing price by time of day".to_owned(),
        desc: format!("{} Hatched or grey: not cleared.", describe(view)),
        unit: view.price_unit(),
        empty_label: "not cleared".to_owned(),
        ..Heat::default()
    }
}

/// Lowest, mean and highest of finite values; none without values.
fn spread(values: impl Iterator<Item = f64>) -> Option<(f64, f64, f64)> {
    let (mut low, mut high, mut sum, mut count) = (f64::INFINITY, f64::NEG_INFINITY, 0.0, 0usize);
    for value in values.filter(|value| value.is_finite()) {
        (low, high, sum, count) = (low.min(value), high.max(value), sum + value, count + 1);
    }
    (count > 0).then(|| (low, sum / count as f64, high))
}
