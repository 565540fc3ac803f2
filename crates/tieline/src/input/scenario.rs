//! Puts settings and tables together.

use std::path::Path;

use tieline_units::{Currency, IntervalLength, MicrogridId, Time};

use super::cells::Unit;
use super::columns::Layout;
use super::files::{self, TableFile};
use super::finding::{Finding, Findings, InputErrors, nearest};
use super::microgrids::{self, Community};
use super::prices;
use super::series::{self, Ids, Series, Table};
use super::steps::Detected;
use super::store::Grid;
use super::{Progress, Scenario, plausible, rows};
use crate::config::{Config, Mode, Span};

/// Interval of profiles that hold a single instant and name none.
const LENGTH_DEFAULT: IntervalLength = IntervalLength::Min15;

/// The files of a scenario.
struct Files {
    microgrids: Option<TableFile>,
    profiles: TableFile,
    forecast: Option<TableFile>,
    prices: Option<TableFile>,
}

/// Reads all tables of the scenario.
pub(crate) fn assemble(
    folder: &Path,
    config: Config,
    progress: &mut dyn FnMut(Progress),
) -> Result<Scenario, InputErrors> {
    let mut findings = Findings::default();
    let Some(files) = find_files(folder, &config, &mut findings) else {
        return Err(InputErrors::new(findings.into_list()));
    };
    let mut community = files
        .microgrids
        .as_ref()
        .map(|file| in_file(&mut findings, |own| microgrids::read(file, own)));
    let (ids, profiles) = read_profiles(
        &config,
        &files.profiles,
        (&mut community, progress),
        &mut findings,
    )
    .map_or((None, None), |(ids, series)| (Some(ids), Some(series)));
    let community = community.unwrap_or_default();
    let grid = profiles.as_ref().map(|series| series.grid);
    let forecast = match (&files.forecast, &ids, grid) {
        (Some(file), Some(ids), Some(grid)) => {
            read_forecast(file, (ids, grid), progress, &mut findings)
        }
        _ => None,
    };
    let mut prices = prices::Read {
        config: &config,
        file: files.prices.as_ref(),
        grid,
        community: community.currency,
        progress,
    };
    let (currency, tariff) = prices.read(&mut findings);
    if let Some(file) = &files.microgrids {
        let limit = prices.limit(currency);
        microgrids::check_costs(file, &community, (limit, currency), &mut findings);
    }
    check_series(&files, &community, [&profiles, &forecast], &mut findings);
    check_names(&config, &community, &mut findings);
    // Whatever is incomplete has left a finding; this holds the line if one is ever forgotten.
    let whole = |series: &Option<Series>| series.as_ref().is_none_or(|series| series.complete);
    let incomplete =
        forecast.is_none() != files.forecast.is_none() || !whole(&profiles) || !whole(&forecast);
    let warnings = findings.finish()?;
    match (profiles, grid, tariff) {
        (Some(profiles), Some(grid), Some(tariff)) if !incomplete => Ok(Scenario {
            folder: folder.to_owned(),
            currency,
            zone: config.zone.clone(),
            length: grid.length,
            microgrids: community.microgrids,
            intervals: grid.intervals(),
            actual: profiles.store.into_profiles(),
            forecast: forecast.map(|series| series.store.into_profiles()),
            tariff,
            warnings,
            config,
        }),
        _ => Err(Finding::error(&files.profiles.name, "could not be used").into()),
    }
}

/// Holds the series against the sizes of the microgrids, and the whole against what can be summed.
fn check_series(
    files: &Files,
    community: &Community,
    [profiles, forecast]: [&Option<Series>; 2],
    findings: &mut Findings,
) {
    let microgrids = &community.microgrids;
    for (series, file) in [
        (profiles, Some(&files.profiles)),
        (forecast, files.forecast.as_ref()),
    ] {
        if let (Some(series), Some(file)) = (series, file) {
            plausible::check(file, microgrids, &series.peaks, findings);
        }
    }
    if let Some(series) = profiles {
        plausible::check_size(
            microgrids,
            &series.peaks,
            &series.grid.intervals(),
            findings,
        );
    }
}

fn find_files(folder: &Path, config: &Config, findings: &mut Findings) -> Option<Files> {
    let tables = &config.tables;
    let mut find =
        |table, named: &Option<String>| files::find(folder, table, named.as_deref(), findings);
    let microgrids = find("microgrids", &tables.microgrids);
    let profiles = find("profiles", &tables.profiles);
    let forecast = find("forecast", &tables.forecast);
    let prices = find("prices", &tables.prices);
    if profiles.is_none() && tables.profiles.is_none() {
        let problem = format!(
            "no profiles.csv, profiles.parquet or profiles.csv.gz in {}",
            folder.display()
        );
        findings
            .push(Finding::error("profiles", problem).hint(
                "put the table there or name it in scenario.toml: [tables] profiles = \"…\"",
            ));
    }
    if findings.errors() > 0 {
        return None;
    }
    Some(Files {
        microgrids,
        profiles: profiles?,
        forecast,
        prices,
    })
}

