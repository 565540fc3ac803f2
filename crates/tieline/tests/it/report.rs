//! The report page: safe, self-contained, complete and the same every time.

mod browser;
mod fixture;
mod long;
mod markup;
mod rounds;
mod words;

use tieline::plot::{Axis, Chart, Ink, Kind, Series, number};
use tieline::report::data::ReportData;
use tieline::report::render;
use tieline_units::IntervalLength::{Min15, Min60};

fn one_day() -> ReportData {
    fixture::run("Asia/Shanghai", &["2016-05-25"], Min15)
}

fn berlin(day: &str) -> String {
    render(&fixture::run("Europe/Berlin", &[day], Min15), None)
}

/// Well-formed, self-contained, without broken numbers.
fn check_page(page: &str) {
    markup::assert_balanced(page);
    markup::assert_loads_nothing(page);
    markup::assert_numbers_are_numbers(page);
    markup::assert_ids_are_unique(page);
}

#[test]
fn page_of_a_day_is_well_formed_and_loads_nothing() {
    let page = render(&one_day(), Some("Took 1.2 s."));
    check_page(&page);
    for part in [
        "Content-Security-Policy",
        "default-src 'none'",
        "Skip to the results",
        "<main id=\"main\"",
        "2016-05-25",
        "Asia/Shanghai",
        "0.000000",
        "no equilibrium within 24 rounds",
        "tieline market verify rounds/2016-05-25T0000.json",
        "href=\"./rounds/2016-05-25T1200.json\"",
        "All 96 quarter-hours",
    ] {
        assert!(page.contains(part), "the page lacks {part:?}");
    }
    assert_eq!(
        page.matches("class=\"round on\"").count(),
        1,
        "one round is shown without the script"
    );
    assert_eq!(page.matches("<option ").count(), 78);
}

#[test]
fn the_wall_clock_line_is_the_only_line_that_differs() {
    let data = one_day();
    let (one, other) = (
        render(&data, Some("Took 1.2 s.")),
        render(&data, Some("Took 9.9 s.")),
    );
    let differing: Vec<_> = one
        .lines()
        .zip(other.lines())
        .filter(|(a, b)| a != b)
        .collect();
    assert_eq!(differing.len(), 1, "{differing:?}");
    assert!(differing[0].0.contains("data-wall-clock"), "{differing:?}");
    assert_eq!(one.lines().count(), other.lines().count());
    assert_eq!(one, render(&data.clone(), Some("Took 1.2 s.")));
}

#[test]
fn hostile_names_and_warnings_are_escaped() {
    const ATTACK: &str =
        "</script><script>alert(1)</script><img src=x onerror=\"alert(2)\">'&\u{202e}";
    let mut data = one_day();
    let attack = || ATTACK.to_owned();
    (data.scenario, data.currency, data.zone, data.mode) = (attack(), attack(), attack(), attack());
    data.rules.push((attack(), attack()));
    data.warnings.push(attack());
    data.notices.push(attack());
    data.slots[40].reason = attack();
    data.slots[41].outcome = attack();
    data.days[0].day = attack();
    for member in &mut data.members {
        (member.id, member.name) = (attack(), attack());
        member.sales.text = attack();
    }
    for round in &mut data.rounds {
        (round.status, round.certificate) = (attack(), "javascript:alert(3)".to_owned());
        (round.at.clock, round.at.day) = (attack(), attack());
    }
    for time in &mut data.profile_times {
        (time.clock, time.day) = (attack(), attack());
    }
    data.flows[0].paid.text = attack();
    data.totals.zero_sum.text = attack();
    let page = render(&data, Some(ATTACK));
    check_page(&page);
    assert_eq!(
        page.matches("<script").count(),
        1,
        "only the page's own script"
    );
    assert!(
        !page.contains("<img"),
        "an element of the attack came through"
    );
    assert!(!page.contains('\u{202e}'), "text direction was turned");
    assert!(!page.contains("href=\"javascript"), "a link runs script");
}

#[test]
fn certificates_outside_the_folder_of_the_report_are_not_linked() {
    for path in [
        "../../etc/passwd",
        "/etc/passwd",
        "//example.org/x",
        "",
        "a/./b",
    ] {
        let mut data = one_day();
        data.rounds.truncate(1);
        data.rounds[0].certificate = path.to_owned();
        assert!(
            !render(&data, None).contains("Certificate:"),
            "{path:?} is linked"
        );
    }
}

#[test]
fn days_of_a_clock_change_say_so_and_keep_their_hours() {
    let spring = berlin("2016-03-27");
    check_page(&spring);
    assert!(spring.contains("2016-03-27: 92 quarter-hours (clock change)"));
    assert!(spring.contains("the clock skips this hour"));
    let autumn = berlin("2016-10-30");
    check_page(&autumn);
    assert!(autumn.contains("2016-10-30: 100 quarter-hours (clock change)"));
    assert!(autumn.contains("02:00 again"));
    let usual = berlin("2016-05-25");
    assert!(
        !usual.contains("clock change"),
        "an ordinary day is reported as a clock change"
    );
}

