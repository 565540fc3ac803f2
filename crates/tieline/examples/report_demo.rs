//! Writes report pages of made-up runs into a folder, to look at them in a browser:
//! `cargo run -p tieline --example report_demo -- FOLDER`.

#[allow(clippy::unwrap_used)]
#[path = "../tests/it/report/fixture.rs"]
mod fixture;

use std::path::PathBuf;

use tieline::report;
use tieline_units::IntervalLength::Min15;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(
        std::env::args()
            .nth(1)
            .unwrap_or_else(|| "report-demo".to_owned()),
    );
    std::fs::create_dir_all(&folder)?;
    let year = fixture::days_from_new_year(2016, 366);
    let year: Vec<&str> = year.iter().map(String::as_str).collect();
    let runs = [
        ("day", fixture::run("Asia/Shanghai", &["2016-05-25"], Min15)),
        (
            "spring",
            fixture::run("Europe/Berlin", &["2016-03-27"], Min15),
        ),
        (
            "autumn",
            fixture::run("Europe/Berlin", &["2016-10-30"], Min15),
        ),
        (
            "three",
            fixture::run(
                "Europe/Berlin",
                &["2016-10-29", "2016-10-30", "2016-10-31"],
                Min15,
            ),
        ),
        (
            "year",
            fixture::with_members(fixture::run("Europe/Berlin", &year, Min15), 20),
        ),
        (
            "failed",
            fixture::with_failed_rounds(fixture::run("Asia/Shanghai", &["2016-05-25"], Min15)),
        ),
        (
            "empty",
            fixture::without_rounds(fixture::run("Asia/Shanghai", &["2016-05-25"], Min15)),
        ),
    ];
    for (name, data) in runs {
        let page = report::render(&data, Some("Made in 1.2 s."));
        std::fs::write(folder.join(format!("{name}.html")), page)?;
    }
    Ok(())
}
