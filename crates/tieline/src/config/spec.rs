//! Every setting once: its key, its default and what it is.

/// What stands for a setting that nobody set.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Default {
    /// This text, read like one from the file.
    Text(&'static str),
    /// No value; the words tell what happens then.
    Unset(&'static str),
}

/// How a setting is written in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A string.
    Text,
    /// A whole number.
    Integer,
    /// A decimal number, as a string or bare; its source text counts, never a binary float.
    Decimal,
    /// `true` or `false`.
    Boolean,
    /// A list of tables that has its own reader; only the file can set it.
    Structure,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    pub(crate) key: &'static str,
    pub(crate) kind: Kind,
    pub(crate) default: Default,
}

const fn set(key: &'static str, kind: Kind, default: &'static str) -> Spec {
    Spec {
        key,
        kind,
        default: Default::Text(default),
    }
}

const fn unset(key: &'static str, kind: Kind, meaning: &'static str) -> Spec {
    Spec {
        key,
        kind,
        default: Default::Unset(meaning),
    }
}

/// All settings, in the order of the file.
pub(crate) const SETTINGS: &[Spec] = &[
    unset("name", Kind::Text, "the folder's name"),
    unset("currency", Kind::Text, "from the column names, else EUR"),
    set("time_zone", Kind::Text, "UTC"),
    unset("interval", Kind::Text, "the step of the profiles"),
    unset("day", Kind::Text, "the whole span of the profiles"),
    unset("from", Kind::Text, "the first step of the profiles"),
    unset("to", Kind::Text, "the last step of the profiles"),
    set("mode", Kind::Text, "day-ahead"),
    set("seed", Kind::Integer, "1"),
    unset(
        "tables.microgrids",
        Kind::Text,
        "microgrids.csv, .parquet or .csv.gz",
    ),
    unset(
        "tables.profiles",
        Kind::Text,
        "profiles.csv, .parquet or .csv.gz",
    ),
    unset(
        "tables.forecast",
        Kind::Text,
        "forecast.csv, .parquet or .csv.gz",
    ),
    unset(
        "tables.prices",
        Kind::Text,
        "prices.csv, .parquet or .csv.gz",
    ),
    unset("tables.price_interval", Kind::Text, "the market interval"),
    unset(
        "tariff.export",
        Kind::Structure,
        "prices come from the table",
    ),
    unset(
        "tariff.import",
        Kind::Structure,
        "prices come from the table",
    ),
    set("market.strategy", Kind::Text, "improved"),
    set("market.response", Kind::Text, "lp"),
    set("market.order", Kind::Text, "gauss-seidel"),
    set("market.levels", Kind::Integer, "3"),
    set("market.margin", Kind::Decimal, "1.05"),
    set("market.safe_levels", Kind::Boolean, "true"),
    set("market.alpha", Kind::Decimal, "1"),
    set("market.max_rounds", Kind::Integer, "200"),
    unset(
        "market.rho0",
        Kind::Decimal,
        "the middle of the interval's price band",
    ),
    set("market.settlement_price", Kind::Text, "pay-as-bid"),
    set("aggregator.name", Kind::Text, "VPP aggregator"),
    set("aggregator.delta", Kind::Decimal, "1.05"),
    unset("aggregator.limit", Kind::Structure, "unlimited lines"),
    set("gates.day_ahead", Kind::Text, "12:00"),
    set("gates.accept_within", Kind::Text, "30min"),
    set("gates.closure_before_delivery", Kind::Text, "5min"),
    set("gates.delta_t", Kind::Text, "30s"),
    set("gates.metering_after", Kind::Text, "1h"),
    set("gates.grace", Kind::Text, "1h"),
    set("gates.intraday", Kind::Text, "15min"),
    set("contract.request_fee", Kind::Decimal, "0"),
    set("contract.bond_share", Kind::Decimal, "0.10"),
    set("contract.penalty_short_ppm", Kind::Integer, "0"),
    set("contract.max_loss_ppm", Kind::Integer, "0"),
    set("contract.meter_tolerance", Kind::Decimal, "0.02"),
    set("contract.open_value_cap", Kind::Decimal, "5000"),
    set("contract.deposit_days", Kind::Integer, "2"),
    unset(
        "contract.line",
        Kind::Structure,
        "all orders are metered at tie lines",
    ),
    set("chains.validators", Kind::Integer, "4"),
    set("chains.vpp_validators", Kind::Integer, "4"),
    set("chains.heartbeat", Kind::Text, "15min"),
    set("keys.opening_stock_hours", Kind::Integer, "24"),
    set("keys.protection", Kind::Text, "its"),
    set("keys.level", Kind::Integer, "64"),
    set("keys.fibre_km", Kind::Decimal, "20"),
    unset(
        "keys.link",
        Kind::Structure,
        "every two sites, keys.fibre_km apart",
    ),
    set("meters.noise_ppm", Kind::Integer, "0"),
    set("meters.missing_ppm", Kind::Integer, "0"),
    set("meters.delay", Kind::Text, "0s"),
    unset("meters.lie", Kind::Structure, "meters tell the truth"),
    unset("trouble", Kind::Structure, "nothing goes wrong"),
    unset(
        "input.price_limit_per_kwh",
        Kind::Decimal,
        "20, or more by the currency",
    ),
];

/// The setting of this key.
pub(crate) fn find(key: &str) -> Option<&'static Spec> {
    SETTINGS.iter().find(|spec| spec.key == key)
}

/// Whether keys of this section exist, `"market"`.
pub(crate) fn is_section(name: &str) -> bool {
    let inside = |key: &str| key.split_once('.').is_some_and(|(head, _)| head == name);
    SETTINGS.iter().any(|spec| inside(spec.key))
}

/// The environment variable of a key: `TIELINE_MARKET_RESPONSE`.
pub(crate) fn variable(key: &str) -> String {
    format!("TIELINE_{}", key.replace('.', "_").to_ascii_uppercase())
}
