//! Instants, market intervals and local days.
//!
//! The product's clock is UTC in milliseconds. A delivery day is a *local* day of a time zone, so it has 92, 96 or
//! 100 quarter-hours; the zone rules come from the tz database that is compiled in, never from the machine.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use thiserror::Error;

/// An instant, u64 milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

/// Years that a timestamp may lie in: everything else is a typing error in the data.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2099;

/// Why a text is not a time, a day or a zone.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TimeError {
    /// No `Z` and no offset behind the time.
    #[error("timestamp '{text}' has no UTC offset")]
    NoOffset {
        /// The text found.
        text: String,
    },
    /// Not ISO-8601.
    #[error("'{text}' is not an ISO-8601 timestamp such as 2016-05-24T22:00:00Z")]
    Malformed {
        /// The text found.
        text: String,
    },
    /// A year outside 2000 to 2099.
    #[error("year out of range in '{text}': expected 2000 to 2099")]
    YearOutOfRange {
        /// The text found.
        text: String,
    },
    /// Not a calendar date.
    #[error("'{text}' is not a date such as 2016-05-25")]
    Date {
        /// The text found.
        text: String,
    },
    /// Not in the tz database.
    #[error(
        "time zone '{text}' is not in the tz database: use a name such as Europe/Berlin or UTC"
    )]
    Zone {
        /// The text found.
        text: String,
    },
    /// Not one of the lengths that markets use.
    #[error("'{text}' is not an interval length: 5min, 15min, 30min or 60min")]
    Length {
        /// The text found.
        text: String,
    },
}

impl Time {
    /// From milliseconds since 1970.
    pub const fn from_millis(millis: u64) -> Time {
        Time(millis)
    }

    /// Milliseconds since 1970.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// From ISO-8601 with `Z` or an offset, `2016-05-25T00:00:00+02:00`.
    ///
    /// # Errors
    /// [`TimeError`] without an offset, outside the plausible years or for any other text.
    pub fn parse(text: &str) -> Result<Time, TimeError> {
        if let Some(time) = parse_canonical(text.as_bytes()) {
            return Ok(time);
        }
        let malformed = || TimeError::Malformed {
            text: printable(text),
        };
        let year_digits = text.bytes().take_while(u8::is_ascii_digit).count();
        if year_digits > 4 && text.as_bytes().get(year_digits) == Some(&b'-') {
            return Err(TimeError::YearOutOfRange {
                text: printable(text),
            });
        }
        match text.parse::<Timestamp>() {
            Ok(stamp) => {
                let year = stamp.to_zoned(TimeZone::UTC).year();
                match u64::try_from(stamp.as_millisecond()) {
                    Ok(millis) if YEARS.contains(&year) => Ok(Time(millis)),
                    _ => Err(TimeError::YearOutOfRange {
                        text: printable(text),
                    }),
                }
            }
            Err(_) if text.parse::<jiff::civil::DateTime>().is_ok() => Err(TimeError::NoOffset {
                text: printable(text),
            }),
            Err(_) => Err(malformed()),
        }
    }

    /// This instant plus so many milliseconds, not beyond the last that can be written.
    pub const fn plus_millis(self, millis: u64) -> Time {
        Time(self.0.saturating_add(millis))
    }

    /// This instant minus so many milliseconds, not before 1970.
    pub const fn minus_millis(self, millis: u64) -> Time {
        Time(self.0.saturating_sub(millis))
    }

    fn to_timestamp(self) -> Timestamp {
        let millis = i64::try_from(self.0).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
    }
}

/// The shape `YYYY-MM-DDTHH:MM:SSZ` without the general parser: years of data are read in it.
fn parse_canonical(text: &[u8]) -> Option<Time> {
    if text.len() != 20
        || text[10] != b'T'
        || text[19] != b'Z'
        || text[4] != b'-'
        || text[7] != b'-'
    {
        return None;
    }
    if text[13] != b':' || text[16] != b':' {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<i64> {
        text[from..to].iter().try_fold(0, |sum, byte| {
            byte.is_ascii_digit()
                .then(|| sum * 10 + i64::from(byte - b'0'))
        })
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let date = Date::new(year as i16, month as i8, day as i8).ok()?;
    if !YEARS.contains(&date.year()) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days_since_1970(year, month, day);
    u64::try_from(((days * 24 + hour) * 60 + minute) * 60 + second)
        .ok()
        .map(|s| Time(s * 1000))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar; the year starts in March inside.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + day_of_year - 719_468
}

fn printable(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zoned = self.to_timestamp().to_zoned(TimeZone::UTC);
        let (date, time) = (zoned.date(), zoned.time());
        write!(
            f,
            "{date}T{:02}:{:02}:{:02}",
            time.hour(),
            time.minute(),
            time.second()
        )?;
        if !self.0.is_multiple_of(1000) {
            write!(f, ".{:03}", self.0 % 1000)?;
        }
        f.write_str("Z")
    }
}

/// The length of a market interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntervalLength {
    /// Five minutes (Australia).
    Min5,
    /// A quarter-hour (Europe).
    Min15,
    /// Half an hour (Great Britain).
    Min30,
    /// An hour.
    Min60,
}

