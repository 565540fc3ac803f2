//! `tieline run`: a scenario from profiles to bills.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tieline_market::game::Game;
use tieline_market::report;
use tieline_units::{Energy, Money};

use super::{Failure, interrupt, overrides, shipped};
use crate::cli::{Global, Run};
use crate::config::Config;
use crate::input::{self, Finding, Scenario};
use crate::output::collect::{Collector as ReportCollector, Detail, Extras};
use crate::output::folder::{Earlier, Kind, Staged, write};
use crate::output::rounds::Rounds;
use crate::output::summary::{Collector as SummaryCollector, LEFT_OUT, Summary};
use crate::output::tables::Tables;
use crate::printer::{Printer, Progress};
use crate::report::data::ledgers::LedgersData;
use crate::run::conclude::Direct;
use crate::run::ledgers::{Interrupted, Watch, journal};
use crate::run::position::Positioning;
use crate::run::round::Played;
use crate::run::tally::Tally;
use crate::run::{Pipeline, Sink, ledgers, slot};

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
        "orders.json",
        "keys.json",
        "chains",
    ],
};

/// Paragraphs of a scenario's NOTICE that the report repeats.
const NOTICES_MAX: usize = 20;

/// Rounds of one search whose exploitability is computed for the page.
const TRACED_MAX: usize = 120;

pub(super) fn run(global: &Global, command: &Run, printer: Printer) -> Result<(), Failure> {
    let folder = shipped::scenario(command.scenario.as_deref())?;
    let scenario = load((global, command), folder.path(), printer)?;
    let out = command
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from("out").join(file_name(&scenario.config.name)));
    let staged = stage(command, &out, printer)?;
    let stages = Stages {
        scenario: &scenario,
        out: staged.path(),
        market_only: command.market_only,
    };
    let (summary, tally, perfect) = match stages.run(printer) {
        Err(error) if error.is::<Interrupted>() => return Err(interrupted(command)),
        other => other?,
    };
    staged.publish()?;
    printer.text(&text(&scenario, &tally, perfect))?;
    printer.text(&format!(
        "\nreport: {}\n",
        out.join("report.html").display()
    ))?;
    printer.document(&summary)?;
    if command.market_only {
        printer.note(&format!("left out: {LEFT_OUT}"));
    }
    Ok(())
}

/// Where results are written; what an earlier call has left there is told.
fn stage(command: &Run, out: &Path, printer: Printer) -> anyhow::Result<Staged> {
    if command.market_only {
        return Staged::new(out, RESULT);
    }
    let (staged, earlier) = Staged::resumable(out, RESULT, (journal::FILE, command.resume))?;
    match (earlier, command.resume) {
        (Earlier::Removed, _) => {
            printer.note(
                "an interrupted run was there and is begun anew; --resume would go on with it",
            );
        }
        (Earlier::None, true) => {
            printer.note("no interrupted run is there: it begins at the beginning")
        }
        _ => {}
    }
    Ok(staged)
}

fn interrupted(command: &Run) -> Failure {
    let mut again = vec!["tieline run".to_owned()];
    again.extend(command.scenario.iter().map(|it| it.display().to_string()));
    again.extend(
        command
            .out
            .iter()
            .map(|it| format!("--out {}", it.display())),
    );
    again.push("--resume".to_owned());
    Failure::Interrupted(format!(
        "interrupted\n\nhint: go on with {}",
        again.join(" ")
    ))
}

fn load(
    (global, command): (&Global, &Run),
    folder: &Path,
    printer: Printer,
) -> Result<Scenario, Failure> {
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
    scenario
        .warnings
        .extend(unused(&scenario.config, command.market_only));
    for warning in &scenario.warnings {
        printer.warn(warning);
    }
    Ok(scenario)
}

