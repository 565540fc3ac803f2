//! Charts over two axes.

use super::legend::{Entry, Legend, Swatch};
use super::number::short;
use super::scale::{Scale, Tick};
use super::svg::{Anchor, PathData, Rect, Svg, text_width};
use super::theme::{Dash, Ink};

/// A chart: what the axes span, what is drawn in between.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// Name, for readers who cannot see it.
    pub title: String,
    /// What it shows, in one or two sentences.
    pub desc: String,
    /// Width and height, pixels.
    pub size: (f64, f64),
    /// The level axis.
    pub x: Axis,
    /// The upright axis.
    pub y: Axis,
    /// Drawn in order, later ones on top.
    pub series: Vec<Series>,
    /// With a legend above.
    pub legend: bool,
    /// Pixels left free at the right, for names beside the lines.
    pub room_right: f64,
}

/// An axis.
#[derive(Clone, Debug, Default)]
pub struct Axis {
    /// Quantity and unit: `CNY per kWh`.
    pub label: String,
    /// Ends; taken from the data when not given. The data's ends are widened to round numbers.
    pub range: Option<(f64, f64)>,
    /// Where to put ticks; at round numbers when not given.
    pub ticks: Option<Vec<Tick>>,
    /// With zero, even if the data stay away from it.
    pub from_zero: bool,
}

/// Something drawn.
#[derive(Clone, Debug)]
pub struct Series {
    /// Text of the legend; no entry when empty.
    pub label: String,
    /// Colour.
    pub ink: Ink,
    /// Dashes of a line.
    pub dash: Dash,
    /// Shape and numbers. A number that is not finite is a gap.
    pub kind: Kind,
}

/// The shape of a series.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Straight lines from point to point.
    Line(Vec<(f64, f64)>),
    /// Level from each point to the next; the last one up to the given end.
    Steps(Vec<(f64, f64)>, f64),
    /// Filled between a lower and an upper value `(x, low, high)`, level up to the next point, the last one up to the given end.
    Stack(Vec<(f64, f64, f64)>, f64),
    /// Lightly filled between a lower and an upper value `(x, low, high)`.
    Band(Vec<(f64, f64, f64)>),
    /// Dots.
    Points(Vec<(f64, f64)>),
    /// Upright bars `(from, to, value)`, from zero up or down.
    Bars(Vec<(f64, f64, f64)>),
}

/// The part of a chart inside the axes, with the maps from values to pixels.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// Level map.
    pub x: Scale,
    /// Upright map.
    pub y: Scale,
    /// Pixels inside the axes.
    pub area: Rect,
}

impl Chart {
    /// Draws it.
    pub fn draw(&self) -> Svg {
        let (mut svg, frame) = self.axes();
        for series in &self.series {
            frame.series(&mut svg, series);
        }
        svg
    }

    /// Draws legend, grid, axes and ticks only, for those who add shapes of their own.
    pub fn axes(&self) -> (Svg, Frame) {
        let mut svg = Svg::new(self.size, &self.title, &self.desc);
        let mut top = 4.0;
        if self.legend {
            top += self
                .legend_of()
                .draw(&mut svg, (2.0, 0.0), self.size.0 - 4.0)
                + 4.0;
        }
        if !self.y.label.is_empty() {
            svg.text((0.0, top + 9.0), Anchor::Start, "", &self.y.label);
            top += 18.0;
        }
        let bottom = if self.x.label.is_empty() { 24.0 } else { 40.0 };
        let area = Rect {
            x: 0.0,
            y: top + 4.0,
            width: self.size.0,
            height: self.size.1 - bottom - top - 4.0,
        };
        let y = self.y.scale(
            self.extent(false),
            (area.bottom(), area.y),
            (area.height / 32.0) as usize,
        );
        let y_ticks = self.y.ticks_on(&y, (area.height / 32.0) as usize);
        let widest = y_ticks
            .iter()
            .map(|tick| text_width(&tick.label))
            .fold(0.0, f64::max);
        let left = widest + 9.0;
        let area = Rect {
            x: left,
            width: (self.size.0 - left - 10.0 - self.room_right).max(20.0),
            ..area
        };
        let count = (area.width / 62.0) as usize;
        let x = self
            .x
            .scale(self.extent(true), (area.x, area.right()), count);
        let frame = Frame { x, y, area };
        frame.grid(&mut svg, &y_ticks);
        frame.x_ticks(&mut svg, &self.x.ticks_on(&x, count));
        if !self.x.label.is_empty() {
            svg.text(
                (area.right(), self.size.1 - 4.0),
                Anchor::End,
                "",
                &self.x.label,
            );
        }
        (svg, frame)
    }

    fn legend_of(&self) -> Legend {
        let named = self.series.iter().filter(|series| !series.label.is_empty());
        let entry = |series: &Series| Entry {
            label: series.label.clone(),
            ink: series.ink,
            swatch: series.swatch(),
        };
        Legend {
            entries: named.map(entry).collect(),
        }
    }

