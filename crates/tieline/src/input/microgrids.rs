//! The table of microgrids.

use tieline_units::{ChainId, Currency, MicrogridId, Power, Price, SiteId};

use super::cells::{self, CellAt, REFUSED, Unit};
use super::columns::{Header, ID, MoneyColumn};
use super::csv::CsvReader;
use super::files::{Format, TableFile};
use super::finding::{Finding, Findings, Place};
use super::parquet;
use super::series;

/// Most microgrids that a scenario may have.
const MICROGRIDS_MAX: usize = 100_000;

/// Longest name, in characters.
const NAME_CHARS_MAX: usize = 80;

/// Largest cost coefficient, in the currency: a marginal cost beyond it is a wrong unit.
const COST_MAX: f64 = 100_000.0;

/// A microgrid of the scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Microgrid {
    /// Its id.
    pub id: MicrogridId,
    /// A name for people; the id unless given.
    pub name: String,
    /// The chain that serves it; `chain-<id>` unless given.
    pub chain: ChainId,
    /// Where it is; `site-<id>` unless given.
    pub site: SiteId,
    /// `residential`, `farm`, …; empty unless given.
    pub kind: String,
    /// Generation capacity.
    pub capacity: Option<Power>,
    /// Photovoltaic peak.
    pub pv_peak: Option<Power>,
    /// Wind peak.
    pub wind_peak: Option<Power>,
    /// Generation that can be run at will; zero unless given.
    pub dispatchable: Power,
    /// Largest load.
    pub load_peak: Option<Power>,
    /// a of the cost a q² + b q: currency per kWh per kW.
    pub cost_a: f64,
    /// b of the cost a q² + b q: currency per kWh.
    pub cost_b: f64,
}

/// What the table holds.
#[derive(Debug, Default)]
pub(crate) struct Community {
    pub(crate) microgrids: Vec<Microgrid>,
    /// Line or row of each; empty without a table.
    pub(crate) numbers: Vec<u64>,
    /// Column of the linear cost.
    pub(crate) cost_b: String,
    /// Currency in the names of the cost columns.
    pub(crate) currency: Option<Currency>,
}

/// A table of texts, for small tables.
pub(crate) struct TextTable {
    pub(crate) names: Vec<String>,
    /// Line or row number and cells; `None` for null.
    pub(crate) rows: Vec<(u64, Vec<Option<String>>)>,
}

/// A microgrid of which only the id is known.
pub(crate) fn bare(id: &MicrogridId) -> Microgrid {
    // An id of 64 letters leaves no room for the prefix.
    let chain = ChainId::parse(&format!("chain-{id}")).or_else(|_| ChainId::parse(id.as_str()));
    let site = SiteId::parse(&format!("site-{id}")).or_else(|_| SiteId::parse(id.as_str()));
    Microgrid {
        id: id.clone(),
        name: id.to_string(),
        chain: chain.expect("an id fits as an id"),
        site: site.expect("an id fits as an id"),
        kind: String::new(),
        capacity: None,
        pv_peak: None,
        wind_peak: None,
        dispatchable: Power::ZERO,
        load_peak: None,
        cost_a: 0.0,
        cost_b: 0.0,
    }
}

