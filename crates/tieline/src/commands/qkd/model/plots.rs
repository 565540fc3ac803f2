//! The drawing of `qkd model`: rate against distance, error rate and stock over a day.

use tieline_qkd::link::preset::Preset;

use super::day::{DAY_MS, Day, Incident, Point};
use super::{CURVE_END_KM, Cell};
use crate::plot::number::fixed;
use crate::plot::{Anchor, Axis, Chart, Dash, Ink, Kind, Series, Svg, Tick};

/// Width of the drawing and of what stands around the charts, pixels.
const WIDTH: f64 = 760.0;
const MARGIN: f64 = 16.0;
const HEADING: f64 = 24.0;

/// Lowest rate that is drawn, bits per pulse.
const RATE_MIN: f64 = 1e-8;

/// Highest error rate that is drawn, percent: a dark line counts noise, of which half is wrong.
const ERROR_MAX_PERCENT: f64 = 15.0;

/// Colours of the incidents.
const INCIDENTS: [Ink; 4] = [Ink::RED, Ink::AMBER, Ink::PURPLE, Ink::GREY];

/// Colours and dashes of the block sizes.
const STYLES: [(Ink, Dash); 8] = [
    (Ink::BLUE, Dash::Solid),
    (Ink::RED, Dash::Long),
    (Ink::GREEN, Dash::DashDot),
    (Ink::PURPLE, Dash::Short),
    (Ink::BROWN, Dash::Solid),
    (Ink::SKY, Dash::Long),
    (Ink::AMBER, Dash::DashDot),
    (Ink::GREY, Dash::Short),
];

pub(super) fn draw(preset: &Preset, cells: &[Cell], day: &Day) -> Svg {
    let charts = [
        ("Key rate against distance", rates(preset, cells)),
        ("Error rate over the day", errors(day)),
        ("Keys in stock over the day", stock(day)),
    ];
    let title = format!("Simulated QKD link, preset {}", preset.name);
    let mut svg = Svg::new((WIDTH, 0.0), &title, preset.note);
    let mut top = MARGIN + 14.0;
    svg.text((MARGIN, top), Anchor::Start, "strong", &title);
    for line in [preset.note.to_owned(), about(day)] {
        top += 17.0;
        svg.text((MARGIN, top), Anchor::Start, "", &line);
    }
    for (heading, chart) in charts {
        top += HEADING + 8.0;
        svg.text((MARGIN, top), Anchor::Start, "strong", heading);
        top += 10.0;
        svg.place((MARGIN, top), &chart.draw());
        top += chart.size.1;
    }
    svg.set_height(top + MARGIN);
    svg
}

fn about(day: &Day) -> String {
    format!(
        "Day over {} km: blocks of {} sifted bits, {} s each; in use {} kb/s",
        day.distance_km,
        power(day.block_bits),
        fixed(day.block_seconds, 1),
        fixed(day.use_bits_per_second / 1e3, 2),
    )
}

/// Logarithmic: the axis carries exponents above the lowest one, its ticks say powers.
fn rates(preset: &Preset, cells: &[Cell]) -> Chart {
    let pulse_rate = preset.pulse_rate_hz as f64;
    let mut blocks: Vec<f64> = cells.iter().map(|cell| cell.block_bits).collect();
    blocks.sort_by(|a, b| b.total_cmp(a));
    blocks.dedup();
    let end_km = cells
        .iter()
        .map(|cell| cell.distance_km)
        .fold(CURVE_END_KM, f64::max);
    let low = (RATE_MIN * pulse_rate).log10().floor() as i32;
    let curve = |(index, &block): (usize, &f64)| {
        let (ink, dash) = STYLES[index % STYLES.len()];
        let points = cells.iter().filter(|cell| cell.block_bits == block);
        let points = points.map(|cell| {
            let drawn = cell.bits_per_pulse >= RATE_MIN;
            let height = if drawn {
                cell.bits_per_second.log10() - f64::from(low)
            } else {
                f64::NAN
            };
            (cell.distance_km, height)
        });
        Series::new(
            &format!("{} sifted bits", power(block)),
            ink,
            Kind::Line(points.collect()),
        )
        .dashed(dash)
    };
    let high = cells
        .iter()
        .map(|cell| cell.bits_per_second)
        .fold(1.0, f64::max)
        .log10()
        .ceil() as i32;
    Chart {
        title: "Key rate against distance".to_owned(),
        desc: "One curve per block size; every one ends where no key is left.".to_owned(),
        size: (WIDTH - 2.0 * MARGIN, 360.0),
        x: Axis {
            range: Some((0.0, end_km)),
            ..Axis::named("length of the fibre, km")
        },
        y: Axis {
            range: Some((0.0, f64::from(high - low))),
            ticks: Some((low..=high).map(|exponent| decade(exponent, low)).collect()),
            ..Axis::named("simulated key rate, bit per second, logarithmic")
        },
        series: blocks.iter().enumerate().map(curve).collect(),
        legend: true,
        room_right: 0.0,
    }
}