/// Settings that would change bills and belong to the ledgers, which this run leaves out; and the fee, which only they know.
fn unused(config: &Config, market_only: bool) -> Vec<Finding> {
    let meters = &config.meters;
    let set = [
        ("meters.noise_ppm", meters.noise_ppm != 0),
        ("meters.missing_ppm", meters.missing_ppm != 0),
        ("meters.delay", meters.delay_ms != 0),
        ("meters.lie", !meters.lies.is_empty()),
        ("contract.line", !config.contract.lines.is_empty()),
        ("trouble", !config.trouble.all.is_empty()),
    ];
    let warning = |key: &str, why: &str| Finding::warning("scenario.toml", why).column(key);
    let left_out = set.iter().filter(|(_, is_set)| *is_set && market_only);
    let mut found: Vec<Finding> = left_out
        .map(|(key, _)| warning(key, "is set and not applied: it belongs to the ledgers"))
        .collect();
    if config.contract.request_fee != Money::ZERO {
        let why = "is taken on the ledgers, and stands in no bill";
        found.push(warning("contract.request_fee", why));
    }
    found
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

/// A run and where its results go.
struct Stages<'a> {
    scenario: &'a Scenario,
    out: &'a Path,
    market_only: bool,
}

impl Stages<'_> {
    fn run(&self, printer: Printer) -> anyhow::Result<(Summary, Tally, Option<Money>)> {
        let Stages { scenario, out, .. } = *self;
        let mut tally = Tally::new(scenario.microgrids.len());
        let mut summary = SummaryCollector::default();
        let mut report = ReportCollector::default();
        let mut rounds = Rounds::new(out)?;
        let mut tables = Tables::new(out)?;
        let (took, ledgers) = self.intervals(
            &mut [
                &mut tally,
                &mut summary,
                &mut report,
                &mut rounds,
                &mut tables,
            ],
            printer,
        )?;
        rounds.finish()?;
        tables.finish()?;
        let perfect = gain_with_perfect_forecast(scenario, printer)?;
        let left_out: Vec<&str> = self.market_only.then_some(LEFT_OUT).into_iter().collect();
        let summary = summary.finish(scenario, &tally, (perfect, left_out.clone()));
        let extras = Extras {
            gain_with_perfect_forecast: perfect,
            notices: notices(&scenario.folder),
            left_out: left_out.into_iter().map(str::to_owned).collect(),
            ledgers,
        };
        let pipeline = Pipeline::new(Direct);
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
        write(&out.join(RESULT.marker), &json(&summary)?)?;
        Ok((summary, tally, perfect))
    }

    /// Steps 2 to 11 of every interval; how long they took.
    fn intervals(
        &self,
        sinks: &mut [&mut dyn Sink],
        printer: Printer,
    ) -> anyhow::Result<(Duration, Option<LedgersData>)> {
        let Stages { scenario, out, .. } = *self;
        let total = scenario.intervals.len() as u64;
        let mut progress = printer.progress("market intervals", total);
        let mut data = None;
        if self.market_only {
            let pipeline = Pipeline::new(Direct);
            pipeline.run(scenario, sinks, &mut |done| progress.at(done as u64))?;
        } else {
            interrupt::listen();
            let mut watch = Watching(&mut progress, printer);
            let joined = ledgers::run(scenario, out, sinks, &mut watch)?;
            write(&out.join("orders.json"), &json(&joined.orders)?)?;
            write(&out.join("keys.json"), &json(&joined.keys)?)?;
            data = Some(crate::output::ledgers::data(&joined));
        }
        let took = progress.finish();
        printer.detail(&format!("all stages in {:.2} s", took.as_secs_f64()));
        Ok((took, data))
    }
}

/// Shows how far a run is, and hears Ctrl-C.
struct Watching<'a>(&'a mut Progress, Printer);

impl Watch for Watching<'_> {
    fn done(&mut self, intervals: usize) {
        self.0.at(intervals as u64);
    }

    fn note(&mut self, text: &str) {
        self.1.note(text);
    }

    fn ends(&self) -> bool {
        interrupt::asked()
    }
}

/// A document as it is written.
fn json(document: &impl serde::Serialize) -> anyhow::Result<Vec<u8>> {
    let mut json = serde_json::to_vec_pretty(document)?;
    json.push(b'\n');
    Ok(json)
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
    let ends = tally.ends.iter();
    let ends: Vec<String> = ends
        .map(|(outcome, count)| format!("{count} {}", outcome.as_str()))
        .collect();
    lines.extend((!ends.is_empty()).then(|| format!("orders: {}", ends.join(", "))));
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
