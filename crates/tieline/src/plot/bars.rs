//! Horizontal stacked bars, one row per name: positive parts to the right, negative ones to the left.

use super::legend::{Entry, Legend, Swatch, diamond};
use super::number::signed;
use super::scale::Scale;
use super::svg::{Anchor, PathData, Rect, Svg, text_width, truncated};
use super::theme::Ink;

/// Bars in rows, with one scale.
#[derive(Clone, Debug, Default)]
pub struct BarRows {
    /// Name, for readers who cannot see it.
    pub title: String,
    /// What it shows, in one or two sentences.
    pub desc: String,
    /// Width, pixels; the height follows from the rows.
    pub width: f64,
    /// Quantity and unit of the scale.
    pub unit: String,
    /// Decimals of values in titles and at the ends of bars.
    pub decimals: usize,
    /// What the parts of every row are.
    pub keys: Vec<BarKey>,
    /// Rows from top to bottom.
    pub rows: Vec<BarRow>,
    /// Text of the diamond and of the ring in the legend; empty when unused.
    pub mark_labels: (String, String),
    /// Writes the sum of the parts beside the bar.
    pub with_sum: bool,
}

/// What a part of the bars is.
#[derive(Clone, Debug)]
pub struct BarKey {
    /// Text of the legend.
    pub label: String,
    /// Colour.
    pub ink: Ink,
    /// Striped instead of plain.
    pub striped: bool,
}

/// One row.
#[derive(Clone, Debug, Default)]
pub struct BarRow {
    /// Name at the left.
    pub label: String,
    /// One value per key.
    pub parts: Vec<f64>,
    /// Marks on the bar.
    pub marks: Vec<BarMark>,
}

/// A mark at a value.
#[derive(Clone, Copy, Debug)]
pub enum BarMark {
    /// A diamond.
    Diamond(f64),
    /// A ring.
    Ring(f64),
}

const ROW: f64 = 34.0;
const BAR: f64 = 18.0;
const LABEL_LETTERS: usize = 13;

impl BarRows {
    /// Draws it.
    pub fn draw(&self) -> Svg {
        let mut svg = Svg::new((self.width, 0.0), &self.title, &self.desc);
        let used = self.legend().draw(&mut svg, (2.0, 0.0), self.width - 4.0);
        let letters = self
            .rows
            .iter()
            .map(|row| row.label.chars().count())
            .max()
            .unwrap_or(0);
        let left = letters.min(LABEL_LETTERS) as f64 * 7.0 + 10.0;
        let top = if used > 0.0 { used + 10.0 } else { 4.0 };
        let side = if self.with_sum { 62.0 } else { 12.0 };
        let height = self.rows.len() as f64 * ROW;
        let area = Rect {
            x: left,
            y: top,
            width: (self.width - left - side).max(40.0),
            height,
        };
        let scale = self.scale(area);
        self.grid(&mut svg, &scale, area);
        for (index, row) in self.rows.iter().enumerate() {
            self.row(
                &mut svg,
                &scale,
                (left, top + (index as f64 + 0.5) * ROW),
                row,
            );
        }
        svg.set_height(area.bottom() + 38.0);
        svg
    }

    fn legend(&self) -> Legend {
        let mut entries = Vec::new();
        if self.keys.len() > 1 {
            let entry = |key: &BarKey| Entry {
                label: key.label.clone(),
                ink: key.ink,
                swatch: Swatch::Box(key.striped),
            };
            entries.extend(self.keys.iter().map(entry));
        }
        for (label, swatch) in [
            (&self.mark_labels.0, Swatch::Diamond),
            (&self.mark_labels.1, Swatch::Ring),
        ] {
            if !label.is_empty() {
                entries.push(Entry {
                    label: label.clone(),
                    ink: Ink::Text,
                    swatch,
                });
            }
        }
        Legend { entries }
    }

    /// From the lowest to the highest end of bars and marks, with zero.
    fn scale(&self, area: Rect) -> Scale {
        let (mut low, mut high) = (0.0f64, 0.0f64);
        for row in &self.rows {
            let finite = || row.parts.iter().copied().filter(|part| part.is_finite());
            low = low.min(finite().filter(|part| *part < 0.0).sum());
            high = high.max(finite().filter(|part| *part > 0.0).sum());
            for mark in &row.marks {
                let (BarMark::Diamond(value) | BarMark::Ring(value)) = mark;
                (low, high) = (low.min(*value), high.max(*value));
            }
        }
        // A diagram without any value still has a scale, to the right of zero.
        let high = if low == 0.0 && high == 0.0 { 1.0 } else { high };
        Scale::linear((low, high), (area.x, area.right())).nice((area.width / 80.0) as usize)
    }

    fn grid(&self, svg: &mut Svg, scale: &Scale, area: Rect) {
        let mut path = PathData::new();
        for tick in scale.ticks((area.width / 80.0) as usize) {
            let x = scale.at(tick.value);
            path.move_to(x, area.y);
            path.up_to(area.bottom());
            let middle = x.min(self.width - text_width(&tick.label) / 2.0);
            let at = (middle, area.bottom() + 15.0);
            svg.text(at, Anchor::Middle, "", &tick.label);
        }
        svg.path(&path, "grid", "");
        svg.text(
            (area.right(), area.bottom() + 32.0),
            Anchor::End,
            "",
            &self.unit,
        );
        svg.line(
            (scale.at(0.0), area.y),
            (scale.at(0.0), area.bottom()),
            "axis",
        );
    }

    fn row(&self, svg: &mut Svg, scale: &Scale, at: (f64, f64), row: &BarRow) {
        let (left, middle) = at;
        svg.text(
            (left - 9.0, middle + 4.0),
            Anchor::End,
            "strong",
            &truncated(&row.label, LABEL_LETTERS),
        );
        let (mut below, mut above) = (0.0, 0.0);
        for (key, &part) in self.keys.iter().zip(&row.parts) {
            if !part.is_finite() || part == 0.0 {
                continue;
            }
            let start = if part < 0.0 { &mut below } else { &mut above };
            let (from, to) = (scale.at(*start), scale.at(*start + part));
            *start += part;
            let rect = Rect::between((from, middle - BAR / 2.0), (to, middle + BAR / 2.0));
            let title = format!(
                "{}, {}: {}",
                row.label,
                key.label,
                signed(part, self.decimals)
            );
            svg.rect(
                rect,
                &format!("ar {}", key.ink.class()),
                if key.striped { "" } else { &title },
            );
            if key.striped {
                svg.rect(rect, "stripe", &title);
            }
        }
        for mark in &row.marks {
            let (value, name) = match *mark {
                BarMark::Diamond(value) => (value, &self.mark_labels.0),
                BarMark::Ring(value) => (value, &self.mark_labels.1),
            };
            let title = format!("{}, {name}: {}", row.label, signed(value, self.decimals));
            let at = (scale.at(value), middle);
            match mark {
                BarMark::Diamond(_) => diamond(svg, at, 6.0, &title),
                BarMark::Ring(_) => svg.circle(at, 4.5, "ring ct", &title),
            }
        }
        if self.with_sum {
            let sum = signed(row.parts.iter().sum(), self.decimals);
            svg.text(
                (scale.at(above) + 7.0, middle + 4.0),
                Anchor::Start,
                "",
                &sum,
            );
        }
    }
}
