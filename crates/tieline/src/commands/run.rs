//! `tieline run`: a scenario from profiles to bills.

use std::path::{Path, PathBuf};

use tieline_market::game::Game;
use tieline_market::report;
use tieline_units::{Energy, Money};

use super::{Failure, overrides, shipped};
use crate::cli::{Global, Run};
use crate::config::Config;
use crate::input::{self, Finding, Scenario};
use crate::output::collect::{Collector as ReportCollector, Detail, Extras};
use crate::output::folder::{Kind, Staged, write};
use crate::output::rounds::Rounds;
use crate::output::summary::{Collector as SummaryCollector, LEFT_OUT, Summary};
use crate::output::tables::Tables;
use crate::printer::Printer;
use crate::run::conclude::Direct;
use crate::run::position::Positioning;
use crate::run::round::Played;
use crate::run::tally::Tally;
use crate::run::{Pipeline, slot};

/// What a run leaves.
const RESULT: Kind = Kind {
    marker: "summary.json",
    entries: &[
        "summary.json",
        "report.html",
        "trades.parquet",
        "settlement.parquet",
        "settlement.csv",
        "rounds",
    ],
};

/// Paragraphs of a scenario's NOTICE that the report repeats.
const NOTICES_MAX: usize = 20;

/// Rounds of one search whose exploitability is computed for the page.
const TRACED_MAX: usize = 120;

pub(super) fn run(global: &Global, command: &Run, printer: Printer) -> Result<(), Failure> {
    let folder = shipped::scenario(command.scenario.as_deref())?;
    let scenario = load(global, folder.path(), printer)?;
    let out = command
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from("out").join(file_name(&scenario.config.name)));
    let staged = Staged::new(&out, RESULT)?;
    let (summary, tally, perfect) = all_stages(&scenario, staged.path(), printer)?;
    staged.publish()?;
    printer.text(&text(&scenario, &tally, perfect))?;
    printer.text(&format!(
        "\nreport: {}\n",
        out.join("report.html").display()
    ))?;
    printer.document(&summary)?;
    printer.note(&format!("left out: {}", LEFT_OUT[0]));
    Ok(())
}

fn load(global: &Global, folder: &Path, printer: Printer) -> Result<Scenario, Failure> {
    let overrides = overrides(global, printer)?;
    let mut progress = printer.progress("reading", 0);
    let mut total = 0;
    let settings = global.config.as_deref();
    let mut scenario = input::load(folder, settings, &overrides, &mut |at| {
        if at.total.is_some_and(|now| now != total) {
            total = at.total.unwrap_or(0);
            progress.set_total(total);
        }
        progress.at(at.done);
    })?;
    let took = progress.finish();
    printer.detail(&format!("read in {:.2} s", took.as_secs_f64()));
    scenario.warnings.extend(unused(&scenario.config));
    for warning in &scenario.warnings {
        printer.warn(warning);
    }
    Ok(scenario)
}

/// Settings that would change bills and belong to the steps that are left out.
fn unused(config: &Config) -> Vec<Finding> {
    let set = [
        (
            "contract.request_fee",
            config.contract.request_fee != Money::ZERO,
        ),
        ("meters.noise_ppm", config.meters.noise_ppm != 0),
        ("meters.missing_ppm", config.meters.missing_ppm != 0),
    ];
    set.into_iter()
        .filter(|(_, is_set)| *is_set)
        .map(|(key, _)| {
            Finding::warning(
                "scenario.toml",
                "is set and not applied: it belongs to the ledgers",
            )
            .column(key)
        })
        .collect()
}

/// A scenario's name as a folder name.
fn file_name(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '-'
        }
    };
    let text: String = name.chars().map(plain).collect();
    let text = text.trim_matches('.').to_owned();
    if text.is_empty() {
        "scenario".to_owned()
    } else {
        text
    }
}

fn all_stages(
    scenario: &Scenario,
    out: &Path,
    printer: Printer,
) -> anyhow::Result<(Summary, Tally, Option<Money>)> {
    let mut tally = Tally::new(scenario.microgrids.len());
    let mut summary = SummaryCollector::default();
    let mut report = ReportCollector::default();
    let mut rounds = Rounds::new(out)?;
    let mut tables = Tables::new(out)?;
    let pipeline = Pipeline::new(Direct);
    let mut progress = printer.progress("market intervals", scenario.intervals.len() as u64);
    pipeline.run(
        scenario,
        &mut [
            &mut tally,
            &mut summary,
            &mut report,
            &mut rounds,
            &mut tables,
        ],
        &mut |done| progress.at(done as u64),
    )?;
    let took = progress.finish();
    printer.detail(&format!(
        "market and settlement in {:.2} s",
        took.as_secs_f64()
    ));
    rounds.finish()?;
    tables.finish()?;
    let perfect = gain_with_perfect_forecast(scenario, printer)?;
    let summary = summary.finish(scenario, &tally, perfect);
    let extras = Extras {
        gain_with_perfect_forecast: perfect,
        notices: notices(&scenario.folder),
    };
    let data = report.finish(scenario, &tally, extras, &mut |index| {
        let settled = pipeline.interval(&slot(scenario, index))?;
        let played = settled.concluded.ordered.matched.round.played;
        Ok(played.map(|played| {
            let exploitability = trace(&played);
            Detail {
                played,
                exploitability,
            }
        }))
    })?;
    let wall_clock = format!("Computed in {:.1} s", took.as_secs_f64());
    write(
        &out.join("report.html"),
        crate::report::render(&data, Some(&wall_clock)).as_bytes(),
    )?;
    let mut json = serde_json::to_vec_pretty(&summary)?;
    json.push(b'\n');
    write(&out.join(RESULT.marker), &json)?;
    Ok((summary, tally, perfect))
}