impl IntervalLength {
    /// All of them, short to long.
    pub const ALL: [IntervalLength; 4] = [Self::Min5, Self::Min15, Self::Min30, Self::Min60];

    /// From text, `"15min"`; `"1h"` and `"60min"` are the hour.
    ///
    /// # Errors
    /// [`TimeError::Length`] for any other text.
    pub fn parse(text: &str) -> Result<IntervalLength, TimeError> {
        match text {
            "5min" => Ok(Self::Min5),
            "15min" => Ok(Self::Min15),
            "30min" => Ok(Self::Min30),
            "60min" | "1h" => Ok(Self::Min60),
            _ => Err(TimeError::Length {
                text: printable(text),
            }),
        }
    }

    /// The length of so many milliseconds, if it is one.
    pub fn from_millis(millis: u64) -> Option<IntervalLength> {
        Self::ALL
            .into_iter()
            .find(|length| length.millis() == millis)
    }

    /// In minutes.
    pub const fn minutes(self) -> u64 {
        match self {
            Self::Min5 => 5,
            Self::Min15 => 15,
            Self::Min30 => 30,
            Self::Min60 => 60,
        }
    }

    /// In seconds.
    pub const fn seconds(self) -> u64 {
        self.minutes() * 60
    }

    /// In milliseconds.
    pub const fn millis(self) -> u64 {
        self.seconds() * 1000
    }
}

impl fmt::Display for IntervalLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}min", self.minutes())
    }
}

/// One interval of the market, `[start, start + length)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MarketInterval {
    /// First instant, the t0 of an order.
    pub start: Time,
    /// How long it is.
    pub length: IntervalLength,
}

impl MarketInterval {
    /// First instant after it, the t1 of an order.
    pub const fn end(self) -> Time {
        self.start.plus_millis(self.length.millis())
    }
}

impl fmt::Display for MarketInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.start, self.length)
    }
}

/// A time zone of the tz database that is compiled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone(TimeZone);

impl Zone {
    /// UTC.
    pub fn utc() -> Zone {
        Zone(TimeZone::UTC)
    }

    /// By name, `Europe/Berlin`.
    ///
    /// # Errors
    /// [`TimeError::Zone`] when the database has no such name.
    pub fn parse(name: &str) -> Result<Zone, TimeError> {
        TimeZone::get(name).map(Zone).map_err(|_| TimeError::Zone {
            text: printable(name),
        })
    }

    /// The name, `Europe/Berlin`.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The local day that holds this instant.
    pub fn day_of(&self, time: Time) -> LocalDay {
        LocalDay(time.to_timestamp().to_zoned(self.0.clone()).date())
    }

    /// Minutes since local midnight on the wall clock, 0..1440: what a time-of-use tariff is written in.
    pub fn wall_minutes(&self, time: Time) -> u16 {
        let wall = time.to_timestamp().to_zoned(self.0.clone()).time();
        wall.hour().unsigned_abs() as u16 * 60 + wall.minute().unsigned_abs() as u16
    }

    /// The first instant of a local day.
    pub fn start_of(&self, day: LocalDay) -> Time {
        let start = day
            .0
            .to_zoned(self.0.clone())
            .and_then(|zoned| zoned.start_of_day());
        let millis = start.map_or(0, |zoned| zoned.timestamp().as_millisecond());
        Time(u64::try_from(millis).unwrap_or(0))
    }

    /// The instant at which a wall clock shows `minutes` past midnight on `day`; the earlier one when it does so twice.
    pub fn at_wall_minutes(&self, day: LocalDay, minutes: u16) -> Time {
        let clock = day.0.at((minutes / 60) as i8, (minutes % 60) as i8, 0, 0);
        let millis = clock
            .to_zoned(self.0.clone())
            .map_or(0, |zoned| zoned.timestamp().as_millisecond());
        Time(u64::try_from(millis).unwrap_or(0))
    }

    /// The market intervals of a local day, in order: 92, 96 or 100 quarter-hours.
    pub fn intervals_of(&self, day: LocalDay, length: IntervalLength) -> Vec<MarketInterval> {
        let (start, end) = (self.start_of(day), self.start_of(day.next()));
        let count = (end.0 - start.0) / length.millis();
        (0..count)
            .map(|index| MarketInterval {
                start: start.plus_millis(index * length.millis()),
                length,
            })
            .collect()
    }
}

/// A calendar day of a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalDay(Date);

impl LocalDay {
    /// From `2016-05-25`.
    ///
    /// # Errors
    /// [`TimeError`] for any other text or a year outside 2000 to 2099.
    pub fn parse(text: &str) -> Result<LocalDay, TimeError> {
        match text.parse::<Date>() {
            Ok(date) if text.len() == 10 && YEARS.contains(&date.year()) => Ok(LocalDay(date)),
            Ok(_) if text.len() == 10 => Err(TimeError::YearOutOfRange {
                text: printable(text),
            }),
            _ => Err(TimeError::Date {
                text: printable(text),
            }),
        }
    }

    /// The day after.
    pub fn next(self) -> LocalDay {
        LocalDay(self.0.saturating_add(1.day()))
    }

    /// The day before.
    pub fn previous(self) -> LocalDay {
        LocalDay(self.0.saturating_sub(1.day()))
    }
}

impl fmt::Display for LocalDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
