//! Reads a table of time series onto a grid: rows in any order, each checked, none invented.

use std::collections::BTreeMap;

use tieline_units::{IntervalLength, MicrogridId, decimal};

use super::Progress;
use super::cells::{REFUSED, Unit};
use super::columns::Layout;
use super::files::{Format, TableFile};
use super::finding::{Finding, Findings, Place, escape, listed, nearest};
use super::rows::{self, GRID_HINT, Pass, Plan, Read, Row};
use super::steps::{Detected, Steps, format_step};
use super::store::{Grid, Slot, Store};

/// Findings of one kind that are listed one by one.
const SHOWN: u64 = 5;

/// Microgrids whose missing steps are listed.
const GAPS_SHOWN: u64 = 12;

/// Ranges of missing steps that are written out per microgrid.
const RANGES_MAX: usize = 8;

/// A table and what is needed to read it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table<'a> {
    pub(crate) file: &'a TableFile,
    pub(crate) layout: &'a Layout,
    pub(crate) unit: Unit,
    /// What the rows are keyed by; `None` for prices, which have one row per step.
    pub(crate) ids: Option<&'a Ids>,
}

/// Microgrids by id, in the scenario's order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    pub(crate) list: Vec<MicrogridId>,
    index: BTreeMap<MicrogridId, usize>,
    /// The table that declares them had errors, so an unknown id may be a consequence.
    pub(crate) incomplete: bool,
}

/// A filled store and the peak of each series.
pub(crate) struct Series {
    pub(crate) store: Store,
    pub(crate) grid: Grid,
    /// Per key and value column.
    pub(crate) peaks: Vec<Vec<Peak>>,
    /// Every step of every key has a row.
    pub(crate) complete: bool,
}

/// Largest value of a series.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Peak {
    pub(crate) value: i64,
    pub(crate) number: u64,
}

impl Ids {
    pub(crate) fn new(list: Vec<MicrogridId>) -> Ids {
        let index = list
            .iter()
            .cloned()
            .enumerate()
            .map(|(at, id)| (id, at))
            .collect();
        Ids {
            list,
            index,
            incomplete: false,
        }
    }

    fn find(&self, text: &str, last: usize) -> Option<usize> {
        // Tables are sorted by time or by microgrid: the next or the same one as before.
        for guess in [last + 1, last, 0] {
            if self.list.get(guess).is_some_and(|id| id.as_str() == text) {
                return Some(guess);
            }
        }
        MicrogridId::parse(text)
            .ok()
            .and_then(|id| self.index.get(&id).copied())
    }
}

/// First pass: the timestamps, and with `ids` the microgrids in order of appearance.
pub(crate) fn scan(
    file: &TableFile,
    layout: &Layout,
    progress: &mut dyn FnMut(Progress),
    mut ids: Option<&mut Vec<MicrogridId>>,
) -> Steps {
    let mut steps = Steps::new();
    let mut seen: BTreeMap<MicrogridId, ()> = BTreeMap::new();
    // The second pass reports what is wrong.
    let mut ignored = Findings::default();
    let plan = Plan {
        file,
        layout,
        unit: None,
        ids: ids.is_some(),
    };
    let mut last = String::new();
    let mut row = |row: &Row<'_>, _: &mut Findings| {
        steps.add(row.time);
        if let Some(list) = &mut ids
            && row.id != last
        {
            row.id.clone_into(&mut last);
            if let Ok(id) = MicrogridId::parse(row.id)
                && seen.insert(id.clone(), ()).is_none()
            {
                list.push(id);
            }
        }
    };
    let mut pass = Pass {
        findings: &mut ignored,
        progress,
        row: &mut row,
    };
    rows::stream(&plan, &mut pass);
    steps
}

