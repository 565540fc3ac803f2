//! Cells as numbers: what a value must be, and what the usual defects look like.

use tieline_units::decimal::{self, DecimalError, Excess};
use tieline_units::{Currency, Power, Price};

use super::finding::{Finding, Findings, Place};

/// Stands in a row for a value that was refused, so that the row still counts as present.
pub(crate) const REFUSED: i64 = i64::MIN;

/// Largest power that a microgrid may have: 1 GW. Beyond it sums over a year could leave the range of an i64.
pub(crate) const POWER_MAX: Power = Power::from_milliwatts(1_000_000_000_000);

/// Largest standby consumption of an inverter that a meter shows as negative generation: 0.1 kW.
const STANDBY_MAX: i64 = 100_000;

/// Bad cells of one kind and column that are listed one by one.
const SHOWN: u64 = 8;

/// What the numbers of a column are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Unit {
    /// kW, not negative, as milliwatts.
    Kilowatt,
    /// Currency per kWh as millionths; absolute values beyond the limit are taken for a wrong unit.
    Price { limit: Price, currency: Currency },
}

impl Unit {
    /// What belongs into such a cell.
    pub(crate) fn expected(self) -> String {
        match self {
            Unit::Kilowatt => "kW >= 0".to_owned(),
            Unit::Price { currency, .. } => format!("a decimal number in {currency}/kWh"),
        }
    }

    /// A text as a scaled integer.
    fn parse(self, text: &str) -> Result<i64, DecimalError> {
        match self {
            Unit::Kilowatt => match fast(text) {
                Some(value) => Ok(value),
                None => Power::from_kilowatts(text).map(Power::as_milliwatts),
            },
            Unit::Price { .. } => decimal::parse(text, 6, Excess::Refuse),
        }
    }
}

/// A cell's place, for findings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CellAt<'a> {
    pub(crate) file: &'a str,
    pub(crate) place: Place,
    pub(crate) column: &'a str,
}

/// Reads a text cell; [`REFUSED`] and a finding when it is no such number.
pub(crate) fn read(unit: Unit, text: &str, at: CellAt<'_>, findings: &mut Findings) -> i64 {
    match unit.parse(text) {
        Ok(value) => judge(unit, value, text, (at, findings)),
        Err(error) => {
            refuse(unit, &error, text, (at, findings));
            REFUSED
        }
    }
}

/// Checks a number that was read; `text` is how it stood in the file.
pub(crate) fn judge(
    unit: Unit,
    value: i64,
    text: &str,
    (at, findings): (CellAt<'_>, &mut Findings),
) -> i64 {
    match unit {
        Unit::Kilowatt if (0..=POWER_MAX.as_milliwatts()).contains(&value) => value,
        Unit::Price { limit, .. }
            if value.unsigned_abs() <= limit.as_millionths().unsigned_abs() =>
        {
            value
        }
        _ => {
            implausible(unit, value, text, (at, findings));
            REFUSED
        }
    }
}

fn implausible(unit: Unit, value: i64, text: &str, (at, findings): (CellAt<'_>, &mut Findings)) {
    let error = |problem: &str| {
        let finding = Finding::error(at.file, problem)
            .at(at.place)
            .column(at.column);
        finding.found(text).expected(unit.expected())
    };
    let generation = at.column == "pv_kw" || at.column == "wind_kw";
    let (kind, shown, finding) = match unit {
        Unit::Kilowatt if value < 0 && generation && value >= -STANDBY_MAX => (
            "standby",
            SHOWN,
            error("is a small negative generation, as an inverter on standby draws")
                .hint("write 0 for the generation and add the standby consumption to load_kw"),
        ),
        Unit::Kilowatt if value < 0 => (
            "negative",
            SHOWN,
            error("is negative").hint("consumption and generation have columns of their own, both >= 0; check the sign"),
        ),
        Unit::Kilowatt => ("huge", SHOWN, too_large(error("is beyond any plausible power"))),
        Unit::Price { limit, currency } => (
            "limit",
            1,
            error(&format!("is beyond the limit of {limit}: it looks like {currency}/MWh"))
                .hint(format!("divide prices in {currency}/MWh by 1000; if they are right, raise [input] price_limit_per_kwh")),
        ),
    };
    findings.group(&format!("{kind} {}", at.column), shown, finding);
}

fn too_large(finding: Finding) -> Finding {
    let limit = POWER_MAX.to_kilowatts();
    finding.hint(format!(
        "a value above {limit} kW cannot be a microgrid's: check the unit (W for kW?) and the export"
    ))
}

fn refuse(
    unit: Unit,
    error: &DecimalError,
    text: &str,
    (at, findings): (CellAt<'_>, &mut Findings),
) {
    let base = |problem: &str| {
        let finding = Finding::error(at.file, problem)
            .at(at.place)
            .column(at.column);
        finding.found(text).expected(unit.expected())
    };
    let (kind, shown, finding) = match error {
        DecimalError::Empty | DecimalError::NotANumber { .. } => {
            let problem = if text.trim().is_empty() {
                "is an empty cell"
            } else {
                "stands for a missing number"
            };
            let hint = match unit {
                Unit::Kilowatt => {
                    "fill the gap with a measured or estimated value; a missing number is never read as 0"
                }
                Unit::Price { .. } => {
                    "fill the gap with the price that held; a missing price is never carried forward"
                }
            };
            ("missing", SHOWN, base(problem).hint(hint))
        }
        DecimalError::Comma { .. } if is_thousands(text) => (
            "thousands",
            SHOWN,
            base("has a thousands separator")
                .hint("write numbers without thousands separators, 1234.5"),
        ),
        DecimalError::Comma { .. } => (
            "comma",
            1,
            base("has a comma as decimal sign")
                .hint("export with a decimal point: 12.5, not 12,5; a comma is never guessed at"),
        ),
        DecimalError::TooManyDecimals { scale, .. } => (
            "decimals",
            SHOWN,
            base(&format!("has too many decimals (max {scale})"))
                .hint("money is never rounded in silence: round the prices yourself"),
        ),
        DecimalError::TooLarge { .. } => match unit {
            Unit::Kilowatt => (
                "huge",
                SHOWN,
                too_large(base("is beyond any plausible power")),
            ),
            Unit::Price { .. } => ("huge", SHOWN, base("is beyond any plausible price")),
        },
        _ => (
            "malformed",
            SHOWN,
            base("is not a decimal number").hint("write plain decimal numbers such as 12.5"),
        ),
    };
    findings.group(&format!("{kind} {}", at.column), shown, finding);
}

/// Groups of three digits behind commas with a point or several commas: `1,234.5`, `1,234,567`.
fn is_thousands(text: &str) -> bool {
    let commas = text.matches(',').count();
    commas > 1 || (commas == 1 && text.find('.') > text.find(','))
}

/// Plain digits with at most six decimals, the shape of nearly every cell.
fn fast(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.is_empty() || bytes.len() > 16 {
        return None;
    }
    let (mut value, mut decimals, mut digits) = (0_i64, None, 0);
    for byte in bytes {
        match byte {
            b'0'..=b'9' => {
                value = value * 10 + i64::from(byte - b'0');
                digits += 1;
                decimals = decimals.map(|count: u32| count + 1);
            }
            b'.' if decimals.is_none() => decimals = Some(0),
            _ => return None,
        }
    }
    let missing = 6_u32.checked_sub(decimals.unwrap_or(0))?;
    (digits > 0 && digits <= 12).then(|| value * 10_i64.pow(missing))
}
