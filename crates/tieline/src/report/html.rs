//! Small pieces of HTML.

use std::fmt::Write as _;

pub(super) use crate::plot::escape;

/// Columns from which a table is set in smaller letters.
const DENSE_COLUMNS: usize = 9;

/// Rows from which a folded list is left out in print.
const LONG_ROWS: usize = 150;

/// A table under construction.
pub(super) struct Table {
    caption: String,
    columns: usize,
    head: String,
    body: String,
    foot: String,
}

/// A cell of a table.
pub(super) enum Cell<'a> {
    /// The name of the row.
    Name(&'a str),
    /// Words.
    Text(&'a str),
    /// A number, already as text.
    Number(&'a str),
    /// Ready HTML.
    Html(&'a str),
}

impl Table {
    /// A table with its caption and its columns; a column whose name begins with `#` holds numbers.
    pub(super) fn new(caption: &str, columns: &[&str]) -> Table {
        let mut head = String::new();
        for column in columns {
            let (class, name) = match column.strip_prefix('#') {
                Some(name) => (" class=\"n\"", name),
                None => ("", *column),
            };
            let _ = write!(head, "<th scope=\"col\"{class}>{}</th>", escape(name));
        }
        Table {
            caption: caption.to_owned(),
            columns: columns.len(),
            head,
            body: String::new(),
            foot: String::new(),
        }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: &[Cell<'_>]) {
        push_row(&mut self.body, cells);
    }

    /// Adds a row below the line of sums.
    pub(super) fn total(&mut self, cells: &[Cell<'_>]) {
        push_row(&mut self.foot, cells);
    }

    /// The table in a container that scrolls by itself and can be reached with the keyboard.
    pub(super) fn html(&self) -> String {
        let foot = if self.foot.is_empty() {
            String::new()
        } else {
            format!("<tfoot>{}</tfoot>", self.foot)
        };
        let caption = escape(&self.caption);
        let dense = if self.columns >= DENSE_COLUMNS {
            " class=\"dense\""
        } else {
            ""
        };
        format!(
            "<div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\"><table{dense}><caption>{caption}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody>{foot}</table></div>\n",
            self.head, self.body
        )
    }
}

/// A list that is folded away until asked for; in print only when it is short.
pub(super) fn folded(summary: &str, rows: usize, content: &str) -> String {
    let class = if rows >= LONG_ROWS {
        " class=\"long\""
    } else {
        ""
    };
    format!(
        "<details{class}><summary>{}</summary>\n{content}</details>\n",
        escape(summary)
    )
}

/// A section with its heading and one sentence that says what it shows.
pub(super) fn section(id: &str, heading: &str, lead: &str, content: &str) -> String {
    format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-h\">\n<h2 id=\"{id}-h\">{}</h2>\n<p class=\"lead\">{}</p>\n{content}</section>\n",
        escape(heading),
        escape(lead)
    )
}

/// A drawing with its caption; the caption may be empty.
pub(super) fn figure(class: &str, drawing: &str, caption: &str) -> String {
    let caption = if caption.is_empty() {
        String::new()
    } else {
        format!("<figcaption>{}</figcaption>", escape(caption))
    };
    format!("<figure class=\"{class}\">{drawing}{caption}</figure>\n")
}

/// A drawing in two widths: the page shows the one that fits.
pub(super) fn wide_and_narrow(draw: impl Fn(f64, bool) -> String, wide: f64) -> String {
    format!(
        "<div class=\"wide\">{}</div><div class=\"narrow\">{}</div>",
        draw(wide, false),
        draw(330.0, true)
    )
}

/// A path relative to the page as the value of `href`, unable to name a scheme, a host or a folder above.
pub(super) fn relative_href(path: &str) -> Option<String> {
    let inside = path
        .split('/')
        .all(|part| !part.is_empty() && part != "." && part != "..");
    if path.is_empty() || !inside {
        return None;
    }
    let mut href = String::from("./");
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => {
                href.push(char::from(byte))
            }
            other => {
                let _ = write!(href, "%{other:02X}");
            }
        }
    }
    Some(href)
}

/// `1 round`, `2 rounds`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn push_row(rows: &mut String, cells: &[Cell<'_>]) {
    rows.push_str("<tr>");
    for cell in cells {
        let _ = match cell {
            Cell::Name(text) => write!(rows, "<th scope=\"row\">{}</th>", escape(text)),
            Cell::Text(text) => write!(rows, "<td>{}</td>", escape(text)),
            Cell::Number(text) => write!(rows, "<td class=\"n\">{}</td>", escape(text)),
            Cell::Html(html) => write!(rows, "<td>{html}</td>"),
        };
    }
    rows.push_str("</tr>");
}