/// The detected step as a market interval, checked against the one that is expected; `false` after a finding.
pub(crate) fn check_step(
    table: &str,
    file: &TableFile,
    detected: Detected,
    (expected, whose): (IntervalLength, &str),
    findings: &mut Findings,
) -> bool {
    let Some(step) = detected.step_ms.filter(|step| *step != expected.millis()) else {
        return true;
    };
    let found = format_step(step);
    let problem = format!("the rows are {found} apart");
    let finding = Finding::error(&file.name, problem).expected(format!("{expected}, {whose}"));
    let coarser = step > expected.millis();
    findings.push(match (table, coarser, IntervalLength::from_millis(step)) {
        ("prices", true, Some(length)) => finding.hint(format!(
            "if each price holds for {length}, say so: [tables] price_interval = \"{length}\""
        )),
        (_, false, Some(_)) if table != "profiles" => Finding::error(
            &file.name,
            format!("the rows are {found} apart, those of the profiles {expected}"),
        )
        .expected("one step")
        .hint(format!(
            "give profiles of {found} or {table} of {expected}; values are never spread or averaged"
        )),
        (_, _, Some(length)) if table == "profiles" => finding.hint(format!(
            "set interval = \"{length}\" or give profiles of {expected}"
        )),
        _ => finding.hint(format!(
            "give {table} of {expected}; values are never spread or averaged"
        )),
    });
    false
}

/// Second pass: every row onto the grid.
pub(crate) fn fill(
    table: &Table<'_>,
    grid: Grid,
    progress: &mut dyn FnMut(Progress),
    findings: &mut Findings,
) -> Series {
    let keys = table.ids.map_or(1, |ids| ids.list.len());
    let width = table.layout.values.len();
    let mut filler = Filler {
        table,
        grid,
        store: Store::new(grid.count, keys, width),
        peaks: vec![vec![Peak::default(); width]; keys],
        last: 0,
        seen: vec![false; keys],
        misplaced: 0,
    };
    let plan = Plan {
        file: table.file,
        layout: table.layout,
        unit: Some(table.unit),
        ids: table.ids.is_some(),
    };
    let mut pass = Pass {
        findings,
        progress,
        row: &mut |row, findings| filler.row(row, findings),
    };
    let read = rows::stream(&plan, &mut pass);
    filler.finish(read, findings)
}

struct Filler<'a> {
    table: &'a Table<'a>,
    grid: Grid,
    store: Store,
    peaks: Vec<Vec<Peak>>,
    last: usize,
    seen: Vec<bool>,
    /// Rows that could not be placed, so that a missing step may be a consequence.
    misplaced: u64,
}

