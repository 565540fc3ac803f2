//! Explores every scenario of the corrected protocol: `cargo run --release -p tieline-sim --example model_check`.
//!
//! `--transitions N`: stops each scenario after N transitions, 120 million unless told: all but the last end before that.
//! `--scenario NAME`: only that one. `--threads N`: 2 unless told.
//! One line per scenario on stdout, progress on stderr. Exit code 1 with the story of a counterexample on stderr.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tieline_sim::model::{Limits, Progress, Scenario, explore_with};
use tieline_sim::narrate::narrate;
use tieline_sim::world::Universe;

fn main() -> ExitCode {
    let (scenarios, limits) = match arguments() {
        Ok(asked) => asked,
        Err(wrong) => {
            eprintln!("{wrong}");
            return ExitCode::from(2);
        }
    };
    println!("scenario              states     transitions  depth  ledgers  seconds  complete");
    let mut total = 0;
    for scenario in scenarios {
        let mut last = Duration::ZERO;
        let progress = |progress: Progress| {
            if progress.elapsed - last > Duration::from_secs(2) {
                last = progress.elapsed;
                eprintln!(
                    "{}: {} worlds, {} transitions, depth {}, {:.0} s",
                    scenario.name(),
                    progress.states,
                    progress.transitions,
                    progress.depth,
                    progress.elapsed.as_secs_f64()
                );
            }
        };
        let universe = Arc::new(Universe::new(&scenario.plan()));
        let found = explore_with(universe.clone(), limits, progress);
        println!(
            "{:20} {:9} {:14} {:6} {:8} {:8.1}  {}",
            scenario.name(),
            found.states,
            found.transitions,
            found.depth,
            found.places,
            found.elapsed.as_secs_f64(),
            if found.complete { "yes" } else { "no" }
        );
        total += found.transitions;
        if let Some(violation) = found.violation {
            eprintln!("{} does not hold:", violation.property);
            for line in narrate(&universe, &violation.events) {
                eprintln!("{line}");
            }
            return ExitCode::FAILURE;
        }
    }
    println!("{total} transitions, no violation");
    ExitCode::SUCCESS
}

fn arguments() -> Result<(Vec<Scenario>, Limits), String> {
    let mut scenarios = Scenario::CORRECTED.to_vec();
    let mut limits = Limits {
        transitions: 120_000_000,
        ..Limits::default()
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(format!("{name} takes a value"))?;
        let number = || value.parse().map_err(|_| format!("{name}: {value}"));
        match name.as_str() {
            "--transitions" => limits.transitions = number()?,
            "--threads" => limits.threads = number()? as usize,
            "--scenario" => {
                let known = Scenario::parse(&value);
                scenarios = vec![known.ok_or(format!("no scenario {value}"))?];
            }
            _ => return Err(format!("unknown: {name}")),
        }
    }
    Ok((scenarios, limits))
}
