//! `tieline id show`

use std::io::IsTerminal as _;

use serde::Serialize;
use tieline_seal::identification::Identification;

use super::{Said, decoded};
use crate::cli::IdShow;
use crate::commands::Failure;
use crate::identification::{Symbol, half_blocks, sheet, symbols};
use crate::output::folder::write;
use crate::printer::Printer;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    #[serde(flatten)]
    said: Said,
    parts: Vec<&'a str>,
}

pub(super) fn show(command: &IdShow, printer: Printer) -> Result<(), Failure> {
    let certificate: Identification = decoded(&command.file, "an identification certificate")?;
    let symbols = symbols(&certificate);
    let said = Said::by(&certificate);
    let count = symbols.len();
    if let Some(file) = &command.svg {
        write(file, sheet(&certificate, &symbols).as_bytes())?;
        printer.text(&said.text())?;
        printer.note(&format!("{count} symbols drawn on {}", file.display()));
    } else if command.text {
        let lines: Vec<&str> = symbols
            .iter()
            .flat_map(|symbol| [symbol.text(), "\n"])
            .collect();
        printer.text(&lines.concat())?;
    } else {
        printer.text(&drawn(&symbols, &said, colour()))?;
        printer.note(
            "hint: where a scanner fails, enlarge the window or print the sheet of --svg FILE",
        );
    }
    printer.document(&Document {
        schema: "tieline.id-show/1",
        said,
        parts: symbols.iter().map(Symbol::text).collect(),
    })?;
    Ok(())
}

fn drawn(symbols: &[Symbol], said: &Said, colour: bool) -> String {
    let mut text = said.text();
    for (index, symbol) in symbols.iter().enumerate() {
        let count = symbols.len();
        text.push_str(&format!("\npart {} of {count}\n", index + 1));
        text.push_str(&half_blocks(symbol, colour));
    }
    text
}

/// Whether stdout is a terminal that may be coloured (no-color.org).
fn colour() -> bool {
    let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal() && !forbidden
}
