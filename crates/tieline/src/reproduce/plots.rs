//! The plots of Figs. 7, 8 and 9.

use tieline_market::Strategy;

use super::fig7::{Fig7, Point};
use super::fig8::{DAMPING, Fig8, Trace};
use super::fig9::{Curves, Fig9};
use super::paper::{FIG8_ITERATIONS, TABLE1};
use crate::plot::number::fixed;
use crate::plot::{Anchor, Axis, Chart, Dash, Ink, Kind, Series, Svg, Tick, stack};

/// Width of a plot in a file and beside another one, pixels.
pub(super) const WIDE: f64 = 540.0;
/// Width of a plot on a phone, pixels.
pub(super) const NARROW: f64 = 340.0;

/// A plot that can be drawn in any width.
#[derive(Clone, Debug)]
pub(super) struct Plot {
    /// Name of its file, without ending.
    pub(super) id: String,
    /// Heading.
    pub(super) heading: String,
    kind: PlotKind,
}

#[derive(Clone, Debug)]
enum PlotKind {
    Bars(Bars),
    Lines(Box<Chart>),
}

#[derive(Clone, Debug)]
struct Bars {
    unit: &'static str,
    groups: Vec<Group>,
}

#[derive(Clone, Debug)]
struct Group {
    tick: String,
    improved: f64,
    traditional: f64,
    printed: Option<f64>,
}

impl Plot {
    /// A plot of one chart.
    pub(super) fn lines(id: &str, heading: &str, chart: Chart) -> Plot {
        Plot {
            id: id.to_owned(),
            heading: heading.to_owned(),
            kind: PlotKind::Lines(Box::new(chart)),
        }
    }

    /// Draws it `width` pixels wide.
    pub(super) fn draw(&self, width: f64) -> Svg {
        match &self.kind {
            PlotKind::Bars(bars) => bars.draw(&self.heading, width),
            PlotKind::Lines(chart) => {
                let mut chart = (**chart).clone();
                chart.size.0 = width;
                chart.draw()
            }
        }
    }
}

/// Volume and income of microgrid 1.
pub(super) fn fig7(found: &Fig7) -> Vec<Plot> {
    let bars =
        |id: &str, heading: &str, unit: &'static str, of: fn(&Point) -> (f64, f64, usize)| Plot {
            id: id.to_owned(),
            heading: heading.to_owned(),
            kind: PlotKind::Bars(Bars {
                unit,
                groups: found
                    .points
                    .iter()
                    .map(|point| group(point, of(point)))
                    .collect(),
            }),
        };
    vec![
        bars("fig7-volume", "MG1: bid-winning volume", "kW", |p| {
            (p.improved_kw, p.traditional_kw, 0)
        }),
        bars("fig7-income", "MG1: income", "yuan/h", |p| {
            (p.improved_income, p.traditional_income, 1)
        }),
    ]
}

fn group(point: &Point, (improved, traditional, which): (f64, f64, usize)) -> Group {
    let row = TABLE1
        .iter()
        .find(|row| Some(row.demand_kw) == point.printed_demand_kw);
    let as_printed = point
        .printed_demand_kw
        .is_none_or(|printed| printed == point.demand_kw);
    Group {
        tick: format!(
            "{}{}",
            fixed(point.demand_kw, 0),
            if as_printed { "" } else { "*" }
        ),
        improved,
        traditional,
        printed: row.map(|row| {
            if which == 0 {
                row.output_kw[0]
            } else {
                row.income[0]
            }
        }),
    }
}

impl Bars {
    fn description(&self, heading: &str) -> String {
        let unit = self.unit;
        format!("{heading} under both strategies at four demands, in {unit}.")
    }

