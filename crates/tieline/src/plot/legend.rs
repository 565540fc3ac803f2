//! Legends that wrap to the width they are given.

use super::svg::{Anchor, PathData, Rect, Svg, text_width};
use super::theme::{Dash, Ink};

/// The sign beside a legend's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swatch {
    /// A line.
    Line(Dash),
    /// A filled box; striped when true.
    Box(bool),
    /// A lightly filled box.
    Band,
    /// A filled dot.
    Dot,
    /// A ring.
    Ring,
    /// A diamond.
    Diamond,
}

/// One entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What it says.
    pub label: String,
    /// Its colour.
    pub ink: Ink,
    /// Its sign.
    pub swatch: Swatch,
}

/// Entries in rows.
#[derive(Clone, Debug, Default)]
pub struct Legend {
    /// In the order of reading.
    pub entries: Vec<Entry>,
}

/// Height of one row of entries.
const ROW: f64 = 19.0;

impl Legend {
    /// Draws from the top left corner `at` within `width` and returns the height used.
    pub fn draw(&self, svg: &mut Svg, at: (f64, f64), width: f64) -> f64 {
        let (mut x, mut y) = (at.0, at.1);
        for entry in &self.entries {
            let needs = 26.0 + text_width(&entry.label) + 14.0;
            if x > at.0 && x + needs - 14.0 > at.0 + width {
                x = at.0;
                y += ROW;
            }
            draw_swatch(svg, entry, (x, y + 8.0));
            svg.text((x + 26.0, y + 12.0), Anchor::Start, "", &entry.label);
            x += needs;
        }
        if self.entries.is_empty() {
            0.0
        } else {
            y + ROW - at.1
        }
    }
}

/// Draws a diamond around a point.
pub(crate) fn diamond(svg: &mut Svg, at: (f64, f64), radius: f64, title: &str) {
    let mut path = PathData::new();
    path.move_to(at.0 - radius, at.1);
    path.line_to(at.0, at.1 - radius);
    path.line_to(at.0 + radius, at.1);
    path.line_to(at.0, at.1 + radius);
    path.close();
    svg.path(&path, "mark", title);
}

fn draw_swatch(svg: &mut Svg, entry: &Entry, middle: (f64, f64)) {
    let (x, y) = middle;
    let colour = entry.ink.class();
    let area = Rect {
        x: x + 4.0,
        y: y - 5.5,
        width: 15.0,
        height: 11.0,
    };
    match entry.swatch {
        Swatch::Line(dash) => svg.line(
            (x, y),
            (x + 20.0, y),
            &format!("ln {colour}{}", dash.class()),
        ),
        Swatch::Box(striped) => {
            svg.rect(area, &format!("ar {colour}"), "");
            if striped {
                svg.rect(area, "stripe", "");
            }
        }
        Swatch::Band => svg.rect(area, &format!("soft {colour}"), ""),
        Swatch::Dot => svg.circle((x + 11.0, y), 4.0, &format!("ar {colour}"), ""),
        Swatch::Ring => svg.circle((x + 11.0, y), 4.0, &format!("ring {colour}"), ""),
        Swatch::Diamond => diamond(svg, (x + 11.0, y), 5.5, ""),
    }
}
