//! The report of a run: one self-contained page.
//!
//! [`render`] turns [`data::ReportData`] into HTML that opens without a network: style and script
//! are inside, a content security policy forbids everything else, every drawing has a table twin
//! or a description, and all of it can be read without the script. The same data give the same
//! bytes, the wall-clock line aside.

pub mod data;
mod flows;
mod footer;
mod head;
mod html;
mod intervals;
mod iterations;
mod ledgers;
mod money;
mod notes;
mod page;
mod prices;
mod profiles;
mod rounds;
mod view;

use data::ReportData;

/// The whole page.
///
/// `wall_clock_line`: how long the run took and when, in words; the last line of the page and the
/// only one that may differ between two runs of the same input.
pub fn render(data: &ReportData, wall_clock_line: Option<&str>) -> String {
    let view = view::View::new(data);
    let rounds = rounds::section(&view);
    let sections = [
        head::header(&view),
        notes::section(&view),
        prices::section(&view),
        rounds.html,
        profiles::section(&view),
        flows::section(&view),
        money::section(&view),
        ledgers::section(&view),
        intervals::section(&view, &rounds.drawn),
    ];
    page::document(&view, &sections, &footer::footer(&view, wall_clock_line))
}
