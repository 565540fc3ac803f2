//! Instants, intervals and local days.

use proptest::prelude::*;
use tieline_units::{IntervalLength, LocalDay, MarketInterval, Time, TimeError, Zone};

/// Milliseconds of 2000-01-01 and of 2100-01-01.
const YEARS_MS: std::ops::Range<u64> = 946_684_800_000..4_102_444_800_000;

fn time(text: &str) -> Time {
    Time::parse(text).unwrap()
}

#[test]
fn offsets_are_converted() {
    let utc = time("2016-05-24T22:00:00Z");
    assert_eq!(utc.as_millis(), 1_464_127_200_000);
    for text in [
        "2016-05-25T00:00:00+02:00",
        "2016-05-24T17:00:00-05:00",
        "2016-05-25T00:00+02:00",
        "2016-05-24 22:00:00Z",
    ] {
        assert_eq!(time(text), utc, "{text}");
    }
}

#[test]
fn each_refusal_says_why() {
    let refused = |text: &str| Time::parse(text).unwrap_err();
    assert!(matches!(
        refused("2016-03-27 02:15"),
        TimeError::NoOffset { .. }
    ));
    for text in [
        "20166-05-24T22:30:00Z",
        "1970-01-01T00:00:00Z",
        "2100-01-01T00:00:00Z",
        "1999-12-31T23:59:59Z",
    ] {
        assert!(
            matches!(refused(text), TimeError::YearOutOfRange { .. }),
            "{text}"
        );
    }
    for text in [
        "",
        "now",
        "2016-02-30T00:00:00Z",
        "2016-05-24T24:00:01Z",
        "24.05.2016",
        "1464127200",
    ] {
        assert!(
            matches!(refused(text), TimeError::Malformed { .. }),
            "{text}"
        );
    }
    assert!(matches!(
        LocalDay::parse("2016-5-25").unwrap_err(),
        TimeError::Date { .. }
    ));
    assert!(matches!(
        LocalDay::parse("1999-05-25").unwrap_err(),
        TimeError::YearOutOfRange { .. }
    ));
    assert!(matches!(
        Zone::parse("Mars/Base").unwrap_err(),
        TimeError::Zone { .. }
    ));
    assert!(matches!(
        IntervalLength::parse("20min").unwrap_err(),
        TimeError::Length { .. }
    ));
}

#[test]
fn local_days_have_92_96_or_100_quarter_hours() {
    let zone = Zone::parse("Europe/Berlin").unwrap();
    for (day, count) in [
        ("2016-03-27", 92),
        ("2016-05-25", 96),
        ("2016-10-30", 100),
        ("2016-02-29", 96),
    ] {
        let day = LocalDay::parse(day).unwrap();
        let intervals = zone.intervals_of(day, IntervalLength::Min15);
        assert_eq!(intervals.len(), count, "{day}");
        assert_eq!(intervals[0].start, zone.start_of(day));
        assert_eq!(intervals[count - 1].end(), zone.start_of(day.next()));
        assert!(
            intervals
                .windows(2)
                .all(|pair| pair[0].end() == pair[1].start)
        );
        assert!(
            intervals
                .iter()
                .all(|interval| zone.day_of(interval.start) == day)
        );
    }
}

#[test]
fn the_wall_clock_repeats_an_hour_in_autumn_and_skips_one_in_spring() {
    let zone = Zone::parse("Europe/Berlin").unwrap();
    let minutes = |day: &str| -> Vec<u16> {
        let day = LocalDay::parse(day).unwrap();
        let intervals = zone.intervals_of(day, IntervalLength::Min60);
        intervals
            .iter()
            .map(|interval| zone.wall_minutes(interval.start) / 60)
            .collect()
    };
    assert_eq!(minutes("2016-03-27")[..4], [0, 1, 3, 4]);
    assert_eq!(minutes("2016-10-30")[..5], [0, 1, 2, 2, 3]);
    let autumn = LocalDay::parse("2016-10-30").unwrap();
    assert_eq!(
        zone.at_wall_minutes(autumn, 150),
        time("2016-10-30T00:30:00Z")
    );
}

#[test]
fn a_half_hour_zone_starts_its_day_on_the_half_hour() {
    let zone = Zone::parse("Asia/Kolkata").unwrap();
    let day = LocalDay::parse("2016-05-25").unwrap();
    assert_eq!(zone.start_of(day), time("2016-05-24T18:30:00Z"));
    assert_eq!(zone.intervals_of(day, IntervalLength::Min60).len(), 24);
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(millis in YEARS_MS) {
        let time = Time::from_millis(millis);
        prop_assert_eq!(Time::parse(&time.to_string()), Ok(time));
        let seconds = Time::from_millis(millis / 1000 * 1000);
        prop_assert_eq!(Time::parse(&seconds.to_string()), Ok(seconds));
        prop_assert_eq!(seconds.to_string().len(), 20);
    }

    #[test]
    fn any_text_is_a_time_or_an_error(text in ".{0,40}") {
        let _ = Time::parse(&text);
    }

    #[test]
    // East of Greenwich the last hours are of a year that is out of range.
    fn each_local_day_ends_where_the_next_begins(millis in YEARS_MS.start..YEARS_MS.end - 86_400_000, zone in prop::sample::select(
        &["Europe/Berlin", "UTC", "America/New_York", "Australia/Sydney", "Asia/Kathmandu", "Australia/Lord_Howe"][..],
    )) {
        let zone = Zone::parse(zone).unwrap();
        let time = Time::from_millis(millis);
        let day = zone.day_of(time);
        prop_assert!(zone.start_of(day) <= time && time < zone.start_of(day.next()));
        prop_assert_eq!(day.next().previous(), day);
        prop_assert_eq!(LocalDay::parse(&day.to_string()), Ok(day));
        let quarters = zone.intervals_of(day, IntervalLength::Min15);
        prop_assert!([92, 94, 96, 98, 100].contains(&quarters.len()));
        prop_assert!(quarters.iter().any(|interval| (interval.start..interval.end()).contains(&time)));
    }

    #[test]
    fn intervals_have_their_length(millis in YEARS_MS, length in prop::sample::select(&IntervalLength::ALL[..])) {
        let interval = MarketInterval { start: Time::from_millis(millis), length };
        prop_assert_eq!(interval.end().as_millis() - millis, length.minutes() * 60_000);
        prop_assert_eq!(IntervalLength::from_millis(length.millis()), Some(length));
        prop_assert_eq!(IntervalLength::parse(&length.to_string()), Ok(length));
    }
}
