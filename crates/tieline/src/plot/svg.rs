//! SVG elements as text.

use std::fmt::Write as _;

use super::number::coord;
use super::theme;

/// An axis-parallel rectangle, pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Rect {
    /// The rectangle between two opposite corners, in any order.
    pub fn between(a: (f64, f64), b: (f64, f64)) -> Rect {
        Rect {
            x: a.0.min(b.0),
            y: a.1.min(b.1),
            width: (a.0 - b.0).abs(),
            height: (a.1 - b.1).abs(),
        }
    }

    /// Right edge.
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    /// Bottom edge.
    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

/// Which end of a text stands at its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The text begins there.
    Start,
    /// The text is centred there.
    Middle,
    /// The text ends there.
    End,
}

/// The `d` of a path.
#[derive(Clone, Debug, Default)]
pub struct PathData(String);

impl PathData {
    /// An empty path.
    pub fn new() -> PathData {
        PathData::default()
    }

    /// True when nothing was added.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Starts a new piece at a point.
    pub fn move_to(&mut self, x: f64, y: f64) {
        let _ = write!(self.0, "M{} {}", coord(x), coord(y));
    }

    /// A straight line to a point.
    pub fn line_to(&mut self, x: f64, y: f64) {
        let _ = write!(self.0, "L{} {}", coord(x), coord(y));
    }

    /// A level line to `x`.
    pub fn across_to(&mut self, x: f64) {
        let _ = write!(self.0, "H{}", coord(x));
    }

    /// An upright line to `y`.
    pub fn up_to(&mut self, y: f64) {
        let _ = write!(self.0, "V{}", coord(y));
    }

    /// An S-curve from `from` to `to` that leaves and arrives level, continuing the current piece.
    pub fn ease(&mut self, from: (f64, f64), to: (f64, f64)) {
        let middle = coord((from.0 + to.0) / 2.0);
        let (y0, x1, y1) = (coord(from.1), coord(to.0), coord(to.1));
        let _ = write!(self.0, "C{middle} {y0} {middle} {y1} {x1} {y1}");
    }

    /// Closes the current piece.
    pub fn close(&mut self) {
        self.0.push('Z');
    }

    /// A level stroke of `width` from a point, in whole units.
    pub(crate) fn dash(&mut self, x: i64, y: i64, width: i64) {
        let _ = write!(self.0, "M{x} {y}h{width}");
    }

    /// A closed rectangle.
    pub fn rect(&mut self, rect: Rect) {
        self.move_to(rect.x, rect.y);
        self.across_to(rect.right());
        self.up_to(rect.bottom());
        self.across_to(rect.x);
        self.close();
    }
}

/// A drawing under construction.
#[derive(Clone, Debug)]
pub struct Svg {
    width: f64,
    height: f64,
    title: String,
    desc: String,
    body: String,
}

impl Svg {
    /// An empty drawing with its name and its description for readers who cannot see it.
    pub fn new(size: (f64, f64), title: &str, desc: &str) -> Svg {
        Svg {
            width: size.0,
            height: size.1,
            title: title.to_owned(),
            desc: desc.to_owned(),
            body: String::new(),
        }
    }

    /// Sets the height once the content is known.
    pub fn set_height(&mut self, height: f64) {
        self.height = height;
    }

