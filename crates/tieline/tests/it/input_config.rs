//! Settings: every key, its default and origin, and what is refused.

use tieline::config::{Config, Mode, Origin, Overrides, Protection, Response, Span};
use tieline::input::InputErrors;
use tieline_units::{LocalDay, Price, Time};

use crate::folder::Folder;

fn read(text: &str) -> Result<Config, InputErrors> {
    Config::read("scenario.toml", Some(text), "folder", &Overrides::none())
}

fn check(text: &str, needles: &[&str]) {
    let errors = read(text).expect_err(text);
    assert_eq!(errors.exit_code(), 1, "{text}");
    let message = errors.to_string();
    for needle in needles {
        assert!(message.contains(needle), "no '{needle}' in\n{message}");
    }
}

const SHIPPED: &str = r#"
name = "four-microgrids-day"
currency = "CNY"
time_zone = "Europe/Berlin"
interval = "15min"
day = "2016-05-25"
mode = "day-ahead"
seed = 1
[tables]
microgrids = "microgrids.csv"
profiles = "profiles.csv"
forecast = "forecast.csv"
[tariff]
export = "0.2500"
import = [
  { from = "00:00", to = "06:00", price = "0.3200" },
  { from = "06:00", to = "24:00", price = 0.65 },
]
[market]
response = "fit"
levels = 3
margin = "1.05"
rho0 = "0.35"
[keys]
protection = "hybrid"
[[keys.link]]
sites = ["site-1", "site-2"]
fibre_km = 12.5
"#;

#[test]
fn the_shape_of_the_shipped_file_is_understood() {
    let config = read(SHIPPED).unwrap();
    assert_eq!(config.name, "four-microgrids-day");
    assert_eq!(config.mode, Mode::DayAhead);
    assert_eq!(config.market.response, Response::Fit);
    assert_eq!(config.market.margin_ppm, 1_050_000);
    assert_eq!(config.market.rho0, Some(Price::from_millionths(350_000)));
    assert_eq!(config.keys.protection, Protection::Hybrid);
    assert_eq!(config.keys.links[0].fibre_m, 12_500);
    assert_eq!(config.gates.day_ahead_minutes, 720);
    assert_eq!(config.gates.accept_within_ms, 1_800_000);
    let day = LocalDay::parse("2016-05-25").unwrap();
    assert_eq!(
        config.span,
        Span::Days {
            from: Some(day),
            to: Some(day)
        }
    );
    let tariff = config.tariff.as_ref().unwrap();
    // 03:59:59Z is 05:59:59 in Berlin, a second before the dearer band.
    let (import, export) = tariff.at(&config.zone, Time::parse("2016-05-25T03:59:59Z").unwrap());
    assert_eq!(
        (import.to_string(), export.to_string()),
        ("0.3200".into(), "0.2500".into())
    );
    let (import, _) = tariff.at(&config.zone, Time::parse("2016-05-25T04:00:00Z").unwrap());
    assert_eq!(import, Price::from_millionths(650_000));
}

#[test]
fn without_a_file_everything_has_its_default() {
    let config = Config::read("scenario.toml", None, "folder", &Overrides::none()).unwrap();
    assert_eq!(config.name, "folder");
    assert_eq!(config.zone.name(), "UTC");
    assert_eq!(config.span, Span::Whole);
    assert_eq!(config.contract.bond_share_ppm, 100_000);
    assert!(
        config
            .settings()
            .iter()
            .all(|setting| setting.origin == Origin::Default)
    );
}

