//! A year of 20 microgrids, 35,136 intervals: reading, then market and settlement.
//!
//! Reads `data/community-year` of the folder that `TIELINE_SHARED` names (default: `shared` beside the checkout); says
//! so and measures nothing where it is absent.

use std::path::PathBuf;

use divan::Bencher;
use tieline::config::Overrides;
use tieline::input::{self, Scenario};
use tieline::run::Pipeline;
use tieline::run::conclude::Direct;
use tieline::run::tally::Tally;

fn main() {
    if folder().exists() {
        divan::main();
    } else {
        eprintln!("skipped: {} is not here", folder().display());
    }
}

fn folder() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("TIELINE_SHARED")
        .map_or_else(beside, PathBuf::from)
        .join("data/community-year")
}

fn read() -> Scenario {
    input::load(&folder(), None, &Overrides::none(), &mut |_| ()).expect("the year is clean")
}

fn settle(scenario: &Scenario) -> Tally {
    let mut tally = Tally::new(scenario.microgrids.len());
    Pipeline::new(Direct)
        .run(scenario, &mut [&mut tally], &mut |_| ())
        .expect("no broken invariant");
    tally
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn reading(bencher: Bencher<'_, '_>) {
    bencher.bench(read);
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn market_and_settlement(bencher: Bencher<'_, '_>) {
    let scenario = read();
    bencher.bench(|| settle(&scenario));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn reading_market_and_settlement(bencher: Bencher<'_, '_>) {
    bencher.bench(|| settle(&read()));
}
