//! Symbols on a sheet of paper, A4 upright or longer, in millimetres.

use std::fmt::Write as _;

use tieline_seal::identification::Identification;

use super::Symbol;
use crate::plot::escape;

const WIDTH: usize = 210;
const HEIGHT_MIN: usize = 297;
const MARGIN: usize = 10;
const COLUMNS: usize = 3;
/// Side of a symbol with its quiet zone: 0.6 mm per module at version 20.
const SIDE: usize = 62;
/// From one row of symbols to the next, captions included.
const ROW: usize = SIDE + 8;
const LINE: usize = 5;

/// The sheet of a certificate: what it says, and its symbols with their numbers. Black on white whatever the reader's theme.
pub fn sheet(certificate: &Identification, symbols: &[Symbol]) -> String {
    let claim = certificate.claim();
    let title = format!(
        "Identification certificate of {} on {}",
        claim.node, claim.chain
    );
    let count = symbols.len();
    let (facts, facts_end) = facts(certificate);
    let rows = count.div_ceil(COLUMNS);
    let foot = facts_end + rows * ROW + LINE;
    let height = HEIGHT_MIN.max(foot + LINE + MARGIN);
    let mut body = String::new();
    for (index, symbol) in symbols.iter().enumerate() {
        let at = (
            MARGIN + index % COLUMNS * (SIDE + 2),
            facts_end + index / COLUMNS * ROW,
        );
        let caption = format!("part {} of {count}", index + 1);
        place(&mut body, symbol, at, &caption);
    }
    let scan =
        "Scan every symbol, in any order; give the lines to: tieline id scan --key PUBLIC-KEY";
    let unproven =
        "What is printed here proves nothing by itself: the scanned parts do, once they verify.";
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{WIDTH}mm\" height=\"{height}mm\" \
         viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"3.2\" fill=\"#000\">\n\
         <title>{title}</title>\n<desc>{count} QR symbols, numbered, which together hold the certificate.</desc>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"{MARGIN}\" y=\"17\" font-size=\"6\" font-weight=\"bold\">Identification certificate</text>\n{facts}{body}\
         <text x=\"{MARGIN}\" y=\"{foot}\">{scan}</text>\n<text x=\"{MARGIN}\" y=\"{}\">{unproven}</text>\n</svg>\n",
        foot + LINE,
        title = escape(&title),
    )
}

/// What the certificate says, and where the lines end.
fn facts(certificate: &Identification) -> (String, usize) {
    let claim = certificate.claim();
    let mut lines = vec![
        ("node", claim.node.to_string()),
        ("chain", claim.chain.to_string()),
        ("request", claim.request.to_string()),
        ("genesis", claim.genesis.to_string()),
        ("issued", claim.issued.to_string()),
        ("certificate", certificate.id().to_string()),
    ];
    lines.extend(claim.keys.iter().map(|key| ("key", key.0.to_string())));
    let mut text = String::new();
    let mut y = 20;
    for (name, value) in lines {
        y += LINE;
        let _ = writeln!(
            text,
            "<text x=\"{MARGIN}\" y=\"{y}\">{name}</text><text x=\"32\" y=\"{y}\" font-family=\"monospace\">{value}</text>",
        );
    }
    (text, y + LINE)
}

/// A symbol with its caption below; dark modules are runs of one path.
fn place(body: &mut String, symbol: &Symbol, (x, y): (usize, usize), caption: &str) {
    let size = symbol.framed();
    let mut path = String::new();
    for row in 0..size {
        let mut column = 0;
        while column < size {
            let run = (column..size)
                .take_while(|at| symbol.is_dark(*at, row))
                .count();
            if run > 0 {
                let _ = write!(path, "M{column} {row}h{run}v1h-{run}z");
            }
            column += run.max(1);
        }
    }
    let _ = writeln!(
        body,
        "<svg x=\"{x}\" y=\"{y}\" width=\"{SIDE}\" height=\"{SIDE}\" viewBox=\"0 0 {size} {size}\" \
         shape-rendering=\"crispEdges\"><title>{caption}</title><path d=\"{path}\"/></svg>\n\
         <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{caption}</text>",
        x + SIDE / 2,
        y + SIDE + 3,
    );
}