impl Filler<'_> {
    fn place(&self, number: u64) -> Place {
        place(self.table.file, number)
    }

    fn error(&self, problem: String, number: u64) -> Finding {
        Finding::error(&self.table.file.name, problem).at(self.place(number))
    }

    fn row(&mut self, row: &Row<'_>, findings: &mut Findings) {
        let key = match self.table.ids {
            None => 0,
            Some(ids) => match ids.find(row.id, self.last) {
                Some(key) => key,
                None => {
                    self.misplaced += 1;
                    return self.unknown(ids, row, findings);
                }
            },
        };
        self.last = key;
        self.seen[key] = true;
        for (peak, value) in self.peaks[key].iter_mut().zip(row.values) {
            if *value != REFUSED && *value > peak.value {
                *peak = Peak {
                    value: *value,
                    number: row.number,
                };
            }
        }
        match self.grid.slot(row.time) {
            Slot::Outside => {}
            Slot::OffGrid => {
                self.misplaced += 1;
                let problem = format!("is not on the {} grid", self.grid.length);
                let finding = self
                    .error(problem, row.number)
                    .column(&self.table.layout.time.name)
                    .found(&row.time.to_string());
                findings.group("grid", SHOWN, finding.hint(GRID_HINT));
            }
            Slot::At(step) => {
                if let Err(first) = self.store.put((step, key), row.number, row.values) {
                    self.duplicate(row, (first.line, &first.values), findings);
                }
            }
        }
    }

    fn unknown(&self, ids: &Ids, row: &Row<'_>, findings: &mut Findings) {
        if ids.incomplete && MicrogridId::parse(row.id).is_ok() {
            return;
        }
        let column = self
            .table
            .layout
            .id
            .as_ref()
            .map_or("", |column| &column.name);
        let base = |problem: &str| {
            let finding = self.error(problem.to_owned(), row.number);
            finding.column(column).found(row.id)
        };
        let finding = if MicrogridId::parse(row.id).is_err() {
            base("is not a valid id")
                .expected("letters, digits, '-' and '_', 1 to 64 of them")
                .hint(if MicrogridId::parse(row.id.trim()).is_ok() {
                    "remove the spaces around the id"
                } else {
                    "ids end up in ledgers, tables and pages: rename the microgrid"
                })
        } else {
            let known = ids.list.iter().map(MicrogridId::as_str);
            let finding = base("is not in the table of microgrids");
            let finding = finding.expected(format!("one of {}", listed(known.clone())));
            match nearest(row.id, known) {
                Some(near) => finding.hint(format!(
                    "add the microgrid to the table, or correct the id ('{near}'?)"
                )),
                None => {
                    finding.hint("add the microgrid to the table of microgrids, or correct the id")
                }
            }
        };
        findings.group(&format!("id {}", escape(row.id)), 1, finding);
    }

    fn duplicate(&self, row: &Row<'_>, (first, values): (u64, &[i64]), findings: &mut Findings) {
        let who = if row.id.is_empty() {
            row.time.to_string()
        } else {
            format!("{} at {}", row.id, row.time)
        };
        let name = match self.table.file.format {
            Format::Parquet => "rows",
            Format::Csv | Format::GzippedCsv => "lines",
        };
        let both = format!("{name} {first} and {}", row.number);
        if values.contains(&REFUSED) || row.values.contains(&REFUSED) {
            return;
        }
        if values == row.values {
            let problem = format!("{who} is there twice, {both}, with equal values: one is used");
            let finding =
                Finding::warning(&self.table.file.name, problem).at(self.place(row.number));
            return findings.group("same", SHOWN, finding.hint("remove the duplicate rows"));
        }
        let columns = self
            .table
            .layout
            .values
            .iter()
            .zip(values.iter().zip(row.values));
        let differing: Vec<String> = columns
            .filter(|(_, (left, right))| left != right)
            .map(|(column, (left, right))| {
                let text = |value: &i64| decimal::format_short(*value, 6, 0);
                format!("{} {} and {}", column.name, text(left), text(right))
            })
            .collect();
        let problem = format!(
            "{who} is there twice, {both}, with different values: {}",
            differing.join(", ")
        );
        findings.group(
            "conflict",
            SHOWN,
            self.error(problem, row.number)
                .hint("remove the row that is wrong; which one counts is never guessed"),
        );
    }

    fn finish(self, read: Read, findings: &mut Findings) -> Series {
        let name = &self.table.file.name;
        let mut complete = false;
        if read.rows + read.broken == 0 && findings.errors() == 0 {
            findings.push(
                Finding::error(name, "no data rows below the header")
                    .expected("one row per step")
                    .hint("was the export finished?"),
            );
        } else if read.rows > 0 {
            let without_rows = self.without_rows(findings);
            if read.broken + self.misplaced == 0 {
                complete = self.missing(&without_rows, findings);
            }
        }
        Series {
            store: self.store,
            grid: self.grid,
            peaks: self.peaks,
            complete,
        }
    }

    /// Microgrids that are declared but have no row at all.
    fn without_rows(&self, findings: &mut Findings) -> Vec<usize> {
        let Some(ids) = self.table.ids else {
            return Vec::new();
        };
        let absent: Vec<usize> = (0..self.seen.len())
            .filter(|key| !self.seen[*key])
            .collect();
        if !absent.is_empty() {
            let names = listed(absent.iter().map(|key| ids.list[*key].as_str()));
            findings.push(
                Finding::error(
                    &self.table.file.name,
                    format!("no rows for {names}, declared in the table of microgrids"),
                )
                .hint("add the rows, or remove the microgrid from the table of microgrids"),
            );
        }
        absent
    }

    /// Lists the steps without a row; whether there are none.
    fn missing(&self, absent: &[usize], findings: &mut Findings) -> bool {
        let keys = self.seen.len();
        let present: Vec<usize> = (0..keys)
            .filter(|key| absent.binary_search(key).is_err())
            .collect();
        let gaps = |key: usize| {
            (0..self.grid.count).filter(move |step| self.store.get(*step, key).is_none())
        };
        let Some(first) = present.first() else {
            return false;
        };
        let everywhere: Vec<usize> = gaps(*first)
            .filter(|step| {
                present
                    .iter()
                    .all(|key| self.store.get(*step, *key).is_none())
            })
            .collect();
        let mut complete = absent.is_empty() && everywhere.is_empty();
        if everywhere.len() == self.grid.count {
            self.nothing_in_span(findings);
            return false;
        }
        if !everywhere.is_empty() {
            let who = if self.table.ids.is_some() {
                "all microgrids"
            } else {
                "the prices"
            };
            findings.push(self.gap(who, &everywhere));
        }
        for key in present {
            let own: Vec<usize> = gaps(key)
                .filter(|step| everywhere.binary_search(step).is_err())
                .collect();
            if let (Some(ids), false) = (self.table.ids, own.is_empty()) {
                complete = false;
                let who = format!("microgrid {}", ids.list[key]);
                findings.group("gap", GAPS_SHOWN, self.gap(&who, &own));
            }
        }
        complete
    }

    fn gap(&self, who: &str, steps: &[usize]) -> Finding {
        let (count, all) = (steps.len(), self.grid.count);
        let list = ranges(&self.grid, steps);
        let finding = if self.table.ids.is_some() {
            let problem = format!("{who}: {count} of {all} steps are missing: {list}");
            Finding::error(&self.table.file.name, problem)
                .hint("add the missing rows; gaps are not filled, because a guess would be settled as a measurement")
        } else {
            let problem = format!("{count} of {all} steps have profiles but no price: {list}");
            Finding::error(&self.table.file.name, problem)
                .hint("add the missing prices; a price is never carried forward")
        };
        finding.expected(format!("one row every {}", self.grid.length))
    }

    fn nothing_in_span(&self, findings: &mut Findings) {
        let problem = format!(
            "no rows between {} and {}",
            self.grid.start,
            self.grid.end()
        );
        let finding = Finding::error(&self.table.file.name, problem);
        let finding = finding.expected(format!(
            "a row every {} of the span that runs",
            self.grid.length
        ));
        findings.push(
            finding
                .hint("check day, from and to, and the time zone, against the table's timestamps"),
        );
    }
}

/// A row's place by the kind of its file.
pub(crate) fn place(file: &TableFile, number: u64) -> Place {
    match file.format {
        Format::Parquet => Place::Row(number),
        Format::Csv | Format::GzippedCsv => Place::Line(number),
    }
}

/// Steps as ranges: `2016-05-25T03:00:00Z to 2016-05-25T03:30:00Z (3), …`.
fn ranges(grid: &Grid, steps: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for step in steps {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *step => *last = *step,
            _ => runs.push((*step, *step)),
        }
    }
    let mut parts: Vec<String> = runs
        .iter()
        .take(RANGES_MAX)
        .map(|(first, last)| match last - first {
            0 => grid.time(*first).to_string(),
            more => format!(
                "{} to {} ({})",
                grid.time(*first),
                grid.time(*last),
                more + 1
            ),
        })
        .collect();
    if runs.len() > RANGES_MAX {
        parts.push(format!("and {} more ranges", runs.len() - RANGES_MAX));
    }
    parts.join(", ")
}
