//! `tieline reproduce`

use std::path::PathBuf;

use tieline_market::award::kilowatts;
use tieline_market::position::Sample;
use tieline_units::Power;

use super::{Failure, shipped};
use crate::cli::{self, Reproduce};
use crate::config::Overrides;
use crate::input::{self, Scenario};
use crate::output::folder::{Kind, Staged, write};
use crate::printer::Printer;
use crate::reproduce::{Fig9Data, Fig9Microgrid, Figure, reproduce};

/// What a reproduction leaves.
const RESULT: Kind = Kind {
    marker: "reproduce.html",
    entries: &["reproduce.html", ".csv", ".svg"],
};

pub(super) fn command(command: &Reproduce, printer: Printer) -> Result<(), Failure> {
    let figures = match command.what {
        None => Figure::ALL.to_vec(),
        Some(cli::Figure::Table1) => vec![Figure::Table1],
        Some(cli::Figure::Fig7) => vec![Figure::Fig7],
        Some(cli::Figure::Fig8) => vec![Figure::Fig8],
        Some(cli::Figure::Fig9) => vec![Figure::Fig9],
        Some(cli::Figure::Protocol) => vec![Figure::Protocol],
        Some(cli::Figure::Signature) => vec![Figure::Signature],
    };
    let out = command.out.clone().unwrap_or_else(|| {
        let what = command.what.map_or("everything".to_owned(), |what| {
            format!("{what:?}").to_lowercase()
        });
        PathBuf::from("out/reproduce").join(what)
    });
    let staged = Staged::new(&out, RESULT)?;
    let fig9 = if figures.contains(&Figure::Fig9) {
        Some(fig9()?)
    } else {
        None
    };
    let document = reproduce(&figures, fig9.as_ref())?;
    for (name, content) in document.files() {
        write(&staged.path().join(name), content.as_bytes())?;
    }
    staged.publish()?;
    printer.text(&document.text())?;
    printer.document(&document)?;
    printer.note(&format!("tables and plots: {}", out.display()));
    Ok(())
}

/// The curves of the shipped scenario that stands in for the paper's: it prints none.
fn fig9() -> Result<Fig9Data, Failure> {
    let folder = shipped::unpack(&shipped::FIG9)?;
    let scenario = input::load(folder.path(), None, &Overrides::none(), &mut |_| ())?;
    let microgrids = [0, 1].map(|index| curves(&scenario, index));
    Ok(Fig9Data {
        interval_minutes: u32::try_from(scenario.length.minutes()).expect("at most an hour"),
        source: "SimBench-derived profiles of scenarios/two-microgrids (ODbL 1.0), actual values"
            .to_owned(),
        microgrids,
    })
}

fn curves(scenario: &Scenario, index: usize) -> Fig9Microgrid {
    let series = |of: fn(&Sample) -> Power| -> Vec<f64> {
        let steps = 0..scenario.intervals.len();
        steps
            .map(|step| kilowatts(of(&scenario.actual.at(step, index))))
            .collect()
    };
    Fig9Microgrid {
        label: scenario.microgrids[index].name.clone(),
        load_kw: series(|sample| sample.load),
        pv_kw: series(|sample| sample.pv),
        wind_kw: series(|sample| sample.wind),
    }
}