/// The paragraphs of the scenario's NOTICE: names and licences of its data.
fn notices(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("NOTICE")).unwrap_or_default();
    let paragraphs = text.split("\n\n").take(NOTICES_MAX);
    paragraphs
        .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|paragraph| !paragraph.is_empty())
        .collect()
}

/// What the members would have gained had the forecast been right; `None` where there is no forecast.
fn gain_with_perfect_forecast(
    scenario: &Scenario,
    printer: Printer,
) -> anyhow::Result<Option<Money>> {
    if scenario.forecast.is_none() {
        return Ok(None);
    }
    let mut tally = Tally::new(scenario.microgrids.len());
    let total = scenario.intervals.len() as u64;
    let mut progress = printer.progress("the same with a perfect forecast", total);
    let pipeline = Pipeline::new(Direct).with_positions(Positioning::Perfect);
    pipeline.run(scenario, &mut [&mut tally], &mut |done| {
        progress.at(done as u64)
    })?;
    progress.finish();
    Ok(Some(tally.members_gain()))
}

/// Exploitability (banded, free) after round 1, 2, ...: the same game stopped after so many rounds.
fn trace(played: &Played) -> Vec<(f64, f64)> {
    let rounds = played.rounds.min(TRACED_MAX);
    (1..=rounds)
        .filter_map(|stop| exploitability_after(&played.game, stop))
        .collect()
}

fn exploitability_after(game: &Game, rounds: usize) -> Option<(f64, f64)> {
    let mut rules = game.rules().clone();
    rules.max_iter = rounds;
    let stopped = Game::new(game.players().to_vec(), rules, game.demand_kw()).ok()?;
    let solution = tieline_market::solve(&stopped);
    let gains = report::gains(&stopped, &solution);
    let largest = |gain: fn(&report::Gain) -> f64| gains.iter().map(gain).fold(0.0, f64::max);
    Some((largest(|gain| gain.banded), largest(|gain| gain.free)))
}

fn text(scenario: &Scenario, tally: &Tally, perfect: Option<Money>) -> String {
    let currency = scenario.currency;
    let kwh = |energy: Energy| energy.as_millijoules() as f64 / Energy::PER_KILOWATT_HOUR as f64;
    let mut lines = vec![format!(
        "{}: {} market intervals of {}, {} with sellers and buyers, {} cleared, {} failed",
        scenario.config.name,
        tally.intervals,
        scenario.length,
        tally.two_sided,
        tally.outcome("cleared"),
        tally.outcome("failed"),
    )];
    lines.push(format!(
        "{} orders, {:.1} kWh ordered, {:.1} kWh delivered",
        tally.orders,
        kwh(tally.ordered),
        kwh(tally.delivered)
    ));
    lines.push(String::new());
    lines.push(format!(
        "{:<12} {:>11} {:>11} {:>14} {:>14} {:>12}",
        "member", "sold kWh", "bought kWh", "bill", "bill alone", "gain"
    ));
    for (microgrid, sums) in scenario.microgrids.iter().zip(&tally.members) {
        lines.push(format!(
            "{:<12} {:>11.1} {:>11.1} {:>14} {:>14} {:>12}",
            microgrid.id,
            kwh(sums.bill.sold),
            kwh(sums.bill.bought),
            sums.bill.balance().to_string(),
            sums.bill_alone.balance().to_string(),
            sums.gain().to_string(),
        ));
    }
    lines.push(format!(
        "{:<12} {:>38}",
        "aggregator",
        tally.aggregator.to_string()
    ));
    lines.push(format!("{:<12} {:>38}", "grid", tally.grid.to_string()));
    lines.push(format!(
        "{:<12} {:>38} {currency}",
        "sum",
        tally.zero_sum().to_string()
    ));
    let gain = tally.members_gain();
    lines.push(format!(
        "\nmembers' gain over trading with the grid alone: {gain} {currency}"
    ));
    if let Some(perfect) = perfect {
        lines.push(format!(
            "with a perfect forecast it would have been:     {perfect} {currency}"
        ));
    }
    if let Some((with, alone)) = tally.renewable_rates() {
        lines.push(format!(
            "sun and wind used by members: {:.1} %, without the market {:.1} %",
            with * 100.0,
            alone * 100.0
        ));
    }
    lines.join("\n") + "\n"
}
