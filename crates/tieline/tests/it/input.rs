//! Scenarios from folders: what is read, and what every table may look like.

use tieline_units::{Power, Price};

use crate::folder::{Folder, sample, time};

#[test]
fn a_folder_of_tables_without_settings_loads_whole() {
    let scenario = Folder::clean().scenario();
    assert_eq!(scenario.currency.code(), "EUR");
    assert_eq!(scenario.zone.name(), "UTC");
    assert_eq!(scenario.length.minutes(), 15);
    assert_eq!(scenario.intervals.len(), 96);
    assert_eq!(scenario.intervals[95].start, time(95));
    assert_eq!(scenario.microgrids.len(), 3);
    assert_eq!(scenario.tariff[8].import, Price::from_millionths(310_000));
    assert_eq!(scenario.tariff[8].export, Price::from_millionths(50_800));
    let [load, pv, wind] = sample(50, 2).map(|text| Power::from_kilowatts(&text).unwrap());
    let read = scenario.actual.at(50, 2);
    assert_eq!((read.load, read.pv, read.wind), (load, pv, wind));
    assert!(scenario.forecast.is_none());
}

#[test]
fn a_folder_without_profiles_is_refused() {
    let folder = Folder::clean();
    folder.remove("profiles.csv");
    assert!(
        folder
            .refusal()
            .starts_with("profiles: no profiles.csv, profiles.parquet or profiles.csv.gz in ")
    );
}

#[test]
fn the_tariff_steps_aside_for_a_table_of_prices_and_says_so() {
    let folder = Folder::clean();
    folder.put(
        "scenario.toml",
        "[tariff]\nimport = \"0.3\"\nexport = \"0.1\"\n",
    );
    assert_eq!(
        folder.warnings(),
        ["prices.csv: warning: is used, the [tariff] of scenario.toml is not"]
    );
}
