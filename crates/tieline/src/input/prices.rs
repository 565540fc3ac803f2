//! The grid's prices, from their table or from the tariff in the settings, and the currency of it all.

use tieline_units::{Currency, IntervalLength, Price, Time};

use super::cells::{REFUSED, Unit};
use super::columns::Layout;
use super::files::TableFile;
use super::finding::{Finding, Findings, Place};
use super::rows;
use super::scenario::{default_currency, in_file};
use super::series::{self, Series, Table};
use super::steps::Detected;
use super::store::Grid;
use super::{GridPrices, Progress};
use crate::config::{Config, Origin, Tariff};

/// Highest plausible price per kWh of a currency whose unit buys about a kilowatt-hour or more.
const LIMIT_UNITS: i64 = 20;

/// Currencies of small units and what 20 euros are in them, roughly.
const SMALL_UNITS: [(&str, i64); 22] = [
    ("JPY", 4_000),
    ("KRW", 30_000),
    ("INR", 2_000),
    ("HUF", 8_000),
    ("CZK", 500),
    ("SEK", 250),
    ("NOK", 250),
    ("DKK", 150),
    ("ISK", 3_000),
    ("RUB", 2_000),
    ("TRY", 1_000),
    ("PHP", 1_200),
    ("THB", 800),
    ("TWD", 700),
    ("ZAR", 400),
    ("MXN", 400),
    ("CLP", 20_000),
    ("COP", 90_000),
    ("IDR", 350_000),
    ("VND", 550_000),
    ("PKR", 6_000),
    ("NGN", 35_000),
];

/// What prices are read from.
pub(crate) struct Read<'a> {
    pub(crate) config: &'a Config,
    pub(crate) file: Option<&'a TableFile>,
    /// The grid of the profiles; `None` when they could not be read.
    pub(crate) grid: Option<Grid>,
    /// Currency of the table of microgrids.
    pub(crate) community: Option<Currency>,
    pub(crate) progress: &'a mut dyn FnMut(Progress),
}