/// Reads the table of microgrids.
pub(crate) fn read(file: &TableFile, findings: &mut Findings) -> Community {
    let table = match file.format {
        Format::Parquet => parquet::texts(file, MICROGRIDS_MAX, findings),
        Format::Csv | Format::GzippedCsv => csv_texts(file, findings),
    };
    let Some(table) = table else {
        return Community::default();
    };
    let place = match file.format {
        Format::Parquet => Place::File,
        Format::Csv | Format::GzippedCsv => Place::Line(1),
    };
    let header = Header {
        file: &file.name,
        place,
        names: &table.names,
    };
    let Some((columns, currency)) = columns(&header, findings) else {
        return Community::default();
    };
    if table.rows.is_empty() && findings.errors() == 0 {
        findings.push(
            Finding::error(&file.name, "no data rows below the header")
                .hint("add one row per microgrid"),
        );
    }
    let mut microgrids: Vec<Microgrid> = Vec::new();
    let mut numbers = Vec::new();
    let mut lines: std::collections::BTreeMap<MicrogridId, u64> = std::collections::BTreeMap::new();
    for (number, cells) in &table.rows {
        let mut row = RowReader {
            file,
            number: *number,
            cells,
            columns: &columns,
            findings: &mut *findings,
        };
        let Some(microgrid) = row.microgrid() else {
            continue;
        };
        if let Some(first) = lines.insert(microgrid.id.clone(), *number) {
            let problem = format!("is there twice, first at {first}");
            let finding = row.error(ID, problem).found(microgrid.id.as_str());
            findings.group(
                "twice",
                5,
                finding.hint("give every microgrid an id of its own"),
            );
            continue;
        }
        microgrids.push(microgrid);
        numbers.push(*number);
    }
    Community {
        microgrids,
        numbers,
        cost_b: columns
            .cost_b
            .map_or_else(String::new, |found| found.column.name),
        currency,
    }
}

fn csv_texts(file: &TableFile, findings: &mut Findings) -> Option<TextTable> {
    let mut reader = CsvReader::open(file, findings)?;
    let names = reader.header().to_vec();
    let mut rows = Vec::new();
    while reader.advance(findings) {
        if rows.len() == MICROGRIDS_MAX {
            findings.push(Finding::error(
                &file.name,
                format!("more than {MICROGRIDS_MAX} microgrids"),
            ));
            return None;
        }
        let cells = (0..names.len()).map(|index| Some(reader.record().get(index).to_owned()));
        rows.push((reader.line(), cells.collect()));
    }
    Some(TextTable { names, rows })
}

/// Refuses linear costs beyond the limit of prices per kWh.
pub(crate) fn check_costs(
    file: &TableFile,
    community: &Community,
    (limit, currency): (Price, Currency),
    findings: &mut Findings,
) {
    let limit_units = limit.as_millionths() as f64 / 1e6;
    for (microgrid, number) in community.microgrids.iter().zip(&community.numbers) {
        if microgrid.cost_b > limit_units {
            let problem = format!("is beyond the limit of {limit}: it looks like {currency}/MWh");
            let finding = Finding::error(&file.name, problem)
                .at(series::place(file, *number))
                .column(&community.cost_b)
                .found(&microgrid.cost_b.to_string())
                .hint("divide costs per MWh by 1000; if they are right, raise [input] price_limit_per_kwh");
            findings.group("cost limit", 8, finding);
        }
    }
}

/// Column names by what they hold, with the money columns found.
struct Columns<'a> {
    names: &'a [String],
    cost_a: Option<MoneyColumn>,
    cost_b: Option<MoneyColumn>,
}

fn columns<'a>(
    header: &Header<'a>,
    findings: &mut Findings,
) -> Option<(Columns<'a>, Option<Currency>)> {
    if !header.check(&[ID], findings) {
        return None;
    }
    if refuse_misspelt(header, findings) {
        return None;
    }
    // a is the coefficient per kW, which other data sets call c.
    let a = header.money("cost_a", "_per_kwh_per_kw", findings)?;
    let c = header.money("cost_c", "_per_kwh_per_kw", findings)?;
    let cost_b = header.money("cost_b", "_per_kwh", findings)?;
    if let (Some(a), Some(c)) = (&a, &c) {
        let problem = format!(
            "columns {} and {} are both the quadratic cost",
            a.column.name, c.column.name
        );
        findings.push(
            Finding::error(header.file, problem)
                .at(header.place)
                .hint("keep one of them"),
        );
        return None;
    }
    let cost_a = a.or(c);
    let money = [&cost_a, &cost_b].into_iter().flatten();
    let currency = header.one_currency(money, findings).ok()?;
    let mut wanted = vec![ID];
    if cost_b.is_none() {
        wanted.push("cost_b_per_kwh");
    }
    if cost_a.is_none() {
        wanted.push("cost_a_per_kwh_per_kw");
    }
    if !header.check(&wanted, findings) {
        return None;
    }
    let columns = Columns {
        names: header.names,
        cost_a,
        cost_b,
    };
    Some((columns, currency))
}

