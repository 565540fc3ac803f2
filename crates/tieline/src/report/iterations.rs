//! A round's search: clearing price and exploitability by iteration.

use super::data::RoundData;
use super::view::View;
use crate::plot::number::{fixed, short};
use crate::plot::{Axis, Chart, Dash, Ink, Kind, Series, Tick};

/// Points of a curve drawn at most.
const POINTS_MAX: usize = 120;

/// Iterations up to which each has its tick.
const TICKED_MAX: usize = 10;

/// Both drawings below each other.
pub(super) fn charts(view: &View<'_>, round: &RoundData) -> String {
    let exploitability = exploitability(view, round).unwrap_or_else(|| {
        "<p class=\"fine\">Exploitability was not computed for this round.</p>".to_owned()
    });
    format!("{}{exploitability}", prices(view, round))
}

fn prices(view: &View<'_>, round: &RoundData) -> String {
    let history = &round.price_history;
    let last = history.len().saturating_sub(1);
    let end = |value: Option<&f64>| fixed(value.copied().unwrap_or(f64::NAN), 4);
    let level = |price: f64| Kind::Line(vec![(0.0, price), (last.max(1) as f64, price)]);
    let (low, high) = round.band;
    draw(Chart {
        title: "Clearing price by iteration".to_owned(),
        desc: format!(
            "From {} to {} in {last} iterations; the grid pays {} and charges {}.",
            end(history.first()),
            end(history.last()),
            fixed(low, 4),
            fixed(high, 4)
        ),
        y: Axis {
            from_zero: true,
            ..Axis::named(&view.price_unit())
        },
        series: vec![
            Series::new("grid\u{2019}s prices", Ink::Muted, level(high)).dashed(Dash::Long),
            Series::new("", Ink::Muted, level(low)).dashed(Dash::Long),
            Series::new(
                "clearing price",
                Ink::BLUE,
                curve(0, history.iter().copied()),
            ),
        ],
        ..Chart::default()
    })
}

/// Where it was computed.
fn exploitability(view: &View<'_>, round: &RoundData) -> Option<String> {
    let (banded, free) = round.exploitability.last().copied()?;
    let pairs = || round.exploitability.iter();
    Some(draw(Chart {
        title: "Exploitability by iteration".to_owned(),
        desc: format!(
            "After the last iteration {} inside the price band, {} for any deviation.",
            short(banded),
            short(free)
        ),
        y: Axis {
            from_zero: true,
            ..Axis::named(&format!("exploitability, {} per hour", view.data.currency))
        },
        series: vec![
            Series::new(
                "inside the price band",
                Ink::BLUE,
                curve(1, pairs().map(|pair| pair.0)),
            ),
            Series::new(
                "any deviation",
                Ink::RED,
                curve(1, pairs().map(|pair| pair.1)),
            )
            .dashed(Dash::Long),
        ],
        ..Chart::default()
    }))
}

/// Values of the iterations from `first` on: every k-th and the last one, at most [`POINTS_MAX`] of them.
fn curve(first: usize, values: impl ExactSizeIterator<Item = f64>) -> Kind {
    let count = values.len();
    let stride = count.div_ceil(POINTS_MAX).max(1);
    let points = values
        .enumerate()
        .filter(|(index, _)| index % stride == 0 || index + 1 == count)
        .map(|(index, value)| ((index + first) as f64, value));
    Kind::Line(points.collect())
}

/// With the level axis that both drawings share.
fn draw(mut chart: Chart) -> String {
    let last = |series: &Series| match &series.kind {
        Kind::Line(points) => points.last().map_or(0.0, |point| point.0),
        _ => 0.0,
    };
    let end = chart.series.iter().map(last).fold(1.0, f64::max);
    let ticks = (0..=end as usize).map(|iteration| Tick {
        value: iteration as f64,
        label: iteration.to_string(),
    });
    chart.size = (360.0, 220.0);
    chart.legend = true;
    chart.x = Axis {
        range: Some((0.0, end)),
        ticks: (end as usize <= TICKED_MAX).then(|| ticks.collect()),
        ..Axis::named("iteration")
    };
    chart.draw().inline()
}