    /// Smallest and largest finite value on an axis.
    fn extent(&self, level: bool) -> (f64, f64) {
        let axis = if level { &self.x } else { &self.y };
        let mut ends = if axis.from_zero {
            (0.0, 0.0)
        } else {
            (f64::INFINITY, f64::NEG_INFINITY)
        };
        let mut take = |value: f64| {
            if value.is_finite() {
                ends = (ends.0.min(value), ends.1.max(value));
            }
        };
        for series in &self.series {
            series.kind.values(level, &mut take);
        }
        ends
    }
}

impl Axis {
    /// An axis with a label that takes its ends from the data.
    pub fn named(label: &str) -> Axis {
        Axis {
            label: label.to_owned(),
            ..Axis::default()
        }
    }

    fn scale(&self, extent: (f64, f64), onto: (f64, f64), count: usize) -> Scale {
        match self.range {
            Some(range) => Scale::linear(range, onto),
            None => Scale::linear(extent, onto).nice(count.max(2)),
        }
    }

    fn ticks_on(&self, scale: &Scale, count: usize) -> Vec<Tick> {
        self.ticks
            .clone()
            .unwrap_or_else(|| scale.ticks(count.max(2)))
    }
}

impl Series {
    /// A series with solid lines.
    pub fn new(label: &str, ink: Ink, kind: Kind) -> Series {
        Series {
            label: label.to_owned(),
            ink,
            dash: Dash::Solid,
            kind,
        }
    }

    /// The same with dashes.
    pub fn dashed(mut self, dash: Dash) -> Series {
        self.dash = dash;
        self
    }

    fn swatch(&self) -> Swatch {
        match self.kind {
            Kind::Line(_) | Kind::Steps(..) => Swatch::Line(self.dash),
            Kind::Stack(..) | Kind::Bars(_) => Swatch::Box(self.dash != Dash::Solid),
            Kind::Band(_) => Swatch::Band,
            Kind::Points(_) => Swatch::Dot,
        }
    }
}

impl Kind {
    fn values(&self, level: bool, take: &mut impl FnMut(f64)) {
        match self {
            Kind::Line(points) | Kind::Points(points) | Kind::Steps(points, _) => points
                .iter()
                .for_each(|&(x, y)| take(if level { x } else { y })),
            Kind::Stack(points, _) | Kind::Band(points) => {
                points.iter().for_each(|&(x, low, high)| match level {
                    true => take(x),
                    false => [low, high].into_iter().for_each(&mut *take),
                })
            }
            Kind::Bars(bars) => bars.iter().for_each(|&(from, to, value)| match level {
                true => [from, to].into_iter().for_each(&mut *take),
                false => [0.0, value].into_iter().for_each(&mut *take),
            }),
        }
        if let (true, Kind::Steps(_, end) | Kind::Stack(_, end)) = (level, self) {
            take(*end);
        }
    }
}

