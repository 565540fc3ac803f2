//! Settings as texts into the typed [`Config`].

use tieline_contract::settlement::PRICE_MAX;
use tieline_market::game::{MAX_LEVELS, MAX_ROUNDS};
use tieline_units::{Currency, IntervalLength, LocalDay, Money, Price, Zone};

use super::source::{Given, Node, Source};
use super::spec::{self, Default as SpecDefault, SETTINGS};
use super::value;
use super::{
    Aggregator, Chains, Config, Contract, Gates, Keys, Market, Meters, Mode, Order, Origin,
    Protection, Response, Setting, SettlementPrice, Span, Strategy, Tables, lists, tariff, trouble,
};
use crate::input::Finding;
use crate::input::finding::{Findings, Place};

/// One whole, in millionths.
pub(super) const WHOLE: i64 = 1_000_000;

/// Largest sum of money or price that a setting may hold, in millionths.
const AMOUNT_MAX: i64 = 1_000_000_000 * WHOLE;

/// Hands out typed values of a [`Source`] and collects what does not fit.
pub(super) struct Reader<'a> {
    pub(super) source: &'a Source,
    pub(super) findings: &'a mut Findings,
}

impl Reader<'_> {
    pub(super) fn file(&self) -> &str {
        &self.source.file
    }

    pub(super) fn refuse(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    pub(super) fn given(&self, key: &str) -> Option<Given> {
        self.source.given.get(key).cloned()
    }

    pub(super) fn place_of(given: &Given) -> Place {
        match given.origin {
            Origin::File { line } => Place::Line(line),
            _ => Place::File,
        }
    }

    /// The value of a setting, `None` when it is unset or refused.
    fn optional<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let given = self.source.given.get(key)?;
        let Node::Scalar(text) = &given.node else {
            return None;
        };
        match parse(text) {
            Ok(value) => Some(value),
            Err(wanted) => {
                let file = match &given.origin {
                    Origin::Env { variable } => variable.clone(),
                    Origin::Flag => format!("--set {key}"),
                    _ => self.source.file.clone(),
                };
                let mut finding = Finding::error(&file, "does not fit")
                    .at(Self::place_of(given))
                    .column(key)
                    .found(text)
                    .expected(wanted);
                if !matches!(given.origin, Origin::File { .. }) {
                    finding = finding.environment();
                }
                self.findings.push(finding);
                None
            }
        }
    }

    /// The value of a setting that has a default.
    fn value<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> T {
        if let Some(value) = self.optional(key, &parse) {
            return value;
        }
        let default = match spec::find(key).map(|spec| spec.default) {
            Some(SpecDefault::Text(text)) => parse(text).ok(),
            _ => None,
        };
        default.expect("every key read here has a default that fits, which a test holds")
    }

    fn u32(&mut self, key: &str, low: u64, high: u32) -> u32 {
        let value = self.value(key, |text| value::integer(text, low, u64::from(high)));
        u32::try_from(value).expect("bounded by high")
    }

    /// A share or factor in ppm, up to `high` times one whole.
    fn ppm(&mut self, key: &str, low: i64, high: i64) -> u32 {
        let value = self.value(key, |text| value::millionths(text, low, high));
        u32::try_from(value).expect("bounded by small factors")
    }

    fn money(&mut self, key: &str) -> Money {
        let value = self.value(key, |text| value::millionths(text, 0, AMOUNT_MAX));
        Money::from_millionths(value)
    }

    fn duration(&mut self, key: &str) -> u64 {
        self.value(key, value::duration_ms)
    }

    fn text(&mut self, key: &str) -> Option<String> {
        self.optional(key, value::label)
    }
}