    fn draw(&self, heading: &str, width: f64) -> Svg {
        let at = |index: usize, from: f64, to: f64| (index as f64 + from, index as f64 + to);
        let bars = |from: f64, to: f64, of: fn(&Group) -> f64| {
            let bar = |(index, group): (usize, &Group)| {
                let (from, to) = at(index, from, to);
                (from, to, of(group))
            };
            self.groups.iter().enumerate().map(bar).collect::<Vec<_>>()
        };
        let improved = bars(0.14, 0.49, |group| group.improved);
        let traditional = bars(0.51, 0.86, |group| group.traditional);
        let dots: Vec<(f64, f64)> = self
            .groups
            .iter()
            .enumerate()
            .filter_map(|(index, group)| Some((index as f64 + 0.315, group.printed?)))
            .collect();
        let tick = |(index, group): (usize, &Group)| Tick {
            value: index as f64 + 0.5,
            label: group.tick.clone(),
        };
        let chart = Chart {
            title: heading.to_owned(),
            desc: self.description(heading),
            size: (width, 290.0),
            x: Axis {
                label: "demand, kW (* printed as 220)".to_owned(),
                range: Some((0.0, self.groups.len() as f64)),
                ticks: Some(self.groups.iter().enumerate().map(tick).collect()),
                ..Axis::default()
            },
            y: Axis {
                label: self.unit.to_owned(),
                from_zero: true,
                ..Axis::default()
            },
            series: vec![
                Series::new("improved", Ink::BLUE, Kind::Bars(improved.clone())),
                Series::new("traditional", Ink::AMBER, Kind::Bars(traditional.clone()))
                    .dashed(Dash::Short),
                Series::new("printed, improved", Ink::Text, Kind::Points(dots.clone())),
            ],
            legend: true,
            ..Chart::default()
        };
        let (mut svg, frame) = chart.axes();
        for (bars, ink, striped) in [(&improved, "ar c0", false), (&traditional, "ar c4", true)] {
            for &(from, to, value) in bars {
                let rect = frame.rect((from, 0.0), (to, value));
                svg.rect(rect, ink, &fixed(value, 4));
                if striped {
                    svg.rect(rect, "stripe", "");
                }
                // a dot on the bar or above it: the number goes above the dot
                let dot = dots
                    .iter()
                    .find(|dot| !striped && dot.0 > from && dot.0 < to);
                let top = dot.map_or(rect.y, |dot| rect.y.min(frame.y.at(dot.1) - 5.0));
                Self::value(&mut svg, (rect.x + rect.width / 2.0, top), value);
            }
        }
        for &(x, y) in &dots {
            svg.circle(
                frame.at(x, y),
                4.0,
                "ar ct",
                &format!("printed {}", fixed(y, 4)),
            );
        }
        svg
    }

    fn value(svg: &mut Svg, (middle, top): (f64, f64), value: f64) {
        let text = if value == 0.0 {
            "0".to_owned()
        } else {
            fixed(value, if value < 100.0 { 1 } else { 0 })
        };
        svg.text((middle, top - 5.0), Anchor::Middle, "small halo", &text);
    }
}

/// Two panels, one per strategy, on one scale, and below each the two lower demands on a scale of their own.
pub(super) fn fig8(found: &Fig8) -> Vec<Plot> {
    let panels = [
        ("improved", "(a) improved strategy", Strategy::Improved),
        (
            "traditional",
            "(b) traditional strategy",
            Strategy::Traditional,
        ),
    ];
    let mut plots = Vec::with_capacity(4);
    // ends on whole fiftieths
    let (low, high) = ends(found.traces.iter());
    let range = ((low * 50.0).floor() / 50.0, (high * 50.0).ceil() / 50.0);
    for (id, heading, strategy) in panels {
        plots.push(panel(
            (format!("fig8-{id}"), heading),
            found,
            strategy,
            Some(range),
        ));
    }
    for (id, heading, strategy) in panels {
        plots.push(panel(
            (format!("fig8-{id}-detail"), heading),
            found,
            strategy,
            None,
        ));
    }
    plots
}

fn ends<'a>(traces: impl Iterator<Item = &'a Trace>) -> (f64, f64) {
    let prices = traces.flat_map(|trace| trace.prices.iter().copied());
    prices.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), price| {
        (low.min(price), high.max(price))
    })
}

