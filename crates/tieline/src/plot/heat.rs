//! Heat maps: cells coloured by value in eight steps, hatched or grey where there is none.

use super::number::fixed;
use super::svg::{Anchor, PathData, Rect, Svg, text_width};
use super::theme::HEAT_LEVELS;

/// A heat map.
#[derive(Clone, Debug, Default)]
pub struct Heat {
    /// Name, for readers who cannot see it.
    pub title: String,
    /// What it shows, in one or two sentences.
    pub desc: String,
    /// Width, pixels; the height follows from the rows.
    pub width: f64,
    /// Height of a row, pixels.
    pub row_height: f64,
    /// Quantity and unit of the colours.
    pub unit: String,
    /// What a cell without a value means.
    pub empty_label: String,
    /// Ticks above the columns.
    pub ticks: Vec<HeatTick>,
    /// Rows from top to bottom.
    pub rows: Vec<HeatRow>,
    /// Draws equal neighbours as one and gives titles to rows instead of cells.
    pub dense: bool,
    /// Columns of a dense map; the edges of its cells fall on whole ones.
    pub grid: f64,
}

/// A text above the columns.
#[derive(Clone, Debug)]
pub struct HeatTick {
    /// Where, `0..=1` from left to right.
    pub at: f64,
    /// What it says.
    pub label: String,
}

/// One row.
#[derive(Clone, Debug, Default)]
pub struct HeatRow {
    /// Name at the left; left out where it would touch the one above.
    pub label: String,
    /// Shown when a dense map is pointed at.
    pub title: String,
    /// A remark in place of cells.
    pub note: String,
    /// Cells in order.
    pub cells: Vec<Cell>,
}

/// One cell.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// Left edge, `0..=1`.
    pub from: f64,
    /// Right edge, `0..=1`.
    pub to: f64,
    /// Value, if there is one.
    pub value: Option<f64>,
    /// Shown when pointed at.
    pub title: String,
    /// Written into the cell; may be empty.
    pub text: String,
}

const TICKS: f64 = 20.0;
const LEGEND: f64 = 46.0;

impl Heat {
    /// Draws it.
    pub fn draw(&self) -> Svg {
        let left = self
            .rows
            .iter()
            .map(|row| text_width(&row.label))
            .fold(0.0, f64::max)
            + 8.0;
        let height = self.rows.len() as f64 * self.row_height;
        let area = Rect {
            x: left,
            y: TICKS,
            width: self.width - left - 2.0,
            height,
        };
        let mut svg = Svg::new(
            (self.width, area.bottom() + LEGEND),
            &self.title,
            &self.desc,
        );
        let ends = self.ends();
        for tick in &self.ticks {
            let anchor = if tick.at >= 1.0 {
                Anchor::End
            } else {
                Anchor::Middle
            };
            svg.text(
                (area.x + tick.at * area.width, area.y - 6.0),
                anchor,
                "",
                &tick.label,
            );
        }
        self.labels(&mut svg, area);
        if self.dense {
            self.dense_cells(&mut svg, area, ends)
        } else {
            self.cells(&mut svg, area, ends)
        }
        self.legend(&mut svg, (1.0, area.bottom() + 14.0), ends);
        svg
    }

    /// Smallest and largest value.
    fn ends(&self) -> Option<(f64, f64)> {
        let values = self
            .rows
            .iter()
            .flat_map(|row| &row.cells)
            .filter_map(|cell| cell.value);
        values
            .filter(|value| value.is_finite())
            .fold(None, |ends, value| match ends {
                None => Some((value, value)),
                Some((low, high)) => Some((value.min(low), value.max(high))),
            })
    }

    fn labels(&self, svg: &mut Svg, area: Rect) {
        let mut free_from = f64::NEG_INFINITY;
        for (index, row) in self.rows.iter().enumerate() {
            let middle = area.y + (index as f64 + 0.5) * self.row_height;
            if !row.label.is_empty() && middle - 6.0 >= free_from {
                svg.text((area.x - 6.0, middle + 4.0), Anchor::End, "", &row.label);
                free_from = middle + 6.0;
            }
            if !row.note.is_empty() {
                svg.text(
                    (area.x + 6.0, middle + 4.0),
                    Anchor::Start,
                    "small",
                    &row.note,
                );
            }
        }
    }

    fn cells(&self, svg: &mut Svg, area: Rect, ends: Option<(f64, f64)>) {
        for (index, row) in self.rows.iter().enumerate() {
            for cell in &row.cells {
                let rect = self.place(area, index, (cell.from, cell.to));
                let rect = Rect {
                    width: rect.width - 1.0,
                    height: rect.height - 1.0,
                    ..rect
                };
                let level = level(cell.value, ends);
                let class = level.map_or_else(|| "hatch".to_owned(), |level| format!("h{level}"));
                svg.rect(rect, &class, &cell.title);
                if let (Some(level), false) = (level, cell.text.is_empty()) {
                    let at = (rect.x + rect.width / 2.0, rect.y + rect.height / 2.0 + 4.0);
                    svg.text(
                        at,
                        Anchor::Middle,
                        &format!("small quiet t{level}"),
                        &cell.text,
                    );
                }
            }
        }
    }

