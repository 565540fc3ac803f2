//! Lines of at most [`COLUMNS`] columns: paragraphs and aligned tables.

/// Widest line, characters.
pub(super) const COLUMNS: usize = 100;
/// Where everything below a heading begins.
const INDENT: &str = "   ";
const GAP: &str = "   ";

/// On which side of its column a cell stands.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Left,
    Right,
}

/// Appends words, broken where a line would be too long.
pub(super) fn paragraph(text: &mut String, words: &str) {
    wrapped(text, INDENT, INDENT, words);
}

/// The same without an indent.
pub(super) fn lead(text: &mut String, words: &str) {
    wrapped(text, "", "", words);
}

/// The same behind a mark.
pub(super) fn item(text: &mut String, mark: char, words: &str) {
    let first = format!("{INDENT}{mark} ");
    wrapped(text, &first, &" ".repeat(first.chars().count()), words);
}

/// An empty line and a heading.
pub(super) fn heading(text: &mut String, number: usize, title: &str) {
    text.push('\n');
    wrapped(text, &format!("{number}. "), INDENT, title);
}

fn wrapped(text: &mut String, first: &str, further: &str, words: &str) {
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in words.split_whitespace() {
        let width = line.chars().count() + 1 + word.chars().count();
        if !is_empty && width > COLUMNS {
            push(text, &line);
            line = further.to_owned();
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    push(text, &line);
}

fn push(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

/// Appends a table whose first row is its head.
pub(super) fn table(text: &mut String, sides: &[Side], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..sides.len()).map(width).collect();
    for row in rows {
        let cells = row.iter().zip(sides).zip(&widths);
        let cells: Vec<String> = cells
            .map(|((cell, side), width)| match side {
                Side::Left => format!("{cell:<width$}"),
                Side::Right => format!("{cell:>width$}"),
            })
            .collect();
        push(text, &format!("{INDENT}{}", cells.join(GAP)));
    }
}

/// A count with its thousands grouped.
pub(super) fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `P1 to P4, P7`: names in order, runs of three and more drawn together.
pub(super) fn names(names: &[String]) -> String {
    let number = |name: &String| name.strip_prefix('P')?.parse::<u32>().ok();
    let mut runs: Vec<Vec<&String>> = Vec::new();
    for name in names {
        let follows = |before: &&String| number(before).map(|before| before + 1) == number(name);
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(follows) => run.push(name),
            _ => runs.push(vec![name]),
        }
    }
    let words: Vec<String> = runs
        .iter()
        .map(|run| match run.as_slice() {
            [first, .., last] if run.len() > 2 => format!("{first} to {last}"),
            few => few
                .iter()
                .map(|name| name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        })
        .collect();
    match words.is_empty() {
        true => "nobody".to_owned(),
        false => words.join(", "),
    }
}