/// Builds the settings; where a value is refused its default stands in, and the findings say so.
pub(super) fn build(source: &Source, name: &str, findings: &mut Findings) -> Config {
    let mut reader = Reader { source, findings };
    let r = &mut reader;
    let length = |text: &str| {
        IntervalLength::parse(text)
            .map_err(|_| "\"5min\", \"15min\", \"30min\" or \"60min\"".to_owned())
    };
    let name = r.text("name").unwrap_or_else(|| name.to_owned());
    let seed = r.value("seed", |text| value::integer(text, 0, i64::MAX as u64));
    let (market, aggregator) = (market(r), aggregator(r));
    refuse_uniform_with_limits(r, &market, &aggregator);
    Config {
        name: name.clone(),
        currency: r.optional("currency", |text| {
            Currency::parse(text)
                .map_err(|_| "a three-letter currency code such as \"EUR\"".to_owned())
        }),
        zone: r.value("time_zone", |text| {
            Zone::parse(text).map_err(|_| {
                "a name of the tz database such as \"Europe/Berlin\" or \"UTC\"".to_owned()
            })
        }),
        interval: r.optional("interval", length),
        span: span(r),
        mode: r.value("mode", |text| {
            value::choice(
                text,
                &[("day-ahead", Mode::DayAhead), ("intraday", Mode::Intraday)],
            )
        }),
        seed,
        tables: Tables {
            microgrids: r.text("tables.microgrids"),
            profiles: r.text("tables.profiles"),
            forecast: r.text("tables.forecast"),
            prices: r.text("tables.prices"),
            price_interval: r.optional("tables.price_interval", length),
        },
        tariff: tariff::read(r),
        market,
        aggregator,
        gates: gates(r),
        contract: contract(r),
        chains: Chains {
            validators: r.u32("chains.validators", 4, 64),
            vpp_validators: r.value("chains.vpp_validators", |text| {
                value::choice(
                    text,
                    &[("4", 4), ("7", 7), ("10", 10), ("13", 13), ("16", 16)],
                )
            }),
            heartbeat_ms: r.duration("chains.heartbeat"),
        },
        keys: keys(r),
        meters: Meters {
            noise_ppm: r.u32("meters.noise_ppm", 0, 1_000_000),
            missing_ppm: r.u32("meters.missing_ppm", 0, 1_000_000),
            delay_ms: r.duration("meters.delay"),
            lies: trouble::lies(r),
        },
        trouble: trouble::troubles(r),
        price_limit: r
            .optional("input.price_limit_per_kwh", |text| {
                value::millionths(text, 1, PRICE_MAX.as_millionths())
            })
            .map(Price::from_millionths),
        settings: settings(source, &name),
    }
}

fn aggregator(r: &mut Reader<'_>) -> Aggregator {
    Aggregator {
        name: r.value("aggregator.name", value::label),
        delta_ppm: r.ppm("aggregator.delta", 0, 10 * WHOLE),
        limits: lists::limits(r),
    }
}

/// With limited lines every buyer has a price of its own: there is no uniform one to pay.
fn refuse_uniform_with_limits(r: &mut Reader<'_>, market: &Market, aggregator: &Aggregator) {
    if market.settlement_price == SettlementPrice::Uniform && !aggregator.limits.is_empty() {
        let line = aggregator.limits[0].line;
        let finding = Finding::error(
            r.file(),
            "cannot go with market.settlement_price = \"uniform\"",
        );
        let finding = finding.at(Place::Line(line)).column("aggregator.limit");
        r.refuse(finding.hint("settle pay-as-bid, or remove the limits"));
    }
}

fn span(r: &mut Reader<'_>) -> Span {
    let date = |text: &str| {
        LocalDay::parse(text).map_err(|_| "a local date such as \"2016-05-25\"".to_owned())
    };
    let (day, from, to) = (
        r.optional("day", date),
        r.optional("from", date),
        r.optional("to", date),
    );
    let refusal = match (day, from, to) {
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => Some((
            "day",
            "excludes 'from' and 'to'",
            "keep either day, or from and to",
        )),
        (None, Some(from), Some(to)) if from > to => Some((
            "to",
            "lies before 'from'",
            "to is the last local day, included",
        )),
        _ => None,
    };
    if let Some((key, problem, hint)) = refusal {
        let place = r
            .given(key)
            .map_or(Place::File, |given| Reader::place_of(&given));
        let finding = Finding::error(r.file(), problem)
            .at(place)
            .column(key)
            .hint(hint);
        r.refuse(finding);
    }
    match (day, from, to) {
        (None, None, None) => Span::Whole,
        (Some(day), _, _) => Span::Days {
            from: Some(day),
            to: Some(day),
        },
        (None, from, to) => Span::Days { from, to },
    }
}