#[test]
fn flag_wins_over_variable_over_file_over_default() {
    let variables = [
        ("TIELINE_MARKET_RESPONSE", "cournot"),
        ("TIELINE_MARKET_LEVELS", "5"),
        ("TIELINE_OTHER", "x"),
    ];
    let (mut overrides, unknown) =
        Overrides::from_env(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(unknown, ["TIELINE_OTHER"]);
    overrides.flag("market.response", "competitive");
    let config = Config::read("scenario.toml", Some(SHIPPED), "folder", &overrides).unwrap();
    assert_eq!(config.market.response, Response::Competitive);
    assert_eq!(config.market.levels, 5);
    let shown = |key: &str| {
        let setting = config
            .settings()
            .iter()
            .find(|setting| setting.key == key)
            .unwrap();
        format!("{} from {}", setting.value, setting.origin)
    };
    assert_eq!(shown("market.response"), "competitive from flag");
    assert_eq!(shown("market.levels"), "5 from TIELINE_MARKET_LEVELS");
    assert_eq!(shown("market.margin"), "1.05 from scenario.toml:22");
    assert_eq!(shown("market.order"), "gauss-seidel from default");
    assert_eq!(
        shown("tables.prices"),
        "(prices.csv, .parquet or .csv.gz) from default"
    );
}

#[test]
fn a_bad_flag_or_variable_is_the_environment_s_fault() {
    for (key, value, needle) in [
        (
            "market.levels",
            "many",
            "--set market.levels: column market.levels: 'many' does not fit, expected a whole number from 2 to 32",
        ),
        (
            "market.level",
            "3",
            "'market.level' no such setting\n\nhint: did you mean 'market.levels'?",
        ),
        ("keys.link", "x", "only the scenario file can hold a list"),
    ] {
        let mut overrides = Overrides::none();
        overrides.flag(key, value);
        let errors = Config::read("scenario.toml", None, "folder", &overrides).unwrap_err();
        assert_eq!(errors.exit_code(), 2);
        assert!(errors.to_string().contains(needle), "{errors}");
    }
}

/// Text of a file and what the message holds.
const REFUSED: &[(&str, &[&str])] = &[
    (
        "\nnmae = \"x\"",
        &[
            "scenario.toml:2: unknown key 'nmae'",
            "hint: did you mean 'name'?",
        ],
    ),
    (
        "[market]\nlevel = 3",
        &[
            "scenario.toml:2: unknown key 'market.level'",
            "did you mean 'market.levels'?",
        ],
    ),
    (
        "margin = \"1.05\"",
        &[
            "scenario.toml:1: unknown key 'margin'",
            "did you mean 'market.margin'?",
        ],
    ),
    (
        "[tarif]\nexport = \"1\"",
        &["scenario.toml:1: unknown key 'tarif'"],
    ),
    (
        "[market]\nlevels = \"3\"",
        &[
            "scenario.toml:2: column market.levels: is a string, expected a whole number without quotes",
        ],
    ),
    (
        "[market]\nlevels = 0",
        &["column market.levels: '0' does not fit, expected a whole number from 2 to 32"],
    ),
    (
        "[market]\nsafe_levels = \"yes\"",
        &["is a string, expected true or false without quotes"],
    ),
    (
        "[market]\nresponse = \"lq\"",
        &["'lq' does not fit, expected \"lp\", \"fit\", \"cournot\" or \"competitive\""],
    ),
    (
        "[market]\nmargin = 1.0500001",
        &[
            "'1.0500001' does not fit, expected a decimal number from 0.000001 to 10 with at most 6 decimals",
        ],
    ),
    (
        "[gates]\ndelta_t = \"30\"",
        &["'30' does not fit, expected a span of time such as \"30s\""],
    ),
    (
        "[gates]\nday_ahead = \"25:00\"",
        &["'25:00' does not fit, expected a time of day"],
    ),
    (
        "[chains]\nvpp_validators = 5",
        &["'5' does not fit, expected \"4\", \"7\", \"10\", \"13\" or \"16\""],
    ),
    (
        "day = 2016-05-25",
        &["scenario.toml:1: column day: is a datetime, expected a string in quotes"],
    ),
    (
        "day = \"2016-02-30\"",
        &["'2016-02-30' does not fit, expected a local date"],
    ),
    (
        "day = \"2016-05-25\"\nto = \"2016-05-26\"",
        &["column day: excludes 'from' and 'to'"],
    ),
    (
        "from = \"2016-05-25\"\nto = \"2016-05-24\"",
        &["scenario.toml:2: column to: lies before 'from'"],
    ),
    (
        "time_zone = \"Mars\"",
        &["'Mars' does not fit, expected a name of the tz database"],
    ),
    (
        "currency = \"EURO\"",
        &["'EURO' does not fit, expected a three-letter currency code"],
    ),
    (
        "interval = \"20min\"",
        &["'20min' does not fit, expected \"5min\""],
    ),
    ("name = \"a\nb", &[": not valid TOML: "]),
    ("market = 3", &["is a integer, expected a section [market]"]),
    (
        "[[aggregator]]\nname = \"AG1\"\n[[aggregator]]\nname = \"AG2\"",
        &[
            "several aggregators are not supported: one aggregator per scenario",
            "hint: keep one [aggregator] table",
        ],
    ),
];

#[test]
fn keys_and_values_that_do_not_fit_are_refused_with_their_line() {
    for (text, needles) in REFUSED {
        check(text, needles);
    }
}

#[test]
fn all_findings_of_the_file_are_told_at_once() {
    let errors = read("nmae = \"x\"\nseed = \"1\"\n[market]\nlevels = 99").unwrap_err();
    assert_eq!(errors.findings().len(), 3, "{errors}");
}

#[test]
fn bands_of_a_tariff_cover_the_day_once() {
    let tariff = |bands: &str| format!("[tariff]\nexport = \"0.1\"\nimport = [{bands}]");
    let band =
        |from: &str, to: &str| format!("{{ from = \"{from}\", to = \"{to}\", price = \"0.3\" }},");
    check(
        &tariff(&(band("00:00", "06:00") + &band("07:00", "24:00"))),
        &["06:00 to 07:00 is covered by no band"],
    );
    check(
        &tariff(&(band("00:00", "06:00") + &band("05:00", "24:00"))),
        &["05:00 to 06:00 is covered by two bands"],
    );
    check(
        &tariff(&band("00:00", "23:00")),
        &["23:00 to 24:00 is covered by no band"],
    );
    check(
        &tariff(&band("22:00", "06:00")),
        &["band 22:00 to 06:00 ends before it begins"],
    );
    check(&tariff(&band("00:00", "25:00")), &["'25:00' ends no band"]);
    check(
        &tariff("{ from = \"00:00\", to = \"24:00\", prize = \"1\" }"),
        &["unknown key 'prize' in a band, did you mean price?"],
    );
    check(
        &tariff("{ from = \"00:00\", to = \"24:00\" }"),
        &["a band has no 'price'"],
    );
    check(
        &tariff("{ from = \"00:00\", to = \"24:00\", price = \"NaN\" }"),
        &["'NaN' is not a price"],
    );
    check(
        "[tariff]\nexport = \"0.1\"",
        &["[tariff] has no import price"],
    );
    assert!(read(&tariff(&(band("06:00", "24:00") + &band("00:00", "06:00")))).is_ok());
}

#[test]
fn fibres_end_at_two_sites_that_exist() {
    let link = |rest: &str| format!("[[keys.link]]\n{rest}\n");
    check(
        &link("sites = [\"a\"]\nfibre_km = 1"),
        &["'sites' does not hold two site ids"],
    );
    check(
        &link("sites = [\"a\", \"a\"]\nfibre_km = 1"),
        &["both ends are at a"],
    );
    check(
        &link("sites = [\"a\", \"b\"]\nfibre_km = -1"),
        &["'fibre_km' is not a length"],
    );
    check(
        &link("sites = [\"a\", \"b\"]\nfiber_km = 1"),
        &["unknown key 'fiber_km'"],
    );
    let twice = link("sites = [\"a\", \"b\"]\nfibre_km = 1")
        + &link("sites = [\"b\", \"a\"]\nfibre_km = 2");
    check(&twice, &["link a to b is given twice (first at line 1)"]);
    let folder = Folder::clean();
    folder.put(
        "scenario.toml",
        link("sites = [\"site-1\", \"site-9\"]\nfibre_km = 1"),
    );
    let warning = "scenario.toml:1: warning: column keys.link: 'site-9' is the site of no microgrid, expected one of site-1, site-2, site-3, vpp";
    let warnings = folder.warnings();
    assert!(warnings[0].contains(warning), "{warnings:?}");
}

#[test]
fn line_limits_are_between_two_microgrids_that_exist() {
    let limit = |rest: &str| format!("[[aggregator.limit]]\n{rest}\n");
    let whole = "seller = \"mg-1\"\nbuyer = \"mg-2\"\nkw = \"40.5\"";
    for (rest, problem) in [
        ("seller = \"mg-1\"\nkw = \"1\"", "'buyer' is missing"),
        (
            "seller = \"mg-1\"\nbuyer = \"mg-1\"\nkw = \"1\"",
            "mg-1 is on both ends",
        ),
        (
            "seller = \"mg-1\"\nbuyer = \"mg-2\"\nkw = \"-1\"",
            "'kw' is -1, below zero",
        ),
        (
            "seller = \"mg-1\"\nbuyer = \"=x\"\nkw = \"1\"",
            "'=x' is not a valid id",
        ),
    ] {
        check(&limit(rest), &[problem]);
    }
    check(
        &(limit(whole) + &limit(whole)),
        &["limit from mg-1 to mg-2 is given twice (first at line 1)"],
    );
    let folder = Folder::clean();
    folder.put("scenario.toml", limit(whole));
    assert_eq!(
        folder.scenario().config.aggregator.limits[0]
            .power
            .to_kilowatts(),
        "40.5"
    );
    folder.put("scenario.toml", limit(&whole.replace("mg-2", "mg-22")));
    let refusal = folder.refusal();
    assert!(
        refusal.contains("column aggregator.limit: 'mg-22' is no microgrid of this scenario"),
        "{refusal}"
    );
    assert!(refusal.contains("did you mean 'mg-2'?"), "{refusal}");
}

#[test]
fn money_without_prices_is_refused() {
    let folder = Folder::clean();
    folder.remove("prices.csv");
    let message = folder.refusal();
    assert!(
        message.starts_with("scenario.toml: there are neither prices nor a tariff\n"),
        "{message}"
    );
    assert!(message.contains("hint: add prices.csv"), "{message}");
    folder.put(
        "scenario.toml",
        "[tariff]\nimport = \"0.1\"\nexport = \"0.2\"\n",
    );
    assert!(
        folder
            .refusal()
            .contains("scenario.toml:2: the import price 0.1000 is below the export price 0.2000")
    );
    folder.put(
        "scenario.toml",
        "[tariff]\nimport = \"300\"\nexport = \"0.2\"\n",
    );
    assert!(folder.refusal().contains(
        "scenario.toml:2: column tariff.import: '300.0000' is beyond the limit of 20.0000"
    ));
}

#[test]
fn tables_are_named_or_found() {
    let folder = Folder::clean();
    folder.put("scenario.toml", "[tables]\nforecast = \"tomorrow.csv\"\n");
    assert!(
        folder
            .refusal()
            .contains("[tables] forecast names 'tomorrow.csv', which is not a file in ")
    );
    folder.put("scenario.toml", "[tables]\nforecast = \"tomorrow.xlsx\"\n");
    assert!(
        folder.refusal().contains(
            "has no known ending, expected a name that ends in .csv, .csv.gz or .parquet"
        )
    );
    folder.remove("scenario.toml").put("profiles.parquet", "");
    assert_eq!(
        folder.warnings(),
        ["profiles.csv: warning: is read; profiles.parquet beside it is not"]
    );
}

#[test]
fn local_days_have_their_own_number_of_intervals() {
    for (day, from, count) in [
        ("2016-03-27", "2016-03-26T23:00:00Z", 92),
        ("2016-05-25", "2016-05-24T22:00:00Z", 96),
        ("2016-10-30", "2016-10-29T22:00:00Z", 100),
    ] {
        let start = Time::parse(from).unwrap();
        let mut profiles = "timestamp_utc,microgrid_id,load_kw,pv_kw,wind_kw\n".to_owned();
        for step in 0..count + 20 {
            let time = start.plus_millis(step * 900_000).minus_millis(10 * 900_000);
            profiles.push_str(&format!("{time},mg-1,1,0,0\n"));
        }
        let folder = Folder::empty();
        folder.put("profiles.csv", profiles).put(
            "scenario.toml",
            format!("time_zone = \"Europe/Berlin\"\nday = \"{day}\"\ncurrency = \"EUR\"\n[tariff]\nimport = \"0.3\"\nexport = \"0.1\"\n"),
        );
        let scenario = folder.load().unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(scenario.intervals.len() as u64, count);
        assert_eq!(scenario.intervals[0].start, start);
    }
}

#[test]
fn a_day_without_rows_is_told_as_such() {
    let folder = Folder::clean();
    folder.put("scenario.toml", "day = \"2017-05-25\"\n");
    let message = folder.refusal();
    assert!(
        message.contains(
            "profiles.csv: no rows between 2017-05-25T00:00:00Z and 2017-05-26T00:00:00Z"
        ),
        "{message}"
    );
}

#[test]
fn settings_and_tables_in_two_currencies_are_refused() {
    let folder = Folder::clean();
    folder.put("scenario.toml", "currency = \"CNY\"\n");
    let message = folder.refusal();
    assert!(
        message
            .contains("the scenario is in CNY, the table of prices in EUR: currencies never mix"),
        "{message}"
    );
}

#[test]
fn one_price_for_all_sellers_does_not_go_with_limited_lines() {
    check(
        "[market]\nsettlement_price = \"uniform\"\n\
         [[aggregator.limit]]\nseller = \"a\"\nbuyer = \"b\"\nkw = \"1\"\n",
        &["column aggregator.limit: cannot go with market.settlement_price"],
    );
}