impl Frame {
    /// The pixel of a point.
    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.x.at(x), self.y.at(y))
    }

    /// The pixels between two corners given as values.
    pub fn rect(&self, a: (f64, f64), b: (f64, f64)) -> Rect {
        Rect::between(self.at(a.0, a.1), self.at(b.0, b.1))
    }

    /// Draws one series.
    pub fn series(&self, svg: &mut Svg, series: &Series) {
        let colour = series.ink.class();
        let line = format!("ln {colour}{}", series.dash.class());
        match &series.kind {
            Kind::Line(points) => {
                svg.path(&self.line(points), &line, "");
                for at in self.lonely(points) {
                    svg.circle(at, 2.5, &format!("ar {colour}"), "");
                }
            }
            Kind::Steps(points, end) => svg.path(&self.steps(points, *end), &line, ""),
            Kind::Stack(points, end) => {
                let path = self.stack(points, *end);
                svg.path(&path, &format!("ar {colour}"), "");
                if series.dash != Dash::Solid {
                    svg.path(&path, "stripe", "");
                }
            }
            Kind::Band(points) => svg.path(&self.band(points), &format!("soft {colour}"), ""),
            Kind::Points(points) => {
                for &(x, y) in points
                    .iter()
                    .filter(|point| point.0.is_finite() && point.1.is_finite())
                {
                    svg.circle(self.at(x, y), 2.5, &format!("ar {colour}"), "");
                }
            }
            Kind::Bars(bars) => {
                for &(from, to, value) in bars.iter().filter(|bar| bar.2.is_finite()) {
                    svg.rect(
                        self.rect((from, 0.0), (to, value)),
                        &format!("ar {colour}"),
                        &short(value),
                    );
                }
            }
        }
    }

    fn grid(&self, svg: &mut Svg, ticks: &[Tick]) {
        let mut path = PathData::new();
        for tick in ticks {
            let y = self.y.at(tick.value);
            path.move_to(self.area.x, y);
            path.across_to(self.area.right());
            svg.text((self.area.x - 7.0, y + 4.0), Anchor::End, "", &tick.label);
        }
        svg.path(&path, "grid", "");
        let floor = if self.y.domain().0 < 0.0 && self.y.domain().1 > 0.0 {
            self.y.at(0.0)
        } else {
            self.area.bottom()
        };
        svg.line((self.area.x, floor), (self.area.right(), floor), "axis");
    }

    /// Ticks below the level axis; texts that would touch are left out.
    fn x_ticks(&self, svg: &mut Svg, ticks: &[Tick]) {
        let mut marks = PathData::new();
        let mut free_from = f64::NEG_INFINITY;
        for tick in ticks {
            let (x, half) = (self.x.at(tick.value), text_width(&tick.label) / 2.0);
            marks.move_to(x, self.area.bottom());
            marks.up_to(self.area.bottom() + 4.0);
            let middle = x.min(self.area.right() + 10.0 - half);
            if middle - half >= free_from {
                svg.text(
                    (middle, self.area.bottom() + 17.0),
                    Anchor::Middle,
                    "",
                    &tick.label,
                );
                free_from = middle + half + 6.0;
            }
        }
        svg.path(&marks, "axis", "");
    }

    fn line(&self, points: &[(f64, f64)]) -> PathData {
        let mut path = PathData::new();
        let mut drawing = false;
        for &(x, y) in points {
            let here = self.at(x, y);
            match (y.is_finite(), drawing) {
                (true, true) => path.line_to(here.0, here.1),
                (true, false) => path.move_to(here.0, here.1),
                (false, _) => {}
            }
            drawing = y.is_finite();
        }
        path
    }

    /// Points of a line without a neighbour: no stroke would show them.
    fn lonely(&self, points: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let drawn = |index: usize| points.get(index).is_some_and(|point| point.1.is_finite());
        let is_lonely =
            |&index: &usize| drawn(index) && !drawn(index + 1) && (index == 0 || !drawn(index - 1));
        let lonely = (0..points.len()).filter(is_lonely);
        lonely
            .map(|index| self.at(points[index].0, points[index].1))
            .collect()
    }

    fn steps(&self, points: &[(f64, f64)], end: f64) -> PathData {
        let mut path = PathData::new();
        let mut last: Option<f64> = None;
        for (index, &(x, y)) in points.iter().enumerate() {
            if !y.is_finite() {
                last = None;
                continue;
            }
            let until = points.get(index + 1).map_or(end, |next| next.0);
            let y = self.y.at(y);
            match last {
                Some(before) if before == y => {}
                Some(_) => path.up_to(y),
                None => path.move_to(self.x.at(x), y),
            }
            path.across_to(self.x.at(until));
            last = Some(y);
        }
        path
    }

    fn stack(&self, points: &[(f64, f64, f64)], end: f64) -> PathData {
        let mut path = PathData::new();
        for run in runs(points) {
            let until = |index: usize| points.get(index + 1).map_or(end, |next| next.0);
            for index in run.clone() {
                let (x, _, high) = points[index];
                if index == run.start {
                    path.move_to(self.x.at(x), self.y.at(high))
                } else {
                    path.up_to(self.y.at(high))
                }
                path.across_to(self.x.at(until(index)));
            }
            for index in run.rev() {
                path.up_to(self.y.at(points[index].1));
                path.across_to(self.x.at(points[index].0));
            }
            path.close();
        }
        path
    }

    fn band(&self, points: &[(f64, f64, f64)]) -> PathData {
        let mut path = PathData::new();
        for run in runs(points) {
            // One point alone would have no width: it is widened by a pixel.
            let side = if run.len() == 1 { 0.7 } else { 0.0 };
            let up = run
                .clone()
                .map(|index| (points[index].0, points[index].2, -side));
            let down = run
                .clone()
                .rev()
                .map(|index| (points[index].0, points[index].1, side));
            for (place, (x, y, shift)) in up.chain(down).enumerate() {
                let (x, y) = (self.x.at(x) + shift, self.y.at(y));
                if place == 0 {
                    path.move_to(x, y)
                } else {
                    path.line_to(x, y)
                }
            }
            path.close();
        }
        path
    }
}

/// Puts layers on top of each other: for each layer its lower and upper ends, `(x, low, high)`.
///
/// A value that is not finite counts as zero.
pub fn stack(xs: &[f64], layers: &[&[f64]]) -> Vec<Vec<(f64, f64, f64)>> {
    let mut floor = vec![0.0; xs.len()];
    let mut stacked = Vec::with_capacity(layers.len());
    for layer in layers {
        let mut ends = Vec::with_capacity(xs.len());
        for (index, &x) in xs.iter().enumerate() {
            let value = layer
                .get(index)
                .copied()
                .filter(|value| value.is_finite())
                .unwrap_or(0.0);
            ends.push((x, floor[index], floor[index] + value));
            floor[index] += value;
        }
        stacked.push(ends);
    }
    stacked
}

/// Ranges of neighbouring points with finite ends.
fn runs(points: &[(f64, f64, f64)]) -> Vec<std::ops::Range<usize>> {
    let mut found: Vec<std::ops::Range<usize>> = Vec::new();
    for (index, point) in points.iter().enumerate() {
        if !point.1.is_finite() || !point.2.is_finite() {
            continue;
        }
        match found.last_mut() {
            Some(run) if run.end == index => run.end = index + 1,
            _ => found.push(index..index + 1),
        }
    }
    found
}
