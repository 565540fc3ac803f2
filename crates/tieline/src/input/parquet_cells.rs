//! Stored values of Parquet columns as instants and scaled integers.

use tieline_units::Time;

use super::cells::{self, CellAt, REFUSED, Unit};
use super::finding::{Finding, Findings};
use super::parquet_column::{Kind, Raw};
use super::rows::GRID_HINT;

/// Bad cells of one kind and column that are listed one by one.
pub(crate) const SHOWN: u64 = 8;

/// First and last second of the years that a timestamp may lie in, 2000 to 2099, as milliseconds.
const PLAUSIBLE_MS: std::ops::Range<i64> = 946_684_800_000..4_102_444_800_000;

/// A finding about a cell.
pub(crate) fn bad(problem: &str, at: CellAt<'_>) -> Finding {
    Finding::error(at.file, problem)
        .at(at.place)
        .column(at.column)
}

/// A stored timestamp as an instant.
pub(crate) fn instant(
    raw: Raw<'_>,
    kind: &Kind,
    at: CellAt<'_>,
    findings: &mut Findings,
) -> Option<Time> {
    let (Raw::Integer(value), Kind::Timestamp { per_ms, .. }) = (raw, kind) else {
        findings.group("no time", SHOWN, bad("is null", at).expected("a timestamp"));
        return None;
    };
    let millis = value.div_euclid(*per_ms);
    if !PLAUSIBLE_MS.contains(&millis) {
        let finding = bad("has a year out of range (2000 to 2099)", at);
        let finding = finding
            .found(&value.to_string())
            .expected("an instant in UTC");
        findings.group(
            "year",
            SHOWN,
            finding.hint("correct the year, or the unit of the column"),
        );
        return None;
    }
    if value.rem_euclid(*per_ms) != 0 {
        let finding = bad("is finer than a millisecond", at).found(&value.to_string());
        findings.group("fine", SHOWN, finding.hint(GRID_HINT));
        return None;
    }
    u64::try_from(millis).ok().map(Time::from_millis)
}

/// A stored number as a scaled integer.
pub(crate) fn number(
    unit: Unit,
    raw: Raw<'_>,
    kind: &Kind,
    (at, findings): (CellAt<'_>, &mut Findings),
) -> i64 {
    let special = match raw {
        Raw::Null => Some("is null: a missing number".to_owned()),
        Raw::Foreign => Some("cannot be read as a number".to_owned()),
        Raw::Bytes(bytes) if std::str::from_utf8(bytes).is_err() && *kind == Kind::Text => {
            Some("is not valid UTF-8".to_owned())
        }
        Raw::Double(value) if value.is_nan() => Some("is NaN: not a number".to_owned()),
        Raw::Single(value) if value.is_nan() => Some("is NaN: not a number".to_owned()),
        _ => None,
    };
    if let Some(problem) = special {
        let finding = bad(&problem, at).expected(unit.expected());
        findings.group(
            &format!("missing {}", at.column),
            SHOWN,
            finding.hint("fill the gap with a measured or estimated value; a missing number is never read as 0"),
        );
        return REFUSED;
    }
    if let Raw::Double(value) = raw
        && let Some(milliwatts) = exact_milliwatts(value)
    {
        return milliwatts;
    }
    let text = raw.text(kind).unwrap_or_default();
    cells::read(unit, &text, at, findings)
}

/// A plausible power in kW as milliwatts, half to even; the text decides on everything else.
fn exact_milliwatts(kilowatts: f64) -> Option<i64> {
    let limit = cells::POWER_MAX.as_milliwatts() as f64;
    let milliwatts = (kilowatts * 1e6).round_ties_even();
    // A negative zero is a zero; a negative value below half a milliwatt is still negative.
    (kilowatts >= 0.0 && milliwatts <= limit).then_some(milliwatts as i64)
}