impl Read<'_> {
    /// The scenario's currency and, where profiles and prices allow it, the prices of all intervals.
    pub(crate) fn read(&mut self, findings: &mut Findings) -> (Currency, Option<Vec<GridPrices>>) {
        let layout = self.file.and_then(|file| {
            in_file(findings, |own| {
                rows::layout(file, |header, own| header.prices(own), own)
            })
        });
        let currency = self.currency(layout.as_ref(), findings);
        let prices = match (self.file, layout) {
            (Some(file), Some(layout)) => {
                if self.config.tariff.is_some() {
                    findings.push(
                        Finding::warning(
                            &file.name,
                            "is used, the [tariff] of scenario.toml is not",
                        )
                        .hint("remove one of the two"),
                    );
                }
                in_file(findings, |own| self.table(file, (&layout, currency), own))
            }
            (Some(_), None) => None,
            (None, _) => self.tariff(currency, findings),
        };
        (currency, prices)
    }

    fn currency(&self, layout: Option<&Layout>, findings: &mut Findings) -> Currency {
        let of_prices = layout.and_then(|layout| layout.currency);
        let claims = [
            (self.config.currency, "the scenario"),
            (of_prices, "the table of prices"),
            (self.community, "the table of microgrids"),
        ];
        let mut named = claims
            .into_iter()
            .filter_map(|(currency, whose)| Some((currency?, whose)));
        let Some((currency, whose)) = named.next() else {
            let currency = default_currency();
            findings.push(
                Finding::warning(
                    "scenario.toml",
                    format!("no currency is named: {currency} is assumed"),
                )
                .hint(format!("set currency = \"{currency}\"")),
            );
            return currency;
        };
        for (other, of) in named.filter(|(other, _)| *other != currency) {
            let problem =
                format!("{whose} is in {currency}, {of} in {other}: currencies never mix");
            findings.push(
                Finding::error("scenario.toml", problem)
                    .hint("convert one of them yourself, with the rate that you stand for"),
            );
        }
        currency
    }

    /// Highest price per kWh that is taken for one.
    pub(crate) fn limit(&self, currency: Currency) -> Price {
        let units = SMALL_UNITS
            .iter()
            .find(|(code, _)| *code == currency.code())
            .map_or(LIMIT_UNITS, |(_, units)| *units);
        self.config
            .price_limit
            .unwrap_or(Price::from_millionths(units * 1_000_000))
    }

    fn table(
        &mut self,
        file: &TableFile,
        (layout, currency): (&Layout, Currency),
        findings: &mut Findings,
    ) -> Option<Vec<GridPrices>> {
        let steps = series::scan(file, layout, self.progress, None);
        let detected = steps.detect();
        let fallback = self.config.interval.unwrap_or(IntervalLength::Min15);
        let market = self.grid.map_or(fallback, |grid| grid.length);
        let (length, whose) = match self.config.tables.price_interval {
            Some(length) => (length, "[tables] price_interval"),
            None => (market, "the market interval"),
        };
        if length < market {
            findings.push(
                Finding::error(
                    &file.name,
                    format!("{whose} of {length} is shorter than the market interval of {market}"),
                )
                .hint(format!(
                    "give prices of {market} or longer; prices are never averaged"
                )),
            );
            return None;
        }
        if let (Some(detected), true) = (detected, self.grid.is_some())
            && !series::check_step("prices", file, detected, (length, whose), findings)
        {
            return None;
        }
        let grid = price_grid(self.grid, detected, length);
        let limit = self.limit(currency);
        let table = Table {
            file,
            layout,
            unit: Unit::Price { limit, currency },
            ids: None,
        };
        let series = series::fill(&table, grid, self.progress, findings);
        check_order(&table, &series, findings);
        check_level(&table, &series, (limit, currency), findings);
        let market = self.grid.filter(|_| series.complete)?;
        Some(
            (0..market.count)
                .map(|index| price_at(&series, market.time(index)))
                .collect(),
        )
    }

    fn tariff(&self, currency: Currency, findings: &mut Findings) -> Option<Vec<GridPrices>> {
        let Some(tariff) = &self.config.tariff else {
            findings.push(
                Finding::error("scenario.toml", "there are neither prices nor a tariff")
                    .hint("add prices.csv (timestamp_utc, price_import_per_kwh, price_export_per_kwh) or [tariff] import and export"),
            );
            return None;
        };
        let limit = self.limit(currency);
        let bands = [
            ("tariff.import", &tariff.import),
            ("tariff.export", &tariff.export),
        ];
        for (key, list) in bands {
            let beyond = |price: Price| price.as_millionths().abs() > limit.as_millionths();
            if let Some(band) = list.iter().find(|band| beyond(band.price)) {
                let problem =
                    format!("is beyond the limit of {limit}: it looks like {currency}/MWh");
                findings.push(
                    Finding::error("scenario.toml", problem)
                        .at(self.place_of(key))
                        .column(key)
                        .found(&band.price.to_string())
                        .hint("if the price is right, raise [input] price_limit_per_kwh"),
                );
            }
        }
        let grid = self.grid?;
        if let Some(index) = (0..grid.count)
            .find(|&index| self.changes_inside(tariff, grid.time(index), grid.length))
        {
            let problem = format!(
                "the price changes inside the {} interval that starts at {}",
                grid.length,
                grid.time(index)
            );
            findings.push(
                Finding::error("scenario.toml", problem)
                    .at(self.place_of("tariff.import"))
                    .column("tariff")
                    .hint(
                        "let bands begin where market intervals begin, or use a shorter interval",
                    ),
            );
        }
        let prices: Vec<GridPrices> = (0..grid.count)
            .map(|index| {
                let (import, export) = tariff.at(&self.config.zone, grid.time(index));
                GridPrices { import, export }
            })
            .collect();
        let pairs = prices
            .iter()
            .enumerate()
            .map(|(index, prices)| (grid.time(index), *prices));
        let order = Order::of(pairs.map(|(time, prices)| (time, 0, prices)));
        order.report(
            "scenario.toml",
            |_| self.place_of("tariff.import"),
            findings,
        );
        Some(prices)
    }

    fn changes_inside(&self, tariff: &Tariff, start: Time, length: IntervalLength) -> bool {
        let from = self.config.zone.wall_minutes(start);
        let inside = from + 1..from + length.minutes() as u16;
        let bands = tariff.import.iter().chain(&tariff.export);
        // An interval can run past midnight, where the bands begin anew.
        let edges = bands.flat_map(|band| [band.from_minutes, band.from_minutes + 24 * 60]);
        let changes =
            |edge: u16| inside.contains(&edge) && !self.same_price(tariff, start, edge - from);
        edges.into_iter().any(changes)
    }

    fn same_price(&self, tariff: &Tariff, start: Time, after_minutes: u16) -> bool {
        let zone = &self.config.zone;
        let later = start.plus_millis(u64::from(after_minutes) * 60_000);
        tariff.at(zone, start) == tariff.at(zone, later)
    }

    fn place_of(&self, key: &str) -> Place {
        let setting = self
            .config
            .settings()
            .iter()
            .find(|setting| setting.key == key);
        match setting.map(|setting| &setting.origin) {
            Some(Origin::File { line }) => Place::Line(*line),
            _ => Place::File,
        }
    }
}