#[test]
fn a_day_without_any_cleared_round_still_makes_a_page() {
    let page = render(&fixture::without_rounds(one_day()), None);
    check_page(&page);
    for part in [
        "No round cleared",
        "No energy crossed a border",
        "No sellers, 96 intervals",
    ] {
        assert!(page.contains(part), "the page lacks {part:?}");
    }
}

#[test]
fn nothing_at_all_still_makes_a_page() {
    check_page(&render(&ReportData::default(), None));
}

#[test]
fn numbers_that_are_not_finite_never_reach_a_drawing() {
    let mut data = one_day();
    for (index, slot) in data
        .slots
        .iter_mut()
        .enumerate()
        .filter(|(index, _)| index % 3 == 0)
    {
        slot.clearing_price = Some(if index % 2 == 0 {
            f64::NAN
        } else {
            f64::INFINITY
        });
        slot.import_price = f64::NEG_INFINITY;
        slot.short_kwh = f64::NAN;
    }
    data.rounds[3].demand_kw = f64::NAN;
    data.rounds[4].clearing_price = f64::INFINITY;
    data.rounds[5].band = (f64::NAN, f64::NAN);
    data.rounds[6].blocks[0].price = f64::NAN;
    data.rounds[6].blocks[1].offered_kw = f64::INFINITY;
    data.rounds[7].blocks[0].accepted_kw = f64::NAN;
    data.rounds[8].exploitability = vec![(0.0, f64::NAN); 5];
    data.profiles[0].pv_kw[7] = f64::NAN;
    data.flows[0].kwh = f64::NAN;
    data.members[0].balance.value = f64::INFINITY;
    data.members[1].gain.value = f64::NAN;
    check_page(&render(&data, None));
}

#[test]
fn three_hourly_days_show_every_interval_and_every_day() {
    let page = render(
        &fixture::run(
            "Europe/Berlin",
            &["2016-10-29", "2016-10-30", "2016-10-31"],
            Min60,
        ),
        None,
    );
    check_page(&page);
    assert!(page.contains("2016-10-30: 25 hours (clock change)"));
    assert!(page.contains("All 73 hours") && page.contains("Local days"));
}

#[test]
fn books_that_do_not_close_are_said_aloud() {
    let mut data = one_day();
    data.totals.zero_sum.text = "0.000001".to_owned();
    let page = render(&data, None);
    assert!(page.contains("Accounts do not sum to zero") && page.contains("card alarm"));
}

#[test]
fn many_large_rounds_are_thinned_to_the_budget() {
    let mut data = one_day();
    let blocks = data.rounds[0].blocks.clone();
    for round in &mut data.rounds {
        round.blocks = (0..20).flat_map(|_| blocks.clone()).collect();
    }
    let page = render(&data, None);
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    assert!(page.contains("of 78 rounds are drawn here"));
    check_page(&page);
    let ids = markup::ids(&page);
    for link in markup::inner_links(&page) {
        assert!(ids.contains(link), "#{link} leads nowhere");
    }
}

#[test]
fn a_drawing_of_its_own_carries_its_style_and_is_well_formed() {
    let chart = Chart {
        title: "a < b".to_owned(),
        size: (400.0, 300.0),
        x: Axis::named("iteration"),
        y: Axis::named("CNY per kWh"),
        series: vec![
            Series::new(
                "bars",
                Ink::BLUE,
                Kind::Bars(vec![(0.0, 1.0, 2.0), (1.0, 2.0, -1.0)]),
            ),
            Series::new(
                "dots",
                Ink::RED,
                Kind::Points(vec![(0.5, 1.0), (f64::NAN, 2.0)]),
            ),
        ],
        legend: true,
        ..Chart::default()
    };
    let file = chart.draw().standalone();
    assert!(file.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    assert!(file.contains("<title>a &lt; b</title>") && file.contains("--k0:"));
    markup::assert_balanced(&file);
    markup::assert_numbers_are_numbers(&file);
}

#[test]
fn numbers_have_few_decimals_a_true_minus_and_no_negative_zero() {
    let check = |value: f64, decimals: usize, expected: &str| {
        assert_eq!(number::fixed(value, decimals), expected)
    };
    check(1234.5, 1, "1234.5");
    check(12345.67, 1, "12\u{202f}345.7");
    check(-0.001, 2, "0.00");
    check(-3.25, 2, "\u{2212}3.25");
    check(f64::NAN, 2, "–");
    assert_eq!(number::signed(2.0, 1), "+2.0");
    assert_eq!(number::short(0.000_012), "1.2·10⁻⁵");
    assert_eq!(number::short(0.25), "0.250");
}
