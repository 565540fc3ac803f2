//! The settings of a scenario: `scenario.toml`, variables and flags, each value with its origin.
//!
//! Order: flag, then `TIELINE_*`, then file, then default. Every key and its default stand in `spec.rs`;
//! unknown keys are refused with the nearest known one. Decimals are read from their source text, never from a float.

mod build;
mod lists;
mod source;
mod spec;
mod tariff;
mod trouble;
mod value;

use std::fmt;

use tieline_units::{
    Currency, IntervalLength, LocalDay, MicrogridId, Money, Power, Price, SiteId, Zone,
};

pub use tariff::{Band, Tariff};
pub use tieline_market::game::{Order, Response, Strategy};
pub use trouble::{During, Lie, OwnLine, Trouble, Troubles, What};

use crate::input::InputErrors;
use crate::input::finding::Findings;

/// A scenario's settings. Shares and factors are in ppm, 1 050 000 for `"1.05"`; spans of time in milliseconds.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the scenario is called; the folder's name unless set.
    pub name: String,
    /// The currency, when the file names one; [`crate::input::Scenario::currency`] is the one that counts.
    pub currency: Option<Currency>,
    /// Zone of the local days and the tariff.
    pub zone: Zone,
    /// Length of a market interval, when set; otherwise the step of the profiles.
    pub interval: Option<IntervalLength>,
    /// Which part of the profiles runs.
    pub span: Span,
    /// When the market's gates close.
    pub mode: Mode,
    /// Seed of everything random.
    pub seed: u64,
    /// Files of the tables.
    pub tables: Tables,
    /// Prices of the grid as a time-of-use tariff.
    pub tariff: Option<Tariff>,
    /// `[market]`
    pub market: Market,
    /// `[aggregator]`
    pub aggregator: Aggregator,
    /// `[gates]`
    pub gates: Gates,
    /// `[contract]`
    pub contract: Contract,
    /// `[chains]`
    pub chains: Chains,
    /// `[keys]`
    pub keys: Keys,
    /// `[meters]`
    pub meters: Meters,
    /// What goes wrong.
    pub trouble: Troubles,
    /// Highest price taken for a price per kWh, when set.
    pub price_limit: Option<Price>,
    settings: Vec<Setting>,
}

/// Which local days run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// All that the profiles hold.
    Whole,
    /// Whole local days, the last one included; an open end is where the profiles end.
    Days {
        /// First day.
        from: Option<LocalDay>,
        /// Last day, included.
        to: Option<LocalDay>,
    },
}

/// `mode`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// All intervals of a day at one gate on the day before.
    DayAhead,
    /// One gate per interval.
    Intraday,
}

/// `[tables]`: file names inside the scenario's folder; `None` looks for the usual names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// Microgrids.
    pub microgrids: Option<String>,
    /// Actual profiles.
    pub profiles: Option<String>,
    /// Forecast profiles.
    pub forecast: Option<String>,
    /// The grid's prices.
    pub prices: Option<String>,
    /// How long a row of the prices holds, when it is not one market interval.
    pub price_interval: Option<IntervalLength>,
}

/// `market.settlement_price`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettlementPrice {
    /// Each accepted block at its own price.
    PayAsBid,
    /// All at the clearing price.
    Uniform,
}

/// `[market]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Market {
    /// Bidding strategy.
    pub strategy: Strategy,
    /// How a member answers the others' bids.
    pub response: Response,
    /// In which order they answer.
    pub order: Order,
    /// Price levels of a bid.
    pub levels: u32,
    /// Margin over cost.
    pub margin_ppm: u32,
    /// Safe levels.
    pub safe_levels: bool,
    /// Damping α of the price; a million is none.
    pub alpha_ppm: u32,
    /// Rounds before the search is given up.
    pub max_rounds: u32,
    /// First clearing price; the middle of the interval's price band when `None`.
    pub rho0: Option<Price>,
    /// What sellers are paid.
    pub settlement_price: SettlementPrice,
}

/// `[aggregator]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregator {
    /// Its name.
    pub name: String,
    /// Service fee coefficient δ.
    pub delta_ppm: u32,
    /// Lines that carry no more than so much; all others are unlimited.
    pub limits: Vec<LineLimit>,
}

/// `[[aggregator.limit]]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineLimit {
    /// Who delivers.
    pub seller: MicrogridId,
    /// Who takes.
    pub buyer: MicrogridId,
    /// At most this.
    pub power: Power,
    /// Line of the scenario file.
    pub line: u64,
}

/// `[gates]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gates {
    /// Minutes past local midnight, on the day before.
    pub day_ahead_minutes: u16,
    /// D = gate + this.
    pub accept_within_ms: u64,
    /// G = t0 − this.
    pub closure_before_delivery_ms: u64,
    /// Δt.
    pub delta_t_ms: u64,
    /// T_m = t1 + this.
    pub metering_after_ms: u64,
    /// Default settlement at T_m + this.
    pub grace_ms: u64,
    /// In mode intraday: the gate this long before each interval.
    pub intraday_ms: u64,
}