/// The grid of price rows that covers the market's span.
fn price_grid(market: Option<Grid>, detected: Option<Detected>, length: IntervalLength) -> Grid {
    let first = detected.map_or(Time::default(), |detected| detected.first);
    let Some(market) = market else {
        let end = detected.map_or(first, |detected| detected.last.plus_millis(length.millis()));
        return Grid::between(first, end, length);
    };
    // Rows of an hour may begin before the first quarter-hour that they hold for.
    let step = length.millis();
    let phase = first.as_millis() % step;
    let ahead = (market.start.as_millis() + step - phase) % step;
    let start = if step > market.length.millis() {
        market.start.minus_millis(ahead)
    } else {
        market.start
    };
    let span = market.end().as_millis() - start.as_millis();
    let end = start.plus_millis(span.div_ceil(step) * step);
    Grid::between(start, end, length)
}

fn price_at(series: &Series, time: Time) -> GridPrices {
    let distance = time.as_millis() - series.grid.start.as_millis();
    let step = (distance / series.grid.length.millis()) as usize;
    let values = series
        .store
        .get(step, 0)
        .map_or([0, 0], |(_, values)| [values[0], values[1]]);
    GridPrices {
        import: Price::from_millionths(values[0]),
        export: Price::from_millionths(values[1]),
    }
}

/// Steps at which the grid pays more than it charges, or the same.
#[derive(Default)]
struct Order {
    steps: usize,
    below: Option<(usize, Time, u64, GridPrices)>,
    equal: Option<(usize, Time, u64, GridPrices)>,
}

impl Order {
    fn of(prices: impl Iterator<Item = (Time, u64, GridPrices)>) -> Order {
        let mut order = Order::default();
        for (time, number, prices) in prices {
            order.steps += 1;
            let kind = match prices.import.cmp(&prices.export) {
                std::cmp::Ordering::Less => &mut order.below,
                std::cmp::Ordering::Equal => &mut order.equal,
                std::cmp::Ordering::Greater => continue,
            };
            kind.get_or_insert((0, time, number, prices)).0 += 1;
        }
        order
    }

    fn report(&self, file: &str, place: impl Fn(u64) -> Place, findings: &mut Findings) {
        if let Some((count, time, number, prices)) = self.below {
            let problem = format!(
                "the import price {} is below the export price {} at {time}, and at {count} of {} steps in all",
                prices.import, prices.export, self.steps
            );
            findings.push(
                Finding::error(file, problem)
                    .at(place(number))
                    .expected("import >= export")
                    .hint("buying from the grid to sell to it would pay without risk: are the two columns swapped?"),
            );
        }
        if let Some((count, time, number, prices)) = self.equal {
            let problem = format!(
                "import and export price are equal ({}) at {time}, and at {count} of {} steps in all: nothing can be gained by trading",
                prices.import, self.steps
            );
            findings.push(Finding::warning(file, problem).at(place(number)));
        }
    }
}

fn check_order(table: &Table<'_>, series: &Series, findings: &mut Findings) {
    let rows = (0..series.grid.count).filter_map(|step| {
        let (number, values) = series.store.get(step, 0)?;
        let prices = GridPrices {
            import: Price::from_millionths(values[0]),
            export: Price::from_millionths(values[1]),
        };
        let usable = values.iter().all(|value| *value != REFUSED);
        usable.then(|| (series.grid.time(step), number, prices))
    });
    let order = Order::of(rows);
    order.report(
        &table.file.name,
        |number| series::place(table.file, number),
        findings,
    );
}

/// Refuses import prices that are high throughout, not only in single steps: a wrong unit below the limit.
fn check_level(
    table: &Table<'_>,
    series: &Series,
    (limit, currency): (Price, Currency),
    findings: &mut Findings,
) {
    let mut imports: Vec<i64> = (0..series.grid.count)
        .filter_map(|step| series.store.get(step, 0).map(|(_, values)| values[0]))
        .filter(|value| *value != REFUSED)
        .collect();
    imports.sort_unstable();
    let Some(median) = imports.get(imports.len() / 2).copied() else {
        return;
    };
    let column = &table.layout.values[0].name;
    if median > limit.as_millionths() / 10 && !findings.has(&format!("limit {column}")) {
        let median = Price::from_millionths(median);
        findings.push(
            Finding::error(&table.file.name, format!("the median of {column} is {median}: it looks like {currency}/MWh"))
                .column(column)
                .hint("divide prices per MWh by 1000; if they are right, raise [input] price_limit_per_kwh"),
        );
    }
}