/// All three demands within `range`, or the two lower ones on their own scale.
fn panel(
    (id, heading): (String, &str),
    found: &Fig8,
    strategy: Strategy,
    range: Option<(f64, f64)>,
) -> Plot {
    let demands = if range.is_some() { 3 } else { 2 };
    let heading = if range.is_some() {
        heading.to_owned()
    } else {
        format!("{heading}, the two lower demands")
    };
    let chart = Chart {
        title: format!("Clearing price by iteration, {heading}"),
        desc: "One colour per demand; dots undamped, lines damped.".to_owned(),
        size: (WIDE, if range.is_some() { 300.0 } else { 240.0 }),
        x: Axis {
            label: "iteration".to_owned(),
            range: Some((0.0, FIG8_ITERATIONS as f64)),
            ..Axis::default()
        },
        y: Axis {
            label: "yuan/kWh".to_owned(),
            range,
            ..Axis::default()
        },
        series: lines(found, strategy, demands),
        legend: true,
        ..Chart::default()
    };
    Plot {
        id,
        heading,
        kind: PlotKind::Lines(Box::new(chart)),
    }
}

const DEMAND_INKS: [(Ink, Dash); 3] = [
    (Ink::BLUE, Dash::Solid),
    (Ink::GREEN, Dash::Long),
    (Ink::RED, Dash::Short),
];

fn lines(found: &Fig8, strategy: Strategy, demands: usize) -> Vec<Series> {
    let mut series = Vec::new();
    let inks = || DEMAND_INKS.into_iter().take(demands);
    for (trace, (ink, dash)) in found.of(strategy, DAMPING).zip(inks()) {
        let label = format!("{} kW", fixed(trace.demand_kw, 0));
        series.push(Series::new(&label, ink, Kind::Line(drawn_on(trace))).dashed(dash));
    }
    for (trace, (ink, _)) in found.of(strategy, 1.0).zip(inks()) {
        series.push(Series::new("", ink, Kind::Points(drawn_on(trace))));
    }
    series
}

/// Up to the iterations that the paper shows; a price at rest stays.
fn drawn_on(trace: &Trace) -> Vec<(f64, f64)> {
    let price = |k: usize| trace.prices.get(k).copied().unwrap_or(trace.last());
    (0..=FIG8_ITERATIONS)
        .map(|k| (k as f64, price(k)))
        .collect()
}

/// Load over stacked sun and wind, one panel per microgrid.
pub(super) fn fig9(found: &Fig9) -> Vec<Plot> {
    let hours = f64::from(found.interval_minutes) / 60.0;
    let panel = |(index, one): (usize, &Curves)| Plot {
        id: format!("fig9-{}", index + 1),
        heading: one.label.clone(),
        kind: PlotKind::Lines(Box::new(day(one, hours))),
    };
    found.microgrids.iter().enumerate().map(panel).collect()
}

fn day(one: &Curves, hours: f64) -> Chart {
    let xs: Vec<f64> = (0..one.load_kw.len())
        .map(|index| index as f64 * hours)
        .collect();
    let load = xs
        .iter()
        .copied()
        .zip(one.load_kw.iter().copied())
        .collect();
    let mut layers = stack(&xs, &[&one.pv_kw, &one.wind_kw]).into_iter();
    let mut series = Vec::new();
    for (label, ink, measure) in [("sun", Ink::AMBER, one.pv), ("wind", Ink::SKY, one.wind)] {
        let Some(layer) = layers.next() else { continue };
        if measure.peak_kw > 0.0 {
            series.push(Series::new(label, ink, Kind::Stack(layer, 24.0)));
        }
    }
    series.push(Series::new("load", Ink::Text, Kind::Steps(load, 24.0)));
    let tick = |hour: u32| Tick {
        value: f64::from(hour),
        label: format!("{hour:02}:00"),
    };
    Chart {
        title: one.label.clone(),
        desc: format!(
            "Load, sun and wind over one day, in kW. Peak load {} kW.",
            fixed(one.load.peak_kw, 0)
        ),
        size: (WIDE, 280.0),
        x: Axis {
            range: Some((0.0, 24.0)),
            ticks: Some((0..=24).step_by(4).map(tick).collect()),
            ..Axis::default()
        },
        y: Axis {
            label: "kW".to_owned(),
            from_zero: true,
            ..Axis::default()
        },
        series,
        legend: true,
        ..Chart::default()
    }
}
