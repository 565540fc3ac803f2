//! What a run is a function of: an interrupted one goes on only with the same.

use std::time::UNIX_EPOCH;

use tieline_units::{Digest, Encoder};

use crate::input::Scenario;

/// Of settings, tables and the program itself.
pub(super) fn of(scenario: &Scenario) -> Digest {
    let mut encoder = Encoder::new("tieline.run/1");
    // Everything that was read, as it is kept: a field that is added is in it by itself.
    encoder.text(&format!("{:?}", scenario.config));
    encoder.text(&format!("{:?}", scenario.microgrids));
    encoder.text(&format!("{:?}", scenario.tariff));
    encoder.text(&format!("{} {:?}", scenario.currency, scenario.zone));
    for (index, interval) in scenario.intervals.iter().enumerate() {
        encoder.u64(interval.start.as_millis());
        let profiles = [Some(&scenario.actual), scenario.forecast.as_ref()];
        for profile in profiles.into_iter().flatten() {
            for member in 0..scenario.microgrids.len() {
                let sample = profile.at(index, member);
                for power in [sample.load, sample.pv, sample.wind] {
                    encoder.raw(&power.as_milliwatts().to_be_bytes());
                }
            }
        }
    }
    encoder.text(env!("CARGO_PKG_VERSION"));
    encoder.text(&program());
    encoder.digest()
}

/// Length and time of the program's file; empty where neither can be had.
fn program() -> String {
    let file = std::env::current_exe().and_then(std::fs::metadata);
    let Ok(file) = file else {
        return String::new();
    };
    let written = file.modified().ok();
    let since = written.and_then(|it| it.duration_since(UNIX_EPOCH).ok());
    format!("{} {}", file.len(), since.map_or(0, |it| it.as_nanos()))
}