/// Reads one file with findings of its own: what it says about errors is about this file.
pub(crate) fn in_file<T>(findings: &mut Findings, read: impl FnOnce(&mut Findings) -> T) -> T {
    let mut own = Findings::default();
    let out = read(&mut own);
    findings.append(own);
    out
}

fn read_profiles(
    config: &Config,
    file: &TableFile,
    (community, progress): (&mut Option<Community>, &mut dyn FnMut(Progress)),
    findings: &mut Findings,
) -> Option<(Ids, Series)> {
    let declared_with_errors = findings.errors() > 0;
    in_file(findings, |own| {
        let layout = rows::layout(file, |header, own| header.profiles(own), own)?;
        let mut seen = Vec::new();
        let wanted = community.is_none().then_some(&mut seen);
        let steps = series::scan(file, &layout, progress, wanted);
        let mut ids = identify(file, community, seen, own);
        ids.incomplete = declared_with_errors;
        let detected = steps.detect();
        let length = choose_length(config, file, detected, own)?;
        let grid = choose_grid(config, detected, length, own);
        check_gates(config, grid, own);
        let table = Table {
            file,
            layout: &layout,
            unit: Unit::Kilowatt,
            ids: Some(&ids),
        };
        let series = series::fill(&table, grid, progress, own);
        // Without rows there is nothing that forecast and prices could be held against.
        (steps.rows() > 0).then_some((ids, series))
    })
}

/// The microgrids by id; without a table, those that the profiles name.
fn identify(
    file: &TableFile,
    community: &mut Option<Community>,
    seen: Vec<MicrogridId>,
    findings: &mut Findings,
) -> Ids {
    let known = community.get_or_insert_with(|| {
        findings.push(
            Finding::warning(
                &file.name,
                "there is no table of microgrids: ids come from the profiles, all costs are 0",
            )
            .hint("add microgrids.csv with capacities and costs"),
        );
        Community {
            microgrids: seen.iter().map(microgrids::bare).collect(),
            ..Community::default()
        }
    });
    Ids::new(known.microgrids.iter().map(|one| one.id.clone()).collect())
}

fn choose_length(
    config: &Config,
    file: &TableFile,
    detected: Option<Detected>,
    findings: &mut Findings,
) -> Option<IntervalLength> {
    let step = detected.and_then(|detected| detected.step_ms);
    match (config.interval, step) {
        (Some(length), _) => {
            let expected = (length, "the scenario's interval");
            let fits = detected.is_none_or(|detected| {
                series::check_step("profiles", file, detected, expected, findings)
            });
            fits.then_some(length)
        }
        (None, None) => Some(LENGTH_DEFAULT),
        (None, Some(step)) => {
            let length = IntervalLength::from_millis(step);
            if length.is_none() {
                let problem = format!("the rows are {} apart", super::steps::format_step(step));
                findings.push(
                    Finding::error(&file.name, problem)
                        .expected("5min, 15min, 30min or 60min")
                        .hint("resample the data to a market interval; values are never spread or averaged"),
                );
            }
            length
        }
    }
}

/// The span that runs, as a grid.
fn choose_grid(
    config: &Config,
    detected: Option<Detected>,
    length: IntervalLength,
    findings: &mut Findings,
) -> Grid {
    let whole = detected.map_or((Time::default(), Time::default()), |detected| {
        (detected.first, detected.last.plus_millis(length.millis()))
    });
    let (start, end) = match config.span {
        Span::Whole => whole,
        Span::Days { from, to } => (
            from.map_or(whole.0, |day| config.zone.start_of(day)),
            to.map_or(whole.1, |day| config.zone.start_of(day.next())),
        ),
    };
    let rest = end.as_millis().saturating_sub(start.as_millis()) % length.millis();
    if config.span != Span::Whole && rest != 0 {
        let problem =
            format!("the local days that run are not a whole number of {length} intervals");
        findings.push(Finding::error("scenario.toml", problem).hint(
            "where clocks change by half an hour, or days start off the hour, use interval = \"30min\" or shorter",
        ));
    }
    Grid::between(start, end, length)
}

/// Refuses gates that no order can meet: gate < D, D + Δt ≤ G for the first interval that runs.
fn check_gates(config: &Config, grid: Grid, findings: &mut Findings) {
    let (gates, start) = (&config.gates, grid.time(0));
    let closure = start.minus_millis(gates.closure_before_delivery_ms);
    let last = closure.minus_millis(gates.delta_t_ms);
    let (gate, deadline, key) = match config.mode {
        Mode::DayAhead => {
            let day = config.zone.day_of(start);
            let gate = config
                .zone
                .at_wall_minutes(day.previous(), gates.day_ahead_minutes);
            (
                gate,
                gate.plus_millis(gates.accept_within_ms),
                "gates.accept_within",
            )
        }
        Mode::Intraday => {
            let gate = start.minus_millis(gates.intraday_ms);
            (gate, last, "gates.intraday")
        }
    };
    if grid.count > 0 && (deadline <= gate || deadline > last) {
        let problem = format!(
            "leaves no time: gate {gate}, deadline {deadline}, closure {closure} for delivery at {start}"
        );
        let finding = Finding::error("scenario.toml", problem).column(key);
        findings.push(
            finding.hint("needed: gate before deadline, deadline + delta_t not after closure"),
        );
    }
}

