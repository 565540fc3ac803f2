//! Load and generation per member, as small multiples.

use super::data::{ProfileData, TimeLabel};
use super::html::{escape, figure, section as html_section};
use super::view::View;
use crate::plot::number::fixed;
use crate::plot::{Axis, Chart, Dash, Ink, Kind, Series, stack};

/// Members drawn at most.
const MEMBERS_MAX: usize = 60;

/// Members from which on the drawings are small.
const MANY: usize = 6;

/// Points per curve at most; more are averaged.
const POINTS_MAX: usize = 200;

/// Members whose peaks differ by more than this get scales of their own.
const SAME_SCALE_RATIO: f64 = 6.0;

/// The section.
pub(super) fn section(view: &View<'_>) -> String {
    let data = view.data;
    let mut lead = "What each member consumed and generated, and the net position it went to market with (above zero: surplus).".to_owned();
    if let (Some(first), Some(last)) = (data.profile_times.first(), data.profile_times.last())
        && data.days.len() > 1
    {
        match first.day == last.day {
            true => lead.push_str(&format!(" Shown: {}.", first.day)),
            false => lead.push_str(&format!(" Shown: {} to {}.", first.day, last.day)),
        }
    }
    let peaks: Vec<f64> = data
        .profiles
        .iter()
        .map(|profile| extent(profile).1)
        .collect();
    let high = peaks.iter().copied().fold(0.0, f64::max);
    let low = peaks
        .iter()
        .copied()
        .filter(|peak| *peak > 0.0)
        .fold(high, f64::min);
    let same = high <= low * SAME_SCALE_RATIO;
    let shared = same.then(|| {
        data.profiles
            .iter()
            .map(extent)
            .fold((0.0f64, 0.0f64), |ends, one| {
                (ends.0.min(one.0), ends.1.max(one.1))
            })
    });
    let mut charts = String::new();
    for profile in data.profiles.iter().take(MEMBERS_MAX) {
        charts.push_str(&figure("panel", &member(view, profile, shared), ""));
    }
    if charts.is_empty() {
        return html_section(
            "profiles",
            "Profiles",
            &lead,
            "<p>No profiles in this run.</p>\n",
        );
    }
    let mut fine = if same {
        "All members on the same scale.".to_owned()
    } else {
        "Each member on its own scale.".to_owned()
    };
    if data.profiles.len() > MEMBERS_MAX {
        fine.push_str(&format!(
            " The first {MEMBERS_MAX} of {} members.",
            data.profiles.len()
        ));
    }
    let many = if data.profiles.len() > MANY {
        " many"
    } else {
        ""
    };
    let content = format!(
        "{KEY}<div class=\"multiples{many}\">\n{charts}</div>\n<p class=\"fine\">{fine}</p>\n"
    );
    html_section("profiles", "Profiles", &lead, &content)
}

const KEY: &str = concat!(
    "<ul class=\"key\" aria-label=\"Meaning of the colours\"><li><span class=\"dash ct\"></span>load</li>",
    "<li><span class=\"dot c4\"></span>sun</li><li><span class=\"dot c5\"></span>wind</li>",
    "<li><span class=\"dot striped c6\"></span>dispatchable units</li><li><span class=\"dash broken c1\"></span>net forecast</li></ul>\n"
);

