//! Long runs and many members: small, calm, and nothing left out without saying so.

use tieline::report::render;
use tieline_units::IntervalLength::Min15;

use super::{check_page, fixture, one_day};

/// Leaves out the first hour of the first day and the last hour of the last one.
fn cut(data: &mut tieline::report::data::ReportData) {
    let last = data.days.len() - 1;
    data.slots.drain(..4);
    data.slots.truncate(data.slots.len() - 4);
    data.days[0].intervals -= 4;
    data.days[last].intervals -= 4;
}

#[test]
fn a_year_of_quarter_hours_and_twenty_members_stays_below_three_megabytes() {
    let days = fixture::days_from_new_year(2016, 366);
    let days: Vec<&str> = days.iter().map(String::as_str).collect();
    let data = fixture::with_members(fixture::run("Europe/Berlin", &days, Min15), 20);
    assert_eq!(data.slots.len(), 35_136);
    let page = render(&data, None);
    assert!(page.len() < 3_000_000, "{} bytes", page.len());
    check_page(&page);
    assert!(
        page.contains("2016-03-27: 92 quarter-hours")
            && page.contains("2016-10-30: 100 quarter-hours")
    );
    assert!(
        !page.contains("All 35136 quarter-hours</summary>"),
        "a year has no table of intervals"
    );
    assert!(page.contains("<summary>All 366 local days</summary>"));
    assert!(
        page.contains(">2016-07<") && !page.contains(">2016-07-02</text>"),
        "the map of a year names months"
    );
    assert!(
        page.contains("No buyers, 5490 intervals:")
            && page.contains("in 366 stretches, the longest "),
        "many stretches are summed up"
    );
}

#[test]
fn a_run_that_begins_and_ends_within_a_day_is_no_clock_change() {
    let mut data = fixture::run("UTC", &["2016-05-25", "2016-05-26"], Min15);
    cut(&mut data);
    let page = render(&data, None);
    check_page(&page);
    for day in ["2016-05-25", "2016-05-26"] {
        let note = format!("{day}: 92 quarter-hours (not a whole day)");
        assert!(page.contains(&note), "the page lacks {note:?}");
    }
    assert!(!page.contains("clock change"));
}

#[test]
fn flows_of_many_members_are_drawn_as_the_largest_and_others_and_listed_in_full() {
    let page = render(&fixture::with_members(one_day(), 20), None);
    check_page(&page);
    assert!(page.contains(">14 others</text>") && page.contains("Largest energy flows"));
    assert!(page.contains("<summary>All 380 energy flows</summary>"));
    let (_, all) = page.split_once("<caption>All energy flows").unwrap();
    let (all, _) = all.split_once("</tbody>").unwrap();
    assert_eq!(all.matches("<tr>").count(), 1 + 380, "head and flows");
    let few = render(&fixture::with_members(one_day(), 7), None);
    check_page(&few);
    assert!(
        !few.contains("others</text>"),
        "seven members are all drawn"
    );
}

#[test]
fn three_intervals_have_lines_and_no_map() {
    let mut data = one_day();
    data.slots.truncate(3);
    data.rounds.truncate(3);
    data.profile_times.truncate(3);
    for profile in &mut data.profiles {
        for curve in [
            &mut profile.load_kw,
            &mut profile.pv_kw,
            &mut profile.wind_kw,
            &mut profile.dispatch_kw,
            &mut profile.forecast_net_kw,
        ] {
            curve.truncate(3);
        }
    }
    let page = render(&data, None);
    check_page(&page);
    assert!(page.contains("Prices over time") && !page.contains("Clearing price by time of day"));
}