    /// One path per colour; neighbours of the same colour are one stroke, in units of the grid so
    /// that a year of quarter-hours stays small.
    fn dense_cells(&self, svg: &mut Svg, area: Rect, ends: Option<(f64, f64)>) {
        // The last path is for cells without a value: hatching would not be seen in thin rows.
        let mut paths: Vec<PathData> = vec![PathData::new(); HEAT_LEVELS + 1];
        for (index, row) in self.rows.iter().enumerate() {
            for (colour, from, to) in runs(row, ends) {
                paths[colour.unwrap_or(HEAT_LEVELS)].dash(
                    (from * self.grid).round() as i64,
                    index as i64,
                    ((to - from) * self.grid).round() as i64,
                );
            }
        }
        let shift = (area.x, area.y + self.row_height / 2.0);
        svg.open_scaled(shift, (area.width / self.grid.max(1.0), self.row_height));
        for (colour, path) in paths.iter().enumerate() {
            let class = match colour {
                HEAT_LEVELS => "row blank".to_owned(),
                _ => format!("row r{colour}"),
            };
            svg.path(path, &class, "");
        }
        svg.close();
        for (index, row) in self
            .rows
            .iter()
            .enumerate()
            .filter(|(_, row)| !row.title.is_empty())
        {
            svg.rect(self.place(area, index, (0.0, 1.0)), "clear", &row.title);
        }
    }

    fn place(&self, area: Rect, row: usize, span: (f64, f64)) -> Rect {
        Rect {
            x: area.x + span.0 * area.width,
            y: area.y + row as f64 * self.row_height,
            width: (span.1 - span.0) * area.width,
            height: self.row_height,
        }
    }

    fn legend(&self, svg: &mut Svg, at: (f64, f64), ends: Option<(f64, f64)>) {
        let (mut x, y) = at;
        let empty_width = 22.0 + text_width(&self.empty_label);
        if let Some((low, high)) = ends {
            let room = (self.width - x - empty_width - 30.0).clamp(80.0, 240.0);
            let step = room / HEAT_LEVELS as f64;
            for level in 0..HEAT_LEVELS {
                let box_at = Rect {
                    x: x + level as f64 * step,
                    y,
                    width: step,
                    height: 10.0,
                };
                let from = low + (high - low) * level as f64 / HEAT_LEVELS as f64;
                let to = low + (high - low) * (level + 1) as f64 / HEAT_LEVELS as f64;
                svg.rect(
                    box_at,
                    &format!("h{level}"),
                    &format!("{} to {}", fixed(from, 3), fixed(to, 3)),
                );
            }
            svg.text((x, y + 24.0), Anchor::Start, "", &fixed(low, 3));
            svg.text((x + room / 2.0, y + 24.0), Anchor::Middle, "", &self.unit);
            svg.text((x + room, y + 24.0), Anchor::End, "", &fixed(high, 3));
            x += room + 20.0;
        }
        svg.rect(
            Rect {
                x,
                y,
                width: 15.0,
                height: 10.0,
            },
            if self.dense { "void" } else { "hatch" },
            "",
        );
        svg.text((x + 21.0, y + 9.5), Anchor::Start, "", &self.empty_label);
    }
}

/// Neighbouring cells of one colour as `(colour, from, to)`; no colour where there is no value.
fn runs(row: &HeatRow, ends: Option<(f64, f64)>) -> Vec<(Option<usize>, f64, f64)> {
    let mut found: Vec<(Option<usize>, f64, f64)> = Vec::new();
    for cell in &row.cells {
        let colour = level(cell.value, ends);
        match found.last_mut() {
            Some(run) if run.0 == colour && (run.2 - cell.from).abs() < 1e-9 => run.2 = cell.to,
            _ => found.push((colour, cell.from, cell.to)),
        }
    }
    found
}

/// The step of a value between the ends, `0..HEAT_LEVELS`; none for no value.
fn level(value: Option<f64>, ends: Option<(f64, f64)>) -> Option<usize> {
    let (value, (low, high)) = (value.filter(|value| value.is_finite())?, ends?);
    if high <= low {
        return Some(HEAT_LEVELS / 2);
    }
    let share = (value - low) / (high - low) * HEAT_LEVELS as f64;
    Some((share.max(0.0) as usize).min(HEAT_LEVELS - 1))
}
