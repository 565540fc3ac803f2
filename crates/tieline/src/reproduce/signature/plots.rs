//! The plots of the signature.

use super::COMMITTEES;
use super::bounds::Point;
use super::denial::{Chance, printed_log2};
use super::liveness::Liveness;
use crate::plot::{Axis, Chart, Dash, Ink, Kind, Series, Tick};
use crate::reproduce::plots::{Plot, WIDE};

const INKS: [Ink; 3] = [Ink::BLUE, Ink::GREEN, Ink::RED];
const DASHES: [Dash; 3] = [Dash::Solid, Dash::Long, Dash::DashDot];

/// Bits of security against functions per pair.
pub(super) fn reached(found: &[Point]) -> Plot {
    let most = found.iter().map(|point| point.functions).max().unwrap_or(1);
    let end = f64::from(most.next_multiple_of(50));
    let mut series = Vec::new();
    for ((committee, ink), dash) in COMMITTEES.into_iter().zip(INKS).zip(DASHES) {
        let points = found.iter().filter(|point| point.receivers == committee.0);
        let line = points.map(|point| (f64::from(point.functions), -point.worst_log2));
        let label = format!("n = {}, l_max = {}", committee.0, committee.2);
        series.push(Series::new(&label, ink, Kind::Line(line.collect())).dashed(dash));
    }
    for (committee, ink) in COMMITTEES.into_iter().zip(INKS) {
        let level = -printed_log2(committee.0.into());
        let line = Kind::Line(vec![(0.0, level), (end, level)]);
        series.push(Series::new("", ink, line).dashed(Dash::Short));
    }
    chart(
        "signature-bounds",
        "Bits of security against functions per pair",
        Chart {
            desc: "One line per committee from the search; level short dashes: formula (19) with n receivers.".to_owned(),
            x: Axis {
                label: "functions per pair, k".to_owned(),
                range: Some((0.0, end)),
                ..Axis::default()
            },
            y: Axis {
                label: "bits".to_owned(),
                from_zero: true,
                ..Axis::default()
            },
            series,
            ..Chart::default()
        },
    )
}

/// Share of denied signatures against functions per pair.
pub(super) fn chances(found: &[Chance]) -> Plot {
    let line = |of: fn(&Chance) -> f64| {
        found
            .iter()
            .map(|one| (f64::from(one.functions), of(one)))
            .collect::<Vec<_>>()
    };
    let printed = Kind::Line(line(|_| 1.0));
    chart(
        "signature-denials",
        "Denied signatures by functions per pair",
        Chart {
            desc:
                "Measured shares, the exact chance and the bound; as printed every denial succeeds."
                    .to_owned(),
            x: Axis {
                label: "functions per pair, k".to_owned(),
                range: Some((1.5, 6.5)),
                ticks: Some(found.iter().map(|one| tick(one.functions.into())).collect()),
                ..Axis::default()
            },
            y: Axis {
                label: "share of epochs".to_owned(),
                range: Some((0.0, 1.05)),
                ticks: Some([0.0, 0.25, 0.5, 0.75, 1.0].map(share_tick).to_vec()),
                ..Axis::default()
            },
            series: vec![
                Series::new("as printed, one function", Ink::RED, printed).dashed(Dash::Short),
                Series::new("bound", Ink::GREEN, Kind::Line(line(|one| one.bound)))
                    .dashed(Dash::Long),
                Series::new("exact", Ink::BLUE, Kind::Line(line(|one| one.expected))),
                Series::new(
                    "measured",
                    Ink::Text,
                    Kind::Points(line(|one| one.attacks.rate())),
                ),
            ],
            ..Chart::default()
        },
    )
}

/// Dishonest receivers against receivers.
pub(super) fn liveness(found: &[Liveness]) -> Plot {
    let first = found.first().map_or(0, |row| row.receivers);
    let last = found.last().map_or(1, |row| row.receivers);
    let half = |n: u8, side: f64| f64::from(n) + side / 2.0;
    let steps = |of: fn(&Liveness) -> f64| {
        let points = found.iter().map(|row| (half(row.receivers, -1.0), of(row)));
        Kind::Steps(points.collect(), half(last, 1.0))
    };
    chart(
        "signature-liveness",
        "Dishonest receivers beside an honest signer",
        Chart {
            desc: "Steps by number of receivers: admitted by the paper, and with which somebody accepts.".to_owned(),
            x: Axis {
                label: "receivers, n".to_owned(),
                range: Some((half(first, -1.0), half(last, 1.0))),
                ticks: Some(found.iter().step_by(2).map(|row| tick(row.receivers.into())).collect()),
                ..Axis::default()
            },
            y: Axis {
                label: "dishonest receivers, t".to_owned(),
                range: Some((0.0, 4.0)),
                ticks: Some((0..=4).map(tick).collect()),
                ..Axis::default()
            },
            series: vec![
                Series::new("admitted, σ > 3/4", Ink::RED, steps(|row| row.admitted.into()))
                    .dashed(Dash::Short),
                Series::new("eq. (11)", Ink::Text, steps(|row| row.live_printed.into()))
                    .dashed(Dash::Long),
                Series::new("here, one transfer", Ink::BLUE, steps(|row| row.live_once.into())),
            ],
            ..Chart::default()
        },
    )
}

fn chart(id: &str, heading: &str, chart: Chart) -> Plot {
    Plot::lines(
        id,
        heading,
        Chart {
            title: heading.to_owned(),
            size: (WIDE, 300.0),
            legend: true,
            ..chart
        },
    )
}

fn tick(value: u32) -> Tick {
    Tick {
        value: value.into(),
        label: value.to_string(),
    }
}

fn share_tick(value: f64) -> Tick {
    Tick {
        value,
        label: format!("{value:.2}"),
    }
}