fn member(view: &View<'_>, profile: &ProfileData, shared: Option<(f64, f64)>) -> String {
    let times = &view.data.profile_times;
    let first = times.first().map_or(0, |time| time.start.as_millis());
    let since =
        |time: &TimeLabel| time.start.as_millis().saturating_sub(first) as f64 / 3_600_000.0;
    let hours: Vec<f64> = times.iter().map(since).collect();
    let width = if hours.len() > 1 {
        hours[1] - hours[0]
    } else {
        view.interval_hours()
    };
    let end = hours.last().copied().unwrap_or(0.0) + width;
    let labels = hours
        .iter()
        .zip(times)
        .map(|(&at, time)| (at, time.day.as_str(), time.clock.as_str()));
    let several_days = times.first().map(|time| &time.day) != times.last().map(|time| &time.day);
    let ticks = View::time_ticks(labels, if end <= 8.0 { 1 } else { 6 }, several_days);
    let ends = shared.unwrap_or_else(|| extent(profile));
    let id = view.member_id(profile.member);
    let chart = Chart {
        title: format!("Profiles of {id}"),
        desc: describe(profile),
        size: (450.0, 240.0),
        x: Axis {
            range: Some((0.0, end)),
            ticks: Some(ticks),
            ..Axis::default()
        },
        y: Axis {
            range: Some((ends.0 * 1.05, ends.1.max(1e-3) * 1.05)),
            ..Axis::named("kW")
        },
        series: curves(profile, &hours, end),
        legend: false,
        ..Chart::default()
    };
    let name = view
        .member(profile.member)
        .map_or("", |member| member.name.as_str());
    let name = match name.is_empty() || name == id {
        true => String::new(),
        false => format!(" <span>{}</span>", escape(name)),
    };
    format!(
        "<h3 class=\"small\">{}{name}</h3>{}",
        escape(&id),
        chart.draw().inline()
    )
}

/// Generation stacked, load and net forecast as lines.
fn curves(profile: &ProfileData, hours: &[f64], end: f64) -> Vec<Series> {
    let stride = hours.len().div_ceil(POINTS_MAX).max(1);
    let xs: Vec<f64> = hours.iter().copied().step_by(stride).collect();
    let mean = |values: &[f64]| -> Vec<f64> { averaged(values, stride, xs.len()) };
    let (pv, wind, dispatch) = (
        mean(&profile.pv_kw),
        mean(&profile.wind_kw),
        mean(&profile.dispatch_kw),
    );
    let mut layers = stack(&xs, &[&pv, &wind, &dispatch]).into_iter();
    let mut area =
        |ink: Ink| Series::new("", ink, Kind::Stack(layers.next().unwrap_or_default(), end));
    let line = |values: &[f64]| Kind::Steps(xs.iter().copied().zip(mean(values)).collect(), end);
    vec![
        area(Ink::AMBER),
        area(Ink::SKY),
        area(Ink::BROWN).dashed(Dash::Long),
        Series::new("", Ink::Text, line(&profile.load_kw)),
        Series::new("", Ink::RED, line(&profile.forecast_net_kw)).dashed(Dash::Long),
    ]
}

/// Lowest and highest value of anything drawn, with zero.
fn extent(profile: &ProfileData) -> (f64, f64) {
    let places = vec![0.0; profile.load_kw.len()];
    let made = stack(
        &places,
        &[&profile.pv_kw, &profile.wind_kw, &profile.dispatch_kw],
    );
    let made = made.iter().flatten().map(|(_, _, high)| high);
    let lines = profile.load_kw.iter().chain(&profile.forecast_net_kw);
    let values = made.chain(lines).filter(|value| value.is_finite());
    values.fold((0.0f64, 0.0f64), |(low, high), value| {
        (low.min(*value), high.max(*value))
    })
}

fn describe(profile: &ProfileData) -> String {
    let peak = |values: &[f64]| {
        let finite = values.iter().copied().filter(|value| value.is_finite());
        fixed(finite.fold(0.0, f64::max), 1)
    };
    format!(
        "Highest values: load {} kW, sun {} kW, wind {} kW, dispatchable units {} kW.",
        peak(&profile.load_kw),
        peak(&profile.pv_kw),
        peak(&profile.wind_kw),
        peak(&profile.dispatch_kw)
    )
}

/// Means of `stride` values each, `count` of them; not a number where there are none.
fn averaged(values: &[f64], stride: usize, count: usize) -> Vec<f64> {
    let mean = |chunk: &[f64]| chunk.iter().sum::<f64>() / chunk.len() as f64;
    let mut means: Vec<f64> = values.chunks(stride).map(mean).collect();
    means.resize(count, f64::NAN);
    means
}
