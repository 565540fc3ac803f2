//! `tieline config show`

use std::path::Path;

use serde::Serialize;

use super::{Failure, overrides, shipped};
use crate::cli::Global;
use crate::config::Origin;
use crate::input;
use crate::printer::Printer;

#[derive(Serialize)]
struct Shown {
    schema: &'static str,
    settings: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    key: String,
    value: String,
    origin: String,
}

pub(super) fn show(
    global: &Global,
    scenario: Option<&Path>,
    printer: Printer,
) -> Result<(), Failure> {
    let folder = shipped::scenario(scenario)?;
    let config = input::load_config(
        folder.path(),
        global.config.as_deref(),
        &overrides(global, printer)?,
    )?;
    let settings: Vec<Line> = config
        .settings()
        .iter()
        .map(|setting| Line {
            key: setting.key.clone(),
            value: setting.value.clone(),
            origin: match (&setting.origin, &global.config) {
                (Origin::File { line }, Some(file)) => format!("{}:{line}", file.display()),
                (origin, _) => origin.to_string(),
            },
        })
        .collect();
    let width = |text: fn(&Line) -> usize| settings.iter().map(text).max().unwrap_or(0);
    let (keys, values) = (width(|line| line.key.len()), width(|line| line.value.len()));
    let text: String = settings
        .iter()
        .map(|line| {
            format!(
                "{:keys$}  {:values$}  {}\n",
                line.key, line.value, line.origin
            )
        })
        .collect();
    printer.text(&text)?;
    printer.document(&Shown {
        schema: "tieline.config/1",
        settings,
    })?;
    Ok(())
}
