//! A document as plain text of at most [`COLUMNS`] columns.

use super::Document;
use super::claim::Claim;
use super::view::{Block, Cell, Section, Table};

/// Widest line, characters.
pub(super) const COLUMNS: usize = 110;
/// Narrowest text column of a table, characters.
const NARROWEST: usize = 10;
/// Where the words of a claim begin.
const INDENT: usize = 15;
const GAP: &str = "  ";

/// The whole text.
pub(super) fn text(document: &Document, sections: &[Section<'_>]) -> String {
    let mut text = String::new();
    line(&mut text, super::TITLE);
    paragraph(&mut text, super::PAPER, 0);
    text.push('\n');
    paragraph(&mut text, &super::summary(document), 0);
    for section in sections {
        text.push('\n');
        line(&mut text, section.heading);
        line(&mut text, &"=".repeat(section.heading.chars().count()));
        paragraph(&mut text, &section.lead, 0);
        for block in &section.blocks {
            match block {
                Block::Claims(claims) => {
                    claims.iter().for_each(|claim| push_claim(&mut text, claim))
                }
                Block::Table(table) if !table.file_only => push_table(&mut text, table),
                Block::Table(_) | Block::Plots(..) => {}
            }
        }
    }
    text
}

fn line(text: &mut String, words: &str) {
    text.push_str(words.trim_end());
    text.push('\n');
}

fn paragraph(text: &mut String, words: &str, indent: usize) {
    for part in wrapped(words, COLUMNS - indent) {
        line(text, &format!("{}{part}", " ".repeat(indent)));
    }
}

fn push_claim(text: &mut String, claim: &Claim) {
    text.push('\n');
    let head = format!("\"{}\" ({})", claim.quote, claim.place);
    let mut verdict = claim.verdict.word();
    for part in wrapped(&head, COLUMNS - INDENT) {
        line(text, &format!("{verdict:<INDENT$}{part}"));
        verdict = "";
    }
    if let (Some(paper), Some(ours), Some(difference)) = (claim.paper, claim.ours, claim.difference)
    {
        let relative = claim.relative.map_or_else(String::new, |share| {
            format!(", {}", Cell::Percent(share).plain())
        });
        let numbers = format!(
            "paper {} {unit}, ours {} {unit}: {} {unit}{relative}",
            Cell::Number(paper, 4).plain(),
            Cell::Number(ours, 4).plain(),
            Cell::Signed(difference, 4).plain(),
            unit = claim.unit
        );
        paragraph(text, &numbers, INDENT);
    }
    if !claim.found.is_empty() {
        paragraph(text, &claim.found, INDENT);
    }
    paragraph(text, &format!("{}{}", note(claim), claim.reason), INDENT);
}

/// `[fit target] `, or nothing.
fn note(claim: &Claim) -> String {
    match claim.imposed.words() {
        "" => String::new(),
        words => format!("[{words}] "),
    }
}

fn push_table(text: &mut String, table: &Table) {
    text.push('\n');
    paragraph(text, &table.caption, 0);
    let body: Vec<Vec<String>> = table
        .rows
        .iter()
        .map(|row| row.iter().map(Cell::plain).collect())
        .collect();
    let head: Vec<String> = table
        .columns
        .iter()
        .map(|column| column.name.to_owned())
        .collect();
    let widths = widths(table, &head, &body);
    push_row(text, table, &widths, &head);
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    line(text, &rule.join(GAP));
    for row in &body {
        push_row(text, table, &widths, row);
    }
}

/// As wide as needed; heads wrap, then the widest column of words gives way until the line fits.
fn widths(table: &Table, head: &[String], body: &[Vec<String>]) -> Vec<usize> {
    let longest_word = |text: &String| {
        text.split(' ')
            .map(|word| word.chars().count())
            .max()
            .unwrap_or(0)
    };
    let mut widths: Vec<usize> = head.iter().map(longest_word).collect();
    for row in body {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let gaps = GAP.len() * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > COLUMNS {
        let words =
            (0..widths.len()).filter(|&i| !table.columns[i].number && widths[i] > NARROWEST);
        let Some(widest) = words.max_by_key(|&i| widths[i]) else {
            break;
        };
        widths[widest] -= 1;
    }
    widths
}

fn push_row(text: &mut String, table: &Table, widths: &[usize], cells: &[String]) {
    let parts: Vec<Vec<String>> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| wrapped(cell, *width))
        .collect();
    let height = parts.iter().map(Vec::len).max().unwrap_or(0);
    for index in 0..height {
        let mut out = Vec::with_capacity(parts.len());
        for ((part, &width), column) in parts.iter().zip(widths).zip(&table.columns) {
            let piece = part.get(index).map_or("", String::as_str);
            out.push(if column.number {
                format!("{piece:>width$}")
            } else {
                format!("{piece:<width$}")
            });
        }
        line(text, &out.join(GAP));
    }
}

/// Lines of at most `width` characters, broken at spaces; a longer word is cut.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let mut letters: Vec<char> = word.chars().collect();
        if used > 0 && used + 1 + letters.len() > width {
            lines.push(String::new());
            used = 0;
        }
        while letters.len() > width {
            let rest = letters.split_off(width);
            if let Some(last) = lines.last_mut() {
                last.extend(letters);
            }
            lines.push(String::new());
            letters = rest;
        }
        let Some(last) = lines.last_mut() else {
            continue;
        };
        if used > 0 {
            last.push(' ');
            used += 1;
        }
        used += letters.len();
        last.extend(letters);
    }
    lines
}
