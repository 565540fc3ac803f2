//! What several sections need to know about the data.

use std::collections::BTreeMap;

use super::data::{DayData, MemberData, Party, ReportData, SlotData};
use crate::plot::{Ink, Tick};

/// Slots up to which charts show every interval; beyond they show days.
const SLOTS_DRAWN_MAX: usize = 700;

/// Hues before the members' colours repeat.
pub(super) const MEMBER_HUES: usize = 7;

/// The data with what follows from them.
pub(super) struct View<'a> {
    /// The data.
    pub(super) data: &'a ReportData,
    /// Interval length, hours.
    hours: f64,
}

impl<'a> View<'a> {
    pub(super) fn new(data: &'a ReportData) -> View<'a> {
        View {
            data,
            hours: data.interval_minutes.max(1) as f64 / 60.0,
        }
    }

    /// `CNY per kWh`.
    pub(super) fn price_unit(&self) -> String {
        format!("{} per kWh", self.data.currency)
    }

    /// Charts show days instead of intervals.
    pub(super) fn by_day(&self) -> bool {
        self.data.slots.len() > SLOTS_DRAWN_MAX
    }

    /// The run is one local day.
    pub(super) fn single_day(&self) -> bool {
        self.data.days.len() == 1
    }

    /// Hours from the first slot to an instant.
    pub(super) fn hours_since_start(&self, start: tieline_units::Time) -> f64 {
        let first = self
            .data
            .slots
            .first()
            .map_or(0, |slot| slot.at.start.as_millis());
        start.as_millis().saturating_sub(first) as f64 / 3_600_000.0
    }

    /// Length of an interval, hours.
    pub(super) fn interval_hours(&self) -> f64 {
        self.hours
    }

    /// Ticks at round wall-clock hours, or at the starts of days when there are several.
    pub(super) fn time_ticks<'b>(
        labels: impl Iterator<Item = (f64, &'b str, &'b str)>,
        every_hours: u32,
        several_days: bool,
    ) -> Vec<Tick> {
        let mut ticks: Vec<Tick> = Vec::new();
        let mut last = (String::new(), u32::MAX);
        for (value, day, clock) in labels {
            let Some((hour, 0)) = clock_parts(clock) else {
                continue;
            };
            let due = if several_days {
                hour == 0
            } else {
                hour % every_hours == 0
            };
            if due && last != (day.to_owned(), hour) {
                let label = match several_days {
                    true => day.get(5..).unwrap_or(day).to_owned(),
                    false => format!("{hour:02}:00"),
                };
                ticks.push(Tick { value, label });
                last = (day.to_owned(), hour);
            }
        }
        ticks
    }

    /// `96 quarter-hours`.
    pub(super) fn intervals(&self, count: usize) -> String {
        let (one, many) = match self.data.interval_minutes {
            15 => ("quarter-hour", "quarter-hours"),
            30 => ("half-hour", "half-hours"),
            60 => ("hour", "hours"),
            _ => ("interval", "intervals"),
        };
        super::html::count(count, one, many)
    }

    /// Why a day has not 24 hours; none when it has.
    pub(super) fn day_remark(&self, day: &DayData) -> Option<&'static str> {
        let usual = (24.0 / self.hours).round() as i64;
        let hours = (day.intervals as i64 - usual) as f64 * self.hours;
        if hours == 0.0 {
            return None;
        }
        // The run may begin or end within a day.
        let (first, last) = (self.data.slots.first()?, self.data.slots.last()?);
        let begins_late = first.at.day == day.day && first.at.clock != "00:00";
        let ends_early = last.at.day == day.day
            && clock_parts(&last.at.clock).is_some_and(|(hour, minute)| {
                u64::from(hour * 60 + minute) + self.data.interval_minutes < 24 * 60
            });
        match hours.abs() <= 1.0 && !begins_late && !ends_early {
            true => Some("clock change"),
            false => Some("not a whole day"),
        }
    }

    /// The day, its length and why it has not 24 hours; none when it has.
    pub(super) fn day_length_note(&self, day: &DayData) -> Option<String> {
        let why = self.day_remark(day)?;
        Some(format!(
            "{}: {} ({why})",
            day.day,
            self.intervals(day.intervals)
        ))
    }

    /// A member by index; indices out of range are named as such.
    pub(super) fn member(&self, index: usize) -> Option<&'a MemberData> {
        self.data.members.get(index)
    }

    /// Short name of a member.
    pub(super) fn member_id(&self, index: usize) -> String {
        self.member(index).map_or_else(
            || format!("member {}", index + 1),
            |member| member.id.clone(),
        )
    }

    /// Name of a party.
    pub(super) fn party(&self, party: Party) -> String {
        match party {
            Party::Member(index) => self.member_id(index),
            Party::Grid => "Grid".to_owned(),
        }
    }

    /// Colour of a member.
    pub(super) fn ink(index: usize) -> Ink {
        // Grey, the last hue, stays with the grid.
        Ink::Hue(index % MEMBER_HUES)
    }

    /// Slots of each local day, in order.
    pub(super) fn slots_by_day(&self) -> BTreeMap<&'a str, Vec<&'a SlotData>> {
        let mut days: BTreeMap<&str, Vec<&SlotData>> = BTreeMap::new();
        for slot in &self.data.slots {
            days.entry(slot.at.day.as_str()).or_default().push(slot);
        }
        days
    }
}

/// Hour and minute of `14:15`.
pub(super) fn clock_parts(clock: &str) -> Option<(u32, u32)> {
    let (hour, minute) = clock.split_once(':')?;
    let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some((hour, minute))
}

/// Sum of decimal texts without rounding; none when one of them is no decimal number.
pub(super) fn exact_sum<'t>(texts: impl Iterator<Item = &'t str>) -> Option<String> {
    const DECIMALS: usize = 12;
    const UNIT: i128 = 10i128.pow(DECIMALS as u32);
    let (mut sum, mut shown) = (0i128, 0usize);
    for text in texts {
        let (negative, digits) = text
            .strip_prefix('-')
            .map_or((false, text), |rest| (true, rest));
        let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
        let only_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !only_digits(whole) || !only_digits(rest) || rest.len() > DECIMALS {
            return None;
        }
        let padded = format!("{rest:0<DECIMALS$}");
        let value = whole
            .parse::<i128>()
            .ok()?
            .checked_mul(UNIT)?
            .checked_add(padded.parse().ok()?)?;
        sum = sum.checked_add(if negative { -value } else { value })?;
        shown = shown.max(rest.len());
    }
    let sign = if sum < 0 { "-" } else { "" };
    let (whole, rest) = (
        sum.unsigned_abs() / UNIT.unsigned_abs(),
        sum.unsigned_abs() % UNIT.unsigned_abs(),
    );
    let rest = format!("{rest:0DECIMALS$}");
    let shown = &rest[..shown];
    Some(if shown.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{shown}")
    })
}