/// A tick at a power of ten, on an axis that begins at another.
fn decade(exponent: i32, low: i32) -> Tick {
    let label = match exponent {
        ..0 => format!("{}", 10f64.powi(exponent)),
        0..3 => format!("{}", 10i64.pow(exponent.unsigned_abs())),
        3..6 => format!("{} k", 10i64.pow(exponent.unsigned_abs() - 3)),
        _ => format!("{} M", 10i64.pow(exponent.unsigned_abs() - 6)),
    };
    Tick {
        value: f64::from(exponent - low),
        label,
    }
}

fn hours() -> Axis {
    let end = DAY_MS as f64 / 3.6e6;
    let ticks = (0..=8).map(|step| Tick {
        value: f64::from(step * 3),
        label: format!("{:02}:00", step * 3),
    });
    Axis {
        range: Some((0.0, end)),
        ticks: Some(ticks.collect()),
        ..Axis::named("time of the simulated day")
    }
}

fn errors(day: &Day) -> Chart {
    let percent = |share: f64| share * 100.0;
    let level = |label: &str, ink: Ink, dash: Dash, share: f64| {
        let ends = vec![(0.0, percent(share)), (24.0, percent(share))];
        Series::new(label, ink, Kind::Line(ends)).dashed(dash)
    };
    let point = |point: &Point| {
        let hour = (point.start_seconds + point.end_seconds) / 7200.0;
        (hour, point.qber.map_or(f64::NAN, percent))
    };
    let blocks = day.series.iter();
    let lost: Vec<(f64, f64)> = blocks
        .clone()
        .filter(|point| point.thrown_away > 0)
        .map(point)
        .collect();
    let mut series = incidents(day, ERROR_MAX_PERCENT);
    // The chart below names them.
    series.iter_mut().for_each(|band| band.label.clear());
    series.extend([
        level("hard alarm", Ink::RED, Dash::Long, day.alarm_qber),
        level("tolerated", Ink::AMBER, Dash::Short, day.tolerated_qber),
        Series::new(
            "error rate of the key's basis",
            Ink::BLUE,
            Kind::Line(blocks.map(point).collect()),
        ),
    ]);
    if !lost.is_empty() {
        series.push(Series::new(
            "thrown away (at the upper edge: above the axis)",
            Ink::RED,
            Kind::Points(lost),
        ));
    }
    Chart {
        title: "Error rate over the day".to_owned(),
        desc: "Error rate block by block, with what is tolerated and where the hard alarm lies."
            .to_owned(),
        size: (WIDTH - 2.0 * MARGIN, 250.0),
        x: hours(),
        y: Axis {
            range: Some((0.0, ERROR_MAX_PERCENT)),
            ..Axis::named("error rate (QBER), %")
        },
        series,
        legend: true,
        room_right: 0.0,
    }
}

/// A band per incident, from 0 to `top`.
fn incidents(day: &Day, top: f64) -> Vec<Series> {
    let band = |(incident, ink): (&Incident, Ink)| {
        let ends = [incident.start_seconds, incident.end_seconds];
        let band = ends.map(|seconds| (seconds / 3600.0, 0.0, top));
        Series::new(incident.name, ink, Kind::Band(band.to_vec()))
    };
    let inks = INCIDENTS.into_iter().cycle();
    day.incidents.iter().zip(inks).map(band).collect()
}

fn stock(day: &Day) -> Chart {
    let highest = day.series.iter().map(|point| point.stock_bits);
    let highest = highest.fold(0.0, f64::max);
    let (unit, name) = match highest {
        1e9.. => (1e9, "Gb"),
        1e6.. => (1e6, "Mb"),
        _ => (1e3, "kb"),
    };
    let hour = |seconds: f64| seconds / 3600.0;
    let stock = day
        .series
        .iter()
        .map(|point| (hour(point.end_seconds), point.stock_bits / unit));
    let mut series = incidents(day, highest / unit);
    series.push(Series::new(
        "keys in stock",
        Ink::BLUE,
        Kind::Line(std::iter::once((0.0, 0.0)).chain(stock).collect()),
    ));
    Chart {
        title: "Keys in stock over the day".to_owned(),
        desc: "What the link released less what is used at a steady rate.".to_owned(),
        size: (WIDTH - 2.0 * MARGIN, 230.0),
        x: hours(),
        y: Axis {
            from_zero: true,
            ..Axis::named(&format!("simulated keys in stock, {name}"))
        },
        series,
        legend: true,
        room_right: 0.0,
    }
}

/// A block size as power of ten where it is one.
fn power(bits: f64) -> String {
    let exponent = bits.log10();
    if (exponent - exponent.round()).abs() > 1e-9 {
        return format!("{bits:e}");
    }
    let digits = format!("{}", exponent.round());
    let raised = digits.chars().map(|digit| match digit {
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        other => char::from_u32('⁰' as u32 + (other as u32 - '0' as u32)).unwrap_or(other),
    });
    format!("10{}", raised.collect::<String>())
}
