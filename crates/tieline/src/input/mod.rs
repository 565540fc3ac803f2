//! Reads a scenario's folder: settings, microgrids, profiles, forecast and prices. Dirty input is refused.
//!
//! Every table is read in two passes. The first takes only the timestamps and finds the step, the second puts each
//! row on the grid of the span that runs. Rows outside the span are checked cell by cell but not kept, so a duplicate
//! out there stays unseen. Nothing is filled, rounded or guessed; what can be used but looks odd is a warning.
//!
//! Accepted without a word: a byte order mark, CRLF, offsets other than Z, rows in any order, columns in any order,
//! further columns. Page checksums (CRC) of Parquet files are verified where a file has them.

mod cells;
mod columns;
mod csv;
mod files;
pub(crate) mod finding;
mod microgrids;
mod parquet;
mod parquet_cells;
mod parquet_column;
mod parquet_pages;
mod plausible;
mod prices;
mod rows;
mod scenario;
mod series;
mod steps;
mod store;

use std::path::{Path, PathBuf};

use tieline_units::{Currency, IntervalLength, MarketInterval, Price, Zone};

pub use finding::{Cause, Finding, InputErrors, Place, Severity};
pub use microgrids::Microgrid;
pub use store::Profiles;

use crate::config::{Config, Overrides};

/// Everything a run needs to know.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Where it was read from.
    pub folder: PathBuf,
    /// Its settings.
    pub config: Config,
    /// The currency of all money.
    pub currency: Currency,
    /// Zone of the local days and the tariff.
    pub zone: Zone,
    /// Length of a market interval.
    pub length: IntervalLength,
    /// In the order of their table, or of appearance in the profiles.
    pub microgrids: Vec<Microgrid>,
    /// The span that runs, ascending, without a gap.
    pub intervals: Vec<MarketInterval>,
    /// What was consumed and generated.
    pub actual: Profiles,
    /// What was expected; the actual profile stands in when there is none.
    pub forecast: Option<Profiles>,
    /// The grid's prices, one per interval.
    pub tariff: Vec<GridPrices>,
    /// What somebody should look at.
    pub warnings: Vec<Finding>,
}

/// What the grid charges and pays in one interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GridPrices {
    /// L+, what a member pays the grid.
    pub import: Price,
    /// L−, what the grid pays a member.
    pub export: Price,
}

/// How far a file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The file.
    pub file: String,
    /// Bytes (of a text) or rows (of Parquet) done.
    pub done: u64,
    /// Of how many, when known.
    pub total: Option<u64>,
}

/// Reads the scenario in `folder`; `settings` names a file in the place of its `scenario.toml`.
///
/// # Errors
/// [`InputErrors`] with the findings of all files that could be read.
pub fn load(
    folder: &Path,
    settings: Option<&Path>,
    overrides: &Overrides,
    progress: &mut dyn FnMut(Progress),
) -> Result<Scenario, InputErrors> {
    let config = load_config(folder, settings, overrides)?;
    scenario::assemble(folder, config, progress)
}

/// Reads only the settings of the scenario in `folder`, for `config show`.
///
/// # Errors
/// [`InputErrors`] when the folder is none or the settings are refused.
pub fn load_config(
    folder: &Path,
    settings: Option<&Path>,
    overrides: &Overrides,
) -> Result<Config, InputErrors> {
    if !folder.is_dir() {
        let shown = folder.display().to_string();
        let problem = if folder.exists() {
            "is not a folder"
        } else {
            "does not exist"
        };
        return Err(Finding::error(&shown, problem)
            .environment()
            .hint("a scenario is a folder with profiles.csv or profiles.parquet and usually scenario.toml")
            .into());
    }
    let own = folder.join("scenario.toml");
    let file = settings.map_or("scenario.toml".to_owned(), |path| {
        path.display().to_string()
    });
    let text = files::read_text(settings.unwrap_or(&own), &file)?;
    if let (Some(_), None) = (settings, &text) {
        return Err(Finding::error(&file, "does not exist").environment().into());
    }
    let name = folder
        .canonicalize()
        .ok()
        .and_then(|full| {
            full.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        })
        .unwrap_or_else(|| "scenario".to_owned());
    Config::read(&file, text.as_deref(), &name, overrides)
}