/// Columns that may be missing, so that a slip in their names would go unseen.
const OPTIONAL: [&str; 5] = [
    "capacity_kw",
    "pv_kwp",
    "wind_kw",
    "dispatchable_kw",
    "load_peak_kw",
];

/// Units that a name may carry in the place of the right one.
const UNITS: [&str; 8] = ["_kwp", "_kva", "_kw", "_mwp", "_mw", "_gw", "_wp", "_w"];

/// Whether a column is called almost like an optional one: read past, it would change the market in silence.
fn refuse_misspelt(header: &Header<'_>, findings: &mut Findings) -> bool {
    let stem = |name: &str| {
        let lower = name.to_ascii_lowercase();
        let unit = UNITS.iter().find(|unit| lower.ends_with(**unit));
        unit.map_or(lower.clone(), |unit| {
            lower[..lower.len() - unit.len()].to_owned()
        })
    };
    let mut any = false;
    for name in header
        .names
        .iter()
        .filter(|name| !OPTIONAL.contains(&name.as_str()))
    {
        let meant = OPTIONAL.iter().find(|known| {
            stem(known) == stem(name) || strsim::damerau_levenshtein(known, name) <= 1
        });
        if let Some(meant) = meant {
            any = true;
            let finding = Finding::error(header.file, format!("looks like {meant}"));
            let finding = finding.at(header.place).column(name);
            findings.push(finding.hint(format!(
                "rename '{name}' to '{meant}' if it is in that unit; units are never guessed"
            )));
        }
    }
    any
}

struct RowReader<'a> {
    file: &'a TableFile,
    number: u64,
    cells: &'a [Option<String>],
    columns: &'a Columns<'a>,
    findings: &'a mut Findings,
}