fn read_forecast(
    file: &TableFile,
    (ids, grid): (&Ids, Grid),
    progress: &mut dyn FnMut(Progress),
    findings: &mut Findings,
) -> Option<Series> {
    in_file(findings, |own| {
        let layout: Layout = rows::layout(file, |header, own| header.profiles(own), own)?;
        let steps = series::scan(file, &layout, progress, None);
        let expected = (grid.length, "the step of the profiles");
        if let Some(detected) = steps.detect()
            && !series::check_step("forecast", file, detected, expected, own)
        {
            return None;
        }
        let table = Table {
            file,
            layout: &layout,
            unit: Unit::Kilowatt,
            ids: Some(ids),
        };
        Some(series::fill(&table, grid, progress, own))
    })
}

/// Names in the settings that no table knows: a link to nowhere is a warning, a limit on no line an error.
fn check_names(config: &Config, community: &Community, findings: &mut Findings) {
    if community.microgrids.is_empty() {
        return;
    }
    check_troubles(config, community, findings);
    const VPP: &str = "vpp";
    let known: Vec<&str> = community
        .microgrids
        .iter()
        .map(|one| one.site.as_str())
        .chain([VPP])
        .collect();
    for link in &config.keys.links {
        for site in link
            .sites
            .iter()
            .filter(|site| !known.contains(&site.as_str()))
        {
            let finding = Finding::warning("scenario.toml", "is the site of no microgrid");
            let finding = finding
                .at(super::Place::Line(link.line))
                .column("keys.link");
            findings.push(unknown(finding, site.as_str(), &known));
        }
    }
    let known: Vec<&str> = community
        .microgrids
        .iter()
        .map(|one| one.id.as_str())
        .collect();
    for limit in &config.aggregator.limits {
        for id in [&limit.seller, &limit.buyer] {
            if !known.contains(&id.as_str()) {
                let finding = Finding::error("scenario.toml", "is no microgrid of this scenario");
                let finding = finding
                    .at(super::Place::Line(limit.line))
                    .column("aggregator.limit");
                findings.push(unknown(finding, id.as_str(), &known));
            }
        }
    }
}

/// Names in the settings of what goes wrong.
fn check_troubles(config: &Config, community: &Community, findings: &mut Findings) {
    let microgrids = || community.microgrids.iter();
    let members: Vec<&str> = microgrids().map(|one| one.id.as_str()).collect();
    let chains = microgrids().map(|one| one.chain.as_str()).chain(["vpp"]);
    let chains: Vec<&str> = chains.collect();
    let mut ask = |(name, line, key): (&str, u64, &str), known: &[&str], what: &str| {
        if !known.contains(&name) {
            let finding = Finding::error("scenario.toml", format!("is no {what} of this scenario"));
            let finding = finding.at(super::Place::Line(line)).column(key);
            findings.push(unknown(finding, name, known));
        }
    };
    for trouble in &config.trouble.all {
        use crate::config::What;
        match &trouble.what {
            What::Declines(id, _) | What::Silent(id, _) | What::NoReadings(id, _) => {
                ask(
                    (id.as_str(), trouble.line, "trouble"),
                    &members,
                    "microgrid",
                );
            }
            What::Cheats(id) => ask(
                (id.as_str(), trouble.line, "trouble"),
                &members,
                "microgrid",
            ),
            What::Held(chain, ..) | What::SilentNode(chain, _) | What::GarbledKeys(chain, _) => {
                ask((chain.as_str(), trouble.line, "trouble"), &chains, "chain");
            }
        }
    }
    for lie in &config.meters.lies {
        ask(
            (lie.microgrid.as_str(), lie.line, "meters.lie"),
            &members,
            "microgrid",
        );
    }
    for line in &config.contract.lines {
        for end in &line.ends {
            ask(
                (end.as_str(), line.line, "contract.line"),
                &members,
                "microgrid",
            );
        }
    }
}

fn unknown(finding: Finding, found: &str, known: &[&str]) -> Finding {
    let names = known.iter().copied();
    let finding = finding
        .found(found)
        .expected(format!("one of {}", super::finding::listed(names)));
    match nearest(found, known.iter().copied()) {
        Some(near) => finding.hint(format!("did you mean '{near}'?")),
        None => finding,
    }
}

/// The currency of a scenario that names none.
pub(crate) fn default_currency() -> Currency {
    Currency::parse("EUR").expect("three letters")
}