fn market(r: &mut Reader<'_>) -> Market {
    Market {
        strategy: r.value("market.strategy", |text| {
            value::choice(
                text,
                &[
                    ("improved", Strategy::Improved),
                    ("traditional", Strategy::Traditional),
                ],
            )
        }),
        response: r.value("market.response", |text| {
            value::choice(
                text,
                &[
                    ("lp", Response::Lp),
                    ("fit", Response::Fit),
                    ("cournot", Response::Cournot),
                    ("competitive", Response::Competitive),
                ],
            )
        }),
        order: r.value("market.order", |text| {
            value::choice(
                text,
                &[
                    ("gauss-seidel", Order::GaussSeidel),
                    ("jacobi", Order::Jacobi),
                ],
            )
        }),
        levels: r.u32("market.levels", 2, MAX_LEVELS as u32),
        margin_ppm: r.ppm("market.margin", 1, 10 * WHOLE),
        alpha_ppm: r.ppm("market.alpha", 1, WHOLE),
        safe_levels: r.value("market.safe_levels", value::boolean),
        max_rounds: r.u32("market.max_rounds", 1, MAX_ROUNDS as u32),
        rho0: r
            .optional("market.rho0", |text| {
                value::millionths(text, -AMOUNT_MAX, AMOUNT_MAX)
            })
            .map(Price::from_millionths),
        settlement_price: r.value("market.settlement_price", |text| {
            value::choice(
                text,
                &[
                    ("pay-as-bid", SettlementPrice::PayAsBid),
                    ("uniform", SettlementPrice::Uniform),
                ],
            )
        }),
    }
}

fn gates(r: &mut Reader<'_>) -> Gates {
    Gates {
        day_ahead_minutes: r.value("gates.day_ahead", |text| value::clock(text, false)),
        accept_within_ms: r.duration("gates.accept_within"),
        closure_before_delivery_ms: r.duration("gates.closure_before_delivery"),
        delta_t_ms: r.duration("gates.delta_t"),
        metering_after_ms: r.duration("gates.metering_after"),
        grace_ms: r.duration("gates.grace"),
        intraday_ms: r.duration("gates.intraday"),
    }
}

fn contract(r: &mut Reader<'_>) -> Contract {
    Contract {
        request_fee: r.money("contract.request_fee"),
        bond_share_ppm: r.ppm("contract.bond_share", 0, WHOLE),
        penalty_short_ppm: r.u32("contract.penalty_short_ppm", 0, 10_000_000),
        max_loss_ppm: r.u32("contract.max_loss_ppm", 0, 1_000_000),
        meter_tolerance_ppm: r.ppm("contract.meter_tolerance", 0, WHOLE),
        open_value_cap: r.money("contract.open_value_cap"),
        deposit_days: r.u32("contract.deposit_days", 0, 366),
        lines: trouble::lines(r),
    }
}

fn keys(r: &mut Reader<'_>) -> Keys {
    let links = lists::links(r);
    Keys {
        opening_stock_hours: r.u32("keys.opening_stock_hours", 0, 8784),
        protection: r.value("keys.protection", |text| {
            value::choice(
                text,
                &[
                    ("its", Protection::Its),
                    ("hybrid", Protection::Hybrid),
                    ("pq-only", Protection::PqOnly),
                ],
            )
        }),
        level: r.u32("keys.level", 16, 256),
        fibre_m: r.value("keys.fibre_km", value::metres),
        links,
    }
}

/// What `config show` prints.
fn settings(source: &Source, name: &str) -> Vec<Setting> {
    let one = |spec: &spec::Spec| match (source.given.get(spec.key), spec.default) {
        (Some(given), _) => Setting {
            key: spec.key.to_owned(),
            value: shown(&given.node),
            origin: given.origin.clone(),
        },
        (None, default) => Setting {
            key: spec.key.to_owned(),
            value: match default {
                SpecDefault::Text(text) => text.to_owned(),
                SpecDefault::Unset(_) if spec.key == "name" => name.to_owned(),
                SpecDefault::Unset(meaning) => format!("({meaning})"),
            },
            origin: Origin::Default,
        },
    };
    SETTINGS.iter().map(one).collect()
}

fn shown(node: &Node) -> String {
    match node {
        Node::Scalar(text) => text.clone(),
        Node::List(items) => {
            let parts: Vec<String> = items.iter().map(|item| shown(&item.node)).collect();
            format!("[{}]", parts.join(", "))
        }
        Node::Table(fields) => {
            let parts: Vec<String> = fields
                .iter()
                .map(|(name, field)| format!("{name} = {}", shown(&field.node)))
                .collect();
            format!("{{ {} }}", parts.join(", "))
        }
    }
}