impl RowReader<'_> {
    fn error(&self, column: &str, problem: impl Into<String>) -> Finding {
        Finding::error(&self.file.name, problem)
            .at(series::place(self.file, self.number))
            .column(column)
    }

    /// The trimmed cell of a column; empty when the column, or the value, is not there.
    fn text(&self, column: &str) -> &str {
        let index = self.columns.names.iter().position(|name| name == column);
        let cell = index.and_then(|index| self.cells.get(index)?.as_deref());
        cell.unwrap_or("").trim()
    }

    fn microgrid(&mut self) -> Option<Microgrid> {
        let before = self.findings.errors();
        let text = self.text(ID).to_owned();
        let Ok(id) = MicrogridId::parse(&text) else {
            let finding = self.error(ID, "is not a valid id").found(&text);
            let finding = finding.expected("letters, digits, '-' and '_', 1 to 64 of them");
            self.findings.group(
                "id",
                8,
                finding.hint("ids end up in ledgers, tables and pages: rename the microgrid"),
            );
            return None;
        };
        let default = bare(&id);
        let microgrid = Microgrid {
            name: self.label("name").unwrap_or(default.name),
            kind: self.label("kind").unwrap_or_default(),
            chain: self.id("chain_id", ChainId::parse).unwrap_or(default.chain),
            site: self.id("site", SiteId::parse).unwrap_or(default.site),
            capacity: self.power("capacity_kw"),
            pv_peak: self.power("pv_kwp"),
            wind_peak: self.power("wind_kw"),
            dispatchable: self.power("dispatchable_kw").unwrap_or(Power::ZERO),
            load_peak: self.power("load_peak_kw"),
            cost_a: self.cost(self.columns.cost_a.as_ref()),
            cost_b: self.cost(self.columns.cost_b.as_ref()),
            id,
        };
        self.plausible(&microgrid);
        (self.findings.errors() == before).then_some(microgrid)
    }

    fn label(&mut self, column: &str) -> Option<String> {
        let text = self.text(column).to_owned();
        if text.is_empty() {
            return None;
        }
        let problem = if text.chars().any(char::is_control) {
            "has control characters"
        } else if text.chars().count() > NAME_CHARS_MAX {
            "is too long"
        } else {
            return Some(text);
        };
        let finding = self.error(column, problem).found(&text);
        let finding = finding.expected(format!("up to {NAME_CHARS_MAX} printable characters"));
        self.findings.group(&format!("label {column}"), 5, finding);
        None
    }

    fn id<T>(
        &mut self,
        column: &str,
        parse: impl Fn(&str) -> Result<T, tieline_units::IdError>,
    ) -> Option<T> {
        let text = self.text(column).to_owned();
        if text.is_empty() {
            return None;
        }
        let parsed = parse(&text).ok();
        if parsed.is_none() {
            let finding = self.error(column, "is not a valid id").found(&text);
            let finding = finding.expected("letters, digits, '-' and '_', 1 to 64 of them");
            self.findings.group(&format!("id {column}"), 5, finding);
        }
        parsed
    }

    fn power(&mut self, column: &str) -> Option<Power> {
        let text = self.text(column).to_owned();
        if text.is_empty() {
            return None;
        }
        let at = CellAt {
            file: &self.file.name,
            place: series::place(self.file, self.number),
            column,
        };
        let value = cells::read(Unit::Kilowatt, &text, at, self.findings);
        (value != REFUSED).then(|| Power::from_milliwatts(value))
    }

    fn cost(&mut self, column: Option<&MoneyColumn>) -> f64 {
        let Some(column) = column else {
            return 0.0;
        };
        let name = &column.column.name;
        let text = self.text(name).to_owned();
        // Checked as a decimal first: a float's parser would also take NaN and inf.
        let decimal =
            tieline_units::decimal::parse(&text, 12, tieline_units::decimal::Excess::HalfEven);
        let value = text.trim_start_matches('+').parse::<f64>().ok();
        match (decimal, value) {
            (Ok(_), Some(value)) if (0.0..=COST_MAX).contains(&value) => value,
            (Ok(_), Some(value)) => {
                let problem = if value < 0.0 {
                    "is negative"
                } else {
                    "is beyond any plausible cost"
                };
                let finding = self.error(name, problem).found(&text);
                self.findings.group(
                    &format!("cost {name}"),
                    8,
                    finding.expected("a decimal number >= 0"),
                );
                0.0
            }
            _ => {
                let problem = if text.is_empty() {
                    "is an empty cell"
                } else {
                    "is not a decimal number"
                };
                let finding = self
                    .error(name, problem)
                    .found(&text)
                    .expected("a decimal number >= 0");
                self.findings.group(
                    &format!("cost {name}"),
                    8,
                    finding.hint("write 0 for a microgrid without cost"),
                );
                0.0
            }
        }
    }

    /// Warns of numbers that contradict each other.
    fn plausible(&mut self, microgrid: &Microgrid) {
        let Some(capacity) = microgrid.capacity else {
            return;
        };
        let parts = [
            ("dispatchable_kw", Some(microgrid.dispatchable)),
            ("pv_kwp", microgrid.pv_peak),
            ("wind_kw", microgrid.wind_peak),
        ];
        for (column, part) in parts {
            if let Some(part) = part.filter(|part| *part > capacity) {
                let problem = format!(
                    "{} of {} is above its capacity_kw {}",
                    part.to_kilowatts(),
                    microgrid.id,
                    capacity.to_kilowatts()
                );
                let finding = Finding::warning(&self.file.name, problem)
                    .at(series::place(self.file, self.number))
                    .column(column);
                self.findings
                    .group(&format!("capacity {column}"), 5, finding);
            }
        }
    }
}