/// `[contract]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// Fee of a request.
    pub request_fee: Money,
    /// Bond, of the order's value.
    pub bond_share_ppm: u32,
    /// Penalty for short delivery.
    pub penalty_short_ppm: u32,
    /// Largest loss on a line.
    pub max_loss_ppm: u32,
    /// Tolerance between two meters of one line.
    pub meter_tolerance_ppm: u32,
    /// Largest open value per pair of chains.
    pub open_value_cap: Money,
    /// Opening balance in days of trade.
    pub deposit_days: u32,
    /// Pairs with a metered line of their own.
    pub lines: Vec<OwnLine>,
}

/// `[chains]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chains {
    /// Validators of each microgrid chain.
    pub validators: u32,
    /// Validators of the aggregator's chain: 4, 7, 10, 13 or 16.
    pub vpp_validators: u32,
    /// Longest time between blocks.
    pub heartbeat_ms: u64,
}

/// `keys.protection`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Unconditional signatures over quantum keys.
    Its,
    /// Both kinds.
    Hybrid,
    /// Post-quantum signatures alone.
    PqOnly,
}

/// `[keys]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Key stock at the start, in hours of the links' rates.
    pub opening_stock_hours: u32,
    /// Kind of signature.
    pub protection: Protection,
    /// Security level of a signature, bits.
    pub level: u32,
    /// Length of the fibre between every two sites where `links` is empty, metres.
    pub fibre_m: u32,
    /// Fibres between sites; sites that none of them joins have no key in common.
    pub links: Vec<Link>,
}

/// `[[keys.link]]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The two ends.
    pub sites: [SiteId; 2],
    /// Length of the fibre in metres.
    pub fibre_m: u32,
    /// Line of the scenario file.
    pub line: u64,
}

impl Link {
    /// Length of the fibre in kilometres, for the link model.
    pub fn fibre_km(&self) -> f64 {
        f64::from(self.fibre_m) / 1000.0
    }
}

/// `[meters]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meters {
    /// Noise of a reading.
    pub noise_ppm: u32,
    /// Share of readings that get lost.
    pub missing_ppm: u32,
    /// How much later than the end of their interval readings come.
    pub delay_ms: u64,
    /// Meters that lie.
    pub lies: Vec<Lie>,
}

/// A setting as `config show` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// `market.levels`
    pub key: String,
    /// Its value as text; for a setting without a value, what happens instead, in parentheses.
    pub value: String,
    /// Who set it.
    pub origin: Origin,
}

/// Who set a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody.
    Default,
    /// The scenario file.
    File {
        /// Line of the key.
        line: u64,
    },
    /// An environment variable.
    Env {
        /// Its name.
        variable: String,
    },
    /// The command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { line } => write!(f, "scenario.toml:{line}"),
            Origin::Env { variable } => f.write_str(variable),
            Origin::Flag => f.write_str("flag"),
        }
    }
}

/// Settings from outside the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    env: Vec<Override>,
    flags: Vec<Override>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Override {
    key: String,
    value: String,
    origin: Origin,
}

impl Overrides {
    /// Nothing overridden.
    pub fn none() -> Overrides {
        Overrides::default()
    }

    /// The `TIELINE_*` variables that name settings, `TIELINE_MARKET_RESPONSE=fit`; with them the names of those that
    /// name none.
    pub fn from_env(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> (Overrides, Vec<String>) {
        let mut overrides = Overrides::default();
        let mut unknown = Vec::new();
        for (variable, value) in variables {
            let known = spec::SETTINGS
                .iter()
                .find(|spec| spec::variable(spec.key) == variable);
            match known {
                Some(spec) => overrides.env.push(Override {
                    key: spec.key.to_owned(),
                    value,
                    origin: Origin::Env { variable },
                }),
                None if variable.starts_with("TIELINE_") => unknown.push(variable),
                None => {}
            }
        }
        overrides
            .env
            .sort_by(|left, right| left.key.cmp(&right.key));
        unknown.sort();
        (overrides, unknown)
    }

    /// Adds a setting from the command line; it wins over variables and file.
    pub fn flag(&mut self, key: &str, value: &str) -> &mut Overrides {
        self.flags.push(Override {
            key: key.to_owned(),
            value: value.to_owned(),
            origin: Origin::Flag,
        });
        self
    }

    /// Weakest first.
    fn in_order(&self) -> impl Iterator<Item = &Override> {
        self.env.iter().chain(&self.flags)
    }
}

impl Config {
    /// From the text of a scenario file (`None`: no file), `file` naming it in messages and `name` standing in for an unset name.
    ///
    /// # Errors
    /// [`InputErrors`] with all findings: TOML syntax, unknown keys, values of the wrong type or range.
    pub fn read(
        file: &str,
        text: Option<&str>,
        name: &str,
        overrides: &Overrides,
    ) -> Result<Config, InputErrors> {
        let mut findings = Findings::default();
        let mut source = source::Source::read(file, text.unwrap_or(""), &mut findings);
        source.apply(overrides, &mut findings);
        let config = build::build(&source, name, &mut findings);
        findings.finish().map(|_| config)
    }

    /// Whether two microgrids have a metered line of their own.
    pub fn own_line(&self, one: &MicrogridId, other: &MicrogridId) -> bool {
        let mut lines = self.contract.lines.iter().map(|line| &line.ends);
        lines.any(|ends| ends.contains(one) && ends.contains(other) && one != other)
    }

    /// Every setting, its value and where it came from, in the order of the file.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }
}
