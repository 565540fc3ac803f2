//! A scenario in a temporary folder, made up from sine-free, readable numbers.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tieline::config::Overrides;
use tieline::input::{self, InputErrors, Scenario};
use tieline_units::Time;

/// Quarter-hours of the made-up day, a UTC day.
pub(crate) const STEPS: u64 = 96;

/// Microgrids of the made-up community.
pub(crate) const IDS: [&str; 3] = ["mg-1", "mg-2", "mg-3"];

/// A folder with files that a test changes before it loads them.
pub(crate) struct Folder(TempDir);

impl Folder {
    /// Nothing in it.
    pub(crate) fn empty() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    /// Microgrids, profiles and prices of a day, no scenario file.
    pub(crate) fn clean() -> Folder {
        let folder = Folder::empty();
        folder
            .put("microgrids.csv", microgrids())
            .put("profiles.csv", profiles())
            .put("prices.csv", prices());
        folder
    }

    pub(crate) fn put(&self, name: &str, content: impl AsRef<[u8]>) -> &Folder {
        fs::write(self.path().join(name), content).unwrap();
        self
    }

    pub(crate) fn remove(&self, name: &str) -> &Folder {
        fs::remove_file(self.path().join(name)).unwrap();
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn load(&self) -> Result<Scenario, InputErrors> {
        input::load(self.path(), None, &Overrides::none(), &mut |_| {})
    }

    /// The scenario, which must load without a warning.
    pub(crate) fn scenario(&self) -> Scenario {
        let scenario = self.load().unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(scenario.warnings, []);
        scenario
    }

    /// The message of the refusal, which must exit with 1 and name a next step.
    pub(crate) fn refusal(&self) -> String {
        let errors = self.load().expect_err("must be refused");
        assert_eq!(errors.exit_code(), 1);
        let text = errors.to_string();
        assert!(text.contains("\n\nhint: "), "no next step in:\n{text}");
        text
    }

    /// Warnings of a scenario that loads.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let scenario = self.load().unwrap_or_else(|errors| panic!("{errors}"));
        scenario.warnings.iter().map(ToString::to_string).collect()
    }
}

/// Start of step `index`.
pub(crate) fn time(index: u64) -> Time {
    Time::parse("2016-05-25T00:00:00Z")
        .unwrap()
        .plus_millis(index * 900_000)
}

/// Load, PV and wind in kW as they stand in the file.
pub(crate) fn sample(step: u64, microgrid: u64) -> [String; 3] {
    let sun = if (24..72).contains(&step) {
        (step - 24).min(71 - step)
    } else {
        0
    };
    [
        format!(
            "{}.{:03}",
            20 + microgrid * 5 + step % 7,
            step * 10 + microgrid
        ),
        format!("{sun}.{microgrid}"),
        format!("{}", (step * 3 + microgrid * 11) % 40),
    ]
}

pub(crate) fn microgrids() -> String {
    let mut text = "microgrid_id,name,chain_id,site,kind,capacity_kw,pv_kwp,wind_kw,dispatchable_kw,load_peak_kw,\
                    cost_a_per_kwh_per_kw,cost_b_per_kwh\n"
        .to_owned();
    for (index, id) in IDS.iter().enumerate() {
        let number = index + 1;
        text.push_str(&format!(
            "{id},Microgrid {number},chain-{number},site-{number},residential,100,30,50,20,60,0.0010,0.{number}0\n"
        ));
    }
    text
}

pub(crate) fn profiles() -> String {
    let mut text = "timestamp_utc,microgrid_id,load_kw,pv_kw,wind_kw\n".to_owned();
    for step in 0..STEPS {
        for (index, id) in IDS.iter().enumerate() {
            let [load, pv, wind] = sample(step, index as u64);
            text.push_str(&format!("{},{id},{load},{pv},{wind}\n", time(step)));
        }
    }
    text
}

pub(crate) fn prices() -> String {
    let mut text = "timestamp_utc,price_import_eur_per_kwh,price_export_eur_per_kwh\n".to_owned();
    for step in 0..STEPS {
        text.push_str(&format!(
            "{},0.{},0.05{:02}\n",
            time(step),
            30 + step / 8,
            step
        ));
    }
    text
}