    /// A straight line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let _ = write!(
            self.body,
            "<path class=\"{}\" d=\"M{} {}L{} {}\"/>",
            escape(class),
            coord(from.0),
            coord(from.1),
            coord(to.0),
            coord(to.1)
        );
    }

    /// A rectangle; `title` may be empty.
    pub fn rect(&mut self, rect: Rect, class: &str, title: &str) {
        let _ = write!(
            self.body,
            "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
            escape(class),
            coord(rect.x),
            coord(rect.y),
            coord(rect.width.max(0.0)),
            coord(rect.height.max(0.0))
        );
        self.end("rect", title);
    }

    /// A path; nothing when it is empty. `title` may be empty.
    pub fn path(&mut self, path: &PathData, class: &str, title: &str) {
        if path.is_empty() {
            return;
        }
        let _ = write!(
            self.body,
            "<path class=\"{}\" d=\"{}\"",
            escape(class),
            path.0
        );
        self.end("path", title);
    }

    /// A circle; `title` may be empty.
    pub fn circle(&mut self, at: (f64, f64), radius: f64, class: &str, title: &str) {
        let _ = write!(
            self.body,
            "<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"{}\"",
            escape(class),
            coord(at.0),
            coord(at.1),
            coord(radius)
        );
        self.end("circle", title);
    }

    /// A line of text whose baseline starts, centres or ends at a point; `class` may be empty.
    pub fn text(&mut self, at: (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let class = if class.is_empty() {
            String::new()
        } else {
            format!(" class=\"{}\"", escape(class))
        };
        let _ = write!(
            self.body,
            "<text x=\"{}\" y=\"{}\"{anchor}{class}>{}</text>",
            coord(at.0),
            coord(at.1),
            escape(text)
        );
    }

    /// Puts another drawing into this one, its top left corner at a point.
    pub(crate) fn place(&mut self, at: (f64, f64), other: &Svg) {
        self.open_scaled(at, (1.0, 1.0));
        self.body.push_str(&other.body);
        self.close();
    }

    /// Opens a group moved and then stretched; [`Svg::close`] ends it.
    pub(crate) fn open_scaled(&mut self, shift: (f64, f64), stretch: (f64, f64)) {
        let finite = |value: f64| if value.is_finite() { value } else { 1.0 };
        let _ = write!(
            self.body,
            "<g transform=\"translate({} {}) scale({:.5} {:.5})\">",
            coord(shift.0),
            coord(shift.1),
            finite(stretch.0),
            finite(stretch.1)
        );
    }

    /// Ends the group opened last.
    pub(crate) fn close(&mut self) {
        self.body.push_str("</g>");
    }

    /// The element for a page that carries [`theme::plot_css`] and [`theme::PATTERNS`].
    pub fn inline(&self) -> String {
        self.element("", "")
    }

    /// A file of its own, with its style inside.
    pub fn standalone(&self) -> String {
        let head = format!(
            "<style>{}{}</style>{}",
            theme::colours_css(),
            theme::plot_css(),
            theme::PATTERNS
        );
        let paper = "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>";
        let mut text = self.element(
            " xmlns=\"http://www.w3.org/2000/svg\"",
            &format!("{head}{paper}"),
        );
        text.push('\n');
        text
    }

    fn element(&self, attributes: &str, head: &str) -> String {
        let (width, height) = (coord(self.width), coord(self.height));
        let desc = if self.desc.is_empty() {
            String::new()
        } else {
            format!("<desc>{}</desc>", escape(&self.desc))
        };
        let size = if attributes.is_empty() {
            String::new()
        } else {
            format!(" width=\"{width}\" height=\"{height}\"")
        };
        format!(
            "<svg{attributes} class=\"plot\" role=\"img\" viewBox=\"0 0 {width} {height}\"{size}><title>{}</title>{desc}{head}{}</svg>",
            escape(&self.title),
            self.body
        )
    }

    fn end(&mut self, tag: &str, title: &str) {
        if title.is_empty() {
            self.body.push_str("/>");
        } else {
            let _ = write!(self.body, "><title>{}</title></{tag}>", escape(title));
        }
    }
}

/// Text made safe for element content and quoted attributes of HTML and SVG.
///
/// Control characters and those that turn the direction of writing become U+FFFD: a name must not
/// be able to disguise the text around it.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => {
                safe.push('\u{fffd}')
            }
            letter if letter.is_control() => safe.push('\u{fffd}'),
            letter => safe.push(letter),
        }
    }
    safe
}

/// Width of a text of 12 px, estimated from its number of characters.
pub fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * 6.8
}

/// The text when it has at most `letters` characters, else its beginning and an ellipsis.
pub fn truncated(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(letters.saturating_sub(1)).collect();
    short.push('…');
    short
}
