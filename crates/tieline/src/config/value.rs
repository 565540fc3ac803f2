//! Texts of settings as values. Errors say what was expected; the caller adds where the text stands.

use tieline_units::decimal::{self, Excess};

/// Largest span of time that a setting may hold, in milliseconds: a week.
const DURATION_MS_MAX: u64 = 7 * 24 * 3_600_000;

/// Longest fibre that a setting may hold.
const KILOMETRES_MAX: i64 = 10_000;

/// Minutes of a day.
pub(crate) const DAY_MINUTES: u16 = 1440;

/// A whole number from `low` to `high`.
pub(crate) fn integer(text: &str, low: u64, high: u64) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(value) if (low..=high).contains(&value) => Ok(value),
        _ => Err(format!("a whole number from {low} to {high}")),
    }
}

/// A decimal as millionths, from `low` to `high` millionths.
pub(crate) fn millionths(text: &str, low: i64, high: i64) -> Result<i64, String> {
    let wanted = || {
        format!(
            "a decimal number from {} to {} with at most 6 decimals",
            decimal::format_short(low, 6, 0),
            decimal::format_short(high, 6, 0)
        )
    };
    match decimal::parse(text, 6, Excess::Refuse) {
        Ok(value) if (low..=high).contains(&value) => Ok(value),
        _ => Err(wanted()),
    }
}

/// A length in kilometres as metres, from 0 to 10 000 km in whole metres.
pub(crate) fn metres(text: &str) -> Result<u32, String> {
    let wanted = || "a length of 0 to 10000 km in whole metres".to_owned();
    let length = millionths(text, 0, KILOMETRES_MAX * 1_000_000).map_err(|_| wanted())?;
    match length % 1000 {
        0 => u32::try_from(length / 1000).map_err(|_| wanted()),
        _ => Err(wanted()),
    }
}

/// `true` or `false`.
pub(crate) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("true or false".to_owned()),
    }
}

/// A span of time in milliseconds: `"30s"`, `"5min"`, `"1h"`, `"500ms"`.
pub(crate) fn duration_ms(text: &str) -> Result<u64, String> {
    let wanted = || "a span of time such as \"30s\", \"5min\" or \"1h\", at most 7 days".to_owned();
    let split = text
        .find(|letter: char| !letter.is_ascii_digit())
        .ok_or_else(wanted)?;
    let unit = match text[split..].trim_start() {
        "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wanted()),
    };
    let count: u64 = text[..split].parse().map_err(|_| wanted())?;
    match count.checked_mul(unit) {
        Some(millis) if millis <= DURATION_MS_MAX => Ok(millis),
        _ => Err(wanted()),
    }
}

/// A wall-clock time in minutes past midnight, `"18:00"`; `"24:00"` only where a day may end.
pub(crate) fn clock(text: &str, may_end: bool) -> Result<u16, String> {
    let last = if may_end { "24:00" } else { "23:59" };
    let wanted = || format!("a time of day from \"00:00\" to \"{last}\"");
    let (hours, minutes) = text.split_once(':').ok_or_else(wanted)?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hours) || !digits(minutes) {
        return Err(wanted());
    }
    let (hours, minutes): (u16, u16) = (
        hours.parse().map_err(|_| wanted())?,
        minutes.parse().map_err(|_| wanted())?,
    );
    let total = hours * 60 + minutes;
    let in_day = hours < 24 && minutes < 60;
    if in_day || (may_end && total == DAY_MINUTES && minutes == 0) {
        Ok(total)
    } else {
        Err(wanted())
    }
}

/// Minutes past midnight as a wall clock shows them.
pub(crate) fn format_clock(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// One of the named choices.
pub(crate) fn choice<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    let found = choices.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<String> = choices
            .iter()
            .map(|(name, _)| format!("\"{name}\""))
            .collect();
        match names.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
            None => String::new(),
        }
    })
}

/// A text for people: printable, not empty, at most 80 characters.
pub(crate) fn label(text: &str) -> Result<String, String> {
    let printable = |letter: char| !letter.is_control();
    if !text.trim().is_empty() && text.chars().count() <= 80 && text.chars().all(printable) {
        Ok(text.trim().to_owned())
    } else {
        Err("1 to 80 characters without control characters".to_owned())
    }
}
